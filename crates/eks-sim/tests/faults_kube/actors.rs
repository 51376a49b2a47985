//! cluster-autoscaler, beside whoever rolls: F13.

use eks_model::KubeMinor;
use eks_provider::aws::{
    AutoScalingGroup, AutoScalingGroupQuery, AutoScalingGroupReader, AutoScalingGroupWriter, ClusterWriter,
    UpdateClusterVersion,
};
use eks_provider::kube::{CustomResourceReader, NodePatch, NodeQuery, NodeReader, NodeWriter, Pod, Taint};
use eks_provider::{Clock, Token};
use eks_sim::faults::{Faults, MachineRule, When};
use eks_sim::kube::Deed;
use eks_sim::{MachineFault, Sim};

use crate::{all_nodes, minutes, pods, run, seconds, with_group};

const TAINT: &str = "ToBeDeletedByClusterAutoscaler";

async fn group(sim: &Sim) -> AutoScalingGroup {
    sim.describe_auto_scaling_groups(&AutoScalingGroupQuery::named("web")).await.unwrap().remove(0)
}

fn deeds(sim: &Sim) -> Vec<String> {
    sim.world().observer().deeds.iter().map(|(_, deed)| deed.clone()).collect()
}

fn scale(sim: &Sim, replicas: u32) {
    let deed = Deed::ScaleDeployment { namespace: "shop".to_owned(), name: "web".to_owned(), replicas };
    sim.world().person_does(&deed);
}

/// Three nodes with a Pod on each that takes most of it, and cluster-autoscaler.
fn busy() -> Sim {
    with_group(
        "min: 3, max: 12, desired: 3",
        "
  workloads:
    - { kind: Deployment, namespace: shop, name: web, replicas: 3, cpu: 1200m }
  clusterAutoscaler: { groups: [{ name: web }] }",
    )
}

#[test]
fn f13_it_scales_up_for_pods_that_wait_and_is_done_when_they_run() {
    let sim = busy();
    run(&sim, async {
        sim.sleep(minutes(2)).await;
        assert_eq!(group(&sim).await.desired_capacity, 3);
        scale(&sim, 5);
        sim.sleep(minutes(5)).await;
        assert_eq!(group(&sim).await.desired_capacity, 5);
        let all = pods(&sim, "shop", "web").await;
        assert!(all.len() == 5 && all.iter().all(Pod::is_ready));
        sim.sleep(minutes(30)).await;
        assert_eq!(group(&sim).await.desired_capacity, 5, "and no more");
    });
}

#[test]
fn f13_it_sets_an_absolute_number_and_so_takes_back_what_was_raised_meanwhile() {
    let sim = busy();
    run(&sim, async {
        // It has read 3 less than a minute ago when somebody raises the size by four.
        sim.sleep(seconds(75)).await;
        sim.set_desired_capacity("web", 7).await.unwrap();
        scale(&sim, 4);
        sim.sleep(seconds(12)).await;
        assert_eq!(group(&sim).await.desired_capacity, 4, "{:?}", deeds(&sim));
        // What it has read since is right again.
        sim.sleep(minutes(2)).await;
        sim.set_desired_capacity("web", 6).await.unwrap();
        sim.sleep(minutes(3)).await;
        scale(&sim, 9);
        sim.sleep(minutes(5)).await;
        assert_eq!(group(&sim).await.desired_capacity, 9, "{:?}", deeds(&sim));
    });
}

#[test]
fn f13_it_removes_an_instance_that_does_not_register_and_lowers_the_size() {
    let sim = busy();
    let when = When { times: Some(1), ..When::default() };
    let rule = MachineRule { fault: MachineFault::NeverJoins, group: None, image: None, when };
    sim.world().set_faults(Faults { machines: vec![rule], ..Faults::default() });
    run(&sim, async {
        sim.set_desired_capacity("web", 4).await.unwrap();
        sim.sleep(minutes(14)).await;
        assert_eq!(group(&sim).await.desired_capacity, 4);
        sim.sleep(minutes(3)).await;
        assert_eq!(group(&sim).await.desired_capacity, 3, "a surge node that is late is taken away");
        assert!(deeds(&sim).iter().any(|deed| deed.contains("removes unregistered")));
        assert_eq!(all_nodes(&sim).await.len(), 3);
    });
}

#[test]
fn f13_it_removes_a_fresh_node_that_is_empty_unless_that_is_switched_off() {
    for kept in [false, true] {
        let sim = busy();
        run(&sim, async {
            sim.set_desired_capacity("web", 4).await.unwrap();
            sim.sleep(minutes(4)).await;
            let nodes = all_nodes(&sim).await;
            let all = pods(&sim, "shop", "web").await;
            let empty = nodes
                .iter()
                .find(|node| all.iter().all(|pod| pod.spec.node_name.as_ref() != Some(&node.meta.name)))
                .unwrap();
            if kept {
                let keep = "cluster-autoscaler.kubernetes.io/scale-down-disabled";
                sim.patch_node(&NodePatch::of(empty).annotate(keep, "true")).await.unwrap();
            }
            sim.sleep(minutes(12)).await;
            assert_eq!(group(&sim).await.desired_capacity, if kept { 4 } else { 3 });
        });
    }
}

/// Six nodes of which one would do.
fn idle(more: &str) -> Sim {
    with_group(
        "min: 5, max: 12, desired: 6",
        &format!(
            "
  workloads:
    - {{ kind: Deployment, namespace: shop, name: web, replicas: 6, cpu: 100m }}
{more}
  clusterAutoscaler: {{ groups: [{{ name: web }}] }}"
        ),
    )
}

#[test]
fn f13_it_drains_a_node_that_is_hardly_used_and_stops_at_the_minimum() {
    let sim = idle("");
    run(&sim, async {
        sim.sleep(minutes(10)).await;
        let mut tainted = None;
        for _ in 0..24 {
            sim.sleep(seconds(5)).await;
            let nodes = all_nodes(&sim).await;
            tainted = tainted.or(nodes.into_iter().find(|node| node.taint(TAINT).is_some()));
        }
        let tainted = tainted.expect("it says which node it takes");
        sim.sleep(minutes(5)).await;
        assert!(sim.get_node(&tainted.meta.name).await.is_err());
        assert_eq!(group(&sim).await.desired_capacity, 5);
        sim.sleep(minutes(30)).await;
        assert_eq!(group(&sim).await.desired_capacity, 5, "it ends at the minimum");
        let all = pods(&sim, "shop", "web").await;
        assert!(all.len() == 6 && all.iter().all(Pod::is_ready));
    });
    assert_eq!(sim.world().observer().lost_pods, [], "every Pod was evicted");
}

#[test]
fn f13_it_lets_a_node_alone_whose_pods_a_budget_or_an_annotation_keeps() {
    for more in [
        "  budgets: [{ namespace: shop, name: web, matchLabels: { app: web }, maxUnavailable: 0 }]",
        "    - kind: Deployment
      namespace: shop
      name: kept
      replicas: 6
      apartBy: kubernetes.io/hostname
      annotations: { cluster-autoscaler.kubernetes.io/safe-to-evict: 'false' }",
    ] {
        let sim = idle(more);
        run(&sim, async {
            sim.sleep(minutes(40)).await;
            assert_eq!(group(&sim).await.desired_capacity, 6, "{:?}", deeds(&sim));
        });
    }
}

#[test]
fn f13_a_restart_makes_it_forget_since_when_a_node_was_not_needed() {
    let sim = idle("");
    run(&sim, async {
        sim.sleep(minutes(9)).await;
        sim.world().person_does(&Deed::RestartAutoscaler {});
        sim.sleep(minutes(9)).await;
        assert_eq!(group(&sim).await.desired_capacity, 6, "it has begun anew");
        sim.sleep(minutes(4)).await;
        assert_eq!(group(&sim).await.desired_capacity, 5, "{:?}", deeds(&sim));
    });
}

#[test]
fn f13_a_status_taint_is_no_part_of_what_a_new_node_would_be_and_another_one_is() {
    for (key, desired) in [("status-taint.cluster-autoscaler.kubernetes.io/roll", 5), ("team/roll", 3)] {
        let sim = busy();
        run(&sim, async {
            // Every old node is marked before it has looked for the first time.
            for node in all_nodes(&sim).await {
                let taint =
                    Taint { key: key.to_owned(), value: None, effect: "NoSchedule".into(), time_added: None };
                sim.patch_node(&NodePatch::of(&node).taint(taint)).await.unwrap();
            }
            scale(&sim, 5);
            sim.sleep(minutes(8)).await;
            assert_eq!(group(&sim).await.desired_capacity, desired, "{key}: {:?}", deeds(&sim));
        });
    }
}

#[test]
fn karpenter_brings_nodes_for_pods_that_wait_and_replaces_what_has_drifted_within_its_budget() {
    let sim = with_group(
        "min: 3, max: 12, desired: 3",
        "
  workloads:
    - { kind: Deployment, namespace: shop, name: web, replicas: 6, cpu: 1500m, nodeSelector: { karpenter.sh/nodepool: burst } }
  budgets:
    - { namespace: shop, name: web, matchLabels: { app: web }, maxUnavailable: 1 }
  karpenter:
    pools:
      - name: burst
        instanceType: m7i.large
        zones: [eu-west-1a, eu-west-1b, eu-west-1c]
        budget: 1",
    );
    run(&sim, async {
        let claims = async || sim.list_node_claims().await.unwrap().unwrap();
        let before = claims().await;
        assert_eq!(before.len(), 6, "{:?}", deeds(&sim));
        assert!(pods(&sim, "shop", "web").await.iter().all(Pod::is_ready));
        let update = UpdateClusterVersion {
            cluster: "shop".to_owned(),
            version: KubeMinor::new(35),
            force: true,
            rollback_timeout: None,
            token: Token::derive("run", "up"),
        };
        sim.update_cluster_version(&update).await.unwrap();
        let (mut most, mut least) = (0, usize::MAX);
        for _ in 0..360 {
            sim.sleep(seconds(20)).await;
            if let Ok(nodes) = sim.list_nodes(&NodeQuery::default()).await {
                let leaving =
                    nodes.iter().filter(|node| node.taint("karpenter.sh/disrupted").is_some()).count();
                most = most.max(leaving);
                let all = pods(&sim, "shop", "web").await;
                least =
                    least.min(all.iter().filter(|pod| pod.is_ready() && !pod.meta.is_terminating()).count());
            }
        }
        assert_eq!(most, 1, "one node at a time");
        assert!(least >= 5, "{least}");
        let after = claims().await;
        assert_eq!(after.len(), 6, "{:?}", deeds(&sim));
        assert!(after.iter().all(|claim| before.iter().all(|old| old.meta.name != claim.meta.name)));
        assert!(pods(&sim, "shop", "web").await.iter().all(Pod::is_ready));
    });
    let world = sim.world();
    assert_eq!(world.observer().budget_named("shop", "web").unwrap().broken_by_eviction, 0);
}
