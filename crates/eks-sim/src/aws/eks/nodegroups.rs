//! Managed node groups: as they are described, and what may be asked of them.

use std::collections::BTreeMap;
use std::time::Duration;

use async_trait::async_trait;
use eks_model::KubeMinor;
use eks_provider::aws::{
    GroupTag, LaunchSource, LaunchTemplateKey, LaunchTemplateRef, Nodegroup, NodegroupReader,
    NodegroupStatus, NodegroupWriter, TemplateVersion, Update, UpdateNodegroupConfig, UpdateNodegroupVersion,
    UpdatePart, UpdateType,
};
use eks_provider::{Result, Written};

use crate::aws::call::{Answer, refuse};
use crate::aws::ec2::instances::Join;
use crate::aws::eks::nodegroup_update::{Phase, Rolling};
use crate::aws::eks::{ClusterState, Event, after, named, named_mut, updates, upgrade};
use crate::aws::tokens::once;
use crate::aws::{asg, ec2};
use crate::{Sim, World};

/// A managed node group.
#[derive(Debug, Clone)]
pub(crate) struct KnownNodegroup {
    pub(crate) nodegroup: Nodegroup,
    /// The template that EKS made for it: what its group starts instances from.
    pub(crate) managed_template: String,
    pub(crate) rolling: Option<Rolling>,
}

impl KnownNodegroup {
    /// The minor of its nodes.
    pub(crate) fn minor(&self) -> Option<KubeMinor> {
        self.nodegroup.version.as_ref()?.value().map(eks_model::KubeVersion::minor)
    }

    /// The Auto Scaling group behind it.
    pub(crate) fn group(&self) -> &str {
        self.nodegroup.auto_scaling_groups.first().map_or("", String::as_str)
    }

    fn custom(&self) -> bool {
        self.nodegroup.ami_type.as_deref() == Some("CUSTOM")
    }
}

fn known<'s>(cluster: &'s ClusterState, nodegroup: &str) -> Answer<&'s KnownNodegroup> {
    match cluster.nodegroups.get(nodegroup) {
        Some(known) => Ok(known),
        None => refuse("ResourceNotFoundException", format!("No node group found for name: {nodegroup}.")),
    }
}

fn at_rest<'w>(
    world: &'w World,
    cluster: &str,
    nodegroup: &str,
) -> Answer<(&'w ClusterState, &'w KnownNodegroup)> {
    let state = upgrade::at_rest(world, cluster)?;
    let known = known(state, nodegroup)?;
    if known.rolling.is_some()
        || matches!(known.nodegroup.status, NodegroupStatus::Updating | NodegroupStatus::Deleting)
    {
        let message =
            format!("Nodegroup {nodegroup} cannot be changed as it is currently {}", known.nodegroup.status);
        return refuse("ResourceInUseException", message);
    }
    Ok((state, known))
}

#[async_trait]
impl NodegroupReader for Sim {
    async fn list_nodegroups(&self, cluster: &str) -> Result<Vec<String>> {
        self.read("eks:ListNodegroups", format!("cluster {cluster}"), |view| {
            Ok(named(&view.aws.eks, cluster)?.nodegroups.keys().cloned().collect())
        })
        .await
    }

    async fn describe_nodegroup(&self, cluster: &str, nodegroup: &str) -> Result<Nodegroup> {
        self.read("eks:DescribeNodegroup", format!("nodegroup {nodegroup} of cluster {cluster}"), |view| {
            Ok(known(named(&view.aws.eks, cluster)?, nodegroup)?.nodegroup.clone())
        })
        .await
    }
}

#[async_trait]
impl NodegroupWriter for Sim {
    async fn update_nodegroup_version(&self, request: &UpdateNodegroupVersion) -> Result<Update> {
        let target = format!("nodegroup {} of cluster {}", request.nodegroup, request.cluster);
        self.write("eks:UpdateNodegroupVersion", target, request, |world| {
            once(world, "eks:UpdateNodegroupVersion", &request.token, request, |world| {
                update_version(world, request)
            })
        })
        .await
    }

    async fn update_nodegroup_config(&self, request: &UpdateNodegroupConfig) -> Result<Update> {
        let target = format!("nodegroup {} of cluster {}", request.nodegroup, request.cluster);
        self.write("eks:UpdateNodegroupConfig", target, request, |world| {
            once(world, "eks:UpdateNodegroupConfig", &request.token, request, |world| {
                update_config(world, request)
            })
        })
        .await
    }
}

/// Starts the replacement of all nodes of a group.
///
/// No version is the control plane's, no release the newest. Not above the control plane. Not below what the group has, but for the step before
/// a rollback of the control plane (the guide to it says so; the API's own text says "you cannot"). An image of one's own takes neither
/// version nor release, but another version of its template.
/// <https://docs.aws.amazon.com/eks/latest/APIReference/API_UpdateNodegroupVersion.html>,
/// <https://docs.aws.amazon.com/eks/latest/userguide/rollback-cluster.html>
fn update_version(world: &mut World, request: &UpdateNodegroupVersion) -> Answer<Update> {
    let (state, group) = at_rest(world, &request.cluster, &request.nodegroup)?;
    let control_plane = state.cluster.version;
    let template = match (&request.launch_template, &group.nodegroup.launch_template) {
        (None, None) => None,
        (None, Some(own)) => Some(own.clone()),
        (Some(_), None) => {
            return refuse("InvalidParameterException", "The node group was made without a launch template");
        }
        (Some(new), Some(own)) => {
            let id = |reference: &LaunchTemplateRef| {
                world.aws.ec2.template(&reference.template).map(|known| known.template.id.clone())
            };
            if id(new).is_none() || id(new) != id(own) {
                let message = "You must use the same launch template that the node group was made with";
                return refuse("InvalidParameterException", message);
            }
            Some(new.clone())
        }
    };
    let minor = request.version.as_ref().map_or(control_plane, eks_model::KubeVersion::minor);
    if minor > control_plane {
        let message = format!("Requested Nodegroup version {minor} is above the cluster's, {control_plane}");
        return refuse("InvalidParameterException", message);
    }
    let back = Some(minor) == control_plane.previous() && group.minor() == Some(control_plane);
    if group.minor().is_some_and(|has| minor < has) && !back {
        let message = format!("Nodegroup version cannot be downgraded to {minor}");
        return refuse("InvalidParameterException", message);
    }
    let own_image = match &template {
        Some(template) => world.aws.ec2.resolve(template)?.data.image_id.clone(),
        None => None,
    };
    let (image, version, release) = if group.custom() || own_image.is_some() {
        if request.version.is_some() || request.release_version.is_some() {
            let message = "version and releaseVersion cannot be given with an image of one's own";
            return refuse("InvalidParameterException", message);
        }
        let Some(image) = own_image.and_then(|text| world.aws.ec2.image_id(&text)) else {
            return refuse("InvalidParameterException", "the launch template names no image");
        };
        let kubelet = world.aws.ec2.images.get(&image).and_then(|known| known.kubelet.clone());
        (image.clone(), kubelet.map(|kubelet| kubelet.minor()), image)
    } else {
        let ami_type = group.nodegroup.ami_type.clone().unwrap_or_default();
        let found = world.aws.ec2.managed_image(&ami_type, minor, request.release_version.as_deref());
        let Some(found) = found else {
            let message =
                format!("Requested release version for {ami_type} on Kubernetes {minor} is not valid");
            return refuse("InvalidParameterException", message);
        };
        (found.image.id.clone(), Some(minor), found.release.clone().unwrap_or_default())
    };
    let params = vec![
        ("Version".to_owned(), version.map_or_else(String::new, |minor| minor.to_string())),
        ("ReleaseVersion".to_owned(), release.clone()),
    ];
    let error = world.update_fault("VersionUpdate", &request.nodegroup).map(|rule| updates::error_of(&rule));
    let part = UpdatePart::Nodegroup(request.nodegroup.clone());
    let update = updates::begin(world, &request.cluster, part, UpdateType::VersionUpdate, params)?;
    let now = world.now();
    if let Some(group) = named_mut(world, &request.cluster)?.nodegroups.get_mut(&request.nodegroup) {
        group.nodegroup.status = NodegroupStatus::Updating;
        group.rolling = Some(Rolling {
            update: update.id.clone(),
            phase: Phase::Setup,
            image,
            version: version.map(|minor| minor.to_string()),
            release,
            template,
            force: request.force,
            fails: error,
            error: None,
            sizes: (0, 0, 0),
            surge: 0,
            left_at: None,
            since: now,
            draining: BTreeMap::new(),
        });
    }
    let wait = Duration::from_secs(10 + world.random.below(20));
    after(
        world,
        wait,
        Event::Nodegroup { cluster: request.cluster.clone(), nodegroup: request.nodegroup.clone() },
    );
    Ok(update)
}

/// Changes sizes, labels, taints and the way of updating.
/// <https://docs.aws.amazon.com/eks/latest/APIReference/API_UpdateNodegroupConfig.html>
fn update_config(world: &mut World, request: &UpdateNodegroupConfig) -> Answer<Update> {
    let now = world.now();
    let (_, group) = at_rest(world, &request.cluster, &request.nodegroup)?;
    let name = group.group().to_owned();
    let mut params = Vec::new();
    if let Some(scaling) = request.scaling {
        let fits = scaling.min_size <= scaling.desired_size && scaling.desired_size <= scaling.max_size;
        if !fits || scaling.max_size == 0 {
            return refuse(
                "InvalidParameterException",
                "desired size must be between minimum and maximum size",
            );
        }
        params.push(("DesiredSize".to_owned(), scaling.desired_size.to_string()));
    }
    if let Some(config) = &request.update_config {
        let both = config.max_unavailable.is_some() && config.max_unavailable_percentage.is_some();
        let outside = |value: Option<u32>| value.is_some_and(|value| !(1..=100).contains(&value));
        if both || outside(config.max_unavailable) || outside(config.max_unavailable_percentage) {
            let message = "maxUnavailable or maxUnavailablePercentage, one of them, between 1 and 100";
            return refuse("InvalidParameterException", message);
        }
        params.push(("MaxUnavailable".to_owned(), config.max_unavailable.unwrap_or(1).to_string()));
    }
    let part = UpdatePart::Nodegroup(request.nodegroup.clone());
    let update = updates::begin(world, &request.cluster, part, UpdateType::ConfigUpdate, params)?;
    let Some(known) = named_mut(world, &request.cluster)?.nodegroups.get_mut(&request.nodegroup) else {
        return Ok(update);
    };
    known.nodegroup.status = NodegroupStatus::Updating;
    known.nodegroup.modified_at = Some(now);
    if let Some(config) = &request.update_config {
        known.nodegroup.update_config = config.clone();
    }
    for (key, value) in &request.labels {
        match value {
            Some(value) => known.nodegroup.labels.insert(key.clone(), value.clone()),
            None => known.nodegroup.labels.remove(key),
        };
    }
    known.nodegroup.taints.retain(|taint| !request.taints_to_remove.contains(taint));
    for taint in &request.taints_to_set {
        known.nodegroup.taints.retain(|one| (&one.key, &one.effect) != (&taint.key, &taint.effect));
        known.nodegroup.taints.push(taint.clone());
    }
    if let Some(scaling) = request.scaling {
        known.nodegroup.scaling = scaling;
    }
    let join = join(&request.cluster, &known.nodegroup);
    if let Some(group) = world.aws.asg.groups.get_mut(&name) {
        group.join = Some(join);
        if let Some(scaling) = request.scaling {
            group.group.min_size = scaling.min_size;
            group.group.max_size = scaling.max_size;
            let who = format!("At {} EKS updated the node group", asg::clock(now));
            asg::size::change_desired(world, &name, scaling.desired_size, &who);
        }
    }
    let wait = Duration::from_secs(10 + world.random.below(20));
    after(
        world,
        wait,
        Event::Nodegroup { cluster: request.cluster.clone(), nodegroup: request.nodegroup.clone() },
    );
    Ok(update)
}

/// How the instances of a managed node group join: with its labels and taints, and EKS's own labels. That of the image comes with the
/// image. <https://docs.aws.amazon.com/eks/latest/userguide/managed-node-update-behavior.html>
pub(crate) fn join(cluster: &str, nodegroup: &Nodegroup) -> Join {
    let effect = |effect: &str| match effect {
        "NO_SCHEDULE" => "NoSchedule".to_owned(),
        "NO_EXECUTE" => "NoExecute".to_owned(),
        "PREFER_NO_SCHEDULE" => "PreferNoSchedule".to_owned(),
        other => other.to_owned(),
    };
    let mut labels = nodegroup.labels.clone();
    labels.insert("eks.amazonaws.com/nodegroup".to_owned(), nodegroup.name.clone());
    if let Some(capacity) = &nodegroup.capacity_type {
        labels.insert("eks.amazonaws.com/capacityType".to_owned(), capacity.as_str().to_owned());
    }
    if let Some(LaunchTemplateRef { template: LaunchTemplateKey::Id(id), version }) =
        &nodegroup.launch_template
    {
        labels.insert("eks.amazonaws.com/sourceLaunchTemplateId".to_owned(), id.clone());
        labels.insert("eks.amazonaws.com/sourceLaunchTemplateVersion".to_owned(), version.to_string());
    }
    Join {
        cluster: cluster.to_owned(),
        labels,
        taints: nodegroup
            .taints
            .iter()
            .map(|taint| {
                format!(
                    "{}={}:{}",
                    taint.key,
                    taint.value.as_deref().unwrap_or_default(),
                    effect(&taint.effect)
                )
            })
            .collect(),
    }
}

/// Lets EKS's own template of a group say another image; the group starts from that version.
pub(crate) fn point_at(
    world: &mut World,
    known: &KnownNodegroup,
    image: &str,
    own: Option<&LaunchTemplateRef>,
) {
    let key = LaunchTemplateKey::Id(known.managed_template.clone());
    let own = own.and_then(|own| world.aws.ec2.resolve(own).ok()).map(|version| version.data.clone());
    let latest = world.aws.ec2.template(&key).map_or(1, |known| known.template.latest_version);
    let change = |data: &mut eks_provider::aws::LaunchTemplateData| {
        if let Some(own) = own {
            *data = own;
        }
        data.image_id = Some(image.to_owned());
    };
    let made = ec2::templates::add_version(
        world,
        &key,
        latest,
        "EKS managed node group",
        change,
        "eks.amazonaws.com",
    );
    if let (Ok(version), Some(group)) = (made, world.aws.asg.groups.get_mut(known.group())) {
        group.group.launch = LaunchSource::Template(LaunchTemplateRef {
            template: key,
            version: TemplateVersion::Number(version.number),
        });
        group.group.tags.insert(
            "eks:nodegroup-name".to_owned(),
            GroupTag { value: known.nodegroup.name.clone(), propagate_at_launch: true },
        );
    }
}

/// An update of settings, or of the version, has gone as far as it can now.
pub(crate) fn finish_config(world: &mut World, cluster: &str, nodegroup: &str) {
    let Ok(state) = named_mut(world, cluster) else { return };
    let Some(known) = state.nodegroups.get_mut(nodegroup) else { return };
    known.nodegroup.status = NodegroupStatus::Active;
    let part = UpdatePart::Nodegroup(nodegroup.to_owned());
    let open: Vec<String> = state
        .updates
        .iter()
        .filter(|one| one.part == part && one.update.status == eks_provider::aws::UpdateStatus::InProgress)
        .map(|one| one.update.id.clone())
        .collect();
    for id in open {
        updates::end(world, cluster, &id, None);
    }
}

/// Sets what the group says of itself after a roll.
pub(crate) fn settle(world: &mut World, cluster: &str, nodegroup: &str, rolling: &Rolling) {
    let now = world.now();
    let error = rolling.error.clone();
    if let Ok(state) = named_mut(world, cluster)
        && let Some(known) = state.nodegroups.get_mut(nodegroup)
    {
        known.nodegroup.status = NodegroupStatus::Active;
        known.nodegroup.modified_at = Some(now);
        if error.is_none() {
            known.nodegroup.version = rolling.version.as_ref().map(Written::of);
            known.nodegroup.release_version = Some(rolling.release.clone());
            if rolling.template.is_some() {
                known.nodegroup.launch_template.clone_from(&rolling.template);
            }
        }
    }
    updates::end(world, cluster, &rolling.update, error);
}
