//! What runs Pods: Deployments, ReplicaSets, StatefulSets, DaemonSets, Jobs, ReplicationControllers.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

use crate::Result;
use crate::calls::provider;
use crate::kube::{Condition, IntOrPercent, LabelSelector, ObjectMeta, Page, PageRequest, PodSpec};

/// The kinds of workloads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum WorkloadKind {
    /// `apps/v1` Deployment.
    Deployment,
    /// `apps/v1` ReplicaSet.
    ReplicaSet,
    /// `apps/v1` StatefulSet.
    StatefulSet,
    /// `apps/v1` DaemonSet.
    DaemonSet,
    /// `batch/v1` Job.
    Job,
    /// `v1` ReplicationController.
    ReplicationController,
}

impl WorkloadKind {
    /// Every kind.
    pub const ALL: [Self; 6] = [
        Self::Deployment,
        Self::ReplicaSet,
        Self::StatefulSet,
        Self::DaemonSet,
        Self::Job,
        Self::ReplicationController,
    ];

    /// The word of the API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Deployment => "Deployment",
            Self::ReplicaSet => "ReplicaSet",
            Self::StatefulSet => "StatefulSet",
            Self::DaemonSet => "DaemonSet",
            Self::Job => "Job",
            Self::ReplicationController => "ReplicationController",
        }
    }
}

/// A workload, by what it is called.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct WorkloadRef {
    /// What it is.
    pub kind: WorkloadKind,
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
}

/// As people write it: `Deployment shop/web`.
impl std::fmt::Display for WorkloadRef {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}/{}", self.kind.as_str(), self.namespace, self.name)
    }
}

/// A workload.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Workload {
    /// What it is.
    pub kind: WorkloadKind,
    /// What every object has.
    pub meta: ObjectMeta,
    /// Which Pods are its own; `None` where that is not said.
    pub selector: Option<LabelSelector>,
    /// What its Pods are to be.
    pub template: PodTemplate,
    /// How it is rolled to a new template.
    pub strategy: RolloutStrategy,
    /// How it is.
    pub status: WorkloadStatus,
    /// How many Pods there are to be: for a DaemonSet, the nodes that it belongs on; for a Job, how
    /// many at a time.
    pub desired: u32,
    /// Whether it stands still: a Deployment that is paused, a Job that is suspended.
    pub paused: bool,
    /// For a Job, how many Pods must end well.
    pub completions: Option<u32>,
}

/// What the Pods of a workload are to be.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PodTemplate {
    /// Their labels.
    pub labels: BTreeMap<String, String>,
    /// Their annotations.
    pub annotations: BTreeMap<String, String>,
    /// All else.
    pub spec: PodSpec,
}

/// How a workload is rolled to a new template.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RolloutStrategy {
    /// `RollingUpdate`, `Recreate`, `OnDelete`; `None` where the kind has none.
    pub kind: Option<String>,
    /// How many Pods too many there may be.
    pub max_surge: Option<IntOrPercent>,
    /// How many Pods too few there may be.
    pub max_unavailable: Option<IntOrPercent>,
    /// For a StatefulSet: from which number on Pods are rolled.
    pub partition: Option<u32>,
}

/// How a workload is. A number that the kind does not have is 0.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct WorkloadStatus {
    /// Which generation the rest is about: below the object's own, it is out of date.
    pub observed_generation: Option<i64>,
    /// How many Pods there are.
    pub replicas: u32,
    /// How many of them are of the present template.
    pub updated: u32,
    /// How many are ready.
    pub ready: u32,
    /// How many have been ready for long enough.
    pub available: u32,
    /// For a Job: how many have ended well.
    pub succeeded: u32,
    /// For a Job: how many have ended badly.
    pub failed: u32,
    /// Its conditions.
    pub conditions: Vec<Condition>,
}

impl Workload {
    /// Whether all its Pods are of the present template and available, as far as the status is up to
    /// date. A Job is never asked this.
    pub fn is_rolled_out(&self) -> bool {
        self.status.observed_generation >= self.meta.generation
            && self.status.updated == self.desired
            && self.status.replicas == self.desired
            && self.status.available == self.desired
    }
}

/// Which workloads are asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct WorkloadQuery {
    /// What they are.
    pub kind: WorkloadKind,
    /// Only of this namespace.
    pub namespace: Option<String>,
    /// Only those with these labels.
    pub selector: LabelSelector,
}

impl WorkloadQuery {
    /// All of this kind.
    pub fn all(kind: WorkloadKind) -> Self {
        Self { kind, namespace: None, selector: LabelSelector::default() }
    }
}

provider! {
    /// Reads workloads.
    #[access(Read)]
    pub trait WorkloadReader {
        /// A page of the workloads that are asked for.
        #[rbac(
            ["list"] "apps" / "deployments" if "Deployments are asked for",
            ["list"] "apps" / "replicasets" if "ReplicaSets are asked for",
            ["list"] "apps" / "statefulsets" if "StatefulSets are asked for",
            ["list"] "apps" / "daemonsets" if "DaemonSets are asked for",
            ["list"] "batch" / "jobs" if "Jobs are asked for",
            ["list"] "" / "replicationcontrollers" if "ReplicationControllers are asked for",
        )]
        async fn list_workloads(&self, query: &WorkloadQuery, page: &PageRequest) -> Result<Page<Workload>>;

        /// One workload, as it is now.
        #[rbac(
            ["get"] "apps" / "deployments" if "a Deployment is asked for",
            ["get"] "apps" / "replicasets" if "a ReplicaSet is asked for",
            ["get"] "apps" / "statefulsets" if "a StatefulSet is asked for",
            ["get"] "apps" / "daemonsets" if "a DaemonSet is asked for",
            ["get"] "batch" / "jobs" if "a Job is asked for",
            ["get"] "" / "replicationcontrollers" if "a ReplicationController is asked for",
        )]
        async fn get_workload(&self, workload: &WorkloadRef) -> Result<Workload>;
    }
}

#[cfg(test)]
mod tests {
    use crate::mock::sample;

    #[test]
    fn a_rollout_is_over_when_the_status_is_of_now_and_all_are_new_and_available() {
        let whole = sample::deployment("shop", "web", 3);
        assert!(whole.is_rolled_out());
        for (what, change) in [
            ("stale status", (|w| w.meta.generation = Some(2)) as fn(&mut crate::kube::Workload)),
            ("no status", |w| w.status.observed_generation = None),
            ("old Pods left", |w| w.status.replicas = 4),
            ("not all new", |w| w.status.updated = 2),
            ("not all available", |w| w.status.available = 2),
        ] {
            let mut changed = whole.clone();
            change(&mut changed);
            assert!(!changed.is_rolled_out(), "{what}");
        }
    }
}
