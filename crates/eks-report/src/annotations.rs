//! Findings at their lines, for code hosts: GitHub's workflow commands, GitLab's code quality.

use eks_model::{CheckReport, Finding, Severity};
use serde::Serialize;

use crate::{fingerprint, fingerprints, pretty};

/// Workflow commands: <https://docs.github.com/en/actions/reference/workflow-commands-for-github-actions>
/// (2026). One line each; what is not read is an error too.
pub(crate) fn github(report: &CheckReport) -> String {
    let mut out = String::new();
    for finding in &report.findings {
        let command = match finding.severity {
            Severity::Block | Severity::Unknown => "error",
            Severity::Warn => "warning",
            Severity::Info => "notice",
        };
        let end = finding.column.saturating_add(finding.width);
        out.push_str(&format!(
            "::{command} file={},line={},endLine={},col={},endColumn={end},title={}::{}\n",
            property(&finding.file),
            finding.line,
            finding.line,
            finding.column,
            property(&format!("{} {}", finding.id, finding.status.as_str())),
            data(&format!("{}. Fix: {}", finding.message, finding.remedy)),
        ));
    }
    for unread in &report.unread {
        let line = unread.line.map_or_else(String::new, |line| format!(",line={line}"));
        let command = if report.is_open(unread) { "error" } else { "warning" };
        out.push_str(&format!(
            "::{command} file={}{line},title=not read::{}\n",
            property(&unread.file),
            data(&format!("not read: {}", unread.reason)),
        ));
    }
    for suppression in &report.suppressions {
        let line = suppression.line.map_or_else(String::new, |line| format!(",line={line}"));
        out.push_str(&format!(
            "::warning file={}{line},title=suppression::{}\n",
            property(&suppression.file),
            data(&suppression.message),
        ));
    }
    for note in &report.notes {
        out.push_str(&format!("::notice title=eks-skew-check::{}\n", data(note)));
    }
    out
}

/// Escapes the message of a workflow command.
fn data(text: &str) -> String {
    let text = text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A");
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// Escapes a property of a workflow command.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

#[derive(Serialize)]
struct Issue<'a> {
    description: String,
    check_name: &'a str,
    fingerprint: String,
    severity: &'static str,
    location: Location<'a>,
}

#[derive(Serialize)]
struct Location<'a> {
    path: &'a str,
    lines: Lines,
}

#[derive(Serialize)]
struct Lines {
    begin: u32,
}

/// The code-quality report: <https://docs.gitlab.com/ci/testing/code_quality/> (2026).
pub(crate) fn gitlab(report: &CheckReport) -> String {
    let findings = report.findings.iter().zip(fingerprints(report)).map(|(finding, fingerprint)| Issue {
        description: description(finding),
        check_name: finding.id,
        fingerprint,
        severity: match finding.severity {
            Severity::Block => "blocker",
            Severity::Unknown => "major",
            Severity::Warn => "minor",
            Severity::Info => "info",
        },
        location: Location { path: &finding.file, lines: Lines { begin: finding.line } },
    });
    let unread = report.unread.iter().map(|unread| Issue {
        description: format!("not read: {}", unread.reason),
        check_name: "unread",
        fingerprint: fingerprint(&format!("unread|{}|{:?}|{}", unread.file, unread.line, unread.reason)),
        severity: "major",
        location: Location { path: &unread.file, lines: Lines { begin: unread.line.unwrap_or(1) } },
    });
    pretty(&findings.chain(unread).collect::<Vec<_>>())
}

fn description(finding: &Finding) -> String {
    format!("{}: {}. Fix: {}", finding.id, finding.message, finding.remedy)
}
