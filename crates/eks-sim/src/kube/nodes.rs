//! Nodes: how they are changed, and the order in which they are offered to Pods.

use std::sync::Arc;
use std::time::Duration;

use eks_provider::kube::{self as api, ConditionStatus, Taint, TaintEffect};
use jiff::Timestamp;

use super::objects::{Node, NodeId};
use super::queue_sync;
use super::state::State;
use crate::World;

pub(crate) const NOT_READY: &str = "node.kubernetes.io/not-ready";
pub(crate) const UNREACHABLE: &str = "node.kubernetes.io/unreachable";
pub(crate) const UNSCHEDULABLE: &str = "node.kubernetes.io/unschedulable";

/// How long the node controller takes to see a cordon: it watches.
const CORDON_SEEN: Duration = Duration::from_millis(100);

/// Whether ordinary Pods may come: no taint keeps them away.
fn is_open(node: &Node) -> bool {
    !node.object.unschedulable
        && node.object.taints.iter().all(|taint| taint.effect == TaintEffect::PreferNoSchedule)
}

/// Puts a node into its place in the order of free nodes, the freest first.
pub(crate) fn place(state: &mut State, id: NodeId) {
    let Some(node) = state.nodes.get_mut(&id) else { return };
    let place = is_open(node).then_some(node.used.cpu - node.room.cpu);
    if place == node.place {
        if place.is_none() {
            state.closed.insert(id);
        }
        return;
    }
    let zone = state.free.entry(node.zone.clone()).or_default();
    match node.place {
        Some(old) => {
            zone.remove(&(old, id));
        }
        None => {
            state.closed.remove(&id);
        }
    }
    match place {
        Some(new) => {
            zone.insert((new, id));
        }
        None => {
            state.closed.insert(id);
        }
    }
    node.place = place;
}

/// Changes what the API says of a node; who depends on it is told.
pub(crate) fn change(world: &mut World, id: NodeId, change: impl FnOnce(&mut api::Node)) {
    let state = &mut world.kube;
    let version = state.bump();
    let Some(node) = state.nodes.get_mut(&id) else { return };
    let before = node.object.clone();
    change(&mut node.object);
    if node.object == before {
        return;
    }
    node.object.meta.resource_version = version.to_string();
    let matters = node.object.taints != before.taints
        || node.object.unschedulable != before.unschedulable
        || node.object.meta.labels != before.meta.labels;
    let cordon_moves = follows_not(&node.object);
    state.log.node(version);
    if matters {
        place(state, id);
        state.retry_unschedulable = true;
        for daemon_set in state.daemon_sets.clone() {
            state.dirty_daemons.insert((daemon_set, id));
        }
        if cordon_moves {
            world.after(CORDON_SEEN, super::Event::CordonSeen(id).into());
        }
        queue_sync(world);
    }
}

/// Whether the taint of the cordon is not what the cordon is.
fn follows_not(node: &api::Node) -> bool {
    node.unschedulable != node.taint(UNSCHEDULABLE).is_some()
}

/// The node controller taints a node that is cordoned, and takes the taint away with the cordon: a change of its
/// own, so that who has cordoned a node has an older state of it in hand.
/// <https://kubernetes.io/docs/concepts/scheduling-eviction/taint-and-toleration/#taint-nodes-by-condition> (2026-11;
/// checked against a real control plane)
pub(crate) fn follow_cordon(world: &mut World, id: NodeId) {
    let now = world.now();
    if !world.kube.nodes.get(&id).is_some_and(|node| follows_not(&node.object)) {
        return;
    }
    change(world, id, |node| {
        if node.unschedulable {
            taint(node, UNSCHEDULABLE, TaintEffect::NoSchedule, now);
        } else {
            untaint(node, UNSCHEDULABLE);
        }
    });
}

/// Sets a taint, once for its key and effect.
pub(crate) fn taint(node: &mut api::Node, key: &str, effect: TaintEffect, now: Timestamp) {
    if !node.taints.iter().any(|taint| taint.key == key && taint.effect == effect) {
        let time_added = (effect == TaintEffect::NoExecute).then_some(now);
        node.taints.push(Taint { key: key.to_owned(), value: None, effect, time_added });
    }
}

/// Takes a taint away, with every effect.
pub(crate) fn untaint(node: &mut api::Node, key: &str) {
    node.taints.retain(|taint| taint.key != key);
}

/// Sets `Ready`, with the taints that the node controller derives from it.
/// <https://kubernetes.io/docs/reference/node/node-status/#condition> and
/// <https://kubernetes.io/docs/concepts/scheduling-eviction/taint-and-toleration/#taint-nodes-by-condition>
/// (2026-11)
pub(crate) fn set_ready(node: &mut api::Node, status: &ConditionStatus, now: Timestamp) {
    let (reason, message) = match status {
        ConditionStatus::True => ("KubeletReady", "kubelet is posting ready status"),
        ConditionStatus::Unknown => ("NodeStatusUnknown", "Kubelet stopped posting node status."),
        ConditionStatus::False | ConditionStatus::Other(_) => (
            "KubeletNotReady",
            "container runtime network not ready: NetworkReady=false reason:NetworkPluginNotReady \
             message:Network plugin returns error: cni plugin not initialized",
        ),
    };
    let changed = api::condition(&node.conditions, "Ready").is_none_or(|ready| ready.status != *status);
    if !changed {
        return;
    }
    node.conditions.retain(|condition| condition.kind != "Ready");
    node.conditions.push(api::Condition {
        kind: "Ready".to_owned(),
        status: status.clone(),
        reason: Some(reason.to_owned()),
        message: Some(message.to_owned()),
        last_transition_time: Some(now),
        last_heartbeat_time: Some(now),
        observed_generation: None,
    });
    let key = match status {
        ConditionStatus::True => None,
        ConditionStatus::Unknown => Some(UNREACHABLE),
        ConditionStatus::False | ConditionStatus::Other(_) => Some(NOT_READY),
    };
    for known in [NOT_READY, UNREACHABLE] {
        if key != Some(known) {
            untaint(node, known);
        }
    }
    if let Some(key) = key {
        taint(node, key, TaintEffect::NoSchedule, now);
        taint(node, key, TaintEffect::NoExecute, now);
    }
}

/// Adds a node to the cluster.
pub(crate) fn add(world: &mut World, node: Node) -> NodeId {
    let state = &mut world.kube;
    let id = NodeId(state.next_id());
    let version = state.bump();
    let mut node = node;
    node.object.meta.uid = super::state::uid(super::state::Kind::Node, id.0);
    node.object.meta.resource_version = version.to_string();
    state.node_names.insert(node.name.clone(), id);
    if !node.instance_id.is_empty() {
        state.by_instance.insert(node.instance_id.clone(), id);
    }
    state.nodes.insert(id, node);
    place(state, id);
    state.log.node(version);
    state.retry_unschedulable = true;
    for daemon_set in state.daemon_sets.clone() {
        state.dirty_daemons.insert((daemon_set, id));
    }
    queue_sync(world);
    id
}

/// Takes a node's object away. Its Pods are left to the garbage collector.
pub(crate) fn remove(world: &mut World, id: NodeId) {
    let state = &mut world.kube;
    let Some(node) = state.nodes.get(&id) else { return };
    let name: Arc<str> = node.name.clone();
    if let (Some(place), Some(zone)) = (node.place, state.free.get_mut(&node.zone)) {
        zone.remove(&(place, id));
    }
    state.closed.remove(&id);
    state.node_names.remove(&name);
    let Some(node) = state.nodes.remove(&id) else { return };
    state.by_instance.remove(&node.instance_id);
    let version = state.bump();
    state.log.node(version);
    for daemon_set in state.daemon_sets.clone() {
        state.dirty_daemons.insert((daemon_set, id));
    }
    let orphans: Vec<_> = node.pods.iter().copied().collect();
    for pod in &orphans {
        // Nobody is there who would say that it is ready.
        super::pods::set_ready(world, *pod, false);
    }
    super::volumes::node_gone(world, id);
    let after = world.kube.settings.pod_gc;
    world.after(after, super::Event::CollectPods(orphans).into());
    queue_sync(world);
}
