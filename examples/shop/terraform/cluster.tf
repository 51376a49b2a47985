locals {
  kubernetes_version = "1.33"
}

module "eks" {
  source  = "terraform-aws-modules/eks/aws"
  version = "~> 21.0"

  name               = "shop"
  kubernetes_version = local.kubernetes_version

  addons = {
    coredns    = { most_recent = true }
    kube-proxy = { addon_version = "v1.33.0-eksbuild.2" }
  }

  eks_managed_node_groups = {
    web   = { instance_types = ["m7g.large"] }
    batch = { instance_types = ["c7g.large"], kubernetes_version = "1.33" }
  }
}
