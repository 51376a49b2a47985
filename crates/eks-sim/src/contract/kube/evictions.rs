//! Evictions under budgets, and deletions past them.

use eks_provider::Class;
use eks_provider::kube::{DeletePod, EvictPod, EvictionOutcome, Pod};

use super::super::{KubeWorld, Outcome, Verdict, came, checks, holds};
use super::{MINUTES, eventually, missing, pods, refused, whole};

pub(super) async fn all(world: &KubeWorld<'_>) -> Vec<Outcome> {
    checks![world;
        "evict-dry": "a probe says what an eviction would do, and spends nothing" => probe,
        "evict": "one eviction is accepted, the next is blocked by the budget by its name, until the Pod is replaced" => evict,
        "evict-missing": "an eviction of a Pod that is not there is Gone" => not_there,
        "evict-many": "a Pod with two budgets cannot be evicted, which is said as such" => many,
        "delete-pod": "a Pod is deleted past its budget, and only with its uid" => delete,
        "evict-uid": "an eviction of a Pod of another uid is Gone, and has spent the budget all the same" => other_uid,
    ]
}

fn of(pod: &Pod) -> EvictPod {
    EvictPod {
        namespace: pod.meta.namespace.clone().unwrap_or_default(),
        name: pod.meta.name.clone(),
        uid: pod.meta.uid.clone(),
    }
}

async fn probe(world: &KubeWorld<'_>) -> Verdict {
    let pods = whole(world).await?;
    for pod in pods.iter().chain(&pods) {
        let outcome = came(world.probe.probe_eviction(&of(pod)).await)?;
        holds(outcome == EvictionOutcome::Accepted, || format!("{outcome:?}"))?;
    }
    let after = came(super::pods(world, &world.facts.deployment).await)?;
    let uids = |pods: &[Pod]| pods.iter().map(|pod| pod.meta.uid.clone()).collect::<Vec<_>>();
    holds(uids(&pods) == uids(&after), || "a Pod has gone".to_owned())?;
    let budget = came(world.reader.get_budget(&world.facts.namespace, &world.facts.budget).await)?;
    holds(budget.status.disruptions_allowed == 1, || format!("{:?}", budget.status))
}

async fn evict(world: &KubeWorld<'_>) -> Verdict {
    let pods = whole(world).await?;
    let [first, second, ..] = pods.as_slice() else { return Err(format!("{} Pods", pods.len())) };
    let outcome = came(world.writer.evict_pod(&of(first)).await)?;
    holds(outcome == EvictionOutcome::Accepted, || format!("the first: {outcome:?}"))?;
    // Asked first: a probe is blocked as an eviction is.
    for (what, outcome) in [
        ("a probe", world.probe.probe_eviction(&of(second)).await),
        ("the second", world.writer.evict_pod(&of(second)).await),
    ] {
        let outcome = came(outcome)?;
        let EvictionOutcome::Blocked { budget, message, .. } = &outcome else {
            return Err(format!("{what}: {outcome:?}"));
        };
        // And has 3, or 2 as soon as the controller has seen that one is leaving.
        let named = budget.as_deref() == Some(&world.facts.budget);
        holds(named && message.contains("needs 2 healthy pods and has "), || {
            format!("{what}: blocked by {budget:?}: {message}")
        })?;
    }
    let now = whole(world).await?;
    holds(now.iter().all(|pod| pod.meta.uid != first.meta.uid), || {
        "the evicted Pod is still there".to_owned()
    })?;
    // While it ends it may be asked again; afterwards it is gone.
    let look = async || match world.reader.get_pod(&of(first).namespace, &first.meta.name).await {
        Ok(pod) => Ok(Some(pod.meta.uid)),
        Err(error) if error.class() == Class::NotFound => Ok(None),
        Err(error) => Err(error),
    };
    let is_gone = |uid: &Option<String>| uid.as_ref() != Some(&first.meta.uid);
    eventually(world.clock, MINUTES, "the evicted Pod is gone", look, is_gone).await?;
    let gone = came(world.writer.evict_pod(&of(first)).await)?;
    holds(gone == EvictionOutcome::Gone, || format!("once more: {gone:?}"))
}

async fn other_uid(world: &KubeWorld<'_>) -> Verdict {
    let pods = whole(world).await?;
    let Some(pod) = pods.first() else { return Err("no Pod".to_owned()) };
    let other = EvictPod { uid: "00000000-0000-0000-0000-000000000bad".to_owned(), ..of(pod) };
    let outcome = came(world.writer.evict_pod(&other).await)?;
    holds(outcome == EvictionOutcome::Gone, || format!("{outcome:?}"))?;
    let still = came(world.reader.get_pod(&other.namespace, &other.name).await)?;
    holds(still.meta.uid == pod.meta.uid && !still.meta.is_terminating(), || format!("{:?}", still.meta))?;
    // The uid is looked at when the Pod is deleted, which is after the budget.
    let budget = came(world.reader.get_budget(&world.facts.namespace, &world.facts.budget).await)?;
    let status = &budget.status;
    holds(status.disruptions_allowed == 0 && status.disrupted_pods.contains_key(&pod.meta.name), || {
        format!("{status:?}")
    })
}

async fn not_there(world: &KubeWorld<'_>) -> Verdict {
    let nobody = EvictPod {
        namespace: world.facts.namespace.clone(),
        name: "no-such-pod".to_owned(),
        uid: "00000000-0000-0000-0000-000000000bad".to_owned(),
    };
    for outcome in [world.writer.evict_pod(&nobody).await, world.probe.probe_eviction(&nobody).await] {
        let outcome = came(outcome)?;
        holds(outcome == EvictionOutcome::Gone, || format!("{outcome:?}"))?;
    }
    Ok(())
}

async fn many(world: &KubeWorld<'_>) -> Verdict {
    let look = || pods(world, &world.facts.twice_budgeted);
    let found =
        eventually(world.clock, MINUTES, "a ready Pod with two budgets", look, |pods| !pods.is_empty())
            .await?;
    let Some(pod) = found.first() else { return Err("no Pod".to_owned()) };
    for outcome in [world.writer.evict_pod(&of(pod)).await, world.probe.probe_eviction(&of(pod)).await] {
        let outcome = came(outcome)?;
        let EvictionOutcome::ManyBudgets { message } = &outcome else { return Err(format!("{outcome:?}")) };
        holds(message.contains("more than one PodDisruptionBudget"), || message.clone())?;
    }
    let still = came(world.reader.get_pod(&world.facts.namespace, &pod.meta.name).await)?;
    holds(!still.meta.is_terminating(), || format!("{:?}", still.meta))
}

async fn delete(world: &KubeWorld<'_>) -> Verdict {
    let pods = whole(world).await?;
    let Some(pod) = pods.first() else { return Err("no Pod".to_owned()) };
    let EvictPod { namespace, name, uid } = of(pod);
    let wanted = DeletePod { namespace, name: name.clone(), uid, grace_period: None };
    let other = DeletePod { uid: "00000000-0000-0000-0000-000000000bad".to_owned(), ..wanted.clone() };
    refused("another uid", world.writer.delete_pod(&other).await, Class::Conflict)?;
    let nobody = DeletePod { name: "no-such-pod".to_owned(), ..wanted.clone() };
    missing("nobody", world.writer.delete_pod(&nobody).await, "no-such-pod")?;
    came(world.writer.delete_pod(&wanted).await)?;
    let now = whole(world).await?;
    holds(now.iter().all(|one| one.meta.uid != pod.meta.uid), || format!("{name} is still there"))
}
