//! What an EKS upgrade asks of AWS and Kubernetes, as narrow async traits with types of their own.
//!
//! Whoever decides something about a cluster (is it ready? which node next?) needs answers from four
//! AWS services and a Kubernetes API, and must be testable without any of them. So nothing above this
//! crate names an SDK:
//!
//! - a **trait** for each subject, readers apart from writers. What takes only readers cannot
//!   change anything, and everybody can see that from its signature;
//! - **types** of their own, complete for what an upgrade needs. A word that a service has added since
//!   is kept as text (`Other`), a version that does not parse stays visible ([`Written`]), what may
//!   hold secrets does not print itself ([`Sensitive`]);
//! - one **error**, [`ProviderError`]: which call, on what, what the service said, and a [`Class`] to
//!   decide by. When to repeat is a pure function of the class ([`RetryPolicy::decide`]);
//! - time is handed in ([`Clock`]), chance too ([`Jitter`]), and a call that must not be made twice carries a
//!   [`Token`] that is the same whichever process sends it.
//!
//! Behind the traits are adapters to the real services, and a simulated world. Nobody who uses them can
//! tell which.
//!
//! # Map
//! | module | subjects |
//! |---|---|
//! | [`aws`] | cluster and its updates, versions, insights, add-ons and their catalogue, managed node groups, Fargate, access entries, certificate authorities |
//! | [`aws`] | Auto Scaling groups, their settings and instances; launch templates, instances, types, images, networks, keys, parameters, quotas, load balancing |
//! | [`kube`] | API server, nodes, Pods and evictions, workloads, budgets, volumes, webhooks, services, metadata, Helm releases |
//! | [`kube`] | ConfigMaps, Leases, events, custom resources, and waiting for change |
//! | `mock` | mocks of every trait, and healthy values to change in a test (feature `mock`) |
//!
//! [`AwsReader`], [`AwsWriter`], [`KubeReader`] and [`KubeWriter`] are all of them together, for
//! whoever wires. A function asks for as little as it needs.
//!
//! # Permissions
//! Each method says which action of IAM or which verb on which resource it needs, and [`calls()`] has it
//! all as a table: policies and roles are made of that.
//!
//! [`needed`] adds them up for a bundle, and [`preflight_iam`] and [`preflight_rbac`] say which are missing.
//!
//! # Example: against any implementation
//! ```
//! use eks_provider::aws::{ClusterReader, ClusterStatus};
//! use eks_provider::Result;
//!
//! /// Whether a cluster is at rest. Can read clusters, and nothing else.
//! async fn at_rest(clusters: &dyn ClusterReader, name: &str) -> Result<bool> {
//!     Ok(clusters.describe_cluster(name).await?.status == ClusterStatus::Active)
//! }
//! ```
//!
//! # Example: an error branch, with a mock
//! With `eks-provider = { version = "0.1", features = ["mock"] }` among the `dev-dependencies`:
//! ```
//! use eks_provider::aws::ClusterReader;
//! use eks_provider::mock::MockClusterReader;
//! use eks_provider::{Class, ProviderError, Result};
//!
//! /// Whether there is such a cluster. "May not look" is not "no".
//! async fn exists(clusters: &dyn ClusterReader, name: &str) -> Result<bool> {
//!     match clusters.describe_cluster(name).await {
//!         Ok(_) => Ok(true),
//!         Err(error) if error.class() == Class::NotFound => Ok(false),
//!         Err(error) => Err(error),
//!     }
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() {
//! let mut clusters = MockClusterReader::new();
//! clusters.expect_describe_cluster().withf(|name| name == "shop").times(2).returning(|name| {
//!     Err(ProviderError::new(Class::Denied, "eks:DescribeCluster", format!("cluster {name}")))
//! });
//! assert!(exists(&clusters, "shop").await.is_err());
//! assert_eq!(
//!     exists(&clusters, "shop").await.unwrap_err().to_string(),
//!     "eks:DescribeCluster on cluster shop: denied"
//! );
//! # }
//! ```
//!
//! # Example: without mocks
//! A trait is small enough to be implemented by hand, for a recording, a cache, or a world of one's own:
//! ```
//! use async_trait::async_trait;
//! use eks_provider::aws::{Parameter, ParameterReader};
//! use eks_provider::{ProviderError, Result};
//! use std::collections::BTreeMap;
//!
//! struct Recorded(BTreeMap<String, Parameter>);
//!
//! #[async_trait]
//! impl ParameterReader for Recorded {
//!     async fn get_parameter(&self, name: &str) -> Result<Parameter> {
//!         let found = self.0.get(name).cloned();
//!         found.ok_or_else(|| ProviderError::not_found("ssm:GetParameter", format!("parameter {name}")))
//!     }
//!     async fn get_parameters(&self, names: &[String]) -> Result<BTreeMap<String, Parameter>> {
//!         Ok(names.iter().filter_map(|name| self.0.get_key_value(name)).map(|(k, v)| (k.clone(), v.clone())).collect())
//!     }
//! }
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() {
//! # let recorded = Recorded(BTreeMap::new());
//! # assert_eq!(recorded.get_parameter("/x").await.unwrap_err().target(), "parameter /x");
//! # }
//! ```
//!
//! This crate knows no network, no file, no environment, no runtime and no clock of its own.
#![warn(clippy::disallowed_methods)]
#![cfg_attr(
    feature = "mock",
    allow(
        clippy::struct_field_names,
        reason = "the fields of a mock are called as the methods of its trait"
    )
)]

pub mod aws;
mod bundles;
mod calls;
mod clock;
mod error;
pub mod kube;
#[cfg(feature = "mock")]
pub mod mock;
mod preflight;
mod retry;
mod text;
mod token;

pub use bundles::{AwsReader, AwsRoller, AwsWriter, KubeReader, KubeRoller, KubeWriter, calls};
pub use calls::{Access, Call, Permission};
pub use clock::{Clock, ManualClock};
pub use error::{Class, ProviderError, Result};
pub use preflight::{Needed, Preflight, needed, preflight_iam, preflight_rbac, require};
pub use retry::{Jitter, Repeat, Retry, RetryPolicy, SeededJitter, retrying};
pub use text::{Sensitive, Written};
pub use token::Token;
