//! The line reader and the complete parser read the same, refusals included.

use super::*;
use proptest::prelude::*;

/// Documents in the styles that people write, to start mutations from.
const SEEDS: [&str; 14] = [
    "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: web\n  namespace: shop\n  labels:\n    app: web\n    \"helm.sh/chart\": web-1.0\nspec:\n  replicas: 2\n  template:\n    spec:\n      containers:\n      - name: web\n        image: registry:5000/web:1.2@sha256:abc\n        args: [\"--a\", '--b', c]\n        ports:\n        - containerPort: 80\n          protocol: TCP\n        env:\n          - name: A\n            value: \"x: y # z\"\n",
    "# Source: web/templates/pdb.yaml\napiVersion: policy/v1beta1\nkind: PodDisruptionBudget\nmetadata:\n  name: web # comment\nspec:\n  minAvailable: 1\n",
    "---\napiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: m\ndata:\n  a: |\n    line\n      deeper\n\n    kind: Fake\n  b: >-\n    folded\n    text\n  c: 'it''s'\n  d: \"esc\\n\\\"q\\\"\"\n  empty: \"\"\n  nothing:\n  flow: {}\n  list: []\n",
    "apiVersion: g/v1\nkind: A\nspec:\n  description: plain text that\n    goes on here\n    and here: no\n",
    "apiVersion: g/v1\nkind: A\nspec:\n  description: 'quoted text\n    that goes on\n\n    and ends'\n  rule: \"double\n    \\\"goes\\\" on\"\n",
    "kind: List\napiVersion: v1\nitems:\n- apiVersion: g/v1\n  kind: A\n  metadata:\n    name: x\n- apiVersion: g/v1\n  kind: B\n",
    "a: 1\n---\nb: 2\n...\n---\n# nothing\n---\napiVersion: g/v1\nkind: A\n",
    "{{- if .Values.a }}\napiVersion: g/v1\nkind: A\nmetadata:\n  name: {{ .n }}\n{{- end }}\n",
    "{{ with .x }}\n---\napiVersion: g/v1\nkind: A\nkey: |\n  {{ toYaml . }}\n{{ end }}\n",
    "apiVersion: v1\nkind: Secret\ntype: Opaque\nmetadata:\n  name: s\nstringData:\n  k: |-\n\n    x\n",
    "- op: add\n  path: /a\n  value:\n    - b\n    -   c: d\n        e: f\n- - nested\n  - list\n",
    "apiVersion: v1\nkind: Config\nusers:\n- name: u\n  user:\n    exec:\n      apiVersion: client.authentication.k8s.io/v1beta1\n",
    "key: &a\n  x: 1\nother: *a\nmerged:\n  <<: *a\napiVersion: g/v1\nkind: A\nspec: {a: b, c: [d]}\n",
    "apiVersion: g/v1\nkind: A\nmetadata:\n    name:   wide\n    namespace:\n        n\nspec:\n-   a: 1\n    b:\n    - c\n    -\n      d\n",
];

/// Pieces that are likely to bring two readings apart.
const HOSTILE: [&str; 78] = [
    "\"",
    "'",
    ": ",
    ":",
    " #",
    "#",
    "- ",
    "-",
    "---",
    "...",
    "\n---\n",
    "\n...\n",
    "--- ",
    "---\t",
    "----",
    "|",
    ">",
    "|-\n",
    "|2\n",
    ">+ # c\n",
    "{",
    "}",
    "[",
    "]",
    ",",
    "&a ",
    "*a",
    "!!str ",
    "!t ",
    "%YAML 1.2\n",
    "%",
    "@",
    "`",
    "?",
    "? ",
    "\t",
    " \t",
    "\r",
    "\r\n",
    "\n",
    "\n\n",
    " ",
    "  ",
    "    ",
    "\u{FEFF}",
    "\u{85}",
    "\u{2028}",
    "\u{2029}",
    "\u{0}",
    "\u{7}",
    "\u{7F}",
    "\u{9F}",
    "\u{FFFE}",
    "é",
    "\u{1F600}",
    "\\",
    "\\\n",
    "\\x41",
    "\\q",
    "''",
    "\"\"",
    "\napiVersion: x/v1\n",
    "\nkind: B\n",
    "\nkind: BList\n",
    "kind:",
    "apiVersion: ",
    "\"apiVersion\": ",
    "metadata:",
    "\n  name: z\n",
    "items:",
    "<<: ",
    "~",
    "null",
    "{{ x }}",
    "{{- end }}\n",
    "${X}",
    "sh.helm.release.v1.x",
    "type: helm.sh/release.v1\n",
];

#[derive(Debug, Clone)]
enum Edit {
    Insert(usize, usize),
    Delete(usize, usize),
    Copy(usize, usize, usize),
    Indent(usize, bool),
}

fn edits() -> impl Strategy<Value = Vec<Edit>> {
    let edit = prop_oneof![
        6 => (any::<usize>(), 0..HOSTILE.len()).prop_map(|(at, what)| Edit::Insert(at, what)),
        2 => (any::<usize>(), 1..12_usize).prop_map(|(at, length)| Edit::Delete(at, length)),
        1 => (any::<usize>(), any::<usize>(), 1..30_usize).prop_map(|(from, to, length)| Edit::Copy(from, to, length)),
        2 => (any::<usize>(), any::<bool>()).prop_map(|(line, more)| Edit::Indent(line, more)),
    ];
    prop::collection::vec(edit, 1..5)
}

fn mutate(seed: &str, edits: &[Edit]) -> String {
    let mut text: Vec<char> = seed.chars().collect();
    for edit in edits {
        let at = |index: usize| index % (text.len() + 1);
        match *edit {
            Edit::Insert(index, what) => {
                let at = at(index);
                text.splice(at..at, HOSTILE[what].chars());
            }
            Edit::Delete(index, length) => {
                let at = at(index);
                let end = (at + length).min(text.len());
                text.drain(at..end);
            }
            Edit::Copy(from, to, length) => {
                let from = at(from);
                let piece: Vec<char> = text.iter().skip(from).take(length).copied().collect();
                let to = at(to);
                text.splice(to..to, piece);
            }
            Edit::Indent(line, more) => {
                let starts: Vec<usize> = std::iter::once(0)
                    .chain(text.iter().enumerate().filter(|(_, c)| **c == '\n').map(|(at, _)| at + 1))
                    .collect();
                let start = starts[line % starts.len()];
                if more {
                    text.insert(start, ' ');
                } else if text.get(start) == Some(&' ') {
                    text.remove(start);
                }
            }
        }
    }
    text.into_iter().collect()
}

/// Both readings of a text.
fn both(bytes: &[u8], format: Format) -> (Scan<'_>, Scan<'_>) {
    (scan_with(bytes, format, &|_, _| true), scan_by_parser(bytes, format, &|_, _| true))
}

/// Equal in all that matters: the wording of a refusal may differ where a template is recognised
/// by its first line, before the parser comes to complain about another one.
fn assert_equal(text: &str) -> Result<(), TestCaseError> {
    let (fast, full) = both(text.as_bytes(), Format::Manifest);
    prop_assert_eq!(&fast.usages, &full.usages, "usages of {:?}", text);
    prop_assert_eq!(fast.documents, full.documents, "documents of {:?}", text);
    prop_assert_eq!(fast.objects, full.objects, "objects of {:?}", text);
    prop_assert_eq!(&fast.releases, &full.releases, "releases of {:?}", text);
    prop_assert_eq!(&fast.pragmas, &full.pragmas, "pragmas of {:?}", text);
    prop_assert_eq!(&fast.unread, &full.unread, "unread of {:?}", text);
    Ok(())
}

#[test]
fn the_seeds_are_read_by_lines() {
    // Were they all left to the parser, the comparison below would compare nothing.
    let by_lines = |seed: &str| {
        let mut calls = 0;
        let mut at = 0;
        while at < seed.len() {
            match lines::understood_until(seed, at) {
                Some(end) if end > at => at = end,
                _ => return calls,
            }
            calls += 1;
        }
        calls
    };
    let understood = SEEDS.iter().filter(|seed| by_lines(seed) > 0).count();
    assert!(understood >= 9, "{understood} of {}", SEEDS.len());
}

#[test]
fn seeds_are_read_the_same() {
    for seed in SEEDS {
        assert_equal(seed).unwrap();
    }
}

#[test]
fn cases_that_once_differed_are_read_the_same() {
    for text in FOUND {
        assert_equal(text).unwrap();
    }
}

/// Texts that brought the two readings apart while they were written.
const FOUND: [&str; 6] = [
    "a: b\n---\t\nc: d\n",
    "a:\n- b\n c\n",
    "\napiVersion: x/v1\n{{ x }}\t: ",
    "apiVersion: g/v1\nkind: A\nspec:\n  d: text\n    on\n{{ x }}  : no\n",
    "apiVersion: g/v1\nkind: A\nk: |--\n\n    x\n",
    "apiVersion: g/v1\nkind: A\nkey: |\n <<:   {{ toYaml . }}\n{{ end }: }:\n",
];

/// Enough cases for every run of the tests; `PROPTEST_CASES` asks for more.
fn config() -> ProptestConfig {
    let default = ProptestConfig::default();
    #[expect(clippy::disallowed_methods, reason = "the documented switch of the test tool")]
    let asked = std::env::var_os("PROPTEST_CASES").is_some();
    if asked { default } else { ProptestConfig { cases: 4_000, ..default } }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn mutated_documents_are_read_the_same(seed in 0..SEEDS.len(), edits in edits()) {
        assert_equal(&mutate(SEEDS[seed], &edits))?;
    }

    #[test]
    fn made_up_documents_are_read_the_same(pieces in prop::collection::vec(0..HOSTILE.len() + 12, 0..30)) {
        let words = ["a", "b: c", "key:", "  ", "\n", "\n  ", "\n- ", "text", "apiVersion: g/v1\n", "kind: A\n", "\n    ", "x"];
        let text: String = pieces
            .iter()
            .map(|&piece| HOSTILE.get(piece).copied().unwrap_or_else(|| words[piece - HOSTILE.len()]))
            .collect();
        assert_equal(&text)?;
    }

    #[test]
    fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        for format in [Format::Manifest, Format::Json, Format::Helpers] {
            let (fast, full) = both(&bytes, format);
            prop_assert_eq!(fast, full);
        }
    }
}
