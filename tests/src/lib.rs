//! Runs the program in-process, over a tree of fixtures, with its surroundings handed in.

use std::path::{Path, PathBuf};

use eks_report::ExitCode;
use eks_skew_check::Environment;

/// What a run left behind.
#[derive(Debug)]
pub struct Ran {
    /// What it ended with.
    pub code: ExitCode,
    /// Standard output.
    pub out: String,
    /// Standard error.
    pub err: String,
}

/// The folder of the fixtures.
pub fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures")
}

/// Runs `eks-skew-check` in a folder, on a day.
pub fn skew_check(directory: &Path, today: jiff::civil::Date, args: &[&str], mut input: &[u8]) -> Ran {
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let mut environment = Environment {
        directory: directory.to_owned(),
        today,
        stdin: &mut input,
        stdout: &mut out,
        stderr: &mut err,
        colour: false,
        watched: false,
    };
    let args = std::iter::once("eks-skew-check").chain(args.iter().copied()).map(Into::into);
    let code = eks_skew_check::run(args, &mut environment);
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    Ran { code, out: text(out), err: text(err) }
}
