//! The Kubernetes versions that EKS offers, with their calendar.

use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

use eks_model::KubeMinor;
use jiff::Timestamp;

use crate::calls::provider;
use crate::text::words;
use crate::{Result, Written};

words! {
    /// Whether EKS supports a version.
    pub enum VersionStatus {
        /// No longer.
        Unsupported = "UNSUPPORTED",
        /// In standard support.
        StandardSupport = "STANDARD_SUPPORT",
        /// In extended support, which costs more.
        ExtendedSupport = "EXTENDED_SUPPORT",
    }
}

/// Which versions are asked for. The default asks for all that are supported.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ClusterVersionQuery {
    /// Only these; `None` is all.
    pub versions: Option<BTreeSet<KubeMinor>>,
    /// Those that are no longer supported as well.
    pub include_all: bool,
    /// Only the one that a new cluster gets.
    pub default_only: bool,
}

/// A Kubernetes version that EKS offers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ClusterVersion {
    /// The minor.
    pub version: Written<KubeMinor>,
    /// For which kind of cluster: `eks`.
    pub cluster_type: Option<String>,
    /// The platform version that a new cluster gets: `eks.9`.
    pub default_platform_version: Option<String>,
    /// Whether a new cluster gets this minor.
    pub default_version: bool,
    /// When EKS released it.
    pub release_date: Option<Timestamp>,
    /// When standard support ends.
    pub end_of_standard_support: Option<Timestamp>,
    /// When extended support ends.
    pub end_of_extended_support: Option<Timestamp>,
    /// Whether EKS supports it.
    pub status: VersionStatus,
    /// The patch release of Kubernetes: `1.34.7`.
    pub kubernetes_patch_version: Option<String>,
    /// The sizes that a control plane of this version can have; empty where EKS does not say.
    pub control_plane_tiers: Vec<String>,
}

provider! {
    /// Reads which Kubernetes versions EKS offers. The answer comes in the order of the minors;
    /// what cannot be read is at its end.
    #[access(Read)]
    pub trait ClusterVersionReader {
        /// The versions that are asked for.
        #[iam("eks:DescribeClusterVersions")]
        async fn describe_cluster_versions(&self, query: &ClusterVersionQuery) -> Result<Vec<ClusterVersion>>;
    }
}
