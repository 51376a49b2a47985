//! Nodes.

use eks_model::KubeVersion;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::calls::provider;
use crate::kube::{
    Condition, ConditionStatus, Freshness, LabelSelector, NodePatch, ObjectMeta, Resources, condition,
};
use crate::text::words;
use crate::{Result, Written};

words! {
    /// What a taint does to Pods that do not tolerate it.
    pub enum TaintEffect {
        /// None comes.
        NoSchedule = "NoSchedule",
        /// None comes if there is another place.
        PreferNoSchedule = "PreferNoSchedule",
        /// None comes and none stays.
        NoExecute = "NoExecute",
    }
}

/// A taint of a node. A node has one at most of each key and effect.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Taint {
    /// Its key.
    pub key: String,
    /// Its value.
    pub value: Option<String>,
    /// What it does.
    pub effect: TaintEffect,
    /// When it was set (`NoExecute` only).
    pub time_added: Option<Timestamp>,
}

/// A node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Node {
    /// What every object has.
    pub meta: ObjectMeta,
    /// Which machine it is: `aws:///eu-west-1a/i-0a1`.
    pub provider_id: Option<String>,
    /// Whether Pods are kept from coming (cordoned).
    pub unschedulable: bool,
    /// Its taints, in their order.
    pub taints: Vec<Taint>,
    /// Its conditions.
    pub conditions: Vec<Condition>,
    /// What it has.
    pub capacity: Resources,
    /// What it has for Pods.
    pub allocatable: Resources,
    /// Its addresses, as (kind, address): `InternalIP`, `Hostname`.
    pub addresses: Vec<(String, String)>,
    /// The addresses of its Pods, where the cluster hands them out.
    pub pod_cidrs: Vec<String>,
    /// What runs on it.
    pub info: NodeInfo,
    /// The volumes that are attached to it, by their unique name.
    pub volumes_attached: Vec<String>,
    /// The volumes that its kubelet uses.
    pub volumes_in_use: Vec<String>,
}

/// What runs on a node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct NodeInfo {
    /// The version of its kubelet.
    pub kubelet_version: Written<KubeVersion>,
    /// `containerd://2.1.4`.
    pub container_runtime_version: String,
    /// `Amazon Linux 2023.9.20260707`.
    pub os_image: String,
    /// `linux`, `windows`.
    pub operating_system: String,
    /// `amd64`, `arm64`.
    pub architecture: String,
    /// `6.12.46-66.121.amzn2023.x86_64`.
    pub kernel_version: String,
}

impl Node {
    /// The id of its instance: `None` for nodes that are none (Fargate, hybrid).
    ///
    /// ```
    /// # use eks_provider::mock::sample;
    /// let mut node = sample::node("ip-10-0-1-17.eu-west-1.compute.internal");
    /// node.provider_id = Some("aws:///eu-west-1a/i-0a1b2c3d".to_owned());
    /// assert_eq!(node.instance_id(), Some("i-0a1b2c3d"));
    /// node.provider_id = Some("aws:///eu-west-1a/1a2b3c/fargate-ip-10-0-1-17".to_owned());
    /// assert_eq!(node.instance_id(), None);
    /// ```
    pub fn instance_id(&self) -> Option<&str> {
        let id = self.provider_id.as_deref()?.strip_prefix("aws://")?.rsplit('/').next()?;
        id.starts_with("i-").then_some(id)
    }

    /// Its zone, by name, as its label has it.
    pub fn zone(&self) -> Option<&str> {
        self.meta.labels.get("topology.kubernetes.io/zone").map(String::as_str)
    }

    /// Whether its kubelet says that it is ready. One that nobody has heard of (`Unknown`) is not.
    pub fn is_ready(&self) -> bool {
        condition(&self.conditions, "Ready").is_some_and(|ready| ready.status == ConditionStatus::True)
    }

    /// Its taint of this key, whatever its effect.
    pub fn taint(&self, key: &str) -> Option<&Taint> {
        self.taints.iter().find(|taint| taint.key == key)
    }
}

/// Which nodes are asked for. The default asks for all, as they are now.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct NodeQuery {
    /// Only those with these labels.
    pub selector: LabelSelector,
    /// How new the answer must be.
    pub freshness: Freshness,
}

provider! {
    /// Reads nodes.
    #[access(Read)]
    pub trait NodeReader {
        /// The nodes that are asked for, sorted by name.
        #[rbac(["list"] "" / "nodes", ["watch"] "" / "nodes" if "the adapter keeps a cache")]
        async fn list_nodes(&self, query: &NodeQuery) -> Result<Vec<Node>>;

        /// One node, as it is now.
        #[rbac(["get"] "" / "nodes")]
        async fn get_node(&self, name: &str) -> Result<Node>;
    }
}

provider! {
    /// Changes nodes.
    #[access(Write)]
    pub trait NodeWriter {
        /// Changes taints, labels, annotations and whether Pods may come, all of it or nothing, and
        /// answers with the node after it. Only the node that the patch was made of: another uid or another
        /// resourceVersion is [`Class::Conflict`](crate::Class::Conflict).
        #[rbac(["patch"] "" / "nodes")]
        async fn patch_node(&self, patch: &NodePatch) -> Result<Node>;

        /// Deletes the object of a node whose machine is gone. Only the one with this uid.
        #[rbac(["delete"] "" / "nodes")]
        async fn delete_node(&self, name: &str, uid: &str) -> Result<()>;
    }
}
