//! Instances of EC2.

use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use crate::Result;
use crate::calls::provider;
use crate::text::words;

words! {
    /// Whether an instance runs.
    pub enum InstanceState {
        /// Being started.
        Pending = "pending",
        /// Running.
        Running = "running",
        /// Being terminated.
        ShuttingDown = "shutting-down",
        /// Gone; EC2 shows it for about an hour.
        Terminated = "terminated",
        /// Being stopped.
        Stopping = "stopping",
        /// Stopped.
        Stopped = "stopped",
    }
}

/// Which instances are asked for. The default asks for all of the account in the region.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct InstanceQuery {
    /// Only of these ids; `None` is all. Those that are not there are left out.
    pub ids: Option<BTreeSet<String>>,
    /// Only with all of these tags: any of the values, or, where there are none, any value.
    pub tags: BTreeMap<String, Vec<String>>,
    /// Only in these states; empty is all.
    pub states: Vec<InstanceState>,
}

impl InstanceQuery {
    /// Those of these ids.
    pub fn of(ids: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self { ids: Some(ids.into_iter().map(Into::into).collect()), ..Self::default() }
    }
}

/// An instance.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Instance {
    /// Its id.
    pub id: String,
    /// Its state.
    pub state: InstanceState,
    /// Why it is in that state: `Client.UserInitiatedShutdown: …`.
    pub state_reason: Option<String>,
    /// Its image.
    pub image_id: Option<String>,
    /// Its type.
    pub instance_type: Option<String>,
    /// `x86_64`, `arm64`.
    pub architecture: Option<String>,
    /// `windows`; `None` is Linux.
    pub platform: Option<String>,
    /// When it was started.
    pub launch_time: Option<Timestamp>,
    /// Its zone, by name.
    pub availability_zone: Option<String>,
    /// Its subnet.
    pub subnet_id: Option<String>,
    /// Its VPC.
    pub vpc_id: Option<String>,
    /// Its name within the VPC: what nodes were long called by.
    pub private_dns_name: Option<String>,
    /// Its address within the VPC.
    pub private_ip_address: Option<String>,
    /// Its security groups, by id.
    pub security_group_ids: BTreeSet<String>,
    /// Its instance profile, by ARN.
    pub iam_instance_profile_arn: Option<String>,
    /// Its key pair.
    pub key_name: Option<String>,
    /// `spot`, `scheduled`, `capacity-block`; `None` is on demand.
    pub lifecycle: Option<String>,
    /// Who alone may change it.
    pub operator: Option<String>,
    /// Its tags: `aws:autoscaling:groupName`, `aws:ec2launchtemplate:version`, …
    pub tags: BTreeMap<String, String>,
}

/// What EC2 knows of the health of an instance, and plans to do to it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct InstanceStatus {
    /// The instance.
    pub instance_id: String,
    /// The instance itself: `ok`, `impaired`, `initializing`, …
    pub instance_status: Option<String>,
    /// The machine under it.
    pub system_status: Option<String>,
    /// What is planned: `instance-retirement`, `system-maintenance`, …
    pub events: Vec<InstanceEvent>,
}

/// Something that EC2 plans to do to an instance.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct InstanceEvent {
    /// `instance-retirement`, `instance-stop`, `system-reboot`, …
    pub code: String,
    /// EC2's sentence; it starts with `[Completed]` when it is over.
    pub description: Option<String>,
    /// Not before then.
    pub not_before: Option<Timestamp>,
}

provider! {
    /// Reads instances.
    #[access(Read)]
    pub trait InstanceReader {
        /// The instances that are asked for, sorted by id. Eventually consistent: a new one may be
        /// missing for a while.
        #[iam("ec2:DescribeInstances")]
        async fn describe_instances(&self, query: &InstanceQuery) -> Result<Vec<Instance>>;

        /// The health of instances by id, also of those that do not run, sorted by id.
        #[iam("ec2:DescribeInstanceStatus")]
        async fn describe_instance_status(&self, ids: &BTreeSet<String>) -> Result<Vec<InstanceStatus>>;
    }
}

provider! {
    /// Changes instances.
    #[access(Write)]
    pub trait InstanceWriter {
        /// Terminates instances, and answers with the state that each is in now. For those in warm
        /// pools, which Auto Scaling does not terminate; their group starts others. Safe to repeat.
        #[iam("ec2:TerminateInstances")]
        async fn terminate_instances(
            &self,
            ids: &BTreeSet<String>,
        ) -> Result<BTreeMap<String, InstanceState>>;
    }
}
