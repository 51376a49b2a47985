//! Which versions may run together: the version skew policy of Kubernetes, one function a rule.

use std::fmt;
use std::sync::OnceLock;

use eks_model::KubeMinor;
use eks_model::table::{TableError, rows};

static TABLE: &str = include_str!("../data/skew.tsv");

/// The API servers of a cluster: while a control plane is replaced, old and new ones run at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ApiServers {
    /// The oldest that answers.
    pub oldest: KubeMinor,
    /// The newest that answers.
    pub newest: KubeMinor,
}

impl From<KubeMinor> for ApiServers {
    fn from(minor: KubeMinor) -> Self {
        Self { oldest: minor, newest: minor }
    }
}

/// Whether a version may run beside another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Skew {
    /// It may.
    Within,
    /// It is newer by more than is allowed.
    Newer {
        /// Minors by which it is newer.
        by: u16,
        /// Minors by which it may be.
        allowed: u16,
    },
    /// It is older by more than is allowed.
    Older {
        /// Minors by which it is older.
        by: u16,
        /// Minors by which it may be.
        allowed: u16,
    },
}

impl Skew {
    /// Whether the two may run together.
    pub fn is_within(self) -> bool {
        self == Self::Within
    }
}

/// How far a component may be from what it runs beside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limit {
    /// The component.
    pub component: &'static str,
    /// What it runs beside.
    pub beside: &'static str,
    /// For which of its own versions this holds.
    versions: Versions,
    /// Minors by which it may be newer.
    pub newer: u16,
    /// Minors by which it may be older.
    pub older: u16,
    /// Where it can be read.
    pub source: &'static str,
    /// When it was: `2026-08-22`.
    pub as_of: &'static str,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Versions {
    All,
    Below(KubeMinor),
    From(KubeMinor),
}

impl Versions {
    fn hold(self, minor: KubeMinor) -> bool {
        match self {
            Self::All => true,
            Self::Below(end) => minor < end,
            Self::From(start) => minor >= start,
        }
    }
}

impl fmt::Display for Versions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::All => f.write_str("all versions"),
            Self::Below(end) => write!(f, "below {end}"),
            Self::From(start) => write!(f, "{start} on"),
        }
    }
}

fn parse(text: &'static str) -> Result<Vec<Limit>, TableError> {
    rows::<7>("skew.tsv", text)
        .map(|row| {
            let row = row?;
            let [component, beside, versions, newer, older, source, as_of] = row.columns;
            let versions = match versions {
                "all" => Versions::All,
                text => match (text.strip_prefix("below "), text.strip_suffix(" on")) {
                    (Some(end), _) => Versions::Below(row.parse(end)?),
                    (_, Some(start)) => Versions::From(row.parse(start)?),
                    _ => return Err(row.error(format!("`{text}` names no versions"))),
                },
            };
            Ok(Limit {
                component,
                beside,
                versions,
                newer: row.parse(newer)?,
                older: row.parse(older)?,
                source,
                as_of,
            })
        })
        .collect()
}

/// All limits, as the table has them.
pub fn limits() -> &'static [Limit] {
    static LIMITS: OnceLock<Vec<Limit>> = OnceLock::new();
    // A test parses the table, so no build that passed its tests comes to the other branch.
    LIMITS.get_or_init(|| parse(TABLE).unwrap_or_else(|error| unreachable!("{error}")))
}

fn judge(component: &str, version: KubeMinor, beside: &str, oldest: KubeMinor, newest: KubeMinor) -> Skew {
    let limit = limits()
        .iter()
        .find(|limit| limit.component == component && limit.beside == beside && limit.versions.hold(version));
    // The table has a line for each pair that a function of this file asks for: a test calls them all.
    let Some(limit) = limit else { unreachable!("skew.tsv has no line for {component} beside {beside}") };
    let newer = version.minor().saturating_sub(oldest.minor());
    let older = newest.minor().saturating_sub(version.minor());
    if newer > limit.newer {
        Skew::Newer { by: newer, allowed: limit.newer }
    } else if older > limit.older {
        Skew::Older { by: older, allowed: limit.older }
    } else {
        Skew::Within
    }
}

/// Whether two API servers of one cluster may run at once.
///
/// "In highly-available (HA) clusters, the newest and oldest `kube-apiserver` instances must be within
/// one minor version." <https://kubernetes.io/releases/version-skew-policy/> (2026-08-22)
pub fn api_servers(servers: ApiServers) -> Skew {
    judge("kube-apiserver", servers.newest, "kube-apiserver", servers.oldest, servers.newest)
}

/// Whether a kubelet may run beside these API servers.
///
/// "`kubelet` must not be newer than `kube-apiserver`. `kubelet` may be up to three minor versions
/// older than `kube-apiserver` (`kubelet` < 1.25 may only be up to two minor versions older)." With
/// API servers of two versions, newer is counted from the oldest, older from the newest.
/// <https://kubernetes.io/releases/version-skew-policy/> (2026-08-22)
///
/// ```
/// use eks_skew::{Skew, kubelet};
/// use eks_model::KubeMinor;
/// let minor = |n| KubeMinor::new(n);
/// assert_eq!(kubelet(minor(34), minor(37).into()), Skew::Within);
/// assert_eq!(kubelet(minor(33), minor(37).into()), Skew::Older { by: 4, allowed: 3 });
/// assert_eq!(kubelet(minor(24), minor(27).into()), Skew::Older { by: 3, allowed: 2 });
/// assert_eq!(kubelet(minor(35), minor(34).into()), Skew::Newer { by: 1, allowed: 0 });
/// ```
pub fn kubelet(kubelet: KubeMinor, servers: ApiServers) -> Skew {
    judge("kubelet", kubelet, "kube-apiserver", servers.oldest, servers.newest)
}

/// Whether a kube-proxy may run beside these API servers.
///
/// "`kube-proxy` must not be newer than `kube-apiserver`. `kube-proxy` may be up to three minor
/// versions older than `kube-apiserver` (`kube-proxy` < 1.25 may only be up to two minor versions
/// older)." <https://kubernetes.io/releases/version-skew-policy/> (2026-08-22)
pub fn kube_proxy(kube_proxy: KubeMinor, servers: ApiServers) -> Skew {
    judge("kube-proxy", kube_proxy, "kube-apiserver", servers.oldest, servers.newest)
}

/// Whether a kube-proxy may run on a node with this kubelet.
///
/// "`kube-proxy` may be up to three minor versions older or newer than the `kubelet` instance it runs
/// alongside (`kube-proxy` < 1.25 may only be up to two minor versions older or newer)."
/// <https://kubernetes.io/releases/version-skew-policy/> (2026-08-22)
pub fn kube_proxy_beside_kubelet(kube_proxy: KubeMinor, kubelet: KubeMinor) -> Skew {
    judge("kube-proxy", kube_proxy, "kubelet", kubelet, kubelet)
}

/// Whether a kube-controller-manager may talk to these API servers.
///
/// "`kube-controller-manager`, `kube-scheduler`, and `cloud-controller-manager` must not be newer than
/// the `kube-apiserver` instances they communicate with. They are expected to match the
/// `kube-apiserver` minor version, but may be up to one minor version older (to allow live upgrades)."
/// <https://kubernetes.io/releases/version-skew-policy/> (2026-08-22)
pub fn controller_manager(version: KubeMinor, servers: ApiServers) -> Skew {
    judge("kube-controller-manager", version, "kube-apiserver", servers.oldest, servers.newest)
}

/// Whether a kube-scheduler may talk to these API servers; the sentence is that of
/// [`controller_manager`].
pub fn scheduler(version: KubeMinor, servers: ApiServers) -> Skew {
    judge("kube-scheduler", version, "kube-apiserver", servers.oldest, servers.newest)
}

/// Whether a cloud-controller-manager may talk to these API servers; the sentence is that of
/// [`controller_manager`].
pub fn cloud_controller_manager(version: KubeMinor, servers: ApiServers) -> Skew {
    judge("cloud-controller-manager", version, "kube-apiserver", servers.oldest, servers.newest)
}

/// Whether a kubectl may talk to these API servers.
///
/// "`kubectl` is supported within one minor version (older or newer) of `kube-apiserver`."
/// <https://kubernetes.io/releases/version-skew-policy/> (2026-08-22)
pub fn kubectl(kubectl: KubeMinor, servers: ApiServers) -> Skew {
    judge("kubectl", kubectl, "kube-apiserver", servers.oldest, servers.newest)
}

/// The oldest kubelet that may run beside an API server: what a group must be rolled to at least.
pub fn oldest_kubelet(api_server: KubeMinor) -> KubeMinor {
    (0..=api_server.minor())
        .map(KubeMinor::new)
        .find(|&version| kubelet(version, api_server.into()).is_within())
        .unwrap_or(api_server)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const fn m(minor: u16) -> KubeMinor {
        KubeMinor::new(minor)
    }

    #[test]
    fn every_limit_of_the_table_is_asked_for_by_a_function() {
        // (function's answer at the limit, one beyond it) for each line of the table.
        let api = |minor: u16| ApiServers::from(m(minor));
        let pair = |oldest, newest| ApiServers { oldest: m(oldest), newest: m(newest) };
        let cases = [
            ("kube-apiserver", "kube-apiserver", api_servers(pair(35, 36)), api_servers(pair(34, 36))),
            ("kubelet", "kube-apiserver", kubelet(m(24), api(26)), kubelet(m(24), api(27))),
            ("kubelet", "kube-apiserver", kubelet(m(25), api(28)), kubelet(m(25), api(29))),
            ("kube-proxy", "kube-apiserver", kube_proxy(m(24), api(26)), kube_proxy(m(24), api(27))),
            ("kube-proxy", "kube-apiserver", kube_proxy(m(34), api(37)), kube_proxy(m(33), api(37))),
            (
                "kube-proxy",
                "kubelet",
                kube_proxy_beside_kubelet(m(24), m(26)),
                kube_proxy_beside_kubelet(m(24), m(27)),
            ),
            (
                "kube-proxy",
                "kubelet",
                kube_proxy_beside_kubelet(m(37), m(34)),
                kube_proxy_beside_kubelet(m(37), m(33)),
            ),
            (
                "kube-controller-manager",
                "kube-apiserver",
                controller_manager(m(36), api(37)),
                controller_manager(m(35), api(37)),
            ),
            ("kube-scheduler", "kube-apiserver", scheduler(m(36), api(37)), scheduler(m(38), api(37))),
            (
                "cloud-controller-manager",
                "kube-apiserver",
                cloud_controller_manager(m(37), api(37)),
                cloud_controller_manager(m(35), api(37)),
            ),
            ("kubectl", "kube-apiserver", kubectl(m(38), api(37)), kubectl(m(39), api(37))),
        ];
        let table: Vec<_> = limits().iter().map(|limit| (limit.component, limit.beside)).collect();
        assert_eq!(cases.iter().map(|case| (case.0, case.1)).collect::<Vec<_>>(), table);
        for (component, beside, within, beyond) in cases {
            assert_eq!(within, Skew::Within, "{component} beside {beside}");
            assert_ne!(beyond, Skew::Within, "{component} beside {beside}");
        }
    }

    #[test]
    fn every_limit_has_a_source_and_a_day() {
        for limit in limits() {
            assert!(limit.source.starts_with("https://"), "{limit:?}");
            assert!(limit.as_of.parse::<jiff::civil::Date>().is_ok(), "{limit:?}");
        }
    }

    #[test]
    fn newer_is_a_finding_too() {
        assert_eq!(kubelet(m(38), m(37).into()), Skew::Newer { by: 1, allowed: 0 });
        assert_eq!(kube_proxy(m(38), m(37).into()), Skew::Newer { by: 1, allowed: 0 });
        assert_eq!(kube_proxy_beside_kubelet(m(37), m(33)), Skew::Newer { by: 4, allowed: 3 });
        assert_eq!(kube_proxy_beside_kubelet(m(33), m(37)), Skew::Older { by: 4, allowed: 3 });
        assert_eq!(controller_manager(m(38), m(37).into()), Skew::Newer { by: 1, allowed: 0 });
    }

    #[test]
    fn mixed_api_servers_count_from_both_ends() {
        // The example of the policy: servers at 1.37 and 1.36, kubelets 1.36 to 1.34.
        let mixed = ApiServers { oldest: m(36), newest: m(37) };
        for (version, within) in [(37, false), (36, true), (35, true), (34, true), (33, false)] {
            assert_eq!(kubelet(m(version), mixed).is_within(), within, "1.{version}");
        }
    }

    #[test]
    fn the_threshold_is_the_kubelets_own_version() {
        for (api, oldest) in [(24, 22), (25, 23), (26, 24), (27, 25), (28, 25), (29, 26), (37, 34)] {
            assert_eq!(oldest_kubelet(m(api)), m(oldest), "1.{api}");
        }
    }

    proptest! {
        #[test]
        fn a_newer_kubelet_that_is_not_above_the_server_is_never_worse(api in 0u16..80, behind in prop::array::uniform2(0u16..8)) {
            let [a, b] = behind.map(|behind| api.saturating_sub(behind));
            let (old, new) = (a.min(b), a.max(b));
            if kubelet(m(old), m(api).into()).is_within() {
                prop_assert!(kubelet(m(new), m(api).into()).is_within());
            }
        }

        #[test]
        fn any_versions_get_an_answer(a in 0u16.., b in 0u16..) {
            let api = ApiServers::from(m(b));
            for skew in [
                kubelet(m(a), api), kube_proxy(m(a), api), kubectl(m(a), api), scheduler(m(a), api),
                controller_manager(m(a), api), cloud_controller_manager(m(a), api), kube_proxy_beside_kubelet(m(a), m(b)),
            ] {
                match skew {
                    Skew::Within => {}
                    Skew::Newer { by, allowed } => prop_assert!(a > b && by == a - b && by > allowed),
                    Skew::Older { by, allowed } => prop_assert!(a < b && by == b - a && by > allowed),
                }
            }
        }
    }
}
