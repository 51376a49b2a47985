//! What EKS answers, as JSON.

use eks_provider::aws::{
    AccessEntry, Addon, AddonInfo, CertificateAuthority, Cluster, ClusterVersion, FargateProfile, Insight,
    InsightSummary, InsightsRefresh, Issue, LaunchTemplateKey, LaunchTemplateRef, Nodegroup, Update,
};
use jiff::Timestamp;
use serde_json::{Map, Value, json};

/// A moment: seconds since 1970, with a fraction.
#[expect(clippy::cast_precision_loss, reason = "milliseconds of this millennium fit")]
pub(super) fn seconds(at: Option<Timestamp>) -> Value {
    at.map_or(Value::Null, |at| json!(at.as_millisecond() as f64 / 1000.0))
}

/// Without what is not there: services leave it out.
pub(super) fn lean(value: Value) -> Value {
    match value {
        Value::Object(entries) => Value::Object(
            entries
                .into_iter()
                .filter(|(_, value)| !value.is_null())
                .map(|(key, value)| (key, lean(value)))
                .collect::<Map<_, _>>(),
        ),
        Value::Array(items) => Value::Array(items.into_iter().map(lean).collect()),
        other @ (Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_)) => other,
    }
}

fn issues(issues: &[Issue]) -> Value {
    let issue = |issue: &Issue| json!({ "code": issue.code, "message": issue.message, "resourceIds": issue.resource_ids });
    json!({ "issues": issues.iter().map(issue).collect::<Vec<_>>() })
}

pub(super) fn cluster(cluster: &Cluster) -> Value {
    let vpc = &cluster.vpc;
    let provider = |arn: &String| json!({ "resources": ["secrets"], "provider": { "keyArn": arn } });
    json!({
        "name": cluster.name,
        "arn": cluster.arn,
        "createdAt": seconds(cluster.created_at),
        "version": cluster.version.to_string(),
        "platformVersion": cluster.platform_version,
        "status": cluster.status.as_str(),
        "endpoint": cluster.endpoint,
        "certificateAuthority": cluster.certificate_authority.as_ref().map(|data| json!({ "data": data })),
        "roleArn": cluster.role_arn,
        "resourcesVpcConfig": {
            "vpcId": vpc.vpc_id,
            "subnetIds": vpc.subnet_ids,
            "securityGroupIds": vpc.security_group_ids,
            "clusterSecurityGroupId": vpc.cluster_security_group_id,
            "endpointPublicAccess": vpc.endpoint_public_access,
            "endpointPrivateAccess": vpc.endpoint_private_access,
            "publicAccessCidrs": vpc.public_access_cidrs,
            "controlPlaneEgressMode": vpc.egress_mode.as_ref().map(eks_provider::aws::EgressMode::as_str),
        },
        "kubernetesNetworkConfig": {
            "serviceIpv4Cidr": cluster.service_cidrs.iter().find(|cidr| !cidr.contains(':')),
            "serviceIpv6Cidr": cluster.service_cidrs.iter().find(|cidr| cidr.contains(':')),
            "ipFamily": cluster.ip_family,
            "elasticLoadBalancing": cluster.auto_mode.as_ref().map(|auto| json!({ "enabled": auto.load_balancing })),
        },
        "logging": { "clusterLogging": [{ "types": cluster.logging, "enabled": !cluster.logging.is_empty() }] },
        "identity": cluster.oidc_issuer.as_ref().map(|issuer| json!({ "oidc": { "issuer": issuer } })),
        "accessConfig": cluster.authentication_mode.as_ref()
            .map(|mode| json!({ "authenticationMode": mode.as_str() })),
        "upgradePolicy": cluster.support_type.as_ref().map(|policy| json!({ "supportType": policy.text() })),
        "deletionProtection": cluster.deletion_protection,
        "zonalShiftConfig": cluster.zonal_shift.map(|enabled| json!({ "enabled": enabled })),
        "computeConfig": cluster.auto_mode.as_ref().map(|auto| json!({
            "enabled": auto.compute, "nodePools": auto.node_pools, "nodeRoleArn": auto.node_role_arn,
        })),
        "storageConfig": cluster.auto_mode.as_ref()
            .map(|auto| json!({ "blockStorage": { "enabled": auto.block_storage } })),
        "remoteNetworkConfig": (!cluster.remote_node_cidrs.is_empty()).then(|| json!({
            "remoteNodeNetworks": [{ "cidrs": cluster.remote_node_cidrs }],
            "remotePodNetworks": [{ "cidrs": cluster.remote_pod_cidrs }],
        })),
        "controlPlaneScalingConfig": cluster.control_plane_tier.as_ref().map(|tier| json!({ "tier": tier })),
        "encryptionConfig": cluster.encryption_key_arns.iter().map(provider).collect::<Vec<_>>(),
        "outpostConfig": (!cluster.outpost_arns.is_empty())
            .then(|| json!({ "outpostArns": cluster.outpost_arns, "controlPlaneInstanceType": "m5.large" })),
        "connectorConfig": cluster.connector_provider.as_ref().map(|provider| json!({ "provider": provider })),
        "health": issues(&cluster.health),
        "tags": cluster.tags,
    })
}

pub(super) fn update(update: &Update) -> Value {
    let param = |(kind, value): &(String, String)| json!({ "type": kind, "value": value });
    json!({
        "id": update.id,
        "status": update.status.as_str(),
        "type": update.kind.as_str(),
        "params": update.params.iter().map(param).collect::<Vec<_>>(),
        "createdAt": seconds(update.created_at),
        "errors": update.errors.iter().map(|error| json!({
            "errorCode": error.code.as_str(), "errorMessage": error.message, "resourceIds": error.resource_ids,
        })).collect::<Vec<_>>(),
        "cancellation": update.cancellation.as_ref()
            .map(|(status, reason)| json!({ "status": status.as_str(), "reason": reason })),
    })
}

pub(super) fn version(version: &ClusterVersion) -> Value {
    json!({
        "clusterVersion": version.version.text(),
        "clusterType": version.cluster_type,
        "defaultPlatformVersion": version.default_platform_version,
        "defaultVersion": version.default_version,
        "releaseDate": seconds(version.release_date),
        "endOfStandardSupportDate": seconds(version.end_of_standard_support),
        "endOfExtendedSupportDate": seconds(version.end_of_extended_support),
        "versionStatus": version.status.as_str(),
        "status": version.status.as_str().to_ascii_lowercase().replace('_', "-"),
        "kubernetesPatchVersion": version.kubernetes_patch_version,
        "controlPlaneScalingTiers": version.control_plane_tiers.iter().map(|tier| json!({ "tierName": tier }))
            .collect::<Vec<_>>(),
    })
}

fn summary(summary: &InsightSummary) -> Value {
    json!({
        "id": summary.id,
        "name": summary.name,
        "category": summary.category.as_str(),
        "kubernetesVersion": summary.kubernetes_version.as_ref().map(eks_provider::Written::text),
        "lastRefreshTime": seconds(summary.last_refresh),
        "lastTransitionTime": seconds(summary.last_transition),
        "description": summary.description,
        "insightStatus": { "status": summary.status.as_str(), "reason": summary.reason },
    })
}

pub(super) fn insights(all: &[InsightSummary]) -> Vec<Value> {
    all.iter().map(summary).collect()
}

pub(super) fn insight(insight: &Insight) -> Value {
    let mut value = summary(&insight.summary);
    let resources: Vec<Value> = insight
        .resources
        .iter()
        .map(|resource| {
            json!({
                "kubernetesResourceUri": resource.kubernetes_resource_uri,
                "arn": resource.arn,
                "insightStatus": resource.status.as_ref()
                    .map(|status| json!({ "status": status.as_str(), "reason": resource.reason })),
            })
        })
        .collect();
    let deprecations: Vec<Value> = insight
        .deprecations
        .iter()
        .map(|one| {
            json!({
                "usage": one.usage,
                "replacedWith": one.replaced_with,
                "stopServingVersion": one.stop_serving_version.as_ref().map(eks_provider::Written::text),
                "startServingReplacementVersion":
                    one.start_serving_replacement_version.as_ref().map(eks_provider::Written::text),
                "clientStats": one.clients.iter().map(|client| json!({
                    "userAgent": client.user_agent,
                    "numberOfRequestsLast30Days": client.requests_last_30_days,
                    "lastRequestTime": seconds(client.last_request),
                })).collect::<Vec<_>>(),
            })
        })
        .collect();
    let addons: Vec<Value> = insight
        .addon_compatibility
        .iter()
        .map(|(name, versions)| json!({ "name": name, "compatibleVersions": versions }))
        .collect();
    if let Value::Object(entries) = &mut value {
        entries.insert("recommendation".to_owned(), json!(insight.recommendation));
        entries.insert("additionalInfo".to_owned(), json!(insight.additional_info));
        entries.insert("resources".to_owned(), json!(resources));
        entries.insert(
            "categorySpecificSummary".to_owned(),
            json!({ "deprecationDetails": deprecations, "addonCompatibilityDetails": addons }),
        );
    }
    value
}

/// A refresh that was begun: the service says less than about one that is looked at.
pub(super) fn begun(refresh: &InsightsRefresh) -> Value {
    json!({ "message": refresh.message, "status": refresh.status.as_str() })
}

pub(super) fn refresh(refresh: &InsightsRefresh) -> Value {
    json!({
        "message": refresh.message,
        "status": refresh.status.as_str(),
        "startedAt": seconds(refresh.started_at),
        "endedAt": seconds(refresh.ended_at),
    })
}

pub(super) fn addon(addon: &Addon, cluster: &str) -> Value {
    json!({
        "addonName": addon.name,
        "clusterName": cluster,
        "addonArn": addon.arn,
        "addonVersion": addon.version.text(),
        "status": addon.status.as_str(),
        "health": issues(&addon.health),
        "createdAt": seconds(addon.created_at),
        "modifiedAt": seconds(addon.modified_at),
        "serviceAccountRoleArn": addon.service_account_role_arn,
        "podIdentityAssociations": addon.pod_identity_associations,
        "configurationValues": addon.configuration_values,
        "namespaceConfig": addon.namespace.as_ref().map(|namespace| json!({ "namespace": namespace })),
        "publisher": addon.publisher,
        "owner": addon.owner,
        "tags": addon.tags,
    })
}

pub(super) fn catalogue(info: &AddonInfo) -> Value {
    let versions: Vec<Value> = info
        .versions
        .iter()
        .map(|version| {
            json!({
                "addonVersion": version.version.text(),
                "architecture": version.architectures,
                "computeTypes": version.compute_types,
                "compatibilities": version.compatibilities.iter().map(|one| json!({
                    "clusterVersion": one.cluster_version.text(),
                    "platformVersions": one.platform_versions,
                    "defaultVersion": one.default_version,
                })).collect::<Vec<_>>(),
                "requiresConfiguration": version.requires_configuration,
                "requiresIamPermissions": version.requires_iam_permissions,
            })
        })
        .collect();
    json!({
        "addonName": info.name,
        "type": info.kind,
        "publisher": info.publisher,
        "owner": info.owner,
        "defaultNamespace": info.default_namespace,
        "addonVersions": versions,
    })
}

fn template(template: &LaunchTemplateRef) -> Value {
    let (id, name) = match &template.template {
        LaunchTemplateKey::Id(id) => (Some(id), None),
        LaunchTemplateKey::Name(name) => (None, Some(name)),
    };
    json!({ "id": id, "name": name, "version": template.version.to_string() })
}

pub(super) fn nodegroup(group: &Nodegroup) -> Value {
    let groups: Vec<Value> = group.auto_scaling_groups.iter().map(|name| json!({ "name": name })).collect();
    json!({
        "nodegroupName": group.name,
        "nodegroupArn": group.arn,
        "clusterName": group.cluster,
        "version": group.version.as_ref().map(eks_provider::Written::text),
        "releaseVersion": group.release_version,
        "createdAt": seconds(group.created_at),
        "modifiedAt": seconds(group.modified_at),
        "status": group.status.as_str(),
        "capacityType": group.capacity_type.as_ref().map(eks_provider::aws::CapacityType::as_str),
        "scalingConfig": {
            "minSize": group.scaling.min_size,
            "maxSize": group.scaling.max_size,
            "desiredSize": group.scaling.desired_size,
        },
        "instanceTypes": group.instance_types,
        "subnets": group.subnets,
        "amiType": group.ami_type,
        "nodeRole": group.node_role_arn,
        "labels": group.labels,
        "taints": group.taints.iter().map(|taint| json!({
            "key": taint.key, "value": taint.value, "effect": taint.effect,
        })).collect::<Vec<_>>(),
        "resources": {
            "autoScalingGroups": groups,
            "remoteAccessSecurityGroup": group.remote_access_security_group,
        },
        "remoteAccess": group.remote_access_key_name.as_ref().map(|key| json!({ "ec2SshKey": key })),
        "launchTemplate": group.launch_template.as_ref().map(template),
        "updateConfig": {
            "maxUnavailable": group.update_config.max_unavailable,
            "maxUnavailablePercentage": group.update_config.max_unavailable_percentage,
            "updateStrategy": group.update_config.update_strategy.as_ref().map(eks_provider::aws::NodegroupUpdateStrategy::as_str),
        },
        "nodeRepairConfig": group.node_repair.map(|enabled| json!({ "enabled": enabled })),
        "warmPoolConfig": group.warm_pool.as_ref().map(|pool| json!({
            "enabled": pool.enabled,
            "minSize": pool.min_size,
            "maxGroupPreparedCapacity": pool.max_group_prepared_capacity,
            "poolState": pool.pool_state.as_ref().map(eks_provider::aws::WarmPoolState::as_str),
            "reuseOnScaleIn": pool.reuse_on_scale_in,
        })),
        "health": issues(&group.health),
        "tags": group.tags,
    })
}

pub(super) fn fargate(profile: &FargateProfile) -> Value {
    json!({
        "fargateProfileName": profile.name,
        "fargateProfileArn": profile.arn,
        "clusterName": profile.cluster,
        "status": profile.status.as_str(),
        "createdAt": seconds(profile.created_at),
        "podExecutionRoleArn": profile.pod_execution_role_arn,
        "subnets": profile.subnets,
        "selectors": profile.selectors.iter().map(|selector| json!({
            "namespace": selector.namespace, "labels": selector.labels,
        })).collect::<Vec<_>>(),
        "health": issues(&profile.health),
        "tags": profile.tags,
    })
}

pub(super) fn access(entry: &AccessEntry, cluster: &str) -> Value {
    json!({
        "clusterName": cluster,
        "principalArn": entry.principal_arn,
        "type": entry.kind,
        "username": entry.username,
        "kubernetesGroups": entry.kubernetes_groups,
        "tags": entry.tags,
    })
}

pub(super) fn authority(authority: &CertificateAuthority) -> Value {
    json!({
        "id": authority.id,
        "createdAt": seconds(authority.created_at),
        "activatedAt": seconds(authority.activated_at),
        "signingStatus": authority.signing_status.as_str(),
        "distributionStatus": authority.distribution_status.as_str(),
        "validity": { "notBefore": seconds(authority.not_before), "notAfter": seconds(authority.not_after) },
        "scheduledEvents": {
            "firstAutoActivation": seconds(authority.first_auto_activation),
            "finalAutoActivation": seconds(authority.final_auto_activation),
        },
        "rollbackAvailable": authority.rollback_available,
        "data": authority.data,
    })
}
