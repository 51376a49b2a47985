//! How many instances a group shall have, and what is done to get there.

use std::time::Duration;

use eks_provider::aws::{
    LaunchChange, LaunchSource, LaunchTemplateRef, LifecycleState, ScalingProcess, UpdateAutoScalingGroup,
};

use crate::World;
use crate::aws::asg::{Group, balance, clock, launch, named, policy, terminate, touch, warm};
use crate::aws::call::{Answer, refuse};

/// Sets the desired capacity: between minimum and maximum, or refused.
/// <https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_SetDesiredCapacity.html>
pub(crate) fn set_desired_capacity(world: &mut World, name: &str, desired: u32) -> Answer<()> {
    let now = clock(world.now());
    let group = &named(&world.aws.asg, name)?.group;
    let (min, max) = (group.min_size, group.max_size);
    if desired > max {
        let message = format!(
            "New SetDesiredCapacity value {desired} is above max value {max} for the AutoScalingGroup."
        );
        return refuse("ValidationError", message);
    }
    if desired < min {
        let message = format!(
            "New SetDesiredCapacity value {desired} is below min value {min} for the AutoScalingGroup."
        );
        return refuse("ValidationError", message);
    }
    change_desired(
        world,
        name,
        desired,
        &format!("At {now} a user request explicitly set group desired capacity"),
    );
    Ok(())
}

/// Changes the desired capacity and remembers why, in the words of an activity's cause.
pub(crate) fn change_desired(world: &mut World, name: &str, desired: u32, who: &str) {
    let Some(group) = world.aws.asg.groups.get_mut(name) else { return };
    let before = group.group.desired_capacity;
    if before != desired {
        group.group.desired_capacity = desired;
        group.why = Some(format!("{who} changing the desired capacity from {before} to {desired}."));
    }
    touch(world, name);
}

/// Changes settings. A minimum above the desired capacity raises it, a maximum below lowers it.
/// <https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_UpdateAutoScalingGroup.html>
pub(crate) fn update(world: &mut World, request: &UpdateAutoScalingGroup) -> Answer<()> {
    let now = clock(world.now());
    let known = named(&world.aws.asg, &request.group)?;
    let min = request.min_size.unwrap_or(known.group.min_size);
    let max = request.max_size.unwrap_or(known.group.max_size);
    if min > max {
        return refuse(
            "ValidationError",
            format!("Max bound, {max}, must be greater than or equal to min bound, {min}"),
        );
    }
    let launch = match &request.launch {
        Some(change) => Some(new_source(world, known, change)?),
        None => None,
    };
    let desired = known.group.desired_capacity.clamp(min, max);
    let Some(known) = world.aws.asg.groups.get_mut(&request.group) else { return Ok(()) };
    let resized = (min, max) != (known.group.min_size, known.group.max_size);
    known.group.min_size = min;
    known.group.max_size = max;
    if let Some(launch) = launch {
        known.group.launch = launch;
    }
    if let Some(protected) = request.new_instances_protected_from_scale_in {
        known.group.new_instances_protected_from_scale_in = protected;
    }
    if resized {
        let who = format!(
            "At {now} a user request update of AutoScalingGroup constraints to min: {min}, max: {max}, desired: {desired}"
        );
        change_desired(world, &request.group, desired, &who);
    }
    Ok(())
}

/// What a group starts instances from after a change. The template and its version must be there.
///
/// Auto Scaling says in its own code what EC2 says of a template that is not there.
fn new_source(world: &World, known: &Group, change: &LaunchChange) -> Answer<LaunchSource> {
    let resolve = |template: &LaunchTemplateRef| match world.aws.ec2.resolve(template) {
        Ok(_) => Ok(()),
        Err(no) => refuse(
            "ValidationError",
            format!("You must use a valid fully-formed launch template. {}", no.message),
        ),
    };
    match (change, &known.group.launch) {
        (LaunchChange::Template(template), LaunchSource::Mixed(_)) => refuse(
            "ValidationError",
            format!(
                "the group has a mixed instances policy; launch template {} cannot be set beside it",
                template.template
            ),
        ),
        (LaunchChange::Template(template), _) => {
            resolve(template)?;
            Ok(LaunchSource::Template(template.clone()))
        }
        (LaunchChange::Mixed { base, overrides }, LaunchSource::Mixed(policy)) => {
            let mut policy = policy.clone();
            if let Some(base) = base {
                resolve(base)?;
                policy.template = base.clone();
            }
            for (at, template) in overrides {
                resolve(template)?;
                match policy.overrides.get_mut(*at) {
                    Some(one) => one.template = Some(template.clone()),
                    None => return refuse("ValidationError", format!("the policy has no override {at}")),
                }
            }
            Ok(LaunchSource::Mixed(policy))
        }
        (LaunchChange::Mixed { .. }, _) => {
            refuse("ValidationError", "the group has no mixed instances policy")
        }
    }
}

/// Compares what a group has with what it wants, and starts or terminates.
///
/// A suspended Launch starts nothing, a suspended Terminate terminates nothing; with everything protected a lower desired
/// capacity is kept and not carried out.
/// <https://docs.aws.amazon.com/autoscaling/ec2/userguide/as-suspend-resume-processes.html>,
/// <https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-instance-protection.html>
pub(crate) fn reconcile(world: &mut World, name: &str) {
    let Some(group) = world.aws.asg.groups.get_mut(name) else { return };
    group.reconcile_due = false;
    // What was started for balance counts when it is in service.
    let pending = group.rebalancing.as_ref().and_then(|id| group.members.get(id)).is_some_and(|member| {
        matches!(
            member.view.lifecycle_state,
            LifecycleState::Pending | LifecycleState::PendingWait | LifecycleState::PendingProceed
        )
    });
    if !pending {
        group.rebalancing = None;
    }
    let has = group.active_count() - u32::from(pending);
    let wants = group.group.desired_capacity;
    if has < wants && !group.suspended(&ScalingProcess::Launch) {
        grow(world, name, has, wants);
    } else if has > wants && !group.suspended(&ScalingProcess::Terminate) {
        shrink(world, name, has, wants);
    } else if has == wants {
        balance::watch(world, name);
    }
    warm::maintain(world, name);
}

fn grow(world: &mut World, name: &str, mut has: u32, wants: u32) {
    while has < wants {
        let now = clock(world.now());
        let why = world.aws.asg.groups.get(name).and_then(|group| group.why.clone());
        let cause = match why {
            Some(why) => format!(
                "{why}  At {now} an instance was started in response to a difference between desired and actual capacity, \
                 increasing the capacity from {has} to {wants}."
            ),
            None => format!(
                "At {now} an instance was launched in response to an unhealthy instance needing to be replaced."
            ),
        };
        if !warm::take(world, name, &cause) && !launch::balanced(world, name, &cause) {
            launch::try_again(world, name);
            return;
        }
        has += 1;
    }
    if let Some(group) = world.aws.asg.groups.get_mut(name) {
        group.why = None;
    }
}

fn shrink(world: &mut World, name: &str, has: u32, wants: u32) {
    for step in 0..has - wants {
        let Some(group) = world.aws.asg.groups.get(name) else { return };
        // Everything else is protected, or not yet in service: the group is looked at again when that changes.
        let Some(id) = policy::victim(group, world.now()) else { return };
        let now = clock(world.now());
        let why = group.why.clone().map(|why| format!("{why}  ")).unwrap_or_default();
        let cause = format!(
            "{why}At {now} an instance was taken out of service in response to a difference between desired and actual \
             capacity, shrinking the capacity from {} to {}.  At {now} instance {id} was selected for termination.",
            has - step,
            has - step - 1
        );
        let back = group.group.warm_pool.as_ref().is_some_and(|pool| pool.reuse_on_scale_in);
        if !back || !warm::put_back(world, name, &id, &cause) {
            terminate::begin(world, name, &id, cause, Duration::ZERO);
        }
    }
    if let Some(group) = world.aws.asg.groups.get_mut(name) {
        group.why = None;
    }
}
