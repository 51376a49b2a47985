//! Nodes, as the kubelets of EC2 instances make them.

use std::collections::BTreeMap;
use std::time::Duration;

use k8s_openapi::api::core::v1::{Node, NodeCondition, Taint};
use kube::ResourceExt as _;
use kube::api::{Api, DeleteParams, ListParams, Patch, PatchParams, PostParams};
use kube::runtime::watcher;
use serde_json::json;

use crate::cluster::Cluster;
use crate::error::ClusterError;
use crate::stages::NO_KUBELET;
use crate::wait::wait_until;

/// A node that an instance would make of itself.
///
/// ```
/// use eks_cluster::NodeSpec;
/// let node = NodeSpec::new("ip-10-0-1-17.eu-central-1.compute.internal")
///     .kubelet("v1.34.2-eks-5e0fdde")
///     .zone("eu-central-1b")
///     .instance("i-0123456789abcdef0", "m6i.large")
///     .label("eks.amazonaws.com/nodegroup", "blue")
///     .to_node();
/// let spec = node.spec.unwrap();
/// assert_eq!(spec.provider_id.as_deref(), Some("aws:///eu-central-1b/i-0123456789abcdef0"));
/// assert_eq!(node.metadata.labels.unwrap()["topology.kubernetes.io/region"], "eu-central-1");
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct NodeSpec {
    name: String,
    kubelet: String,
    zone: String,
    region: Option<String>,
    instance_id: String,
    instance_type: String,
    architecture: String,
    cpu: String,
    memory: String,
    pods: u32,
    labels: BTreeMap<String, String>,
    annotations: BTreeMap<String, String>,
    taints: Vec<Taint>,
    ready: bool,
}

impl NodeSpec {
    /// A node of that name: an m6i.large in eu-central-1a with a kubelet of 1.34, which becomes ready.
    pub fn new(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            kubelet: "v1.34.2-eks-5e0fdde".to_owned(),
            zone: "eu-central-1a".to_owned(),
            region: None,
            instance_id: instance_id(name),
            instance_type: "m6i.large".to_owned(),
            architecture: "amd64".to_owned(),
            cpu: "2".to_owned(),
            memory: "8Gi".to_owned(),
            pods: 29,
            labels: BTreeMap::new(),
            annotations: BTreeMap::new(),
            taints: Vec::new(),
            ready: true,
        }
    }

    /// The version that the kubelet says it is: `v1.34.2-eks-5e0fdde`.
    #[must_use]
    pub fn kubelet(mut self, version: &str) -> Self {
        version.clone_into(&mut self.kubelet);
        self
    }

    /// The availability zone: `eu-central-1a`. The region is the zone without its last letter.
    #[must_use]
    pub fn zone(mut self, zone: &str) -> Self {
        zone.clone_into(&mut self.zone);
        self
    }

    /// The region, where it is not the zone without its last letter (local zones).
    #[must_use]
    pub fn region(mut self, region: &str) -> Self {
        self.region = Some(region.to_owned());
        self
    }

    /// The instance behind it, by id and type. Without, the id follows from the name.
    #[must_use]
    pub fn instance(mut self, id: &str, instance_type: &str) -> Self {
        id.clone_into(&mut self.instance_id);
        instance_type.clone_into(&mut self.instance_type);
        self
    }

    /// `amd64` or `arm64`.
    #[must_use]
    pub fn architecture(mut self, architecture: &str) -> Self {
        architecture.clone_into(&mut self.architecture);
        self
    }

    /// What it has, in the quantities of Kubernetes: `2`, `8Gi`, and so many pods.
    #[must_use]
    pub fn capacity(mut self, cpu: &str, memory: &str, pods: u32) -> Self {
        cpu.clone_into(&mut self.cpu);
        memory.clone_into(&mut self.memory);
        self.pods = pods;
        self
    }

    /// One more label.
    #[must_use]
    pub fn label(mut self, key: &str, value: &str) -> Self {
        self.labels.insert(key.to_owned(), value.to_owned());
        self
    }

    /// One more annotation.
    #[must_use]
    pub fn annotation(mut self, key: &str, value: &str) -> Self {
        self.annotations.insert(key.to_owned(), value.to_owned());
        self
    }

    /// One more taint that the kubelet registers with: `NoSchedule`, `PreferNoSchedule`, `NoExecute`.
    #[must_use]
    pub fn taint(mut self, key: &str, value: &str, effect: &str) -> Self {
        self.taints.push(Taint {
            key: key.to_owned(),
            value: Some(value.to_owned()),
            effect: effect.to_owned(),
            time_added: None,
        });
        self
    }

    /// A kubelet that registers and stays not ready, as one whose network plugin does not come up.
    #[must_use]
    pub fn never_ready(mut self) -> Self {
        self.ready = false;
        self
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The object as the kubelet registers it.
    pub fn to_node(&self) -> Node {
        let region = self
            .region
            .clone()
            .unwrap_or_else(|| self.zone.trim_end_matches(|c: char| c.is_ascii_lowercase()).to_owned());
        let mut labels: BTreeMap<String, String> = [
            ("kubernetes.io/hostname", self.name.as_str()),
            ("kubernetes.io/os", "linux"),
            ("kubernetes.io/arch", &self.architecture),
            ("node.kubernetes.io/instance-type", &self.instance_type),
            ("topology.kubernetes.io/zone", &self.zone),
            ("topology.kubernetes.io/region", &region),
        ]
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .into();
        labels.extend(self.labels.clone());
        let mut annotations = self.annotations.clone();
        if !self.ready {
            annotations.insert(NO_KUBELET.to_owned(), "never".to_owned());
        }
        let quantities = json!({"cpu": self.cpu, "memory": self.memory, "pods": self.pods.to_string()});
        let mut status = json!({
            "capacity": quantities,
            "allocatable": quantities,
            "nodeInfo": {
                "kubeletVersion": self.kubelet,
                // Since 1.33 the field is there and empty on real nodes.
                "kubeProxyVersion": "",
                "containerRuntimeVersion": "containerd://2.1.4",
                // Not a mere number: kwok's template would read it as one.
                "kernelVersion": "6.12.46-66.121.amzn2023.x86_64",
                "osImage": "Amazon Linux 2023.9.20251027",
                "operatingSystem": "linux",
                "architecture": self.architecture,
                "bootID": "", "machineID": "", "systemUUID": "",
            },
        });
        if !self.ready {
            status["conditions"] = json!([not_ready(
                "False",
                "KubeletNotReady",
                "container runtime network not ready: NetworkReady=false reason:NetworkPluginNotReady message:Network plugin returns error: cni plugin not initialized",
            )]);
        }
        let mut node = Node::default();
        node.metadata.name = Some(self.name.clone());
        node.metadata.labels = Some(labels);
        node.metadata.annotations = Some(annotations);
        node.spec = Some(k8s_openapi::api::core::v1::NodeSpec {
            provider_id: Some(format!("aws:///{}/{}", self.zone, self.instance_id)),
            taints: (!self.taints.is_empty()).then(|| self.taints.clone()),
            ..Default::default()
        });
        node.status = serde_json::from_value(status).ok();
        node
    }
}

/// An id of the form that EC2 gives, the same for the same name.
fn instance_id(name: &str) -> String {
    let hash = name.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    format!("i-0{hash:016x}")
}

fn not_ready(status: &str, reason: &str, message: &str) -> serde_json::Value {
    json!({"type": "Ready", "status": status, "reason": reason, "message": message})
}

/// The condition of a node that says whether it is ready.
pub fn ready_condition(node: &Node) -> Option<&NodeCondition> {
    node.status.as_ref()?.conditions.as_ref()?.iter().find(|condition| condition.type_ == "Ready")
}

/// Whether a node is ready: its kubelet says so, and the taint that says otherwise is gone.
pub fn is_ready(node: &Node) -> bool {
    let tainted = node.spec.iter().flat_map(|spec| spec.taints.iter().flatten()).any(|taint| {
        matches!(taint.key.as_str(), "node.kubernetes.io/not-ready" | "node.kubernetes.io/unreachable")
    });
    !tainted && ready_condition(node).is_some_and(|condition| condition.status == "True")
}

impl Cluster {
    /// Has an instance join. It is not waited for; see [`Cluster::wait_for_nodes`].
    pub async fn add_node(&self, node: &NodeSpec) -> Result<Node, ClusterError> {
        Api::all(self.client()?)
            .create(&PostParams::default(), &node.to_node())
            .await
            .map_err(ClusterError::api(format!("adding node {}", node.name)))
    }

    /// All nodes.
    pub async fn nodes(&self) -> Result<Vec<Node>, ClusterError> {
        let all = Api::all(self.client()?).list(&ListParams::default()).await;
        all.map(|nodes| nodes.items).map_err(ClusterError::api("listing the nodes"))
    }

    /// Waits until exactly so many nodes are ready.
    pub async fn wait_for_nodes(&self, ready: usize, within: Duration) -> Result<Vec<Node>, ClusterError> {
        let what = format!("{ready} ready nodes");
        wait_until(
            Api::all(self.client()?),
            &watcher::Config::default(),
            &what,
            within,
            |nodes: &[Node]| nodes.iter().filter(|node| is_ready(node)).count() == ready,
        )
        .await
    }

    /// Deletes a node, as happens when its instance is gone.
    pub async fn delete_node(&self, name: &str) -> Result<(), ClusterError> {
        Api::<Node>::all(self.client()?)
            .delete(name, &DeleteParams::default())
            .await
            .map(drop)
            .map_err(ClusterError::api(format!("deleting node {name}")))
    }

    /// Takes the kubelet of a node away: its condition becomes unknown, and nothing makes it ready until
    /// [`Cluster::start_kubelet`]. (Its pods still end when they are deleted: kwok does that for any node.)
    pub async fn stop_kubelet(&self, name: &str) -> Result<(), ClusterError> {
        let nodes: Api<Node> = Api::all(self.client()?);
        let doing = || ClusterError::api(format!("stopping the kubelet of {name}"));
        let note = json!({"metadata": {"annotations": {NO_KUBELET: "stopped"}}});
        nodes.patch(name, &PatchParams::default(), &Patch::Merge(note)).await.map_err(doing())?;
        let unknown = not_ready("Unknown", "NodeStatusUnknown", "Kubelet stopped posting node status.");
        let status = json!({"status": {"conditions": [unknown]}});
        nodes
            .patch_status(name, &PatchParams::default(), &Patch::Strategic(status))
            .await
            .map(drop)
            .map_err(doing())
    }

    /// Gives a node its kubelet (back): it becomes ready.
    pub async fn start_kubelet(&self, name: &str) -> Result<(), ClusterError> {
        let note = json!({"metadata": {"annotations": {NO_KUBELET: null}}});
        Api::<Node>::all(self.client()?)
            .patch(name, &PatchParams::default(), &Patch::Merge(note))
            .await
            .map(|node| debug_assert_eq!(node.name_any(), name))
            .map_err(ClusterError::api(format!("starting the kubelet of {name}")))
    }
}

#[cfg(test)]
mod tests {
    use super::{NodeSpec, is_ready};

    #[test]
    fn a_node_says_what_an_instance_says() {
        let node = NodeSpec::new("a")
            .zone("us-east-1-bos-1a")
            .region("us-east-1")
            .taint("dedicated", "db", "NoSchedule")
            .to_node();
        let labels = node.metadata.labels.clone().unwrap();
        assert_eq!(labels["topology.kubernetes.io/region"], "us-east-1");
        let id = node.spec.as_ref().unwrap().provider_id.clone().unwrap();
        assert!(
            id.starts_with("aws:///us-east-1-bos-1a/i-0")
                && id.len() == "aws:///us-east-1-bos-1a/".len() + 19,
            "{id}"
        );
        assert!(node.status.as_ref().is_some_and(|status| status.node_info.is_some()));
        assert!(!is_ready(&node), "nobody has said so yet");
        let never = NodeSpec::new("b").never_ready().to_node();
        assert_eq!(super::ready_condition(&never).unwrap().status, "False");
    }
}
