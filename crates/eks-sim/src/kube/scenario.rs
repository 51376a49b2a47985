//! What is in the cluster at the beginning, as a file says it. The Kubernetes half fills it.

use serde::{Deserialize, Serialize};

use crate::World;

/// What is in the cluster at the beginning.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
pub struct Scenario {}

/// What does not fit together in it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ScenarioError {}

/// Puts it into a world.
pub fn apply(_world: &mut World, _scenario: &Scenario) -> Result<(), ScenarioError> {
    Ok(())
}
