//! What happens to a world from outside, at set times: people (F14), alarms (F15), spot interruptions (F11), AWS itself.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use eks_model::KubeMinor;
use eks_provider::aws::{
    AddonStatus, GroupTag, ImageState, InsightStatus, Issue, LaunchTemplateKey, LaunchTemplateRef,
    LifecycleState, ScalingProcess, TemplateVersion, UpdateAutoScalingGroup,
};
use serde::{Deserialize, Serialize};

use crate::World;
use crate::aws::asg::{self, health, refresh, schedule, size};
use crate::aws::ec2;
use crate::aws::eks::{insights, versions};

/// Which instance of a group: the nth in service, the oldest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Pick {
    /// The group.
    pub group: String,
    /// Only in this zone.
    #[serde(default)]
    pub zone: Option<String>,
    /// 0 is the oldest.
    #[serde(default)]
    pub nth: usize,
}

/// Something that happens to a world from outside. What is not there is left alone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "kebab-case", rename_all_fields = "camelCase", deny_unknown_fields)]
pub enum Script {
    /// Somebody sets the desired capacity of a group.
    SetDesired {
        /// The group.
        group: String,
        /// How many.
        desired: u32,
    },
    /// Somebody sets limits of a group.
    SetSizes {
        /// The group.
        group: String,
        /// The new minimum.
        #[serde(default)]
        min: Option<u32>,
        /// The new maximum.
        #[serde(default)]
        max: Option<u32>,
    },
    /// Somebody points a group at another version of its template.
    SetTemplateVersion {
        /// The group.
        group: String,
        /// `$Latest`, `$Default`, or a number.
        version: String,
    },
    /// Somebody makes a version of a template, like its newest one; it may become the default.
    AddTemplateVersion {
        /// The template, by name.
        template: String,
        /// Its image.
        image: String,
        /// Whether it becomes the default.
        #[serde(default)]
        default: bool,
    },
    /// Somebody sets tags of a group, or takes some away.
    SetTags {
        /// The group.
        group: String,
        /// What is set.
        #[serde(default)]
        set: BTreeMap<String, String>,
        /// The keys of what is taken away.
        #[serde(default)]
        remove: BTreeSet<String>,
    },
    /// Somebody suspends processes of a group.
    Suspend {
        /// The group.
        group: String,
        /// Which.
        processes: BTreeSet<ScalingProcess>,
    },
    /// Somebody resumes processes of a group.
    Resume {
        /// The group.
        group: String,
        /// Which.
        processes: BTreeSet<ScalingProcess>,
    },
    /// Somebody terminates an instance in the console of EC2.
    TerminateInstance {
        /// Which.
        instance: Pick,
    },
    /// EC2 takes spot instances back, two minutes after it said so.
    SpotInterruption {
        /// Which.
        instance: Pick,
    },
    /// EC2 plans to retire the machine under an instance.
    PlanRetirement {
        /// Which.
        instance: Pick,
        /// In so many seconds.
        after_seconds: u64,
    },
    /// The machine under an instance fails its checks.
    Impair {
        /// Which.
        instance: Pick,
    },
    /// Somebody, or a health check of their own, says that an instance is unhealthy.
    Unhealthy {
        /// Which.
        instance: Pick,
    },
    /// An instance fails the health checks of its target groups (F25).
    TargetUnhealthy {
        /// Which.
        instance: Pick,
    },
    /// A target never leaves `draining` (F21).
    TargetStuck {
        /// Which.
        instance: Pick,
    },
    /// A load balancer controller takes an instance out of the target groups of its group (F21).
    DeregisterTarget {
        /// Which.
        instance: Pick,
    },
    /// A load balancer controller puts an instance back into the target groups of its group (F21).
    RegisterTarget {
        /// Which.
        instance: Pick,
    },
    /// An alarm goes off (F15).
    Alarm {
        /// The group.
        group: String,
        /// By how many the size is to change.
        change: i32,
    },
    /// Somebody starts an instance refresh (F15).
    StartInstanceRefresh {
        /// The group.
        group: String,
        /// Another version of its template.
        #[serde(default)]
        version: Option<String>,
        /// How many percent stay.
        #[serde(default = "ninety")]
        min_healthy_percentage: u32,
    },
    /// Somebody cancels it.
    CancelInstanceRefresh {
        /// The group.
        group: String,
    },
    /// A zone takes so many instances at most, or any number again (F10).
    ZoneCapacity {
        /// The zone.
        zone: String,
        /// How many; nothing is any number.
        #[serde(default)]
        instances: Option<u32>,
    },
    /// A zone is impaired, or available again.
    ZoneState {
        /// The zone.
        zone: String,
        /// `available`, `impaired`, `unavailable`.
        state: String,
    },
    /// Something else takes addresses of a subnet (F10).
    HoldAddresses {
        /// The subnet.
        subnet: String,
        /// How many it holds from now on.
        addresses: u32,
    },
    /// An image is deregistered (F10).
    DeregisterImage {
        /// Its id.
        image: String,
    },
    /// AWS releases images of a minor: parameters move.
    ReleaseImages {
        /// The minor.
        kubernetes: KubeMinor,
    },
    /// Somebody deletes a key pair.
    DeleteKeyPair {
        /// Its name.
        name: String,
    },
    /// EKS finds an insight as it is said here, whatever it would find itself; `UNSET` ends that.
    OverrideInsight {
        /// The cluster.
        cluster: String,
        /// The insight, by name.
        name: String,
        /// `PASSING`, `WARNING`, `ERROR`, `UNKNOWN`, `UNSET`.
        status: String,
    },
    /// An add-on is not healthy, or is again.
    AddonHealth {
        /// The cluster.
        cluster: String,
        /// The add-on.
        addon: String,
        /// EKS's code (`InsufficientNumberOfReplicas`); nothing is healthy.
        #[serde(default)]
        code: Option<String>,
    },
    /// Somebody changes a field of an add-on that EKS manages.
    ChangeAddonField {
        /// The cluster.
        cluster: String,
        /// The add-on.
        addon: String,
    },
    /// EKS finds something wrong with a cluster, or nothing any more.
    ClusterHealth {
        /// The cluster.
        cluster: String,
        /// EKS's code (`KmsKeyNotFound`); nothing is healthy.
        #[serde(default)]
        code: Option<String>,
    },
}

fn ninety() -> u32 {
    90
}

/// The nth instance of a group in service, the oldest first.
pub(crate) fn picked(world: &World, pick: &Pick) -> Option<String> {
    let group = world.aws.asg.groups.get(&pick.group)?;
    let mut members: Vec<_> = group
        .active()
        .filter(|member| member.view.lifecycle_state == LifecycleState::InService)
        .filter(|member| pick.zone.as_ref().is_none_or(|zone| *zone == member.view.availability_zone))
        .map(|member| (member.launched, &member.view.instance_id))
        .collect();
    members.sort();
    members.get(pick.nth).map(|(_, id)| (*id).clone())
}

impl World {
    /// Lets something happen from outside, now.
    pub fn play(&mut self, script: Script) {
        self.remember();
        play(self, script);
    }
}

/// Plays it. What a service would refuse does not happen.
pub(crate) fn play(world: &mut World, script: Script) {
    match script {
        Script::SetDesired { group, desired } => drop(size::set_desired_capacity(world, &group, desired)),
        Script::SetSizes { group, min, max } => {
            let update =
                UpdateAutoScalingGroup { min_size: min, max_size: max, ..UpdateAutoScalingGroup::of(group) };
            drop(size::update(world, &update));
        }
        Script::SetTemplateVersion { group, version } => set_template_version(world, &group, &version),
        Script::AddTemplateVersion { template, image, default } => {
            add_template_version(world, template, &image, default);
        }
        Script::SetTags { group, set, remove } => {
            let Some(known) = world.aws.asg.groups.get_mut(&group) else { return };
            known.group.tags.retain(|key, _| !remove.contains(key));
            let tag = |value| GroupTag { value, propagate_at_launch: false };
            known.group.tags.extend(set.into_iter().map(|(key, value)| (key, tag(value))));
        }
        Script::Suspend { group, processes } => {
            if let Some(known) = world.aws.asg.groups.get_mut(&group) {
                asg::write::suspend(&mut known.group.suspended_processes, &processes, "User suspended");
            }
        }
        Script::Resume { group, processes } => asg::write::resume(world, &group, &processes),
        Script::TerminateInstance { instance } => {
            if let Some(id) = picked(world, &instance) {
                drop(ec2::instances::terminate_all(world, &BTreeSet::from([id])));
            }
        }
        Script::SpotInterruption { instance } => {
            if let Some(id) = picked(world, &instance) {
                ec2::after(world, Duration::from_mins(2), ec2::Event::Interrupted(id));
            }
        }
        Script::PlanRetirement { instance, after_seconds } => {
            plan_retirement(world, &instance, after_seconds);
        }
        Script::Impair { instance } => {
            let Some(id) = picked(world, &instance) else { return };
            if let Some(running) = world.aws.ec2.instances.get_mut(&id) {
                running.impaired = true;
            }
            health::lost(world, &id);
        }
        Script::Unhealthy { instance } => {
            if let Some(id) = picked(world, &instance) {
                health::unhealthy(world, &id);
            }
        }
        Script::TargetUnhealthy { instance } => {
            if let Some(id) = picked(world, &instance) {
                health::target_unhealthy(world, &id);
            }
        }
        Script::TargetStuck { instance } => {
            if let Some(id) = picked(world, &instance) {
                let targets = world.aws.ec2.targets.iter_mut().filter(|((_, target), _)| *target == id);
                targets.for_each(|(_, target)| target.stuck = true);
            }
        }
        Script::DeregisterTarget { instance } => {
            let Some(id) = picked(world, &instance) else { return };
            let Some(group) = world.aws.asg.groups.get(&instance.group) else { return };
            let arns = group.group.target_group_arns.clone();
            ec2::targets::deregister(world, &arns, &id);
        }
        Script::RegisterTarget { instance } => {
            let Some(id) = picked(world, &instance) else { return };
            let Some(group) = world.aws.asg.groups.get(&instance.group) else { return };
            let arns = group.group.target_group_arns.clone();
            let zone = group.members.get(&id).map(|member| member.view.availability_zone.clone());
            ec2::targets::register(world, &arns, &id, &zone.unwrap_or_default());
        }
        Script::Alarm { group, change } => schedule::alarm(world, &group, "scripted-alarm", change),
        Script::StartInstanceRefresh { group, version, min_healthy_percentage } => {
            let template = version.and_then(|version| template_of(world, &group, &version));
            drop(refresh::start(world, &group, template, min_healthy_percentage));
        }
        Script::CancelInstanceRefresh { group } => refresh::cancel(world, &group),
        Script::ZoneCapacity { zone, instances: Some(most) } => {
            world.aws.ec2.zone_capacity.insert(zone, most);
        }
        Script::ZoneCapacity { zone, instances: None } => {
            world.aws.ec2.zone_capacity.remove(&zone);
        }
        Script::ZoneState { zone, state } => {
            if let Some(known) = world.aws.ec2.zones.get_mut(&zone) {
                known.state = state;
            }
        }
        Script::HoldAddresses { subnet, addresses } => {
            if let Some(known) = world.aws.ec2.subnets.get_mut(&subnet) {
                known.hold_elsewhere(addresses);
            }
        }
        Script::DeregisterImage { image } => {
            if let Some(known) = world.aws.ec2.images.get_mut(&image) {
                known.image.state = ImageState::Deregistered;
            }
        }
        Script::ReleaseImages { kubernetes } => {
            let now = world.now();
            let day = versions::day(now).to_string().replace('-', "");
            world.aws.ec2.release_images(kubernetes, versions::patch(kubernetes, now), &day, now);
        }
        Script::DeleteKeyPair { name } => {
            world.aws.ec2.key_pairs.remove(&name);
        }
        Script::OverrideInsight { cluster, name, status } => {
            if let Some(known) = world.aws.eks.clusters.get_mut(&cluster) {
                if status == "UNSET" {
                    known.overridden.remove(&name);
                } else {
                    known.overridden.insert(name, InsightStatus::from(status.as_str()));
                }
            }
            insights::look(world, &cluster);
        }
        Script::AddonHealth { cluster, addon, code } => {
            let known =
                world.aws.eks.clusters.get_mut(&cluster).and_then(|known| known.addons.get_mut(&addon));
            if let Some(known) = known.filter(|known| known.doing.is_none()) {
                known.addon.health = code.iter().map(|code| issue(code)).collect();
                known.addon.status = if code.is_some() { AddonStatus::Degraded } else { AddonStatus::Active };
            }
        }
        Script::ChangeAddonField { cluster, addon } => {
            let known =
                world.aws.eks.clusters.get_mut(&cluster).and_then(|known| known.addons.get_mut(&addon));
            if let Some(known) = known {
                known.changed_by_others = true;
            }
        }
        Script::ClusterHealth { cluster, code } => {
            if let Some(known) = world.aws.eks.clusters.get_mut(&cluster) {
                known.cluster.health = code.iter().map(|code| issue(code)).collect();
            }
        }
    }
}

fn issue(code: &str) -> Issue {
    Issue { code: code.to_owned(), message: format!("simulated: {code}"), resource_ids: Vec::new() }
}

/// Another version of the template that a group starts from.
fn template_of(world: &World, group: &str, version: &str) -> Option<LaunchTemplateRef> {
    use eks_provider::aws::LaunchSource;
    let template = match &world.aws.asg.groups.get(group)?.group.launch {
        LaunchSource::Template(template) => template.template.clone(),
        LaunchSource::Mixed(policy) => policy.template.template.clone(),
        LaunchSource::Configuration(_) | LaunchSource::Unstated => return None,
    };
    Some(LaunchTemplateRef { template, version: TemplateVersion::from(version) })
}

fn set_template_version(world: &mut World, group: &str, version: &str) {
    use eks_provider::aws::LaunchSource;
    let Some(template) = template_of(world, group, version) else { return };
    match world.aws.asg.groups.get_mut(group).map(|known| &mut known.group.launch) {
        Some(LaunchSource::Mixed(policy)) => policy.template = template,
        Some(launch) => *launch = LaunchSource::Template(template),
        None => {}
    }
}

fn add_template_version(world: &mut World, name: String, image: &str, default: bool) {
    let key = LaunchTemplateKey::Name(name);
    let Some(latest) = world.aws.ec2.template(&key).map(|known| known.template.latest_version) else {
        return;
    };
    let change = |data: &mut eks_provider::aws::LaunchTemplateData| data.image_id = Some(image.to_owned());
    let made = ec2::templates::add_version(
        world,
        &key,
        latest,
        "by hand",
        change,
        "arn:aws:iam::111122223333:user/ada",
    );
    if let Ok(made) = made
        && default
        && let Some(known) = world.aws.ec2.templates.get_mut(&made.template_id)
    {
        known.template.default_version = made.number;
    }
}

fn plan_retirement(world: &mut World, pick: &Pick, after_seconds: u64) {
    let not_before = crate::world::later(world.now(), Duration::from_secs(after_seconds));
    let Some(id) = picked(world, pick) else { return };
    if let Some(running) = world.aws.ec2.instances.get_mut(&id) {
        running.events.push(eks_provider::aws::InstanceEvent {
            code: "instance-retirement".to_owned(),
            description: Some("The instance is running on degraded hardware".to_owned()),
            not_before: Some(not_before),
        });
    }
    ec2::after(world, Duration::from_secs(after_seconds), ec2::Event::Retired(id));
}
