//! Tests of the scanner. Numbers of rows are those of docs/peer-rows.md.

mod corpus;
mod equal;
mod missed;

use super::*;

/// The usages of a text, as `LINE:COLUMN apiVersion kind namespace/name`.
fn seen(text: &str) -> Vec<String> {
    scan(text.as_bytes()).usages.iter().map(show).collect()
}

fn show(usage: &Usage<'_>) -> String {
    let name = usage.name.as_deref().unwrap_or("-");
    let namespace = usage.namespace.as_deref().unwrap_or("-");
    let certainty = match usage.certainty {
        Certainty::Certain => "",
        Certainty::Template => " possible",
        Certainty::Conditional => " conditional",
    };
    format!(
        "{}:{} {} {} {namespace}/{name}{certainty}",
        usage.line, usage.column, usage.api_version, usage.kind
    )
}

fn unread(text: &str) -> Vec<String> {
    let show = |unread: &UnreadText| {
        format!("{}: {}", unread.line.map_or_else(|| "-".to_owned(), |line| line.to_string()), unread.reason)
    };
    scan(text.as_bytes()).unread.iter().map(show).collect()
}

#[test]
fn places_are_those_of_the_value() {
    // row 18
    assert_eq!(
        seen("# c\nkind: A\nmetadata:\n  namespace: n\n  name: x\napiVersion: g/v1\n"),
        ["6:13 g/v1 A n/x"]
    );
    assert_eq!(seen("a: 1\n---\napiVersion:   'g/v1'\nkind: \"A\"\n"), ["3:15 g/v1 A -/-"]);
    assert_eq!(
        seen("apiVersion: v1\nkind: List\nitems:\n- kind: A\n  apiVersion: g/v1\n  metadata: {name: x}\n"),
        ["5:15 g/v1 A -/x"]
    );
    assert_eq!(seen("{\n \"kind\": \"A\",\n \"apiVersion\": \"g/v1\"}\n"), ["3:16 g/v1 A -/-"]);
    assert_eq!(seen("é: ü\n\u{FEFF}"), Vec::<String>::new());
    // Columns are characters, also behind a byte order mark.
    assert_eq!(seen("\u{FEFF}{é: 1, apiVersion: g/v1, kind: A}"), ["1:20 g/v1 A -/-"]);
}

#[test]
fn one_bad_document_hides_no_other() {
    // row 4
    let text = "apiVersion: g/v1\nkind: A\n---\nkey: [unclosed\n---\napiVersion: g/v1\nkind: B\n";
    assert_eq!(seen(text), ["1:13 g/v1 A -/-", "6:13 g/v1 B -/-"]);
    let unread = unread(text);
    assert_eq!(unread.len(), 1);
    assert!(unread[0].starts_with("4: ") || unread[0].starts_with("5: "), "{unread:?}");
}

#[test]
fn broken_bodies_are_found_although_the_head_can_be_read() {
    // row 5: each of these kubectl refuses
    for body in [
        "spec: [a",
        "spec: \"a",
        "spec: 'a",
        "spec:\n  a: b\n c: d",
        "spec: a: b",
        "spec:\n\ta: b",
        "spec:\n  - a\n b",
        "spec: {a: b",
        "spec: @a",
        "spec: `a`",
        "spec: %a",
        "spec: \"a\" b",
        "spec:\n  a: b\n   c: d",
        "spec: |\n  a\n b",
        "spec: *nowhere",
        "spec: \"\\q\"",
        "- a",
    ] {
        let text = format!("apiVersion: g/v1\nkind: A\n{body}\n");
        assert_eq!(unread(&text).len(), 1, "{text}");
        // What stands there literally is still reported, as possible.
        assert!(seen(&text).iter().all(|usage| usage.ends_with("possible")), "{text}");
    }
}

#[test]
fn templates_are_never_silent() {
    // row 6
    let text = "apiVersion: g/v1\nkind: A\nmetadata:\n  name: {{ .Release.Name }}\n  labels:\n{{ include \"x\" . | indent 4 }}\n";
    assert_eq!(seen(text), ["1:13 g/v1 A -/- possible"]);
    assert!(unread(text).is_empty());
    // row 7
    let text = "{{- if semverCompare \">=1.21\" .Capabilities.KubeVersion.Version }}\napiVersion: policy/v1\n{{- else }}\napiVersion: policy/v1beta1\n{{- end }}\nkind: PodDisruptionBudget\nmetadata:\n  name: web\n";
    assert_eq!(
        seen(text),
        [
            "2:13 policy/v1 PodDisruptionBudget -/web conditional",
            "4:13 policy/v1beta1 PodDisruptionBudget -/web conditional"
        ]
    );
    // Computed: unread, at its line.
    let text =
        "{{- if .Values.x }}\napiVersion: {{ include \"ingress.api\" . }}\nkind: Ingress\n{{- end }}\n";
    assert_eq!(unread(text), [format!("2: {}", template::COMPUTED)]);
    for text in
        ["{{ include \"lib.deployment\" . }}\n", "{{- range .Values.all }}\n---\n{{ tpl . $ }}\n{{- end }}\n"]
    {
        assert_eq!(unread(text).len(), 1, "{text}");
    }
    for value in ["${API}", "$(API)", "{{ api }}", "<%= api %>", "'{{ api }}'", "((api))", "[[ api ]]"] {
        let text = format!("apiVersion: {value}\nkind: A\n");
        assert_eq!(unread(&text).len(), 1, "{text}");
    }
    // Control alone puts out nothing.
    for text in [
        "{{- if .Values.x -}}\n{{- end }}\n",
        "{{/* a comment */}}\n",
        "{{- define \"x\" }}\na: b\n{{- end }}\n",
        "{{- $x := 1 }}\n",
    ] {
        assert!(unread(text).is_empty(), "{text} {:?}", unread(text));
    }
    // Definitions with whole manifests in them.
    let text =
        "{{- define \"lib.pdb\" -}}\napiVersion: policy/v1beta1\nkind: PodDisruptionBudget\n{{- end -}}\n";
    let helpers = scan_with(text.as_bytes(), Format::Helpers, &|_, _| true);
    assert_eq!(
        helpers.usages.iter().map(show).collect::<Vec<_>>(),
        ["2:13 policy/v1beta1 PodDisruptionBudget -/- possible"]
    );
}

#[test]
fn lists_are_taken_apart_to_any_depth() {
    // row 8
    let text = "apiVersion: v1\nkind: List\nitems:\n- apiVersion: v1\n  kind: List\n  items:\n  - apiVersion: g/v1\n    kind: A\n    metadata:\n      name: deep\n- apiVersion: g/v1\n  kind: AList\n  items:\n  - metadata:\n      name: typed\n  - {}\n";
    assert_eq!(seen(text), ["7:17 g/v1 A -/deep", "11:15 g/v1 A -/typed", "11:15 g/v1 A -/-"]);
    assert!(seen("apiVersion: g/v1\nkind: AList\nitems: []\n").is_empty());
    assert!(seen("apiVersion: g/v1\nkind: AList\nitems: null\n").is_empty());
    assert!(seen("{\"apiVersion\":\"g/v1\",\"kind\":\"AList\",\"items\":[]}").is_empty());
    assert_eq!(
        seen("{\"apiVersion\":\"g/v1\",\"kind\":\"AList\",\"items\":[{\"metadata\":{\"name\":\"x\"}}]}"),
        ["1:15 g/v1 A -/x"]
    );
    // A kind that only sounds like a list is an object.
    assert_eq!(seen("apiVersion: g/v1\nkind: AllowList\n"), ["1:13 g/v1 AllowList -/-"]);
}

#[test]
fn json_comes_in_many_shapes() {
    // row 9
    let a = "{\"apiVersion\":\"g/v1\",\"kind\":\"A\"}";
    for (text, count) in [
        (format!("[{a},{a}]"), 2),
        (format!("{a}\n{a}\n"), 2),
        (format!("{a}{a}"), 2),
        (format!("  {a}  "), 1),
        (format!("{a}\n---\n{a}\n"), 2),
        ("{apiVersion: g/v1, kind: A}".to_owned(), 1),
        ("{\"apiVersion\":\"g\\/v1\",\"kind\":\"A\",\"kind\":\"A\"}".to_owned(), 1),
        ("{\"api\\u0056ersion\":\"g/v1\",\"kind\":\"A\"}".to_owned(), 1),
    ] {
        assert_eq!(seen(&text).len(), count, "{text}");
        assert!(unread(&text).is_empty(), "{text}");
    }
    let text = format!("{a}\n{{\"broken\": \n{a}\n");
    assert_eq!((seen(&text).len(), unread(&text).len()), (2, 1));
    let settings = b"{\n  // a comment\n  \"strict\": true,\n}\n";
    assert!(scan_with(settings, Format::Json, &|_, _| true).unread.is_empty());
    let manifest = b"{\n  // a comment\n  \"apiVersion\": \"g/v1\", \"kind\": \"A\",\n}\n";
    assert_eq!(scan_with(manifest, Format::Json, &|_, _| true).unread.len(), 1);
}

#[test]
fn what_is_quoted_is_no_object() {
    // row 10
    let text = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: m\ndata:\n  a.yaml: |\n    apiVersion: policy/v1beta1\n    kind: PodSecurityPolicy\n    ---\n    apiVersion: extensions/v1beta1\n    kind: Ingress\n  cert: |\n    -----BEGIN CERTIFICATE-----\n    AAAA\n    -----END CERTIFICATE-----\n  # ---- a rule ----\n  b: \"apiVersion: extensions/v1beta1\\nkind: Ingress\\n\"\n";
    assert_eq!(seen(text), ["1:13 v1 ConfigMap -/m"]);
    assert!(unread(text).is_empty());
}

#[test]
fn yaml_in_all_its_dress() {
    // row 11 and 14
    for text in [
        "\u{FEFF}apiVersion: g/v1\nkind: A\n",
        "apiVersion: g/v1\r\nkind: A\r\n",
        "%YAML 1.1\n---\napiVersion: g/v1\nkind: A\n",
        "---\napiVersion: g/v1\nkind: A\n...\n",
        "--- # comment\napiVersion: g/v1\nkind: A\n",
        "--- {apiVersion: g/v1, kind: A}\n",
        "apiVersion: &v g/v1\nkind: A\nother: *v\n",
        "x-v: &v g/v1\napiVersion: *v\nkind: A\n",
        "<<: {apiVersion: g/v1}\nkind: A\n",
        "base: &b\n  apiVersion: g/v1\n  kind: B\n<<: *b\nkind: A\n",
        "apiVersion: g/v0\napiVersion: g/v1\nkind: A\n",
        "\"apiVersion\": \"g/v1\"\n'kind': 'A'\n",
        "? apiVersion\n: g/v1\n? kind\n: A\n",
        "!!map\napiVersion: !!str g/v1\nkind: A\n",
        "apiVersion: g/v1 # the version\nkind: A # the kind\n",
        "kind: A\nspec:\n  a:\n  - b\napiVersion: g/v1\n",
        "apiVersion:\n  g/v1\nkind:\n  A\n",
        "apiVersion: g/v1\nkind: A\ndata:\n  x: |\n    tab\there\n",
        "apiVersion: g/v1\rkind: A\r",
        "apiVersion: \"g\\x2Fv1\"\nkind: A\n",
        "# only a comment\n---\n# another\n---\napiVersion: g/v1\nkind: A",
        "  apiVersion: g/v1\n  kind: A\n",
    ] {
        let found = seen(text);
        assert!(matches!(found.as_slice(), [one] if one.contains(" g/v1 A ")), "{text:?}: {found:?}");
        assert!(unread(text).is_empty(), "{text:?}: {:?}", unread(text));
    }
    for (bytes, name) in [
        (utf16("apiVersion: g/v1\nkind: A\n", u16::to_le_bytes, [0xFF, 0xFE]), "UTF-16LE"),
        (utf16("apiVersion: g/v1\nkind: A\n", u16::to_be_bytes, [0xFE, 0xFF]), "UTF-16BE"),
    ] {
        let scan = scan(&bytes);
        assert_eq!(scan.usages.iter().map(show).collect::<Vec<_>>(), ["1:13 g/v1 A -/-"], "{name}");
    }
}

fn utf16(text: &str, bytes: fn(u16) -> [u8; 2], mark: [u8; 2]) -> Vec<u8> {
    mark.into_iter().chain(text.encode_utf16().flat_map(bytes)).collect()
}

#[test]
fn metadata_may_be_anything() {
    // row 12
    for (metadata, name) in [
        ("", "-"),
        ("metadata:\n", "-"),
        ("metadata: null\n", "-"),
        ("metadata: ~\n", "-"),
        ("metadata: []\n", "-"),
        ("metadata: text\n", "-"),
        ("metadata:\n  name: 123\n", "123"),
        ("metadata:\n  name: null\n", "-"),
        ("metadata:\n  name:\n", "-"),
        ("metadata:\n  name: {{ x }}\n", "-"),
        ("metadata:\n  name: [a]\n", "-"),
        ("metadata:\n  generateName: run-\n", "run-*"),
        ("metadata:\n  annotations:\n  - a\n  name: x\n", "x"),
        ("metadata:\n  labels:\n    name: not-this\n  name: x\n", "x"),
    ] {
        let text = format!("apiVersion: g/v1\nkind: A\n{metadata}");
        assert_eq!(seen(&text), [format!("1:13 g/v1 A -/{name}")], "{text}");
    }
}

#[test]
fn nothing_is_found_where_nothing_is() {
    // row 13
    for text in [
        "",
        "\n\n",
        "# comment\n",
        "---\n",
        "---\n---\n",
        "...\n",
        "--- # c\n...\n",
        "\u{FEFF}",
        "null\n",
        "a: b\n",
        "- a\n- b\n",
        "text\n",
    ] {
        let scan = scan(text.as_bytes());
        assert!(scan.usages.is_empty() && scan.unread.is_empty(), "{text:?} {:?}", scan.unread);
    }
    for (text, documents) in [("", 0), ("---\n---\n# c\n", 0), ("a: 1\n---\n---\nb: 1\n", 2), ("{}{}", 2)] {
        assert_eq!(scan(text.as_bytes()).documents, documents, "{text:?}");
    }
}

#[test]
fn what_is_no_text_is_said() {
    assert!(scan(b"PK\x03\x04\0\0\0").binary);
    // One bad byte hides no other document.
    for bad in ["\u{0}", "\u{FF}"] {
        let bad: Vec<u8> = bad.chars().map(|c| c as u8).collect();
        let text =
            [b"apiVersion: g/v1\nkind: A\n---\nx: ", bad.as_slice(), b"\n---\nkind: B\napiVersion: g/v1\n"]
                .concat();
        let scan = scan(&text);
        let kinds: Vec<&str> = scan.usages.iter().map(|usage| &*usage.kind).collect();
        assert_eq!(kinds, ["A", "B"]);
        assert!(scan.usages.iter().all(|usage| usage.certainty == Certainty::Certain));
        assert!(!scan.unread.is_empty());
    }
}

#[test]
fn helms_source_comment_is_kept() {
    // row 56
    let text = "---\n# Source: shop/templates/a.yaml\napiVersion: g/v1\nkind: A\n---\n# Source: shop/templates/b.yaml\napiVersion: g/v1\nkind: List\nitems: [{apiVersion: g/v1, kind: B}]\n";
    let scan = scan(text.as_bytes());
    let sources: Vec<_> = scan.usages.iter().map(|usage| usage.source.as_deref()).collect();
    assert_eq!(sources, [Some("shop/templates/a.yaml"), Some("shop/templates/b.yaml")]);
}

#[test]
fn a_kubeconfig_names_the_api_of_its_plugins() {
    // row 58
    let yaml = "apiVersion: v1\nkind: Config\nusers:\n- name: eks\n  user:\n    exec:\n      apiVersion: client.authentication.k8s.io/v1alpha1\n      command: aws\n";
    let json = "{\"apiVersion\":\"v1\",\"kind\":\"Config\",\"users\":[{\"name\":\"eks\",\"user\":{\"exec\":{\n\"apiVersion\":\"client.authentication.k8s.io/v1alpha1\"}}}]}";
    for (text, place) in [(yaml, "7:19"), (json, "2:14")] {
        let scan = scan(text.as_bytes());
        assert_eq!(scan.usages.len(), 2, "{text}");
        assert_eq!(
            show(&scan.usages[1]),
            format!("{place} client.authentication.k8s.io/v1alpha1 ExecCredential -/eks")
        );
        assert!(matches!(scan.usages[1].role, Role::Reference(_)));
        assert_eq!(scan.objects, 1);
    }
}

#[test]
fn nested_aliases_cost_no_more_than_they_should() {
    let mut text = String::from("apiVersion: v1\nkind: List\nx0: &x0 [{apiVersion: g/v1, kind: A}]\n");
    for level in 1..40 {
        let before = level - 1;
        text.push_str(&format!(
            "x{level}: &x{level} [{{apiVersion: v1, kind: List, items: *x{before}}}, {{apiVersion: v1, kind: List, items: *x{before}}}]\n"
        ));
    }
    text.push_str("items: *x39\n");
    let scan = scan_with(text.as_bytes(), Format::Manifest, &|_, _| false);
    assert_eq!(scan.unread.len(), 1, "{:?}", scan.unread);
    let circle = "apiVersion: v1\nkind: List\nitems: &i\n- apiVersion: v1\n  kind: List\n  items: *i\n";
    assert_eq!(unread(circle).len(), 1);
}

#[test]
fn comments_to_this_program_are_found_with_their_document() {
    let text = "# eks-skew-check: ignore API001 reason=first\napiVersion: g/v1\nkind: A\n---\napiVersion: g/v1 # eks-skew-check: ignore API001 reason=second\nkind: B\ndata:\n  x: \"a # eks-skew-check: ignore API001 reason=not this\"\n  y: |\n    # eks-skew-check: ignore API001 reason=nor this\n---\n---\n# eks-skew-check: ignore API002 reason=third\na: b\n";
    let pragmas: Vec<_> =
        scan(text.as_bytes()).pragmas.into_iter().map(|p| (p.line, p.document, p.text)).collect();
    assert_eq!(
        pragmas,
        [
            (1, 0, "ignore API001 reason=first".to_owned()),
            (5, 1, "ignore API001 reason=second".to_owned()),
            (13, 2, "ignore API002 reason=third".to_owned())
        ]
    );
}

#[test]
fn documents_are_counted_as_the_comments_are() {
    // The index of a usage and the index of a comment must be the same document.
    for text in [
        "a: 1\n---\n# p\napiVersion: g/v1\nkind: A # eks-skew-check: x\n",
        "---\n---\n---\napiVersion: g/v1\nkind: A # eks-skew-check: x\n",
        "%YAML 1.1\n---\na: 1\n...\n---\napiVersion: g/v1\nkind: A # eks-skew-check: x\n",
        "--- {a: 1}\n--- # c\napiVersion: g/v1\nkind: A # eks-skew-check: x\n",
        "{{ x }}\n---\nkey: [\n---\napiVersion: g/v1\nkind: A # eks-skew-check: x\n",
    ] {
        let scan = scan(text.as_bytes());
        let usage = scan.usages.last().unwrap();
        assert_eq!(usage.document, scan.pragmas[0].document, "{text}");
    }
}

#[cfg(test)]
mod helm_tests {
    use super::*;
    use base64::Engine;
    use base64::engine::general_purpose::STANDARD;
    use std::io::Write;

    fn gzip(text: &str) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(text.as_bytes()).unwrap();
        encoder.finish().unwrap()
    }

    fn release(revision: u32, status: &str, manifest: &str) -> String {
        serde_json::json!({
            "name": "web", "namespace": "shop", "version": revision, "info": {"status": status},
            "manifest": manifest,
            "hooks": [{"path": "web/templates/hook.yaml", "manifest": "apiVersion: batch/v1beta1\nkind: CronJob\n"}],
            "chart": {"files": [
                {"name": "crds/c.yaml", "data": STANDARD.encode("apiVersion: apiextensions.k8s.io/v1beta1\nkind: CustomResourceDefinition\n")},
                {"name": "README.md", "data": "!!"}
            ]}
        })
        .to_string()
    }

    fn secret(payload: &str, namespace: &str) -> String {
        format!(
            "apiVersion: v1\nkind: Secret\ntype: helm.sh/release.v1\nmetadata:\n  name: sh.helm.release.v1.web.v1\n  namespace: {namespace}\ndata:\n  release: {payload}\n"
        )
    }

    const MANIFEST: &str = "---\n# Source: web/templates/pdb.yaml\napiVersion: policy/v1beta1\nkind: PodDisruptionBudget\nmetadata:\n  name: web\n---\nkey: [broken\n";

    #[test]
    fn releases_are_read_in_every_encoding() {
        // row 46 and 48
        let json = release(1, "deployed", MANIFEST);
        let once = STANDARD.encode(gzip(&json));
        let twice = STANDARD.encode(&once);
        let plain = STANDARD.encode(STANDARD.encode(&json));
        let config_map = format!(
            "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: sh.helm.release.v1.web.v1\n  namespace: shop\ndata:\n  release: {once}\n"
        );
        let as_json = format!(
            "{{\"apiVersion\":\"v1\",\"kind\":\"List\",\"items\":[{{\"apiVersion\":\"v1\",\"kind\":\"Secret\",\"type\":\"helm.sh/release.v1\",\"metadata\":{{\"name\":\"x\",\"namespace\":\"shop\"}},\"data\":{{\"release\":\"{twice}\"}}}}]}}"
        );
        for text in [secret(&twice, "shop"), secret(&plain, "shop"), config_map, as_json] {
            let outer = scan(text.as_bytes());
            assert!(outer.unread.is_empty(), "{:?}", outer.unread);
            assert_eq!(outer.releases.len(), 1, "{text}");
            let inner = outer.releases[0].scan(&|_, _| true);
            let found: Vec<_> = inner
                .usages
                .iter()
                .map(|usage| {
                    (
                        usage.kind.to_string(),
                        usage.namespace.as_deref().unwrap_or("-").to_owned(),
                        usage.source.as_deref().unwrap_or_default().to_owned(),
                    )
                })
                .collect();
            let of = |kind: &str, source: &str| {
                (kind.to_owned(), "shop".to_owned(), format!("Helm release shop/web revision 1: {source}"))
            };
            // row 49: the namespace is the release's
            assert_eq!(
                found,
                [
                    of("PodDisruptionBudget", "web/templates/pdb.yaml"),
                    of("CronJob", "web/templates/hook.yaml"),
                    of("CustomResourceDefinition", "crds/c.yaml")
                ]
            );
            assert_eq!(inner.unread.len(), 1);
            assert!(
                inner.unread[0].reason.contains("line 8") || inner.unread[0].reason.contains("line 9"),
                "{:?}",
                inner.unread
            );
        }
    }

    #[test]
    fn a_corrupt_release_is_said_and_hides_nothing() {
        // row 46
        let bomb = {
            let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
            for _ in 0..300 {
                encoder.write_all(&vec![b' '; 1 << 20]).unwrap();
            }
            STANDARD.encode(STANDARD.encode(encoder.finish().unwrap()))
        };
        for payload in ["'!!!'", "aGVsbG8=", &STANDARD.encode(STANDARD.encode(b"\x1F\x8Bnot gzip")), &bomb] {
            let text = format!("{}---\napiVersion: g/v1\nkind: A\n", secret(payload, "shop"));
            let scan = scan(text.as_bytes());
            assert_eq!(scan.unread.len(), 1, "{payload:.20}");
            assert!(scan.unread[0].reason.contains("sh.helm.release.v1.web.v1"), "{:?}", scan.unread);
            assert_eq!(scan.usages.last().unwrap().kind, "A");
        }
    }

    #[test]
    fn only_the_newest_deployed_revision_counts() {
        // row 47
        let all: Vec<HelmRelease> = [(1, "superseded"), (2, "deployed"), (3, "deployed"), (4, "failed")]
            .into_iter()
            .map(|(revision, status)| {
                let payload = STANDARD.encode(STANDARD.encode(gzip(&release(revision, status, ""))));
                scan(secret(&payload, "other").as_bytes()).releases.remove(0)
            })
            .collect();
        assert!(all[0].namespaces_disagree());
        let (chosen, others) = newest_deployed(all, |release| release);
        assert_eq!(chosen.iter().map(|r| r.revision).collect::<Vec<_>>(), [3]);
        assert_eq!(others.len(), 3);
    }
}

#[test]
fn documents_are_numbered_as_usages_are() {
    let text = "# head\n---\n# empty\n---\napiVersion: v1\nkind: A\n--- # next\napiVersion: v1\nkind: B\n...\n---\n\n---\r\napiVersion: v1\nkind: C\n";
    let usages: Vec<(String, u32)> =
        scan(text.as_bytes()).usages.iter().map(|usage| (usage.kind.to_string(), usage.document)).collect();
    let found: Vec<(String, u32)> = documents(text)
        .iter()
        .map(|document| {
            let kind = document.text.lines().find_map(|line| line.strip_prefix("kind: ")).unwrap_or_default();
            (kind.to_owned(), document.index)
        })
        .collect();
    assert_eq!(found, usages);
    let lines: Vec<u32> = documents(text).iter().map(|document| document.first_line).collect();
    assert_eq!(lines, [4, 7, 13]);
    assert_eq!(documents("").len(), 0);
    assert_eq!(documents("---").len(), 0);
    assert_eq!(documents("a: 1").len(), 1);
}
