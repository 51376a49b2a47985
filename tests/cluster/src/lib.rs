//! A real Kubernetes control plane for tests: etcd, kube-apiserver, kube-controller-manager,
//! kube-scheduler, and kwok, which plays the kubelets. It runs on loopback, is ready in seconds, and ends
//! with the test, however that ends.
//!
//! The programs are built from pinned Go modules (`go/*/go.mod`) by `cargo xtask cluster build`, once for
//! each state of those files. One build plays four minors: its own and the three before
//! (`--emulated-version`), so a whole upgrade of a control plane is three restarts on the same store.
//!
//! # In a test
//! ```no_run
//! use std::time::Duration;
//! use eks_cluster::{Budget, Cluster, NodeSpec, Options, Workload};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let minute = Duration::from_secs(60);
//! let cluster = Cluster::start(Options::at("1.34".parse()?).user("roller", &["eks:rollers"])).await?;
//! for (name, zone) in [("node-a", "eu-central-1a"), ("node-b", "eu-central-1b")] {
//!     cluster.add_node(&NodeSpec::new(name).zone(zone).kubelet("v1.34.2-eks-5e0fdde")).await?;
//! }
//! let web = Workload::deployment("shop", "web", 3).requests("500m", "256Mi");
//! cluster.add_workload(&web).await?;
//! cluster.wait_for_workload(&web, minute).await?;
//! cluster.add_budget(&web, &Budget::MinAvailable("3".to_owned()), minute).await?;
//!
//! let client = cluster.client_as("roller")?; // may do what the test binds to it, and nothing else
//! cluster.upgrade_to("1.35".parse()?).await?; // the API is away for about three seconds
//! # drop(client); Ok(())
//! # }
//! ```
//!
//! A test that needs it stands behind the feature `real-cluster` of its crate and is named in xtask's list
//! of suites. So a plain `cargo test` needs no Go, and nothing counts as passed that did not run.
//!
//! # What is real in it
//! Discovery, admission, validation, conversion between versions, managed fields, watches and their 410s,
//! priority and fairness, RBAC, the eviction subresource and the disruption controller with their exact
//! answers, Deployments, StatefulSets, DaemonSets and Jobs, the scheduler with taints, affinity, spread and
//! zones, node lifecycle (conditions, taints, pod garbage collection), leases, events.
//!
//! # What is not
//! - Containers, networks and volumes: kwok says that pods run, and nothing does.
//! - Kubelets: kwok renews leases and conditions. It ends pods on any node, one without kubelet included.
//! - The version's text: `/version` says `v1.37.2` at every minor (the one that is played is in
//!   `emulationMinor`), where EKS says `v1.34.2-eks-…`.
//! - Several API servers: an upgrade on EKS changes one after the other, here the API is away meanwhile.
//! - EKS itself: admission and roles of its own, add-ons, IAM. Tokens come from a file.
//! - Admission of service accounts is off, so pods have no tokens of theirs.
//!
//! # How it ends
//! Nothing here trusts a destructor. A small launcher (`go/launch`) owns the programs and the data folder,
//! and ends both when its standard input ends: after a drop, a panic, Ctrl-C or `kill -9` of the test alike,
//! since the kernel closes a dead process's pipes. If the launcher itself is killed, the kernel kills its
//! children (the parent-death signal, on Linux), and [`Cluster`] removes the folder when dropped. If both are
//! killed, the folder stays until the next start on this machine, which removes those whose process is gone.
//! `eks-cluster stress` does all of that a hundred times and looks for what is left.

mod builder;
mod cluster;
mod credentials;
mod drain;
mod error;
mod flags;
mod folder;
mod held;
mod launcher;
mod nodes;
mod options;
mod port;
mod process;
mod programs;
mod signals;
mod stages;
mod stress;
mod wait;
mod workloads;

pub use cluster::Cluster;
pub use error::{BuildError, ClusterError};
pub use held::{Held, down, held, say_held};
pub use nodes::{NodeSpec, is_ready, ready_condition};
pub use options::{Options, PodLife, User};
pub use programs::{Program, Programs, go_version, kubernetes_version, newest_minor, oldest_minor};
pub use signals::asked_to_end;
pub use stress::{Killed, Round, Stress, stress};
pub use wait::wait_until;
pub use workloads::{Budget, Workload, WorkloadKind, is_pod_ready, is_pod_unschedulable};
