//! Auto Scaling groups and target groups in a scenario.

use std::collections::{BTreeMap, BTreeSet};

use eks_provider::aws::ScalingProcess;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// An Auto Scaling group of one's own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SelfManagedGroup {
    /// Its name.
    pub name: String,
    /// The cluster that its instances join.
    #[serde(default)]
    pub cluster: Option<String>,
    /// What it starts instances from.
    pub launch_template: GroupTemplate,
    /// Several types, or a share of spot instances.
    #[serde(default)]
    pub mixed: Option<MixedSpec>,
    /// At least so many instances.
    pub min: u32,
    /// At most so many.
    pub max: u32,
    /// So many now.
    pub desired: u32,
    /// What runs already, where that is not what it starts now; what is missing to `desired` is started from its template.
    #[serde(default)]
    pub instances: Vec<InstancesSpec>,
    /// Its subnets; without it, all.
    #[serde(default)]
    pub subnets: Vec<String>,
    /// Labels that its kubelets register with.
    #[serde(default)]
    pub labels: BTreeMap<String, String>,
    /// Taints that its kubelets register with, as `key=value:NoSchedule`.
    #[serde(default)]
    pub taints: Vec<String>,
    /// `EC2`, `ELB`, …
    #[serde(default)]
    pub health_check_type: Option<String>,
    /// For how long after its start an instance is not asked.
    #[serde(default)]
    pub health_check_grace_seconds: u64,
    /// Whether new instances are protected from scale-in.
    #[serde(default)]
    pub new_instances_protected: bool,
    /// Processes that are suspended.
    #[serde(default)]
    pub suspended_processes: BTreeSet<ScalingProcess>,
    /// Which instance goes first: `Default`, `OldestInstance`, …
    #[serde(default)]
    pub termination_policies: Vec<String>,
    /// After how long every instance is replaced.
    #[serde(default)]
    pub max_instance_lifetime_seconds: Option<u64>,
    /// `balanced-best-effort`, `balanced-only`.
    #[serde(default)]
    pub zone_distribution: Option<String>,
    /// `retain`: an instance whose termination hook gives up is kept.
    #[serde(default)]
    pub terminate_hook_abandon: Option<String>,
    /// Who alone may change it.
    #[serde(default)]
    pub operator: Option<String>,
    /// The target groups that it is attached to, by name.
    #[serde(default)]
    pub target_groups: BTreeSet<String>,
    /// Its lifecycle hooks.
    #[serde(default)]
    pub hooks: Vec<HookSpec>,
    /// Its scheduled actions.
    #[serde(default)]
    pub scheduled_actions: Vec<ScheduledActionSpec>,
    /// Its warm pool.
    #[serde(default)]
    pub warm_pool: Option<WarmPoolSpec>,
    /// Its tags; instances get them.
    #[serde(default)]
    pub tags: BTreeMap<String, String>,
}

/// Which launch template, and which version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct GroupTemplate {
    /// Its name.
    pub name: String,
    /// `$Default`, `$Latest`, or a number.
    #[serde(default = "default_version")]
    pub version: String,
}

fn default_version() -> String {
    "$Default".to_owned()
}

/// Instances that run already.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct InstancesSpec {
    /// In which zone.
    pub zone: String,
    /// How many.
    #[serde(default = "one")]
    pub count: u32,
    /// The version of the group's template that they were started from; without it, the group's own.
    #[serde(default)]
    pub version: Option<String>,
    /// Their type; without it, the template's.
    #[serde(default)]
    pub instance_type: Option<String>,
    /// They are of spot.
    #[serde(default)]
    pub spot: bool,
    /// They are protected from scale-in.
    #[serde(default)]
    pub protected: bool,
    /// They are on standby, beyond `desired`.
    #[serde(default)]
    pub standby: bool,
}

fn one() -> u32 {
    1
}

/// Several types, or a share of spot instances.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct MixedSpec {
    /// The types, in the order of preference.
    #[serde(default)]
    pub overrides: Vec<MixedOverride>,
    /// How many are on demand whatever else holds.
    #[serde(default)]
    pub on_demand_base: u32,
    /// The share of those beyond that is on demand, in percent.
    #[serde(default = "hundred")]
    pub on_demand_percentage: u32,
}

fn hundred() -> u32 {
    100
}

/// What differs for an instance type.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct MixedOverride {
    /// The type.
    pub instance_type: String,
    /// A launch template of its own.
    #[serde(default)]
    pub launch_template: Option<GroupTemplate>,
    /// How much of the capacity it counts for.
    #[serde(default)]
    pub weight: Option<u32>,
}

/// A lifecycle hook.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct HookSpec {
    /// Its name.
    pub name: String,
    /// Whether it holds instances that go; otherwise those that come.
    #[serde(default)]
    pub terminating: bool,
    /// For how long: 30 to 7200 seconds.
    #[serde(default = "hour")]
    pub heartbeat_seconds: u64,
    /// What happens then: it goes on; otherwise it is given up.
    #[serde(default)]
    pub continues: bool,
}

fn hour() -> u64 {
    3600
}

/// A change of the size at set times.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ScheduledActionSpec {
    /// Its name.
    pub name: String,
    /// When, for the first time.
    #[serde(default)]
    pub start: Option<Timestamp>,
    /// How often, in five fields of cron, UTC.
    #[serde(default)]
    pub recurrence: Option<String>,
    /// The new minimum.
    #[serde(default)]
    pub min: Option<u32>,
    /// The new maximum.
    #[serde(default)]
    pub max: Option<u32>,
    /// The new desired capacity.
    #[serde(default)]
    pub desired: Option<u32>,
}

/// A warm pool.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct WarmPoolSpec {
    /// At least so many instances.
    #[serde(default)]
    pub min: u32,
    /// At most so many, with those in service.
    #[serde(default)]
    pub max_prepared: Option<u32>,
    /// They run; otherwise they are stopped.
    #[serde(default)]
    pub running: bool,
    /// Instances go back into it at a scale-in.
    #[serde(default)]
    pub reuse_on_scale_in: bool,
}

/// A target group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TargetGroupSpec {
    /// Its name.
    pub name: String,
    /// For how long a target may end what is open.
    #[serde(default = "five_minutes")]
    pub deregistration_delay_seconds: u64,
}

fn five_minutes() -> u64 {
    300
}
