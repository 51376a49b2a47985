//! Service quotas.

use async_trait::async_trait;
use aws_sdk_servicequotas::types as sdk;
use eks_provider::aws::{QuotaReader, ServiceQuota};
use eks_provider::{Class, Result};

use crate::Aws;
use crate::call::{What, some};

#[async_trait]
impl QuotaReader for Aws {
    async fn get_service_quota(&self, service_code: &str, quota_code: &str) -> Result<ServiceQuota> {
        let what =
            What::new("servicequotas:GetServiceQuota", format!("quota {quota_code} of {service_code}"));
        let call =
            || self.quotas.get_service_quota().service_code(service_code).quota_code(quota_code).send();
        match self.send(&what, call).await {
            Ok(answer) => read(&what, answer.quota),
            // The account has no value of its own: that of AWS holds.
            Err(error) if error.class() == Class::NotFound => {
                let what = What::new("servicequotas:GetAWSDefaultServiceQuota", &what.target);
                let call = || {
                    self.quotas
                        .get_aws_default_service_quota()
                        .service_code(service_code)
                        .quota_code(quota_code)
                        .send()
                };
                read(&what, self.send(&what, call).await?.quota)
            }
            Err(error) => Err(error),
        }
    }
}

fn read(what: &What, quota: Option<sdk::ServiceQuota>) -> Result<ServiceQuota> {
    let quota = what.need("Quota", quota)?;
    Ok(ServiceQuota {
        service_code: what.text("Quota.ServiceCode", quota.service_code)?,
        quota_code: what.text("Quota.QuotaCode", quota.quota_code)?,
        name: what.text("Quota.QuotaName", quota.quota_name)?,
        value: what.need("Quota.Value", quota.value)?,
        unit: some(quota.unit).filter(|unit| unit != "None"),
        adjustable: quota.adjustable,
    })
}
