//! Waiting for change, instead of asking again and again.

use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

use jiff::Timestamp;

use crate::Result;
use crate::calls::provider;

/// What is watched.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Watched {
    /// All nodes.
    Nodes,
    /// The Pods on this node.
    PodsOnNode(String),
    /// All Pods: for a cluster of 150,000 there is one watch, whoever waits.
    Pods,
    /// All budgets.
    Budgets,
    /// All attachments of volumes.
    VolumeAttachments,
    /// The Deployments, ReplicaSets, StatefulSets, DaemonSets and Jobs of this namespace.
    Workloads(String),
    /// The Leases of this namespace.
    Leases(String),
    /// All NodeClaims; never changes where there are none.
    NodeClaims,
}

/// A moment in the history of what is watched. Opaque; good only with the same set of things, and only
/// where it comes from.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Cursor(String);

impl Cursor {
    /// Made by whoever implements [`ChangeReader`].
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// What whoever implements [`ChangeReader`] made it of.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// What has happened since a moment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Changes {
    /// The moment up to which this goes: where to wait from next.
    pub cursor: Cursor,
    /// What has changed.
    pub changed: Changed,
}

/// What has changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Changed {
    /// Nothing, until the deadline.
    Nothing,
    /// Something in these. What exactly is read anew: one decides by how things are, not by what was heard.
    Some(BTreeSet<Watched>),
    /// Perhaps everything: the history does not reach back so far (410), or the connection was lost.
    Unknown,
}

provider! {
    /// Waits for change. The adapter watches, and the simulated world goes on to its next event; so
    /// nothing is asked for again and again, and nothing that happens between reading and waiting is
    /// missed:
    ///
    /// 1. take a cursor ([`ChangeReader::cursor`]);
    /// 2. read, and decide;
    /// 3. wait for change since the cursor ([`ChangeReader::changed`]), then go on with 2 and the new cursor.
    ///
    /// AWS has no such thing: there one sleeps ([`Clock`](crate::Clock)) and asks again. The deadline
    /// of the wait is then the moment of the next question.
    #[access(Read)]
    pub trait ChangeReader {
        /// The present moment in the history of what is watched.
        #[rbac(
            ["list", "watch"] "" / "nodes" if "nodes are watched",
            ["list", "watch"] "" / "pods" if "Pods are watched",
            ["list", "watch"] "policy" / "poddisruptionbudgets" if "budgets are watched",
            ["list", "watch"] "storage.k8s.io" / "volumeattachments" if "attachments are watched",
            ["list", "watch"] "apps" / "deployments" if "workloads are watched",
            ["list", "watch"] "apps" / "replicasets" if "workloads are watched",
            ["list", "watch"] "apps" / "statefulsets" if "workloads are watched",
            ["list", "watch"] "apps" / "daemonsets" if "workloads are watched",
            ["list", "watch"] "batch" / "jobs" if "workloads are watched",
            ["list", "watch"] "coordination.k8s.io" / "leases" if "Leases are watched",
            ["list", "watch"] "karpenter.sh" / "nodeclaims" if "NodeClaims are watched",
        )]
        async fn cursor(&self, watched: &BTreeSet<Watched>) -> Result<Cursor>;

        /// Waits until something has changed since a moment, or until the deadline. Several changes
        /// that come together may be answered as one. Comes back at once when something has changed
        /// already. While the API server is out of reach it waits on; at the deadline that is an error
        /// ([`Class::Transport`](crate::Class::Transport)), not "nothing".
        #[rbac(
            ["watch"] "" / "nodes" if "nodes are watched",
            ["watch"] "" / "pods" if "Pods are watched",
            ["watch"] "policy" / "poddisruptionbudgets" if "budgets are watched",
            ["watch"] "storage.k8s.io" / "volumeattachments" if "attachments are watched",
            ["watch"] "apps" / "deployments" if "workloads are watched",
            ["watch"] "apps" / "replicasets" if "workloads are watched",
            ["watch"] "apps" / "statefulsets" if "workloads are watched",
            ["watch"] "apps" / "daemonsets" if "workloads are watched",
            ["watch"] "batch" / "jobs" if "workloads are watched",
            ["watch"] "coordination.k8s.io" / "leases" if "Leases are watched",
            ["watch"] "karpenter.sh" / "nodeclaims" if "NodeClaims are watched",
        )]
        async fn changed(
            &self,
            watched: &BTreeSet<Watched>,
            since: &Cursor,
            deadline: Timestamp,
        ) -> Result<Changes>;
    }
}
