//! What `terraform show -json` prints of a plan or a state:
//! <https://developer.hashicorp.com/terraform/internals/json-format> (2026).

use eks_model::{Addon, NodeGroupKind, Observed};

use crate::draft::{self, Draft, DraftCluster, Link};
use crate::kubernetes::by_release;
use crate::node::Node;

/// Whether a document is one.
pub(crate) fn is_plan(node: &Node) -> bool {
    node.get("format_version").is_some()
        && ["planned_values", "values", "resource_changes", "prior_state"]
            .iter()
            .any(|key| node.get(key).is_some())
}

/// Reads a plan or a state.
pub(crate) fn read(root: &Node, draft: &mut Draft) {
    let format = root.get("format_version");
    let version = format.and_then(Node::text).unwrap_or_default();
    if !matches!(version.split('.').next(), Some("0" | "1")) {
        draft.not_read(
            format!("its format ({version}) is newer than what is known here (1); use a newer release of this program"),
            format.unwrap_or(root).at,
        );
        return;
    }
    let scope = draft.files.get(root.at.file as usize).cloned().unwrap_or_default();
    let mut seen: Vec<String> = Vec::new();
    let mut open: Vec<&Node> =
        ["planned_values", "values"].iter().filter_map(|key| root.at_path(&[key, "root_module"])).collect();
    while let Some(module) = open.pop() {
        for resource in module.get("resources").map(Node::items).unwrap_or_default() {
            if let Some(address) = resource.get("address").and_then(Node::text) {
                seen.push(address.to_owned());
            }
            if let Some(values) = resource.get("values") {
                read_resource(resource, values, &scope, draft);
            }
        }
        open.extend(module.get("child_modules").map(Node::items).unwrap_or_default());
    }
    // What is only told as a change.
    for change in root.get("resource_changes").map(Node::items).unwrap_or_default() {
        let known =
            change.get("address").and_then(Node::text).is_some_and(|a| seen.iter().any(|seen| seen == a));
        if let Some(after) = change.at_path(&["change", "after"]).filter(|_| !known) {
            read_resource(change, after, &scope, draft);
        }
    }
}

fn read_resource(resource: &Node, values: &Node, scope: &str, draft: &mut Draft) {
    if resource.get("mode").and_then(Node::text) == Some("data") {
        return;
    }
    let (Some(kind), Some(address)) =
        (resource.get("type").and_then(Node::text), resource.get("address").and_then(Node::text))
    else {
        return;
    };
    let get = |name: &str| values.get(name);
    let nested = |block: &str, name: &str| {
        let block = values.get(block)?;
        block.items().first().unwrap_or(block).get(name)
    };
    let at = draft.place(resource.get("address").unwrap_or(resource).at);
    let link = || {
        let name = get("cluster_name").and_then(Node::text).map(str::to_owned);
        Link { scope: scope.to_owned(), name, namespace: None }
    };
    match kind {
        "aws_eks_cluster" => {
            let name = get("name").and_then(Node::text).unwrap_or(address).to_owned();
            let mut cluster =
                draft::cluster(format!("{scope} {address}"), name.clone(), "aws_eks_cluster", at);
            cluster.control_plane =
                draft.version(get("version"), &format!("the version of cluster \"{name}\""));
            cluster.support = draft.support(
                nested("upgrade_policy", "support_type"),
                &format!("the upgrade policy of cluster \"{name}\""),
            );
            if nested("compute_config", "enabled").and_then(Node::bool) == Some(true) {
                let mut group = draft::group(
                    "Auto Mode".to_owned(),
                    NodeGroupKind::AutoMode,
                    "compute_config",
                    cluster.at.clone(),
                );
                group.follows_control_plane = true;
                cluster.node_groups.push(group);
            }
            draft.clusters.push(DraftCluster {
                names: vec![name],
                snapshot: cluster,
                scope: scope.to_owned(),
                namespace: None,
            });
        }
        "aws_eks_node_group" => {
            let name = get("node_group_name").and_then(Node::text).unwrap_or(address).to_owned();
            let mut group = draft::group(name.clone(), NodeGroupKind::Managed, "aws_eks_node_group", at);
            group.kubelet = draft.version(get("version"), &format!("the version of node group \"{name}\""));
            group.image = draft.image(get("ami_type"));
            by_release(draft, &mut group, get("release_version"));
            draft.groups.push((link(), group));
        }
        "aws_eks_addon" => {
            let name = get("addon_name").and_then(Node::text).unwrap_or(address).to_owned();
            let version = match get("addon_version") {
                // Computed while it is applied: EKS's choice.
                None => Observed::Absent,
                version => draft.addon_version(version, &format!("the version of add-on {name}")),
            };
            draft.addons.push((link(), Addon { name, declared_as: "aws_eks_addon", at, version }));
        }
        "helm_release" => {
            let (name, namespace) = (get("name").and_then(Node::text), get("namespace").and_then(Node::text));
            let link = Link { scope: scope.to_owned(), name: None, namespace: None };
            draft.chart_use(get("chart"), get("version"), "helm_release", name, namespace, Some(link));
        }
        _ => {}
    }
}
