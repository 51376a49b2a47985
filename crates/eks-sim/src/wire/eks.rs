//! EKS: its routes, and what it is asked.

use std::collections::{BTreeMap, BTreeSet};

use eks_model::KubeMinor;
use eks_provider::aws::{
    AddonCatalogueQuery, ClusterVersionQuery, InsightCategory, InsightQuery, InsightStatus, UpdatePart,
    UpdateScope,
};
use eks_provider::{Class, ProviderError};
use percent_encoding::percent_decode_str;
use serde_json::{Value, json};

use super::eks_json as shape;
use super::paging::page;
use super::{Answer, Request, Response, Wire, eks_write, errors, shapes};

pub(super) type Outcome = Result<Value, ProviderError>;

pub(super) async fn answer(wire: &Wire, request: &Request, id: &str) -> Answer {
    let parts: Vec<String> = request
        .path
        .split('/')
        .filter(|part| !part.is_empty())
        .map(|part| percent_decode_str(part).decode_utf8_lossy().into_owned())
        .collect();
    let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
    let body: Value = if request.body.is_empty() {
        Value::Null
    } else {
        match serde_json::from_slice(&request.body) {
            Ok(body) => body,
            Err(error) => {
                return Answer::Response(errors::json(400, "SerializationException", &error.to_string(), id));
            }
        }
    };
    if let Err(wrong) = shapes::check(&request.method, &parts, &body) {
        return Answer::Response(errors::json(400, wrong.code, &wrong.message, id));
    }
    let read = read(wire, request, &parts, &body).await;
    let done = if read.is_some() { read } else { eks_write::write(wire, request, &parts, &body).await };
    let Some(outcome) = done else {
        let message =
            format!("Unable to determine service/operation name: {} {}", request.method, request.path);
        return Answer::Response(errors::json(404, "UnknownOperationException", &message, id));
    };
    match outcome {
        Ok(value) => Answer::Response(Response {
            status: 200,
            content_type: "application/json",
            headers: vec![("x-amzn-requestid", id.to_owned())],
            body: shape::lean(value).to_string().into_bytes(),
        }),
        Err(error) => errors::eks(&error, id),
    }
}

/// `InvalidParameterException`
pub(super) fn invalid(operation: &str, message: impl Into<String>) -> ProviderError {
    ProviderError::new(Class::Invalid, operation, "the request")
        .code("InvalidParameterException")
        .message(message)
}

/// A minor, as it stands in a request.
pub(super) fn minor(text: &str, operation: &str) -> Result<KubeMinor, ProviderError> {
    text.parse().map_err(|_| invalid(operation, format!("unsupported Kubernetes version {text}")))
}

/// A page of a list: `{"clusters": […], "nextToken": …}`.
fn listed(request: &Request, body: &Value, key: &str, items: Vec<Value>) -> Outcome {
    // ListInsights is a POST: its paging is in the body.
    let in_body = |name: &str| {
        body.get(name).map(|value| value.as_str().map_or_else(|| value.to_string(), str::to_owned))
    };
    let asked = |name: &str| request.value(name).map(str::to_owned).or_else(|| in_body(name));
    let most = match asked("maxResults").map(|text| text.parse::<usize>()) {
        None => 100,
        Some(Ok(most)) if (1..=100).contains(&most) => most,
        Some(_) => return Err(invalid("eks:List", "maxResults must be between 1 and 100")),
    };
    let token = asked("nextToken");
    let page = page(items, &format!("{key} {}", request.path), token.as_deref(), most)
        .ok_or_else(|| invalid("eks:List", "Invalid NextToken"))?;
    Ok(json!({ key: page.items, "nextToken": page.next }))
}

fn texts(items: Vec<String>) -> Vec<Value> {
    items.into_iter().map(Value::String).collect()
}

/// What an update is made on, by the query.
fn scope(request: &Request, cluster: &str) -> UpdateScope {
    let part =
        match (request.value("nodegroupName"), request.value("addonName"), request.value("capabilityName")) {
            (Some(name), _, _) => UpdatePart::Nodegroup(name.to_owned()),
            (None, Some(name), _) => UpdatePart::Addon(name.to_owned()),
            (None, None, Some(name)) => UpdatePart::Capability(name.to_owned()),
            (None, None, None) => UpdatePart::ControlPlane,
        };
    UpdateScope { cluster: cluster.to_owned(), part }
}

async fn read(wire: &Wire, request: &Request, parts: &[&str], body: &Value) -> Option<Outcome> {
    let reader = &wire.reader;
    let list = |key: &str, items: Vec<Value>| listed(request, body, key, items);
    Some(match (request.method.as_str(), parts) {
        ("GET", ["clusters"]) => {
            reader.list_clusters().await.and_then(|names| list("clusters", texts(names)))
        }
        ("GET", ["clusters", name]) => {
            reader.describe_cluster(name).await.map(|cluster| json!({ "cluster": shape::cluster(&cluster) }))
        }
        ("GET", ["clusters", name, "updates"]) => {
            reader.list_updates(&scope(request, name)).await.and_then(|ids| list("updateIds", texts(ids)))
        }
        ("GET", ["clusters", name, "updates", update]) => reader
            .describe_update(&scope(request, name), update)
            .await
            .map(|update| json!({ "update": shape::update(&update) })),
        ("GET", ["cluster-versions"]) => versions(wire, request, body).await,
        ("POST", ["clusters", name, "insights"]) => insights(wire, request, name, body).await,
        ("GET", ["clusters", name, "insights", insight]) => reader
            .describe_insight(name, insight)
            .await
            .map(|insight| json!({ "insight": shape::insight(&insight) })),
        ("GET", ["clusters", name, "insights-refresh"]) => {
            reader.describe_insights_refresh(name).await.map(|refresh| shape::refresh(&refresh))
        }
        ("GET", ["clusters", name, "addons"]) => {
            reader.list_addons(name).await.and_then(|names| list("addons", texts(names)))
        }
        ("GET", ["clusters", name, "addons", addon]) => reader
            .describe_addon(name, addon)
            .await
            .map(|addon| json!({ "addon": shape::addon(&addon, name) })),
        ("GET", ["addons", "supported-versions"]) => catalogue(wire, request, body).await,
        ("GET", ["addons", "configuration-schemas"]) => {
            let (addon, version) = (
                request.value("addonName").unwrap_or_default(),
                request.value("addonVersion").unwrap_or_default(),
            );
            reader.describe_addon_configuration(addon, version).await.map(|found| {
                json!({
                    "addonName": addon,
                    "addonVersion": version,
                    "configurationSchema": found.configuration_schema,
                    "podIdentityConfiguration": found.pod_identities.iter().map(|(account, policies)| json!({
                        "serviceAccount": account, "recommendedManagedPolicies": policies,
                    })).collect::<Vec<_>>(),
                })
            })
        }
        ("GET", ["clusters", name, "node-groups"]) => {
            reader.list_nodegroups(name).await.and_then(|names| list("nodegroups", texts(names)))
        }
        ("GET", ["clusters", name, "node-groups", group]) => reader
            .describe_nodegroup(name, group)
            .await
            .map(|group| json!({ "nodegroup": shape::nodegroup(&group) })),
        ("GET", ["clusters", name, "fargate-profiles"]) => reader
            .list_fargate_profiles(name)
            .await
            .and_then(|names| list("fargateProfileNames", texts(names))),
        ("GET", ["clusters", name, "fargate-profiles", profile]) => reader
            .describe_fargate_profile(name, profile)
            .await
            .map(|profile| json!({ "fargateProfile": shape::fargate(&profile) })),
        ("GET", ["clusters", name, "access-entries"]) => {
            reader.list_access_entries(name).await.and_then(|arns| list("accessEntries", texts(arns)))
        }
        ("GET", ["clusters", name, "access-entries", principal]) => reader
            .describe_access_entry(name, principal)
            .await
            .map(|entry| json!({ "accessEntry": shape::access(&entry, name) })),
        ("GET", ["clusters", name, "certificate-authorities"]) => {
            reader.list_certificate_authorities(name).await.and_then(|ids| {
                list("certificateAuthorities", ids.into_iter().map(|id| json!({ "id": id })).collect())
            })
        }
        ("GET", ["clusters", name, "certificate-authorities", authority]) => reader
            .describe_certificate_authority(name, authority)
            .await
            .map(|found| json!({ "certificateAuthority": shape::authority(&found) })),
        ("GET", ["clusters", name, "pod-identity-associations", association]) => {
            reader.describe_pod_identity_association(name, association).await.map(|found| {
                json!({ "association": {
                    "clusterName": name, "associationId": found.id, "associationArn": found.arn,
                    "namespace": found.namespace, "serviceAccount": found.service_account,
                    "roleArn": found.role_arn, "ownerArn": found.owner_arn,
                } })
            })
        }
        ("GET", ["tags", arn @ ..]) => tags(wire, &arn.join("/")).await,
        _ => return None,
    })
}

/// The tags of a cluster, node group, add-on or Fargate profile.
async fn tags(wire: &Wire, arn: &str) -> Outcome {
    let reader = &wire.reader;
    // arn:aws:eks:eu-west-1:111122223333:nodegroup/shop/system/b2ccb612-b63e
    let parts: Vec<&str> = arn.rsplit(':').next().unwrap_or_default().split('/').collect();
    let found = match parts.as_slice() {
        ["cluster", name] => reader.describe_cluster(name).await.map(|found| (found.arn, found.tags)),
        ["nodegroup", cluster, name, _] => {
            reader.describe_nodegroup(cluster, name).await.map(|found| (found.arn, found.tags))
        }
        ["addon", cluster, name, _] => {
            reader.describe_addon(cluster, name).await.map(|found| (found.arn, found.tags))
        }
        ["fargateprofile", cluster, name, _] => {
            reader.describe_fargate_profile(cluster, name).await.map(|found| (found.arn, found.tags))
        }
        _ => Ok((String::new(), BTreeMap::new())),
    };
    // The tag operations have names of their own for their errors (botocore 1.44.5): NotFoundException.
    let missing = || {
        ProviderError::not_found("eks:ListTagsForResource", format!("resource {arn}"))
            .code("NotFoundException")
            .status(404)
            .message(format!("Resource {arn} was not found"))
    };
    match found {
        Ok((own, tags)) if own == arn => Ok(json!({ "tags": tags })),
        Ok(_) => Err(missing()),
        Err(error) if error.class() == Class::NotFound => Err(missing()),
        Err(error) => Err(error),
    }
}

async fn versions(wire: &Wire, request: &Request, body: &Value) -> Outcome {
    let operation = "eks:DescribeClusterVersions";
    // The list may come as one value a name, or joined by commas.
    let asked: Vec<&str> = request
        .query
        .iter()
        .filter(|(key, _)| key == "clusterVersions")
        .flat_map(|(_, value)| value.split(','))
        .collect();
    let versions: BTreeSet<KubeMinor> =
        asked.iter().map(|text| minor(text, operation)).collect::<Result<_, _>>()?;
    let query = ClusterVersionQuery {
        versions: (!versions.is_empty()).then_some(versions),
        include_all: request.value("includeAll") == Some("true"),
        default_only: request.value("defaultOnly") == Some("true"),
    };
    let mut found = wire.reader.describe_cluster_versions(&query).await?;
    if let Some(status) = request.value("versionStatus") {
        found.retain(|version| version.status.as_str() == status);
    }
    listed(request, body, "clusterVersions", found.iter().map(shape::version).collect())
}

async fn insights(wire: &Wire, request: &Request, cluster: &str, body: &Value) -> Outcome {
    let operation = "eks:ListInsights";
    let filter = |key: &str| -> Vec<&str> {
        let listed = body.get("filter").and_then(|filter| filter.get(key)).and_then(Value::as_array);
        listed.into_iter().flatten().filter_map(Value::as_str).collect()
    };
    let kubernetes_versions: Vec<KubeMinor> =
        filter("kubernetesVersions").iter().map(|text| minor(text, operation)).collect::<Result<_, _>>()?;
    let query = InsightQuery {
        cluster: cluster.to_owned(),
        categories: filter("categories").into_iter().map(InsightCategory::from).collect(),
        kubernetes_versions,
        statuses: filter("statuses").into_iter().map(InsightStatus::from).collect(),
    };
    let found = wire.reader.list_insights(&query).await?;
    listed(request, body, "insights", shape::insights(&found))
}

async fn catalogue(wire: &Wire, request: &Request, body: &Value) -> Outcome {
    let kubernetes_version = request
        .value("kubernetesVersion")
        .map(|text| minor(text, "eks:DescribeAddonVersions"))
        .transpose()?;
    let query = AddonCatalogueQuery {
        kubernetes_version,
        addon: request.value("addonName").map(str::to_owned),
        owners: request
            .query
            .iter()
            .filter(|(key, _)| key == "owners")
            .map(|(_, owner)| owner.clone())
            .collect(),
    };
    let found = wire.reader.describe_addon_versions(&query).await?;
    listed(request, body, "addons", found.iter().map(shape::catalogue).collect())
}
