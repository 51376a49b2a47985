//! The Kubernetes half: nodes, Pods, workloads, budgets, evictions, volumes.

mod scenario;

pub use self::scenario::{Scenario, ScenarioError, apply};

use crate::World;

/// What is to happen in Kubernetes.
#[derive(Debug)]
pub(crate) enum Event {}

/// What the cluster holds.
#[derive(Debug, Default)]
pub(crate) struct State {}

/// Lets something happen.
#[expect(clippy::needless_pass_by_value, reason = "there is none yet")]
pub(crate) fn happen(_world: &mut World, event: Event) {
    match event {}
}

/// A machine has started, and its kubelet will register.
pub(crate) fn machine_started(_world: &mut World, _machine: crate::Machine) {}

/// A machine is shutting down: its kubelet answers no longer.
pub(crate) fn machine_stopped(_world: &mut World, _instance_id: &str) {}

/// A machine is gone: the cloud controller removes its node.
pub(crate) fn machine_gone(_world: &mut World, _instance_id: &str) {}

/// The control plane has another version now; `None` while its API is away.
pub(crate) fn control_plane(_world: &mut World, _cluster: &str, _version: Option<eks_model::KubeMinor>) {}
