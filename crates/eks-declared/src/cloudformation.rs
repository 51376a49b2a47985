//! CloudFormation templates, in YAML (with short tags) and in JSON.
//!
//! What a template computes out of its own parameters, mappings and conditions is followed as far as their
//! defaults go. <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/AWS_EKS.html> (2026-08-01)

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;

use eks_model::{Addon, NodeGroupKind, Observed, Placed};

use crate::draft::{self, Draft, DraftCluster, Link};
use crate::kubernetes::by_release;
use crate::node::{At, Node, Value};

/// How deep functions of functions are followed: a template that refers to itself ends there.
const DEPTH: u32 = 24;

/// Whether a document is a template that this module reads.
pub(crate) fn is_template(node: &Node) -> bool {
    root_resources(node)
        .iter()
        .any(|(id, resource)| resource.get("Type").is_some() || id.starts_with("Fn::ForEach"))
}

fn root_resources(root: &Node) -> &[(String, Node)] {
    root.get("Resources").map(Node::entries).unwrap_or_default()
}

/// How many functions are worked out in one template: above any real one.
const STEPS: u32 = 200_000;

struct Template<'n> {
    root: &'n Node,
    /// Conditions that were asked for, and their answer.
    conditions: RefCell<BTreeMap<String, Option<bool>>>,
    steps: Cell<u32>,
}

/// Reads a template.
pub(crate) fn read(root: &Node, draft: &mut Draft) {
    let template = Template { root, conditions: RefCell::default(), steps: Cell::new(0) };
    for (id, resource) in root_resources(root) {
        if id.starts_with("Fn::ForEach") && makes_eks(resource, 0) {
            draft.not_read(
                format!("{id} makes EKS resources, and is worked out by CloudFormation alone; check the processed template"),
                resource.at,
            );
        }
    }
    let resources: Vec<(&str, &str, &Node)> = root_resources(root)
        .iter()
        .filter_map(|(id, resource)| Some((id.as_str(), resource.get("Type")?.text()?, resource)))
        .collect();
    let scope = draft.files.get(root.at.file as usize).cloned().unwrap_or_default();
    for &(id, kind, resource) in &resources {
        if let Some(condition) = resource.get("Condition").and_then(Node::text)
            && template.condition(condition, 0) == Some(false)
        {
            continue;
        }
        // Each part of the path may be a function: `UpgradePolicy: !If […]`.
        let property = |path: &[&str]| template.at_path(resource.get("Properties")?, path);
        let at = resource.get("Type").map_or(resource.at, |kind| kind.at);
        match kind {
            "AWS::EKS::Cluster" | "AWSQS::EKS::Cluster" | "Custom::AWSCDK-EKS-Cluster" => {
                let (declared_as, name, version) = match kind {
                    "AWS::EKS::Cluster" => ("AWS::EKS::Cluster", &["Name"][..], &["Version"][..]),
                    "AWSQS::EKS::Cluster" => ("AWSQS::EKS::Cluster", &["Name"][..], &["Version"][..]),
                    // What the CDK synthesises: <https://github.com/aws/aws-cdk/tree/main/packages/aws-cdk-lib/aws-eks>
                    _ => ("Custom::AWSCDK-EKS-Cluster", &["Config", "name"][..], &["Config", "version"][..]),
                };
                let name = property(name).and_then(|node| node.text().map(str::to_owned));
                let shown = name.clone().unwrap_or_else(|| id.to_owned());
                let id_ = format!("{scope} {id}");
                let mut cluster = draft::cluster(id_, shown.clone(), declared_as, draft.place(at));
                let what = format!("the version of cluster \"{shown}\"");
                cluster.control_plane = draft.version(property(version).as_ref(), &what);
                let what = format!("the upgrade policy of cluster \"{shown}\"");
                cluster.support = draft.support(property(&["UpgradePolicy", "SupportType"]).as_ref(), &what);
                if property(&["ComputeConfig", "Enabled"]).and_then(|on| on.bool()) == Some(true) {
                    let mut group = draft::group(
                        "Auto Mode".to_owned(),
                        NodeGroupKind::AutoMode,
                        "ComputeConfig",
                        draft.place(at),
                    );
                    group.follows_control_plane = true;
                    cluster.node_groups.push(group);
                }
                let mut names = vec![id.to_owned()];
                names.extend(name);
                draft.clusters.push(DraftCluster {
                    snapshot: cluster,
                    scope: scope.clone(),
                    names,
                    namespace: None,
                });
            }
            "AWS::EKS::Nodegroup" => {
                let name = property(&["NodegroupName"]).and_then(|node| node.text().map(str::to_owned));
                let name = name.unwrap_or_else(|| id.to_owned());
                let mut group = draft::group(
                    name.clone(),
                    NodeGroupKind::Managed,
                    "AWS::EKS::Nodegroup",
                    draft.place(at),
                );
                let what = format!("the version of node group \"{name}\"");
                group.kubelet = draft.version(property(&["Version"]).as_ref(), &what);
                group.image = draft.image(property(&["AmiType"]).as_ref());
                by_release(draft, &mut group, property(&["ReleaseVersion"]).as_ref());
                if let Some(launch) = resource.get("Properties").and_then(|p| p.get("LaunchTemplate"))
                    && let Some(image) = template.launch_template_image(launch)
                {
                    own_image(draft, &mut group, &image);
                }
                let link = template.cluster_link(resource, &scope);
                draft.groups.push((link, group));
            }
            "AWS::EKS::Addon" => {
                let name = match draft
                    .text(property(&["AddonName"]).as_ref(), &format!("the name of add-on {id}"))
                {
                    Observed::Known(name) => name.value,
                    Observed::Absent => id.to_owned(),
                    Observed::Unreadable(why) => {
                        draft.unread.push(why);
                        continue;
                    }
                };
                let what = format!("the version of add-on {name}");
                let version = draft.addon_version(property(&["AddonVersion"]).as_ref(), &what);
                let addon = Addon { name, declared_as: "AWS::EKS::Addon", at: draft.place(at), version };
                draft.addons.push((template.cluster_link(resource, &scope), addon));
            }
            "AWS::AutoScaling::AutoScalingGroup" => {
                if let Some(group) = template.self_managed(id, resource, at, draft) {
                    let name = template.tagged_cluster(resource);
                    draft.groups.push((Link { scope: scope.clone(), name, namespace: None }, group));
                }
            }
            _ => {}
        }
    }
}

/// Whether EKS resources are among what a loop makes.
fn makes_eks(node: &Node, depth: u32) -> bool {
    depth < DEPTH
        && (node.get("Type").and_then(Node::text).is_some_and(|kind| kind.contains("EKS"))
            || node.items().iter().any(|item| makes_eks(item, depth + 1))
            || node.entries().iter().any(|(_, value)| makes_eks(value, depth + 1)))
}

/// What the image of a launch template says of a group.
pub(crate) fn own_image(draft: &Draft, group: &mut eks_model::NodeGroup, image: &Node) {
    let image = draft.image(Some(image));
    if let Observed::Known(image) = &image
        && let Some(version) = &image.value.kubernetes
        && group.kubelet.is_absent()
    {
        group.kubelet = Observed::Known(Placed { value: version.clone(), at: image.at.clone() });
    }
    if group.image.is_absent() {
        group.image = image;
    }
}

impl<'n> Template<'n> {
    /// A value with the template's functions worked out, as far as its own texts go. `None` for
    /// `AWS::NoValue`.
    fn resolve(&self, node: &Node, depth: u32) -> Option<Node> {
        let unknown = |reason: String| Some(Node::unknown(reason, node.at));
        if depth > DEPTH {
            return unknown("it refers to itself, or is nested too deep".to_owned());
        }
        if self.is_spent() {
            return unknown("the template takes more work than any real one".to_owned());
        }
        let [(function, argument)] = node.entries() else { return Some(node.clone()) };
        match function.as_str() {
            "Ref" => self.reference(argument.text().unwrap_or_default(), node.at, depth),
            "Fn::Sub" => Some(self.substitute(argument, node.at, depth)),
            "Fn::If" => match argument.items() {
                [condition, yes, no] => match self.condition(condition.text().unwrap_or_default(), depth) {
                    Some(true) => self.resolve(yes, depth + 1),
                    Some(false) => self.resolve(no, depth + 1),
                    None => {
                        let (yes, no) = (self.resolve(yes, depth + 1), self.resolve(no, depth + 1));
                        match (&yes, &no) {
                            (Some(a), Some(b)) if a.text().is_some() && a.text() == b.text() => yes,
                            _ => unknown("it depends on a condition that is settled outside".to_owned()),
                        }
                    }
                },
                _ => unknown("its Fn::If has not three parts".to_owned()),
            },
            "Fn::FindInMap" => {
                let keys: Vec<Option<Node>> =
                    argument.items().iter().take(3).map(|key| self.resolve(key, depth + 1)).collect();
                let texts: Option<Vec<&str>> = keys.iter().map(|key| key.as_ref()?.text()).collect();
                match texts.as_deref() {
                    Some(path @ [_, _, _]) => {
                        match self.root.get("Mappings").and_then(|mappings| mappings.at_path(path)) {
                            Some(found) => Some(found.clone()),
                            None => unknown(format!("there is no {} in its mappings", path.join("."))),
                        }
                    }
                    _ => unknown("a key of its mapping is settled outside".to_owned()),
                }
            }
            "Fn::Join" => {
                let [separator, parts] = argument.items() else {
                    return unknown("its Fn::Join has not two parts".to_owned());
                };
                let mut texts = Vec::new();
                for part in parts.items() {
                    match self.resolve(part, depth + 1) {
                        Some(part) if part.is_unknown() => return Some(part),
                        Some(part) => texts.push(part.text().unwrap_or_default().to_owned()),
                        None => {}
                    }
                }
                let text = texts.join(separator.text().unwrap_or_default());
                Some(Node::new(Value::Text(text), node.at))
            }
            "Fn::Select" => {
                let [index, list] = argument.items() else {
                    return unknown("its Fn::Select has not two parts".to_owned());
                };
                let index = self.resolve(index, depth + 1).and_then(|i| i.text()?.parse::<usize>().ok());
                let list = self.resolve(list, depth + 1);
                match index.and_then(|index| list.as_ref()?.items().get(index).cloned()) {
                    Some(item) => self.resolve(&item, depth + 1),
                    None => unknown("its Fn::Select picks from what is settled outside".to_owned()),
                }
            }
            "Fn::GetAtt" => unknown("it is an attribute of a resource".to_owned()),
            "Fn::ImportValue" => unknown("it is imported from another stack".to_owned()),
            name if name.starts_with("Fn::") => unknown(format!("it is computed by {name}")),
            _ => Some(node.clone()),
        }
    }

    /// Counts a step. Functions of functions double with every level.
    fn is_spent(&self) -> bool {
        self.steps.set(self.steps.get().saturating_add(1));
        self.steps.get() > STEPS
    }

    /// What lies below a value, with the functions on the way worked out.
    fn at_path(&self, node: &Node, path: &[&str]) -> Option<Node> {
        let mut node = self.resolve(node, 0)?;
        for key in path {
            if node.is_unknown() {
                return Some(node);
            }
            node = self.resolve(node.get(key)?, 0)?;
        }
        Some(node)
    }

    fn parameter(&self, name: &str) -> Option<&'n Node> {
        self.root.get("Parameters").and_then(|parameters| parameters.get(name))
    }

    fn reference(&self, name: &str, at: At, depth: u32) -> Option<Node> {
        if name == "AWS::NoValue" {
            return None;
        }
        let Some(parameter) = self.parameter(name) else {
            return Some(Node::unknown(format!("it refers to {name}"), at));
        };
        let parameter_store = parameter
            .get("Type")
            .and_then(Node::text)
            .is_some_and(|kind| kind.starts_with("AWS::SSM::Parameter"));
        match parameter.get("Default") {
            // The default is the name of a parameter in the store, where the image's id is found.
            Some(default) if parameter_store => {
                Some(Node::new(Value::Named(default.text().unwrap_or_default().to_owned()), default.at))
            }
            Some(default) => self.resolve(default, depth + 1),
            None => Some(Node::unknown(format!("parameter {name} has no default in the template"), at)),
        }
    }

    /// `${Name}` in a text.
    fn substitute(&self, argument: &Node, at: At, depth: u32) -> Node {
        let (text, own) = match argument.items() {
            [text, own] => (text.text(), Some(own)),
            _ => (argument.text(), None),
        };
        let Some(text) = text else { return Node::unknown("its Fn::Sub has no text", at) };
        let mut out = String::new();
        let mut versions = Vec::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once("${") {
            out.push_str(before);
            let Some((name, after)) = after.split_once('}') else { break };
            rest = after;
            if let Some(literal) = name.strip_prefix('!') {
                out.push_str("${");
                out.push_str(literal);
                out.push('}');
                continue;
            }
            let value = match own.and_then(|own| own.get(name)) {
                Some(node) => self.resolve(node, depth + 1),
                None => self.reference(name, at, depth + 1),
            };
            match value {
                Some(value) if value.is_unknown() => return value,
                Some(value) => {
                    let text = value.text().unwrap_or_default();
                    if crate::terraform::is_minor(text) {
                        versions.push(value.at);
                    }
                    out.push_str(text);
                }
                None => {}
            }
        }
        out.push_str(rest);
        // A version that is put in stands where it is written.
        let at = if let [only] = versions.as_slice() { *only } else { argument.at };
        // A text that the account's parameter store fills in: what it is called still tells the image.
        if let Some(name) = out.strip_prefix("{{resolve:ssm:").and_then(|name| name.strip_suffix("}}")) {
            return Node::new(Value::Named(name.to_owned()), at);
        }
        Node::new(Value::Text(out), at)
    }

    /// A condition, where the defaults settle it. A parameter that somebody may set otherwise is taken at
    /// its default: that is what the text says.
    fn condition(&self, name: &str, depth: u32) -> Option<bool> {
        if depth > DEPTH {
            return None;
        }
        if let Some(&known) = self.conditions.borrow().get(name) {
            return known;
        }
        let condition = self.root.get("Conditions")?.get(name)?;
        let truth = self.truth(condition, depth + 1);
        self.conditions.borrow_mut().insert(name.to_owned(), truth);
        truth
    }

    fn truth(&self, node: &Node, depth: u32) -> Option<bool> {
        if depth > DEPTH || self.is_spent() {
            return None;
        }
        let [(function, argument)] = node.entries() else { return node.bool() };
        match function.as_str() {
            "Fn::Equals" => {
                let [a, b] = argument.items() else { return None };
                let (a, b) = (self.resolve(a, depth + 1)?, self.resolve(b, depth + 1)?);
                Some(a.text()? == b.text()?)
            }
            "Fn::Not" => argument.items().first().and_then(|inner| self.truth(inner, depth + 1)).map(|b| !b),
            // One that settles it does so whatever the others are.
            "Fn::And" | "Fn::Or" => {
                let settles = function == "Fn::Or";
                let mut open = false;
                for inner in argument.items() {
                    match self.truth(inner, depth + 1) {
                        Some(truth) if truth == settles => return Some(settles),
                        Some(_) => {}
                        None => open = true,
                    }
                }
                (!open).then_some(!settles)
            }
            "Condition" => self.condition(argument.text()?, depth + 1),
            _ => None,
        }
    }

    /// The cluster that a resource names: by reference, or by name.
    fn cluster_link(&self, resource: &Node, scope: &str) -> Link {
        let named = resource.get("Properties").and_then(|properties| properties.get("ClusterName"));
        let referred = named.and_then(|node| {
            node.get("Ref").and_then(Node::text).or_else(|| node.get("Fn::GetAtt")?.items().first()?.text())
        });
        let name = match referred {
            Some(id) if self.parameter(id).is_none() => Some(id.to_owned()),
            _ => named.and_then(|node| self.resolve(node, 0)).and_then(|node| node.text().map(str::to_owned)),
        };
        Link { scope: scope.to_owned(), name, namespace: None }
    }

    /// The resource that a `LaunchTemplate` block, or a `LaunchConfigurationName`, names.
    fn referred(&self, node: &Node) -> Option<&'n Node> {
        // Of two that a condition chooses between, one that is not settled may be either.
        if let Some([condition, yes, no]) = node.get("Fn::If").map(Node::items) {
            return match condition.text().and_then(|condition| self.condition(condition, 0)) {
                Some(true) => self.referred(yes),
                Some(false) => self.referred(no),
                None => self.referred(yes).or_else(|| self.referred(no)),
            };
        }
        let id = ["LaunchTemplateId", "Id", "LaunchTemplateName", "Name"]
            .iter()
            .find_map(|key| node.get(key))
            .unwrap_or(node);
        let name = self.referred_name(id, 0)?;
        self.root.get("Resources")?.get(&name)?.get("Properties")
    }

    fn referred_name(&self, node: &Node, depth: u32) -> Option<String> {
        if depth > DEPTH {
            return None;
        }
        if let Some(choice) = node.get("Fn::If") {
            let [condition, yes, no] = choice.items() else { return None };
            let inner = |node: &Node| self.referred_name(node, depth + 1);
            return match self.condition(condition.text()?, depth + 1) {
                Some(true) => inner(yes),
                Some(false) => inner(no),
                None => inner(yes).or_else(|| inner(no)),
            };
        }
        let name =
            node.get("Ref").and_then(Node::text).or_else(|| node.get("Fn::GetAtt")?.items().first()?.text());
        name.map(str::to_owned)
    }

    fn launch_template_image(&self, node: &Node) -> Option<Node> {
        let properties = self.referred(node)?;
        let image =
            properties.at_path(&["LaunchTemplateData", "ImageId"]).or_else(|| properties.get("ImageId"))?;
        let image = self.resolve(image, 0)?;
        let strip = image
            .text()
            .and_then(|text| {
                text.strip_prefix("{{resolve:ssm:").or_else(|| text.strip_prefix("resolve:ssm:"))
            })
            .map(|text| text.trim_end_matches("}}").to_owned());
        Some(match strip {
            Some(name) => Node::new(Value::Named(name), image.at),
            None => image,
        })
    }

    /// `kubernetes.io/cluster/NAME` in the tags of a group.
    fn tagged_cluster(&self, resource: &Node) -> Option<String> {
        let tags = resource.get("Properties")?.get("Tags")?;
        tags.items().iter().find_map(|tag| {
            let key = self.resolve(tag.get("Key")?, 0)?;
            key.text()?.strip_prefix("kubernetes.io/cluster/").map(str::to_owned)
        })
    }

    /// An Auto Scaling group, if what it starts from is an image for EKS, or its tags name a cluster.
    fn self_managed(&self, id: &str, resource: &Node, at: At, draft: &Draft) -> Option<eks_model::NodeGroup> {
        let properties = resource.get("Properties")?;
        let launch = ["LaunchTemplate", "LaunchConfigurationName"]
            .iter()
            .find_map(|key| properties.get(key))
            .or_else(|| {
                properties.at_path(&["MixedInstancesPolicy", "LaunchTemplate", "LaunchTemplateSpecification"])
            })?;
        let image = self.launch_template_image(launch);
        let known = draft.image(image.as_ref());
        let for_eks = known.known().is_some_and(|image| image.value.kubernetes.is_some());
        let tags_name_a_cluster = properties.get("Tags").is_some_and(|tags| {
            tags.items().iter().any(|tag| {
                let key = tag.get("Key");
                let text = key.and_then(|key| key.text().or_else(|| key.get("Fn::Sub")?.text()));
                text.is_some_and(|text| text.starts_with("kubernetes.io/cluster/"))
            })
        });
        if !for_eks && !tags_name_a_cluster {
            return None;
        }
        let mut group = draft::group(
            id.to_owned(),
            NodeGroupKind::SelfManaged,
            "AWS::AutoScaling::AutoScalingGroup",
            draft.place(at),
        );
        match image {
            Some(image) if for_eks => own_image(draft, &mut group, &image),
            Some(image) => {
                let why = draft::image_says_nothing(&format!("node group \"{id}\""), &image);
                group.kubelet = Observed::Unreadable(draft.unreadable(why, image.at));
            }
            None => {}
        }
        Some(group)
    }
}
