//! Objects of Kubernetes that declare clusters, nodes and add-ons (Cluster API, ACK, Crossplane,
//! Karpenter), and those that run or install a controller (workloads, Argo CD, Flux, Helm).

use eks_model::{Addon, ImageFamily, NodeGroupKind, NodeImage, Observed, Placed};

use crate::draft::{self, Draft, DraftCluster, Link};
use crate::node::Node;

/// An object, with its API taken apart.
pub(crate) struct Object<'a> {
    pub(crate) node: &'a Node,
    pub(crate) group: &'a str,
    pub(crate) version: &'a str,
    pub(crate) kind: &'a str,
    /// The folder that it lies in.
    pub(crate) folder: &'a str,
}

impl<'a> Object<'a> {
    pub(crate) fn new(node: &'a Node, folder: &'a str) -> Option<Self> {
        let api = node.get("apiVersion").and_then(Node::text)?;
        let kind = node.get("kind").and_then(Node::text)?;
        let (group, version) = api.split_once('/').unwrap_or(("", api));
        Some(Self { node, group, version, kind, folder })
    }

    fn spec(&self, path: &[&str]) -> Option<&'a Node> {
        path.iter().try_fold(self.node.get("spec")?, |node, key| node.get(key))
    }

    fn name_node(&self) -> &'a Node {
        self.node.at_path(&["metadata", "name"]).unwrap_or(self.node)
    }

    fn name(&self) -> String {
        self.node.at_path(&["metadata", "name"]).and_then(Node::text).unwrap_or("?").to_owned()
    }

    fn namespace(&self) -> Option<&'a str> {
        self.node.at_path(&["metadata", "namespace"]).and_then(Node::text)
    }

    fn link(&self, name: Option<String>) -> Link {
        Link { scope: self.folder.to_owned(), name, namespace: self.namespace().map(str::to_owned) }
    }
}

/// Whether an object of this group may declare or run something of interest.
pub(crate) fn concerns(group: &str, kind: &str) -> bool {
    match group {
        "eksctl.io"
        | "eks.services.k8s.aws"
        | "eks.aws.upbound.io"
        | "eks.aws.m.upbound.io"
        | "eks.aws.crossplane.io"
        | "karpenter.k8s.aws"
        | "controlplane.cluster.x-k8s.io"
        | "infrastructure.cluster.x-k8s.io"
        | "cluster.x-k8s.io"
        | "helm.toolkit.fluxcd.io"
        | "source.toolkit.fluxcd.io" => true,
        "argoproj.io" => matches!(kind, "Application" | "ApplicationSet"),
        "kro.run" => kind == "ResourceGraphDefinition",
        "apiextensions.crossplane.io" => kind == "Composition",
        "kustomize.config.k8s.io" => kind == "Kustomization",
        _ => false,
    }
}

/// Whether any kind of a group does.
pub(crate) fn concerns_group(group: &str) -> bool {
    ["Application", "ResourceGraphDefinition", "Composition", "Kustomization"]
        .iter()
        .any(|kind| concerns(group, kind))
}

/// Reads one object.
pub(crate) fn read(object: &Object<'_>, draft: &mut Draft) {
    match (object.group, object.kind) {
        ("eksctl.io", "ClusterConfig") => crate::eksctl::read(object.node, draft),
        ("eks.services.k8s.aws", "Cluster") => ack_cluster(object, draft),
        ("eks.services.k8s.aws", "Nodegroup") => ack_nodegroup(object, draft),
        ("eks.services.k8s.aws", "Addon") => {
            let link = ack_link(object);
            let name = object.spec(&["name"]).or(Some(object.name_node()));
            addon(object, name, object.spec(&["addonVersion"]), link, "Addon (ACK)", draft);
        }
        ("eks.aws.upbound.io" | "eks.aws.m.upbound.io" | "eks.aws.crossplane.io", kind) => {
            crossplane(object, kind, draft);
        }
        (
            "controlplane.cluster.x-k8s.io" | "infrastructure.cluster.x-k8s.io",
            "AWSManagedControlPlane" | "AWSManagedControlPlaneTemplate",
        ) => capa_control_plane(object, draft),
        ("cluster.x-k8s.io", "MachinePool" | "MachineDeployment") => capi_machines(object, draft),
        ("infrastructure.cluster.x-k8s.io", "AWSManagedMachinePool") => capa_machine_pool(object, draft),
        ("karpenter.k8s.aws", "EC2NodeClass" | "AWSNodeTemplate") => karpenter(object, draft),
        ("cluster.x-k8s.io", "Cluster") => topology(object, draft),
        ("kro.run", "ResourceGraphDefinition") => {
            let resources = object.spec(&["resources"]).map(Node::items).unwrap_or_default();
            embedded(resources.iter().filter_map(|resource| resource.get("template")), object, draft);
        }
        ("apiextensions.crossplane.io", "Composition") => {
            let own = object.spec(&["resources"]).map(Node::items).unwrap_or_default().iter();
            let steps = object.spec(&["pipeline"]).map(Node::items).unwrap_or_default().iter();
            let piped = steps.filter_map(|step| step.at_path(&["input", "resources"])).flat_map(Node::items);
            embedded(own.chain(piped).filter_map(|resource| resource.get("base")), object, draft);
        }
        ("source.toolkit.fluxcd.io", "OCIRepository") => {
            let tag = object.spec(&["ref", "tag"]).or_else(|| object.spec(&["ref", "semver"])).cloned();
            draft.repositories.push(draft::Repository {
                namespace: object.namespace().map(str::to_owned),
                name: object.name(),
                url: object.spec(&["url"]).cloned(),
                tag,
            });
        }
        ("helm.toolkit.fluxcd.io", "HelmRelease") if object.spec(&["chartRef"]).is_some() => {
            let name = object.spec(&["chartRef", "name"]).and_then(Node::text).map(str::to_owned);
            let namespace =
                object.spec(&["chartRef", "namespace"]).and_then(Node::text).or(object.namespace());
            if let Some(repository) = name {
                draft.chart_refs.push(draft::ChartRef {
                    repository,
                    repository_namespace: namespace.map(str::to_owned),
                    release: object.name(),
                    namespace: object.namespace().map(str::to_owned),
                });
            }
        }
        ("helm.toolkit.fluxcd.io", "HelmRelease") => {
            let chart = ["chart", "spec"];
            draft.chart_use(
                object.spec(&[chart[0], chart[1], "chart"]),
                object.spec(&[chart[0], chart[1], "version"]),
                "HelmRelease",
                Some(&object.name()),
                object.namespace(),
                None,
            );
        }
        ("argoproj.io", "Application") => argo(object, object.node.get("spec"), draft),
        ("argoproj.io", "ApplicationSet") => argo(object, object.spec(&["template", "spec"]), draft),
        ("kustomize.config.k8s.io", "Kustomization") => kustomization(object.node, draft),
        _ => {}
    }
}

fn ack_link(object: &Object<'_>) -> Link {
    let name = object
        .spec(&["clusterName"])
        .or_else(|| object.spec(&["clusterRef", "from", "name"]))
        .and_then(Node::text)
        .map(str::to_owned);
    object.link(name)
}

fn ack_cluster(object: &Object<'_>, draft: &mut Draft) {
    let own = object.spec(&["name"]).and_then(Node::text).map(str::to_owned);
    push_cluster(
        object,
        own.clone().unwrap_or_else(|| object.name()),
        "Cluster (ACK)",
        object.spec(&["version"]),
        object.spec(&["upgradePolicy", "supportType"]),
        own,
        draft,
    );
    auto_mode(object, object.spec(&["computeConfig", "enabled"]), draft);
}

fn push_cluster(
    object: &Object<'_>,
    name: String,
    declared_as: &'static str,
    version: Option<&Node>,
    support: Option<&Node>,
    other_name: Option<String>,
    draft: &mut Draft,
) {
    let at = draft.place(object.name_node().at);
    let namespace = object.namespace().unwrap_or_default();
    let id = format!("{} {} {namespace}/{}", at.file, object.kind, object.name());
    let mut cluster = draft::cluster(id, name.clone(), declared_as, at);
    cluster.control_plane = draft.version(version, &format!("the version of cluster \"{name}\""));
    cluster.support = draft.support(support, &format!("the upgrade policy of cluster \"{name}\""));
    let mut names = vec![object.name(), name];
    names.extend(other_name);
    draft.clusters.push(DraftCluster {
        snapshot: cluster,
        scope: object.folder.to_owned(),
        names,
        namespace: object.namespace().map(str::to_owned),
    });
}

fn auto_mode(object: &Object<'_>, enabled: Option<&Node>, draft: &mut Draft) {
    if let Some(on) = enabled.filter(|on| on.bool() == Some(true)) {
        let at = draft.place(on.at);
        let mut group = draft::group("Auto Mode".to_owned(), NodeGroupKind::AutoMode, "computeConfig", at);
        group.follows_control_plane = true;
        draft.groups.push((object.link(Some(object.name())), group));
    }
}

fn ack_nodegroup(object: &Object<'_>, draft: &mut Draft) {
    let name = object.spec(&["name"]).and_then(Node::text).map_or_else(|| object.name(), str::to_owned);
    let spec = |key: &str| object.spec(&[key]);
    let group = managed(object, &name, "Nodegroup (ACK)", spec, draft);
    draft.groups.push((ack_link(object), group));
}

/// A managed node group with the fields of the EKS API.
fn managed<'a>(
    object: &Object<'_>,
    name: &str,
    declared_as: &'static str,
    field: impl Fn(&str) -> Option<&'a Node>,
    draft: &Draft,
) -> eks_model::NodeGroup {
    let at = draft.place(object.name_node().at);
    let mut group = draft::group(name.to_owned(), NodeGroupKind::Managed, declared_as, at);
    group.kubelet = draft.version(field("version"), &format!("the version of node group \"{name}\""));
    group.image = draft.image(field("amiType"));
    by_release(draft, &mut group, field("releaseVersion"));
    group
}

/// Takes in what the release of a managed node group's image says: its version, where the group has
/// none of its own; else it is the image's.
pub(crate) fn by_release(draft: &Draft, group: &mut eks_model::NodeGroup, release: Option<&Node>) {
    let release = draft.release(release, &format!("the release of node group \"{}\"", group.name));
    match (&group.kubelet, release) {
        (Observed::Absent, release) => group.kubelet = release,
        (Observed::Known(_), Observed::Known(release)) => {
            let family = group.image.known().map_or(ImageFamily::AmazonLinux2023, |image| image.value.family);
            group.image = Observed::Known(Placed {
                value: NodeImage { family, kubernetes: Some(release.value) },
                at: release.at,
            });
        }
        _ => {}
    }
}

fn addon(
    object: &Object<'_>,
    name: Option<&Node>,
    version: Option<&Node>,
    link: Link,
    declared_as: &'static str,
    draft: &mut Draft,
) {
    let name = match draft.text(name, "the name of an add-on") {
        Observed::Known(name) => name.value,
        Observed::Absent => object.name(),
        Observed::Unreadable(why) => {
            draft.unread.push(why);
            return;
        }
    };
    let at = draft.place(object.name_node().at);
    let version = draft.addon_version(version, &format!("the version of add-on {name}"));
    draft.addons.push((link, Addon { name, declared_as, at, version }));
}

fn crossplane(object: &Object<'_>, kind: &str, draft: &mut Draft) {
    let field =
        |key: &str| object.spec(&["forProvider", key]).or_else(|| object.spec(&["initProvider", key]));
    let external = object.node.at_path(&["metadata", "annotations", "crossplane.io/external-name"]);
    let link = || {
        let name = field("clusterName")
            .or_else(|| object.spec(&["forProvider", "clusterNameRef", "name"]))
            .and_then(Node::text)
            .map(str::to_owned);
        object.link(name)
    };
    match kind {
        "Cluster" => {
            let policy = field("upgradePolicy");
            // One object, or a list of one, by the version of the provider.
            let policy = policy.and_then(|policy| policy.items().first().or(Some(policy)));
            push_cluster(
                object,
                object.name(),
                "Cluster (Crossplane)",
                field("version"),
                policy.and_then(|policy| policy.get("supportType")),
                external.and_then(Node::text).map(str::to_owned),
                draft,
            );
        }
        "NodeGroup" => {
            let mut group = managed(object, &object.name(), "NodeGroup (Crossplane)", field, draft);
            let follows = ["versionRef", "versionSelector"]
                .iter()
                .any(|key| object.spec(&["forProvider", key]).is_some());
            group.follows_control_plane = follows;
            draft.groups.push((link(), group));
        }
        "Addon" => {
            let name = field("addonName").or(external);
            addon(object, name, field("addonVersion"), link(), "Addon (Crossplane)", draft);
        }
        _ => {}
    }
}

fn capa_control_plane(object: &Object<'_>, draft: &mut Draft) {
    let template = object.kind == "AWSManagedControlPlaneTemplate";
    let field = |path: &[&str]| {
        let spec = if template { object.spec(&["template", "spec"]) } else { object.node.get("spec") };
        spec.and_then(|spec| spec.at_path(path))
    };
    let name = field(&["eksClusterName"]).and_then(Node::text).map(str::to_owned);
    // `shop-control-plane` is the convention for the cluster `shop`.
    let cluster = object.name().strip_suffix("-control-plane").map(str::to_owned);
    push_cluster(
        object,
        name.clone().unwrap_or_else(|| object.name()),
        "AWSManagedControlPlane",
        field(&["version"]),
        field(&["upgradePolicy"]),
        cluster,
        draft,
    );
    for item in draft.items(field(&["addons"]), "the addons of an AWSManagedControlPlane") {
        let Some(name) = item.get("name").and_then(Node::text) else { continue };
        let version = draft.addon_version(item.get("version"), &format!("the version of add-on {name}"));
        let at = draft.place(item.get("name").unwrap_or(item).at);
        let addon = Addon { name: name.to_owned(), declared_as: "AWSManagedControlPlane", at, version };
        draft.addons.push((object.link(Some(object.name())), addon));
    }
}

fn capi_machines(object: &Object<'_>, draft: &mut Draft) {
    let reference = object.spec(&["template", "spec", "infrastructureRef", "kind"]).and_then(Node::text);
    let bootstrap = object.spec(&["template", "spec", "bootstrap", "configRef", "kind"]).and_then(Node::text);
    // Pools of other clouds, and those of clusters that kubeadm makes, are no business of ours.
    let for_eks = match reference {
        Some("AWSManagedMachinePool") => true,
        Some("AWSMachinePool" | "AWSMachineTemplate") => {
            bootstrap.is_some_and(|kind| kind.starts_with("EKSConfig") || kind.starts_with("NodeadmConfig"))
        }
        _ => false,
    };
    if !for_eks {
        return;
    }
    let name = object.name();
    let at = draft.place(object.name_node().at);
    let managed = reference == Some("AWSManagedMachinePool");
    let kind = if managed { NodeGroupKind::Managed } else { NodeGroupKind::SelfManaged };
    let mut group = draft::group(name.clone(), kind, "MachinePool", at);
    let version = object.spec(&["template", "spec", "version"]);
    group.kubelet = draft.version(version, &format!("the version of machine pool \"{name}\""));
    let cluster = object.spec(&["clusterName"]).and_then(Node::text).map(str::to_owned);
    draft.groups.push((object.link(cluster), group));
}

fn capa_machine_pool(object: &Object<'_>, draft: &mut Draft) {
    // The pool of the same name carries the version; only what the image says is added here.
    let name = object.name();
    let at = draft.place(object.name_node().at);
    let mut group = draft::group(name.clone(), NodeGroupKind::Managed, "AWSManagedMachinePool", at.clone());
    group.image = match (object.spec(&["amiType"]), object.spec(&["awsLaunchTemplate"])) {
        // What the API of Cluster API takes when nothing is said: still Amazon Linux 2.
        // <https://github.com/kubernetes-sigs/cluster-api-provider-aws/blob/2cf09d78/exp/api/v1beta2/awsmanagedmachinepool_types.go>
        (None, None) => Observed::Known(Placed {
            value: NodeImage { family: ImageFamily::AmazonLinux2, kubernetes: None },
            at,
        }),
        (kind, _) => draft.image(kind),
    };
    group.kubelet =
        draft.release(object.spec(&["amiVersion"]), &format!("the release of machine pool \"{name}\""));
    group.follows_control_plane = group.kubelet.is_absent();
    draft.groups.push((object.link(None), group));
}

fn karpenter(object: &Object<'_>, draft: &mut Draft) {
    let name = object.name();
    let at = draft.place(object.name_node().at);
    let kind = if object.kind == "AWSNodeTemplate" { "AWSNodeTemplate" } else { "EC2NodeClass" };
    let mut group = draft::group(name.clone(), NodeGroupKind::Karpenter, kind, at);
    // An image that an alias names is one for the control plane's version, also when it is pinned.
    group.follows_control_plane = true;
    let family = object.spec(&["amiFamily"]);
    let terms =
        draft.items(object.spec(&["amiSelectorTerms"]), &format!("the images of node class \"{name}\""));
    let named: Vec<(&str, &Node)> = terms
        .iter()
        .filter_map(|term| {
            ["alias", "name", "ssmParameter", "id"]
                .iter()
                .find_map(|key| term.get(key).map(|node| (*key, node)))
        })
        .collect();
    // Of several images Karpenter takes the newest that fits, and nodes may have been made from any. The one that
    // names the lowest version says how far behind they may be.
    let lowest = named.iter().min_by_key(|(key, node)| {
        let image = draft.image(Some(node));
        let version =
            image.known().filter(|_| *key != "alias").and_then(|image| image.value.kubernetes.as_ref());
        match (version, *key) {
            (Some(version), _) => (0, version.minor().minor()),
            (None, "id") => (1, 0),
            (None, _) => (2, 0),
        }
    });
    match lowest.copied() {
        Some(("id", id)) => {
            let why = draft::image_says_nothing(&format!("node class \"{name}\""), id);
            group.kubelet = Observed::Unreadable(draft.unreadable(why, id.at));
            group.follows_control_plane = false;
        }
        Some(("alias", alias)) => {
            group.image = match draft.text(Some(alias), &format!("the image of node class \"{name}\"")) {
                Observed::Known(_) => draft.image(Some(alias)),
                Observed::Absent => Observed::Absent,
                Observed::Unreadable(why) => Observed::Unreadable(why),
            };
        }
        Some((_, text)) => {
            group.image = draft.image(Some(text));
            // A name with a version in it does not follow.
            if let Observed::Known(image) = &group.image
                && let Some(version) = &image.value.kubernetes
            {
                group.kubelet = Observed::Known(Placed { value: version.clone(), at: image.at.clone() });
                group.follows_control_plane = false;
            }
        }
        // Images by id or tag: `amiFamily: AL2` then only says how they are started.
        None if !terms.is_empty() || object.spec(&["amiSelector"]).is_some() => {
            group.image = Observed::Absent;
        }
        None => {
            group.image = match family {
                Some(family) => draft.image(Some(family)),
                // What Karpenter took before it asked: <https://karpenter.sh/v0.37/concepts/nodeclasses/>.
                None if kind == "AWSNodeTemplate" || object.version.starts_with("v1beta") => {
                    Observed::Known(Placed {
                        value: NodeImage { family: ImageFamily::AmazonLinux2, kubernetes: None },
                        at: draft.place(object.name_node().at),
                    })
                }
                None => Observed::Absent,
            };
        }
    }
    // Which cluster, an object of its own does not say.
    draft.groups.push((object.link(None), group));
}

/// Objects that another one makes: what is put into them later is not known here.
fn embedded<'a>(objects: impl Iterator<Item = &'a Node>, object: &Object<'_>, draft: &mut Draft) {
    for node in objects {
        if let Some(inner) = Object::new(node, object.folder)
            && concerns(inner.group, inner.kind)
        {
            read(&inner, draft);
        }
    }
}

/// A cluster of Cluster API: one that names its control plane, or one that a class makes and whose version is that of
/// everything in it.
fn topology(object: &Object<'_>, draft: &mut Draft) {
    let kind = object.spec(&["controlPlaneRef", "kind"]).and_then(Node::text);
    if kind == Some("AWSManagedControlPlane")
        && let Some(name) = object.spec(&["controlPlaneRef", "name"]).and_then(Node::text)
    {
        let control_plane = object.link(Some(name.to_owned()));
        draft.aliases.push(draft::Alias { control_plane, name: object.name() });
        return;
    }
    let class =
        object.spec(&["topology", "class"]).or_else(|| object.spec(&["topology", "classRef", "name"]));
    // Which control plane a class has, its name tells by custom only.
    if !class.and_then(Node::text).is_some_and(|class| class.contains("eks")) {
        return;
    }
    let version = object.spec(&["topology", "version"]);
    push_cluster(object, object.name(), "Cluster (topology)", version, None, None, draft);
}

fn argo(object: &Object<'_>, spec: Option<&Node>, draft: &mut Draft) {
    let Some(spec) = spec else { return };
    let one = spec.get("source").into_iter();
    let many = spec.get("sources").map(Node::items).unwrap_or_default().iter();
    let name = object.name();
    for source in one.chain(many) {
        let (chart, version) = (source.get("chart"), source.get("targetRevision"));
        draft.chart_use(chart, version, object.kind, Some(&name), object.namespace(), None);
    }
}

/// `helmCharts` of a kustomization.
pub(crate) fn kustomization(node: &Node, draft: &mut Draft) {
    for chart in node.get("helmCharts").map(Node::items).unwrap_or_default() {
        let name = chart.get("releaseName").and_then(Node::text).map(str::to_owned);
        draft.chart_use(
            chart.get("name"),
            chart.get("version"),
            "Kustomization",
            name.as_deref(),
            None,
            None,
        );
    }
}

/// `dependencies` of a chart.
pub(crate) fn chart_yaml(node: &Node, draft: &mut Draft) {
    let own = node.get("name").and_then(Node::text).map(str::to_owned);
    for dependency in node.get("dependencies").map(Node::items).unwrap_or_default() {
        // A chart of the same tree is read where it lies.
        let local = dependency.get("repository").and_then(Node::text).is_none_or(|r| r.starts_with("file:"));
        if !local {
            draft.chart_use(
                dependency.get("name"),
                dependency.get("version"),
                "Chart",
                own.as_deref(),
                None,
                None,
            );
        }
    }
}

/// The images that a workload runs, wherever in it they stand.
pub(crate) fn workload(object: &Object<'_>, draft: &mut Draft) {
    let name = object.name();
    let namespace = object.namespace();
    let mut open: Vec<&Node> = object.node.get("spec").into_iter().collect();
    let mut images: Vec<&Node> = Vec::new();
    while let Some(node) = open.pop() {
        for (key, value) in node.entries() {
            if matches!(key.as_str(), "containers" | "initContainers") {
                images.extend(value.items().iter().filter_map(|container| container.get("image")));
            } else {
                open.push(value);
            }
        }
    }
    images.sort_by_key(|image| (image.at.line, image.at.column));
    for image in images {
        draft.image_use(image, object.kind, Some(&name), namespace);
    }
}
