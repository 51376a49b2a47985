//! How a group starts an instance: which template, type, zone and subnet.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use eks_provider::aws::{
    ActivityStatus, AutoScalingInstance, LaunchSource, LaunchTemplateKey, LaunchTemplateRef, LifecycleState,
    ScalingProcess, TemplateVersion,
};

use crate::World;
use crate::aws::asg::{Event, Group, Member, activity, after, balance};
use crate::aws::call::Refusal;
use crate::aws::ec2::instances::{self, Launch, NoInstance};

/// What an instance may be started as: template, type (`None` is the template's own), whether of spot.
struct Choice {
    template: LaunchTemplateRef,
    instance_type: Option<String>,
    image: Option<String>,
    /// What it is described to count for. It counts as one here: weights are not modelled.
    weight: Option<u32>,
    spot: bool,
}

/// Codes that are about one zone: another one may have room.
const OF_A_ZONE: [&str; 4] = [
    "InsufficientInstanceCapacity",
    "InsufficientFreeAddressesInSubnet",
    "Unsupported",
    "InvalidSubnetID.NotFound",
];

/// Starts an instance where the group has the fewest. When the zone has no room, another one is tried
/// (`balanced-best-effort`), unless the group is `balanced-only`.
/// <https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-availability-zone-balanced.html>
pub(crate) fn balanced(world: &mut World, name: &str, cause: &str) -> bool {
    let mut tried = BTreeSet::new();
    loop {
        let Some(group) = world.aws.asg.groups.get(name) else { return false };
        let strict = group.group.zone_distribution.as_deref() == Some("balanced-only");
        let Some(zone) = balance::emptiest(world, name, &tried) else { return false };
        match in_zone(world, name, &zone, None, cause, LifecycleState::Pending) {
            Ok(_) => return true,
            Err(no) => {
                failed(world, name, &zone, cause, &no);
                if strict || !OF_A_ZONE.contains(&no.code) {
                    return false;
                }
                tried.insert(zone);
            }
        }
    }
}

/// Writes down that an instance could not be started.
pub(crate) fn failed(world: &mut World, name: &str, zone: &str, cause: &str, no: &NoInstance) {
    let description = format!("Launching a new EC2 instance.  Status Reason: {}", no.message);
    let details = Some(format!("{{\"Availability Zone\":\"{zone}\"}}"));
    let id = activity::begin(world, name, description, cause.to_owned(), ActivityStatus::Failed, details);
    let message = format!("{}. Launching EC2 instance failed.", no.message.trim_end_matches('.'));
    activity::set(world, name, Some(&id), ActivityStatus::Failed, Some(message));
    if let Some(group) = world.aws.asg.groups.get_mut(name) {
        group.failures = group.failures.saturating_add(1);
    }
}

/// Starts an instance in a zone, in one of the group's subnets there (or in the one that is named).
pub(crate) fn in_zone(
    world: &mut World,
    name: &str,
    zone: &str,
    subnet: Option<&str>,
    cause: &str,
    state: LifecycleState,
) -> Result<String, NoInstance> {
    let no = |code: &'static str, message: &str| Err(NoInstance { code, message: message.to_owned() });
    let Some(group) = world.aws.asg.groups.get(name) else {
        return no("ValidationError", "the group is gone");
    };
    let subnet_id = group
        .group
        .subnet_ids
        .iter()
        .filter_map(|id| world.aws.ec2.subnets.get(id))
        .filter(|known| {
            known.subnet.availability_zone == zone && subnet.is_none_or(|id| known.subnet.id == id)
        })
        .max_by_key(|known| (known.free(), std::cmp::Reverse(known.subnet.id.clone())))
        .map(|known| known.subnet.id.clone());
    let Some(subnet_id) = subnet_id else {
        return no("InvalidSubnetID.NotFound", "the group has no subnet in that zone");
    };
    let choices = choices(group);
    let propagated: BTreeMap<String, String> = group
        .group
        .tags
        .iter()
        .filter(|(_, tag)| tag.propagate_at_launch)
        .map(|(key, tag)| (key.clone(), tag.value.clone()))
        .chain([("aws:autoscaling:groupName".to_owned(), name.to_owned())])
        .collect();
    let join = group.join.clone();
    let protected = group.group.new_instances_protected_from_scale_in && !state.is_warmed();
    let lifetime = group.group.max_instance_lifetime;
    let mut last =
        NoInstance { code: "ValidationError", message: "the group says not what to start".to_owned() };
    for choice in choices {
        let version = match world.aws.ec2.resolve(&choice.template) {
            Ok(version) => version.clone(),
            Err(Refusal { code, message }) => {
                last = NoInstance { code, message };
                continue;
            }
        };
        let image = choice.image.as_ref().or(version.data.image_id.as_ref());
        let Some(image_id) = image.and_then(|text| world.aws.ec2.image_id(text)) else {
            last = NoInstance { code: "InvalidAMIID.Malformed", message: "no image is named".to_owned() };
            continue;
        };
        let Some(instance_type) = choice.instance_type.or(version.data.instance_type.clone()) else {
            last = NoInstance { code: "ValidationError", message: "no instance type is named".to_owned() };
            continue;
        };
        let number = version.number;
        let template_id = version.template_id.clone();
        let request = Launch {
            spot: choice.spot || version.data.market.as_deref() == Some("spot"),
            version,
            instance_type: instance_type.clone(),
            image_id: image_id.clone(),
            subnet_id: subnet_id.clone(),
            tags: propagated.clone(),
            group: Some(name.to_owned()),
            join: join.clone(),
        };
        match instances::launch(world, &request) {
            Err(no) => last = no,
            Ok(id) => {
                let description = format!("Launching a new EC2 instance: {id}");
                let details =
                    Some(format!("{{\"Subnet ID\":\"{subnet_id}\",\"Availability Zone\":\"{zone}\"}}"));
                let begun = activity::begin(
                    world,
                    name,
                    description,
                    cause.to_owned(),
                    ActivityStatus::InProgress,
                    details,
                );
                let view = AutoScalingInstance {
                    instance_id: id.clone(),
                    group: name.to_owned(),
                    instance_type: Some(instance_type),
                    availability_zone: zone.to_owned(),
                    lifecycle_state: state,
                    health_status: "Healthy".to_owned(),
                    launch_configuration: None,
                    launch_template: Some(LaunchTemplateRef {
                        template: LaunchTemplateKey::Id(template_id),
                        version: TemplateVersion::Number(number),
                    }),
                    image_id: Some(image_id),
                    protected_from_scale_in: protected,
                    weighted_capacity: choice.weight,
                };
                let member = Member {
                    view,
                    launched: world.now(),
                    activity: Some(begun),
                    held: BTreeMap::new(),
                    drained_at: None,
                    spot: request.spot,
                    stands_by: false,
                };
                if let Some(group) = world.aws.asg.groups.get_mut(name) {
                    group.members.insert(id.clone(), member);
                    group.failures = 0;
                }
                world.aws.asg.group_of.insert(id.clone(), name.to_owned());
                if let Some(lifetime) = lifetime {
                    let event = Event::Lifetime { group: name.to_owned(), instance: id.clone() };
                    after(world, lifetime, event);
                }
                return Ok(id);
            }
        }
    }
    Err(last)
}

/// What the next instance of a group may be started as, the first choice first.
///
/// Overrides are tried in their order, as `prioritized` says; the other strategies choose by price and depth of pools,
/// which are not modelled. The share on demand:
/// <https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_InstancesDistribution.html>
fn choices(group: &Group) -> Vec<Choice> {
    match &group.group.launch {
        LaunchSource::Template(template) => {
            vec![Choice {
                template: template.clone(),
                instance_type: None,
                image: None,
                weight: None,
                spot: false,
            }]
        }
        LaunchSource::Mixed(policy) => {
            let on_demand = u64::try_from(group.active().filter(|member| !member.spot).count()).unwrap_or(0);
            let all = u64::from(group.active_count());
            let base = u64::from(policy.on_demand_base_capacity);
            let percentage = u64::from(policy.on_demand_percentage_above_base);
            let wanted = base + ((all + 1).saturating_sub(base) * percentage).div_ceil(100);
            let spot = on_demand >= wanted;
            let own = || Choice {
                template: policy.template.clone(),
                instance_type: None,
                image: None,
                weight: None,
                spot,
            };
            if policy.overrides.is_empty() {
                return vec![own()];
            }
            let of = |one: &eks_provider::aws::LaunchTemplateOverride| Choice {
                template: one.template.clone().unwrap_or_else(|| policy.template.clone()),
                instance_type: one.instance_type.clone(),
                image: one.image_id.clone(),
                weight: one.weighted_capacity,
                spot,
            };
            policy.overrides.iter().map(of).collect()
        }
        LaunchSource::Configuration(_) | LaunchSource::Unstated => Vec::new(),
    }
}

/// Has the group looked at again after a failure: later and later, up to ten minutes. How long Auto Scaling waits
/// is nowhere documented.
pub(crate) fn try_again(world: &mut World, name: &str) {
    let Some(group) = world.aws.asg.groups.get_mut(name) else { return };
    if group.reconcile_due || group.suspended(&ScalingProcess::Launch) {
        return;
    }
    group.reconcile_due = true;
    let wait = 15_u64.saturating_mul(1 << group.failures.min(6)).min(600);
    after(world, Duration::from_secs(wait), Event::Reconcile(name.to_owned()));
}
