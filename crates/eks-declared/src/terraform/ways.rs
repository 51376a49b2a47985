//! The ways in which a root is given values: with what Terraform loads by itself (`terraform.tfvars`,
//! `*.auto.tfvars`), and with each other `*.tfvars` in or below it, since that is how people keep one configuration for
//! several environments. One that lies elsewhere is a way too if it sets variables of this root only, and a version is
//! another with it.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use eks_model::Observed;

use super::config::Folder;
use super::eval::{Folders, Module, Shared};
use super::{resources, split};
use crate::draft::Draft;
use crate::node::Node;

/// Values of variables, and the file that they stand in.
pub(super) struct Given {
    folder: String,
    /// Terraform loads it by itself.
    auto: bool,
    path: String,
    values: BTreeMap<String, Node>,
}

impl Given {
    pub(super) fn new(folder: &str, name: &str, path: &str, values: BTreeMap<String, Node>) -> Self {
        let auto = matches!(name, "terraform.tfvars" | "terraform.tfvars.json")
            || name.ends_with(".auto.tfvars")
            || name.ends_with(".auto.tfvars.json");
        Self { folder: folder.to_owned(), auto, path: path.to_owned(), values }
    }

    /// In the order in which Terraform takes them, later ones count:
    /// <https://developer.hashicorp.com/terraform/language/values/variables> (2026).
    pub(super) fn order(&self) -> (&str, u8, &str) {
        let (_, name) = split(&self.path);
        let rank = match name {
            "terraform.tfvars" => 0,
            "terraform.tfvars.json" => 1,
            _ => 2,
        };
        (&self.folder, rank, name)
    }

    fn sets_any_of(&self, folder: &Folder<'_>) -> bool {
        self.values.keys().any(|name| folder.variables.contains_key(name))
    }
}

/// A label for people, and the values.
type Way = (String, BTreeMap<String, Node>);

/// Reads a root in every way.
pub(super) fn read_root<'p>(
    path: &str,
    folder: &'p Folder<'p>,
    given: &[Given],
    shared: &dyn Fn() -> Rc<Shared<'p>>,
    draft: &mut Draft,
) {
    let read = |(label, values): Way, draft: &mut Draft| {
        let scope = if label.is_empty() { path.to_owned() } else { format!("{path}, {label}") };
        resources::read(&Module::root(shared(), folder, values), &scope, draft);
    };
    let first = shared();
    let folders = first.folders;
    drop(first);
    let by_itself = by_itself(folder, given);
    let inside = inside(folder, folders, given, &by_itself);
    if !inside.is_empty() {
        for way in inside {
            read(way, draft);
        }
        return;
    }
    let elsewhere = elsewhere(folder, folders, given, &by_itself);
    if elsewhere.is_empty() {
        read((String::new(), by_itself), draft);
        return;
    }
    // Without a value for every variable the root cannot be what is applied.
    let needed = folder
        .variables
        .iter()
        .filter(|(_, variable)| variable.attribute("default").is_none())
        .map(|(name, _)| name);
    let missing: Vec<&String> = needed.filter(|name| !by_itself.contains_key(*name)).collect();
    if elsewhere.iter().any(|(_, values)| missing.iter().any(|name| values.contains_key(*name))) {
        for way in elsewhere {
            read(way, draft);
        }
        return;
    }
    let mut known = apart(draft);
    read((String::new(), by_itself), &mut known);
    let versions = versions(&known);
    draft.take_in(known);
    for way in elsewhere {
        let mut other = apart(draft);
        read(way, &mut other);
        if self::versions(&other).is_subset(&versions) {
            draft.files = other.files;
        } else {
            draft.take_in(other);
        }
    }
}

/// A draft for what may be thrown away; it borrows the names of the files.
fn apart(draft: &mut Draft) -> Draft {
    Draft { files: std::mem::take(&mut draft.files), ..Draft::default() }
}

/// The versions that a draft declares, and where.
fn versions(draft: &Draft) -> BTreeSet<String> {
    fn shown<T: std::fmt::Debug>(observed: &Observed<T>) -> String {
        match observed {
            Observed::Unreadable(_) => "?".to_owned(),
            Observed::Absent => String::new(),
            known @ Observed::Known(_) => format!("{known:?}"),
        }
    }
    let clusters = draft.clusters.iter().map(|cluster| &cluster.snapshot);
    let groups = clusters.clone().flat_map(|cluster| &cluster.node_groups);
    let groups = groups.chain(draft.groups.iter().map(|(_, group)| group));
    let addons = clusters.clone().flat_map(|cluster| &cluster.addons);
    let addons = addons.chain(draft.addons.iter().map(|(_, addon)| addon));
    let mut all: BTreeSet<String> = clusters.map(|cluster| shown(&cluster.control_plane)).collect();
    all.extend(groups.flat_map(|group| [shown(&group.kubelet), shown(&group.image)]));
    all.extend(addons.map(|addon| shown(&addon.version)));
    all.extend(draft.controllers.iter().map(|(_, controller)| shown(&controller.version)));
    all.remove("");
    all
}

/// What Terraform loads by itself.
fn by_itself(folder: &Folder<'_>, given: &[Given]) -> BTreeMap<String, Node> {
    let mut values = BTreeMap::new();
    for given in given.iter().filter(|given| given.auto && given.folder == folder.path) {
        values.extend(given.values.clone());
    }
    values
}

/// Whether a folder is below another, or is it.
fn is_inside(folder: &str, root: &str) -> bool {
    match root {
        "." => !folder.starts_with('/') && !folder.starts_with("../"),
        "/" => folder.starts_with('/'),
        root => folder == root || folder.strip_prefix(root).is_some_and(|rest| rest.starts_with('/')),
    }
}

/// The ways that lie in or below a root.
fn inside(
    folder: &Folder<'_>,
    folders: &Folders<'_>,
    given: &[Given],
    by_itself: &BTreeMap<String, Node>,
) -> Vec<Way> {
    let mut ways: Vec<(&Given, Way)> = given
        .iter()
        .filter(|given| !(given.auto && given.folder == folder.path))
        .filter(|given| is_inside(&given.folder, &folder.path))
        // Values below another folder with configuration are that folder's.
        .filter(|given| given.folder == folder.path || !folders.contains_key(&given.folder))
        .filter(|given| given.sets_any_of(folder))
        .map(|given| {
            let mut values = by_itself.clone();
            values.extend(given.values.clone());
            let label = given.path.strip_prefix(&folder.path).unwrap_or(&given.path);
            (given, (label.trim_start_matches('/').to_owned(), values))
        })
        .collect();
    ways.sort_by_key(|(given, _)| &given.path);
    ways.into_iter().map(|(_, way)| way).collect()
}

/// The ways that lie elsewhere: files that belong to no configuration of their own, and set variables of this root
/// only, or are called like it.
fn elsewhere(
    folder: &Folder<'_>,
    folders: &Folders<'_>,
    given: &[Given],
    by_itself: &BTreeMap<String, Node>,
) -> Vec<Way> {
    let own_name = split(&folder.path).1;
    let owned = |given: &Given| {
        let mut around = Some(given.folder.as_str());
        while let Some(path) = around {
            if let Some(folder) = folders.get(path)
                && (path == given.folder || given.sets_any_of(folder))
            {
                return true;
            }
            around = if path == "." || path == "/" { None } else { Some(split(path).0) };
        }
        false
    };
    let fits = |given: &Given| {
        let stem = split(&given.path).1.split('.').next().unwrap_or_default();
        let all = given.values.keys().all(|name| folder.variables.contains_key(name));
        given.sets_any_of(folder) && (all || stem == own_name)
    };
    let mut found: Vec<&Given> = given.iter().filter(|given| fits(given) && !owned(given)).collect();
    found.sort_by_key(|given| &given.path);
    found
        .into_iter()
        .map(|given| {
            let mut values = by_itself.clone();
            values.extend(given.values.clone());
            (given.path.clone(), values)
        })
        .collect()
}
