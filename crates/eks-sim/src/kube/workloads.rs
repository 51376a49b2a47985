//! Workloads and their controllers: Deployments with their ReplicaSets, StatefulSets, DaemonSets, Jobs.

mod daemon_sets;
mod deployments;
mod jobs;
mod stateful_sets;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use eks_provider::kube::{PodTemplate, WorkloadKind};

pub(crate) use self::daemon_sets::sync_on_node;
use super::objects::{Behaviour, PodId, Revision, ShapeId, Workload, WorkloadId};
use super::pods::{self, NewPod};
use super::queue_sync;
use crate::World;

/// What is added to the names of Pods and ReplicaSets.
const ALPHABET: &[u8] = b"bcdfghjklmnpqrstvwxz2456789";

/// So many letters as Kubernetes chooses them.
pub(crate) fn suffix(world: &mut World, letters: usize) -> String {
    (0..letters)
        .map(|_| {
            let place = world.random.below(ALPHABET.len() as u64);
            usize::try_from(place).ok().and_then(|place| ALPHABET.get(place)).map_or('x', |b| char::from(*b))
        })
        .collect()
}

/// Adds a workload; `None` where its name is taken.
pub(crate) fn add(world: &mut World, workload: Workload) -> Option<WorkloadId> {
    let key = (workload.kind, workload.namespace.clone(), workload.name.clone());
    let state = &mut world.kube;
    if state.workload_names.contains_key(&key) {
        return None;
    }
    let id = WorkloadId(state.next_id());
    state.workload_names.insert(key, id);
    if workload.kind == WorkloadKind::DaemonSet {
        state.daemon_sets.insert(id);
        for node in state.nodes.keys() {
            state.dirty_daemons.insert((id, *node));
        }
    }
    state.workloads.insert(id, workload);
    new_revision(world, id);
    pods::touch_workload(world, id);
    Some(id)
}

/// Gives a workload a revision of its present template. An old one is not taken up again: a rollback is a
/// revision like others.
pub(crate) fn new_revision(world: &mut World, id: WorkloadId) {
    let now = world.now();
    let hash = suffix(world, 9);
    let Some(workload) = world.kube.workloads.get_mut(&id) else { return };
    let same = |revision: &Revision| *revision.template == *workload.template;
    if workload.revisions.last().is_some_and(same) {
        return;
    }
    let is_replica_set = workload.kind == WorkloadKind::ReplicaSet;
    workload.revisions.push(Revision {
        hash,
        template: workload.template.clone(),
        shape: None,
        shapes: BTreeMap::new(),
        desired: if is_replica_set { workload.desired } else { 0 },
        pods: BTreeSet::new(),
        ready: 0,
        created: now,
    });
}

/// Changes a workload's specification; its controller sees it at its next look.
pub(crate) fn respecify(world: &mut World, id: WorkloadId, change: impl FnOnce(&mut Workload)) {
    let Some(workload) = world.kube.workloads.get_mut(&id) else { return };
    change(workload);
    workload.generation += 1;
    if workload.kind == WorkloadKind::DaemonSet {
        let nodes: Vec<_> = world.kube.nodes.keys().copied().collect();
        world.kube.dirty_daemons.extend(nodes.into_iter().map(|node| (id, node)));
    }
    new_revision(world, id);
    pods::touch_workload(world, id);
}

/// Changes the template of a workload.
pub(crate) fn change_template(world: &mut World, id: WorkloadId, change: impl FnOnce(&mut PodTemplate)) {
    respecify(world, id, |workload| change(Arc::make_mut(&mut workload.template)));
}

/// Lets the controllers look at what has changed.
pub(crate) fn run(world: &mut World) {
    let daemons = std::mem::take(&mut world.kube.dirty_daemons);
    for (id, node) in daemons {
        sync_on_node(world, id, node);
    }
    let dirty = std::mem::take(&mut world.kube.dirty_workloads);
    for id in dirty {
        let Some(workload) = world.kube.workloads.get_mut(&id) else { continue };
        workload.observed = workload.generation;
        match workload.kind {
            WorkloadKind::Deployment => deployments::sync(world, id),
            WorkloadKind::ReplicaSet | WorkloadKind::ReplicationController => {
                let desired = workload.desired;
                if let Some(revision) = workload.revisions.last_mut() {
                    revision.desired = desired;
                }
                let current = workload.current();
                deployments::sync_replicas(world, id, current);
            }
            WorkloadKind::StatefulSet => stateful_sets::sync(world, id),
            WorkloadKind::DaemonSet => daemon_sets::roll(world, id),
            WorkloadKind::Job => jobs::sync(world, id),
        }
    }
}

/// The shape of the Pods of a revision.
pub(crate) fn shape_of(world: &mut World, id: WorkloadId, number: u32) -> Option<ShapeId> {
    let workload = world.kube.workloads.get(&id)?;
    let revision = workload.revision(number)?;
    if let Some(shape) = revision.shape {
        return Some(shape);
    }
    let mut template = (*revision.template).clone();
    match workload.kind {
        WorkloadKind::Deployment => {
            template.labels.insert("pod-template-hash".to_owned(), revision.hash.clone());
        }
        WorkloadKind::DaemonSet => {
            template.labels.insert("controller-revision-hash".to_owned(), revision.hash.clone());
        }
        WorkloadKind::Job => {
            template.labels.insert("batch.kubernetes.io/job-name".to_owned(), workload.name.to_string());
        }
        WorkloadKind::ReplicaSet | WorkloadKind::StatefulSet | WorkloadKind::ReplicationController => {}
    }
    let shape = pods::shape(&workload.namespace, Arc::new(template), workload.behaviour);
    let shape = world.kube.add_shape(shape);
    world.kube.workloads.get_mut(&id)?.revision_mut(number)?.shape = Some(shape);
    Some(shape)
}

/// Makes a Pod of a revision, with a name of chance after a prefix.
fn make_pod(world: &mut World, id: WorkloadId, number: u32, prefix: &str) -> Option<PodId> {
    let shape = shape_of(world, id, number)?;
    loop {
        let name: Arc<str> = format!("{prefix}-{}", suffix(world, 5)).into();
        let namespace = &world.kube.shape(shape)?.namespace;
        if world.kube.pod_named(namespace, &name).is_some() {
            continue;
        }
        let new = NewPod {
            name,
            shape,
            owner: Some((id, number)),
            ordinal: None,
            only_node: None,
            mirror: false,
            finalizers: Vec::new(),
        };
        return pods::create(world, new);
    }
}

/// A workload without Pods and revisions.
pub(crate) fn blank(
    world: &mut World,
    kind: WorkloadKind,
    namespace: &str,
    name: &str,
    template: PodTemplate,
    behaviour: Behaviour,
) -> Workload {
    let now = world.now();
    let namespace = world.kube.namespace(namespace, now);
    let version = world.kube.bump();
    let labels = template.labels.clone();
    Workload {
        kind,
        namespace,
        name: name.into(),
        version,
        generation: 1,
        observed: 0,
        created: now,
        labels: labels.clone(),
        annotations: BTreeMap::new(),
        selector: eks_provider::kube::LabelSelector { match_labels: labels, match_expressions: Vec::new() },
        template: Arc::new(template),
        behaviour,
        strategy: eks_provider::kube::RolloutStrategy::default(),
        desired: 1,
        paused: false,
        parallel: false,
        claims: Vec::new(),
        completions: None,
        backoff_limit: 6,
        succeeded: 0,
        failed: 0,
        revisions: Vec::new(),
        ordinals: BTreeMap::new(),
        on_nodes: BTreeMap::new(),
        belongs: BTreeSet::new(),
    }
}

/// Deletes a workload and its Pods (background propagation).
pub(crate) fn delete(world: &mut World, id: WorkloadId) {
    for pod in forget(world, id) {
        pods::delete(world, pod, None);
    }
    queue_sync(world);
}

/// Deletes a workload and leaves its Pods, which are nobody's then.
/// <https://kubernetes.io/docs/concepts/architecture/garbage-collection/#orphaned-dependents> (2026-11)
pub(crate) fn orphan(world: &mut World, id: WorkloadId) {
    for pod in forget(world, id) {
        pods::change(world, pod, |pod| {
            pod.owner = None;
            pod.ordinal = None;
            pod.only_node = None;
        });
    }
    for (budget_id, budget) in &mut world.kube.budgets {
        if budget.owners.remove(&id).is_some() {
            world.kube.dirty_budgets.insert(*budget_id);
        }
    }
    queue_sync(world);
}

/// Takes the object of a workload away; its Pods.
fn forget(world: &mut World, id: WorkloadId) -> Vec<PodId> {
    let state = &mut world.kube;
    let Some(workload) = state.workloads.remove(&id) else { return Vec::new() };
    let pods: BTreeSet<PodId> = workload
        .revisions
        .iter()
        .flat_map(|revision| &revision.pods)
        .chain(workload.on_nodes.values())
        .chain(workload.ordinals.values())
        .copied()
        .collect();
    state.workload_names.remove(&(workload.kind, workload.namespace.clone(), workload.name));
    state.daemon_sets.remove(&id);
    let version = state.bump();
    state.log.workload(version, &workload.namespace);
    pods.into_iter().collect()
}
