//! What a Pod is to be.

use eks_provider::kube::{
    Affinity, Container, NodeSelector, NodeSelectorTerm, PodAffinityTerm, PodSpec, Requirement, Toleration,
    TopologySpreadConstraint, Volume, VolumeSource,
};
use k8s_openapi::api::core::v1;

use crate::meta::{Read, count, quantity, resources, seconds, selector, set, text};

pub(crate) fn pod_spec(spec: v1::PodSpec) -> Read<PodSpec> {
    Ok(PodSpec {
        node_name: text(spec.node_name),
        containers: spec.containers.into_iter().map(container).collect::<Read<_>>()?,
        init_containers: spec
            .init_containers
            .unwrap_or_default()
            .into_iter()
            .map(container)
            .collect::<Read<_>>()?,
        volumes: spec.volumes.unwrap_or_default().into_iter().map(volume).collect::<Read<_>>()?,
        termination_grace_period: spec.termination_grace_period_seconds.map(seconds),
        restart_policy: text(spec.restart_policy),
        node_selector: spec.node_selector.unwrap_or_default(),
        affinity: spec.affinity.map(affinity).unwrap_or_default(),
        tolerations: spec.tolerations.unwrap_or_default().into_iter().map(toleration).collect(),
        topology_spread: spec
            .topology_spread_constraints
            .unwrap_or_default()
            .into_iter()
            .map(spread)
            .collect(),
        priority: spec.priority,
        priority_class_name: text(spec.priority_class_name),
        preemption_policy: text(spec.preemption_policy),
        service_account_name: text(spec.service_account_name),
        scheduler_name: text(spec.scheduler_name),
        runtime_class_name: text(spec.runtime_class_name),
        overhead: resources(spec.overhead)?,
        host_network: spec.host_network.unwrap_or_default(),
        scheduling_gates: spec
            .scheduling_gates
            .unwrap_or_default()
            .into_iter()
            .map(|gate| gate.name)
            .collect(),
        readiness_gates: spec
            .readiness_gates
            .unwrap_or_default()
            .into_iter()
            .map(|gate| gate.condition_type)
            .collect(),
        eviction_responders: spec
            .eviction_responders
            .unwrap_or_default()
            .into_iter()
            .map(|responder| responder.name)
            .collect(),
    })
}

fn container(container: v1::Container) -> Read<Container> {
    let asked = container.resources.unwrap_or_default();
    let mut args = container.command.unwrap_or_default();
    args.extend(container.args.unwrap_or_default());
    let within = |why: String| format!("container {}: {why}", container.name);
    Ok(Container {
        image: container.image.unwrap_or_default(),
        args,
        requests: resources(asked.requests).map_err(within)?,
        limits: resources(asked.limits).map_err(within)?,
        host_ports: container
            .ports
            .unwrap_or_default()
            .into_iter()
            .filter_map(|port| {
                let taken = u16::try_from(port.host_port.filter(|port| *port > 0)?).ok()?;
                Some((port.protocol.unwrap_or_else(|| "TCP".to_owned()), taken))
            })
            .collect(),
        restart_always: container.restart_policy.as_deref() == Some("Always"),
        pre_stop: container.lifecycle.is_some_and(|lifecycle| lifecycle.pre_stop.is_some()),
        name: container.name,
    })
}

fn volume(volume: v1::Volume) -> Read<Volume> {
    let name = volume.name.clone();
    Ok(Volume { source: source(volume).map_err(|why| format!("volume {name}: {why}"))?, name })
}

fn source(volume: v1::Volume) -> Read<VolumeSource> {
    if let Some(empty) = volume.empty_dir {
        return Ok(VolumeSource::EmptyDir {
            memory: empty.medium.is_some_and(|medium| medium == "Memory"),
            size_limit: empty.size_limit.as_ref().map(quantity).transpose()?,
        });
    }
    let known = volume
        .persistent_volume_claim
        .map(|claim| VolumeSource::PersistentVolumeClaim(claim.claim_name))
        .or_else(|| volume.ephemeral.map(|_| VolumeSource::Ephemeral))
        .or_else(|| volume.host_path.map(|folder| VolumeSource::HostPath(folder.path)))
        .or_else(|| volume.config_map.map(|map| VolumeSource::ConfigMap(map.name)))
        .or_else(|| volume.secret.map(|secret| VolumeSource::Secret(secret.secret_name.unwrap_or_default())))
        .or_else(|| volume.projected.map(|_| VolumeSource::Projected))
        .or_else(|| volume.downward_api.map(|_| VolumeSource::DownwardApi))
        .or_else(|| volume.csi.map(|csi| VolumeSource::Csi(csi.driver)))
        .or_else(|| volume.git_repo.map(|_| VolumeSource::GitRepo));
    if let Some(known) = known {
        return Ok(known);
    }
    let others = [
        ("awsElasticBlockStore", volume.aws_elastic_block_store.is_some()),
        ("azureDisk", volume.azure_disk.is_some()),
        ("azureFile", volume.azure_file.is_some()),
        ("cephfs", volume.cephfs.is_some()),
        ("cinder", volume.cinder.is_some()),
        ("fc", volume.fc.is_some()),
        ("flexVolume", volume.flex_volume.is_some()),
        ("flocker", volume.flocker.is_some()),
        ("gcePersistentDisk", volume.gce_persistent_disk.is_some()),
        ("glusterfs", volume.glusterfs.is_some()),
        ("image", volume.image.is_some()),
        ("iscsi", volume.iscsi.is_some()),
        ("nfs", volume.nfs.is_some()),
        ("photonPersistentDisk", volume.photon_persistent_disk.is_some()),
        ("portworxVolume", volume.portworx_volume.is_some()),
        ("quobyte", volume.quobyte.is_some()),
        ("rbd", volume.rbd.is_some()),
        ("scaleIO", volume.scale_io.is_some()),
        ("storageos", volume.storageos.is_some()),
        ("vsphereVolume", volume.vsphere_volume.is_some()),
    ];
    let name = others.iter().find(|(_, is_it)| *is_it).map_or("unknown", |(name, _)| name);
    Ok(VolumeSource::Other(name.to_owned()))
}

fn affinity(affinity: v1::Affinity) -> Affinity {
    let nodes = affinity.node_affinity.unwrap_or_default();
    let near = affinity.pod_affinity.unwrap_or_default();
    let away = affinity.pod_anti_affinity.unwrap_or_default();
    let required = |terms: Option<Vec<v1::PodAffinityTerm>>| {
        terms.unwrap_or_default().into_iter().map(pod_term).collect()
    };
    let preferred = |terms: Option<Vec<v1::WeightedPodAffinityTerm>>| {
        terms
            .unwrap_or_default()
            .into_iter()
            .map(|term| (term.weight, pod_term(term.pod_affinity_term)))
            .collect()
    };
    Affinity {
        required_nodes: nodes.required_during_scheduling_ignored_during_execution.map(node_selector),
        preferred_nodes: nodes
            .preferred_during_scheduling_ignored_during_execution
            .unwrap_or_default()
            .into_iter()
            .map(|term| (term.weight, node_term(term.preference)))
            .collect(),
        required_pods: required(near.required_during_scheduling_ignored_during_execution),
        required_anti_pods: required(away.required_during_scheduling_ignored_during_execution),
        preferred_pods: preferred(near.preferred_during_scheduling_ignored_during_execution),
        preferred_anti_pods: preferred(away.preferred_during_scheduling_ignored_during_execution),
    }
}

pub(crate) fn node_selector(selector: v1::NodeSelector) -> NodeSelector {
    NodeSelector { terms: selector.node_selector_terms.into_iter().map(node_term).collect() }
}

fn node_term(term: v1::NodeSelectorTerm) -> NodeSelectorTerm {
    let requirements = |requirements: Option<Vec<v1::NodeSelectorRequirement>>| {
        requirements
            .unwrap_or_default()
            .into_iter()
            .map(|requirement| Requirement {
                key: requirement.key,
                operator: requirement.operator.as_str().into(),
                values: set(requirement.values),
            })
            .collect()
    };
    NodeSelectorTerm {
        match_expressions: requirements(term.match_expressions),
        match_fields: requirements(term.match_fields),
    }
}

fn pod_term(term: v1::PodAffinityTerm) -> PodAffinityTerm {
    PodAffinityTerm {
        topology_key: term.topology_key,
        selector: term.label_selector.map(selector),
        namespaces: term.namespaces.unwrap_or_default(),
        namespace_selector: term.namespace_selector.map(selector),
        match_label_keys: term.match_label_keys.unwrap_or_default(),
    }
}

fn toleration(toleration: v1::Toleration) -> Toleration {
    Toleration {
        key: text(toleration.key),
        operator: text(toleration.operator).as_deref().unwrap_or("Equal").into(),
        value: text(toleration.value),
        effect: text(toleration.effect).map(|effect| effect.as_str().into()),
        duration: toleration.toleration_seconds.map(seconds),
    }
}

fn spread(constraint: v1::TopologySpreadConstraint) -> TopologySpreadConstraint {
    TopologySpreadConstraint {
        max_skew: count(constraint.max_skew),
        topology_key: constraint.topology_key,
        when_unsatisfiable: constraint.when_unsatisfiable,
        selector: constraint.label_selector.map(selector),
        match_label_keys: constraint.match_label_keys.unwrap_or_default(),
        min_domains: constraint.min_domains.map(count),
        node_affinity_policy: text(constraint.node_affinity_policy),
        node_taints_policy: text(constraint.node_taints_policy),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use eks_provider::kube::{Quantity, SelectorOperator, TolerationOperator};
    use serde_json::json;
    use std::time::Duration;

    #[test]
    fn all_that_decides_where_a_pod_may_be_is_read() {
        let spec: v1::PodSpec = serde_json::from_value(json!({
            "nodeName": "a",
            "terminationGracePeriodSeconds": 7200,
            "containers": [{
                "name": "main", "image": "registry.example/main:1", "command": ["/run"], "args": ["--fast"],
                "resources": {"requests": {"cpu": "1500m"}, "limits": {"memory": "1Gi"}},
                "ports": [{"containerPort": 80}, {"containerPort": 53, "hostPort": 53, "protocol": "UDP"}],
                "lifecycle": {"preStop": {"sleep": {"seconds": 5}}},
            }],
            "initContainers": [{"name": "side", "restartPolicy": "Always"}],
            "volumes": [
                {"name": "scratch", "emptyDir": {"medium": "Memory", "sizeLimit": "64Mi"}},
                {"name": "data", "persistentVolumeClaim": {"claimName": "data-0"}},
                {"name": "old", "awsElasticBlockStore": {"volumeID": "vol-1"}},
                {"name": "repo", "gitRepo": {"repository": "x"}},
                {"name": "driver", "csi": {"driver": "secrets-store.csi.k8s.io"}},
                {"name": "nothing"},
            ],
            "affinity": {
                "nodeAffinity": {
                    "requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [
                        {"matchExpressions": [{"key": "zone", "operator": "In", "values": ["a"]}]},
                    ]},
                },
                "podAntiAffinity": {
                    "requiredDuringSchedulingIgnoredDuringExecution": [
                        {"topologyKey": "kubernetes.io/hostname", "labelSelector": {"matchLabels": {"app": "db"}}},
                    ],
                    "preferredDuringSchedulingIgnoredDuringExecution": [
                        {"weight": 5, "podAffinityTerm": {"topologyKey": "zone"}},
                    ],
                },
            },
            "tolerations": [{"operator": "Exists"}, {"key": "a", "value": "b", "effect": "NoExecute", "tolerationSeconds": 300}],
            "topologySpreadConstraints": [{"maxSkew": 1, "topologyKey": "zone", "whenUnsatisfiable": "DoNotSchedule", "minDomains": 3}],
            "schedulingGates": [{"name": "gate"}],
            "readinessGates": [{"conditionType": "target-health.elbv2.k8s.aws/x"}],
            "evictionResponders": [{"name": "operator.example/mover", "priority": 1}],
            "overhead": {"cpu": "250m"},
        }))
        .unwrap();
        let spec = pod_spec(spec).unwrap();
        let main = &spec.containers[0];
        assert_eq!((main.args.join(" ").as_str(), main.pre_stop), ("/run --fast", true));
        assert_eq!(main.host_ports, [("UDP".to_owned(), 53)]);
        assert_eq!(main.requests["cpu"], Quantity::from_milli(1500));
        assert!(spec.init_containers[0].restart_always);
        assert_eq!(spec.termination_grace_period, Some(Duration::from_hours(2)));
        let sources: Vec<&VolumeSource> = spec.volumes.iter().map(|volume| &volume.source).collect();
        assert_eq!(
            sources,
            [
                &VolumeSource::EmptyDir { memory: true, size_limit: Some("64Mi".parse().unwrap()) },
                &VolumeSource::PersistentVolumeClaim("data-0".to_owned()),
                &VolumeSource::Other("awsElasticBlockStore".to_owned()),
                &VolumeSource::GitRepo,
                &VolumeSource::Csi("secrets-store.csi.k8s.io".to_owned()),
                &VolumeSource::Other("unknown".to_owned()),
            ]
        );
        let terms = &spec.affinity.required_nodes.as_ref().unwrap().terms;
        assert_eq!(terms[0].match_expressions[0].operator, SelectorOperator::In);
        assert_eq!(spec.affinity.required_anti_pods[0].topology_key, "kubernetes.io/hostname");
        assert_eq!(spec.affinity.preferred_anti_pods[0].0, 5);
        assert_eq!(spec.tolerations[0].operator, TolerationOperator::Exists);
        assert_eq!(spec.tolerations[1].operator, TolerationOperator::Equal);
        assert_eq!(spec.tolerations[1].duration, Some(Duration::from_mins(5)));
        assert_eq!(spec.topology_spread[0].min_domains, Some(3));
        assert_eq!(spec.scheduling_gates, ["gate"]);
        assert_eq!(spec.readiness_gates, ["target-health.elbv2.k8s.aws/x"]);
        assert_eq!(spec.eviction_responders, ["operator.example/mover"]);
        assert_eq!(spec.requests()["cpu"], Quantity::from_milli(1750));
    }
}
