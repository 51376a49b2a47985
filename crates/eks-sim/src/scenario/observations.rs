//! What the readers say of a real cluster and of what stands around it: all that a world can be seeded from.

use std::collections::{BTreeMap, BTreeSet};

use eks_model::KubeVersion;
use eks_provider::aws::{
    AccessEntry, Addon, AutoScalingGroup, AutoScalingGroupQuery, Cluster, FargateProfile, Image, Insight,
    InsightCategory, InsightQuery, Instance, InstanceQuery, InstanceState, LaunchSource, LaunchTemplate,
    LaunchTemplateKey, LaunchTemplateVersion, LaunchTemplateVersionQuery, LifecycleHook, NetworkQuery,
    Nodegroup, ScheduledAction, SecurityGroup, Subnet, TargetGroup, TargetGroupQuery, Update, UpdateScope,
};
use eks_provider::kube::{NodeQuery, NodeReader};
use eks_provider::{AwsReader, Class, Result};

use crate::aws::ec2::keys::ON_DEMAND_VCPUS;

/// What was observed of a cluster. What could not be read stands in `unread`, a sentence each.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Observations {
    /// The cluster.
    pub cluster: Option<Cluster>,
    /// Updates of its control plane.
    pub updates: Vec<Update>,
    /// Its add-ons.
    pub addons: Vec<Addon>,
    /// Its managed node groups.
    pub node_groups: Vec<Nodegroup>,
    /// Its Fargate profiles.
    pub fargate_profiles: Vec<FargateProfile>,
    /// Whom it lets in.
    pub access_entries: Vec<AccessEntry>,
    /// What EKS finds about its readiness.
    pub insights: Vec<Insight>,
    /// The Auto Scaling groups whose instances are its nodes, those of managed node groups left out.
    pub groups: Vec<ObservedGroup>,
    /// The launch templates of all these groups, with their versions.
    pub templates: Vec<(LaunchTemplate, Vec<LaunchTemplateVersion>)>,
    /// The instances that are its nodes.
    pub instances: Vec<Instance>,
    /// The images of templates and instances.
    pub images: Vec<Image>,
    /// The subnets of the cluster and its groups.
    pub subnets: Vec<Subnet>,
    /// The security groups of its VPC.
    pub security_groups: Vec<SecurityGroup>,
    /// The target groups of its groups.
    pub target_groups: Vec<TargetGroup>,
    /// The quota of running on-demand standard instances, in virtual CPUs.
    pub on_demand_vcpus: Option<f64>,
    /// The kubelet of each node, by instance.
    pub kubelets: BTreeMap<String, KubeVersion>,
    /// What runs in the cluster.
    pub kubernetes: Option<crate::kube::Scenario>,
    /// What could not be read.
    pub unread: Vec<String>,
}

/// An Auto Scaling group, with what is set up beside it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObservedGroup {
    /// The group.
    pub group: AutoScalingGroup,
    /// Its hooks.
    pub hooks: Vec<LifecycleHook>,
    /// Its scheduled actions.
    pub scheduled: Vec<ScheduledAction>,
}

impl Observations {
    /// Asks the readers for all of it. What fails is written down, and the rest is asked for all the same.
    pub async fn of(aws: &dyn AwsReader, nodes: Option<&dyn NodeReader>, cluster: &str) -> Self {
        let mut seen = Self::default();
        seen.eks(aws, cluster).await;
        seen.groups(aws, cluster).await;
        seen.ec2(aws, cluster).await;
        if let Some(nodes) = nodes {
            let found = nodes.list_nodes(&NodeQuery::default()).await;
            for node in seen.read(found) {
                if let (Some(id), Some(kubelet)) = (node.instance_id(), node.info.kubelet_version.value()) {
                    seen.kubelets.insert(id.to_owned(), kubelet.clone());
                }
            }
        }
        seen
    }

    /// What was read; the default where it could not be.
    fn read<T: Default>(&mut self, answer: Result<T>) -> T {
        answer.unwrap_or_else(|error| {
            self.unread.push(error.to_string());
            T::default()
        })
    }

    fn one<T>(&mut self, answer: Result<T>) -> Option<T> {
        self.read(answer.map(Some))
    }

    async fn eks(&mut self, aws: &dyn AwsReader, cluster: &str) {
        let found = aws.describe_cluster(cluster).await;
        self.cluster = self.one(found);
        let scope = UpdateScope::cluster(cluster);
        let ids = aws.list_updates(&scope).await;
        for id in self.read(ids) {
            let found = aws.describe_update(&scope, &id).await;
            let found = self.one(found);
            self.updates.extend(found);
        }
        let names = aws.list_addons(cluster).await;
        for name in self.read(names) {
            let found = aws.describe_addon(cluster, &name).await;
            let found = self.one(found);
            self.addons.extend(found);
        }
        let names = aws.list_nodegroups(cluster).await;
        for name in self.read(names) {
            let found = aws.describe_nodegroup(cluster, &name).await;
            let found = self.one(found);
            self.node_groups.extend(found);
        }
        let names = aws.list_fargate_profiles(cluster).await;
        for name in self.read(names) {
            let found = aws.describe_fargate_profile(cluster, &name).await;
            let found = self.one(found);
            self.fargate_profiles.extend(found);
        }
        let principals = aws.list_access_entries(cluster).await;
        for principal in self.read(principals) {
            let found = aws.describe_access_entry(cluster, &principal).await;
            let found = self.one(found);
            self.access_entries.extend(found);
        }
        let categories = [InsightCategory::UpgradeReadiness, InsightCategory::RollbackReadiness];
        let summaries = aws.list_insights(&InsightQuery::of(cluster, categories)).await;
        for summary in self.read(summaries) {
            let found = aws.describe_insight(cluster, &summary.id).await;
            let found = self.one(found);
            self.insights.extend(found);
        }
    }

    async fn groups(&mut self, aws: &dyn AwsReader, cluster: &str) {
        let query = AutoScalingGroupQuery {
            names: None,
            tags: [(format!("kubernetes.io/cluster/{cluster}"), Vec::new())].into(),
        };
        let found = aws.describe_auto_scaling_groups(&query).await;
        for group in self.read(found) {
            if group.tags.contains_key("eks:nodegroup-name") {
                continue;
            }
            let hooks = aws.describe_lifecycle_hooks(&group.name).await;
            let scheduled = aws.describe_scheduled_actions(&group.name).await;
            let (hooks, scheduled) = (self.read(hooks), self.read(scheduled));
            self.groups.push(ObservedGroup { group, hooks, scheduled });
        }
        let arns: BTreeSet<String> =
            self.groups.iter().flat_map(|one| one.group.target_group_arns.clone()).collect();
        if !arns.is_empty() {
            let found = aws.describe_target_groups(&TargetGroupQuery { arns: Some(arns) }).await;
            self.target_groups = self.read(found);
        }
        let keys: Vec<LaunchTemplateKey> = self.template_keys().into_iter().collect();
        if !keys.is_empty() {
            let found = aws.describe_launch_templates(&keys).await;
            for template in self.read(found) {
                let query = LaunchTemplateVersionQuery {
                    template: LaunchTemplateKey::Id(template.id.clone()),
                    versions: None,
                    resolve_alias: false,
                };
                let versions = aws.describe_launch_template_versions(&query).await;
                let versions = self.read(versions);
                self.templates.push((template, versions));
            }
        }
    }

    /// The templates that groups start from.
    fn template_keys(&self) -> BTreeSet<LaunchTemplateKey> {
        let mut keys: BTreeSet<LaunchTemplateKey> = self
            .node_groups
            .iter()
            .filter_map(|group| Some(group.launch_template.as_ref()?.template.clone()))
            .collect();
        for one in &self.groups {
            match &one.group.launch {
                LaunchSource::Template(template) => {
                    keys.insert(template.template.clone());
                }
                LaunchSource::Mixed(policy) => {
                    keys.insert(policy.template.template.clone());
                    let own = policy.overrides.iter().filter_map(|one| one.template.as_ref());
                    keys.extend(own.map(|template| template.template.clone()));
                }
                LaunchSource::Configuration(_) | LaunchSource::Unstated => {}
            }
        }
        keys
    }

    async fn ec2(&mut self, aws: &dyn AwsReader, cluster: &str) {
        let query = InstanceQuery {
            ids: None,
            tags: [(format!("kubernetes.io/cluster/{cluster}"), Vec::new())].into(),
            // Those of a warm pool are stopped.
            states: vec![
                InstanceState::Pending,
                InstanceState::Running,
                InstanceState::Stopping,
                InstanceState::Stopped,
            ],
        };
        let found = aws.describe_instances(&query).await;
        self.instances = self.read(found);
        let of_templates = self
            .templates
            .iter()
            .flat_map(|(_, versions)| versions)
            .filter_map(|one| one.data.image_id.clone());
        let of_instances = self.instances.iter().filter_map(|one| one.image_id.clone());
        let images: BTreeSet<String> =
            of_templates.chain(of_instances).filter(|id| id.starts_with("ami-")).collect();
        if !images.is_empty() {
            let found = aws.describe_images(&images).await;
            self.images = self.read(found);
        }
        let mut subnets: BTreeSet<String> =
            self.cluster.iter().flat_map(|cluster| cluster.vpc.subnet_ids.clone()).collect();
        subnets.extend(self.node_groups.iter().flat_map(|group| group.subnets.clone()));
        subnets.extend(self.groups.iter().flat_map(|one| one.group.subnet_ids.clone()));
        if !subnets.is_empty() {
            let found = aws.describe_subnets(&NetworkQuery::of(subnets)).await;
            self.subnets = self.read(found);
        }
        let vpc_id = self.cluster.as_ref().and_then(|cluster| cluster.vpc.vpc_id.clone());
        if vpc_id.is_some() {
            let query = NetworkQuery { vpc_id, ..NetworkQuery::default() };
            let found = aws.describe_security_groups(&query).await;
            self.security_groups = self.read(found);
        }
        let (service, quota) = ON_DEMAND_VCPUS;
        match aws.get_service_quota(service, quota).await {
            // Who has none of their own has that of everybody, which nobody can ask for here.
            Err(error) if error.class() == Class::NotFound => {}
            answer => self.on_demand_vcpus = self.one(answer).map(|quota| quota.value),
        }
    }
}
