//! The tables themselves, and what is answered from them.

use eks_model::KubeMinor;
use proptest::prelude::*;

use super::*;

fn controllers() -> &'static Controllers {
    Controllers::embedded()
}

#[test]
fn the_tables_are_whole() {
    let parsed = Controllers::parse().unwrap();
    for (component, ranges) in &parsed.ranges {
        for range in ranges {
            assert!(
                range.lowest.zip(range.highest).is_none_or(|(low, high)| low <= high),
                "{component} {range:?}"
            );
            assert!(!range.evidence.source.is_empty());
        }
    }
    for name in [
        "cluster-autoscaler",
        "karpenter",
        "aws-load-balancer-controller",
        "metrics-server",
        "external-dns",
        "cert-manager",
        "ingress-nginx",
        "istio",
        "argo-cd",
        "keda",
        "kyverno",
        "velero",
    ] {
        assert!(parsed.ranges.contains_key(name), "{name} has no range");
        let recognised = parsed.images.values().flatten().any(|(_, component)| *component == name);
        assert!(recognised, "{name} is not recognised by an image");
        assert!(
            parsed.charts.values().any(|component| *component == name),
            "{name} is not recognised by a chart"
        );
    }
}

#[test]
fn images_are_recognised_under_any_registry() {
    for (image, expected) in [
        ("registry.k8s.io/autoscaling/cluster-autoscaler:v1.34.1", Some("cluster-autoscaler")),
        ("mirror:5000/a/b/autoscaling/cluster-autoscaler@sha256:00", Some("cluster-autoscaler")),
        ("public.ecr.aws/karpenter/controller:1.6.3", Some("karpenter")),
        ("registry.k8s.io/ingress-nginx/controller:v1.12.1", Some("ingress-nginx")),
        // The same last word in another folder is something else.
        ("example.com/team/controller:v1", None),
        ("controller:v1", None),
        ("quay.io/jetstack/cert-manager-controller:v1.19.1", Some("cert-manager")),
        ("quay.io/jetstack/cert-manager-webhook:v1.19.1", None),
        ("602401143452.dkr.ecr.eu-west-1.amazonaws.com/amazon-k8s-cni:v1.19.0", Some("vpc-cni")),
        ("registry.k8s.io/kubectl:v1.34.1", Some("kubectl")),
        ("docker.io/bitnami/kubectl:1.34", Some("kubectl")),
        ("example.com/kubectl:v1.34.1", None),
        ("nginx:1.29", None),
    ] {
        let parsed = ImageRef::parse(image).unwrap();
        assert_eq!(controllers().by_image(&parsed), expected, "{image}");
    }
}

#[test]
fn ranges_are_compared_by_number() {
    for (component, version, minor, expected) in [
        ("karpenter", "1.5.0", 33, "fits"),
        ("karpenter", "v1.9.2", 33, "fits"),
        ("karpenter", "1.4.0", 33, "not"),
        ("karpenter", "1.14.0", 37, "not"),
        ("cluster-autoscaler", "v1.34.2", 34, "fits"),
        ("cluster-autoscaler", "v1.34.2", 35, "not"),
        ("aws-load-balancer-controller", "v2.4.6", 25, "not"),
        ("aws-load-balancer-controller", "v2.4.7", 25, "fits"),
        ("aws-load-balancer-controller", "v2.13.0", 36, "fits"),
        ("external-dns", "v0.17.0", 33, "not"),
        ("external-dns", "v0.18.0", 33, "fits"),
        ("metrics-server", "v0.8.0", 36, "fits"),
        ("metrics-server", "v0.9.0", 33, "not"),
        ("cert-manager", "v1.19.2", 35, "fits"),
        ("cert-manager", "v1.19.2", 36, "not"),
        ("cert-manager", "v1.99.0", 36, "unknown"),
        ("cert-manager", "latest", 36, "unknown"),
        // A scraped table that ends at 1.35 says nothing of 1.36.
        ("cilium", "1.19.0", 36, "unknown"),
    ] {
        let answer = match controllers().judge(component, version, KubeMinor::new(minor)).unwrap().0 {
            Fit::Compatible(_) => "fits",
            Fit::Incompatible { .. } => "not",
            Fit::Unknown { .. } => "unknown",
        };
        assert_eq!(answer, expected, "{component} {version} on 1.{minor}");
    }
    assert!(controllers().judge("nginx", "1.0", KubeMinor::new(33)).is_none());
}

#[test]
fn charts_bring_versions_where_that_is_known() {
    assert_eq!(controllers().by_chart("karpenter"), Some("karpenter"));
    assert_eq!(controllers().chart_brings("karpenter", "1.6.3").as_deref(), Some("1.6.3"));
    assert_eq!(controllers().chart_brings("karpenter", "latest"), None);
    assert_eq!(controllers().chart_brings("no-such-chart", "1.0.0"), None);
}

proptest! {
    #[test]
    fn any_version_gets_an_answer(version in ".*", minor in 0u16..99) {
        for component in controllers().components() {
            prop_assert!(controllers().judge(component, &version, KubeMinor::new(minor)).is_some());
        }
    }

    #[test]
    fn a_patch_is_in_the_range_of_its_line(minor in 0u64..40, patch in 0u64..40) {
        let version = Numbers(vec![1, minor, patch]);
        prop_assert!(version.cmp_prefix(&Numbers(vec![1, minor])).is_eq());
    }
}
