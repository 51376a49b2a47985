//! What is known of a cluster: one value, wherever it comes from (files, a live cluster, a saved
//! snapshot). Rules judge it.

use crate::{AddonVersion, KubeVersion};

/// Where a value stands.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    /// The file, as it is shown.
    pub file: String,
    /// 1-based line.
    pub line: u32,
    /// 1-based column, in characters.
    pub column: u32,
    /// How many characters the value has.
    pub width: u32,
    /// 0-based index of the document in the file (in HCL: of the block).
    pub document: u32,
}

/// A value and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Placed<T> {
    /// The value.
    pub value: T,
    /// Where it stands.
    pub at: Place,
}

/// What could be learned of something. There is no default: "not read" never becomes "not there".
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Observed<T> {
    /// It is this.
    Known(T),
    /// It was looked for, and nothing is said of it.
    Absent,
    /// It is there and could not be read.
    Unreadable(Unreadable),
}

impl<T> Observed<T> {
    /// The value, where it is known.
    pub fn known(&self) -> Option<&T> {
        match self {
            Self::Known(value) => Some(value),
            Self::Absent | Self::Unreadable(_) => None,
        }
    }

    /// Whether nothing is said of it.
    pub fn is_absent(&self) -> bool {
        matches!(self, Self::Absent)
    }

    /// The same with another value.
    pub fn map<U>(self, f: impl FnOnce(T) -> U) -> Observed<U> {
        match self {
            Self::Known(value) => Observed::Known(f(value)),
            Self::Absent => Observed::Absent,
            Self::Unreadable(why) => Observed::Unreadable(why),
        }
    }
}

/// Why something could not be read, and where it stands.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Unreadable {
    /// One sentence: what it is, and what went wrong.
    pub reason: String,
    /// Where it stands.
    pub at: Place,
}

/// Who runs the nodes of a group, and so who replaces them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum NodeGroupKind {
    /// An EKS managed node group: EKS replaces its nodes.
    Managed,
    /// An Auto Scaling group of one's own: its nodes are replaced by whoever owns it.
    SelfManaged,
    /// Fargate: the kubelet is as old as the Pod.
    Fargate,
    /// Karpenter: nodes drift to the image that their class names.
    Karpenter,
    /// EKS Auto Mode: EKS drifts the nodes after the control plane.
    AutoMode,
}

impl NodeGroupKind {
    /// A few words for people.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Managed => "managed node group",
            Self::SelfManaged => "self-managed node group",
            Self::Fargate => "Fargate profile",
            Self::Karpenter => "Karpenter node class",
            Self::AutoMode => "Auto Mode nodes",
        }
    }
}

/// What nodes start from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeImage {
    /// Who makes it.
    pub family: ImageFamily,
    /// The Kubernetes version that is part of its name, where one is.
    pub kubernetes: Option<KubeVersion>,
}

/// Families of node images.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ImageFamily {
    /// Amazon Linux 2.
    AmazonLinux2,
    /// Amazon Linux 2023.
    AmazonLinux2023,
    /// Bottlerocket.
    Bottlerocket,
    /// Windows Server.
    Windows,
    /// Ubuntu, by Canonical.
    Ubuntu,
    /// An image of one's own: what it holds, its name does not say.
    Custom,
}

impl ImageFamily {
    /// Its name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::AmazonLinux2 => "Amazon Linux 2",
            Self::AmazonLinux2023 => "Amazon Linux 2023",
            Self::Bottlerocket => "Bottlerocket",
            Self::Windows => "Windows",
            Self::Ubuntu => "Ubuntu",
            Self::Custom => "custom image",
        }
    }
}

/// A group of nodes that are replaced together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeGroup {
    /// Its name, or what stands for it.
    pub name: String,
    /// Who runs it.
    pub kind: NodeGroupKind,
    /// What it is declared as: `aws_eks_node_group`.
    pub declared_as: &'static str,
    /// Where it is declared.
    pub at: Place,
    /// The version of its kubelets.
    pub kubelet: Observed<Placed<KubeVersion>>,
    /// Without a version of its own it takes that of the control plane whenever the declaration is
    /// applied.
    pub follows_control_plane: bool,
    /// What its nodes start from.
    pub image: Observed<Placed<NodeImage>>,
}

/// Which version of an add-on is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AddonWish {
    /// This one.
    Pinned(AddonVersion),
    /// The newest that fits, whenever the declaration is applied.
    Newest,
    /// EKS's default for the Kubernetes version.
    Default,
}

/// A managed add-on that a cluster has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Addon {
    /// Its name in the EKS API: `vpc-cni`.
    pub name: String,
    /// What it is declared as: `aws_eks_addon`.
    pub declared_as: &'static str,
    /// Where it is declared.
    pub at: Place,
    /// Its version.
    pub version: Observed<Placed<AddonWish>>,
}

/// How a program was recognised.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Sign {
    /// By the image that it runs.
    Image,
    /// By the Helm chart that brings it.
    Chart,
    /// By its labels.
    Label,
}

/// A program in a cluster whose version must fit Kubernetes and that EKS does not manage.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Controller {
    /// The component, as the tables name it: `cluster-autoscaler`.
    pub component: String,
    /// How it was recognised.
    pub sign: Sign,
    /// What it is declared as: `Deployment`, `helm_release`.
    pub declared_as: String,
    /// The name of the object that runs it.
    pub name: Option<String>,
    /// Its namespace.
    pub namespace: Option<String>,
    /// Where it is declared.
    pub at: Place,
    /// The Helm chart that brings it, where that is the sign.
    pub chart: Option<String>,
    /// Its version, of the program or of the chart, by `sign`.
    pub version: Observed<Placed<String>>,
    /// The cluster that it is declared with ([`ClusterSnapshot::id`]).
    pub cluster: Option<String>,
}

/// The upgrade policy of a cluster: what EKS does at the end of standard support.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SupportType {
    /// Upgrade the control plane then.
    Standard,
    /// Go on, at a price, and upgrade the control plane at the end of extended support.
    Extended,
}

impl SupportType {
    /// The word of the API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Standard => "STANDARD",
            Self::Extended => "EXTENDED",
        }
    }
}

/// A word that is no upgrade policy.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no upgrade policy; there are STANDARD and EXTENDED")]
pub struct ParseSupportTypeError(String);

/// Reads the word of the API.
impl std::str::FromStr for SupportType {
    type Err = ParseSupportTypeError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        [Self::Standard, Self::Extended]
            .into_iter()
            .find(|known| known.as_str() == text)
            .ok_or_else(|| ParseSupportTypeError(text.to_owned()))
    }
}

/// What is known of one cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClusterSnapshot {
    /// What tells it from every other cluster in the same source: `infra/prod module.eks`.
    pub id: String,
    /// Its name, or what stands for it where the name is computed.
    pub name: String,
    /// What it is declared as: `ClusterConfig`, `aws_eks_cluster`.
    pub declared_as: &'static str,
    /// Where it is declared, or where what belongs to it is.
    pub at: Place,
    /// Only nodes or add-ons of it were found: the cluster itself is declared somewhere else.
    pub declared_elsewhere: bool,
    /// The version of its control plane.
    pub control_plane: Observed<Placed<KubeVersion>>,
    /// Its upgrade policy.
    pub support: Observed<Placed<SupportType>>,
    /// Its nodes.
    pub node_groups: Vec<NodeGroup>,
    /// Its managed add-ons.
    pub addons: Vec<Addon>,
}

impl ClusterSnapshot {
    /// Everything of it that is there and could not be read.
    pub fn unreadable(&self) -> impl Iterator<Item = &Unreadable> {
        fn why<T>(observed: &Observed<T>) -> Option<&Unreadable> {
            match observed {
                Observed::Unreadable(why) => Some(why),
                Observed::Known(_) | Observed::Absent => None,
            }
        }
        let own = [why(&self.control_plane), why(&self.support)];
        let groups = self.node_groups.iter().flat_map(|group| [why(&group.kubelet), why(&group.image)]);
        let addons = self.addons.iter().map(|addon| why(&addon.version));
        own.into_iter().chain(groups).chain(addons).flatten()
    }
}
