//! Add-ons of clusters, and the catalogue of what could be installed.

use std::collections::BTreeMap;

use async_trait::async_trait;
use eks_addons::{Entry, Matrix};
use eks_model::{AddonVersion, KubeMinor};
use eks_provider::aws::{
    Addon, AddonCatalogueQuery, AddonCatalogueReader, AddonConfiguration, AddonInfo, AddonReader,
    AddonVersionInfo, Compatibility, PodIdentityAssociation,
};
use eks_provider::{Result, Written};

use crate::Sim;
use crate::aws::call::{Answer, refuse};
use crate::aws::eks::{ClusterState, addon_update, named, versions};

/// An add-on of a cluster.
#[derive(Debug, Clone)]
pub(crate) struct KnownAddon {
    pub(crate) addon: Addon,
    /// Somebody else has changed a field that EKS manages.
    pub(crate) changed_by_others: bool,
    /// What is being done to it.
    pub(crate) doing: Option<addon_update::Doing>,
}

/// The versions that EKS offers of an add-on for a minor, in order: those of the matrices of `eks-addons`, and of kube-proxy those of the
/// three minors before as well (two before 1.28), as EKS's own catalogue lists them (recorded 2024-03-08).
pub(crate) fn offered(addon: &str, minor: KubeMinor) -> Vec<&'static Entry> {
    let matrix = Matrix::embedded();
    let follows = matrix.facts(addon).is_some_and(|facts| facts.follows_kubernetes);
    let behind = if !follows {
        0
    } else if minor >= KubeMinor::new(28) {
        3
    } else {
        2
    };
    let first = minor.minor().saturating_sub(behind);
    let all = (first..=minor.minor()).flat_map(|minor| matrix.versions(addon, KubeMinor::new(minor)));
    let mut entries: Vec<&Entry> = all.collect();
    entries.sort_by(|a, b| a.version.cmp(&b.version));
    entries.dedup_by(|a, b| a.version == b.version);
    entries
}

/// The version that EKS takes when nothing is said: the one that is known to be, or else the newest of the minor itself, since every minor
/// has one and the tables do not know all.
pub(crate) fn default_version(addon: &str, minor: KubeMinor) -> Option<&'static AddonVersion> {
    let entries = Matrix::embedded().versions(addon, minor);
    let known = entries.iter().find(|entry| entry.default).or_else(|| entries.last());
    known.map(|entry| &entry.version)
}

/// An add-on of a cluster, by name.
pub(crate) fn known<'s>(cluster: &'s ClusterState, addon: &str) -> Answer<&'s KnownAddon> {
    match cluster.addons.get(addon) {
        Some(known) => Ok(known),
        None => refuse(
            "ResourceNotFoundException",
            format!("No addon: {addon} found in cluster: {}", cluster.cluster.name),
        ),
    }
}

#[async_trait]
impl AddonReader for Sim {
    async fn list_addons(&self, cluster: &str) -> Result<Vec<String>> {
        self.read("eks:ListAddons", format!("cluster {cluster}"), |view| {
            Ok(named(&view.aws.eks, cluster)?.addons.keys().cloned().collect())
        })
        .await
    }

    async fn describe_addon(&self, cluster: &str, addon: &str) -> Result<Addon> {
        self.read("eks:DescribeAddon", format!("addon {addon} of cluster {cluster}"), |view| {
            Ok(known(named(&view.aws.eks, cluster)?, addon)?.addon.clone())
        })
        .await
    }

    async fn describe_pod_identity_association(
        &self,
        cluster: &str,
        association_id: &str,
    ) -> Result<PodIdentityAssociation> {
        let target = format!("pod identity association {association_id} of cluster {cluster}");
        self.read("eks:DescribePodIdentityAssociation", target, |view| {
            match named(&view.aws.eks, cluster)?.pod_identities.get(association_id) {
                Some(association) => Ok(association.clone()),
                None => {
                    refuse("ResourceNotFoundException", format!("No association found: {association_id}"))
                }
            }
        })
        .await
    }
}

/// An add-on of the catalogue, where a version fits.
fn info(addon: &str, minors: &[KubeMinor]) -> Option<AddonInfo> {
    let facts = Matrix::embedded().facts(addon);
    let mut fits: BTreeMap<&AddonVersion, Vec<Compatibility>> = BTreeMap::new();
    for minor in minors {
        let default = default_version(addon, *minor);
        for entry in offered(addon, *minor) {
            fits.entry(&entry.version).or_default().push(Compatibility {
                cluster_version: Written::of(minor.to_string()),
                platform_versions: vec!["*".to_owned()],
                default_version: default == Some(&entry.version),
            });
        }
    }
    let version = |(version, compatibilities): (&AddonVersion, Vec<Compatibility>)| AddonVersionInfo {
        version: Written::of(version.to_string()),
        architectures: vec!["amd64".to_owned(), "arm64".to_owned()],
        compute_types: vec!["ec2".to_owned()],
        compatibilities,
        requires_configuration: false,
        requires_iam_permissions: matches!(addon, "vpc-cni" | "aws-ebs-csi-driver" | "aws-efs-csi-driver"),
    };
    // The newest first, as EKS answers.
    let versions: Vec<AddonVersionInfo> = fits.into_iter().rev().map(version).collect();
    (!versions.is_empty()).then(|| AddonInfo {
        name: addon.to_owned(),
        kind: None,
        publisher: Some("eks".to_owned()),
        owner: facts.map(|facts| facts.owner.to_owned()),
        default_namespace: facts
            .map(|facts| facts.namespace.to_owned())
            .filter(|namespace| !namespace.is_empty()),
        versions,
    })
}

#[async_trait]
impl AddonCatalogueReader for Sim {
    async fn describe_addon_versions(&self, query: &AddonCatalogueQuery) -> Result<Vec<AddonInfo>> {
        self.read("eks:DescribeAddonVersions", "add-on catalogue", |view| {
            let minors: Vec<KubeMinor> = match query.kubernetes_version {
                Some(minor) => vec![minor],
                None => eks_skew::Calendar::embedded()
                    .releases()
                    .iter()
                    .map(|release| release.minor)
                    .filter(|minor| versions::offered(*minor, view.now))
                    .collect(),
            };
            let wanted = |info: &AddonInfo| {
                query.owners.is_empty()
                    || info.owner.as_ref().is_some_and(|owner| query.owners.contains(owner))
            };
            let names = Matrix::embedded().addons();
            let named =
                names.into_iter().filter(|name| query.addon.as_deref().is_none_or(|addon| addon == *name));
            Ok(named.filter_map(|name| info(name, &minors)).filter(wanted).collect())
        })
        .await
    }

    async fn describe_addon_configuration(&self, addon: &str, version: &str) -> Result<AddonConfiguration> {
        self.read("eks:DescribeAddonConfiguration", format!("addon {addon} {version}"), |_| {
            let releases = eks_skew::Calendar::embedded().releases();
            let there = releases.iter().any(|release| {
                offered(addon, release.minor).iter().any(|entry| entry.version.to_string() == version)
            });
            if !there {
                return refuse("ResourceNotFoundException", format!("no version {version} of {addon}"));
            }
            // Which settings each version takes is not modelled: any object.
            let schema = r#"{"$schema":"http://json-schema.org/draft-06/schema#","type":"object"}"#;
            Ok(AddonConfiguration {
                configuration_schema: Some(schema.to_owned()),
                pod_identities: Vec::new(),
            })
        })
        .await
    }
}
