//! EC2 Auto Scaling: what it is asked.

use eks_provider::aws::{
    AutoScalingGroup, AutoScalingGroupQuery, AutoScalingInstance, InstanceRefresh, LaunchSource,
    LaunchTemplateKey, LaunchTemplateRef, LifecycleHook, MixedInstancesPolicy, ScalingActivity,
    WarmPoolConfiguration, WarmPoolState,
};
use eks_provider::{Class, ProviderError};
use jiff::Timestamp;

use super::errors::Failed;
use super::paging::page;
use super::query::Query;
use super::xml::Element;
use super::{Answer, Request, Wire, autoscaling_write, errors, parameters};

const NAMESPACE: &str = "http://autoscaling.amazonaws.com/doc/2011-01-01/";

pub(super) async fn answer(wire: &Wire, request: &Request, id: &str) -> Answer {
    let query = Query::parse(&request.body, &request.query);
    let action = query.action();
    let result = match taken(action, &query) {
        Err(refused) => Err(refused),
        Ok(()) => match read(wire, action, &query).await {
            Some(result) => result,
            None => match autoscaling_write::write(wire, action, &query).await {
                Some(result) => result,
                None => Err(unknown(action)),
            },
        },
    };
    match result {
        Ok(result) => {
            let metadata = Element::new("ResponseMetadata").text("RequestId", id);
            let mut response = Element::new(format!("{action}Response")).namespace(NAMESPACE);
            if let Some(result) = result {
                response = response.child(result);
            }
            Answer::Response(response.child(metadata).response(200))
        }
        Err(failed) => errors::query_failed(failed, id),
    }
}

fn unknown(action: &str) -> Failed {
    Failed::Request("InvalidAction", format!("Could not find operation {action}"))
}

/// Whether there is such an action, and it takes all that was sent.
fn taken(action: &str, query: &Query) -> Result<(), Failed> {
    let known = parameters::autoscaling(action).ok_or_else(|| unknown(action))?;
    match parameters::stranger(query, known) {
        None => Ok(()),
        Some(name) => Err(Failed::Request(
            "ValidationError",
            format!("the simulated world's {action} does not take the parameter {name}"),
        )),
    }
}

/// The answer, with nothing in it for operations that answer nothing.
pub(super) type Outcome = Result<Option<Element>, Failed>;

async fn read(wire: &Wire, action: &str, query: &Query) -> Option<Outcome> {
    let group = || query.required("AutoScalingGroupName");
    Some(match action {
        "DescribeAutoScalingGroups" => groups(wire, query).await,
        "DescribeAutoScalingInstances" => instances(wire, query).await,
        "DescribeScalingActivities" => activities(wire, query).await,
        "DescribeTags" => tags(wire, query).await,
        "DescribeLifecycleHooks" => {
            async {
                let mut hooks = wire.reader.describe_lifecycle_hooks(group()?).await?;
                named(&mut hooks, query, "LifecycleHookNames", |hook| &hook.name);
                let name = group()?;
                Ok(Some(result(action).list("LifecycleHooks", "member", &hooks, |element, hook| {
                    self::hook(element, name, hook)
                })))
            }
            .await
        }
        "DescribeWarmPool" => {
            async {
                let pool = wire.reader.describe_warm_pool(group()?).await?;
                let mut element = result(action);
                let instances = pool.as_ref().map(|pool| pool.instances.clone()).unwrap_or_default();
                let (instances, next) = paged(instances, "warm pool", query, 50)?;
                if let Some(pool) = &pool {
                    element =
                        element.child(warm_pool(Element::new("WarmPoolConfiguration"), &pool.configuration));
                }
                Ok(Some(element.list("Instances", "member", &instances, instance).maybe("NextToken", next)))
            }
            .await
        }
        "DescribeInstanceRefreshes" => {
            async {
                let mut refreshes = wire.reader.describe_instance_refreshes(group()?).await?;
                named(&mut refreshes, query, "InstanceRefreshIds", |one| &one.id);
                let (refreshes, next) = paged(refreshes, "refreshes", query, 50)?;
                let name = group()?;
                let fill = |element, one: &InstanceRefresh| refresh(element, name, one);
                let list = result(action).list("InstanceRefreshes", "member", &refreshes, fill);
                Ok(Some(list.maybe("NextToken", next)))
            }
            .await
        }
        "DescribeScheduledActions" => {
            async {
                let name = group()?;
                let mut actions = wire.reader.describe_scheduled_actions(name).await?;
                named(&mut actions, query, "ScheduledActionNames", |one| &one.name);
                let (actions, next) = paged(actions, "scheduled actions", query, 50)?;
                let list =
                    result(action).list("ScheduledUpdateGroupActions", "member", &actions, |element, one| {
                        element
                            .text("AutoScalingGroupName", name)
                            .text("ScheduledActionName", &one.name)
                            .time("StartTime", one.start_time)
                            .time("EndTime", one.end_time)
                            .maybe("Recurrence", one.recurrence.as_ref())
                            .maybe("TimeZone", one.time_zone.as_ref())
                            .maybe("MinSize", one.min_size)
                            .maybe("MaxSize", one.max_size)
                            .maybe("DesiredCapacity", one.desired_capacity)
                    });
                Ok(Some(list.maybe("NextToken", next)))
            }
            .await
        }
        "DescribePolicies" => {
            async {
                let name = group()?;
                let mut policies = wire.reader.describe_policies(name).await?;
                named(&mut policies, query, "PolicyNames", |one| &one.name);
                let (policies, next) = paged(policies, "policies", query, 50)?;
                let list = result(action).list("ScalingPolicies", "member", &policies, |element, one| {
                    element
                        .text("AutoScalingGroupName", name)
                        .text("PolicyName", &one.name)
                        .text("PolicyType", &one.kind)
                        .text("Enabled", one.enabled)
                        .list("Alarms", "member", &one.alarms, |element, alarm| {
                            element.text("AlarmName", alarm)
                        })
                });
                Ok(Some(list.maybe("NextToken", next)))
            }
            .await
        }
        "DescribeTrafficSources" => {
            async {
                let sources = wire.reader.describe_traffic_sources(group()?).await?;
                let (sources, next) = paged(sources, "traffic sources", query, 50)?;
                let list = result(action).list("TrafficSources", "member", &sources, |element, one| {
                    element
                        .text("Identifier", &one.identifier)
                        .maybe("Type", one.kind.as_ref())
                        .text("State", &one.state)
                });
                Ok(Some(list.maybe("NextToken", next)))
            }
            .await
        }
        "DescribeLaunchConfigurations" => {
            async {
                let names = query.texts("LaunchConfigurationNames.member").unwrap_or_default();
                let found = wire.reader.describe_launch_configurations(&names).await?;
                Ok(Some(result(action).list(
                    "LaunchConfigurations",
                    "member",
                    found.values(),
                    |element, one| {
                        element
                            .text("LaunchConfigurationName", &one.name)
                            .text("ImageId", &one.image_id)
                            .text("InstanceType", &one.instance_type)
                            .maybe("IamInstanceProfile", one.iam_instance_profile.as_ref())
                            .maybe("KeyName", one.key_name.as_ref())
                            .maybe("SpotPrice", one.spot_price.as_ref())
                            .texts("SecurityGroups", "member", &one.security_groups)
                    },
                )))
            }
            .await
        }
        _ => return None,
    })
}

/// `DescribeAutoScalingGroupsResult`
pub(super) fn result(action: &str) -> Element {
    Element::new(format!("{action}Result"))
}

/// Only those that are named, where any are.
fn named<T>(items: &mut Vec<T>, query: &Query, names: &str, name: impl Fn(&T) -> &String) {
    if let Some(wanted) = query.texts(&format!("{names}.member")) {
        items.retain(|item| wanted.contains(name(item)));
    }
}

/// A page of a list, by `MaxRecords` and `NextToken`.
fn paged<T>(
    items: Vec<T>,
    action: &str,
    query: &Query,
    default: usize,
) -> Result<(Vec<T>, Option<String>), Failed> {
    let most = query.number::<usize>("MaxRecords")?.unwrap_or(default);
    if !(1..=100).contains(&most) {
        let message =
            format!("Value '{most}' at 'maxRecords' failed to satisfy constraint: between 1 and 100");
        return Err(Failed::Request("ValidationError", message));
    }
    page(items, action, query.get("NextToken"), most)
        .map(|page| (page.items, page.next))
        .ok_or_else(|| Failed::Request("InvalidNextToken", "The token is not valid.".to_owned()))
}

async fn groups(wire: &Wire, query: &Query) -> Outcome {
    let (tags, others) = {
        let filters = query.filters("Filters.member", "Values.member");
        let (tags, others) = Query::tag_filters(&filters);
        (tags, others.first().map(|(name, _)| name.clone()))
    };
    if let Some(name) = others {
        return Err(Failed::Request("ValidationError", format!("Filter type {name} is not correct.")));
    }
    let names = query.texts("AutoScalingGroupNames.member").map(|names| names.into_iter().collect());
    let groups = wire.reader.describe_auto_scaling_groups(&AutoScalingGroupQuery { names, tags }).await?;
    let (groups, next) = paged(groups, "groups", query, 50)?;
    Ok(Some(
        result("DescribeAutoScalingGroups")
            .list("AutoScalingGroups", "member", &groups, group)
            .maybe("NextToken", next),
    ))
}

async fn instances(wire: &Wire, query: &Query) -> Outcome {
    let ids = if let Some(ids) = query.texts("InstanceIds.member") {
        // <https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_DescribeAutoScalingInstances.html> (2026-11)
        if ids.len() > 50 {
            return Err(Failed::Request("ValidationError", "At most 50 instances may be named.".to_owned()));
        }
        ids
    } else {
        // Without ids all instances of all groups are meant.
        let groups = wire.reader.describe_auto_scaling_groups(&AutoScalingGroupQuery::default()).await?;
        groups.into_iter().flat_map(|group| group.instances).map(|instance| instance.instance_id).collect()
    };
    let found = wire.reader.describe_auto_scaling_instances(&ids).await?;
    let (found, next) = paged(found, "instances", query, 50)?;
    Ok(Some(
        result("DescribeAutoScalingInstances")
            .list("AutoScalingInstances", "member", &found, |element, one| {
                instance(element.text("AutoScalingGroupName", &one.group), one)
            })
            .maybe("NextToken", next),
    ))
}

async fn activities(wire: &Wire, query: &Query) -> Outcome {
    let Some(name) = query.get("AutoScalingGroupName") else {
        return Err(Failed::Request(
            "ValidationError",
            "the simulated world lists activities of one group: name it".to_owned(),
        ));
    };
    let found = wire.reader.describe_scaling_activities(name, Timestamp::MIN).await?;
    let wanted = query.texts("ActivityIds.member");
    let found: Vec<ScalingActivity> =
        found.into_iter().filter(|one| wanted.as_ref().is_none_or(|ids| ids.contains(&one.id))).collect();
    let (found, next) = paged(found, "activities", query, 100)?;
    Ok(Some(
        result("DescribeScalingActivities")
            .list("Activities", "member", &found, activity)
            .maybe("NextToken", next),
    ))
}

async fn tags(wire: &Wire, query: &Query) -> Outcome {
    let filters = query.filters("Filters.member", "Values.member");
    if let Some((name, _)) = filters.iter().find(|(name, _)| name != "auto-scaling-group" && name != "key") {
        let message = format!("the simulated world does not filter tags by {name}");
        return Err(Failed::Request("ValidationError", message));
    }
    let names = filters
        .iter()
        .find(|(name, _)| name == "auto-scaling-group")
        .map(|(_, values)| values.iter().cloned().collect());
    let keys = filters.iter().find(|(name, _)| name == "key").map(|(_, values)| values.clone());
    let groups = wire
        .reader
        .describe_auto_scaling_groups(&AutoScalingGroupQuery { names, ..AutoScalingGroupQuery::default() })
        .await?;
    let tags: Vec<(String, String, String, bool)> = groups
        .into_iter()
        .flat_map(|group| {
            let name = group.name;
            group
                .tags
                .into_iter()
                .map(move |(key, tag)| (name.clone(), key, tag.value, tag.propagate_at_launch))
        })
        .filter(|(_, key, _, _)| keys.as_ref().is_none_or(|keys| keys.contains(key)))
        .collect();
    let (tags, next) = paged(tags, "tags", query, 50)?;
    Ok(Some(
        result("DescribeTags")
            .list("Tags", "member", &tags, |element, (group, key, value, propagate)| {
                tag(element, group, key, value, *propagate)
            })
            .maybe("NextToken", next),
    ))
}

fn tag(element: Element, group: &str, key: &str, value: &str, propagate: bool) -> Element {
    element
        .text("ResourceId", group)
        .text("ResourceType", "auto-scaling-group")
        .text("Key", key)
        .text("Value", value)
        .text("PropagateAtLaunch", propagate)
}

/// `LaunchTemplateSpecification`
fn template(element: Element, template: &LaunchTemplateRef) -> Element {
    let element = match &template.template {
        LaunchTemplateKey::Id(id) => element.text("LaunchTemplateId", id),
        LaunchTemplateKey::Name(name) => element.text("LaunchTemplateName", name),
    };
    element.text("Version", &template.version)
}

fn mixed(element: Element, policy: &MixedInstancesPolicy) -> Element {
    let launch = Element::new("LaunchTemplate")
        .child(template(Element::new("LaunchTemplateSpecification"), &policy.template))
        .list("Overrides", "member", &policy.overrides, |element, one| {
            let mut element = element
                .maybe("InstanceType", one.instance_type.as_ref())
                .maybe("WeightedCapacity", one.weighted_capacity);
            if let Some(own) = &one.template {
                element = element.child(template(Element::new("LaunchTemplateSpecification"), own));
            }
            element.maybe("ImageId", one.image_id.as_ref())
        });
    let distribution = Element::new("InstancesDistribution")
        .maybe("OnDemandAllocationStrategy", policy.on_demand_allocation_strategy.as_ref())
        .text("OnDemandBaseCapacity", policy.on_demand_base_capacity)
        .text("OnDemandPercentageAboveBaseCapacity", policy.on_demand_percentage_above_base)
        .maybe("SpotAllocationStrategy", policy.spot_allocation_strategy.as_ref());
    element.child(launch).child(distribution)
}

/// Auto Scaling writes small what EKS writes large.
fn pool_state(state: &WarmPoolState) -> &str {
    match state {
        WarmPoolState::Stopped => "Stopped",
        WarmPoolState::Running => "Running",
        WarmPoolState::Hibernated => "Hibernated",
        WarmPoolState::Other(word) => word,
    }
}

fn warm_pool(element: Element, pool: &WarmPoolConfiguration) -> Element {
    element
        .maybe("MaxGroupPreparedCapacity", pool.max_group_prepared_capacity)
        .text("MinSize", pool.min_size)
        .text("PoolState", pool_state(&pool.pool_state))
        .maybe("Status", pool.status.as_ref())
        .child(Element::new("InstanceReusePolicy").text("ReuseOnScaleIn", pool.reuse_on_scale_in))
}

fn group(element: Element, group: &AutoScalingGroup) -> Element {
    let mut element = element
        .text("AutoScalingGroupName", &group.name)
        .text("AutoScalingGroupARN", &group.arn)
        .text("MinSize", group.min_size)
        .text("MaxSize", group.max_size)
        .text("DesiredCapacity", group.desired_capacity)
        .maybe("DesiredCapacityType", group.desired_capacity_type.as_ref())
        .text("DefaultCooldown", 300)
        .texts("AvailabilityZones", "member", &group.availability_zones)
        .text("VPCZoneIdentifier", group.subnet_ids.join(","))
        .text("HealthCheckType", group.health_check_type.as_deref().unwrap_or("EC2"))
        .text("HealthCheckGracePeriod", group.health_check_grace_period.map_or(0, |grace| grace.as_secs()))
        .list("Instances", "member", &group.instances, instance)
        .time("CreatedTime", group.created_at)
        .list("SuspendedProcesses", "member", &group.suspended_processes, |element, (process, reason)| {
            element
                .text("ProcessName", process)
                .text("SuspensionReason", reason.as_deref().unwrap_or("User suspended"))
        })
        .texts("TerminationPolicies", "member", &group.termination_policies)
        .text("NewInstancesProtectedFromScaleIn", group.new_instances_protected_from_scale_in)
        .maybe("MaxInstanceLifetime", group.max_instance_lifetime.map(|lifetime| lifetime.as_secs()))
        .maybe("DefaultInstanceWarmup", group.default_instance_warmup.map(|warmup| warmup.as_secs()))
        .text("CapacityRebalance", group.capacity_rebalance)
        .maybe("WarmPoolSize", group.warm_pool_size)
        .texts("LoadBalancerNames", "member", &group.load_balancer_names)
        .texts("TargetGroupARNs", "member", &group.target_group_arns)
        .maybe("PlacementGroup", group.placement_group.as_ref())
        .maybe("ServiceLinkedRoleARN", group.service_linked_role_arn.as_ref())
        .maybe("DeletionProtection", group.deletion_protection.as_ref())
        .maybe("Status", group.status.as_ref())
        .list("Tags", "member", &group.tags, |element, (key, value)| {
            tag(element, &group.name, key, &value.value, value.propagate_at_launch)
        });
    element = match &group.launch {
        LaunchSource::Configuration(name) => element.text("LaunchConfigurationName", name),
        LaunchSource::Template(of) => element.child(template(Element::new("LaunchTemplate"), of)),
        LaunchSource::Mixed(policy) => element.child(mixed(Element::new("MixedInstancesPolicy"), policy)),
        LaunchSource::Unstated => element,
    };
    if let Some(pool) = &group.warm_pool {
        element = element.child(warm_pool(Element::new("WarmPoolConfiguration"), pool));
    }
    if let Some((minimum, maximum)) = group.instance_maintenance_policy {
        element = element.child(
            Element::new("InstanceMaintenancePolicy")
                .text("MinHealthyPercentage", minimum)
                .text("MaxHealthyPercentage", maximum),
        );
    }
    if let Some(strategy) = &group.zone_distribution {
        element = element.child(
            Element::new("AvailabilityZoneDistribution").text("CapacityDistributionStrategy", strategy),
        );
    }
    if let Some(enabled) = group.zonal_shift_enabled {
        element = element
            .child(Element::new("AvailabilityZoneImpairmentPolicy").text("ZonalShiftEnabled", enabled));
    }
    if let Some(abandon) = &group.terminate_hook_abandon {
        let triggers = Element::new("RetentionTriggers").text("TerminateHookAbandon", abandon);
        element = element.child(Element::new("InstanceLifecyclePolicy").child(triggers));
    }
    if let Some(principal) = &group.operator {
        element = element.child(Element::new("Operator").text("Managed", true).text("Principal", principal));
    }
    element
}

pub(super) fn instance(element: Element, instance: &AutoScalingInstance) -> Element {
    let mut element = element
        .text("InstanceId", &instance.instance_id)
        .maybe("InstanceType", instance.instance_type.as_ref())
        .text("AvailabilityZone", &instance.availability_zone)
        .text("LifecycleState", &instance.lifecycle_state)
        .text("HealthStatus", &instance.health_status)
        .maybe("LaunchConfigurationName", instance.launch_configuration.as_ref())
        .maybe("ImageId", instance.image_id.as_ref())
        .text("ProtectedFromScaleIn", instance.protected_from_scale_in)
        .maybe("WeightedCapacity", instance.weighted_capacity);
    if let Some(of) = &instance.launch_template {
        element = element.child(template(Element::new("LaunchTemplate"), of));
    }
    element
}

pub(super) fn activity(element: Element, activity: &ScalingActivity) -> Element {
    element
        .text("ActivityId", &activity.id)
        .text("AutoScalingGroupName", &activity.group)
        .text("Description", &activity.description)
        .text("Cause", &activity.cause)
        .time("StartTime", Some(activity.start_time))
        .time("EndTime", activity.end_time)
        .text("StatusCode", &activity.status)
        .maybe("StatusMessage", activity.status_message.as_ref())
        .text("Progress", activity.progress.unwrap_or(0))
        .maybe("Details", activity.details.as_ref())
}

fn hook(element: Element, group: &str, hook: &LifecycleHook) -> Element {
    element
        .text("LifecycleHookName", &hook.name)
        .text("AutoScalingGroupName", group)
        .text("LifecycleTransition", &hook.transition)
        .text("HeartbeatTimeout", hook.heartbeat_timeout.as_secs())
        .text("GlobalTimeout", hook.global_timeout.as_secs())
        .text("DefaultResult", &hook.default_result)
        .maybe("NotificationTargetARN", hook.notification_target_arn.as_ref())
        .maybe("NotificationMetadata", hook.notification_metadata.as_ref())
}

fn refresh(element: Element, group: &str, refresh: &InstanceRefresh) -> Element {
    element
        .text("InstanceRefreshId", &refresh.id)
        .text("AutoScalingGroupName", group)
        .text("Status", &refresh.status)
        .maybe("StatusReason", refresh.status_reason.as_ref())
        .time("StartTime", refresh.start_time)
        .time("EndTime", refresh.end_time)
        .maybe("PercentageComplete", refresh.percentage_complete)
        .maybe("InstancesToUpdate", refresh.instances_to_update)
}

/// A failure that is the request's own.
pub(super) fn invalid(operation: &str, message: &str) -> Failed {
    Failed::Provider(ProviderError::new(Class::Invalid, operation, "the request").message(message))
}
