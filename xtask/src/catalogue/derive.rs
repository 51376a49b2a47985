//! From the history of the modules and the table by hand to the rows of the catalogue.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, bail, ensure};

use super::curated::{Cell, Change, Curated};
use super::history::{History, Persisted, Record, Release};
use super::names::{ApiName, Minor, Stability};

/// From this minor on a new beta is off unless somebody turns it on, and EKS does not.
const BETAS_OFF: Minor = Minor(24);

/// Whether EKS ever served an API.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Eks {
    Served,
    Never,
}

/// A row of the catalogue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Row {
    pub(super) name: ApiName,
    pub(super) introduced: Option<Minor>,
    pub(super) deprecated: Option<Minor>,
    pub(super) removed: Option<Minor>,
    /// What to use instead, and since when it is served.
    pub(super) replacement: Option<(ApiName, Option<Minor>)>,
    pub(super) persisted: Persisted,
    pub(super) eks: Eks,
    pub(super) source: String,
    pub(super) as_of: String,
}

/// A row before the others are known.
#[derive(Debug, Clone)]
struct Draft {
    introduced: Option<Minor>,
    deprecated: Option<Minor>,
    removed: Option<Minor>,
    replacement: Cell<ApiName>,
    persisted: Persisted,
    eks: Option<Eks>,
    source: String,
    as_of: String,
}

type Drafts = BTreeMap<ApiName, Draft>;

/// The rows, sorted by group, version and kind.
pub(super) fn rows(history: &History, curated: &[Curated], newest: Minor) -> anyhow::Result<Vec<Row>> {
    let mut drafts = Drafts::new();
    for (name, record) in &history.apis {
        let releases = history.releases_of(record)?;
        let draft = draft(record, releases, newest).with_context(|| name.to_string())?;
        drafts.insert(name.clone(), draft);
    }
    for curated in curated.iter().filter(|curated| curated.change == Change::Add) {
        add(&mut drafts, history, curated).with_context(|| in_curated(&curated.name))?;
    }
    for curated in curated.iter().filter(|curated| curated.change == Change::Correct) {
        let names: Vec<ApiName> = drafts.keys().filter(|name| curated.is_about(name)).cloned().collect();
        ensure!(!names.is_empty(), "{}: no module has it; add it or drop the row", in_curated(&curated.name));
        for name in names {
            let corrected = correct(&drafts, history, &name, curated).with_context(|| in_curated(&name))?;
            drafts.insert(name, corrected);
        }
    }
    drafts.keys().map(|name| row(&drafts, name, newest).with_context(|| name.to_string())).collect()
}

fn in_curated(name: &ApiName) -> String {
    format!("{name} in curated.tsv")
}

/// What the modules say. The newest release that has the type speaks: markers moved between
/// releases, and what was planned last is what holds.
fn draft(record: &Record, releases: &BTreeMap<Minor, Release>, newest: Minor) -> anyhow::Result<Draft> {
    let (&first, _) = record.sightings.first_key_value().context("it was never seen")?;
    let (&last, latest) = record.sightings.last_key_value().context("it was never seen")?;
    let (&newest_read, newest_release) = releases.last_key_value().context("no release was read")?;
    ensure!(newest_read == newest, "{} was read up to {newest_read} only", record.module);
    for (minor, _) in releases.range(first..=last) {
        ensure!(record.sightings.contains_key(minor), "it came back after {minor} went without it");
    }
    let appeared = match first.previous() {
        Some(before) if releases.keys().any(|minor| *minor < first) => {
            ensure!(releases.contains_key(&before), "it came after {before}, which must be read too");
            Some(first)
        }
        _ => None,
    };
    let gone = (last < newest).then_some(last.next());
    if let Some(gone) = gone {
        ensure!(releases.contains_key(&gone), "it went before or in {gone}, which must be read too");
    }

    let said = &latest.lifecycle;
    // A type may be there before it is served, so the later of the two; and if the marker names
    // an earlier minor than the first release with the type, the marker was planned, not kept.
    let introduced = said.introduced.max(appeared);
    // The API server stops at the marker, and cannot serve a type that is deleted.
    let removed = [said.removed, gone].into_iter().flatten().min();
    // What went early was never deprecated as planned.
    let deprecated =
        said.deprecated.filter(|deprecated| removed.is_none_or(|removed| *deprecated <= removed));

    let version = |minor: &Minor| releases.get(minor).map_or("", |release| &release.version);
    let marker = if said.is_unsaid() { "" } else { " marker" };
    let mut source = vec![format!("{}@{} {}{marker}", record.module, version(&last), latest.package)];
    if introduced.is_some() && introduced == appeared && introduced != said.introduced {
        source.push(format!("first in {}", version(&first)));
    }
    if let Some(gone) = gone.filter(|gone| Some(*gone) == removed && removed != said.removed) {
        source.push(format!("not in {}", version(&gone)));
    }
    Ok(Draft {
        introduced,
        deprecated,
        removed,
        replacement: said.replacement.clone().map_or(Cell::Unsaid, Cell::Is),
        persisted: latest.persisted,
        eks: None,
        source: source.join("; "),
        as_of: newest_release.date.clone(),
    })
}

/// Adds a row by hand about an API that no module has.
fn add(drafts: &mut Drafts, history: &History, curated: &Curated) -> anyhow::Result<()> {
    let name = &curated.name;
    ensure!(!drafts.contains_key(name), "the modules have it: correct it instead");
    let removed = curated.removed.clone().value();
    // A group that is read would show the kind, unless it went before the oldest release read.
    let of_the_group = history.apis.iter().filter(|(known, _)| known.group == name.group);
    for (_, record) in of_the_group {
        let (&oldest, release) =
            history.releases_of(record)?.first_key_value().context("no release was read")?;
        ensure!(
            removed.is_some_and(|removed| removed <= oldest),
            "{}@{} has the group and not this kind, so it must have gone by {oldest}",
            record.module,
            release.version,
        );
    }
    let draft = Draft {
        introduced: curated.introduced.clone().value(),
        deprecated: curated.deprecated.clone().value(),
        removed,
        replacement: curated.replacement.clone(),
        persisted: curated.persisted.context("it does not say what becomes of its objects")?,
        eks: curated.eks,
        source: curated.source.clone(),
        as_of: curated.as_of.clone(),
    };
    drafts.insert(name.clone(), draft);
    Ok(())
}

/// What a row by hand makes of an API. It must change what it says, or it is stale, and cannot say
/// what the modules show to be impossible, or it is wrong.
fn correct(drafts: &Drafts, history: &History, name: &ApiName, curated: &Curated) -> anyhow::Result<Draft> {
    let derived = drafts.get(name).context("no module has it")?;
    let mut draft = derived.clone();
    let mut corrected = Vec::new();
    let mut corrects = |column: &'static str, changed: bool| -> anyhow::Result<()> {
        ensure!(changed, "{column} is stale: the modules say the same; drop it");
        corrected.push(column);
        Ok(())
    };
    if !curated.introduced.is_unsaid() {
        draft.introduced = curated.introduced.clone().value();
        corrects("introduced", draft.introduced != derived.introduced)?;
    }
    if !curated.deprecated.is_unsaid() {
        draft.deprecated = curated.deprecated.clone().value();
        corrects("deprecated", draft.deprecated != derived.deprecated)?;
    }
    if !curated.removed.is_unsaid() {
        draft.removed = curated.removed.clone().value();
        corrects("removed", draft.removed != derived.removed)?;
    }
    if !curated.replacement.is_unsaid() {
        draft.replacement = curated.replacement.clone();
        corrects("replacement", curated.replacement.clone().value() != replaced_by(drafts, name))?;
    }
    if let Some(persisted) = curated.persisted {
        draft.persisted = persisted;
        corrects("persisted", persisted != derived.persisted)?;
    }
    if let Some(eks) = curated.eks {
        draft.eks = Some(eks);
        corrects("eks", eks != eks_serves(drafts, name, derived))?;
    }
    ensure!(!corrected.is_empty(), "it corrects nothing");
    draft.source = format!("{}; {}: {}", derived.source, corrected.join(", "), curated.source);
    draft.as_of.clone_from(&curated.as_of);

    if let Some(record) = history.apis.get(name) {
        let releases = history.releases_of(record)?;
        let is_oldest = |minor: &Minor| releases.keys().next() == Some(minor);
        if let (Some(introduced), Some(first)) = (draft.introduced, record.sightings.keys().next()) {
            let possible = if is_oldest(first) { introduced <= *first } else { introduced >= *first };
            let seen = format!("{} has it first in the release of {first}", record.module);
            ensure!(
                possible || curated.introduced.is_unsaid(),
                "it cannot be introduced in {introduced}: {seen}"
            );
        }
    }
    if let Some(end) = derived.removed {
        let possible = draft.removed.is_some_and(|removed| removed <= end);
        ensure!(possible, "it cannot be served in {end}: {}", derived.source);
    }
    Ok(draft)
}

/// The row of an API, now that the others are known.
fn row(drafts: &Drafts, name: &ApiName, newest: Minor) -> anyhow::Result<Row> {
    let draft = drafts.get(name).context("there is no such row")?;
    if let (Some(introduced), Some(removed)) = (draft.introduced, draft.removed) {
        ensure!(introduced < removed, "it goes ({removed}) before it comes ({introduced})");
    }
    if let Some(deprecated) = draft.deprecated {
        let possible = draft.introduced.is_none_or(|introduced| introduced <= deprecated)
            && draft.removed.is_none_or(|removed| deprecated <= removed);
        ensure!(possible, "it is deprecated ({deprecated}) when it is not served");
    }
    let replacement = replacement(drafts, name, newest)?;
    let since = replacement.as_ref().and_then(|name| drafts.get(name)).and_then(|draft| draft.introduced);
    Ok(Row {
        name: name.clone(),
        introduced: draft.introduced,
        deprecated: draft.deprecated,
        removed: draft.removed,
        replacement: replacement.map(|name| (name, since)),
        persisted: draft.persisted,
        eks: draft.eks.unwrap_or_else(|| eks_serves(drafts, name, draft)),
        source: draft.source.clone(),
        as_of: draft.as_of.clone(),
    })
}

/// What replaces an API in one step: what it says, else the newest stable version of the same kind.
fn replaced_by(drafts: &Drafts, name: &ApiName) -> Option<ApiName> {
    match drafts.get(name).map(|draft| &draft.replacement) {
        Some(Cell::Is(replacement)) => Some(replacement.clone()),
        Some(Cell::Unsaid) if name.stability() != Stability::Ga => {
            let stable = drafts.keys().filter(|other| other.is_sibling_of(name));
            stable
                .filter(|other| other.stability() == Stability::Ga)
                .max_by_key(|other| other.major())
                .cloned()
        }
        Some(Cell::Unsaid | Cell::Nothing) | None => None,
    }
}

/// The end of the chain of replacements, if it is still served. A chain that ends at an API that
/// is gone itself (PodSecurityPolicy) leads nowhere.
fn replacement(drafts: &Drafts, name: &ApiName, newest: Minor) -> anyhow::Result<Option<ApiName>> {
    let mut passed = BTreeSet::from([name.clone()]);
    let mut end = None;
    while let Some(next) = replaced_by(drafts, end.as_ref().unwrap_or(name)) {
        ensure!(
            drafts.contains_key(&next),
            "its replacement {next} does not exist; correct it in curated.tsv"
        );
        if !passed.insert(next.clone()) {
            bail!("its replacements go round in a circle");
        }
        end = Some(next);
    }
    let is_served =
        |end: &ApiName| drafts.get(end)?.removed.is_none_or(|removed| removed > newest).then_some(());
    Ok(end.filter(|end| is_served(end).is_some()))
}

/// EKS serves what is stable, and betas that were on before new ones came to be off, with their
/// later versions. Alphas are off.
fn eks_serves(drafts: &Drafts, name: &ApiName, draft: &Draft) -> Eks {
    let was_on = |draft: &Draft| draft.introduced.is_none_or(|introduced| introduced < BETAS_OFF);
    let is_served = draft.persisted == Persisted::File
        || match name.stability() {
            Stability::Ga => true,
            Stability::Alpha => false,
            Stability::Beta => {
                let mut earlier = drafts.iter().filter(|(other, _)| other.is_sibling_of(name));
                was_on(draft)
                    || earlier.any(|(other, draft)| other.stability() == Stability::Beta && was_on(draft))
            }
        };
    if is_served { Eks::Served } else { Eks::Never }
}

#[cfg(test)]
mod tests;
