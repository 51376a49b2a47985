//! The format of a scenario: the schema and the reader say the same of every key, and the examples are read by both.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use eks_sim::World;
use eks_sim::scenario::Scenario;
use jsonschema::Validator;
use serde_json::{Map, Value, json};

const SCHEMA: &str = include_str!("../schema/scenario-1.schema.json");
const EVERY_KEY: &str = include_str!("fixtures/every-key.yaml");
const EXAMPLES: [(&str, &str); 2] = [
    ("small.yaml", include_str!("../../../examples/scenarios/small.yaml")),
    ("shop.yaml", include_str!("../../../examples/scenarios/shop.yaml")),
];

fn schema() -> Value {
    serde_json::from_str(SCHEMA).unwrap()
}

fn validator() -> Validator {
    jsonschema::validator_for(&schema()).unwrap()
}

fn value(text: &str) -> Value {
    serde_yaml::from_str(text).unwrap()
}

/// The document with all keys.
fn every_key() -> Value {
    static READ: LazyLock<Value> = LazyLock::new(|| value(EVERY_KEY));
    READ.clone()
}

fn text(value: &Value) -> String {
    serde_yaml::to_string(value).unwrap()
}

fn complaints(validator: &Validator, value: &Value) -> Vec<String> {
    validator.iter_errors(value).map(|error| format!("{}: {error}", error.instance_path())).collect()
}

#[test]
fn the_examples_are_read_by_the_schema_and_by_the_world() {
    let validator = validator();
    for (name, example) in EXAMPLES.into_iter().chain([("every-key.yaml", EVERY_KEY)]) {
        assert_eq!(complaints(&validator, &value(example)), [""; 0], "{name}");
        let world = World::from_scenario(example).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(world.now().to_string(), "2026-11-24T12:00:00Z");
    }
}

/// A place in a document, with the object of the schema that is for it.
struct Place {
    path: Vec<String>,
    schema: Value,
}

/// What the schema says of a value: references and the alternative that is meant are resolved.
fn resolve(root: &Value, schema: &Value, value: &Value) -> Value {
    if let Some(reference) = schema["$ref"].as_str() {
        let name = reference.trim_start_matches("#/$defs/");
        return resolve(root, &root["$defs"][name], value);
    }
    if let Some(first) = schema["anyOf"].as_array().map(|all| &all[0])
        && schema.get("properties").is_none()
    {
        return resolve(root, first, value);
    }
    if let Some(event) = schema["properties"]["event"]["enum"].as_array() {
        assert!(event.contains(&value["event"]));
        let meant = schema["allOf"].as_array().unwrap().iter();
        let one = meant.filter(|one| one["if"]["properties"]["event"]["const"] == value["event"]);
        return one.map(|one| one["then"].clone()).next().unwrap();
    }
    schema.clone()
}

/// All objects of a document that have set keys.
fn places(root: &Value, schema: &Value, value: &Value, path: &[String], found: &mut Vec<Place>) {
    let schema = resolve(root, schema, value);
    let below = |key: &str| [path, &[key.to_owned()]].concat();
    match value {
        Value::Object(object) => {
            let free = &schema["additionalProperties"];
            if free == &json!(false) {
                found.push(Place { path: path.to_vec(), schema: schema.clone() });
            }
            for (key, value) in object {
                let of_key = if free == &json!(false) { &schema["properties"][key] } else { free };
                places(root, of_key, value, &below(key), found);
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                places(root, &schema["items"], item, &below(&index.to_string()), found);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn all_places() -> Vec<Place> {
    let root = schema();
    let mut found = Vec::new();
    places(&root, &root, &every_key(), &[], &mut found);
    found
}

fn at<'v>(document: &'v mut Value, path: &[String]) -> &'v mut Value {
    path.iter().fold(document, |value, key| match value {
        Value::Array(items) => &mut items[key.parse::<usize>().unwrap()],
        Value::Object(object) => object.get_mut(key).unwrap(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => panic!("nothing has no {key}"),
    })
}

fn object_at<'v>(document: &'v mut Value, path: &[String]) -> &'v mut Map<String, Value> {
    at(document, path).as_object_mut().unwrap()
}

#[test]
fn the_schema_has_the_very_keys_that_the_reader_knows() {
    let validator = validator();
    for place in all_places() {
        let mut document = every_key();
        object_at(&mut document, &place.path).insert("nobodyKnows".to_owned(), json!(1));
        assert!(!validator.is_valid(&document), "the schema takes any key at {:?}", place.path);
        let error = Scenario::parse(&text(&document)).unwrap_err().to_string();
        let (_, known) = error.split_once("unknown field `nobodyKnows`, ").unwrap_or_else(|| {
            panic!("{:?}: {error}", place.path);
        });
        let known: BTreeSet<&str> = known.split('`').skip(1).step_by(2).collect();
        let keys = place.schema["properties"].as_object().unwrap().keys().map(String::as_str);
        // The word of an event is not among its fields.
        let keys: BTreeSet<&str> = keys.filter(|key| *key != "event").collect();
        assert_eq!(known, keys, "{:?}", place.path);
        assert!(error.starts_with("line "), "{error}");
    }
}

#[test]
fn every_key_of_the_schema_stands_in_the_document_with_all_keys() {
    let root = schema();
    let mut seen: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let mut document = every_key();
    for place in all_places() {
        let keys = object_at(&mut document, &place.path).keys().cloned();
        seen.entry(place.schema["description"].to_string()).or_default().extend(keys);
    }
    let mut expected: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let events = root["$defs"].as_object().unwrap().values().filter_map(|one| one["allOf"].as_array());
    let events = events.flatten().map(|one| &one["then"]);
    for object in root["$defs"].as_object().unwrap().values().chain(events).chain([&root]) {
        if object["additionalProperties"] == json!(false) {
            let keys = object["properties"].as_object().unwrap().keys().cloned();
            expected.entry(object["description"].to_string()).or_default().extend(keys);
        }
    }
    assert_eq!(seen, expected);
}

/// The document with little else than what leads to a place, and the path to it there: the same for the types, and
/// quicker to read.
fn lone(path: &[String]) -> (Value, Vec<String>) {
    let mut document = every_key();
    let Some(first) = path.first() else { return (document, Vec::new()) };
    let always = ["scenario", "start", "network"];
    document.as_object_mut().unwrap().retain(|key, _| key == first || always.contains(&key.as_str()));
    let mut short: Vec<String> = Vec::new();
    for key in path {
        match at(&mut document, &short) {
            Value::Array(items) => {
                *items = vec![items[key.parse::<usize>().unwrap()].clone()];
                short.push("0".to_owned());
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Object(_) => {
                short.push(key.clone());
            }
        }
    }
    (document, short)
}

/// What the reader refuses by its types, the schema refuses; what the schema refuses, no world comes of.
/// Whether the reader takes it by its types.
fn agree(
    validator: &Validator,
    path: &[String],
    what: &str,
    change: impl Fn(&mut Map<String, Value>),
) -> bool {
    let (mut document, short) = lone(path);
    change(object_at(&mut document, &short));
    let valid = validator.is_valid(&document);
    let typed = Scenario::parse(&text(&document)).is_ok();
    assert!(typed || !valid, "{path:?} {what}: the schema takes it, the reader does not");
    if typed && !valid {
        let mut document = every_key();
        change(object_at(&mut document, path));
        let whole = World::from_scenario(&text(&document)).is_ok();
        assert!(!whole, "{path:?} {what}: the schema refuses it, and a world comes of it");
    }
    typed
}

/// Every place with each of its keys, each object of the schema once for each of its keys.
fn all_keys() -> Vec<(Place, Vec<String>)> {
    let mut seen = BTreeSet::new();
    let mut document = every_key();
    let mut found = Vec::new();
    for place in all_places() {
        let keys = object_at(&mut document, &place.path).keys().cloned();
        let new = |key: &String| seen.insert((place.schema["description"].to_string(), key.clone()));
        let keys: Vec<String> = keys.filter(new).collect();
        found.push((place, keys));
    }
    found
}

#[test]
fn they_agree_on_every_key_that_is_left_out() {
    let validator = validator();
    for (place, keys) in all_keys() {
        for key in keys {
            let typed = agree(&validator, &place.path, &format!("without {key}"), |object| {
                object.remove(&key);
            });
            let required = place.schema["required"].as_array().is_some_and(|all| all.contains(&json!(key)));
            assert_eq!(!typed, required, "{:?}: {key} is required, or not", place.path);
        }
    }
}

#[test]
fn they_agree_on_every_value_of_another_kind() {
    let validator = validator();
    let others = [
        json!({ "x": 1 }),
        json!([1]),
        json!(-1),
        json!(2.5),
        json!("!"),
        json!(true),
        json!(7),
        json!(null),
    ];
    for (place, keys) in all_keys() {
        for (key, other) in keys.iter().flat_map(|key| others.iter().map(move |other| (key, other))) {
            agree(&validator, &place.path, &format!("with {key}: {other}"), |object| {
                object.insert(key.clone(), other.clone());
            });
        }
    }
}

/// A contradiction, as it is put into the document with all keys (added to a list, or in the place of what is there),
/// and what is said of it.
#[track_caller]
fn refused(by_schema: bool, put: &str, path: &[&str], said: &str) {
    let mut document = every_key();
    let path: Vec<String> = path.iter().map(|key| (*key).to_owned()).collect();
    match (at(&mut document, &path), value(put)) {
        (Value::Array(items), one) if !one.is_array() => items.push(one),
        (other, put) => *other = put,
    }
    assert_eq!(validator().is_valid(&document), !by_schema, "the schema, on {put}");
    let error = World::from_scenario(&text(&document)).unwrap_err().to_string();
    assert!(error.contains(said), "{put}\n{error}");
    assert!(error.starts_with("line "), "{error}");
}

#[test]
fn contradictions_are_refused_by_both() {
    let workloads = ["kubernetes", "workloads"];
    for (put, said) in [
        (
            "{ kind: DaemonSet, namespace: a, name: b, replicas: 2 }",
            "a DaemonSet has a Pod on each of its nodes",
        ),
        ("{ kind: Deployment, namespace: a, name: b, storage: 1Gi }", "only a StatefulSet makes claims"),
        ("{ kind: Deployment, namespace: a, name: b, parallel: true }", "only a StatefulSet"),
        ("{ kind: Deployment, namespace: a, name: b, completions: 1 }", "only a Job is done some time"),
        (
            "{ kind: Deployment, namespace: a, name: b, node: { group: web } }",
            "where the scheduler puts them",
        ),
        ("{ kind: StaticPod, namespace: a, name: b }", "a static Pod without a node"),
        (
            "{ kind: Pod, namespace: a, name: b, node: { name: x, group: y } }",
            "it has a `name`, or a `group`",
        ),
        ("{ kind: Job, namespace: a, name: b, finalizers: [x] }", "only a Pod of its own"),
        ("{ kind: Job, namespace: a, name: b, strategy: { type: RollingUpdate } }", "others are not rolled"),
        (
            "{ kind: StatefulSet, namespace: a, name: b, strategy: { maxSurge: 1 } }",
            "of others there are none",
        ),
        (
            "{ kind: StatefulSet, namespace: a, name: b, strategy: { maxUnavailable: 1 } }",
            "one after the other",
        ),
        ("{ kind: Deployment, namespace: a, name: b, strategy: { partition: 1 } }", "have numbers"),
        (
            "{ kind: DaemonSet, namespace: a, name: b, strategy: { type: Recreate } }",
            "RollingUpdate and OnDelete",
        ),
        (
            "{ kind: Deployment, namespace: a, name: b, strategy: { type: OnDelete } }",
            "RollingUpdate and Recreate",
        ),
        (
            "{ kind: Deployment, namespace: a, name: b, strategy: { type: Recreate, maxSurge: 1 } }",
            "a strategy that is no RollingUpdate",
        ),
        (
            "{ kind: Deployment, namespace: a, name: b, tolerations: [{ key: x, operator: Exists, value: y }] }",
            "leave the value out",
        ),
        (
            "{ kind: Deployment, namespace: a, name: b, tolerations: [{ value: y }] }",
            "it needs operator Exists",
        ),
        (
            "{ kind: Deployment, namespace: a, name: b, topologySpread: [{ topologyKey: x, maxSkew: 0 }] }",
            "it is 1 or more",
        ),
        ("{ kind: Deployment, namespace: a, name: B }", "`B` is no name"),
    ] {
        refused(true, put, &workloads, said);
    }
    for (list, put, said) in [
        ("budgets", "{ namespace: a, name: b }", "needs one of minAvailable and maxUnavailable"),
        ("budgets", "{ namespace: a, name: b, minAvailable: 1, maxUnavailable: 1 }", "needs one of"),
        ("claims", "{ namespace: a, name: b, zone: eu-west-1a, shared: true }", "leave `zone` out"),
        ("services", "{ namespace: a, name: b, externalTrafficPolicy: Local }", "NodePort and LoadBalancer"),
        ("faults", "{ fault: stale-reads, operation: list pods }", "is of no single call"),
        ("faults", "{ fault: throttled, operation: list pod }", "`list pod` is no call; there are `create"),
        ("faults", "{ fault: stale-reads, when: { times: 2 } }", "lasts for a time"),
        ("faults", "{ fault: throttled, webhook: guard }", "only webhook-refuses has"),
        ("faults", "{ fault: webhook-refuses }", "has a `webhook` of `webhooks`: guard"),
        ("faults", "{ fault: never-detaches }", "has a `claim`"),
        ("faults", "{ fault: never-detaches, claim: x }", "is no namespace/name"),
        (
            "events",
            "{ afterSeconds: 1, do: { event: delete-node, node: {} } }",
            "it has a `name`, or a `group`",
        ),
        (
            "events",
            "{ afterSeconds: 1, do: { event: change-budget, namespace: shop, name: web, minAvailable: 1, maxUnavailable: 1 } }",
            "say one",
        ),
    ] {
        refused(true, put, &["kubernetes", list], said);
    }
    refused(true, "{ nonamespace: {} }", &["kubernetes", "configMaps"], "is no namespace/name");
    refused(true, "[]", &["kubernetes", "karpenter", "pools", "0", "zones"], "no zones");
}

#[test]
fn what_only_the_world_can_know_is_refused_with_its_line() {
    for (put, path, said) in [
        ("other", &["kubernetes", "cluster"][..], "there is no cluster other; there is shop"),
        (
            "{ kind: Deployment, namespace: shop, name: b, claims: [nobody] }",
            &["kubernetes", "workloads"],
            "claim nobody, which is not in `claims` of its namespace",
        ),
        (
            "{ kind: Deployment, namespace: shop, name: web }",
            &["kubernetes", "workloads"],
            "shop/web stands twice",
        ),
        (
            "{ namespace: shop, name: web, minAvailable: 1 }",
            &["kubernetes", "budgets"],
            "shop/web stands twice",
        ),
        ("{ namespace: shop, name: web }", &["kubernetes", "services"], "shop/web stands twice"),
        (
            "{ namespace: shop, name: c, zone: eu-west-1x }",
            &["kubernetes", "claims"],
            "in which no subnet is",
        ),
        ("{ name: nobody }", &["kubernetes", "clusterAutoscaler", "groups"], "there is no group nobody"),
        ("{ name: web }", &["kubernetes", "clusterAutoscaler", "groups"], "stands twice"),
        ("[eu-west-1x]", &["kubernetes", "karpenter", "pools", "0", "zones"], "in which no subnet is"),
        (
            "{ afterSeconds: 1, do: { event: delete-budget, namespace: shop, name: nobody } }",
            &["kubernetes", "events"],
            "budget shop/nobody, which is not there",
        ),
        (
            "{ afterSeconds: 1, do: { event: scale-deployment, namespace: shop, name: nobody, replicas: 1 } }",
            &["kubernetes", "events"],
            "Deployment shop/nobody, which is not there",
        ),
        ("{ fault: webhook-refuses, webhook: nobody }", &["kubernetes", "faults"], "of `webhooks`: guard"),
    ] {
        refused(false, put, path, said);
    }
}

#[test]
fn what_other_readers_would_take_for_something_else_is_refused() {
    let base = EXAMPLES[0].1;
    let end = base.lines().count();
    for (more, line, said) in [
        ("region: 7", 1, "`region` is a text; write it in quotes: \"7\""),
        ("kubernetes:\n  workloads:", 2, "`workloads` is nothing; say what it is, or leave it out"),
        (
            "kubernetes:\n  namespaces:\n    - { name: shop, labels: { a: true } }",
            3,
            "`a` is a text; write it in quotes: \"true\"",
        ),
        (
            "kubernetes:\n  namespaces:\n    - { name: shop, labels: { a: b, a: c } }",
            3,
            "kubernetes.namespaces[0].labels: duplicate entry with key \"a\"",
        ),
    ] {
        let error = Scenario::parse(&format!("{base}{more}\n")).unwrap_err().to_string();
        assert!(error.starts_with(&format!("line {}", end + line)) && error.ends_with(said), "{error}");
    }
}
