//! Volumes: F20.

use eks_provider::Clock;
use eks_provider::aws::{AutoScalingInstanceWriter, TerminateInstance};
use eks_provider::kube::{
    EvictionOutcome, NodePatch, NodeReader, NodeWriter, PodPhase, VolumeReader, condition,
};

use crate::{all_nodes, evict, minutes, pod, run, seconds, sim, with_group};

const DB: &str = "
  workloads:
    - { kind: StatefulSet, namespace: shop, name: db, replicas: 1, storage: 10Gi, endsAfterSeconds: 5 }
";

#[test]
fn f20_an_attachment_never_goes_and_the_pod_waits_for_its_volume() {
    let more = "
  faults: [{ fault: never-detaches, claim: shop/data-db-0, when: { forSeconds: 1200 } }]";
    let sim = sim(&format!("{DB}{more}"));
    run(&sim, async {
        sim.sleep(seconds(1)).await;
        let old = pod(&sim, "db-0").await;
        let node = sim.get_node(old.spec.node_name.as_ref().unwrap()).await.unwrap();
        sim.patch_node(&NodePatch::of(&node).cordon(true)).await.unwrap();
        assert_eq!(evict(&sim, &old).await, EvictionOutcome::Accepted);
        sim.sleep(minutes(15)).await;
        let attached = sim.list_volume_attachments().await.unwrap().remove(0);
        assert_eq!(attached.node_name, node.meta.name);
        assert!(attached.meta.is_terminating() && attached.detach_error.is_some(), "{attached:?}");
        let waiting = pod(&sim, "db-0").await;
        assert!(waiting.meta.uid != old.meta.uid && waiting.phase == PodPhase::Pending);
        assert_ne!(waiting.spec.node_name, old.spec.node_name);
        sim.sleep(minutes(6)).await;
        assert!(pod(&sim, "db-0").await.is_ready(), "it ends");
        let attached = sim.list_volume_attachments().await.unwrap();
        assert!(attached.len() == 1 && attached[0].attached && attached[0].node_name != node.meta.name);
    });
}

#[test]
fn f20_a_zonal_volume_waits_for_a_node_in_its_zone() {
    // One node a zone; the one of the database is cordoned before there is another.
    let sim = with_group("min: 3, max: 12, desired: 3", DB);
    run(&sim, async {
        let old = pod(&sim, "db-0").await;
        let node = sim.get_node(old.spec.node_name.as_ref().unwrap()).await.unwrap();
        let zone = node.zone().unwrap().to_owned();
        sim.patch_node(&NodePatch::of(&node).cordon(true)).await.unwrap();
        assert_eq!(evict(&sim, &old).await, EvictionOutcome::Accepted);
        sim.sleep(minutes(5)).await;
        let waiting = pod(&sim, "db-0").await;
        let scheduled = condition(&waiting.conditions, "PodScheduled").unwrap().clone();
        assert_eq!(scheduled.reason.as_deref(), Some("Unschedulable"));
        let message = scheduled.message.unwrap();
        assert!(
            message.contains("1 node(s) were unschedulable")
                && message.contains("2 node(s) had volume node affinity conflict"),
            "{message}"
        );
        // The machine is replaced, in its zone.
        let request = TerminateInstance {
            instance_id: node.instance_id().unwrap().to_owned(),
            group: "web".to_owned(),
            decrement_desired_capacity: false,
        };
        sim.terminate_instance_in_auto_scaling_group(&request).await.unwrap();
        sim.sleep(minutes(10)).await;
        let new = pod(&sim, "db-0").await;
        assert!(new.is_ready(), "it ends");
        let nodes = all_nodes(&sim).await;
        let on = nodes.iter().find(|one| Some(&one.meta.name) == new.spec.node_name.as_ref()).unwrap();
        assert_eq!(on.zone(), Some(zone.as_str()));
    });
}
