//! The contract suite on a real API server: eks-kube does what every implementation of the traits has to do.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod common;

use std::time::Duration;

use common::{LONG, connect, create, create_as};
use eks_cluster::{Budget, Cluster, NodeSpec, Options, PodLife, Workload};
use eks_kube::SystemClock;
use eks_provider::kube::{NodeQuery, NodeReader as _};
use eks_sim::contract::{self, KubeFacts, KubeWorld};
use serde_json::json;

const NAMESPACE: &str = "contract";

/// Nodes with room, a Deployment with a budget, one with two budgets, and somebody who may only read nodes.
async fn cluster(options: Options) -> Cluster {
    let slow = PodLife::Slow { step: Duration::from_millis(100), end: Duration::from_millis(500) };
    let cluster = Cluster::start(options.user("upgrader", &[]).user("narrow", &[]).pods(slow)).await.unwrap();
    for (name, zone) in [("node-a", "a"), ("node-b", "b"), ("node-c", "c"), ("node-d", "a")] {
        cluster.add_node(&NodeSpec::new(name).zone(&format!("eu-central-1{zone}"))).await.unwrap();
    }
    cluster.wait_for_nodes(4, LONG).await.unwrap();
    let web = Workload::deployment(NAMESPACE, "web", 3).requests("100m", "64Mi");
    let twice = Workload::deployment(NAMESPACE, "twice", 1);
    for workload in [&web, &twice] {
        cluster.add_workload(workload).await.unwrap();
        cluster.wait_for_workload(workload, LONG).await.unwrap();
    }
    cluster.add_budget(&web, &Budget::MinAvailable("2".to_owned()), LONG).await.unwrap();
    for name in ["twice-one", "twice-two"] {
        let budget = json!({
            "apiVersion": "policy/v1", "kind": "PodDisruptionBudget", "metadata": {"name": name},
            "spec": {"maxUnavailable": 1, "selector": {"matchLabels": {"app": "twice"}}},
        });
        create(&cluster, "/apis/policy/v1/namespaces/contract/poddisruptionbudgets", &budget).await;
    }
    roles(&cluster).await;
    cluster
}

const RBAC: &str = "/apis/rbac.authorization.k8s.io/v1";

/// Gives a user a ClusterRole.
async fn bind(cluster: &Cluster, user: &str, role: &str) {
    let group = "rbac.authorization.k8s.io";
    let binding = json!({
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRoleBinding",
        "metadata": {"name": user},
        "roleRef": {"apiGroup": group, "kind": "ClusterRole", "name": role},
        "subjects": [{"apiGroup": group, "kind": "User", "name": user}],
    });
    create(cluster, &format!("{RBAC}/clusterrolebindings"), &binding).await;
}

/// The roles of two users: what the upgrader is documented to need, and to read nodes alone.
async fn roles(cluster: &Cluster) {
    let path = format!("{RBAC}/clusterroles");
    let upgrader = include_str!("../../../docs/permissions/eks-upgrade-cluster.clusterrole.yaml");
    create_as(cluster, &path, "application/yaml", upgrader.to_owned()).await;
    bind(cluster, "upgrader", "eks-upgrade-cluster").await;
    let narrow = json!({
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRole",
        "metadata": {"name": "narrow"},
        "rules": [{"apiGroups": [""], "resources": ["nodes"], "verbs": ["get", "list"]}],
    });
    create(cluster, &path, &narrow).await;
    bind(cluster, "narrow", "narrow").await;
}

async fn keeps_the_contract(options: Options) {
    let cluster = cluster(options).await;
    // With no more rights than are written down.
    let api = connect(&cluster, "upgrader").await;
    let narrow = connect(&cluster, "narrow").await;
    // The authorizer learns of roles by a watch of its own, which nobody can wait for.
    let deadline = tokio::time::Instant::now() + LONG;
    for user in [&api, &narrow] {
        while user.list_nodes(&NodeQuery::default()).await.is_err() {
            assert!(tokio::time::Instant::now() < deadline);
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
    let facts = KubeFacts {
        version: cluster.minor(),
        node: "node-d".to_owned(),
        namespace: NAMESPACE.to_owned(),
        deployment: "web".to_owned(),
        budget: "web".to_owned(),
        twice_budgeted: "twice".to_owned(),
    };
    let world =
        KubeWorld { reader: &api, writer: &api, narrow: &narrow, probe: &api, clock: &SystemClock, facts };
    let outcomes = contract::kubernetes(&world).await;
    let failed: Vec<String> =
        outcomes.iter().filter(|outcome| outcome.result.is_err()).map(ToString::to_string).collect();
    assert_eq!(failed, [""; 0]);
    assert_eq!(outcomes.len(), 32);
}

#[tokio::test]
async fn at_the_oldest_minor() {
    keeps_the_contract(Options::default()).await;
}

#[tokio::test]
async fn at_the_newest_minor() {
    keeps_the_contract(Options::at(eks_cluster::newest_minor())).await;
}
