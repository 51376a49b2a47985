//! Objects of any kind: their metadata alone (who wrote them, in which version of the API), or all of
//! them as text for who looks for fields.

use serde::{Deserialize, Serialize};
use std::fmt;

use jiff::Timestamp;

use crate::calls::provider;
use crate::kube::{ObjectMeta, Page, PageRequest};
use crate::{Result, Sensitive};

/// A resource of a version of a group.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ResourceType {
    /// The group; empty for the core group.
    pub group: String,
    /// The version.
    pub version: String,
    /// The resource, as it stands in paths: `ingresses`.
    pub plural: String,
}

/// As people write it: `ingresses.networking.k8s.io/v1`, `pods/v1`.
impl fmt::Display for ResourceType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let dot = if self.group.is_empty() { "" } else { "." };
        write!(f, "{}{dot}{}/{}", self.plural, self.group, self.version)
    }
}

/// An object without its content.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ObjectMetadata {
    /// What every object has. What was last applied is among the annotations
    /// (`kubectl.kubernetes.io/last-applied-configuration`).
    pub meta: ObjectMeta,
    /// Who wrote it.
    pub managed_fields: Vec<ManagedFields>,
}

/// Somebody who wrote an object.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ManagedFields {
    /// What it calls itself: `helm`, `kubectl-client-side-apply`.
    pub manager: String,
    /// `Apply` or `Update`.
    pub operation: String,
    /// The version of the API that it wrote in: `policy/v1beta1`.
    pub api_version: String,
    /// When.
    pub time: Option<Timestamp>,
    /// What part of it: `status`, `scale`.
    pub subresource: Option<String>,
}

/// An object as the API server wrote it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RawObject {
    /// Its namespace; `None` for what is of the whole cluster.
    pub namespace: Option<String>,
    /// Its name.
    pub name: String,
    /// Its uid.
    pub uid: String,
    /// All of it, JSON, without `managedFields`.
    pub json: Sensitive,
}

provider! {
    /// Reads objects of any kind as text.
    #[access(Read)]
    pub trait ObjectReader {
        /// A page of all objects of a resource; `None` where the API server does not serve it. Not for
        /// Secrets: nobody who looks for fields has to see them, and the adapter refuses
        /// ([`Class::Invalid`](crate::Class::Invalid)).
        #[rbac(["list"] "*" / "*")]
        async fn list_objects(
            &self,
            resource: &ResourceType,
            page: &PageRequest,
        ) -> Result<Option<Page<RawObject>>>;
    }
}

provider! {
    /// Reads metadata of objects of any kind.
    #[access(Read)]
    pub trait MetadataReader {
        /// A page of the metadata of all objects of a resource; `None` where the API server does not
        /// serve it.
        #[rbac(["list"] "*" / "*")]
        async fn list_metadata(
            &self,
            resource: &ResourceType,
            page: &PageRequest,
        ) -> Result<Option<Page<ObjectMetadata>>>;
    }
}

#[cfg(test)]
mod tests {
    use super::ResourceType;

    #[test]
    fn resources_are_written_as_kubectl_writes_them() {
        for (group, plural, expected) in
            [("networking.k8s.io", "ingresses", "ingresses.networking.k8s.io/v1"), ("", "pods", "pods/v1")]
        {
            let resource =
                ResourceType { group: group.to_owned(), version: "v1".to_owned(), plural: plural.to_owned() };
            assert_eq!(resource.to_string(), expected);
        }
    }
}
