//! The faults of machines, capacity and of what acts by itself, each played once and seen from outside.
#![allow(clippy::unwrap_used, reason = "tests")]

mod common;

use std::collections::BTreeSet;
use std::time::Duration;

use common::{
    SIX, by_zone, group, ids, in_group, in_service, launch, minutes, node_of, pick, processes, run, scenario,
    sim, started, terminate,
};
use eks_provider::aws::{
    ActivityStatus, AutoScalingGroupReader, AutoScalingGroupWriter, AutoScalingInstanceWriter,
    AutoScalingSettingsReader, GroupTag, InstanceQuery, InstanceReader, InstanceRefresh,
    InstanceRefreshStatus, InstanceState, InstanceWriter, LifecycleState, ParameterReader, TargetReader,
    TargetState, TemplateVersion,
};
use eks_provider::kube::{Node, NodeQuery, NodeReader, PageRequest, Pod, PodQuery, PodReader};
use eks_provider::{Class, Clock};
use eks_sim::aws::Script;
use eks_sim::faults::{Faults, MachineRule, When};
use eks_sim::{MachineFault, Sim, World};

/// What becomes of one more instance in `eu-west-1a`: its code, or none.
async fn code_of_launch(sim: &Sim, step: &str) -> Option<String> {
    let outcome = sim.launch_instances(&launch("eu-west-1a", 1, step)).await.unwrap();
    outcome.errors.into_iter().next().map(|error| error.code)
}

/// Whether any of the instances is lost within a time after something has happened.
fn losses(more: &str, shield: &[&str], protect: bool, script: Option<Script>, wait: u64) -> usize {
    let sim = in_group(more);
    run(&sim, async {
        let before = ids(&group(&sim).await);
        if !shield.is_empty() {
            sim.suspend_processes("web", &processes(shield)).await.unwrap();
        }
        sim.set_instance_protection("web", &before, protect).await.unwrap();
        if let Some(script) = script {
            sim.world().play(script);
        }
        sim.sleep(minutes(wait)).await;
        before.difference(&ids(&group(&sim).await)).count()
    })
}

async fn state_of(sim: &Sim, id: &str) -> Option<LifecycleState> {
    let group = group(sim).await;
    group.instances.into_iter().find(|one| one.instance_id == id).map(|one| one.lifecycle_state)
}

#[test]
fn f9_machines_come_up_and_are_no_nodes() {
    for fault in
        [MachineFault::NeverJoins, MachineFault::NeverReady, MachineFault::Flaps, MachineFault::NetworkDown]
    {
        // Whoever looks at the Pod network needs one: `aws-node`. A kubelet that flaps does so without.
        let addons = if fault == MachineFault::Flaps {
            ""
        } else {
            ", addons: [{ name: vpc-cni }, { name: kube-proxy }]"
        };
        let cluster = format!("version: '1.34'{addons} }}");
        let text = scenario(SIX, "").replace("version: '1.34' }", &cluster);
        let sim = Sim::new(World::from_scenario(&text).unwrap());
        let rule = MachineRule {
            fault,
            group: Some("web".to_owned()),
            image: None,
            when: When { times: Some(1), ..When::default() },
        };
        sim.world().set_faults(Faults { machines: vec![rule], ..Faults::default() });
        run(&sim, async {
            let id = started(&sim, "eu-west-1a", 5).await;
            assert!(ids(&group(&sim).await).contains(&id), "for its group all is well: {fault:?}");
            let mut seen = BTreeSet::new();
            let mut network = BTreeSet::new();
            for _ in 0..60 {
                sim.sleep(Duration::from_secs(20)).await;
                let node = node_of(&sim, &id).await;
                seen.insert(node.as_ref().map(Node::is_ready));
                if let Some(node) = node {
                    let query = PodQuery::on_node(&node.meta.name);
                    let pods = sim.list_pods(&query, &PageRequest::first(100)).await.unwrap().items;
                    network.extend(
                        pods.iter().filter(|pod| pod.meta.name.starts_with("aws-node")).map(Pod::is_ready),
                    );
                }
            }
            let expected = match fault {
                MachineFault::NeverJoins => vec![None],
                MachineFault::NeverReady => vec![Some(false)],
                MachineFault::Flaps => vec![Some(false), Some(true)],
                MachineFault::NetworkDown => vec![Some(true)],
            };
            assert_eq!(Vec::from_iter(seen), expected, "{fault:?}");
            if fault == MachineFault::NetworkDown {
                assert_eq!(Vec::from_iter(network), [false], "its network add-on crashes");
            }
            // The next one is well.
            let next = started(&sim, "eu-west-1b", 5).await;
            assert!(node_of(&sim, &next).await.unwrap().is_ready());
        });
    }
}

#[test]
fn f9_a_machine_may_bring_another_kubelet_than_was_meant() {
    let sim = in_group("labels: {}");
    run(&sim, async {
        let name =
            "/aws/service/eks/optimized-ami/1.33/amazon-linux-2023/x86_64/standard/recommended/image_id";
        let image = sim.get_parameter(name).await.unwrap().value;
        sim.world().play(Script::AddTemplateVersion { template: "web".to_owned(), image, default: true });
        let id = started(&sim, "eu-west-1a", 5).await;
        let node = node_of(&sim, &id).await.unwrap();
        assert_eq!(node.info.kubelet_version.value().unwrap().minor().to_string(), "1.33");
    });
}

#[test]
fn f10_there_is_no_capacity_in_a_zone_or_in_all_and_later_there_is() {
    let sim = sim(SIX, "zoneCapacity: { eu-west-1a: 2 }");
    run(&sim, async {
        assert_eq!(code_of_launch(&sim, "a").await.as_deref(), Some("InsufficientInstanceCapacity"));
        let b = sim.launch_instances(&launch("eu-west-1b", 1, "b")).await.unwrap();
        assert_eq!((b.errors.len(), b.instance_ids.len()), (0, 1), "another zone has room");
        for zone in ["eu-west-1b", "eu-west-1c"] {
            sim.world().play(Script::ZoneCapacity { zone: zone.to_owned(), instances: Some(0) });
        }
        sim.sleep(minutes(5)).await;
        let before = sim.now();
        sim.set_desired_capacity("web", 9).await.unwrap();
        sim.sleep(minutes(30)).await;
        assert_eq!(in_service(&group(&sim).await).len(), 7, "desired is kept, and cannot be had");
        let told = sim.describe_scaling_activities("web", before).await.unwrap();
        assert!(told.iter().all(|one| one.status == ActivityStatus::Failed) && told.len() >= 3, "{told:?}");
        for zone in ["eu-west-1a", "eu-west-1b", "eu-west-1c"] {
            sim.world().play(Script::ZoneCapacity { zone: zone.to_owned(), instances: None });
        }
        sim.sleep(minutes(15)).await;
        assert_eq!(in_service(&group(&sim).await).len(), 9);
    });
}

#[test]
fn f10_quotas_addresses_and_templates_stand_in_the_way() {
    let held = Script::HoldAddresses { subnet: "subnet-a".to_owned(), addresses: 249 };
    let key = Script::DeleteKeyPair { name: "ada".to_owned() };
    for (more, script, code) in [
        ("onDemandVcpus: 13", None, "VcpuLimitExceeded"),
        ("", Some(held), "InsufficientFreeAddressesInSubnet"),
        ("", Some(key), "InvalidKeyPair.NotFound"),
        ("", None, "InvalidAMIID.NotFound"),
    ] {
        let sim = sim(SIX, more);
        run(&sim, async {
            let image = in_service(&group(&sim).await)[0].image_id.clone().unwrap();
            match script {
                Some(script) => sim.world().play(script),
                None if more.is_empty() => sim.world().play(Script::DeregisterImage { image }),
                None => {}
            }
            assert_eq!(code_of_launch(&sim, "one").await.as_deref(), Some(code));
            let now = group(&sim).await;
            assert_eq!(
                (now.desired_capacity, in_service(&now).len()),
                (6, 6),
                "{code}: nothing else happened"
            );
        });
    }
}

#[test]
fn f11_spot_takes_back_old_new_and_protected_instances_and_desired_stays() {
    for (nth, protected) in [(0, false), (6, false), (0, true)] {
        let sim = in_group("labels: {}");
        run(&sim, async {
            let new = started(&sim, "eu-west-1c", 3).await;
            let before = ids(&group(&sim).await);
            sim.set_instance_protection("web", &before, protected).await.unwrap();
            sim.world().play(Script::SpotInterruption { instance: pick(nth) });
            sim.sleep(minutes(1)).await;
            assert_eq!(ids(&group(&sim).await), before, "two minutes' notice");
            sim.sleep(minutes(30)).await;
            let after = group(&sim).await;
            assert_eq!((after.desired_capacity, in_service(&after).len()), (7, 7), "{nth} {protected}");
            let lost: Vec<_> = before.difference(&ids(&after)).cloned().collect();
            assert_eq!((lost.len(), lost[0] == new), (1, nth == 6), "{nth} {protected}");
            let query = InstanceQuery { ids: Some(lost.into_iter().collect()), ..InstanceQuery::default() };
            let gone = sim.describe_instances(&query).await.unwrap().remove(0);
            assert_eq!(gone.state, InstanceState::Terminated);
            assert!(gone.state_reason.unwrap().starts_with("Server.SpotInstanceTermination"));
        });
    }
}

#[test]
fn f11_an_instance_that_is_taken_back_while_it_is_terminated_is_counted_once() {
    let sim = in_group("labels: {}");
    run(&sim, async {
        let oldest = ids(&group(&sim).await).into_iter().next().unwrap();
        sim.world().play(Script::SpotInterruption { instance: pick(0) });
        sim.sleep(Duration::from_secs(119)).await;
        sim.terminate_instance_in_auto_scaling_group(&terminate(&oldest, true)).await.unwrap();
        sim.sleep(minutes(20)).await;
        let after = group(&sim).await;
        assert_eq!((after.desired_capacity, in_service(&after).len()), (5, 5));
        assert!(!ids(&after).contains(&oldest));
    });
}

#[test]
fn f14_a_person_changes_what_a_roll_relies_on() {
    let sim = in_group("tags: { run: mine }");
    let web = || "web".to_owned();
    run(&sim, async {
        let before = ids(&group(&sim).await);
        let processes = processes(&["AZRebalance"]);
        for script in [
            Script::SetSizes { group: web(), min: Some(1), max: Some(7) },
            Script::SetDesired { group: web(), desired: 7 },
            // Above the maximum: refused, as it is for everybody.
            Script::SetDesired { group: web(), desired: 8 },
            Script::SetTemplateVersion { group: web(), version: "2".to_owned() },
            Script::SetTags {
                group: web(),
                set: [("owner".to_owned(), "ada".to_owned())].into(),
                remove: BTreeSet::from(["run".to_owned()]),
            },
            Script::Suspend { group: web(), processes: processes.clone() },
            Script::TerminateInstance { instance: pick(0) },
        ] {
            sim.world().play(script);
        }
        sim.sleep(minutes(10)).await;
        let now = group(&sim).await;
        assert_eq!((now.min_size, now.desired_capacity, now.max_size), (1, 7, 7));
        assert_eq!(before.difference(&ids(&now)).count(), 1);
        assert_eq!(in_service(&now).len(), 7);
        assert!(now.tags.contains_key("owner") && !now.tags.contains_key("run"));
        assert!(now.suspended_processes.keys().eq(&processes));
        let version = |one: &&eks_provider::aws::AutoScalingInstance| {
            one.launch_template.as_ref().unwrap().version == TemplateVersion::Number(2)
        };
        assert_eq!(in_service(&now).into_iter().filter(version).count(), 2, "what was started since");
        sim.world().play(Script::Resume { group: web(), processes });
        assert!(group(&sim).await.suspended_processes.is_empty());
    });
}

#[test]
fn f15_what_acts_by_itself_takes_instances_unless_it_is_suspended_or_they_are_protected() {
    let action = "scheduledActions: [{ name: night, start: 2026-11-24T12:30:00Z, desired: 3 }]";
    let alarm = || Some(Script::Alarm { group: "web".to_owned(), change: -2 });
    let refresh = || {
        Some(Script::StartInstanceRefresh {
            group: "web".to_owned(),
            version: Some("2".to_owned()),
            min_healthy_percentage: 50,
        })
    };
    let lower = || Some(Script::SetDesired { group: "web".to_owned(), desired: 4 });
    let lifetime = "maxInstanceLifetimeSeconds: 86400";
    for (what, more, script, process, lost, wait) in [
        ("scheduled action", action, None, Some("ScheduledActions"), 3, 60),
        ("alarm", "labels: {}", alarm(), Some("AlarmNotification"), 2, 60),
        ("instance refresh", "labels: {}", refresh(), Some("InstanceRefresh"), 6, 60),
        ("somebody lowers it", "labels: {}", lower(), None, 2, 60),
        ("maximum instance lifetime", lifetime, None, Some("Terminate"), 6, 40 * 60),
    ] {
        assert_eq!(losses(more, &[], false, script.clone(), wait), lost, "{what}");
        assert_eq!(losses(more, &[], true, script.clone(), wait), 0, "{what}: protected");
        if let Some(process) = process {
            assert_eq!(losses(more, &[process], false, script, wait), 0, "{what}: suspended");
        }
    }
}

#[test]
fn f15_an_instance_refresh_that_waits_for_protected_instances_fails_after_an_hour() {
    let sim = in_group("labels: {}");
    run(&sim, async {
        let all = ids(&group(&sim).await);
        sim.set_instance_protection("web", &all, true).await.unwrap();
        let start = Script::StartInstanceRefresh {
            group: "web".to_owned(),
            version: None,
            min_healthy_percentage: 90,
        };
        sim.world().play(start);
        sim.sleep(minutes(55)).await;
        let active = |refreshes: Vec<InstanceRefresh>| refreshes[0].status.clone();
        let refreshes = || sim.describe_instance_refreshes("web");
        assert_eq!(active(refreshes().await.unwrap()), InstanceRefreshStatus::InProgress);
        sim.sleep(minutes(10)).await;
        assert_eq!(active(refreshes().await.unwrap()), InstanceRefreshStatus::Failed);
        assert_eq!(ids(&group(&sim).await), all);
    });
}

#[test]
fn f16_a_hook_that_nobody_answers_waits_two_hours_and_then_gives_up() {
    let hooks = |rest: &str| {
        format!(
            "{rest} hooks: [{{ name: in, heartbeatSeconds: 7200 }}, {{ name: out, terminating: true, heartbeatSeconds: 7200 }}]"
        )
    };
    for (rest, retained) in [("", false), ("terminateHookAbandon: retain,", true)] {
        let sim = in_group(&hooks(rest));
        run(&sim, async {
            let new = started(&sim, "eu-west-1a", 110).await;
            assert_eq!(state_of(&sim, &new).await, Some(LifecycleState::PendingWait));
            sim.sleep(minutes(20)).await;
            assert_eq!(
                state_of(&sim, &new).await,
                None,
                "abandoned: it is terminated, and another one comes"
            );
            let waiting = group(&sim)
                .await
                .instances
                .into_iter()
                .filter(|one| one.lifecycle_state == LifecycleState::PendingWait);
            assert_eq!(waiting.count(), 1);

            let old = ids(&group(&sim).await).into_iter().next().unwrap();
            sim.terminate_instance_in_auto_scaling_group(&terminate(&old, true)).await.unwrap();
            sim.sleep(minutes(110)).await;
            assert_eq!(state_of(&sim, &old).await, Some(LifecycleState::TerminatingWait));
            sim.sleep(minutes(20)).await;
            let expected = retained.then_some(LifecycleState::TerminatingRetained);
            assert_eq!(state_of(&sim, &old).await, expected);
            if retained {
                let again = sim.terminate_instance_in_auto_scaling_group(&terminate(&old, true)).await;
                assert_eq!(again.unwrap_err().class(), Class::InProgress, "it is leaving");
                sim.sleep(minutes(600)).await;
                assert_eq!(state_of(&sim, &old).await, expected, "until a person ends it");
                sim.terminate_instances(&BTreeSet::from([old.clone()])).await.unwrap();
                sim.sleep(minutes(5)).await;
                assert_eq!(state_of(&sim, &old).await, None);
            }
        });
    }
}

#[test]
fn f17_a_warm_pool_hands_out_what_is_outdated_and_takes_instances_back() {
    let sim = in_group("warmPool: { reuseOnScaleIn: true }");
    run(&sim, async {
        let pool = async || sim.describe_warm_pool("web").await.unwrap().unwrap().instances;
        let warmed: BTreeSet<String> = pool().await.into_iter().map(|one| one.instance_id).collect();
        assert_eq!(warmed.len(), 3, "up to the maximum of the group");
        sim.world().play(Script::SetTemplateVersion { group: "web".to_owned(), version: "2".to_owned() });
        sim.set_desired_capacity("web", 7).await.unwrap();
        sim.sleep(minutes(5)).await;
        let now = group(&sim).await;
        let handed_out = in_service(&now).into_iter().find(|one| warmed.contains(&one.instance_id)).unwrap();
        assert_eq!(
            handed_out.launch_template.as_ref().unwrap().version,
            TemplateVersion::Number(1),
            "the group is on 2"
        );
        assert!(node_of(&sim, &handed_out.instance_id).await.is_some(), "it joins when it is handed out");
        // At a scale-in an instance goes back, where there is room, and its node is gone.
        let before = ids(&group(&sim).await);
        sim.set_desired_capacity("web", 6).await.unwrap();
        sim.sleep(minutes(5)).await;
        let back: Vec<_> = pool().await.into_iter().filter(|one| before.contains(&one.instance_id)).collect();
        assert_eq!(back.len(), 1);
        assert_eq!(back[0].lifecycle_state, LifecycleState::WarmedStopped);
        assert!(node_of(&sim, &back[0].instance_id).await.is_none());
    });
}

#[test]
fn f21_a_target_never_leaves_draining_and_a_controller_puts_it_back() {
    let sim = in_group("targetGroups: [web]");
    run(&sim, async {
        let arn = group(&sim).await.target_group_arns.iter().next().unwrap().clone();
        let oldest = ids(&group(&sim).await).into_iter().next().unwrap();
        let state = async || {
            let health = sim.describe_target_health(&arn).await.unwrap();
            health.into_iter().find(|one| one.target_id == oldest).map(|one| one.state)
        };
        assert_eq!(state().await, Some(TargetState::Healthy));
        sim.world().play(Script::TargetStuck { instance: pick(0) });
        sim.world().play(Script::DeregisterTarget { instance: pick(0) });
        sim.sleep(minutes(600)).await;
        assert_eq!(state().await, Some(TargetState::Draining));
        sim.world().play(Script::RegisterTarget { instance: pick(0) });
        assert_eq!(state().await, Some(TargetState::Initial));
        sim.sleep(minutes(1)).await;
        assert_eq!(state().await, Some(TargetState::Healthy));
    });
}

#[test]
fn f22_a_group_of_a_thousand() {
    let large = scenario("min: 0, max: 1100, desired: 1000", "")
        .replace(".0/24", ".0/16")
        .replace("10.0.1.", "10.1.0.")
        .replace("10.0.2.", "10.2.0.");
    let sim = Sim::new(World::from_scenario(&large).unwrap());
    run(&sim, async {
        let all = ids(&group(&sim).await);
        assert_eq!(all.len(), 1000);
        assert_eq!(by_zone(&group(&sim).await).into_values().collect::<Vec<_>>(), [334, 333, 333]);
        let by_id = sim.describe_auto_scaling_instances(&Vec::from_iter(all.clone())).await.unwrap();
        assert_eq!(by_id.len(), 1000);
        sim.set_instance_protection("web", &all, true).await.unwrap();
        assert!(group(&sim).await.instances.iter().all(|one| one.protected_from_scale_in));
        assert_eq!(sim.describe_instances(&InstanceQuery::default()).await.unwrap().len(), 1000);
        let activities = sim.describe_scaling_activities("web", jiff::Timestamp::MIN).await.unwrap();
        assert_eq!(activities.len(), 1000);
        assert_eq!(sim.list_nodes(&NodeQuery::default()).await.unwrap().len(), 1000);
        let tag = |n: usize| (format!("t{n}"), GroupTag { value: String::new(), propagate_at_launch: false });
        let have = group(&sim).await.tags.len();
        sim.create_or_update_tags("web", &(have..50).map(tag).collect()).await.unwrap();
        let error = sim.create_or_update_tags("web", &[tag(50)].into()).await.unwrap_err();
        assert_eq!(error.service_code(), Some("LimitExceeded"), "a group has 50 tags");
    });
}

#[test]
fn f25_a_target_that_fails_its_checks_is_replaced_though_protected_where_the_group_asks_elb() {
    for (more, suspended, lost) in [
        ("targetGroups: [web], healthCheckType: ELB", None, 1),
        ("targetGroups: [web], healthCheckType: ELB", Some("ReplaceUnhealthy"), 0),
        ("targetGroups: [web]", None, 0),
    ] {
        let shield: Vec<&str> = suspended.into_iter().collect();
        let unhealthy = Script::TargetUnhealthy { instance: pick(0) };
        assert_eq!(losses(more, &shield, true, Some(unhealthy), 30), lost, "{more} {suspended:?}");
    }
}
