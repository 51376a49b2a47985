//! Pods as they are.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::Result;
use crate::calls::provider;
use crate::kube::{
    Condition, ConditionStatus, Freshness, LabelSelector, ObjectMeta, Page, PageRequest, PodSpec, condition,
};
use crate::text::words;

words! {
    /// Where a Pod is in its life.
    pub enum PodPhase {
        /// Not placed, or not started.
        Pending = "Pending",
        /// Started.
        Running = "Running",
        /// Ended well.
        Succeeded = "Succeeded",
        /// Ended badly.
        Failed = "Failed",
        /// Nobody knows: its node is out of reach.
        Unknown = "Unknown",
    }
}

/// A Pod.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Pod {
    /// What every object has.
    pub meta: ObjectMeta,
    /// What it is to be.
    pub spec: PodSpec,
    /// Where it is in its life.
    pub phase: PodPhase,
    /// Why, in one word: `Evicted`.
    pub reason: Option<String>,
    /// Why, in a sentence.
    pub message: Option<String>,
    /// Its conditions.
    pub conditions: Vec<Condition>,
    /// When its node took it.
    pub start_time: Option<Timestamp>,
    /// Its address.
    pub pod_ip: Option<String>,
    /// The node that it waits for, after others were pushed aside.
    pub nominated_node_name: Option<String>,
    /// `Guaranteed`, `Burstable`, `BestEffort`.
    pub qos_class: Option<String>,
    /// Its containers as they are, init containers last.
    pub container_statuses: Vec<ContainerStatus>,
}

/// A container as it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ContainerStatus {
    /// Its name.
    pub name: String,
    /// Whether it is ready.
    pub ready: bool,
    /// How often it was started again.
    pub restart_count: u32,
    /// The image that runs, with its digest.
    pub image_id: Option<String>,
    /// What it does.
    pub state: ContainerState,
}

/// What a container does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum ContainerState {
    /// It runs, since then.
    Running(Option<Timestamp>),
    /// It waits, for this reason: `ImagePullBackOff`.
    Waiting(Option<String>),
    /// It has ended, with this code.
    Terminated(i32),
    /// Nothing is said.
    Unstated,
}

impl Pod {
    /// Whether it has ended: a budget does not count it, and a drain need not wait for it.
    pub fn is_finished(&self) -> bool {
        matches!(self.phase, PodPhase::Succeeded | PodPhase::Failed)
    }

    /// Whether it is the image of a static Pod: only the kubelet can end it.
    pub fn is_mirror(&self) -> bool {
        self.meta.annotations.contains_key("kubernetes.io/config.mirror")
    }

    /// Whether a DaemonSet runs it: it comes back on its node.
    pub fn is_of_daemon_set(&self) -> bool {
        self.meta.controller().is_some_and(|owner| owner.kind == "DaemonSet")
    }

    /// Whether it is ready.
    pub fn is_ready(&self) -> bool {
        condition(&self.conditions, "Ready").is_some_and(|ready| ready.status == ConditionStatus::True)
    }
}

/// Which Pods are asked for. The default asks for all, as they are now.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PodQuery {
    /// Only of this namespace.
    pub namespace: Option<String>,
    /// Only on this node.
    pub node_name: Option<String>,
    /// Only those with these labels.
    pub selector: LabelSelector,
    /// How new the answer must be.
    pub freshness: Freshness,
}

impl PodQuery {
    /// Those on this node.
    pub fn on_node(node_name: impl Into<String>) -> Self {
        Self { node_name: Some(node_name.into()), ..Self::default() }
    }
}

provider! {
    /// Reads Pods.
    #[access(Read)]
    pub trait PodReader {
        /// A page of the Pods that are asked for. A cluster can have 150,000: who wants all goes
        /// from page to page and keeps what it needs.
        #[rbac(["list"] "" / "pods", ["watch"] "" / "pods" if "the adapter keeps a cache")]
        async fn list_pods(&self, query: &PodQuery, page: &PageRequest) -> Result<Page<Pod>>;

        /// One Pod, as it is now.
        #[rbac(["get"] "" / "pods")]
        async fn get_pod(&self, namespace: &str, name: &str) -> Result<Pod>;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mock::sample;

    #[test]
    fn a_pod_that_nobody_hears_of_is_neither_ready_nor_finished() {
        let mut pod = sample::pod("shop", "db-1");
        assert!(pod.is_ready() && !pod.is_finished());
        pod.phase = PodPhase::Unknown;
        pod.conditions[0].status = ConditionStatus::Unknown;
        assert!(!pod.is_ready() && !pod.is_finished());
        pod.phase = "Evaporated".into();
        assert!(!pod.is_finished());
        pod.phase = PodPhase::Failed;
        assert!(pod.is_finished());
    }
}
