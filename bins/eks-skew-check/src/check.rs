//! `files`: everything that is named is read, and judged over the window.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context, bail};
use eks_addons::Matrix;
use eks_deprecations::{Catalogue, newest_deployed};
use eks_model::{CheckReport, FailOn, Finding, KubeMinor, Tool, UnreadKind, Verdict, Window};
use eks_report::ExitCode;

use crate::baseline::{self, Known};
use crate::cli::FilesArgs;
use crate::config::Config;
use crate::declared::{self, Read};
use crate::files::{
    Buffer, Counters, FoundRelease, Job, Kind, Outcome, kind_of, kind_of_path, paths_in_list, shown, walk,
};
use crate::git::{Change, Changed};
use crate::progress::Progress;
use crate::suppress::CommentPragma;
use crate::{Environment, output, run, suppress};

/// What was read, and what was there before.
struct Gathered {
    outcome: Outcome,
    /// What was there at the merge base, of the files that the change touches.
    was: Option<Outcome>,
    /// What the files declare.
    read: Read,
    /// What they declared at the merge base, when the change touches a declaration.
    before: Option<Read>,
    /// Files that the change moves: their names then, and now.
    moved: BTreeMap<String, String>,
}

/// Standard input, read once, whatever it was asked for.
enum Input {
    /// Nobody asked.
    Unused,
    /// A file to check.
    File(std::io::Result<Vec<u8>>),
    /// The list of files.
    List(Vec<u8>),
}

pub(crate) fn files(args: &FilesArgs, environment: &mut Environment<'_>) -> anyhow::Result<ExitCode> {
    output::distinct(&args.output)?;
    let catalogue = Catalogue::embedded();
    let config = if args.no_config {
        Config { root: environment.directory.clone(), ..Config::default() }
    } else {
        Config::load(args.config.as_deref(), &environment.directory)?
    };
    let (mut window, mut notes) = run::window(&args.window, &config, catalogue)?;
    run::plausible(window, catalogue)?;
    let from_given = args.window.from.or(config.from).is_some();
    let with_capture = declared::matrix(&args.addons, &config, &environment.directory)?;
    let matrix = with_capture.as_ref().unwrap_or_else(|| Matrix::embedded());
    let counters = Arc::new(Counters::default());
    let directory = environment.directory.clone();
    let threads = args.threads.or_else(|| std::thread::available_parallelism().ok()).map_or(1, Into::into);
    let progress = Progress::start(environment.watched, &counters);
    let input = read_input(args, environment)?;
    // Where nobody says which version is in use, the files may: what matters from any of them on is looked for.
    let wide = if from_given { window } else { widest(window) };
    let mut gathered =
        gather(args, &config_job(&directory, wide, catalogue, args, &counters), threads, &input)?;
    if !from_given && let Some((from, note)) = declared::start(&gathered.read.declared, window.to()) {
        notes.retain(|note| !note.starts_with("no --from given"));
        notes.push(note);
        window = Window::new(from, window.to()).context("--from and --to")?;
        run::plausible(window, catalogue)?;
        if from < wide.from() {
            let quiet = Counters::default();
            gathered =
                gather(args, &config_job(&directory, window, catalogue, args, &quiet), threads, &input)?;
        }
    }
    let Gathered { mut outcome, was, read, before, moved } = gathered;
    let mut known = was.map(|was| {
        let mut known = Known::default();
        known.add(&was.findings(catalogue, window), &was.unread);
        known
    });
    drop(progress);
    outcome.skipped.sort();
    for skipped in &outcome.skipped {
        drop(writeln!(environment.stderr, "passed over: {skipped}"));
    }

    let tool = Tool {
        name: "eks-skew-check",
        version: env!("CARGO_PKG_VERSION"),
        facts: catalogue.newest().as_of.to_owned(),
    };
    let mut report = CheckReport::new(tool, window);
    report.notes = notes;
    if outcome.scanned.files == 0 && outcome.unread.is_empty() && args.base.is_none() {
        report.notes.push(
            "no file was found that could hold manifests or declarations (*.yaml, *.yml, *.json, templates of them, *.tf, *.tfvars)"
                .to_owned(),
        );
    } else if outcome.scanned.objects == 0
        && outcome.unread.is_empty()
        && args.base.is_none()
        && read.declared.clusters.is_empty()
        && read.declared.controllers.is_empty()
    {
        report.notes.push(
            "no Kubernetes object and no declaration of a cluster was found in what was read".to_owned(),
        );
    }
    report.scanned = outcome.scanned;
    report.notes.extend(declared::beyond(&read.declared, window.to()));
    let judged = declared::judge(&read, matrix, window, from_given, environment.today);
    let stepped: Vec<Finding> = match &before {
        Some(before) => {
            let mut was = declared::judge(before, matrix, window, from_given, environment.today);
            // What was found in a file is known by the name that the file has now.
            let named = was.findings.iter_mut().map(|found| &mut found.file);
            for file in named.chain(was.unread.iter_mut().map(|unread| &mut unread.file)) {
                if let Some(now) = moved.get(file) {
                    file.clone_from(now);
                }
            }
            known.get_or_insert_default().add(&was.findings, &was.unread);
            declared::judge_change(before, &read, matrix)
        }
        None => Vec::new(),
    };
    report.findings = outcome.findings(catalogue, window);
    report.findings.extend(judged.findings);
    report.findings.extend(stepped);
    report.unread = outcome.unread;
    report.scanned.skipped += read.declared.passed_over.len() as u64;
    if args.verbose {
        for passed in &read.declared.passed_over {
            let place = format!("{}:{}", passed.at.file, passed.at.line);
            drop(writeln!(
                environment.stderr,
                "passed over: {place}: {}, and nothing beside it speaks of EKS",
                passed.reason
            ));
        }
    }
    report.unread.extend(judged.unread);
    outcome.pragmas.extend(
        read.declared
            .comments
            .iter()
            .map(|comment| CommentPragma { file: comment.file.clone(), pragma: comment.pragma.clone() }),
    );
    for found in &outcome.releases {
        if found.release.namespaces_disagree() {
            report.notes.push(format!(
                "{}: Helm release {} is kept in namespace {}, which is not its own",
                found.file,
                found.release.title(),
                found.release.kept_in_namespace.as_deref().unwrap_or_default()
            ));
        }
    }
    let partial = args.base.is_some() || args.files_from.is_some() || !args.paths.is_empty();
    suppress::apply(&mut report, &config, outcome.pragmas, environment.today, &directory, partial)?;
    let baseline_path = args.baseline.clone().unwrap_or_else(|| PathBuf::from(baseline::DEFAULT));
    let baseline_shown = shown(&baseline_path, &directory);
    let mut written = Ok(());
    if args.write_baseline {
        let mut now = Known::default();
        now.add(&report.findings, &report.unread);
        if report.unread.iter().any(|unread| unread.kind == UnreadKind::Input) {
            report.notes.push(format!(
                "the baseline {baseline_shown} was not written: something could not be read at all"
            ));
        } else {
            written = now.write(&directory.join(&baseline_path), &baseline_shown);
            if written.is_ok() {
                report.notes.push(format!("the baseline {baseline_shown} was written; commit it"));
                known = Some(now);
            }
        }
    } else if args.baseline.is_some() {
        known = Some(Known::read(&directory.join(&baseline_path), &baseline_shown)?);
    }
    if let Some(known) = known {
        known.apply(&mut report);
    }
    let fail_on = args.fail_on.map(FailOn::from).or(config.fail_on).unwrap_or_default();
    let report = report.conclude(fail_on, args.allow_unread);
    output::write(&report, &args.output, args.color, environment)?;
    written?;
    // Who writes data elsewhere still wants to know how it went.
    let silent = !args.output.is_empty() && args.output.iter().all(|output| output.file.is_some());
    if silent && report.verdict != Verdict::Pass {
        let s = report.summary;
        drop(writeln!(
            environment.stderr,
            "{}: {} block, {} warn, {} not read",
            report.verdict.as_str(),
            s.block,
            s.warn,
            s.unread
        ));
    }
    Ok(report.verdict.into())
}

/// The window to its end from as far back as a cluster that EKS still supports may be.
pub(crate) fn widest(window: Window) -> Window {
    let from = KubeMinor::new(window.to().minor().saturating_sub(WIDEST));
    Window::new(from, window.to()).unwrap_or(window)
}

/// EKS supports some seven minors at a time.
const WIDEST: u16 = 9;

fn config_job<'a>(
    directory: &'a std::path::Path,
    window: Window,
    catalogue: &'a Catalogue,
    args: &FilesArgs,
    counters: &'a Counters,
) -> Job<'a> {
    Job {
        directory,
        window,
        catalogue,
        no_ignore: args.no_ignore,
        verbose: args.verbose,
        keep: !args.apis_only,
        progress: counters,
    }
}

/// Reads standard input, if anything asks for it.
fn read_input(args: &FilesArgs, environment: &mut Environment<'_>) -> anyhow::Result<Input> {
    let dash = |path: &PathBuf| path.as_os_str() == "-";
    let listed = args.files_from.as_ref().is_some_and(dash);
    let named = args.paths.iter().filter(|path| dash(path)).count();
    if named + usize::from(listed) > 1 {
        bail!("standard input can be read only once; name `-` in one place");
    }
    if named + usize::from(listed) == 0 || args.base.is_some() {
        return Ok(Input::Unused);
    }
    let mut bytes = Vec::new();
    let read = environment.stdin.read_to_end(&mut bytes);
    if listed {
        read.context("the list of files on standard input cannot be read")?;
        return Ok(Input::List(bytes));
    }
    Ok(Input::File(read.map(|_| bytes)))
}

fn gather(args: &FilesArgs, job: &Job<'_>, threads: usize, input: &Input) -> anyhow::Result<Gathered> {
    if let Some(base) = &args.base {
        let change = Change::since(base, &args.paths, job.directory)?;
        changed_files(job, &change, args, threads)
    } else {
        let mut outcome = all_files(job, args, threads, input)?;
        let read = Read::new(std::mem::take(&mut outcome.kept));
        Ok(Gathered { outcome, was: None, read, before: None, moved: BTreeMap::new() })
    }
}

/// Scans what is named: paths, a list of paths, standard input.
fn all_files(job: &Job<'_>, args: &FilesArgs, threads: usize, input: &Input) -> anyhow::Result<Outcome> {
    let mut outcome = Outcome::default();
    let mut paths: Vec<PathBuf> = Vec::new();
    if let Some(list) = &args.files_from {
        let read;
        let bytes = match input {
            Input::List(bytes) => bytes,
            Input::File(_) | Input::Unused => {
                read = std::fs::read(job.directory.join(list)).with_context(|| {
                    format!("the list of files {} cannot be read; name one that is there", list.display())
                })?;
                &read
            }
        };
        paths.extend(paths_in_list(bytes).into_iter().filter(|path| {
            path.is_dir()
                || path.file_name().and_then(|name| name.to_str()).is_none_or(|name| kind_of(name).is_some())
        }));
    }
    for path in &args.paths {
        if path.as_os_str() == "-" {
            if let Input::File(read) = input {
                outcome.scan_stdin(job, read);
            }
        } else {
            paths.push(path.clone());
        }
    }
    if args.paths.is_empty() && args.files_from.is_none() {
        paths.push(PathBuf::from("."));
    }
    outcome.merge(walk(job, &paths, threads));
    resolve_releases(job, &mut outcome, args.all_releases);
    Ok(outcome)
}

/// Scans what a change touches, as it is and as it was. Declarations hang together, so where one is touched
/// all of them are read, as they are and as they were.
fn changed_files(
    job: &Job<'_>,
    change: &Change,
    args: &FilesArgs,
    threads: usize,
) -> anyhow::Result<Gathered> {
    let kind = |file: &Changed| kind_of_path(&file.path).or(file.named.then_some(Kind::default()));
    let mut now = Outcome::default();
    let mut buffer = Buffer::new();
    let mut folders = Vec::new();
    for file in change.files.iter().filter(|file| !file.deleted) {
        let path = job.directory.join(&file.path);
        // A submodule, a repository of its own, or a link to a folder: all that is in it is new.
        if path.is_dir() {
            folders.push(path);
            continue;
        }
        let Some(kind) = kind(file) else { continue };
        let name = shown(&path, job.directory);
        match buffer.read(&path, path.is_file()) {
            Ok(bytes) => now.scan(job, &name, kind, bytes),
            Err(error) => now.input_unread(&name, format!("it cannot be read: {error}; make it readable")),
        }
    }
    if !folders.is_empty() {
        now.merge(walk(job, &folders, threads));
    }
    resolve_releases(job, &mut now, args.all_releases);
    let mut before = Outcome::default();
    let quiet = Counters::default();
    let silent = Job { progress: &quiet, ..*job };
    let mut moved: BTreeMap<String, String> = BTreeMap::new();
    change.before(
        |file| kind(file).is_some(),
        |file, bytes| {
            // Findings are known by the name that the file has now; what it declared, it declared by its old one.
            let name = shown(&job.directory.join(&file.path), job.directory);
            let old = change.path_before(file, job.directory);
            let old = old.map_or_else(|| name.clone(), |old| shown(&job.directory.join(old), job.directory));
            let mut was = Outcome::default();
            was.scan(&silent, &name, kind(file).unwrap_or_default(), &bytes);
            was.kept =
                std::mem::take(&mut was.kept).into_iter().map(|(_, bytes)| (old.clone(), bytes)).collect();
            moved.insert(old, name);
            if file.deleted {
                before.kept.extend(was.kept);
            } else {
                before.merge(was);
            }
        },
    )?;
    resolve_releases(&silent, &mut before, args.all_releases);
    if now.kept.is_empty() && before.kept.is_empty() {
        return Ok(Gathered {
            outcome: now,
            was: Some(before),
            read: Read::default(),
            before: None,
            moved: BTreeMap::new(),
        });
    }
    let paths = if args.paths.is_empty() { vec![PathBuf::from(".")] } else { args.paths.clone() };
    let beside = walk(&silent, &paths, threads);
    let mut whole = beside.kept;
    // What may declare something and cannot be opened is not what the change touches, and yet a part of it.
    for unread in beside.unread.into_iter().filter(|unread| unread.kind == UnreadKind::Input) {
        if now.unread.iter().all(|known| known.file != unread.file) {
            now.unread.push(unread);
        }
    }
    let touched: BTreeSet<String> = change
        .files
        .iter()
        .map(|file| shown(&job.directory.join(&file.path), job.directory))
        .chain(moved.keys().cloned())
        .collect();
    let mut was: Vec<(String, Vec<u8>)> =
        whole.iter().filter(|(path, _)| !touched.contains(path)).cloned().collect();
    was.append(&mut before.kept);
    // A changed file that `.gitignore` names is tracked all the same, and the walk passes it over.
    let walked: BTreeSet<String> = whole.iter().map(|(path, _)| path.clone()).collect();
    whole.extend(now.kept.drain(..).filter(|(path, _)| !walked.contains(path)));
    Ok(Gathered {
        outcome: now,
        was: Some(before),
        read: Read::new(whole),
        before: Some(Read::new(was)),
        moved,
    })
}

/// Scans the Helm releases found: of each the newest deployed revision, unless all are wanted.
fn resolve_releases(job: &Job<'_>, outcome: &mut Outcome, all: bool) {
    let mut releases = std::mem::take(&mut outcome.releases);
    releases.sort_by(|a, b| {
        (&a.file, a.release.line, a.release.revision).cmp(&(&b.file, b.release.line, b.release.revision))
    });
    let (chosen, others): (Vec<FoundRelease>, Vec<FoundRelease>) =
        if all { (releases, Vec::new()) } else { newest_deployed(releases, |found| &found.release) };
    for found in &chosen {
        outcome.scan_release(job, found);
    }
    outcome.scanned.skipped += others.len() as u64;
    if job.verbose {
        outcome.skipped.extend(others.iter().map(|found| {
            format!(
                "{}: Helm release {}: not the newest deployed (--all-releases looks at it)",
                found.file,
                found.release.title()
            )
        }));
    }
    outcome.releases = chosen;
}
