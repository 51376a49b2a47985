//! Custom resources that an upgrade must know: Karpenter's and EKS Auto Mode's, and those of the AWS Load
//! Balancer Controller.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

use crate::Result;
use crate::calls::provider;
use crate::kube::{Condition, NamespacedName, ObjectMeta, Requirement, Resources, Taint};

/// The class that nodes of a pool are of.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct NodeClassRef {
    /// `karpenter.k8s.aws`, or `eks.amazonaws.com` (Auto Mode).
    pub group: String,
    /// `EC2NodeClass`, or `NodeClass` (Auto Mode).
    pub kind: String,
    /// Its name.
    pub name: String,
}

/// A NodePool of Karpenter or EKS Auto Mode.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct NodePool {
    /// What every object has.
    pub meta: ObjectMeta,
    /// The class of its nodes.
    pub node_class: NodeClassRef,
    /// Which pool is asked first.
    pub weight: Option<u32>,
    /// Labels that its nodes get.
    pub labels: BTreeMap<String, String>,
    /// Taints that its nodes get.
    pub taints: Vec<Taint>,
    /// Taints that its nodes start with.
    pub startup_taints: Vec<Taint>,
    /// What its nodes must be: instance types, zones.
    pub requirements: Vec<Requirement>,
    /// How much there may be of it all.
    pub limits: Resources,
    /// How old a node may get, as it is written: `720h`, `Never`.
    pub expire_after: Option<String>,
    /// How long a drain may take, as it is written.
    pub termination_grace_period: Option<String>,
    /// `WhenEmpty`, `WhenEmptyOrUnderutilized`.
    pub consolidation_policy: Option<String>,
    /// How many nodes may be replaced at a time.
    pub budgets: Vec<NodePoolBudget>,
    /// Its conditions.
    pub conditions: Vec<Condition>,
}

/// How many nodes of a pool may be replaced at a time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct NodePoolBudget {
    /// A number or a percentage, as it is written. `0` stops it.
    pub nodes: String,
    /// For which reasons: `Drifted`, `Empty`, `Underutilized`; empty is all.
    pub reasons: Vec<String>,
    /// From when on, in cron's words; `None` is always.
    pub schedule: Option<String>,
    /// For how long, as it is written.
    pub duration: Option<String>,
}

/// A NodeClaim: a node that Karpenter or EKS Auto Mode has asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct NodeClaim {
    /// What every object has.
    pub meta: ObjectMeta,
    /// Its pool (label `karpenter.sh/nodepool`).
    pub node_pool: Option<String>,
    /// Its class.
    pub node_class: NodeClassRef,
    /// Its node, when it has come.
    pub node_name: Option<String>,
    /// Its instance: `aws:///eu-west-1a/i-0a1`.
    pub provider_id: Option<String>,
    /// Its image.
    pub image_id: Option<String>,
    /// Its conditions: `Ready`, `Drifted`, `Expired`, `DisruptionReason`, …
    pub conditions: Vec<Condition>,
}

/// A class of nodes: what they start from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct NodeClass {
    /// What it is and is called.
    pub class: NodeClassRef,
    /// What every object has.
    pub meta: ObjectMeta,
    /// `AL2023`, `Bottlerocket`, `Custom`; `None` where the image selectors say, and for Auto Mode.
    pub ami_family: Option<String>,
    /// Which images: an alias (`al2023@latest`), an id, a name, tags. Auto Mode has none.
    pub ami_selectors: Vec<AmiSelector>,
    /// The images that are meant now, as (id, name).
    pub amis: Vec<(String, String)>,
    /// The role of its nodes.
    pub role: Option<String>,
    /// The instance profile of its nodes.
    pub instance_profile: Option<String>,
    /// Its conditions.
    pub conditions: Vec<Condition>,
}

/// Which images a class means.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AmiSelector {
    /// `al2023@latest`, `bottlerocket@v1.42.0`: pinned, it does not follow the control plane's releases.
    pub alias: Option<String>,
    /// An image.
    pub id: Option<String>,
    /// A name; may have `*`.
    pub name: Option<String>,
    /// The owner.
    pub owner: Option<String>,
    /// A parameter of SSM.
    pub ssm_parameter: Option<String>,
    /// Tags.
    pub tags: BTreeMap<String, String>,
}

/// A TargetGroupBinding of the AWS Load Balancer Controller: which target group the Pods or nodes of a
/// Service are in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TargetGroupBinding {
    /// What every object has.
    pub meta: ObjectMeta,
    /// The target group.
    pub target_group_arn: Option<String>,
    /// `instance` (nodes) or `ip` (Pods).
    pub target_type: Option<String>,
    /// The Service.
    pub service: NamespacedName,
}

provider! {
    /// Reads custom resources. `None` where the API server does not serve the kind: it is not
    /// installed. Lists are sorted by namespace and name.
    #[access(Read)]
    pub trait CustomResourceReader {
        /// All NodePools.
        #[rbac(["list"] "karpenter.sh" / "nodepools")]
        async fn list_node_pools(&self) -> Result<Option<Vec<NodePool>>>;

        /// All NodeClaims.
        #[rbac(["list"] "karpenter.sh" / "nodeclaims")]
        async fn list_node_claims(&self) -> Result<Option<Vec<NodeClaim>>>;

        /// All classes of nodes, Karpenter's and Auto Mode's.
        #[rbac(["list"] "karpenter.k8s.aws" / "ec2nodeclasses", ["list"] "eks.amazonaws.com" / "nodeclasses")]
        async fn list_node_classes(&self) -> Result<Option<Vec<NodeClass>>>;

        /// All TargetGroupBindings, of the AWS Load Balancer Controller and of Auto Mode.
        #[rbac(
            ["list"] "elbv2.k8s.aws" / "targetgroupbindings",
            ["list"] "eks.amazonaws.com" / "targetgroupbindings" if "the cluster is in Auto Mode",
        )]
        async fn list_target_group_bindings(&self) -> Result<Option<Vec<TargetGroupBinding>>>;
    }
}
