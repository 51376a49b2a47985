//! What every release read says of every API, side by side.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use anyhow::{Context, ensure};

use super::go_source::{Registration, registrations};
use super::lifecycle::{Lifecycle, add_lifecycles, add_stored_types};
use super::modules::{Downloaded, Served};
use super::names::{ApiName, Minor};

/// What becomes of the objects of a kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Persisted {
    /// The cluster keeps them.
    Yes,
    /// They are answered and forgotten, or parts of other requests.
    No,
    /// A program reads or writes them; no API server knows them.
    File,
}

/// An API in one release of its module.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Sighting {
    /// The package: `flowcontrol/v1beta1`.
    pub(super) package: String,
    pub(super) lifecycle: Lifecycle,
    pub(super) persisted: Persisted,
}

/// An API through the releases of its module.
#[derive(Debug)]
pub(super) struct Record {
    /// The module: `k8s.io/api`.
    pub(super) module: &'static str,
    pub(super) sightings: BTreeMap<Minor, Sighting>,
}

/// A release that was read.
#[derive(Debug, Clone)]
pub(super) struct Release {
    /// `v0.37.0`
    pub(super) version: String,
    /// The day it came out.
    pub(super) date: String,
}

/// Everything that was read.
#[derive(Debug, Default)]
pub(super) struct History {
    pub(super) apis: BTreeMap<ApiName, Record>,
    /// The releases of each module.
    pub(super) releases: BTreeMap<&'static str, BTreeMap<Minor, Release>>,
}

impl History {
    /// The releases of the module that has this API.
    pub(super) fn releases_of(&self, record: &Record) -> anyhow::Result<&BTreeMap<Minor, Release>> {
        self.releases.get(record.module).with_context(|| format!("{} was not read", record.module))
    }

    /// Adds what one release says of an API. An API lives in one module.
    fn add(
        &mut self,
        name: ApiName,
        module: &'static str,
        minor: Minor,
        sighting: Sighting,
    ) -> anyhow::Result<()> {
        let record = self.apis.entry(name).or_insert_with(|| Record { module, sightings: BTreeMap::new() });
        ensure!(record.module == module, "{} and {module} have the same kind", record.module);
        record.sightings.insert(minor, sighting);
        Ok(())
    }
}

/// Reads the sources of all releases.
pub(super) fn read(downloaded: &[Downloaded]) -> anyhow::Result<History> {
    let mut history = History::default();
    for release in downloaded {
        let module = release.module.path;
        let known = Release { version: release.version.clone(), date: release.date.clone() };
        history.releases.entry(module).or_default().insert(release.minor, known);
        for (package, folder) in release.packages()? {
            read_package(&mut history, release, &package, &folder)
                .with_context(|| format!("{module}@{} {package}", release.version))?;
        }
    }
    Ok(history)
}

fn read_package(
    history: &mut History,
    release: &Downloaded,
    package: &str,
    folder: &Path,
) -> anyhow::Result<()> {
    let registered = registrations(&fs::read_to_string(folder.join("register.go"))?)?;
    if registered.is_empty() {
        return Ok(());
    }
    let mut lifecycles = BTreeMap::new();
    let mut stored = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let stem = path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
        if path.extension().is_none_or(|extension| extension != "go") || stem.ends_with("_test") {
            continue;
        }
        if stem.ends_with("lifecycle") {
            add_lifecycles(&fs::read_to_string(&path)?, &mut lifecycles).context(stem)?;
        } else if !stem.contains("generated") {
            add_stored_types(&fs::read_to_string(&path)?, &mut stored);
        }
    }
    for registration in items(registered) {
        let Registration { group, version, kind, go_type } = registration;
        let persisted = match release.module.served {
            Served::No => Persisted::File,
            Served::Yes if stored.contains(&go_type) => Persisted::Yes,
            Served::Yes => Persisted::No,
        };
        let lifecycle = lifecycles.get(&go_type).cloned().unwrap_or_default();
        let sighting = Sighting { package: package.to_owned(), lifecycle, persisted };
        history.add(ApiName { group, version, kind }, release.module.path, release.minor, sighting)?;
    }
    Ok(())
}

/// The registrations without the lists of registered kinds, which follow their items, without
/// `List`, the list of anything, and without the options of requests.
fn items(registered: Vec<Registration>) -> Vec<Registration> {
    let kinds: BTreeSet<String> = registered.iter().map(|registration| registration.kind.clone()).collect();
    let is_item = |registration: &Registration| match registration.kind.strip_suffix("List") {
        Some(item) => !item.is_empty() && !kinds.contains(item),
        None => !registration.kind.ends_with("Options"),
    };
    registered.into_iter().filter(is_item).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_follow_their_items_and_options_are_no_kinds() {
        let registered = ["Pod", "PodList", "PodLogOptions", "List", "AllowList"].map(|kind| Registration {
            group: String::new(),
            version: "v1".to_owned(),
            kind: kind.to_owned(),
            go_type: kind.to_owned(),
        });
        let kept: Vec<String> = items(registered.to_vec()).into_iter().map(|kept| kept.kind).collect();
        assert_eq!(kept, ["Pod", "AllowList"]);
    }

    #[test]
    fn an_api_lives_in_one_module() {
        let mut history = History::default();
        let sighting =
            Sighting { package: "v1".to_owned(), lifecycle: Lifecycle::default(), persisted: Persisted::Yes };
        let name = ApiName::new("g", "v1", "K");
        history.add(name.clone(), "one", Minor(17), sighting.clone()).unwrap();
        history.add(name.clone(), "one", Minor(18), sighting.clone()).unwrap();
        assert!(history.add(name, "two", Minor(18), sighting).is_err());
    }
}
