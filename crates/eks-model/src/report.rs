//! What a check found, as one value.

use serde::Serialize;

use crate::{FailOn, Finding, KubeMinor, Severity, Window};

/// The tool that made a report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Tool {
    /// Its name.
    pub name: &'static str,
    /// Its version.
    pub version: &'static str,
    /// The day of the facts it judged by: `2026-08-26`.
    pub facts: String,
}

/// What a check as a whole means for a gate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// Everything was read, and nothing fails the gate.
    Pass,
    /// Something fails the gate.
    Blocked,
    /// Nothing that was read fails the gate, and something could not be read.
    Unknown,
}

impl Verdict {
    /// The word used in every output.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Blocked => "blocked",
            Self::Unknown => "unknown",
        }
    }
}

/// Why something was not read, for the gate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum UnreadKind {
    /// A text that is there and is not a manifest that one can read: broken, or a template.
    /// May be allowed.
    Text,
    /// A file that could not be opened or read, or a path that was asked for and is not there.
    /// Never allowed: nobody knows what is in it.
    Input,
}

/// Something that should have been looked at and could not be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Unread {
    /// The file, relative to the working directory, as given.
    pub file: String,
    /// 1-based line, where one is known.
    pub line: Option<u32>,
    /// One sentence: what went wrong.
    pub reason: String,
    /// Whether it can be allowed.
    #[serde(skip)]
    pub kind: UnreadKind,
}

/// What was looked at.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Scanned {
    /// Files read.
    pub files: u64,
    /// YAML and JSON documents in them.
    pub documents: u64,
    /// Objects with `apiVersion` and `kind`, items of lists counted one by one.
    pub objects: u64,
    /// Bytes read.
    pub bytes: u64,
    /// Files and folders passed over: not text, not a regular file, a link to what is read anyway.
    pub skipped: u64,
}

impl std::ops::AddAssign for Scanned {
    fn add_assign(&mut self, other: Self) {
        self.files += other.files;
        self.documents += other.documents;
        self.objects += other.objects;
        self.bytes += other.bytes;
        self.skipped += other.skipped;
    }
}

/// How many findings of each severity, and what was left out.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Summary {
    /// Findings that block.
    pub block: u64,
    /// Warnings.
    pub warn: u64,
    /// Findings of which nobody here can say what they mean.
    pub unknown: u64,
    /// Findings that are good to know.
    pub info: u64,
    /// Entries of `unread`.
    pub unread: u64,
    /// Findings suppressed with a reason.
    pub suppressed: u64,
    /// Findings that were there before: in the baseline, or at the merge base.
    pub known: u64,
}

/// What became of a suppression.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum SuppressionState {
    /// Its day has passed: what it covered is reported again.
    Expired,
    /// It covers nothing any more: delete it.
    Unused,
    /// It cannot be understood, so it covers nothing.
    Invalid,
}

/// A suppression that needs somebody's attention.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Suppression {
    /// The file that holds it: the configuration, or a manifest with a comment.
    pub file: String,
    /// 1-based line, where one is known.
    pub line: Option<u32>,
    /// What became of it.
    pub state: SuppressionState,
    /// One sentence for people.
    pub message: String,
}

/// What a check found. Serialises to the JSON report, version 1.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CheckReport {
    /// `eks-skew-check/1`
    pub schema: &'static str,
    /// The tool that made it.
    pub tool: Tool,
    /// The first minor of the window.
    pub from: KubeMinor,
    /// The last minor of the window.
    pub to: KubeMinor,
    /// What it means for a gate.
    pub verdict: Verdict,
    /// Counts.
    pub summary: Summary,
    /// The findings, sorted by file, line, column and rule.
    pub findings: Vec<Finding>,
    /// What could not be read, sorted by file and line.
    pub unread: Vec<Unread>,
    /// What was looked at.
    pub scanned: Scanned,
    /// Suppressions that need somebody's attention.
    pub suppressions: Vec<Suppression>,
    /// What else the reader must know: defaults chosen, limits of the tables.
    pub notes: Vec<String>,
    /// What fails the gate: for forms that have their own word for it.
    #[serde(skip)]
    pub fail_on: FailOn,
    /// Whether texts that are no manifests are allowed.
    #[serde(skip)]
    pub allow_unread: bool,
}

/// The name and version of the JSON report.
const SCHEMA: &str = "eks-skew-check/1";

impl CheckReport {
    /// A report with its verdict still open: fill in, then call [`CheckReport::conclude`].
    pub fn new(tool: Tool, window: Window) -> Self {
        Self {
            schema: SCHEMA,
            tool,
            from: window.from(),
            to: window.to(),
            verdict: Verdict::Unknown,
            summary: Summary::default(),
            findings: Vec::new(),
            unread: Vec::new(),
            scanned: Scanned::default(),
            suppressions: Vec::new(),
            notes: Vec::new(),
            fail_on: FailOn::default(),
            allow_unread: false,
        }
    }

    /// Whether an unread place fails the gate.
    pub fn is_open(&self, unread: &Unread) -> bool {
        !self.allow_unread || unread.kind == UnreadKind::Input
    }

    /// The window that was judged.
    pub fn window(&self) -> Option<Window> {
        Window::new(self.from, self.to).ok()
    }

    /// Sorts everything, counts, and gives the verdict.
    ///
    /// `allow_unread` forgives texts that are no manifests; it does not forgive files that could
    /// not be read at all.
    #[must_use]
    pub fn conclude(mut self, fail_on: FailOn, allow_unread: bool) -> Self {
        let place = |f: &Finding| (f.file.clone(), f.line, f.column, f.document, f.id);
        self.findings.sort_by_cached_key(|f| (place(f), f.api_version.clone(), f.name.clone()));
        self.unread.sort_by(|a, b| (&a.file, a.line, &a.reason).cmp(&(&b.file, b.line, &b.reason)));
        self.unread.dedup();
        self.suppressions.sort();
        self.suppressions.dedup();
        let count = |severity| self.findings.iter().filter(|f| f.severity == severity).count() as u64;
        self.summary.block = count(Severity::Block);
        self.summary.warn = count(Severity::Warn);
        self.summary.unknown = count(Severity::Unknown);
        self.summary.info = count(Severity::Info);
        self.summary.unread = self.unread.len() as u64;
        (self.fail_on, self.allow_unread) = (fail_on, allow_unread);
        let unknown = self.summary.unknown > 0 || self.unread.iter().any(|unread| self.is_open(unread));
        self.verdict = if self.findings.iter().any(|f| fail_on.fails(f.severity)) {
            Verdict::Blocked
        } else if unknown {
            Verdict::Unknown
        } else {
            Verdict::Pass
        };
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Status;

    fn report() -> CheckReport {
        let tool = Tool { name: "test", version: "0", facts: "2026-01-01".to_owned() };
        CheckReport::new(tool, Window::new(KubeMinor::new(33), KubeMinor::new(34)).unwrap())
    }

    fn unread(kind: UnreadKind) -> Unread {
        Unread { file: "a.yaml".to_owned(), line: None, reason: "broken".to_owned(), kind }
    }

    #[test]
    fn unknown_is_never_a_pass() {
        for (kind, allow, verdict) in [
            (UnreadKind::Text, false, Verdict::Unknown),
            (UnreadKind::Text, true, Verdict::Pass),
            (UnreadKind::Input, false, Verdict::Unknown),
            (UnreadKind::Input, true, Verdict::Unknown),
        ] {
            for fail_on in [FailOn::Block, FailOn::Warn, FailOn::None] {
                let mut report = report();
                report.unread.push(unread(kind));
                assert_eq!(report.conclude(fail_on, allow).verdict, verdict, "{kind:?} {allow}");
            }
        }
    }

    #[test]
    fn the_gate_is_as_strict_as_asked() {
        for (fail_on, severity, verdict) in [
            (FailOn::Block, Severity::Block, Verdict::Blocked),
            (FailOn::Block, Severity::Warn, Verdict::Pass),
            (FailOn::Warn, Severity::Warn, Verdict::Blocked),
            (FailOn::Warn, Severity::Info, Verdict::Pass),
            (FailOn::Block, Severity::Unknown, Verdict::Unknown),
            (FailOn::Warn, Severity::Unknown, Verdict::Unknown),
            (FailOn::None, Severity::Unknown, Verdict::Unknown),
            (FailOn::None, Severity::Block, Verdict::Pass),
        ] {
            let mut report = report();
            report.findings.push(Finding::new("API001", severity, Status::Removed));
            assert_eq!(report.conclude(fail_on, false).verdict, verdict, "{fail_on:?} {severity:?}");
        }
    }

    #[test]
    fn findings_win_over_unread() {
        let mut report = report();
        report.findings.push(Finding::new("API001", Severity::Block, Status::Removed));
        report.unread.push(unread(UnreadKind::Input));
        assert_eq!(report.conclude(FailOn::Block, false).verdict, Verdict::Blocked);
    }
}
