//! What an eviction may be answered: F4, F5, F6.

use eks_provider::kube::{BudgetReader, EvictionOutcome, PodEvictor};
use eks_provider::{Class, Clock};
use eks_sim::kube::Deed;

use crate::{WEB, evict, eviction, minutes, pod, pods, run, seconds, sim};

/// The budget, its sentence and the seconds to wait, where an eviction is blocked.
fn blocked(outcome: &EvictionOutcome) -> (&str, &str, u64) {
    let EvictionOutcome::Blocked { budget: Some(budget), message, retry_after: Some(wait) } = outcome else {
        panic!("{outcome:?}");
    };
    (budget, message, wait.as_secs())
}

#[test]
fn f4_a_budget_blocks_until_the_pod_is_replaced() {
    let sim = sim(WEB);
    run(&sim, async {
        let before = pods(&sim, "shop", "web").await;
        assert_eq!(evict(&sim, &before[0]).await, EvictionOutcome::Accepted);
        let message = "The disruption budget web needs 2 healthy pods and has 3 currently";
        assert_eq!(blocked(&evict(&sim, &before[1]).await), ("web", message, 0));
        sim.sleep(seconds(1)).await;
        let message = "The disruption budget web needs 2 healthy pods and has 2 currently";
        assert_eq!(blocked(&evict(&sim, &before[1]).await), ("web", message, 0));
        sim.sleep(minutes(1)).await;
        assert_eq!(evict(&sim, &before[1]).await, EvictionOutcome::Accepted, "it ends");
    });
    let world = sim.world();
    let record = world.observer().budget_named("shop", "web").unwrap();
    assert_eq!((record.evictions, record.broken_by_eviction, record.least_margin), (2, 0, Some(0)));
}

#[test]
fn f4_a_budget_that_its_controller_has_not_seen_asks_for_ten_seconds() {
    let more = "
  faults: [{ fault: budgets-stand-still, when: { fromSeconds: 10, forSeconds: 60 } }]
  events:
    - { afterSeconds: 20, do: { event: change-budget, namespace: shop, name: web, maxUnavailable: 2 } }";
    let sim = sim(&format!("{WEB}{more}"));
    run(&sim, async {
        sim.sleep(seconds(30)).await;
        let one = pod(&sim, "web").await;
        let message = "The disruption budget web is still being processed by the server.";
        assert_eq!(blocked(&evict(&sim, &one).await), ("web", message, 10));
        sim.sleep(seconds(60)).await;
        assert_eq!(evict(&sim, &one).await, EvictionOutcome::Accepted, "it ends");
        assert_eq!(sim.get_budget("shop", "web").await.unwrap().status.disruptions_allowed, 1);
    });
}

#[test]
fn f4_priority_and_fairness_turns_calls_away_without_a_cause() {
    let more = "
  faults: [{ fault: throttled, operation: create pods/eviction, when: { skip: 1, times: 2 } }]";
    let sim = sim(&format!("{WEB}{more}"));
    run(&sim, async {
        sim.sleep(seconds(1)).await;
        let one = pod(&sim, "web").await;
        assert_eq!(evict(&sim, &one).await, EvictionOutcome::Accepted, "the first is left alone");
        for _ in 0..2 {
            let error = sim.evict_pod(&eviction(&one)).await.unwrap_err();
            assert_eq!((error.class(), error.http_status()), (Class::Throttled, Some(429)));
        }
        assert_eq!(evict(&sim, &one).await, EvictionOutcome::Accepted, "it ends");
    });
}

#[test]
fn f4_by_chance_about_as_often_as_it_is_said() {
    let more = "
  faults: [{ fault: throttled, operation: create pods/eviction, when: { permille: 300 } }]";
    let sim = sim(&format!("{WEB}{more}"));
    run(&sim, async {
        sim.sleep(seconds(1)).await;
        let one = pod(&sim, "web").await;
        let mut turned_away = 0;
        for _ in 0..1000 {
            turned_away += u32::from(sim.evict_pod(&eviction(&one)).await.is_err());
        }
        assert!((230..370).contains(&turned_away), "{turned_away}");
    });
}

const TWO_BUDGETS: &str = "
  workloads:
    - { kind: Deployment, namespace: shop, name: web, replicas: 3, labels: { tier: front } }
  budgets:
    - { namespace: shop, name: web, matchLabels: { app: web }, minAvailable: 2 }
    - { namespace: shop, name: front, matchLabels: { tier: front }, minAvailable: 2 }
  events:
";

#[test]
fn f5_two_budgets_are_an_error_until_a_person_mends_one() {
    for mended in [
        "{ event: delete-budget, namespace: shop, name: front }",
        "{ event: change-budget, namespace: shop, name: front, matchLabels: { tier: back } }",
    ] {
        let sim = sim(&format!("{TWO_BUDGETS}    - {{ afterSeconds: 600, do: {mended} }}"));
        run(&sim, async {
            let one = pod(&sim, "web").await;
            let EvictionOutcome::ManyBudgets { message } = evict(&sim, &one).await else { panic!() };
            assert!(message.starts_with("This pod has more than one PodDisruptionBudget"), "{message}");
            for budget in sim.list_budgets().await.unwrap() {
                assert_eq!(budget.status.disruptions_allowed, 1, "nothing was spent");
            }
            sim.sleep(seconds(601)).await;
            assert_eq!(evict(&sim, &one).await, EvictionOutcome::Accepted, "it ends: {mended}");
        });
    }
}

#[test]
fn f5_a_budget_that_allows_nothing_is_changed_midway() {
    let sim = sim("
  workloads:
    - { kind: Deployment, namespace: shop, name: web, replicas: 2 }
  budgets:
    - { namespace: shop, name: web, matchLabels: { app: web }, maxUnavailable: 0 }
  events:
    - { afterSeconds: 900, do: { event: change-budget, namespace: shop, name: web, maxUnavailable: 1 } }");
    run(&sim, async {
        let one = pod(&sim, "web").await;
        let message = "The disruption budget web needs 2 healthy pods and has 2 currently";
        for _ in 0..3 {
            assert_eq!(blocked(&evict(&sim, &one).await), ("web", message, 0));
            sim.sleep(minutes(4)).await;
        }
        sim.sleep(minutes(4)).await;
        assert_eq!(evict(&sim, &one).await, EvictionOutcome::Accepted, "it ends");
    });
}

#[test]
fn f6_a_webhook_fails_or_the_connection_breaks_and_nothing_was_done() {
    for (fault, class, status) in
        [("server-error", Class::Transport, Some(500)), ("api-away", Class::Transport, None)]
    {
        let more = format!(
            "
  faults: [{{ fault: {fault}, operation: create pods/eviction, when: {{ fromSeconds: 5, forSeconds: 60 }} }}]"
        );
        let sim = sim(&format!("{WEB}{more}"));
        run(&sim, async {
            sim.sleep(seconds(10)).await;
            let one = pod(&sim, "web").await;
            for _ in 0..3 {
                let error = sim.evict_pod(&eviction(&one)).await.unwrap_err();
                assert_eq!((error.class(), error.http_status()), (class, status), "{error}");
            }
            assert!(!pod(&sim, "web").await.meta.is_terminating());
            sim.sleep(minutes(1)).await;
            assert_eq!(evict(&sim, &one).await, EvictionOutcome::Accepted, "it ends");
        });
    }
}

#[test]
fn f6_an_answer_that_is_lost_was_carried_out() {
    let more = "
  faults: [{ fault: answer-lost, operation: create pods/eviction, when: { times: 1 } }]";
    let sim = sim(&format!("{WEB}{more}"));
    run(&sim, async {
        sim.sleep(seconds(1)).await;
        let one = pod(&sim, "web").await;
        let error = sim.evict_pod(&eviction(&one)).await.unwrap_err();
        assert!(error.class().may_have_had_effect(), "{error}");
        assert!(pods(&sim, "shop", &one.meta.name).await[0].meta.is_terminating());
        assert_eq!(evict(&sim, &one).await, EvictionOutcome::Accepted, "asked again, it is on its way");
    });
    assert_eq!(sim.world().observer().budget_named("shop", "web").unwrap().broken_by_eviction, 0);
}

#[test]
fn f6_an_admission_webhook_refuses_for_a_time_in_its_namespace() {
    let sim = sim(
        "
  workloads:
    - { kind: Deployment, namespace: shop, name: web, replicas: 2 }
    - { kind: Deployment, namespace: other, name: web, replicas: 2 }
  webhooks:
    - { name: guard, namespace: shop, service: guard, operations: [CREATE], resources: [pods/eviction] }
  faults:
    - { fault: webhook-refuses, webhook: guard, message: I move it myself, namespace: shop, when: { forSeconds: 300 } }",
    );
    run(&sim, async {
        sim.sleep(seconds(1)).await;
        let one = pod(&sim, "web").await;
        let EvictionOutcome::RefusedByWebhook { webhook, message } = evict(&sim, &one).await else {
            panic!()
        };
        assert_eq!(webhook.as_deref(), Some("guard.example.com"));
        assert!(message.ends_with("denied the request: I move it myself"), "{message}");
        let elsewhere = pods(&sim, "other", "web").await;
        assert_eq!(evict(&sim, &elsewhere[0]).await, EvictionOutcome::Accepted);
        sim.sleep(minutes(5)).await;
        assert_eq!(evict(&sim, &one).await, EvictionOutcome::Accepted, "it ends");
    });
}

#[test]
fn f6_a_namespace_that_ends_takes_no_evictions_and_ends_with_its_pods() {
    let sim = sim("
  namespaces: [{ name: shop, terminating: true }]
  workloads: [{ kind: Deployment, namespace: shop, name: web, replicas: 2 }]
  budgets: [{ namespace: shop, name: web, matchLabels: { app: web }, maxUnavailable: 0 }]");
    run(&sim, async {
        let one = pod(&sim, "web").await;
        assert_eq!(evict(&sim, &one).await, EvictionOutcome::NamespaceTerminating);
    });
    let gone = Deed::DeleteWorkload {
        kind: eks_sim::kube::WorkloadWord::Deployment,
        namespace: "shop".to_owned(),
        name: "web".to_owned(),
        orphans: false,
    };
    sim.world().person_does(&gone);
    run(&sim, async {
        sim.sleep(minutes(1)).await;
        assert!(pods(&sim, "shop", "web").await.is_empty());
    });
}
