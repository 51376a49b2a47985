//! The project's own automation: `cargo xtask COMMAND`.
//!
//! Everything that CI does is a command here, so that it can be done by hand in the same way.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a command for people")]

mod addons;
mod bench;
mod catalogue;
mod cluster;
mod deps;
mod docs;
mod layers;
mod permissions;
mod process;
mod python;
mod suites;
mod tidy;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::bail;
use process::Cargo;
use suites::Wanted;

const USAGE: &str = "\
cargo xtask COMMAND

  test [--without-cluster]
                    all tests of the workspace; those on a real control plane where it can be built (needs go), those
                    with clients in Python where there is one
  cluster COMMAND   the real Kubernetes control plane for tests: build, up, down, test, stress
  sandbox [--scenario FILE] [--speed N] [--with-kubernetes]
                    a simulated AWS on loopback, to point any client at (docs/simulation.md)
  ci                what CI checks: fmt, clippy, docs, tests, layers, deps, tidy, generated files
  layers            which crate may know which: held against docs/architecture.md's table
  deps              licences, yanked or doubled crates
  tidy              what no compiler checks: headers, long files, generated notices
  docs [--check]    generate docs/rules.md
  permissions [--check]
                    generate docs/permissions from the calls that each binary can make
  catalogue [--check]
                    generate the catalogue of APIs from the Go modules of Kubernetes (needs go)
  addons --from FILE --as-of DATE
                    take a recorded `aws eks describe-addon-versions` into the tables, and print what changes
  bench [--quick]   measure the scanner and the whole process, as ratios in one run
  fuzz [SECONDS]    run the fuzz target (needs cargo-fuzz)";

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = args.iter().map(String::as_str).collect();
    let done = match words.as_slice() {
        ["test"] => suites::test(Wanted::IfPossible),
        ["test", "--without-cluster"] => suites::test(Wanted::NoCluster),
        ["cluster", words @ ..] => cluster::run(words),
        ["sandbox", options @ ..] => {
            Cargo::new("run").args(["-q", "-p", "eks-sandbox", "--"]).args(options).here().become_it()
        }
        ["ci"] => ci(),
        ["layers"] => layers::run(&root()),
        ["deps"] => deps::run(&root()),
        ["tidy"] => tidy::run(&root()),
        ["docs"] => docs::run(&root(), false),
        ["docs", "--check"] => docs::run(&root(), true),
        ["permissions"] => permissions::run(&root(), false),
        ["permissions", "--check"] => permissions::run(&root(), true),
        ["catalogue"] => catalogue::run(false),
        ["catalogue", "--check"] => catalogue::run(true),
        ["addons", "--from", file, "--as-of", as_of] => addons::run(&root(), file, as_of),
        ["bench"] => bench::run(&root(), false),
        ["bench", "--quick"] => bench::run(&root(), true),
        ["walk-and-read", folder, threads] => bench::walk_and_read(folder, threads),
        ["fuzz"] => fuzz("60"),
        ["fuzz", seconds] => fuzz(seconds),
        [] | ["help" | "--help" | "-h"] => {
            println!("{USAGE}");
            Ok(())
        }
        _ => Err(anyhow::anyhow!("there is no command `{}`\n\n{USAGE}", words.join(" "))),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// The root of the workspace.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().map_or_else(|| PathBuf::from("."), Path::to_owned)
}

fn ci() -> anyhow::Result<()> {
    let root = root();
    step("fmt", || Cargo::new("fmt").args(["--all", "--check"]).run())?;
    step("clippy", || {
        Cargo::new("clippy")
            .args([
                "--workspace",
                "--all-targets",
                "--quiet",
                "--features",
                &suites::features(),
                "--",
                "-D",
                "warnings",
            ])
            .run()
    })?;
    step("docs", || {
        Cargo::new("doc")
            .args(["--workspace", "--no-deps", "--quiet", "--document-private-items"])
            .args(["--features", &suites::features()])
            .env("RUSTDOCFLAGS", "-D warnings")
            .run()
    })?;
    step("test", || suites::test(Wanted::Yes))?;
    step("layers", || layers::run(&root))?;
    step("deps", || deps::run(&root))?;
    step("tidy", || tidy::run(&root))?;
    step("generated docs", || docs::run(&root, true))?;
    step("generated permissions", || permissions::run(&root, true))?;
    step("generated catalogue", || catalogue::run(true))?;
    println!("\nall checks passed");
    Ok(())
}

fn step(name: &str, run: impl FnOnce() -> anyhow::Result<()>) -> anyhow::Result<()> {
    println!("\n== {name}");
    run().map_err(|error| error.context(format!("{name} failed; run it alone to see more")))
}

/// Runs the fuzz target over its corpus and beyond, for so many seconds.
fn fuzz(seconds: &str) -> anyhow::Result<()> {
    if seconds.parse::<u32>().is_err() {
        bail!("`{seconds}` is no number of seconds");
    }
    let folder = root().join("crates/eks-deprecations/fuzz");
    // What it finds goes into the first folder, which is not kept; a case worth keeping is copied.
    std::fs::create_dir_all(folder.join("artifacts/found"))?;
    Cargo::new("fuzz")
        .args(["run", "scan", "--sanitizer", "none", "artifacts/found", "corpus/scan", "--"])
        .args([&format!("-max_total_time={seconds}"), "-max_len=4096"])
        .directory(&folder)
        // Coverage is a flag of the nightly compiler that stable ones understand too.
        .env("RUSTC_BOOTSTRAP", "1")
        .run()
}
