//! Events.

use std::cmp::Reverse;

use async_trait::async_trait;
use eks_provider::Result;
use eks_provider::kube::{Event, EventReader, EventWriter, NewEvent, ObjectRef};
use http::Method;
use k8s_openapi::api::events::v1;
use serde_json::json;

use crate::api::{KubeApi, MANAGER};
use crate::call::{Ask, JSON};
use crate::list::Listing;
use crate::meta::{count, micro_time, moment, object_ref, text, time, to_micro_time};
use crate::resource::{Resource, with_query};

static EVENTS: Resource = Resource::of("events.k8s.io", "v1", "events");
/// Where events about objects without a namespace are.
const DEFAULT: &str = "default";

fn event(found: v1::Event) -> Event {
    let said = found.series.as_ref().map(|series| (count(series.count), moment(series.last_observed_time.0)));
    let last_seen = said.map(|(_, last)| last);
    Event {
        regarding: object_ref(found.regarding.unwrap_or_default()),
        kind: found.type_.as_deref().unwrap_or("Normal").into(),
        reason: found.reason.unwrap_or_default(),
        note: found.note.unwrap_or_default(),
        reporting_controller: text(found.reporting_controller)
            .or(found.deprecated_source.and_then(|source| text(source.component))),
        count: said.map(|(times, _)| times).or(found.deprecated_count.map(count)).unwrap_or(1).max(1),
        last_seen: last_seen
            .or(time(found.deprecated_last_timestamp))
            .or(micro_time(found.event_time))
            .or(time(found.metadata.creation_timestamp)),
    }
}

/// Which events are about an object. By its uid as well, where it has one; a kubelet, though, gives the name of
/// its node for the uid.
fn about(regarding: &ObjectRef) -> String {
    let mut fields =
        vec![format!("regarding.kind={}", regarding.kind), format!("regarding.name={}", regarding.name)];
    if let Some(namespace) = &regarding.namespace {
        fields.push(format!("regarding.namespace={namespace}"));
    }
    if let Some(uid) = regarding.uid.as_ref().filter(|_| regarding.kind != "Node") {
        fields.push(format!("regarding.uid={uid}"));
    }
    fields.join(",")
}

fn shown(regarding: &ObjectRef) -> String {
    match &regarding.namespace {
        Some(namespace) => format!("{} {namespace}/{}", regarding.kind, regarding.name),
        None => format!("{} {}", regarding.kind, regarding.name),
    }
}

#[async_trait]
impl EventReader for KubeApi {
    async fn list_events(&self, regarding: &ObjectRef) -> Result<Vec<Event>> {
        let namespace = regarding.namespace.as_deref().unwrap_or(DEFAULT);
        let mut listing =
            Listing::all(&EVENTS, format!("events about {}", shown(regarding))).namespace(Some(namespace));
        listing.fields = Some(about(regarding));
        let mut found = self.everything(&listing, |found| Ok(event(found))).await?;
        found.sort_by_key(|event| Reverse(event.last_seen));
        Ok(found)
    }
}

#[async_trait]
impl EventWriter for KubeApi {
    async fn create_event(&self, event: &NewEvent) -> Result<()> {
        let regarding = &event.regarding;
        let namespace = regarding.namespace.as_deref().unwrap_or(DEFAULT);
        let address = with_query(&EVENTS.path(Some(namespace)), &[("fieldManager", MANAGER)]);
        let body = json!({
            "apiVersion": "events.k8s.io/v1",
            "kind": "Event",
            "metadata": {"name": event.name, "namespace": namespace},
            "regarding": {
                "apiVersion": regarding.api_version,
                "kind": regarding.kind,
                "namespace": regarding.namespace,
                "name": regarding.name,
                "uid": regarding.uid,
            },
            "type": event.kind.as_str(),
            "reason": event.reason,
            "action": event.action,
            "note": event.note,
            "reportingController": event.reporting_controller,
            "reportingInstance": event.reporting_instance,
            "eventTime": to_micro_time(event.event_time),
        });
        let target = format!("event {namespace}/{} about {}", event.name, shown(regarding));
        let ask = Ask::write(Method::POST, "create events", target, address, (JSON, &body));
        self.bytes(&ask).await.map(drop)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_about_an_object_are_asked_for_by_its_uid_and_about_a_node_by_its_name() {
        let mut object = ObjectRef {
            api_version: "v1".to_owned(),
            kind: "Pod".to_owned(),
            namespace: Some("shop".to_owned()),
            name: "web-1".to_owned(),
            uid: Some("u".to_owned()),
        };
        assert_eq!(
            about(&object),
            "regarding.kind=Pod,regarding.name=web-1,regarding.namespace=shop,regarding.uid=u"
        );
        (object.kind, object.namespace) = ("Node".to_owned(), None);
        assert_eq!(about(&object), "regarding.kind=Node,regarding.name=web-1");
    }

    #[test]
    fn both_ways_to_count_and_to_date_an_event_are_read() {
        let read = |json| event(serde_json::from_value(json).unwrap());
        let new = read(json!({
            "metadata": {}, "eventTime": "2026-11-24T12:00:00.000001Z", "type": "Warning", "reason": "R", "note": "n",
            "reportingController": "scheduler",
            "series": {"count": 7, "lastObservedTime": "2026-11-24T12:05:00.000000Z"},
        }));
        assert_eq!((new.count, new.last_seen), (7, Some("2026-11-24T12:05:00Z".parse().unwrap())));
        let old = read(json!({
            "metadata": {}, "eventTime": null, "type": "Strange", "deprecatedCount": 3,
            "deprecatedLastTimestamp": "2026-11-24T12:06:00Z", "deprecatedSource": {"component": "kubelet"},
        }));
        assert_eq!((old.count, old.last_seen), (3, Some("2026-11-24T12:06:00Z".parse().unwrap())));
        assert_eq!((old.kind.as_str(), old.reporting_controller.as_deref()), ("Strange", Some("kubelet")));
    }
}
