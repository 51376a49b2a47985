//! From the types of the API to those of `eks-provider`: what every object has, and the small things that are
//! in many of them.
//!
//! Objects of Kubernetes' own kinds were checked by the API server before it stored them. What nevertheless
//! cannot be read makes the answer [`Class::Malformed`](eks_provider::Class::Malformed) with the object named:
//! it neither vanishes from its list nor becomes something that it is not.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use eks_provider::kube::{
    Condition, IntOrPercent, LabelSelector, NamespacedName, ObjectMeta, ObjectRef, OwnerReference, Quantity,
    Requirement, Resources,
};
use jiff::Timestamp;
use k8s_openapi::api::core::v1::ObjectReference;
use k8s_openapi::apimachinery::pkg::api::resource::Quantity as ApiQuantity;
use k8s_openapi::apimachinery::pkg::apis::meta::v1 as api;
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;

/// What was read, or why it could not be.
pub(crate) type Read<T> = std::result::Result<T, String>;

/// A moment. The API's types are of another version of the same crate.
pub(crate) fn moment(time: k8s_openapi::jiff::Timestamp) -> Timestamp {
    // Both hold the same range, so this never is the end of time.
    Timestamp::new(time.as_second(), time.subsec_nanosecond()).unwrap_or(Timestamp::MAX)
}

pub(crate) fn time(time: Option<api::Time>) -> Option<Timestamp> {
    time.map(|time| moment(time.0))
}

pub(crate) fn micro_time(time: Option<api::MicroTime>) -> Option<Timestamp> {
    time.map(|time| moment(time.0))
}

/// A moment as `MicroTime` is written.
pub(crate) fn to_micro_time(time: Timestamp) -> String {
    time.strftime("%Y-%m-%dT%H:%M:%S%.6fZ").to_string()
}

/// A number of seconds; the API server stores none below zero.
pub(crate) fn seconds(seconds: impl Into<i64>) -> Duration {
    Duration::from_secs(u64::try_from(seconds.into()).unwrap_or_default())
}

/// A span as whole seconds: a part of one counts as one.
pub(crate) fn whole_seconds(span: Duration) -> u64 {
    span.as_secs() + u64::from(span.subsec_nanos() > 0)
}

/// A port.
pub(crate) fn port(number: i32) -> Read<u16> {
    u16::try_from(number).map_err(|_| format!("{number} is no port"))
}

/// How many; the API server stores none below zero.
pub(crate) fn count(number: i32) -> u32 {
    u32::try_from(number).unwrap_or_default()
}

/// How many, where nothing is said for none.
pub(crate) fn some_count(number: Option<i32>) -> u32 {
    number.map(count).unwrap_or_default()
}

/// A text, unless it is empty: many fields of Go are one or the other.
pub(crate) fn text(text: Option<String>) -> Option<String> {
    text.filter(|text| !text.is_empty())
}

pub(crate) fn set(words: Option<Vec<String>>) -> BTreeSet<String> {
    words.unwrap_or_default().into_iter().collect()
}

pub(crate) fn quantity(quantity: &ApiQuantity) -> Read<Quantity> {
    quantity.0.parse().map_err(|error: eks_provider::kube::ParseQuantityError| error.to_string())
}

pub(crate) fn resources(resources: Option<BTreeMap<String, ApiQuantity>>) -> Read<Resources> {
    resources.unwrap_or_default().into_iter().map(|(name, amount)| Ok((name, quantity(&amount)?))).collect()
}

pub(crate) fn int_or_percent(number: Option<IntOrString>) -> Read<Option<IntOrPercent>> {
    match number {
        None => Ok(None),
        Some(IntOrString::Int(number)) => u32::try_from(number)
            .map(|number| Some(IntOrPercent::Int(number)))
            .map_err(|_| format!("{number} is no number of Pods")),
        Some(IntOrString::String(text)) => text
            .parse()
            .map(Some)
            .map_err(|error: eks_provider::kube::ParseIntOrPercentError| error.to_string()),
    }
}

/// What every object has, without `managedFields`.
pub(crate) fn meta(meta: api::ObjectMeta) -> ObjectMeta {
    ObjectMeta {
        name: meta.name.unwrap_or_default(),
        namespace: text(meta.namespace),
        uid: meta.uid.unwrap_or_default(),
        resource_version: meta.resource_version.unwrap_or_default(),
        generation: meta.generation,
        creation_timestamp: time(meta.creation_timestamp),
        deletion_timestamp: time(meta.deletion_timestamp),
        deletion_grace_period: meta.deletion_grace_period_seconds.map(seconds),
        labels: meta.labels.unwrap_or_default(),
        annotations: meta.annotations.unwrap_or_default(),
        owner_references: meta.owner_references.unwrap_or_default().into_iter().map(owner).collect(),
        finalizers: set(meta.finalizers),
    }
}

fn owner(owner: api::OwnerReference) -> OwnerReference {
    OwnerReference {
        api_version: owner.api_version,
        kind: owner.kind,
        name: owner.name,
        uid: owner.uid,
        controller: owner.controller.unwrap_or_default(),
    }
}

/// A condition of any kind of object. What is not said of it is `Unknown`.
pub(crate) fn condition(
    kind: impl Into<Option<String>>,
    status: impl Into<Option<String>>,
    reason: Option<String>,
    message: Option<String>,
    changed: Option<api::Time>,
) -> Condition {
    Condition {
        kind: kind.into().unwrap_or_default(),
        status: status.into().as_deref().unwrap_or("Unknown").into(),
        reason: text(reason),
        message: text(message),
        last_transition_time: time(changed),
        last_heartbeat_time: None,
        observed_generation: None,
    }
}

/// Conditions of a type that has the usual five fields.
macro_rules! conditions {
    ($conditions:expr) => {
        $conditions
            .unwrap_or_default()
            .into_iter()
            .map(|condition| {
                $crate::meta::condition(
                    condition.type_,
                    condition.status,
                    condition.reason,
                    condition.message,
                    condition.last_transition_time,
                )
            })
            .collect()
    };
}
pub(crate) use conditions;

/// Conditions of the type that newer APIs share.
pub(crate) fn shared_conditions(conditions: Option<Vec<api::Condition>>) -> Vec<Condition> {
    conditions
        .unwrap_or_default()
        .into_iter()
        .map(|from| Condition {
            observed_generation: from.observed_generation,
            ..condition(
                from.type_,
                from.status,
                Some(from.reason),
                Some(from.message),
                Some(from.last_transition_time),
            )
        })
        .collect()
}

pub(crate) fn selector(selector: api::LabelSelector) -> LabelSelector {
    LabelSelector {
        match_labels: selector.match_labels.unwrap_or_default(),
        match_expressions: selector
            .match_expressions
            .unwrap_or_default()
            .into_iter()
            .map(|requirement| Requirement {
                key: requirement.key,
                operator: requirement.operator.as_str().into(),
                values: set(requirement.values),
            })
            .collect(),
    }
}

pub(crate) fn object_ref(reference: ObjectReference) -> ObjectRef {
    ObjectRef {
        api_version: reference.api_version.unwrap_or_default(),
        kind: reference.kind.unwrap_or_default(),
        namespace: text(reference.namespace),
        name: reference.name.unwrap_or_default(),
        uid: text(reference.uid),
    }
}

pub(crate) fn namespaced(reference: ObjectReference) -> NamespacedName {
    NamespacedName::new(reference.namespace.unwrap_or_default(), reference.name.unwrap_or_default())
}

/// Sorted by namespace and name, which the API server's own order is not: there `a-b/x` is before `a/x`.
pub(crate) fn sorted<T>(mut objects: Vec<T>, meta: impl Fn(&T) -> &ObjectMeta) -> Vec<T> {
    objects.sort_by(|a, b| {
        let (a, b) = (meta(a), meta(b));
        (&a.namespace, &a.name).cmp(&(&b.namespace, &b.name))
    });
    objects
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_keep_their_microseconds() {
        let written = "2026-11-24T12:00:00.123456Z";
        let time: Timestamp = written.parse().unwrap();
        assert_eq!(to_micro_time(time), written);
        assert_eq!(to_micro_time("2026-11-24T12:00:00Z".parse().unwrap()), "2026-11-24T12:00:00.000000Z");
        let theirs: k8s_openapi::jiff::Timestamp = "1969-12-31T23:59:59.5Z".parse().unwrap();
        assert_eq!(moment(theirs).to_string(), "1969-12-31T23:59:59.5Z");
    }

    #[test]
    fn what_cannot_be_read_is_said() {
        assert_eq!(int_or_percent(Some(IntOrString::Int(2))), Ok(Some(IntOrPercent::Int(2))));
        assert_eq!(
            int_or_percent(Some(IntOrString::String("25%".to_owned()))),
            Ok(Some(IntOrPercent::Percent(25)))
        );
        assert!(int_or_percent(Some(IntOrString::Int(-1))).is_err());
        assert!(int_or_percent(Some(IntOrString::String("some".to_owned()))).unwrap_err().contains("`some`"));
        let amounts = [("cpu".to_owned(), ApiQuantity("lots".to_owned()))].into();
        assert!(resources(Some(amounts)).unwrap_err().contains("`lots`"));
    }

    #[test]
    fn lists_are_sorted_by_namespace_before_name() {
        let meta = |namespace: &str, name: &str| ObjectMeta {
            namespace: Some(namespace.to_owned()),
            name: name.to_owned(),
            ..ObjectMeta::default()
        };
        let found = sorted(vec![meta("a-b", "x"), meta("a", "z"), meta("a", "y")], |meta| meta);
        let names: Vec<String> = found.iter().map(ToString::to_string).collect();
        assert_eq!(names, ["a/y", "a/z", "a-b/x"]);
    }
}
