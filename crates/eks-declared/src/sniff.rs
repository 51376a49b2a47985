//! Whether a file is worth keeping for [`Tree`](crate::Tree), asked while it is read for other reasons: cheap, and never
//! a false no.

use std::sync::LazyLock;

use eks_addons::{Controllers, ImageRef};
use memchr::memmem::Finder;

use crate::{kubernetes, terraform, tree};

/// What an object may say to this crate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Interest {
    /// Nothing.
    None,
    /// It declares clusters, nodes, add-ons or charts.
    Declares,
    /// It runs images, which [`has_known_image`] looks at.
    RunsImages,
}

/// What an object of this API may say.
///
/// ```
/// use eks_declared::{Interest, interest};
/// assert_eq!(interest("eksctl.io/v1alpha5", "ClusterConfig"), Interest::Declares);
/// assert_eq!(interest("apps/v1", "Deployment"), Interest::RunsImages);
/// assert_eq!(interest("v1", "ConfigMap"), Interest::None);
/// ```
pub fn interest(api_version: &str, kind: &str) -> Interest {
    let group = api_version.split_once('/').map_or("", |(group, _)| group);
    if kubernetes::concerns(group, kind) {
        Interest::Declares
    } else if tree::is_workload(kind) {
        Interest::RunsImages
    } else {
        Interest::None
    }
}

/// Whether a text names an image of a known controller.
pub fn has_known_image(text: &[u8]) -> bool {
    static IMAGE: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new("image"));
    IMAGE.find_iter(text).any(|at| {
        let rest = text.get(at + "image".len()..).unwrap_or_default();
        let rest = rest.strip_prefix(b"\"").or_else(|| rest.strip_prefix(b"'")).unwrap_or(rest);
        let Some(value) = rest.strip_prefix(b":") else { return false };
        let line = value.get(..memchr::memchr(b'\n', value).unwrap_or(value.len())).unwrap_or_default();
        let line = line.get(..LONGEST_IMAGE).unwrap_or(line);
        let Ok(line) = std::str::from_utf8(line) else { return true };
        let word = line.trim_start_matches([' ', '\t', '"', '\'']);
        // Anchors, aliases, block scalars and line breaks in JSON: the reader looks at them.
        if word.is_empty() || word.starts_with(['&', '*', '|', '>', '!']) {
            return true;
        }
        let word = word.split([' ', '"', '\'', ',', '}', '\t', '\r']).next().unwrap_or(word);
        ImageRef::parse(word).is_some_and(|image| Controllers::embedded().by_image(&image).is_some())
    })
}

/// No reference to an image is longer.
const LONGEST_IMAGE: usize = 600;

/// Whether a text without Kubernetes objects may be a CloudFormation template or what `terraform show -json`
/// prints, with something of EKS in it.
pub fn may_declare(text: &[u8]) -> bool {
    static MARKS: LazyLock<[Finder<'static>; 7]> = LazyLock::new(|| {
        [
            "AWS::EKS::",
            "AWSQS::EKS::",
            "Custom::AWSCDK-EKS-",
            "AWS::AutoScaling::AutoScalingGroup",
            "\"aws_eks_",
            "\"aws_autoscaling_group\"",
            "\"helm_release\"",
        ]
        .map(Finder::new)
    });
    MARKS.iter().any(|mark| mark.find(text).is_some())
}

/// Whether a text without Kubernetes objects may hold values that a configuration of Terraform reads from it with
/// `yamldecode(file(…))`: it is small, and names EKS or Kubernetes, and a version. One that is not kept is said where it is asked for.
///
/// ```
/// use eks_declared::may_hold_values;
/// assert!(may_hold_values(b"production:\n  eks_cluster_version: '1.34'\n"));
/// assert!(!may_hold_values(b"image: nginx\nversion: 1\n"));
/// ```
pub fn may_hold_values(text: &[u8]) -> bool {
    static MARKS: LazyLock<[Finder<'static>; 3]> =
        LazyLock::new(|| ["version", "eks", "kubernetes"].map(Finder::new));
    let [version, names @ ..] = &*MARKS;
    text.len() <= LARGEST_VALUES
        && version.find(text).is_some()
        && names.iter().any(|name| name.find(text).is_some())
}

/// The largest file of values that is kept.
const LARGEST_VALUES: usize = 64 << 10;

/// Whether one document of a text that is kept has to be parsed: most files that are kept for one document have many.
pub(crate) fn may_matter(document: &str) -> bool {
    static API: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new("apiVersion"));
    static ESCAPES: LazyLock<[Finder<'static>; 2]> = LazyLock::new(|| ["\\u", "\\x"].map(Finder::new));
    let text = document.as_bytes();
    API.find_iter(text).any(|at| {
        let rest = document.get(at + "apiVersion".len()..).unwrap_or_default();
        let rest = rest.strip_prefix(['"', '\'']).unwrap_or(rest).trim_start_matches([' ', '\t']);
        let Some(value) = rest.strip_prefix(':') else { return false };
        let value = value.trim_start();
        // Anchors, aliases, block scalars, tags and comments: the reader looks at them.
        if value.starts_with(['&', '*', '|', '>', '!', '#']) {
            return true;
        }
        let value = value.trim_start_matches(['"', '\'']);
        let word = value.split([' ', '"', '\'', ',', '}', '\t', '\r', '\n']).next().unwrap_or(value);
        word.contains('\\')
            || word.split_once('/').is_some_and(|(group, _)| kubernetes::concerns_group(group))
    }) || has_known_image(text)
        || may_declare(text)
        || ESCAPES.iter().any(|escape| escape.find(text).is_some())
}

/// Whether a text that nothing was found in reads like a configuration of Terraform: those are known by their names.
///
/// ```
/// use eks_declared::reads_like_terraform;
/// assert!(reads_like_terraform(b"variable \"v\" {}\n\nmodule \"eks\" {\n  source = \"terraform-aws-modules/eks/aws\"\n}\n"));
/// assert!(!reads_like_terraform(b"text: |\n  module \"eks\" {}\n"));
/// ```
pub fn reads_like_terraform(text: &[u8]) -> bool {
    static MARKS: LazyLock<[Finder<'static>; 2]> =
        LazyLock::new(|| ["resource \"", "module \""].map(Finder::new));
    MARKS.iter().any(|mark| {
        mark.find_iter(text).any(|at| {
            let starts = at.checked_sub(1).is_none_or(|before| text.get(before) == Some(&b'\n'));
            let line = text.get(at..).unwrap_or_default().split(|&b| b == b'\n').next().unwrap_or_default();
            starts && line.trim_ascii_end().ends_with(b"{")
        })
    })
}

/// What a file is to this crate, by its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Name {
    /// Terraform: always wanted.
    Terraform,
    /// A CloudFormation template by its suffix: wanted if [`may_declare`].
    Template,
    /// A Helm chart or a kustomization: wanted though it may hold no object.
    Chart,
}

/// What a file of this name is; `None` when its content has to tell.
///
/// ```
/// use eks_declared::{Name, by_name};
/// assert_eq!(by_name("main.tf"), Some(Name::Terraform));
/// assert_eq!(by_name("deployment.yaml"), None);
/// ```
pub fn by_name(name: &str) -> Option<Name> {
    if terraform::is_terraform(name) {
        Some(Name::Terraform)
    } else if name.ends_with(".template") {
        Some(Name::Template)
    } else if name.eq_ignore_ascii_case("Chart.yaml")
        || matches!(name, "kustomization.yaml" | "kustomization.yml" | "Kustomization")
    {
        Some(Name::Chart)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documents_that_may_matter_are_told_from_the_others() {
        for text in [
            "apiVersion: eksctl.io/v1alpha5\nkind: ClusterConfig\n",
            "kind: ClusterConfig\napiVersion:\n  eksctl.io/v1alpha5\n",
            "{\"kind\": \"NodePool\", \"apiVersion\" : \"karpenter.k8s.aws/v1\"}",
            "apiVersion: &v karpenter.k8s.aws/v1\n",
            "apiVersion: # of eksctl\n  eksctl.io/v1alpha5\n",
            "apiVersion: v1\nkind: List\nitems:\n- apiVersion: eksctl.io/v1alpha5\n",
            "\"apiVersion\": \"\\u0065ksctl.io/v1alpha5\"\n",
            "Resources: {C: {Type: AWS::EKS::Cluster}}\n",
            "apiVersion: v1\nkind: Pod\nspec: {containers: [{image: registry.k8s.io/kube-proxy:v1.33.0}]}\n",
        ] {
            assert!(may_matter(text), "{text}");
        }
        for text in [
            "",
            "apiVersion: v1\nkind: ConfigMap\ndata: {image: nginx}\n",
            "apiVersion: apps/v1\nkind: Deployment\nspec: {image: nginx:1.29}\n",
            "properties:\n  apiVersion:\n    description: the apiVersion of eksctl.io\n    type: string\n",
        ] {
            assert!(!may_matter(text), "{text}");
        }
    }

    #[test]
    fn known_images_are_seen_in_every_spelling() {
        for text in [
            "image: registry.k8s.io/autoscaling/cluster-autoscaler:v1.34.1\n",
            "- image:   \"quay.io/jetstack/cert-manager-controller:v1.19.1\" # comment\n",
            "image: 'public.ecr.aws/karpenter/controller:1.6.3@sha256:00'",
            "{\"image\":\"registry.k8s.io/ingress-nginx/controller:v1.12.1\",\"name\":\"x\"}",
            "image: *anchor\n",
            "image: >-\n  quay.io/jetstack/cert-manager-controller:v1.19.1\n",
        ] {
            assert!(has_known_image(text.as_bytes()), "{text}");
        }
        for text in [
            "",
            "image: nginx:1.29\n",
            "images: []\n",
            "the image of cluster-autoscaler",
            "imagePullPolicy: Always",
        ] {
            assert!(!has_known_image(text.as_bytes()), "{text}");
        }
    }
}
