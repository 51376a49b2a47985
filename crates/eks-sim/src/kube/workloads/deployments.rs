//! The Deployment controller and the ReplicaSet controller.

use std::cmp::Reverse;

use eks_provider::kube::IntOrPercent;

use super::super::objects::{PodId, Stage, WorkloadId};
use super::super::pods;
use super::make_pod;
use crate::World;

/// How many Pods too many and too few there may be: surge rounded up, unavailable rounded down, and one of
/// both at least one.
/// <https://github.com/kubernetes/kubernetes/blob/v1.35.0/pkg/controller/deployment/util/deployment_util.go>
/// (`ResolveFenceposts`, 2026-11)
pub(crate) fn fence_posts(
    max_surge: Option<IntOrPercent>,
    max_unavailable: Option<IntOrPercent>,
    desired: u32,
) -> (u32, u32) {
    let surge = max_surge.unwrap_or(IntOrPercent::Percent(25)).of(desired);
    let unavailable = max_unavailable.unwrap_or(IntOrPercent::Percent(25)).of_rounded_down(desired);
    if surge == 0 && unavailable == 0 { (0, 1) } else { (surge, unavailable) }
}

/// Rolls a Deployment to its present template, and keeps the number of its Pods.
/// <https://kubernetes.io/docs/concepts/workloads/controllers/deployment/#rolling-update-deployment> (2026-11)
pub(super) fn sync(world: &mut World, id: WorkloadId) {
    let Some(workload) = world.kube.workloads.get_mut(&id) else { return };
    let desired = workload.desired;
    let current = workload.current();
    let all: u32 = workload.revisions.iter().map(|revision| revision.desired).sum();
    let only = workload.revisions.iter().rev().skip(1).all(|old| old.desired == 0 && old.pods.is_empty());
    let recreate = workload.strategy.kind.as_deref() == Some("Recreate");
    if workload.paused || only {
        // Nothing to roll: scaled in place.
        if let Some(revision) = workload.revisions.last_mut()
            && (only || all == 0)
        {
            revision.desired = desired;
        }
    } else if recreate {
        let others: Vec<PodId> =
            workload.revisions.iter().rev().skip(1).flat_map(|old| old.pods.iter().copied()).collect();
        for old in workload.revisions.iter_mut().rev().skip(1) {
            old.desired = 0;
        }
        let shapes: Vec<_> = workload.revisions.iter().rev().skip(1).filter_map(|old| old.shape).collect();
        let left =
            shapes.iter().any(|shape| world.kube.shape(*shape).is_some_and(|shape| !shape.pods.is_empty()));
        if others.is_empty()
            && !left
            && let Some(revision) =
                world.kube.workloads.get_mut(&id).and_then(|workload| workload.revisions.last_mut())
        {
            revision.desired = desired;
        }
    } else {
        let (surge, unavailable) =
            fence_posts(workload.strategy.max_surge, workload.strategy.max_unavailable, desired);
        let ready = workload.ready();
        let Some(new) = workload.revisions.last_mut() else { return };
        // Up, as far as the surge allows.
        let most = desired.saturating_add(surge);
        let missing = desired.saturating_sub(new.desired);
        let up = most.saturating_sub(all).min(missing);
        new.desired += up;
        new.desired = new.desired.min(desired);
        let new_unavailable = new.desired.saturating_sub(new.ready);
        // Down, as far as enough stay available.
        let least = desired.saturating_sub(unavailable);
        let mut may_go = (all + up).saturating_sub(least).saturating_sub(new_unavailable);
        let mut old: Vec<_> = workload.revisions.iter_mut().rev().skip(1).collect();
        old.sort_by_key(|revision| revision.created);
        // Those that are not ready cost nothing.
        for revision in &mut old {
            let unready = revision.desired.saturating_sub(revision.ready).min(may_go);
            revision.desired -= unready;
            may_go -= unready;
        }
        let mut available = ready.saturating_sub(least).min(may_go);
        for revision in &mut old {
            let down = revision.desired.min(available);
            revision.desired -= down;
            available -= down;
        }
    }
    for number in 0..=current {
        sync_replicas(world, id, number);
    }
}

/// Keeps the number of Pods of a ReplicaSet. Which go first: those without a node, those that are not
/// ready, those that share their node with others of their kind, the youngest.
/// <https://kubernetes.io/docs/concepts/workloads/controllers/replicaset/#scaling-a-replicaset> (2026-11)
pub(super) fn sync_replicas(world: &mut World, id: WorkloadId, number: u32) {
    let Some(workload) = world.kube.workloads.get(&id) else { return };
    let Some(revision) = workload.revision(number) else { return };
    let have = super::super::objects::count(revision.pods.len());
    if have < revision.desired {
        let missing = revision.desired - have;
        let prefix = if workload.kind == eks_provider::kube::WorkloadKind::Deployment {
            format!("{}-{}", workload.name, revision.hash)
        } else {
            workload.name.to_string()
        };
        for _ in 0..missing {
            make_pod(world, id, number, &prefix);
        }
    } else if have > revision.desired {
        let state = &world.kube;
        let mut ranked: Vec<_> = revision
            .pods
            .iter()
            .filter_map(|id| {
                let pod = state.pods.get(id)?;
                let together = pod
                    .node
                    .and_then(|node| state.shape(pod.shape)?.on_nodes.get(&node).copied())
                    .unwrap_or_default();
                let rank = (
                    pod.node.is_some(),
                    pod.stage == Stage::Running,
                    pod.ready,
                    Reverse(together),
                    Reverse(pod.created),
                    Reverse(*id),
                );
                Some((rank, *id))
            })
            .collect();
        ranked.sort();
        let surplus = usize::try_from(have - revision.desired).unwrap_or(usize::MAX);
        for (_, pod) in ranked.into_iter().take(surplus) {
            pods::delete(world, pod, None);
        }
    }
}
