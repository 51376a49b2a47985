//! What the tests share: a world with one group, and short ways to look at it.
#![allow(
    dead_code,
    clippy::unwrap_used,
    reason = "each test file uses some of it, and all of them may panic"
)]

pub(crate) mod calls;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use eks_provider::aws::{
    AutoScalingGroup, AutoScalingGroupQuery, AutoScalingGroupReader, AutoScalingInstance,
    AutoScalingInstanceWriter, LaunchInstances, LaunchRetryStrategy, LifecycleState, NetworkQuery,
    NetworkReader, ScalingProcess, TerminateInstance, Update, UpdateReader, UpdateScope, UpdateStatus,
};
use eks_provider::kube::{Node, NodeQuery, NodeReader};
use eks_provider::{Clock, Token};
use eks_sim::aws::Pick;
use eks_sim::{Sim, World};

/// Three zones and a group `web`, with more said of it.
pub(crate) fn scenario(group: &str, more: &str) -> String {
    format!(
        "
scenario: 1
start: 2026-11-24T12:00:00Z
seed: 7
network:
  subnets:
    - {{ id: subnet-a, zone: eu-west-1a, cidr: 10.0.0.0/24 }}
    - {{ id: subnet-b, zone: eu-west-1b, cidr: 10.0.1.0/24 }}
    - {{ id: subnet-c, zone: eu-west-1c, cidr: 10.0.2.0/24 }}
targetGroups: [{{ name: web }}]
clusters:
  - {{ name: shop, version: '1.34' }}
launchTemplates:
  - name: web
    versions:
      - {{ amiType: AL2023_x86_64_STANDARD, kubernetes: '1.34', outdated: true, keyName: ada }}
      - {{ amiType: AL2023_x86_64_STANDARD, kubernetes: '1.34', keyName: ada }}
autoScalingGroups:
  - {{ name: web, cluster: shop, launchTemplate: {{ name: web, version: '$Default' }}, {group} }}
{more}
"
    )
}

/// Six instances, between three and nine.
pub(crate) const SIX: &str = "min: 3, max: 9, desired: 6";

pub(crate) fn sim(group: &str, more: &str) -> Sim {
    Sim::new(World::from_scenario(&scenario(group, more)).unwrap())
}

/// Runs a task to its end.
pub(crate) fn run<T>(sim: &Sim, task: impl Future<Output = T>) -> T {
    sim.run(task).unwrap()
}

pub(crate) async fn group(sim: &Sim) -> AutoScalingGroup {
    sim.describe_auto_scaling_groups(&AutoScalingGroupQuery::named("web")).await.unwrap().remove(0)
}

pub(crate) fn in_service(group: &AutoScalingGroup) -> Vec<&AutoScalingInstance> {
    group.instances.iter().filter(|one| one.lifecycle_state == LifecycleState::InService).collect()
}

pub(crate) fn by_zone(group: &AutoScalingGroup) -> BTreeMap<String, usize> {
    let mut zones = BTreeMap::new();
    for one in in_service(group) {
        *zones.entry(one.availability_zone.clone()).or_default() += 1;
    }
    zones
}

pub(crate) fn ids(group: &AutoScalingGroup) -> BTreeSet<String> {
    in_service(group).iter().map(|one| one.instance_id.clone()).collect()
}

pub(crate) async fn free(sim: &Sim) -> u32 {
    let subnets = sim.describe_subnets(&NetworkQuery::default()).await.unwrap();
    subnets.iter().map(|subnet| subnet.available_ip_address_count).sum()
}

pub(crate) fn minutes(count: u64) -> Duration {
    Duration::from_mins(count)
}

pub(crate) fn terminate(id: &str, decrement: bool) -> TerminateInstance {
    TerminateInstance {
        instance_id: id.to_owned(),
        group: "web".to_owned(),
        decrement_desired_capacity: decrement,
    }
}

pub(crate) fn launch(zone: &str, count: u32, step: &str) -> LaunchInstances {
    LaunchInstances {
        group: "web".to_owned(),
        availability_zone: zone.to_owned(),
        subnet_id: None,
        count,
        retry_strategy: LaunchRetryStrategy::None,
        token: Token::derive("run", step),
    }
}

pub(crate) fn processes(words: &[&str]) -> BTreeSet<ScalingProcess> {
    words.iter().map(|word| ScalingProcess::from(*word)).collect()
}

/// The nth instance of the group, the oldest first.
pub(crate) fn pick(nth: usize) -> Pick {
    Pick { group: "web".to_owned(), zone: None, nth }
}

/// Waits for the end of an update.
pub(crate) async fn end_of(sim: &Sim, scope: &UpdateScope, id: &str) -> Update {
    loop {
        let update = sim.describe_update(scope, id).await.unwrap();
        if update.status != UpdateStatus::InProgress {
            return update;
        }
        sim.sleep(Duration::from_secs(10)).await;
    }
}

/// A world with the group and a cluster that its machines join.
pub(crate) fn in_group(more: &str) -> Sim {
    sim(&format!("{SIX}, {more}"), "kubernetes: {}")
}

/// The node of an instance.
pub(crate) async fn node_of(sim: &Sim, instance: &str) -> Option<Node> {
    let nodes = sim.list_nodes(&NodeQuery::default()).await.unwrap();
    nodes.into_iter().find(|node| node.instance_id() == Some(instance))
}

/// Starts an instance, and waits.
pub(crate) async fn started(sim: &Sim, zone: &str, wait: u64) -> String {
    let outcome = sim.launch_instances(&launch(zone, 1, zone)).await.unwrap();
    sim.sleep(minutes(wait)).await;
    outcome.instance_ids.into_iter().next().unwrap()
}
