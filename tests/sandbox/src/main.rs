//! `cargo xtask sandbox`: the simulated world behind the wire protocols of AWS, on loopback, until it is ended.
//!
//! Time goes faster than on the wall. One JSON line on standard output says where it answers:
//! `{"aws":"http://127.0.0.1:…","region":"eu-west-1","cluster":"shop","kubernetes":null,"kubeconfig":null}`.

use std::io::Write;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use clap::Parser;
use eks_sim::scenario::Scenario;
use eks_sim::wire::{Server, Wire};
use eks_sim::Sim;

/// What is simulated when nothing is said.
const SMALL: &str = include_str!("../../../examples/scenarios/small.yaml");

/// How often time goes on.
const TICK: Duration = Duration::from_millis(50);

/// Serve a simulated EKS world to any AWS client (a simulation: see the limits in eks-sim's documentation)
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
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let args = Args::parse();
    let text = match &args.scenario {
        None => SMALL.to_owned(),
        Some(file) => std::fs::read_to_string(file)
            .with_context(|| format!("the scenario {} cannot be read; name one that is there", file.display()))?,
    };
    let shown = args.scenario.as_ref().map_or_else(|| "small.yaml".to_owned(), |file| file.display().to_string());
    let scenario = Scenario::parse(&text).with_context(|| format!("the scenario {shown}"))?;
    let world = scenario.world().with_context(|| format!("the scenario {shown}"))?;
    let sim = Arc::new(Sim::new(world));
    let server = Server::start(Wire::new(Arc::clone(&sim)), args.port).await?;
    let cluster = scenario.clusters.first().map(|cluster| cluster.name.clone());
    let ready = serde_json::json!({
        "aws": server.url(),
        "region": scenario.region,
        "cluster": cluster,
        "kubernetes": null,
        "kubeconfig": null,
    });
    let mut out = std::io::stdout();
    writeln!(out, "{ready}").and_then(|()| out.flush()).context("standard output")?;
    let mut tick = tokio::time::interval(TICK);
    let by = TICK.saturating_mul(args.speed);
    tick.tick().await;
    loop {
        tokio::select! {
            _ = tick.tick() => sim.advance(by),
            ended = tokio::signal::ctrl_c() => return ended.context("waiting for an interrupt"),
        }
    }
}
