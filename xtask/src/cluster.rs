//! The real Kubernetes control plane for tests. All it knows is in the crate eks-cluster; this only calls it.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, bail};

use crate::process::{Cargo, metadata};

/// The tests that need it: each a feature of the crate whose tests they are. They are compiled only where
/// they can run, so that nothing counts as passed that did not.
const SUITES: [&str; 2] = ["eks-cluster/real-cluster", "eks-kube/real-cluster"];

const USAGE: &str = "\
cargo xtask cluster COMMAND: a real Kubernetes control plane on loopback, for tests (docs/cluster.md)

  build             build its programs, unless they are built (needs go; minutes, once)
  up [OPTIONS]      start one, print a line of JSON when it is ready, hold it until Ctrl-C or `down`
  down              end those that were started with `up`
  test              the tests that need it
  stress [--rounds N]
                    start and kill it in every way, and look for what is left";

pub(crate) fn run(words: &[&str]) -> anyhow::Result<()> {
    match words {
        ["build"] => Cargo::new("run").args(["-q", "-p", "eks-cluster", "--", "build"]).run(),
        ["up", options @ ..] => {
            Cargo::new("run").args(["-q", "-p", "eks-cluster", "--", "up"]).args(options).here().become_it()
        }
        ["down", options @ ..] => {
            Cargo::new("run").args(["-q", "-p", "eks-cluster", "--", "down"]).args(options).here().run()
        }
        ["stress", options @ ..] => {
            Cargo::new("run").args(["-q", "-p", "eks-cluster", "--", "stress"]).args(options).run()
        }
        ["test"] => {
            run(&["build"])?;
            // Only what needs it: the glob leaves unit tests and examples to the others.
            let packages = SUITES.iter().filter_map(|suite| suite.split('/').next());
            let packages: Vec<&str> = packages.flat_map(|package| ["-p", package]).collect();
            Cargo::new("test").args(&packages).args(["--features", &features(), "--test", "*"]).run()
        }
        [] | ["help" | "--help" | "-h"] => bail!("{USAGE}"),
        _ => bail!("there is no command `cluster {}`\n\n{USAGE}", words.join(" ")),
    }
}

/// The features that switch the suites on.
pub(crate) fn features() -> String {
    SUITES.join(",")
}

/// What the tests of the workspace do about the control plane.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wanted {
    /// Run what needs it, or fail.
    Yes,
    /// Run it where it can be built, and say so where not.
    IfPossible,
    /// Leave it out, and say so.
    No,
}

/// All tests of the workspace, with the suites on the control plane where they can run.
pub(crate) fn test(wanted: Wanted) -> anyhow::Result<()> {
    let features = features();
    let refused = match wanted {
        Wanted::No => Some("left out with --without-cluster".to_owned()),
        Wanted::Yes | Wanted::IfPossible => {
            // Everything is compiled first and in the form of the tests, the program that builds the control
            // plane included; `cargo run` would compile it and all that is under it a second time.
            Cargo::new("test").args(["--workspace", "--no-run", "--quiet", "--features", &features]).run()?;
            let program = program()?;
            let can = Command::new(&program)
                .arg("can-build")
                .output()
                .with_context(|| format!("{} cannot be run", program.display()))?;
            if can.status.success() {
                build(&program)?;
                None
            } else {
                let said = String::from_utf8_lossy(&can.stderr);
                Some(said.trim().trim_start_matches("error: ").to_owned())
            }
        }
    };
    match refused {
        None => Cargo::new("test").args(["--workspace", "--features", &features]).run(),
        Some(reason) if wanted == Wanted::Yes => bail!("{reason}"),
        Some(reason) => {
            Cargo::new("test").args(["--workspace"]).run()?;
            println!("\nNOT RUN: the tests on a real Kubernetes control plane ({features}): {reason}");
            println!("With Go, `cargo xtask cluster test` runs them; the first time takes minutes.");
            Ok(())
        }
    }
}

fn build(program: &Path) -> anyhow::Result<()> {
    let status = Command::new(program)
        .arg("build")
        .status()
        .with_context(|| format!("{} cannot be run", program.display()))?;
    if status.success() { Ok(()) } else { bail!("the control plane for tests could not be built ({status})") }
}

/// The program `eks-cluster`, where cargo puts it.
fn program() -> anyhow::Result<PathBuf> {
    let metadata = metadata()?;
    let target = metadata["target_directory"].as_str().context("cargo does not say where it builds")?;
    Ok(Path::new(target).join("debug").join(format!("eks-cluster{}", std::env::consts::EXE_SUFFIX)))
}
