//! F12: who calls Kubernetes dies at a call, and somebody else takes up what is left.

use eks_provider::kube::{
    LeaseReader, LeaseWriter, NodePatch, NodeReader, NodeWriter, Pod, PodEvictor, PodReader,
};
use eks_provider::{Class, Clock};
use eks_sim::faults::{CallFault, CallRule, Faults, When};
use eks_sim::{Sim, Stopped};

use crate::server::lease;
use crate::{WEB, eviction, minutes, pod, pods, run, sim};

/// Four calls that change something: a Lease is taken, a node cordoned, a Pod evicted, the Lease given back. What is done
/// already is not done again.
async fn empty(sim: &Sim, victim: &Pod) {
    if let Err(error) = sim.get_lease("kube-system", "roll").await {
        assert_eq!(error.class(), Class::NotFound);
        sim.create_lease(&lease("me", sim)).await.unwrap();
    }
    let node = sim.get_node(victim.spec.node_name.as_ref().unwrap()).await.unwrap();
    if !node.unschedulable {
        sim.patch_node(&NodePatch::of(&node).cordon(true)).await.unwrap();
    }
    let there = sim.get_pod("shop", &victim.meta.name).await;
    if there.is_ok_and(|pod| pod.meta.uid == victim.meta.uid && pod.meta.deletion_timestamp.is_none()) {
        sim.evict_pod(&eviction(victim)).await.unwrap();
    }
    let held = sim.get_lease("kube-system", "roll").await.unwrap();
    sim.delete_lease(&held).await.unwrap();
}

#[test]
fn f12_a_caller_that_dies_at_any_call_of_kubernetes_leaves_a_cluster_that_another_one_can_take_up() {
    const CALLS: [&str; 4] = ["create leases", "patch nodes", "create pods/eviction", "delete leases"];
    let mut deaths = 0;
    for fault in
        [CallFault::CallerDiesBefore, CallFault::CallerDiesAfterEffect, CallFault::CallerDiesAfterAnswer]
    {
        for (skip, operation) in (0..).zip(CALLS) {
            let sim = sim(WEB);
            let victim = run(&sim, pod(&sim, "web"));
            let when = When { skip, times: Some(1), ..When::default() };
            let rule = CallRule { fault, operations: Vec::new(), target: None, writes_only: true, when };
            sim.world().set_faults(Faults { calls: vec![rule], ..Faults::default() });
            let stopped = sim.run(empty(&sim, &victim)).unwrap_err();
            let Stopped::Died(death) = &stopped else { panic!("{stopped}") };
            assert_eq!(death.operation, operation, "{death}");
            assert_eq!(death.had_effect, fault != CallFault::CallerDiesBefore, "{death}");

            // What had been done is there, and nothing of what came after.
            let done = usize::try_from(skip).unwrap() + usize::from(death.had_effect);
            let is_held = run(&sim, sim.get_lease("kube-system", "roll")).is_ok();
            assert_eq!(is_held, (1..4).contains(&done), "{death}");
            let node = run(&sim, sim.get_node(victim.spec.node_name.as_ref().unwrap())).unwrap();
            assert_eq!(node.unschedulable, done >= 2, "{death}");
            let evictions = sim.world().observer().budget_named("shop", "web").unwrap().evictions;
            assert_eq!(evictions, u64::from(done >= 3), "{death}");

            // Somebody else takes it up, much later.
            run(&sim, sim.sleep(minutes(20)));
            run(&sim, empty(&sim, &victim));
            run(&sim, sim.sleep(minutes(2)));
            let after = run(&sim, pods(&sim, "shop", "web"));
            assert!(after.len() == 3 && after.iter().all(Pod::is_ready), "{death}");
            assert!(after.iter().all(|pod| pod.meta.uid != victim.meta.uid), "{death}");
            let world = sim.world();
            let record = world.observer().budget_named("shop", "web").unwrap();
            assert_eq!((record.evictions, record.broken_by_eviction), (1, 0), "{death}");
            deaths += 1;
        }
    }
    assert_eq!(deaths, 12);
}

#[test]
fn f12_what_else_goes_wrong_with_calls_of_aws_leaves_those_of_kubernetes_alone() {
    let sim = sim(WEB);
    let rule = CallRule {
        fault: CallFault::Throttled,
        operations: Vec::new(),
        target: None,
        writes_only: false,
        when: When::default(),
    };
    sim.world().set_faults(Faults { calls: vec![rule], ..Faults::default() });
    let victim = run(&sim, pod(&sim, "web"));
    run(&sim, empty(&sim, &victim));
}
