//! Nodes.

use async_trait::async_trait;
use eks_provider::Result;
use eks_provider::kube::{Node, NodePatch, NodeQuery, NodeReader, NodeWriter};

use super::super::state::{Kind, uid};
use super::super::{lifecycle, nodes};
use crate::Sim;

#[async_trait]
impl NodeReader for Sim {
    async fn list_nodes(&self, query: &NodeQuery) -> Result<Vec<Node>> {
        self.kube_read_as("list nodes", "nodes", query.freshness, |state, call| {
            let mut found = Vec::new();
            for id in state.node_names.values() {
                let Some(node) = state.nodes.get(id) else { continue };
                match query.selector.matches(&node.object.meta.labels) {
                    Some(true) => found.push(node.object.clone()),
                    Some(false) => {}
                    None => return Err(call.invalid("the selector has an operator that is not known")),
                }
            }
            Ok(found)
        })
        .await
    }

    async fn get_node(&self, name: &str) -> Result<Node> {
        self.kube_read("get nodes", format!("node {name}"), |state, call| {
            let node = state.node_named(name).and_then(|id| state.nodes.get(&id));
            node.map(|node| node.object.clone()).ok_or_else(|| call.not_found())
        })
        .await
    }
}

/// Sets, or takes away.
fn merge(
    map: &mut std::collections::BTreeMap<String, String>,
    changes: &std::collections::BTreeMap<String, Option<String>>,
) {
    for (key, value) in changes {
        match value {
            Some(value) => map.insert(key.clone(), value.clone()),
            None => map.remove(key),
        };
    }
}

#[async_trait]
impl NodeWriter for Sim {
    async fn patch_node(&self, patch: &NodePatch) -> Result<Node> {
        self.kube_write("patch nodes", format!("node {}", patch.name()), |world, call| {
            let id = world.kube.node_named(patch.name()).ok_or_else(|| call.not_found())?;
            let node = world.kube.nodes.get(&id).ok_or_else(|| call.not_found())?;
            // The tests of the JSON patch.
            if node.object.meta.uid != patch.uid() {
                return Err(call.conflict("the node has another uid"));
            }
            if node.object.meta.resource_version != patch.resource_version() {
                return Err(call.conflict("the node has another resourceVersion"));
            }
            let mut patched = node.object.clone();
            if let Some(taints) = patch.taints() {
                patched.taints = taints.to_vec();
            }
            if let Some(unschedulable) = patch.unschedulable() {
                patched.unschedulable = unschedulable;
            }
            merge(&mut patched.meta.labels, patch.labels());
            merge(&mut patched.meta.annotations, patch.annotations());
            if patch.is_dry_run() {
                return Ok(patched);
            }
            nodes::change(world, id, |node| *node = patched);
            lifecycle::evict_by_taints(world, id);
            let node = world.kube.nodes.get(&id).ok_or_else(|| call.not_found())?;
            Ok(node.object.clone())
        })
        .await
    }

    async fn delete_node(&self, name: &str, node_uid: &str) -> Result<()> {
        self.kube_write("delete nodes", format!("node {name}"), |world, call| {
            let id = world.kube.node_named(name).ok_or_else(|| call.not_found())?;
            if uid(Kind::Node, id.0) != node_uid {
                return Err(call.conflict("the node has another uid"));
            }
            nodes::remove(world, id);
            Ok(())
        })
        .await
    }
}
