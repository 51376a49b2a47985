//! The Kubernetes half: nodes, Pods, workloads, budgets, evictions, volumes.
//!
//! Controllers look at what has changed a moment after it has (`Settings::sync`), all of them in the same
//! order: workloads, scheduler, budgets. Kubelets, attachments and the like take their time.

mod actors;
mod addons;
mod budgets;
mod calls;
mod events;
mod eviction;
mod faults;
mod kubelet;
mod lifecycle;
mod nodes;
mod objects;
mod observer;
mod pods;
mod render;
mod scenario;
mod scheduler;
mod settings;
mod state;
#[cfg(test)]
mod tests;
mod volumes;
mod watch;
mod workloads;

pub use self::actors::{AutoscalerGroup, ClusterAutoscaler, Deed, Karpenter, KarpenterPool, TimedDeed};
pub use self::addons::{CORE_ADDONS, install_addon, remove_addon};
pub use self::faults::{Fault, Injection};
pub use self::objects::{Behaviour, ClaimTemplate};
pub use self::observer::{BudgetRecord, LostPod, Observer};
pub use self::scenario::{
    BudgetPart, ClaimPart, EffectWord, FaultPart, FaultWord, NamespacePart, NodePick, Number, OperatorWord,
    QuantityText, Scenario, ScenarioError, ServicePart, ServiceWord, SpreadPart, StrategyPart, StrategyWord,
    TolerationPart, TrafficWord, UnhealthyWord, WebhookPart, WorkloadPart, WorkloadWord, apply,
};
pub use self::settings::{Between, Settings};
pub(crate) use self::state::State;

use self::objects::{BudgetId, NodeId, PodId};
use crate::World;

/// What is to happen in Kubernetes.
#[derive(Debug)]
pub(crate) enum Event {
    /// The controllers look at what has changed.
    Sync,
    /// The disruption controller looks.
    Budgets,
    /// The disruption controller looks at a budget again.
    BudgetAgain(BudgetId),
    /// A machine that no group has started is gone.
    MachineGone(String),
    /// A kubelet registers.
    Registers(String),
    /// A kubelet that flaps changes its mind.
    Flaps(NodeId, bool),
    /// A kubelet has been silent for the grace period.
    NodeSilent(NodeId),
    /// The node controller looks at a node that was cordoned, or no longer is.
    CordonSeen(NodeId),
    /// The cloud controller looks at a node whose machine is gone.
    CloudLooks(NodeId),
    /// Pods whose node is gone are collected.
    CollectPods(Vec<PodId>),
    /// A Pod no longer tolerates its node.
    TaintEvicts(PodId, NodeId),
    /// The containers of a Pod run.
    PodRuns(PodId),
    /// A Pod is ready.
    PodReady(PodId),
    /// The containers of a Pod that was asked to end are gone.
    PodEnds(PodId),
    /// A Pod ends by itself.
    PodFinishes(PodId),
    /// A volume is attached.
    Attached(String, u32),
    /// A volume is detached.
    Detached(String, u32),
    /// A fault begins.
    Inject(Box<Injection>),
    /// cluster-autoscaler looks.
    Autoscaler,
    /// Karpenter looks.
    Karpenter,
    /// A person does something.
    Person(Box<Deed>),
}

impl From<Event> for crate::world::Event {
    fn from(event: Event) -> Self {
        Self::Kube(event)
    }
}

/// Lets something happen.
pub(crate) fn happen(world: &mut World, event: Event) {
    if !matches!(event, Event::Inject(_)) && world.kube.faults.is_away(world.now()) {
        // Nobody can write down what happens; it is written down when the API is back.
        world.after(std::time::Duration::from_secs(1), event.into());
        return;
    }
    match event {
        Event::Sync => sync(world),
        Event::Budgets => {
            world.kube.budgets_queued = false;
            budgets::run(world);
        }
        Event::BudgetAgain(id) => {
            world.kube.dirty_budgets.insert(id);
            queue_sync(world);
        }
        Event::MachineGone(instance) => lifecycle::machine_gone(world, &instance),
        Event::Registers(instance) => kubelet::registers(world, &instance),
        Event::Flaps(node, ready) => kubelet::flaps(world, node, ready),
        Event::NodeSilent(node) => lifecycle::node_silent(world, node),
        Event::CordonSeen(id) => nodes::follow_cordon(world, id),
        Event::CloudLooks(node) => lifecycle::cloud_looks(world, node),
        Event::CollectPods(pods) => lifecycle::collect_pods(world, &pods),
        Event::TaintEvicts(pod, node) => lifecycle::taint_evicts(world, pod, node),
        Event::PodRuns(pod) => kubelet::runs(world, pod),
        Event::PodReady(pod) => kubelet::becomes_ready(world, pod),
        Event::PodEnds(pod) => pods::ended(world, pod),
        Event::PodFinishes(pod) => {
            let now = world.now();
            pods::finish(world, pod, true, now);
        }
        Event::Attached(volume, id) => volumes::attached(world, &volume, id),
        Event::Detached(volume, id) => volumes::detached(world, &volume, id),
        Event::Inject(injection) => inject(world, *injection),
        Event::Autoscaler => actors::autoscaler::scan(world),
        Event::Karpenter => actors::karpenter::look(world),
        Event::Person(deed) => actors::person::does(world, &deed),
    }
}

/// Has the controllers look soon.
pub(crate) fn queue_sync(world: &mut World) {
    if !world.kube.sync_queued {
        world.kube.sync_queued = true;
        let sync = world.kube.settings.sync;
        world.after(sync, Event::Sync.into());
    }
    if !world.kube.budgets_queued && !world.kube.dirty_budgets.is_empty() {
        world.kube.budgets_queued = true;
        let lag = world.kube.settings.budget_lag;
        world.after(lag, Event::Budgets.into());
    }
}

fn sync(world: &mut World) {
    world.kube.sync_queued = false;
    workloads::run(world);
    scheduler::run(world);
}

/// A fault begins.
pub(crate) fn inject(world: &mut World, injection: Injection) {
    if injection.fault == Fault::WatchForgets {
        let version = world.kube.bump();
        world.kube.log.forget(version);
        return;
    }
    if injection.fault == Fault::StaleReads {
        let mut copy = world.kube.clone();
        copy.faults.clear();
        world.kube.faults.stale = Some(Box::new(copy));
    }
    world.kube.faults.add(injection, &mut world.random);
}

/// A machine has started, and its kubelet will register.
pub(crate) fn machine_started(world: &mut World, machine: crate::Machine) {
    kubelet::machine_started(world, machine);
}

/// A machine is shutting down: its kubelet answers no longer.
pub(crate) fn machine_stopped(world: &mut World, instance_id: &str) {
    kubelet::machine_stopped(world, instance_id);
}

/// A machine is gone: the cloud controller removes its node.
pub(crate) fn machine_gone(world: &mut World, instance_id: &str) {
    lifecycle::machine_gone(world, instance_id);
}

/// The control plane has another version now; `None` while its API is away.
pub(crate) fn control_plane(world: &mut World, cluster: &str, version: Option<eks_model::KubeMinor>) {
    if world.kube.cluster.as_ref().is_some_and(|ours| ours != cluster) {
        return;
    }
    world.kube.faults.control_plane_away = version.is_none();
    if version.is_some() {
        world.kube.minor = version;
        // A new API server knows nothing of what its predecessor told watches.
        let version = world.kube.bump();
        world.kube.log.forget(version);
    }
}

/// Whether the node of an instance is Ready.
pub(crate) fn node_ready(world: &World, instance_id: &str) -> bool {
    let node = world.kube.by_instance.get(instance_id).and_then(|id| world.kube.nodes.get(id));
    node.is_some_and(|node| node.object.is_ready())
}

/// Marks the node of an instance as EKS does before it replaces it, or takes that back: no new Pods, and no traffic from
/// load balancers.
pub(crate) fn set_aside(world: &mut World, instance_id: &str, aside: bool) {
    const EXCLUDED: &str = "node.kubernetes.io/exclude-from-external-load-balancers";
    if let Some(id) = world.kube.by_instance.get(instance_id).copied() {
        nodes::change(world, id, |node| {
            node.unschedulable = aside;
            if aside {
                node.meta.labels.insert(EXCLUDED.to_owned(), "true".to_owned());
            } else {
                node.meta.labels.remove(EXCLUDED);
            }
        });
    }
}

/// Evicts the Pods of the node of an instance, once each, and DaemonSets' and static ones not; those that
/// are left, as `namespace/name`.
pub(crate) fn evict(world: &mut World, instance_id: &str) -> Vec<String> {
    let Some(node) = world.kube.by_instance.get(instance_id).copied() else { return Vec::new() };
    let mut left = Vec::new();
    for id in lifecycle::movable(world, node) {
        eviction::evict_seen(world, id);
        if let Some((shape, pod)) = world.kube.shape_of(id).zip(world.kube.pods.get(&id)) {
            left.push(format!("{}/{}", shape.namespace, pod.name));
        }
    }
    left
}

impl World {
    /// What was seen in the cluster.
    pub fn observer(&self) -> &Observer {
        &self.kube.observer
    }

    /// Starts a machine that no group has started: its kubelet joins the cluster.
    pub fn start_machine(&mut self, machine: crate::Machine) {
        machine_started(self, machine);
    }

    /// Stops a machine that no group has started, as a loss of power does; it is gone a minute later.
    pub fn lose_machine(&mut self, instance_id: &str) {
        machine_stopped(self, instance_id);
        let gone = Event::MachineGone(instance_id.to_owned());
        self.after(std::time::Duration::from_mins(1), gone.into());
    }

    /// How long things take in the cluster.
    pub fn kube_settings(&mut self) -> &mut Settings {
        &mut self.kube.settings
    }

    /// Has a person do something in the cluster, now.
    pub fn person_does(&mut self, deed: &Deed) {
        actors::person::does(self, deed);
    }

    /// Has something go wrong in the cluster, from now on.
    pub fn inject(&mut self, injection: Injection) {
        inject(self, injection);
    }

    /// Has something go wrong in the cluster, later.
    pub fn inject_after(&mut self, delay: std::time::Duration, injection: Injection) {
        self.after(delay, Event::Inject(Box::new(injection)).into());
    }

    /// Ends all that goes wrong with the API server.
    pub fn clear_faults(&mut self) {
        self.kube.faults.clear();
    }
}
