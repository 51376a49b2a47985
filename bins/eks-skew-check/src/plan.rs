//! `plan`: the hops of declared clusters, and what changes in which file before and after each.

mod planner;

use std::path::PathBuf;

use anyhow::{Context, bail};
use eks_addons::{Matrix, Wanted};
use eks_deprecations::Catalogue;
use eks_model::{CheckReport, ClusterSnapshot, Controller, DeclaredPlan, Severity, Tool, Window};
use eks_report::{ExitCode, plan_json, plan_markdown, plan_text};
use eks_skew::Policy;

use crate::cli::{AddonVersionArg, NodesArg, PlanArgs, PlanFormat};
use crate::config::Config;
use crate::declared::{self, Read};
use crate::files::{Counters, Job, walk};
use crate::suppress::CommentPragma;
use crate::{Environment, check, output, run, suppress};
use planner::Planner;

pub(crate) fn plan(args: &PlanArgs, environment: &mut Environment<'_>) -> anyhow::Result<ExitCode> {
    for (index, output) in args.output.iter().enumerate() {
        if args.output.iter().skip(index + 1).any(|other| other.file == output.file) {
            bail!("two plans cannot both go to one place; name a file for one: --output FORMAT=FILE");
        }
    }
    let catalogue = Catalogue::embedded();
    let config = if args.no_config {
        Config { root: environment.directory.clone(), ..Config::default() }
    } else {
        Config::load(args.config.as_deref(), &environment.directory)?
    };
    let (window, mut notes) = run::window(&args.window, &config, catalogue)?;
    run::plausible(window, catalogue)?;
    notes.retain(|note| !note.starts_with("no --from given"));
    let with_capture = declared::matrix(&args.addons, &config, &environment.directory)?;
    let matrix = with_capture.as_ref().unwrap_or_else(|| Matrix::embedded());
    let counters = Counters::default();
    let directory = environment.directory.clone();
    let job = Job {
        directory: &directory,
        window: check::widest(window),
        catalogue,
        no_ignore: false,
        verbose: false,
        keep: true,
        progress: &counters,
    };
    let paths = if args.paths.is_empty() { vec![PathBuf::from(".")] } else { args.paths.clone() };
    let threads = std::thread::available_parallelism().map_or(1, Into::into);
    let mut outcome = walk(&job, &paths, threads);
    let read = Read::new(std::mem::take(&mut outcome.kept));
    let tool = Tool {
        name: "eks-skew-check",
        version: env!("CARGO_PKG_VERSION"),
        facts: catalogue.newest().as_of.to_owned(),
    };
    let (policy, word) = match args.nodes {
        NodesArg::Conservative => (Policy::Conservative, "conservative"),
        NodesArg::Lazy => (Policy::Lazy, "lazy"),
    };
    let mut plan = DeclaredPlan::new(tool, window.to(), word);
    plan.notes = notes;
    let wanted = match args.addon_version {
        AddonVersionArg::Smallest => Wanted::SmallestStep,
        AddonVersionArg::Default => Wanted::Default,
        AddonVersionArg::Newest => Wanted::Newest,
    };
    // What is declared for no cluster in particular is for the one there is, or for all of one version.
    let declared = || read.declared.clusters.iter().filter(|cluster| !cluster.declared_elsewhere);
    let minor =
        |cluster: &ClusterSnapshot| cluster.control_plane.known().map(|version| version.value.minor());
    let alike = declared().next().is_some_and(|first| declared().all(|other| minor(other) == minor(first)));
    let said = args.window.from.or(config.from);
    let start = |cluster: &ClusterSnapshot| minor(cluster).or(said);
    // Of manifests and their APIs, what `files` would say, over the window of the clusters.
    let of_clusters = declared().next().filter(|_| alike).and_then(start);
    let over = of_clusters
        .map(|from| Window::new(from, window.to().max(from)))
        .transpose()
        .context("--from and --to")?
        .unwrap_or(window);
    let mut apis = CheckReport::new(plan.tool.clone(), over);
    apis.findings = outcome.findings(catalogue, over);
    apis.unread = std::mem::take(&mut outcome.unread);
    let mut pragmas = std::mem::take(&mut outcome.pragmas);
    pragmas.extend(
        read.declared
            .comments
            .iter()
            .map(|comment| CommentPragma { file: comment.file.clone(), pragma: comment.pragma.clone() }),
    );
    suppress::apply(&mut apis, &config, pragmas, environment.today, &directory, true)?;
    for cluster in &read.declared.clusters {
        // Nodes or add-ons of a cluster that is not here: without its version there is no plan for it.
        if cluster.declared_elsewhere && said.is_none() {
            let of = count(cluster.node_groups.len() + cluster.addons.len());
            plan.notes.push(format!(
                "{of} of cluster \"{}\" ({}:{}) not planned: it is not declared here; say its version with --from",
                cluster.name, cluster.at.file, cluster.at.line
            ));
            continue;
        }
        let controllers: Vec<&Controller> = read
            .declared
            .controllers
            .iter()
            .filter(|controller| match &controller.cluster {
                Some(id) => *id == cluster.id,
                None => alike && !cluster.declared_elsewhere,
            })
            .collect();
        let apis = if alike && !cluster.declared_elsewhere { apis.findings.as_slice() } else { &[] };
        let planner =
            Planner { cluster, apis, controllers, matrix, policy, wanted, today: environment.today };
        plan.clusters.push(planner.plan(start(cluster), window)?);
    }
    plan.unread = apis
        .unread
        .iter()
        .map(|unread| match unread.line {
            Some(line) => format!("{}:{line}: {}", unread.file, unread.reason),
            None => format!("{}: {}", unread.file, unread.reason),
        })
        .chain(read.declared.unread.iter().map(|u| format!("{}:{}: {}", u.at.file, u.at.line, u.reason)))
        .collect();
    if !alike && declared().next().is_some() {
        let of_none = read.declared.controllers.iter().filter(|controller| controller.cluster.is_none());
        plan.unread.extend(of_none.map(|controller| {
            format!(
                "{}:{}: which of the clusters {} belongs to is not known, and it is in no plan: plan the folders of one cluster",
                controller.at.file, controller.at.line, controller.component
            )
        }));
        let mut blocking = apis.findings.iter().filter(|found| found.severity == Severity::Block);
        if let Some(first) = blocking.next() {
            plan.unread.push(format!(
                "{}:{}: which of the clusters gets this manifest is not known, and {} in no plan: plan the folders of one cluster, or see `files`",
                first.file,
                first.line,
                match blocking.count() {
                    0 => "its API is".to_owned(),
                    more => format!("its API and {more} others are"),
                }
            ));
        }
    }
    if plan.clusters.is_empty()
        && plan.unread.is_empty()
        && plan.notes.iter().all(|note| !note.contains("not planned"))
    {
        bail!(
            "no cluster is declared in what was read; name the files or folders that do (Terraform, eksctl, CloudFormation, Cluster API, ACK, Crossplane)"
        );
    }
    for output in &args.output {
        let text = match output.format {
            PlanFormat::Text => plan_text(&plan),
            PlanFormat::Markdown => plan_markdown(&plan),
            PlanFormat::Json => plan_json(&plan),
        };
        match &output.file {
            None => output::to_stdout(environment, &text)?,
            Some(file) => std::fs::write(directory.join(file), text).with_context(|| {
                format!(
                    "the plan cannot be written to {}; choose a place that can be written",
                    file.display()
                )
            })?,
        }
    }
    Ok(if plan.is_open() { ExitCode::Incomplete } else { ExitCode::Passed })
}

fn count(number: usize) -> String {
    if number == 1 {
        "1 node group or add-on".to_owned()
    } else {
        format!("{number} node groups and add-ons")
    }
}
