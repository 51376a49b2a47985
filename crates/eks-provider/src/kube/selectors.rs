//! Selectors: which objects are meant, by their labels.

use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

use crate::text::words;

words! {
    /// How a key is compared.
    pub enum SelectorOperator {
        /// The value is one of these.
        In = "In",
        /// The value is none of these, or there is no such key.
        NotIn = "NotIn",
        /// There is such a key.
        Exists = "Exists",
        /// There is no such key.
        DoesNotExist = "DoesNotExist",
        /// The value is a number above this one (node selectors only).
        Gt = "Gt",
        /// The value is a number below this one (node selectors only).
        Lt = "Lt",
    }
}

/// One comparison.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Requirement {
    /// The key of the label.
    pub key: String,
    /// How.
    pub operator: SelectorOperator,
    /// With what.
    pub values: BTreeSet<String>,
}

impl Requirement {
    /// Whether labels meet it; `None` where the comparison is not known or its number is none.
    pub fn matches(&self, labels: &BTreeMap<String, String>) -> Option<bool> {
        let value = labels.get(&self.key);
        Some(match &self.operator {
            SelectorOperator::In => value.is_some_and(|value| self.values.contains(value)),
            SelectorOperator::NotIn => value.is_none_or(|value| !self.values.contains(value)),
            SelectorOperator::Exists => value.is_some(),
            SelectorOperator::DoesNotExist => value.is_none(),
            SelectorOperator::Gt => self.compare(value, |value, bound| value > bound)?,
            SelectorOperator::Lt => self.compare(value, |value, bound| value < bound)?,
            SelectorOperator::Other(_) => return None,
        })
    }

    /// A value that is no number meets nothing, as in Kubernetes; a bound that is none is an error there.
    fn compare(&self, value: Option<&String>, holds: fn(i64, i64) -> bool) -> Option<bool> {
        let mut bounds = self.values.iter();
        let (Some(bound), None) = (bounds.next(), bounds.next()) else { return None };
        let bound: i64 = bound.parse().ok()?;
        Some(value.and_then(|value| value.parse().ok()).is_some_and(|value| holds(value, bound)))
    }
}

/// Which objects, by their labels: all comparisons hold. An empty one means every object.
///
/// ```
/// use eks_provider::kube::LabelSelector;
/// let labels = |app: &str| [("app".to_owned(), app.to_owned())].into();
/// let selector = LabelSelector { match_labels: labels("db"), ..LabelSelector::default() };
/// assert_eq!(selector.matches(&labels("db")), Some(true));
/// assert_eq!(selector.matches(&labels("web")), Some(false));
/// assert_eq!(LabelSelector::default().matches(&labels("web")), Some(true));
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LabelSelector {
    /// Labels that must be there with these values.
    pub match_labels: BTreeMap<String, String>,
    /// Further comparisons.
    pub match_expressions: Vec<Requirement>,
}

impl LabelSelector {
    /// Whether labels are meant; `None` where a comparison is not known.
    pub fn matches(&self, labels: &BTreeMap<String, String>) -> Option<bool> {
        if !self.match_labels.iter().all(|(key, value)| labels.get(key) == Some(value)) {
            return Some(false);
        }
        all(self.match_expressions.iter().map(|requirement| requirement.matches(labels)))
    }
}

/// Whether all hold. One that does not hold settles it, whatever is not known of the others.
fn all(answers: impl Iterator<Item = Option<bool>>) -> Option<bool> {
    let mut known = true;
    for answer in answers {
        match answer {
            Some(true) => {}
            Some(false) => return Some(false),
            None => known = false,
        }
    }
    known.then_some(true)
}

/// Whether any holds. One that holds settles it, whatever is not known of the others.
fn any(answers: impl Iterator<Item = Option<bool>>) -> Option<bool> {
    all(answers.map(|answer| answer.map(|holds| !holds))).map(|none| !none)
}

/// Which nodes: any of these terms holds.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct NodeSelector {
    /// The terms. One without any comparison means no node.
    pub terms: Vec<NodeSelectorTerm>,
}

/// All comparisons hold.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct NodeSelectorTerm {
    /// With labels of the node.
    pub match_expressions: Vec<Requirement>,
    /// With fields of the node: `metadata.name` is the only one there is.
    pub match_fields: Vec<Requirement>,
}

impl NodeSelector {
    /// Whether a node of this name with these labels is meant; `None` where that is not known.
    pub fn matches(&self, name: &str, labels: &BTreeMap<String, String>) -> Option<bool> {
        let fields = BTreeMap::from([("metadata.name".to_owned(), name.to_owned())]);
        any(self.terms.iter().map(|term| {
            if term.match_expressions.is_empty() && term.match_fields.is_empty() {
                return Some(false);
            }
            let labels = term.match_expressions.iter().map(|requirement| requirement.matches(labels));
            let fields = term.match_fields.iter().map(|requirement| requirement.matches(&fields));
            all(labels.chain(fields))
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn requirement(key: &str, operator: &str, values: &[&str]) -> Requirement {
        Requirement {
            key: key.to_owned(),
            operator: operator.into(),
            values: values.iter().map(|value| (*value).to_owned()).collect(),
        }
    }

    fn labels() -> BTreeMap<String, String> {
        [("app", "db"), ("size", "4"), ("zone", "a")].map(|(k, v)| (k.to_owned(), v.to_owned())).into()
    }

    #[test]
    fn every_operator_means_what_it_means_in_kubernetes() {
        for (key, operator, values, expected) in [
            ("app", "In", &["db", "web"] as &[&str], Some(true)),
            ("app", "In", &["web"], Some(false)),
            ("none", "In", &["web"], Some(false)),
            ("app", "NotIn", &["web"], Some(true)),
            ("app", "NotIn", &["db"], Some(false)),
            ("none", "NotIn", &["db"], Some(true)),
            ("app", "Exists", &[], Some(true)),
            ("none", "Exists", &[], Some(false)),
            ("app", "DoesNotExist", &[], Some(false)),
            ("none", "DoesNotExist", &[], Some(true)),
            ("size", "Gt", &["3"], Some(true)),
            ("size", "Gt", &["4"], Some(false)),
            ("size", "Lt", &["10"], Some(true)),
            ("app", "Gt", &["3"], Some(false)),
            ("none", "Lt", &["3"], Some(false)),
            ("size", "Gt", &["many"], None),
            ("size", "Gt", &[], None),
            ("size", "Gt", &["1", "2"], None),
            ("size", "Near", &["3"], None),
        ] {
            let answer = requirement(key, operator, values).matches(&labels());
            assert_eq!(answer, expected, "{key} {operator} {values:?}");
        }
    }

    #[test]
    fn a_no_settles_what_an_unknown_leaves_open() {
        let unknown = requirement("app", "Near", &["db"]);
        let no = requirement("app", "In", &["web"]);
        let yes = requirement("app", "In", &["db"]);
        for (expressions, expected) in [
            (vec![unknown.clone(), no.clone()], Some(false)),
            (vec![unknown.clone(), yes.clone()], None),
            (vec![yes.clone()], Some(true)),
        ] {
            let selector = LabelSelector { match_expressions: expressions, ..LabelSelector::default() };
            assert_eq!(selector.matches(&labels()), expected);
        }
        let term = |match_expressions| NodeSelectorTerm { match_expressions, match_fields: Vec::new() };
        for (terms, expected) in [
            (vec![], Some(false)),
            (vec![term(vec![])], Some(false)),
            (vec![term(vec![unknown.clone()]), term(vec![yes])], Some(true)),
            (vec![term(vec![unknown]), term(vec![no])], None),
        ] {
            assert_eq!(NodeSelector { terms }.matches("n", &labels()), expected);
        }
    }

    #[test]
    fn a_node_is_meant_by_its_name() {
        let field = requirement("metadata.name", "In", &["ip-10-0-0-1"]);
        let term = NodeSelectorTerm { match_fields: vec![field], ..NodeSelectorTerm::default() };
        let selector = NodeSelector { terms: vec![term] };
        assert_eq!(selector.matches("ip-10-0-0-1", &labels()), Some(true));
        assert_eq!(selector.matches("ip-10-0-0-2", &labels()), Some(false));
    }
}
