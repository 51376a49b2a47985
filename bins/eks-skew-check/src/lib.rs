//! `eks-skew-check`: says what will stop working between two Kubernetes versions, before it is
//! merged. It can only read.
//!
//! The wiring of the command: [`cli`] names the flags, `check` and `plan` are what it does, `files` finds and
//! reads the files, `declared` has what they declare judged, `config`, `suppress`, `baseline` and `git` decide which findings count, `explain` prints rows
//! of the catalogue. What is found is decided in `eks-deprecations`, how it is shown in
//! `eks-report`.

mod baseline;
mod check;
pub mod cli;
mod config;
mod declared;
mod explain;
mod files;
mod git;
mod output;
mod plan;
mod progress;
mod rules;
mod run;
mod suppress;

use std::ffi::OsString;
use std::io::{IsTerminal, Read, Write};
use std::path::PathBuf;

use clap::Parser;
use eks_report::ExitCode;

/// What a run gets from outside.
pub struct Environment<'a> {
    /// The working directory; relative paths start there.
    pub directory: PathBuf,
    /// Today, in UTC: for suppressions that expire.
    pub today: jiff::civil::Date,
    /// Standard input.
    pub stdin: &'a mut dyn Read,
    /// Data.
    pub stdout: &'a mut dyn Write,
    /// Everything else that a person reads.
    pub stderr: &'a mut dyn Write,
    /// Whether data goes to a terminal that shows colours.
    pub colour: bool,
    /// Whether a person watches standard error.
    pub watched: bool,
}

/// The whole program: arguments in, exit code out.
pub fn main_with(args: impl IntoIterator<Item = OsString>) -> std::process::ExitCode {
    let directory = match std::env::current_dir() {
        Ok(directory) => directory,
        Err(error) => {
            let message =
                format!("error: the working directory cannot be read: {error}; go to one that exists\n");
            // Nowhere is left to say that standard error is gone.
            drop(std::io::stderr().write_all(message.as_bytes()));
            return ExitCode::CouldNotStart.into();
        }
    };
    let says = |name: &str, value: &str| std::env::var_os(name).is_some_and(|set| set == value);
    let asked_not_to =
        std::env::var_os("NO_COLOR").is_some_and(|set| !set.is_empty()) || says("TERM", "dumb");
    let colour = std::io::stdout().is_terminal() && !asked_not_to;
    let watched = std::io::stderr().is_terminal();
    let mut environment = Environment {
        directory,
        today: jiff::tz::TimeZone::UTC.to_datetime(jiff::Timestamp::now()).date(),
        stdin: &mut std::io::stdin().lock(),
        stdout: &mut std::io::BufWriter::new(std::io::stdout().lock()),
        stderr: &mut std::io::stderr(),
        colour,
        watched: watched && !says("TERM", "dumb"),
    };
    run(args, &mut environment).into()
}

/// The program with its surroundings handed in.
pub fn run(args: impl IntoIterator<Item = OsString>, environment: &mut Environment<'_>) -> ExitCode {
    let cli = match cli::Cli::try_parse_from(args) {
        Ok(cli) => cli,
        Err(error) => {
            let usage = error.use_stderr();
            let text = if environment.colour {
                error.render().ansi().to_string()
            } else {
                error.render().to_string()
            };
            let out: &mut dyn Write = if usage { environment.stderr } else { environment.stdout };
            drop(out.write_all(text.as_bytes()).and_then(|()| out.flush()));
            return if usage { ExitCode::CouldNotStart } else { ExitCode::Passed };
        }
    };
    match run::run(cli, environment) {
        Ok(code) => code,
        Err(error) => {
            drop(writeln!(environment.stderr, "error: {}", chain(&error)));
            ExitCode::CouldNotStart
        }
    }
}

/// An error with its causes in one sentence; a cause that the sentence already holds is left out.
fn chain(error: &anyhow::Error) -> String {
    let mut text = String::new();
    for cause in error.chain() {
        let cause = cause.to_string();
        if text.is_empty() {
            text = cause;
        } else if !text.contains(&cause) {
            text = format!("{text}: {cause}");
        }
    }
    text
}
