//! What a scenario must not say: each complaint with what is allowed.

use std::collections::BTreeSet;

use super::super::actors::Deed;
use super::parts::{BudgetPart, ServicePart, WorkloadPart, WorkloadWord};
use super::words::{OperatorWord, StrategyWord};
use super::{Scenario, ScenarioError};
use crate::World;

use WorkloadWord::{DaemonSet, Deployment, Job, Pod, StatefulSet, StaticPod};

/// Whether a name may be that of an object (RFC 1123).
/// <https://kubernetes.io/docs/concepts/overview/working-with-objects/names/> (2026-11)
fn is_name(name: &str) -> bool {
    let inner = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '.';
    let outer = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    name.len() <= 253
        && name.chars().all(inner)
        && name.chars().next().is_some_and(outer)
        && name.chars().next_back().is_some_and(outer)
}

fn named(list: &'static str, name: &str) -> Result<(), ScenarioError> {
    if is_name(name) {
        return Ok(());
    }
    let message =
        format!("`{name}` is no name: small letters, digits, `-` and `.`, a letter or digit at both ends");
    Err(ScenarioError::new(list, name, message))
}

/// Refuses what contradicts itself.
pub(super) fn check(scenario: &Scenario) -> Result<(), ScenarioError> {
    for part in &scenario.namespaces {
        named("namespaces", &part.name)?;
    }
    let mut claims: BTreeSet<(&str, &str)> = BTreeSet::new();
    for part in &scenario.claims {
        named("claims", &part.name)?;
        named("claims", &part.namespace)?;
        if part.shared && part.zone.is_some() {
            let message = format!("claim {} is shared, and so in every zone; leave `zone` out", part.name);
            return Err(ScenarioError::new("claims", &part.name, message));
        }
        claims.insert((&part.namespace, &part.name));
    }
    for part in &scenario.workloads {
        named("workloads", &part.name)?;
        named("workloads", &part.namespace)?;
        workload(part)?;
        let of_sets = |claim: &String| {
            scenario.workloads.iter().any(|other| {
                other.storage.is_some()
                    && other.namespace == part.namespace
                    && claim.starts_with(&format!("data-{}-", other.name))
            })
        };
        let missing = |claim: &&String| !claims.contains(&(&part.namespace, claim)) && !of_sets(claim);
        if let Some(claim) = part.claims.iter().find(missing) {
            return Err(part.wrong(format!("has claim {claim}, which is not in `claims` of its namespace")));
        }
    }
    for part in &scenario.budgets {
        named("budgets", &part.name)?;
        named("budgets", &part.namespace)?;
        budget(part)?;
    }
    for part in &scenario.services {
        named("services", &part.name)?;
        named("services", &part.namespace)?;
        service(part)?;
    }
    let mut names = BTreeSet::new();
    for part in &scenario.webhooks {
        named("webhooks", &part.name)?;
        if !names.insert((part.mutating, &part.name)) {
            let message = format!("webhook {} stands twice", part.name);
            return Err(ScenarioError::new("webhooks", &part.name, message));
        }
    }
    for key in scenario.config_maps.keys() {
        if key.split_once('/').is_none_or(|(namespace, name)| !is_name(namespace) || !is_name(name)) {
            let message = format!("`{key}` is no namespace/name; write it like kube-system/coredns");
            return Err(ScenarioError::new("configMaps", key, message));
        }
    }
    actors(scenario)?;
    scenario.faults.iter().try_for_each(|fault| fault.check(scenario))
}

fn workload(part: &WorkloadPart) -> Result<(), ScenarioError> {
    let strategy = &part.strategy;
    let only: [(&str, bool, &[WorkloadWord], &str); 11] = [
        (
            "replicas",
            part.replicas.is_some(),
            &[Deployment, WorkloadWord::ReplicaSet, StatefulSet, Job],
            "a DaemonSet has a Pod on each of its nodes, and a Pod is one",
        ),
        (
            "storage",
            part.storage.is_some(),
            &[StatefulSet],
            "only a StatefulSet makes claims; name others in `claims`",
        ),
        ("parallel", part.parallel, &[StatefulSet], "only a StatefulSet has one Pod after the other"),
        ("completions", part.completions.is_some(), &[Job], "only a Job is done some time"),
        ("node", part.node.is_some(), &[Pod, StaticPod], "others go where the scheduler puts them"),
        ("finalizers", !part.finalizers.is_empty(), &[Pod], "only a Pod of its own may have some"),
        (
            "strategy.type",
            strategy.kind.is_some(),
            &[Deployment, StatefulSet, DaemonSet],
            "others are not rolled",
        ),
        (
            "strategy.maxSurge",
            strategy.max_surge.is_some(),
            &[Deployment],
            "of others there are none too many",
        ),
        (
            "strategy.maxUnavailable",
            strategy.max_unavailable.is_some(),
            &[Deployment, DaemonSet],
            "others go one after the other, or are not rolled",
        ),
        (
            "strategy.partition",
            strategy.partition.is_some(),
            &[StatefulSet],
            "only Pods of a StatefulSet have numbers",
        ),
        (
            "strategy.type Recreate",
            strategy.kind == Some(StrategyWord::Recreate),
            &[Deployment],
            "others have RollingUpdate and OnDelete",
        ),
    ];
    for (what, says, kinds, hint) in only {
        if says && !kinds.contains(&part.kind) {
            return Err(part.wrong(format!("says {what}; {hint}")));
        }
    }
    if strategy.kind == Some(StrategyWord::OnDelete) && part.kind == Deployment {
        return Err(part.wrong("says strategy.type OnDelete; a Deployment has RollingUpdate and Recreate"));
    }
    let rolls = strategy.max_surge.is_some() || strategy.max_unavailable.is_some();
    if rolls && strategy.kind.is_some_and(|word| word != StrategyWord::RollingUpdate) {
        return Err(part.wrong("says maxSurge or maxUnavailable of a strategy that is no RollingUpdate"));
    }
    match &part.node {
        None if part.kind == StaticPod => {
            return Err(part.wrong("is a static Pod without a node; say `node`"));
        }
        Some(pick) => {
            if let Some(complaint) = pick.complaint() {
                return Err(part.wrong(format!("has a node that is none: {complaint}")));
            }
        }
        None => {}
    }
    for toleration in &part.tolerations {
        if toleration.operator == Some(OperatorWord::Exists) && toleration.value.is_some() {
            return Err(part.wrong("has a toleration with operator Exists and a value; leave the value out"));
        }
        if toleration.key.is_none() && toleration.operator != Some(OperatorWord::Exists) {
            return Err(part.wrong("has a toleration without a key; it needs operator Exists"));
        }
    }
    if part.topology_spread.iter().any(|spread| spread.max_skew == 0) {
        return Err(part.wrong("has maxSkew 0; it is 1 or more"));
    }
    Ok(())
}

fn budget(part: &BudgetPart) -> Result<(), ScenarioError> {
    if part.min_available.is_some() == part.max_unavailable.is_some() {
        let message =
            format!("budget {}/{} needs one of minAvailable and maxUnavailable", part.namespace, part.name);
        return Err(ScenarioError::new("budgets", &part.name, message));
    }
    Ok(())
}

fn service(part: &ServicePart) -> Result<(), ScenarioError> {
    use super::words::ServiceWord::{ClusterIP, LoadBalancer, NodePort};
    let outside = match part.kind {
        Some(NodePort | LoadBalancer) => true,
        Some(ClusterIP) | None => false,
    };
    if part.external_traffic_policy.is_some() && !outside {
        let message = format!(
            "service {}/{} says externalTrafficPolicy; only those of type NodePort and LoadBalancer have one",
            part.namespace, part.name
        );
        return Err(ScenarioError::new("services", &part.name, message));
    }
    Ok(())
}

fn actors(scenario: &Scenario) -> Result<(), ScenarioError> {
    if let Some(autoscaler) = &scenario.cluster_autoscaler {
        let mut names = BTreeSet::new();
        for group in &autoscaler.groups {
            let wrong = |what: &str| {
                let message = format!("group {} of clusterAutoscaler {what}", group.name);
                Err(ScenarioError::new("clusterAutoscaler", &group.name, message))
            };
            if !names.insert(&group.name) {
                return wrong("stands twice");
            }
            if group.min.zip(group.max).is_some_and(|(min, max)| min > max) {
                return wrong("has a min above its max");
            }
        }
    }
    for pool in scenario.karpenter.iter().flat_map(|karpenter| &karpenter.pools) {
        if pool.zones.is_empty() {
            let message = format!("pool {} has no zones; name one or more", pool.name);
            return Err(ScenarioError::new("karpenter", &pool.name, message));
        }
    }
    Ok(())
}

/// Refuses events about what is not there.
pub(super) fn events(world: &World, scenario: &Scenario) -> Result<(), ScenarioError> {
    for event in &scenario.events {
        let wrong = |name: &str, message: String| Err(ScenarioError::new("events", name, message));
        match &event.deed {
            Deed::Cordon { node, .. }
            | Deed::DeleteNode { node }
            | Deed::LabelNode { node, .. }
            | Deed::TaintNode { node, .. }
            | Deed::SilenceNode { node, .. } => {
                if let Some(complaint) = node.complaint() {
                    return wrong("node", format!("an event has a node that is none: {complaint}"));
                }
            }
            Deed::DeleteBudget { namespace, name } | Deed::ChangeBudget { namespace, name, .. } => {
                let names = world.kube.budget_names.get(namespace.as_str());
                if names.is_none_or(|names| !names.contains_key(name)) {
                    return wrong(
                        name,
                        format!("an event is about budget {namespace}/{name}, which is not there"),
                    );
                }
                if let Deed::ChangeBudget { min_available: Some(_), max_unavailable: Some(_), .. } =
                    &event.deed
                {
                    let message = format!(
                        "budget {namespace}/{name} is to have minAvailable and maxUnavailable; say one"
                    );
                    return wrong(name, message);
                }
            }
            Deed::DeleteWorkload { kind, namespace, name, .. } => {
                known(world, *kind, namespace, name)?;
            }
            Deed::ScaleDeployment { namespace, name, .. } => {
                known(world, Deployment, namespace, name)?;
            }
            Deed::RestartAutoscaler {} if scenario.cluster_autoscaler.is_none() => {
                return wrong("restart-autoscaler", "there is no clusterAutoscaler to restart".to_owned());
            }
            // These come and go.
            Deed::RestartAutoscaler {}
            | Deed::DeleteLease { .. }
            | Deed::DeletePod { .. }
            | Deed::RemoveFinalizers { .. } => {}
        }
    }
    Ok(())
}

fn known(world: &World, kind: WorkloadWord, namespace: &str, name: &str) -> Result<(), ScenarioError> {
    let word = kind.as_str();
    let wrong = |message: String| Err(ScenarioError::new("events", name, message));
    let Some(kind) = kind.workload() else {
        return wrong(format!("a {word} is no workload; say delete-pod"));
    };
    let reference =
        eks_provider::kube::WorkloadRef { kind, namespace: namespace.to_owned(), name: name.to_owned() };
    if world.kube.workload_named(&reference).is_some() {
        return Ok(());
    }
    wrong(format!("an event is about {word} {namespace}/{name}, which is not there"))
}
