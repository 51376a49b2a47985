//! Whom a cluster lets in, and by which certificates it is known.

use async_trait::async_trait;
use aws_sdk_eks::types as sdk;
use eks_provider::Result;
use eks_provider::aws::{AccessEntry, AccessEntryReader, CertificateAuthority, CertificateAuthorityReader};

use crate::Aws;
use crate::call::{What, map, set, some, time};

#[async_trait]
impl AccessEntryReader for Aws {
    async fn list_access_entries(&self, cluster: &str) -> Result<Vec<String>> {
        let what = What::new("eks:ListAccessEntries", format!("cluster {cluster}"));
        let call = |token| {
            self.eks.list_access_entries().cluster_name(cluster).max_results(100).set_next_token(token).send()
        };
        let mut arns = self.pages(&what, call, |answer| (answer.access_entries, answer.next_token)).await?;
        arns.sort();
        Ok(arns)
    }

    async fn describe_access_entry(&self, cluster: &str, principal_arn: &str) -> Result<AccessEntry> {
        let target = format!("access entry {principal_arn} of cluster {cluster}");
        let what = What::new("eks:DescribeAccessEntry", target);
        let call =
            || self.eks.describe_access_entry().cluster_name(cluster).principal_arn(principal_arn).send();
        let entry = what.need("accessEntry", self.send(&what, call).await?.access_entry)?;
        Ok(AccessEntry {
            principal_arn: what.text("accessEntry.principalArn", entry.principal_arn)?,
            kind: some(entry.r#type),
            username: some(entry.username),
            kubernetes_groups: set(entry.kubernetes_groups),
            tags: map(entry.tags),
        })
    }
}

#[async_trait]
impl CertificateAuthorityReader for Aws {
    async fn list_certificate_authorities(&self, cluster: &str) -> Result<Vec<String>> {
        let what = What::new("eks:ListCertificateAuthorities", format!("cluster {cluster}"));
        let call = |token| {
            self.eks
                .list_certificate_authorities()
                .cluster_name(cluster)
                .max_results(100)
                .set_next_token(token)
                .send()
        };
        let found =
            self.pages(&what, call, |answer| (answer.certificate_authorities, answer.next_token)).await?;
        let ids = found.into_iter().map(|authority| what.text("certificateAuthorities.id", authority.id));
        let mut ids = ids.collect::<Result<Vec<_>>>()?;
        ids.sort();
        Ok(ids)
    }

    async fn describe_certificate_authority(&self, cluster: &str, id: &str) -> Result<CertificateAuthority> {
        let target = format!("certificate authority {id} of cluster {cluster}");
        let what = What::new("eks:DescribeCertificateAuthority", target);
        let call = || {
            self.eks
                .describe_certificate_authority()
                .cluster_name(cluster)
                .certificate_authority_id(id)
                .send()
        };
        let answer = self.send(&what, call).await?;
        read(&what, what.need("certificateAuthority", answer.certificate_authority)?)
    }
}

fn read(what: &What, authority: sdk::CertificateAuthority) -> Result<CertificateAuthority> {
    let signing = authority.signing_status.as_ref().map(sdk::CertificateAuthoritySigningStatus::as_str);
    let distribution =
        authority.distribution_status.as_ref().map(sdk::CertificateAuthorityDistributionStatus::as_str);
    let validity = authority.validity.as_ref();
    let events = authority.scheduled_events.as_ref();
    Ok(CertificateAuthority {
        id: what.text("certificateAuthority.id", authority.id)?,
        created_at: time(authority.created_at),
        activated_at: time(authority.activated_at),
        signing_status: what.word("certificateAuthority.signingStatus", signing)?,
        distribution_status: what.word("certificateAuthority.distributionStatus", distribution)?,
        not_before: time(validity.and_then(|validity| validity.not_before)),
        not_after: time(validity.and_then(|validity| validity.not_after)),
        first_auto_activation: time(events.and_then(|events| events.first_auto_activation)),
        final_auto_activation: time(events.and_then(|events| events.final_auto_activation)),
        rollback_available: authority.rollback_available,
        data: some(authority.data),
    })
}
