//! Add-ons: the catalogue, installing, updating, conflicts, health.
#![allow(clippy::unwrap_used, reason = "tests")]

mod common;

use std::collections::BTreeMap;

use common::{end_of, minutes, run};
use eks_model::KubeMinor;
use eks_provider::aws::{
    AddonCatalogueQuery, AddonCatalogueReader, AddonPodIdentity, AddonReader, AddonStatus, AddonWriter,
    ClusterWriter, CreateAddon, InsightCategory, InsightQuery, InsightReader, InsightStatus,
    ResolveConflicts, Update, UpdateAddon, UpdateClusterVersion, UpdateErrorCode, UpdateReader, UpdateScope,
    UpdateStatus,
};
use eks_provider::{Class, Clock, ProviderError, Token};
use eks_sim::aws::Script;
use eks_sim::faults::{Faults, UpdateRule, When};
use eks_sim::{Sim, World};

fn sim(version: &str, addons: &str) -> Sim {
    let text = format!(
        "
scenario: 1
start: 2026-11-24T12:00:00Z
network:
  subnets:
    - {{ id: subnet-a, zone: eu-west-1a, cidr: 10.0.0.0/24 }}
    - {{ id: subnet-b, zone: eu-west-1b, cidr: 10.0.1.0/24 }}
clusters:
  - {{ name: shop, version: '{version}', addons: [{addons}] }}
"
    );
    Sim::new(World::from_scenario(&text).unwrap())
}

fn update(addon: &str, version: Option<&str>, conflicts: ResolveConflicts, step: &str) -> UpdateAddon {
    UpdateAddon {
        cluster: "shop".to_owned(),
        addon: addon.to_owned(),
        version: version.map(str::to_owned),
        resolve_conflicts: conflicts,
        configuration_values: None,
        service_account_role_arn: None,
        pod_identity_associations: None,
        token: Token::derive("run", step),
    }
}

fn create(addon: &str, version: Option<&str>) -> CreateAddon {
    CreateAddon {
        cluster: "shop".to_owned(),
        addon: addon.to_owned(),
        version: version.map(str::to_owned),
        resolve_conflicts: ResolveConflicts::None,
        configuration_values: Some("{}".to_owned()),
        service_account_role_arn: None,
        pod_identity_associations: Vec::new(),
        namespace: None,
        tags: BTreeMap::from([("team".to_owned(), "shop".to_owned())]),
        token: Token::derive("run", addon),
    }
}

fn code(error: &ProviderError) -> (Class, &str) {
    (error.class(), error.service_code().unwrap())
}

const PARAMETER: (Class, &str) = (Class::Invalid, "InvalidParameterException");
const IN_USE: (Class, &str) = (Class::InProgress, "ResourceInUseException");
const MISSING: (Class, &str) = (Class::NotFound, "ResourceNotFoundException");

/// The versions that are offered of an add-on for a minor, the newest first, and which of them is the default.
async fn offered(sim: &Sim, addon: &str, minor: u16) -> (Vec<String>, Vec<String>) {
    let query = AddonCatalogueQuery {
        kubernetes_version: Some(KubeMinor::new(minor)),
        addon: Some(addon.to_owned()),
        owners: Vec::new(),
    };
    let found = sim.describe_addon_versions(&query).await.unwrap();
    let versions = found.into_iter().flat_map(|info| info.versions);
    let mut all = Vec::new();
    let mut default = Vec::new();
    for version in versions {
        let text = version.version.text().to_owned();
        if version.compatibilities.iter().any(|one| one.default_version) {
            default.push(text.clone());
        }
        all.push(text);
    }
    (all, default)
}

async fn done(sim: &Sim, update: &Update, addon: &str) -> Update {
    end_of(sim, &UpdateScope::addon("shop", addon), &update.id).await
}

#[test]
fn the_catalogue_has_one_default_for_each_minor_and_kube_proxy_of_three_minors_before() {
    let sim = sim("1.34", "");
    run(&sim, async {
        for addon in ["coredns", "kube-proxy", "vpc-cni"] {
            let (all, default) = offered(&sim, addon, 34).await;
            assert_eq!(default.len(), 1, "{addon}: {all:?}");
        }
        let (all, _) = offered(&sim, "kube-proxy", 34).await;
        for minor in ["v1.31.", "v1.32.", "v1.33.", "v1.34."] {
            assert!(all.iter().any(|version| version.starts_with(minor)), "{minor}: {all:?}");
        }
        assert!(!all.iter().any(|version| version.starts_with("v1.35.") || version.starts_with("v1.30.")));
        assert!(offered(&sim, "nobody", 34).await.0.is_empty());
    });
}

#[test]
fn an_add_on_is_installed_and_removed() {
    let sim = sim("1.34", "");
    run(&sim, async {
        let made = sim.create_addon(&create("coredns", None)).await.unwrap();
        assert_eq!(made.status, AddonStatus::Creating);
        assert_eq!(offered(&sim, "coredns", 34).await.1, [made.version.text()], "EKS's default");
        assert_eq!(sim.create_addon(&create("coredns", None)).await.unwrap(), made, "the same token");
        let again = CreateAddon { token: Token::derive("run", "again"), ..create("coredns", None) };
        assert_eq!(code(&sim.create_addon(&again).await.unwrap_err()), IN_USE);
        sim.sleep(minutes(3)).await;
        let there = sim.describe_addon("shop", "coredns").await.unwrap();
        assert_eq!((there.status, there.tags["team"].as_str()), (AddonStatus::Active, "shop"));
        assert_eq!(sim.list_addons("shop").await.unwrap(), ["coredns"]);

        let wrong = sim.create_addon(&create("vpc-cni", Some("v0.1.0-eksbuild.1"))).await.unwrap_err();
        assert_eq!(code(&wrong), PARAMETER);

        let going = sim.delete_addon("shop", "coredns", true).await.unwrap();
        assert_eq!(going.status, AddonStatus::Deleting);
        assert_eq!(code(&sim.delete_addon("shop", "coredns", true).await.unwrap_err()), IN_USE);
        sim.sleep(minutes(3)).await;
        assert_eq!(code(&sim.describe_addon("shop", "coredns").await.unwrap_err()), MISSING);
    });
}

#[test]
fn an_update_takes_its_time_and_is_one_at_a_time() {
    let sim = sim("1.34", "{ name: kube-proxy, version: v1.33.10-eksbuild.29 }");
    run(&sim, async {
        let newest = offered(&sim, "kube-proxy", 34).await.0.remove(0);
        let request = update("kube-proxy", Some(&newest), ResolveConflicts::Preserve, "up");
        let begun = sim.update_addon(&request).await.unwrap();
        assert_eq!(
            (begun.param("AddonVersion"), begun.param("ResolveConflicts")),
            (Some(newest.as_str()), Some("PRESERVE"))
        );
        let now = sim.describe_addon("shop", "kube-proxy").await.unwrap();
        assert_eq!((now.status, now.version.text()), (AddonStatus::Updating, "v1.33.10-eksbuild.29"));
        let other = update("kube-proxy", None, ResolveConflicts::Preserve, "another");
        assert_eq!(code(&sim.update_addon(&other).await.unwrap_err()), IN_USE);
        let before = sim.now();
        assert_eq!(done(&sim, &begun, "kube-proxy").await.status, UpdateStatus::Successful);
        assert!(sim.now().duration_since(before).as_secs() >= 20);
        let now = sim.describe_addon("shop", "kube-proxy").await.unwrap();
        assert_eq!((now.status, now.version.text()), (AddonStatus::Active, newest.as_str()));
        assert_eq!(sim.list_updates(&UpdateScope::addon("shop", "kube-proxy")).await.unwrap(), [begun.id]);
        assert!(sim.list_updates(&UpdateScope::cluster("shop")).await.unwrap().is_empty(), "that is its own");
    });
}

#[test]
fn a_version_must_be_offered_and_vpc_cni_goes_a_minor_at_a_time() {
    let sim = sim("1.34", "{ name: vpc-cni }, { name: kube-proxy }");
    run(&sim, async {
        let newer = sim
            .update_addon(&update("kube-proxy", Some("v1.36.0-eksbuild.45"), ResolveConflicts::None, "newer"))
            .await
            .unwrap_err();
        assert_eq!(code(&newer), PARAMETER, "never newer than the control plane");
        let (all, _) = offered(&sim, "vpc-cni", 34).await;
        let installed = sim.describe_addon("shop", "vpc-cni").await.unwrap().version;
        let line = installed.value().unwrap().line();
        let far: Vec<&String> = all
            .iter()
            .filter(|text| {
                let version: eks_model::AddonVersion = text.parse().unwrap();
                version.line().1.abs_diff(line.1) > 1
            })
            .collect();
        assert!(!far.is_empty(), "{all:?} around {installed:?}");
        for version in far {
            let request = update("vpc-cni", Some(version), ResolveConflicts::Preserve, version);
            let error = sim.update_addon(&request).await.unwrap_err();
            assert_eq!(code(&error), PARAMETER);
            assert!(error.to_string().contains("1 minor version at a time"), "{error}");
        }
    });
}

#[test]
fn a_field_that_somebody_changed_is_a_conflict_is_overwritten_or_is_kept() {
    let sim = sim("1.34", "{ name: coredns, changedByOthers: true }");
    run(&sim, async {
        let before = sim.describe_addon("shop", "coredns").await.unwrap().version;
        let newest = offered(&sim, "coredns", 34).await.0.remove(0);
        let with = |conflicts, step| update("coredns", Some(newest.as_str()), conflicts, step);
        let none = sim.update_addon(&with(ResolveConflicts::None, "none")).await.unwrap();
        let failed = done(&sim, &none, "coredns").await;
        assert_eq!(
            (failed.status, &failed.errors[0].code),
            (UpdateStatus::Failed, &UpdateErrorCode::ConfigurationConflict)
        );
        let now = sim.describe_addon("shop", "coredns").await.unwrap();
        assert_eq!((now.status, &now.version), (AddonStatus::UpdateFailed, &before));
        assert_eq!(now.health[0].code, "ConfigurationConflict");

        // PRESERVE goes through and keeps the change: it is a conflict the next time as well.
        let kept = sim.update_addon(&with(ResolveConflicts::Preserve, "preserve")).await.unwrap();
        assert_eq!(done(&sim, &kept, "coredns").await.status, UpdateStatus::Successful);
        assert!(sim.describe_addon("shop", "coredns").await.unwrap().health.is_empty());
        let again = sim.update_addon(&with(ResolveConflicts::None, "none again")).await.unwrap();
        assert_eq!(done(&sim, &again, "coredns").await.status, UpdateStatus::Failed);

        // OVERWRITE takes it back: there is no conflict any more, until somebody changes something again.
        let taken = sim.update_addon(&with(ResolveConflicts::Overwrite, "overwrite")).await.unwrap();
        assert_eq!(done(&sim, &taken, "coredns").await.status, UpdateStatus::Successful);
        let clean = sim.update_addon(&with(ResolveConflicts::None, "clean")).await.unwrap();
        assert_eq!(done(&sim, &clean, "coredns").await.status, UpdateStatus::Successful);
        sim.world()
            .play(Script::ChangeAddonField { cluster: "shop".to_owned(), addon: "coredns".to_owned() });
        let last = sim.update_addon(&with(ResolveConflicts::None, "last")).await.unwrap();
        assert_eq!(done(&sim, &last, "coredns").await.status, UpdateStatus::Failed);
    });
}

#[test]
fn an_add_on_is_degraded_and_an_update_of_it_may_fail() {
    let sim = sim("1.34", "{ name: coredns }");
    let health = |code: Option<&str>| Script::AddonHealth {
        cluster: "shop".to_owned(),
        addon: "coredns".to_owned(),
        code: code.map(str::to_owned),
    };
    run(&sim, async {
        sim.world().play(health(Some("InsufficientNumberOfReplicas")));
        let now = sim.describe_addon("shop", "coredns").await.unwrap();
        assert_eq!(
            (now.status, now.health[0].code.as_str()),
            (AddonStatus::Degraded, "InsufficientNumberOfReplicas")
        );
        sim.world().play(health(None));
        assert_eq!(sim.describe_addon("shop", "coredns").await.unwrap().status, AddonStatus::Active);

        let rule = UpdateRule {
            code: "AdmissionRequestDenied".to_owned(),
            message: None,
            resource_ids: Vec::new(),
            kind: Some("AddonUpdate".to_owned()),
            name: Some("coredns".to_owned()),
            when: When { times: Some(1), ..When::default() },
        };
        sim.world().set_faults(Faults { updates: vec![rule], ..Faults::default() });
        let begun =
            sim.update_addon(&update("coredns", None, ResolveConflicts::Preserve, "one")).await.unwrap();
        let failed = done(&sim, &begun, "coredns").await;
        assert_eq!(failed.errors[0].code, UpdateErrorCode::AdmissionRequestDenied);
        assert_eq!(sim.describe_addon("shop", "coredns").await.unwrap().status, AddonStatus::UpdateFailed);
        let begun =
            sim.update_addon(&update("coredns", None, ResolveConflicts::Preserve, "two")).await.unwrap();
        assert_eq!(done(&sim, &begun, "coredns").await.status, UpdateStatus::Successful);
        assert_eq!(sim.describe_addon("shop", "coredns").await.unwrap().status, AddonStatus::Active);
    });
}

#[test]
fn an_empty_list_of_pod_identities_deletes_them_and_none_leaves_them() {
    let sim = sim("1.34", "{ name: vpc-cni }");
    run(&sim, async {
        let identity = AddonPodIdentity {
            service_account: "aws-node".to_owned(),
            role_arn: "arn:aws:iam::111122223333:role/cni".to_owned(),
        };
        let with = |identities: Option<Vec<AddonPodIdentity>>, step: &str| UpdateAddon {
            pod_identity_associations: identities,
            ..update("vpc-cni", None, ResolveConflicts::Preserve, step)
        };
        for (identities, step, expected) in
            [(Some(vec![identity]), "one", 1), (None, "left", 1), (Some(Vec::new()), "none", 0)]
        {
            let begun = sim.update_addon(&with(identities, step)).await.unwrap();
            done(&sim, &begun, "vpc-cni").await;
            let arns = sim.describe_addon("shop", "vpc-cni").await.unwrap().pod_identity_associations;
            assert_eq!(arns.len(), expected, "{step}");
            for arn in arns {
                let id = arn.rsplit('/').next().unwrap();
                let found = sim.describe_pod_identity_association("shop", id).await.unwrap();
                assert_eq!(found.service_account, "aws-node");
            }
        }
    });
}

#[test]
fn what_the_next_minor_does_not_take_is_an_insight() {
    // 1.34 lists kube-proxy of 1.31; 1.35 does not.
    let sim = sim("1.34", "{ name: kube-proxy, version: v1.31.14-eksbuild.32 }");
    run(&sim, async {
        let query = |minor| InsightQuery {
            cluster: "shop".to_owned(),
            categories: vec![InsightCategory::UpgradeReadiness],
            kubernetes_versions: vec![KubeMinor::new(minor)],
            statuses: vec![InsightStatus::Error],
        };
        let found = sim.list_insights(&query(35)).await.unwrap();
        let names: Vec<&str> = found.iter().map(|one| one.name.as_str()).collect();
        assert!(names.contains(&"kube-proxy version skew"), "{names:?}");
        let up = UpdateClusterVersion {
            cluster: "shop".to_owned(),
            version: KubeMinor::new(35),
            force: false,
            rollback_timeout: None,
            token: Token::derive("run", "up"),
        };
        let error = sim.update_cluster_version(&up).await.unwrap_err();
        assert_eq!(error.class(), Class::Conflict);
        assert!(error.to_string().contains("kube-proxy"), "{error}");
    });
}
