//! Helm releases, as Helm stores them in the cluster.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::calls::provider;
use crate::kube::{ObjectMeta, Page, PageRequest};
use crate::{Result, Sensitive};

/// Where Helm stores its releases.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum HelmStorage {
    /// In Secrets: the default.
    Secret,
    /// In ConfigMaps.
    ConfigMap,
}

/// A revision of a Helm release, as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HelmRelease {
    /// Where it is stored.
    pub storage: HelmStorage,
    /// What the object that stores it has.
    pub meta: ObjectMeta,
    /// The release (label `name`).
    pub release: String,
    /// Its revision (label `version`); `None` where the label is no number.
    pub revision: Option<u64>,
    /// `deployed`, `superseded`, `failed`, `pending-upgrade`, … (label `status`).
    pub status: String,
    /// When it was last changed (label `modifiedAt`).
    pub modified_at: Option<Timestamp>,
    /// What is stored under `release`, as bytes of the object: base64 of gzipped JSON. It holds the
    /// values that were given, and so may hold secrets.
    pub payload: Sensitive,
}

provider! {
    /// Reads Helm releases. Needs to read Secrets, which a cautious operator may deny: then the answer is
    /// an error, and the checker says what it could not see.
    #[access(Read)]
    pub trait HelmReleaseReader {
        /// A page of the releases in this storage that are deployed, failed or pending; superseded and
        /// uninstalled ones are left out. Each can be a megabyte: ask for few at a time.
        #[rbac(
            ["list"] "" / "secrets" if "releases are stored in Secrets",
            ["list"] "" / "configmaps" if "releases are stored in ConfigMaps",
        )]
        async fn list_helm_releases(
            &self,
            storage: HelmStorage,
            page: &PageRequest,
        ) -> Result<Page<HelmRelease>>;
    }
}
