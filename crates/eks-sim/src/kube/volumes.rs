//! Volumes: claims that are bound, and volumes that are attached to one node at a time.
//!
//! EBS: a volume is in one zone and attached to one node. It is detached when its last Pod has left the
//! node; of a node that is silent, after six minutes, by force; of a node whose object is gone, likewise.
//! <https://kubernetes.io/docs/concepts/cluster-administration/node-shutdown/#storage-force-detach-on-timeout>
//! and <https://github.com/kubernetes-sigs/aws-ebs-csi-driver/blob/master/docs/faq.md> (2026-11)

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use eks_provider::kube::{
    self as api, EventType, NamespacedName, NodeSelector, PodSpec, Quantity, VolumePhase, VolumeSource,
};

use super::objects::{NodeId, Pod, PodId, Stage};
use super::scheduler::nodes_with;
use super::{Event, events, kubelet};
use crate::World;
use crate::kube::state::State;

/// The driver whose volumes are attached.
pub(crate) const EBS: &str = "ebs.csi.aws.com";
/// How often a driver that cannot detach is asked again.
const DETACH_AGAIN: std::time::Duration = std::time::Duration::from_secs(10);
const ZONE: &str = "topology.kubernetes.io/zone";

/// Volumes, claims, classes, attachments.
#[derive(Debug, Clone, Default)]
pub(crate) struct Volumes {
    pub(crate) known: BTreeMap<String, api::PersistentVolume>,
    pub(crate) claims: BTreeMap<(String, String), api::PersistentVolumeClaim>,
    pub(crate) classes: BTreeMap<String, api::StorageClass>,
    /// By volume: an EBS volume is attached once.
    pub(crate) attachments: BTreeMap<String, Attachment>,
    /// Who waits for a volume.
    waiting: BTreeMap<String, BTreeSet<PodId>>,
    /// Which Pods on a node use a volume that is attached there.
    users: BTreeMap<String, BTreeSet<PodId>>,
}

/// That a volume is attached to a node, or is being.
#[derive(Debug, Clone)]
pub(crate) struct Attachment {
    pub(crate) id: u32,
    pub(crate) node: NodeId,
    pub(crate) node_name: Arc<str>,
    pub(crate) attached: bool,
    pub(crate) detaching: bool,
    /// Whether the driver could not detach it when it was asked.
    pub(crate) hangs: bool,
    pub(crate) version: u64,
    pub(crate) created: jiff::Timestamp,
    pub(crate) changed: jiff::Timestamp,
}

/// The claims of a Pod, by name.
fn claims_of(spec: &PodSpec) -> impl Iterator<Item = &str> {
    spec.volumes.iter().filter_map(|volume| {
        let VolumeSource::PersistentVolumeClaim(name) = &volume.source else { return None };
        Some(name.as_str())
    })
}

/// The volumes of a Pod that are attached to nodes.
fn volumes_of(state: &State, id: PodId) -> Vec<String> {
    let Some(shape) = state.shape_of(id) else { return Vec::new() };
    claims_of(&shape.template.spec)
        .filter_map(|claim| {
            let claim = state.volumes.claims.get(&(shape.namespace.to_string(), claim.to_owned()))?;
            let volume = state.volumes.known.get(claim.volume_name.as_ref()?)?;
            (volume.source == EBS).then(|| volume.meta.name.clone())
        })
        .collect()
}

/// Which nodes reach the volumes of a Pod; the message of its condition, where it cannot be placed.
pub(crate) fn reach(state: &State, namespace: &str, spec: &PodSpec) -> Result<Vec<NodeSelector>, String> {
    let mut selectors = Vec::new();
    for name in claims_of(spec) {
        let Some(claim) = state.volumes.claims.get(&(namespace.to_owned(), name.to_owned())) else {
            return Err(format!(
                "0/{} nodes are available: persistentvolumeclaim \"{name}\" not found.",
                state.nodes.len()
            ));
        };
        if let Some(volume) = claim.volume_name.as_ref().and_then(|volume| state.volumes.known.get(volume)) {
            selectors.extend(volume.node_affinity.clone());
        }
    }
    Ok(selectors)
}

/// Adds a claim that is bound when its first Pod has a node (`WaitForFirstConsumer`); one that is there
/// stays.
pub(crate) fn add_claim(world: &mut World, namespace: &str, name: &str, storage: i64) {
    let now = world.now();
    let key = (namespace.to_owned(), name.to_owned());
    if world.kube.volumes.claims.contains_key(&key) {
        return;
    }
    let meta = world.kube.new_meta(Some(namespace), name, now);
    let claim = api::PersistentVolumeClaim {
        meta,
        volume_name: None,
        storage_class: Some("gp3".to_owned()),
        access_modes: BTreeSet::from(["ReadWriteOnce".to_owned()]),
        requested: Some(Quantity::from_units(storage)),
        phase: VolumePhase::Pending,
    };
    world.kube.volumes.claims.insert(key, claim);
}

/// Makes the volumes of claims that have none, in the zone of the node that the Pod goes to.
pub(crate) fn bind_claims(world: &mut World, id: PodId, node: NodeId) {
    let Some(shape) = world.kube.shape_of(id) else { return };
    let Some(zone) = world.kube.nodes.get(&node).map(|node| node.zone.clone()) else { return };
    let namespace = shape.namespace.clone();
    let names: Vec<String> = claims_of(&shape.template.spec).map(ToOwned::to_owned).collect();
    for name in names {
        let key = (namespace.to_string(), name);
        if world.kube.volumes.claims.get(&key).is_some_and(|claim| claim.volume_name.is_none()) {
            provision(world, &key, Some(&zone), EBS);
        }
    }
}

/// Makes a volume for a claim, in a zone.
pub(crate) fn provision(world: &mut World, key: &(String, String), zone: Option<&str>, source: &str) {
    let now = world.now();
    let handle = format!("vol-0{}", world.random.hex(16));
    let Some(claim) = world.kube.volumes.claims.get(key) else { return };
    let (uid, requested, class) = (claim.meta.uid.clone(), claim.requested, claim.storage_class.clone());
    let name = format!("pvc-{uid}");
    let meta = world.kube.new_meta(None, &name, now);
    let volume = api::PersistentVolume {
        meta,
        capacity: requested,
        access_modes: BTreeSet::from(["ReadWriteOnce".to_owned()]),
        claim: Some(NamespacedName::new(&key.0, &key.1)),
        storage_class: class,
        source: source.to_owned(),
        volume_handle: Some(handle),
        node_affinity: zone.map(|zone| nodes_with(ZONE, zone)),
        reclaim_policy: Some("Delete".to_owned()),
        phase: VolumePhase::Bound,
    };
    world.kube.volumes.known.insert(name.clone(), volume);
    let version = world.kube.bump();
    if let Some(claim) = world.kube.volumes.claims.get_mut(key) {
        claim.volume_name = Some(name);
        claim.phase = VolumePhase::Bound;
        claim.meta.resource_version = version.to_string();
    }
}

/// Asks for the volumes of a Pod to be attached to its node. One that is attached elsewhere must be
/// detached there first.
pub(crate) fn attach_for(world: &mut World, id: PodId, node: NodeId) {
    for volume in volumes_of(&world.kube, id) {
        world.kube.volumes.waiting.entry(volume.clone()).or_default().insert(id);
        match world.kube.volumes.attachments.get(&volume) {
            None => attach(world, &volume, node),
            Some(attachment) if attachment.node == node && !attachment.detaching => {
                world.kube.volumes.users.entry(volume).or_default().insert(id);
            }
            Some(_) => {
                let note = format!(
                    "Multi-Attach error for volume \"{volume}\" Volume is already exclusively attached to \
                     one node and can't be attached to another"
                );
                events::about_pod(world, id, EventType::Warning, "FailedAttachVolume", &note);
            }
        }
    }
}

fn attach(world: &mut World, volume: &str, node: NodeId) {
    let now = world.now();
    let Some(name) = world.kube.nodes.get(&node).map(|node| node.name.clone()) else { return };
    let id = world.kube.next_id();
    let version = world.kube.bump();
    let attachment = Attachment {
        id,
        node,
        node_name: name,
        attached: false,
        detaching: false,
        hangs: false,
        version,
        created: now,
        changed: now,
    };
    world.kube.volumes.attachments.insert(volume.to_owned(), attachment);
    world.kube.log.attachment(version);
    let users = world.kube.volumes.waiting.get(volume).cloned().unwrap_or_default();
    let here = users
        .into_iter()
        .filter(|pod| world.kube.pods.get(pod).is_some_and(|pod| pod.node == Some(node) && pod.is_active()));
    let here: BTreeSet<PodId> = here.collect();
    world.kube.volumes.users.insert(volume.to_owned(), here);
    let wait = world.kube.settings.attach.pick(&mut world.random);
    world.after(wait, Event::Attached(volume.to_owned(), id).into());
}

/// A volume is attached: the Pods that waited for it on this node can start.
pub(crate) fn attached(world: &mut World, volume: &str, id: u32) {
    let version = world.kube.bump();
    let Some(attachment) = world.kube.volumes.attachments.get_mut(volume).filter(|one| one.id == id) else {
        return;
    };
    if attachment.detaching {
        return;
    }
    attachment.attached = true;
    attachment.version = version;
    let node = attachment.node;
    world.kube.log.attachment(version);
    show(world, node);
    for pod in world.kube.volumes.users.get(volume).cloned().unwrap_or_default() {
        kubelet::consider(world, pod);
    }
}

/// What a node's status says of volumes.
fn show(world: &mut World, node: NodeId) {
    let names: Vec<String> = world
        .kube
        .volumes
        .attachments
        .iter()
        .filter(|(_, attachment)| attachment.node == node && attachment.attached)
        .filter_map(|(volume, _)| world.kube.volumes.known.get(volume)?.volume_handle.clone())
        .map(|handle| format!("kubernetes.io/csi/{EBS}^{handle}"))
        .collect();
    super::nodes::change(world, node, |object| {
        object.volumes_attached = names.clone();
        object.volumes_in_use = names;
    });
}

/// Whether all volumes of a Pod are attached to its node.
pub(crate) fn are_there(world: &World, id: PodId) -> bool {
    let node = world.kube.pods.get(&id).and_then(|pod| pod.node);
    volumes_of(&world.kube, id).iter().all(|volume| {
        world.kube.volumes.attachments.get(volume).is_some_and(|attachment| {
            attachment.attached && !attachment.detaching && Some(attachment.node) == node
        })
    })
}

/// A Pod is gone: its volumes are detached when nobody else on the node uses them.
pub(crate) fn left(world: &mut World, pod: &Pod) {
    let Some(shape) = world.kube.shape(pod.shape) else { return };
    if shape.template.spec.volumes.is_empty() {
        return;
    }
    let namespace = shape.namespace.to_string();
    let claims: Vec<String> = claims_of(&shape.template.spec).map(ToOwned::to_owned).collect();
    for claim in claims {
        let volume = world
            .kube
            .volumes
            .claims
            .get(&(namespace.clone(), claim))
            .and_then(|claim| claim.volume_name.clone());
        if let Some(volume) = volume {
            for sets in [&mut world.kube.volumes.users, &mut world.kube.volumes.waiting] {
                if let Some(set) = sets.get_mut(&volume) {
                    let pods = &world.kube.pods;
                    set.retain(|user| pods.contains_key(user));
                }
            }
            unused(world, &volume);
        }
    }
}

/// A Pod has ended by itself: its volumes are free.
pub(crate) fn released(world: &mut World, id: PodId) {
    for volume in volumes_of(&world.kube, id) {
        for sets in [&mut world.kube.volumes.users, &mut world.kube.volumes.waiting] {
            if let Some(set) = sets.get_mut(&volume) {
                set.remove(&id);
            }
        }
        unused(world, &volume);
    }
}

/// Starts to detach a volume that nobody uses.
fn unused(world: &mut World, volume: &str) {
    let now = world.now();
    if world.kube.volumes.users.get(volume).is_some_and(|users| !users.is_empty()) {
        return;
    }
    let Some(attachment) = world.kube.volumes.attachments.get(volume) else { return };
    if attachment.detaching {
        return;
    }
    let (id, node) = (attachment.id, attachment.node);
    let silent = world.kube.nodes.get(&node).is_none_or(|node| !node.alive);
    let wait = if silent {
        world.kube.settings.force_detach
    } else {
        world.kube.settings.detach.pick(&mut world.random)
    };
    let version = world.kube.bump();
    if let Some(attachment) = world.kube.volumes.attachments.get_mut(volume) {
        attachment.detaching = true;
        attachment.changed = now;
        attachment.version = version;
    }
    world.kube.log.attachment(version);
    world.after(wait, Event::Detached(volume.to_owned(), id).into());
}

/// A volume is detached: who waits for it elsewhere gets it.
pub(crate) fn detached(world: &mut World, volume: &str, id: u32) {
    let Some(attachment) = world.kube.volumes.attachments.get(volume).filter(|one| one.id == id) else {
        return;
    };
    let node = attachment.node;
    let now = world.now();
    let claim = world.kube.volumes.known.get(volume).and_then(|volume| volume.claim.as_ref());
    if claim.is_some_and(|claim| world.kube.faults.never_detaches(claim, now)) {
        // The driver says that it cannot, and is asked again.
        let version = world.kube.bump();
        if let Some(attachment) = world.kube.volumes.attachments.get_mut(volume) {
            attachment.hangs = true;
            attachment.version = version;
        }
        world.kube.log.attachment(version);
        world.after(DETACH_AGAIN, Event::Detached(volume.to_owned(), id).into());
        return;
    }
    world.kube.volumes.attachments.remove(volume);
    world.kube.volumes.users.remove(volume);
    let version = world.kube.bump();
    world.kube.log.attachment(version);
    show(world, node);
    let next = world.kube.volumes.waiting.get(volume).into_iter().flatten().find_map(|pod| {
        let pod = world.kube.pods.get(pod)?;
        pod.node.filter(|_| pod.is_active() && matches!(pod.stage, Stage::Attaching))
    });
    if let Some(node) = next {
        attach(world, volume, node);
    }
}

/// A node's object is gone: what is attached to it stays so until the controller gives it up.
pub(crate) fn node_gone(world: &mut World, id: NodeId) {
    let volumes: Vec<String> = world
        .kube
        .volumes
        .attachments
        .iter()
        .filter(|(_, attachment)| attachment.node == id && !attachment.detaching)
        .map(|(volume, _)| volume.clone())
        .collect();
    for volume in volumes {
        world.kube.volumes.users.remove(&volume);
        unused(world, &volume);
    }
}
