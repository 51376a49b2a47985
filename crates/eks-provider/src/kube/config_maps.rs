//! ConfigMaps: CoreDNS's Corefile, kube-proxy's configuration, `aws-auth`, and the state of an upgrade.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

use crate::Result;
use crate::calls::provider;
use crate::kube::ObjectMeta;

/// A ConfigMap.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ConfigMap {
    /// What every object has.
    pub meta: ObjectMeta,
    /// What it says, by key. Binary values are left out.
    pub data: BTreeMap<String, String>,
    /// Whether it can no longer be changed.
    pub immutable: bool,
}

provider! {
    /// Reads ConfigMaps.
    #[access(Read)]
    pub trait ConfigMapReader {
        /// One ConfigMap, as it is now.
        #[rbac(["get"] "" / "configmaps")]
        async fn get_config_map(&self, namespace: &str, name: &str) -> Result<ConfigMap>;
    }
}

provider! {
    /// Changes ConfigMaps.
    #[access(Write)]
    pub trait ConfigMapWriter {
        /// Makes one. One that is there already is [`Class::Conflict`](crate::Class::Conflict). Of the
        /// metadata, name, namespace, labels and annotations count.
        #[rbac(["create"] "" / "configmaps")]
        async fn create_config_map(&self, config_map: &ConfigMap) -> Result<ConfigMap>;

        /// Sets these keys, takes away those with `None`, and leaves the others as they are. Only the
        /// state that was read: another uid or resourceVersion is
        /// [`Class::Conflict`](crate::Class::Conflict).
        #[rbac(["patch"] "" / "configmaps")]
        async fn patch_config_map(
            &self,
            read: &ObjectMeta,
            data: &BTreeMap<String, Option<String>>,
        ) -> Result<ConfigMap>;

        /// Deletes it. Only the state that was read.
        #[rbac(["delete"] "" / "configmaps")]
        async fn delete_config_map(&self, read: &ObjectMeta) -> Result<()>;
    }
}
