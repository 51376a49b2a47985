//! Objects of every kind, as a real API server writes them, by somebody who may only read.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod common;

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use common::{connect, create};
use eks_cluster::{Cluster, NodeSpec, Options, Workload};
use eks_provider::kube::{
    CustomResourceReader as _, HelmReleaseReader as _, HelmStorage, NamespacedName, ObjectReader as _,
    PageRequest, PodQuery, PodReader as _, ResourceType, ServiceReader as _, TolerationOperator, VolumePhase,
    VolumeReader as _, VolumeSource, WebhookReader as _, WebhookTarget, WorkloadKind, WorkloadReader as _,
    WorkloadRef,
};
use serde_json::{Value, json};

async fn cluster() -> Cluster {
    let cluster = Cluster::start(Options::default()).await.unwrap();
    cluster.add_node(&NodeSpec::new("a")).await.unwrap();
    cluster.wait_for_nodes(1, common::LONG).await.unwrap();
    cluster.add_namespace("shop").await.unwrap();
    cluster
}

#[tokio::test]
async fn pods_and_what_runs_them() {
    let cluster = cluster().await;
    let agent = Workload::daemon_set("shop", "agent");
    let store = Workload::stateful_set("shop", "store", 1)
        .requests("1500m", "64Mi")
        .pod_field(
            "volumes",
            json!([{"name": "scratch", "emptyDir": {"medium": "Memory", "sizeLimit": "64Mi"}}]),
        )
        .pod_field("terminationGracePeriodSeconds", json!(77));
    for workload in [&agent, &store] {
        cluster.add_workload(workload).await.unwrap();
        cluster.wait_for_workload(workload, common::LONG).await.unwrap();
    }
    let api = connect(&cluster, "reader").await;
    let pod = api.get_pod("shop", "store-0").await.unwrap();
    assert!(pod.is_ready() && !pod.is_of_daemon_set());
    assert_eq!(pod.spec.requests()["cpu"].milli(), 1500);
    assert_eq!(pod.spec.termination_grace_period.unwrap().as_secs(), 77);
    assert!(matches!(
        &pod.spec.volumes[0].source,
        VolumeSource::EmptyDir { memory: true, size_limit: Some(size) } if size.units() == 64 << 20
    ));
    assert_eq!(pod.meta.controller().map(|owner| owner.kind.as_str()), Some("StatefulSet"));
    let on_node = api.list_pods(&PodQuery::on_node("a"), &PageRequest::first(50)).await.unwrap().items;
    let daemon = on_node.iter().find(|pod| pod.is_of_daemon_set()).unwrap();
    assert_eq!(daemon.spec.tolerations[0].operator, TolerationOperator::Exists);
    for (kind, name) in [(WorkloadKind::StatefulSet, "store"), (WorkloadKind::DaemonSet, "agent")] {
        let wanted = WorkloadRef { kind, namespace: "shop".to_owned(), name: name.to_owned() };
        let found = api.get_workload(&wanted).await.unwrap();
        assert_eq!((found.desired, found.status.ready), (1, 1));
        assert_eq!(found.strategy.kind.as_deref(), Some("RollingUpdate"));
    }
}

#[tokio::test]
async fn volumes_services_webhooks_and_releases() {
    let cluster = cluster().await;
    let meta = |name: &str| json!({"name": name});
    for (path, object) in [
        (
            "/apis/storage.k8s.io/v1/storageclasses",
            json!({"metadata": meta("gp3"), "provisioner": "ebs.csi.aws.com", "volumeBindingMode": "WaitForFirstConsumer", "allowVolumeExpansion": true}),
        ),
        (
            "/api/v1/persistentvolumes",
            json!({"metadata": meta("pv-1"), "spec": {
                "capacity": {"storage": "10Gi"}, "accessModes": ["ReadWriteOnce"], "storageClassName": "gp3",
                "csi": {"driver": "ebs.csi.aws.com", "volumeHandle": "vol-0a1"},
                "nodeAffinity": {"required": {"nodeSelectorTerms": [{"matchExpressions": [
                    {"key": "topology.kubernetes.io/zone", "operator": "In", "values": ["eu-central-1a"]},
                ]}]}},
            }}),
        ),
        (
            "/api/v1/namespaces/shop/persistentvolumeclaims",
            json!({"metadata": meta("data"), "spec": {
                "accessModes": ["ReadWriteOnce"], "storageClassName": "gp3", "volumeName": "pv-1",
                "resources": {"requests": {"storage": "10Gi"}},
            }}),
        ),
        (
            "/apis/storage.k8s.io/v1/volumeattachments",
            json!({"metadata": meta("csi-1"), "spec": {"attacher": "ebs.csi.aws.com", "nodeName": "a", "source": {"persistentVolumeName": "pv-1"}}}),
        ),
        (
            "/api/v1/namespaces/shop/services",
            json!({"metadata": meta("web"), "spec": {
                "type": "LoadBalancer", "externalTrafficPolicy": "Local", "selector": {"app": "web"}, "ports": [{"port": 80}],
            }}),
        ),
        (
            "/apis/discovery.k8s.io/v1/namespaces/shop/endpointslices",
            json!({
                "metadata": {"name": "web-1", "labels": {"kubernetes.io/service-name": "web"}}, "addressType": "IPv4",
                "endpoints": [{"addresses": ["10.0.0.1"], "conditions": {"ready": true}, "zone": "eu-central-1a"}], "ports": [],
            }),
        ),
        (
            "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations",
            json!({"metadata": meta("guard"), "webhooks": [{
                "name": "guard.example.com", "admissionReviewVersions": ["v1"], "sideEffects": "None", "failurePolicy": "Ignore",
                "clientConfig": {"service": {"namespace": "shop", "name": "guard"}},
                "rules": [{"operations": ["CREATE"], "apiGroups": ["example.com"], "apiVersions": ["*"], "resources": ["*/*"]}],
            }]}),
        ),
        (
            "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations",
            json!({"metadata": meta("inject"), "webhooks": [{
                "name": "inject.example.com", "admissionReviewVersions": ["v1"], "sideEffects": "NoneOnDryRun",
                "clientConfig": {"url": "https://inject.example.com/x"},
                "rules": [{"operations": ["CREATE"], "apiGroups": ["example.com"], "apiVersions": ["*"], "resources": ["*"], "scope": "Cluster"}],
            }]}),
        ),
        (
            "/api/v1/namespaces/shop/secrets",
            json!({
                "metadata": {"name": "sh.helm.release.v1.web.v3", "labels": {"owner": "helm", "name": "web", "version": "3", "status": "deployed"}},
                "type": "helm.sh/release.v1", "data": {"release": STANDARD.encode("SDRzSQ==")},
            }),
        ),
        (
            "/api/v1/namespaces/shop/secrets",
            json!({
                "metadata": {"name": "sh.helm.release.v1.web.v2", "labels": {"owner": "helm", "name": "web", "version": "2", "status": "superseded"}},
                "type": "helm.sh/release.v1", "data": {"release": STANDARD.encode("old")},
            }),
        ),
        (
            "/api/v1/namespaces/shop/secrets",
            json!({"metadata": {"name": "not-helms", "labels": {"owner": "helm", "status": "deployed"}}, "type": "Opaque", "data": {"release": "eA=="}}),
        ),
        (
            "/api/v1/namespaces/shop/configmaps",
            json!({
                "metadata": {"name": "old.v1", "labels": {"owner": "helm", "name": "old", "version": "x", "status": "failed"}},
                "data": {"release": "SDRzSQ=="},
            }),
        ),
    ] {
        create(&cluster, path, &object).await;
    }
    let api = connect(&cluster, "reader").await;

    let volumes = api.list_persistent_volumes().await.unwrap();
    let volume = &volumes[0];
    assert_eq!(
        (volume.source.as_str(), volume.volume_handle.as_deref()),
        ("ebs.csi.aws.com", Some("vol-0a1"))
    );
    let zone = |zone: &str| BTreeMap::from([("topology.kubernetes.io/zone".to_owned(), zone.to_owned())]);
    let affinity = volume.node_affinity.as_ref().unwrap();
    assert_eq!(affinity.matches("n", &zone("eu-central-1a")), Some(true));
    assert_eq!(affinity.matches("n", &zone("eu-central-1b")), Some(false));
    let claims = api.list_persistent_volume_claims().await.unwrap();
    assert_eq!(claims[0].requested.unwrap().units(), 10 << 30);
    assert_eq!(claims[0].volume_name.as_deref(), Some("pv-1"));
    assert!(matches!(claims[0].phase, VolumePhase::Bound | VolumePhase::Pending), "{:?}", claims[0].phase);
    assert!(api.list_storage_classes().await.unwrap()[0].allow_expansion);
    let attachments = api.list_volume_attachments().await.unwrap();
    assert_eq!((attachments[0].volume_name.as_deref(), attachments[0].attached), (Some("pv-1"), false));

    let service = api.get_service("shop", "web").await.unwrap();
    assert_eq!(service.external_traffic_policy.as_deref(), Some("Local"));
    assert!(service.ports[0].node_port.is_some() && !service.cluster_ips.is_empty());
    let services = api.list_services().await.unwrap();
    assert_eq!(
        services.iter().map(|one| one.meta.to_string()).collect::<Vec<_>>(),
        ["default/kubernetes", "shop/web"]
    );
    let endpoints = api.list_endpoints("shop", "web").await.unwrap();
    assert!(
        endpoints.iter().any(|one| one.ready && one.zone.as_deref() == Some("eu-central-1a")),
        "{endpoints:?}"
    );

    let webhooks = api.list_webhook_configurations().await.unwrap();
    let guard = &webhooks[0].webhooks[0];
    assert_eq!(guard.failure_policy.as_str(), "Ignore");
    let service = NamespacedName::new("shop", "guard");
    assert_eq!(guard.target, WebhookTarget::Service { service, port: 443, path: None });
    assert_eq!((guard.timeout.as_secs(), guard.rules[0].scope.as_deref()), (10, None));
    let inject = &webhooks[1].webhooks[0];
    assert_eq!(inject.target, WebhookTarget::Url("https://inject.example.com/x".to_owned()));
    assert_eq!(inject.rules[0].scope.as_deref(), Some("Cluster"));
    let services = api.list_api_services().await.unwrap();
    assert!(services.iter().any(|one| one.meta.name == "v1.apps" && one.service.is_none()));

    let request = PageRequest::first(5);
    let releases = api.list_helm_releases(HelmStorage::Secret, &request).await.unwrap().items;
    let [release] = releases.as_slice() else { panic!("{releases:?}") };
    assert_eq!(
        (release.release.as_str(), release.revision, release.payload.expose()),
        ("web", Some(3), b"SDRzSQ==" as &[u8])
    );
    let releases = api.list_helm_releases(HelmStorage::ConfigMap, &request).await.unwrap().items;
    assert_eq!((releases[0].revision, releases[0].status.as_str()), (None, "failed"));
}

fn definition(group: &str, version: &str, kind: &str, plural: &str, scope: &str) -> Value {
    json!({
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": {"name": format!("{plural}.{group}")},
        "spec": {
            "group": group, "scope": scope, "names": {"kind": kind, "plural": plural},
            "versions": [{"name": version, "served": true, "storage": true, "schema": {"openAPIV3Schema": {
                "type": "object", "x-kubernetes-preserve-unknown-fields": true,
            }}}],
        },
    })
}

#[tokio::test]
async fn custom_resources() {
    let cluster = cluster().await;
    let api = connect(&cluster, "reader").await;
    let narrow = connect(&cluster, "nobody").await;
    assert_eq!(api.list_node_pools().await.unwrap(), None);
    // Who may not list them is told that there are none, where there are none.
    assert_eq!(narrow.list_node_pools().await.unwrap(), None);
    assert_eq!(narrow.list_target_group_bindings().await.unwrap(), None);

    for made in [
        // Karpenter of before v1 beside classes of today.
        definition("karpenter.sh", "v1beta1", "NodePool", "nodepools", "Cluster"),
        definition("karpenter.sh", "v1", "NodeClaim", "nodeclaims", "Cluster"),
        definition("karpenter.k8s.aws", "v1", "EC2NodeClass", "ec2nodeclasses", "Cluster"),
        definition("elbv2.k8s.aws", "v1beta1", "TargetGroupBinding", "targetgroupbindings", "Namespaced"),
    ] {
        create(&cluster, "/apis/apiextensions.k8s.io/v1/customresourcedefinitions", &made).await;
    }
    let deadline = std::time::Instant::now() + common::LONG;
    while api.list_target_group_bindings().await.unwrap().is_none()
        || api.list_node_pools().await.unwrap().is_none()
        || api.list_node_claims().await.unwrap().is_none()
        || api.list_node_classes().await.unwrap().is_none()
    {
        assert!(std::time::Instant::now() < deadline);
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    assert_eq!(narrow.list_node_pools().await.unwrap_err().class(), eks_provider::Class::Denied);
    let class = json!({"kind": "EC2NodeClass", "name": "default", "apiVersion": "karpenter.k8s.aws/v1beta1"});
    for (path, object) in [
        (
            "/apis/karpenter.sh/v1beta1/nodepools",
            json!({"apiVersion": "karpenter.sh/v1beta1", "kind": "NodePool", "metadata": {"name": "general"}, "spec": {
                "limits": {"cpu": 100}, "template": {"spec": {"nodeClassRef": class}},
            }}),
        ),
        (
            "/apis/karpenter.sh/v1/nodeclaims",
            json!({
                "apiVersion": "karpenter.sh/v1", "kind": "NodeClaim",
                "metadata": {"name": "general-x1", "labels": {"karpenter.sh/nodepool": "general"}},
                "spec": {"nodeClassRef": {"group": "karpenter.k8s.aws", "kind": "EC2NodeClass", "name": "default"}},
                "status": {"nodeName": "a", "providerID": "aws:///eu-central-1a/i-0a1", "conditions": [
                    {"type": "Drifted", "status": "True", "lastTransitionTime": "2026-11-24T12:00:00Z", "reason": "NodeClassDrift", "message": ""},
                ]},
            }),
        ),
        (
            "/apis/karpenter.k8s.aws/v1/ec2nodeclasses",
            json!({"apiVersion": "karpenter.k8s.aws/v1", "kind": "EC2NodeClass", "metadata": {"name": "default"}, "spec": {
                "amiSelectorTerms": [{"alias": "al2023@latest"}], "role": "nodes",
            }, "status": {"amis": [{"id": "ami-1", "name": "one", "requirements": []}]}}),
        ),
        (
            "/apis/elbv2.k8s.aws/v1beta1/namespaces/shop/targetgroupbindings",
            json!({"apiVersion": "elbv2.k8s.aws/v1beta1", "kind": "TargetGroupBinding", "metadata": {"name": "web"}, "spec": {
                "targetGroupARN": "arn:aws:elasticloadbalancing:x", "targetType": "ip", "serviceRef": {"name": "web", "port": 80},
            }}),
        ),
    ] {
        create(&cluster, path, &object).await;
    }
    let pools = api.list_node_pools().await.unwrap().unwrap();
    assert_eq!(
        (pools[0].node_class.group.as_str(), pools[0].limits["cpu"].units()),
        ("karpenter.k8s.aws", 100)
    );
    let claims = api.list_node_claims().await.unwrap().unwrap();
    assert_eq!(claims[0].node_pool.as_deref(), Some("general"));
    assert_eq!(
        (claims[0].node_name.as_deref(), claims[0].conditions[0].kind.as_str()),
        (Some("a"), "Drifted")
    );
    let classes = api.list_node_classes().await.unwrap().unwrap();
    assert_eq!(classes[0].ami_selectors[0].alias.as_deref(), Some("al2023@latest"));
    assert_eq!(classes[0].amis, [("ami-1".to_owned(), "one".to_owned())]);
    let bindings = api.list_target_group_bindings().await.unwrap().unwrap();
    assert_eq!(bindings[0].service, NamespacedName::new("shop", "web"));
    let definitions = api.list_custom_resource_definitions().await.unwrap();
    let pools = definitions.iter().find(|one| one.plural == "nodepools").unwrap();
    assert!(!pools.namespaced && pools.versions[0].served && pools.stored_versions.contains("v1beta1"));

    let resource = ResourceType {
        group: "karpenter.sh".to_owned(),
        version: "v1beta1".to_owned(),
        plural: "nodepools".to_owned(),
    };
    let page = api.list_objects(&resource, &PageRequest::first(5)).await.unwrap().unwrap();
    let text: Value = serde_json::from_slice(page.items[0].json.expose()).unwrap();
    assert_eq!(
        (text["kind"].as_str(), text["apiVersion"].as_str()),
        (Some("NodePool"), Some("karpenter.sh/v1beta1"))
    );
    assert!(text["metadata"]["managedFields"].is_null());
}
