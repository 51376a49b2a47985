//! Objects as the API shows them.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use eks_provider::kube::{
    self as api, Condition, ConditionStatus, ContainerState, ContainerStatus, ObjectMeta, OwnerReference,
    PodPhase, WorkloadKind, WorkloadStatus,
};
use jiff::Timestamp;

use super::objects::{Pod, PodId, Shape, Stage, Workload, WorkloadId, count};
use super::state::{Kind, State, uid};

fn condition(kind: &str, holds: bool, since: Timestamp) -> Condition {
    Condition {
        kind: kind.to_owned(),
        status: if holds { ConditionStatus::True } else { ConditionStatus::False },
        reason: None,
        message: None,
        last_transition_time: Some(since),
        last_heartbeat_time: None,
        observed_generation: None,
    }
}

/// The `apiVersion` of a kind of workload.
pub(crate) fn api_version(kind: WorkloadKind) -> &'static str {
    match kind {
        WorkloadKind::Job => "batch/v1",
        WorkloadKind::ReplicationController => "v1",
        WorkloadKind::Deployment
        | WorkloadKind::ReplicaSet
        | WorkloadKind::StatefulSet
        | WorkloadKind::DaemonSet => "apps/v1",
    }
}

/// The uid of a workload.
pub(crate) fn workload_uid(id: WorkloadId) -> String {
    uid(Kind::Workload, id.0)
}

/// The uid of a Deployment's ReplicaSet.
fn replica_set_uid(id: WorkloadId, number: u32) -> String {
    uid(Kind::Revision, id.0.wrapping_mul(4096).wrapping_add(number))
}

fn owner_of(state: &State, pod: &Pod) -> Option<OwnerReference> {
    let reference = |kind: &str, version: &str, name: String, uid: String| OwnerReference {
        api_version: version.to_owned(),
        kind: kind.to_owned(),
        name,
        uid,
        controller: true,
    };
    if pod.mirror {
        let node = pod.node?;
        let name = state.nodes.get(&node)?.name.to_string();
        return Some(reference("Node", "v1", name, uid(Kind::Node, node.0)));
    }
    let (id, number) = pod.owner?;
    let workload = state.workloads.get(&id)?;
    if workload.kind == WorkloadKind::Deployment {
        let name = format!("{}-{}", workload.name, workload.revision(number)?.hash);
        return Some(reference("ReplicaSet", "apps/v1", name, replica_set_uid(id, number)));
    }
    let (kind, version) = (workload.kind.as_str(), api_version(workload.kind));
    Some(reference(kind, version, workload.name.to_string(), workload_uid(id)))
}

fn phase(pod: &Pod) -> PodPhase {
    match pod.stage {
        Stage::Unscheduled | Stage::Attaching | Stage::Starting => PodPhase::Pending,
        Stage::Running => PodPhase::Running,
        Stage::Succeeded => PodPhase::Succeeded,
        Stage::Failed => PodPhase::Failed,
    }
}

fn pod_conditions(pod: &Pod) -> Vec<Condition> {
    let mut scheduled = condition("PodScheduled", pod.node.is_some(), pod.started.unwrap_or(pod.created));
    if let Some(message) = &pod.unschedulable {
        scheduled.reason = Some("Unschedulable".to_owned());
        scheduled.message = Some(message.to_string());
    }
    let mut ready = condition("Ready", pod.ready, pod.ready_since);
    if pod.stage == Stage::Succeeded {
        ready.reason = Some("PodCompleted".to_owned());
    } else if pod.stage == Stage::Running && !pod.ready {
        ready.reason = Some("ContainersNotReady".to_owned());
    }
    let mut conditions = vec![scheduled, ready];
    if pod.node.is_some() {
        conditions.push(condition("ContainersReady", pod.ready, pod.ready_since));
    }
    conditions
}

/// A Pod, as it is shown.
pub(crate) fn pod(state: &State, id: PodId) -> Option<api::Pod> {
    let pod = state.pods.get(&id)?;
    let shape = state.shape(pod.shape)?;
    let node = pod.node.and_then(|node| state.nodes.get(&node));
    let mut spec = shape.template.spec.clone();
    spec.node_name = node.map(|node| node.name.to_string());
    spec.termination_grace_period.get_or_insert(Duration::from_secs(30));
    let mut annotations = shape.template.annotations.clone();
    if pod.mirror {
        annotations.insert("kubernetes.io/config.mirror".to_owned(), uid(Kind::Pod, id.0));
    }
    let state_of = |_: &str| match pod.stage {
        Stage::Running => ContainerState::Running(pod.started),
        Stage::Succeeded => ContainerState::Terminated(0),
        Stage::Failed => ContainerState::Terminated(1),
        Stage::Attaching | Stage::Starting => ContainerState::Waiting(Some("ContainerCreating".to_owned())),
        Stage::Unscheduled => ContainerState::Unstated,
    };
    let container_statuses = spec
        .containers
        .iter()
        .filter(|_| pod.node.is_some())
        .map(|container| ContainerStatus {
            name: container.name.clone(),
            ready: pod.ready,
            restart_count: 0,
            image_id: Some(container.image.clone()),
            state: state_of(&container.name),
        })
        .collect();
    Some(api::Pod {
        meta: ObjectMeta {
            name: pod.name.to_string(),
            namespace: Some(shape.namespace.to_string()),
            uid: uid(Kind::Pod, id.0),
            resource_version: pod.version.to_string(),
            generation: Some(1),
            creation_timestamp: Some(pod.created),
            deletion_timestamp: pod.deletion.map(|deletion| deletion.at),
            deletion_grace_period: pod.deletion.map(|deletion| deletion.grace),
            labels: shape.template.labels.clone(),
            annotations,
            owner_references: owner_of(state, pod).into_iter().collect(),
            finalizers: pod.finalizers.iter().cloned().collect(),
        },
        phase: phase(pod),
        reason: None,
        message: None,
        conditions: pod_conditions(pod),
        start_time: pod.started,
        pod_ip: pod.node.map(|_| address(id)).filter(|_| pod.stage == Stage::Running),
        nominated_node_name: None,
        qos_class: Some(qos(shape).to_owned()),
        container_statuses,
        spec,
    })
}

/// An address for a Pod, from its number.
pub(crate) fn address(id: PodId) -> String {
    format!("100.{}.{}.{}", 64 + (id.0 >> 16) % 64, (id.0 >> 8) & 0xff, id.0 & 0xff)
}

/// <https://kubernetes.io/docs/concepts/workloads/pods/pod-qos/> (2026-11)
fn qos(shape: &Shape) -> &'static str {
    let containers = &shape.template.spec.containers;
    if containers.iter().all(|container| container.requests.is_empty() && container.limits.is_empty()) {
        "BestEffort"
    } else if containers.iter().all(|container| {
        ["cpu", "memory"].iter().all(|name| {
            container.limits.contains_key(*name)
                && container.requests.get(*name) == container.limits.get(*name)
        })
    }) {
        "Guaranteed"
    } else {
        "Burstable"
    }
}

fn status(workload: &Workload) -> WorkloadStatus {
    let updated = workload.revisions.last().map(|revision| count(revision.pods.len())).unwrap_or_default();
    let ready = workload.ready();
    WorkloadStatus {
        observed_generation: Some(workload.observed),
        replicas: workload.active(),
        updated,
        ready,
        available: ready,
        succeeded: workload.succeeded,
        failed: workload.failed,
        conditions: conditions(workload, ready),
    }
}

fn conditions(workload: &Workload, ready: u32) -> Vec<Condition> {
    match workload.kind {
        WorkloadKind::Deployment => {
            vec![condition("Available", ready >= workload.desired, workload.created)]
        }
        WorkloadKind::Job => {
            let complete = workload.completions.is_some_and(|all| workload.succeeded >= all);
            let failed = workload.failed > workload.backoff_limit;
            [("Complete", complete), ("Failed", failed)]
                .into_iter()
                .filter(|(_, holds)| *holds)
                .map(|(kind, _)| condition(kind, true, workload.created))
                .collect()
        }
        WorkloadKind::ReplicaSet
        | WorkloadKind::StatefulSet
        | WorkloadKind::DaemonSet
        | WorkloadKind::ReplicationController => Vec::new(),
    }
}

/// A workload, as it is shown.
pub(crate) fn workload(state: &State, id: WorkloadId) -> Option<api::Workload> {
    let workload = state.workloads.get(&id)?;
    Some(api::Workload {
        kind: workload.kind,
        meta: ObjectMeta {
            name: workload.name.to_string(),
            namespace: Some(workload.namespace.to_string()),
            uid: workload_uid(id),
            resource_version: workload.version.to_string(),
            generation: Some(workload.generation),
            creation_timestamp: Some(workload.created),
            labels: workload.labels.clone(),
            annotations: workload.annotations.clone(),
            ..ObjectMeta::default()
        },
        selector: Some(workload.selector.clone()),
        template: (*workload.template).clone(),
        strategy: workload.strategy.clone(),
        status: status(workload),
        desired: workload.desired,
        paused: workload.paused,
        completions: workload.completions,
    })
}

/// The ReplicaSets of a Deployment, as they are shown.
pub(crate) fn replica_sets(state: &State, id: WorkloadId) -> Vec<api::Workload> {
    let Some(workload) = state.workloads.get(&id).filter(|one| one.kind == WorkloadKind::Deployment) else {
        return Vec::new();
    };
    workload
        .revisions
        .iter()
        .enumerate()
        .map(|(number, revision)| {
            let mut template = (*revision.template).clone();
            template.labels.insert("pod-template-hash".to_owned(), revision.hash.clone());
            let mut selector = workload.selector.clone();
            selector.match_labels.insert("pod-template-hash".to_owned(), revision.hash.clone());
            let replicas = count(revision.pods.len());
            api::Workload {
                kind: WorkloadKind::ReplicaSet,
                meta: ObjectMeta {
                    name: format!("{}-{}", workload.name, revision.hash),
                    namespace: Some(workload.namespace.to_string()),
                    uid: replica_set_uid(id, count(number)),
                    resource_version: workload.version.to_string(),
                    generation: Some(1),
                    creation_timestamp: Some(revision.created),
                    labels: template.labels.clone(),
                    annotations: BTreeMap::from([(
                        "deployment.kubernetes.io/revision".to_owned(),
                        (number + 1).to_string(),
                    )]),
                    owner_references: vec![OwnerReference {
                        api_version: "apps/v1".to_owned(),
                        kind: "Deployment".to_owned(),
                        name: workload.name.to_string(),
                        uid: workload_uid(id),
                        controller: true,
                    }],
                    finalizers: BTreeSet::new(),
                    ..ObjectMeta::default()
                },
                selector: Some(selector),
                template,
                strategy: api::RolloutStrategy::default(),
                status: WorkloadStatus {
                    observed_generation: Some(1),
                    replicas,
                    updated: replicas,
                    ready: revision.ready,
                    available: revision.ready,
                    ..WorkloadStatus::default()
                },
                desired: revision.desired,
                paused: false,
                completions: None,
            }
        })
        .collect()
}
