//! Tests on made-up histories.

use super::*;
use crate::catalogue::curated;
use crate::catalogue::history::Sighting;
use crate::catalogue::lifecycle::Lifecycle;

const NEWEST: Minor = Minor(37);
const COLUMNS: &str = "group\tversion\tkind\tchange\tintroduced\tdeprecated\tremoved\treplacement\t\
                       persisted\teks\twhy\tsource\tas_of\n";

/// A history in which `k8s.io/api` was read from 1.17 to 1.37.
fn history(apis: &[(&str, &[(u16, Lifecycle)])]) -> History {
    let mut history = History::default();
    let release = |minor: u16| Release { version: format!("v0.{minor}.0"), date: "2026-08-26".to_owned() };
    history.releases.insert("k8s.io/api", (17..=37).map(|minor| (Minor(minor), release(minor))).collect());
    for (name, sightings) in apis {
        let sighting = |lifecycle: &Lifecycle| Sighting {
            package: "group/version".to_owned(),
            lifecycle: lifecycle.clone(),
            persisted: Persisted::Yes,
        };
        let sightings = sightings.iter().map(|(minor, lifecycle)| (Minor(*minor), sighting(lifecycle)));
        let record = Record { module: "k8s.io/api", sightings: sightings.collect() };
        history.apis.insert(ApiName::parse(name).unwrap(), record);
    }
    history
}

/// Sightings of one life over a range of minors.
fn seen(minors: std::ops::RangeInclusive<u16>, lifecycle: &Lifecycle) -> Vec<(u16, Lifecycle)> {
    minors.map(|minor| (minor, lifecycle.clone())).collect()
}

/// A marker: introduced, deprecated, removed (0 for none) and replacement.
fn marker(introduced: u16, deprecated: u16, removed: u16, replacement: &str) -> Lifecycle {
    let minor = |minor: u16| (minor > 0).then_some(Minor(minor));
    Lifecycle {
        introduced: minor(introduced),
        deprecated: minor(deprecated),
        removed: minor(removed),
        replacement: (!replacement.is_empty()).then(|| ApiName::parse(replacement).unwrap()),
    }
}

fn none() -> Lifecycle {
    Lifecycle::default()
}

/// The rows as `name: introduced deprecated removed > replacement since`, `-` for none.
fn derived(history: &History, curated_rows: &str) -> anyhow::Result<Vec<String>> {
    let curated = curated::parse(&format!("{COLUMNS}{curated_rows}"))?;
    let minor = |minor: Option<Minor>| minor.map_or("-".to_owned(), |minor| minor.to_string());
    let line = |row: Row| {
        let replacement =
            row.replacement.map_or("-".to_owned(), |(to, since)| format!("{to} {}", minor(since)));
        let life = [row.introduced, row.deprecated, row.removed].map(minor).join(" ");
        format!("{}: {life} > {replacement}", row.name)
    };
    Ok(rows(history, &curated, NEWEST)?.into_iter().map(line).collect())
}

fn error(history: &History, curated_rows: &str) -> String {
    format!("{:#}", derived(history, curated_rows).unwrap_err())
}

/// A row of `curated.tsv`, from group to eks.
fn curated_row(cells: &str) -> String {
    format!("{cells}\twhy\thttps://example.org\t2026-11-24\n")
}

#[test]
fn a_type_dropped_before_its_marker_ends_when_it_is_dropped() {
    let early = seen(31..=33, &marker(31, 34, 37, ""));
    let history = history(&[("g/v1alpha1 A", &early)]);
    assert_eq!(derived(&history, "").unwrap(), ["g/v1alpha1 A: 1.31 1.34 1.34 > -"]);
    assert_eq!(
        rows(&history, &[], NEWEST).unwrap()[0].source,
        "k8s.io/api@v0.33.0 group/version marker; not in v0.34.0"
    );
}

#[test]
fn a_deprecation_planned_for_later_than_the_end_never_was() {
    let early = seen(34..=34, &marker(34, 37, 40, ""));
    assert_eq!(
        derived(&history(&[("g/v1alpha1 A", &early)]), "").unwrap(),
        ["g/v1alpha1 A: 1.34 - 1.35 > -"]
    );
}

#[test]
fn the_marker_ends_an_api_whose_type_stays() {
    let long = seen(17..=37, &marker(8, 17, 22, ""));
    assert_eq!(derived(&history(&[("g/v1beta1 A", &long)]), "").unwrap(), ["g/v1beta1 A: 1.8 1.17 1.22 > -"]);
}

#[test]
fn of_markers_that_moved_the_newest_wins() {
    let mut moved = seen(20..=30, &marker(8, 22, 25, ""));
    moved.extend(seen(31..=37, &marker(8, 21, 40, "")));
    moved.extend(seen(17..=19, &none()));
    assert_eq!(
        derived(&history(&[("g/v1beta1 A", &moved)]), "").unwrap(),
        ["g/v1beta1 A: 1.8 1.21 1.40 > -"]
    );
}

#[test]
fn a_marker_earlier_than_the_first_release_with_the_type_is_not_believed() {
    let late = seen(29..=37, &marker(27, 0, 0, ""));
    let early = seen(17..=37, &marker(18, 0, 0, ""));
    assert_eq!(
        derived(&history(&[("g/v1 Late", &late), ("g/v1 There", &early)]), "").unwrap(),
        ["g/v1 Late: 1.29 - - > -", "g/v1 There: 1.18 - - > -"]
    );
}

#[test]
fn what_has_no_marker_is_as_old_as_its_type() {
    let apis: [(&str, &[_]); 2] =
        [("g/v1 New", &seen(30..=37, &none())), ("g/v1 Old", &seen(17..=37, &none()))];
    assert_eq!(derived(&history(&apis), "").unwrap(), ["g/v1 New: 1.30 - - > -", "g/v1 Old: - - - > -"]);
}

#[test]
fn replacements_are_followed_to_the_living_end() {
    let apis: [(&str, &[_]); 5] = [
        ("g/v1beta1 A", &seen(20..=37, &marker(20, 23, 26, "g/v1beta3 A"))),
        ("g/v1beta3 A", &seen(26..=37, &marker(26, 29, 32, "g/v1 A"))),
        ("g/v1 A", &seen(29..=37, &marker(29, 0, 0, ""))),
        // No marker names it: the stable version of the same kind is meant, the newest of them.
        ("g/v1alpha1 A", &seen(18..=28, &none())),
        ("g/v2 A", &seen(36..=37, &none())),
    ];
    assert_eq!(
        derived(&history(&apis), "").unwrap(),
        [
            "g/v1 A: 1.29 - - > -",
            "g/v1alpha1 A: 1.18 - 1.29 > g/v2 A 1.36",
            "g/v1beta1 A: 1.20 1.23 1.26 > g/v1 A 1.29",
            "g/v1beta3 A: 1.26 1.29 1.32 > g/v1 A 1.29",
            "g/v2 A: 1.36 - - > -",
        ]
    );
}

#[test]
fn a_chain_to_something_gone_leads_nowhere() {
    let apis: [(&str, &[_]); 2] = [
        ("extensions/v1beta1 P", &seen(17..=26, &marker(2, 11, 16, "policy/v1beta1 P"))),
        ("policy/v1beta1 P", &seen(17..=28, &marker(10, 21, 25, ""))),
    ];
    assert_eq!(
        derived(&history(&apis), "").unwrap(),
        ["extensions/v1beta1 P: 1.2 1.11 1.16 > -", "policy/v1beta1 P: 1.10 1.21 1.25 > -"]
    );
}

#[test]
fn a_replacement_that_does_not_exist_must_be_corrected() {
    let history = history(&[
        ("g/v1beta1 A", &seen(17..=37, &marker(1, 8, 16, "g/v1 AList"))),
        ("g/v1 A", &seen(17..=37, &none())),
    ]);
    assert!(error(&history, "").contains("g/v1 AList does not exist"));
    let curated = curated_row("g\tv1beta1\tA\tcorrect\t\t\t\tg/v1 A\t\t");
    assert_eq!(derived(&history, &curated).unwrap()[1], "g/v1beta1 A: 1.1 1.8 1.16 > g/v1 A -");
    let curated = curated_row("g\tv1beta1\tA\tcorrect\t\t\t\t-\t\t");
    assert_eq!(derived(&history, &curated).unwrap()[1], "g/v1beta1 A: 1.1 1.8 1.16 > -");
}

#[test]
fn a_circle_of_replacements_is_an_error() {
    let apis: [(&str, &[_]); 2] = [
        ("g/v1beta1 A", &seen(17..=37, &marker(1, 0, 0, "g/v1beta2 A"))),
        ("g/v1beta2 A", &seen(17..=37, &marker(1, 0, 0, "g/v1beta1 A"))),
    ];
    assert!(error(&history(&apis), "").contains("circle"));
}

#[test]
fn a_correction_that_the_modules_contradict_is_refused() {
    let history = history(&[
        ("g/v1alpha1 Dropped", &seen(20..=22, &none())),
        ("g/v1beta1 Marked", &seen(17..=37, &marker(8, 17, 22, ""))),
    ]);
    for (cells, reason) in [
        ("g\tv1alpha1\tDropped\tcorrect\t\t\t1.24\t\t\t", "cannot be served in 1.23"),
        ("g\tv1alpha1\tDropped\tcorrect\t\t\t-\t\t\t", "cannot be served in 1.23"),
        ("g\tv1alpha1\tDropped\tcorrect\t1.19\t\t\t\t\t", "cannot be introduced in 1.19"),
        ("g\tv1alpha1\tDropped\tcorrect\t\t\t1.20\t\t\t", "before it comes"),
        ("g\tv1alpha1\tDropped\tcorrect\t\t1.19\t\t\t\t", "deprecated (1.19)"),
        ("g\tv1beta1\tMarked\tcorrect\t\t\t1.25\t\t\t", "cannot be served in 1.22"),
        ("g\tv1beta1\tMarked\tcorrect\t1.18\t\t\t\t\t", "cannot be introduced in 1.18"),
        ("g\tv1beta1\tMarked\tcorrect\t\t1.23\t\t\t\t", "deprecated (1.23)"),
        ("g\tv1beta1\tMarked\tadd\t\t\t1.16\t\tyes\t", "the modules have it"),
        ("g\tv1beta1\tOlder\tadd\t\t\t1.18\t\tyes\t", "must have gone by 1.17"),
        ("g\tv1beta1\tOlder\tadd\t\t\t\t\tyes\t", "must have gone by 1.17"),
        ("g\tv1beta2\tMarked\tcorrect\t\t\t1.20\t\t\t", "no module has it"),
    ] {
        let error = error(&history, &curated_row(cells));
        assert!(
            error.contains(reason)
                && error.contains("curated.tsv")
                    | error.contains("deprecated")
                    | error.contains("before it comes"),
            "{cells}: {error}"
        );
    }
    let possible = curated_row("g\tv1alpha1\tDropped\tcorrect\t\t\t1.22\t\t\t");
    assert_eq!(derived(&history, &possible).unwrap()[0], "g/v1alpha1 Dropped: 1.20 - 1.22 > -");
    let curated = curated::parse(&format!("{COLUMNS}{possible}")).unwrap();
    let row = &rows(&history, &curated, NEWEST).unwrap()[0];
    assert_eq!(
        row.source,
        "k8s.io/api@v0.22.0 group/version; first in v0.20.0; not in v0.23.0; removed: https://example.org"
    );
    assert_eq!(row.as_of, "2026-11-24");
}

#[test]
fn a_correction_that_changes_nothing_is_refused() {
    let history = history(&[
        ("g/v1beta1 A", &seen(17..=37, &marker(8, 17, 22, ""))),
        ("g/v1 A", &seen(17..=37, &none())),
    ]);
    for (cells, column) in [
        ("g\tv1beta1\tA\tcorrect\t1.8\t\t\t\t\t", "introduced"),
        ("g\tv1beta1\tA\tcorrect\t\t1.17\t\t\t\t", "deprecated"),
        ("g\tv1beta1\tA\tcorrect\t\t\t1.22\t\t\t", "removed"),
        ("g\tv1beta1\tA\tcorrect\t\t\t\tg/v1 A\t\t", "replacement"),
        ("g\tv1beta1\tA\tcorrect\t\t\t\t\tyes\t", "persisted"),
        ("g\tv1beta1\tA\tcorrect\t\t\t\t\t\tserved", "eks"),
        ("g\tv1beta1\tA\tcorrect\t\t\t\t\t\t", "corrects nothing"),
        // One cell that changes something does not excuse another.
        ("g\tv1beta1\tA\tcorrect\t\t\t1.21\t\t\tserved", "eks"),
    ] {
        let error = error(&history, &curated_row(cells));
        assert!(error.contains(column), "{cells}: {error}");
        assert!(error.contains("is stale") || error.contains("nothing"), "{cells}: {error}");
    }
}

#[test]
fn a_row_for_all_kinds_changes_each() {
    let apis: [(&str, &[_]); 2] =
        [("g/v1alpha1 A", &seen(17..=37, &none())), ("g/v1alpha1 B", &seen(17..=37, &none()))];
    let all = curated_row("g\tv1alpha1\t*\tcorrect\t\t\t1.23\t\t\t");
    assert_eq!(
        derived(&history(&apis), &all).unwrap(),
        ["g/v1alpha1 A: - - 1.23 > -", "g/v1alpha1 B: - - 1.23 > -"]
    );
}

#[test]
fn apis_that_no_module_has_are_added() {
    let history = history(&[("apps/v1 ReplicaSet", &seen(17..=37, &none()))]);
    let added = [
        curated_row("apps\tv1beta1\tReplicaSet\tadd\t\t\t1.16\tapps/v1 ReplicaSet\tyes\t"),
        curated_row("kubeadm.k8s.io\tv1beta3\tC\tadd\t1.22\t1.31\t1.37\t\tfile\t"),
    ];
    assert_eq!(
        derived(&history, &added.concat()).unwrap(),
        [
            "apps/v1 ReplicaSet: - - - > -",
            "apps/v1beta1 ReplicaSet: - - 1.16 > apps/v1 ReplicaSet -",
            "kubeadm.k8s.io/v1beta3 C: 1.22 1.31 1.37 > -",
        ]
    );
}

#[test]
fn a_release_that_would_settle_a_date_must_be_read() {
    let mut gap = history(&[("g/v1 Came", &seen(22..=37, &none()))]);
    let came = gap.apis.get_mut(&ApiName::new("g", "v1", "Came")).unwrap();
    for minor in 23..=36 {
        came.sightings.remove(&Minor(minor));
    }
    assert!(error(&gap, "").contains("came back"));
    let releases = gap.releases.get_mut("k8s.io/api").unwrap();
    for minor in 23..=36 {
        releases.remove(&Minor(minor));
    }
    assert!(derived(&gap, "").is_ok());
    gap.releases.get_mut("k8s.io/api").unwrap().remove(&Minor(21));
    assert!(error(&gap, "").contains("came after 1.21"));

    let mut gap = history(&[("g/v1 Went", &seen(17..=23, &none()))]);
    gap.releases.get_mut("k8s.io/api").unwrap().remove(&Minor(24));
    assert!(error(&gap, "").contains("in 1.24"));
    gap.releases.get_mut("k8s.io/api").unwrap().remove(&Minor(37));
    assert!(error(&gap, "").contains("up to 1.36 only"));
}

#[test]
fn eks_serves_stable_apis_and_the_betas_that_were_on() {
    let history = history(&[
        ("g/v1alpha1 A", &seen(17..=37, &none())),
        ("g/v1beta1 A", &seen(23..=37, &none())),
        ("g/v1beta2 A", &seen(30..=37, &none())),
        ("g/v1beta1 New", &seen(24..=37, &none())),
        ("g/v1beta2 New", &seen(26..=37, &none())),
        ("g/v1 New", &seen(30..=37, &none())),
        ("g/v1alpha1 Old", &seen(17..=37, &none())),
        ("g/v1beta1 Old", &seen(24..=37, &none())),
    ]);
    let curated = curated::parse(&format!(
        "{COLUMNS}{}{}",
        curated_row("g\tv1beta2\tNew\tcorrect\t\t\t\t\t\tserved"),
        curated_row("kubeadm.k8s.io\tv1alpha1\tC\tadd\t\t\t1.12\t\tfile\t"),
    ))
    .unwrap();
    let rows = rows(&history, &curated, NEWEST).unwrap();
    let served: Vec<String> =
        rows.into_iter().filter(|row| row.eks == Eks::Served).map(|row| row.name.to_string()).collect();
    assert_eq!(
        served,
        ["g/v1 New", "g/v1beta1 A", "g/v1beta2 A", "g/v1beta2 New", "kubeadm.k8s.io/v1alpha1 C"]
    );
}
