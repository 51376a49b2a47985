//! What no compiler checks.

use std::path::{Path, PathBuf};

use anyhow::bail;

/// Longer files want a seam; a table may be long.
const LONG: usize = 900;
/// Words that must not stand in the sources: unfinished work, tests that do not run.
const UNFINISHED: [&str; 4] = ["todo!", "unimplemented!", "#[ignore", "assert!(true)"];

pub(crate) fn run(root: &Path) -> anyhow::Result<()> {
    let mut sources = Vec::new();
    for folder in ["crates", "bins", "xtask", "tests"] {
        collect(&root.join(folder), &mut sources)?;
    }
    sources.sort();
    let mut wrong = Vec::new();
    for path in &sources {
        let text = std::fs::read_to_string(path)?;
        let shown = path.strip_prefix(root).unwrap_or(path).display();
        let first = text.lines().next().unwrap_or_default();
        if !(first.starts_with("//!") || first.starts_with("#![no_main]")) {
            wrong.push(format!("{shown} does not start with `//!` and what it is for"));
        }
        let lines = text.lines().count();
        if lines > LONG {
            wrong.push(format!("{shown} has {lines} lines: find a seam"));
        }
        if !path.ends_with("xtask/src/tidy.rs") {
            for word in UNFINISHED {
                if text.contains(word) {
                    wrong.push(format!("{shown} has `{word}`"));
                }
            }
        }
    }
    for needed in [
        "README.md",
        "LICENSE",
        "CHANGELOG.md",
        "CONTRIBUTING.md",
        "docs/architecture.md",
        "action.yml",
        ".pre-commit-hooks.yaml",
    ] {
        if !root.join(needed).is_file() {
            wrong.push(format!("{needed} is missing"));
        }
    }
    if wrong.is_empty() {
        println!("tidy: {} source files", sources.len());
        Ok(())
    } else {
        bail!("{}", wrong.join("\n"))
    }
}

fn collect(folder: &Path, out: &mut Vec<PathBuf>) -> anyhow::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() && !path.ends_with("target") && !path.ends_with("fixtures") {
            collect(&path, out)?;
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            out.push(path);
        }
    }
    Ok(())
}
