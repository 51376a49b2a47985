//! Zones: where the next instance goes, and what is done when they are not equal.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use eks_provider::aws::{LifecycleState, ScalingProcess};

use crate::World;
use crate::aws::asg::{Event, Group, after, clock, launch, touch};

/// How many instances that count a group has in each zone in which it has a subnet.
pub(crate) fn by_zone(world: &World, group: &Group) -> BTreeMap<String, u32> {
    let mut zones: BTreeMap<String, u32> = group
        .group
        .subnet_ids
        .iter()
        .filter_map(|id| world.aws.ec2.subnets.get(id))
        .map(|known| (known.subnet.availability_zone.clone(), 0))
        .collect();
    for member in group.active() {
        *zones.entry(member.view.availability_zone.clone()).or_default() += 1;
    }
    zones
}

/// The zone with the fewest instances, those that were tried left out.
/// <https://docs.aws.amazon.com/autoscaling/ec2/userguide/auto-scaling-benefits.html#arch-AutoScalingMultiAZ>
pub(crate) fn emptiest(world: &World, name: &str, tried: &BTreeSet<String>) -> Option<String> {
    let group = world.aws.asg.groups.get(name)?;
    by_zone(world, group)
        .into_iter()
        .filter(|(zone, _)| !tried.contains(zone))
        .min_by(|(a, fewer), (b, more)| fewer.cmp(more).then(a.cmp(b)))
        .map(|(zone, _)| zone)
}

/// The fullest and the emptiest zone, where they differ by more than one.
fn uneven(world: &World, group: &Group) -> Option<(String, String)> {
    let zones = by_zone(world, group);
    let fullest = zones.iter().max_by(|(a, more), (b, fewer)| more.cmp(fewer).then(b.cmp(a)))?;
    let emptiest = zones.iter().min_by(|(a, fewer), (b, more)| fewer.cmp(more).then(a.cmp(b)))?;
    (*fullest.1 > emptiest.1 + 1).then(|| (fullest.0.clone(), emptiest.0.clone()))
}

/// Has the zones balanced in a few minutes, where they are uneven and nothing else is under way.
pub(crate) fn watch(world: &mut World, name: &str) {
    let Some(group) = world.aws.asg.groups.get(name) else { return };
    if group.rebalance_due || !may_balance(group) || uneven(world, group).is_none() {
        return;
    }
    let wait = Duration::from_secs(120 + world.random.below(180));
    if let Some(group) = world.aws.asg.groups.get_mut(name) {
        group.rebalance_due = true;
    }
    after(world, wait, Event::Rebalance(name.to_owned()));
}

/// With Launch suspended, AZRebalance does nothing; with Terminate suspended it starts and does not terminate.
/// <https://docs.aws.amazon.com/autoscaling/ec2/userguide/understand-how-suspending-processes-affects-other-processes.html>
fn may_balance(group: &Group) -> bool {
    !group.suspended(&ScalingProcess::AzRebalance)
        && !group.suspended(&ScalingProcess::Launch)
        && group.active_count() == group.group.desired_capacity
        && group.rebalancing.is_none()
}

/// Balances the zones by one instance: starts one where there are few, and, when it is in service, lets the
/// ordinary scale-in take one where there are many. The group may have 10 % more than its maximum meanwhile.
/// <https://docs.aws.amazon.com/autoscaling/ec2/userguide/auto-scaling-benefits.html#AutoScalingBehavior.InstanceUsage>
pub(crate) fn rebalance(world: &mut World, name: &str) {
    let Some(group) = world.aws.asg.groups.get_mut(name) else { return };
    group.rebalance_due = false;
    let Some(group) = world.aws.asg.groups.get(name) else { return };
    if !may_balance(group) {
        return;
    }
    let Some((fullest, emptiest)) = uneven(world, group) else { return };
    // A protected instance is not its victim.
    let victim = group.active().any(|member| {
        member.view.availability_zone == fullest
            && !member.view.protected_from_scale_in
            && member.view.lifecycle_state == LifecycleState::InService
    });
    let most = group.group.max_size + (group.group.max_size / 10).max(1);
    if !victim || group.active_count() >= most {
        return;
    }
    let counts: Vec<String> =
        by_zone(world, group).iter().map(|(zone, count)| format!("{zone} had {count}")).collect();
    let cause = format!(
        "At {} availability zones {} instances.  An instance was launched to aid in balancing the group's zones.",
        clock(world.now()),
        counts.join(", ")
    );
    match launch::in_zone(world, name, &emptiest, None, &cause, LifecycleState::Pending) {
        Ok(id) => {
            let now = clock(world.now());
            if let Some(group) = world.aws.asg.groups.get_mut(name) {
                group.rebalancing = Some(id);
                let why = "an instance was taken out of service to aid in balancing the group's zones.";
                group.why = Some(format!("At {now} {why}"));
            }
            touch(world, name);
        }
        Err(no) => {
            launch::failed(world, name, &emptiest, &cause, &no);
            // The zone may have room later. How long Auto Scaling waits is nowhere documented.
            if let Some(group) = world.aws.asg.groups.get_mut(name) {
                group.rebalance_due = true;
            }
            after(world, Duration::from_mins(10), Event::Rebalance(name.to_owned()));
        }
    }
}
