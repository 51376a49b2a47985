//! Cluster API, ACK, Crossplane, Karpenter.

use crate::check;

#[test]
fn cluster_api() {
    check(
        &[(
            "capi/shop.yaml",
            r"
apiVersion: controlplane.cluster.x-k8s.io/v1beta2
kind: AWSManagedControlPlane
metadata: {name: shop-control-plane}
spec:
  version: v1.34
  upgradePolicy: standard
  addons:
  - name: vpc-cni
    version: v1.20.1-eksbuild.3
---
apiVersion: cluster.x-k8s.io/v1beta1
kind: MachinePool
metadata: {name: web}
spec:
  clusterName: shop
  template:
    spec:
      version: v1.33
      infrastructureRef: {kind: AWSManagedMachinePool, name: web}
---
apiVersion: infrastructure.cluster.x-k8s.io/v1beta2
kind: AWSManagedMachinePool
metadata: {name: web}
spec: {amiType: AL2_x86_64}
---
apiVersion: cluster.x-k8s.io/v1beta1
kind: MachineDeployment
metadata: {name: kubeadm}
spec:
  clusterName: other
  template:
    spec:
      version: v1.20
      bootstrap: {configRef: {kind: KubeadmConfigTemplate}}
      infrastructureRef: {kind: AWSMachineTemplate}
",
        )],
        &[
            "cluster shop-control-plane 1.34 @capi/shop.yaml:6:12",
            "  support STANDARD @capi/shop.yaml:7:18",
            "  managed node group web 1.33 @capi/shop.yaml:19:16, Amazon Linux 2 @capi/shop.yaml:25:17",
            "  add-on vpc-cni v1.20.1-eksbuild.3 @capi/shop.yaml:10:14",
        ],
    );
}

#[test]
fn ack() {
    check(
        &[(
            "ack.yaml",
            r#"
apiVersion: eks.services.k8s.aws/v1alpha1
kind: Cluster
metadata: {name: shop-object}
spec:
  name: shop
  version: "1.34"
  upgradePolicy: {supportType: EXTENDED}
  computeConfig: {enabled: true}
---
apiVersion: eks.services.k8s.aws/v1alpha1
kind: Cluster
metadata: {name: other}
spec: {name: other, version: "1.35"}
---
apiVersion: eks.services.k8s.aws/v1alpha1
kind: Nodegroup
metadata: {name: web}
spec:
  name: web
  clusterRef: {from: {name: shop-object}}
  version: "1.34"
  releaseVersion: 1.33.1-20250804
---
apiVersion: eks.services.k8s.aws/v1alpha1
kind: Addon
metadata: {name: dns}
spec: {name: coredns, clusterName: other, addonVersion: v1.12.4-eksbuild.1}
"#,
        )],
        &[
            "cluster other 1.35 @ack.yaml:14:30",
            "  add-on coredns v1.12.4-eksbuild.1 @ack.yaml:28:57",
            "cluster shop 1.34 @ack.yaml:7:12",
            "  support EXTENDED @ack.yaml:8:32",
            "  Auto Mode nodes Auto Mode - follows, -",
            "  managed node group web 1.34 @ack.yaml:22:12, Amazon Linux 2023 @ack.yaml:23:19",
        ],
    );
}

#[test]
fn crossplane_in_all_its_groups() {
    for (group, policy) in [
        ("eks.aws.upbound.io/v1beta1", "[{supportType: STANDARD}]"),
        ("eks.aws.m.upbound.io/v1beta1", "{supportType: STANDARD}"),
        ("eks.aws.crossplane.io/v1beta1", "{supportType: STANDARD}"),
    ] {
        check(
            &[(
                "x.yaml",
                &format!(
                    r#"
apiVersion: {group}
kind: Cluster
metadata: {{name: shop}}
spec:
  forProvider:
    version: "1.34"
    upgradePolicy: {policy}
---
apiVersion: {group}
kind: NodeGroup
metadata: {{name: web}}
spec:
  forProvider:
    clusterNameRef: {{name: shop}}
    version: "1.33"
---
apiVersion: {group}
kind: NodeGroup
metadata: {{name: tied}}
spec:
  forProvider:
    clusterNameRef: {{name: shop}}
    versionRef: {{name: shop}}
---
apiVersion: {group}
kind: Addon
metadata: {{name: cni}}
spec:
  forProvider:
    clusterNameRef: {{name: shop}}
    addonName: vpc-cni
    addonVersion: v1.20.1-eksbuild.3
"#
                ),
            )],
            &[
                "cluster shop 1.34 @x.yaml:7:14",
                &format!("  support STANDARD @x.yaml:8:{}", 20 + policy.find("STANDARD").unwrap()),
                "  managed node group web 1.33 @x.yaml:16:14, -",
                "  managed node group tied - follows, -",
                "  add-on vpc-cni v1.20.1-eksbuild.3 @x.yaml:33:19",
            ],
        );
    }
}

#[test]
fn karpenter_node_classes() {
    let class = |name: &str, spec: &str| {
        format!(
            "---\napiVersion: karpenter.k8s.aws/v1\nkind: EC2NodeClass\nmetadata: {{name: {name}}}\nspec:\n  {spec}\n"
        )
    };
    let text = [
        class("alias", "amiSelectorTerms: [{alias: al2@latest}]"),
        class("pinned", "amiSelectorTerms: [{alias: bottlerocket@v1.39.1}]"),
        class("named", "amiSelectorTerms: [{name: amazon-eks-node-al2023-x86_64-standard-1.33-*}]"),
        // `amiFamily: AL2` is how one starts Ubuntu images: it says nothing of the image.
        class("by-id", "{amiFamily: AL2, amiSelectorTerms: [{id: ami-0123456789abcdef0}]}"),
        class("computed", "amiSelectorTerms: [{alias: \"al2023@${VERSION}\"}]"),
    ]
    .concat();
    check(
        &[
            ("karpenter.yaml", &text),
            (
                "cluster.yaml",
                "apiVersion: eksctl.io/v1alpha5\nkind: ClusterConfig\nmetadata: {name: shop, version: \"1.34\"}\n",
            ),
        ],
        &[
            "cluster shop 1.34 @cluster.yaml:3:33",
            "  Karpenter node class alias - follows, Amazon Linux 2 @karpenter.yaml:6:30",
            "  Karpenter node class pinned - follows, Bottlerocket @karpenter.yaml:12:30",
            "  Karpenter node class named 1.33 @karpenter.yaml:18:29, Amazon Linux 2023 @karpenter.yaml:18:29",
            "  Karpenter node class by-id ?, -",
            "  Karpenter node class computed - follows, ?",
            "not read @karpenter.yaml:24:44: the image of node class \"by-id\" (`ami-0123456789abcdef0`) does not say its Kubernetes version",
            "not read @karpenter.yaml:30:30: the image of node class \"computed\" is filled in from outside (`al2023@${VERSION}`)",
        ],
    );
    // Without a cluster beside it, it is one of a cluster elsewhere.
    check(
        &[("k.yaml", &class("alias", "amiSelectorTerms: [{alias: al2023@latest}]"))],
        &[
            "cluster elsewhere (not known) -",
            "  Karpenter node class alias - follows, Amazon Linux 2023 @k.yaml:6:30",
        ],
    );
    // What Karpenter took when it did not ask.
    check(
        &[(
            "k.yaml",
            "apiVersion: karpenter.k8s.aws/v1alpha1\nkind: AWSNodeTemplate\nmetadata: {name: old}\nspec: {}\n",
        )],
        &[
            "cluster elsewhere (not known) -",
            "  Karpenter node class old - follows, Amazon Linux 2 @k.yaml:3:18",
        ],
    );
}

#[test]
fn environments_beside_each_other_are_kept_apart() {
    let environment = |namespace: &str, minor: &str| {
        format!(
            "apiVersion: controlplane.cluster.x-k8s.io/v1beta2\nkind: AWSManagedControlPlane\nmetadata: {{name: shop-control-plane, namespace: {namespace}}}\nspec: {{version: v{minor}}}\n---\n\
             apiVersion: cluster.x-k8s.io/v1beta1\nkind: MachinePool\nmetadata: {{name: web, namespace: {namespace}}}\nspec:\n  clusterName: shop\n  template: {{spec: {{version: v{minor}, infrastructureRef: {{kind: AWSManagedMachinePool}}}}}}\n---\n\
             apiVersion: infrastructure.cluster.x-k8s.io/v1beta2\nkind: AWSManagedMachinePool\nmetadata: {{name: web, namespace: {namespace}}}\nspec: {{}}\n"
        )
    };
    check(
        &[
            ("c/production.yaml", &environment("production", "1.35")),
            ("c/staging.yaml", &environment("staging", "1.36")),
        ],
        &[
            "cluster shop-control-plane (c) 1.35 @c/production.yaml:4:17",
            // Cluster API itself takes Amazon Linux 2 when nothing is said.
            "  managed node group web 1.35 @c/production.yaml:11:30, Amazon Linux 2 @c/production.yaml:15:18",
            "cluster shop-control-plane (c) 1.36 @c/staging.yaml:4:17",
            "  managed node group web 1.36 @c/staging.yaml:11:30, Amazon Linux 2 @c/staging.yaml:15:18",
        ],
    );
}

#[test]
fn clusters_inside_of_other_objects() {
    check(
        &[
            (
                "kro.yaml",
                "apiVersion: kro.run/v1alpha1\nkind: ResourceGraphDefinition\nmetadata: {name: eks}\nspec:\n  resources:\n  - id: c\n    template:\n      apiVersion: eks.services.k8s.aws/v1alpha1\n      kind: Cluster\n      metadata: {name: k}\n      spec: {name: k, version: \"${schema.spec.version}\"}\n",
            ),
            (
                "composition.yaml",
                "apiVersion: apiextensions.crossplane.io/v1\nkind: Composition\nmetadata: {name: eks}\nspec:\n  pipeline:\n  - input:\n      resources:\n      - base:\n          apiVersion: eks.aws.upbound.io/v1beta1\n          kind: Cluster\n          metadata: {name: x}\n          spec: {forProvider: {version: \"1.33\"}}\n",
            ),
            (
                "topology.yaml",
                "apiVersion: cluster.x-k8s.io/v1beta1\nkind: Cluster\nmetadata: {name: t}\nspec: {topology: {class: eks-clusterclass, version: v1.32.0}}\n",
            ),
        ],
        &[
            "cluster x 1.33 @composition.yaml:12:41",
            "cluster k ?",
            "cluster t 1.32.0 @topology.yaml:4:53",
            "not read @kro.yaml:11:32: the version of cluster \"k\" is filled in from outside (`${schema.spec.version}`)",
        ],
    );
}

#[test]
fn of_several_images_the_one_furthest_behind_counts() {
    let class = "apiVersion: karpenter.k8s.aws/v1\nkind: EC2NodeClass\nmetadata: {name: a}\nspec:\n  amiSelectorTerms:\n  - name: amazon-eks-node-al2023-x86_64-standard-1.35-v20260901\n  - name: amazon-eks-node-al2023-x86_64-standard-1.30-v20260101\n";
    let found = crate::lines(&crate::read(&[("c.yaml", class)]));
    assert_eq!(
        found[1], "  Karpenter node class a 1.30 @c.yaml:7:11, Amazon Linux 2023 @c.yaml:7:11",
        "{found:?}"
    );
}

#[test]
fn a_cluster_names_its_control_plane() {
    let text = "apiVersion: cluster.x-k8s.io/v1beta1\nkind: Cluster\nmetadata: {name: a}\nspec: {controlPlaneRef: {kind: AWSManagedControlPlane, name: a-cp}}\n---\napiVersion: controlplane.cluster.x-k8s.io/v1beta2\nkind: AWSManagedControlPlane\nmetadata: {name: a-cp}\nspec: {eksClusterName: default_a, version: v1.36.0}\n---\napiVersion: cluster.x-k8s.io/v1beta1\nkind: MachinePool\nmetadata: {name: pool}\nspec:\n  clusterName: a\n  template: {spec: {version: v1.33.0, infrastructureRef: {kind: AWSManagedMachinePool, name: pool}}}\n";
    check(
        &[("c.yaml", text)],
        &["cluster default_a 1.36.0 @c.yaml:9:44", "  managed node group pool 1.33.0 @c.yaml:16:30, -"],
    );
}
