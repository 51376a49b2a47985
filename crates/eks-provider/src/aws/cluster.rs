//! Clusters: the control plane and what it is set up with.

use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use eks_model::{KubeMinor, SupportType};
use jiff::Timestamp;

use crate::aws::{Issue, Update};
use crate::calls::provider;
use crate::text::words;
use crate::{Result, Token, Written};

words! {
    /// What state a cluster is in. Eventually consistent: it may still say `ACTIVE` for a while after
    /// an update was taken.
    pub enum ClusterStatus {
        /// Being made.
        Creating = "CREATING",
        /// At rest.
        Active = "ACTIVE",
        /// Being deleted.
        Deleting = "DELETING",
        /// Could not be made, or broke.
        Failed = "FAILED",
        /// An update is under way.
        Updating = "UPDATING",
        /// Registered and not yet connected, or waiting.
        Pending = "PENDING",
    }
}

words! {
    /// How callers are known to the cluster.
    pub enum AuthenticationMode {
        /// By access entries only.
        Api = "API",
        /// By access entries and the ConfigMap `aws-auth`.
        ApiAndConfigMap = "API_AND_CONFIG_MAP",
        /// By the ConfigMap `aws-auth` only.
        ConfigMap = "CONFIG_MAP",
    }
}

words! {
    /// How the control plane reaches out.
    pub enum EgressMode {
        /// Through AWS.
        AwsManaged = "AWS_MANAGED",
        /// Through the cluster's VPC.
        CustomerRouted = "CUSTOMER_ROUTED",
        /// Through the cluster's VPC, without a way out of it.
        CustomerIsolated = "CUSTOMER_ISOLATED",
    }
}

/// A cluster, as DescribeCluster has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Cluster {
    /// Its name, unique in its account and region.
    pub name: String,
    /// Its ARN.
    pub arn: String,
    /// When it was made.
    pub created_at: Option<Timestamp>,
    /// The version of its control plane.
    pub version: KubeMinor,
    /// EKS's own release within the minor: `eks.12`.
    pub platform_version: Option<String>,
    /// Its state.
    pub status: ClusterStatus,
    /// Where its API server answers; `None` until it is made.
    pub endpoint: Option<String>,
    /// The certificate authority of its API server: PEM, base64.
    pub certificate_authority: Option<String>,
    /// The role that EKS works with.
    pub role_arn: Option<String>,
    /// Its VPC, subnets and security groups.
    pub vpc: ClusterVpc,
    /// The addresses of Services; IPv4 or IPv6.
    pub service_cidrs: Vec<String>,
    /// `ipv4` or `ipv6`.
    pub ip_family: Option<String>,
    /// The issuer of service account tokens, for roles of Pods.
    pub oidc_issuer: Option<String>,
    /// How callers are known.
    pub authentication_mode: Option<AuthenticationMode>,
    /// What EKS does at the end of standard support.
    pub support_type: Option<Written<SupportType>>,
    /// Whether it is protected from deletion.
    pub deletion_protection: Option<bool>,
    /// Whether ARC may shift traffic away from a zone.
    pub zonal_shift: Option<bool>,
    /// What EKS Auto Mode does for it; `None` where it has never been set.
    pub auto_mode: Option<AutoMode>,
    /// The networks of hybrid nodes and their Pods; empty where there are none.
    pub remote_node_cidrs: Vec<String>,
    /// The networks of Pods on hybrid nodes.
    pub remote_pod_cidrs: Vec<String>,
    /// `standard`, `tier-xl`, …: the size of the control plane.
    pub control_plane_tier: Option<String>,
    /// The KMS keys that Secrets are encrypted with.
    pub encryption_key_arns: Vec<String>,
    /// Logs of the control plane that are kept: `api`, `audit`, …
    pub logging: BTreeSet<String>,
    /// The Outposts that it runs on; empty in a region.
    pub outpost_arns: Vec<String>,
    /// Who runs it, when it is not EKS but only registered with it: `EKS_ANYWHERE`.
    pub connector_provider: Option<String>,
    /// What EKS finds wrong with it.
    pub health: Vec<Issue>,
    /// Its tags.
    pub tags: BTreeMap<String, String>,
}

/// The network of a control plane.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ClusterVpc {
    /// The VPC.
    pub vpc_id: Option<String>,
    /// Where EKS puts its network interfaces: an update needs up to five free addresses there.
    pub subnet_ids: BTreeSet<String>,
    /// The security groups that the cluster was made with.
    pub security_group_ids: BTreeSet<String>,
    /// The security group that EKS made.
    pub cluster_security_group_id: Option<String>,
    /// Whether the endpoint answers to the internet.
    pub endpoint_public_access: bool,
    /// Whether the endpoint answers within the VPC.
    pub endpoint_private_access: bool,
    /// From where it answers to the internet.
    pub public_access_cidrs: BTreeSet<String>,
    /// How the control plane reaches out.
    pub egress_mode: Option<EgressMode>,
}

/// What EKS Auto Mode does.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AutoMode {
    /// Whether EKS makes and replaces nodes.
    pub compute: bool,
    /// The built-in node pools that are on: `general-purpose`, `system`.
    pub node_pools: BTreeSet<String>,
    /// The role of its nodes.
    pub node_role_arn: Option<String>,
    /// Whether EKS attaches EBS volumes.
    pub block_storage: bool,
    /// Whether EKS runs load balancers.
    pub load_balancing: bool,
}

/// What UpdateClusterVersion is asked for. A version below the present one is a rollback.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UpdateClusterVersion {
    /// The cluster.
    pub cluster: String,
    /// The minor to go to: the next one, or the one before.
    pub version: KubeMinor,
    /// Go on in spite of readiness insights that block. Never set by default.
    pub force: bool,
    /// For a rollback with Auto Mode: how long its nodes may take. EKS takes 120 to 10,080 minutes,
    /// 720 where nothing is said.
    pub rollback_timeout: Option<Duration>,
    /// Makes the call safe to repeat.
    pub token: Token,
}

/// What UpdateClusterConfig is asked for: EKS takes one kind of change a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UpdateClusterConfig {
    /// The cluster.
    pub cluster: String,
    /// The change.
    pub change: ClusterConfigChange,
    /// Makes the call safe to repeat.
    pub token: Token,
}

/// A change of a cluster's settings that an upgrade has reason to make.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ClusterConfigChange {
    /// What EKS does at the end of standard support. A rollback to a minor in extended support
    /// needs [`SupportType::Extended`] first.
    UpgradePolicy(SupportType),
    /// Protection from deletion.
    DeletionProtection(bool),
    /// Whether ARC may shift traffic away from a zone.
    ZonalShift(bool),
    /// Where EKS puts its network interfaces (when the subnets have no free addresses).
    Subnets(BTreeSet<String>),
    /// The size of the control plane: `standard`, `tier-xl`, …
    ControlPlaneTier(String),
}

/// Which update is to be cancelled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CancelUpdate {
    /// The cluster.
    pub cluster: String,
    /// The id of the update.
    pub update_id: String,
    /// Makes the call safe to repeat.
    pub token: Token,
}

/// Reads a cluster's upgrade policy as the service writes it.
///
/// ```
/// use eks_provider::aws::support_type;
/// assert_eq!(support_type("EXTENDED").value(), Some(&eks_model::SupportType::Extended));
/// assert_eq!(support_type("FOREVER").value(), None);
/// ```
pub fn support_type(text: &str) -> Written<SupportType> {
    Written::of(text)
}

provider! {
    /// Reads clusters.
    #[access(Read)]
    pub trait ClusterReader {
        /// The names of all clusters of the account in this region, sorted.
        #[iam("eks:ListClusters")]
        async fn list_clusters(&self) -> Result<Vec<String>>;

        /// One cluster. A version that cannot be read is [`Class::Malformed`](crate::Class::Malformed).
        #[iam("eks:DescribeCluster")]
        async fn describe_cluster(&self, cluster: &str) -> Result<Cluster>;
    }
}

provider! {
    /// Changes clusters.
    #[access(Write)]
    pub trait ClusterWriter {
        /// Starts an update of the control plane to another minor. Another update under way is
        /// [`Class::InProgress`](crate::Class::InProgress); blocking readiness insights are
        /// [`Class::Conflict`](crate::Class::Conflict) with the code `InvalidStateException`.
        #[iam("eks:UpdateClusterVersion")]
        async fn update_cluster_version(&self, request: &UpdateClusterVersion) -> Result<Update>;

        /// Starts a change of one setting.
        #[iam("eks:UpdateClusterConfig")]
        async fn update_cluster_config(&self, request: &UpdateClusterConfig) -> Result<Update>;

        /// Asks to cancel an update. Best effort: EKS can do so for a `VersionRollback` of an Auto
        /// Mode cluster while its nodes are rolled back, and for nothing else.
        #[iam("eks:CancelUpdate")]
        async fn cancel_update(&self, request: &CancelUpdate) -> Result<Update>;
    }
}
