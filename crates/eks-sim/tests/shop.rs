//! The example of a production cluster: what it begins as, and what stands in the way of its upgrade.
#![allow(clippy::unwrap_used, reason = "tests")]

mod common;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use common::run;
use eks_model::KubeMinor;
use eks_provider::aws::{
    AddonCatalogueQuery, AddonCatalogueReader, AddonReader, AddonWriter, ClusterReader, ClusterVersionQuery,
    ClusterVersionReader, CreateAddon, ResolveConflicts, UpdateAddon, VersionStatus,
};
use eks_provider::kube::{
    BudgetReader, EvictPod, EvictionOutcome, EvictionProbe, NodeQuery, NodeReader, PageRequest, Pod,
    PodQuery, PodReader, VolumeReader, WebhookReader, WorkloadKind, WorkloadQuery, WorkloadReader,
};
use eks_provider::{Clock, Token};
use eks_sim::{Sim, World};

const SHOP: &str = include_str!("../../../examples/scenarios/shop.yaml");

async fn pods(sim: &Sim) -> Vec<Pod> {
    sim.list_pods(&PodQuery::default(), &PageRequest::first(10_000)).await.unwrap().items
}

fn eviction(pod: &Pod) -> EvictPod {
    EvictPod {
        namespace: pod.meta.namespace.clone().unwrap(),
        name: pod.meta.name.clone(),
        uid: pod.meta.uid.clone(),
    }
}

#[test]
fn the_shop_begins_whole() {
    let sim = Sim::new(World::from_scenario(SHOP).unwrap());
    run(&sim, async {
        let nodes = sim.list_nodes(&NodeQuery::default()).await.unwrap();
        assert_eq!(nodes.len(), 9 + 3 + 2 + 3);
        assert!(nodes.iter().all(eks_provider::kube::Node::is_ready));
        let kubelets: BTreeMap<String, usize> = nodes.iter().fold(BTreeMap::new(), |mut all, node| {
            *all.entry(node.info.kubelet_version.value().unwrap().minor().to_string()).or_default() += 1;
            all
        });
        assert_eq!(kubelets, BTreeMap::from([("1.32".to_owned(), 2), ("1.33".to_owned(), 15)]));
        for pod in pods(&sim).await {
            assert!(pod.is_ready() || pod.meta.namespace.as_deref() == Some("batch"), "{}", pod.meta);
        }
        // What EKS's add-ons bring is there.
        let mut names = BTreeSet::new();
        for kind in [WorkloadKind::DaemonSet, WorkloadKind::Deployment] {
            let found =
                sim.list_workloads(&WorkloadQuery::all(kind), &PageRequest::first(100)).await.unwrap().items;
            names.extend(
                found
                    .into_iter()
                    .filter(|one| one.meta.namespace.as_deref() == Some("kube-system"))
                    .map(|one| one.meta.name),
            );
        }
        let expected = [
            "aws-node",
            "coredns",
            "ebs-csi-controller",
            "ebs-csi-node",
            "eks-pod-identity-agent",
            "kube-proxy",
            "metrics-server",
        ];
        assert_eq!(names, expected.map(str::to_owned).into());
        assert_eq!(sim.list_webhook_configurations().await.unwrap().len(), 1);
    });
}

#[test]
fn every_hop_of_the_shop_is_offered_and_its_version_costs_extra() {
    let sim = Sim::new(World::from_scenario(SHOP).unwrap());
    run(&sim, async {
        assert_eq!(sim.describe_cluster("shop").await.unwrap().version, KubeMinor::new(33));
        let offered = sim.describe_cluster_versions(&ClusterVersionQuery::default()).await.unwrap();
        let status = |minor: u16| {
            let of = |one: &&eks_provider::aws::ClusterVersion| {
                one.version.value() == Some(&KubeMinor::new(minor))
            };
            offered.iter().find(of).map(|one| one.status.clone())
        };
        assert_eq!(status(33), Some(VersionStatus::ExtendedSupport));
        for minor in 34..=36 {
            assert_eq!(status(minor), Some(VersionStatus::StandardSupport), "1.{minor}");
        }
    });
}

#[test]
fn what_stands_in_the_way_of_the_shop_is_found_by_a_dry_run() {
    let sim = Sim::new(World::from_scenario(SHOP).unwrap());
    run(&sim, async {
        let mut blocked = BTreeSet::new();
        for pod in pods(&sim).await.iter().filter(|pod| !pod.is_of_daemon_set()) {
            if let EvictionOutcome::Blocked { budget, .. } = sim.probe_eviction(&eviction(pod)).await.unwrap()
            {
                blocked.insert(budget.unwrap());
            }
        }
        assert_eq!(blocked, BTreeSet::from(["legacy".to_owned()]));
        // Every volume of the databases is in one zone, and on a node of it.
        let volumes = sim.list_persistent_volumes().await.unwrap();
        assert_eq!(volumes.len(), 6);
        assert!(volumes.iter().all(|volume| volume.node_affinity.is_some()));
        let attached = sim.list_volume_attachments().await.unwrap();
        assert!(attached.len() == 6 && attached.iter().all(|one| one.attached));
        let budgets = sim.list_budgets().await.unwrap();
        assert!(budgets.iter().any(|budget| budget.meta.name == "coredns"), "EKS's own are among them");
        // Two hours later the webhook refuses, for five minutes.
        let database = pods(&sim).await.into_iter().find(|pod| pod.meta.name == "db-0").unwrap();
        let mut said = Vec::new();
        for minutes in [119, 2, 5] {
            sim.sleep(Duration::from_mins(minutes)).await;
            let outcome = sim.probe_eviction(&eviction(&database)).await.unwrap();
            said.push(matches!(outcome, EvictionOutcome::RefusedByWebhook { .. }));
        }
        assert_eq!(said, [false, true, false]);
    });
}

#[test]
fn the_pods_of_an_add_on_follow_it() {
    let sim = Sim::new(World::from_scenario(SHOP).unwrap());
    let images = async |name: &str| {
        let all = pods(&sim).await;
        let of_it = all.iter().filter(|pod| pod.meta.name.starts_with(name));
        of_it.flat_map(|pod| pod.spec.containers.iter().map(|one| one.image.clone())).collect::<Vec<_>>()
    };
    run(&sim, async {
        let query = AddonCatalogueQuery {
            kubernetes_version: Some(KubeMinor::new(33)),
            addon: Some("kube-proxy".to_owned()),
            owners: Vec::new(),
        };
        let info = sim.describe_addon_versions(&query).await.unwrap();
        let has = sim.describe_addon("shop", "kube-proxy").await.unwrap().version;
        let other = info[0].versions.iter().map(|one| one.version.text()).find(|one| *one != has.text());
        let version = other.unwrap().to_owned();
        let update = UpdateAddon {
            cluster: "shop".to_owned(),
            addon: "kube-proxy".to_owned(),
            version: Some(version.clone()),
            resolve_conflicts: ResolveConflicts::None,
            configuration_values: None,
            service_account_role_arn: None,
            pod_identity_associations: None,
            token: Token::derive("run", "kube-proxy"),
        };
        sim.update_addon(&update).await.unwrap();
        sim.sleep(Duration::from_secs(20)).await;
        let during = images("kube-proxy").await;
        let new = during.iter().filter(|image| image.ends_with(&version)).count();
        assert!(new > 0 && new < during.len(), "one node after the other: {new} of {}", during.len());
        sim.sleep(Duration::from_mins(10)).await;
        let after = images("kube-proxy").await;
        assert!(after.len() == 17 && after.iter().all(|image| image.ends_with(&version)), "{after:?}");

        assert_eq!(images("metrics-server").await.len(), 2);
        sim.delete_addon("shop", "metrics-server", false).await.unwrap();
        sim.sleep(Duration::from_mins(2)).await;
        assert_eq!(images("metrics-server").await, [""; 0]);
        let create = CreateAddon {
            cluster: "shop".to_owned(),
            addon: "metrics-server".to_owned(),
            version: None,
            resolve_conflicts: ResolveConflicts::None,
            configuration_values: None,
            service_account_role_arn: None,
            pod_identity_associations: Vec::new(),
            namespace: None,
            tags: BTreeMap::new(),
            token: Token::derive("run", "metrics-server"),
        };
        sim.create_addon(&create).await.unwrap();
        sim.sleep(Duration::from_mins(2)).await;
        assert_eq!(images("metrics-server").await.len(), 2);
    });
}
