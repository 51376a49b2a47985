//! `terraform show -json`.

use crate::check;

#[test]
fn a_plan_is_read_with_its_child_modules() {
    check(
        &[(
            "plan.json",
            r#"{"format_version": "1.2", "terraform_version": "1.9.8",
"planned_values": {"root_module": {
  "resources": [
    {"address": "aws_eks_cluster.this", "mode": "managed", "type": "aws_eks_cluster", "values": {"name": "shop", "version": "1.34", "upgrade_policy": [{"support_type": "STANDARD"}]}},
    {"address": "data.aws_eks_cluster.x", "mode": "data", "type": "aws_eks_cluster", "values": {"name": "x", "version": "1.20"}}
  ],
  "child_modules": [{"address": "module.n", "resources": [
    {"address": "module.n.aws_eks_node_group.web", "mode": "managed", "type": "aws_eks_node_group", "values": {"cluster_name": "shop", "node_group_name": "web", "version": "1.33", "ami_type": "AL2_x86_64"}},
    {"address": "module.n.aws_eks_addon.cni", "mode": "managed", "type": "aws_eks_addon", "values": {"cluster_name": "shop", "addon_name": "vpc-cni"}},
    {"address": "module.n.helm_release.ca", "mode": "managed", "type": "helm_release", "values": {"name": "ca", "chart": "cluster-autoscaler", "version": "9.46.0"}}
  ]}]
}},
"resource_changes": [
  {"address": "aws_eks_cluster.this", "mode": "managed", "type": "aws_eks_cluster", "change": {"actions": ["update"], "after": {"name": "shop", "version": "1.34"}}},
  {"address": "aws_eks_cluster.only", "mode": "managed", "type": "aws_eks_cluster", "change": {"actions": ["create"], "after": {"name": "only"}}},
  {"address": "aws_eks_cluster.gone", "mode": "managed", "type": "aws_eks_cluster", "change": {"actions": ["delete"], "after": null}}
]}"#,
        )],
        &[
            "cluster only -",
            "cluster shop 1.34 @plan.json:4:125",
            "  support STANDARD @plan.json:4:169",
            "  managed node group web 1.33 @plan.json:8:173, Amazon Linux 2 @plan.json:8:193",
            "  add-on vpc-cni -",
            "controller cluster-autoscaler 9.46.0 @plan.json:10:155 by helm_release ca",
        ],
    );
}

#[test]
fn a_plan_of_a_newer_format_is_not_read() {
    check(
        &[(
            "plan.json",
            "{\n\"format_version\": \"2.0\",\n\"planned_values\": {\"root_module\": {\"resources\": [{\"type\": \"aws_eks_cluster\"}]}}}",
        )],
        &[
            "not read @plan.json:2:19: its format (2.0) is newer than what is known here (1); use a newer release of this program",
        ],
    );
}

#[test]
fn a_state_is_read_too() {
    check(
        &[(
            "state.json",
            r#"{"format_version": "1.0", "values": {"root_module": {"resources": [{"address": "aws_eks_cluster.a", "mode": "managed", "type": "aws_eks_cluster", "values": {"name": "a", "version": "1.35"}}]}}}"#,
        )],
        &["cluster a 1.35 @state.json:1:182"],
    );
}

fn plan(rest: &str, version: &str) -> String {
    format!(
        r#"{{"format_version": "1.2",
"planned_values": {{"root_module": {{"resources": [
  {{"address": "aws_eks_cluster.a", "mode": "managed", "type": "aws_eks_cluster", "values": {{"name": "shop"{version}}}}}
], "child_modules": [{{"address": "module.n[\"x.y\"]", "resources": [
  {{"address": "module.n[\"x.y\"].aws_eks_node_group.n", "mode": "managed", "type": "aws_eks_node_group", "values": {{"cluster_name": "shop", "node_group_name": "n"}}}}
]}}]}}}},
"resource_changes": [
  {{"address": "aws_eks_cluster.a", "type": "aws_eks_cluster", "change": {{"actions": ["create"], "after": {{"name": "shop"}}, "after_unknown": {{"version": true}}}}}},
  {{"address": "module.n[\"x.y\"].aws_eks_node_group.n", "type": "aws_eks_node_group", "change": {{"actions": ["create"], "after": {{}}, "after_unknown": {{"version": true, "release_version": true, "ami_type": true}}}}}}
]{rest}}}"#
    )
}

#[test]
fn what_is_known_only_after_it_is_applied_is_not_read() {
    let configuration = |cluster: &str, group: &str| {
        format!(
            r#", "configuration": {{"root_module": {{
"resources": [{{"address": "aws_eks_cluster.a", "expressions": {{"name": {{}}{cluster}}}}}],
"module_calls": {{"n": {{"module": {{"resources": [{{"address": "aws_eks_node_group.n", "expressions": {{{group}}}}}]}}}}}}}}}}"#
        )
    };
    let cluster = "not read @plan.json:3:15: the version of cluster \"shop\" is not known: it is known only after the plan is applied";
    let group = "not read @plan.json:5:15: the version of node group \"n\" is not known: it is known only after the plan is applied";
    let version = r#", "version": {"references": ["var.v"]}"#;
    // What is not configured is the provider's to choose: it is not declared.
    check(
        &[("plan.json", &plan(&configuration("", ""), ""))],
        &["cluster shop -", "  managed node group n -, -"],
    );
    check(
        &[("plan.json", &plan(&configuration(version, r#""version": {}"#), ""))],
        &["cluster shop ?", "  managed node group n ?, -", cluster, group],
    );
    check(
        &[("plan.json", &plan(&configuration(version, ""), r#", "version": "1.34""#))],
        &["cluster shop 1.34 @plan.json:3:120", "  managed node group n -, -"],
    );
    // Without the configuration all of it may have been said.
    check(
        &[("plan.json", &plan("", r#", "version": "1.34""#))],
        &[
            "cluster shop 1.34 @plan.json:3:120",
            "  managed node group n ?, ?",
            group,
            "not read @plan.json:5:15: what the nodes start from is not known: it is known only after the plan is applied",
        ],
    );
}

#[test]
fn a_plan_that_does_not_hold_everything_says_so() {
    let text = r#"{"format_version": "1.2", "errored": true, "planned_values": {"root_module": {"resources": [
  {"address": "aws_eks_cluster.a", "mode": "managed", "type": "aws_eks_cluster", "values": {"name": "shop", "version": "1.34"}},
  {"address": "aws_autoscaling_group.g", "mode": "managed", "type": "aws_autoscaling_group", "values": {"name": "g", "tag": [{"key": "kubernetes.io/cluster/shop", "value": "owned"}]}},
  {"address": "aws_autoscaling_group.other", "mode": "managed", "type": "aws_autoscaling_group", "values": {"name": "other", "tag": []}},
  {"address": "aws_eks_node_group.n", "mode": "managed", "type": "aws_eks_node_group", "values": {"cluster_name": "shop", "node_group_name": "n", "ami_type": "CUSTOM"}},
  {"address": "kubernetes_manifest.k", "mode": "managed", "type": "kubernetes_manifest", "values": {"manifest": {"apiVersion": "karpenter.k8s.aws/v1", "kind": "EC2NodeClass", "metadata": {"name": "default"}, "spec": {"amiSelectorTerms": [{"alias": "al2023@latest"}]}}}}
]}}}"#;
    check(
        &[("plan.json", text)],
        &[
            "cluster shop 1.34 @plan.json:2:120",
            "  self-managed node group g ?, -",
            "  managed node group n ?, custom image @plan.json:5:159",
            "  Karpenter node class default - follows, Amazon Linux 2023 @plan.json:6:249",
            "not read @plan.json:1:38: the plan ended with an error: it does not hold everything",
            "not read @plan.json:3:15: the version of node group \"g\" is that of its image, which a plan does not tell",
            "not read @plan.json:5:15: the version of node group \"n\" is that of its image, which a plan does not tell",
        ],
    );
    assert!(eks_declared::may_declare(br#"{"type": "helm_release"}"#));
    assert!(eks_declared::may_declare(br#"{"type": "aws_autoscaling_group"}"#));
}

#[test]
fn a_state_as_terraform_keeps_it_is_read() {
    let state = r#"{"version": 4, "terraform_version": "1.9.8", "serial": 3, "lineage": "a", "resources": [
  {"module": "module.m", "mode": "managed", "type": "aws_eks_cluster", "name": "c", "instances": [
    {"index_key": "a", "attributes": {"name": "a", "version": "1.33", "upgrade_policy": [{"support_type": "EXTENDED"}]}},
    {"index_key": "b", "attributes": {"name": "b", "version": "1.34"}}]},
  {"mode": "data", "type": "aws_eks_cluster", "name": "d", "instances": [{"attributes": {"name": "d", "version": "1.20"}}]},
  {"mode": "managed", "type": "aws_eks_node_group", "name": "n", "instances": [{"attributes": {"cluster_name": "b", "node_group_name": "n", "version": "1.31"}}]}
]}"#;
    check(
        &[("terraform.tfstate", state)],
        &[
            "cluster a 1.33 @terraform.tfstate:3:63",
            "  support EXTENDED @terraform.tfstate:3:107",
            "cluster b 1.34 @terraform.tfstate:4:63",
            "  managed node group n 1.31 @terraform.tfstate:6:152, -",
        ],
    );
    check(
        &[(
            "terraform.tfstate",
            "{\"version\": 3, \"serial\": 1, \"lineage\": \"a\", \"modules\": [{\"type\": \"aws_eks_cluster\"}]}",
        )],
        &["not read @terraform.tfstate:1:13: its format (3) is not known here (4)"],
    );
}
