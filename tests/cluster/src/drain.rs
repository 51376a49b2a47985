//! What EKS does to the nodes of a managed group, for a simulated EKS beside a real control plane.

use k8s_openapi::api::core::v1::{Node, Pod};
use kube::ResourceExt as _;
use kube::api::{Api, EvictParams, ListParams, Patch, PatchParams};
use serde_json::json;

use crate::cluster::Cluster;
use crate::error::ClusterError;

impl Cluster {
    /// Keeps pods and load balancers off a node, or lets them come again.
    pub async fn set_aside(&self, name: &str, aside: bool) -> Result<(), ClusterError> {
        let excluded = aside.then_some("true");
        let patch = json!({
            "metadata": {"labels": {"node.kubernetes.io/exclude-from-external-load-balancers": excluded}},
            "spec": {"unschedulable": aside.then_some(true)},
        });
        Api::<Node>::all(self.client()?)
            .patch(name, &PatchParams::default(), &Patch::Merge(patch))
            .await
            .map(drop)
            .map_err(ClusterError::api(format!("setting node {name} aside")))
    }

    /// Evicts each pod of a node once, those of DaemonSets and static ones not; those that are there after it, as
    /// `namespace/name`. A refusal of a budget is no error: the pod is left.
    pub async fn evict_pods_of(&self, node: &str) -> Result<Vec<String>, ClusterError> {
        for pod in self.movable(node).await? {
            if pod.metadata.deletion_timestamp.is_some() {
                continue;
            }
            let (name, namespace) = (pod.name_any(), pod.namespace().unwrap_or_default());
            let api: Api<Pod> = Api::namespaced(self.client()?, &namespace);
            match api.evict(&name, &EvictParams::default()).await {
                Ok(_) => {}
                Err(kube::Error::Api(status)) if [404, 429].contains(&status.code) => {}
                Err(error) => {
                    return Err(ClusterError::api(format!("evicting pod {namespace}/{name}"))(error));
                }
            }
        }
        let left = self.movable(node).await?;
        Ok(left
            .iter()
            .map(|pod| format!("{}/{}", pod.namespace().unwrap_or_default(), pod.name_any()))
            .collect())
    }

    async fn movable(&self, node: &str) -> Result<Vec<Pod>, ClusterError> {
        let on_it = ListParams::default().fields(&format!("spec.nodeName={node}"));
        let pods = Api::<Pod>::all(self.client()?)
            .list(&on_it)
            .await
            .map_err(ClusterError::api(format!("listing the pods of node {node}")))?;
        Ok(pods.items.into_iter().filter(has_to_move).collect())
    }
}

fn has_to_move(pod: &Pod) -> bool {
    let of_daemon_set = pod.owner_references().iter().any(|owner| owner.kind == "DaemonSet");
    let is_static = pod.annotations().contains_key("kubernetes.io/config.mirror");
    let phase = pod.status.as_ref().and_then(|status| status.phase.as_deref());
    !of_daemon_set && !is_static && !matches!(phase, Some("Succeeded" | "Failed"))
}
