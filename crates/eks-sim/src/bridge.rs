//! Where the two halves of the world meet: machines that join a cluster, and what in a cluster acts on AWS.
//!
//! `aws` calls what `kube` offers here and the other way round; neither looks into the other's state.

use std::collections::BTreeMap;

use eks_model::KubeVersion;

/// An instance that wants to be a node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Machine {
    /// `i-…`
    pub instance_id: String,
    /// The cluster that its user data joins.
    pub cluster: String,
    /// The name that its node will have: the private DNS name.
    pub node_name: String,
    /// `eu-west-1a`
    pub zone: String,
    /// `eu-west-1`
    pub region: String,
    /// `m7g.large`
    pub instance_type: String,
    /// The image that it was started from.
    pub image_id: String,
    /// The version of the kubelet in that image.
    pub kubelet: KubeVersion,
    /// Thousandths of a CPU.
    pub cpu_milli: u64,
    /// Bytes of memory.
    pub memory: u64,
    /// How many Pods it takes.
    pub pods: u64,
    /// Its private address.
    pub address: String,
    /// Labels that its kubelet registers with, besides the usual ones.
    pub labels: BTreeMap<String, String>,
    /// Taints that its kubelet registers with, as `key=value:effect`.
    pub taints: Vec<String>,
    /// The group that started it, where one did.
    pub group: Option<String>,
    /// What is wrong with it: it never joins, joins and is never ready, and so on.
    pub fault: Option<MachineFault>,
}

/// What may be wrong with a machine (F9).
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MachineFault {
    /// Its kubelet never registers.
    NeverJoins,
    /// It registers and never becomes ready.
    NeverReady,
    /// It is ready, and not, and ready, …
    Flaps,
    /// Its network add-on crashes: ready, and no Pod network.
    NetworkDown,
}

// What EKS asks of Kubernetes when it replaces the nodes of a managed node group.

/// Whether the node of an instance is Ready.
pub(crate) fn node_ready(world: &crate::World, instance_id: &str) -> bool {
    crate::kube::node_ready(world, instance_id)
}

/// Cordons the node of an instance.
pub(crate) fn cordon(world: &mut crate::World, instance_id: &str) {
    crate::kube::cordon(world, instance_id);
}

/// Evicts the Pods of the node of an instance, once each; those that are left, as `namespace/name`.
pub(crate) fn evict(world: &mut crate::World, instance_id: &str) -> Vec<String> {
    crate::kube::evict(world, instance_id)
}
