//! Instances: how they start, run, and go.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use async_trait::async_trait;
use eks_provider::Result;
use eks_provider::aws::{
    Instance, InstanceQuery, InstanceReader, InstanceState, InstanceStatus, InstanceWriter,
    LaunchTemplateVersion,
};

use crate::aws::call::{Answer, refuse};
use crate::aws::ec2::{Event, after, tags_fit, types};
use crate::bridge::Machine;
use crate::{Sim, World, aws};

/// An instance, and what it will be in its cluster.
#[derive(Debug, Clone)]
pub(crate) struct Running {
    pub(crate) instance: Instance,
    /// The addresses that it took of its subnet.
    addresses: Vec<u32>,
    /// The node that it will be, where it joins a cluster.
    pub(crate) machine: Option<Machine>,
    /// When it began to run.
    pub(crate) up_since: Option<jiff::Timestamp>,
    /// What EC2 plans to do to it.
    pub(crate) events: Vec<eks_provider::aws::InstanceEvent>,
    pub(crate) impaired: bool,
}

impl Running {
    /// Whether it is not gone and not going.
    pub(crate) fn is_there(&self) -> bool {
        !matches!(self.instance.state, InstanceState::ShuttingDown | InstanceState::Terminated)
    }
}

/// Why EC2 starts no instance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct NoInstance {
    pub(crate) code: &'static str,
    pub(crate) message: String,
}

/// What an instance is started with.
#[derive(Debug, Clone)]
pub(crate) struct Launch {
    pub(crate) version: LaunchTemplateVersion,
    pub(crate) instance_type: String,
    pub(crate) image_id: String,
    pub(crate) subnet_id: String,
    pub(crate) spot: bool,
    pub(crate) tags: BTreeMap<String, String>,
    pub(crate) group: Option<String>,
    /// The cluster that it joins, with labels and taints.
    pub(crate) join: Option<Join>,
}

/// How an instance joins a cluster.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Join {
    pub(crate) cluster: String,
    pub(crate) labels: BTreeMap<String, String>,
    pub(crate) taints: Vec<String>,
}

/// Starts an instance.
///
/// Codes: <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html>. What is checked: image, key pair,
/// security groups, instance profile, type and its architecture, offering, quota, addresses, capacity of the zone.
pub(crate) fn launch(world: &mut World, launch: &Launch) -> std::result::Result<String, NoInstance> {
    let no = |code, message: String| Err(NoInstance { code, message });
    let ec2 = &world.aws.ec2;
    let data = &launch.version.data;
    let Some(image) = ec2.usable_image(&launch.image_id) else {
        return no("InvalidAMIID.NotFound", format!("The image id '[{}]' does not exist", launch.image_id));
    };
    let architecture = image.image.architecture.clone();
    let kubelet = image.kubelet.clone();
    if let Some(key) = data.key_name.as_ref().filter(|key| !ec2.key_pairs.contains(*key)) {
        return no("InvalidKeyPair.NotFound", format!("The key pair '{key}' does not exist"));
    }
    if let Some(group) = data.security_group_ids.iter().find(|id| !ec2.security_groups.contains_key(*id)) {
        return no("InvalidGroup.NotFound", format!("The security group '{group}' does not exist"));
    }
    if let Some(profile) = &data.iam_instance_profile {
        let name = profile.rsplit('/').next().unwrap_or(profile);
        if !ec2.instance_profiles.contains_key(name) {
            let message = format!("Value ({profile}) for parameter iamInstanceProfile.name is invalid");
            return no("InvalidParameterValue", message);
        }
    }
    let Some(subnet) = ec2.subnets.get(&launch.subnet_id) else {
        return no(
            "InvalidSubnetID.NotFound",
            format!("The subnet ID '{}' does not exist", launch.subnet_id),
        );
    };
    let zone = subnet.subnet.availability_zone.clone();
    let vpc_id = subnet.subnet.vpc_id.clone();
    let Some(kind) = ec2.types.get(&launch.instance_type).cloned() else {
        return no(
            "InvalidParameterValue",
            format!("Invalid value '{}' for InstanceType.", launch.instance_type),
        );
    };
    if architecture.as_ref().is_some_and(|architecture| !kind.architectures.contains(architecture)) {
        let message =
            "The architecture of the specified instance type does not match the architecture of the AMI.";
        return no("InvalidParameterValue", message.to_owned());
    }
    if ec2.not_offered.contains(&(zone.clone(), launch.instance_type.clone())) {
        let message =
            format!("Your requested instance type ({}) is not supported in {zone}.", launch.instance_type);
        return no("Unsupported", message);
    }
    if !launch.spot && ec2.vcpus_left().is_some_and(|left| left < kind.vcpus) {
        let message = "You have requested more vCPU capacity than your current vCPU limit allows";
        return no("VcpuLimitExceeded", message.to_owned());
    }
    let full = ec2
        .zone_capacity
        .get(&zone)
        .is_some_and(|limit| u32::try_from(ec2.in_zone(&zone)).unwrap_or(u32::MAX) >= *limit);
    if full {
        let message = format!(
            "We currently do not have sufficient {} capacity in the Availability Zone you requested ({zone}).",
            launch.instance_type
        );
        return no("InsufficientInstanceCapacity", message);
    }
    let each = ec2.addresses_per_instance.max(1);
    let region = world.aws.region.clone();
    let Some(subnet) = world.aws.ec2.subnets.get_mut(&launch.subnet_id) else {
        return no("InvalidSubnetID.NotFound", launch.subnet_id.clone());
    };
    let Some(addresses) = subnet.take(each) else {
        let message = "There are not enough free addresses in the requested subnet.";
        return no("InsufficientFreeAddressesInSubnet", message.to_owned());
    };
    let address = subnet.address(addresses.first().copied().unwrap_or(0)).to_string();
    let id = format!("i-0{}", world.random.hex(16));
    let dns = private_dns_name(&region, &address);
    let fault = world.machine_fault(launch.group.as_deref(), &launch.image_id);
    let machine = launch.join.as_ref().and_then(|join| {
        let mut labels = join.labels.clone();
        if labels.contains_key("eks.amazonaws.com/nodegroup") {
            labels.insert("eks.amazonaws.com/nodegroup-image".to_owned(), launch.image_id.clone());
        }
        Some(Machine {
            instance_id: id.clone(),
            cluster: join.cluster.clone(),
            node_name: dns.clone(),
            zone: zone.clone(),
            region: region.clone(),
            instance_type: launch.instance_type.clone(),
            image_id: launch.image_id.clone(),
            kubelet: kubelet.clone()?,
            cpu_milli: u64::from(kind.vcpus) * 1000,
            memory: kind.memory_mib * 1024 * 1024,
            pods: types::max_pods(&kind),
            address: address.clone(),
            labels,
            taints: join.taints.clone(),
            group: launch.group.clone(),
            fault,
        })
    });
    let mut tags = data.instance_tags.clone();
    tags.extend(launch.tags.clone());
    tags.insert("aws:ec2launchtemplate:id".to_owned(), launch.version.template_id.clone());
    tags.insert("aws:ec2launchtemplate:version".to_owned(), launch.version.number.to_string());
    let instance = Instance {
        id: id.clone(),
        state: InstanceState::Pending,
        state_reason: None,
        image_id: Some(launch.image_id.clone()),
        instance_type: Some(launch.instance_type.clone()),
        architecture,
        platform: None,
        launch_time: Some(world.now()),
        availability_zone: Some(zone),
        subnet_id: Some(launch.subnet_id.clone()),
        vpc_id: Some(vpc_id),
        private_dns_name: Some(dns),
        private_ip_address: Some(address),
        security_group_ids: data.security_group_ids.clone(),
        iam_instance_profile_arn: data.iam_instance_profile.clone(),
        key_name: data.key_name.clone(),
        lifecycle: launch.spot.then(|| "spot".to_owned()),
        operator: None,
        tags,
    };
    let running =
        Running { instance, addresses, machine, up_since: None, events: Vec::new(), impaired: false };
    world.aws.ec2.instances.insert(id.clone(), running);
    let start = Duration::from_secs(15 + world.random.below(30));
    after(world, start, Event::Running(id.clone()));
    Ok(id)
}

/// The name of an instance within its VPC.
/// <https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/hostname-types.html>
fn private_dns_name(region: &str, address: &str) -> String {
    let host = format!("ip-{}", address.replace('.', "-"));
    if region == "us-east-1" {
        format!("{host}.ec2.internal")
    } else {
        format!("{host}.{region}.compute.internal")
    }
}

/// Starts an instance that no group asked for (Karpenter's): in the zone that it names, of the image it names.
#[allow(dead_code, reason = "the Kubernetes half of the world calls it")]
pub(crate) fn launch_for(world: &mut World, machine: &Machine) -> Option<String> {
    let subnet_id = world
        .aws
        .ec2
        .subnets
        .values()
        .filter(|known| known.subnet.availability_zone == machine.zone)
        .max_by_key(|known| known.free())
        .map(|known| known.subnet.id.clone())?;
    let version = LaunchTemplateVersion {
        template_id: "lt-0karpenter".to_owned(),
        template_name: "karpenter".to_owned(),
        number: 1,
        default: true,
        description: None,
        created_at: None,
        created_by: None,
        data: eks_provider::aws::LaunchTemplateData::default(),
    };
    let request = Launch {
        version,
        instance_type: machine.instance_type.clone(),
        image_id: machine.image_id.clone(),
        subnet_id,
        spot: false,
        tags: BTreeMap::from([("karpenter.sh/managed-by".to_owned(), machine.cluster.clone())]),
        group: None,
        join: Some(Join {
            cluster: machine.cluster.clone(),
            labels: machine.labels.clone(),
            taints: machine.taints.clone(),
        }),
    };
    launch(world, &request).ok()
}

/// The machines of a cluster that run, and are no reserve of a warm pool.
pub(crate) fn running_machines(world: &World, cluster: &str) -> Vec<Machine> {
    let of_it = |machine: &&Machine| machine.cluster == cluster;
    let running = world.aws.ec2.instances.iter().filter(|(id, running)| {
        running.instance.state == InstanceState::Running && !aws::asg::lifecycle::is_warmed(world, id)
    });
    running.filter_map(|(_, running)| running.machine.as_ref()).filter(of_it).cloned().collect()
}

/// An instance runs: its group sees it, and its kubelet starts.
pub(crate) fn runs(world: &mut World, id: &str) {
    let now = world.now();
    let Some(running) = world.aws.ec2.instances.get_mut(id) else { return };
    if running.instance.state != InstanceState::Pending {
        return;
    }
    running.instance.state = InstanceState::Running;
    running.up_since = Some(now);
    let machine = running.machine.clone();
    aws::asg::lifecycle::runs(world, id);
    // An instance of a warm pool joins when it is taken out of it.
    if !aws::asg::lifecycle::is_warmed(world, id)
        && let Some(machine) = machine
    {
        crate::bridge::machine_started(world, machine);
    }
}

/// Terminates an instance: it shuts down, is gone a little later, and is shown for an hour.
/// <https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/terminating-instances.html>
pub(crate) fn terminate(world: &mut World, id: &str, reason: &str) {
    let Some(running) = world.aws.ec2.instances.get_mut(id) else { return };
    if !running.is_there() {
        return;
    }
    running.instance.state = InstanceState::ShuttingDown;
    running.instance.state_reason = Some(reason.to_owned());
    crate::bridge::machine_stopped(world, id);
    let wait = Duration::from_secs(20 + world.random.below(40));
    after(world, wait, Event::Terminated(id.to_owned()));
}

/// EC2 ends an instance of its own accord; its group finds it missing.
pub(crate) fn end(world: &mut World, id: &str, reason: &str) {
    terminate(world, id, reason);
    aws::asg::health::lost(world, id);
}

/// An instance is gone: its addresses come back.
pub(crate) fn terminated(world: &mut World, id: &str) {
    let Some(running) = world.aws.ec2.instances.get_mut(id) else { return };
    running.instance.state = InstanceState::Terminated;
    running.instance.private_ip_address = None;
    let addresses = std::mem::take(&mut running.addresses);
    let subnet = running.instance.subnet_id.clone().unwrap_or_default();
    if let Some(subnet) = world.aws.ec2.subnets.get_mut(&subnet) {
        subnet.give_back(&addresses);
    }
    crate::bridge::machine_gone(world, id);
    aws::asg::lifecycle::terminated(world, id);
    after(world, Duration::from_hours(1), Event::Forgotten(id.to_owned()));
}

#[async_trait]
impl InstanceReader for Sim {
    async fn describe_instances(&self, query: &InstanceQuery) -> Result<Vec<Instance>> {
        self.read("ec2:DescribeInstances", "instances", |view| {
            let all = &view.aws.ec2.instances;
            let fits = |instance: &&Instance| {
                (query.states.is_empty() || query.states.contains(&instance.state))
                    && tags_fit(&query.tags, |key| instance.tags.get(key).map(String::as_str))
            };
            let one = |running: &'_ Running| Some(running.instance.clone()).filter(|found| fits(&found));
            Ok(match &query.ids {
                None => all.values().filter_map(one).collect(),
                Some(ids) => ids.iter().filter_map(|id| all.get(id)).filter_map(one).collect(),
            })
        })
        .await
    }

    async fn describe_instance_status(&self, ids: &BTreeSet<String>) -> Result<Vec<InstanceStatus>> {
        self.read("ec2:DescribeInstanceStatus", "instances", |view| {
            let status = |running: &Running| {
                let word = match running.instance.state {
                    InstanceState::Pending => "initializing",
                    InstanceState::Running if running.impaired => "impaired",
                    InstanceState::Running => "ok",
                    InstanceState::ShuttingDown
                    | InstanceState::Terminated
                    | InstanceState::Stopping
                    | InstanceState::Stopped
                    | InstanceState::Other(_) => "not-applicable",
                };
                InstanceStatus {
                    instance_id: running.instance.id.clone(),
                    instance_status: Some(word.to_owned()),
                    system_status: Some(word.to_owned()),
                    events: running.events.clone(),
                }
            };
            Ok(ids.iter().filter_map(|id| view.aws.ec2.instances.get(id)).map(status).collect())
        })
        .await
    }
}

/// Terminates by a call of EC2: one that is not there refuses all.
/// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_TerminateInstances.html>
pub(crate) fn terminate_all(
    world: &mut World,
    ids: &BTreeSet<String>,
) -> Answer<BTreeMap<String, InstanceState>> {
    if let Some(missing) = ids.iter().find(|id| !world.aws.ec2.instances.contains_key(*id)) {
        return refuse("InvalidInstanceID.NotFound", format!("The instance ID '{missing}' does not exist"));
    }
    for id in ids {
        terminate(world, id, "Client.UserInitiatedShutdown: User initiated shutdown");
        aws::asg::health::lost(world, id);
    }
    let state = |id: &String| Some((id.clone(), world.aws.ec2.instances.get(id)?.instance.state.clone()));
    Ok(ids.iter().filter_map(state).collect())
}

#[async_trait]
impl InstanceWriter for Sim {
    async fn terminate_instances(&self, ids: &BTreeSet<String>) -> Result<BTreeMap<String, InstanceState>> {
        let target = format!("instances {}", ids.iter().cloned().collect::<Vec<_>>().join(", "));
        self.write("ec2:TerminateInstances", target, ids, |world| terminate_all(world, ids)).await
    }
}
