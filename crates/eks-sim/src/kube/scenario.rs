//! What is in the cluster at the beginning, as a file says it.

mod parts;
mod words;

use std::collections::{BTreeMap, BTreeSet};

use eks_model::KubeMinor;
use eks_provider::kube::{self as api, LabelSelector, WorkloadKind};
use serde::{Deserialize, Serialize};

pub use self::parts::{
    BudgetPart, ClaimPart, NamespacePart, ServicePart, SpreadPart, StrategyPart, TolerationPart, WebhookPart,
    WorkloadPart, WorkloadWord,
};
pub use self::words::{Number, QuantityText};
use super::objects::Behaviour;
use super::{budgets, nodes, volumes, workloads};
use crate::World;
use crate::kube::actors::{ClusterAutoscaler, Karpenter, PersonDoes};

/// What is in the cluster at the beginning. All of it may be left out; names and values are Kubernetes'.
///
/// ```
/// use eks_sim::kube::{Scenario, apply};
/// use eks_sim::World;
///
/// let text = r#"{
///   "minor": "1.34",
///   "workloads": [
///     {"kind": "Deployment", "namespace": "shop", "name": "web", "replicas": 3, "cpu": "250m"},
///     {"kind": "StatefulSet", "namespace": "shop", "name": "db", "replicas": 2, "storage": "10Gi"}
///   ],
///   "budgets": [
///     {"namespace": "shop", "name": "web", "matchLabels": {"app": "web"}, "maxUnavailable": 1},
///     {"namespace": "shop", "name": "db", "matchLabels": {"app": "db"}, "minAvailable": "50%"}
///   ]
/// }"#;
/// let scenario: Scenario = serde_json::from_str(text).unwrap();
/// let mut world = World::new("2026-11-24T12:00:00Z".parse().unwrap(), 1);
/// apply(&mut world, &scenario).unwrap();
///
/// // A typo is refused, with what is allowed.
/// let error = serde_json::from_str::<Scenario>(r#"{"workload": []}"#).unwrap_err();
/// assert!(error.to_string().contains("unknown field `workload`, expected one of"));
/// ```
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
pub struct Scenario {
    /// The cluster whose machines join; all, where it is not said.
    pub cluster: Option<String>,
    /// The minor of the control plane.
    pub minor: Option<KubeMinor>,
    /// Whether the DaemonSets of every EKS cluster are left out: `aws-node` and `kube-proxy`. Without
    /// `aws-node`, nodes are ready as soon as they register.
    pub without_addons: bool,
    /// Namespaces with something to say of them; the others come by themselves.
    pub namespaces: Vec<NamespacePart>,
    /// Workloads.
    pub workloads: Vec<WorkloadPart>,
    /// Budgets.
    pub budgets: Vec<BudgetPart>,
    /// Claims of volumes.
    pub claims: Vec<ClaimPart>,
    /// Services.
    pub services: Vec<ServicePart>,
    /// Admission webhooks.
    pub webhooks: Vec<WebhookPart>,
    /// ConfigMaps, as namespace/name and their keys.
    pub config_maps: BTreeMap<String, BTreeMap<String, String>>,
    /// cluster-autoscaler, where it runs.
    pub cluster_autoscaler: Option<ClusterAutoscaler>,
    /// Karpenter, where it runs.
    pub karpenter: Option<Karpenter>,
    /// What a person does, and when.
    pub person: Vec<PersonDoes>,
}

/// What does not fit together in a scenario.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ScenarioError {
    /// A name stands twice.
    #[error("{0} stands twice")]
    Twice(String),
    /// A budget says both, or neither.
    #[error("budget {0} needs one of minAvailable and maxUnavailable")]
    BudgetLimit(String),
    /// Something is said of a kind that has no such thing.
    #[error("{0} {1}; {2}")]
    NotOfKind(String, &'static str, &'static str),
    /// A name that is no namespace/name.
    #[error("`{0}` is no namespace/name; write it like kube-system/coredns")]
    NamespacedName(String),
    /// A node that is named is not there.
    #[error("{0} is to be on node {1}, which is not there")]
    NoSuchNode(String, String),
}

/// Puts a scenario into a world. What stands before a contradiction is there already.
pub fn apply(world: &mut World, scenario: &Scenario) -> Result<(), ScenarioError> {
    let now = world.now();
    if scenario.cluster.is_some() {
        world.kube.cluster.clone_from(&scenario.cluster);
    }
    if scenario.minor.is_some() {
        world.kube.minor = scenario.minor;
    }
    for name in ["default", "kube-system", "kube-public", "kube-node-lease"] {
        world.kube.namespace(name, now);
    }
    for part in &scenario.namespaces {
        let name = world.kube.namespace(&part.name, now);
        if let Some(namespace) = world.kube.namespaces.get_mut(&name) {
            namespace.meta.labels.extend(part.labels.clone());
            namespace.terminating = part.terminating;
        }
    }
    if !scenario.without_addons {
        addons(world);
    }
    for claim in &scenario.claims {
        claim.add(world)?;
    }
    for budget in &scenario.budgets {
        let object = budget.object(world)?;
        let name = object.meta.to_string();
        budgets::add(world, object).ok_or_else(|| ScenarioError::Twice(format!("budget {name}")))?;
    }
    for workload in &scenario.workloads {
        workload.add(world)?;
    }
    for service in &scenario.services {
        service.add(world)?;
    }
    for webhook in &scenario.webhooks {
        webhook.add(world);
    }
    for (key, data) in &scenario.config_maps {
        let (namespace, name) =
            key.split_once('/').ok_or_else(|| ScenarioError::NamespacedName(key.clone()))?;
        let meta = world.kube.new_meta(Some(namespace), name, now);
        let map = api::ConfigMap { meta, data: data.clone(), immutable: false };
        world.kube.config_maps.insert((namespace.to_owned(), name.to_owned()), map);
    }
    super::actors::start(world, scenario);
    Ok(())
}

/// The DaemonSets of every EKS cluster.
fn addons(world: &mut World) {
    for name in ["aws-node", "kube-proxy"] {
        let part = WorkloadPart {
            cpu: QuantityText::milli(25),
            host_network: true,
            priority: Some(2_000_001_000),
            ends_after_seconds: Some(1),
            ready_after_seconds: Some(5),
            tolerations: vec![TolerationPart {
                operator: Some("Exists".to_owned()),
                ..TolerationPart::default()
            }],
            ..WorkloadPart::new(WorkloadWord::DaemonSet, "kube-system", name)
        };
        // One that the scenario brings itself is not ours to refuse.
        let _ours: Result<(), ScenarioError> = part.add(world);
    }
}

impl WorkloadPart {
    fn add(&self, world: &mut World) -> Result<(), ScenarioError> {
        let template = self.template();
        let behaviour: Behaviour = self.behaviour();
        let shown = format!("{} {}/{}", self.kind.as_str(), self.namespace, self.name);
        let wrong = |what, hint| Err(ScenarioError::NotOfKind(shown.clone(), what, hint));
        if self.storage.is_some() && self.kind != WorkloadWord::StatefulSet {
            return wrong("has storage", "only a StatefulSet makes claims; name others in claims");
        }
        if self.completions.is_some() && self.kind != WorkloadWord::Job {
            return wrong("has completions", "only a Job has");
        }
        let Some(kind) = self.kind.workload() else { return self.add_bare(world, template, behaviour) };
        let mut workload = workloads::blank(world, kind, &self.namespace, &self.name, template, behaviour);
        workload.desired = if kind == WorkloadKind::DaemonSet { 0 } else { self.replicas };
        workload.annotations.clone_from(&self.annotations);
        workload.selector = LabelSelector { match_labels: self.labels(), match_expressions: Vec::new() };
        workload.strategy = self.strategy.strategy(kind);
        workload.parallel = self.parallel;
        workload.completions = self.completions.or((kind == WorkloadKind::Job).then_some(self.replicas));
        workload.claims = self.claims();
        workloads::add(world, workload).map(|_| ()).ok_or(ScenarioError::Twice(shown))
    }

    /// A Pod that nobody runs, or a static one.
    fn add_bare(
        &self,
        world: &mut World,
        template: api::PodTemplate,
        behaviour: Behaviour,
    ) -> Result<(), ScenarioError> {
        let now = world.now();
        let namespace = world.kube.namespace(&self.namespace, now);
        let shape = super::pods::shape(&namespace, template.into(), behaviour);
        let shape = world.kube.add_shape(shape);
        let shown = format!("{} {}/{}", self.kind.as_str(), self.namespace, self.name);
        let node = match &self.node {
            Some(name) => Some(
                world
                    .kube
                    .node_named(name)
                    .ok_or_else(|| ScenarioError::NoSuchNode(shown.clone(), name.clone()))?,
            ),
            None => None,
        };
        if self.kind == WorkloadWord::StaticPod {
            let node = node.ok_or_else(|| ScenarioError::NoSuchNode(shown, "(no name)".to_owned()))?;
            super::kubelet::make_static_pod(world, node, self.name.as_str().into(), shape);
            return Ok(());
        }
        let new = super::pods::NewPod {
            name: self.name.as_str().into(),
            shape,
            owner: None,
            ordinal: None,
            only_node: None,
            mirror: false,
            finalizers: self.finalizers.clone(),
        };
        let id = super::pods::create(world, new).ok_or(ScenarioError::Twice(shown))?;
        if let Some(node) = node {
            super::kubelet::unqueue(world, id);
            super::pods::bind(world, id, node);
        }
        Ok(())
    }
}

impl ClaimPart {
    fn add(&self, world: &mut World) -> Result<(), ScenarioError> {
        let key = (self.namespace.clone(), self.name.clone());
        if world.kube.volumes.claims.contains_key(&key) {
            return Err(ScenarioError::Twice(format!("claim {}/{}", key.0, key.1)));
        }
        let storage = self.storage.0.units().try_into().unwrap_or(i64::MAX);
        volumes::add_claim(world, &self.namespace, &self.name, storage);
        if self.zone.is_some() || self.shared {
            let driver = if self.shared { "efs.csi.aws.com" } else { volumes::EBS };
            volumes::provision(world, &key, self.zone.as_deref(), driver);
        }
        Ok(())
    }
}

impl ServicePart {
    fn add(&self, world: &mut World) -> Result<(), ScenarioError> {
        let now = world.now();
        let key = (self.namespace.clone(), self.name.clone());
        if world.kube.services.contains_key(&key) {
            return Err(ScenarioError::Twice(format!("service {}/{}", key.0, key.1)));
        }
        world.kube.namespace(&self.namespace, now);
        let meta = world.kube.new_meta(Some(&self.namespace), &self.name, now);
        let service = api::Service {
            meta,
            kind: self.kind.clone().unwrap_or_else(|| "ClusterIP".to_owned()),
            selector: self.selector.clone(),
            cluster_ips: vec!["172.20.0.17".to_owned()],
            external_ips: Vec::new(),
            external_traffic_policy: self.external_traffic_policy.clone(),
            ports: vec![api::ServicePort {
                name: None,
                protocol: "TCP".to_owned(),
                port: self.port.unwrap_or(80),
                node_port: None,
            }],
            load_balancer_ingress: Vec::new(),
        };
        world.kube.services.insert(key, service);
        Ok(())
    }
}

impl WebhookPart {
    fn add(&self, world: &mut World) {
        let now = world.now();
        let meta = world.kube.new_meta(None, &self.name, now);
        let set = |words: &[String]| -> BTreeSet<String> { words.iter().cloned().collect() };
        let any = |words: &[String]| {
            if words.is_empty() { BTreeSet::from(["*".to_owned()]) } else { set(words) }
        };
        world.kube.webhooks.push(api::WebhookConfiguration {
            kind: if self.mutating { api::WebhookKind::Mutating } else { api::WebhookKind::Validating },
            meta,
            webhooks: vec![api::Webhook {
                name: format!("{}.example.com", self.name),
                target: api::WebhookTarget::Service {
                    service: api::NamespacedName::new(&self.namespace, &self.service),
                    port: 443,
                    path: None,
                },
                failure_policy: if self.ignores_failure {
                    api::FailurePolicy::Ignore
                } else {
                    api::FailurePolicy::Fail
                },
                timeout: std::time::Duration::from_secs(10),
                rules: vec![api::WebhookRule {
                    operations: any(&self.operations),
                    api_groups: BTreeSet::from(["*".to_owned()]),
                    api_versions: BTreeSet::from(["*".to_owned()]),
                    resources: any(&self.resources),
                    scope: None,
                }],
                namespace_selector: LabelSelector::default(),
                object_selector: LabelSelector::default(),
                match_conditions: 0,
                side_effects: Some("None".to_owned()),
            }],
        });
        world.kube.webhooks.sort_by(|a, b| {
            let kind = |one: &api::WebhookConfiguration| one.kind;
            (kind(a), &a.meta.name).cmp(&(kind(b), &b.meta.name))
        });
    }
}

/// Puts a taint on a node, for tests and for people who interfere.
pub(crate) fn taint_node(world: &mut World, name: &str, key: &str, effect: &str) {
    let now = world.now();
    if let Some(id) = world.kube.node_named(name) {
        nodes::change(world, id, |node| nodes::taint(node, key, effect.into(), now));
        super::lifecycle::evict_by_taints(world, id);
    }
}
