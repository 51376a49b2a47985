//! Target groups and load balancers: whether traffic still goes to a node.

use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::time::Duration;

use crate::Result;
use crate::calls::provider;
use crate::text::words;

words! {
    /// Whether traffic goes to a target.
    pub enum TargetState {
        /// Not yet: its health is being asked for.
        Initial = "initial",
        /// It does.
        Healthy = "healthy",
        /// It does not, since it is not healthy.
        Unhealthy = "unhealthy",
        /// It does, while its health checks fail and mitigation is off.
        UnhealthyDraining = "unhealthy.draining",
        /// It does not: nothing uses the target group, or the target is in a zone that is not.
        Unused = "unused",
        /// No new traffic; what is open may end.
        Draining = "draining",
        /// Its health is not asked for.
        Unavailable = "unavailable",
    }
}

/// Which target groups are asked for. The default asks for all of the account in the region.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TargetGroupQuery {
    /// Only of these ARNs; `None` is all. Those that are not there are left out.
    pub arns: Option<BTreeSet<String>>,
}

/// A target group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TargetGroup {
    /// Its ARN.
    pub arn: String,
    /// Its name.
    pub name: String,
    /// `instance`, `ip`, `lambda`, `alb`.
    pub target_type: String,
    /// `HTTP`, `TCP`, …
    pub protocol: Option<String>,
    /// The load balancers that use it.
    pub load_balancer_arns: BTreeSet<String>,
    /// For how long a target that was taken out may end what is open.
    pub deregistration_delay: Option<Duration>,
}

/// A target, and whether traffic goes to it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TargetHealth {
    /// What it is: the id of an instance, or an address.
    pub target_id: String,
    /// Its port.
    pub port: Option<u16>,
    /// Its zone, by name.
    pub availability_zone: Option<String>,
    /// Whether traffic goes to it.
    pub state: TargetState,
    /// Why: `Target.DeregistrationInProgress`.
    pub reason: Option<String>,
}

/// An instance behind a Classic Load Balancer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ClassicInstanceState {
    /// The instance.
    pub instance_id: String,
    /// `InService`, `OutOfService`, `Unknown`.
    pub state: String,
    /// Why: `ELB`, `Instance`, `N/A`.
    pub reason_code: Option<String>,
}

provider! {
    /// Reads where traffic goes.
    #[access(Read)]
    pub trait TargetReader {
        /// The target groups that are asked for, sorted by ARN.
        #[iam(
            "elasticloadbalancing:DescribeTargetGroups",
            "elasticloadbalancing:DescribeTargetGroupAttributes",
        )]
        async fn describe_target_groups(&self, query: &TargetGroupQuery) -> Result<Vec<TargetGroup>>;

        /// The targets of a group, sorted.
        #[iam("elasticloadbalancing:DescribeTargetHealth")]
        async fn describe_target_health(&self, target_group_arn: &str) -> Result<Vec<TargetHealth>>;

        /// The instances behind a Classic Load Balancer, sorted.
        #[iam("elasticloadbalancing:DescribeInstanceHealth")]
        async fn describe_instance_health(&self, load_balancer: &str) -> Result<Vec<ClassicInstanceState>>;
    }
}
