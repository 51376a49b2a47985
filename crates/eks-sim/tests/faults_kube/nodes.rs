//! Nodes and who changes them: F9, F14, F18 (kubelet), F25.

use std::collections::BTreeSet;

use eks_provider::aws::{
    AutoScalingGroupQuery, AutoScalingGroupReader, AutoScalingInstanceWriter, TerminateInstance,
};
use eks_provider::kube::{
    ConditionStatus, EvictionOutcome, Node, NodePatch, NodeReader, NodeWriter, Pod, PodPhase, ServiceReader,
    condition,
};
use eks_provider::{Class, Clock};
use eks_sim::faults::{Faults, MachineRule, When};
use eks_sim::kube::{Deed, NodePick};
use eks_sim::{MachineFault, Sim};

use crate::{WEB, all_nodes, evict, minutes, pod, pods, run, seconds, sim};

async fn terminate(sim: &Sim, instance_id: &str) {
    let request = TerminateInstance {
        instance_id: instance_id.to_owned(),
        group: "web".to_owned(),
        decrement_desired_capacity: false,
    };
    sim.terminate_instance_in_auto_scaling_group(&request).await.unwrap();
}

/// The node that takes the place of another one, whose machine has this fault; none where none comes.
async fn replaced(sim: &Sim, fault: MachineFault) -> Option<Node> {
    let when = When { times: Some(1), ..When::default() };
    let rule = MachineRule { fault, group: None, image: None, when };
    sim.world().set_faults(Faults { machines: vec![rule], ..Faults::default() });
    let before = all_nodes(sim).await;
    let names: BTreeSet<String> = before.iter().map(|node| node.meta.name.clone()).collect();
    terminate(sim, before[0].instance_id().unwrap()).await;
    sim.sleep(minutes(5)).await;
    all_nodes(sim).await.into_iter().find(|node| !names.contains(&node.meta.name))
}

#[test]
fn f9_a_machine_never_joins_and_its_group_calls_it_in_service() {
    let sim = sim(WEB);
    run(&sim, async {
        assert_eq!(replaced(&sim, MachineFault::NeverJoins).await, None);
        let query = AutoScalingGroupQuery::named("web");
        let group = sim.describe_auto_scaling_groups(&query).await.unwrap().remove(0);
        assert_eq!((group.instances.len(), all_nodes(&sim).await.len()), (6, 5));
        // The next one is well.
        let nodes = all_nodes(&sim).await;
        let is_node = |id: &str| nodes.iter().any(|node| node.instance_id() == Some(id));
        let lost = group.instances.iter().find(|one| !is_node(&one.instance_id)).unwrap();
        terminate(&sim, &lost.instance_id).await;
        sim.sleep(minutes(5)).await;
        assert_eq!(all_nodes(&sim).await.iter().filter(|node| node.is_ready()).count(), 6, "it ends");
    });
}

#[test]
fn f9_a_node_that_is_never_ready_takes_no_pods() {
    let sim = sim(WEB);
    run(&sim, async {
        let node = replaced(&sim, MachineFault::NeverReady).await.unwrap();
        let ready = condition(&node.conditions, "Ready").unwrap();
        assert_eq!(
            (&ready.status, ready.reason.as_deref()),
            (&ConditionStatus::False, Some("KubeletNotReady"))
        );
        assert!(node.taint("node.kubernetes.io/not-ready").is_some());
        let all = pods(&sim, "shop", "web").await;
        assert!(all.iter().all(|pod| pod.spec.node_name.as_ref() != Some(&node.meta.name)));
        terminate(&sim, node.instance_id().unwrap()).await;
        sim.sleep(minutes(5)).await;
        assert!(all_nodes(&sim).await.iter().all(Node::is_ready), "it ends with its machine");
    });
}

#[test]
fn f9_a_node_without_a_pod_network_is_ready_and_its_pods_do_not_start() {
    let sim = sim("
  workloads:
    - { kind: DaemonSet, namespace: shop, name: log }");
    run(&sim, async {
        let node = replaced(&sim, MachineFault::NetworkDown).await.unwrap();
        assert!(node.is_ready(), "which is what makes it hard to see");
        let on_it = |all: Vec<Pod>| {
            all.into_iter().find(|pod| pod.spec.node_name.as_ref() == Some(&node.meta.name)).unwrap()
        };
        let network = on_it(pods(&sim, "kube-system", "aws-node").await);
        assert!(network.phase == PodPhase::Running && !network.is_ready(), "its network add-on crashes");
        assert_eq!(on_it(pods(&sim, "shop", "log").await).phase, PodPhase::Pending);
        terminate(&sim, node.instance_id().unwrap()).await;
        sim.sleep(minutes(5)).await;
        assert!(pods(&sim, "shop", "log").await.iter().all(Pod::is_ready), "it ends with its machine");
    });
}

#[test]
fn f9_a_node_that_flaps_takes_its_pods_in_and_out_of_readiness() {
    let sim = sim("
  workloads:
    - { kind: DaemonSet, namespace: shop, name: log }");
    run(&sim, async {
        let node = replaced(&sim, MachineFault::Flaps).await.unwrap();
        let mut seen = BTreeSet::new();
        for _ in 0..120 {
            let ready = sim.get_node(&node.meta.name).await.unwrap().is_ready();
            let all = pods(&sim, "shop", "log").await;
            let pod = all.iter().find(|pod| pod.spec.node_name.as_ref() == Some(&node.meta.name));
            seen.insert((ready, pod.is_some_and(Pod::is_ready)));
            sim.sleep(seconds(5)).await;
        }
        assert!(seen.contains(&(true, true)) && seen.contains(&(false, false)), "{seen:?}");
        terminate(&sim, node.instance_id().unwrap()).await;
        sim.sleep(minutes(5)).await;
        assert!(pods(&sim, "shop", "log").await.iter().all(Pod::is_ready), "it ends with its machine");
    });
}

#[test]
fn f14_a_person_uncordons_a_node_and_pods_come_back_to_it() {
    let sim = sim("
  workloads:
    - { kind: Deployment, namespace: shop, name: web, replicas: 12, cpu: 200m }");
    run(&sim, async {
        let node = all_nodes(&sim).await.remove(0);
        let on_it = async || {
            let all = pods(&sim, "shop", "web").await;
            all.into_iter()
                .filter(|pod| pod.spec.node_name.as_ref() == Some(&node.meta.name))
                .collect::<Vec<_>>()
        };
        sim.patch_node(&NodePatch::of(&node).cordon(true)).await.unwrap();
        for pod in on_it().await {
            assert_eq!(evict(&sim, &pod).await, EvictionOutcome::Accepted);
        }
        sim.sleep(minutes(1)).await;
        assert!(on_it().await.is_empty(), "cordoned, it stays empty");
        let uncordon = Deed::Cordon { node: NodePick::named(&node.meta.name), unschedulable: false };
        sim.world().person_does(&uncordon);
        assert!(!sim.get_node(&node.meta.name).await.unwrap().unschedulable);
        // The taint of the cordon goes a moment later. Whoever is evicted elsewhere then may come here.
        sim.sleep(minutes(1)).await;
        let elsewhere = pods(&sim, "shop", "web").await;
        for pod in elsewhere.iter().take(4) {
            assert_eq!(evict(&sim, pod).await, EvictionOutcome::Accepted);
        }
        sim.sleep(minutes(1)).await;
        assert!(!on_it().await.is_empty());
    });
}

#[test]
fn f14_a_person_deletes_the_object_of_a_node_and_its_pods_are_made_anew() {
    let sim = sim(WEB);
    run(&sim, async {
        let one = pod(&sim, "web").await;
        let name = one.spec.node_name.clone().unwrap();
        sim.world().person_does(&Deed::DeleteNode { node: NodePick::named(&name) });
        let error = sim.get_node(&name).await.unwrap_err();
        assert!(error.class() == Class::NotFound && error.target().contains(&name));
        let query = AutoScalingGroupQuery::named("web");
        let group = sim.describe_auto_scaling_groups(&query).await.unwrap().remove(0);
        assert_eq!(group.instances.len(), 6, "the instance runs on");
        sim.sleep(minutes(3)).await;
        let after = pods(&sim, "shop", "web").await;
        assert!(after.len() == 3 && after.iter().all(Pod::is_ready), "it ends");
        assert!(after.iter().all(|pod| pod.meta.uid != one.meta.uid));
    });
}

#[test]
fn f18_the_kubelet_is_unreachable_and_an_evicted_pod_stays_until_it_is_back() {
    let sim = sim(WEB);
    run(&sim, async {
        let one = pod(&sim, "web").await;
        let node = one.spec.node_name.clone().unwrap();
        sim.world().person_does(&Deed::SilenceNode { node: NodePick::named(&node), silent: true });
        sim.sleep(minutes(1)).await;
        let conditions = sim.get_node(&node).await.unwrap().conditions;
        assert_eq!(condition(&conditions, "Ready").unwrap().status, ConditionStatus::Unknown);
        // Not ready, and enough others are: it may go, and does not.
        assert_eq!(evict(&sim, &one).await, EvictionOutcome::Accepted);
        sim.sleep(minutes(20)).await;
        let stuck = pods(&sim, "shop", &one.meta.name).await;
        assert!(stuck[0].meta.is_terminating() && stuck[0].meta.uid == one.meta.uid);
        assert_eq!(pods(&sim, "shop", "web").await.len(), 4, "its successor runs elsewhere");
        sim.world().person_does(&Deed::SilenceNode { node: NodePick::named(&node), silent: false });
        sim.sleep(seconds(30)).await;
        assert_eq!(pods(&sim, "shop", "web").await.len(), 3, "it ends");
        assert!(sim.get_node(&node).await.unwrap().is_ready());
    });
}

#[test]
fn f25_a_node_that_is_drained_has_no_local_endpoint_left_which_load_balancers_see() {
    let sim = sim("
  workloads:
    - { kind: Deployment, namespace: shop, name: web, replicas: 6, endsAfterSeconds: 20 }
  services:
    - { namespace: shop, name: web, type: LoadBalancer, selector: { app: web }, externalTrafficPolicy: Local }");
    run(&sim, async {
        let node = all_nodes(&sim).await.remove(0);
        let here = async || {
            let all = sim.list_endpoints("shop", "web").await.unwrap();
            let of_it = all.iter().filter(|one| one.node_name.as_ref() == Some(&node.meta.name));
            of_it.map(|one| (one.ready, one.terminating)).collect::<Vec<_>>()
        };
        assert_eq!(here().await, [(true, false)]);
        sim.patch_node(&NodePatch::of(&node).cordon(true)).await.unwrap();
        for pod in pods(&sim, "shop", "web").await {
            if pod.spec.node_name.as_ref() == Some(&node.meta.name) {
                assert_eq!(evict(&sim, &pod).await, EvictionOutcome::Accepted);
            }
        }
        assert_eq!(here().await, [(false, true)], "it ends what it has, and takes nothing new");
        sim.sleep(seconds(45)).await;
        assert_eq!(here().await, []);
        let all = sim.list_endpoints("shop", "web").await.unwrap();
        assert_eq!(all.iter().filter(|one| one.ready).count(), 6, "the others serve");
        let service = sim.get_service("shop", "web").await.unwrap();
        assert_eq!(service.external_traffic_policy.as_deref(), Some("Local"));
    });
}
