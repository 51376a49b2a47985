//! An Auto Scaling group, as DescribeAutoScalingGroups has it.

use aws_sdk_autoscaling::types as sdk;
use eks_provider::Result;
use eks_provider::aws::{AutoScalingGroup, GroupTag, ScalingProcess};

use crate::autoscaling::shapes::{instance, launch_source, seconds, warm_pool};
use crate::call::{What, count, set, some, time};

pub(super) fn group(what: &What, group: sdk::AutoScalingGroup) -> Result<AutoScalingGroup> {
    let name = what.text("AutoScalingGroupName", group.auto_scaling_group_name)?;
    let instances = group.instances.into_iter().flatten().map(|found| instance(what, &name, found));
    let mut instances = instances.collect::<Result<Vec<_>>>()?;
    // Those in the warm pool are not at work, and have a list of their own.
    instances.retain(|instance| !instance.lifecycle_state.is_warmed());
    instances.sort_by(|a, b| a.instance_id.cmp(&b.instance_id));
    let subnets = group.vpc_zone_identifier.unwrap_or_default();
    let suspended = group.suspended_processes.into_iter().flatten().map(|process| {
        let name = what.text("SuspendedProcesses.ProcessName", process.process_name)?;
        Ok((ScalingProcess::from(name.as_str()), some(process.suspension_reason)))
    });
    let tags = group.tags.into_iter().flatten().map(|tag| {
        let value = tag.value.unwrap_or_default();
        let propagate_at_launch = tag.propagate_at_launch == Some(true);
        Ok((what.text("Tags.Key", tag.key)?, GroupTag { value, propagate_at_launch }))
    });
    let maintenance = group.instance_maintenance_policy;
    let spread =
        group.availability_zone_distribution.and_then(|spread| spread.capacity_distribution_strategy);
    let triggers = group.instance_lifecycle_policy.and_then(|policy| policy.retention_triggers);
    Ok(AutoScalingGroup {
        arn: what.text("AutoScalingGroupARN", group.auto_scaling_group_arn)?,
        created_at: time(group.created_time),
        launch: launch_source(
            what,
            group.launch_configuration_name,
            group.launch_template,
            group.mixed_instances_policy,
        )?,
        min_size: what.count("MinSize", group.min_size)?,
        max_size: what.count("MaxSize", group.max_size)?,
        desired_capacity: what.count("DesiredCapacity", group.desired_capacity)?,
        desired_capacity_type: some(group.desired_capacity_type),
        availability_zones: set(group.availability_zones),
        subnet_ids: subnets
            .split(',')
            .map(str::trim)
            .filter(|subnet| !subnet.is_empty())
            .map(str::to_owned)
            .collect(),
        instances,
        health_check_type: some(group.health_check_type),
        health_check_grace_period: seconds(group.health_check_grace_period),
        new_instances_protected_from_scale_in: group.new_instances_protected_from_scale_in == Some(true),
        suspended_processes: suspended.collect::<Result<_>>()?,
        termination_policies: group.termination_policies.unwrap_or_default(),
        // Zero is how a limit is taken away.
        max_instance_lifetime: seconds(group.max_instance_lifetime).filter(|limit| !limit.is_zero()),
        default_instance_warmup: seconds(group.default_instance_warmup),
        capacity_rebalance: group.capacity_rebalance == Some(true),
        instance_maintenance_policy: maintenance.and_then(|policy| {
            count(policy.min_healthy_percentage).zip(count(policy.max_healthy_percentage))
        }),
        warm_pool: match group.warm_pool_configuration {
            None => None,
            Some(pool) => Some(warm_pool(what, pool)?),
        },
        warm_pool_size: count(group.warm_pool_size),
        load_balancer_names: set(group.load_balancer_names),
        target_group_arns: set(group.target_group_arns),
        placement_group: some(group.placement_group),
        service_linked_role_arn: some(group.service_linked_role_arn),
        zone_distribution: spread.map(|strategy| strategy.as_str().to_owned()),
        zonal_shift_enabled: group
            .availability_zone_impairment_policy
            .and_then(|policy| policy.zonal_shift_enabled),
        deletion_protection: group.deletion_protection.map(|kind| kind.as_str().to_owned()),
        terminate_hook_abandon: triggers
            .and_then(|triggers| triggers.terminate_hook_abandon)
            .map(|action| action.as_str().to_owned()),
        operator: group
            .operator
            .map(|operator| what.text("Operator.Principal", operator.principal))
            .transpose()?,
        status: some(group.status),
        tags: tags.collect::<Result<_>>()?,
        name,
    })
}
