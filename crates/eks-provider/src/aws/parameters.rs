//! Parameters of SSM: where AWS says which image is recommended.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::Result;
use crate::calls::provider;

/// A parameter.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Parameter {
    /// Its name:
    /// `/aws/service/eks/optimized-ami/1.34/amazon-linux-2023/x86_64/standard/recommended/image_id`.
    pub name: String,
    /// Its value.
    pub value: String,
    /// Its version.
    pub version: u64,
    /// When it was last changed.
    pub last_modified: Option<Timestamp>,
}

provider! {
    /// Reads parameters of SSM. Secret ones are not decrypted.
    #[access(Read)]
    pub trait ParameterReader {
        /// One parameter.
        #[iam("ssm:GetParameter")]
        async fn get_parameter(&self, name: &str) -> Result<Parameter>;

        /// Many, by name: those that are there. The adapter asks for ten at a time.
        #[iam("ssm:GetParameters")]
        async fn get_parameters(&self, names: &[String]) -> Result<BTreeMap<String, Parameter>>;
    }
}
