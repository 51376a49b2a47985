//! Changes of one setting of a cluster.

use std::time::Duration;

use eks_provider::Written;
use eks_provider::aws::{ClusterConfigChange, Update, UpdateClusterConfig, UpdatePart, UpdateType};

use crate::World;
use crate::aws::call::{Answer, refuse};
use crate::aws::eks::upgrade::{self, Running};
use crate::aws::eks::{Event, after, named_mut, updates};
use crate::world::later;

/// Starts a change: one at a time, a minute or two each.
/// <https://docs.aws.amazon.com/eks/latest/APIReference/API_UpdateClusterConfig.html>
pub(crate) fn start(world: &mut World, request: &UpdateClusterConfig) -> Answer<Update> {
    let now = world.now();
    let name = &request.cluster;
    upgrade::at_rest(world, name)?;
    let param = |key: &str, value: String| vec![(key.to_owned(), value)];
    let (kind, params) = match &request.change {
        ClusterConfigChange::UpgradePolicy(policy) => {
            (UpdateType::UpgradePolicyUpdate, param("UpgradePolicy", policy.as_str().to_owned()))
        }
        ClusterConfigChange::DeletionProtection(on) => {
            (UpdateType::DeletionProtectionUpdate, param("DeletionProtection", on.to_string()))
        }
        ClusterConfigChange::ZonalShift(on) => {
            (UpdateType::ZonalShiftConfigUpdate, param("ZonalShiftConfig", on.to_string()))
        }
        ClusterConfigChange::Subnets(ids) => {
            check_subnets(world, name, ids)?;
            let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
            (UpdateType::VpcConfigUpdate, param("SubnetIds", ids.join(",")))
        }
        ClusterConfigChange::ControlPlaneTier(tier) => {
            if !["standard", "tier-xl", "tier-2xl", "tier-4xl", "tier-8xl"].contains(&tier.as_str()) {
                return refuse("InvalidParameterException", format!("{tier} is no tier of a control plane"));
            }
            (UpdateType::ControlPlaneScalingConfigUpdate, param("Tier", tier.clone()))
        }
    };
    let error = world.update_fault(kind.as_str(), name).map(|rule| updates::error_of(&rule));
    let update = updates::begin(world, name, UpdatePart::ControlPlane, kind.clone(), params)?;
    let lag = Duration::from_secs(1 + world.random.below(5));
    let length = Duration::from_secs(30 + world.random.below(90));
    let fails = error.is_some();
    let cluster = named_mut(world, name)?;
    cluster.running =
        Some(Running { update: update.id.clone(), kind, to: None, visible_at: Some(later(now, lag)), error });
    if !fails {
        // What is changed is seen at once; that it is in force, when the update ends.
        match &request.change {
            ClusterConfigChange::UpgradePolicy(policy) => {
                cluster.cluster.support_type = Some(Written::with(policy.as_str(), Some(*policy)));
            }
            ClusterConfigChange::DeletionProtection(on) => cluster.cluster.deletion_protection = Some(*on),
            ClusterConfigChange::ZonalShift(on) => cluster.cluster.zonal_shift = Some(*on),
            ClusterConfigChange::Subnets(ids) => cluster.cluster.vpc.subnet_ids = ids.clone(),
            ClusterConfigChange::ControlPlaneTier(tier) => {
                cluster.cluster.control_plane_tier = Some(tier.clone());
            }
        }
    }
    after(world, length, Event::Config { cluster: name.clone(), update: update.id.clone() });
    Ok(update)
}

/// The subnets are there, in two zones at least, and in the cluster's VPC.
/// <https://docs.aws.amazon.com/eks/latest/userguide/network-reqs.html>
fn check_subnets(world: &World, name: &str, ids: &std::collections::BTreeSet<String>) -> Answer<()> {
    let vpc = super::named(&world.aws.eks, name)?.cluster.vpc.vpc_id.clone();
    let mut zones = std::collections::BTreeSet::new();
    for id in ids {
        match world.aws.ec2.subnets.get(id) {
            Some(known) if vpc.as_ref().is_none_or(|vpc| known.subnet.vpc_id == *vpc) => {
                zones.insert(known.subnet.availability_zone.clone());
            }
            Some(_) => return refuse("InvalidParameterException", format!("subnet {id} is in another VPC")),
            None => {
                return refuse("InvalidParameterException", format!("The subnet ID '{id}' does not exist"));
            }
        }
    }
    if zones.len() < 2 {
        return refuse(
            "InvalidParameterException",
            "Subnets specified must be in at least two different AZs",
        );
    }
    Ok(())
}

/// A change of a setting ends.
pub(crate) fn end(world: &mut World, name: &str, update: &str) {
    let Ok(cluster) = named_mut(world, name) else { return };
    let Some(running) = cluster.running.take_if(|running| running.update == update) else { return };
    updates::end(world, name, update, running.error);
}
