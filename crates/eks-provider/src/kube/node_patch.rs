//! A change of a node that leaves alone what others have set on it.

use std::collections::BTreeMap;

use crate::kube::{Node, Taint};

/// A change of a node, made from the node as it was read. What others have set stays as it is, byte
/// for byte.
///
/// Taints are one list in the API: who sends a list overwrites all of it. So the whole new list
/// is computed here from the one that was read, and the adapter sends it with a test of the uid and the
/// resourceVersion (JSON patch): when somebody else was faster the call is a conflict, and the change
/// is made again from a fresh read.
///
/// ```
/// use eks_provider::kube::{NodePatch, Taint, TaintEffect};
/// # use eks_provider::mock::sample;
/// # let taint = |key: &str| Taint {
/// #     key: key.to_owned(), value: None, effect: TaintEffect::NoSchedule, time_added: None,
/// # };
/// let mut node = sample::node("ip-10-0-1-17");
/// node.taints = vec![taint("their/own")];
/// let patch = NodePatch::of(&node).cordon(true).label("example/state", "draining").taint(taint("ours"));
/// assert_eq!(patch.taints(), Some(&[taint("their/own"), taint("ours")] as &[Taint]));
/// assert_eq!(patch.unschedulable(), Some(true));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodePatch {
    name: String,
    uid: String,
    resource_version: String,
    read_taints: Vec<Taint>,
    taints: Vec<Taint>,
    unschedulable: Option<bool>,
    labels: BTreeMap<String, Option<String>>,
    annotations: BTreeMap<String, Option<String>>,
    dry_run: bool,
}

impl NodePatch {
    /// A change of this node that changes nothing yet.
    pub fn of(node: &Node) -> Self {
        Self {
            name: node.meta.name.clone(),
            uid: node.meta.uid.clone(),
            resource_version: node.meta.resource_version.clone(),
            read_taints: node.taints.clone(),
            taints: node.taints.clone(),
            unschedulable: None,
            labels: BTreeMap::new(),
            annotations: BTreeMap::new(),
            dry_run: false,
        }
    }

    /// Sets a taint, in the place of one of the same key and effect.
    #[must_use]
    pub fn taint(mut self, taint: Taint) -> Self {
        let same = |other: &&mut Taint| other.key == taint.key && other.effect == taint.effect;
        match self.taints.iter_mut().find(same) {
            Some(other) => *other = taint,
            None => self.taints.push(taint),
        }
        self
    }

    /// Takes all taints of this key away.
    #[must_use]
    pub fn untaint(mut self, key: &str) -> Self {
        self.taints.retain(|taint| taint.key != key);
        self
    }

    /// Keeps Pods from coming, or no longer.
    #[must_use]
    pub fn cordon(mut self, unschedulable: bool) -> Self {
        self.unschedulable = Some(unschedulable);
        self
    }

    /// Sets a label.
    #[must_use]
    pub fn label(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.labels.insert(key.into(), Some(value.into()));
        self
    }

    /// Takes a label away.
    #[must_use]
    pub fn unlabel(mut self, key: impl Into<String>) -> Self {
        self.labels.insert(key.into(), None);
        self
    }

    /// Sets an annotation.
    #[must_use]
    pub fn annotate(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.annotations.insert(key.into(), Some(value.into()));
        self
    }

    /// Takes an annotation away.
    #[must_use]
    pub fn unannotate(mut self, key: impl Into<String>) -> Self {
        self.annotations.insert(key.into(), None);
        self
    }

    /// Has the API server check it and change nothing.
    #[must_use]
    pub fn dry_run(mut self) -> Self {
        self.dry_run = true;
        self
    }

    /// The name of the node.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The uid that the node must have.
    pub fn uid(&self) -> &str {
        &self.uid
    }

    /// The resourceVersion that the node must have.
    pub fn resource_version(&self) -> &str {
        &self.resource_version
    }

    /// The whole new list of taints; `None` where they stay as they are.
    pub fn taints(&self) -> Option<&[Taint]> {
        (self.taints != self.read_taints).then_some(self.taints.as_slice())
    }

    /// Whether Pods are to be kept from coming; `None` where that stays as it is.
    pub fn unschedulable(&self) -> Option<bool> {
        self.unschedulable
    }

    /// Labels to set, or to take away (`None`).
    pub fn labels(&self) -> &BTreeMap<String, Option<String>> {
        &self.labels
    }

    /// Annotations to set, or to take away (`None`).
    pub fn annotations(&self) -> &BTreeMap<String, Option<String>> {
        &self.annotations
    }

    /// Whether nothing is to be changed really.
    pub fn is_dry_run(&self) -> bool {
        self.dry_run
    }

    /// Whether it changes nothing: no call is needed.
    pub fn is_empty(&self) -> bool {
        self.taints().is_none()
            && self.unschedulable.is_none()
            && self.labels.is_empty()
            && self.annotations.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kube::TaintEffect;
    use crate::mock::sample;
    use proptest::prelude::*;

    fn taint(key: &str, value: &str, effect: TaintEffect) -> Taint {
        Taint { key: key.to_owned(), value: Some(value.to_owned()), effect, time_added: None }
    }

    fn node(taints: Vec<Taint>) -> Node {
        Node { taints, ..sample::node("n") }
    }

    #[test]
    fn a_taint_replaces_only_one_of_its_own_key_and_effect() {
        let other_effect = taint("a", "1", TaintEffect::NoSchedule);
        let node = node(vec![other_effect.clone(), taint("a", "1", TaintEffect::NoExecute)]);
        let new = taint("a", "2", TaintEffect::NoExecute);
        let patch = NodePatch::of(&node).taint(new.clone());
        assert_eq!(patch.taints(), Some(&[other_effect, new] as &[Taint]));
    }

    #[test]
    fn what_changes_nothing_is_empty() {
        let node = node(vec![taint("a", "1", TaintEffect::NoSchedule)]);
        assert!(NodePatch::of(&node).is_empty());
        assert!(NodePatch::of(&node).untaint("b").is_empty());
        assert!(NodePatch::of(&node).taint(taint("a", "1", TaintEffect::NoSchedule)).is_empty());
        // Whether the node has the label is not what decides: the patch says what shall be.
        assert!(!NodePatch::of(&node).unlabel("x").is_empty());
        assert_eq!(NodePatch::of(&node).untaint("a").taints(), Some(&[] as &[Taint]));
    }

    proptest! {
        #[test]
        fn foreign_taints_survive_in_their_order(keys in proptest::collection::vec("[a-e]", 0..6)) {
            let taints: Vec<Taint> = keys.iter().map(|key| taint(key, "v", TaintEffect::NoSchedule)).collect();
            let ours = taint("ours", "v", TaintEffect::NoSchedule);
            let patch = NodePatch::of(&node(taints.clone())).taint(ours).untaint("c");
            let foreign: Vec<Taint> = taints.into_iter().filter(|taint| taint.key != "c").collect();
            let list = patch.taints().unwrap();
            prop_assert_eq!(&list[..list.len() - 1], foreign.as_slice());
            prop_assert_eq!(list.last().map(|taint| taint.key.as_str()), Some("ours"));
            // And what was set is taken away without a trace.
            let back = NodePatch::of(&node(list.to_vec())).untaint("ours");
            prop_assert_eq!(back.taints(), Some(foreign.as_slice()));
        }
    }
}
