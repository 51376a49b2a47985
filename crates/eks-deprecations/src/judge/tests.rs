//! Tests of the judgement. Numbers of rows are those of docs/peer-rows.md.

use super::*;
use crate::scan::scan;

fn window(from: u16, to: u16) -> Window {
    Window::new(KubeMinor::new(from), KubeMinor::new(to)).unwrap()
}

fn usage(api_version: &str, kind: &str) -> Usage<'static> {
    Usage {
        api_version: api_version.to_owned().into(),
        kind: kind.to_owned().into(),
        name: Some("x".into()),
        namespace: None,
        line: 1,
        column: 13,
        document: 0,
        source: None,
        certainty: Certainty::Certain,
        role: Role::Object,
    }
}

fn judged(name: &str, from: u16, to: u16) -> Option<Finding> {
    let (api_version, kind) = name.split_once(' ').unwrap();
    judge(Catalogue::embedded(), &usage(api_version, kind), window(from, to))
}

/// `status severity hop`, or `-`.
fn verdict(name: &str, from: u16, to: u16) -> String {
    judged(name, from, to).map_or_else(
        || "-".to_owned(),
        |f| {
            let hop = f.hop.map_or_else(|| "-".to_owned(), |hop| hop.to_string());
            format!("{} {} {hop}", f.status.as_str(), f.severity.as_str())
        },
    )
}

#[test]
fn each_row_is_judged_as_its_life_says_at_every_target() {
    // row 3: one object per row, targets 1.16 to 1.40
    let catalogue = Catalogue::embedded();
    for row in catalogue.rows() {
        for to in 16..=40 {
            let window = window(to - 1, to);
            let found = judge(catalogue, &usage(&row.api_version, row.kind), window).map(|f| f.status);
            let before = |minor: Option<KubeMinor>| minor.is_some_and(|minor| minor <= KubeMinor::new(to));
            let expected = if before(row.removed) {
                Some(Status::Removed)
            } else if !row.on_eks {
                Some(Status::NotServed)
            } else if row.introduced.is_some_and(|introduced| introduced > KubeMinor::new(to - 1)) {
                Some(Status::NotYetServed)
            } else if before(row.deprecated) {
                Some(Status::Deprecated)
            } else {
                None
            };
            assert_eq!(found, expected, "{} {} at 1.{to}", row.api_version, row.kind);
            assert_eq!(matters(catalogue, &row.api_version, row.kind, window), expected.is_some());
        }
    }
}

#[test]
fn stable_kinds_of_today_are_no_findings() {
    // row 3: nothing but Endpoints and ComponentStatus
    let catalogue = Catalogue::embedded();
    let newest = catalogue.newest().minor.minor();
    for row in
        catalogue.rows().iter().filter(|row| !row.version.contains("alpha") && !row.version.contains("beta"))
    {
        let old_enough = row.introduced.is_none_or(|introduced| introduced.minor() < newest);
        if old_enough && row.removed.is_none() {
            let found = judge(catalogue, &usage(&row.api_version, row.kind), window(newest - 1, newest));
            let expected = matches!(row.kind, "Endpoints" | "ComponentStatus");
            assert_eq!(found.is_some(), expected, "{} {}", row.api_version, row.kind);
        }
    }
}

#[test]
fn a_finding_says_in_which_hop_it_bites() {
    for (name, from, to, expected) in [
        ("policy/v1beta1 PodDisruptionBudget", 23, 26, "removed block 1.25"),
        ("policy/v1beta1 PodDisruptionBudget", 23, 24, "deprecated warn -"),
        ("policy/v1beta1 PodDisruptionBudget", 30, 31, "removed block -"),
        ("policy/v1 PodDisruptionBudget", 23, 26, "-"),
        // row 29
        ("policy/v1 PodDisruptionBudget", 20, 22, "not-yet-served block 1.21"),
        ("autoscaling/v2 HorizontalPodAutoscaler", 22, 25, "not-yet-served block 1.23"),
        ("storage.k8s.io/v1 VolumeAttributesClass", 33, 35, "not-yet-served block 1.34"),
        ("storage.k8s.io/v1 VolumeAttributesClass", 31, 33, "not-yet-served block -"),
        ("v1 Endpoints", 31, 36, "deprecated warn 1.33"),
        ("v1 Endpoints", 34, 36, "deprecated warn -"),
        ("admissionregistration.k8s.io/v1beta1 MutatingAdmissionPolicy", 34, 36, "not-served warn -"),
        // where a removal applies, it wins
        ("admissionregistration.k8s.io/v1beta1 ValidatingAdmissionPolicy", 33, 34, "removed block 1.34"),
        // row 38
        ("authorization.k8s.io/v1beta1 SubjectAccessReview", 21, 22, "removed info 1.22"),
        ("policy/v1beta1 Eviction", 24, 25, "removed info 1.25"),
        // a file of a program that does not run on EKS
        ("audit.k8s.io/v1beta1 Policy", 23, 24, "removed warn 1.24"),
        ("client.authentication.k8s.io/v1alpha1 ExecCredential", 23, 24, "removed block 1.24"),
        // row 39: groups that only sound like Kubernetes' own
        ("example.com/v1beta1 Ingress", 16, 37, "-"),
        ("autoscaling.k8s.io/v1beta2 VerticalPodAutoscaler", 16, 37, "-"),
        ("flowcontrol.example.io/v1beta1 FlowSchema", 16, 37, "-"),
        ("gateway.networking.k8s.io/v1beta1 Gateway", 16, 37, "-"),
        // nothing that any Kubernetes has
        ("apps/v7 Deployment", 33, 34, "not-served warn -"),
        ("v1 Template", 33, 34, "-"),
    ] {
        assert_eq!(verdict(name, from, to), expected, "{name} {from} to {to}");
    }
}

#[test]
fn the_remedy_says_when_to_switch() {
    for (name, from, to, expected) in [
        (
            "policy/v1beta1 PodDisruptionBudget",
            23,
            26,
            "change it to policy/v1 PodDisruptionBudget now: 1.23 already serves it (since 1.21)",
        ),
        (
            "policy/v1beta1 PodDisruptionBudget",
            20,
            26,
            "change it to policy/v1 PodDisruptionBudget after the hop to 1.21, which brings it, and before the hop to 1.25",
        ),
        (
            "storage.k8s.io/v1beta1 VolumeAttributesClass",
            33,
            37,
            "change it to storage.k8s.io/v1 VolumeAttributesClass after the hop to 1.34, which brings it, and before the hop to 1.37",
        ),
        // No version is served all the way: a bridge is needed.
        (
            "flowcontrol.apiserver.k8s.io/v1beta1 FlowSchema",
            24,
            30,
            "change it to flowcontrol.apiserver.k8s.io/v1beta2 FlowSchema now: 1.24 already serves it (since 1.23); then change it to flowcontrol.apiserver.k8s.io/v1beta3 FlowSchema after the hop to 1.26, which brings it, and before the hop to 1.29; then change it to flowcontrol.apiserver.k8s.io/v1 FlowSchema after the hop to 1.29, which brings it",
        ),
        (
            "flowcontrol.apiserver.k8s.io/v1beta1 FlowSchema",
            25,
            27,
            "change it to flowcontrol.apiserver.k8s.io/v1beta2 FlowSchema now: 1.25 already serves it (since 1.23)",
        ),
        (
            "storage.k8s.io/v1 VolumeAttributesClass",
            33,
            35,
            "keep storage.k8s.io/v1beta1 until hop 1.33 → 1.34 is done, then switch to this one",
        ),
        (
            "storage.k8s.io/v1 VolumeAttributesClass",
            31,
            33,
            "use storage.k8s.io/v1beta1: this one comes after the upgrade",
        ),
        (
            "admissionregistration.k8s.io/v1 ValidatingAdmissionPolicy",
            29,
            31,
            "apply it only after hop 1.29 → 1.30",
        ),
        (
            "resource.k8s.io/v1 DeviceClass",
            33,
            35,
            "keep resource.k8s.io/v1beta2 until hop 1.33 → 1.34 is done, then switch to this one",
        ),
    ] {
        assert_eq!(judged(name, from, to).unwrap().remedy, expected, "{name} {from} to {to}");
    }
    for (name, from, to, expected) in [
        // Gone already: nothing is said of hops in the past.
        (
            "flowcontrol.apiserver.k8s.io/v1beta1 FlowSchema",
            26,
            28,
            "change it to flowcontrol.apiserver.k8s.io/v1beta3 FlowSchema now: 1.26 serves it",
        ),
        (
            "networking.k8s.io/v1alpha1 IPAddress",
            31,
            31,
            "take it out now: 1.31 serves no version of it; networking.k8s.io/v1 IPAddress comes with 1.33",
        ),
        // What comes too early for one version may need two others until then.
        (
            "flowcontrol.apiserver.k8s.io/v1 FlowSchema",
            25,
            30,
            "use flowcontrol.apiserver.k8s.io/v1beta2 now; then change it to flowcontrol.apiserver.k8s.io/v1beta3 FlowSchema after the hop to 1.26, which brings it, and before the hop to 1.29; then switch to this one when hop 1.28 → 1.29 is done",
        ),
        (
            "flowcontrol.apiserver.k8s.io/v1beta3 FlowSchema",
            24,
            27,
            "keep flowcontrol.apiserver.k8s.io/v1beta2 until hop 1.25 → 1.26 is done, then switch to this one",
        ),
        // Never on EKS: nothing to wait for.
        (
            "certificates.k8s.io/v1beta1 PodCertificateRequest",
            33,
            36,
            "leave it out: EKS does not serve it, and certificates.k8s.io/v1 PodCertificateRequest comes with 1.37",
        ),
        (
            "policy/v1beta1 PodDisruptionBudget",
            20,
            23,
            "change it to policy/v1 PodDisruptionBudget after the hop to 1.21, which brings it, before a later upgrade to 1.25",
        ),
    ] {
        assert_eq!(judged(name, from, to).unwrap().remedy, expected, "{name} {from} to {to}");
    }
    let early = judged("flowcontrol.apiserver.k8s.io/v1beta2 FlowSchema", 21, 33).unwrap();
    assert!(early.message.contains("not served before 1.23"), "{}", early.message);
    // row 32
    for name in ["policy/v1beta1 PodSecurityPolicy", "extensions/v1beta1 PodSecurityPolicy"] {
        let finding = judged(name, 24, 25).unwrap();
        assert!(finding.remedy.contains("Pod Security Admission"), "{}", finding.remedy);
        assert_eq!(finding.replacement, None);
    }
}

#[test]
fn a_replacement_is_never_said_to_be_missing_where_there_is_one() {
    // row 25
    for row in Catalogue::embedded().rows().iter().filter(|row| row.replacement.is_some()) {
        for (from, to) in [(15, 16), (20, 22), (24, 25), (25, 29), (31, 34), (36, 37)] {
            let finding = judge(Catalogue::embedded(), &usage(&row.api_version, row.kind), window(from, to));
            for finding in finding.iter().filter(|f| f.id == "API001") {
                assert!(
                    finding.replacement.is_some() && !finding.remedy.contains("no replacement"),
                    "{finding:?}"
                );
            }
        }
    }
}

#[test]
fn a_forecast_is_called_one() {
    let finding = judged("resource.k8s.io/v1beta1 ResourceClaim", 37, 38).unwrap();
    assert_eq!((finding.status, finding.removed_in), (Status::Removed, Some(KubeMinor::new(38))));
    assert!(finding.message.contains("forecast"), "{}", finding.message);
    let finding = judged("flowcontrol.apiserver.k8s.io/v1beta3 FlowSchema", 31, 32).unwrap();
    assert!(!finding.message.contains("forecast"), "{}", finding.message);
}

#[test]
fn what_is_not_certain_is_called_possible() {
    let mut usage = usage("policy/v1beta1", "PodSecurityPolicy");
    for (certainty, severity) in
        [(Certainty::Template, Severity::Block), (Certainty::Conditional, Severity::Warn)]
    {
        usage.certainty = certainty;
        let finding = judge(Catalogue::embedded(), &usage, window(24, 25)).unwrap();
        assert_eq!((finding.id, finding.status, finding.severity), ("API001", Status::Possible, severity));
    }
    usage.certainty = Certainty::Certain;
    usage.role = Role::Reference("users[].user.exec.apiVersion");
    assert_eq!(judge(Catalogue::embedded(), &usage, window(24, 25)).unwrap().status, Status::Reference);
}

#[test]
fn every_rule_finds_its_example_and_no_other_rule_does() {
    for rule in rules::ALL {
        let scan = scan(rule.example.text.as_bytes());
        let window = window(rule.example.from, rule.example.to);
        let found: Vec<_> = scan
            .usages
            .iter()
            .filter_map(|usage| judge(Catalogue::embedded(), usage, window))
            .map(|f| f.id)
            .collect();
        assert_eq!(found, [rule.id]);
        for text in [rule.title, rule.checks, rule.why, rule.since_until, rule.source] {
            assert!(!text.is_empty(), "{} has an empty heading", rule.id);
        }
    }
    assert!(rules::ALL.iter().map(|rule| rule.id).is_sorted());
}

#[test]
fn who_follows_a_remedy_always_uses_what_is_served() {
    // Every row, every window: each step names an API that is served when it is taken, and that
    // lasts until the next step or the end.
    let catalogue = Catalogue::embedded();
    let minor = |text: &str, mark: &str| -> Option<KubeMinor> {
        text.split_once(mark)?.1.split([' ', ',', ':']).next()?.parse().ok()
    };
    let mut followed = 0;
    for row in catalogue.rows().iter().filter(|row| row.persistence == Persistence::Stored) {
        for (from, to) in (20..=37).flat_map(|from| (from..=37).map(move |to| (from, to))) {
            let Some(finding) = judge(catalogue, &usage(&row.api_version, row.kind), window(from, to)) else {
                continue;
            };
            let steps: Vec<&str> = finding
                .remedy
                .split("; then ")
                .filter_map(|step| step.strip_prefix("change it to "))
                .collect();
            if finding.id != "API001" || steps.is_empty() {
                continue;
            }
            let mut since = Vec::new();
            for step in &steps {
                let mut words = step.split(' ');
                let api = catalogue.get(words.next().unwrap(), words.next().unwrap()).unwrap();
                let at = minor(step, "after the hop to ")
                    .or_else(|| minor(step, "right with the hop to "))
                    .unwrap_or(KubeMinor::new(from));
                assert!(
                    api.served_at(at) && api.on_eks,
                    "{} {} {from} to {to}: {step}",
                    row.api_version,
                    row.kind
                );
                // It may be taken as late as just before the hop that it is named to come before.
                let latest = minor(step, "before the hop to ").and_then(KubeMinor::previous).unwrap_or(at);
                assert!(api.served_at(latest), "{} {} {from} to {to}: {step}", row.api_version, row.kind);
                // Until then the one before is in use: "right with" a hop, up to the hop; else through it.
                let until = if step.contains("right with") { at.previous().unwrap() } else { at };
                since.push((until, api));
            }
            for pair in since.windows(2) {
                let (before, until) = (pair[0].1, pair[1].0);
                assert!(before.served_at(until), "{} {from} to {to}: {}", row.api_version, finding.remedy);
            }
            let (_, last) = since.last().unwrap();
            assert!(
                last.served_at(KubeMinor::new(to)),
                "{} {} {from} to {to}: {}",
                row.api_version,
                row.kind,
                finding.remedy
            );
            followed += 1;
        }
    }
    assert!(followed > 1_000, "{followed}");
}
