//! A control plane goes from the oldest minor to the newest, and what is in it stays.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::time::Duration;

use eks_cluster::{Cluster, ClusterError, NodeSpec, Options, Workload, newest_minor, oldest_minor};
use eks_model::KubeMinor;
use k8s_openapi::api::core::v1::ConfigMap;
use kube::api::{Api, PostParams};

const LONG: Duration = Duration::from_mins(3);

async fn emulated(cluster: &Cluster) -> KubeMinor {
    let version = cluster.client().unwrap().apiserver_version().await.unwrap();
    KubeMinor::new(version.emulation_minor.unwrap().parse().unwrap())
}

#[tokio::test]
async fn three_hops_keep_what_is_there() {
    let cluster = Cluster::start(Options::default()).await.unwrap();
    let url = cluster.url();
    let web = Workload::deployment("shop", "web", 2);
    for name in ["a", "b"] {
        cluster.add_node(&NodeSpec::new(name)).await.unwrap();
    }
    cluster.add_workload(&web).await.unwrap();
    let before = cluster.wait_for_workload(&web, LONG).await.unwrap();

    let refused = cluster.upgrade_to(newest_minor()).await.unwrap_err();
    assert!(matches!(refused, ClusterError::Hop { .. }), "{refused}");
    let mut minor = oldest_minor();
    while minor < newest_minor() {
        assert_eq!((cluster.minor(), emulated(&cluster).await), (minor, minor));
        let client = cluster.client().unwrap();
        let note: ConfigMap =
            serde_json::from_value(serde_json::json!({"metadata": {"name": format!("at-{minor}")}})).unwrap();
        Api::namespaced(client, "default").create(&PostParams::default(), &note).await.unwrap();
        minor = minor.next();
        let began = std::time::Instant::now();
        cluster.upgrade_to(minor).await.unwrap();
        println!("to {minor} in {:.1} s", began.elapsed().as_secs_f64());
    }
    assert_eq!((cluster.minor(), emulated(&cluster).await), (minor, minor));
    assert_eq!(cluster.url(), url);
    let notes: Api<ConfigMap> = Api::namespaced(cluster.client().unwrap(), "default");
    for minor in ["1.34", "1.35", "1.36"] {
        notes.get(&format!("at-{minor}")).await.unwrap();
    }
    // The pods are the same ones, and the controllers work on.
    let after = cluster.wait_for_workload(&web, LONG).await.unwrap();
    let uids = |pods: &[k8s_openapi::api::core::v1::Pod]| {
        pods.iter().map(|pod| pod.metadata.uid.clone()).collect::<Vec<_>>()
    };
    assert_eq!(uids(&before), uids(&after));
    let more = Workload::deployment("shop", "more", 1);
    cluster.add_workload(&more).await.unwrap();
    cluster.wait_for_workload(&more, LONG).await.unwrap();

    // And one back, as the rollback of EKS goes.
    let back = minor.previous().unwrap();
    assert!(cluster.roll_back_to(oldest_minor()).await.is_err());
    cluster.roll_back_to(back).await.unwrap();
    assert_eq!(emulated(&cluster).await, back);
    cluster.wait_for_workload(&more, LONG).await.unwrap();
}
