//! Service quotas: whether there is room for what a roll adds.

use crate::Result;
use crate::calls::provider;
use serde::{Deserialize, Serialize};

/// A quota of the account in the region.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ServiceQuota {
    /// The service: `ec2`.
    pub service_code: String,
    /// The quota: `L-1216C47A`.
    pub quota_code: String,
    /// Its name: `Running On-Demand Standard (A, C, D, H, I, M, R, T, Z) instances`.
    pub name: String,
    /// How much, in `unit`. Of instances, it counts virtual CPUs.
    pub value: f64,
    /// In what: `None` is a number.
    pub unit: Option<String>,
    /// Whether AWS raises it when asked.
    pub adjustable: bool,
}

provider! {
    /// Reads quotas. How much of one is used has to be counted.
    #[access(Read)]
    pub trait QuotaReader {
        /// One quota. Where the account has none of its own, the adapter answers with the default of AWS.
        #[iam(
            "servicequotas:GetServiceQuota",
            "servicequotas:GetAWSDefaultServiceQuota" if "the account has no value of its own",
        )]
        async fn get_service_quota(&self, service_code: &str, quota_code: &str) -> Result<ServiceQuota>;
    }
}
