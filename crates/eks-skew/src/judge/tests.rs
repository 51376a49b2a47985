//! For each rule a table of cases, now and after each hop.

use eks_model::{
    Addon, AddonWish, ClusterSnapshot, Controller, ImageFamily, KubeMinor, NodeGroup, NodeGroupKind,
    NodeImage, Observed, Place, Placed, Severity, Sign, SupportType, Unreadable, Window,
};
use jiff::civil::{Date, date};

use super::*;
use crate::judge_change;

const TODAY: Date = date(2026, 11, 24);

fn at(line: u32) -> Place {
    Place { file: "c.yaml".to_owned(), line, column: 3, width: 4, document: 0 }
}

fn version(minor: u16, line: u32) -> Observed<Placed<eks_model::KubeVersion>> {
    Observed::Known(Placed { value: format!("1.{minor}").parse().unwrap(), at: at(line) })
}

/// A healthy cluster at 1.36 with one group at the same version; tests change one thing.
fn healthy() -> ClusterSnapshot {
    ClusterSnapshot {
        id: "shop".to_owned(),
        name: "shop".to_owned(),
        declared_as: "ClusterConfig",
        at: at(1),
        declared_elsewhere: false,
        control_plane: version(36, 2),
        support: Observed::Absent,
        node_groups: vec![group("web", version(36, 10))],
        addons: Vec::new(),
    }
}

fn group(name: &str, kubelet: Observed<Placed<eks_model::KubeVersion>>) -> NodeGroup {
    NodeGroup {
        name: name.to_owned(),
        kind: NodeGroupKind::Managed,
        declared_as: "managedNodeGroups",
        at: at(9),
        kubelet,
        follows_control_plane: false,
        image: Observed::Absent,
    }
}

fn window(from: u16, to: u16) -> Window {
    Window::new(KubeMinor::new(from), KubeMinor::new(to)).unwrap()
}

/// `SKEW003@37`: the rule, and the hop that it bites in.
fn found(cluster: &ClusterSnapshot, to: u16) -> Vec<String> {
    judge(cluster, window(20, to.max(20)), TODAY).iter().map(shown).collect()
}

fn shown(finding: &Finding) -> String {
    let hop = finding.hop.map_or_else(String::new, |hop| format!("@{}", hop.minor()));
    format!("{}{hop} {}", finding.id, finding.severity.as_str())
}

#[test]
fn a_healthy_cluster_has_no_finding() {
    assert_eq!(found(&healthy(), 37), Vec::<String>::new());
}

#[test]
fn kubelets_are_judged_now_and_after_each_hop() {
    for (control_plane, kubelet, to, expected) in [
        (35, 35, 37, ""),
        (35, 34, 37, ""),
        (35, 33, 36, ""),
        (35, 33, 37, "SKEW003@37 block"),
        (35, 32, 37, "SKEW003@36 block"),
        (35, 31, 37, "SKEW003 block"),
        (35, 36, 37, "SKEW001 block"),
        (35, 36, 35, "SKEW001 block"),
        // The target is below what is declared: it is judged as it is.
        (37, 34, 36, ""),
        (37, 33, 36, "SKEW003 block"),
    ] {
        let mut cluster = healthy();
        cluster.control_plane = version(control_plane, 2);
        cluster.node_groups = vec![group("web", version(kubelet, 10))];
        let expected: Vec<&str> = expected.split(", ").filter(|text| !text.is_empty()).collect();
        assert_eq!(found(&cluster, to), expected, "{control_plane} with {kubelet} to {to}");
    }
}

#[test]
fn old_kubelets_may_be_two_behind_only() {
    for (control_plane, kubelet, to, expected) in
        [(25, 24, 26, ""), (25, 24, 27, "SKEW003@27"), (26, 25, 28, ""), (26, 25, 29, "SKEW003@29")]
    {
        let mut cluster = healthy();
        cluster.control_plane = version(control_plane, 2);
        cluster.node_groups = vec![group("web", version(kubelet, 10))];
        let findings = judge(&cluster, window(20, to), TODAY);
        let skew: Vec<String> = findings
            .iter()
            .filter(|f| f.id.starts_with("SKEW"))
            .map(|f| format!("{}@{}", f.id, f.hop.map_or(0, KubeMinor::minor)))
            .collect();
        assert_eq!(skew.join(" "), expected, "{control_plane} with {kubelet} to {to}");
    }
}

#[test]
fn a_finding_says_what_where_and_what_to_do() {
    let mut cluster = healthy();
    cluster.control_plane = version(35, 2);
    cluster.node_groups = vec![group("batch", version(33, 21))];
    let findings = judge(&cluster, window(30, 37), TODAY);
    let [finding] = findings.as_slice() else { panic!("{findings:?}") };
    assert_eq!(
        finding.message,
        "managed node group \"batch\" (kubelet 1.33) would be 4 minors behind the control plane (1.37) after the hop 1.36 → 1.37; 3 are allowed"
    );
    assert_eq!(
        finding.remedy,
        "roll managed node group \"batch\" to 1.34 or newer before the hop 1.36 → 1.37"
    );
    assert_eq!(
        (finding.line, finding.cluster.as_deref(), finding.name.as_deref()),
        (21, Some("shop"), Some("batch"))
    );
}

#[test]
fn what_is_not_declared_is_said_and_what_follows_is_not() {
    let mut cluster = healthy();
    cluster.node_groups = vec![group("web", Observed::Absent)];
    assert_eq!(found(&cluster, 37), ["SKEW009 warn"]);
    cluster.node_groups[0].follows_control_plane = true;
    assert_eq!(found(&cluster, 37), Vec::<String>::new());
    cluster.control_plane = Observed::Absent;
    let findings = judge(&cluster, window(36, 37), TODAY);
    assert_eq!(findings.iter().map(shown).collect::<Vec<_>>(), ["SKEW009 warn"]);
    // What cannot be read is told by who reads it; here nothing is concluded from it.
    let unreadable = Unreadable { reason: "computed".to_owned(), at: at(3) };
    cluster.control_plane = Observed::Unreadable(unreadable.clone());
    cluster.node_groups = vec![group("web", Observed::Unreadable(unreadable))];
    assert_eq!(judge(&cluster, window(36, 37), TODAY), Vec::new());
}

fn with_kube_proxy(control_plane: u16, kube_proxy: &str, kubelet: u16) -> ClusterSnapshot {
    let mut cluster = healthy();
    cluster.control_plane = version(control_plane, 2);
    cluster.node_groups = vec![group("web", version(kubelet, 10))];
    cluster.addons = vec![Addon {
        name: "kube-proxy".to_owned(),
        declared_as: "addons",
        at: at(30),
        version: Observed::Known(Placed {
            value: AddonWish::Pinned(kube_proxy.parse().unwrap()),
            at: at(31),
        }),
    }];
    cluster
}

#[test]
fn kube_proxy_is_judged_beside_the_api_server_and_the_kubelets() {
    for (control_plane, kube_proxy, kubelet, to, expected) in [
        (35, "v1.35.3-eksbuild.29", 35, 37, ""),
        (35, "v1.34.6-eksbuild.25", 35, 37, ""),
        (35, "v1.33.10-eksbuild.29", 35, 37, "SKEW002@37 block"),
        (35, "v1.36.0-eksbuild.45", 35, 37, "SKEW002 block"),
        (37, "v1.37.0-eksbuild.1", 33, 37, "SKEW003 block, SKEW004 block"),
        (37, "v1.33.10-eksbuild.29", 37, 37, "SKEW002 block, SKEW004 block"),
    ] {
        let cluster = with_kube_proxy(control_plane, kube_proxy, kubelet);
        let expected: Vec<&str> = expected.split(", ").filter(|text| !text.is_empty()).collect();
        assert_eq!(found(&cluster, to), expected, "{control_plane} {kube_proxy} {kubelet} to {to}");
    }
}

#[test]
fn nodes_that_follow_are_where_the_api_server_is() {
    let mut cluster = with_kube_proxy(35, "v1.33.10-eksbuild.29", 35);
    cluster.node_groups[0].kubelet = Observed::Absent;
    cluster.node_groups[0].follows_control_plane = true;
    assert_eq!(found(&cluster, 37), ["SKEW002@37 block"]);
}

#[test]
fn a_cluster_that_is_declared_twice_contradicts_itself() {
    let twin = |file: &str, minor| {
        let mut cluster = healthy();
        cluster.control_plane = version(minor, 2);
        cluster.id = format!("{file} ClusterConfig shop eu-west-1");
        cluster.at.file = file.to_owned();
        cluster
    };
    let ids = |clusters: &[ClusterSnapshot]| judge_together(clusters).iter().map(shown).collect::<Vec<_>>();
    assert_eq!(ids(&[twin("a/x.yaml", 35), twin("a/y.yaml", 36)]), ["SKEW011 unknown", "SKEW011 unknown"]);
    assert_eq!(ids(&[twin("a/x.yaml", 36), twin("a/y.yaml", 36)]), Vec::<String>::new());
    let mut elsewhere = twin("a/y.yaml", 36);
    elsewhere.id = "a/y.yaml ClusterConfig shop us-east-1".to_owned();
    assert_eq!(ids(&[twin("a/x.yaml", 35), elsewhere]), Vec::<String>::new());
    // Environments in folders of their own may share a name.
    assert_eq!(ids(&[twin("a/x.yaml", 35), twin("b/x.yaml", 36)]), Vec::<String>::new());
}

#[test]
fn programs_of_kubernetes_own_are_judged_beside_the_api_server() {
    let controller = |component: &str, version: &str| Controller {
        component: component.to_owned(),
        sign: Sign::Image,
        declared_as: "Deployment".to_owned(),
        name: Some("x".to_owned()),
        namespace: None,
        at: at(4),
        chart: None,
        version: Observed::Known(Placed { value: version.to_owned(), at: at(5) }),
        cluster: None,
    };
    for (component, version, expected) in [
        ("kube-scheduler", "v1.35.1", ""),
        ("kube-scheduler", "v1.34.1", "SKEW005@36 block"),
        ("kube-controller-manager", "v1.37.0", "SKEW005 block"),
        ("cloud-controller-manager", "v1.33.0", "SKEW005 block"),
        ("kubectl", "1.36", ""),
        ("kubectl", "1.34", "SKEW006@36 warn"),
        ("kubectl", "1.29.2", "SKEW006 warn"),
        ("kubectl", "1.38", "SKEW006 warn"),
        ("kube-proxy", "v1.31.3-minimal-eksbuild.2", "SKEW002 block"),
        ("cluster-autoscaler", "v1.20.0", ""),
        ("kubectl", "latest", "SKEW006 unknown"),
        ("kubectl", "1.29-debian-12", "SKEW006 warn"),
        ("kube-scheduler", "stable", "SKEW005 unknown"),
    ] {
        let finding = judge_component(&controller(component, version), window(35, 36));
        assert_eq!(finding.as_ref().map(shown).unwrap_or_default(), expected, "{component} {version}");
    }
    let unversioned = Controller { version: Observed::Absent, ..controller("kubectl", "") };
    let finding = judge_component(&unversioned, window(35, 36));
    assert_eq!(finding.as_ref().map(shown).unwrap_or_default(), "SKEW009 warn");
}

#[test]
fn images_that_end_are_found_where_the_window_needs_a_newer_one() {
    let al2 = |kubernetes: Option<&str>| {
        Observed::Known(Placed {
            value: NodeImage {
                family: ImageFamily::AmazonLinux2,
                kubernetes: kubernetes.map(|text| text.parse().unwrap()),
            },
            at: at(12),
        })
    };
    for (control_plane, kubelet, follows, kind, to, expected) in [
        (31, Some(31), false, NodeGroupKind::Managed, 32, "SKEW010 warn"),
        // Nodes at 1.32 may stay until 1.35.
        (32, Some(32), false, NodeGroupKind::Managed, 35, "SKEW010 warn"),
        (32, Some(32), false, NodeGroupKind::Managed, 36, "SKEW003@36 block, SKEW010@36 block"),
        (33, Some(33), false, NodeGroupKind::Managed, 34, "SKEW010 block"),
        (32, None, true, NodeGroupKind::Managed, 33, "SKEW010@33 block"),
        (32, None, true, NodeGroupKind::Karpenter, 34, "SKEW010@33 block"),
        (34, None, true, NodeGroupKind::Karpenter, 34, "SKEW010 block"),
    ] {
        let mut cluster = healthy();
        cluster.control_plane = version(control_plane, 2);
        cluster.node_groups = vec![NodeGroup {
            kind,
            kubelet: kubelet.map_or(Observed::Absent, |minor| version(minor, 10)),
            follows_control_plane: follows,
            image: al2(None),
            ..group("web", Observed::Absent)
        }];
        let findings: Vec<String> =
            found(&cluster, to).into_iter().filter(|f| f.starts_with("SKEW")).collect();
        assert_eq!(findings.join(", "), expected, "{control_plane} {kubelet:?} to {to}");
    }
    let mut cluster = healthy();
    cluster.node_groups[0].image = al2(Some("1.32"));
    assert!(found(&cluster, 37).contains(&"SKEW011 unknown".to_owned()), "{:?}", found(&cluster, 37));
}

#[test]
fn the_calendar_speaks_by_the_day() {
    for (minor, policy, today, expected, words) in [
        (35, None, TODAY, "", ""),
        (
            34,
            None,
            TODAY,
            "CAL001 warn",
            "ends on 2026-12-02, in 8 days: then extended support costs USD 0.50 an hour more",
        ),
        (
            34,
            Some(SupportType::Standard),
            TODAY,
            "CAL001 warn",
            "then EKS upgrades the control plane to 1.35 by itself",
        ),
        (
            33,
            None,
            TODAY,
            "CAL001 warn",
            "about USD 365.00 a month; it ends on 2027-07-29, in 247 days, and then EKS upgrades the control plane to 1.34",
        ),
        (
            33,
            Some(SupportType::Standard),
            TODAY,
            "CAL001 warn",
            "since 2026-07-29 EKS upgrades the control plane to 1.34 by itself",
        ),
        (30, None, TODAY, "CAL002 block", "no longer supports 1.30"),
        (34, None, date(2026, 8, 1), "", ""),
        (34, None, date(2026, 9, 3), "CAL001 warn", "in 90 days"),
    ] {
        let mut cluster = healthy();
        cluster.control_plane = version(minor, 2);
        cluster.node_groups.clear();
        cluster.support =
            policy.map_or(Observed::Absent, |value| Observed::Known(Placed { value, at: at(3) }));
        let findings = judge(&cluster, window(minor, minor), today);
        assert_eq!(findings.iter().map(shown).collect::<Vec<_>>().join(", "), expected, "{minor} on {today}");
        if let [finding] = findings.as_slice() {
            assert!(finding.message.contains(words), "{}", finding.message);
            assert_eq!(finding.line, 2);
        }
    }
}

#[test]
fn a_version_beyond_the_calendar_is_unknown() {
    let mut cluster = healthy();
    cluster.control_plane = version(37, 2);
    cluster.node_groups = vec![group("web", version(37, 10))];
    assert_eq!(found(&cluster, 39), ["CAL003@38 unknown"]);
    // Known, and not there yet on that day.
    let findings = judge(&healthy(), window(36, 37), date(2026, 9, 1));
    assert_eq!(findings.iter().map(shown).collect::<Vec<_>>(), ["CAL003@37 unknown"]);
}

#[test]
fn a_change_is_a_step() {
    // (control plane, nodes) before and after.
    for (before, after, expected) in [
        ((34, 34), (34, 34), ""),
        ((34, 34), (35, 34), ""),
        ((34, 34), (36, 34), "SKEW007 block"),
        ((34, 34), (35, 35), "SKEW008 warn"),
        ((35, 34), (35, 35), ""),
        ((35, 35), (34, 35), "SKEW007 warn"),
        ((35, 34), (34, 34), "SKEW007 warn"),
        ((35, 35), (34, 34), "SKEW007 warn, SKEW008 block"),
        ((36, 36), (34, 34), "SKEW007 block, SKEW008 block"),
        ((35, 35), (35, 34), "SKEW008 warn"),
    ] {
        let cluster = |(control_plane, nodes): (u16, u16)| ClusterSnapshot {
            control_plane: version(control_plane, 2),
            node_groups: vec![group("web", version(nodes, 10))],
            ..healthy()
        };
        let findings = judge_change(&cluster(before), &cluster(after));
        assert_eq!(
            findings.iter().map(shown).collect::<Vec<_>>().join(", "),
            expected,
            "{before:?} to {after:?}"
        );
    }
}

#[test]
fn severities_are_ordered_so_that_unknown_is_above_a_warning() {
    assert!(Severity::Warn < Severity::Unknown && Severity::Unknown < Severity::Block);
}
