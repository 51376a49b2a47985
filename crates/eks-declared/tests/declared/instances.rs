//! `count` and `for_each`: which of several a reference means.

use crate::check;

const TWO: &str = r#"
locals { c = { a = "1.36", b = "1.33" } }
variable "k" {}
resource "aws_eks_cluster" "this" {
  for_each = local.c
  name     = each.key
  version  = each.value
}
"#;

fn group(extra: &str, cluster: &str, version: &str) -> String {
    format!(
        "resource \"aws_eks_node_group\" \"n\" {{\n  {extra}\n  cluster_name    = {cluster}\n  node_group_name = \"n\"\n  version         = {version}\n}}\n"
    )
}

#[test]
fn a_key_says_which_of_several_clusters() {
    let clusters = |first: &[&'static str], second: &[&'static str], rest: &[&'static str]| {
        let mut all = vec!["cluster a 1.36 @main.tf:2:20"];
        all.extend(first);
        all.push("cluster b 1.33 @main.tf:2:32");
        all.extend(second);
        all.extend(rest);
        all
    };
    for (extra, cluster, version, expected) in [
        // The version and the cluster of one of them.
        (
            "",
            "\"a\"",
            "aws_eks_cluster.this[\"b\"].version",
            clusters(&["  managed node group n 1.33 @main.tf:2:32, -"], &[], &[]),
        ),
        (
            "",
            "aws_eks_cluster.this[\"b\"].name",
            "\"1.32\"",
            clusters(&[], &["  managed node group n 1.32 @main.tf:13:21, -"], &[]),
        ),
        // Each its own.
        (
            "for_each = local.c",
            "aws_eks_cluster.this[each.key].name",
            "each.value",
            clusters(&["  managed node group n - follows, -"], &["  managed node group n - follows, -"], &[]),
        ),
        // A key that is not known is no key.
        (
            "",
            "\"b\"",
            "aws_eks_cluster.this[var.k].version",
            clusters(
                &[],
                &["  managed node group n ?, -"],
                &[
                    "not read @main.tf:13:21: the version of node group \"n\" is not known: a key is not known: variable k has no default, and no *.tfvars beside it gives it a value",
                ],
            ),
        ),
        // A key that there is not, and none where one is needed.
        (
            "",
            "\"b\"",
            "try(aws_eks_cluster.this[\"c\"].version, \"1.31\")",
            clusters(&[], &["  managed node group n 1.31 @main.tf:13:60, -"], &[]),
        ),
        (
            "",
            "\"b\"",
            "aws_eks_cluster.this.version",
            clusters(
                &[],
                &["  managed node group n ?, -"],
                &[
                    "not read @main.tf:13:21: the version of node group \"n\" is not known: it does not say which aws_eks_cluster.this is meant",
                ],
            ),
        ),
    ] {
        let text = format!("{TWO}{}", group(extra, cluster, version));
        check(&[("main.tf", &text)], &expected);
    }
    // The group is of neither.
    let text = format!("{TWO}{}", group("", "aws_eks_cluster.this[var.k].name", "\"1.33\""));
    check(
        &[("main.tf", &text)],
        &[
            "cluster elsewhere (not known) -",
            "  managed node group n 1.33 @main.tf:13:21, -",
            "cluster a 1.36 @main.tf:2:20",
            "cluster b 1.33 @main.tf:2:32",
        ],
    );
}

#[test]
fn a_key_says_which_of_several_modules() {
    let eks = "locals { c = { a = \"1.36\", b = \"1.33\" } }\nmodule \"eks\" {\n  source          = \"terraform-aws-modules/eks/aws\"\n  for_each        = local.c\n  cluster_name    = \"x-${terraform.workspace}\"\n  cluster_version = each.value\n}\n";
    check(
        &[(
            "main.tf",
            &format!(
                "{eks}{}",
                group(
                    "for_each = local.c",
                    "module.eks[each.key].cluster_name",
                    "module.eks[\"b\"].cluster_version"
                )
            ),
        )],
        &[
            "cluster module.eks[\"a\"] 1.36 @main.tf:1:20",
            "  managed node group n 1.33 @main.tf:1:32, -",
            "cluster module.eks[\"b\"] 1.33 @main.tf:1:32",
            "  managed node group n - follows, -",
        ],
    );
    // Through a module of the tree, and its outputs.
    let module = "variable \"v\" {}\nresource \"aws_eks_cluster\" \"this\" {\n  name    = \"x-${terraform.workspace}\"\n  version = var.v\n}\noutput \"name\" {\n  value = aws_eks_cluster.this.name\n}\noutput \"version\" {\n  value = aws_eks_cluster.this.version\n}\n";
    let call = "module \"c\" {\n  source   = \"./c\"\n  for_each = { a = \"1.36\", b = \"1.33\" }\n  v        = each.value\n}\n";
    check(
        &[
            ("c/main.tf", module),
            ("main.tf", &format!("{call}{}", group("", "module.c[\"b\"].name", "module.c[\"b\"].version"))),
        ],
        &[
            "cluster module.c[\"a\"].aws_eks_cluster.this 1.36 @main.tf:3:20",
            "cluster module.c[\"b\"].aws_eks_cluster.this 1.33 @main.tf:3:32",
            "  managed node group n - follows, -",
        ],
    );
}

#[test]
fn a_key_of_a_data_source_is_not_guessed() {
    let text = |key: &str| {
        format!(
            r#"
data "aws_ssm_parameter" "x" {{
  for_each = {{ a = "1.31", b = "1.36" }}
  name     = "/aws/service/eks/optimized-ami/${{each.value}}/amazon-linux-2023/x86_64/standard/recommended/image_id"
}}
resource "aws_launch_template" "l" {{
  for_each = {{ y = data.aws_ssm_parameter.x[{key}].value }}
  image_id = each.value
}}
resource "aws_autoscaling_group" "g" {{
  name = "g"
  launch_template {{ id = aws_launch_template.l["y"].id }}
  tag {{ key = "kubernetes.io/cluster/shop" }}
}}
variable "k" {{}}
"#
        )
    };
    check(
        &[("main.tf", &text("\"b\""))],
        &[
            "cluster elsewhere shop -",
            "  self-managed node group g 1.36 @main.tf:3:32, Amazon Linux 2023 @main.tf:3:32",
        ],
    );
    check(
        &[("main.tf", &text("var.k"))],
        &[
            "cluster elsewhere shop -",
            "  self-managed node group g ?, -",
            "not read @main.tf:7:20: the image of node group \"g\" is not known: a key is not known: variable k has no default, and no *.tfvars beside it gives it a value",
        ],
    );
}

#[test]
fn what_is_counted_is_told_apart_where_it_differs() {
    let text = |count: &str, version: &str, reference: &str| {
        format!(
            "variable \"n\" {{}}\nlocals {{ v = [\"1.36\", \"1.33\"] }}\nresource \"aws_eks_cluster\" \"c\" {{\n  count   = {count}\n  name    = \"c\"\n  version = {version}\n}}\nresource \"aws_eks_node_group\" \"n\" {{\n  cluster_name    = \"x\"\n  node_group_name = \"n\"\n  version         = {reference}\n}}\n"
        )
    };
    for (count, version, reference, expected) in [
        ("2", "local.v[count.index]", "aws_eks_cluster.c[1].version", "1.33 @main.tf:2:23"),
        ("2", "local.v[count.index]", "aws_eks_cluster.c.*.version[1]", "1.33 @main.tf:2:23"),
        ("1", "local.v[0]", "aws_eks_cluster.c.version", "1.36 @main.tf:2:15"),
        ("1", "local.v[0]", "join(\"\", aws_eks_cluster.c.*.version)", "1.36 @main.tf:11:21"),
        ("1", "local.v[0]", "one(aws_eks_cluster.c[*].version)", "1.36 @main.tf:2:15"),
        ("0", "local.v[0]", "try(aws_eks_cluster.c[0].version, \"1.30\")", "1.30 @main.tf:11:55"),
        ("var.n", "local.v[0]", "aws_eks_cluster.c[0].version", "1.36 @main.tf:2:15"),
        ("var.n", "local.v[0]", "join(\"\", aws_eks_cluster.c[*].version)", "?"),
        ("2", "local.v[0]", "aws_eks_cluster.c.version", "?"),
    ] {
        let shown = crate::lines(&crate::read(&[("main.tf", &text(count, version, reference))]));
        let group = shown.iter().find(|line| line.contains("node group n")).unwrap();
        assert_eq!(group, &format!("  managed node group n {expected}, -"), "{count} {reference}");
    }
}
