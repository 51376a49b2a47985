//! The API server itself: its version, what it serves, what is asked of it, and what the caller may do.

use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

use eks_model::{KubeMinor, ParseVersionError};

use crate::Result;
use crate::calls::provider;
use crate::kube::ResourceType;

/// What `/version` answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ServerVersion {
    /// `v1.34.2-eks-5e0fdde`.
    pub git_version: String,
    /// `1`.
    pub major: String,
    /// `34`, or `34+`.
    pub minor: String,
    /// The minor that it behaves as, where it emulates an older one: `34`.
    pub emulation_minor: Option<String>,
    /// `linux/amd64`.
    pub platform: Option<String>,
}

impl ServerVersion {
    /// The minor that it behaves as.
    ///
    /// ```
    /// # use eks_provider::kube::ServerVersion;
    /// let mut version = ServerVersion {
    ///     git_version: "v1.37.2".to_owned(), major: "1".to_owned(), minor: "37+".to_owned(),
    ///     emulation_minor: None, platform: None,
    /// };
    /// assert_eq!(version.kube_minor()?, eks_model::KubeMinor::new(37));
    /// version.emulation_minor = Some("35".to_owned());
    /// assert_eq!(version.kube_minor()?, eks_model::KubeMinor::new(35));
    /// # Ok::<(), eks_model::ParseVersionError>(())
    /// ```
    pub fn kube_minor(&self) -> std::result::Result<KubeMinor, ParseVersionError> {
        format!("{}.{}", self.major, self.emulation_minor.as_ref().unwrap_or(&self.minor)).parse()
    }
}

/// What the API server serves.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Discovery {
    /// Its resources, without subresources, sorted.
    pub resources: Vec<ApiResource>,
    /// Groups and versions (`metrics.k8s.io/v1beta1`) that somebody else serves who does not answer
    /// now. What they have is not known; it is not nothing.
    pub unavailable: BTreeSet<String>,
}

/// A resource that the API server serves.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ApiResource {
    /// What it is.
    pub resource: ResourceType,
    /// The kind of its objects.
    pub kind: String,
    /// Whether they are in namespaces.
    pub namespaced: bool,
    /// What can be done with them: `list`, `watch`, …
    pub verbs: BTreeSet<String>,
}

/// An API that is deprecated and was asked for since the API server started (the metric
/// `apiserver_requested_deprecated_apis`). It does not say by whom.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DeprecatedApiRequest {
    /// The group; empty for the core group.
    pub group: String,
    /// The version.
    pub version: String,
    /// The resource.
    pub resource: String,
    /// The subresource; empty where there is none.
    pub subresource: String,
    /// The first minor that does not serve it, as the API server says: `1.37`; `None` where that is not
    /// yet decided.
    pub removed_release: Option<String>,
}

/// Something that the caller wants to do.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ResourceAttributes {
    /// `get`, `patch`, `create`, …
    pub verb: String,
    /// The group; empty for the core group.
    pub group: String,
    /// The resource: `nodes`.
    pub resource: String,
    /// The subresource: `eviction`.
    pub subresource: Option<String>,
    /// In this namespace; `None` is all of them, or an object without one.
    pub namespace: Option<String>,
    /// Of this name; `None` is all.
    pub name: Option<String>,
}

/// Whether the caller may do it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AccessDecision {
    /// Whether it may.
    pub allowed: bool,
    /// Why.
    pub reason: Option<String>,
    /// What went wrong while it was decided: then "not allowed" is not certain.
    pub evaluation_error: Option<String>,
}

provider! {
    /// Asks the API server about itself and about the caller.
    #[access(Read)]
    pub trait ServerReader {
        /// Its version.
        #[path("/version")]
        async fn server_version(&self) -> Result<ServerVersion>;

        /// Whether it is ready to answer; why not, is the error.
        #[path("/readyz")]
        async fn readyz(&self) -> Result<()>;

        /// What it serves.
        #[path("/api", "/api/*", "/apis", "/apis/*")]
        async fn discovery(&self) -> Result<Discovery>;

        /// What was asked of it that is deprecated, sorted.
        #[path("/metrics")]
        async fn requested_deprecated_apis(&self) -> Result<Vec<DeprecatedApiRequest>>;

        /// Whether the caller may do something. Changes nothing, although the verb is `create`;
        /// everybody who is known may ask (ClusterRole `system:basic-user`).
        #[rbac(["create"] "authorization.k8s.io" / "selfsubjectaccessreviews")]
        async fn review_self_access(&self, attributes: &ResourceAttributes) -> Result<AccessDecision>;
    }
}
