//! The rules about versions, as data: `docs/rules.md` is generated from here.

use eks_model::{Example, Rule};

/// A kubelet above the control plane.
pub static KUBELET_NEWER: Rule = Rule {
    id: "SKEW001",
    title: "kubelet newer than the control plane",
    checks: "A node group declares a Kubernetes version above that of its control plane. Severity `block`.",
    why: "An older API server does not know what a newer kubelet sends. EKS refuses such a managed node group; \
          self-managed nodes join and misbehave, and a control plane cannot be rolled back below its nodes.",
    since_until: "Every version.",
    source: "\"`kubelet` must not be newer than `kube-apiserver`.\" \
             https://kubernetes.io/releases/version-skew-policy/ (2026-08-22)",
    example: Example {
        text: "apiVersion: eks.services.k8s.aws/v1alpha1\nkind: Cluster\nmetadata: {name: shop}\nspec: {name: shop, version: \"1.35\"}\n---\n\
               apiVersion: eks.services.k8s.aws/v1alpha1\nkind: Nodegroup\nmetadata: {name: web}\n\
               spec: {name: web, clusterName: shop, version: \"1.36\"}\n",
        from: 35,
        to: 35,
        before: None,
    },
};

/// kube-proxy beside the API server.
pub static KUBE_PROXY: Rule = Rule {
    id: "SKEW002",
    title: "kube-proxy beside the API server",
    checks: "kube-proxy (the add-on, or an image in a manifest) is newer than the API server, or older than it by \
             more than three minors (two below kube-proxy 1.25), now or after a hop of the window. Severity `block`.",
    why: "kube-proxy programs the network of every node from what the API server tells it; beyond the skew nobody \
          has tested whether it understands.",
    since_until: "Every version; the limit changes with kube-proxy 1.25.",
    source: "\"`kube-proxy` must not be newer than `kube-apiserver`. `kube-proxy` may be up to three minor versions older \
             than `kube-apiserver` (`kube-proxy` < 1.25 may only be up to two minor versions older than \
             `kube-apiserver`).\" https://kubernetes.io/releases/version-skew-policy/ (2026-08-22)",
    example: Example {
        text: "apiVersion: eksctl.io/v1alpha5\nkind: ClusterConfig\nmetadata: {name: shop, region: eu-west-1, version: \"1.34\"}\n\
               addons:\n- name: kube-proxy\n  version: v1.33.10-eksbuild.29\n",
        from: 34,
        to: 37,
        before: None,
    },
};

/// A kubelet too far below the control plane.
pub static KUBELET_OLDER: Rule = Rule {
    id: "SKEW003",
    title: "kubelet too old for the control plane",
    checks: "A node group's kubelets are more than three minors older than the control plane (two, below kubelet \
             1.25), now or after a hop of the window. Severity `block`, at the first hop that breaks it.",
    why: "EKS refuses the hop while nodes are that old, or the nodes stop working with the API server after it.",
    since_until: "Every version; the limit changes with kubelet 1.25.",
    source: "\"`kubelet` may be up to three minor versions older than `kube-apiserver` (`kubelet` < 1.25 may only be up \
             to two minor versions older than `kube-apiserver`).\" \
             https://kubernetes.io/releases/version-skew-policy/ (2026-08-22); \
             https://docs.aws.amazon.com/eks/latest/userguide/update-cluster.html",
    example: Example {
        text: "apiVersion: eks.services.k8s.aws/v1alpha1\nkind: Cluster\nmetadata: {name: shop}\nspec: {name: shop, version: \"1.34\"}\n---\n\
               apiVersion: eks.services.k8s.aws/v1alpha1\nkind: Nodegroup\nmetadata: {name: batch}\n\
               spec: {name: batch, clusterName: shop, version: \"1.33\"}\n",
        from: 34,
        to: 37,
        before: None,
    },
};

/// kube-proxy beside the kubelet.
pub static KUBE_PROXY_KUBELET: Rule = Rule {
    id: "SKEW004",
    title: "kube-proxy beside the kubelet",
    checks: "kube-proxy is more than three minors (two, below kube-proxy 1.25) older or newer than the kubelets of a \
             node group that it runs on, as both are declared. Severity `block`.",
    why: "Both manage the same node; beyond the skew nobody has tested them together.",
    since_until: "Every version; the limit changes with kube-proxy 1.25.",
    source: "\"`kube-proxy` may be up to three minor versions older or newer than the `kubelet` instance it runs \
             alongside (`kube-proxy` < 1.25 may only be up to two minor versions older or newer than the `kubelet` \
             instance it runs alongside).\" https://kubernetes.io/releases/version-skew-policy/ (2026-08-22)",
    example: Example {
        text: "apiVersion: eks.services.k8s.aws/v1alpha1\nkind: Cluster\nmetadata: {name: shop}\nspec: {name: shop, version: \"1.37\"}\n---\n\
               apiVersion: eks.services.k8s.aws/v1alpha1\nkind: Nodegroup\nmetadata: {name: batch}\n\
               spec: {name: batch, clusterName: shop, version: \"1.33\"}\n---\n\
               apiVersion: eks.services.k8s.aws/v1alpha1\nkind: Addon\nmetadata: {name: kube-proxy}\n\
               spec: {name: kube-proxy, clusterName: shop, addonVersion: v1.37.0-eksbuild.2}\n",
        from: 37,
        to: 37,
        before: None,
    },
};

/// The other components of a control plane.
pub static CONTROL_PLANE: Rule = Rule {
    id: "SKEW005",
    title: "controller-manager, scheduler or cloud-controller-manager beside the API server",
    checks: "A manifest runs an image of kube-controller-manager, kube-scheduler or cloud-controller-manager that is \
             newer than the API server, or more than one minor older, now or after a hop. Severity `block`.",
    why: "EKS runs its own; one that is run beside them talks to an API server that it was not tested with.",
    since_until: "Every version.",
    source: "\"`kube-controller-manager`, `kube-scheduler`, and `cloud-controller-manager` must not be newer than the \
             `kube-apiserver` instances they communicate with. They are expected to match the `kube-apiserver` minor \
             version, but may be up to one minor version older (to allow live upgrades).\" \
             https://kubernetes.io/releases/version-skew-policy/ (2026-08-22)",
    example: Example {
        text: "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: second-scheduler, namespace: kube-system}\n\
               spec:\n  template:\n    spec:\n      containers:\n      - name: scheduler\n        image: registry.k8s.io/kube-scheduler:v1.33.4\n",
        from: 34,
        to: 35,
        before: None,
    },
};

/// kubectl.
pub static KUBECTL: Rule = Rule {
    id: "SKEW006",
    title: "kubectl beside the API server",
    checks: "A manifest runs an image whose tag is the version of kubectl, and it is more than one minor older or \
             newer than the API server, now or after a hop. Severity `warn`.",
    why: "Simple calls work far beyond; apply, drain and explain may not.",
    since_until: "Every version.",
    source: "\"`kubectl` is supported within one minor version (older or newer) of `kube-apiserver`.\" \
             https://kubernetes.io/releases/version-skew-policy/ (2026-08-22)",
    example: Example {
        text: "apiVersion: batch/v1\nkind: CronJob\nmetadata: {name: restart, namespace: shop}\n\
               spec:\n  jobTemplate:\n    spec:\n      template:\n        spec:\n          containers:\n          - name: kubectl\n            image: registry.k8s.io/kubectl:v1.33.4\n",
        from: 34,
        to: 36,
        before: None,
    },
};

/// A control plane that jumps.
pub static ONE_MINOR: Rule = Rule {
    id: "SKEW007",
    title: "control plane moved by more than one minor, or back",
    checks: "With `--base`: the change takes a control plane up by more than one minor, or back. Severity `block`; \
             `warn` for one minor back, which EKS allows within seven days of the upgrade.",
    why: "EKS refuses it when the change is applied (\"Unsupported Kubernetes minor version update from 1.34 to \
          1.36\"): the pull request is merged, the pipeline is broken. Cluster API goes minor by minor by itself, \
          and is left out.",
    since_until: "Every version; going back since July 2026.",
    source: "\"You can only update one minor version at a time\" \
             https://docs.aws.amazon.com/eks/latest/userguide/update-cluster.html (2026-02-01); \
             https://docs.aws.amazon.com/eks/latest/userguide/rollback-cluster.html (2026-07-01)",
    example: Example {
        text: "apiVersion: eksctl.io/v1alpha5\nkind: ClusterConfig\nmetadata: {name: shop, region: eu-west-1, version: \"1.36\"}\n",
        from: 36,
        to: 36,
        before: Some(
            "apiVersion: eksctl.io/v1alpha5\nkind: ClusterConfig\nmetadata: {name: shop, region: eu-west-1, version: \"1.34\"}\n",
        ),
    },
};

/// Nodes at the wrong moment.
pub static ORDER: Rule = Rule {
    id: "SKEW008",
    title: "nodes moved in the wrong order",
    checks: "With `--base`: the change raises nodes together with the control plane (`warn`), takes nodes back \
             together with the control plane (`block`: going back, nodes come first), or takes nodes back while the \
             control plane stays (`warn`).",
    why: "No kubelet may be newer than the API server at any moment: going up the control plane is first, going back \
          the nodes are. What a change applies first is up to the tool that applies it.",
    since_until: "Every version.",
    source: "\"`kubelet` must not be newer than `kube-apiserver`.\" \
             https://kubernetes.io/releases/version-skew-policy/ (2026-08-22); \"worker nodes cannot run a version \
             newer than the control plane\" https://docs.aws.amazon.com/eks/latest/userguide/rollback-cluster.html \
             (2026-07-01)",
    example: Example {
        text: "apiVersion: eks.services.k8s.aws/v1alpha1\nkind: Cluster\nmetadata: {name: shop}\nspec: {name: shop, version: \"1.35\"}\n---\n\
               apiVersion: eks.services.k8s.aws/v1alpha1\nkind: Nodegroup\nmetadata: {name: batch}\n\
               spec: {name: batch, clusterName: shop, version: \"1.35\"}\n",
        from: 35,
        to: 35,
        before: Some(
            "apiVersion: eks.services.k8s.aws/v1alpha1\nkind: Cluster\nmetadata: {name: shop}\nspec: {name: shop, version: \"1.34\"}\n---\n\
               apiVersion: eks.services.k8s.aws/v1alpha1\nkind: Nodegroup\nmetadata: {name: batch}\n\
               spec: {name: batch, clusterName: shop, version: \"1.34\"}\n",
        ),
    },
};

/// No version at all.
pub static UNDECLARED: Rule = Rule {
    id: "SKEW009",
    title: "no version declared",
    checks: "A cluster, or a node group that does not follow its control plane, declares no Kubernetes version. \
             Severity `warn`.",
    why: "It gets a version when it is made and keeps it; which, only the live cluster can say. When the control \
          plane goes on, such nodes stay behind, without a change that anyone could review.",
    since_until: "Every version.",
    source: "\"Defaults to EKS Cluster Kubernetes version. Terraform will only perform drift detection if a configuration \
             value is provided.\" https://registry.terraform.io/providers/hashicorp/aws/latest/docs/resources/eks_node_group \
             (2026-08-01); \"Amazon EKS managed node groups [are not] automatically updated along with the cluster control \
             plane\" https://docs.aws.amazon.com/eks/latest/userguide/kubernetes-versions.html (2026-02-01)",
    example: Example {
        text: "apiVersion: eks.services.k8s.aws/v1alpha1\nkind: Cluster\nmetadata: {name: shop}\nspec: {name: shop, version: \"1.35\"}\n---\n\
               apiVersion: eks.services.k8s.aws/v1alpha1\nkind: Nodegroup\nmetadata: {name: batch}\n\
               spec: {name: batch, clusterName: shop}\n",
        from: 35,
        to: 36,
        before: None,
    },
};

/// A family of images that ends.
pub static IMAGE: Rule = Rule {
    id: "SKEW010",
    title: "node image that ends",
    checks: "Nodes start from a family of images that has none for a minor of the window: Amazon Linux 2, by AMI type, \
             family, alias, AMI name or SSM parameter. Severity `block` when the window makes the nodes need that minor, \
             else `warn`.",
    why: "From that minor on no node can be made: groups do not scale, nodes that fail are not replaced.",
    since_until: "Amazon Linux 2 above 1.32; no image of it was released after 2025-11-26.",
    source: "\"Kubernetes version 1.32 is the last version for which Amazon EKS will release AL2 (Amazon Linux 2) AMIs.\" \
             https://docs.aws.amazon.com/eks/latest/userguide/eks-ami-deprecation-faqs.html (2026-03-04)",
    example: Example {
        text: "apiVersion: karpenter.k8s.aws/v1\nkind: EC2NodeClass\nmetadata: {name: default}\n\
               spec:\n  amiSelectorTerms:\n  - alias: al2@latest\n",
        from: 32,
        to: 33,
        before: None,
    },
};

/// Two declarations that do not agree.
pub static CONTRADICTION: Rule = Rule {
    id: "SKEW011",
    title: "declarations that contradict each other",
    checks: "A node group declares one version and starts from an image made for another, or one cluster is declared twice with \
             different versions. Severity `unknown`: which of them holds, nobody can say.",
    why: "What is applied last wins, or the nodes do not join.",
    since_until: "Every version.",
    source: "\"Requested release version 1.31.3-20250103 is not valid for kubernetes version 1.30.\" \
             https://github.com/eksctl-io/eksctl/issues/7976 (2025-01-08)",
    example: Example {
        text: "apiVersion: eks.services.k8s.aws/v1alpha1\nkind: Cluster\nmetadata: {name: shop}\nspec: {name: shop, version: \"1.35\"}\n---\n\
               apiVersion: eks.services.k8s.aws/v1alpha1\nkind: Nodegroup\nmetadata: {name: batch}\n\
               spec: {name: batch, clusterName: shop, version: \"1.35\", releaseVersion: 1.34.2-20260304}\n",
        from: 35,
        to: 36,
        before: None,
    },
};

/// Support that ends.
pub static SUPPORT: Rule = Rule {
    id: "CAL001",
    title: "standard support ends or has ended",
    checks: "The declared version of a control plane is in extended support, or leaves standard support within 90 days. \
             Severity `warn`. Says what the upgrade policy will do and when, and what extended support costs.",
    why: "In extended support a cluster costs six times as much, or, with the policy STANDARD, EKS upgrades the control \
          plane by itself, at any time and without notice, and leaves nodes and add-ons as they are.",
    since_until: "Versions since 1.21; by the day of the run.",
    source: "https://docs.aws.amazon.com/eks/latest/userguide/kubernetes-versions.html (2026-02-01); \
             https://aws.amazon.com/eks/pricing/ (USD 0.10 and 0.60 an hour, 2026-04-01)",
    example: Example {
        text: "apiVersion: eksctl.io/v1alpha5\nkind: ClusterConfig\nmetadata: {name: shop, region: eu-west-1, version: \"1.33\"}\n",
        from: 33,
        to: 34,
        before: None,
    },
};

/// Support that is over.
pub static SUPPORT_ENDED: Rule = Rule {
    id: "CAL002",
    title: "version that EKS no longer supports",
    checks: "The declared version of a control plane is past its extended support. Severity `block`.",
    why: "No cluster can be created at it, and EKS has upgraded, or will at any time, those that are: the declaration is not \
          what runs, and applying it fails.",
    since_until: "Every version; by the day of the run.",
    source: "https://docs.aws.amazon.com/eks/latest/userguide/kubernetes-versions.html (2026-02-01)",
    example: Example {
        text: "apiVersion: eksctl.io/v1alpha5\nkind: ClusterConfig\nmetadata: {name: shop, region: eu-west-1, version: \"1.29\"}\n",
        from: 29,
        to: 30,
        before: None,
    },
};

/// A version that is not there yet.
pub static NOT_OFFERED: Rule = Rule {
    id: "CAL003",
    title: "version that EKS is not known to offer",
    checks: "A hop of a declared cluster ends at a version that the calendar does not have, or only later. Severity `unknown`.",
    why: "EKS follows a Kubernetes release by one to three months; until then the hop cannot be made.",
    since_until: "Versions above the newest of the calendar.",
    source: "https://docs.aws.amazon.com/eks/latest/userguide/kubernetes-versions.html (2026-02-01)",
    example: Example {
        text: "apiVersion: eksctl.io/v1alpha5\nkind: ClusterConfig\nmetadata: {name: shop, region: eu-west-1, version: \"1.37\"}\n",
        from: 37,
        to: 38,
        before: None,
    },
};

/// All rules, by id.
pub static ALL: [&Rule; 14] = [
    &KUBELET_NEWER,
    &KUBE_PROXY,
    &KUBELET_OLDER,
    &KUBE_PROXY_KUBELET,
    &CONTROL_PLANE,
    &KUBECTL,
    &ONE_MINOR,
    &ORDER,
    &UNDECLARED,
    &IMAGE,
    &CONTRADICTION,
    &SUPPORT,
    &SUPPORT_ENDED,
    &NOT_OFFERED,
];
