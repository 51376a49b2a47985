//! Pods that do not go, or come back: F18, F19.

use eks_provider::kube::{
    DeletePod, EvictionOutcome, NodePatch, NodeReader, NodeWriter, Pod, PodEvictor, PodPhase, PodReader,
    WorkloadKind, WorkloadReader, WorkloadRef,
};
use eks_provider::{Class, Clock};
use eks_sim::kube::{Deed, NodePick, WorkloadWord};

use crate::{all_nodes, evict, minutes, pod, pods, run, seconds, sim};

#[test]
fn f18_a_finalizer_keeps_a_pod_until_somebody_takes_it_away() {
    let sim = sim("
  workloads:
    - { kind: Pod, namespace: shop, name: guarded, finalizers: [example.com/backup] }
  events:
    - { afterSeconds: 3600, do: { event: remove-finalizers, namespace: shop, name: guarded } }");
    run(&sim, async {
        let one = pod(&sim, "guarded").await;
        assert_eq!(evict(&sim, &one).await, EvictionOutcome::Accepted);
        sim.sleep(minutes(30)).await;
        let stuck = pod(&sim, "guarded").await;
        assert!(stuck.meta.is_terminating() && stuck.meta.finalizers.contains("example.com/backup"));
        assert_eq!(stuck.phase, PodPhase::Failed, "its containers are gone");
        sim.sleep(minutes(30)).await;
        assert_eq!(sim.get_pod("shop", "guarded").await.unwrap_err().class(), Class::NotFound, "it ends");
    });
}

#[test]
fn f18_a_pod_takes_its_two_hours_and_no_less() {
    let sim = sim("
  workloads:
    - { kind: Deployment, namespace: shop, name: slow, terminationGracePeriodSeconds: 7200, endsAfterSeconds: 9000 }");
    run(&sim, async {
        let one = pod(&sim, "slow").await;
        assert_eq!(evict(&sim, &one).await, EvictionOutcome::Accepted);
        let ending = sim.get_pod("shop", &one.meta.name).await.unwrap();
        assert_eq!(ending.meta.deletion_grace_period, Some(seconds(7200)));
        sim.sleep(seconds(7199)).await;
        assert!(sim.get_pod("shop", &one.meta.name).await.is_ok());
        sim.sleep(seconds(2)).await;
        let gone = sim.get_pod("shop", &one.meta.name).await.unwrap_err();
        assert_eq!(gone.class(), Class::NotFound, "it ends with its grace period");
    });
}

#[test]
fn f18_an_end_that_hangs_is_ended_by_force() {
    let sim = sim("
  workloads:
    - { kind: Deployment, namespace: shop, name: hung, hangs: true }");
    run(&sim, async {
        let one = pod(&sim, "hung").await;
        assert_eq!(evict(&sim, &one).await, EvictionOutcome::Accepted);
        sim.sleep(minutes(60)).await;
        let stuck = sim.get_pod("shop", &one.meta.name).await.unwrap();
        assert!(stuck.meta.is_terminating(), "beyond its 30 s");
        let force = |uid: &str| DeletePod {
            namespace: "shop".to_owned(),
            name: one.meta.name.clone(),
            uid: uid.to_owned(),
            grace_period: Some(seconds(0)),
        };
        assert_eq!(sim.delete_pod(&force("another")).await.unwrap_err().class(), Class::Conflict);
        sim.delete_pod(&force(&one.meta.uid)).await.unwrap();
        let gone = sim.get_pod("shop", &one.meta.name).await.unwrap_err();
        assert_eq!(gone.class(), Class::NotFound, "it ends");
    });
    assert_eq!(sim.world().observer().deleted_past_budgets, 1, "and it is written down");
}

#[test]
fn f19_a_stateful_pod_is_made_anew_under_its_name_and_is_not_the_one_that_was_meant() {
    let sim = sim("
  workloads:
    - { kind: StatefulSet, namespace: shop, name: db, replicas: 2, endsAfterSeconds: 5 }");
    run(&sim, async {
        let old = pod(&sim, "db-0").await;
        assert_eq!(evict(&sim, &old).await, EvictionOutcome::Accepted);
        sim.sleep(minutes(1)).await;
        let new = pod(&sim, "db-0").await;
        assert!(new.meta.uid != old.meta.uid && new.is_ready());
        assert_eq!(evict(&sim, &old).await, EvictionOutcome::Gone, "the second try is about another one");
        assert!(!pod(&sim, "db-0").await.meta.is_terminating());
    });
}

#[test]
fn f19_a_pod_that_tolerates_everything_comes_back_to_the_node() {
    let sim = sim("
  workloads:
    - kind: Deployment
      namespace: shop
      name: clingy
      nodeSelector: { topology.kubernetes.io/zone: eu-west-1a }
      tolerations: [{ operator: Exists }]");
    run(&sim, async {
        // Both nodes of its zone are cordoned, and it goes there all the same.
        for node in all_nodes(&sim).await.iter().filter(|node| node.zone() == Some("eu-west-1a")) {
            sim.patch_node(&NodePatch::of(node).cordon(true)).await.unwrap();
        }
        for _ in 0..3 {
            let one = pod(&sim, "clingy").await;
            assert_eq!(evict(&sim, &one).await, EvictionOutcome::Accepted);
            sim.sleep(minutes(1)).await;
            let again = pod(&sim, "clingy").await;
            let node = sim.get_node(again.spec.node_name.as_ref().unwrap()).await.unwrap();
            assert!(again.is_ready() && again.meta.uid != one.meta.uid && node.unschedulable);
        }
        let scaled =
            Deed::ScaleDeployment { namespace: "shop".to_owned(), name: "clingy".to_owned(), replicas: 0 };
        sim.world().person_does(&scaled);
        sim.sleep(minutes(1)).await;
        assert!(pods(&sim, "shop", "clingy").await.is_empty(), "it ends when somebody scales it down");
    });
}

#[test]
fn f19_a_daemon_set_leaves_orphans() {
    let sim = sim("
  workloads:
    - { kind: DaemonSet, namespace: shop, name: log }");
    run(&sim, async {
        assert!(pods(&sim, "shop", "log").await.iter().all(Pod::is_of_daemon_set));
        let orphaned = Deed::DeleteWorkload {
            kind: WorkloadWord::DaemonSet,
            namespace: "shop".to_owned(),
            name: "log".to_owned(),
            orphans: true,
        };
        sim.world().person_does(&orphaned);
        sim.sleep(minutes(1)).await;
        let orphans = pods(&sim, "shop", "log").await;
        assert_eq!(orphans.len(), 6, "they run on");
        assert!(orphans.iter().all(|pod| pod.meta.owner_references.is_empty() && !pod.is_of_daemon_set()));
        let gone = WorkloadRef {
            kind: WorkloadKind::DaemonSet,
            namespace: "shop".to_owned(),
            name: "log".to_owned(),
        };
        assert_eq!(sim.get_workload(&gone).await.unwrap_err().class(), Class::NotFound);
        for pod in &orphans {
            assert_eq!(evict(&sim, pod).await, EvictionOutcome::Accepted);
        }
        sim.sleep(minutes(1)).await;
        assert!(pods(&sim, "shop", "log").await.is_empty(), "it ends: nobody makes them anew");
    });
}

#[test]
fn f19_a_static_pod_comes_back_as_long_as_its_node_is_there() {
    let sim = sim("
  workloads:
    - { kind: StaticPod, namespace: shop, name: agent, node: { group: web } }");
    run(&sim, async {
        let one = pod(&sim, "agent").await;
        assert!(one.meta.annotations.contains_key("kubernetes.io/config.mirror"));
        assert_eq!(evict(&sim, &one).await, EvictionOutcome::Accepted);
        sim.sleep(minutes(1)).await;
        let again = pod(&sim, "agent").await;
        assert!(again.meta.uid != one.meta.uid && again.spec.node_name == one.spec.node_name);
        let node = NodePick::named(one.spec.node_name.clone().unwrap());
        sim.world().person_does(&Deed::DeleteNode { node });
        sim.sleep(minutes(3)).await;
        assert!(pods(&sim, "shop", "agent").await.is_empty(), "it ends with its node");
    });
}

#[test]
fn f19_a_job_in_the_middle_of_its_work_begins_anew() {
    let sim = sim("
  workloads:
    - { kind: Job, namespace: shop, name: report, completions: 1, runsForSeconds: 2400 }");
    let job =
        WorkloadRef { kind: WorkloadKind::Job, namespace: "shop".to_owned(), name: "report".to_owned() };
    run(&sim, async {
        // It has run for half an hour when the world begins.
        let one = pod(&sim, "report").await;
        assert_eq!(evict(&sim, &one).await, EvictionOutcome::Accepted);
        sim.sleep(minutes(20)).await;
        let anew = pods(&sim, "shop", "report").await;
        assert!(anew.iter().all(|pod| pod.meta.uid != one.meta.uid), "what it had done is lost");
        assert_eq!(sim.get_workload(&job).await.unwrap().status.succeeded, 0);
        assert_eq!(evict(&sim, &one).await, EvictionOutcome::Gone);
        sim.sleep(minutes(25)).await;
        assert_eq!(sim.get_workload(&job).await.unwrap().status.succeeded, 1, "it ends");
    });
}
