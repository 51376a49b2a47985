//! The Job controller: Pods until enough have ended well.

use super::super::objects::{WorkloadId, count};
use super::super::pods;
use super::make_pod;
use crate::World;

/// Keeps as many Pods running as may run at a time, until enough have ended well or too many badly.
/// A Pod that is deleted is made anew at once (`podReplacementPolicy: TerminatingOrFailed`).
/// <https://kubernetes.io/docs/concepts/workloads/controllers/job/> (2026-11)
pub(super) fn sync(world: &mut World, id: WorkloadId) {
    let Some(workload) = world.kube.workloads.get(&id) else { return };
    let Some(revision) = workload.revisions.last() else { return };
    let number = workload.current();
    let have = count(revision.pods.len());
    let over = workload.failed > workload.backoff_limit
        || workload.completions.is_some_and(|completions| workload.succeeded >= completions);
    let wanted = if over || workload.paused {
        0
    } else {
        let left = workload.completions.map_or(u32::MAX, |all| all.saturating_sub(workload.succeeded));
        workload.desired.min(left)
    };
    let prefix = workload.name.to_string();
    if have < wanted {
        for _ in have..wanted {
            make_pod(world, id, number, &prefix);
        }
    } else if over || workload.paused {
        let surplus: Vec<_> = revision.pods.iter().copied().collect();
        for pod in surplus {
            pods::delete(world, pod, None);
        }
    }
}
