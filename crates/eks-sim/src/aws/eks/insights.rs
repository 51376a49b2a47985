//! Insights: what EKS itself finds about the next minors, and about the way back.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use async_trait::async_trait;
use eks_addons::Matrix;
use eks_model::KubeMinor;
use eks_provider::aws::{
    ClientStat, DeprecationDetail, Insight, InsightCategory, InsightQuery, InsightReader, InsightRefresher,
    InsightResource, InsightStatus, InsightSummary, InsightsRefresh, InsightsRefreshStatus,
};
use eks_provider::{Result, Written};
use eks_skew::ApiServers;
use serde::{Deserialize, Serialize};

use crate::aws::call::refuse;
use crate::aws::eks::{ClusterState, Event, after, named, named_mut};
use crate::hash::fnv;
use crate::{Sim, World};

/// A deprecated API that somebody uses, as EKS sees it in the audit log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DeprecatedUse {
    /// The API: `/apis/flowcontrol.apiserver.k8s.io/v1beta3/flowschemas`.
    pub usage: String,
    /// What replaces it.
    #[serde(default)]
    pub replaced_with: Option<String>,
    /// The first minor that does not serve it: `1.35`.
    pub stop_serving: KubeMinor,
    /// Who uses it.
    #[serde(default)]
    pub user_agent: Option<String>,
}

/// One thing that EKS looks at, and what it found.
struct Found {
    name: String,
    category: InsightCategory,
    version: KubeMinor,
    status: InsightStatus,
    reason: String,
    resources: Vec<String>,
    deprecations: Vec<DeprecationDetail>,
    addons: BTreeMap<String, Vec<String>>,
}

/// Looks at a cluster now: insights for the next minors, and for the way back while there is one.
///
/// An error is about the next minor, a warning about one after it.
/// <https://docs.aws.amazon.com/eks/latest/userguide/cluster-insights.html>. The names are those seen in public reports.
pub(crate) fn look(world: &mut World, name: &str) {
    let now = world.now();
    let Some(cluster) = world.aws.eks.clusters.get(name) else { return };
    let kubelets: BTreeMap<&str, KubeMinor> = world
        .aws
        .ec2
        .instances
        .values()
        .filter(|running| running.is_there() && running.up_since.is_some())
        .filter_map(|running| running.machine.as_ref())
        .filter(|machine| machine.cluster == name)
        .map(|machine| (machine.node_name.as_str(), machine.kubelet.minor()))
        .collect();
    let mut found = Vec::new();
    let current = cluster.cluster.version;
    for version in [current.next(), current.next().next()] {
        if crate::aws::eks::versions::offered(version, now) {
            let serious =
                if version == current.next() { InsightStatus::Error } else { InsightStatus::Warning };
            let category = &InsightCategory::UpgradeReadiness;
            found.push(deprecated(cluster, version, &serious));
            found.extend(common(cluster, &kubelets, category, version, &serious));
        }
    }
    if let (Some(back), Some(_)) = (current.previous(), cluster.upgraded) {
        found.extend(common(
            cluster,
            &kubelets,
            &InsightCategory::RollbackReadiness,
            back,
            &InsightStatus::Error,
        ));
    }
    let overridden = cluster.overridden.clone();
    let before = cluster.insights.clone();
    let mut insights = BTreeMap::new();
    for one in found {
        let status = overridden.get(&one.name).cloned().unwrap_or(one.status);
        let id = id_of(&one.category, one.version, &one.name);
        let same = before.get(&id).filter(|known| known.summary.status == status);
        let summary = InsightSummary {
            id: id.clone(),
            description: format!("Checks: {}", one.name),
            name: one.name,
            category: one.category,
            kubernetes_version: Some(Written::of(one.version.to_string())),
            last_refresh: Some(now),
            last_transition: same.map_or(Some(now), |known| known.summary.last_transition),
            reason: Some(one.reason),
            status: status.clone(),
        };
        let resource = |uri: String| InsightResource {
            kubernetes_resource_uri: Some(uri),
            arn: None,
            status: Some(status.clone()),
            reason: None,
        };
        let insight = Insight {
            summary,
            recommendation: Some("Resolve what is listed, then refresh the insights.".to_owned()),
            additional_info: BTreeMap::from([(
                "EKS cluster insights".to_owned(),
                "https://docs.aws.amazon.com/eks/latest/userguide/cluster-insights.html".to_owned(),
            )]),
            resources: one.resources.into_iter().map(resource).collect(),
            deprecations: one.deprecations,
            addon_compatibility: one.addons,
        };
        insights.insert(id, insight);
    }
    if let Ok(cluster) = named_mut(world, name) {
        cluster.insights = insights;
    }
}

/// The same insight has the same id each time.
fn id_of(category: &InsightCategory, version: KubeMinor, name: &str) -> String {
    let sum = fnv(&format!("{category}/{version}/{name}"));
    format!("{:08x}-0000-4000-8000-{:012x}", sum >> 32, sum & 0xffff_ffff_ffff)
}

fn deprecated(cluster: &ClusterState, version: KubeMinor, serious: &InsightStatus) -> Found {
    let used: Vec<&DeprecatedUse> =
        cluster.deprecated.iter().filter(|one| one.stop_serving == version).collect();
    let detail = |one: &&DeprecatedUse| DeprecationDetail {
        usage: one.usage.clone(),
        replaced_with: one.replaced_with.clone(),
        stop_serving_version: Some(Written::of(one.stop_serving.to_string())),
        start_serving_replacement_version: None,
        clients: one
            .user_agent
            .iter()
            .map(|agent| ClientStat {
                user_agent: agent.clone(),
                requests_last_30_days: 12,
                last_request: None,
            })
            .collect(),
    };
    let status = if used.is_empty() { InsightStatus::Passing } else { serious.clone() };
    Found {
        name: format!("Deprecated APIs removed in Kubernetes v{version}"),
        category: InsightCategory::UpgradeReadiness,
        version,
        reason: match used.len() {
            0 => "No deprecated API usage detected within the last 30 days.".to_owned(),
            count => format!("{count} deprecated APIs were used within the last 30 days."),
        },
        status,
        resources: Vec::new(),
        deprecations: used.iter().map(detail).collect(),
        addons: BTreeMap::new(),
    }
}

/// Kubelet skew, kube-proxy skew, add-ons and health: the same for the way up and the way back.
fn common(
    cluster: &ClusterState,
    kubelets: &BTreeMap<&str, KubeMinor>,
    category: &InsightCategory,
    version: KubeMinor,
    serious: &InsightStatus,
) -> Vec<Found> {
    let servers = ApiServers { oldest: version, newest: version };
    let one = |name: &str, bad: Vec<String>, addons| Found {
        name: name.to_owned(),
        category: category.clone(),
        version,
        status: if bad.is_empty() { InsightStatus::Passing } else { serious.clone() },
        reason: if bad.is_empty() {
            "Nothing was found.".to_owned()
        } else {
            format!("{} found.", bad.len())
        },
        resources: bad,
        deprecations: Vec::new(),
        addons,
    };
    let outside: Vec<String> = kubelets
        .iter()
        .filter(|(_, minor)| !eks_skew::kubelet(**minor, servers).is_within())
        .map(|(node, _)| format!("/api/v1/nodes/{node}"))
        .collect();
    let proxy: Vec<String> = cluster
        .addons
        .get("kube-proxy")
        .and_then(|known| known.addon.version.value().map(eks_model::AddonVersion::line))
        .and_then(|(_, minor)| u16::try_from(minor).ok())
        .filter(|minor| !eks_skew::kube_proxy(KubeMinor::new(*minor), servers).is_within())
        .map(|_| "/apis/apps/v1/namespaces/kube-system/daemonsets/kube-proxy".to_owned())
        .into_iter()
        .collect();
    let mut compatible = BTreeMap::new();
    let mut unfit = Vec::new();
    for (name, known) in &cluster.addons {
        // EKS looks at the add-ons that it manages itself: coredns, kube-proxy, vpc-cni.
        if !["coredns", "kube-proxy", "vpc-cni"].contains(&name.as_str()) {
            continue;
        }
        let fits = known.addon.version.value().is_some_and(|installed| {
            !matches!(
                Matrix::embedded().judge(name, installed, version),
                eks_addons::Fit::Incompatible { .. }
            )
        });
        if !fits {
            let fitting =
                super::addons::offered(name, version).into_iter().map(|entry| entry.version.to_string());
            compatible.insert(name.clone(), fitting.collect());
            unfit.push(known.addon.arn.clone());
        }
    }
    let health: Vec<String> = cluster.cluster.health.iter().map(|issue| issue.code.clone()).collect();
    vec![
        one("Kubelet version skew", outside, BTreeMap::new()),
        one("kube-proxy version skew", proxy, BTreeMap::new()),
        one("EKS add-on version compatibility", unfit, compatible),
        one("Cluster health issues", health, BTreeMap::new()),
    ]
}

/// A refresh ends.
pub(crate) fn refreshed(world: &mut World, name: &str) {
    let now = world.now();
    look(world, name);
    if let Ok(cluster) = named_mut(world, name)
        && let Some(refresh) = &mut cluster.refresh
    {
        refresh.status = InsightsRefreshStatus::Completed;
        refresh.ended_at = Some(now);
        refresh.message = Some("Insights refresh completed".to_owned());
    }
}

/// EKS looks every 24 hours of its own accord.
pub(crate) fn daily(world: &mut World, name: &str) {
    look(world, name);
    after(world, Duration::from_hours(24), Event::Daily(name.to_owned()));
}

#[async_trait]
impl InsightReader for Sim {
    async fn list_insights(&self, query: &InsightQuery) -> Result<Vec<InsightSummary>> {
        self.read("eks:ListInsights", format!("cluster {}", query.cluster), |view| {
            let cluster = named(&view.aws.eks, &query.cluster)?;
            let versions: BTreeSet<String> =
                query.kubernetes_versions.iter().map(KubeMinor::to_string).collect();
            let fits = |summary: &&InsightSummary| {
                let about = summary.kubernetes_version.as_ref().map(Written::text);
                (query.categories.is_empty() || query.categories.contains(&summary.category))
                    && (versions.is_empty() || about.is_some_and(|about| versions.contains(about)))
                    && (query.statuses.is_empty() || query.statuses.contains(&summary.status))
            };
            let mut found: Vec<InsightSummary> =
                cluster.insights.values().map(|insight| &insight.summary).filter(fits).cloned().collect();
            let minor = |summary: &InsightSummary| {
                summary.kubernetes_version.as_ref().and_then(|v| v.value().copied())
            };
            found.sort_by(|a, b| (&a.category, minor(a), &a.name).cmp(&(&b.category, minor(b), &b.name)));
            Ok(found)
        })
        .await
    }

    async fn describe_insight(&self, cluster: &str, insight_id: &str) -> Result<Insight> {
        self.read("eks:DescribeInsight", format!("insight {insight_id} of cluster {cluster}"), |view| {
            match named(&view.aws.eks, cluster)?.insights.get(insight_id) {
                Some(insight) => Ok(insight.clone()),
                None => refuse("ResourceNotFoundException", format!("No insight found for ID: {insight_id}")),
            }
        })
        .await
    }

    async fn describe_insights_refresh(&self, cluster: &str) -> Result<InsightsRefresh> {
        self.read("eks:DescribeInsightsRefresh", format!("cluster {cluster}"), |view| {
            match &named(&view.aws.eks, cluster)?.refresh {
                Some(refresh) => Ok(refresh.clone()),
                None => refuse("ResourceNotFoundException", "No insights refresh found"),
            }
        })
        .await
    }
}

#[async_trait]
impl InsightRefresher for Sim {
    async fn start_insights_refresh(&self, cluster: &str) -> Result<InsightsRefresh> {
        self.write("eks:StartInsightsRefresh", format!("cluster {cluster}"), cluster, |world| {
            let now = world.now();
            let known = named(&world.aws.eks, cluster)?;
            if let Some(refresh) =
                known.refresh.as_ref().filter(|one| one.status == InsightsRefreshStatus::InProgress)
            {
                return Ok(refresh.clone());
            }
            let refresh = InsightsRefresh {
                status: InsightsRefreshStatus::InProgress,
                message: Some("Insights refresh is in progress".to_owned()),
                started_at: Some(now),
                ended_at: None,
            };
            let wait = Duration::from_secs(60 + world.random.below(180));
            named_mut(world, cluster)?.refresh = Some(refresh.clone());
            after(world, wait, Event::Insights(cluster.to_owned()));
            Ok(refresh)
        })
        .await
    }
}
