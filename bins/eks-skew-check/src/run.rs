//! What each command does.

use anyhow::{Context, bail};
use clap::CommandFactory;
use eks_deprecations::Catalogue;
use eks_model::{KubeMinor, Window};
use eks_report::ExitCode;

use crate::cli::{Cli, Command, WindowArgs};
use crate::config::Config;
use crate::{Environment, check, explain, output, plan};

pub(crate) fn run(cli: Cli, environment: &mut Environment<'_>) -> anyhow::Result<ExitCode> {
    match cli.command {
        Command::Files(args) => check::files(&args, environment),
        Command::Plan(args) => plan::plan(&args, environment),
        Command::Explain(args) => explain::explain(&args, environment),
        Command::List(args) => explain::list(&args, environment),
        Command::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Cli::command(), "eks-skew-check", &mut script);
            output::to_stdout(environment, &String::from_utf8_lossy(&script))?;
            Ok(ExitCode::Passed)
        }
        Command::Man => {
            let mut page = Vec::new();
            clap_mangen::Man::new(Cli::command()).render(&mut page)?;
            for command in Cli::command().get_subcommands() {
                clap_mangen::Man::new(command.clone()).render(&mut page)?;
            }
            output::to_stdout(environment, &String::from_utf8_lossy(&page))?;
            Ok(ExitCode::Passed)
        }
    }
}

/// The window, and what must be said about how it came to be.
pub(crate) fn window(
    args: &WindowArgs,
    config: &Config,
    catalogue: &Catalogue,
) -> anyhow::Result<(Window, Vec<String>)> {
    let mut notes = Vec::new();
    let newest_eks = catalogue.newest_eks();
    let from = args.from.or(config.from);
    let to = args.to.or(config.to).unwrap_or_else(|| match from {
        Some(from) if from > newest_eks.minor => {
            notes.push(format!(
                "no --to given: {from}, the same as --from, which is above the newest EKS version known ({})",
                newest_eks.minor
            ));
            from
        }
        _ => {
            let to = newest_eks.minor;
            notes.push(format!("no --to given: {to}, the newest EKS version known ({})", newest_eks.as_of));
            to
        }
    });
    let from = from.unwrap_or_else(|| {
        let from = to.previous().unwrap_or(to);
        notes.push(format!("no --from given: {from}, one minor below --to"));
        from
    });
    let window = Window::new(from, to).context("--from and --to")?;
    let newest = catalogue.newest();
    if to > newest.minor {
        notes.push(format!(
            "{to} is beyond what is known here (Kubernetes up to {}, as of {}): of later versions only announced removals are known, as forecasts",
            newest.minor, newest.as_of
        ));
    }
    Ok((window, notes))
}

/// How long a window may be: a version like 1.999 is a typing error, not a plan.
const LONGEST: u16 = 150;

/// Refuses a window that nobody means.
pub(crate) fn plausible(window: Window, catalogue: &Catalogue) -> anyhow::Result<()> {
    if window.to().minor() > catalogue.newest().minor.minor() + LONGEST {
        bail!(
            "{} is far beyond any Kubernetes there is ({}); check --to",
            window.to(),
            catalogue.newest().minor
        );
    }
    if window.to().minor() - window.from().minor() > LONGEST {
        bail!("{} to {} is no upgrade that anyone does; check --from and --to", window.from(), window.to());
    }
    Ok(())
}

/// A minor for a table.
pub(crate) fn minor(minor: Option<KubeMinor>) -> String {
    minor.map_or_else(String::new, |minor| minor.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_window_has_no_hidden_default() {
        let catalogue = Catalogue::embedded();
        let args = |from: Option<&str>, to: Option<&str>| WindowArgs {
            from: from.map(|v| v.parse().unwrap()),
            to: to.map(|v| v.parse().unwrap()),
        };
        let newest = catalogue.newest_eks().minor;
        for (from, to, expected, said) in [
            (None, None, (newest.previous().unwrap(), newest), 2),
            (Some("1.30"), None, (KubeMinor::new(30), newest), 1),
            (None, Some("1.33"), (KubeMinor::new(32), KubeMinor::new(33)), 1),
            (Some("1.30"), Some("1.33"), (KubeMinor::new(30), KubeMinor::new(33)), 0),
        ] {
            let (window, notes) = window(&args(from, to), &Config::default(), catalogue).unwrap();
            assert_eq!(((window.from(), window.to()), notes.len()), (expected, said), "{notes:?}");
        }
        let (_, notes) = window(&args(Some("1.36"), Some("1.99")), &Config::default(), catalogue).unwrap();
        assert!(
            notes[0].contains("1.99 is beyond") && notes[0].contains(catalogue.newest().as_of),
            "{notes:?}"
        );
        assert!(window(&args(Some("1.36"), Some("1.30")), &Config::default(), catalogue).is_err());
    }
}
