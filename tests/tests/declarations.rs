//! What files declare about clusters, through the program: found, planned, judged as a step.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use std::fs;
use std::path::Path;
use std::process::Command;

use eks_e2e::{Ran, fixtures, skew_check};
use eks_report::ExitCode;
use serde_json::Value;
use tempfile::TempDir;

const TODAY: jiff::civil::Date = jiff::civil::date(2026, 11, 24);

fn run(folder: &Path, args: &[&str]) -> Ran {
    skew_check(folder, TODAY, args, b"")
}

/// `RULE@HOP severity file:line` of each finding, and the places that were not read.
fn report(folder: &Path, args: &[&str]) -> (Vec<String>, Vec<String>, Value) {
    let mut all = vec!["files", "--output", "json"];
    all.extend(args);
    let ran = run(folder, &all);
    let value: Value =
        serde_json::from_str(&ran.out).unwrap_or_else(|error| panic!("{error}: {}{}", ran.out, ran.err));
    let text = |of: &Value, key: &str| of[key].as_str().unwrap_or_default().to_owned();
    let findings = value["findings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|f| {
            let hop = f["hop"].as_str().map_or_else(String::new, |hop| format!("@{hop}"));
            format!("{}{hop} {} {}:{}", text(f, "id"), text(f, "severity"), text(f, "file"), f["line"])
        })
        .collect();
    let unread = value["unread"]
        .as_array()
        .unwrap()
        .iter()
        .map(|u| format!("{}:{} {}", text(u, "file"), u["line"], text(u, "reason")))
        .collect();
    (findings, unread, value)
}

fn tree(files: &[(&str, &str)]) -> TempDir {
    let root = TempDir::new().unwrap();
    for (path, text) in files {
        write(root.path(), path, text);
    }
    root
}

fn write(root: &Path, path: &str, text: &str) {
    let path = root.join(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

fn git(root: &Path, args: &[&str]) {
    let done = Command::new("git")
        .args([
            "-c",
            "user.name=a",
            "-c",
            "user.email=a@b",
            "-c",
            "init.defaultBranch=main",
            "-c",
            "commit.gpgsign=false",
        ])
        .args(args)
        .current_dir(root)
        .output()
        .unwrap();
    assert!(done.status.success(), "git {args:?}: {}", String::from_utf8_lossy(&done.stderr));
}

/// The findings of a change from some files to others.
fn change(before: &[(&str, &str)], after: &[(&str, &str)]) -> Vec<String> {
    let root = tree(before);
    git(root.path(), &["init", "-q"]);
    git(root.path(), &["add", "-A"]);
    git(root.path(), &["commit", "-qm", "base"]);
    for (path, _) in before {
        fs::remove_file(root.path().join(path)).unwrap();
    }
    for (path, text) in after {
        write(root.path(), path, text);
    }
    report(root.path(), &["--base", "HEAD", "--to", "1.37", "--no-config"]).0
}

fn config(version: &str, more: &str) -> String {
    format!(
        "apiVersion: eksctl.io/v1alpha5\nkind: ClusterConfig\nmetadata:\n  name: shop\n  version: \"{version}\"\n{more}"
    )
}

#[test]
fn an_estate_is_judged_cluster_by_cluster() {
    let ran = run(&fixtures().join("estate"), &["files", "--to", "1.37", "--no-config"]);
    assert_eq!((ran.code, ran.err.as_str()), (ExitCode::Blocked, ""));
    insta::assert_snapshot!("estate", ran.out);
}

#[test]
fn its_json_keeps_the_contract() {
    let ran = run(&fixtures().join("estate"), &["files", "--to", "1.37", "--output", "json"]);
    let schema: Value = serde_json::from_str(eks_report::JSON_SCHEMA).unwrap();
    let report: Value = serde_json::from_str(&ran.out).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let errors: Vec<String> = validator.iter_errors(&report).map(|error| error.to_string()).collect();
    assert!(errors.is_empty(), "{errors:?}");
    assert!(
        report["findings"]
            .as_array()
            .unwrap()
            .iter()
            .any(|f| f["cluster"] == "shop (terraform/shop, env/prod.tfvars)")
    );
}

#[test]
fn the_json_of_a_plan_keeps_the_contract() {
    let ran = run(&fixtures().join("estate"), &["plan", "--to", "1.37", "--output", "json", "--no-config"]);
    let schema: Value = serde_json::from_str(eks_report::PLAN_SCHEMA).unwrap();
    let plan: Value = serde_json::from_str(&ran.out).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let errors: Vec<String> = validator.iter_errors(&plan).map(|error| error.to_string()).collect();
    assert!(errors.is_empty(), "{errors:?}");
    assert!(plan["clusters"].as_array().is_some_and(|clusters| clusters.len() > 1));
}

#[test]
fn every_form_carries_the_new_findings() {
    for form in ["sarif", "github", "gitlab", "junit", "markdown", "csv"] {
        let ran = run(&fixtures().join("estate"), &["files", "--to", "1.37", "--output", form]);
        for id in ["SKEW001", "ADDON007", "CAL001"] {
            assert!(ran.out.contains(id), "{form} lacks {id}");
        }
    }
}

#[test]
fn a_plan_says_what_changes_where() {
    let folder = fixtures().join("estate");
    let ran = run(
        &folder,
        &[
            "plan",
            "terraform",
            "--to",
            "1.37",
            "--addons",
            "plans/addons.json",
            "--addons-as-of",
            "2026-11-20",
        ],
    );
    assert_eq!((ran.code, ran.err.as_str()), (ExitCode::Incomplete, ""));
    insta::assert_snapshot!("plan", ran.out);
    let ran = run(
        &folder,
        &[
            "plan",
            "eksctl",
            "--to",
            "1.35",
            "--nodes",
            "lazy",
            "-o",
            "markdown",
            "--addons",
            "plans/addons.json",
            "--addons-as-of",
            "2026-11-20",
        ],
    );
    assert_eq!((ran.code, ran.err.as_str()), (ExitCode::Passed, ""));
    insta::assert_snapshot!("plan_markdown", ran.out);
    let ran = run(&folder, &["plan", "eksctl", "--to", "1.35", "-o", "json"]);
    let plan: Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!(plan["schema"], "eks-skew-check-plan/1");
    let hops: Vec<&str> = plan["clusters"][0]["hops"]
        .as_array()
        .unwrap()
        .iter()
        .map(|hop| hop["to"].as_str().unwrap())
        .collect();
    assert_eq!(hops, ["1.34", "1.35"]);
    let edit = &plan["clusters"][0]["hops"][0]["controlPlane"];
    assert_eq!(
        (&edit["file"], &edit["line"], &edit["to"][0]),
        (&"eksctl/tools.yaml".into(), &6.into(), &"1.34".into())
    );
}

#[test]
fn a_plan_needs_a_cluster_and_knows_when_there_is_nothing_to_do() {
    let root = tree(&[("a.yaml", "apiVersion: v1\nkind: ConfigMap\n")]);
    let ran = run(root.path(), &["plan", ".", "--to", "1.37"]);
    assert_eq!(ran.code, ExitCode::CouldNotStart);
    assert!(ran.err.contains("no cluster is declared"), "{}", ran.err);
    let root = tree(&[("c.yaml", &config("1.37", ""))]);
    let ran = run(root.path(), &["plan", "--to", "1.36"]);
    assert_eq!(ran.code, ExitCode::Passed);
    assert!(ran.out.contains("there is no hop to 1.36"), "{}", ran.out);
    let root = tree(&[(
        "main.tf",
        "variable \"v\" {}\nresource \"aws_eks_cluster\" \"a\" {\n  version = var.v\n}\n",
    )]);
    let ran = run(root.path(), &["plan", "--to", "1.36"]);
    assert_eq!(ran.code, ExitCode::Incomplete);
    assert!(ran.out.contains("say it with --from") && ran.out.contains("main.tf:3"), "{}", ran.out);
    assert_eq!(run(root.path(), &["plan", "-o", "xml"]).code, ExitCode::CouldNotStart);
}

#[test]
fn the_window_starts_where_the_files_say() {
    let pdb = "apiVersion: storage.k8s.io/v1beta1\nkind: VolumeAttributesClass\nmetadata: {name: gold}\n";
    let root = tree(&[("c.yaml", &config("1.34", "")), ("pdb.yaml", pdb)]);
    let (findings, _, value) = report(root.path(), &["--to", "1.37"]);
    assert_eq!(value["from"], "1.34");
    assert!(value["notes"].to_string().contains("the version that the files declare"), "{}", value["notes"]);
    assert!(findings.iter().any(|f| f.starts_with("API001@1.37 block pdb.yaml:1")), "{findings:?}");
    // Several: from the lowest, and it is said.
    write(root.path(), "d.yaml", &config("1.35", "").replace("shop", "other"));
    let (_, _, value) = report(root.path(), &["--to", "1.37"]);
    assert_eq!(value["from"], "1.34");
    assert!(value["notes"].to_string().contains("1.34, 1.35"), "{}", value["notes"]);
    // A word from outside wins for APIs; the cluster is still judged from its own.
    let (_, _, value) = report(root.path(), &["--from", "1.36", "--to", "1.37"]);
    assert_eq!(value["from"], "1.36");
    // A cluster beyond the end has no hop, and does not move the start.
    let root = tree(&[("c.yaml", &config("1.37", ""))]);
    let (findings, _, value) = report(root.path(), &["--to", "1.36"]);
    assert_eq!((value["from"].as_str(), findings), (Some("1.35"), Vec::new()));
}

#[test]
fn what_cannot_be_resolved_fails_the_gate_and_can_be_allowed_or_suppressed() {
    let main =
        "variable \"v\" {}\nresource \"aws_eks_cluster\" \"a\" {\n  name    = \"a\"\n  version = var.v\n}\n";
    let root = tree(&[("main.tf", main)]);
    let ran = run(root.path(), &["files", "--to", "1.37"]);
    assert_eq!(ran.code, ExitCode::Incomplete, "{}", ran.out);
    assert!(ran.out.contains("main.tf:4: the version of cluster \"a\" is not known"), "{}", ran.out);
    assert_eq!(run(root.path(), &["files", "--to", "1.37", "--allow-unread"]).code, ExitCode::Passed);
    write(root.path(), "terraform.tfvars", "v = \"1.36\"\n");
    assert_eq!(run(root.path(), &["files", "--to", "1.37"]).code, ExitCode::Passed);
}

#[test]
fn unknown_is_never_a_pass_however_mild_the_gate() {
    let addons = "addons:\n- name: coredns\n  version: v1.99.0-eksbuild.1\n";
    let root = tree(&[("c.yaml", &config("1.36", addons))]);
    for gate in [&["--fail-on", "none"][..], &["--fail-on", "warn"], &["--allow-unread"]] {
        let mut args = vec!["files", "--to", "1.36"];
        args.extend(gate);
        assert_eq!(run(root.path(), &args).code, ExitCode::Incomplete, "{gate:?}");
    }
    write(
        root.path(),
        ".eks-skew-check.yaml",
        "suppress:\n- rule: ADDON003\n  reason: seen in the console\n",
    );
    assert_eq!(run(root.path(), &["files", "--to", "1.36"]).code, ExitCode::Passed);
}

#[test]
fn a_catalogue_from_outside_settles_what_the_table_does_not_know() {
    let addons = "addons:\n- name: coredns\n  version: v1.13.2-eksbuild.31\n";
    let root = tree(&[("c.yaml", &config("1.35", addons))]);
    let capture = fixtures().join("estate/plans/addons.json");
    let capture = capture.to_str().unwrap();
    let ids = |args: &[&str]| -> Vec<String> {
        report(root.path(), args).0.into_iter().filter(|f| f.starts_with("ADDON")).collect()
    };
    assert_eq!(ids(&["--to", "1.37"]), ["ADDON003@1.36 unknown c.yaml:8"]);
    let with = ["--to", "1.37", "--addons", capture, "--addons-as-of", "2026-11-20"];
    assert_eq!(ids(&with), ["ADDON001@1.36 block c.yaml:8"]);
    let (_, _, value) = report(root.path(), &with);
    let finding = value["findings"].as_array().unwrap().iter().find(|f| f["id"] == "ADDON001").unwrap();
    assert!(finding["message"].as_str().unwrap().contains("by the catalogue of 2026-11-20"), "{finding}");
    assert_eq!(finding["remedy"], "move it to v1.15.0-eksbuild.1 before the hop 1.35 → 1.36");
    // In the configuration too, from its own folder on.
    write(root.path(), "captured.json", &fs::read_to_string(capture).unwrap());
    write(root.path(), ".eks-skew-check.yaml", "addons: {file: captured.json, as-of: \"2026-11-20\"}\n");
    assert_eq!(ids(&["--to", "1.37"]), ["ADDON001@1.36 block c.yaml:8"]);
    for (args, words) in [
        (["--addons", "no.json", "--addons-as-of", "2026-11-20"], "no.json"),
        (["--addons", "c.yaml", "--addons-as-of", "2026-11-20"], "describe-addon-versions"),
        (["--addons", "captured.json", "--addons-as-of", "soon"], "addons-as-of"),
    ] {
        let mut all = vec!["files", "--to", "1.37"];
        all.extend(args);
        let ran = run(root.path(), &all);
        assert!(ran.code == ExitCode::CouldNotStart && ran.err.contains(words), "{args:?}: {}", ran.err);
    }
    assert_eq!(run(root.path(), &["files", "--addons", "captured.json"]).code, ExitCode::CouldNotStart);
}

#[test]
fn a_change_is_judged_as_a_step() {
    let ack = |cluster: &str, nodes: &str| {
        format!(
            "apiVersion: eks.services.k8s.aws/v1alpha1\nkind: Cluster\nmetadata: {{name: shop}}\nspec: {{name: shop, version: \"{cluster}\"}}\n---\n\
             apiVersion: eks.services.k8s.aws/v1alpha1\nkind: Nodegroup\nmetadata: {{name: web}}\nspec: {{name: web, clusterName: shop, version: \"{nodes}\"}}\n"
        )
    };
    // (control plane, nodes) before and after.
    for (before, after, expected) in [
        (("1.35", "1.35"), ("1.36", "1.35"), &[][..]),
        (("1.35", "1.35"), ("1.37", "1.35"), &["SKEW007 block a.yaml:4"]),
        (("1.35", "1.35"), ("1.36", "1.36"), &["SKEW008 warn a.yaml:9"]),
        (("1.35", "1.35"), ("1.35", "1.36"), &["SKEW001 block a.yaml:9"]),
        (("1.36", "1.36"), ("1.35", "1.35"), &["SKEW007 warn a.yaml:4", "SKEW008 block a.yaml:9"]),
        (("1.36", "1.35"), ("1.35", "1.35"), &["SKEW007 warn a.yaml:4"]),
        // What was wrong before is known, and not said again.
        (("1.35", "1.30"), ("1.36", "1.30"), &[]),
    ] {
        let (before, after) = (ack(before.0, before.1), ack(after.0, after.1));
        assert_eq!(change(&[("a.yaml", &before)], &[("a.yaml", &after)]), expected, "{before} to {after}");
    }
}

#[test]
fn a_change_of_addons_is_judged_as_a_step() {
    let with = |minor: &str, version: &str| {
        config(minor, &format!("addons:\n- name: vpc-cni\n  version: {version}\n"))
    };
    for (before, after, expected) in [
        (("1.35", "v1.19.0-eksbuild.1"), ("1.35", "v1.21.1-eksbuild.7"), &["ADDON004 block c.yaml:8"][..]),
        (("1.35", "v1.21.1-eksbuild.7"), ("1.35", "v1.20.1-eksbuild.3"), &["ADDON006 warn c.yaml:8"]),
        (("1.28", "v1.11.4-eksbuild.1"), ("1.29", "v1.11.4-eksbuild.1"), &["ADDON005@1.29 block c.yaml:8"]),
    ] {
        let (before, after) = (with(before.0, before.1), with(after.0, after.1));
        let found: Vec<String> = change(&[("c.yaml", &before)], &[("c.yaml", &after)])
            .into_iter()
            .filter(|f| !f.contains("unknown") && !f.starts_with("CAL"))
            .collect();
        assert_eq!(found, expected, "{before} to {after}");
    }
}

#[test]
fn a_change_far_from_the_module_is_seen_and_one_elsewhere_is_not_looked_for() {
    let module = (
        "m/main.tf",
        "variable \"v\" {}\nresource \"aws_eks_cluster\" \"this\" {\n  name    = \"a\"\n  version = var.v\n}\n",
    );
    let call = |v: &str| format!("module \"m\" {{\n  source = \"../m\"\n  v      = \"{v}\"\n}}\n");
    let found =
        change(&[module, ("live/main.tf", &call("1.34"))], &[module, ("live/main.tf", &call("1.36"))]);
    assert_eq!(found, ["SKEW007 block live/main.tf:3"]);
    // Moved and kept: nothing. Deleted: nothing. New: no step.
    let old = config("1.36", "");
    assert_eq!(change(&[("a/c.yaml", &old)], &[("b/c.yaml", &old)]), Vec::<String>::new());
    assert_eq!(change(&[("a/c.yaml", &old), ("x.txt", "")], &[("x.txt", "")]), Vec::<String>::new());
    // A cluster that is broken and not touched is nobody's business here.
    let broken = config("1.29", "");
    let manifest = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n";
    assert_eq!(
        change(
            &[("c.yaml", &broken), ("m.yaml", manifest)],
            &[("c.yaml", &broken), ("m.yaml", &format!("{manifest}data: {{}}\n"))]
        ),
        Vec::<String>::new()
    );
}

#[test]
fn comments_and_the_configuration_suppress() {
    let group = |comment: &str| {
        format!(
            "resource \"aws_eks_cluster\" \"a\" {{\n  name    = \"a\"\n  version = \"1.36\"\n}}\n{comment}resource \"aws_eks_node_group\" \"b\" {{\n  cluster_name = \"a\"\n  version      = \"1.32\"\n}}\n"
        )
    };
    let root = tree(&[("main.tf", &group(""))]);
    assert_eq!(report(root.path(), &["--to", "1.36"]).0, ["SKEW003 block main.tf:7"]);
    write(root.path(), "main.tf", &group("# eks-skew-check: ignore SKEW003 reason=rolled tomorrow\n"));
    assert_eq!(report(root.path(), &["--to", "1.36"]).0, Vec::<String>::new());
    write(root.path(), "main.tf", &group("// eks-skew-check: ignore SKEW001 reason=wrong rule\n"));
    let (findings, _, value) = report(root.path(), &["--to", "1.36"]);
    assert_eq!((findings.len(), value["suppressions"][0]["state"].as_str()), (1, Some("unused")));
    write(root.path(), "main.tf", &group(""));
    write(
        root.path(),
        ".eks-skew-check.yaml",
        "suppress:\n- rule: SKEW003\n  kind: aws_eks_node_group\n  reason: rolled tomorrow\n",
    );
    assert_eq!(report(root.path(), &["--to", "1.36"]).0, Vec::<String>::new());
}

#[test]
fn every_rule_finds_its_example() {
    let rules = eks_skew::rules::ALL.into_iter().chain(eks_addons::rules::ALL);
    for rule in rules {
        let (from, to) = (format!("1.{}", rule.example.from), format!("1.{}", rule.example.to));
        let found = if let Some(before) = rule.example.before {
            change(&[("x.yaml", before)], &[("x.yaml", rule.example.text)])
        } else {
            let root = tree(&[("x.yaml", rule.example.text)]);
            report(root.path(), &["--from", &from, "--to", &to, "--no-config"]).0
        };
        assert!(found.iter().any(|f| f.starts_with(rule.id)), "{}: {found:?}", rule.id);
        for text in [rule.title, rule.checks, rule.why, rule.since_until, rule.source] {
            assert!(!text.is_empty(), "{} has an empty heading", rule.id);
        }
    }
}

#[test]
fn the_number_of_threads_changes_nothing() {
    let folder = fixtures().join("estate");
    let one = run(&folder, &["files", "--to", "1.37", "-j", "1", "-o", "json"]);
    for _ in 0..5 {
        assert_eq!(run(&folder, &["files", "--to", "1.37", "-j", "4", "-o", "json"]).out, one.out);
    }
}

/// A control plane and its nodes as ACK declares them.
fn ack(control_plane: &str, nodes: &str) -> String {
    format!(
        "apiVersion: eks.services.k8s.aws/v1alpha1\nkind: Cluster\nmetadata: {{name: shop}}\nspec: {{name: shop, version: \"{control_plane}\"}}\n---\napiVersion: eks.services.k8s.aws/v1alpha1\nkind: Nodegroup\nmetadata: {{name: web}}\nspec: {{name: web, clusterName: shop, version: \"{nodes}\"}}\n"
    )
}

#[test]
fn a_change_that_leaves_the_nodes_behind_is_new_though_they_would_have_been() {
    // Three behind is allowed, and the finding about 1.37 was there before.
    let found = change(&[("c.yaml", &ack("1.36", "1.33"))], &[("c.yaml", &ack("1.37", "1.33"))]);
    assert_eq!(found, ["SKEW003 block c.yaml:9"]);
    // Nothing becomes worse.
    let found = change(&[("c.yaml", &ack("1.36", "1.33"))], &[("c.yaml", &ack("1.36", "1.33"))]);
    assert_eq!(found, [""; 0]);
}

#[test]
fn a_baseline_does_not_hide_what_begins_to_bite() {
    let root = tree(&[("c.yaml", &ack("1.36", "1.33"))]);
    let args = ["files", "--to", "1.37", "--no-config"];
    run(root.path(), &[&args[..], &["--write-baseline"]].concat());
    let with = [&args[..], &["--baseline", ".eks-skew-check-baseline.json"]].concat();
    assert_eq!(run(root.path(), &with).code, ExitCode::Passed);
    write(root.path(), "c.yaml", &ack("1.37", "1.33"));
    assert_eq!(run(root.path(), &with).code, ExitCode::Blocked);
}

#[test]
fn an_addon_that_nothing_is_known_of_does_not_pass_a_hop() {
    let addon = "addons:\n- name: coredns\n  version: v1.99.0-eksbuild.1\n";
    let found = change(&[("c.yaml", &config("1.35", addon))], &[("c.yaml", &config("1.36", addon))]);
    assert_eq!(found, ["ADDON003@1.36 unknown c.yaml:8"]);
}

#[test]
fn a_moved_file_brings_nothing_new_and_a_new_environment_is_no_move() {
    let old = ack("1.36", "1.33");
    let root = tree(&[("a/c.yaml", &old)]);
    git(root.path(), &["init", "-q"]);
    git(root.path(), &["add", "-A"]);
    git(root.path(), &["commit", "-qm", "base"]);
    fs::create_dir(root.path().join("b")).unwrap();
    git(root.path(), &["mv", "a/c.yaml", "b/d.yaml"]);
    let found = report(root.path(), &["--base", "HEAD", "--to", "1.37", "--no-config"]).0;
    assert_eq!(found, [""; 0]);
    let main =
        "variable \"v\" {}\nresource \"aws_eks_cluster\" \"a\" {\n  name = \"a\"\n  version = var.v\n}\n";
    let before = [("main.tf", main), ("prod.tfvars", "v = \"1.34\"\n")];
    let after = [before[0], before[1], ("dev.tfvars", "v = \"1.36\"\n")];
    let found = change(&before, &after);
    assert!(found.iter().all(|found| !found.contains("SKEW007")), "{found:?}");
}

#[test]
fn a_tracked_file_that_is_ignored_is_part_of_the_change() {
    let root = tree(&[(".gitignore", "c.yaml\n"), ("c.yaml", &config("1.34", ""))]);
    git(root.path(), &["init", "-q"]);
    git(root.path(), &["add", "-f", "."]);
    git(root.path(), &["commit", "-qm", "base"]);
    write(root.path(), "c.yaml", &config("1.36", ""));
    let found = report(root.path(), &["--base", "HEAD", "--to", "1.37", "--no-config"]).0;
    assert!(found.contains(&"SKEW007 block c.yaml:5".to_owned()), "{found:?}");
}

#[test]
fn cluster_api_goes_minor_by_minor_by_itself() {
    let plane = |version: &str| {
        format!(
            "apiVersion: controlplane.cluster.x-k8s.io/v1beta2\nkind: AWSManagedControlPlane\nmetadata: {{name: a}}\nspec: {{eksClusterName: a, version: v{version}}}\n"
        )
    };
    assert_eq!(change(&[("c.yaml", &plane("1.34"))], &[("c.yaml", &plane("1.36"))]), [""; 0]);
    let back = change(&[("c.yaml", &plane("1.36"))], &[("c.yaml", &plane("1.34"))]);
    assert!(back.contains(&"SKEW007 block c.yaml:4".to_owned()), "{back:?}");
}

#[test]
fn a_version_that_nobody_knows_is_no_pass() {
    let root = tree(&[("c.yaml", &config("1.40", ""))]);
    let ran = run(root.path(), &["files", "--to", "1.37", "--no-config"]);
    assert_eq!(ran.code, ExitCode::Incomplete, "{}", ran.out);
    assert!(ran.out.contains("CAL003") && ran.out.contains("beyond --to 1.37"), "{}", ran.out);
}

#[test]
fn nodes_beside_a_control_plane_without_version_are_not_judged_by_a_guess() {
    let group = "resource \"aws_eks_cluster\" \"a\" {\n  name = \"a\"\n}\nresource \"aws_eks_node_group\" \"n\" {\n  cluster_name = aws_eks_cluster.a.name\n  node_group_name = \"n\"\n  version = \"1.35\"\n}\n";
    let root = tree(&[("main.tf", group)]);
    let ran = run(root.path(), &["files", "--to", "1.37", "--no-config"]);
    assert_eq!(ran.code, ExitCode::Incomplete, "{}", ran.out);
    let ran = run(root.path(), &["files", "--from", "1.35", "--to", "1.37", "--no-config"]);
    assert_eq!(ran.code, ExitCode::Passed, "{}", ran.out);
}

#[test]
fn apis_only_leaves_declarations_alone() {
    let removed = "---\napiVersion: policy/v1beta1\nkind: PodSecurityPolicy\nmetadata: {name: p}\n";
    let root = tree(&[("c.yaml", &config("1.20", "")), ("p.yaml", removed)]);
    let (both, ..) = report(root.path(), &["--from", "1.33", "--to", "1.37", "--no-config"]);
    let (apis, ..) = report(root.path(), &["--from", "1.33", "--to", "1.37", "--no-config", "--apis-only"]);
    assert_eq!(both, ["CAL002 block c.yaml:5", "API001 block p.yaml:2"]);
    assert_eq!(apis, ["API001 block p.yaml:2"]);
}

#[test]
fn a_plan_leaves_nothing_out() {
    let autoscaler = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: ca, namespace: kube-system}\nspec: {template: {spec: {containers: [{name: a, image: 'registry.k8s.io/autoscaling/cluster-autoscaler:v1.33.0'}]}}}\n";
    let other = |version: &str| config(version, "").replace("shop", "other");
    let plan = |files: &[(&str, &str)], to: &str| {
        let root = tree(files);
        run(root.path(), &["plan", "--to", to, "--no-config"])
    };
    // Which of two clusters at two versions a controller is for.
    let ran =
        plan(&[("a.yaml", &config("1.34", "")), ("b.yaml", &other("1.35")), ("ca.yaml", autoscaler)], "1.36");
    assert_eq!(ran.code, ExitCode::Incomplete, "{}", ran.out);
    assert!(ran.out.contains("ca.yaml:4: which of the clusters cluster-autoscaler"), "{}", ran.out);
    // What is wrong already, and no hop that would show it.
    let old = "addons:\n- name: vpc-cni\n  version: v1.11.4-eksbuild.1\n";
    let ran = plan(&[("a.yaml", &config("1.36", old))], "1.36");
    assert_eq!(ran.code, ExitCode::Incomplete, "{}", ran.out);
    assert!(ran.out.contains("already now") && ran.out.contains("vpc-cni"), "{}", ran.out);
    // A version that EKS is not known to offer.
    let ran = plan(&[("a.yaml", &config("1.36", ""))], "1.40");
    assert_eq!(ran.code, ExitCode::Incomplete, "{}", ran.out);
    // Two groups of one name, each at its place.
    let two = "resource \"aws_eks_cluster\" \"a\" {\n  name = \"a\"\n  version = \"1.35\"\n}\nresource \"aws_eks_node_group\" \"n\" {\n  cluster_name = aws_eks_cluster.a.name\n  node_group_name = \"n\"\n  version = \"1.34\"\n}\nresource \"aws_eks_node_group\" \"m\" {\n  cluster_name = aws_eks_cluster.a.name\n  node_group_name = \"n\"\n  version = \"1.33\"\n}\n";
    let ran = plan(&[("main.tf", two)], "1.36");
    for place in ["main.tf:8", "main.tf:13"] {
        assert!(ran.out.contains(place), "{place}: {}", ran.out);
    }
}

#[test]
fn the_example_reads_as_the_readme_shows_it() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let readme = fs::read_to_string(root.join("README.md")).unwrap();
    for (args, code) in [
        (&["files", "examples/shop", "--to", "1.37"][..], ExitCode::Blocked),
        (&["plan", "examples/shop", "--to", "1.37", "--nodes", "lazy"], ExitCode::Incomplete),
    ] {
        let ran = run(&root, args);
        assert_eq!((ran.code, ran.err.as_str()), (code, ""));
        for line in ran.out.lines().filter(|line| !line.is_empty()) {
            assert!(readme.contains(line), "README.md does not show: {line}");
        }
    }
}

#[cfg(unix)]
#[test]
fn terraform_that_folders_share_by_links_is_read_in_each() {
    let main = "variable \"v\" { default = \"1.36\" }\nresource \"aws_eks_cluster\" \"a\" {\n  name = \"a\"\n  version = var.v\n}\n";
    let root = tree(&[("common/main.tf", main), ("a/terraform.tfvars", "v = \"1.29\"\n")]);
    std::os::unix::fs::symlink("../common/main.tf", root.path().join("a/main.tf")).unwrap();
    let (findings, ..) = report(root.path(), &["--to", "1.37", "--no-config"]);
    assert_eq!(findings, ["CAL002 block a/terraform.tfvars:1"]);
    // A module that is linked to.
    let call = "module \"m\" {\n  source = \"./m\"\n  v = \"1.29\"\n}\n";
    let root = tree(&[("lib/m/main.tf", main), ("env/main.tf", call)]);
    std::os::unix::fs::symlink("../lib/m", root.path().join("env/m")).unwrap();
    let (findings, ..) = report(root.path(), &["--to", "1.37", "--no-config"]);
    assert_eq!(findings, ["CAL002 block env/main.tf:3"]);
}

#[test]
fn values_that_git_ignores_are_values_all_the_same() {
    let main = "variable \"v\" { default = \"1.36\" }\nresource \"aws_eks_cluster\" \"a\" {\n  name = \"a\"\n  version = var.v\n}\n";
    let root =
        tree(&[(".gitignore", "*.tfvars\n"), ("main.tf", main), ("terraform.tfvars", "v = \"1.29\"\n")]);
    git(root.path(), &["init", "-q"]);
    let (findings, ..) = report(root.path(), &["--to", "1.37", "--no-config"]);
    assert_eq!(findings, ["CAL002 block terraform.tfvars:1"]);
}

#[test]
fn terraform_under_another_name_is_no_pass() {
    let text = "resource \"aws_eks_cluster\" \"a\" {\n  name = \"a\"\n  version = \"1.29\"\n}\n";
    let root = tree(&[("main.txt", text)]);
    let ran = run(root.path(), &["files", "main.txt", "--to", "1.37", "--no-config"]);
    assert_eq!(ran.code, ExitCode::Incomplete, "{}", ran.out);
    let ran = skew_check(root.path(), TODAY, &["files", "-", "--to", "1.37", "--no-config"], text.as_bytes());
    assert_eq!(ran.code, ExitCode::Incomplete, "{}", ran.out);
    assert!(ran.out.contains("it reads like Terraform"), "{}", ran.out);
}

#[test]
fn a_template_behind_objects_is_read_and_so_is_a_kustomization_without_suffix() {
    let text = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\n---\nResources:\n  C:\n    Type: AWS::EKS::Cluster\n    Properties: {Version: '1.29'}\n";
    let chart = "helmCharts:\n- name: karpenter\n  repo: oci://public.ecr.aws/karpenter\n  version: 0.30.0\n";
    let root = tree(&[("t.yaml", text), ("k/Kustomization", chart)]);
    let (findings, ..) = report(root.path(), &["--to", "1.30", "--from", "1.29", "--no-config"]);
    assert_eq!(findings, ["ADDON007 warn k/Kustomization:4", "CAL002 block t.yaml:8"]);
}

#[test]
fn values_in_a_file_that_terraform_reads_are_found_there() {
    let main = "locals { c = yamldecode(file(\"${path.module}/config/cluster.yml\")) }\nresource \"aws_eks_cluster\" \"a\" {\n  name    = \"a\"\n  version = local.c.kubernetes_version\n}\n";
    let root = tree(&[("main.tf", main), ("config/cluster.yml", "name: a\nkubernetes_version: \"1.29\"\n")]);
    let (findings, unread, _) = report(root.path(), &["--to", "1.37", "--no-config"]);
    assert_eq!((findings, unread.len()), (vec!["CAL002 block config/cluster.yml:2".to_owned()], 0));
}

#[test]
fn files_of_opentofu_are_read() {
    let text = "resource \"aws_eks_cluster\" \"a\" {\n  name    = \"a\"\n  version = \"1.29\"\n}\n";
    let root = tree(&[("main.tofu", text)]);
    let (findings, ..) = report(root.path(), &["--to", "1.37", "--no-config"]);
    assert_eq!(findings, ["CAL002 block main.tofu:3"]);
}
