//! How a [`CheckReport`] is shown: to people, to code hosts, to programs.
//!
//! Each renderer takes a report and gives a text; none of them prints. Same report, same bytes.
//!
//! ```
//! use eks_model::{CheckReport, FailOn, Tool, Window};
//! use eks_report::{ExitCode, Format, RuleInfo, render};
//!
//! let tool = Tool { name: "eks-skew-check", version: "0.1.0", facts: "2026-08-26".into() };
//! let window = Window::new("1.36".parse()?, "1.37".parse()?)?;
//! let report = CheckReport::new(tool, window).conclude(FailOn::Block, false);
//! let rules: &[RuleInfo] = &[];
//! assert!(render(&report, Format::Json, rules).starts_with("{\n  \"schema\": \"eks-skew-check/1\""));
//! assert_eq!(ExitCode::from(report.verdict), ExitCode::Passed);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
#![warn(clippy::disallowed_methods)]

mod annotations;
mod csv;
mod exit_code;
mod junit;
mod markdown;
mod plan;
mod sarif;
mod text;

#[cfg(test)]
mod tests;

use std::fmt;
use std::str::FromStr;

use eks_model::CheckReport;

pub use exit_code::ExitCode;
pub use plan::{plan_json, plan_markdown, plan_text};
pub use text::Paint;

/// The JSON Schema of the JSON report, version 1.
pub static JSON_SCHEMA: &str = include_str!("../schema/eks-skew-check-1.schema.json");

/// The JSON Schema of [`plan_json`].
pub static PLAN_SCHEMA: &str = include_str!("../schema/eks-skew-check-plan-1.schema.json");

/// A rule, as far as a report needs to know it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RuleInfo {
    /// `API001`
    pub id: &'static str,
    /// A few words.
    pub title: &'static str,
    /// What it checks.
    pub checks: &'static str,
    /// Why it matters.
    pub why: &'static str,
}

/// The forms that a report can take.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Format {
    /// For people at a terminal.
    Text,
    /// The JSON report, version 1.
    Json,
    /// SARIF 2.1.0, for code scanning.
    Sarif,
    /// Workflow commands of GitHub Actions, which become annotations.
    Github,
    /// A code-quality report of GitLab.
    Gitlab,
    /// JUnit XML, for anything that shows test results.
    Junit,
    /// Markdown, for a comment on a pull request.
    Markdown,
    /// CSV, for a spreadsheet.
    Csv,
}

impl Format {
    /// All forms, in the order in which they are documented.
    pub const ALL: [Self; 8] = [
        Self::Text,
        Self::Json,
        Self::Sarif,
        Self::Github,
        Self::Gitlab,
        Self::Junit,
        Self::Markdown,
        Self::Csv,
    ];

    /// The name on the command line.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Json => "json",
            Self::Sarif => "sarif",
            Self::Github => "github",
            Self::Gitlab => "gitlab",
            Self::Junit => "junit",
            Self::Markdown => "markdown",
            Self::Csv => "csv",
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A word that names no form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownFormat(String);

impl fmt::Display for UnknownFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let known: Vec<&str> = Format::ALL.iter().map(|format| format.as_str()).collect();
        write!(f, "`{}` is no output format; there are {}", self.0, known.join(", "))
    }
}

impl std::error::Error for UnknownFormat {}

impl FromStr for Format {
    type Err = UnknownFormat;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|format| format.as_str() == text)
            .ok_or_else(|| UnknownFormat(text.to_owned()))
    }
}

/// The report in a form. Text is without colour; [`text()`] has it with.
pub fn render(report: &CheckReport, format: Format, rules: &[RuleInfo]) -> String {
    match format {
        Format::Text => text(report, Paint::Never),
        Format::Json => json(report),
        Format::Sarif => sarif::render(report, rules),
        Format::Github => annotations::github(report),
        Format::Gitlab => annotations::gitlab(report),
        Format::Junit => junit::render(report),
        Format::Markdown => markdown::render(report),
        Format::Csv => csv::render(report),
    }
}

/// The report for people.
pub fn text(report: &CheckReport, paint: Paint) -> String {
    text::render(report, paint)
}

fn json(report: &CheckReport) -> String {
    pretty(report)
}

/// JSON with a line break at its end. Our values have string keys and no floats, so this cannot
/// fail; if it ever did, the reader sees why instead of nothing.
fn pretty(value: &impl serde::Serialize) -> String {
    match serde_json::to_string_pretty(value) {
        Ok(text) => text + "\n",
        Err(error) => format!("{{\"error\": \"{error}\"}}\n"),
    }
}

/// `1 finding`, `2 findings`
fn count(number: u64, one: &str, many: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { many })
}

/// A name for the object of a finding: `shop/web`.
fn object_name(finding: &eks_model::Finding) -> String {
    match (&finding.namespace, &finding.name) {
        (Some(namespace), Some(name)) => format!("{namespace}/{name}"),
        (None, Some(name)) => name.clone(),
        (Some(namespace), None) => format!("{namespace}/?"),
        (None, None) => String::new(),
    }
}

/// FNV-1a, 64 bits: a fingerprint that is the same in every run and on every machine.
/// <http://www.isthe.com/chongo/tech/comp/fnv/>
fn fingerprint(text: &str) -> String {
    let hash = text
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, b| (hash ^ u64::from(b)).wrapping_mul(0x0000_0100_0000_01b3));
    format!("{hash:016x}")
}

/// Gives each finding a fingerprint of its own: the second of the same identity gets a number.
fn fingerprints(report: &CheckReport) -> Vec<String> {
    let mut seen = std::collections::BTreeMap::new();
    report
        .findings
        .iter()
        .map(|finding| {
            let identity = finding.identity();
            let times = seen.entry(identity.clone()).or_insert(0_u32);
            *times += 1;
            fingerprint(&format!("{identity}|{times}"))
        })
        .collect()
}
