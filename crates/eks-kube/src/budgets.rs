//! Budgets.

use async_trait::async_trait;
use eks_provider::Result;
use eks_provider::kube::{Budget, BudgetReader, BudgetStatus};
use k8s_openapi::api::policy::v1;

use crate::api::KubeApi;
use crate::call::Ask;
use crate::list::Listing;
use crate::meta::{
    Read, int_or_percent, meta, moment, selector, shared_conditions, some_count, sorted, text,
};
use crate::resource::Resource;

pub(crate) static BUDGETS: Resource = Resource::of("policy", "v1", "poddisruptionbudgets");

fn budget(budget: v1::PodDisruptionBudget) -> Read<Budget> {
    let meta = meta(budget.metadata);
    let spec = budget.spec.unwrap_or_default();
    let status = budget.status.unwrap_or_default();
    let within = |why: String| format!("PodDisruptionBudget {meta}: {why}");
    Ok(Budget {
        selector: spec.selector.map(selector),
        min_available: int_or_percent(spec.min_available).map_err(within)?,
        max_unavailable: int_or_percent(spec.max_unavailable).map_err(within)?,
        unhealthy_pod_eviction_policy: text(spec.unhealthy_pod_eviction_policy)
            .map(|word| word.as_str().into()),
        status: BudgetStatus {
            observed_generation: status.observed_generation,
            disruptions_allowed: status.disruptions_allowed.unwrap_or_default(),
            current_healthy: some_count(status.current_healthy),
            desired_healthy: some_count(status.desired_healthy),
            expected_pods: some_count(status.expected_pods),
            disrupted_pods: status
                .disrupted_pods
                .unwrap_or_default()
                .into_iter()
                .map(|(pod, time)| (pod, moment(time.0)))
                .collect(),
            conditions: shared_conditions(status.conditions),
        },
        meta,
    })
}

#[async_trait]
impl BudgetReader for KubeApi {
    async fn list_budgets(&self) -> Result<Vec<Budget>> {
        let listing = Listing::all(&BUDGETS, "PodDisruptionBudgets");
        Ok(sorted(self.everything(&listing, budget).await?, |budget| &budget.meta))
    }

    async fn get_budget(&self, namespace: &str, name: &str) -> Result<Budget> {
        let target = format!("PodDisruptionBudget {namespace}/{name}");
        let ask = Ask::get("get poddisruptionbudgets", target, BUDGETS.object(Some(namespace), name));
        budget(self.json(&ask).await?).map_err(|why| ask.malformed(why))
    }
}
