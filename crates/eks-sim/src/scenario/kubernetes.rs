//! From a scenario to what is in Kubernetes.

use super::Scenario;
use super::build::Built;
use super::place::Text;
use crate::{World, kube};

/// Says which cluster the machines join, and installs its add-ons: they are there before its nodes are.
pub(super) fn addons(world: &mut World, scenario: &Scenario, text: Text<'_>) -> Built<()> {
    let names: Vec<&str> = scenario.clusters.iter().map(|cluster| cluster.name.as_str()).collect();
    let named = scenario.kubernetes.as_ref().and_then(|kubernetes| kubernetes.cluster.as_deref());
    let cluster = match named {
        Some(name) => {
            let Some(cluster) = scenario.clusters.iter().find(|cluster| cluster.name == name) else {
                let message = format!("there is no cluster {name}; there is {}", names.join(", "));
                return text.wrong(&["kubernetes", "cluster", name], message);
            };
            cluster
        }
        None if scenario.kubernetes.is_some() && names.len() > 1 => {
            let message =
                format!("with several clusters, `cluster` says which one this is: {}", names.join(", "));
            return text.wrong(&["kubernetes"], message);
        }
        None => match scenario.clusters.first() {
            Some(cluster) => cluster,
            None if scenario.kubernetes.is_some() => {
                return text.wrong(&["kubernetes"], "there is no cluster that this could be in");
            }
            None => return Ok(()),
        },
    };
    world.kube.cluster = Some(cluster.name.clone());
    kube::control_plane(world, &cluster.name, Some(cluster.version));
    let Some(state) = world.aws.eks.clusters.get(&cluster.name) else { return Ok(()) };
    let addons: Vec<(String, String)> = state
        .addons
        .iter()
        .map(|(name, known)| (name.clone(), known.addon.version.text().to_owned()))
        .collect();
    for (name, version) in addons {
        kube::install_addon(world, &name, &version);
    }
    Ok(())
}

/// Puts workloads and all that is said of Kubernetes into the cluster.
pub(super) fn workloads(world: &mut World, scenario: &Scenario, text: Text<'_>) -> Built<()> {
    let Some(mut kubernetes) = scenario.kubernetes.clone() else { return Ok(()) };
    let cluster = world.kube.cluster.clone().unwrap_or_default();
    kubernetes.cluster = None;
    let groups = kubernetes.cluster_autoscaler.iter_mut().flat_map(|autoscaler| &mut autoscaler.groups);
    for group in groups {
        // A managed node group is known by its own name; its Auto Scaling group has one that EKS made up.
        let managed =
            world.aws.eks.clusters.get(&cluster).and_then(|state| state.nodegroups.get(&group.name));
        let of_managed = managed.and_then(|known| known.nodegroup.auto_scaling_groups.first());
        let name = of_managed.cloned().unwrap_or_else(|| group.name.clone());
        let Some(known) = world.aws.asg.groups.get(&name) else {
            let known: Vec<&str> =
                scenario.auto_scaling_groups.iter().map(|group| group.name.as_str()).collect();
            let message =
                format!("there is no group {}; of one's own there are {}", group.name, known.join(", "));
            return text.wrong(&["kubernetes", "clusterAutoscaler", &group.name], message);
        };
        group.name = name;
        group.min.get_or_insert(known.group.min_size);
        group.max.get_or_insert(known.group.max_size);
    }
    for pool in kubernetes.karpenter.iter().flat_map(|karpenter| &karpenter.pools) {
        if !world.aws.ec2.types.contains_key(&pool.instance_type) {
            let known: Vec<&str> = world.aws.ec2.types.keys().map(String::as_str).collect();
            let message = format!("there is no type {}; there are {}", pool.instance_type, known.join(", "));
            return text.wrong(&["kubernetes", "karpenter", &pool.instance_type], message);
        }
        if let Some(image) = pool.image.as_ref().filter(|id| world.aws.ec2.usable_image(id).is_none()) {
            return text.wrong(&["kubernetes", "karpenter", image], format!("there is no image {image}"));
        }
        if let Some(zone) = pool.zones.iter().find(|zone| !world.aws.ec2.zones.contains_key(*zone)) {
            let message = format!("pool {} is in zone {zone}, in which no subnet is", pool.name);
            return text.wrong(&["kubernetes", "karpenter", zone], message);
        }
    }
    for claim in &kubernetes.claims {
        if let Some(zone) = claim.zone.as_ref().filter(|zone| !world.aws.ec2.zones.contains_key(*zone)) {
            let message = format!("claim {} is in zone {zone}, in which no subnet is", claim.name);
            return text.wrong(&["kubernetes", "claims", &claim.name], message);
        }
    }
    if let Err(error) = kube::apply(world, &kubernetes) {
        let (list, name) = error.place();
        return text.wrong(&["kubernetes", list, name], error.to_string());
    }
    Ok(())
}
