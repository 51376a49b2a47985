//! Events: what is said about objects, for people who look at them.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::Result;
use crate::calls::provider;
use crate::kube::ObjectRef;
use crate::text::words;

words! {
    /// Whether an event is a reason to look.
    pub enum EventType {
        /// It is not.
        Normal = "Normal",
        /// It is.
        Warning = "Warning",
    }
}

/// An event that somebody has told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Event {
    /// What it is about.
    pub regarding: ObjectRef,
    /// Whether it is a reason to look.
    pub kind: EventType,
    /// Why, in one word: `FailedScheduling`.
    pub reason: String,
    /// A sentence.
    pub note: String,
    /// Who says so.
    pub reporting_controller: Option<String>,
    /// How often it was said.
    pub count: u32,
    /// When it was last said.
    pub last_seen: Option<Timestamp>,
}

/// An event to tell.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct NewEvent {
    /// The name of the object: the same a second time is [`Class::Conflict`](crate::Class::Conflict),
    /// which makes the call safe to repeat.
    pub name: String,
    /// What it is about. For an object without a namespace, the event goes to `default`.
    pub regarding: ObjectRef,
    /// Whether it is a reason to look.
    pub kind: EventType,
    /// Why, in one word, at most 128 characters.
    pub reason: String,
    /// What is being done, in one word.
    pub action: String,
    /// A sentence, at most 1,024 characters.
    pub note: String,
    /// Who says so: `eks-roll-nodes`.
    pub reporting_controller: String,
    /// Which of them: the run.
    pub reporting_instance: String,
    /// When.
    pub event_time: Timestamp,
}

provider! {
    /// Reads events.
    #[access(Read)]
    pub trait EventReader {
        /// What was said about an object, the newest first. The API server forgets after an hour or so.
        #[rbac(["list"] "events.k8s.io" / "events")]
        async fn list_events(&self, regarding: &ObjectRef) -> Result<Vec<Event>>;
    }
}

provider! {
    /// Tells events. What cannot be told is no reason to stop.
    #[access(Write)]
    pub trait EventWriter {
        /// Tells one.
        #[rbac(["create"] "events.k8s.io" / "events")]
        async fn create_event(&self, event: &NewEvent) -> Result<()>;
    }
}
