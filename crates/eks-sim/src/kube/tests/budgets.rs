//! The disruption controller: its arithmetic, and what it knows.

use std::collections::BTreeMap;

use eks_provider::kube::EvictionOutcome;
use eks_provider::kube::IntOrPercent::{Int, Percent};

use super::{WEB, machine, pass, world};
use crate::World;
use crate::kube::budgets::{allowed, needed};
use crate::kube::objects::PodId;
use crate::kube::state::{Kind, uid};
use crate::kube::{BudgetRecord, Deed, NodePick, Number, actors, eviction};

#[test]
fn what_a_budget_needs_is_reckoned_as_the_controller_reckons_it() {
    // (minAvailable, maxUnavailable, Pods there are, Pods there are to be) -> (expected, desired healthy)
    for (min, max, pods, scale, expected) in [
        (Some(Int(3)), None, 5, 4, (5, 3)),
        (Some(Int(9)), None, 5, 5, (5, 9)),
        (Some(Percent(50)), None, 7, 7, (7, 4)),
        (Some(Percent(100)), None, 3, 3, (3, 3)),
        (Some(Percent(0)), None, 3, 3, (3, 0)),
        (None, Some(Int(1)), 2, 3, (3, 2)),
        (None, Some(Int(5)), 3, 3, (3, 0)),
        (None, Some(Int(0)), 3, 3, (3, 3)),
        (None, Some(Percent(30)), 7, 7, (7, 4)),
        (None, Some(Percent(1)), 3, 3, (3, 2)),
        (None, Some(Percent(100)), 3, 3, (3, 0)),
    ] {
        assert_eq!(needed(min, max, pods, scale), expected, "{min:?} {max:?} {pods} {scale}");
    }
}

#[test]
fn nothing_is_allowed_while_nothing_is_expected() {
    for (healthy, desired, expected, answer) in
        [(3, 2, 3, 1), (2, 2, 3, 0), (1, 2, 3, 0), (3, 0, 0, 0), (5, 0, 5, 5)]
    {
        assert_eq!(allowed(healthy, desired, expected), answer, "{healthy} {desired} {expected}");
    }
}

/// Evicts a ready Pod of the node of this number.
fn evict_on(world: &mut World, number: usize) -> EvictionOutcome {
    let node = world.kube.node_named(&machine(number).node_name).unwrap();
    let shop = world.kube.pod_names["shop"].values().copied();
    let on_it = |pod: &crate::kube::objects::Pod| pod.node == Some(node) && pod.ready;
    let id: PodId = shop.into_iter().find(|id| on_it(&world.kube.pods[id])).unwrap();
    let pod = eks_provider::kube::EvictPod {
        namespace: "shop".to_owned(),
        name: world.kube.pods[&id].name.to_string(),
        uid: uid(Kind::Pod, id.0),
    };
    eviction::evict(world, &pod, false)
}

fn record(world: &World) -> &BudgetRecord {
    world.observer().budget_named("shop", "web").unwrap()
}

/// By the status, by the Pods' conditions, in truth.
fn broken(world: &World) -> (u64, u64, u64) {
    let record = record(world);
    (record.broken_by_eviction, record.broken_unseen, record.broken_in_truth)
}

#[test]
fn a_pod_whose_machine_has_stopped_is_healthy_until_somebody_says_otherwise() {
    let mut world = world(3, WEB);
    crate::kube::machine_stopped(&mut world, &machine(0).instance_id);
    assert_eq!(evict_on(&mut world, 1), EvictionOutcome::Accepted);
    assert_eq!(broken(&world), (0, 0, 1), "two of three are gone, and the API knows of one");
    assert_eq!(record(&world).least_margin, Some(-1));
    pass(&mut world, 1);
    assert_eq!(record(&world).least_margin_in_status, Some(0));
}

#[test]
fn between_a_pod_and_the_status_of_its_budget_lies_the_controllers_lag() {
    let mut world = world(3, WEB);
    let silence = |silent| Deed::SilenceNode { node: NodePick::named(machine(0).node_name), silent };
    actors::person::does(&mut world, &silence(true));
    // In this moment the node controller says that the node's Pods are not ready.
    let grace = world.kube.settings.node_monitor_grace_period;
    pass(&mut world, grace.as_secs());
    assert_eq!(evict_on(&mut world, 1), EvictionOutcome::Accepted);
    assert_eq!(broken(&world), (0, 1, 1));
    pass(&mut world, 1);
    assert!(matches!(evict_on(&mut world, 2), EvictionOutcome::Blocked { .. }), "now it is seen");
    assert_eq!(broken(&world), (0, 1, 1));
}

#[test]
fn an_api_that_was_away_hides_what_happened_from_the_controller_for_a_moment() {
    let mut world = world(3, WEB);
    actors::person::does(
        &mut world,
        &Deed::SilenceNode { node: NodePick::named(machine(0).node_name), silent: true },
    );
    pass(&mut world, 38);
    let until = world.now().checked_add(std::time::Duration::from_secs(3)).unwrap();
    world.inject(crate::kube::Injection::of(crate::kube::Fault::ApiAway).until(until));
    pass(&mut world, 3);
    assert_eq!(evict_on(&mut world, 1), EvictionOutcome::Accepted);
    assert_eq!(broken(&world), (0, 1, 1));
}

#[test]
fn a_budget_whose_selector_is_changed_counts_other_pods() {
    let mut world = world(3, WEB);
    let change = |labels: [&str; 2]| Deed::ChangeBudget {
        namespace: "shop".to_owned(),
        name: "web".to_owned(),
        min_available: None,
        max_unavailable: Some(Number(Int(0))),
        match_labels: Some(BTreeMap::from([(labels[0].to_owned(), labels[1].to_owned())])),
        unhealthy_pod_eviction_policy: None,
    };
    actors::person::does(&mut world, &change(["app", "nobody"]));
    pass(&mut world, 1);
    assert_eq!(evict_on(&mut world, 0), EvictionOutcome::Accepted, "no budget is for it any more");
    actors::person::does(&mut world, &change(["app", "web"]));
    pass(&mut world, 60);
    let budget = world.kube.budgets.values().next().unwrap();
    assert_eq!((budget.pods, budget.healthy), (3, 3));
    let expected = "The disruption budget web needs 3 healthy pods and has 3 currently";
    assert!(
        matches!(evict_on(&mut world, 1), EvictionOutcome::Blocked { message, .. } if message == expected)
    );
}

#[test]
fn a_workload_that_is_deleted_takes_its_pods_with_it() {
    let mut world = world(3, WEB);
    let delete = Deed::DeleteWorkload {
        kind: crate::kube::WorkloadWord::Deployment,
        namespace: "shop".to_owned(),
        name: "web".to_owned(),
        orphans: false,
    };
    actors::person::does(&mut world, &delete);
    pass(&mut world, 60);
    assert!(world.kube.pod_names["shop"].is_empty(), "and none is made anew");
    let status = &world.kube.budgets.values().next().unwrap().object.status;
    assert_eq!((status.disruptions_allowed, status.current_healthy), (0, 0));
}

#[test]
fn an_owner_without_a_scale_fails_the_budget_unless_it_says_a_number_of_those_that_stay() {
    for (limit, allowed, reason) in [
        (r#""maxUnavailable": 1"#, 0, "SyncFailed"),
        (r#""minAvailable": "50%""#, 0, "SyncFailed"),
        (r#""minAvailable": 2"#, 1, "SufficientPods"),
    ] {
        let scenario = format!(
            r#"{{"workloads": [{{"kind": "DaemonSet", "namespace": "shop", "name": "log"}}],
                 "budgets": [{{"namespace": "shop", "name": "log", "matchLabels": {{"app": "log"}}, {limit}}}]}}"#
        );
        let world = world(3, &scenario);
        let status = &world.kube.budgets.values().next().unwrap().object.status;
        let condition = eks_provider::kube::condition(&status.conditions, "DisruptionAllowed").unwrap();
        assert_eq!(
            (status.disruptions_allowed, condition.reason.as_deref()),
            (allowed, Some(reason)),
            "{limit}"
        );
    }
}
