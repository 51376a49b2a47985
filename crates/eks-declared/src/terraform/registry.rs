//! Modules of the registry that are known by their arguments: `terraform-aws-modules/eks`, from 16 to 21,
//! and those of cloudposse.
//!
//! What a missing argument means is that of the module's own sources, read at v17.24.0, v18.31.2, v19.21.0,
//! v20.37.2 and v21.19.0 of <https://github.com/terraform-aws-modules/terraform-aws-eks> (2026-04-27), and of
//! <https://github.com/cloudposse/terraform-aws-eks-cluster> (2026).

use eks_model::{
    Addon, AddonWish, ClusterSnapshot, ImageFamily, NodeGroup, NodeGroupKind, NodeImage, Observed, Placed,
};

use super::config::Block;
use super::value;
use crate::draft::{self, Draft};
use crate::kubernetes::by_release;
use crate::node::{At, Node, Value};

/// Whether a source is the module `terraform-aws-modules/eks` itself, not one of its sub-modules.
pub(super) fn is_eks(source: &str) -> bool {
    let source = source.split(['?']).next().unwrap_or(source);
    let source = source.trim_start_matches("git::").trim_start_matches("tfr:///").trim_end_matches('/');
    let registry = ["terraform-aws-modules/eks/aws", "registry.terraform.io/terraform-aws-modules/eks/aws"];
    registry.contains(&source)
        || source.trim_end_matches(".git").ends_with("terraform-aws-modules/terraform-aws-eks")
}

/// Whether a source is one of cloudposse's.
pub(super) fn is_cloudposse(source: &str) -> bool {
    let source = source.split(['?']).next().unwrap_or(source);
    source == "cloudposse/eks-cluster/aws"
        || source.trim_end_matches(".git").ends_with("cloudposse/terraform-aws-eks-cluster")
}

/// The argument that an output of the module repeats.
pub(super) fn output(output: &str, call: &Block<'_>) -> Option<&'static str> {
    let has = |name: &str| call.attribute(name).is_some();
    match output {
        "cluster_version" if has("kubernetes_version") => Some("kubernetes_version"),
        "cluster_version" => Some("cluster_version"),
        "cluster_name" | "cluster_id" if has("name") && !has("cluster_name") => Some("name"),
        "cluster_name" | "cluster_id" => Some("cluster_name"),
        _ => None,
    }
}

/// Words in the names of modules about EKS that declare neither a cluster nor the version of anything.
const HARMLESS: [&[&str]; 17] = [
    &["karpenter"],
    &["csi"],
    &["blueprints", "teams"],
    &["iam"],
    &["irsa"],
    &["pod", "identity"],
    &["aws", "auth"],
    &["fargate"],
    &["addon"],
    &["addons"],
    &["hybrid", "node"],
    &["kms"],
    &["vpc"],
    &["security", "group"],
    &["argocd"],
    &["external", "dns"],
    &["load", "balancer"],
];

/// The words of the name of a module: of the last part of its path that says `eks`, or of all of it.
fn words(source: &str) -> Vec<String> {
    let source = source.split('?').next().unwrap_or(source).to_ascii_lowercase();
    source
        .split(|c: char| !c.is_ascii_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(str::to_owned)
        .collect()
}

/// Whether these words say `eks`, and none of [`HARMLESS`].
fn speak_of_eks(words: &[String]) -> bool {
    let says = |wanted: &[&str]| words.windows(wanted.len()).any(|some| some == wanted);
    says(&["eks"]) && !HARMLESS.iter().any(|wanted| says(wanted))
}

/// Whether a module that is not in the tree may declare a cluster or nodes: it says `eks` in the name of
/// its source, and is not one that is known to do something else; or an argument names a version of Kubernetes.
pub(super) fn may_declare(source: &str, call: &Block<'_>, get: &dyn Fn(&str) -> Option<Node>) -> bool {
    let words = words(source);
    let says = |wanted: &str| words.iter().any(|word| word == wanted);
    if words.windows(2).any(|some| some == ["blueprints", "teams"]) {
        return false;
    }
    if says("eks") {
        return speak_of_eks(&words) || call.attributes.iter().any(|attribute| is_version(&attribute.name));
    }
    // Clusters of other kinds and of other clouds have versions too.
    if OTHERS.iter().any(|other| says(other)) {
        return false;
    }
    call.attributes.iter().filter(|attribute| is_version(&attribute.name)).any(|attribute| {
        // One that is known is told by its looks.
        match get(&attribute.name) {
            Some(node) if node.is_null() => false,
            Some(node) => node
                .text()
                .is_none_or(|text| text.trim_start_matches('v').starts_with("1.") || text.contains('$')),
            None => false,
        }
    })
}

/// Names of what has a `cluster_version` and is no cluster of EKS.
const OTHERS: [&str; 28] = [
    "addons",
    "aks",
    "aurora",
    "azure",
    "azurerm",
    "cassandra",
    "databricks",
    "digitalocean",
    "docdb",
    "elasticache",
    "elasticsearch",
    "emr",
    "gcp",
    "gke",
    "google",
    "helm",
    "kafka",
    "memcached",
    "mongodb",
    "mongodbatlas",
    "msk",
    "mysql",
    "neptune",
    "opensearch",
    "postgresql",
    "rds",
    "redis",
    "redshift",
];

/// Whether an argument of this name is the version of a cluster or of nodes.
fn is_version(name: &str) -> bool {
    matches!(
        name,
        "cluster_version"
            | "kubernetes_version"
            | "eks_version"
            | "eks_cluster_version"
            | "cluster_kubernetes_version"
            | "k8s_version"
            | "kube_version"
            | "ami_release_version"
    )
}

/// Whether a call names a version of Kubernetes.
pub(super) fn names_a_version(call: &Block<'_>) -> bool {
    call.attributes.iter().any(|attribute| is_version(&attribute.name))
}

/// Whether the arguments of a call speak of a cluster that it makes.
pub(super) fn speaks_of_a_cluster(call: &Block<'_>) -> bool {
    call.attributes.iter().any(|attribute| {
        let name = attribute.name.as_str();
        is_version(name) || name.starts_with("eks_") || name.contains("node_group")
    })
}

/// Whether a source is `aws-ia/eks-blueprints-addons`.
pub(super) fn is_blueprints_addons(source: &str) -> bool {
    source.split('?').next().is_some_and(|source| {
        source == "aws-ia/eks-blueprints-addons/aws"
            || source.trim_end_matches(".git").ends_with("aws-ia/terraform-aws-eks-blueprints-addons")
    })
}

/// Reads a call of `aws-ia/eks-blueprints-addons`: managed add-ons, and charts whose version is said. One that
/// is only switched on has the version that the module's release pins.
/// <https://github.com/aws-ia/terraform-aws-eks-blueprints-addons> (d78fb74, 2026)
pub(super) fn read_blueprints_addons(
    arguments: &Arguments<'_>,
    names: &[String],
    link: &draft::Link,
    draft: &mut Draft,
) {
    if let Some(addons) = arguments.get("eks_addons") {
        if let Some(why) = addons.why() {
            draft.not_read(format!("eks_addons is not known: {why}"), addons.at);
        }
        for (key, node) in addons.entries() {
            let mut addon = addon(key, node, Line::TwentyOne, draft);
            addon.declared_as = "eks_addons";
            draft.addons.push((link.clone(), addon));
        }
    }
    let mut charts: Vec<(String, Node)> = Vec::new();
    for name in names {
        let Some(node) = arguments.get(name) else { continue };
        if name == "helm_releases" {
            charts.extend(node.entries().iter().cloned());
        } else {
            charts.push((name.clone(), node));
        }
    }
    for (name, node) in charts {
        let Some(version) = node.get("chart_version") else { continue };
        let chart = match node.get("chart") {
            Some(chart) => chart.clone(),
            None => Node::new(Value::Text(name.replace('_', "-")), node.at),
        };
        draft.chart_use(
            Some(&chart),
            Some(version),
            "eks-blueprints-addons",
            Some(&name),
            None,
            Some(link.clone()),
        );
    }
}

/// The same for a source of which no arguments are seen.
pub(super) fn may_be_eks(source: &str) -> bool {
    speak_of_eks(&words(source))
}

/// A name as people see it: as it is written, or what stands for one that is computed.
fn shown(node: Option<&Node>, otherwise: &str) -> String {
    let name = node.and_then(Node::text).filter(|text| !text.is_empty() && !draft::is_filled_in(text));
    name.map_or_else(|| value::shown(otherwise), str::to_owned)
}

/// Which line of the module it is, by its arguments and its version constraint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Line {
    /// Up to 17: worker groups, and managed groups that keep their version.
    Workers,
    /// 18.
    Eighteen,
    /// 19 and 20.
    Twenty,
    /// 21.
    TwentyOne,
}

/// The arguments of a call, worked out.
pub(super) struct Arguments<'a> {
    pub(super) get: &'a dyn Fn(&str) -> Option<Node>,
    /// The call itself.
    pub(super) at: At,
}

impl Arguments<'_> {
    fn get(&self, name: &str) -> Option<Node> {
        (self.get)(name).filter(|node| !node.is_null())
    }

    fn first(&self, names: &[&str]) -> Option<Node> {
        names.iter().find_map(|name| self.get(name))
    }

    fn line(&self) -> Line {
        let any = |names: &[&str]| names.iter().any(|name| (self.get)(name).is_some());
        let version = self.get("version");
        let written = version.as_ref().and_then(Node::text).unwrap_or_default();
        let number: String = written
            .trim_start_matches(|c: char| !c.is_ascii_digit())
            .chars()
            .take_while(char::is_ascii_digit)
            .collect();
        match number.parse::<u32>() {
            Ok(major) if major <= 17 => Line::Workers,
            Ok(18) => Line::Eighteen,
            Ok(19 | 20) => Line::Twenty,
            Ok(_) => Line::TwentyOne,
            Err(_) if any(&["kubernetes_version", "addons", "compute_config", "upgrade_policy"]) => {
                Line::TwentyOne
            }
            Err(_) if any(&["worker_groups", "worker_groups_launch_template", "node_groups", "subnets"]) => {
                Line::Workers
            }
            // Between 18 and 20 the arguments do not tell; what a missing add-on version means does differ.
            Err(_) => Line::Twenty,
        }
    }
}

/// Reads a call of `terraform-aws-modules/eks`.
pub(super) fn read_eks(
    arguments: &Arguments<'_>,
    address: &str,
    scope: &str,
    draft: &mut Draft,
) -> ClusterSnapshot {
    let line = arguments.line();
    let name_node = arguments.first(&["cluster_name", "name"]);
    let name = shown(name_node.as_ref(), address);
    let mut cluster = draft::cluster(
        format!("{scope} {address}"),
        name.clone(),
        "module terraform-aws-modules/eks",
        draft.place(arguments.at),
    );
    let version = arguments.first(&["kubernetes_version", "cluster_version"]);
    cluster.control_plane = draft.version(version.as_ref(), &format!("the version of cluster \"{name}\""));
    let policy = arguments.first(&["upgrade_policy", "cluster_upgrade_policy"]);
    let support = policy.as_ref().and_then(|policy| policy.get("support_type"));
    cluster.support = draft.support(support, &format!("the upgrade policy of cluster \"{name}\""));
    let compute = arguments.first(&["compute_config", "cluster_compute_config"]);
    if let Some(on) =
        compute.as_ref().and_then(|compute| compute.get("enabled")).filter(|on| on.bool() == Some(true))
    {
        let mut group = draft::group(
            "Auto Mode".to_owned(),
            NodeGroupKind::AutoMode,
            "compute_config",
            draft.place(on.at),
        );
        group.follows_control_plane = true;
        cluster.node_groups.push(group);
    }
    for (key, defaults, managed) in [
        ("eks_managed_node_groups", "eks_managed_node_group_defaults", true),
        ("self_managed_node_groups", "self_managed_node_group_defaults", false),
        ("node_groups", "node_groups_defaults", true),
        ("worker_groups", "workers_group_defaults", false),
        ("worker_groups_launch_template", "workers_group_defaults", false),
    ] {
        let Some(groups) = arguments.get(key) else { continue };
        if let Some(why) = groups.why() {
            let why = format!("{key} of cluster \"{name}\" is not known: {why}");
            draft.not_read(why, groups.at);
            continue;
        }
        if !matches!(groups.value, Value::Map(_) | Value::List(_)) {
            draft.not_read(format!("{key} of cluster \"{name}\" is neither a map nor a list"), groups.at);
        }
        let defaults = arguments.get(defaults);
        let named = groups.entries().iter().map(|(key, node)| (key.clone(), node));
        let listed = groups.items().iter().enumerate().map(|(n, node)| (format!("{key}[{n}]"), node));
        for (key, node) in named.chain(listed) {
            let off = field(node, defaults.as_ref(), "create").and_then(|node| node.bool()) == Some(false);
            if !off && !node.is_null() {
                cluster.node_groups.push(group(&key, node, defaults.as_ref(), managed, line, draft));
            }
        }
    }
    let declared_as = if arguments.get("addons").is_some() { "addons" } else { "cluster_addons" };
    if let Some(addons) = arguments.first(&["addons", "cluster_addons"]) {
        if let Some(why) = addons.why() {
            draft.not_read(format!("the add-ons of cluster \"{name}\" are not known: {why}"), addons.at);
        }
        for (key, node) in addons.entries() {
            if !node.is_null() {
                cluster.addons.push(Addon { declared_as, ..addon(key, node, line, draft) });
            }
        }
    }
    cluster
}

fn addon(key: &str, node: &Node, line: Line, draft: &Draft) -> Addon {
    let at = draft.place(node.at);
    let named = node.get("name").map_or_else(|| value::key_node(key, node.at), Node::clone);
    let name = shown(Some(&named), key);
    if let Some(why) = named.why().or_else(|| value::open_part(named.text()?)) {
        let why = format!("the name of an add-on is not known: {why}");
        let version = Observed::Unreadable(draft.unreadable(why, node.at));
        return Addon { name, declared_as: "cluster_addons", at, version };
    }
    if let Some(why) = node.why() {
        let version =
            Observed::Unreadable(draft.unreadable(format!("add-on {name} is not known: {why}"), node.at));
        return Addon { name, declared_as: "cluster_addons", at, version };
    }
    let what = format!("the version of add-on {name}");
    let newest = node.get("most_recent").and_then(Node::bool);
    let version = match draft.addon_version(node.get("addon_version"), &what) {
        Observed::Absent => {
            let wish = match (line, newest) {
                (_, Some(true)) | (Line::TwentyOne, None) => Some(AddonWish::Newest),
                (Line::Twenty | Line::TwentyOne, _) => Some(AddonWish::Default),
                // EKS's default when it is made, and never moved.
                (Line::Workers | Line::Eighteen, _) => None,
            };
            wish.map_or(Observed::Absent, |value| Observed::Known(Placed { value, at: at.clone() }))
        }
        version => version,
    };
    Addon { name, declared_as: "cluster_addons", at, version }
}

/// What a group says, or else the defaults for all.
fn field(node: &Node, defaults: Option<&Node>, name: &str) -> Option<Node> {
    let own = node.get(name).cloned();
    own.or_else(|| match defaults? {
        unknown if unknown.is_unknown() => Some(unknown.clone()),
        defaults => defaults.get(name).cloned(),
    })
}

fn group(
    key: &str,
    node: &Node,
    defaults: Option<&Node>,
    managed: bool,
    line: Line,
    draft: &Draft,
) -> NodeGroup {
    let field = |name: &str| field(node, defaults, name);
    let name = shown(node.get("name"), key);
    let kind = if managed { NodeGroupKind::Managed } else { NodeGroupKind::SelfManaged };
    let declared_as = match (managed, line) {
        (true, Line::Workers) => "node_groups",
        (true, _) => "eks_managed_node_groups",
        (false, Line::Workers) => "worker_groups",
        (false, _) => "self_managed_node_groups",
    };
    let mut group = draft::group(name.clone(), kind, declared_as, draft.place(node.at));
    if let Some(why) = node.why() {
        let why = format!("node group \"{name}\" is not known: {why}");
        group.kubelet = Observed::Unreadable(draft.unreadable(why, node.at));
        return group;
    }
    let version = match line {
        Line::Workers if managed => field("version"),
        Line::Workers => None,
        Line::Eighteen | Line::Twenty => field("cluster_version"),
        Line::TwentyOne => field("kubernetes_version"),
    };
    let own_image = field("ami_id").filter(|image| image.text() != Some(""));
    if let Some(image) = own_image {
        // With an image of one's own the version is the image's, whatever else is written.
        super::nodes::started_from(draft, &mut group, &image);
        return group;
    }
    group.kubelet = draft.version(version.as_ref(), &format!("the version of node group \"{name}\""));
    group.follows_control_plane = group.kubelet.is_absent() && !(managed && line == Line::Workers);
    group.image = draft.image(field("ami_type").as_ref());
    if group.kubelet.is_absent()
        && let Observed::Known(Placed { value: NodeImage { family: ImageFamily::Custom, .. }, at }) =
            &group.image
    {
        let reason =
            format!("the version of node group \"{name}\" is that of its image, which is not declared here");
        group.kubelet = Observed::Unreadable(eks_model::Unreadable { reason, at: at.clone() });
        group.follows_control_plane = false;
    }
    if group.image.is_absent() {
        let family = match field("platform").as_ref().and_then(Node::text) {
            Some("bottlerocket") => Some(ImageFamily::Bottlerocket),
            Some("windows") => Some(ImageFamily::Windows),
            // What the module takes for self-managed groups when nothing is said.
            _ if !managed && line < Line::TwentyOne => Some(ImageFamily::AmazonLinux2),
            _ if line == Line::TwentyOne => Some(ImageFamily::AmazonLinux2023),
            _ => None,
        };
        if let Some(family) = family {
            let value = NodeImage { family, kubernetes: None };
            group.image = Observed::Known(Placed { value, at: draft.place(node.at) });
        }
    }
    // From 21 on a release counts only where the newest is not asked for; before it always did.
    let newest = field("use_latest_ami_release_version")
        .and_then(|node| node.bool())
        .unwrap_or(line == Line::TwentyOne);
    if managed && !newest {
        let follows = group.follows_control_plane;
        by_release(draft, &mut group, field("ami_release_version").as_ref());
        if follows && !group.kubelet.is_absent() {
            group.follows_control_plane = false;
        }
    }
    group
}

/// Reads a call of `cloudposse/eks-cluster`.
pub(super) fn read_cloudposse(
    arguments: &Arguments<'_>,
    address: &str,
    scope: &str,
    draft: &mut Draft,
) -> ClusterSnapshot {
    let name_node = arguments.first(&["name", "namespace"]);
    let name = shown(name_node.as_ref(), address);
    let mut cluster = draft::cluster(
        format!("{scope} {address}"),
        name.clone(),
        "module cloudposse/eks-cluster",
        draft.place(arguments.at),
    );
    cluster.control_plane = match arguments.get("kubernetes_version") {
        Some(version) => draft.version(Some(&version), &format!("the version of cluster \"{name}\"")),
        None => Observed::Unreadable(draft.unreadable(
            format!("the version of cluster \"{name}\" is the module's default, which differs by its release; declare it"),
            arguments.at,
        )),
    };
    let policy = arguments.get("upgrade_policy");
    let support = policy.as_ref().and_then(|policy| policy.get("support_type"));
    cluster.support = draft.support(support, &format!("the upgrade policy of cluster \"{name}\""));
    let compute = arguments.get("auto_mode_compute_config");
    if let Some(on) =
        compute.as_ref().and_then(|compute| compute.get("enabled")).filter(|on| on.bool() == Some(true))
    {
        let at = draft.place(on.at);
        let mut group =
            draft::group("Auto Mode".to_owned(), NodeGroupKind::AutoMode, "auto_mode_compute_config", at);
        group.follows_control_plane = true;
        cluster.node_groups.push(group);
    }
    if let Some(addons) = arguments.get("addons")
        && let Some(why) = addons.why()
    {
        draft.not_read(format!("the add-ons of cluster \"{name}\" are not known: {why}"), addons.at);
    }
    for item in arguments.get("addons").as_ref().map(Node::items).unwrap_or_default() {
        let addon_name =
            item.get("addon_name").and_then(Node::text).filter(|name| value::open_part(name).is_none());
        let Some(addon_name) = addon_name else {
            let why = item.why().or_else(|| item.get("addon_name")?.why()).unwrap_or("it has none");
            draft.not_read(
                format!("the name of an add-on of cluster \"{name}\" is not known: {why}"),
                item.at,
            );
            continue;
        };
        let what = format!("the version of add-on {addon_name}");
        let version = draft.addon_version(item.get("addon_version"), &what);
        let at = draft.place(item.at);
        cluster.addons.push(Addon { name: addon_name.to_owned(), declared_as: "addons", at, version });
    }
    cluster
}
