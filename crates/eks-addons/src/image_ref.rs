//! References to container images, taken apart.

/// A reference to a container image: `registry:5000/team/app:v1.2@sha256:…`.
///
/// ```
/// use eks_addons::ImageRef;
/// let image = ImageRef::parse("registry:5000/eks/coredns:v1.11.4-eksbuild.2@sha256:0a1b").unwrap();
/// assert_eq!((image.registry, image.repository), (Some("registry:5000"), "eks/coredns"));
/// assert_eq!((image.tag, image.digest), (Some("v1.11.4-eksbuild.2"), Some("sha256:0a1b")));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ImageRef<'a> {
    /// Host and port, where the reference has one.
    pub registry: Option<&'a str>,
    /// The path in the registry, without tag and digest.
    pub repository: &'a str,
    /// The tag.
    pub tag: Option<&'a str>,
    /// The digest, with its algorithm.
    pub digest: Option<&'a str>,
}

impl<'a> ImageRef<'a> {
    /// Takes a reference apart; `None` for a text that is none (it is empty, or has a blank).
    pub fn parse(text: &'a str) -> Option<Self> {
        let text = text.trim();
        if text.is_empty() || text.contains(char::is_whitespace) {
            return None;
        }
        let (rest, digest) = match text.split_once('@') {
            Some((rest, digest)) => (rest, Some(digest)),
            None => (text, None),
        };
        // A colon before a slash belongs to the registry.
        let (path, tag) = match rest.rsplit_once(':') {
            Some((path, tag)) if !tag.contains('/') => (path, Some(tag)),
            _ => (rest, None),
        };
        let (registry, repository) = match path.split_once('/') {
            Some((first, rest)) if first.contains(['.', ':']) || first == "localhost" => (Some(first), rest),
            _ => (None, path),
        };
        (!repository.is_empty()).then_some(Self { registry, repository, tag, digest })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn references_are_taken_apart_as_registries_read_them() {
        for (text, registry, repository, tag, digest) in [
            ("nginx", None, "nginx", None, None),
            ("nginx:1.29", None, "nginx", Some("1.29"), None),
            ("team/app", None, "team/app", None, None),
            ("registry:5000/app", Some("registry:5000"), "app", None, None),
            ("registry:5000/a/app:v1", Some("registry:5000"), "a/app", Some("v1"), None),
            ("localhost/app:v1", Some("localhost"), "app", Some("v1"), None),
            (
                "quay.io/jetstack/cert-manager-controller@sha256:ab",
                Some("quay.io"),
                "jetstack/cert-manager-controller",
                None,
                Some("sha256:ab"),
            ),
            (
                "602401143452.dkr.ecr.eu-west-1.amazonaws.com/eks/kube-proxy:v1.34.6-minimal-eksbuild.25",
                Some("602401143452.dkr.ecr.eu-west-1.amazonaws.com"),
                "eks/kube-proxy",
                Some("v1.34.6-minimal-eksbuild.25"),
                None,
            ),
            ("a.b/c:v1@sha256:ab", Some("a.b"), "c", Some("v1"), Some("sha256:ab")),
        ] {
            let expected = ImageRef { registry, repository, tag, digest };
            assert_eq!(ImageRef::parse(text), Some(expected), "{text}");
        }
        for text in ["", "  ", "a b", ":v1", "@sha256:ab"] {
            assert_eq!(ImageRef::parse(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_text_panics(text in ".*") {
            let _image = ImageRef::parse(&text);
        }
    }
}
