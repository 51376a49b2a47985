//! Standby: in the group, and not at work.

use eks_provider::aws::{ActivityStatus, LifecycleState, ScalingActivity};

use crate::World;
use crate::aws::asg::{Group, activity, clock, named, touch};
use crate::aws::call::{Answer, refuse};
use crate::aws::ec2::targets;

fn in_state(group: &Group, id: &str, state: &LifecycleState) -> Answer<()> {
    match group.members.get(id) {
        Some(member) if member.view.lifecycle_state == *state => Ok(()),
        Some(member) => refuse(
            "ValidationError",
            format!("The instance {id} is not in {state} but in {}.", member.view.lifecycle_state),
        ),
        None => refuse(
            "ValidationError",
            format!("The instance {id} is not part of Auto Scaling group {}.", group.group.name),
        ),
    }
}

/// Takes an instance out of service. Without a decrement another one takes its place.
/// <https://docs.aws.amazon.com/autoscaling/ec2/userguide/as-enter-exit-standby.html>
pub(crate) fn enter(
    world: &mut World,
    name: &str,
    id: &str,
    decrement: bool,
) -> Answer<Vec<ScalingActivity>> {
    let group = named(&world.aws.asg, name)?;
    in_state(group, id, &LifecycleState::InService)?;
    let desired = group.group.desired_capacity;
    if decrement && desired <= group.group.min_size {
        let message = format!(
            "AutoScalingGroup {name} has min-size={}, and desired-size={desired}. To place into standby 1 instance, please update the AutoScalingGroup sizes appropriately.",
            group.group.min_size
        );
        return refuse("ValidationError", message);
    }
    let target_groups = group.group.target_group_arns.clone();
    let capacity = if decrement {
        format!(", shrinking the capacity from {desired} to {}", desired - 1)
    } else {
        String::new()
    };
    let cause = format!(
        "At {} instance {id} was moved to standby in response to a user request{capacity}.",
        clock(world.now())
    );
    let description = format!("Moving EC2 instance to Standby: {id}");
    let begun = activity::begin(world, name, description, cause, ActivityStatus::Successful, None);
    targets::deregister(world, &target_groups, id);
    if let Some(group) = world.aws.asg.groups.get_mut(name) {
        if decrement {
            group.group.desired_capacity = desired - 1;
        }
        if let Some(member) = group.members.get_mut(id) {
            member.view.lifecycle_state = LifecycleState::Standby;
        }
    }
    touch(world, name);
    Ok(activity::get(world, name, &begun).into_iter().collect())
}

/// Puts an instance back into service; the desired capacity rises by one, and may not be above the maximum.
/// <https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_ExitStandby.html>
pub(crate) fn exit(world: &mut World, name: &str, id: &str) -> Answer<Vec<ScalingActivity>> {
    let group = named(&world.aws.asg, name)?;
    in_state(group, id, &LifecycleState::Standby)?;
    let desired = group.group.desired_capacity;
    if desired >= group.group.max_size {
        let message =
            format!("AutoScalingGroup {name} has max-size={desired}: ExitStandby would go above it.");
        return refuse("ValidationError", message);
    }
    let target_groups = group.group.target_group_arns.clone();
    let cause = format!(
        "At {} instance {id} was moved out of standby in response to a user request, increasing the capacity from {desired} to {}.",
        clock(world.now()),
        desired + 1
    );
    let description = format!("Moving EC2 instance out of Standby: {id}");
    let begun = activity::begin(world, name, description, cause, ActivityStatus::Successful, None);
    let mut zone = String::new();
    if let Some(group) = world.aws.asg.groups.get_mut(name) {
        group.group.desired_capacity = desired + 1;
        if let Some(member) = group.members.get_mut(id) {
            member.view.lifecycle_state = LifecycleState::InService;
            zone = member.view.availability_zone.clone();
        }
    }
    targets::register(world, &target_groups, id, &zone);
    touch(world, name);
    Ok(activity::get(world, name, &begun).into_iter().collect())
}
