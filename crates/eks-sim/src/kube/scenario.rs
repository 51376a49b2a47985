//! What is in the cluster at the beginning, as a file says it.

mod check;
mod faults;
mod parts;
mod pick;
mod words;

use std::collections::{BTreeMap, BTreeSet};

use eks_provider::kube::{self as api, LabelSelector, WorkloadKind};
use serde::{Deserialize, Serialize};

pub use self::faults::{FaultPart, FaultWord};
pub use self::parts::{
    BudgetPart, ClaimPart, NamespacePart, ServicePart, SpreadPart, StrategyPart, TolerationPart, WebhookPart,
    WorkloadPart, WorkloadWord,
};
pub use self::pick::NodePick;
pub use self::words::{
    EffectWord, Number, OperatorWord, QuantityText, ServiceWord, StrategyWord, TrafficWord, UnhealthyWord,
};
use super::objects::Behaviour;
use super::{budgets, volumes, workloads};
use crate::World;
use crate::kube::actors::{ClusterAutoscaler, Karpenter, TimedDeed};

/// What is in the cluster at the beginning. All of it may be left out; names and values are Kubernetes'.
///
/// ```
/// use eks_sim::kube::{Scenario, apply};
/// use eks_sim::World;
///
/// let text = r#"{
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
    pub events: Vec<TimedDeed>,
    /// What goes wrong with the API server and around it.
    pub faults: Vec<FaultPart>,
}

/// What does not fit together in a scenario.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct ScenarioError {
    list: &'static str,
    name: String,
    message: String,
}

impl ScenarioError {
    fn new(list: &'static str, name: impl Into<String>, message: impl Into<String>) -> Self {
        Self { list, name: name.into(), message: message.into() }
    }

    /// Where it stands: in which list (`budgets`), and under which name.
    pub fn place(&self) -> (&'static str, &str) {
        (self.list, &self.name)
    }
}

/// Puts a scenario into a world. What contradicts itself puts nothing there; what contradicts the world may leave
/// there what stands before it.
pub fn apply(world: &mut World, scenario: &Scenario) -> Result<(), ScenarioError> {
    check::check(scenario)?;
    let now = world.now();
    if scenario.cluster.is_some() {
        world.kube.cluster.clone_from(&scenario.cluster);
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
    for claim in &scenario.claims {
        claim.add(world)?;
    }
    for budget in &scenario.budgets {
        let object = budget.object(world);
        let name = object.meta.to_string();
        let twice = || ScenarioError::new("budgets", &budget.name, format!("budget {name} stands twice"));
        budgets::add(world, object).ok_or_else(twice)?;
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
        let Some((namespace, name)) = key.split_once('/') else { continue };
        let meta = world.kube.new_meta(Some(namespace), name, now);
        let map = api::ConfigMap { meta, data: data.clone(), immutable: false };
        world.kube.config_maps.insert((namespace.to_owned(), name.to_owned()), map);
    }
    check::events(world, scenario)?;
    super::actors::start(world, scenario);
    for fault in &scenario.faults {
        fault.arm(world);
    }
    Ok(())
}

impl WorkloadPart {
    /// As it is named in sentences.
    fn shown(&self) -> String {
        format!("{} {}/{}", self.kind.as_str(), self.namespace, self.name)
    }

    fn wrong(&self, what: impl std::fmt::Display) -> ScenarioError {
        ScenarioError::new("workloads", &self.name, format!("{} {what}", self.shown()))
    }

    pub(crate) fn add(&self, world: &mut World) -> Result<(), ScenarioError> {
        let template = self.template();
        let behaviour: Behaviour = self.behaviour();
        let Some(kind) = self.kind.workload() else { return self.add_bare(world, template, behaviour) };
        let mut workload = workloads::blank(world, kind, &self.namespace, &self.name, template, behaviour);
        workload.desired = if kind == WorkloadKind::DaemonSet { 0 } else { self.replicas.unwrap_or(1) };
        workload.annotations.clone_from(&self.annotations);
        workload.selector = LabelSelector { match_labels: self.labels(), match_expressions: Vec::new() };
        workload.strategy = self.strategy.strategy(kind);
        workload.parallel = self.parallel;
        workload.completions =
            self.completions.or((kind == WorkloadKind::Job).then_some(self.replicas.unwrap_or(1)));
        workload.claims = self.claims();
        workloads::add(world, workload).map(|_| ()).ok_or_else(|| self.wrong("stands twice"))
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
        let node = match &self.node {
            Some(pick) => Some(
                pick.find(&world.kube)
                    .ok_or_else(|| self.wrong(format!("is to be on node {pick}, which is not there")))?,
            ),
            None => None,
        };
        if let (WorkloadWord::StaticPod, Some(node)) = (self.kind, node) {
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
        let id = super::pods::create(world, new).ok_or_else(|| self.wrong("stands twice"))?;
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
            let message = format!("claim {}/{} stands twice", key.0, key.1);
            return Err(ScenarioError::new("claims", &self.name, message));
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
            let message = format!("service {}/{} stands twice", key.0, key.1);
            return Err(ScenarioError::new("services", &self.name, message));
        }
        world.kube.namespace(&self.namespace, now);
        let meta = world.kube.new_meta(Some(&self.namespace), &self.name, now);
        let service = api::Service {
            meta,
            kind: self.kind.unwrap_or(ServiceWord::ClusterIP).as_str().to_owned(),
            selector: self.selector.clone(),
            cluster_ips: vec!["172.20.0.17".to_owned()],
            external_ips: Vec::new(),
            external_traffic_policy: self.external_traffic_policy.map(|word| word.as_str().to_owned()),
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
