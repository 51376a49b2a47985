//! Which resource is meant, and the path that it is at.

use std::borrow::Cow;

use eks_provider::kube::ResourceType;

/// A resource of a version of a group.
#[derive(Debug, Clone)]
pub(crate) struct Resource {
    group: Cow<'static, str>,
    version: Cow<'static, str>,
    plural: Cow<'static, str>,
}

impl Resource {
    /// One that is known here.
    pub(crate) const fn of(group: &'static str, version: &'static str, plural: &'static str) -> Self {
        Self { group: Cow::Borrowed(group), version: Cow::Borrowed(version), plural: Cow::Borrowed(plural) }
    }

    /// The word of roles: `pods`.
    pub(crate) fn plural(&self) -> &str {
        &self.plural
    }

    /// A call as its permission is named: `list pods`.
    pub(crate) fn permission(&self, verb: &str) -> String {
        format!("{verb} {}", self.plural)
    }

    /// Where its version of its group is.
    pub(crate) fn root(&self) -> String {
        if self.group.is_empty() {
            format!("/api/{}", encode(&self.version))
        } else {
            format!("/apis/{}/{}", encode(&self.group), encode(&self.version))
        }
    }

    /// Where all of them are, of one namespace or of the whole cluster.
    pub(crate) fn path(&self, namespace: Option<&str>) -> String {
        let mut path = self.root();
        if let Some(namespace) = namespace {
            path.push_str("/namespaces/");
            path.push_str(&encode(namespace));
        }
        path.push('/');
        path.push_str(&encode(&self.plural));
        path
    }

    /// Where one of them is.
    pub(crate) fn object(&self, namespace: Option<&str>, name: &str) -> String {
        format!("{}/{}", self.path(namespace), encode(name))
    }
}

impl From<&ResourceType> for Resource {
    fn from(resource: &ResourceType) -> Self {
        Self {
            group: Cow::Owned(resource.group.clone()),
            version: Cow::Owned(resource.version.clone()),
            plural: Cow::Owned(resource.plural.clone()),
        }
    }
}

/// A text as part of a path or a query: nothing that is handed in can be taken for a piece of the address.
pub(crate) fn encode(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
                encoded.push(char::from(byte));
            }
            other => encoded.push_str(&format!("%{other:02X}")),
        }
    }
    encoded
}

/// Query parameters behind a path.
pub(crate) fn with_query(path: &str, parameters: &[(&str, &str)]) -> String {
    let mut address = path.to_owned();
    for (index, (key, value)) in parameters.iter().enumerate() {
        address.push(if index == 0 { '?' } else { '&' });
        address.push_str(key);
        address.push('=');
        address.push_str(&encode(value));
    }
    address
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_those_of_the_api() {
        let pods = Resource::of("", "v1", "pods");
        assert_eq!(pods.path(None), "/api/v1/pods");
        assert_eq!(pods.object(Some("shop"), "web-1"), "/api/v1/namespaces/shop/pods/web-1");
        let leases = Resource::of("coordination.k8s.io", "v1", "leases");
        assert_eq!(
            leases.path(Some("kube-system")),
            "/apis/coordination.k8s.io/v1/namespaces/kube-system/leases"
        );
        assert_eq!(leases.permission("list"), "list leases");
    }

    #[test]
    fn a_name_cannot_leave_its_place_in_the_path() {
        let nodes = Resource::of("", "v1", "nodes");
        assert_eq!(nodes.object(None, "../pods?x=1"), "/api/v1/nodes/..%2Fpods%3Fx%3D1");
        assert_eq!(
            with_query("/a", &[("labelSelector", "a in (b,ü)"), ("limit", "5")]),
            "/a?labelSelector=a%20in%20%28b%2C%C3%BC%29&limit=5"
        );
    }
}
