//! Walking folders with several workers.

use std::fs::{self, FileType};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, PoisonError};

use eks_deprecations::Format;
use ignore::Match;
use ignore::gitignore::{Gitignore, GitignoreBuilder};

use super::{Buffer, Job, Outcome, format_of, shown};

/// How many files of one folder make a piece of work.
const CHUNK: usize = 64;

/// Rules of `.gitignore` files, from the innermost folder outwards.
#[derive(Debug)]
struct Rules {
    own: Gitignore,
    outer: Option<Arc<Rules>>,
}

impl Rules {
    /// Whether a path is left out; the innermost rule that speaks of it decides.
    fn ignores(rules: Option<&Arc<Self>>, path: &Path, folder: bool) -> bool {
        let mut at = rules;
        while let Some(rules) = at {
            match rules.own.matched(path, folder) {
                Match::Ignore(_) => return true,
                Match::Whitelist(_) => return false,
                Match::None => at = rules.outer.as_ref(),
            }
        }
        false
    }

    /// The rules inside a folder.
    fn inside(outer: Option<Arc<Self>>, folder: &Path, file: &Path) -> Option<Arc<Self>> {
        let mut builder = GitignoreBuilder::new(folder);
        // A line that git would not understand is passed over, as git does.
        drop(builder.add(file));
        match builder.build() {
            Ok(own) if !own.is_empty() => Some(Arc::new(Self { own, outer })),
            _ => outer,
        }
    }
}

/// A piece of work.
enum Piece {
    Folder { path: PathBuf, rules: Option<Arc<Rules>> },
    Files(Vec<(PathBuf, Format)>),
}

/// The common list of work.
#[derive(Default)]
struct Queue {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    pieces: Vec<Piece>,
    /// Pieces that are being worked on, and may bring more.
    running: usize,
}

impl Queue {
    fn push(&self, piece: Piece) {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).pieces.push(piece);
        self.changed.notify_one();
    }

    /// The next piece; `None` when all is done.
    fn next(&self) -> Option<Piece> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            if let Some(piece) = state.pieces.pop() {
                state.running += 1;
                return Some(piece);
            }
            if state.running == 0 {
                return None;
            }
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn done(&self) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.running -= 1;
        if state.running == 0 && state.pieces.is_empty() {
            self.changed.notify_all();
        }
    }
}

/// Scans the files and folders named, with so many workers.
///
/// A file that is named is read whatever its name; folders are walked for names that may hold
/// manifests.
pub(crate) fn walk(job: &Job<'_>, paths: &[PathBuf], threads: usize) -> Outcome {
    let mut outcome = Outcome::default();
    let mut folders = Vec::new();
    let mut files = Vec::new();
    for path in paths {
        let path = job.directory.join(path);
        let name = shown(&path, job.directory);
        match fs::metadata(&path) {
            Ok(meta) if meta.is_dir() => folders.push(path),
            Ok(meta) if meta.is_file() || is_stream(&path) => {
                let format = path.file_name().and_then(|name| name.to_str()).and_then(format_of);
                files.push((path, format.unwrap_or_default()));
            }
            Ok(_) => {
                outcome.input_unread(&name, "it is neither a file nor a folder; name one that is".to_owned());
            }
            Err(error) => outcome.input_unread(&name, cannot("it", &error)),
        }
    }
    files.sort_by(|a, b| a.0.cmp(&b.0));
    files.dedup_by(|a, b| a.0 == b.0);
    folders.sort();
    folders.dedup();
    let roots: Vec<PathBuf> = folders.iter().filter_map(|folder| fs::canonicalize(folder).ok()).collect();
    let queue = Queue::default();
    for path in folders {
        let rules = if job.no_ignore { None } else { outer_rules(&path) };
        queue.push(Piece::Folder { path, rules });
    }
    let named = files.len();
    for chunk in files.chunks(CHUNK) {
        queue.push(Piece::Files(chunk.to_vec()));
    }
    // Starting threads costs more than reading a few files.
    let threads = if roots.is_empty() && named <= CHUNK { 1 } else { threads };
    let worker = || {
        let mut outcome = Outcome::default();
        let mut buffer = Buffer::new();
        while let Some(piece) = queue.next() {
            match piece {
                Piece::Folder { path, rules } => {
                    folder(job, &queue, &roots, &path, rules, &mut buffer, &mut outcome);
                }
                Piece::Files(files) => {
                    for (path, format) in files {
                        file(job, &path, format, &mut buffer, &mut outcome);
                    }
                }
            }
            queue.done();
        }
        outcome
    };
    if threads <= 1 {
        outcome.merge(worker());
        return outcome;
    }
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(worker)).collect();
        for worker in workers {
            match worker.join() {
                Ok(found) => outcome.merge(found),
                // What this worker had found is lost, so the check must not pass.
                Err(_) => {
                    outcome.input_unread(".", "a worker stopped unexpectedly; please report it".to_owned());
                }
            }
        }
    });
    outcome
}

/// `cat x | check /dev/stdin`, `check <(helm template .)`.
fn is_stream(path: &Path) -> bool {
    ["/dev/fd", "/dev/stdin", "/proc/self/fd"].iter().any(|streams| path.starts_with(streams))
}

/// The rules that hold for a folder from the repository that it lies in.
fn outer_rules(folder: &Path) -> Option<Arc<Rules>> {
    let folder = fs::canonicalize(folder).ok()?;
    let root = folder.ancestors().find(|folder| folder.join(".git").exists())?;
    let exclude = root.join(".git/info/exclude");
    let mut rules = if exclude.is_file() { Rules::inside(None, root, &exclude) } else { None };
    let between: Vec<&Path> =
        folder.ancestors().skip(1).take_while(|folder| folder.starts_with(root)).collect();
    for folder in between.into_iter().rev() {
        let file = folder.join(".gitignore");
        if file.is_file() {
            rules = Rules::inside(rules, folder, &file);
        }
    }
    rules
}

fn cannot(what: &str, error: &std::io::Error) -> String {
    let hint = if error.kind() == std::io::ErrorKind::NotFound {
        "; correct the path, or leave it out if it was deleted"
    } else if error.kind() == std::io::ErrorKind::PermissionDenied {
        "; give this user the right to read it"
    } else {
        ""
    };
    format!("{what} cannot be read: {error}{hint}")
}

fn file(job: &Job<'_>, path: &Path, format: Format, buffer: &mut Buffer, outcome: &mut Outcome) {
    let name = shown(path, job.directory);
    match buffer.read(path) {
        Ok(bytes) => outcome.scan(job, &name, format, bytes),
        Err(error) => outcome.input_unread(&name, cannot("it", &error)),
    }
}

fn folder(
    job: &Job<'_>,
    queue: &Queue,
    roots: &[PathBuf],
    path: &Path,
    rules: Option<Arc<Rules>>,
    buffer: &mut Buffer,
    outcome: &mut Outcome,
) {
    let entries = match fs::read_dir(path) {
        Ok(entries) => entries,
        Err(error) => {
            outcome.input_unread(&shown(path, job.directory), cannot("the folder", &error));
            return;
        }
    };
    let mut found: Vec<(PathBuf, FileType)> = Vec::new();
    let mut rules = rules;
    for entry in entries {
        let entry = match entry.and_then(|entry| Ok((entry.file_type()?, entry))) {
            Ok((kind, entry)) => {
                let name = entry.file_name();
                if name == ".gitignore" && !job.no_ignore && kind.is_file() {
                    rules = Rules::inside(rules, path, &entry.path());
                    continue;
                }
                // Names that are no manifests are done with here.
                if kind.is_file() && name.to_str().is_some_and(|name| format_of(name).is_none()) {
                    continue;
                }
                (entry.path(), kind)
            }
            Err(error) => {
                outcome.input_unread(&shown(path, job.directory), cannot("an entry of the folder", &error));
                continue;
            }
        };
        found.push(entry);
    }
    let mut files = Vec::new();
    for (path, kind) in found {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let left_out = |folder: bool| !job.no_ignore && Rules::ignores(rules.as_ref(), &path, folder);
        if kind.is_dir() {
            if name == ".git" {
                outcome.skip(job, &shown(&path, job.directory), "git's own");
            } else if name == "node_modules" && !job.no_ignore {
                outcome.skip(
                    job,
                    &shown(&path, job.directory),
                    "packages, not manifests (--no-ignore looks into it)",
                );
            } else if left_out(true) {
                outcome.skip(job, &shown(&path, job.directory), "left out by .gitignore");
            } else {
                queue.push(Piece::Folder { path, rules: rules.clone() });
            }
        } else if kind.is_file() {
            let Some(format) = format_of(&name) else { continue };
            if left_out(false) {
                outcome.skip(job, &shown(&path, job.directory), "left out by .gitignore");
            } else {
                files.push((path, format));
            }
        } else if kind.is_symlink() {
            link(job, queue, roots, &path, rules.as_ref(), &mut files, outcome);
        } else {
            outcome.skip(job, &shown(&path, job.directory), "not a regular file");
        }
    }
    // A folder with very many files is shared.
    let mut chunks = files.chunks(CHUNK);
    let own = chunks.next().unwrap_or_default();
    for chunk in chunks {
        queue.push(Piece::Files(chunk.to_vec()));
    }
    for (path, format) in own {
        file(job, path, *format, buffer, outcome);
    }
}

/// A symbolic link: followed when it leads out of everything that is walked anyway, so that
/// nothing is read twice, no loop is possible, and nothing that the tree uses is missed.
fn link(
    job: &Job<'_>,
    queue: &Queue,
    roots: &[PathBuf],
    path: &Path,
    rules: Option<&Arc<Rules>>,
    files: &mut Vec<(PathBuf, Format)>,
    outcome: &mut Outcome,
) {
    let name = shown(path, job.directory);
    let Ok(target) = fs::canonicalize(path) else {
        outcome.skip(job, &name, "a symbolic link that leads nowhere, or in a circle");
        return;
    };
    if roots.iter().any(|root| target.starts_with(root)) {
        outcome.skip(job, &name, "a symbolic link to what is read anyway");
        return;
    }
    if Rules::ignores(rules, path, target.is_dir()) {
        outcome.skip(job, &name, "left out by .gitignore");
    } else if target.is_file() {
        if let Some(format) = path.file_name().and_then(|name| name.to_str()).and_then(format_of) {
            files.push((path.to_owned(), format));
        }
    } else if target.is_dir() && !roots.iter().any(|root| root.starts_with(&target)) {
        // Inside it, links are only followed if they lead out of it too; the depth of real
        // folders bounds the rest.
        if path.ancestors().filter(|folder| folder.is_symlink()).count() > 1 {
            outcome.skip(job, &name, "a symbolic link behind a symbolic link");
        } else {
            queue.push(Piece::Folder { path: path.to_owned(), rules: None });
        }
    } else {
        outcome.skip(job, &name, "a symbolic link to a folder above, or to no regular file");
    }
}
