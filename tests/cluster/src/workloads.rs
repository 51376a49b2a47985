//! Things that run on nodes, and budgets that protect them.

use std::collections::BTreeMap;
use std::time::Duration;

use k8s_openapi::api::apps::v1::{DaemonSet, Deployment, StatefulSet};
use k8s_openapi::api::core::v1::{Namespace, Pod};
use k8s_openapi::api::policy::v1::PodDisruptionBudget;
use kube::api::{Api, PostParams};
use kube::runtime::watcher;
use serde_json::{Value, json};

use crate::cluster::Cluster;
use crate::error::ClusterError;
use crate::stages::END;
use crate::wait::wait_until;

/// What keeps the pods of a workload there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WorkloadKind {
    /// Pods in any number, replaced in any order.
    Deployment,
    /// Pods with names, one after the other.
    StatefulSet,
    /// One pod on each node.
    DaemonSet,
}

/// A workload: pods of one form, and what keeps them there. Its pods have the label `app`, with its name.
#[derive(Debug, Clone, PartialEq)]
pub struct Workload {
    kind: WorkloadKind,
    namespace: String,
    name: String,
    replicas: u32,
    pod: Value,
    annotations: BTreeMap<String, String>,
}

impl Workload {
    /// A Deployment.
    pub fn deployment(namespace: &str, name: &str, replicas: u32) -> Self {
        Self::new(WorkloadKind::Deployment, namespace, name, replicas)
    }

    /// A StatefulSet.
    pub fn stateful_set(namespace: &str, name: &str, replicas: u32) -> Self {
        Self::new(WorkloadKind::StatefulSet, namespace, name, replicas)
    }

    /// A DaemonSet that tolerates everything, as those of nodes do.
    pub fn daemon_set(namespace: &str, name: &str) -> Self {
        let mut workload = Self::new(WorkloadKind::DaemonSet, namespace, name, 0);
        workload.pod["tolerations"] = json!([{"operator": "Exists"}]);
        workload
    }

    fn new(kind: WorkloadKind, namespace: &str, name: &str, replicas: u32) -> Self {
        let container = json!({"name": "main", "image": "registry.k8s.io/pause:3.10"});
        Self {
            kind,
            namespace: namespace.to_owned(),
            name: name.to_owned(),
            replicas,
            pod: json!({"containers": [container]}),
            annotations: BTreeMap::new(),
        }
    }

    /// What each pod asks for, in the quantities of Kubernetes: `500m`, `1Gi`.
    #[must_use]
    pub fn requests(mut self, cpu: &str, memory: &str) -> Self {
        self.pod["containers"][0]["resources"] = json!({"requests": {"cpu": cpu, "memory": memory}});
        self
    }

    /// How long a pod may take to end.
    #[must_use]
    pub fn grace(mut self, grace: Duration) -> Self {
        self.pod["terminationGracePeriodSeconds"] = json!(grace.as_secs());
        self
    }

    /// Only on nodes with this label. One that no node has keeps the pods pending.
    #[must_use]
    pub fn on_nodes_with(mut self, key: &str, value: &str) -> Self {
        self.pod["nodeSelector"][key] = json!(value);
        self
    }

    /// Spread evenly over the values of a node label (`topology.kubernetes.io/zone`); pods that cannot be wait.
    #[must_use]
    pub fn spread_over(mut self, key: &str) -> Self {
        self.pod["topologySpreadConstraints"] = json!([{
            "maxSkew": 1, "topologyKey": key, "whenUnsatisfiable": "DoNotSchedule",
            "labelSelector": {"matchLabels": {"app": self.name}},
        }]);
        self
    }

    /// How long its pods take from deletion to end, where pods are slow
    /// ([`PodLife::Slow`](crate::PodLife::Slow)); the grace period, if that is shorter.
    #[must_use]
    pub fn ends_after(mut self, end: Duration) -> Self {
        self.annotations.insert(END.to_owned(), end.as_millis().to_string());
        self
    }

    /// How long its pods take from having started to being ready, where pods are slow.
    #[must_use]
    pub fn ready_after(mut self, ready: Duration) -> Self {
        for part in ["delay", "jitter-delay"] {
            let key = format!("pod-ready.stage.kwok.x-k8s.io/{part}");
            self.annotations.insert(key, format!("{}ms", ready.as_millis()));
        }
        self
    }

    /// Any other field of the pods' `spec`, over what is there.
    #[must_use]
    pub fn pod_field(mut self, name: &str, value: Value) -> Self {
        self.pod[name] = value;
        self
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its namespace.
    pub fn namespace(&self) -> &str {
        &self.namespace
    }

    fn object(&self) -> Value {
        let labels = json!({"app": self.name});
        let mut spec = json!({
            "selector": {"matchLabels": labels},
            "template": {
                "metadata": {"labels": labels, "annotations": self.annotations},
                "spec": self.pod,
            },
        });
        if self.kind != WorkloadKind::DaemonSet {
            spec["replicas"] = json!(self.replicas);
        }
        if self.kind == WorkloadKind::StatefulSet {
            spec["serviceName"] = json!(self.name);
        }
        json!({"metadata": {"name": self.name, "namespace": self.namespace, "labels": labels}, "spec": spec})
    }
}

/// How many pods a budget keeps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Budget {
    /// So many (`3`) or such a part (`50%`) must be healthy.
    MinAvailable(String),
    /// So many (`1`) or such a part (`25%`) may be missing.
    MaxUnavailable(String),
}

fn int_or_string(text: &str) -> Value {
    text.parse::<u32>().map_or_else(|_| json!(text), |number| json!(number))
}

impl Cluster {
    /// Makes a namespace, unless it is there.
    pub async fn add_namespace(&self, name: &str) -> Result<(), ClusterError> {
        let mut namespace = Namespace::default();
        namespace.metadata.name = Some(name.to_owned());
        match Api::all(self.client()?).create(&PostParams::default(), &namespace).await {
            Ok(_) => Ok(()),
            Err(kube::Error::Api(status)) if status.code == 409 => Ok(()),
            Err(error) => Err(ClusterError::api(format!("making namespace {name}"))(error)),
        }
    }

    /// Makes a workload, and its namespace. It is not waited for; see [`Cluster::wait_for_workload`].
    pub async fn add_workload(&self, workload: &Workload) -> Result<(), ClusterError> {
        self.add_namespace(&workload.namespace).await?;
        match workload.kind {
            WorkloadKind::Deployment => {
                self.create::<Deployment>(&workload.namespace, workload.object()).await
            }
            WorkloadKind::StatefulSet => {
                self.create::<StatefulSet>(&workload.namespace, workload.object()).await
            }
            WorkloadKind::DaemonSet => self.create::<DaemonSet>(&workload.namespace, workload.object()).await,
        }
    }

    /// Makes a budget for the pods of a workload, and waits until the controller has counted them.
    pub async fn add_budget(
        &self,
        workload: &Workload,
        budget: &Budget,
        within: Duration,
    ) -> Result<(), ClusterError> {
        let (field, value) = match budget {
            Budget::MinAvailable(value) => ("minAvailable", value),
            Budget::MaxUnavailable(value) => ("maxUnavailable", value),
        };
        let object = json!({
            "metadata": {"name": workload.name, "namespace": workload.namespace},
            "spec": {"selector": {"matchLabels": {"app": workload.name}}, field: int_or_string(value)},
        });
        self.create::<PodDisruptionBudget>(&workload.namespace, object).await?;
        let api = Api::namespaced(self.client()?, &workload.namespace);
        let one = watcher::Config::default().fields(&format!("metadata.name={}", workload.name));
        let what = format!("budget {}/{} to be counted", workload.namespace, workload.name);
        wait_until(api, &one, &what, within, |budgets: &[PodDisruptionBudget]| {
            budgets.iter().any(|budget| {
                budget.status.as_ref().and_then(|status| status.observed_generation)
                    >= budget.metadata.generation
            })
        })
        .await
        .map(drop)
    }

    /// Waits until all pods of a workload are there and ready, and gives them.
    pub async fn wait_for_workload(
        &self,
        workload: &Workload,
        within: Duration,
    ) -> Result<Vec<Pod>, ClusterError> {
        let wanted = match workload.kind {
            WorkloadKind::Deployment | WorkloadKind::StatefulSet => workload.replicas as usize,
            WorkloadKind::DaemonSet => self.desired(workload, within).await?,
        };
        let what = format!("{wanted} ready pods of {}/{}", workload.namespace, workload.name);
        self.wait_for_pods(workload, &what, within, |pods| {
            pods.len() == wanted && pods.iter().all(is_pod_ready)
        })
        .await
    }

    /// Waits until the pods of a workload are as wished, and gives them.
    pub async fn wait_for_pods(
        &self,
        workload: &Workload,
        what: &str,
        within: Duration,
        met: impl FnMut(&[Pod]) -> bool,
    ) -> Result<Vec<Pod>, ClusterError> {
        let api = Api::namespaced(self.client()?, &workload.namespace);
        let labels = watcher::Config::default().labels(&format!("app={}", workload.name));
        wait_until(api, &labels, what, within, met).await
    }

    /// How many pods a DaemonSet has, once its controller has counted the nodes and all are ready.
    async fn desired(&self, workload: &Workload, within: Duration) -> Result<usize, ClusterError> {
        let api = Api::namespaced(self.client()?, &workload.namespace);
        let one = watcher::Config::default().fields(&format!("metadata.name={}", workload.name));
        let what = format!("DaemonSet {}/{} to be ready", workload.namespace, workload.name);
        let mut wanted = 0;
        wait_until(api, &one, &what, within, |sets: &[DaemonSet]| {
            sets.iter().filter_map(|set| Some((set.metadata.generation, set.status.as_ref()?))).any(
                |(generation, status)| {
                    wanted = usize::try_from(status.desired_number_scheduled).unwrap_or_default();
                    status.observed_generation == generation
                        && wanted > 0
                        && status.number_ready == status.desired_number_scheduled
                },
            )
        })
        .await?;
        Ok(wanted)
    }

    async fn create<K>(&self, namespace: &str, object: Value) -> Result<(), ClusterError>
    where
        K: kube::Resource<DynamicType = (), Scope = k8s_openapi::NamespaceResourceScope>
            + k8s_openapi::serde::Serialize
            + k8s_openapi::serde::de::DeserializeOwned
            + Clone
            + std::fmt::Debug,
    {
        let doing = format!("making {} {namespace}/{}", K::kind(&()), object["metadata"]["name"]);
        let object: K = serde_json::from_value(object)
            .map_err(|error| ClusterError::BadOption(format!("{doing} failed ({error})")))?;
        Api::namespaced(self.client()?, namespace)
            .create(&PostParams::default(), &object)
            .await
            .map(drop)
            .map_err(ClusterError::api(doing))
    }
}

/// Whether a pod is ready.
pub fn is_pod_ready(pod: &Pod) -> bool {
    has_condition(pod, "Ready", "True")
}

/// Whether a pod waits because no node is right for it.
pub fn is_pod_unschedulable(pod: &Pod) -> bool {
    has_condition(pod, "PodScheduled", "False")
}

fn has_condition(pod: &Pod, kind: &str, status: &str) -> bool {
    pod.status
        .iter()
        .flat_map(|status| status.conditions.iter().flatten())
        .any(|condition| condition.type_ == kind && condition.status == status)
}
