//! The calls that the adapter makes are the calls that the table of `eks-provider` says it makes: policies
//! are made of that table.

#![allow(clippy::unwrap_used, reason = "a test")]

use std::collections::BTreeSet;
use std::path::Path;

use eks_provider::{Permission, calls};

/// What Auto Scaling does in the name of whoever calls LaunchInstances.
const ON_BEHALF: [&str; 2] = ["ec2:CreateFleet", "ec2:RunInstances"];

/// Every `service:Operation` that stands in a source file, tests left out.
fn operations(folder: &Path, found: &mut BTreeSet<String>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            operations(&path, found);
            continue;
        }
        if path.ends_with("tests.rs") || path.parent().is_some_and(|folder| folder.ends_with("tests")) {
            continue;
        }
        let text = std::fs::read_to_string(&path).unwrap();
        let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
        for word in code.split('"') {
            let Some((service, operation)) = word.split_once(':') else { continue };
            let is_service = !service.is_empty()
                && service.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
            let is_operation = operation.starts_with(|c: char| c.is_ascii_uppercase())
                && operation.bytes().all(|byte| byte.is_ascii_alphanumeric());
            if is_service && is_operation {
                found.insert(word.to_owned());
            }
        }
    }
}

#[test]
fn the_calls_that_are_made_are_the_calls_that_are_listed() {
    let mut made = BTreeSet::new();
    operations(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut made);
    let (mut always, mut listed) = (BTreeSet::new(), BTreeSet::new());
    for permission in calls().flat_map(|call| call.needs) {
        if let Permission::Iam { action, when } = permission {
            listed.insert((*action).to_owned());
            if when.is_none() {
                always.insert((*action).to_owned());
            }
        }
    }
    let unlisted: Vec<&String> = made.difference(&listed).collect();
    assert!(unlisted.is_empty(), "made and not listed: {unlisted:?}");
    let unmade: Vec<&String> = always.difference(&made).collect();
    assert_eq!(unmade, ON_BEHALF, "listed and never made");
}
