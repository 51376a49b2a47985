//! The command line.

use std::path::PathBuf;
use std::str::FromStr;

use clap::{Args, Parser, Subcommand, ValueEnum, ValueHint};
use eks_model::{FailOn, KubeMinor};
use eks_report::Format;

/// Says what will stop working between two Kubernetes versions, before it is merged. Reads files;
/// changes nothing; needs no network.
///
/// Exit codes: 0 passed; 1 blocked by findings; 2 could not start (usage, configuration);
/// 3 incomplete: something needed could not be read.
#[derive(Debug, Parser)]
#[command(name = "eks-skew-check", version, arg_required_else_help = true)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Check manifests, charts and rendered streams for APIs that the upgrade takes away
    Files(Box<FilesArgs>),
    /// Print a rule (API001) or the catalogue's rows of an API (policy/v1beta1/PodDisruptionBudget)
    Explain(ExplainArgs),
    /// Print the catalogue of APIs, or what a window of versions does to it
    List(ListArgs),
    /// Print a completion script for a shell
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
    /// Print the manual page
    Man,
}

/// The versions between which everything is judged.
#[derive(Debug, Clone, Args)]
pub struct WindowArgs {
    /// The Kubernetes version in use: 1.34, v1.34.2, v1.34.2-eks-5e0fdde, 1.34+
    /// [default: one minor below --to]
    #[arg(long, value_name = "VERSION")]
    pub from: Option<KubeMinor>,
    /// The Kubernetes version to go to [default: the newest EKS version known]
    #[arg(long, value_name = "VERSION")]
    pub to: Option<KubeMinor>,
}

/// Flags of `files`.
#[derive(Debug, Args)]
pub struct FilesArgs {
    /// Files and folders; `-` is standard input [default: .]
    #[arg(value_hint = ValueHint::AnyPath)]
    pub paths: Vec<PathBuf>,
    /// The versions.
    #[command(flatten)]
    pub window: WindowArgs,
    /// What to write, and where to: FORMAT or FORMAT=FILE; may be given several times.
    /// Formats: text, json, sarif, github, gitlab, junit, markdown, csv [default: text]
    #[arg(short, long, value_name = "FORMAT[=FILE]")]
    pub output: Vec<Output>,
    /// From which severity on findings fail the check
    #[arg(long, value_name = "SEVERITY")]
    pub fail_on: Option<FailOnArg>,
    /// Let texts pass that are no readable manifests (templates, broken YAML). Files that cannot
    /// be read at all still fail the check
    #[arg(long)]
    pub allow_unread: bool,
    /// Check only what changed since the merge base with this git revision, and report only what
    /// the change adds
    #[arg(long, value_name = "REF", conflicts_with_all = ["files_from", "baseline", "write_baseline"])]
    pub base: Option<String>,
    /// Read the paths to check from this file (`-` is standard input), separated by line breaks
    /// or NUL; names that are no manifests are passed over
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub files_from: Option<PathBuf>,
    /// Findings in this file are known: only new ones fail the check
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub baseline: Option<PathBuf>,
    /// Write what is found to the baseline (default: .eks-skew-check-baseline.json)
    #[arg(long)]
    pub write_baseline: bool,
    /// The configuration [default: .eks-skew-check.yaml here or above, up to the repository's root]
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, conflicts_with = "no_config")]
    pub config: Option<PathBuf>,
    /// Read no configuration
    #[arg(long)]
    pub no_config: bool,
    /// Look into what .gitignore leaves out, and into node_modules
    #[arg(long)]
    pub no_ignore: bool,
    /// Look at all revisions of Helm releases found in Secrets, not only at the newest deployed
    #[arg(long)]
    pub all_releases: bool,
    /// How many threads to use [default: as many as there are processors]
    #[arg(short = 'j', long, value_name = "N")]
    pub threads: Option<std::num::NonZeroUsize>,
    /// Say on standard error what was passed over, and why
    #[arg(short, long)]
    pub verbose: bool,
    /// When to use colour
    #[arg(long, value_name = "WHEN", default_value = "auto")]
    pub color: Colour,
}

/// Flags of `explain`.
#[derive(Debug, Args)]
pub struct ExplainArgs {
    /// A rule id, or GROUP/VERSION/KIND; a part of it is enough: Ingress, policy/v1beta1
    pub what: String,
}

/// Flags of `list`.
#[derive(Debug, Args)]
pub struct ListArgs {
    /// The versions: with them, only the APIs that the window takes away or deprecates.
    #[command(flatten)]
    pub window: WindowArgs,
    /// As a table, as tab-separated values, or as JSON
    #[arg(short, long, value_name = "FORMAT", default_value = "text")]
    pub output: ListFormat,
}

/// How `list` prints.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ListFormat {
    /// An aligned table.
    Text,
    /// Tab-separated values.
    Tsv,
    /// JSON.
    Json,
}

/// When to use colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Colour {
    /// On a terminal, unless NO_COLOR is set.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// `--fail-on`
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum FailOnArg {
    /// Only what blocks.
    Block,
    /// Warnings too.
    Warn,
    /// No finding; what could not be read still does.
    None,
}

impl From<FailOnArg> for FailOn {
    fn from(arg: FailOnArg) -> Self {
        match arg {
            FailOnArg::Block => Self::Block,
            FailOnArg::Warn => Self::Warn,
            FailOnArg::None => Self::None,
        }
    }
}

/// `--output`: a form, and where it goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Output {
    /// The form.
    pub format: Format,
    /// The file; standard output without one.
    pub file: Option<PathBuf>,
}

impl FromStr for Output {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (format, file) = match text.split_once('=') {
            Some((_, "")) => return Err(format!("`{text}` names no file after the `=`")),
            Some((format, "-")) => (format, None),
            Some((format, file)) => (format, Some(PathBuf::from(file))),
            None => (text, None),
        };
        let format = format.parse().map_err(|error: eks_report::UnknownFormat| error.to_string())?;
        Ok(Self { format, file })
    }
}
