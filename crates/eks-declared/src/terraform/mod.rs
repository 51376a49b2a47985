//! Terraform: `.tf` and `.tf.json` files, `*.tfvars`, module calls within the tree.
//!
//! A folder that no other folder of the tree calls is a root. It is read once for each way in which it is
//! given values: with what Terraform loads by itself (`terraform.tfvars`, `*.auto.tfvars`), and with each other
//! `*.tfvars` in or below it, since that is how people keep one configuration for several environments.

mod config;
mod eval;
pub(crate) mod plan;
mod registry;
mod relevant;
mod resources;
mod value;

use std::collections::{BTreeMap, BTreeSet};

use config::{Folder, Parsed};
pub(crate) use eval::is_minor;
use eval::{Bound, Folders, Module};
pub(crate) use relevant::relevant;

use crate::draft::Draft;
use crate::node::{At, Node};

/// A file of Terraform.
pub(crate) struct File<'t> {
    pub(crate) number: u32,
    pub(crate) path: &'t str,
    pub(crate) text: &'t str,
}

/// Whether a file of this name belongs to Terraform.
pub(crate) fn is_terraform(name: &str) -> bool {
    name == TERRAGRUNT || [".tf", ".tf.json", ".tfvars", ".tfvars.json"].iter().any(|end| name.ends_with(end))
}

/// A call of a module by Terragrunt: `terraform { source }`, and its arguments in `inputs`.
const TERRAGRUNT: &str = "terragrunt.hcl";

/// Whether a text may have to do with a cluster, its nodes, or what is installed in it.
fn speaks_of_eks(text: &str) -> bool {
    [
        "eks",
        "EKS",
        "cluster_version",
        "kubernetes_version",
        "helm_release",
        "karpenter",
        "aws_autoscaling_group",
    ]
    .iter()
    .any(|word| text.contains(word))
}

/// Terraform tells its files apart by the case of their suffix too.
fn is_json(path: &str) -> bool {
    path.rsplit('.').next() == Some("json")
}

/// Values of variables, and the file that they stand in.
struct Given {
    folder: String,
    /// Terraform loads it by itself.
    auto: bool,
    path: String,
    values: BTreeMap<String, Node>,
}

/// The folder of a path, and its name.
pub(crate) fn split(path: &str) -> (&str, &str) {
    path.rsplit_once('/')
        .map_or((".", path), |(folder, name)| (if folder.is_empty() { "/" } else { folder }, name))
}

/// A relative `source`, from a folder on; `None` for one that names a registry or a repository.
pub(crate) fn joined(folder: &str, source: &str) -> Option<String> {
    if !(source.starts_with("./") || source.starts_with("../") || source == "." || source == "..") {
        return None;
    }
    let mut parts: Vec<&str> = folder.split('/').filter(|part| !matches!(*part, "" | ".")).collect();
    for part in source.split('/') {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|last| *last != "..") => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    let joined = parts.join("/");
    let joined = if folder.starts_with('/') { format!("/{joined}") } else { joined };
    Some(if joined.is_empty() { ".".to_owned() } else { joined })
}

/// Reads all Terraform files of a tree.
pub(crate) fn read(files: &[File<'_>], draft: &mut Draft) {
    let mut parsed: Vec<(&File<'_>, Parsed)> = Vec::new();
    let mut json: Vec<(&File<'_>, Node)> = Vec::new();
    for file in files {
        let refused = if is_json(file.path) {
            match crate::json::document(file.text, file.number) {
                Ok(node) => {
                    json.push((file, node));
                    continue;
                }
                Err(refused) => refused,
            }
        } else {
            match Parsed::new(file.number, file.text) {
                Ok(body) => {
                    draft.comments.extend(
                        body.comments()
                            .into_iter()
                            .map(|pragma| crate::Comment { file: file.path.to_owned(), pragma }),
                    );
                    parsed.push((file, body));
                    continue;
                }
                Err(refused) => refused,
            }
        };
        let at = At { file: file.number, line: refused.line, column: 1, width: 1, document: 0 };
        let reason = format!("it is not Terraform that can be read: {}", refused.reason);
        let folder = split(file.path).0;
        if files.iter().any(|other| split(other.path).0 == folder && speaks_of_eks(other.text)) {
            draft.not_read(reason, at);
        } else {
            let unreadable = draft.unreadable(reason, at);
            draft.passed_over.push(unreadable);
        }
    }
    let mut folders: Folders<'_> = BTreeMap::new();
    let mut given: Vec<Given> = Vec::new();
    let blocks = parsed.iter().map(|(file, body)| (file.path, body.block())).chain(
        json.iter()
            .filter(|(file, _)| file.path.ends_with(".tf.json"))
            .map(|(file, node)| (file.path, config::from_json(node))),
    );
    let mut calls = Vec::new();
    let empty = Folder::default();
    let nothing = Folders::new();
    for (path, block) in blocks {
        let (folder, name) = split(path);
        if name.ends_with(".tfvars") {
            // Values are literals: nothing is in scope.
            let module = Module::root(&nothing, &empty, BTreeMap::new());
            let values = block
                .attributes
                .iter()
                .map(|attribute| (attribute.name.clone(), module.eval(&attribute.value, &Bound::new())))
                .collect();
            given.push(tfvars(folder, name, path, values));
        } else if name == TERRAGRUNT {
            calls.push((path, block));
        } else {
            let entry = folders.entry(folder.to_owned()).or_default();
            folder.clone_into(&mut entry.path);
            entry.add(block);
        }
    }
    for (file, node) in &json {
        let (folder, name) = split(file.path);
        if name.ends_with(".tfvars.json") {
            let values = node.entries().iter().cloned().collect();
            given.push(tfvars(folder, name, file.path, values));
        }
    }
    for (path, block) in calls {
        terragrunt(path, block, draft);
    }
    given.sort_by(|a, b| a.path.cmp(&b.path));
    let called = called_folders(&folders);
    for (path, folder) in &folders {
        if called.contains(path) {
            continue;
        }
        for (label, values) in ways(folder, &folders, &given) {
            let scope = if label.is_empty() { path.clone() } else { format!("{path}, {label}") };
            let root = Module::root(&folders, folder, values);
            resources::read(&root, &scope, draft);
        }
    }
}

/// Reads a call by Terragrunt. What it takes from other files (`include`, `dependency`) stays unknown.
fn terragrunt<'p>(path: &str, block: config::Block<'p>, draft: &mut Draft) {
    let source = block.inner("terraform").and_then(|inner| inner.attribute("source")).cloned();
    let inputs = block.attribute("inputs").cloned();
    let at = block.inner("terraform").map_or(block.at, |inner| inner.at);
    let mut folder: Folder<'p> = Folder::default();
    folder.add(block);
    let nothing = Folders::new();
    let module = Module::root(&nothing, &folder, BTreeMap::new());
    let Some(source) = source.map(|source| module.eval(&source.value, &Bound::new())) else { return };
    let Some(text) = source.text() else { return };
    let inputs = inputs.map(|inputs| module.eval(&inputs.value, &Bound::new()));
    if let Some(why) = inputs.as_ref().and_then(Node::why).filter(|_| registry::is_eks(text)) {
        draft.not_read(format!("the inputs of the module are not known: {why}"), at);
        return;
    }
    let get = |name: &str| {
        inputs.as_ref()?.entries().iter().find(|(key, _)| key == name).map(|(_, node)| node.clone())
    };
    let arguments = registry::Arguments { get: &get, at };
    let local = joined(split(path).0, text).is_some();
    if registry::is_eks(text) {
        let snapshot = registry::read_eks(&arguments, "the cluster", path, draft);
        let names = vec![snapshot.name.clone()];
        draft.clusters.push(crate::draft::DraftCluster {
            snapshot,
            scope: path.to_owned(),
            names,
            namespace: None,
        });
    } else if !local && registry::may_be_eks(text) {
        let reason = format!(
            "the module {} is not read here: what it declares is not known",
            crate::draft::short(text)
        );
        draft.not_read(reason, source.at);
    }
}

fn tfvars(folder: &str, name: &str, path: &str, values: BTreeMap<String, Node>) -> Given {
    let auto = matches!(name, "terraform.tfvars" | "terraform.tfvars.json")
        || name.ends_with(".auto.tfvars")
        || name.ends_with(".auto.tfvars.json");
    Given { folder: folder.to_owned(), auto, path: path.to_owned(), values }
}

/// The folders that some other folder calls as a module.
fn called_folders(folders: &Folders<'_>) -> BTreeSet<String> {
    let mut called = BTreeSet::new();
    for (path, folder) in folders {
        let module = Module::root(folders, folder, BTreeMap::new());
        for call in folder.modules.values() {
            let source = module.attribute(call, "source", &Bound::new());
            if let Some(target) = source.as_ref().and_then(Node::text).and_then(|source| joined(path, source))
                && target != *path
            {
                called.insert(target);
            }
        }
    }
    called
}

/// The ways in which a root is given values: a label for people, and the values.
fn ways(
    folder: &Folder<'_>,
    folders: &Folders<'_>,
    given: &[Given],
) -> Vec<(String, BTreeMap<String, Node>)> {
    let mut by_itself = BTreeMap::new();
    for given in given.iter().filter(|given| given.auto && given.folder == folder.path) {
        by_itself.extend(given.values.clone());
    }
    let inside = |path: &str| match folder.path.as_str() {
        "." => !path.starts_with('/') && !path.starts_with("../"),
        root => path == root || path.strip_prefix(root).is_some_and(|rest| rest.starts_with('/')),
    };
    let mut ways: Vec<(String, BTreeMap<String, Node>)> = given
        .iter()
        .filter(|given| !(given.auto && given.folder == folder.path))
        .filter(|given| inside(&given.folder))
        // Values below another folder with configuration are that folder's.
        .filter(|given| given.folder == folder.path || !folders.contains_key(&given.folder))
        .filter(|given| given.values.keys().any(|name| folder.variables.contains_key(name)))
        .map(|given| {
            let mut values = by_itself.clone();
            values.extend(given.values.clone());
            let label = given.path.strip_prefix(&folder.path).unwrap_or(&given.path);
            (label.trim_start_matches('/').to_owned(), values)
        })
        .collect();
    if ways.is_empty() {
        ways.push((String::new(), by_itself));
    }
    ways
}
