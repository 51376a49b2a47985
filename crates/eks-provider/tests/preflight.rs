//! A permission that is missing is found before anything is begun, by its name.
#![cfg(feature = "mock")]

use eks_provider::kube::AccessDecision;
use eks_provider::mock::{MockIdentityReader, MockServerReader};
use eks_provider::{
    AwsReader, AwsRoller, Class, KubeReader, KubeRoller, Preflight, ProviderError, needed, preflight_iam,
    preflight_rbac, require,
};

const ROLE: &str = "arn:aws:iam::111122223333:role/upgrader";

#[tokio::test]
async fn an_action_that_no_policy_allows_is_named() {
    let all = needed([<dyn AwsReader>::CALLS, <dyn AwsRoller>::CALLS]);
    let mut identity = MockIdentityReader::new();
    identity.expect_simulate_principal_policy().returning(|principal, actions, resource| {
        assert_eq!((principal, resource), (ROLE, "*"));
        assert!(!actions.contains(&"sts:GetCallerIdentity".to_owned()));
        let missing = "autoscaling:SetDesiredCapacity".to_owned();
        assert!(actions.contains(&missing));
        Ok([missing].into())
    });
    let found = preflight_iam(&identity, ROLE, &all).await;
    assert_eq!(found.missing.iter().collect::<Vec<_>>(), ["autoscaling:SetDesiredCapacity"]);
    let error = require(&found, ROLE).unwrap_err();
    assert_eq!(error.class(), Class::Denied);
    assert!(error.to_string().contains("missing: autoscaling:SetDesiredCapacity"), "{error}");
}

#[tokio::test]
async fn who_may_not_ask_does_not_pass() {
    let mut identity = MockIdentityReader::new();
    identity.expect_simulate_principal_policy().returning(|_, _, _| {
        Err(ProviderError::new(Class::Denied, "iam:SimulatePrincipalPolicy", "role upgrader"))
    });
    let found = preflight_iam(&identity, ROLE, &needed([<dyn AwsReader>::CALLS])).await;
    assert!(!found.passes() && found.missing.is_empty());
    let error = require(&found, ROLE).unwrap_err();
    assert!(error.to_string().contains("not known: the actions of IAM"), "{error}");
    assert!(require(&Preflight::default(), ROLE).is_ok());
}

#[tokio::test]
async fn a_verb_that_no_role_gives_is_named_and_an_uncertain_answer_is_unknown() {
    let mut server = MockServerReader::new();
    server.expect_review_self_access().returning(|wanted| {
        let eviction = wanted.resource == "pods" && wanted.subresource.as_deref() == Some("eviction");
        let unsure = wanted.resource == "nodes" && wanted.verb == "patch";
        Ok(AccessDecision {
            allowed: !eviction && !unsure,
            reason: None,
            evaluation_error: unsure.then(|| "the authorizer is away".to_owned()),
        })
    });
    let found = preflight_rbac(&server, &needed([<dyn KubeReader>::CALLS, <dyn KubeRoller>::CALLS])).await;
    assert_eq!(found.missing.iter().collect::<Vec<_>>(), ["create pods/eviction"]);
    assert!(found.unknown.keys().all(|name| name.starts_with("patch nodes")), "{found:?}");
    assert_eq!(found.unknown.len(), 1);
    // A reader asks for nothing that changes.
    let found = preflight_rbac(&server, &needed([<dyn KubeReader>::CALLS])).await;
    assert!(found.passes(), "{found:?}");
}
