//! Instance types: what they are, and where they are offered.

use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

use crate::Result;
use crate::calls::provider;

/// An instance type.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct InstanceType {
    /// Its name: `m7g.xlarge`.
    pub name: String,
    /// Its virtual CPUs: what quotas count.
    pub vcpus: u32,
    /// Its memory, in MiB.
    pub memory_mib: u64,
    /// `x86_64`, `arm64`, `i386`.
    pub architectures: BTreeSet<String>,
    /// Whether AWS counts it among the current ones.
    pub current_generation: bool,
    /// Whether it is a whole machine.
    pub bare_metal: bool,
    /// `nitro`, `xen`.
    pub hypervisor: Option<String>,
    /// Its GPUs.
    pub gpus: u32,
    /// Its network interfaces, at most: with the addresses of each, the Pods that fit.
    pub max_network_interfaces: u32,
    /// The IPv4 addresses of each network interface, at most.
    pub ipv4_addresses_per_interface: u32,
    /// `on-demand`, `spot`, `capacity-block`.
    pub usage_classes: BTreeSet<String>,
}

provider! {
    /// Reads instance types.
    #[access(Read)]
    pub trait InstanceTypeReader {
        /// Types by name, sorted. Those that the region does not know are left out.
        #[iam("ec2:DescribeInstanceTypes")]
        async fn describe_instance_types(&self, names: &BTreeSet<String>) -> Result<Vec<InstanceType>>;

        /// In which zones (by name) each of these types is offered. One that is offered nowhere in the region
        /// has an empty set.
        #[iam("ec2:DescribeInstanceTypeOfferings")]
        async fn describe_instance_type_offerings(
            &self,
            names: &BTreeSet<String>,
        ) -> Result<BTreeMap<String, BTreeSet<String>>>;
    }
}
