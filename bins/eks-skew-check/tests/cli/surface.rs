//! What people type and see: flags, versions, forms, exit codes, bad input.

use std::collections::BTreeSet;
use std::fs;
use std::process::{Command, Stdio};

use assert_cmd::cargo::cargo_bin;
use serde_json::Value;

use crate::harness::{BROKEN, GOOD, PDB, Ran, Tree};

#[test]
fn a_finding_has_everything_that_the_contract_names() {
    // row 30, and the JSON contract
    let tree = Tree::new(&[("a.yaml", PDB)]);
    let report = tree.report(&["a.yaml"]);
    let expected = serde_json::json!({
        "id": "API001", "severity": "block", "status": "removed", "hop": "1.25",
        "apiVersion": "policy/v1beta1", "kind": "PodDisruptionBudget", "name": "web", "namespace": "shop", "cluster": null,
        "file": "a.yaml", "line": 1, "column": 13, "document": 0, "source": null,
        "deprecatedIn": "1.21", "removedIn": "1.25",
        "replacement": "policy/v1 PodDisruptionBudget", "replacementSince": "1.21",
        "message": "policy/v1beta1 PodDisruptionBudget \"web\" is gone in 1.25 (hop 1.24 → 1.25)",
        "remedy": "change it to policy/v1 PodDisruptionBudget now: 1.24 already serves it (since 1.21)",
        "url": "https://kubernetes.io/docs/reference/using-api/deprecation-guide/#v1-25"
    });
    assert_eq!(report.value["findings"][0], expected);
    assert_eq!(report.verdict(), ("blocked", 1));
    assert_eq!(
        (&report.value["schema"], &report.value["from"], &report.value["to"]),
        (&"eks-skew-check/1".into(), &"1.24".into(), &"1.25".into())
    );
    assert_eq!(
        report.value["scanned"],
        serde_json::json!({"files": 1, "documents": 1, "objects": 1, "bytes": PDB.len(), "skipped": 0})
    );
}

#[test]
fn paths_are_shown_relative_to_the_working_directory() {
    // row 17
    let tree = Tree::new(&[("deploy/a.yaml", PDB)]);
    let absolute = fs::canonicalize(tree.root.path()).unwrap().join("deploy");
    for path in
        ["deploy", "deploy/", "./deploy", "deploy/a.yaml", "./deploy/a.yaml", absolute.to_str().unwrap()]
    {
        let mut command = tree.command(&["files", "--from", "1.24", "--to", "1.25", "-o", "json", path]);
        command.current_dir(fs::canonicalize(tree.root.path()).unwrap());
        let report = Ran::from(command.output().unwrap()).report();
        assert_eq!(report.findings(), ["deploy/a.yaml:1:13 API001 removed"], "{path}");
    }
    let other = Tree::new(&[]);
    let report = Ran::from(
        other
            .command(&["files", "--from", "1.24", "--to", "1.25", "-o", "json", absolute.to_str().unwrap()])
            .output()
            .unwrap(),
    )
    .report();
    assert_eq!(report.value["findings"][0]["file"], absolute.join("a.yaml").to_str().unwrap());
}

#[test]
fn standard_input_is_read() {
    // row 56
    let tree = Tree::new(&[]);
    let text = format!("---\n# Source: shop/templates/pdb.yaml\n{PDB}");
    let args = ["files", "--from", "1.24", "--to", "1.25", "-o", "json", "-"];
    let report = tree.run_with(&args, text.as_bytes()).report();
    assert_eq!(report.findings(), ["-:3:13 API001 removed"]);
    assert_eq!(report.value["findings"][0]["source"], "shop/templates/pdb.yaml");
    let twice = tree.run_with(&["files", "-", "-"], b"");
    assert_eq!(twice.code, 2);
    assert!(twice.err.contains("only once"), "{}", twice.err);
    // What a failed `helm template |` gives.
    let empty = tree.run_with(&args, b"").report();
    assert_eq!(empty.verdict(), ("unknown", 3));
    assert_eq!(tree.run_with(&args, b"# nothing is turned on\n").report().verdict(), ("pass", 0));
}

#[test]
fn forms_can_be_had_together() {
    // rows 19 to 22: the forms themselves are held in eks-report
    let tree = Tree::new(&[("a.yaml", PDB)]);
    let forms = ["sarif", "github", "gitlab", "junit", "markdown", "csv", "text"];
    let mut args =
        vec!["files".to_owned(), "--from=1.24".to_owned(), "--to=1.25".to_owned(), "-o=json".to_owned()];
    args.extend(forms.iter().map(|form| format!("--output={form}=out.{form}")));
    let report = tree.run(&args.iter().map(String::as_str).collect::<Vec<_>>()).report();
    assert_eq!(report.verdict(), ("blocked", 1));
    for form in forms {
        let text = fs::read_to_string(tree.root.path().join(format!("out.{form}"))).unwrap();
        assert!(text.contains("API001"), "{form}: {text}");
    }
    for twice in [["-o=json", "-o=text"], ["-o=json=x", "-o=sarif=x"], ["-o=json", "-o=csv=-"]] {
        let ran = tree.run(&[&["files"], &twice[..]].concat());
        assert!(ran.code == 2 && ran.err.contains("two reports"), "{twice:?}: {}", ran.err);
    }
}

#[test]
fn two_runs_are_byte_identical_with_any_number_of_threads() {
    // row 23
    let files: Vec<(String, String)> = (0..300)
        .map(|n| (format!("d{}/f{n}.yaml", n % 17), format!("{PDB}---\n{BROKEN}---\n{PDB}")))
        .collect();
    let tree =
        Tree::new(&files.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect::<Vec<_>>());
    let outputs: BTreeSet<String> = ["1", "2", "3", "8"]
        .iter()
        .flat_map(|threads| [threads, threads])
        .map(|threads| tree.run(&["files", "--from=1.24", "--to=1.25", "-o=json", "-j", threads]).out)
        .collect();
    assert_eq!(outputs.len(), 1);
    assert_eq!(outputs.iter().next().unwrap().matches("\"API001\"").count(), 600);
}

#[test]
fn exit_codes_and_the_gate() {
    // row 24
    let tree = Tree::new(&[
        ("warn.yaml", "apiVersion: v1\nkind: Endpoints\n"),
        ("block.yaml", PDB),
        ("bad.yaml", BROKEN),
        ("good.yaml", GOOD),
    ]);
    for (args, code) in [
        (&["good.yaml"][..], 0),
        (&["block.yaml"], 1),
        (&["warn.yaml", "--to=1.34"], 0),
        (&["warn.yaml", "--to=1.34", "--fail-on=warn"], 1),
        (&["block.yaml", "--fail-on=none"], 0),
        (&["bad.yaml"], 3),
        (&["bad.yaml", "--fail-on=none"], 3),
        (&["bad.yaml", "--allow-unread"], 0),
        (&["bad.yaml", "block.yaml"], 1),
        (&["missing.yaml"], 3),
        (&["missing.yaml", "--allow-unread"], 3),
        (&["missing.yaml", "block.yaml"], 1),
        (&["--no-such-flag"], 2),
        (&["--fail-on=maybe"], 2),
        (&["--output=yaml"], 2),
        (&["--output=json="], 2),
    ] {
        let to: &[&str] = if args.iter().any(|arg| arg.starts_with("--to")) { &[] } else { &["--to=1.25"] };
        let all: Vec<&str> = [&["files", "--from=1.24"], to, args].concat();
        let ran = tree.run(&all);
        assert_eq!(ran.code, code, "{args:?}\n{}{}", ran.out, ran.err);
        if code == 2 {
            assert!(ran.out.is_empty() && !ran.err.is_empty(), "{args:?}");
        }
    }
}

#[test]
fn versions_are_taken_as_people_have_them() {
    // rows 26 to 28
    let tree = Tree::new(&[("a.yaml", PDB)]);
    for to in ["1.25", "v1.25", "1.25.4", "v1.25.0-eks-a737599", "1.25+"] {
        let report = tree.run(&["files", "--from=1.24", "--to", to, "-o=json"]).report();
        assert_eq!((report.value["to"].as_str(), report.code), (Some("1.25"), 1), "{to}");
    }
    let report = tree.run(&["files", "-o=json"]).report();
    assert_eq!((report.value["from"].as_str(), report.value["to"].as_str()), (Some("1.36"), Some("1.37")));
    assert!(
        report.notes().contains("no --to given") && report.notes().contains("no --from given"),
        "{}",
        report.notes()
    );
    let report = tree.run(&["files", "-o=json", "--from=1.37", "--to=1.41"]).report();
    assert!(
        report.notes().contains("beyond what is known") && report.notes().contains("2026-"),
        "{}",
        report.notes()
    );
    let report = tree.run(&["files", "-o=json", "--to=1.99"]).report();
    assert!(
        report.code == 1 && report.notes().contains("1.99 is beyond what is known"),
        "{}",
        report.notes()
    );
    for (args, says) in [
        (&["--to=latest"][..], "latest"),
        (&["--to=1"], "no minor"),
        (&["--to=2.0"], "major"),
        (&["--from=1.30", "--to=1.25"], "from 1.30 down to 1.25"),
        (&["--from=1.30", "--to=1.999"], "check --to"),
    ] {
        let ran = tree.run(&[&["files"], args].concat());
        assert!(
            ran.code == 2 && ran.err.contains(says) && ran.out.is_empty(),
            "{args:?}: {} {}",
            ran.code,
            ran.err
        );
    }
}

#[test]
fn bad_input_gets_a_clear_sentence() {
    let tree = Tree::new(&[("docs/README.md", "# x\n"), ("a.yaml", PDB)]);
    let ran = tree.run(&["files", "missing/", "a.yaml", "--from=1.24", "--to=1.25"]);
    assert_eq!(ran.code, 1);
    assert!(
        ran.out.contains("not read: missing: it cannot be read") && ran.out.contains("correct the path"),
        "{}",
        ran.out
    );
    let ran = tree.run(&["files", "docs"]);
    assert_eq!(ran.code, 0);
    assert!(ran.out.contains("no file was found that could hold manifests"), "{}", ran.out);
    // Random bytes, a megabyte.
    let mut state = 0x9E37_79B9_7F4A_7C15_u64;
    let bytes: Vec<u8> = (0..1 << 20)
        .map(|_| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 56) as u8
        })
        .collect();
    tree.write("random.yaml", &bytes);
    let report = tree.report(&["random.yaml"]);
    assert_eq!((report.verdict(), report.unread().len()), (("unknown", 3), 1));
    // A report that cannot be written does not keep the other from being written.
    let ran = tree.run(&[
        "files",
        "a.yaml",
        "--from=1.24",
        "--to=1.25",
        "-o=json",
        "-o=sarif=no/such/folder/out.sarif",
    ]);
    assert_eq!(ran.code, 2);
    assert!(
        ran.out.contains("API001")
            && ran.err.contains("no/such/folder/out.sarif")
            && ran.err.contains("choose a place"),
        "{}",
        ran.err
    );
    // A reader that has seen enough.
    let mut child = tree.command(&["list"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let ended = child.wait_with_output().unwrap();
    assert!(ended.status.success() && ended.stderr.is_empty(), "{}", String::from_utf8_lossy(&ended.stderr));
}

/// What is shown while standard input keeps the program waiting for longer than it may be silent.
/// `script` (of bsdutils, on every Debian) gives it a terminal.
#[cfg(target_os = "linux")]
#[test]
fn progress_is_shown_on_a_terminal_and_nowhere_else() {
    let tree = Tree::new(&[("a.yaml", GOOD)]);
    let program = cargo_bin!("eks-skew-check").display().to_string();
    let wait = format!("(sleep 1.5; cat a.yaml) | '{program}' files - --from=1.24 --to=1.25");
    let run = |name: &str, args: &[&str]| {
        let mut command = Command::new(name);
        let done = command.args(args).current_dir(tree.root.path()).stdin(Stdio::null()).output();
        let done = done.unwrap_or_else(|error| panic!("{name} cannot be run: {error}"));
        assert!(done.status.success(), "{name}: {}", String::from_utf8_lossy(&done.stdout));
        String::from_utf8_lossy(&[done.stdout, done.stderr].concat()).into_owned()
    };
    let watched = run("script", &["--quiet", "--return", "--command", &wait, "/dev/null"]);
    assert!(watched.contains("files read: 0") && watched.contains("pass"), "{watched:?}");
    let piped = run("sh", &["-c", &wait]);
    assert!(!piped.contains("files read") && piped.contains("pass"), "{piped:?}");
}

#[test]
fn rows_and_rules_can_be_looked_up() {
    // row 61
    let tree = Tree::new(&[]);
    for (what, says) in [
        ("API001", "Checks:"),
        ("api003", "not served at the start"),
        ("policy/v1beta1/PodDisruptionBudget", "removed      1.25"),
        ("policy/v1beta1 PodDisruptionBudget", "policy/v1 PodDisruptionBudget, served since 1.21"),
        ("Ingress", "networking.k8s.io/v1 Ingress"),
        ("resource.k8s.io/v1beta1", "a forecast"),
        ("flowcontrol.apiserver.k8s.io", "source"),
        ("cert-manager.io/v1alpha2/Issuer", "cert-manager 1.6"),
    ] {
        let ran = tree.run(&["explain", what]);
        assert!(ran.code == 0 && ran.out.contains(says), "{what}: {}{}", ran.out, ran.err);
    }
    let ran = tree.run(&["explain", "Nothing"]);
    assert!(ran.code == 2 && ran.err.contains("Nothing"), "{}", ran.err);
    let ran = tree.run(&["list", "--from=1.33", "--to=1.34", "-o=json"]);
    let rows: Vec<Value> = serde_json::from_str(&ran.out).unwrap();
    assert!(rows.iter().any(|row| row["kind"] == "ValidatingAdmissionPolicy" && row["removedIn"] == "1.34"));
    assert!(rows.iter().all(|row| !row["source"].as_str().unwrap().is_empty()));
    let table = tree.run(&["list"]).out;
    assert!(table.lines().count() > 200 && table.starts_with("apiVersion"));
    assert!(tree.run(&["list", "-o=tsv"]).out.lines().all(|line| line.split('\t').count() == 10));
}

#[test]
fn completions_and_the_manual_page_are_there() {
    let tree = Tree::new(&[]);
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        assert!(tree.run(&["completions", shell]).out.contains("eks-skew-check"), "{shell}");
    }
    let page = tree.run(&["man"]).out;
    assert!(page.contains(".TH eks-skew-check") && page.contains("fail\\-on"), "{page}");
}

#[test]
fn help_is_reviewed() {
    let tree = Tree::new(&[]);
    insta::assert_snapshot!("help", tree.run(&["--help"]).out);
    insta::assert_snapshot!("help_files", tree.run(&["files", "--help"]).out);
}
