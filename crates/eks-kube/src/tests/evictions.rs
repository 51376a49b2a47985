//! What each answer to an eviction means.

use std::time::Duration;

use eks_provider::Class;
use eks_provider::kube::{DeletePod, EvictPod, EvictionOutcome, EvictionProbe as _, PodEvictor as _};
use http::Method;
use serde_json::{Value, json};

use crate::fake::{Answer, Fake};

fn pod() -> EvictPod {
    EvictPod { namespace: "shop".to_owned(), name: "db-1".to_owned(), uid: "u-1".to_owned() }
}

fn budget_cause(message: &str) -> Value {
    json!({"causes": [{"reason": "DisruptionBudget", "message": message}]})
}

const NEEDS: &str = "The disruption budget db needs 3 healthy pods and has 3 currently";
const VIOLATES: &str = "Cannot evict pod as it would violate the pod's disruption budget.";
const TWO: &str =
    "This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.";

#[tokio::test]
async fn answers_that_say_something_of_the_pod_are_values() {
    let message = |text: &str| text.to_owned();
    let processed = "The disruption budget db is still being processed by the server.";
    let cases = [
        (
            Answer::json(&json!({"kind": "Status", "status": "Success", "code": 201})).under(201),
            EvictionOutcome::Accepted,
        ),
        (
            Answer::refusal(429, "TooManyRequests", VIOLATES, &budget_cause(NEEDS)),
            EvictionOutcome::Blocked {
                budget: Some("db".to_owned()),
                message: message(NEEDS),
                retry_after: Some(Duration::ZERO),
            },
        ),
        (
            Answer::refusal(429, "TooManyRequests", VIOLATES, &budget_cause(processed))
                .header("retry-after", "10"),
            EvictionOutcome::Blocked {
                budget: Some("db".to_owned()),
                message: message(processed),
                retry_after: Some(Duration::from_secs(10)),
            },
        ),
        // The status of HTTP says "created".
        (
            Answer::status(500, "InternalError", TWO).under(201),
            EvictionOutcome::ManyBudgets { message: message(TWO) },
        ),
        (Answer::status(500, "", TWO), EvictionOutcome::ManyBudgets { message: message(TWO) }),
        (
            Answer::refusal(
                404,
                "NotFound",
                "pods \"db-1\" not found",
                &json!({"name": "db-1", "kind": "pods"}),
            ),
            EvictionOutcome::Gone,
        ),
        (
            Answer::status(
                409,
                "Conflict",
                "Precondition failed: UID in precondition: u-1, UID in object meta: u-2",
            ),
            EvictionOutcome::Gone,
        ),
        (
            Answer::refusal(403, "Forbidden", "no", &json!({"causes": [{"reason": "NamespaceTerminating"}]})),
            EvictionOutcome::NamespaceTerminating,
        ),
        (
            Answer::refusal(
                403,
                "Forbidden",
                "pdb disruptions allowed is negative",
                &json!({"kind": "poddisruptionbudgets"}),
            ),
            EvictionOutcome::BudgetUnsettled { message: message("pdb disruptions allowed is negative") },
        ),
        (
            Answer::status(
                400,
                "BadRequest",
                "admission webhook \"drain.example.com\" denied the request: the operator moves it",
            ),
            EvictionOutcome::RefusedByWebhook {
                webhook: Some("drain.example.com".to_owned()),
                message: message(
                    "admission webhook \"drain.example.com\" denied the request: the operator moves it",
                ),
            },
        ),
        (
            Answer::status(
                422,
                "Invalid",
                "ValidatingAdmissionPolicy 'p' with binding 'b' denied request: no",
            ),
            EvictionOutcome::RefusedByWebhook {
                webhook: None,
                message: message("ValidatingAdmissionPolicy 'p' with binding 'b' denied request: no"),
            },
        ),
    ];
    for (answer, expected) in cases {
        let fake = Fake::new([answer]);
        assert_eq!(fake.api.evict_pod(&pod()).await.unwrap(), expected);
    }
}

#[tokio::test]
async fn answers_that_say_nothing_of_the_pod_are_errors() {
    let forbidden = "pods \"db-1\" is forbidden: User \"x\" cannot create resource \"pods/eviction\"";
    for (answer, class) in [
        (
            Answer::status(429, "TooManyRequests", "too many requests").header("retry-after", "1"),
            Class::Throttled,
        ),
        (
            Answer::refusal(403, "Forbidden", forbidden, &json!({"name": "db-1", "kind": "pods"})),
            Class::Denied,
        ),
        (Answer::text(404, "404 page not found"), Class::NotFound),
        (Answer::refusal(404, "NotFound", "no", &json!({"kind": "namespaces"})), Class::NotFound),
        (Answer::status(409, "Conflict", "the object has been modified"), Class::Conflict),
        (Answer::status(500, "InternalError", "failed calling webhook \"w\": timeout"), Class::Transport),
        (Answer::text(503, "upstream connect error"), Class::Transport),
    ] {
        let fake = Fake::new([answer]);
        let error = fake.api.evict_pod(&pod()).await.unwrap_err();
        assert_eq!(error.class(), class, "{error}");
        assert_eq!(error.operation(), "create pods/eviction");
    }
}

#[tokio::test]
async fn the_uid_goes_along_and_a_probe_is_a_dry_run() {
    let accepted = || Answer::json(&json!({"kind": "Status", "status": "Success"})).under(201);
    let fake = Fake::new([accepted(), accepted(), Answer::json(&json!({"kind": "Pod"}))]);
    fake.api.evict_pod(&pod()).await.unwrap();
    fake.api.probe_eviction(&pod()).await.unwrap();
    let delete = DeletePod {
        namespace: "shop".to_owned(),
        name: "db-1".to_owned(),
        uid: "u-1".to_owned(),
        grace_period: Some(Duration::from_millis(1)),
    };
    fake.api.delete_pod(&delete).await.unwrap();
    let seen = fake.seen();
    let path = "/api/v1/namespaces/shop/pods/db-1";
    assert_eq!((&seen[0].method, seen[0].address.clone()), (&Method::POST, format!("{path}/eviction")));
    assert_eq!(seen[0].body["deleteOptions"], json!({"preconditions": {"uid": "u-1"}}));
    assert_eq!(seen[1].address, format!("{path}/eviction?dryRun=All"));
    assert_eq!((&seen[2].method, seen[2].address.as_str()), (&Method::DELETE, path));
    assert_eq!(seen[2].body["preconditions"], json!({"uid": "u-1"}));
    assert_eq!(seen[2].body["gracePeriodSeconds"], 1);
}
