//! The life of an instance in its group, and the hooks that hold it.

use std::time::Duration;

use eks_provider::aws::{
    ActivityStatus, LifecycleAction, LifecycleResult, LifecycleState, LifecycleTransition, ScalingProcess,
};

use crate::World;
use crate::aws::asg::{Event, Held, Member, activity, after, clock, health, named, terminate, touch, warm};
use crate::aws::call::{Answer, refuse};
use crate::aws::ec2::{instances, targets};
use crate::world::later;

fn member<'w>(world: &'w mut World, name: &str, id: &str) -> Option<&'w mut Member> {
    world.aws.asg.groups.get_mut(name)?.members.get_mut(id)
}

fn state(world: &World, name: &str, id: &str) -> Option<LifecycleState> {
    Some(world.aws.asg.groups.get(name)?.members.get(id)?.view.lifecycle_state.clone())
}

/// Whether an instance waits in a warm pool.
pub(crate) fn is_warmed(world: &World, id: &str) -> bool {
    let name = world.aws.asg.group_of.get(id);
    name.and_then(|name| state(world, name, id)).is_some_and(|state| state.is_warmed())
}

/// An instance of a group runs: hooks hold it, or it goes into service.
pub(crate) fn runs(world: &mut World, id: &str) {
    let Some(name) = world.aws.asg.group_of.get(id).cloned() else { return };
    match state(world, &name, id) {
        Some(LifecycleState::Pending)
            if !hold(world, &name, id, &LifecycleTransition::Launching, LifecycleState::PendingWait) =>
        {
            in_service(world, &name, id);
        }
        Some(LifecycleState::WarmedPending) => warm::ready(world, &name, id),
        _ => {}
    }
}

/// Puts an instance into service, and into the group's target groups.
fn in_service(world: &mut World, name: &str, id: &str) {
    let Some(group) = world.aws.asg.groups.get(name) else { return };
    let target_groups = group.group.target_group_arns.clone();
    let add = !group.suspended(&ScalingProcess::AddToLoadBalancer);
    let Some(found) = member(world, name, id) else { return };
    found.view.lifecycle_state = LifecycleState::InService;
    let (begun, zone) = (found.activity.take(), found.view.availability_zone.clone());
    activity::set(world, name, begun.as_deref(), ActivityStatus::Successful, None);
    if add {
        targets::register(world, &target_groups, id, &zone);
    }
    if !world.aws.ec2.instances.get(id).is_some_and(instances::Running::is_there) {
        health::lost(world, id);
    }
    touch(world, name);
}

/// Lets the group's hooks of a transition hold an instance; whether any does.
///
/// A hook waits for its heartbeat time-out, which a heartbeat starts anew, and never longer than 48 hours or a hundred times
/// the time-out, whichever is less.
/// <https://docs.aws.amazon.com/autoscaling/ec2/userguide/lifecycle-hooks-overview.html>
pub(crate) fn hold(
    world: &mut World,
    name: &str,
    id: &str,
    transition: &LifecycleTransition,
    waiting: LifecycleState,
) -> bool {
    let now = world.now();
    let Some(group) = world.aws.asg.groups.get_mut(name) else { return false };
    let hooks: Vec<_> = group.hooks.iter().filter(|hook| hook.transition == *transition).cloned().collect();
    let Some(found) = group.members.get_mut(id).filter(|_| !hooks.is_empty()) else { return false };
    for hook in &hooks {
        let last = later(now, hook.global_timeout);
        let deadline = later(now, hook.heartbeat_timeout).min(last);
        found.held.insert(hook.name.clone(), Held { deadline, last });
    }
    found.view.lifecycle_state = waiting;
    let begun = found.activity.clone();
    activity::set(world, name, begun.as_deref(), ActivityStatus::MidLifecycleAction, None);
    for hook in hooks {
        let event = Event::Hook { group: name.to_owned(), instance: id.to_owned() };
        after(world, hook.heartbeat_timeout.min(hook.global_timeout), event);
    }
    true
}

/// A hook may have waited long enough: then its default result holds.
pub(crate) fn hook_timeout(world: &mut World, name: &str, id: &str) {
    let now = world.now();
    let Some(group) = world.aws.asg.groups.get(name) else { return };
    let Some(found) = group.members.get(id) else { return };
    let over: Vec<(String, LifecycleResult)> = found
        .held
        .iter()
        .filter(|(_, held)| held.deadline <= now)
        .map(|(hook, _)| {
            let default = group.hooks.iter().find(|known| known.name == *hook);
            (hook.clone(), default.map_or(LifecycleResult::Abandon, |known| known.default_result.clone()))
        })
        .collect();
    for (hook, result) in over {
        answer(world, name, id, &hook, &result);
    }
}

/// A hook has been answered. `ABANDON` ends it all; `CONTINUE` leaves the other hooks.
/// <https://docs.aws.amazon.com/autoscaling/ec2/userguide/completing-lifecycle-hooks.html>
fn answer(world: &mut World, name: &str, id: &str, hook: &str, result: &LifecycleResult) {
    let Some(group) = world.aws.asg.groups.get(name) else { return };
    let retain = group.group.terminate_hook_abandon.as_deref() == Some("retain");
    let Some(found) = member(world, name, id) else { return };
    found.held.remove(hook);
    let abandon = *result == LifecycleResult::Abandon;
    let leaving = found.view.lifecycle_state.is_leaving();
    if abandon {
        found.held.clear();
    }
    if !found.held.is_empty() {
        return;
    }
    let begun = found.activity.clone();
    if leaving && abandon && retain {
        // Kept until a person ends it; it is out of the group's capacity.
        found.view.lifecycle_state = LifecycleState::TerminatingRetained;
        return;
    }
    if leaving {
        found.view.lifecycle_state = LifecycleState::TerminatingProceed;
        terminate::go(world, name, id);
    } else if abandon {
        let message = Some("Lifecycle Action Abandoned".to_owned());
        activity::set(world, name, begun.as_deref(), ActivityStatus::Cancelled, message);
        let cause = format!("At {} the lifecycle action of instance {id} was abandoned.", clock(world.now()));
        abandoned(world, name, id, cause);
    } else {
        let warmed = found.view.lifecycle_state.is_warmed();
        found.view.lifecycle_state =
            if warmed { LifecycleState::WarmedPendingProceed } else { LifecycleState::PendingProceed };
        let wait = Duration::from_secs(1 + world.random.below(3));
        after(world, wait, Event::Proceed { group: name.to_owned(), instance: id.to_owned() });
    }
}

/// An instance whose launch was abandoned is terminated without further hooks, and replaced.
fn abandoned(world: &mut World, name: &str, id: &str, cause: String) {
    let description = format!("Terminating EC2 instance: {id}");
    let begun = activity::begin(world, name, description, cause, ActivityStatus::InProgress, None);
    if let Some(found) = member(world, name, id) {
        found.view.lifecycle_state = LifecycleState::Terminating;
        found.activity = Some(begun);
    }
    terminate::go(world, name, id);
    touch(world, name);
}

/// An instance goes on after its hooks, or after its targets have ended what was open.
pub(crate) fn proceed(world: &mut World, name: &str, id: &str) {
    match state(world, name, id) {
        Some(LifecycleState::PendingProceed) => in_service(world, name, id),
        Some(LifecycleState::WarmedPendingProceed) => warm::settle(world, name, id),
        Some(LifecycleState::Terminating | LifecycleState::TerminatingProceed) => {
            terminate::go(world, name, id);
        }
        _ => {}
    }
}

/// An instance of EC2 is gone: it leaves its group, or is found missing.
pub(crate) fn terminated(world: &mut World, id: &str) {
    let Some(name) = world.aws.asg.group_of.get(id).cloned() else { return };
    match state(world, &name, id) {
        Some(LifecycleState::TerminatingWait) | None => {}
        Some(state) if state.is_leaving() => terminate::over(world, &name, id),
        Some(state) if state.is_warmed() => warm::lost(world, &name, id),
        Some(_) => health::lost(world, id),
    }
}

fn held_by<'w>(world: &'w mut World, action: &LifecycleAction) -> Answer<&'w mut Held> {
    named(&world.aws.asg, &action.group)?;
    match member(world, &action.group, &action.instance_id).and_then(|found| found.held.get_mut(&action.hook))
    {
        Some(held) => Ok(held),
        None => refuse(
            "ValidationError",
            format!("No active Lifecycle Action found with instance ID {}", action.instance_id),
        ),
    }
}

/// Answers a hook.
/// <https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_CompleteLifecycleAction.html>
pub(crate) fn complete(world: &mut World, action: &LifecycleAction, result: &LifecycleResult) -> Answer<()> {
    held_by(world, action)?;
    answer(world, &action.group, &action.instance_id, &action.hook, result);
    Ok(())
}

/// Starts the time-out of a hook anew.
/// <https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_RecordLifecycleActionHeartbeat.html>
pub(crate) fn heartbeat(world: &mut World, action: &LifecycleAction) -> Answer<()> {
    let now = world.now();
    let group = named(&world.aws.asg, &action.group)?;
    let timeout = group.hooks.iter().find(|hook| hook.name == action.hook).map(|hook| hook.heartbeat_timeout);
    let held = held_by(world, action)?;
    held.deadline = later(now, timeout.unwrap_or_default()).min(held.last);
    let wait = held.deadline.duration_since(now).unsigned_abs();
    after(world, wait, Event::Hook { group: action.group.clone(), instance: action.instance_id.clone() });
    Ok(())
}
