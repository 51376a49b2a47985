//! Rules about the Pods beside a Pod: affinity, anti-affinity (its own and that of others), spread.

use std::collections::{BTreeMap, BTreeSet};

use eks_provider::kube::{self as api, LabelSelector, PodAffinityTerm, TopologySpreadConstraint};

use super::super::objects::{Node, NodeId, Shape, ShapeId};
use super::super::state::State;

/// What is asked of a node because of other Pods.
#[derive(Debug, Default)]
pub(crate) struct Apart {
    /// A label, and the values that it must not have.
    forbidden: Vec<(String, BTreeSet<String>)>,
    /// A label, and the values of which it must have one.
    required: Vec<(String, BTreeSet<String>)>,
    /// A label, and the values that are full.
    uneven: Vec<(String, BTreeSet<String>)>,
    /// A label, its values, and what they are worth.
    preferred: Vec<(String, BTreeSet<String>, i64)>,
}

/// Whether a term is about Pods of a shape.
fn is_about(state: &State, term: &PodAffinityTerm, own_namespace: &str, own: &Shape, other: &Shape) -> bool {
    let in_namespace = if term.namespaces.is_empty() && term.namespace_selector.is_none() {
        &*other.namespace == own_namespace
    } else {
        term.namespaces.iter().any(|namespace| **namespace == *other.namespace)
            || term.namespace_selector.as_ref().is_some_and(|selector| {
                state
                    .namespaces
                    .get(&other.namespace)
                    .is_some_and(|namespace| selector.matches(&namespace.meta.labels) == Some(true))
            })
    };
    in_namespace && selects(term.selector.as_ref(), &term.match_label_keys, own, other)
}

fn selects(selector: Option<&LabelSelector>, keys: &[String], own: &Shape, other: &Shape) -> bool {
    let labels = &other.template.labels;
    selector.is_some_and(|selector| selector.matches(labels) == Some(true))
        && keys.iter().all(|key| labels.get(key) == own.template.labels.get(key))
}

/// The values of a label on the nodes of Pods of a shape, with how many Pods.
fn values(state: &State, shape: &Shape, key: &str, into: &mut BTreeMap<String, u32>) {
    for (node, number) in &shape.on_nodes {
        if let Some(value) = state.nodes.get(node).and_then(|node| node.object.meta.labels.get(key)) {
            *into.entry(value.clone()).or_default() += number;
        }
    }
}

fn places(state: &State, own: &Shape, term: &PodAffinityTerm) -> BTreeSet<String> {
    let mut found = BTreeMap::new();
    let own_only = term.namespaces.is_empty() && term.namespace_selector.is_none();
    for id in state.shapes_of(own_only.then_some(&*own.namespace)) {
        if let Some(other) = state.shape(id)
            && !other.on_nodes.is_empty()
            && is_about(state, term, &own.namespace, own, other)
        {
            values(state, other, &term.topology_key, &mut found);
        }
    }
    found.into_keys().collect()
}

impl Apart {
    /// What is asked for a Pod of a shape.
    pub(crate) fn of(state: &State, id: ShapeId, shape: &Shape) -> Self {
        let mut apart = Self::default();
        let affinity = &shape.template.spec.affinity;
        for term in &affinity.required_anti_pods {
            apart.forbidden.push((term.topology_key.clone(), places(state, shape, term)));
        }
        for term in &affinity.required_pods {
            let found = places(state, shape, term);
            // The first of a series that is to be near itself may go anywhere.
            if found.is_empty() && is_about(state, term, &shape.namespace, shape, shape) {
                continue;
            }
            apart.required.push((term.topology_key.clone(), found));
        }
        for (terms, sign) in [(&affinity.preferred_pods, 1), (&affinity.preferred_anti_pods, -1)] {
            for (weight, term) in terms {
                let worth = i64::from(*weight) * sign;
                apart.preferred.push((term.topology_key.clone(), places(state, shape, term), worth));
            }
        }
        // Others that are there already may not want it beside them.
        for other_id in &state.shapes_apart {
            let Some(other) = state.shape(*other_id).filter(|other| !other.on_nodes.is_empty()) else {
                continue;
            };
            if *other_id == id {
                continue;
            }
            for term in &other.template.spec.affinity.required_anti_pods {
                if is_about(state, term, &other.namespace, other, shape) {
                    let mut found = BTreeMap::new();
                    values(state, other, &term.topology_key, &mut found);
                    apart.forbidden.push((term.topology_key.clone(), found.into_keys().collect()));
                }
            }
        }
        for constraint in &shape.template.spec.topology_spread {
            apart.spread(state, shape, constraint);
        }
        apart
    }

    /// <https://kubernetes.io/docs/concepts/scheduling-eviction/topology-spread-constraints/> (2026-11)
    fn spread(&mut self, state: &State, shape: &Shape, constraint: &TopologySpreadConstraint) {
        let key = &constraint.topology_key;
        let honours = |policy: &Option<String>, default: bool| match policy.as_deref() {
            Some("Honor") => true,
            Some(_) => false,
            None => default,
        };
        let mut numbers: BTreeMap<String, u32> = BTreeMap::new();
        for node in state.nodes.values() {
            let Some(value) = node.object.meta.labels.get(key) else { continue };
            let eligible = (!honours(&constraint.node_affinity_policy, true)
                || super::label_refusal(shape, &node.object).is_none())
                && (!honours(&constraint.node_taints_policy, false)
                    || super::taint_refusal(shape, &node.object, false).is_none());
            if eligible && !numbers.contains_key(value) {
                numbers.insert(value.clone(), 0);
            }
        }
        let mut there = BTreeMap::new();
        let mut selects_itself = false;
        for id in state.shapes_of(Some(&*shape.namespace)) {
            let Some(other) = state.shape(id) else { continue };
            if selects(constraint.selector.as_ref(), &constraint.match_label_keys, shape, other) {
                values(state, other, key, &mut there);
            }
        }
        if selects(constraint.selector.as_ref(), &constraint.match_label_keys, shape, shape) {
            selects_itself = true;
        }
        for (value, number) in &mut numbers {
            *number = there.get(value).copied().unwrap_or_default();
        }
        let few = constraint.min_domains.is_some_and(|least| numbers.len() < least as usize);
        let fewest = if few { 0 } else { numbers.values().min().copied().unwrap_or_default() };
        let full: BTreeSet<String> = numbers
            .iter()
            .filter(|(_, number)| {
                (**number + u32::from(selects_itself)).saturating_sub(fewest) > constraint.max_skew
            })
            .map(|(value, _)| value.clone())
            .collect();
        if constraint.when_unsatisfiable == "DoNotSchedule" {
            self.uneven.push((key.clone(), full));
        } else {
            self.preferred.push((key.clone(), full, -10));
        }
    }

    /// Why a node does not suit; `None` where it does.
    pub(crate) fn refusal(&self, _id: NodeId, node: &Node) -> Option<String> {
        let value = |key: &str| node.object.meta.labels.get(key);
        let has = |(key, values): &(String, BTreeSet<String>)| {
            value(key).is_some_and(|value| values.contains(value))
        };
        if self.forbidden.iter().any(has) {
            return Some("node(s) didn't match pod anti-affinity rules".to_owned());
        }
        if !self.required.iter().all(has) {
            return Some("node(s) didn't match pod affinity rules".to_owned());
        }
        let uneven =
            self.uneven.iter().any(|(key, full)| value(key).is_none_or(|value| full.contains(value)));
        uneven.then(|| "node(s) didn't match pod topology spread constraints".to_owned())
    }

    /// How much a node is preferred.
    pub(crate) fn preference(&self, _state: &State, node: &Node) -> i64 {
        self.preferred
            .iter()
            .filter(|(key, values, _)| {
                node.object.meta.labels.get(key).is_some_and(|value| values.contains(value))
            })
            .map(|(_, _, worth)| worth)
            .sum()
    }
}

/// A selector of nodes by one label.
pub(crate) fn nodes_with(key: &str, value: &str) -> api::NodeSelector {
    let requirement = api::Requirement {
        key: key.to_owned(),
        operator: api::SelectorOperator::In,
        values: BTreeSet::from([value.to_owned()]),
    };
    let term = api::NodeSelectorTerm { match_expressions: vec![requirement], match_fields: Vec::new() };
    api::NodeSelector { terms: vec![term] }
}
