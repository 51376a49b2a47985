//! Karpenter: instances of its own for Pods that wait, and others in the place of those that have drifted.
//!
//! <https://karpenter.sh/docs/concepts/disruption/> (2026-11). Modelled: launches for Pods that wait, drift of
//! the image, budgets as numbers and percentages, `karpenter.sh/do-not-disrupt`, budgets of Pods that block,
//! replacement before drain. Not modelled: consolidation, expiry, schedules of budgets, the choice among
//! instance types.

use std::collections::BTreeMap;

use eks_provider::kube::{
    self as api, Condition, ConditionStatus, EvictPod, IntOrPercent, NodeClassRef, NodePoolBudget, Quantity,
    TaintEffect,
};
use serde::{Deserialize, Serialize};

use super::super::lifecycle::movable;
use super::super::objects::{Amounts, NodeId, PodId, count};
use super::super::scenario::{Number, QuantityText};
use super::super::scheduler::would_fit;
use super::super::state::{Kind, uid};
use super::super::{Event, eviction, nodes};
use crate::bridge::Machine;
use crate::{World, aws};

const DISRUPTED: &str = "karpenter.sh/disrupted";
const DO_NOT_DISRUPT: &str = "karpenter.sh/do-not-disrupt";
const POOL: &str = "karpenter.sh/nodepool";
/// How often it looks.
const LOOK: std::time::Duration = std::time::Duration::from_secs(10);

/// Karpenter, and its pools.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Karpenter {
    /// Its pools.
    pub pools: Vec<KarpenterPool>,
}

/// A pool, and the class of its nodes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct KarpenterPool {
    /// Its name, and that of its EC2NodeClass.
    pub name: String,
    /// The image that its nodes start from.
    pub image: String,
    /// Whether the image stays when the control plane has another minor. Otherwise the alias of the class
    /// then means another image, and all nodes have drifted.
    #[serde(default)]
    pub pinned: bool,
    /// `m7i.xlarge`.
    pub instance_type: String,
    /// What an instance has.
    pub cpu: QuantityText,
    /// What an instance has.
    pub memory: QuantityText,
    /// How many Pods an instance takes.
    pub pods: u64,
    /// Its zones.
    pub zones: Vec<String>,
    /// How many nodes may be replaced at a time; 10% where nothing is said.
    #[serde(default)]
    pub budget: Option<Number>,
}

/// Where a node of its own is in its life.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Phase {
    /// It is launched, or runs.
    Alive,
    /// It is to be replaced when this one is ready; `None` where it needs none.
    Replacing(Option<String>),
    /// It is drained.
    Draining,
}

#[derive(Debug, Clone)]
struct Claim {
    meta: api::ObjectMeta,
    pool: String,
    image: String,
    instance: String,
    zone: String,
    phase: Phase,
}

/// What it remembers.
#[derive(Debug, Clone, Default)]
pub(crate) struct State {
    settings: Karpenter,
    minor: Option<eks_model::KubeMinor>,
    claims: BTreeMap<String, Claim>,
    made: u32,
}

/// It begins.
pub(crate) fn start(world: &mut World, settings: Karpenter) {
    let minor = world.kube.minor;
    world.kube.actors.karpenter = Some(State { settings, minor, ..State::default() });
    show(world);
    world.after(LOOK, Event::Karpenter.into());
}

/// A node has registered: one of its own gets the label of its pool.
pub(crate) fn registered(world: &mut World, id: NodeId) {
    let Some(instance) = world.kube.nodes.get(&id).map(|node| node.instance_id.clone()) else { return };
    let Some(state) = &world.kube.actors.karpenter else { return };
    let claim = state.claims.values().find(|claim| claim.instance == instance);
    let Some(pool) = claim.map(|claim| claim.pool.clone()) else { return };
    nodes::change(world, id, |node| {
        node.meta.labels.insert(POOL.to_owned(), pool);
    });
    show(world);
}

/// The control plane has another minor: aliases mean other images.
pub(crate) fn control_plane(world: &mut World, minor: eks_model::KubeMinor) {
    let Some(state) = &mut world.kube.actors.karpenter else { return };
    if state.minor == Some(minor) {
        return;
    }
    let first = state.minor.is_none();
    state.minor = Some(minor);
    if first {
        return;
    }
    for pool in &mut state.settings.pools {
        if !pool.pinned {
            let base = pool.image.split('@').next().unwrap_or_default().to_owned();
            pool.image = format!("{base}@{minor}");
        }
    }
}

/// It looks.
pub(crate) fn look(world: &mut World) {
    let Some(mut state) = world.kube.actors.karpenter.take() else { return };
    // Claims whose machine is gone are gone.
    state.claims.retain(|_, claim| {
        world.kube.by_instance.contains_key(&claim.instance)
            || world.kube.machines.contains_key(&claim.instance)
    });
    provision(world, &mut state);
    drift(world, &mut state);
    replace(world, &mut state);
    world.kube.actors.karpenter = Some(state);
    show(world);
    world.after(LOOK, Event::Karpenter.into());
}

/// A machine of a pool, in a zone.
fn machine(state: &State, pool: &KarpenterPool, zone: &str, cluster: Option<&String>) -> Option<Machine> {
    let minor = state.minor.map_or(34, eks_model::KubeMinor::minor);
    let region = zone.trim_end_matches(|c: char| c.is_ascii_lowercase()).to_owned();
    let whole = |number: i128| u64::try_from(number).unwrap_or_default();
    Some(Machine {
        // EC2 gives it these.
        instance_id: String::new(),
        node_name: String::new(),
        address: String::new(),
        cluster: cluster.cloned().unwrap_or_default(),
        zone: zone.to_owned(),
        region,
        instance_type: pool.instance_type.clone(),
        image_id: pool.image.clone(),
        kubelet: format!("1.{minor}.2").parse().ok()?,
        cpu_milli: whole(pool.cpu.0.milli()),
        memory: whole(pool.memory.0.units()),
        pods: pool.pods,
        labels: BTreeMap::from([(POOL.to_owned(), pool.name.clone())]),
        taints: Vec::new(),
        group: None,
        fault: None,
    })
}

/// Asks EC2 for an instance; the name of its claim.
fn launch(world: &mut World, state: &mut State, pool: &KarpenterPool, zone: &str) -> Option<String> {
    let now = world.now();
    let machine = machine(state, pool, zone, world.kube.cluster.as_ref())?;
    let Some(instance) = aws::launch_machine(world, machine) else {
        world
            .kube
            .observer
            .deed(now, format!("karpenter: EC2 gives no instance in {zone} for {}", pool.name));
        return None;
    };
    state.made += 1;
    let name = format!("{}-{:05}", pool.name, state.made);
    world.kube.observer.deed(now, format!("karpenter: launches {instance} in {zone} for {}", pool.name));
    let meta = world.kube.new_meta(None, &name, now);
    let claim = Claim {
        meta,
        pool: pool.name.clone(),
        image: pool.image.clone(),
        instance,
        zone: zone.to_owned(),
        phase: Phase::Alive,
    };
    state.claims.insert(name.clone(), claim);
    Some(name)
}

/// What a node of a pool would look like.
fn template(pool: &KarpenterPool, zone: &str) -> api::Node {
    let units = |number: i128| Quantity::from_units(i64::try_from(number).unwrap_or(i64::MAX));
    let labels = [
        (POOL, pool.name.as_str()),
        ("topology.kubernetes.io/zone", zone),
        ("node.kubernetes.io/instance-type", &pool.instance_type),
        ("kubernetes.io/os", "linux"),
    ];
    api::Node {
        meta: api::ObjectMeta {
            labels: labels.map(|(key, value)| (key.to_owned(), value.to_owned())).into(),
            ..api::ObjectMeta::default()
        },
        provider_id: None,
        unschedulable: false,
        taints: Vec::new(),
        conditions: Vec::new(),
        capacity: api::Resources::new(),
        allocatable: [
            ("cpu".to_owned(), pool.cpu.0),
            ("memory".to_owned(), pool.memory.0),
            ("pods".to_owned(), units(i128::from(pool.pods))),
        ]
        .into(),
        addresses: Vec::new(),
        pod_cidrs: Vec::new(),
        info: api::NodeInfo {
            kubelet_version: eks_provider::Written::of(String::new()),
            container_runtime_version: String::new(),
            os_image: String::new(),
            operating_system: "linux".to_owned(),
            architecture: String::new(),
            kernel_version: String::new(),
        },
        volumes_attached: Vec::new(),
        volumes_in_use: Vec::new(),
    }
}

/// Launches instances for Pods that fit nowhere and will not fit on those that come.
fn provision(world: &mut World, state: &mut State) {
    let waiting: Vec<PodId> = world.kube.unschedulable.iter().map(|(_, pod)| *pod).collect();
    if waiting.is_empty() {
        return;
    }
    let mut bins: Vec<(String, String, Amounts)> = state
        .claims
        .values()
        .filter(|claim| {
            claim.phase == Phase::Alive && node_of(world, &claim.instance).is_none_or(|(_, ready)| !ready)
        })
        .map(|claim| (claim.pool.clone(), claim.zone.clone(), Amounts::default()))
        .collect();
    for pod in waiting {
        let Some(shape) = world.kube.shape_of(pod).cloned() else { continue };
        let reach = super::super::volumes::reach(&world.kube, &shape.namespace, &shape.template.spec);
        let Ok(reach) = reach else { continue };
        let fits = |pool: &KarpenterPool, zone: &str| {
            let node = template(pool, zone);
            would_fit(&shape, &node)
                && reach.iter().all(|one| one.matches(&node.meta.name, &node.meta.labels) == Some(true))
        };
        let pools = state.settings.pools.clone();
        let room = |name: &str, zone: &str, used: &Amounts| {
            pools.iter().filter(|pool| pool.name == name).any(|pool| {
                fits(pool, zone)
                    && Amounts::of(&template(pool, zone).allocatable).lacks(used, &shape.requests).is_none()
            })
        };
        if let Some((.., used)) = bins.iter_mut().find(|(pool, zone, used)| room(pool, zone, used)) {
            used.add(&shape.requests);
            continue;
        }
        let choice = pools
            .iter()
            .flat_map(|pool| pool.zones.iter().map(move |zone| (pool, zone)))
            .find(|(pool, zone)| fits(pool, zone));
        if let Some((pool, zone)) = choice
            && launch(world, state, pool, zone).is_some()
        {
            bins.push((pool.name.clone(), zone.clone(), shape.requests.clone()));
        }
    }
}

/// The node of an instance, and whether it is ready.
fn node_of(world: &World, instance: &str) -> Option<(NodeId, bool)> {
    let id = world.kube.by_instance.get(instance)?;
    Some((*id, world.kube.nodes.get(id)?.object.is_ready()))
}

/// Whether something keeps a node from being replaced: a Pod that says so, or a budget that allows nothing.
fn is_held(world: &World, node: NodeId) -> bool {
    let says = |annotations: &BTreeMap<String, String>| {
        annotations.get(DO_NOT_DISRUPT).is_some_and(|value| value == "true")
    };
    if world.kube.nodes.get(&node).is_some_and(|node| says(&node.object.meta.annotations)) {
        return true;
    }
    movable(world, node).into_iter().any(|pod| {
        world.kube.shape_of(pod).is_some_and(|shape| {
            says(&shape.template.annotations)
                || shape.budgets.len() > 1
                || shape.budgets.iter().any(|budget| {
                    world
                        .kube
                        .budgets
                        .get(budget)
                        .is_some_and(|one| one.object.status.disruptions_allowed == 0)
                })
        })
    })
}

/// Begins to replace nodes that have drifted, as many at a time as the pool allows.
fn drift(world: &mut World, state: &mut State) {
    for pool in state.settings.pools.clone() {
        let of_pool = state.claims.values().filter(|claim| claim.pool == pool.name);
        let total = count(of_pool.clone().count());
        let leaving = of_pool.filter(|claim| {
            claim.phase != Phase::Alive || node_of(world, &claim.instance).is_none_or(|(_, ready)| !ready)
        });
        let leaving = count(leaving.count());
        let allowed = pool.budget.map_or(IntOrPercent::Percent(10), |budget| budget.0).of(total);
        let mut left = allowed.saturating_sub(leaving);
        let drifted: Vec<String> = state
            .claims
            .iter()
            .filter(|(_, claim)| {
                claim.pool == pool.name && claim.image != pool.image && claim.phase == Phase::Alive
            })
            .map(|(name, _)| name.clone())
            .collect();
        for name in drifted {
            if left == 0 {
                break;
            }
            let Some(claim) = state.claims.get(&name) else { continue };
            let (zone, instance) = (claim.zone.clone(), claim.instance.clone());
            let Some((node, true)) = node_of(world, &instance) else { continue };
            if is_held(world, node) {
                continue;
            }
            let replacement = if movable(world, node).is_empty() {
                None
            } else {
                let Some(replacement) = launch(world, state, &pool, &zone) else { continue };
                Some(replacement)
            };
            left -= 1;
            let now = world.now();
            world.kube.observer.deed(now, format!("karpenter: replaces {instance}, which has drifted"));
            if let Some(claim) = state.claims.get_mut(&name) {
                claim.phase = Phase::Replacing(replacement);
            }
        }
    }
}

/// Drains nodes whose replacement is ready, and terminates those that are empty.
fn replace(world: &mut World, state: &mut State) {
    let now = world.now();
    let names: Vec<String> = state.claims.keys().cloned().collect();
    for name in names {
        let Some(claim) = state.claims.get(&name) else { continue };
        let Some((node, _)) = node_of(world, &claim.instance) else { continue };
        let instance = claim.instance.clone();
        if let Phase::Replacing(replacement) = &claim.phase {
            let is_ready = |name: &String| {
                let replacement = state.claims.get(name);
                replacement.is_some_and(|one| node_of(world, &one.instance).is_some_and(|(_, ready)| ready))
            };
            if !replacement.as_ref().is_none_or(is_ready) {
                continue;
            }
            nodes::change(world, node, |node| nodes::taint(node, DISRUPTED, TaintEffect::NoSchedule, now));
            if let Some(claim) = state.claims.get_mut(&name) {
                claim.phase = Phase::Draining;
            }
        }
        if state.claims.get(&name).is_none_or(|claim| claim.phase != Phase::Draining) {
            continue;
        }
        let pods = movable(world, node);
        for pod in &pods {
            let Some((shape, object)) = world.kube.shape_of(*pod).zip(world.kube.pods.get(pod)) else {
                continue;
            };
            let request = EvictPod {
                namespace: shape.namespace.to_string(),
                name: object.name.to_string(),
                uid: uid(Kind::Pod, pod.0),
            };
            // Blocked is asked again at the next look.
            let _answer = eviction::evict(world, &request, false);
        }
        if pods.is_empty() && !has_attachments(world, node) {
            world.kube.observer.deed(now, format!("karpenter: terminates {instance}"));
            state.claims.remove(&name);
            aws::terminate_machine(world, &instance);
        }
    }
}

fn has_attachments(world: &World, node: NodeId) -> bool {
    world.kube.volumes.attachments.values().any(|attachment| attachment.node == node)
}

fn class(name: &str) -> NodeClassRef {
    NodeClassRef {
        group: "karpenter.k8s.aws".to_owned(),
        kind: "EC2NodeClass".to_owned(),
        name: name.to_owned(),
    }
}

fn condition(kind: &str, now: jiff::Timestamp) -> Condition {
    Condition {
        kind: kind.to_owned(),
        status: ConditionStatus::True,
        reason: Some(kind.to_owned()),
        message: None,
        last_transition_time: Some(now),
        last_heartbeat_time: None,
        observed_generation: None,
    }
}

/// Its objects, as they are shown.
fn show(world: &mut World) {
    let now = world.now();
    let Some(state) = &world.kube.actors.karpenter else { return };
    let mut pools = Vec::new();
    let mut classes = Vec::new();
    for pool in &state.settings.pools {
        let meta = api::ObjectMeta {
            name: pool.name.clone(),
            uid: format!("nodepool-{}", pool.name),
            resource_version: "1".to_owned(),
            generation: Some(1),
            ..api::ObjectMeta::default()
        };
        pools.push(api::NodePool {
            meta: meta.clone(),
            node_class: class(&pool.name),
            weight: None,
            labels: BTreeMap::new(),
            taints: Vec::new(),
            startup_taints: Vec::new(),
            requirements: Vec::new(),
            limits: api::Resources::new(),
            expire_after: Some("Never".to_owned()),
            termination_grace_period: None,
            consolidation_policy: Some("WhenEmpty".to_owned()),
            budgets: vec![NodePoolBudget {
                nodes: pool.budget.map_or("10%".to_owned(), |budget| budget.0.to_string()),
                reasons: Vec::new(),
                schedule: None,
                duration: None,
            }],
            conditions: vec![condition("Ready", now)],
        });
        classes.push(api::NodeClass {
            class: class(&pool.name),
            meta,
            ami_family: None,
            ami_selectors: vec![api::AmiSelector {
                alias: (!pool.pinned).then(|| "al2023@latest".to_owned()),
                id: pool.pinned.then(|| pool.image.clone()),
                ..api::AmiSelector::default()
            }],
            amis: vec![(pool.image.clone(), pool.image.clone())],
            role: Some("KarpenterNodeRole".to_owned()),
            instance_profile: None,
            conditions: vec![condition("Ready", now)],
        });
    }
    let claims: Vec<api::NodeClaim> = state
        .claims
        .values()
        .map(|claim| {
            let node = node_of(world, &claim.instance);
            let current = state.settings.pools.iter().find(|pool| pool.name == claim.pool);
            let drifted = current.is_some_and(|pool| pool.image != claim.image);
            let mut conditions = Vec::new();
            for (kind, holds) in [
                ("Launched", true),
                ("Registered", node.is_some()),
                ("Ready", node.is_some_and(|(_, ready)| ready)),
                ("Drifted", drifted),
            ] {
                if holds {
                    conditions.push(condition(kind, claim.meta.creation_timestamp.unwrap_or(now)));
                }
            }
            api::NodeClaim {
                meta: claim.meta.clone(),
                node_pool: Some(claim.pool.clone()),
                node_class: class(&claim.pool),
                node_name: node
                    .and_then(|(id, _)| world.kube.nodes.get(&id))
                    .map(|node| node.name.to_string()),
                provider_id: Some(format!("aws:///{}/{}", claim.zone, claim.instance)),
                image_id: Some(claim.image.clone()),
                conditions,
            }
        })
        .collect();
    let changed = world.kube.node_claims.as_ref() != Some(&claims);
    world.kube.node_pools = Some(pools);
    world.kube.node_classes = Some(classes);
    world.kube.node_claims = Some(claims);
    if changed {
        let version = world.kube.bump();
        world.kube.log.node_claim(version);
    }
}
