//! Which Kubernetes APIs a manifest uses, and what becomes of them over an upgrade.
//!
//! Three parts, each useful alone:
//! - [`scan()`]: bytes in, the objects in them out, with line and column; YAML, JSON, templates,
//!   Helm releases. Never fails; says what it could not read.
//! - [`Catalogue`]: one row for each API that Kubernetes has or had: since when, until when, what
//!   comes after it. Generated from the Go modules of Kubernetes, embedded, with sources.
//! - [`judge()`]: one usage, one window of versions, and the finding that follows from the
//!   catalogue.
//!
//! ```
//! use eks_deprecations::{Catalogue, judge, scan};
//! use eks_model::{Status, Window};
//!
//! let window = Window::new("1.33".parse()?, "1.37".parse()?)?;
//! let scan = scan(b"kind: VolumeAttributesClass\napiVersion: storage.k8s.io/v1beta1\n");
//! let finding = judge(Catalogue::embedded(), &scan.usages[0], window).expect("it is removed in 1.37");
//! assert_eq!((finding.status, finding.line), (Status::Removed, 2));
//! assert_eq!(finding.replacement.as_deref(), Some("storage.k8s.io/v1 VolumeAttributesClass"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! This crate knows no file, no clock, no network and no environment.
#![warn(clippy::disallowed_methods)]

mod catalogue;
mod judge;
pub mod rules;
mod scan;

pub use catalogue::{Api, Catalogue, CatalogueError, Fact, Persistence, Replacement, VendorApi};
pub use judge::{judge, matters};
pub use scan::{
    Certainty, Format, HelmRelease, Pragma, ReleaseStatus, Role, Scan, UnreadText, Usage, YamlDocument,
    documents, newest_deployed, scan, scan_by_parser, scan_with,
};
