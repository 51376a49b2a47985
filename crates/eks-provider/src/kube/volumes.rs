//! Volumes, claims, classes, and which volume is attached where.

use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

use jiff::Timestamp;

use crate::Result;
use crate::calls::provider;
use crate::kube::{NamespacedName, NodeSelector, ObjectMeta, Quantity};
use crate::text::words;

words! {
    /// What state a volume or a claim is in.
    pub enum VolumePhase {
        /// Not there yet, or not bound yet.
        Pending = "Pending",
        /// Free.
        Available = "Available",
        /// In use.
        Bound = "Bound",
        /// Its claim is gone.
        Released = "Released",
        /// Could not be taken back.
        Failed = "Failed",
        /// Its volume is gone.
        Lost = "Lost",
    }
}

/// A PersistentVolume.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PersistentVolume {
    /// What every object has.
    pub meta: ObjectMeta,
    /// How much it holds.
    pub capacity: Option<Quantity>,
    /// `ReadWriteOnce`, …
    pub access_modes: BTreeSet<String>,
    /// The claim that has it.
    pub claim: Option<NamespacedName>,
    /// Its class.
    pub storage_class: Option<String>,
    /// What is behind it: the name of a CSI driver, or of the field (`awsElasticBlockStore`, `nfs`).
    pub source: String,
    /// What the driver calls it: `vol-0a1`.
    pub volume_handle: Option<String>,
    /// Which nodes reach it: a zone, for EBS; `None` is all.
    pub node_affinity: Option<NodeSelector>,
    /// What becomes of it afterwards: `Delete`, `Retain`.
    pub reclaim_policy: Option<String>,
    /// Its state.
    pub phase: VolumePhase,
}

/// A PersistentVolumeClaim.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PersistentVolumeClaim {
    /// What every object has.
    pub meta: ObjectMeta,
    /// The volume that it has.
    pub volume_name: Option<String>,
    /// Its class.
    pub storage_class: Option<String>,
    /// `ReadWriteOnce`, …
    pub access_modes: BTreeSet<String>,
    /// How much it asks for.
    pub requested: Option<Quantity>,
    /// Its state.
    pub phase: VolumePhase,
}

/// A StorageClass.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StorageClass {
    /// What every object has.
    pub meta: ObjectMeta,
    /// Who makes its volumes: `ebs.csi.aws.com`.
    pub provisioner: String,
    /// `Immediate` or `WaitForFirstConsumer`.
    pub volume_binding_mode: Option<String>,
    /// Whether volumes may grow.
    pub allow_expansion: bool,
}

/// A VolumeAttachment: a volume that is attached to a node, or is being.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct VolumeAttachment {
    /// What every object has.
    pub meta: ObjectMeta,
    /// Who attaches it.
    pub attacher: String,
    /// The node.
    pub node_name: String,
    /// The volume; `None` for one that is not an object.
    pub volume_name: Option<String>,
    /// Whether it is attached.
    pub attached: bool,
    /// What went wrong when attaching it, and when.
    pub attach_error: Option<(Option<Timestamp>, String)>,
    /// What went wrong when detaching it, and when.
    pub detach_error: Option<(Option<Timestamp>, String)>,
}

provider! {
    /// Reads volumes. All lists are sorted by namespace and name.
    #[access(Read)]
    pub trait VolumeReader {
        /// All volumes.
        #[rbac(["list"] "" / "persistentvolumes")]
        async fn list_persistent_volumes(&self) -> Result<Vec<PersistentVolume>>;

        /// All claims.
        #[rbac(["list"] "" / "persistentvolumeclaims")]
        async fn list_persistent_volume_claims(&self) -> Result<Vec<PersistentVolumeClaim>>;

        /// All classes.
        #[rbac(["list"] "storage.k8s.io" / "storageclasses")]
        async fn list_storage_classes(&self) -> Result<Vec<StorageClass>>;

        /// What is attached where.
        #[rbac(
            ["list"] "storage.k8s.io" / "volumeattachments",
            ["watch"] "storage.k8s.io" / "volumeattachments" if "the adapter keeps a cache",
        )]
        async fn list_volume_attachments(&self) -> Result<Vec<VolumeAttachment>>;
    }
}
