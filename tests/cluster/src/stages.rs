//! What the kubelets of a cluster do, as stages of kwok: its own, with three things changed.

use serde_yaml::Value;

use crate::error::ClusterError;
use crate::options::PodLife;
use crate::programs::Programs;

/// A pod's own time from deletion to end, in milliseconds, where pods are slow.
pub(crate) const END: &str = "eks-cluster.test/end-milliseconds";

/// A node with this annotation has no kubelet: nothing makes it ready, and nothing renews its conditions.
pub(crate) const NO_KUBELET: &str = "eks-cluster.test/no-kubelet";

const NODES: [&str; 2] = [
    "kustomize/stage/node/fast/node-initialize.yaml",
    "kustomize/stage/node/heartbeat-with-lease/node-heartbeat-with-lease.yaml",
];
const FAST: [&str; 3] = [
    "kustomize/stage/pod/fast/pod-ready.yaml",
    "kustomize/stage/pod/fast/pod-complete.yaml",
    "kustomize/stage/pod/fast/pod-delete.yaml",
];
const SLOW: [&str; 6] = [
    "kustomize/stage/pod/general/pod-create.yaml",
    "kustomize/stage/pod/general/pod-init-container-running.yaml",
    "kustomize/stage/pod/general/pod-init-container-completed.yaml",
    "kustomize/stage/pod/general/pod-ready.yaml",
    "kustomize/stage/pod/general/pod-complete.yaml",
    "kustomize/stage/pod/general/pod-delete.yaml",
];

/// One text with all stages, as kwok reads it.
pub(crate) fn stages(programs: &Programs, pods: PodLife) -> Result<String, ClusterError> {
    let mut text = String::new();
    let of_pods: &[&str] = match pods {
        PodLife::Fast => &FAST,
        PodLife::Slow { .. } => &SLOW,
    };
    for path in NODES.iter().chain(of_pods) {
        let file = programs.data(path);
        let stage = std::fs::read_to_string(&file).map_err(ClusterError::file(&file))?;
        text.push_str("---\n");
        text.push_str(&changed(&stage, pods).map_err(|reason| {
            ClusterError::BadOption(format!("kwok's stage {path} is not of the known form ({reason})"))
        })?);
    }
    Ok(text)
}

fn changed(stage: &str, pods: PodLife) -> Result<String, String> {
    let mut stage: Value = serde_yaml::from_str(stage).map_err(|error| error.to_string())?;
    let name = stage["metadata"]["name"].as_str().unwrap_or_default().to_owned();
    if name.starts_with("node-") {
        let expressions =
            stage["spec"]["selector"]["matchExpressions"].as_sequence_mut().ok_or("it has no selector")?;
        expressions.push(expression(&format!(".metadata.annotations[\"{NO_KUBELET}\"]"), "DoesNotExist"));
    }
    if let PodLife::Slow { step, end } = pods
        && name.starts_with("pod-")
    {
        let delay = stage["spec"]["delay"].as_mapping_mut().ok_or("it has no delay")?;
        let milliseconds = |duration: std::time::Duration| {
            Value::from(u64::try_from(duration.as_millis()).unwrap_or(u64::MAX))
        };
        if name == "pod-delete" {
            // kwok's own is anything up to the grace period, by chance. A test wants to know, so here it is
            // the pod's or the cluster's time, and the grace period where that is shorter: kwok takes the
            // jitter when it is less than the delay, and the delay is a day.
            let query = format!(
                "[(.metadata.deletionGracePeriodSeconds // 0) * 1000, ((.metadata.annotations[\"{END}\"] // \"{}\") | tonumber)] | min | \"\\(.)ms\"",
                end.as_millis()
            );
            let mut from = serde_yaml::Mapping::new();
            from.insert("expressionFrom".into(), query.into());
            delay.remove("durationFrom");
            delay.insert("durationMilliseconds".into(), Value::from(86_400_000));
            delay.insert("jitterDurationFrom".into(), Value::Mapping(from));
        } else {
            // A test wants to know how long it takes.
            delay.insert("durationMilliseconds".into(), milliseconds(step));
            delay.insert("jitterDurationMilliseconds".into(), milliseconds(step));
        }
    }
    serde_yaml::to_string(&stage).map_err(|error| error.to_string())
}

fn expression(key: &str, operator: &str) -> Value {
    let mut map = serde_yaml::Mapping::new();
    map.insert("key".into(), key.into());
    map.insert("operator".into(), operator.into());
    Value::Mapping(map)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{NO_KUBELET, changed};
    use crate::options::PodLife;

    #[test]
    fn a_node_without_kubelet_is_left_alone() {
        let stage = "metadata: {name: node-initialize}\nspec: {selector: {matchExpressions: []}}\n";
        let text = changed(stage, PodLife::Fast).unwrap();
        assert!(text.contains(NO_KUBELET) && text.contains("DoesNotExist"), "{text}");
    }

    #[test]
    fn pods_take_the_time_that_was_asked_for() {
        let stage = "metadata: {name: pod-ready}\nspec: {delay: {durationMilliseconds: 1000, jitterDurationMilliseconds: 5000}}\n";
        let slow = PodLife::Slow { step: Duration::from_millis(250), end: Duration::from_secs(3) };
        let text = changed(stage, slow).unwrap();
        assert!(text.contains("durationMilliseconds: 250"), "{text}");
        assert!(text.contains("jitterDurationMilliseconds: 250"), "{text}");
        let text = changed(&stage.replace("pod-ready", "pod-delete"), slow).unwrap();
        assert!(text.contains("// \"3000\") | tonumber)] | min"), "{text}");
    }

    #[test]
    fn a_stage_of_another_form_is_an_error() {
        assert!(changed("metadata: {name: node-initialize}\n", PodLife::Fast).is_err());
        assert!(changed("a: [", PodLife::Fast).is_err());
    }
}
