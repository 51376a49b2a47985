//! What every object has, how objects refer to each other, and pages of them.

use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::time::Duration;

use jiff::Timestamp;

/// What every object has. The default is an object without a name, for tests.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ObjectMeta {
    /// Its name.
    pub name: String,
    /// Its namespace; `None` for what is of the whole cluster.
    pub namespace: Option<String>,
    /// What tells it from all objects that had or will have its name.
    pub uid: String,
    /// What tells this state of it from every other one. Opaque.
    pub resource_version: String,
    /// How often its specification was changed.
    pub generation: Option<i64>,
    /// When it was made.
    pub creation_timestamp: Option<Timestamp>,
    /// When it is to be gone, where somebody has asked for that.
    pub deletion_timestamp: Option<Timestamp>,
    /// How long it was given to end.
    pub deletion_grace_period: Option<Duration>,
    /// Its labels.
    pub labels: BTreeMap<String, String>,
    /// Its annotations.
    pub annotations: BTreeMap<String, String>,
    /// Whom it belongs to.
    pub owner_references: Vec<OwnerReference>,
    /// What must be done before it is gone.
    pub finalizers: BTreeSet<String>,
}

impl ObjectMeta {
    /// The owner that controls it, where it has one.
    pub fn controller(&self) -> Option<&OwnerReference> {
        self.owner_references.iter().find(|owner| owner.controller)
    }

    /// Whether somebody has asked for its end.
    pub fn is_terminating(&self) -> bool {
        self.deletion_timestamp.is_some()
    }
}

/// As people write it: `shop/db-1`, or `ip-10-0-1-17` without a namespace.
impl fmt::Display for ObjectMeta {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.namespace {
            Some(namespace) => write!(f, "{namespace}/{}", self.name),
            None => f.write_str(&self.name),
        }
    }
}

/// Whom an object belongs to.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct OwnerReference {
    /// `apps/v1`.
    pub api_version: String,
    /// `ReplicaSet`.
    pub kind: String,
    /// Its name; it is in the same namespace, or in none.
    pub name: String,
    /// Its uid.
    pub uid: String,
    /// Whether it controls the object. At most one does.
    pub controller: bool,
}

/// An object, by what it is called.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ObjectRef {
    /// `apps/v1`.
    pub api_version: String,
    /// `Deployment`.
    pub kind: String,
    /// Its namespace, where it is in one.
    pub namespace: Option<String>,
    /// Its name.
    pub name: String,
    /// Its uid, where it is known.
    pub uid: Option<String>,
}

/// An object of a namespace, by name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct NamespacedName {
    /// The namespace.
    pub namespace: String,
    /// The name.
    pub name: String,
}

impl NamespacedName {
    /// This object.
    pub fn new(namespace: impl Into<String>, name: impl Into<String>) -> Self {
        Self { namespace: namespace.into(), name: name.into() }
    }
}

impl fmt::Display for NamespacedName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.namespace, self.name)
    }
}

/// How new an answer must be.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Freshness {
    /// As new as the moment of the question: what every decision that cannot be undone needs.
    #[default]
    MostRecent,
    /// What a cache has, which may lag behind.
    Any,
}

/// Which page is asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PageRequest {
    /// How many objects at most.
    pub limit: u32,
    /// [`Page::next`] of the page before; `None` for the first.
    pub after: Option<String>,
}

impl PageRequest {
    /// The first page, of so many objects.
    pub fn first(limit: u32) -> Self {
        Self { limit, after: None }
    }
}

/// Some of many objects.
///
/// ```
/// use eks_provider::kube::{Page, PageRequest};
///
/// // What stands for `pods.list_pods(&query, &request).await`:
/// let answer = |request: &PageRequest| match request.after.as_deref() {
///     None => Page { items: vec!["a", "b"], next: Some("token".to_owned()), consistent: true },
///     Some(_) => Page { items: vec!["c"], next: None, consistent: true },
/// };
/// let mut request = Some(PageRequest::first(2));
/// let mut seen = Vec::new();
/// while let Some(page) = request.take().map(|request| answer(&request)) {
///     request = page.next_request(2);
///     seen.extend(page.items);
/// }
/// assert_eq!(seen, ["a", "b", "c"]);
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Page<T> {
    /// The objects, in the order of the API server, which is that of namespace and name.
    pub items: Vec<T>,
    /// What to ask for next; `None` after the last page.
    pub next: Option<String>,
    /// Whether all pages so far show one moment. The API server forgets a moment after a few minutes
    /// (410); the adapter then goes on from where it was, at a later moment, and says `false`: an
    /// object that was made or deleted in between may be missing or be there.
    pub consistent: bool,
}

impl<T> Page<T> {
    /// The only page.
    pub fn only(items: Vec<T>) -> Self {
        Self { items, next: None, consistent: true }
    }

    /// How to ask for the page after this one; `None` after the last.
    pub fn next_request(&self, limit: u32) -> Option<PageRequest> {
        self.next.clone().map(|next| PageRequest { limit, after: Some(next) })
    }
}

/// A condition of an object.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Condition {
    /// What it is about: `Ready`.
    pub kind: String,
    /// Whether it holds.
    pub status: ConditionStatus,
    /// Why, in one word.
    pub reason: Option<String>,
    /// Why, in a sentence.
    pub message: Option<String>,
    /// When it last changed.
    pub last_transition_time: Option<Timestamp>,
    /// When it was last looked at (nodes), where that is said.
    pub last_heartbeat_time: Option<Timestamp>,
    /// For which generation of the object it holds, where that is said.
    pub observed_generation: Option<i64>,
}

crate::text::words! {
    /// Whether a condition holds.
    pub enum ConditionStatus {
        /// It does.
        True = "True",
        /// It does not.
        False = "False",
        /// Nobody knows. Never the same as `True`.
        Unknown = "Unknown",
    }
}

/// The condition of this kind.
pub fn condition<'a>(conditions: &'a [Condition], kind: &str) -> Option<&'a Condition> {
    conditions.iter().find(|condition| condition.kind == kind)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_controller_is_the_owner_that_says_so() {
        let owner = |kind: &str, controller| OwnerReference {
            api_version: "apps/v1".to_owned(),
            kind: kind.to_owned(),
            name: "web".to_owned(),
            uid: "u".to_owned(),
            controller,
        };
        let mut meta = ObjectMeta { owner_references: vec![owner("Node", false)], ..ObjectMeta::default() };
        assert_eq!(meta.controller(), None);
        meta.owner_references.push(owner("ReplicaSet", true));
        assert_eq!(meta.controller().map(|owner| owner.kind.as_str()), Some("ReplicaSet"));
    }
}
