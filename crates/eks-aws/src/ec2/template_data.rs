//! What a version of a launch template says.

use std::collections::BTreeMap;

use aws_sdk_ec2::types as sdk;
use eks_provider::aws::{LaunchTemplateData, TemplateVolume};
use eks_provider::{Result, Sensitive};

use crate::call::{What, count, some};
use crate::ec2::tags;

pub(super) fn data(what: &What, data: sdk::ResponseLaunchTemplateData) -> Result<LaunchTemplateData> {
    let interfaces = data.network_interfaces.unwrap_or_default();
    let groups = data.security_group_ids.into_iter().flatten();
    let interface_groups = interfaces.iter().flat_map(|interface| interface.groups.iter().flatten().cloned());
    let options = data.metadata_options;
    let volumes = data.block_device_mappings.into_iter().flatten().filter_map(|mapping| {
        let volume = mapping.ebs?;
        Some(what.text("BlockDeviceMappings.DeviceName", mapping.device_name).map(|name| {
            let kind = volume.volume_type.map(|kind| kind.as_str().to_owned());
            let (size_gib, encrypted) = (count(volume.volume_size), volume.encrypted);
            (name, TemplateVolume { kind, size_gib, encrypted, kms_key_id: some(volume.kms_key_id) })
        }))
    });
    let instance_tags = data.tag_specifications.into_iter().flatten();
    let instance_tags = instance_tags
        .filter(|specification| specification.resource_type == Some(sdk::ResourceType::Instance))
        .flat_map(|specification| tags(specification.tags));
    Ok(LaunchTemplateData {
        image_id: some(data.image_id),
        instance_type: data.instance_type.map(|kind| kind.as_str().to_owned()),
        attribute_based: data.instance_requirements.is_some(),
        user_data: some(data.user_data).map(|text| Sensitive::new(text.into_bytes())),
        iam_instance_profile: data
            .iam_instance_profile
            .and_then(|profile| some(profile.arn).or(some(profile.name))),
        key_name: some(data.key_name),
        security_group_ids: groups.chain(interface_groups).collect(),
        subnet_ids: interfaces.iter().filter_map(|interface| some(interface.subnet_id.clone())).collect(),
        market: data
            .instance_market_options
            .and_then(|options| options.market_type)
            .map(|market| market.as_str().to_owned()),
        http_tokens: options
            .as_ref()
            .and_then(|options| options.http_tokens.as_ref())
            .map(|tokens| tokens.as_str().to_owned()),
        http_put_response_hop_limit: options.and_then(|options| count(options.http_put_response_hop_limit)),
        volumes: volumes.collect::<Result<BTreeMap<_, _>>>()?,
        instance_tags: instance_tags.collect(),
    })
}
