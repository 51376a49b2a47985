//! Words that a service has added since, and calls that carry the token of their request.

use eks_provider::Token;
use eks_provider::aws::{
    AddonReader, AddonStatus, AddonWriter, AutoScalingGroupQuery, AutoScalingGroupReader,
    AutoScalingInstanceWriter, CancelUpdate, ClusterConfigChange, ClusterReader, ClusterStatus,
    ClusterWriter, CreateAddon, CreateLaunchTemplateVersion, InsightQuery, InsightReader, InsightStatus,
    InstanceQuery, InstanceReader, InstanceState, LaunchInstances, LaunchRetryStrategy, LaunchTemplateKey,
    LaunchTemplateWriter, LifecycleState, NodegroupReader, NodegroupStatus, NodegroupWriter,
    ResolveConflicts, UpdateAddon, UpdateClusterConfig, UpdateClusterVersion, UpdateNodegroupConfig,
    UpdateNodegroupVersion, UpdateReader, UpdateScope, UpdateStatus, UpdateType,
};

use crate::tests::support::{answer, recorded};

#[tokio::test]
async fn words_of_eks_that_nobody_knows_yet_are_kept() {
    let (aws, _) = recorded(|sent| {
        let path = sent.uri.split('?').next().unwrap_or_default();
        let body = if path.ends_with("/clusters/shop") {
            r#"{"cluster":{"name":"shop","arn":"a","version":"1.34","status":"HIBERNATING",
                "health":{"issues":[{"code":"NewTrouble","message":"m","resourceIds":["x"]}]}}}"#
        } else if path.ends_with("/updates/u-1") {
            r#"{"update":{"id":"u-1","status":"Paused","type":"NewUpdate","params":[{"type":"NewParam","value":"v"}],
                "errors":[{"errorCode":"NewError","errorMessage":"m"}]}}"#
        } else if path.contains("/addons/") {
            r#"{"addon":{"addonName":"vpc-cni","addonArn":"a","addonVersion":"v1.20.0-eksbuild.1","status":"RESTING"}}"#
        } else if path.contains("/node-groups/") {
            r#"{"nodegroup":{"nodegroupName":"web","nodegroupArn":"a","clusterName":"shop","status":"RESTING",
                "amiType":"AL2030_x86_64","scalingConfig":{"minSize":0,"maxSize":1,"desiredSize":1}}}"#
        } else {
            r#"{"insights":[{"id":"1","name":"n","category":"NEW_CATEGORY","insightStatus":{"status":"SHRUG"}}]}"#
        };
        answer(200, body)
    });
    let cluster = aws.describe_cluster("shop").await.unwrap();
    assert_eq!(cluster.status, ClusterStatus::Other("HIBERNATING".to_owned()));
    assert_eq!(cluster.health[0].code, "NewTrouble");
    let update = aws.describe_update(&UpdateScope::cluster("shop"), "u-1").await.unwrap();
    assert_eq!(update.status, UpdateStatus::Other("Paused".to_owned()));
    assert_eq!(update.kind, UpdateType::Other("NewUpdate".to_owned()));
    assert_eq!(update.params, [("NewParam".to_owned(), "v".to_owned())]);
    assert_eq!(update.errors[0].code.as_str(), "NewError");
    let addon = aws.describe_addon("shop", "vpc-cni").await.unwrap();
    assert_eq!(addon.status, AddonStatus::Other("RESTING".to_owned()));
    let group = aws.describe_nodegroup("shop", "web").await.unwrap();
    assert_eq!(group.status, NodegroupStatus::Other("RESTING".to_owned()));
    assert_eq!(group.ami_type.as_deref(), Some("AL2030_x86_64"));
    let query = InsightQuery { cluster: "shop".to_owned(), ..InsightQuery::default() };
    let insights = aws.list_insights(&query).await.unwrap();
    assert_eq!(insights[0].status, InsightStatus::Other("SHRUG".to_owned()));
    assert_eq!(insights[0].category.as_str(), "NEW_CATEGORY");
}

#[tokio::test]
async fn words_of_auto_scaling_and_ec2_that_nobody_knows_yet_are_kept() {
    let (aws, _) = recorded(|sent| {
        answer(
            200,
            if sent.body.contains("DescribeInstances") {
                "<DescribeInstancesResponse><reservationSet><item><instancesSet><item><instanceId>i-1</instanceId>\
                 <instanceState><code>99</code><name>dreaming</name></instanceState><instanceType>z9.huge\
                 </instanceType></item></instancesSet></item></reservationSet></DescribeInstancesResponse>"
            } else {
                "<DescribeAutoScalingGroupsResponse><DescribeAutoScalingGroupsResult><AutoScalingGroups><member><AutoScalingGroupName>web\
                 </AutoScalingGroupName><AutoScalingGroupARN>a</AutoScalingGroupARN><MinSize>0</MinSize><MaxSize>1\
                 </MaxSize><DesiredCapacity>1</DesiredCapacity><LaunchConfigurationName>old\
                 </LaunchConfigurationName><Instances><member><InstanceId>i-1</InstanceId><AvailabilityZone>a\
                 </AvailabilityZone><LifecycleState>Dreaming</LifecycleState><HealthStatus>Healthy</HealthStatus>\
                 <ProtectedFromScaleIn>false</ProtectedFromScaleIn></member></Instances></member>\
                 </AutoScalingGroups></DescribeAutoScalingGroupsResult></DescribeAutoScalingGroupsResponse>"
            },
        )
    });
    let instances = aws.describe_instances(&InstanceQuery::of(["i-1"])).await.unwrap();
    assert_eq!(instances[0].state, InstanceState::Other("dreaming".to_owned()));
    assert_eq!(instances[0].instance_type.as_deref(), Some("z9.huge"));
    let groups = aws.describe_auto_scaling_groups(&AutoScalingGroupQuery::named("web")).await.unwrap();
    assert_eq!(groups[0].instances[0].lifecycle_state, LifecycleState::Other("Dreaming".to_owned()));
}

/// Sends a change, and fails where its token was not sent. What came back does not count.
macro_rules! carries {
    ($token:expr, $method:ident($request:expr)) => {{
        let (aws, sent) = recorded(|_| answer(400, ""));
        let request = $request;
        aws.$method(&request).await.unwrap_err();
        let sent = sent.all();
        let token = $token;
        assert!(sent[0].body.contains(token.as_str()), "{}: {}", stringify!($method), sent[0].body);
    }};
}

#[tokio::test]
async fn every_change_of_a_service_that_knows_tokens_carries_its_own() {
    let token = Token::derive("run-1", "step");
    let (cluster, t) = ("shop".to_owned(), token.clone());
    carries!(
        &token,
        update_cluster_version(UpdateClusterVersion {
            cluster: cluster.clone(),
            version: "1.35".parse().unwrap(),
            force: false,
            rollback_timeout: None,
            token: t.clone(),
        })
    );
    let change = ClusterConfigChange::DeletionProtection(true);
    carries!(
        &token,
        update_cluster_config(UpdateClusterConfig { cluster: cluster.clone(), change, token: t.clone() })
    );
    carries!(
        &token,
        cancel_update(CancelUpdate {
            cluster: cluster.clone(),
            update_id: "u-1".to_owned(),
            token: t.clone()
        })
    );
    carries!(
        &token,
        update_addon(UpdateAddon {
            cluster: cluster.clone(),
            addon: "vpc-cni".to_owned(),
            version: None,
            resolve_conflicts: ResolveConflicts::Preserve,
            configuration_values: None,
            service_account_role_arn: None,
            pod_identity_associations: None,
            token: t.clone(),
        })
    );
    carries!(
        &token,
        create_addon(CreateAddon {
            cluster: cluster.clone(),
            addon: "vpc-cni".to_owned(),
            version: None,
            resolve_conflicts: ResolveConflicts::None,
            configuration_values: None,
            service_account_role_arn: None,
            pod_identity_associations: Vec::new(),
            namespace: None,
            tags: [].into(),
            token: t.clone(),
        })
    );
    carries!(
        &token,
        update_nodegroup_version(UpdateNodegroupVersion {
            cluster: cluster.clone(),
            nodegroup: "web".to_owned(),
            version: None,
            release_version: None,
            launch_template: None,
            force: false,
            token: t.clone(),
        })
    );
    carries!(
        &token,
        update_nodegroup_config(UpdateNodegroupConfig {
            cluster,
            nodegroup: "web".to_owned(),
            scaling: None,
            update_config: None,
            labels: [].into(),
            taints_to_set: Vec::new(),
            taints_to_remove: Vec::new(),
            token: t.clone(),
        })
    );
    carries!(
        &token,
        launch_instances(LaunchInstances {
            group: "web".to_owned(),
            availability_zone: "eu-west-1a".to_owned(),
            subnet_id: None,
            count: 1,
            retry_strategy: LaunchRetryStrategy::None,
            token: t.clone(),
        })
    );
    carries!(
        &token,
        create_launch_template_version(CreateLaunchTemplateVersion {
            template: LaunchTemplateKey::Id("lt-1".to_owned()),
            source_version: 1,
            image_id: Some("ami-1".to_owned()),
            user_data: None,
            description: "x".to_owned(),
            token: t,
        })
    );
}
