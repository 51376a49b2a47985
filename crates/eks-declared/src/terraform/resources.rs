//! The resources of a module as it is called: clusters, node groups, add-ons, Auto Scaling groups, Helm releases.

use std::rc::Rc;

use eks_model::{Addon, ImageFamily, NodeGroupKind, Observed};
use hcl_edit::expr::Expression;

use super::config::{Block, Resource, Source};
use super::eval::{Bound, Instance, Module, Target, Wanted, indent_of};
use super::joined;
use super::nodes::{self, LaunchImage};
use super::registry::{self, Arguments};
use super::value;
use crate::draft::{self, Draft, DraftCluster, Link, is_filled_in};
use crate::kubernetes::{self, Object, by_release};
use crate::node::{At, Node};

/// Something to be read.
enum Work<'p> {
    Module(Rc<Module<'p>>),
    /// A call in a module: its name, the block, and which of several.
    Call(Rc<Module<'p>>, &'p str, &'p Block<'p>, Instance),
}

/// Reads a module and the modules that it calls, each before what comes after its call.
pub(super) fn read(root: &Rc<Module<'_>>, scope: &str, draft: &mut Draft) {
    let mut open = vec![Work::Module(Rc::clone(root))];
    while let Some(work) = open.pop() {
        match work {
            Work::Module(module) => {
                said_twice(&module, draft);
                read_resources(&module, scope, draft);
                let calls = calls(&module);
                open.extend(calls.into_iter().rev());
            }
            Work::Call(module, name, call, instance) => {
                if let Some(child) = read_call(&module, name, call, &instance, scope, draft) {
                    open.push(Work::Module(child));
                }
                if let Some(why) = module.stops() {
                    draft.not_read(format!("module.{name} and what comes after it: {why}"), call.at);
                }
            }
        }
        if root.budget().is_spent() {
            break;
        }
    }
}

fn read_resources(module: &Rc<Module<'_>>, scope: &str, draft: &mut Draft) {
    for resource in module.folder.resources.iter().filter(|resource| !resource.data) {
        if !concerns(&resource.kind) {
            continue;
        }
        let address = format!("{}.{}", resource.kind, resource.name);
        for instance in module.instances(&resource.block, &address).all() {
            if !module.looks()
                && let Some(why) = module.stops()
            {
                let what = format!("{}{address} and what comes after it: {why}", module.path);
                draft.not_read(what, resource.block.at);
            }
            if module.budget().is_spent() {
                return;
            }
            read_resource(module, resource, &instance, scope, draft);
        }
    }
}

/// The calls of a module, in the order of their names.
fn calls<'p>(module: &Rc<Module<'p>>) -> Vec<Work<'p>> {
    let mut calls = Vec::new();
    let again = module.folder.again.iter().map(|(name, call)| (name, call));
    for (name, call) in module.folder.modules.iter().chain(again) {
        let instances = module.instances(call, &format!("module.{name}"));
        if instances.is_empty() {
            pass_over(module, call);
        }
        for instance in instances.all() {
            calls.push(Work::Call(Rc::clone(module), name, call, instance));
        }
    }
    calls
}

/// What a call that is switched off leads to is called all the same: none of it is a root.
fn pass_over<'p>(module: &Rc<Module<'p>>, call: &Block<'p>) {
    let folders = module.shared.folders;
    let source = |call: &Block<'_>, folder: &str| joined(folder, &call.literal("source")?);
    let mut open: Vec<String> = source(call, &module.folder.path).into_iter().collect();
    while let Some(path) = open.pop() {
        let Some(folder) = folders.get(&path) else { continue };
        if module.shared.reached.borrow_mut().insert(path) {
            open.extend(folder.modules.values().filter_map(|call| source(call, &folder.path)));
        }
    }
}

/// What Terraform refuses because it is declared twice. All of it is read, but which of it counts is not known.
fn said_twice(module: &Module<'_>, draft: &mut Draft) {
    for (kind, name, at) in module.folder.doubled() {
        let declares = |source: String| {
            registry::is_eks(&source) || registry::is_cloudposse(&source) || registry::may_be_eks(&source)
        };
        let matters = match kind {
            "resource" => concerns(name.split('.').next().unwrap_or_default()),
            "module" => {
                let calls = module.folder.modules.get(name).into_iter();
                let again = module.folder.again.iter().map(|(_, call)| call);
                calls.chain(again).filter_map(|call| call.literal("source")).any(declares)
            }
            _ => false,
        };
        if matters {
            let kind = if kind == "module" { "module." } else { "" };
            let what = format!(
                "{}{kind}{name} is declared a second time here, which Terraform refuses",
                module.path
            );
            draft.not_read(what, at);
        }
    }
}

fn concerns(kind: &str) -> bool {
    matches!(
        kind,
        "aws_eks_cluster"
            | "aws_eks_node_group"
            | "aws_eks_addon"
            | "aws_autoscaling_group"
            | "helm_release"
            | "kubectl_manifest"
            | "kubernetes_manifest"
    )
}

/// Reads a call; the module, where it is one of the tree.
fn read_call<'p>(
    module: &Rc<Module<'p>>,
    name: &str,
    call: &'p Block<'p>,
    instance: &Instance,
    scope: &str,
    draft: &mut Draft,
) -> Option<Rc<Module<'p>>> {
    let bound = &instance.bound;
    let address = format!("{}module.{name}{}", module.path, instance.suffix());
    let get = |argument: &str| module.attribute(call, argument, bound);
    let arguments = Arguments { get: &get, at: call.at };
    let Some(source) = call.literal("source") else {
        if registry::names_a_version(call) || registry::may_be_eks(name) {
            let at = call.attribute("source").map_or(call.at, |attribute| attribute.at);
            draft.not_read(format!("{address}: its source is computed: what it declares is not known"), at);
        }
        return None;
    };
    let source = source.as_str();
    if registry::is_eks(source) || registry::is_cloudposse(source) {
        for off in ["create", "create_eks", "enabled"] {
            if get(off).and_then(|node| node.bool()) == Some(false) {
                return None;
            }
        }
        let snapshot = if registry::is_eks(source) {
            registry::read_eks(&arguments, &address, scope, draft)
        } else {
            registry::read_cloudposse(&arguments, &address, scope, draft)
        };
        let names = vec![snapshot.name.clone(), address];
        draft.clusters.push(DraftCluster { snapshot, scope: scope.to_owned(), names, namespace: None });
        return None;
    }
    if registry::is_blueprints_addons(source) {
        let names: Vec<String> = call.attributes.iter().map(|attribute| attribute.name.clone()).collect();
        let link = cluster_link(module, call, bound, scope);
        registry::read_blueprints_addons(&arguments, &names, &link, draft);
        return None;
    }
    if let Some(folder) = module.local_source(source) {
        return match module.called(name, call, folder, instance) {
            Ok(child) => Some(child),
            Err(why) => {
                pass_over(module, call);
                // What is spent is said once.
                if !module.budget().is_spent() {
                    draft.not_read(format!("{address}: {why}"), call.at);
                }
                None
            }
        };
    }
    let outside = joined(&module.folder.path, source).is_some();
    let node_groups = source.contains("//modules/eks-managed-node-group")
        || source.contains("//modules/self-managed-node-group");
    if node_groups && !outside {
        let link = cluster_link(module, call, bound, scope);
        node_group_module(source, &arguments, &address, link, draft);
        return None;
    }
    if registry::may_declare(source, call, &get) || (outside && registry::speaks_of_a_cluster(call)) {
        let where_ = if outside {
            "is not among the files that were read; read its folder too"
        } else {
            "is not read here: what it declares is not known"
        };
        let at = call.attribute("source").map_or(call.at, |attribute| attribute.at);
        draft.not_read(format!("{address}: the module {} {where_}", draft::short(source)), at);
    }
    None
}

/// A node group that is made with a sub-module of `terraform-aws-modules/eks`.
fn node_group_module(source: &str, arguments: &Arguments<'_>, address: &str, link: Link, draft: &mut Draft) {
    let get = |name: &str| (arguments.get)(name).filter(|node| !node.is_null());
    if get("create").and_then(|node| node.bool()) == Some(false) {
        return;
    }
    let managed = source.contains("//modules/eks-managed-node-group");
    let kind = if managed { NodeGroupKind::Managed } else { NodeGroupKind::SelfManaged };
    let declared_as =
        if managed { "module eks-managed-node-group" } else { "module self-managed-node-group" };
    let name = shown(get("name").as_ref(), address);
    let mut group = draft::group(name.clone(), kind, declared_as, draft.place(arguments.at));
    let version = get("kubernetes_version").or_else(|| get("cluster_version"));
    group.kubelet = draft.version(version.as_ref(), &format!("the version of node group \"{name}\""));
    group.image = draft.image(get("ami_type").as_ref());
    if let Some(image) = get("ami_id").filter(|image| image.text() != Some("")) {
        nodes::started_from(draft, &mut group, &image);
    }
    draft.groups.push((link, group));
}

/// The name of a resource as people see it: its own, or its address.
pub(super) fn shown(own: Option<&Node>, address: &str) -> String {
    own.and_then(Node::text)
        .filter(|text| !text.is_empty() && !is_filled_in(text))
        .unwrap_or(address)
        .to_owned()
}

fn read_resource<'p>(
    module: &Rc<Module<'p>>,
    resource: &'p Resource<'p>,
    instance: &Instance,
    scope: &str,
    draft: &mut Draft,
) {
    let (block, bound) = (&resource.block, &instance.bound);
    let address = format!("{}{}.{}{}", module.path, resource.kind, resource.name, instance.suffix());
    let get = |name: &str| module.attribute(block, name, bound).filter(|node| !node.is_null());
    let ignored = ignored_changes(block);
    let version = |name: &str| if ignored.has(name) { None } else { get(name) };
    let at = draft.place(block.at);
    match resource.kind.as_str() {
        "aws_eks_cluster" => {
            let name = shown(get("name").as_ref(), &address);
            let mut cluster =
                draft::cluster(format!("{scope} {address}"), name.clone(), "aws_eks_cluster", at);
            cluster.control_plane =
                draft.version(version("version").as_ref(), &format!("the version of cluster \"{name}\""));
            let inner = |kind: &str, attribute: &str| {
                let (inner, bound) = module.inner(block, kind, bound)?;
                module.attribute(inner, attribute, &bound).filter(|node| !node.is_null())
            };
            let support = inner("upgrade_policy", "support_type");
            cluster.support =
                draft.support(support.as_ref(), &format!("the upgrade policy of cluster \"{name}\""));
            if let Some(on) = inner("compute_config", "enabled").filter(|on| on.bool() == Some(true)) {
                let at = draft.place(on.at);
                let mut group =
                    draft::group("Auto Mode".to_owned(), NodeGroupKind::AutoMode, "compute_config", at);
                group.follows_control_plane = true;
                cluster.node_groups.push(group);
            }
            let names = vec![name, address];
            draft.clusters.push(DraftCluster {
                snapshot: cluster,
                scope: scope.to_owned(),
                names,
                namespace: None,
            });
        }
        "aws_eks_node_group" => {
            let name = shown(get("node_group_name").as_ref(), &address);
            let mut group = draft::group(name.clone(), NodeGroupKind::Managed, "aws_eks_node_group", at);
            group.kubelet =
                draft.version(version("version").as_ref(), &format!("the version of node group \"{name}\""));
            group.image = draft.image(get("ami_type").as_ref());
            by_release(draft, &mut group, version("release_version").as_ref());
            let own = group.image.known().is_some_and(|image| image.value.family == ImageFamily::Custom);
            if let Some((template, bound)) = module.inner(block, "launch_template", bound) {
                match nodes::launch_image(module, template, &bound) {
                    LaunchImage::Of(image) => nodes::started_from(draft, &mut group, &image),
                    // With an image of its own a group has neither of these.
                    LaunchImage::Elsewhere(at)
                        if group.kubelet.is_absent() && (own || group.image.is_absent()) =>
                    {
                        let why = format!(
                            "the launch template of node group \"{name}\" is not declared here: whether it brings an image is not known"
                        );
                        group.kubelet = Observed::Unreadable(draft.unreadable(why, at));
                    }
                    LaunchImage::None | LaunchImage::Elsewhere(_) => {}
                }
            }
            if own && group.kubelet.is_absent() {
                let why = format!(
                    "the version of node group \"{name}\" is that of its image, which is not declared here"
                );
                group.kubelet = Observed::Unreadable(draft.unreadable(why, block.at));
            }
            let link = cluster_link(module, block, bound, scope);
            draft.groups.push((link, group));
        }
        "aws_eks_addon" => {
            let name = match draft.text(get("addon_name").as_ref(), &format!("the name of {address}")) {
                Observed::Known(name) => name.value,
                Observed::Absent => address.clone(),
                Observed::Unreadable(why) => {
                    draft.unread.push(why);
                    return;
                }
            };
            let what = format!("the version of add-on {name}");
            let version = draft.addon_version(version("addon_version").as_ref(), &what);
            let link = cluster_link(module, block, bound, scope);
            draft.addons.push((link, Addon { name, declared_as: "aws_eks_addon", at, version }));
        }
        "aws_autoscaling_group" => {
            if let Some((name, group)) = nodes::self_managed(module, block, bound, &address, draft) {
                draft.groups.push((Link { scope: scope.to_owned(), name, namespace: None }, group));
            }
        }
        "helm_release" => {
            let name = get("name");
            let namespace = get("namespace");
            let chart = get("chart");
            if let Some(why) = chart.as_ref().and_then(Node::why) {
                draft.not_read(format!("which chart {address} installs is not known: {why}"), block.at);
            }
            draft.chart_use(
                chart.as_ref(),
                get("version").as_ref(),
                "helm_release",
                name.as_ref().and_then(Node::text),
                namespace.as_ref().and_then(Node::text),
                Some(Link { scope: scope.to_owned(), name: None, namespace: None }),
            );
        }
        "kubectl_manifest" => kubectl_manifest(module, block, get("yaml_body"), &address, scope, draft),
        "kubernetes_manifest" => {
            // What is in a file of the tree is read there.
            if let Some(node) = get("manifest").filter(|node| node.at.file == block.at.file) {
                manifest(&node, &module.folder.path, scope, draft);
            }
        }
        _ => {}
    }
}

/// Objects as a text.
fn kubectl_manifest(
    module: &Rc<Module<'_>>,
    block: &Block<'_>,
    body: Option<Node>,
    address: &str,
    scope: &str,
    draft: &mut Draft,
) {
    let Some(body) = body.filter(|body| body.at.file == block.at.file) else { return };
    // The reasons in it might be anything but YAML.
    let Some(text) = body.text().map(value::shown) else { return };
    let text = text.as_str();
    if !text.contains("karpenter") && !text.contains("image:") {
        return;
    }
    // How far an indented text (`<<-`) was moved to the left.
    let moved = match block.attribute("yaml_body").map(|attribute| &attribute.value) {
        Some(Source::Hcl { expression: Expression::HeredocTemplate(heredoc), parsed, .. }) => {
            indent_of(heredoc, parsed.text_of(hcl_edit::Span::span(&**heredoc)))
        }
        _ => 0,
    };
    for document in eks_deprecations::documents(text) {
        // The text starts on the line after the one that opens it.
        let first = body.at.line.saturating_add(document.first_line);
        match crate::yaml::document(document.text, first, body.at.file, body.at.document) {
            Ok(Some(node)) => {
                let node = node.moved_right(u32::try_from(moved).unwrap_or(0));
                manifest(&node, &module.folder.path, scope, draft);
            }
            Err(refused) if document.text.contains("karpenter.k8s.aws") => {
                let at = At { line: refused.line, column: 1, width: 1, ..body.at };
                draft.not_read(format!("the object of {address} cannot be parsed: {}", refused.reason), at);
            }
            Ok(None) | Err(_) => {}
        }
    }
}

/// An object that Terraform applies: it belongs to the root that applies it.
pub(super) fn manifest(node: &Node, folder: &str, scope: &str, draft: &mut Draft) {
    let Some(object) = Object::new(node, folder) else { return };
    let (groups, controllers) = (draft.groups.len(), draft.controllers.len());
    if kubernetes::concerns(object.group, object.kind) {
        kubernetes::read(&object, draft);
    } else if crate::tree::is_workload(object.kind) {
        kubernetes::workload(&object, draft);
    }
    for (link, _) in draft.groups.iter_mut().skip(groups) {
        scope.clone_into(&mut link.scope);
    }
    for (link, _) in draft.controllers.iter_mut().skip(controllers) {
        *link = Some(Link { scope: scope.to_owned(), name: None, namespace: None });
    }
}

/// What of a resource may be changed outside of Terraform: what is written there only counted once.
enum Ignored {
    All,
    Names(Vec<String>),
}

impl Ignored {
    fn has(&self, name: &str) -> bool {
        match self {
            Self::All => true,
            Self::Names(names) => names.iter().any(|ignored| ignored == name || ignored == "*"),
        }
    }
}

/// `lifecycle { ignore_changes = […] }`
fn ignored_changes(block: &Block<'_>) -> Ignored {
    let Some(attribute) = block.inner("lifecycle").and_then(|inner| inner.attribute("ignore_changes")) else {
        return Ignored::Names(Vec::new());
    };
    match &attribute.value {
        Source::Hcl { expression: Expression::Array(array), .. } => Ignored::Names(
            array
                .iter()
                .filter_map(|item| match item {
                    Expression::Variable(name) => Some(name.as_str().to_owned()),
                    // As it was written before 0.12.
                    Expression::String(name) => Some(name.value().clone()),
                    _ => None,
                })
                .collect(),
        ),
        Source::Hcl { expression: Expression::Variable(name), .. } if name.as_str() == "all" => Ignored::All,
        Source::Hcl { .. } => Ignored::Names(Vec::new()),
        Source::Json(node) if node.text() == Some("all") => Ignored::All,
        Source::Json(node) => {
            Ignored::Names(node.items().iter().filter_map(Node::text).map(str::to_owned).collect())
        }
    }
}

/// The cluster that a resource names: one of its own module, or whatever the name is.
fn cluster_link<'p>(module: &Rc<Module<'p>>, block: &Block<'p>, bound: &Bound, scope: &str) -> Link {
    let link = |name: Option<String>| Link { scope: scope.to_owned(), name, namespace: None };
    let Some(attribute) = block.attribute("cluster_name") else { return link(None) };
    match module.target(&attribute.value, Wanted::Cluster, bound) {
        // One of several, and it is not known which.
        Target::Unknown => link(None),
        Target::Cluster(address) => link(Some(address)),
        Target::Resource(..) | Target::Other => {
            let node = module.attribute(block, "cluster_name", bound);
            let name = node.as_ref().and_then(Node::text).filter(|text| !is_filled_in(text));
            link(name.map(str::to_owned))
        }
    }
}
