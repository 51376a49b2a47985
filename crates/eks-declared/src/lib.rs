//! What files declare about EKS clusters: versions of control planes, node groups, add-ons and controllers,
//! each with file, line and column.
//!
//! It reads eksctl's `ClusterConfig`, CloudFormation (YAML with its short tags, and JSON), Terraform and OpenTofu (HCL and
//! its JSON form, variables, locals, `*.tfvars`, module calls within the tree, `terraform-aws-modules/eks` from 16 to 21),
//! `terraform show -json` (and a state, where one is given), Cluster API, ACK and Crossplane, Karpenter's node classes, and
//! the images and Helm charts of known controllers.
//!
//! What cannot be resolved is [`Observed::Unreadable`](eks_model::Observed) with the reason and the place: it is never
//! guessed and never dropped.
//!
//! ```
//! use eks_declared::Tree;
//!
//! let mut tree = Tree::new();
//! tree.add("infra/main.tf", r#"
//! module "eks" {
//!   source             = "terraform-aws-modules/eks/aws"
//!   version            = "~> 21.0"
//!   name               = "shop"
//!   kubernetes_version = var.kubernetes_version
//! }
//! variable "kubernetes_version" {}
//! "#);
//! tree.add("infra/prod.tfvars", "kubernetes_version = \"1.34\"\n");
//! let declared = tree.read();
//! let version = declared.clusters[0].control_plane.known().expect("it is in prod.tfvars");
//! assert_eq!(version.value.to_string(), "1.34");
//! // The place is that of the literal: what has to be edited.
//! assert_eq!((version.at.file.as_str(), version.at.line, version.at.column), ("infra/prod.tfvars", 1, 22));
//! ```
//!
//! This crate opens no file: paths and bytes come in as values. It knows no clock, no network and no environment.
#![warn(clippy::disallowed_methods)]
#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "a reader asks for the one or two shapes of a value that it can take; every other is handled as `not that`"
)]

mod cloudformation;
mod draft;
mod eksctl;
mod json;
mod kubernetes;
mod node;
mod sniff;
mod terraform;
mod tree;
mod yaml;

pub use sniff::{
    Interest, Name, by_name, has_known_image, interest, may_declare, may_hold_values, reads_like_terraform,
};
pub use tree::{Comment, Declared, Tree};
