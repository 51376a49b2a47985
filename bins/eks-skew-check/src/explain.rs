//! `explain` and `list`: rows of the catalogue and rules, with their sources.

use std::fmt::Write as _;

use anyhow::bail;
use eks_deprecations::{Api, Catalogue, Persistence};
use eks_model::{KubeMinor, Rule};
use eks_report::ExitCode;
use serde_json::json;

use crate::cli::{ExplainArgs, ListArgs, ListFormat};
use crate::config::Config;
use crate::run::minor;
use crate::{Environment, output, rules, run};

pub(crate) fn explain(args: &ExplainArgs, environment: &mut Environment<'_>) -> anyhow::Result<ExitCode> {
    let catalogue = Catalogue::embedded();
    let mut text = String::new();
    if let Some(rule) = rules::get(&args.what.to_ascii_uppercase()) {
        explain_rule(&mut text, rule)?;
    } else {
        let rows: Vec<&Api> = catalogue
            .rows()
            .iter()
            .filter(|row| is_named(&args.what, &row.api_version, row.kind, row.group))
            .collect();
        let vendors: Vec<_> = catalogue
            .vendors()
            .iter()
            .filter(|row| is_named(&args.what, &row.api_version, row.kind, ""))
            .collect();
        if rows.is_empty() && vendors.is_empty() {
            bail!(
                "there is no rule and no API `{}`; name a rule (API001) or a part of GROUP/VERSION/KIND, as `eks-skew-check list` prints them",
                args.what
            );
        }
        for row in rows {
            explain_row(&mut text, row, catalogue)?;
        }
        for row in vendors {
            writeln!(text, "{} {}", row.api_version, row.kind)?;
            writeln!(text, "  deprecated   {} {}", row.project, row.deprecated)?;
            writeln!(text, "  removed      {} {}", row.project, row.gone)?;
            writeln!(text, "  replacement  {}", row.replacement)?;
            writeln!(text, "  source       {} ({})\n", row.source, row.as_of)?;
        }
    }
    output::to_stdout(environment, text.trim_end_matches('\n'))?;
    output::to_stdout(environment, "\n")?;
    Ok(ExitCode::Passed)
}

/// Whether `what` names an API: its kind, its apiVersion, its group, or both of the first.
fn is_named(what: &str, api_version: &str, kind: &str, group: &str) -> bool {
    let full = format!("{api_version}/{kind}");
    let spaced = format!("{api_version} {kind}");
    [full.as_str(), spaced.as_str(), api_version, kind, group]
        .iter()
        .any(|name| !name.is_empty() && name.eq_ignore_ascii_case(what))
}

fn explain_rule(text: &mut String, rule: &Rule) -> anyhow::Result<()> {
    writeln!(text, "{}  {}\n", rule.id, rule.title)?;
    for (heading, body) in rule.sections() {
        writeln!(text, "{heading}: {body}\n")?;
    }
    writeln!(text, "Example, from 1.{} to 1.{}:", rule.example.from, rule.example.to)?;
    for line in rule.example.text.lines() {
        writeln!(text, "    {line}")?;
    }
    Ok(())
}

fn explain_row(text: &mut String, row: &Api, catalogue: &Catalogue) -> anyhow::Result<()> {
    writeln!(text, "{} {}", row.api_version, row.kind)?;
    let introduced =
        row.introduced.map_or_else(|| "before the oldest release read".to_owned(), |m| m.to_string());
    writeln!(text, "  introduced   {introduced}")?;
    if let Some(deprecated) = row.deprecated {
        writeln!(text, "  deprecated   {deprecated}")?;
    }
    if let Some(removed) = row.removed {
        let forecast =
            if removed > catalogue.newest().minor { " (a forecast: not released yet)" } else { "" };
        writeln!(text, "  removed      {removed}{forecast}")?;
    }
    match row.replacement {
        Some(to) => {
            let since = to.since.map_or_else(String::new, |since| format!(", served since {since}"));
            writeln!(text, "  replacement  {} {}{since}", to.api_version, to.kind)?;
        }
        None if row.removed.is_some() || row.deprecated.is_some() => writeln!(text, "  replacement  none")?,
        None => {}
    }
    let kept = match row.persistence {
        Persistence::Stored => "stored in the cluster",
        Persistence::Request => "a request: answered, not stored",
        Persistence::File => "a file that a program reads; no API server serves it",
    };
    writeln!(text, "  objects      {kept}")?;
    if !row.on_eks {
        writeln!(text, "  EKS          never turned on")?;
    }
    writeln!(text, "  source       {} ({})\n", row.source, row.as_of)?;
    Ok(())
}

/// The columns of `list`.
const HEADER: [&str; 10] = [
    "apiVersion",
    "kind",
    "since",
    "deprecated",
    "removed",
    "replacement",
    "served since",
    "EKS",
    "source",
    "as of",
];

pub(crate) fn list(args: &ListArgs, environment: &mut Environment<'_>) -> anyhow::Result<ExitCode> {
    let catalogue = Catalogue::embedded();
    let mut rows: Vec<&Api> = catalogue.rows().iter().collect();
    if args.window.from.is_some() || args.window.to.is_some() {
        let (window, notes) = run::window(&args.window, &Config::default(), catalogue)?;
        let within = |minor: Option<KubeMinor>| minor.is_some_and(|minor| window.hop_to(minor).is_some());
        rows.retain(|row| within(row.removed) || within(row.deprecated));
        for note in notes {
            drop(writeln!(environment.stderr, "note: {note}"));
        }
    }
    let cells = |row: &Api| {
        let replacement =
            row.replacement.map_or_else(String::new, |to| format!("{} {}", to.api_version, to.kind));
        [
            row.api_version.clone(),
            row.kind.to_owned(),
            minor(row.introduced),
            minor(row.deprecated),
            minor(row.removed),
            replacement,
            minor(row.replacement.and_then(|to| to.since)),
            if row.on_eks { "yes" } else { "never" }.to_owned(),
            row.source.to_owned(),
            row.as_of.to_owned(),
        ]
    };
    let text = match args.output {
        ListFormat::Json => {
            let rows: Vec<_> = rows
                .iter()
                .map(|row| {
                    json!({
                        "apiVersion": row.api_version,
                        "kind": row.kind,
                        "introducedIn": row.introduced,
                        "deprecatedIn": row.deprecated,
                        "removedIn": row.removed,
                        "replacement": row.replacement.map(|to| format!("{} {}", to.api_version, to.kind)),
                        "replacementSince": row.replacement.and_then(|to| to.since),
                        "persisted": match row.persistence {
                            Persistence::Stored => "yes",
                            Persistence::Request => "no",
                            Persistence::File => "file",
                        },
                        "onEks": row.on_eks,
                        "source": row.source,
                        "asOf": row.as_of,
                    })
                })
                .collect();
            serde_json::to_string_pretty(&rows)? + "\n"
        }
        ListFormat::Tsv => {
            let mut text = HEADER.join("\t") + "\n";
            for row in rows {
                text.push_str(&cells(row).join("\t"));
                text.push('\n');
            }
            text
        }
        ListFormat::Text => {
            table(&HEADER[..8], rows.into_iter().map(|row| cells(row)[..8].to_vec()).collect())
        }
    };
    output::to_stdout(environment, &text)?;
    Ok(ExitCode::Passed)
}

/// Columns of equal width.
fn table(header: &[&str], rows: Vec<Vec<String>>) -> String {
    let mut lines: Vec<Vec<String>> = vec![header.iter().map(|&name| name.to_owned()).collect()];
    lines.extend(rows);
    let width = |column: usize| {
        lines.iter().filter_map(|line| line.get(column)).map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..header.len()).map(width).collect();
    let mut text = String::new();
    for line in &lines {
        let cells: Vec<String> =
            line.iter().zip(&widths).map(|(cell, &width)| format!("{cell:<width$}")).collect();
        text.push_str(cells.join("  ").trim_end());
        text.push('\n');
    }
    text
}
