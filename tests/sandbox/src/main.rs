//! `cargo xtask sandbox`: the simulated world behind the wire protocols of AWS, on loopback, until it is ended.
//!
//! Time goes faster than on the wall. One JSON line on standard output says where it answers:
//! `{"aws":"http://127.0.0.1:…","region":"eu-west-1","cluster":"shop","kubernetes":null,"kubeconfig":null}`.
//! With `--with-kubernetes` a real control plane follows it, and the last two say where that is.
#![expect(clippy::print_stderr, reason = "a command for people")]

mod kubernetes;

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use clap::Parser;
use eks_cluster::{newest_minor, oldest_minor};
use eks_sim::scenario::Scenario;
use eks_sim::wire::{Server, Wire};
use eks_sim::{Sim, World};
use kubernetes::Kubernetes;

/// What is simulated when nothing is said.
const SMALL: &str = include_str!("../../../examples/scenarios/small.yaml");

/// How often time goes on.
const TICK: Duration = Duration::from_millis(50);
/// How often the nodes of the real control plane are looked at.
const LOOK: Duration = Duration::from_millis(500);

/// Serve a simulated EKS world to any AWS client (a simulation: docs/simulation.md says what it does not model)
#[derive(Debug, Parser)]
#[command(name = "cargo xtask sandbox", version)]
struct Args {
    /// What the world has in it (default: examples/scenarios/small.yaml)
    #[arg(long, value_name = "FILE")]
    scenario: Option<PathBuf>,
    /// Seconds of its time per second
    #[arg(long, default_value_t = 60, value_parser = clap::value_parser!(u32).range(1..=86_400))]
    speed: u32,
    /// The port; 0 takes a free one
    #[arg(long, default_value_t = 0)]
    port: u16,
    /// A real Kubernetes control plane follows: instances join it, upgrades restart it (needs go, once)
    #[arg(long)]
    with_kubernetes: bool,
}

fn main() -> ExitCode {
    let args = Args::parse();
    let done = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("starting the runtime")
        .and_then(|runtime| runtime.block_on(run(&args)));
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::from(2)
        }
    }
}

/// A line for whoever waits.
fn say(line: &str) {
    eprintln!("{line}");
}

async fn run(args: &Args) -> anyhow::Result<()> {
    // From before the start: whoever is asked to end in the middle of it takes everything down too.
    let mut ended = std::pin::pin!(eks_cluster::asked_to_end().context("waiting for signals")?);
    tokio::select! {
        () = &mut ended => Ok(()),
        done = serve(args) => done,
    }
}

/// Serves, until something goes wrong.
async fn serve(args: &Args) -> anyhow::Result<()> {
    let text = match &args.scenario {
        None => SMALL.to_owned(),
        Some(file) => std::fs::read_to_string(file).with_context(|| {
            format!("the scenario {} cannot be read; name one that is there", file.display())
        })?,
    };
    let shown =
        args.scenario.as_ref().map_or_else(|| "small.yaml".to_owned(), |file| file.display().to_string());
    let scenario = Scenario::parse(&text).with_context(|| format!("the scenario {shown}"))?;
    // From the text, and not from what was read of it: what is wrong is said with its line.
    let world = World::from_scenario(&text).with_context(|| format!("the scenario {shown}"))?;
    let sim = Arc::new(Sim::new(world));
    let server = Server::start(Wire::new(Arc::clone(&sim)), args.port).await?;
    let first = scenario.clusters.first();
    let mut kubernetes = match first {
        _ if !args.with_kubernetes => None,
        None => bail!("the scenario {shown} has no cluster that a control plane could play; give it one"),
        Some(spec) if !(oldest_minor()..=newest_minor()).contains(&spec.version) => bail!(
            "cluster {} of the scenario {shown} is at {}, and a real control plane can be at {} to {}; take another version, or leave out --with-kubernetes",
            spec.name,
            spec.version,
            oldest_minor(),
            newest_minor()
        ),
        Some(spec) => {
            let started = Kubernetes::start(spec.version, &server.authenticator_url(&spec.name)).await?;
            let cluster = &started.cluster;
            sim.world().play_outside(&spec.name, &cluster.url(), cluster.ca_pem());
            Some(started)
        }
    };
    let ready = serde_json::json!({
        "aws": server.url(),
        "region": scenario.region,
        "cluster": first.map(|cluster| &cluster.name),
        "kubernetes": kubernetes.as_ref().map(|started| started.cluster.url()),
        "kubeconfig": kubernetes.as_ref().map(|started| started.cluster.kubeconfig_file()),
    });
    if let Some(started) = &mut kubernetes {
        // Those that ran before have joined before.
        follow(&sim, started).await?;
        started.register(eks_provider::Clock::now(&*sim) + Duration::from_hours(1)).await?;
    }
    let mut out = std::io::stdout();
    writeln!(out, "{ready}").and_then(|()| out.flush()).context("standard output")?;
    let mut last = Instant::now();
    let mut looked = last;
    loop {
        tokio::time::sleep(TICK).await;
        sim.advance(last.elapsed().saturating_mul(args.speed));
        last = Instant::now();
        let Some(started) = &mut kubernetes else { continue };
        follow(&sim, started).await?;
        started.register(eks_provider::Clock::now(&*sim)).await?;
        if looked.elapsed() >= LOOK {
            let ready = started.ready().await?;
            sim.world().report_ready(ready);
            looked = Instant::now();
        }
        // The world waits while the real control plane is busy: an upgrade is over when it serves again.
        last = Instant::now();
    }
}

/// Has the real control plane follow what AWS has done.
async fn follow(sim: &Sim, kubernetes: &mut Kubernetes) -> anyhow::Result<()> {
    let orders = sim.world().take_orders();
    for order in orders {
        if let Some((instance, left)) = kubernetes.follow(order).await? {
            sim.world().report_left(&instance, left);
        }
    }
    Ok(())
}
