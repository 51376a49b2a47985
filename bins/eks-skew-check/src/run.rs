//! What each command does.

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context, bail};
use clap::CommandFactory;
use eks_deprecations::{Catalogue, Format, newest_deployed};
use eks_model::{CheckReport, FailOn, KubeMinor, Tool, UnreadKind, Verdict, Window};
use eks_report::ExitCode;

use crate::baseline::{self, Known};
use crate::cli::{Cli, Command, FilesArgs, WindowArgs};
use crate::config::Config;
use crate::files::{
    Buffer, Counters, FoundRelease, Job, Outcome, format_of, format_of_path, paths_in_list, shown, walk,
};
use crate::git::{Change, Changed};
use crate::progress::Progress;
use crate::{Environment, explain, output, suppress};

pub(crate) fn run(cli: Cli, environment: &mut Environment<'_>) -> anyhow::Result<ExitCode> {
    match cli.command {
        Command::Files(args) => files(&args, environment),
        Command::Explain(args) => explain::explain(&args, environment),
        Command::List(args) => explain::list(&args, environment),
        Command::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Cli::command(), "eks-skew-check", &mut script);
            output::to_stdout(environment, &String::from_utf8_lossy(&script))?;
            Ok(ExitCode::Passed)
        }
        Command::Man => {
            let mut page = Vec::new();
            clap_mangen::Man::new(Cli::command()).render(&mut page)?;
            for command in Cli::command().get_subcommands() {
                clap_mangen::Man::new(command.clone()).render(&mut page)?;
            }
            output::to_stdout(environment, &String::from_utf8_lossy(&page))?;
            Ok(ExitCode::Passed)
        }
    }
}

/// The window, and what must be said about how it came to be.
pub(crate) fn window(
    args: &WindowArgs,
    config: &Config,
    catalogue: &Catalogue,
) -> anyhow::Result<(Window, Vec<String>)> {
    let mut notes = Vec::new();
    let newest_eks = catalogue.newest_eks();
    let from = args.from.or(config.from);
    let to = args.to.or(config.to).unwrap_or_else(|| match from {
        Some(from) if from > newest_eks.minor => {
            notes.push(format!(
                "no --to given: {from}, the same as --from, which is above the newest EKS version known ({})",
                newest_eks.minor
            ));
            from
        }
        _ => {
            let to = newest_eks.minor;
            notes.push(format!("no --to given: {to}, the newest EKS version known ({})", newest_eks.as_of));
            to
        }
    });
    let from = from.unwrap_or_else(|| {
        let from = to.previous().unwrap_or(to);
        notes.push(format!("no --from given: {from}, one minor below --to"));
        from
    });
    let window = Window::new(from, to).context("--from and --to")?;
    let newest = catalogue.newest();
    if to > newest.minor {
        notes.push(format!(
            "{to} is beyond what is known here (Kubernetes up to {}, as of {}): of later versions only announced removals are known, as forecasts",
            newest.minor, newest.as_of
        ));
    }
    Ok((window, notes))
}

/// How long a window may be: a version like 1.999 is a typing error, not a plan.
const LONGEST: u16 = 150;

fn files(args: &FilesArgs, environment: &mut Environment<'_>) -> anyhow::Result<ExitCode> {
    output::distinct(&args.output)?;
    let catalogue = Catalogue::embedded();
    let config = if args.no_config {
        Config { root: environment.directory.clone(), ..Config::default() }
    } else {
        Config::load(args.config.as_deref(), &environment.directory)?
    };
    let (window, notes) = window(&args.window, &config, catalogue)?;
    if window.to().minor() > catalogue.newest().minor.minor() + LONGEST {
        bail!(
            "{} is far beyond any Kubernetes there is ({}); check --to",
            window.to(),
            catalogue.newest().minor
        );
    }
    if window.to().minor() - window.from().minor() > LONGEST {
        bail!("{} to {} is no upgrade that anyone does; check --from and --to", window.from(), window.to());
    }
    let counters = Arc::new(Counters::default());
    let directory = environment.directory.clone();
    let job = Job {
        directory: &directory,
        window,
        catalogue,
        no_ignore: args.no_ignore,
        verbose: args.verbose,
        progress: &counters,
    };
    let threads = args.threads.or_else(|| std::thread::available_parallelism().ok()).map_or(1, Into::into);
    let progress = Progress::start(environment.watched, &counters);
    let mut known = None;
    let mut outcome = match &args.base {
        Some(base) => {
            let change = Change::since(base, &args.paths, &directory)?;
            let (outcome, before) = changed_files(&job, &change, threads, args.all_releases)?;
            known = Some(before);
            outcome
        }
        None => all_files(&job, args, threads, environment)?,
    };
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
            "no file was found that could hold manifests (*.yaml, *.yml, *.json, and templates of them)"
                .to_owned(),
        );
    } else if outcome.scanned.objects == 0 && outcome.unread.is_empty() && args.base.is_none() {
        report.notes.push("no Kubernetes object was found in what was read".to_owned());
    }
    report.scanned = outcome.scanned;
    report.findings = outcome.findings;
    report.unread = outcome.unread;
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

/// Scans what is named: paths, a list of paths, standard input.
fn all_files(
    job: &Job<'_>,
    args: &FilesArgs,
    threads: usize,
    environment: &mut Environment<'_>,
) -> anyhow::Result<Outcome> {
    let mut outcome = Outcome::default();
    let mut paths: Vec<PathBuf> = Vec::new();
    let mut stdin_used = false;
    if let Some(list) = &args.files_from {
        let mut bytes = Vec::new();
        if list.as_os_str() == "-" {
            stdin_used = true;
            environment
                .stdin
                .read_to_end(&mut bytes)
                .context("the list of files on standard input cannot be read")?;
        } else {
            bytes = std::fs::read(job.directory.join(list)).with_context(|| {
                format!("the list of files {} cannot be read; name one that is there", list.display())
            })?;
        }
        paths.extend(paths_in_list(&bytes).into_iter().filter(|path| {
            path.is_dir()
                || path
                    .file_name()
                    .and_then(|name| name.to_str())
                    .is_none_or(|name| format_of(name).is_some())
        }));
    }
    for path in &args.paths {
        if path.as_os_str() == "-" {
            if std::mem::replace(&mut stdin_used, true) {
                bail!("standard input can be read only once; name `-` in one place");
            }
            outcome.scan_stdin(job, environment.stdin);
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

/// Scans what a change touches, as it is and as it was.
fn changed_files(
    job: &Job<'_>,
    change: &Change,
    threads: usize,
    all_releases: bool,
) -> anyhow::Result<(Outcome, Known)> {
    let format = |file: &Changed| format_of_path(&file.path).or(file.named.then_some(Format::Manifest));
    let mut now = Outcome::default();
    let mut buffer = Buffer::new();
    let mut folders = Vec::new();
    for file in &change.files {
        let path = job.directory.join(&file.path);
        // A submodule, a repository of its own, or a link to a folder: all that is in it is new.
        if path.is_dir() {
            folders.push(path);
            continue;
        }
        let Some(format) = format(file) else { continue };
        let name = shown(&path, job.directory);
        match buffer.read(&path, path.is_file()) {
            Ok(bytes) => now.scan(job, &name, format, bytes),
            Err(error) => now.input_unread(&name, format!("it cannot be read: {error}; make it readable")),
        }
    }
    if !folders.is_empty() {
        now.merge(walk(job, &folders, threads));
    }
    resolve_releases(job, &mut now, all_releases);
    let mut before = Outcome::default();
    let quiet = Counters::default();
    let silent = Job { progress: &quiet, ..*job };
    change.before(
        |file| format(file).is_some(),
        |file, bytes| {
            let name = shown(&job.directory.join(&file.path), job.directory);
            before.scan(&silent, &name, format(file).unwrap_or_default(), &bytes);
        },
    )?;
    resolve_releases(&silent, &mut before, all_releases);
    let mut known = Known::default();
    known.add(&before.findings, &before.unread);
    Ok((now, known))
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

/// A minor for a table.
pub(crate) fn minor(minor: Option<KubeMinor>) -> String {
    minor.map_or_else(String::new, |minor| minor.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_window_has_no_hidden_default() {
        let catalogue = Catalogue::embedded();
        let args = |from: Option<&str>, to: Option<&str>| WindowArgs {
            from: from.map(|v| v.parse().unwrap()),
            to: to.map(|v| v.parse().unwrap()),
        };
        let newest = catalogue.newest_eks().minor;
        for (from, to, expected, said) in [
            (None, None, (newest.previous().unwrap(), newest), 2),
            (Some("1.30"), None, (KubeMinor::new(30), newest), 1),
            (None, Some("1.33"), (KubeMinor::new(32), KubeMinor::new(33)), 1),
            (Some("1.30"), Some("1.33"), (KubeMinor::new(30), KubeMinor::new(33)), 0),
        ] {
            let (window, notes) = window(&args(from, to), &Config::default(), catalogue).unwrap();
            assert_eq!(((window.from(), window.to()), notes.len()), (expected, said), "{notes:?}");
        }
        let (_, notes) = window(&args(Some("1.36"), Some("1.99")), &Config::default(), catalogue).unwrap();
        assert!(
            notes[0].contains("1.99 is beyond") && notes[0].contains(catalogue.newest().as_of),
            "{notes:?}"
        );
        assert!(window(&args(Some("1.36"), Some("1.30")), &Config::default(), catalogue).is_err());
    }
}
