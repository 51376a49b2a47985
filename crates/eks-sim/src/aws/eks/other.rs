//! Fargate profiles, access entries, certificate authorities, tags.

use std::collections::BTreeMap;

use async_trait::async_trait;
use eks_provider::Result;
use eks_provider::aws::{
    AccessEntry, AccessEntryReader, CertificateAuthority, CertificateAuthorityReader, EksTagWriter,
    FargateProfile, FargateReader,
};

use crate::aws::call::{Answer, refuse};
use crate::aws::eks::named;
use crate::{Sim, World};

#[async_trait]
impl FargateReader for Sim {
    async fn list_fargate_profiles(&self, cluster: &str) -> Result<Vec<String>> {
        self.read("eks:ListFargateProfiles", format!("cluster {cluster}"), |view| {
            Ok(named(&view.aws.eks, cluster)?.fargate.keys().cloned().collect())
        })
        .await
    }

    async fn describe_fargate_profile(&self, cluster: &str, profile: &str) -> Result<FargateProfile> {
        let target = format!("fargate profile {profile} of cluster {cluster}");
        self.read("eks:DescribeFargateProfile", target, |view| {
            match named(&view.aws.eks, cluster)?.fargate.get(profile) {
                Some(profile) => Ok(profile.clone()),
                None => refuse(
                    "ResourceNotFoundException",
                    format!("No Fargate Profile found with name: {profile}."),
                ),
            }
        })
        .await
    }
}

#[async_trait]
impl AccessEntryReader for Sim {
    async fn list_access_entries(&self, cluster: &str) -> Result<Vec<String>> {
        self.read("eks:ListAccessEntries", format!("cluster {cluster}"), |view| {
            Ok(named(&view.aws.eks, cluster)?.access_entries.keys().cloned().collect())
        })
        .await
    }

    async fn describe_access_entry(&self, cluster: &str, principal_arn: &str) -> Result<AccessEntry> {
        let target = format!("access entry {principal_arn} of cluster {cluster}");
        self.read("eks:DescribeAccessEntry", target, |view| {
            match named(&view.aws.eks, cluster)?.access_entries.get(principal_arn) {
                Some(entry) => Ok(entry.clone()),
                None => refuse(
                    "ResourceNotFoundException",
                    format!("The specified principalArn could not be found: {principal_arn}"),
                ),
            }
        })
        .await
    }
}

#[async_trait]
impl CertificateAuthorityReader for Sim {
    async fn list_certificate_authorities(&self, cluster: &str) -> Result<Vec<String>> {
        self.read("eks:ListCertificateAuthorities", format!("cluster {cluster}"), |view| {
            Ok(named(&view.aws.eks, cluster)?.authorities.keys().cloned().collect())
        })
        .await
    }

    async fn describe_certificate_authority(&self, cluster: &str, id: &str) -> Result<CertificateAuthority> {
        let target = format!("certificate authority {id} of cluster {cluster}");
        self.read("eks:DescribeCertificateAuthority", target, |view| {
            match named(&view.aws.eks, cluster)?.authorities.get(id) {
                Some(authority) => Ok(authority.clone()),
                None => refuse("ResourceNotFoundException", format!("No certificate authority found: {id}")),
            }
        })
        .await
    }
}

/// The tags of what has this ARN.
fn tags_of<'w>(world: &'w mut World, arn: &str) -> Answer<&'w mut BTreeMap<String, String>> {
    for cluster in world.aws.eks.clusters.values_mut() {
        if cluster.cluster.arn == arn {
            return Ok(&mut cluster.cluster.tags);
        }
        if let Some(known) = cluster.nodegroups.values_mut().find(|known| known.nodegroup.arn == arn) {
            return Ok(&mut known.nodegroup.tags);
        }
        if let Some(known) = cluster.addons.values_mut().find(|known| known.addon.arn == arn) {
            return Ok(&mut known.addon.tags);
        }
        if let Some(profile) = cluster.fargate.values_mut().find(|profile| profile.arn == arn) {
            return Ok(&mut profile.tags);
        }
    }
    // TagResource has its own names for its errors (botocore 1.44.5): NotFoundException, BadRequestException.
    refuse("NotFoundException", format!("Resource {arn} was not found"))
}

#[async_trait]
impl EksTagWriter for Sim {
    async fn tag_resource(&self, arn: &str, tags: &BTreeMap<String, String>) -> Result<()> {
        self.write("eks:TagResource", arn, tags, |world| {
            let known = tags_of(world, arn)?;
            for (key, value) in tags {
                let long = key.chars().count() > 128 || value.chars().count() > 256;
                if long || key.is_empty() || key.starts_with("aws:") {
                    return refuse("BadRequestException", format!("tag '{key}' is not allowed"));
                }
            }
            // 50 tags: <https://docs.aws.amazon.com/eks/latest/userguide/eks-using-tags.html>
            if known.len() + tags.keys().filter(|key| !known.contains_key(*key)).count() > 50 {
                return refuse("BadRequestException", "a resource has 50 tags at most");
            }
            known.extend(tags.clone());
            Ok(())
        })
        .await
    }

    async fn untag_resource(&self, arn: &str, keys: &[String]) -> Result<()> {
        self.write("eks:UntagResource", arn, keys, |world| {
            tags_of(world, arn)?.retain(|key, _| !keys.contains(key));
            Ok(())
        })
        .await
    }
}
