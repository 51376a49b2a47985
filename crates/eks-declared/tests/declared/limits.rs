//! Terraform that goes in circles, is nested without end, or doubles with each line: it is said, and it ends.

use std::ops::RangeInclusive;

use eks_declared::{Declared, Tree};

use crate::{check, lines};

const STACK: usize = if cfg!(debug_assertions) { 1600 << 10 } else { 800 << 10 };

/// A text for each number.
fn joined(numbers: RangeInclusive<u32>, text: impl Fn(u32) -> String) -> String {
    numbers.map(text).collect::<Vec<_>>().concat()
}

/// Reads files in a thread with no more stack than the smallest that a program starts with.
fn read(files: Vec<(String, String)>) -> Declared {
    let read = move || {
        let mut tree = Tree::new();
        for (path, text) in files {
            tree.add(path, text);
        }
        tree.read()
    };
    let thread = std::thread::Builder::new().stack_size(STACK).spawn(read).expect("a thread");
    thread.join().expect("it reads to the end")
}

fn cluster(version: &str) -> String {
    format!("resource \"aws_eks_cluster\" \"this\" {{\n  name    = \"shop\"\n  version = {version}\n}}\n")
}

fn eks(name: &str, version: &str) -> String {
    format!(
        "module \"{name}\" {{\n  source = \"terraform-aws-modules/eks/aws\"\n  cluster_version = {version}\n}}\n"
    )
}

/// What is unread of one file must be said with these words.
#[track_caller]
fn unread(text: &str, words: &str) {
    let declared = read(vec![("main.tf".to_owned(), text.to_owned())]);
    assert!(declared.unread.iter().any(|unread| unread.reason.contains(words)), "{text}\n{declared:?}");
    assert!(declared.clusters.iter().all(|cluster| cluster.control_plane.known().is_none()), "{declared:?}");
}

#[test]
fn references_that_go_round_end() {
    for text in [
        eks("eks", "module.eks.cluster_version"),
        eks("a", "module.b.cluster_version") + &eks("b", "module.a.cluster_version"),
        "data \"aws_ssm_parameter\" \"x\" {\n  name = data.aws_ssm_parameter.x.value\n}\n".to_owned()
            + &cluster("data.aws_ssm_parameter.x.value"),
        "data \"aws_ami\" \"x\" {\n  for_each   = data.aws_ami.x\n  name_regex = \"a\"\n}\n".to_owned()
            + &cluster("data.aws_ami.x[\"a\"].id"),
        cluster("aws_eks_cluster.this.version"),
        cluster("local.a") + "locals {\n  a = local.b\n  b = local.a\n}\n",
        cluster("var.v") + "variable \"v\" {\n  default = var.v\n}\n",
        "resource \"aws_x\" \"x\" {\n  for_each = aws_x.x[\"a\"].y\n  y = each.key\n}\n".to_owned()
            + &cluster("aws_x.x[\"a\"].y"),
    ] {
        let declared = read(vec![("main.tf".to_owned(), text.clone())]);
        assert!(!declared.unread.is_empty(), "{text}\n{declared:?}");
        assert!(declared.clusters.iter().all(|cluster| cluster.control_plane.known().is_none()), "{text}");
    }
    // Neither has these anything to say, but they must end too.
    for text in [
        "module \"m\" {\n  source = module.m.x\n}\n".to_owned(),
        eks("eks", "\"1.34\"").replace("}\n", "  cluster_name = module.eks.cluster_name\n}\n"),
        eks("eks", "\"1.34\"").replace("}\n", "  for_each = module.eks.cluster_name\n}\n"),
    ] {
        let _declared = read(vec![("main.tf".to_owned(), text)]);
    }
}

#[test]
fn modules_in_a_ring_are_read_all_the_same() {
    let cluster = cluster("\"1.33\"");
    check(
        &[
            ("a/main.tf", &format!("module \"b\" {{\n  source = \"../b\"\n}}\n{cluster}")),
            ("b/main.tf", "module \"c\" {\n  source = \"../c\"\n}\n"),
            ("c/main.tf", "module \"a\" {\n  source = \"../a\"\n}\n"),
        ],
        &[
            "cluster shop 1.33 @a/main.tf:6:13",
            "not read @c/main.tf:1:1: module.b.module.c.module.a: the module calls itself",
        ],
    );
}

#[test]
fn depth_is_counted_over_all_modules() {
    let nested = |open: &str, inner: &str, close: &str, depth: usize| {
        format!("{}{inner}{}", open.repeat(depth), close.repeat(depth))
    };
    for (open, close) in [
        ("upper(", ")"),
        ("[", "]"),
        ("{a = ", "}"),
        ("\"a${", "}\""),
        ("true ? ", " : 1"),
        ("[for x in [1] : ", "]"),
        ("{for x in [1] : \"a\" => ", "}"),
        ("{}[", "]"),
    ] {
        for depth in [60, 1] {
            let mut locals = "locals {\n  l300 = 1\n".to_owned();
            for n in 0..300 {
                locals += &format!("  l{n} = {}\n", nested(open, &format!("local.l{}", n + 1), close, depth));
            }
            unread(&(locals + "}\n" + &cluster("local.l0")), " ");
            let mut files =
                vec![("main.tf".to_owned(), "module \"m\" {\n  source = \"./m1\"\n}\n".to_owned())];
            for n in 1..60 {
                let value = nested(open, "local.x", close, depth);
                let local = nested(open, "var.v", close, depth);
                files.push((
                    format!("m{n}/main.tf"),
                    format!(
                        "variable \"v\" {{\n  default = 1\n}}\nlocals {{\n  x = {local}\n}}\nmodule \"m\" {{\n  source = \"../m{}\"\n  v = {value}\n}}\n{}",
                        n + 1,
                        cluster("var.v"),
                    ),
                ));
            }
            let declared = read(files);
            assert!(!declared.unread.is_empty() && !declared.clusters.is_empty());
        }
    }
}

#[test]
fn a_chain_of_modules_without_end_is_said() {
    let mut files = vec![("main.tf".to_owned(), "module \"m\" {\n  source = \"./m1\"\n}\n".to_owned())];
    for n in 1..3000 {
        files.push((format!("m{n}/main.tf"), format!("module \"m\" {{\n  source = \"../m{}\"\n}}\n", n + 1)));
    }
    files.push(("m3000/main.tf".to_owned(), cluster("\"1.34\"")));
    let declared = read(files);
    let [unread] = declared.unread.as_slice() else { panic!("{}", declared.unread.len()) };
    assert!(unread.reason.ends_with("too many modules call each other in a row"), "{unread:?}");
    assert_eq!((unread.at.file.as_str(), unread.at.line), ("m39/main.tf", 1));
}

#[test]
fn values_that_double_end_as_unread() {
    let doubling = |first: &str, next: &dyn Fn(&str) -> String| {
        let mut text = format!("locals {{\n  l0 = {first}\n");
        for n in 1..=40 {
            text += &format!("  l{n} = {}\n", next(&format!("local.l{}", n - 1)));
        }
        text + "}\n"
    };
    for (text, used) in [
        (doubling("[\"1.36\"]", &|l| format!("concat({l}, {l})")), "local.l40[0]"),
        (doubling("\"1.36\"", &|l| format!("\"${{{l}}}${{{l}}}\"")), "local.l40"),
        (doubling("\"1.36\"", &|l| format!("format(\"%s%s\", {l}, {l})")), "local.l40"),
        (doubling("\"aaaa\"", &|l| format!("replace({l}, \"a\", \"aaaaaaaa\")")), "local.l40"),
        (doubling("\"aaaa\"", &|l| format!("join({l}, [{l}, {l}])")), "local.l40"),
        (doubling("[\"1.36\"]", &|l| format!("[{l}, {l}]")), "flatten(local.l40)[0]"),
        (doubling("{ a = 1 }", &|l| format!("{{ a = {l}, b = {l} }}")), "local.l40.a"),
    ] {
        unread(&(text + &cluster(used)), " is not known: ");
    }
    let hundred = vec!["\"1.36\""; 100].join(", ");
    let loops = format!("{}\"1.36\"{}", "[for a in local.l : ".repeat(5), "]".repeat(5));
    unread(
        &format!("locals {{\n  l = [{hundred}]\n  x = {loops}\n}}\n{}", cluster("local.x[0]")),
        "too many steps",
    );
}

#[test]
fn calls_that_double_end_as_unread() {
    let mut files = vec![("main.tf".to_owned(), "module \"a\" {\n  source = \"./m1\"\n}\n".to_owned())];
    for n in 1..22 {
        let call = |name: &str| format!("module \"{name}\" {{\n  source = \"../m{}\"\n}}\n", n + 1);
        files.push((format!("m{n}/main.tf"), call("a") + &call("b")));
    }
    files.push(("m22/main.tf".to_owned(), cluster("\"1.34\"")));
    let declared = read(files);
    let [unread] = declared.unread.as_slice() else { panic!("{:?}", declared.unread) };
    assert!(unread.reason.contains("what comes after it: working it out takes too many steps"), "{unread:?}");
}

#[test]
fn what_one_root_takes_is_not_taken_from_the_others() {
    let bomb = "locals {\n".to_owned()
        + &joined(1..=40, |n| format!("  l{n} = concat(local.l{0}, local.l{0})\n", n - 1))
        + "  l0 = [1, 2]\n}\n"
        + &cluster("local.l40[0]");
    check(
        &[("a/main.tf", &bomb), ("b/main.tf", &cluster("\"1.34\""))],
        &[
            "cluster shop (a) ?",
            "cluster shop (b) 1.34 @b/main.tf:3:13",
            "not read @a/main.tf:41:9: the version of cluster \"shop\" is not known: working it out takes too many steps",
        ],
    );
}

#[test]
fn large_objects_and_long_lines_are_quick() {
    let keys = joined(0..=2499, |n| format!("    k{n} = \"1.34\"\n"));
    let doubled = "    k1 = \"1.33\"\n";
    let text = format!(
        "locals {{\n  m = {{\n{keys}{doubled}  }}\n  n = merge(local.m, local.m)\n}}\n{}",
        cluster("local.n.k1")
    );
    let declared = read(vec![("main.tf".to_owned(), text)]);
    assert_eq!(lines(&declared), ["cluster shop 1.33 @main.tf:2503:10"]);
    let keys = joined(0..=29_999, |n| format!("    k{n} = 1\n"));
    let text = format!("locals {{\n  m = {{\n{keys}{doubled}  }}\n}}\n{}", cluster("\"1.34\""));
    let declared = read(vec![("main.tf".to_owned(), text)]);
    assert_eq!(
        lines(&declared),
        ["not read @main.tf:2:1: it is not Terraform that can be read: an object has more than 10000 keys"]
    );
    // Everything in one line.
    let items = vec!["\"é\""; 60_000].join(", ");
    let text = format!("locals {{ l = [{items}, \"1.34\"] }}\n{}", cluster("local.l[60000]"));
    let declared = read(vec![("main.tf".to_owned(), text)]);
    assert_eq!(lines(&declared), ["cluster shop 1.34 @main.tf:1:300015"]);
}
