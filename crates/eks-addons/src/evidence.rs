//! Where an answer comes from, and how old that is.

use std::borrow::Cow;
use std::fmt;

use jiff::civil::Date;

/// Where an answer comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Evidence {
    /// A catalogue handed in from outside, or the table of this crate.
    pub origin: Origin,
    /// What exactly.
    pub source: Cow<'static, str>,
    /// The day of it.
    pub as_of: Date,
}

impl Evidence {
    /// The address in the citation, where it has one.
    pub fn url(&self) -> Option<&str> {
        let start = self.source.find("https://")?;
        let rest = self.source.get(start..)?;
        let end = rest.find([' ', ';', ',', ')']).unwrap_or(rest.len());
        rest.get(..end)
    }
}

/// What kind of source an answer comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Origin {
    /// The table of this crate.
    Table,
    /// A recorded or live `DescribeAddonVersions`.
    Catalogue,
}

impl fmt::Display for Evidence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.origin {
            Origin::Table => write!(f, "by the table here, as of {}", self.as_of),
            Origin::Catalogue => write!(f, "by the catalogue of {}", self.as_of),
        }
    }
}

/// Whether a version fits a Kubernetes version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fit {
    /// It does.
    Compatible(Evidence),
    /// It does not.
    Incompatible {
        /// Why, as the end of a sentence.
        reason: String,
        /// No version at all fits that Kubernetes.
        none_exists: bool,
        /// Where that comes from.
        evidence: Evidence,
    },
    /// Nobody here can say.
    Unknown {
        /// Why, as the end of a sentence.
        reason: String,
    },
}

impl Fit {
    /// Whether it is known to fit.
    pub fn is_compatible(&self) -> bool {
        matches!(self, Self::Compatible(_))
    }
}
