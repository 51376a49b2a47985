//! Parameters of SSM.

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use aws_sdk_ssm::types as sdk;
use eks_provider::Result;
use eks_provider::aws::{Parameter, ParameterReader};

use crate::Aws;
use crate::call::{What, time};

/// Parameters a call.
const PARAMETERS: usize = 10;

#[async_trait]
impl ParameterReader for Aws {
    async fn get_parameter(&self, name: &str) -> Result<Parameter> {
        let what = What::new("ssm:GetParameter", format!("parameter {name}"));
        let answer = self.send(&what, || self.ssm.get_parameter().name(name).send()).await?;
        read(&what, what.need("Parameter", answer.parameter)?)
    }

    async fn get_parameters(&self, names: &[String]) -> Result<BTreeMap<String, Parameter>> {
        // The service refuses a name that is there twice.
        let names: Vec<String> = names.iter().collect::<BTreeSet<_>>().into_iter().cloned().collect();
        let mut found = BTreeMap::new();
        for names in names.chunks(PARAMETERS) {
            let what = What::new("ssm:GetParameters", format!("parameters {}", names.join(", ")));
            let call = || self.ssm.get_parameters().set_names(Some(names.to_vec())).send();
            for parameter in self.send(&what, call).await?.parameters.into_iter().flatten() {
                let asked = names.iter().find(|asked| is_called(&parameter, asked)).cloned();
                let parameter = read(&what, parameter)?;
                found.insert(asked.unwrap_or_else(|| parameter.name.clone()), parameter);
            }
        }
        Ok(found)
    }
}

/// Whether a parameter was asked for by this: its name, its ARN, either with a version or a label.
fn is_called(parameter: &sdk::Parameter, asked: &str) -> bool {
    let selector = parameter.selector().unwrap_or_default();
    let asked = asked.strip_suffix(selector).unwrap_or(asked);
    parameter.name() == Some(asked) || parameter.arn() == Some(asked)
}

fn read(what: &What, parameter: sdk::Parameter) -> Result<Parameter> {
    Ok(Parameter {
        name: what.text("Parameter.Name", parameter.name)?,
        value: what.text("Parameter.Value", parameter.value)?,
        version: what.count("Parameter.Version", Some(parameter.version))?,
        last_modified: time(parameter.last_modified_date),
    })
}
