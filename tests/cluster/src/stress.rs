//! Starting and killing clusters many times over, and looking for what is left.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use crate::error::ClusterError;
use crate::held::Held;
use crate::process::{Process, Signal};

/// How a round ended its cluster.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Killed {
    /// SIGTERM to the process that holds it.
    Politely,
    /// SIGKILL to the process that holds it.
    Holder,
    /// SIGKILL to the launcher.
    Launcher,
    /// SIGKILL to both: only the next start can remove the folder.
    Both,
    /// SIGKILL to the process that holds it, somewhere in the middle of its start.
    Starting,
}

const WAYS: [Killed; 5] =
    [Killed::Politely, Killed::Holder, Killed::Launcher, Killed::Both, Killed::Starting];

/// What is stressed.
#[derive(Debug)]
pub struct Stress<'a> {
    /// The program `eks-cluster`.
    pub program: &'a Path,
    /// Further arguments of `eks-cluster up`.
    pub arguments: &'a [String],
    /// A folder of its own for the data folders.
    pub temp: &'a Path,
    /// How often.
    pub rounds: u32,
    /// How long a start or an end may take.
    pub within: Duration,
}

/// How one round went.
#[derive(Debug, Clone)]
pub struct Round {
    /// How it was ended.
    pub killed: Killed,
    /// From the call to the line that says it is ready; nothing where it was killed before.
    pub ready: Option<Duration>,
    /// From the kill until no process and no folder was left.
    pub clean: Duration,
}

/// Runs the rounds; `say` is told how each went. The first that leaves something behind ends it.
pub fn stress(stress: &Stress<'_>, say: &mut dyn FnMut(u32, &Round)) -> Result<Vec<Round>, ClusterError> {
    let mut rounds = Vec::new();
    for number in 0..stress.rounds {
        let way = WAYS[number as usize % WAYS.len()];
        let round = if way == Killed::Starting { cut_off(stress, number)? } else { ended(stress, way)? };
        say(number, &round);
        rounds.push(round);
    }
    Ok(rounds)
}

fn ended(stress: &Stress<'_>, way: Killed) -> Result<Round, ClusterError> {
    let began = Instant::now();
    let mut holder = up(stress)?;
    let held = match ready(&mut holder, stress.within) {
        Ok(held) => held,
        Err(error) => {
            // Whatever it had begun ends with it.
            drop(holder.kill());
            drop(holder.wait());
            return Err(error);
        }
    };
    let ready = Some(began.elapsed());
    let launcher = held.processes.get("launch").copied().and_then(Process::with_pid);
    let began = Instant::now();
    match (way, Process::with_pid(holder.id()), launcher) {
        (Killed::Politely, Some(holder), _) => drop(holder.signal(Signal::Term)),
        (Killed::Launcher, _, Some(launcher)) => drop(launcher.signal(Signal::Kill)),
        (Killed::Both, Some(holder), Some(launcher)) => {
            // Stopped by the first, neither can do anything about the second.
            holder.signal(Signal::Kill);
            launcher.signal(Signal::Kill);
        }
        (_, Some(holder), _) => drop(holder.signal(Signal::Kill)),
        (_, None, _) => {}
    }
    has_ended(&mut holder, stress.within)?;
    if way == Killed::Both {
        nothing_left(stress, began, Left::Processes)?;
        crate::folder::sweep(stress.temp);
    }
    nothing_left(stress, began, Left::All)?;
    Ok(Round { killed: way, ready, clean: began.elapsed() })
}

fn cut_off(stress: &Stress<'_>, number: u32) -> Result<Round, ClusterError> {
    let mut holder = up(stress)?;
    // Another moment each time: 0, 0.2, … 3.8 seconds.
    std::thread::sleep(Duration::from_millis(u64::from(number / 5 % 20) * 200));
    let began = Instant::now();
    drop(holder.kill());
    drop(holder.wait());
    nothing_left(stress, began, Left::All)?;
    Ok(Round { killed: Killed::Starting, ready: None, clean: began.elapsed() })
}

/// Waits for the holder: it was killed, or must notice by itself that its launcher was.
fn has_ended(holder: &mut Child, within: Duration) -> Result<(), ClusterError> {
    let began = Instant::now();
    while matches!(holder.try_wait(), Ok(None)) {
        if began.elapsed() > within {
            drop(holder.kill());
            drop(holder.wait());
            let what = "the process that holds the cluster to end".to_owned();
            return Err(ClusterError::Timeout { what, within, seen: "it, still running".to_owned() });
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    Ok(())
}

fn up(stress: &Stress<'_>) -> Result<Child, ClusterError> {
    Command::new(stress.program)
        .arg("up")
        .args(stress.arguments)
        .env("TMPDIR", stress.temp)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .map_err(ClusterError::file(stress.program))
}

fn ready(holder: &mut Child, within: Duration) -> Result<Held, ClusterError> {
    let missing = |seen: &str| ClusterError::Timeout {
        what: "a cluster to be ready".to_owned(),
        within,
        seen: seen.to_owned(),
    };
    let output = holder.stdout.take().ok_or_else(|| missing("no output"))?;
    let (sender, line) = mpsc::channel();
    std::thread::spawn(move || sender.send(BufReader::new(output).lines().next()));
    match line.recv_timeout(within) {
        Ok(Some(Ok(line))) => serde_json::from_str(&line).map_err(|_| missing(&line)),
        Ok(_) => Err(missing("the end of its output")),
        Err(_) => Err(missing("nothing")),
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Left {
    Processes,
    All,
}

/// Waits until no process speaks of the folder in its command line, and nothing is in it.
fn nothing_left(stress: &Stress<'_>, began: Instant, what: Left) -> Result<(), ClusterError> {
    loop {
        let mut left = processes_with(stress.temp);
        if what == Left::All {
            left.extend(entries(stress.temp));
        }
        if left.is_empty() {
            return Ok(());
        }
        if began.elapsed() > stress.within {
            return Err(ClusterError::Timeout {
                what: "nothing to be left".to_owned(),
                within: stress.within,
                seen: left.join(", "),
            });
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn entries(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).map(|entries| entries.flatten().map(|entry| entry.path()));
    entries.into_iter().flatten().map(|path: PathBuf| path.display().to_string()).collect()
}

/// All living processes with that path in their command line, whoever started them; the launcher and
/// every program have it there.
fn processes_with(path: &Path) -> Vec<String> {
    let path = path.display().to_string();
    let Ok(entries) = std::fs::read_dir("/proc") else { return Vec::new() };
    entries
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok())
        .filter(|pid| *pid != std::process::id() && Process::with_pid(*pid).is_some())
        .filter_map(|pid| {
            let line = std::fs::read(format!("/proc/{pid}/cmdline")).ok()?;
            let line = String::from_utf8_lossy(&line).replace('\0', " ");
            line.contains(&path).then(|| format!("process {pid} ({})", line.trim()))
        })
        .collect()
}
