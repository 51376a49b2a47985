//! Nodes, Pods and their evictions, Leases, waiting.

use std::time::Duration;

use eks_provider::Class;
use eks_provider::kube::{
    EvictPod, EvictionOutcome, Lease, NodePatch, NodeQuery, ObjectMeta, PageRequest, Pod, PodQuery, Taint,
};

use super::{KubeWorld, Outcome, Verdict, came, checks, eventually, holds};

const MINUTES: Duration = Duration::from_mins(5);

pub(super) async fn all(world: &KubeWorld<'_>) -> Vec<Outcome> {
    checks![world;
        "node-missing": "a node that is not there is NotFound, by its name" => missing,
        "node-list": "the node is in the list, ready, with its version and zone" => nodes,
        "node-patch": "a patch keeps the taints, labels and annotations of others; one of an older state is a Conflict" => patch,
        "lease": "a Lease is taken once, changed only in its last state, and given back" => lease,
        "evict-dry": "a probe says what an eviction would do, and spends nothing" => probe,
        "evict": "one eviction is accepted, the next is blocked by the budget by its name, until the Pod is replaced" => evict,
        "evict-uid": "an eviction of a Pod of another uid is Gone" => other_uid,
    ]
}

async fn missing(world: &KubeWorld<'_>) -> Verdict {
    match world.reader.get_node("no-such-node").await {
        Ok(node) => Err(format!("{node:?}")),
        Err(error) => {
            holds(error.class() == Class::NotFound && error.target().contains("no-such-node"), || {
                error.to_string()
            })
        }
    }
}

async fn nodes(world: &KubeWorld<'_>) -> Verdict {
    let nodes = came(world.reader.list_nodes(&NodeQuery::default()).await)?;
    holds(nodes.is_sorted_by_key(|node| &node.meta.name), || "they are not sorted".to_owned())?;
    let node = nodes.iter().find(|node| node.meta.name == world.facts.node);
    let node = node.ok_or_else(|| format!("{} is not among {}", world.facts.node, nodes.len()))?;
    holds(node.is_ready() && node.zone().is_some() && node.info.kubelet_version.value().is_some(), || {
        format!("ready {}, zone {:?}, {}", node.is_ready(), node.zone(), node.info.kubelet_version)
    })
}

async fn patch(world: &KubeWorld<'_>) -> Verdict {
    let name = &world.facts.node;
    let before = came(world.reader.get_node(name).await)?;
    let taint = |key: &str| Taint {
        key: key.to_owned(),
        value: Some("x".to_owned()),
        effect: "PreferNoSchedule".into(),
        time_added: None,
    };
    // Somebody else's, set meanwhile.
    let foreign = NodePatch::of(&before).taint(taint("others/taint")).label("others/label", "y");
    let after_foreign = came(world.writer.patch_node(&foreign).await)?;
    let stale = NodePatch::of(&before).taint(taint("ours/taint"));
    match world.writer.patch_node(&stale).await {
        Ok(node) => return Err(format!("a patch of an older state was taken: {:?}", node.taints)),
        Err(error) => holds(error.class() == Class::Conflict, || error.to_string())?,
    }
    let ours = NodePatch::of(&after_foreign)
        .taint(taint("ours/taint"))
        .annotate("ours/annotation", "z")
        .cordon(true);
    let with_both = came(world.writer.patch_node(&ours).await)?;
    holds(
        with_both.taint("others/taint").is_some()
            && with_both.taint("ours/taint").is_some()
            && with_both.meta.labels.get("others/label").map(String::as_str) == Some("y")
            && with_both.unschedulable,
        || format!("{:?} {:?}", with_both.taints, with_both.meta.labels),
    )?;
    let undo = NodePatch::of(&with_both).untaint("ours/taint").unannotate("ours/annotation").cordon(false);
    let undone = came(world.writer.patch_node(&undo).await)?;
    holds(undone.taint("others/taint").is_some() && undone.taint("ours/taint").is_none(), || {
        format!("{:?}", undone.taints)
    })?;
    let clean = NodePatch::of(&undone).untaint("others/taint").unlabel("others/label");
    let end = came(world.writer.patch_node(&clean).await)?;
    let keys =
        |node: &eks_provider::kube::Node| node.taints.iter().map(|t| t.key.clone()).collect::<Vec<_>>();
    holds(keys(&end) == keys(&before) && end.meta.labels == before.meta.labels, || {
        format!("{:?} at the end, {:?} before", end.taints, before.taints)
    })
}

async fn lease(world: &KubeWorld<'_>) -> Verdict {
    let now = world.clock.now();
    let wanted = Lease {
        meta: ObjectMeta {
            name: "eks-contract".to_owned(),
            namespace: Some(world.facts.namespace.clone()),
            ..ObjectMeta::default()
        },
        holder_identity: Some("first".to_owned()),
        lease_duration: Some(Duration::from_mins(1)),
        acquire_time: Some(now),
        renew_time: Some(now),
        lease_transitions: 0,
    };
    let made = came(world.writer.create_lease(&wanted).await)?;
    match world.writer.create_lease(&wanted).await {
        Ok(_) => return Err("it was made twice".to_owned()),
        Err(error) => holds(error.class() == Class::Conflict, || error.to_string())?,
    }
    let mut next = made.clone();
    next.holder_identity = Some("second".to_owned());
    let taken = came(world.writer.update_lease(&next).await)?;
    match world.writer.update_lease(&next).await {
        Ok(_) => return Err("an older state was taken".to_owned()),
        Err(error) => holds(error.class() == Class::Conflict, || error.to_string())?,
    }
    let read = came(world.reader.get_lease(&world.facts.namespace, "eks-contract").await)?;
    holds(read.holder_identity.as_deref() == Some("second"), || format!("{read:?}"))?;
    came(world.writer.delete_lease(&taken).await)?;
    match world.reader.get_lease(&world.facts.namespace, "eks-contract").await {
        Ok(lease) => Err(format!("it is still there: {lease:?}")),
        Err(error) => holds(error.class() == Class::NotFound, || error.to_string()),
    }
}

/// The ready Pods of the Deployment, by name.
async fn pods(world: &KubeWorld<'_>) -> eks_provider::Result<Vec<Pod>> {
    let query = PodQuery { namespace: Some(world.facts.namespace.clone()), ..PodQuery::default() };
    let mut all = Vec::new();
    // Two at a time, so that pages are turned.
    let mut request = Some(PageRequest::first(2));
    while let Some(asked) = request {
        let page = world.reader.list_pods(&query, &asked).await?;
        request = page.next_request(2);
        all.extend(page.items);
    }
    let prefix = format!("{}-", world.facts.deployment);
    all.retain(|pod| {
        pod.meta.name.starts_with(&prefix) && pod.is_ready() && pod.meta.deletion_timestamp.is_none()
    });
    Ok(all)
}

/// Waits until all three are ready, and the budget knows it.
async fn whole(world: &KubeWorld<'_>) -> Result<Vec<Pod>, String> {
    let found =
        eventually(world.clock, MINUTES, "three ready Pods", || pods(world), |pods| pods.len() == 3).await?;
    let name = &world.facts.budget;
    let allows = |budgets: &Vec<eks_provider::kube::Budget>| {
        budgets.iter().any(|budget| budget.meta.name == *name && budget.status.disruptions_allowed == 1)
    };
    eventually(world.clock, MINUTES, "the budget allows one", || world.reader.list_budgets(), allows).await?;
    Ok(found)
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
    Ok(())
}

async fn evict(world: &KubeWorld<'_>) -> Verdict {
    let pods = whole(world).await?;
    let [first, second, ..] = pods.as_slice() else { return Err(format!("{} Pods", pods.len())) };
    let outcome = came(world.writer.evict_pod(&of(first)).await)?;
    holds(outcome == EvictionOutcome::Accepted, || format!("the first: {outcome:?}"))?;
    let outcome = came(world.writer.evict_pod(&of(second)).await)?;
    let EvictionOutcome::Blocked { budget, message, .. } = &outcome else {
        return Err(format!("the second: {outcome:?}"));
    };
    holds(budget.as_deref() == Some(&world.facts.budget) && message.contains("healthy pods"), || {
        format!("blocked by {budget:?}: {message}")
    })?;
    let now = whole(world).await?;
    holds(now.iter().all(|pod| pod.meta.uid != first.meta.uid), || {
        "the evicted Pod is still there".to_owned()
    })?;
    let gone = came(world.writer.evict_pod(&of(first)).await)?;
    holds(gone == EvictionOutcome::Gone, || format!("once more: {gone:?}"))
}

async fn other_uid(world: &KubeWorld<'_>) -> Verdict {
    let pods = whole(world).await?;
    let Some(pod) = pods.first() else { return Err("no Pod".to_owned()) };
    let other = EvictPod { uid: "00000000-0000-0000-0000-000000000bad".to_owned(), ..of(pod) };
    let outcome = came(world.writer.evict_pod(&other).await)?;
    holds(outcome == EvictionOutcome::Gone, || format!("{outcome:?}"))
}
