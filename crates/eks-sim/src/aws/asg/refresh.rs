//! Instance refreshes: Auto Scaling's own way to replace instances.

use std::time::Duration;

use eks_provider::aws::{
    InstanceRefresh, InstanceRefreshStatus, LaunchSource, LaunchTemplateRef, LifecycleState, ScalingProcess,
};

use crate::World;
use crate::aws::asg::{Event, Group, Member, after, clock, named, terminate, touch};
use crate::aws::call::{Answer, refuse};
use crate::world::later;

/// How often a refresh goes on.
const STEP: Duration = Duration::from_secs(30);
/// How long a refresh waits for instances that are protected from scale-in (`ScaleInProtectedInstances: Wait`, the default).
/// <https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_RefreshPreferences.html>
const WAIT: Duration = Duration::from_hours(1);

/// Starts an instance refresh, of another template where one is said. One at a time.
/// <https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_StartInstanceRefresh.html>. The real one changes the group's template
/// when it ends; this one when it begins.
pub(crate) fn start(
    world: &mut World,
    name: &str,
    template: Option<LaunchTemplateRef>,
    min_healthy_percentage: u32,
) -> Answer<String> {
    let now = world.now();
    let group = named(&world.aws.asg, name)?;
    if group.refreshes.iter().any(|refresh| refresh.status.is_active()) {
        return refuse("ScalingActivityInProgress", "An Instance Refresh is already in progress");
    }
    let id = format!("{}-refresh", world.random.hex(8));
    let desired = template.map(LaunchSource::Template);
    let Some(group) = world.aws.asg.groups.get_mut(name) else { return refuse("ValidationError", name) };
    if let Some(desired) = &desired {
        group.group.launch = desired.clone();
    }
    group.refresh_min_healthy = min_healthy_percentage.min(100);
    group.refreshes.push(InstanceRefresh {
        id: id.clone(),
        status: InstanceRefreshStatus::Pending,
        status_reason: None,
        start_time: Some(now),
        end_time: None,
        percentage_complete: Some(0),
        instances_to_update: Some(group.active_count()),
        desired,
    });
    after(world, STEP, Event::Refresh(name.to_owned()));
    Ok(id)
}

/// Cancels the refresh under way, if there is one.
pub(crate) fn cancel(world: &mut World, name: &str) {
    end(world, name, InstanceRefreshStatus::Cancelled, None);
}

fn end(world: &mut World, name: &str, status: InstanceRefreshStatus, reason: Option<String>) {
    let now = world.now();
    let Some(group) = world.aws.asg.groups.get_mut(name) else { return };
    group.refresh_waits = None;
    if let Some(refresh) = group.refreshes.last_mut().filter(|refresh| refresh.status.is_active()) {
        refresh.status = status;
        refresh.status_reason = reason;
        refresh.end_time = Some(now);
    }
}

/// Goes on with a refresh: as many at a time as the minimum healthy percentage allows, and one at least. Protected instances
/// are waited for, for an hour; a suspended process holds it.
/// <https://docs.aws.amazon.com/autoscaling/ec2/userguide/instance-refresh-overview.html>
pub(crate) fn go_on(world: &mut World, name: &str) {
    let now = world.now();
    let Some(group) = world.aws.asg.groups.get(name) else { return };
    let Some(refresh) = group.refreshes.last().filter(|refresh| refresh.status.is_active()) else { return };
    let started = refresh.start_time.unwrap_or(now);
    let old = |member: &&Member| {
        member.launched < started && member.view.lifecycle_state == LifecycleState::InService
    };
    let left = u32::try_from(group.active().filter(old).count()).unwrap_or(u32::MAX);
    let desired = group.group.desired_capacity;
    let whole = group.active_count() == desired
        && group.active().all(|member| member.view.lifecycle_state == LifecycleState::InService);
    let held = [ScalingProcess::InstanceRefresh, ScalingProcess::Launch, ScalingProcess::Terminate]
        .iter()
        .find(|process| group.suspended(process));
    let mut reason = held.map(|process| format!("the process {process} is suspended"));
    let mut next = Vec::new();
    if left > 0 && whole && reason.is_none() {
        let at_once = (desired.saturating_mul(100 - group.refresh_min_healthy) / 100).max(1);
        let open = group.active().filter(old).filter(|member| !member.view.protected_from_scale_in);
        next = open
            .take(usize::try_from(at_once).unwrap_or(1))
            .map(|member| member.view.instance_id.clone())
            .collect();
        if next.is_empty() {
            reason = Some("waiting for instances that are protected from scale in".to_owned());
        }
    }
    let waits = left > 0 && whole && held.is_none() && next.is_empty();
    let since = if waits { group.refresh_waits.or(Some(now)) } else { None };
    let failed = since.is_some_and(|since| now >= later(since, WAIT));
    if let Some(group) = world.aws.asg.groups.get_mut(name) {
        group.refresh_waits = since;
    }
    if failed {
        end(world, name, InstanceRefreshStatus::Failed, reason);
        return;
    }
    let done = left == 0 && whole;
    progress(world, name, left, done, reason);
    for id in next {
        let cause = format!(
            "At {} an instance was taken out of service in response to an instance refresh.",
            clock(now)
        );
        terminate::begin(world, name, &id, cause, Duration::ZERO);
        touch(world, name);
    }
    if !done {
        after(world, STEP, Event::Refresh(name.to_owned()));
    }
}

fn progress(world: &mut World, name: &str, left: u32, done: bool, reason: Option<String>) {
    let now = world.now();
    let Some(Group { refreshes, group, .. }) = world.aws.asg.groups.get_mut(name) else { return };
    let Some(refresh) = refreshes.last_mut() else { return };
    refresh.status = if done { InstanceRefreshStatus::Successful } else { InstanceRefreshStatus::InProgress };
    refresh.status_reason = reason;
    refresh.end_time = done.then_some(now);
    refresh.instances_to_update = Some(left);
    let all = group.desired_capacity.max(1);
    refresh.percentage_complete = Some(100 - (left.min(all) * 100 / all));
}
