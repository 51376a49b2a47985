//! One call: tokens, time, refusals that say when, and what did not come from the API server.

use std::sync::Arc;
use std::time::Duration;

use eks_provider::kube::{BearerToken, NodeReader as _, ServerReader as _};
use eks_provider::mock::MockTokenSource;
use eks_provider::{Class, Sensitive};
use serde_json::{Value, json};

use crate::fake::{Answer, Fake};

fn tokens(values: &[&str]) -> Arc<MockTokenSource> {
    let mut source = MockTokenSource::new();
    let mut values: Vec<String> = values.iter().rev().map(|value| (*value).to_owned()).collect();
    source.expect_token().returning(move || {
        let value = Sensitive::new(values.pop().expect("no more tokens are asked for").into_bytes());
        Ok(BearerToken { value, expires_at: "2026-11-24T12:15:00Z".parse().unwrap() })
    });
    Arc::new(source)
}

fn node() -> Value {
    json!({"metadata": {"name": "a", "uid": "u", "resourceVersion": "1"}, "status": {"nodeInfo": {
        "architecture": "amd64", "bootID": "", "containerRuntimeVersion": "", "kernelVersion": "",
        "kubeProxyVersion": "", "kubeletVersion": "v1.34.2", "machineID": "", "operatingSystem": "linux",
        "osImage": "", "systemUUID": "",
    }}})
}

#[tokio::test(start_paused = true)]
async fn a_token_that_is_not_accepted_is_renewed_once_and_the_call_is_made_again() {
    let refused = || Answer::status(401, "Unauthorized", "Unauthorized");
    let fake =
        Fake::with_tokens([refused(), Answer::json(&node()), Answer::json(&node())], tokens(&["one", "two"]));
    assert_eq!(fake.api.get_node("a").await.unwrap().meta.name, "a");
    fake.api.get_node("a").await.unwrap();
    let bearers: Vec<String> = fake.seen().iter().map(|seen| seen.bearer().to_owned()).collect();
    assert_eq!(bearers, ["Bearer one", "Bearer two", "Bearer two"]);

    let fake = Fake::with_tokens([refused(), refused()], tokens(&["one", "two"]));
    let error = fake.api.get_node("a").await.unwrap_err();
    assert_eq!((error.class(), error.operation()), (Class::Unauthenticated, "get nodes"));
    assert_eq!(fake.seen().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_token_is_renewed_before_it_ends() {
    let fake = Fake::with_tokens([Answer::json(&node()), Answer::json(&node())], tokens(&["one", "two"]));
    fake.api.get_node("a").await.unwrap();
    tokio::time::advance(Duration::from_mins(14)).await;
    fake.api.get_node("a").await.unwrap();
    let bearers: Vec<String> = fake.seen().iter().map(|seen| seen.bearer().to_owned()).collect();
    assert_eq!(bearers, ["Bearer one", "Bearer two"]);
}

#[tokio::test]
async fn when_to_come_back_is_said_by_the_header_or_by_the_body() {
    let limited = || Answer::status(429, "TooManyRequests", "too many requests, please try again later");
    let in_body = Answer::refusal(429, "TooManyRequests", "later", &json!({"retryAfterSeconds": 7}));
    let fake = Fake::new([limited().header("retry-after", "3"), in_body, limited()]);
    for wait in [Some(3), Some(7), None] {
        let error = fake.api.get_node("a").await.unwrap_err();
        assert_eq!(error.class(), Class::Throttled);
        assert_eq!(error.wait_asked_for(), wait.map(Duration::from_secs));
    }
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_does_not_come_is_not_waited_for_for_ever() {
    let fake = Fake::new([Answer::silent(), Answer::events(&[])]);
    let error = fake.api.get_node("a").await.unwrap_err();
    assert_eq!(error.class(), Class::Timeout);
    assert_eq!(error.to_string(), "get nodes on node a: no answer in time: nothing came within 65 s");
    // An answer that begins and does not end is none either.
    let api = fake.api.clone().with_timeout(Duration::from_secs(2));
    assert_eq!(api.get_node("a").await.unwrap_err().class(), Class::Timeout);
}

#[tokio::test]
async fn each_refusal_has_its_class_and_says_what_the_server_said() {
    for (answer, class, said) in [
        (
            Answer::refusal(404, "NotFound", "nodes \"a\" not found", &json!({"name": "a", "kind": "nodes"})),
            Class::NotFound,
            "get nodes on node a: not found: nodes \"a\" not found (NotFound, request r-1)",
        ),
        (
            Answer::status(
                403,
                "Forbidden",
                "nodes \"a\" is forbidden: User \"x\" cannot get resource \"nodes\"",
            ),
            Class::Denied,
            "get nodes on node a: denied: nodes \"a\" is forbidden: User \"x\" cannot get resource \"nodes\" (Forbidden, request r-1)",
        ),
        (
            Answer::status(409, "Conflict", "c"),
            Class::Conflict,
            "get nodes on node a: conflict: c (Conflict, request r-1)",
        ),
        (
            Answer::status(410, "Expired", "e"),
            Class::Conflict,
            "get nodes on node a: conflict: e (Expired, request r-1)",
        ),
        (
            Answer::status(422, "Invalid", "i"),
            Class::Invalid,
            "get nodes on node a: invalid request: i (Invalid, request r-1)",
        ),
        (
            Answer::refusal(
                422,
                "Invalid",
                "i",
                &json!({"causes": [{"reason": "FieldValueInvalid", "field": "metadata.uid"}]}),
            ),
            Class::Conflict,
            "get nodes on node a: conflict: i (Invalid, request r-1)",
        ),
        (
            Answer::status(500, "InternalError", "o"),
            Class::Transport,
            "get nodes on node a: out of reach: o (InternalError, request r-1)",
        ),
        (
            Answer::status(504, "Timeout", "t"),
            Class::Transport,
            "get nodes on node a: out of reach: t (Timeout, request r-1)",
        ),
        // Something on the way answers for the API server.
        (
            Answer::text(403, "<html>\n blocked by the proxy </html>"),
            Class::Denied,
            "get nodes on node a: denied: <html> blocked by the proxy </html> (status 403, request r-1)",
        ),
        (
            Answer::text(200, "<html>"),
            Class::Malformed,
            "get nodes on node a: unreadable answer: expected value at line 1 column 1",
        ),
        (Answer::text(302, ""), Class::Other, "get nodes on node a: failed (status 302, request r-1)"),
    ] {
        let fake = Fake::new([answer.header("audit-id", "r-1")]);
        let error = fake.api.get_node("a").await.unwrap_err();
        assert_eq!((error.class(), error.to_string().as_str()), (class, said));
    }
}

#[tokio::test]
async fn an_object_that_cannot_be_read_is_malformed_and_named() {
    let mut broken = node();
    broken["status"]["capacity"] = json!({"cpu": "lots"});
    let fake = Fake::new([Answer::json(&broken)]);
    let error = fake.api.get_node("a").await.unwrap_err();
    assert_eq!(error.class(), Class::Malformed);
    assert!(error.to_string().contains("node a") && error.to_string().contains("`lots`"), "{error}");
}

#[tokio::test]
async fn the_version_that_is_played_is_read() {
    let fake = Fake::new([Answer::json(&json!({
        "major": "1", "minor": "37", "gitVersion": "v1.37.2", "platform": "linux/amd64",
        "emulationMajor": "1", "emulationMinor": "35",
    }))]);
    let version = fake.api.server_version().await.unwrap();
    assert_eq!(version.kube_minor().unwrap(), eks_model::KubeMinor::new(35));
    assert_eq!(fake.addresses(), ["/version"]);
}
