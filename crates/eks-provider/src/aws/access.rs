//! Who is calling, what it may do, and whom the cluster lets in.

use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

use crate::Result;
use crate::calls::provider;

/// Who is calling.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CallerIdentity {
    /// The account: twelve digits.
    pub account: String,
    /// The ARN of the user or of the session of a role.
    pub arn: String,
    /// Its unique id.
    pub user_id: String,
}

impl CallerIdentity {
    /// The name of the role whose session is calling; `None` for a user. The ARN of a session leaves
    /// the path of its role out: [`KeyReader::get_role`](crate::aws::KeyReader::get_role) has it.
    ///
    /// ```
    /// # use eks_provider::aws::CallerIdentity;
    /// let caller = |arn: &str| CallerIdentity {
    ///     account: "111122223333".to_owned(), arn: arn.to_owned(), user_id: "AROA1:ada".to_owned(),
    /// };
    /// let session = caller("arn:aws:sts::111122223333:assumed-role/upgrader/ada");
    /// assert_eq!(session.role_name(), Some("upgrader"));
    /// assert_eq!(caller("arn:aws:iam::111122223333:user/ada").role_name(), None);
    /// ```
    pub fn role_name(&self) -> Option<&str> {
        self.arn.split_once(":assumed-role/")?.1.split('/').next()
    }
}

/// An access entry: an identity of AWS that the cluster lets in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AccessEntry {
    /// The ARN of the user or role.
    pub principal_arn: String,
    /// `STANDARD`, `EC2_LINUX`, `EC2_WINDOWS`, `EC2`, `FARGATE_LINUX`, `HYBRID_LINUX`, …
    pub kind: Option<String>,
    /// Its name in Kubernetes.
    pub username: Option<String>,
    /// Its groups in Kubernetes.
    pub kubernetes_groups: BTreeSet<String>,
    /// Its tags.
    pub tags: BTreeMap<String, String>,
}

provider! {
    /// Says who is calling and what it may do.
    #[access(Read)]
    pub trait IdentityReader {
        /// Who is calling. No policy can deny it.
        #[iam("sts:GetCallerIdentity")]
        async fn get_caller_identity(&self) -> Result<CallerIdentity>;

        /// Which of these actions the policies of a user or role do not allow on a resource
        /// (`*` is any). What a service control policy or a condition would say is not always
        /// known: a name that is missing here is likely allowed, not certainly.
        #[iam("iam:SimulatePrincipalPolicy")]
        async fn simulate_principal_policy(
            &self,
            principal_arn: &str,
            actions: &[String],
            resource_arn: &str,
        ) -> Result<BTreeSet<String>>;
    }
}

provider! {
    /// Reads whom a cluster lets in.
    #[access(Read)]
    pub trait AccessEntryReader {
        /// The ARNs of all that have an access entry, sorted.
        #[iam("eks:ListAccessEntries")]
        async fn list_access_entries(&self, cluster: &str) -> Result<Vec<String>>;

        /// One access entry.
        #[iam("eks:DescribeAccessEntry")]
        async fn describe_access_entry(&self, cluster: &str, principal_arn: &str) -> Result<AccessEntry>;
    }
}
