//! What is read, and what is found in it.

use std::fs;
use std::process::Command;

use crate::harness::{BROKEN, GOOD, PDB, Tree};

#[test]
fn every_api_that_the_peers_fixtures_expect_is_found() {
    // row 1: group, version, kind and removal of each object in the peers' own fixtures
    let expected: Vec<(&str, &str, &str)> = include_str!("../peer_fixtures.tsv")
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
        ["broken/latin.yaml:1:13 API001 removed", "good/a.yaml:1:13 API001 removed"]
    );
    assert_eq!(
        report.unread(),
        ["broken/binary.yaml:null", "broken/latin.yaml:3", "good/dangling.yaml:null"]
    );
    for passed_over in [
        ".git: git's own",
        "node_modules: packages",
        "loop: a symbolic link",
        "again.yaml: a symbolic link",
        "fifo.yaml: not a regular file",
    ] {
        assert!(report.err.contains(passed_over), "{passed_over}: {}", report.err);
    }
    assert_eq!(report.value["scanned"]["skipped"], 5);
}

#[cfg(unix)]
#[test]
fn links_to_what_is_not_read_otherwise_are_followed() {
    use std::os::unix::fs::symlink;
    let tree = Tree::new(&[
        (".gitignore", "ignored/\n"),
        ("ignored/a.yaml", PDB),
        ("node_modules/b.yaml", PDB),
        ("real/c.txt", PDB),
        ("real/d.yaml", PDB),
    ]);
    let root = tree.root.path();
    for (target, link) in [
        ("ignored/a.yaml", "a.yaml"),
        ("node_modules/b.yaml", "b.yaml"),
        ("real/c.txt", "c.yaml"),
        ("real/d.yaml", "d.yaml"),
        ("a.yaml", "a-again.yaml"),
        ("real", "folder"),
    ] {
        symlink(target, root.join(link)).unwrap();
    }
    assert_eq!(
        tree.report(&["."]).findings(),
        ["a-again.yaml", "b.yaml", "c.yaml", "real/d.yaml"].map(|file| format!("{file}:1:13 API001 removed"))
    );
    // The folder that is named may itself be reached by a link, and named twice.
    symlink(root.join("real"), root.join("start")).unwrap();
    assert_eq!(tree.report(&["start", "real", "real/d.yaml", "real/../real"]).findings().len(), 1);
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
        findings[1]["remedy"].as_str().unwrap().contains("v1beta3 FlowSchema after the hop to 1.26"),
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
