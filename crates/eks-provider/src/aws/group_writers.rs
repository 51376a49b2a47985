//! Changes of Auto Scaling groups and of their instances.

use std::collections::{BTreeMap, BTreeSet};

use crate::aws::{GroupTag, LaunchTemplateRef, LifecycleResult, ScalingActivity, ScalingProcess};
use crate::calls::provider;
use crate::text::words;
use crate::{Result, Token};

words! {
    /// What Auto Scaling does when LaunchInstances finds no capacity.
    pub enum LaunchRetryStrategy {
        /// Says so.
        None = "none",
        /// Says so, and goes on in the background with all zones and types of the group.
        RetryWithGroupConfiguration = "retry-with-group-configuration",
    }
}

/// What UpdateAutoScalingGroup is asked for. `None` leaves a thing as it is.
///
/// The desired capacity is not among it: it is never set in a call that sets something else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UpdateAutoScalingGroup {
    /// The group.
    pub group: String,
    /// What it starts instances from.
    pub launch: Option<LaunchChange>,
    /// At least so many instances.
    pub min_size: Option<u32>,
    /// At most so many.
    pub max_size: Option<u32>,
    /// Whether new instances are protected from scale-in.
    pub new_instances_protected_from_scale_in: Option<bool>,
}

impl UpdateAutoScalingGroup {
    /// An update that changes nothing yet.
    pub fn of(group: impl Into<String>) -> Self {
        Self {
            group: group.into(),
            launch: None,
            min_size: None,
            max_size: None,
            new_instances_protected_from_scale_in: None,
        }
    }
}

/// A change of what a group starts instances from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LaunchChange {
    /// Set the group's launch template. For a group that has one, or a launch configuration.
    Template(LaunchTemplateRef),
    /// Set launch templates within the group's mixed instances policy, and leave everything else
    /// of the policy as it is. AWS takes a policy only as a whole: the adapter reads the present
    /// one, types that this crate does not model included, and sends it with these references
    /// replaced.
    Mixed {
        /// The policy's own template; `None` leaves it.
        base: Option<LaunchTemplateRef>,
        /// The templates of overrides, by their place in the list (0 is the first).
        overrides: BTreeMap<usize, LaunchTemplateRef>,
    },
}

/// What LaunchInstances is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LaunchInstances {
    /// The group.
    pub group: String,
    /// In which zone, by name.
    pub availability_zone: String,
    /// In which of the group's subnets; `None` leaves it to Auto Scaling.
    pub subnet_id: Option<String>,
    /// How many.
    pub count: u32,
    /// What to do when there is no capacity.
    pub retry_strategy: LaunchRetryStrategy,
    /// Makes the call safe to repeat.
    pub token: Token,
}

/// What LaunchInstances answers: instances that were started, and what could not be.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LaunchOutcome {
    /// The ids, sorted.
    pub instance_ids: BTreeSet<String>,
    /// What could not be started.
    pub errors: Vec<LaunchError>,
}

/// Why instances could not be started.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LaunchError {
    /// EC2's code: `InsufficientInstanceCapacity`.
    pub code: String,
    /// EC2's sentence.
    pub message: Option<String>,
    /// The type that was tried.
    pub instance_type: Option<String>,
    /// The zone that was tried.
    pub availability_zone: Option<String>,
    /// The subnet that was tried.
    pub subnet_id: Option<String>,
    /// `on-demand` or `spot`.
    pub market: Option<String>,
}

/// What TerminateInstanceInAutoScalingGroup is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TerminateInstance {
    /// The instance.
    pub instance_id: String,
    /// Its group, as an error has it; AWS finds it by the instance.
    pub group: String,
    /// Whether the desired capacity falls by one, so that no other instance takes its place.
    pub decrement_desired_capacity: bool,
}

/// An instance that a hook holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LifecycleAction {
    /// The group.
    pub group: String,
    /// The hook.
    pub hook: String,
    /// The instance.
    pub instance_id: String,
}

provider! {
    /// Changes Auto Scaling groups.
    #[access(Write)]
    pub trait AutoScalingGroupWriter {
        /// Changes settings. Sets values, so it is safe to repeat.
        #[iam(
            "autoscaling:UpdateAutoScalingGroup",
            "autoscaling:DescribeAutoScalingGroups" if "the request changes a mixed instances policy",
            "ec2:RunInstances" if "the request changes the launch template",
            "iam:PassRole" if "the launch template names an instance profile",
        )]
        async fn update_auto_scaling_group(&self, request: &UpdateAutoScalingGroup) -> Result<()>;

        /// Sets the desired capacity, without heed to cooldowns. An absolute value: what somebody
        /// else set meanwhile is lost. Never to be called with less than the group has.
        #[iam("autoscaling:SetDesiredCapacity")]
        async fn set_desired_capacity(&self, group: &str, desired_capacity: u32) -> Result<()>;

        /// Suspends processes. Those that are suspended already stay so. An empty set suspends none
        /// (the service would take it for all: the adapter makes no call).
        #[iam("autoscaling:SuspendProcesses")]
        async fn suspend_processes(&self, group: &str, processes: &BTreeSet<ScalingProcess>) -> Result<()>;

        /// Resumes processes. Those that are not suspended stay so. An empty set resumes nothing
        /// (the service would take it for all: the adapter makes no call).
        #[iam("autoscaling:ResumeProcesses")]
        async fn resume_processes(&self, group: &str, processes: &BTreeSet<ScalingProcess>) -> Result<()>;

        /// Sets tags, and leaves others as they are. A group has 50 tags at most, a value 256 characters.
        #[iam("autoscaling:CreateOrUpdateTags")]
        async fn create_or_update_tags(&self, group: &str, tags: &BTreeMap<String, GroupTag>) -> Result<()>;

        /// Takes the tags of these keys away. One that is not there is no error.
        #[iam("autoscaling:DeleteTags")]
        async fn delete_tags(&self, group: &str, keys: &BTreeSet<String>) -> Result<()>;
    }
}

provider! {
    /// Starts, protects and terminates instances of Auto Scaling groups.
    #[access(Write)]
    pub trait AutoScalingInstanceWriter {
        /// Starts instances in one zone at once, and raises the desired capacity by their number. What
        /// there is no capacity for is in the answer, not an error. For groups with a launch template,
        /// or with a mixed instances policy that is all on demand or all spot.
        #[iam(
            "autoscaling:LaunchInstances",
            "ec2:CreateFleet",
            "ec2:RunInstances",
            "ec2:CreateTags" if "the launch template has tags",
            "ec2:DescribeLaunchTemplateVersions",
            "iam:PassRole" if "the launch template names an instance profile",
        )]
        async fn launch_instances(&self, request: &LaunchInstances) -> Result<LaunchOutcome>;

        /// Terminates an instance, in spite of protection from scale-in. Not for instances in a
        /// warm pool. The service takes no token: with a decrement a second call is not the same
        /// as one ([`Repeat::Unsafe`](crate::Repeat::Unsafe)).
        #[iam("autoscaling:TerminateInstanceInAutoScalingGroup")]
        async fn terminate_instance_in_auto_scaling_group(
            &self,
            request: &TerminateInstance,
        ) -> Result<ScalingActivity>;

        /// Protects instances from scale-in, or no longer. The adapter sends them fifty at a time; a
        /// failure may leave some done.
        #[iam("autoscaling:SetInstanceProtection")]
        async fn set_instance_protection(
            &self,
            group: &str,
            instance_ids: &BTreeSet<String>,
            protected_from_scale_in: bool,
        ) -> Result<()>;

        /// Takes an instance out of service and keeps it in the group. With a decrement, the desired capacity
        /// falls by one.
        #[iam("autoscaling:EnterStandby")]
        async fn enter_standby(
            &self,
            group: &str,
            instance_id: &str,
            decrement_desired_capacity: bool,
        ) -> Result<Vec<ScalingActivity>>;

        /// Puts an instance back into service; the desired capacity rises by one.
        #[iam("autoscaling:ExitStandby")]
        async fn exit_standby(&self, group: &str, instance_id: &str) -> Result<Vec<ScalingActivity>>;

        /// Answers a hook.
        #[iam("autoscaling:CompleteLifecycleAction")]
        async fn complete_lifecycle_action(
            &self,
            action: &LifecycleAction,
            result: &LifecycleResult,
        ) -> Result<()>;

        /// Asks a hook to go on waiting.
        #[iam("autoscaling:RecordLifecycleActionHeartbeat")]
        async fn record_lifecycle_action_heartbeat(&self, action: &LifecycleAction) -> Result<()>;
    }
}
