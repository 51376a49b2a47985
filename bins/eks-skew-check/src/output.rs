//! Where a report goes.

use std::io::ErrorKind;

use anyhow::{Context, bail};
use eks_model::CheckReport;
use eks_report::{Format, Paint, RuleInfo, render};

use crate::Environment;
use crate::cli::{Colour, Output};

/// The rules, as reports show them.
pub(crate) fn rule_infos() -> Vec<RuleInfo> {
    crate::rules::all()
        .map(|rule| RuleInfo { id: rule.id, title: rule.title, checks: rule.checks, why: rule.why })
        .collect()
}

/// Refuses two reports in one place: the second would overwrite the first, or end up in it.
pub(crate) fn distinct(outputs: &[Output]) -> anyhow::Result<()> {
    for (index, output) in outputs.iter().enumerate() {
        if outputs.iter().skip(index + 1).any(|other| other.file == output.file) {
            let place =
                output.file.as_ref().map_or("standard output".to_owned(), |file| file.display().to_string());
            bail!("two reports cannot both go to {place}; name a file for one: --output FORMAT=FILE");
        }
    }
    Ok(())
}

/// Writes the report in every form asked for. One that cannot be written does not keep the others
/// from being written.
pub(crate) fn write(
    report: &CheckReport,
    outputs: &[Output],
    colour: Colour,
    environment: &mut Environment<'_>,
) -> anyhow::Result<()> {
    let rules = rule_infos();
    let text_only = [Output { format: Format::Text, file: None }];
    let outputs = if outputs.is_empty() { &text_only } else { outputs };
    let mut failed = Ok(());
    for output in outputs {
        let written = match &output.file {
            None => {
                let paint = match colour {
                    Colour::Always => Paint::Ansi,
                    Colour::Never => Paint::Never,
                    Colour::Auto => {
                        if environment.colour {
                            Paint::Ansi
                        } else {
                            Paint::Never
                        }
                    }
                };
                let text = match output.format {
                    Format::Text => eks_report::text(report, paint),
                    Format::Json
                    | Format::Sarif
                    | Format::Github
                    | Format::Gitlab
                    | Format::Junit
                    | Format::Markdown
                    | Format::Csv => render(report, output.format, &rules),
                };
                to_stdout(environment, &text)
            }
            Some(file) => {
                std::fs::write(environment.directory.join(file), render(report, output.format, &rules))
                    .with_context(|| {
                        format!(
                            "the {} report cannot be written to {}; choose a place that can be written",
                            output.format,
                            file.display()
                        )
                    })
            }
        };
        failed = failed.and(written);
    }
    failed
}

/// Writes data. A reader that has seen enough (`| head`) is no error.
pub(crate) fn to_stdout(environment: &mut Environment<'_>, text: &str) -> anyhow::Result<()> {
    let written = environment.stdout.write_all(text.as_bytes()).and_then(|()| environment.stdout.flush());
    match written {
        Ok(()) => Ok(()),
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        Err(error) => bail!("standard output cannot be written: {error}"),
    }
}
