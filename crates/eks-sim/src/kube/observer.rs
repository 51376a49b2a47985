//! What is written down while the world runs, so that a test can say: no budget was ever broken by us.

use std::collections::BTreeMap;

use eks_provider::kube::BudgetStatus;
use jiff::Timestamp;

use super::objects::{Budget, BudgetId, Workload, WorkloadId};

/// How a budget has fared: by what the API said, and in truth.
///
/// The two differ. The disruption controller knows of Pods what their conditions say, and a machine that
/// stopped counts as healthy until the node controller gives it up. And between a Pod's condition and the
/// budget's status lies the controller's lag. Who evicts sees the status alone, so that is what it can be
/// held to ([`broken_by_eviction`](Self::broken_by_eviction)). In truth healthy is a Pod whose condition says
/// so and whose machine has not stopped; one whose kubelet is silent may run on after its condition says no
/// more that it is ready, and is counted out all the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BudgetRecord {
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// The fewest Pods that were ever healthy, of those whose machine ran, since there were enough for
    /// the first time; `None` before.
    pub least_healthy: Option<u32>,
    /// When that was.
    pub least_at: Option<Timestamp>,
    /// The least that was ever left over what was needed, in truth; below 0, it was broken (by whatever
    /// cause).
    pub least_margin: Option<i64>,
    /// The same by the budget's status (`currentHealthy`), since it said for the first time that there were
    /// enough.
    pub least_margin_in_status: Option<i64>,
    /// How many Pods have to be healthy now.
    pub desired_healthy: u32,
    /// How many evictions were accepted.
    pub evictions: u64,
    /// Accepted evictions of healthy Pods that the budget's status did not allow: the Pods that it last
    /// said were healthy, without those evicted since, were no more than needed. The eviction server
    /// accepts none such.
    pub broken_by_eviction: u64,
    /// Accepted evictions of healthy Pods after which fewer were healthy than needed, by the conditions of
    /// the Pods: something else had taken one in the moment before, and the controller had not seen it yet.
    pub broken_unseen: u64,
    /// Accepted evictions of healthy Pods after which fewer ran than needed, in truth: machines had stopped
    /// of which the API said nothing yet.
    pub broken_in_truth: u64,
    /// How many the status last said were healthy, without those evicted since.
    said: u32,
}

/// A Pod whose machine stopped under it: it was neither evicted nor deleted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LostPod {
    /// When.
    pub at: Timestamp,
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// Its node.
    pub node: String,
    /// Whether it had been asked to end, and was still at it.
    pub was_terminating: bool,
    /// How many budgets were for it.
    pub budgets: usize,
}

/// What was seen. Filled while the world runs.
#[derive(Debug, Clone, Default)]
pub struct Observer {
    budgets: BTreeMap<BudgetId, BudgetRecord>,
    ready: BTreeMap<WorkloadId, Vec<(Timestamp, u32)>>,
    names: BTreeMap<WorkloadId, String>,
    /// Pods whose machine stopped under them. Those of DaemonSets and static ones do not count.
    pub lost_pods: Vec<LostPod>,
    /// Pods that were deleted past their budgets by a call.
    pub deleted_past_budgets: u64,
    /// Pods that were deleted because their node was not ready or had a taint that they did not tolerate.
    pub taint_evictions: u64,
    /// What the actors have done, as sentences.
    pub deeds: Vec<(Timestamp, String)>,
}

impl Observer {
    /// How all budgets have fared, in the order in which they were made.
    pub fn budgets(&self) -> impl Iterator<Item = &BudgetRecord> {
        self.budgets.values()
    }

    /// How this budget has fared.
    pub fn budget_named(&self, namespace: &str, name: &str) -> Option<&BudgetRecord> {
        self.budgets.values().find(|budget| budget.namespace == namespace && budget.name == name)
    }

    /// How many Pods of a workload (`Deployment shop/web`) were ready, from when on.
    pub fn ready_over_time(&self, workload: &str) -> &[(Timestamp, u32)] {
        self.names
            .iter()
            .find(|(_, name)| *name == workload)
            .and_then(|(id, _)| self.ready.get(id))
            .map_or(&[], Vec::as_slice)
    }

    fn record(&mut self, id: BudgetId, budget: &Budget) -> &mut BudgetRecord {
        self.budgets.entry(id).or_insert_with(|| BudgetRecord {
            namespace: budget.object.meta.namespace.clone().unwrap_or_default(),
            name: budget.object.meta.name.clone(),
            least_healthy: None,
            least_at: None,
            least_margin: None,
            least_margin_in_status: None,
            desired_healthy: 0,
            evictions: 0,
            broken_by_eviction: 0,
            broken_unseen: 0,
            broken_in_truth: 0,
            said: 0,
        })
    }

    /// The number of healthy Pods of a budget has changed.
    pub(crate) fn budget(&mut self, id: BudgetId, budget: &Budget, now: Timestamp) {
        let truly = budget.truly;
        let record = self.record(id, budget);
        let enough = truly >= record.desired_healthy && record.desired_healthy > 0;
        if record.least_healthy.is_none() && !enough {
            return;
        }
        if record.least_healthy.is_none_or(|least| truly < least) {
            record.least_healthy = Some(truly);
            record.least_at = Some(now);
        }
        let margin = i64::from(truly) - i64::from(record.desired_healthy);
        record.least_margin = Some(record.least_margin.map_or(margin, |least| least.min(margin)));
    }

    /// The controller of a budget has said how it stands.
    pub(crate) fn said(&mut self, id: BudgetId, budget: &Budget, status: &BudgetStatus, now: Timestamp) {
        let record = self.record(id, budget);
        record.desired_healthy = status.desired_healthy;
        record.said = status.current_healthy;
        let margin = i64::from(status.current_healthy) - i64::from(status.desired_healthy);
        if record.least_margin_in_status.is_some() || (margin >= 0 && status.desired_healthy > 0) {
            let least = record.least_margin_in_status.map_or(margin, |least| least.min(margin));
            record.least_margin_in_status = Some(least);
        }
        self.budget(id, budget, now);
    }

    /// The number of ready Pods of a workload has changed.
    pub(crate) fn workload(&mut self, id: WorkloadId, workload: &Workload, now: Timestamp) {
        self.names.entry(id).or_insert_with(|| workload.reference().to_string());
        let history = self.ready.entry(id).or_default();
        let ready = workload.ready();
        match history.last_mut() {
            Some((at, last)) if *at == now => *last = ready,
            _ => history.push((now, ready)),
        }
    }

    /// An eviction was accepted, and the Pod is counted out.
    pub(crate) fn evicted(
        &mut self,
        all: &BTreeMap<BudgetId, Budget>,
        budgets: &[BudgetId],
        was_healthy: bool,
        was_truly: bool,
    ) {
        for id in budgets {
            let Some(budget) = all.get(id) else { continue };
            let (healthy, truly) = (budget.healthy, budget.truly);
            let record = self.record(*id, budget);
            record.evictions += 1;
            if !was_healthy {
                continue;
            }
            let needed = record.desired_healthy;
            record.broken_by_eviction += u64::from(record.said <= needed);
            record.said = record.said.saturating_sub(1);
            record.broken_unseen += u64::from(healthy < needed);
            record.broken_in_truth += u64::from(was_truly && truly < needed);
        }
    }

    /// An actor has done something.
    pub(crate) fn deed(&mut self, now: Timestamp, what: String) {
        self.deeds.push((now, what));
    }
}
