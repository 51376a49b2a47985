//! How Pods come, change and go, and what is counted up beside them.

use std::sync::Arc;
use std::time::Duration;

use eks_provider::kube::PodTemplate;
use jiff::Timestamp;

use super::objects::{
    Amounts, Behaviour, Deletion, NodeId, Pod, PodId, Shape, ShapeId, Stage, WorkloadId, later,
};
use super::{Event, queue_sync};
use crate::World;

/// A Pod to be made.
#[derive(Debug, Clone)]
pub(crate) struct NewPod {
    pub(crate) name: Arc<str>,
    pub(crate) shape: ShapeId,
    pub(crate) owner: Option<(WorkloadId, u32)>,
    pub(crate) ordinal: Option<u32>,
    pub(crate) only_node: Option<NodeId>,
    pub(crate) mirror: bool,
    pub(crate) finalizers: Vec<String>,
}

/// What others count of a Pod.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Counted {
    active: bool,
    ready: bool,
    healthy: bool,
    truly: bool,
    finished: bool,
}

impl Counted {
    fn of(pod: &Pod) -> Self {
        Self {
            active: pod.is_active(),
            ready: pod.is_active() && pod.ready,
            healthy: pod.is_healthy(),
            truly: pod.is_healthy() && !pod.dead,
            finished: pod.is_finished(),
        }
    }
}

/// A template of a namespace, with its sums.
pub(crate) fn shape(namespace: &Arc<str>, template: Arc<PodTemplate>, behaviour: Behaviour) -> Shape {
    let mut requests = Amounts::of(&template.spec.requests());
    requests.pods = 1;
    Shape {
        namespace: namespace.clone(),
        template,
        requests,
        behaviour,
        budgets: Vec::new(),
        pods: std::collections::BTreeSet::new(),
        on_nodes: std::collections::BTreeMap::new(),
        in_zones: std::collections::BTreeMap::new(),
    }
}

/// Makes a Pod; `None` where its name is taken.
pub(crate) fn create(world: &mut World, new: NewPod) -> Option<PodId> {
    let now = world.now();
    let state = &mut world.kube;
    let namespace = state.shape(new.shape)?.namespace.clone();
    let names = state.pod_names.entry(namespace).or_default();
    if names.contains_key(&new.name) {
        return None;
    }
    let id = PodId(state.next_id());
    let version = state.bump();
    let shape = state.shape(new.shape)?;
    state.pod_names.entry(shape.namespace.clone()).or_default().insert(new.name.clone(), id);
    let shape = state.shape_mut(new.shape)?;
    shape.pods.insert(id);
    let gated = !shape.template.spec.scheduling_gates.is_empty();
    let priority = i64::from(shape.template.spec.priority.unwrap_or_default());
    for budget in shape.budgets.clone() {
        if let Some(budget) = state.budgets.get_mut(&budget) {
            budget.pods += 1;
            if let Some((workload, _)) = new.owner {
                *budget.owners.entry(workload).or_default() += 1;
            }
        }
        state.dirty_budgets.insert(budget);
    }
    let pod = Pod {
        name: new.name,
        shape: new.shape,
        owner: new.owner,
        ordinal: new.ordinal,
        node: None,
        only_node: new.only_node,
        version,
        created: now,
        stage: Stage::Unscheduled,
        ready: false,
        ready_since: now,
        started: None,
        deletion: None,
        finalizers: new.finalizers,
        mirror: new.mirror,
        dead: false,
        unschedulable: None,
    };
    if let Some((workload, revision)) = new.owner {
        if let Some(workload) = state.workloads.get_mut(&workload) {
            if let Some(revision) = workload.revision_mut(revision) {
                revision.pods.insert(id);
            }
            if let Some(ordinal) = new.ordinal {
                workload.ordinals.insert(ordinal, id);
            }
            if let (Some(node), eks_provider::kube::WorkloadKind::DaemonSet) = (new.only_node, workload.kind)
            {
                workload.on_nodes.insert(node, id);
            }
        }
        touch_workload(world, workload);
    }
    let state = &mut world.kube;
    state.pods.insert(id, pod);
    state.log.pod(version, None);
    if !gated {
        state.pending.insert((-priority, id));
    }
    queue_sync(world);
    Some(id)
}

/// A workload has changed, and its controller has to look.
pub(crate) fn touch_workload(world: &mut World, id: WorkloadId) {
    let state = &mut world.kube;
    let version = state.bump();
    if let Some(workload) = state.workloads.get_mut(&id) {
        workload.version = version;
        let namespace = workload.namespace.clone();
        state.log.workload(version, &namespace);
        state.dirty_workloads.insert(id);
    }
    queue_sync(world);
}

/// Changes a Pod, and everything that is counted of it.
pub(crate) fn change(world: &mut World, id: PodId, change: impl FnOnce(&mut Pod)) {
    let state = &mut world.kube;
    let version = state.bump();
    let Some(pod) = state.pods.get_mut(&id) else { return };
    let before = Counted::of(pod);
    change(pod);
    pod.version = version;
    let after = Counted::of(pod);
    let (shape, owner, node) = (pod.shape, pod.owner, pod.node);
    let node_name = node.and_then(|node| state.nodes.get(&node)).map(|node| node.name.clone());
    state.log.pod(version, node_name.as_ref());
    if before == after {
        return;
    }
    if after.finished && !before.finished {
        release(world, shape, node);
    }
    count(world, shape, owner, id, before, after);
}

fn step(number: &mut u32, before: bool, after: bool) {
    match (before, after) {
        (false, true) => *number += 1,
        (true, false) => *number = number.saturating_sub(1),
        _ => {}
    }
}

fn count(
    world: &mut World,
    shape: ShapeId,
    owner: Option<(WorkloadId, u32)>,
    id: PodId,
    before: Counted,
    after: Counted,
) {
    let now = world.now();
    let state = &mut world.kube;
    let budgets = state.shape(shape).map(|shape| shape.budgets.clone()).unwrap_or_default();
    for budget_id in budgets {
        if let Some(budget) = state.budgets.get_mut(&budget_id) {
            step(&mut budget.healthy, before.healthy, after.healthy);
            step(&mut budget.truly, before.truly, after.truly);
            state.observer.budget(budget_id, budget, now);
        }
        state.dirty_budgets.insert(budget_id);
    }
    if let Some((workload, revision)) = owner {
        if let Some(owner) = state.workloads.get_mut(&workload) {
            if let Some(revision) = owner.revision_mut(revision) {
                step(&mut revision.ready, before.ready, after.ready);
                if before.active && !after.active {
                    revision.pods.remove(&id);
                }
            }
            if before.ready != after.ready {
                state.observer.workload(workload, owner, now);
            }
        }
        touch_workload(world, workload);
    }
    queue_sync(world);
}

/// Gives back what a Pod has of its node.
fn release(world: &mut World, shape: ShapeId, node: Option<NodeId>) {
    let Some(node) = node else { return };
    let state = &mut world.kube;
    let zone = state.nodes.get(&node).map(|node| node.zone.clone());
    let Some(shape) = state.shape_mut(shape) else { return };
    if let Some(number) = shape.on_nodes.get_mut(&node) {
        *number -= 1;
        if *number == 0 {
            shape.on_nodes.remove(&node);
        }
    }
    if let Some(number) = zone.and_then(|zone| shape.in_zones.get_mut(&zone)) {
        *number = number.saturating_sub(1);
    }
    let requests = shape.requests.clone();
    if let Some(node) = state.nodes.get_mut(&node) {
        node.used.subtract(&requests);
    }
    state.retry_unschedulable = true;
    super::nodes::place(state, node);
}

/// Puts a Pod on a node: what the scheduler's binding does.
pub(crate) fn bind(world: &mut World, id: PodId, node_id: NodeId) {
    let now = world.now();
    let state = &mut world.kube;
    let Some(pod) = state.pods.get(&id) else { return };
    let shape_id = pod.shape;
    let Some(node) = state.nodes.get_mut(&node_id) else { return };
    node.pods.insert(id);
    let zone = node.zone.clone();
    let Some(shape) = state.shape_mut(shape_id) else { return };
    *shape.on_nodes.entry(node_id).or_default() += 1;
    *shape.in_zones.entry(zone).or_default() += 1;
    let requests = shape.requests.clone();
    if let Some(node) = state.nodes.get_mut(&node_id) {
        node.used.add(&requests);
    }
    super::nodes::place(state, node_id);
    change(world, id, |pod| {
        pod.node = Some(node_id);
        pod.stage = Stage::Attaching;
        pod.unschedulable = None;
        pod.started = Some(now);
    });
    super::volumes::attach_for(world, id, node_id);
    super::kubelet::consider(world, id);
}

/// Asks for the end of a Pod, as a DELETE does. One that has no node, or has ended, is gone at once.
/// <https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#pod-termination> (2026-11)
pub(crate) fn delete(world: &mut World, id: PodId, grace: Option<Duration>) {
    let now = world.now();
    let Some(pod) = world.kube.pods.get(&id) else { return };
    let Some(shape) = world.kube.shape(pod.shape) else { return };
    let default = shape.template.spec.termination_grace_period.unwrap_or(Duration::from_secs(30));
    let grace = grace.unwrap_or(default);
    let behaviour = shape.behaviour;
    // A later, shorter wish is heard; a longer one is not.
    let sooner = pod.deletion.is_none_or(|deletion| later(now, grace) < deletion.at);
    let at_once = pod.node.is_none() || pod.is_finished() || grace.is_zero();
    if !sooner && !at_once {
        return;
    }
    change(world, id, |pod| pod.deletion = Some(Deletion { at: later(now, grace), grace }));
    if at_once {
        finalize(world, id);
        return;
    }
    if behaviour.hangs {
        return;
    }
    let ends = behaviour.ends_after.pick(&mut world.random).min(grace);
    world.after(ends, Event::PodEnds(id).into());
}

/// The kubelet has stopped the containers of a Pod that was asked to end.
pub(crate) fn ended(world: &mut World, id: PodId) {
    let Some(pod) = world.kube.pods.get(&id) else { return };
    let alive = pod.node.is_none_or(|node| world.kube.nodes.get(&node).is_some_and(|node| node.alive));
    if pod.deletion.is_some() && alive {
        finalize(world, id);
    }
}

/// Removes a Pod that is to be gone, unless somebody has still to be done with it.
pub(crate) fn finalize(world: &mut World, id: PodId) {
    let Some(pod) = world.kube.pods.get(&id) else { return };
    if pod.finalizers.is_empty() {
        remove(world, id);
    } else if !pod.is_finished() && pod.node.is_some() {
        change(world, id, |pod| {
            pod.stage = Stage::Failed;
            pod.ready = false;
        });
    }
}

/// Takes a Pod out of the world.
pub(crate) fn remove(world: &mut World, id: PodId) {
    // What is counted of it is counted back first.
    let now = world.now();
    change(world, id, |pod| {
        if !pod.is_finished() {
            pod.stage = Stage::Failed;
        }
        pod.ready = false;
        let grace = Duration::ZERO;
        pod.deletion.get_or_insert(Deletion { at: now, grace });
    });
    let state = &mut world.kube;
    let Some(pod) = state.pods.remove(&id) else { return };
    let version = state.bump();
    let node_name = pod.node.and_then(|node| state.nodes.get_mut(&node)).map(|node| {
        node.pods.remove(&id);
        node.name.clone()
    });
    state.log.pod(version, node_name.as_ref());
    if let Some(shape) = state.shape_mut(pod.shape) {
        shape.pods.remove(&id);
        let priority = i64::from(shape.template.spec.priority.unwrap_or_default());
        let namespace = shape.namespace.clone();
        let budgets = shape.budgets.clone();
        state.pending.remove(&(-priority, id));
        state.unschedulable.remove(&(-priority, id));
        if let Some(names) = state.pod_names.get_mut(&namespace) {
            names.remove(&pod.name);
        }
        for budget_id in budgets {
            if let Some(budget) = state.budgets.get_mut(&budget_id) {
                budget.pods = budget.pods.saturating_sub(1);
                if let Some((workload, _)) = pod.owner
                    && let Some(number) = budget.owners.get_mut(&workload)
                {
                    *number -= 1;
                    if *number == 0 {
                        budget.owners.remove(&workload);
                    }
                }
            }
            state.dirty_budgets.insert(budget_id);
        }
    }
    if let Some((workload_id, _)) = pod.owner {
        if let Some(workload) = state.workloads.get_mut(&workload_id) {
            if let Some(ordinal) = pod.ordinal
                && workload.ordinals.get(&ordinal) == Some(&id)
            {
                workload.ordinals.remove(&ordinal);
            }
            if let Some(node) = pod.only_node
                && workload.on_nodes.get(&node) == Some(&id)
            {
                workload.on_nodes.remove(&node);
                state.dirty_daemons.insert((workload_id, node));
            }
        }
        touch_workload(world, workload_id);
    }
    super::volumes::left(world, &pod);
    if pod.mirror {
        super::kubelet::static_pod_again(world, &pod);
    }
    queue_sync(world);
}

/// Says whether a Pod is ready.
pub(crate) fn set_ready(world: &mut World, id: PodId, ready: bool) {
    let now = world.now();
    if world.kube.pods.get(&id).is_some_and(|pod| pod.ready != ready) {
        change(world, id, |pod| {
            pod.ready = ready;
            pod.ready_since = now;
        });
    }
}

/// A Pod has ended by itself.
pub(crate) fn finish(world: &mut World, id: PodId, well: bool, now: Timestamp) {
    let Some(pod) = world.kube.pods.get(&id) else { return };
    if pod.is_finished() || pod.deletion.is_some() {
        return;
    }
    let owner = pod.owner;
    change(world, id, |pod| {
        pod.stage = if well { Stage::Succeeded } else { Stage::Failed };
        pod.ready = false;
        pod.ready_since = now;
    });
    if let Some((workload, _)) = owner
        && let Some(workload) = world.kube.workloads.get_mut(&workload)
        && workload.kind == eks_provider::kube::WorkloadKind::Job
    {
        *(if well { &mut workload.succeeded } else { &mut workload.failed }) += 1;
    }
    super::volumes::released(world, id);
}
