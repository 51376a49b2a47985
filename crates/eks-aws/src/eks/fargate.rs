//! Fargate profiles.

use async_trait::async_trait;
use aws_sdk_eks::types as sdk;
use eks_provider::Result;
use eks_provider::aws::{FargateProfile, FargateReader, FargateSelector};

use crate::Aws;
use crate::call::{What, map, set, some, time};
use crate::eks::issues;

#[async_trait]
impl FargateReader for Aws {
    async fn list_fargate_profiles(&self, cluster: &str) -> Result<Vec<String>> {
        let what = What::new("eks:ListFargateProfiles", format!("cluster {cluster}"));
        let call = |token| {
            self.eks
                .list_fargate_profiles()
                .cluster_name(cluster)
                .max_results(100)
                .set_next_token(token)
                .send()
        };
        let mut names =
            self.pages(&what, call, |answer| (answer.fargate_profile_names, answer.next_token)).await?;
        names.sort();
        Ok(names)
    }

    async fn describe_fargate_profile(&self, cluster: &str, profile: &str) -> Result<FargateProfile> {
        let what = What::new(
            "eks:DescribeFargateProfile",
            format!("Fargate profile {profile} of cluster {cluster}"),
        );
        let call =
            || self.eks.describe_fargate_profile().cluster_name(cluster).fargate_profile_name(profile).send();
        let answer = self.send(&what, call).await?;
        read(&what, what.need("fargateProfile", answer.fargate_profile)?)
    }
}

fn read(what: &What, profile: sdk::FargateProfile) -> Result<FargateProfile> {
    let status = profile.status.as_ref().map(sdk::FargateProfileStatus::as_str);
    Ok(FargateProfile {
        name: what.text("fargateProfile.fargateProfileName", profile.fargate_profile_name)?,
        arn: what.text("fargateProfile.fargateProfileArn", profile.fargate_profile_arn)?,
        cluster: what.text("fargateProfile.clusterName", profile.cluster_name)?,
        status: what.word("fargateProfile.status", status)?,
        created_at: time(profile.created_at),
        pod_execution_role_arn: some(profile.pod_execution_role_arn),
        subnets: set(profile.subnets),
        selectors: profile
            .selectors
            .into_iter()
            .flatten()
            .map(|selector| {
                Ok(FargateSelector {
                    namespace: what.text("fargateProfile.selectors.namespace", selector.namespace)?,
                    labels: map(selector.labels),
                })
            })
            .collect::<Result<_>>()?,
        health: issues!(profile.health),
        tags: map(profile.tags),
    })
}
