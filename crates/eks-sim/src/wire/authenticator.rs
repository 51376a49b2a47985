//! What EKS's API servers ask about a bearer token: whose is it? As a webhook for token reviews, so that a real
//! API server takes the tokens that AWS clients make (`k8s-aws-v1.…`).
//!
//! A token is a presigned `GetCallerIdentity` of STS, good for 15 minutes after it was signed. Its signature cannot
//! be checked here, nor the name of the cluster, which is only signed; who calls is who calls everything here.
//! <https://github.com/kubernetes-sigs/aws-iam-authenticator#api-authorization-from-outside-a-cluster> (2026-11)

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use eks_provider::Class;
use eks_provider::aws::CallerIdentity;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::{Request, Response, Wire};

/// How long after its signing a token is good.
const GOOD_FOR: SignedDuration = SignedDuration::from_mins(15);
/// How far clocks may differ.
const SKEW: SignedDuration = SignedDuration::from_mins(5);

/// The path of the webhook, before the name of the cluster.
pub(super) const PATH: &str = "/authenticate/";

/// Answers a review. `now` is the wall's: tokens are signed with it.
pub(super) async fn review(wire: &Wire, request: &Request, cluster: &str, now: Timestamp) -> Response {
    let body: Value = serde_json::from_slice(&request.body).unwrap_or(Value::Null);
    let status = match body["spec"]["token"].as_str() {
        None => refused("the review holds no token"),
        Some(token) => match check(token, now) {
            Err(reason) => refused(reason),
            Ok(()) => user(wire, cluster).await,
        },
    };
    let answer = json!({"apiVersion": "authentication.k8s.io/v1", "kind": "TokenReview", "status": status});
    Response {
        status: 200,
        content_type: "application/json",
        headers: Vec::new(),
        body: answer.to_string().into_bytes(),
    }
}

fn refused(reason: &str) -> Value {
    json!({"authenticated": false, "error": reason})
}

/// Whether a token is one, and not too old.
fn check(token: &str, now: Timestamp) -> Result<(), &'static str> {
    let text = token.strip_prefix("k8s-aws-v1.").ok_or("the token does not begin with k8s-aws-v1.")?;
    let url = URL_SAFE_NO_PAD.decode(text.trim_end_matches('=')).map_err(|_| "the token is not base64")?;
    let url = String::from_utf8(url).map_err(|_| "the token holds no text")?;
    let (_, query) = url.split_once('?').ok_or("the token holds no presigned URL")?;
    let pairs: Vec<(String, String)> = form_urlencoded::parse(query.as_bytes()).into_owned().collect();
    let value = |name: &str| {
        pairs.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    };
    if value("Action") != Some("GetCallerIdentity") {
        return Err("the token's URL is not GetCallerIdentity of STS");
    }
    let signed = value("X-Amz-SignedHeaders").unwrap_or_default();
    if !signed.split(';').any(|name| name.eq_ignore_ascii_case("x-k8s-aws-id")) {
        return Err("the token's URL does not sign x-k8s-aws-id, so it is for no cluster");
    }
    let date = value("X-Amz-Date").ok_or("the token's URL has no date")?;
    let signed_at = DateTime::strptime("%Y%m%dT%H%M%SZ", date)
        .and_then(|date| TimeZone::UTC.to_timestamp(date))
        .map_err(|_| "the token's date is none")?;
    let age = now.duration_since(signed_at);
    if age > GOOD_FOR || age < -SKEW {
        return Err("the token has expired, or is of the future");
    }
    Ok(())
}

/// Who the caller is in a cluster: by its access entry; without one it is who made the cluster, with all rights.
async fn user(wire: &Wire, cluster: &str) -> Value {
    let caller = match wire.reader.get_caller_identity().await {
        Ok(caller) => caller,
        Err(error) => return refused(&error.to_string()),
    };
    let principal = principal(&caller);
    let arn = caller.arn;
    let (username, groups) = match wire.reader.describe_access_entry(cluster, &principal).await {
        Ok(entry) => {
            (entry.username.unwrap_or_else(|| arn.clone()), entry.kubernetes_groups.into_iter().collect())
        }
        Err(error) if error.class() == Class::NotFound => (arn.clone(), vec!["system:masters".to_owned()]),
        Err(error) => return refused(&error.to_string()),
    };
    json!({"authenticated": true, "user": {"username": username, "uid": principal, "groups": groups}})
}

/// Whom access entries are for: a session stands for its role.
fn principal(caller: &CallerIdentity) -> String {
    match caller.role_name() {
        Some(role) => {
            let partition = caller.arn.split(':').nth(1).unwrap_or("aws");
            format!("arn:{partition}:iam::{}:role/{role}", caller.account)
        }
        None => caller.arn.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::{CallerIdentity, check, principal};
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;

    fn token(query: &str) -> String {
        format!(
            "k8s-aws-v1.{}",
            URL_SAFE_NO_PAD.encode(format!("https://sts.eu-west-1.amazonaws.com/?{query}"))
        )
    }

    const GOOD: &str = "Action=GetCallerIdentity&Version=2011-06-15&X-Amz-Algorithm=AWS4-HMAC-SHA256\
        &X-Amz-Credential=AKID%2F20261124%2Feu-west-1%2Fsts%2Faws4_request&X-Amz-Date=20261124T120000Z\
        &X-Amz-Expires=60&X-Amz-SignedHeaders=host%3Bx-k8s-aws-id&X-Amz-Signature=00";

    #[test]
    fn a_token_is_good_for_a_quarter_of_an_hour_and_for_nothing_else() {
        let at = |text: &str| text.parse().unwrap();
        assert_eq!(check(&token(GOOD), at("2026-11-24T12:00:01Z")), Ok(()));
        assert_eq!(check(&token(GOOD), at("2026-11-24T12:15:00Z")), Ok(()));
        let expired = "the token has expired, or is of the future";
        assert_eq!(check(&token(GOOD), at("2026-11-24T12:15:01Z")), Err(expired));
        assert_eq!(check(&token(GOOD), at("2026-11-24T11:54:00Z")), Err(expired));
        let now = at("2026-11-24T12:00:01Z");
        for (bad, reason) in [
            ("eyJ".to_owned(), "does not begin"),
            ("k8s-aws-v1.%%".to_owned(), "not base64"),
            (token(&GOOD.replace("GetCallerIdentity", "AssumeRole")), "not GetCallerIdentity"),
            (token(&GOOD.replace("%3Bx-k8s-aws-id", "")), "for no cluster"),
            (token(&GOOD.replace("20261124T120000Z", "yesterday")), "date is none"),
        ] {
            assert!(check(&bad, now).unwrap_err().contains(reason), "{bad}");
        }
    }

    #[test]
    fn the_principal_of_a_session_is_its_role() {
        let role_of = |arn: &str| {
            let (account, arn, user_id) = ("111122223333".to_owned(), arn.to_owned(), "AROA1:sim".to_owned());
            principal(&CallerIdentity { account, arn, user_id })
        };
        assert_eq!(
            role_of("arn:aws:sts::111122223333:assumed-role/upgrader/sim"),
            "arn:aws:iam::111122223333:role/upgrader"
        );
        assert_eq!(role_of("arn:aws:iam::111122223333:user/ada"), "arn:aws:iam::111122223333:user/ada");
    }
}
