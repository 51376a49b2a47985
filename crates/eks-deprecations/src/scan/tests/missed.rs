//! Texts that a scanner could pass over without a word. Each must be a usage, or unread.

use super::*;

const OLD: &str = "apiVersion: extensions/v1beta1\nkind: Ingress\n";

/// Whether the old Ingress is seen, or something is said to be unread.
fn noticed(text: &str, format: Format) -> bool {
    let scan = scan_with(text.as_bytes(), format, &|_, _| true);
    !scan.unread.is_empty()
        || scan
            .usages
            .iter()
            .any(|usage| usage.api_version == "extensions/v1beta1" && usage.kind == "Ingress")
}

fn all_noticed(texts: &[String], format: Format) {
    for text in texts {
        assert!(noticed(text, format), "passed over:\n{text}");
    }
}

#[test]
fn items_of_a_list_in_a_template() {
    let head = "apiVersion: v1\nkind: List\nitems:\n{{- range .x }}\n";
    let items = [
        "- metadata: {}\n  spec:\n    rules:\n    - host: x\n  apiVersion: extensions/v1beta1\n  kind: Ingress\n",
        "- apiVersion: extensions/v1beta1\n  metadata:\n    ownerReferences:\n    - name: x\n  kind: Ingress\n",
        "-\n  apiVersion: extensions/v1beta1\n  kind: Ingress\n",
        "- {apiVersion: extensions/v1beta1, kind: Ingress}\n",
        "- \"apiVersion\": extensions/v1beta1\n  \"kind\": Ingress\n",
        "      - apiVersion: extensions/v1beta1\n        kind: Ingress\n",
    ];
    let texts: Vec<String> = items.iter().map(|item| format!("{head}{item}{{{{- end }}}}\n")).collect();
    all_noticed(&texts, Format::Manifest);
    let typed = "apiVersion: extensions/v1beta1\nkind: IngressList\nitems:\n{{- range .x }}\n- metadata: {}\n{{- end }}\n";
    all_noticed(&[typed.to_owned()], Format::Manifest);
}

#[test]
fn branches_in_odd_dress() {
    let texts: Vec<String> = [
        "\"apiVersion\": extensions/v1beta1",
        "apiVersion : extensions/v1beta1",
        "apiVersion:\n  extensions/v1beta1",
        "apiVersion: &a extensions/v1beta1",
        "apiVersion: !!str extensions/v1beta1",
    ]
    .iter()
    .map(|api| format!("{{{{ if x }}}}\napiVersion: networking.k8s.io/v1\n{{{{ else }}}}\n{api}\n{{{{ end }}}}\nkind: Ingress\n"))
    .chain([
        "{{- if x }}apiVersion: extensions/v1beta1\n{{- else }}\napiVersion: networking.k8s.io/v1\n{{- end }}\nkind: Ingress\n".to_owned(),
        "{{ if .x }\n  apiVersion: extensions/v1beta1\n  kind: Ingress\n".to_owned(),
        "{{ if x }}\napiVersion: networking.k8s.io/v1\nkind: Ingress\n{{ else }}\n  apiVersion: extensions/v1beta1\n  kind: Ingress\n{{ end }}\n".to_owned(),
        "{{ if x }}\n  apiVersion: extensions/v1beta1\n  kind: Ingress\n{{ end }}\n".to_owned(),
        "{{ $m | replace \"a=b\" \"c\" }}\n".to_owned(),
    ])
    .collect();
    all_noticed(&texts, Format::Manifest);
}

#[test]
fn files_of_helpers_that_hold_more_than_helpers() {
    let texts = [
        "{apiVersion: extensions/v1beta1, kind: Ingress}\n",
        "\"apiVersion\": extensions/v1beta1\n\"kind\": Ingress\n",
        "  apiVersion: extensions/v1beta1\n  kind: Ingress\n",
        "apiVersion: ${api}\nkind: Ingress\n",
        "apiVersion: {{ .api }}\nkind: Ingress\n",
        "{{ define \"a\" }}\napiVersion: extensions/v1beta1\nkind: Ingress\n{{ end }}\n",
    ]
    .map(str::to_owned);
    all_noticed(&texts, Format::Helpers);
    // Two manifests in one file make no third.
    let two =
        format!("{{{{ define \"a\" }}}}\n{OLD}---\napiVersion: apps/v1\nkind: Deployment\n{{{{ end }}}}\n");
    let scan = scan_with(two.as_bytes(), Format::Helpers, &|_, _| true);
    assert_eq!(
        scan.usages.iter().map(show).collect::<Vec<_>>(),
        ["2:13 extensions/v1beta1 Ingress -/- possible", "5:13 apps/v1 Deployment -/- possible"]
    );
}

#[test]
fn values_that_are_no_values() {
    let texts = [
        "Warning: x\n{\"apiVersion\":\"extensions/v1beta1\",\"kind\":\"Ingress\"}\n",
        "// comment\n{\"apiVersion\":\"extensions/v1beta1\",\"kind\":\"Ingress\"}\n",
        "apiVersion: |\n  extensions/v1beta1\nkind: Ingress\n",
        "apiVersion: <api>\nkind: Ingress\n",
        "apiVersion: '#{api}'\nkind: Ingress\n",
        "apiVersion: {api}\nkind: Ingress\n",
        "kind: List\nitems:\n- apiVersion: extensions/v1beta1\n  kind: Ingress\n",
        "{\"kind\":\"List\",\"items\":[{\"apiVersion\":\"extensions/v1beta1\",\"kind\":\"Ingress\"}]}",
        "{\"apiVersion\":\"extensions/v1beta1\",\"kind\":\"IngressList\",\"items\":[{\"metadata\":{},\"metadata\":{\"name\":\"x\"}}]}",
        "apiVersion: extensions/v1beta1\nkind: IngressList\nitems:\n- apiVersion: \"\"\n  kind: null\n",
        "# c\u{2028}apiVersion: extensions/v1beta1\n# d\u{2029}kind: Ingress\n",
        "a: &a {apiVersion: extensions/v1beta1}\nb: &b {foo: bar}\n<<: *a\n<<: *b\nkind: Ingress\n",
    ]
    .map(str::to_owned);
    all_noticed(&texts, Format::Manifest);
    // A syntax error is not hidden by what looks like a template's mark.
    let text = "apiVersion: v1\nkind: ConfigMap\ndata:\n  x: \"[[ -f a ]]\"\nfoo: [b\n";
    assert_eq!(unread(text).len(), 1);
}

#[test]
fn merge_keys_cost_no_more_than_they_should() {
    let mut text = String::from("m0: &m0 {x: y}\n");
    for level in 1..9 {
        let maps = vec![format!("*m{}", level - 1); 64].join(",");
        text.push_str(&format!("m{level}: &m{level} {{<<: [{maps}]}}\n"));
    }
    text.push_str("<<: *m8\nkind: Ingress\n");
    assert_eq!(unread(&text).len(), 1);
}

#[test]
fn what_is_commented_out_is_no_object() {
    for text in [
        format!("{{{{/*\n{OLD}*/}}}}\n"),
        format!("{{{{- /*\n{OLD}*/ -}}}}\na: b\n"),
        format!("{{#\n{OLD}#}}\n{{% if x %}}\na: b\n{{% endif %}}\n"),
    ] {
        assert!(seen(&text).is_empty(), "{text}");
    }
}

#[test]
fn only_a_branch_on_the_version_is_conditional() {
    // What else asks for the version does not make this use of the API less certain.
    let other = format!(
        "{OLD}metadata:\n  name: {{{{ x }}}}-y\n  labels:\n{{{{- if .Capabilities.APIVersions.Has \"foo\" }}}}\n    a: b\n{{{{- end }}}}\n"
    );
    assert_eq!(seen(&other), ["1:13 extensions/v1beta1 Ingress -/- possible"]);
    let branch = format!("{{{{- if semverCompare \"<1.22\" .V }}}}\n{OLD}{{{{- end }}}}\n");
    assert_eq!(seen(&branch), ["2:13 extensions/v1beta1 Ingress -/- conditional"]);
}

#[test]
fn broken_json_without_end_costs_no_more_than_it_should() {
    // Read again from each of its lines, this would take a hundred thousand times its length.
    let text = format!("{{\"apiVersion\":\n{}", "{\"a\":\n".repeat(100_000));
    let scan = scan_with(text.as_bytes(), Format::Json, &|_, _| true);
    assert!(!scan.unread.is_empty() && scan.unread.len() < 10, "{}", scan.unread.len());
}

#[test]
fn fields_and_quoted_texts_of_templates_are_no_objects() {
    for inner in [
        "spec:\n  scaleTargetRef:\n    apiVersion: extensions/v1beta1\n    kind: Ingress\n",
        "ref:\n  apiVersion: extensions/v1beta1\n  kind: Ingress\n",
        "data:\n  a.yaml: |\n    apiVersion: extensions/v1beta1\n    kind: Ingress\n",
        "text: |-\n  apiVersion: extensions/v1beta1\n  kind: Ingress\n",
        "subjects:\n- apiGroup: x\n  kind: Ingress\n  name: {{ y }}-z\n",
        "owner:\n- name: x\n  apiVersion: extensions/v1beta1\n  kind: Ingress\n",
        "data:\n  a.yaml: |\n    {{- if x }}\n    apiVersion: extensions/v1beta1\n    kind: Ingress\n    {{- end }}\n",
    ] {
        let text = format!("apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {{{{ x }}}}-y\n{inner}");
        assert_eq!(seen(&text), ["1:13 v1 ConfigMap -/- possible"], "{text}");
        assert!(unread(&text).is_empty(), "{text}");
    }
}
