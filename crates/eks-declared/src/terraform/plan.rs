//! What `terraform show -json` prints of a plan or a state, and the state itself:
//! <https://developer.hashicorp.com/terraform/internals/json-format> (2026).

use std::collections::{BTreeMap, BTreeSet};

use eks_model::{Addon, NodeGroupKind, Observed};

use super::nodes::tagged;
use super::{resources, split};
use crate::draft::{self, Draft, DraftCluster, Link};
use crate::kubernetes::by_release;
use crate::node::{Node, Value};

/// Whether a document is one.
pub(crate) fn is_plan(node: &Node) -> bool {
    let shown = node.get("format_version").is_some()
        && ["planned_values", "values", "resource_changes", "prior_state"]
            .iter()
            .any(|key| node.get(key).is_some());
    shown || is_state(node)
}

/// Whether a document is a state as Terraform keeps it: `terraform.tfstate`.
fn is_state(node: &Node) -> bool {
    let is_resource = |node: &Node| node.get("type").is_some() && node.get("instances").is_some();
    node.get("version").and_then(Node::text).is_some_and(|version| version.parse::<u32>().is_ok())
        && (node.get("resources").is_some_and(|resources| resources.items().iter().any(is_resource))
            || (node.get("lineage").is_some() && node.get("serial").is_some()))
}

/// Reads a plan or a state.
pub(crate) fn read(root: &Node, draft: &mut Draft) {
    let scope = draft.files.get(root.at.file as usize).cloned().unwrap_or_default();
    let format = root.get("format_version");
    if format.is_none() {
        read_state(root, scope, draft);
        return;
    }
    let version = format.and_then(Node::text).unwrap_or_default();
    if !matches!(version.split('.').next(), Some("0" | "1")) {
        draft.not_read(
            format!("its format ({version}) is newer than what is known here (1); use a newer release of this program"),
            format.unwrap_or(root).at,
        );
        return;
    }
    if let Some(errored) = root.get("errored").filter(|errored| errored.bool() == Some(true)) {
        draft.not_read("the plan ended with an error: it does not hold everything", errored.at);
    }
    if let Some(later) = root.get("deferred_changes").filter(|later| !later.items().is_empty()) {
        draft.not_read("the plan leaves changes for later: it does not hold everything", later.at);
    }
    let changes = root.get("resource_changes").map(Node::items).unwrap_or_default();
    let address = |node: &Node| node.get("address").and_then(Node::text).map(str::to_owned);
    let plan = Plan {
        scope,
        unknown: changes
            .iter()
            .filter_map(|change| Some((address(change)?, change.at_path(&["change", "after_unknown"])?)))
            .collect(),
        configuration: root.get("configuration"),
    };
    let mut seen: BTreeSet<String> = BTreeSet::new();
    let mut open: Vec<&Node> =
        ["planned_values", "values"].iter().filter_map(|key| root.at_path(&[key, "root_module"])).collect();
    if open.is_empty() && changes.is_empty() {
        open.extend(root.at_path(&["prior_state", "values", "root_module"]));
    }
    while let Some(module) = open.pop() {
        for resource in module.get("resources").map(Node::items).unwrap_or_default() {
            seen.extend(address(resource));
            if let Some(values) = resource.get("values") {
                read_resource(&plan, resource, values, draft);
            }
        }
        open.extend(module.get("child_modules").map(Node::items).unwrap_or_default());
    }
    // What is only told as a change.
    for change in changes {
        let known = address(change).is_some_and(|address| seen.contains(&address));
        if let Some(after) = change.at_path(&["change", "after"]).filter(|_| !known) {
            read_resource(&plan, change, after, draft);
        }
    }
}

/// Reads a state. Its resources have their values one step further in.
fn read_state(root: &Node, scope: String, draft: &mut Draft) {
    let version = root.get("version").unwrap_or(root);
    if version.text() != Some("4") {
        let what = format!("its format ({}) is not known here (4)", version.text().unwrap_or_default());
        draft.not_read(what, version.at);
        return;
    }
    let plan = Plan { scope, unknown: BTreeMap::new(), configuration: None };
    for resource in root.get("resources").map(Node::items).unwrap_or_default() {
        let text = |name: &str| resource.get(name).and_then(Node::text).unwrap_or_default();
        let module = if text("module").is_empty() { String::new() } else { format!("{}.", text("module")) };
        for instance in resource.get("instances").map(Node::items).unwrap_or_default() {
            let Some(values) = instance.get("attributes") else { continue };
            let index = match instance.get("index_key").map(|key| (&key.value, key.text())) {
                Some((Value::Text(key), _)) => format!("[{key:?}]"),
                Some((_, Some(key))) => format!("[{key}]"),
                _ => String::new(),
            };
            let address = format!("{module}{}.{}{index}", text("type"), text("name"));
            let entry = |name: &str| resource.get(name).map(|node| (name.to_owned(), node.clone()));
            let mut entries: Vec<(String, Node)> = ["mode", "type"].into_iter().filter_map(entry).collect();
            let at = resource.get("name").unwrap_or(resource).at;
            entries.push(("address".to_owned(), Node::new(Value::Text(address), at)));
            read_resource(&plan, &Node::map(entries, at), values, draft);
        }
    }
}

/// A plan, and what it says of values that it does not hold.
struct Plan<'n> {
    scope: String,
    /// By address, what is known only after the plan is applied.
    unknown: BTreeMap<String, &'n Node>,
    configuration: Option<&'n Node>,
}

impl Plan<'_> {
    /// A value; unknown where it is configured and becomes known only later.
    fn value(&self, address: &str, resource: &Node, values: &Node, name: &str) -> Option<Node> {
        if let Some(node) = values.get(name) {
            return Some(node.clone());
        }
        let later = self.unknown.get(address)?.get(name)?.bool() == Some(true);
        let at = resource.get("address").unwrap_or(resource).at;
        (later && self.is_configured(address, name))
            .then(|| Node::unknown("it is known only after the plan is applied", at))
    }

    /// Whether the configuration says something of an argument: what it leaves to the provider is computed too.
    fn is_configured(&self, address: &str, name: &str) -> bool {
        let Some(configuration) = self.configuration else { return true };
        let (modules, resource) = steps(address);
        let mut module = configuration.get("root_module");
        for name in &modules {
            module = module.and_then(|module| module.at_path(&["module_calls", name, "module"]));
        }
        let found = module.and_then(|module| module.get("resources")).and_then(|resources| {
            resources
                .items()
                .iter()
                .find(|r| r.get("address").and_then(Node::text) == Some(resource.as_str()))
        });
        // A resource that is not found says nothing.
        found.is_none_or(|found| found.at_path(&["expressions", name]).is_some())
    }
}

/// The modules of an address, and the resource in the last of them: without the keys of `count` and `for_each`.
fn steps(address: &str) -> (Vec<String>, String) {
    let mut parts: Vec<String> = vec![String::new()];
    let (mut depth, mut quoted, mut escaped) = (0_u32, false, false);
    for c in address.chars() {
        match c {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            _ if quoted => {}
            '[' => depth += 1,
            ']' => depth = depth.saturating_sub(1),
            '.' if depth == 0 => parts.push(String::new()),
            c if depth == 0 => parts.last_mut().into_iter().for_each(|part| part.push(c)),
            _ => {}
        }
    }
    let mut modules = Vec::new();
    let mut rest = parts.as_slice();
    while let [module, name, after @ ..] = rest {
        if module != "module" {
            break;
        }
        modules.push(name.clone());
        rest = after;
    }
    (modules, rest.join("."))
}

fn read_resource(plan: &Plan<'_>, resource: &Node, values: &Node, draft: &mut Draft) {
    if resource.get("mode").and_then(Node::text) == Some("data") {
        return;
    }
    let (Some(kind), Some(address)) =
        (resource.get("type").and_then(Node::text), resource.get("address").and_then(Node::text))
    else {
        return;
    };
    let scope = plan.scope.as_str();
    let get = |name: &str| values.get(name);
    let value = |name: &str| plan.value(address, resource, values, name);
    let nested = |block: &str, name: &str| {
        let block = values.get(block)?;
        block.items().first().unwrap_or(block).get(name)
    };
    let place = resource.get("address").unwrap_or(resource).at;
    let at = draft.place(place);
    let named = |name: Option<String>| Link { scope: scope.to_owned(), name, namespace: None };
    let link = || named(get("cluster_name").and_then(Node::text).map(str::to_owned));
    match kind {
        "aws_eks_cluster" => {
            let name = get("name").and_then(Node::text).unwrap_or(address).to_owned();
            let mut cluster =
                draft::cluster(format!("{scope} {address}"), name.clone(), "aws_eks_cluster", at);
            cluster.control_plane =
                draft.version(value("version").as_ref(), &format!("the version of cluster \"{name}\""));
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
            let what = format!("the version of node group \"{name}\"");
            group.kubelet = draft.version(value("version").as_ref(), &what);
            group.image = draft.image(value("ami_type").as_ref());
            by_release(draft, &mut group, value("release_version").as_ref());
            if group.kubelet.is_absent() && get("ami_type").and_then(Node::text) == Some("CUSTOM") {
                let why = format!("{what} is that of its image, which a plan does not tell");
                group.kubelet = Observed::Unreadable(draft.unreadable(why, place));
            }
            draft.groups.push((link(), group));
        }
        "aws_eks_addon" => {
            let name = get("addon_name").and_then(Node::text).unwrap_or(address).to_owned();
            // One that is not configured is EKS's choice.
            let what = format!("the version of add-on {name}");
            let version = draft.addon_version(value("addon_version").as_ref(), &what);
            draft.addons.push((link(), Addon { name, declared_as: "aws_eks_addon", at, version }));
        }
        "helm_release" => {
            let (name, namespace) = (get("name").and_then(Node::text), get("namespace").and_then(Node::text));
            draft.chart_use(
                get("chart"),
                value("version").as_ref(),
                "helm_release",
                name,
                namespace,
                Some(named(None)),
            );
        }
        "aws_autoscaling_group" => {
            let tags = ["tag", "tags"].iter().filter_map(|name| get(name)).flat_map(Node::items);
            let Some(cluster) = tagged(tags.filter_map(|tag| tag.get("key").and_then(Node::text))) else {
                return;
            };
            let name = get("name").and_then(Node::text).unwrap_or(address).to_owned();
            let mut group =
                draft::group(name.clone(), NodeGroupKind::SelfManaged, "aws_autoscaling_group", at);
            let why = format!(
                "the version of node group \"{name}\" is that of its image, which a plan does not tell"
            );
            group.kubelet = Observed::Unreadable(draft.unreadable(why, place));
            draft.groups.push((named(cluster), group));
        }
        "kubernetes_manifest" => {
            if let Some(manifest) = get("manifest") {
                let folder = split(scope).0.to_owned();
                resources::manifest(manifest, &folder, scope, draft);
            }
        }
        _ => {}
    }
}
