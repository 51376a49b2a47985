//! Nodes that bring their own image: launch templates, and Auto Scaling groups.

use std::rc::Rc;

use eks_model::{NodeGroup, NodeGroupKind, Observed, Placed};

use super::config::{Block, Resource};
use super::eval::{Bound, Module, Target, Wanted};
use crate::draft::{self, Draft, is_filled_in};
use crate::node::{At, Node, Value};

/// What a launch template says of the image.
pub(super) enum LaunchImage {
    Of(Node),
    /// None: the group's own counts.
    None,
    /// It is not declared here.
    Elsewhere(At),
}

/// Takes in the image that a group starts from: its version is the group's, whatever else is written. One that does
/// not say its version leaves that unknown.
pub(super) fn started_from(draft: &Draft, group: &mut NodeGroup, image: &Node) {
    let known = draft.image(Some(image));
    group.kubelet = match &known {
        Observed::Known(Placed { value, at }) if value.kubernetes.is_some() => match &value.kubernetes {
            Some(version) => Observed::Known(Placed { value: version.clone(), at: at.clone() }),
            None => Observed::Absent,
        },
        _ => Observed::Unreadable(draft.unreadable(
            match image.why() {
                Some(why) => format!("the image of node group \"{}\" is not known: {why}", group.name),
                None => format!(
                    "the image of node group \"{}\" (`{}`) does not say its Kubernetes version",
                    group.name,
                    draft::short(image.text().unwrap_or_default())
                ),
            },
            image.at,
        )),
    };
    // One cause is said once.
    group.image = if let Observed::Unreadable(_) = known { Observed::Absent } else { known };
}

/// The image of the launch template that a block names.
pub(super) fn launch_image<'p>(module: &Rc<Module<'p>>, block: &Block<'p>, bound: &Bound) -> LaunchImage {
    let names = ["id", "name", "launch_template_id", "launch_template_name"];
    let Some(attribute) = names.iter().find_map(|name| block.attribute(name)) else {
        return LaunchImage::Elsewhere(block.at);
    };
    match module.target(&attribute.value, Wanted::Kind("aws_launch_template"), bound) {
        Target::Resource(module, template, instance) => match image_of(&module, template, &instance.bound) {
            Some(image) => LaunchImage::Of(image),
            None => LaunchImage::None,
        },
        Target::Cluster(_) | Target::Unknown | Target::Other => {
            // `id = null` is none.
            match module.eval(&attribute.value, bound).value {
                Value::Null => LaunchImage::None,
                _ => LaunchImage::Elsewhere(attribute.at),
            }
        }
    }
}

fn image_of<'p>(module: &Rc<Module<'p>>, template: &'p Resource<'p>, bound: &Bound) -> Option<Node> {
    let image = module
        .attribute(&template.block, "image_id", bound)
        .filter(|node| !node.is_null() && node.text() != Some(""))?;
    Some(match image.text().and_then(|text| text.strip_prefix("resolve:ssm:")) {
        Some(name) => Node::new(Value::Named(name.to_owned()), image.at),
        None => image,
    })
}

/// An Auto Scaling group, if what it starts from is an image for EKS, or its tags name a cluster.
pub(super) fn self_managed<'p>(
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
        .and_then(|(template, bound)| match launch_image(module, template, &bound) {
            LaunchImage::Of(image) => Some(image),
            LaunchImage::None | LaunchImage::Elsewhere(_) => None,
        })
        .or_else(|| {
            let configuration = block.attribute("launch_configuration")?;
            let wanted = Wanted::Kind("aws_launch_configuration");
            match module.target(&configuration.value, wanted, bound) {
                Target::Resource(module, found, instance) => image_of(&module, found, &instance.bound),
                Target::Cluster(_) | Target::Unknown | Target::Other => None,
            }
        });
    let for_eks = image.as_ref().and_then(Node::text).is_some_and(is_for_eks);
    let cluster = tagged_cluster(module, block, bound);
    if !for_eks && cluster.is_none() {
        return None;
    }
    let name = super::resources::shown(module.attribute(block, "name", bound).as_ref(), address);
    let mut group = draft::group(
        name.clone(),
        NodeGroupKind::SelfManaged,
        "aws_autoscaling_group",
        draft.place(block.at),
    );
    if let Some(image) = &image {
        started_from(draft, &mut group, image);
    } else {
        let why = format!("what node group \"{name}\" starts from is not declared here");
        group.kubelet = Observed::Unreadable(draft.unreadable(why, block.at));
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
    let mut keys: Vec<Node> =
        block.blocks("tag").filter_map(|tag| module.attribute(tag, "key", bound)).collect();
    // `dynamic "tag"` over a map of tags, or a list of such blocks.
    if let Some(dynamic) = block.dynamic("tag")
        && let Some(over) = module.attribute(dynamic, "for_each", bound)
    {
        let text = |key: &String, node: &Node| Node::new(Value::Text(key.clone()), node.at);
        keys.extend(over.entries().iter().map(|(key, node)| text(key, node)));
        keys.extend(over.items().iter().filter_map(|item| item.get("key").cloned()));
    }
    // Of older releases of the provider.
    if let Some(tags) = module.attribute(block, "tags", bound) {
        keys.extend(tags.items().iter().filter_map(|item| item.get("key").cloned()));
    }
    tagged(keys.iter().filter_map(Node::text))
}

/// The same, of the keys of tags.
pub(super) fn tagged<'k>(keys: impl Iterator<Item = &'k str>) -> Option<Option<String>> {
    const MARK: &str = "kubernetes.io/cluster/";
    let keys: Vec<&str> = keys.collect();
    // kOps makes clusters of its own with the same mark.
    if keys.iter().any(|key| key.starts_with("kops.k8s.io/") || key.starts_with("k8s.io/role/")) {
        return None;
    }
    let name = keys.iter().find_map(|key| key.strip_prefix(MARK))?;
    Some(Some(name.to_owned()).filter(|name| !is_filled_in(name)))
}
