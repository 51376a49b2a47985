//! Roles, instance profiles, key pairs, KMS keys, quotas.

use std::collections::BTreeSet;

use async_trait::async_trait;
use eks_provider::Result;
use eks_provider::aws::{InstanceProfile, KeyReader, KeyState, QuotaReader, ServiceQuota};

use crate::Sim;
use crate::aws::call::refuse;
use crate::aws::ec2::State;

/// Running On-Demand Standard instances: what counts is virtual CPUs.
/// <https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/ec2-on-demand-instances.html#ec2-on-demand-instances-limits>
pub(crate) const ON_DEMAND_VCPUS: (&str, &str) = ("ec2", "L-1216C47A");

impl State {
    /// How many virtual CPUs are left, where that is limited.
    pub(crate) fn vcpus_left(&self) -> Option<u32> {
        let (service, quota) = ON_DEMAND_VCPUS;
        let value = self.quotas.get(&(service.to_owned(), quota.to_owned()))?.value;
        let used: u32 = self
            .instances
            .values()
            .filter(|running| running.is_there() && running.instance.lifecycle.is_none())
            .filter_map(|running| self.types.get(running.instance.instance_type.as_deref()?))
            .map(|kind| kind.vcpus)
            .sum();
        // Quotas are whole numbers far below 2^32.
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a quota is a whole number"
        )]
        let value = value as u32;
        Some(value.saturating_sub(used))
    }
}

#[async_trait]
impl KeyReader for Sim {
    async fn describe_key_pairs(&self, names: &BTreeSet<String>) -> Result<BTreeSet<String>> {
        self.read("ec2:DescribeKeyPairs", "key pairs", |view| {
            Ok(names.intersection(&view.aws.ec2.key_pairs).cloned().collect())
        })
        .await
    }

    async fn get_instance_profile(&self, name: &str) -> Result<InstanceProfile> {
        self.read("iam:GetInstanceProfile", format!("instance profile {name}"), |view| {
            match view.aws.ec2.instance_profiles.get(name) {
                Some(profile) => Ok(profile.clone()),
                None => refuse("NoSuchEntity", format!("Instance Profile {name} cannot be found.")),
            }
        })
        .await
    }

    async fn get_role(&self, name: &str) -> Result<String> {
        self.read("iam:GetRole", format!("role {name}"), |view| match view.aws.ec2.roles.get(name) {
            Some(arn) => Ok(arn.clone()),
            None => refuse("NoSuchEntity", format!("The role with name {name} cannot be found.")),
        })
        .await
    }

    async fn describe_key(&self, key_id: &str) -> Result<KeyState> {
        self.read("kms:DescribeKey", format!("key {key_id}"), |view| {
            match view.aws.ec2.kms_keys.get(key_id) {
                Some(state) => Ok(state.clone()),
                None => refuse("NotFoundException", format!("Key '{key_id}' does not exist")),
            }
        })
        .await
    }
}

#[async_trait]
impl QuotaReader for Sim {
    async fn get_service_quota(&self, service_code: &str, quota_code: &str) -> Result<ServiceQuota> {
        let target = format!("quota {quota_code} of {service_code}");
        self.read("servicequotas:GetServiceQuota", target, |view| {
            match view.aws.ec2.quotas.get(&(service_code.to_owned(), quota_code.to_owned())) {
                Some(quota) => Ok(quota.clone()),
                None => refuse("NoSuchResourceException", format!("no quota {quota_code} of {service_code}")),
            }
        })
        .await
    }
}
