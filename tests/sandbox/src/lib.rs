//! The simulated world behind the wire protocols of AWS, on loopback, for any client; with a real control plane that
//! follows it, where that is asked for. It is a simulation: docs/simulation.md says what it does not model.
//!
//! `cargo xtask sandbox` is this from a shell. In a test:
//! ```no_run
//! use eks_sandbox::{Options, Sandbox};
//!
//! # async fn doc() -> anyhow::Result<()> {
//! let options = Options { with_kubernetes: true, ..Options::default() };
//! let mut sandbox = Sandbox::start(&options, &mut |line| eprintln!("{line}")).await?;
//! let aws = sandbox.ready().aws.clone(); // any client can be pointed at it
//! tokio::select! {
//!     broken = sandbox.run() => broken?, // time goes on as long as this runs
//!     () = async { /* the test */ } => {}
//! }
//! # drop(aws); Ok(())
//! # }
//! ```

mod kubernetes;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use eks_cluster::{newest_minor, oldest_minor};
use eks_provider::Clock;
use eks_sim::scenario::Scenario;
use eks_sim::wire::{Server, Wire};
use eks_sim::{Sim, World};
use serde::Serialize;

use kubernetes::Kubernetes;

/// What is simulated when nothing is said.
const SMALL: &str = include_str!("../../../examples/scenarios/small.yaml");
/// How often time goes on.
const TICK: Duration = Duration::from_millis(50);
/// How often the nodes of the real control plane are looked at.
const LOOK: Duration = Duration::from_millis(500);

/// What a sandbox should be like.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// What the world has in it; `None` is `examples/scenarios/small.yaml`.
    pub scenario: Option<PathBuf>,
    /// Seconds of its time per second.
    pub speed: u32,
    /// The port on loopback; 0 takes a free one.
    pub port: u16,
    /// Whether a real control plane follows it. Its programs are built if they are not (minutes, once).
    pub with_kubernetes: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self { scenario: None, speed: 60, port: 0, with_kubernetes: false }
    }
}

/// Where it answers: what is printed as one line of JSON.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Ready {
    /// `http://127.0.0.1:…`
    pub aws: String,
    /// The region.
    pub region: String,
    /// The first cluster of the scenario.
    pub cluster: Option<String>,
    /// The address of the real API server.
    pub kubernetes: Option<String>,
    /// The administrator's kubeconfig of the real control plane.
    pub kubeconfig: Option<PathBuf>,
}

/// A simulated AWS that answers on loopback. It ends, with all that it has started, when this value is dropped.
#[derive(Debug)]
pub struct Sandbox {
    sim: Arc<Sim>,
    kubernetes: Option<Kubernetes>,
    ready: Ready,
    speed: u32,
    _server: Server,
}

impl Sandbox {
    /// Starts one, and returns when it answers; what takes long is said in lines. Must be called within a tokio runtime.
    ///
    /// # Errors
    /// One sentence: the scenario and the line in it, the port, or why no control plane can be had.
    pub async fn start(options: &Options, say: &mut dyn FnMut(&str)) -> anyhow::Result<Self> {
        let (text, shown) = match &options.scenario {
            None => (SMALL.to_owned(), "small.yaml".to_owned()),
            Some(file) => {
                let shown = file.display().to_string();
                let text = std::fs::read_to_string(file).with_context(|| {
                    format!("the scenario {shown} cannot be read; name one that is there")
                })?;
                (text, shown)
            }
        };
        let scenario = Scenario::parse(&text).with_context(|| format!("the scenario {shown}"))?;
        // From the text, and not from what was read of it: what is wrong is said with its line.
        let world = World::from_scenario(&text).with_context(|| format!("the scenario {shown}"))?;
        let sim = Arc::new(Sim::new(world));
        let server = Server::start(Wire::new(Arc::clone(&sim)), options.port).await?;
        let first = scenario.clusters.first();
        let mut kubernetes = match first {
            _ if !options.with_kubernetes => None,
            None => bail!("the scenario {shown} has no cluster that a control plane could play; give it one"),
            Some(spec) if !(oldest_minor()..=newest_minor()).contains(&spec.version) => bail!(
                "cluster {} of the scenario {shown} is at {}, and a real control plane can be at {} to {}; take another version, or leave out --with-kubernetes",
                spec.name,
                spec.version,
                oldest_minor(),
                newest_minor()
            ),
            Some(spec) => {
                let started =
                    Kubernetes::start(spec.version, &server.authenticator_url(&spec.name), say).await?;
                let cluster = &started.cluster;
                sim.world().play_outside(&spec.name, &cluster.url(), cluster.ca_pem());
                Some(started)
            }
        };
        let ready = Ready {
            aws: server.url(),
            region: scenario.region.clone(),
            cluster: first.map(|cluster| cluster.name.clone()),
            kubernetes: kubernetes.as_ref().map(|started| started.cluster.url()),
            kubeconfig: kubernetes.as_ref().map(|started| started.cluster.kubeconfig_file()),
        };
        if let Some(started) = &mut kubernetes {
            // Those that ran before have joined before.
            follow(&sim, started).await?;
            started.register(sim.now() + Duration::from_hours(1)).await?;
        }
        Ok(Self { sim, kubernetes, ready, speed: options.speed, _server: server })
    }

    /// Where it answers.
    pub fn ready(&self) -> &Ready {
        &self.ready
    }

    /// The world, to look at or to meddle with.
    pub fn sim(&self) -> &Sim {
        &self.sim
    }

    /// The real control plane, where there is one.
    pub fn cluster(&self) -> Option<&eks_cluster::Cluster> {
        self.kubernetes.as_ref().map(|started| &started.cluster)
    }

    /// Lets time go on, and the control plane follow, until something goes wrong.
    ///
    /// # Errors
    /// Only then does it end: the control plane is gone, or refuses what has to be.
    pub async fn run(&mut self) -> anyhow::Result<()> {
        let mut last = Instant::now();
        let mut looked = last;
        loop {
            tokio::time::sleep(TICK).await;
            self.sim.advance(last.elapsed().saturating_mul(self.speed));
            last = Instant::now();
            let Some(started) = &mut self.kubernetes else { continue };
            follow(&self.sim, started).await?;
            started.register(self.sim.now()).await?;
            if looked.elapsed() >= LOOK {
                let ready = started.ready().await?;
                self.sim.world().report_ready(ready);
                looked = Instant::now();
            }
            // The world waits while the real control plane is busy: an upgrade is over when it serves again.
            last = Instant::now();
        }
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
