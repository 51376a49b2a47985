//! How values get to where they are used in Terraform: functions, null, files of values, overrides.

use crate::{check, lines, read};

fn cluster(version: &str) -> String {
    format!("resource \"aws_eks_cluster\" \"this\" {{\n  name    = \"shop\"\n  version = {version}\n}}\n")
}

/// What the version of a cluster is, by its expression: a version, or why it is not known.
#[track_caller]
fn version_is(expression: &str, expected: &str) {
    let text = cluster(expression) + "variable \"m\" {}\n";
    let shown = lines(&read(&[("main.tf", &text)]));
    let known = shown[0].strip_prefix("cluster shop ").expect("a cluster");
    let known = known.split(" @").next().unwrap_or_default().to_owned();
    match shown.get(1) {
        Some(said) => assert!(said.contains(expected), "{expression}: {said}"),
        None => assert_eq!(known, expected, "{expression}"),
    }
}

const NO_VALUE: &str = "variable m has no default, and no *.tfvars beside it gives it a value";

#[test]
fn functions_do_what_terraform_does() {
    for (expression, expected) in [
        // Maps are sorted by their keys.
        ("values({ b = \"1.36\", a = \"1.31\" })[0]", "1.31"),
        ("keys({ \"1.36\" = 1, \"1.31\" = 1 })[0]", "1.31"),
        ("[for k, v in { b = \"1.36\", a = \"1.31\" } : v][0]", "1.31"),
        ("tolist(toset([\"1.36\", \"1.31\", \"1.36\"]))[0]", "1.31"),
        // Of equal keys the last counts.
        ("{ a = \"1.31\", (\"a\") = \"1.36\" }.a", "1.36"),
        ("merge({ a = \"1.31\" }, null, { a = \"1.36\" }).a", "1.36"),
        ("{ for v in [\"1.31\", \"1.36\"] : \"a\" => v... }.a[0]", "1.31"),
        // Only one prefix is taken away.
        ("trimprefix(\"11.36\", \"1\")", "1.36"),
        ("trimsuffix(\"1.363\", \"3\")", "1.36"),
        // A number is written without zeros at its end.
        ("format(\"%s\", 1.30)", "1.3"),
        ("\"${1.30}.0\"", "1.3.0"),
        ("format(\"1.%d\", 30 + 4)", "1.34"),
        ("1.30 == 1.3 ? \"1.34\" : \"1.33\"", "1.34"),
        // What is not known stays so.
        ("join(\".\", [\"1.33\", var.m])", "@"),
        ("join(\"\", [\"1.33\", null])", "filled in from outside"),
        ("contains([var.m], \"x\") ? \"1.31\" : \"1.36\"", "it depends on a condition: @"),
        ("contains([\"x\", var.m], \"x\") ? \"1.31\" : \"1.36\"", "1.31"),
        ("\"a-${var.m}\" == \"a-b\" ? \"1.31\" : \"1.36\"", "it depends on a condition: @"),
        ("split(\"-\", \"${var.m}-1.36\")[1]", "@"),
        ("lower(\"${var.m}1.36\")", "@"),
        ("length(var.m) > 0 ? \"1.31\" : \"1.36\"", "it depends on a condition: @"),
        ("length([var.m]) > 0 ? \"1.31\" : \"1.36\"", "1.31"),
        ("{ (var.m) = \"1.31\", b = \"1.36\" }.b", "1.36"),
        ("{ (var.m) = \"1.31\" }.b", "a key of it is not known: @"),
        ("try({ (var.m) = \"1.31\" }.b, \"1.36\")", "a key of it is not known: @"),
        ("lookup({ (var.m) = \"1.31\" }, \"b\", \"1.36\")", "a key of it is not known: @"),
        ("one([\"1.36\"])", "1.36"),
        ("yamldecode(\"v: '1.36'\").v", "1.36"),
        ("jsondecode(\"{\\\"v\\\": \\\"1.36\\\"}\").v", "1.36"),
    ] {
        version_is(expression, &expected.replace('@', NO_VALUE));
    }
}

#[test]
fn null_is_a_value_unless_the_variable_says_otherwise() {
    let module = |nullable: &str| {
        format!("variable \"v\" {{\n  default = \"1.30\"\n{nullable}}}\n{}", cluster("var.v"))
    };
    let call = "module \"m\" {\n  source = \"./m\"\n  v      = null\n}\n";
    check(&[("main.tf", call), ("m/main.tf", &module(""))], &["cluster shop -"]);
    check(
        &[("main.tf", call), ("m/main.tf", &module("  nullable = false\n"))],
        &["cluster shop 1.30 @m/main.tf:2:13"],
    );
    check(&[("main.tf", &module("")), ("terraform.tfvars", "v = null\n")], &["cluster shop -"]);
}

#[test]
fn files_of_values_count_in_terraforms_order() {
    let main = cluster("var.v") + "variable \"v\" {}\n";
    let values = |version: &str| format!("v = \"{version}\"\n");
    check(
        &[("main.tf", &main), ("terraform.tfvars", &values("1.36")), ("prod.auto.tfvars", &values("1.31"))],
        &["cluster shop 1.31 @prod.auto.tfvars:1:5"],
    );
    check(
        &[
            ("main.tf", &main),
            ("a.auto.tfvars", &values("1.31")),
            ("b.auto.tfvars.json", "{\"v\": \"1.33\"}"),
            ("terraform.tfvars.json", "{\"v\": \"1.32\"}"),
        ],
        &["cluster shop 1.33 @b.auto.tfvars.json:1:7"],
    );
}

#[test]
fn values_that_lie_elsewhere_are_a_way_too() {
    let main = |default: &str| {
        format!("{}variable \"v\" {{\n{default}}}\nvariable \"n\" {{\n  default = 1\n}}\n", cluster("var.v"))
    };
    let default = main("  default = \"1.36\"\n");
    // Another version than the default's.
    check(
        &[("infra/main.tf", &default), ("env/prod.tfvars", "v = \"1.31\"\nn = 2\n")],
        &[
            "cluster shop (infra) 1.36 @infra/main.tf:6:13",
            "cluster shop (infra, env/prod.tfvars) 1.31 @env/prod.tfvars:1:5",
        ],
    );
    // The variable has no other value.
    check(
        &[
            ("infra/main.tf", &main("")),
            ("env/prod.tfvars", "v = \"1.31\"\n"),
            ("env/dev.tfvars", "v = \"1.32\"\n"),
        ],
        &[
            "cluster shop (infra, env/dev.tfvars) 1.32 @env/dev.tfvars:1:5",
            "cluster shop (infra, env/prod.tfvars) 1.31 @env/prod.tfvars:1:5",
        ],
    );
    // Those of another root, and those that change no version.
    for (path, text) in [
        ("other/prod.tfvars", "v = \"1.31\"\n"),
        ("env/prod.tfvars", "v = \"1.31\"\nbucket = \"a\"\n"),
        ("env/prod.tfvars", "n = 3\n"),
    ] {
        check(
            &[
                ("infra/main.tf", &default),
                ("other/main.tf", "variable \"v\" {}\nresource \"aws_vpc\" \"eks\" {}\n"),
                (path, text),
            ],
            &["cluster shop 1.36 @infra/main.tf:6:13"],
        );
    }
    // A file that is called like the root, with more than is asked for.
    check(
        &[
            ("deployments/shop/main.tf", &main("")),
            ("variables/prod/shop.tfvars", "v = \"1.31\"\nbucket = \"a\"\n"),
        ],
        &["cluster shop 1.31 @variables/prod/shop.tfvars:1:5"],
    );
}

#[test]
fn override_files_go_into_the_blocks_that_they_name() {
    let main = "module \"eks\" {\n  source          = \"terraform-aws-modules/eks/aws\"\n  cluster_name    = \"shop\"\n  cluster_version = \"1.36\"\n}\n";
    check(
        &[("main.tf", main), ("main_override.tf", "module \"eks\" {\n  cluster_version = \"1.30\"\n}\n")],
        &["cluster shop 1.30 @main_override.tf:2:21"],
    );
    let override_ = "resource \"aws_eks_cluster\" \"this\" {\n  version = local.v\n  lifecycle {\n    ignore_changes = [tags]\n  }\n}\nlocals {\n  v = \"1.30\"\n}\n";
    let main = cluster("\"1.36\"")
        .replace("}\n", "  upgrade_policy {\n    support_type = \"STANDARD\"\n  }\n}\n")
        + "locals {\n  v = \"1.33\"\n}\n";
    check(
        &[("z.tf", &main), ("override.tf", override_)],
        &["cluster shop 1.30 @override.tf:8:7", "  support STANDARD @z.tf:5:20"],
    );
}

#[test]
fn what_is_declared_twice_is_said_and_read_twice() {
    let eks = |version: &str| {
        format!(
            "module \"eks\" {{\n  source          = \"terraform-aws-modules/eks/aws\"\n  cluster_version = \"{version}\"\n}}\n"
        )
    };
    check(
        &[("a.tf", &eks("1.29")), ("b.tf", &eks("1.36"))],
        &[
            "cluster module.eks 1.29 @a.tf:3:21",
            "cluster module.eks#2 1.36 @b.tf:3:21",
            "not read @b.tf:1:1: module.eks is declared a second time here, which Terraform refuses",
        ],
    );
    check(
        &[("a.tf", &cluster("\"1.33\"")), ("b.tf", &cluster("\"1.34\""))],
        &[
            "cluster shop (.) 1.33 @a.tf:3:13",
            "cluster shop (.) 1.34 @b.tf:3:13",
            "not read @b.tf:1:1: aws_eks_cluster.this is declared a second time here, which Terraform refuses",
        ],
    );
    check(
        &[
            ("a.tf", &(cluster("local.v") + "locals {\n  v = \"1.33\"\n}\n")),
            ("b.tf", "locals {\n  v = \"1.34\"\n}\n"),
        ],
        &[
            "cluster shop ?",
            "not read @a.tf:3:13: the version of cluster \"shop\" is not known: local v is declared twice",
        ],
    );
    // A key of an object: the last counts, and both entries are parsed.
    let groups = "module \"eks\" {\n  source = \"terraform-aws-modules/eks/aws\"\n  cluster_version = \"1.33\"\n  eks_managed_node_groups = {\n    x = local.a\n    x = {\n      cluster_version = \"1.31\"\n    }\n    \"y\" = {}\n    \"y\" = local.b\n  }\n}\nlocals {\n  a = { cluster_version = \"1.36\" }\n  b = { cluster_version = \"1.32\" }\n}\n";
    check(
        &[("main.tf", groups)],
        &[
            "cluster module.eks 1.33 @main.tf:3:21",
            "  managed node group x 1.31 @main.tf:7:25, -",
            "  managed node group y 1.32 @main.tf:15:27, -",
        ],
    );
}

#[test]
fn files_of_the_tree_are_read_where_they_are_named() {
    let main = "locals {\n  all = yamldecode(file(\"${path.module}/config/cluster.yaml\"))\n  own = jsondecode(file(\"nodes.json\"))\n}\n".to_owned()
        + &cluster("local.all.versions.cluster")
        + "resource \"aws_eks_node_group\" \"n\" {\n  cluster_name    = \"shop\"\n  node_group_name = \"n\"\n  version         = local.own.version\n}\n";
    check(
        &[
            ("infra/main.tf", &main),
            ("infra/config/cluster.yaml", "# Kubernetes\nversions:\n  cluster: '1.34'\n"),
            ("infra/nodes.json", "{\"version\": \"1.33\"}"),
        ],
        &[
            "cluster shop 1.34 @infra/config/cluster.yaml:3:12",
            "  managed node group n 1.33 @infra/nodes.json:1:13, -",
        ],
    );
    check(
        &[("infra/main.tf", &main)],
        &[
            "cluster shop ?",
            "  managed node group n ?, -",
            "not read @infra/main.tf:2:20: the version of cluster \"shop\" is not known: it is in the file ${…}/config/cluster.yaml, which is not read here",
            "not read @infra/main.tf:3:20: the version of node group \"n\" is not known: it is in the file nodes.json, which is not read here",
        ],
    );
}

#[test]
fn opentofu_reads_its_own_files_first() {
    check(
        &[
            ("main.tf", &cluster("\"1.33\"")),
            ("main.tofu", &cluster("\"1.34\"")),
            ("other.tf", "variable \"x\" {}\n"),
            (
                "more.tofu.json",
                "{\"resource\": {\"aws_eks_cluster\": {\"b\": {\"name\": \"b\", \"version\": \"1.35\"}}}}",
            ),
        ],
        &["cluster b 1.35 @more.tofu.json:1:65", "cluster shop 1.34 @main.tofu:3:13"],
    );
}

#[test]
fn optional_defaults_stand_where_they_are_written() {
    check(
        &[(
            "main.tf",
            "variable \"c\" {\n  type    = map(object({ version = optional(string, \"1.34\"), nodes = optional(object({ v = optional(string, \"1.30\") }), {}) }))\n  default = { a = {} }\n}\nresource \"aws_eks_cluster\" \"this\" {\n  for_each = var.c\n  name     = each.key\n  version  = each.value.version\n}\nresource \"aws_eks_node_group\" \"n\" {\n  for_each        = var.c\n  cluster_name    = aws_eks_cluster.this[each.key].name\n  node_group_name = \"n\"\n  version         = each.value.nodes.v\n}\n",
        )],
        &["cluster a 1.34 @main.tf:2:53", "  managed node group n 1.30 @main.tf:2:109, -"],
    );
}

#[test]
fn a_heredoc_keeps_its_text() {
    // One part of it is not indented at all, the other is.
    let text = "resource \"kubectl_manifest\" \"n\" {\n  yaml_body = <<-YAML\n---\napiVersion: karpenter.k8s.aws/v1\nkind: EC2NodeClass\nmetadata:\n    name: default\nspec:\n  tags:\n    \"k/${module.e.id}\": \"owned: yes\"\n  role: ${module.e.role}\n  amiSelectorTerms: [{alias: al2023@latest}]\nYAML\n}\n";
    let shown = lines(&read(&[("main.tf", text)]));
    assert_eq!(
        shown[1], "  Karpenter node class default - follows, Amazon Linux 2023 @main.tf:12:30",
        "{shown:?}"
    );
    check(
        &[("main.tf", &text.replace("[{alias", "[[{alias"))],
        &["not read @main.tf:12:1: the object of kubectl_manifest.n cannot be parsed: unclosed bracket '['"],
    );
}
