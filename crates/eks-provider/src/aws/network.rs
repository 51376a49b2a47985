//! Subnets, security groups and availability zones.

use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

use crate::Result;
use crate::calls::provider;

/// Which subnets or security groups are asked for. The default asks for all.
///
/// ```
/// use eks_provider::aws::NetworkQuery;
/// // A cluster of which no subnet is known does not mean every subnet of the account.
/// let none: [&str; 0] = [];
/// assert_eq!(NetworkQuery::of(none).ids, Some([].into()));
/// assert_eq!(NetworkQuery::default().ids, None);
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct NetworkQuery {
    /// Only of these ids; `None` is all. Those that are not there are left out.
    pub ids: Option<BTreeSet<String>>,
    /// Only with all of these tags: any of the values, or, where there are none, any value.
    pub tags: BTreeMap<String, Vec<String>>,
    /// Only of this VPC.
    pub vpc_id: Option<String>,
}

impl NetworkQuery {
    /// Those of these ids.
    pub fn of(ids: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self { ids: Some(ids.into_iter().map(Into::into).collect()), ..Self::default() }
    }
}

/// A subnet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Subnet {
    /// Its id.
    pub id: String,
    /// Its VPC.
    pub vpc_id: String,
    /// Its zone, by name.
    pub availability_zone: String,
    /// Its zone, by the id that is the same in all accounts.
    pub availability_zone_id: Option<String>,
    /// Its IPv4 addresses.
    pub cidr_block: Option<String>,
    /// How many IPv4 addresses are free.
    pub available_ip_address_count: u32,
    /// Its IPv6 addresses.
    pub ipv6_cidr_blocks: Vec<String>,
    /// `available`, `pending`, …
    pub state: Option<String>,
    /// The Outpost that it is on.
    pub outpost_arn: Option<String>,
    /// Its tags.
    pub tags: BTreeMap<String, String>,
}

/// A security group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SecurityGroup {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Its VPC.
    pub vpc_id: Option<String>,
    /// Its tags.
    pub tags: BTreeMap<String, String>,
}

/// An availability zone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AvailabilityZone {
    /// Its name: `eu-west-1a`.
    pub name: String,
    /// Its id, the same in all accounts: `euw1-az2`.
    pub id: Option<String>,
    /// `available`, `impaired`, `unavailable`, `constrained`, `information`.
    pub state: String,
    /// What AWS says of it.
    pub messages: Vec<String>,
}

provider! {
    /// Reads networks.
    #[access(Read)]
    pub trait NetworkReader {
        /// The subnets that are asked for, sorted by id.
        #[iam("ec2:DescribeSubnets")]
        async fn describe_subnets(&self, query: &NetworkQuery) -> Result<Vec<Subnet>>;

        /// The security groups that are asked for, sorted by id.
        #[iam("ec2:DescribeSecurityGroups")]
        async fn describe_security_groups(&self, query: &NetworkQuery) -> Result<Vec<SecurityGroup>>;

        /// The zones of the region, sorted by name.
        #[iam("ec2:DescribeAvailabilityZones")]
        async fn describe_availability_zones(&self) -> Result<Vec<AvailabilityZone>>;
    }
}
