//! cluster-autoscaler: more instances for Pods that wait, fewer for nodes that nobody needs.
//!
//! <https://github.com/kubernetes/autoscaler/blob/master/cluster-autoscaler/FAQ.md> (2026-11). It takes away nodes that
//! are empty or hardly used, and instances that do not register. Where several groups would do, the first of
//! the list is taken (its expander is `random`). It reads the sizes of groups once a minute, and sets what it has read
//! plus what it needs: who has raised a size since is undone
//! (<https://github.com/kubernetes/autoscaler/blob/master/cluster-autoscaler/cloudprovider/aws/aws_manager.go>,
//! `refreshInterval`, 2026-11).

mod drain;

use std::collections::BTreeMap;
use std::time::Duration;

use eks_provider::kube::{self as api, TaintEffect};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::super::objects::{Amounts, NodeId, PodId, later};
use super::super::scheduler::would_fit;
use super::super::{Event, nodes, volumes};
use crate::{World, aws};

/// cluster-autoscaler, and the groups that it looks after.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct ClusterAutoscaler {
    /// The groups.
    pub groups: Vec<AutoscalerGroup>,
    /// Whether it takes away no nodes (`--scale-down-enabled=false`).
    #[serde(default)]
    pub keeps_nodes: bool,
}

/// A group, and between which numbers it may be.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct AutoscalerGroup {
    /// The Auto Scaling group.
    pub name: String,
    /// At least; what the group says, where nothing is said.
    #[serde(default)]
    pub min: Option<u32>,
    /// At most; what the group says, where nothing is said.
    #[serde(default)]
    pub max: Option<u32>,
}

/// What it remembers.
#[derive(Debug, Clone, Default)]
pub(crate) struct State {
    settings: ClusterAutoscaler,
    /// What a node of a group looks like.
    templates: BTreeMap<String, api::Node>,
    unneeded: BTreeMap<NodeId, Timestamp>,
    last_added: Option<Timestamp>,
    /// The size of each group as it was last read, and when that was.
    read: BTreeMap<String, (Timestamp, u32)>,
    /// The node that is drained, and since when.
    draining: Option<(NodeId, Timestamp)>,
}

/// Taints that say how a node is, and not what it is for, start with this: the template has none.
const STATUS_TAINT: &str = "status-taint.cluster-autoscaler.kubernetes.io/";
const TO_BE_DELETED: &str = "ToBeDeletedByClusterAutoscaler";
const SAFE_TO_EVICT: &str = "cluster-autoscaler.kubernetes.io/safe-to-evict";
/// How often the sizes of groups are read.
const REFRESH: Duration = Duration::from_mins(1);
const KEEP: &str = "cluster-autoscaler.kubernetes.io/scale-down-disabled";

/// It begins.
pub(crate) fn start(world: &mut World, settings: ClusterAutoscaler, beginning: Duration) {
    world.kube.actors.autoscaler = Some(State { settings, ..State::default() });
    let scan = world.kube.settings.autoscaler_scan;
    world.after(beginning + scan, Event::Autoscaler.into());
}

/// It is restarted: what it remembered is gone, and what it was about to do. It begins by taking its taints away.
/// <https://github.com/kubernetes/autoscaler/blob/master/cluster-autoscaler/core/static_autoscaler.go>
/// (`cleanUpIfRequired`, 2026-11)
pub(crate) fn restart(world: &mut World) {
    let Some(state) = &mut world.kube.actors.autoscaler else { return };
    *state = State { settings: state.settings.clone(), ..State::default() };
    let ids: Vec<NodeId> = world.kube.nodes.keys().copied().collect();
    for id in ids {
        nodes::change(world, id, |node| nodes::untaint(node, TO_BE_DELETED));
    }
}

/// How a group stands.
#[derive(Debug, Default)]
struct Group {
    nodes: u32,
    ready: u32,
    /// Those that are not ready for longer than a node may take.
    broken: u32,
    unregistered: u32,
}

/// It looks.
pub(crate) fn scan(world: &mut World) {
    let Some(mut state) = world.kube.actors.autoscaler.take() else { return };
    let mut groups: BTreeMap<String, Group> =
        state.settings.groups.iter().map(|group| (group.name.clone(), Group::default())).collect();
    let mut empty = Vec::new();
    let (now, limit) = (world.now(), world.kube.settings.node_provision_time);
    for (id, node) in &world.kube.nodes {
        let Some(name) = node.group.as_ref() else { continue };
        let Some(group) = groups.get_mut(name) else { continue };
        group.nodes += 1;
        if node.object.is_ready() {
            group.ready += 1;
            if !state.templates.contains_key(name) {
                state.templates.insert(name.clone(), template(&node.object));
            }
        } else if node.object.meta.creation_timestamp.is_some_and(|since| later(since, limit) < now) {
            group.broken += 1;
        }
        let movable = node.pods.iter().filter_map(|pod| world.kube.pods.get(pod));
        if movable.filter(|pod| !pod.is_finished()).all(|pod| pod.only_node.is_some()) {
            empty.push((*id, name.clone()));
        }
    }
    read(world, &mut state);
    remove_unregistered(world, &mut state, &mut groups);
    add(world, &mut state, &groups);
    if !state.settings.keeps_nodes {
        drain::go_on(world, &mut state);
        let used = drain::candidates(world, &state);
        remove_unneeded(world, &mut state, &groups, &empty, &used);
    }
    world.kube.actors.autoscaler = Some(state);
    let scan = world.kube.settings.autoscaler_scan;
    world.after(scan, Event::Autoscaler.into());
}

/// Reads the sizes of its groups, where it is time.
fn read(world: &World, state: &mut State) {
    let now = world.now();
    if state.read.values().any(|(since, _)| later(*since, REFRESH) > now) {
        return;
    }
    for group in &state.settings.groups {
        if let Some(size) = aws::desired_capacity(world, &group.name) {
            state.read.insert(group.name.clone(), (now, size));
        }
    }
}

/// What a new node of the group would be: without its name, its cordon and the taints of its state.
fn template(node: &api::Node) -> api::Node {
    let mut template = node.clone();
    template.unschedulable = false;
    template.taints.retain(|taint| {
        !taint.key.starts_with(STATUS_TAINT)
            && !taint.key.starts_with("node.kubernetes.io/")
            && taint.key != TO_BE_DELETED
    });
    template
}

/// Instances that have not registered in time are terminated, and the group made smaller.
fn remove_unregistered(world: &mut World, state: &mut State, groups: &mut BTreeMap<String, Group>) {
    let now = world.now();
    let limit = world.kube.settings.node_provision_time;
    let mut late = Vec::new();
    for (instance, (machine, since)) in &world.kube.machines {
        let Some(group) = machine.group.as_ref().and_then(|name| groups.get_mut(name)) else { continue };
        if later(*since, limit) < now {
            late.push((instance.clone(), machine.group.clone().unwrap_or_default()));
        } else {
            group.unregistered += 1;
        }
    }
    for (instance, group) in late {
        world.kube.machines.remove(&instance);
        state.read.entry(group).and_modify(|(_, size)| *size = size.saturating_sub(1));
        world.kube.observer.deed(now, format!("cluster-autoscaler: removes unregistered {instance}"));
        aws::terminate_with_decrement(world, &instance);
    }
}

/// Pods that fit nowhere: packed into nodes that come, then into new ones.
fn add(world: &mut World, state: &mut State, groups: &BTreeMap<String, Group>) {
    let waiting: Vec<PodId> = world.kube.unschedulable.iter().map(|(_, pod)| *pod).collect();
    if waiting.is_empty() {
        return;
    }
    let now = world.now();
    let size_of = |name: &str| {
        let known = groups.get(name).map_or(0, |group| group.nodes + group.unregistered);
        state.read.get(name).map_or(known, |(_, size)| *size)
    };
    // Nodes that come already, as (group, what is taken of them): those that were asked for and are not there.
    let mut bins: Vec<(String, Amounts)> = Vec::new();
    for (name, group) in groups {
        let coming = size_of(name).saturating_sub(group.ready + group.broken);
        bins.extend((0..coming).map(|_| (name.clone(), Amounts::default())));
    }
    let mut more: BTreeMap<String, u32> = BTreeMap::new();
    for pod in waiting {
        let Some(shape) = world.kube.shape_of(pod) else { continue };
        let Ok(reach) = volumes::reach(&world.kube, &shape.namespace, &shape.template.spec) else { continue };
        let fits = |name: &str| {
            state.templates.get(name).is_some_and(|node| {
                would_fit(shape, node)
                    && reach.iter().all(|one| one.matches(&node.meta.name, &node.meta.labels) == Some(true))
            })
        };
        let room = |name: &str, used: &Amounts| {
            state
                .templates
                .get(name)
                .is_some_and(|node| Amounts::of(&node.allocatable).lacks(used, &shape.requests).is_none())
        };
        if let Some((_, used)) = bins.iter_mut().find(|(name, used)| fits(name) && room(name, used)) {
            used.add(&shape.requests);
            continue;
        }
        let group = state.settings.groups.iter().find(|group| {
            let size = size_of(&group.name) + more.get(&group.name).copied().unwrap_or_default();
            size < group.max.unwrap_or(u32::MAX) && fits(&group.name)
        });
        if let Some(group) = group {
            *more.entry(group.name.clone()).or_default() += 1;
            bins.push((group.name.clone(), shape.requests.clone()));
        }
    }
    let sizes: Vec<(String, u32, u32)> =
        more.into_iter().map(|(name, number)| (name.clone(), size_of(&name), number)).collect();
    for (name, size, number) in sizes {
        // It sets what it has read plus what it needs: an absolute number.
        let most = state
            .settings
            .groups
            .iter()
            .find(|group| group.name == name)
            .map_or(0, |group| group.max.unwrap_or(u32::MAX));
        let desired = size.saturating_add(number).min(most);
        if desired > size {
            state.last_added = Some(now);
            let deed = format!("cluster-autoscaler: sets {name} from {size} to {desired}");
            world.kube.observer.deed(now, deed);
            aws::set_desired(world, &name, desired);
            state.read.entry(name).and_modify(|(_, size)| *size = desired);
        }
    }
}

/// Nodes that have been empty for long enough go, unless they are to be kept; those that are hardly used are drained.
fn remove_unneeded(
    world: &mut World,
    state: &mut State,
    groups: &BTreeMap<String, Group>,
    empty: &[(NodeId, String)],
    used: &[(NodeId, String)],
) {
    let now = world.now();
    let wait = world.kube.settings.scale_down_unneeded;
    state.unneeded.retain(|node, _| empty.iter().chain(used).any(|(id, _)| id == node));
    let mut sizes: BTreeMap<&str, u32> =
        groups.iter().map(|(name, group)| (name.as_str(), group.nodes)).collect();
    for (number, (id, name)) in empty.iter().chain(used).enumerate() {
        let is_empty = number < empty.len();
        let since = *state.unneeded.entry(*id).or_insert(now);
        let Some(node) = world.kube.nodes.get(id) else { continue };
        let keep = node.object.meta.annotations.get(KEEP).is_some_and(|value| value == "true");
        let least = state
            .settings
            .groups
            .iter()
            .find(|group| group.name == *name)
            .map_or(0, |group| group.min.unwrap_or_default());
        let size = sizes.entry(name.as_str()).or_default();
        let fresh = state.last_added.is_some_and(|added| later(added, wait) > now);
        if keep || fresh || *size <= least || later(since, wait) > now || !node.alive {
            continue;
        }
        if !is_empty {
            if state.draining.is_none() {
                *size -= 1;
                drain::begin(world, state, *id);
            }
            continue;
        }
        *size -= 1;
        let instance = node.instance_id.clone();
        world.kube.observer.deed(now, format!("cluster-autoscaler: removes empty {}", node.name));
        nodes::change(world, *id, |node| nodes::taint(node, TO_BE_DELETED, TaintEffect::NoSchedule, now));
        state.unneeded.remove(id);
        state.read.entry(name.clone()).and_modify(|(_, size)| *size = size.saturating_sub(1));
        aws::terminate_with_decrement(world, &instance);
    }
}
