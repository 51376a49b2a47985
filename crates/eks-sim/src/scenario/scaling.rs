//! From a scenario to its Auto Scaling groups and target groups.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use eks_provider::aws::{
    AutoScalingGroup, GroupTag, LaunchSource, LaunchTemplateOverride, LifecycleHook, LifecycleResult,
    LifecycleState, LifecycleTransition, MixedInstancesPolicy, ScalingProcess, ScheduledAction, TargetGroup,
    WarmPoolConfiguration, WarmPoolState,
};

use super::build::{BOOT, Built, sizes, subnets, template_ref};
use super::place::Text;
use super::{InstancesSpec, Scenario, SelfManagedGroup};
use crate::World;
use crate::aws::asg::{self, Group};
use crate::aws::ec2::instances::Join;

/// What of a group acts only from the beginning on: hooks, suspensions, scheduled actions, lifetimes.
pub(super) fn arm(world: &mut World, spec: &SelfManagedGroup, text: Text<'_>) -> Built<()> {
    let scheduled = scheduled(spec, text)?;
    let Some(group) = world.aws.asg.groups.get_mut(&spec.name) else { return Ok(()) };
    // What runs stays as it is said until the world begins.
    group.group.suspended_processes.clear();
    for process in &spec.suspended_processes {
        group.group.suspended_processes.insert(process.clone(), Some("User suspended".to_owned()));
    }
    group.scheduled = scheduled;
    for hook in &spec.hooks {
        if !(30..=7200).contains(&hook.heartbeat_seconds) {
            return text.wrong(
                &[&spec.name, &hook.name, "heartbeatSeconds"],
                "a heartbeat is between 30 and 7200 seconds",
            );
        }
        let heartbeat = Duration::from_secs(hook.heartbeat_seconds);
        group.hooks.push(LifecycleHook {
            name: hook.name.clone(),
            transition: if hook.terminating {
                LifecycleTransition::Terminating
            } else {
                LifecycleTransition::Launching
            },
            heartbeat_timeout: heartbeat,
            global_timeout: (heartbeat * 100).min(Duration::from_hours(48)),
            default_result: if hook.continues { LifecycleResult::Continue } else { LifecycleResult::Abandon },
            notification_target_arn: None,
            notification_metadata: None,
        });
    }
    if spec.max_instance_lifetime_seconds.is_some_and(|seconds| seconds < 86_400) {
        return text.wrong(
            &[&spec.name, "maxInstanceLifetimeSeconds"],
            "instances live 86400 seconds at least, or for ever where nothing is said",
        );
    }
    let lifetime = spec.max_instance_lifetime_seconds.map(Duration::from_secs);
    group.group.max_instance_lifetime = lifetime;
    let ids: Vec<String> = group.members.keys().cloned().collect();
    for instance in ids {
        if let Some(lifetime) = lifetime {
            let event = asg::Event::Lifetime { group: spec.name.clone(), instance };
            asg::after(world, lifetime.saturating_sub(BOOT), event);
        }
    }
    let standby: Vec<String> = world.aws.asg.groups.get(&spec.name).map_or_else(Vec::new, |group| {
        let members = group.members.values().filter(|member| member.stands_by);
        members.map(|member| member.view.instance_id.clone()).collect()
    });
    for id in standby {
        if let Err(no) = asg::standby::enter(world, &spec.name, &id, true) {
            return text.wrong(&[&spec.name, "instances"], no.message);
        }
    }
    asg::schedule::plan_all(world, &spec.name);
    Ok(())
}

fn scheduled(spec: &SelfManagedGroup, text: Text<'_>) -> Built<Vec<ScheduledAction>> {
    let one = |action: &super::ScheduledActionSpec| {
        if let Some(cron) = &action.recurrence
            && asg::cron::Cron::parse(cron).is_none()
        {
            return text.wrong(
                &[&spec.name, &action.name],
                format!("`{cron}` is not five fields of cron, as in `0 8 * * 1-5`"),
            );
        }
        if action.recurrence.is_none() && action.start.is_none() {
            return text
                .wrong(&[&spec.name, &action.name], "a scheduled action has a start, a recurrence, or both");
        }
        Ok(ScheduledAction {
            name: action.name.clone(),
            start_time: action.start,
            end_time: None,
            recurrence: action.recurrence.clone(),
            time_zone: None,
            min_size: action.min,
            max_size: action.max,
            desired_capacity: action.desired,
        })
    };
    spec.scheduled_actions.iter().map(one).collect()
}

pub(super) fn target_groups(world: &mut World, scenario: &Scenario) {
    for spec in &scenario.target_groups {
        let arn = target_group_arn(scenario, &spec.name);
        let group = TargetGroup {
            arn: arn.clone(),
            name: spec.name.clone(),
            target_type: "instance".to_owned(),
            protocol: Some("TCP".to_owned()),
            load_balancer_arns: BTreeSet::from([arn.replace(":targetgroup/", ":loadbalancer/net/")]),
            deregistration_delay: Some(Duration::from_secs(spec.deregistration_delay_seconds)),
        };
        world.aws.ec2.target_groups.insert(arn, group);
    }
}

fn target_group_arn(scenario: &Scenario, name: &str) -> String {
    format!(
        "arn:aws:elasticloadbalancing:{}:{}:targetgroup/{name}/6d0ecf831eec9f09",
        scenario.region, scenario.account
    )
}

/// A group as it is made, without instances.
pub(super) fn empty_group(
    world: &World,
    name: &str,
    launch: LaunchSource,
    sizes: (u32, u32, u32),
    subnets: Vec<String>,
) -> AutoScalingGroup {
    let (region, account) = (&world.aws.region, &world.aws.account);
    let zones = subnets.iter().filter_map(|id| world.aws.ec2.subnets.get(id));
    AutoScalingGroup {
        name: name.to_owned(),
        arn: format!(
            "arn:aws:autoscaling:{region}:{account}:autoScalingGroup:0d2f:autoScalingGroupName/{name}"
        ),
        created_at: Some(world.now()),
        launch,
        min_size: sizes.0,
        max_size: sizes.1,
        desired_capacity: sizes.2,
        desired_capacity_type: None,
        availability_zones: zones.map(|known| known.subnet.availability_zone.clone()).collect(),
        subnet_ids: subnets,
        instances: Vec::new(),
        health_check_type: Some("EC2".to_owned()),
        health_check_grace_period: Some(Duration::ZERO),
        new_instances_protected_from_scale_in: false,
        suspended_processes: BTreeMap::new(),
        termination_policies: vec!["Default".to_owned()],
        max_instance_lifetime: None,
        default_instance_warmup: None,
        capacity_rebalance: false,
        instance_maintenance_policy: None,
        warm_pool: None,
        warm_pool_size: None,
        load_balancer_names: BTreeSet::new(),
        target_group_arns: BTreeSet::new(),
        placement_group: None,
        service_linked_role_arn: None,
        zone_distribution: Some("balanced-best-effort".to_owned()),
        zonal_shift_enabled: Some(false),
        deletion_protection: Some("none".to_owned()),
        terminate_hook_abandon: None,
        operator: None,
        status: None,
        tags: BTreeMap::new(),
    }
}

pub(super) fn group(
    world: &mut World,
    scenario: &Scenario,
    spec: &SelfManagedGroup,
    text: Text<'_>,
) -> Built<()> {
    let name = &spec.name;
    if world.aws.asg.groups.contains_key(name) {
        return text.wrong(&[name], format!("group {name} stands twice"));
    }
    let template = template_ref(world, &spec.launch_template, name, text)?;
    let launch = match &spec.mixed {
        None => LaunchSource::Template(template),
        Some(mixed) => {
            let one = |spec: &super::MixedOverride| {
                if !world.aws.ec2.types.contains_key(&spec.instance_type) {
                    let known: Vec<&str> = world.aws.ec2.types.keys().map(String::as_str).collect();
                    return text.wrong(
                        &[name, &spec.instance_type],
                        format!("there is no type {}; there are {}", spec.instance_type, known.join(", ")),
                    );
                }
                Ok(LaunchTemplateOverride {
                    instance_type: Some(spec.instance_type.clone()),
                    attribute_based: false,
                    weighted_capacity: spec.weight,
                    template: match &spec.launch_template {
                        Some(template) => Some(template_ref(world, template, name, text)?),
                        None => None,
                    },
                    image_id: None,
                })
            };
            LaunchSource::Mixed(MixedInstancesPolicy {
                template,
                overrides: mixed.overrides.iter().map(one).collect::<Built<_>>()?,
                on_demand_base_capacity: mixed.on_demand_base,
                on_demand_percentage_above_base: mixed.on_demand_percentage.min(100),
                on_demand_allocation_strategy: Some("prioritized".to_owned()),
                spot_allocation_strategy: Some("price-capacity-optimized".to_owned()),
            })
        }
    };
    let sizes = sizes((spec.min, spec.max, spec.desired), &["autoScalingGroups", name], name, text)?;
    let subnets = subnets(world, spec.subnets.iter(), name, text)?;
    let mut made = empty_group(world, name, launch, sizes, subnets);
    made.health_check_type = Some(spec.health_check_type.clone().unwrap_or_else(|| "EC2".to_owned()));
    made.health_check_grace_period = Some(Duration::from_secs(spec.health_check_grace_seconds));
    made.new_instances_protected_from_scale_in = spec.new_instances_protected;
    if !spec.termination_policies.is_empty() {
        made.termination_policies.clone_from(&spec.termination_policies);
    }
    if spec.zone_distribution.is_some() {
        made.zone_distribution.clone_from(&spec.zone_distribution);
    }
    made.terminate_hook_abandon.clone_from(&spec.terminate_hook_abandon);
    made.operator.clone_from(&spec.operator);
    for target_group in &spec.target_groups {
        let arn = target_group_arn(scenario, target_group);
        if !world.aws.ec2.target_groups.contains_key(&arn) {
            return text.wrong(&[name, target_group], format!("there is no target group {target_group}"));
        }
        made.target_group_arns.insert(arn);
    }
    made.warm_pool = spec.warm_pool.as_ref().map(|pool| WarmPoolConfiguration {
        min_size: pool.min,
        max_group_prepared_capacity: pool.max_prepared,
        pool_state: if pool.running { WarmPoolState::Running } else { WarmPoolState::Stopped },
        status: None,
        reuse_on_scale_in: pool.reuse_on_scale_in,
    });
    let tag = |value: &String| GroupTag { value: value.clone(), propagate_at_launch: true };
    made.tags = spec.tags.iter().map(|(key, value)| (key.clone(), tag(value))).collect();
    let mut group = Group::new(made);
    if let Some(cluster) = &spec.cluster {
        if !world.aws.eks.clusters.contains_key(cluster) {
            return text.wrong(&[name, cluster], format!("there is no cluster {cluster}"));
        }
        group.group.tags.insert(format!("kubernetes.io/cluster/{cluster}"), tag(&"owned".to_owned()));
        group.join =
            Some(Join { cluster: cluster.clone(), labels: spec.labels.clone(), taints: spec.taints.clone() });
    }
    let standby: u32 = spec.instances.iter().filter(|one| one.standby).map(|one| one.count).sum();
    group.group.desired_capacity += standby;
    world.aws.asg.groups.insert(name.clone(), group);
    for instances in &spec.instances {
        start(world, spec, instances, text)?;
        if let Some(group) = world.aws.asg.groups.get_mut(name) {
            group.group.suspended_processes.insert(ScalingProcess::AzRebalance, None);
        }
    }
    asg::touch(world, name);
    Ok(())
}

/// Starts instances as they were started before the world began: from another version, of another type, in a zone that is said.
fn start(world: &mut World, spec: &SelfManagedGroup, of: &InstancesSpec, text: Text<'_>) -> Built<()> {
    let name = &spec.name;
    let template = super::GroupTemplate {
        name: spec.launch_template.name.clone(),
        version: of.version.clone().unwrap_or_else(|| spec.launch_template.version.clone()),
    };
    let template = template_ref(world, &template, name, text)?;
    let one = LaunchTemplateOverride {
        instance_type: of.instance_type.clone(),
        attribute_based: false,
        weighted_capacity: None,
        template: None,
        image_id: None,
    };
    let source = LaunchSource::Mixed(MixedInstancesPolicy {
        template,
        overrides: vec![one],
        on_demand_base_capacity: 0,
        on_demand_percentage_above_base: if of.spot { 0 } else { 100 },
        on_demand_allocation_strategy: None,
        spot_allocation_strategy: None,
    });
    let Some(group) = world.aws.asg.groups.get_mut(name) else { return Ok(()) };
    let own = std::mem::replace(&mut group.group.launch, source);
    let running = u32::try_from(group.members.len()).unwrap_or(u32::MAX).saturating_add(of.count);
    if running > group.group.desired_capacity {
        return text.wrong(
            &[name, "instances", &of.zone],
            format!("{name} has {running} instances and wants {}", group.group.desired_capacity),
        );
    }
    let cause = format!("At {} the world began.", asg::clock(world.now()));
    for _ in 0..of.count {
        let started = asg::launch::in_zone(world, name, &of.zone, None, &cause, LifecycleState::Pending);
        let id = match started {
            Ok(id) => id,
            Err(no) => {
                let message = format!("no instance of {name} starts in {}: {}", of.zone, no.message);
                return text.wrong(&[name, "instances", &of.zone], message);
            }
        };
        let member = world.aws.asg.groups.get_mut(name).and_then(|group| group.members.get_mut(&id));
        if let Some(member) = member {
            member.view.protected_from_scale_in |= of.protected;
            member.stands_by = of.standby;
        }
    }
    if let Some(group) = world.aws.asg.groups.get_mut(name) {
        group.group.launch = own;
    }
    Ok(())
}
