//! What a Pod is to be: containers, volumes, and where it may run.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::time::Duration;

use crate::kube::{LabelSelector, NodeSelector, NodeSelectorTerm, Quantity, Resources, Taint, TaintEffect};
use crate::text::words;

/// What a Pod is to be, as far as it matters for moving it. The default is a Pod without containers,
/// for tests.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PodSpec {
    /// The node that it is on, or is to be on.
    pub node_name: Option<String>,
    /// Its containers.
    pub containers: Vec<Container>,
    /// Its init containers; those with `restart_always` are sidecars.
    pub init_containers: Vec<Container>,
    /// Its volumes.
    pub volumes: Vec<Volume>,
    /// How long it is given to end; the API's default is 30 s.
    pub termination_grace_period: Option<Duration>,
    /// `Always`, `OnFailure`, `Never`.
    pub restart_policy: Option<String>,
    /// Labels that its node must have.
    pub node_selector: BTreeMap<String, String>,
    /// Where it must or would rather run.
    pub affinity: Affinity,
    /// The taints that it tolerates.
    pub tolerations: Vec<Toleration>,
    /// How evenly it and its like are spread.
    pub topology_spread: Vec<TopologySpreadConstraint>,
    /// Its priority, as a number.
    pub priority: Option<i32>,
    /// Its priority, by name: `system-node-critical`.
    pub priority_class_name: Option<String>,
    /// Whether it pushes others aside: `Never`, `PreemptLowerPriority`.
    pub preemption_policy: Option<String>,
    /// Its service account.
    pub service_account_name: Option<String>,
    /// Who places it.
    pub scheduler_name: Option<String>,
    /// Its runtime class.
    pub runtime_class_name: Option<String>,
    /// What it needs beside its containers (runtime class).
    pub overhead: Resources,
    /// Whether it uses the addresses of its node.
    pub host_network: bool,
    /// What keeps it from being placed.
    pub scheduling_gates: Vec<String>,
    /// Further conditions for its readiness: those of load balancers are among them.
    pub readiness_gates: Vec<String>,
    /// Who else has a word in its eviction (Kubernetes 1.37).
    pub eviction_responders: Vec<String>,
}

impl PodSpec {
    /// What the scheduler counts it for: the sum of containers and sidecars, or what the greediest init
    /// container needs with the sidecars started before it, whichever is more; and the overhead.
    pub fn requests(&self) -> Resources {
        let mut running = Resources::new();
        let mut most = Resources::new();
        for container in &self.init_containers {
            let mut now = running.clone();
            add(&mut now, &container.requests);
            if container.restart_always {
                running.clone_from(&now);
            }
            raise(&mut most, &now);
        }
        for container in &self.containers {
            add(&mut running, &container.requests);
        }
        raise(&mut most, &running);
        add(&mut most, &self.overhead);
        most
    }
}

fn add(sum: &mut Resources, more: &Resources) {
    for (resource, amount) in more {
        let entry = sum.entry(resource.clone()).or_default();
        *entry = entry.saturating_add(*amount);
    }
}

fn raise(most: &mut Resources, other: &Resources) {
    for (resource, amount) in other {
        let entry = most.entry(resource.clone()).or_default();
        *entry = (*entry).max(*amount);
    }
}

/// A container.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Container {
    /// Its name.
    pub name: String,
    /// Its image, as it is written.
    pub image: String,
    /// Its arguments and command, one after the other: flags that a minor takes away are here.
    pub args: Vec<String>,
    /// What it asks for.
    pub requests: Resources,
    /// What it may use at most.
    pub limits: Resources,
    /// Ports of the node that it takes, as (protocol, port).
    pub host_ports: Vec<(String, u16)>,
    /// Whether it is an init container that goes on (a sidecar).
    pub restart_always: bool,
    /// Whether something is done before it ends.
    pub pre_stop: bool,
}

/// A volume of a Pod.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Volume {
    /// Its name in the Pod.
    pub name: String,
    /// What it is.
    pub source: VolumeSource,
}

/// What a volume of a Pod is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum VolumeSource {
    /// A place on the node, which is lost with the Pod.
    EmptyDir {
        /// Whether it is in memory.
        memory: bool,
        /// How much it may hold.
        size_limit: Option<Quantity>,
    },
    /// A claim, by name.
    PersistentVolumeClaim(String),
    /// A claim that is made for the Pod and lost with it (`ephemeral`).
    Ephemeral,
    /// A folder of the node.
    HostPath(String),
    /// A ConfigMap, by name.
    ConfigMap(String),
    /// A Secret, by name.
    Secret(String),
    /// Several together.
    Projected,
    /// Facts of the Pod.
    DownwardApi,
    /// A driver, in the Pod itself.
    Csi(String),
    /// A git repository: gone since 1.36.
    GitRepo,
    /// Something else, by the name of the field: `awsElasticBlockStore`, `nfs`.
    Other(String),
}

/// Where a Pod must or would rather run.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Affinity {
    /// Nodes that it must be on.
    pub required_nodes: Option<NodeSelector>,
    /// Nodes that it would rather be on, with weights.
    pub preferred_nodes: Vec<(i32, NodeSelectorTerm)>,
    /// Pods that it must be near.
    pub required_pods: Vec<PodAffinityTerm>,
    /// Pods that it must not be near.
    pub required_anti_pods: Vec<PodAffinityTerm>,
    /// Pods that it would rather be near, with weights.
    pub preferred_pods: Vec<(i32, PodAffinityTerm)>,
    /// Pods that it would rather not be near, with weights.
    pub preferred_anti_pods: Vec<(i32, PodAffinityTerm)>,
}

/// Other Pods, and what "near" means.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PodAffinityTerm {
    /// Near is: this label of the nodes has the same value.
    pub topology_key: String,
    /// Which Pods; `None` is none.
    pub selector: Option<LabelSelector>,
    /// Of these namespaces; with no namespace selector and none here, the Pod's own.
    pub namespaces: Vec<String>,
    /// And of namespaces with these labels.
    pub namespace_selector: Option<LabelSelector>,
    /// With the same value of these labels as the Pod.
    pub match_label_keys: Vec<String>,
}

words! {
    /// How a toleration compares.
    pub enum TolerationOperator {
        /// The value is this one.
        Equal = "Equal",
        /// Any value.
        Exists = "Exists",
        /// The value is a number below this one.
        Lt = "Lt",
        /// The value is a number above this one.
        Gt = "Gt",
    }
}

/// A taint that a Pod tolerates.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Toleration {
    /// The key; `None` with [`TolerationOperator::Exists`] is every taint.
    pub key: Option<String>,
    /// How.
    pub operator: TolerationOperator,
    /// With what.
    pub value: Option<String>,
    /// Of which effect; `None` is every one.
    pub effect: Option<TaintEffect>,
    /// For how long (`NoExecute`); `None` is for ever.
    pub duration: Option<Duration>,
}

impl Toleration {
    /// Whether it tolerates a taint; `None` where the comparison is not known.
    pub fn tolerates(&self, taint: &Taint) -> Option<bool> {
        if self.effect.as_ref().is_some_and(|effect| *effect != taint.effect)
            || self.key.as_ref().is_some_and(|key| !key.is_empty() && *key != taint.key)
        {
            return Some(false);
        }
        let ours = self.value.as_deref().unwrap_or_default();
        let theirs = taint.value.as_deref().unwrap_or_default();
        let numbers = || Some((theirs.parse::<i64>().ok()?, ours.parse::<i64>().ok()?));
        Some(match &self.operator {
            TolerationOperator::Exists => true,
            TolerationOperator::Equal => ours == theirs,
            TolerationOperator::Lt => numbers().is_some_and(|(theirs, ours)| theirs < ours),
            TolerationOperator::Gt => numbers().is_some_and(|(theirs, ours)| theirs > ours),
            TolerationOperator::Other(_) => return None,
        })
    }
}

/// How evenly Pods are spread.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TopologySpreadConstraint {
    /// The most that one place may have above another.
    pub max_skew: u32,
    /// A place is: nodes with the same value of this label.
    pub topology_key: String,
    /// `DoNotSchedule` or `ScheduleAnyway`.
    pub when_unsatisfiable: String,
    /// Which Pods count.
    pub selector: Option<LabelSelector>,
    /// With the same value of these labels as the Pod.
    pub match_label_keys: Vec<String>,
    /// So many places at least, or the fewest count as none.
    pub min_domains: Option<u32>,
    /// `Honor` or `Ignore`: whether nodes that the Pod may not be on count.
    pub node_affinity_policy: Option<String>,
    /// `Honor` or `Ignore`: whether nodes with taints that the Pod does not tolerate are left out.
    pub node_taints_policy: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tolerations_mean_what_they_mean_in_kubernetes() {
        let taint = Taint {
            key: "dedicated".to_owned(),
            value: Some("5".to_owned()),
            effect: TaintEffect::NoSchedule,
            time_added: None,
        };
        for (key, operator, value, effect, expected) in [
            (Some("dedicated"), "Equal", Some("5"), Some("NoSchedule"), Some(true)),
            (Some("dedicated"), "Equal", Some("5"), None, Some(true)),
            (Some("dedicated"), "Equal", None, None, Some(false)),
            (Some("dedicated"), "Equal", Some("5"), Some("NoExecute"), Some(false)),
            (Some("dedicated"), "Exists", None, None, Some(true)),
            (Some("other"), "Exists", None, None, Some(false)),
            (None, "Exists", None, None, Some(true)),
            (Some(""), "Exists", None, None, Some(true)),
            (Some("dedicated"), "Gt", Some("4"), None, Some(true)),
            (Some("dedicated"), "Gt", Some("5"), None, Some(false)),
            (Some("dedicated"), "Lt", Some("6"), None, Some(true)),
            (Some("dedicated"), "Lt", Some("x"), None, Some(false)),
            (Some("dedicated"), "Like", Some("5"), None, None),
        ] {
            let toleration = Toleration {
                key: key.map(ToOwned::to_owned),
                operator: operator.into(),
                value: value.map(ToOwned::to_owned),
                effect: effect.map(TaintEffect::from),
                duration: None,
            };
            assert_eq!(toleration.tolerates(&taint), expected, "{toleration:?}");
        }
    }

    #[test]
    fn init_containers_count_as_the_scheduler_counts_them() {
        let container = |cpu: i64, restart_always| Container {
            requests: Resources::from([("cpu".to_owned(), Quantity::from_units(cpu))]),
            restart_always,
            ..Container::default()
        };
        // The example of the sidecar enhancement (KEP-753): a sidecar counts for what comes after it.
        for (init, main, expected) in [
            (vec![], vec![2, 3], 5),
            (vec![(9, false)], vec![2, 3], 9),
            (vec![(4, false)], vec![2, 3], 5),
            (vec![(1, true)], vec![2, 3], 6),
            (vec![(1, true), (9, false)], vec![2, 3], 10),
            (vec![(9, false), (1, true)], vec![2, 3], 9),
        ] {
            let spec = PodSpec {
                init_containers: init.iter().map(|(cpu, always)| container(*cpu, *always)).collect(),
                containers: main.iter().map(|cpu| container(*cpu, false)).collect(),
                ..PodSpec::default()
            };
            assert_eq!(spec.requests()["cpu"], Quantity::from_units(expected), "{init:?} {main:?}");
        }
        let spec = PodSpec {
            overhead: Resources::from([("cpu".to_owned(), Quantity::from_milli(250))]),
            ..PodSpec::default()
        };
        assert_eq!(spec.requests()["cpu"], Quantity::from_milli(250));
    }
}
