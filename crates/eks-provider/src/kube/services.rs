//! Services, who answers for them, and namespaces.

use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

use crate::Result;
use crate::calls::provider;
use crate::kube::{ObjectMeta, ObjectRef};

/// A Service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Service {
    /// What every object has.
    pub meta: ObjectMeta,
    /// `ClusterIP`, `NodePort`, `LoadBalancer`, `ExternalName`.
    pub kind: String,
    /// Which Pods answer; empty where somebody else says so.
    pub selector: BTreeMap<String, String>,
    /// Its addresses.
    pub cluster_ips: Vec<String>,
    /// Further addresses, given by hand: deprecated since 1.36.
    pub external_ips: Vec<String>,
    /// `Local` or `Cluster`: with `Local`, a node without a Pod of it fails its health check.
    pub external_traffic_policy: Option<String>,
    /// Its ports.
    pub ports: Vec<ServicePort>,
    /// Where its load balancer answers: names or addresses.
    pub load_balancer_ingress: Vec<String>,
}

/// A port of a Service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ServicePort {
    /// Its name.
    pub name: Option<String>,
    /// `TCP`, `UDP`, `SCTP`.
    pub protocol: String,
    /// Its number.
    pub port: u16,
    /// The port of every node.
    pub node_port: Option<u16>,
}

/// Somebody who answers for a Service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Endpoint {
    /// Its addresses.
    pub addresses: BTreeSet<String>,
    /// Whether traffic goes to it; where nothing is said, it does.
    pub ready: bool,
    /// Whether it can answer, also while it ends.
    pub serving: bool,
    /// Whether it is about to end.
    pub terminating: bool,
    /// Its node.
    pub node_name: Option<String>,
    /// Its zone, by name.
    pub zone: Option<String>,
    /// What it is: a Pod.
    pub target: Option<ObjectRef>,
}

/// A namespace.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Namespace {
    /// What every object has. The uid of `kube-system` tells a cluster from every other one.
    pub meta: ObjectMeta,
    /// Whether it is being deleted.
    pub terminating: bool,
}

provider! {
    /// Reads Services, who answers for them, and namespaces.
    #[access(Read)]
    pub trait ServiceReader {
        /// All Services, sorted by namespace and name.
        #[rbac(["list"] "" / "services")]
        async fn list_services(&self) -> Result<Vec<Service>>;

        /// One Service.
        #[rbac(["get"] "" / "services")]
        async fn get_service(&self, namespace: &str, name: &str) -> Result<Service>;

        /// Who answers for a Service (its EndpointSlices together). One that is not there has nobody.
        #[rbac(["list"] "discovery.k8s.io" / "endpointslices")]
        async fn list_endpoints(&self, namespace: &str, service: &str) -> Result<Vec<Endpoint>>;

        /// All namespaces, sorted by name.
        #[rbac(["list"] "" / "namespaces")]
        async fn list_namespaces(&self) -> Result<Vec<Namespace>>;
    }
}
