//! Evictions: how a Pod is asked to leave its node, under the budgets, and what the API server answers.

use std::time::Duration;

use crate::Result;
use crate::calls::provider;

/// Which Pod is to leave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EvictPod {
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// Its uid: a namesake that was made since is not touched.
    pub uid: String,
}

/// What the API server answers to an eviction.
///
/// Answers that say something of the Pod and its budgets are values; what says nothing of them is a
/// [`ProviderError`](crate::ProviderError): 429 without a cause is
/// [`Class::Throttled`](crate::Class::Throttled) (priority and fairness), 403 of a role is
/// [`Class::Denied`](crate::Class::Denied), 5xx is [`Class::Transport`](crate::Class::Transport).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EvictionOutcome {
    /// It was accepted (in a dry run: it would be). The Pod is now given its grace period.
    Accepted,
    /// The Pod is no longer there, or is another one of the same name.
    Gone,
    /// A budget does not allow it now (429 with the cause `DisruptionBudget`).
    Blocked {
        /// The budget, where the message names it.
        budget: Option<String>,
        /// The API server's sentence: what is needed and what there is.
        message: String,
        /// How long it asks to wait. It says 0 when a budget allows nothing, and 10 s when the budget
        /// was not yet looked at.
        retry_after: Option<Duration>,
    },
    /// More than one budget is for the Pod (500): it can never be evicted until somebody changes that.
    ManyBudgets {
        /// The API server's sentence.
        message: String,
    },
    /// The budget is out of order for now (403): it allows less than nothing, or the controller lags behind.
    BudgetUnsettled {
        /// The API server's sentence.
        message: String,
    },
    /// The namespace is being deleted (403, cause `NamespaceTerminating`).
    NamespaceTerminating,
    /// A webhook refused it (4xx): it may be that an operator moves the Pod itself.
    RefusedByWebhook {
        /// The webhook, where the message names it.
        webhook: Option<String>,
        /// Its sentence.
        message: String,
    },
}

/// Which Pod is to be deleted past its budgets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeletePod {
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// Its uid: a namesake that was made since is not touched.
    pub uid: String,
    /// How long it is given; `None` is what it says itself.
    pub grace_period: Option<Duration>,
}

provider! {
    /// Asks what an eviction would be answered, and evicts nothing. The API server lets nobody ask
    /// who may not evict, so this is in no bundle of readers.
    #[access(DryRun)]
    pub trait EvictionProbe {
        /// What the API server would answer now. The budgets are looked at and not spent.
        #[rbac(["create"] "" / "pods/eviction")]
        async fn probe_eviction(&self, pod: &EvictPod) -> Result<EvictionOutcome>;
    }
}

provider! {
    /// Makes Pods leave.
    #[access(Write)]
    pub trait PodEvictor {
        /// Asks a Pod to leave, under its budgets, with the grace period that it says itself. Accepted
        /// is not gone: see [`PodReader::get_pod`](crate::kube::PodReader::get_pod) for its uid.
        #[rbac(["create"] "" / "pods/eviction")]
        async fn evict_pod(&self, pod: &EvictPod) -> Result<EvictionOutcome>;

        /// Deletes a Pod whatever its budgets say. A Pod of another uid is
        /// [`Class::Conflict`](crate::Class::Conflict).
        #[rbac(["delete"] "" / "pods")]
        async fn delete_pod(&self, pod: &DeletePod) -> Result<()>;
    }
}
