//! Where the two halves of the world meet: machines that join a cluster, and what in a cluster acts on AWS.
//!
//! `aws` calls what `kube` offers here and the other way round; neither looks into the other's state.

use std::collections::BTreeMap;

use eks_model::{KubeMinor, KubeVersion};
use eks_provider::kube::{Taint, TaintEffect};

use crate::outside::Order;
use crate::{World, kube};

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

impl Machine {
    /// The version that its kubelet says, as EKS's images write it: `v1.34.2-eks-5e0fdde`.
    pub fn kubelet_version(&self) -> String {
        let text = self.kubelet.to_string();
        let full = if text.matches('.').count() < 2 { format!("{text}.0") } else { text };
        if full.contains("-eks-") { format!("v{full}") } else { format!("v{full}-eks-5e0fdde") }
    }

    /// The taints that its kubelet registers with. What is no taint is left out.
    pub fn parsed_taints(&self) -> Vec<Taint> {
        self.taints.iter().filter_map(|text| parse_taint(text)).collect()
    }
}

/// `key=value:effect`, as kubelets are told them.
fn parse_taint(text: &str) -> Option<Taint> {
    let (rest, effect) = text.rsplit_once(':')?;
    let (key, value) = match rest.split_once('=') {
        Some((key, value)) => (key, (!value.is_empty()).then(|| value.to_owned())),
        None => (rest, None),
    };
    Some(Taint { key: key.to_owned(), value, effect: TaintEffect::from(effect), time_added: None })
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

// What AWS does to a cluster, and what EKS asks of it when it replaces the nodes of a managed node group. It goes to
// the simulated Kubernetes, or to the one outside.

/// A machine has started, and its kubelet will register.
pub(crate) fn machine_started(world: &mut World, machine: Machine) {
    let at = world.now();
    match &mut world.outside {
        Some(outside) if outside.is_of(&machine.cluster) => {
            outside.order(Order::Starts { at, machine: Box::new(machine) });
        }
        Some(_) => {}
        None => kube::machine_started(world, machine),
    }
}

/// A machine is shutting down: its kubelet answers no longer.
pub(crate) fn machine_stopped(world: &mut World, instance_id: &str) {
    match &mut world.outside {
        Some(outside) => outside.order(Order::Stops(instance_id.to_owned())),
        None => kube::machine_stopped(world, instance_id),
    }
}

/// A machine is gone: the cloud controller removes its node.
pub(crate) fn machine_gone(world: &mut World, instance_id: &str) {
    match &mut world.outside {
        Some(outside) => outside.order(Order::Gone(instance_id.to_owned())),
        None => kube::machine_gone(world, instance_id),
    }
}

/// The control plane has another version now; `None` while its API is away.
pub(crate) fn control_plane(world: &mut World, cluster: &str, version: Option<KubeMinor>) {
    match &mut world.outside {
        Some(outside) if outside.is_of(cluster) => {
            outside.order(version.map_or(Order::Away, Order::Serves));
        }
        Some(_) => {}
        None => kube::control_plane(world, cluster, version),
    }
}

/// Whether the node of an instance is Ready.
pub(crate) fn node_ready(world: &World, instance_id: &str) -> bool {
    match &world.outside {
        Some(outside) => outside.node_ready(instance_id),
        None => kube::node_ready(world, instance_id),
    }
}

/// Keeps Pods and load balancers off the node of an instance, or lets them come again.
pub(crate) fn set_aside(world: &mut World, instance_id: &str, aside: bool) {
    match &mut world.outside {
        Some(outside) => outside.order(Order::SetAside { instance: instance_id.to_owned(), aside }),
        None => kube::set_aside(world, instance_id, aside),
    }
}

/// Evicts the Pods of the node of an instance, once each; those that are left, as `namespace/name`.
pub(crate) fn evict(world: &mut World, instance_id: &str) -> Vec<String> {
    match &mut world.outside {
        Some(outside) => {
            outside.order(Order::Evict(instance_id.to_owned()));
            outside.left_on(instance_id)
        }
        None => kube::evict(world, instance_id),
    }
}

// What EKS's add-ons are in the cluster.

/// The workloads of an add-on come, or are rolled to another version.
pub(crate) fn addon_applied(world: &mut crate::World, cluster: &str, addon: &str, version: &str) {
    if world.kube.cluster.as_deref() == Some(cluster) {
        crate::kube::install_addon(world, addon, version);
    }
}

/// The workloads of an add-on go.
pub(crate) fn addon_removed(world: &mut crate::World, cluster: &str, addon: &str) {
    if world.kube.cluster.as_deref() == Some(cluster) {
        crate::kube::remove_addon(world, addon);
    }
}
