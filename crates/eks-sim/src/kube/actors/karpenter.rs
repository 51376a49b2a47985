//! Karpenter: instances of its own for Pods that wait, and others in the place of those that have drifted.
//!
//! <https://karpenter.sh/docs/concepts/disruption/> (2026-11). Modelled: launches for Pods that wait, drift of
//! the image, budgets as numbers and percentages, `karpenter.sh/do-not-disrupt`, budgets of Pods that block,
//! replacement before drain. Not modelled: consolidation, expiry, schedules of budgets, the choice among
//! instance types.

use std::collections::BTreeMap;

use eks_provider::kube::{
    self as api, Condition, ConditionStatus, IntOrPercent, NodeClassRef, NodePoolBudget, Quantity,
    TaintEffect,
};
use serde::{Deserialize, Serialize};

use super::super::lifecycle::movable;
use super::super::objects::{Amounts, NodeId, PodId, count};
use super::super::scenario::Number;
use super::super::scheduler::would_fit;
use super::super::{Event, eviction, kubelet, nodes};
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
    /// The image that its nodes start from; without it, the newest EKS optimised image of Amazon Linux 2023 for the
    /// minor of the control plane (`al2023@latest`), so that all nodes drift with an upgrade, and with every release.
    #[serde(default)]
    pub image: Option<String>,
    /// `m7i.xlarge`.
    pub instance_type: String,
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
    claims: BTreeMap<String, Claim>,
    made: u32,
}

/// It begins.
pub(crate) fn start(world: &mut World, settings: Karpenter) {
    world.kube.actors.karpenter = Some(State { settings, ..State::default() });
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

/// It looks.
pub(crate) fn look(world: &mut World) {
    let Some(mut state) = world.kube.actors.karpenter.take() else { return };
    // Claims whose machine is gone are gone.
    state.claims.retain(|_, claim| {
        world.kube.by_instance.contains_key(&claim.instance) || aws::lives(world, &claim.instance)
    });
    provision(world, &mut state);
    drift(world, &mut state);
    replace(world, &mut state);
    world.kube.actors.karpenter = Some(state);
    show(world);
    world.after(LOOK, Event::Karpenter.into());
}

/// The image that nodes of a pool start from now.
fn image_of(world: &World, pool: &KarpenterPool) -> Option<String> {
    let arm = kubelet::is_arm(&pool.instance_type);
    pool.image.clone().or_else(|| aws::newest_image(world, world.kube.minor?, arm))
}

/// A machine of a pool, in a zone; `None` where EC2 knows no such type or image.
fn machine(world: &World, pool: &KarpenterPool, zone: &str) -> Option<Machine> {
    let (cpu_milli, memory, pods) = aws::type_of(world, &pool.instance_type)?;
    Some(Machine {
        // EC2 gives it these.
        instance_id: String::new(),
        node_name: String::new(),
        address: String::new(),
        cluster: world.kube.cluster.clone().unwrap_or_default(),
        zone: zone.to_owned(),
        region: zone.trim_end_matches(|c: char| c.is_ascii_lowercase()).to_owned(),
        instance_type: pool.instance_type.clone(),
        image_id: image_of(world, pool)?,
        // The kubelet is that of the image.
        kubelet: world.kube.minor?.to_string().parse().ok()?,
        cpu_milli,
        memory,
        pods,
        labels: BTreeMap::from([(POOL.to_owned(), pool.name.clone())]),
        taints: Vec::new(),
        group: None,
        fault: None,
    })
}

/// Asks EC2 for an instance; the name of its claim.
fn launch(world: &mut World, state: &mut State, pool: &KarpenterPool, zone: &str) -> Option<String> {
    let now = world.now();
    let machine = machine(world, pool, zone)?;
    let image = machine.image_id.clone();
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
    let claim =
        Claim { meta, pool: pool.name.clone(), image, instance, zone: zone.to_owned(), phase: Phase::Alive };
    state.claims.insert(name.clone(), claim);
    Some(name)
}

/// What a node of a pool would look like, without what DaemonSets take of it.
fn template(world: &World, pool: &KarpenterPool, zone: &str) -> Option<api::Node> {
    let machine = machine(world, pool, zone)?;
    let mut room = Amounts::of(&kubelet::resources(&machine, true));
    for daemon_set in &world.kube.daemon_sets {
        let Some(workload) = world.kube.workloads.get(daemon_set) else { continue };
        let mut requests = Amounts::of(&workload.template.spec.requests());
        requests.pods = 1;
        room.subtract(&requests);
    }
    let units = Quantity::from_units;
    let labels = [
        (POOL, pool.name.as_str()),
        ("topology.kubernetes.io/zone", zone),
        ("node.kubernetes.io/instance-type", &pool.instance_type),
        ("kubernetes.io/os", "linux"),
    ];
    Some(api::Node {
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
            ("cpu".to_owned(), Quantity::from_milli(i128::from(room.cpu))),
            ("memory".to_owned(), units(room.memory)),
            ("pods".to_owned(), units(room.pods)),
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
    })
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
        let fitting = |pool: &KarpenterPool, zone: &str| {
            template(world, pool, zone).filter(|node| {
                would_fit(&shape, node)
                    && reach.iter().all(|one| one.matches(&node.meta.name, &node.meta.labels) == Some(true))
            })
        };
        let pools = state.settings.pools.clone();
        let room = |name: &str, zone: &str, used: &Amounts| {
            pools.iter().filter(|pool| pool.name == name).any(|pool| {
                fitting(pool, zone)
                    .is_some_and(|node| Amounts::of(&node.allocatable).lacks(used, &shape.requests).is_none())
            })
        };
        if let Some((.., used)) = bins.iter_mut().find(|(pool, zone, used)| room(pool, zone, used)) {
            used.add(&shape.requests);
            continue;
        }
        let choice = pools
            .iter()
            .flat_map(|pool| pool.zones.iter().map(move |zone| (pool, zone)))
            .find(|(pool, zone)| fitting(pool, zone).is_some());
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
        let image = image_of(world, &pool);
        let drifted: Vec<String> = state
            .claims
            .iter()
            .filter(|(_, claim)| {
                claim.pool == pool.name
                    && image.as_ref().is_some_and(|image| *image != claim.image)
                    && claim.phase == Phase::Alive
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
            // Blocked is asked again at the next look.
            eviction::evict_seen(world, *pod);
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
                alias: pool.image.is_none().then(|| "al2023@latest".to_owned()),
                id: pool.image.clone(),
                ..api::AmiSelector::default()
            }],
            amis: image_of(world, pool).into_iter().map(|image| (image.clone(), image)).collect(),
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
            let image = current.and_then(|pool| image_of(world, pool));
            let drifted = image.is_some_and(|image| image != claim.image);
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
