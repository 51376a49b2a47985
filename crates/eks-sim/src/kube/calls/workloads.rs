//! Workloads.

use std::collections::BTreeMap;

use async_trait::async_trait;
use eks_provider::Result;
use eks_provider::kube::{
    Page, PageRequest, RestartWorkload, ScaleWorkload, SetImage, Workload, WorkloadKind, WorkloadQuery,
    WorkloadReader, WorkloadRef, WorkloadWriter,
};

use super::super::objects::WorkloadId;
use super::super::render;
use super::super::state::State;
use super::super::workloads;
use super::{Call, page};
use crate::{Sim, World};

fn operation(verb: &str, kind: WorkloadKind) -> &'static str {
    match (verb, kind) {
        ("list", WorkloadKind::Deployment) => "list deployments",
        ("list", WorkloadKind::ReplicaSet) => "list replicasets",
        ("list", WorkloadKind::StatefulSet) => "list statefulsets",
        ("list", WorkloadKind::DaemonSet) => "list daemonsets",
        ("list", WorkloadKind::Job) => "list jobs",
        ("list", WorkloadKind::ReplicationController) => "list replicationcontrollers",
        ("patch", WorkloadKind::Deployment) => "patch deployments",
        ("patch", WorkloadKind::ReplicaSet) => "patch replicasets",
        ("patch", WorkloadKind::StatefulSet) => "patch statefulsets",
        ("patch", WorkloadKind::DaemonSet) => "patch daemonsets",
        ("patch", WorkloadKind::Job) => "patch jobs",
        ("patch", WorkloadKind::ReplicationController) => "patch replicationcontrollers",
        (_, WorkloadKind::Deployment) => "get deployments",
        (_, WorkloadKind::ReplicaSet) => "get replicasets",
        (_, WorkloadKind::StatefulSet) => "get statefulsets",
        (_, WorkloadKind::DaemonSet) => "get daemonsets",
        (_, WorkloadKind::Job) => "get jobs",
        (_, WorkloadKind::ReplicationController) => "get replicationcontrollers",
    }
}

/// All workloads of a kind; the ReplicaSets of Deployments are among the ReplicaSets.
fn all(state: &State, kind: WorkloadKind) -> impl Iterator<Item = Workload> {
    let own = state.workload_names.iter().filter(move |((of, ..), _)| *of == kind);
    let own = own.filter_map(|(_, id)| render::workload(state, *id));
    let deployments = state
        .workload_names
        .iter()
        .filter(move |((of, ..), _)| *of == WorkloadKind::Deployment && kind == WorkloadKind::ReplicaSet);
    own.chain(deployments.flat_map(|(_, id)| render::replica_sets(state, *id)))
}

#[async_trait]
impl WorkloadReader for Sim {
    async fn list_workloads(&self, query: &WorkloadQuery, request: &PageRequest) -> Result<Page<Workload>> {
        self.kube_read(operation("list", query.kind), "workloads", |state, call| {
            let mut sorted = BTreeMap::new();
            for workload in all(state, query.kind) {
                if query.namespace.is_some() && query.namespace != workload.meta.namespace {
                    continue;
                }
                match query.selector.matches(&workload.meta.labels) {
                    Some(true) => {
                        let namespace = workload.meta.namespace.as_deref().unwrap_or_default();
                        sorted.insert(format!("{namespace}\u{0}{}", workload.meta.name), workload);
                    }
                    Some(false) => {}
                    None => return Err(call.invalid("the selector has an operator that is not known")),
                }
            }
            Ok(page(sorted.into_iter().collect(), request))
        })
        .await
    }

    async fn get_workload(&self, workload: &WorkloadRef) -> Result<Workload> {
        self.kube_read(operation("get", workload.kind), workload.to_string(), |state, call| {
            if let Some(id) = state.workload_named(workload) {
                return render::workload(state, id).ok_or_else(|| call.not_found());
            }
            all(state, workload.kind)
                .find(|found| {
                    found.meta.namespace.as_ref() == Some(&workload.namespace)
                        && found.meta.name == workload.name
                })
                .ok_or_else(|| call.not_found())
        })
        .await
    }
}

/// The workload that is meant, if it has the uid.
fn find(world: &World, workload: &WorkloadRef, uid: &str, call: &Call) -> Result<WorkloadId> {
    let id = world.kube.workload_named(workload).ok_or_else(|| call.not_found())?;
    if render::workload_uid(id) == uid { Ok(id) } else { Err(call.conflict("the workload has another uid")) }
}

fn shown(world: &World, id: WorkloadId, call: &Call) -> Result<Workload> {
    render::workload(&world.kube, id).ok_or_else(|| call.not_found())
}

/// Only these are rolled.
fn is_rolled(kind: WorkloadKind) -> bool {
    matches!(kind, WorkloadKind::Deployment | WorkloadKind::StatefulSet | WorkloadKind::DaemonSet)
}

#[async_trait]
impl WorkloadWriter for Sim {
    async fn set_image(&self, request: &SetImage) -> Result<Workload> {
        let kind = request.workload.kind;
        self.kube_write(operation("patch", kind), request.workload.to_string(), |world, call| {
            if !is_rolled(kind) {
                return Err(call.invalid("only Deployments, StatefulSets and DaemonSets are rolled"));
            }
            let id = find(world, &request.workload, &request.uid, call)?;
            let workload = world.kube.workloads.get(&id).ok_or_else(|| call.not_found())?;
            let spec = &workload.template.spec;
            let container = spec.containers.iter().chain(&spec.init_containers);
            let image = container
                .filter(|container| container.name == request.container)
                .map(|container| container.image.clone())
                .next()
                .ok_or_else(|| call.invalid(format!("there is no container {}", request.container)))?;
            if image != request.from {
                return Err(call.conflict(format!("the image is {image}")));
            }
            if request.from != request.to {
                workloads::change_template(world, id, |template| {
                    let spec = &mut template.spec;
                    for container in spec.containers.iter_mut().chain(&mut spec.init_containers) {
                        if container.name == request.container {
                            container.image.clone_from(&request.to);
                        }
                    }
                });
            }
            shown(world, id, call)
        })
        .await
    }

    async fn restart_workload(&self, request: &RestartWorkload) -> Result<Workload> {
        let kind = request.workload.kind;
        self.kube_write(operation("patch", kind), request.workload.to_string(), |world, call| {
            if !is_rolled(kind) {
                return Err(call.invalid("only Deployments, StatefulSets and DaemonSets are rolled"));
            }
            let id = find(world, &request.workload, &request.uid, call)?;
            let key = "kubectl.kubernetes.io/restartedAt";
            let at = request.at.to_string();
            let workload = world.kube.workloads.get(&id).ok_or_else(|| call.not_found())?;
            if workload.template.annotations.get(key) != Some(&at) {
                workloads::change_template(world, id, |template| {
                    template.annotations.insert(key.to_owned(), at);
                });
            }
            shown(world, id, call)
        })
        .await
    }

    async fn scale_workload(&self, request: &ScaleWorkload) -> Result<()> {
        let kind = request.workload.kind;
        self.kube_write(operation("patch", kind), request.workload.to_string(), |world, call| {
            if !matches!(
                kind,
                WorkloadKind::Deployment | WorkloadKind::StatefulSet | WorkloadKind::ReplicaSet
            ) {
                return Err(call.invalid("the kind has no scale"));
            }
            let id = find(world, &request.workload, &request.uid, call)?;
            let workload = world.kube.workloads.get(&id).ok_or_else(|| call.not_found())?;
            if workload.desired != request.from {
                return Err(call.conflict(format!("it is to have {} Pods", workload.desired)));
            }
            if request.from != request.to {
                workloads::respecify(world, id, |workload| workload.desired = request.to);
                super::super::budgets::owner_scaled(world, id);
            }
            Ok(())
        })
        .await
    }
}
