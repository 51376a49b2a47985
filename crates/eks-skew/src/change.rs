//! A change to what is declared, judged as a step: one minor a merge, and the right end first.

use eks_model::{ClusterSnapshot, Finding, KubeMinor, NodeGroup, Observed, Severity, Status};

use crate::rules;

/// What a change of a cluster's declaration does that a legal step does not do.
///
/// Going up, the control plane goes by one minor and before the nodes; going back, by one minor
/// and after them.
pub fn judge_change(before: &ClusterSnapshot, after: &ClusterSnapshot) -> Vec<Finding> {
    let mut findings = Vec::new();
    let minor = |cluster: &ClusterSnapshot| {
        cluster.control_plane.known().map(|version| (version.value.minor(), version.at.clone()))
    };
    let (old, new) = (minor(before), minor(after));
    if let (Some((old, _)), Some((new, at))) = (&old, &new)
        && old != new
    {
        let (old, new) = (*old, *new);
        let away = new.minor().abs_diff(old.minor());
        let mut found = Finding::new(rules::ONE_MINOR.id, Severity::Block, Status::OutOfOrder).placed(at);
        found.cluster = Some(after.name.clone());
        found.kind = Some(after.declared_as.to_owned());
        found.name = Some(after.name.clone());
        found.url = Some("https://docs.aws.amazon.com/eks/latest/userguide/update-cluster.html".to_owned());
        // The provider of Cluster API goes minor by minor by itself.
        let by_itself = after.declared_as == "AWSManagedControlPlane";
        if new > old && away > 1 && !by_itself {
            found.message = format!(
                "this change takes the control plane of \"{}\" from {old} to {new}: EKS goes one minor at a time, and refuses it",
                after.name
            );
            found.remedy = format!("go to {} in this change, and on in the next", old.next());
            findings.push(found);
        } else if new < old {
            let first = old.previous().unwrap_or(old);
            found.url =
                Some("https://docs.aws.amazon.com/eks/latest/userguide/rollback-cluster.html".to_owned());
            if away > 1 {
                found.message = format!(
                    "this change takes the control plane of \"{}\" from {old} back to {new}: EKS goes back by one minor only",
                    after.name
                );
                found.remedy = format!("{first} is as far back as it can go");
            } else {
                found.severity = Severity::Warn;
                found.message = format!(
                    "this change takes the control plane of \"{}\" from {old} back to {new}: EKS allows it within 7 days of the upgrade, and refuses it after that",
                    after.name
                );
                found.remedy = format!(
                    "before it is merged, bring all nodes to {new} and see that the 7 days are not over"
                );
            }
            findings.push(found);
        }
    }
    for group in &after.node_groups {
        let Some(was) =
            before.node_groups.iter().find(|was| was.name == group.name && was.kind == group.kind)
        else {
            continue;
        };
        findings.extend(nodes(after, old.as_ref().map(|o| o.0), new.as_ref().map(|n| n.0), was, group));
    }
    findings
}

fn nodes(
    cluster: &ClusterSnapshot,
    old: Option<KubeMinor>,
    new: Option<KubeMinor>,
    was: &NodeGroup,
    group: &NodeGroup,
) -> Option<Finding> {
    let (Observed::Known(from), Observed::Known(to)) = (&was.kubelet, &group.kubelet) else { return None };
    let (from, at, to) = (from.value.minor(), &to.at, to.value.minor());
    if from == to {
        return None;
    }
    let subject = format!("{} \"{}\"", group.kind.as_str(), group.name);
    let mut found = Finding::new(rules::ORDER.id, Severity::Warn, Status::OutOfOrder).placed(at);
    found.cluster = Some(cluster.name.clone());
    found.kind = Some(group.declared_as.to_owned());
    found.name = Some(group.name.clone());
    match (old, new) {
        // The nodes go above where the control plane was, in the change that moves it.
        (Some(old), Some(new)) if old < new && to > old => {
            found.message = format!(
                "this change raises the control plane to {new} and {subject} to {to} together: whoever applies it must do the control plane first"
            );
            found.remedy =
                format!("raise {subject} in a change of its own, after the control plane is at {new}");
        }
        (Some(old), Some(new)) if new < old && from > new => {
            found.severity = Severity::Block;
            found.message = format!(
                "this change takes the control plane back to {new} and {subject} from {from} with it: going back, nodes come first, and what applies both does the control plane first"
            );
            found.remedy =
                format!("take {subject} to {new} in a change of its own, before the control plane");
        }
        _ if to < from && new.is_none_or(|new| old.is_none_or(|old| new >= old)) => {
            found.message = format!(
                "this change takes {subject} from {from} back to {to} while the control plane {}: EKS lets nodes go back only for the way back of the control plane",
                match (old, new) {
                    (Some(old), Some(new)) if new > old => format!("goes on to {new}"),
                    _ => "stays".to_owned(),
                }
            );
            found.remedy = format!("leave {subject} at {from}, unless the control plane goes back next");
        }
        _ => return None,
    }
    Some(found)
}
