//! Nodes that are hardly used: their Pods are moved to others, and they go (F13).
//!
//! <https://github.com/kubernetes/autoscaler/blob/master/cluster-autoscaler/FAQ.md#how-does-scale-down-work>
//! (2026-11): less than half is asked for, every Pod fits elsewhere and may be moved, for ten minutes. One node is
//! drained at a time. What stands in the way: Pods that nobody makes anew, that say they are not safe to evict, that have
//! local storage, those of kube-system without a budget, budgets that allow nothing.

use std::collections::BTreeMap;

use eks_provider::kube::{TaintEffect, VolumeSource};

use super::super::super::lifecycle::movable;
use super::super::super::objects::{Amounts, Node, NodeId, PodId, Shape, later};
use super::super::super::scheduler::{label_refusal, taint_refusal};
use super::super::super::state::State as Cluster;
use super::super::super::{eviction, nodes};
use super::{SAFE_TO_EVICT, State, TO_BE_DELETED};
use crate::{World, aws};

/// How long evictions are tried before the node is let alone again (`--max-pod-eviction-time`). Same source.
const EVICTION_TIME: std::time::Duration = std::time::Duration::from_mins(2);

/// Whether less than half of what a node has is asked for (`--scale-down-utilization-threshold`); DaemonSets' Pods
/// do not count.
fn is_hardly_used(cluster: &Cluster, node: &Node) -> bool {
    let mut asked = Amounts::default();
    for id in &node.pods {
        let counted = cluster.pods.get(id).filter(|pod| !pod.is_finished() && pod.only_node.is_none());
        if let Some(shape) = counted.and_then(|pod| cluster.shape(pod.shape)) {
            asked.add(&shape.requests);
        }
    }
    asked.cpu * 2 < node.room.cpu && asked.memory * 2 < node.room.memory
}

/// Whether a Pod may be moved, as far as it says itself.
fn may_move(cluster: &Cluster, id: PodId, shape: &Shape) -> bool {
    let safe = shape.template.annotations.get(SAFE_TO_EVICT).map(String::as_str);
    let owned = cluster.pods.get(&id).is_some_and(|pod| pod.owner.is_some());
    let local = || {
        shape
            .template
            .spec
            .volumes
            .iter()
            .any(|volume| matches!(volume.source, VolumeSource::EmptyDir { .. }))
    };
    let system = || &*shape.namespace == "kube-system" && shape.budgets.is_empty();
    let allowed = shape.budgets.len() < 2
        && shape.budgets.iter().all(|budget| {
            cluster.budgets.get(budget).is_some_and(|budget| budget.object.status.disruptions_allowed > 0)
        });
    let says = match safe {
        Some("true") => true,
        Some("false") => false,
        _ => owned && !local() && !system(),
    };
    says && allowed
}

/// Whether all Pods of a node may be moved and have room on other nodes, those that are there.
fn can_be_emptied(cluster: &Cluster, id: NodeId) -> bool {
    let Some(node) = cluster.nodes.get(&id) else { return false };
    let mut taken: BTreeMap<NodeId, Amounts> = BTreeMap::new();
    for pod in node.pods.iter().copied() {
        let moves = cluster.pods.get(&pod).is_some_and(|pod| !pod.is_finished() && pod.only_node.is_none());
        if !moves {
            continue;
        }
        let Some(shape) = cluster.shape_of(pod) else { return false };
        if !may_move(cluster, pod, shape) {
            return false;
        }
        let room = cluster.nodes.iter().find(|(other, node)| {
            let used = taken.get(other).unwrap_or(&node.used);
            **other != id
                && taint_refusal(shape, &node.object, false).is_none()
                && label_refusal(shape, &node.object).is_none()
                && node.room.lacks(used, &shape.requests).is_none()
        });
        let Some((other, node)) = room else { return false };
        taken.entry(*other).or_insert_with(|| node.used.clone()).add(&shape.requests);
    }
    true
}

/// The nodes of groups that are hardly used, not empty, and could be emptied.
pub(super) fn candidates(world: &World, state: &State) -> Vec<(NodeId, String)> {
    let groups = &state.settings.groups;
    let of_groups = world.kube.nodes.iter().filter_map(|(id, node)| {
        let name = node.group.as_ref().filter(|name| groups.iter().any(|group| group.name == **name))?;
        Some((*id, name.clone(), node))
    });
    of_groups
        .filter(|(id, _, node)| {
            node.object.is_ready()
                && !movable(world, *id).is_empty()
                && is_hardly_used(&world.kube, node)
                && can_be_emptied(&world.kube, *id)
        })
        .map(|(id, name, _)| (id, name))
        .collect()
}

/// It begins to drain a node.
pub(super) fn begin(world: &mut World, state: &mut State, id: NodeId) {
    let now = world.now();
    let Some(name) = world.kube.nodes.get(&id).map(|node| node.name.clone()) else { return };
    world.kube.observer.deed(now, format!("cluster-autoscaler: drains {name}"));
    nodes::change(world, id, |node| nodes::taint(node, TO_BE_DELETED, TaintEffect::NoSchedule, now));
    state.draining = Some((id, now));
}

/// It goes on with the node that it drains: evicts, terminates when it is empty, gives up after a time.
pub(super) fn go_on(world: &mut World, state: &mut State) {
    let now = world.now();
    let Some((id, since)) = state.draining else { return };
    let Some(node) = world.kube.nodes.get(&id) else {
        state.draining = None;
        return;
    };
    let (instance, group) = (node.instance_id.clone(), node.group.clone().unwrap_or_default());
    let pods = movable(world, id);
    if pods.is_empty() {
        world.kube.observer.deed(now, format!("cluster-autoscaler: removes drained {instance}"));
        state.draining = None;
        state.read.entry(group).and_modify(|(_, size)| *size = size.saturating_sub(1));
        aws::terminate_with_decrement(world, &instance);
        return;
    }
    let mut stuck = false;
    for pod in pods {
        if world.kube.pods.get(&pod).is_none_or(|pod| pod.deletion.is_some()) {
            continue;
        }
        eviction::evict_seen(world, pod);
        stuck |= world.kube.pods.get(&pod).is_some_and(|pod| pod.deletion.is_none());
    }
    if stuck && later(since, EVICTION_TIME) <= now {
        world.kube.observer.deed(now, format!("cluster-autoscaler: gives up draining {instance}"));
        state.draining = None;
        state.unneeded.remove(&id);
        nodes::change(world, id, |node| nodes::untaint(node, TO_BE_DELETED));
    }
}
