//! The report for people: the verdict's reasons first, each with its place and its remedy.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use anstyle::{AnsiColor, Style};
use eks_model::{CheckReport, Finding, Severity, Unread, UnreadKind, Verdict};

use crate::count;

/// Whether the text is coloured. Colour never carries a meaning that the words do not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Paint {
    /// Plain text.
    Never,
    /// With ANSI colours.
    Ansi,
}

impl Paint {
    fn with(self, style: Style, text: &str) -> String {
        match self {
            Self::Never => text.to_owned(),
            Self::Ansi => format!("{style}{text}{style:#}"),
        }
    }

    fn severity(self, severity: Severity) -> String {
        self.with(Style::new().bold().fg_color(Some(colour(severity).into())), severity.as_str())
    }

    fn bold(self, text: &str) -> String {
        self.with(Style::new().bold(), text)
    }

    fn dim(self, text: &str) -> String {
        self.with(Style::new().dimmed(), text)
    }
}

fn colour(severity: Severity) -> AnsiColor {
    match severity {
        Severity::Block => AnsiColor::Red,
        Severity::Unknown => AnsiColor::Magenta,
        Severity::Warn => AnsiColor::Yellow,
        Severity::Info => AnsiColor::Cyan,
    }
}

/// How many unread places are listed before the rest is counted.
const UNREAD_SHOWN: usize = 20;
/// How many lines are named for one cause.
const LINES_SHOWN: usize = 8;
/// Source lines longer than this are cut around the place.
const EXCERPT_WIDTH: usize = 100;

pub(crate) fn render(report: &CheckReport, paint: Paint) -> String {
    let mut out = String::new();
    let mut file: Option<&str> = None;
    let mut clusters: Vec<&str> = report.findings.iter().filter_map(|f| f.cluster.as_deref()).collect();
    clusters.sort_unstable();
    clusters.dedup();
    for finding in &report.findings {
        if file != Some(finding.file.as_str()) {
            if file.is_some() {
                out.push('\n');
            }
            // A line that starts with colons would be a command to GitHub's runners.
            let mark = if finding.file.starts_with(':') { "./" } else { "" };
            push_line(&mut out, &paint.bold(&format!("{mark}{}", printable(&finding.file))));
            file = Some(finding.file.as_str());
        }
        one_finding(&mut out, finding, clusters.len() > 1, paint);
    }
    if !report.findings.is_empty() {
        out.push('\n');
    }
    unread(&mut out, report, paint);
    for suppression in &report.suppressions {
        let place = place(&suppression.file, suppression.line);
        push_line(&mut out, &format!("suppression: {place}: {}", printable(&suppression.message)));
    }
    for note in &report.notes {
        push_line(&mut out, &format!("note: {}", printable(note)));
    }
    summary(&mut out, report, paint);
    out
}

/// With `several` clusters, a finding says of which one it is.
fn one_finding(out: &mut String, finding: &Finding, several: bool, paint: Paint) {
    let severity = paint.severity(finding.severity);
    push_line(out, &format!("  {} {severity}  {}", finding.id, printable(&finding.message)));
    if let Some(source) = &finding.source {
        push_line(out, &format!("    from: {}", printable(source)));
    }
    if let Some(cluster) = finding.cluster.as_ref().filter(|_| several) {
        push_line(out, &format!("    cluster: {}", printable(cluster)));
    }
    let number = finding.line.to_string();
    let bar = paint.dim("│");
    match &finding.excerpt {
        Some(excerpt) => {
            let (excerpt, offset) = cut(excerpt, finding.column);
            push_line(out, &format!("    {number} {bar} {excerpt}"));
            let pad = " ".repeat(number.len());
            let carets = "^".repeat(finding.width.max(1) as usize);
            let space = " ".repeat(offset);
            push_line(
                out,
                &format!("    {pad} {bar} {space}{}", paint.severity_marks(finding.severity, &carets)),
            );
        }
        None => push_line(
            out,
            &format!("    {}", paint.dim(&format!("line {number}, column {}", finding.column))),
        ),
    }
    push_line(out, &format!("    fix: {}", printable(&finding.remedy)));
}

impl Paint {
    fn severity_marks(self, severity: Severity, marks: &str) -> String {
        self.with(Style::new().fg_color(Some(colour(severity).into())), marks)
    }
}

/// The part of a long line around a column, and where the column is in it. Tabs become spaces,
/// so that the marks below stand where they should.
fn cut(line: &str, column: u32) -> (String, usize) {
    let at = (column.max(1) - 1) as usize;
    let characters: Vec<char> = printable(line.trim_end()).chars().collect();
    if characters.len() <= EXCERPT_WIDTH {
        return (characters.into_iter().collect(), at);
    }
    let start = at.saturating_sub(EXCERPT_WIDTH / 3);
    let end = (start + EXCERPT_WIDTH).min(characters.len());
    let mut text = String::new();
    let mut offset = at - start;
    if start > 0 {
        text.push('…');
        offset += 1;
    }
    text.extend(characters.get(start..end).unwrap_or_default());
    if end < characters.len() {
        text.push('…');
    }
    (text, offset)
}

fn unread(out: &mut String, report: &CheckReport, paint: Paint) {
    let causes = causes(&report.unread);
    for all in causes.iter().take(UNREAD_SHOWN) {
        let Some((Unread { file, line, reason, kind: _ }, others)) = all.split_first() else { continue };
        let mut text = printable(reason);
        if !others.is_empty() {
            let lines: Vec<String> =
                others.iter().filter_map(|other| other.line).map(|line| line.to_string()).collect();
            let (named, more) = match lines.get(..LINES_SHOWN) {
                Some(first) if lines.len() > LINES_SHOWN => (first.join(", "), ", …"),
                _ => (lines.join(", "), ""),
            };
            let _ = write!(text, "; so for {} more (line {named}{more})", others.len());
        }
        push_line(out, &format!("{} {}: {text}", paint.bold("not read:"), place(file, *line)));
    }
    let rest: usize = causes.iter().skip(UNREAD_SHOWN).map(Vec::len).sum();
    if rest > 0 {
        push_line(out, &format!("{} {rest} more (all of them in `--output json`)", paint.bold("not read:")));
    }
}

/// What is unread of one file for one cause together: a variable without a value makes many values unknown.
fn causes(unread: &[Unread]) -> Vec<Vec<&Unread>> {
    let mut causes: Vec<Vec<&Unread>> = Vec::new();
    let mut places: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    for unread in unread {
        // "the version of node group "a" is not known: variable v has no default"
        let cause = unread.reason.split_once(" is not known: ").filter(|_| unread.line.is_some());
        let known = cause.and_then(|(_, cause)| places.get(&(unread.file.as_str(), cause)).copied());
        if let Some(all) = known.and_then(|place| causes.get_mut(place)) {
            all.push(unread);
        } else {
            if let Some((_, cause)) = cause {
                places.insert((&unread.file, cause), causes.len());
            }
            causes.push(vec![unread]);
        }
    }
    causes
}

fn summary(out: &mut String, report: &CheckReport, paint: Paint) {
    let counts = report.summary;
    let colour = match report.verdict {
        Verdict::Pass => AnsiColor::Green,
        Verdict::Blocked => AnsiColor::Red,
        Verdict::Unknown => AnsiColor::Yellow,
    };
    let verdict = paint.with(Style::new().bold().fg_color(Some(colour.into())), report.verdict.as_str());
    let mut parts = vec![format!("{} block", counts.block), format!("{} warn", counts.warn)];
    if counts.unknown > 0 {
        parts.push(format!("{} unknown", counts.unknown));
    }
    if counts.info > 0 {
        parts.push(format!("{} info", counts.info));
    }
    if counts.unread > 0 {
        parts.push(format!("{} not read", counts.unread));
    }
    if counts.suppressed > 0 {
        parts.push(format!("{} suppressed", counts.suppressed));
    }
    if counts.known > 0 {
        parts.push(format!("{} known before", counts.known));
    }
    let scanned = report.scanned;
    if scanned.skipped > 0 {
        parts.push(format!("{} passed over", scanned.skipped));
    }
    let files = count(scanned.files, "file", "files");
    let objects = count(scanned.objects, "object", "objects");
    let window = report.window().map_or_else(String::new, |window| window.to_string());
    if !out.is_empty() && !out.ends_with("\n\n") && report.findings.is_empty() {
        out.push('\n');
    }
    push_line(out, &format!("{verdict}  {} · {files}, {objects}, {window}", parts.join(", ")));
    if report.verdict == Verdict::Unknown {
        if counts.unread == 0 {
            push_line(
                out,
                "next: find out what is unknown above, or accept it in the configuration with a reason (suppress)",
            );
            return;
        }
        let only_texts = report.unread.iter().all(|unread| unread.kind == UnreadKind::Text);
        let hint = if only_texts {
            "next: render the templates (helm template, kustomize build), give the variables their values (*.tfvars, terraform show -json) or --from, mend what is broken, or accept it with --allow-unread"
        } else {
            "next: make the files above readable and run it again"
        };
        push_line(out, hint);
    }
}

fn place(file: &str, line: Option<u32>) -> String {
    let file = printable(file);
    line.map_or_else(|| file.clone(), |line| format!("{file}:{line}"))
}

/// Text out of files, made fit for a terminal: a name may hold line breaks, escape sequences, and
/// marks that turn the direction of what follows.
pub(crate) fn printable(text: &str) -> String {
    let turns =
        |c: char| matches!(c, '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}' | '\u{200E}' | '\u{200F}');
    text.chars().map(|c| if c.is_control() || turns(c) { ' ' } else { c }).collect()
}

fn push_line(out: &mut String, line: &str) {
    // Writing to a String cannot fail.
    if writeln!(out, "{}", line.trim_end()).is_err() {
        out.push('\n');
    }
}
