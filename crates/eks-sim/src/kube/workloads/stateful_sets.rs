//! The StatefulSet controller: Pods with a name of their own, one after the other.

use std::sync::Arc;

use eks_provider::kube::{Volume, VolumeSource, WorkloadKind};

use super::super::objects::{ShapeId, Stage, WorkloadId};
use super::super::pods::{self, NewPod};
use super::super::volumes;
use crate::World;

/// Makes what is missing, in order; takes away what is too much, from the end; rolls from the end.
/// A name is used again only when its Pod is gone wholly.
/// <https://kubernetes.io/docs/concepts/workloads/controllers/statefulset/#deployment-and-scaling-guarantees>
/// (2026-11)
pub(super) fn sync(world: &mut World, id: WorkloadId) {
    let Some(workload) = world.kube.workloads.get(&id) else { return };
    if workload.kind != WorkloadKind::StatefulSet {
        return;
    }
    let (desired, parallel, current) = (workload.desired, workload.parallel, workload.current());
    let partition = workload.strategy.partition.unwrap_or_default();
    let on_delete = workload.strategy.kind.as_deref() == Some("OnDelete");
    let ordinals = workload.ordinals.clone();
    let mut healthy = true;
    for ordinal in 0..desired {
        match ordinals.get(&ordinal) {
            None => {
                // Below the partition, Pods are made of the revision before.
                let number = if ordinal < partition { current.saturating_sub(1) } else { current };
                make(world, id, number, ordinal);
                healthy = false;
            }
            Some(pod_id) => {
                let Some(pod) = world.kube.pods.get(pod_id) else { continue };
                if pod.is_finished() && pod.deletion.is_none() {
                    pods::delete(world, *pod_id, None);
                    healthy = false;
                } else if pod.deletion.is_some() || !pod.ready {
                    healthy = false;
                }
            }
        }
        if !healthy && !parallel {
            return;
        }
    }
    // Too many: the last first, one at a time.
    let surplus: Vec<_> = ordinals.range(desired..).rev().map(|(_, pod)| *pod).collect();
    if let Some(first) = surplus.first() {
        let ending = world.kube.pods.get(first).is_some_and(|pod| pod.deletion.is_some());
        if parallel {
            for pod in surplus {
                pods::delete(world, pod, None);
            }
        } else if healthy && !ending {
            pods::delete(world, *first, None);
        }
        return;
    }
    if on_delete {
        return;
    }
    // The roll: from the last down to the partition, one at a time, each healthy before the next.
    for (_, pod_id) in ordinals.range(partition..).rev() {
        let Some(pod) = world.kube.pods.get(pod_id) else { return };
        if pod.deletion.is_some() {
            return;
        }
        if pod.owner.is_some_and(|(_, number)| number != current) {
            pods::delete(world, *pod_id, None);
            return;
        }
        if pod.stage != Stage::Running || !pod.ready {
            return;
        }
    }
}

fn make(world: &mut World, id: WorkloadId, number: u32, ordinal: u32) {
    let Some(shape) = shape(world, id, number, ordinal) else { return };
    let Some(workload) = world.kube.workloads.get(&id) else { return };
    let name: Arc<str> = format!("{}-{ordinal}", workload.name).into();
    let namespace = workload.namespace.clone();
    for claim in workload.claims.clone() {
        volumes::add_claim(world, &namespace, &format!("{}-{name}", claim.name), claim.storage);
    }
    let new = NewPod {
        name,
        shape,
        owner: Some((id, number)),
        ordinal: Some(ordinal),
        only_node: None,
        mirror: false,
        finalizers: Vec::new(),
    };
    pods::create(world, new);
}

/// Each Pod has labels and claims of its own.
fn shape(world: &mut World, id: WorkloadId, number: u32, ordinal: u32) -> Option<ShapeId> {
    let workload = world.kube.workloads.get(&id)?;
    let revision = workload.revision(number)?;
    if let Some(shape) = revision.shapes.get(&ordinal) {
        return Some(*shape);
    }
    let mut template = (*revision.template).clone();
    let name = format!("{}-{ordinal}", workload.name);
    for (key, value) in [
        ("apps.kubernetes.io/pod-index", ordinal.to_string()),
        ("controller-revision-hash", format!("{}-{}", workload.name, revision.hash)),
        ("statefulset.kubernetes.io/pod-name", name.clone()),
    ] {
        template.labels.insert(key.to_owned(), value);
    }
    for claim in &workload.claims {
        let source = VolumeSource::PersistentVolumeClaim(format!("{}-{name}", claim.name));
        template.spec.volumes.push(Volume { name: claim.name.clone(), source });
    }
    let shape = pods::shape(&workload.namespace, Arc::new(template), workload.behaviour);
    let shape = world.kube.add_shape(shape);
    world.kube.workloads.get_mut(&id)?.revision_mut(number)?.shapes.insert(ordinal, shape);
    Some(shape)
}
