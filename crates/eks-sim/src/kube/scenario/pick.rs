//! Which node is meant: those of a group have names that nobody knows before they are there.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::kube::objects::{Node, NodeId};
use crate::kube::state::State;

/// A node: by its name, or the nth of a group (a self-managed Auto Scaling group or a managed node group), the
/// oldest first.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
pub struct NodePick {
    /// Its name.
    pub name: Option<String>,
    /// Its group.
    pub group: Option<String>,
    /// Only in this zone.
    pub zone: Option<String>,
    /// 0 is the oldest.
    pub nth: usize,
}

/// The label by which the nodes of a managed node group are known.
/// <https://docs.aws.amazon.com/eks/latest/userguide/managed-node-groups.html> (2026-11)
const NODE_GROUP: &str = "eks.amazonaws.com/nodegroup";

impl NodePick {
    /// The node of this name.
    pub fn named(name: impl Into<String>) -> Self {
        Self { name: Some(name.into()), ..Self::default() }
    }

    /// What is wrong with it, where something is.
    pub(crate) fn complaint(&self) -> Option<&'static str> {
        match (&self.name, &self.group) {
            (Some(_), None) if self.zone.is_none() && self.nth == 0 => None,
            (None, Some(_)) => None,
            (Some(_), None) => Some("`zone` and `nth` are of a group"),
            _ => Some("it has a `name`, or a `group` (with `zone` and `nth`)"),
        }
    }

    fn is_among(&self, node: &Node) -> bool {
        let of_group = self.group.as_ref().is_some_and(|group| {
            node.group.as_ref() == Some(group) || node.object.meta.labels.get(NODE_GROUP) == Some(group)
        });
        of_group && self.zone.as_ref().is_none_or(|zone| **zone == *node.zone)
    }

    /// The node, where it is there.
    pub(crate) fn find(&self, state: &State) -> Option<NodeId> {
        if let Some(name) = &self.name {
            return state.node_named(name);
        }
        let of_group = state.nodes.iter().filter(|(_, node)| self.is_among(node));
        let mut found: Vec<_> =
            of_group.map(|(id, node)| (node.object.meta.creation_timestamp, &node.name, *id)).collect();
        found.sort();
        found.get(self.nth).map(|(_, _, id)| *id)
    }
}

impl fmt::Display for NodePick {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.name, &self.group) {
            (Some(name), _) => f.write_str(name),
            (None, group) => {
                write!(f, "number {} of {}", self.nth, group.as_deref().unwrap_or("no group"))?;
                self.zone.iter().try_for_each(|zone| write!(f, " in {zone}"))
            }
        }
    }
}
