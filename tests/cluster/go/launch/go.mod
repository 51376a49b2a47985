module github.com/eks-upgrade/eks-upgrade/tests/cluster/launch

go 1.26.0
