//! The virtual environment that tests in Python run in: made once for each state of its requirements.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, bail};

/// The oldest Python that all of the requirements run on.
const OLDEST: (u32, u32) = (3, 10);
/// Written at the very end: an environment without it was cut off half-way.
const DONE: &str = "complete";

/// The interpreter of the environment, which is made if it is not there; `Err` says in one sentence why it cannot be.
pub(crate) fn environment() -> anyhow::Result<PathBuf> {
    let requirements = crate::root().join("tests/python/requirements.txt");
    let text = std::fs::read_to_string(&requirements)
        .with_context(|| format!("{} cannot be read", requirements.display()))?;
    let root = cache_root()?;
    let folder = root.join(format!("{:016x}", fnv(text.as_bytes())));
    let interpreter = folder.join(if cfg!(windows) { "Scripts/python.exe" } else { "bin/python" });
    if folder.join(DONE).is_file() {
        return Ok(interpreter);
    }
    let python = python()?;
    std::fs::create_dir_all(&root).with_context(|| format!("{} cannot be made", root.display()))?;
    if folder.exists() {
        std::fs::remove_dir_all(&folder)
            .with_context(|| format!("{} cannot be removed", folder.display()))?;
    }
    println!("making {} for the tests in Python", folder.display());
    ran(
        Command::new(python).args(["-m", "venv"]).arg(&folder),
        "a virtual environment cannot be made (Debian: install python3-venv)",
    )?;
    ran(
        Command::new(&interpreter)
            .args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps", "-r"])
            .arg(&requirements),
        "the packages of tests/python/requirements.txt cannot be installed: check the network, or set PIP_INDEX_URL",
    )?;
    std::fs::write(folder.join(DONE), "")
        .with_context(|| format!("{} cannot be written", folder.display()))?;
    Ok(interpreter)
}

/// A Python that is new enough.
fn python() -> anyhow::Result<&'static str> {
    let version = Command::new("python3").args(["-c", "import sys; print(*sys.version_info[:2])"]).output();
    let Ok(output) = version else { bail!("there is no python3 on the PATH: install Python 3.10 or newer") };
    let said = String::from_utf8_lossy(&output.stdout);
    let mut numbers = said.split_whitespace().filter_map(|number| number.parse::<u32>().ok());
    match (numbers.next(), numbers.next()) {
        (Some(major), Some(minor)) if (major, minor) >= OLDEST => Ok("python3"),
        (Some(major), Some(minor)) => {
            bail!("python3 is {major}.{minor}, and 3.10 or newer is needed: install it")
        }
        _ => bail!("python3 does not say its version: install Python 3.10 or newer"),
    }
}

fn ran(command: &mut Command, failed: &str) -> anyhow::Result<()> {
    let output = command.output().with_context(|| failed.to_owned())?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    let last = said.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or("it said nothing");
    bail!("{failed} ({})", last.trim())
}

/// `eks-upgrade/python` in the user's folder for caches.
fn cache_root() -> anyhow::Result<PathBuf> {
    let folder = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let caches = folder("XDG_CACHE_HOME").or_else(|| Some(folder("HOME")?.join(".cache")));
    let caches = caches
        .context("there is no place for a virtual environment: neither XDG_CACHE_HOME nor HOME is set")?;
    Ok(Path::new(&caches).join("eks-upgrade/python"))
}

fn fnv(bytes: &[u8]) -> u64 {
    bytes
        .iter()
        .fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
}
