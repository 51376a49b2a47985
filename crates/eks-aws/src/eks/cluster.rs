//! Clusters.

use async_trait::async_trait;
use aws_sdk_eks::types as sdk;
use eks_provider::aws::{
    AutoMode, CancelUpdate, Cluster, ClusterConfigChange, ClusterReader, ClusterVpc, ClusterWriter,
    EksTagWriter, Update, UpdateClusterConfig, UpdateClusterVersion, support_type,
};
use eks_provider::{Class, Result};
use std::collections::BTreeMap;

use crate::Aws;
use crate::call::{What, map, set, some, time, word};
use crate::eks::issues;
use crate::eks::updates::update;

fn on(operation: &'static str, cluster: &str) -> What {
    What::new(operation, format!("cluster {cluster}"))
}

#[async_trait]
impl ClusterReader for Aws {
    async fn list_clusters(&self) -> Result<Vec<String>> {
        let what = What::new("eks:ListClusters", format!("region {}", self.region));
        let mut names = self
            .pages(
                &what,
                |token| self.eks.list_clusters().max_results(100).set_next_token(token).send(),
                |answer| (answer.clusters, answer.next_token),
            )
            .await?;
        names.sort();
        Ok(names)
    }

    async fn describe_cluster(&self, cluster: &str) -> Result<Cluster> {
        let what = on("eks:DescribeCluster", cluster);
        let answer = self.send(&what, || self.eks.describe_cluster().name(cluster).send()).await?;
        read(&what, what.need("cluster", answer.cluster)?)
    }
}

#[async_trait]
impl ClusterWriter for Aws {
    async fn update_cluster_version(&self, request: &UpdateClusterVersion) -> Result<Update> {
        let what = on("eks:UpdateClusterVersion", &request.cluster);
        let rollback = match request.rollback_timeout {
            None => None,
            Some(timeout) => {
                let minutes = i32::try_from(timeout.as_secs().div_ceil(60)).map_err(|_| {
                    what.error(Class::Invalid).message("the time for a rollback is too long to be sent")
                })?;
                Some(sdk::RollbackConfig::builder().timeout_minutes(minutes).build())
            }
        };
        let call = || {
            self.eks
                .update_cluster_version()
                .name(&request.cluster)
                .version(request.version.to_string())
                // `false` is not sent: it is what EKS takes for granted.
                .set_force(request.force.then_some(true))
                .set_rollback_config(rollback.clone())
                .client_request_token(request.token.as_str())
                .send()
        };
        update(&what, self.send(&what, call).await?.update)
    }

    async fn update_cluster_config(&self, request: &UpdateClusterConfig) -> Result<Update> {
        let what = on("eks:UpdateClusterConfig", &request.cluster);
        let call = || {
            let call = self
                .eks
                .update_cluster_config()
                .name(&request.cluster)
                .client_request_token(request.token.as_str());
            match &request.change {
                ClusterConfigChange::UpgradePolicy(support) => {
                    let support = sdk::SupportType::from(support.as_str());
                    call.upgrade_policy(sdk::UpgradePolicyRequest::builder().support_type(support).build())
                }
                ClusterConfigChange::DeletionProtection(on) => call.deletion_protection(*on),
                ClusterConfigChange::ZonalShift(on) => {
                    call.zonal_shift_config(sdk::ZonalShiftConfigRequest::builder().enabled(*on).build())
                }
                ClusterConfigChange::Subnets(subnets) => call.resources_vpc_config(
                    sdk::VpcConfigRequest::builder()
                        .set_subnet_ids(Some(subnets.iter().cloned().collect()))
                        .build(),
                ),
                ClusterConfigChange::ControlPlaneTier(tier) => call.control_plane_scaling_config(
                    sdk::ControlPlaneScalingConfig::builder()
                        .tier(sdk::ProvisionedControlPlaneTier::from(tier.as_str()))
                        .build(),
                ),
            }
            .send()
        };
        update(&what, self.send(&what, call).await?.update)
    }

    async fn cancel_update(&self, request: &CancelUpdate) -> Result<Update> {
        let target = format!("update {} of cluster {}", request.update_id, request.cluster);
        let what = What::new("eks:CancelUpdate", target);
        let call = || {
            self.eks
                .cancel_update()
                .name(&request.cluster)
                .update_id(&request.update_id)
                .client_request_token(request.token.as_str())
                .send()
        };
        update(&what, self.send(&what, call).await?.update)
    }
}

#[async_trait]
impl EksTagWriter for Aws {
    async fn tag_resource(&self, arn: &str, tags: &BTreeMap<String, String>) -> Result<()> {
        if tags.is_empty() {
            return Ok(());
        }
        let what = What::new("eks:TagResource", format!("resource {arn}"));
        let tags: std::collections::HashMap<String, String> = tags.clone().into_iter().collect();
        let call = || self.eks.tag_resource().resource_arn(arn).set_tags(Some(tags.clone())).send();
        self.send(&what, call).await.map(drop)
    }

    async fn untag_resource(&self, arn: &str, keys: &[String]) -> Result<()> {
        if keys.is_empty() {
            return Ok(());
        }
        let what = What::new("eks:UntagResource", format!("resource {arn}"));
        let call = || self.eks.untag_resource().resource_arn(arn).set_tag_keys(Some(keys.to_vec())).send();
        self.send(&what, call).await.map(drop)
    }
}

fn read(what: &What, cluster: sdk::Cluster) -> Result<Cluster> {
    let version = what.text("cluster.version", cluster.version)?;
    let version = version.parse().map_err(|error| what.malformed(format!("cluster.version: {error}")))?;
    let auto_mode = auto_mode(
        cluster.compute_config.as_ref(),
        cluster.storage_config.as_ref(),
        cluster.kubernetes_network_config.as_ref(),
    );
    let network = cluster.kubernetes_network_config;
    let service_cidrs =
        network.iter().flat_map(|network| [&network.service_ipv4_cidr, &network.service_ipv6_cidr]);
    let remote = cluster.remote_network_config;
    let logging = cluster.logging.and_then(|logging| logging.cluster_logging);
    let access = cluster.access_config.and_then(|access| access.authentication_mode);
    let support = cluster.upgrade_policy.and_then(|policy| policy.support_type);
    Ok(Cluster {
        name: what.text("cluster.name", cluster.name)?,
        arn: what.text("cluster.arn", cluster.arn)?,
        created_at: time(cluster.created_at),
        version,
        platform_version: some(cluster.platform_version),
        status: what.word("cluster.status", cluster.status.as_ref().map(sdk::ClusterStatus::as_str))?,
        endpoint: some(cluster.endpoint),
        certificate_authority: some(cluster.certificate_authority.and_then(|authority| authority.data)),
        role_arn: some(cluster.role_arn),
        vpc: vpc(cluster.resources_vpc_config),
        service_cidrs: service_cidrs.flatten().filter(|cidr| !cidr.is_empty()).cloned().collect(),
        ip_family: network
            .as_ref()
            .and_then(|network| network.ip_family.as_ref())
            .map(|family| family.as_str().to_owned()),
        oidc_issuer: some(cluster.identity.and_then(|identity| identity.oidc).and_then(|oidc| oidc.issuer)),
        authentication_mode: word(access.as_ref().map(sdk::AuthenticationMode::as_str)),
        support_type: support.map(|support| support_type(support.as_str())),
        deletion_protection: cluster.deletion_protection,
        zonal_shift: cluster.zonal_shift_config.and_then(|config| config.enabled),
        auto_mode,
        remote_node_cidrs: remote
            .iter()
            .flat_map(|remote| remote.remote_node_networks.iter().flatten())
            .flat_map(|network| network.cidrs.iter().flatten().cloned())
            .collect(),
        remote_pod_cidrs: remote
            .iter()
            .flat_map(|remote| remote.remote_pod_networks.iter().flatten())
            .flat_map(|network| network.cidrs.iter().flatten().cloned())
            .collect(),
        control_plane_tier: cluster
            .control_plane_scaling_config
            .and_then(|config| config.tier)
            .map(|tier| tier.as_str().to_owned()),
        encryption_key_arns: cluster
            .encryption_config
            .into_iter()
            .flatten()
            .filter_map(|config| some(config.provider.and_then(|provider| provider.key_arn)))
            .collect(),
        logging: logging
            .into_iter()
            .flatten()
            .filter(|setup| setup.enabled == Some(true))
            .flat_map(|setup| setup.types.into_iter().flatten())
            .map(|kind| kind.as_str().to_owned())
            .collect(),
        outpost_arns: cluster.outpost_config.map(|config| config.outpost_arns).unwrap_or_default(),
        connector_provider: some(cluster.connector_config.and_then(|config| config.provider)),
        health: issues!(cluster.health),
        tags: map(cluster.tags),
    })
}

fn vpc(config: Option<sdk::VpcConfigResponse>) -> ClusterVpc {
    let Some(config) = config else { return ClusterVpc::default() };
    ClusterVpc {
        vpc_id: some(config.vpc_id),
        subnet_ids: set(config.subnet_ids),
        security_group_ids: set(config.security_group_ids),
        cluster_security_group_id: some(config.cluster_security_group_id),
        endpoint_public_access: config.endpoint_public_access,
        endpoint_private_access: config.endpoint_private_access,
        public_access_cidrs: set(config.public_access_cidrs),
        egress_mode: word(
            config.control_plane_egress_mode.as_ref().map(sdk::ControlPlaneEgressModeType::as_str),
        ),
    }
}

/// Auto Mode stands in three places; it has been set where any of them says something.
fn auto_mode(
    compute: Option<&sdk::ComputeConfigResponse>,
    storage: Option<&sdk::StorageConfigResponse>,
    network: Option<&sdk::KubernetesNetworkConfigResponse>,
) -> Option<AutoMode> {
    let storage = storage.and_then(|storage| storage.block_storage.as_ref());
    let balancing = network.and_then(|network| network.elastic_load_balancing.as_ref());
    if compute.is_none() && storage.is_none() && balancing.is_none() {
        return None;
    }
    Some(AutoMode {
        compute: compute.and_then(|compute| compute.enabled) == Some(true),
        node_pools: set(compute.and_then(|compute| compute.node_pools.clone())),
        node_role_arn: some(compute.and_then(|compute| compute.node_role_arn.clone())),
        block_storage: storage.and_then(|storage| storage.enabled) == Some(true),
        load_balancing: balancing.and_then(|balancing| balancing.enabled) == Some(true),
    })
}
