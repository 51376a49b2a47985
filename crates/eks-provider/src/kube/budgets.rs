//! Budgets: PodDisruptionBudgets, which say how many Pods may be out at a time.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;

use crate::Result;
use crate::calls::provider;
use crate::kube::{Condition, LabelSelector, ObjectMeta};
use crate::text::words;

/// A number, or a percentage.
///
/// ```
/// use eks_provider::kube::IntOrPercent;
/// assert_eq!("30%".parse(), Ok(IntOrPercent::Percent(30)));
/// assert_eq!(IntOrPercent::Percent(30).of(10), 3);
/// // What is no whole number is rounded up, or down where the field says so.
/// assert_eq!((IntOrPercent::Percent(25).of(10), IntOrPercent::Percent(25).of_rounded_down(10)), (3, 2));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum IntOrPercent {
    /// So many.
    Int(u32),
    /// So many of a hundred.
    Percent(u32),
}

impl IntOrPercent {
    /// How many that is of so many, rounded up: budgets, and the surge of a rollout.
    pub fn of(self, total: u32) -> u32 {
        match self {
            Self::Int(number) => number,
            Self::Percent(percent) => share(percent, total, 99),
        }
    }

    /// How many that is of so many, rounded down: `maxUnavailable` of a Deployment.
    pub fn of_rounded_down(self, total: u32) -> u32 {
        match self {
            Self::Int(number) => number,
            Self::Percent(percent) => share(percent, total, 0),
        }
    }
}

fn share(percent: u32, total: u32, round: u64) -> u32 {
    let share = (u64::from(percent).saturating_mul(u64::from(total)).saturating_add(round)) / 100;
    u32::try_from(share).unwrap_or(u32::MAX)
}

impl fmt::Display for IntOrPercent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Int(number) => number.fmt(f),
            Self::Percent(percent) => write!(f, "{percent}%"),
        }
    }
}

/// A text that is neither a number nor a percentage.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is neither a number nor a percentage; write it like 2 or 30%")]
pub struct ParseIntOrPercentError(String);

impl FromStr for IntOrPercent {
    type Err = ParseIntOrPercentError;

    fn from_str(input: &str) -> std::result::Result<Self, Self::Err> {
        let number =
            |text: &str| text.bytes().all(|b| b.is_ascii_digit()).then(|| text.parse().ok()).flatten();
        match input.strip_suffix('%') {
            Some(percent) => number(percent).map(Self::Percent),
            None => number(input).map(Self::Int),
        }
        .ok_or_else(|| ParseIntOrPercentError(input.to_owned()))
    }
}

crate::text::by_text!(IntOrPercent);

words! {
    /// Whether Pods that are not ready may be evicted.
    pub enum UnhealthyPodEvictionPolicy {
        /// Only while there are enough healthy ones: the default.
        IfHealthyBudget = "IfHealthyBudget",
        /// Always.
        AlwaysAllow = "AlwaysAllow",
    }
}

/// A PodDisruptionBudget.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Budget {
    /// What every object has.
    pub meta: ObjectMeta,
    /// Which Pods of its namespace it is for. An empty one is for all; `None` for none.
    pub selector: Option<LabelSelector>,
    /// So many must stay.
    pub min_available: Option<IntOrPercent>,
    /// So many may be out.
    pub max_unavailable: Option<IntOrPercent>,
    /// Whether Pods that are not ready may be evicted; `None` is the default.
    pub unhealthy_pod_eviction_policy: Option<UnhealthyPodEvictionPolicy>,
    /// How it stands, as its controller last saw it.
    pub status: BudgetStatus,
}

/// How a budget stands.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BudgetStatus {
    /// Which generation the rest is about.
    pub observed_generation: Option<i64>,
    /// How many Pods may be evicted now.
    pub disruptions_allowed: i32,
    /// How many are healthy.
    pub current_healthy: u32,
    /// How many must be.
    pub desired_healthy: u32,
    /// How many there are to be.
    pub expected_pods: u32,
    /// Pods whose eviction was accepted and that the controller has not yet seen leave.
    pub disrupted_pods: BTreeMap<String, Timestamp>,
    /// Its conditions.
    pub conditions: Vec<Condition>,
}

impl Budget {
    /// Whether it is for a Pod of this namespace with these labels; `None` where that is not known.
    pub fn covers(&self, namespace: &str, labels: &BTreeMap<String, String>) -> Option<bool> {
        match &self.selector {
            Some(selector) if self.meta.namespace.as_deref() == Some(namespace) => selector.matches(labels),
            Some(_) | None => Some(false),
        }
    }

    /// Whether its controller has seen it as it is now. Until then every eviction waits.
    pub fn is_observed(&self) -> bool {
        self.status.observed_generation >= self.meta.generation
    }
}

provider! {
    /// Reads budgets.
    #[access(Read)]
    pub trait BudgetReader {
        /// All budgets, sorted by namespace and name.
        #[rbac(
            ["list"] "policy" / "poddisruptionbudgets",
            ["watch"] "policy" / "poddisruptionbudgets" if "the adapter keeps a cache",
        )]
        async fn list_budgets(&self) -> Result<Vec<Budget>>;

        /// One budget, as it is now.
        #[rbac(["get"] "policy" / "poddisruptionbudgets")]
        async fn get_budget(&self, namespace: &str, name: &str) -> Result<Budget>;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mock::sample;

    #[test]
    fn shares_are_rounded_as_kubernetes_rounds_them() {
        for (percent, total, up, down) in
            [(0, 7, 0, 0), (50, 7, 4, 3), (100, 7, 7, 7), (1, 100, 1, 1), (1, 1, 1, 0), (200, 3, 6, 6)]
        {
            assert_eq!(IntOrPercent::Percent(percent).of(total), up, "{percent}% of {total}");
            assert_eq!(IntOrPercent::Percent(percent).of_rounded_down(total), down, "{percent}% of {total}");
        }
        assert_eq!(IntOrPercent::Percent(u32::MAX).of(u32::MAX), u32::MAX);
    }

    #[test]
    fn what_is_neither_number_nor_percentage_is_refused() {
        for text in ["", "%", "-1", "+1", "1.5", "ten", "10 %", "99999999999"] {
            let message = text.parse::<IntOrPercent>().unwrap_err().to_string();
            assert!(message.contains(&format!("`{text}`")), "{message}");
        }
    }

    #[test]
    fn a_budget_is_for_pods_of_its_own_namespace() {
        let mut budget = sample::budget("shop", "db");
        let labels = [("app".to_owned(), "db".to_owned())].into();
        assert_eq!(budget.covers("shop", &labels), Some(true));
        assert_eq!(budget.covers("bank", &labels), Some(false));
        budget.selector = Some(LabelSelector::default());
        assert_eq!(budget.covers("shop", &BTreeMap::new()), Some(true));
        budget.selector = None;
        assert_eq!(budget.covers("shop", &labels), Some(false));
    }

    #[test]
    fn a_status_of_an_older_generation_is_not_of_now() {
        let mut budget = sample::budget("shop", "db");
        assert!(budget.is_observed());
        budget.meta.generation = Some(2);
        assert!(!budget.is_observed());
        budget.status.observed_generation = None;
        assert!(!budget.is_observed());
    }
}
