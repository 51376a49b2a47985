//! Terraform and OpenTofu: `.tf`, `.tofu` and their JSON forms, `*.tfvars`, module calls within the tree.
//!
//! A folder that no other folder of the tree calls is a root. It is read once for each way in which it is
//! given values (`ways.rs`).

mod config;
mod eval;
mod functions;
mod nodes;
pub(crate) mod plan;
mod registry;
mod relevant;
mod resources;
mod text;
mod value;
mod ways;

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use config::{Folder, Parsed};
pub(crate) use eval::Files;
pub(crate) use eval::is_minor;
use eval::{Bound, Folders, Module, Shared};
pub(crate) use relevant::relevant;
use ways::Given;

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
    name == TERRAGRUNT || configuration(name).is_some() || is_values(name)
}

/// The name of a file of configuration without its suffix: `main` of `main.tf`, and whether it is OpenTofu's own.
fn configuration(name: &str) -> Option<(&str, bool)> {
    [(".tf", false), (".tf.json", false), (".tofu", true), (".tofu.json", true)]
        .iter()
        .find_map(|&(suffix, tofu)| name.strip_suffix(suffix).map(|stem| (stem, tofu)))
}

/// Whether a file of this name gives values to variables.
fn is_values(name: &str) -> bool {
    name.ends_with(".tfvars") || name.ends_with(".tfvars.json")
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

/// Reads all Terraform files of a tree. `texts` are all files of it.
pub(crate) fn read(files: &[File<'_>], texts: &dyn Files, draft: &mut Draft) {
    let (parsed, json) = parsed(&without_overruled(files), draft);
    let mut folders: Folders<'_> = BTreeMap::new();
    let mut given: Vec<Given> = Vec::new();
    let mut calls = Vec::new();
    let mut overrides = Vec::new();
    let blocks = parsed.iter().map(|(file, body)| (file.path, body.block())).chain(
        json.iter()
            .filter(|(file, _)| !is_values(file.path))
            .map(|(file, node)| (file.path, config::from_json(node))),
    );
    // What stands in no module is worked out where nothing is in scope.
    let (nothing, empty) = (Folders::new(), Folder::default());
    let (reached, steps) = (RefCell::default(), Cell::new(eval::TREE_STEPS));
    let alone = || Rc::new(Shared::new(&nothing, texts, &reached, &steps));
    for (path, block) in blocks {
        let (folder, name) = split(path);
        if is_values(name) {
            let module = Module::root(alone(), &empty, BTreeMap::new());
            let values = block
                .attributes
                .iter()
                .map(|attribute| (attribute.name.clone(), module.eval(&attribute.value, &Bound::new())))
                .collect();
            given.push(Given::new(folder, name, path, values));
        } else if name == TERRAGRUNT {
            let mut folder = Folder::default();
            folder.add_whole(block);
            calls.push((path, folder));
        } else {
            let entry = folders.entry(folder.to_owned()).or_default();
            folder.clone_into(&mut entry.path);
            let stem = configuration(name).map_or(name, |(stem, _)| stem);
            if stem == "override" || stem.ends_with("_override") {
                overrides.push((path, block));
            } else {
                entry.add(block);
            }
        }
    }
    overrides.sort_by_key(|(path, _)| *path);
    for (path, block) in overrides {
        if let Some(folder) = folders.get_mut(split(path).0) {
            folder.merge(block);
        }
    }
    for (file, node) in json.iter().filter(|(file, _)| is_values(file.path)) {
        let (folder, name) = split(file.path);
        let values = node.entries().iter().cloned().collect();
        given.push(Given::new(folder, name, file.path, values));
    }
    for (path, folder) in &calls {
        terragrunt(path, &Module::root(alone(), folder, BTreeMap::new()), draft);
    }
    given.sort_by(|a, b| a.order().cmp(&b.order()));
    let (reached, steps) = (RefCell::default(), Cell::new(eval::TREE_STEPS));
    let shared = || Rc::new(Shared::new(&folders, texts, &reached, &steps));
    let called = called_folders(&folders);
    for (path, folder) in folders.iter().filter(|(path, _)| !called.contains(*path)) {
        ways::read_root(path, folder, &given, &shared, draft);
    }
    // Modules that call each other in a ring have no root: the first of them is one.
    for (path, folder) in &folders {
        if !reached.borrow().contains(path) {
            ways::read_root(path, folder, &given, &shared, draft);
        }
    }
}

/// Files of Terraform without those that OpenTofu has its own for: it reads `main.tofu` instead of `main.tf`.
/// <https://opentofu.org/docs/language/files/> (2026)
fn without_overruled<'f, 't>(files: &'f [File<'t>]) -> Vec<&'f File<'t>> {
    let name = |file: &File<'t>| {
        let (folder, name) = split(file.path);
        let (stem, tofu) = configuration(name)?;
        Some(((folder, stem, is_json(name)), tofu))
    };
    let own: BTreeSet<_> =
        files.iter().filter_map(name).filter(|(_, tofu)| *tofu).map(|(name, _)| name).collect();
    files.iter().filter(|file| name(file).is_none_or(|(name, tofu)| tofu || !own.contains(&name))).collect()
}

/// Files, each as what it was parsed to.
type As<'f, 't, T> = Vec<(&'f File<'t>, T)>;

/// The files that can be parsed; the others are said.
fn parsed<'f, 't>(files: &[&'f File<'t>], draft: &mut Draft) -> (As<'f, 't, Parsed>, As<'f, 't, Node>) {
    let (mut parsed, mut json, mut refused) = (Vec::new(), Vec::new(), Vec::new());
    for &file in files {
        if is_json(file.path) {
            match crate::json::document(file.text, file.number) {
                Ok(node) => json.push((file, node)),
                Err(why) => refused.push((file, why)),
            }
        } else {
            match Parsed::new(file.number, file.text) {
                Ok(body) => {
                    let comment = |pragma| crate::Comment { file: file.path.to_owned(), pragma };
                    draft.comments.extend(body.comments().into_iter().map(comment));
                    parsed.push((file, body));
                }
                Err(why) => refused.push((file, why)),
            }
        }
    }
    let mut of_eks = BTreeSet::new();
    if !refused.is_empty() {
        let speaking = files.iter().filter(|file| speaks_of_eks(file.text));
        of_eks.extend(speaking.map(|file| split(file.path).0));
    }
    for (file, why) in refused {
        let at = At { file: file.number, line: why.line, column: 1, width: 1, document: 0 };
        let reason = format!("it is not Terraform that can be read: {}", why.reason);
        if of_eks.contains(split(file.path).0) {
            draft.not_read(reason, at);
        } else {
            let unreadable = draft.unreadable(reason, at);
            draft.passed_over.push(unreadable);
        }
    }
    (parsed, json)
}

/// Reads a call by Terragrunt. What it takes from other files (`include`, `dependency`) stays unknown.
fn terragrunt(path: &str, module: &Rc<Module<'_>>, draft: &mut Draft) {
    let block = &module.folder.whole;
    let Some(call) = block.inner("terraform") else { return };
    let Some(source) = module.attribute(call, "source", &Bound::new()) else { return };
    let Some(text) = source.text() else { return };
    let at = call.at;
    let inputs = module.attribute(block, "inputs", &Bound::new());
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

/// The folders that some other folder calls as a module.
fn called_folders(folders: &Folders<'_>) -> BTreeSet<String> {
    let calls =
        folders.iter().flat_map(|(path, folder)| folder.modules.values().map(move |call| (path, call)));
    calls
        .filter_map(|(path, call)| joined(path, &call.literal("source")?).filter(|target| target != path))
        .collect()
}
