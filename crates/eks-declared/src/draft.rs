//! What the readers of the formats find, until it is known which cluster each piece belongs to.

use eks_addons::{Controllers, ImageRef};
use eks_model::{
    Addon, AddonWish, ClusterSnapshot, Controller, KubeVersion, NodeGroup, NodeGroupKind, NodeImage,
    Observed, Place, Placed, Sign, SupportType, Unreadable,
};
use eks_skew::{node_image, release_version};

use crate::node::{At, Node, Value};

/// How a piece names the cluster that it belongs to.
#[derive(Debug, Clone, Default)]
pub(crate) struct Link {
    /// Where clusters are looked for first: a Terraform root, a template, a folder.
    pub(crate) scope: String,
    /// What the piece calls it, where that can be told.
    pub(crate) name: Option<String>,
    /// The namespace of the piece, for objects of Kubernetes.
    pub(crate) namespace: Option<String>,
}

/// A cluster, and what pieces may call it.
#[derive(Debug)]
pub(crate) struct DraftCluster {
    pub(crate) snapshot: ClusterSnapshot,
    pub(crate) scope: String,
    pub(crate) names: Vec<String>,
    /// Its namespace, for objects of Kubernetes.
    pub(crate) namespace: Option<String>,
}

/// Everything found so far.
#[derive(Debug, Default)]
pub(crate) struct Draft {
    pub(crate) files: Vec<String>,
    pub(crate) clusters: Vec<DraftCluster>,
    pub(crate) groups: Vec<(Link, NodeGroup)>,
    pub(crate) addons: Vec<(Link, Addon)>,
    pub(crate) controllers: Vec<(Option<Link>, Controller)>,
    pub(crate) unread: Vec<Unreadable>,
    pub(crate) comments: Vec<crate::Comment>,
    /// Charts that Flux takes from a registry of images, and the releases that name them.
    pub(crate) repositories: Vec<Repository>,
    pub(crate) chart_refs: Vec<ChartRef>,
    /// Names that a cluster has besides its control plane's: Cluster API's `Cluster` names the control plane.
    pub(crate) aliases: Vec<Alias>,
    /// What could not be read and has nothing to do with EKS.
    pub(crate) passed_over: Vec<Unreadable>,
}

/// Another name of the cluster of a control plane.
#[derive(Debug)]
pub(crate) struct Alias {
    /// The control plane, as its cluster calls it.
    pub(crate) control_plane: Link,
    pub(crate) name: String,
}

/// Flux's `OCIRepository`.
#[derive(Debug)]
pub(crate) struct Repository {
    pub(crate) namespace: Option<String>,
    pub(crate) name: String,
    pub(crate) url: Option<Node>,
    pub(crate) tag: Option<Node>,
}

/// A `HelmRelease` that names one.
#[derive(Debug)]
pub(crate) struct ChartRef {
    pub(crate) repository: String,
    pub(crate) repository_namespace: Option<String>,
    pub(crate) release: String,
    pub(crate) namespace: Option<String>,
}

/// Marks of a text that is filled in before it is used.
const FILLED_IN: [&str; 10] = ["{{", "${", "$(", "<%", "{%", "[[", "((", "%{", "<<", "~~"];

/// Whether a text is filled in from outside before it is used.
pub(crate) fn is_filled_in(text: &str) -> bool {
    FILLED_IN.iter().any(|mark| text.contains(mark))
        || text.starts_with('$')
        // `<CLUSTER_NAME>`, anywhere in it.
        || text.split_once('<').is_some_and(|(_, rest)| rest.contains('>'))
}

impl Draft {
    pub(crate) fn place(&self, at: At) -> Place {
        Place {
            file: self.files.get(at.file as usize).cloned().unwrap_or_default(),
            line: at.line.max(1),
            column: at.column.max(1),
            width: at.width.max(1),
            document: at.document,
        }
    }

    pub(crate) fn unreadable(&self, reason: impl Into<String>, at: At) -> Unreadable {
        Unreadable { reason: reason.into(), at: self.place(at) }
    }

    pub(crate) fn not_read(&mut self, reason: impl Into<String>, at: At) {
        let unreadable = self.unreadable(reason, at);
        self.unread.push(unreadable);
    }

    /// The items of a list. `what` is what it says, for people; what is there and is no list is not read.
    pub(crate) fn items<'n>(&mut self, node: Option<&'n Node>, what: &str) -> &'n [Node] {
        let Some(node) = node else { return &[] };
        match &node.value {
            Value::List(items) => items,
            Value::Null | Value::Missing(_) => &[],
            Value::Unknown(reason) => {
                let reason = format!("{what} are not known: {reason}");
                self.not_read(reason, node.at);
                &[]
            }
            Value::Text(text) if is_filled_in(text) => {
                let reason = format!("{what} are filled in from outside (`{}`)", short(text));
                self.not_read(reason, node.at);
                &[]
            }
            Value::Bool(_) | Value::Number(_) | Value::Text(_) | Value::Named(_) | Value::Map(_) => {
                self.not_read(format!("{what} are no list; correct it"), node.at);
                &[]
            }
        }
    }

    /// Takes in what another draft found, which had borrowed the names of the files.
    pub(crate) fn take_in(&mut self, other: Self) {
        self.files = other.files;
        self.clusters.extend(other.clusters);
        self.groups.extend(other.groups);
        self.addons.extend(other.addons);
        self.controllers.extend(other.controllers);
        self.unread.extend(other.unread);
        self.comments.extend(other.comments);
        self.repositories.extend(other.repositories);
        self.chart_refs.extend(other.chart_refs);
        self.aliases.extend(other.aliases);
        self.passed_over.extend(other.passed_over);
    }

    /// A text, where it is one. `what` is what it says, for people: `the version of cluster "shop"`.
    pub(crate) fn text(&self, node: Option<&Node>, what: &str) -> Observed<Placed<String>> {
        let Some(node) = node else { return Observed::Absent };
        let unreadable = |reason: String| Observed::Unreadable(self.unreadable(reason, node.at));
        match &node.value {
            Value::Null => Observed::Absent,
            Value::Text(text) | Value::Number(text) if text.trim().is_empty() => Observed::Absent,
            Value::Text(text) if is_filled_in(text) => {
                unreadable(format!("{what} is filled in from outside (`{}`)", short(text)))
            }
            Value::Text(text) | Value::Number(text) | Value::Named(text) => {
                Observed::Known(Placed { value: text.trim().to_owned(), at: self.place(node.at) })
            }
            Value::Unknown(reason) | Value::Missing(reason) => {
                unreadable(format!("{what} is not known: {reason}"))
            }
            // `version: {{ .Values.version }}` is a map with a map for a key, to YAML.
            Value::Map(entries) if matches!(entries.as_slice(), [(key, _)] if key.is_empty()) => {
                unreadable(format!("{what} is filled in from outside"))
            }
            Value::Bool(_) | Value::List(_) | Value::Map(_) => {
                unreadable(format!("{what} is not a text; correct it"))
            }
        }
    }

    /// A Kubernetes version.
    pub(crate) fn version(&self, node: Option<&Node>, what: &str) -> Observed<Placed<KubeVersion>> {
        if let Some(Node { value: Value::Number(text), at }) = node
            && text.contains('.')
            && text.ends_with('0')
        {
            let short = text.trim_end_matches('0');
            return Observed::Unreadable(self.unreadable(
                format!("{what} is {text} without quotes, which many programs read as the number {short}; put it in quotes"),
                *at,
            ));
        }
        Self::parsed(self.text(node, what), what)
    }

    /// A text as a value.
    fn parsed<T: std::str::FromStr>(text: Observed<Placed<String>>, what: &str) -> Observed<Placed<T>>
    where
        T::Err: std::fmt::Display,
    {
        match text {
            Observed::Absent => Observed::Absent,
            Observed::Unreadable(why) => Observed::Unreadable(why),
            Observed::Known(Placed { value, at }) => match value.parse() {
                Ok(value) => Observed::Known(Placed { value, at }),
                Err(error) => Observed::Unreadable(Unreadable { reason: format!("{what}: {error}"), at }),
            },
        }
    }

    /// The version of an add-on that is asked for.
    pub(crate) fn addon_version(&self, node: Option<&Node>, what: &str) -> Observed<Placed<AddonWish>> {
        match self.text(node, what) {
            Observed::Known(Placed { value, at }) if value == "latest" => {
                Observed::Known(Placed { value: AddonWish::Newest, at })
            }
            Observed::Known(Placed { value, at }) if value == "default" => {
                Observed::Known(Placed { value: AddonWish::Default, at })
            }
            text => Self::parsed(text, what)
                .map(|Placed { value, at }| Placed { value: AddonWish::Pinned(value), at }),
        }
    }

    /// The upgrade policy, in the spelling of the API or of Cluster API.
    pub(crate) fn support(&self, node: Option<&Node>, what: &str) -> Observed<Placed<SupportType>> {
        match self.text(node, what) {
            Observed::Absent => Observed::Absent,
            Observed::Unreadable(why) => Observed::Unreadable(why),
            Observed::Known(Placed { value, at }) => match value.to_ascii_uppercase().as_str() {
                "STANDARD" => Observed::Known(Placed { value: SupportType::Standard, at }),
                "EXTENDED" => Observed::Known(Placed { value: SupportType::Extended, at }),
                _ => Observed::Unreadable(Unreadable {
                    reason: format!("{what}: `{value}` is neither STANDARD nor EXTENDED"),
                    at,
                }),
            },
        }
    }

    /// What nodes start from. An image that its name says nothing of is a custom one.
    pub(crate) fn image(&self, node: Option<&Node>) -> Observed<Placed<NodeImage>> {
        let Some(node) = node else { return Observed::Absent };
        let unreadable = |reason: String| Observed::Unreadable(self.unreadable(reason, node.at));
        if let Some(why) = node.why() {
            return unreadable(format!("what the nodes start from is not known: {why}"));
        }
        let Some(text) = node.text() else { return Observed::Absent };
        // A name with something to fill in still tells its family; its version it does not.
        let filled_in = is_filled_in(text);
        match node_image(text) {
            Some(mut image) => {
                if filled_in {
                    image.kubernetes = None;
                }
                Observed::Known(Placed { value: image, at: self.place(node.at) })
            }
            None if filled_in => {
                unreadable(format!("what the nodes start from is filled in from outside (`{}`)", short(text)))
            }
            None => Observed::Absent,
        }
    }

    /// The version that the release of a managed node group's image carries. Releases of Bottlerocket
    /// look alike and carry none.
    pub(crate) fn release(&self, node: Option<&Node>, what: &str) -> Observed<Placed<KubeVersion>> {
        match self.text(node, what) {
            Observed::Known(Placed { value, at }) => match release_version(&value) {
                Some(value) => Observed::Known(Placed { value, at }),
                None => Observed::Absent,
            },
            Observed::Absent => Observed::Absent,
            Observed::Unreadable(why) => Observed::Unreadable(why),
        }
    }

    /// Brings releases and the repositories that they name together.
    pub(crate) fn join_charts(&mut self) {
        let repositories = std::mem::take(&mut self.repositories);
        for reference in std::mem::take(&mut self.chart_refs) {
            let fits = |repository: &&Repository| {
                repository.name == reference.repository
                    && (repository.namespace == reference.repository_namespace
                        // A kustomization may set the namespace of both later.
                        || repository.namespace.is_none()
                        || reference.repository_namespace.is_none())
            };
            let Some(repository) = repositories.iter().find(fits) else { continue };
            self.chart_use(
                repository.url.as_ref(),
                repository.tag.as_ref(),
                "HelmRelease",
                Some(&reference.release),
                reference.namespace.as_deref(),
                None,
            );
        }
    }

    /// A program that is recognised by its image.
    pub(crate) fn image_use(
        &mut self,
        image: &Node,
        declared_as: &str,
        name: Option<&str>,
        namespace: Option<&str>,
    ) {
        let Some(text) = image.text() else { return };
        let Some(parsed) = ImageRef::parse(text) else { return };
        let Some(component) = Controllers::embedded().by_image(&parsed) else { return };
        let what = format!("the version of {component}");
        let version = match parsed.tag {
            // Whatever is newest when it is pulled.
            None | Some("latest") if parsed.digest.is_none() => Observed::Absent,
            Some(tag) if !is_filled_in(text) => {
                // The place is that of the tag.
                let mut at = self.place(image.at);
                let before =
                    text.rfind(tag).map_or(0, |byte| text.get(..byte).map_or(0, |t| t.chars().count()));
                let quoted = at.width as usize > text.chars().count();
                let shift = u32::try_from(before).unwrap_or(0).saturating_add(u32::from(quoted));
                at.column = at.column.saturating_add(shift);
                at.width = u32::try_from(tag.chars().count()).unwrap_or(1);
                Observed::Known(Placed { value: tag.to_owned(), at })
            }
            Some(_) => Observed::Unreadable(
                self.unreadable(format!("{what} is filled in from outside (`{}`)", short(text)), image.at),
            ),
            None => Observed::Unreadable(self.unreadable(
                format!("{what} cannot be told from a digest (`{}`); name the tag beside it", short(text)),
                image.at,
            )),
        };
        self.controllers.push((
            None,
            Controller {
                component: component.to_owned(),
                sign: Sign::Image,
                declared_as: declared_as.to_owned(),
                name: name.map(str::to_owned),
                namespace: namespace.map(str::to_owned),
                at: self.place(image.at),
                chart: None,
                version,
                cluster: None,
            },
        ));
    }

    /// A program that is recognised by its Helm chart.
    pub(crate) fn chart_use(
        &mut self,
        chart: Option<&Node>,
        version: Option<&Node>,
        declared_as: &str,
        name: Option<&str>,
        namespace: Option<&str>,
        link: Option<Link>,
    ) {
        let Some(chart) = chart else { return };
        let Some(text) = chart.text() else { return };
        // `oci://public.ecr.aws/karpenter/karpenter` names the chart at its end.
        let short_name = text.rsplit('/').next().unwrap_or(text);
        if text.starts_with('.') {
            return;
        }
        let Some(component) = Controllers::embedded().by_chart(short_name) else { return };
        let observed = self.text(version, &format!("the version of chart {short_name}"));
        self.controllers.push((
            link,
            Controller {
                component: component.to_owned(),
                sign: Sign::Chart,
                declared_as: declared_as.to_owned(),
                name: name.map(str::to_owned),
                namespace: namespace.map(str::to_owned),
                at: self.place(chart.at),
                chart: Some(short_name.to_owned()),
                version: observed,
                cluster: None,
            },
        ));
    }
}

/// Why the version of nodes that start from an image is not known. `of` is whose image, for people.
pub(crate) fn image_says_nothing(of: &str, image: &Node) -> String {
    match (image.why(), image.text()) {
        (Some(reason), _) => format!("the image of {of} is not known: {reason}"),
        (None, Some(text)) => {
            format!("the image of {of} (`{}`) does not say its Kubernetes version", short(text))
        }
        (None, None) => format!("the image of {of} is not a text; correct it"),
    }
}

/// A text, cut for a sentence.
pub(crate) fn short(text: &str) -> String {
    let line: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(80).collect();
    if text.chars().count() > 80 { format!("{line}…") } else { line }
}

/// A cluster with nothing in it yet.
pub(crate) fn cluster(id: String, name: String, declared_as: &'static str, at: Place) -> ClusterSnapshot {
    ClusterSnapshot {
        id,
        name,
        declared_as,
        at,
        declared_elsewhere: false,
        control_plane: Observed::Absent,
        support: Observed::Absent,
        node_groups: Vec::new(),
        addons: Vec::new(),
    }
}

/// A group with nothing known of it yet.
pub(crate) fn group(name: String, kind: NodeGroupKind, declared_as: &'static str, at: Place) -> NodeGroup {
    NodeGroup {
        name,
        kind,
        declared_as,
        at,
        kubelet: Observed::Absent,
        follows_control_plane: false,
        image: Observed::Absent,
    }
}
