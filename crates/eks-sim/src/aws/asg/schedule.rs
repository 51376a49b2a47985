//! Scheduled actions and alarms: what changes a group's size by itself.

use std::time::Duration;

use eks_provider::aws::ScalingProcess;

use crate::World;
use crate::aws::asg::cron::Cron;
use crate::aws::asg::{Event, after, clock, size};

/// Puts a scheduled action into the future.
pub(crate) fn plan(world: &mut World, name: &str, action: &str) {
    let now = world.now();
    let Some(group) = world.aws.asg.groups.get_mut(name) else { return };
    let Some(found) = group.scheduled.iter_mut().find(|found| found.name == action) else { return };
    let first = found.start_time.filter(|start| *start > now);
    let next = first.or_else(|| Cron::parse(found.recurrence.as_deref()?)?.next(now));
    let Some(next) = next.filter(|next| found.end_time.is_none_or(|end| *next <= end)) else { return };
    found.start_time = Some(next);
    let wait = next.duration_since(now).unsigned_abs();
    after(world, wait, Event::Scheduled { group: name.to_owned(), action: action.to_owned() });
}

/// A scheduled action is due. Suspended, it is lost, not put off.
/// <https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-scheduled-scaling.html>
pub(crate) fn due(world: &mut World, name: &str, action: &str) {
    let Some(group) = world.aws.asg.groups.get(name) else { return };
    let Some(found) = group.scheduled.iter().find(|found| found.name == action).cloned() else { return };
    if !group.suspended(&ScalingProcess::ScheduledActions) {
        let min = found.min_size.unwrap_or(group.group.min_size);
        let max = found.max_size.unwrap_or(group.group.max_size).max(min);
        let desired = found.desired_capacity.unwrap_or(group.group.desired_capacity).clamp(min, max);
        let who = format!(
            "At {} scheduled action {action} executed. Setting min: {min}, max: {max}, desired: {desired}",
            clock(world.now())
        );
        if let Some(group) = world.aws.asg.groups.get_mut(name) {
            group.group.min_size = min;
            group.group.max_size = max;
        }
        size::change_desired(world, name, desired, &who);
    }
    if found.recurrence.is_some() {
        plan(world, name, action);
    }
}

/// An alarm asks for another size. Suspended, or with the process that it needs suspended, nothing happens.
/// <https://docs.aws.amazon.com/autoscaling/ec2/userguide/understand-how-suspending-processes-affects-other-processes.html>
pub(crate) fn alarm(world: &mut World, name: &str, alarm: &str, change: i32) {
    let Some(group) = world.aws.asg.groups.get(name) else { return };
    let needs = if change > 0 { ScalingProcess::Launch } else { ScalingProcess::Terminate };
    if group.suspended(&ScalingProcess::AlarmNotification) || group.suspended(&needs) {
        return;
    }
    let before = group.group.desired_capacity;
    let desired = before.saturating_add_signed(change).clamp(group.group.min_size, group.group.max_size);
    let who = format!("At {} a monitor alarm {alarm} in state ALARM triggered policy", clock(world.now()));
    size::change_desired(world, name, desired, &who);
}

/// Plans all scheduled actions of a group; for a group that is made.
pub(crate) fn plan_all(world: &mut World, name: &str) {
    let actions: Vec<String> =
        world.aws.asg.groups.get(name).map_or_else(Vec::new, |group| {
            group.scheduled.iter().map(|action| action.name.clone()).collect()
        });
    for action in actions {
        plan(world, name, &action);
    }
    // Health is asked for at an event; there is no clock of its own to wind.
    after(world, Duration::from_mins(1), Event::Health(name.to_owned()));
}
