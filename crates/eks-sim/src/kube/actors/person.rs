//! A person who interferes (F14, F23).

use serde::{Deserialize, Serialize};

use super::super::state::{Kind, uid};
use super::super::{budgets, nodes, pods, scenario, workloads};
use crate::World;

/// What a person does, and when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct PersonDoes {
    /// How long after the beginning.
    pub after_seconds: u64,
    /// What.
    pub does: Deed,
}

/// Something that a person does. What is not there is left alone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub enum Deed {
    /// Lets Pods come to a node, or not.
    Cordon {
        /// The node.
        node: String,
        /// Whether Pods are kept away.
        unschedulable: bool,
    },
    /// Deletes the object of a node.
    DeleteNode {
        /// The node.
        node: String,
    },
    /// Sets a label of a node, or takes it away.
    LabelNode {
        /// The node.
        node: String,
        /// The key.
        key: String,
        /// The value; none takes it away.
        value: Option<String>,
    },
    /// Taints a node.
    TaintNode {
        /// The node.
        node: String,
        /// The key.
        key: String,
        /// `NoSchedule`, `NoExecute`, …
        effect: String,
    },
    /// Lets a kubelet fall silent, or speak again.
    SilenceNode {
        /// The node.
        node: String,
        /// Whether it is silent.
        silent: bool,
    },
    /// Deletes a Lease.
    DeleteLease {
        /// Its namespace.
        namespace: String,
        /// Its name.
        name: String,
    },
    /// Deletes a Pod.
    DeletePod {
        /// Its namespace.
        namespace: String,
        /// Its name.
        name: String,
    },
    /// Deletes a budget.
    DeleteBudget {
        /// Its namespace.
        namespace: String,
        /// Its name.
        name: String,
    },
    /// Scales a Deployment.
    ScaleDeployment {
        /// Its namespace.
        namespace: String,
        /// Its name.
        name: String,
        /// How many Pods it gets.
        replicas: u32,
    },
}

/// A person does something.
pub(crate) fn does(world: &mut World, deed: &Deed) {
    let now = world.now();
    world.kube.observer.deed(now, format!("person: {deed:?}"));
    match deed {
        Deed::Cordon { node, unschedulable } => {
            if let Some(id) = world.kube.node_named(node) {
                nodes::change(world, id, |node| node.unschedulable = *unschedulable);
            }
        }
        Deed::DeleteNode { node } => {
            if let Some(id) = world.kube.node_named(node) {
                nodes::remove(world, id);
            }
        }
        Deed::LabelNode { node, key, value } => {
            if let Some(id) = world.kube.node_named(node) {
                nodes::change(world, id, |node| {
                    match value {
                        Some(value) => node.meta.labels.insert(key.clone(), value.clone()),
                        None => node.meta.labels.remove(key),
                    };
                });
            }
        }
        Deed::TaintNode { node, key, effect } => scenario::taint_node(world, node, key, effect),
        Deed::SilenceNode { node, silent } => {
            if let Some(id) = world.kube.node_named(node) {
                super::super::kubelet::set_silent(world, id, *silent);
            }
        }
        Deed::DeleteLease { namespace, name } => {
            let key = (namespace.clone(), name.clone());
            if world.kube.leases.remove(&key).is_some() {
                let version = world.kube.bump();
                world.kube.log.lease(version, namespace);
            }
        }
        Deed::DeletePod { namespace, name } => {
            if let Some(id) = world.kube.pod_named(namespace, name) {
                world.kube.observer.deed(now, format!("deleted {}", uid(Kind::Pod, id.0)));
                pods::delete(world, id, None);
            }
        }
        Deed::DeleteBudget { namespace, name } => {
            let id = world.kube.budget_names.get(namespace.as_str()).and_then(|names| names.get(name));
            if let Some(id) = id.copied() {
                budgets::remove(world, id);
            }
        }
        Deed::ScaleDeployment { namespace, name, replicas } => {
            let reference = eks_provider::kube::WorkloadRef {
                kind: eks_provider::kube::WorkloadKind::Deployment,
                namespace: namespace.clone(),
                name: name.clone(),
            };
            if let Some(id) = world.kube.workload_named(&reference) {
                workloads::respecify(world, id, |workload| workload.desired = *replicas);
                budgets::owner_scaled(world, id);
            }
        }
    }
}
