//! Nodes, their changes, and the Pods on them.

use std::collections::{BTreeMap, BTreeSet};

use eks_provider::Class;
use eks_provider::kube::{
    Freshness, LabelSelector, Node, NodePatch, NodeQuery, PageRequest, PodQuery, Requirement,
    SelectorOperator, Taint,
};

use super::super::{KubeWorld, Outcome, Verdict, came, checks, holds};
use super::{MINUTES, eventually, every_pod, missing, patched, refused};

pub(super) async fn all(world: &KubeWorld<'_>) -> Vec<Outcome> {
    checks![world;
        "node-missing": "a node that is not there is NotFound, by its name" => not_there,
        "node-list": "the node is in the list, ready, with its version and zone, and is the same when asked for alone" => nodes,
        "node-select": "nodes are found by their labels, by name and by comparison" => selected,
        "node-patch": "a patch keeps the taints, labels and annotations of others; one of an older state is a Conflict" => patch,
        "node-cordon": "a cordoned node gets the taint `node.kubernetes.io/unschedulable`, and loses it with the cordon" => cordon,
        "node-dry-run": "a dry run of a patch answers as if, and changes nothing" => dry_run,
        "node-delete": "a node of another uid is not deleted" => delete,
        "pods-of-node": "the Pods of a node are those of all Pods that say so, whatever the pages" => on_node,
    ]
}

async fn not_there(world: &KubeWorld<'_>) -> Verdict {
    missing("a node", world.reader.get_node("no-such-node").await, "no-such-node")
}

async fn nodes(world: &KubeWorld<'_>) -> Verdict {
    let nodes = came(world.reader.list_nodes(&NodeQuery::default()).await)?;
    holds(nodes.is_sorted_by_key(|node| &node.meta.name), || "they are not sorted".to_owned())?;
    let node = nodes.iter().find(|node| node.meta.name == world.facts.node);
    let node = node.ok_or_else(|| format!("{} is not among {}", world.facts.node, nodes.len()))?;
    holds(node.is_ready() && node.zone().is_some() && node.info.kubelet_version.value().is_some(), || {
        format!("ready {}, zone {:?}, {}", node.is_ready(), node.zone(), node.info.kubelet_version)
    })?;
    holds(!node.meta.uid.is_empty() && !node.meta.resource_version.is_empty(), || {
        format!("{:?}", node.meta)
    })?;
    let alone = came(world.reader.get_node(&world.facts.node).await)?;
    holds(alone.meta.uid == node.meta.uid && alone.provider_id == node.provider_id, || {
        format!("{:?} in the list, {:?} alone", node.meta, alone.meta)
    })?;
    let any = NodeQuery { freshness: Freshness::Any, ..NodeQuery::default() };
    let cached = came(world.reader.list_nodes(&any).await)?;
    holds(cached.len() == nodes.len(), || format!("{} of {} in the cache", cached.len(), nodes.len()))
}

async fn selected(world: &KubeWorld<'_>) -> Verdict {
    let node = came(world.reader.get_node(&world.facts.node).await)?;
    let hostname = "kubernetes.io/hostname";
    let value = node.meta.labels.get(hostname).cloned();
    let value = value.ok_or_else(|| format!("the node has no label {hostname}"))?;
    let names = async |selector: LabelSelector| {
        let query = NodeQuery { selector, ..NodeQuery::default() };
        let found = came(world.reader.list_nodes(&query).await)?;
        Ok::<_, String>(found.into_iter().map(|node| node.meta.name).collect::<BTreeSet<_>>())
    };
    let labels = |value: &str| BTreeMap::from([(hostname.to_owned(), value.to_owned())]);
    let one = names(LabelSelector { match_labels: labels(&value), ..LabelSelector::default() }).await?;
    holds(one == BTreeSet::from([node.meta.name.clone()]), || format!("by the label: {one:?}"))?;
    let compared = |operator, values: &[&str]| LabelSelector {
        match_expressions: vec![Requirement {
            key: hostname.to_owned(),
            operator,
            values: values.iter().map(|value| (*value).to_owned()).collect(),
        }],
        ..LabelSelector::default()
    };
    let others = names(compared(SelectorOperator::NotIn, &[&value])).await?;
    holds(!others.is_empty() && !others.contains(&node.meta.name), || format!("the others: {others:?}"))?;
    let none = names(compared(SelectorOperator::DoesNotExist, &[])).await?;
    holds(none.is_disjoint(&others), || format!("without the label: {none:?}"))
}

fn taint(key: &str) -> Taint {
    Taint {
        key: key.to_owned(),
        value: Some("x".to_owned()),
        effect: "PreferNoSchedule".into(),
        time_added: None,
    }
}

fn keys(node: &Node) -> Vec<String> {
    node.taints.iter().map(|taint| taint.key.clone()).collect()
}

async fn patch(world: &KubeWorld<'_>) -> Verdict {
    let before = came(world.reader.get_node(&world.facts.node).await)?;
    // Somebody else's, set meanwhile.
    patched(world, |node| {
        NodePatch::of(node)
            .taint(taint("others/taint"))
            .label("others/label", "y")
            .annotate("others/annotation", "w")
    })
    .await?;
    let stale = NodePatch::of(&before).taint(taint("ours/taint"));
    refused("a patch of an older state", world.writer.patch_node(&stale).await, Class::Conflict)?;
    let ours = patched(world, |node| {
        NodePatch::of(node)
            .taint(taint("ours/taint"))
            .label("ours/label", "l")
            .annotate("ours/annotation", "z")
    })
    .await?;
    let is = |map: &BTreeMap<String, String>, key: &str, value: &str| {
        map.get(key).map(String::as_str) == Some(value)
    };
    let (labels, annotations) = (&ours.meta.labels, &ours.meta.annotations);
    holds(
        ours.taint("others/taint").is_some()
            && ours.taint("ours/taint").is_some()
            && is(labels, "others/label", "y")
            && is(labels, "ours/label", "l")
            && is(annotations, "others/annotation", "w")
            && is(annotations, "ours/annotation", "z"),
        || format!("{:?} {labels:?} {annotations:?}", ours.taints),
    )?;
    let undone = patched(world, |node| {
        NodePatch::of(node).untaint("ours/taint").unlabel("ours/label").unannotate("ours/annotation")
    })
    .await?;
    holds(
        undone.taint("others/taint").is_some()
            && undone.taint("ours/taint").is_none()
            && !undone.meta.labels.contains_key("ours/label")
            && undone.meta.labels.contains_key("others/label"),
        || format!("{:?} {:?}", undone.taints, undone.meta.labels),
    )?;
    let end = patched(world, |node| {
        NodePatch::of(node)
            .untaint("others/taint")
            .unlabel("others/label")
            .unannotate("others/annotation")
            .unlabel("never/was")
    })
    .await?;
    holds(keys(&end) == keys(&before) && end.meta.labels == before.meta.labels, || {
        format!("{:?} at the end, {:?} before", end.taints, before.taints)
    })
}

/// The node lifecycle controller: <https://kubernetes.io/docs/reference/labels-annotations-taints/> (2026-11)
async fn cordon(world: &KubeWorld<'_>) -> Verdict {
    const UNSCHEDULABLE: &str = "node.kubernetes.io/unschedulable";
    let cordoned = patched(world, |node| NodePatch::of(node).cordon(true)).await?;
    holds(cordoned.unschedulable, || "it is not cordoned".to_owned())?;
    let look = || world.reader.get_node(&world.facts.node);
    let has =
        |node: &Node| node.taint(UNSCHEDULABLE).is_some_and(|taint| taint.effect.as_str() == "NoSchedule");
    let found = eventually(world.clock, MINUTES, "the taint of the cordon", look, has).await;
    let back = patched(world, |node| NodePatch::of(node).cordon(false)).await?;
    found?;
    holds(!back.unschedulable, || "it is still cordoned".to_owned())?;
    let without = |node: &Node| node.taint(UNSCHEDULABLE).is_none();
    eventually(world.clock, MINUTES, "the taint is gone", look, without).await.map(drop)
}

async fn dry_run(world: &KubeWorld<'_>) -> Verdict {
    let as_if =
        patched(world, |node| NodePatch::of(node).cordon(true).label("dry/label", "x").dry_run()).await?;
    holds(as_if.unschedulable && as_if.meta.labels.contains_key("dry/label"), || {
        format!("{:?}", as_if.meta)
    })?;
    let now = came(world.reader.get_node(&world.facts.node).await)?;
    holds(!now.unschedulable && !now.meta.labels.contains_key("dry/label"), || format!("{:?}", now.meta))
}

async fn delete(world: &KubeWorld<'_>) -> Verdict {
    let other = "00000000-0000-0000-0000-000000000bad";
    refused("the deletion", world.writer.delete_node(&world.facts.node, other).await, Class::Conflict)?;
    missing("the deletion", world.writer.delete_node("no-such-node", other).await, "no-such-node")?;
    came(world.reader.get_node(&world.facts.node).await).map(drop)
}

async fn on_node(world: &KubeWorld<'_>) -> Verdict {
    // Those that nobody moves meanwhile.
    super::whole(world).await?;
    let all = came(every_pod(world, &PodQuery::default()).await)?;
    let nodes: BTreeSet<String> = all.iter().filter_map(|pod| pod.spec.node_name.clone()).collect();
    holds(!nodes.is_empty(), || "no Pod is on any node".to_owned())?;
    for node in nodes {
        let names = |pods: &[eks_provider::kube::Pod]| -> BTreeSet<String> {
            let here = pods.iter().filter(|pod| pod.spec.node_name.as_ref() == Some(&node));
            here.map(|pod| pod.meta.to_string()).collect()
        };
        for freshness in [Freshness::MostRecent, Freshness::Any] {
            let query = PodQuery { freshness, ..PodQuery::on_node(&node) };
            let here = came(world.reader.list_pods(&query, &PageRequest::first(500)).await)?.items;
            holds(here.len() == names(&here).len() && names(&here) == names(&all), || {
                format!("on {node}: {:?} by the node, {:?} of all", names(&here), names(&all))
            })?;
        }
    }
    Ok(())
}
