//! A real control plane that follows the simulated AWS: instances join it as nodes, and when EKS upgrades the control
//! plane, its API server is restarted at that version.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use anyhow::Context;
use eks_cluster::{Cluster, NodeSpec, Options, PodLife, Programs, is_ready};
use eks_model::KubeMinor;
use eks_sim::{Machine, MachineFault, Order};
use jiff::Timestamp;

/// How long a machine boots until its kubelet registers, in the time of the world.
const BOOT: Duration = Duration::from_secs(30);
/// How long pods take for a step of their start, and for their end.
const POD: Duration = Duration::from_millis(300);

/// The control plane, and which instance is which node.
#[derive(Debug)]
pub(crate) struct Kubernetes {
    pub(crate) cluster: Cluster,
    /// Machines that boot: since when.
    booting: BTreeMap<String, (Timestamp, Machine)>,
    /// By instance, the name of its node.
    nodes: BTreeMap<String, String>,
}

impl Kubernetes {
    /// Starts one at a version. Whose a token is, it asks at `authenticator`.
    pub(crate) async fn start(
        minor: KubeMinor,
        authenticator: &str,
        say: &mut dyn FnMut(&str),
    ) -> anyhow::Result<Self> {
        Programs::build(say)?;
        let options =
            Options::at(minor).pods(PodLife::Slow { step: POD, end: POD }).token_webhook(authenticator);
        let cluster = Cluster::start(options).await?;
        Ok(Self { cluster, booting: BTreeMap::new(), nodes: BTreeMap::new() })
    }

    /// Follows what AWS has done; for evictions, what is left on the node.
    pub(crate) async fn follow(&mut self, order: Order) -> anyhow::Result<Option<(String, Vec<String>)>> {
        match order {
            Order::Starts { at, machine } => {
                if machine.fault != Some(MachineFault::NeverJoins) {
                    self.booting.insert(machine.instance_id.clone(), (at, *machine));
                }
            }
            Order::Stops(instance) => {
                self.booting.remove(&instance);
                if let Some(node) = self.nodes.get(&instance) {
                    // Somebody may have deleted the node already.
                    drop(self.cluster.stop_kubelet(node).await);
                }
            }
            Order::Gone(instance) => {
                self.booting.remove(&instance);
                if let Some(node) = self.nodes.remove(&instance) {
                    drop(self.cluster.delete_node(&node).await);
                }
            }
            // It goes away when it comes back: until then the old one serves, as it does with several.
            Order::Away => {}
            Order::Serves(minor) if minor == self.cluster.minor() => {}
            Order::Serves(minor) if minor < self.cluster.minor() => self.cluster.roll_back_to(minor).await?,
            Order::Serves(minor) => self.cluster.upgrade_to(minor).await?,
            Order::SetAside { instance, aside } => {
                if let Some(node) = self.nodes.get(&instance) {
                    self.cluster.set_aside(node, aside).await?;
                }
            }
            Order::Evict(instance) => {
                let left = match self.nodes.get(&instance) {
                    Some(node) => self.cluster.evict_pods_of(node).await?,
                    None => Vec::new(),
                };
                return Ok(Some((instance, left)));
            }
        }
        Ok(None)
    }

    /// Lets the kubelets register whose machines have booted.
    pub(crate) async fn register(&mut self, now: Timestamp) -> anyhow::Result<()> {
        let booted = |since: &Timestamp| now.duration_since(*since).unsigned_abs() >= BOOT;
        let due: Vec<String> =
            self.booting.iter().filter(|(_, (since, _))| booted(since)).map(|(id, _)| id.clone()).collect();
        for id in due {
            let Some((_, machine)) = self.booting.remove(&id) else { continue };
            let node = node_of(&machine);
            self.cluster
                .add_node(&node)
                .await
                .with_context(|| format!("instance {id} cannot join the cluster"))?;
            self.nodes.insert(id, machine.node_name);
        }
        Ok(())
    }

    /// The instances whose nodes are ready.
    pub(crate) async fn ready(&self) -> anyhow::Result<BTreeSet<String>> {
        let nodes = self.cluster.nodes().await?;
        let ready = nodes.iter().filter(|node| is_ready(node));
        let ids = ready.filter_map(|node| {
            let id = node.spec.as_ref()?.provider_id.as_deref()?;
            Some(id.rsplit('/').next()?.to_owned())
        });
        Ok(ids.collect())
    }
}

fn node_of(machine: &Machine) -> NodeSpec {
    let mut node = NodeSpec::new(&machine.node_name)
        .zone(&machine.zone)
        .region(&machine.region)
        .instance(&machine.instance_id, &machine.instance_type)
        .kubelet(&machine.kubelet_version())
        .capacity(
            &format!("{}m", machine.cpu_milli),
            &machine.memory.to_string(),
            u32::try_from(machine.pods).unwrap_or(u32::MAX),
        );
    for (key, value) in &machine.labels {
        node = node.label(key, value);
    }
    for taint in machine.parsed_taints() {
        node = node.taint(&taint.key, &taint.value.unwrap_or_default(), taint.effect.as_str());
    }
    if matches!(machine.fault, Some(MachineFault::NeverReady | MachineFault::NetworkDown)) {
        node = node.never_ready();
    }
    node
}
