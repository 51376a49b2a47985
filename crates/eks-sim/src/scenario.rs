//! The file that a world begins with.
//!
//! YAML, format 1. What a file does not say has a default that is healthy; what it says and nobody knows is an error
//! with its line.
//!
//! ```
//! let world = eks_sim::World::from_scenario(
//!     "
//! scenario: 1
//! start: 2026-11-24T12:00:00Z
//! network:
//!   subnets:
//!     - { id: subnet-a, zone: eu-west-1a, cidr: 10.0.0.0/20 }
//!     - { id: subnet-b, zone: eu-west-1b, cidr: 10.0.16.0/20 }
//! clusters:
//!   - name: shop
//!     version: '1.34'
//! ",
//! )?;
//! assert_eq!(world.now().to_string(), "2026-11-24T12:00:00Z");
//! # Ok::<(), eks_sim::scenario::ScenarioError>(())
//! ```

mod build;
mod check;
mod cluster;
mod error;
mod group;
mod kubernetes;
mod observations;
mod place;
mod scaling;
mod snapshot;
mod strict;

use std::collections::{BTreeMap, BTreeSet};

use eks_model::KubeMinor;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::aws::{DeprecatedUse, Rules, Script};
use crate::faults::Faults;

pub use error::ScenarioError;
pub use observations::{Observations, ObservedGroup};
pub use snapshot::Assumption;

pub use group::{
    GroupTemplate, HookSpec, InstancesSpec, MixedOverride, MixedSpec, ScheduledActionSpec, SelfManagedGroup,
    TargetGroupSpec, WarmPoolSpec,
};

/// A world to begin with.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Scenario {
    /// The format: 1.
    pub scenario: u32,
    /// When the world begins.
    pub start: Timestamp,
    /// The seed of its chance.
    #[serde(default)]
    pub seed: u64,
    /// The region.
    #[serde(default = "region")]
    pub region: String,
    /// The account: twelve digits.
    #[serde(default = "account")]
    pub account: String,
    /// Where AWS's texts contradict each other.
    #[serde(default)]
    pub rules: Rules,
    /// VPC, subnets, security groups.
    pub network: Network,
    /// Images besides the EKS optimised ones.
    #[serde(default)]
    pub images: Vec<ImageSpec>,
    /// Clusters with their add-ons and managed node groups.
    #[serde(default)]
    pub clusters: Vec<ClusterSpec>,
    /// Launch templates of one's own.
    #[serde(default)]
    pub launch_templates: Vec<TemplateSpec>,
    /// Target groups.
    #[serde(default)]
    pub target_groups: Vec<TargetGroupSpec>,
    /// Auto Scaling groups of one's own.
    #[serde(default)]
    pub auto_scaling_groups: Vec<SelfManagedGroup>,
    /// How many instances a zone takes at most.
    #[serde(default)]
    pub zone_capacity: BTreeMap<String, u32>,
    /// Types that a zone does not offer.
    #[serde(default)]
    pub not_offered: BTreeMap<String, BTreeSet<String>>,
    /// The quota of running on-demand standard instances, in virtual CPUs; without it there is none.
    #[serde(default)]
    pub on_demand_vcpus: Option<u32>,
    /// By the ARN of a caller: the actions that it may not (`eks:*`).
    #[serde(default)]
    pub denied: BTreeMap<String, BTreeSet<String>>,
    /// What goes wrong.
    #[serde(default)]
    pub faults: Faults,
    /// What happens from outside, and when.
    #[serde(default)]
    pub events: Vec<Timed>,
    /// What is in Kubernetes: workloads, budgets.
    #[serde(default)]
    pub kubernetes: Option<crate::kube::Scenario>,
}

fn region() -> String {
    "eu-west-1".to_owned()
}

fn account() -> String {
    "111122223333".to_owned()
}

/// Something that happens from outside, at a moment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Timed {
    /// So many seconds after the start.
    pub after_seconds: u64,
    /// What.
    #[serde(rename = "do")]
    pub script: Script,
}

/// VPC, subnets, security groups.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Network {
    /// The VPC.
    #[serde(default = "vpc")]
    pub vpc: String,
    /// How many addresses of its subnet an instance takes: 1, or what its Pods take with it.
    #[serde(default = "one")]
    pub addresses_per_instance: u32,
    /// The subnets.
    pub subnets: Vec<SubnetSpec>,
    /// Security groups, by id.
    #[serde(default)]
    pub security_groups: Vec<String>,
}

fn vpc() -> String {
    "vpc-0a1".to_owned()
}

fn one() -> u32 {
    1
}

/// A subnet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SubnetSpec {
    /// Its id.
    pub id: String,
    /// Its zone, by name.
    pub zone: String,
    /// Its IPv4 addresses: between a /16 and a /28.
    pub cidr: String,
    /// Addresses that something else holds.
    #[serde(default)]
    pub held_elsewhere: u32,
    /// Its tags.
    #[serde(default)]
    pub tags: BTreeMap<String, String>,
}

/// An image.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ImageSpec {
    /// Its id.
    pub id: String,
    /// Its name.
    #[serde(default)]
    pub name: Option<String>,
    /// The kubelet in it (`1.34.2`); without one no node comes of it.
    #[serde(default)]
    pub kubelet: Option<String>,
    /// `x86_64`, `arm64`.
    #[serde(default = "x86")]
    pub architecture: String,
    /// A parameter of SSM that names it.
    #[serde(default)]
    pub parameter: Option<String>,
}

fn x86() -> String {
    "x86_64".to_owned()
}

/// A cluster.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ClusterSpec {
    /// Its name.
    pub name: String,
    /// Its minor: `1.34`.
    pub version: KubeMinor,
    /// The minor that it was created at; without it, the one before.
    #[serde(default)]
    pub created_version: Option<KubeMinor>,
    /// How many hours ago its last upgrade ended; without it there was none that could be taken back.
    #[serde(default)]
    pub upgraded_hours_ago: Option<u32>,
    /// Whether EKS made that upgrade, at the end of extended support.
    #[serde(default)]
    pub upgrade_was_forced: bool,
    /// `STANDARD` or `EXTENDED`.
    #[serde(default)]
    pub upgrade_policy: UpgradePolicy,
    /// Where EKS puts its network interfaces; without it, all subnets.
    #[serde(default)]
    pub subnets: BTreeSet<String>,
    /// The security groups that it was made with.
    #[serde(default)]
    pub security_groups: BTreeSet<String>,
    /// Whether EKS Auto Mode makes its nodes.
    #[serde(default)]
    pub auto_mode: bool,
    /// Its add-ons.
    #[serde(default)]
    pub addons: Vec<AddonSpec>,
    /// Its managed node groups.
    #[serde(default)]
    pub node_groups: Vec<NodegroupSpec>,
    /// Its Fargate profiles.
    #[serde(default)]
    pub fargate_profiles: Vec<FargateSpec>,
    /// Whom it lets in: the ARNs of roles, with their groups in Kubernetes.
    #[serde(default)]
    pub access_entries: BTreeMap<String, BTreeSet<String>>,
    /// Deprecated APIs that EKS sees in use.
    #[serde(default)]
    pub deprecated_apis: Vec<DeprecatedUse>,
    /// Its tags.
    #[serde(default)]
    pub tags: BTreeMap<String, String>,
}

/// What EKS does at the end of standard support.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum UpgradePolicy {
    /// It upgrades the control plane.
    Standard,
    /// It goes on, for money.
    #[default]
    Extended,
}

/// An add-on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AddonSpec {
    /// Its name.
    pub name: String,
    /// Its version; without it, EKS's default for the cluster's minor.
    #[serde(default)]
    pub version: Option<String>,
    /// Its settings.
    #[serde(default)]
    pub configuration_values: Option<String>,
    /// Its role, by IRSA.
    #[serde(default)]
    pub service_account_role_arn: Option<String>,
    /// Somebody else has changed a field that EKS manages.
    #[serde(default)]
    pub changed_by_others: bool,
    /// Its tags.
    #[serde(default)]
    pub tags: BTreeMap<String, String>,
}

/// A managed node group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NodegroupSpec {
    /// Its name.
    pub name: String,
    /// The minor of its nodes; without it, the cluster's.
    #[serde(default)]
    pub version: Option<KubeMinor>,
    /// The AMI type.
    #[serde(default = "al2023")]
    pub ami_type: String,
    /// The instance type.
    #[serde(default = "large")]
    pub instance_type: String,
    /// At least so many nodes.
    pub min: u32,
    /// At most so many.
    pub max: u32,
    /// So many now.
    pub desired: u32,
    /// Its subnets; without it, all.
    #[serde(default)]
    pub subnets: BTreeSet<String>,
    /// How many nodes may be out at a time.
    #[serde(default)]
    pub max_unavailable: Option<u32>,
    /// The same, in percent.
    #[serde(default)]
    pub max_unavailable_percentage: Option<u32>,
    /// Old nodes first (`MINIMAL`).
    #[serde(default)]
    pub minimal: bool,
    /// Its nodes run the release before the newest.
    #[serde(default)]
    pub outdated: bool,
    /// Labels of its nodes.
    #[serde(default)]
    pub labels: BTreeMap<String, String>,
    /// Taints of its nodes, as `key=value:NO_SCHEDULE`.
    #[serde(default)]
    pub taints: Vec<String>,
    /// A launch template of one's own.
    #[serde(default)]
    pub launch_template: Option<GroupTemplate>,
    /// Its tags.
    #[serde(default)]
    pub tags: BTreeMap<String, String>,
}

fn al2023() -> String {
    "AL2023_x86_64_STANDARD".to_owned()
}

fn large() -> String {
    "m7i.large".to_owned()
}

/// A Fargate profile.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct FargateSpec {
    /// Its name.
    pub name: String,
    /// The namespace of its Pods.
    pub namespace: String,
    /// Labels that its Pods have.
    #[serde(default)]
    pub labels: BTreeMap<String, String>,
}

/// A launch template.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TemplateSpec {
    /// Its name.
    pub name: String,
    /// The number of its default version; without it, 1.
    #[serde(default)]
    pub default_version: Option<u64>,
    /// Its versions, the first one first.
    pub versions: Vec<TemplateVersionSpec>,
}

/// A version of a launch template.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub struct TemplateVersionSpec {
    /// The image: an id, or `resolve:ssm:PARAMETER`.
    pub image: Option<String>,
    /// Or the EKS optimised image of an AMI type …
    pub ami_type: Option<String>,
    /// … for this minor.
    pub kubernetes: Option<KubeMinor>,
    /// The release before the newest of it.
    pub outdated: bool,
    /// The type; without it (and without overrides in the group) `m7i.large`.
    pub instance_type: Option<String>,
    /// User data; without it, that of a node of the group's cluster.
    pub user_data: Option<String>,
    /// The key pair.
    pub key_name: Option<String>,
    /// The security groups, by id.
    pub security_groups: BTreeSet<String>,
    /// The instance profile.
    pub instance_profile: Option<String>,
    /// `spot`.
    pub market: Option<String>,
}

impl Scenario {
    /// Reads a scenario. Keys that nobody knows are errors, with their line and with those that are allowed.
    pub fn parse(text: &str) -> Result<Self, ScenarioError> {
        let document = serde_yaml::Deserializer::from_str(text);
        let scenario = Self::deserialize(document)?;
        strict::check(&scenario, text)?;
        Ok(scenario)
    }

    /// The world that it describes, at its beginning.
    pub fn world(&self) -> Result<crate::World, ScenarioError> {
        build::world(self, place::Text(""))
    }
}

impl crate::World {
    /// The world that a scenario describes, at its beginning: instances run, nodes have joined, hooks, faults and events are armed.
    pub fn from_scenario(text: &str) -> Result<Self, ScenarioError> {
        build::world(&Scenario::parse(text)?, place::Text(text))
    }
}
