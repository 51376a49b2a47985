//! How an instance leaves a group.

use std::time::Duration;

use eks_provider::aws::{
    ActivityStatus, InstanceState, LifecycleState, LifecycleTransition, ScalingActivity,
};

use crate::World;
use crate::aws::asg::{Event, activity, after, clock, lifecycle, touch};
use crate::aws::call::{Answer, refuse};
use crate::aws::ec2::{instances, targets};
use crate::world::later;

/// Terminates an instance that somebody names. Protection from scale-in does not hold it.
///
/// - In a warm pool: refused ("This operation cannot be called on instances in a warm pool").
/// - With a decrement that would go below the minimum: refused.
/// - One that is leaving already: `ScalingActivityInProgress` ("there are scaling activities in progress"); which states that
///   means is nowhere documented.
/// - A suspended Terminate does not hold it: nowhere documented either.
///
/// <https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_TerminateInstanceInAutoScalingGroup.html>
pub(crate) fn by_request(world: &mut World, id: &str, decrement: bool) -> Answer<ScalingActivity> {
    let member = world.aws.asg.group_of.get(id).cloned().and_then(|name| {
        let group = world.aws.asg.groups.get(&name)?;
        Some((name, group.members.get(id)?.view.lifecycle_state.clone(), group.group.clone()))
    });
    let Some((name, state, group)) = member else {
        return refuse(
            "ValidationError",
            format!("Instance Id not found - No managed instance found for instance ID: {id}"),
        );
    };
    if state.is_warmed() {
        return refuse("ValidationError", format!("The instance {id} is in a warm pool"));
    }
    if state.is_leaving() {
        return refuse(
            "ScalingActivityInProgress",
            format!("Activity on {id} is in progress and blocks this action: it is {state}"),
        );
    }
    let desired = group.desired_capacity;
    if decrement && desired <= group.min_size {
        return refuse(
            "ValidationError",
            format!(
                "Currently, desiredSize equals minSize ({}). Terminating instance without replacement will violate group's \
                 min size constraint. Either set shouldDecrementDesiredCapacity flag to false or lower group's min size.",
                group.min_size
            ),
        );
    }
    let capacity = if decrement {
        format!("shrinking the capacity from {desired} to {}", desired - 1)
    } else {
        format!("keeping the capacity at the current {desired}")
    };
    let cause = format!(
        "At {} instance {id} was taken out of service in response to a user request, {capacity}.",
        clock(world.now())
    );
    if decrement && let Some(group) = world.aws.asg.groups.get_mut(&name) {
        group.group.desired_capacity = desired - 1;
    }
    let begun = begin(world, &name, id, cause, Duration::ZERO);
    touch(world, &name);
    match begun.and_then(|begun| activity::get(world, &name, &begun)) {
        Some(activity) => Ok(activity),
        None => refuse("ValidationError", format!("{id} is gone")),
    }
}

/// Begins to terminate an instance: out of its target groups, held by hooks, then terminated. The activity.
/// <https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-lifecycle.html>
pub(crate) fn begin(
    world: &mut World,
    name: &str,
    id: &str,
    cause: String,
    wait: Duration,
) -> Option<String> {
    let group = world.aws.asg.groups.get(name)?;
    let target_groups = group.group.target_group_arns.clone();
    let before = group.members.get(id)?.activity.clone();
    activity::set(world, name, before.as_deref(), ActivityStatus::Cancelled, None);
    let draining = targets::deregister(world, &target_groups, id).max(wait);
    let description = format!("Terminating EC2 instance: {id}");
    let begun = activity::begin(world, name, description, cause, ActivityStatus::InProgress, None);
    let now = world.now();
    let member = world.aws.asg.groups.get_mut(name)?.members.get_mut(id)?;
    member.activity = Some(begun.clone());
    member.view.lifecycle_state = LifecycleState::Terminating;
    member.drained_at = Some(later(now, draining));
    member.held.clear();
    if !lifecycle::hold(world, name, id, &LifecycleTransition::Terminating, LifecycleState::TerminatingWait) {
        go(world, name, id);
    }
    Some(begun)
}

/// Terminates an instance that no hook holds, when its targets have ended what was open.
pub(crate) fn go(world: &mut World, name: &str, id: &str) {
    let now = world.now();
    let Some(member) = world.aws.asg.groups.get(name).and_then(|group| group.members.get(id)) else { return };
    let begun = member.activity.clone();
    if let Some(drained_at) = member.drained_at.filter(|at| *at > now) {
        activity::set(world, name, begun.as_deref(), ActivityStatus::WaitingForConnectionDraining, None);
        let wait = drained_at.duration_since(now).unsigned_abs();
        after(world, wait, Event::Proceed { group: name.to_owned(), instance: id.to_owned() });
        return;
    }
    activity::set(world, name, begun.as_deref(), ActivityStatus::InProgress, None);
    let state =
        world.aws.ec2.instances.get(id).map(|running| (running.is_there(), running.instance.state.clone()));
    match state {
        Some((true, _)) => {
            let reason = "Server.AutoScalingInitiatedShutdown: Auto Scaling initiated shutdown";
            instances::terminate(world, id, reason);
        }
        // Its end is near, and will be noticed.
        Some((false, InstanceState::ShuttingDown)) => {}
        Some(_) | None => over(world, name, id),
    }
}

/// An instance has left its group.
pub(crate) fn over(world: &mut World, name: &str, id: &str) {
    let member = world.aws.asg.groups.get_mut(name).and_then(|group| group.members.remove(id));
    world.aws.asg.group_of.remove(id);
    world.aws.ec2.targets.retain(|(_, target), health| target != id || health.stuck);
    if let Some(member) = member {
        activity::set(world, name, member.activity.as_deref(), ActivityStatus::Successful, None);
    }
    touch(world, name);
}
