//! The catalogue of eks-deprecations is held against what an API server says that it serves.
//!
//! # In which sense
//! At each minor that can be played, once with `--runtime-config=api/all=true` and once with feature gates on as
//! well, two sets of (group, version, kind) are compared:
//! - **the catalogue's**: the rows that no program reads as a file (`persisted` is `yes` or `no`) and whose
//!   window (`introduced` to before `removed`) holds the minor;
//! - **the API server's**: from aggregated discovery, the kinds of all resources and of all subresources, in the
//!   groups that the catalogue has a row of. (So `policy/v1 Eviction` is there, as `pods/eviction`.)
//!
//! They differ only in what is listed here, each line with its reason; a line that is no longer true fails. That
//! a gate is the reason is proved by the second run, where it is on.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::collections::BTreeSet;

use eks_cluster::{Cluster, Options, newest_minor, oldest_minor};
use eks_deprecations::{Catalogue, Persistence};
use eks_model::KubeMinor;

/// `policy/v1 Eviction`
type Names = BTreeSet<String>;

/// What the API server is told to serve, beside the versions that are on by default.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Switched {
    /// `api/all=true`: every version, as far as the default feature gates let it.
    Apis,
    /// And gates: all of them, where the API server starts with all; at the older minors some exclude each
    /// other, and those are on that the list below names.
    ApisAndGates,
}

/// From this minor on an API server starts with every gate on.
const ALL_GATES_FROM: KubeMinor = KubeMinor::new(36);

/// Why the API server lacks what the catalogue has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Because {
    /// This gate is off by default at that minor.
    Gate(&'static str),
    /// An alpha that the release had; the programs, being of a newer one that plays it, have no code for it left.
    CodeIsGone,
}
use Because::{CodeIsGone, Gate};

const MISSING: [(u16, &str, Because); 23] = [
    (34, "certificates.k8s.io/v1alpha1 ClusterTrustBundle", Gate("ClusterTrustBundle")),
    (34, "certificates.k8s.io/v1alpha1 PodCertificateRequest", CodeIsGone),
    (34, "certificates.k8s.io/v1beta1 ClusterTrustBundle", Gate("ClusterTrustBundle")),
    (34, "storage.k8s.io/v1alpha1 VolumeAttributesClass", CodeIsGone),
    (34, "storagemigration.k8s.io/v1alpha1 StorageVersionMigration", CodeIsGone),
    (35, "certificates.k8s.io/v1alpha1 ClusterTrustBundle", Gate("ClusterTrustBundle")),
    (35, "certificates.k8s.io/v1beta1 ClusterTrustBundle", Gate("ClusterTrustBundle")),
    (35, "certificates.k8s.io/v1beta1 PodCertificateRequest", Gate("PodCertificateRequest")),
    (35, "scheduling.k8s.io/v1alpha1 Workload", CodeIsGone),
    (35, "storagemigration.k8s.io/v1beta1 StorageVersionMigration", Gate("StorageVersionMigrator")),
    (36, "certificates.k8s.io/v1alpha1 ClusterTrustBundle", Gate("ClusterTrustBundle")),
    (36, "certificates.k8s.io/v1beta1 ClusterTrustBundle", Gate("ClusterTrustBundle")),
    (36, "certificates.k8s.io/v1beta1 PodCertificateRequest", Gate("PodCertificateRequest")),
    (36, "scheduling.k8s.io/v1alpha2 PodGroup", CodeIsGone),
    (36, "scheduling.k8s.io/v1alpha2 Workload", CodeIsGone),
    (36, "storagemigration.k8s.io/v1beta1 StorageVersionMigration", Gate("StorageVersionMigrator")),
    (37, "lifecycle.k8s.io/v1alpha1 Eviction", Gate("EvictionRequestAPI")),
    (37, "lifecycle.k8s.io/v1alpha1 EvictionRequest", Gate("EvictionRequestAPI")),
    (37, "scheduling.k8s.io/v1alpha3 CompositePodGroup", Gate("CompositePodGroup")),
    (37, "scheduling.k8s.io/v1alpha3 PodGroup", Gate("GenericWorkload")),
    (37, "scheduling.k8s.io/v1alpha3 Workload", Gate("GenericWorkload")),
    (37, "scheduling.k8s.io/v1beta1 PodGroup", Gate("GenericWorkload")),
    (37, "scheduling.k8s.io/v1beta1 Workload", Gate("GenericWorkload")),
];

/// Kinds that people meet and the catalogue has, but that stand under no path, at any minor.
const NEVER_SERVED: [(&str, &str); 8] = [
    ("admission.k8s.io/v1 AdmissionReview", "sent to webhooks"),
    ("apidiscovery.k8s.io/v2 APIGroupDiscovery", "the form of discovery itself"),
    ("apidiscovery.k8s.io/v2beta1 APIGroupDiscovery", "the form of discovery itself"),
    ("apiextensions.k8s.io/v1 ConversionReview", "sent to webhooks"),
    ("imagepolicy.k8s.io/v1alpha1 ImageReview", "sent to webhooks"),
    ("v1 PodStatusResult", "once asked of the kubelet"),
    ("v1 RangeAllocation", "in the store only"),
    ("v1 SerializedReference", "once in annotations"),
];

/// Kinds that discovery names and the catalogue leaves out.
const LEFT_OUT: [(&str, &str); 6] = [
    ("v1 NodeProxyOptions", "parameters of a connection, in no manifest"),
    ("v1 PodAttachOptions", "parameters of a connection, in no manifest"),
    ("v1 PodExecOptions", "parameters of a connection, in no manifest"),
    ("v1 PodPortForwardOptions", "parameters of a connection, in no manifest"),
    ("v1 PodProxyOptions", "parameters of a connection, in no manifest"),
    ("v1 ServiceProxyOptions", "parameters of a connection, in no manifest"),
];

/// Alphas that the API server serves at a minor that it only plays and that never had them, with gates on: their
/// types have no marker that says since when they are.
const TOO_EARLY: [(u16, &str, &str); 2] = [
    (36, "scheduling.k8s.io/v1alpha3 PodGroup", "GenericWorkload"),
    (36, "scheduling.k8s.io/v1alpha3 Workload", "GenericWorkload"),
];

#[tokio::test]
async fn the_catalogue_says_what_an_api_server_serves() {
    let mut minor = oldest_minor();
    let mut wrong = Vec::new();
    while minor <= newest_minor() {
        for switched in [Switched::Apis, Switched::ApisAndGates] {
            wrong.extend(differences(minor, switched).await);
        }
        minor = minor.next();
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_lists_speak_of_what_there_is() {
    for (minor, api, _) in MISSING {
        assert!(
            catalogued(KubeMinor::new(minor)).contains(api),
            "{api} is not in the catalogue at 1.{minor}"
        );
    }
    let mut rows = Catalogue::embedded().rows().iter().map(|row| format!("{} {}", row.api_version, row.kind));
    for (api, reason) in NEVER_SERVED {
        assert!(
            rows.any(|row| row == api) && !reason.is_empty(),
            "{api} is no row of the catalogue, or unsorted"
        );
    }
}

/// Everything in which the two differ from each other and from the lists.
async fn differences(minor: KubeMinor, switched: Switched) -> Vec<String> {
    let mut options = Options::at(minor).api_only().all_apis();
    if switched == Switched::ApisAndGates {
        let gates = if minor >= ALL_GATES_FROM {
            Names::from(["AllAlpha", "AllBeta"].map(str::to_owned))
        } else {
            gates(minor)
        };
        for gate in &gates {
            options = options.gate(gate, true);
        }
    }
    let cluster = Cluster::start(options).await.unwrap();
    let (served, catalogue) = (served(&cluster).await, catalogued(minor));
    let at = |of: u16| KubeMinor::new(of) == minor;
    let lacking: Names = MISSING
        .iter()
        .filter(|(of, _, because)| at(*of) && (switched == Switched::Apis || *because == CodeIsGone))
        .map(|(_, api, _)| *api)
        .chain(NEVER_SERVED.iter().map(|(api, _)| *api).filter(|api| catalogue.contains(*api)))
        .map(str::to_owned)
        .collect();
    let surplus: Names = TOO_EARLY
        .iter()
        .filter(|(of, _, _)| at(*of) && switched == Switched::ApisAndGates)
        .map(|(_, api, _)| *api)
        .chain(LEFT_OUT.iter().map(|(api, _)| *api))
        .map(str::to_owned)
        .collect();
    let is = |found: Names, listed: &Names, what: &str| -> Vec<String> {
        let unlisted = found.difference(listed).map(|api| format!("{minor} {switched:?}: {what} {api}"));
        let untrue = listed
            .difference(&found)
            .map(|api| format!("{minor} {switched:?}: it is listed, and no longer true, that {what} {api}"));
        unlisted.chain(untrue).collect()
    };
    let mut wrong = is(catalogue.difference(&served).cloned().collect(), &lacking, "only the catalogue has");
    wrong.extend(is(served.difference(&catalogue).cloned().collect(), &surplus, "only the API server has"));
    wrong
}

/// The gates that are the reason for something at a minor.
fn gates(minor: KubeMinor) -> Names {
    MISSING
        .iter()
        .filter_map(|(of, _, because)| match because {
            Gate(gate) if KubeMinor::new(*of) == minor => Some((*gate).to_owned()),
            Gate(_) | CodeIsGone => None,
        })
        .collect()
}

fn catalogued(minor: KubeMinor) -> Names {
    Catalogue::embedded()
        .rows()
        .iter()
        .filter(|row| row.persistence != Persistence::File && row.served_at(minor))
        .map(|row| format!("{} {}", row.api_version, row.kind))
        .collect()
}

async fn served(cluster: &Cluster) -> Names {
    let client = cluster.client().unwrap();
    let mut groups = client.list_core_api_versions_aggregated().await.unwrap().items;
    groups.extend(client.list_api_groups_aggregated().await.unwrap().items);
    let mut names = Names::new();
    for (group, version) in groups
        .into_iter()
        .flat_map(|group| group.versions.into_iter().map(move |v| (group.metadata.clone(), v)))
    {
        let of =
            (group.and_then(|group| group.name).unwrap_or_default(), version.version.unwrap_or_default());
        assert_eq!(version.freshness.as_deref(), Some("Current"), "{of:?}");
        for resource in version.resources {
            let below = resource.subresources.into_iter().map(|subresource| subresource.response_kind);
            for kind in std::iter::once(resource.response_kind).chain(below).flatten() {
                // Without a version of its own, a kind is of the group and version that it stands under.
                let own = kind.version.filter(|version| !version.is_empty());
                let (group, version) =
                    own.map_or_else(|| of.clone(), |version| (kind.group.unwrap_or_default(), version));
                if Catalogue::embedded().has_group(&group) {
                    let slash = if group.is_empty() { "" } else { "/" };
                    names.insert(format!("{group}{slash}{version} {}", kind.kind.unwrap_or_default()));
                }
            }
        }
    }
    names
}
