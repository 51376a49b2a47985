//! From a scenario to a cluster with its add-ons and managed node groups.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use eks_model::SupportType;
use eks_provider::Written;
use eks_provider::aws::{
    AccessEntry, Addon, AddonStatus, AuthenticationMode, AutoMode, CertificateAuthority, Cluster,
    ClusterStatus, ClusterVpc, DistributionStatus, FargateProfile, FargateProfileStatus, FargateSelector,
    GroupTag, LaunchSource, LaunchTemplate, LaunchTemplateData, LaunchTemplateKey, LaunchTemplateRef,
    LaunchTemplateVersion, Nodegroup, NodegroupScaling, NodegroupStatus, NodegroupTaint,
    NodegroupUpdateConfig, NodegroupUpdateStrategy, SigningStatus, TemplateVersion,
};

use super::build::{Built, hours_before, release_before, sizes, subnets, template_ref};
use super::place::Text;
use super::scaling::empty_group;
use super::{AddonSpec, ClusterSpec, NodegroupSpec, Scenario, UpgradePolicy};
use crate::aws::asg::{self, Group};
use crate::aws::ec2::templates::Template;
use crate::aws::eks::addons::{self, KnownAddon};
use crate::aws::eks::nodegroups::{self, KnownNodegroup};
use crate::aws::eks::{self, ClusterState, insights, versions};
use crate::{World, kube};

pub(super) fn cluster(
    world: &mut World,
    scenario: &Scenario,
    spec: &ClusterSpec,
    text: Text<'_>,
) -> Built<()> {
    let name = &spec.name;
    let start = scenario.start;
    if world.aws.eks.clusters.contains_key(name) {
        return text.wrong(&["clusters", name], format!("cluster {name} stands twice"));
    }
    if !versions::offered(spec.version, start) {
        return text.wrong(
            &[name, "version"],
            format!("EKS does not offer Kubernetes {} on that day", spec.version),
        );
    }
    let mut state = ClusterState::new(
        described(world, scenario, spec, text)?,
        spec.created_version.unwrap_or_else(|| spec.version.previous().unwrap_or(spec.version)),
    );
    state.upgraded =
        spec.upgraded_hours_ago.map(|hours| (hours_before(start, hours), spec.upgrade_was_forced));
    state.deprecated.clone_from(&spec.deprecated_apis);
    let arn = state.cluster.arn.clone();
    for addon in &spec.addons {
        let known = known_addon(world, spec, addon, &arn, text)?;
        state.addons.insert(addon.name.clone(), known);
    }
    for profile in &spec.fargate_profiles {
        let known = FargateProfile {
            name: profile.name.clone(),
            arn: format!("{}/{}/0a1", arn.replace(":cluster/", ":fargateprofile/"), profile.name),
            cluster: name.clone(),
            status: FargateProfileStatus::Active,
            created_at: Some(world.now()),
            pod_execution_role_arn: Some(format!("arn:aws:iam::{}:role/fargate", scenario.account)),
            subnets: state.cluster.vpc.subnet_ids.clone(),
            selectors: vec![FargateSelector {
                namespace: profile.namespace.clone(),
                labels: profile.labels.clone(),
            }],
            health: Vec::new(),
            tags: BTreeMap::new(),
        };
        state.fargate.insert(profile.name.clone(), known);
    }
    for (principal, groups) in &spec.access_entries {
        let entry = AccessEntry {
            principal_arn: principal.clone(),
            kind: Some("STANDARD".to_owned()),
            username: Some(principal.clone()),
            kubernetes_groups: groups.clone(),
            tags: BTreeMap::new(),
        };
        state.access_entries.insert(principal.clone(), entry);
    }
    let authority = CertificateAuthority {
        id: format!("ca-{}", world.random.hex(12)),
        created_at: Some(world.now()),
        activated_at: Some(world.now()),
        signing_status: SigningStatus::InUse,
        distribution_status: DistributionStatus::Complete,
        not_before: Some(world.now()),
        not_after: world.now().checked_add(Duration::from_hours(24 * 365 * 9)).ok(),
        first_auto_activation: None,
        final_auto_activation: None,
        rollback_available: Some(false),
        data: state.cluster.certificate_authority.clone(),
    };
    state.authorities.insert(authority.id.clone(), authority);
    world.aws.eks.clusters.insert(name.clone(), state);
    kube::control_plane(world, name, Some(spec.version));
    for group in &spec.node_groups {
        nodegroup(world, spec, group, text)?;
    }
    // EKS looks when the nodes are there, and every day from then on.
    eks::after(world, Duration::from_hours(1), eks::Event::Daily(name.clone()));
    insights::look(world, name);
    Ok(())
}

fn described(world: &mut World, scenario: &Scenario, spec: &ClusterSpec, text: Text<'_>) -> Built<Cluster> {
    let name = &spec.name;
    let (region, account) = (&scenario.region, &scenario.account);
    let id = world.random.hex(32).to_uppercase();
    let own_group = format!("sg-{}", world.random.hex(17));
    let policy = match spec.upgrade_policy {
        UpgradePolicy::Standard => SupportType::Standard,
        UpgradePolicy::Extended => SupportType::Extended,
    };
    let subnet_ids: BTreeSet<String> = subnets(world, spec.subnets.iter(), name, text)?.into_iter().collect();
    if let Some(group) =
        spec.security_groups.iter().find(|id| !world.aws.ec2.security_groups.contains_key(*id))
    {
        return text.wrong(&[name, group], format!("there is no security group {group}"));
    }
    let role = format!("{name}-cluster");
    let role_arn = format!("arn:aws:iam::{account}:role/{role}");
    world.aws.ec2.roles.insert(role, role_arn.clone());
    Ok(Cluster {
        name: name.clone(),
        arn: format!("arn:aws:eks:{region}:{account}:cluster/{name}"),
        created_at: Some(world.now()),
        version: spec.version,
        platform_version: Some(versions::platform(spec.version, scenario.start)),
        status: ClusterStatus::Active,
        endpoint: Some(format!("https://{id}.gr7.{region}.eks.amazonaws.com")),
        // `-----BEGIN SIMULATED-----`: enough to see that it is one.
        certificate_authority: Some("LS0tLS1CRUdJTiBTSU1VTEFURUQtLS0tLQ==".to_owned()),
        role_arn: Some(role_arn),
        vpc: ClusterVpc {
            vpc_id: Some(scenario.network.vpc.clone()),
            subnet_ids,
            security_group_ids: spec.security_groups.clone(),
            cluster_security_group_id: Some(own_group),
            endpoint_public_access: true,
            endpoint_private_access: true,
            public_access_cidrs: BTreeSet::from(["0.0.0.0/0".to_owned()]),
            egress_mode: None,
        },
        service_cidrs: vec!["172.20.0.0/16".to_owned()],
        ip_family: Some("ipv4".to_owned()),
        oidc_issuer: Some(format!("https://oidc.eks.{region}.amazonaws.com/id/{id}")),
        authentication_mode: Some(AuthenticationMode::Api),
        support_type: Some(Written::with(policy.as_str(), Some(policy))),
        deletion_protection: Some(false),
        zonal_shift: Some(false),
        auto_mode: spec.auto_mode.then(|| AutoMode {
            compute: true,
            node_pools: BTreeSet::from(["general-purpose".to_owned(), "system".to_owned()]),
            node_role_arn: Some(format!("arn:aws:iam::{account}:role/{name}-auto")),
            block_storage: true,
            load_balancing: true,
        }),
        remote_node_cidrs: Vec::new(),
        remote_pod_cidrs: Vec::new(),
        control_plane_tier: Some("standard".to_owned()),
        encryption_key_arns: Vec::new(),
        logging: BTreeSet::new(),
        outpost_arns: Vec::new(),
        connector_provider: None,
        health: Vec::new(),
        tags: spec.tags.clone(),
    })
}

fn known_addon(
    world: &mut World,
    spec: &ClusterSpec,
    addon: &AddonSpec,
    arn: &str,
    text: Text<'_>,
) -> Built<KnownAddon> {
    let default = addons::default_version(&addon.name, spec.version).map(ToString::to_string);
    let Some(version) = addon.version.clone().or(default) else {
        let known: Vec<&str> = eks_addons::Matrix::embedded()
            .addons()
            .into_iter()
            .filter(|name| !addons::offered(name, spec.version).is_empty())
            .collect();
        let message = format!(
            "of add-on {} no version for Kubernetes {} is known: give one, or take one of {}",
            addon.name,
            spec.version,
            known.join(", ")
        );
        return text.wrong(&["addons", &addon.name], message);
    };
    let made = Addon {
        name: addon.name.clone(),
        arn: format!("{}/{}/{}", arn.replace(":cluster/", ":addon/"), addon.name, world.random.hex(8)),
        version: Written::of(version),
        status: AddonStatus::Active,
        health: Vec::new(),
        created_at: Some(world.now()),
        modified_at: Some(world.now()),
        service_account_role_arn: addon.service_account_role_arn.clone(),
        pod_identity_associations: Vec::new(),
        configuration_values: addon.configuration_values.clone(),
        namespace: None,
        publisher: Some("eks".to_owned()),
        owner: eks_addons::Matrix::embedded().facts(&addon.name).map(|facts| facts.owner.to_owned()),
        tags: addon.tags.clone(),
    };
    Ok(KnownAddon { addon: made, changed_by_others: addon.changed_by_others, doing: None })
}

fn nodegroup(world: &mut World, cluster: &ClusterSpec, spec: &NodegroupSpec, text: Text<'_>) -> Built<()> {
    let name = &spec.name;
    let minor = spec.version.unwrap_or(cluster.version);
    let own = match &spec.launch_template {
        Some(template) => Some(template_ref(world, template, name, text)?),
        None => None,
    };
    let own_data = match own.as_ref().map(|own| world.aws.ec2.resolve(own)) {
        Some(Ok(version)) => Some(version.data.clone()),
        Some(Err(_)) | None => None,
    };
    let own_image = own_data
        .as_ref()
        .and_then(|data| data.image_id.as_ref())
        .and_then(|text| world.aws.ec2.image_id(text));
    let ami_type = if own_image.is_some() { "CUSTOM".to_owned() } else { spec.ami_type.clone() };
    let managed =
        world.aws.ec2.managed_image(&spec.ami_type, minor, None).map(|known| known.image.id.clone());
    let Some(newest) = own_image.clone().or(managed) else {
        return text.wrong(&[name], format!("there is no image of {} for Kubernetes {minor}", spec.ami_type));
    };
    let image = if spec.outdated && own_image.is_none() {
        release_before(world, &newest).unwrap_or(newest)
    } else {
        newest
    };
    let release = match &own_image {
        Some(image) => Some(image.clone()),
        None => world.aws.ec2.images.get(&image).and_then(|known| known.release.clone()),
    };
    let sizes = sizes((spec.min, spec.max, spec.desired), &["nodeGroups", name], name, text)?;
    let subnets = subnets(world, spec.subnets.iter(), name, text)?;
    let id = format!("{}-{}", world.random.hex(8), world.random.hex(4));
    let template_id = format!("lt-0{}", world.random.hex(16));
    let template_name = format!("eks-{id}");
    let data = LaunchTemplateData {
        image_id: Some(image),
        ..own_data.unwrap_or_else(|| LaunchTemplateData {
            instance_type: Some(spec.instance_type.clone()),
            ..LaunchTemplateData::default()
        })
    };
    let version = LaunchTemplateVersion {
        template_id: template_id.clone(),
        template_name: template_name.clone(),
        number: 1,
        default: true,
        description: Some("EKS managed node group".to_owned()),
        created_at: Some(world.now()),
        created_by: Some("eks.amazonaws.com".to_owned()),
        data,
    };
    let template = LaunchTemplate {
        id: template_id.clone(),
        name: template_name,
        default_version: 1,
        latest_version: 1,
        operator: None,
        tags: BTreeMap::from([("eks:nodegroup-name".to_owned(), name.clone())]),
    };
    let versions = BTreeMap::from([(1, version)]);
    world.aws.ec2.templates.insert(template_id.clone(), Template { template, versions });
    let group_name = format!("eks-{name}-{id}");
    let launch = LaunchSource::Template(LaunchTemplateRef {
        template: LaunchTemplateKey::Id(template_id.clone()),
        version: TemplateVersion::Number(1),
    });
    let mut made = empty_group(world, &group_name, launch, sizes, subnets.clone());
    // No operator: cluster-autoscaler sizes the groups of managed node groups by the same calls as any other.
    // <https://docs.aws.amazon.com/eks/latest/best-practices/cas.html>
    for (key, value) in [
        ("eks:cluster-name", cluster.name.as_str()),
        ("eks:nodegroup-name", name),
        (&format!("kubernetes.io/cluster/{}", cluster.name), "owned"),
    ] {
        made.tags.insert(key.to_owned(), GroupTag { value: value.to_owned(), propagate_at_launch: true });
    }
    let nodegroup = Nodegroup {
        name: name.clone(),
        arn: format!(
            "arn:aws:eks:{}:{}:nodegroup/{}/{name}/{id}",
            world.aws.region, world.aws.account, cluster.name
        ),
        cluster: cluster.name.clone(),
        version: Some(Written::of(minor.to_string())),
        release_version: release,
        created_at: Some(world.now()),
        modified_at: Some(world.now()),
        status: NodegroupStatus::Active,
        capacity_type: Some(eks_provider::aws::CapacityType::OnDemand),
        scaling: NodegroupScaling { min_size: sizes.0, max_size: sizes.1, desired_size: sizes.2 },
        instance_types: if own.is_some() { Vec::new() } else { vec![spec.instance_type.clone()] },
        subnets: subnets.into_iter().collect(),
        ami_type: Some(ami_type),
        node_role_arn: Some(format!("arn:aws:iam::{}:role/{}-node", world.aws.account, cluster.name)),
        labels: spec.labels.clone(),
        taints: spec.taints.iter().map(|taint| taint_of(taint, name, text)).collect::<Built<_>>()?,
        auto_scaling_groups: vec![group_name.clone()],
        remote_access_security_group: None,
        remote_access_key_name: None,
        launch_template: own,
        update_config: NodegroupUpdateConfig {
            max_unavailable: spec.max_unavailable,
            max_unavailable_percentage: spec.max_unavailable_percentage,
            update_strategy: spec.minimal.then_some(NodegroupUpdateStrategy::Minimal),
        },
        node_repair: Some(false),
        warm_pool: None,
        health: Vec::new(),
        tags: spec.tags.clone(),
    };
    let mut group = Group::new(made);
    group.join = Some(nodegroups::join(&cluster.name, &nodegroup));
    world.aws.asg.groups.insert(group_name.clone(), group);
    asg::touch(world, &group_name);
    let known = KnownNodegroup { nodegroup, managed_template: template_id, rolling: None };
    if let Some(state) = world.aws.eks.clusters.get_mut(&cluster.name)
        && state.nodegroups.insert(name.clone(), known).is_some()
    {
        return text.wrong(&[&cluster.name, name], format!("node group {name} stands twice"));
    }
    Ok(())
}

fn taint_of(taint: &str, of: &str, text: Text<'_>) -> Built<NodegroupTaint> {
    let parsed = taint.rsplit_once(':').map(|(pair, effect)| {
        let (key, value) =
            pair.split_once('=').map_or((pair, None), |(key, value)| (key, Some(value.to_owned())));
        NodegroupTaint { key: key.to_owned(), value, effect: effect.to_owned() }
    });
    match parsed {
        Some(taint)
            if ["NO_SCHEDULE", "NO_EXECUTE", "PREFER_NO_SCHEDULE"].contains(&taint.effect.as_str()) =>
        {
            Ok(taint)
        }
        _ => text.wrong(
            &[of, taint],
            format!(
                "`{taint}` is no taint: key=value:EFFECT, with NO_SCHEDULE, NO_EXECUTE or PREFER_NO_SCHEDULE"
            ),
        ),
    }
}
