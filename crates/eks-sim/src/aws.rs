//! The AWS half: EKS, EC2 Auto Scaling, EC2, SSM, and what stands around them.
//!
//! Rules have their source beside them. Where AWS says nothing, a rule says so: "nowhere documented".

pub(crate) mod asg;
mod call;
pub(crate) mod ec2;
pub(crate) mod eks;
mod identity;
mod script;
mod tokens;

pub use eks::{DeprecatedUse, Rules};
pub use script::{Pick, Script};

use crate::World;

/// What is to happen in AWS.
#[derive(Debug)]
pub(crate) enum Event {
    Eks(eks::Event),
    Asg(asg::Event),
    Ec2(ec2::Event),
    Script(Box<Script>),
}

/// What AWS holds.
#[derive(Debug, Clone, Default)]
pub(crate) struct State {
    pub(crate) region: String,
    pub(crate) account: String,
    pub(crate) eks: eks::State,
    pub(crate) asg: asg::State,
    pub(crate) ec2: ec2::State,
    pub(crate) identity: identity::State,
    pub(crate) tokens: tokens::Tokens,
}

/// Lets something happen.
pub(crate) fn happen(world: &mut World, event: Event) {
    match event {
        Event::Eks(event) => eks::happen(world, event),
        Event::Asg(event) => asg::happen(world, event),
        Event::Ec2(event) => ec2::happen(world, event),
        Event::Script(script) => script::play(world, *script),
    }
}

/// The desired capacity of a group; `None` for a group that is not there.
pub(crate) fn desired_capacity(world: &World, group: &str) -> Option<u32> {
    Some(world.aws.asg.groups.get(group)?.group.desired_capacity)
}

/// cluster-autoscaler, or a person, sets a group's desired capacity.
pub(crate) fn set_desired(world: &mut World, group: &str, desired: u32) {
    world.remember();
    // Who asked sees what came of it; a refusal changes nothing.
    let _ = asg::size::set_desired_capacity(world, group, desired);
}

/// cluster-autoscaler terminates an instance and lowers the desired capacity.
pub(crate) fn terminate_with_decrement(world: &mut World, instance_id: &str) {
    world.remember();
    let _ = asg::terminate::by_request(world, instance_id, true);
}

/// Karpenter asks EC2 for an instance; its id.
#[expect(clippy::needless_pass_by_value, reason = "the machine is the new one's from here on")]
pub(crate) fn launch_machine(world: &mut World, machine: crate::Machine) -> Option<String> {
    world.remember();
    ec2::instances::launch_for(world, &machine)
}

/// Karpenter terminates an instance of its own.
pub(crate) fn terminate_machine(world: &mut World, instance_id: &str) {
    world.remember();
    ec2::instances::terminate(world, instance_id, "Client.UserInitiatedShutdown: User initiated shutdown");
}

/// What an instance of a type has: thousandths of a CPU, bytes, Pods; `None` for a type that is not offered.
pub(crate) fn type_of(world: &World, name: &str) -> Option<(u64, u64, u64)> {
    let kind = world.aws.ec2.types.get(name)?;
    Some((u64::from(kind.vcpus) * 1000, kind.memory_mib << 20, ec2::types::max_pods(kind)))
}

/// The newest EKS optimised image of Amazon Linux 2023 for a minor: what Karpenter's alias `al2023@latest` means.
pub(crate) fn newest_image(world: &World, minor: eks_model::KubeMinor, arm: bool) -> Option<String> {
    let ami_type = if arm { "AL2023_ARM_64_STANDARD" } else { "AL2023_x86_64_STANDARD" };
    world.aws.ec2.managed_image(ami_type, minor, None).map(|known| known.image.id.clone())
}

/// Whether an instance starts or runs.
pub(crate) fn lives(world: &World, instance_id: &str) -> bool {
    use eks_provider::aws::InstanceState;
    let instance = world.aws.ec2.instances.get(instance_id).map(|running| &running.instance);
    instance.is_some_and(|one| matches!(one.state, InstanceState::Pending | InstanceState::Running))
}
