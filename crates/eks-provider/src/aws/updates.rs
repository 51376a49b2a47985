//! Updates: what EKS is doing, or has done, to a cluster, a node group, an add-on or a
//! capability.

use serde::{Deserialize, Serialize};
use std::fmt;

use jiff::Timestamp;

use crate::Result;
use crate::calls::provider;
use crate::text::words;

words! {
    /// How far an update is.
    pub enum UpdateStatus {
        /// Under way.
        InProgress = "InProgress",
        /// Ended without success.
        Failed = "Failed",
        /// Cancelled.
        Cancelled = "Cancelled",
        /// Ended with success.
        Successful = "Successful",
    }
}

words! {
    /// What an update changes.
    pub enum UpdateType {
        /// The minor of the control plane, or the version of a node group.
        VersionUpdate = "VersionUpdate",
        /// The minor of the control plane, back by one.
        VersionRollback = "VersionRollback",
        /// The settings of a node group.
        ConfigUpdate = "ConfigUpdate",
        /// An add-on.
        AddonUpdate = "AddonUpdate",
        /// The upgrade policy.
        UpgradePolicyUpdate = "UpgradePolicyUpdate",
        /// Auto Mode.
        AutoModeUpdate = "AutoModeUpdate",
        /// Who reaches the endpoint.
        EndpointAccessUpdate = "EndpointAccessUpdate",
        /// Logs of the control plane.
        LoggingUpdate = "LoggingUpdate",
        /// Logs that EKS delivers.
        VendedLogsUpdate = "VendedLogsUpdate",
        /// Subnets and security groups.
        VpcConfigUpdate = "VpcConfigUpdate",
        /// How callers are known.
        AccessConfigUpdate = "AccessConfigUpdate",
        /// Encryption of Secrets.
        AssociateEncryptionConfig = "AssociateEncryptionConfig",
        /// An identity provider, added.
        AssociateIdentityProviderConfig = "AssociateIdentityProviderConfig",
        /// An identity provider, taken away.
        DisassociateIdentityProviderConfig = "DisassociateIdentityProviderConfig",
        /// A capability.
        CapabilityUpdate = "CapabilityUpdate",
        /// A certificate authority.
        CertificateAuthorityUpdate = "CertificateAuthorityUpdate",
        /// Settings of API server, scheduler or controller manager.
        ControlPlaneComponentConfigUpdate = "ControlPlaneComponentConfigUpdate",
        /// How the control plane reaches out.
        ControlPlaneEgressUpdate = "ControlPlaneEgressUpdate",
        /// The size of the control plane.
        ControlPlaneScalingConfigUpdate = "ControlPlaneScalingConfigUpdate",
        /// Protection from deletion.
        DeletionProtectionUpdate = "DeletionProtectionUpdate",
        /// Networks of hybrid nodes.
        RemoteNetworkConfigUpdate = "RemoteNetworkConfigUpdate",
        /// Zonal shift.
        ZonalShiftConfigUpdate = "ZonalShiftConfigUpdate",
    }
}

words! {
    /// Why an update failed. More of it, and what to do, is in the message.
    pub enum UpdateErrorCode {
        /// A subnet of the cluster is gone.
        SubnetNotFound = "SubnetNotFound",
        /// A security group of the cluster is gone.
        SecurityGroupNotFound = "SecurityGroupNotFound",
        /// The account has as many network interfaces as it may.
        EniLimitReached = "EniLimitReached",
        /// The subnets have no free address.
        IpNotAvailable = "IpNotAvailable",
        /// The role may not do what is needed.
        AccessDenied = "AccessDenied",
        /// The cluster role may not do what is needed.
        OperationNotPermitted = "OperationNotPermitted",
        /// The VPC is gone.
        VpcIdNotFound = "VpcIdNotFound",
        /// EKS does not say.
        Unknown = "Unknown",
        /// New nodes did not come up or did not join.
        NodeCreationFailure = "NodeCreationFailure",
        /// Pods could not be evicted in time: a budget, a toleration of everything.
        PodEvictionFailure = "PodEvictionFailure",
        /// The subnets have too few free addresses.
        InsufficientFreeAddresses = "InsufficientFreeAddresses",
        /// The API server did not answer.
        ClusterUnreachable = "ClusterUnreachable",
        /// An add-on has too few replicas.
        InsufficientNumberOfReplicas = "InsufficientNumberOfReplicas",
        /// A field of an add-on was changed by somebody else.
        ConfigurationConflict = "ConfigurationConflict",
        /// A webhook refused an object of an add-on.
        AdmissionRequestDenied = "AdmissionRequestDenied",
        /// The add-on does not allow the change.
        UnsupportedAddonModification = "UnsupportedAddonModification",
        /// An object that should be there is not.
        K8sResourceNotFound = "K8sResourceNotFound",
    }
}

words! {
    /// How far a cancellation is.
    pub enum CancellationStatus {
        /// Under way.
        InProgress = "InProgress",
        /// The update could not be cancelled.
        Failed = "Failed",
        /// The update was cancelled.
        Successful = "Successful",
    }
}

/// What an update is made on.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct UpdateScope {
    /// The cluster.
    pub cluster: String,
    /// What of it.
    pub part: UpdatePart,
}

/// The part of a cluster that an update is made on.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum UpdatePart {
    /// The cluster itself.
    ControlPlane,
    /// The managed node group of this name.
    Nodegroup(String),
    /// The add-on of this name.
    Addon(String),
    /// The capability of this name.
    Capability(String),
}

impl UpdateScope {
    /// The cluster itself.
    pub fn cluster(cluster: impl Into<String>) -> Self {
        Self { cluster: cluster.into(), part: UpdatePart::ControlPlane }
    }

    /// A managed node group.
    pub fn nodegroup(cluster: impl Into<String>, nodegroup: impl Into<String>) -> Self {
        Self { cluster: cluster.into(), part: UpdatePart::Nodegroup(nodegroup.into()) }
    }

    /// An add-on.
    pub fn addon(cluster: impl Into<String>, addon: impl Into<String>) -> Self {
        Self { cluster: cluster.into(), part: UpdatePart::Addon(addon.into()) }
    }
}

/// As the target of an error has it: `addon vpc-cni of cluster shop`.
impl fmt::Display for UpdateScope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.part {
            UpdatePart::ControlPlane => write!(f, "cluster {}", self.cluster),
            UpdatePart::Nodegroup(name) => write!(f, "nodegroup {name} of cluster {}", self.cluster),
            UpdatePart::Addon(name) => write!(f, "addon {name} of cluster {}", self.cluster),
            UpdatePart::Capability(name) => write!(f, "capability {name} of cluster {}", self.cluster),
        }
    }
}

/// An update.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Update {
    /// Its id.
    pub id: String,
    /// How far it is.
    pub status: UpdateStatus,
    /// What it changes.
    pub kind: UpdateType,
    /// With what: (`Version`, `1.35`), (`PlatformVersion`, `eks.9`), in EKS's order.
    pub params: Vec<(String, String)>,
    /// When it was started.
    pub created_at: Option<Timestamp>,
    /// What went wrong.
    pub errors: Vec<UpdateError>,
    /// The state of its cancellation, and EKS's reason, where somebody asked for one.
    pub cancellation: Option<(CancellationStatus, Option<String>)>,
}

impl Update {
    /// The value of a parameter: `param("Version")`.
    pub fn param(&self, kind: &str) -> Option<&str> {
        self.params.iter().find(|(name, _)| name == kind).map(|(_, value)| value.as_str())
    }
}

/// What went wrong in an update.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct UpdateError {
    /// EKS's code.
    pub code: UpdateErrorCode,
    /// EKS's sentence.
    pub message: String,
    /// What it is about: subnets, instances, Pods.
    pub resource_ids: Vec<String>,
}

provider! {
    /// Reads updates, past and present.
    #[access(Read)]
    pub trait UpdateReader {
        /// The ids of the updates of this scope, in EKS's order, which it does not document.
        #[iam("eks:ListUpdates")]
        async fn list_updates(&self, scope: &UpdateScope) -> Result<Vec<String>>;

        /// One update. There is no waiter for updates of a version: this is asked again.
        #[iam("eks:DescribeUpdate")]
        async fn describe_update(&self, scope: &UpdateScope, update_id: &str) -> Result<Update>;
    }
}
