//! Events: what is said about objects, for people.

use eks_provider::kube::{self as api, EventType, ObjectRef};

use super::objects::PodId;
use super::state;
use crate::World;

/// How many events are kept in all; the API server forgets them after an hour.
const KEPT: usize = 20_000;

/// Says something of a Pod. What is said again is counted.
pub(crate) fn about_pod(world: &mut World, id: PodId, kind: EventType, reason: &str, note: &str) {
    let Some((shape, pod)) = world.kube.shape_of(id).zip(world.kube.pods.get(&id)) else { return };
    let regarding = ObjectRef {
        api_version: "v1".to_owned(),
        kind: "Pod".to_owned(),
        namespace: Some(shape.namespace.to_string()),
        name: pod.name.to_string(),
        uid: Some(state::uid(state::Kind::Pod, id.0)),
    };
    say(world, regarding, kind, reason, note);
}

/// Says something of an object.
pub(crate) fn say(world: &mut World, regarding: ObjectRef, kind: EventType, reason: &str, note: &str) {
    let now = world.now();
    let key = subject(&regarding);
    let about = world.kube.events.entry(key).or_default();
    let name = format!("{reason}:{note}");
    match about.get_mut(&name) {
        Some(event) => {
            event.count += 1;
            event.last_seen = Some(now);
        }
        None => {
            about.insert(
                name,
                api::Event {
                    regarding,
                    kind,
                    reason: reason.to_owned(),
                    note: note.to_owned(),
                    reporting_controller: Some("eks-sim".to_owned()),
                    count: 1,
                    last_seen: Some(now),
                },
            );
        }
    }
    if world.kube.events.len() > KEPT {
        world.kube.events.pop_first();
    }
}

/// Under what the events of an object are kept.
pub(crate) fn subject(regarding: &ObjectRef) -> (String, String) {
    (regarding.namespace.clone().unwrap_or_default(), format!("{}/{}", regarding.kind, regarding.name))
}
