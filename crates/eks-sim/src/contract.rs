//! What every implementation of the traits of `eks-provider` has to do, whatever world is behind it: this
//! simulation, or an adapter to something real. Where two of them disagree, the documented or real one is
//! right, and the simulation is changed.
//!
//! A check looks from outside, through the traits alone. It changes the world and puts back what it changed, as far
//! as the traits can.
//!
//! ```no_run
//! # async fn doc(services: &(impl eks_provider::AwsReader + eks_provider::AwsWriter), clock: &dyn eks_provider::Clock,
//! #     facts: eks_sim::contract::AwsFacts) {
//! use eks_sim::contract::{self, AwsWorld};
//!
//! let world = AwsWorld { reader: services, writer: services, clock, facts };
//! for outcome in contract::aws(&world).await {
//!     println!("{outcome}");
//! }
//! # }
//! ```

mod aws_clusters;
mod aws_groups;
mod kube;

use std::fmt;
use std::time::Duration;

use eks_model::KubeMinor;
use eks_provider::{AwsReader, AwsWriter, Clock, KubeReader, KubeWriter, Result};
use jiff::Timestamp;

/// A claim, and whether it holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// What it is known by, in lists of known differences.
    pub id: &'static str,
    /// What must hold.
    pub claim: &'static str,
    /// `Err` says what was found instead.
    pub result: std::result::Result<(), String>,
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.result {
            Ok(()) => write!(f, "{}: {}", self.id, self.claim),
            Err(found) => write!(f, "{}: {}: {found}", self.id, self.claim),
        }
    }
}

/// What the AWS half is tried on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AwsFacts {
    /// A cluster at rest, with no insight that blocks.
    pub cluster: String,
    /// The version that it is at; EKS offers the one after it.
    pub version: KubeMinor,
    /// A self-managed group of that cluster with a launch template, at rest: two zones or more, at least one
    /// instance in each, one more than `min_size`, and room for one more below `max_size`.
    pub group: String,
    /// A parameter that has an image for nodes.
    pub parameter: String,
}

/// The AWS half of a world.
pub struct AwsWorld<'w> {
    /// It is asked.
    pub reader: &'w dyn AwsReader,
    /// It is told.
    pub writer: &'w dyn AwsWriter,
    /// Its time.
    pub clock: &'w dyn Clock,
    /// What is in it.
    pub facts: AwsFacts,
}

/// What the Kubernetes half is tried on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KubeFacts {
    /// The minor of the API server.
    pub version: KubeMinor,
    /// A node that is ready.
    pub node: String,
    /// A namespace.
    pub namespace: String,
    /// A Deployment there with three ready Pods, and room for one more on other nodes.
    pub deployment: String,
    /// A PodDisruptionBudget for its Pods alone that needs two and allows one disruption.
    pub budget: String,
    /// Another Deployment there with a ready Pod that two budgets are for.
    pub twice_budgeted: String,
}

/// The Kubernetes half of a world.
pub struct KubeWorld<'w> {
    /// It is asked.
    pub reader: &'w dyn KubeReader,
    /// It is told.
    pub writer: &'w dyn KubeWriter,
    /// It is asked by somebody who may read nodes and no Pods.
    pub narrow: &'w dyn KubeReader,
    /// It is asked what an eviction would do.
    pub probe: &'w dyn eks_provider::kube::EvictionProbe,
    /// Its time.
    pub clock: &'w dyn Clock,
    /// What is in it.
    pub facts: KubeFacts,
}

/// Tries the AWS half. The checks are in an order: the last ones take the cluster to its next version.
pub async fn aws(world: &AwsWorld<'_>) -> Vec<Outcome> {
    let mut outcomes = aws_groups::all(world).await;
    outcomes.extend(aws_clusters::all(world).await);
    outcomes
}

/// Tries the Kubernetes half.
pub async fn kubernetes(world: &KubeWorld<'_>) -> Vec<Outcome> {
    kube::all(world).await
}

/// What is wrong, in words.
type Verdict = std::result::Result<(), String>;

/// Runs checks one after the other.
macro_rules! checks {
    ($world:expr; $($id:literal: $claim:literal => $check:expr),+ $(,)?) => {
        vec![$(crate::contract::Outcome { id: $id, claim: $claim, result: $check($world).await }),+]
    };
}
use checks;

/// A claim within a check.
fn holds(claim: bool, found: impl FnOnce() -> String) -> Verdict {
    if claim { Ok(()) } else { Err(found()) }
}

/// An answer that was to come.
fn came<T>(answer: Result<T>) -> std::result::Result<T, String> {
    answer.map_err(|error| error.to_string())
}

/// Asks again until an answer is the one that is waited for.
async fn eventually<T, F: Future<Output = Result<T>>>(
    clock: &dyn Clock,
    limit: Duration,
    what: &str,
    ask: impl FnMut() -> F,
    is_it: impl Fn(&T) -> bool,
) -> std::result::Result<T, String> {
    eventually_every(Duration::from_secs(5), clock, limit, what, ask, is_it).await
}

/// As [`eventually`], with another wait between two questions.
async fn eventually_every<T, F: Future<Output = Result<T>>>(
    pause: Duration,
    clock: &dyn Clock,
    limit: Duration,
    what: &str,
    mut ask: impl FnMut() -> F,
    is_it: impl Fn(&T) -> bool,
) -> std::result::Result<T, String> {
    let deadline: Timestamp = clock.now().checked_add(limit).unwrap_or(Timestamp::MAX);
    loop {
        match ask().await {
            Ok(answer) if is_it(&answer) => return Ok(answer),
            Ok(_) => {}
            Err(error) if error.class().may_have_had_effect() => {}
            Err(error) => return Err(error.to_string()),
        }
        if clock.now() >= deadline {
            return Err(format!("after {} s still not: {what}", limit.as_secs()));
        }
        clock.sleep(pause).await;
    }
}
