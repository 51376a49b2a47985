//! Whether what a cluster or its nodes were set up with still exists: roles, instance profiles, key
//! pairs, KMS keys. A missing one stops an update half-way.

use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

use crate::Result;
use crate::calls::provider;
use crate::text::words;

words! {
    /// Whether a KMS key can be used.
    pub enum KeyState {
        /// Being made.
        Creating = "Creating",
        /// It can.
        Enabled = "Enabled",
        /// Switched off.
        Disabled = "Disabled",
        /// About to be deleted.
        PendingDeletion = "PendingDeletion",
        /// Without its material.
        PendingImport = "PendingImport",
        /// A replica is about to be deleted.
        PendingReplicaDeletion = "PendingReplicaDeletion",
        /// Out of reach.
        Unavailable = "Unavailable",
        /// Being changed.
        Updating = "Updating",
    }
}

/// An instance profile.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct InstanceProfile {
    /// Its name.
    pub name: String,
    /// Its ARN.
    pub arn: String,
    /// The ARNs of its roles: one, or none.
    pub role_arns: Vec<String>,
}

provider! {
    /// Reads whether roles, profiles and keys exist.
    #[access(Read)]
    pub trait KeyReader {
        /// Which of these key pairs are there.
        #[iam("ec2:DescribeKeyPairs")]
        async fn describe_key_pairs(&self, names: &BTreeSet<String>) -> Result<BTreeSet<String>>;

        /// An instance profile, by name.
        #[iam("iam:GetInstanceProfile")]
        async fn get_instance_profile(&self, name: &str) -> Result<InstanceProfile>;

        /// The ARN of a role, by name.
        #[iam("iam:GetRole")]
        async fn get_role(&self, name: &str) -> Result<String>;

        /// Whether a KMS key can be used.
        #[iam("kms:DescribeKey")]
        async fn describe_key(&self, key_id: &str) -> Result<KeyState>;
    }
}
