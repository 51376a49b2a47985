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
