//! The eviction subresource: what the API server answers, in its order and its words.
//!
//! <https://github.com/kubernetes/kubernetes/blob/v1.35.0/pkg/registry/core/pod/storage/eviction.go> and
//! <https://kubernetes.io/docs/concepts/scheduling-eviction/api-eviction/> (2026-11)

use std::time::Duration;

use eks_provider::kube::{EvictPod, EvictionOutcome, UnhealthyPodEvictionPolicy};

use super::objects::{BudgetId, Pod, PodId, Stage};
use super::{budgets, pods, state};
use crate::World;

/// How many accepted evictions that nobody has seen may stand (`MaxDisruptedPodSize`).
pub(crate) const MAX_DISRUPTED_PODS: usize = 2000;

/// What an eviction is answered, without doing it where `dry_run`.
///
/// In this order: namespace that ends; webhooks; a Pod that is not there; a Pod that budgets do not
/// protect (ended, pending, ending: deleted at once); more than one budget; a Pod that is not ready and
/// may go by its budget's policy; the budget; then the Pod is deleted, if it has the uid. That the uid
/// comes last means that an eviction for a Pod of before can spend the budget of its namesake.
pub(crate) fn evict(world: &mut World, request: &EvictPod, dry_run: bool) -> EvictionOutcome {
    if let Some(refusal) = before(world, request) {
        return refusal;
    }
    let Some(id) = world.kube.pod_named(&request.namespace, &request.name) else {
        return EvictionOutcome::Gone;
    };
    match admit(world, id, dry_run) {
        Err(outcome) => outcome,
        Ok(()) if state::uid(state::Kind::Pod, id.0) != request.uid => EvictionOutcome::Gone,
        Ok(()) => {
            if !dry_run {
                let pod = world.kube.pods.get(&id);
                let healthy = pod.is_some_and(Pod::is_healthy);
                let truly = healthy && pod.is_some_and(|pod| !pod.dead);
                let budgets = world.kube.shape_of(id).map(|shape| shape.budgets.clone()).unwrap_or_default();
                pods::delete(world, id, None);
                world.kube.observer.evicted(&world.kube.budgets, &budgets, healthy, truly);
            }
            EvictionOutcome::Accepted
        }
    }
}

/// Asks for the eviction of a Pod that the asker has just seen; what the answer was, the Pod shows.
pub(crate) fn evict_seen(world: &mut World, id: PodId) {
    let Some((shape, pod)) = world.kube.shape_of(id).zip(world.kube.pods.get(&id)) else { return };
    let request = EvictPod {
        namespace: shape.namespace.to_string(),
        name: pod.name.to_string(),
        uid: state::uid(state::Kind::Pod, id.0),
    };
    let _answer = evict(world, &request, false);
}

/// What is refused before the Pod is looked at.
fn before(world: &mut World, request: &EvictPod) -> Option<EvictionOutcome> {
    let namespace = world.kube.namespaces.get(request.namespace.as_str());
    if namespace.is_some_and(|namespace| namespace.terminating) {
        return Some(EvictionOutcome::NamespaceTerminating);
    }
    world.kube.faults.webhook_refusal(request)
}

fn admit(world: &mut World, id: PodId, dry_run: bool) -> Result<(), EvictionOutcome> {
    let Some(pod) = world.kube.pods.get(&id) else { return Err(EvictionOutcome::Gone) };
    // Without a budget's word: it has ended, has not begun, or is ending already.
    let pending = matches!(pod.stage, Stage::Unscheduled | Stage::Attaching | Stage::Starting);
    if pending || pod.is_finished() || pod.deletion.is_some() {
        return Ok(());
    }
    let (ready, name) = (pod.ready, pod.name.to_string());
    let budgets = world.kube.shape_of(id).map(|shape| shape.budgets.clone()).unwrap_or_default();
    let budget = match budgets.as_slice() {
        [] => return Ok(()),
        [budget] => *budget,
        _ => {
            let message = "This pod has more than one PodDisruptionBudget, which the eviction subresource \
                           does not support.";
            return Err(EvictionOutcome::ManyBudgets { message: message.to_owned() });
        }
    };
    spend(world, budget, &name, ready, dry_run)
}

fn spend(
    world: &mut World,
    id: BudgetId,
    pod: &str,
    ready: bool,
    dry_run: bool,
) -> Result<(), EvictionOutcome> {
    let now = world.now();
    let Some(budget) = world.kube.budgets.get_mut(&id) else { return Ok(()) };
    let name = budget.object.meta.name.clone();
    let object = &mut budget.object;
    let status = &object.status;
    if !ready {
        if object.unhealthy_pod_eviction_policy == Some(UnhealthyPodEvictionPolicy::AlwaysAllow) {
            return Ok(());
        }
        if status.current_healthy >= status.desired_healthy && status.desired_healthy > 0 {
            return Ok(());
        }
    }
    let blocked = |message: String, seconds| EvictionOutcome::Blocked {
        budget: Some(name.clone()),
        message,
        retry_after: Some(Duration::from_secs(seconds)),
    };
    if !object.is_observed() {
        let message = format!("The disruption budget {name} is still being processed by the server.");
        return Err(blocked(message, 10));
    }
    if status.disruptions_allowed < 0 {
        let message = "pdb disruptions allowed is negative".to_owned();
        return Err(EvictionOutcome::BudgetUnsettled { message });
    }
    if status.disrupted_pods.len() > MAX_DISRUPTED_PODS {
        let message = "DisruptedPods map too big - too many evictions not confirmed by PDB controller";
        return Err(EvictionOutcome::BudgetUnsettled { message: message.to_owned() });
    }
    if status.disruptions_allowed == 0 {
        let message = format!(
            "The disruption budget {name} needs {} healthy pods and has {} currently",
            status.desired_healthy, status.current_healthy
        );
        return Err(blocked(message, 0));
    }
    if !dry_run {
        object.status.disruptions_allowed -= 1;
        object.status.disrupted_pods.insert(pod.to_owned(), now);
        budgets::touch(world, id);
    }
    Ok(())
}
