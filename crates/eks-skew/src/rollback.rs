//! Whether a control plane can go back to the version before, and until when.

use eks_model::{KubeMinor, SupportType};
use jiff::{SignedDuration, Timestamp};

use crate::Support;

/// How long after the end of an upgrade EKS lets a control plane go back: seven days.
///
/// <https://docs.aws.amazon.com/eks/latest/userguide/rollback-cluster.html> (2026-07-01)
pub const WINDOW: SignedDuration = SignedDuration::from_hours(7 * 24);

/// What decides on the way back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RollbackFacts {
    /// The version of the control plane.
    pub current: KubeMinor,
    /// The version that the cluster was created at, where it is known.
    pub created_at: Option<KubeMinor>,
    /// When the last upgrade of the control plane ended; `None` when there was none.
    pub upgrade_ended: Option<Timestamp>,
    /// EKS itself made that upgrade, at the end of extended support.
    pub forced_by_end_of_support: bool,
    /// The cluster's upgrade policy.
    pub policy: SupportType,
    /// Where the version before is in its life.
    pub support_of_previous: Support,
}

/// Why there is no way back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum NoWayBack {
    /// The control plane was never upgraded.
    NeverUpgraded,
    /// The cluster was created at this version.
    CreatedHere,
    /// The seven days are over.
    WindowOver,
    /// EKS upgraded it at the end of extended support.
    ForcedByEndOfSupport,
    /// EKS no longer supports the version before.
    PreviousUnsupported,
    /// The version before is in extended support, and the upgrade policy does not allow that:
    /// change it to EXTENDED first.
    PolicyForbidsExtended,
}

/// Whether there is a way back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Rollback {
    /// There is, until this moment.
    Open {
        /// The end of the seven days.
        until: Timestamp,
    },
    /// There is none, for these reasons.
    Closed {
        /// All that stand against it.
        reasons: Vec<NoWayBack>,
    },
}

/// Whether a control plane can go back by one minor now.
///
/// ```
/// use eks_model::{KubeMinor, SupportType};
/// use eks_skew::{Rollback, RollbackFacts, Support, rollback};
/// let facts = RollbackFacts {
///     current: KubeMinor::new(36),
///     created_at: Some(KubeMinor::new(33)),
///     upgrade_ended: Some("2026-11-20T08:00:00Z".parse()?),
///     forced_by_end_of_support: false,
///     policy: SupportType::Extended,
///     support_of_previous: Support::Standard { days_left: 123 },
/// };
/// let open = rollback(&facts, "2026-11-24T12:00:00Z".parse()?);
/// assert_eq!(open, Rollback::Open { until: "2026-11-27T08:00:00Z".parse()? });
/// # Ok::<(), jiff::Error>(())
/// ```
pub fn rollback(facts: &RollbackFacts, now: Timestamp) -> Rollback {
    let mut reasons = Vec::new();
    if facts.created_at == Some(facts.current) {
        reasons.push(NoWayBack::CreatedHere);
    }
    let until = facts.upgrade_ended.map(|ended| ended.saturating_add(WINDOW).unwrap_or(Timestamp::MAX));
    match until {
        None => reasons.push(NoWayBack::NeverUpgraded),
        Some(until) if now >= until => reasons.push(NoWayBack::WindowOver),
        Some(_) => {}
    }
    if facts.forced_by_end_of_support {
        reasons.push(NoWayBack::ForcedByEndOfSupport);
    }
    match (facts.support_of_previous, facts.policy) {
        (Support::Ended | Support::NotYet, _) => reasons.push(NoWayBack::PreviousUnsupported),
        (Support::Extended { .. }, SupportType::Standard) => reasons.push(NoWayBack::PolicyForbidsExtended),
        (Support::Extended { .. }, SupportType::Extended) | (Support::Standard { .. }, _) => {}
    }
    match until {
        Some(until) if reasons.is_empty() => Rollback::Open { until },
        _ => Rollback::Closed { reasons },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts() -> RollbackFacts {
        RollbackFacts {
            current: KubeMinor::new(36),
            created_at: Some(KubeMinor::new(33)),
            upgrade_ended: Some("2026-11-20T08:00:00Z".parse().unwrap()),
            forced_by_end_of_support: false,
            policy: SupportType::Extended,
            support_of_previous: Support::Standard { days_left: 100 },
        }
    }

    #[test]
    fn each_reason_closes_the_way_back() {
        let now: Timestamp = "2026-11-24T12:00:00Z".parse().unwrap();
        let late: Timestamp = "2026-11-27T08:00:00Z".parse().unwrap();
        assert!(matches!(rollback(&facts(), now), Rollback::Open { .. }));
        let extended = Support::Extended { days_left: 3 };
        for (changed, now, reason) in [
            (RollbackFacts { created_at: Some(KubeMinor::new(36)), ..facts() }, now, NoWayBack::CreatedHere),
            (RollbackFacts { upgrade_ended: None, ..facts() }, now, NoWayBack::NeverUpgraded),
            (facts(), late, NoWayBack::WindowOver),
            (
                RollbackFacts { forced_by_end_of_support: true, ..facts() },
                now,
                NoWayBack::ForcedByEndOfSupport,
            ),
            (
                RollbackFacts { support_of_previous: Support::Ended, ..facts() },
                now,
                NoWayBack::PreviousUnsupported,
            ),
            (
                RollbackFacts { support_of_previous: extended, policy: SupportType::Standard, ..facts() },
                now,
                NoWayBack::PolicyForbidsExtended,
            ),
        ] {
            assert_eq!(rollback(&changed, now), Rollback::Closed { reasons: vec![reason] });
        }
        let extended = RollbackFacts { support_of_previous: extended, ..facts() };
        assert!(matches!(rollback(&extended, now), Rollback::Open { .. }), "the policy allows it");
    }
}
