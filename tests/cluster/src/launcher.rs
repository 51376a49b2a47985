//! The other end of the launcher (go/launch), which owns the programs of a cluster.
//!
//! What holds a cluster together is a pipe: the launcher ends everything when its input ends, and its
//! input ends when the process that holds the other end is gone, however it went.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use tokio::sync::{oneshot, watch};

use crate::error::ClusterError;

/// How long the launcher may take to kill everything, wait for it and remove the folder.
const TO_END: Duration = Duration::from_secs(30);

/// A command to the launcher.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Order<'a> {
    #[serde(rename = "do")]
    pub(crate) what: &'a str,
    pub(crate) name: &'a str,
    pub(crate) program: &'a str,
    pub(crate) args: &'a [String],
    pub(crate) log: &'a str,
    pub(crate) signal: &'a str,
    pub(crate) grace_ms: u64,
}

#[derive(Serialize)]
struct Numbered<'a> {
    id: u64,
    #[serde(flatten)]
    order: &'a Order<'a>,
}

/// What the launcher answers, or (with number 0) tells by itself.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Answer {
    id: u64,
    name: String,
    pub(crate) pid: u32,
    ended: String,
    error: String,
}

#[derive(Default)]
struct Shared {
    open: Mutex<Open>,
    /// The programs that run, with their process numbers, and how the last one ended unasked.
    state: watch::Sender<State>,
}

#[derive(Default)]
struct Open {
    next: u64,
    /// Nobody answers any more.
    gone: bool,
    asked: BTreeMap<u64, oneshot::Sender<Answer>>,
}

/// What runs, as far as the launcher has told.
#[derive(Debug, Clone, Default)]
pub(crate) struct State {
    /// Program and process number.
    pub(crate) running: BTreeMap<String, u32>,
    /// Programs that ended though nobody had asked them to, and how.
    pub(crate) failed: BTreeMap<String, String>,
    /// The API server is away on purpose: what needs it may end meanwhile, and is started again after.
    pub(crate) away: bool,
    /// The launcher itself is gone, and everything with it.
    pub(crate) gone: bool,
}

/// A launcher that runs. Dropping it ends all its programs and waits for that.
pub(crate) struct Launcher {
    child: Child,
    input: Mutex<Option<ChildStdin>>,
    shared: Arc<Shared>,
}

impl Launcher {
    /// Starts it over a data folder, which it will remove at the end.
    pub(crate) fn start(program: &Path, folder: &Path) -> Result<Self, ClusterError> {
        let log = folder.join("launch.log");
        let log = std::fs::File::create(&log).map_err(ClusterError::file(&log))?;
        let mut command = Command::new(program);
        command.arg(folder).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(log);
        // Ctrl-C at a terminal goes to the whole group. It is meant for us; the launcher follows.
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        let mut child = command.spawn().map_err(ClusterError::file(program))?;
        let (input, output) = (child.stdin.take(), child.stdout.take());
        let shared = Arc::new(Shared::default());
        let launcher = Self { child, input: Mutex::new(input), shared: Arc::clone(&shared) };
        if let Some(output) = output {
            std::thread::Builder::new()
                .name("launcher".to_owned())
                .spawn(move || {
                    for line in BufReader::new(output).lines().map_while(Result::ok) {
                        if let Ok(answer) = serde_json::from_str(&line) {
                            shared.heard(answer);
                        }
                    }
                    shared.lost();
                })
                .map_err(|error| ClusterError::Launcher(format!("cannot be listened to: {error}")))?;
        }
        Ok(launcher)
    }

    /// The number of the launcher's process.
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// What runs.
    pub(crate) fn state(&self) -> watch::Receiver<State> {
        self.shared.state.subscribe()
    }

    /// Notes that the API server is away on purpose, or is back.
    pub(crate) fn set_away(&self, away: bool) {
        self.shared.state.send_modify(|state| state.away = away);
    }

    /// Starts a program.
    pub(crate) async fn run(
        &self,
        name: &str,
        program: &Path,
        args: &[String],
        log: &Path,
    ) -> Result<(), ClusterError> {
        let (program, log) = (program.display().to_string(), log.display().to_string());
        // Before it runs: it may end before its start is answered.
        self.shared.state.send_modify(|state| {
            state.failed.remove(name);
            state.running.insert(name.to_owned(), 0);
        });
        let order = Order { what: "start", name, program: &program, args, log: &log, ..Order::default() };
        let answer = self.ask(&order).await;
        self.shared.state.send_modify(|state| match &answer {
            Ok(answer) => {
                if let Some(pid) = state.running.get_mut(name) {
                    *pid = answer.pid;
                }
            }
            Err(_) => drop(state.running.remove(name)),
        });
        answer.map(drop)
    }

    /// Ends a program: asks it to, and makes it after the grace.
    pub(crate) async fn stop(&self, name: &str, grace: Duration) -> Result<(), ClusterError> {
        // Before it ends: what ends while it stands in `running` has failed.
        self.shared.state.send_modify(|state| {
            state.running.remove(name);
        });
        let grace_ms = u64::try_from(grace.as_millis()).unwrap_or(u64::MAX);
        self.ask(&Order { what: "stop", name, grace_ms, ..Order::default() }).await.map(drop)
    }

    /// Gives an order and waits for the answer.
    pub(crate) async fn ask(&self, order: &Order<'_>) -> Result<Answer, ClusterError> {
        let gone = || ClusterError::Launcher("is gone, and the programs with it".to_owned());
        let (id, answer) = {
            let mut open = self.shared.open();
            if open.gone {
                return Err(gone());
            }
            let (sender, answer) = oneshot::channel();
            open.next += 1;
            let id = open.next;
            open.asked.insert(id, sender);
            (id, answer)
        };
        let mut line = serde_json::to_vec(&Numbered { id, order })
            .map_err(|error| ClusterError::Launcher(format!("cannot be told: {error}")))?;
        line.push(b'\n');
        let written = match &mut *self.input.lock().unwrap_or_else(PoisonError::into_inner) {
            Some(input) => input.write_all(&line).is_ok(),
            None => false,
        };
        if !written {
            return Err(gone());
        }
        let answer = answer.await.map_err(|_| gone())?;
        if answer.error.is_empty() {
            Ok(answer)
        } else {
            Err(ClusterError::Launcher(format!("could not {} {}: {}", order.what, order.name, answer.error)))
        }
    }
}

impl Shared {
    fn open(&self) -> MutexGuard<'_, Open> {
        // A panic in another thread leaves nothing half-done in here.
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn heard(&self, answer: Answer) {
        if answer.id == 0 && !answer.ended.is_empty() {
            self.state.send_modify(|state| {
                if state.running.remove(&answer.name).is_some() {
                    state.failed.insert(answer.name, answer.ended);
                }
            });
        } else if let Some(asked) = self.open().asked.remove(&answer.id) {
            // Whoever asked may have been cancelled.
            drop(asked.send(answer));
        }
    }

    fn lost(&self) {
        let mut open = self.open();
        open.gone = true;
        open.asked.clear();
        drop(open);
        self.state.send_modify(|state| {
            state.gone = true;
            state.running.clear();
        });
    }
}

impl Drop for Launcher {
    fn drop(&mut self) {
        self.input.lock().unwrap_or_else(PoisonError::into_inner).take();
        let deadline = Instant::now() + TO_END;
        while matches!(self.child.try_wait(), Ok(None)) {
            if Instant::now() > deadline {
                // The kernel then kills the programs.
                drop(self.child.kill());
                drop(self.child.wait());
                return;
            }
            std::thread::sleep(Duration::from_millis(2));
        }
    }
}
