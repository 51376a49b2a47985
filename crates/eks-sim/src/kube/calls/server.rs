//! The API server itself, ConfigMaps and Leases.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use async_trait::async_trait;
use eks_provider::Result;
use eks_provider::kube::{
    AccessDecision, ApiResource, ConfigMap, ConfigMapReader, ConfigMapWriter, DeprecatedApiRequest,
    Discovery, Lease, LeaseReader, LeaseWriter, ObjectMeta, ResourceAttributes, ResourceType, ServerReader,
    ServerVersion,
};
use jiff::Timestamp;

use super::super::state::State;
use super::Call;
use crate::{Sim, World};

/// What is served of the objects that the world moves by itself.
const SERVED: [(&str, &str, &str, bool); 14] = [
    ("", "configmaps", "ConfigMap", true),
    ("", "namespaces", "Namespace", false),
    ("", "nodes", "Node", false),
    ("", "persistentvolumeclaims", "PersistentVolumeClaim", true),
    ("", "persistentvolumes", "PersistentVolume", false),
    ("", "pods", "Pod", true),
    ("", "services", "Service", true),
    ("apps", "daemonsets", "DaemonSet", true),
    ("apps", "deployments", "Deployment", true),
    ("apps", "replicasets", "ReplicaSet", true),
    ("apps", "statefulsets", "StatefulSet", true),
    ("batch", "jobs", "Job", true),
    ("coordination.k8s.io", "leases", "Lease", true),
    ("policy", "poddisruptionbudgets", "PodDisruptionBudget", true),
];

#[async_trait]
impl ServerReader for Sim {
    async fn server_version(&self) -> Result<ServerVersion> {
        self.kube_read("get /version", "server", |state, _| {
            let minor = state.minor.map_or(34, eks_model::KubeMinor::minor);
            Ok(ServerVersion {
                git_version: format!("v1.{minor}.2-eks-5e0fdde"),
                major: "1".to_owned(),
                minor: minor.to_string(),
                emulation_minor: None,
                platform: Some("linux/amd64".to_owned()),
            })
        })
        .await
    }

    async fn readyz(&self) -> Result<()> {
        self.kube_read("get /readyz", "server", |_, _| Ok(())).await
    }

    async fn discovery(&self) -> Result<Discovery> {
        self.kube_read("get /apis", "server", |state, _| {
            let mut discovery = state.discovery.clone();
            let verbs: BTreeSet<String> =
                ["create", "delete", "get", "list", "patch", "update", "watch"].map(str::to_owned).into();
            let mut add = |group: &str, version: &str, plural: &str, kind: &str, namespaced| {
                let resource = ResourceType {
                    group: group.to_owned(),
                    version: version.to_owned(),
                    plural: plural.to_owned(),
                };
                if !discovery.resources.iter().any(|one| one.resource == resource) {
                    let kind = kind.to_owned();
                    let verbs = verbs.clone();
                    discovery.resources.push(ApiResource { resource, kind, namespaced, verbs });
                }
            };
            for (group, plural, kind, namespaced) in SERVED {
                add(group, "v1", plural, kind, namespaced);
            }
            if state.node_pools.is_some() {
                add("karpenter.sh", "v1", "nodepools", "NodePool", false);
                add("karpenter.sh", "v1", "nodeclaims", "NodeClaim", false);
                add("karpenter.k8s.aws", "v1", "ec2nodeclasses", "EC2NodeClass", false);
            }
            discovery.resources.sort();
            Ok(discovery)
        })
        .await
    }

    async fn requested_deprecated_apis(&self) -> Result<Vec<DeprecatedApiRequest>> {
        self.kube_read("get /metrics", "server", |state, _| Ok(state.deprecated_requests.clone())).await
    }

    async fn review_self_access(&self, attributes: &ResourceAttributes) -> Result<AccessDecision> {
        self.kube_read("create selfsubjectaccessreviews", "access", |state, _| {
            let sub = attributes.subresource.as_ref().map(|sub| format!("/{sub}")).unwrap_or_default();
            let operation = format!("{} {}{sub}", attributes.verb, attributes.resource);
            let allowed = !state.faults.denies(&operation);
            Ok(AccessDecision { allowed, reason: None, evaluation_error: None })
        })
        .await
    }
}

fn config_map_key(namespace: Option<&str>, name: &str) -> (String, String) {
    (namespace.unwrap_or("default").to_owned(), name.to_owned())
}

/// Whether what is there is what was read.
fn unchanged(there: &ObjectMeta, read: &ObjectMeta, call: &Call) -> Result<()> {
    if there.uid != read.uid {
        return Err(call.conflict("it has another uid"));
    }
    if there.resource_version != read.resource_version {
        return Err(call.conflict(
            "the object has been modified; please apply your changes to the latest version and try again",
        ));
    }
    Ok(())
}

#[async_trait]
impl ConfigMapReader for Sim {
    async fn get_config_map(&self, namespace: &str, name: &str) -> Result<ConfigMap> {
        self.kube_read("get configmaps", format!("config map {namespace}/{name}"), |state, call| {
            let key = config_map_key(Some(namespace), name);
            state.config_maps.get(&key).cloned().ok_or_else(|| call.not_found())
        })
        .await
    }
}

#[async_trait]
impl ConfigMapWriter for Sim {
    async fn create_config_map(&self, config_map: &ConfigMap) -> Result<ConfigMap> {
        self.kube_write("create configmaps", format!("config map {}", config_map.meta), |world, call| {
            let now = world.now();
            let meta = &config_map.meta;
            let key = config_map_key(meta.namespace.as_deref(), &meta.name);
            if world.kube.config_maps.contains_key(&key) {
                return Err(call.exists());
            }
            let fresh = world.kube.new_meta(Some(&key.0), &key.1, now);
            let meta =
                ObjectMeta { labels: meta.labels.clone(), annotations: meta.annotations.clone(), ..fresh };
            let made = ConfigMap { meta, ..config_map.clone() };
            world.kube.config_maps.insert(key, made.clone());
            Ok(made)
        })
        .await
    }

    async fn patch_config_map(
        &self,
        read: &ObjectMeta,
        data: &BTreeMap<String, Option<String>>,
    ) -> Result<ConfigMap> {
        self.kube_write("patch configmaps", format!("config map {read}"), |world, call| {
            let version = world.kube.bump();
            let key = config_map_key(read.namespace.as_deref(), &read.name);
            let there = world.kube.config_maps.get_mut(&key).ok_or_else(|| call.not_found())?;
            unchanged(&there.meta, read, call)?;
            if there.immutable {
                return Err(call.invalid("data: Forbidden: field is immutable when `immutable` is set"));
            }
            for (key, value) in data {
                match value {
                    Some(value) => there.data.insert(key.clone(), value.clone()),
                    None => there.data.remove(key),
                };
            }
            there.meta.resource_version = version.to_string();
            Ok(there.clone())
        })
        .await
    }

    async fn delete_config_map(&self, read: &ObjectMeta) -> Result<()> {
        self.kube_write("delete configmaps", format!("config map {read}"), |world, call| {
            let key = config_map_key(read.namespace.as_deref(), &read.name);
            let there = world.kube.config_maps.get(&key).ok_or_else(|| call.not_found())?;
            unchanged(&there.meta, read, call)?;
            world.kube.config_maps.remove(&key);
            Ok(())
        })
        .await
    }
}

const NODE_LEASES: &str = "kube-node-lease";

/// The Lease of a node, which its kubelet renews every 10 s.
/// <https://kubernetes.io/docs/concepts/architecture/leases/#node-heart-beats> (2026-11)
fn node_lease(state: &State, name: &str, now: Timestamp) -> Option<Lease> {
    let node = state.nodes.get(&state.node_named(name)?)?;
    let last = node.silent_since.unwrap_or(now);
    let renewed = Timestamp::from_second(last.as_second() - last.as_second().rem_euclid(10)).ok()?;
    Some(Lease {
        meta: ObjectMeta {
            name: name.to_owned(),
            namespace: Some(NODE_LEASES.to_owned()),
            uid: format!("lease-{}", node.object.meta.uid),
            resource_version: renewed.as_second().to_string(),
            creation_timestamp: node.object.meta.creation_timestamp,
            ..ObjectMeta::default()
        },
        holder_identity: Some(name.to_owned()),
        lease_duration: Some(Duration::from_secs(40)),
        acquire_time: node.object.meta.creation_timestamp,
        renew_time: Some(renewed),
        lease_transitions: 0,
    })
}

#[async_trait]
impl LeaseReader for Sim {
    async fn get_lease(&self, namespace: &str, name: &str) -> Result<Lease> {
        let now = eks_provider::Clock::now(self);
        self.kube_read("get leases", format!("lease {namespace}/{name}"), |state, call| {
            if namespace == NODE_LEASES {
                return node_lease(state, name, now).ok_or_else(|| call.not_found());
            }
            let key = (namespace.to_owned(), name.to_owned());
            state.leases.get(&key).cloned().ok_or_else(|| call.not_found())
        })
        .await
    }

    async fn list_leases(&self, namespace: &str) -> Result<Vec<Lease>> {
        let now = eks_provider::Clock::now(self);
        self.kube_read("list leases", format!("leases of {namespace}"), |state, _| {
            if namespace == NODE_LEASES {
                return Ok(state.node_names.keys().filter_map(|name| node_lease(state, name, now)).collect());
            }
            let found = state.leases.iter().filter(|((of, _), _)| of == namespace);
            Ok(found.map(|(_, lease)| lease.clone()).collect())
        })
        .await
    }
}

fn lease_key(lease: &Lease) -> (String, String) {
    (lease.meta.namespace.clone().unwrap_or_else(|| "default".to_owned()), lease.meta.name.clone())
}

/// Stores a Lease, with a new resourceVersion.
fn store(world: &mut World, key: (String, String), lease: Lease) -> Lease {
    let version = world.kube.bump();
    let mut lease = lease;
    lease.meta.resource_version = version.to_string();
    world.kube.log.lease(version, &key.0);
    world.kube.leases.insert(key, lease.clone());
    lease
}

#[async_trait]
impl LeaseWriter for Sim {
    async fn create_lease(&self, lease: &Lease) -> Result<Lease> {
        self.kube_write("create leases", format!("lease {}", lease.meta), |world, call| {
            let now = world.now();
            let key = lease_key(lease);
            if world.kube.leases.contains_key(&key) {
                return Err(call.exists());
            }
            let fresh = world.kube.new_meta(Some(&key.0), &key.1, now);
            let meta = ObjectMeta {
                labels: lease.meta.labels.clone(),
                annotations: lease.meta.annotations.clone(),
                ..fresh
            };
            Ok(store(world, key, Lease { meta, ..lease.clone() }))
        })
        .await
    }

    async fn update_lease(&self, lease: &Lease) -> Result<Lease> {
        self.kube_write("update leases", format!("lease {}", lease.meta), |world, call| {
            let key = lease_key(lease);
            // A PUT with a uid of what is gone is a precondition that fails, and not "not found".
            let there =
                world.kube.leases.get(&key).ok_or_else(|| call.conflict("there is none of this uid"))?;
            unchanged(&there.meta, &lease.meta, call)?;
            Ok(store(world, key, lease.clone()))
        })
        .await
    }

    async fn delete_lease(&self, lease: &Lease) -> Result<()> {
        self.kube_write("delete leases", format!("lease {}", lease.meta), |world, call| {
            let key = lease_key(lease);
            let there = world.kube.leases.get(&key).ok_or_else(|| call.not_found())?;
            unchanged(&there.meta, &lease.meta, call)?;
            world.kube.leases.remove(&key);
            let version = world.kube.bump();
            world.kube.log.lease(version, &key.0);
            Ok(())
        })
        .await
    }
}
