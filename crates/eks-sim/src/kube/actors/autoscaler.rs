//! cluster-autoscaler.

use serde::{Deserialize, Serialize};

use crate::World;

/// cluster-autoscaler, and the groups that it looks after.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct ClusterAutoscaler {
    /// The groups.
    pub groups: Vec<AutoscalerGroup>,
    /// Whether it takes away no nodes (`--scale-down-enabled=false`).
    #[serde(default)]
    pub keeps_nodes: bool,
}

/// A group, and between which numbers it may be.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct AutoscalerGroup {
    /// The Auto Scaling group.
    pub name: String,
    /// At least.
    pub min: u32,
    /// At most.
    pub max: u32,
}

/// What it remembers.
#[derive(Debug, Clone, Default)]
pub(crate) struct State {
    pub(crate) settings: ClusterAutoscaler,
}

/// It begins.
pub(crate) fn start(world: &mut World, settings: ClusterAutoscaler) {
    world.kube.actors.autoscaler = Some(State { settings });
}
