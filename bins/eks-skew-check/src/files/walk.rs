//! Walking folders with several workers.

use std::collections::HashSet;
use std::ffi::OsString;
use std::fs::{self, FileType};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, PoisonError};

use eks_model::{Unread, UnreadKind};
use ignore::Match;
use ignore::gitignore::{Gitignore, GitignoreBuilder};

use super::{Buffer, Job, Kind, Outcome, kind_of, kind_of_path, shown};

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
    Folder(Folder),
    Files(Vec<NamedFile>),
}

/// A folder: the path that it is shown by, and the real one that it is known by.
struct Folder {
    path: PathBuf,
    real: PathBuf,
    rules: Option<Arc<Rules>>,
}

/// A file: the path that it is shown by, the real one, and what it is meant to be.
#[derive(Clone)]
struct NamedFile {
    path: PathBuf,
    real: PathBuf,
    format: Kind,
    regular: bool,
}

/// A symbolic link: to be followed when all else is done, if its target was not read by then.
#[derive(Debug)]
pub(crate) struct Link {
    path: PathBuf,
    target: PathBuf,
}

/// What the workers of a pass share.
struct Pass<'a> {
    job: &'a Job<'a>,
    queue: Queue,
    /// Real folders that are walked, or were.
    visited: &'a Mutex<HashSet<PathBuf>>,
    /// Real files that were named, and so are read already.
    named: &'a HashSet<PathBuf>,
    /// Real folders that were named.
    roots: &'a [PathBuf],
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

/// More workers than this help nobody.
const MOST_THREADS: usize = 64;

/// Scans the files and folders named, with so many workers.
///
/// A file that is named is read whatever its name; folders are walked for names that may hold
/// manifests. Nothing is read twice, however it is reached.
pub(crate) fn walk(job: &Job<'_>, paths: &[PathBuf], threads: usize) -> Outcome {
    let mut outcome = Outcome::default();
    let mut folders = Vec::new();
    let mut files: Vec<NamedFile> = Vec::new();
    for path in paths {
        let path = job.directory.join(path);
        let name = shown(&path, job.directory);
        let real = fs::canonicalize(&path).unwrap_or_else(|_| path.clone());
        match fs::metadata(&path) {
            Ok(meta) if meta.is_dir() => folders.push((path, real)),
            Ok(meta) if meta.is_file() || is_stream(&path) => {
                let format = kind_of_path(&path).unwrap_or_default();
                files.push(NamedFile { path, real, format, regular: meta.is_file() });
            }
            Ok(_) => {
                outcome.input_unread(&name, "it is neither a file nor a folder; name one that is".to_owned());
            }
            Err(error) => outcome.input_unread(&name, cannot("it", &error)),
        }
    }
    files.sort_by(|a, b| (&a.real, &a.path).cmp(&(&b.real, &b.path)));
    files.dedup_by(|a, b| a.real == b.real);
    folders.sort();
    let roots: Vec<PathBuf> = folders.iter().map(|(_, real)| real.clone()).collect();
    let named: HashSet<PathBuf> = files.iter().map(|file| file.real.clone()).collect();
    let visited = Mutex::new(HashSet::new());
    let pass = Pass { job, queue: Queue::default(), visited: &visited, named: &named, roots: &roots };
    for (path, real) in folders {
        let rules = if job.no_ignore { None } else { outer_rules(&real) };
        pass.queue.push(Piece::Folder(Folder { path, real, rules }));
    }
    let mut read: HashSet<u64> = files.iter().map(|file| fingerprint(&file.real)).collect();
    // Starting threads costs more than reading a few files.
    let threads = if roots.is_empty() && files.len() <= CHUNK { 1 } else { threads.clamp(1, MOST_THREADS) };
    for chunk in files.chunks(CHUNK) {
        pass.queue.push(Piece::Files(chunk.to_vec()));
    }
    pass.work(threads, &mut outcome);
    // Links are followed in the order of their names until they lead to nothing new.
    loop {
        read.extend(outcome.read.drain(..));
        let mut links = std::mem::take(&mut outcome.links);
        if links.is_empty() {
            return outcome;
        }
        links.sort_by(|a, b| a.path.cmp(&b.path));
        for Link { path, target } in links {
            let name = shown(&path, job.directory);
            if target.is_dir() {
                let known = visited.lock().unwrap_or_else(PoisonError::into_inner).contains(&target);
                if known {
                    if !terraform_below(job, &path, &target, &mut outcome) {
                        outcome.skip(job, &name, "a symbolic link to what is read anyway");
                    }
                } else if roots.iter().any(|root| root.starts_with(&target)) {
                    outcome.skip(job, &name, "a symbolic link to a folder above");
                } else {
                    pass.queue.push(Piece::Folder(Folder { path, real: target, rules: None }));
                    pass.work(threads, &mut outcome);
                    read.extend(outcome.read.drain(..));
                }
            } else if target.is_file() {
                let Some(format) = kind_of_path(&path).or_else(|| kind_of_path(&target)) else {
                    continue;
                };
                // A file of Terraform means something else in every folder.
                if read.insert(fingerprint(&target)) || format == Kind::Terraform {
                    file(job, &path, format, true, &mut Buffer::new(), &mut outcome);
                } else {
                    outcome.skip(job, &name, "a symbolic link to what is read anyway");
                }
            } else {
                outcome.skip(job, &name, "a symbolic link to no regular file");
            }
        }
    }
}

/// Reads the Terraform files of a folder that is read already under another name: what they mean depends on where
/// they lie. Says whether there were any.
fn terraform_below(job: &Job<'_>, link: &Path, target: &Path, outcome: &mut Outcome) -> bool {
    let mut any = false;
    let mut open = vec![(link.to_owned(), target.to_owned())];
    while let Some((path, real)) = open.pop() {
        let Ok(entries) = fs::read_dir(&real) else { continue };
        let mut names: Vec<OsString> = entries.flatten().map(|entry| entry.file_name()).collect();
        names.sort();
        for name in names {
            let (path, real) = (path.join(&name), real.join(&name));
            let Ok(kind) = fs::symlink_metadata(&real).map(|meta| meta.file_type()) else { continue };
            let hidden = name.to_string_lossy().starts_with('.');
            if kind.is_dir() && !hidden && name != "node_modules" {
                open.push((path, real));
            } else if kind.is_file() && kind_of_path(&real) == Some(Kind::Terraform) {
                any = true;
                file(job, &path, Kind::Terraform, true, &mut Buffer::new(), outcome);
            }
        }
    }
    any
}

/// A number for a path, to remember very many. (Two paths with one number are possible as two
/// equal lottery numbers are.)
fn fingerprint(path: &Path) -> u64 {
    let mut hasher = DefaultHasher::new();
    path.hash(&mut hasher);
    hasher.finish()
}

impl Pass<'_> {
    /// Works the queue off.
    fn work(&self, threads: usize, outcome: &mut Outcome) {
        let worker = || {
            let mut outcome = Outcome::default();
            let mut buffer = Buffer::new();
            while let Some(piece) = self.queue.next() {
                match piece {
                    Piece::Folder(folder) => self.folder(folder, &mut buffer, &mut outcome),
                    Piece::Files(files) => {
                        for named in files {
                            outcome.read.push(fingerprint(&named.real));
                            file(
                                self.job,
                                &named.path,
                                named.format,
                                named.regular,
                                &mut buffer,
                                &mut outcome,
                            );
                        }
                    }
                }
                self.queue.done();
            }
            outcome
        };
        if threads <= 1 {
            outcome.merge(worker());
            return;
        }
        std::thread::scope(|scope| {
            // This thread works too, so that a system that gives no more still gets it done.
            let others: Vec<_> = (1..threads)
                .filter_map(|_| std::thread::Builder::new().spawn_scoped(scope, worker).ok())
                .collect();
            outcome.merge(worker());
            for other in others {
                match other.join() {
                    Ok(found) => outcome.merge(found),
                    // What this worker had found is lost, so the check must not pass.
                    Err(_) => {
                        outcome
                            .input_unread(".", "a worker stopped unexpectedly; please report it".to_owned());
                    }
                }
            }
        });
    }
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

fn file(job: &Job<'_>, path: &Path, format: Kind, regular: bool, buffer: &mut Buffer, outcome: &mut Outcome) {
    let name = shown(path, job.directory);
    match buffer.read(path, regular) {
        Ok(bytes) => outcome.scan(job, &name, format, bytes),
        Err(error) => outcome.input_unread(&name, cannot("it", &error)),
    }
}

impl Pass<'_> {
    fn folder(&self, folder: Folder, buffer: &mut Buffer, outcome: &mut Outcome) {
        let Folder { path, real, mut rules } = folder;
        let job = self.job;
        if !self.visited.lock().unwrap_or_else(PoisonError::into_inner).insert(real.clone()) {
            return;
        }
        let entries = match fs::read_dir(&path) {
            Ok(entries) => entries,
            Err(error) => {
                outcome.input_unread(&shown(&path, job.directory), cannot("the folder", &error));
                return;
            }
        };
        let mut found: Vec<(OsString, FileType, Option<Kind>)> = Vec::new();
        for entry in entries {
            match entry.and_then(|entry| Ok((entry.file_type()?, entry))) {
                Ok((kind, entry)) => {
                    let name = entry.file_name();
                    let format = if kind.is_file() { kind_of(&name.to_string_lossy()) } else { None };
                    if name == ".gitignore" && !job.no_ignore && kind.is_file() {
                        rules = Rules::inside(rules, &path, &entry.path());
                    } else if !kind.is_file() || format.is_some() {
                        found.push((name, kind, format));
                    }
                }
                Err(error) => {
                    outcome
                        .input_unread(&shown(&path, job.directory), cannot("an entry of the folder", &error));
                }
            }
        }
        let mut files = Vec::new();
        for (name, kind, format) in found {
            let path = path.join(&name);
            // Terraform reads what lies in its folder whatever git does with it: `*.tfvars` often is ignored.
            let left_out = !job.no_ignore
                && format != Some(Kind::Terraform)
                && Rules::ignores(rules.as_ref(), &path, kind.is_dir());
            let skip =
                |outcome: &mut Outcome, why: &str| outcome.skip(job, &shown(&path, job.directory), why);
            if kind.is_dir() {
                if name == ".git" {
                    skip(outcome, "git's own");
                } else if name == "node_modules" && !job.no_ignore {
                    skip(outcome, "packages, not manifests (--no-ignore looks into it)");
                } else if matches!(name.to_str(), Some(".terraform" | ".terragrunt-cache")) && !job.no_ignore
                {
                    skip(outcome, "copies that Terraform made (--no-ignore looks into it)");
                } else if left_out {
                    skip(outcome, "left out by .gitignore");
                } else {
                    let real = real.join(&name);
                    self.queue.push(Piece::Folder(Folder { path, real, rules: rules.clone() }));
                }
            } else if left_out {
                skip(outcome, "left out by .gitignore");
            } else if let Some(format) = format {
                let real = real.join(&name);
                if !self.named.contains(&real) {
                    files.push(NamedFile { path, real, format, regular: true });
                }
            } else if kind.is_symlink() {
                self.link(path, outcome);
            } else {
                skip(outcome, "not a regular file");
            }
        }
        // A folder with very many files is shared.
        let mut chunks = files.chunks(CHUNK);
        let own = chunks.next().unwrap_or_default();
        for chunk in chunks {
            self.queue.push(Piece::Files(chunk.to_vec()));
        }
        for named in own {
            outcome.read.push(fingerprint(&named.real));
            file(job, &named.path, named.format, named.regular, buffer, outcome);
        }
    }

    /// Notes a symbolic link, to be followed later. One that leads nowhere is not read, if its
    /// name says that it should have held a manifest.
    fn link(&self, path: PathBuf, outcome: &mut Outcome) {
        let name = shown(&path, self.job.directory);
        match fs::canonicalize(&path) {
            Ok(target) => {
                if self.roots.iter().any(|root| root.starts_with(&target)) {
                    outcome.skip(self.job, &name, "a symbolic link to a folder above");
                } else {
                    outcome.links.push(Link { path, target });
                }
            }
            Err(error) if error.kind() == std::io::ErrorKind::PermissionDenied => {
                outcome.input_unread(&name, cannot("where the symbolic link leads", &error));
            }
            Err(_) if kind_of_path(&path).is_some() => {
                outcome.unread.push(Unread {
                    file: name,
                    line: None,
                    reason: "it is a symbolic link that leads nowhere, or in a circle; delete it, or check out what it leads to".to_owned(),
                    kind: UnreadKind::Text,
                });
            }
            Err(_) => outcome.skip(self.job, &name, "a symbolic link that leads nowhere, or in a circle"),
        }
    }
}
