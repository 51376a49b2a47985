//! The parts of a scenario.

use std::collections::BTreeMap;
use std::time::Duration;

use eks_provider::kube::{
    self as api, Affinity, Budget, Container, LabelSelector, PodAffinityTerm, PodSpec, PodTemplate,
    Resources, RolloutStrategy, Toleration, TolerationOperator, TopologySpreadConstraint,
    UnhealthyPodEvictionPolicy, Volume, VolumeSource, WorkloadKind,
};
use serde::{Deserialize, Serialize};

use super::pick::NodePick;
use super::words::{
    EffectWord, Number, OperatorWord, QuantityText, ServiceWord, StrategyWord, TrafficWord, UnhealthyWord,
};
use crate::World;
use crate::kube::objects::{Behaviour, ClaimTemplate};
use crate::kube::settings::Between;

/// A namespace.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct NamespacePart {
    /// Its name.
    pub name: String,
    /// Its labels.
    #[serde(default)]
    pub labels: BTreeMap<String, String>,
    /// Whether it is being deleted: evictions in it are refused.
    #[serde(default)]
    pub terminating: bool,
}

/// What runs Pods; or a Pod that nobody runs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum WorkloadWord {
    /// A Deployment.
    #[default]
    Deployment,
    /// A ReplicaSet of its own.
    ReplicaSet,
    /// A StatefulSet.
    StatefulSet,
    /// A DaemonSet.
    DaemonSet,
    /// A Job.
    Job,
    /// A Pod that nobody makes anew.
    Pod,
    /// A static Pod of a node.
    StaticPod,
}

impl WorkloadWord {
    /// The word of the API; a static Pod is a Pod.
    pub fn as_str(self) -> &'static str {
        self.workload().map_or("Pod", WorkloadKind::as_str)
    }

    pub(crate) fn workload(self) -> Option<WorkloadKind> {
        Some(match self {
            Self::Deployment => WorkloadKind::Deployment,
            Self::ReplicaSet => WorkloadKind::ReplicaSet,
            Self::StatefulSet => WorkloadKind::StatefulSet,
            Self::DaemonSet => WorkloadKind::DaemonSet,
            Self::Job => WorkloadKind::Job,
            Self::Pod | Self::StaticPod => return None,
        })
    }
}

fn one() -> u32 {
    1
}

/// A workload, or a Pod. Its Pods have the label `app` with its name, besides those that are said.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct WorkloadPart {
    /// What it is.
    pub kind: WorkloadWord,
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// How many Pods; for a Job, how many at a time. One, where nothing is said; a DaemonSet has one on each
    /// of its nodes.
    #[serde(default)]
    pub replicas: Option<u32>,
    /// Further labels of its Pods.
    #[serde(default)]
    pub labels: BTreeMap<String, String>,
    /// Annotations of it and its Pods.
    #[serde(default)]
    pub annotations: BTreeMap<String, String>,
    /// The image of its container.
    #[serde(default)]
    pub image: Option<String>,
    /// What each Pod asks for.
    #[serde(default)]
    pub cpu: QuantityText,
    /// What each Pod asks for.
    #[serde(default)]
    pub memory: QuantityText,
    /// How long its Pods are given to end; 30 where nothing is said.
    #[serde(default)]
    pub termination_grace_period_seconds: Option<u64>,
    /// Labels that its nodes must have.
    #[serde(default)]
    pub node_selector: BTreeMap<String, String>,
    /// Taints that its Pods tolerate.
    #[serde(default)]
    pub tolerations: Vec<TolerationPart>,
    /// How evenly its Pods are spread.
    #[serde(default)]
    pub topology_spread: Vec<SpreadPart>,
    /// No two of its Pods where this label of the nodes is the same (required anti-affinity).
    #[serde(default)]
    pub apart_by: Option<String>,
    /// Its priority.
    #[serde(default)]
    pub priority: Option<i32>,
    /// Whether its Pods use the network of the node.
    #[serde(default)]
    pub host_network: bool,
    /// Whether its Pods have a place on the node that is lost with them.
    #[serde(default)]
    pub empty_dir: bool,
    /// Claims that its Pods use.
    #[serde(default)]
    pub claims: Vec<String>,
    /// For a StatefulSet: a volume of this size for each Pod.
    #[serde(default)]
    pub storage: Option<QuantityText>,
    /// How it is rolled.
    #[serde(default)]
    pub strategy: StrategyPart,
    /// For a StatefulSet: all Pods at a time.
    #[serde(default)]
    pub parallel: bool,
    /// For a Job: how many Pods must end well; as many as `replicas` where nothing is said.
    #[serde(default)]
    pub completions: Option<u32>,
    /// For a Pod: its node.
    #[serde(default)]
    pub node: Option<NodePick>,
    /// For a Pod: what must be done before it is gone.
    #[serde(default)]
    pub finalizers: Vec<String>,
    /// From running to ready.
    #[serde(default)]
    pub ready_after_seconds: Option<u64>,
    /// How long it takes to end.
    #[serde(default)]
    pub ends_after_seconds: Option<u64>,
    /// After how long it ends by itself.
    #[serde(default)]
    pub runs_for_seconds: Option<u64>,
    /// It never becomes ready.
    #[serde(default)]
    pub never_ready: bool,
    /// Its end hangs.
    #[serde(default)]
    pub hangs: bool,
}

impl WorkloadPart {
    /// One Pod that asks for nothing.
    pub fn new(kind: WorkloadWord, namespace: &str, name: &str) -> Self {
        Self { kind, namespace: namespace.to_owned(), name: name.to_owned(), ..Self::default() }
    }

    pub(super) fn labels(&self) -> BTreeMap<String, String> {
        BTreeMap::from([("app".to_owned(), self.name.clone())])
    }

    pub(super) fn claims(&self) -> Vec<ClaimTemplate> {
        let storage = |size: &QuantityText| size.0.units().try_into().unwrap_or(i64::MAX);
        self.storage
            .iter()
            .map(|size| ClaimTemplate { name: "data".to_owned(), storage: storage(size) })
            .collect()
    }

    pub(super) fn behaviour(&self) -> Behaviour {
        let default = Behaviour::default();
        let always = |seconds| Between::always(Duration::from_secs(seconds));
        Behaviour {
            ready_after: self.ready_after_seconds.map_or(default.ready_after, always),
            ends_after: self.ends_after_seconds.map_or(default.ends_after, always),
            runs_for: self
                .runs_for_seconds
                .or((self.kind == WorkloadWord::Job).then_some(600))
                .map(Duration::from_secs),
            never_ready: self.never_ready,
            hangs: self.hangs,
        }
    }

    pub(super) fn template(&self) -> PodTemplate {
        let mut labels = self.labels();
        labels.extend(self.labels.clone());
        let requests: Resources = [("cpu", self.cpu), ("memory", self.memory)]
            .into_iter()
            .filter(|(_, quantity)| quantity.0.milli() > 0)
            .map(|(name, quantity)| (name.to_owned(), quantity.0))
            .collect();
        let container = Container {
            name: self.name.clone(),
            image: self.image.clone().unwrap_or_else(|| format!("registry.example/{}:1", self.name)),
            requests,
            ..Container::default()
        };
        let own = || Some(LabelSelector { match_labels: self.labels(), match_expressions: Vec::new() });
        let mut volumes: Vec<Volume> = self
            .claims
            .iter()
            .map(|claim| Volume {
                name: claim.clone(),
                source: VolumeSource::PersistentVolumeClaim(claim.clone()),
            })
            .collect();
        if self.empty_dir {
            volumes.push(Volume {
                name: "scratch".to_owned(),
                source: VolumeSource::EmptyDir { memory: false, size_limit: None },
            });
        }
        let restart = if self.kind == WorkloadWord::Job { "Never" } else { "Always" };
        let spec = PodSpec {
            containers: vec![container],
            volumes,
            termination_grace_period: Some(Duration::from_secs(
                self.termination_grace_period_seconds.unwrap_or(30),
            )),
            restart_policy: Some(restart.to_owned()),
            node_selector: self.node_selector.clone(),
            affinity: Affinity {
                required_anti_pods: self
                    .apart_by
                    .iter()
                    .map(|key| PodAffinityTerm {
                        topology_key: key.clone(),
                        selector: own(),
                        ..PodAffinityTerm::default()
                    })
                    .collect(),
                ..Affinity::default()
            },
            tolerations: self.tolerations.iter().map(TolerationPart::toleration).collect(),
            topology_spread: self
                .topology_spread
                .iter()
                .map(|part| TopologySpreadConstraint {
                    max_skew: part.max_skew,
                    topology_key: part.topology_key.clone(),
                    when_unsatisfiable: if part.schedule_anyway {
                        "ScheduleAnyway".to_owned()
                    } else {
                        "DoNotSchedule".to_owned()
                    },
                    selector: own(),
                    match_label_keys: Vec::new(),
                    min_domains: None,
                    node_affinity_policy: None,
                    node_taints_policy: None,
                })
                .collect(),
            priority: self.priority,
            host_network: self.host_network,
            scheduler_name: Some("default-scheduler".to_owned()),
            ..PodSpec::default()
        };
        PodTemplate { labels, annotations: self.annotations.clone(), spec }
    }
}

/// A taint that Pods tolerate.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
pub struct TolerationPart {
    /// The key; every one, where nothing is said.
    pub key: Option<String>,
    /// `Equal` or `Exists`.
    pub operator: Option<OperatorWord>,
    /// The value.
    pub value: Option<String>,
    /// The effect; every one, where nothing is said.
    pub effect: Option<EffectWord>,
    /// For how long.
    pub toleration_seconds: Option<u64>,
}

impl TolerationPart {
    fn toleration(&self) -> Toleration {
        Toleration {
            key: self.key.clone(),
            operator: self
                .operator
                .map_or(TolerationOperator::Equal, |word| TolerationOperator::from(word.as_str())),
            value: self.value.clone(),
            effect: self.effect.map(|word| api::TaintEffect::from(word.as_str())),
            duration: self.toleration_seconds.map(Duration::from_secs),
        }
    }
}

/// How evenly Pods are spread.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct SpreadPart {
    /// A place is: nodes with the same value of this label.
    pub topology_key: String,
    /// The most that one place may have above another.
    #[serde(default = "one")]
    pub max_skew: u32,
    /// `ScheduleAnyway` instead of `DoNotSchedule`.
    #[serde(default)]
    pub schedule_anyway: bool,
}

/// How a workload is rolled.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
pub struct StrategyPart {
    /// `RollingUpdate`, `Recreate`, `OnDelete`.
    #[serde(rename = "type")]
    pub kind: Option<StrategyWord>,
    /// How many Pods too many there may be.
    pub max_surge: Option<Number>,
    /// How many Pods too few there may be.
    pub max_unavailable: Option<Number>,
    /// For a StatefulSet: from which number on Pods are rolled.
    pub partition: Option<u32>,
}

impl StrategyPart {
    pub(super) fn strategy(&self, kind: WorkloadKind) -> RolloutStrategy {
        let has_one =
            matches!(kind, WorkloadKind::Deployment | WorkloadKind::StatefulSet | WorkloadKind::DaemonSet);
        let default = || has_one.then(|| "RollingUpdate".to_owned());
        RolloutStrategy {
            kind: self.kind.map(|word| word.as_str().to_owned()).or_else(default),
            max_surge: self.max_surge.map(|number| number.0),
            max_unavailable: self.max_unavailable.map(|number| number.0),
            partition: self.partition,
        }
    }
}

/// A budget.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct BudgetPart {
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// The labels of its Pods; none means all.
    #[serde(default)]
    pub match_labels: BTreeMap<String, String>,
    /// So many must stay.
    #[serde(default)]
    pub min_available: Option<Number>,
    /// So many may be out.
    #[serde(default)]
    pub max_unavailable: Option<Number>,
    /// `IfHealthyBudget` or `AlwaysAllow`.
    #[serde(default)]
    pub unhealthy_pod_eviction_policy: Option<UnhealthyWord>,
}

impl BudgetPart {
    pub(crate) fn object(&self, world: &mut World) -> Budget {
        let now = world.now();
        Budget {
            meta: world.kube.new_meta(Some(&self.namespace), &self.name, now),
            selector: Some(LabelSelector {
                match_labels: self.match_labels.clone(),
                match_expressions: Vec::new(),
            }),
            min_available: self.min_available.map(|number| number.0),
            max_unavailable: self.max_unavailable.map(|number| number.0),
            unhealthy_pod_eviction_policy: self
                .unhealthy_pod_eviction_policy
                .map(|word| UnhealthyPodEvictionPolicy::from(word.as_str())),
            status: api::BudgetStatus::default(),
        }
    }
}

/// A claim of a volume.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct ClaimPart {
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// How much it asks for.
    #[serde(default)]
    pub storage: QuantityText,
    /// The zone of its volume; with none, it is made where its first Pod goes.
    #[serde(default)]
    pub zone: Option<String>,
    /// A volume of EFS, which every node reaches, instead of EBS.
    #[serde(default)]
    pub shared: bool,
}

/// A Service.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct ServicePart {
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// `ClusterIP`, `LoadBalancer`, …
    #[serde(default, rename = "type")]
    pub kind: Option<ServiceWord>,
    /// The labels of its Pods.
    #[serde(default)]
    pub selector: BTreeMap<String, String>,
    /// Its port.
    #[serde(default)]
    pub port: Option<u16>,
    /// `Local` or `Cluster`.
    #[serde(default)]
    pub external_traffic_policy: Option<TrafficWord>,
}

/// An admission webhook, `NAME.example.com`. It is listed; what it answers is a fault
/// ([`Fault::WebhookRefuses`](crate::kube::Fault::WebhookRefuses)).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct WebhookPart {
    /// The name of its configuration.
    pub name: String,
    /// The namespace of its Service.
    pub namespace: String,
    /// Its Service.
    pub service: String,
    /// Whether it may change objects.
    #[serde(default)]
    pub mutating: bool,
    /// Whether requests go on when it does not answer.
    #[serde(default)]
    pub ignores_failure: bool,
    /// `CREATE`, `UPDATE`, …; all, where nothing is said.
    #[serde(default)]
    pub operations: Vec<String>,
    /// `pods`, `pods/eviction`, …; all, where nothing is said.
    #[serde(default)]
    pub resources: Vec<String>,
}
