//! What the cluster holds, packed: Pods of one template share it, and each is a few dozen bytes.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use eks_provider::kube::{self as api, LabelSelector, PodTemplate, Resources, RolloutStrategy, WorkloadKind};
use jiff::Timestamp;

use super::settings::Between;

macro_rules! ids {
    ($($(#[doc = $doc:literal])* $name:ident)+) => {
        $(
            $(#[doc = $doc])*
            #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
            pub(crate) struct $name(pub(crate) u32);
        )+
    };
}

ids! {
    /// A Pod. Never used again, as a uid is not.
    PodId
    /// A node.
    NodeId
    /// A workload.
    WorkloadId
    /// A budget.
    BudgetId
    /// Which template, in which namespace.
    ShapeId
}

/// How the Pods of a workload behave.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Behaviour {
    /// From its containers running until it is ready.
    pub ready_after: Between,
    /// How long it takes to end when it is asked to; at most its grace period.
    pub ends_after: Between,
    /// How long it runs until it ends by itself (Jobs); `None` is for ever.
    pub runs_for: Option<Duration>,
    /// It never becomes ready.
    pub never_ready: bool,
    /// Its end hangs, beyond its grace period: a kubelet that cannot stop it.
    pub hangs: bool,
}

impl Default for Behaviour {
    fn default() -> Self {
        Self {
            ready_after: Between::seconds(2, 10),
            ends_after: Between::seconds(1, 5),
            runs_for: None,
            never_ready: false,
            hangs: false,
        }
    }
}

/// Amounts, as the scheduler adds them up.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Amounts {
    /// Thousandths of a CPU.
    pub(crate) cpu: i64,
    /// Bytes.
    pub(crate) memory: i64,
    /// How many Pods.
    pub(crate) pods: i64,
    /// Everything else.
    pub(crate) other: BTreeMap<String, i64>,
}

fn whole(number: i128) -> i64 {
    i64::try_from(number).unwrap_or(if number < 0 { i64::MIN } else { i64::MAX })
}

impl Amounts {
    /// Of a list as the API has it.
    pub(crate) fn of(resources: &Resources) -> Self {
        let mut amounts = Self::default();
        for (name, quantity) in resources {
            match name.as_str() {
                "cpu" => amounts.cpu = whole(quantity.milli()),
                "memory" => amounts.memory = whole(quantity.units()),
                "pods" => amounts.pods = whole(quantity.units()),
                _ => {
                    amounts.other.insert(name.clone(), whole(quantity.units()));
                }
            }
        }
        amounts
    }

    pub(crate) fn add(&mut self, more: &Self) {
        self.cpu += more.cpu;
        self.memory += more.memory;
        self.pods += more.pods;
        for (name, amount) in &more.other {
            *self.other.entry(name.clone()).or_default() += amount;
        }
    }

    pub(crate) fn subtract(&mut self, less: &Self) {
        self.cpu -= less.cpu;
        self.memory -= less.memory;
        self.pods -= less.pods;
        for (name, amount) in &less.other {
            *self.other.entry(name.clone()).or_default() -= amount;
        }
    }

    /// What there is too little of, beside what is used, for this; `None` where all fits.
    pub(crate) fn lacks(&self, used: &Self, wanted: &Self) -> Option<String> {
        if used.pods + wanted.pods > self.pods {
            return Some("Too many pods".to_owned());
        }
        let short = |have: i64, used: i64, wanted: i64| wanted > 0 && used.saturating_add(wanted) > have;
        if short(self.cpu, used.cpu, wanted.cpu) {
            return Some("Insufficient cpu".to_owned());
        }
        if short(self.memory, used.memory, wanted.memory) {
            return Some("Insufficient memory".to_owned());
        }
        let of = |amounts: &Self, name: &str| amounts.other.get(name).copied().unwrap_or_default();
        wanted
            .other
            .iter()
            .find(|(name, wanted)| short(of(self, name), of(used, name), **wanted))
            .map(|(name, _)| format!("Insufficient {name}"))
    }
}

/// A template in a namespace, and who is of it. Budgets, Services and rules of affinity look at these and
/// not at each Pod.
#[derive(Debug, Clone)]
pub(crate) struct Shape {
    pub(crate) namespace: Arc<str>,
    pub(crate) template: Arc<PodTemplate>,
    pub(crate) requests: Amounts,
    pub(crate) behaviour: Behaviour,
    /// The budgets that are for its Pods.
    pub(crate) budgets: Vec<BudgetId>,
    pub(crate) pods: BTreeSet<PodId>,
    /// How many of its Pods are on which node, those that have ended left out.
    pub(crate) on_nodes: BTreeMap<NodeId, u32>,
    pub(crate) in_zones: BTreeMap<Arc<str>, u32>,
}

/// Where a Pod is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stage {
    /// It has no node.
    Unscheduled,
    /// It has a node, and waits for volumes.
    Attaching,
    /// Its containers are being made.
    Starting,
    /// Its containers run.
    Running,
    /// It has ended well.
    Succeeded,
    /// It has ended badly.
    Failed,
}

/// That somebody has asked for the end of a Pod.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Deletion {
    /// When the grace period is over: the deletionTimestamp.
    pub(crate) at: Timestamp,
    pub(crate) grace: Duration,
}

/// A Pod.
#[derive(Debug, Clone)]
pub(crate) struct Pod {
    pub(crate) name: Arc<str>,
    pub(crate) shape: ShapeId,
    /// The workload, and which of its revisions.
    pub(crate) owner: Option<(WorkloadId, u32)>,
    /// Its number in a StatefulSet.
    pub(crate) ordinal: Option<u32>,
    pub(crate) node: Option<NodeId>,
    /// The only node for it (DaemonSets).
    pub(crate) only_node: Option<NodeId>,
    pub(crate) version: u64,
    pub(crate) created: Timestamp,
    pub(crate) stage: Stage,
    pub(crate) ready: bool,
    /// When it became ready, or no longer was.
    pub(crate) ready_since: Timestamp,
    pub(crate) started: Option<Timestamp>,
    pub(crate) deletion: Option<Deletion>,
    pub(crate) finalizers: Vec<String>,
    /// A static Pod: what is seen of it is its mirror.
    pub(crate) mirror: bool,
    /// Its containers are no more, whatever the API says: its machine has stopped.
    pub(crate) dead: bool,
    /// Why it has no node.
    pub(crate) unschedulable: Option<Arc<str>>,
}

impl Pod {
    pub(crate) fn is_finished(&self) -> bool {
        matches!(self.stage, Stage::Succeeded | Stage::Failed)
    }

    /// What controllers count: neither ended nor about to.
    pub(crate) fn is_active(&self) -> bool {
        self.deletion.is_none() && !self.is_finished()
    }

    /// What budgets count as healthy.
    pub(crate) fn is_healthy(&self) -> bool {
        self.deletion.is_none() && self.ready
    }
}

/// A node, with what the API says of it and what is so.
#[derive(Debug, Clone)]
pub(crate) struct Node {
    /// What the API says.
    pub(crate) object: api::Node,
    pub(crate) name: Arc<str>,
    pub(crate) zone: Arc<str>,
    pub(crate) instance_id: String,
    pub(crate) group: Option<String>,
    pub(crate) fault: Option<crate::bridge::MachineFault>,
    /// Whether its kubelet answers.
    pub(crate) alive: bool,
    /// Whether its machine has stopped: its kubelet never answers again.
    pub(crate) stopped: bool,
    /// Whether its Pod network was there once: its configuration stays where it was written.
    pub(crate) configured: bool,
    /// Since when it does not.
    pub(crate) silent_since: Option<Timestamp>,
    pub(crate) room: Amounts,
    pub(crate) used: Amounts,
    pub(crate) pods: BTreeSet<PodId>,
    /// Its place in the order of free nodes; `None` where it takes no ordinary Pods.
    pub(crate) place: Option<i64>,
}

/// A revision of a workload: a ReplicaSet of a Deployment, a ControllerRevision of the others.
#[derive(Debug, Clone)]
pub(crate) struct Revision {
    pub(crate) hash: String,
    pub(crate) template: Arc<PodTemplate>,
    /// The shape of its Pods; StatefulSets have one for each number.
    pub(crate) shape: Option<ShapeId>,
    pub(crate) shapes: BTreeMap<u32, ShapeId>,
    /// How many Pods it is to have (Deployments and ReplicaSets).
    pub(crate) desired: u32,
    /// Its Pods that are active.
    pub(crate) pods: BTreeSet<PodId>,
    /// How many of these are ready.
    pub(crate) ready: u32,
    pub(crate) created: Timestamp,
}

/// A workload.
#[derive(Debug, Clone)]
pub(crate) struct Workload {
    pub(crate) kind: WorkloadKind,
    pub(crate) namespace: Arc<str>,
    pub(crate) name: Arc<str>,
    pub(crate) version: u64,
    pub(crate) generation: i64,
    pub(crate) observed: i64,
    pub(crate) created: Timestamp,
    pub(crate) labels: BTreeMap<String, String>,
    pub(crate) annotations: BTreeMap<String, String>,
    pub(crate) selector: LabelSelector,
    pub(crate) template: Arc<PodTemplate>,
    pub(crate) behaviour: Behaviour,
    pub(crate) strategy: RolloutStrategy,
    pub(crate) desired: u32,
    pub(crate) paused: bool,
    /// For a StatefulSet: `podManagementPolicy: Parallel`.
    pub(crate) parallel: bool,
    /// For a StatefulSet: claims that each of its Pods has of its own.
    pub(crate) claims: Vec<ClaimTemplate>,
    pub(crate) completions: Option<u32>,
    pub(crate) backoff_limit: u32,
    pub(crate) succeeded: u32,
    pub(crate) failed: u32,
    /// The last is the present one.
    pub(crate) revisions: Vec<Revision>,
    /// For a StatefulSet: who has which number, those that end among them.
    pub(crate) ordinals: BTreeMap<u32, PodId>,
    /// For a DaemonSet: who is on which node, those that end among them.
    pub(crate) on_nodes: BTreeMap<NodeId, PodId>,
    /// For a DaemonSet: the nodes that it belongs on.
    pub(crate) belongs: BTreeSet<NodeId>,
}

impl Workload {
    /// Its present revision.
    pub(crate) fn current(&self) -> u32 {
        u32::try_from(self.revisions.len().saturating_sub(1)).unwrap_or(u32::MAX)
    }

    pub(crate) fn revision(&self, number: u32) -> Option<&Revision> {
        self.revisions.get(usize::try_from(number).ok()?)
    }

    pub(crate) fn revision_mut(&mut self, number: u32) -> Option<&mut Revision> {
        self.revisions.get_mut(usize::try_from(number).ok()?)
    }

    /// How many active Pods it has.
    pub(crate) fn active(&self) -> u32 {
        count(self.revisions.iter().map(|revision| revision.pods.len()).sum())
    }

    /// How many of them are ready.
    pub(crate) fn ready(&self) -> u32 {
        self.revisions.iter().map(|revision| revision.ready).sum()
    }

    pub(crate) fn reference(&self) -> api::WorkloadRef {
        api::WorkloadRef {
            kind: self.kind,
            namespace: self.namespace.to_string(),
            name: self.name.to_string(),
        }
    }
}

/// A claim that each Pod of a StatefulSet has of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClaimTemplate {
    /// Its name: the claim of `db-0` is `NAME-db-0`.
    pub name: String,
    /// How much it asks for, in bytes.
    pub storage: i64,
}

/// A budget.
#[derive(Debug, Clone)]
pub(crate) struct Budget {
    pub(crate) object: api::Budget,
    pub(crate) shapes: BTreeSet<ShapeId>,
    /// All Pods that it is for.
    pub(crate) pods: u32,
    /// Those that are healthy.
    pub(crate) healthy: u32,
    /// Those that are healthy and whose machine has not stopped.
    pub(crate) truly: u32,
    /// How many of its Pods each workload has.
    pub(crate) owners: BTreeMap<WorkloadId, u32>,
}

/// A number as the API has it.
pub(crate) fn count(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

/// Later by so much; the last moment there is, where that is beyond it.
pub(crate) fn later(moment: Timestamp, by: Duration) -> Timestamp {
    moment.checked_add(by).unwrap_or(Timestamp::MAX)
}
