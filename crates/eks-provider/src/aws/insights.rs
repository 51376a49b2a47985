//! Cluster insights: what EKS itself finds about the readiness for the next minor, or the way back.

use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

use eks_model::KubeMinor;
use jiff::Timestamp;

use crate::calls::provider;
use crate::text::words;
use crate::{Result, Written};

words! {
    /// What an insight is about.
    pub enum InsightCategory {
        /// What stands in the way of the next minors.
        UpgradeReadiness = "UPGRADE_READINESS",
        /// What is set up against advice.
        Misconfiguration = "MISCONFIGURATION",
        /// What stands in the way of going back by a minor.
        RollbackReadiness = "ROLLBACK_READINESS",
    }
}

words! {
    /// What an insight says.
    pub enum InsightStatus {
        /// Nothing found.
        Passing = "PASSING",
        /// Something that will matter later: a minor after the next.
        Warning = "WARNING",
        /// Something that matters now.
        Error = "ERROR",
        /// EKS could not look. Never "fine"; it blocks a rollback as an error does.
        Unknown = "UNKNOWN",
    }
}

words! {
    /// How far a refresh is.
    pub enum InsightsRefreshStatus {
        /// Under way.
        InProgress = "IN_PROGRESS",
        /// It failed; the insights are as old as they were.
        Failed = "FAILED",
        /// Done.
        Completed = "COMPLETED",
    }
}

/// Which insights are asked for. Empty is all.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct InsightQuery {
    /// The cluster.
    pub cluster: String,
    /// Only of these categories.
    pub categories: Vec<InsightCategory>,
    /// Only about these minors.
    pub kubernetes_versions: Vec<KubeMinor>,
    /// Only with these results.
    pub statuses: Vec<InsightStatus>,
}

/// An insight, in short.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct InsightSummary {
    /// Its id.
    pub id: String,
    /// Its name: `Kubelet version skew`.
    pub name: String,
    /// What it is about.
    pub category: InsightCategory,
    /// The minor that it is about.
    pub kubernetes_version: Option<Written<KubeMinor>>,
    /// When EKS last looked.
    pub last_refresh: Option<Timestamp>,
    /// When its status last changed.
    pub last_transition: Option<Timestamp>,
    /// What it checks.
    pub description: String,
    /// What it says.
    pub status: InsightStatus,
    /// Why it says so.
    pub reason: Option<String>,
}

/// An insight with its evidence.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Insight {
    /// What the list says of it.
    pub summary: InsightSummary,
    /// What EKS recommends.
    pub recommendation: Option<String>,
    /// Titles and addresses of pages to read.
    pub additional_info: BTreeMap<String, String>,
    /// What is affected.
    pub resources: Vec<InsightResource>,
    /// APIs in use that are going away.
    pub deprecations: Vec<DeprecationDetail>,
    /// Add-ons by name, with the versions that would fit.
    pub addon_compatibility: BTreeMap<String, Vec<String>>,
}

/// Something that an insight is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct InsightResource {
    /// Its path in the API of Kubernetes.
    pub kubernetes_resource_uri: Option<String>,
    /// Its ARN, where it is of AWS.
    pub arn: Option<String>,
    /// What the insight says of it.
    pub status: Option<InsightStatus>,
    /// Why it says so.
    pub reason: Option<String>,
}

/// An API in use that is going away. EKS looks back thirty days, so it outlives the remedy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DeprecationDetail {
    /// The API: `/apis/flowcontrol.apiserver.k8s.io/v1beta3/flowschemas`.
    pub usage: String,
    /// What replaces it.
    pub replaced_with: Option<String>,
    /// The first minor that does not serve it.
    pub stop_serving_version: Option<Written<KubeMinor>>,
    /// The first minor that serves the replacement.
    pub start_serving_replacement_version: Option<Written<KubeMinor>>,
    /// Who uses it.
    pub clients: Vec<ClientStat>,
}

/// A client that uses an API.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ClientStat {
    /// What it calls itself.
    pub user_agent: String,
    /// How many requests in the last thirty days.
    pub requests_last_30_days: u64,
    /// When it last did.
    pub last_request: Option<Timestamp>,
}

/// The latest refresh of the insights of a cluster.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct InsightsRefresh {
    /// How far it is.
    pub status: InsightsRefreshStatus,
    /// EKS's sentence.
    pub message: Option<String>,
    /// When it started.
    pub started_at: Option<Timestamp>,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
}

impl InsightQuery {
    /// All insights of a cluster in these categories.
    pub fn of(cluster: impl Into<String>, categories: impl Into<BTreeSet<InsightCategory>>) -> Self {
        Self {
            cluster: cluster.into(),
            categories: categories.into().into_iter().collect(),
            ..Self::default()
        }
    }
}

provider! {
    /// Reads cluster insights.
    #[access(Read)]
    pub trait InsightReader {
        /// The insights that are asked for, sorted by category, minor and name.
        #[iam("eks:ListInsights")]
        async fn list_insights(&self, query: &InsightQuery) -> Result<Vec<InsightSummary>>;

        /// One insight with its evidence.
        #[iam("eks:DescribeInsight")]
        async fn describe_insight(&self, cluster: &str, insight_id: &str) -> Result<Insight>;

        /// The latest refresh; [`Class::NotFound`](crate::Class::NotFound) where there was none.
        #[iam("eks:DescribeInsightsRefresh")]
        async fn describe_insights_refresh(&self, cluster: &str) -> Result<InsightsRefresh>;
    }
}

provider! {
    /// Has cluster insights looked at anew. A writer, although it changes no cluster: it costs the
    /// service work and is an action of its own.
    #[access(Write)]
    pub trait InsightRefresher {
        /// Starts a refresh. One under way already is joined by EKS, or is
        /// [`Class::InProgress`](crate::Class::InProgress): either way, wait for its end by
        /// [`InsightReader::describe_insights_refresh`].
        #[iam("eks:StartInsightsRefresh")]
        async fn start_insights_refresh(&self, cluster: &str) -> Result<InsightsRefresh>;
    }
}
