//! What is asked of AWS. One module a subject; in each, readers apart from writers. Methods have
//! the names of the calls that they make.
//!
//! What holds for all of them:
//! - A list is complete: paging is the adapter's affair. It is sorted by name or id where the
//!   order means nothing.
//! - What is asked for by one name and is not there is [`Class::NotFound`](crate::Class::NotFound).
//!   What is asked for by many ids and is not there is left out of the answer; whoever asked compares.
//! - Where a query takes names or ids, `None` is all, and an empty set is none: a set that happens to come
//!   out empty must never mean "everything". A call with an empty set answers at once and asks nobody.
//! - A writer's call answers as soon as the service has taken it; that it is done is seen by a reader.

mod access;
mod addons;
mod autoscaling;
mod certificates;
mod cluster;
mod fargate;
mod group_settings;
mod group_writers;
mod images;
mod insights;
mod instance_types;
mod instances;
mod keys;
mod launch_templates;
mod load_balancing;
mod network;
mod nodegroups;
mod parameters;
mod quotas;
mod tags;
mod updates;
mod versions;

pub use access::*;
pub use addons::*;
pub use autoscaling::*;
pub use certificates::*;
pub use cluster::*;
pub use fargate::*;
pub use group_settings::*;
pub use group_writers::*;
pub use images::*;
pub use insights::*;
pub use instance_types::*;
pub use instances::*;
pub use keys::*;
pub use launch_templates::*;
pub use load_balancing::*;
pub use network::*;
pub use nodegroups::*;
pub use parameters::*;
pub use quotas::*;
pub use tags::*;
pub use updates::*;
pub use versions::*;

/// Something that EKS finds wrong with a cluster, a node group, an add-on or a Fargate profile.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Issue {
    /// EKS's code: `InsufficientFreeAddresses`, `Ec2LaunchTemplateNotFound`.
    pub code: String,
    /// EKS's sentence.
    pub message: String,
    /// The resources that it is about: subnets, instances, security groups.
    pub resource_ids: Vec<String>,
}
