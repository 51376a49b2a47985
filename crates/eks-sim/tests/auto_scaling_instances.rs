//! The rules of Auto Scaling about single instances: how they start, are held, stand by, wait in a pool and are replaced.
#![allow(clippy::unwrap_used, reason = "tests")]

mod common;

use std::collections::BTreeSet;

use common::{SIX, group, ids, in_service, launch, minutes, pick, processes, run, sim, terminate};
use eks_provider::Clock;
use eks_provider::aws::{
    ActivityStatus, AutoScalingGroupReader, AutoScalingGroupWriter, AutoScalingInstanceWriter,
    AutoScalingSettingsReader, InstanceQuery, InstanceReader, InstanceState, InstanceWriter, LaunchChange,
    LaunchInstances, LaunchRetryStrategy, LaunchTemplateRef, LifecycleAction, LifecycleResult,
    LifecycleState, TargetReader, TemplateVersion, UpdateAutoScalingGroup,
};
use eks_sim::aws::Script;

#[test]
fn the_version_of_the_template_is_fixed_when_an_instance_starts() {
    let sim = sim(SIX, "");
    run(&sim, async {
        let versions = |group: &eks_provider::aws::AutoScalingGroup| -> Vec<TemplateVersion> {
            in_service(group).iter().map(|one| one.launch_template.clone().unwrap().version).collect()
        };
        let before = group(&sim).await;
        let template = in_service(&before)[0].launch_template.clone().unwrap().template;
        let latest = LaunchTemplateRef { template, version: TemplateVersion::Latest };
        let update = UpdateAutoScalingGroup {
            launch: Some(LaunchChange::Template(latest)),
            ..UpdateAutoScalingGroup::of("web")
        };
        sim.update_auto_scaling_group(&update).await.unwrap();
        assert_eq!(versions(&group(&sim).await), vec![TemplateVersion::Number(1); 6]);
        sim.set_desired_capacity("web", 7).await.unwrap();
        sim.sleep(minutes(3)).await;
        let after = group(&sim).await;
        assert_eq!(
            versions(&after).iter().filter(|version| **version == TemplateVersion::Number(2)).count(),
            1
        );
        // A version that comes later changes nothing either.
        let image = in_service(&after)[0].image_id.clone().unwrap();
        sim.world().play(Script::AddTemplateVersion { template: "web".to_owned(), image, default: true });
        assert_eq!(versions(&group(&sim).await), versions(&after));
    });
}

#[test]
fn what_is_lost_is_replaced_unless_that_is_suspended() {
    for (suspended, left) in [(None, 6), (Some("ReplaceUnhealthy"), 6), (Some("HealthCheck"), 6)] {
        let sim = sim(SIX, "");
        run(&sim, async {
            if let Some(process) = suspended {
                sim.suspend_processes("web", &processes(&[process])).await.unwrap();
            }
            let id = in_service(&group(&sim).await)[0].instance_id.clone();
            sim.terminate_instances(&BTreeSet::from([id.clone()])).await.unwrap();
            sim.sleep(minutes(10)).await;
            let after = group(&sim).await;
            assert_eq!(in_service(&after).len(), left, "{suspended:?}");
            assert_eq!(ids(&after).contains(&id), suspended.is_some(), "{suspended:?}");
            let unhealthy = in_service(&after).iter().filter(|one| one.health_status == "Unhealthy").count();
            assert_eq!(unhealthy, usize::from(suspended == Some("ReplaceUnhealthy")), "{suspended:?}");
            if let Some(process) = suspended {
                sim.resume_processes("web", &processes(&[process])).await.unwrap();
                sim.sleep(minutes(10)).await;
                assert!(!ids(&group(&sim).await).contains(&id), "{suspended:?}: seen when resumed");
            }
        });
    }
}

#[test]
fn hooks_hold_instances_until_they_are_answered_or_time_out() {
    let hooks = "hooks: [{ name: in, heartbeatSeconds: 300, continues: true }, { name: out, terminating: true, heartbeatSeconds: 600, continues: true }]";
    let sim = sim(&format!("{SIX}, {hooks}"), "");
    run(&sim, async {
        sim.set_desired_capacity("web", 7).await.unwrap();
        sim.sleep(minutes(2)).await;
        let waiting = |group: &eks_provider::aws::AutoScalingGroup, state: LifecycleState| {
            group.instances.iter().find(|one| one.lifecycle_state == state).map(|one| one.instance_id.clone())
        };
        let id = waiting(&group(&sim).await, LifecycleState::PendingWait).unwrap();
        let action =
            LifecycleAction { group: "web".to_owned(), hook: "in".to_owned(), instance_id: id.clone() };
        sim.complete_lifecycle_action(&action, &LifecycleResult::Continue).await.unwrap();
        sim.sleep(minutes(1)).await;
        assert!(ids(&group(&sim).await).contains(&id));
        assert!(
            sim.complete_lifecycle_action(&action, &LifecycleResult::Continue).await.is_err(),
            "no longer held"
        );

        // Nobody answers: the heartbeat runs out, and a sign of life starts it anew.
        sim.terminate_instance_in_auto_scaling_group(&terminate(&id, true)).await.unwrap();
        sim.sleep(minutes(9)).await;
        let action = LifecycleAction { hook: "out".to_owned(), ..action };
        sim.record_lifecycle_action_heartbeat(&action).await.unwrap();
        sim.sleep(minutes(9)).await;
        assert_eq!(waiting(&group(&sim).await, LifecycleState::TerminatingWait), Some(id.clone()));
        let query = InstanceQuery { ids: Some(BTreeSet::from([id.clone()])), ..InstanceQuery::default() };
        let there = sim.describe_instances(&query);
        assert_eq!(there.await.unwrap()[0].state, InstanceState::Running, "a hook holds the instance itself");
        sim.sleep(minutes(3)).await;
        assert!(!group(&sim).await.instances.iter().any(|one| one.instance_id == id));
    });
}

#[test]
fn an_abandoned_launch_is_replaced_and_an_abandoned_termination_may_be_retained() {
    let hooks = "terminateHookAbandon: retain, hooks: [{ name: in, heartbeatSeconds: 60 }, { name: out, terminating: true, heartbeatSeconds: 60 }]";
    let sim = sim(&format!("{SIX}, {hooks}"), "");
    run(&sim, async {
        let id = in_service(&group(&sim).await)[0].instance_id.clone();
        sim.terminate_instance_in_auto_scaling_group(&terminate(&id, true)).await.unwrap();
        sim.sleep(minutes(2)).await;
        let retained = group(&sim).await;
        let state = &retained.instances.iter().find(|one| one.instance_id == id).unwrap().lifecycle_state;
        assert_eq!(*state, LifecycleState::TerminatingRetained);
        sim.set_desired_capacity("web", 6).await.unwrap();
        sim.sleep(minutes(10)).await;
        let launches = sim.describe_scaling_activities("web", jiff::Timestamp::MIN).await.unwrap();
        let cancelled = launches.iter().filter(|one| one.status == ActivityStatus::Cancelled).count();
        assert!(cancelled > 2, "each launch is given up and tried again: {cancelled}");
        assert_eq!(in_service(&group(&sim).await).len(), 5);
    });
}

#[test]
fn standby_leaves_the_capacity_and_comes_back() {
    let sim = sim(SIX, "");
    run(&sim, async {
        let id = in_service(&group(&sim).await)[0].instance_id.clone();
        sim.enter_standby("web", &id, true).await.unwrap();
        sim.sleep(minutes(5)).await;
        let now = group(&sim).await;
        assert_eq!((now.desired_capacity, in_service(&now).len()), (5, 5));
        assert!(sim.enter_standby("web", &id, true).await.is_err(), "it is there already");
        sim.exit_standby("web", &id).await.unwrap();
        sim.sleep(minutes(5)).await;
        let now = group(&sim).await;
        assert_eq!((now.desired_capacity, in_service(&now).len()), (6, 6));
        sim.enter_standby("web", &id, false).await.unwrap();
        sim.sleep(minutes(5)).await;
        assert_eq!(in_service(&group(&sim).await).len(), 6, "replaced");
    });
}

#[test]
fn a_warm_pool_is_drawn_from_and_filled_up_and_may_be_outdated() {
    let sim = sim("min: 3, max: 9, desired: 6, warmPool: { min: 1 }", "");
    run(&sim, async {
        let pool = sim.describe_warm_pool("web").await.unwrap().unwrap();
        assert_eq!(pool.instances.len(), 3, "up to the maximum of the group");
        assert!(pool.instances.iter().all(|one| one.lifecycle_state == LifecycleState::WarmedStopped));
        let warmed = pool.instances[0].instance_id.clone();
        let error =
            sim.terminate_instance_in_auto_scaling_group(&terminate(&warmed, false)).await.unwrap_err();
        assert!(error.to_string().contains("warm pool"), "{error}");
        let image = pool.instances[0].image_id.clone().unwrap();
        sim.world().play(Script::AddTemplateVersion { template: "web".to_owned(), image, default: true });
        sim.set_desired_capacity("web", 7).await.unwrap();
        sim.sleep(minutes(3)).await;
        let now = group(&sim).await;
        assert_eq!((in_service(&now).len(), now.warm_pool_size), (7, Some(2)));
        let new = now
            .instances
            .iter()
            .filter(|one| pool.instances.iter().any(|old| old.instance_id == one.instance_id));
        let versions: Vec<_> = new.map(|one| one.launch_template.clone().unwrap().version).collect();
        assert_eq!(versions, [TemplateVersion::Number(1)], "as old as the pool (F17)");
        sim.terminate_instances(&BTreeSet::from([pool.instances[2].instance_id.clone()])).await.unwrap();
        sim.sleep(minutes(5)).await;
        let pool = sim.describe_warm_pool("web").await.unwrap().unwrap();
        assert_eq!(pool.instances.len(), 2, "filled up again");
    });
}

#[test]
fn an_instance_refresh_replaces_all_and_is_held_by_suspension_and_protection() {
    let sim = sim(SIX, "");
    run(&sim, async {
        let before = ids(&group(&sim).await);
        let start = Script::StartInstanceRefresh {
            group: "web".to_owned(),
            version: Some("2".to_owned()),
            min_healthy_percentage: 50,
        };
        sim.world().play(start.clone());
        sim.world().play(start);
        assert_eq!(sim.describe_instance_refreshes("web").await.unwrap().len(), 1, "one at a time");
        sim.suspend_processes("web", &processes(&["InstanceRefresh"])).await.unwrap();
        sim.sleep(minutes(10)).await;
        let refresh = sim.describe_instance_refreshes("web").await.unwrap().remove(0);
        assert!(refresh.status.is_active() && refresh.status_reason.unwrap().contains("suspended"));
        sim.resume_processes("web", &processes(&["InstanceRefresh"])).await.unwrap();
        let kept = BTreeSet::from([before.iter().next().unwrap().clone()]);
        sim.set_instance_protection("web", &kept, true).await.unwrap();
        sim.sleep(minutes(30)).await;
        let now = ids(&group(&sim).await);
        assert_eq!(now.intersection(&before).cloned().collect::<BTreeSet<_>>(), kept);
        sim.set_instance_protection("web", &kept, false).await.unwrap();
        sim.sleep(minutes(15)).await;
        let refresh = sim.describe_instance_refreshes("web").await.unwrap().remove(0);
        assert!(!refresh.status.is_active(), "{refresh:?}");
        assert!(ids(&group(&sim).await).is_disjoint(&before));
    });
}

#[test]
fn launch_instances_may_go_on_in_the_background_with_all_of_the_group() {
    for (strategy, desired, later) in
        [(LaunchRetryStrategy::None, 6, 6), (LaunchRetryStrategy::RetryWithGroupConfiguration, 8, 8)]
    {
        let sim = sim(SIX, "zoneCapacity: { eu-west-1a: 2 }");
        run(&sim, async {
            let request =
                LaunchInstances { retry_strategy: strategy.clone(), ..launch("eu-west-1a", 2, "two") };
            let outcome = sim.launch_instances(&request).await.unwrap();
            assert_eq!((outcome.instance_ids.len(), outcome.errors.len()), (0, 1));
            assert_eq!(group(&sim).await.desired_capacity, desired, "{strategy:?}");
            sim.sleep(minutes(5)).await;
            assert_eq!(in_service(&group(&sim).await).len(), later, "{strategy:?}");
        });
    }
}

#[test]
fn new_instances_are_protected_where_the_group_says_so() {
    let sim = sim(SIX, "");
    run(&sim, async {
        let update = UpdateAutoScalingGroup {
            new_instances_protected_from_scale_in: Some(true),
            ..UpdateAutoScalingGroup::of("web")
        };
        sim.update_auto_scaling_group(&update).await.unwrap();
        sim.set_desired_capacity("web", 8).await.unwrap();
        sim.sleep(minutes(5)).await;
        let protected = |group: &eks_provider::aws::AutoScalingGroup| {
            in_service(group).iter().filter(|one| one.protected_from_scale_in).count()
        };
        assert_eq!(protected(&group(&sim).await), 2, "those that run are left as they are");
        sim.set_desired_capacity("web", 3).await.unwrap();
        sim.sleep(minutes(5)).await;
        let now = group(&sim).await;
        assert_eq!((in_service(&now).len(), protected(&now)), (3, 2));
    });
}

#[test]
fn an_instance_that_is_young_is_not_asked_for_its_health() {
    for (grace, left) in [(3 * 3600, 6), (0, 5)] {
        let more =
            format!("{SIX}, targetGroups: [web], healthCheckType: ELB, healthCheckGraceSeconds: {grace}");
        let sim = sim(&more, "");
        run(&sim, async {
            let before = ids(&group(&sim).await);
            sim.world().play(Script::TargetUnhealthy { instance: pick(0) });
            sim.sleep(minutes(15)).await;
            assert_eq!(ids(&group(&sim).await).intersection(&before).count(), left, "{grace}");
        });
    }
}

#[test]
fn with_add_to_load_balancer_suspended_new_instances_get_no_traffic() {
    let sim = sim(&format!("{SIX}, targetGroups: [web]"), "");
    run(&sim, async {
        sim.suspend_processes("web", &processes(&["AddToLoadBalancer"])).await.unwrap();
        sim.set_desired_capacity("web", 8).await.unwrap();
        sim.sleep(minutes(5)).await;
        let now = group(&sim).await;
        let arn = now.target_group_arns.iter().next().unwrap();
        let targets = sim.describe_target_health(arn).await.unwrap().len();
        assert_eq!((in_service(&now).len(), targets), (8, 6));
    });
}

#[test]
fn a_scenario_says_what_runs_already() {
    let instances = "instances: [{ zone: eu-west-1a, count: 3, version: '1' }, { zone: eu-west-1b, version: '2', protected: true }, { zone: eu-west-1c, version: '1', spot: true, standby: true }], launchTemplate: { name: web, version: '2' }";
    let text = common::scenario(&format!("min: 2, max: 9, desired: 4, {instances}"), "");
    let text = text.replacen("launchTemplate: { name: web, version: '$Default' },", "", 1);
    let sim = eks_sim::Sim::new(eks_sim::World::from_scenario(&text).unwrap());
    run(&sim, async {
        let now = group(&sim).await;
        let mut words: Vec<String> = now
            .instances
            .iter()
            .map(|one| {
                let version = &one.launch_template.as_ref().unwrap().version;
                let protected = if one.protected_from_scale_in { " protected" } else { "" };
                format!("{} {version} {}{protected}", one.availability_zone, one.lifecycle_state)
            })
            .collect();
        words.sort();
        let expected = [
            "eu-west-1a 1 InService",
            "eu-west-1a 1 InService",
            "eu-west-1a 1 InService",
            "eu-west-1b 2 InService protected",
            "eu-west-1c 1 Standby",
        ];
        assert_eq!((words, now.desired_capacity), (expected.map(str::to_owned).to_vec(), 4));
    });
    let wrong = text.replace("count: 3", "count: 4");
    let error = eks_sim::World::from_scenario(&wrong).unwrap_err().to_string();
    assert!(error.starts_with("line "), "{error}");
    assert!(error.contains("web has 6 instances and wants 5"), "{error}");
}
