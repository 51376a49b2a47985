//! Writers: what is tested before anything is changed, and what a refusal means.

use std::collections::BTreeMap;
use std::time::Duration;

use eks_provider::Class;
use eks_provider::kube::{
    ConfigMapWriter as _, Lease, LeaseWriter as _, NodePatch, NodeWriter as _, ObjectMeta, RestartWorkload,
    ScaleWorkload, SetImage, WorkloadKind, WorkloadRef, WorkloadWriter as _,
};
use eks_provider::mock::sample;
use http::Method;
use serde_json::{Value, json};

use crate::fake::{Answer, Fake, start};

fn cannot() -> Answer {
    Answer::status(422, "Invalid", "the server rejected our request due to an error in our request")
}

fn node(resource_version: &str, uid: &str, annotations: Option<Value>) -> Value {
    let mut node = json!({"metadata": {
        "name": "n", "uid": uid, "resourceVersion": resource_version, "labels": {"a": "b"},
    }});
    if let Some(annotations) = annotations {
        node["metadata"]["annotations"] = annotations;
    }
    node
}

fn patch() -> NodePatch {
    let mut node = sample::node("n");
    (node.meta.uid, node.meta.resource_version) = ("u".to_owned(), "7".to_owned());
    NodePatch::of(&node).annotate("ours", "x")
}

#[tokio::test]
async fn a_patch_of_a_node_that_has_moved_is_a_conflict_that_says_so() {
    for (found, said) in [
        (node("8", "u", None), "it was changed since it was read (resourceVersion 7, now 8)"),
        (node("7", "other", None), "it is another node of the same name by now"),
    ] {
        let fake = Fake::new([cannot(), Answer::json(&found)]);
        let error = fake.api.patch_node(&patch()).await.unwrap_err();
        assert_eq!(error.class(), Class::Conflict);
        assert!(error.to_string().contains(said), "{error}");
        assert_eq!(fake.seen()[0].address, "/api/v1/nodes/n?fieldManager=eks-upgrade");
    }
    // Who may only patch is told the likeliest.
    let denied = Answer::status(403, "Forbidden", "User \"x\" cannot get resource \"nodes\"");
    let fake = Fake::new([cannot(), denied]);
    assert_eq!(fake.api.patch_node(&patch()).await.unwrap_err().class(), Class::Conflict);
    let gone = Answer::status(404, "NotFound", "nodes \"n\" not found");
    let fake = Fake::new([cannot(), gone]);
    assert_eq!(fake.api.patch_node(&patch()).await.unwrap_err().class(), Class::NotFound);
}

#[tokio::test]
async fn a_map_that_a_node_does_not_have_is_made_first() {
    let fake = Fake::new([
        cannot(),
        Answer::json(&node("7", "u", None)),
        Answer::json(&node("8", "u", Some(json!({"ours": "x"})))),
    ]);
    let patched = fake.api.patch_node(&patch().dry_run()).await.unwrap();
    assert_eq!(patched.meta.annotations["ours"], "x");
    let seen = fake.seen();
    assert!(seen[2].address.ends_with("dryRun=All"));
    assert_eq!(seen[2].body[2], json!({"op": "add", "path": "/metadata/annotations", "value": {}}));
    assert_eq!(seen[0].headers["content-type"], "application/json-patch+json");

    // What is still refused is not tried for ever.
    let whole = || Answer::json(&node("7", "u", Some(json!({}))));
    let fake = Fake::new([cannot(), whole()]);
    assert_eq!(fake.api.patch_node(&patch()).await.unwrap_err().class(), Class::Invalid);
}

#[tokio::test]
async fn a_node_is_deleted_by_its_uid() {
    let fake = Fake::new([Answer::json(&json!({"kind": "Status", "status": "Success"}))]);
    fake.api.delete_node("n", "u").await.unwrap();
    let seen = fake.seen();
    assert_eq!((&seen[0].method, &seen[0].body["preconditions"]), (&Method::DELETE, &json!({"uid": "u"})));
}

fn lease() -> Lease {
    Lease {
        lease_duration: Some(Duration::from_millis(1500)),
        renew_time: Some(start()),
        ..sample::lease("kube-system", "run")
    }
}

#[tokio::test]
async fn a_lease_is_replaced_only_in_the_state_that_was_read() {
    let answer = json!({"metadata": {"name": "run", "uid": "u", "resourceVersion": "8"}, "spec": {
        "holderIdentity": "", "leaseDurationSeconds": 2, "renewTime": "2026-11-24T12:00:00.000000Z",
    }});
    let conflict = Answer::status(409, "Conflict", "the object has been modified");
    let fake = Fake::new([Answer::json(&answer), conflict]);
    let mut wanted = lease();
    (wanted.meta.uid, wanted.meta.resource_version) = ("u".to_owned(), "7".to_owned());
    let new = fake.api.update_lease(&wanted).await.unwrap();
    assert_eq!((new.holder_identity, new.renew_time), (None, Some(start())));
    assert_eq!(fake.api.update_lease(&wanted).await.unwrap_err().class(), Class::Conflict);
    let seen = fake.seen();
    assert_eq!(seen[0].method, Method::PUT);
    assert_eq!(
        (&seen[0].body["metadata"]["uid"], &seen[0].body["metadata"]["resourceVersion"]),
        (&json!("u"), &json!("7"))
    );
    // A part of a second is not lost.
    assert_eq!(seen[0].body["spec"]["leaseDurationSeconds"], 2);
    assert_eq!(seen[0].body["spec"]["renewTime"], "2026-11-24T12:00:00.000000Z");
}

#[tokio::test]
async fn what_was_never_read_is_not_changed_whatever_its_state() {
    let fake = Fake::new([]);
    let mut never_read = lease();
    never_read.meta.resource_version = String::new();
    let read = ObjectMeta { uid: String::new(), ..sample::lease("a", "b").meta };
    for error in [
        fake.api.update_lease(&never_read).await.unwrap_err(),
        fake.api.delete_lease(&never_read).await.unwrap_err(),
        fake.api.patch_config_map(&read, &BTreeMap::new()).await.unwrap_err(),
        fake.api.delete_config_map(&read).await.unwrap_err(),
    ] {
        assert_eq!(error.class(), Class::Invalid, "{error}");
    }
    assert!(fake.seen().is_empty());
}

#[tokio::test]
async fn keys_of_a_config_map_are_set_and_taken_away_in_the_state_that_was_read() {
    let fake = Fake::new([Answer::json(&json!({"metadata": {"name": "c"}, "data": {"a": "1"}}))]);
    let read = ObjectMeta {
        name: "c".to_owned(),
        namespace: Some("n".to_owned()),
        uid: "u".to_owned(),
        resource_version: "7".to_owned(),
        ..ObjectMeta::default()
    };
    let data = BTreeMap::from([("a".to_owned(), Some("1".to_owned())), ("b".to_owned(), None)]);
    assert_eq!(fake.api.patch_config_map(&read, &data).await.unwrap().data["a"], "1");
    let seen = fake.seen();
    assert_eq!(
        seen[0].body,
        json!({"metadata": {"uid": "u", "resourceVersion": "7"}, "data": {"a": "1", "b": null}})
    );
}

fn web(kind: WorkloadKind) -> WorkloadRef {
    WorkloadRef { kind, namespace: "shop".to_owned(), name: "web".to_owned() }
}

fn set_image() -> SetImage {
    SetImage {
        workload: web(WorkloadKind::DaemonSet),
        uid: "u".to_owned(),
        container: "proxy".to_owned(),
        from: "a:1".to_owned(),
        to: "a:2".to_owned(),
    }
}

fn daemon_set(uid: &str, image: &str) -> Value {
    json!({"metadata": {"name": "web", "namespace": "shop", "uid": uid}, "spec": {
        "selector": {},
        "template": {"spec": {
            "containers": [{"name": "main", "image": "m"}],
            "initContainers": [{"name": "init", "image": "i"}, {"name": "proxy", "image": image}],
        }},
    }})
}

#[tokio::test]
async fn an_image_is_set_where_it_is_the_one_that_was_read() {
    let fake = Fake::new([Answer::json(&daemon_set("u", "a:1")), Answer::json(&daemon_set("u", "a:2"))]);
    let after = fake.api.set_image(&set_image()).await.unwrap();
    assert_eq!(after.template.spec.init_containers[1].image, "a:2");
    let seen = fake.seen();
    // The first is a patch that changes nothing: the permission to patch is enough.
    assert_eq!((&seen[0].method, &seen[0].body), (&Method::PATCH, &json!({"metadata": {"uid": "u"}})));
    assert_eq!(
        seen[1].body,
        json!([
            {"op": "test", "path": "/metadata/uid", "value": "u"},
            {"op": "test", "path": "/spec/template/spec/initContainers/1/name", "value": "proxy"},
            {"op": "test", "path": "/spec/template/spec/initContainers/1/image", "value": "a:1"},
            {"op": "replace", "path": "/spec/template/spec/initContainers/1/image", "value": "a:2"},
        ])
    );
    for (found, class, said) in [
        (daemon_set("u", "a:9"), Class::Conflict, "container proxy has the image a:9 and not a:1"),
        (daemon_set("other", "a:1"), Class::Conflict, "another object of the same name"),
        (
            json!({"metadata": {"uid": "u"}, "spec": {"template": {"spec": {"containers": []}}}}),
            Class::Invalid,
            "no container proxy",
        ),
    ] {
        let fake = Fake::new([Answer::json(&found)]);
        let error = fake.api.set_image(&set_image()).await.unwrap_err();
        assert_eq!(error.class(), class);
        assert!(error.to_string().contains(said), "{error}");
    }
    // Changed between the two calls.
    let fake = Fake::new([Answer::json(&daemon_set("u", "a:1")), cannot()]);
    assert_eq!(fake.api.set_image(&set_image()).await.unwrap_err().class(), Class::Conflict);
}

#[tokio::test]
async fn a_number_is_set_where_it_is_the_one_that_was_read_whatever_else_changes() {
    let scale = |version: &str, replicas: Option<u32>| {
        Answer::json(
            &json!({"metadata": {"uid": "u", "resourceVersion": version}, "spec": {"replicas": replicas}}),
        )
    };
    let request =
        |from| ScaleWorkload { workload: web(WorkloadKind::Deployment), uid: "u".to_owned(), from, to: 5 };
    let conflict = Answer::status(409, "Conflict", "the object has been modified");
    let fake = Fake::new([scale("7", Some(3)), conflict, scale("8", Some(3)), scale("9", Some(5))]);
    fake.api.scale_workload(&request(3)).await.unwrap();
    let seen = fake.seen();
    assert_eq!(
        seen[3].address,
        "/apis/apps/v1/namespaces/shop/deployments/web/scale?fieldManager=eks-upgrade"
    );
    assert_eq!(seen[3].body["metadata"], json!({"uid": "u", "resourceVersion": "8"}));
    // 0 is not written down.
    let fake = Fake::new([scale("7", None), scale("8", Some(5))]);
    fake.api.scale_workload(&request(0)).await.unwrap();
    let fake = Fake::new([scale("7", Some(4))]);
    let error = fake.api.scale_workload(&request(3)).await.unwrap_err();
    assert_eq!(error.class(), Class::Conflict);
    assert!(error.to_string().contains("it is to have 4 Pods and not 3"), "{error}");
}

#[tokio::test]
async fn a_restart_says_when_and_what_cannot_be_restarted_is_refused() {
    let fake = Fake::new([Answer::json(&daemon_set("u", "a:1"))]);
    let mut request =
        RestartWorkload { workload: web(WorkloadKind::DaemonSet), uid: "u".to_owned(), at: start() };
    fake.api.restart_workload(&request).await.unwrap();
    request.workload = web(WorkloadKind::Job);
    let error = fake.api.restart_workload(&request).await.unwrap_err();
    assert_eq!(error.class(), Class::Invalid);
    let seen = fake.seen();
    assert_eq!(
        seen[0].body["spec"]["template"]["metadata"]["annotations"],
        json!({"kubectl.kubernetes.io/restartedAt": "2026-11-24T12:00:00Z"})
    );
    assert_eq!(seen.len(), 1);
}
