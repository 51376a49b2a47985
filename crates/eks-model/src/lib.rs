//! The words of an EKS upgrade, shared by every other crate.
//!
//! # Glossary
//! - **minor**: a Kubernetes minor release, `1.36` ([`KubeMinor`]). Everything that Kubernetes
//!   adds or removes, it adds or removes at a minor.
//! - **hop**: the upgrade of a control plane by one minor ([`Hop`]). EKS allows no larger step.
//! - **window**: the whole upgrade, from the minor in use to the minor wanted ([`Window`]).
//! - **finding**: one thing that will break or change, with its place and its remedy
//!   ([`Finding`]). A finding is a value, not an error.
//! - **unread**: something that should have been looked at and could not be ([`Unread`]).
//! - **snapshot**: what is known of one cluster, wherever it comes from ([`ClusterSnapshot`]).
//! - **observed**: known, absent, or unreadable and why ([`Observed`]).
//! - **verdict**: what all of it together means for a gate ([`Verdict`]): pass, blocked, or
//!   unknown. Unknown is never a pass.
//!
//! # Example
//! ```
//! use eks_model::{KubeMinor, Window};
//!
//! let from: KubeMinor = "v1.34.2-eks-5e0fdde".parse()?;
//! let to: KubeMinor = "1.37".parse()?;
//! let hops: Vec<String> = Window::new(from, to)?.hops().map(|hop| hop.to_string()).collect();
//! assert_eq!(hops, ["1.34 → 1.35", "1.35 → 1.36", "1.36 → 1.37"]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! This crate knows no file, no clock, no network and no environment.
#![warn(clippy::disallowed_methods)]

mod addon;
mod finding;
mod plan;
mod report;
mod rule;
mod snapshot;
pub mod table;
mod version;
mod window;

pub use addon::{AddonVersion, ParseAddonVersionError, ParsePlatformError, PlatformVersions};
pub use finding::{FailOn, Finding, Severity, Status};
pub use plan::{Change, ChangeKind, ClusterPlan, DeclaredPlan, HopPlan};
pub use report::{
    CheckReport, Scanned, Summary, Suppression, SuppressionState, Tool, Unread, UnreadKind, Verdict,
};
pub use rule::{Example, Rule};
pub use snapshot::{
    Addon, AddonWish, ClusterSnapshot, Controller, ImageFamily, NodeGroup, NodeGroupKind, NodeImage,
    Observed, ParseSupportTypeError, Place, Placed, Sign, SupportType, Unreadable,
};
pub use version::{KubeMinor, KubeVersion, ParseVersionError};
pub use window::{Hop, Window, WindowError};
