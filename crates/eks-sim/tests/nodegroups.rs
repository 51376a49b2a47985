//! Managed node groups: how EKS replaces their nodes, phase by phase, and what may be asked of them.
#![allow(clippy::unwrap_used, reason = "tests")]

mod common;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use common::{end_of, in_service, minutes, run};
use eks_provider::aws::{
    AutoScalingGroup, AutoScalingGroupQuery, AutoScalingGroupReader, AutoScalingGroupWriter, ClusterReader,
    LaunchTemplateKey, LaunchTemplateRef, Nodegroup, NodegroupReader, NodegroupScaling, NodegroupStatus,
    NodegroupTaint, NodegroupUpdateConfig, NodegroupWriter, TemplateVersion, Update, UpdateErrorCode,
    UpdateNodegroupConfig, UpdateNodegroupVersion, UpdateScope, UpdateStatus, UpdateType,
};
use eks_provider::kube::{Node, NodeQuery, NodeReader};
use eks_provider::{Class, Clock, Token};
use eks_sim::aws::Script;
use eks_sim::faults::{Faults, MachineRule, UpdateRule, When};
use eks_sim::{MachineFault, Sim, World};

const EXCLUDED: &str = "node.kubernetes.io/exclude-from-external-load-balancers";

/// A node group `system` over three zones, with more said of it, and what runs on it.
fn sim(group: &str, kubernetes: &str) -> Sim {
    sim_with(&format!("nodeGroups: [{{ name: system, {group} }}]"), kubernetes, "")
}

fn sim_with(cluster: &str, kubernetes: &str, more: &str) -> Sim {
    let text = format!(
        "
scenario: 1
start: 2026-11-24T12:00:00Z
seed: 3
network:
  subnets:
    - {{ id: subnet-a, zone: eu-west-1a, cidr: 10.0.0.0/24 }}
    - {{ id: subnet-b, zone: eu-west-1b, cidr: 10.0.1.0/24 }}
    - {{ id: subnet-c, zone: eu-west-1c, cidr: 10.0.2.0/24 }}
clusters:
  - {{ name: shop, version: '1.34', {cluster} }}
kubernetes: {{ {kubernetes} }}
{more}
"
    );
    Sim::new(World::from_scenario(&text).unwrap())
}

const SIX: &str = "version: '1.33', min: 3, max: 9, desired: 6";
const WEB: &str = "workloads: [{ kind: Deployment, namespace: shop, name: web, replicas: 6, cpu: 100m, endsAfterSeconds: 5 }], budgets: [{ namespace: shop, name: web, matchLabels: { app: web }, maxUnavailable: 1 }]";
/// A budget that never allows anything.
const STUCK: &str = "workloads: [{ kind: Deployment, namespace: shop, name: web, replicas: 2, cpu: 100m }], budgets: [{ namespace: shop, name: web, matchLabels: { app: web }, minAvailable: 2 }]";

fn update(step: &str) -> UpdateNodegroupVersion {
    UpdateNodegroupVersion {
        cluster: "shop".to_owned(),
        nodegroup: "system".to_owned(),
        version: None,
        release_version: None,
        launch_template: None,
        force: false,
        token: Token::derive("run", step),
    }
}

fn config(step: &str) -> UpdateNodegroupConfig {
    UpdateNodegroupConfig {
        cluster: "shop".to_owned(),
        nodegroup: "system".to_owned(),
        scaling: None,
        update_config: None,
        labels: BTreeMap::new(),
        taints_to_set: Vec::new(),
        taints_to_remove: Vec::new(),
        token: Token::derive("run", step),
    }
}

async fn nodegroup(sim: &Sim) -> Nodegroup {
    sim.describe_nodegroup("shop", "system").await.unwrap()
}

async fn group(sim: &Sim) -> AutoScalingGroup {
    let name = nodegroup(sim).await.auto_scaling_groups.remove(0);
    sim.describe_auto_scaling_groups(&AutoScalingGroupQuery::named(name)).await.unwrap().remove(0)
}

async fn nodes(sim: &Sim) -> Vec<Node> {
    sim.list_nodes(&NodeQuery::default()).await.unwrap()
}

fn minor(node: &Node) -> String {
    node.info.kubelet_version.value().unwrap().minor().to_string()
}

/// What the group and its nodes are at a moment.
#[derive(Debug, Clone)]
struct Seen {
    sizes: (u32, u32, u32),
    instances: usize,
    /// Nodes that are Ready and take Pods.
    open: usize,
    /// Old nodes, by name: whether they are set aside.
    old: BTreeMap<String, bool>,
    /// The zones of new nodes that are Ready.
    new_zones: BTreeSet<String>,
}

async fn seen(sim: &Sim) -> Seen {
    let group = group(sim).await;
    let nodes = nodes(sim).await;
    let old = |node: &&Node| minor(node) == "1.33";
    Seen {
        sizes: (group.min_size, group.desired_capacity, group.max_size),
        instances: group.instances.len(),
        open: nodes.iter().filter(|node| node.is_ready() && !node.unschedulable).count(),
        old: nodes
            .iter()
            .filter(old)
            .map(|node| {
                let aside =
                    node.unschedulable && node.meta.labels.get(EXCLUDED).is_some_and(|on| on == "true");
                (node.meta.name.clone(), aside)
            })
            .collect(),
        new_zones: nodes
            .iter()
            .filter(|node| !old(node) && node.is_ready())
            .filter_map(|node| node.zone().map(str::to_owned))
            .collect(),
    }
}

/// Follows an update to its end.
async fn follow(sim: &Sim, begun: &Update) -> (Update, Vec<Seen>) {
    let scope = UpdateScope::nodegroup("shop", "system");
    let mut all = Vec::new();
    loop {
        let update = eks_provider::aws::UpdateReader::describe_update(sim, &scope, &begun.id).await.unwrap();
        all.push(seen(sim).await);
        if update.status != UpdateStatus::InProgress {
            return (update, all);
        }
        sim.sleep(Duration::from_secs(5)).await;
    }
}

#[test]
fn new_nodes_come_first_in_every_zone_then_old_ones_are_set_aside_drained_and_go() {
    let sim = sim(SIX, WEB);
    run(&sim, async {
        let before = group(&sim).await;
        let begun = sim.update_nodegroup_version(&update("up")).await.unwrap();
        assert_eq!((begun.kind.clone(), begun.param("Version")), (UpdateType::VersionUpdate, Some("1.34")));
        assert_eq!(sim.update_nodegroup_version(&update("up")).await.unwrap(), begun, "the same token");
        let other = sim.update_nodegroup_version(&update("another")).await.unwrap_err();
        assert_eq!(
            (other.class(), other.service_code()),
            (Class::InProgress, Some("ResourceInUseException"))
        );
        assert_eq!(nodegroup(&sim).await.status, NodegroupStatus::Updating);
        let (ended, seen) = follow(&sim, &begun).await;
        assert_eq!(ended.status, UpdateStatus::Successful, "{:?}", ended.errors);

        // Surge: twice the number of zones.
        let most = seen.iter().map(|one| one.sizes.1).max().unwrap();
        assert_eq!((most, seen.iter().map(|one| one.sizes.2).max().unwrap()), (12, 12));
        // No old node goes, and none is set aside, before every zone has a new one.
        let aside = seen.iter().position(|one| one.old.values().any(|aside| *aside)).unwrap();
        let gone = seen.iter().position(|one| one.old.len() < 6).unwrap();
        assert!(aside < gone);
        assert_eq!(seen[aside].new_zones.len(), 3);
        assert!(seen[aside..].iter().all(|one| one.old.values().all(|aside| *aside)), "all of them at once");
        // One at a time, and never less than there was.
        let lost: Vec<usize> =
            seen.windows(2).map(|two| two[0].old.len().saturating_sub(two[1].old.len())).collect();
        assert!(lost.iter().all(|count| *count <= 1), "{lost:?}");
        assert!(
            seen.iter().all(|one| one.open >= 6),
            "{:?}",
            seen.iter().map(|one| one.open).collect::<Vec<_>>()
        );

        let after = group(&sim).await;
        assert_eq!((after.min_size, after.max_size, after.desired_capacity), (3, 9, 6));
        sim.sleep(minutes(5)).await;
        let now = nodegroup(&sim).await;
        assert_eq!(
            (now.status, now.version.unwrap().text().to_owned()),
            (NodegroupStatus::Active, "1.34".to_owned())
        );
        assert_eq!(now.release_version.as_deref(), ended.param("ReleaseVersion"));
        let nodes = nodes(&sim).await;
        assert_eq!(nodes.len(), 6);
        for node in &nodes {
            let labels = &node.meta.labels;
            assert_eq!((minor(node).as_str(), node.unschedulable), ("1.34", false));
            assert_eq!(labels["eks.amazonaws.com/nodegroup"], "system");
            assert!(labels["eks.amazonaws.com/nodegroup-image"].starts_with("ami-"));
        }
        assert_ne!(after.launch, before.launch, "another version of EKS's own template");
        // No Pod was lost, and no budget broken.
        let world = sim.world();
        assert!(world.observer().lost_pods.is_empty());
        assert_eq!(world.observer().budget_named("shop", "web").unwrap().broken_by_eviction, 0);
    });
}

#[test]
fn as_many_go_at_a_time_as_may_be_unavailable() {
    for (unavailable, surge, at_once) in
        [("maxUnavailable: 3", 6, 3), ("maxUnavailablePercentage: 50", 6, 3), ("maxUnavailable: 8", 8, 6)]
    {
        let sim = sim(&format!("{SIX}, {unavailable}"), "");
        run(&sim, async {
            let begun = sim.update_nodegroup_version(&update("up")).await.unwrap();
            let (ended, seen) = follow(&sim, &begun).await;
            assert_eq!(ended.status, UpdateStatus::Successful);
            assert_eq!(seen.iter().map(|one| one.sizes.1).max().unwrap(), 6 + surge, "{unavailable}");
            let lost =
                seen.windows(2).map(|two| two[0].old.len().saturating_sub(two[1].old.len())).max().unwrap();
            assert!((1..=at_once).contains(&lost), "{unavailable}: {lost}");
        });
    }
}

#[test]
fn minimal_never_has_more_nodes_than_it_had() {
    let sim = sim(&format!("{SIX}, minimal: true, maxUnavailable: 2"), WEB);
    run(&sim, async {
        let begun = sim.update_nodegroup_version(&update("up")).await.unwrap();
        let (ended, seen) = follow(&sim, &begun).await;
        assert_eq!(ended.status, UpdateStatus::Successful, "{:?}", ended.errors);
        assert!(seen.iter().all(|one| one.sizes == (3, 6, 9)));
        // One that is terminating is listed beside the one that takes its place.
        assert!(seen.iter().all(|one| one.instances <= 6 + 2));
        let least = seen.iter().map(|one| one.open).min().unwrap();
        assert_eq!(least, 4, "two are out, and not more");
        assert_eq!(
            nodes(&sim).await.iter().map(minor).collect::<BTreeSet<_>>(),
            BTreeSet::from(["1.34".to_owned()])
        );
    });
}

#[test]
fn pods_that_do_not_leave_in_fifteen_minutes_fail_it_and_all_is_as_it_was() {
    let sim = sim(SIX, STUCK);
    run(&sim, async {
        let begun = sim.update_nodegroup_version(&update("up")).await.unwrap();
        let started = sim.now();
        let (ended, _) = follow(&sim, &begun).await;
        assert_eq!(ended.status, UpdateStatus::Failed);
        let error = &ended.errors[0];
        assert_eq!(error.code, UpdateErrorCode::PodEvictionFailure);
        assert!(error.message.contains("shop/web-"), "{}", error.message);
        assert!(error.resource_ids[0].starts_with("i-"));
        assert!(sim.now().duration_since(started).as_secs() >= 15 * 60);
        let now = nodegroup(&sim).await;
        assert_eq!(
            (now.status, now.version.unwrap().text().to_owned()),
            (NodegroupStatus::Active, "1.33".to_owned())
        );
        sim.sleep(minutes(10)).await;
        let group = group(&sim).await;
        assert_eq!((group.min_size, group.max_size, group.desired_capacity), (3, 9, 6));
        assert_eq!(in_service(&group).len(), 6);
        let nodes = nodes(&sim).await;
        assert!(nodes.iter().all(|node| !node.unschedulable && !node.meta.labels.contains_key(EXCLUDED)));
        assert!(sim.world().observer().lost_pods.is_empty());

        // Forced, it goes through, over the budget.
        let forced = UpdateNodegroupVersion { force: true, ..update("forced") };
        let begun = sim.update_nodegroup_version(&forced).await.unwrap();
        assert_eq!(follow(&sim, &begun).await.0.status, UpdateStatus::Successful);
        assert!(!sim.world().observer().lost_pods.is_empty());
    });
}

#[test]
fn nodes_that_do_not_join_fail_it_before_any_old_one_is_touched() {
    let never =
        MachineRule { fault: MachineFault::NeverJoins, group: None, image: None, when: When::default() };
    let rule = Faults { machines: vec![never], ..Faults::default() };
    let full = Script::ZoneCapacity { zone: "eu-west-1b".to_owned(), instances: Some(2) };
    for (faults, script) in [(rule, None), (Faults::default(), Some(full))] {
        let sim = sim(&format!("{SIX}, maxUnavailable: 1"), WEB);
        sim.world().set_faults(faults);
        if let Some(script) = script {
            sim.world().play(script);
        }
        run(&sim, async {
            let old: BTreeSet<String> = nodes(&sim).await.iter().map(|node| node.meta.name.clone()).collect();
            let begun = sim.update_nodegroup_version(&update("up")).await.unwrap();
            let (ended, seen) = follow(&sim, &begun).await;
            assert_eq!(ended.status, UpdateStatus::Failed);
            assert_eq!(ended.errors[0].code, UpdateErrorCode::NodeCreationFailure);
            assert!(seen.iter().all(|one| one.old.len() == 6 && one.old.values().all(|aside| !aside)));
            sim.world().set_faults(Faults::default());
            sim.sleep(minutes(30)).await;
            let group = group(&sim).await;
            assert_eq!((group.desired_capacity, in_service(&group).len()), (6, 6));
            let now: BTreeSet<String> = nodes(&sim).await.iter().map(|node| node.meta.name.clone()).collect();
            assert!(old.is_subset(&now));
        });
    }
}

#[test]
fn it_fails_with_every_code_that_a_rule_says() {
    for code in [UpdateErrorCode::AccessDenied, UpdateErrorCode::ClusterUnreachable, UpdateErrorCode::Unknown]
    {
        let sim = sim(SIX, "");
        let rule = UpdateRule {
            code: code.as_str().to_owned(),
            message: None,
            resource_ids: Vec::new(),
            kind: Some("VersionUpdate".to_owned()),
            name: Some("system".to_owned()),
            when: When::default(),
        };
        sim.world().set_faults(Faults { updates: vec![rule], ..Faults::default() });
        run(&sim, async {
            let begun = sim.update_nodegroup_version(&update("up")).await.unwrap();
            let (ended, _) = follow(&sim, &begun).await;
            assert_eq!((ended.status, ended.errors[0].code.clone()), (UpdateStatus::Failed, code));
            assert_eq!(group(&sim).await.desired_capacity, 6);
        });
    }
}

#[test]
fn somebody_who_scales_up_meanwhile_keeps_what_was_added() {
    let sim = sim(SIX, "");
    run(&sim, async {
        let begun = sim.update_nodegroup_version(&update("up")).await.unwrap();
        // Until it is about to take back what it added.
        while group(&sim).await.desired_capacity != 11 {
            sim.sleep(Duration::from_secs(5)).await;
        }
        let name = nodegroup(&sim).await.auto_scaling_groups.remove(0);
        sim.set_desired_capacity(&name, 12).await.unwrap();
        let (ended, _) = follow(&sim, &begun).await;
        assert_eq!(ended.status, UpdateStatus::Successful);
        sim.sleep(minutes(30)).await;
        let group = group(&sim).await;
        assert_eq!((group.desired_capacity, group.max_size), (12, 12), "it is not brought back");
        assert!(nodes(&sim).await.iter().all(|node| !node.unschedulable));
    });
}

#[test]
fn versions_follow_the_control_plane_and_do_not_go_back() {
    let sim = sim(SIX, "");
    run(&sim, async {
        assert_eq!(sim.describe_cluster("shop").await.unwrap().version.to_string(), "1.34");
        for (version, release, step) in [
            (Some("1.35"), None, "above the control plane"),
            (Some("1.32"), None, "below what it has"),
            (None, Some("1.34.0-20200101"), "no such release"),
        ] {
            let request = UpdateNodegroupVersion {
                version: version.map(|text| text.parse().unwrap()),
                release_version: release.map(str::to_owned),
                ..update(step)
            };
            let error = sim.update_nodegroup_version(&request).await.unwrap_err();
            assert_eq!(
                (error.class(), error.service_code()),
                (Class::Invalid, Some("InvalidParameterException")),
                "{step}"
            );
        }
        let template = LaunchTemplateRef {
            template: LaunchTemplateKey::Name("mine".to_owned()),
            version: TemplateVersion::Latest,
        };
        let request = UpdateNodegroupVersion { launch_template: Some(template), ..update("template") };
        assert_eq!(sim.update_nodegroup_version(&request).await.unwrap_err().class(), Class::Invalid);
    });
}

#[test]
fn another_release_of_the_same_minor_is_an_update_as_well() {
    let sim = sim("outdated: true, min: 1, max: 4, desired: 2", "");
    run(&sim, async {
        let before = nodegroup(&sim).await;
        let begun = sim.update_nodegroup_version(&update("patch")).await.unwrap();
        let (ended, _) = follow(&sim, &begun).await;
        assert_eq!(ended.status, UpdateStatus::Successful);
        let after = nodegroup(&sim).await;
        assert_eq!(after.version, before.version);
        assert_ne!(after.release_version, before.release_version);
        // AWS puts out another one: the same group is outdated again.
        sim.sleep(minutes(24 * 60)).await;
        sim.world().play(Script::ReleaseImages { kubernetes: "1.34".parse().unwrap() });
        let begun = sim.update_nodegroup_version(&update("patch again")).await.unwrap();
        assert_ne!(begun.param("ReleaseVersion"), after.release_version.as_deref());
        // And back to the release that is said.
        follow(&sim, &begun).await;
        let request =
            UpdateNodegroupVersion { release_version: after.release_version.clone(), ..update("back") };
        let begun = sim.update_nodegroup_version(&request).await.unwrap();
        assert_eq!(follow(&sim, &begun).await.0.status, UpdateStatus::Successful);
        assert_eq!(nodegroup(&sim).await.release_version, after.release_version);
    });
}

const OWN: &str = "
launchTemplates:
  - name: mine
    versions:
      - { amiType: AL2023_x86_64_STANDARD, kubernetes: '1.33' }
      - { amiType: AL2023_x86_64_STANDARD, kubernetes: '1.34' }
  - name: plain
    versions: [{ instanceType: m7i.large }, { instanceType: m7i.xlarge }]
";

#[test]
fn a_group_with_an_image_of_ones_own_takes_another_version_of_its_template_and_nothing_else() {
    let group = "nodeGroups: [{ name: system, launchTemplate: { name: mine, version: '1' }, min: 1, max: 4, desired: 2 }]";
    let sim = sim_with(group, "", OWN);
    run(&sim, async {
        let before = nodegroup(&sim).await;
        assert_eq!(before.ami_type.as_deref(), Some("CUSTOM"));
        let own = before.launch_template.clone().unwrap();
        let version =
            |number| Some(LaunchTemplateRef { version: TemplateVersion::Number(number), ..own.clone() });
        let wrong = UpdateNodegroupVersion { version: Some("1.34".parse().unwrap()), ..update("version") };
        assert_eq!(sim.update_nodegroup_version(&wrong).await.unwrap_err().class(), Class::Invalid);
        let request = UpdateNodegroupVersion { launch_template: version(2), ..update("two") };
        let begun = sim.update_nodegroup_version(&request).await.unwrap();
        assert_eq!(follow(&sim, &begun).await.0.status, UpdateStatus::Successful);
        let after = nodegroup(&sim).await;
        assert_eq!(after.launch_template, version(2));
        assert_ne!(after.release_version, before.release_version, "the image is its release");
        for node in nodes(&sim).await {
            assert_eq!(minor(&node), "1.34");
            assert!(node.meta.labels["eks.amazonaws.com/sourceLaunchTemplateId"].starts_with("lt-"));
        }
        let missing = UpdateNodegroupVersion { launch_template: version(9), ..update("nine") };
        assert_eq!(sim.update_nodegroup_version(&missing).await.unwrap_err().class(), Class::NotFound);
    });
}

#[test]
fn a_template_without_an_image_changes_the_rest_and_eks_brings_the_image() {
    let plain = "nodeGroups: [{ name: system, launchTemplate: { name: plain, version: '1' }, min: 1, max: 4, desired: 2 }]";
    let sim = sim_with(plain, "", OWN);
    run(&sim, async {
        let own = nodegroup(&sim).await.launch_template.unwrap();
        let two = LaunchTemplateRef { version: TemplateVersion::Number(2), ..own };
        let request = UpdateNodegroupVersion { launch_template: Some(two), ..update("two") };
        let begun = sim.update_nodegroup_version(&request).await.unwrap();
        let (ended, _) = follow(&sim, &begun).await;
        assert_eq!(ended.status, UpdateStatus::Successful, "{:?}", ended.errors);
        sim.sleep(minutes(10)).await;
        let types: BTreeSet<Option<String>> =
            group(&sim).await.instances.into_iter().map(|one| one.instance_type).collect();
        assert_eq!(types, BTreeSet::from([Some("m7i.xlarge".to_owned())]));
    });
}

#[test]
fn settings_are_changed_and_reach_what_is_started_later() {
    let sim = sim(SIX, "");
    run(&sim, async {
        let taint = NodegroupTaint {
            key: "only".to_owned(),
            value: Some("batch".to_owned()),
            effect: "NO_SCHEDULE".to_owned(),
        };
        let request = UpdateNodegroupConfig {
            scaling: Some(NodegroupScaling { min_size: 2, max_size: 8, desired_size: 7 }),
            update_config: Some(NodegroupUpdateConfig {
                max_unavailable_percentage: Some(25),
                ..NodegroupUpdateConfig::default()
            }),
            labels: BTreeMap::from([("tier".to_owned(), Some("base".to_owned()))]),
            taints_to_set: vec![taint.clone()],
            ..config("all")
        };
        let begun = sim.update_nodegroup_config(&request).await.unwrap();
        assert_eq!(begun.kind, UpdateType::ConfigUpdate);
        let ended = end_of(&sim, &UpdateScope::nodegroup("shop", "system"), &begun.id).await;
        assert_eq!(ended.status, UpdateStatus::Successful);
        sim.sleep(minutes(5)).await;
        let now = nodegroup(&sim).await;
        assert_eq!((now.labels["tier"].as_str(), now.taints), ("base", vec![taint.clone()]));
        let group = group(&sim).await;
        assert_eq!((group.min_size, group.max_size, group.desired_capacity), (2, 8, 7));
        let new: Vec<Node> =
            nodes(&sim).await.into_iter().filter(|node| node.meta.labels.contains_key("tier")).collect();
        assert_eq!(new.len(), 1, "the one that was started since");
        assert!(new[0].taint("only").is_some());
        let back = UpdateNodegroupConfig {
            labels: BTreeMap::from([("tier".to_owned(), None)]),
            taints_to_remove: vec![taint],
            ..config("back")
        };
        sim.update_nodegroup_config(&back).await.unwrap();
        let now = nodegroup(&sim).await;
        assert!(now.labels.is_empty() && now.taints.is_empty());
    });
}

#[test]
fn settings_that_contradict_each_other_are_refused() {
    let sim = sim(SIX, "");
    run(&sim, async {
        let scaling = |min_size, max_size, desired_size| {
            let scaling = Some(NodegroupScaling { min_size, max_size, desired_size });
            UpdateNodegroupConfig { scaling, ..config(&format!("{min_size}/{max_size}/{desired_size}")) }
        };
        let unavailable = |max_unavailable, max_unavailable_percentage| {
            let config_of =
                NodegroupUpdateConfig { max_unavailable, max_unavailable_percentage, update_strategy: None };
            let step = format!("{max_unavailable:?}/{max_unavailable_percentage:?}");
            UpdateNodegroupConfig { update_config: Some(config_of), ..config(&step) }
        };
        for wrong in [
            scaling(3, 2, 3),
            scaling(3, 9, 2),
            scaling(3, 9, 10),
            scaling(0, 0, 0),
            unavailable(Some(1), Some(1)),
            unavailable(Some(0), None),
            unavailable(Some(101), None),
            unavailable(None, Some(101)),
        ] {
            let error = sim.update_nodegroup_config(&wrong).await.unwrap_err();
            assert_eq!(error.service_code(), Some("InvalidParameterException"), "{wrong:?}");
        }
        assert_eq!(nodegroup(&sim).await.scaling.desired_size, 6);
    });
}

#[test]
fn two_groups_are_updated_side_by_side() {
    let groups = format!("nodeGroups: [{{ name: system, {SIX} }}, {{ name: more, {SIX} }}]");
    let sim = sim_with(&groups, "", "");
    run(&sim, async {
        let one = sim.update_nodegroup_version(&update("one")).await.unwrap();
        let two = UpdateNodegroupVersion { nodegroup: "more".to_owned(), ..update("two") };
        let two = sim.update_nodegroup_version(&two).await.unwrap();
        for (name, id) in [("system", one.id), ("more", two.id)] {
            let ended = end_of(&sim, &UpdateScope::nodegroup("shop", name), &id).await;
            assert_eq!(ended.status, UpdateStatus::Successful, "{name}: {:?}", ended.errors);
        }
        sim.sleep(minutes(5)).await;
        assert_eq!(nodes(&sim).await.len(), 12);
    });
}
