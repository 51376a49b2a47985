//! Every answer over the wire is the answer in process: nothing is lost, added or spelled differently between the
//! simulated world, the protocols of AWS, the SDKs and this adapter.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on fails")]

mod common;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;
use std::sync::Arc;
use std::time::Duration;

use eks_aws::Aws;
use eks_provider::aws::*;
use eks_provider::{ProviderError, Result, Token};
use eks_sim::wire::{Server, Wire};
use eks_sim::{Sim, World};
use jiff::Timestamp;

use common::at;

/// A world with something of everything.
const RICH: &str = include_str!("rich.yaml");

/// A world, and the adapter on it.
struct Both {
    sim: Sim,
    aws: Aws,
    _server: Server,
    wrong: Vec<String>,
    compared: usize,
}

impl Both {
    async fn new() -> Self {
        let sim = Sim::new(World::from_scenario(RICH).unwrap());
        let server = Server::start(Wire::new(Arc::new(sim.clone())), 0).await.unwrap();
        let aws = at(&server.url()).await;
        Self { sim, aws, _server: server, wrong: Vec::new(), compared: 0 }
    }

    fn compare<T: Debug + PartialEq>(&mut self, what: &str, over: &Result<T>, within: &Result<T>) {
        self.compared += 1;
        // Request ids, and the words for the target, are each world's own.
        let kind = |error: &ProviderError| (error.class(), error.service_code().map(str::to_owned));
        let same = match (over, within) {
            (Ok(over), Ok(within)) => over == within,
            (Err(over), Err(within)) => kind(over) == kind(within),
            _ => false,
        };
        if !same {
            self.wrong.push(format!("{what}\n  over the wire: {over:?}\n  in process:    {within:?}"));
        }
    }
}

/// Asks both, and notes where they differ. Gives the answer in process.
macro_rules! same {
    ($both:ident, $method:ident($($argument:expr),*)) => {{
        let over = $both.aws.$method($($argument),*).await;
        let within = $both.sim.$method($($argument),*).await;
        $both.compare(stringify!($method($($argument),*)), &over, &within);
        within
    }};
}

fn ids(ids: &[&str]) -> BTreeSet<String> {
    ids.iter().map(|&id| id.to_owned()).collect()
}

async fn clusters(both: &mut Both) {
    for cluster in same!(both, list_clusters()).unwrap() {
        let cluster = cluster.as_str();
        same!(both, describe_cluster(cluster)).unwrap();
        for addon in same!(both, list_addons(cluster)).unwrap() {
            same!(both, describe_addon(cluster, &addon)).unwrap();
            updates(both, UpdateScope::addon(cluster, &addon)).await;
        }
        for group in same!(both, list_nodegroups(cluster)).unwrap() {
            same!(both, describe_nodegroup(cluster, &group)).unwrap();
            updates(both, UpdateScope::nodegroup(cluster, &group)).await;
        }
        for profile in same!(both, list_fargate_profiles(cluster)).unwrap() {
            same!(both, describe_fargate_profile(cluster, &profile)).unwrap();
        }
        for principal in same!(both, list_access_entries(cluster)).unwrap() {
            same!(both, describe_access_entry(cluster, &principal)).unwrap();
        }
        for id in same!(both, list_certificate_authorities(cluster)).unwrap() {
            same!(both, describe_certificate_authority(cluster, &id)).unwrap();
        }
        let mut query = InsightQuery { cluster: cluster.to_owned(), ..InsightQuery::default() };
        for insight in same!(both, list_insights(&query)).unwrap() {
            same!(both, describe_insight(cluster, &insight.id)).unwrap();
        }
        query.categories = vec![InsightCategory::UpgradeReadiness];
        query.statuses = vec![InsightStatus::Error, InsightStatus::Passing];
        query.kubernetes_versions = vec!["1.35".parse().unwrap()];
        same!(both, list_insights(&query)).unwrap();
        drop(same!(both, describe_insights_refresh(cluster)));
        updates(both, UpdateScope::cluster(cluster)).await;
    }
    same!(both, describe_cluster_versions(&ClusterVersionQuery::default())).unwrap();
    let all = ClusterVersionQuery { include_all: true, ..ClusterVersionQuery::default() };
    same!(both, describe_cluster_versions(&all)).unwrap();
    let default = ClusterVersionQuery { default_only: true, ..ClusterVersionQuery::default() };
    same!(both, describe_cluster_versions(&default)).unwrap();
    let two = ["1.34".parse().unwrap(), "1.35".parse().unwrap()];
    let two = ClusterVersionQuery { versions: Some(two.into()), ..ClusterVersionQuery::default() };
    same!(both, describe_cluster_versions(&two)).unwrap();
    for info in same!(both, describe_addon_versions(&AddonCatalogueQuery::default())).unwrap() {
        if let Some(version) = info.versions.first() {
            drop(same!(both, describe_addon_configuration(&info.name, version.version.text())));
        }
    }
    let cni = AddonCatalogueQuery {
        kubernetes_version: Some("1.34".parse().unwrap()),
        addon: Some("vpc-cni".to_owned()),
        owners: Vec::new(),
    };
    same!(both, describe_addon_versions(&cni)).unwrap();
}

async fn updates(both: &mut Both, scope: UpdateScope) {
    for id in same!(both, list_updates(&scope)).unwrap() {
        same!(both, describe_update(&scope, &id)).unwrap();
    }
}

async fn groups(both: &mut Both) {
    let all = AutoScalingGroupQuery::default();
    for group in same!(both, describe_auto_scaling_groups(&all)).unwrap() {
        let name = group.name.as_str();
        same!(both, describe_auto_scaling_groups(&AutoScalingGroupQuery::named(name))).unwrap();
        let instances: Vec<String> = group.instances.iter().map(|one| one.instance_id.clone()).collect();
        same!(both, describe_auto_scaling_instances(&instances)).unwrap();
        same!(both, describe_scaling_activities(name, Timestamp::UNIX_EPOCH)).unwrap();
        same!(both, describe_lifecycle_hooks(name)).unwrap();
        same!(both, describe_warm_pool(name)).unwrap();
        same!(both, describe_instance_refreshes(name)).unwrap();
        same!(both, describe_scheduled_actions(name)).unwrap();
        same!(both, describe_policies(name)).unwrap();
        same!(both, describe_traffic_sources(name)).unwrap();
    }
    let tagged = AutoScalingGroupQuery {
        names: None,
        tags: [
            ("kubernetes.io/cluster/shop".to_owned(), vec!["owned".to_owned()]),
            ("team".to_owned(), vec![]),
        ]
        .into(),
    };
    assert!(!same!(both, describe_auto_scaling_groups(&tagged)).unwrap().is_empty());
    drop(same!(both, describe_lifecycle_hooks("no-such-group")));
    same!(both, describe_launch_configurations(&["no-such".to_owned()])).unwrap();
}

async fn machines(both: &mut Both) {
    let all = same!(both, describe_instances(&InstanceQuery::default())).unwrap();
    let found: BTreeSet<String> = all.iter().map(|instance| instance.id.clone()).collect();
    let some = InstanceQuery { states: vec![InstanceState::Running], ..InstanceQuery::of(found.iter()) };
    same!(both, describe_instances(&some)).unwrap();
    let with_one_that_is_gone =
        InstanceQuery::of(found.iter().cloned().chain(["i-00000000000000bad".to_owned()]));
    same!(both, describe_instances(&with_one_that_is_gone)).unwrap();
    same!(both, describe_instance_status(&found)).unwrap();
    let images =
        all.iter().filter_map(|instance| instance.image_id.clone()).chain(["ami-gone".to_owned()]).collect();
    same!(both, describe_images(&images)).unwrap();
    let types: BTreeSet<String> = all
        .iter()
        .filter_map(|instance| instance.instance_type.clone())
        .chain(["g5.xlarge".to_owned()])
        .collect();
    same!(both, describe_instance_types(&types)).unwrap();
    same!(both, describe_instance_type_offerings(&types)).unwrap();
    same!(both, describe_subnets(&NetworkQuery::default())).unwrap();
    same!(both, describe_subnets(&NetworkQuery::of(["subnet-a", "subnet-gone"]))).unwrap();
    let tagged = NetworkQuery {
        tags: [("team".to_owned(), vec!["shop".to_owned()])].into(),
        ..NetworkQuery::default()
    };
    same!(both, describe_subnets(&tagged)).unwrap();
    same!(both, describe_security_groups(&NetworkQuery::default())).unwrap();
    same!(both, describe_security_groups(&NetworkQuery::of(["sg-nodes", "sg-gone"]))).unwrap();
    same!(both, describe_availability_zones()).unwrap();
    same!(both, describe_key_pairs(&ids(&["ops", "gone"]))).unwrap();
    let name = LaunchTemplateKey::Name("web".to_owned());
    let keys = [
        name.clone(),
        LaunchTemplateKey::Name("gone".to_owned()),
        LaunchTemplateKey::Id("lt-0bad".to_owned()),
    ];
    let templates = same!(both, describe_launch_templates(&keys)).unwrap();
    let by_id = LaunchTemplateKey::Id(templates[0].id.clone());
    same!(both, describe_launch_templates(std::slice::from_ref(&by_id))).unwrap();
    for template in [name, by_id, LaunchTemplateKey::Name("gone".to_owned())] {
        let query =
            LaunchTemplateVersionQuery { template: template.clone(), versions: None, resolve_alias: false };
        drop(same!(both, describe_launch_template_versions(&query)));
        let wanted = [
            TemplateVersion::Latest,
            TemplateVersion::Default,
            TemplateVersion::Number(1),
            TemplateVersion::Number(99),
        ];
        let query = LaunchTemplateVersionQuery {
            template: template.clone(),
            versions: Some(wanted.into()),
            resolve_alias: false,
        };
        drop(same!(both, describe_launch_template_versions(&query)));
        let resolved = LaunchTemplateVersionQuery { template, versions: None, resolve_alias: true };
        drop(same!(both, describe_launch_template_versions(&resolved)));
    }
}

async fn others(both: &mut Both) {
    let image = |minor: &str| {
        format!(
            "/aws/service/eks/optimized-ami/{minor}/amazon-linux-2023/x86_64/standard/recommended/image_id"
        )
    };
    same!(both, get_parameter(&image("1.34"))).unwrap();
    drop(same!(both, get_parameter("/no/such")));
    same!(both, get_parameters(&[image("1.34"), image("1.35"), "/no/such".to_owned()])).unwrap();
    for quota in ["L-1216C47A", "L-34B43A08", "L-NONE"] {
        drop(same!(both, get_service_quota("ec2", quota)));
    }
    drop(same!(both, get_instance_profile("web-nodes")));
    drop(same!(both, get_role("web-nodes")));
    drop(same!(both, describe_key("arn:aws:kms:eu-west-1:111122223333:key/x")));
    let caller = same!(both, get_caller_identity()).unwrap();
    let actions = ["eks:DescribeCluster".to_owned(), "eks:DeleteCluster".to_owned()];
    same!(both, simulate_principal_policy(&caller.arn, &actions, "*")).unwrap();
    let targets = same!(both, describe_target_groups(&TargetGroupQuery::default())).unwrap();
    assert!(!targets.is_empty());
    for target in &targets {
        assert!(!same!(both, describe_target_health(&target.arn)).unwrap().is_empty());
    }
    let some = targets
        .iter()
        .map(|target| target.arn.clone())
        .chain(["arn:aws:elasticloadbalancing:eu-west-1:111122223333:targetgroup/gone/0".to_owned()]);
    let query = TargetGroupQuery { arns: Some(some.collect()) };
    same!(both, describe_target_groups(&query)).unwrap();
    drop(same!(
        both,
        describe_target_health("arn:aws:elasticloadbalancing:eu-west-1:111122223333:targetgroup/gone/0")
    ));
    drop(same!(both, describe_instance_health("gone")));
}

async fn everything(both: &mut Both) {
    clusters(both).await;
    groups(both).await;
    machines(both).await;
    others(both).await;
}

#[tokio::test]
async fn every_answer_over_the_wire_is_the_answer_in_process() {
    let mut both = Both::new().await;
    everything(&mut both).await;

    // The same amid changes: an upgrade, a node group and an add-on on their way, instances that come and go.
    let both = &mut both;
    let token = |step: &str| Token::derive("answers", step);
    both.aws
        .update_nodegroup_version(&UpdateNodegroupVersion {
            cluster: "shop".to_owned(),
            nodegroup: "system".to_owned(),
            version: None,
            release_version: None,
            launch_template: None,
            force: false,
            token: token("nodegroup"),
        })
        .await
        .unwrap();
    both.aws
        .update_addon(&UpdateAddon {
            cluster: "shop".to_owned(),
            addon: "coredns".to_owned(),
            version: None,
            resolve_conflicts: ResolveConflicts::Preserve,
            configuration_values: Some(r#"{"replicaCount":3}"#.to_owned()),
            service_account_role_arn: None,
            pod_identity_associations: None,
            token: token("addon"),
        })
        .await
        .unwrap();
    both.aws.set_desired_capacity("web", 7).await.unwrap();
    let group =
        both.aws.describe_auto_scaling_groups(&AutoScalingGroupQuery::named("web")).await.unwrap().remove(0);
    both.aws
        .terminate_instance_in_auto_scaling_group(&TerminateInstance {
            instance_id: group.instances[0].instance_id.clone(),
            group: "web".to_owned(),
            decrement_desired_capacity: false,
        })
        .await
        .unwrap();
    both.aws.start_insights_refresh("shop").await.unwrap();
    for wait in [1, 30, 90, 600] {
        both.sim.advance(Duration::from_secs(wait));
        everything(both).await;
    }
    both.aws
        .update_cluster_version(&UpdateClusterVersion {
            cluster: "next".to_owned(),
            version: "1.36".parse().unwrap(),
            force: true,
            rollback_timeout: None,
            token: token("cluster"),
        })
        .await
        .unwrap();
    for wait in [1, 600, 3600] {
        both.sim.advance(Duration::from_secs(wait));
        everything(both).await;
    }
    // One of each call is enough to see.
    let shown: BTreeMap<&str, &String> =
        both.wrong.iter().map(|wrong| (wrong.split('(').next().unwrap_or_default(), wrong)).collect();
    let shown: Vec<&str> = shown.into_values().map(String::as_str).collect();
    assert!(both.wrong.is_empty(), "{} of {} differ:\n{}", both.wrong.len(), both.compared, shown.join("\n"));
    assert!(both.compared > 1000, "{} compared", both.compared);
}
