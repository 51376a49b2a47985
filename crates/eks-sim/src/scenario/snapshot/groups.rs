//! Launch templates, managed node groups, Auto Scaling groups.

use std::collections::{BTreeMap, BTreeSet};

use eks_model::{KubeMinor, NodeGroup, NodeGroupKind};
use eks_provider::aws::{
    AutoScalingInstance, LaunchSource, LaunchTemplateData, LaunchTemplateKey, LaunchTemplateRef,
    LifecycleResult, LifecycleState, LifecycleTransition, Nodegroup, NodegroupStatus,
    NodegroupUpdateStrategy, TemplateVersion, WarmPoolState,
};

use super::Seeding;
use crate::aws::ec2;
use crate::scenario::observations::ObservedGroup;
use crate::scenario::{
    GroupTemplate, HookSpec, InstancesSpec, MixedOverride, MixedSpec, NodegroupSpec, ScheduledActionSpec,
    SelfManagedGroup, TemplateSpec, TemplateVersionSpec, WarmPoolSpec,
};

/// The template that stands for one that is not known.
const STAND_IN: &str = "stand-in";

/// The type that stands for one that is not known.
const KNOWN_TYPE: &str = "m7i.large";

impl Seeding<'_> {
    /// The launch templates, with all their versions: gaps between numbers are filled with the next one.
    pub(super) fn templates(&mut self) -> Vec<TemplateSpec> {
        let seen = self.seen;
        let mut specs = Vec::new();
        for (template, versions) in &seen.templates {
            let about = format!("launch template {}", template.name);
            let known: BTreeMap<u64, &LaunchTemplateData> =
                versions.iter().map(|version| (version.number, &version.data)).collect();
            let mut filled = Vec::new();
            for number in 1..=template.latest_version {
                let next = known.range(number..).next().or_else(|| known.iter().next_back());
                let Some((at, data)) = next else { continue };
                if *at != number {
                    self.assume(&about, "versions that are not there any more are like the next one");
                }
                filled.push(self.template_version(&about, data));
            }
            if filled.is_empty() {
                self.assume(&about, format!("its versions are not known; they start {KNOWN_TYPE}"));
                filled = vec![self.stand_in(); usize::try_from(template.latest_version.max(1)).unwrap_or(1)];
            }
            specs.push(TemplateSpec {
                name: template.name.clone(),
                default_version: Some(template.default_version.max(1)),
                versions: filled,
            });
        }
        let unknown = seen.groups.iter().any(|one| self.template_of(&one.group.launch).is_none());
        let declared = self.self_managed().next().is_some();
        if unknown || declared {
            let stand_in = self.stand_in();
            specs.push(TemplateSpec {
                name: STAND_IN.to_owned(),
                default_version: Some(1),
                versions: vec![stand_in],
            });
        }
        specs
    }

    /// What stands for a version of a template that is not known: the recommended image of the control plane's minor.
    fn stand_in(&mut self) -> TemplateVersionSpec {
        TemplateVersionSpec {
            ami_type: Some("AL2023_x86_64_STANDARD".to_owned()),
            kubernetes: Some(self.minor()),
            instance_type: Some(KNOWN_TYPE.to_owned()),
            ..TemplateVersionSpec::default()
        }
    }

    fn template_version(&mut self, about: &str, data: &LaunchTemplateData) -> TemplateVersionSpec {
        let seen = self.seen;
        if data.user_data.is_some() {
            self.assume(about, "user data may hold secrets and is left out; kubelets join without it");
        }
        let alias = data.image_id.as_ref().is_some_and(|image| image.starts_with("resolve:ssm:"));
        let mut image = data.image_id.clone();
        if alias && !image.as_ref().is_some_and(|image| self.is_made(image)) {
            let what =
                "it names a parameter that the world does not have; the recommended image stands for it";
            self.assume(about, what);
            image = None;
        }
        let known = ec2::types::catalogue();
        let instance_type = match &data.instance_type {
            Some(kind) if known.contains_key(kind) => Some(kind.clone()),
            Some(kind) => {
                self.assume(about, format!("what {kind} is, is not known; {KNOWN_TYPE} stands for it"));
                Some(KNOWN_TYPE.to_owned())
            }
            None => None,
        };
        let groups = data.security_group_ids.iter();
        let profile = data.iam_instance_profile.as_ref();
        let mut spec = TemplateVersionSpec {
            image,
            instance_type,
            key_name: data.key_name.clone(),
            security_groups: groups
                .filter(|id| seen.security_groups.iter().any(|group| group.id == **id))
                .cloned()
                .collect(),
            instance_profile: profile.map(|arn| arn.rsplit('/').next().unwrap_or(arn).to_owned()),
            market: data.market.clone(),
            ..TemplateVersionSpec::default()
        };
        if alias && spec.image.is_none() {
            spec.ami_type = Some("AL2023_x86_64_STANDARD".to_owned());
            spec.kubernetes = Some(self.minor());
        }
        spec
    }

    /// Whether a text names an image by a parameter that the world has.
    fn is_made(&self, image: &str) -> bool {
        let mut made = ec2::State::default();
        crate::scenario::build::standard_images(&mut made, self.start);
        made.image_id(image).is_some()
    }

    /// The name and the version of the template that a group starts from, where that is known.
    fn template_of(&self, launch: &LaunchSource) -> Option<GroupTemplate> {
        match launch {
            LaunchSource::Template(template) => self.template(template),
            LaunchSource::Mixed(policy) => self.template(&policy.template),
            LaunchSource::Configuration(_) | LaunchSource::Unstated => None,
        }
    }

    fn template(&self, of: &LaunchTemplateRef) -> Option<GroupTemplate> {
        let mut known = self.seen.templates.iter().map(|(template, _)| template);
        let template = known.find(|template| match &of.template {
            LaunchTemplateKey::Id(id) => template.id == *id,
            LaunchTemplateKey::Name(name) => template.name == *name,
        })?;
        let there = match &of.version {
            TemplateVersion::Number(number) => (1..=template.latest_version).contains(number),
            TemplateVersion::Latest | TemplateVersion::Default => true,
            TemplateVersion::Other(_) => false,
        };
        there.then(|| GroupTemplate { name: template.name.clone(), version: of.version.to_string() })
    }

    pub(super) fn node_groups(&mut self, control_plane: KubeMinor) -> Vec<NodegroupSpec> {
        let seen = self.seen;
        if seen.cluster.is_some() {
            return seen.node_groups.iter().map(|group| self.node_group(group, control_plane)).collect();
        }
        let snapshot = self.snapshot;
        let managed = snapshot.node_groups.iter().filter(|group| group.kind == NodeGroupKind::Managed);
        managed.map(|group| self.declared(group, control_plane)).collect()
    }

    fn node_group(&mut self, group: &Nodegroup, control_plane: KubeMinor) -> NodegroupSpec {
        let about = format!("node group {}", group.name);
        let version =
            group.version.as_ref().and_then(|version| version.value()).map(eks_model::KubeVersion::minor);
        if version.is_none() {
            self.assume(&about, format!("its version is not known; it is {control_plane}"));
        }
        let minor = version.unwrap_or(control_plane);
        let ami_type = group.ami_type.clone().unwrap_or_default();
        let known = ec2::images::parameter_of(&ami_type, minor).is_some();
        let own = group.launch_template.as_ref().and_then(|template| self.template(template));
        if !known && ami_type != "CUSTOM" {
            let what = format!(
                "images of {ami_type} are not modelled; those of AL2023_x86_64_STANDARD stand for them"
            );
            self.assume(&about, what);
        }
        if group.launch_template.is_some() && own.is_none() {
            self.assume(&about, "its launch template is not known; it has none");
        }
        let ami_type = if known { ami_type } else { "AL2023_x86_64_STANDARD".to_owned() };
        let outdated = self.outdated(&about, group, &ami_type, minor);
        let types = ec2::types::catalogue();
        let instance_type = group.instance_types.iter().find(|kind| types.contains_key(*kind));
        if (instance_type.is_none() && own.is_none()) || group.instance_types.len() > 1 {
            let one = instance_type.map_or(KNOWN_TYPE, String::as_str);
            self.assume(&about, format!("of its types, {one} stands for all"));
        }
        if !matches!(group.status, NodegroupStatus::Active) {
            self.assume(&about, format!("it is {}; it is ACTIVE in the world", group.status));
        }
        for issue in &group.health {
            self.assume(
                &about,
                format!("its issue {} is not modelled; the world does not have it", issue.code),
            );
        }
        NodegroupSpec {
            name: group.name.clone(),
            version: Some(minor),
            ami_type,
            instance_type: instance_type.map_or(KNOWN_TYPE, String::as_str).to_owned(),
            min: group.scaling.min_size,
            max: group.scaling.max_size,
            desired: group.scaling.desired_size.clamp(group.scaling.min_size, group.scaling.max_size),
            subnets: self.known_subnets(&group.subnets),
            max_unavailable: group.update_config.max_unavailable,
            max_unavailable_percentage: group.update_config.max_unavailable_percentage,
            minimal: group.update_config.update_strategy == Some(NodegroupUpdateStrategy::Minimal),
            outdated,
            labels: group.labels.clone(),
            taints: group
                .taints
                .iter()
                .map(|taint| {
                    format!("{}={}:{}", taint.key, taint.value.as_deref().unwrap_or_default(), taint.effect)
                })
                .collect(),
            launch_template: own,
            tags: group.tags.clone(),
        }
    }

    /// Whether a group runs another release than the newest one.
    fn outdated(&mut self, about: &str, group: &Nodegroup, ami_type: &str, minor: KubeMinor) -> bool {
        let mut made = ec2::State::default();
        crate::scenario::build::standard_images(&mut made, self.start);
        let newest = made.managed_image(ami_type, minor, None).and_then(|image| image.release.clone());
        match &group.release_version {
            Some(release) if Some(release) == newest.as_ref() => false,
            Some(release) if made.managed_image(ami_type, minor, Some(release)).is_some() => true,
            Some(release) if release.starts_with("ami-") => false,
            Some(release) => {
                let what = format!(
                    "its release {release} is not among those of the world; the one before the newest stands for it"
                );
                self.assume(about, what);
                true
            }
            None => {
                self.assume(about, "its release is not known; it is the one before the newest");
                true
            }
        }
    }

    /// A managed node group that files declare.
    fn declared(&mut self, group: &NodeGroup, control_plane: KubeMinor) -> NodegroupSpec {
        let about = format!("node group {}", group.name);
        let kubelet = group.kubelet.known().map(|placed| placed.value.minor());
        if kubelet.is_none() && !group.follows_control_plane {
            self.assume(&about, format!("its version is not known; it is {control_plane}"));
        }
        self.assume(&about, "its size is not known; it has two nodes, between one and four");
        self.assume(&about, "its release is not known; it is the one before the newest");
        self.assume(&about, format!("its type is not known; it is {KNOWN_TYPE}"));
        self.assume(&about, "how many nodes may be out is not known; it is one");
        NodegroupSpec {
            name: group.name.clone(),
            version: Some(kubelet.unwrap_or(control_plane)),
            ami_type: "AL2023_x86_64_STANDARD".to_owned(),
            instance_type: KNOWN_TYPE.to_owned(),
            min: 1,
            max: 4,
            desired: 2,
            subnets: BTreeSet::new(),
            max_unavailable: None,
            max_unavailable_percentage: None,
            minimal: false,
            outdated: true,
            labels: BTreeMap::new(),
            taints: Vec::new(),
            launch_template: None,
            tags: BTreeMap::new(),
        }
    }

    /// Groups of one's own that files declare; none where the cluster itself was asked.
    fn self_managed(&self) -> impl Iterator<Item = &NodeGroup> {
        let asked = self.seen.cluster.is_some();
        let own = |group: &&NodeGroup| group.kind == NodeGroupKind::SelfManaged;
        self.snapshot.node_groups.iter().filter(own).filter(move |_| !asked)
    }

    pub(super) fn groups(&mut self) -> Vec<SelfManagedGroup> {
        let seen = self.seen;
        let mut specs: Vec<SelfManagedGroup> = seen.groups.iter().map(|one| self.group(one)).collect();
        let declared: Vec<String> = self.self_managed().map(|group| group.name.clone()).collect();
        for name in declared {
            let about = format!("group {name}");
            self.assume(&about, "its size is not known; it has two instances, between one and four");
            self.assume(&about, "what it starts from is not known; it is up to date");
            specs.push(blank(&name, &self.snapshot.name));
        }
        for group in &self.snapshot.node_groups {
            if group.kind == NodeGroupKind::Karpenter && seen.kubernetes.is_none() {
                let about = format!("node class {}", group.name);
                self.assumptions.push(super::Assumption {
                    about,
                    what: "which nodes Karpenter has made is not known; the world has none".to_owned(),
                });
            }
        }
        specs
    }

    fn group(&mut self, one: &ObservedGroup) -> SelfManagedGroup {
        let group = &one.group;
        let about = format!("group {}", group.name);
        let template = self.template_of(&group.launch);
        if template.is_none() {
            let what = "what it starts from is not known, or a launch configuration; a template with the recommended image stands for it";
            self.assume(&about, what);
        }
        let template = template
            .unwrap_or_else(|| GroupTemplate { name: STAND_IN.to_owned(), version: "$Default".to_owned() });
        self.assume(&about, "labels and taints that kubelets register with are not known; there are none");
        self.assume(&about, "whether an alarm or an instance refresh acts on it is not known; none does");
        if group.warm_pool_size.is_some_and(|size| size > 0) {
            let what =
                "what the instances of its warm pool were started from is not known; from what it starts now";
            self.assume(&about, what);
        }
        let mixed = match &group.launch {
            LaunchSource::Mixed(policy) => {
                let known = ec2::types::catalogue();
                let fits = |kind: &&String| known.contains_key(*kind);
                let overrides: Vec<MixedOverride> = policy
                    .overrides
                    .iter()
                    .filter_map(|one| {
                        Some(MixedOverride {
                            instance_type: one.instance_type.as_ref().filter(fits)?.clone(),
                            launch_template: one.template.as_ref().and_then(|own| self.template(own)),
                            weight: one.weighted_capacity,
                        })
                    })
                    .collect();
                if overrides.len() < policy.overrides.len() {
                    self.assume(&about, "some of its types are not known, or chosen by attributes; the world goes without them");
                }
                Some(MixedSpec {
                    overrides,
                    on_demand_base: policy.on_demand_base_capacity,
                    on_demand_percentage: policy.on_demand_percentage_above_base,
                })
            }
            LaunchSource::Template(_) | LaunchSource::Configuration(_) | LaunchSource::Unstated => None,
        };
        let instances = self.instances(&about, one, &template);
        let subnets: BTreeSet<String> = group.subnet_ids.iter().cloned().collect();
        let subnets = self.known_subnets(&subnets);
        SelfManagedGroup {
            mixed,
            min: group.min_size,
            max: group.max_size,
            desired: group.desired_capacity.clamp(group.min_size, group.max_size),
            instances,
            subnets: group.subnet_ids.iter().filter(|id| subnets.contains(*id)).cloned().collect(),
            health_check_type: group.health_check_type.clone(),
            health_check_grace_seconds: group.health_check_grace_period.unwrap_or_default().as_secs(),
            new_instances_protected: group.new_instances_protected_from_scale_in,
            suspended_processes: group.suspended_processes.keys().cloned().collect(),
            termination_policies: group.termination_policies.clone(),
            max_instance_lifetime_seconds: group
                .max_instance_lifetime
                .map(|lifetime| lifetime.as_secs())
                .filter(|seconds| *seconds > 0),
            zone_distribution: group.zone_distribution.clone(),
            terminate_hook_abandon: group.terminate_hook_abandon.clone(),
            operator: group.operator.clone(),
            target_groups: self
                .seen
                .target_groups
                .iter()
                .filter(|known| group.target_group_arns.contains(&known.arn))
                .map(|known| known.name.clone())
                .collect(),
            hooks: one
                .hooks
                .iter()
                .map(|hook| HookSpec {
                    name: hook.name.clone(),
                    terminating: hook.transition == LifecycleTransition::Terminating,
                    heartbeat_seconds: hook.heartbeat_timeout.as_secs().clamp(30, 7200),
                    continues: hook.default_result == LifecycleResult::Continue,
                })
                .collect(),
            scheduled_actions: one
                .scheduled
                .iter()
                .map(|action| ScheduledActionSpec {
                    name: action.name.clone(),
                    start: action.start_time,
                    recurrence: action.recurrence.clone(),
                    min: action.min_size,
                    max: action.max_size,
                    desired: action.desired_capacity,
                })
                .collect(),
            warm_pool: group.warm_pool.as_ref().map(|pool| WarmPoolSpec {
                min: pool.min_size,
                max_prepared: pool.max_group_prepared_capacity,
                running: pool.pool_state == WarmPoolState::Running,
                reuse_on_scale_in: pool.reuse_on_scale_in,
            }),
            tags: group
                .tags
                .iter()
                .filter(|(key, _)| !key.starts_with("kubernetes.io/cluster/"))
                .map(|(key, tag)| (key.clone(), tag.value.clone()))
                .collect(),
            launch_template: template,
            ..blank(&group.name, &self.snapshot.name)
        }
    }

    /// What runs in a group: as many of each kind in each zone.
    fn instances(
        &mut self,
        about: &str,
        one: &ObservedGroup,
        template: &GroupTemplate,
    ) -> Vec<InstancesSpec> {
        let group = &one.group;
        let mut specs: Vec<InstancesSpec> = Vec::new();
        let mut on_their_way = 0_u32;
        for instance in &group.instances {
            let standby = instance.lifecycle_state == LifecycleState::Standby;
            if !standby && instance.lifecycle_state != LifecycleState::InService {
                on_their_way += 1;
                continue;
            }
            let spot =
                self.seen.instances.iter().any(|known| {
                    known.id == instance.instance_id && known.lifecycle.as_deref() == Some("spot")
                });
            let mut kind = InstancesSpec {
                zone: instance.availability_zone.clone(),
                count: 0,
                version: self.version_of(about, instance, template),
                instance_type: self.type_of(about, instance),
                spot,
                protected: instance.protected_from_scale_in,
                standby,
            };
            let like = |one: &&mut InstancesSpec| InstancesSpec { count: 0, ..(**one).clone() } == kind;
            if let Some(one) = specs.iter_mut().find(like) {
                one.count += 1;
            } else {
                kind.count = 1;
                specs.push(kind);
            }
            if instance.health_status != "Healthy" {
                self.assume(about, "an instance is not healthy; it is in the world");
            }
        }
        if on_their_way > 0 {
            self.assume(
                about,
                format!("{on_their_way} instances are on their way in or out; they have arrived, or left"),
            );
        }
        specs
    }

    fn version_of(
        &mut self,
        about: &str,
        instance: &AutoScalingInstance,
        template: &GroupTemplate,
    ) -> Option<String> {
        let own = instance.launch_template.as_ref().and_then(|own| self.template(own));
        match own {
            Some(own) if own.name == template.name => Some(own.version),
            Some(_) | None => {
                let what = "some instances were started from something else than its template; its present version stands for that";
                self.assume(about, what);
                None
            }
        }
    }

    fn type_of(&mut self, about: &str, instance: &AutoScalingInstance) -> Option<String> {
        let kind = instance.instance_type.clone()?;
        if ec2::types::catalogue().contains_key(&kind) {
            return Some(kind);
        }
        self.assume(about, format!("what {kind} is, is not known; {KNOWN_TYPE} stands for it"));
        Some(KNOWN_TYPE.to_owned())
    }
}

/// A group of which nothing is known.
fn blank(name: &str, cluster: &str) -> SelfManagedGroup {
    SelfManagedGroup {
        name: name.to_owned(),
        cluster: Some(cluster.to_owned()),
        launch_template: GroupTemplate { name: STAND_IN.to_owned(), version: "$Default".to_owned() },
        mixed: None,
        min: 1,
        max: 4,
        desired: 2,
        instances: Vec::new(),
        subnets: Vec::new(),
        labels: BTreeMap::new(),
        taints: Vec::new(),
        health_check_type: None,
        health_check_grace_seconds: 0,
        new_instances_protected: false,
        suspended_processes: BTreeSet::new(),
        termination_policies: Vec::new(),
        max_instance_lifetime_seconds: None,
        zone_distribution: None,
        terminate_hook_abandon: None,
        operator: None,
        target_groups: BTreeSet::new(),
        hooks: Vec::new(),
        scheduled_actions: Vec::new(),
        warm_pool: None,
        tags: BTreeMap::new(),
    }
}
