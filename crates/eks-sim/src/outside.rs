//! Kubernetes that is played by somebody else: a real API server beside the simulated AWS.
//!
//! What AWS does to the cluster then does not happen in the simulated half: it is handed out as an [`Order`],
//! and what EKS sees of nodes and Pods is what was last reported.

use std::collections::{BTreeMap, BTreeSet};

use eks_model::KubeMinor;
use jiff::Timestamp;

use crate::World;
use crate::bridge::Machine;

/// What AWS has done that a cluster outside has to follow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Order {
    /// An instance runs: its kubelet joins when it has booted.
    Starts {
        /// Since when it runs.
        at: Timestamp,
        /// The instance.
        machine: Box<Machine>,
    },
    /// An instance shuts down: its kubelet falls silent.
    Stops(String),
    /// An instance is no more: its node is removed.
    Gone(String),
    /// The API server goes away, to come back at another version.
    Away,
    /// The API server is there, at this version.
    Serves(KubeMinor),
    /// EKS keeps Pods and load balancers off the node of an instance, or lets them come again.
    SetAside {
        /// The instance.
        instance: String,
        /// Keep off, or let come.
        aside: bool,
    },
    /// EKS evicts the Pods of the node of an instance, once each.
    Evict(String),
}

/// A cluster outside, as far as it is known.
#[derive(Debug, Default)]
pub(crate) struct Outside {
    cluster: String,
    orders: Vec<Order>,
    ready: BTreeSet<String>,
    /// By instance: the Pods that its node still has to give up.
    left: BTreeMap<String, Vec<String>>,
}

impl Outside {
    pub(crate) fn order(&mut self, order: Order) {
        // EKS asks again and again: once until somebody has looked is enough.
        if !self.orders.contains(&order) {
            self.orders.push(order);
        }
    }

    pub(crate) fn is_of(&self, cluster: &str) -> bool {
        self.cluster == cluster
    }

    pub(crate) fn node_ready(&self, instance: &str) -> bool {
        self.ready.contains(instance)
    }

    /// What is left on a node. Until somebody has looked nobody knows, and that is not nothing.
    pub(crate) fn left_on(&self, instance: &str) -> Vec<String> {
        self.left.get(instance).cloned().unwrap_or_else(|| vec!["(not looked yet)".to_owned()])
    }
}

impl World {
    /// From now on the cluster of that name is played outside, behind this address and certificate (PEM). Instances
    /// that run join it; the first orders are theirs.
    pub fn play_outside(&mut self, cluster: &str, endpoint: &str, ca_pem: &str) {
        use base64::Engine as _;
        let now = self.now();
        let mut outside = Outside { cluster: cluster.to_owned(), ..Outside::default() };
        for machine in crate::aws::ec2::instances::running_machines(self, cluster) {
            outside.order(Order::Starts { at: now, machine: Box::new(machine) });
        }
        self.outside = Some(outside);
        if let Some(state) = self.aws.eks.clusters.get_mut(cluster) {
            let data = base64::engine::general_purpose::STANDARD.encode(ca_pem);
            state.cluster.endpoint = Some(endpoint.to_owned());
            for authority in state.authorities.values_mut() {
                authority.data = Some(data.clone());
            }
            state.cluster.certificate_authority = Some(data);
        }
    }

    /// What has to be done outside, the first thing first; each is handed out once.
    pub fn take_orders(&mut self) -> Vec<Order> {
        self.outside.as_mut().map(|outside| std::mem::take(&mut outside.orders)).unwrap_or_default()
    }

    /// The instances whose nodes are ready outside.
    pub fn report_ready(&mut self, instances: BTreeSet<String>) {
        if let Some(outside) = &mut self.outside {
            outside.ready = instances;
        }
    }

    /// The Pods that are left on the node of an instance, as `namespace/name`, after an eviction of each.
    pub fn report_left(&mut self, instance: &str, pods: Vec<String>) {
        if let Some(outside) = &mut self.outside {
            outside.left.insert(instance.to_owned(), pods);
        }
    }
}
