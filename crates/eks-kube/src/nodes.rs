//! Nodes, and how they are changed without a trace of anybody else's change being lost.

use async_trait::async_trait;
use eks_provider::kube::{Node, NodeInfo, NodePatch, NodeQuery, NodeReader, NodeWriter, Taint};
use eks_provider::{Class, Result, Written};
use http::Method;
use k8s_openapi::api::core::v1;
use serde_json::{Value, json};

use crate::api::{KubeApi, MANAGER};
use crate::call::{Ask, JSON, JSON_PATCH};
use crate::list::Listing;
use crate::meta::{Read, condition, meta, resources, sorted, text, time};
use crate::refusal::Refusal;
use crate::resource::{Resource, with_query};

pub(crate) static NODES: Resource = Resource::of("", "v1", "nodes");

fn node(node: v1::Node) -> Read<Node> {
    let meta = meta(node.metadata);
    let spec = node.spec.unwrap_or_default();
    let status = node.status.unwrap_or_default();
    let info = status.node_info.unwrap_or_default();
    let within = |why: String| format!("node {}: {why}", meta.name);
    Ok(Node {
        provider_id: text(spec.provider_id),
        unschedulable: spec.unschedulable.unwrap_or_default(),
        taints: spec.taints.unwrap_or_default().into_iter().map(taint).collect(),
        conditions: status
            .conditions
            .unwrap_or_default()
            .into_iter()
            .map(|from| eks_provider::kube::Condition {
                last_heartbeat_time: time(from.last_heartbeat_time),
                ..condition(from.type_, from.status, from.reason, from.message, from.last_transition_time)
            })
            .collect(),
        capacity: resources(status.capacity).map_err(within)?,
        allocatable: resources(status.allocatable).map_err(within)?,
        addresses: status
            .addresses
            .unwrap_or_default()
            .into_iter()
            .map(|address| (address.type_, address.address))
            .collect(),
        pod_cidrs: spec.pod_cidrs.unwrap_or_default(),
        info: NodeInfo {
            kubelet_version: Written::of(info.kubelet_version),
            container_runtime_version: info.container_runtime_version,
            os_image: info.os_image,
            operating_system: info.operating_system,
            architecture: info.architecture,
            kernel_version: info.kernel_version,
        },
        volumes_attached: status
            .volumes_attached
            .unwrap_or_default()
            .into_iter()
            .map(|volume| volume.name)
            .collect(),
        volumes_in_use: status.volumes_in_use.unwrap_or_default(),
        meta,
    })
}

pub(crate) fn taint(taint: v1::Taint) -> Taint {
    Taint {
        key: taint.key,
        value: text(taint.value),
        effect: taint.effect.as_str().into(),
        time_added: time(taint.time_added),
    }
}

fn taint_json(taint: &Taint) -> Value {
    let mut json = json!({"key": taint.key, "effect": taint.effect.as_str()});
    if let Some(value) = &taint.value {
        json["value"] = json!(value);
    }
    if let Some(added) = taint.time_added {
        json["timeAdded"] = json!(added.to_string());
    }
    json
}

/// The maps that a patch writes into and that an object need not have.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Missing {
    labels: bool,
    annotations: bool,
}

/// The steps of a patch. The tests come first: when one does not hold, nothing is done.
fn steps(patch: &NodePatch, missing: Missing) -> Value {
    let mut steps = vec![
        json!({"op": "test", "path": "/metadata/uid", "value": patch.uid()}),
        json!({"op": "test", "path": "/metadata/resourceVersion", "value": patch.resource_version()}),
    ];
    for (map, changes, is_missing) in [
        ("labels", patch.labels(), missing.labels),
        ("annotations", patch.annotations(), missing.annotations),
    ] {
        if is_missing && !changes.is_empty() {
            steps.push(json!({"op": "add", "path": format!("/metadata/{map}"), "value": {}}));
        }
        for (key, value) in changes {
            let path = format!("/metadata/{map}/{}", pointer(key));
            // "add" also replaces. What is not there cannot be removed, so it is set before that.
            steps.push(json!({"op": "add", "path": path, "value": value.as_deref().unwrap_or_default()}));
            if value.is_none() {
                steps.push(json!({"op": "remove", "path": path}));
            }
        }
    }
    if let Some(unschedulable) = patch.unschedulable() {
        steps.push(json!({"op": "add", "path": "/spec/unschedulable", "value": unschedulable}));
    }
    if let Some(taints) = patch.taints() {
        let taints: Vec<Value> = taints.iter().map(taint_json).collect();
        steps.push(json!({"op": "add", "path": "/spec/taints", "value": taints}));
    }
    Value::Array(steps)
}

/// A key as a part of a JSON pointer.
fn pointer(key: &str) -> String {
    key.replace('~', "~0").replace('/', "~1")
}

#[async_trait]
impl NodeReader for KubeApi {
    async fn list_nodes(&self, query: &NodeQuery) -> Result<Vec<Node>> {
        let mut listing = Listing::all(&NODES, "nodes").labels(&query.selector)?;
        listing.freshness = query.freshness;
        Ok(sorted(self.everything(&listing, node).await?, |node| &node.meta))
    }

    async fn get_node(&self, name: &str) -> Result<Node> {
        let ask = Ask::get("get nodes", format!("node {name}"), NODES.object(None, name));
        node(self.json(&ask).await?).map_err(|why| ask.malformed(why))
    }
}

#[async_trait]
impl NodeWriter for KubeApi {
    async fn patch_node(&self, patch: &NodePatch) -> Result<Node> {
        let name = patch.name();
        let mut missing = Missing::default();
        loop {
            let mut parameters = vec![("fieldManager", MANAGER)];
            if patch.is_dry_run() {
                parameters.push(("dryRun", "All"));
            }
            let address = with_query(&NODES.object(None, name), &parameters);
            let body = steps(patch, missing);
            let ask = Ask::write(
                Method::PATCH,
                "patch nodes",
                format!("node {name}"),
                address,
                (JSON_PATCH, &body),
            );
            let reply = self.reply(&ask).await?;
            let Some(refusal) = Refusal::of(&reply) else {
                let read = serde_json::from_slice(&reply.body).map_err(|error| ask.malformed(error))?;
                return node(read).map_err(|why| ask.malformed(why));
            };
            // A step that cannot be done is answered with 422 and not a word about which. What the API server
            // finds wrong with the result has its causes.
            if refusal.status != 422 || !refusal.causes.is_empty() {
                return Err(refusal.error(&ask));
            }
            // So one looks: it was changed since it was read, or it lacks a map that a step writes into.
            let look = Ask::get("get nodes", format!("node {name}"), NODES.object(None, name));
            let found: v1::Node = match self.json(&look).await {
                Ok(found) => found,
                Err(error) if error.class() == Class::NotFound => return Err(error),
                // A conflict is by far the likeliest, and to read again is right either way.
                Err(_) => return Err(refusal.error_of(Class::Conflict, &ask)),
            };
            let found = found.metadata;
            if found.uid.as_deref() != Some(patch.uid()) {
                let why = "it is another node of the same name by now";
                return Err(ask.error(Class::Conflict).code("Conflict").status(refusal.status).message(why));
            }
            let now = found.resource_version.unwrap_or_default();
            if now != patch.resource_version() {
                let why = format!(
                    "it was changed since it was read (resourceVersion {}, now {now})",
                    patch.resource_version()
                );
                return Err(ask.error(Class::Conflict).code("Conflict").status(refusal.status).message(why));
            }
            let lacks = Missing { labels: found.labels.is_none(), annotations: found.annotations.is_none() };
            if lacks == missing {
                return Err(refusal.error(&ask));
            }
            missing = lacks;
        }
    }

    async fn delete_node(&self, name: &str, uid: &str) -> Result<()> {
        let body = json!({"apiVersion": "v1", "kind": "DeleteOptions", "preconditions": {"uid": uid}});
        let ask = Ask::write(
            Method::DELETE,
            "delete nodes",
            format!("node {name}"),
            NODES.object(None, name),
            (JSON, &body),
        );
        self.bytes(&ask).await.map(drop)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use eks_provider::kube::TaintEffect;
    use eks_provider::mock::sample;

    #[test]
    fn a_patch_tests_first_and_says_only_what_it_changes() {
        let mut node = sample::node("n");
        (node.meta.uid, node.meta.resource_version) = ("u".to_owned(), "7".to_owned());
        let theirs = Taint {
            key: "their/own".to_owned(),
            value: None,
            effect: TaintEffect::NoExecute,
            time_added: Some("2026-11-24T12:00:00Z".parse().unwrap()),
        };
        node.taints = vec![theirs];
        let tests = [
            json!({"op": "test", "path": "/metadata/uid", "value": "u"}),
            json!({"op": "test", "path": "/metadata/resourceVersion", "value": "7"}),
        ];
        assert_eq!(steps(&NodePatch::of(&node), Missing::default()), json!(tests));
        let ours = Taint {
            key: "ours".to_owned(),
            value: Some("run".to_owned()),
            effect: TaintEffect::NoSchedule,
            time_added: None,
        };
        let patch = NodePatch::of(&node).cordon(true).label("a/b~c", "x").unannotate("gone").taint(ours);
        let changes = [
            json!({"op": "add", "path": "/metadata/labels/a~1b~0c", "value": "x"}),
            json!({"op": "add", "path": "/metadata/annotations/gone", "value": ""}),
            json!({"op": "remove", "path": "/metadata/annotations/gone"}),
            json!({"op": "add", "path": "/spec/unschedulable", "value": true}),
            json!({"op": "add", "path": "/spec/taints", "value": [
                {"key": "their/own", "effect": "NoExecute", "timeAdded": "2026-11-24T12:00:00Z"},
                {"key": "ours", "effect": "NoSchedule", "value": "run"},
            ]}),
        ];
        let all: Vec<Value> = tests.iter().chain(&changes).cloned().collect();
        assert_eq!(steps(&patch, Missing::default()), json!(all));
        let steps = steps(&patch, Missing { labels: false, annotations: true });
        assert_eq!(steps[3], json!({"op": "add", "path": "/metadata/annotations", "value": {}}));
    }
}
