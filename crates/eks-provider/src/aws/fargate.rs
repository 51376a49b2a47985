//! Fargate profiles: which Pods run on Fargate. Their kubelet is as old as the Pod.

use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use crate::Result;
use crate::aws::Issue;
use crate::calls::provider;
use crate::text::words;

words! {
    /// What state a Fargate profile is in.
    pub enum FargateProfileStatus {
        /// Being made.
        Creating = "CREATING",
        /// At rest.
        Active = "ACTIVE",
        /// Being deleted.
        Deleting = "DELETING",
        /// Could not be made.
        CreateFailed = "CREATE_FAILED",
        /// Could not be deleted.
        DeleteFailed = "DELETE_FAILED",
    }
}

/// A Fargate profile.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FargateProfile {
    /// Its name.
    pub name: String,
    /// Its ARN.
    pub arn: String,
    /// Its cluster.
    pub cluster: String,
    /// Its state.
    pub status: FargateProfileStatus,
    /// When it was made.
    pub created_at: Option<Timestamp>,
    /// The role that its Pods are started with.
    pub pod_execution_role_arn: Option<String>,
    /// Where its Pods run.
    pub subnets: BTreeSet<String>,
    /// Which Pods run on it: any of these.
    pub selectors: Vec<FargateSelector>,
    /// What EKS finds wrong with it.
    pub health: Vec<Issue>,
    /// Its tags.
    pub tags: BTreeMap<String, String>,
}

/// Which Pods a profile takes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FargateSelector {
    /// Of this namespace; may have `*` and `?`.
    pub namespace: String,
    /// With all of these labels; values may have `*` and `?`.
    pub labels: BTreeMap<String, String>,
}

provider! {
    /// Reads Fargate profiles.
    #[access(Read)]
    pub trait FargateReader {
        /// The names of the Fargate profiles of a cluster, sorted.
        #[iam("eks:ListFargateProfiles")]
        async fn list_fargate_profiles(&self, cluster: &str) -> Result<Vec<String>>;

        /// One Fargate profile.
        #[iam("eks:DescribeFargateProfile")]
        async fn describe_fargate_profile(&self, cluster: &str, profile: &str) -> Result<FargateProfile>;
    }
}
