//! What holds whatever happens.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::{machine, pass, world};
use crate::World;
use crate::kube::objects::{PodId, Stage};
use crate::kube::state::{Kind, uid};
use crate::kube::{Deed, Fault, Injection, NodePick, Number, actors, eviction};
use eks_provider::kube::{EvictPod, IntOrPercent, WorkloadKind};

#[derive(Debug, Clone)]
enum Act {
    Pass(u64),
    Evict(usize),
    Stop(usize),
    Start(usize),
    Cordon(usize, bool),
    Silence(usize, bool),
    Delete(usize),
    Scale(u32),
    Restart,
    Away(u64),
    Budget(u32),
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        4 => (1_u64..90).prop_map(Act::Pass),
        6 => (0_usize..40).prop_map(Act::Evict),
        1 => (0_usize..8).prop_map(Act::Stop),
        1 => (8_usize..12).prop_map(Act::Start),
        1 => ((0_usize..8), any::<bool>()).prop_map(|(node, on)| Act::Cordon(node, on)),
        1 => ((0_usize..8), any::<bool>()).prop_map(|(node, on)| Act::Silence(node, on)),
        1 => (0_usize..40).prop_map(Act::Delete),
        1 => (1_u32..8).prop_map(Act::Scale),
        1 => Just(Act::Restart),
        1 => (1_u64..40).prop_map(Act::Away),
        1 => (0_u32..4).prop_map(Act::Budget),
    ]
}

const SCENARIO: &str = r#"{
    "workloads": [
        {"kind": "Deployment", "namespace": "shop", "name": "web", "replicas": 5, "cpu": "500m"},
        {"kind": "StatefulSet", "namespace": "shop", "name": "db", "replicas": 3, "storage": "1Gi"},
        {"kind": "Job", "namespace": "shop", "name": "mail", "replicas": 2, "completions": 4}
    ],
    "budgets": [
        {"namespace": "shop", "name": "web", "matchLabels": {"app": "web"}, "maxUnavailable": "30%"},
        {"namespace": "shop", "name": "db", "matchLabels": {"app": "db"}, "minAvailable": 2}
    ]
}"#;

fn nth(world: &World, number: usize) -> Option<PodId> {
    let pods = world.kube.pod_names.get("shop")?;
    pods.values().nth(number % pods.len().max(1)).copied()
}

fn node(number: usize) -> String {
    machine(number).node_name
}

fn play(world: &mut World, act: &Act) {
    match act {
        Act::Pass(seconds) => pass(world, *seconds),
        Act::Evict(number) => {
            if world.kube.faults.is_away(world.now()) {
                return;
            }
            if let Some(id) = nth(world, *number) {
                let pod = EvictPod {
                    namespace: "shop".to_owned(),
                    name: world.kube.pods[&id].name.to_string(),
                    uid: uid(Kind::Pod, id.0),
                };
                eviction::evict(world, &pod, false);
            }
        }
        Act::Stop(number) => world.lose_machine(&machine(*number).instance_id),
        Act::Start(number) => world.start_machine(machine(*number)),
        Act::Cordon(number, unschedulable) => {
            let deed = Deed::Cordon { node: NodePick::named(node(*number)), unschedulable: *unschedulable };
            actors::person::does(world, &deed);
        }
        Act::Silence(number, silent) => {
            actors::person::does(
                world,
                &Deed::SilenceNode { node: NodePick::named(node(*number)), silent: *silent },
            );
        }
        Act::Delete(number) => {
            if let Some(id) = nth(world, *number) {
                crate::kube::pods::delete(world, id, None);
            }
        }
        Act::Scale(replicas) => {
            let (namespace, name) = ("shop".to_owned(), "web".to_owned());
            actors::person::does(world, &Deed::ScaleDeployment { namespace, name, replicas: *replicas });
        }
        Act::Restart => {
            let id = *world.kube.workloads.iter().find(|(_, one)| &*one.name == "web").unwrap().0;
            let now = world.now();
            crate::kube::workloads::change_template(world, id, |template| {
                template.annotations.insert("restartedAt".to_owned(), now.to_string());
            });
        }
        Act::Budget(number) => {
            let change = Deed::ChangeBudget {
                namespace: "shop".to_owned(),
                name: "web".to_owned(),
                min_available: None,
                max_unavailable: Some(Number(IntOrPercent::Int(*number))),
                match_labels: None,
                unhealthy_pod_eviction_policy: None,
            };
            actors::person::does(world, &change);
        }
        Act::Away(seconds) => {
            let until = world.now().checked_add(std::time::Duration::from_secs(*seconds)).unwrap();
            world.inject(Injection::of(Fault::ApiAway).until(until));
        }
    }
}

/// What is counted beside the Pods is what a full count gives.
fn check(world: &World) {
    let state = &world.kube;
    for budget in state.budgets.values() {
        let of_it: Vec<_> = state
            .pods
            .iter()
            .filter(|(id, _)| {
                let shape = state.shape_of(**id).unwrap();
                budget.object.covers(&shape.namespace, &shape.template.labels) == Some(true)
            })
            .map(|(_, pod)| pod)
            .collect();
        assert_eq!(budget.pods as usize, of_it.len());
        assert_eq!(budget.healthy as usize, of_it.iter().filter(|pod| pod.is_healthy()).count());
        let truly = of_it.iter().filter(|pod| pod.is_healthy() && !pod.dead).count();
        assert_eq!(budget.truly as usize, truly);
    }
    for (id, node) in &state.nodes {
        let here: BTreeSet<PodId> =
            state.pods.iter().filter(|(_, pod)| pod.node == Some(*id)).map(|(id, _)| *id).collect();
        assert_eq!(node.pods, here);
        let running = here.iter().filter(|id| !state.pods[id].is_finished());
        let cpu: i64 = running.map(|id| state.shape_of(*id).unwrap().requests.cpu).sum();
        assert_eq!(node.used.cpu, cpu);
        assert!(node.used.cpu <= node.room.cpu);
    }
    let mut identities = BTreeSet::new();
    for pod in state.pods.values() {
        let Some((owner, _)) = pod.owner else { continue };
        let stateful = state.workloads[&owner].kind == WorkloadKind::StatefulSet;
        if stateful && pod.stage == Stage::Running && !pod.dead {
            assert!(identities.insert(pod.name.clone()), "two of {}", pod.name);
        }
    }
    for record in world.observer().budgets() {
        assert_eq!(record.broken_by_eviction, 0, "{record:?}");
    }
}

/// All that can be seen of a world.
fn history(world: &World) -> String {
    format!("{:?}\n{:?}\n{:?}", world.kube.pods, world.kube.nodes, world.observer())
}

proptest! {
    // What it finds becomes a test of its own in the files beside this one.
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_eviction_breaks_a_budget_and_all_counts_are_right(acts in proptest::collection::vec(act(), 1..40)) {
        let mut world = world(8, SCENARIO);
        check(&world);
        for act in &acts {
            play(&mut world, act);
            check(&world);
        }
    }

    #[test]
    fn workloads_converge_when_nothing_happens_any_more(acts in proptest::collection::vec(act(), 1..25)) {
        let mut world = world(8, SCENARIO);
        for act in &acts {
            play(&mut world, act);
        }
        world.clear_faults();
        for number in 0..8 {
            play(&mut world, &Act::Cordon(number, false));
            play(&mut world, &Act::Silence(number, false));
        }
        // New machines, in case all were lost, in every zone.
        for number in 20..26 {
            world.start_machine(machine(number));
        }
        pass(&mut world, 3600);
        for workload in world.kube.workloads.values() {
            match workload.kind {
                WorkloadKind::Deployment | WorkloadKind::StatefulSet => {
                    assert_eq!((workload.active(), workload.ready()), (workload.desired, workload.desired));
                    let updated = workload.revisions.last().unwrap().pods.len();
                    assert_eq!(updated, workload.desired as usize);
                }
                WorkloadKind::Job => assert_eq!(workload.succeeded, 4),
                WorkloadKind::DaemonSet | WorkloadKind::ReplicaSet | WorkloadKind::ReplicationController => {
                    assert_eq!(workload.ready(), workload.desired);
                }
            }
        }
        check(&world);
    }

    #[test]
    fn the_same_seed_and_acts_are_the_same_history(acts in proptest::collection::vec(act(), 1..20)) {
        let run = || {
            let mut world = world(8, SCENARIO);
            for act in &acts {
                play(&mut world, act);
            }
            history(&world)
        };
        prop_assert_eq!(run(), run());
    }
}
