//! EKS add-ons, and the catalogue of what could be installed.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

use eks_model::{AddonVersion, KubeMinor};
use jiff::Timestamp;

use crate::aws::{Issue, Update};
use crate::calls::provider;
use crate::text::words;
use crate::{Result, Token, Written};

words! {
    /// What state an add-on is in.
    pub enum AddonStatus {
        /// Being installed.
        Creating = "CREATING",
        /// At rest and healthy.
        Active = "ACTIVE",
        /// Could not be installed.
        CreateFailed = "CREATE_FAILED",
        /// Being updated.
        Updating = "UPDATING",
        /// Being removed.
        Deleting = "DELETING",
        /// Could not be removed.
        DeleteFailed = "DELETE_FAILED",
        /// Installed and not healthy.
        Degraded = "DEGRADED",
        /// Could not be updated.
        UpdateFailed = "UPDATE_FAILED",
    }
}

words! {
    /// What EKS does with a field that somebody else has changed.
    pub enum ResolveConflicts {
        /// Sets it to EKS's value.
        Overwrite = "OVERWRITE",
        /// Fails with `ConfigurationConflict`.
        None = "NONE",
        /// Leaves it as it is.
        Preserve = "PRESERVE",
    }
}

/// An add-on of a cluster.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Addon {
    /// Its name: `vpc-cni`.
    pub name: String,
    /// Its ARN.
    pub arn: String,
    /// The version that is installed, or being installed.
    pub version: Written<AddonVersion>,
    /// Its state.
    pub status: AddonStatus,
    /// What EKS finds wrong with it.
    pub health: Vec<Issue>,
    /// When it was installed.
    pub created_at: Option<Timestamp>,
    /// When it was last changed.
    pub modified_at: Option<Timestamp>,
    /// The role of its service account, by IRSA.
    pub service_account_role_arn: Option<String>,
    /// The ARNs of its pod identity associations.
    pub pod_identity_associations: Vec<String>,
    /// Its settings, JSON or YAML as they were given.
    pub configuration_values: Option<String>,
    /// Where its objects are, where that was chosen.
    pub namespace: Option<String>,
    /// Who publishes it: `eks`.
    pub publisher: Option<String>,
    /// Who answers for it: `aws`, `community`.
    pub owner: Option<String>,
    /// Its tags.
    pub tags: BTreeMap<String, String>,
}

/// Which add-ons of the catalogue are asked for. The default asks for all.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AddonCatalogueQuery {
    /// Only versions that fit this minor.
    pub kubernetes_version: Option<KubeMinor>,
    /// Only this add-on.
    pub addon: Option<String>,
    /// Only of these owners: `aws`, `community`, `aws-marketplace`.
    pub owners: Vec<String>,
}

/// An add-on of the catalogue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AddonInfo {
    /// Its name.
    pub name: String,
    /// What it is for: `networking`, `storage`.
    pub kind: Option<String>,
    /// Who publishes it.
    pub publisher: Option<String>,
    /// Who answers for it.
    pub owner: Option<String>,
    /// Where its objects are unless something else is said.
    pub default_namespace: Option<String>,
    /// Its versions, in EKS's order. Empty where none fits.
    pub versions: Vec<AddonVersionInfo>,
}

/// A version of an add-on of the catalogue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AddonVersionInfo {
    /// The version.
    pub version: Written<AddonVersion>,
    /// The machines that it runs on: `amd64`, `arm64`.
    pub architectures: Vec<String>,
    /// The nodes that it runs on: `ec2`, `fargate`, `auto`, `hybrid`.
    pub compute_types: Vec<String>,
    /// What it fits.
    pub compatibilities: Vec<Compatibility>,
    /// It does not work without settings.
    pub requires_configuration: bool,
    /// It does not work without a role.
    pub requires_iam_permissions: bool,
}

/// A minor that a version of an add-on fits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Compatibility {
    /// The minor.
    pub cluster_version: Written<KubeMinor>,
    /// The platform versions, as EKS writes them: `*`, or `eks.5+`
    /// ([`eks_model::PlatformVersions`] reads them).
    pub platform_versions: Vec<String>,
    /// Whether it is EKS's default for this minor.
    pub default_version: bool,
}

/// What a version of an add-on can be set up with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AddonConfiguration {
    /// The JSON Schema of its settings, as text.
    pub configuration_schema: Option<String>,
    /// Its service accounts, with the managed policies that AWS recommends for each.
    pub pod_identities: Vec<(String, Vec<String>)>,
}

/// A role of AWS for a service account: EKS Pod Identity.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PodIdentityAssociation {
    /// Its id.
    pub id: String,
    /// Its ARN.
    pub arn: String,
    /// The namespace of the service account.
    pub namespace: String,
    /// The service account.
    pub service_account: String,
    /// The role.
    pub role_arn: String,
    /// The add-on that owns it, by ARN.
    pub owner_arn: Option<String>,
}

/// A role for a service account of an add-on, as it is asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AddonPodIdentity {
    /// The service account.
    pub service_account: String,
    /// The role.
    pub role_arn: String,
}

/// What UpdateAddon is asked for. `None` leaves a thing as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UpdateAddon {
    /// The cluster.
    pub cluster: String,
    /// The add-on.
    pub addon: String,
    /// The version, exactly as the catalogue writes it.
    pub version: Option<String>,
    /// What to do with fields that somebody else changed.
    pub resolve_conflicts: ResolveConflicts,
    /// New settings, all of them.
    pub configuration_values: Option<String>,
    /// Another role by IRSA.
    pub service_account_role_arn: Option<String>,
    /// Other pod identity associations, all of them. An empty list **deletes** those that are there.
    pub pod_identity_associations: Option<Vec<AddonPodIdentity>>,
    /// Makes the call safe to repeat.
    pub token: Token,
}

/// What CreateAddon is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CreateAddon {
    /// The cluster.
    pub cluster: String,
    /// The add-on.
    pub addon: String,
    /// The version, exactly as the catalogue writes it; `None` is EKS's default.
    pub version: Option<String>,
    /// What to do with objects that are there already.
    pub resolve_conflicts: ResolveConflicts,
    /// Its settings.
    pub configuration_values: Option<String>,
    /// Its role by IRSA.
    pub service_account_role_arn: Option<String>,
    /// Its pod identity associations.
    pub pod_identity_associations: Vec<AddonPodIdentity>,
    /// Where its objects shall be; `None` is its default.
    pub namespace: Option<String>,
    /// Its tags.
    pub tags: BTreeMap<String, String>,
    /// Makes the call safe to repeat.
    pub token: Token,
}

provider! {
    /// Reads the add-ons of a cluster.
    #[access(Read)]
    pub trait AddonReader {
        /// The names of the add-ons of a cluster, sorted.
        #[iam("eks:ListAddons")]
        async fn list_addons(&self, cluster: &str) -> Result<Vec<String>>;

        /// One add-on.
        #[iam("eks:DescribeAddon")]
        async fn describe_addon(&self, cluster: &str, addon: &str) -> Result<Addon>;

        /// The role that a pod identity association gives.
        #[iam("eks:DescribePodIdentityAssociation")]
        async fn describe_pod_identity_association(
            &self,
            cluster: &str,
            association_id: &str,
        ) -> Result<PodIdentityAssociation>;
    }
}

provider! {
    /// Reads what add-ons could be installed. Needs no cluster.
    #[access(Read)]
    pub trait AddonCatalogueReader {
        /// The add-ons that are asked for, with the versions that fit, sorted by name. An add-on without a
        /// version for the minor is left out by EKS: a real state, not an error.
        #[iam("eks:DescribeAddonVersions")]
        async fn describe_addon_versions(&self, query: &AddonCatalogueQuery) -> Result<Vec<AddonInfo>>;

        /// What a version can be set up with.
        #[iam("eks:DescribeAddonConfiguration")]
        async fn describe_addon_configuration(
            &self,
            addon: &str,
            version: &str,
        ) -> Result<AddonConfiguration>;
    }
}

provider! {
    /// Changes the add-ons of a cluster.
    #[access(Write)]
    pub trait AddonWriter {
        /// Starts an update.
        #[iam(
            "eks:UpdateAddon",
            "iam:PassRole" if "the request names a role",
            "eks:CreatePodIdentityAssociation" if "the request has pod identity associations",
            "eks:UpdatePodIdentityAssociation" if "the request has pod identity associations",
            "eks:DeletePodIdentityAssociation" if "the request has pod identity associations",
        )]
        async fn update_addon(&self, request: &UpdateAddon) -> Result<Update>;

        /// Starts an installation.
        #[iam(
            "eks:CreateAddon",
            "eks:TagResource" if "the request has tags",
            "iam:PassRole" if "the request names a role",
            "eks:CreatePodIdentityAssociation" if "the request has pod identity associations",
        )]
        async fn create_addon(&self, request: &CreateAddon) -> Result<Addon>;

        /// Starts a removal. With `preserve`, the add-on's objects stay, and EKS no longer
        /// manages them. EKS takes no token here; a second call is
        /// [`Class::NotFound`](crate::Class::NotFound), and so safe.
        #[iam(
            "eks:DeleteAddon",
            "eks:DeletePodIdentityAssociation" if "the add-on has pod identity associations",
        )]
        async fn delete_addon(&self, cluster: &str, addon: &str, preserve: bool) -> Result<Addon>;
    }
}
