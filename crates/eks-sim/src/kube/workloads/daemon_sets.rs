//! The DaemonSet controller: a Pod on each node that it belongs on.

use std::sync::Arc;

use eks_provider::kube::IntOrPercent;

use super::super::objects::{NodeId, WorkloadId, count};
use super::super::pods::{self, NewPod};
use super::super::scheduler::{label_refusal, taint_refusal};
use super::{shape_of, suffix};
use crate::World;

/// Looks at one node: makes the Pod that is missing, takes away the one that does not belong. Cordoned
/// nodes, and those that are not ready, have their Pod.
/// <https://kubernetes.io/docs/concepts/workloads/controllers/daemonset/> (2026-11)
pub(crate) fn sync_on_node(world: &mut World, id: WorkloadId, node_id: NodeId) {
    let Some(current) = world.kube.workloads.get(&id).map(super::super::objects::Workload::current) else {
        return;
    };
    let Some(shape_id) = shape_of(world, id, current) else { return };
    let belongs = match (world.kube.nodes.get(&node_id), world.kube.shape(shape_id)) {
        (Some(node), Some(shape)) => {
            taint_refusal(shape, &node.object, true).is_none() && label_refusal(shape, &node.object).is_none()
        }
        _ => false,
    };
    let Some(workload) = world.kube.workloads.get_mut(&id) else { return };
    let changed = if belongs { workload.belongs.insert(node_id) } else { workload.belongs.remove(&node_id) };
    if changed {
        workload.desired = count(workload.belongs.len());
        pods::touch_workload(world, id);
    }
    let letters = suffix(world, 5);
    let Some(workload) = world.kube.workloads.get(&id) else { return };
    match workload.on_nodes.get(&node_id).copied() {
        None if belongs => {
            let name: Arc<str> = format!("{}-{}", workload.name, letters).into();
            let new = NewPod {
                name,
                shape: shape_id,
                owner: Some((id, current)),
                ordinal: None,
                only_node: Some(node_id),
                mirror: false,
                finalizers: Vec::new(),
            };
            if pods::create(world, new).is_none() {
                world.kube.dirty_daemons.insert((id, node_id));
            }
        }
        Some(pod) if !belongs && world.kube.nodes.contains_key(&node_id) => {
            pods::delete(world, pod, None);
        }
        Some(pod)
            if world.kube.pods.get(&pod).is_some_and(|pod| pod.is_finished() && pod.deletion.is_none()) =>
        {
            pods::delete(world, pod, None);
        }
        Some(_) | None => {}
    }
}

/// Rolls a DaemonSet to its present template, as many at a time as may be unavailable.
/// <https://kubernetes.io/docs/tasks/manage-daemon/update-daemon-set/> (2026-11). A surge is not modelled.
pub(super) fn roll(world: &mut World, id: WorkloadId) {
    let Some(workload) = world.kube.workloads.get(&id) else { return };
    if workload.strategy.kind.as_deref() == Some("OnDelete") {
        return;
    }
    let current = workload.current();
    let old: Vec<_> =
        workload.revisions.iter().rev().skip(1).flat_map(|revision| revision.pods.iter().copied()).collect();
    if old.is_empty() {
        return;
    }
    let allowed =
        workload.strategy.max_unavailable.unwrap_or(IntOrPercent::Int(1)).of(workload.desired).max(1);
    let unavailable = workload.desired.saturating_sub(workload.ready());
    let mut left = allowed.saturating_sub(unavailable);
    for pod in old {
        let Some(object) = world.kube.pods.get(&pod) else { continue };
        if object.owner.is_some_and(|(_, number)| number == current) {
            continue;
        }
        if !object.ready {
            pods::delete(world, pod, None);
        } else if left > 0 {
            left -= 1;
            pods::delete(world, pod, None);
        }
    }
}
