//! One thing that an upgrade breaks or changes.

use serde::{Deserialize, Serialize};

use crate::{KubeMinor, Place};

/// How bad a finding is. The order is from mild to grave.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Good to know; nothing stops working inside the window.
    Info,
    /// Should be changed; nothing stops working inside the window.
    Warn,
    /// Whether it stops working, nobody here can say. Never a pass.
    Unknown,
    /// Stops working, or cannot work, somewhere inside the window.
    Block,
}

impl Severity {
    /// The word used in every output.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Warn => "warn",
            Self::Unknown => "unknown",
            Self::Block => "block",
        }
    }
}

/// From which severity on findings fail the gate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum FailOn {
    /// Only what blocks.
    #[default]
    Block,
    /// Warnings too.
    Warn,
    /// No finding fails the gate; what could not be read still does.
    None,
}

impl FailOn {
    /// Whether a finding of this severity blocks. What is unknown does not block: it leaves the
    /// verdict open, however strict the gate is.
    pub fn fails(self, severity: Severity) -> bool {
        match (self, severity) {
            (Self::None, _) | (_, Severity::Info | Severity::Unknown) | (Self::Block, Severity::Warn) => {
                false
            }
            (Self::Block | Self::Warn, Severity::Block) | (Self::Warn, Severity::Warn) => true,
        }
    }
}

/// What kind of change a finding is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Status {
    /// The API is no longer served somewhere inside the window.
    Removed,
    /// The API is deprecated inside the window and still served at its end.
    Deprecated,
    /// The API is not served at the start of the window.
    NotYetServed,
    /// EKS never turns the API on.
    NotServed,
    /// Still served, with another meaning.
    Changed,
    /// Seen in a text that is not yet a manifest: an unrendered template.
    Possible,
    /// Seen inside a value of another object.
    Embedded,
    /// Another object names it: a reference, not an object.
    Reference,
    /// Two versions that may not run together.
    OutOfSkew,
    /// A version that does not fit a Kubernetes version.
    Incompatible,
    /// Whether a version fits, no table and no catalogue says.
    Unknown,
    /// A step that is too large, or comes before another that it needs.
    OutOfOrder,
    /// Its support ends or has ended.
    EndOfSupport,
    /// No version is declared.
    Undeclared,
    /// Two declarations of the same thing that do not agree.
    Contradiction,
}

impl Status {
    /// The word used in every output.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Removed => "removed",
            Self::Deprecated => "deprecated",
            Self::NotYetServed => "not-yet-served",
            Self::NotServed => "not-served",
            Self::Changed => "changed",
            Self::Possible => "possible",
            Self::Embedded => "embedded",
            Self::Reference => "reference",
            Self::OutOfSkew => "out-of-skew",
            Self::Incompatible => "incompatible",
            Self::Unknown => "unknown",
            Self::OutOfOrder => "out-of-order",
            Self::EndOfSupport => "end-of-support",
            Self::Undeclared => "undeclared",
            Self::Contradiction => "contradiction",
        }
    }
}

/// One thing that the upgrade breaks or changes, with its place and its remedy.
///
/// Serialises to the `findings` items of the JSON report, version 1. Absent values are `null`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Finding {
    /// The rule: `API001`.
    pub id: &'static str,
    /// How bad it is.
    pub severity: Severity,
    /// What kind of change it is.
    pub status: Status,
    /// The minor whose hop it bites in; `None` when it already bites before the first hop, or
    /// bites in none.
    pub hop: Option<KubeMinor>,
    /// `apiVersion` as written.
    pub api_version: Option<String>,
    /// `kind` as written.
    pub kind: Option<String>,
    /// `metadata.name` (or `generateName`, with a `*` behind it).
    pub name: Option<String>,
    /// `metadata.namespace`, or that of the Helm release.
    pub namespace: Option<String>,
    /// The cluster that it is about, where the source says.
    pub cluster: Option<String>,
    /// The file, relative to the working directory, as given. `-` is standard input.
    pub file: String,
    /// 1-based line of the value.
    pub line: u32,
    /// 1-based column of the value, in characters.
    pub column: u32,
    /// 0-based index of the document in the file.
    pub document: u32,
    /// Where a rendering tool says that the document came from (Helm's `# Source:` comment), or
    /// the release that carries it.
    pub source: Option<String>,
    /// Since which minor it is deprecated.
    pub deprecated_in: Option<KubeMinor>,
    /// From which minor on it is no longer served.
    pub removed_in: Option<KubeMinor>,
    /// What to use instead: `networking.k8s.io/v1 Ingress`.
    pub replacement: Option<String>,
    /// Since which minor the replacement is served.
    pub replacement_since: Option<KubeMinor>,
    /// One sentence: what happens, and when.
    pub message: String,
    /// One sentence: what to do.
    pub remedy: String,
    /// Where the fact can be read.
    pub url: Option<String>,
    /// The source line, for people; not part of the JSON report.
    #[serde(skip)]
    pub excerpt: Option<String>,
    /// How many characters of the source line the finding is about.
    #[serde(skip)]
    pub width: u32,
}

impl Finding {
    /// A finding with its place and its subject still empty: fill in what is known.
    pub fn new(id: &'static str, severity: Severity, status: Status) -> Self {
        Self {
            id,
            severity,
            status,
            hop: None,
            api_version: None,
            kind: None,
            name: None,
            namespace: None,
            cluster: None,
            file: String::new(),
            line: 1,
            column: 1,
            document: 0,
            source: None,
            deprecated_in: None,
            removed_in: None,
            replacement: None,
            replacement_since: None,
            message: String::new(),
            remedy: String::new(),
            url: None,
            excerpt: None,
            width: 1,
        }
    }

    /// The same finding with its place.
    #[must_use]
    pub fn placed(mut self, at: &Place) -> Self {
        self.file.clone_from(&at.file);
        (self.line, self.column, self.width, self.document) = (at.line, at.column, at.width, at.document);
        self
    }

    /// What makes this finding the same finding after an edit elsewhere in the file: everything
    /// but line, column and document index. One that became graver is another, and of what is
    /// declared also one that bites in another hop: nodes that would be out of skew after 1.37, and
    /// nodes that are, are two things.
    pub fn identity(&self) -> String {
        // When an API goes is the API's own affair, and part of it already.
        let declared = !self.id.starts_with("API");
        let hop = || self.hop.map_or_else(|| "now".to_owned(), |hop| hop.to_string());
        let part = |value: &Option<String>| value.clone().unwrap_or_else(|| "-".to_owned());
        [
            self.id.to_owned(),
            self.severity.as_str().to_owned(),
            self.file.clone(),
            part(&self.api_version),
            part(&self.kind),
            part(&self.namespace),
            part(&self.name),
        ]
        .into_iter()
        .chain(self.cluster.clone())
        .chain(declared.then(hop))
        .collect::<Vec<_>>()
        .join("|")
    }
}
