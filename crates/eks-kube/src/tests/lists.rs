//! Lists: pages, moments that are forgotten, objects that cannot be read, words that are not known.

use eks_provider::Class;
use eks_provider::kube::{
    BudgetReader as _, Freshness, NodeQuery, NodeReader as _, PageRequest, PodPhase, PodQuery,
    PodReader as _, TaintEffect,
};
use serde_json::{Value, json};

use crate::fake::{Answer, Fake};

fn pod(name: &str) -> Value {
    json!({"metadata": {"namespace": "shop", "name": name}, "spec": {"containers": []}, "status": {"phase": "Running"}})
}

fn node(name: &str) -> Value {
    json!({"metadata": {"name": name}, "spec": {}})
}

fn expired(go_on: Option<&str>) -> Answer {
    let Some(go_on) = go_on else {
        return Answer::status(410, "Expired", "The provided continue parameter is too old");
    };
    let body = format!(
        r#"{{"kind":"Status","apiVersion":"v1","metadata":{{"continue":"{go_on}"}},"status":"Failure","message":"too old","reason":"Expired","code":410}}"#
    );
    Answer::text(410, &body)
}

#[tokio::test]
async fn everything_is_read_page_by_page_and_sorted() {
    let fake = Fake::new([
        Answer::list("NodeList", &[node("b"), node("c")], "t/1="),
        Answer::list("NodeList", &[], "t2"),
        Answer::list("NodeList", &[node("a")], ""),
    ]);
    let nodes = fake.api.list_nodes(&NodeQuery::default()).await.unwrap();
    assert_eq!(nodes.iter().map(|node| node.meta.name.as_str()).collect::<Vec<_>>(), ["a", "b", "c"]);
    assert_eq!(
        fake.addresses(),
        [
            "/api/v1/nodes?limit=500",
            "/api/v1/nodes?limit=500&continue=t%2F1%3D",
            "/api/v1/nodes?limit=500&continue=t2",
        ]
    );
}

#[tokio::test]
async fn a_whole_list_whose_moment_is_forgotten_is_begun_anew() {
    let fake = Fake::new([
        Answer::list("NodeList", &[node("old")], "t"),
        expired(Some("t-later")),
        Answer::list("NodeList", &[node("torn")], "t3"),
        // Anew.
        Answer::list("NodeList", &[node("a")], "t4"),
        Answer::list("NodeList", &[node("b")], ""),
    ]);
    let nodes = fake.api.list_nodes(&NodeQuery::default()).await.unwrap();
    assert_eq!(nodes.iter().map(|node| node.meta.name.as_str()).collect::<Vec<_>>(), ["a", "b"]);
    assert_eq!(fake.addresses().len(), 5);

    let fake = Fake::new((0..3).flat_map(|_| {
        [Answer::list("NodeList", &[node("a")], "t"), expired(Some("t")), Answer::list("NodeList", &[], "")]
    }));
    let error = fake.api.list_nodes(&NodeQuery::default()).await.unwrap_err();
    assert_eq!((error.class(), error.service_code()), (Class::Conflict, Some("Expired")));
    assert_eq!(fake.addresses().len(), 9);
}

#[tokio::test]
async fn pages_go_on_after_a_forgotten_moment_and_say_that_they_are_of_two() {
    let fake = Fake::new([
        Answer::list("PodList", &[pod("a")], "t1"),
        expired(Some("t1-later")),
        Answer::list("PodList", &[pod("b")], "t2"),
        Answer::list("PodList", &[pod("c")], ""),
        Answer::list("PodList", &[pod("a")], "t1"),
        expired(None),
    ]);
    let query = PodQuery::default();
    let mut request = Some(PageRequest::first(1));
    let mut seen = Vec::new();
    while let Some(wanted) = request.take() {
        let page = fake.api.list_pods(&query, &wanted).await.unwrap();
        request = page.next_request(1);
        seen.push((page.items[0].meta.name.clone(), page.consistent));
    }
    let expected = [("a", true), ("b", false), ("c", false)];
    assert_eq!(seen, expected.map(|(name, consistent)| (name.to_owned(), consistent)));
    // A server that does not say where to go on from: the list is over.
    let page = fake.api.list_pods(&query, &PageRequest::first(1)).await.unwrap();
    let error = fake.api.list_pods(&query, &page.next_request(1).unwrap()).await.unwrap_err();
    assert_eq!((error.class(), error.http_status()), (Class::Conflict, Some(410)));
    assert!(fake.addresses()[2].ends_with("limit=1&continue=t1-later"));
}

#[tokio::test]
async fn a_page_of_something_else_is_refused_without_a_call() {
    let fake = Fake::new([]);
    let request = PageRequest { limit: 1, after: Some("foreign".to_owned()) };
    let error = fake.api.list_pods(&PodQuery::default(), &request).await.unwrap_err();
    assert_eq!(error.class(), Class::Invalid);
    assert!(fake.seen().is_empty());
}

#[tokio::test]
async fn pods_of_a_node_may_come_from_the_cache_and_all_pods_may_not() {
    let fake = Fake::new((0..3).map(|_| Answer::list("PodList", &[], "")));
    let request = PageRequest::first(9);
    let on_node = PodQuery { freshness: Freshness::Any, ..PodQuery::on_node("ip-10-0-1-17") };
    fake.api.list_pods(&on_node, &request).await.unwrap();
    fake.api.list_pods(&PodQuery::on_node("a"), &request).await.unwrap();
    let all = PodQuery { node_name: None, namespace: Some("shop".to_owned()), ..on_node };
    fake.api.list_pods(&all, &request).await.unwrap();
    assert_eq!(
        fake.addresses(),
        [
            "/api/v1/pods?limit=9&fieldSelector=spec.nodeName%3Dip-10-0-1-17&resourceVersion=0&resourceVersionMatch=NotOlderThan",
            "/api/v1/pods?limit=9&fieldSelector=spec.nodeName%3Da",
            "/api/v1/namespaces/shop/pods?limit=9",
        ]
    );
}

#[tokio::test]
async fn an_object_that_cannot_be_read_neither_vanishes_nor_stays_unnamed() {
    // Of the wrong shape: no such object can be taken for something.
    let mut wrong_shape = pod("shape");
    wrong_shape["spec"]["containers"] = json!("none");
    // Of the right shape, with a value that means nothing.
    let mut wrong_value = pod("value");
    wrong_value["spec"]["overhead"] = json!({"cpu": "lots"});
    for (broken, name) in [(wrong_shape, "shop/shape"), (wrong_value, "shop/value")] {
        let fake = Fake::new([Answer::list("PodList", &[pod("a"), broken, pod("c")], "")]);
        let error = fake.api.list_pods(&PodQuery::default(), &PageRequest::first(9)).await.unwrap_err();
        assert_eq!(error.class(), Class::Malformed);
        assert!(error.to_string().contains(name), "{error}");
    }
    let budget = json!({"metadata": {"namespace": "shop", "name": "db"}, "spec": {"minAvailable": "some"}});
    let fake = Fake::new([Answer::list("PodDisruptionBudgetList", &[budget], "")]);
    let error = fake.api.list_budgets().await.unwrap_err();
    assert_eq!(error.class(), Class::Malformed);
    assert!(error.to_string().contains("PodDisruptionBudget shop/db: `some`"), "{error}");
}

#[tokio::test]
async fn words_and_versions_that_are_not_known_are_kept_as_they_are() {
    let mut strange = pod("a");
    strange["status"]["phase"] = json!("Evaporated");
    strange["spec"]["tolerations"] = json!([{"operator": "Near"}]);
    let mut new_node = node("n");
    new_node["spec"]["taints"] = json!([{"key": "k", "effect": "Haunt"}]);
    new_node["status"]["conditions"] = json!([{"type": "Ready", "status": "Maybe"}]);
    new_node["status"]["nodeInfo"] = json!({
        "architecture": "", "bootID": "", "containerRuntimeVersion": "", "kernelVersion": "", "kubeProxyVersion": "",
        "kubeletVersion": "nightly", "machineID": "", "operatingSystem": "", "osImage": "", "systemUUID": "",
    });
    let fake =
        Fake::new([Answer::list("PodList", &[strange], ""), Answer::list("NodeList", &[new_node], "")]);
    let page = fake.api.list_pods(&PodQuery::default(), &PageRequest::first(9)).await.unwrap();
    assert_eq!(page.items[0].phase, PodPhase::Other("Evaporated".to_owned()));
    assert_eq!(page.items[0].spec.tolerations[0].operator.as_str(), "Near");
    let nodes = fake.api.list_nodes(&NodeQuery::default()).await.unwrap();
    assert_eq!(nodes[0].taints[0].effect, TaintEffect::Other("Haunt".to_owned()));
    assert!(!nodes[0].is_ready());
    let kubelet = &nodes[0].info.kubelet_version;
    assert_eq!((kubelet.text(), kubelet.value()), ("nightly", None));
}
