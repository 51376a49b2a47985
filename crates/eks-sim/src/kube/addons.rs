//! What EKS's add-ons bring into the cluster: their DaemonSets and Deployments, with the budgets that they have.
//!
//! Names and namespaces: <https://docs.aws.amazon.com/eks/latest/userguide/workloads-add-ons-available-eks.html>
//! (2026-11). Replicas, requests and budgets are near those of the manifests that EKS installs, and no more than
//! near: what counts is that these Pods take room on nodes, are evicted, and are rolled. What a person has configured
//! is not read.

use std::collections::BTreeMap;

use eks_provider::kube::{IntOrPercent, WorkloadKind, WorkloadRef};

use super::scenario::{
    BudgetPart, Number, OperatorWord, QuantityText, TolerationPart, WorkloadPart, WorkloadWord,
};
use super::{budgets, workloads};
use crate::World;

/// A workload of an add-on.
struct Brings {
    addon: &'static str,
    kind: WorkloadWord,
    namespace: &'static str,
    name: &'static str,
    replicas: u32,
    cpu_milli: i128,
    memory_mib: i128,
    /// Whether its Pods use the network of the node, and so run before there is a Pod network.
    host_network: bool,
    /// Whether one Pod at a time may be out (`maxUnavailable: 1`).
    budget: bool,
}

const fn daemons(addon: &'static str, name: &'static str, cpu_milli: i128) -> Brings {
    let (kind, namespace) = (WorkloadWord::DaemonSet, "kube-system");
    Brings {
        addon,
        kind,
        namespace,
        name,
        replicas: 1,
        cpu_milli,
        memory_mib: 0,
        host_network: false,
        budget: false,
    }
}

const fn two(
    addon: &'static str,
    name: &'static str,
    cpu_milli: i128,
    memory_mib: i128,
    budget: bool,
) -> Brings {
    let (kind, namespace) = (WorkloadWord::Deployment, "kube-system");
    Brings { addon, kind, namespace, name, replicas: 2, cpu_milli, memory_mib, host_network: false, budget }
}

const BROUGHT: [Brings; 13] = [
    Brings { host_network: true, ..daemons("vpc-cni", "aws-node", 50) },
    Brings { host_network: true, ..daemons("kube-proxy", "kube-proxy", 100) },
    two("coredns", "coredns", 100, 70, true),
    daemons("aws-ebs-csi-driver", "ebs-csi-node", 30),
    two("aws-ebs-csi-driver", "ebs-csi-controller", 60, 240, true),
    daemons("aws-efs-csi-driver", "efs-csi-node", 30),
    two("aws-efs-csi-driver", "efs-csi-controller", 30, 120, false),
    daemons("aws-mountpoint-s3-csi-driver", "s3-csi-node", 30),
    Brings { host_network: true, ..daemons("eks-pod-identity-agent", "eks-pod-identity-agent", 0) },
    Brings { host_network: true, ..daemons("eks-node-monitoring-agent", "eks-node-monitoring-agent", 10) },
    Brings { namespace: "amazon-guardduty", ..daemons("aws-guardduty-agent", "aws-guardduty-agent", 200) },
    two("metrics-server", "metrics-server", 100, 200, true),
    two("snapshot-controller", "snapshot-controller", 0, 0, true),
];

/// The add-ons without which no node of an EKS cluster is ready.
pub const CORE_ADDONS: [&str; 3] = ["vpc-cni", "coredns", "kube-proxy"];

fn image(brings: &Brings, version: &str) -> String {
    format!("602401143452.dkr.ecr.us-west-2.amazonaws.com/eks/{}:{version}", brings.name)
}

fn part(brings: &Brings, version: &str) -> WorkloadPart {
    let daemon = brings.kind == WorkloadWord::DaemonSet;
    let exists = TolerationPart { operator: Some(OperatorWord::Exists), ..TolerationPart::default() };
    WorkloadPart {
        replicas: (!daemon).then_some(brings.replicas),
        cpu: QuantityText::milli(brings.cpu_milli),
        memory: QuantityText::milli(brings.memory_mib * (1 << 20) * 1000),
        image: Some(image(brings, version)),
        host_network: brings.host_network,
        priority: Some(if daemon { 2_000_001_000 } else { 2_000_000_000 }),
        ends_after_seconds: Some(1),
        ready_after_seconds: Some(5),
        tolerations: if daemon { vec![exists] } else { Vec::new() },
        ..WorkloadPart::new(brings.kind, brings.namespace, brings.name)
    }
}

fn reference(brings: &Brings) -> WorkloadRef {
    WorkloadRef {
        kind: brings.kind.workload().unwrap_or(WorkloadKind::Deployment),
        namespace: brings.namespace.to_owned(),
        name: brings.name.to_owned(),
    }
}

fn brought(addon: &str) -> impl Iterator<Item = &'static Brings> {
    BROUGHT.iter().filter(move |brings| brings.addon == addon)
}

/// Installs an add-on, or another version of it: then its workloads are rolled. An add-on of which nothing is known
/// brings nothing.
pub fn install_addon(world: &mut World, addon: &str, version: &str) {
    for brings in brought(addon) {
        if let Some(id) = world.kube.workload_named(&reference(brings)) {
            workloads::change_template(world, id, |template| {
                for container in &mut template.spec.containers {
                    container.image = image(brings, version);
                }
            });
            continue;
        }
        // Its name is free: that was asked above.
        let _added = part(brings, version).add(world);
        if brings.budget {
            let budget = BudgetPart {
                namespace: brings.namespace.to_owned(),
                name: brings.name.to_owned(),
                match_labels: BTreeMap::from([("app".to_owned(), brings.name.to_owned())]),
                max_unavailable: Some(Number(IntOrPercent::Int(1))),
                ..BudgetPart::default()
            };
            let object = budget.object(world);
            budgets::add(world, object);
        }
    }
}

/// Takes an add-on's workloads away.
pub fn remove_addon(world: &mut World, addon: &str) {
    for brings in brought(addon) {
        if let Some(id) = world.kube.workload_named(&reference(brings)) {
            workloads::delete(world, id);
        }
        let names = world.kube.budget_names.get(brings.namespace);
        if let Some(id) = names.and_then(|names| names.get(brings.name)).copied() {
            budgets::remove(world, id);
        }
    }
}
