//! The versions that EKS offers: the calendar of `eks-skew`, on the day of the world.

use async_trait::async_trait;
use eks_model::KubeMinor;
use eks_provider::aws::{ClusterVersion, ClusterVersionQuery, ClusterVersionReader, VersionStatus};
use eks_provider::{Result, Written};
use eks_skew::{Calendar, Release, Support};
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use crate::Sim;

/// The day of a moment, in UTC.
pub(crate) fn day(moment: Timestamp) -> Date {
    TimeZone::UTC.to_datetime(moment).date()
}

/// Where a version is in its life.
pub(crate) fn support(minor: KubeMinor, now: Timestamp) -> Support {
    Calendar::embedded().support(minor, day(now)).unwrap_or(Support::NotYet)
}

/// Whether EKS offers a version.
pub(crate) fn offered(minor: KubeMinor, now: Timestamp) -> bool {
    matches!(support(minor, now), Support::Standard { .. } | Support::Extended { .. })
}

/// Months since EKS released a version: Kubernetes has a patch release about every month.
fn months(minor: KubeMinor, now: Timestamp) -> u64 {
    let released = Calendar::embedded().get(minor).map_or(day(now), |release| release.released);
    u64::try_from((day(now) - released).get_days() / 30).unwrap_or(0)
}

/// The patch release of a minor. Made up: one a month, fourteen at most.
pub(crate) fn patch(minor: KubeMinor, now: Timestamp) -> u64 {
    months(minor, now).min(14)
}

/// The platform version of a minor. Made up: numbers are independent from each other, rise, and start between 1 and 4
/// (<https://docs.aws.amazon.com/eks/latest/userguide/platform-versions.html>).
pub(crate) fn platform(minor: KubeMinor, now: Timestamp) -> String {
    format!("eks.{}", 2 + u64::from(minor.minor() % 3) + months(minor, now))
}

#[async_trait]
impl ClusterVersionReader for Sim {
    async fn describe_cluster_versions(&self, query: &ClusterVersionQuery) -> Result<Vec<ClusterVersion>> {
        self.read("eks:DescribeClusterVersions", "cluster versions", |view| {
            let now = view.now;
            let newest = Calendar::embedded().releases().iter().rfind(|release| offered(release.minor, now));
            let one = |release: &Release| {
                let status = match support(release.minor, now) {
                    Support::NotYet => return None,
                    Support::Standard { .. } => VersionStatus::StandardSupport,
                    Support::Extended { .. } => VersionStatus::ExtendedSupport,
                    Support::Ended => VersionStatus::Unsupported,
                };
                let default = newest.is_some_and(|newest| newest.minor == release.minor);
                let wanted = match &query.versions {
                    Some(versions) => versions.contains(&release.minor),
                    None => query.include_all || status != VersionStatus::Unsupported,
                };
                if !wanted || (query.default_only && !default) {
                    return None;
                }
                let moment = |date: Date| TimeZone::UTC.to_timestamp(date.at(0, 0, 0, 0)).ok();
                Some(ClusterVersion {
                    version: Written::of(release.minor.to_string()),
                    cluster_type: Some("eks".to_owned()),
                    default_platform_version: Some(platform(release.minor, now)),
                    default_version: default,
                    release_date: moment(release.released),
                    end_of_standard_support: moment(release.standard_ends),
                    end_of_extended_support: release.extended_ends.and_then(moment),
                    status,
                    kubernetes_patch_version: Some(format!(
                        "{}.{}",
                        release.minor,
                        patch(release.minor, now)
                    )),
                    control_plane_tiers: ["standard", "tier-xl", "tier-2xl", "tier-4xl", "tier-8xl"]
                        .map(str::to_owned)
                        .to_vec(),
                })
            };
            Ok(Calendar::embedded().releases().iter().filter_map(one).collect())
        })
        .await
    }
}
