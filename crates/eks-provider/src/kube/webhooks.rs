//! What the API server calls on its way: admission webhooks, aggregated APIs, conversions of custom
//! resources. One that does not answer can stop evictions, or everything.

use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::time::Duration;

use crate::Result;
use crate::calls::provider;
use crate::kube::{Condition, LabelSelector, NamespacedName, ObjectMeta};
use crate::text::words;

words! {
    /// What happens when a webhook does not answer.
    pub enum FailurePolicy {
        /// The request is refused.
        Fail = "Fail",
        /// The request goes on.
        Ignore = "Ignore",
    }
}

/// Whether webhooks may change objects.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum WebhookKind {
    /// ValidatingWebhookConfiguration.
    Validating,
    /// MutatingWebhookConfiguration.
    Mutating,
}

/// A configuration of admission webhooks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct WebhookConfiguration {
    /// Whether they may change objects.
    pub kind: WebhookKind,
    /// What every object has.
    pub meta: ObjectMeta,
    /// The webhooks.
    pub webhooks: Vec<Webhook>,
}

/// An admission webhook.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Webhook {
    /// Its name.
    pub name: String,
    /// Whom it calls.
    pub target: WebhookTarget,
    /// What happens when that does not answer.
    pub failure_policy: FailurePolicy,
    /// How long it waits; the API's default is 10 s.
    pub timeout: Duration,
    /// For which requests.
    pub rules: Vec<WebhookRule>,
    /// Only in namespaces with these labels; an empty one is all.
    pub namespace_selector: LabelSelector,
    /// Only for objects with these labels; an empty one is all.
    pub object_selector: LabelSelector,
    /// How many further conditions (CEL) it has: with any, whether it is called is not known from the rest.
    pub match_conditions: u32,
    /// `None`, `NoneOnDryRun`, `Some`, `Unknown`: with the last two a dry run is refused.
    pub side_effects: Option<String>,
}

/// Whom the API server calls.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum WebhookTarget {
    /// A Service, on this port.
    Service {
        /// The Service.
        service: NamespacedName,
        /// Its port.
        port: u16,
        /// The path.
        path: Option<String>,
    },
    /// An address.
    Url(String),
}

/// For which requests a webhook is called. `*` is all.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct WebhookRule {
    /// `CREATE`, `UPDATE`, `DELETE`, `CONNECT`.
    pub operations: BTreeSet<String>,
    /// Of these groups.
    pub api_groups: BTreeSet<String>,
    /// Of these versions.
    pub api_versions: BTreeSet<String>,
    /// Of these resources: `pods`, `pods/eviction`, `*/*`.
    pub resources: BTreeSet<String>,
    /// `Cluster`, `Namespaced`; `None` is both.
    pub scope: Option<String>,
}

impl WebhookRule {
    /// Whether a request falls under it: `("CREATE", "", "v1", "pods/eviction")` is an eviction.
    ///
    /// ```
    /// use eks_provider::kube::WebhookRule;
    /// # let set = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
    /// let rule = WebhookRule {
    ///     operations: set(&["CREATE"]), api_groups: set(&[""]), api_versions: set(&["v1"]),
    ///     resources: set(&["pods"]), scope: None,
    /// };
    /// assert!(rule.matches("CREATE", "", "v1", "pods"));
    /// // A resource does not stand for its subresources.
    /// assert!(!rule.matches("CREATE", "", "v1", "pods/eviction"));
    /// ```
    pub fn matches(&self, operation: &str, group: &str, version: &str, resource: &str) -> bool {
        let named = |set: &BTreeSet<String>, word: &str| set.contains("*") || set.contains(word);
        named(&self.operations, operation)
            && named(&self.api_groups, group)
            && named(&self.api_versions, version)
            && self.resources.iter().any(|pattern| resource_matches(pattern, resource))
    }
}

/// `*` is every resource and no subresource, `*/*` is everything, `pods/*` is every subresource of
/// Pods, `*/scale` that subresource of everything.
fn resource_matches(pattern: &str, resource: &str) -> bool {
    let split = |text: &str| match text.split_once('/') {
        Some((resource, subresource)) => (resource.to_owned(), Some(subresource.to_owned())),
        None => (text.to_owned(), None),
    };
    let (wanted, wanted_sub) = split(pattern);
    let (resource, sub) = split(resource);
    if pattern == "*/*" {
        return true;
    }
    (wanted == "*" || wanted == resource)
        && match (wanted_sub.as_deref(), sub.as_deref()) {
            (None, None) | (Some("*"), Some(_)) => true,
            (wanted, sub) => wanted == sub,
        }
}

/// An APIService: an API that the API server hands on to somebody else.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ApiService {
    /// What every object has; its name is `VERSION.GROUP`.
    pub meta: ObjectMeta,
    /// The group.
    pub group: String,
    /// The version.
    pub version: String,
    /// Who serves it; `None` is the API server itself.
    pub service: Option<NamespacedName>,
    /// Its conditions: `Available`.
    pub conditions: Vec<Condition>,
}

/// A CustomResourceDefinition.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CustomResourceDefinition {
    /// What every object has; its name is `PLURAL.GROUP`.
    pub meta: ObjectMeta,
    /// The group.
    pub group: String,
    /// The kind.
    pub kind: String,
    /// The resource.
    pub plural: String,
    /// Whether its objects are in namespaces.
    pub namespaced: bool,
    /// Its versions.
    pub versions: Vec<CustomResourceVersion>,
    /// Versions that objects may still be stored in.
    pub stored_versions: BTreeSet<String>,
    /// Who converts between versions, where that is a webhook.
    pub conversion: Option<WebhookTarget>,
    /// Its conditions: `Established`, `NamesAccepted`.
    pub conditions: Vec<Condition>,
}

/// A version of a custom resource.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CustomResourceVersion {
    /// Its name.
    pub name: String,
    /// Whether it is served.
    pub served: bool,
    /// Whether objects are stored in it.
    pub storage: bool,
    /// Whether it is deprecated.
    pub deprecated: bool,
}

provider! {
    /// Reads whom the API server calls. All lists are sorted by name.
    #[access(Read)]
    pub trait WebhookReader {
        /// All configurations of admission webhooks, validating ones first.
        #[rbac(
            ["list"] "admissionregistration.k8s.io" / "validatingwebhookconfigurations",
            ["list"] "admissionregistration.k8s.io" / "mutatingwebhookconfigurations",
        )]
        async fn list_webhook_configurations(&self) -> Result<Vec<WebhookConfiguration>>;

        /// All APIs, with who serves them.
        #[rbac(["list"] "apiregistration.k8s.io" / "apiservices")]
        async fn list_api_services(&self) -> Result<Vec<ApiService>>;

        /// All definitions of custom resources, without their schemas.
        #[rbac(["list"] "apiextensions.k8s.io" / "customresourcedefinitions")]
        async fn list_custom_resource_definitions(&self) -> Result<Vec<CustomResourceDefinition>>;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn resources_are_matched_as_the_api_server_matches_them() {
        for (pattern, resource, expected) in [
            ("*", "pods", true),
            ("*", "pods/eviction", false),
            ("*/*", "pods", true),
            ("*/*", "pods/eviction", true),
            ("pods", "pods", true),
            ("pods", "nodes", false),
            ("pods/*", "pods/eviction", true),
            ("pods/*", "pods", false),
            ("pods/eviction", "pods/eviction", true),
            ("pods/eviction", "pods/status", false),
            ("*/eviction", "pods/eviction", true),
            ("*/eviction", "pods", false),
        ] {
            assert_eq!(resource_matches(pattern, resource), expected, "{pattern} {resource}");
        }
    }
}
