//! The API server and the token for it: F7, F8; Leases: F14, F23.

use std::collections::BTreeSet;

use eks_provider::kube::{
    ChangeReader, Changed, EvictionOutcome, Freshness, Lease, LeaseReader, LeaseWriter, NodePatch, NodeQuery,
    NodeReader, NodeWriter, ObjectMeta, PodEvictor, ServerReader, Watched,
};
use eks_provider::{Class, Clock};
use eks_sim::Sim;

use crate::{WEB, all_nodes, evict, eviction, minutes, pod, pods, run, seconds, sim};

#[test]
fn f7_the_api_server_is_away_for_five_seconds_and_for_five_minutes() {
    for length in [5, 300] {
        let more = format!(
            "
  faults: [{{ fault: api-away, when: {{ fromSeconds: 60, forSeconds: {length} }} }}]"
        );
        let sim = sim(&format!("{WEB}{more}"));
        run(&sim, async {
            let victim = pod(&sim, "web").await;
            sim.sleep(seconds(59)).await;
            assert_eq!(evict(&sim, &victim).await, EvictionOutcome::Accepted);
            sim.sleep(seconds(1)).await;
            let mut failed = 0;
            while let Err(error) = sim.readyz().await {
                assert_eq!(error.class(), Class::Transport);
                assert_eq!(sim.evict_pod(&eviction(&victim)).await.unwrap_err().class(), Class::Transport);
                failed += 1;
                sim.sleep(seconds(1)).await;
            }
            assert_eq!(failed, length, "seconds");
            // Controllers stood still as well; what was begun goes on.
            sim.sleep(minutes(1)).await;
            let after = pods(&sim, "shop", "web").await;
            assert!(after.len() == 3 && after.iter().all(eks_provider::kube::Pod::is_ready));
            assert!(after.iter().all(|pod| pod.meta.uid != victim.meta.uid));
        });
    }
}

#[test]
fn f7_a_watch_waits_while_the_server_is_away_and_is_told_that_its_moment_is_forgotten() {
    let more = "
  faults:
    - { fault: api-away, when: { fromSeconds: 10, forSeconds: 30 } }
    - { fault: watch-forgets, when: { fromSeconds: 120 } }
  events:
    - { afterSeconds: 20, do: { event: label-node, node: { group: web }, key: a, value: b } }";
    let sim = sim(&format!("{WEB}{more}"));
    run(&sim, async {
        let nodes = BTreeSet::from([Watched::Nodes]);
        let cursor = sim.cursor(&nodes).await.unwrap();
        let begun = sim.now();
        let elapsed = || sim.now().duration_since(begun).as_secs();
        let deadline = |more| begun.checked_add(seconds(more)).unwrap();
        let seen = sim.changed(&nodes, &cursor, deadline(90)).await.unwrap();
        assert_eq!(seen.changed, Changed::Some(nodes.clone()));
        assert!((40..=41).contains(&elapsed()), "when the server is back: {}", elapsed());
        let quiet = sim.changed(&nodes, &seen.cursor, deadline(100)).await.unwrap();
        assert_eq!((quiet.changed, elapsed()), (Changed::Nothing, 100));
        let forgotten = sim.changed(&nodes, &quiet.cursor, deadline(600)).await.unwrap();
        assert_eq!((forgotten.changed, elapsed()), (Changed::Unknown, 120));
        let again = sim.changed(&nodes, &forgotten.cursor, deadline(300)).await.unwrap();
        assert_eq!(again.changed, Changed::Nothing, "it ends: from the new moment on all is known");
    });
}

#[test]
fn f7_a_cache_shows_what_was_and_the_most_recent_read_does_not() {
    let more = "
  faults: [{ fault: stale-reads, when: { fromSeconds: 30, forSeconds: 60 } }]
  events:
    - { afterSeconds: 40, do: { event: cordon-node, node: { group: web } } }";
    let sim = sim(&format!("{WEB}{more}"));
    let cordoned = async |freshness| {
        let query = NodeQuery { freshness, ..NodeQuery::default() };
        sim.list_nodes(&query).await.unwrap().iter().filter(|node| node.unschedulable).count()
    };
    run(&sim, async {
        sim.sleep(seconds(50)).await;
        assert_eq!(cordoned(Freshness::Any).await, 0);
        assert_eq!(cordoned(Freshness::MostRecent).await, 1);
        sim.sleep(minutes(1)).await;
        assert_eq!(cordoned(Freshness::Any).await, 1, "it ends");
    });
}

#[test]
fn f8_the_token_has_expired_until_there_is_a_new_one() {
    let more = "
  faults: [{ fault: token-expired, when: { fromSeconds: 900, times: 2 } }]";
    let sim = sim(&format!("{WEB}{more}"));
    run(&sim, async {
        let one = pod(&sim, "web").await;
        sim.sleep(seconds(901)).await;
        let error = sim.list_nodes(&NodeQuery::default()).await.unwrap_err();
        assert_eq!((error.class(), error.http_status()), (Class::Unauthenticated, Some(401)));
        assert_eq!(sim.evict_pod(&eviction(&one)).await.unwrap_err().class(), Class::Unauthenticated);
        assert!(!pod(&sim, "web").await.meta.is_terminating());
        assert_eq!(evict(&sim, &one).await, EvictionOutcome::Accepted, "it ends");
    });
}

pub(crate) fn lease(holder: &str, sim: &Sim) -> Lease {
    Lease {
        meta: ObjectMeta {
            name: "roll".to_owned(),
            namespace: Some("kube-system".to_owned()),
            ..ObjectMeta::default()
        },
        holder_identity: Some(holder.to_owned()),
        lease_duration: Some(minutes(1)),
        acquire_time: Some(sim.now()),
        renew_time: Some(sim.now()),
        lease_transitions: 0,
    }
}

#[test]
fn f14_a_second_run_meets_the_lease_and_takes_it_when_it_is_over() {
    let sim = sim(WEB);
    run(&sim, async {
        let first = sim.create_lease(&lease("first", &sim)).await.unwrap();
        assert_eq!(sim.create_lease(&lease("second", &sim)).await.unwrap_err().class(), Class::Conflict);
        // The first one falls asleep; the second one takes over what has run out.
        sim.sleep(minutes(3)).await;
        let found = sim.get_lease("kube-system", "roll").await.unwrap();
        assert!(found.holds_until().unwrap() < sim.now());
        let mut taken = found.clone();
        (taken.holder_identity, taken.renew_time) = (Some("second".to_owned()), Some(sim.now()));
        sim.update_lease(&taken).await.unwrap();
        // The first one wakes in the middle of a renewal.
        let mut late = first;
        late.renew_time = Some(sim.now());
        assert_eq!(sim.update_lease(&late).await.unwrap_err().class(), Class::Conflict);
        let holder = sim.get_lease("kube-system", "roll").await.unwrap().holder_identity;
        assert_eq!(holder.as_deref(), Some("second"));
    });
}

#[test]
fn f23_the_lease_is_deleted_under_its_holder_who_may_take_it_anew() {
    let more = "
  events: [{ afterSeconds: 60, do: { event: delete-lease, namespace: kube-system, name: roll } }]";
    let sim = sim(&format!("{WEB}{more}"));
    run(&sim, async {
        let leases = BTreeSet::from([Watched::Leases("kube-system".to_owned())]);
        let mine = sim.create_lease(&lease("first", &sim)).await.unwrap();
        let cursor = sim.cursor(&leases).await.unwrap();
        let deadline = sim.now().checked_add(minutes(5)).unwrap();
        let seen = sim.changed(&leases, &cursor, deadline).await.unwrap();
        assert_eq!(seen.changed, Changed::Some(leases));
        let missing = sim.get_lease("kube-system", "roll").await.unwrap_err();
        assert!(missing.class() == Class::NotFound && missing.target().contains("kube-system/roll"));
        // As a real API server answers to a replacement with the uid of one that is gone.
        assert_eq!(sim.update_lease(&mine).await.unwrap_err().class(), Class::Conflict);
        let again = sim.create_lease(&lease("first", &sim)).await.unwrap();
        assert_ne!(again.meta.uid, mine.meta.uid);
    });
}

#[test]
fn f14_a_person_changes_a_node_between_a_read_and_a_patch() {
    let more = "
  events: [{ afterSeconds: 30, do: { event: taint-node, node: { group: web }, key: team/keep, effect: NoSchedule } }]";
    let sim = sim(&format!("{WEB}{more}"));
    run(&sim, async {
        let before = all_nodes(&sim).await;
        sim.sleep(seconds(31)).await;
        let tainted = all_nodes(&sim).await.into_iter().find(|node| !node.taints.is_empty()).unwrap();
        let stale = before.iter().find(|node| node.meta.name == tainted.meta.name).unwrap();
        let error = sim.patch_node(&NodePatch::of(stale).cordon(true)).await.unwrap_err();
        assert_eq!(error.class(), Class::Conflict);
        let patched = sim.patch_node(&NodePatch::of(&tainted).cordon(true)).await.unwrap();
        assert!(patched.unschedulable && patched.taint("team/keep").is_some(), "and the taint is kept");
    });
}
