//! Discovery, metadata, Helm, custom resources, and what is not served.

use eks_provider::Class;
use eks_provider::kube::{
    CustomResourceReader as _, EventType, EventWriter as _, HelmReleaseReader as _, HelmStorage,
    LabelSelector, MetadataReader as _, NewEvent, ObjectReader as _, ObjectRef, PageRequest,
    ResourceAttributes, ResourceType, ServerReader as _, ServiceReader as _, WebhookReader as _,
    WebhookTarget, WorkloadKind, WorkloadQuery, WorkloadReader as _,
};
use serde_json::json;

use crate::fake::{Answer, Fake, start};

fn ingresses() -> ResourceType {
    ResourceType {
        group: "networking.k8s.io".to_owned(),
        version: "v1".to_owned(),
        plural: "ingresses".to_owned(),
    }
}

#[tokio::test]
async fn what_is_served_is_read_from_two_answers_and_what_does_not_answer_is_not_nothing() {
    let core = json!({"kind": "APIGroupDiscoveryList", "items": [{"versions": [{"version": "v1", "freshness": "Current", "resources": [
        {"resource": "pods", "responseKind": {"kind": "Pod"}, "scope": "Namespaced", "verbs": ["list", "get"],
         "subresources": [{"subresource": "eviction"}]},
        {"resource": "nodes", "responseKind": {"kind": "Node"}, "scope": "Cluster", "verbs": ["list"]},
    ]}]}]});
    let groups = json!({"kind": "APIGroupDiscoveryList", "items": [
        {"metadata": {"name": "metrics.k8s.io"}, "versions": [{"version": "v1beta1", "freshness": "Stale", "resources": [
            {"resource": "old", "scope": "Cluster"},
        ]}]},
        {"metadata": {"name": "apps"}, "versions": [{"version": "v1", "resources": [
            {"resource": "deployments", "responseKind": {"kind": "Deployment"}, "scope": "Namespaced", "verbs": []},
        ]}]},
    ]});
    let fake = Fake::new([Answer::json(&core), Answer::json(&groups)]);
    let found = fake.api.discovery().await.unwrap();
    let shown: Vec<String> = found.resources.iter().map(|served| served.resource.to_string()).collect();
    assert_eq!(shown, ["nodes/v1", "pods/v1", "deployments.apps/v1"]);
    assert!(found.resources[1].namespaced && found.resources[1].verbs.contains("get"));
    assert_eq!(found.unavailable, ["metrics.k8s.io/v1beta1".to_owned()].into());
}

#[tokio::test]
async fn a_server_that_does_not_put_it_together_is_asked_group_by_group() {
    let fake = Fake::new([
        Answer::json(&json!({"kind": "APIVersions", "versions": ["v1"]})),
        Answer::json(&json!({"kind": "APIResourceList", "resources": [
            {"name": "pods", "kind": "Pod", "namespaced": true, "verbs": ["list"]},
            {"name": "pods/eviction", "kind": "Eviction", "namespaced": true, "verbs": ["create"]},
        ]})),
        Answer::json(&json!({"kind": "APIGroupList", "groups": [
            {"name": "metrics.k8s.io", "versions": [{"groupVersion": "metrics.k8s.io/v1beta1", "version": "v1beta1"}]},
        ]})),
        Answer::text(503, "service unavailable"),
    ]);
    let found = fake.api.discovery().await.unwrap();
    assert_eq!(found.resources.len(), 1);
    assert_eq!(found.unavailable, ["metrics.k8s.io/v1beta1".to_owned()].into());
    assert_eq!(fake.addresses(), ["/api", "/api/v1", "/apis", "/apis/metrics.k8s.io/v1beta1"]);
}

#[tokio::test]
async fn a_server_that_is_not_ready_says_what_is_wrong() {
    let fake = Fake::new([
        Answer::text(200, "[+]ping ok\nreadyz check passed"),
        Answer::text(500, "[+]ping ok\n[-]etcd failed: reason withheld\nreadyz check failed"),
    ]);
    fake.api.readyz().await.unwrap();
    let error = fake.api.readyz().await.unwrap_err();
    assert_eq!(error.class(), Class::Transport);
    assert!(error.to_string().contains("etcd failed") && !error.to_string().contains("ping"), "{error}");
}

#[tokio::test]
async fn what_was_asked_for_that_is_deprecated_is_read_from_the_metrics() {
    let line = "apiserver_requested_deprecated_apis{group=\"x\",removed_release=\"1.39\",resource=\"r\",subresource=\"\",version=\"v1beta1\"} 1\n";
    let fake =
        Fake::new([Answer::text(200, line), Answer::text(200, "apiserver_requested_deprecated_apis{ 1")]);
    let found = fake.api.requested_deprecated_apis().await.unwrap();
    assert_eq!(found[0].removed_release.as_deref(), Some("1.39"));
    assert_eq!(fake.api.requested_deprecated_apis().await.unwrap_err().class(), Class::Malformed);
}

#[tokio::test]
async fn what_the_caller_may_do_is_asked_for_in_full() {
    let fake =
        Fake::new([Answer::json(&json!({"spec": {}, "status": {"allowed": false, "reason": "no role"}}))]);
    let wanted = ResourceAttributes {
        verb: "create".to_owned(),
        resource: "pods".to_owned(),
        subresource: Some("eviction".to_owned()),
        ..ResourceAttributes::default()
    };
    let decision = fake.api.review_self_access(&wanted).await.unwrap();
    assert_eq!((decision.allowed, decision.reason.as_deref()), (false, Some("no role")));
    let seen = fake.seen();
    assert_eq!(seen[0].body["spec"]["resourceAttributes"]["subresource"], "eviction");
}

#[tokio::test]
async fn objects_are_none_where_they_are_not_served_and_secrets_are_not_read() {
    let fake = Fake::new([
        Answer::json(
            &json!({"kind": "IngressList", "apiVersion": "networking.k8s.io/v1", "metadata": {"continue": "t"}, "items": [
                {"metadata": {"namespace": "shop", "name": "web", "uid": "u", "managedFields": [{"manager": "helm"}]}},
            ]}),
        ),
        Answer::text(404, "404 page not found"),
        Answer::json(&json!({"kind": "PartialObjectMetadataList", "items": [{"metadata": {
            "name": "web", "managedFields": [{"manager": "helm", "operation": "Update", "apiVersion": "v1beta1", "fieldsV1": {"f:x": {}}}],
        }}]})),
        Answer::text(404, "404 page not found"),
    ]);
    let request = PageRequest::first(2);
    let page = fake.api.list_objects(&ingresses(), &request).await.unwrap().unwrap();
    let text = String::from_utf8(page.items[0].json.expose().to_vec()).unwrap();
    assert!(text.contains("\"kind\":\"Ingress\"") && !text.contains("managedFields"), "{text}");
    assert_eq!(page.next.as_deref(), Some("=t"));
    assert_eq!(fake.api.list_objects(&ingresses(), &request).await.unwrap(), None);
    let secrets =
        ResourceType { group: String::new(), version: "v1".to_owned(), plural: "secrets".to_owned() };
    assert_eq!(fake.api.list_objects(&secrets, &request).await.unwrap_err().class(), Class::Invalid);
    let page = fake.api.list_metadata(&ingresses(), &request).await.unwrap().unwrap();
    assert_eq!(page.items[0].managed_fields[0].api_version, "v1beta1");
    assert_eq!(fake.api.list_metadata(&ingresses(), &request).await.unwrap(), None);
    let seen = fake.seen();
    assert!(seen[2].headers["accept"].to_str().unwrap().contains("PartialObjectMetadataList"));
}

#[tokio::test]
async fn helm_releases_are_few_at_a_time_and_undone_once() {
    let labels = json!({"owner": "helm", "name": "web", "version": "12", "status": "deployed", "modifiedAt": "1764000000"});
    let meta = json!({"namespace": "shop", "name": "sh.helm.release.v1.web.v12", "labels": labels});
    let fake = Fake::new([
        // "SDRzSQ==", as Helm writes it, once more in base64, as a Secret does.
        Answer::list("SecretList", &[json!({"metadata": meta, "data": {"release": "U0RSelNRPT0="}})], ""),
        Answer::list("ConfigMapList", &[json!({"metadata": meta, "data": {"release": "SDRzSQ=="}})], ""),
        Answer::list(
            "ConfigMapList",
            &[json!({"metadata": {"namespace": "shop", "name": "empty"}, "data": {}})],
            "",
        ),
    ]);
    for storage in [HelmStorage::Secret, HelmStorage::ConfigMap] {
        let page = fake.api.list_helm_releases(storage, &PageRequest::first(500)).await.unwrap();
        let release = &page.items[0];
        assert_eq!(release.payload.expose(), b"SDRzSQ==");
        assert_eq!(
            (release.release.as_str(), release.revision, release.status.as_str()),
            ("web", Some(12), "deployed")
        );
        assert_eq!(release.modified_at, Some("2025-11-24T16:00:00Z".parse().unwrap()));
    }
    let error =
        fake.api.list_helm_releases(HelmStorage::ConfigMap, &PageRequest::first(3)).await.unwrap_err();
    assert!(error.to_string().contains("shop/empty"), "{error}");
    let addresses = fake.addresses();
    assert_eq!(
        addresses[0],
        "/api/v1/secrets?limit=25&labelSelector=owner%3Dhelm%2Cstatus%20notin%20%28superseded%2Cuninstalled%29\
         &fieldSelector=type%3Dhelm.sh%2Frelease.v1"
    );
    assert!(addresses[2].contains("limit=3"));
}

#[tokio::test]
async fn what_is_not_served_is_told_from_what_one_may_not_see() {
    let missing = || Answer::text(404, "404 page not found");
    let denied = || Answer::status(403, "Forbidden", "User \"x\" cannot list resource \"nodepools\"");
    let fake = Fake::new([missing(), missing()]);
    assert_eq!(fake.api.list_node_pools().await.unwrap(), None);
    // Roles are looked at first: "denied" may be about nothing.
    let fake = Fake::new([denied(), missing(), denied(), missing()]);
    assert_eq!(fake.api.list_node_pools().await.unwrap(), None);
    assert_eq!(fake.addresses()[1], "/apis/karpenter.sh/v1");
    let served = Answer::json(&json!({"resources": [{"name": "nodepools", "kind": "NodePool"}]}));
    let fake = Fake::new([denied(), served]);
    assert_eq!(fake.api.list_node_pools().await.unwrap_err().class(), Class::Denied);
    // Whether it is served cannot be found out.
    let fake = Fake::new([denied(), Answer::text(503, "")]);
    assert_eq!(fake.api.list_node_pools().await.unwrap_err().class(), Class::Denied);
    // One version older.
    let pool =
        json!({"metadata": {"name": "p"}, "spec": {"template": {"spec": {"nodeClassRef": {"name": "c"}}}}});
    let fake = Fake::new([missing(), Answer::list("NodePoolList", &[pool], "")]);
    assert_eq!(fake.api.list_node_pools().await.unwrap().unwrap()[0].node_class.name, "c");
}

#[tokio::test]
async fn webhooks_and_definitions_are_read_without_what_is_not_needed() {
    let validating = json!({"metadata": {"name": "v"}, "webhooks": [{
        "name": "w.example.com", "admissionReviewVersions": ["v1"], "sideEffects": "None",
        "clientConfig": {"service": {"namespace": "ops", "name": "hook"}},
        "rules": [{"operations": ["CREATE"], "apiGroups": [""], "apiVersions": ["v1"], "resources": ["pods/eviction"], "scope": "*"}],
        "matchConditions": [{"name": "c", "expression": "true"}],
    }]});
    let fake = Fake::new([
        Answer::list("ValidatingWebhookConfigurationList", &[validating], ""),
        Answer::list("MutatingWebhookConfigurationList", &[], ""),
        Answer::list(
            "CustomResourceDefinitionList",
            &[json!({"metadata": {"name": "things.example.com"}, "spec": {
                "group": "example.com", "names": {"kind": "Thing", "plural": "things"}, "scope": "Namespaced",
                "versions": [{"name": "v1", "served": true, "storage": true, "schema": {"openAPIV3Schema": {"x": [1, {}]}}}],
                "conversion": {"strategy": "Webhook", "webhook": {"conversionReviewVersions": ["v1"], "clientConfig": {"url": "https://x"}}},
            }, "status": {"storedVersions": ["v1beta1", "v1"]}})],
            "",
        ),
    ]);
    let found = fake.api.list_webhook_configurations().await.unwrap();
    let webhook = &found[0].webhooks[0];
    assert!(webhook.rules[0].matches("CREATE", "", "v1", "pods/eviction"));
    assert_eq!(
        (webhook.failure_policy.as_str(), webhook.timeout.as_secs(), webhook.match_conditions),
        ("Fail", 10, 1)
    );
    assert!(matches!(&webhook.target, WebhookTarget::Service { port: 443, .. }));
    let found = fake.api.list_custom_resource_definitions().await.unwrap();
    assert_eq!(found[0].conversion, Some(WebhookTarget::Url("https://x".to_owned())));
    assert_eq!(found[0].stored_versions.len(), 2);
}

#[tokio::test]
async fn workloads_of_each_kind_are_read() {
    let template = json!({"spec": {"containers": [{"name": "c", "image": "i"}]}});
    let spec = json!({"replicas": 3, "selector": {"matchLabels": {"a": "b"}}, "template": template});
    let object = |spec: &serde_json::Value, status: serde_json::Value| {
        Answer::list(
            "List",
            &[
                json!({"metadata": {"namespace": "s", "name": "w", "generation": 2}, "spec": spec, "status": status}),
            ],
            "",
        )
    };
    let fake = Fake::new([
        object(
            &spec,
            json!({"observedGeneration": 2, "replicas": 3, "updatedReplicas": 3, "readyReplicas": 3, "availableReplicas": 3}),
        ),
        object(
            &spec,
            json!({"observedGeneration": 2, "replicas": 3, "readyReplicas": 2, "availableReplicas": 1}),
        ),
        object(&spec, json!({"replicas": 3, "updatedReplicas": 1})),
        object(
            &spec,
            json!({"currentNumberScheduled": 5, "desiredNumberScheduled": 6, "numberMisscheduled": 0, "numberReady": 4}),
        ),
        object(
            &json!({"parallelism": 2, "completions": 9, "suspend": true, "template": template}),
            json!({"active": 2, "succeeded": 4}),
        ),
        object(&json!({"selector": {"a": "b"}, "template": template}), json!({"replicas": 1})),
    ]);
    let mut found = Vec::new();
    for kind in WorkloadKind::ALL {
        let page = fake.api.list_workloads(&WorkloadQuery::all(kind), &PageRequest::first(5)).await.unwrap();
        found.extend(page.items);
    }
    let desired: Vec<u32> = found.iter().map(|workload| workload.desired).collect();
    assert_eq!(desired, [3, 3, 3, 6, 2, 1]);
    assert_eq!(found.iter().map(|workload| workload.kind).collect::<Vec<_>>(), WorkloadKind::ALL);
    assert!(found[0].is_rolled_out() && !found[2].is_rolled_out());
    assert_eq!((found[3].status.replicas, found[3].status.ready), (5, 4));
    assert_eq!((found[4].completions, found[4].paused, found[4].status.succeeded), (Some(9), true, 4));
    let selector =
        LabelSelector { match_labels: [("a".to_owned(), "b".to_owned())].into(), ..LabelSelector::default() };
    assert_eq!(found[5].selector, Some(selector));
    assert!(found.iter().all(|workload| workload.template.spec.containers[0].image == "i"));
}

#[tokio::test]
async fn endpoints_of_a_service_are_those_of_all_its_slices() {
    let slice = |address: &str, conditions: serde_json::Value| json!({"metadata": {"name": address}, "addressType": "IPv4", "endpoints": [{"addresses": [address], "conditions": conditions}]});
    let fake = Fake::new([Answer::list(
        "EndpointSliceList",
        &[
            slice("10.0.0.1", json!({})),
            slice("10.0.0.2", json!({"ready": false, "serving": true, "terminating": true})),
        ],
        "",
    )]);
    let found = fake.api.list_endpoints("shop", "web").await.unwrap();
    assert_eq!((found[0].ready, found[0].serving, found[0].terminating), (true, true, false));
    assert_eq!((found[1].ready, found[1].serving, found[1].terminating), (false, true, true));
    assert!(fake.addresses()[0].contains("labelSelector=kubernetes.io%2Fservice-name%3Dweb"));
}

#[tokio::test]
async fn an_event_about_a_node_is_told_in_the_default_namespace() {
    let fake = Fake::new([
        Answer::json(&json!({"metadata": {"name": "e"}})),
        Answer::status(409, "AlreadyExists", "exists"),
    ]);
    let event = NewEvent {
        name: "e".to_owned(),
        regarding: ObjectRef {
            api_version: "v1".to_owned(),
            kind: "Node".to_owned(),
            namespace: None,
            name: "n".to_owned(),
            uid: None,
        },
        kind: EventType::Normal,
        reason: "Draining".to_owned(),
        action: "Drain".to_owned(),
        note: "by a roll".to_owned(),
        reporting_controller: "eks-roll-nodes".to_owned(),
        reporting_instance: "run-1".to_owned(),
        event_time: start(),
    };
    fake.api.create_event(&event).await.unwrap();
    assert_eq!(fake.api.create_event(&event).await.unwrap_err().class(), Class::Conflict);
    let seen = fake.seen();
    assert_eq!(seen[0].address, "/apis/events.k8s.io/v1/namespaces/default/events?fieldManager=eks-upgrade");
    assert_eq!(seen[0].body["eventTime"], "2026-11-24T12:00:00.000000Z");
}
