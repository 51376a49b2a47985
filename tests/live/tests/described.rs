//! A cluster is reached by what DescribeCluster says and by a token signed for STS, and is there again after an upgrade.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use eks_aws::{Aws, Keys, Options, SystemClock};
use eks_kube::{KubeApi, KubeConnection};
use eks_provider::aws::{
    AutoScalingGroupQuery, AutoScalingGroupReader, ClusterReader, ClusterWriter, UpdateClusterVersion,
    UpdateReader, UpdateScope, UpdateStatus,
};
use eks_provider::kube::{NodePatch, NodeQuery, NodeReader, NodeWriter, ServerReader};
use eks_provider::{Class, Sensitive, Token};
use eks_sandbox::{Ready, Sandbox};

#[tokio::test]
async fn a_cluster_is_reached_as_it_is_described_before_and_after_an_upgrade() {
    let options =
        eks_sandbox::Options { speed: 120, with_kubernetes: true, ..eks_sandbox::Options::default() };
    let mut sandbox = Sandbox::start(&options, &mut |_| {}).await.unwrap();
    let ready = sandbox.ready().clone();
    tokio::select! {
        broken = sandbox.run() => panic!("the sandbox ended: {broken:?}"),
        () = upgrade(&ready) => {}
    }
}

async fn upgrade(ready: &Ready) {
    let keys = Keys {
        access_key_id: "AKIDEXAMPLE".to_owned(),
        secret_access_key: Sensitive::new(b"secret".to_vec()),
        session_token: None,
    };
    let aws = Aws::from_environment(&Options {
        region: Some(ready.region.clone()),
        endpoint_url: Some(ready.aws.clone()),
        keys: Some(keys),
        ..Options::default()
    })
    .await
    .unwrap();
    let cluster = aws.describe_cluster("shop").await.unwrap();
    assert_eq!(cluster.endpoint, ready.kubernetes);
    let api = KubeApi::connect(&KubeConnection {
        endpoint: cluster.endpoint.unwrap(),
        certificate_authority: cluster.certificate_authority.unwrap(),
        token: Arc::new(aws.cluster_tokens("shop", Arc::new(SystemClock))),
    })
    .await
    .unwrap();
    assert_eq!(minor(&api).await, "34");

    // The instances of the group are nodes, and what is done to one of them is done there.
    let group = &aws.describe_auto_scaling_groups(&AutoScalingGroupQuery::named("web")).await.unwrap()[0];
    let instances: BTreeSet<String> = group.instances.iter().map(|one| one.instance_id.clone()).collect();
    assert_eq!(instances.len(), 6);
    let nodes = api.list_nodes(&NodeQuery::default()).await.unwrap();
    let of_group =
        |node: &&eks_provider::kube::Node| node.instance_id().is_some_and(|id| instances.contains(id));
    let web: Vec<_> = nodes.iter().filter(of_group).collect();
    assert_eq!(web.len(), 6);
    let cordoned = patched(&api, &web[0].meta.name).await;

    let request = UpdateClusterVersion {
        cluster: "shop".to_owned(),
        version: "1.35".parse().unwrap(),
        force: false,
        rollback_timeout: None,
        token: Token::derive("test", "upgrade"),
    };
    let update = aws.update_cluster_version(&request).await.unwrap();
    let scope = UpdateScope::cluster("shop");
    loop {
        let now = aws.describe_update(&scope, &update.id).await.unwrap();
        if now.status != UpdateStatus::InProgress {
            assert_eq!(now.status, UpdateStatus::Successful);
            break;
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    assert_eq!(aws.describe_cluster("shop").await.unwrap().version, request.version);
    assert_eq!(minor(&api).await, "35");
    let node = api.get_node(&cordoned).await.unwrap();
    assert!(node.unschedulable, "what was done to a node is still done after the upgrade");
}

async fn minor(api: &KubeApi) -> String {
    let version = api.server_version().await.unwrap();
    version.emulation_minor.unwrap_or(version.minor)
}

/// Cordons a node, reading it again whenever somebody was quicker; its name.
async fn patched(api: &KubeApi, name: &str) -> String {
    loop {
        let node = api.get_node(name).await.unwrap();
        match api.patch_node(&NodePatch::of(&node).cordon(true)).await {
            Ok(_) => return name.to_owned(),
            Err(error) => assert_eq!(error.class(), Class::Conflict, "{error}"),
        }
    }
}
