//! What is set up beside an Auto Scaling group and can act on its instances: hooks, warm pool,
//! instance refreshes, scheduled actions, policies, load balancers, launch configurations.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;

use crate::aws::{AutoScalingInstance, LaunchSource};
use crate::calls::provider;
use crate::text::words;
use crate::{Result, Sensitive};

words! {
    /// The state that instances of a warm pool wait in, in the words of EKS. Auto Scaling writes the same
    /// words as `Stopped`: the adapter writes them large.
    pub enum WarmPoolState {
        /// Stopped.
        Stopped = "STOPPED",
        /// Running.
        Running = "RUNNING",
        /// Hibernated.
        Hibernated = "HIBERNATED",
    }
}

words! {
    /// How far an instance refresh is.
    pub enum InstanceRefreshStatus {
        /// Taken, not begun.
        Pending = "Pending",
        /// Under way.
        InProgress = "InProgress",
        /// Done.
        Successful = "Successful",
        /// Not done.
        Failed = "Failed",
        /// Being given up.
        Cancelling = "Cancelling",
        /// Given up.
        Cancelled = "Cancelled",
        /// Being undone.
        RollbackInProgress = "RollbackInProgress",
        /// Could not be undone.
        RollbackFailed = "RollbackFailed",
        /// Undone.
        RollbackSuccessful = "RollbackSuccessful",
        /// Done; the result is being watched.
        Baking = "Baking",
    }
}

impl InstanceRefreshStatus {
    /// Whether it may still replace instances. One that is not known may.
    pub fn is_active(&self) -> bool {
        match self {
            Self::Successful
            | Self::Failed
            | Self::Cancelled
            | Self::RollbackFailed
            | Self::RollbackSuccessful => false,
            Self::Pending
            | Self::InProgress
            | Self::Cancelling
            | Self::RollbackInProgress
            | Self::Baking
            | Self::Other(_) => true,
        }
    }
}

words! {
    /// When a hook holds an instance.
    pub enum LifecycleTransition {
        /// After its start, before service.
        Launching = "autoscaling:EC2_INSTANCE_LAUNCHING",
        /// Before its end.
        Terminating = "autoscaling:EC2_INSTANCE_TERMINATING",
    }
}

words! {
    /// What becomes of an instance when a hook answers, or does not.
    pub enum LifecycleResult {
        /// Go on.
        Continue = "CONTINUE",
        /// Give up: a new instance is terminated; one that ends, ends without the other hooks.
        Abandon = "ABANDON",
    }
}

/// A lifecycle hook.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LifecycleHook {
    /// Its name.
    pub name: String,
    /// When it holds an instance.
    pub transition: LifecycleTransition,
    /// For how long, unless somebody sends a heartbeat.
    pub heartbeat_timeout: Duration,
    /// For how long at most, heartbeats or not.
    pub global_timeout: Duration,
    /// What happens then.
    pub default_result: LifecycleResult,
    /// Who is told: a queue or a topic.
    pub notification_target_arn: Option<String>,
    /// What they are told besides.
    pub notification_metadata: Option<String>,
}

/// How a warm pool is set up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct WarmPoolConfiguration {
    /// At least so many instances.
    pub min_size: u32,
    /// At most so many, with those in service; `None` is the group's maximum.
    pub max_group_prepared_capacity: Option<u32>,
    /// The state that they wait in.
    pub pool_state: WarmPoolState,
    /// `PendingDelete` while it is being taken away.
    pub status: Option<String>,
    /// Whether instances go back into it at a scale-in.
    pub reuse_on_scale_in: bool,
}

/// A warm pool with its instances.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct WarmPool {
    /// How it is set up.
    pub configuration: WarmPoolConfiguration,
    /// Its instances, sorted by id.
    pub instances: Vec<AutoScalingInstance>,
}

/// An instance refresh: Auto Scaling's own way to replace instances.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct InstanceRefresh {
    /// Its id.
    pub id: String,
    /// How far it is.
    pub status: InstanceRefreshStatus,
    /// Why.
    pub status_reason: Option<String>,
    /// When it started.
    pub start_time: Option<Timestamp>,
    /// When it ended.
    pub end_time: Option<Timestamp>,
    /// How far it is, in percent.
    pub percentage_complete: Option<u32>,
    /// How many instances are left.
    pub instances_to_update: Option<u32>,
    /// What instances shall be started from, where it changes that.
    pub desired: Option<LaunchSource>,
}

/// A change of the group's size at a set time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ScheduledAction {
    /// Its name.
    pub name: String,
    /// When next.
    pub start_time: Option<Timestamp>,
    /// When for the last time.
    pub end_time: Option<Timestamp>,
    /// How often, in cron's words.
    pub recurrence: Option<String>,
    /// In which time zone.
    pub time_zone: Option<String>,
    /// The new minimum.
    pub min_size: Option<u32>,
    /// The new maximum.
    pub max_size: Option<u32>,
    /// The new desired capacity.
    pub desired_capacity: Option<u32>,
}

/// A scaling policy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ScalingPolicy {
    /// Its name.
    pub name: String,
    /// `SimpleScaling`, `StepScaling`, `TargetTrackingScaling`, `PredictiveScaling`.
    pub kind: String,
    /// Whether it is on.
    pub enabled: bool,
    /// The alarms that set it off, by name.
    pub alarms: Vec<String>,
}

/// Where traffic to the group comes from, as the group sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TrafficSource {
    /// The name of a Classic Load Balancer, or the ARN of a target group.
    pub identifier: String,
    /// `elb`, `elbv2`, `vpc-lattice`.
    pub kind: Option<String>,
    /// `Adding`, `Added`, `InService`, `Removing`, `Removed`.
    pub state: String,
}

/// A launch configuration, the old way to say what instances start from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LaunchConfiguration {
    /// Its name.
    pub name: String,
    /// The image.
    pub image_id: String,
    /// The type.
    pub instance_type: String,
    /// The user data, base64.
    #[serde(skip)]
    pub user_data: Option<Sensitive>,
    /// The instance profile, by name or ARN.
    pub iam_instance_profile: Option<String>,
    /// The security groups, by id.
    pub security_groups: Vec<String>,
    /// The key pair.
    pub key_name: Option<String>,
    /// The highest price, where it is for spot instances.
    pub spot_price: Option<String>,
}

provider! {
    /// Reads what is set up beside an Auto Scaling group.
    #[access(Read)]
    pub trait AutoScalingSettingsReader {
        /// Its lifecycle hooks, sorted by name.
        #[iam("autoscaling:DescribeLifecycleHooks")]
        async fn describe_lifecycle_hooks(&self, group: &str) -> Result<Vec<LifecycleHook>>;

        /// Its warm pool; `None` where it has none.
        #[iam("autoscaling:DescribeWarmPool")]
        async fn describe_warm_pool(&self, group: &str) -> Result<Option<WarmPool>>;

        /// Its instance refreshes, the newest first.
        #[iam("autoscaling:DescribeInstanceRefreshes")]
        async fn describe_instance_refreshes(&self, group: &str) -> Result<Vec<InstanceRefresh>>;

        /// Its scheduled actions, sorted by name.
        #[iam("autoscaling:DescribeScheduledActions")]
        async fn describe_scheduled_actions(&self, group: &str) -> Result<Vec<ScheduledAction>>;

        /// Its scaling policies, sorted by name.
        #[iam("autoscaling:DescribePolicies")]
        async fn describe_policies(&self, group: &str) -> Result<Vec<ScalingPolicy>>;

        /// Where its traffic comes from, sorted by identifier.
        #[iam("autoscaling:DescribeTrafficSources")]
        async fn describe_traffic_sources(&self, group: &str) -> Result<Vec<TrafficSource>>;

        /// Launch configurations by name, those that are there.
        #[iam("autoscaling:DescribeLaunchConfigurations")]
        async fn describe_launch_configurations(
            &self,
            names: &[String],
        ) -> Result<BTreeMap<String, LaunchConfiguration>>;
    }
}
