//! Volumes, claims, classes, and which volume is attached where.

use async_trait::async_trait;
use eks_provider::Result;
use eks_provider::kube::{
    PersistentVolume, PersistentVolumeClaim, StorageClass, VolumeAttachment, VolumeReader,
};
use jiff::Timestamp;
use k8s_openapi::api::core::v1;
use k8s_openapi::api::storage::v1 as storage;

use crate::api::KubeApi;
use crate::list::Listing;
use crate::meta::{Read, meta, namespaced, quantity, set, sorted, text, time};
use crate::pod_spec::node_selector;
use crate::resource::Resource;

static VOLUMES: Resource = Resource::of("", "v1", "persistentvolumes");
static CLAIMS: Resource = Resource::of("", "v1", "persistentvolumeclaims");
static CLASSES: Resource = Resource::of("storage.k8s.io", "v1", "storageclasses");
pub(crate) static ATTACHMENTS: Resource = Resource::of("storage.k8s.io", "v1", "volumeattachments");

fn volume(volume: v1::PersistentVolume) -> Read<PersistentVolume> {
    let meta = meta(volume.metadata);
    let spec = volume.spec.unwrap_or_default();
    let capacity = spec.capacity.as_ref().and_then(|capacity| capacity.get("storage"));
    let (source, volume_handle) = source(&spec);
    Ok(PersistentVolume {
        capacity: capacity
            .map(quantity)
            .transpose()
            .map_err(|why| format!("PersistentVolume {}: {why}", meta.name))?,
        source,
        volume_handle,
        access_modes: set(spec.access_modes),
        claim: spec.claim_ref.map(namespaced),
        storage_class: text(spec.storage_class_name),
        node_affinity: spec.node_affinity.and_then(|affinity| affinity.required).map(node_selector),
        reclaim_policy: text(spec.persistent_volume_reclaim_policy),
        phase: volume.status.and_then(|status| status.phase).as_deref().unwrap_or("Pending").into(),
        meta,
    })
}

/// What is behind a volume, and what it is called there where that is a name.
fn source(spec: &v1::PersistentVolumeSpec) -> (String, Option<String>) {
    if let Some(csi) = &spec.csi {
        return (csi.driver.clone(), text(Some(csi.volume_handle.clone())));
    }
    if let Some(ebs) = &spec.aws_elastic_block_store {
        // `aws://eu-west-1a/vol-0a1`, or the id alone.
        let id = ebs.volume_id.rsplit('/').next().map(ToOwned::to_owned);
        return ("awsElasticBlockStore".to_owned(), text(id));
    }
    let others = [
        ("azureDisk", spec.azure_disk.is_some()),
        ("azureFile", spec.azure_file.is_some()),
        ("cephfs", spec.cephfs.is_some()),
        ("cinder", spec.cinder.is_some()),
        ("fc", spec.fc.is_some()),
        ("flexVolume", spec.flex_volume.is_some()),
        ("flocker", spec.flocker.is_some()),
        ("gcePersistentDisk", spec.gce_persistent_disk.is_some()),
        ("glusterfs", spec.glusterfs.is_some()),
        ("hostPath", spec.host_path.is_some()),
        ("iscsi", spec.iscsi.is_some()),
        ("local", spec.local.is_some()),
        ("nfs", spec.nfs.is_some()),
        ("photonPersistentDisk", spec.photon_persistent_disk.is_some()),
        ("portworxVolume", spec.portworx_volume.is_some()),
        ("quobyte", spec.quobyte.is_some()),
        ("rbd", spec.rbd.is_some()),
        ("scaleIO", spec.scale_io.is_some()),
        ("storageos", spec.storageos.is_some()),
        ("vsphereVolume", spec.vsphere_volume.is_some()),
    ];
    let name = others.iter().find(|(_, is_it)| *is_it).map_or("unknown", |(name, _)| name);
    (name.to_owned(), None)
}

fn claim(claim: v1::PersistentVolumeClaim) -> Read<PersistentVolumeClaim> {
    let meta = meta(claim.metadata);
    let spec = claim.spec.unwrap_or_default();
    let requests = spec.resources.and_then(|resources| resources.requests).unwrap_or_default();
    Ok(PersistentVolumeClaim {
        requested: requests
            .get("storage")
            .map(quantity)
            .transpose()
            .map_err(|why| format!("PersistentVolumeClaim {meta}: {why}"))?,
        volume_name: text(spec.volume_name),
        storage_class: text(spec.storage_class_name),
        access_modes: set(spec.access_modes),
        phase: claim.status.and_then(|status| status.phase).as_deref().unwrap_or("Pending").into(),
        meta,
    })
}

fn attachment(attachment: storage::VolumeAttachment) -> VolumeAttachment {
    let status = attachment.status.unwrap_or_default();
    VolumeAttachment {
        meta: meta(attachment.metadata),
        attacher: attachment.spec.attacher,
        node_name: attachment.spec.node_name,
        volume_name: text(attachment.spec.source.persistent_volume_name),
        attached: status.attached,
        attach_error: status.attach_error.map(failure),
        detach_error: status.detach_error.map(failure),
    }
}

fn failure(error: storage::VolumeError) -> (Option<Timestamp>, String) {
    (time(error.time), error.message.unwrap_or_default())
}

#[async_trait]
impl VolumeReader for KubeApi {
    async fn list_persistent_volumes(&self) -> Result<Vec<PersistentVolume>> {
        let listing = Listing::all(&VOLUMES, "PersistentVolumes");
        Ok(sorted(self.everything(&listing, volume).await?, |volume| &volume.meta))
    }

    async fn list_persistent_volume_claims(&self) -> Result<Vec<PersistentVolumeClaim>> {
        let listing = Listing::all(&CLAIMS, "PersistentVolumeClaims");
        Ok(sorted(self.everything(&listing, claim).await?, |claim| &claim.meta))
    }

    async fn list_storage_classes(&self) -> Result<Vec<StorageClass>> {
        let listing = Listing::all(&CLASSES, "StorageClasses");
        let read = |class: storage::StorageClass| {
            Ok(StorageClass {
                meta: meta(class.metadata),
                provisioner: class.provisioner,
                volume_binding_mode: text(class.volume_binding_mode),
                allow_expansion: class.allow_volume_expansion.unwrap_or_default(),
            })
        };
        Ok(sorted(self.everything(&listing, read).await?, |class| &class.meta))
    }

    async fn list_volume_attachments(&self) -> Result<Vec<VolumeAttachment>> {
        let listing = Listing::all(&ATTACHMENTS, "VolumeAttachments");
        let found = self.everything(&listing, |found| Ok(attachment(found))).await?;
        Ok(sorted(found, |attachment| &attachment.meta))
    }
}
