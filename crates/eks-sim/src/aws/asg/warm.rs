//! Warm pools: instances that were started before they are needed.

use std::collections::BTreeSet;
use std::time::Duration;

use eks_provider::aws::{
    ActivityStatus, InstanceState, LifecycleState, LifecycleTransition, ScalingProcess, WarmPoolState,
};

use crate::World;
use crate::aws::asg::{activity, balance, clock, launch, lifecycle, terminate};
use crate::aws::ec2;

/// How many instances a warm pool shall have: what is missing to the maximum of the group (or to the prepared capacity), and at
/// least its own minimum.
/// <https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-warm-pools.html#warm-pool-size>
fn wanted(world: &World, name: &str) -> Option<u32> {
    let group = world.aws.asg.groups.get(name)?;
    let pool = group.group.warm_pool.as_ref().filter(|pool| pool.status.is_none())?;
    let most = pool.max_group_prepared_capacity.unwrap_or(group.group.max_size);
    Some(most.saturating_sub(group.group.desired_capacity).max(pool.min_size))
}

fn pool(world: &World, name: &str) -> Vec<(String, LifecycleState)> {
    let Some(group) = world.aws.asg.groups.get(name) else { return Vec::new() };
    let members = group.members.values().filter(|member| {
        let state = &member.view.lifecycle_state;
        state.is_warmed()
            && !matches!(state, LifecycleState::WarmedTerminating | LifecycleState::WarmedTerminated)
    });
    members.map(|member| (member.view.instance_id.clone(), member.view.lifecycle_state.clone())).collect()
}

/// Fills a warm pool, or takes what is too much.
pub(crate) fn maintain(world: &mut World, name: &str) {
    let Some(wanted) = wanted(world, name) else { return };
    let has = pool(world, name);
    let count = u32::try_from(has.len()).unwrap_or(u32::MAX);
    let Some(group) = world.aws.asg.groups.get(name) else { return };
    let cause = format!("At {} an instance was started to replenish the warm pool.", clock(world.now()));
    if count < wanted && !group.suspended(&ScalingProcess::Launch) {
        for _ in count..wanted {
            let Some(zone) = balance::emptiest(world, name, &BTreeSet::new()) else { return };
            if launch::in_zone(world, name, &zone, None, &cause, LifecycleState::WarmedPending).is_err() {
                return;
            }
        }
    } else if count > wanted && !group.suspended(&ScalingProcess::Terminate) {
        let too_many = usize::try_from(count - wanted).unwrap_or(0);
        for (id, _) in has.into_iter().rev().take(too_many) {
            end(world, name, &id);
        }
    }
}

/// Ends an instance of a warm pool.
fn end(world: &mut World, name: &str, id: &str) {
    set(world, name, id, LifecycleState::WarmedTerminating);
    ec2::instances::terminate(world, id, "Server.AutoScalingInitiatedShutdown: warm pool");
}

fn set(world: &mut World, name: &str, id: &str, state: LifecycleState) {
    let members = world.aws.asg.groups.get_mut(name).map(|group| &mut group.members);
    if let Some(member) = members.and_then(|members| members.get_mut(id)) {
        member.view.lifecycle_state = state;
    }
}

/// An instance for the pool runs: hooks hold it, or it waits.
pub(crate) fn ready(world: &mut World, name: &str, id: &str) {
    if !lifecycle::hold(world, name, id, &LifecycleTransition::Launching, LifecycleState::WarmedPendingWait) {
        settle(world, name, id);
    }
}

/// An instance waits in the pool from now on.
pub(crate) fn settle(world: &mut World, name: &str, id: &str) {
    let Some(group) = world.aws.asg.groups.get(name) else { return };
    let Some(pool) = &group.group.warm_pool else { return };
    let (state, instance) = match pool.pool_state {
        WarmPoolState::Running => (LifecycleState::WarmedRunning, InstanceState::Running),
        WarmPoolState::Hibernated => (LifecycleState::WarmedHibernated, InstanceState::Stopped),
        WarmPoolState::Stopped | WarmPoolState::Other(_) => {
            (LifecycleState::WarmedStopped, InstanceState::Stopped)
        }
    };
    let begun = group.members.get(id).and_then(|member| member.activity.clone());
    if let Some(running) = world.aws.ec2.instances.get_mut(id) {
        running.instance.state = instance;
    }
    set(world, name, id, state);
    activity::set(world, name, begun.as_deref(), ActivityStatus::Successful, None);
}

/// Takes an instance of the pool into the group; whether there was one. It runs what it was started from, however old
/// that is (F17).
/// <https://docs.aws.amazon.com/autoscaling/ec2/userguide/warm-pool-instance-lifecycle.html>
pub(crate) fn take(world: &mut World, name: &str, cause: &str) -> bool {
    let ready = |state: &LifecycleState| {
        matches!(
            state,
            LifecycleState::WarmedStopped | LifecycleState::WarmedRunning | LifecycleState::WarmedHibernated
        )
    };
    let Some((id, _)) = pool(world, name).into_iter().find(|(_, state)| ready(state)) else { return false };
    let description = format!("Launching a new EC2 instance from warm pool: {id}");
    let begun = activity::begin(world, name, description, cause.to_owned(), ActivityStatus::InProgress, None);
    set(world, name, &id, LifecycleState::Pending);
    if let Some(group) = world.aws.asg.groups.get_mut(name) {
        let protected = group.group.new_instances_protected_from_scale_in;
        if let Some(member) = group.members.get_mut(&id) {
            member.activity = Some(begun);
            member.view.protected_from_scale_in = protected;
        }
    }
    if let Some(running) = world.aws.ec2.instances.get_mut(&id) {
        running.instance.state = InstanceState::Pending;
    }
    let wait = Duration::from_secs(5 + world.random.below(10));
    ec2::after(world, wait, ec2::Event::Running(id));
    true
}

/// Puts an instance that a scale-in chose back into the pool; whether that could be done.
/// <https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_InstanceReusePolicy.html>
pub(crate) fn put_back(world: &mut World, name: &str, id: &str, cause: &str) -> bool {
    let room = wanted(world, name).unwrap_or(0);
    if u32::try_from(pool(world, name).len()).unwrap_or(u32::MAX) >= room {
        return false;
    }
    let description = format!("Returning EC2 instance to the warm pool: {id}");
    let begun = activity::begin(world, name, description, cause.to_owned(), ActivityStatus::InProgress, None);
    set(world, name, id, LifecycleState::WarmedPending);
    if let Some(member) = world.aws.asg.groups.get_mut(name).and_then(|group| group.members.get_mut(id)) {
        member.activity = Some(begun);
    }
    crate::bridge::machine_stopped(world, id);
    crate::bridge::machine_gone(world, id);
    settle(world, name, id);
    true
}

/// Ends what EC2 ended in the pool; the pool is filled again.
pub(crate) fn lost(world: &mut World, name: &str, id: &str) {
    terminate::over(world, name, id);
}
