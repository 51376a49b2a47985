//! The Kubernetes half of [`eks_provider`] on a real API server: [`KubeApi`] is every trait of
//! [`eks_provider::kube`], readers and writers. No other crate names kube or k8s-openapi.
//!
//! # How a cluster is reached
//! - [`KubeApi::connect`], from what DescribeCluster says (endpoint, certificate authority) and a source of tokens.
//!   There is no doubt which cluster is meant, and neither a kubeconfig nor the AWS command line is needed. A token
//!   is renewed before it ends, and once when the API server does not accept it.
//! - [`KubeApi::connect_by_kubeconfig`], for private networks and bastions. With DescribeCluster's certificate
//!   authority it is an error when the kubeconfig trusts another one.
//!
//! Both go through the proxy that `HTTPS_PROXY` and `NO_PROXY` say, the second first through the kubeconfig's own.
//!
//! ```no_run
//! use std::sync::Arc;
//! use eks_kube::{KubeApi, KubeConnection};
//! use eks_provider::aws::Cluster;
//! use eks_provider::kube::{NodeQuery, NodeReader, TokenSource};
//!
//! # async fn doc(cluster: &Cluster, token: Arc<dyn TokenSource>) -> eks_provider::Result<()> {
//! let connection = KubeConnection {
//!     endpoint: cluster.endpoint.clone().unwrap_or_default(),
//!     certificate_authority: cluster.certificate_authority.clone().unwrap_or_default(),
//!     token,
//! };
//! let api = KubeApi::connect(&connection).await?;
//! let readers: &dyn NodeReader = &api; // what gets this cannot change anything
//! for node in readers.list_nodes(&NodeQuery::default()).await? {
//!     println!("{} {}", node.meta.name, node.info.kubelet_version);
//! }
//! # Ok(()) }
//! ```
//!
//! # What holds for every call
//! - It ends: after 65 seconds without an answer it is [`Class::Timeout`](eks_provider::Class::Timeout). Nothing is
//!   sent twice but a call whose token was not accepted; whoever asked decides whether to ask again, and by
//!   `Retry-After`, which is in the error.
//! - Lists come in pages of 500, are converted page by page, and hold no more than the types of `eks-provider` do,
//!   so a cluster of 150,000 Pods needs the memory of one page and of what the caller keeps. A list whose moment the
//!   API server forgets (410) is begun anew, or goes on and says that it is of two moments.
//! - What cannot be read makes its answer [`Class::Malformed`](eks_provider::Class::Malformed), and names the
//!   object. Words that are not known are kept as text.
//! - Nodes are changed by JSON patches that test uid and resourceVersion first, Leases by replacing the state that
//!   was read, ConfigMaps by merge patches of it: what others have set stays, and who is late gets
//!   [`Class::Conflict`](eks_provider::Class::Conflict).
//!
//! # Not here
//! When to repeat a call, what an eviction's answer means for a drain, and any judgement of what was read: all of
//! that is above. Exec, logs and port forwarding: nothing here runs anything in a cluster.

mod api;
mod authority;
mod bearer;
mod budgets;
mod call;
mod changes;
mod clock;
mod config_maps;
mod connection;
mod custom;
mod custom_types;
mod discovery;
mod events;
mod evictions;
#[cfg(test)]
mod fake;
mod helm;
mod leases;
mod lines;
mod list;
mod meta;
mod metadata;
mod metrics;
mod nodes;
mod pod_spec;
mod pods;
mod refusal;
mod resource;
mod server;
mod services;
#[cfg(test)]
mod tests;
mod volumes;
mod webhooks;
mod workload_writer;
mod workloads;

pub use api::KubeApi;
pub use clock::SystemClock;
pub use connection::{KubeConnection, KubeconfigConnection};
