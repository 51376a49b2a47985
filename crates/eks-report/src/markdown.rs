//! Markdown, for a comment on a pull request.

use eks_model::{CheckReport, Verdict};

use crate::{count, object_name};

pub(crate) fn render(report: &CheckReport) -> String {
    let window = report.window().map_or_else(String::new, |window| window.to_string());
    let headline = match report.verdict {
        Verdict::Pass => "pass: nothing that was found stops the upgrade",
        Verdict::Blocked => "blocked",
        Verdict::Unknown => "unknown: not everything could be read",
    };
    let mut out = format!("### Kubernetes {window}: {headline}\n\n");
    if !report.findings.is_empty() {
        out.push_str("| | place | object | what | fix |\n|---|---|---|---|---|\n");
        for f in &report.findings {
            let object = [
                f.api_version.clone().unwrap_or_default(),
                f.kind.clone().unwrap_or_default(),
                object_name(f),
            ];
            let object: Vec<String> =
                object.iter().filter(|part| !part.is_empty()).map(|part| code(part)).collect();
            out.push_str(&format!(
                "| {} {} | {} | {} | {} | {} |\n",
                f.severity.as_str(),
                f.id,
                code(&format!("{}:{}", f.file, f.line)),
                object.join(" "),
                cell(&f.message),
                cell(&f.remedy),
            ));
        }
        out.push('\n');
    }
    if !report.unread.is_empty() {
        out.push_str("Not read:\n\n");
        for unread in &report.unread {
            let line = unread.line.map_or_else(String::new, |line| format!(":{line}"));
            out.push_str(&format!(
                "- {}: {}\n",
                code(&format!("{}{line}", unread.file)),
                cell(&unread.reason)
            ));
        }
        out.push('\n');
    }
    for suppression in &report.suppressions {
        out.push_str(&format!("- suppression: {}\n", cell(&suppression.message)));
    }
    for note in &report.notes {
        out.push_str(&format!("- note: {}\n", cell(note)));
    }
    if !report.suppressions.is_empty() || !report.notes.is_empty() {
        out.push('\n');
    }
    let s = report.summary;
    out.push_str(&format!(
        "{} block, {} warn, {} unknown, {} info, {} not read, {} suppressed, {} known before; {}, {}\n",
        s.block,
        s.warn,
        s.unknown,
        s.info,
        s.unread,
        s.suppressed,
        s.known,
        count(report.scanned.files, "file", "files"),
        count(report.scanned.objects, "object", "objects"),
    ));
    out
}

/// Text in a table's cell: no bars, no line breaks, no markup.
pub(crate) fn cell(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        match c {
            '|' | '\\' | '`' | '*' | '_' | '<' | '>' | '[' | ']' | '#' => {
                out.push('\\');
                out.push(c);
            }
            c if c.is_control() => out.push(' '),
            c => out.push(c),
        }
    }
    out
}

/// Text in code marks, one longer than any in it, in a table's cell.
pub(crate) fn code(text: &str) -> String {
    plain_code(text).replace('|', "\\|")
}

/// Text in code marks, one longer than any in it.
fn plain_code(text: &str) -> String {
    let text: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let marks = "`".repeat(longest + 1);
    if longest > 0 { format!("{marks} {text} {marks}") } else { format!("{marks}{text}{marks}") }
}
