//! What is asked of Kubernetes. One module a subject; in each, readers apart from writers.
//!
//! What holds for all of them:
//! - A list is complete, sorted by namespace and name, and as new as the API server can make it, unless
//!   a query says otherwise ([`Freshness`]). What there can be a hundred thousand of (Pods,
//!   ReplicaSets, metadata of everything, Helm releases) comes in pages ([`Page`]), so that nobody
//!   needs to hold it all.
//! - What is asked for by name and is not there is [`Class::NotFound`](crate::Class::NotFound). A
//!   *kind* that the API server does not serve (Karpenter is not installed) is `None`, which is not an
//!   empty list.
//! - A writer's call has a precondition where the object is shared with others: the `uid`, so that only
//!   this object is touched and not its namesake, the `resource_version`, so that nothing is
//!   overwritten that was not read. When it does not hold, the call fails with
//!   [`Class::Conflict`](crate::Class::Conflict).

mod budgets;
mod changes;
mod config_maps;
mod custom;
mod events;
mod evictions;
mod helm;
mod leases;
mod meta;
mod metadata;
mod node_patch;
mod nodes;
mod pod_spec;
mod pods;
mod quantity;
mod selectors;
mod server;
mod services;
mod token;
mod volumes;
mod webhooks;
mod workload_writer;
mod workloads;

pub use budgets::*;
pub use changes::*;
pub use config_maps::*;
pub use custom::*;
pub use events::*;
pub use evictions::*;
pub use helm::*;
pub use leases::*;
pub use meta::*;
pub use metadata::*;
pub use node_patch::*;
pub use nodes::*;
pub use pod_spec::*;
pub use pods::*;
pub use quantity::*;
pub use selectors::*;
pub use server::*;
pub use services::*;
pub use token::*;
pub use volumes::*;
pub use webhooks::*;
pub use workload_writer::*;
pub use workloads::*;
