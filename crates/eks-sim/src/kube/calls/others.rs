//! Volumes, Services, webhooks, custom resources, Helm releases, metadata, events.

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use eks_provider::kube::{
    ApiService, CustomResourceDefinition, CustomResourceReader, Endpoint, Event, EventReader, EventWriter,
    HelmRelease, HelmReleaseReader, HelmStorage, ManagedFields, MetadataReader, Namespace, NewEvent,
    NodeClaim, NodeClass, NodePool, ObjectMeta, ObjectMetadata, ObjectReader, ObjectRef, Page, PageRequest,
    PersistentVolume, PersistentVolumeClaim, RawObject, ResourceType, Service, ServiceReader, StorageClass,
    TargetGroupBinding, VolumeAttachment, VolumeReader, WebhookConfiguration, WebhookReader,
};
use eks_provider::{Result, Sensitive};

use super::super::events;
use super::super::objects::{Pod, Stage};
use super::super::render;
use super::super::state::{Kind, State, uid};
use super::super::volumes::EBS;
use super::page;
use crate::Sim;

#[async_trait]
impl VolumeReader for Sim {
    async fn list_persistent_volumes(&self) -> Result<Vec<PersistentVolume>> {
        self.kube_read("list persistentvolumes", "volumes", |state, _| {
            Ok(state.volumes.known.values().cloned().collect())
        })
        .await
    }

    async fn list_persistent_volume_claims(&self) -> Result<Vec<PersistentVolumeClaim>> {
        self.kube_read("list persistentvolumeclaims", "claims", |state, _| {
            Ok(state.volumes.claims.values().cloned().collect())
        })
        .await
    }

    async fn list_storage_classes(&self) -> Result<Vec<StorageClass>> {
        self.kube_read("list storageclasses", "storage classes", |state, _| {
            Ok(state.volumes.classes.values().cloned().collect())
        })
        .await
    }

    async fn list_volume_attachments(&self) -> Result<Vec<VolumeAttachment>> {
        self.kube_read("list volumeattachments", "attachments", |state, _| {
            let mut found: Vec<VolumeAttachment> = state
                .volumes
                .attachments
                .iter()
                .map(|(volume, attachment)| {
                    let id = uid(Kind::Attachment, attachment.id);
                    VolumeAttachment {
                        meta: ObjectMeta {
                            name: format!("csi-{}", id.replace('-', "")),
                            uid: id,
                            resource_version: attachment.version.to_string(),
                            creation_timestamp: Some(attachment.created),
                            deletion_timestamp: attachment.detaching.then_some(attachment.changed),
                            ..ObjectMeta::default()
                        },
                        attacher: EBS.to_owned(),
                        node_name: attachment.node_name.to_string(),
                        volume_name: Some(volume.clone()),
                        attached: attachment.attached,
                        attach_error: None,
                        detach_error: attachment.hangs.then(|| {
                            (Some(attachment.changed), "could not detach volume: DeadlineExceeded".to_owned())
                        }),
                    }
                })
                .collect();
            found.sort_by(|a, b| a.meta.name.cmp(&b.meta.name));
            Ok(found)
        })
        .await
    }
}

/// Whether a Pod is among those of a Service.
fn endpoint(state: &State, id: super::super::objects::PodId, pod: &Pod) -> Option<Endpoint> {
    let node = state.nodes.get(&pod.node?)?;
    let shape = state.shape(pod.shape)?;
    if pod.is_finished() || matches!(pod.stage, Stage::Attaching | Stage::Starting) {
        return None;
    }
    let terminating = pod.deletion.is_some();
    Some(Endpoint {
        addresses: BTreeSet::from([render::address(id)]),
        ready: pod.ready && !terminating,
        serving: pod.ready,
        terminating,
        node_name: Some(node.name.to_string()),
        zone: Some(node.zone.to_string()),
        target: Some(ObjectRef {
            api_version: "v1".to_owned(),
            kind: "Pod".to_owned(),
            namespace: Some(shape.namespace.to_string()),
            name: pod.name.to_string(),
            uid: Some(uid(Kind::Pod, id.0)),
        }),
    })
}

#[async_trait]
impl ServiceReader for Sim {
    async fn list_services(&self) -> Result<Vec<Service>> {
        self.kube_read("list services", "services", |state, _| Ok(state.services.values().cloned().collect()))
            .await
    }

    async fn get_service(&self, namespace: &str, name: &str) -> Result<Service> {
        self.kube_read("get services", format!("service {namespace}/{name}"), |state, call| {
            let key = (namespace.to_owned(), name.to_owned());
            state.services.get(&key).cloned().ok_or_else(|| call.not_found())
        })
        .await
    }

    /// <https://kubernetes.io/docs/concepts/services-networking/endpoint-slices/#conditions> (2026-11)
    async fn list_endpoints(&self, namespace: &str, service: &str) -> Result<Vec<Endpoint>> {
        self.kube_read("list endpointslices", format!("service {namespace}/{service}"), |state, _| {
            let key = (namespace.to_owned(), service.to_owned());
            let Some(service) = state.services.get(&key).filter(|one| !one.selector.is_empty()) else {
                return Ok(Vec::new());
            };
            let meant = |labels: &BTreeMap<String, String>| {
                service.selector.iter().all(|(key, value)| labels.get(key) == Some(value))
            };
            let mut pods: Vec<_> = state
                .shapes_of(Some(namespace))
                .into_iter()
                .filter_map(|id| state.shape(id))
                .filter(|shape| meant(&shape.template.labels))
                .flat_map(|shape| shape.pods.iter().copied())
                .collect();
            pods.sort();
            Ok(pods.into_iter().filter_map(|id| endpoint(state, id, state.pods.get(&id)?)).collect())
        })
        .await
    }

    async fn list_namespaces(&self) -> Result<Vec<Namespace>> {
        self.kube_read("list namespaces", "namespaces", |state, _| {
            Ok(state.namespaces.values().cloned().collect())
        })
        .await
    }
}

#[async_trait]
impl WebhookReader for Sim {
    async fn list_webhook_configurations(&self) -> Result<Vec<WebhookConfiguration>> {
        self.kube_read("list validatingwebhookconfigurations", "webhooks", |state, _| {
            Ok(state.webhooks.clone())
        })
        .await
    }

    async fn list_api_services(&self) -> Result<Vec<ApiService>> {
        self.kube_read("list apiservices", "API services", |state, _| Ok(state.api_services.clone())).await
    }

    async fn list_custom_resource_definitions(&self) -> Result<Vec<CustomResourceDefinition>> {
        self.kube_read("list customresourcedefinitions", "definitions", |state, _| {
            Ok(state.definitions.clone())
        })
        .await
    }
}

#[async_trait]
impl CustomResourceReader for Sim {
    async fn list_node_pools(&self) -> Result<Option<Vec<NodePool>>> {
        self.kube_read("list nodepools", "node pools", |state, _| Ok(state.node_pools.clone())).await
    }

    async fn list_node_claims(&self) -> Result<Option<Vec<NodeClaim>>> {
        self.kube_read("list nodeclaims", "node claims", |state, _| Ok(state.node_claims.clone())).await
    }

    async fn list_node_classes(&self) -> Result<Option<Vec<NodeClass>>> {
        self.kube_read("list ec2nodeclasses", "node classes", |state, _| Ok(state.node_classes.clone())).await
    }

    async fn list_target_group_bindings(&self) -> Result<Option<Vec<TargetGroupBinding>>> {
        self.kube_read("list targetgroupbindings", "target group bindings", |state, _| {
            Ok(state.target_group_bindings.clone())
        })
        .await
    }
}

#[async_trait]
impl HelmReleaseReader for Sim {
    async fn list_helm_releases(
        &self,
        storage: HelmStorage,
        request: &PageRequest,
    ) -> Result<Page<HelmRelease>> {
        let operation = match storage {
            HelmStorage::Secret => "list secrets",
            HelmStorage::ConfigMap => "list configmaps",
        };
        self.kube_read(operation, "Helm releases", |state, _| {
            let found: BTreeMap<String, HelmRelease> = state
                .helm_releases
                .iter()
                .filter(|release| {
                    release.storage == storage
                        && !matches!(release.status.as_str(), "superseded" | "uninstalled")
                })
                .map(|release| (key(&release.meta), release.clone()))
                .collect();
            Ok(page(found.into_iter().collect(), request))
        })
        .await
    }
}

fn key(meta: &ObjectMeta) -> String {
    format!("{}\u{0}{}", meta.namespace.as_deref().unwrap_or_default(), meta.name)
}

/// The metadata of what the world holds as objects of its own.
fn known(state: &State, resource: &ResourceType) -> Option<Vec<ObjectMeta>> {
    use eks_provider::kube::WorkloadKind as Of;
    let workloads = |kind| {
        let names = state.workload_names.iter().filter(move |((of, ..), _)| *of == kind);
        names.filter_map(|(_, id)| render::workload(state, *id)).map(|workload| workload.meta).collect()
    };
    Some(match (resource.group.as_str(), resource.version.as_str(), resource.plural.as_str()) {
        ("", "v1", "pods") => {
            let pods = state.pods.keys().filter_map(|id| render::pod(state, *id));
            pods.map(|pod| pod.meta).collect()
        }
        ("", "v1", "nodes") => state.nodes.values().map(|node| node.object.meta.clone()).collect(),
        ("", "v1", "namespaces") => state.namespaces.values().map(|one| one.meta.clone()).collect(),
        ("", "v1", "services") => state.services.values().map(|one| one.meta.clone()).collect(),
        ("", "v1", "configmaps") => state.config_maps.values().map(|one| one.meta.clone()).collect(),
        ("", "v1", "persistentvolumes") => state.volumes.known.values().map(|one| one.meta.clone()).collect(),
        ("", "v1", "persistentvolumeclaims") => {
            state.volumes.claims.values().map(|one| one.meta.clone()).collect()
        }
        ("apps", "v1", "deployments") => workloads(Of::Deployment),
        ("apps", "v1", "replicasets") => workloads(Of::ReplicaSet),
        ("apps", "v1", "statefulsets") => workloads(Of::StatefulSet),
        ("apps", "v1", "daemonsets") => workloads(Of::DaemonSet),
        ("batch", "v1", "jobs") => workloads(Of::Job),
        ("policy", "v1", "poddisruptionbudgets") => {
            state.budgets.values().map(|one| one.object.meta.clone()).collect()
        }
        ("coordination.k8s.io", "v1", "leases") => {
            state.leases.values().map(|one| one.meta.clone()).collect()
        }
        _ => return None,
    })
}

#[async_trait]
impl MetadataReader for Sim {
    async fn list_metadata(
        &self,
        resource: &ResourceType,
        request: &PageRequest,
    ) -> Result<Option<Page<ObjectMetadata>>> {
        self.kube_read("list metadata", resource.to_string(), |state, _| {
            let mut found = known(state, resource);
            if let Some(objects) = state.objects.get(resource) {
                found.get_or_insert_default().extend(objects.iter().map(|(meta, _)| meta.clone()));
            }
            let Some(found) = found else { return Ok(None) };
            let sorted: BTreeMap<String, ObjectMetadata> = found
                .into_iter()
                .map(|meta| {
                    let group = if resource.group.is_empty() {
                        resource.version.clone()
                    } else {
                        format!("{}/{}", resource.group, resource.version)
                    };
                    let written = ManagedFields {
                        manager: "eks-sim".to_owned(),
                        operation: "Update".to_owned(),
                        api_version: group,
                        time: meta.creation_timestamp,
                        subresource: None,
                    };
                    (key(&meta), ObjectMetadata { meta, managed_fields: vec![written] })
                })
                .collect();
            Ok(Some(page(sorted.into_iter().collect(), request)))
        })
        .await
    }
}

#[async_trait]
impl ObjectReader for Sim {
    /// Only of objects that were put there as text: those that the world moves by itself have no text.
    async fn list_objects(
        &self,
        resource: &ResourceType,
        request: &PageRequest,
    ) -> Result<Option<Page<RawObject>>> {
        self.kube_read("list objects", resource.to_string(), |state, call| {
            if resource.plural == "secrets" {
                return Err(call.invalid("Secrets are not shown"));
            }
            let Some(objects) = state.objects.get(resource) else { return Ok(None) };
            let sorted: BTreeMap<String, RawObject> = objects
                .iter()
                .map(|(meta, json)| {
                    let object = RawObject {
                        namespace: meta.namespace.clone(),
                        name: meta.name.clone(),
                        uid: meta.uid.clone(),
                        json: Sensitive::new(json.clone().into_bytes()),
                    };
                    (key(meta), object)
                })
                .collect();
            Ok(Some(page(sorted.into_iter().collect(), request)))
        })
        .await
    }
}

#[async_trait]
impl EventReader for Sim {
    async fn list_events(&self, regarding: &ObjectRef) -> Result<Vec<Event>> {
        self.kube_read("list events", format!("{} {}", regarding.kind, regarding.name), |state, _| {
            let about = state.events.get(&events::subject(regarding));
            let mut found: Vec<Event> = about
                .into_iter()
                .flat_map(BTreeMap::values)
                .filter(|event| regarding.uid.is_none() || event.regarding.uid == regarding.uid)
                .cloned()
                .collect();
            found.sort_by_key(|event| std::cmp::Reverse(event.last_seen));
            Ok(found)
        })
        .await
    }
}

#[async_trait]
impl EventWriter for Sim {
    async fn create_event(&self, event: &NewEvent) -> Result<()> {
        self.kube_write("create events", format!("event {}", event.name), |world, call| {
            if event.note.chars().count() > 1024 {
                return Err(call.invalid("note: can have at most 1024 characters"));
            }
            if event.reason.chars().count() > 128 {
                return Err(call.invalid("reason: can have at most 128 characters"));
            }
            let about = world.kube.events.entry(events::subject(&event.regarding)).or_default();
            if about.contains_key(&event.name) {
                return Err(call.exists());
            }
            let said = Event {
                regarding: event.regarding.clone(),
                kind: event.kind.clone(),
                reason: event.reason.clone(),
                note: event.note.clone(),
                reporting_controller: Some(event.reporting_controller.clone()),
                count: 1,
                last_seen: Some(event.event_time),
            };
            about.insert(event.name.clone(), said);
            Ok(())
        })
        .await
    }
}
