//! How EKS replaces the nodes of a managed node group, phase by phase.
//!
//! <https://docs.aws.amazon.com/eks/latest/userguide/managed-node-update-behavior.html>

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use eks_provider::aws::{
    LaunchSource, LaunchTemplateRef, LifecycleState, NodegroupUpdateStrategy, UpdateError, UpdateErrorCode,
};
use jiff::Timestamp;

use crate::aws::asg;
use crate::aws::eks::nodegroups::{self, KnownNodegroup};
use crate::aws::eks::{Event, after};
use crate::world::later;
use crate::{World, bridge};

/// Where a roll is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Phase {
    /// Another version of the template, and the group on it.
    Setup,
    /// Waiting for new nodes.
    ScaleUp,
    /// Draining and terminating old nodes.
    Upgrade,
    /// Back to the size that was found.
    ScaleDown,
}

/// A roll under way.
#[derive(Debug, Clone)]
pub(crate) struct Rolling {
    pub(crate) update: String,
    pub(crate) phase: Phase,
    pub(crate) image: String,
    pub(crate) version: Option<String>,
    pub(crate) release: String,
    pub(crate) template: Option<LaunchTemplateRef>,
    pub(crate) force: bool,
    /// How it will fail, if a fault says so.
    pub(crate) fails: Option<UpdateError>,
    /// How it failed.
    pub(crate) error: Option<UpdateError>,
    /// Minimum, maximum and desired size as they were found.
    pub(crate) sizes: (u32, u32, u32),
    pub(crate) surge: u32,
    /// The desired capacity that scale-down left the group at.
    pub(crate) left_at: Option<u32>,
    /// Since when this phase goes on.
    pub(crate) since: Timestamp,
    /// Nodes that are drained: since when, and since when they are empty.
    pub(crate) draining: BTreeMap<String, (Timestamp, Option<Timestamp>)>,
}

/// How often EKS looks.
const STEP: Duration = Duration::from_secs(15);
/// How long Pods have to leave a node.
const DRAIN: Duration = Duration::from_mins(15);
/// How long EKS waits after a node is empty.
const PAUSE: Duration = Duration::from_mins(1);
/// How long new nodes have to join. The page gives no figure.
const JOIN: Duration = Duration::from_mins(20);

/// A roll, or an update of settings, goes on.
pub(crate) fn go_on(world: &mut World, cluster: &str, nodegroup: &str) {
    let Some(state) = world.aws.eks.clusters.get_mut(cluster) else { return };
    let Some(known) = state.nodegroups.get_mut(nodegroup) else { return };
    let Some(rolling) = known.rolling.take() else {
        nodegroups::finish_config(world, cluster, nodegroup);
        return;
    };
    let known = known.clone();
    let next = match rolling.phase {
        Phase::Setup => Some(setup(world, cluster, &known, rolling)),
        Phase::ScaleUp => Some(scale_up(world, &known, rolling)),
        Phase::Upgrade => Some(upgrade(world, &known, rolling)),
        Phase::ScaleDown => scale_down(world, cluster, &known, rolling),
    };
    if let Some(next) = next {
        let known =
            world.aws.eks.clusters.get_mut(cluster).and_then(|state| state.nodegroups.get_mut(nodegroup));
        if let Some(known) = known {
            known.rolling = Some(next);
        }
        after(world, STEP, Event::Nodegroup { cluster: cluster.to_owned(), nodegroup: nodegroup.to_owned() });
    }
}

/// Setup: a new version of the template, the group on it; then, unless the strategy is MINIMAL, desired and maximum size are raised by twice the
/// number of zones, or by what may be unavailable, whichever is more.
fn setup(world: &mut World, cluster: &str, known: &KnownNodegroup, mut rolling: Rolling) -> Rolling {
    nodegroups::point_at(world, known, &rolling.image, rolling.template.as_ref());
    let name = known.group().to_owned();
    let now = world.now();
    let Some(group) = world.aws.asg.groups.get(&name) else {
        return fail(world, &name, rolling, gone(&name));
    };
    let zones: BTreeSet<&str> = group
        .group
        .subnet_ids
        .iter()
        .filter_map(|id| world.aws.ec2.subnets.get(id))
        .map(|subnet| subnet.subnet.availability_zone.as_str())
        .collect();
    let zones = u32::try_from(zones.len()).unwrap_or(1);
    let size = &group.group;
    rolling.sizes = (size.min_size, size.max_size, size.desired_capacity);
    let minimal = known.nodegroup.update_config.update_strategy == Some(NodegroupUpdateStrategy::Minimal);
    rolling.surge = if minimal { 0 } else { (2 * zones).max(max_unavailable(known, rolling.sizes.2)) };
    if let Some(group) = world.aws.asg.groups.get_mut(&name) {
        group.join = Some(nodegroups::join(cluster, &known.nodegroup));
        group.group.max_size = rolling.sizes.1.max(rolling.sizes.2 + rolling.surge);
    }
    let desired = rolling.sizes.2 + rolling.surge;
    asg::size::change_desired(
        world,
        &name,
        desired,
        &format!("At {} EKS updated the node group", asg::clock(now)),
    );
    rolling.phase = Phase::ScaleUp;
    rolling.since = now;
    rolling
}

/// How many nodes may be out at a time: 1 unless something else is said, 100 at most.
pub(crate) fn max_unavailable(known: &KnownNodegroup, size: u32) -> u32 {
    let config = &known.nodegroup.update_config;
    let share = config.max_unavailable_percentage.map(|percent| (size.saturating_mul(percent) / 100).max(1));
    config.max_unavailable.or(share).unwrap_or(1).clamp(1, 100)
}

/// Instances by id, each with its zone.
type Placed = Vec<(String, String)>;

/// Instances of the group in service or on their way: the new ones, and the old ones.
///
/// New is what was started from what the group starts from now, or from an earlier version of its template that says the same: an update
/// that failed leaves such ones behind, and they are not replaced again.
fn members(world: &World, name: &str) -> (Placed, Placed) {
    let Some(group) = world.aws.asg.groups.get(name) else { return (Vec::new(), Vec::new()) };
    let target = match &group.group.launch {
        LaunchSource::Template(template) => world.aws.ec2.resolve(template).ok(),
        LaunchSource::Mixed(_) | LaunchSource::Configuration(_) | LaunchSource::Unstated => None,
    };
    let is_new = |member: &asg::Member| {
        let own = member.view.launch_template.as_ref().and_then(|own| world.aws.ec2.resolve(own).ok());
        target.is_some_and(|target| own.is_some_and(|own| own.data == target.data))
    };
    let all = group.active().map(|member| {
        let view = &member.view;
        (is_new(member), (view.instance_id.clone(), view.availability_zone.clone()))
    });
    let (new, old): (Vec<_>, Vec<_>) = all.partition(|(new, _)| *new);
    let strip = |list: Vec<(bool, (String, String))>| list.into_iter().map(|(_, one)| one).collect();
    (strip(new), strip(old))
}

/// Scale-up: every zone with old nodes has a new one, and every new one is Ready. Then all old nodes are marked unschedulable, and
/// taken from load balancers. `MINIMAL` has no scale-up.
fn scale_up(world: &mut World, known: &KnownNodegroup, mut rolling: Rolling) -> Rolling {
    let now = world.now();
    let (new, old) = members(world, known.group());
    let ready = new.iter().all(|(id, _)| bridge::node_ready(world, id));
    let zones: BTreeSet<&String> = old.iter().map(|(_, zone)| zone).collect();
    let covered = zones.iter().all(|zone| new.iter().any(|(_, has)| has == *zone));
    let enough = u32::try_from(new.len()).unwrap_or(u32::MAX) >= rolling.surge;
    if let Some(error) = rolling.fails.take() {
        return fail(world, known.group(), rolling, error);
    }
    if rolling.surge == 0 || (ready && covered && enough && !new.is_empty()) {
        for (id, _) in old.iter().filter(|_| rolling.surge > 0) {
            bridge::set_aside(world, id, true);
        }
        rolling.phase = Phase::Upgrade;
        rolling.since = now;
    } else if now >= later(rolling.since, JOIN) {
        let ids = new.into_iter().map(|(id, _)| id).filter(|id| !bridge::node_ready(world, id)).collect();
        let error = UpdateError {
            code: UpdateErrorCode::NodeCreationFailure,
            message: "Couldn't proceed with upgrade process as new nodes are not joining node group"
                .to_owned(),
            resource_ids: ids,
        };
        return fail(world, known.group(), rolling, error);
    }
    rolling
}

/// Upgrade: as many nodes as may be unavailable are cordoned and drained; a node whose Pods do not leave in 15 minutes fails it, unless forced; an
/// empty one is terminated a minute later, and the group starts another.
fn upgrade(world: &mut World, known: &KnownNodegroup, mut rolling: Rolling) -> Rolling {
    let now = world.now();
    let name = known.group().to_owned();
    let (new, old) = members(world, &name);
    let at_once = usize::try_from(max_unavailable(known, rolling.sizes.2)).unwrap_or(1);
    rolling.draining.retain(|id, _| old.iter().any(|(one, _)| one == id));
    // A node that is not there yet is unavailable, too: MINIMAL waits for each replacement.
    let coming = new.iter().filter(|(id, _)| !bridge::node_ready(world, id)).count();
    let missing = usize::try_from(rolling.sizes.2).unwrap_or(0).saturating_sub(new.len() + old.len());
    let room = at_once.saturating_sub(rolling.draining.len() + coming + missing);
    let waiting: Vec<String> =
        old.iter().map(|(id, _)| id.clone()).filter(|id| !rolling.draining.contains_key(id)).collect();
    for id in waiting.into_iter().take(room) {
        bridge::set_aside(world, &id, true);
        rolling.draining.insert(id, (now, None));
    }
    let ids: Vec<String> = rolling.draining.keys().cloned().collect();
    for id in ids {
        let left = bridge::evict(world, &id);
        let Some((since, empty)) = rolling.draining.get_mut(&id) else { continue };
        let late = now >= later(*since, DRAIN);
        if left.is_empty() || (late && rolling.force) {
            empty.get_or_insert(now);
        } else if late {
            let error = UpdateError {
                code: UpdateErrorCode::PodEvictionFailure,
                message: format!(
                    "Reached max retries while trying to evict pods from nodes in node group: {}",
                    left.join(", ")
                ),
                resource_ids: vec![id],
            };
            return fail(world, &name, rolling, error);
        }
        let since = *empty;
        if since.is_some_and(|since| now >= later(since, PAUSE)) {
            // Who left meanwhile is gone all the same.
            let _ = asg::terminate::by_request(world, &id, false);
        }
    }
    if old.is_empty() && coming == 0 && missing == 0 {
        rolling.phase = Phase::ScaleDown;
        rolling.since = now;
    }
    rolling
}

/// Scale-down: desired and maximum size go back by one at a time to what they were; when somebody scales the group up meanwhile, it
/// ends at once and leaves the size as it is. The page does not say how a surplus node is emptied; here it is drained before it goes.
fn scale_down(
    world: &mut World,
    cluster: &str,
    known: &KnownNodegroup,
    mut rolling: Rolling,
) -> Option<Rolling> {
    let now = world.now();
    let name = known.group().to_owned();
    let (_, max, desired) = rolling.sizes;
    let wants = world.aws.asg.groups.get(&name).map_or(0, |group| group.group.desired_capacity);
    let scaled_up = rolling.left_at.is_some_and(|left_at| wants > left_at);
    if rolling.surge == 0 || wants <= desired || scaled_up {
        if let Some(group) = world.aws.asg.groups.get_mut(&name) {
            group.group.max_size = max.max(wants);
        }
        for id in rolling.draining.keys() {
            bridge::set_aside(world, id, false);
        }
        nodegroups::settle(world, cluster, &known.nodegroup.name, &rolling);
        return None;
    }
    rolling.left_at = Some(wants);
    if rolling.draining.is_empty() {
        let newest = world.aws.asg.groups.get(&name).and_then(|group| {
            let in_service =
                group.active().filter(|member| member.view.lifecycle_state == LifecycleState::InService);
            in_service.max_by_key(|member| (member.launched, member.view.instance_id.clone()))
        });
        if let Some(id) = newest.map(|member| member.view.instance_id.clone()) {
            bridge::set_aside(world, &id, true);
            rolling.draining.insert(id, (now, None));
        }
    }
    let ids: Vec<(String, Timestamp)> =
        rolling.draining.iter().map(|(id, (since, _))| (id.clone(), *since)).collect();
    for (id, since) in ids {
        if bridge::evict(world, &id).is_empty() || now >= later(since, DRAIN) {
            rolling.draining.remove(&id);
            if asg::terminate::by_request(world, &id, true).is_ok() {
                rolling.surge -= 1;
                rolling.left_at = Some(wants - 1);
            }
        }
    }
    Some(rolling)
}

/// A failed roll goes back to the size that was found, and says why. What becomes of the old nodes is nowhere documented; people
/// report that a failed update is rolled back, so here they take Pods again.
fn fail(world: &mut World, name: &str, mut rolling: Rolling, error: UpdateError) -> Rolling {
    let now = world.now();
    for (id, _) in members(world, name).1 {
        bridge::set_aside(world, &id, false);
    }
    rolling.error = Some(error);
    rolling.draining.clear();
    rolling.phase = Phase::ScaleDown;
    rolling.since = now;
    rolling
}

fn gone(name: &str) -> UpdateError {
    UpdateError {
        code: UpdateErrorCode::Unknown,
        message: format!("The Auto Scaling group {name} is gone"),
        resource_ids: vec![name.to_owned()],
    }
}
