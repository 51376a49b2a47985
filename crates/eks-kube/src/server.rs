//! The API server itself.

use async_trait::async_trait;
use eks_provider::Result;
use eks_provider::kube::{
    AccessDecision, DeprecatedApiRequest, Discovery, ResourceAttributes, ServerReader, ServerVersion,
};
use http::Method;
use k8s_openapi::api::authorization::v1::SelfSubjectAccessReview;
use serde::Deserialize;
use serde_json::json;

use crate::api::KubeApi;
use crate::call::{Ask, JSON};
use crate::meta::text;
use crate::metrics;
use crate::refusal::Refusal;

const TARGET: &str = "the API server";

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Version {
    #[serde(rename = "gitVersion")]
    git: String,
    major: String,
    minor: String,
    #[serde(default)]
    emulation_minor: Option<String>,
    #[serde(default)]
    platform: Option<String>,
}

/// The checks that do not hold, of the list that `/readyz?verbose` answers with; all of it where none stands out.
fn not_ready(body: &[u8]) -> String {
    let text = String::from_utf8_lossy(body);
    let failed: Vec<&str> = text.lines().filter_map(|line| line.strip_prefix("[-]")).collect();
    if failed.is_empty() { text.trim().chars().take(300).collect() } else { failed.join("; ") }
}

#[async_trait]
impl ServerReader for KubeApi {
    async fn server_version(&self) -> Result<ServerVersion> {
        let version: Version = self.json(&Ask::get("get /version", TARGET, "/version".to_owned())).await?;
        Ok(ServerVersion {
            git_version: version.git,
            major: version.major,
            minor: version.minor,
            emulation_minor: text(version.emulation_minor),
            platform: text(version.platform),
        })
    }

    async fn readyz(&self) -> Result<()> {
        let ask = Ask::get("get /readyz", TARGET, "/readyz?verbose".to_owned());
        let reply = self.reply(&ask).await?;
        match Refusal::of(&reply) {
            Some(refusal) if !refusal.is_status => {
                Err(ask.error(refusal.class()).status(refusal.status).message(not_ready(&reply.body)))
            }
            Some(refusal) => Err(refusal.error(&ask)),
            None => Ok(()),
        }
    }

    async fn discovery(&self) -> Result<Discovery> {
        self.discover().await
    }

    async fn requested_deprecated_apis(&self) -> Result<Vec<DeprecatedApiRequest>> {
        let ask = Ask::get("get /metrics", TARGET, "/metrics".to_owned()).accept("text/plain");
        let text = String::from_utf8(self.bytes(&ask).await?).map_err(|error| ask.malformed(error))?;
        metrics::requested_deprecated_apis(&text).map_err(|why| ask.malformed(why))
    }

    async fn review_self_access(&self, attributes: &ResourceAttributes) -> Result<AccessDecision> {
        let body = json!({
            "apiVersion": "authorization.k8s.io/v1",
            "kind": "SelfSubjectAccessReview",
            "spec": {"resourceAttributes": {
                "verb": attributes.verb,
                "group": attributes.group,
                "resource": attributes.resource,
                "subresource": attributes.subresource,
                "namespace": attributes.namespace,
                "name": attributes.name,
            }},
        });
        let address = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews".to_owned();
        let target = format!("{} {}", attributes.verb, attributes.resource);
        let ask = Ask::write(Method::POST, "create selfsubjectaccessreviews", target, address, (JSON, &body));
        let review: SelfSubjectAccessReview = self.json(&ask).await?;
        let Some(status) = review.status else { return Err(ask.malformed("it came without an answer")) };
        Ok(AccessDecision {
            allowed: status.allowed,
            reason: text(status.reason),
            evaluation_error: text(status.evaluation_error),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checks_that_do_not_hold_are_said() {
        let text = b"[+]ping ok\n[-]etcd failed: reason withheld\n[+]log ok\n[-]informer-sync failed: x\nreadyz check failed";
        assert_eq!(not_ready(text), "etcd failed: reason withheld; informer-sync failed: x");
        assert_eq!(not_ready(b"upstream connect error\n"), "upstream connect error");
    }
}
