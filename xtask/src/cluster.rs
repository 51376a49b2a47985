//! The real Kubernetes control plane for tests. All it knows is in the crate eks-cluster; this only calls it.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, bail};

use crate::process::{Cargo, metadata};
use crate::suites;

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
            suites::on_the_control_plane()
        }
        [] | ["help" | "--help" | "-h"] => bail!("{USAGE}"),
        _ => bail!("there is no command `cluster {}`\n\n{USAGE}", words.join(" ")),
    }
}

/// Has its programs built, or says in one sentence why they cannot be.
pub(crate) fn ready() -> anyhow::Result<Result<(), String>> {
    let program = program()?;
    let can = Command::new(&program)
        .arg("can-build")
        .output()
        .with_context(|| format!("{} cannot be run", program.display()))?;
    if can.status.success() {
        build(&program)?;
        return Ok(Ok(()));
    }
    let said = String::from_utf8_lossy(&can.stderr);
    Ok(Err(said.trim().trim_start_matches("error: ").to_owned()))
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
