//! Control planes: up by a minor, back, what refuses and what fails; through the traits and in virtual time.
#![allow(clippy::unwrap_used, reason = "tests")]

mod common;

use std::collections::BTreeSet;
use std::time::Duration;

use common::{end_of, minutes, run};
use eks_model::{KubeMinor, SupportType};
use eks_provider::aws::{
    AddonReader, AddonWriter, CancelUpdate, CancellationStatus, ClusterConfigChange, ClusterReader,
    ClusterStatus, ClusterVersionQuery, ClusterVersionReader, ClusterWriter, EksTagWriter, InsightCategory,
    InsightQuery, InsightReader, InsightRefresher, InsightStatus, InsightsRefreshStatus, NodegroupReader,
    NodegroupWriter, ResolveConflicts, UpdateAddon, UpdateClusterConfig, UpdateClusterVersion,
    UpdateErrorCode, UpdateNodegroupVersion, UpdateReader, UpdateScope, UpdateStatus, UpdateType,
    VersionStatus,
};
use eks_provider::kube::ServerReader;
use eks_provider::{Class, Clock, ProviderError, Token};
use eks_sim::aws::Script;
use eks_sim::faults::{Faults, UpdateRule, When};
use eks_sim::{Sim, World};

/// A cluster `shop` with more said of it, and more said of its world.
fn sim(cluster: &str, more: &str) -> Sim {
    let text = format!(
        "
scenario: 1
start: 2026-11-24T12:00:00Z
seed: 5
network:
  securityGroups: [sg-1]
  subnets:
    - {{ id: subnet-a, zone: eu-west-1a, cidr: 10.0.0.0/24 }}
    - {{ id: subnet-b, zone: eu-west-1b, cidr: 10.0.1.0/24 }}
    - {{ id: subnet-a2, zone: eu-west-1a, cidr: 10.0.2.0/24 }}
clusters:
  - {{ name: shop, {cluster} }}
{more}
"
    );
    Sim::new(World::from_scenario(&text).unwrap())
}

fn to(minor: u16, step: &str) -> UpdateClusterVersion {
    UpdateClusterVersion {
        cluster: "shop".to_owned(),
        version: KubeMinor::new(minor),
        force: false,
        rollback_timeout: None,
        token: Token::derive("run", step),
    }
}

fn change(change: ClusterConfigChange, step: &str) -> UpdateClusterConfig {
    UpdateClusterConfig { cluster: "shop".to_owned(), change, token: Token::derive("run", step) }
}

fn code(error: &ProviderError) -> (Class, &str) {
    (error.class(), error.service_code().unwrap())
}

const IN_USE: (Class, &str) = (Class::InProgress, "ResourceInUseException");
const PARAMETER: (Class, &str) = (Class::Invalid, "InvalidParameterException");
const REQUEST: (Class, &str) = (Class::Conflict, "InvalidRequestException");
const STATE: (Class, &str) = (Class::Conflict, "InvalidStateException");
const MISSING: (Class, &str) = (Class::NotFound, "ResourceNotFoundException");

#[test]
fn a_control_plane_goes_up_and_back_and_takes_its_time() {
    let sim = sim("version: '1.34'", "");
    run(&sim, async {
        let update = sim.update_cluster_version(&to(35, "up")).await.unwrap();
        assert_eq!((update.kind.clone(), update.param("Version")), (UpdateType::VersionUpdate, Some("1.35")));
        assert_eq!(sim.describe_cluster("shop").await.unwrap().status, ClusterStatus::Active, "not yet seen");
        sim.sleep(Duration::from_secs(30)).await;
        let now = sim.describe_cluster("shop").await.unwrap();
        assert_eq!((now.status, now.version), (ClusterStatus::Updating, KubeMinor::new(34)));
        assert_eq!(sim.update_cluster_version(&to(35, "up")).await.unwrap(), update, "the same token");

        let started = sim.now();
        let ended = end_of(&sim, &UpdateScope::cluster("shop"), &update.id).await;
        assert_eq!(ended.status, UpdateStatus::Successful);
        let took = sim.now().duration_since(started).as_secs();
        assert!((400..=730).contains(&took), "{took} s");
        let now = sim.describe_cluster("shop").await.unwrap();
        assert_eq!((now.version, now.status), (KubeMinor::new(35), ClusterStatus::Active));
        assert_eq!(now.platform_version.as_deref(), update.param("PlatformVersion"));

        let back = sim.update_cluster_version(&to(34, "back")).await.unwrap();
        assert_eq!(back.kind, UpdateType::VersionRollback);
        assert_eq!(
            end_of(&sim, &UpdateScope::cluster("shop"), &back.id).await.status,
            UpdateStatus::Successful
        );
        assert_eq!(sim.describe_cluster("shop").await.unwrap().version, KubeMinor::new(34));
        let ids = sim.list_updates(&UpdateScope::cluster("shop")).await.unwrap();
        assert_eq!(ids, [back.id, update.id]);
        // There is no way back from a way back.
        assert_eq!(code(&sim.update_cluster_version(&to(33, "further")).await.unwrap_err()), REQUEST);
    });
}

#[test]
fn the_api_server_is_away_for_a_moment_and_comes_back_at_the_next_minor() {
    let sim = sim("version: '1.34'", "kubernetes: {}");
    run(&sim, async {
        let update = sim.update_cluster_version(&to(35, "up")).await.unwrap();
        let mut seen = Vec::new();
        while sim.describe_update(&UpdateScope::cluster("shop"), &update.id).await.unwrap().status
            == UpdateStatus::InProgress
        {
            let word = match sim.server_version().await {
                Ok(version) => version.minor,
                Err(error) if error.class() == Class::Transport => "away".to_owned(),
                Err(error) => panic!("{error}"),
            };
            if seen.last() != Some(&word) {
                seen.push(word);
            }
            sim.sleep(Duration::from_secs(1)).await;
        }
        assert_eq!(seen, ["34", "away", "35"]);
    });
}

#[test]
fn it_goes_one_minor_at_a_time_to_a_version_that_is_offered() {
    let sim = sim("version: '1.34'", "");
    run(&sim, async {
        for (minor, step) in [(34, "same"), (36, "two"), (32, "two back"), (38, "not yet"), (30, "no more")] {
            let error = sim.update_cluster_version(&to(minor, step)).await.unwrap_err();
            assert_eq!(code(&error), PARAMETER, "{step}: {error}");
        }
        let config = UpdateClusterVersion {
            rollback_timeout: Some(Duration::from_hours(3)),
            ..to(35, "with rollback config")
        };
        assert_eq!(code(&sim.update_cluster_version(&config).await.unwrap_err()), PARAMETER);
        let other = UpdateClusterVersion { cluster: "other".to_owned(), ..to(35, "other") };
        assert_eq!(code(&sim.update_cluster_version(&other).await.unwrap_err()), MISSING);
        assert!(sim.list_updates(&UpdateScope::cluster("shop")).await.unwrap().is_empty());
    });
}

#[test]
fn there_is_one_update_at_a_time_for_the_control_plane_and_what_belongs_to_it() {
    let cluster = "version: '1.34', addons: [{ name: kube-proxy }], nodeGroups: [{ name: system, min: 1, max: 3, desired: 2 }]";
    let sim = sim(cluster, "");
    run(&sim, async {
        let update = sim.update_cluster_version(&to(35, "up")).await.unwrap();
        let addon = UpdateAddon {
            cluster: "shop".to_owned(),
            addon: "kube-proxy".to_owned(),
            version: None,
            resolve_conflicts: ResolveConflicts::Preserve,
            configuration_values: None,
            service_account_role_arn: None,
            pod_identity_associations: None,
            token: Token::derive("run", "addon"),
        };
        let nodes = UpdateNodegroupVersion {
            cluster: "shop".to_owned(),
            nodegroup: "system".to_owned(),
            version: None,
            release_version: None,
            launch_template: None,
            force: false,
            token: Token::derive("run", "nodes"),
        };
        let policy = change(ClusterConfigChange::UpgradePolicy(SupportType::Standard), "policy");
        let refused = [
            sim.update_cluster_version(&to(35, "again")).await.unwrap_err(),
            sim.update_cluster_config(&policy).await.unwrap_err(),
            sim.update_addon(&addon).await.unwrap_err(),
            sim.update_nodegroup_version(&nodes).await.unwrap_err(),
        ];
        for error in &refused {
            assert_eq!(code(error), IN_USE, "{error}");
        }
        end_of(&sim, &UpdateScope::cluster("shop"), &update.id).await;
        // A refusal is not remembered with its token: the same request goes through later.
        sim.update_addon(&addon).await.unwrap();
        sim.update_nodegroup_version(&nodes).await.unwrap();
        // Neither add-ons nor nodes went up with it.
        assert!(sim.describe_addon("shop", "kube-proxy").await.unwrap().version.text().starts_with("v1.34"));
        assert_eq!(sim.describe_nodegroup("shop", "system").await.unwrap().version.unwrap().text(), "1.34");
    });
}

fn insights(category: InsightCategory, minor: u16) -> InsightQuery {
    InsightQuery {
        cluster: "shop".to_owned(),
        categories: vec![category],
        kubernetes_versions: vec![KubeMinor::new(minor)],
        statuses: Vec::new(),
    }
}

async fn status_of(sim: &Sim, minor: u16, name: &str) -> InsightStatus {
    let found = sim.list_insights(&insights(InsightCategory::UpgradeReadiness, minor)).await.unwrap();
    found.into_iter().find(|one| one.name.starts_with(name)).unwrap().status
}

const USED: &str = "version: '1.34', deprecatedApis: [{ usage: /apis/old/v1beta1/things, replacedWith: /apis/old/v1/things, stopServing: '1.35', userAgent: kubectl }]";

#[test]
fn insights_say_what_the_next_minors_break_and_block_unless_forced() {
    let sim = sim(USED, "");
    run(&sim, async {
        let next = sim.list_insights(&insights(InsightCategory::UpgradeReadiness, 35)).await.unwrap();
        let names: Vec<&str> = next.iter().map(|one| one.name.as_str()).collect();
        let expected = [
            "Cluster health issues",
            "Deprecated APIs removed in Kubernetes v1.35",
            "EKS add-on version compatibility",
            "Kubelet version skew",
            "kube-proxy version skew",
        ];
        assert_eq!(names, expected);
        assert_eq!(status_of(&sim, 35, "Deprecated").await, InsightStatus::Error);
        assert_eq!(status_of(&sim, 36, "Deprecated").await, InsightStatus::Passing);
        let found = next.iter().find(|one| one.status == InsightStatus::Error).unwrap();
        let detail = sim.describe_insight("shop", &found.id).await.unwrap();
        assert_eq!(detail.deprecations[0].usage, "/apis/old/v1beta1/things");
        assert_eq!(detail.deprecations[0].clients[0].user_agent, "kubectl");
        assert_eq!(code(&sim.describe_insight("shop", "none").await.unwrap_err()), MISSING);

        let error = sim.update_cluster_version(&to(35, "up")).await.unwrap_err();
        assert_eq!(code(&error), STATE);
        assert!(error.to_string().contains("Deprecated APIs removed in Kubernetes v1.35"), "{error}");
        let forced = UpdateClusterVersion { force: true, ..to(35, "forced") };
        sim.update_cluster_version(&forced).await.unwrap();
    });
    // Whether EKS blocks is not known from outside; a world can be either way.
    let other = self::sim(USED, "rules: { upgradeInsightsBlock: false }");
    run(&other, async {
        other.update_cluster_version(&to(35, "up")).await.unwrap();
    });
}

#[test]
fn insights_are_as_old_as_their_last_refresh() {
    let sim = sim(USED, "");
    run(&sim, async {
        assert_eq!(code(&sim.describe_insights_refresh("shop").await.unwrap_err()), MISSING);
        sim.world().play(Script::ClusterHealth {
            cluster: "shop".to_owned(),
            code: Some("KmsKeyNotFound".to_owned()),
        });
        assert_eq!(
            status_of(&sim, 35, "Cluster health").await,
            InsightStatus::Passing,
            "not looked at since"
        );
        let started = sim.start_insights_refresh("shop").await.unwrap();
        assert_eq!(started.status, InsightsRefreshStatus::InProgress);
        assert_eq!(sim.start_insights_refresh("shop").await.unwrap(), started, "one at a time");
        sim.sleep(minutes(5)).await;
        let ended = sim.describe_insights_refresh("shop").await.unwrap();
        assert_eq!(ended.status, InsightsRefreshStatus::Completed);
        assert!(ended.ended_at > ended.started_at);
        assert_eq!(status_of(&sim, 35, "Cluster health").await, InsightStatus::Error);
        assert_eq!(status_of(&sim, 36, "Cluster health").await, InsightStatus::Warning, "not the next one");
        let error = sim.update_cluster_version(&to(35, "up")).await.unwrap_err();
        assert!(error.to_string().contains("Cluster health issues"), "{error}");
        // Of its own accord EKS looks once a day.
        sim.world().play(Script::ClusterHealth { cluster: "shop".to_owned(), code: None });
        sim.sleep(minutes(24 * 60)).await;
        assert_eq!(status_of(&sim, 35, "Cluster health").await, InsightStatus::Passing);
    });
}

#[test]
fn node_groups_that_are_too_old_refuse_the_next_hop() {
    for (version, rules, refused) in [
        ("1.31", "", true),
        ("1.32", "", false),
        ("1.33", "", false),
        ("1.33", "rules: { nodeGroupsMustMatch: true }", true),
    ] {
        let groups = format!(
            "version: '1.34', nodeGroups: [{{ name: old, version: '{version}', min: 1, max: 3, desired: 1 }}]"
        );
        let sim = sim(&groups, rules);
        run(&sim, async {
            let answer =
                sim.update_cluster_version(&UpdateClusterVersion { force: true, ..to(35, "up") }).await;
            assert_eq!(answer.is_err(), refused, "{version} {rules}");
            if let Err(error) = answer {
                assert_eq!(code(&error), REQUEST);
                assert!(error.to_string().contains("Nodegroups old"), "{error}");
            }
        });
    }
}

#[test]
fn the_way_back_is_open_for_seven_days_after_an_upgrade_in_place() {
    for (cluster, expected) in [
        ("version: '1.35', upgradedHoursAgo: 167", None),
        ("version: '1.35', upgradedHoursAgo: 169", Some((REQUEST, "more than 7 days"))),
        ("version: '1.35'", Some((REQUEST, "was not upgraded"))),
        (
            "version: '1.35', createdVersion: '1.35', upgradedHoursAgo: 1",
            Some((REQUEST, "created at this version")),
        ),
        (
            "version: '1.35', upgradedHoursAgo: 1, upgradeWasForced: true",
            Some((REQUEST, "end of extended support")),
        ),
        // 1.33 is in extended support.
        ("version: '1.34', upgradedHoursAgo: 1, upgradePolicy: STANDARD", Some((REQUEST, "STANDARD"))),
        ("version: '1.34', upgradedHoursAgo: 1", None),
    ] {
        let sim = sim(cluster, "");
        run(&sim, async {
            let current = sim.describe_cluster("shop").await.unwrap().version;
            let back = to(current.minor() - 1, "back");
            let answer = sim.update_cluster_version(&UpdateClusterVersion { force: true, ..back }).await;
            match (answer, expected) {
                (Ok(update), None) => assert_eq!(update.kind, UpdateType::VersionRollback),
                (Err(error), Some((expected, words))) => {
                    assert_eq!(code(&error), expected, "{cluster}");
                    assert!(error.to_string().contains(words), "{cluster}: {error}");
                }
                (answer, _) => panic!("{cluster}: {answer:?}"),
            }
        });
    }
}

#[test]
fn nodes_that_are_too_new_block_the_way_back_unless_forced() {
    let cluster =
        "version: '1.35', upgradedHoursAgo: 1, nodeGroups: [{ name: new, min: 1, max: 3, desired: 1 }]";
    let sim = sim(cluster, "");
    run(&sim, async {
        let found = sim.list_insights(&insights(InsightCategory::RollbackReadiness, 34)).await.unwrap();
        let skew = found.iter().find(|one| one.name == "Kubelet version skew").unwrap();
        assert_eq!(skew.status, InsightStatus::Error);
        let error = sim.update_cluster_version(&to(34, "back")).await.unwrap_err();
        assert_eq!(code(&error), STATE, "{error}");
        // Nodes first: a node group may go back a minor for that.
        let nodes = UpdateNodegroupVersion {
            cluster: "shop".to_owned(),
            nodegroup: "new".to_owned(),
            version: Some("1.34".parse().unwrap()),
            release_version: None,
            launch_template: None,
            force: false,
            token: Token::derive("run", "nodes"),
        };
        let update = sim.update_nodegroup_version(&nodes).await.unwrap();
        let ended = end_of(&sim, &UpdateScope::nodegroup("shop", "new"), &update.id).await;
        assert_eq!(ended.status, UpdateStatus::Successful, "{:?}", ended.errors);
        sim.start_insights_refresh("shop").await.unwrap();
        sim.sleep(minutes(5)).await;
        let back = sim.update_cluster_version(&to(34, "back")).await.unwrap();
        assert_eq!(
            end_of(&sim, &UpdateScope::cluster("shop"), &back.id).await.status,
            UpdateStatus::Successful
        );
    });
}

/// Every code of EKS that an update may fail with.
const CODES: [UpdateErrorCode; 17] = [
    UpdateErrorCode::SubnetNotFound,
    UpdateErrorCode::SecurityGroupNotFound,
    UpdateErrorCode::EniLimitReached,
    UpdateErrorCode::IpNotAvailable,
    UpdateErrorCode::AccessDenied,
    UpdateErrorCode::OperationNotPermitted,
    UpdateErrorCode::VpcIdNotFound,
    UpdateErrorCode::Unknown,
    UpdateErrorCode::NodeCreationFailure,
    UpdateErrorCode::PodEvictionFailure,
    UpdateErrorCode::InsufficientFreeAddresses,
    UpdateErrorCode::ClusterUnreachable,
    UpdateErrorCode::InsufficientNumberOfReplicas,
    UpdateErrorCode::ConfigurationConflict,
    UpdateErrorCode::AdmissionRequestDenied,
    UpdateErrorCode::UnsupportedAddonModification,
    UpdateErrorCode::K8sResourceNotFound,
];

#[test]
fn an_update_that_fails_leaves_the_version_and_says_why() {
    for expected in CODES {
        let sim = sim("version: '1.34'", "");
        let rule = UpdateRule {
            code: expected.as_str().to_owned(),
            message: Some("simulated".to_owned()),
            resource_ids: vec!["subnet-a".to_owned()],
            kind: Some("VersionUpdate".to_owned()),
            name: None,
            when: When { times: Some(1), ..When::default() },
        };
        sim.world().set_faults(Faults { updates: vec![rule], ..Faults::default() });
        run(&sim, async {
            let update = sim.update_cluster_version(&to(35, "up")).await.unwrap();
            let ended = end_of(&sim, &UpdateScope::cluster("shop"), &update.id).await;
            assert_eq!((ended.status, ended.errors.len()), (UpdateStatus::Failed, 1));
            let error = &ended.errors[0];
            assert_eq!(
                (&error.code, error.resource_ids.as_slice()),
                (&expected, &["subnet-a".to_owned()][..])
            );
            let now = sim.describe_cluster("shop").await.unwrap();
            assert_eq!((now.version, now.status), (KubeMinor::new(34), ClusterStatus::Active));
            // A new try is a new token.
            let again = sim.update_cluster_version(&to(35, "up/try-2")).await.unwrap();
            let ended = end_of(&sim, &UpdateScope::cluster("shop"), &again.id).await;
            assert_eq!(ended.status, UpdateStatus::Successful);
        });
    }
}

#[test]
fn five_free_addresses_are_needed() {
    for (held, status) in [(246, UpdateStatus::Successful), (247, UpdateStatus::Failed)] {
        let sim = sim("version: '1.34', subnets: [subnet-a]", "");
        run(&sim, async {
            sim.world().play(Script::HoldAddresses { subnet: "subnet-a".to_owned(), addresses: held });
            let update = sim.update_cluster_version(&to(35, "up")).await.unwrap();
            let ended = end_of(&sim, &UpdateScope::cluster("shop"), &update.id).await;
            assert_eq!(ended.status, status, "{held} of 251 are taken");
            let codes: Vec<_> = ended.errors.into_iter().map(|error| error.code).collect();
            let expected = (status == UpdateStatus::Failed).then_some(UpdateErrorCode::IpNotAvailable);
            assert_eq!(codes, Vec::from_iter(expected));
        });
    }
}

#[test]
fn only_the_rollback_of_auto_mode_nodes_can_be_cancelled() {
    let cancel = |id: &str, step: &str| CancelUpdate {
        cluster: "shop".to_owned(),
        update_id: id.to_owned(),
        token: Token::derive("run", step),
    };
    let sim = sim("version: '1.35', upgradedHoursAgo: 1, autoMode: true", "");
    run(&sim, async {
        let scope = UpdateScope::cluster("shop");
        let back = sim.update_cluster_version(&to(34, "back")).await.unwrap();
        sim.sleep(minutes(10)).await;
        assert_eq!(
            sim.describe_cluster("shop").await.unwrap().status,
            ClusterStatus::Active,
            "nodes go first"
        );
        assert_eq!(code(&sim.update_cluster_version(&to(36, "up")).await.unwrap_err()), IN_USE);
        let cancelled = sim.cancel_update(&cancel(&back.id, "cancel")).await.unwrap();
        assert_eq!(cancelled.status, UpdateStatus::Cancelled);
        assert_eq!(cancelled.cancellation, Some((CancellationStatus::Successful, None)));
        assert_eq!(code(&sim.cancel_update(&cancel(&back.id, "twice")).await.unwrap_err()), REQUEST);
        assert_eq!(code(&sim.cancel_update(&cancel("none", "none")).await.unwrap_err()), MISSING);
        sim.sleep(minutes(120)).await;
        assert_eq!(sim.describe_cluster("shop").await.unwrap().version, KubeMinor::new(35));

        // Once the control plane is on its way, it is too late.
        let back = sim.update_cluster_version(&to(34, "back again")).await.unwrap();
        while sim.describe_cluster("shop").await.unwrap().status == ClusterStatus::Active {
            sim.sleep(minutes(1)).await;
        }
        assert_eq!(code(&sim.cancel_update(&cancel(&back.id, "late")).await.unwrap_err()), REQUEST);
        assert_eq!(end_of(&sim, &scope, &back.id).await.status, UpdateStatus::Successful);
        // An upgrade never can.
        let up = sim.update_cluster_version(&to(35, "up")).await.unwrap();
        assert_eq!(code(&sim.cancel_update(&cancel(&up.id, "up")).await.unwrap_err()), REQUEST);
    });
}

#[test]
fn the_time_out_of_a_rollback_is_between_two_hours_and_a_week() {
    let sim = sim("version: '1.35', upgradedHoursAgo: 1, autoMode: true", "");
    run(&sim, async {
        for (at, wait) in [119, 10_081].into_iter().enumerate() {
            let request =
                UpdateClusterVersion { rollback_timeout: Some(minutes(wait)), ..to(34, &format!("{at}")) };
            assert_eq!(code(&sim.update_cluster_version(&request).await.unwrap_err()), PARAMETER, "{wait}");
        }
        let request = UpdateClusterVersion { rollback_timeout: Some(minutes(120)), ..to(34, "ok") };
        sim.update_cluster_version(&request).await.unwrap();
    });
}

#[test]
fn settings_are_changed_one_at_a_time() {
    let sim = sim("version: '1.34'", "");
    run(&sim, async {
        let set = |ids: &[&str]| ids.iter().map(|id| (*id).to_owned()).collect::<BTreeSet<String>>();
        for (at, (wanted, kind)) in [
            (ClusterConfigChange::UpgradePolicy(SupportType::Standard), UpdateType::UpgradePolicyUpdate),
            (ClusterConfigChange::DeletionProtection(true), UpdateType::DeletionProtectionUpdate),
            (ClusterConfigChange::ZonalShift(true), UpdateType::ZonalShiftConfigUpdate),
            (ClusterConfigChange::Subnets(set(&["subnet-a", "subnet-b"])), UpdateType::VpcConfigUpdate),
            (
                ClusterConfigChange::ControlPlaneTier("tier-xl".to_owned()),
                UpdateType::ControlPlaneScalingConfigUpdate,
            ),
        ]
        .into_iter()
        .enumerate()
        {
            let update = sim.update_cluster_config(&change(wanted, &format!("{at}"))).await.unwrap();
            assert_eq!(update.kind, kind);
            assert_eq!(
                code(&sim.update_cluster_version(&to(35, &format!("up {at}"))).await.unwrap_err()),
                IN_USE
            );
            assert_eq!(
                end_of(&sim, &UpdateScope::cluster("shop"), &update.id).await.status,
                UpdateStatus::Successful
            );
        }
        let now = sim.describe_cluster("shop").await.unwrap();
        assert_eq!(now.support_type.unwrap().text(), "STANDARD");
        assert_eq!((now.deletion_protection, now.zonal_shift), (Some(true), Some(true)));
        assert_eq!(now.vpc.subnet_ids, set(&["subnet-a", "subnet-b"]));
        assert_eq!(now.control_plane_tier.as_deref(), Some("tier-xl"));
        for (step, wrong) in [
            ("one zone", ClusterConfigChange::Subnets(set(&["subnet-a", "subnet-a2"]))),
            ("no such subnet", ClusterConfigChange::Subnets(set(&["subnet-a", "subnet-z"]))),
            ("no such tier", ClusterConfigChange::ControlPlaneTier("huge".to_owned())),
        ] {
            let error = sim.update_cluster_config(&change(wrong, step)).await.unwrap_err();
            assert_eq!(code(&error), PARAMETER, "{step}: {error}");
        }
    });
}

#[test]
fn versions_are_those_of_the_calendar_on_the_day_of_the_world() {
    let sim = sim("version: '1.34'", "");
    run(&sim, async {
        let offered = sim.describe_cluster_versions(&ClusterVersionQuery::default()).await.unwrap();
        let words: Vec<(&str, &VersionStatus)> =
            offered.iter().map(|one| (one.version.text(), &one.status)).collect();
        let (standard, extended) = (&VersionStatus::StandardSupport, &VersionStatus::ExtendedSupport);
        let expected = [
            ("1.31", extended),
            ("1.32", extended),
            ("1.33", extended),
            ("1.34", standard),
            ("1.35", standard),
            ("1.36", standard),
            ("1.37", standard),
        ];
        assert_eq!(words, expected);
        let default: Vec<_> =
            offered.iter().filter(|one| one.default_version).map(|one| one.version.text()).collect();
        assert_eq!(default, ["1.37"]);
        let all = ClusterVersionQuery { include_all: true, ..ClusterVersionQuery::default() };
        let all = sim.describe_cluster_versions(&all).await.unwrap();
        assert!(all.iter().any(|one| one.status == VersionStatus::Unsupported));
        // Three days later one is gone.
        sim.sleep(minutes(3 * 24 * 60)).await;
        let offered = sim.describe_cluster_versions(&ClusterVersionQuery::default()).await.unwrap();
        assert_eq!(offered[0].version.text(), "1.32");
    });
}

#[test]
fn what_is_not_there_is_not_found_by_name() {
    let sim = sim("version: '1.34'", "");
    run(&sim, async {
        let errors = [
            sim.describe_cluster("other").await.unwrap_err(),
            sim.describe_addon("shop", "coredns").await.unwrap_err(),
            sim.describe_nodegroup("shop", "workers").await.unwrap_err(),
            sim.describe_update(&UpdateScope::cluster("shop"), "u-1").await.unwrap_err(),
            sim.list_updates(&UpdateScope::nodegroup("shop", "workers")).await.unwrap_err(),
        ];
        for (error, name) in errors.iter().zip(["other", "coredns", "workers", "u-1", "workers"]) {
            assert_eq!(code(error), MISSING);
            assert!(error.to_string().contains(name), "{error}");
        }
    });
}

#[test]
fn a_cluster_has_fifty_tags() {
    let sim = sim("version: '1.34'", "");
    run(&sim, async {
        let arn = sim.describe_cluster("shop").await.unwrap().arn;
        let tags = |first: usize, count: usize| {
            (first..first + count).map(|n| (format!("t{n}"), "x".to_owned())).collect()
        };
        sim.tag_resource(&arn, &tags(0, 50)).await.unwrap();
        let error = sim.tag_resource(&arn, &tags(50, 1)).await.unwrap_err();
        assert_eq!(code(&error), (Class::Invalid, "BadRequestException"));
        sim.untag_resource(&arn, &["t0".to_owned()]).await.unwrap();
        sim.tag_resource(&arn, &tags(50, 1)).await.unwrap();
        let error = sim.tag_resource("arn:aws:eks:eu-west-1:1:cluster/x", &tags(0, 1)).await.unwrap_err();
        assert_eq!(code(&error), (Class::NotFound, "NotFoundException"));
    });
}
