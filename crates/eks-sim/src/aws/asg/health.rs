//! Health: instances that are gone or unhealthy are replaced; so are those that are too old.

use std::time::Duration;

use eks_provider::aws::{LifecycleState, ScalingProcess};

use crate::World;
use crate::aws::asg::{Event, HEALTH_CHECK, Member, after, clock, terminate, touch};
use crate::aws::ec2::instances;
use crate::world::later;

/// An instance is gone without its group's doing: the next health check will see it.
pub(crate) fn lost(world: &mut World, id: &str) {
    let Some(name) = world.aws.asg.group_of.get(id).cloned() else { return };
    let wait = Duration::from_secs(5 + world.random.below(HEALTH_CHECK));
    after(world, wait, Event::Health(name));
}

/// Asks for the health of all instances in service, and replaces those that are unhealthy.
///
/// HealthCheck suspended: nothing is marked. ReplaceUnhealthy suspended: what is marked stays. Terminate suspended: nothing is
/// replaced. Protection from scale-in does not hold an unhealthy instance; Standby does.
/// <https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-health-checks.html>,
/// <https://docs.aws.amazon.com/autoscaling/ec2/userguide/understand-how-suspending-processes-affects-other-processes.html>
pub(crate) fn check(world: &mut World, name: &str) {
    let now = world.now();
    let Some(group) = world.aws.asg.groups.get(name) else { return };
    let asks_elb = group.group.health_check_type.as_deref().is_some_and(|kind| kind.contains("ELB"));
    let grace = group.group.health_check_grace_period.unwrap_or_default();
    let looks = !group.suspended(&ScalingProcess::HealthCheck);
    let replaces =
        !group.suspended(&ScalingProcess::ReplaceUnhealthy) && !group.suspended(&ScalingProcess::Terminate);
    let mut marked = Vec::new();
    for member in group.members.values() {
        if member.view.lifecycle_state != LifecycleState::InService {
            continue;
        }
        let id = &member.view.instance_id;
        let running = world.aws.ec2.instances.get(id);
        let gone = !running.is_some_and(instances::Running::is_there);
        let young = now < later(member.launched, grace);
        let impaired = !young && running.is_some_and(|running| running.impaired);
        let elb = asks_elb
            && !young
            && world.aws.ec2.targets.iter().any(|((_, target), health)| target == id && health.unhealthy);
        let already = member.view.health_status == "Unhealthy";
        let reason = if gone {
            "an EC2 health check indicating it has been terminated or stopped"
        } else if impaired {
            "an EC2 instance status checks failure"
        } else if elb {
            "an ELB system health check failure"
        } else if already {
            "a user health-check"
        } else {
            continue;
        };
        if looks || already {
            marked.push((id.clone(), reason));
        }
    }
    for (id, reason) in marked {
        if let Some(member) = world.aws.asg.groups.get_mut(name).and_then(|group| group.members.get_mut(&id))
        {
            member.view.health_status = "Unhealthy".to_owned();
        }
        if replaces {
            let cause =
                format!("At {} an instance was taken out of service in response to {reason}.", clock(now));
            terminate::begin(world, name, &id, cause, Duration::ZERO);
            touch(world, name);
        }
    }
}

/// Somebody says that an instance is unhealthy (or a script does, or a load balancer would).
pub(crate) fn unhealthy(world: &mut World, id: &str) {
    let Some(name) = world.aws.asg.group_of.get(id).cloned() else { return };
    if let Some(member) = world.aws.asg.groups.get_mut(&name).and_then(|group| group.members.get_mut(id)) {
        member.view.health_status = "Unhealthy".to_owned();
    }
    lost(world, id);
}

/// A target of an instance fails its health checks (F25).
pub(crate) fn target_unhealthy(world: &mut World, id: &str) {
    for ((_, target), health) in &mut world.aws.ec2.targets {
        if target == id {
            health.unhealthy = true;
        }
    }
    lost(world, id);
}

/// An instance has lived as long as its group allows: it is replaced, unless Terminate or Launch is suspended or it is protected from
/// scale-in. One at a time, or a tenth of the group, with pauses; whoever has to wait is looked at ten minutes later.
/// <https://docs.aws.amazon.com/autoscaling/ec2/userguide/asg-max-instance-lifetime.html>
pub(crate) fn lifetime(world: &mut World, name: &str, id: &str) {
    let Some(group) = world.aws.asg.groups.get(name) else { return };
    let Some(lifetime) = group.group.max_instance_lifetime else { return };
    let Some(member) = group.members.get(id) else { return };
    let still = member.view.lifecycle_state == LifecycleState::InService;
    let due = later(member.launched, lifetime) <= world.now();
    let suspended = group.suspended(&ScalingProcess::Terminate) || group.suspended(&ScalingProcess::Launch);
    let serving = |member: &&Member| member.view.lifecycle_state == LifecycleState::InService;
    let serve = u32::try_from(group.active().filter(serving).count()).unwrap_or(u32::MAX);
    let desired = group.group.desired_capacity;
    let room = desired.saturating_sub(serve) < (desired / 10).max(1);
    if still && due && room && !suspended && !member.view.protected_from_scale_in {
        let cause = format!(
            "At {} an instance was taken out of service in response to its maximum instance lifetime.",
            clock(world.now())
        );
        terminate::begin(world, name, id, cause, Duration::ZERO);
        touch(world, name);
    } else if !member.view.lifecycle_state.is_leaving() {
        let event = Event::Lifetime { group: name.to_owned(), instance: id.to_owned() };
        after(world, Duration::from_mins(10), event);
    }
}
