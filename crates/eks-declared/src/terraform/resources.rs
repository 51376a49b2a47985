//! The resources of a module as it is called: clusters, node groups, add-ons, Auto Scaling groups, Helm releases.

use std::rc::Rc;

use eks_model::{Addon, NodeGroup, NodeGroupKind, Observed, Placed};
use hcl_edit::expr::{Expression, TraversalOperator};

use super::config::{Block, Resource, Source};
use super::eval::{Bound, Module};
use super::registry::{self, Arguments};
use crate::cloudformation::own_image;
use crate::draft::{self, Draft, DraftCluster, Link, is_filled_in};
use crate::kubernetes::{self, Object, by_release};
use crate::node::{Node, Value};

/// Reads a module and the modules that it calls.
pub(super) fn read(module: &Rc<Module<'_>>, scope: &str, draft: &mut Draft) {
    for resource in module.folder.resources.iter().filter(|resource| !resource.data) {
        if !concerns(&resource.kind) || module.is_off(&resource.block) {
            continue;
        }
        match module.instances(&resource.block) {
            Some(instances) => {
                for each in &instances {
                    let bound = Module::bind_each(Some(each));
                    read_resource(module, resource, Some(each), &bound, scope, draft);
                }
            }
            None => read_resource(module, resource, None, &Bound::new(), scope, draft),
        }
    }
    for (name, call) in &module.folder.modules {
        if module.is_off(call) {
            continue;
        }
        match module.instances(call) {
            Some(instances) => {
                for each in instances {
                    read_call(module, name, call, Some(each), scope, draft);
                }
            }
            None => read_call(module, name, call, None, scope, draft),
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

fn read_call<'p>(
    module: &Rc<Module<'p>>,
    name: &str,
    call: &'p Block<'p>,
    each: Option<(Node, Node)>,
    scope: &str,
    draft: &mut Draft,
) {
    let bound = Module::bind_each(each.as_ref());
    let source = module.attribute(call, "source", &Bound::new());
    let source = source.as_ref().and_then(Node::text).unwrap_or_default();
    let index =
        each.as_ref().and_then(|(key, _)| key.text()).map_or_else(String::new, |key| format!("[{key:?}]"));
    let address = format!("{}module.{name}{index}", module.path);
    let get = |argument: &str| module.attribute(call, argument, &bound);
    let arguments = Arguments { get: &get, at: call.at };
    if registry::is_eks(source) || registry::is_cloudposse(source) {
        for off in ["create", "create_eks", "enabled"] {
            if get(off).and_then(|node| node.bool()) == Some(false) {
                return;
            }
        }
        let snapshot = if registry::is_eks(source) {
            registry::read_eks(&arguments, &address, scope, draft)
        } else {
            registry::read_cloudposse(&arguments, &address, scope, draft)
        };
        let names = vec![snapshot.name.clone(), address];
        draft.clusters.push(DraftCluster { snapshot, scope: scope.to_owned(), names, namespace: None });
        return;
    }
    if registry::is_blueprints_addons(source) {
        let names: Vec<String> = call.attributes.iter().map(|attribute| attribute.name.clone()).collect();
        let link = cluster_link(module, call, &bound, scope);
        registry::read_blueprints_addons(&arguments, &names, &link, draft);
        return;
    }
    if let Some(folder) = module.local_source(source) {
        if module.is_inside(folder) {
            draft.not_read(format!("{address}: the module calls itself"), call.at);
            return;
        }
        let child = module.called(name, call, folder, each);
        read(&child, scope, draft);
        return;
    }
    let outside = super::joined(&module.folder.path, source).is_some();
    let node_groups = source.contains("//modules/eks-managed-node-group")
        || source.contains("//modules/self-managed-node-group");
    if node_groups && !outside {
        node_group_module(module, source, &arguments, &address, scope, draft);
        return;
    }
    if registry::may_declare(source, call) {
        let where_ = if outside {
            "is not among the files that were read; read its folder too"
        } else {
            "is not read here: what it declares is not known"
        };
        let at = call.attribute("source").map_or(call.at, |attribute| attribute.at);
        draft.not_read(format!("{address}: the module {} {where_}", draft::short(source)), at);
    }
}

/// A node group that is made with a sub-module of `terraform-aws-modules/eks`.
fn node_group_module(
    _module: &Rc<Module<'_>>,
    source: &str,
    arguments: &Arguments<'_>,
    address: &str,
    scope: &str,
    draft: &mut Draft,
) {
    let get = |name: &str| (arguments.get)(name).filter(|node| !node.is_null());
    let managed = source.contains("//modules/eks-managed-node-group");
    let kind = if managed { NodeGroupKind::Managed } else { NodeGroupKind::SelfManaged };
    let declared_as =
        if managed { "module eks-managed-node-group" } else { "module self-managed-node-group" };
    let name =
        get("name").and_then(|node| node.text().map(str::to_owned)).unwrap_or_else(|| address.to_owned());
    let mut group = draft::group(name.clone(), kind, declared_as, draft.place(arguments.at));
    let version = get("kubernetes_version").or_else(|| get("cluster_version"));
    group.kubelet = draft.version(version.as_ref(), &format!("the version of node group \"{name}\""));
    group.image = draft.image(get("ami_type").as_ref());
    if let Some(image) = get("ami_id") {
        own_image(draft, &mut group, &image);
    }
    let cluster = get("cluster_name").and_then(|node| node.text().map(str::to_owned));
    draft.groups.push((Link { scope: scope.to_owned(), name: cluster, namespace: None }, group));
}

/// The name of a resource as people see it: its own, or its address.
fn shown(own: Option<&Node>, address: &str) -> String {
    own.and_then(Node::text)
        .filter(|text| !text.is_empty() && !is_filled_in(text))
        .unwrap_or(address)
        .to_owned()
}

fn read_resource<'p>(
    module: &Rc<Module<'p>>,
    resource: &'p Resource<'p>,
    each: Option<&(Node, Node)>,
    bound: &Bound,
    scope: &str,
    draft: &mut Draft,
) {
    let block = &resource.block;
    let index = each.and_then(|(key, _)| key.text()).map_or_else(String::new, |key| format!("[{key:?}]"));
    let address = format!("{}{}.{}{index}", module.path, resource.kind, resource.name);
    let get = |name: &str| module.attribute(block, name, bound).filter(|node| !node.is_null());
    let ignored = ignored_changes(block);
    let version = |name: &str| if ignored.iter().any(|ignored| ignored == name) { None } else { get(name) };
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
            let names = vec![name, format!("{}aws_eks_cluster.{}", module.path, resource.name)];
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
            // A version that is the cluster's own attribute goes with it.
            if let Some(image) = module
                .inner(block, "launch_template", bound)
                .and_then(|(lt, bound)| launch_image(module, lt, &bound))
            {
                own_image(draft, &mut group, &image);
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
            if let Some((name, group)) = self_managed(module, block, bound, &address, draft) {
                draft.groups.push((Link { scope: scope.to_owned(), name, namespace: None }, group));
            }
        }
        "helm_release" => {
            let name = get("name");
            let namespace = get("namespace");
            draft.chart_use(
                get("chart").as_ref(),
                get("version").as_ref(),
                "helm_release",
                name.as_ref().and_then(Node::text),
                namespace.as_ref().and_then(Node::text),
                Some(Link { scope: scope.to_owned(), name: None, namespace: None }),
            );
        }
        "kubectl_manifest" => {
            let Some(body) = get("yaml_body") else { return };
            let Some(text) = body.text() else { return };
            if !text.contains("karpenter") && !text.contains("image:") {
                return;
            }
            // How far an indented text (`<<-`) was moved to the left.
            let moved = match block.attribute("yaml_body").map(|attribute| &attribute.value) {
                Some(Source::Hcl { expression: Expression::HeredocTemplate(heredoc), .. }) => {
                    heredoc.indent().unwrap_or(0)
                }
                _ => 0,
            };
            for document in eks_deprecations::documents(text) {
                // The text starts on the line after the one that opens it.
                let first = body.at.line.saturating_add(document.first_line);
                if let Ok(Some(node)) =
                    crate::yaml::document(document.text, first, body.at.file, body.at.document)
                {
                    manifest(&node.moved_right(u32::try_from(moved).unwrap_or(0)), module, scope, draft);
                }
            }
        }
        "kubernetes_manifest" => {
            if let Some(node) = get("manifest") {
                manifest(&node, module, scope, draft);
            }
        }
        _ => {}
    }
}

/// An object that Terraform applies: it belongs to the root that applies it.
fn manifest(node: &Node, module: &Rc<Module<'_>>, scope: &str, draft: &mut Draft) {
    let Some(object) = Object::new(node, &module.folder.path) else { return };
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

/// Names in `lifecycle { ignore_changes = […] }`: what is written there only counted once.
fn ignored_changes(block: &Block<'_>) -> Vec<String> {
    let Some(attribute) = block.inner("lifecycle").and_then(|inner| inner.attribute("ignore_changes")) else {
        return Vec::new();
    };
    match &attribute.value {
        Source::Hcl { expression: Expression::Array(array), .. } => array
            .iter()
            .filter_map(|item| match item {
                Expression::Variable(name) => Some(name.as_str().to_owned()),
                _ => None,
            })
            .collect(),
        Source::Hcl { .. } => Vec::new(),
        Source::Json(node) => node.items().iter().filter_map(Node::text).map(str::to_owned).collect(),
    }
}

/// The cluster that a resource names: one of its own module, or whatever the name is.
fn cluster_link<'p>(module: &Rc<Module<'p>>, block: &Block<'p>, bound: &Bound, scope: &str) -> Link {
    let attribute = block.attribute("cluster_name");
    let own = attribute.and_then(|attribute| match &attribute.value {
        Source::Hcl { expression: Expression::Traversal(traversal), .. } => {
            let Expression::Variable(head) = &traversal.expr else { return None };
            match (head.as_str(), traversal.operators.first().map(hcl_edit::Decorated::value)) {
                ("aws_eks_cluster", Some(TraversalOperator::GetAttr(name))) => {
                    Some(format!("{}aws_eks_cluster.{}", module.path, name.as_str()))
                }
                ("module", Some(TraversalOperator::GetAttr(name))) => {
                    let call = module.folder.modules.get(name.as_str())?;
                    let source = module.attribute(call, "source", &Bound::new())?;
                    let eks = registry::is_eks(source.text()?) || registry::is_cloudposse(source.text()?);
                    eks.then(|| format!("{}module.{}", module.path, name.as_str()))
                }
                _ => None,
            }
        }
        Source::Hcl { .. } | Source::Json(_) => None,
    });
    let name = own.or_else(|| {
        let node = module.attribute(block, "cluster_name", bound)?;
        node.text().filter(|text| !is_filled_in(text)).map(str::to_owned)
    });
    Link { scope: scope.to_owned(), name, namespace: None }
}

/// The resource of a kind that an attribute refers to: directly, or by a local, a condition, a choice.
fn referred<'p>(module: &Rc<Module<'p>>, source: &Source<'p>, kind: &str) -> Option<&'p Resource<'p>> {
    match source {
        Source::Hcl { expression, .. } => {
            let name = referred_name(module, expression, kind, 0)?;
            module.folder.resource(false, kind, &name)
        }
        Source::Json(node) => {
            let text = node.text()?.strip_prefix("${")?.strip_prefix(kind)?.strip_prefix('.')?;
            module.folder.resource(false, kind, text.split(['.', '[', '}']).next()?)
        }
    }
}

fn referred_name(module: &Rc<Module<'_>>, expression: &Expression, kind: &str, depth: u32) -> Option<String> {
    if depth > 16 {
        return None;
    }
    let inner = |expression: &Expression| referred_name(module, expression, kind, depth + 1);
    match expression {
        Expression::Parenthesis(parenthesis) => inner(parenthesis.inner()),
        Expression::Conditional(conditional) => {
            inner(&conditional.true_expr).or_else(|| inner(&conditional.false_expr))
        }
        Expression::FuncCall(call) => call.args.iter().find_map(inner),
        Expression::Traversal(traversal) => {
            let Expression::Variable(head) = &traversal.expr else { return None };
            let Some(TraversalOperator::GetAttr(name)) =
                traversal.operators.first().map(hcl_edit::Decorated::value)
            else {
                return None;
            };
            match head.as_str() {
                "local" => match &module.folder.locals.get(name.as_str())?.value {
                    Source::Hcl { expression, .. } => inner(expression),
                    Source::Json(_) => None,
                },
                head if head == kind => Some(name.as_str().to_owned()),
                _ => None,
            }
        }
        _ => None,
    }
}

/// The image of the launch template that a block names.
fn launch_image<'p>(module: &Rc<Module<'p>>, block: &Block<'p>, bound: &Bound) -> Option<Node> {
    let template = ["id", "name", "launch_template_id", "launch_template_name"]
        .iter()
        .find_map(|name| referred(module, &block.attribute(name)?.value, "aws_launch_template"))?;
    image_of(module, template, bound)
}

fn image_of<'p>(module: &Rc<Module<'p>>, template: &'p Resource<'p>, bound: &Bound) -> Option<Node> {
    let image = module.attribute(&template.block, "image_id", bound).filter(|node| !node.is_null())?;
    Some(match image.text().and_then(|text| text.strip_prefix("resolve:ssm:")) {
        Some(name) => Node::new(Value::Named(name.to_owned()), image.at),
        None => image,
    })
}

/// An Auto Scaling group, if what it starts from is an image for EKS, or its tags name a cluster.
fn self_managed<'p>(
    module: &Rc<Module<'p>>,
    block: &Block<'p>,
    bound: &Bound,
    address: &str,
    draft: &Draft,
) -> Option<(Option<String>, NodeGroup)> {
    let mixed = || {
        let (policy, bound) = module.inner(block, "mixed_instances_policy", bound)?;
        let (template, bound) = module.inner(policy, "launch_template", &bound)?;
        module.inner(template, "launch_template_specification", &bound)
    };
    let image = module
        .inner(block, "launch_template", bound)
        .or_else(mixed)
        .and_then(|(template, bound)| launch_image(module, template, &bound))
        .or_else(|| {
            let configuration = block.attribute("launch_configuration")?;
            image_of(module, referred(module, &configuration.value, "aws_launch_configuration")?, bound)
        });
    let known = draft.image(image.as_ref());
    let for_eks = image.as_ref().and_then(Node::text).is_some_and(is_for_eks);
    let cluster = tagged_cluster(module, block, bound);
    if !for_eks && cluster.is_none() {
        return None;
    }
    let name = shown(module.attribute(block, "name", bound).as_ref(), address);
    let mut group = draft::group(
        name.clone(),
        NodeGroupKind::SelfManaged,
        "aws_autoscaling_group",
        draft.place(block.at),
    );
    match (&known, &image) {
        (Observed::Known(Placed { value, .. }), Some(image)) if value.kubernetes.is_some() => {
            own_image(draft, &mut group, image);
        }
        (_, Some(image)) => {
            let why = match image.why() {
                Some(why) => format!("the image of node group \"{name}\" is not known: {why}"),
                None => format!(
                    "the image of node group \"{name}\" (`{}`) does not say its Kubernetes version",
                    draft::short(image.text().unwrap_or_default())
                ),
            };
            group.image = known;
            group.kubelet = Observed::Unreadable(draft.unreadable(why, image.at));
        }
        (_, None) => {
            let why = format!("what node group \"{name}\" starts from is not declared here");
            group.kubelet = Observed::Unreadable(draft.unreadable(why, block.at));
        }
    }
    Some((cluster.flatten(), group))
}

/// Whether a name is that of an image made for EKS.
fn is_for_eks(text: &str) -> bool {
    ["amazon-eks-", "/eks/optimized-ami/", "aws-k8s-", "EKS_Optimized", "ubuntu-eks/", "/ubuntu/eks"]
        .iter()
        .any(|mark| text.contains(mark))
}

/// `kubernetes.io/cluster/NAME` in the tags of a group: whether there is one, and the name where it is known.
fn tagged_cluster<'p>(module: &Rc<Module<'p>>, block: &Block<'p>, bound: &Bound) -> Option<Option<String>> {
    const MARK: &str = "kubernetes.io/cluster/";
    let mut keys: Vec<Node> =
        block.blocks("tag").filter_map(|tag| module.attribute(tag, "key", bound)).collect();
    // `dynamic "tag"` over a map of tags.
    if let Some(dynamic) = block.dynamic("tag")
        && let Some(over) = module.attribute(dynamic, "for_each", bound)
    {
        let text = |key: &String, node: &Node| Node::new(Value::Text(key.clone()), node.at);
        keys.extend(over.entries().iter().map(|(key, node)| text(key, node)));
    }
    // kOps makes clusters of its own with the same mark.
    let kops = |key: &Node| {
        key.text().is_some_and(|text| text.starts_with("kops.k8s.io/") || text.starts_with("k8s.io/role/"))
    };
    if keys.iter().any(kops) {
        return None;
    }
    for key in keys {
        if let Some(name) = key.text().and_then(|text| text.strip_prefix(MARK)) {
            return Some(Some(name.to_owned()).filter(|name| !is_filled_in(name)));
        }
    }
    None
}
