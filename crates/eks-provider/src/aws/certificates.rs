//! Certificate authorities of a cluster: a rotation under way is a reason to wait.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::Result;
use crate::calls::provider;
use crate::text::words;

words! {
    /// Whether a certificate authority signs.
    pub enum SigningStatus {
        /// It does.
        InUse = "IN_USE",
        /// It will.
        Activating = "ACTIVATING",
        /// It does not.
        NotUsed = "NOT_USED",
    }
}

words! {
    /// Whether everybody knows a certificate authority.
    pub enum DistributionStatus {
        /// It is being made known.
        InProgress = "IN_PROGRESS",
        /// It is known.
        Complete = "COMPLETE",
        /// It could not be made known.
        Failed = "FAILED",
        /// It is being forgotten.
        Deleting = "DELETING",
    }
}

/// A certificate authority of a cluster. There are two at most.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CertificateAuthority {
    /// Its id.
    pub id: String,
    /// When it was made.
    pub created_at: Option<Timestamp>,
    /// When it began to sign.
    pub activated_at: Option<Timestamp>,
    /// Whether it signs.
    pub signing_status: SigningStatus,
    /// Whether everybody knows it.
    pub distribution_status: DistributionStatus,
    /// When its certificate begins to be valid.
    pub not_before: Option<Timestamp>,
    /// When its certificate ends to be valid.
    pub not_after: Option<Timestamp>,
    /// When EKS first tries to make it sign of its own accord.
    pub first_auto_activation: Option<Timestamp>,
    /// When EKS makes it sign in any case.
    pub final_auto_activation: Option<Timestamp>,
    /// Whether one can still go back to the one before.
    pub rollback_available: Option<bool>,
    /// Its certificate: PEM, base64.
    pub data: Option<String>,
}

provider! {
    /// Reads the certificate authorities of a cluster.
    #[access(Read)]
    pub trait CertificateAuthorityReader {
        /// The ids, sorted.
        #[iam("eks:ListCertificateAuthorities")]
        async fn list_certificate_authorities(&self, cluster: &str) -> Result<Vec<String>>;

        /// One of them.
        #[iam("eks:DescribeCertificateAuthority")]
        async fn describe_certificate_authority(
            &self,
            cluster: &str,
            id: &str,
        ) -> Result<CertificateAuthority>;
    }
}
