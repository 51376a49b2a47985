//! Waiting for change.

use std::collections::BTreeSet;
use std::time::Duration;

use eks_provider::Class;
use eks_provider::kube::{ChangeReader as _, Changed, Cursor, Watched};
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::fake::{Answer, Fake, start};

fn now(resource_version: &str) -> Answer {
    Answer::json(
        &json!({"kind": "PartialObjectMetadataList", "metadata": {"resourceVersion": resource_version}}),
    )
}

fn event(kind: &str, resource_version: &str) -> Value {
    json!({"type": kind, "object": {"kind": "PartialObjectMetadata", "metadata": {"resourceVersion": resource_version}}})
}

fn error(code: u16, message: &str) -> Value {
    json!({"type": "ERROR", "object": {
        "kind": "Status", "apiVersion": "v1", "status": "Failure", "code": code, "reason": "R", "message": message,
    }})
}

fn after(seconds: u64) -> Timestamp {
    start().checked_add(Duration::from_secs(seconds)).unwrap()
}

fn nodes() -> BTreeSet<Watched> {
    BTreeSet::from([Watched::Nodes])
}

const HOUR: u64 = 3600;

/// Where the watches of a test were begun.
fn begun(addresses: &[String]) -> Vec<&str> {
    addresses
        .iter()
        .filter(|address| address.contains("watch=true"))
        .filter_map(|address| address.split("resourceVersion=").nth(1))
        .collect()
}

#[tokio::test(start_paused = true)]
async fn what_comes_together_is_answered_together_and_is_not_told_twice() {
    let fake = Fake::new([
        now("10"),
        Answer::events(&[event("MODIFIED", "11"), event("DELETED", "12"), event("BOOKMARK", "15")]),
        Answer::events(&[]),
    ]);
    let cursor = fake.api.cursor(&nodes()).await.unwrap();
    let changes = fake.api.changed(&nodes(), &cursor, after(HOUR)).await.unwrap();
    assert_eq!(changes.changed, Changed::Some(nodes()));
    let none = fake.api.changed(&nodes(), &changes.cursor, after(30)).await.unwrap();
    assert_eq!((none.changed, none.cursor), (Changed::Nothing, changes.cursor));
    let addresses = fake.addresses();
    assert_eq!(addresses[0], "/api/v1/nodes?limit=1");
    assert_eq!(begun(&addresses), ["10", "15"]);
    assert!(addresses[1].contains("allowWatchBookmarks=true&timeoutSeconds=60"), "{}", addresses[1]);
}

#[tokio::test(start_paused = true)]
async fn a_watch_that_ends_goes_on_where_it_ended() {
    let fake = Fake::new([
        now("10"),
        Answer::events(&[event("BOOKMARK", "20")]).closed(),
        Answer::events(&[]).closed(),
        Answer::events(&[event("ADDED", "21")]),
    ]);
    let cursor = fake.api.cursor(&nodes()).await.unwrap();
    let changes = fake.api.changed(&nodes(), &cursor, after(HOUR)).await.unwrap();
    assert_eq!(changes.changed, Changed::Some(nodes()));
    assert_eq!(begun(&fake.addresses()), ["10", "20", "20"]);
}

#[tokio::test(start_paused = true)]
async fn a_moment_that_is_forgotten_is_perhaps_everything_from_now_on() {
    let too_old = "too old resource version: 10 (900)";
    for answer in [Answer::status(410, "Expired", too_old), Answer::events(&[error(410, too_old)])] {
        let fake = Fake::new([now("10"), answer, now("900"), Answer::events(&[event("ADDED", "901")])]);
        let cursor = fake.api.cursor(&nodes()).await.unwrap();
        let changes = fake.api.changed(&nodes(), &cursor, after(HOUR)).await.unwrap();
        assert_eq!(changes.changed, Changed::Unknown);
        let changes = fake.api.changed(&nodes(), &changes.cursor, after(HOUR)).await.unwrap();
        assert_eq!(changes.changed, Changed::Some(nodes()));
        assert_eq!(begun(&fake.addresses()), ["10", "900"]);
    }
}

#[tokio::test(start_paused = true)]
async fn a_server_that_is_busy_is_left_alone_for_as_long_as_it_says() {
    let busy = || Answer::status(429, "TooManyRequests", "later").header("retry-after", "40");
    let fake = Fake::new([now("10"), busy(), Answer::events(&[event("ADDED", "11")])]);
    let cursor = fake.api.cursor(&nodes()).await.unwrap();
    let began = tokio::time::Instant::now();
    let changes = fake.api.changed(&nodes(), &cursor, after(HOUR)).await.unwrap();
    assert_eq!(changes.changed, Changed::Some(nodes()));
    assert!((40..42).contains(&began.elapsed().as_secs()), "{:?}", began.elapsed());
}

#[tokio::test(start_paused = true)]
async fn out_of_reach_until_the_deadline_is_not_nothing() {
    let away = || Answer::text(503, "upstream connect error");
    let answers = std::iter::once(now("10")).chain((0..9).map(|_| away()));
    let fake = Fake::new(answers);
    let cursor = fake.api.cursor(&nodes()).await.unwrap();
    let error = fake.api.changed(&nodes(), &cursor, after(60)).await.unwrap_err();
    assert_eq!((error.class(), error.operation()), (Class::Transport, "watch nodes"));
    // After 0, 0.5, 1.5, 3.5, 7.5, 15.5, 30.5, 45.5 s; at 60.5 s it is over.
    assert_eq!(fake.seen.lock().unwrap().len(), 1 + 8);
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_dies_without_a_word_is_noticed() {
    let fake = Fake::new([now("10"), Answer::events(&[]), Answer::events(&[event("ADDED", "11")])]);
    let cursor = fake.api.cursor(&nodes()).await.unwrap();
    let changes = fake.api.changed(&nodes(), &cursor, after(HOUR)).await.unwrap();
    assert_eq!(changes.changed, Changed::Some(nodes()));
    assert_eq!(begun(&fake.addresses()), ["10", "10"]);
}

#[tokio::test(start_paused = true)]
async fn what_does_not_go_by_is_said_at_once() {
    let denied = Answer::status(403, "Forbidden", "User \"x\" cannot watch resource \"nodes\"");
    let fake = Fake::new([now("10"), denied]);
    let cursor = fake.api.cursor(&nodes()).await.unwrap();
    let error = fake.api.changed(&nodes(), &cursor, after(HOUR)).await.unwrap_err();
    assert_eq!((error.class(), error.operation()), (Class::Denied, "watch nodes"));

    let fake = Fake::new([]);
    for cursor in ["", "7", "{}", "{\"/api/v1/pods\":\"1\"}"] {
        let error = fake.api.changed(&nodes(), &Cursor::new(cursor), after(HOUR)).await.unwrap_err();
        assert_eq!(error.class(), Class::Invalid);
    }
}

#[tokio::test(start_paused = true)]
async fn node_claims_that_are_not_served_never_change() {
    let claims = BTreeSet::from([Watched::NodeClaims]);
    let missing = || Answer::text(404, "404 page not found");
    let fake = Fake::new([missing(), missing()]);
    let cursor = fake.api.cursor(&claims).await.unwrap();
    let changes = fake.api.changed(&claims, &cursor, after(60)).await.unwrap();
    assert_eq!(changes.changed, Changed::Nothing);
    assert_eq!(fake.seen().len(), 2);
    // Those of an older Karpenter.
    let fake = Fake::new([missing(), now("5"), Answer::events(&[event("ADDED", "6")])]);
    let cursor = fake.api.cursor(&claims).await.unwrap();
    let changes = fake.api.changed(&claims, &cursor, after(60)).await.unwrap();
    assert_eq!(changes.changed, Changed::Some(claims));
    assert!(fake.addresses()[2].starts_with("/apis/karpenter.sh/v1beta1/nodeclaims?watch=true"));
}

#[tokio::test(start_paused = true)]
async fn pods_of_many_nodes_have_one_moment_and_a_watch_each() {
    let watched: BTreeSet<Watched> = ["a", "b"].map(|node| Watched::PodsOnNode(node.to_owned())).into();
    let fake = Fake::new([now("10"), Answer::events(&[event("ADDED", "11")]), Answer::events(&[])]);
    let cursor = fake.api.cursor(&watched).await.unwrap();
    let changes = fake.api.changed(&watched, &cursor, after(60)).await.unwrap();
    let Changed::Some(changed) = changes.changed else { panic!("{changes:?}") };
    assert_eq!(changed.len(), 1);
    let addresses = fake.addresses();
    assert_eq!(addresses[0], "/api/v1/pods?limit=1");
    assert!(addresses[1..].iter().all(|address| address.contains("fieldSelector=spec.nodeName%3D")));
}
