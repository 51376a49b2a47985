//! What the API server calls on its way.

use async_trait::async_trait;
use eks_provider::Result;
use eks_provider::kube::{
    ApiService, CustomResourceDefinition, CustomResourceVersion, LabelSelector, NamespacedName, Webhook,
    WebhookConfiguration, WebhookKind, WebhookReader, WebhookRule, WebhookTarget,
};
use k8s_openapi::api::admissionregistration::v1;
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1 as extensions;
use k8s_openapi::apimachinery::pkg::apis::meta::v1 as api;
use k8s_openapi::kube_aggregator::pkg::apis::apiregistration::v1 as registration;
use serde::Deserialize;

use crate::api::KubeApi;
use crate::list::Listing;
use crate::meta::{Read, conditions, meta, port, seconds, selector, set, sorted, text};
use crate::resource::Resource;

static VALIDATING: Resource =
    Resource::of("admissionregistration.k8s.io", "v1", "validatingwebhookconfigurations");
static MUTATING: Resource =
    Resource::of("admissionregistration.k8s.io", "v1", "mutatingwebhookconfigurations");
static API_SERVICES: Resource = Resource::of("apiregistration.k8s.io", "v1", "apiservices");
static DEFINITIONS: Resource = Resource::of("apiextensions.k8s.io", "v1", "customresourcedefinitions");

/// So many definitions at a time: with their schemas, one can be a megabyte.
const DEFINITIONS_PAGE: u32 = 25;
/// The default of `timeoutSeconds`.
const TIMEOUT: i32 = 10;
/// The default of the port of a webhook's Service.
const HTTPS: i32 = 443;

/// The fields that both kinds of webhooks have.
struct Fields {
    name: String,
    client_config: v1::WebhookClientConfig,
    failure_policy: Option<String>,
    timeout_seconds: Option<i32>,
    rules: Option<Vec<v1::RuleWithOperations>>,
    namespace_selector: Option<api::LabelSelector>,
    object_selector: Option<api::LabelSelector>,
    match_conditions: Option<Vec<v1::MatchCondition>>,
    side_effects: String,
}

macro_rules! fields {
    ($webhook:expr) => {
        Fields {
            name: $webhook.name,
            client_config: $webhook.client_config,
            failure_policy: $webhook.failure_policy,
            timeout_seconds: $webhook.timeout_seconds,
            rules: $webhook.rules,
            namespace_selector: $webhook.namespace_selector,
            object_selector: $webhook.object_selector,
            match_conditions: $webhook.match_conditions,
            side_effects: $webhook.side_effects,
        }
    };
}

fn webhook(from: Fields) -> Read<Webhook> {
    let all = |found: Option<api::LabelSelector>| found.map_or_else(LabelSelector::default, selector);
    Ok(Webhook {
        target: target(from.client_config).map_err(|why| format!("webhook {}: {why}", from.name))?,
        name: from.name,
        failure_policy: from.failure_policy.as_deref().unwrap_or("Fail").into(),
        timeout: seconds(from.timeout_seconds.unwrap_or(TIMEOUT)),
        rules: from.rules.unwrap_or_default().into_iter().map(rule).collect(),
        namespace_selector: all(from.namespace_selector),
        object_selector: all(from.object_selector),
        match_conditions: from
            .match_conditions
            .map_or(0, |found| u32::try_from(found.len()).unwrap_or(u32::MAX)),
        side_effects: text(Some(from.side_effects)),
    })
}

fn target(config: v1::WebhookClientConfig) -> Read<WebhookTarget> {
    match (config.service, config.url) {
        (Some(service), _) => Ok(WebhookTarget::Service {
            service: NamespacedName::new(service.namespace, service.name),
            port: port(service.port.unwrap_or(HTTPS))?,
            path: text(service.path),
        }),
        (None, Some(url)) => Ok(WebhookTarget::Url(url)),
        (None, None) => Err("it says neither a Service nor an address".to_owned()),
    }
}

fn rule(rule: v1::RuleWithOperations) -> WebhookRule {
    WebhookRule {
        operations: set(rule.operations),
        api_groups: set(rule.api_groups),
        api_versions: set(rule.api_versions),
        resources: set(rule.resources),
        scope: text(rule.scope).filter(|scope| scope != "*"),
    }
}

fn configuration(
    kind: WebhookKind,
    metadata: api::ObjectMeta,
    webhooks: impl Iterator<Item = Fields>,
) -> Read<WebhookConfiguration> {
    let meta = meta(metadata);
    let webhooks = webhooks.map(webhook).collect::<Read<_>>();
    Ok(WebhookConfiguration {
        kind,
        webhooks: webhooks.map_err(|why| format!("webhook configuration {}: {why}", meta.name))?,
        meta,
    })
}

/// A definition without the schemas, which are most of it.
#[derive(Deserialize)]
struct Definition {
    metadata: api::ObjectMeta,
    spec: DefinitionSpec,
    #[serde(default)]
    status: DefinitionStatus,
}

#[derive(Deserialize)]
struct DefinitionSpec {
    group: String,
    names: DefinitionNames,
    scope: String,
    versions: Vec<DefinitionVersion>,
    #[serde(default)]
    conversion: Option<extensions::CustomResourceConversion>,
}

#[derive(Deserialize)]
struct DefinitionNames {
    kind: String,
    plural: String,
}

#[derive(Deserialize)]
struct DefinitionVersion {
    name: String,
    served: bool,
    storage: bool,
    #[serde(default)]
    deprecated: bool,
}

#[derive(Deserialize, Default)]
struct DefinitionStatus {
    #[serde(default)]
    conditions: Option<Vec<extensions::CustomResourceDefinitionCondition>>,
    #[serde(default, rename = "storedVersions")]
    stored_versions: Option<Vec<String>>,
}

fn definition(found: Definition) -> Read<CustomResourceDefinition> {
    let meta = meta(found.metadata);
    let webhook = found.spec.conversion.and_then(|conversion| conversion.webhook?.client_config);
    let conversion = webhook
        .map(|config| {
            target(v1::WebhookClientConfig {
                ca_bundle: None,
                url: config.url,
                service: config.service.map(|service| v1::ServiceReference {
                    name: service.name,
                    namespace: service.namespace,
                    path: service.path,
                    port: service.port,
                }),
            })
        })
        .transpose()
        .map_err(|why| format!("CustomResourceDefinition {}: conversion: {why}", meta.name))?;
    Ok(CustomResourceDefinition {
        group: found.spec.group,
        kind: found.spec.names.kind,
        plural: found.spec.names.plural,
        namespaced: found.spec.scope == "Namespaced",
        versions: found
            .spec
            .versions
            .into_iter()
            .map(|version| CustomResourceVersion {
                name: version.name,
                served: version.served,
                storage: version.storage,
                deprecated: version.deprecated,
            })
            .collect(),
        stored_versions: set(found.status.stored_versions),
        conversion,
        conditions: conditions!(found.status.conditions),
        meta,
    })
}

fn api_service(found: registration::APIService) -> ApiService {
    let spec = found.spec.unwrap_or_default();
    ApiService {
        meta: meta(found.metadata),
        group: spec.group.unwrap_or_default(),
        version: spec.version.unwrap_or_default(),
        service: spec.service.map(|service| {
            NamespacedName::new(service.namespace.unwrap_or_default(), service.name.unwrap_or_default())
        }),
        conditions: conditions!(found.status.and_then(|status| status.conditions)),
    }
}

#[async_trait]
impl WebhookReader for KubeApi {
    async fn list_webhook_configurations(&self) -> Result<Vec<WebhookConfiguration>> {
        let listing = Listing::all(&VALIDATING, "ValidatingWebhookConfigurations");
        let read = |found: v1::ValidatingWebhookConfiguration| {
            let webhooks = found.webhooks.unwrap_or_default();
            configuration(
                WebhookKind::Validating,
                found.metadata,
                webhooks.into_iter().map(|webhook| fields!(webhook)),
            )
        };
        let mut found = sorted(self.everything(&listing, read).await?, |found| &found.meta);
        let listing = Listing::all(&MUTATING, "MutatingWebhookConfigurations");
        let read = |found: v1::MutatingWebhookConfiguration| {
            let webhooks = found.webhooks.unwrap_or_default();
            configuration(
                WebhookKind::Mutating,
                found.metadata,
                webhooks.into_iter().map(|webhook| fields!(webhook)),
            )
        };
        found.extend(sorted(self.everything(&listing, read).await?, |found| &found.meta));
        Ok(found)
    }

    async fn list_api_services(&self) -> Result<Vec<ApiService>> {
        let listing = Listing::all(&API_SERVICES, "APIServices");
        let found = self.everything(&listing, |found| Ok(api_service(found))).await?;
        Ok(sorted(found, |found| &found.meta))
    }

    async fn list_custom_resource_definitions(&self) -> Result<Vec<CustomResourceDefinition>> {
        let mut listing = Listing::all(&DEFINITIONS, "CustomResourceDefinitions");
        listing.page = DEFINITIONS_PAGE;
        Ok(sorted(self.everything(&listing, definition).await?, |found| &found.meta))
    }
}
