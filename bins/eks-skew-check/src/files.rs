//! Finding the files and reading them: a tree in, usages out.
//!
//! Workers take folders from a common list; each reads the files of its folder into one buffer
//! that it keeps, scans them, and throws the bytes away. So memory is bounded by the largest
//! file, and the order of the results does not matter: they are sorted at the end.

mod name;
mod read;
mod walk;

use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use eks_deprecations::{Catalogue, Format, HelmRelease, Scan, judge, matters};
use eks_model::{Finding, Scanned, Unread, UnreadKind, Window};

use crate::suppress::CommentPragma;

pub(crate) use name::format_of;
pub(crate) use read::Buffer;
pub(crate) use walk::walk;

/// What all workers share.
pub(crate) struct Job<'a> {
    /// Relative paths start here.
    pub(crate) directory: &'a Path,
    pub(crate) window: Window,
    pub(crate) catalogue: &'a Catalogue,
    /// Look into what `.gitignore` leaves out.
    pub(crate) no_ignore: bool,
    /// Remember what was passed over.
    pub(crate) verbose: bool,
    /// For the progress bar.
    pub(crate) progress: &'a Counters,
}

/// How far the work is.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    pub(crate) files: AtomicU64,
    pub(crate) bytes: AtomicU64,
}

/// A Helm release, and the file that holds it.
#[derive(Debug)]
pub(crate) struct FoundRelease {
    pub(crate) file: String,
    pub(crate) release: HelmRelease,
}

/// What the work brings.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    pub(crate) findings: Vec<Finding>,
    pub(crate) unread: Vec<Unread>,
    pub(crate) releases: Vec<FoundRelease>,
    pub(crate) pragmas: Vec<CommentPragma>,
    pub(crate) scanned: Scanned,
    /// What was passed over, and why; only when asked for.
    pub(crate) skipped: Vec<String>,
}

impl Outcome {
    pub(crate) fn merge(&mut self, other: Self) {
        self.findings.extend(other.findings);
        self.unread.extend(other.unread);
        self.releases.extend(other.releases);
        self.pragmas.extend(other.pragmas);
        self.scanned += other.scanned;
        self.skipped.extend(other.skipped);
    }

    pub(crate) fn input_unread(&mut self, file: &str, reason: String) {
        self.unread.push(Unread { file: file.to_owned(), line: None, reason, kind: UnreadKind::Input });
    }

    fn skip(&mut self, job: &Job<'_>, shown: &str, why: &str) {
        self.scanned.skipped += 1;
        if job.verbose {
            self.skipped.push(format!("{shown}: {why}"));
        }
    }

    /// Scans the bytes of one file.
    pub(crate) fn scan(&mut self, job: &Job<'_>, shown: &str, format: Format, bytes: &[u8]) {
        self.scanned.files += 1;
        self.scanned.bytes += bytes.len() as u64;
        job.progress.files.fetch_add(1, Ordering::Relaxed);
        job.progress.bytes.fetch_add(bytes.len() as u64, Ordering::Relaxed);
        let wanted = |api: &str, kind: &str| matters(job.catalogue, api, kind, job.window);
        let scan = eks_deprecations::scan_with(bytes, format, &wanted);
        self.scanned.documents += scan.documents;
        self.scanned.objects += scan.objects;
        self.take(job, shown, scan, Some(bytes));
    }

    /// Scans a Helm release found before.
    pub(crate) fn scan_release(&mut self, job: &Job<'_>, found: &FoundRelease) {
        let wanted = |api: &str, kind: &str| matters(job.catalogue, api, kind, job.window);
        let scan = found.release.scan(&wanted);
        self.scanned.objects += scan.objects;
        self.take(job, &found.file, scan, None);
    }

    fn take(&mut self, job: &Job<'_>, shown: &str, scan: Scan<'_>, bytes: Option<&[u8]>) {
        for usage in &scan.usages {
            if let Some(mut finding) = judge(job.catalogue, usage, job.window) {
                shown.clone_into(&mut finding.file);
                finding.excerpt = bytes.and_then(|bytes| line_of(bytes, finding.line));
                self.findings.push(finding);
            }
        }
        self.unread.extend(scan.unread.into_iter().map(|unread| Unread {
            file: shown.to_owned(),
            line: unread.line,
            reason: unread.reason,
            kind: UnreadKind::Text,
        }));
        self.releases.extend(
            scan.releases.into_iter().map(|release| FoundRelease { file: shown.to_owned(), release }),
        );
        self.pragmas
            .extend(scan.pragmas.into_iter().map(|pragma| CommentPragma { file: shown.to_owned(), pragma }));
    }

    /// Reads and scans standard input.
    pub(crate) fn scan_stdin(&mut self, job: &Job<'_>, stdin: &mut dyn Read) {
        let mut bytes = Vec::new();
        match stdin.read_to_end(&mut bytes) {
            Ok(_) => self.scan(job, "-", Format::Manifest, &bytes),
            Err(error) => self.input_unread("-", format!("standard input cannot be read: {error}")),
        }
    }
}

/// A line of a file, for people. `None` where the text is not UTF-8.
fn line_of(bytes: &[u8], line: u32) -> Option<String> {
    let before = line.checked_sub(1)? as usize;
    let start = match before.checked_sub(1) {
        Some(nth) => memchr::memchr_iter(b'\n', bytes).nth(nth)? + 1,
        None => 0,
    };
    let rest = bytes.get(start..)?;
    let line = rest.get(..memchr::memchr(b'\n', rest).unwrap_or(rest.len()))?;
    let line = line.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(line);
    std::str::from_utf8(line).ok().map(|line| line.trim_end_matches('\r').to_owned())
}

/// How a path is shown: relative to the working directory where it lies in it, else as given.
pub(crate) fn shown(path: &Path, directory: &Path) -> String {
    let path = path.strip_prefix(directory).unwrap_or(path);
    let text = path.to_string_lossy();
    let text = text.strip_prefix("./").unwrap_or(&text);
    if text.is_empty() { ".".to_owned() } else { text.to_owned() }
}

/// The paths in a list, separated by NUL if it has any, else by line breaks.
pub(crate) fn paths_in_list(bytes: &[u8]) -> Vec<PathBuf> {
    let separator = if bytes.contains(&0) { 0 } else { b'\n' };
    bytes
        .split(|&b| b == separator)
        .map(|path| String::from_utf8_lossy(path).trim_end_matches('\r').to_owned())
        .filter(|path| !path.is_empty())
        .map(PathBuf::from)
        .collect()
}
