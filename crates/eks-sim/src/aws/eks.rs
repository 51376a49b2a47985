//! EKS: control planes and what EKS looks after around them.

pub(crate) mod addon_update;
pub(crate) mod addons;
pub(crate) mod cluster;
pub(crate) mod config;
pub(crate) mod insights;
pub(crate) mod nodegroup_update;
pub(crate) mod nodegroups;
mod other;
mod rollback;
pub(crate) mod updates;
pub(crate) mod upgrade;
pub(crate) mod versions;

pub use insights::DeprecatedUse;

use std::collections::BTreeMap;
use std::time::Duration;

use eks_model::KubeMinor;
use eks_provider::aws::{
    AccessEntry, CertificateAuthority, Cluster, FargateProfile, Insight, InsightsRefresh,
    PodIdentityAssociation,
};
use jiff::Timestamp;

use crate::World;
use crate::aws::call::{Answer, refuse};

/// What is to happen in EKS.
#[derive(Debug)]
pub(crate) enum Event {
    /// The API server goes away for a moment.
    ApiAway(String),
    /// It is back, at this version.
    ApiBack(String, KubeMinor),
    /// The nodes of Auto Mode are rolled back; the control plane follows.
    NodesBack { cluster: String, update: String },
    /// An update of the control plane ends.
    ControlPlane { cluster: String, update: String },
    /// An update of settings ends.
    Config { cluster: String, update: String },
    /// An add-on is done with what it does.
    Addon { cluster: String, addon: String },
    /// An update of a node group goes on.
    Nodegroup { cluster: String, nodegroup: String },
    /// Insights have been looked at.
    Insights(String),
    /// Insights are looked at every day.
    Daily(String),
}

/// What EKS holds.
#[derive(Debug, Clone, Default)]
pub(crate) struct State {
    pub(crate) clusters: BTreeMap<String, ClusterState>,
    pub(crate) rules: Rules,
}

/// Where AWS's texts contradict each other, or nobody can say from outside: a world is one way or the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub struct Rules {
    /// Insights of upgrade readiness with an error block an upgrade without `force`. Launched on 2025-03-27, "temporarily
    /// rolled back" a day later; whether it is on is not known from outside
    /// (<https://github.com/aws/containers-roadmap/issues/2570>).
    pub upgrade_insights_block: bool,
    /// Managed node groups must match the control plane before its next hop. The API reference says so, the user guide says
    /// three minors behind will do
    /// (<https://docs.aws.amazon.com/eks/latest/APIReference/API_UpdateClusterVersion.html>,
    /// <https://docs.aws.amazon.com/eks/latest/userguide/update-cluster.html>).
    pub node_groups_must_match: bool,
}

impl Default for Rules {
    fn default() -> Self {
        Self { upgrade_insights_block: true, node_groups_must_match: false }
    }
}

/// A cluster with all that belongs to it.
#[derive(Debug, Clone)]
pub(crate) struct ClusterState {
    /// As it is described, but for its status.
    pub(crate) cluster: Cluster,
    pub(crate) created_version: KubeMinor,
    /// When the last upgrade ended, and whether EKS forced it.
    pub(crate) upgraded: Option<(Timestamp, bool)>,
    /// The update of the control plane under way.
    pub(crate) running: Option<upgrade::Running>,
    /// The first one first.
    pub(crate) updates: Vec<updates::Recorded>,
    pub(crate) addons: BTreeMap<String, addons::KnownAddon>,
    pub(crate) nodegroups: BTreeMap<String, nodegroups::KnownNodegroup>,
    pub(crate) fargate: BTreeMap<String, FargateProfile>,
    pub(crate) access_entries: BTreeMap<String, AccessEntry>,
    pub(crate) authorities: BTreeMap<String, CertificateAuthority>,
    pub(crate) pod_identities: BTreeMap<String, PodIdentityAssociation>,
    /// By id, as EKS last looked.
    pub(crate) insights: BTreeMap<String, Insight>,
    pub(crate) refresh: Option<InsightsRefresh>,
    /// What EKS sees of deprecated APIs in use.
    pub(crate) deprecated: Vec<insights::DeprecatedUse>,
    /// Insights whose status a script has set, by name.
    pub(crate) overridden: BTreeMap<String, eks_provider::aws::InsightStatus>,
}

impl ClusterState {
    /// A cluster without anything around it.
    pub(crate) fn new(cluster: Cluster, created_version: KubeMinor) -> Self {
        Self {
            cluster,
            created_version,
            upgraded: None,
            running: None,
            updates: Vec::new(),
            addons: BTreeMap::new(),
            nodegroups: BTreeMap::new(),
            fargate: BTreeMap::new(),
            access_entries: BTreeMap::new(),
            authorities: BTreeMap::new(),
            pod_identities: BTreeMap::new(),
            insights: BTreeMap::new(),
            refresh: None,
            deprecated: Vec::new(),
            overridden: BTreeMap::new(),
        }
    }
}

/// Lets something happen.
pub(crate) fn happen(world: &mut World, event: Event) {
    match event {
        Event::ApiAway(cluster) => crate::bridge::control_plane(world, &cluster, None),
        Event::ApiBack(cluster, version) => crate::bridge::control_plane(world, &cluster, Some(version)),
        Event::NodesBack { cluster, update } => rollback::nodes_back(world, &cluster, &update),
        Event::ControlPlane { cluster, update } => upgrade::end(world, &cluster, &update),
        Event::Config { cluster, update } => config::end(world, &cluster, &update),
        Event::Addon { cluster, addon } => addon_update::end(world, &cluster, &addon),
        Event::Nodegroup { cluster, nodegroup } => nodegroup_update::go_on(world, &cluster, &nodegroup),
        Event::Insights(cluster) => insights::refreshed(world, &cluster),
        Event::Daily(cluster) => insights::daily(world, &cluster),
    }
}

/// Puts something of EKS into the future.
pub(crate) fn after(world: &mut World, delay: Duration, event: Event) {
    world.after(delay, crate::world::Event::Aws(crate::aws::Event::Eks(event)));
}

/// The cluster of this name.
pub(crate) fn named<'s>(state: &'s State, name: &str) -> Answer<&'s ClusterState> {
    match state.clusters.get(name) {
        Some(cluster) => Ok(cluster),
        None => refuse("ResourceNotFoundException", format!("No cluster found for name: {name}.")),
    }
}

/// The cluster of this name, to be changed.
pub(crate) fn named_mut<'w>(world: &'w mut World, name: &str) -> Answer<&'w mut ClusterState> {
    match world.aws.eks.clusters.get_mut(name) {
        Some(cluster) => Ok(cluster),
        None => refuse("ResourceNotFoundException", format!("No cluster found for name: {name}.")),
    }
}

/// An id as EKS gives it.
pub(crate) fn new_id(world: &mut World) -> String {
    let random = &mut world.random;
    format!("{}-{}-{}-{}-{}", random.hex(8), random.hex(4), random.hex(4), random.hex(4), random.hex(12))
}
