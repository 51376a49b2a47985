//! Tokens for API servers, and idempotency tokens of calls.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use eks_provider::kube::{BearerToken, TokenSource};
use eks_provider::{Clock, ManualClock};
use jiff::Timestamp;

use crate::credentials::Renewing;
use crate::tests::support::{Record, client, numbered};

/// What botocore 1.44.8 signs for the same key, time, region and cluster.
const BOTOCORE: &str = "af675fec1e99bb64589d5f44ad67618fd489d498a9d7212bc64456e2c8cfb327";
/// The same, with the token of a session.
const BOTOCORE_SESSION: &str = "a9bd3a0c52d2e51651addf6f2409b73304195a2ef16492cccfd0e3b9aa24daa6";

/// The address in a token.
pub(crate) fn decoded(token: &BearerToken) -> String {
    let text = std::str::from_utf8(token.value.expose()).unwrap();
    let address = URL_SAFE_NO_PAD.decode(text.strip_prefix("k8s-aws-v1.").unwrap()).unwrap();
    String::from_utf8(address).unwrap()
}

fn parameters(uri: &str) -> BTreeMap<String, String> {
    let (_, query) = uri.split_once('?').unwrap();
    query
        .split('&')
        .map(|pair| pair.split_once('=').unwrap())
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .collect()
}

/// Keys that end when they are told to.
fn keys(end: Option<Timestamp>, session: Option<&'static str>) -> Renewing {
    Renewing::new(Box::new(move || {
        let end = end.map(|end| end.try_into().unwrap());
        let session = session.map(str::to_owned);
        let credentials =
            Credentials::new("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", session, end, "test");
        Box::pin(async move { Some(SharedCredentialsProvider::new(credentials)) })
    }))
}

fn aws(keys: Renewing) -> (crate::Aws, Record) {
    client(|_| None, "eu-west-1", keys)
}

fn noon() -> Arc<ManualClock> {
    Arc::new(ManualClock::new("2026-11-24T12:00:00Z".parse().unwrap()))
}

#[tokio::test]
async fn it_is_a_signed_address_of_sts_for_one_cluster() {
    let (aws, record) = aws(keys(None, None));
    let token = aws.cluster_tokens("shop", noon()).token().await.unwrap();
    let address = decoded(&token);
    assert!(address.starts_with("https://sts.eu-west-1.amazonaws.com/?"), "{address}");
    let found = parameters(&address);
    let expected = [
        ("Action", "GetCallerIdentity"),
        ("Version", "2011-06-15"),
        ("X-Amz-Algorithm", "AWS4-HMAC-SHA256"),
        ("X-Amz-Credential", "AKIDEXAMPLE%2F20261124%2Feu-west-1%2Fsts%2Faws4_request"),
        ("X-Amz-Date", "20261124T120000Z"),
        ("X-Amz-Expires", "60"),
        ("X-Amz-SignedHeaders", "host%3Bx-k8s-aws-id"),
        ("X-Amz-Signature", BOTOCORE),
    ];
    assert_eq!(found, expected.map(|(key, value)| (key.to_owned(), value.to_owned())).into());
    assert_eq!(token.expires_at.to_string(), "2026-11-24T12:14:00Z");
    assert_eq!(record.all().len(), 0, "nothing is sent for a token");
    // Nor is it shown.
    assert!(!format!("{token:?}").contains("k8s-aws-v1"));
}

#[tokio::test]
async fn the_token_of_a_session_is_in_it_and_the_cluster_is_signed() {
    let (aws, _) = aws(keys(None, Some("IQoJ/b3+JpZ==")));
    let of = |cluster: &'static str| {
        let tokens = aws.cluster_tokens(cluster, noon());
        async move { parameters(&decoded(&tokens.token().await.unwrap())) }
    };
    let (shop, other) = (of("shop").await, of("other").await);
    assert_eq!(shop["X-Amz-Security-Token"], "IQoJ%2Fb3%2BJpZ%3D%3D");
    assert_eq!(shop["X-Amz-Signature"], BOTOCORE_SESSION);
    assert_ne!(shop["X-Amz-Signature"], other["X-Amz-Signature"]);
}

#[tokio::test]
async fn whoever_asks_when_it_ends_has_a_good_one_at_any_time() {
    // What an API server of EKS takes.
    let quarter = Duration::from_mins(15);
    let (aws, _) = aws(keys(None, None));
    let clock = noon();
    let tokens = aws.cluster_tokens("shop", Arc::<ManualClock>::clone(&clock));
    let mut held = tokens.token().await.unwrap();
    for _ in 0..120 {
        clock.advance(Duration::from_secs(37));
        if held.expires_at <= clock.now() {
            held = tokens.token().await.unwrap();
        }
        let signed = parameters(&decoded(&held))["X-Amz-Date"].clone();
        let signed = jiff::civil::DateTime::strptime("%Y%m%dT%H%M%SZ", &signed).unwrap();
        let signed = jiff::tz::TimeZone::UTC.to_timestamp(signed).unwrap();
        assert!(clock.now().duration_since(signed).unsigned_abs() < quarter, "signed {signed}");
    }
}

#[tokio::test]
async fn other_partitions_have_other_names() {
    let (aws, _) = client(|_| None, "cn-north-1", numbered());
    let token = aws.cluster_tokens("shop", noon()).token().await.unwrap();
    let address = decoded(&token);
    assert!(address.starts_with("https://sts.cn-north-1.amazonaws.com.cn/?"), "{address}");
    assert!(parameters(&address)["X-Amz-Credential"].contains("%2Fcn-north-1%2Fsts%2F"));
}

#[tokio::test]
async fn it_ends_with_the_credentials_that_signed_it() {
    // The chain's own clock says whether they are still good, so they end far in the future, and the token
    // is signed shortly before that.
    let end: Timestamp = "2126-11-24T12:05:00Z".parse().unwrap();
    let (aws, _) = aws(keys(Some(end), None));
    let clock = Arc::new(ManualClock::new("2126-11-24T12:00:00Z".parse().unwrap()));
    let token = aws.cluster_tokens("shop", clock).token().await.unwrap();
    assert_eq!(token.expires_at, end);
}
