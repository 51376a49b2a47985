//! Every call of AWS there is, by the name of its method: what a fault does to one, it must do to all.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;

use eks_model::KubeMinor;
use eks_provider::aws::{
    AccessEntryReader, AddonCatalogueQuery, AddonCatalogueReader, AddonPodIdentity, AddonReader, AddonWriter,
    AutoScalingGroupQuery, AutoScalingGroupReader, AutoScalingGroupWriter, AutoScalingInstanceWriter,
    AutoScalingSettingsReader, CancelUpdate, CertificateAuthorityReader, ClusterConfigChange, ClusterReader,
    ClusterVersionQuery, ClusterVersionReader, ClusterWriter, CreateAddon, CreateLaunchTemplateVersion,
    EksTagWriter, FargateReader, GroupTag, IdentityReader, ImageReader, InsightQuery, InsightReader,
    InsightRefresher, InstanceQuery, InstanceReader, InstanceTypeReader, InstanceWriter, KeyReader,
    LaunchTemplateKey, LaunchTemplateReader, LaunchTemplateVersionQuery, LaunchTemplateWriter,
    LifecycleAction, LifecycleResult, LifecycleState, NetworkQuery, NetworkReader, NodegroupReader,
    NodegroupWriter, ParameterReader, QuotaReader, ResolveConflicts, TargetGroupQuery, TargetReader,
    UpdateAddon, UpdateAutoScalingGroup, UpdateClusterConfig, UpdateClusterVersion, UpdateNodegroupConfig,
    UpdateNodegroupVersion, UpdateReader, UpdateScope,
};
use eks_provider::{Access, Call, Clock, Permission, Result, Token};
use eks_sim::{Sim, World};

use super::{by_zone, group, in_service, launch, minutes, processes, run, terminate};

/// One of each.
const EVERYTHING: &str = "
scenario: 1
start: 2026-11-24T12:00:00Z
seed: 11
network:
  securityGroups: [sg-nodes]
  subnets:
    - { id: subnet-a, zone: eu-west-1a, cidr: 10.0.0.0/24 }
    - { id: subnet-b, zone: eu-west-1b, cidr: 10.0.1.0/24 }
    - { id: subnet-c, zone: eu-west-1c, cidr: 10.0.2.0/24 }
targetGroups: [{ name: web }]
clusters:
  - name: shop
    version: '1.34'
    createdVersion: '1.33'
    upgradedHoursAgo: 3
    autoMode: true
    addons: [{ name: vpc-cni }, { name: kube-proxy }]
    nodeGroups: [{ name: system, min: 1, max: 4, desired: 2, outdated: true }]
    fargateProfiles: [{ name: jobs, namespace: jobs }]
    accessEntries: { 'arn:aws:iam::111122223333:role/ada': [admins] }
launchTemplates:
  - name: web
    versions:
      - { amiType: AL2023_x86_64_STANDARD, kubernetes: '1.34', keyName: ada, instanceProfile: node, securityGroups: [sg-nodes] }
autoScalingGroups:
  - name: web
    cluster: shop
    launchTemplate: { name: web }
    min: 2
    max: 9
    desired: 6
    targetGroups: [web]
    hooks: [{ name: in, heartbeatSeconds: 7200, continues: true }]
onDemandVcpus: 640
";

/// What the calls are about.
#[derive(Debug)]
pub(crate) struct Facts {
    instance: String,
    on_standby: String,
    held: String,
    template: LaunchTemplateKey,
    image: String,
    target_group: String,
    nodegroup_arn: String,
    update: String,
    rollback: Option<String>,
    insight: String,
    authority: String,
    identity: String,
    addon_version: String,
    addon_before: String,
}

fn token(step: &str) -> Token {
    Token::derive("run", step)
}

/// The methods of AWS that only look, or those that change something.
pub(crate) fn methods(access: Access) -> Vec<&'static str> {
    let aws = |call: &&Call| call.needs.iter().any(|permission| matches!(permission, Permission::Iam { .. }));
    eks_provider::calls().filter(aws).filter(|call| call.access == access).map(|call| call.method).collect()
}

/// The service that answers a method: `eks`, `ec2`, …
pub(crate) fn service(method: &str) -> &'static str {
    let call = eks_provider::calls().find(|call| call.method == method).unwrap();
    let Permission::Iam { action, .. } = call.needs[0] else { panic!("{method} is no call of AWS") };
    action.split(':').next().unwrap()
}

/// A world with one of each, and something under way of each; ready for this method.
pub(crate) fn everything(method: &str) -> (Sim, Facts) {
    let sim = Sim::new(World::from_scenario(EVERYTHING).unwrap());
    let facts = run(&sim, prepare(&sim, method));
    (sim, facts)
}

async fn prepare(sim: &Sim, method: &str) -> Facts {
    let before = group(sim).await;
    assert_eq!(by_zone(&before).len(), 3);
    let (instance, on_standby) =
        (in_service(&before)[0].instance_id.clone(), in_service(&before)[1].instance_id.clone());
    sim.enter_standby("web", &on_standby, true).await.unwrap();
    sim.set_desired_capacity("web", 6).await.unwrap();
    let protection = UpdateClusterConfig {
        cluster: "shop".to_owned(),
        change: ClusterConfigChange::DeletionProtection(true),
        token: token("protect"),
    };
    let update = sim.update_cluster_config(&protection).await.unwrap().id;
    sim.sleep(minutes(5)).await;
    let identities = UpdateAddon {
        pod_identity_associations: Some(vec![AddonPodIdentity {
            service_account: "aws-node".to_owned(),
            role_arn: "arn:aws:iam::111122223333:role/cni".to_owned(),
        }]),
        ..update_addon(None, "identities")
    };
    sim.update_addon(&identities).await.unwrap();
    sim.start_insights_refresh("shop").await.unwrap();
    sim.sleep(minutes(5)).await;
    let rollback = match method {
        "cancel_update" => Some(sim.update_cluster_version(&back()).await.unwrap().id),
        _ => None,
    };
    let now = group(sim).await;
    let held = now.instances.iter().find(|one| one.lifecycle_state == LifecycleState::PendingWait).unwrap();
    let addon = sim.describe_addon("shop", "vpc-cni").await.unwrap();
    let catalogue = AddonCatalogueQuery {
        kubernetes_version: Some(KubeMinor::new(34)),
        addon: Some("vpc-cni".to_owned()),
        owners: Vec::new(),
    };
    let offered = sim.describe_addon_versions(&catalogue).await.unwrap().remove(0).versions;
    let installed = addon.version.text().to_owned();
    let other = offered.iter().map(|one| one.version.text()).find(|text| *text != installed).unwrap();
    Facts {
        instance,
        on_standby,
        held: held.instance_id.clone(),
        template: held.launch_template.clone().unwrap().template,
        image: held.image_id.clone().unwrap(),
        target_group: now.target_group_arns.iter().next().unwrap().clone(),
        nodegroup_arn: sim.describe_nodegroup("shop", "system").await.unwrap().arn,
        update,
        rollback,
        insight: sim.list_insights(&insights()).await.unwrap()[0].id.clone(),
        authority: sim.list_certificate_authorities("shop").await.unwrap().remove(0),
        identity: addon.pod_identity_associations[0].rsplit('/').next().unwrap().to_owned(),
        addon_version: other.to_owned(),
        addon_before: installed,
    }
}

fn insights() -> InsightQuery {
    InsightQuery {
        cluster: "shop".to_owned(),
        categories: Vec::new(),
        kubernetes_versions: Vec::new(),
        statuses: Vec::new(),
    }
}

fn back() -> UpdateClusterVersion {
    UpdateClusterVersion {
        cluster: "shop".to_owned(),
        version: KubeMinor::new(33),
        force: true,
        rollback_timeout: None,
        token: token("back"),
    }
}

fn update_addon(version: Option<&str>, step: &str) -> UpdateAddon {
    UpdateAddon {
        cluster: "shop".to_owned(),
        addon: "vpc-cni".to_owned(),
        version: version.map(str::to_owned),
        resolve_conflicts: ResolveConflicts::Preserve,
        configuration_values: None,
        service_account_role_arn: None,
        pod_identity_associations: None,
        token: token(step),
    }
}

fn said<T: Debug>(answer: Result<T>) -> Result<String> {
    answer.map(|answer| format!("{answer:#?}"))
}

/// Calls a method; what was answered. A method that has come since has no way to be called, and fails.
pub(crate) async fn call(sim: &Sim, method: &str, of: &Facts) -> Result<String> {
    let scope = UpdateScope::cluster("shop");
    let one = BTreeSet::from([of.instance.clone()]);
    let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<BTreeSet<String>>();
    let action =
        || LifecycleAction { group: "web".to_owned(), hook: "in".to_owned(), instance_id: of.held.clone() };
    match method {
        "list_clusters" => said(sim.list_clusters().await),
        "describe_cluster" => said(sim.describe_cluster("shop").await),
        "list_updates" => said(sim.list_updates(&scope).await),
        "describe_update" => said(sim.describe_update(&scope, &of.update).await),
        "describe_cluster_versions" => {
            said(sim.describe_cluster_versions(&ClusterVersionQuery::default()).await)
        }
        "list_insights" => said(sim.list_insights(&insights()).await),
        "describe_insight" => said(sim.describe_insight("shop", &of.insight).await),
        "describe_insights_refresh" => said(sim.describe_insights_refresh("shop").await),
        "list_addons" => said(sim.list_addons("shop").await),
        "describe_addon" => said(sim.describe_addon("shop", "vpc-cni").await),
        "describe_pod_identity_association" => {
            said(sim.describe_pod_identity_association("shop", &of.identity).await)
        }
        "describe_addon_versions" => said(sim.describe_addon_versions(&AddonCatalogueQuery::default()).await),
        "describe_addon_configuration" => {
            said(sim.describe_addon_configuration("vpc-cni", &of.addon_before).await)
        }
        "list_nodegroups" => said(sim.list_nodegroups("shop").await),
        "describe_nodegroup" => said(sim.describe_nodegroup("shop", "system").await),
        "list_fargate_profiles" => said(sim.list_fargate_profiles("shop").await),
        "describe_fargate_profile" => said(sim.describe_fargate_profile("shop", "jobs").await),
        "list_access_entries" => said(sim.list_access_entries("shop").await),
        "describe_access_entry" => {
            said(sim.describe_access_entry("shop", "arn:aws:iam::111122223333:role/ada").await)
        }
        "list_certificate_authorities" => said(sim.list_certificate_authorities("shop").await),
        "describe_certificate_authority" => {
            said(sim.describe_certificate_authority("shop", &of.authority).await)
        }
        "describe_auto_scaling_groups" => {
            said(sim.describe_auto_scaling_groups(&AutoScalingGroupQuery::named("web")).await)
        }
        "describe_auto_scaling_instances" => {
            said(sim.describe_auto_scaling_instances(std::slice::from_ref(&of.instance)).await)
        }
        "describe_scaling_activities" => {
            said(sim.describe_scaling_activities("web", jiff::Timestamp::MIN).await)
        }
        "describe_lifecycle_hooks" => said(sim.describe_lifecycle_hooks("web").await),
        "describe_warm_pool" => said(sim.describe_warm_pool("web").await),
        "describe_instance_refreshes" => said(sim.describe_instance_refreshes("web").await),
        "describe_scheduled_actions" => said(sim.describe_scheduled_actions("web").await),
        "describe_policies" => said(sim.describe_policies("web").await),
        "describe_traffic_sources" => said(sim.describe_traffic_sources("web").await),
        "describe_launch_configurations" => said(sim.describe_launch_configurations(&[]).await),
        "describe_launch_templates" => {
            said(sim.describe_launch_templates(std::slice::from_ref(&of.template)).await)
        }
        "describe_launch_template_versions" => {
            let query = LaunchTemplateVersionQuery {
                template: of.template.clone(),
                versions: None,
                resolve_alias: false,
            };
            said(sim.describe_launch_template_versions(&query).await)
        }
        "describe_instances" => said(sim.describe_instances(&InstanceQuery::default()).await),
        "describe_instance_status" => said(sim.describe_instance_status(&one).await),
        "describe_instance_types" => said(sim.describe_instance_types(&names(&["m7i.large"])).await),
        "describe_instance_type_offerings" => {
            said(sim.describe_instance_type_offerings(&names(&["m7i.large"])).await)
        }
        "describe_images" => said(sim.describe_images(&names(&[&of.image])).await),
        "describe_subnets" => said(sim.describe_subnets(&NetworkQuery::default()).await),
        "describe_security_groups" => said(sim.describe_security_groups(&NetworkQuery::default()).await),
        "describe_availability_zones" => said(sim.describe_availability_zones().await),
        "describe_key_pairs" => said(sim.describe_key_pairs(&names(&["ada"])).await),
        "get_instance_profile" => said(sim.get_instance_profile("node").await),
        "get_role" => said(sim.get_role("shop-cluster").await),
        // There is no key in this world.
        "describe_key" => match sim.describe_key("alias/shop").await {
            Err(error) if error.service_code() == Some("NotFoundException") => Ok("none".to_owned()),
            answer => said(answer),
        },
        "get_parameter" => said(sim.get_parameter(PARAMETER).await),
        "get_parameters" => said(sim.get_parameters(&[PARAMETER.to_owned()]).await),
        "get_service_quota" => said(sim.get_service_quota("ec2", "L-1216C47A").await),
        "describe_target_groups" => said(sim.describe_target_groups(&TargetGroupQuery::default()).await),
        "describe_target_health" => said(sim.describe_target_health(&of.target_group).await),
        // There is no classic load balancer in this world.
        "describe_instance_health" => match sim.describe_instance_health("old").await {
            Err(error) if error.service_code() == Some("AccessPointNotFound") => Ok("none".to_owned()),
            answer => said(answer),
        },
        "get_caller_identity" => said(sim.get_caller_identity().await),
        "simulate_principal_policy" => {
            let who = "arn:aws:iam::111122223333:role/ada";
            said(sim.simulate_principal_policy(who, &["eks:DescribeCluster".to_owned()], "*").await)
        }
        _ => change(sim, method, of, &one, &action()).await,
    }
}

const PARAMETER: &str =
    "/aws/service/eks/optimized-ami/1.34/amazon-linux-2023/x86_64/standard/recommended/image_id";

/// The calls that change something.
async fn change(
    sim: &Sim,
    method: &str,
    of: &Facts,
    one: &BTreeSet<String>,
    action: &LifecycleAction,
) -> Result<String> {
    match method {
        "update_cluster_version" => said(sim.update_cluster_version(&back()).await),
        "update_cluster_config" => {
            let request = UpdateClusterConfig {
                cluster: "shop".to_owned(),
                change: ClusterConfigChange::ZonalShift(true),
                token: token("zonal shift"),
            };
            said(sim.update_cluster_config(&request).await)
        }
        "cancel_update" => {
            let update_id = of.rollback.clone().unwrap();
            let request = CancelUpdate { cluster: "shop".to_owned(), update_id, token: token("cancel") };
            said(sim.cancel_update(&request).await)
        }
        "tag_resource" => {
            let tags = BTreeMap::from([("run".to_owned(), "1".to_owned())]);
            said(sim.tag_resource(&of.nodegroup_arn, &tags).await)
        }
        "untag_resource" => said(sim.untag_resource(&of.nodegroup_arn, &["run".to_owned()]).await),
        "start_insights_refresh" => said(sim.start_insights_refresh("shop").await),
        "update_addon" => said(sim.update_addon(&update_addon(Some(&of.addon_version), "up")).await),
        "create_addon" => {
            let request = CreateAddon {
                cluster: "shop".to_owned(),
                addon: "coredns".to_owned(),
                version: None,
                resolve_conflicts: ResolveConflicts::None,
                configuration_values: None,
                service_account_role_arn: None,
                pod_identity_associations: Vec::new(),
                namespace: None,
                tags: BTreeMap::new(),
                token: token("coredns"),
            };
            said(sim.create_addon(&request).await)
        }
        "delete_addon" => said(sim.delete_addon("shop", "kube-proxy", false).await),
        "update_nodegroup_version" => {
            let request = UpdateNodegroupVersion {
                cluster: "shop".to_owned(),
                nodegroup: "system".to_owned(),
                version: None,
                release_version: None,
                launch_template: None,
                force: false,
                token: token("system"),
            };
            said(sim.update_nodegroup_version(&request).await)
        }
        "update_nodegroup_config" => {
            let request = UpdateNodegroupConfig {
                cluster: "shop".to_owned(),
                nodegroup: "system".to_owned(),
                scaling: None,
                update_config: None,
                labels: BTreeMap::from([("tier".to_owned(), Some("base".to_owned()))]),
                taints_to_set: Vec::new(),
                taints_to_remove: Vec::new(),
                token: token("labels"),
            };
            said(sim.update_nodegroup_config(&request).await)
        }
        "update_auto_scaling_group" => {
            let request = UpdateAutoScalingGroup { max_size: Some(12), ..UpdateAutoScalingGroup::of("web") };
            said(sim.update_auto_scaling_group(&request).await)
        }
        "set_desired_capacity" => said(sim.set_desired_capacity("web", 8).await),
        "suspend_processes" => said(sim.suspend_processes("web", &processes(&["AZRebalance"])).await),
        "resume_processes" => said(sim.resume_processes("web", &processes(&["AZRebalance"])).await),
        "create_or_update_tags" => {
            let tag = GroupTag { value: "1".to_owned(), propagate_at_launch: false };
            said(sim.create_or_update_tags("web", &BTreeMap::from([("run".to_owned(), tag)])).await)
        }
        "delete_tags" => said(sim.delete_tags("web", &BTreeSet::from(["run".to_owned()])).await),
        "launch_instances" => said(sim.launch_instances(&launch("eu-west-1a", 1, "slot")).await),
        "terminate_instance_in_auto_scaling_group" => {
            said(sim.terminate_instance_in_auto_scaling_group(&terminate(&of.instance, true)).await)
        }
        "set_instance_protection" => said(sim.set_instance_protection("web", one, true).await),
        "enter_standby" => said(sim.enter_standby("web", &of.instance, true).await),
        "exit_standby" => said(sim.exit_standby("web", &of.on_standby).await),
        "complete_lifecycle_action" => {
            said(sim.complete_lifecycle_action(action, &LifecycleResult::Continue).await)
        }
        "record_lifecycle_action_heartbeat" => said(sim.record_lifecycle_action_heartbeat(action).await),
        "create_launch_template_version" => {
            let request = CreateLaunchTemplateVersion {
                template: of.template.clone(),
                source_version: 1,
                image_id: Some(of.image.clone()),
                user_data: None,
                description: "run 1".to_owned(),
                token: token("version"),
            };
            said(sim.create_launch_template_version(&request).await)
        }
        "terminate_instances" => said(sim.terminate_instances(one).await),
        other => panic!("the tests have no way to call {other}"),
    }
}

/// All that can be read, in words: two worlds of which the same is said are the same from outside.
pub(crate) async fn observed(sim: &Sim, of: &Facts) -> BTreeMap<&'static str, String> {
    let mut all = BTreeMap::new();
    for method in methods(Access::Read) {
        all.insert(
            method,
            call(sim, method, of)
                .await
                .unwrap_or_else(|error| error.service_code().unwrap_or("?").to_owned()),
        );
    }
    // What of the rest of it the calls of the tests change.
    let more = [
        ("every add-on", {
            let mut words = Vec::new();
            for name in sim.list_addons("shop").await.unwrap() {
                words.push(sim.describe_addon("shop", &name).await);
            }
            format!("{words:?}")
        }),
        ("updates of parts", {
            let mut words = Vec::new();
            for scope in [
                UpdateScope::cluster("shop"),
                UpdateScope::nodegroup("shop", "system"),
                UpdateScope::addon("shop", "vpc-cni"),
            ] {
                for id in sim.list_updates(&scope).await.unwrap() {
                    words.push(sim.describe_update(&scope, &id).await);
                }
            }
            format!("{words:?}")
        }),
        (
            "groups",
            format!("{:?}", sim.describe_auto_scaling_groups(&AutoScalingGroupQuery::default()).await),
        ),
    ];
    all.extend(more);
    all
}

/// Fails with what differs.
pub(crate) fn same(
    found: &BTreeMap<&'static str, String>,
    expected: &BTreeMap<&'static str, String>,
    what: &str,
) {
    for (key, expected) in expected {
        assert_eq!(&found[key], expected, "{what}: {key}");
    }
}
