//! Pods as they are.

use async_trait::async_trait;
use eks_provider::Result;
use eks_provider::kube::{
    Condition, ContainerState, ContainerStatus, Freshness, Page, PageRequest, Pod, PodQuery, PodReader,
};
use k8s_openapi::api::core::v1;

use crate::api::KubeApi;
use crate::call::Ask;
use crate::list::Listing;
use crate::meta::{Read, condition, count, meta, text, time};
use crate::pod_spec::pod_spec;
use crate::resource::Resource;

pub(crate) static PODS: Resource = Resource::of("", "v1", "pods");

fn pod(pod: v1::Pod) -> Read<Pod> {
    let meta = meta(pod.metadata);
    let status = pod.status.unwrap_or_default();
    let spec = pod_spec(pod.spec.unwrap_or_default()).map_err(|why| format!("Pod {meta}: {why}"))?;
    let containers = status.container_statuses.unwrap_or_default();
    let init_containers = status.init_container_statuses.unwrap_or_default();
    Ok(Pod {
        spec,
        phase: status.phase.as_deref().unwrap_or("Pending").into(),
        reason: text(status.reason),
        message: text(status.message),
        conditions: status
            .conditions
            .unwrap_or_default()
            .into_iter()
            .map(|from| Condition {
                observed_generation: from.observed_generation,
                ..condition(from.type_, from.status, from.reason, from.message, from.last_transition_time)
            })
            .collect(),
        start_time: time(status.start_time),
        pod_ip: text(status.pod_ip),
        nominated_node_name: text(status.nominated_node_name),
        qos_class: text(status.qos_class),
        container_statuses: containers.into_iter().chain(init_containers).map(container).collect(),
        meta,
    })
}

fn container(container: v1::ContainerStatus) -> ContainerStatus {
    ContainerStatus {
        name: container.name,
        ready: container.ready,
        restart_count: count(container.restart_count),
        image_id: text(Some(container.image_id)),
        state: container.state.map_or(ContainerState::Unstated, state),
    }
}

fn state(state: v1::ContainerState) -> ContainerState {
    if let Some(running) = state.running {
        ContainerState::Running(time(running.started_at))
    } else if let Some(ended) = state.terminated {
        ContainerState::Terminated(ended.exit_code)
    } else {
        state
            .waiting
            .map_or(ContainerState::Unstated, |waiting| ContainerState::Waiting(text(waiting.reason)))
    }
}

#[async_trait]
impl PodReader for KubeApi {
    async fn list_pods(&self, query: &PodQuery, page: &PageRequest) -> Result<Page<Pod>> {
        let target = match (&query.node_name, &query.namespace) {
            (Some(node), Some(namespace)) => format!("Pods of {namespace} on node {node}"),
            (Some(node), None) => format!("Pods on node {node}"),
            (None, Some(namespace)) => format!("Pods of {namespace}"),
            (None, None) => "Pods".to_owned(),
        };
        let mut listing =
            Listing::all(&PODS, target).namespace(query.namespace.as_deref()).labels(&query.selector)?;
        if let Some(node) = &query.node_name {
            listing.fields = Some(format!("spec.nodeName={node}"));
            // The cache of the API server has an index by node. Without one it minds no limit in older servers,
            // and all Pods of a cluster are too many for one answer.
            listing.freshness = query.freshness;
        } else {
            listing.freshness = Freshness::MostRecent;
        }
        self.page(&listing, page, pod).await
    }

    async fn get_pod(&self, namespace: &str, name: &str) -> Result<Pod> {
        let ask = Ask::get("get pods", format!("Pod {namespace}/{name}"), PODS.object(Some(namespace), name));
        pod(self.json(&ask).await?).map_err(|why| ask.malformed(why))
    }
}
