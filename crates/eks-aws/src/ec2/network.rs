//! Subnets, security groups, zones.

use async_trait::async_trait;
use aws_sdk_ec2::types as sdk;
use eks_provider::Result;
use eks_provider::aws::{AvailabilityZone, NetworkQuery, NetworkReader, SecurityGroup, Subnet};

use crate::Aws;
use crate::call::{What, some};
use crate::ec2::filters::{by_tags, filter, portions};
use crate::ec2::tags;

#[async_trait]
impl NetworkReader for Aws {
    async fn describe_subnets(&self, query: &NetworkQuery) -> Result<Vec<Subnet>> {
        let what = What::new("ec2:DescribeSubnets", target(query, "subnets"));
        let mut subnets = Vec::new();
        for filters in portions("subnet-id", query.ids.as_ref(), &others(query)) {
            let call = |token| {
                self.ec2
                    .describe_subnets()
                    .set_filters((!filters.is_empty()).then(|| filters.clone()))
                    .max_results(1000)
                    .set_next_token(token)
                    .send()
            };
            let found = self.pages(&what, call, |answer| (answer.subnets, answer.next_token)).await?;
            for found in found {
                subnets.push(subnet(&what, found)?);
            }
        }
        subnets.sort_by(|a, b| a.id.cmp(&b.id));
        Ok(subnets)
    }

    async fn describe_security_groups(&self, query: &NetworkQuery) -> Result<Vec<SecurityGroup>> {
        let what = What::new("ec2:DescribeSecurityGroups", target(query, "security groups"));
        let mut groups = Vec::new();
        for filters in portions("group-id", query.ids.as_ref(), &others(query)) {
            let call = |token| {
                self.ec2
                    .describe_security_groups()
                    .set_filters((!filters.is_empty()).then(|| filters.clone()))
                    .max_results(1000)
                    .set_next_token(token)
                    .send()
            };
            let found = self.pages(&what, call, |answer| (answer.security_groups, answer.next_token)).await?;
            for found in found {
                groups.push(SecurityGroup {
                    id: what.text("SecurityGroups.GroupId", found.group_id)?,
                    name: what.text("SecurityGroups.GroupName", found.group_name)?,
                    vpc_id: some(found.vpc_id),
                    tags: tags(found.tags),
                });
            }
        }
        groups.sort_by(|a, b| a.id.cmp(&b.id));
        Ok(groups)
    }

    async fn describe_availability_zones(&self) -> Result<Vec<AvailabilityZone>> {
        let what = What::new("ec2:DescribeAvailabilityZones", format!("region {}", self.region));
        let answer = self.send(&what, || self.ec2.describe_availability_zones().send()).await?;
        let zones = answer.availability_zones.into_iter().flatten().map(|zone| {
            Ok(AvailabilityZone {
                name: what.text("AvailabilityZones.ZoneName", zone.zone_name)?,
                id: some(zone.zone_id),
                state: what.need("AvailabilityZones.State", zone.state)?.as_str().to_owned(),
                messages: zone
                    .messages
                    .into_iter()
                    .flatten()
                    .filter_map(|message| some(message.message))
                    .collect(),
            })
        });
        let mut zones = zones.collect::<Result<Vec<_>>>()?;
        zones.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(zones)
    }
}

fn target(query: &NetworkQuery, things: &str) -> String {
    match (&query.ids, &query.vpc_id) {
        (Some(ids), _) if ids.len() <= 3 => {
            let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
            format!("{things} {}", ids.join(", "))
        }
        (Some(ids), _) => format!("{} {things}", ids.len()),
        (None, Some(vpc)) => format!("{things} of {vpc}"),
        (None, None) => format!("all {things}"),
    }
}

fn others(query: &NetworkQuery) -> Vec<sdk::Filter> {
    let mut filters = by_tags(&query.tags);
    filters.extend(query.vpc_id.as_ref().map(|vpc| filter("vpc-id", std::slice::from_ref(vpc))));
    filters
}

fn subnet(what: &What, found: sdk::Subnet) -> Result<Subnet> {
    Ok(Subnet {
        id: what.text("Subnets.SubnetId", found.subnet_id)?,
        vpc_id: what.text("Subnets.VpcId", found.vpc_id)?,
        availability_zone: what.text("Subnets.AvailabilityZone", found.availability_zone)?,
        availability_zone_id: some(found.availability_zone_id),
        cidr_block: some(found.cidr_block),
        available_ip_address_count: what
            .count("Subnets.AvailableIpAddressCount", found.available_ip_address_count)?,
        ipv6_cidr_blocks: found
            .ipv6_cidr_block_association_set
            .into_iter()
            .flatten()
            .filter_map(|association| some(association.ipv6_cidr_block))
            .collect(),
        state: found.state.map(|state| state.as_str().to_owned()),
        outpost_arn: some(found.outpost_arn),
        tags: tags(found.tags),
    })
}
