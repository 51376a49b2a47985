//! Timing whole processes, in turns.

use std::ffi::OsString;
use std::fmt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::Context;

/// A process to be measured.
pub(super) struct Process {
    program: PathBuf,
    args: Vec<OsString>,
}

/// Times of a process, in milliseconds.
pub(super) struct Times {
    pub(super) median: f64,
    min: f64,
    max: f64,
}

impl fmt::Display for Times {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:>9.1} {:>9.1} {:>9.1}", self.median, self.min, self.max)
    }
}

impl Process {
    pub(super) fn new<'a>(program: &Path, args: impl IntoIterator<Item = &'a str>) -> Self {
        Self { program: program.to_owned(), args: args.into_iter().map(OsString::from).collect() }
    }

    fn command(&self) -> Command {
        let mut command = Command::new(&self.program);
        command.args(&self.args).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        command
    }

    fn time(&self) -> anyhow::Result<f64> {
        let start = Instant::now();
        // Findings make it exit with 1 or 3; that is its work.
        self.command().status().with_context(|| format!("{} cannot be run", self.program.display()))?;
        Ok(start.elapsed().as_secs_f64() * 1000.0)
    }
}

/// Runs the processes in turns, after one round to warm up, so that a slow moment meets all.
pub(super) fn in_turns<const N: usize>(
    processes: [&Process; N],
    rounds: usize,
) -> anyhow::Result<[Times; N]> {
    let mut times = [const { Vec::new() }; N];
    for round in 0..=rounds {
        for (process, times) in processes.iter().zip(&mut times) {
            let time = process.time()?;
            if round > 0 {
                times.push(time);
            }
        }
    }
    Ok(times.map(|mut times: Vec<f64>| {
        times.sort_by(f64::total_cmp);
        let at = |index: usize| times.get(index).copied().unwrap_or_default();
        Times { median: at(times.len() / 2), min: at(0), max: at(times.len().saturating_sub(1)) }
    }))
}

/// Runs a process once and says how much memory it had at most, as far as the system tells.
pub(super) fn once(process: &Process) -> anyhow::Result<String> {
    let mut child = process.command().spawn()?;
    let status = format!("/proc/{}/status", child.id());
    let mut peak = String::from("not known on this system");
    while child.try_wait()?.is_none() {
        let text = std::fs::read_to_string(&status).unwrap_or_default();
        if let Some(line) = text.lines().find_map(|line| line.strip_prefix("VmHWM:")) {
            line.trim().clone_into(&mut peak);
        }
        std::thread::sleep(Duration::from_millis(2));
    }
    Ok(peak)
}
