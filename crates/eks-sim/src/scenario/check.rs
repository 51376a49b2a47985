//! What a scenario may not say, seen before anything is built: what stands twice, words that AWS does not have, numbers
//! that no account has. A typo that were passed over would be a world other than the one that was meant.

use std::collections::BTreeSet;
use std::net::Ipv4Addr;

use eks_provider::aws::ScalingProcess;

use super::build::Built;
use super::place::Text;
use super::{ClusterSpec, NodegroupSpec, Scenario, SelfManagedGroup};

/// More instances than this are no world but a typo.
const MOST_INSTANCES: u64 = 20_000;

const HEALTH_CHECKS: &[&str] = &["EC2", "ELB", "VPC_LATTICE", "EBS"];
const TERMINATION_POLICIES: &[&str] = &[
    "Default",
    "OldestInstance",
    "NewestInstance",
    "OldestLaunchConfiguration",
    "OldestLaunchTemplate",
    "ClosestToNextInstanceHour",
    "AllocationStrategy",
];
const DISTRIBUTIONS: &[&str] = &["balanced-best-effort", "balanced-only"];
const ABANDON: &[&str] = &["retain", "terminate"];

/// Whether a scenario can be built.
pub(super) fn check(scenario: &Scenario, text: Text<'_>) -> Built<()> {
    if scenario.region.is_empty() {
        return text.wrong(&["region"], "the region has no name");
    }
    if scenario.account.len() != 12 || !scenario.account.bytes().all(|byte| byte.is_ascii_digit()) {
        let message = format!("`{}` is no account: an account is twelve digits", scenario.account);
        return text.wrong(&["account"], message);
    }
    network(scenario, text)?;
    once("launch template", scenario.launch_templates.iter().map(|one| one.name.as_str()), text)?;
    once("target group", scenario.target_groups.iter().map(|one| one.name.as_str()), text)?;
    for group in &scenario.target_groups {
        // <https://docs.aws.amazon.com/elasticloadbalancing/latest/network/edit-target-group-attributes.html> (2026-11)
        if group.deregistration_delay_seconds > 3600 {
            return text.wrong(
                &[&group.name, "deregistrationDelaySeconds"],
                format!("the deregistration delay of {} is between 0 and 3600 seconds", group.name),
            );
        }
    }
    for cluster in &scenario.clusters {
        self::cluster(cluster, text)?;
    }
    for group in &scenario.auto_scaling_groups {
        self::group(group, text)?;
    }
    let of_groups = scenario.auto_scaling_groups.iter().map(|group| {
        let warm = group.warm_pool.as_ref().map_or(0, |pool| pool.min.max(pool.max_prepared.unwrap_or(0)));
        // What is warm stands beside what is desired, up to the maximum.
        u64::from(group.desired) + u64::from(warm.min(group.max))
    });
    let managed = scenario.clusters.iter().flat_map(|cluster| &cluster.node_groups);
    let all: u64 = of_groups.chain(managed.map(|group| u64::from(group.desired))).sum();
    if all > MOST_INSTANCES {
        return text.wrong(
            &["desired"],
            format!("the world would have {all} instances; it has {MOST_INSTANCES} at most"),
        );
    }
    for rule in scenario.faults.calls.iter().map(|rule| rule.when) {
        chance(rule.permille, text)?;
    }
    for rule in scenario.faults.machines.iter().map(|rule| rule.when) {
        chance(rule.permille, text)?;
    }
    for rule in scenario.faults.updates.iter().map(|rule| rule.when) {
        chance(rule.permille, text)?;
    }
    Ok(())
}

fn chance(permille: u64, text: Text<'_>) -> Built<()> {
    if permille > 1000 {
        return text
            .wrong(&["permille"], format!("a chance is between 0 and 1000 in a thousand, not {permille}"));
    }
    Ok(())
}

/// Nothing of a kind stands twice, or has no name.
fn once<'n>(kind: &str, names: impl Iterator<Item = &'n str>, text: Text<'_>) -> Built<()> {
    let mut seen = BTreeSet::new();
    for name in names {
        if name.is_empty() {
            return text.wrong(&["name"], format!("a {kind} has no name"));
        }
        if !seen.insert(name) {
            return text.wrong(&[name], format!("{kind} {name} stands twice"));
        }
    }
    Ok(())
}

fn word(said: &str, known: &[&str], place: &[&str], text: Text<'_>) -> Built<()> {
    if known.contains(&said) {
        return Ok(());
    }
    let key = place.last().copied().unwrap_or_default();
    text.wrong(place, format!("`{said}` is not allowed for {key}; it is one of {}", known.join(", ")))
}

fn network(scenario: &Scenario, text: Text<'_>) -> Built<()> {
    let mut blocks: Vec<(&str, u64, u64)> = Vec::new();
    for subnet in &scenario.network.subnets {
        if !subnet.zone.starts_with(&scenario.region) || subnet.zone.len() == scenario.region.len() {
            return text.wrong(
                &[&subnet.id],
                format!("zone `{}` of subnet {} is not in {}", subnet.zone, subnet.id, scenario.region),
            );
        }
        // Blocks that are none are refused where subnets are made.
        let Some((first, size)) = block(&subnet.cidr) else { continue };
        if first % size != 0 {
            return text.wrong(
                &[&subnet.id, &subnet.cidr],
                format!("`{}` does not begin where a block of its size begins", subnet.cidr),
            );
        }
        if let Some((other, ..)) = blocks
            .iter()
            .find(|(id, begin, length)| *id != subnet.id && first < begin + length && *begin < first + size)
        {
            return text.wrong(
                &[&subnet.id, &subnet.cidr],
                format!("the addresses of subnet {} are those of {other} as well", subnet.id),
            );
        }
        blocks.push((&subnet.id, first, size));
    }
    if scenario.network.addresses_per_instance == 0 {
        return text.wrong(&["addressesPerInstance"], "an instance takes one address at least");
    }
    Ok(())
}

fn block(cidr: &str) -> Option<(u64, u64)> {
    let (base, length) = cidr.split_once('/')?;
    let length: u32 = length.parse().ok().filter(|length| *length <= 32)?;
    Some((u64::from(u32::from(base.parse::<Ipv4Addr>().ok()?)), 1 << (32 - length)))
}

fn cluster(spec: &ClusterSpec, text: Text<'_>) -> Built<()> {
    let name = &spec.name;
    // <https://docs.aws.amazon.com/eks/latest/APIReference/API_CreateCluster.html> (2026-11)
    let allowed = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    if !name.chars().all(allowed)
        || !name.starts_with(|c: char| c.is_ascii_alphanumeric())
        || name.len() > 100
    {
        return text.wrong(
            &[name],
            format!("`{name}` is no name of a cluster: letters, digits, - and _, a letter or digit first, 100 at most"),
        );
    }
    if spec.created_version.is_some_and(|created| created > spec.version) {
        return text.wrong(
            &[name, "createdVersion"],
            format!("cluster {name} is at {} and was not created at a later version", spec.version),
        );
    }
    once("add-on", spec.addons.iter().map(|one| one.name.as_str()), text)?;
    once("node group", spec.node_groups.iter().map(|one| one.name.as_str()), text)?;
    once("Fargate profile", spec.fargate_profiles.iter().map(|one| one.name.as_str()), text)?;
    spec.node_groups.iter().try_for_each(|group| nodegroup(group, text))
}

/// <https://docs.aws.amazon.com/eks/latest/APIReference/API_NodegroupUpdateConfig.html> (2026-11)
fn nodegroup(spec: &NodegroupSpec, text: Text<'_>) -> Built<()> {
    let name = &spec.name;
    if spec.max_unavailable.is_some() && spec.max_unavailable_percentage.is_some() {
        return text.wrong(
            &[name, "maxUnavailablePercentage"],
            format!("{name} has maxUnavailable or maxUnavailablePercentage, not both"),
        );
    }
    let percentage = spec.max_unavailable_percentage;
    if spec.max_unavailable.or(percentage).is_some_and(|number| !(1..=100).contains(&number)) {
        let key = if percentage.is_some() { "maxUnavailablePercentage" } else { "maxUnavailable" };
        return text.wrong(&[name, key], format!("{key} of {name} is between 1 and 100"));
    }
    Ok(())
}

fn group(spec: &SelfManagedGroup, text: Text<'_>) -> Built<()> {
    let name = spec.name.as_str();
    if name.is_empty() {
        return text.wrong(&["autoScalingGroups"], "an Auto Scaling group has no name");
    }
    for kind in spec.health_check_type.iter().flat_map(|kinds| kinds.split(',')) {
        word(kind, HEALTH_CHECKS, &[name, "healthCheckType"], text)?;
    }
    for process in &spec.suspended_processes {
        word(process.as_str(), ScalingProcess::KNOWN, &[name, "suspendedProcesses"], text)?;
    }
    for policy in spec.termination_policies.iter().filter(|policy| !policy.starts_with("arn:")) {
        word(policy, TERMINATION_POLICIES, &[name, "terminationPolicies"], text)?;
    }
    if let Some(strategy) = &spec.zone_distribution {
        word(strategy, DISTRIBUTIONS, &[name, "zoneDistribution"], text)?;
    }
    if let Some(abandon) = &spec.terminate_hook_abandon {
        word(abandon, ABANDON, &[name, "terminateHookAbandon"], text)?;
    }
    if let Some(mixed) = &spec.mixed
        && mixed.on_demand_percentage > 100
    {
        return text.wrong(&[name, "onDemandPercentage"], "a percentage is between 0 and 100");
    }
    let standby: u64 = spec.instances.iter().filter(|one| one.standby).map(|one| u64::from(one.count)).sum();
    if standby > MOST_INSTANCES {
        return text.wrong(&[name, "standby"], format!("{name} would have {standby} instances in standby"));
    }
    once("hook", spec.hooks.iter().map(|one| one.name.as_str()), text)?;
    once("scheduled action", spec.scheduled_actions.iter().map(|one| one.name.as_str()), text)?;
    for action in &spec.scheduled_actions {
        let sizes = [action.min, action.desired, action.max];
        let said: Vec<u32> = sizes.into_iter().flatten().collect();
        if !said.is_sorted() {
            return text.wrong(
                &[name, &action.name],
                format!(
                    "{} sets sizes of which the minimum, the desired and the maximum do not follow",
                    action.name
                ),
            );
        }
    }
    Ok(())
}
