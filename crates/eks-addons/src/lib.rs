//! Which versions of EKS add-ons and of common Kubernetes controllers fit which Kubernetes, and which
//! to move to.
//!
//! - [`Matrix`]: the managed add-ons. [`Matrix::judge`] says whether a version fits, does not, or that it
//!   is unknown, and on what evidence; [`Matrix::choose`] which to move to; [`Matrix::steps`] the steps
//!   where one minor at a time is demanded; [`Matrix::when`] before or after the control plane;
//!   [`Matrix::order`] in which order.
//! - [`Capture`]: a recorded `DescribeAddonVersions`, which wins over the table ([`Matrix::with`]).
//! - [`Controllers`]: cluster-autoscaler, Karpenter, cert-manager and some thirty others, recognised by
//!   image ([`ImageRef`]), chart or label, with the Kubernetes versions that their projects publish.
//! - [`judge()`], [`judge_controller()`], [`judge_change()`]: findings, now and after each hop.
//!
//! ```
//! use eks_addons::{Fit, Matrix};
//!
//! let matrix = Matrix::embedded();
//! // vpc-cni below 1.12 crashes on Kubernetes 1.26.
//! let fit = matrix.judge("vpc-cni", &"v1.11.4-eksbuild.1".parse()?, "1.26".parse()?);
//! let Fit::Incompatible { reason, evidence, .. } = fit else { panic!("{fit:?}") };
//! assert!(reason.contains("v1.12"), "{reason}");
//! println!("{reason}, {evidence}");
//! // What no table has is unknown, never fine.
//! let fit = matrix.judge("coredns", &"v1.99.0-eksbuild.1".parse()?, "1.36".parse()?);
//! assert!(matches!(fit, Fit::Unknown { .. }));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Facts are tables (`data/*.tsv`), each row with its source and day. This crate knows no file, no clock,
//! no network and no environment.
#![warn(clippy::disallowed_methods)]

mod capture;
mod controllers;
mod evidence;
mod image_ref;
mod judge;
mod matrix;
pub mod rules;

pub use capture::{Capture, CaptureError, Offered};
pub use controllers::{Basis, Controllers};
pub use evidence::{Evidence, Fit, Origin};
pub use image_ref::ImageRef;
pub use judge::{judge, judge_change, judge_controller};
pub use matrix::{AddonFacts, AddonStep, Choice, Entry, Matrix, Stepping, Wanted, When};
