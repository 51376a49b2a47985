//! Controllers that EKS does not manage, by their images and charts.

use crate::check;

#[test]
fn images_of_workloads() {
    check(
        &[(
            "apps.yaml",
            r#"
apiVersion: apps/v1
kind: Deployment
metadata: {name: ca, namespace: kube-system}
spec:
  template:
    spec:
      initContainers:
      - {name: i, image: "docker.io/bitnami/kubectl:1.33"}
      containers:
      - name: ca
        image: "mirror:5000/x/autoscaling/cluster-autoscaler:v1.34.1@sha256:00"
      - name: digest
        image: quay.io/jetstack/cert-manager-controller@sha256:00
      - name: newest
        image: quay.io/jetstack/cert-manager-controller
      - name: filled
        image: registry.k8s.io/metrics-server/metrics-server:${TAG}
      - name: other
        image: nginx:1.29
---
apiVersion: batch/v1
kind: CronJob
metadata: {name: job}
spec: {jobTemplate: {spec: {template: {spec: {containers: [{name: k, image: registry.k8s.io/kube-scheduler:v1.33.1}]}}}}}
"#,
        )],
        &[
            "controller kubectl 1.33 @apps.yaml:9:53 by Deployment ca",
            "controller cluster-autoscaler v1.34.1 @apps.yaml:12:62 by Deployment ca",
            "controller cert-manager ? by Deployment ca",
            "controller cert-manager - by Deployment ca",
            "controller metrics-server ? by Deployment ca",
            "controller kube-scheduler v1.33.1 @apps.yaml:25:108 by CronJob job",
            "not read @apps.yaml:14:16: the version of cert-manager cannot be told from a digest (`quay.io/jetstack/cert-manager-controller@sha256:00`); name the tag beside it",
            "not read @apps.yaml:18:16: the version of metrics-server is filled in from outside (`registry.k8s.io/metrics-server/metrics-server:${TAG}`)",
        ],
    );
}

#[test]
fn charts_wherever_they_are_installed_from() {
    check(
        &[
            (
                "argo.yaml",
                "apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {name: a}\nspec:\n  sources:\n  - {chart: karpenter, repoURL: public.ecr.aws/karpenter, targetRevision: 1.5.0}\n  - {repoURL: https://git, targetRevision: main, ref: values}\n",
            ),
            (
                "flux.yaml",
                "apiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\nmetadata: {name: f, namespace: x}\nspec:\n  chart:\n    spec: {chart: keda, version: 2.18.1}\n",
            ),
            (
                "chart/Chart.yaml",
                "apiVersion: v2\nname: umbrella\ndependencies:\n- {name: cert-manager, version: v1.19.1, repository: https://charts.jetstack.io}\n- {name: metrics-server, version: 0.0.0, repository: \"file://../x\"}\n",
            ),
            (
                "k/kustomization.yaml",
                "helmCharts:\n- {name: external-secrets, version: 2.7.0, releaseName: es}\n",
            ),
            (
                "main.tf",
                "resource \"helm_release\" \"k\" {\n  name       = \"karpenter\"\n  repository = \"oci://public.ecr.aws/karpenter\"\n  chart      = \"karpenter\"\n  version    = \"1.6.0\"\n}\nresource \"helm_release\" \"local\" {\n  name  = \"karpenter\"\n  chart = \"./charts/karpenter\"\n}\n",
            ),
        ],
        &[
            "controller karpenter 1.5.0 @argo.yaml:6:75 by Application a",
            "controller cert-manager v1.19.1 @chart/Chart.yaml:4:33 by Chart umbrella",
            "controller keda 2.18.1 @flux.yaml:6:34 by HelmRelease f",
            "controller external-secrets 2.7.0 @k/kustomization.yaml:2:37 by Kustomization es",
            "controller karpenter 1.6.0 @main.tf:5:16 by helm_release karpenter",
        ],
    );
}

#[test]
fn manifests_in_terraform() {
    check(
        &[(
            "main.tf",
            r#"
resource "aws_eks_cluster" "this" {
  name    = "shop"
  version = "1.34"
}
resource "kubectl_manifest" "class" {
  yaml_body = <<-YAML
    apiVersion: karpenter.k8s.aws/v1
    kind: EC2NodeClass
    metadata:
      name: default
    spec:
      amiSelectorTerms:
      - alias: al2@latest
  YAML
}
"#,
        )],
        &[
            "cluster shop 1.34 @main.tf:4:13",
            "  Karpenter node class default - follows, Amazon Linux 2 @main.tf:14:16",
        ],
    );
}

#[test]
fn charts_of_application_sets_and_of_registries_of_images() {
    check(
        &[
            (
                "set.yaml",
                "apiVersion: argoproj.io/v1alpha1\nkind: ApplicationSet\nmetadata: {name: s}\nspec:\n  template:\n    spec:\n      source: {chart: keda, targetRevision: '{{values.version}}'}\n",
            ),
            (
                "flux/repository.yaml",
                "apiVersion: source.toolkit.fluxcd.io/v1\nkind: OCIRepository\nmetadata: {name: cm}\nspec:\n  url: oci://quay.io/jetstack/charts/cert-manager\n  ref: {tag: v1.19.1}\n",
            ),
            (
                "flux/release.yaml",
                "apiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\nmetadata: {name: cert-manager, namespace: cm}\nspec:\n  chartRef: {kind: OCIRepository, name: cm}\n",
            ),
        ],
        &[
            "controller keda ? by ApplicationSet s",
            "controller cert-manager v1.19.1 @flux/repository.yaml:6:14 by HelmRelease cert-manager",
            "not read @set.yaml:7:45: the version of chart keda is filled in from outside (`{{values.version}}`)",
        ],
    );
}
