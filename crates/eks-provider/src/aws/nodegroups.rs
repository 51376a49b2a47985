//! Managed node groups: EKS replaces their nodes.

use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

use eks_model::KubeVersion;
use jiff::Timestamp;

use crate::aws::{Issue, LaunchTemplateRef, Update, WarmPoolState};
use crate::calls::provider;
use crate::text::words;
use crate::{Result, Token, Written};

words! {
    /// What state a managed node group is in.
    pub enum NodegroupStatus {
        /// Being made.
        Creating = "CREATING",
        /// At rest.
        Active = "ACTIVE",
        /// Being changed.
        Updating = "UPDATING",
        /// Being deleted.
        Deleting = "DELETING",
        /// Could not be made.
        CreateFailed = "CREATE_FAILED",
        /// Could not be deleted.
        DeleteFailed = "DELETE_FAILED",
        /// At work, with issues. Not an end: EKS may still be updating it.
        Degraded = "DEGRADED",
    }
}

words! {
    /// How instances are paid for.
    pub enum CapacityType {
        /// On demand.
        OnDemand = "ON_DEMAND",
        /// Spot.
        Spot = "SPOT",
        /// A capacity block that was reserved.
        CapacityBlock = "CAPACITY_BLOCK",
    }
}

words! {
    /// In which order EKS replaces nodes.
    pub enum NodegroupUpdateStrategy {
        /// New nodes first.
        Default = "DEFAULT",
        /// Old nodes first.
        Minimal = "MINIMAL",
    }
}

/// A managed node group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Nodegroup {
    /// Its name.
    pub name: String,
    /// Its ARN.
    pub arn: String,
    /// Its cluster.
    pub cluster: String,
    /// The Kubernetes version of its nodes.
    pub version: Option<Written<KubeVersion>>,
    /// The release of its image (`1.34.2-20260710`), or the image's id where that is one's own.
    pub release_version: Option<String>,
    /// When it was made.
    pub created_at: Option<Timestamp>,
    /// When it was last changed.
    pub modified_at: Option<Timestamp>,
    /// Its state.
    pub status: NodegroupStatus,
    /// How its instances are paid for.
    pub capacity_type: Option<CapacityType>,
    /// How many nodes.
    pub scaling: NodegroupScaling,
    /// The instance types, in the order of preference; empty where a launch template says.
    pub instance_types: Vec<String>,
    /// Its subnets.
    pub subnets: BTreeSet<String>,
    /// What kind of image its nodes start from: `AL2023_x86_64_STANDARD`, `CUSTOM`.
    pub ami_type: Option<String>,
    /// The role of its nodes.
    pub node_role_arn: Option<String>,
    /// Labels that its nodes get.
    pub labels: BTreeMap<String, String>,
    /// Taints that its nodes get, in the words of EKS: `NO_SCHEDULE`.
    pub taints: Vec<NodegroupTaint>,
    /// The names of its Auto Scaling groups.
    pub auto_scaling_groups: Vec<String>,
    /// The security group for access by SSH.
    pub remote_access_security_group: Option<String>,
    /// The key pair for access by SSH.
    pub remote_access_key_name: Option<String>,
    /// Its own launch template, where it has one.
    pub launch_template: Option<LaunchTemplateRef>,
    /// How it is updated.
    pub update_config: NodegroupUpdateConfig,
    /// Whether EKS repairs its nodes.
    pub node_repair: Option<bool>,
    /// Its warm pool.
    pub warm_pool: Option<NodegroupWarmPool>,
    /// What EKS finds wrong with it.
    pub health: Vec<Issue>,
    /// Its tags: who made it is often among them.
    pub tags: BTreeMap<String, String>,
}

/// How many nodes a group has.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct NodegroupScaling {
    /// At least.
    pub min_size: u32,
    /// At most.
    pub max_size: u32,
    /// Now asked for.
    pub desired_size: u32,
}

/// A taint in the words of EKS.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct NodegroupTaint {
    /// Its key.
    pub key: String,
    /// Its value.
    pub value: Option<String>,
    /// `NO_SCHEDULE`, `NO_EXECUTE`, `PREFER_NO_SCHEDULE`.
    pub effect: String,
}

/// How a group is updated.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct NodegroupUpdateConfig {
    /// How many nodes may be out at a time.
    pub max_unavailable: Option<u32>,
    /// The same, in percent of the group.
    pub max_unavailable_percentage: Option<u32>,
    /// In which order.
    pub update_strategy: Option<NodegroupUpdateStrategy>,
}

/// The warm pool of a group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct NodegroupWarmPool {
    /// Whether there is one.
    pub enabled: bool,
    /// At least so many instances.
    pub min_size: Option<u32>,
    /// At most so many, with those in service.
    pub max_group_prepared_capacity: Option<u32>,
    /// The state that they wait in.
    pub pool_state: Option<WarmPoolState>,
    /// Whether instances go back into it.
    pub reuse_on_scale_in: Option<bool>,
}

/// What UpdateNodegroupVersion is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UpdateNodegroupVersion {
    /// The cluster.
    pub cluster: String,
    /// The group.
    pub nodegroup: String,
    /// The version; `None` is the control plane's. Not for images of one's own.
    pub version: Option<KubeVersion>,
    /// The release of the image; `None` is the latest. Not for images of one's own.
    pub release_version: Option<String>,
    /// Another version of the group's launch template (the same template).
    pub launch_template: Option<LaunchTemplateRef>,
    /// Terminate nodes although Pods could not be evicted in time. Breaks budgets.
    pub force: bool,
    /// Makes the call safe to repeat.
    pub token: Token,
}

/// What UpdateNodegroupConfig is asked for. `None` leaves a thing as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UpdateNodegroupConfig {
    /// The cluster.
    pub cluster: String,
    /// The group.
    pub nodegroup: String,
    /// How many nodes.
    pub scaling: Option<NodegroupScaling>,
    /// How it is updated.
    pub update_config: Option<NodegroupUpdateConfig>,
    /// Labels to set, or to take away (`None`).
    pub labels: BTreeMap<String, Option<String>>,
    /// Taints to set.
    pub taints_to_set: Vec<NodegroupTaint>,
    /// Taints to take away.
    pub taints_to_remove: Vec<NodegroupTaint>,
    /// Makes the call safe to repeat.
    pub token: Token,
}

provider! {
    /// Reads managed node groups.
    #[access(Read)]
    pub trait NodegroupReader {
        /// The names of the managed node groups of a cluster, sorted.
        #[iam("eks:ListNodegroups")]
        async fn list_nodegroups(&self, cluster: &str) -> Result<Vec<String>>;

        /// One managed node group.
        #[iam("eks:DescribeNodegroup")]
        async fn describe_nodegroup(&self, cluster: &str, nodegroup: &str) -> Result<Nodegroup>;
    }
}

provider! {
    /// Changes managed node groups.
    #[access(Write)]
    pub trait NodegroupWriter {
        /// Starts the replacement of all nodes.
        #[iam(
            "eks:UpdateNodegroupVersion",
            "ec2:RunInstances" if "the group has a launch template of its own",
            "ec2:DescribeLaunchTemplateVersions" if "the group has a launch template of its own",
            "iam:PassRole" if "the launch template names an instance profile",
        )]
        async fn update_nodegroup_version(&self, request: &UpdateNodegroupVersion) -> Result<Update>;

        /// Starts a change of settings.
        #[iam("eks:UpdateNodegroupConfig")]
        async fn update_nodegroup_config(&self, request: &UpdateNodegroupConfig) -> Result<Update>;
    }
}
