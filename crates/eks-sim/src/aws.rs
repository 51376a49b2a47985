//! The AWS half: EKS, EC2 Auto Scaling, EC2, SSM.

use crate::World;

/// What is to happen in AWS.
#[derive(Debug)]
pub(crate) enum Event {}

/// What AWS holds.
#[derive(Debug, Default)]
pub(crate) struct State {}

/// Lets something happen.
pub(crate) fn happen(_world: &mut World, event: Event) {
    match event {}
}

/// The desired capacity of a group; `None` for a group that is not there.
pub(crate) fn desired_capacity(_world: &World, _group: &str) -> Option<u32> {
    None
}

/// cluster-autoscaler, or a person, sets a group's desired capacity.
pub(crate) fn set_desired(_world: &mut World, _group: &str, _desired: u32) {}

/// cluster-autoscaler terminates an instance and lowers the desired capacity.
pub(crate) fn terminate_with_decrement(_world: &mut World, _instance_id: &str) {}

/// Karpenter asks EC2 for an instance; its id.
pub(crate) fn launch_machine(_world: &mut World, _machine: crate::Machine) -> Option<String> {
    None
}

/// Karpenter terminates an instance of its own.
pub(crate) fn terminate_machine(_world: &mut World, _instance_id: &str) {}
