//! Tests of the Kubernetes half, through the traits where there is one.

mod budgets;
mod evictions;
mod lifecycle;
mod properties;

use std::collections::BTreeMap;
use std::time::Duration;

use eks_provider::Clock;
use eks_provider::kube::{
    EvictPod, EvictionOutcome, Node, NodeQuery, NodeReader, Page, PageRequest, Pod, PodEvictor, PodQuery,
    PodReader,
};

use super::scenario::{Scenario, apply};
use crate::bridge::Machine;
use crate::{Sim, World};

pub(super) const ZONES: [&str; 3] = ["eu-west-1a", "eu-west-1b", "eu-west-1c"];

/// A machine of 4 CPUs and 16 GiB, in the zone of its number.
pub(super) fn machine(number: usize) -> Machine {
    Machine {
        instance_id: format!("i-{number:017x}"),
        cluster: "shop".to_owned(),
        node_name: format!("ip-10-0-{}-{}.eu-west-1.compute.internal", number / 256, number % 256),
        zone: ZONES[number % 3].to_owned(),
        region: "eu-west-1".to_owned(),
        instance_type: "m7i.xlarge".to_owned(),
        image_id: "ami-1".to_owned(),
        kubelet: "1.34.2".parse().unwrap(),
        cpu_milli: 4000,
        memory: 16 << 30,
        pods: 58,
        address: format!("10.0.{}.{}", number / 256, number % 256),
        labels: BTreeMap::new(),
        taints: Vec::new(),
        group: Some("web".to_owned()),
        fault: None,
    }
}

/// A world with so many nodes, a scenario applied to it, and two minutes later.
pub(super) fn world(machines: usize, scenario: &str) -> World {
    let mut world = World::new("2026-11-24T12:00:00Z".parse().unwrap(), 7);
    let scenario: Scenario = serde_json::from_str(scenario).unwrap();
    for addon in ["vpc-cni", "kube-proxy"] {
        super::install_addon(&mut world, addon, "v1");
    }
    for number in 0..machines {
        super::machine_started(&mut world, machine(number));
    }
    pass(&mut world, 180);
    apply(&mut world, &scenario).unwrap();
    pass(&mut world, 120);
    world
}

pub(super) fn pass(world: &mut World, seconds: u64) {
    let to = world.now().checked_add(Duration::from_secs(seconds)).unwrap();
    world.advance_to(to);
}

/// Runs a task on a world to its end.
pub(super) fn run<T>(sim: &Sim, task: impl Future<Output = T>) -> T {
    sim.run(task).unwrap()
}

pub(super) async fn pods(sim: &Sim, namespace: &str) -> Vec<Pod> {
    let query = PodQuery { namespace: Some(namespace.to_owned()), ..PodQuery::default() };
    let page: Page<Pod> = sim.list_pods(&query, &PageRequest::first(10_000)).await.unwrap();
    page.items
}

pub(super) async fn nodes(sim: &Sim) -> Vec<Node> {
    sim.list_nodes(&NodeQuery::default()).await.unwrap()
}

pub(super) fn request(pod: &Pod) -> EvictPod {
    EvictPod {
        namespace: pod.meta.namespace.clone().unwrap(),
        name: pod.meta.name.clone(),
        uid: pod.meta.uid.clone(),
    }
}

const WEB: &str = r#"{
    "workloads": [{"kind": "Deployment", "namespace": "shop", "name": "web", "replicas": 3, "cpu": "500m"}],
    "budgets": [{"namespace": "shop", "name": "web", "matchLabels": {"app": "web"}, "minAvailable": 2}]
}"#;

#[test]
fn a_kubelet_says_its_version_as_the_images_of_eks_do() {
    let kubelet =
        |version: &str| Machine { kubelet: version.parse().unwrap(), ..machine(0) }.kubelet_version();
    assert_eq!(kubelet("1.34"), "v1.34.0-eks-5e0fdde");
    assert_eq!(kubelet("1.34.2"), "v1.34.2-eks-5e0fdde");
    assert_eq!(kubelet("1.34.2-eks-1"), "v1.34.2-eks-1");
}

#[test]
fn machines_become_nodes_and_a_deployment_runs_on_them() {
    let sim = Sim::new(world(3, WEB));
    run(&sim, async {
        let nodes = nodes(&sim).await;
        assert_eq!(nodes.len(), 3);
        for node in &nodes {
            assert!(node.is_ready() && node.taints.is_empty(), "{node:?}");
            assert_eq!(node.info.kubelet_version.text(), "v1.34.2-eks-5e0fdde");
            assert!(node.instance_id().is_some());
        }
        let pods = pods(&sim, "shop").await;
        assert_eq!(pods.len(), 3);
        assert!(pods.iter().all(Pod::is_ready));
        let zones: std::collections::BTreeSet<_> =
            pods.iter().map(|pod| pod.spec.node_name.clone().unwrap()).collect();
        assert_eq!(zones.len(), 3, "spread over the zones");
    });
}

#[test]
fn an_eviction_is_answered_by_the_budget_and_the_pod_is_made_anew() {
    let sim = Sim::new(world(3, WEB));
    run(&sim, async {
        let before = pods(&sim, "shop").await;
        assert_eq!(sim.evict_pod(&request(&before[0])).await.unwrap(), EvictionOutcome::Accepted);
        let EvictionOutcome::Blocked { budget, message, retry_after } =
            sim.evict_pod(&request(&before[1])).await.unwrap()
        else {
            panic!("the budget allows one");
        };
        assert_eq!(budget.as_deref(), Some("web"));
        assert_eq!(message, "The disruption budget web needs 2 healthy pods and has 3 currently");
        assert_eq!(retry_after, Some(Duration::ZERO));
        sim.sleep(Duration::from_mins(2)).await;
        let after = pods(&sim, "shop").await;
        assert!(after.len() == 3 && after.iter().all(Pod::is_ready));
        assert!(after.iter().all(|pod| pod.meta.uid != before[0].meta.uid));
    });
    let world = sim.world();
    let record = world.observer().budget_named("shop", "web").unwrap();
    assert_eq!((record.evictions, record.broken_by_eviction, record.least_margin), (1, 0, Some(0)));
}
