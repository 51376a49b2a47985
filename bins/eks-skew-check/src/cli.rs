//! The command line.

use std::path::PathBuf;
use std::str::FromStr;

use clap::{Args, Parser, Subcommand, ValueEnum, ValueHint};
use eks_model::{FailOn, KubeMinor};
use eks_report::Format;

/// Says what will stop working between two Kubernetes versions, before it is merged: APIs that go away,
/// node groups out of skew, add-ons that do not fit. Reads files; changes nothing; needs no network.
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
    /// Check manifests, charts, Terraform, eksctl and CloudFormation files for what the upgrade breaks
    Files(Box<FilesArgs>),
    /// Print what a declared cluster must go through to a version: the hops, and what changes in which file
    Plan(Box<PlanArgs>),
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
    /// [default: the one that the files declare, or one minor below --to]
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
    /// Look into what .gitignore leaves out, into node_modules and .terraform
    #[arg(long)]
    pub no_ignore: bool,
    /// A catalogue of add-ons.
    #[command(flatten)]
    pub addons: AddonsArgs,
    /// Look for APIs only, not for what is declared about clusters, node groups and add-ons
    #[arg(long, conflicts_with = "addons")]
    pub apis_only: bool,
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

/// A catalogue of add-ons from outside.
#[derive(Debug, Clone, Args)]
pub struct AddonsArgs {
    /// The recorded answer of `aws eks describe-addon-versions`: it wins over the tables of this program
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, requires = "addons_as_of")]
    pub addons: Option<PathBuf>,
    /// The day on which it was recorded: 2026-11-24
    #[arg(long, value_name = "DATE", requires = "addons")]
    pub addons_as_of: Option<jiff::civil::Date>,
}

/// Flags of `plan`.
#[derive(Debug, Args)]
pub struct PlanArgs {
    /// Files and folders that declare the cluster [default: .]
    #[arg(value_hint = ValueHint::AnyPath)]
    pub paths: Vec<PathBuf>,
    /// The versions.
    #[command(flatten)]
    pub window: WindowArgs,
    /// When nodes are rolled: to the control plane's version before each hop, or as late as the skew policy allows
    #[arg(long, value_name = "WHEN", default_value = "conservative")]
    pub nodes: NodesArg,
    /// Which version of an add-on to move to
    #[arg(long, value_name = "VERSION", default_value = "smallest")]
    pub addon_version: AddonVersionArg,
    /// As text, Markdown or JSON; FORMAT or FORMAT=FILE; may be given several times
    #[arg(short, long, value_name = "FORMAT[=FILE]", default_value = "text")]
    pub output: Vec<PlanOutput>,
    /// A catalogue of add-ons.
    #[command(flatten)]
    pub addons: AddonsArgs,
    /// The configuration [default: .eks-skew-check.yaml here or above, up to the repository's root]
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, conflicts_with = "no_config")]
    pub config: Option<PathBuf>,
    /// Read no configuration
    #[arg(long)]
    pub no_config: bool,
}

/// `--nodes`
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum NodesArg {
    /// Before each hop.
    Conservative,
    /// As late as the skew policy allows.
    Lazy,
}

/// `--addon-version`
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum AddonVersionArg {
    /// The nearest that fits.
    Smallest,
    /// EKS's default.
    Default,
    /// The newest.
    Newest,
}

/// `--output` of `plan`: a form, and where it goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlanOutput {
    /// The form.
    pub format: PlanFormat,
    /// The file; standard output without one.
    pub file: Option<PathBuf>,
}

/// Forms of a plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PlanFormat {
    /// For people at a terminal.
    Text,
    /// For a pull request or a runbook.
    Markdown,
    /// For programs.
    Json,
}

impl FromStr for PlanOutput {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (format, file) = form_and_file(text)?;
        let format = match format {
            "text" => PlanFormat::Text,
            "markdown" => PlanFormat::Markdown,
            "json" => PlanFormat::Json,
            other => return Err(format!("`{other}` is no form of a plan; there are text, markdown, json")),
        };
        Ok(Self { format, file })
    }
}

/// `FORMAT`, `FORMAT=FILE`, `FORMAT=-`
fn form_and_file(text: &str) -> Result<(&str, Option<PathBuf>), String> {
    match text.split_once('=') {
        Some((_, "")) => Err(format!("`{text}` names no file after the `=`")),
        Some((format, "-")) => Ok((format, None)),
        Some((format, file)) => Ok((format, Some(PathBuf::from(file)))),
        None => Ok((text, None)),
    }
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
        let (format, file) = form_and_file(text)?;
        let format = format.parse().map_err(|error: eks_report::UnknownFormat| error.to_string())?;
        Ok(Self { format, file })
    }
}
