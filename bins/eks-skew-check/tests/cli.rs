//! The built binary, from outside: arguments and files in, output and exit code out.
//!
//! Numbers of rows are those of docs/peer-rows.md.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::collections::BTreeSet;
use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use assert_cmd::cargo::cargo_bin;
use serde_json::Value;
use tempfile::TempDir;

const PDB: &str =
    "apiVersion: policy/v1beta1\nkind: PodDisruptionBudget\nmetadata:\n  name: web\n  namespace: shop\n";
const GOOD: &str = "apiVersion: policy/v1\nkind: PodDisruptionBudget\nmetadata:\n  name: web\n";
const BROKEN: &str = "key: [unclosed\n";

/// A folder with files, and the program run in it.
struct Tree {
    root: TempDir,
}

impl Tree {
    fn new(files: &[(&str, &str)]) -> Self {
        let tree = Self { root: TempDir::new().unwrap() };
        for (path, text) in files {
            tree.write(path, text.as_bytes());
        }
        tree
    }

    fn write(&self, path: &str, bytes: &[u8]) {
        let path = self.root.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(cargo_bin!("eks-skew-check"));
        command.args(args).current_dir(self.root.path()).env_remove("NO_COLOR");
        command
    }

    fn run(&self, args: &[&str]) -> Ran {
        Ran::from(self.command(args).stdin(Stdio::null()).output().unwrap())
    }

    fn run_with(&self, args: &[&str], input: &[u8]) -> Ran {
        let mut child = self
            .command(args)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(input).unwrap();
        Ran::from(child.wait_with_output().unwrap())
    }

    /// The JSON report of `files` with more arguments.
    fn report(&self, args: &[&str]) -> Report {
        let mut all = vec!["files", "--from", "1.24", "--to", "1.25", "--output", "json"];
        all.extend(args);
        self.run(&all).report()
    }

    fn git(&self, args: &[&str]) {
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
            .current_dir(self.root.path())
            .output()
            .unwrap();
        assert!(done.status.success(), "git {args:?}: {}", String::from_utf8_lossy(&done.stderr));
    }
}

struct Ran {
    code: i32,
    out: String,
    err: String,
}

impl From<Output> for Ran {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code().expect("it ends by itself"),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

impl Ran {
    fn report(self) -> Report {
        let value = serde_json::from_str(&self.out)
            .unwrap_or_else(|error| panic!("{error}: {}{}", self.out, self.err));
        Report { code: self.code, value, err: self.err }
    }
}

struct Report {
    code: i32,
    value: Value,
    err: String,
}

impl Report {
    /// `FILE:LINE:COLUMN ID status`
    fn findings(&self) -> Vec<String> {
        let all = self.value["findings"].as_array().unwrap();
        all.iter()
            .map(|f| {
                let text = |key: &str| f[key].as_str().unwrap_or("-").to_owned();
                format!("{}:{}:{} {} {}", text("file"), f["line"], f["column"], text("id"), text("status"))
            })
            .collect()
    }

    fn unread(&self) -> Vec<String> {
        let all = self.value["unread"].as_array().unwrap();
        all.iter().map(|u| format!("{}:{}", u["file"].as_str().unwrap(), u["line"])).collect()
    }

    fn verdict(&self) -> (&str, i32) {
        (self.value["verdict"].as_str().unwrap(), self.code)
    }

    fn notes(&self) -> String {
        self.value["notes"].to_string()
    }
}

#[test]
fn a_finding_has_everything_that_the_contract_names() {
    // row 30, and the JSON contract
    let tree = Tree::new(&[("a.yaml", PDB)]);
    let report = tree.report(&["a.yaml"]);
    let expected = serde_json::json!({
        "id": "API001", "severity": "block", "status": "removed", "hop": "1.25",
        "apiVersion": "policy/v1beta1", "kind": "PodDisruptionBudget", "name": "web", "namespace": "shop",
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
fn every_api_that_the_peers_fixtures_expect_is_found() {
    // row 1: group, version, kind and removal of each object in the peers' own fixtures
    let expected: Vec<(&str, &str, &str)> = include_str!("peer_fixtures.tsv")
        .lines()
        .filter(|line| !line.starts_with('#'))
        .map(|line| {
            let mut columns = line.split('\t');
            (columns.next().unwrap(), columns.next().unwrap(), columns.next().unwrap())
        })
        .collect();
    assert!(expected.len() > 45);
    let mut text = String::new();
    for (number, (api, kind, _)) in expected.iter().enumerate() {
        text.push_str(&format!("---\napiVersion: {api}\nkind: {kind}\nmetadata:\n  name: object-{number}\n"));
    }
    let tree = Tree::new(&[("all.yaml", &text)]);
    let report = tree.run(&["files", "--from", "1.15", "--to", "1.32", "-o", "json", "all.yaml"]).report();
    let found = report.value["findings"].as_array().unwrap();
    assert_eq!(found.len(), expected.len(), "one for each, and nothing else");
    for (number, (api, kind, removed)) in expected.iter().enumerate() {
        let name = format!("object-{number}");
        let finding =
            found.iter().find(|f| f["name"] == name.as_str()).unwrap_or_else(|| panic!("{api} {kind}"));
        assert_eq!(finding["removedIn"].as_str().unwrap_or("-"), *removed, "{api} {kind}");
        assert!(matches!(finding["status"].as_str(), Some("removed")), "{api} {kind}: {finding}");
        // row 25: none of them is said to have no replacement but those that have none
        assert_eq!(finding["replacement"].is_null(), *kind == "PodSecurityPolicy", "{api} {kind}");
    }
}

#[test]
fn one_bad_document_hides_nothing_and_fails_the_gate() {
    // rows 2, 4 and 5
    let tree = Tree::new(&[
        ("a.yaml", &format!("{GOOD}---\n{BROKEN}---\n{GOOD}")),
        ("b.yaml", PDB),
        ("c.yaml", GOOD),
    ]);
    let report = tree.report(&["."]);
    assert_eq!(report.findings(), ["b.yaml:1:13 API001 removed"]);
    assert_eq!((report.unread().len(), report.verdict()), (1, ("blocked", 1)));
    let report = tree.report(&["a.yaml"]);
    assert_eq!(report.verdict(), ("unknown", 3));
    assert_eq!(report.value["scanned"]["objects"], 2);
    let report = tree.report(&["a.yaml", "--allow-unread"]);
    assert_eq!((report.verdict(), report.unread().len()), (("pass", 0), 1));
    assert_eq!(tree.report(&["c.yaml"]).verdict(), ("pass", 0));
}

#[test]
fn templates_are_possible_or_unread() {
    // rows 6 and 7
    let tree = Tree::new(&[
        (
            "t/a.yaml",
            "apiVersion: policy/v1beta1\nkind: PodDisruptionBudget\nmetadata:\n  name: {{ .Release.Name }}-x\nspec:\n{{ toYaml .Values.spec | indent 2 }}\n",
        ),
        (
            "t/b.yaml",
            "{{ if semverCompare \">=1.25\" .V }}\napiVersion: policy/v1\n{{ else }}\napiVersion: policy/v1beta1\n{{ end }}\nkind: PodDisruptionBudget\n",
        ),
        (
            "t/c.yaml",
            "{{ if .x }}\napiVersion: {{ template \"api\" . }}\nkind: PodDisruptionBudget\n{{ end }}\n",
        ),
        ("t/d.yaml.tmpl", "apiVersion: policy/v1beta1\nkind: PodDisruptionBudget\n"),
        (
            "t/_helpers.tpl",
            "{{- define \"x\" }}\napiVersion: policy/v1beta1\nkind: PodDisruptionBudget\n{{- end }}\n",
        ),
    ]);
    let report = tree.report(&["t"]);
    assert_eq!(
        report.findings(),
        [
            "t/_helpers.tpl:2:13 API001 possible",
            "t/a.yaml:1:13 API001 possible",
            "t/b.yaml:4:13 API001 possible",
            "t/d.yaml.tmpl:1:13 API001 removed"
        ]
    );
    let severities: Vec<&str> = report.value["findings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|f| f["severity"].as_str().unwrap())
        .collect();
    assert_eq!(severities, ["block", "block", "warn", "block"], "one branch of several only warns");
    assert_eq!(report.unread(), ["t/c.yaml:2"]);
}

#[test]
fn lists_and_json_in_all_shapes() {
    // rows 8, 9 and 18
    let object = "{\"apiVersion\":\"policy/v1beta1\",\"kind\":\"PodDisruptionBudget\"}";
    let tree = Tree::new(&[
        (
            "list.yaml",
            "apiVersion: v1\nkind: List\nitems:\n- apiVersion: v1\n  kind: List\n  items:\n  - apiVersion: policy/v1beta1\n    kind: PodDisruptionBudget\n",
        ),
        (
            "typed.json",
            "{\"kind\":\"PodDisruptionBudgetList\",\n\"apiVersion\":\"policy/v1beta1\",\"items\":[{\"metadata\":{\"name\":\"a\"}},{}]}",
        ),
        (
            "empty.json",
            "{\"kind\":\"PodDisruptionBudgetList\",\"apiVersion\":\"policy/v1beta1\",\"items\":[]}",
        ),
        ("array.json", &format!("[{object},\n {object}]")),
        ("lines.ndjson", &format!("{object}\n{object}\n")),
        ("joined.json", &format!("{object}{object}")),
    ]);
    assert_eq!(
        tree.report(&["."]).findings(),
        [
            "array.json:1:16 API001 removed",
            "array.json:2:16 API001 removed",
            "joined.json:1:15 API001 removed",
            "joined.json:1:75 API001 removed",
            "lines.ndjson:1:15 API001 removed",
            "lines.ndjson:2:15 API001 removed",
            "list.yaml:7:17 API001 removed",
            "typed.json:2:14 API001 removed",
            "typed.json:2:14 API001 removed"
        ]
    );
}

#[test]
fn no_false_alarm_and_no_noise() {
    // rows 10, 13 and 39
    let tree = Tree::new(&[
        (
            "quoted.yaml",
            &format!(
                "apiVersion: v1\nkind: ConfigMap\ndata:\n  a: |\n    {}\n  pem: |\n    -----BEGIN X-----\n",
                PDB.replace('\n', "\n    ")
            ),
        ),
        ("empty.yaml", ""),
        ("comments.yaml", "# nothing\n# ----\n"),
        ("marker.yaml", "---\n"),
        (
            "alike.yaml",
            "apiVersion: example.com/v1beta1\nkind: Ingress\n---\napiVersion: autoscaling.k8s.io/v1beta2\nkind: VerticalPodAutoscaler\n",
        ),
        ("Chart.yaml", "apiVersion: v2\nname: x\n"),
    ]);
    let report = tree.run(&["files", "--from", "1.16", "--to", "1.37", "-o", "json"]).report();
    assert_eq!((report.findings().len(), report.verdict()), (0, ("pass", 0)));
    assert!(report.err.is_empty(), "{}", report.err);
}

#[test]
fn odd_yaml_is_read() {
    // rows 11, 12 and 14
    let odd = [
        "\u{FEFF}apiVersion: policy/v1beta1\r\nkind: PodDisruptionBudget\r\n",
        "%YAML 1.1\n---\napiVersion: &a policy/v1beta1\nkind: PodDisruptionBudget\nx: *a\n...\n",
        "{apiVersion: policy/v1beta1, kind: PodDisruptionBudget}\n",
        "kind: \"PodDisruptionBudget\"\n\"apiVersion\": 'policy/v1beta1' # quoted\nmetadata: null\n",
        "apiVersion: policy/v1beta1\nkind: PodDisruptionBudget\nmetadata:\n  generateName: a-\n  annotations: [a]\n",
        "apiVersion: policy/v1\napiVersion: policy/v1beta1\nkind: PodDisruptionBudget\nmetadata: {name: 123}\n",
    ];
    let files: Vec<(String, &str)> =
        odd.iter().enumerate().map(|(n, text)| (format!("{n}.yaml"), *text)).collect();
    let tree = Tree::new(&files.iter().map(|(path, text)| (path.as_str(), *text)).collect::<Vec<_>>());
    let report = tree.report(&["."]);
    assert_eq!((report.findings().len(), report.unread().len()), (odd.len(), 0), "{:?}", report.findings());
}

#[test]
fn nothing_in_a_tree_hangs_or_breaks_it() {
    // row 15
    let tree = Tree::new(&[
        ("good/a.yaml", PDB),
        (".git/config.yaml", PDB),
        ("node_modules/x/a.yaml", PDB),
        ("image.png", "\u{0}\u{1}"),
    ]);
    tree.write("broken/binary.yaml", b"\x7FELF\0\0\0\0");
    tree.write("broken/latin.yaml", b"apiVersion: policy/v1beta1\nkind: PodDisruptionBudget\nx: \xE9\n");
    let root = tree.root.path();
    #[cfg(unix)]
    {
        use std::os::unix::fs::symlink;
        symlink(root, root.join("good/loop")).unwrap();
        symlink("nowhere", root.join("good/dangling.yaml")).unwrap();
        symlink("a.yaml", root.join("good/again.yaml")).unwrap();
        let fifo = Command::new("mkfifo").arg(root.join("good/fifo.yaml")).status().unwrap();
        assert!(fifo.success());
    }
    let report = tree.report(&[".", "--verbose"]);
    assert_eq!(
        report.findings(),
        ["broken/latin.yaml:1:13 API001 possible", "good/a.yaml:1:13 API001 removed"]
    );
    assert_eq!(report.unread(), ["broken/binary.yaml:null", "broken/latin.yaml:3"]);
    for passed_over in [
        ".git: git's own",
        "node_modules: packages",
        "loop: a symbolic link",
        "dangling.yaml: a symbolic link",
        "again.yaml: a symbolic link",
        "fifo.yaml: not a regular file",
    ] {
        assert!(report.err.contains(passed_over), "{passed_over}: {}", report.err);
    }
    assert_eq!(report.value["scanned"]["skipped"], 6);
}

#[cfg(unix)]
#[test]
fn a_link_out_of_the_tree_is_followed() {
    let outside = Tree::new(&[("shared/a.yaml", PDB), ("one.yaml", PDB)]);
    let tree = Tree::new(&[("x.yaml", GOOD)]);
    std::os::unix::fs::symlink(outside.root.path().join("shared"), tree.root.path().join("base")).unwrap();
    std::os::unix::fs::symlink(outside.root.path().join("one.yaml"), tree.root.path().join("one.yaml"))
        .unwrap();
    assert_eq!(
        tree.report(&["."]).findings(),
        ["base/a.yaml:1:13 API001 removed", "one.yaml:1:13 API001 removed"]
    );
}

#[test]
fn gitignore_is_honoured() {
    // row 16
    let tree = Tree::new(&[
        (".gitignore", "build/\n*.gen.yaml\n!keep.gen.yaml\n"),
        ("build/a.yaml", PDB),
        ("a.gen.yaml", PDB),
        ("keep.gen.yaml", PDB),
        ("sub/.gitignore", "/local.yaml\n"),
        ("sub/local.yaml", PDB),
        ("sub/deep/local.yaml", PDB),
    ]);
    let found = |args: &[&str]| tree.report(args).findings();
    let expected = ["keep.gen.yaml:1:13 API001 removed", "sub/deep/local.yaml:1:13 API001 removed"];
    assert_eq!(found(&["."]), expected);
    assert_eq!(found(&[".", "--no-ignore"]).len(), 5);
    // What is named is read.
    assert_eq!(found(&["build/a.yaml"]).len(), 1);
    // Rules above the folder hold inside a repository.
    tree.git(&["init", "-q"]);
    tree.write("sub/deep/x.gen.yaml", PDB.as_bytes());
    assert_eq!(found(&["sub"]), ["sub/deep/local.yaml:1:13 API001 removed"]);
}

#[test]
fn lists_of_files_are_read_from_a_file_and_from_standard_input() {
    // row 16
    let tree = Tree::new(&[
        ("a.yaml", PDB),
        ("b.yaml", PDB),
        ("README.md", "# x"),
        ("list", "a.yaml\nREADME.md\r\n\n"),
    ]);
    assert_eq!(tree.report(&["--files-from", "list"]).findings(), ["a.yaml:1:13 API001 removed"]);
    let args = ["files", "--from", "1.24", "--to", "1.25", "-o", "json", "--files-from", "-"];
    let report = tree.run_with(&args, b"a.yaml\0b.yaml\0").report();
    assert_eq!(report.findings().len(), 2);
    let report = tree.run_with(&args, b"gone.yaml\nb.yaml\n").report();
    assert_eq!((report.findings().len(), report.unread()), (1, vec!["gone.yaml:null".to_owned()]));
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
    for (args, says) in [
        (&["--to=latest"][..], "latest"),
        (&["--to=1"], "no minor"),
        (&["--to=2.0"], "major"),
        (&["--from=1.30", "--to=1.25"], "from 1.30 down to 1.25"),
        (&["--from=1.30", "--to=1.999"], "check --from and --to"),
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
fn a_manifest_must_work_at_every_version_in_between() {
    // rows 29 and 31
    let new = "apiVersion: autoscaling/v2\nkind: HorizontalPodAutoscaler\n";
    let old = "apiVersion: flowcontrol.apiserver.k8s.io/v1beta1\nkind: FlowSchema\n";
    let tree = Tree::new(&[("new.yaml", new), ("old.yaml", old)]);
    let report = tree.run(&["files", "--from=1.22", "--to=1.29", "-o=json"]).report();
    assert_eq!(report.findings(), ["new.yaml:1:13 API003 not-yet-served", "old.yaml:1:13 API001 removed"]);
    let findings = &report.value["findings"];
    assert_eq!(findings[0]["hop"], "1.23");
    assert_eq!(findings[1]["replacement"], "flowcontrol.apiserver.k8s.io/v1 FlowSchema");
    assert!(
        findings[1]["remedy"].as_str().unwrap().contains("v1beta3 for the hop to 1.26"),
        "{}",
        findings[1]["remedy"]
    );
}

#[test]
fn helm_releases_count_once_and_hide_nothing() {
    // rows 46 to 49, in a tree: two files, two deployed revisions, one superseded
    let release = |revision: u32, status: &str| {
        let json = serde_json::json!({"name": "web", "namespace": "shop", "version": revision, "info": {"status": status}, "manifest": PDB}).to_string();
        let payload = base64(base64(json.as_bytes()).as_bytes());
        format!(
            "apiVersion: v1\nkind: Secret\ntype: helm.sh/release.v1\nmetadata:\n  name: sh.helm.release.v1.web.v{revision}\n  namespace: kube-system\ndata:\n  release: {payload}\n"
        )
    };
    let tree = Tree::new(&[
        ("1.yaml", &release(1, "superseded")),
        ("2.yaml", &release(2, "deployed")),
        ("3.yaml", &release(3, "deployed")),
        ("4.yaml", &release(4, "failed")),
    ]);
    let report = tree.report(&["."]);
    assert_eq!(report.findings(), ["3.yaml:8:12 API001 removed"]);
    assert_eq!(report.value["findings"][0]["source"], "Helm release shop/web revision 3: manifest");
    assert!(report.notes().contains("kept in namespace kube-system"), "{}", report.notes());
    assert_eq!(report.value["scanned"]["skipped"], 3);
    assert_eq!(tree.report(&[".", "--all-releases"]).findings().len(), 4);
}

fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::new();
    for chunk in bytes.chunks(3) {
        let bits = chunk.iter().fold(0_u32, |bits, &b| bits << 8 | u32::from(b)) << (8 * (3 - chunk.len()));
        for index in 0..4 {
            let sextet = (bits >> (18 - 6 * index)) as usize & 63;
            out.push(if index <= chunk.len() { char::from(ALPHABET[sextet]) } else { '=' });
        }
    }
    out
}

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

#[cfg(unix)]
#[test]
fn an_unreadable_file_fails_the_gate_whatever_is_allowed() {
    use std::os::unix::fs::PermissionsExt;
    let tree = Tree::new(&[("a.yaml", GOOD), ("secret.yaml", PDB), ("closed/b.yaml", PDB)]);
    fs::set_permissions(tree.root.path().join("secret.yaml"), fs::Permissions::from_mode(0o000)).unwrap();
    fs::set_permissions(tree.root.path().join("closed"), fs::Permissions::from_mode(0o000)).unwrap();
    let report = tree.report(&[".", "--allow-unread"]);
    fs::set_permissions(tree.root.path().join("closed"), fs::Permissions::from_mode(0o700)).unwrap();
    if fs::File::open(tree.root.path().join("secret.yaml")).is_ok() {
        // The superuser reads everything.
        assert_eq!(report.findings().len(), 2);
    } else {
        assert_eq!(report.unread(), ["closed:null", "secret.yaml:null"]);
        assert_eq!(report.verdict(), ("unknown", 3));
    }
}

#[test]
fn a_large_file_is_read_in_one_piece() {
    // row 15
    let tree = Tree::new(&[]);
    let mut text = String::from("apiVersion: v1\nkind: ConfigMap\ndata:\n  blob: |\n");
    while text.len() < 20 << 20 {
        text.push_str("    0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\n");
    }
    text.push_str("---\n");
    text.push_str(PDB);
    let line = text.matches('\n').count() - 4;
    tree.write("large.yaml", text.as_bytes());
    assert_eq!(tree.report(&["."]).findings(), [format!("large.yaml:{line}:13 API001 removed")]);
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

#[test]
fn the_example_reads_as_the_readme_shows_it() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut command = Command::new(cargo_bin!("eks-skew-check"));
    command.args(["files", "examples/shop", "--from", "1.33", "--to", "1.37"]).current_dir(&root);
    let ran = Ran::from(command.output().unwrap());
    assert_eq!(ran.code, 1);
    insta::assert_snapshot!("example", ran.out);
    let readme = fs::read_to_string(root.join("README.md")).unwrap();
    for line in ran.out.lines().filter(|line| !line.is_empty()) {
        assert!(readme.contains(line), "README.md does not show: {line}");
    }
}
