//! Tests of the table itself, and of what is known from outside about single rows.

use super::*;

fn row<'c>(catalogue: &'c Catalogue, name: &str) -> &'c Api {
    let (api_version, kind) = name.split_once(' ').unwrap();
    catalogue.get(api_version, kind).unwrap_or_else(|| panic!("{name} is not in the catalogue"))
}

/// `introduced deprecated removed`, with `-` for none.
fn life(name: &str) -> String {
    let row = row(Catalogue::embedded(), name);
    [row.introduced, row.deprecated, row.removed]
        .map(|minor| minor.map_or_else(|| "-".to_owned(), |minor| minor.minor().to_string()))
        .join(" ")
}

fn replacement(name: &str) -> String {
    row(Catalogue::embedded(), name).replacement.map_or_else(
        || "none".to_owned(),
        |to| format!("{} {} since {}", to.api_version, to.kind, to.since.map_or(0, KubeMinor::minor)),
    )
}

#[test]
fn the_table_is_sorted_unique_and_sourced() {
    let catalogue = Catalogue::parse(TABLE, KNOWN, VENDORS).unwrap();
    assert!(catalogue.rows.len() > 250, "{} rows", catalogue.rows.len());
    let lines: Vec<(&str, &str, &str)> = data_lines(TABLE)
        .map(|(_, text)| {
            let mut columns = text.split('\t');
            (columns.next().unwrap(), columns.next().unwrap(), columns.next().unwrap())
        })
        .collect();
    assert!(lines.is_sorted(), "catalogue.tsv is not sorted by group, version, kind");
    for pair in catalogue.rows.windows(2) {
        assert!(key(&pair[0]) < key(&pair[1]), "{} {} is there twice", pair[1].api_version, pair[1].kind);
    }
    for row in catalogue.rows() {
        let name = format!("{} {}", row.api_version, row.kind);
        assert!(!row.source.is_empty(), "{name} has no source");
        let date: Vec<usize> = row.as_of.split('-').map(str::len).collect();
        assert_eq!(date, [4, 2, 2], "{name} has no date");
    }
}

#[test]
fn the_table_of_projects_is_sorted_unique_and_sourced() {
    let rows = Catalogue::embedded().vendors();
    assert!(data_lines(VENDORS).map(|(_, text)| text.split('\t').take(3).collect::<Vec<_>>()).is_sorted());
    for pair in rows.windows(2) {
        assert_ne!((&pair[0].api_version, pair[0].kind), (&pair[1].api_version, pair[1].kind));
    }
    for row in rows {
        assert!(row.source.starts_with("https://") && row.as_of.len() == 10, "{row:?}");
        assert!(row.replacement.split_once(' ').is_some(), "{row:?}");
        let (group, _) = row.api_version.split_once('/').unwrap();
        assert!(!Catalogue::embedded().has_group(group), "{group} is Kubernetes' own");
    }
}

#[test]
fn every_row_makes_sense() {
    let catalogue = Catalogue::embedded();
    for row in catalogue.rows() {
        let name = format!("{} {}", row.api_version, row.kind);
        if let (Some(introduced), Some(removed)) = (row.introduced, row.removed) {
            assert!(introduced < removed, "{name} goes before it comes");
        }
        if let Some(to) = row.replacement {
            let target = catalogue.get(to.api_version, to.kind);
            let target = target.unwrap_or_else(|| panic!("{name}: its replacement is not in the catalogue"));
            // Chains are followed to the end: what replaces is there today and is not replaced.
            assert!(
                target.removed.is_none_or(|removed| removed > catalogue.newest().minor),
                "{name}: its replacement {} is gone itself",
                to.api_version
            );
            assert_eq!(to.since, target.introduced, "{name}: since when its replacement is served");
        }
    }
}

#[test]
fn lives_that_the_peers_get_wrong() {
    for (name, expected) in [
        // row 33
        ("flowcontrol.apiserver.k8s.io/v1beta1 FlowSchema", "20 23 26"),
        ("resource.k8s.io/v1beta1 ResourceClaim", "32 35 38"),
        ("admissionregistration.k8s.io/v1beta1 ValidatingAdmissionPolicy", "28 31 34"),
        ("networking.k8s.io/v1beta1 ServiceCIDR", "31 34 37"),
        ("storage.k8s.io/v1beta1 VolumeAttributesClass", "31 34 37"),
        ("resource.k8s.io/v1alpha3 ResourceClaim", "31 34 34"),
        ("storagemigration.k8s.io/v1alpha1 StorageVersionMigration", "30 33 35"),
        // row 34: they live in sibling modules
        ("apiextensions.k8s.io/v1beta1 CustomResourceDefinition", "7 16 22"),
        ("apiregistration.k8s.io/v1beta1 APIService", "7 19 22"),
        ("audit.k8s.io/v1beta1 Policy", "8 21 24"),
        // row 35
        ("v1 Endpoints", "0 33 -"),
        ("v1 ComponentStatus", "0 19 -"),
        // forecasts
        ("resource.k8s.io/v1beta2 DeviceClass", "33 36 39"),
        ("certificates.k8s.io/v1beta1 ClusterTrustBundle", "33 37 40"),
    ] {
        assert_eq!(life(name), expected, "{name}");
    }
}

#[test]
fn alphas_without_a_marker_have_their_end() {
    // row 37
    for (name, removed) in [
        ("rbac.authorization.k8s.io/v1alpha1 ClusterRole", 23),
        ("scheduling.k8s.io/v1alpha1 PriorityClass", 23),
        ("node.k8s.io/v1alpha1 RuntimeClass", 24),
        ("batch/v2alpha1 CronJob", 21),
        ("settings.k8s.io/v1alpha1 PodPreset", 20),
        ("auditregistration.k8s.io/v1alpha1 AuditSink", 19),
        ("resource.k8s.io/v1alpha1 ResourceClaim", 27),
        ("resource.k8s.io/v1alpha2 ResourceClaim", 31),
        ("networking.k8s.io/v1alpha1 ServiceCIDR", 31),
    ] {
        let row = row(Catalogue::embedded(), name);
        assert_eq!(row.removed, Some(KubeMinor::new(removed)), "{name}");
        assert!(!row.on_eks, "{name}");
    }
}

#[test]
fn replacements_are_followed_to_a_living_version() {
    for (name, expected) in [
        // row 31
        (
            "flowcontrol.apiserver.k8s.io/v1beta1 FlowSchema",
            "flowcontrol.apiserver.k8s.io/v1 FlowSchema since 29",
        ),
        (
            "flowcontrol.apiserver.k8s.io/v1beta2 FlowSchema",
            "flowcontrol.apiserver.k8s.io/v1 FlowSchema since 29",
        ),
        ("resource.k8s.io/v1alpha3 ResourceClaim", "resource.k8s.io/v1 ResourceClaim since 34"),
        ("autoscaling/v2beta1 HorizontalPodAutoscaler", "autoscaling/v2 HorizontalPodAutoscaler since 23"),
        // row 32
        ("policy/v1beta1 PodSecurityPolicy", "none"),
        ("extensions/v1beta1 PodSecurityPolicy", "none"),
        // row 36: the marker upstream names IngressClassList
        ("networking.k8s.io/v1beta1 IngressClass", "networking.k8s.io/v1 IngressClass since 19"),
        ("extensions/v1beta1 Ingress", "networking.k8s.io/v1 Ingress since 19"),
        ("events.k8s.io/v1beta1 Event", "events.k8s.io/v1 Event since 19"),
        ("node.k8s.io/v1beta1 RuntimeClass", "node.k8s.io/v1 RuntimeClass since 20"),
        ("policy/v1beta1 PodDisruptionBudget", "policy/v1 PodDisruptionBudget since 21"),
        ("v1 Endpoints", "discovery.k8s.io/v1 EndpointSlice since 21"),
    ] {
        assert_eq!(replacement(name), expected, "{name}");
    }
}

#[test]
fn what_nobody_stores_is_told_apart() {
    // row 38
    for (name, expected) in [
        ("authentication.k8s.io/v1beta1 TokenReview", Persistence::Request),
        ("authorization.k8s.io/v1beta1 SubjectAccessReview", Persistence::Request),
        ("admission.k8s.io/v1beta1 AdmissionReview", Persistence::Request),
        ("policy/v1beta1 Eviction", Persistence::Request),
        ("apps/v1beta1 Scale", Persistence::Request),
        ("policy/v1beta1 PodDisruptionBudget", Persistence::Stored),
        ("apiextensions.k8s.io/v1beta1 CustomResourceDefinition", Persistence::Stored),
        ("audit.k8s.io/v1beta1 Policy", Persistence::File),
        ("client.authentication.k8s.io/v1alpha1 ExecCredential", Persistence::File),
    ] {
        assert_eq!(row(Catalogue::embedded(), name).persistence, expected, "{name}");
    }
}

#[test]
fn eks_serves_what_its_guide_says() {
    for (name, on_eks) in [
        ("storage.k8s.io/v1beta1 VolumeAttributesClass", true),
        ("flowcontrol.apiserver.k8s.io/v1beta3 FlowSchema", true),
        ("storage.k8s.io/v1beta1 CSIStorageCapacity", true),
        ("admissionregistration.k8s.io/v1beta1 ValidatingAdmissionPolicy", false),
        ("networking.k8s.io/v1beta1 IPAddress", false),
        ("resource.k8s.io/v1beta1 DeviceClass", true),
        ("admissionregistration.k8s.io/v1beta1 MutatingAdmissionPolicy", false),
        ("coordination.k8s.io/v1beta1 LeaseCandidate", false),
        ("resource.k8s.io/v1 DeviceClass", true),
        ("storage.k8s.io/v1alpha1 VolumeAttributesClass", false),
        ("kubeadm.k8s.io/v1beta3 ClusterConfiguration", true),
    ] {
        assert_eq!(row(Catalogue::embedded(), name).on_eks, on_eks, "{name}");
    }
}

#[test]
fn a_broken_table_is_refused_with_its_line() {
    let known = KNOWN;
    for (table, reason) in [
        ("h\na\tb\n", "twelve"),
        ("h\ng\tv1\tA\t1.x\t\t\t\t\tyes\tserved\ts\t2026-01-01\n", "version"),
        ("h\ng\tv1\tA\t\t\t\tg/v2\t\tyes\tserved\ts\t2026-01-01\n", "replacement"),
        ("h\ng\tv1\tA\t\t\t\t\t\tmaybe\tserved\ts\t2026-01-01\n", "persisted"),
        ("h\ng\tv1\tA\t\t\t\t\t\tyes\tsometimes\ts\t2026-01-01\n", "eks"),
    ] {
        let error = Catalogue::parse(table, known, VENDORS).unwrap_err().to_string();
        assert!(error.contains("line 2") && error.contains(reason), "{error}");
    }
    assert!(
        Catalogue::parse(TABLE, "h\n", VENDORS).is_err() && Catalogue::parse(TABLE, KNOWN, "h\na\n").is_err()
    );
}
