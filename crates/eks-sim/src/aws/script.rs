//! What happens to a world from outside, at set times: people, other programs, AWS itself.

use serde::{Deserialize, Serialize};

use crate::World;

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

/// Something that happens to a world from outside.
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
}

/// Plays it.
pub(crate) fn play(world: &mut World, script: Script) {
    match script {
        Script::SetDesired { group, desired } => crate::aws::set_desired(world, &group, desired),
    }
}
