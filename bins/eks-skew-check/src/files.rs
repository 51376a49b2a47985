//! Finding the files and reading them: a tree in, usages out.
//!
//! Workers take folders from a common list; each reads the files of its folder into one buffer
//! that it keeps, scans them, and throws the bytes away. So memory is bounded by the largest
//! file, and the order of the results does not matter: they are sorted at the end.

mod name;
mod read;
mod walk;

use std::cell::{Cell, RefCell};
use std::path::{Component, Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use eks_declared::Interest;
use eks_deprecations::{Catalogue, HelmRelease, Scan, Usage, judge, matters};
use eks_model::{Finding, Scanned, Unread, UnreadKind, Window};

use crate::suppress::CommentPragma;

pub(crate) use name::{Kind, kind_of, kind_of_path};
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
    /// Keep what declares clusters, nodes, add-ons or controllers.
    pub(crate) keep: bool,
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

/// The use of an API that matters in the window of the work, and the file and line that it stands in.
#[derive(Debug)]
pub(crate) struct FoundUsage {
    file: String,
    usage: Usage<'static>,
    excerpt: Option<String>,
}

/// What the work brings.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    usages: Vec<FoundUsage>,
    pub(crate) unread: Vec<Unread>,
    pub(crate) releases: Vec<FoundRelease>,
    pub(crate) pragmas: Vec<CommentPragma>,
    pub(crate) scanned: Scanned,
    /// Files that declare something, to be read together: path as shown, and bytes.
    pub(crate) kept: Vec<(String, Vec<u8>)>,
    /// What was passed over, and why; only when asked for.
    pub(crate) skipped: Vec<String>,
    /// Symbolic links that wait to be followed.
    links: Vec<walk::Link>,
    /// Numbers of the files that were read.
    read: Vec<u64>,
    /// Kinds met lately, and whether they matter.
    recent: Vec<(String, String, bool, Interest)>,
}

/// How many kinds are remembered.
const RECENT: usize = 12;

impl Outcome {
    pub(crate) fn merge(&mut self, other: Self) {
        self.usages.extend(other.usages);
        self.unread.extend(other.unread);
        self.releases.extend(other.releases);
        self.kept.extend(other.kept);
        self.pragmas.extend(other.pragmas);
        self.scanned += other.scanned;
        self.skipped.extend(other.skipped);
        self.links.extend(other.links);
        self.read.extend(other.read);
    }

    /// What the usages mean in a window that is not wider than that of the work.
    pub(crate) fn findings(&self, catalogue: &Catalogue, window: Window) -> Vec<Finding> {
        let of = |found: &FoundUsage| {
            let mut finding = judge(catalogue, &found.usage, window)?;
            finding.file.clone_from(&found.file);
            finding.excerpt.clone_from(&found.excerpt);
            Some(finding)
        };
        self.usages.iter().filter_map(of).collect()
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
    pub(crate) fn scan(&mut self, job: &Job<'_>, shown: &str, kind: Kind, bytes: &[u8]) {
        self.scanned.files += 1;
        self.scanned.bytes += bytes.len() as u64;
        job.progress.files.fetch_add(1, Ordering::Relaxed);
        job.progress.bytes.fetch_add(bytes.len() as u64, Ordering::Relaxed);
        let format = match kind {
            Kind::Text(format) => format,
            Kind::Terraform => {
                self.keep(job, shown, bytes);
                return;
            }
            Kind::Template => {
                if eks_declared::may_declare(bytes) {
                    self.keep(job, shown, bytes);
                }
                return;
            }
        };
        let (declares, images) = (Cell::new(false), Cell::new(false));
        // The same few kinds come again and again, also from file to file.
        let recent = RefCell::new(std::mem::take(&mut self.recent));
        let wanted = |api: &str, kind: &str| {
            let mut recent = recent.borrow_mut();
            let known = recent.iter().find(|(a, k, _, _)| a == api && k == kind);
            let (matters, interest) = if let Some((_, _, matters, interest)) = known {
                (*matters, *interest)
            } else {
                let matters = matters(job.catalogue, api, kind, job.window);
                let interest = eks_declared::interest(api, kind);
                if recent.len() >= RECENT {
                    recent.clear();
                }
                recent.push((api.to_owned(), kind.to_owned(), matters, interest));
                (matters, interest)
            };
            match interest {
                Interest::None => {}
                Interest::Declares => declares.set(true),
                Interest::RunsImages => images.set(true),
            }
            matters
        };
        let scan = eks_deprecations::scan_with(bytes, format, &wanted);
        self.recent = recent.into_inner();
        self.scanned.documents += scan.documents;
        self.scanned.objects += scan.objects;
        let (objects, scan_documents) = (scan.objects, scan.documents);
        self.take(job, shown, scan, Some(bytes));
        if objects == 0 && job.keep && eks_declared::reads_like_terraform(bytes) {
            self.unread.push(Unread {
                file: shown.to_owned(),
                line: Some(1),
                reason:
                    "it reads like Terraform, which is known by its name: give the file (*.tf), or its folder"
                        .to_owned(),
                kind: UnreadKind::Text,
            });
            return;
        }
        let name = shown.rsplit('/').next().unwrap_or(shown);
        if declares.get()
            || (images.get() && eks_declared::has_known_image(bytes))
            // A template may stand behind objects of Kubernetes in one file.
            || ((objects == 0 || scan_documents > objects) && eks_declared::may_declare(bytes))
            || (objects == 0 && eks_declared::may_hold_values(bytes))
            || eks_declared::by_name(name) == Some(eks_declared::Name::Chart)
        {
            self.keep(job, shown, bytes);
        }
    }

    fn keep(&mut self, job: &Job<'_>, shown: &str, bytes: &[u8]) {
        if job.keep {
            self.kept.push((shown.to_owned(), bytes.to_vec()));
        }
    }

    /// Scans a Helm release found before.
    pub(crate) fn scan_release(&mut self, job: &Job<'_>, found: &FoundRelease) {
        let wanted = |api: &str, kind: &str| matters(job.catalogue, api, kind, job.window);
        let scan = found.release.scan(&wanted);
        self.scanned.objects += scan.objects;
        self.take(job, &found.file, scan, None);
    }

    fn take(&mut self, job: &Job<'_>, shown: &str, scan: Scan<'_>, bytes: Option<&[u8]>) {
        let mut lines = bytes.map(Lines::new);
        for usage in scan.usages {
            if judge(job.catalogue, &usage, job.window).is_some() {
                self.usages.push(FoundUsage {
                    file: shown.to_owned(),
                    excerpt: lines.as_mut().and_then(|lines| lines.get(usage.line)),
                    usage: usage.into_owned(),
                });
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

    /// Scans what standard input gave.
    pub(crate) fn scan_stdin(&mut self, job: &Job<'_>, stdin: &std::io::Result<Vec<u8>>) {
        match stdin.as_deref() {
            Ok([]) => self.unread.push(Unread {
                file: "-".to_owned(),
                line: None,
                reason: "standard input is empty: did the command before it fail?".to_owned(),
                kind: UnreadKind::Text,
            }),
            Ok(bytes) => self.scan(job, "-", Kind::default(), bytes),
            Err(error) => self.input_unread("-", format!("standard input cannot be read: {error}")),
        }
    }
}

/// The lines of a file, for people, asked for in the order of the file.
struct Lines<'a> {
    bytes: &'a [u8],
    /// A line, and where it starts.
    line: u32,
    start: usize,
}

impl<'a> Lines<'a> {
    fn new(bytes: &'a [u8]) -> Self {
        Self { bytes: bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes), line: 1, start: 0 }
    }

    /// A line without its line break. `None` where the text is not UTF-8, and for very long lines.
    fn get(&mut self, line: u32) -> Option<String> {
        if line < self.line {
            (self.line, self.start) = (1, 0);
        }
        while self.line < line {
            self.start += memchr::memchr(b'\n', self.bytes.get(self.start..)?)? + 1;
            self.line += 1;
        }
        // Only as far as a line is ever shown: its end may be very far.
        let rest = self.bytes.get(self.start..)?;
        let near = rest.get(..LONGEST_EXCERPT).unwrap_or(rest);
        let end = memchr::memchr(b'\n', near).or_else(|| (near.len() == rest.len()).then_some(rest.len()))?;
        let text = rest.get(..end)?;
        std::str::from_utf8(text).ok().map(|text| text.trim_end_matches('\r').to_owned())
    }
}

/// Longer source lines are not shown: very many findings in one would each keep a copy.
const LONGEST_EXCERPT: usize = 4_096;

/// A path without `.` and `..`, as far as that can be told from its words.
pub(crate) fn normal(path: &Path) -> PathBuf {
    let mut out = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir if matches!(out.components().next_back(), Some(Component::Normal(_))) => {
                out.pop();
            }
            Component::Prefix(_) | Component::RootDir | Component::ParentDir | Component::Normal(_) => {
                out.push(part);
            }
        }
    }
    out
}

/// How a path is shown: relative to the working directory where it lies in it or was given so,
/// else as given.
pub(crate) fn shown(path: &Path, directory: &Path) -> String {
    let relative = if let Ok(relative) = path.strip_prefix(directory) {
        normal(relative)
    } else {
        let path = normal(path);
        path.strip_prefix(normal(directory)).map_or(path.clone(), Path::to_owned)
    };
    if relative.as_os_str().is_empty() { ".".to_owned() } else { relative.to_string_lossy().into_owned() }
}

/// The paths in a list, separated by NUL if it has any, else by line breaks. git quotes names that
/// are not ASCII, unless it is asked for NUL.
pub(crate) fn paths_in_list(bytes: &[u8]) -> Vec<PathBuf> {
    let nul = bytes.contains(&0);
    bytes
        .split(|&b| b == if nul { 0 } else { b'\n' })
        .map(|path| if nul { path } else { path.strip_suffix(b"\r").unwrap_or(path) })
        .filter(|path| !path.is_empty())
        .map(|path| match path {
            [b'"', inner @ .., b'"'] if !nul => path_from(unquoted(inner)),
            path => path_from(path.to_vec()),
        })
        .collect()
}

/// What git means by a name in quotes.
fn unquoted(inner: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut rest = inner;
    while let Some((&b, after)) = rest.split_first() {
        (rest, out) = match (b, after) {
            (b'\\', [a @ b'0'..=b'3', b @ b'0'..=b'7', c @ b'0'..=b'7', after @ ..]) => {
                out.push((a - b'0') * 64 + (b - b'0') * 8 + (c - b'0'));
                (after, out)
            }
            (b'\\', [escaped, after @ ..]) => {
                out.push(match escaped {
                    b'n' => b'\n',
                    b't' => b'\t',
                    b'r' => b'\r',
                    other => *other,
                });
                (after, out)
            }
            _ => {
                out.push(b);
                (after, out)
            }
        };
    }
    out
}

/// A path out of bytes: any bytes are a name, where the system allows it.
#[cfg(unix)]
pub(crate) fn path_from(bytes: Vec<u8>) -> PathBuf {
    use std::os::unix::ffi::OsStringExt;
    PathBuf::from(std::ffi::OsString::from_vec(bytes))
}

/// A path out of bytes.
#[cfg(not(unix))]
pub(crate) fn path_from(bytes: Vec<u8>) -> PathBuf {
    PathBuf::from(String::from_utf8_lossy(&bytes).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_of_paths_are_read_as_git_writes_them() {
        let names = |text: &[u8]| -> Vec<String> {
            paths_in_list(text).into_iter().map(|path| path.to_string_lossy().into_owned()).collect()
        };
        assert_eq!(names(b"a.yaml\r\n\nb c.yaml\n"), ["a.yaml", "b c.yaml"]);
        assert_eq!(names(b"\"a/\\303\\274.yaml\"\n\"q\\\"t\\n.yaml\"\n"), ["a/ü.yaml", "q\"t\n.yaml"]);
        assert_eq!(names(b"a\nb.yaml\0\"c\".yaml\0"), ["a\nb.yaml", "\"c\".yaml"]);
    }

    #[test]
    fn paths_are_shown_from_the_working_directory() {
        for (path, expected) in [
            ("/w/repo/a.yaml", "a.yaml"),
            ("/w/repo/./x/../a.yaml", "a.yaml"),
            ("/w/repo", "."),
            ("/w/repo/../other/a.yaml", "../other/a.yaml"),
            ("/w/other/../repo/a.yaml", "a.yaml"),
            ("/elsewhere/a.yaml", "/elsewhere/a.yaml"),
        ] {
            assert_eq!(shown(Path::new(path), Path::new("/w/repo")), expected, "{path}");
        }
    }
}
