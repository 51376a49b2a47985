//! Running other programs.

use std::ffi::OsStr;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, bail};

/// A call of cargo.
pub(crate) struct Cargo {
    command: Command,
    shown: String,
}

impl Cargo {
    pub(crate) fn new(subcommand: &str) -> Self {
        let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        command.arg(subcommand).current_dir(crate::root());
        Self { command, shown: format!("cargo {subcommand}") }
    }

    pub(crate) fn args<I: IntoIterator<Item = S>, S: AsRef<OsStr>>(mut self, args: I) -> Self {
        for arg in args {
            self.shown.push(' ');
            self.shown.push_str(&arg.as_ref().to_string_lossy());
            self.command.arg(arg);
        }
        self
    }

    pub(crate) fn env(mut self, name: &str, value: &str) -> Self {
        self.command.env(name, value);
        self
    }

    pub(crate) fn directory(mut self, directory: &Path) -> Self {
        self.command.current_dir(directory);
        self
    }

    /// In the folder that we were called in, and not at the root: paths of the user's are meant from there.
    pub(crate) fn here(mut self) -> Self {
        if let Ok(here) = std::env::current_dir() {
            self.command.current_dir(here);
        }
        self
    }

    /// Becomes it, so that whoever signals this process signals what runs.
    pub(crate) fn become_it(mut self) -> anyhow::Result<()> {
        #[cfg(unix)]
        {
            let error = std::os::unix::process::CommandExt::exec(&mut self.command);
            Err(error).with_context(|| format!("`{}` cannot be run", self.shown))
        }
        #[cfg(not(unix))]
        {
            self.command.status().with_context(|| format!("`{}` cannot be run", self.shown)).map(drop)
        }
    }

    /// Runs it, its output going where ours goes.
    pub(crate) fn run(mut self) -> anyhow::Result<()> {
        let status = self.command.status().with_context(|| format!("`{}` cannot be run", self.shown))?;
        if status.success() { Ok(()) } else { bail!("`{}` failed ({status})", self.shown) }
    }

    /// Runs it and gives what it wrote.
    pub(crate) fn output(mut self) -> anyhow::Result<Vec<u8>> {
        let output = self.command.output().with_context(|| format!("`{}` cannot be run", self.shown))?;
        if !output.status.success() {
            bail!("`{}` failed: {}", self.shown, String::from_utf8_lossy(&output.stderr).trim());
        }
        Ok(output.stdout)
    }
}

/// The package graph, as `cargo metadata` gives it.
pub(crate) fn metadata() -> anyhow::Result<serde_json::Value> {
    let text =
        Cargo::new("metadata").args(["--format-version", "1", "--all-features", "--locked"]).output()?;
    Ok(serde_json::from_slice(&text)?)
}

/// Writes a generated file, or says that it is stale.
pub(crate) fn ensure_file(path: &Path, text: &str, check: bool, command: &str) -> anyhow::Result<()> {
    let now = std::fs::read_to_string(path).unwrap_or_default();
    if now == text {
        return Ok(());
    }
    let shown = path.strip_prefix(crate::root()).unwrap_or(path).display().to_string();
    if check {
        let line = now.lines().zip(text.lines()).take_while(|(a, b)| a == b).count() + 1;
        bail!("{shown} is stale from line {line} on; run `{command}` and commit it");
    }
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    std::fs::write(path, text).with_context(|| format!("{shown} cannot be written"))?;
    println!("wrote {shown}");
    Ok(())
}
