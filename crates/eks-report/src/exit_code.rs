//! The exit codes of all binaries: one list.

use eks_model::Verdict;

/// What a program ends with. The same list for every binary of the project.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ExitCode {
    /// 0: passed, or done.
    Passed,
    /// 1: blocked by findings.
    Blocked,
    /// 2: could not start: usage, configuration, credentials.
    CouldNotStart,
    /// 3: incomplete: something that was needed could not be read.
    Incomplete,
    /// 4: stopped part-way, in a consistent state, and can be taken up again.
    Stopped,
}

impl ExitCode {
    /// All of them, in order.
    pub const ALL: [Self; 5] =
        [Self::Passed, Self::Blocked, Self::CouldNotStart, Self::Incomplete, Self::Stopped];

    /// The number.
    pub fn code(self) -> u8 {
        match self {
            Self::Passed => 0,
            Self::Blocked => 1,
            Self::CouldNotStart => 2,
            Self::Incomplete => 3,
            Self::Stopped => 4,
        }
    }

    /// What it means, in one line.
    pub fn meaning(self) -> &'static str {
        match self {
            Self::Passed => "passed, or done",
            Self::Blocked => "blocked by findings",
            Self::CouldNotStart => "could not start: usage, configuration, credentials",
            Self::Incomplete => "incomplete: something needed could not be read",
            Self::Stopped => "stopped part-way, consistent, resumable",
        }
    }
}

impl From<Verdict> for ExitCode {
    fn from(verdict: Verdict) -> Self {
        match verdict {
            Verdict::Pass => Self::Passed,
            Verdict::Blocked => Self::Blocked,
            Verdict::Unknown => Self::Incomplete,
        }
    }
}

impl From<ExitCode> for std::process::ExitCode {
    fn from(code: ExitCode) -> Self {
        Self::from(code.code())
    }
}
