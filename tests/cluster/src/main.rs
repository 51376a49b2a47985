//! `eks-cluster`: a real Kubernetes control plane on loopback, for people and for the automation.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a command for people")]

use std::error::Error;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use clap::{Parser, Subcommand};
use eks_cluster::{
    Cluster, ClusterError, Killed, NodeSpec, Options, PodLife, Programs, Round, Stress, asked_to_end,
    oldest_minor, stress,
};
use eks_model::KubeMinor;

/// A real Kubernetes control plane on loopback: etcd, API server, controllers, scheduler, and kwok for kubelets.
#[derive(Parser)]
#[command(name = "eks-cluster", version)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Build the programs, unless they are built; print the folder.
    Build,
    /// Say whether the programs are built or could be, in exit code and one sentence.
    CanBuild,
    /// Start a cluster, print one line of JSON when it is ready, and hold it until SIGTERM or Ctrl-C.
    Up(Up),
    /// End the clusters that were started with `up`.
    Down {
        /// Only the one with this data folder.
        #[arg(long)]
        data_folder: Option<PathBuf>,
    },
    /// Start and kill clusters, and look for what is left behind.
    Stress {
        /// How often.
        #[arg(long, default_value_t = 100)]
        rounds: u32,
        /// Only store and API server, not all programs.
        #[arg(long)]
        api_only: bool,
    },
}

#[derive(clap::Args)]
struct Up {
    /// The minor to be at; the oldest that can be played, unless told.
    #[arg(long, default_value_t = oldest_minor())]
    minor: KubeMinor,
    /// So many nodes, over three zones.
    #[arg(long, default_value_t = 0)]
    nodes: u32,
    /// One more user with a token: `name` or `name=group,group`.
    #[arg(long = "user")]
    users: Vec<String>,
    /// Serve alphas and betas too.
    #[arg(long)]
    all_apis: bool,
    /// Feature gates of the API server: `AllBeta=true`.
    #[arg(long = "gate")]
    gates: Vec<String>,
    /// Only the store and the API server.
    #[arg(long)]
    api_only: bool,
    /// Pods take so many milliseconds for each step of their start, and for their end.
    #[arg(long)]
    pod_milliseconds: Option<u64>,
}

fn main() -> ExitCode {
    let done = match Arguments::parse().command {
        Command::Build => build(),
        Command::CanBuild => can_build(),
        Command::Up(up) => hold(&up),
        Command::Down { data_folder } => down(data_folder),
        Command::Stress { rounds, api_only } => stressed(rounds, api_only),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let mut text = format!("error: {error}");
            let mut cause = error.source();
            while let Some(inner) = cause {
                let inner_text = inner.to_string();
                // Some errors say their cause themselves.
                if !text.contains(&inner_text) {
                    text.push_str(&format!(": {inner_text}"));
                }
                cause = inner.source();
            }
            eprintln!("{text}");
            // As for every binary of the project: it could not start, or it ended part-way.
            ExitCode::from(2)
        }
    }
}

type Done = Result<(), Box<dyn Error>>;

fn build() -> Done {
    let programs = Programs::build(&mut |line| eprintln!("{line}"))?;
    println!("{}", programs.folder().display());
    Ok(())
}

fn can_build() -> Done {
    println!("{}", Programs::can_build()?);
    Ok(())
}

fn options(up: &Up) -> Result<Options, ClusterError> {
    let mut options = Options::at(up.minor);
    for user in &up.users {
        let (name, groups) = user.split_once('=').unwrap_or((user, ""));
        let groups: Vec<&str> = groups.split(',').filter(|group| !group.is_empty()).collect();
        options = options.user(name, &groups);
    }
    for gate in &up.gates {
        let on = match gate.split_once('=') {
            Some((name, "true")) => Some((name, true)),
            Some((name, "false")) => Some((name, false)),
            _ => None,
        };
        let (name, on) = on.ok_or_else(|| {
            ClusterError::BadOption(format!("`{gate}` is not of the form GATE=true or GATE=false"))
        })?;
        options = options.gate(name, on);
    }
    if up.all_apis {
        options = options.all_apis();
    }
    if up.api_only {
        options = options.api_only();
    }
    if let Some(milliseconds) = up.pod_milliseconds {
        let time = Duration::from_millis(milliseconds);
        options = options.pods(PodLife::Slow { step: time, end: time });
    }
    Ok(options)
}

fn hold(up: &Up) -> Done {
    let options = options(up)?;
    Programs::build(&mut |line| eprintln!("{line}"))?;
    runtime()?.block_on(async {
        // From before the start: whoever is asked to end in the middle of it takes everything down too.
        let mut asked = std::pin::pin!(asked_to_end()?);
        let cluster = tokio::select! {
            started = Cluster::start(options) => started?,
            () = &mut asked => return Ok(()),
        };
        for number in 0..up.nodes {
            let zone = ["a", "b", "c"][number as usize % 3];
            let node = NodeSpec::new(&format!(
                "ip-10-0-{}-{}.eu-central-1.compute.internal",
                number / 250,
                number % 250
            ))
            .zone(&format!("eu-central-1{zone}"))
            .kubelet(&format!("v{}.0-eks-5e0fdde", up.minor));
            cluster.add_node(&node).await?;
        }
        println!("{}", serde_json::to_string(&eks_cluster::say_held(&cluster)?)?);
        tokio::select! {
            () = &mut asked => Ok(()),
            error = cluster.ended() => Err(error.into()),
        }
    })
}

fn runtime() -> std::io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()
}

fn down(only: Option<PathBuf>) -> Done {
    let only = only.map(|folder| folder.canonicalize().unwrap_or(folder));
    let ended = eks_cluster::down(&std::env::temp_dir(), only.as_deref(), Duration::from_mins(1))?;
    for held in &ended {
        println!("ended {} ({})", held.url, held.version);
    }
    if ended.is_empty() {
        println!("no cluster was up");
    }
    Ok(())
}

fn stressed(rounds: u32, api_only: bool) -> Done {
    Programs::build(&mut |line| eprintln!("{line}"))?;
    let program = std::env::current_exe()?;
    let temp = std::env::temp_dir().join(format!("eks-stress-{}", std::process::id()));
    std::fs::create_dir(&temp)?;
    let arguments = if api_only { vec!["--api-only".to_owned()] } else { Vec::new() };
    let within = Duration::from_mins(2);
    let began = Instant::now();
    let config = Stress { program: &program, arguments: &arguments, temp: &temp, rounds, within };
    let done = stress(&config, &mut |number, round| {
        let ready =
            round.ready.map_or_else(|| "-".to_owned(), |ready| format!("{:.2} s", ready.as_secs_f64()));
        eprintln!(
            "{:>4}  {:?}: ready {ready}, clean {:.2} s",
            number + 1,
            round.killed,
            round.clean.as_secs_f64()
        );
    });
    let rounds = match done {
        Ok(rounds) => rounds,
        Err(error) => {
            eprintln!("left for a look: {}", temp.display());
            return Err(error.into());
        }
    };
    std::fs::remove_dir(&temp)?;
    println!(
        "{} rounds in {:.0} s: no process and no folder left",
        rounds.len(),
        began.elapsed().as_secs_f64()
    );
    for way in [Killed::Politely, Killed::Holder, Killed::Launcher, Killed::Both, Killed::Starting] {
        summary(way, &rounds);
    }
    Ok(())
}

fn summary(way: Killed, rounds: &[Round]) {
    let of = || rounds.iter().filter(move |round| round.killed == way);
    let spread = |mut times: Vec<Duration>| {
        times.sort();
        let at = |part: usize| times.get((times.len().saturating_sub(1)) * part / 100);
        match (at(50), at(100)) {
            (Some(median), Some(most)) => {
                format!("median {:.2} s, at most {:.2} s", median.as_secs_f64(), most.as_secs_f64())
            }
            _ => "-".to_owned(),
        }
    };
    println!(
        "{way:?}: {} rounds; ready: {}; clean after the kill: {}",
        of().count(),
        spread(of().filter_map(|round| round.ready).collect()),
        spread(of().map(|round| round.clean).collect()),
    );
}
