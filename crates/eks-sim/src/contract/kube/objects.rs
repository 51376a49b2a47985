//! Leases, ConfigMaps, events, budgets, and what is not there.

use std::collections::BTreeMap;
use std::time::Duration;

use eks_provider::Class;
use eks_provider::kube::{
    ConfigMap, EventType, Lease, NewEvent, ObjectMeta, ObjectRef, WorkloadKind, WorkloadRef,
};
use jiff::{Timestamp, Unit};

use super::super::{KubeWorld, Outcome, Verdict, came, checks, holds};
use super::{MINUTES, eventually, missing, pods, refused, whole};

pub(super) async fn all(world: &KubeWorld<'_>) -> Vec<Outcome> {
    checks![world;
        "missing": "what is asked for by name and is not there is NotFound, by its name" => not_there,
        "lease": "a Lease is taken once, changed only in its last state, taken over, and given back" => lease,
        "config-map": "a ConfigMap is made once and changed only in its last state; other keys stay" => config_map,
        "event": "an event is told once, and heard of about its object" => event,
        "budget": "a budget says what it is for, what it allows and how it came to that" => budget,
        "namespaces": "the namespaces are listed, with the uid by which a cluster is known" => namespaces,
    ]
}

const NAME: &str = "no-such-thing";

async fn not_there(world: &KubeWorld<'_>) -> Verdict {
    let namespace = &world.facts.namespace;
    missing("a Pod", world.reader.get_pod(namespace, NAME).await, NAME)?;
    missing("a budget", world.reader.get_budget(namespace, NAME).await, NAME)?;
    missing("a Service", world.reader.get_service(namespace, NAME).await, NAME)?;
    missing("a ConfigMap", world.reader.get_config_map(namespace, NAME).await, NAME)?;
    missing("a Lease", world.reader.get_lease(namespace, NAME).await, NAME)?;
    for kind in WorkloadKind::ALL {
        let workload = WorkloadRef { kind, namespace: namespace.clone(), name: NAME.to_owned() };
        missing(kind.as_str(), world.reader.get_workload(&workload).await, NAME)?;
    }
    let endpoints = came(world.reader.list_endpoints(namespace, NAME).await)?;
    holds(endpoints.is_empty(), || format!("{endpoints:?}"))
}

/// The API keeps microseconds.
fn now(world: &KubeWorld<'_>) -> Result<Timestamp, String> {
    world.clock.now().round(Unit::Microsecond).map_err(|error| error.to_string())
}

async fn lease(world: &KubeWorld<'_>) -> Verdict {
    let name = "eks-contract";
    let (namespace, now) = (&world.facts.namespace, now(world)?);
    let wanted = Lease {
        meta: ObjectMeta {
            name: name.to_owned(),
            namespace: Some(namespace.clone()),
            annotations: BTreeMap::from([("eks-contract/state".to_owned(), "{}".to_owned())]),
            ..ObjectMeta::default()
        },
        holder_identity: Some("first".to_owned()),
        lease_duration: Some(Duration::from_mins(1)),
        acquire_time: Some(now),
        renew_time: Some(now),
        lease_transitions: 0,
    };
    let made = came(world.writer.create_lease(&wanted).await)?;
    holds(!made.meta.uid.is_empty() && made.holds_until() == wanted.holds_until(), || format!("{made:?}"))?;
    refused("a second creation", world.writer.create_lease(&wanted).await, Class::Conflict)?;

    // Renewed by who holds it; somebody else who read it before is late.
    let renewed = came(world.writer.update_lease(&made).await)?;
    let take_over = |read: &Lease| Lease {
        holder_identity: Some("second".to_owned()),
        lease_transitions: read.lease_transitions + 1,
        ..read.clone()
    };
    let late = if renewed.meta.resource_version == made.meta.resource_version {
        // Nothing was changed by it, so nothing was written: change something.
        let mut changed = made.clone();
        changed.renew_time = now.checked_add(Duration::from_secs(1)).ok();
        let changed = came(world.writer.update_lease(&changed).await)?;
        (made.clone(), changed)
    } else {
        (made.clone(), renewed)
    };
    let (old, present) = late;
    refused(
        "a take-over of an older state",
        world.writer.update_lease(&take_over(&old)).await,
        Class::Conflict,
    )?;
    let taken = came(world.writer.update_lease(&take_over(&present)).await)?;
    let read = came(world.reader.get_lease(namespace, name).await)?;
    holds(
        read == taken
            && read.holder_identity.as_deref() == Some("second")
            && read.lease_transitions == 1
            && read.meta.annotations.contains_key("eks-contract/state"),
        || format!("{read:?}"),
    )?;
    let all = came(world.reader.list_leases(namespace).await)?;
    holds(all.contains(&read) && all.is_sorted_by_key(|one| &one.meta.name), || format!("{all:?}"))?;
    // Given up, and not gone.
    let free = came(world.writer.update_lease(&Lease { holder_identity: None, ..read.clone() }).await)?;
    holds(free.holder_identity.is_none() && free.holds_until().is_none(), || format!("{free:?}"))?;
    refused("a deletion of an older state", world.writer.delete_lease(&read).await, Class::Conflict)?;
    came(world.writer.delete_lease(&free).await)?;
    missing("it", world.reader.get_lease(namespace, name).await, name)?;
    refused("an update of what is gone", world.writer.update_lease(&free).await, Class::Conflict)?;
    missing("a deletion of what is gone", world.writer.delete_lease(&free).await, name)
}

async fn config_map(world: &KubeWorld<'_>) -> Verdict {
    let name = "eks-contract";
    let namespace = &world.facts.namespace;
    let text = |text: &str| text.to_owned();
    let wanted = ConfigMap {
        meta: ObjectMeta {
            name: text(name),
            namespace: Some(namespace.clone()),
            labels: BTreeMap::from([(text("eks-contract"), text("yes"))]),
            annotations: BTreeMap::from([(text("eks-contract/note"), text("kept"))]),
            ..ObjectMeta::default()
        },
        data: BTreeMap::from([(text("a"), text("1")), (text("b"), text("2"))]),
        immutable: false,
    };
    let made = came(world.writer.create_config_map(&wanted).await)?;
    refused("a second creation", world.writer.create_config_map(&wanted).await, Class::Conflict)?;
    let changes =
        BTreeMap::from([(text("a"), None), (text("c"), Some(text("3"))), (text("never-was"), None)]);
    let changed = came(world.writer.patch_config_map(&made.meta, &changes).await)?;
    let expected = BTreeMap::from([(text("b"), text("2")), (text("c"), text("3"))]);
    holds(
        changed.data == expected
            && changed.meta.labels == wanted.meta.labels
            && changed.meta.annotations.contains_key("eks-contract/note"),
        || format!("{changed:?}"),
    )?;
    let read = came(world.reader.get_config_map(namespace, name).await)?;
    holds(read == changed, || format!("{read:?}"))?;
    refused(
        "a patch of an older state",
        world.writer.patch_config_map(&made.meta, &changes).await,
        Class::Conflict,
    )?;
    let other = ObjectMeta { uid: text("00000000-0000-0000-0000-000000000bad"), ..changed.meta.clone() };
    refused(
        "a patch of another uid",
        world.writer.patch_config_map(&other, &changes).await,
        Class::Conflict,
    )?;
    refused("a deletion of another uid", world.writer.delete_config_map(&other).await, Class::Conflict)?;
    refused(
        "a deletion of an older state",
        world.writer.delete_config_map(&made.meta).await,
        Class::Conflict,
    )?;
    came(world.writer.delete_config_map(&changed.meta).await)?;
    missing("it", world.reader.get_config_map(namespace, name).await, name)?;
    missing("a patch of what is gone", world.writer.patch_config_map(&changed.meta, &changes).await, name)
}

async fn event(world: &KubeWorld<'_>) -> Verdict {
    let node = came(world.reader.get_node(&world.facts.node).await)?;
    let pod = came(pods(world, &world.facts.deployment).await)?;
    let pod = pod.first().ok_or("there is no Pod")?;
    let about = |kind: &str, meta: &ObjectMeta| ObjectRef {
        api_version: "v1".to_owned(),
        kind: kind.to_owned(),
        namespace: meta.namespace.clone(),
        name: meta.name.clone(),
        uid: Some(meta.uid.clone()),
    };
    for regarding in [about("Node", &node.meta), about("Pod", &pod.meta)] {
        let told = NewEvent {
            name: format!("eks-contract-{}", regarding.kind.to_lowercase()),
            regarding: regarding.clone(),
            kind: EventType::Warning,
            reason: "EksContract".to_owned(),
            action: "Contract".to_owned(),
            note: "told by the contract".to_owned(),
            reporting_controller: "eks-contract".to_owned(),
            reporting_instance: "eks-contract-1".to_owned(),
            event_time: now(world)?,
        };
        came(world.writer.create_event(&told).await)?;
        refused("the same once more", world.writer.create_event(&told).await, Class::Conflict)?;
        let heard = came(world.reader.list_events(&regarding).await)?;
        let ours: Vec<_> = heard.iter().filter(|event| event.reason == "EksContract").collect();
        let [ours] = ours.as_slice() else { return Err(format!("{heard:?}")) };
        holds(
            ours.kind == EventType::Warning
                && ours.count == 1
                && ours.last_seen == Some(told.event_time)
                && ours.note == told.note
                && ours.reporting_controller.as_deref() == Some("eks-contract")
                && ours.regarding.name == regarding.name,
            || format!("{ours:?}"),
        )?;
        holds(heard.is_sorted_by_key(|event| std::cmp::Reverse(event.last_seen)), || format!("{heard:?}"))?;
        let too_long = NewEvent { name: "eks-contract-long".to_owned(), note: "x".repeat(1025), ..told };
        refused("a note that is too long", world.writer.create_event(&too_long).await, Class::Invalid)?;
    }
    Ok(())
}

async fn budget(world: &KubeWorld<'_>) -> Verdict {
    let (namespace, name) = (&world.facts.namespace, &world.facts.budget);
    let pods = whole(world).await?;
    let look = || world.reader.get_budget(namespace, name);
    let settled = |budget: &eks_provider::kube::Budget| budget.status.disrupted_pods.is_empty();
    let budget = eventually(world.clock, MINUTES, "no Pod is on its way out", look, settled).await?;
    let status = &budget.status;
    holds(
        budget.is_observed()
            && status.disruptions_allowed == 1
            && status.current_healthy == 3
            && status.desired_healthy == 2
            && status.expected_pods == 3,
        || format!("{status:?}"),
    )?;
    let covered = pods.iter().all(|pod| budget.covers(namespace, &pod.meta.labels) == Some(true));
    holds(covered, || format!("{:?}", budget.selector))?;
    let listed = came(world.reader.list_budgets().await)?;
    let order = |one: &eks_provider::kube::Budget| (one.meta.namespace.clone(), one.meta.name.clone());
    holds(listed.iter().any(|one| one.meta.uid == budget.meta.uid) && listed.is_sorted_by_key(order), || {
        format!("{} budgets", listed.len())
    })
}

async fn namespaces(world: &KubeWorld<'_>) -> Verdict {
    let found = came(world.reader.list_namespaces().await)?;
    let named = |name: &str| found.iter().find(|one| one.meta.name == name && !one.terminating);
    holds(found.is_sorted_by_key(|one| &one.meta.name) && named(&world.facts.namespace).is_some(), || {
        format!("{found:?}")
    })?;
    holds(named("kube-system").is_some_and(|one| !one.meta.uid.is_empty()), || format!("{found:?}"))
}
