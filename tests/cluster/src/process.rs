//! Processes, told apart from later ones of the same number by the time they started.

/// A process: its number alone is given to another one some day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Process {
    pub(crate) pid: u32,
    /// Clock ticks after the start of the machine; 0 where that cannot be known.
    pub(crate) started: u64,
}

impl Process {
    /// This process.
    pub(crate) fn me() -> Self {
        let pid = std::process::id();
        Self { pid, started: platform::started(pid).unwrap_or(0) }
    }

    /// The process that has this number now.
    pub(crate) fn with_pid(pid: u32) -> Option<Self> {
        platform::started(pid).map(|started| Self { pid, started })
    }

    /// Whether it has ended. Where nobody can tell, it has not.
    pub(crate) fn has_ended(self) -> bool {
        platform::can_tell() && platform::started(self.pid) != Some(self.started)
    }

    /// Sends it a signal; `false` when it has ended.
    pub(crate) fn signal(self, signal: Signal) -> bool {
        platform::signal(self, signal)
    }
}

/// The signals that are sent from here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Signal {
    Term,
    Kill,
}

/// Which processes the numbers here speak of: two containers that share a temporary folder count
/// their processes apart.
pub(crate) fn namespace() -> u64 {
    platform::namespace()
}

#[cfg(target_os = "linux")]
mod platform {
    use std::os::unix::fs::MetadataExt as _;

    use rustix::process::{Pid, PidfdFlags, pidfd_open, pidfd_send_signal};

    use super::{Process, Signal};

    pub(super) fn can_tell() -> bool {
        true
    }

    /// The 22nd field of `stat`; `None` for a process that is gone, or dead and only not yet
    /// collected by its parent.
    pub(super) fn started(pid: u32) -> Option<u64> {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        // The second field is the program's name, in parentheses, with anything in it.
        let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
        match fields.first() {
            Some(&("Z" | "X")) | None => None,
            Some(_) => fields.get(19)?.parse().ok(),
        }
    }

    pub(super) fn namespace() -> u64 {
        std::fs::metadata("/proc/self/ns/pid").map_or(0, |file| file.ino())
    }

    pub(super) fn signal(process: Process, signal: Signal) -> bool {
        let Some(pid) = i32::try_from(process.pid).ok().and_then(Pid::from_raw) else { return false };
        let Ok(handle) = pidfd_open(pid, PidfdFlags::empty()) else { return false };
        // The handle stays with the process that it was opened for: what is checked is what is hit.
        if process.has_ended() {
            return false;
        }
        let signal = match signal {
            Signal::Term => rustix::process::Signal::TERM,
            Signal::Kill => rustix::process::Signal::KILL,
        };
        pidfd_send_signal(handle, signal).is_ok()
    }
}

#[cfg(not(target_os = "linux"))]
mod platform {
    use super::{Process, Signal};

    pub(super) fn can_tell() -> bool {
        false
    }

    pub(super) fn started(_pid: u32) -> Option<u64> {
        None
    }

    pub(super) fn namespace() -> u64 {
        0
    }

    pub(super) fn signal(process: Process, signal: Signal) -> bool {
        let signal = match signal {
            Signal::Term => "-TERM",
            Signal::Kill => "-KILL",
        };
        std::process::Command::new("kill")
            .args([signal, &process.pid.to_string()])
            .status()
            .is_ok_and(|status| status.success())
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::{Process, Signal};

    #[test]
    fn a_process_is_known_by_its_start() {
        let me = Process::me();
        assert!(me.started > 0 && !me.has_ended());
        assert_eq!(Process::with_pid(me.pid), Some(me));
        let earlier = Process { started: me.started - 1, ..me };
        assert!(earlier.has_ended(), "another process had this number before");
        assert!(!earlier.signal(Signal::Term), "and its signal does not reach us");
    }

    #[test]
    fn a_dead_child_has_ended_before_it_is_collected() {
        let mut child = std::process::Command::new("sleep").arg("600").spawn().unwrap();
        let process = Process::with_pid(child.id()).unwrap();
        assert!(process.signal(Signal::Kill));
        let deadline = std::time::Instant::now() + std::time::Duration::from_mins(1);
        while !process.has_ended() {
            assert!(std::time::Instant::now() < deadline);
            std::thread::yield_now();
        }
        child.wait().unwrap();
    }
}
