//! eksctl's `ClusterConfig`.

use crate::check;

#[test]
fn a_cluster_config_says_everything_in_one_place() {
    check(
        &[(
            "cluster.yaml",
            r#"# shop
apiVersion: eksctl.io/v1alpha5
kind: ClusterConfig
metadata:
  name: shop
  region: eu-west-1
  version: "1.34"
upgradePolicy:
  supportType: STANDARD
managedNodeGroups:
- name: web
  amiFamily: Bottlerocket
- name: old
  amiFamily: AmazonLinux2
  releaseVersion: 1.32.9-20251101
nodeGroups:
- name: own
  ami: ami-0123456789abcdef0
  amiFamily: AmazonLinux2023
addons:
- name: vpc-cni
  version: 1.19.2
- name: coredns
  version: latest
- name: kube-proxy
karpenter:
  version: '1.6.3'
"#,
        )],
        &[
            "cluster shop 1.34 @cluster.yaml:7:12",
            "  support STANDARD @cluster.yaml:9:16",
            "  managed node group web - follows, Bottlerocket @cluster.yaml:12:14",
            "  managed node group old 1.32.9 @cluster.yaml:15:19, Amazon Linux 2 @cluster.yaml:14:14",
            "  self-managed node group own ?, custom image @cluster.yaml:19:14",
            "  add-on vpc-cni v1.19.2 @cluster.yaml:22:12",
            "  add-on coredns newest @cluster.yaml:24:12",
            "  add-on kube-proxy default @cluster.yaml:25:9",
            "controller karpenter 1.6.3 @cluster.yaml:27:12 by ClusterConfig karpenter",
            "not read @cluster.yaml:18:8: the image of node group \"own\" (`ami-0123456789abcdef0`) does not say its Kubernetes version",
        ],
    );
}

#[test]
fn an_image_of_ones_own_stays_behind() {
    let config = |ami: &str| {
        format!(
            "apiVersion: eksctl.io/v1alpha5\nkind: ClusterConfig\nmetadata: {{name: a, version: \"1.36\"}}\nmanagedNodeGroups:\n- name: web\n  ami: {ami}\n"
        )
    };
    let parameter = "resolve:ssm:/aws/service/eks/optimized-ami/1.30/amazon-linux-2023/x86_64/standard/recommended/image_id";
    check(
        &[("c.yaml", &config(parameter))],
        &[
            "cluster a 1.36 @c.yaml:3:30",
            "  managed node group web 1.30 @c.yaml:6:8, Amazon Linux 2023 @c.yaml:6:8",
        ],
    );
    check(
        &[("c.yaml", &config("auto"))],
        &["cluster a 1.36 @c.yaml:3:30", "  managed node group web - follows, -"],
    );
}

#[test]
fn lists_that_are_none_are_said() {
    let config = |more: &str| {
        format!(
            "apiVersion: eksctl.io/v1alpha5\nkind: ClusterConfig\nmetadata: {{name: a, version: \"1.36\"}}\n{more}\n"
        )
    };
    for (more, said) in [
        (
            "managedNodeGroups: \"{{ .Values.groups }}\"",
            "4:20: the managedNodeGroups of cluster \"a\" are filled in from outside (`{{ .Values.groups }}`)",
        ),
        ("nodeGroups: {name: x}", "4:13: the nodeGroups of cluster \"a\" are no list; correct it"),
        ("addons: all", "4:9: the addons of cluster \"a\" are no list; correct it"),
    ] {
        check(
            &[("c.yaml", &config(more))],
            &["cluster a 1.36 @c.yaml:3:30", &format!("not read @c.yaml:{said}")],
        );
    }
}

#[test]
fn a_version_that_is_given_twice_is_not_known() {
    let text = "apiVersion: eksctl.io/v1alpha5\nkind: ClusterConfig\nmetadata:\n  name: a\n  version: \"1.36\"\n  version: \"1.30\"\n";
    check(
        &[("c.yaml", text)],
        &[
            "cluster a ?",
            "not read @c.yaml:5:12: the version of cluster \"a\" is not known: version is given twice, here and in line 6; keep one",
        ],
    );
}

#[test]
fn auto_mode_is_a_group_that_follows() {
    check(
        &[(
            "c.yaml",
            "apiVersion: eksctl.io/v1alpha5\nkind: ClusterConfig\nmetadata: {name: auto, version: '1.35'}\nautoModeConfig:\n  enabled: true\n",
        )],
        &["cluster auto 1.35 @c.yaml:3:33", "  Auto Mode nodes Auto Mode - follows, -"],
    );
}

#[test]
fn a_version_without_quotes_that_loses_its_zero_is_not_read() {
    let config = |version: &str| {
        format!(
            "apiVersion: eksctl.io/v1alpha5\nkind: ClusterConfig\nmetadata:\n  name: a\n  version: {version}\n"
        )
    };
    check(
        &[("c.yaml", &config("1.30"))],
        &[
            "cluster a ?",
            "not read @c.yaml:5:12: the version of cluster \"a\" is 1.30 without quotes, which many programs read as the number 1.3; put it in quotes",
        ],
    );
    check(&[("c.yaml", &config("1.31"))], &["cluster a 1.31 @c.yaml:5:12"]);
    check(&[("c.yaml", &config("latest"))], &["cluster a -"]);
    check(
        &[("c.yaml", &config("\"soon\""))],
        &[
            "cluster a ?",
            "not read @c.yaml:5:12: the version of cluster \"a\": `soon` is not a Kubernetes version (it has no minor); write it like 1.36",
        ],
    );
}

#[test]
fn several_clusters_in_one_file_are_told_apart() {
    let one = |name: &str, version: &str| {
        format!(
            "apiVersion: eksctl.io/v1alpha5\nkind: ClusterConfig\nmetadata: {{name: {name}, version: \"{version}\"}}\nmanagedNodeGroups: [{{name: g-{name}}}]\n"
        )
    };
    check(
        &[("c.yaml", &format!("{}---\n{}", one("a", "1.34"), one("b", "1.35")))],
        &[
            "cluster a 1.34 @c.yaml:3:30",
            "  managed node group g-a - follows, -",
            "cluster b 1.35 @c.yaml:8:30",
            "  managed node group g-b - follows, -",
        ],
    );
}
