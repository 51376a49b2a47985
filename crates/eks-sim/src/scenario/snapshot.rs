//! From what is known of a real cluster to a world that is like it.
//!
//! A rehearsal is worth as much as its world is like the cluster. So nothing that is not known becomes healthy in silence: each
//! thing that the world has to take to be one way or the other is said in an [`Assumption`].

mod groups;
mod network;

use std::collections::BTreeSet;
use std::fmt;

use eks_model::{ClusterSnapshot, KubeMinor, NodeGroupKind, SupportType};
use eks_provider::aws::{AddonStatus, InsightStatus, UpdateStatus, UpdateType};
use jiff::Timestamp;

use super::observations::Observations;
use super::{AddonSpec, ClusterSpec, FargateSpec, Network, Scenario, Timed, UpgradePolicy};
use crate::aws::eks::versions;
use crate::aws::{DeprecatedUse, Rules, Script};
use crate::faults::Faults;

/// Something that a world takes to be so, because nobody knows it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Assumption {
    /// What it is about: `node group web`.
    pub about: String,
    /// What is not known, and what is taken to be so.
    pub what: String,
}

impl fmt::Display for Assumption {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.about, self.what)
    }
}

/// A scenario in the making.
struct Seeding<'s> {
    snapshot: &'s ClusterSnapshot,
    seen: &'s Observations,
    start: Timestamp,
    assumptions: Vec<Assumption>,
    events: Vec<Timed>,
}

impl Seeding<'_> {
    fn assume(&mut self, about: impl Into<String>, what: impl Into<String>) {
        self.assumptions.push(Assumption { about: about.into(), what: what.into() });
    }

    /// Lets something be so from the beginning on.
    fn at_once(&mut self, script: Script) {
        self.events.push(Timed { after_seconds: 0, script });
    }
}

impl Scenario {
    /// A scenario like a real cluster, as it was at a moment, and all that it has to assume. Where the observations know a thing, they
    /// win over the snapshot: they are the cluster itself, and the snapshot may be what files declare.
    ///
    /// ```
    /// # use eks_model::{ClusterSnapshot, Observed, Place};
    /// # let nowhere = Place { file: String::new(), line: 1, column: 1, width: 0, document: 0 };
    /// # let snapshot = ClusterSnapshot {
    /// #     id: "shop".into(), name: "shop".into(), declared_as: "cluster", at: nowhere, declared_elsewhere: false,
    /// #     control_plane: Observed::Absent, support: Observed::Absent, node_groups: Vec::new(), addons: Vec::new(),
    /// # };
    /// use eks_sim::scenario::{Observations, Scenario};
    ///
    /// let now = "2026-11-24T12:00:00Z".parse()?;
    /// let (scenario, assumptions) = Scenario::from_snapshot(&snapshot, &Observations::default(), now);
    /// assert_eq!(scenario.clusters[0].name, "shop");
    /// let said: Vec<String> = assumptions.iter().map(ToString::to_string).collect();
    /// assert!(said.contains(&"cluster shop: its version is not known; it is taken to be 1.31".to_owned()), "{said:?}");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn from_snapshot(
        snapshot: &ClusterSnapshot,
        seen: &Observations,
        start: Timestamp,
    ) -> (Self, Vec<Assumption>) {
        let mut seeding = Seeding { snapshot, seen, start, assumptions: Vec::new(), events: Vec::new() };
        for sentence in &seen.unread {
            seeding.assume("reading", format!("{sentence}; the world has none of it"));
        }
        let (region, account) = seeding.place();
        let network: Network = seeding.network();
        let images = seeding.images();
        let cluster = seeding.cluster();
        let launch_templates = seeding.templates();
        let auto_scaling_groups = seeding.groups();
        let target_groups = seeding.target_groups();
        seeding.assume("zones", "whether they have capacity is not known; they have it");
        if seen.kubernetes.is_none() {
            let what = "no workload, budget, volume or webhook is known; nothing but the nodes is there, and nothing stands in the way of a drain";
            seeding.assume("Kubernetes", what);
        }
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a quota is a whole number far below 2^32"
        )]
        let on_demand_vcpus = seen.on_demand_vcpus.map(|value| value as u32);
        if on_demand_vcpus.is_none() {
            seeding.assume("quota", "that of on-demand instances is not known; there is none");
        }
        let scenario = Self {
            scenario: 1,
            start,
            seed: 0,
            region,
            account,
            rules: Rules::default(),
            network,
            images,
            clusters: vec![cluster],
            launch_templates,
            target_groups,
            auto_scaling_groups,
            zone_capacity: std::collections::BTreeMap::new(),
            not_offered: std::collections::BTreeMap::new(),
            on_demand_vcpus,
            denied: std::collections::BTreeMap::new(),
            faults: Faults::default(),
            events: seeding.events,
            kubernetes: seen.kubernetes.clone(),
        };
        seeding.assumptions.sort();
        seeding.assumptions.dedup();
        (scenario, seeding.assumptions)
    }
}

impl Seeding<'_> {
    /// Region and account, from the ARN of the cluster.
    fn place(&mut self) -> (String, String) {
        let arn = self.seen.cluster.as_ref().map(|cluster| cluster.arn.clone()).unwrap_or_default();
        let parts: Vec<&str> = arn.split(':').collect();
        match (parts.get(3), parts.get(4)) {
            (Some(region), Some(account)) if !region.is_empty() => {
                ((*region).to_owned(), (*account).to_owned())
            }
            _ => {
                let (region, account) = (super::region(), super::account());
                self.assume("account", format!("not known; it is {account} in {region}"));
                (region, account)
            }
        }
    }

    fn about(&self) -> String {
        format!("cluster {}", self.snapshot.name)
    }

    /// The minor of the control plane.
    fn minor(&mut self) -> KubeMinor {
        let about = self.about();
        let observed = self.seen.cluster.as_ref().map(|cluster| cluster.version);
        let declared = self.snapshot.control_plane.known().map(|placed| placed.value.minor());
        let offered: Vec<KubeMinor> = eks_skew::Calendar::embedded()
            .releases()
            .iter()
            .map(|release| release.minor)
            .filter(|minor| versions::offered(*minor, self.start))
            .collect();
        let oldest = offered.first().copied().unwrap_or(KubeMinor::new(30));
        match observed.or(declared) {
            None => {
                self.assume(about, format!("its version is not known; it is taken to be {oldest}"));
                oldest
            }
            Some(minor) if offered.contains(&minor) => minor,
            Some(minor) => {
                let what = format!(
                    "the tables do not say that EKS offers {minor} on that day; {oldest} stands for it"
                );
                self.assume(about, what);
                oldest
            }
        }
    }

    fn cluster(&mut self) -> ClusterSpec {
        let about = self.about();
        let version = self.minor();
        let seen = self.seen;
        let support = match &seen.cluster {
            Some(cluster) => cluster.support_type.as_ref().and_then(|policy| policy.value().copied()),
            None => self.snapshot.support.known().map(|placed| placed.value),
        };
        if support.is_none() {
            self.assume(&about, "its upgrade policy is not known; it is EXTENDED, as it is by default");
        }
        let upgraded_hours_ago = self.upgraded(&about);
        let described = seen.cluster.as_ref();
        let auto_mode = described.map_or_else(
            || self.snapshot.node_groups.iter().any(|group| group.kind == NodeGroupKind::AutoMode),
            |cluster| cluster.auto_mode.as_ref().is_some_and(|auto| auto.compute),
        );
        if let Some(issue) = described.and_then(|cluster| cluster.health.first()) {
            let script =
                Script::ClusterHealth { cluster: self.snapshot.name.clone(), code: Some(issue.code.clone()) };
            self.at_once(script);
        }
        if described.is_some_and(|cluster| cluster.health.len() > 1) {
            self.assume(&about, "it has several health issues; the first one stands for all");
        }
        let own = |ids: &BTreeSet<String>| {
            let known = |id: &&String| seen.security_groups.iter().any(|group| group.id == **id);
            ids.iter().filter(known).cloned().collect()
        };
        ClusterSpec {
            name: self.snapshot.name.clone(),
            version,
            created_version: None,
            upgraded_hours_ago,
            upgrade_was_forced: false,
            upgrade_policy: match support {
                Some(SupportType::Standard) => UpgradePolicy::Standard,
                Some(SupportType::Extended) | None => UpgradePolicy::Extended,
            },
            subnets: described.map(|cluster| self.known_subnets(&cluster.vpc.subnet_ids)).unwrap_or_default(),
            security_groups: described
                .map(|cluster| own(&cluster.vpc.security_group_ids))
                .unwrap_or_default(),
            auto_mode,
            addons: self.addons(version),
            node_groups: self.node_groups(version),
            fargate_profiles: self.fargate(),
            access_entries: seen
                .access_entries
                .iter()
                .map(|entry| (entry.principal_arn.clone(), entry.kubernetes_groups.clone()))
                .collect(),
            deprecated_apis: self.deprecated(),
            tags: described.map(|cluster| cluster.tags.clone()).unwrap_or_default(),
        }
    }

    /// How many hours ago the last upgrade ended that could be taken back. Updates say when they began.
    fn upgraded(&mut self, about: &str) -> Option<u32> {
        if self.seen.cluster.is_none() {
            self.assume(about, "whether it was upgraded lately is not known; there is no way back");
            return None;
        }
        let last = self
            .seen
            .updates
            .iter()
            .filter(|update| update.status == UpdateStatus::Successful)
            .filter(|update| matches!(update.kind, UpdateType::VersionUpdate | UpdateType::VersionRollback))
            .max_by_key(|update| update.created_at)?;
        if last.kind == UpdateType::VersionRollback {
            return None;
        }
        let ago = self.start.duration_since(last.created_at?).as_hours();
        u32::try_from(ago).ok()
    }

    fn addons(&mut self, version: KubeMinor) -> Vec<AddonSpec> {
        let cluster = self.snapshot.name.clone();
        let seen = self.seen;
        let mut specs = Vec::new();
        for addon in &seen.addons {
            let about = format!("add-on {}", addon.name);
            self.assume(&about, "whether somebody changed fields that EKS manages is not known; nobody did");
            if addon.status != AddonStatus::Active {
                let code =
                    addon.health.first().map_or_else(|| addon.status.to_string(), |one| one.code.clone());
                self.at_once(Script::AddonHealth {
                    cluster: cluster.clone(),
                    addon: addon.name.clone(),
                    code: Some(code),
                });
                if addon.status != AddonStatus::Degraded {
                    self.assume(&about, format!("it is {}; DEGRADED stands for that", addon.status));
                }
            }
            specs.push(AddonSpec {
                name: addon.name.clone(),
                version: Some(addon.version.text().to_owned()),
                configuration_values: addon.configuration_values.clone(),
                service_account_role_arn: addon.service_account_role_arn.clone(),
                changed_by_others: false,
                tags: addon.tags.clone(),
            });
        }
        if seen.cluster.is_some() {
            return specs;
        }
        for addon in &self.snapshot.addons {
            let about = format!("add-on {}", addon.name);
            let pinned = match addon.version.known().map(|placed| &placed.value) {
                Some(eks_model::AddonWish::Pinned(version)) => Some(version.to_string()),
                Some(eks_model::AddonWish::Newest | eks_model::AddonWish::Default) | None => None,
            };
            let offered = crate::aws::eks::addons::default_version(&addon.name, version).is_some();
            if pinned.is_none() && !offered {
                self.assume(about, format!("no version of it for {version} is known; the world has none"));
                continue;
            }
            if pinned.is_none() {
                self.assume(
                    &about,
                    format!("its version is not known; EKS's default for {version} stands for it"),
                );
            }
            self.assume(&about, "how it is, is not known; it is ACTIVE");
            specs.push(AddonSpec {
                name: addon.name.clone(),
                version: pinned,
                configuration_values: None,
                service_account_role_arn: None,
                changed_by_others: false,
                tags: std::collections::BTreeMap::new(),
            });
        }
        specs
    }

    fn fargate(&mut self) -> Vec<FargateSpec> {
        let seen = self.seen;
        let mut specs = Vec::new();
        for profile in &seen.fargate_profiles {
            let Some(selector) = profile.selectors.first() else { continue };
            if profile.selectors.len() > 1 {
                let about = format!("Fargate profile {}", profile.name);
                self.assume(about, "it has several selectors; the first one stands for all");
            }
            specs.push(FargateSpec {
                name: profile.name.clone(),
                namespace: selector.namespace.clone(),
                labels: selector.labels.clone(),
            });
        }
        if seen.cluster.is_none() {
            let snapshot = self.snapshot;
            for group in snapshot.node_groups.iter().filter(|group| group.kind == NodeGroupKind::Fargate) {
                let about = format!("Fargate profile {}", group.name);
                self.assume(about, "which Pods it takes is not known; those of the namespace default");
                specs.push(FargateSpec {
                    name: group.name.clone(),
                    namespace: "default".to_owned(),
                    labels: std::collections::BTreeMap::new(),
                });
            }
        }
        specs
    }

    /// The deprecated APIs that EKS has seen in use, and a word on what else it found.
    fn deprecated(&mut self) -> Vec<DeprecatedUse> {
        let about = self.about();
        let seen = self.seen;
        if seen.cluster.is_none() || (seen.insights.is_empty() && !seen.unread.is_empty()) {
            self.assume(about, "what EKS's insights find is not known; no deprecated API is in use");
            return Vec::new();
        }
        let mut found = Vec::new();
        for insight in &seen.insights {
            let summary = &insight.summary;
            for detail in &insight.deprecations {
                let stop = detail.stop_serving_version.as_ref().and_then(|version| version.value().copied());
                let Some(stop_serving) = stop else {
                    self.assume(
                        &about,
                        format!("when {} ends is not known; it does not count", detail.usage),
                    );
                    continue;
                };
                found.push(DeprecatedUse {
                    usage: detail.usage.clone(),
                    replaced_with: detail.replaced_with.clone(),
                    stop_serving,
                    user_agent: detail.clients.first().map(|client| client.user_agent.clone()),
                });
            }
            let modelled = summary.name.starts_with("Deprecated APIs removed")
                || [
                    "Kubelet version skew",
                    "kube-proxy version skew",
                    "EKS add-on version compatibility",
                    "Cluster health issues",
                ]
                .contains(&summary.name.as_str());
            if !modelled && summary.status != InsightStatus::Passing {
                let what = format!(
                    "insight \"{}\" is {} and is not modelled; it stands in nobody's way",
                    summary.name, summary.status
                );
                self.assume(&about, what);
            }
        }
        found
    }
}
