//! The faults of Kubernetes that a roller must survive, each played once: what is seen of it from outside, by the
//! traits alone, and that it ends. The numbers are those of the list of faults; those of AWS are in the files
//! beside this folder.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod actors;
mod deaths;
mod evictions;
mod nodes;
mod pods;
mod server;
mod volumes;

use std::time::Duration;

use eks_provider::kube::{
    EvictPod, EvictionOutcome, Node, NodeQuery, NodeReader, PageRequest, Pod, PodEvictor, PodQuery, PodReader,
};
use eks_sim::{Sim, World};

/// Six nodes of a group over three zones, with the core add-ons, and what is said of Kubernetes.
pub(crate) fn sim(kubernetes: &str) -> Sim {
    with_group("min: 3, max: 12, desired: 6", kubernetes)
}

pub(crate) fn with_group(sizes: &str, kubernetes: &str) -> Sim {
    let text = format!(
        "
scenario: 1
start: 2026-11-24T12:00:00Z
seed: 7
network:
  subnets:
    - {{ id: subnet-a, zone: eu-west-1a, cidr: 10.0.0.0/24 }}
    - {{ id: subnet-b, zone: eu-west-1b, cidr: 10.0.1.0/24 }}
    - {{ id: subnet-c, zone: eu-west-1c, cidr: 10.0.2.0/24 }}
clusters:
  - {{ name: shop, version: '1.34', addons: [{{ name: vpc-cni }}, {{ name: kube-proxy }}] }}
launchTemplates:
  - name: web
    versions:
      - {{ amiType: AL2023_x86_64_STANDARD, kubernetes: '1.34' }}
autoScalingGroups:
  - {{ name: web, cluster: shop, launchTemplate: {{ name: web, version: '1' }}, {sizes} }}
kubernetes:
{kubernetes}
"
    );
    let world = World::from_scenario(&text).unwrap_or_else(|error| panic!("{error}\n{text}"));
    Sim::new(world)
}

/// A Deployment of three with a budget that lets one go.
pub(crate) const WEB: &str = "
  workloads:
    - { kind: Deployment, namespace: shop, name: web, replicas: 3, cpu: 250m }
  budgets:
    - { namespace: shop, name: web, matchLabels: { app: web }, minAvailable: 2 }
";

pub(crate) fn run<T>(sim: &Sim, task: impl Future<Output = T>) -> T {
    sim.run(task).unwrap()
}

/// The Pods of a namespace whose names begin like this.
pub(crate) async fn pods(sim: &Sim, namespace: &str, name: &str) -> Vec<Pod> {
    let query = PodQuery { namespace: Some(namespace.to_owned()), ..PodQuery::default() };
    let mut found = sim.list_pods(&query, &PageRequest::first(1000)).await.unwrap().items;
    found.retain(|pod| pod.meta.name.starts_with(name));
    found
}

pub(crate) async fn pod(sim: &Sim, name: &str) -> Pod {
    pods(sim, "shop", name).await.remove(0)
}

pub(crate) async fn all_nodes(sim: &Sim) -> Vec<Node> {
    sim.list_nodes(&NodeQuery::default()).await.unwrap()
}

pub(crate) fn eviction(pod: &Pod) -> EvictPod {
    EvictPod {
        namespace: pod.meta.namespace.clone().unwrap(),
        name: pod.meta.name.clone(),
        uid: pod.meta.uid.clone(),
    }
}

pub(crate) async fn evict(sim: &Sim, pod: &Pod) -> EvictionOutcome {
    sim.evict_pod(&eviction(pod)).await.unwrap()
}

pub(crate) fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

pub(crate) fn minutes(minutes: u64) -> Duration {
    Duration::from_mins(minutes)
}
