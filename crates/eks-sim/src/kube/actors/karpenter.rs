//! Karpenter.

use serde::{Deserialize, Serialize};

use crate::World;
use crate::kube::objects::NodeId;

/// Karpenter, and its pools.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Karpenter {
    /// Its pools.
    pub pools: Vec<KarpenterPool>,
}

/// A pool.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct KarpenterPool {
    /// Its name.
    pub name: String,
}

/// What it remembers.
#[derive(Debug, Clone, Default)]
pub(crate) struct State {
    pub(crate) settings: Karpenter,
}

/// It begins.
pub(crate) fn start(world: &mut World, settings: Karpenter) {
    world.kube.actors.karpenter = Some(State { settings });
}

/// A node has registered, and may be one of its own.
pub(crate) fn registered(_world: &mut World, _node: NodeId) {}
