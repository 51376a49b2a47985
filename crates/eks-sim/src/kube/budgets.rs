//! The disruption controller: how many Pods of a budget may be out now.

use std::collections::BTreeMap;

use eks_provider::kube::{self as api, Condition, ConditionStatus, IntOrPercent, WorkloadKind};
use jiff::Timestamp;

use super::objects::{Budget, BudgetId, later};
use super::state::State;
use super::{Event, queue_sync};
use crate::World;

/// What a budget needs: how many Pods there are to be, and how many of them healthy.
///
/// - `maxUnavailable`, and `minAvailable` in percent, are of the number that the owners ask for;
///   `minAvailable` as a number is as it is, and the Pods there are are what is expected.
/// - What is no whole number is rounded up: 30% of 7 may be out are 3, 50% of 7 available are 4.
///
/// <https://github.com/kubernetes/kubernetes/blob/v1.35.0/pkg/controller/disruption/disruption.go>
/// (`getExpectedPodCount`, 2026-11) and
/// <https://kubernetes.io/docs/tasks/run-application/configure-pdb/#rounding-logic-when-specifying-percentages>
pub(crate) fn needed(
    min_available: Option<IntOrPercent>,
    max_unavailable: Option<IntOrPercent>,
    pods: u32,
    scale: u32,
) -> (u32, u32) {
    match (max_unavailable, min_available) {
        (Some(out), _) => (scale, scale.saturating_sub(out.of(scale))),
        (None, Some(IntOrPercent::Int(number))) => (pods, number),
        (None, Some(percent @ IntOrPercent::Percent(_))) => (scale, percent.of(scale)),
        (None, None) => (0, 0),
    }
}

/// How many Pods may be evicted: none while nothing is expected.
/// Same source (`updatePdbStatus`).
pub(crate) fn allowed(healthy: u32, desired: u32, expected: u32) -> i32 {
    if expected == 0 { 0 } else { i32::try_from(healthy.saturating_sub(desired)).unwrap_or(i32::MAX) }
}

/// Adds a budget; `None` where its name is taken.
pub(crate) fn add(world: &mut World, object: api::Budget) -> Option<BudgetId> {
    let now = world.now();
    let state = &mut world.kube;
    let namespace = state.namespace(object.meta.namespace.as_deref().unwrap_or("default"), now);
    let names = state.budget_names.entry(namespace.clone()).or_default();
    if names.contains_key(&object.meta.name) {
        return None;
    }
    let id = BudgetId(state.next_id());
    state.budget_names.entry(namespace.clone()).or_default().insert(object.meta.name.clone(), id);
    let budget = Budget {
        object,
        shapes: std::collections::BTreeSet::new(),
        pods: 0,
        healthy: 0,
        truly: 0,
        owners: BTreeMap::new(),
    };
    state.budgets.insert(id, budget);
    cover(state, id);
    touch(world, id);
    Some(id)
}

/// Finds out which Pods a budget is for, and counts them.
fn cover(state: &mut State, id: BudgetId) {
    let Some(mut budget) = state.budgets.remove(&id) else { return };
    uncover(state, id, &budget);
    budget.shapes.clear();
    let namespace = budget.object.meta.namespace.clone().unwrap_or_else(|| "default".to_owned());
    for shape_id in state.shapes_of(Some(&namespace)) {
        let Some(shape) = state.shape_mut(shape_id) else { continue };
        if budget.object.covers(&namespace, &shape.template.labels) != Some(true) {
            continue;
        }
        shape.budgets.push(id);
        shape.budgets.sort();
        budget.shapes.insert(shape_id);
    }
    (budget.pods, budget.healthy, budget.truly) = (0, 0, 0);
    budget.owners.clear();
    let shapes = budget.shapes.iter().filter_map(|shape| state.shape(*shape));
    for pod in shapes.flat_map(|shape| &shape.pods).filter_map(|pod| state.pods.get(pod)) {
        budget.pods += 1;
        budget.healthy += u32::from(pod.is_healthy());
        budget.truly += u32::from(pod.is_healthy() && !pod.dead);
        if let Some((workload, _)) = pod.owner {
            *budget.owners.entry(workload).or_default() += 1;
        }
    }
    state.budgets.insert(id, budget);
}

/// The templates of a budget forget it.
fn uncover(state: &mut State, id: BudgetId, budget: &Budget) {
    for shape in &budget.shapes {
        if let Some(shape) = state.shape_mut(*shape) {
            shape.budgets.retain(|other| *other != id);
        }
    }
}

/// Deletes a budget.
pub(crate) fn remove(world: &mut World, id: BudgetId) {
    let state = &mut world.kube;
    let Some(budget) = state.budgets.remove(&id) else { return };
    uncover(state, id, &budget);
    let namespace = budget.object.meta.namespace.as_deref().unwrap_or("default");
    if let Some(names) = state.budget_names.get_mut(namespace) {
        names.remove(&budget.object.meta.name);
    }
    let version = state.bump();
    state.log.budget(version);
}

/// Changes what a budget says. Until its controller has looked, evictions wait.
pub(crate) fn respecify(world: &mut World, id: BudgetId, change: impl FnOnce(&mut api::Budget)) {
    let Some(budget) = world.kube.budgets.get_mut(&id) else { return };
    let selector = budget.object.selector.clone();
    change(&mut budget.object);
    budget.object.meta.generation = Some(budget.object.meta.generation.unwrap_or_default() + 1);
    if budget.object.selector != selector {
        cover(&mut world.kube, id);
    }
    touch(world, id);
}

/// A budget's object has changed.
pub(crate) fn touch(world: &mut World, id: BudgetId) {
    let state = &mut world.kube;
    let version = state.bump();
    if let Some(budget) = state.budgets.get_mut(&id) {
        budget.object.meta.resource_version = version.to_string();
    }
    state.dirty_budgets.insert(id);
    state.log.budget(version);
    queue_sync(world);
}

/// The owner of some Pods has another number now.
pub(crate) fn owner_scaled(world: &mut World, workload: super::objects::WorkloadId) {
    let of_it = world.kube.budgets.iter().filter(|(_, budget)| budget.owners.contains_key(&workload));
    let ids: Vec<BudgetId> = of_it.map(|(id, _)| *id).collect();
    world.kube.dirty_budgets.extend(ids);
    queue_sync(world);
}

/// The controller looks at the budgets that something has happened to.
pub(crate) fn run(world: &mut World) {
    if world.kube.faults.budgets_stand_still(world.now()) {
        let lag = world.kube.settings.budget_lag;
        if !world.kube.budgets_queued {
            world.kube.budgets_queued = true;
            world.after(lag.max(std::time::Duration::from_secs(1)), Event::Budgets.into());
        }
        return;
    }
    let dirty = std::mem::take(&mut world.kube.dirty_budgets);
    for id in dirty {
        sync(world, id);
    }
}

fn sync(world: &mut World, id: BudgetId) {
    let now = world.now();
    let timeout = world.kube.settings.disruption_timeout;
    let state = &mut world.kube;
    let Some(budget) = state.budgets.get(&id) else { return };
    let namespace = budget.object.meta.namespace.clone().unwrap_or_default();
    // Accepted evictions that were not seen to leave; those that leave are out anyway.
    let mut disrupted: BTreeMap<String, Timestamp> = BTreeMap::new();
    let mut out = 0;
    for (name, since) in &budget.object.status.disrupted_pods {
        let Some(pod) = state.pod_named(&namespace, name).and_then(|pod| state.pods.get(&pod)) else {
            continue;
        };
        if pod.deletion.is_none() && later(*since, timeout) > now {
            disrupted.insert(name.clone(), *since);
            out += u32::from(pod.is_healthy());
        }
    }
    let mut scale = 0_u32;
    let mut odd = None;
    for owner in budget.owners.keys() {
        let Some(workload) = state.workloads.get(owner) else { continue };
        match workload.kind {
            WorkloadKind::Job | WorkloadKind::DaemonSet => odd = Some(workload.kind),
            WorkloadKind::Deployment
            | WorkloadKind::ReplicaSet
            | WorkloadKind::StatefulSet
            | WorkloadKind::ReplicationController => scale = scale.saturating_add(workload.desired),
        }
    }
    let object = &budget.object;
    let by_number =
        matches!((object.max_unavailable, object.min_available), (None, Some(IntOrPercent::Int(_))));
    let mut status = object.status.clone();
    if let Some(kind) = odd.filter(|_| !by_number) {
        // Its number cannot be asked for: nothing is allowed, and the rest stays as it was (`failSafe`).
        let resource = if kind == WorkloadKind::Job { "jobs.batch" } else { "daemonsets.apps" };
        status.disruptions_allowed = 0;
        status.conditions = vec![disruption(
            object,
            "SyncFailed",
            ConditionStatus::False,
            &format!("{resource} does not implement the scale subresource"),
            now,
        )];
        status.observed_generation = object.meta.generation;
    } else {
        let (expected, desired) = needed(object.min_available, object.max_unavailable, budget.pods, scale);
        let healthy = budget.healthy.saturating_sub(out);
        let allowed = allowed(healthy, desired, expected);
        let (reason, holds) = if allowed > 0 {
            ("SufficientPods", ConditionStatus::True)
        } else {
            ("InsufficientPods", ConditionStatus::False)
        };
        let condition = disruption(object, reason, holds, "", now);
        status = api::BudgetStatus {
            observed_generation: object.meta.generation,
            disruptions_allowed: allowed,
            current_healthy: healthy,
            desired_healthy: desired,
            expected_pods: expected,
            disrupted_pods: disrupted.clone(),
            conditions: vec![condition],
        };
    }
    // The controller looks again when the first of these is given up.
    if let Some(first) = disrupted.values().min() {
        let left = later(*first, timeout).duration_since(now).try_into().unwrap_or_default();
        world.after(left, Event::BudgetAgain(id).into());
    }
    let state = &mut world.kube;
    let Some(budget) = state.budgets.get_mut(&id) else { return };
    state.observer.said(id, budget, &status, now);
    if budget.object.status != status {
        budget.object.status = status;
        let version = state.bump();
        if let Some(budget) = state.budgets.get_mut(&id) {
            budget.object.meta.resource_version = version.to_string();
        }
        state.log.budget(version);
    }
}

/// The condition DisruptionAllowed; its moment is that of its last change.
fn disruption(
    budget: &api::Budget,
    reason: &str,
    status: ConditionStatus,
    message: &str,
    now: Timestamp,
) -> Condition {
    let before = api::condition(&budget.status.conditions, "DisruptionAllowed");
    let since =
        before.filter(|before| before.status == status).and_then(|before| before.last_transition_time);
    Condition {
        kind: "DisruptionAllowed".to_owned(),
        status,
        reason: Some(reason.to_owned()),
        message: Some(message.to_owned()),
        last_transition_time: Some(since.unwrap_or(now)),
        last_heartbeat_time: None,
        observed_generation: budget.meta.generation,
    }
}
