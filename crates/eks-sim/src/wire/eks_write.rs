//! EKS: what it is told.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use eks_model::SupportType;
use eks_provider::aws::{
    AddonPodIdentity, CancelUpdate, ClusterConfigChange, CreateAddon, LaunchTemplateKey, LaunchTemplateRef,
    NodegroupScaling, NodegroupTaint, NodegroupUpdateConfig, NodegroupUpdateStrategy, ResolveConflicts,
    TemplateVersion, UpdateAddon, UpdateClusterConfig, UpdateClusterVersion, UpdateNodegroupConfig,
    UpdateNodegroupVersion, support_type,
};
use serde_json::{Value, json};

use super::eks::{Outcome, invalid, minor};
use super::eks_json as shape;
use super::{Request, Wire};

fn unknown_resolution(word: &str) -> bool {
    matches!(ResolveConflicts::from(word), ResolveConflicts::Other(_))
}

pub(super) async fn write(wire: &Wire, request: &Request, parts: &[&str], body: &Value) -> Option<Outcome> {
    let writer = &wire.writer;
    let update = |update: eks_provider::Result<eks_provider::aws::Update>| {
        update.map(|update| json!({ "update": shape::update(&update) }))
    };
    Some(match (request.method.as_str(), parts) {
        ("POST", ["clusters", name, "updates"]) => cluster_version(wire, name, body).await,
        ("POST", ["clusters", name, "updates", id, "cancel-update"]) => {
            let request = CancelUpdate {
                cluster: (*name).to_owned(),
                update_id: (*id).to_owned(),
                token: wire.token(text(body, "clientRequestToken")),
            };
            update(writer.cancel_update(&request).await)
        }
        ("POST", ["clusters", name, "update-config"]) => cluster_config(wire, name, body).await,
        ("POST", ["clusters", name, "insights-refresh"]) => {
            writer.start_insights_refresh(name).await.map(|refresh| shape::begun(&refresh))
        }
        ("POST", ["clusters", _, "addons", ..])
            if text(body, "resolveConflicts").is_some_and(unknown_resolution) =>
        {
            Err(invalid("eks:UpdateAddon", "resolveConflicts is NONE, OVERWRITE or PRESERVE"))
        }
        ("POST", ["clusters", name, "addons", addon, "update"]) => {
            let request = UpdateAddon {
                cluster: (*name).to_owned(),
                addon: (*addon).to_owned(),
                version: text(body, "addonVersion").map(str::to_owned),
                resolve_conflicts: ResolveConflicts::from(text(body, "resolveConflicts").unwrap_or("NONE")),
                configuration_values: text(body, "configurationValues").map(str::to_owned),
                service_account_role_arn: text(body, "serviceAccountRoleArn").map(str::to_owned),
                pod_identity_associations: body.get("podIdentityAssociations").map(identities),
                token: wire.token(text(body, "clientRequestToken")),
            };
            update(writer.update_addon(&request).await)
        }
        ("POST", ["clusters", name, "addons"]) => {
            let namespace = body.get("namespaceConfig").and_then(|config| text(config, "namespace"));
            let request = CreateAddon {
                cluster: (*name).to_owned(),
                addon: text(body, "addonName").unwrap_or_default().to_owned(),
                version: text(body, "addonVersion").map(str::to_owned),
                resolve_conflicts: ResolveConflicts::from(text(body, "resolveConflicts").unwrap_or("NONE")),
                configuration_values: text(body, "configurationValues").map(str::to_owned),
                service_account_role_arn: text(body, "serviceAccountRoleArn").map(str::to_owned),
                pod_identity_associations: body
                    .get("podIdentityAssociations")
                    .map(identities)
                    .unwrap_or_default(),
                namespace: namespace.map(str::to_owned),
                tags: words(body.get("tags")),
                token: wire.token(text(body, "clientRequestToken")),
            };
            writer.create_addon(&request).await.map(|addon| json!({ "addon": shape::addon(&addon, name) }))
        }
        ("DELETE", ["clusters", name, "addons", addon]) => writer
            .delete_addon(name, addon, request.value("preserve") == Some("true"))
            .await
            .map(|addon| json!({ "addon": shape::addon(&addon, name) })),
        ("POST", ["clusters", name, "node-groups", group, "update-version"]) => {
            nodegroup_version(wire, name, group, body).await
        }
        ("POST", ["clusters", name, "node-groups", group, "update-config"]) => {
            nodegroup_config(wire, name, group, body).await
        }
        ("POST", ["tags", arn @ ..]) => {
            writer.tag_resource(&arn.join("/"), &words(body.get("tags"))).await.map(|()| json!({}))
        }
        ("DELETE", ["tags", arn @ ..]) => {
            let keys: Vec<String> = request
                .query
                .iter()
                .filter(|(key, _)| key == "tagKeys")
                .map(|(_, key)| key.clone())
                .collect();
            writer.untag_resource(&arn.join("/"), &keys).await.map(|()| json!({}))
        }
        _ => return None,
    })
}

fn text<'b>(body: &'b Value, key: &str) -> Option<&'b str> {
    body.get(key).and_then(Value::as_str)
}

fn number(body: Option<&Value>, key: &str) -> Option<u32> {
    body?.get(key)?.as_u64().and_then(|number| u32::try_from(number).ok())
}

fn words(map: Option<&Value>) -> BTreeMap<String, String> {
    let entries = map.and_then(Value::as_object).into_iter().flatten();
    entries.filter_map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned()))).collect()
}

fn identities(list: &Value) -> Vec<AddonPodIdentity> {
    let of = |item: &Value| {
        Some(AddonPodIdentity {
            service_account: text(item, "serviceAccount")?.to_owned(),
            role_arn: text(item, "roleArn")?.to_owned(),
        })
    };
    list.as_array().into_iter().flatten().filter_map(of).collect()
}

async fn cluster_version(wire: &Wire, cluster: &str, body: &Value) -> Outcome {
    let operation = "eks:UpdateClusterVersion";
    let version = text(body, "version").ok_or_else(|| invalid(operation, "version is missing"))?;
    let minutes =
        body.get("rollbackConfig").and_then(|config| config.get("timeoutMinutes")).and_then(Value::as_u64);
    let request = UpdateClusterVersion {
        cluster: cluster.to_owned(),
        version: minor(version, operation)?,
        force: body.get("force").and_then(Value::as_bool).unwrap_or(false),
        rollback_timeout: minutes.map(|minutes| Duration::from_secs(minutes.saturating_mul(60))),
        token: wire.token(text(body, "clientRequestToken")),
    };
    let update = wire.writer.update_cluster_version(&request).await?;
    Ok(json!({ "update": shape::update(&update) }))
}

async fn cluster_config(wire: &Wire, cluster: &str, body: &Value) -> Outcome {
    let operation = "eks:UpdateClusterConfig";
    let mut changes = Vec::new();
    if let Some(policy) = body.get("upgradePolicy").and_then(|policy| text(policy, "supportType")) {
        let policy: SupportType = support_type(policy)
            .value()
            .copied()
            .ok_or_else(|| invalid(operation, format!("supportType {policy} is not valid")))?;
        changes.push(ClusterConfigChange::UpgradePolicy(policy));
    }
    if let Some(on) = body.get("deletionProtection").and_then(Value::as_bool) {
        changes.push(ClusterConfigChange::DeletionProtection(on));
    }
    if let Some(on) =
        body.get("zonalShiftConfig").and_then(|config| config.get("enabled")).and_then(Value::as_bool)
    {
        changes.push(ClusterConfigChange::ZonalShift(on));
    }
    if let Some(subnets) =
        body.get("resourcesVpcConfig").and_then(|vpc| vpc.get("subnetIds")).and_then(Value::as_array)
    {
        let subnets: BTreeSet<String> =
            subnets.iter().filter_map(|subnet| subnet.as_str().map(str::to_owned)).collect();
        changes.push(ClusterConfigChange::Subnets(subnets));
    }
    if let Some(tier) = body.get("controlPlaneScalingConfig").and_then(|config| text(config, "tier")) {
        changes.push(ClusterConfigChange::ControlPlaneTier(tier.to_owned()));
    }
    let [change] = changes.as_slice() else {
        return Err(invalid(
            operation,
            "exactly one kind of change that the simulated world knows is needed",
        ));
    };
    let request = UpdateClusterConfig {
        cluster: cluster.to_owned(),
        change: change.clone(),
        token: wire.token(text(body, "clientRequestToken")),
    };
    let update = wire.writer.update_cluster_config(&request).await?;
    Ok(json!({ "update": shape::update(&update) }))
}

async fn nodegroup_version(wire: &Wire, cluster: &str, nodegroup: &str, body: &Value) -> Outcome {
    let operation = "eks:UpdateNodegroupVersion";
    let version = text(body, "version")
        .map(|text| {
            text.parse().map_err(|_| invalid(operation, format!("unsupported Kubernetes version {text}")))
        })
        .transpose()?;
    let template = body.get("launchTemplate").and_then(|template| {
        let key = match (text(template, "id"), text(template, "name")) {
            (Some(id), _) => LaunchTemplateKey::Id(id.to_owned()),
            (None, Some(name)) => LaunchTemplateKey::Name(name.to_owned()),
            (None, None) => return None,
        };
        let version = text(template, "version").map_or(TemplateVersion::Default, TemplateVersion::from);
        Some(LaunchTemplateRef { template: key, version })
    });
    let request = UpdateNodegroupVersion {
        cluster: cluster.to_owned(),
        nodegroup: nodegroup.to_owned(),
        version,
        release_version: text(body, "releaseVersion").map(str::to_owned),
        launch_template: template,
        force: body.get("force").and_then(Value::as_bool).unwrap_or(false),
        token: wire.token(text(body, "clientRequestToken")),
    };
    let update = wire.writer.update_nodegroup_version(&request).await?;
    Ok(json!({ "update": shape::update(&update) }))
}

fn taints(list: Option<&Value>) -> Vec<NodegroupTaint> {
    let of = |item: &Value| {
        Some(NodegroupTaint {
            key: text(item, "key")?.to_owned(),
            value: text(item, "value").map(str::to_owned),
            effect: text(item, "effect")?.to_owned(),
        })
    };
    list.and_then(Value::as_array).into_iter().flatten().filter_map(of).collect()
}

async fn nodegroup_config(wire: &Wire, cluster: &str, nodegroup: &str, body: &Value) -> Outcome {
    let scaling = body.get("scalingConfig");
    let said = |name: &str| number(scaling, name);
    let scaling = if scaling.is_none_or(Value::is_null) {
        None
    } else if let (Some(min_size), Some(max_size), Some(desired_size)) =
        (said("minSize"), said("maxSize"), said("desiredSize"))
    {
        Some(NodegroupScaling { min_size, max_size, desired_size })
    } else {
        // What is not said stays as it is.
        let now = wire.reader.describe_nodegroup(cluster, nodegroup).await?.scaling;
        Some(NodegroupScaling {
            min_size: said("minSize").unwrap_or(now.min_size),
            max_size: said("maxSize").unwrap_or(now.max_size),
            desired_size: said("desiredSize").unwrap_or(now.desired_size),
        })
    };
    let config = body.get("updateConfig").map(|config| NodegroupUpdateConfig {
        max_unavailable: number(Some(config), "maxUnavailable"),
        max_unavailable_percentage: number(Some(config), "maxUnavailablePercentage"),
        update_strategy: text(config, "updateStrategy").map(NodegroupUpdateStrategy::from),
    });
    let labels = body.get("labels");
    let mut changes: BTreeMap<String, Option<String>> =
        words(labels.and_then(|labels| labels.get("addOrUpdateLabels")))
            .into_iter()
            .map(|(key, value)| (key, Some(value)))
            .collect();
    let gone = labels.and_then(|labels| labels.get("removeLabels")).and_then(Value::as_array);
    changes.extend(gone.into_iter().flatten().filter_map(|key| Some((key.as_str()?.to_owned(), None))));
    let given = body.get("taints");
    let request = UpdateNodegroupConfig {
        cluster: cluster.to_owned(),
        nodegroup: nodegroup.to_owned(),
        scaling,
        update_config: config,
        labels: changes,
        taints_to_set: taints(given.and_then(|taints| taints.get("addOrUpdateTaints"))),
        taints_to_remove: taints(given.and_then(|taints| taints.get("removeTaints"))),
        token: wire.token(text(body, "clientRequestToken")),
    };
    let update = wire.writer.update_nodegroup_config(&request).await?;
    Ok(json!({ "update": shape::update(&update) }))
}
