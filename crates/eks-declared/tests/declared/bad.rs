//! Bad input: it is said, and everything else is still read.

use eks_declared::Tree;
use proptest::prelude::*;

use crate::check;

const CLUSTER: &str = "resource \"aws_eks_cluster\" \"a\" {\n  name    = \"a\"\n  version = \"1.34\"\n}\n";

#[test]
fn hcl_that_does_not_parse_hides_nothing_else() {
    check(
        &[("a.tf", CLUSTER), ("b.tf", "resource \"x\" {\n  a = = 1\n}\n")],
        &[
            "cluster a 1.34 @a.tf:3:13",
            "not read @b.tf:2:1: it is not Terraform that can be read: invalid expression; expected `\"`, `[`, `{`, `-`, `!`, `(`, `_`, `<`, letter or digit",
        ],
    );
}

#[test]
fn broken_hcl_where_nothing_speaks_of_eks_is_passed_over() {
    let declared = crate::read(&[("net/a.tf", "resource \"rds_cluster\" {\n  a = = 1\n}\n")]);
    assert_eq!((declared.unread.len(), declared.passed_over.len()), (0, 1));
    assert_eq!((declared.passed_over[0].at.file.as_str(), declared.passed_over[0].at.line), ("net/a.tf", 2));
}

#[test]
fn what_terraform_takes_is_taken() {
    // A line of a text that only starts like its end, and a key that is there twice.
    let text = "locals {\n  script = <<EOF\nsu -c \"x << EOF\nexit\nEOF\"\nEOF\n  tags = {\n    Service = \"a\"\n    Service = \"b\"\n  }\n}\n";
    check(&[("a.tf", &format!("{text}{CLUSTER}"))], &["cluster a 1.34 @a.tf:14:13"]);
}

#[test]
fn references_that_go_in_a_circle_end() {
    check(
        &[(
            "main.tf",
            "locals {\n  a = local.b\n  b = local.a\n}\nresource \"aws_eks_cluster\" \"a\" {\n  name    = \"a\"\n  version = local.a\n}\n",
        )],
        &[
            "cluster a ?",
            "not read @main.tf:3:7: the version of cluster \"a\" is not known: local.a refers to itself",
        ],
    );
    check(
        &[
            ("main.tf", "module \"m\" { source = \"./m\" }\n"),
            ("m/main.tf", "module \"n\" { source = \"../n\" }\n"),
            ("n/main.tf", &format!("module \"m\" {{ source = \"../m\" }}\n{CLUSTER}")),
        ],
        &[
            "cluster a 1.34 @n/main.tf:4:13",
            "not read @n/main.tf:1:1: module.m.module.n.module.m: the module calls itself",
        ],
    );
}

#[test]
fn a_variable_without_a_value_is_said() {
    check(
        &[(
            "main.tf",
            "variable \"v\" {}\nresource \"aws_eks_cluster\" \"a\" {\n  name    = \"a\"\n  version = var.v\n}\n",
        )],
        &[
            "cluster a ?",
            "not read @main.tf:4:13: the version of cluster \"a\" is not known: variable v has no default, and no *.tfvars beside it gives it a value",
        ],
    );
}

#[test]
fn a_version_that_is_none_is_said() {
    for (version, words) in [
        ("\"one\"", "`one` is not a Kubernetes version"),
        ("1.30", "1.30 without quotes"),
        ("true", "is not a text"),
        ("[\"1.34\"]", "is not a text"),
        ("\"2.0\"", "no other major version"),
    ] {
        let text =
            format!("resource \"aws_eks_cluster\" \"a\" {{\n  name    = \"a\"\n  version = {version}\n}}\n");
        let declared = crate::read(&[("main.tf", &text)]);
        let [unread] = declared.unread.as_slice() else { panic!("{version}: {declared:?}") };
        assert!(unread.reason.contains(words) && unread.at.line == 3, "{version}: {unread:?}");
    }
}

#[test]
fn a_broken_declaration_is_said_and_a_broken_text_is_not() {
    check(
        &[
            (
                "a.yaml",
                "apiVersion: eksctl.io/v1alpha5\nkind: ClusterConfig\nmetadata: {name: a\n---\napiVersion: eksctl.io/v1alpha5\nkind: ClusterConfig\nmetadata: {name: b, version: '1.34'}\n",
            ),
            ("b.yaml", "a: [\n"),
            ("c.json", "{\"a\": }"),
        ],
        &[
            "cluster b 1.34 @a.yaml:7:30",
            "not read @a.yaml:3:1: it declares a ClusterConfig and cannot be parsed: unclosed bracket '{'",
        ],
    );
}

#[test]
fn bytes_that_are_no_text_are_said() {
    let mut tree = Tree::new();
    tree.add("main.tf", b"resource \"a\" \"\xFF\" {}".as_slice());
    let declared = tree.read();
    assert_eq!(declared.unread[0].reason, "it is not UTF-8 text; convert it to UTF-8");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn no_text_panics(text in "(?s).{0,400}") {
        for name in ["a.tf", "a.yaml", "a.json", "a.tfvars", "a.tf.json", "Chart.yaml"] {
            let mut tree = Tree::new();
            tree.add(name, text.as_bytes());
            let _declared = tree.read();
        }
    }

    #[test]
    fn broken_parts_of_a_real_file_never_panic(cut in 0usize..1200, keep in 0usize..1200) {
        let text = include_str!("terraform.rs");
        let part: String = text.chars().skip(cut * 5).take(keep).collect();
        let mut tree = Tree::new();
        tree.add("main.tf", part.as_bytes());
        tree.add("terraform.tfvars", CLUSTER);
        let _declared = tree.read();
    }
}
