//! Target groups: who gets traffic, and for how long after it was taken out.

use std::collections::BTreeSet;
use std::time::Duration;

use async_trait::async_trait;
use eks_provider::Result;
use eks_provider::aws::{
    ClassicInstanceState, TargetGroup, TargetGroupQuery, TargetHealth, TargetReader, TargetState,
};
use jiff::Timestamp;

use crate::aws::call::refuse;
use crate::world::later;
use crate::{Sim, World};

/// How long a new target is asked for its health before it gets traffic: three checks, ten seconds apart. The
/// real time follows from the settings of the target group, which are not modelled.
const INITIAL: Duration = Duration::from_secs(30);

/// The delay that a target group has unless something else is said.
/// <https://docs.aws.amazon.com/elasticloadbalancing/latest/network/edit-target-group-attributes.html#deregistration-delay>
pub(crate) const DEREGISTRATION_DELAY: Duration = Duration::from_mins(5);

/// A target of a target group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Target {
    since: Timestamp,
    zone: String,
    /// Taken out at this moment.
    out_since: Option<Timestamp>,
    pub(crate) unhealthy: bool,
    /// Never leaves `draining` (F21).
    pub(crate) stuck: bool,
}

/// Puts an instance into target groups.
pub(crate) fn register(world: &mut World, target_groups: &BTreeSet<String>, instance: &str, zone: &str) {
    let target =
        Target { since: world.now(), zone: zone.to_owned(), out_since: None, unhealthy: false, stuck: false };
    for arn in target_groups {
        world.aws.ec2.targets.insert((arn.clone(), instance.to_owned()), target.clone());
    }
}

/// Takes an instance out of target groups. How long it may end what is open.
pub(crate) fn deregister(world: &mut World, target_groups: &BTreeSet<String>, instance: &str) -> Duration {
    let now = world.now();
    let mut longest = Duration::ZERO;
    for arn in target_groups {
        if let Some(target) = world.aws.ec2.targets.get_mut(&(arn.clone(), instance.to_owned())) {
            target.out_since.get_or_insert(now);
            let delay = world.aws.ec2.target_groups.get(arn).and_then(|group| group.deregistration_delay);
            longest = longest.max(delay.unwrap_or(DEREGISTRATION_DELAY));
        }
    }
    longest
}

impl Target {
    fn health(&self, delay: Duration, now: Timestamp) -> Option<(TargetState, Option<&'static str>)> {
        if let Some(out) = self.out_since {
            let draining = self.stuck || now < later(out, delay);
            return draining.then_some((TargetState::Draining, Some("Target.DeregistrationInProgress")));
        }
        Some(if now < later(self.since, INITIAL) {
            (TargetState::Initial, Some("Elb.RegistrationInProgress"))
        } else if self.unhealthy {
            (TargetState::Unhealthy, Some("Target.FailedHealthChecks"))
        } else {
            (TargetState::Healthy, None)
        })
    }
}

#[async_trait]
impl TargetReader for Sim {
    async fn describe_target_groups(&self, query: &TargetGroupQuery) -> Result<Vec<TargetGroup>> {
        self.read("elasticloadbalancing:DescribeTargetGroups", "target groups", |view| {
            let wanted =
                |group: &&TargetGroup| query.arns.as_ref().is_none_or(|arns| arns.contains(&group.arn));
            Ok(view.aws.ec2.target_groups.values().filter(wanted).cloned().collect())
        })
        .await
    }

    async fn describe_target_health(&self, target_group_arn: &str) -> Result<Vec<TargetHealth>> {
        let target = format!("target group {target_group_arn}");
        self.read("elasticloadbalancing:DescribeTargetHealth", target, |view| {
            let Some(group) = view.aws.ec2.target_groups.get(target_group_arn) else {
                return refuse("TargetGroupNotFound", "One or more target groups not found");
            };
            let delay = group.deregistration_delay.unwrap_or(DEREGISTRATION_DELAY);
            let targets = view.aws.ec2.targets.iter().filter(|((arn, _), _)| arn == target_group_arn);
            let health = targets.filter_map(|((_, id), target)| {
                let (state, reason) = target.health(delay, view.now)?;
                Some(TargetHealth {
                    target_id: id.clone(),
                    port: Some(30_080),
                    availability_zone: Some(target.zone.clone()),
                    state,
                    reason: reason.map(str::to_owned),
                })
            });
            Ok(health.collect())
        })
        .await
    }

    async fn describe_instance_health(&self, load_balancer: &str) -> Result<Vec<ClassicInstanceState>> {
        let target = format!("load balancer {load_balancer}");
        self.read("elasticloadbalancing:DescribeInstanceHealth", target, |_| {
            refuse("AccessPointNotFound", format!("There is no ACTIVE Load Balancer named '{load_balancer}'"))
        })
        .await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_is_initial_then_healthy_and_drains_for_the_delay() {
        let start = Timestamp::UNIX_EPOCH;
        let at = |seconds| later(start, Duration::from_secs(seconds));
        let delay = Duration::from_mins(5);
        let mut target =
            Target { since: start, zone: String::new(), out_since: None, unhealthy: false, stuck: false };
        let state = |target: &Target, seconds| target.health(delay, at(seconds)).map(|(state, _)| state);
        assert_eq!(state(&target, 0), Some(TargetState::Initial));
        assert_eq!(state(&target, 30), Some(TargetState::Healthy));
        target.unhealthy = true;
        assert_eq!(state(&target, 30), Some(TargetState::Unhealthy));
        target.out_since = Some(at(100));
        assert_eq!(state(&target, 399), Some(TargetState::Draining));
        assert_eq!(state(&target, 400), None);
        target.stuck = true;
        assert_eq!(state(&target, 100_000), Some(TargetState::Draining));
    }
}
