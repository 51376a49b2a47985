//! Managed node groups.

use async_trait::async_trait;
use aws_sdk_eks::types as sdk;
use eks_provider::aws::{
    LaunchTemplateKey, LaunchTemplateRef, Nodegroup, NodegroupReader, NodegroupScaling, NodegroupTaint,
    NodegroupUpdateConfig, NodegroupWarmPool, NodegroupWriter, TemplateVersion, Update,
    UpdateNodegroupConfig, UpdateNodegroupVersion,
};
use eks_provider::{Class, Result};

use crate::Aws;
use crate::call::{What, count, map, set, some, time, word, written};
use crate::eks::issues;
use crate::eks::updates::update;

fn on(operation: &'static str, cluster: &str, nodegroup: &str) -> What {
    What::new(operation, format!("nodegroup {nodegroup} of cluster {cluster}"))
}

#[async_trait]
impl NodegroupReader for Aws {
    async fn list_nodegroups(&self, cluster: &str) -> Result<Vec<String>> {
        let what = What::new("eks:ListNodegroups", format!("cluster {cluster}"));
        let call = |token| {
            self.eks.list_nodegroups().cluster_name(cluster).max_results(100).set_next_token(token).send()
        };
        let mut names = self.pages(&what, call, |answer| (answer.nodegroups, answer.next_token)).await?;
        names.sort();
        Ok(names)
    }

    async fn describe_nodegroup(&self, cluster: &str, nodegroup: &str) -> Result<Nodegroup> {
        let what = on("eks:DescribeNodegroup", cluster, nodegroup);
        let call = || self.eks.describe_nodegroup().cluster_name(cluster).nodegroup_name(nodegroup).send();
        read(&what, what.need("nodegroup", self.send(&what, call).await?.nodegroup)?)
    }
}

#[async_trait]
impl NodegroupWriter for Aws {
    async fn update_nodegroup_version(&self, request: &UpdateNodegroupVersion) -> Result<Update> {
        let what = on("eks:UpdateNodegroupVersion", &request.cluster, &request.nodegroup);
        let template = request.launch_template.as_ref().map(|wanted| {
            let template = sdk::LaunchTemplateSpecification::builder().version(wanted.version.to_string());
            match &wanted.template {
                LaunchTemplateKey::Id(id) => template.id(id),
                LaunchTemplateKey::Name(name) => template.name(name),
            }
            .build()
        });
        let call = || {
            self.eks
                .update_nodegroup_version()
                .cluster_name(&request.cluster)
                .nodegroup_name(&request.nodegroup)
                // EKS takes a minor; the patch is in the release.
                .set_version(request.version.as_ref().map(|version| version.minor().to_string()))
                .set_release_version(request.release_version.clone())
                .set_launch_template(template.clone())
                .set_force(request.force.then_some(true))
                .client_request_token(request.token.as_str())
                .send()
        };
        update(&what, self.send(&what, call).await?.update)
    }

    async fn update_nodegroup_config(&self, request: &UpdateNodegroupConfig) -> Result<Update> {
        let what = on("eks:UpdateNodegroupConfig", &request.cluster, &request.nodegroup);
        let number = |number: u32| {
            i32::try_from(number)
                .map_err(|_| what.error(Class::Invalid).message(format!("{number} is too many to be sent")))
        };
        let scaling = match request.scaling {
            None => None,
            Some(scaling) => Some(
                sdk::NodegroupScalingConfig::builder()
                    .min_size(number(scaling.min_size)?)
                    .max_size(number(scaling.max_size)?)
                    .desired_size(number(scaling.desired_size)?)
                    .build(),
            ),
        };
        let config = match &request.update_config {
            None => None,
            Some(config) => Some(
                sdk::NodegroupUpdateConfig::builder()
                    .set_max_unavailable(config.max_unavailable.map(number).transpose()?)
                    .set_max_unavailable_percentage(
                        config.max_unavailable_percentage.map(number).transpose()?,
                    )
                    .set_update_strategy(
                        config.update_strategy.as_ref().map(|strategy| strategy.as_str().into()),
                    )
                    .build(),
            ),
        };
        let call = || {
            self.eks
                .update_nodegroup_config()
                .cluster_name(&request.cluster)
                .nodegroup_name(&request.nodegroup)
                .set_scaling_config(scaling.clone())
                .set_update_config(config.clone())
                .set_labels(labels(request))
                .set_taints(taints(request))
                .client_request_token(request.token.as_str())
                .send()
        };
        update(&what, self.send(&what, call).await?.update)
    }
}

fn labels(request: &UpdateNodegroupConfig) -> Option<sdk::UpdateLabelsPayload> {
    if request.labels.is_empty() {
        return None;
    }
    let mut payload = sdk::UpdateLabelsPayload::builder();
    for (key, value) in &request.labels {
        payload = match value {
            Some(value) => payload.add_or_update_labels(key, value),
            None => payload.remove_labels(key),
        };
    }
    Some(payload.build())
}

fn taints(request: &UpdateNodegroupConfig) -> Option<sdk::UpdateTaintsPayload> {
    if request.taints_to_set.is_empty() && request.taints_to_remove.is_empty() {
        return None;
    }
    let all = |taints: &[NodegroupTaint]| {
        let taint = |taint: &NodegroupTaint| {
            sdk::Taint::builder()
                .key(&taint.key)
                .set_value(taint.value.clone())
                .effect(taint.effect.as_str().into())
                .build()
        };
        (!taints.is_empty()).then(|| taints.iter().map(taint).collect())
    };
    let payload = sdk::UpdateTaintsPayload::builder()
        .set_add_or_update_taints(all(&request.taints_to_set))
        .set_remove_taints(all(&request.taints_to_remove));
    Some(payload.build())
}

fn read(what: &What, group: sdk::Nodegroup) -> Result<Nodegroup> {
    let scaling = what.need("nodegroup.scalingConfig", group.scaling_config)?;
    let (groups, remote_group) = group.resources.map_or((None, None), |resources| {
        (resources.auto_scaling_groups, resources.remote_access_security_group)
    });
    let status = group.status.as_ref().map(sdk::NodegroupStatus::as_str);
    let template = match group.launch_template {
        None => None,
        Some(template) => Some(template_ref(what, template)?),
    };
    let taints = group.taints.into_iter().flatten().map(|taint| {
        Ok(NodegroupTaint {
            key: what.text("nodegroup.taints.key", taint.key)?,
            value: some(taint.value),
            effect: what.need("nodegroup.taints.effect", taint.effect)?.as_str().to_owned(),
        })
    });
    Ok(Nodegroup {
        name: what.text("nodegroup.nodegroupName", group.nodegroup_name)?,
        arn: what.text("nodegroup.nodegroupArn", group.nodegroup_arn)?,
        cluster: what.text("nodegroup.clusterName", group.cluster_name)?,
        version: written(group.version),
        release_version: some(group.release_version),
        created_at: time(group.created_at),
        modified_at: time(group.modified_at),
        status: what.word("nodegroup.status", status)?,
        capacity_type: word(group.capacity_type.as_ref().map(sdk::CapacityTypes::as_str)),
        scaling: NodegroupScaling {
            min_size: what.count("nodegroup.scalingConfig.minSize", scaling.min_size)?,
            max_size: what.count("nodegroup.scalingConfig.maxSize", scaling.max_size)?,
            desired_size: what.count("nodegroup.scalingConfig.desiredSize", scaling.desired_size)?,
        },
        instance_types: group.instance_types.unwrap_or_default(),
        subnets: set(group.subnets),
        ami_type: group.ami_type.map(|kind| kind.as_str().to_owned()),
        node_role_arn: some(group.node_role),
        labels: map(group.labels),
        taints: taints.collect::<Result<_>>()?,
        auto_scaling_groups: groups.into_iter().flatten().filter_map(|group| some(group.name)).collect(),
        remote_access_security_group: some(remote_group),
        remote_access_key_name: some(group.remote_access.and_then(|access| access.ec2_ssh_key)),
        launch_template: template,
        update_config: update_config(group.update_config),
        node_repair: group.node_repair_config.and_then(|config| config.enabled),
        warm_pool: group.warm_pool_config.map(|pool| NodegroupWarmPool {
            enabled: pool.enabled == Some(true),
            min_size: count(pool.min_size),
            max_group_prepared_capacity: count(pool.max_group_prepared_capacity),
            pool_state: word(pool.pool_state.as_ref().map(sdk::WarmPoolState::as_str)),
            reuse_on_scale_in: pool.reuse_on_scale_in,
        }),
        health: issues!(group.health),
        tags: map(group.tags),
    })
}

fn update_config(config: Option<sdk::NodegroupUpdateConfig>) -> NodegroupUpdateConfig {
    config.map_or_else(NodegroupUpdateConfig::default, |config| NodegroupUpdateConfig {
        max_unavailable: count(config.max_unavailable),
        max_unavailable_percentage: count(config.max_unavailable_percentage),
        update_strategy: word(config.update_strategy.as_ref().map(sdk::NodegroupUpdateStrategies::as_str)),
    })
}

fn template_ref(what: &What, template: sdk::LaunchTemplateSpecification) -> Result<LaunchTemplateRef> {
    let key =
        some(template.id).map(LaunchTemplateKey::Id).or(some(template.name).map(LaunchTemplateKey::Name));
    Ok(LaunchTemplateRef {
        template: what.need("nodegroup.launchTemplate.id", key)?,
        version: word(template.version.as_deref()).unwrap_or(TemplateVersion::Default),
    })
}
