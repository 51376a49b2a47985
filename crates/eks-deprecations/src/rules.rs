//! The rules about APIs, as data: `docs/rules.md` is generated from here.

use eks_model::{Example, Rule};

/// An API that goes away.
pub static REMOVED: Rule = Rule {
    id: "API001",
    title: "removed API",
    checks: "An object (or an item of a list, or a field that names an API) uses an API that is no \
             longer served at some minor of the window, its ends included. Status `removed`; \
             `possible` when it stands in an unrendered template; `reference` when a field names it. \
             Severity `block`; `warn` when only one branch of a template has it, or when the format \
             belongs to a program that does not run on EKS; `info` for requests, which nobody stores.",
    why: "From that minor on the API server answers 404 for it: the next `kubectl apply`, Helm \
          upgrade or sync fails. Objects that are already stored live on under the newer version.",
    since_until: "Every minor in the catalogue; removals above the newest release known are \
                  announced, and called forecasts.",
    source: "Kubernetes API lifecycle markers in k8s.io/api and its sibling modules, v0.17.0 to \
             v0.37.0 (2026-08-26); https://kubernetes.io/docs/reference/using-api/deprecation-guide/",
    example: Example {
        text: "apiVersion: policy/v1beta1\nkind: PodDisruptionBudget\nmetadata:\n  name: web\n",
        from: 24,
        to: 25,
        before: None,
    },
};

/// An API that will go away.
pub static DEPRECATED: Rule = Rule {
    id: "API002",
    title: "deprecated API",
    checks: "An object uses an API that is deprecated at some minor of the window and still served \
             at its end. Severity `warn`; `info` for requests.",
    why: "It works after this upgrade, and will not after a later one. Now there is time.",
    since_until: "Every minor in the catalogue.",
    source: "As for API001. The minor is the one that `kubectl` warns with (\"deprecated in v1.N+\").",
    example: Example {
        text: "apiVersion: v1\nkind: Endpoints\nmetadata:\n  name: legacy\n",
        from: 32,
        to: 34,
        before: None,
    },
};

/// An API that is not there yet.
pub static NOT_YET_SERVED: Rule = Rule {
    id: "API003",
    title: "API not served at the start",
    checks: "An object uses an API that the first minor of the window does not serve yet. \
             Severity `block`; `info` for requests.",
    why: "A manifest must work at every version in between: applied before or during the upgrade, \
          this one fails. It is the mistake of switching to a replacement too early.",
    since_until: "Every minor in the catalogue.",
    source: "As for API001.",
    example: Example {
        text: "apiVersion: storage.k8s.io/v1\nkind: VolumeAttributesClass\nmetadata:\n  name: gold\n",
        from: 33,
        to: 35,
        before: None,
    },
};

/// An API that EKS does not serve.
pub static NOT_SERVED: Rule = Rule {
    id: "API004",
    title: "API that EKS never serves",
    checks: "An object uses an alpha API, or a beta that is new since 1.24, which EKS does not turn \
             on; or a version and kind that no Kubernetes release has, in a group of Kubernetes' own. \
             Severity `warn`: nothing breaks by the upgrade. Where a removal applies too, API001 wins.",
    why: "It has never worked on EKS, and the upgrade does not change that.",
    since_until: "Betas new since 1.24; alphas always. Exceptions are rows of the catalogue \
                  (VolumeAttributesClass, on in EKS since 1.31; dynamic resource allocation, since 1.33).",
    source: "https://docs.aws.amazon.com/eks/latest/userguide/kubernetes-versions.html (2026); \
             https://github.com/kubernetes/enhancements/issues/3136",
    example: Example {
        text: "apiVersion: admissionregistration.k8s.io/v1beta1\nkind: MutatingAdmissionPolicy\nmetadata:\n  name: images\n",
        from: 34,
        to: 36,
        before: None,
    },
};

/// An API of a project beside Kubernetes.
pub static VENDOR: Rule = Rule {
    id: "API005",
    title: "API that its project took away",
    checks: "An object uses an API of a project beside Kubernetes (cert-manager, the CSI snapshotter, \
             Istio) that this project no longer serves. Severity `warn`: which version of the project \
             runs, a manifest does not say.",
    why: "The upgrade of Kubernetes sooner or later demands a newer version of the project, and with \
          it the object can no longer be applied.",
    since_until: "The project's own versions, in `data/vendors.tsv`.",
    source: "The projects' release notes and upgrade guides, one in each row (2026-11-24).",
    example: Example {
        text: "apiVersion: cert-manager.io/v1alpha2\nkind: Issuer\nmetadata:\n  name: ca\n",
        from: 33,
        to: 34,
        before: None,
    },
};

/// All rules, by id.
pub static ALL: [&Rule; 5] = [&REMOVED, &DEPRECATED, &NOT_YET_SERVED, &NOT_SERVED, &VENDOR];
