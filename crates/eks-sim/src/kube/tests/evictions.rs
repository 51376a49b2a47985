//! The outcome table of the eviction subresource, row by row.

use std::time::Duration;

use eks_provider::kube::{
    BudgetReader, EvictPod, EvictionOutcome, EvictionProbe, IntOrPercent, Pod, PodEvictor,
};
use eks_provider::{Class, Clock};

use super::{pass, pods, request, run, world};
use crate::kube::{Fault, Injection, budgets};
use crate::{Sim, World};

fn web(replicas: u32, budget: &str, more: &str) -> String {
    format!(
        r#"{{"workloads": [{{"kind": "Deployment", "namespace": "shop", "name": "web", "replicas": {replicas},
             "cpu": "100m"{more}}}],
             "budgets": [{{"namespace": "shop", "name": "web", "matchLabels": {{"app": "web"}}, {budget}}}]}}"#
    )
}

/// What the eviction of the first Pod is answered, and how many the budget allows before and after.
fn evict(world: World, change: impl FnOnce(&mut World), dry: bool) -> (EvictionOutcome, i32, i32) {
    let mut world = world;
    change(&mut world);
    let sim = Sim::new(world);
    run(&sim, async {
        let before = sim.list_budgets().await.unwrap()[0].status.disruptions_allowed;
        let pod = request(&pods(&sim, "shop").await[0]);
        let outcome =
            if dry { sim.probe_eviction(&pod).await.unwrap() } else { sim.evict_pod(&pod).await.unwrap() };
        let after = sim.list_budgets().await.unwrap()[0].status.disruptions_allowed;
        (outcome, before, after)
    })
}

fn blocked(message: &str, seconds: u64) -> EvictionOutcome {
    EvictionOutcome::Blocked {
        budget: Some("web".to_owned()),
        message: message.to_owned(),
        retry_after: Some(Duration::from_secs(seconds)),
    }
}

fn nothing(_: &mut World) {}

#[test]
fn a_budget_that_allows_it_is_spent() {
    let scenario = web(3, r#""minAvailable": 2"#, "");
    assert_eq!(evict(world(3, &scenario), nothing, false), (EvictionOutcome::Accepted, 1, 0));
}

#[test]
fn a_dry_run_spends_nothing_and_answers_the_same() {
    let scenario = web(3, r#""minAvailable": 2"#, "");
    assert_eq!(evict(world(3, &scenario), nothing, true), (EvictionOutcome::Accepted, 1, 1));
    let scenario = web(3, r#""minAvailable": "100%""#, "");
    let message = "The disruption budget web needs 3 healthy pods and has 3 currently";
    assert_eq!(evict(world(3, &scenario), nothing, true), (blocked(message, 0), 0, 0));
}

#[test]
fn a_budget_that_allows_nothing_says_what_it_needs_and_has() {
    let scenario = web(3, r#""maxUnavailable": 0"#, "");
    let message = "The disruption budget web needs 3 healthy pods and has 3 currently";
    assert_eq!(evict(world(3, &scenario), nothing, false), (blocked(message, 0), 0, 0));
}

#[test]
fn a_budget_that_was_changed_waits_for_its_controller() {
    let change = |world: &mut World| {
        let id = *world.kube.budgets.keys().next().unwrap();
        budgets::respecify(world, id, |budget| budget.max_unavailable = Some(IntOrPercent::Int(2)));
    };
    let message = "The disruption budget web is still being processed by the server.";
    let scenario = web(3, r#""maxUnavailable": 1"#, "");
    assert_eq!(evict(world(3, &scenario), change, false), (blocked(message, 10), 1, 1));
    let settled = |world: &mut World| {
        change(world);
        pass(world, 1);
    };
    assert_eq!(evict(world(3, &scenario), settled, false), (EvictionOutcome::Accepted, 2, 1));
}

#[test]
fn two_budgets_are_one_too_many() {
    let mut scenario: serde_json::Value =
        serde_json::from_str(&web(3, r#""maxUnavailable": 2"#, "")).unwrap();
    let second = serde_json::json!({"namespace": "shop", "name": "all", "minAvailable": 1});
    scenario["budgets"].as_array_mut().unwrap().push(second);
    let (outcome, before, after) = evict(world(3, &scenario.to_string()), nothing, false);
    let message =
        "This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.";
    assert_eq!(outcome, EvictionOutcome::ManyBudgets { message: message.to_owned() });
    assert_eq!(before, after);
}

#[test]
fn pods_that_are_not_ready_go_by_the_policy() {
    let unready = r#", "neverReady": true"#;
    for (budget, expected) in [
        // Not enough are healthy.
        (
            r#""minAvailable": 1"#,
            blocked("The disruption budget web needs 1 healthy pods and has 0 currently", 0),
        ),
        (r#""minAvailable": 1, "unhealthyPodEvictionPolicy": "AlwaysAllow""#, EvictionOutcome::Accepted),
        // Enough would be healthy, but a need of none protects nothing and allows nothing.
        (
            r#""minAvailable": 0"#,
            blocked("The disruption budget web needs 0 healthy pods and has 0 currently", 0),
        ),
    ] {
        let (outcome, before, after) = evict(world(3, &web(2, budget, unready)), nothing, false);
        assert_eq!((outcome, before), (expected, after), "{budget}");
    }
    // Enough others are healthy: it goes, and nothing is spent.
    let unready_first = |world: &mut World| {
        let first = world.kube.pod_names["shop"].values().next().copied().unwrap();
        crate::kube::pods::set_ready(world, first, false);
        pass(world, 1);
    };
    let scenario = web(3, r#""minAvailable": 2"#, "");
    assert_eq!(evict(world(3, &scenario), unready_first, false), (EvictionOutcome::Accepted, 0, 0));
}

#[test]
fn pods_that_have_not_begun_or_have_ended_are_not_protected() {
    // Without nodes they stay Pending; none is to be out, and yet they go at once.
    let scenario = web(2, r#""maxUnavailable": 0"#, "");
    let sim = Sim::new(world(0, &scenario));
    run(&sim, async {
        let pod = request(&pods(&sim, "shop").await[0]);
        assert_eq!(sim.evict_pod(&pod).await.unwrap(), EvictionOutcome::Accepted);
        assert!(pods(&sim, "shop").await.iter().all(|other| other.meta.uid != pod.uid));
    });
    let finished = |world: &mut World| {
        let first = world.kube.pod_names["shop"].values().next().copied().unwrap();
        let now = world.now();
        crate::kube::pods::finish(world, first, false, now);
    };
    let (outcome, before, after) = evict(world(3, &scenario), finished, false);
    assert_eq!((outcome, before), (EvictionOutcome::Accepted, after));
}

#[test]
fn a_pod_that_ends_already_is_accepted_again() {
    let sim = Sim::new(world(3, &web(3, r#""maxUnavailable": 1"#, r#", "endsAfterSeconds": 20"#)));
    run(&sim, async {
        let pod = request(&pods(&sim, "shop").await[0]);
        for _ in 0..3 {
            assert_eq!(sim.evict_pod(&pod).await.unwrap(), EvictionOutcome::Accepted);
        }
        sim.sleep(Duration::from_secs(25)).await;
        assert_eq!(sim.evict_pod(&pod).await.unwrap(), EvictionOutcome::Gone);
    });
    assert_eq!(sim.world().observer().budget_named("shop", "web").unwrap().broken_by_eviction, 0);
}

#[test]
fn a_namesake_is_not_touched_and_yet_its_budget_may_be_spent() {
    let sim = Sim::new(world(3, &web(3, r#""maxUnavailable": 1"#, "")));
    run(&sim, async {
        let pod = request(&pods(&sim, "shop").await[0]);
        let other = EvictPod { uid: "of-before".to_owned(), ..pod.clone() };
        assert_eq!(sim.evict_pod(&other).await.unwrap(), EvictionOutcome::Gone);
        let budget = sim.get_budget("shop", "web").await.unwrap();
        assert_eq!(budget.status.disruptions_allowed, 0);
        assert!(budget.status.disrupted_pods.contains_key(&pod.name));
        assert!(!sim.list(&pod).await.meta.is_terminating());
        // The controller counts it out for two minutes, and then no longer.
        sim.sleep(Duration::from_mins(1)).await;
        assert_eq!(sim.get_budget("shop", "web").await.unwrap().status.disruptions_allowed, 0);
        sim.sleep(Duration::from_secs(61)).await;
        let budget = sim.get_budget("shop", "web").await.unwrap();
        assert_eq!((budget.status.disruptions_allowed, budget.status.disrupted_pods.len()), (1, 0));
        let nobody = EvictPod { name: "nobody".to_owned(), ..pod };
        assert_eq!(sim.evict_pod(&nobody).await.unwrap(), EvictionOutcome::Gone);
    });
}

impl Sim {
    async fn list(&self, pod: &EvictPod) -> Pod {
        eks_provider::kube::PodReader::get_pod(self, &pod.namespace, &pod.name).await.unwrap()
    }
}

#[test]
fn a_namespace_that_ends_takes_no_evictions() {
    let change = |world: &mut World| {
        world.kube.namespaces.get_mut("shop").unwrap().terminating = true;
    };
    let scenario = web(3, r#""maxUnavailable": 1"#, "");
    assert_eq!(evict(world(3, &scenario), change, false), (EvictionOutcome::NamespaceTerminating, 1, 1));
}

#[test]
fn a_budget_out_of_order_is_said_to_be_so() {
    let negative = |world: &mut World| {
        let budget = world.kube.budgets.values_mut().next().unwrap();
        budget.object.status.disruptions_allowed = -1;
    };
    let many = |world: &mut World| {
        let now = world.now();
        let budget = world.kube.budgets.values_mut().next().unwrap();
        budget.object.status.disrupted_pods = (0..2001).map(|n| (format!("p{n}"), now)).collect();
    };
    let scenario = web(3, r#""maxUnavailable": 1"#, "");
    let (outcome, ..) = evict(world(3, &scenario), negative, false);
    let message = "pdb disruptions allowed is negative".to_owned();
    assert_eq!(outcome, EvictionOutcome::BudgetUnsettled { message });
    let (outcome, ..) = evict(world(3, &scenario), many, false);
    assert!(matches!(outcome, EvictionOutcome::BudgetUnsettled { message } if message.contains("too big")));
}

#[test]
fn a_webhook_may_refuse_and_it_is_named() {
    let change = |world: &mut World| {
        world.inject(Injection::of(Fault::WebhookRefuses {
            webhook: "drain.db.example".to_owned(),
            message: "I move it myself".to_owned(),
            namespace: Some("shop".to_owned()),
        }));
    };
    let (outcome, before, after) = evict(world(3, &web(3, r#""maxUnavailable": 1"#, "")), change, false);
    let expected = EvictionOutcome::RefusedByWebhook {
        webhook: Some("drain.db.example".to_owned()),
        message: "admission webhook \"drain.db.example\" denied the request: I move it myself".to_owned(),
    };
    assert_eq!((outcome, before), (expected, after));
}

#[test]
fn what_says_nothing_of_the_pod_is_an_error_of_its_class() {
    for (fault, class, status) in [
        (Fault::Throttled, Class::Throttled, Some(429)),
        (Fault::ServerError, Class::Transport, Some(500)),
        (Fault::Denied, Class::Denied, Some(403)),
        (Fault::TokenExpired, Class::Unauthenticated, Some(401)),
        (Fault::ApiAway, Class::Transport, None),
    ] {
        let mut world = world(3, &web(3, r#""maxUnavailable": 1"#, ""));
        world.inject(Injection::of(fault.clone()).on("create pods/eviction").times(1));
        let sim = Sim::new(world);
        run(&sim, async {
            let pod = request(&pods(&sim, "shop").await[0]);
            let error = sim.evict_pod(&pod).await.unwrap_err();
            assert_eq!((error.class(), error.http_status()), (class, status), "{fault:?}");
            assert_eq!(error.operation(), "create pods/eviction");
            // Nothing was done, and the next try is answered.
            assert_eq!(sim.evict_pod(&pod).await.unwrap(), EvictionOutcome::Accepted);
        });
    }
}

#[test]
fn an_answer_that_is_lost_was_carried_out() {
    let mut world = world(3, &web(3, r#""maxUnavailable": 1"#, ""));
    world.inject(Injection::of(Fault::AnswerLost).on("create pods/eviction").times(1));
    let sim = Sim::new(world);
    run(&sim, async {
        let pod = request(&pods(&sim, "shop").await[0]);
        let error = sim.evict_pod(&pod).await.unwrap_err();
        assert!(error.class().may_have_had_effect());
        assert!(sim.list(&pod).await.meta.is_terminating());
    });
}
