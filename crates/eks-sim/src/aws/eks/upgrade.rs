//! The control plane, one minor up.

use std::time::Duration;

use eks_model::KubeMinor;
use eks_provider::aws::{
    ClusterStatus, InsightCategory, InsightStatus, Update, UpdateClusterVersion, UpdateError,
    UpdateErrorCode, UpdatePart, UpdateType,
};
use jiff::Timestamp;

use crate::World;
use crate::aws::call::{Answer, refuse};
use crate::aws::ec2::network::KnownSubnet;
use crate::aws::eks::{ClusterState, Event, after, insights, named, named_mut, updates, versions};
use crate::world::later;

/// An update of the control plane under way.
#[derive(Debug, Clone)]
pub(crate) struct Running {
    pub(crate) update: String,
    pub(crate) kind: UpdateType,
    /// For updates of the version: where to.
    pub(crate) to: Option<KubeMinor>,
    /// From when on the cluster says `UPDATING`; `None` while it does not (nodes of Auto Mode).
    pub(crate) visible_at: Option<Timestamp>,
    /// How it will fail, if it will.
    pub(crate) error: Option<UpdateError>,
}

/// How many free addresses EKS needs in the cluster's subnets, at most.
/// <https://docs.aws.amazon.com/eks/latest/userguide/update-cluster.html>
const ADDRESSES: u32 = 5;

/// Refuses when anything is under way. One update at a time: <https://docs.aws.amazon.com/eks/latest/APIReference/API_UpdateClusterVersion.html>
/// (`ResourceInUseException`); "other control plane updates are refused while a rollback runs".
pub(crate) fn at_rest<'w>(world: &'w World, name: &str) -> Answer<&'w ClusterState> {
    let cluster = named(&world.aws.eks, name)?;
    if let Some(running) = &cluster.running {
        return refuse(
            "ResourceInUseException",
            format!("Cannot update cluster {name}: it currently has update {} in progress", running.update),
        );
    }
    if cluster.cluster.status != ClusterStatus::Active {
        let message = format!("cluster {name} is {}", cluster.cluster.status);
        return refuse("ResourceInUseException", message);
    }
    Ok(cluster)
}

/// Starts an upgrade.
///
/// One minor at a time, to a version that EKS offers (`InvalidParameterException`); managed node groups within the skew that the
/// new version allows (`InvalidRequestException`); no insight of upgrade readiness with an error, unless forced
/// (`InvalidStateException`). <https://docs.aws.amazon.com/eks/latest/userguide/update-cluster.html>
pub(crate) fn start(world: &mut World, request: &UpdateClusterVersion) -> Answer<Update> {
    let now = world.now();
    let rules = world.aws.eks.rules;
    let cluster = at_rest(world, &request.cluster)?;
    let (from, to) = (cluster.cluster.version, request.version);
    if to == from {
        return refuse("InvalidParameterException", format!("The cluster is already at version {to}"));
    }
    if !versions::offered(to, now) {
        return refuse("InvalidParameterException", format!("unsupported Kubernetes version {to}"));
    }
    if to != from.next() {
        let message = format!("Unsupported Kubernetes minor version update from {from} to {to}");
        return refuse("InvalidParameterException", message);
    }
    if request.rollback_timeout.is_some() {
        return refuse("InvalidParameterException", "rollbackConfig is for version rollbacks");
    }
    let oldest = if rules.node_groups_must_match { from } else { eks_skew::oldest_kubelet(to) };
    let behind: Vec<String> = cluster
        .nodegroups
        .values()
        .filter(|known| known.minor().is_some_and(|minor| minor < oldest))
        .map(|known| known.nodegroup.name.clone())
        .collect();
    if !behind.is_empty() {
        let message = format!("Nodegroups {} must be updated to {oldest} or later first", behind.join(", "));
        return refuse("InvalidRequestException", message);
    }
    if rules.upgrade_insights_block && !request.force {
        blocked_by(cluster, &InsightCategory::UpgradeReadiness, to, &[InsightStatus::Error])?;
    }
    let params = vec![
        ("Version".to_owned(), to.to_string()),
        ("PlatformVersion".to_owned(), versions::platform(to, now)),
    ];
    let update =
        updates::begin(world, &request.cluster, UpdatePart::ControlPlane, UpdateType::VersionUpdate, params)?;
    go(world, &request.cluster, &update, to)?;
    Ok(update)
}

/// Refuses where an insight of a category stands in the way.
pub(crate) fn blocked_by(
    cluster: &ClusterState,
    category: &InsightCategory,
    version: KubeMinor,
    blocking: &[InsightStatus],
) -> Answer<()> {
    let names: Vec<&str> = cluster
        .insights
        .values()
        .map(|insight| &insight.summary)
        .filter(|summary| summary.category == *category && blocking.contains(&summary.status))
        .filter(|summary| {
            summary
                .kubernetes_version
                .as_ref()
                .is_none_or(|about| about.value().is_none_or(|minor| *minor == version))
        })
        .map(|summary| summary.name.as_str())
        .collect();
    if names.is_empty() {
        return Ok(());
    }
    let what = if *category == InsightCategory::RollbackReadiness { "Rollback" } else { "Upgrade" };
    refuse(
        "InvalidStateException",
        format!(
            "{what} readiness issues detected ({}). Resolve them, or pass force to override",
            names.join(", ")
        ),
    )
}

/// Sets an update of the version going: eight to twelve minutes, `UPDATING` seen a few seconds later, the API server away for a
/// moment when it changes.
pub(crate) fn go(world: &mut World, name: &str, update: &Update, to: KubeMinor) -> Answer<()> {
    let now = world.now();
    let error = failure(world, name, update.kind.as_str());
    let lag = Duration::from_secs(2 + world.random.below(20));
    let length = Duration::from_secs(480 + world.random.below(240));
    let away = Duration::from_secs(3 + world.random.below(8));
    let cluster = named_mut(world, name)?;
    let fails = error.is_some();
    cluster.running = Some(Running {
        update: update.id.clone(),
        kind: update.kind.clone(),
        to: Some(to),
        visible_at: Some(later(now, lag)),
        error,
    });
    if !fails {
        let change = length.mul_f64(0.7);
        after(world, change, Event::ApiAway(name.to_owned()));
        after(world, change + away, Event::ApiBack(name.to_owned(), to));
    }
    after(world, length, Event::ControlPlane { cluster: name.to_owned(), update: update.id.clone() });
    Ok(())
}

/// How an update of a control plane will fail: as a rule says, or for what is missing of its network.
fn failure(world: &mut World, name: &str, kind: &str) -> Option<UpdateError> {
    if let Some(rule) = world.update_fault(kind, name) {
        return Some(updates::error_of(&rule));
    }
    let vpc = &world.aws.eks.clusters.get(name)?.cluster.vpc;
    let ec2 = &world.aws.ec2;
    let error = |code, message: &str, ids: Vec<String>| {
        Some(UpdateError { code, message: message.to_owned(), resource_ids: ids })
    };
    let gone: Vec<String> =
        vpc.subnet_ids.iter().filter(|id| !ec2.subnets.contains_key(*id)).cloned().collect();
    if !gone.is_empty() {
        return error(
            UpdateErrorCode::SubnetNotFound,
            "One or more subnets of the cluster do not exist",
            gone,
        );
    }
    let gone: Vec<String> =
        vpc.security_group_ids.iter().filter(|id| !ec2.security_groups.contains_key(*id)).cloned().collect();
    if !gone.is_empty() {
        return error(
            UpdateErrorCode::SecurityGroupNotFound,
            "A security group of the cluster does not exist",
            gone,
        );
    }
    let free: u32 = vpc.subnet_ids.iter().filter_map(|id| ec2.subnets.get(id)).map(KnownSubnet::free).sum();
    if free < ADDRESSES {
        let ids = vpc.subnet_ids.iter().cloned().collect();
        let message = "The subnets of the cluster do not have enough free IP addresses";
        return error(UpdateErrorCode::IpNotAvailable, message, ids);
    }
    None
}

/// An update of the version ends. A failed one leaves the version as it was ("failed health checks revert it by themselves").
pub(crate) fn end(world: &mut World, name: &str, update: &str) {
    let now = world.now();
    let Ok(cluster) = named_mut(world, name) else { return };
    let Some(running) = cluster.running.take_if(|running| running.update == update) else { return };
    if running.error.is_none()
        && let Some(to) = running.to
    {
        cluster.cluster.version = to;
        cluster.cluster.platform_version = Some(versions::platform(to, now));
        let rollback = running.kind == UpdateType::VersionRollback;
        cluster.upgraded = (!rollback).then_some((now, false));
        if rollback {
            // There is no way back from a way back.
            cluster.created_version = to;
        }
    }
    updates::end(world, name, update, running.error);
    insights::look(world, name);
}
