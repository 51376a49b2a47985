//! What has changed since when: what watches are made of.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use eks_provider::kube::{Changed, Watched};

/// The last change of each thing that can be watched.
#[derive(Debug, Clone, Default)]
pub(crate) struct ChangeLog {
    nodes: u64,
    pods: u64,
    pods_on_node: BTreeMap<Arc<str>, u64>,
    budgets: u64,
    attachments: u64,
    workloads: BTreeMap<Arc<str>, u64>,
    leases: BTreeMap<String, u64>,
    node_claims: u64,
    /// What came before is forgotten: who asks for it is answered 410.
    forgotten: u64,
}

impl ChangeLog {
    pub(crate) fn node(&mut self, revision: u64) {
        self.nodes = revision;
    }

    pub(crate) fn pod(&mut self, revision: u64, node: Option<&Arc<str>>) {
        self.pods = revision;
        if let Some(node) = node {
            match self.pods_on_node.get_mut(node) {
                Some(last) => *last = revision,
                None => {
                    self.pods_on_node.insert(node.clone(), revision);
                }
            }
        }
    }

    pub(crate) fn budget(&mut self, revision: u64) {
        self.budgets = revision;
    }

    pub(crate) fn attachment(&mut self, revision: u64) {
        self.attachments = revision;
    }

    pub(crate) fn workload(&mut self, revision: u64, namespace: &Arc<str>) {
        match self.workloads.get_mut(namespace) {
            Some(last) => *last = revision,
            None => {
                self.workloads.insert(namespace.clone(), revision);
            }
        }
    }

    pub(crate) fn lease(&mut self, revision: u64, namespace: &str) {
        self.leases.insert(namespace.to_owned(), revision);
    }

    pub(crate) fn node_claim(&mut self, revision: u64) {
        self.node_claims = revision;
    }

    /// Forgets what was before this: as the API server does after some minutes, or when it starts.
    pub(crate) fn forget(&mut self, revision: u64) {
        self.forgotten = revision;
    }

    fn last(&self, watched: &Watched) -> u64 {
        match watched {
            Watched::Nodes => self.nodes,
            Watched::PodsOnNode(node) => self.pods_on_node.get(node.as_str()).copied().unwrap_or_default(),
            Watched::Pods => self.pods,
            Watched::Budgets => self.budgets,
            Watched::VolumeAttachments => self.attachments,
            Watched::Workloads(namespace) => {
                self.workloads.get(namespace.as_str()).copied().unwrap_or_default()
            }
            Watched::Leases(namespace) => self.leases.get(namespace).copied().unwrap_or_default(),
            Watched::NodeClaims => self.node_claims,
        }
    }

    /// What of these has changed since a revision; `None` for nothing.
    pub(crate) fn since(&self, watched: &BTreeSet<Watched>, revision: u64) -> Option<Changed> {
        if revision < self.forgotten {
            return Some(Changed::Unknown);
        }
        let changed: BTreeSet<Watched> =
            watched.iter().filter(|watched| self.last(watched) > revision).cloned().collect();
        (!changed.is_empty()).then_some(Changed::Some(changed))
    }
}
