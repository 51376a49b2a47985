//! Every form, over one report with everything in it and one with nothing.

use eks_model::{
    CheckReport, FailOn, Finding, KubeMinor, Scanned, Severity, Status, Suppression, SuppressionState, Tool,
    Unread, UnreadKind, Window,
};
use serde_json::Value;

use crate::{ExitCode, Format, JSON_SCHEMA, Paint, RuleInfo, render, text};

const RULES: [RuleInfo; 2] = [
    RuleInfo { id: "API001", title: "removed API", checks: "It is gone.", why: "It fails." },
    RuleInfo { id: "API002", title: "deprecated API", checks: "It goes.", why: "It will fail." },
];

fn empty() -> CheckReport {
    let tool = Tool { name: "eks-skew-check", version: "0.1.0", facts: "2026-08-26".to_owned() };
    CheckReport::new(tool, Window::new(KubeMinor::new(33), KubeMinor::new(36)).unwrap())
}

fn clean() -> CheckReport {
    let mut report = empty();
    report.scanned = Scanned { files: 1, documents: 2, objects: 1, bytes: 100, skipped: 0 };
    report.conclude(FailOn::Block, false)
}

/// A report with everything that is hard to write: separators, quotes, line breaks, markup.
fn full() -> CheckReport {
    let mut report = empty();
    let mut finding = Finding::new("API001", Severity::Block, Status::Removed);
    finding.api_version = Some("policy/v1beta1".to_owned());
    finding.kind = Some("PodDisruptionBudget".to_owned());
    finding.name = Some("we|b`,\"<&>".to_owned());
    finding.namespace = Some("shop".to_owned());
    finding.file = "deploy, now/100%:ü.yaml".to_owned();
    finding.line = 12;
    finding.column = 13;
    finding.width = 14;
    finding.hop = Some(KubeMinor::new(34));
    finding.removed_in = Some(KubeMinor::new(34));
    finding.deprecated_in = Some(KubeMinor::new(31));
    finding.replacement = Some("policy/v1 PodDisruptionBudget".to_owned());
    finding.replacement_since = Some(KubeMinor::new(21));
    finding.message = "it is gone | in 1.34,\nfor \"good\" & all".to_owned();
    finding.remedy = "change it now".to_owned();
    finding.url = Some("https://kubernetes.io".to_owned());
    finding.excerpt = Some("apiVersion: policy/v1beta1".to_owned());
    let mut again = finding.clone();
    again.line = 40;
    again.excerpt = None;
    again.source = Some("shop/templates/pdb.yaml".to_owned());
    let mut warning = Finding::new("API002", Severity::Warn, Status::Deprecated);
    warning.file = "a.yaml".to_owned();
    warning.message = "it is deprecated".to_owned();
    warning.remedy = "plan for it".to_owned();
    report.findings = vec![again, warning, finding];
    report.unread = vec![
        Unread {
            file: "b.yaml".to_owned(),
            line: Some(3),
            reason: "it is not valid YAML: a, \"b\"".to_owned(),
            kind: UnreadKind::Text,
        },
        Unread {
            file: "c.yaml".to_owned(),
            line: None,
            reason: "it cannot be read".to_owned(),
            kind: UnreadKind::Input,
        },
    ];
    report.suppressions = vec![Suppression {
        file: ".eks-skew-check.yaml".to_owned(),
        line: None,
        state: SuppressionState::Expired,
        message: "suppression 1 expired on 2026-01-01".to_owned(),
    }];
    report.notes = vec!["no --to given: 1.36".to_owned()];
    report.scanned = Scanned { files: 4, documents: 9, objects: 7, bytes: 1000, skipped: 1 };
    report.summary.suppressed = 2;
    report.conclude(FailOn::Block, false)
}

fn validates(schema: &str, text: &str) {
    let schema: Value = serde_json::from_str(schema).unwrap();
    let value: Value = serde_json::from_str(text).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let errors: Vec<String> =
        validator.iter_errors(&value).map(|error| format!("{}: {error}", error.instance_path())).collect();
    assert!(errors.is_empty(), "{errors:#?}\n{text}");
}

#[test]
fn json_keeps_its_contract() {
    // row 21: the same shape with and without findings
    for report in [full(), clean()] {
        validates(JSON_SCHEMA, &render(&report, Format::Json, &RULES));
    }
    let value: Value = serde_json::from_str(&render(&clean(), Format::Json, &RULES)).unwrap();
    assert_eq!(value["findings"], serde_json::json!([]));
    assert_eq!(value["unread"], serde_json::json!([]));
    let value: Value = serde_json::from_str(&render(&full(), Format::Json, &RULES)).unwrap();
    assert_eq!(value["findings"][0]["apiVersion"], Value::Null, "absent values are null");
    assert!(value["findings"][0].get("excerpt").is_none());
}

#[test]
fn the_schema_refuses_what_is_none_of_it() {
    let schema: Value = serde_json::from_str(JSON_SCHEMA).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let good: Value = serde_json::from_str(&render(&full(), Format::Json, &RULES)).unwrap();
    for (pointer, bad) in [
        ("/schema", "eks-skew-check/2"),
        ("/verdict", "fine"),
        ("/from", "latest"),
        ("/findings/0/severity", "bad"),
        ("/findings/0/line", "1"),
    ] {
        let mut value = good.clone();
        *value.pointer_mut(pointer).unwrap() = Value::String(bad.to_owned());
        assert!(!validator.is_valid(&value), "{pointer}");
    }
}

#[test]
fn sarif_validates() {
    // row 19
    // The published schema has one broken pattern, for the language of a run; its bracket is put
    // right here as the errata of SARIF 2.1.0 do.
    let schema = include_str!("../fixtures/sarif-schema-2.1.0.json");
    let schema = &schema.replace("^[a-zA-Z]{2}|^[a-zA-Z]{2}-[a-zA-Z]{2}]?$", "^[a-zA-Z]{2}(-[a-zA-Z]{2})?$");
    for report in [full(), clean()] {
        validates(schema, &render(&report, Format::Sarif, &RULES));
    }
    let value: Value = serde_json::from_str(&render(&full(), Format::Sarif, &RULES)).unwrap();
    let run = &value["runs"][0];
    let location = &run["results"][1]["locations"][0]["physicalLocation"];
    assert_eq!(location["artifactLocation"]["uri"], "deploy%2C%20now/100%25%3A%C3%BC.yaml");
    assert_eq!(location["region"]["startLine"], 12);
    assert_eq!(run["tool"]["driver"]["rules"][0]["id"], "API001");
    assert_eq!(run["invocations"][0]["executionSuccessful"], false);
    let fingerprints: Vec<&str> = (0..3)
        .map(|n| run["results"][n]["partialFingerprints"]["eksSkewCheck/v1"].as_str().unwrap())
        .collect();
    assert_ne!(fingerprints[1], fingerprints[2], "two findings of one identity are told apart");
}

#[test]
fn github_annotations_are_escaped() {
    // row 20
    let text = render(&full(), Format::Github, &RULES);
    let lines: Vec<&str> = text.lines().collect();
    // Two findings blocked, one warned; two places unread; a suppression and a note.
    assert_eq!(lines.len(), 7, "{text}");
    assert_eq!(
        lines[1],
        "::error file=deploy%2C now/100%25%3Aü.yaml,line=12,endLine=12,col=13,endColumn=27,title=API001 removed::it is gone | in 1.34,%0Afor \"good\" & all. Fix: change it now"
    );
    assert!(lines[0].starts_with("::warning file=a.yaml,line=1,"));
    assert!(lines[3].starts_with("::error file=b.yaml,line=3,title=not read::"));
    assert!(render(&clean(), Format::Github, &RULES).is_empty());
}

#[test]
fn gitlab_has_what_its_documentation_asks_for() {
    // row 20
    for report in [full(), clean()] {
        let issues: Vec<Value> = serde_json::from_str(&render(&report, Format::Gitlab, &RULES)).unwrap();
        assert_eq!(issues.len(), report.findings.len() + report.unread.len());
        let mut fingerprints = std::collections::BTreeSet::new();
        for issue in issues {
            assert!(issue["description"].is_string() && issue["check_name"].is_string());
            assert!(issue["location"]["path"].is_string() && issue["location"]["lines"]["begin"].is_u64());
            let severity = issue["severity"].as_str().unwrap();
            assert!(["info", "minor", "major", "critical", "blocker"].contains(&severity));
            assert!(fingerprints.insert(issue["fingerprint"].as_str().unwrap().to_owned()));
        }
    }
}

#[test]
#[expect(clippy::wildcard_enum_match_arm, reason = "only tags are of interest")]
fn junit_is_well_formed_and_counts_right() {
    // row 20
    for (report, cases, failures, errors) in [(full(), 5, 2, 2), (clean(), 1, 0, 0)] {
        let text = render(&report, Format::Junit, &RULES);
        let mut reader = quick_xml::Reader::from_str(&text);
        let (mut seen_cases, mut seen_failures, mut seen_errors) = (0, 0, 0);
        loop {
            match reader.read_event().unwrap() {
                quick_xml::events::Event::Eof => break,
                quick_xml::events::Event::Start(tag) | quick_xml::events::Event::Empty(tag) => {
                    for attribute in tag.attributes() {
                        attribute.unwrap();
                    }
                    match tag.name().as_ref() {
                        b"testcase" => seen_cases += 1,
                        b"failure" => seen_failures += 1,
                        b"error" => seen_errors += 1,
                        _ => {}
                    }
                }
                _ => {}
            }
        }
        assert_eq!((seen_cases, seen_failures, seen_errors), (cases, failures, errors), "{text}");
        assert!(
            text.contains(&format!("tests=\"{cases}\" failures=\"{failures}\" errors=\"{errors}\"")),
            "{text}"
        );
    }
}

#[test]
fn forms_agree_with_the_verdict() {
    let mut report = full();
    report.unread.retain(|unread| unread.kind == UnreadKind::Text);
    let strict = report.clone().conclude(FailOn::Warn, false);
    assert!(render(&strict, Format::Junit, &RULES).contains("failures=\"3\" errors=\"1\""));
    let lenient = report.conclude(FailOn::None, true);
    assert_eq!(lenient.verdict, eks_model::Verdict::Pass);
    assert!(render(&lenient, Format::Junit, &RULES).contains("failures=\"0\" errors=\"0\""));
    assert!(render(&lenient, Format::Github, &RULES).contains("::warning file=b.yaml"));
    let sarif: Value = serde_json::from_str(&render(&lenient, Format::Sarif, &RULES)).unwrap();
    assert_eq!(sarif["runs"][0]["invocations"][0]["executionSuccessful"], true);
}

#[test]
fn hostile_names_stay_names() {
    let mut report = empty();
    let mut finding = Finding::new("API001", Severity::Block, Status::Removed);
    finding.file = "::error::x.yaml".to_owned();
    finding.name = Some("``x`` [l](http:x)".to_owned());
    finding.message = "\u{202E}turned \u{1B}[31m".to_owned();
    report.findings.push(finding);
    let report = report.conclude(FailOn::Block, false);
    let text = render(&report, Format::Text, &RULES);
    assert!(
        text.lines().all(|line| !line.starts_with("::")) && !text.contains(['\u{202E}', '\u{1B}']),
        "{text}"
    );
    assert!(render(&report, Format::Markdown, &RULES).contains("``` ``x`` [l](http:x) ```"));
    assert!(!render(&report, Format::Github, &RULES).contains('\u{1B}'));
}

#[test]
fn csv_and_markdown_keep_their_columns() {
    // row 22
    for report in [full(), clean()] {
        let rows = read_csv(&render(&report, Format::Csv, &RULES));
        assert_eq!(rows.len(), 1 + report.findings.len() + report.unread.len());
        assert!(rows.iter().all(|row| row.len() == 18), "{rows:?}");
    }
    let rows = read_csv(&render(&full(), Format::Csv, &RULES));
    // A line of its own might be read as a command by who reads the log.
    assert_eq!(rows[2][15], "it is gone | in 1.34, for \"good\" & all");
    assert_eq!(rows[2][7], "we|b`,\"<&>");
    let markdown = render(&full(), Format::Markdown, &RULES);
    for line in markdown.lines().filter(|line| line.starts_with('|')) {
        let bars = line.replace("\\|", "").matches('|').count();
        assert_eq!(bars, 6, "{line}");
    }
    assert!(render(&clean(), Format::Markdown, &RULES).contains("pass"));
}

/// RFC 4180, read back.
fn read_csv(text: &str) -> Vec<Vec<String>> {
    let (mut rows, mut row, mut cell, mut quoted) = (Vec::new(), Vec::new(), String::new(), false);
    let mut characters = text.chars().peekable();
    while let Some(c) = characters.next() {
        match c {
            '"' if quoted && characters.peek() == Some(&'"') => {
                characters.next();
                cell.push('"');
            }
            '"' => quoted = !quoted,
            ',' if !quoted => row.push(std::mem::take(&mut cell)),
            '\r' if !quoted => {}
            '\n' if !quoted => {
                row.push(std::mem::take(&mut cell));
                rows.push(std::mem::take(&mut row));
            }
            c => cell.push(c),
        }
    }
    assert!(row.is_empty() && cell.is_empty() && !quoted, "the last line is not ended");
    rows
}

#[test]
fn text_for_people() {
    insta::assert_snapshot!("full", render(&full(), Format::Text, &RULES));
    insta::assert_snapshot!("clean", render(&clean(), Format::Text, &RULES));
    insta::assert_snapshot!("markdown", render(&full(), Format::Markdown, &RULES));
}

#[test]
fn colour_adds_nothing_but_colour() {
    let coloured = text(&full(), Paint::Ansi);
    let mut plain = String::new();
    let mut rest = coloured.as_str();
    while let Some((before, after)) = rest.split_once('\u{1B}') {
        plain.push_str(before);
        rest = after.split_once('m').unwrap().1;
    }
    plain.push_str(rest);
    let trimmed = |text: &str| text.lines().map(str::trim_end).collect::<Vec<_>>().join("\n");
    assert_eq!(trimmed(&plain), trimmed(&text(&full(), Paint::Never)));
    assert_ne!(coloured, plain);
}

#[test]
fn long_lines_are_cut_around_the_place() {
    let mut report = empty();
    let mut finding = Finding::new("API001", Severity::Block, Status::Removed);
    finding.file = "a.json".to_owned();
    finding.column = 5_001;
    finding.width = 4;
    finding.excerpt = Some(format!("{}HERE{}", "x".repeat(5_000), "y".repeat(5_000)));
    report.findings.push(finding);
    let text = render(&report.conclude(FailOn::Block, false), Format::Text, &RULES);
    let lines: Vec<&str> = text.lines().collect();
    let at = lines.iter().position(|line| line.contains("HERE")).unwrap();
    let column = |line: &str, what: &str| line.find(what).map(|byte| line[..byte].chars().count());
    assert_eq!(column(lines[at], "HERE"), column(lines[at + 1], "^^^^"), "{text}");
    assert!(lines[at].chars().count() < 120);
}

#[test]
fn exit_codes_are_the_documented_list() {
    let codes: Vec<u8> = ExitCode::ALL.iter().map(|code| code.code()).collect();
    assert_eq!(codes, [0, 1, 2, 3, 4]);
    assert_eq!(ExitCode::from(full().verdict), ExitCode::Blocked);
    assert_eq!(ExitCode::from(clean().verdict), ExitCode::Passed);
}

#[test]
fn format_names_round_trip() {
    for format in Format::ALL {
        assert_eq!(format.as_str().parse(), Ok(format));
    }
    assert!("yaml".parse::<Format>().unwrap_err().to_string().contains("sarif"));
}

#[test]
fn what_is_unread_for_one_cause_is_said_once() {
    let mut report = clean();
    let unread = |file: &str, line: u32, what: &str, cause: &str| Unread {
        file: file.to_owned(),
        line: Some(line),
        reason: format!("the version of {what} is not known: {cause}"),
        kind: UnreadKind::Text,
    };
    report.unread = vec![
        unread("a.tf", 3, "cluster \"a\"", "variable v has no default"),
        unread("a.tf", 7, "cluster \"b\"", "variable w has no default"),
        unread("a.tf", 9, "node group \"a\"", "variable v has no default"),
        unread("a.tf", 12, "node group \"b\"", "variable v has no default"),
        unread("b.tf", 3, "cluster \"a\"", "variable v has no default"),
    ];
    let shown = text(&report, Paint::Never);
    let lines: Vec<&str> = shown.lines().filter(|line| line.starts_with("not read")).collect();
    assert_eq!(
        lines,
        [
            "not read: a.tf:3: the version of cluster \"a\" is not known: variable v has no default; so for 2 more (line 9, 12)",
            "not read: a.tf:7: the version of cluster \"b\" is not known: variable w has no default",
            "not read: b.tf:3: the version of cluster \"a\" is not known: variable v has no default",
        ]
    );
}
