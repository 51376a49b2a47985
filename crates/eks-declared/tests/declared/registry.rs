//! Modules of the registry, in their present and earlier argument names.

use crate::check;

#[test]
fn terraform_aws_modules_eks_21() {
    check(
        &[(
            "main.tf",
            r#"
module "eks" {
  source  = "terraform-aws-modules/eks/aws"
  version = "~> 21.0"

  name               = "shop"
  kubernetes_version = "1.34"
  upgrade_policy     = { support_type = "STANDARD" }
  compute_config     = { enabled = true }

  addons = {
    coredns    = {}
    kube-proxy = { most_recent = false }
    vpc-cni    = { addon_version = "v1.20.1-eksbuild.3" }
  }

  eks_managed_node_groups = {
    web = { ami_type = "BOTTLEROCKET_x86_64" }
    pin = {
      kubernetes_version = "1.33"
      ami_release_version = "1.33.1-20250804"
    }
    rel = {
      use_latest_ami_release_version = false
      ami_release_version            = "1.33.1-20250804"
    }
    own = { ami_id = "ami-0123456789abcdef0" }
  }
  self_managed_node_groups = { own = {} }
}
resource "aws_eks_addon" "more" {
  cluster_name = module.eks.cluster_name
  addon_name   = "adot"
}
"#,
        )],
        &[
            "cluster shop 1.34 @main.tf:7:24",
            "  support STANDARD @main.tf:8:41",
            "  Auto Mode nodes Auto Mode - follows, -",
            "  managed node group web - follows, Bottlerocket @main.tf:18:24",
            "  managed node group pin 1.33 @main.tf:20:28, Amazon Linux 2023 @main.tf:19:11",
            "  managed node group rel 1.33.1 @main.tf:25:40, Amazon Linux 2023 @main.tf:23:11",
            "  managed node group own ?, -",
            "  self-managed node group own - follows, Amazon Linux 2023 @main.tf:29:38",
            "  add-on coredns newest @main.tf:12:18",
            "  add-on kube-proxy default @main.tf:13:18",
            "  add-on vpc-cni v1.20.1-eksbuild.3 @main.tf:14:36",
            "  add-on adot -",
            "not read @main.tf:27:22: the image of node group \"own\" (`ami-0123456789abcdef0`) does not say its Kubernetes version",
        ],
    );
}

#[test]
fn terraform_aws_modules_eks_18_to_20() {
    let module = |version: &str| {
        format!(
            r#"
module "eks" {{
  source          = "terraform-aws-modules/eks/aws"
  version         = "{version}"
  cluster_name    = "shop"
  cluster_version = "1.31"
  cluster_addons  = {{ coredns = {{}}, vpc-cni = {{ most_recent = true }} }}
  eks_managed_node_group_defaults = {{ ami_type = "AL2_x86_64" }}
  eks_managed_node_groups = {{
    web = {{}}
    old = {{ cluster_version = "1.29" }}
  }}
  self_managed_node_groups = {{ own = {{ platform = "bottlerocket" }}, plain = {{}} }}
}}
"#
        )
    };
    let expected = |coredns: &'static str| {
        [
            "cluster shop 1.31 @main.tf:6:21",
            "  managed node group web - follows, Amazon Linux 2 @main.tf:8:50",
            "  managed node group old 1.29 @main.tf:11:31, Amazon Linux 2 @main.tf:8:50",
            "  self-managed node group own - follows, Bottlerocket @main.tf:13:38",
            "  self-managed node group plain - follows, Amazon Linux 2 @main.tf:13:77",
            coredns,
            "  add-on vpc-cni newest @main.tf:7:47",
        ]
    };
    check(&[("main.tf", &module("~> 20.0"))], &expected("  add-on coredns default @main.tf:7:33"));
    check(&[("main.tf", &module("18.31.2"))], &expected("  add-on coredns -"));
}

#[test]
fn terraform_aws_modules_eks_17() {
    check(
        &[(
            "main.tf",
            r#"
module "eks" {
  source          = "git::https://github.com/terraform-aws-modules/terraform-aws-eks.git?ref=0123456789abcdef0123456789abcdef01234567"
  cluster_name    = "shop"
  cluster_version = var.versions["cluster"]
  subnets         = []
  node_groups_defaults = { version = var.versions["node-group"] }
  node_groups   = { web = {} }
  worker_groups = [{ name = "spot" }]
}
variable "versions" { default = { cluster = "1.29", node-group = "1.28" } }
"#,
        )],
        &[
            "cluster shop 1.29 @main.tf:11:45",
            "  managed node group web 1.28 @main.tf:11:66, -",
            "  self-managed node group spot - follows, Amazon Linux 2 @main.tf:9:20",
        ],
    );
}

#[test]
fn sub_modules_and_wrappers() {
    check(
        &[(
            "main.tf",
            r#"
module "eks" {
  source          = "terraform-aws-modules/eks/aws"
  version         = "~> 20.0"
  cluster_name    = "shop"
  cluster_version = "1.33"
}
module "nodes" {
  source          = "terraform-aws-modules/eks/aws//modules/eks-managed-node-group"
  name            = "nodes"
  cluster_name    = module.eks.cluster_name
  cluster_version = module.eks.cluster_version
}
module "karpenter" {
  source       = "terraform-aws-modules/eks/aws//modules/karpenter"
  cluster_name = module.eks.cluster_name
}
module "addons" {
  source            = "aws-ia/eks-blueprints-addons/aws"
  cluster_name      = module.eks.cluster_name
  cluster_version   = module.eks.cluster_version
  eks_addons        = { aws-ebs-csi-driver = {}, coredns = { addon_version = "v1.12.4-eksbuild.1" } }
  enable_karpenter  = true
  karpenter         = { chart_version = "1.5.0" }
  metrics_server    = { values = [] }
}
module "other" {
  source             = "cloudposse/eks-cluster/aws"
  name               = "other"
  kubernetes_version = "1.34"
  addons             = [{ addon_name = "vpc-cni", addon_version = "v1.20.1-eksbuild.3" }]
}
"#,
        )],
        &[
            "cluster shop 1.33 @main.tf:6:21",
            "  managed node group nodes - follows, -",
            "  add-on aws-ebs-csi-driver newest @main.tf:22:46",
            "  add-on coredns v1.12.4-eksbuild.1 @main.tf:22:78",
            "cluster other 1.34 @main.tf:30:24",
            "  add-on vpc-cni v1.20.1-eksbuild.3 @main.tf:31:67",
            "controller karpenter 1.5.0 @main.tf:24:41 by eks-blueprints-addons karpenter",
        ],
    );
}

#[test]
fn a_module_that_is_not_in_the_tree_is_said() {
    check(
        &[(
            "main.tf",
            r#"
module "private" {
  source          = "git::https://example.com/platform/terraform-eks-cluster.git"
  cluster_version = "1.34"
}
module "gone" {
  source = "../modules/eks"
}
module "network" {
  source = "terraform-aws-modules/vpc/aws"
}
module "off" {
  source = "terraform-aws-modules/eks/aws"
  create = false
}
"#,
        )],
        &[
            "not read @main.tf:3:21: module.private: the module git::https://example.com/platform/terraform-eks-cluster.git is not read here: what it declares is not known",
            "not read @main.tf:7:12: module.gone: the module ../modules/eks is not among the files that were read; read its folder too",
        ],
    );
}

#[test]
fn groups_that_are_switched_off_are_none() {
    check(
        &[(
            "main.tf",
            r#"
module "eks" {
  source             = "terraform-aws-modules/eks/aws"
  name               = "shop"
  kubernetes_version = "1.34"
  eks_managed_node_groups = {
    off = { create = false, kubernetes_version = "1.30" }
    on  = { create = true }
  }
}
module "nodes" {
  source             = "terraform-aws-modules/eks/aws//modules/eks-managed-node-group"
  create             = false
  name               = "nodes"
  cluster_name       = module.eks.cluster_name
  kubernetes_version = "1.30"
}
"#,
        )],
        &[
            "cluster shop 1.34 @main.tf:5:24",
            "  managed node group on - follows, Amazon Linux 2023 @main.tf:8:11",
        ],
    );
}

#[test]
fn what_may_say_anything_is_not_passed_over() {
    const NO_VALUE: &str = "no default, and no *.tfvars beside it gives it a value";
    let eks = |arguments: &str| {
        format!(
            "module \"eks\" {{\n  source             = \"terraform-aws-modules/eks/aws\"\n  version            = \"~> 21.0\"\n  name               = \"shop\"\n  kubernetes_version = \"1.34\"\n{arguments}}}\nvariable \"x\" {{}}\n"
        )
    };
    for (arguments, expected) in [
        // Keys that are not known.
        (
            "  eks_managed_node_groups = { (var.x) = { kubernetes_version = \"1.30\" } }\n",
            vec!["  managed node group ${…} 1.30 @main.tf:6:64, Amazon Linux 2023 @main.tf:6:41".to_owned()],
        ),
        (
            "  addons = { (var.x) = { addon_version = \"v1.11.4-eksbuild.1\" } }\n",
            vec![
                "  add-on ${…} ?".to_owned(),
                format!("not read @main.tf:6:24: the name of an add-on is not known: variable x has {NO_VALUE}"),
            ],
        ),
        // Defaults and images that are not known.
        (
            "  eks_managed_node_group_defaults = var.x\n  eks_managed_node_groups = { a = {} }\n",
            vec![
                "  managed node group a ?, -".to_owned(),
                format!("not read @main.tf:6:37: the image of node group \"a\" is not known: variable x has {NO_VALUE}"),
            ],
        ),
        (
            "  eks_managed_node_groups = { a = { ami_type = var.x } }\n",
            vec![
                "  managed node group a - follows, ?".to_owned(),
                format!("not read @main.tf:6:48: what the nodes start from is not known: variable x has {NO_VALUE}"),
            ],
        ),
        (
            "  eks_managed_node_groups = { a = { ami_type = \"CUSTOM\" } }\n",
            vec![
                "  managed node group a ?, custom image @main.tf:6:48".to_owned(),
                "not read @main.tf:6:48: the version of node group \"a\" is that of its image, which is not declared here".to_owned(),
            ],
        ),
        (
            "  eks_managed_node_groups = \"a\"\n",
            vec![
                "not read @main.tf:6:29: eks_managed_node_groups of cluster \"shop\" is neither a map nor a list"
                    .to_owned(),
            ],
        ),
    ] {
        let shown = crate::lines(&crate::read(&[("main.tf", &eks(arguments))]));
        assert_eq!(shown[1..], expected, "{arguments}\n{shown:?}");
    }
    check(
        &[(
            "main.tf",
            "module \"n\" {\n  source       = \"terraform-aws-modules/eks/aws//modules/eks-managed-node-group\"\n  name         = \"n\"\n  cluster_name = \"shop\"\n  ami_id       = var.x\n}\nmodule \"c\" {\n  source             = \"cloudposse/eks-cluster/aws\"\n  name               = \"shop\"\n  kubernetes_version = \"1.34\"\n  addons             = [{ addon_name = var.x, addon_version = \"v1.11.4-eksbuild.1\" }]\n}\nvariable \"x\" {}\n",
        )],
        &[
            "cluster shop 1.34 @main.tf:10:24",
            "  managed node group n ?, -",
            "not read @main.tf:5:18: the image of node group \"n\" is not known: variable x has no default, and no *.tfvars beside it gives it a value",
            "not read @main.tf:11:25: the name of an add-on of cluster \"shop\" is not known: variable x has no default, and no *.tfvars beside it gives it a value",
        ],
    );
}

#[test]
fn modules_that_are_not_read_are_said_if_they_may_make_a_cluster() {
    let call = |source: &str, arguments: &str| {
        format!("module \"m\" {{\n  source = {source}\n  {arguments}\n}}\nvariable \"x\" {{}}\n")
    };
    for (source, arguments, said) in [
        // An argument names a version of Kubernetes.
        ("\"app.terraform.io/acme/kubernetes/aws\"", "kubernetes_version = \"1.30\"", true),
        (
            "\"git::https://git.acme.com/infra/modules.git//cluster?ref=v1\"",
            "cluster_version = \"1.30\"",
            true,
        ),
        ("\"../modules/cluster\"", "cluster_version = \"1.30\"", true),
        ("\"../modules/cluster\"", "eks_managed = {}", true),
        ("\"app.terraform.io/acme/kubernetes/aws\"", "cluster_version = var.x", true),
        // The source is computed, which OpenTofu allows.
        ("var.x", "cluster_version = \"1.30\"", true),
        // The name says it.
        ("\"acme/eks/aws\"", "", true),
        ("\"git::https://git.acme.com/platform-vpcs/eks.git\"", "", true),
        ("\"acme/diamond-eks/aws\"", "", true),
        // They do something else, or belong to another cloud.
        ("\"acme/eks-iam/aws\"", "", false),
        ("\"terraform-aws-modules/eks/aws//modules/karpenter\"", "", false),
        ("\"terraform-aws-modules/rds-aurora/aws\"", "cluster_version = \"1.30\"", false),
        ("\"terraform-aws-modules/opensearch/aws\"", "cluster_version = \"1.30\"", false),
        ("\"Azure/aks/azurerm\"", "kubernetes_version = \"1.30\"", false),
        ("\"terraform-google-modules/kubernetes-engine/google\"", "kubernetes_version = \"1.30\"", false),
        ("\"acme/cache/aws\"", "cluster_version = \"7.0\"", false),
        ("\"../modules/vpc\"", "name = \"a\"", false),
        ("\"terraform-aws-modules/vpc/aws\"", "", false),
        ("var.x", "", false),
    ] {
        let declared = crate::read(&[("main.tf", &call(source, arguments))]);
        assert_eq!(!declared.unread.is_empty(), said, "{source} {arguments}: {:?}", declared.unread);
    }
}
