//! Pods, their evictions, and budgets.

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use eks_provider::Result;
use eks_provider::kube::{
    Budget, BudgetReader, DeletePod, EvictPod, EvictionOutcome, EvictionProbe, LabelSelector, Page,
    PageRequest, Pod, PodEvictor, PodQuery, PodReader,
};

use super::super::objects::{PodId, ShapeId};
use super::super::state::{Kind, State, uid};
use super::super::{eviction, pods, render};
use super::{Call, page};
use crate::Sim;

/// The templates that a query means; `None` means all.
fn shapes(state: &State, query: &PodQuery, call: &Call) -> Result<Option<BTreeSet<ShapeId>>> {
    if query.selector == LabelSelector::default() {
        return Ok(None);
    }
    let mut found = BTreeSet::new();
    for id in state.shapes_of(query.namespace.as_deref()) {
        let Some(shape) = state.shape(id) else { continue };
        match query.selector.matches(&shape.template.labels) {
            Some(true) => {
                found.insert(id);
            }
            Some(false) => {}
            None => return Err(call.invalid("the selector has an operator that is not known")),
        }
    }
    Ok(Some(found))
}

fn list(state: &State, query: &PodQuery, request: &PageRequest, call: &Call) -> Result<Page<Pod>> {
    let shapes = shapes(state, query, call)?;
    let keyed = |id: PodId| {
        let pod = state.pods.get(&id)?;
        let shape = state.shape(pod.shape)?;
        if shapes.as_ref().is_some_and(|shapes| !shapes.contains(&pod.shape))
            || query.namespace.as_ref().is_some_and(|namespace| **namespace != *shape.namespace)
        {
            return None;
        }
        Some((format!("{}\u{0}{}", shape.namespace, pod.name), id))
    };
    let few: Option<Vec<PodId>> = match (&query.node_name, &shapes) {
        (Some(node), _) => {
            let node = state.node_named(node).and_then(|id| state.nodes.get(&id));
            Some(node.map(|node| node.pods.iter().copied().collect()).unwrap_or_default())
        }
        (None, Some(shapes)) => Some(
            shapes
                .iter()
                .filter_map(|id| state.shape(*id))
                .flat_map(|shape| shape.pods.iter().copied())
                .collect(),
        ),
        (None, None) => None,
    };
    let chosen = match few {
        Some(ids) => {
            let sorted: BTreeMap<String, PodId> = ids.into_iter().filter_map(keyed).collect();
            page(sorted.into_iter().collect(), request)
        }
        None => walk(state, query, request),
    };
    Ok(Page {
        items: chosen.items.into_iter().filter_map(|id| render::pod(state, id)).collect(),
        next: chosen.next,
        consistent: chosen.consistent,
    })
}

/// A page of all Pods, or of a namespace's, from where the last one ended.
fn walk(state: &State, query: &PodQuery, request: &PageRequest) -> Page<PodId> {
    let limit = usize::try_from(request.limit.max(1)).unwrap_or(usize::MAX);
    let after = request.after.as_ref().and_then(|after| after.split_once('\u{0}'));
    let mut items = Vec::new();
    let mut last = None;
    for (namespace, names) in &state.pod_names {
        if query.namespace.as_ref().is_some_and(|only| **only != **namespace)
            || after.is_some_and(|(after, _)| **namespace < *after)
        {
            continue;
        }
        let from = after.filter(|(after, _)| **namespace == **after).map(|(_, name)| name);
        let range = match from {
            Some(name) => {
                names.range::<str, _>((std::ops::Bound::Excluded(name), std::ops::Bound::Unbounded))
            }
            None => names.range::<str, _>(..),
        };
        for (name, id) in range {
            if items.len() == limit {
                return Page { items, next: last, consistent: true };
            }
            items.push(*id);
            last = Some(format!("{namespace}\u{0}{name}"));
        }
    }
    Page { items, next: None, consistent: true }
}

#[async_trait]
impl PodReader for Sim {
    async fn list_pods(&self, query: &PodQuery, request: &PageRequest) -> Result<Page<Pod>> {
        self.kube_read_as("list pods", "pods", query.freshness, |state, call| {
            list(state, query, request, call)
        })
        .await
    }

    async fn get_pod(&self, namespace: &str, name: &str) -> Result<Pod> {
        self.kube_read("get pods", format!("pod {namespace}/{name}"), |state, call| {
            let pod = state.pod_named(namespace, name).and_then(|id| render::pod(state, id));
            pod.ok_or_else(|| call.not_found())
        })
        .await
    }
}

const EVICT: &str = "create pods/eviction";

#[async_trait]
impl EvictionProbe for Sim {
    async fn probe_eviction(&self, pod: &EvictPod) -> Result<EvictionOutcome> {
        let target = format!("pod {}/{}", pod.namespace, pod.name);
        self.kube_write(EVICT, target, |world, _| Ok(eviction::evict(world, pod, true))).await
    }
}

#[async_trait]
impl PodEvictor for Sim {
    async fn evict_pod(&self, pod: &EvictPod) -> Result<EvictionOutcome> {
        let target = format!("pod {}/{}", pod.namespace, pod.name);
        self.kube_write(EVICT, target, |world, _| Ok(eviction::evict(world, pod, false))).await
    }

    async fn delete_pod(&self, pod: &DeletePod) -> Result<()> {
        let target = format!("pod {}/{}", pod.namespace, pod.name);
        self.kube_write("delete pods", target, |world, call| {
            let id = world.kube.pod_named(&pod.namespace, &pod.name).ok_or_else(|| call.not_found())?;
            if uid(Kind::Pod, id.0) != pod.uid {
                return Err(call.conflict("the Pod has another uid"));
            }
            world.kube.observer.deleted_past_budgets += 1;
            pods::delete(world, id, pod.grace_period);
            Ok(())
        })
        .await
    }
}

#[async_trait]
impl BudgetReader for Sim {
    async fn list_budgets(&self) -> Result<Vec<Budget>> {
        self.kube_read("list poddisruptionbudgets", "budgets", |state, _| {
            let ids = state.budget_names.values().flat_map(BTreeMap::values);
            Ok(ids.filter_map(|id| state.budgets.get(id)).map(|budget| budget.object.clone()).collect())
        })
        .await
    }

    async fn get_budget(&self, namespace: &str, name: &str) -> Result<Budget> {
        self.kube_read("get poddisruptionbudgets", format!("budget {namespace}/{name}"), |state, call| {
            let id = state.budget_names.get(namespace).and_then(|names| names.get(name));
            let budget = id.and_then(|id| state.budgets.get(id));
            budget.map(|budget| budget.object.clone()).ok_or_else(|| call.not_found())
        })
        .await
    }
}
