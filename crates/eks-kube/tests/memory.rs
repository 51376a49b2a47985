//! What a list of a big cluster costs in memory: a page, and what the caller keeps.
#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::convert::Infallible;

use eks_kube::KubeApi;
use eks_provider::kube::{PageRequest, PodQuery, PodReader as _};
use http::{Request, Response};
use kube::client::Body;
use serde_json::{Value, json};

const PAGE: u32 = 500;
const PAGES: u32 = 40;

/// A Pod of about 6 kB, as those of clusters are, most of it who wrote which field.
fn pod() -> Value {
    let fields: serde_json::Map<String, Value> =
        (0..120).map(|number| (format!("f:some-longer-name-of-a-field-{number}"), json!({}))).collect();
    json!({
        "metadata": {
            "namespace": "shop", "name": "NAME", "uid": "4b1c7c1e-2f7a-4f0e-9d1a-0a1b2c3d4e5f", "resourceVersion": "123456",
            "labels": {"app": "web", "pod-template-hash": "5d4f8c7b6"},
            "managedFields": [{"manager": "kube-controller-manager", "operation": "Update", "apiVersion": "v1", "fieldsV1": fields}],
        },
        "spec": {
            "nodeName": "ip-10-0-1-17.eu-central-1.compute.internal",
            "containers": [{
                "name": "main", "image": "registry.example.com/team/web:1.2.3",
                "resources": {"requests": {"cpu": "250m", "memory": "256Mi"}},
                "env": (0..10).map(|number| json!({"name": format!("VARIABLE_{number}"), "value": "x".repeat(40)})).collect::<Vec<_>>(),
            }],
            "tolerations": [{"key": "node.kubernetes.io/not-ready", "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 300}],
        },
        "status": {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}], "podIP": "10.0.1.99"},
    })
}

fn kilobytes(key: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix(key)).unwrap();
    line.split_whitespace().next().unwrap().parse().unwrap()
}

#[tokio::test]
async fn a_big_cluster_is_read_in_the_memory_of_a_page() {
    let template = pod().to_string();
    let service = tower::service_fn(move |request: Request<Body>| {
        let query = request.uri().query().unwrap_or_default();
        let page: u32 = query
            .split('&')
            .find_map(|part| part.strip_prefix("continue="))
            .map_or(0, |at| at.parse().unwrap());
        let items: Vec<String> = (0..PAGE)
            .map(|number| template.replacen("NAME", &format!("web-{}", page * PAGE + number), 1))
            .collect();
        let go_on = if page + 1 < PAGES { (page + 1).to_string() } else { String::new() };
        let body = format!(
            r#"{{"kind":"PodList","apiVersion":"v1","metadata":{{"resourceVersion":"1","continue":"{go_on}"}},"items":[{}]}}"#,
            items.join(",")
        );
        async move { Ok::<_, Infallible>(Response::new(Body::from(body.into_bytes()))) }
    });
    let api = KubeApi::over(kube::Client::new(service, "default"));

    let mut request = Some(PageRequest::first(PAGE));
    let mut kept: Vec<(String, String)> = Vec::new();
    let mut after_some = 0;
    let mut pages = 0;
    while let Some(wanted) = request.take() {
        let page = api.list_pods(&PodQuery::default(), &wanted).await.unwrap();
        request = page.next_request(PAGE);
        kept.extend(page.items.into_iter().map(|pod| (pod.meta.name, pod.spec.node_name.unwrap())));
        pages += 1;
        if pages == 4 {
            after_some = kilobytes("VmHWM:");
        }
    }
    assert_eq!(kept.len(), usize::try_from(PAGE * PAGES).unwrap());
    let grown = kilobytes("VmHWM:") - after_some;
    let of_a_pod = pod().to_string().len() as u64;
    let all = of_a_pod * u64::from(PAGE * (PAGES - 4)) / 1024;
    println!(
        "{} Pods of {of_a_pod} B: {after_some} kB after four pages, {grown} kB more at the end",
        kept.len()
    );
    // What is kept is about 150 B a Pod.
    assert!(grown < all / 10, "{grown} kB of {all} kB stayed");
}
