//! Auto Scaling groups and their instances, and what Auto Scaling has done to them.

use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::Timestamp;

use crate::Result;
use crate::aws::{LaunchTemplateRef, WarmPoolConfiguration};
use crate::calls::provider;
use crate::text::words;

words! {
    /// Where an instance is in its life in a group.
    pub enum LifecycleState {
        /// Being started.
        Pending = "Pending",
        /// Started; a hook has not answered yet.
        PendingWait = "Pending:Wait",
        /// Started; the hook has answered.
        PendingProceed = "Pending:Proceed",
        /// Quarantined.
        Quarantined = "Quarantined",
        /// At work.
        InService = "InService",
        /// Being terminated.
        Terminating = "Terminating",
        /// To be terminated; a hook has not answered yet.
        TerminatingWait = "Terminating:Wait",
        /// To be terminated; the hook has answered.
        TerminatingProceed = "Terminating:Proceed",
        /// To be terminated, and kept since a hook gave up (instance lifecycle policy).
        TerminatingRetained = "Terminating:Retained",
        /// Gone.
        Terminated = "Terminated",
        /// Leaving the group.
        Detaching = "Detaching",
        /// Has left the group.
        Detached = "Detached",
        /// Going into standby.
        EnteringStandby = "EnteringStandby",
        /// In the group and not at work.
        Standby = "Standby",
        /// Its root volume is being replaced.
        ReplacingRootVolume = "ReplacingRootVolume",
        /// Its root volume is to be replaced; a hook has not answered yet.
        ReplacingRootVolumeWait = "ReplacingRootVolume:Wait",
        /// Its root volume is to be replaced; the hook has answered.
        ReplacingRootVolumeProceed = "ReplacingRootVolume:Proceed",
        /// Its root volume was replaced.
        RootVolumeReplaced = "RootVolumeReplaced",
        /// In the warm pool, being started.
        WarmedPending = "Warmed:Pending",
        /// In the warm pool, started; a hook has not answered yet.
        WarmedPendingWait = "Warmed:Pending:Wait",
        /// In the warm pool, started; the hook has answered.
        WarmedPendingProceed = "Warmed:Pending:Proceed",
        /// In the warm pool, kept since a hook gave up.
        WarmedPendingRetained = "Warmed:Pending:Retained",
        /// In the warm pool, running.
        WarmedRunning = "Warmed:Running",
        /// In the warm pool, stopped.
        WarmedStopped = "Warmed:Stopped",
        /// In the warm pool, hibernated.
        WarmedHibernated = "Warmed:Hibernated",
        /// Being terminated from the warm pool.
        WarmedTerminating = "Warmed:Terminating",
        /// To be terminated from the warm pool; a hook has not answered yet.
        WarmedTerminatingWait = "Warmed:Terminating:Wait",
        /// To be terminated from the warm pool; the hook has answered.
        WarmedTerminatingProceed = "Warmed:Terminating:Proceed",
        /// To be terminated from the warm pool, kept since a hook gave up.
        WarmedTerminatingRetained = "Warmed:Terminating:Retained",
        /// Gone from the warm pool.
        WarmedTerminated = "Warmed:Terminated",
    }
}

impl LifecycleState {
    /// Whether the instance is in the warm pool.
    pub fn is_warmed(&self) -> bool {
        self.as_str().starts_with("Warmed:")
    }

    /// Whether the instance is on its way out, or out, of the group proper: it must never be
    /// terminated again. A state that
    /// is not known is judged by its first word.
    pub fn is_leaving(&self) -> bool {
        ["Terminating", "Terminated", "Detaching", "Detached"]
            .iter()
            .any(|word| self.as_str().split(':').next() == Some(word))
    }
}

words! {
    /// How far an activity is.
    pub enum ActivityStatus {
        /// A spot request is being placed.
        PendingSpotBidPlacement = "PendingSpotBidPlacement",
        /// Waiting for a spot request.
        WaitingForSpotInstanceRequestId = "WaitingForSpotInstanceRequestId",
        /// Waiting for a spot instance.
        WaitingForSpotInstanceId = "WaitingForSpotInstanceId",
        /// Waiting for an instance.
        WaitingForInstanceId = "WaitingForInstanceId",
        /// Before service.
        PreInService = "PreInService",
        /// Under way.
        InProgress = "InProgress",
        /// Waiting for connections to a Classic Load Balancer to end.
        WaitingForElbConnectionDraining = "WaitingForELBConnectionDraining",
        /// Waiting for a hook.
        MidLifecycleAction = "MidLifecycleAction",
        /// Waiting for the warm-up to end.
        WaitingForInstanceWarmup = "WaitingForInstanceWarmup",
        /// Waiting for connections to end.
        WaitingForConnectionDraining = "WaitingForConnectionDraining",
        /// An update in place is under way.
        InPlaceUpdateInProgress = "InPlaceUpdateInProgress",
        /// An update in place is about to begin.
        WaitingForInPlaceUpdateToStart = "WaitingForInPlaceUpdateToStart",
        /// An update in place is about to end.
        WaitingForInPlaceUpdateToFinalize = "WaitingForInPlaceUpdateToFinalize",
        /// Done.
        Successful = "Successful",
        /// Not done.
        Failed = "Failed",
        /// Given up.
        Cancelled = "Cancelled",
    }
}

words! {
    /// A process of a group that can be suspended.
    pub enum ScalingProcess {
        /// Starting instances.
        Launch = "Launch",
        /// Terminating instances.
        Terminate = "Terminate",
        /// Attaching to load balancers.
        AddToLoadBalancer = "AddToLoadBalancer",
        /// Acting on alarms.
        AlarmNotification = "AlarmNotification",
        /// Balancing zones: it terminates healthy instances.
        AzRebalance = "AZRebalance",
        /// Looking after health.
        HealthCheck = "HealthCheck",
        /// Going on with instance refreshes.
        InstanceRefresh = "InstanceRefresh",
        /// Replacing unhealthy instances.
        ReplaceUnhealthy = "ReplaceUnhealthy",
        /// Acting at set times.
        ScheduledActions = "ScheduledActions",
    }
}

/// Which groups are asked for. The default asks for all of the account in the region.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AutoScalingGroupQuery {
    /// Only of these names; `None` is all. Those that are not there are left out.
    pub names: Option<BTreeSet<String>>,
    /// Only with all of these tags: any of the values, or, where there are none, any value.
    pub tags: BTreeMap<String, Vec<String>>,
}

impl AutoScalingGroupQuery {
    /// The group of this name.
    pub fn named(name: impl Into<String>) -> Self {
        Self { names: Some([name.into()].into()), ..Self::default() }
    }
}

/// An Auto Scaling group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AutoScalingGroup {
    /// Its name.
    pub name: String,
    /// Its ARN.
    pub arn: String,
    /// When it was made.
    pub created_at: Option<Timestamp>,
    /// What it starts instances from.
    pub launch: LaunchSource,
    /// At least so many instances.
    pub min_size: u32,
    /// At most so many.
    pub max_size: u32,
    /// So many are asked for now.
    pub desired_capacity: u32,
    /// What capacity counts: `units` (instances), `vcpu`, `memory-mib`; `None` is units.
    pub desired_capacity_type: Option<String>,
    /// Its zones, by name.
    pub availability_zones: BTreeSet<String>,
    /// Its subnets, in the order that they were given.
    pub subnet_ids: Vec<String>,
    /// Its instances, with those in the warm pool left out, sorted by id.
    pub instances: Vec<AutoScalingInstance>,
    /// What makes an instance unhealthy: `EC2`, `ELB`, `EBS`, `VPC_LATTICE`; several may be joined by commas.
    pub health_check_type: Option<String>,
    /// For how long after its start an instance is not asked for its health.
    pub health_check_grace_period: Option<Duration>,
    /// Whether new instances are protected from scale-in.
    pub new_instances_protected_from_scale_in: bool,
    /// The processes that are suspended, with the reason.
    pub suspended_processes: BTreeMap<ScalingProcess, Option<String>>,
    /// Which instance goes first at a scale-in.
    pub termination_policies: Vec<String>,
    /// After how long every instance is replaced.
    pub max_instance_lifetime: Option<Duration>,
    /// How long a new instance counts as not yet warm.
    pub default_instance_warmup: Option<Duration>,
    /// Whether spot instances at risk are replaced before they are lost.
    pub capacity_rebalance: bool,
    /// How many instances may be missing or too many during replacements, in percent: minimum, maximum.
    pub instance_maintenance_policy: Option<(u32, u32)>,
    /// Its warm pool.
    pub warm_pool: Option<WarmPoolConfiguration>,
    /// How many instances are in the warm pool.
    pub warm_pool_size: Option<u32>,
    /// The Classic Load Balancers that it is attached to, by name.
    pub load_balancer_names: BTreeSet<String>,
    /// The target groups that it is attached to.
    pub target_group_arns: BTreeSet<String>,
    /// Its placement group.
    pub placement_group: Option<String>,
    /// The role that Auto Scaling works with.
    pub service_linked_role_arn: Option<String>,
    /// `balanced-best-effort` or `balanced-only`: how strictly zones are kept equal.
    pub zone_distribution: Option<String>,
    /// Whether traffic is shifted away from an impaired zone, and instances with it.
    pub zonal_shift_enabled: Option<bool>,
    /// `none`, `prevent-force-deletion`, `prevent-all-deletion`.
    pub deletion_protection: Option<String>,
    /// Whether an instance is kept when its termination hook gives up: `retain`, `terminate`.
    pub terminate_hook_abandon: Option<String>,
    /// Who alone may change it: calls of all others are refused.
    pub operator: Option<String>,
    /// What it is doing, while it is being deleted: `Delete in progress`.
    pub status: Option<String>,
    /// Its tags.
    pub tags: BTreeMap<String, GroupTag>,
}

/// A tag of a group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GroupTag {
    /// Its value.
    pub value: String,
    /// Whether instances get it.
    pub propagate_at_launch: bool,
}

/// What a group starts instances from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum LaunchSource {
    /// A launch configuration, the old way.
    Configuration(String),
    /// A launch template.
    Template(LaunchTemplateRef),
    /// A launch template with several instance types, or with a share of spot instances.
    Mixed(MixedInstancesPolicy),
    /// Neither is said: instances were attached by hand.
    Unstated,
}

/// Several instance types, or a share of spot instances.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct MixedInstancesPolicy {
    /// The launch template.
    pub template: LaunchTemplateRef,
    /// What differs by instance type, in the order of preference.
    pub overrides: Vec<LaunchTemplateOverride>,
    /// How many instances are on demand whatever else holds.
    pub on_demand_base_capacity: u32,
    /// The share of those beyond that is on demand, in percent.
    pub on_demand_percentage_above_base: u32,
    /// Which type is taken on demand: `prioritized`, `lowest-price`.
    pub on_demand_allocation_strategy: Option<String>,
    /// Which type is taken of spot: `capacity-optimized`, `price-capacity-optimized`, …
    pub spot_allocation_strategy: Option<String>,
}

/// What differs for an instance type.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LaunchTemplateOverride {
    /// The type; `None` where attributes are asked for instead.
    pub instance_type: Option<String>,
    /// Whether attributes are asked for (numbers of CPUs, memory) instead of a type.
    pub attribute_based: bool,
    /// How much of the capacity an instance counts for.
    pub weighted_capacity: Option<u32>,
    /// A launch template of its own.
    pub template: Option<LaunchTemplateRef>,
    /// An image of its own.
    pub image_id: Option<String>,
}

/// An instance, as its group has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AutoScalingInstance {
    /// Its id.
    pub instance_id: String,
    /// Its group.
    pub group: String,
    /// Its type.
    pub instance_type: Option<String>,
    /// Its zone, by name.
    pub availability_zone: String,
    /// Where it is in its life.
    pub lifecycle_state: LifecycleState,
    /// `Healthy` or `Unhealthy`, as the group sees it.
    pub health_status: String,
    /// The launch configuration that it was started from.
    pub launch_configuration: Option<String>,
    /// The launch template that it was started from; the version is a number.
    pub launch_template: Option<LaunchTemplateRef>,
    /// The image that it was started from, where the group says so.
    pub image_id: Option<String>,
    /// Whether it is protected from scale-in.
    pub protected_from_scale_in: bool,
    /// How much of the capacity it counts for.
    pub weighted_capacity: Option<u32>,
}

/// Something that Auto Scaling has done, or does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ScalingActivity {
    /// Its id.
    pub id: String,
    /// The group.
    pub group: String,
    /// What: `Launching a new EC2 instance: i-0a1`.
    pub description: String,
    /// Why, with the old and the new desired capacity where that was it.
    pub cause: String,
    /// When it started.
    pub start_time: Timestamp,
    /// When it ended.
    pub end_time: Option<Timestamp>,
    /// How far it is.
    pub status: ActivityStatus,
    /// What went wrong.
    pub status_message: Option<String>,
    /// How far it is, in percent.
    pub progress: Option<u32>,
    /// More, as JSON text: subnet, zone.
    pub details: Option<String>,
}

impl ScalingActivity {
    /// The instance that the description names.
    ///
    /// ```
    /// # use eks_provider::aws::{ActivityStatus, ScalingActivity};
    /// # let activity = |description: &str| ScalingActivity {
    /// #     id: String::new(), group: String::new(), description: description.to_owned(),
    /// #     cause: String::new(), start_time: Default::default(), end_time: None, status: ActivityStatus::InProgress,
    /// #     status_message: None, progress: None, details: None,
    /// # };
    /// let launch = activity("Launching a new EC2 instance: i-0a1b2c3d4e5f60718");
    /// assert_eq!(launch.instance_id(), Some("i-0a1b2c3d4e5f60718"));
    /// let failed = activity("Launching a new EC2 instance.  Status Reason: no capacity in eu-west-1a");
    /// assert_eq!(failed.instance_id(), None);
    /// ```
    pub fn instance_id(&self) -> Option<&str> {
        self.description.split(|c: char| !c.is_ascii_alphanumeric() && c != '-').find(|word| {
            word.strip_prefix("i-")
                .is_some_and(|id| !id.is_empty() && id.bytes().all(|b| b.is_ascii_hexdigit()))
        })
    }
}

provider! {
    /// Reads Auto Scaling groups and their instances.
    #[access(Read)]
    pub trait AutoScalingGroupReader {
        /// The groups that are asked for, with their instances, sorted by name. Groups that AWS
        /// services operate are among them.
        #[iam("autoscaling:DescribeAutoScalingGroups")]
        async fn describe_auto_scaling_groups(
            &self,
            query: &AutoScalingGroupQuery,
        ) -> Result<Vec<AutoScalingGroup>>;

        /// Instances by id, whatever their group, also in warm pools, sorted by id. Those that are in
        /// no group are left out.
        #[iam("autoscaling:DescribeAutoScalingInstances")]
        async fn describe_auto_scaling_instances(
            &self,
            instance_ids: &[String],
        ) -> Result<Vec<AutoScalingInstance>>;

        /// What was done to a group, the newest first, back to a moment (of the start of the activity).
        /// AWS keeps six weeks.
        #[iam("autoscaling:DescribeScalingActivities")]
        async fn describe_scaling_activities(
            &self,
            group: &str,
            since: Timestamp,
        ) -> Result<Vec<ScalingActivity>>;
    }
}

#[cfg(test)]
mod tests {
    use super::LifecycleState;

    #[test]
    fn states_are_sorted_into_leaving_and_warmed_with_none_forgotten() {
        let leaving = [
            "Terminating",
            "Terminating:Wait",
            "Terminating:Proceed",
            "Terminating:Retained",
            "Terminated",
            "Detaching",
            "Detached",
        ];
        for state in LifecycleState::KNOWN {
            let lifecycle = LifecycleState::from(*state);
            assert_eq!(lifecycle.is_leaving(), leaving.contains(state), "{state}");
            assert_eq!(lifecycle.is_warmed(), state.starts_with("Warmed"), "{state}");
        }
        assert!(LifecycleState::from("Terminating:SomethingNew").is_leaving());
        assert!(!LifecycleState::from("TerminatingSoon").is_leaving());
    }
}
