//! What declared clusters must go through to a version: hops, and what changes where.

use serde::Serialize;

use crate::{KubeMinor, Place, Tool};

/// The name and version of the JSON form.
const SCHEMA: &str = "eks-skew-check-plan/1";

/// What a change is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ChangeKind {
    /// The version of the control plane.
    ControlPlane,
    /// A managed add-on.
    Addon,
    /// A controller that EKS does not manage.
    Controller,
    /// An API that a manifest uses, and that goes or comes on the way.
    Api,
    /// The image that nodes start from.
    NodeImage,
    /// The version of nodes: they are replaced.
    Nodes,
}

impl ChangeKind {
    /// A few words for people.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ControlPlane => "control plane",
            Self::Addon => "add-on",
            Self::Controller => "controller",
            Self::Api => "API",
            Self::NodeImage => "node image",
            Self::Nodes => "nodes",
        }
    }
}

/// One thing that changes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Change {
    /// What it is about.
    pub kind: ChangeKind,
    /// The name of the group, add-on or controller; that of the cluster for its control plane.
    pub name: String,
    /// What is declared now, or after the change before.
    pub from: Option<String>,
    /// What it has to be; several, where it goes in steps.
    pub to: Vec<String>,
    /// The file to edit, or the one that declares it where nothing is to be edited.
    pub file: String,
    /// 1-based line.
    pub line: u32,
    /// 1-based column, in characters.
    pub column: u32,
    /// Whether the file has to be edited: what follows the control plane by itself has not.
    pub edit: bool,
    /// Why, or what else to know.
    pub note: Option<String>,
}

impl Change {
    /// A change at a place.
    pub fn new(kind: ChangeKind, name: impl Into<String>, at: &Place) -> Self {
        Self {
            kind,
            name: name.into(),
            from: None,
            to: Vec::new(),
            file: at.file.clone(),
            line: at.line,
            column: at.column,
            edit: true,
            note: None,
        }
    }
}

/// One hop, and what changes around it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct HopPlan {
    /// From this minor.
    pub from: KubeMinor,
    /// To this minor.
    pub to: KubeMinor,
    /// What must change before it, in order.
    pub before: Vec<Change>,
    /// The control plane itself.
    pub control_plane: Change,
    /// What must change after it, in order.
    pub after: Vec<Change>,
}

/// The way of one cluster.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ClusterPlan {
    /// Its name.
    pub name: String,
    /// What it is declared as.
    pub declared_as: String,
    /// Where it is declared.
    pub file: String,
    /// 1-based line.
    pub line: u32,
    /// The minor that it declares.
    pub from: KubeMinor,
    /// The minor that it goes to.
    pub to: KubeMinor,
    /// The hops, in order.
    pub hops: Vec<HopPlan>,
    /// What is open: not known, or wrong already. To be settled before the plan can be followed; one
    /// sentence each.
    pub open: Vec<String>,
}

/// The ways of all clusters that files declare.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DeclaredPlan {
    /// `eks-skew-check-plan/1`
    pub schema: &'static str,
    /// The tool that made it.
    pub tool: Tool,
    /// The minor to go to.
    pub to: KubeMinor,
    /// When nodes are rolled: `conservative` or `lazy`.
    pub nodes: &'static str,
    /// The clusters.
    pub clusters: Vec<ClusterPlan>,
    /// What could not be read, as `file:line: reason`.
    pub unread: Vec<String>,
    /// What else the reader must know.
    pub notes: Vec<String>,
}

impl DeclaredPlan {
    /// A plan without clusters yet.
    pub fn new(tool: Tool, to: KubeMinor, nodes: &'static str) -> Self {
        Self { schema: SCHEMA, tool, to, nodes, clusters: Vec::new(), unread: Vec::new(), notes: Vec::new() }
    }

    /// Whether something that the plan rests on is open or could not be read.
    pub fn is_open(&self) -> bool {
        !self.unread.is_empty() || self.clusters.iter().any(|cluster| !cluster.open.is_empty())
    }
}
