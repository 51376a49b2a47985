//! The scheduler: which node a Pod goes to, and why to none.
//!
//! The filters are those of kube-scheduler. What it scores is simplified: of the freest nodes of each
//! zone that pass the filters, the one is taken whose zone, then which itself, has the fewest Pods of the
//! same template, then the freest. kube-scheduler weighs more things against each other, and looks at a
//! sample of the nodes. No Pod is pushed aside for another one (preemption).
//! <https://kubernetes.io/docs/concepts/scheduling-eviction/kube-scheduler/> and
//! <https://kubernetes.io/docs/reference/scheduling/config/#scheduling-plugins> (2026-11)

mod apart;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use eks_provider::kube::{self as api, EventType, TaintEffect};

use self::apart::Apart;
pub(crate) use self::apart::nodes_with;
use super::objects::{Amounts, Node, NodeId, PodId, Shape, ShapeId};
use super::state::State;
use super::{events, nodes, pods, volumes};
use crate::World;

/// How many nodes of each zone are compared.
const CANDIDATES: usize = 8;

/// Places all Pods that wait.
pub(crate) fn run(world: &mut World) {
    let state = &mut world.kube;
    if std::mem::take(&mut state.retry_unschedulable) {
        let back = std::mem::take(&mut state.unschedulable);
        state.pending.extend(back);
    }
    // What could not be placed once cannot be placed a second time in the same pass.
    let mut hopeless: BTreeMap<(ShapeId, Option<NodeId>), Arc<str>> = BTreeMap::new();
    while let Some(key) = world.kube.pending.pop_first() {
        let (_, id) = key;
        let Some(pod) = world.kube.pods.get(&id) else { continue };
        if pod.deletion.is_some() || pod.node.is_some() {
            continue;
        }
        let class = (pod.shape, pod.only_node);
        let outcome = match hopeless.get(&class) {
            Some(message) => Err(message.clone()),
            None => choose(world, id),
        };
        match outcome {
            Ok(node) => {
                volumes::bind_claims(world, id, node);
                pods::bind(world, id, node);
            }
            Err(message) => {
                hopeless.insert(class, message.clone());
                cannot(world, id, &message);
                world.kube.unschedulable.insert(key);
            }
        }
    }
}

/// A Pod fits nowhere: its condition and an event say why.
fn cannot(world: &mut World, id: PodId, message: &Arc<str>) {
    let Some(pod) = world.kube.pods.get(&id) else { return };
    if pod.unschedulable.as_ref() == Some(message) {
        return;
    }
    pods::change(world, id, |pod| pod.unschedulable = Some(message.clone()));
    events::about_pod(world, id, EventType::Warning, "FailedScheduling", message);
}

/// How many Pods there are in each zone, and on each node.
type Places = (BTreeMap<Arc<str>, u32>, BTreeMap<NodeId, u32>);

/// All that is asked of a node, found out once for a Pod.
pub(crate) struct Wanted<'a> {
    /// For a Pod of a StatefulSet: where its siblings are, by zone and by node.
    pub(crate) siblings: Option<Places>,
    pub(crate) shape: &'a Shape,
    pub(crate) volumes: Vec<api::NodeSelector>,
    pub(crate) apart: Apart,
}

/// The node for a Pod; the message of its condition, where there is none.
fn choose(world: &World, id: PodId) -> Result<NodeId, Arc<str>> {
    let state = &world.kube;
    let none = || -> Arc<str> { "0/0 nodes are available.".into() };
    let pod = state.pods.get(&id).ok_or_else(none)?;
    let shape = state.shape(pod.shape).ok_or_else(none)?;
    let volumes = volumes::reach(state, &shape.namespace, &shape.template.spec).map_err(Arc::<str>::from)?;
    let apart = Apart::of(state, pod.shape, shape);
    let siblings = pod.owner.filter(|_| pod.ordinal.is_some()).map(|(owner, _)| siblings(state, owner));
    let wanted = Wanted { siblings, shape, volumes, apart };
    if let Some(only) = pod.only_node {
        return match state.nodes.get(&only) {
            Some(node) => match refusal(state, &wanted, only, node, true) {
                None => Ok(only),
                Some(reason) => Err(format!("0/1 nodes are available: 1 {reason}.").into()),
            },
            None => Err(none()),
        };
    }
    let mut best: Option<(Score, NodeId)> = None;
    for nodes in state.free.values() {
        let mut found = 0;
        for (_, id) in nodes {
            let Some(node) = state.nodes.get(id) else { continue };
            if refusal(state, &wanted, *id, node, false).is_some() {
                continue;
            }
            consider(state, &wanted, *id, node, &mut best);
            found += 1;
            if found == CANDIDATES {
                break;
            }
        }
    }
    if !shape.template.spec.tolerations.is_empty() {
        for id in &state.closed {
            let Some(node) = state.nodes.get(id) else { continue };
            if refusal(state, &wanted, *id, node, false).is_none() {
                consider(state, &wanted, *id, node, &mut best);
            }
        }
    }
    best.map(|(_, id)| id).ok_or_else(|| explain(state, &wanted).into())
}

/// Where the Pods of a StatefulSet are: each has a template of its own.
fn siblings(state: &State, owner: super::objects::WorkloadId) -> Places {
    let (mut zones, mut nodes) = (BTreeMap::new(), BTreeMap::new());
    let pods = state.workloads.get(&owner).into_iter().flat_map(|workload| workload.ordinals.values());
    for id in pods.filter_map(|pod| state.pods.get(pod)?.node) {
        let Some(node) = state.nodes.get(&id) else { continue };
        *zones.entry(node.zone.clone()).or_default() += 1;
        *nodes.entry(id).or_default() += 1;
    }
    (zones, nodes)
}

/// What is less is better.
type Score = (i64, u32, u32, i64);

fn consider(state: &State, wanted: &Wanted<'_>, id: NodeId, node: &Node, best: &mut Option<(Score, NodeId)>) {
    let shape = wanted.shape;
    let mut dislike = 0;
    for taint in &node.object.taints {
        if taint.effect == TaintEffect::PreferNoSchedule && !tolerated(shape, taint) {
            dislike += 100;
        }
    }
    for (weight, term) in &shape.template.spec.affinity.preferred_nodes {
        let one = api::NodeSelector { terms: vec![term.clone()] };
        if one.matches(&node.name, &node.object.meta.labels) == Some(true) {
            dislike -= i64::from(*weight);
        }
    }
    dislike -= wanted.apart.preference(state, node);
    let (in_zones, on_nodes) = match &wanted.siblings {
        Some((zones, nodes)) => (zones, nodes),
        None => (&shape.in_zones, &shape.on_nodes),
    };
    let score = (
        dislike,
        in_zones.get(&node.zone).copied().unwrap_or_default(),
        on_nodes.get(&id).copied().unwrap_or_default(),
        node.used.cpu - node.room.cpu,
    );
    if best.is_none_or(|best| (score, id) < best) {
        *best = Some((score, id));
    }
}

fn tolerated(shape: &Shape, taint: &api::Taint) -> bool {
    shape.template.spec.tolerations.iter().any(|toleration| toleration.tolerates(taint) == Some(true))
}

/// Taints of the node's condition that DaemonSet Pods are given tolerations for.
/// <https://kubernetes.io/docs/concepts/workloads/controllers/daemonset/#taints-and-tolerations> (2026-11)
const DAEMONS_TOLERATE: [&str; 7] = [
    nodes::NOT_READY,
    nodes::UNREACHABLE,
    nodes::UNSCHEDULABLE,
    "node.kubernetes.io/disk-pressure",
    "node.kubernetes.io/memory-pressure",
    "node.kubernetes.io/pid-pressure",
    "node.kubernetes.io/network-unavailable",
];

/// Why a node takes no Pod like this; `None` where its taints let it. In kube-scheduler's words.
pub(crate) fn taint_refusal(shape: &Shape, node: &api::Node, daemon: bool) -> Option<String> {
    if node.unschedulable && !daemon {
        let cordon = api::Taint {
            key: nodes::UNSCHEDULABLE.to_owned(),
            value: None,
            effect: TaintEffect::NoSchedule,
            time_added: None,
        };
        if !tolerated(shape, &cordon) {
            return Some("node(s) were unschedulable".to_owned());
        }
    }
    node.taints
        .iter()
        .find(|taint| {
            taint.effect != TaintEffect::PreferNoSchedule
                && !(daemon && DAEMONS_TOLERATE.contains(&taint.key.as_str()))
                && !tolerated(shape, taint)
        })
        .map(|taint| {
            let value = taint.value.as_deref().unwrap_or_default();
            format!("node(s) had untolerated taint(s) {{{}: {value}}}", taint.key)
        })
}

/// Why the labels of a node do not suit; `None` where they do.
pub(crate) fn label_refusal(shape: &Shape, node: &api::Node) -> Option<String> {
    let spec = &shape.template.spec;
    let selected = spec.node_selector.iter().all(|(key, value)| node.meta.labels.get(key) == Some(value))
        && spec
            .affinity
            .required_nodes
            .as_ref()
            .is_none_or(|required| required.matches(&node.meta.name, &node.meta.labels) == Some(true));
    (!selected).then(|| "node(s) didn't match Pod's node affinity/selector".to_owned())
}

/// Why a node does not take a Pod; `None` where it does.
fn refusal(state: &State, wanted: &Wanted<'_>, id: NodeId, node: &Node, daemon: bool) -> Option<String> {
    let shape = wanted.shape;
    taint_refusal(shape, &node.object, daemon)
        .or_else(|| node.room.lacks(&node.used, &shape.requests))
        .or_else(|| label_refusal(shape, &node.object))
        .or_else(|| {
            let reached = wanted
                .volumes
                .iter()
                .all(|volume| volume.matches(&node.name, &node.object.meta.labels) == Some(true));
            (!reached).then(|| "node(s) had volume node affinity conflict".to_owned())
        })
        .or_else(|| ports_taken(state, shape, node))
        .or_else(|| wanted.apart.refusal(id, node))
}

fn ports_of(shape: &Shape) -> BTreeSet<&(String, u16)> {
    shape.template.spec.containers.iter().flat_map(|container| &container.host_ports).collect()
}

fn ports_taken(state: &State, shape: &Shape, node: &Node) -> Option<String> {
    let ours = ports_of(shape);
    if ours.is_empty() {
        return None;
    }
    let taken = node.pods.iter().any(|pod| {
        state.pods.get(pod).is_some_and(|pod| !pod.is_finished())
            && state.shape_of(*pod).is_some_and(|other| !ports_of(other).is_disjoint(&ours))
    });
    taken.then(|| "node(s) didn't have free ports for the requested pod ports".to_owned())
}

/// In kube-scheduler's words: how many nodes, and what is wrong with how many.
fn explain(state: &State, wanted: &Wanted<'_>) -> String {
    let mut reasons: BTreeMap<String, usize> = BTreeMap::new();
    for (id, node) in &state.nodes {
        if let Some(reason) = refusal(state, wanted, *id, node, false) {
            *reasons.entry(reason).or_default() += 1;
        }
    }
    let list: Vec<String> = reasons.iter().map(|(reason, number)| format!("{number} {reason}")).collect();
    let all = state.nodes.len();
    if list.is_empty() {
        return format!("0/{all} nodes are available.");
    }
    format!("0/{all} nodes are available: {}.", list.join(", "))
}

/// Whether a node like this one, empty, would take a Pod: what cluster-autoscaler asks of its template.
pub(crate) fn would_fit(shape: &Shape, node: &api::Node) -> bool {
    taint_refusal(shape, node, false).is_none()
        && label_refusal(shape, node).is_none()
        && Amounts::of(&node.allocatable).lacks(&Amounts::default(), &shape.requests).is_none()
}
