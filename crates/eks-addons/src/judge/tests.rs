//! For each rule a table of cases, now and after each hop.

use eks_model::{ClusterSnapshot, KubeMinor, Place};

use super::*;

fn at(line: u32) -> Place {
    Place { file: "c.yaml".to_owned(), line, column: 3, width: 4, document: 0 }
}

fn window(from: u16, to: u16) -> Window {
    Window::new(KubeMinor::new(from), KubeMinor::new(to)).unwrap()
}

fn cluster(minor: u16, addons: &[(&str, &str)]) -> ClusterSnapshot {
    let addon = |(name, version): &(&str, &str)| Addon {
        name: (*name).to_owned(),
        declared_as: "addons",
        at: at(4),
        version: match *version {
            "" => Observed::Absent,
            "latest" => Observed::Known(Placed { value: AddonWish::Newest, at: at(5) }),
            "default" => Observed::Known(Placed { value: AddonWish::Default, at: at(5) }),
            version => {
                Observed::Known(Placed { value: AddonWish::Pinned(version.parse().unwrap()), at: at(5) })
            }
        },
    };
    ClusterSnapshot {
        id: "shop".to_owned(),
        name: "shop".to_owned(),
        declared_as: "ClusterConfig",
        at: at(1),
        declared_elsewhere: false,
        control_plane: Observed::Known(Placed { value: format!("1.{minor}").parse().unwrap(), at: at(2) }),
        support: Observed::Absent,
        node_groups: Vec::new(),
        addons: addons.iter().map(addon).collect(),
    }
}

fn shown(finding: &Finding) -> String {
    let hop = finding.hop.map_or_else(String::new, |hop| format!("@{}", hop.minor()));
    format!("{}{hop} {}", finding.id, finding.severity.as_str())
}

#[test]
fn managed_addons_are_judged_now_and_after_each_hop() {
    for (minor, to, addon, version, expected) in [
        (28, 29, "coredns", "v1.10.1-eksbuild.7", ""),
        (26, 28, "coredns", "v1.8.7-eksbuild.1", "ADDON001@27 block"),
        (25, 26, "vpc-cni", "v1.11.4-eksbuild.1", "ADDON001@26 block"),
        (26, 26, "vpc-cni", "v1.11.4-eksbuild.1", "ADDON001 block"),
        (27, 28, "accuknox_kubearmor", "v0.10.2-eksbuild.1", "ADDON002@28 block"),
        (27, 28, "accuknox_kubearmor", "latest", "ADDON002@28 block"),
        (28, 29, "coredns", "default", ""),
        // A community add-on: its project says what EKS's list here does not.
        (34, 35, "metrics-server", "v0.8.0-eksbuild.77", ""),
        (36, 37, "coredns", "v1.14.7-eksbuild.11", "ADDON003@37 unknown"),
        (36, 37, "coredns", "v1.99.0-eksbuild.1", "ADDON003 unknown"),
        (36, 37, "coredns", "", "ADDON009 warn"),
        // The skew policy speaks of kube-proxy.
        (36, 37, "kube-proxy", "v1.30.0-eksbuild.1", ""),
        (35, 36, "kube-proxy", "v1.35.3-eksbuild.29", ""),
    ] {
        let cluster = cluster(minor, &[(addon, version)]);
        let findings = judge(&cluster, Matrix::embedded(), window(minor, to));
        assert_eq!(
            findings.iter().map(shown).collect::<Vec<_>>().join(", "),
            expected,
            "{addon} {version} {minor} to {to}"
        );
    }
}

#[test]
fn a_remedy_names_the_smallest_step_and_the_steps_where_one_minor_is_demanded() {
    let found = judge(&cluster(25, &[("vpc-cni", "v1.10.4-eksbuild.1")]), Matrix::embedded(), window(25, 26));
    let [finding] = found.as_slice() else { panic!("{found:?}") };
    assert!(finding.remedy.contains("one minor at a time: v1.11"), "{}", finding.remedy);
    assert!(finding.remedy.contains("before the hop 1.25 → 1.26"), "{}", finding.remedy);
    assert_eq!((finding.line, finding.name.as_deref()), (5, Some("vpc-cni")));
}

#[test]
fn controllers_are_judged_now_and_after_each_hop() {
    let controller = |component: &str, sign: Sign, chart: Option<&str>, version: &str| Controller {
        component: component.to_owned(),
        sign,
        declared_as: "Deployment".to_owned(),
        name: Some("x".to_owned()),
        namespace: Some("kube-system".to_owned()),
        at: at(4),
        chart: chart.map(str::to_owned),
        version: match version {
            "" => Observed::Absent,
            version => Observed::Known(Placed { value: version.to_owned(), at: at(5) }),
        },
        cluster: None,
    };
    for (component, sign, chart, version, from, to, expected) in [
        ("cluster-autoscaler", Sign::Image, None, "v1.34.1", 34, 35, "ADDON007@35 warn"),
        ("karpenter", Sign::Image, None, "1.4.0", 32, 33, "ADDON007@33 warn"),
        ("karpenter", Sign::Chart, Some("karpenter"), "1.4.0", 32, 33, "ADDON007@33 warn"),
        ("aws-load-balancer-controller", Sign::Image, None, "v2.4.1", 24, 25, "ADDON007@25 block"),
        ("cert-manager", Sign::Image, None, "v1.19.2", 34, 35, ""),
        ("cert-manager", Sign::Image, None, "v1.99.0", 34, 35, "ADDON008 unknown"),
        ("velero", Sign::Chart, Some("velero"), "0.0.1", 34, 35, "ADDON008 unknown"),
        ("metrics-server", Sign::Image, None, "nightly", 34, 35, "ADDON008 unknown"),
        ("metrics-server", Sign::Image, None, "", 34, 35, "ADDON009 warn"),
        // A core add-on that runs without EKS's hands.
        ("vpc-cni", Sign::Image, None, "v1.11.4-eksbuild.1", 25, 26, "ADDON007@26 warn"),
        ("vpc-cni", Sign::Image, None, "v1.19.0", 33, 33, ""),
        // The skew policy speaks of these.
        ("kubectl", Sign::Image, None, "1.20", 34, 35, ""),
    ] {
        let found = judge_controller(
            &controller(component, sign, chart, version),
            Controllers::embedded(),
            Matrix::embedded(),
            window(from, to),
        );
        assert_eq!(
            found.as_ref().map(shown).unwrap_or_default(),
            expected,
            "{component} {version} {from} to {to}"
        );
    }
}

#[test]
fn a_change_is_judged_as_a_step() {
    for (before, after, expected) in [
        ((25, "v1.11.4-eksbuild.1"), (26, "v1.11.4-eksbuild.1"), "ADDON005@26 block"),
        ((25, "v1.11.4-eksbuild.1"), (26, "v1.12.0-eksbuild.1"), ""),
        ((35, "v1.19.0-eksbuild.1"), (35, "v1.21.1-eksbuild.7"), "ADDON004 block"),
        ((35, "v1.20.1-eksbuild.3"), (35, "v1.21.1-eksbuild.7"), ""),
        ((35, "v1.21.1-eksbuild.7"), (35, "v1.20.1-eksbuild.3"), "ADDON006 warn"),
    ] {
        let of = |(minor, version): (u16, &str)| cluster(minor, &[("vpc-cni", version)]);
        let found = judge_change(&of(before), &of(after), Matrix::embedded());
        assert_eq!(
            found.iter().map(shown).collect::<Vec<_>>().join(", "),
            expected,
            "{before:?} to {after:?}"
        );
    }
    let of = |version: &str| cluster(28, &[("coredns", version)]);
    let found = judge_change(&of("v1.8.7-eksbuild.10"), &of("v1.10.1-eksbuild.7"), Matrix::embedded());
    assert_eq!(found.iter().map(shown).collect::<Vec<_>>(), ["ADDON004 info"]);
}
