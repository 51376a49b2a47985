//! What a test can do with a cluster: nodes, workloads, budgets, rights, side by side.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::time::Duration;

use eks_cluster::{
    Budget, Cluster, ClusterError, NodeSpec, Options, PodLife, Program, Workload, is_pod_ready,
    is_pod_unschedulable, ready_condition, wait_until,
};
use k8s_openapi::api::core::v1::{Node, Pod};
use k8s_openapi::api::rbac::v1::{ClusterRole, ClusterRoleBinding};
use kube::api::{Api, DeleteParams, EvictParams, ListParams, PostParams};
use kube::runtime::watcher;
use serde_json::json;

/// Far more than anything here takes, on a machine that has other things to do.
const LONG: Duration = Duration::from_mins(3);

async fn cluster(options: Options) -> Cluster {
    Cluster::start(options).await.unwrap()
}

async fn nodes(cluster: &Cluster, names: &[&str]) {
    for (name, zone) in names.iter().zip(["eu-central-1a", "eu-central-1b", "eu-central-1c"].iter().cycle()) {
        cluster.add_node(&NodeSpec::new(name).zone(zone)).await.unwrap();
    }
    cluster.wait_for_nodes(names.len(), LONG).await.unwrap();
}

#[tokio::test]
async fn nodes_and_workloads_become_ready_and_budgets_hold() {
    let cluster = cluster(Options::default()).await;
    let client = cluster.client().unwrap();
    let version = client.apiserver_version().await.unwrap();
    assert_eq!(version.git_version, eks_cluster::kubernetes_version());
    assert_eq!(version.emulation_minor.as_deref(), Some("34"));

    nodes(&cluster, &["a", "b", "c"]).await;
    let web = Workload::deployment("shop", "web", 3)
        .requests("500m", "256Mi")
        .spread_over("topology.kubernetes.io/zone");
    let store = Workload::stateful_set("shop", "store", 2);
    let agent = Workload::daemon_set("kube-system", "agent");
    for workload in [&web, &store, &agent] {
        cluster.add_workload(workload).await.unwrap();
    }
    let pods = cluster.wait_for_workload(&web, LONG).await.unwrap();
    let mut on: Vec<_> = pods.iter().filter_map(|pod| pod.spec.as_ref()?.node_name.clone()).collect();
    on.sort();
    assert_eq!(on, ["a", "b", "c"], "one in each zone");
    assert_eq!(cluster.wait_for_workload(&store, LONG).await.unwrap().len(), 2);
    assert_eq!(cluster.wait_for_workload(&agent, LONG).await.unwrap().len(), 3);

    // An exhausted budget refuses, in the very form that a tool has to understand.
    cluster.add_budget(&web, &Budget::MinAvailable("3".to_owned()), LONG).await.unwrap();
    let api: Api<Pod> = Api::namespaced(client.clone(), "shop");
    let victim = pods[0].metadata.name.clone().unwrap();
    let refused = api.evict(&victim, &EvictParams::default()).await.unwrap_err();
    let kube::Error::Api(status) = refused else { panic!("{refused}") };
    assert_eq!((status.code, status.reason.as_str()), (429, "TooManyRequests"));
    let details = status.details.unwrap();
    assert_eq!(details.causes[0].reason, "DisruptionBudget");
    assert_eq!(
        details.causes[0].message,
        "The disruption budget web needs 3 healthy pods and has 3 currently"
    );
    // And one without a budget does not.
    api.evict("store-0", &EvictParams::default()).await.unwrap();
    cluster.wait_for_workload(&store, LONG).await.unwrap();

    cluster.delete_node("c").await.unwrap();
    cluster.wait_for_nodes(2, LONG).await.unwrap();
    cluster
        .wait_for_pods(&web, "a pod of web that no node takes", LONG, |pods| {
            // Spread over zones: the two left hold one each, and the third fits either.
            pods.len() == 3 && pods.iter().all(is_pod_ready) || pods.iter().any(is_pod_unschedulable)
        })
        .await
        .unwrap();
}

#[tokio::test]
async fn a_node_can_stay_away_and_pods_can_wait() {
    let slow = PodLife::Slow { step: Duration::from_millis(200), end: Duration::from_millis(300) };
    let cluster = cluster(Options::default().pods(slow)).await;
    cluster
        .add_node(
            &NodeSpec::new("good")
                .kubelet("v1.33.5-eks-113cf36")
                .instance("i-0123456789abcdef0", "m7g.xlarge")
                .architecture("arm64")
                .label("eks.amazonaws.com/nodegroup", "blue")
                .taint("dedicated", "web", "NoSchedule"),
        )
        .await
        .unwrap();
    cluster.add_node(&NodeSpec::new("bad").never_ready()).await.unwrap();
    let nodes = cluster.wait_for_nodes(1, LONG).await.unwrap();
    let node = |name: &str| nodes.iter().find(|node| node.metadata.name.as_deref() == Some(name)).unwrap();
    assert_eq!(ready_condition(node("bad")).unwrap().reason.as_deref(), Some("KubeletNotReady"));
    let info = node("good").status.as_ref().unwrap().node_info.as_ref().unwrap();
    assert_eq!((info.kubelet_version.as_str(), info.architecture.as_str()), ("v1.33.5-eks-113cf36", "arm64"));

    // Nothing tolerates the taint, and the other node is not ready.
    let refused = Workload::deployment("shop", "refused", 1);
    cluster.add_workload(&refused).await.unwrap();
    let tolerant = Workload::deployment("shop", "tolerant", 1)
        .grace(Duration::from_secs(30))
        .ready_after(Duration::from_millis(100))
        .pod_field("tolerations", json!([{"key": "dedicated", "operator": "Exists"}]));
    cluster.add_workload(&tolerant).await.unwrap();
    let pods = cluster.wait_for_workload(&tolerant, LONG).await.unwrap();
    cluster
        .wait_for_pods(&refused, "an unschedulable pod", LONG, |pods| pods.iter().any(is_pod_unschedulable))
        .await
        .unwrap();

    // A pod ends after its time, long before its grace is over.
    let name = pods[0].metadata.name.clone().unwrap();
    let api: Api<Pod> = Api::namespaced(cluster.client().unwrap(), "shop");
    let began = std::time::Instant::now();
    api.delete(&name, &DeleteParams::default()).await.unwrap();
    assert!(api.get(&name).await.unwrap().metadata.deletion_timestamp.is_some(), "it is ending, and there");
    cluster
        .wait_for_pods(&tolerant, "the deleted pod to be gone", LONG, |pods| {
            pods.iter().all(|pod| pod.metadata.name.as_ref() != Some(&name))
        })
        .await
        .unwrap();
    assert!(began.elapsed() >= Duration::from_millis(300), "{:?}", began.elapsed());

    // With no healthy node at all, the controllers would evict nothing: so the other one comes first.
    cluster.start_kubelet("bad").await.unwrap();
    cluster.wait_for_nodes(2, LONG).await.unwrap();
    cluster.stop_kubelet("good").await.unwrap();
    let nodes: Api<Node> = Api::all(cluster.client().unwrap());
    wait_until(nodes, &watcher::Config::default(), "an unreachable node", LONG, |nodes: &[Node]| {
        nodes
            .iter()
            .flat_map(|node| node.spec.iter().flat_map(|spec| spec.taints.iter().flatten()))
            .any(|taint| taint.key == "node.kubernetes.io/unreachable" && taint.effect == "NoExecute")
    })
    .await
    .unwrap();
    cluster.start_kubelet("good").await.unwrap();
    cluster.wait_for_nodes(2, LONG).await.unwrap();
}

#[tokio::test]
async fn tokens_carry_exactly_the_rights_that_were_given() {
    let cluster = cluster(Options::default().api_only().user("roller", &["eks:rollers"])).await;
    let admin = cluster.client().unwrap();
    cluster.add_node(&NodeSpec::new("a")).await.unwrap();
    let nodes = |user: &str| Api::<Node>::all(cluster.client_as(user).unwrap());
    let code = |result: Result<_, kube::Error>| match result {
        Ok(()) => 200,
        Err(kube::Error::Api(status)) => status.code,
        Err(error) => panic!("{error}"),
    };
    let list = async |user: &str| code(nodes(user).list(&ListParams::default()).await.map(drop));
    let delete =
        async |user: &str| code(nodes(user).delete("a", &DeleteParams::default().dry_run()).await.map(drop));
    assert_eq!([list("admin").await, delete("admin").await], [200, 200]);
    assert_eq!([list("reader").await, delete("reader").await], [200, 403]);
    assert_eq!([list("nobody").await, list("roller").await], [403, 403]);

    let role: ClusterRole = serde_json::from_value(json!({
        "metadata": {"name": "rollers"},
        "rules": [{"apiGroups": [""], "resources": ["nodes"], "verbs": ["list"]}],
    }))
    .unwrap();
    let binding: ClusterRoleBinding = serde_json::from_value(json!({
        "metadata": {"name": "rollers"},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "rollers"},
        "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "Group", "name": "eks:rollers"}],
    }))
    .unwrap();
    Api::all(admin.clone()).create(&PostParams::default(), &role).await.unwrap();
    Api::all(admin).create(&PostParams::default(), &binding).await.unwrap();
    // The authorizer learns of it by a watch of its own; what it answers cannot be watched.
    let deadline = tokio::time::Instant::now() + LONG;
    while list("roller").await != 200 {
        assert!(tokio::time::Instant::now() < deadline);
    }
    assert_eq!(delete("roller").await, 403);
    let unknown = cluster.token("stranger").unwrap_err().to_string();
    assert!(unknown.contains("there is no user `stranger`, only admin, nobody, reader, roller"), "{unknown}");
}

#[tokio::test]
async fn two_clusters_run_side_by_side_and_know_nothing_of_each_other() {
    let (one, two) = tokio::join!(
        Cluster::start(Options::at("1.34".parse().unwrap()).api_only()),
        Cluster::start(Options::at("1.37".parse().unwrap()).api_only())
    );
    let (one, two) = (one.unwrap(), two.unwrap());
    assert_ne!(one.url(), two.url());
    assert_ne!(one.ca_pem(), two.ca_pem());
    one.add_node(&NodeSpec::new("a")).await.unwrap();
    let others = Api::<Node>::all(two.client().unwrap()).list(&ListParams::default()).await.unwrap();
    assert!(others.items.is_empty());
    // What is in the kubeconfig is enough to get in.
    let kubeconfig = kube::config::Kubeconfig::read_from(one.kubeconfig_file()).unwrap();
    let config =
        kube::Config::from_custom_kubeconfig(kubeconfig, &kube::config::KubeConfigOptions::default())
            .await
            .unwrap();
    let nodes = Api::<Node>::all(kube::Client::try_from(config).unwrap());
    assert_eq!(nodes.list(&ListParams::default()).await.unwrap().items.len(), 1);
    let gone = one.data_folder().to_owned();
    assert!(gone.is_dir());
    drop(one);
    assert!(!gone.exists(), "a dropped cluster leaves nothing");
    two.client().unwrap().apiserver_version().await.unwrap();
}

#[tokio::test]
async fn an_outage_is_refused_and_a_paused_server_is_silent() {
    let cluster = cluster(Options::default().api_only()).await;
    let client = cluster.client().unwrap();
    cluster.add_node(&NodeSpec::new("a")).await.unwrap();
    cluster.stop_api_server().await.unwrap();
    let refused = client.apiserver_version().await.unwrap_err();
    assert!(!matches!(refused, kube::Error::Api(_)), "{refused}");
    cluster.start_api_server().await.unwrap();
    let nodes = Api::<Node>::all(cluster.client().unwrap());
    assert_eq!(nodes.list(&ListParams::default()).await.unwrap().items.len(), 1, "the store was not away");

    cluster.pause(Program::ApiServer).await.unwrap();
    let silence = tokio::time::timeout(Duration::from_millis(300), client.apiserver_version()).await;
    assert!(silence.is_err(), "{silence:?}");
    cluster.resume(Program::ApiServer).await.unwrap();
    let deadline = tokio::time::Instant::now() + LONG;
    while client.apiserver_version().await.is_err() {
        assert!(tokio::time::Instant::now() < deadline);
    }
}

#[tokio::test]
async fn what_cannot_be_started_says_why() {
    let error = Cluster::start(Options::at("1.20".parse().unwrap())).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "the cluster cannot be started like that: it can be at 1.34 to 1.37, not at 1.20"
    );
    // A gate that the API server does not know: it ends, and its own words are in the error.
    let temp = tempfile::tempdir().unwrap();
    let options = Options::default().gate("NoSuchGate", true).temp(temp.path());
    let error = Cluster::start(options).await.unwrap_err();
    assert!(matches!(error, ClusterError::Ended { .. }), "{error}");
    let text = error.to_string();
    assert!(text.starts_with("kube-apiserver ended by itself (exit status 1)"), "{text}");
    assert!(text.contains("NoSuchGate"), "{text}");
    assert_eq!(std::fs::read_dir(temp.path()).unwrap().count(), 0, "and nothing is left");
}

#[tokio::test]
async fn what_does_not_come_about_says_what_was_there_instead() {
    let cluster = cluster(Options::default().api_only()).await;
    cluster.add_node(&NodeSpec::new("a")).await.unwrap();
    let error = cluster.wait_for_nodes(2, Duration::from_millis(500)).await.unwrap_err();
    assert_eq!(error.to_string(), "waited 500ms for 2 ready nodes, and at the end there were 1 of nodes (a)");
}
