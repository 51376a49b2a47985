//! Terraform's own resources, and how values get to them.

use crate::check;

#[test]
fn resources_belong_to_the_cluster_that_they_name() {
    check(
        &[(
            "main.tf",
            r#"
resource "aws_eks_cluster" "this" {
  name    = "shop"
  version = "1.34"
  upgrade_policy {
    support_type = "STANDARD"
  }
}

resource "aws_eks_node_group" "web" {
  cluster_name    = aws_eks_cluster.this.name
  node_group_name = "web"
  version         = aws_eks_cluster.this.version
  ami_type        = "AL2023_x86_64_STANDARD"
}

resource "aws_eks_node_group" "old" {
  cluster_name    = "shop"
  release_version = "1.33.1-20250804"
}

resource "aws_eks_addon" "cni" {
  cluster_name  = aws_eks_cluster.this.name
  addon_name    = "vpc-cni"
  addon_version = "v1.20.1-eksbuild.3"
}

data "aws_eks_addon_version" "dns" {
  addon_name         = "coredns"
  kubernetes_version = aws_eks_cluster.this.version
  most_recent        = true
}

resource "aws_eks_addon" "dns" {
  cluster_name  = aws_eks_cluster.this.id
  addon_name    = "coredns"
  addon_version = data.aws_eks_addon_version.dns.version
}

resource "aws_eks_cluster" "other" {
  name = "other"
}
"#,
        )],
        &[
            "cluster other -",
            "cluster shop 1.34 @main.tf:4:13",
            "  support STANDARD @main.tf:6:20",
            "  managed node group web - follows, Amazon Linux 2023 @main.tf:14:21",
            "  managed node group aws_eks_node_group.old 1.33.1 @main.tf:19:21, -",
            "  add-on vpc-cni v1.20.1-eksbuild.3 @main.tf:25:19",
            "  add-on coredns newest @main.tf:37:19",
        ],
    );
}

#[test]
fn variables_locals_and_tfvars_are_followed_to_the_literal() {
    check(
        &[
            (
                "infra/main.tf",
                r#"
locals {
  versions = { control_plane = var.minor, nodes = "1.${var.number - 0 == 0 ? 33 : 33}" }
  name     = format("%s-%s", var.team, "shop")
}
resource "aws_eks_cluster" "this" {
  name    = local.name
  version = local.versions["control_plane"]
}
resource "aws_eks_node_group" "web" {
  cluster_name = aws_eks_cluster.this.name
  version      = lookup(local.versions, "nodes", "1.30")
}
"#,
            ),
            (
                "infra/variables.tf",
                "variable \"minor\" {}\nvariable \"team\" { default = \"a\" }\nvariable \"number\" { default = 33 }\n",
            ),
            ("infra/terraform.tfvars", "minor = \"1.34\"\n"),
            ("infra/more.auto.tfvars", "team = \"platform\"\n"),
        ],
        &[
            "cluster platform-shop 1.34 @infra/terraform.tfvars:1:9",
            "  managed node group aws_eks_node_group.web 1.33 @infra/main.tf:3:51, -",
        ],
    );
}

#[test]
fn each_environment_file_is_a_cluster_of_its_own() {
    check(
        &[
            (
                "main.tf",
                "variable \"v\" {}\nresource \"aws_eks_cluster\" \"this\" {\n  name    = \"shop\"\n  version = var.v\n}\n",
            ),
            ("env/dev.tfvars", "v = \"1.35\"\n"),
            ("env/prod.tfvars", "v = \"1.34\"\n"),
            ("env/backend.tfvars", "bucket = \"state\"\n"),
        ],
        &[
            "cluster shop (env/dev.tfvars) 1.35 @env/dev.tfvars:1:5",
            "cluster shop (env/prod.tfvars) 1.34 @env/prod.tfvars:1:5",
        ],
    );
}

#[test]
fn a_module_used_twice_is_two_clusters() {
    check(
        &[
            (
                "live/main.tf",
                r#"
module "blue" {
  source  = "../modules/cluster"
  minor   = "1.34"
  name    = "blue"
}
module "green" {
  source  = "../modules/cluster"
  for_each = { a = "1.35", b = "1.36" }
  minor   = each.value
  name    = "green-${each.key}"
}
module "off" {
  source = "../modules/cluster"
  count  = 0
  minor  = "1.20"
  name   = "off"
}
output "blue" { value = module.blue.version }
resource "aws_eks_node_group" "extra" {
  cluster_name = module.blue.name
  version      = module.blue.version
}
"#,
            ),
            (
                "modules/cluster/main.tf",
                r#"
variable "minor" {}
variable "name" {}
resource "aws_eks_cluster" "this" {
  name    = var.name
  version = var.minor
}
output "version" { value = aws_eks_cluster.this.version }
output "name" { value = aws_eks_cluster.this.name }
"#,
            ),
        ],
        &[
            "cluster blue 1.34 @live/main.tf:4:13",
            "  managed node group aws_eks_node_group.extra - follows, -",
            "cluster green-a 1.35 @live/main.tf:9:20",
            "cluster green-b 1.36 @live/main.tf:9:32",
        ],
    );
}

#[test]
fn self_managed_groups_carry_their_version_in_the_image() {
    check(
        &[(
            "asg.tf",
            r#"
locals { minor = "1.33" }
data "aws_ami" "eks" {
  most_recent = true
  filter {
    name   = "name"
    values = ["amazon-eks-node-al2023-x86_64-standard-${local.minor}-v*"]
  }
}
data "aws_ssm_parameter" "br" {
  name = "/aws/service/bottlerocket/aws-k8s-1.34/x86_64/latest/image_id"
}
resource "aws_launch_template" "a" { image_id = data.aws_ami.eks.id }
resource "aws_launch_template" "b" { image_id = data.aws_ssm_parameter.br.value }
resource "aws_launch_template" "c" { image_id = "ami-0123456789abcdef0" }
resource "aws_launch_configuration" "d" { image_id = "resolve:ssm:/aws/service/eks/optimized-ami/1.32/amazon-linux-2/recommended/image_id" }

resource "aws_autoscaling_group" "a" {
  name = "a"
  launch_template { id = aws_launch_template.a.id }
  tag {
    key                 = "kubernetes.io/cluster/shop"
    value               = "owned"
    propagate_at_launch = true
  }
}
resource "aws_autoscaling_group" "b" {
  name = "b"
  mixed_instances_policy {
    launch_template {
      launch_template_specification { launch_template_id = aws_launch_template.b.id }
    }
  }
}
resource "aws_autoscaling_group" "c" {
  name = "c"
  launch_template { id = aws_launch_template.c.id }
  dynamic "tag" {
    for_each = {}
    content {}
  }
  tag {
    key   = "kubernetes.io/cluster/shop"
    value = "owned"
  }
}
resource "aws_autoscaling_group" "d" {
  name                 = "d"
  launch_configuration = aws_launch_configuration.d.name
}
resource "aws_autoscaling_group" "unrelated" {
  name = "unrelated"
  launch_template { id = aws_launch_template.c.id }
}
resource "aws_eks_cluster" "shop" {
  name    = "shop"
  version = "1.34"
}
"#,
        )],
        &[
            "cluster shop 1.34 @asg.tf:57:13",
            // Where the version is written that is put into the name.
            "  self-managed node group a 1.33 @asg.tf:2:18, Amazon Linux 2023 @asg.tf:2:18",
            "  self-managed node group b 1.34 @asg.tf:11:10, Bottlerocket @asg.tf:11:10",
            "  self-managed node group c ?, -",
            "  self-managed node group d 1.32 @asg.tf:16:54, Amazon Linux 2 @asg.tf:16:54",
            "not read @asg.tf:15:49: the image of node group \"c\" (`ami-0123456789abcdef0`) does not say its Kubernetes version",
        ],
    );
}

#[test]
fn the_json_form_says_the_same() {
    check(
        &[(
            "main.tf.json",
            r#"{
  "variable": {"minor": {"default": "1.34"}},
  "resource": {
    "aws_eks_cluster": {"this": {"name": "shop", "version": "${var.minor}", "upgrade_policy": {"support_type": "STANDARD"}}},
    "aws_eks_node_group": {"web": [{"cluster_name": "shop", "version": "1.33"}]}
  }
}"#,
        )],
        &[
            "cluster shop 1.34 @main.tf.json:2:37",
            "  support STANDARD @main.tf.json:4:112",
            "  managed node group aws_eks_node_group.web 1.33 @main.tf.json:5:72, -",
        ],
    );
}

#[test]
fn types_of_variables_fill_in_what_is_optional_and_drop_what_is_not_named() {
    check(
        &[
            (
                "main.tf",
                "module \"c\" {\n  source = \"./c\"\n  groups = { web = { release = \"1.33.1-20250804\", typo = \"1.20\" }, b = {} }\n}\n",
            ),
            (
                "c/main.tf",
                r#"
variable "groups" {
  type = map(object({
    release = optional(string)
    minor   = optional(string, "1.34")
  }))
}
resource "aws_eks_node_group" "this" {
  for_each        = var.groups
  cluster_name    = "shop"
  node_group_name = each.key
  version         = each.value.minor
  release_version = try(each.value.release, null)
  ami_type        = try(each.value.typo, "AL2023_x86_64_STANDARD")
}
"#,
            ),
        ],
        &[
            "cluster elsewhere shop -",
            // A default stands where it is written.
            "  managed node group b 1.34 @c/main.tf:5:32, Amazon Linux 2023 @c/main.tf:14:42",
            "  managed node group web 1.34 @c/main.tf:5:32, Amazon Linux 2023 @main.tf:3:32",
        ],
    );
}

#[test]
fn what_may_change_outside_of_terraform_counts_as_not_declared() {
    check(
        &[(
            "main.tf",
            "resource \"aws_eks_cluster\" \"a\" {\n  name    = \"a\"\n  version = \"1.30\"\n  lifecycle {\n    ignore_changes = [version, tags]\n  }\n}\n",
        )],
        &["cluster a -"],
    );
}

#[test]
fn comments_to_this_program_belong_to_their_block() {
    let declared = crate::read(&[(
        "main.tf",
        "locals { a = 1 }\n\n# eks-skew-check: ignore SKEW003 reason=soon\nresource \"aws_eks_node_group\" \"b\" {\n  cluster_name = \"a\"\n}\nlocals { c = \"# eks-skew-check: no\" }\n",
    )]);
    let [comment] = declared.comments.as_slice() else { panic!("{:?}", declared.comments) };
    assert_eq!((comment.pragma.line, comment.pragma.document, comment.pragma.lines), (3, 1, (2, 6)));
    assert_eq!(comment.pragma.text, "ignore SKEW003 reason=soon");
    assert_eq!(declared.clusters[0].node_groups[0].at.document, 1);
}

#[test]
fn a_launch_template_behind_a_local_and_tags_made_by_dynamic_are_followed() {
    check(
        &[(
            "main.tf",
            r#"
locals {
  id   = try(aws_launch_template.this[0].id, "")
  tags = { "kubernetes.io/cluster/shop" = "owned" }
}
resource "aws_launch_template" "this" {
  count    = 1
  image_id = data.aws_ssm_parameter.image.value
}
data "aws_ssm_parameter" "image" {
  name = "/aws/service/eks/optimized-ami/1.33/amazon-linux-2023/x86_64/standard/recommended/image_id"
}
resource "aws_autoscaling_group" "a" {
  name = "a"
  dynamic "launch_template" {
    for_each = [1]
    content {
      id = local.id
    }
  }
  dynamic "tag" {
    for_each = local.tags
    content {
      key   = tag.key
      value = tag.value
    }
  }
}
"#,
        )],
        &[
            "cluster elsewhere shop -",
            "  self-managed node group a 1.33 @main.tf:11:10, Amazon Linux 2023 @main.tf:11:10",
        ],
    );
}

#[test]
fn terragrunt_calls_a_module_too() {
    check(
        &[(
            "live/eks/terragrunt.hcl",
            r#"
locals { minor = "1.34" }
include "root" { path = find_in_parent_folders() }
terraform {
  source = "github.com/terraform-aws-modules/terraform-aws-eks?ref=v20.28.0"
}
inputs = {
  cluster_name    = "shop"
  cluster_version = local.minor
}
"#,
        )],
        &["cluster shop 1.34 @live/eks/terragrunt.hcl:2:18"],
    );
    check(
        &[(
            "a/terragrunt.hcl",
            "terraform {\n  source = \"git::https://example.com/modules.git//eks?ref=v1\"\n}\n",
        )],
        &[
            "not read @a/terragrunt.hcl:2:12: the module git::https://example.com/modules.git//eks?ref=v1 is not read here: what it declares is not known",
        ],
    );
}

#[test]
fn what_is_not_known_is_said_where_it_is_used() {
    check(
        &[(
            "main.tf",
            "variable \"v\" {}\nresource \"aws_eks_cluster\" \"a\" {\n  name    = \"a\"\n  version = var.v\n}\nresource \"aws_eks_cluster\" \"b\" {\n  name    = \"b-${terraform.workspace}\"\n  version = var.v\n}\n",
        )],
        &[
            "cluster a ?",
            // A computed name is not one: its address stands for it.
            "cluster aws_eks_cluster.b ?",
            "not read @main.tf:4:13: the version of cluster \"a\" is not known: variable v has no default, and no *.tfvars beside it gives it a value",
            "not read @main.tf:8:13: the version of cluster \"aws_eks_cluster.b\" is not known: variable v has no default, and no *.tfvars beside it gives it a value",
        ],
    );
}

#[test]
fn everything_may_change_outside_of_terraform() {
    for ignored in ["all", "[version]", "[\"version\"]", "[\"*\"]"] {
        let text = format!(
            "resource \"aws_eks_cluster\" \"a\" {{\n  name    = \"a\"\n  version = \"1.30\"\n  lifecycle {{\n    ignore_changes = {ignored}\n  }}\n}}\n"
        );
        check(&[("main.tf", &text)], &["cluster a -"]);
    }
    let json = r#"{"resource": {"aws_eks_cluster": {"a": {"name": "a", "version": "1.30", "lifecycle": {"ignore_changes": "all"}}}}}"#;
    check(&[("main.tf.json", json)], &["cluster a -"]);
}

#[test]
fn comments_to_this_program_are_seen_wherever_a_comment_may_stand() {
    let texts = |text: &str| -> Vec<(u32, String)> {
        let declared = crate::read(&[("main.tf", text)]);
        declared.comments.into_iter().map(|comment| (comment.pragma.line, comment.pragma.text)).collect()
    };
    let one = |line, text: &str| vec![(line, text.to_owned())];
    for (text, expected) in [
        ("locals { a = \"eks\" } # eks-skew-check: ignore A reason=b\n", one(1, "ignore A reason=b")),
        ("// eks-skew-check: ignore A\nlocals { a = \"eks\" }\n", one(1, "ignore A")),
        ("/* eks-skew-check: ignore A reason=b */\nlocals { a = \"eks\" }\n", one(1, "ignore A reason=b")),
        ("/* of eks\n * eks-skew-check: ignore A\n */\nlocals {}\n", one(2, "ignore A")),
        ("locals { a = /* eks-skew-check: ignore A */ \"eks\" }\n", one(1, "ignore A")),
        // No comments.
        ("locals { a = \"# eks-skew-check: ignore A\" }\n", vec![]),
        ("locals { a = \"${\"x\"} # eks-skew-check: ignore A\" }\n", vec![]),
        ("locals {\n  a = <<EOT\n# eks-skew-check: ignore A\nEOT\n}\n", vec![]),
        ("# see eks-skew-check: ignore A\nlocals {}\n", vec![]),
    ] {
        assert_eq!(texts(text), expected, "{text}");
    }
}

#[test]
fn launch_templates_that_bring_an_image_leave_no_version_open() {
    let group = |template: &str, extra: &str| {
        format!(
            "resource \"aws_eks_node_group\" \"n\" {{\n  cluster_name    = \"shop\"\n  node_group_name = \"n\"\n  {extra}\n  launch_template {{\n    id = {template}\n  }}\n}}\nresource \"aws_launch_template\" \"a\" {{\n  count    = 1\n  image_id = var.x\n}}\nresource \"aws_launch_template\" \"b\" {{\n  image_id = null\n}}\nvariable \"x\" {{}}\n"
        )
    };
    for (template, extra, expected) in [
        ("aws_launch_template.a[0].id", "", "the image of node group \"n\" is not known: variable x has"),
        ("var.x", "", "the launch template of node group \"n\" is not declared here"),
        ("var.x", "ami_type = \"CUSTOM\"", "the launch template of node group \"n\" is not declared here"),
        (
            "aws_launch_template.b.id",
            "ami_type = \"CUSTOM\"",
            "the version of node group \"n\" is that of its image, which is not declared here",
        ),
        ("var.x", "version = \"1.34\"", ""),
        ("var.x", "ami_type = \"AL2023_x86_64_STANDARD\"", ""),
        ("aws_launch_template.b.id", "", ""),
    ] {
        let declared = crate::read(&[("main.tf", &group(template, extra))]);
        let said = declared.unread.first().map(|unread| unread.reason.as_str()).unwrap_or_default();
        assert!(
            said.starts_with(expected) && said.is_empty() == expected.is_empty(),
            "{template} {extra}: {said}"
        );
    }
}

#[test]
fn a_chart_that_is_not_known_is_said() {
    check(
        &[(
            "main.tf",
            "variable \"chart\" {}\nresource \"helm_release\" \"r\" {\n  name  = \"r\"\n  chart = var.chart\n}\n",
        )],
        &[
            "not read @main.tf:2:1: which chart helm_release.r installs is not known: variable chart has no default, and no *.tfvars beside it gives it a value",
        ],
    );
}
