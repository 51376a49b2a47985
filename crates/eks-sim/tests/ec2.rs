//! EC2 and what stands around it: templates, images, parameters, subnets, instances, quotas, target groups.
#![allow(clippy::unwrap_used, reason = "tests")]

mod common;

use std::collections::{BTreeMap, BTreeSet};

use common::{SIX, free, group, ids, in_service, launch, minutes, pick, processes, run, sim, terminate};
use eks_provider::aws::{
    AutoScalingGroupWriter, AutoScalingInstanceWriter, CreateLaunchTemplateVersion, ImageReader,
    InstanceQuery, InstanceReader, InstanceState, InstanceTypeReader, InstanceWriter, KeyReader,
    LaunchTemplateKey, LaunchTemplateReader, LaunchTemplateVersionQuery, LaunchTemplateWriter, NetworkQuery,
    NetworkReader, ParameterReader, QuotaReader, TargetReader, TargetState, TemplateVersion,
};
use eks_provider::{Class, Clock, ProviderError, Sensitive, Token};
use eks_sim::aws::Script;

fn key() -> LaunchTemplateKey {
    LaunchTemplateKey::Name("web".to_owned())
}

fn create(source: u64, image: Option<&str>, step: &str) -> CreateLaunchTemplateVersion {
    CreateLaunchTemplateVersion {
        template: key(),
        source_version: source,
        image_id: image.map(str::to_owned),
        user_data: None,
        description: "eks-roll-nodes run".to_owned(),
        token: Token::derive("run", step),
    }
}

fn versions(versions: Option<&[&str]>, resolve_alias: bool) -> LaunchTemplateVersionQuery {
    let versions = versions.map(|all| all.iter().map(|one| TemplateVersion::from(*one)).collect());
    LaunchTemplateVersionQuery { template: key(), versions, resolve_alias }
}

fn code(error: &ProviderError) -> &str {
    error.service_code().unwrap()
}

fn set(words: &[&str]) -> BTreeSet<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

const PARAMETER: &str =
    "/aws/service/eks/optimized-ami/1.34/amazon-linux-2023/x86_64/standard/recommended/image_id";

#[test]
fn a_version_of_a_template_keeps_what_is_not_said_and_the_default_stays() {
    let sim = sim(SIX, "");
    run(&sim, async {
        let one =
            sim.describe_launch_template_versions(&versions(Some(&["1"]), false)).await.unwrap().remove(0);
        let made = sim.create_launch_template_version(&create(1, Some("ami-new"), "three")).await.unwrap();
        assert_eq!((made.number, made.data.image_id.as_deref()), (3, Some("ami-new")));
        assert_eq!(made.data.key_name, one.data.key_name, "kept");
        assert_eq!(made.data.instance_type, one.data.instance_type);
        assert!(made.created_by.unwrap().contains("assumed-role/upgrader"));
        let template = sim.describe_launch_templates(&[key()]).await.unwrap().remove(0);
        assert_eq!((template.default_version, template.latest_version), (1, 3));
        let found = sim
            .describe_launch_template_versions(&versions(Some(&["$Default", "$Latest", "2", "9"]), false))
            .await;
        let numbers: Vec<u64> = found.unwrap().into_iter().map(|one| one.number).collect();
        assert_eq!(numbers, [3, 2, 1], "9 is not there, and is left out");
        assert_eq!(sim.describe_launch_template_versions(&versions(None, false)).await.unwrap().len(), 3);

        // The same token makes no second one; with something else it is refused.
        let again = sim.create_launch_template_version(&create(1, Some("ami-new"), "three")).await.unwrap();
        assert_eq!(again.number, 3);
        let other =
            sim.create_launch_template_version(&create(1, Some("ami-other"), "three")).await.unwrap_err();
        assert_eq!(code(&other), "IdempotentParameterMismatch");
        let user_data = CreateLaunchTemplateVersion {
            user_data: Some(Sensitive::new(b"dGhhbmtz".to_vec())),
            ..create(3, None, "four")
        };
        let four = sim.create_launch_template_version(&user_data).await.unwrap();
        assert_eq!(four.data.image_id.as_deref(), Some("ami-new"), "of version 3");
    });
}

#[test]
fn templates_and_versions_that_are_not_there_have_their_codes() {
    let sim = sim(SIX, "");
    run(&sim, async {
        let error = sim.create_launch_template_version(&create(9, None, "nine")).await.unwrap_err();
        assert_eq!(code(&error), "InvalidLaunchTemplateId.VersionNotFound");
        for (template, expected) in [
            (LaunchTemplateKey::Name("none".to_owned()), "InvalidLaunchTemplateName.NotFoundException"),
            (LaunchTemplateKey::Id("lt-0".to_owned()), "InvalidLaunchTemplateId.NotFound"),
        ] {
            let request =
                CreateLaunchTemplateVersion { template: template.clone(), ..create(1, None, expected) };
            assert_eq!(code(&sim.create_launch_template_version(&request).await.unwrap_err()), expected);
            let query = LaunchTemplateVersionQuery { template: template.clone(), ..versions(None, false) };
            assert_eq!(code(&sim.describe_launch_template_versions(&query).await.unwrap_err()), expected);
            assert!(sim.describe_launch_templates(&[template]).await.unwrap().is_empty());
        }
        let long = CreateLaunchTemplateVersion { description: "x".repeat(256), ..create(1, None, "long") };
        assert_eq!(sim.create_launch_template_version(&long).await.unwrap_err().class(), Class::Invalid);
    });
}

#[test]
fn a_template_may_name_a_parameter_and_starts_what_it_names_then() {
    let sim = sim(SIX, "");
    run(&sim, async {
        let alias = format!("resolve:ssm:{PARAMETER}");
        sim.create_launch_template_version(&create(1, Some(&alias), "alias")).await.unwrap();
        let image = async |resolve| {
            let found = sim.describe_launch_template_versions(&versions(Some(&["$Latest"]), resolve)).await;
            found.unwrap().remove(0).data.image_id.unwrap()
        };
        let before = sim.get_parameter(PARAMETER).await.unwrap();
        assert_eq!((image(false).await, image(true).await), (alias.clone(), before.value.clone()));
        sim.world()
            .play(Script::SetTemplateVersion { group: "web".to_owned(), version: "$Latest".to_owned() });
        sim.set_desired_capacity("web", 7).await.unwrap();
        sim.sleep(minutes(24 * 60)).await;
        // AWS releases another one: the version is the same, the image is not.
        sim.world().play(Script::ReleaseImages { kubernetes: "1.34".parse().unwrap() });
        let after = sim.get_parameter(PARAMETER).await.unwrap();
        assert_eq!(after.version, before.version + 1);
        assert_ne!(after.value, before.value);
        assert_eq!(image(true).await, after.value);
        sim.set_desired_capacity("web", 8).await.unwrap();
        sim.sleep(minutes(5)).await;
        let now = group(&sim).await;
        let started: BTreeSet<(String, String)> = in_service(&now)
            .iter()
            .map(|one| {
                (one.launch_template.clone().unwrap().version.to_string(), one.image_id.clone().unwrap())
            })
            .filter(|(version, _)| version == "3")
            .collect();
        let three = "3".to_owned();
        assert_eq!(started, BTreeSet::from([(three.clone(), before.value.clone()), (three, after.value)]));
        // The old image is still there.
        assert_eq!(sim.describe_images(&set(&[&before.value])).await.unwrap().len(), 1);
    });
}

#[test]
fn parameters_and_images_that_are_not_there() {
    let sim = sim(SIX, "");
    run(&sim, async {
        let al2 = "/aws/service/eks/optimized-ami/1.33/amazon-linux-2/recommended/image_id";
        let error = sim.get_parameter(al2).await.unwrap_err();
        assert_eq!(
            (error.class(), code(&error)),
            (Class::NotFound, "ParameterNotFound"),
            "1.32 is its last minor"
        );
        let names = [PARAMETER.to_owned(), al2.to_owned()];
        assert_eq!(sim.get_parameters(&names).await.unwrap().into_keys().collect::<Vec<_>>(), [PARAMETER]);
        for family in ["bottlerocket/aws-k8s-1.34/x86_64/latest", "bottlerocket/aws-k8s-1.34/arm64/latest"] {
            sim.get_parameter(&format!("/aws/service/{family}/image_id")).await.unwrap();
        }
        assert!(sim.describe_images(&set(&["ami-none"])).await.unwrap().is_empty());
    });
}

#[test]
fn an_instance_starts_runs_shuts_down_and_is_shown_for_an_hour() {
    let sim = sim(SIX, "");
    run(&sim, async {
        let id = sim.launch_instances(&launch("eu-west-1a", 1, "one")).await.unwrap();
        let id = id.instance_ids.into_iter().next().unwrap();
        let query = InstanceQuery { ids: Some(set(&[&id])), ..InstanceQuery::default() };
        let state = async || sim.describe_instances(&query).await.unwrap().into_iter().next();
        let instance = state().await.unwrap();
        assert_eq!(instance.state, InstanceState::Pending);
        let address = instance.private_ip_address.clone().unwrap();
        let name = format!("ip-{}.eu-west-1.compute.internal", address.replace('.', "-"));
        assert_eq!(instance.private_dns_name.as_deref(), Some(name.as_str()));
        assert_eq!(instance.tags["aws:autoscaling:groupName"], "web");
        assert_eq!(instance.tags["aws:ec2launchtemplate:version"], "1");
        assert_eq!(instance.tags["kubernetes.io/cluster/shop"], "owned");
        sim.sleep(minutes(2)).await;
        assert_eq!(state().await.unwrap().state, InstanceState::Running);
        let going = sim.terminate_instances(&set(&[&id])).await.unwrap();
        assert_eq!(going, BTreeMap::from([(id.clone(), InstanceState::ShuttingDown)]));
        assert_eq!(sim.terminate_instances(&set(&[&id])).await.unwrap(), going, "again is no error");
        sim.sleep(minutes(2)).await;
        let gone = state().await.unwrap();
        assert_eq!((gone.state, gone.private_ip_address), (InstanceState::Terminated, None));
        sim.sleep(minutes(65)).await;
        assert_eq!(state().await, None);
    });
}

#[test]
fn one_unknown_id_refuses_all_and_filters_leave_out() {
    let sim = sim(SIX, "");
    run(&sim, async {
        let known = ids(&group(&sim).await);
        let mut some = known.clone();
        some.insert("i-none".to_owned());
        let error = sim.terminate_instances(&some).await.unwrap_err();
        assert_eq!((error.class(), code(&error)), (Class::NotFound, "InvalidInstanceID.NotFound"));
        let by = |tags: &[(&str, &str)], states: &[InstanceState]| InstanceQuery {
            ids: None,
            tags: tags.iter().map(|(key, value)| ((*key).to_owned(), vec![(*value).to_owned()])).collect(),
            states: states.to_vec(),
        };
        for (query, count) in [
            (by(&[("aws:autoscaling:groupName", "web")], &[InstanceState::Running]), 6),
            (by(&[("aws:autoscaling:groupName", "other")], &[]), 0),
            (by(&[], &[InstanceState::Terminated]), 0),
        ] {
            assert_eq!(sim.describe_instances(&query).await.unwrap().len(), count, "{query:?}");
        }
    });
}

#[test]
fn a_machine_that_fails_its_checks_or_is_to_be_retired_is_said_so_and_replaced() {
    let sim = sim(SIX, "");
    run(&sim, async {
        let before = ids(&group(&sim).await);
        let first = before.iter().next().unwrap();
        sim.world().play(Script::PlanRetirement { instance: pick(0), after_seconds: 3600 });
        let status = sim.describe_instance_status(&before).await.unwrap();
        let planned = status.iter().find(|one| one.instance_id == *first).unwrap();
        assert_eq!(planned.events[0].code, "instance-retirement");
        assert!(planned.events[0].not_before.unwrap() > sim.now());
        sim.sleep(minutes(90)).await;
        assert!(!ids(&group(&sim).await).contains(first));

        sim.suspend_processes("web", &processes(&["ReplaceUnhealthy"])).await.unwrap();
        let second = before.iter().nth(1).unwrap();
        sim.world().play(Script::Impair { instance: pick(0) });
        let status = sim.describe_instance_status(&set(&[second])).await.unwrap();
        assert_eq!(status[0].instance_status.as_deref(), Some("impaired"));
        sim.sleep(minutes(10)).await;
        sim.resume_processes("web", &processes(&["ReplaceUnhealthy"])).await.unwrap();
        sim.sleep(minutes(10)).await;
        assert!(!ids(&group(&sim).await).contains(second));
    });
}

#[test]
fn types_are_offered_zone_by_zone() {
    let sim = sim(SIX, "notOffered: { eu-west-1c: [m7g.large] }");
    run(&sim, async {
        let offered = sim.describe_instance_type_offerings(&set(&["m7g.large", "m7i.large"])).await.unwrap();
        assert_eq!(offered["m7g.large"], set(&["eu-west-1a", "eu-west-1b"]));
        assert_eq!(offered["m7i.large"].len(), 3);
        let types = sim.describe_instance_types(&set(&["m7g.large", "none"])).await.unwrap();
        assert_eq!(types.len(), 1);
        assert_eq!((types[0].vcpus, types[0].memory_mib), (2, 8192));
    });
}

#[test]
fn quotas_keys_and_profiles() {
    let sim = sim(SIX, "onDemandVcpus: 32");
    run(&sim, async {
        let quota = sim.get_service_quota("ec2", "L-1216C47A").await.unwrap();
        assert!((quota.value - 32.0).abs() < f64::EPSILON && quota.adjustable);
        assert_eq!(code(&sim.get_service_quota("ec2", "L-0").await.unwrap_err()), "NoSuchResourceException");
        assert_eq!(sim.describe_key_pairs(&set(&["ada", "none"])).await.unwrap(), set(&["ada"]));
        assert_eq!(code(&sim.get_instance_profile("none").await.unwrap_err()), "NoSuchEntity");
        assert_eq!(code(&sim.describe_key("none").await.unwrap_err()), "NotFoundException");
        assert!(sim.get_role("shop-cluster").await.unwrap().starts_with("arn:aws:iam::111122223333:role/"));
    });
}

#[test]
fn zones_say_how_they_are() {
    let sim = sim(SIX, "");
    run(&sim, async {
        let states = async || {
            let zones = sim.describe_availability_zones().await.unwrap();
            zones.into_iter().map(|zone| zone.state).collect::<Vec<_>>()
        };
        assert_eq!(states().await, ["available"; 3]);
        sim.world().play(Script::ZoneState { zone: "eu-west-1b".to_owned(), state: "impaired".to_owned() });
        assert_eq!(states().await, ["available", "impaired", "available"]);
        let subnets = sim.describe_subnets(&NetworkQuery::default()).await.unwrap();
        assert_eq!(subnets[0].availability_zone_id.as_deref(), Some("euw1-az1"));
    });
}

#[test]
fn addresses_come_back() {
    let sim = sim(SIX, "");
    run(&sim, async {
        let before = free(&sim).await;
        assert_eq!(before, 3 * 251 - 6);
        for _ in 0..10 {
            sim.set_desired_capacity("web", 9).await.unwrap();
            sim.sleep(minutes(5)).await;
            assert_eq!(free(&sim).await, before - 3);
            sim.set_desired_capacity("web", 6).await.unwrap();
            sim.sleep(minutes(5)).await;
        }
        assert_eq!(free(&sim).await, before);
        sim.world().play(Script::HoldAddresses { subnet: "subnet-a".to_owned(), addresses: 249 });
        let outcome = sim.launch_instances(&launch("eu-west-1a", 1, "one")).await.unwrap();
        assert_eq!(outcome.errors[0].code, "InsufficientFreeAddressesInSubnet");
    });
}

#[test]
fn targets_drain_before_an_instance_goes() {
    let sim = sim(&format!("{SIX}, targetGroups: [web], healthCheckType: ELB"), "");
    run(&sim, async {
        let now = group(&sim).await;
        let arn = now.target_group_arns.iter().next().unwrap().clone();
        let id = in_service(&now)[0].instance_id.clone();
        sim.terminate_instance_in_auto_scaling_group(&terminate(&id, true)).await.unwrap();
        sim.sleep(minutes(4)).await;
        let health = sim.describe_target_health(&arn).await.unwrap();
        let state = |id: &str| health.iter().find(|one| one.target_id == id).map(|one| one.state.clone());
        assert_eq!(state(&id), Some(TargetState::Draining));
        let query = InstanceQuery { ids: Some(BTreeSet::from([id.clone()])), ..InstanceQuery::default() };
        let there = sim.describe_instances(&query);
        assert_eq!(there.await.unwrap()[0].state, InstanceState::Running);
        sim.sleep(minutes(4)).await;
        assert_eq!(sim.describe_target_health(&arn).await.unwrap().len(), 5);
        // With ELB health checks an unhealthy target is replaced, protected or not (F25).
        let id = in_service(&group(&sim).await)[0].instance_id.clone();
        sim.set_instance_protection("web", &BTreeSet::from([id.clone()]), true).await.unwrap();
        let oldest = Script::TargetUnhealthy { instance: pick(0) };
        let before = ids(&group(&sim).await);
        sim.world().play(oldest);
        sim.sleep(minutes(15)).await;
        assert_ne!(ids(&group(&sim).await), before);
    });
}
