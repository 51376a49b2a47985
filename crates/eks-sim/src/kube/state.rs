//! The state of the cluster, with what is kept up to date beside it so that nothing is searched through.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use eks_model::KubeMinor;
use eks_provider::kube::{self as api, ObjectMeta, WorkloadKind};
use jiff::Timestamp;

use super::actors::Actors;
use super::faults::Faults;
use super::objects::{Budget, BudgetId, Node, NodeId, Pod, PodId, Shape, ShapeId, Workload, WorkloadId};
use super::observer::Observer;
use super::settings::Settings;
use super::volumes::Volumes;
use super::watch::ChangeLog;
use crate::Random;

/// What the cluster holds.
#[derive(Debug, Clone, Default)]
pub(crate) struct State {
    pub(crate) settings: Settings,
    /// The cluster that machines must mean; `None` takes all.
    pub(crate) cluster: Option<String>,
    pub(crate) minor: Option<KubeMinor>,
    pub(crate) revision: u64,
    last_id: u32,
    pub(crate) pods: BTreeMap<PodId, Pod>,
    pub(crate) pod_names: BTreeMap<Arc<str>, BTreeMap<Arc<str>, PodId>>,
    shapes: Vec<Shape>,
    pub(crate) shapes_in: BTreeMap<Arc<str>, Vec<ShapeId>>,
    /// Shapes that have rules about the Pods beside them.
    pub(crate) shapes_apart: BTreeSet<ShapeId>,
    pub(crate) nodes: BTreeMap<NodeId, Node>,
    pub(crate) node_names: BTreeMap<Arc<str>, NodeId>,
    pub(crate) by_instance: BTreeMap<String, NodeId>,
    /// Machines whose kubelet has not registered, by instance.
    pub(crate) machines: BTreeMap<String, (crate::Machine, Timestamp)>,
    /// Nodes that take ordinary Pods, by zone, the freest first.
    pub(crate) free: BTreeMap<Arc<str>, BTreeSet<(i64, NodeId)>>,
    /// Nodes that do not.
    pub(crate) closed: BTreeSet<NodeId>,
    pub(crate) workloads: BTreeMap<WorkloadId, Workload>,
    pub(crate) workload_names: BTreeMap<(WorkloadKind, Arc<str>, Arc<str>), WorkloadId>,
    pub(crate) daemon_sets: BTreeSet<WorkloadId>,
    pub(crate) budgets: BTreeMap<BudgetId, Budget>,
    pub(crate) budget_names: BTreeMap<Arc<str>, BTreeMap<String, BudgetId>>,
    pub(crate) volumes: Volumes,
    pub(crate) namespaces: BTreeMap<Arc<str>, api::Namespace>,
    pub(crate) services: BTreeMap<(String, String), api::Service>,
    pub(crate) config_maps: BTreeMap<(String, String), api::ConfigMap>,
    pub(crate) leases: BTreeMap<(String, String), api::Lease>,
    pub(crate) events: BTreeMap<(String, String), BTreeMap<String, api::Event>>,
    pub(crate) webhooks: Vec<api::WebhookConfiguration>,
    pub(crate) api_services: Vec<api::ApiService>,
    pub(crate) definitions: Vec<api::CustomResourceDefinition>,
    pub(crate) discovery: api::Discovery,
    pub(crate) deprecated_requests: Vec<api::DeprecatedApiRequest>,
    pub(crate) helm_releases: Vec<api::HelmRelease>,
    pub(crate) objects: BTreeMap<api::ResourceType, Vec<(ObjectMeta, String)>>,
    pub(crate) node_pools: Option<Vec<api::NodePool>>,
    pub(crate) node_claims: Option<Vec<api::NodeClaim>>,
    pub(crate) node_classes: Option<Vec<api::NodeClass>>,
    pub(crate) target_group_bindings: Option<Vec<api::TargetGroupBinding>>,
    /// Who waits to be placed, the most important first.
    pub(crate) pending: BTreeSet<(i64, PodId)>,
    /// Who could not be placed, and waits for a change.
    pub(crate) unschedulable: BTreeSet<(i64, PodId)>,
    pub(crate) dirty_workloads: BTreeSet<WorkloadId>,
    pub(crate) dirty_daemons: BTreeSet<(WorkloadId, NodeId)>,
    pub(crate) dirty_budgets: BTreeSet<BudgetId>,
    pub(crate) retry_unschedulable: bool,
    pub(crate) sync_queued: bool,
    pub(crate) budgets_queued: bool,
    pub(crate) log: ChangeLog,
    pub(crate) faults: Faults,
    pub(crate) actors: Actors,
    pub(crate) observer: Observer,
    /// Who waits for a change.
    pub(crate) wakers: Vec<std::task::Waker>,
}

impl State {
    /// A number that no object has had.
    pub(crate) fn next_id(&mut self) -> u32 {
        self.last_id += 1;
        self.last_id
    }

    /// The next resourceVersion.
    pub(crate) fn bump(&mut self) -> u64 {
        self.revision += 1;
        self.revision
    }

    pub(crate) fn shape(&self, id: ShapeId) -> Option<&Shape> {
        self.shapes.get(usize::try_from(id.0).ok()?)
    }

    pub(crate) fn shape_mut(&mut self, id: ShapeId) -> Option<&mut Shape> {
        self.shapes.get_mut(usize::try_from(id.0).ok()?)
    }

    /// The shape of a Pod.
    pub(crate) fn shape_of(&self, pod: PodId) -> Option<&Shape> {
        self.shape(self.pods.get(&pod)?.shape)
    }

    /// Keeps a template, and finds out which budgets are for it.
    pub(crate) fn add_shape(&mut self, shape: Shape) -> ShapeId {
        let id = ShapeId(super::objects::count(self.shapes.len()));
        let namespace = shape.namespace.clone();
        let affinity = &shape.template.spec.affinity;
        if !affinity.required_anti_pods.is_empty() {
            self.shapes_apart.insert(id);
        }
        let budgets: Vec<BudgetId> = self
            .budget_names
            .get(&namespace)
            .into_iter()
            .flat_map(BTreeMap::values)
            .copied()
            .filter(|budget| {
                let covers = |budget: &Budget| budget.object.covers(&namespace, &shape.template.labels);
                self.budgets.get(budget).and_then(covers) == Some(true)
            })
            .collect();
        for budget in &budgets {
            if let Some(budget) = self.budgets.get_mut(budget) {
                budget.shapes.insert(id);
            }
        }
        self.shapes_in.entry(namespace).or_default().push(id);
        self.shapes.push(Shape { budgets, ..shape });
        id
    }

    /// The shapes of a namespace, or of all.
    pub(crate) fn shapes_of(&self, namespace: Option<&str>) -> Vec<ShapeId> {
        match namespace {
            Some(namespace) => self.shapes_in.get(namespace).cloned().unwrap_or_default(),
            None => self.shapes_in.values().flatten().copied().collect(),
        }
    }

    /// A namespace's name, kept once; made where it is new.
    pub(crate) fn namespace(&mut self, name: &str, now: Timestamp) -> Arc<str> {
        if let Some((name, _)) = self.namespaces.get_key_value(name) {
            return name.clone();
        }
        let shared: Arc<str> = name.into();
        let mut meta = self.new_meta(None, name, now);
        meta.labels.insert("kubernetes.io/metadata.name".to_owned(), name.to_owned());
        self.namespaces.insert(shared.clone(), api::Namespace { meta, terminating: false });
        shared
    }

    /// What a new object has.
    pub(crate) fn new_meta(&mut self, namespace: Option<&str>, name: &str, now: Timestamp) -> ObjectMeta {
        let id = self.next_id();
        ObjectMeta {
            name: name.to_owned(),
            namespace: namespace.map(ToOwned::to_owned),
            uid: uid(Kind::Other, id),
            resource_version: self.bump().to_string(),
            generation: Some(1),
            creation_timestamp: Some(now),
            ..ObjectMeta::default()
        }
    }

    /// The Pod of this name.
    pub(crate) fn pod_named(&self, namespace: &str, name: &str) -> Option<PodId> {
        self.pod_names.get(namespace)?.get(name).copied()
    }

    /// The workload of this name.
    pub(crate) fn workload_named(&self, workload: &api::WorkloadRef) -> Option<WorkloadId> {
        let key = (workload.kind, workload.namespace.as_str().into(), workload.name.as_str().into());
        self.workload_names.get(&key).copied()
    }

    /// The node of this name.
    pub(crate) fn node_named(&self, name: &str) -> Option<NodeId> {
        self.node_names.get(name).copied()
    }
}

/// What a uid is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Pod,
    Node,
    Workload,
    Revision,
    Attachment,
    Other,
}

/// The uid of an object: the same for the same number, and like no other.
pub(crate) fn uid(kind: Kind, id: u32) -> String {
    let mut random = Random::new((u64::from(kind as u8) << 48) | u64::from(id));
    let (high, low) = (random.next(), random.next());
    format!(
        "{:08x}-{:04x}-4{:03x}-8{:03x}-{:012x}",
        high >> 32,
        (high >> 16) & 0xffff,
        high & 0xfff,
        low >> 52,
        low & 0xffff_ffff_ffff
    )
}
