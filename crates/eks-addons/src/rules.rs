//! The rules about add-ons, as data: `docs/rules.md` is generated from here.

use eks_model::{Example, Rule};

/// A version that does not fit.
pub static VERSION: Rule = Rule {
    id: "ADDON001",
    title: "add-on version that does not fit",
    checks: "A managed add-on is pinned to a version that EKS does not offer for the Kubernetes version of the cluster, \
             now or after a hop, or that is below what that Kubernetes needs. Severity `block`, at the first hop that breaks \
             it. The remedy is the smallest step that fits, and before or with which hop.",
    why: "EKS never updates add-ons with the control plane: after the hop this one runs unsupported or crashes, and \
          the network, DNS or storage of the cluster with it.",
    since_until: "Where the versions for a Kubernetes are known: a recorded DescribeAddonVersions, or the tables.",
    source: "DescribeAddonVersions, as recorded on 2024-03-08, and versions seen since \
             (crates/eks-addons/data/README.md); https://docs.aws.amazon.com/eks/latest/userguide/eks-add-ons.html (2024-12-18)",
    example: Example {
        text: "apiVersion: eksctl.io/v1alpha5\nkind: ClusterConfig\nmetadata: {name: shop, region: eu-west-1, version: \"1.25\"}\n\
               addons:\n- name: vpc-cni\n  version: v1.11.4-eksbuild.1\n",
        from: 25,
        to: 26,
        before: None,
    },
};

/// No version at all.
pub static NONE: Rule = Rule {
    id: "ADDON002",
    title: "add-on without a version for a Kubernetes",
    checks: "EKS offers no version at all of a declared add-on for a Kubernetes version of the window. Severity `block`.",
    why: "The add-on cannot be updated and is not supported there. Marketplace add-ons in particular lag by versions.",
    since_until: "Where the list for a Kubernetes is complete: a recorded DescribeAddonVersions, or the table (1.20 to 1.29).",
    source: "DescribeAddonVersions, as recorded on 2024-03-08 (amazon-cloudwatch-observability had none for the then newest 1.29)",
    example: Example {
        text: "apiVersion: eksctl.io/v1alpha5\nkind: ClusterConfig\nmetadata: {name: shop, region: eu-west-1, version: \"1.27\"}\n\
               addons:\n- name: accuknox_kubearmor\n  version: v0.10.2-eksbuild.1\n",
        from: 27,
        to: 28,
        before: None,
    },
};

/// Nobody can say.
pub static UNKNOWN: Rule = Rule {
    id: "ADDON003",
    title: "add-on of which it is not known whether it fits",
    checks: "Neither the catalogue handed in nor the table says whether a pinned version fits a Kubernetes version of the \
             window. Severity `unknown`: it never passes.",
    why: "The tables are for offline use and do not have every version. What EKS offers only EKS knows.",
    since_until: "Every version that the tables do not have.",
    source: "https://docs.aws.amazon.com/eks/latest/APIReference/API_DescribeAddonVersions.html (2026-11-17)",
    example: Example {
        text: "apiVersion: eksctl.io/v1alpha5\nkind: ClusterConfig\nmetadata: {name: shop, region: eu-west-1, version: \"1.36\"}\n\
               addons:\n- name: coredns\n  version: v1.99.0-eksbuild.1\n",
        from: 36,
        to: 37,
        before: None,
    },
};

/// Too large a step.
pub static STEP: Rule = Rule {
    id: "ADDON004",
    title: "add-on moved by more than one minor",
    checks: "With `--base`: the change raises an add-on by more than one minor. Severity `block` for vpc-cni, of which EKS's \
             guide demands it, else `info`.",
    why: "Skipping minors of the VPC CNI skips migrations of its resources; nodes can lose their network.",
    since_until: "Every version.",
    source: "\"we recommend that you update one minor version at a time\" \
             https://docs.aws.amazon.com/eks/latest/userguide/managing-vpc-cni.html (2024-12-18); \
             https://docs.aws.amazon.com/eks/latest/best-practices/cluster-upgrades.html (2026-05-01)",
    example: Example {
        text: "apiVersion: eksctl.io/v1alpha5\nkind: ClusterConfig\nmetadata: {name: shop, region: eu-west-1, version: \"1.35\"}\n\
               addons:\n- name: vpc-cni\n  version: v1.21.1-eksbuild.7\n",
        from: 35,
        to: 35,
        before: Some(
            "apiVersion: eksctl.io/v1alpha5\nkind: ClusterConfig\nmetadata: {name: shop, region: eu-west-1, version: \"1.35\"}\n\
               addons:\n- name: vpc-cni\n  version: v1.19.0-eksbuild.1\n",
        ),
    },
};

/// A bump that is missing.
pub static MISSING: Rule = Rule {
    id: "ADDON005",
    title: "add-on bump missing in a hop",
    checks: "With `--base`: the change raises the control plane and leaves an add-on at a version that does not fit the new \
             Kubernetes. Severity `block`.",
    why: "After the merge the control plane goes on and the add-on stays behind. It was known before as a finding of a hop to \
          come (ADDON001); this is the change that makes it true.",
    since_until: "As for ADDON001.",
    source: "As for ADDON001.",
    example: Example {
        text: "apiVersion: eksctl.io/v1alpha5\nkind: ClusterConfig\nmetadata: {name: shop, region: eu-west-1, version: \"1.26\"}\n\
               addons:\n- name: vpc-cni\n  version: v1.11.4-eksbuild.1\n",
        from: 26,
        to: 26,
        before: Some(
            "apiVersion: eksctl.io/v1alpha5\nkind: ClusterConfig\nmetadata: {name: shop, region: eu-west-1, version: \"1.25\"}\n\
               addons:\n- name: vpc-cni\n  version: v1.11.4-eksbuild.1\n",
        ),
    },
};

/// A step back.
pub static BACK: Rule = Rule {
    id: "ADDON006",
    title: "add-on taken back",
    checks: "With `--base`: the change lowers the version of an add-on. Severity `warn`.",
    why: "EKS allows it and nobody tests it; most often it is a merge gone wrong.",
    since_until: "Every version.",
    source: "https://docs.aws.amazon.com/eks/latest/userguide/rollback-cluster.html (2026-07-01): add-ons are not rolled back by EKS",
    example: Example {
        text: "apiVersion: eksctl.io/v1alpha5\nkind: ClusterConfig\nmetadata: {name: shop, region: eu-west-1, version: \"1.35\"}\n\
               addons:\n- name: vpc-cni\n  version: v1.20.1-eksbuild.3\n",
        from: 35,
        to: 35,
        before: Some(
            "apiVersion: eksctl.io/v1alpha5\nkind: ClusterConfig\nmetadata: {name: shop, region: eu-west-1, version: \"1.35\"}\n\
               addons:\n- name: vpc-cni\n  version: v1.21.1-eksbuild.7\n",
        ),
    },
};

/// A controller outside its range.
pub static CONTROLLER: Rule = Rule {
    id: "ADDON007",
    title: "controller outside the Kubernetes versions of its project",
    checks: "An image or a Helm chart brings a version of a known controller (cluster-autoscaler, Karpenter, AWS Load Balancer \
             Controller, cert-manager, Istio, …) that its project does not publish for a Kubernetes version of the window, now \
             or after a hop. Severity `block` where the project says that it does not work, else `warn`.",
    why: "Some stop (Karpenter refuses, old AWS Load Balancer Controllers crash), most go on untested.",
    since_until: "The components and ranges of the table.",
    source: "The compatibility tables of the projects, one source and day a row (crates/eks-addons/data/controllers.tsv)",
    example: Example {
        text: "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: cert-manager, namespace: cert-manager}\n\
               spec:\n  template:\n    spec:\n      containers:\n      - name: cert-manager\n        image: quay.io/jetstack/cert-manager-controller:v1.19.2\n",
        from: 35,
        to: 36,
        before: None,
    },
};

/// A controller of which nobody can say.
pub static CONTROLLER_UNKNOWN: Rule = Rule {
    id: "ADDON008",
    title: "controller of which it is not known whether it fits",
    checks: "A known controller runs in a version of which the table does not say with which Kubernetes it goes, or a chart \
             of which the table does not say what it brings. Severity `unknown`: it never passes.",
    why: "A table ends somewhere; what is newer than it may be right or wrong.",
    since_until: "Every version that the tables do not have.",
    source: "As for ADDON007.",
    example: Example {
        text: "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: cert-manager, namespace: cert-manager}\n\
               spec:\n  template:\n    spec:\n      containers:\n      - name: cert-manager\n        image: quay.io/jetstack/cert-manager-controller:v1.99.0\n",
        from: 35,
        to: 36,
        before: None,
    },
};

/// No version declared.
pub static UNDECLARED: Rule = Rule {
    id: "ADDON009",
    title: "add-on without a declared version",
    checks: "A managed add-on that does not follow the Kubernetes version by itself, or a known controller (an image without \
             tag or with `latest`, a chart without version), declares no version. Severity `warn`.",
    why: "It gets the default when it is made and keeps it; which, only the live cluster can say, and whether that fits after \
          the hop too.",
    since_until: "Every version.",
    source: "https://docs.aws.amazon.com/eks/latest/APIReference/API_CreateAddon.html (2026-11-17)",
    example: Example {
        text: "apiVersion: eks.services.k8s.aws/v1alpha1\nkind: Cluster\nmetadata: {name: shop}\nspec: {name: shop, version: \"1.35\"}\n---\n\
               apiVersion: eks.services.k8s.aws/v1alpha1\nkind: Addon\nmetadata: {name: coredns}\n\
               spec: {name: coredns, clusterName: shop}\n",
        from: 35,
        to: 36,
        before: None,
    },
};

/// All rules, by id.
pub static ALL: [&Rule; 9] =
    [&VERSION, &NONE, &UNKNOWN, &STEP, &MISSING, &BACK, &CONTROLLER, &CONTROLLER_UNKNOWN, &UNDECLARED];
