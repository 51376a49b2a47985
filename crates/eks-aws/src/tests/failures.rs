//! Each kind of failure, in each protocol.

use eks_provider::aws::{
    AutoScalingInstanceWriter, ClusterReader, IdentityReader, NodegroupReader, TerminateInstance,
    UpdateReader, UpdateScope,
};
use eks_provider::kube::TokenSource;
use eks_provider::{Class, ManualClock};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use crate::credentials::Renewing;
use crate::tests::support::{Protocol, answer, attempts, client, recorded, unanswered};

/// Class, status, code and message of a refusal, by service.
fn refusals(protocol: Protocol) -> Vec<(Class, u16, &'static str, &'static str)> {
    match protocol {
        Protocol::RestJson => vec![
            (Class::NotFound, 404, "ResourceNotFoundException", "No cluster found for name: shop."),
            (Class::Denied, 403, "AccessDeniedException", "no identity-based policy allows it"),
            (Class::Unauthenticated, 403, "UnrecognizedClientException", "The security token is invalid"),
            (Class::Throttled, 429, "ThrottlingException", "Rate exceeded"),
            (Class::Conflict, 400, "InvalidStateException", "upgrade readiness issues"),
            (Class::Conflict, 400, "InvalidRequestException", "Unsupported Kubernetes minor version update"),
            (Class::InProgress, 409, "ResourceInUseException", "Cluster already has an update"),
            (Class::InProgress, 428, "ResourcePropagationDelayException", "try again"),
            (Class::Invalid, 400, "InvalidParameterException", "bad"),
            (Class::Transport, 500, "ServerException", "internal"),
            (Class::Transport, 503, "ServiceUnavailableException", "busy"),
        ],
        Protocol::Query => vec![
            (Class::NotFound, 400, "ValidationError", "AutoScalingGroup name not found - null"),
            (Class::Denied, 403, "AccessDenied", "User is not authorized"),
            (Class::Unauthenticated, 403, "ExpiredToken", "The security token has expired"),
            (Class::Throttled, 400, "Throttling", "Rate exceeded"),
            (Class::Conflict, 400, "AlreadyExists", "there is one by this name"),
            (Class::InProgress, 400, "ScalingActivityInProgress", "Activity x is in progress"),
            (Class::InProgress, 500, "ResourceContention", "You already have a pending update"),
            (Class::Invalid, 400, "ValidationError", "Max bound is less than min bound"),
            (Class::Transport, 500, "InternalFailure", "sorry"),
        ],
        Protocol::Ec2 => vec![
            (Class::NotFound, 400, "InvalidInstanceID.NotFound", "The instance ID i-1 does not exist"),
            (Class::NotFound, 400, "InvalidLaunchTemplateId.VersionNotFound", "no version 9"),
            (Class::Denied, 403, "UnauthorizedOperation", "You are not authorized"),
            (Class::Unauthenticated, 401, "AuthFailure", "not able to validate the credentials"),
            (Class::Throttled, 503, "RequestLimitExceeded", "Request limit exceeded."),
            (Class::Conflict, 400, "IncorrectInstanceState", "The instance is not running"),
            (Class::Conflict, 500, "InsufficientInstanceCapacity", "no m5.large in eu-west-1a"),
            (Class::Conflict, 400, "InsufficientFreeAddressesInSubnet", "no free address"),
            (Class::Invalid, 400, "InvalidParameterValue", "bad"),
            (Class::Transport, 503, "Unavailable", "overloaded"),
            (Class::Transport, 500, "InternalError", "internal"),
        ],
        Protocol::Json => vec![
            (Class::NotFound, 400, "ParameterNotFound", ""),
            (Class::Denied, 400, "AccessDeniedException", "not authorized"),
            (Class::Unauthenticated, 400, "ExpiredTokenException", "expired"),
            (Class::Throttled, 400, "ThrottlingException", "Rate exceeded"),
            (Class::Invalid, 400, "ValidationException", "bad"),
            (Class::Transport, 500, "InternalServerError", "internal"),
        ],
    }
}

#[tokio::test]
async fn a_refusal_says_which_call_on_what_why_and_where_to_ask() {
    for protocol in Protocol::ALL {
        for (class, status, code, message) in refusals(protocol) {
            let (aws, _) = recorded(move |_| protocol.refusal(status, code, message));
            let error = protocol.call(&aws).await.unwrap_err();
            let (operation, target) = protocol.name();
            assert_eq!(error.class(), class, "{error}");
            assert_eq!((error.operation(), error.target()), (operation, target));
            assert_eq!(error.service_code(), Some(code), "{error}");
            assert_eq!(error.http_status(), Some(status), "{error}");
            assert_eq!(error.service_message().unwrap_or_default(), message, "{error}");
            assert_eq!(error.service_request_id(), Some("r-1"), "{error}");
        }
    }
}

#[tokio::test]
async fn no_answer_in_time_is_one_after_the_time_of_a_call() {
    for protocol in Protocol::ALL {
        let (aws, record) = unanswered();
        let error = protocol.call(&aws).await.unwrap_err();
        assert_eq!(error.class(), Class::Timeout, "{error}");
        assert!(record.waits().contains(&crate::CALL_TIMEOUT), "{protocol:?}");
    }
}

#[tokio::test]
async fn what_something_on_the_way_says_is_not_the_service_s_no() {
    for protocol in Protocol::ALL {
        for (status, class) in [(404, Class::Malformed), (403, Class::Denied), (502, Class::Transport)] {
            let (aws, _) = recorded(move |_| answer(status, "<!doctype html><title>no</title>"));
            let error = protocol.call(&aws).await.unwrap_err();
            assert_eq!((error.class(), error.service_code()), (class, None), "{protocol:?} {error}");
            assert!(error.to_string().contains(&format!("status {status}")), "{error}");
        }
    }
}

#[tokio::test]
async fn an_answer_that_nobody_can_read_is_malformed() {
    for protocol in Protocol::ALL {
        let (aws, _) = recorded(|_| answer(200, "\u{1}{]"));
        let error = protocol.call(&aws).await.unwrap_err();
        assert_eq!(error.class(), Class::Malformed, "{protocol:?} {error}");
        assert!(error.class().may_have_had_effect());
    }
}

#[tokio::test]
async fn a_field_that_must_be_there_is_named() {
    let (aws, _) = recorded(|sent| {
        let body = if sent.uri.contains("/updates/") {
            r#"{"update":{"id":"u-1","type":"VersionUpdate"}}"#
        } else if sent.uri.contains("/node-groups/") {
            r#"{"nodegroup":{"nodegroupName":"web"}}"#
        } else {
            r#"{"cluster":{"name":"shop","version":"1.34"}}"#
        };
        answer(200, body)
    });
    let missing = |error: eks_provider::ProviderError| {
        assert_eq!(error.class(), Class::Malformed);
        error.service_message().unwrap().to_owned()
    };
    let error = aws.describe_cluster("shop").await.unwrap_err();
    assert_eq!(missing(error), "the answer has no cluster.arn");
    let error = aws.describe_update(&UpdateScope::cluster("shop"), "u-1").await.unwrap_err();
    assert_eq!(missing(error), "the answer has no update.status");
    let error = aws.describe_nodegroup("shop", "web").await.unwrap_err();
    assert_eq!(missing(error), "the answer has no nodegroup.scalingConfig");
}

#[tokio::test]
async fn throttled_calls_are_sent_again_and_those_with_effect_are_not() {
    let (aws, sent) = recorded(|_| Protocol::RestJson.refusal(429, "ThrottlingException", ""));
    let error = aws.describe_cluster("shop").await.unwrap_err();
    assert_eq!(error.class(), Class::Throttled);
    assert_eq!(sent.all().len(), attempts());
    // All of it within the time of a call: else it would be a time-out, of which nobody knows what it did.
    let waits: Duration = sent.waits().iter().filter(|wait| **wait != crate::CALL_TIMEOUT).sum();
    assert!(waits > Duration::ZERO && waits < crate::CALL_TIMEOUT / 2, "{waits:?}");

    // Not even after an answer that says nothing: somebody must look first.
    let (aws, sent) = recorded(|_| answer(500, ""));
    let request = TerminateInstance {
        instance_id: "i-1".to_owned(),
        group: "web".to_owned(),
        decrement_desired_capacity: true,
    };
    let error = aws.terminate_instance_in_auto_scaling_group(&request).await.unwrap_err();
    assert_eq!(error.class(), Class::Transport);
    assert_eq!(sent.all().len(), 1);
}

#[tokio::test]
async fn a_short_trouble_is_not_noticed() {
    let calls = AtomicUsize::new(0);
    let (aws, sent) = recorded(move |_| match calls.fetch_add(1, Ordering::SeqCst) {
        0 => Protocol::RestJson.refusal(503, "ServiceUnavailableException", ""),
        1 => Protocol::RestJson.refusal(429, "ThrottlingException", ""),
        _ => answer(200, r#"{"clusters":["shop"]}"#),
    });
    assert_eq!(aws.list_clusters().await.unwrap(), ["shop"]);
    assert_eq!(sent.all().len(), 3);
}

#[tokio::test]
async fn credentials_that_are_not_accepted_are_read_anew_once() {
    let expired = || Protocol::RestJson.refusal(403, "ExpiredTokenException", "expired");
    let (aws, sent) = recorded(move |sent| {
        if sent.headers["authorization"].contains("AKID0") {
            expired()
        } else {
            answer(200, r#"{"clusters":[]}"#)
        }
    });
    aws.list_clusters().await.unwrap();
    let keys: Vec<bool> =
        sent.all().iter().map(|sent| sent.headers["authorization"].contains("AKID1")).collect();
    assert_eq!(keys, [false, true]);

    let (aws, sent) = recorded(move |_| expired());
    assert_eq!(aws.list_clusters().await.unwrap_err().class(), Class::Unauthenticated);
    assert_eq!(sent.all().len(), 2);
}

#[tokio::test]
async fn how_long_the_service_asks_to_wait_is_kept() {
    let (aws, _) = recorded(|_| {
        let mut answer = Protocol::RestJson.refusal(429, "ThrottlingException", "");
        answer.headers_mut().insert("retry-after", "7".parse().unwrap());
        answer
    });
    let error = aws.list_clusters().await.unwrap_err();
    assert_eq!(error.wait_asked_for(), Some(Duration::from_secs(7)));
}

#[tokio::test]
async fn without_credentials_nothing_is_sent_and_no_token_is_made() {
    let nobody = Renewing::new(Box::new(|| Box::pin(async { None })));
    let (aws, record) = client(|_| Some(answer(200, "{}")), "eu-west-1", nobody);
    let error = aws.get_caller_identity().await.unwrap_err();
    assert_eq!(error.class(), Class::Unauthenticated, "{error}");
    let clock = Arc::new(ManualClock::new("2026-11-24T12:00:00Z".parse().unwrap()));
    let error = aws.cluster_tokens("shop", clock).token().await.unwrap_err();
    assert_eq!(error.class(), Class::Unauthenticated, "{error}");
    assert_eq!(error.target(), "token for cluster shop");
    assert_eq!(record.all().len(), 0);
}
