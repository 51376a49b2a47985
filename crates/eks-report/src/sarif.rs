//! SARIF 2.1.0: <https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html>.

use eks_model::{CheckReport, Severity};
use serde_json::{Value, json};

use crate::{RuleInfo, fingerprints, object_name, pretty};

const SCHEMA: &str =
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";

pub(crate) fn render(report: &CheckReport, rules: &[RuleInfo]) -> String {
    let descriptors: Vec<Value> = rules
        .iter()
        .map(|rule| {
            json!({
                "id": rule.id,
                "name": camel(rule.title),
                "shortDescription": { "text": rule.title },
                "fullDescription": { "text": rule.checks },
                "help": { "text": rule.why },
            })
        })
        .collect();
    let results: Vec<Value> = report
        .findings
        .iter()
        .zip(fingerprints(report))
        .map(|(f, fingerprint)| {
            let mut result = json!({
                "ruleId": f.id,
                "level": match f.severity {
                    Severity::Block | Severity::Unknown => "error",
                    Severity::Warn => "warning",
                    Severity::Info => "note",
                },
                "message": { "text": format!("{}. Fix: {}", f.message, f.remedy) },
                "locations": [{
                    "physicalLocation": {
                        "artifactLocation": artifact(&f.file),
                        "region": {
                            "startLine": f.line,
                            "startColumn": f.column,
                            "endColumn": f.column.saturating_add(f.width),
                        },
                    },
                    "logicalLocations": [{
                        "name": object_name(f),
                        "fullyQualifiedName": format!(
                            "{}/{} {}",
                            f.api_version.as_deref().unwrap_or_default(),
                            f.kind.as_deref().unwrap_or_default(),
                            object_name(f)
                        ),
                        "kind": "object",
                    }],
                }],
                "partialFingerprints": { "eksSkewCheck/v1": fingerprint },
                "properties": {
                    "status": f.status.as_str(),
                    "cluster": f.cluster,
                    "hop": f.hop,
                    "removedIn": f.removed_in,
                    "deprecatedIn": f.deprecated_in,
                    "replacement": f.replacement,
                    "replacementSince": f.replacement_since,
                },
            });
            if let (Some(index), Some(map)) =
                (rules.iter().position(|rule| rule.id == f.id), result.as_object_mut())
            {
                map.insert("ruleIndex".to_owned(), json!(index));
            }
            result
        })
        .collect();
    let unread: Vec<Value> = report
        .unread
        .iter()
        .map(|unread| {
            let mut physical = json!({ "artifactLocation": artifact(&unread.file) });
            if let (Some(line), Some(map)) = (unread.line, physical.as_object_mut()) {
                map.insert("region".to_owned(), json!({ "startLine": line }));
            }
            json!({
                "level": "error",
                "message": { "text": format!("not read: {}", unread.reason) },
                "locations": [{ "physicalLocation": physical }],
            })
        })
        .collect();
    let suppressions = report.suppressions.iter().map(|suppression| ("warning", &suppression.message));
    let notes = report.notes.iter().map(|note| ("note", note));
    let configuration: Vec<Value> = suppressions
        .chain(notes)
        .map(|(level, text)| json!({ "level": level, "message": { "text": text } }))
        .collect();
    pretty(&json!({
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [{
            "tool": {
                "driver": {
                    "name": report.tool.name,
                    "semanticVersion": report.tool.version,
                    "rules": descriptors,
                },
            },
            "columnKind": "unicodeCodePoints",
            "invocations": [{
                "executionSuccessful": !report.unread.iter().any(|unread| report.is_open(unread)),
                "toolExecutionNotifications": unread,
                "toolConfigurationNotifications": configuration,
            }],
            "properties": {
                "from": report.from,
                "to": report.to,
                "verdict": report.verdict,
            },
            "results": results,
        }],
    }))
}

/// A relative URI reference with the characters escaped that a URI cannot hold.
fn artifact(file: &str) -> Value {
    let mut uri = String::new();
    for b in file.bytes() {
        if b.is_ascii_alphanumeric() || matches!(b, b'/' | b'.' | b'-' | b'_' | b'~') {
            uri.push(char::from(b));
        } else {
            uri.push_str(&format!("%{b:02X}"));
        }
    }
    if file.starts_with('/') {
        uri.insert_str(0, "file://");
    }
    json!({ "uri": uri })
}

/// `removed API` as a name: `RemovedApi`.
fn camel(title: &str) -> String {
    title
        .split_whitespace()
        .map(|word| {
            let mut characters = word.chars();
            characters.next().map_or_else(String::new, |first| {
                first.to_uppercase().chain(characters.flat_map(char::to_lowercase)).collect()
            })
        })
        .collect()
}
