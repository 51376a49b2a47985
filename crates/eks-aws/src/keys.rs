//! Whether key pairs, instance profiles, roles and KMS keys exist.

use std::collections::BTreeSet;

use async_trait::async_trait;
use eks_provider::Result;
use eks_provider::aws::{InstanceProfile, KeyReader, KeyState};

use crate::Aws;
use crate::call::What;
use crate::ec2::{not_found, those_that_are_there};

/// Key pairs a call.
const KEY_PAIRS: usize = 100;

#[async_trait]
impl KeyReader for Aws {
    async fn describe_key_pairs(&self, names: &BTreeSet<String>) -> Result<BTreeSet<String>> {
        let what = What::new("ec2:DescribeKeyPairs", format!("{} key pairs", names.len()));
        let what = &what;
        let names: Vec<String> = names.iter().cloned().collect();
        let found = those_that_are_there(&names, KEY_PAIRS, not_found, |names| async move {
            let call = || self.ec2.describe_key_pairs().set_key_names(Some(names.clone())).send();
            Ok(self.send(what, call).await?.key_pairs.unwrap_or_default())
        })
        .await?;
        found.into_iter().map(|pair| what.text("KeyPairs.KeyName", pair.key_name)).collect()
    }

    async fn get_instance_profile(&self, name: &str) -> Result<InstanceProfile> {
        let what = What::new("iam:GetInstanceProfile", format!("instance profile {name}"));
        let call = || self.iam.get_instance_profile().instance_profile_name(name).send();
        let profile = what.need("InstanceProfile", self.send(&what, call).await?.instance_profile)?;
        Ok(InstanceProfile {
            name: what.text("InstanceProfile.InstanceProfileName", Some(profile.instance_profile_name))?,
            arn: what.text("InstanceProfile.Arn", Some(profile.arn))?,
            role_arns: profile
                .roles
                .into_iter()
                .map(|role| what.text("InstanceProfile.Roles.Arn", Some(role.arn)))
                .collect::<Result<_>>()?,
        })
    }

    async fn get_role(&self, name: &str) -> Result<String> {
        let what = What::new("iam:GetRole", format!("role {name}"));
        let call = || self.iam.get_role().role_name(name).send();
        let role = what.need("Role", self.send(&what, call).await?.role)?;
        what.text("Role.Arn", Some(role.arn))
    }

    async fn describe_key(&self, key_id: &str) -> Result<KeyState> {
        let what = What::new("kms:DescribeKey", format!("key {key_id}"));
        let call = || self.kms.describe_key().key_id(key_id).send();
        let key = what.need("KeyMetadata", self.send(&what, call).await?.key_metadata)?;
        let state = key.key_state.as_ref().map(aws_sdk_kms::types::KeyState::as_str);
        what.word("KeyMetadata.KeyState", state)
    }
}
