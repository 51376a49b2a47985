//! `cargo xtask sandbox`: the simulated world behind the wire protocols of AWS, on loopback, until it is ended.
//!
//! Time goes faster than on the wall. One JSON line on standard output says where it answers:
//! `{"aws":"http://127.0.0.1:…","region":"eu-west-1","cluster":"shop","kubernetes":null,"kubeconfig":null}`.
//! With `--with-kubernetes` a real control plane follows it, and the last two say where that is.
#![expect(clippy::print_stderr, reason = "a command for people")]

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context;
use clap::Parser;
use eks_sandbox::{Options, Sandbox};

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
        .and_then(|runtime| runtime.block_on(run(args)));
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::from(2)
        }
    }
}

async fn run(args: Args) -> anyhow::Result<()> {
    let options = Options {
        scenario: args.scenario,
        speed: args.speed,
        port: args.port,
        with_kubernetes: args.with_kubernetes,
    };
    // From before the start: whoever is asked to end in the middle of it takes everything down too.
    let mut ended = std::pin::pin!(eks_cluster::asked_to_end().context("waiting for signals")?);
    tokio::select! {
        () = &mut ended => Ok(()),
        done = serve(&options) => done,
    }
}

async fn serve(options: &Options) -> anyhow::Result<()> {
    let mut sandbox = Sandbox::start(options, &mut |line| eprintln!("{line}")).await?;
    let ready = serde_json::to_string(sandbox.ready())?;
    let mut out = std::io::stdout();
    writeln!(out, "{ready}").and_then(|()| out.flush()).context("standard output")?;
    sandbox.run().await
}
