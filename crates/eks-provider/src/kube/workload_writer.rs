//! Changes of workloads: another image, a fresh start, another number.

use jiff::Timestamp;

use crate::Result;
use crate::calls::provider;
use crate::kube::{Workload, WorkloadRef};

/// Another image for a container of a Deployment, DaemonSet or StatefulSet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SetImage {
    /// The workload.
    pub workload: WorkloadRef,
    /// The uid that it must have.
    pub uid: String,
    /// The container; init containers are found too.
    pub container: String,
    /// The image that it must have now. Another one is [`Class::Conflict`](crate::Class::Conflict):
    /// somebody else changed it.
    pub from: String,
    /// The image that it gets.
    pub to: String,
}

/// A fresh start for the Pods of a Deployment, DaemonSet or StatefulSet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RestartWorkload {
    /// The workload.
    pub workload: WorkloadRef,
    /// The uid that it must have.
    pub uid: String,
    /// What the annotation `kubectl.kubernetes.io/restartedAt` of the template is set to. The same
    /// moment a second time changes nothing, so the call is safe to repeat.
    pub at: Timestamp,
}

/// Another number of Pods for a Deployment, StatefulSet or ReplicaSet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScaleWorkload {
    /// The workload.
    pub workload: WorkloadRef,
    /// The uid that it must have.
    pub uid: String,
    /// The number that it must have now. Another one is [`Class::Conflict`](crate::Class::Conflict).
    pub from: u32,
    /// The number that it gets.
    pub to: u32,
}

provider! {
    /// Changes workloads. Nothing is replaced as a whole; what others have set stays.
    #[access(Write)]
    pub trait WorkloadWriter {
        /// Gives a container another image, and answers with the workload after it.
        #[rbac(
            ["patch"] "apps" / "deployments" if "it is a Deployment",
            ["patch"] "apps" / "daemonsets" if "it is a DaemonSet",
            ["patch"] "apps" / "statefulsets" if "it is a StatefulSet",
        )]
        async fn set_image(&self, request: &SetImage) -> Result<Workload>;

        /// Starts all Pods afresh, by the workload's own strategy.
        #[rbac(
            ["patch"] "apps" / "deployments" if "it is a Deployment",
            ["patch"] "apps" / "daemonsets" if "it is a DaemonSet",
            ["patch"] "apps" / "statefulsets" if "it is a StatefulSet",
        )]
        async fn restart_workload(&self, request: &RestartWorkload) -> Result<Workload>;

        /// Sets the number of Pods.
        #[rbac(
            ["get", "patch"] "apps" / "deployments/scale" if "it is a Deployment",
            ["get", "patch"] "apps" / "statefulsets/scale" if "it is a StatefulSet",
            ["get", "patch"] "apps" / "replicasets/scale" if "it is a ReplicaSet",
        )]
        async fn scale_workload(&self, request: &ScaleWorkload) -> Result<()>;
    }
}
