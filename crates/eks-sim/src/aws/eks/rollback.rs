//! The control plane, one minor back, and what can be cancelled of that.

use std::time::Duration;

use eks_model::SupportType;
use eks_provider::aws::{
    CancelUpdate, CancellationStatus, InsightCategory, InsightStatus, Update, UpdateClusterVersion,
    UpdatePart, UpdateStatus, UpdateType,
};
use eks_skew::{NoWayBack, Rollback, RollbackFacts};

use crate::World;
use crate::aws::call::{Answer, refuse};
use crate::aws::eks::upgrade::{self, Running};
use crate::aws::eks::{ClusterState, Event, after, named, named_mut, updates, versions};

/// Starts a rollback.
///
/// One minor down, within seven days of the end of an upgrade in place, and only where nothing of `eks_skew::rollback` stands
/// against it; `force` does not help there. Insights of rollback readiness with an error, or unknown, block unless forced.
/// <https://docs.aws.amazon.com/eks/latest/userguide/rollback-cluster.html>
pub(crate) fn start(world: &mut World, request: &UpdateClusterVersion) -> Answer<Update> {
    let now = world.now();
    let cluster = upgrade::at_rest(world, &request.cluster)?;
    let (from, to) = (cluster.cluster.version, request.version);
    if Some(to) != from.previous() {
        let message = format!("Unsupported Kubernetes minor version update from {from} to {to}");
        return refuse("InvalidParameterException", message);
    }
    if let Some(timeout) = request.rollback_timeout {
        let minutes = timeout.as_secs() / 60;
        if !(120..=10_080).contains(&minutes) {
            return refuse("InvalidParameterException", "timeoutMinutes is between 120 and 10080");
        }
    }
    if let Rollback::Closed { reasons } = eks_skew::rollback(&facts(cluster, now), now) {
        let words: Vec<&str> = reasons.into_iter().map(words).collect();
        return refuse("InvalidRequestException", format!("Cannot roll back to {to}: {}", words.join("; ")));
    }
    if !request.force {
        let blocking = [InsightStatus::Error, InsightStatus::Unknown];
        upgrade::blocked_by(cluster, &InsightCategory::RollbackReadiness, to, &blocking)?;
    }
    let auto = cluster.cluster.auto_mode.as_ref().is_some_and(|auto| auto.compute);
    let params = vec![
        ("Version".to_owned(), to.to_string()),
        ("PlatformVersion".to_owned(), versions::platform(to, now)),
    ];
    let kind = UpdateType::VersionRollback;
    let update = updates::begin(world, &request.cluster, UpdatePart::ControlPlane, kind.clone(), params)?;
    if auto {
        // Auto Mode: nodes first, and the cluster stays ACTIVE meanwhile.
        let timeout = request.rollback_timeout.unwrap_or(Duration::from_hours(12));
        let wait = Duration::from_secs(1200 + world.random.below(2400)).min(timeout);
        named_mut(world, &request.cluster)?.running =
            Some(Running { update: update.id.clone(), kind, to: Some(to), visible_at: None, error: None });
        after(world, wait, Event::NodesBack { cluster: request.cluster.clone(), update: update.id.clone() });
    } else {
        upgrade::go(world, &request.cluster, &update, to)?;
    }
    Ok(update)
}

/// What decides on the way back.
pub(crate) fn facts(cluster: &ClusterState, now: jiff::Timestamp) -> RollbackFacts {
    let current = cluster.cluster.version;
    RollbackFacts {
        current,
        created_at: Some(cluster.created_version),
        upgrade_ended: cluster.upgraded.map(|(ended, _)| ended),
        forced_by_end_of_support: cluster.upgraded.is_some_and(|(_, forced)| forced),
        policy: cluster
            .cluster
            .support_type
            .as_ref()
            .and_then(|policy| policy.value().copied())
            .unwrap_or(SupportType::Extended),
        support_of_previous: versions::support(current.previous().unwrap_or(current), now),
    }
}

fn words(reason: NoWayBack) -> &'static str {
    match reason {
        NoWayBack::NeverUpgraded => "the cluster was not upgraded",
        NoWayBack::CreatedHere => "the cluster was created at this version",
        NoWayBack::WindowOver => "the upgrade ended more than 7 days ago",
        NoWayBack::ForcedByEndOfSupport => "the cluster was upgraded at the end of extended support",
        NoWayBack::PreviousUnsupported => "the previous version is not supported",
        NoWayBack::PolicyForbidsExtended => {
            "the previous version is in extended support and the upgrade policy is STANDARD"
        }
    }
}

/// The nodes of Auto Mode are back; the control plane follows.
pub(crate) fn nodes_back(world: &mut World, name: &str, update: &str) {
    let Ok(cluster) = named_mut(world, name) else { return };
    let Some(running) = cluster.running.take_if(|running| running.update == update) else { return };
    if let (Some(to), Some(update)) = (running.to, updates::get(world, name, update)) {
        // The cluster was there a moment ago.
        let _ = upgrade::go(world, name, &update, to);
    }
}

/// Cancels an update: a `VersionRollback` of an Auto Mode cluster while its nodes are rolled back, and nothing else.
/// <https://docs.aws.amazon.com/eks/latest/userguide/rollback-automode.html>
pub(crate) fn cancel(world: &mut World, request: &CancelUpdate) -> Answer<Update> {
    let cluster = named(&world.aws.eks, &request.cluster)?;
    let recorded = cluster.updates.iter().find(|one| one.update.id == request.update_id);
    let Some(update) = recorded.map(|recorded| recorded.update.clone()) else {
        return refuse("ResourceNotFoundException", format!("No update found for ID: {}", request.update_id));
    };
    if update.status != UpdateStatus::InProgress {
        return refuse("InvalidRequestException", format!("update {} is {}", update.id, update.status));
    }
    let nodes = cluster.running.as_ref().is_some_and(|running| {
        running.update == update.id
            && running.kind == UpdateType::VersionRollback
            && running.visible_at.is_none()
    });
    if !nodes {
        return refuse("InvalidRequestException", format!("update {} cannot be cancelled", update.id));
    }
    named_mut(world, &request.cluster)?.running = None;
    updates::change(world, &request.cluster, &update.id, |update| {
        update.status = UpdateStatus::Cancelled;
        update.cancellation = Some((CancellationStatus::Successful, None));
    });
    match updates::get(world, &request.cluster, &update.id) {
        Some(update) => Ok(update),
        None => refuse("ResourceNotFoundException", request.update_id.clone()),
    }
}
