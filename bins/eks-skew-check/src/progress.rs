//! A progress bar, on a terminal, when the work takes long enough to wonder.

use std::sync::atomic::Ordering;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;

use indicatif::{HumanBytes, HumanCount, ProgressBar, ProgressStyle};

use crate::files::Counters;

/// How long a run may take without a word.
const PATIENCE: Duration = Duration::from_millis(500);
/// How often it is drawn.
const TICK: Duration = Duration::from_millis(100);

/// A progress bar on standard error while it lives.
pub(crate) struct Progress {
    done: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Progress {
    /// Starts watching, if somebody looks.
    pub(crate) fn start(watched: bool, counters: &std::sync::Arc<Counters>) -> Self {
        if !watched {
            return Self { done: None, thread: None };
        }
        let (done, finished) = channel();
        let counters = std::sync::Arc::clone(counters);
        let thread = std::thread::spawn(move || {
            if finished.recv_timeout(PATIENCE) != Err(RecvTimeoutError::Timeout) {
                return;
            }
            let bar = ProgressBar::new_spinner();
            if let Ok(style) = ProgressStyle::with_template("{spinner} {msg}  {elapsed}") {
                bar.set_style(style);
            }
            loop {
                let files = counters.files.load(Ordering::Relaxed);
                let bytes = counters.bytes.load(Ordering::Relaxed);
                bar.set_message(format!("files read: {}, {}", HumanCount(files), HumanBytes(bytes)));
                bar.tick();
                if finished.recv_timeout(TICK) != Err(RecvTimeoutError::Timeout) {
                    break;
                }
            }
            bar.finish_and_clear();
        });
        Self { done: Some(done), thread: Some(thread) }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        drop(self.done.take());
        if let Some(thread) = self.thread.take() {
            // It only draws; if it panicked, nothing is lost.
            drop(thread.join());
        }
    }
}
