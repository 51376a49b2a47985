//! A person who interferes (F14, F23).

use std::collections::BTreeMap;

use eks_provider::kube::{LabelSelector, UnhealthyPodEvictionPolicy, WorkloadKind, WorkloadRef};
use serde::{Deserialize, Serialize};

use super::super::objects::BudgetId;
use super::super::scenario::{EffectWord, NodePick, Number, UnhealthyWord, WorkloadWord};
use super::super::{budgets, lifecycle, nodes, pods, workloads};
use crate::World;

fn yes() -> bool {
    true
}

/// What a person does, and when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct TimedDeed {
    /// So many seconds after the beginning.
    pub after_seconds: u64,
    /// What.
    #[serde(rename = "do")]
    pub deed: Deed,
}

/// Something that a person does. What is not there is left alone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "kebab-case", rename_all_fields = "camelCase", deny_unknown_fields)]
pub enum Deed {
    /// Lets Pods come to a node, or not.
    #[serde(rename = "cordon-node")]
    Cordon {
        /// The node.
        node: NodePick,
        /// Whether Pods are kept away.
        #[serde(default = "yes")]
        unschedulable: bool,
    },
    /// Deletes the object of a node.
    DeleteNode {
        /// The node.
        node: NodePick,
    },
    /// Sets a label of a node, or takes it away.
    LabelNode {
        /// The node.
        node: NodePick,
        /// The key.
        key: String,
        /// The value; none takes it away.
        #[serde(default)]
        value: Option<String>,
    },
    /// Taints a node.
    TaintNode {
        /// The node.
        node: NodePick,
        /// The key.
        key: String,
        /// What the taint does.
        effect: EffectWord,
    },
    /// Lets a kubelet fall silent, or speak again (F18).
    SilenceNode {
        /// The node.
        node: NodePick,
        /// Whether it is silent.
        #[serde(default = "yes")]
        silent: bool,
    },
    /// Deletes a Lease (F23).
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
        /// Its grace period; its own, where nothing is said.
        #[serde(default)]
        grace_period_seconds: Option<u64>,
    },
    /// Deletes a budget.
    DeleteBudget {
        /// Its namespace.
        namespace: String,
        /// Its name.
        name: String,
    },
    /// Changes what a budget asks for. What is not said stays; one of `minAvailable` and `maxUnavailable`
    /// takes the place of the other.
    ChangeBudget {
        /// Its namespace.
        namespace: String,
        /// Its name.
        name: String,
        /// So many must stay.
        #[serde(default)]
        min_available: Option<Number>,
        /// So many may be out.
        #[serde(default)]
        max_unavailable: Option<Number>,
        /// The labels of its Pods.
        #[serde(default)]
        match_labels: Option<BTreeMap<String, String>>,
        /// `IfHealthyBudget` or `AlwaysAllow`.
        #[serde(default)]
        unhealthy_pod_eviction_policy: Option<UnhealthyWord>,
    },
    /// Takes the finalizers of a Pod away.
    RemoveFinalizers {
        /// Its namespace.
        namespace: String,
        /// Its name.
        name: String,
    },
    /// Deletes a workload and its Pods.
    DeleteWorkload {
        /// Its kind.
        kind: WorkloadWord,
        /// Its namespace.
        namespace: String,
        /// Its name.
        name: String,
        /// Whether its Pods stay, and are nobody's (`--cascade=orphan`).
        #[serde(default)]
        orphans: bool,
    },
    /// Restarts cluster-autoscaler: it forgets what it was about to do.
    RestartAutoscaler {},
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
            if let Some(id) = node.find(&world.kube) {
                nodes::change(world, id, |node| node.unschedulable = *unschedulable);
            }
        }
        Deed::DeleteNode { node } => {
            if let Some(id) = node.find(&world.kube) {
                nodes::remove(world, id);
            }
        }
        Deed::LabelNode { node, key, value } => {
            if let Some(id) = node.find(&world.kube) {
                nodes::change(world, id, |node| {
                    match value {
                        Some(value) => node.meta.labels.insert(key.clone(), value.clone()),
                        None => node.meta.labels.remove(key),
                    };
                });
            }
        }
        Deed::TaintNode { node, key, effect } => {
            if let Some(id) = node.find(&world.kube) {
                nodes::change(world, id, |node| nodes::taint(node, key, effect.as_str().into(), now));
                lifecycle::evict_by_taints(world, id);
            }
        }
        Deed::SilenceNode { node, silent } => {
            if let Some(id) = node.find(&world.kube) {
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
        Deed::DeletePod { namespace, name, grace_period_seconds } => {
            if let Some(id) = world.kube.pod_named(namespace, name) {
                pods::delete(world, id, grace_period_seconds.map(std::time::Duration::from_secs));
            }
        }
        Deed::DeleteBudget { namespace, name } => {
            if let Some(id) = budget(world, namespace, name) {
                budgets::remove(world, id);
            }
        }
        Deed::ChangeBudget {
            namespace,
            name,
            min_available,
            max_unavailable,
            match_labels,
            unhealthy_pod_eviction_policy,
        } => {
            let Some(id) = budget(world, namespace, name) else { return };
            budgets::respecify(world, id, |budget| {
                if min_available.is_some() || max_unavailable.is_some() {
                    budget.min_available = min_available.map(|number| number.0);
                    budget.max_unavailable = max_unavailable.map(|number| number.0);
                }
                if let Some(labels) = match_labels {
                    let match_labels = labels.clone();
                    budget.selector = Some(LabelSelector { match_labels, match_expressions: Vec::new() });
                }
                if let Some(policy) = unhealthy_pod_eviction_policy {
                    budget.unhealthy_pod_eviction_policy =
                        Some(UnhealthyPodEvictionPolicy::from(policy.as_str()));
                }
            });
        }
        Deed::RemoveFinalizers { namespace, name } => {
            if let Some(id) = world.kube.pod_named(namespace, name) {
                pods::change(world, id, |pod| pod.finalizers.clear());
                if world.kube.pods.get(&id).is_some_and(|pod| pod.deletion.is_some() && pod.is_finished()) {
                    pods::remove(world, id);
                }
            }
        }
        Deed::DeleteWorkload { kind, namespace, name, orphans } => {
            let of_kind = kind.workload().and_then(|kind| workload(world, kind, namespace, name));
            match of_kind {
                Some(id) if *orphans => workloads::orphan(world, id),
                Some(id) => workloads::delete(world, id),
                None => {}
            }
        }
        Deed::RestartAutoscaler {} => super::autoscaler::restart(world),
        Deed::ScaleDeployment { namespace, name, replicas } => {
            if let Some(id) = workload(world, WorkloadKind::Deployment, namespace, name) {
                workloads::respecify(world, id, |workload| workload.desired = *replicas);
                budgets::owner_scaled(world, id);
            }
        }
    }
}

fn budget(world: &World, namespace: &str, name: &str) -> Option<BudgetId> {
    world.kube.budget_names.get(namespace)?.get(name).copied()
}

fn workload(
    world: &World,
    kind: WorkloadKind,
    namespace: &str,
    name: &str,
) -> Option<super::super::objects::WorkloadId> {
    let (namespace, name) = (namespace.to_owned(), name.to_owned());
    world.kube.workload_named(&WorkloadRef { kind, namespace, name })
}
