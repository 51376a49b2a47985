//! Kubelets: machines that become nodes, and Pods that are started and stopped on them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use eks_provider::Written;
use eks_provider::kube::{self as api, ConditionStatus, Quantity, Resources};

use super::Event;
use super::objects::{Amounts, Node, NodeId, Pod, PodId, Stage};
use super::pods::{self, NewPod};
use super::{nodes, volumes};
use crate::World;
use crate::bridge::{Machine, MachineFault};

/// The add-on without which no node is ready: it writes the configuration of the Pod network.
/// <https://docs.aws.amazon.com/eks/latest/best-practices/vpc-cni.html> (2026-11)
pub(crate) const NETWORK: (&str, &str) = ("kube-system", "aws-node");

/// A machine has started: its kubelet registers when it has booted.
pub(crate) fn machine_started(world: &mut World, machine: Machine) {
    if world.kube.cluster.as_ref().is_some_and(|cluster| *cluster != machine.cluster) {
        return;
    }
    let started = world.now();
    let registers = world.kube.settings.registration.pick(&mut world.random);
    let instance = machine.instance_id.clone();
    let never = machine.fault == Some(MachineFault::NeverJoins);
    world.kube.machines.insert(instance.clone(), (machine, started));
    if !never {
        world.after(registers, Event::Registers(instance).into());
    }
}

pub(crate) fn resources(machine: &Machine, reserved: bool) -> Resources {
    let (cpu, memory) = if reserved {
        // What EKS's bootstrap leaves to the system, roughly: 80 thousandths and 1 GiB at most.
        (machine.cpu_milli.saturating_sub(80), machine.memory - (machine.memory / 8).min(1 << 30))
    } else {
        (machine.cpu_milli, machine.memory)
    };
    let units = |number: u64| Quantity::from_units(i64::try_from(number).unwrap_or(i64::MAX));
    BTreeMap::from([
        ("cpu".to_owned(), Quantity::from_milli(i128::from(cpu))),
        ("memory".to_owned(), units(memory)),
        ("pods".to_owned(), units(machine.pods)),
    ])
}

/// A kubelet registers: its node is there, and not ready until the Pod network is.
pub(crate) fn registers(world: &mut World, instance: &str) {
    let now = world.now();
    let Some((machine, _)) = world.kube.machines.remove(instance) else { return };
    let arm = is_arm(&machine.instance_type);
    let mut labels = machine.labels.clone();
    for (key, value) in [
        ("kubernetes.io/hostname", machine.node_name.as_str()),
        ("kubernetes.io/arch", if arm { "arm64" } else { "amd64" }),
        ("kubernetes.io/os", "linux"),
        ("node.kubernetes.io/instance-type", &machine.instance_type),
        ("topology.kubernetes.io/zone", &machine.zone),
        ("topology.kubernetes.io/region", &machine.region),
    ] {
        labels.insert(key.to_owned(), value.to_owned());
    }
    let mut object = api::Node {
        meta: api::ObjectMeta {
            name: machine.node_name.clone(),
            creation_timestamp: Some(now),
            labels,
            ..api::ObjectMeta::default()
        },
        provider_id: Some(format!("aws:///{}/{}", machine.zone, machine.instance_id)),
        unschedulable: false,
        taints: machine.parsed_taints(),
        conditions: Vec::new(),
        capacity: resources(&machine, false),
        allocatable: resources(&machine, true),
        addresses: vec![
            ("InternalIP".to_owned(), machine.address.clone()),
            ("Hostname".to_owned(), machine.node_name.clone()),
        ],
        pod_cidrs: Vec::new(),
        info: api::NodeInfo {
            kubelet_version: Written::of(machine.kubelet_version()),
            container_runtime_version: "containerd://2.1.4".to_owned(),
            os_image: "Amazon Linux 2023".to_owned(),
            operating_system: "linux".to_owned(),
            architecture: if arm { "arm64" } else { "amd64" }.to_owned(),
            kernel_version: format!("6.12.46-66.121.amzn2023.{}", if arm { "aarch64" } else { "x86_64" }),
        },
        volumes_attached: Vec::new(),
        volumes_in_use: Vec::new(),
    };
    nodes::set_ready(&mut object, &ConditionStatus::False, now);
    let node = Node {
        name: machine.node_name.as_str().into(),
        zone: machine.zone.as_str().into(),
        instance_id: machine.instance_id.clone(),
        group: machine.group.clone(),
        fault: machine.fault,
        alive: true,
        stopped: false,
        configured: false,
        silent_since: None,
        room: Amounts::of(&object.allocatable),
        used: Amounts::default(),
        pods: BTreeSet::new(),
        place: None,
        object,
    };
    if let Some(old) = world.kube.node_named(&machine.node_name) {
        nodes::remove(world, old);
    }
    let id = nodes::add(world, node);
    if machine.fault == Some(MachineFault::Flaps) {
        let flap = world.kube.settings.flap.pick(&mut world.random);
        world.after(flap, Event::Flaps(id, false).into());
    }
    super::actors::karpenter::registered(world, id);
    network(world, id);
}

/// Families of Graviton have a `g` after the generation: `m7g`, `c6gn`, `r8gd`.
pub(crate) fn is_arm(instance_type: &str) -> bool {
    let family = instance_type.split('.').next().unwrap_or_default();
    family
        .trim_start_matches(|c: char| c.is_ascii_lowercase())
        .trim_start_matches(|c: char| c.is_ascii_digit())
        .starts_with('g')
}

/// Whether a node has a Pod network: its `aws-node` Pod is ready, or the cluster has no such DaemonSet
/// and the network comes from elsewhere.
pub(crate) fn has_network(world: &World, id: NodeId) -> bool {
    let state = &world.kube;
    let reference = api::WorkloadRef {
        kind: api::WorkloadKind::DaemonSet,
        namespace: NETWORK.0.to_owned(),
        name: NETWORK.1.to_owned(),
    };
    let Some(workload) = state.workload_named(&reference).and_then(|id| state.workloads.get(&id)) else {
        return true;
    };
    workload.on_nodes.get(&id).and_then(|pod| state.pods.get(pod)).is_some_and(|pod| pod.ready)
}

/// The kubelet looks at its Pod network: with it, the node is ready, and Pods that waited start. A network
/// that fails later leaves the node as it is: the configuration stays where it was written.
pub(crate) fn network(world: &mut World, id: NodeId) {
    let now = world.now();
    let Some(node) = world.kube.nodes.get(&id) else { return };
    let up = node.configured || node.fault == Some(MachineFault::NetworkDown) || has_network(world, id);
    let Some(node) = world.kube.nodes.get(&id) else { return };
    if !node.alive || node.fault == Some(MachineFault::NeverReady) || !up || node.object.is_ready() {
        return;
    }
    if let Some(node) = world.kube.nodes.get_mut(&id) {
        node.configured = true;
    }
    nodes::change(world, id, |node| nodes::set_ready(node, &ConditionStatus::True, now));
    let waiting: Vec<PodId> =
        world.kube.nodes.get(&id).map(|node| node.pods.iter().copied().collect()).unwrap_or_default();
    for pod in waiting {
        consider(world, pod);
    }
}

/// A kubelet that flaps says that it is ready, or that it is not.
pub(crate) fn flaps(world: &mut World, id: NodeId, ready: bool) {
    let now = world.now();
    let Some(node) = world.kube.nodes.get(&id) else { return };
    if !node.alive {
        return;
    }
    if ready {
        speaks(world, id);
    } else {
        nodes::change(world, id, |node| nodes::set_ready(node, &ConditionStatus::False, now));
        super::lifecycle::node_not_ready(world, id);
    }
    let flap = world.kube.settings.flap.pick(&mut world.random);
    world.after(flap, Event::Flaps(id, !ready).into());
}

/// Whether a Pod on this node can be started: on the node's own network, or with a Pod network.
fn can_start(world: &World, pod: &Pod, node: NodeId) -> bool {
    let Some(object) = world.kube.nodes.get(&node) else { return false };
    if !object.alive {
        return false;
    }
    let Some(shape) = world.kube.shape(pod.shape) else { return false };
    shape.template.spec.host_network
        || (object.fault != Some(MachineFault::NetworkDown) && has_network(world, node))
}

/// The kubelet looks at a Pod of its node: with its volumes and the network there, it is started.
pub(crate) fn consider(world: &mut World, id: PodId) {
    let Some(pod) = world.kube.pods.get(&id) else { return };
    let Some(node) = pod.node else { return };
    if pod.stage != Stage::Attaching || !can_start(world, pod, node) || !volumes::are_there(world, id) {
        return;
    }
    pods::change(world, id, |pod| pod.stage = Stage::Starting);
    let start = world.kube.settings.container_start.pick(&mut world.random);
    world.after(start, Event::PodRuns(id).into());
}

/// The containers of a Pod run.
pub(crate) fn runs(world: &mut World, id: PodId) {
    let Some(pod) = world.kube.pods.get(&id) else { return };
    let alive = pod.node.and_then(|node| world.kube.nodes.get(&node)).is_some_and(|node| node.alive);
    if pod.stage != Stage::Starting || pod.deletion.is_some() || !alive {
        return;
    }
    let Some(shape) = world.kube.shape(pod.shape) else { return };
    let behaviour = shape.behaviour;
    let will_be_ready = will_be_ready(world, pod);
    pods::change(world, id, |pod| pod.stage = Stage::Running);
    if let Some(runs_for) = behaviour.runs_for {
        world.after(runs_for, Event::PodFinishes(id).into());
    }
    if will_be_ready {
        let ready = behaviour.ready_after.pick(&mut world.random);
        world.after(ready, Event::PodReady(id).into());
    }
}

/// Whether the readiness probe of a Pod that runs succeeds some time.
fn will_be_ready(world: &World, pod: &Pod) -> bool {
    let crashes = is_network(world, pod)
        && pod.node.and_then(|node| world.kube.nodes.get(&node)).is_some_and(|node| {
            matches!(node.fault, Some(MachineFault::NetworkDown | MachineFault::NeverReady))
        });
    !crashes && world.kube.shape(pod.shape).is_some_and(|shape| !shape.behaviour.never_ready)
}

fn is_network(world: &World, pod: &Pod) -> bool {
    pod.owner.and_then(|(workload, _)| world.kube.workloads.get(&workload)).is_some_and(|workload| {
        workload.kind == api::WorkloadKind::DaemonSet && (&*workload.namespace, &*workload.name) == NETWORK
    })
}

/// A Pod's readiness probe succeeds.
pub(crate) fn becomes_ready(world: &mut World, id: PodId) {
    let Some(pod) = world.kube.pods.get(&id) else { return };
    let node = pod.node;
    let alive = node.and_then(|node| world.kube.nodes.get(&node)).is_some_and(|node| node.alive);
    if pod.stage != Stage::Running || pod.dead || !alive {
        return;
    }
    let network_pod = is_network(world, pod);
    pods::set_ready(world, id, true);
    if let (true, Some(node)) = (network_pod, node) {
        network(world, node);
        // Pods may wait on a node that is ready already: one whose network was put back.
        let waiting: Vec<PodId> =
            world.kube.nodes.get(&node).map(|node| node.pods.iter().copied().collect()).unwrap_or_default();
        for pod in waiting {
            consider(world, pod);
        }
    }
}

/// A static Pod that was deleted comes back: the kubelet makes its mirror anew.
/// <https://kubernetes.io/docs/tasks/configure-pod-container/static-pod/> (2026-11)
pub(crate) fn static_pod_again(world: &mut World, pod: &Pod) {
    let Some(node) = pod.node.filter(|node| world.kube.nodes.get(node).is_some_and(|node| node.alive)) else {
        return;
    };
    make_static_pod(world, node, pod.name.clone(), pod.shape);
}

/// A static Pod of a node: it passes the scheduler by.
pub(crate) fn make_static_pod(
    world: &mut World,
    node: NodeId,
    name: Arc<str>,
    shape: super::objects::ShapeId,
) {
    let new = NewPod {
        name,
        shape,
        owner: None,
        ordinal: None,
        only_node: Some(node),
        mirror: true,
        finalizers: Vec::new(),
    };
    if let Some(id) = pods::create(world, new) {
        unqueue(world, id);
        pods::bind(world, id, node);
    }
}

/// Takes a Pod out of the scheduler's hands.
pub(crate) fn unqueue(world: &mut World, id: PodId) {
    let state = &mut world.kube;
    let Some(shape) = state.shape_of(id) else { return };
    let key = (-i64::from(shape.template.spec.priority.unwrap_or_default()), id);
    state.pending.remove(&key);
    state.unschedulable.remove(&key);
}

/// A machine shuts down: its containers are gone at once, and its kubelet says nothing any more. The
/// API learns of it when the node controller has waited long enough.
pub(crate) fn machine_stopped(world: &mut World, instance: &str) {
    let now = world.now();
    world.kube.machines.remove(instance);
    let Some(id) = world.kube.by_instance.get(instance).copied() else { return };
    let Some(node) = world.kube.nodes.get_mut(&id) else { return };
    if node.stopped {
        return;
    }
    node.stopped = true;
    let was_silent = !std::mem::replace(&mut node.alive, false);
    if !was_silent {
        node.silent_since = Some(now);
    }
    let pods: Vec<PodId> = node.pods.iter().copied().collect();
    for pod in pods {
        killed(world, pod, id);
    }
    if was_silent {
        return;
    }
    let grace = world.kube.settings.node_monitor_grace_period;
    world.after(grace, Event::NodeSilent(id).into());
}

/// The containers of a Pod are gone with their machine.
fn killed(world: &mut World, id: PodId, node: NodeId) {
    let now = world.now();
    let state = &mut world.kube;
    let Some(pod) = state.pods.get(&id) else { return };
    if pod.is_finished() || pod.dead {
        return;
    }
    let mirror_or_daemon = pod.mirror || pod.only_node.is_some();
    let running = matches!(pod.stage, Stage::Running);
    if running
        && !mirror_or_daemon
        && let Some(shape) = state.shape(pod.shape)
    {
        let node = state.nodes.get(&node).map(|node| node.name.to_string()).unwrap_or_default();
        let lost = super::observer::LostPod {
            at: now,
            namespace: shape.namespace.to_string(),
            name: pod.name.to_string(),
            node,
            was_terminating: pod.deletion.is_some(),
            budgets: shape.budgets.len(),
        };
        state.observer.lost_pods.push(lost);
    }
    pods::change(world, id, |pod| pod.dead = true);
}

/// Lets a kubelet fall silent without its machine being gone, and speak again (`false`).
pub(crate) fn set_silent(world: &mut World, id: NodeId, silent: bool) {
    let now = world.now();
    let Some(node) = world.kube.nodes.get_mut(&id) else { return };
    if node.stopped || node.alive != silent {
        return;
    }
    node.alive = !silent;
    node.silent_since = silent.then_some(now);
    if silent {
        let grace = world.kube.settings.node_monitor_grace_period;
        world.after(grace, Event::NodeSilent(id).into());
        return;
    }
    speaks(world, id);
}

/// A kubelet says how its node and its Pods are.
fn speaks(world: &mut World, id: NodeId) {
    network(world, id);
    let pods: Vec<PodId> =
        world.kube.nodes.get(&id).map(|node| node.pods.iter().copied().collect()).unwrap_or_default();
    for pod in pods {
        let Some(object) = world.kube.pods.get(&pod) else { continue };
        if object.deletion.is_some() {
            world.after(Duration::from_secs(1), Event::PodEnds(pod).into());
        } else if object.stage == Stage::Running && !object.dead {
            if will_be_ready(world, object) {
                becomes_ready(world, pod);
            }
        } else if object.stage == Stage::Starting {
            // What had begun in silence comes to be known.
            world.after(Duration::from_secs(1), Event::PodRuns(pod).into());
        } else {
            consider(world, pod);
        }
    }
}
