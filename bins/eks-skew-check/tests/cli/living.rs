//! Living with findings: suppressions, baselines, changes.

use std::process::Command;

use crate::harness::{BROKEN, GOOD, PDB, Ran, Report, Tree};

#[test]
fn suppressions_need_a_reason_and_expire() {
    // row 45
    let tree = Tree::new(&[("a/x.yaml", PDB), ("b/x.yaml", PDB), ("c/t.yaml", BROKEN)]);
    let with = |config: &str, args: &[&str]| {
        tree.write(".eks-skew-check.yaml", config.as_bytes());
        tree.report(args)
    };
    let states = |report: &Report| -> Vec<String> {
        report.value["suppressions"]
            .as_array()
            .unwrap()
            .iter()
            .map(|s| s["state"].as_str().unwrap().to_owned())
            .collect()
    };
    let report = with(
        "suppress:\n- rule: API001\n  path: a/**\n  reason: goes away\n- rule: unread\n  path: c/\n  reason: a sketch\n",
        &[],
    );
    assert_eq!(
        (report.findings(), report.unread().len()),
        (vec!["b/x.yaml:1:13 API001 removed".to_owned()], 0)
    );
    assert_eq!((&report.value["summary"]["suppressed"], states(&report).len()), (&2.into(), 0));
    for by in
        ["kind: PodDisruptionBudget", "name: web", "namespace: shop", "rule: API001", "path: '*/x.yaml'"]
    {
        assert!(with(&format!("suppress:\n- {by}\n  reason: r\n"), &[]).findings().is_empty(), "{by}");
    }
    for by in ["kind: Ingress", "name: other", "namespace: other", "rule: API002", "path: '*.yaml'"] {
        let report = with(&format!("suppress:\n- {by}\n  reason: r\n"), &[]);
        assert_eq!((report.findings().len(), states(&report)), (2, vec!["unused".to_owned()]), "{by}");
    }
    let report = with("suppress:\n- rule: API001\n  until: \"2020-01-01\"\n  reason: r\n", &[]);
    assert_eq!((report.findings().len(), states(&report)), (2, vec!["expired".to_owned()]));
    assert!(with("suppress:\n- rule: API001\n  until: 2999-01-01\n  reason: r\n", &[]).findings().is_empty());
    // Only a part was looked at: nothing is said about the rest.
    let report = with("suppress:\n- rule: API001\n  path: a/**\n  reason: r\n", &["b"]);
    assert_eq!((report.findings().len(), states(&report).len()), (1, 0));
    // From a folder below, the globs still start at the configuration.
    tree.write(".eks-skew-check.yaml", b"suppress:\n- path: a/x.yaml\n  reason: r\n");
    let mut below = tree.command(&["files", "--from=1.24", "--to=1.25", "-o=json"]);
    below.current_dir(tree.root.path().join("a"));
    assert!(Ran::from(below.output().unwrap()).report().findings().is_empty());
    for (config, says) in [
        ("supress: []\n", "supress"),
        ("suppress:\n- rule: API001\n", "reason"),
        ("suppress:\n- rule: API999\n  reason: r\n", "API999"),
        ("suppress:\n- rule: API001\n  until: soon\n  reason: r\n", "until"),
        ("suppress:\n- path: 'a[/x'\n  reason: r\n", "glob"),
        ("to: 1.30\n", "quotes"),
        ("a: b: c\n", "wrong"),
    ] {
        tree.write(".eks-skew-check.yaml", config.as_bytes());
        let ran = tree.run(&["files"]);
        assert!(
            ran.code == 2 && ran.err.contains(says) && ran.err.contains(".eks-skew-check.yaml"),
            "{config}: {} {}",
            ran.code,
            ran.err
        );
    }
    assert_eq!(tree.run(&["files", "--no-config"]).code, 1, "a broken configuration can be left out");
}

#[test]
fn comments_suppress_in_their_document() {
    // row 45
    let text = format!(
        "# eks-skew-check: ignore API001 until=2999-01-01 reason=the chart goes away\n{PDB}---\n{PDB}"
    );
    let tree = Tree::new(&[("a.yaml", &text)]);
    assert_eq!(tree.report(&[]).findings(), ["a.yaml:8:13 API001 removed"]);
    let inline = PDB.replace("v1beta1", "v1beta1 # eks-skew-check: ignore API001 reason=x");
    tree.write("a.yaml", inline.as_bytes());
    assert!(tree.report(&[]).findings().is_empty());
    for (comment, state) in [
        ("ignore API001", "invalid"),
        ("ignore API001 reason=", "invalid"),
        ("ignore API999 reason=x", "invalid"),
        ("skip API001 reason=x", "invalid"),
        ("ignore API001 until=tomorrow reason=x", "invalid"),
        ("ignore API001 until=2020-01-01 reason=x", "expired"),
        ("ignore API002 reason=x", "unused"),
    ] {
        tree.write("a.yaml", format!("{PDB}# eks-skew-check: {comment}\n").as_bytes());
        let report = tree.report(&[]);
        assert_eq!(
            (report.findings().len(), report.value["suppressions"][0]["state"].as_str()),
            (1, Some(state)),
            "{comment}"
        );
    }
}

#[test]
fn a_baseline_lets_only_what_is_new_fail() {
    // row 45
    let tree = Tree::new(&[("a.yaml", PDB), ("bad.yaml", BROKEN)]);
    let written = tree.report(&["--write-baseline"]);
    assert_eq!((written.verdict(), &written.value["summary"]["known"]), (("pass", 0), &2.into()));
    let args = ["--baseline", ".eks-skew-check-baseline.json"];
    assert_eq!(tree.report(&args).verdict(), ("pass", 0));
    // Edits elsewhere in the file do not make it new; a second one does.
    tree.write("a.yaml", format!("# a line more\n{PDB}").as_bytes());
    assert_eq!(tree.report(&args).verdict(), ("pass", 0));
    tree.write("a.yaml", format!("{PDB}---\n{PDB}").as_bytes());
    assert_eq!(tree.report(&args).findings(), ["a.yaml:7:13 API001 removed"]);
    tree.write("a.yaml", GOOD.as_bytes());
    tree.write("worse.yaml", BROKEN.as_bytes());
    assert_eq!(tree.report(&args).unread(), ["worse.yaml:1"]);
    for (text, says) in
        [("{}", "wrong"), ("{\"schema\":\"x\",\"findings\":{},\"unread\":{}}", "another kind")]
    {
        tree.write("b.json", text.as_bytes());
        let ran = tree.run(&["files", "a.yaml", "--baseline", "b.json"]);
        assert!(ran.code == 2 && ran.err.contains(says), "{}", ran.err);
    }
    assert_eq!(tree.run(&["files", "a.yaml", "--baseline", "none.json"]).code, 2);
}

#[test]
fn a_change_is_held_against_its_merge_base() {
    // row 16
    let tree =
        Tree::new(&[("old.yaml", PDB), ("moved.yaml", PDB), ("sub/same.yaml", PDB), ("notes.md", "x")]);
    tree.git(&["init", "-q"]);
    tree.git(&["add", "-A"]);
    tree.git(&["commit", "-qm", "one"]);
    tree.git(&["checkout", "-qb", "change"]);
    let report = tree.report(&["--base", "main"]);
    assert_eq!((report.verdict(), &report.value["scanned"]["files"]), (("pass", 0), &0.into()));
    tree.write("old.yaml", format!("# edited\n{PDB}").as_bytes());
    tree.git(&["mv", "moved.yaml", "sub/moved.yaml"]);
    tree.write("sub/new.yaml", PDB.as_bytes());
    tree.write("notes.md", b"y");
    tree.git(&["add", "-A"]);
    tree.git(&["commit", "-qm", "two"]);
    tree.write("untracked.yaml", PDB.as_bytes());
    tree.write("bad.yaml", BROKEN.as_bytes());
    let report = tree.report(&["--base", "main"]);
    assert_eq!(report.findings(), ["sub/new.yaml:1:13 API001 removed", "untracked.yaml:1:13 API001 removed"]);
    assert_eq!(report.unread(), ["bad.yaml:1"]);
    assert_eq!(report.value["summary"]["known"], 2);
    // main goes on: the merge base stays.
    tree.git(&["stash", "-qu"]);
    tree.git(&["checkout", "-q", "main"]);
    tree.write("old.yaml", GOOD.as_bytes());
    tree.git(&["commit", "-qam", "main goes on"]);
    tree.git(&["checkout", "-q", "change"]);
    assert_eq!(tree.report(&["--base", "main"]).findings(), ["sub/new.yaml:1:13 API001 removed"]);
    // From a folder below, and within paths.
    let mut below = tree.command(&["files", "--from=1.24", "--to=1.25", "-o=json", "--base=main"]);
    below.current_dir(tree.root.path().join("sub"));
    assert_eq!(Ran::from(below.output().unwrap()).report().findings(), ["new.yaml:1:13 API001 removed"]);
    assert!(tree.report(&["--base", "main", "old.yaml"]).findings().is_empty());
    for base in ["nowhere", "-x"] {
        let ran = tree.run(&["files", &format!("--base={base}")]);
        assert!(ran.code == 2 && ran.err.contains(base), "{}", ran.err);
    }
    let no_repository = Tree::new(&[("a.yaml", PDB)]);
    assert_eq!(no_repository.run(&["files", "--base=main"]).code, 2);
}

#[test]
fn a_change_is_read_whole() {
    // Named files of any name, links, repositories within; and what is in no change is refused.
    let tree = Tree::new(&[("a.yaml", GOOD), ("odd", GOOD), ("sub/b.yaml", GOOD)]);
    tree.git(&["init", "-q"]);
    tree.git(&["add", "-A"]);
    tree.git(&["commit", "-qm", "one"]);
    tree.write("odd", PDB.as_bytes());
    tree.write("nested/c.yaml", PDB.as_bytes());
    let nested =
        Command::new("git").args(["init", "-q", "nested"]).current_dir(tree.root.path()).status().unwrap();
    assert!(nested.success());
    assert_eq!(tree.report(&["--base", "main", "odd"]).findings(), ["odd:1:13 API001 removed"]);
    assert_eq!(tree.report(&["--base", "main"]).findings(), ["nested/c.yaml:1:13 API001 removed"]);
    // A file whose name no line can hold, and one that is no manifest, keep nothing from being read.
    tree.write("pic\nture.png", b"x");
    tree.git(&["add", "pic\nture.png"]);
    tree.git(&["commit", "-qm", "two"]);
    tree.write("pic\nture.png", b"y");
    assert_eq!(tree.report(&["--base", "main~1"]).findings(), ["nested/c.yaml:1:13 API001 removed"]);
    let outside = Tree::new(&[("d.yaml", PDB)]);
    let elsewhere = outside.root.path().join("d.yaml");
    for (path, says) in
        [("-", "standard input"), ("gone.yaml", "not there"), (elsewhere.to_str().unwrap(), "outside")]
    {
        let ran = tree.run(&["files", "--base", "main", path]);
        assert!(ran.code == 2 && ran.err.contains(says), "{path}: {} {}", ran.code, ran.err);
    }
    let ran = outside.run(&["files", "--base", "main"]);
    assert!(ran.code == 2 && ran.err.contains("in no repository"), "{}", ran.err);
}

#[test]
fn what_became_graver_is_not_known() {
    let branch = format!("{{{{- if .Capabilities.x }}}}\n{PDB}{{{{- end }}}}\n");
    let tree = Tree::new(&[("a.yaml", &branch)]);
    assert_eq!(tree.report(&["--write-baseline"]).verdict(), ("pass", 0));
    tree.write("a.yaml", PDB.as_bytes());
    assert_eq!(tree.report(&["--baseline", ".eks-skew-check-baseline.json"]).verdict(), ("blocked", 1));
}

#[test]
fn a_baseline_that_cannot_be_written_loses_no_report() {
    let tree = Tree::new(&[("a.yaml", PDB)]);
    let ran = tree.run(&[
        "files",
        "--from=1.24",
        "--to=1.25",
        "--write-baseline",
        "--baseline",
        "no/such/b.json",
        "-o=json",
    ]);
    assert!(
        ran.code == 2 && ran.out.contains("API001") && ran.err.contains("no/such/b.json"),
        "{}{}",
        ran.out,
        ran.err
    );
    let report = tree.report(&["a.yaml", "gone.yaml", "--write-baseline"]);
    assert!(report.code != 0 && report.notes().contains("was not written"), "{}", report.notes());
    assert!(!tree.root.path().join(".eks-skew-check-baseline.json").exists());
}

#[test]
fn suppressions_cover_what_they_name_and_no_more() {
    let tree = Tree::new(&[(
        "a.yaml",
        &format!("# eks-skew-check: ignore unread reason=a sketch\n{BROKEN}---\n{BROKEN}"),
    )]);
    assert_eq!(tree.report(&[]).unread().len(), 1);
    tree.write(".eks-skew-check.yaml", b"suppress:\n- rule: unread\n  kind: Foo\n  reason: r\n");
    let ran = tree.run(&["files"]);
    assert!(ran.code == 2 && ran.err.contains("no kind"), "{}", ran.err);
    tree.write(".eks-skew-check.yaml", b"");
    // In a value it is no comment; behind the reason, `until` would never end.
    tree.write("a.yaml", format!("{PDB}note: \"a # eks-skew-check: ignore API001 reason=x\"\n").as_bytes());
    assert_eq!(tree.report(&[]).findings().len(), 1);
    tree.write(
        "a.yaml",
        format!("{PDB}# eks-skew-check: ignore API001 reason=later until=2020-01-01\n").as_bytes(),
    );
    let report = tree.report(&["a.yaml"]);
    assert_eq!(
        (report.findings().len(), report.value["suppressions"][0]["state"].as_str()),
        (1, Some("invalid"))
    );
    // From another folder, the globs mean the same files.
    tree.write("other/o.yaml", PDB.as_bytes());
    tree.write("here/h.yaml", GOOD.as_bytes());
    tree.write(".eks-skew-check.yaml", b"suppress:\n- path: other/**\n  reason: r\n");
    let mut beside = tree.command(&["files", "--from=1.24", "--to=1.25", "-o=json", "../other"]);
    beside.current_dir(tree.root.path().join("here"));
    assert!(Ran::from(beside.output().unwrap()).report().findings().is_empty());
}
