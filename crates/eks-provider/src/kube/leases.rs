//! Leases: who may act now. The only lock that several machines share.

use serde::{Deserialize, Serialize};
use std::time::Duration;

use jiff::Timestamp;

use crate::Result;
use crate::calls::provider;
use crate::kube::ObjectMeta;

/// A Lease. Its annotations may carry the state of a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Lease {
    /// What every object has.
    pub meta: ObjectMeta,
    /// Who holds it; `None` is nobody.
    pub holder_identity: Option<String>,
    /// For how long after its renewal it holds.
    pub lease_duration: Option<Duration>,
    /// When it was taken.
    pub acquire_time: Option<Timestamp>,
    /// When it was last renewed.
    pub renew_time: Option<Timestamp>,
    /// How often it changed hands.
    pub lease_transitions: u32,
}

impl Lease {
    /// Until when it holds: `None` where nobody holds it or it does not say. To be compared with a
    /// clock that may differ from the holder's.
    ///
    /// ```
    /// # use eks_provider::mock::sample;
    /// let mut lease = sample::lease("kube-system", "eks-roll-nodes-1f");
    /// lease.renew_time = Some("2026-11-24T12:00:00Z".parse()?);
    /// lease.lease_duration = Some(std::time::Duration::from_secs(60));
    /// assert_eq!(lease.holds_until(), Some("2026-11-24T12:01:00Z".parse()?));
    /// lease.holder_identity = None;
    /// assert_eq!(lease.holds_until(), None);
    /// # Ok::<(), jiff::Error>(())
    /// ```
    pub fn holds_until(&self) -> Option<Timestamp> {
        self.holder_identity.as_ref().filter(|holder| !holder.is_empty())?;
        self.renew_time?.checked_add(self.lease_duration?).ok()
    }
}

provider! {
    /// Reads Leases.
    #[access(Read)]
    pub trait LeaseReader {
        /// One Lease, as it is now.
        #[rbac(["get"] "coordination.k8s.io" / "leases")]
        async fn get_lease(&self, namespace: &str, name: &str) -> Result<Lease>;

        /// All Leases of a namespace, sorted by name: other runs are among them.
        #[rbac(["list"] "coordination.k8s.io" / "leases")]
        async fn list_leases(&self, namespace: &str) -> Result<Vec<Lease>>;
    }
}

provider! {
    /// Takes, renews and gives up Leases.
    #[access(Write)]
    pub trait LeaseWriter {
        /// Makes one. One that is there already is [`Class::Conflict`](crate::Class::Conflict). uid and
        /// resourceVersion are left to the API server, and are in the answer.
        #[rbac(["create"] "coordination.k8s.io" / "leases")]
        async fn create_lease(&self, lease: &Lease) -> Result<Lease>;

        /// Replaces the one that was read (by uid and resourceVersion), and answers with the new one.
        /// When somebody else was faster it is [`Class::Conflict`](crate::Class::Conflict), and nothing
        /// has changed.
        #[rbac(["update"] "coordination.k8s.io" / "leases")]
        async fn update_lease(&self, lease: &Lease) -> Result<Lease>;

        /// Deletes the one that was read (by uid and resourceVersion).
        #[rbac(["delete"] "coordination.k8s.io" / "leases")]
        async fn delete_lease(&self, lease: &Lease) -> Result<()>;
    }
}
