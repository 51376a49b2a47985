//! From a scenario to the world that it describes.

use std::collections::BTreeMap;
use std::time::Duration;

use base64::Engine as _;
use eks_provider::Sensitive;
use eks_provider::aws::{
    AvailabilityZone, Image, ImageState, InstanceProfile, LaunchTemplate, LaunchTemplateData,
    LaunchTemplateKey, LaunchTemplateRef, LaunchTemplateVersion, Parameter, SecurityGroup, ServiceQuota,
    Subnet, TemplateVersion,
};
use jiff::Timestamp;

use super::place::Text;
use super::{
    GroupTemplate, ImageSpec, Scenario, ScenarioError, TemplateSpec, TemplateVersionSpec, cluster,
    kubernetes, scaling,
};
use crate::aws::ec2::images::KnownImage;
use crate::aws::ec2::network::KnownSubnet;
use crate::aws::ec2::templates::Template;
use crate::aws::ec2::{keys, types};
use crate::aws::eks::versions;
use crate::world::{Event, earlier, later};
use crate::{World, aws};

/// How long before its beginning a world is switched on, so that what runs has been running.
pub(super) const BOOT: Duration = Duration::from_hours(2);
/// How long before its beginning the workloads come.
const WORKLOADS: Duration = Duration::from_mins(30);

pub(super) type Built<T> = Result<T, ScenarioError>;

/// Builds the world.
pub(super) fn world(scenario: &Scenario, text: Text<'_>) -> Built<World> {
    if scenario.scenario != 1 {
        return text.wrong(&["scenario"], format!("the format is 1, not {}", scenario.scenario));
    }
    super::check::check(scenario, text)?;
    let on = earlier(scenario.start, BOOT);
    let mut world = World::new(on, scenario.seed);
    world.begins_at(scenario.start);
    world.aws.region.clone_from(&scenario.region);
    world.aws.account.clone_from(&scenario.account);
    world.aws.eks.rules = scenario.rules;
    network(&mut world, scenario, text)?;
    images(&mut world, scenario, text)?;
    for template in &scenario.launch_templates {
        launch_template(&mut world, template, text)?;
    }
    scaling::target_groups(&mut world, scenario);
    for spec in &scenario.clusters {
        cluster::cluster(&mut world, scenario, spec, text)?;
    }
    kubernetes::addons(&mut world, scenario, text)?;
    for spec in &scenario.auto_scaling_groups {
        scaling::group(&mut world, scenario, spec, text)?;
    }
    for zone in scenario.zone_capacity.keys() {
        if !world.aws.ec2.zones.contains_key(zone) {
            return text.wrong(&["zoneCapacity", zone], format!("no subnet is in zone {zone}"));
        }
    }
    for (zone, types) in &scenario.not_offered {
        if !world.aws.ec2.zones.contains_key(zone) {
            return text.wrong(&["notOffered", zone], format!("no subnet is in zone {zone}"));
        }
        world.aws.ec2.not_offered.extend(types.iter().map(|kind| (zone.clone(), kind.clone())));
    }
    world.advance_to(earlier(scenario.start, WORKLOADS));
    kubernetes::workloads(&mut world, scenario, text)?;
    world.advance_to(scenario.start);
    arm(&mut world, scenario, text)?;
    Ok(world)
}

/// What acts only from the beginning on: hooks, suspensions, limits, faults, events.
fn arm(world: &mut World, scenario: &Scenario, text: Text<'_>) -> Built<()> {
    world.aws.ec2.zone_capacity.clone_from(&scenario.zone_capacity);
    world.aws.identity.denied.clone_from(&scenario.denied);
    if let Some(vcpus) = scenario.on_demand_vcpus {
        let (service, quota) = keys::ON_DEMAND_VCPUS;
        let known = ServiceQuota {
            service_code: service.to_owned(),
            quota_code: quota.to_owned(),
            name: "Running On-Demand Standard (A, C, D, H, I, M, R, T, Z) instances".to_owned(),
            value: f64::from(vcpus),
            unit: None,
            adjustable: true,
        };
        world.aws.ec2.quotas.insert((service.to_owned(), quota.to_owned()), known);
    }
    for spec in &scenario.auto_scaling_groups {
        scaling::arm(world, spec, text)?;
    }
    world.set_faults(scenario.faults.clone());
    for timed in &scenario.events {
        let event = Event::Aws(aws::Event::Script(Box::new(timed.script.clone())));
        world.after(Duration::from_secs(timed.after_seconds), event);
    }
    Ok(())
}

fn network(world: &mut World, scenario: &Scenario, text: Text<'_>) -> Built<()> {
    let network = &scenario.network;
    world.aws.ec2.addresses_per_instance = network.addresses_per_instance;
    world.aws.ec2.types = types::catalogue();
    for spec in &network.subnets {
        let subnet = Subnet {
            id: spec.id.clone(),
            vpc_id: network.vpc.clone(),
            availability_zone: spec.zone.clone(),
            availability_zone_id: Some(zone_id(&spec.zone)),
            cidr_block: Some(spec.cidr.clone()),
            available_ip_address_count: 0,
            ipv6_cidr_blocks: Vec::new(),
            state: Some("available".to_owned()),
            outpost_arn: None,
            tags: spec.tags.clone(),
        };
        let Some(mut known) = KnownSubnet::new(subnet) else {
            let message = format!("`{}` is not a block of IPv4 addresses between /16 and /28", spec.cidr);
            return text.wrong(&[&spec.id, &spec.cidr], message);
        };
        if spec.held_elsewhere > known.size() {
            return text
                .wrong(&[&spec.id, "heldElsewhere"], format!("the subnet has {} addresses", known.size()));
        }
        known.hold_elsewhere(spec.held_elsewhere);
        if world.aws.ec2.subnets.insert(spec.id.clone(), known).is_some() {
            return text.wrong(&[&spec.id], format!("subnet {} stands twice", spec.id));
        }
        world.aws.ec2.zones.entry(spec.zone.clone()).or_insert_with(|| AvailabilityZone {
            name: spec.zone.clone(),
            id: Some(zone_id(&spec.zone)),
            state: "available".to_owned(),
            messages: Vec::new(),
        });
    }
    if network.subnets.is_empty() {
        return text.wrong(&["subnets"], "a world has one subnet at least");
    }
    for id in &network.security_groups {
        let group = SecurityGroup {
            id: id.clone(),
            name: id.clone(),
            vpc_id: Some(network.vpc.clone()),
            tags: BTreeMap::new(),
        };
        world.aws.ec2.security_groups.insert(id.clone(), group);
    }
    Ok(())
}

/// The id of a zone, made from its name: `eu-west-1a` is `euw1-az1`.
fn zone_id(zone: &str) -> String {
    let parts: Vec<&str> = zone.split('-').collect();
    let (Some(area), Some(way), Some(last)) = (parts.first(), parts.get(1), parts.get(2)) else {
        return zone.to_owned();
    };
    let digits: String = last.chars().filter(char::is_ascii_digit).collect();
    let letter = last.chars().next_back().map_or(0, |c| u32::from(c).saturating_sub(u32::from('a')) + 1);
    format!("{area}{}{digits}-az{letter}", way.chars().next().unwrap_or('x'))
}

/// Images of every minor that EKS offers, in two releases: the newest, and the one before.
pub(super) fn standard_images(ec2: &mut aws::ec2::State, start: Timestamp) {
    let offered: Vec<_> = eks_skew::Calendar::embedded()
        .releases()
        .iter()
        .map(|release| release.minor)
        .filter(|minor| versions::offered(*minor, start))
        .collect();
    for ago in [45, 10] {
        let moment = earlier(start, Duration::from_hours(24 * ago));
        for minor in &offered {
            let patch = versions::patch(*minor, moment);
            ec2.release_images(*minor, patch, &day_of(moment), moment);
        }
    }
}

fn images(world: &mut World, scenario: &Scenario, text: Text<'_>) -> Built<()> {
    let start = scenario.start;
    standard_images(&mut world.aws.ec2, start);
    for ImageSpec { id, name, kubelet, architecture, parameter } in &scenario.images {
        let version = match kubelet.as_ref().map(|kubelet| kubelet.parse()) {
            None => None,
            Some(Ok(version)) => Some(version),
            Some(Err(error)) => {
                let error: eks_model::ParseVersionError = error;
                return text.wrong(&[id, "kubelet"], error.to_string());
            }
        };
        let image = Image {
            id: id.clone(),
            name: name.clone(),
            description: None,
            owner_id: Some(scenario.account.clone()),
            owner_alias: Some("self".to_owned()),
            state: ImageState::Available,
            architecture: Some(architecture.clone()),
            platform: None,
            creation_date: Some(start),
            deprecation_time: None,
            root_volume_gib: Some(20),
            root_device_name: Some("/dev/xvda".to_owned()),
        };
        world.aws.ec2.images.insert(id.clone(), KnownImage { image, kubelet: version, release: None });
        if let Some(name) = parameter {
            let named =
                Parameter { name: name.clone(), value: id.clone(), version: 1, last_modified: Some(start) };
            world.aws.ec2.parameters.insert(name.clone(), named);
        }
    }
    Ok(())
}

/// A day as releases of images have it: `20261114`.
pub(super) fn day_of(moment: Timestamp) -> String {
    versions::day(moment).to_string().replace('-', "")
}

fn launch_template(world: &mut World, spec: &TemplateSpec, text: Text<'_>) -> Built<()> {
    let id = format!("lt-0{}", world.random.hex(16));
    let latest = u64::try_from(spec.versions.len()).unwrap_or(u64::MAX);
    let default = spec.default_version.unwrap_or(1);
    if spec.versions.is_empty() || default == 0 || default > latest {
        return text.wrong(
            &[&spec.name],
            format!("launch template {} has {latest} versions; its default is {default}", spec.name),
        );
    }
    let mut known = BTreeMap::new();
    for (number, version) in (1..).zip(&spec.versions) {
        known.insert(
            number,
            LaunchTemplateVersion {
                template_id: id.clone(),
                template_name: spec.name.clone(),
                number,
                default: number == default,
                description: None,
                created_at: Some(world.now()),
                created_by: Some(format!("arn:aws:iam::{}:user/ada", world.aws.account)),
                data: template_data(world, &spec.name, version, text)?,
            },
        );
    }
    let template = LaunchTemplate {
        id: id.clone(),
        name: spec.name.clone(),
        default_version: default,
        latest_version: latest,
        operator: None,
        tags: BTreeMap::new(),
    };
    world.aws.ec2.templates.insert(id, Template { template, versions: known });
    Ok(())
}

fn template_data(
    world: &mut World,
    name: &str,
    spec: &TemplateVersionSpec,
    text: Text<'_>,
) -> Built<LaunchTemplateData> {
    let image_id = match (&spec.image, &spec.ami_type, spec.kubernetes) {
        (Some(image), None, None) => {
            if world.aws.ec2.image_id(image).is_none_or(|id| !world.aws.ec2.images.contains_key(&id)) {
                return text.wrong(&[name, image], format!("there is no image {image}"));
            }
            Some(image.clone())
        }
        (None, Some(ami_type), Some(minor)) => {
            let newest =
                world.aws.ec2.managed_image(ami_type, minor, None).map(|known| known.image.id.clone());
            let Some(newest) = newest else {
                return text.wrong(
                    &[name, ami_type],
                    format!("there is no image of {ami_type} for Kubernetes {minor}"),
                );
            };
            Some(if spec.outdated { release_before(world, &newest).unwrap_or(newest) } else { newest })
        }
        (None, None, None) => None,
        _ => return text.wrong(&[name], "a version has `image`, or `amiType` with `kubernetes`, or neither"),
    };
    if let Some(key) = &spec.key_name {
        world.aws.ec2.key_pairs.insert(key.clone());
    }
    if let Some(profile) = &spec.instance_profile {
        let account = &world.aws.account;
        let known = InstanceProfile {
            name: profile.clone(),
            arn: format!("arn:aws:iam::{account}:instance-profile/{profile}"),
            role_arns: vec![format!("arn:aws:iam::{account}:role/{profile}")],
        };
        world.aws.ec2.roles.insert(profile.clone(), known.role_arns.concat());
        world.aws.ec2.instance_profiles.insert(profile.clone(), known);
    }
    if let Some(id) = spec.security_groups.iter().find(|id| !world.aws.ec2.security_groups.contains_key(*id))
    {
        return text.wrong(&[name, id], format!("there is no security group {id}"));
    }
    let encoded = |data: &String| base64::engine::general_purpose::STANDARD.encode(data).into_bytes();
    Ok(LaunchTemplateData {
        image_id,
        instance_type: Some(spec.instance_type.clone().unwrap_or_else(super::large)),
        user_data: spec.user_data.as_ref().map(|data| Sensitive::new(encoded(data))),
        iam_instance_profile: spec.instance_profile.clone(),
        key_name: spec.key_name.clone(),
        security_group_ids: spec.security_groups.clone(),
        market: spec.market.clone(),
        http_tokens: Some("required".to_owned()),
        http_put_response_hop_limit: Some(2),
        ..LaunchTemplateData::default()
    })
}

/// The image of the same family and minor that was released before this one.
pub(super) fn release_before(world: &World, image: &str) -> Option<String> {
    let newest = world.aws.ec2.images.get(image)?;
    let head = |known: &KnownImage| {
        let name = known.image.name.clone()?;
        Some(name.rsplit_once(['v', '-'])?.0.to_owned())
    };
    let minor = newest.kubelet.as_ref()?.minor();
    let mut before: Vec<&KnownImage> = world
        .aws
        .ec2
        .images
        .values()
        .filter(|known| head(known) == head(newest) && known.image.creation_date < newest.image.creation_date)
        .filter(|known| known.kubelet.as_ref().is_some_and(|kubelet| kubelet.minor() == minor))
        .collect();
    before.sort_by_key(|known| known.image.creation_date);
    before.last().map(|known| known.image.id.clone())
}

/// Which version of which template.
pub(super) fn template_ref(
    world: &World,
    spec: &GroupTemplate,
    of: &str,
    text: Text<'_>,
) -> Built<LaunchTemplateRef> {
    let key = LaunchTemplateKey::Name(spec.name.clone());
    let Some(known) = world.aws.ec2.template(&key) else {
        return text.wrong(
            &[of, &spec.name],
            format!("{of} starts from launch template {}, which is not there", spec.name),
        );
    };
    let reference = LaunchTemplateRef {
        template: LaunchTemplateKey::Id(known.template.id.clone()),
        version: TemplateVersion::from(spec.version.as_str()),
    };
    if world.aws.ec2.resolve(&reference).is_err() {
        let message = format!(
            "launch template {} has no version {}; it has $Default, $Latest and 1 to {}",
            spec.name, spec.version, known.template.latest_version
        );
        return text.wrong(&[of, &spec.version], message);
    }
    Ok(reference)
}

/// The subnets that are meant: those that are named, or all.
pub(super) fn subnets<'n>(
    world: &World,
    named: impl Iterator<Item = &'n String>,
    of: &str,
    text: Text<'_>,
) -> Built<Vec<String>> {
    let named: Vec<String> = named.cloned().collect();
    if let Some(id) = named.iter().find(|id| !world.aws.ec2.subnets.contains_key(*id)) {
        let known: Vec<&str> = world.aws.ec2.subnets.keys().map(String::as_str).collect();
        return text.wrong(&[of, id], format!("there is no subnet {id}; there are {}", known.join(", ")));
    }
    Ok(if named.is_empty() { world.aws.ec2.subnets.keys().cloned().collect() } else { named })
}

/// Refuses sizes that contradict each other.
pub(super) fn sizes(
    (min, max, desired): (u32, u32, u32),
    place: &[&str],
    of: &str,
    text: Text<'_>,
) -> Built<(u32, u32, u32)> {
    if min <= desired && desired <= max {
        return Ok((min, max, desired));
    }
    text.wrong(
        place,
        format!("{of} wants {desired}, between {min} and {max}: desired is between min and max"),
    )
}

/// When something ended that ended so many hours before the beginning.
pub(super) fn hours_before(start: Timestamp, hours: u32) -> Timestamp {
    later(earlier(start, Duration::from_hours(u64::from(hours))), Duration::ZERO)
}
