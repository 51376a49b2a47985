//! Subnets, whose addresses are taken and come back; security groups; zones.

use std::collections::BTreeSet;

use async_trait::async_trait;
use eks_provider::Result;
use eks_provider::aws::{AvailabilityZone, NetworkQuery, NetworkReader, SecurityGroup, Subnet};

use crate::Sim;
use crate::aws::ec2::{State, tags_fit};

/// A subnet, with its addresses.
#[derive(Debug, Clone)]
pub(crate) struct KnownSubnet {
    pub(crate) subnet: Subnet,
    /// The first address that instances get, as a number.
    first: u32,
    /// How many addresses instances can have.
    size: u32,
    /// Which of them are taken, from 0.
    taken: BTreeSet<u32>,
    /// Addresses that something else holds (other instances, Lambda functions, load balancers).
    pub(crate) elsewhere: u32,
    /// Where to look for a free one next.
    next: u32,
}

impl KnownSubnet {
    /// A subnet whose addresses are all free. Five of each are AWS's own.
    /// <https://docs.aws.amazon.com/vpc/latest/userguide/subnet-sizing.html>
    pub(crate) fn new(subnet: Subnet) -> Option<Self> {
        let (base, length) = subnet.cidr_block.as_deref()?.split_once('/')?;
        let base: std::net::Ipv4Addr = base.parse().ok()?;
        let length: u32 = length.parse().ok().filter(|length| (16..=28).contains(length))?;
        let size = (1_u32 << (32 - length)) - 5;
        let first = u32::from(base).checked_add(4)?;
        let mut known = Self { subnet, first, size, taken: BTreeSet::new(), elsewhere: 0, next: 0 };
        known.count();
        Some(known)
    }

    /// How many addresses are free.
    pub(crate) fn free(&self) -> u32 {
        let taken = u32::try_from(self.taken.len()).unwrap_or(u32::MAX);
        self.size.saturating_sub(taken).saturating_sub(self.elsewhere)
    }

    /// How many addresses a subnet of this size has for others than AWS.
    pub(crate) fn size(&self) -> u32 {
        self.size
    }

    /// How many addresses are taken by instances.
    pub(crate) fn taken(&self) -> usize {
        self.taken.len()
    }

    /// Takes addresses: all of them, or none.
    pub(crate) fn take(&mut self, count: u32) -> Option<Vec<u32>> {
        if self.free() < count.max(1) {
            return None;
        }
        let mut found = Vec::new();
        let mut at = self.next;
        while u32::try_from(found.len()).unwrap_or(u32::MAX) < count.max(1) {
            if self.taken.insert(at % self.size) {
                found.push(at % self.size);
            }
            at = at.wrapping_add(1);
        }
        self.next = at % self.size;
        self.count();
        Some(found)
    }

    /// Gives addresses back.
    pub(crate) fn give_back(&mut self, addresses: &[u32]) {
        for address in addresses {
            self.taken.remove(address);
        }
        self.count();
    }

    /// Lets something else hold so many addresses.
    pub(crate) fn hold_elsewhere(&mut self, count: u32) {
        self.elsewhere = count;
        self.count();
    }

    /// An address as people write it.
    pub(crate) fn address(&self, number: u32) -> std::net::Ipv4Addr {
        std::net::Ipv4Addr::from(self.first.wrapping_add(number))
    }

    fn count(&mut self) {
        self.subnet.available_ip_address_count = self.free();
    }
}

impl State {
    /// How many instances there are in a zone, those that are going included.
    pub(crate) fn in_zone(&self, zone: &str) -> usize {
        let each = usize::try_from(self.addresses_per_instance.max(1)).unwrap_or(1);
        let taken = |known: &KnownSubnet| known.taken() / each;
        self.subnets.values().filter(|known| known.subnet.availability_zone == zone).map(taken).sum()
    }
}

#[async_trait]
impl NetworkReader for Sim {
    async fn describe_subnets(&self, query: &NetworkQuery) -> Result<Vec<Subnet>> {
        self.read("ec2:DescribeSubnets", "subnets", |view| {
            let fits = |subnet: &&Subnet| {
                query.ids.as_ref().is_none_or(|ids| ids.contains(&subnet.id))
                    && query.vpc_id.as_ref().is_none_or(|vpc| *vpc == subnet.vpc_id)
                    && tags_fit(&query.tags, |key| subnet.tags.get(key).map(String::as_str))
            };
            Ok(view.aws.ec2.subnets.values().map(|known| &known.subnet).filter(fits).cloned().collect())
        })
        .await
    }

    async fn describe_security_groups(&self, query: &NetworkQuery) -> Result<Vec<SecurityGroup>> {
        self.read("ec2:DescribeSecurityGroups", "security groups", |view| {
            let fits = |group: &&SecurityGroup| {
                query.ids.as_ref().is_none_or(|ids| ids.contains(&group.id))
                    && query.vpc_id.as_ref().is_none_or(|vpc| group.vpc_id.as_ref() == Some(vpc))
                    && tags_fit(&query.tags, |key| group.tags.get(key).map(String::as_str))
            };
            Ok(view.aws.ec2.security_groups.values().filter(fits).cloned().collect())
        })
        .await
    }

    async fn describe_availability_zones(&self) -> Result<Vec<AvailabilityZone>> {
        self.read("ec2:DescribeAvailabilityZones", "zones", |view| {
            Ok(view.aws.ec2.zones.values().cloned().collect())
        })
        .await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    pub(crate) fn subnet(cidr: &str) -> Subnet {
        Subnet {
            id: "subnet-a".to_owned(),
            vpc_id: "vpc-1".to_owned(),
            availability_zone: "eu-west-1a".to_owned(),
            availability_zone_id: None,
            cidr_block: Some(cidr.to_owned()),
            available_ip_address_count: 0,
            ipv6_cidr_blocks: Vec::new(),
            state: Some("available".to_owned()),
            outpost_arn: None,
            tags: BTreeMap::new(),
        }
    }

    #[test]
    fn a_subnet_has_all_but_five_of_its_addresses_and_gets_them_back() {
        let mut known = KnownSubnet::new(subnet("10.0.0.0/28")).unwrap();
        assert_eq!(known.subnet.available_ip_address_count, 11);
        let some = known.take(3).unwrap();
        assert_eq!(known.address(some[0]).to_string(), "10.0.0.4");
        assert_eq!(known.free(), 8);
        assert_eq!(known.take(9), None, "all or none");
        assert_eq!(known.free(), 8);
        let rest = known.take(8).unwrap();
        assert_eq!(known.take(1), None);
        known.give_back(&some);
        known.give_back(&rest);
        assert_eq!(known.subnet.available_ip_address_count, 11);
        known.hold_elsewhere(10);
        assert_eq!(known.take(2), None);
        assert!(known.take(1).is_some());
    }

    #[test]
    fn a_subnet_is_between_a_16_and_a_28() {
        for (cidr, ok) in
            [("10.0.0.0/15", false), ("10.0.0.0/16", true), ("10.0.0.0/29", false), ("10.0.0/24", false)]
        {
            assert_eq!(KnownSubnet::new(subnet(cidr)).is_some(), ok, "{cidr}");
        }
    }
}
