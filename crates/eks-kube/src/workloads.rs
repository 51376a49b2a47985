//! What runs Pods: six kinds of the API, one type here.

use std::collections::BTreeMap;

use async_trait::async_trait;
use eks_provider::Result;
use eks_provider::kube::{
    LabelSelector, Page, PageRequest, PodTemplate, RolloutStrategy, Workload, WorkloadKind, WorkloadQuery,
    WorkloadReader, WorkloadRef, WorkloadStatus,
};
use k8s_openapi::api::core::v1 as core;
use k8s_openapi::api::{apps::v1 as apps, batch::v1 as batch};
use k8s_openapi::apimachinery::pkg::apis::meta::v1 as api;
use serde::Deserialize;

use crate::api::KubeApi;
use crate::call::Ask;
use crate::list::Listing;
use crate::meta::{Read, conditions, count, int_or_percent, meta, selector, some_count, text};
use crate::pod_spec::pod_spec;
use crate::resource::Resource;

pub(crate) static DEPLOYMENTS: Resource = Resource::of("apps", "v1", "deployments");
pub(crate) static REPLICA_SETS: Resource = Resource::of("apps", "v1", "replicasets");
pub(crate) static STATEFUL_SETS: Resource = Resource::of("apps", "v1", "statefulsets");
pub(crate) static DAEMON_SETS: Resource = Resource::of("apps", "v1", "daemonsets");
pub(crate) static JOBS: Resource = Resource::of("batch", "v1", "jobs");
static REPLICATION_CONTROLLERS: Resource = Resource::of("", "v1", "replicationcontrollers");

pub(crate) fn resource(kind: WorkloadKind) -> &'static Resource {
    match kind {
        WorkloadKind::Deployment => &DEPLOYMENTS,
        WorkloadKind::ReplicaSet => &REPLICA_SETS,
        WorkloadKind::StatefulSet => &STATEFUL_SETS,
        WorkloadKind::DaemonSet => &DAEMON_SETS,
        WorkloadKind::Job => &JOBS,
        WorkloadKind::ReplicationController => &REPLICATION_CONTROLLERS,
    }
}

fn template(template: core::PodTemplateSpec) -> Read<PodTemplate> {
    let meta = template.metadata.unwrap_or_default();
    Ok(PodTemplate {
        labels: meta.labels.unwrap_or_default(),
        annotations: meta.annotations.unwrap_or_default(),
        spec: pod_spec(template.spec.unwrap_or_default())?,
    })
}

/// What is not said of the number of Pods is 1.
fn replicas(number: Option<i32>) -> u32 {
    number.map_or(1, count)
}

/// What the kinds differ in.
struct Parts {
    selector: Option<LabelSelector>,
    template: core::PodTemplateSpec,
    strategy: RolloutStrategy,
    status: WorkloadStatus,
    desired: u32,
    paused: bool,
    completions: Option<u32>,
}

fn workload(
    kind: WorkloadKind,
    metadata: api::ObjectMeta,
    parts: impl FnOnce() -> Read<Parts>,
) -> Read<Workload> {
    let meta = meta(metadata);
    let within = |why: String| format!("{} {meta}: {why}", kind.as_str());
    let parts = parts().map_err(within)?;
    Ok(Workload {
        kind,
        selector: parts.selector,
        template: template(parts.template).map_err(within)?,
        strategy: parts.strategy,
        status: parts.status,
        desired: parts.desired,
        paused: parts.paused,
        completions: parts.completions,
        meta,
    })
}

fn deployment(found: apps::Deployment) -> Read<Workload> {
    workload(WorkloadKind::Deployment, found.metadata, || {
        let spec = found.spec;
        let status = found.status.unwrap_or_default();
        let strategy = spec.strategy.unwrap_or_default();
        let rolling = strategy.rolling_update.unwrap_or_default();
        Ok(Parts {
            selector: Some(selector(spec.selector)),
            template: spec.template,
            strategy: RolloutStrategy {
                kind: text(strategy.type_),
                max_surge: int_or_percent(rolling.max_surge)?,
                max_unavailable: int_or_percent(rolling.max_unavailable)?,
                partition: None,
            },
            status: WorkloadStatus {
                observed_generation: status.observed_generation,
                replicas: some_count(status.replicas),
                updated: some_count(status.updated_replicas),
                ready: some_count(status.ready_replicas),
                available: some_count(status.available_replicas),
                conditions: conditions!(status.conditions),
                ..WorkloadStatus::default()
            },
            desired: replicas(spec.replicas),
            paused: spec.paused.unwrap_or_default(),
            completions: None,
        })
    })
}

fn replica_set(found: apps::ReplicaSet) -> Read<Workload> {
    workload(WorkloadKind::ReplicaSet, found.metadata, || {
        let spec = found.spec;
        let status = found.status.unwrap_or_default();
        Ok(Parts {
            selector: Some(selector(spec.selector)),
            template: spec.template.unwrap_or_default(),
            strategy: RolloutStrategy::default(),
            status: WorkloadStatus {
                observed_generation: status.observed_generation,
                replicas: count(status.replicas),
                // Its template does not change: all that it has are of it.
                updated: count(status.replicas),
                ready: some_count(status.ready_replicas),
                available: some_count(status.available_replicas),
                conditions: conditions!(status.conditions),
                ..WorkloadStatus::default()
            },
            desired: replicas(spec.replicas),
            paused: false,
            completions: None,
        })
    })
}

fn stateful_set(found: apps::StatefulSet) -> Read<Workload> {
    workload(WorkloadKind::StatefulSet, found.metadata, || {
        let spec = found.spec;
        let status = found.status.unwrap_or_default();
        let strategy = spec.update_strategy.unwrap_or_default();
        let rolling = strategy.rolling_update.unwrap_or_default();
        Ok(Parts {
            selector: Some(selector(spec.selector)),
            template: spec.template,
            strategy: RolloutStrategy {
                kind: text(strategy.type_),
                max_surge: None,
                max_unavailable: int_or_percent(rolling.max_unavailable)?,
                partition: rolling.partition.map(count),
            },
            status: WorkloadStatus {
                observed_generation: status.observed_generation,
                replicas: count(status.replicas),
                updated: some_count(status.updated_replicas),
                ready: some_count(status.ready_replicas),
                available: some_count(status.available_replicas),
                conditions: conditions!(status.conditions),
                ..WorkloadStatus::default()
            },
            desired: replicas(spec.replicas),
            paused: false,
            completions: None,
        })
    })
}

fn daemon_set(found: apps::DaemonSet) -> Read<Workload> {
    workload(WorkloadKind::DaemonSet, found.metadata, || {
        let spec = found.spec;
        let status = found.status.unwrap_or_default();
        let strategy = spec.update_strategy.unwrap_or_default();
        let rolling = strategy.rolling_update.unwrap_or_default();
        Ok(Parts {
            selector: Some(selector(spec.selector)),
            template: spec.template,
            strategy: RolloutStrategy {
                kind: text(strategy.type_),
                max_surge: int_or_percent(rolling.max_surge)?,
                max_unavailable: int_or_percent(rolling.max_unavailable)?,
                partition: None,
            },
            status: WorkloadStatus {
                observed_generation: status.observed_generation,
                replicas: count(status.current_number_scheduled),
                updated: some_count(status.updated_number_scheduled),
                ready: count(status.number_ready),
                available: some_count(status.number_available),
                conditions: conditions!(status.conditions),
                ..WorkloadStatus::default()
            },
            desired: count(status.desired_number_scheduled),
            paused: false,
            completions: None,
        })
    })
}

fn job(found: batch::Job) -> Read<Workload> {
    workload(WorkloadKind::Job, found.metadata, || {
        let spec = found.spec.unwrap_or_default();
        let status = found.status.unwrap_or_default();
        Ok(Parts {
            selector: spec.selector.map(selector),
            template: spec.template,
            strategy: RolloutStrategy::default(),
            status: WorkloadStatus {
                replicas: some_count(status.active),
                ready: some_count(status.ready),
                succeeded: some_count(status.succeeded),
                failed: some_count(status.failed),
                conditions: conditions!(status.conditions),
                ..WorkloadStatus::default()
            },
            desired: replicas(spec.parallelism),
            paused: spec.suspend.unwrap_or_default(),
            completions: spec.completions.map(count),
        })
    })
}

fn replication_controller(found: core::ReplicationController) -> Read<Workload> {
    workload(WorkloadKind::ReplicationController, found.metadata, || {
        let spec = found.spec.unwrap_or_default();
        let status = found.status.unwrap_or_default();
        Ok(Parts {
            selector: spec
                .selector
                .map(|match_labels| LabelSelector { match_labels, match_expressions: Vec::new() }),
            template: spec.template.unwrap_or_default(),
            strategy: RolloutStrategy::default(),
            status: WorkloadStatus {
                observed_generation: status.observed_generation,
                replicas: count(status.replicas),
                updated: count(status.replicas),
                ready: some_count(status.ready_replicas),
                available: some_count(status.available_replicas),
                conditions: conditions!(status.conditions),
                ..WorkloadStatus::default()
            },
            desired: replicas(spec.replicas),
            paused: false,
            completions: None,
        })
    })
}

impl KubeApi {
    /// Makes a call that answers with a workload.
    pub(crate) async fn workload(&self, kind: WorkloadKind, ask: &Ask) -> Result<Workload> {
        let body = self.bytes(ask).await?;
        Self::workload_of(kind, &body).map_err(|why| ask.malformed(why))
    }

    /// The workload that an answer is.
    pub(crate) fn workload_of(kind: WorkloadKind, body: &[u8]) -> Read<Workload> {
        match kind {
            WorkloadKind::Deployment => deployment(parsed(body)?),
            WorkloadKind::ReplicaSet => replica_set(parsed(body)?),
            WorkloadKind::StatefulSet => stateful_set(parsed(body)?),
            WorkloadKind::DaemonSet => daemon_set(parsed(body)?),
            WorkloadKind::Job => job(parsed(body)?),
            WorkloadKind::ReplicationController => replication_controller(parsed(body)?),
        }
    }
}

fn parsed<T: serde::de::DeserializeOwned>(body: &[u8]) -> Read<T> {
    serde_json::from_slice(body).map_err(|error| error.to_string())
}

#[async_trait]
impl WorkloadReader for KubeApi {
    async fn list_workloads(&self, query: &WorkloadQuery, page: &PageRequest) -> Result<Page<Workload>> {
        let kind = query.kind.as_str();
        let target = match &query.namespace {
            Some(namespace) => format!("{kind}s of {namespace}"),
            None => format!("{kind}s"),
        };
        let listing = Listing::all(resource(query.kind), target)
            .namespace(query.namespace.as_deref())
            .labels(&query.selector)?;
        match query.kind {
            WorkloadKind::Deployment => self.page(&listing, page, deployment).await,
            WorkloadKind::ReplicaSet => self.page(&listing, page, replica_set).await,
            WorkloadKind::StatefulSet => self.page(&listing, page, stateful_set).await,
            WorkloadKind::DaemonSet => self.page(&listing, page, daemon_set).await,
            WorkloadKind::Job => self.page(&listing, page, job).await,
            WorkloadKind::ReplicationController => self.page(&listing, page, replication_controller).await,
        }
    }

    async fn get_workload(&self, workload: &WorkloadRef) -> Result<Workload> {
        let resource = resource(workload.kind);
        let address = resource.object(Some(&workload.namespace), &workload.name);
        self.workload(workload.kind, &Ask::get(resource.permission("get"), workload.to_string(), address))
            .await
    }
}

/// A workload, as far as a change of one of its containers must know it.
#[derive(Deserialize)]
pub(crate) struct Containers {
    #[serde(default)]
    pub(crate) metadata: ContainersMeta,
    spec: ContainersSpec,
}

#[derive(Deserialize, Default)]
pub(crate) struct ContainersMeta {
    #[serde(default)]
    pub(crate) uid: String,
}

#[derive(Deserialize)]
struct ContainersSpec {
    template: ContainersTemplate,
}

#[derive(Deserialize)]
struct ContainersTemplate {
    spec: BTreeMap<String, serde_json::Value>,
}

impl Containers {
    /// Where a container stands in a JSON pointer, and its image.
    pub(crate) fn find(&self, name: &str) -> Option<(String, &str)> {
        for list in ["containers", "initContainers"] {
            let found = self.spec.template.spec.get(list).and_then(serde_json::Value::as_array);
            for (index, container) in found.into_iter().flatten().enumerate() {
                if container["name"] == name {
                    let image = container["image"].as_str().unwrap_or_default();
                    return Some((format!("/spec/template/spec/{list}/{index}"), image));
                }
            }
        }
        None
    }
}
