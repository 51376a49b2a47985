//! The way to a version and the way back, as steps that the skew policy allows one by one.

use eks_model::{Hop, KubeMinor, Window, WindowError};

use crate::skew::{self, ApiServers, Skew};

/// The hops from one minor to another: one minor each, as EKS demands.
///
/// "You can only update one minor version at a time": <https://docs.aws.amazon.com/eks/latest/userguide/update-cluster.html>
/// (2026-02-01)
///
/// ```
/// let hops = eks_skew::hops("1.34".parse()?, "1.37".parse()?)?;
/// assert_eq!(hops.len(), 3);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// [`WindowError`] when `from` is above `to`.
pub fn hops(from: KubeMinor, to: KubeMinor) -> Result<Vec<Hop>, WindowError> {
    Ok(Window::new(from, to)?.hops().collect())
}

/// When nodes are rolled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Policy {
    /// Nodes match the control plane before each hop. AWS's texts disagree on whether EKS demands
    /// it; who does it is right by both.
    Conservative,
    /// Nodes are rolled as late as the skew policy allows, and at the end.
    Lazy,
}

/// A group of nodes and the version of its kubelets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupVersion {
    /// Its name.
    pub name: String,
    /// The version of its kubelets.
    pub kubelet: KubeMinor,
}

/// The versions in a cluster that the skew policy speaks of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Versions {
    /// The control plane.
    pub control_plane: KubeMinor,
    /// kube-proxy, where it is known.
    pub kube_proxy: Option<KubeMinor>,
    /// The nodes.
    pub groups: Vec<GroupVersion>,
}

/// Two versions that may not run together.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Violation {
    /// The kubelets of a group are newer than the control plane.
    KubeletNewer(String),
    /// The kubelets of a group are too old for the control plane.
    KubeletOlder(String),
    /// kube-proxy is newer than the control plane.
    KubeProxyNewer,
    /// kube-proxy is too old for the control plane.
    KubeProxyOlder,
    /// kube-proxy is too far from the kubelets of a group.
    KubeProxyBesideKubelet(String),
}

impl Versions {
    /// What the skew policy forbids in these versions, beside API servers of up to two versions.
    fn violations_beside(&self, servers: ApiServers) -> Vec<Violation> {
        let mut found = Vec::new();
        for group in &self.groups {
            match skew::kubelet(group.kubelet, servers) {
                Skew::Within => {}
                Skew::Newer { .. } => found.push(Violation::KubeletNewer(group.name.clone())),
                Skew::Older { .. } => found.push(Violation::KubeletOlder(group.name.clone())),
            }
        }
        if let Some(kube_proxy) = self.kube_proxy {
            match skew::kube_proxy(kube_proxy, servers) {
                Skew::Within => {}
                Skew::Newer { .. } => found.push(Violation::KubeProxyNewer),
                Skew::Older { .. } => found.push(Violation::KubeProxyOlder),
            }
            for group in &self.groups {
                if !skew::kube_proxy_beside_kubelet(kube_proxy, group.kubelet).is_within() {
                    found.push(Violation::KubeProxyBesideKubelet(group.name.clone()));
                }
            }
        }
        found.sort();
        found.dedup();
        found
    }

    /// What the skew policy forbids in these versions.
    pub fn violations(&self) -> Vec<Violation> {
        self.violations_beside(self.control_plane.into())
    }

    /// What the skew policy forbids while a step is under way: during a hop, API servers of both
    /// versions answer.
    pub fn violations_during(&self, step: &Step) -> Vec<Violation> {
        match step {
            Step::ControlPlane { to, .. } => self.violations_beside(ApiServers {
                oldest: self.control_plane.min(*to),
                newest: self.control_plane.max(*to),
            }),
            Step::KubeProxy { .. } | Step::Nodes { .. } => self.violations(),
        }
    }

    /// The versions after a step.
    #[must_use]
    pub fn after(&self, step: &Step) -> Self {
        let mut next = self.clone();
        match step {
            Step::ControlPlane { to, .. } => next.control_plane = *to,
            Step::KubeProxy { to, .. } => next.kube_proxy = Some(*to),
            Step::Nodes { group, to, .. } => {
                for nodes in next.groups.iter_mut().filter(|nodes| nodes.name == *group) {
                    nodes.kubelet = *to;
                }
            }
        }
        next
    }
}

/// One step of the way.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Step {
    /// The control plane, by one minor.
    ControlPlane {
        /// From this version.
        from: KubeMinor,
        /// To this version.
        to: KubeMinor,
    },
    /// kube-proxy.
    KubeProxy {
        /// From this version.
        from: KubeMinor,
        /// To this version.
        to: KubeMinor,
    },
    /// The nodes of a group: they are replaced.
    Nodes {
        /// The group.
        group: String,
        /// From this version.
        from: KubeMinor,
        /// To this version.
        to: KubeMinor,
    },
}

/// The steps from the versions in use to a version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// When nodes are rolled.
    pub policy: Policy,
    /// The steps, in order.
    pub steps: Vec<Step>,
}

impl Plan {
    /// The groups that must be rolled before the hop to a version, in order.
    pub fn rolls_before(&self, to: KubeMinor) -> Vec<&str> {
        let mut rolls = Vec::new();
        for step in &self.steps {
            match step {
                Step::Nodes { group, .. } => rolls.push(group.as_str()),
                Step::ControlPlane { to: at, .. } if *at == to => return rolls,
                Step::ControlPlane { .. } => rolls.clear(),
                Step::KubeProxy { .. } => {}
            }
        }
        Vec::new()
    }
}

/// Takes steps in an order in which none of them brings about what the skew policy forbids.
fn take(versions: &mut Versions, steps: &mut Vec<Step>, mut open: Vec<Step>) {
    while !open.is_empty() {
        let now = versions.violations();
        let harmless =
            |step: &Step| versions.after(step).violations().iter().all(|found| now.contains(found));
        // Where every order does some harm, the versions were too far apart before.
        let next = open.iter().position(harmless).unwrap_or(0);
        let step = open.remove(next);
        *versions = versions.after(&step);
        steps.push(step);
    }
}

/// The steps that bring kube-proxy and the nodes up to the control plane, where they are wanted.
fn catch_up(versions: &Versions, wanted: impl Fn(KubeMinor) -> bool) -> Vec<Step> {
    let to = versions.control_plane;
    let moves = |from: &KubeMinor| *from < to && wanted(*from);
    let kube_proxy = versions.kube_proxy.filter(moves).map(|from| Step::KubeProxy { from, to });
    let groups = versions.groups.iter().filter(|group| moves(&group.kubelet)).map(|group| Step::Nodes {
        group: group.name.clone(),
        from: group.kubelet,
        to,
    });
    kube_proxy.into_iter().chain(groups).collect()
}

/// Plans the way up: which nodes must be rolled before which hop. At its end everything has the
/// version.
///
/// From versions that the skew policy allows, no step passes through a state that it forbids. Nodes
/// that are too old at the start are rolled before the first hop; nodes above the control plane wait
/// for it.
///
/// ```
/// use eks_model::KubeMinor;
/// use eks_skew::{GroupVersion, Policy, Versions, plan};
/// let minor = KubeMinor::new;
/// let versions = Versions {
///     control_plane: minor(34),
///     kube_proxy: Some(minor(34)),
///     groups: vec![GroupVersion { name: "batch".into(), kubelet: minor(33) }],
/// };
/// let late = plan(&versions, minor(37), Policy::Lazy)?;
/// assert!(late.rolls_before(minor(36)).is_empty());
/// assert_eq!(late.rolls_before(minor(37)), ["batch"]); // 1.33 would be 4 behind 1.37
/// # Ok::<(), eks_model::WindowError>(())
/// ```
///
/// # Errors
/// [`WindowError`] when the version is below the control plane's.
pub fn plan(versions: &Versions, to: KubeMinor, policy: Policy) -> Result<Plan, WindowError> {
    let hops = hops(versions.control_plane, to)?;
    let mut versions = versions.clone();
    let mut steps = Vec::new();
    for hop in hops {
        let needed = |version: KubeMinor| match policy {
            Policy::Conservative => true,
            // Too old now already, or after the hop.
            Policy::Lazy => {
                !skew::kubelet(version, ApiServers { oldest: hop.from(), newest: hop.to() }).is_within()
            }
        };
        // The limits of kube-proxy beside an API server are those of the kubelet.
        let open = catch_up(&versions, needed);
        take(&mut versions, &mut steps, open);
        take(&mut versions, &mut steps, vec![Step::ControlPlane { from: hop.from(), to: hop.to() }]);
    }
    let open = catch_up(&versions, |_| true);
    take(&mut versions, &mut steps, open);
    Ok(Plan { policy, steps })
}

/// Plans the way back by one minor: nodes and kube-proxy before the control plane, since neither
/// may be newer than it. `None` below 1.0.
///
/// "Roll back your nodes before the control plane": <https://docs.aws.amazon.com/eks/latest/userguide/rollback-cluster.html>
/// (2026-07-01)
pub fn plan_back(versions: &Versions) -> Option<Plan> {
    let to = versions.control_plane.previous()?;
    let mut now = versions.clone();
    let mut steps = Vec::new();
    let kube_proxy = now.kube_proxy.filter(|&from| from > to).map(|from| Step::KubeProxy { from, to });
    let groups = versions.groups.iter().filter(|group| group.kubelet > to).map(|group| Step::Nodes {
        group: group.name.clone(),
        from: group.kubelet,
        to,
    });
    take(&mut now, &mut steps, kube_proxy.into_iter().chain(groups).collect());
    steps.push(Step::ControlPlane { from: versions.control_plane, to });
    Some(Plan { policy: Policy::Conservative, steps })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const fn m(minor: u16) -> KubeMinor {
        KubeMinor::new(minor)
    }

    fn versions(control_plane: u16, kube_proxy: Option<u16>, kubelets: &[u16]) -> Versions {
        Versions {
            control_plane: m(control_plane),
            kube_proxy: kube_proxy.map(m),
            groups: kubelets
                .iter()
                .enumerate()
                .map(|(n, &kubelet)| GroupVersion { name: format!("g{n}"), kubelet: m(kubelet) })
                .collect(),
        }
    }

    fn shown(plan: &Plan) -> Vec<String> {
        plan.steps
            .iter()
            .map(|step| match step {
                Step::ControlPlane { to, .. } => format!("control plane {to}"),
                Step::KubeProxy { to, .. } => format!("kube-proxy {to}"),
                Step::Nodes { group, to, .. } => format!("{group} {to}"),
            })
            .collect()
    }

    #[test]
    fn nodes_match_before_each_hop() {
        let plan = plan(&versions(34, Some(34), &[33]), m(36), Policy::Conservative).unwrap();
        assert_eq!(
            shown(&plan),
            [
                "g0 1.34",
                "control plane 1.35",
                "kube-proxy 1.35",
                "g0 1.35",
                "control plane 1.36",
                "kube-proxy 1.36",
                "g0 1.36"
            ]
        );
    }

    #[test]
    fn nodes_are_rolled_as_late_as_the_policy_allows() {
        let plan = plan(&versions(34, Some(34), &[33, 34]), m(37), Policy::Lazy).unwrap();
        assert_eq!(
            shown(&plan),
            [
                "control plane 1.35",
                "control plane 1.36",
                "g0 1.36",
                "control plane 1.37",
                "kube-proxy 1.37",
                "g0 1.37",
                "g1 1.37"
            ]
        );
        assert_eq!(plan.rolls_before(m(37)), ["g0"]);
    }

    #[test]
    fn going_back_the_nodes_go_first() {
        let plan = plan_back(&versions(37, Some(37), &[37, 36])).unwrap();
        assert_eq!(shown(&plan), ["kube-proxy 1.36", "g0 1.36", "control plane 1.36"]);
    }

    /// Versions that the rules allow: so many minors behind, as far as they may be.
    fn legal(start: u16, kube_proxy: Option<u16>, behind: &[u16]) -> Versions {
        let oldest = skew::oldest_kubelet(m(start)).minor();
        let back = |behind: u16| start.saturating_sub(behind).max(oldest);
        let versions =
            versions(start, kube_proxy.map(back), &behind.iter().map(|&b| back(b)).collect::<Vec<_>>());
        assert_eq!(versions.violations(), Vec::new());
        versions
    }

    proptest! {
        #[test]
        fn no_plan_passes_through_what_the_rules_forbid(
            start in 20u16..45, length in 0u16..8, proxy in prop::option::of(0u16..4),
            behind in prop::collection::vec(0u16..4, 0..4), lazy in any::<bool>(),
        ) {
            let policy = if lazy { Policy::Lazy } else { Policy::Conservative };
            let mut now = legal(start, proxy, &behind);
            let to = m(start + length);
            let plan = plan(&now, to, policy).unwrap();
            for step in &plan.steps {
                if let Step::ControlPlane { from, to } = step {
                    prop_assert_eq!((*from, *to), (now.control_plane, now.control_plane.next()));
                }
                prop_assert_eq!(now.violations_during(step), Vec::new(), "during {:?} of {:?}", step, plan);
                now = now.after(step);
                prop_assert_eq!(now.violations(), Vec::new(), "after {:?} of {:?}", step, plan);
            }
            // At the end everything has the version.
            prop_assert_eq!(now.control_plane, to);
            prop_assert!(now.groups.iter().all(|group| group.kubelet == to));
            prop_assert!(now.kube_proxy.is_none_or(|version| version == to));
        }

        #[test]
        fn a_forbidden_start_is_mended_before_the_first_hop(
            start in 20u16..45, length in 0u16..8, proxy in prop::option::of(0u16..9),
            behind in prop::collection::vec(0u16..9, 0..4), lazy in any::<bool>(),
        ) {
            let policy = if lazy { Policy::Lazy } else { Policy::Conservative };
            let mut now = versions(start, proxy.map(|b| start - b), &behind.iter().map(|b| start - b).collect::<Vec<_>>());
            let plan = plan(&now, m(start + length), policy).unwrap();
            for step in &plan.steps {
                if matches!(step, Step::ControlPlane { .. }) {
                    prop_assert_eq!(now.violations_during(step), Vec::new(), "during {:?} of {:?}", step, plan);
                }
                now = now.after(step);
            }
            prop_assert_eq!(now.violations(), Vec::new());
        }

        #[test]
        fn the_lazy_plan_is_never_longer(
            start in 20u16..45, length in 0u16..8, proxy in prop::option::of(0u16..4),
            behind in prop::collection::vec(0u16..4, 0..4),
        ) {
            let versions = legal(start, proxy, &behind);
            let steps = |policy| plan(&versions, m(start + length), policy).unwrap().steps.len();
            prop_assert!(steps(Policy::Lazy) <= steps(Policy::Conservative));
        }

        #[test]
        fn rolling_a_group_up_adds_no_violation_of_its_own(
            start in 20u16..45, behind in prop::collection::vec(0u16..9, 1..4), up in 0u16..9,
        ) {
            let versions = versions(start, None, &behind.iter().map(|b| start - b).collect::<Vec<_>>());
            let from = versions.groups[0].kubelet;
            let to = m((from.minor() + up).min(start));
            let after = versions.after(&Step::Nodes { group: "g0".to_owned(), from, to });
            let before = versions.violations();
            prop_assert!(after.violations().iter().all(|found| before.contains(found)));
        }

        #[test]
        fn the_way_back_is_legal_too(
            start in 20u16..45, proxy in prop::option::of(0u16..4), behind in prop::collection::vec(0u16..4, 0..4),
        ) {
            let mut now = legal(start, proxy, &behind);
            let plan = plan_back(&now).unwrap();
            for step in &plan.steps {
                prop_assert_eq!(now.violations_during(step), Vec::new(), "during {:?}", step);
                now = now.after(step);
                prop_assert_eq!(now.violations(), Vec::new(), "after {:?}", step);
            }
            prop_assert_eq!(now.control_plane, m(start - 1));
        }
    }
}
