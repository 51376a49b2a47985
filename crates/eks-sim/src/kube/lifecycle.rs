//! What the control plane does about nodes that are silent or gone: node controller, taint eviction,
//! cloud controller, garbage collection of Pods.

use std::time::Duration;

use eks_provider::kube::{self as api, ConditionStatus, TaintEffect};
use jiff::Timestamp;

use super::Event;
use super::objects::{NodeId, PodId};
use super::{nodes, pods};
use crate::World;

/// A kubelet has been silent for the grace period: nobody knows how its node is. The node controller says
/// so, taints the node and says of its Pods that they are not ready.
/// <https://kubernetes.io/docs/concepts/architecture/nodes/#node-controller> (2026-11)
pub(crate) fn node_silent(world: &mut World, id: NodeId) {
    let now = world.now();
    let grace = world.kube.settings.node_monitor_grace_period;
    let Some(node) = world.kube.nodes.get(&id) else { return };
    let since = node.silent_since;
    if node.alive || since.is_none_or(|since| super::objects::later(since, grace) > now) {
        return;
    }
    nodes::change(world, id, |node| nodes::set_ready(node, &ConditionStatus::Unknown, now));
    node_not_ready(world, id);
}

/// A node is not ready: its Pods are not either, and those that do not tolerate it are to leave.
pub(crate) fn node_not_ready(world: &mut World, id: NodeId) {
    let Some(node) = world.kube.nodes.get(&id) else { return };
    let pods: Vec<PodId> = node.pods.iter().copied().collect();
    for pod in pods {
        pods::set_ready(world, pod, false);
    }
    evict_by_taints(world, id);
}

/// Starts the clocks of all Pods that do not tolerate what a node is tainted with.
/// <https://kubernetes.io/docs/concepts/scheduling-eviction/taint-and-toleration/#taint-based-evictions> (2026-11)
pub(crate) fn evict_by_taints(world: &mut World, id: NodeId) {
    let now = world.now();
    let Some(node) = world.kube.nodes.get(&id) else { return };
    let pods: Vec<PodId> = node.pods.iter().copied().collect();
    for pod in pods {
        if let Some(until) = tolerated_until(world, pod, id) {
            let left = until.duration_since(now).try_into().unwrap_or(Duration::ZERO);
            world.after(left, Event::TaintEvicts(pod, id).into());
        }
    }
}

/// Until when a Pod may stay on a node; `None` is for ever.
fn tolerated_until(world: &World, pod: PodId, node: NodeId) -> Option<Timestamp> {
    let state = &world.kube;
    let shape = state.shape_of(pod)?;
    let daemon = state.pods.get(&pod)?.only_node.is_some();
    let mut until: Option<Timestamp> = None;
    for taint in &state.nodes.get(&node)?.object.taints {
        if taint.effect != TaintEffect::NoExecute {
            continue;
        }
        let condition = [nodes::NOT_READY, nodes::UNREACHABLE].contains(&taint.key.as_str());
        if condition && daemon {
            continue;
        }
        let tolerations: Vec<&api::Toleration> = shape
            .template
            .spec
            .tolerations
            .iter()
            .filter(|toleration| toleration.tolerates(taint) == Some(true))
            .collect();
        let time = if tolerations.is_empty() {
            Some(if condition { state.settings.default_toleration } else { Duration::ZERO })
        } else {
            // With several, the shortest that is said counts.
            tolerations.iter().filter_map(|toleration| toleration.duration).min()
        };
        let end = time.map(|time| super::objects::later(taint.time_added.unwrap_or(world.now()), time));
        until = [until, end].into_iter().flatten().min();
    }
    until
}

/// The time that a Pod tolerates a taint is over: it is deleted, and no budget is asked.
pub(crate) fn taint_evicts(world: &mut World, pod: PodId, node: NodeId) {
    let now = world.now();
    let on_it = world.kube.pods.get(&pod).is_some_and(|pod| pod.node == Some(node) && pod.is_active());
    if on_it && tolerated_until(world, pod, node).is_some_and(|until| until <= now) {
        world.kube.observer.taint_evictions += 1;
        pods::delete(world, pod, None);
    }
}

/// A machine is no more. The cloud controller looks at nodes that are not ready, and deletes those
/// without a machine.
/// <https://kubernetes.io/docs/concepts/architecture/cloud-controller/#node-controller> (2026-11)
pub(crate) fn machine_gone(world: &mut World, instance: &str) {
    super::kubelet::machine_stopped(world, instance);
    if let Some(id) = world.kube.by_instance.get(instance).copied() {
        cloud_looks(world, id);
    }
}

/// The cloud controller looks at a node whose machine is gone.
pub(crate) fn cloud_looks(world: &mut World, id: NodeId) {
    let Some(node) = world.kube.nodes.get(&id) else { return };
    if node.alive {
        return;
    }
    if node.object.is_ready() {
        let period = world.kube.settings.cloud_node_period;
        world.after(period, Event::CloudLooks(id).into());
    } else {
        nodes::remove(world, id);
    }
}

/// Pods whose node is no more are removed, without a grace period: nobody is there to give it.
pub(crate) fn collect_pods(world: &mut World, orphans: &[PodId]) {
    for id in orphans {
        let orphan = world
            .kube
            .pods
            .get(id)
            .is_some_and(|pod| pod.node.is_some_and(|node| !world.kube.nodes.contains_key(&node)));
        if orphan {
            pods::delete(world, *id, Some(Duration::ZERO));
        }
    }
}

/// The Pods of a node that would have to move.
pub(crate) fn movable(world: &World, node: NodeId) -> Vec<PodId> {
    let pods = world.kube.nodes.get(&node).into_iter().flat_map(|node| &node.pods);
    pods.filter(|id| world.kube.pods.get(id).is_some_and(|pod| !pod.is_finished() && pod.only_node.is_none()))
        .copied()
        .collect()
}
