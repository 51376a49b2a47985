//! The versions that EKS offers.

use async_trait::async_trait;
use aws_sdk_eks::types as sdk;
use eks_provider::aws::{ClusterVersion, ClusterVersionQuery, ClusterVersionReader, VersionStatus};
use eks_provider::{Result, Written};

use crate::Aws;
use crate::call::{What, some, time};

#[async_trait]
impl ClusterVersionReader for Aws {
    async fn describe_cluster_versions(&self, query: &ClusterVersionQuery) -> Result<Vec<ClusterVersion>> {
        let wanted: Option<Vec<String>> =
            query.versions.as_ref().map(|versions| versions.iter().map(ToString::to_string).collect());
        if wanted.as_ref().is_some_and(Vec::is_empty) {
            return Ok(Vec::new());
        }
        let what = What::new("eks:DescribeClusterVersions", format!("region {}", self.region));
        let call = |token| {
            self.eks
                .describe_cluster_versions()
                .set_cluster_versions(wanted.clone())
                .set_include_all(query.include_all.then_some(true))
                .set_default_only(query.default_only.then_some(true))
                .max_results(100)
                .set_next_token(token)
                .send()
        };
        let found = self.pages(&what, call, |answer| (answer.cluster_versions, answer.next_token)).await?;
        let mut versions =
            found.into_iter().map(|version| read(&what, version)).collect::<Result<Vec<_>>>()?;
        versions.sort_by_key(|version| {
            let minor = version.version.value().copied();
            (minor.is_none(), minor, version.version.text().to_owned())
        });
        Ok(versions)
    }
}

fn read(what: &What, version: sdk::ClusterVersionInformation) -> Result<ClusterVersion> {
    // The older field says the same in small letters.
    let status = version
        .version_status
        .map(|status| status.as_str().to_owned())
        .or_else(|| version.status.map(|old| old.as_str().to_ascii_uppercase().replace('-', "_")));
    Ok(ClusterVersion {
        version: Written::of(what.text("clusterVersions.clusterVersion", version.cluster_version)?),
        cluster_type: some(version.cluster_type),
        default_platform_version: some(version.default_platform_version),
        default_version: version.default_version,
        release_date: time(version.release_date),
        end_of_standard_support: time(version.end_of_standard_support_date),
        end_of_extended_support: time(version.end_of_extended_support_date),
        status: what.word::<VersionStatus>("clusterVersions.versionStatus", status.as_deref())?,
        kubernetes_patch_version: some(version.kubernetes_patch_version),
        control_plane_tiers: version
            .control_plane_scaling_tiers
            .into_iter()
            .flatten()
            .filter_map(|tier| some(tier.tier_name))
            .collect(),
    })
}
