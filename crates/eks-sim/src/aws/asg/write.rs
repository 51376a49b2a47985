//! The writers of Auto Scaling.

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use eks_provider::Result;
use eks_provider::aws::{
    AutoScalingGroupWriter, AutoScalingInstanceWriter, GroupTag, LaunchError, LaunchInstances, LaunchOutcome,
    LaunchRetryStrategy, LaunchSource, LifecycleAction, LifecycleResult, LifecycleState, ScalingActivity,
    ScalingProcess, TerminateInstance, UpdateAutoScalingGroup,
};

use crate::aws::asg::{
    balance, clock, health, launch, lifecycle, named, named_by, size, standby, terminate, touch,
};
use crate::aws::call::{Answer, refuse};
use crate::aws::tokens::once;
use crate::{Sim, World};

/// A group has 50 tags, a key 128 characters, a value 256; `aws:` is AWS's own.
/// <https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-tagging.html>
const MOST_TAGS: usize = 50;

#[async_trait]
impl AutoScalingGroupWriter for Sim {
    async fn update_auto_scaling_group(&self, request: &UpdateAutoScalingGroup) -> Result<()> {
        let target = format!("group {}", request.group);
        self.write("autoscaling:UpdateAutoScalingGroup", target, request, |world| {
            named_by(world, &request.group, self.caller())?;
            size::update(world, request)
        })
        .await
    }

    async fn set_desired_capacity(&self, group: &str, desired_capacity: u32) -> Result<()> {
        self.write("autoscaling:SetDesiredCapacity", format!("group {group}"), &desired_capacity, |world| {
            named_by(world, group, self.caller())?;
            size::set_desired_capacity(world, group, desired_capacity)
        })
        .await
    }

    async fn suspend_processes(&self, group: &str, processes: &BTreeSet<ScalingProcess>) -> Result<()> {
        self.write("autoscaling:SuspendProcesses", format!("group {group}"), processes, |world| {
            let reason = format!("User suspended at {}", clock(world.now()));
            suspend(
                &mut named_by(world, group, self.caller())?.group.suspended_processes,
                processes,
                &reason,
            );
            Ok(())
        })
        .await
    }

    async fn resume_processes(&self, group: &str, processes: &BTreeSet<ScalingProcess>) -> Result<()> {
        if processes.is_empty() {
            return Ok(());
        }
        self.write("autoscaling:ResumeProcesses", format!("group {group}"), processes, |world| {
            named_by(world, group, self.caller())?;
            resume(world, group, processes);
            Ok(())
        })
        .await
    }

    async fn create_or_update_tags(&self, group: &str, tags: &BTreeMap<String, GroupTag>) -> Result<()> {
        self.write("autoscaling:CreateOrUpdateTags", format!("group {group}"), tags, |world| {
            set_tags(&mut named_by(world, group, self.caller())?.group.tags, tags)
        })
        .await
    }

    async fn delete_tags(&self, group: &str, keys: &BTreeSet<String>) -> Result<()> {
        self.write("autoscaling:DeleteTags", format!("group {group}"), keys, |world| {
            named_by(world, group, self.caller())?.group.tags.retain(|key, _| !keys.contains(key));
            Ok(())
        })
        .await
    }
}

/// Suspends processes; those that are keep their reason.
pub(crate) fn suspend(
    suspended: &mut BTreeMap<ScalingProcess, Option<String>>,
    processes: &BTreeSet<ScalingProcess>,
    reason: &str,
) {
    for process in processes {
        suspended.entry(process.clone()).or_insert_with(|| Some(reason.to_owned()));
    }
}

/// Resumes processes, and has the group looked at.
pub(crate) fn resume(world: &mut World, group: &str, processes: &BTreeSet<ScalingProcess>) {
    if let Some(known) = world.aws.asg.groups.get_mut(group) {
        known.group.suspended_processes.retain(|process, _| !processes.contains(process));
    }
    touch(world, group);
    health::check(world, group);
}

/// Sets tags within the limits, or none of them.
pub(crate) fn set_tags(
    known: &mut BTreeMap<String, GroupTag>,
    tags: &BTreeMap<String, GroupTag>,
) -> Answer<()> {
    for (key, tag) in tags {
        if key.is_empty() || key.chars().count() > 128 || key.starts_with("aws:") {
            return refuse("ValidationError", format!("tag key '{key}' is not allowed"));
        }
        if tag.value.chars().count() > 256 {
            return refuse(
                "ValidationError",
                format!("the value of tag '{key}' has more than 256 characters"),
            );
        }
    }
    let new = tags.keys().filter(|key| !known.contains_key(*key)).count();
    if known.keys().filter(|key| !key.starts_with("aws:")).count() + new > MOST_TAGS {
        return refuse("LimitExceeded", format!("a group has {MOST_TAGS} tags at most"));
    }
    known.extend(tags.iter().map(|(key, tag)| (key.clone(), tag.clone())));
    Ok(())
}

#[async_trait]
impl AutoScalingInstanceWriter for Sim {
    async fn launch_instances(&self, request: &LaunchInstances) -> Result<LaunchOutcome> {
        let target = format!("group {}", request.group);
        self.write("autoscaling:LaunchInstances", target, request, |world| {
            named_by(world, &request.group, self.caller())?;
            once(world, "autoscaling:LaunchInstances", &request.token, request, |world| {
                launch_now(world, request)
            })
        })
        .await
    }

    async fn terminate_instance_in_auto_scaling_group(
        &self,
        request: &TerminateInstance,
    ) -> Result<ScalingActivity> {
        let target = format!("instance {}", request.instance_id);
        self.write("autoscaling:TerminateInstanceInAutoScalingGroup", target, request, |world| {
            if let Some(group) = world.aws.asg.group_of.get(&request.instance_id).cloned() {
                named_by(world, &group, self.caller())?;
            }
            terminate::by_request(world, &request.instance_id, request.decrement_desired_capacity)
        })
        .await
    }

    async fn set_instance_protection(
        &self,
        group: &str,
        instance_ids: &BTreeSet<String>,
        protected_from_scale_in: bool,
    ) -> Result<()> {
        let request = (instance_ids, protected_from_scale_in);
        self.write("autoscaling:SetInstanceProtection", format!("group {group}"), &request, |world| {
            let known = named_by(world, group, self.caller())?;
            for id in instance_ids {
                match known.members.get(id).map(|member| &member.view.lifecycle_state) {
                    Some(state) if !state.is_leaving() && !state.is_warmed() => {}
                    _ => {
                        let message = format!(
                            "The instance {id} is not part of Auto Scaling group {group}, or not in service."
                        );
                        return refuse("ValidationError", message);
                    }
                }
            }
            for id in instance_ids {
                if let Some(member) = known.members.get_mut(id) {
                    member.view.protected_from_scale_in = protected_from_scale_in;
                }
            }
            touch(world, group);
            Ok(())
        })
        .await
    }

    async fn enter_standby(
        &self,
        group: &str,
        instance_id: &str,
        decrement_desired_capacity: bool,
    ) -> Result<Vec<ScalingActivity>> {
        let request = (instance_id, decrement_desired_capacity);
        self.write("autoscaling:EnterStandby", format!("group {group}"), &request, |world| {
            named_by(world, group, self.caller())?;
            standby::enter(world, group, instance_id, decrement_desired_capacity)
        })
        .await
    }

    async fn exit_standby(&self, group: &str, instance_id: &str) -> Result<Vec<ScalingActivity>> {
        self.write("autoscaling:ExitStandby", format!("group {group}"), &instance_id, |world| {
            named_by(world, group, self.caller())?;
            standby::exit(world, group, instance_id)
        })
        .await
    }

    async fn complete_lifecycle_action(
        &self,
        action: &LifecycleAction,
        result: &LifecycleResult,
    ) -> Result<()> {
        let target = format!("instance {}", action.instance_id);
        self.write("autoscaling:CompleteLifecycleAction", target, &(action, result), |world| {
            lifecycle::complete(world, action, result)
        })
        .await
    }

    async fn record_lifecycle_action_heartbeat(&self, action: &LifecycleAction) -> Result<()> {
        let target = format!("instance {}", action.instance_id);
        self.write("autoscaling:RecordLifecycleActionHeartbeat", target, action, |world| {
            lifecycle::heartbeat(world, action)
        })
        .await
    }
}

/// Starts instances at once in one zone, and raises the desired capacity by their number.
///
/// Only with a launch template, or a policy that is all on demand or all of spot; only in a zone of the group; 100 at most.
/// <https://docs.aws.amazon.com/autoscaling/ec2/userguide/launch-instances-synchronously.html>,
/// <https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_LaunchInstances.html>. Nowhere documented, and so as strict as can be:
/// what goes above the maximum is refused, and so is everything while Launch is suspended.
fn launch_now(world: &mut World, request: &LaunchInstances) -> Answer<LaunchOutcome> {
    let name = &request.group;
    let group = named(&world.aws.asg, name)?;
    let allowed = match &group.group.launch {
        LaunchSource::Template(_) => true,
        LaunchSource::Mixed(policy) => {
            let all_on_demand = policy.on_demand_percentage_above_base >= 100;
            all_on_demand
                || (policy.on_demand_percentage_above_base == 0 && policy.on_demand_base_capacity == 0)
        }
        LaunchSource::Configuration(_) | LaunchSource::Unstated => false,
    };
    if !allowed {
        return refuse(
            "ValidationError",
            "LaunchInstances needs a launch template, all on demand or all of spot",
        );
    }
    let zone = &request.availability_zone;
    if !balance::by_zone(world, group).contains_key(zone) {
        return refuse("ValidationError", format!("the group has no subnet in {zone}"));
    }
    if !(1..=100).contains(&request.count) {
        return refuse("ValidationError", "RequestedCapacity must be between 1 and 100");
    }
    if group.suspended(&ScalingProcess::Launch) {
        return refuse("ValidationError", "the process Launch of the group is suspended");
    }
    let (desired, max) = (group.group.desired_capacity, group.group.max_size);
    if desired.saturating_add(request.count) > max {
        let message = format!(
            "the desired capacity {desired} and {} more would be above the maximum, {max}",
            request.count
        );
        return refuse("ValidationError", message);
    }
    let cause = format!(
        "At {} a user request launched {} instance(s) in {zone}, increasing the capacity from {desired}.",
        clock(world.now()),
        request.count
    );
    let mut outcome = LaunchOutcome::default();
    for _ in 0..request.count {
        let subnet = request.subnet_id.as_deref();
        match launch::in_zone(world, name, zone, subnet, &cause, LifecycleState::Pending) {
            Ok(id) => {
                outcome.instance_ids.insert(id);
            }
            Err(no) => {
                launch::failed(world, name, zone, &cause, &no);
                outcome.errors.push(LaunchError {
                    code: no.code.to_owned(),
                    message: Some(no.message),
                    instance_type: None,
                    availability_zone: Some(zone.clone()),
                    subnet_id: request.subnet_id.clone(),
                    market: Some("on-demand".to_owned()),
                });
                break;
            }
        }
    }
    let started = u32::try_from(outcome.instance_ids.len()).unwrap_or(0);
    let raised = match request.retry_strategy {
        LaunchRetryStrategy::RetryWithGroupConfiguration => request.count,
        LaunchRetryStrategy::None | LaunchRetryStrategy::Other(_) => started,
    };
    if let Some(group) = world.aws.asg.groups.get_mut(name) {
        group.group.desired_capacity = desired + raised;
    }
    touch(world, name);
    Ok(outcome)
}
