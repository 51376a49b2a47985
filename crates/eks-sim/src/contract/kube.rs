//! The Kubernetes half, subject by subject.

mod changes;
mod evictions;
mod nodes;
mod objects;
mod server;
mod workloads;

use std::time::Duration;

use eks_provider::Class;
use eks_provider::kube::{Node, NodePatch, PageRequest, Pod, PodQuery};
use eks_provider::{Clock, ProviderError, Result};

use super::{KubeWorld, Outcome, Verdict, eventually_every, holds};

const MINUTES: Duration = Duration::from_mins(5);

pub(super) async fn all(world: &KubeWorld<'_>) -> Vec<Outcome> {
    let mut outcomes = server::all(world).await;
    outcomes.extend(nodes::all(world).await);
    outcomes.extend(objects::all(world).await);
    outcomes.extend(changes::all(world).await);
    outcomes.extend(workloads::all(world).await);
    // The last of them leaves the budget spent for two minutes.
    outcomes.extend(evictions::all(world).await);
    outcomes
}

/// Asks again, often, until an answer is the one that is waited for.
async fn eventually<T, F: Future<Output = Result<T>>>(
    clock: &dyn Clock,
    limit: Duration,
    what: &str,
    ask: impl FnMut() -> F,
    is_it: impl Fn(&T) -> bool,
) -> std::result::Result<T, String> {
    eventually_every(Duration::from_millis(200), clock, limit, what, ask, is_it).await
}

/// A call that is refused for this reason.
fn refused<T: std::fmt::Debug>(
    what: &str,
    answer: Result<T>,
    class: Class,
) -> std::result::Result<ProviderError, String> {
    match answer {
        Ok(answer) => Err(format!("{what} was answered: {answer:?}")),
        Err(error) if error.class() == class => Ok(error),
        Err(error) => Err(format!("{what}: {error}")),
    }
}

/// What is not there is "not found", by its name.
fn missing<T: std::fmt::Debug>(what: &str, answer: Result<T>, name: &str) -> Verdict {
    let error = refused(what, answer, Class::NotFound)?;
    holds(error.target().contains(name), || format!("{what}: the name is missing in: {error}"))
}

/// Changes a node as it is now. Others change it too: what they did meanwhile is read first.
async fn patched(
    world: &KubeWorld<'_>,
    change: impl Fn(&Node) -> NodePatch,
) -> std::result::Result<Node, String> {
    for _ in 0..20 {
        let node = super::came(world.reader.get_node(&world.facts.node).await)?;
        match world.writer.patch_node(&change(&node)).await {
            Ok(node) => return Ok(node),
            Err(error) if error.class() == Class::Conflict => {}
            Err(error) => return Err(error.to_string()),
        }
    }
    Err("a node could not be changed in twenty tries".to_owned())
}

/// The ready Pods of a Deployment, by name.
async fn pods(world: &KubeWorld<'_>, deployment: &str) -> Result<Vec<Pod>> {
    let query = PodQuery { namespace: Some(world.facts.namespace.clone()), ..PodQuery::default() };
    let prefix = format!("{deployment}-");
    let mut all = every_pod(world, &query).await?;
    all.retain(|pod| {
        pod.meta.name.starts_with(&prefix) && pod.is_ready() && pod.meta.deletion_timestamp.is_none()
    });
    Ok(all)
}

/// Two at a time, so that pages are turned.
async fn every_pod(world: &KubeWorld<'_>, query: &PodQuery) -> Result<Vec<Pod>> {
    let mut all = Vec::new();
    let mut request = Some(PageRequest::first(2));
    while let Some(asked) = request {
        let page = world.reader.list_pods(query, &asked).await?;
        request = page.next_request(2);
        all.extend(page.items);
    }
    Ok(all)
}

/// Waits until all three are ready, and the budget knows it.
async fn whole(world: &KubeWorld<'_>) -> std::result::Result<Vec<Pod>, String> {
    let name = &world.facts.deployment;
    let three = |pods: &Vec<Pod>| pods.len() == 3;
    let found = eventually(world.clock, MINUTES, "three ready Pods", || pods(world, name), three).await?;
    let budget = &world.facts.budget;
    let allows = |budgets: &Vec<eks_provider::kube::Budget>| {
        budgets
            .iter()
            .any(|one| one.meta.name == *budget && one.is_observed() && one.status.disruptions_allowed == 1)
    };
    eventually(world.clock, MINUTES, "the budget allows one", || world.reader.list_budgets(), allows).await?;
    Ok(found)
}
