//! EC2, and what an instance starts from: templates, images, networks, types, keys, quotas, load balancing.

pub(crate) mod images;
pub(crate) mod instances;
pub(crate) mod keys;
pub(crate) mod network;
pub(crate) mod targets;
pub(crate) mod templates;
pub(crate) mod types;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use eks_provider::aws::{
    AvailabilityZone, InstanceProfile, InstanceType, KeyState, Parameter, SecurityGroup, ServiceQuota,
    TargetGroup,
};

use crate::World;

/// What is to happen in EC2.
#[derive(Debug)]
pub(crate) enum Event {
    Running(String),
    Terminated(String),
    Forgotten(String),
    /// A spot instance is taken back.
    Interrupted(String),
    /// The machine under an instance is retired.
    Retired(String),
}

/// What EC2 and its neighbours hold.
#[derive(Debug, Clone, Default)]
pub(crate) struct State {
    pub(crate) templates: BTreeMap<String, templates::Template>,
    pub(crate) instances: BTreeMap<String, instances::Running>,
    pub(crate) images: BTreeMap<String, images::KnownImage>,
    pub(crate) parameters: BTreeMap<String, Parameter>,
    pub(crate) subnets: BTreeMap<String, network::KnownSubnet>,
    pub(crate) security_groups: BTreeMap<String, SecurityGroup>,
    pub(crate) zones: BTreeMap<String, AvailabilityZone>,
    /// How many instances a zone takes at most, where that is limited.
    pub(crate) zone_capacity: BTreeMap<String, u32>,
    pub(crate) types: BTreeMap<String, InstanceType>,
    /// Types that a zone does not offer.
    pub(crate) not_offered: BTreeSet<(String, String)>,
    pub(crate) key_pairs: BTreeSet<String>,
    pub(crate) instance_profiles: BTreeMap<String, InstanceProfile>,
    pub(crate) roles: BTreeMap<String, String>,
    pub(crate) kms_keys: BTreeMap<String, KeyState>,
    pub(crate) quotas: BTreeMap<(String, String), ServiceQuota>,
    pub(crate) target_groups: BTreeMap<String, TargetGroup>,
    pub(crate) targets: BTreeMap<(String, String), targets::Target>,
    /// How many addresses of its subnet an instance takes.
    pub(crate) addresses_per_instance: u32,
}

/// Lets something happen.
pub(crate) fn happen(world: &mut World, event: Event) {
    match event {
        Event::Running(id) => instances::runs(world, &id),
        Event::Terminated(id) => instances::terminated(world, &id),
        Event::Forgotten(id) => {
            world.aws.ec2.instances.remove(&id);
        }
        Event::Interrupted(id) => {
            instances::end(world, &id, "Server.SpotInstanceTermination: Spot instance termination");
        }
        Event::Retired(id) => instances::end(world, &id, "Server.ScheduledStop: retired"),
    }
}

/// Puts something of EC2 into the future.
pub(crate) fn after(world: &mut World, delay: Duration, event: Event) {
    world.after(delay, crate::world::Event::Aws(crate::aws::Event::Ec2(event)));
}

/// Whether tags have all that is asked for.
pub(crate) fn tags_fit<'t>(
    wanted: &BTreeMap<String, Vec<String>>,
    value_of: impl Fn(&str) -> Option<&'t str>,
) -> bool {
    wanted.iter().all(|(key, values)| {
        value_of(key).is_some_and(|value| values.is_empty() || values.iter().any(|one| one == value))
    })
}
