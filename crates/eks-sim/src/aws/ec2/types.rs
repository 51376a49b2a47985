//! Instance types, and where they are offered.

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use eks_provider::Result;
use eks_provider::aws::{InstanceType, InstanceTypeReader};

use crate::Sim;

/// Name, virtual CPUs, memory in MiB, architecture, network interfaces, addresses of each.
/// <https://github.com/aws/amazon-vpc-cni-k8s/blob/master/misc/eni-max-pods.txt> (2026-07)
const TYPES: [(&str, u32, u64, &str, u32, u32); 14] = [
    ("t3.medium", 2, 4096, "x86_64", 3, 6),
    ("t3.large", 2, 8192, "x86_64", 3, 12),
    ("m5.large", 2, 8192, "x86_64", 3, 10),
    ("m5.xlarge", 4, 16_384, "x86_64", 4, 15),
    ("m6i.large", 2, 8192, "x86_64", 3, 10),
    ("m6i.xlarge", 4, 16_384, "x86_64", 4, 15),
    ("m7i.large", 2, 8192, "x86_64", 3, 10),
    ("m7i.xlarge", 4, 16_384, "x86_64", 4, 15),
    ("m7g.large", 2, 8192, "arm64", 3, 10),
    ("m7g.xlarge", 4, 16_384, "arm64", 4, 15),
    ("c7g.large", 2, 4096, "arm64", 3, 10),
    ("c7i.2xlarge", 8, 16_384, "x86_64", 4, 15),
    ("r7g.large", 2, 16_384, "arm64", 3, 10),
    ("r7i.4xlarge", 16, 131_072, "x86_64", 8, 30),
];

/// The types of the simulated region.
pub(crate) fn catalogue() -> BTreeMap<String, InstanceType> {
    TYPES
        .iter()
        .map(|(name, vcpus, memory_mib, architecture, interfaces, addresses)| {
            let instance_type = InstanceType {
                name: (*name).to_owned(),
                vcpus: *vcpus,
                memory_mib: *memory_mib,
                architectures: BTreeSet::from([(*architecture).to_owned()]),
                current_generation: true,
                bare_metal: false,
                hypervisor: Some("nitro".to_owned()),
                gpus: 0,
                max_network_interfaces: *interfaces,
                ipv4_addresses_per_interface: *addresses,
                usage_classes: BTreeSet::from(["on-demand".to_owned(), "spot".to_owned()]),
            };
            ((*name).to_owned(), instance_type)
        })
        .collect()
}

/// How many Pods fit on a type with the VPC CNI's own addresses.
/// <https://github.com/aws/amazon-vpc-cni-k8s/blob/master/misc/eni-max-pods.txt> (2026-07)
pub(crate) fn max_pods(kind: &InstanceType) -> u64 {
    let addresses = kind.ipv4_addresses_per_interface.saturating_sub(1);
    u64::from(kind.max_network_interfaces.saturating_mul(addresses)) + 2
}

#[async_trait]
impl InstanceTypeReader for Sim {
    async fn describe_instance_types(&self, names: &BTreeSet<String>) -> Result<Vec<InstanceType>> {
        self.read("ec2:DescribeInstanceTypes", "instance types", |view| {
            Ok(names.iter().filter_map(|name| view.aws.ec2.types.get(name)).cloned().collect())
        })
        .await
    }

    async fn describe_instance_type_offerings(
        &self,
        names: &BTreeSet<String>,
    ) -> Result<BTreeMap<String, BTreeSet<String>>> {
        self.read("ec2:DescribeInstanceTypeOfferings", "instance types", |view| {
            let ec2 = &view.aws.ec2;
            let zones = |name: &String| -> BTreeSet<String> {
                let offered = |zone: &&String| {
                    ec2.types.contains_key(name)
                        && !ec2.not_offered.contains(&((*zone).clone(), name.clone()))
                };
                ec2.zones.keys().filter(offered).cloned().collect()
            };
            Ok(names.iter().map(|name| (name.clone(), zones(name))).collect())
        })
        .await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pods_of_a_type_are_those_of_the_vpc_cni() {
        let types = catalogue();
        for (name, pods) in [("t3.medium", 17), ("m5.large", 29), ("m7g.xlarge", 58), ("r7i.4xlarge", 234)] {
            assert_eq!(max_pods(&types[name]), pods, "{name}");
        }
    }
}
