//! The tables themselves, and what is answered from them.

use std::collections::BTreeMap;

use eks_model::{AddonVersion, KubeMinor};
use proptest::prelude::*;

use super::*;

fn v(text: &str) -> AddonVersion {
    text.parse().unwrap()
}

const fn m(minor: u16) -> KubeMinor {
    KubeMinor::new(minor)
}

fn matrix() -> &'static Matrix {
    Matrix::embedded()
}

#[test]
fn the_tables_are_whole() {
    let parsed = Matrix::parse().unwrap();
    let mut rows = 0;
    for ((addon, minor), list) in &parsed.lists {
        let defaults = list.entries.iter().filter(|entry| entry.default).count();
        assert!(defaults <= 1, "{addon} {minor} has {defaults} defaults");
        let versions: Vec<&AddonVersion> = list.entries.iter().map(|entry| &entry.version).collect();
        assert!(versions.is_sorted(), "{addon} {minor}");
        assert!(versions.windows(2).all(|pair| pair[0] != pair[1]), "{addon} {minor} has a version twice");
        rows += versions.len();
        assert!(parsed.facts(addon).is_some(), "{addon} has no row in addons.tsv");
        for entry in &list.entries {
            assert!(!entry.platforms.is_empty() && !entry.evidence.source.is_empty());
        }
    }
    assert!(rows > 1500, "{rows} rows");
    // A list of that day has exactly one default wherever it has a version at all.
    for ((addon, minor), list) in &parsed.lists {
        if let Some(complete) = &list.complete {
            let that_day = list.entries.iter().filter(|entry| entry.evidence == *complete).count();
            let defaults = list.entries.iter().filter(|entry| entry.default).count();
            assert!(that_day == 0 || defaults == 1, "{addon} {minor}: {defaults} defaults of {that_day}");
        }
    }
}

#[test]
fn every_source_is_used_and_dated() {
    let sources = sources(SOURCES).unwrap();
    let mut used: BTreeMap<&str, u32> = BTreeMap::new();
    for table in [
        MANAGED,
        COMPLETE,
        OLDEST,
        ADDONS,
        include_str!("../../data/controllers.tsv"),
        include_str!("../../data/recognise.tsv"),
        include_str!("../../data/charts.tsv"),
    ] {
        for line in table.lines().filter(|line| !line.starts_with('#')) {
            for column in line.split('\t').filter(|column| sources.contains_key(column)) {
                *used.entry(column).or_default() += 1;
            }
        }
    }
    for (id, citation) in &sources {
        assert!(used.contains_key(id), "no row uses {id}");
        assert!(!citation.is_empty(), "{id}");
    }
}

#[test]
fn a_version_fits_does_not_or_is_unknown() {
    // (add-on, version, Kubernetes, answer)
    for (addon, version, minor, expected) in [
        // Listed on 2024-03-08.
        ("vpc-cni", "v1.16.3-eksbuild.2", 28, "compatible"),
        // Seen since.
        ("coredns", "v1.14.7-eksbuild.11", 36, "compatible"),
        // Another build of a version that was seen.
        ("coredns", "v1.14.7-eksbuild.3", 36, "compatible"),
        // Within what the project recommends and what is known.
        ("vpc-cni", "v1.19.2-eksbuild.1", 33, "compatible"),
        // Complete, and not in it.
        ("coredns", "v1.8.7-eksbuild.1", 29, "incompatible"),
        ("vpc-cni", "v1.11.4-eksbuild.1", 26, "incompatible"),
        ("vpc-cni", "v1.11.4-eksbuild.1", 36, "incompatible"),
        // The only one, for some versions only.
        ("accuknox_kubearmor", "v0.10.2-eksbuild.1", 27, "compatible"),
        ("accuknox_kubearmor", "v0.10.2-eksbuild.1", 29, "none"),
        ("coredns", "v1.99.0-eksbuild.1", 36, "unknown"),
        ("coredns", "v1.14.7-eksbuild.11", 40, "unknown"),
        ("no-such-addon", "v1.0.0-eksbuild.1", 36, "unknown"),
        // kube-proxy follows Kubernetes.
        ("kube-proxy", "v1.36.0-eksbuild.45", 36, "compatible"),
        ("kube-proxy", "v1.33.1-eksbuild.1", 36, "compatible"),
        ("kube-proxy", "v1.32.1-eksbuild.1", 36, "incompatible"),
        ("kube-proxy", "v1.37.0-eksbuild.1", 36, "incompatible"),
        ("kube-proxy", "v1.24.1-eksbuild.1", 27, "incompatible"),
    ] {
        let fit = matrix().judge(addon, &v(version), m(minor));
        let answer = match &fit {
            Fit::Compatible(_) => "compatible",
            Fit::Incompatible { none_exists: true, .. } => "none",
            Fit::Incompatible { .. } => "incompatible",
            Fit::Unknown { .. } => "unknown",
        };
        assert_eq!(answer, expected, "{addon} {version} on 1.{minor}: {fit:?}");
    }
}

fn capture() -> Capture {
    let version = |version: &str, minors: &[(&str, bool)]| {
        let fits: Vec<String> = minors
            .iter()
            .map(|(minor, default)| {
                format!(r#"{{"clusterVersion": "{minor}", "platformVersions": ["*"], "defaultVersion": {default}}}"#)
            })
            .collect();
        format!(r#"{{"addonVersion": "{version}", "compatibilities": [{}]}}"#, fits.join(","))
    };
    let text = format!(
        r#"{{"addons": [
            {{"addonName": "coredns", "addonVersions": [{}, {}, {}]}},
            {{"addonName": "kube-proxy", "addonVersions": [{}]}},
            {{"addonName": "adot", "addonVersions": [{}]}}]}}"#,
        version("v1.14.7-eksbuild.20", &[("1.36", true), ("1.37", false)]),
        version("v1.15.0-eksbuild.2", &[("1.37", true)]),
        version("v1.13.2-eksbuild.31", &[("1.36", false)]),
        version("v1.37.1-eksbuild.2", &[("1.37", true)]),
        version("v0.141.0-eksbuild.1", &[("1.36", true)]),
    );
    Capture::parse(text.as_bytes(), jiff::civil::date(2026, 11, 24)).unwrap()
}

#[test]
fn a_catalogue_from_outside_wins_and_the_answer_says_so() {
    let with = matrix().with(&capture());
    // The table has seen it; the catalogue no longer offers it.
    assert!(matrix().judge("coredns", &v("v1.14.7-eksbuild.11"), m(36)).is_compatible());
    let Fit::Incompatible { evidence, .. } = with.judge("coredns", &v("v1.14.7-eksbuild.11"), m(36)) else {
        panic!("the table won");
    };
    assert_eq!(
        (evidence.origin, evidence.to_string().as_str()),
        (Origin::Catalogue, "by the catalogue of 2026-11-24")
    );
    // Where the catalogue does not speak, the table still does.
    assert!(with.judge("vpc-cni", &v("v1.23.2-eksbuild.1"), m(36)).is_compatible());
    // It names adot and has none of it for 1.37: an answer, not an error.
    let Fit::Incompatible { none_exists, .. } = with.judge("adot", &v("v0.141.0-eksbuild.1"), m(37)) else {
        panic!()
    };
    assert!(none_exists);
    assert!(matches!(with.choose("adot", None, m(37), Wanted::Default), Choice::NoneExists(_)));
    // Newer than the newest of that day: it may have come since.
    assert!(matches!(with.judge("coredns", &v("v1.15.0-eksbuild.3"), m(37)), Fit::Unknown { .. }));
}

#[test]
fn the_version_to_move_to_follows_the_policy() {
    let with = matrix().with(&capture());
    let choose = |in_use: Option<&str>, minor, wanted| match with.choose(
        "coredns",
        in_use.map(v).as_ref(),
        m(minor),
        wanted,
    ) {
        Choice::Stay => "stay".to_owned(),
        Choice::MoveTo(entry) => entry.version.to_string(),
        Choice::NoneExists(_) => "none".to_owned(),
        Choice::Unknown { .. } => "unknown".to_owned(),
    };
    let old = Some("v1.13.2-eksbuild.31");
    assert_eq!(choose(old, 36, Wanted::SmallestStep), "stay");
    assert_eq!(choose(old, 36, Wanted::Default), "v1.14.7-eksbuild.20");
    assert_eq!(choose(old, 37, Wanted::SmallestStep), "v1.14.7-eksbuild.20");
    assert_eq!(choose(old, 37, Wanted::Default), "v1.15.0-eksbuild.2");
    assert_eq!(choose(old, 37, Wanted::Newest), "v1.15.0-eksbuild.2");
    assert_eq!(choose(None, 37, Wanted::SmallestStep), "v1.14.7-eksbuild.20");
    // Never down while the one in use fits.
    assert_eq!(choose(Some("v1.15.0-eksbuild.2"), 37, Wanted::Default), "stay");
    assert_eq!(choose(old, 45, Wanted::Default), "unknown");
}

#[test]
fn before_or_after_the_control_plane() {
    let with = matrix().with(&capture());
    let when = |addon: &str, version: &str, from, to| with.when(addon, &v(version), m(from), m(to));
    // v1.14.7-eksbuild.20 fits both sides.
    assert_eq!(when("coredns", "v1.13.2-eksbuild.31", 36, 37), Some(When::Before));
    assert_eq!(when("coredns", "v1.14.7-eksbuild.20", 36, 37), None);
    assert_eq!(when("kube-proxy", "v1.36.0-eksbuild.45", 36, 37), Some(When::After));
    assert_eq!(when("adot", "v0.141.0-eksbuild.1", 36, 37), Some(When::Neither));
    assert_eq!(when("vpc-cni", "v1.11.4-eksbuild.1", 25, 26), Some(When::Before));
}

#[test]
fn steps_go_one_minor_at_a_time() {
    let lines = |from: &str, to: &str| -> Vec<String> {
        matrix()
            .steps("vpc-cni", &v(from), &v(to))
            .iter()
            .map(|s| format!("{}.{}", s.line.0, s.line.1))
            .collect()
    };
    assert_eq!(lines("v1.18.3-eksbuild.2", "v1.21.1-eksbuild.7"), ["1.19", "1.20", "1.21"]);
    assert_eq!(lines("v1.21.1-eksbuild.1", "v1.21.1-eksbuild.7"), ["1.21"]);
    assert_eq!(lines("v1.21.1-eksbuild.7", "v1.20.1-eksbuild.3"), ["1.20"]);
    assert_eq!(lines("v1.21.1-eksbuild.7", "v1.21.1-eksbuild.7"), Vec::<String>::new());
    // Each step that is known names a version of its line.
    for step in matrix().steps("vpc-cni", &v("v1.18.3-eksbuild.2"), &v("v1.21.1-eksbuild.7")) {
        assert!(step.version.is_some_and(|version| version.line() == step.line));
    }
}

#[test]
fn the_network_comes_first_and_what_needs_another_after_it() {
    let order = matrix().order(vec![
        "adot",
        "zz-unknown",
        "coredns",
        "vpc-cni",
        "cert-manager",
        "kube-proxy",
        "aa-unknown",
    ]);
    let place = |name: &str| order.iter().position(|known| *known == name).unwrap();
    assert!(place("vpc-cni") < place("coredns") && place("vpc-cni") < place("kube-proxy"), "{order:?}");
    assert!(place("cert-manager") < place("adot"), "{order:?}");
    assert_eq!(order[5..], ["aa-unknown", "zz-unknown"]);
    assert_eq!(matrix().facts("vpc-cni").unwrap().stepping, Stepping::Must);
    assert!(matrix().facts("kube-proxy").unwrap().follows_kubernetes);
}

proptest! {
    #[test]
    fn what_is_chosen_fits_and_is_not_below(
        at in 20u16..37, to in 20u16..38, pick in any::<prop::sample::Index>(), which in 0usize..4, wanted in 0usize..3,
    ) {
        let addon = ["vpc-cni", "coredns", "kube-proxy", "aws-ebs-csi-driver"][which];
        let wanted = [Wanted::Default, Wanted::Newest, Wanted::SmallestStep][wanted];
        let entries = matrix().versions(addon, m(at));
        prop_assume!(!entries.is_empty());
        let in_use = &entries[pick.index(entries.len())].version;
        if let Choice::MoveTo(entry) = matrix().choose(addon, Some(in_use), m(to), wanted) {
            prop_assert!(matrix().judge(addon, &entry.version, m(to)).is_compatible());
            if wanted == Wanted::SmallestStep || matrix().judge(addon, in_use, m(to)).is_compatible() {
                prop_assert!(entry.version >= *in_use);
            }
            let steps = matrix().steps(addon, in_use, &entry.version);
            prop_assert!(steps.windows(2).all(|pair| pair[1].line.1 == pair[0].line.1 + 1));
        }
    }
}
