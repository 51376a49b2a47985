//! Healthy values: a test takes one and changes what it is about.
//!
//! They agree with each other: cluster `shop` at 1.34 in `eu-west-1`, nodes of the same minor.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use eks_model::{KubeMinor, SupportType};
use jiff::Timestamp;

use crate::Written;
use crate::aws::{
    Addon, AddonStatus, AuthenticationMode, AutoScalingGroup, AutoScalingInstance, Cluster, ClusterStatus,
    ClusterVpc, GroupTag, Instance, InstanceState, LaunchSource, LaunchTemplateData, LaunchTemplateKey,
    LaunchTemplateRef, LaunchTemplateVersion, LifecycleState, Nodegroup, NodegroupScaling, NodegroupStatus,
    NodegroupUpdateConfig, Subnet, TemplateVersion, Update, UpdateStatus, UpdateType,
};
use crate::kube::{
    Budget, BudgetStatus, Condition, ConditionStatus, Container, ContainerState, ContainerStatus,
    IntOrPercent, LabelSelector, Lease, Node, NodeInfo, ObjectMeta, Pod, PodPhase, PodSpec, PodTemplate,
    Quantity, Resources, RolloutStrategy, Workload, WorkloadKind, WorkloadStatus,
};

/// When all of these were made: the midnight of the 1st of November 2026, UTC.
pub fn made_at() -> Timestamp {
    Timestamp::from_second(1_793_491_200).unwrap_or(Timestamp::UNIX_EPOCH)
}

fn map(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

fn set(words: &[&str]) -> BTreeSet<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

/// A cluster at 1.34, active.
pub fn cluster(name: &str) -> Cluster {
    Cluster {
        name: name.to_owned(),
        arn: format!("arn:aws:eks:eu-west-1:111122223333:cluster/{name}"),
        created_at: Some(made_at()),
        version: KubeMinor::new(34),
        platform_version: Some("eks.9".to_owned()),
        status: ClusterStatus::Active,
        endpoint: Some("https://0123456789abcdef.gr7.eu-west-1.eks.amazonaws.com".to_owned()),
        certificate_authority: Some("LS0tLS1CRUdJTg==".to_owned()),
        role_arn: Some("arn:aws:iam::111122223333:role/eks-cluster".to_owned()),
        vpc: ClusterVpc {
            vpc_id: Some("vpc-1".to_owned()),
            subnet_ids: set(&["subnet-a", "subnet-b", "subnet-c"]),
            security_group_ids: BTreeSet::new(),
            cluster_security_group_id: Some("sg-1".to_owned()),
            endpoint_public_access: true,
            endpoint_private_access: true,
            public_access_cidrs: set(&["0.0.0.0/0"]),
            egress_mode: None,
        },
        service_cidrs: vec!["172.20.0.0/16".to_owned()],
        ip_family: Some("ipv4".to_owned()),
        oidc_issuer: Some("https://oidc.eks.eu-west-1.amazonaws.com/id/0123456789ABCDEF".to_owned()),
        authentication_mode: Some(AuthenticationMode::Api),
        support_type: Some(Written::with("EXTENDED", Some(SupportType::Extended))),
        deletion_protection: Some(true),
        zonal_shift: Some(false),
        auto_mode: None,
        remote_node_cidrs: Vec::new(),
        remote_pod_cidrs: Vec::new(),
        control_plane_tier: Some("standard".to_owned()),
        encryption_key_arns: Vec::new(),
        logging: BTreeSet::new(),
        outpost_arns: Vec::new(),
        connector_provider: None,
        health: Vec::new(),
        tags: BTreeMap::new(),
    }
}

/// An update of the control plane to 1.35, successful.
pub fn update(id: &str) -> Update {
    Update {
        id: id.to_owned(),
        status: UpdateStatus::Successful,
        kind: UpdateType::VersionUpdate,
        params: vec![
            ("Version".to_owned(), "1.35".to_owned()),
            ("PlatformVersion".to_owned(), "eks.4".to_owned()),
        ],
        created_at: Some(made_at()),
        errors: Vec::new(),
        cancellation: None,
    }
}

/// An add-on of cluster `shop`, active.
pub fn addon(name: &str, version: &str) -> Addon {
    Addon {
        name: name.to_owned(),
        arn: format!("arn:aws:eks:eu-west-1:111122223333:addon/shop/{name}/1"),
        version: Written::of(version),
        status: AddonStatus::Active,
        health: Vec::new(),
        created_at: Some(made_at()),
        modified_at: Some(made_at()),
        service_account_role_arn: None,
        pod_identity_associations: Vec::new(),
        configuration_values: None,
        namespace: None,
        publisher: Some("eks".to_owned()),
        owner: Some("aws".to_owned()),
        tags: BTreeMap::new(),
    }
}

/// A managed node group of cluster `shop`, three nodes at 1.34, active.
pub fn nodegroup(name: &str) -> Nodegroup {
    Nodegroup {
        name: name.to_owned(),
        arn: format!("arn:aws:eks:eu-west-1:111122223333:nodegroup/shop/{name}/1"),
        cluster: "shop".to_owned(),
        version: Some(Written::of("1.34")),
        release_version: Some("1.34.2-20261020".to_owned()),
        created_at: Some(made_at()),
        modified_at: Some(made_at()),
        status: NodegroupStatus::Active,
        capacity_type: Some(crate::aws::CapacityType::OnDemand),
        scaling: NodegroupScaling { min_size: 3, max_size: 6, desired_size: 3 },
        instance_types: vec!["m7i.xlarge".to_owned()],
        subnets: set(&["subnet-a", "subnet-b", "subnet-c"]),
        ami_type: Some("AL2023_x86_64_STANDARD".to_owned()),
        node_role_arn: Some("arn:aws:iam::111122223333:role/eks-node".to_owned()),
        labels: BTreeMap::new(),
        taints: Vec::new(),
        auto_scaling_groups: vec![format!("eks-{name}-1")],
        remote_access_security_group: None,
        remote_access_key_name: None,
        launch_template: None,
        update_config: NodegroupUpdateConfig { max_unavailable: Some(1), ..NodegroupUpdateConfig::default() },
        node_repair: Some(false),
        warm_pool: None,
        health: Vec::new(),
        tags: BTreeMap::new(),
    }
}

/// Version 7 of launch template `lt-1`.
pub fn launch_template() -> LaunchTemplateRef {
    LaunchTemplateRef {
        template: LaunchTemplateKey::Id("lt-1".to_owned()),
        version: TemplateVersion::Number(7),
    }
}

/// A version of launch template `lt-1`.
pub fn launch_template_version(number: u64, image_id: &str) -> LaunchTemplateVersion {
    LaunchTemplateVersion {
        template_id: "lt-1".to_owned(),
        template_name: "web".to_owned(),
        number,
        default: false,
        description: None,
        created_at: Some(made_at()),
        created_by: Some("arn:aws:iam::111122223333:user/ada".to_owned()),
        data: LaunchTemplateData {
            image_id: Some(image_id.to_owned()),
            instance_type: Some("m7i.xlarge".to_owned()),
            iam_instance_profile: Some("eks-node".to_owned()),
            security_group_ids: set(&["sg-1"]),
            http_tokens: Some("required".to_owned()),
            http_put_response_hop_limit: Some(2),
            ..LaunchTemplateData::default()
        },
    }
}

/// A self-managed group of cluster `shop`: three instances of version 7 of `lt-1`, one in each zone.
pub fn auto_scaling_group(name: &str) -> AutoScalingGroup {
    let zones = ["eu-west-1a", "eu-west-1b", "eu-west-1c"];
    let instances =
        zones.iter().enumerate().map(|(n, zone)| auto_scaling_instance(name, &format!("i-0a{n}"), zone));
    AutoScalingGroup {
        name: name.to_owned(),
        arn: format!(
            "arn:aws:autoscaling:eu-west-1:111122223333:autoScalingGroup:1:autoScalingGroupName/{name}"
        ),
        created_at: Some(made_at()),
        launch: LaunchSource::Template(launch_template()),
        min_size: 3,
        max_size: 6,
        desired_capacity: 3,
        desired_capacity_type: None,
        availability_zones: set(&zones),
        subnet_ids: ["subnet-a", "subnet-b", "subnet-c"].map(str::to_owned).to_vec(),
        instances: instances.collect(),
        health_check_type: Some("EC2".to_owned()),
        health_check_grace_period: Some(Duration::from_mins(5)),
        new_instances_protected_from_scale_in: false,
        suspended_processes: BTreeMap::new(),
        termination_policies: vec!["Default".to_owned()],
        max_instance_lifetime: None,
        default_instance_warmup: None,
        capacity_rebalance: false,
        instance_maintenance_policy: None,
        warm_pool: None,
        warm_pool_size: None,
        load_balancer_names: BTreeSet::new(),
        target_group_arns: BTreeSet::new(),
        placement_group: None,
        service_linked_role_arn: None,
        zone_distribution: Some("balanced-best-effort".to_owned()),
        zonal_shift_enabled: None,
        deletion_protection: Some("none".to_owned()),
        terminate_hook_abandon: None,
        operator: None,
        status: None,
        tags: BTreeMap::from([(
            "kubernetes.io/cluster/shop".to_owned(),
            GroupTag { value: "owned".to_owned(), propagate_at_launch: true },
        )]),
    }
}

/// An instance of a group, in service and healthy, of version 7 of `lt-1`.
pub fn auto_scaling_instance(group: &str, instance_id: &str, zone: &str) -> AutoScalingInstance {
    AutoScalingInstance {
        instance_id: instance_id.to_owned(),
        group: group.to_owned(),
        instance_type: Some("m7i.xlarge".to_owned()),
        availability_zone: zone.to_owned(),
        lifecycle_state: LifecycleState::InService,
        health_status: "Healthy".to_owned(),
        launch_configuration: None,
        launch_template: Some(launch_template()),
        image_id: None,
        protected_from_scale_in: false,
        weighted_capacity: None,
    }
}

/// An instance, running, in `eu-west-1a`.
pub fn instance(id: &str) -> Instance {
    Instance {
        id: id.to_owned(),
        state: InstanceState::Running,
        state_reason: None,
        image_id: Some("ami-1".to_owned()),
        instance_type: Some("m7i.xlarge".to_owned()),
        architecture: Some("x86_64".to_owned()),
        platform: None,
        launch_time: Some(made_at()),
        availability_zone: Some("eu-west-1a".to_owned()),
        subnet_id: Some("subnet-a".to_owned()),
        vpc_id: Some("vpc-1".to_owned()),
        private_dns_name: Some("ip-10-0-1-17.eu-west-1.compute.internal".to_owned()),
        private_ip_address: Some("10.0.1.17".to_owned()),
        security_group_ids: set(&["sg-1"]),
        iam_instance_profile_arn: Some("arn:aws:iam::111122223333:instance-profile/eks-node".to_owned()),
        key_name: None,
        lifecycle: None,
        operator: None,
        tags: BTreeMap::new(),
    }
}

/// A subnet of `vpc-1` with two hundred free addresses.
pub fn subnet(id: &str, zone: &str) -> Subnet {
    Subnet {
        id: id.to_owned(),
        vpc_id: "vpc-1".to_owned(),
        availability_zone: zone.to_owned(),
        availability_zone_id: None,
        cidr_block: Some("10.0.1.0/24".to_owned()),
        available_ip_address_count: 200,
        ipv6_cidr_blocks: Vec::new(),
        state: Some("available".to_owned()),
        outpost_arn: None,
        tags: BTreeMap::new(),
    }
}

/// What an object of this name has.
pub fn meta(namespace: Option<&str>, name: &str) -> ObjectMeta {
    ObjectMeta {
        name: name.to_owned(),
        namespace: namespace.map(ToOwned::to_owned),
        uid: format!("uid-of-{name}"),
        resource_version: "1".to_owned(),
        generation: Some(1),
        creation_timestamp: Some(made_at()),
        ..ObjectMeta::default()
    }
}

fn ready() -> Condition {
    Condition {
        kind: "Ready".to_owned(),
        status: ConditionStatus::True,
        reason: None,
        message: None,
        last_transition_time: Some(made_at()),
        last_heartbeat_time: Some(made_at()),
        observed_generation: None,
    }
}

fn resources(cpu_milli: i128, memory_mib: i64, pods: i64) -> Resources {
    let amounts = [
        ("cpu", Quantity::from_milli(cpu_milli)),
        ("memory", Quantity::from_units(memory_mib.saturating_mul(1 << 20))),
        ("pods", Quantity::from_units(pods)),
    ];
    amounts
        .into_iter()
        .filter(|(_, amount)| amount.milli() > 0)
        .map(|(name, amount)| (name.to_owned(), amount))
        .collect()
}

/// A node at 1.34 in `eu-west-1a`, ready and open to Pods.
pub fn node(name: &str) -> Node {
    let mut meta = meta(None, name);
    meta.labels = map(&[
        ("kubernetes.io/hostname", name),
        ("topology.kubernetes.io/region", "eu-west-1"),
        ("topology.kubernetes.io/zone", "eu-west-1a"),
    ]);
    Node {
        meta,
        provider_id: Some("aws:///eu-west-1a/i-0a0".to_owned()),
        unschedulable: false,
        taints: Vec::new(),
        conditions: vec![ready()],
        capacity: resources(4000, 16_384, 58),
        allocatable: resources(3920, 15_000, 58),
        addresses: vec![("InternalIP".to_owned(), "10.0.1.17".to_owned())],
        pod_cidrs: Vec::new(),
        info: NodeInfo {
            kubelet_version: Written::of("v1.34.2-eks-5e0fdde"),
            container_runtime_version: "containerd://2.1.4".to_owned(),
            os_image: "Amazon Linux 2023.9.20261020".to_owned(),
            operating_system: "linux".to_owned(),
            architecture: "amd64".to_owned(),
            kernel_version: "6.12.46-66.121.amzn2023.x86_64".to_owned(),
        },
        volumes_attached: Vec::new(),
        volumes_in_use: Vec::new(),
    }
}

/// A Pod with one container and the label `app`, running and ready on `ip-10-0-1-17`. It has no owner.
pub fn pod(namespace: &str, name: &str) -> Pod {
    let mut meta = meta(Some(namespace), name);
    meta.labels = map(&[("app", name)]);
    Pod {
        meta,
        spec: pod_spec(name, Some("ip-10-0-1-17")),
        phase: PodPhase::Running,
        reason: None,
        message: None,
        conditions: vec![ready()],
        start_time: Some(made_at()),
        pod_ip: Some("10.0.1.99".to_owned()),
        nominated_node_name: None,
        qos_class: Some("Burstable".to_owned()),
        container_statuses: vec![ContainerStatus {
            name: name.to_owned(),
            ready: true,
            restart_count: 0,
            image_id: None,
            state: ContainerState::Running(Some(made_at())),
        }],
    }
}

fn pod_spec(name: &str, node_name: Option<&str>) -> PodSpec {
    PodSpec {
        node_name: node_name.map(ToOwned::to_owned),
        containers: vec![Container {
            name: name.to_owned(),
            image: format!("registry.example/{name}:1"),
            requests: resources(100, 128, 0),
            ..Container::default()
        }],
        termination_grace_period: Some(Duration::from_secs(30)),
        restart_policy: Some("Always".to_owned()),
        ..PodSpec::default()
    }
}

/// A Deployment with the label `app`, rolled out.
pub fn deployment(namespace: &str, name: &str, replicas: u32) -> Workload {
    let labels = map(&[("app", name)]);
    Workload {
        kind: WorkloadKind::Deployment,
        meta: ObjectMeta { labels: labels.clone(), ..meta(Some(namespace), name) },
        selector: Some(LabelSelector { match_labels: labels.clone(), ..LabelSelector::default() }),
        template: PodTemplate { labels, annotations: BTreeMap::new(), spec: pod_spec(name, None) },
        strategy: RolloutStrategy {
            kind: Some("RollingUpdate".to_owned()),
            max_surge: Some(IntOrPercent::Percent(25)),
            max_unavailable: Some(IntOrPercent::Percent(25)),
            partition: None,
        },
        status: WorkloadStatus {
            observed_generation: Some(1),
            replicas,
            updated: replicas,
            ready: replicas,
            available: replicas,
            ..WorkloadStatus::default()
        },
        desired: replicas,
        paused: false,
        completions: None,
    }
}

/// A budget for the Pods with this label `app`, of which one of three may be out.
pub fn budget(namespace: &str, name: &str) -> Budget {
    Budget {
        meta: meta(Some(namespace), name),
        selector: Some(LabelSelector { match_labels: map(&[("app", name)]), ..LabelSelector::default() }),
        min_available: None,
        max_unavailable: Some(IntOrPercent::Int(1)),
        unhealthy_pod_eviction_policy: None,
        status: BudgetStatus {
            observed_generation: Some(1),
            disruptions_allowed: 1,
            current_healthy: 3,
            desired_healthy: 2,
            expected_pods: 3,
            disrupted_pods: BTreeMap::new(),
            conditions: Vec::new(),
        },
    }
}

/// A Lease, held for a minute.
pub fn lease(namespace: &str, name: &str) -> Lease {
    Lease {
        meta: meta(Some(namespace), name),
        holder_identity: Some("run-1".to_owned()),
        lease_duration: Some(Duration::from_mins(1)),
        acquire_time: Some(made_at()),
        renew_time: Some(made_at()),
        lease_transitions: 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_are_healthy() {
        assert_eq!(made_at().to_string(), "2026-11-01T00:00:00Z");
        let node = node("n");
        assert!(node.is_ready() && node.instance_id().is_some() && node.zone() == Some("eu-west-1a"));
        assert_eq!(
            node.info.kubelet_version.value().map(eks_model::KubeVersion::minor),
            Some(cluster("shop").version)
        );
        let group = auto_scaling_group("web");
        assert_eq!(group.instances.len(), 3);
        assert!(addon("vpc-cni", "v1.21.1-eksbuild.7").version.value().is_some());
        assert!(nodegroup("web").version.is_some_and(|version| version.value().is_some()));
        assert!(lease("kube-system", "x").holds_until() > Some(made_at()));
        assert_eq!(budget("shop", "db").covers("shop", &pod("shop", "db").meta.labels), Some(true));
        assert!(deployment("shop", "web", 2).selector.unwrap().matches(&map(&[("app", "web")])).unwrap());
        assert_eq!(pod("shop", "web").spec.requests()["cpu"], Quantity::from_milli(100));
    }
}
