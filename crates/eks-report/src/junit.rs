//! JUnit XML: a test case for each finding and each unread place, and one that passes when there
//! is none.

use eks_model::{CheckReport, Severity};

use crate::object_name;

pub(crate) fn render(report: &CheckReport) -> String {
    let failures = report.findings.iter().filter(|f| report.fail_on.fails(f.severity)).count();
    let unknown = report.findings.iter().filter(|f| f.severity == Severity::Unknown).count();
    let errors = unknown + report.unread.iter().filter(|unread| report.is_open(unread)).count();
    let cases = (report.findings.len() + report.unread.len()).max(1);
    let mut out = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    let counts = format!("tests=\"{cases}\" failures=\"{failures}\" errors=\"{errors}\"");
    out.push_str(&format!("<testsuites name=\"eks-skew-check\" {counts}>\n"));
    out.push_str(&format!("  <testsuite name=\"{} to {}\" {counts}>\n", report.from, report.to));
    for finding in &report.findings {
        let object = object_name(finding);
        let name = format!(
            "{} {} {} {object} at {}:{}:{}",
            finding.id,
            finding.api_version.as_deref().unwrap_or_default(),
            finding.kind.as_deref().unwrap_or_default(),
            finding.file,
            finding.line,
            finding.column,
        );
        out.push_str(&format!(
            "    <testcase classname=\"{}\" name=\"{}\" file=\"{}\" line=\"{}\">\n",
            escape(&finding.file),
            escape(&name),
            escape(&finding.file),
            finding.line,
        ));
        let text = format!("{}. Fix: {}", finding.message, finding.remedy);
        let element = if report.fail_on.fails(finding.severity) {
            format!("<failure type=\"{}\" message=\"{}\"/>", finding.id, escape(&text))
        } else if finding.severity == Severity::Unknown {
            format!("<error type=\"{}\" message=\"{}\"/>", finding.id, escape(&text))
        } else {
            // It passes; what it says goes along.
            format!("<system-out>{}: {}</system-out>", finding.severity.as_str(), escape(&text))
        };
        out.push_str(&format!("      {element}\n    </testcase>\n"));
    }
    for unread in &report.unread {
        let line = unread.line.map_or_else(String::new, |line| format!(":{line}"));
        let number = unread.line.map_or_else(String::new, |line| format!(" line=\"{line}\""));
        let element = if report.is_open(unread) {
            format!("<error type=\"unread\" message=\"{}\"/>", escape(&unread.reason))
        } else {
            format!("<system-out>allowed: {}</system-out>", escape(&unread.reason))
        };
        out.push_str(&format!(
            "    <testcase classname=\"{}\" name=\"not read: {}\" file=\"{}\"{number}>\n      {element}\n    </testcase>\n",
            escape(&unread.file),
            escape(&format!("{}{line}", unread.file)),
            escape(&unread.file),
        ));
    }
    if report.findings.is_empty() && report.unread.is_empty() {
        out.push_str("    <testcase classname=\"eks-skew-check\" name=\"nothing stops working\"/>\n");
    }
    out.push_str("  </testsuite>\n</testsuites>\n");
    out
}

/// Escapes text for XML, and leaves out what XML 1.0 cannot hold.
fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\n' => out.push_str("&#10;"),
            '\r' => out.push_str("&#13;"),
            '\t' => out.push_str("&#9;"),
            c if c.is_control() || matches!(c, '\u{FFFE}' | '\u{FFFF}') => out.push('\u{FFFD}'),
            c => out.push(c),
        }
    }
    out
}
