//! Machines that fail, nodes that fall silent, volumes that follow their Pods.

use std::time::Duration;

use eks_provider::Clock;
use eks_provider::kube::{
    Condition, ConditionStatus, LeaseReader, Node, NodeReader, Pod, PodEvictor, TaintEffect, VolumeReader,
    condition,
};

use super::{WEB, machine, pass, pods, request, run, world};
use crate::bridge::MachineFault;
use crate::kube::{Deed, NodePick};
use crate::{Sim, World};

fn ready(node: &Node) -> ConditionStatus {
    condition(&node.conditions, "Ready").map(|ready: &Condition| ready.status.clone()).unwrap()
}

async fn on(sim: &Sim, number: usize) -> Node {
    sim.get_node(&machine(number).node_name).await.unwrap()
}

#[test]
fn machines_fail_in_their_own_ways() {
    let mut world = world(0, "{}");
    let faults = [MachineFault::NeverJoins, MachineFault::NeverReady, MachineFault::NetworkDown];
    for (number, fault) in faults.into_iter().enumerate() {
        crate::kube::machine_started(&mut world, crate::Machine { fault: Some(fault), ..machine(number) });
    }
    pass(&mut world, 600);
    let sim = Sim::new(world);
    run(&sim, async {
        assert!(sim.get_node(&machine(0).node_name).await.is_err());
        assert_eq!(ready(&on(&sim, 1).await), ConditionStatus::False);
        // Ready, but its network add-on never is.
        assert_eq!(ready(&on(&sim, 2).await), ConditionStatus::True);
        let network = pods(&sim, "kube-system").await;
        let network = network.iter().find(|pod| {
            pod.meta.name.starts_with("aws-node") && pod.spec.node_name == Some(machine(2).node_name)
        });
        assert!(!network.unwrap().is_ready());
    });
}

#[test]
fn a_kubelet_that_flaps_is_ready_and_not() {
    let mut world = world(0, "{}");
    let flapping = crate::Machine { fault: Some(MachineFault::Flaps), ..machine(0) };
    crate::kube::machine_started(&mut world, flapping);
    let mut seen = std::collections::BTreeSet::new();
    for _ in 0..120 {
        pass(&mut world, 10);
        if let Some(node) = world.kube.nodes.values().next() {
            seen.insert(node.object.is_ready());
        }
    }
    assert_eq!(seen.len(), 2);
}

#[test]
fn a_machine_that_stops_is_noticed_after_forty_seconds_and_its_pods_after_five_minutes() {
    let mut world = world(3, WEB);
    crate::kube::machine_stopped(&mut world, &machine(0).instance_id);
    assert_eq!(world.observer().lost_pods.len(), 1, "one Pod of three ran there");
    let sim = Sim::new(world);
    run(&sim, async {
        let victim =
            |pods: &[Pod]| pods.iter().find(|pod| pod.spec.node_name == Some(machine(0).node_name)).cloned();
        sim.sleep(Duration::from_secs(39)).await;
        assert_eq!(ready(&on(&sim, 0).await), ConditionStatus::True);
        assert!(victim(&pods(&sim, "shop").await).unwrap().is_ready(), "nobody knows yet");
        sim.sleep(Duration::from_secs(2)).await;
        let node = on(&sim, 0).await;
        assert_eq!(ready(&node), ConditionStatus::Unknown);
        let effects: Vec<_> = node
            .taints
            .iter()
            .filter(|taint| taint.key == "node.kubernetes.io/unreachable")
            .map(|taint| taint.effect.clone())
            .collect();
        assert_eq!(effects, [TaintEffect::NoSchedule, TaintEffect::NoExecute]);
        assert!(!victim(&pods(&sim, "shop").await).unwrap().is_ready());
        let lease = sim.get_lease("kube-node-lease", &machine(0).node_name).await.unwrap();
        assert!(sim.now().duration_since(lease.renew_time.unwrap()).as_secs() >= 40);
        sim.sleep(Duration::from_secs(298)).await;
        assert!(!victim(&pods(&sim, "shop").await).unwrap().meta.is_terminating());
        sim.sleep(Duration::from_secs(4)).await;
        let all = pods(&sim, "shop").await;
        assert!(victim(&all).unwrap().meta.is_terminating(), "and stays so: no kubelet ends it");
        assert_eq!(all.len(), 4, "its successor is made at once");
    });
    let mut world = sim.world();
    crate::kube::machine_gone(&mut world, &machine(0).instance_id);
    pass(&mut world, 70);
    assert!(world.kube.node_named(&machine(0).node_name).is_none());
    assert_eq!(world.kube.pod_names["shop"].len(), 3, "collected with its node");
    assert_eq!(world.observer().taint_evictions, 1);
}

#[test]
fn a_node_that_speaks_again_in_time_keeps_its_pods() {
    let mut world = world(3, WEB);
    let silence = |silent| Deed::SilenceNode { node: NodePick::named(machine(0).node_name), silent };
    crate::kube::actors::person::does(&mut world, &silence(true));
    pass(&mut world, 120);
    let healthy = |world: &World| world.kube.budgets.values().next().unwrap().healthy;
    assert_eq!(healthy(&world), 2);
    crate::kube::actors::person::does(&mut world, &silence(false));
    pass(&mut world, 600);
    assert_eq!(healthy(&world), 3);
    assert_eq!((world.observer().taint_evictions, world.observer().lost_pods.len()), (0, 0));
    assert!(world.kube.nodes.values().all(|node| node.object.taints.is_empty()));
}

const DB: &str = r#"{"workloads": [
    {"kind": "StatefulSet", "namespace": "shop", "name": "db", "replicas": 3, "storage": "10Gi",
     "endsAfterSeconds": 5}
]}"#;

#[test]
fn a_stateful_pod_comes_back_under_its_name_in_its_zone_after_its_volume() {
    let sim = Sim::new(world(6, DB));
    run(&sim, async {
        let before = pods(&sim, "shop").await;
        assert_eq!(
            before.iter().map(|pod| pod.meta.name.as_str()).collect::<Vec<_>>(),
            ["db-0", "db-1", "db-2"]
        );
        assert!(before.iter().all(Pod::is_ready));
        assert_eq!(sim.list_volume_attachments().await.unwrap().len(), 3);
        let sim = &sim;
        let zone = async |name: &str| sim.get_node(name).await.unwrap().zone().map(ToOwned::to_owned);
        let old_node = before[1].spec.node_name.clone().unwrap();
        let old_zone = zone(&old_node).await;
        let node = sim.get_node(&old_node).await.unwrap();
        assert_eq!(node.volumes_attached.len(), 1);
        // It is not to come back to the same node.
        let cordon = eks_provider::kube::NodePatch::of(&node).cordon(true);
        eks_provider::kube::NodeWriter::patch_node(sim, &cordon).await.unwrap();
        sim.evict_pod(&request(&before[1])).await.unwrap();
        sim.sleep(Duration::from_secs(2)).await;
        let during = pods(sim, "shop").await;
        assert_eq!(during.len(), 3, "no second db-1 while the first ends");
        assert!(during[1].meta.is_terminating() && during[1].meta.uid == before[1].meta.uid);
        sim.sleep(Duration::from_mins(2)).await;
        let after = pods(sim, "shop").await;
        assert!(after[1].is_ready() && after[1].meta.uid != before[1].meta.uid);
        let new_node = after[1].spec.node_name.clone().unwrap();
        assert_ne!(new_node, old_node);
        assert_eq!(zone(&new_node).await, old_zone);
        let attachments = sim.list_volume_attachments().await.unwrap();
        assert_eq!(attachments.len(), 3);
        assert!(attachments.iter().any(|one| one.node_name == new_node && one.attached));
        assert!(attachments.iter().all(|one| one.node_name != old_node));
    });
}

#[test]
fn the_volume_of_a_machine_that_was_lost_waits_six_minutes() {
    let mut world = world(6, DB);
    let pod = world.kube.pod_named("shop", "db-0").unwrap();
    let node = world.kube.pods[&pod].node.unwrap();
    let instance = world.kube.nodes[&node].instance_id.clone();
    world.lose_machine(&instance);
    // The node goes with the cloud controller, the Pod a minute later; the volume stays attached.
    pass(&mut world, 300);
    let again = world.kube.pod_named("shop", "db-0").unwrap();
    assert_ne!(again, pod);
    assert_eq!(world.kube.pods[&again].stage, crate::kube::objects::Stage::Attaching);
    let events: Vec<_> = world.kube.events.values().flat_map(|about| about.values()).collect();
    assert!(events.iter().any(|event| event.reason == "FailedAttachVolume"));
    pass(&mut world, 240);
    assert!(world.kube.pods[&again].ready);
}

#[test]
fn the_kubelet_of_a_machine_that_has_stopped_never_speaks_again() {
    let mut world = world(6, DB);
    let pod = world.kube.pod_named("shop", "db-0").unwrap();
    let node = world.kube.pods[&pod].node.unwrap();
    let (name, instance) =
        (world.kube.nodes[&node].name.to_string(), world.kube.nodes[&node].instance_id.clone());
    world.lose_machine(&instance);
    crate::kube::actors::person::does(
        &mut world,
        &Deed::SilenceNode { node: NodePick::named(name.clone()), silent: false },
    );
    pass(&mut world, 59);
    let api = world.kube.nodes[&node].object.clone();
    assert_eq!(ready(&api), ConditionStatus::Unknown);
    pass(&mut world, 2);
    assert!(world.kube.node_named(&name).is_none(), "the machine is gone, and its node with it");
}

#[test]
fn a_machine_that_stops_in_silence_takes_its_pods_with_it() {
    let mut world = world(3, WEB);
    let silence = Deed::SilenceNode { node: NodePick::named(machine(0).node_name), silent: true };
    crate::kube::actors::person::does(&mut world, &silence);
    pass(&mut world, 20);
    world.lose_machine(&machine(0).instance_id);
    assert_eq!(world.observer().lost_pods.len(), 1);
    let budget = world.kube.budgets.values().next().unwrap();
    assert_eq!((budget.healthy, budget.truly), (3, 2), "the API does not know yet");
}

#[test]
fn of_too_many_pods_those_go_first_that_cost_least() {
    let mut world = world(3, WEB);
    crate::kube::actors::person::does(
        &mut world,
        &Deed::SilenceNode { node: NodePick::named(machine(0).node_name), silent: true },
    );
    pass(&mut world, 60);
    let scale =
        |replicas| Deed::ScaleDeployment { namespace: "shop".to_owned(), name: "web".to_owned(), replicas };
    crate::kube::actors::person::does(&mut world, &scale(2));
    pass(&mut world, 60);
    let left: Vec<_> = world
        .kube
        .pods
        .values()
        .filter(|pod| pod.ordinal.is_none() && pod.is_active() && pod.only_node.is_none())
        .collect();
    assert_eq!(left.len(), 2);
    assert!(left.iter().all(|pod| pod.ready), "the one that was not ready has gone");
    // Of equals the youngest goes.
    let made = left.iter().map(|pod| pod.created).max().unwrap();
    crate::kube::actors::person::does(&mut world, &scale(3));
    pass(&mut world, 60);
    crate::kube::actors::person::does(&mut world, &scale(1));
    pass(&mut world, 60);
    let left: Vec<_> =
        world.kube.pods.values().filter(|pod| pod.is_active() && pod.only_node.is_none()).collect();
    assert_eq!(left.len(), 1);
    assert!(left[0].created <= made, "not the one that was made last");
}
