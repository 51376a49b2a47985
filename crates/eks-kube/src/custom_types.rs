//! The fields of custom resources that are read, as they are written.

use std::collections::BTreeMap;

use k8s_openapi::apimachinery::pkg::apis::meta::v1 as api;
use serde::Deserialize;

/// A custom resource. One without a status has not been looked at by its controller.
#[derive(Deserialize)]
#[serde(bound(deserialize = "Spec: Deserialize<'de>, Status: Deserialize<'de> + Default"))]
pub(crate) struct Object<Spec, Status> {
    pub(crate) metadata: api::ObjectMeta,
    pub(crate) spec: Spec,
    #[serde(default)]
    pub(crate) status: Status,
}

/// Nothing of it is read.
#[derive(Deserialize, Default)]
pub(crate) struct Nothing {}

/// A number or a text.
#[derive(Deserialize)]
#[serde(untagged)]
pub(crate) enum Amount {
    Int(i64),
    Text(String),
}

impl Amount {
    pub(crate) fn text(&self) -> String {
        match self {
            Self::Int(number) => number.to_string(),
            Self::Text(text) => text.clone(),
        }
    }
}

/// `group` since v1, `apiVersion` before it.
#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct ClassRef {
    pub(crate) group: Option<String>,
    pub(crate) api_version: String,
    pub(crate) kind: String,
    pub(crate) name: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Condition {
    #[serde(rename = "type")]
    pub(crate) kind: String,
    pub(crate) status: String,
    pub(crate) reason: Option<String>,
    pub(crate) message: Option<String>,
    pub(crate) last_transition_time: Option<api::Time>,
    pub(crate) observed_generation: Option<i64>,
}

#[derive(Deserialize)]
pub(crate) struct Taint {
    pub(crate) key: String,
    pub(crate) value: Option<String>,
    pub(crate) effect: String,
}

#[derive(Deserialize)]
pub(crate) struct Requirement {
    pub(crate) key: String,
    pub(crate) operator: String,
    #[serde(default)]
    pub(crate) values: Vec<String>,
}

#[derive(Deserialize)]
pub(crate) struct PoolSpec {
    pub(crate) template: PoolTemplate,
    #[serde(default)]
    pub(crate) disruption: PoolDisruption,
    #[serde(default)]
    pub(crate) limits: BTreeMap<String, Amount>,
    #[serde(default)]
    pub(crate) weight: Option<u32>,
}

#[derive(Deserialize)]
pub(crate) struct PoolTemplate {
    #[serde(default)]
    pub(crate) metadata: PoolTemplateMeta,
    pub(crate) spec: PoolTemplateSpec,
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub(crate) struct PoolTemplateMeta {
    pub(crate) labels: BTreeMap<String, String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct PoolTemplateSpec {
    pub(crate) node_class_ref: ClassRef,
    #[serde(default)]
    pub(crate) taints: Vec<Taint>,
    #[serde(default)]
    pub(crate) startup_taints: Vec<Taint>,
    #[serde(default)]
    pub(crate) requirements: Vec<Requirement>,
    #[serde(default)]
    pub(crate) expire_after: Option<String>,
    #[serde(default)]
    pub(crate) termination_grace_period: Option<String>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct PoolDisruption {
    pub(crate) consolidation_policy: Option<String>,
    /// Before v1 it stood here.
    pub(crate) expire_after: Option<String>,
    pub(crate) budgets: Vec<PoolBudget>,
}

#[derive(Deserialize)]
pub(crate) struct PoolBudget {
    pub(crate) nodes: Amount,
    #[serde(default)]
    pub(crate) reasons: Vec<String>,
    #[serde(default)]
    pub(crate) schedule: Option<String>,
    #[serde(default)]
    pub(crate) duration: Option<String>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub(crate) struct PoolStatus {
    pub(crate) conditions: Vec<Condition>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ClaimSpec {
    pub(crate) node_class_ref: ClassRef,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct ClaimStatus {
    pub(crate) node_name: Option<String>,
    #[serde(rename = "providerID")]
    pub(crate) provider_id: Option<String>,
    #[serde(rename = "imageID")]
    pub(crate) image_id: Option<String>,
    pub(crate) conditions: Vec<Condition>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct ClassSpec {
    pub(crate) ami_family: Option<String>,
    pub(crate) ami_selector_terms: Vec<AmiTerm>,
    pub(crate) role: Option<String>,
    pub(crate) instance_profile: Option<String>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct AmiTerm {
    pub(crate) alias: Option<String>,
    pub(crate) id: Option<String>,
    pub(crate) name: Option<String>,
    pub(crate) owner: Option<String>,
    pub(crate) ssm_parameter: Option<String>,
    pub(crate) tags: BTreeMap<String, String>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct ClassStatus {
    pub(crate) amis: Vec<Ami>,
    pub(crate) instance_profile: Option<String>,
    pub(crate) conditions: Vec<Condition>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub(crate) struct Ami {
    pub(crate) id: String,
    pub(crate) name: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct BindingSpec {
    #[serde(rename = "targetGroupARN", default)]
    pub(crate) target_group_arn: Option<String>,
    #[serde(default)]
    pub(crate) target_type: Option<String>,
    pub(crate) service_ref: ServiceRef,
}

#[derive(Deserialize)]
pub(crate) struct ServiceRef {
    pub(crate) name: String,
}
