//! A world like a real cluster: seeded from what the readers say of another one, and from what files declare.
#![allow(clippy::unwrap_used, reason = "tests")]

mod common;

use std::collections::{BTreeMap, BTreeSet};

use common::{minutes, run};
use eks_model::{
    Addon, AddonWish, ClusterSnapshot, KubeMinor, NodeGroup, NodeGroupKind, Observed, Place, Placed,
    SupportType,
};
use eks_provider::aws::{
    AddonStatus, AutoScalingGroup, AutoScalingInstanceWriter, ClusterWriter, LaunchSource, LaunchTemplateRef,
    TemplateVersion, UpdateClusterVersion,
};
use eks_provider::{Clock, Token};
use eks_sim::aws::Script;
use eks_sim::faults::{CallFault, CallRule, Faults, When};
use eks_sim::scenario::{Assumption, Observations, Scenario};
use eks_sim::{Sim, World};

fn nowhere() -> Place {
    Place { file: "shop.yaml".to_owned(), line: 1, column: 1, width: 1, document: 0 }
}

fn known<T>(value: T) -> Observed<Placed<T>> {
    Observed::Known(Placed { value, at: nowhere() })
}

/// What is known of a cluster called `shop`: nothing.
fn snapshot() -> ClusterSnapshot {
    ClusterSnapshot {
        id: "shop".to_owned(),
        name: "shop".to_owned(),
        declared_as: "cluster",
        at: nowhere(),
        declared_elsewhere: false,
        control_plane: Observed::Absent,
        support: Observed::Absent,
        node_groups: Vec::new(),
        addons: Vec::new(),
    }
}

/// A cluster in the middle of its life: an old group that is half rolled, an add-on that is not well, a zone that is short.
const LIVED_IN: &str = "
scenario: 1
start: 2026-11-24T12:00:00Z
seed: 21
region: eu-central-1
account: '444455556666'
network:
  securityGroups: [sg-nodes, sg-more]
  subnets:
    - { id: subnet-a, zone: eu-central-1a, cidr: 10.0.0.0/24, heldElsewhere: 100, tags: { tier: private } }
    - { id: subnet-b, zone: eu-central-1b, cidr: 10.0.1.0/26 }
    - { id: subnet-c, zone: eu-central-1c, cidr: 10.0.4.0/22 }
images:
  - { id: ami-own, name: golden, kubelet: '1.33.4', architecture: x86_64 }
targetGroups: [{ name: web, deregistrationDelaySeconds: 120 }]
clusters:
  - name: shop
    version: '1.34'
    upgradePolicy: STANDARD
    subnets: [subnet-a, subnet-b]
    securityGroups: [sg-more]
    addons:
      - { name: vpc-cni, configurationValues: '{\"env\":{}}', tags: { team: net } }
      - { name: kube-proxy, version: v1.33.10-eksbuild.29 }
      - { name: coredns }
    nodeGroups:
      - { name: system, version: '1.33', min: 1, max: 5, desired: 2, outdated: true, maxUnavailablePercentage: 33, labels: { tier: base }, taints: ['only=base:NO_SCHEDULE'] }
      - { name: arm, amiType: AL2023_ARM_64_STANDARD, instanceType: m7g.large, min: 0, max: 3, desired: 1, minimal: true, subnets: [subnet-c] }
      - { name: golden, launchTemplate: { name: own, version: '1' }, min: 1, max: 3, desired: 1 }
    fargateProfiles: [{ name: jobs, namespace: jobs, labels: { kind: batch } }]
    accessEntries: { 'arn:aws:iam::444455556666:role/ada': [admins] }
    deprecatedApis: [{ usage: /apis/old/v1beta1/things, replacedWith: /apis/old/v1/things, stopServing: '1.35', userAgent: kubectl }]
    tags: { owner: shop }
launchTemplates:
  - { name: own, versions: [{ image: ami-own, instanceType: m7i.xlarge }] }
  - name: web
    defaultVersion: 2
    versions:
      - { image: ami-own, instanceType: m7i.large, keyName: ada, securityGroups: [sg-nodes], instanceProfile: nodes }
      - { amiType: AL2023_x86_64_STANDARD, kubernetes: '1.34', outdated: true }
      - { image: 'resolve:ssm:/aws/service/eks/optimized-ami/1.34/amazon-linux-2023/x86_64/standard/recommended/image_id' }
autoScalingGroups:
  - name: web
    cluster: shop
    launchTemplate: { name: web, version: '$Default' }
    min: 2
    max: 9
    desired: 5
    instances:
      - { zone: eu-central-1a, count: 2, version: '1' }
      - { zone: eu-central-1b, count: 2, version: '2', protected: true }
      - { zone: eu-central-1c, count: 1, version: '1', instanceType: m7i.xlarge }
      - { zone: eu-central-1c, count: 1, version: '1', standby: true }
    healthCheckType: ELB
    healthCheckGraceSeconds: 300
    newInstancesProtected: true
    suspendedProcesses: [AZRebalance, ScheduledActions]
    terminationPolicies: [OldestInstance]
    maxInstanceLifetimeSeconds: 864000
    targetGroups: [web]
    hooks: [{ name: out, terminating: true, heartbeatSeconds: 600, continues: true }]
    scheduledActions: [{ name: night, recurrence: '0 20 * * *', desired: 3 }]
    tags: { team: shop }
  - name: batch
    cluster: shop
    launchTemplate: { name: web, version: '3' }
    mixed: { onDemandPercentage: 50, overrides: [{ instanceType: m7i.large }, { instanceType: m6i.large }] }
    min: 0
    max: 4
    desired: 2
    warmPool: { min: 1 }
onDemandVcpus: 512
";

/// What is the same of two worlds that are alike: ids, ARNs, addresses and moments are each world's own.
fn alike(seen: &Observations) -> BTreeMap<&'static str, String> {
    let template_name = |of: &LaunchTemplateRef| {
        let mut known = seen.templates.iter().map(|(template, _)| template);
        let found = known.find(|template| of.template.to_string() == template.id).unwrap();
        format!("{} {}", found.name, of.version)
    };
    let cluster = seen.cluster.as_ref().unwrap();
    let mut all = BTreeMap::from([
        (
            "cluster",
            format!(
                "{} {} {} {:?} {:?} {:?} {:?} {:?} {:?} {:?} {:?}",
                cluster.arn,
                cluster.version,
                cluster.status,
                cluster.platform_version,
                cluster.vpc.vpc_id,
                cluster.vpc.subnet_ids,
                cluster.vpc.security_group_ids,
                cluster.support_type,
                cluster.auto_mode,
                cluster.health.iter().map(|issue| &issue.code).collect::<Vec<_>>(),
                cluster.tags
            ),
        ),
        ("subnets", format!("{:#?}", seen.subnets)),
        ("security groups", format!("{:#?}", seen.security_groups)),
        ("target groups", format!("{:#?}", seen.target_groups)),
        (
            "fargate",
            format!(
                "{:?}",
                seen.fargate_profiles.iter().map(|one| (&one.name, &one.selectors)).collect::<Vec<_>>()
            ),
        ),
        ("access entries", format!("{:#?}", seen.access_entries)),
        ("quota", format!("{:?}", seen.on_demand_vcpus)),
    ]);
    all.insert(
        "addons",
        format!(
            "{:#?}",
            seen.addons
                .iter()
                .map(|one| {
                    let health: Vec<_> = one.health.iter().map(|issue| &issue.code).collect();
                    (&one.name, &one.version, &one.status, health, &one.configuration_values, &one.tags)
                })
                .collect::<Vec<_>>()
        ),
    );
    all.insert(
        "node groups",
        format!(
            "{:#?}",
            seen.node_groups
                .iter()
                .map(|one| {
                    (
                        (
                            &one.name,
                            &one.version,
                            &one.release_version,
                            &one.status,
                            one.scaling,
                            &one.ami_type,
                        ),
                        (&one.instance_types, &one.subnets, &one.labels, &one.taints, &one.update_config),
                        one.launch_template.as_ref().map(template_name),
                    )
                })
                .collect::<Vec<_>>()
        ),
    );
    let statuses: BTreeSet<String> = seen
        .insights
        .iter()
        .map(|one| format!("{} {} {:?}", one.summary.name, one.summary.status, one.deprecations))
        .collect();
    all.insert("insights", format!("{statuses:#?}"));
    let source = |launch: &LaunchSource| match launch {
        LaunchSource::Template(template) => template_name(template),
        LaunchSource::Mixed(policy) => {
            let types: Vec<_> = policy.overrides.iter().map(|one| &one.instance_type).collect();
            let share = (policy.on_demand_base_capacity, policy.on_demand_percentage_above_base);
            format!("{} {types:?} {share:?}", template_name(&policy.template))
        }
        LaunchSource::Configuration(_) | LaunchSource::Unstated => panic!("no group has one"),
    };
    let instances = |group: &AutoScalingGroup| {
        let mut words: Vec<String> = group
            .instances
            .iter()
            .map(|one| {
                let version = template_name(one.launch_template.as_ref().unwrap());
                let of = (&one.availability_zone, &one.instance_type, &one.image_id, &one.lifecycle_state);
                format!("{of:?} {version} {}", one.protected_from_scale_in)
            })
            .collect();
        words.sort();
        words
    };
    let groups: Vec<String> = seen
        .groups
        .iter()
        .map(|one| {
            let group = &one.group;
            format!(
                "{} {} {:?} {:#?} {:?} {:?} {:?} {:?} {:?} {:?} {:?} {:?} {:?} {:?} {:?}",
                group.name,
                source(&group.launch),
                (group.min_size, group.desired_capacity, group.max_size),
                instances(group),
                group.subnet_ids,
                group.health_check_type,
                group.health_check_grace_period,
                group.new_instances_protected_from_scale_in,
                group.suspended_processes.keys().collect::<Vec<_>>(),
                group.termination_policies,
                group.max_instance_lifetime,
                group.target_group_arns,
                (group.warm_pool.as_ref(), group.warm_pool_size),
                group.tags,
                (&one.hooks, &one.scheduled),
            )
        })
        .collect();
    all.insert("groups", format!("{groups:#?}"));
    let templates: Vec<_> = seen
        .templates
        .iter()
        .map(|(template, versions)| {
            let data: Vec<_> = versions.iter().map(|version| (version.number, &version.data)).collect();
            format!("{} {} {} {data:#?}", template.name, template.default_version, template.latest_version)
        })
        .collect::<BTreeSet<_>>()
        .into_iter()
        .collect();
    all.insert("templates", templates.join("\n"));
    let kubelets: BTreeMap<String, usize> =
        seen.kubelets.values().fold(BTreeMap::new(), |mut all, kubelet| {
            *all.entry(kubelet.to_string()).or_default() += 1;
            all
        });
    all.insert("kubelets", format!("{kubelets:?}"));
    all
}

fn observe(sim: &Sim) -> Observations {
    run(sim, Observations::of(sim, Some(sim), "shop"))
}

fn seeded(seen: &Observations) -> (Sim, Vec<Assumption>) {
    let start = "2026-11-24T12:00:00Z".parse().unwrap();
    let (scenario, assumptions) = Scenario::from_snapshot(&snapshot(), seen, start);
    (Sim::new(scenario.world().unwrap()), assumptions)
}

fn words(assumptions: &[Assumption]) -> Vec<String> {
    assumptions.iter().map(ToString::to_string).collect()
}

#[test]
fn a_world_that_is_seeded_from_another_one_gives_the_same_answers() {
    let sim = Sim::new(World::from_scenario(LIVED_IN).unwrap());
    sim.world().play(Script::AddonHealth {
        cluster: "shop".to_owned(),
        addon: "coredns".to_owned(),
        code: Some("InsufficientNumberOfReplicas".to_owned()),
    });
    let seen = observe(&sim);
    assert_eq!(seen.unread, [""; 0]);
    assert_eq!((seen.groups.len(), seen.node_groups.len(), seen.kubelets.len()), (2, 3, 12));
    let (twin, assumptions) = seeded(&seen);
    run(&twin, twin.sleep(std::time::Duration::from_secs(1)));
    let again = observe(&twin);
    let (expected, found) = (alike(&seen), alike(&again));
    for (key, expected) in &expected {
        assert_eq!(&found[key], expected, "{key}");
    }
    // And what it had to assume is said.
    let said = words(&assumptions);
    for expected in [
        "Kubernetes: no workload, budget, volume or webhook is known; nothing but the nodes is there, and nothing stands in the way of a drain",
        "add-on vpc-cni: whether somebody changed fields that EKS manages is not known; nobody did",
        "group web: labels and taints that kubelets register with are not known; there are none",
        "images: those that EKS recommends are made up for the day; real releases have other numbers",
        "network: how many addresses Pods of a new node take is not known; a node takes one",
        "zones: whether they have capacity is not known; they have it",
    ] {
        assert!(said.iter().any(|one| one == expected), "{expected}\n{said:#?}");
    }
    assert!(!said.iter().any(|one| one.starts_with("node group") || one.starts_with("cluster")), "{said:#?}");
    // A second seeding is the same as the first.
    let (_, more) = seeded(&again);
    assert_eq!(words(&more), said);
}

#[test]
fn a_seeded_world_goes_on_like_the_other_one() {
    let sim = Sim::new(World::from_scenario(LIVED_IN).unwrap());
    let up = UpdateClusterVersion {
        cluster: "shop".to_owned(),
        version: KubeMinor::new(35),
        force: false,
        rollback_timeout: None,
        token: Token::derive("run", "up"),
    };
    let (twin, _) = seeded(&observe(&sim));
    let mut answers = Vec::new();
    for one in [&sim, &twin] {
        answers.push(run(one, async {
            let refused = one.update_cluster_version(&up).await.unwrap_err();
            let mut zones = Vec::new();
            for zone in ["eu-central-1a", "eu-central-1b", "eu-central-1c"] {
                let outcome = one.launch_instances(&common::launch(zone, 1, zone)).await.unwrap();
                zones.push((outcome.instance_ids.len(), outcome.errors));
            }
            one.sleep(minutes(10)).await;
            let web = common::group(one).await;
            let versions: BTreeSet<TemplateVersion> = common::in_service(&web)
                .iter()
                .map(|one| one.launch_template.clone().unwrap().version)
                .collect();
            (refused.service_message().map(str::to_owned), zones, common::by_zone(&web), versions)
        }));
    }
    assert_eq!(answers[0], answers[1]);
    assert!(answers[0].0.as_ref().unwrap().contains("Deprecated APIs removed in Kubernetes v1.35"));
}

#[test]
fn what_could_not_be_read_is_said_and_is_not_there() {
    let sim = Sim::new(World::from_scenario(LIVED_IN).unwrap());
    let rule = CallRule {
        fault: CallFault::AccessDenied,
        operations: vec!["eks:ListInsights".to_owned(), "autoscaling:DescribeLifecycleHooks".to_owned()],
        target: None,
        writes_only: false,
        when: When::default(),
    };
    sim.world().set_faults(Faults { calls: vec![rule], ..Faults::default() });
    let seen = observe(&sim);
    assert_eq!(seen.unread.len(), 3);
    let (_, assumptions) = seeded(&seen);
    let said = words(&assumptions);
    assert!(
        said.iter().any(|one| one.starts_with("reading: eks:ListInsights on cluster shop: denied")),
        "{said:#?}"
    );
    assert!(said.contains(
        &"cluster shop: what EKS's insights find is not known; no deprecated API is in use".to_owned()
    ));
}

#[test]
fn an_upgrade_that_can_be_taken_back_can_be_taken_back_in_the_seeded_world() {
    let text = LIVED_IN.replace("deprecatedApis:", "upgradedHoursAgo: 1\n    deprecatedApis:");
    for (rolled, expected) in [(true, None), (false, Some("was not upgraded"))] {
        let sim = Sim::new(World::from_scenario(&text).unwrap());
        let go = |minor, step| UpdateClusterVersion {
            cluster: "shop".to_owned(),
            version: KubeMinor::new(minor),
            force: true,
            rollback_timeout: None,
            token: Token::derive("run", step),
        };
        if rolled {
            run(&sim, async {
                sim.update_cluster_version(&go(35, "up")).await.unwrap();
                sim.sleep(minutes(30)).await;
            });
        }
        let seen = observe(&sim);
        let (scenario, _) = Scenario::from_snapshot(&snapshot(), &seen, sim.now());
        let twin = Sim::new(scenario.world().unwrap());
        let minor = if rolled { 34 } else { 33 };
        let answer = run(&twin, twin.update_cluster_version(&go(minor, "back")));
        match expected {
            None => assert_eq!(answer.unwrap().param("Version"), Some("1.34")),
            // The first world was upgraded before it began: no update says so, and none can be seen.
            Some(words) => assert!(answer.unwrap_err().to_string().contains(words)),
        }
    }
}

#[test]
fn what_files_declare_is_taken_and_the_rest_is_assumed() {
    let group = |name: &str, kind, kubelet: Option<&str>| NodeGroup {
        name: name.to_owned(),
        kind,
        declared_as: "nodeGroup",
        at: nowhere(),
        kubelet: kubelet.map_or(Observed::Absent, |text| known(text.parse().unwrap())),
        follows_control_plane: false,
        image: Observed::Absent,
    };
    let addon =
        |name: &str, version| Addon { name: name.to_owned(), declared_as: "addon", at: nowhere(), version };
    let declared = ClusterSnapshot {
        control_plane: known("1.35".parse().unwrap()),
        support: known(SupportType::Standard),
        node_groups: vec![
            group("system", NodeGroupKind::Managed, Some("1.34")),
            group("more", NodeGroupKind::Managed, None),
            group("own", NodeGroupKind::SelfManaged, None),
            group("jobs", NodeGroupKind::Fargate, None),
        ],
        addons: vec![
            addon("kube-proxy", known(AddonWish::Pinned("v1.34.6-eksbuild.25".parse().unwrap()))),
            addon("coredns", known(AddonWish::Newest)),
            addon("something-else", Observed::Absent),
        ],
        ..snapshot()
    };
    let start = "2026-11-24T12:00:00Z".parse().unwrap();
    let (scenario, assumptions) = Scenario::from_snapshot(&declared, &Observations::default(), start);
    let seen = observe(&Sim::new(scenario.world().unwrap()));
    assert_eq!(seen.cluster.unwrap().version, KubeMinor::new(35));
    let versions: Vec<_> = seen
        .node_groups
        .iter()
        .map(|group| (group.name.as_str(), group.version.as_ref().unwrap().text()))
        .collect();
    assert_eq!(versions, [("more", "1.35"), ("system", "1.34")]);
    assert_eq!(seen.groups[0].group.name, "own");
    assert_eq!(seen.fargate_profiles[0].name, "jobs");
    let addons: Vec<_> = seen.addons.iter().map(|addon| (addon.name.as_str(), &addon.status)).collect();
    assert_eq!(addons, [("coredns", &AddonStatus::Active), ("kube-proxy", &AddonStatus::Active)]);
    let said = words(&assumptions);
    for expected in [
        "account: not known; it is 111122223333 in eu-west-1",
        "add-on coredns: its version is not known; EKS's default for 1.35 stands for it",
        "add-on kube-proxy: how it is, is not known; it is ACTIVE",
        "add-on something-else: no version of it for 1.35 is known; the world has none",
        "cluster shop: what EKS's insights find is not known; no deprecated API is in use",
        "cluster shop: whether it was upgraded lately is not known; there is no way back",
        "group own: its size is not known; it has two instances, between one and four",
        "network: no subnet is known; there are three zones with 4,091 free addresses each",
        "node group more: its version is not known; it is 1.35",
        "node group system: its size is not known; it has two nodes, between one and four",
    ] {
        assert!(said.iter().any(|one| one == expected), "{expected}\n{said:#?}");
    }
    assert!(!said.iter().any(|one| one.starts_with("node group system: its version")), "{said:#?}");
}
