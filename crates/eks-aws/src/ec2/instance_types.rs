//! Instance types.

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use aws_sdk_ec2::types as sdk;
use eks_provider::Result;
use eks_provider::aws::{InstanceType, InstanceTypeReader};

use crate::Aws;
use crate::call::{What, count};
use crate::ec2::filters::portions;

#[async_trait]
impl InstanceTypeReader for Aws {
    async fn describe_instance_types(&self, names: &BTreeSet<String>) -> Result<Vec<InstanceType>> {
        let what = What::new("ec2:DescribeInstanceTypes", format!("{} instance types", names.len()));
        let mut types = Vec::new();
        for filters in portions("instance-type", Some(names), &[]) {
            let call = |token| {
                self.ec2
                    .describe_instance_types()
                    .set_filters(Some(filters.clone()))
                    .max_results(100)
                    .set_next_token(token)
                    .send()
            };
            let found = self.pages(&what, call, |answer| (answer.instance_types, answer.next_token)).await?;
            for found in found {
                types.push(read(&what, found)?);
            }
        }
        types.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(types)
    }

    async fn describe_instance_type_offerings(
        &self,
        names: &BTreeSet<String>,
    ) -> Result<BTreeMap<String, BTreeSet<String>>> {
        let what = What::new("ec2:DescribeInstanceTypeOfferings", format!("{} instance types", names.len()));
        let mut zones: BTreeMap<String, BTreeSet<String>> =
            names.iter().map(|name| (name.clone(), BTreeSet::new())).collect();
        for filters in portions("instance-type", Some(names), &[]) {
            let call = |token| {
                self.ec2
                    .describe_instance_type_offerings()
                    .location_type(sdk::LocationType::AvailabilityZone)
                    .set_filters(Some(filters.clone()))
                    .max_results(1000)
                    .set_next_token(token)
                    .send()
            };
            let found =
                self.pages(&what, call, |answer| (answer.instance_type_offerings, answer.next_token)).await?;
            for offering in found {
                let kind = what.need("InstanceTypeOfferings.InstanceType", offering.instance_type)?;
                let zone = what.text("InstanceTypeOfferings.Location", offering.location)?;
                if let Some(zones) = zones.get_mut(kind.as_str()) {
                    zones.insert(zone);
                }
            }
        }
        Ok(zones)
    }
}

fn read(what: &What, found: sdk::InstanceTypeInfo) -> Result<InstanceType> {
    let network = what.need("InstanceTypes.NetworkInfo", found.network_info)?;
    let vcpus = found.v_cpu_info.and_then(|info| info.default_v_cpus);
    let memory = found.memory_info.and_then(|info| info.size_in_mib);
    let architectures = found.processor_info.and_then(|info| info.supported_architectures);
    let gpus = found.gpu_info.and_then(|info| info.gpus);
    Ok(InstanceType {
        name: what.need("InstanceTypes.InstanceType", found.instance_type)?.as_str().to_owned(),
        vcpus: what.count("InstanceTypes.VCpuInfo.DefaultVCpus", vcpus)?,
        memory_mib: what.count("InstanceTypes.MemoryInfo.SizeInMiB", memory)?,
        architectures: architectures
            .into_iter()
            .flatten()
            .map(|architecture| architecture.as_str().to_owned())
            .collect(),
        current_generation: found.current_generation == Some(true),
        bare_metal: found.bare_metal == Some(true),
        hypervisor: found.hypervisor.map(|hypervisor| hypervisor.as_str().to_owned()),
        gpus: gpus.into_iter().flatten().filter_map(|gpu| count(gpu.count)).sum(),
        max_network_interfaces: what.count(
            "InstanceTypes.NetworkInfo.MaximumNetworkInterfaces",
            network.maximum_network_interfaces,
        )?,
        ipv4_addresses_per_interface: what.count(
            "InstanceTypes.NetworkInfo.Ipv4AddressesPerInterface",
            network.ipv4_addresses_per_interface,
        )?,
        usage_classes: found
            .supported_usage_classes
            .into_iter()
            .flatten()
            .map(|class| class.as_str().to_owned())
            .collect(),
    })
}
