//! The rules of Auto Scaling, one by one.
#![allow(clippy::unwrap_used, reason = "tests")]

mod common;

use std::collections::{BTreeMap, BTreeSet};

use common::{SIX, by_zone, group, ids, in_service, launch, minutes, processes, run, sim, terminate};
use eks_provider::aws::{
    ActivityStatus, AutoScalingGroupReader, AutoScalingGroupWriter, AutoScalingInstanceWriter,
    AutoScalingSettingsReader, GroupTag, InstanceQuery, InstanceReader, LaunchChange, LaunchSource,
    LaunchTemplateRef, LifecycleState, TemplateVersion, UpdateAutoScalingGroup,
};
use eks_provider::{Class, Clock};
use eks_sim::aws::Script;

#[test]
fn a_group_begins_balanced_over_its_zones() {
    let sim = sim(SIX, "");
    run(&sim, async {
        let group = group(&sim).await;
        assert_eq!(by_zone(&group).into_values().collect::<Vec<_>>(), [2, 2, 2]);
        assert_eq!(in_service(&group).len(), 6);
        let activities = sim.describe_scaling_activities("web", jiff::Timestamp::MIN).await.unwrap();
        assert!(activities.iter().all(|activity| activity.status == ActivityStatus::Successful));
        assert!(activities[0].description.starts_with("Launching a new EC2 instance: i-"));
    });
}

#[test]
fn activities_are_told_for_six_weeks() {
    let sim = sim(SIX, "");
    run(&sim, async {
        let told = async || sim.describe_scaling_activities("web", jiff::Timestamp::MIN).await.unwrap().len();
        assert_eq!(told().await, 6);
        sim.sleep(minutes(41 * 24 * 60)).await;
        sim.set_desired_capacity("web", 7).await.unwrap();
        sim.sleep(minutes(10)).await;
        assert_eq!(told().await, 7);
        sim.sleep(minutes(2 * 24 * 60)).await;
        sim.set_desired_capacity("web", 8).await.unwrap();
        sim.sleep(minutes(10)).await;
        assert_eq!(told().await, 2, "those of the beginning are forgotten");
    });
}

#[test]
fn desired_is_held_between_min_and_max() {
    let sim = sim(SIX, "");
    run(&sim, async {
        for (desired, message) in
            [(10, Some("above max value 9")), (2, Some("below min value 3")), (9, None), (3, None)]
        {
            let answer = sim.set_desired_capacity("web", desired).await;
            match message {
                Some(message) => {
                    let error = answer.unwrap_err();
                    assert_eq!(error.service_code(), Some("ValidationError"));
                    assert!(error.to_string().contains(message), "{error}");
                }
                None => answer.unwrap(),
            }
        }
        let error = sim.set_desired_capacity("nobody", 1).await.unwrap_err();
        assert_eq!(error.service_code(), Some("ValidationError"));
    });
}

#[test]
fn limits_pull_desired_with_them() {
    let sim = sim(SIX, "");
    run(&sim, async {
        let update = |min, max| UpdateAutoScalingGroup {
            min_size: min,
            max_size: max,
            ..UpdateAutoScalingGroup::of("web")
        };
        sim.update_auto_scaling_group(&update(Some(8), None)).await.unwrap();
        assert_eq!(group(&sim).await.desired_capacity, 8);
        sim.update_auto_scaling_group(&update(Some(3), Some(4))).await.unwrap();
        assert_eq!(group(&sim).await.desired_capacity, 4);
        assert!(sim.update_auto_scaling_group(&update(Some(5), None)).await.is_err(), "min above max");
        sim.sleep(minutes(10)).await;
        assert_eq!(in_service(&group(&sim).await).len(), 4);
    });
}

#[test]
fn a_cause_says_the_old_and_the_new_desired_capacity() {
    let sim = sim(SIX, "");
    run(&sim, async {
        let before = sim.now();
        sim.set_desired_capacity("web", 8).await.unwrap();
        sim.sleep(minutes(3)).await;
        let activities = sim.describe_scaling_activities("web", before).await.unwrap();
        assert_eq!(activities.len(), 2);
        assert!(
            activities[1].cause.contains("changing the desired capacity from 6 to 8."),
            "{}",
            activities[1].cause
        );
        assert!(activities[1].cause.contains("increasing the capacity from 6 to 8."));
        sim.set_desired_capacity("web", 6).await.unwrap();
        sim.sleep(minutes(3)).await;
        let activities = sim.describe_scaling_activities("web", before).await.unwrap();
        assert!(activities[0].description.starts_with("Terminating EC2 instance: i-"));
        assert!(activities[0].cause.contains("shrinking the capacity from"));
    });
}

#[test]
fn an_instance_terminated_by_request_is_replaced_unless_desired_falls() {
    let sim = sim(SIX, "");
    run(&sim, async {
        let before = group(&sim).await;
        let id = in_service(&before)[0].instance_id.clone();
        let activity = sim.terminate_instance_in_auto_scaling_group(&terminate(&id, false)).await.unwrap();
        assert_eq!(
            (activity.instance_id(), activity.status.clone()),
            (Some(id.as_str()), ActivityStatus::InProgress)
        );
        sim.sleep(minutes(5)).await;
        let after = group(&sim).await;
        assert_eq!((in_service(&after).len(), after.desired_capacity), (6, 6));
        assert!(!ids(&after).contains(&id));

        let id = in_service(&after)[0].instance_id.clone();
        sim.terminate_instance_in_auto_scaling_group(&terminate(&id, true)).await.unwrap();
        sim.sleep(minutes(5)).await;
        let after = group(&sim).await;
        assert_eq!((in_service(&after).len(), after.desired_capacity), (5, 5));
    });
}

#[test]
fn terminating_is_refused_below_the_minimum_twice_and_for_strangers() {
    let sim = sim("min: 3, max: 9, desired: 3", "");
    run(&sim, async {
        let id = in_service(&group(&sim).await)[0].instance_id.clone();
        let error = sim.terminate_instance_in_auto_scaling_group(&terminate(&id, true)).await.unwrap_err();
        assert!(error.to_string().contains("desiredSize equals minSize"), "{error}");
        sim.terminate_instance_in_auto_scaling_group(&terminate(&id, false)).await.unwrap();
        let error = sim.terminate_instance_in_auto_scaling_group(&terminate(&id, false)).await.unwrap_err();
        assert_eq!(
            (error.class(), error.service_code()),
            (Class::InProgress, Some("ScalingActivityInProgress"))
        );
        let error = sim.terminate_instance_in_auto_scaling_group(&terminate("i-0", false)).await.unwrap_err();
        assert_eq!(error.service_code(), Some("ValidationError"));
    });
}

#[test]
fn protection_holds_against_scale_in_and_not_against_a_request() {
    let sim = sim(SIX, "");
    run(&sim, async {
        let all = ids(&group(&sim).await);
        sim.set_instance_protection("web", &all, true).await.unwrap();
        sim.set_desired_capacity("web", 3).await.unwrap();
        sim.sleep(minutes(30)).await;
        let held = group(&sim).await;
        assert_eq!((held.desired_capacity, in_service(&held).len()), (3, 6), "kept, and not carried out");
        let one = all.iter().next().unwrap();
        sim.terminate_instance_in_auto_scaling_group(&terminate(one, false)).await.unwrap();
        sim.sleep(minutes(5)).await;
        assert_eq!(in_service(&group(&sim).await).len(), 5, "there are more than it wants: not replaced");
        // Taking the protection away carries it out.
        let left = ids(&group(&sim).await);
        sim.set_instance_protection("web", &left, false).await.unwrap();
        sim.sleep(minutes(5)).await;
        assert_eq!(in_service(&group(&sim).await).len(), 3);
    });
}

#[test]
fn suspended_processes_do_nothing_until_they_are_resumed() {
    let sim = sim(SIX, "");
    run(&sim, async {
        sim.suspend_processes("web", &processes(&["Launch", "Terminate"])).await.unwrap();
        sim.set_desired_capacity("web", 9).await.unwrap();
        sim.sleep(minutes(30)).await;
        assert_eq!(in_service(&group(&sim).await).len(), 6);
        sim.resume_processes("web", &processes(&["Launch"])).await.unwrap();
        sim.sleep(minutes(5)).await;
        assert_eq!(in_service(&group(&sim).await).len(), 9);
        sim.set_desired_capacity("web", 3).await.unwrap();
        sim.sleep(minutes(30)).await;
        assert_eq!(in_service(&group(&sim).await).len(), 9);
        sim.resume_processes("web", &BTreeSet::new()).await.unwrap();
        sim.sleep(minutes(5)).await;
        assert_eq!(in_service(&group(&sim).await).len(), 9, "an empty set resumes nothing");
        sim.resume_processes("web", &processes(&["Terminate"])).await.unwrap();
        sim.sleep(minutes(5)).await;
        assert_eq!(in_service(&group(&sim).await).len(), 3);
    });
}

#[test]
fn zones_that_are_uneven_are_balanced_unless_that_is_suspended() {
    for suspended in [false, true] {
        let sim = sim("min: 2, max: 9, desired: 6", "");
        run(&sim, async {
            if suspended {
                sim.suspend_processes("web", &processes(&["AZRebalance"])).await.unwrap();
            }
            let before = group(&sim).await;
            let in_a = in_service(&before).into_iter().filter(|one| one.availability_zone == "eu-west-1a");
            for one in in_a {
                sim.terminate_instance_in_auto_scaling_group(&terminate(&one.instance_id, true))
                    .await
                    .unwrap();
            }
            sim.sleep(minutes(60)).await;
            // Two zones are level when one of their instances has to go: which zone it is taken from is open. "If the
            // zones are balanced, the policy is applied across all of them", and of equals one is taken at random.
            // https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-termination-policies.html
            let mut zones: Vec<usize> = by_zone(&group(&sim).await).into_values().collect();
            zones.sort_unstable();
            assert_eq!(zones, if suspended { vec![2, 2] } else { vec![1, 1, 2] }, "{suspended}");
            let activities =
                sim.describe_scaling_activities("web", before.created_at.unwrap()).await.unwrap();
            let balanced = activities.iter().any(|one| one.cause.contains("balancing the group's zones"));
            assert_eq!(balanced, !suspended);
        });
    }
}

#[test]
fn a_zone_without_room_is_passed_over_and_said_so() {
    let sim = sim(SIX, "zoneCapacity: { eu-west-1a: 2 }");
    run(&sim, async {
        let before = sim.now();
        sim.set_desired_capacity("web", 9).await.unwrap();
        sim.sleep(minutes(5)).await;
        let zones: Vec<usize> = by_zone(&group(&sim).await).into_values().collect();
        assert_eq!(zones, [2, 4, 3], "best effort");
        let activities = sim.describe_scaling_activities("web", before).await.unwrap();
        let failed: Vec<_> = activities.iter().filter(|one| one.status == ActivityStatus::Failed).collect();
        assert!(!failed.is_empty());
        assert!(failed[0].status_message.as_ref().unwrap().contains("sufficient m7i.large capacity"));
    });
}

#[test]
fn launch_instances_answers_at_once_and_raises_desired() {
    let sim = sim(SIX, "zoneCapacity: { eu-west-1b: 3 }");
    run(&sim, async {
        let first = sim.launch_instances(&launch("eu-west-1b", 2, "one")).await.unwrap();
        assert_eq!(first.instance_ids.len(), 1);
        assert_eq!(first.errors[0].code, "InsufficientInstanceCapacity");
        assert_eq!(first.errors[0].availability_zone.as_deref(), Some("eu-west-1b"));
        let now = group(&sim).await;
        assert_eq!(now.desired_capacity, 7);
        let started = now.instances.iter().find(|one| first.instance_ids.contains(&one.instance_id)).unwrap();
        assert_eq!(started.lifecycle_state, LifecycleState::Pending);
        // The same token: the same answer, and no more instances.
        assert_eq!(sim.launch_instances(&launch("eu-west-1b", 2, "one")).await.unwrap(), first);
        assert_eq!(group(&sim).await.desired_capacity, 7);
        // The same token for something else is refused.
        let mut other = launch("eu-west-1a", 1, "one");
        let error = sim.launch_instances(&other).await.unwrap_err();
        assert_eq!(error.service_code(), Some("IdempotentParameterMismatch"));
        // Above the maximum, and in a zone that is not the group's.
        other = launch("eu-west-1a", 3, "three");
        assert_eq!(sim.launch_instances(&other).await.unwrap_err().class(), Class::Invalid);
        other = launch("eu-west-1z", 1, "four");
        assert_eq!(sim.launch_instances(&other).await.unwrap_err().class(), Class::Invalid);
        sim.sleep(minutes(3)).await;
        assert_eq!(in_service(&group(&sim).await).len(), 7);
    });
}

#[test]
fn a_bad_image_costs_nothing_but_failed_activities() {
    let sim = sim(SIX, "");
    run(&sim, async {
        let image = in_service(&group(&sim).await)[0].image_id.clone().unwrap();
        sim.world().play(Script::DeregisterImage { image: image.clone() });
        let outcome = sim.launch_instances(&launch("eu-west-1a", 1, "one")).await.unwrap();
        assert_eq!(outcome.errors[0].code, "InvalidAMIID.NotFound");
        sim.set_desired_capacity("web", 7).await.unwrap();
        sim.sleep(minutes(60)).await;
        assert_eq!(in_service(&group(&sim).await).len(), 6);
        let failed = sim.describe_scaling_activities("web", jiff::Timestamp::MIN).await.unwrap();
        let failed = failed.iter().filter(|one| one.status == ActivityStatus::Failed).count();
        assert!((3..20).contains(&failed), "later and later: {failed}");
        for (script, code) in [(Script::DeleteKeyPair { name: "ada".to_owned() }, "InvalidAMIID.NotFound")] {
            sim.world().play(script);
            let outcome = sim.launch_instances(&launch("eu-west-1a", 1, code)).await.unwrap();
            assert_eq!(outcome.errors[0].code, code);
        }
    });
}

#[test]
fn scheduled_actions_and_alarms_change_the_size_unless_suspended() {
    let action = "scheduledActions: [{ name: noon, start: 2026-11-24T12:30:00Z, desired: 8 }, { name: night, recurrence: '0 20 * * *', min: 3, desired: 3 }]";
    for suspended in [false, true] {
        let sim = sim(&format!("{SIX}, {action}"), "");
        run(&sim, async {
            if suspended {
                sim.suspend_processes("web", &processes(&["ScheduledActions", "AlarmNotification"]))
                    .await
                    .unwrap();
            }
            sim.sleep(minutes(40)).await;
            assert_eq!(group(&sim).await.desired_capacity, if suspended { 6 } else { 8 });
            sim.world().play(Script::Alarm { group: "web".to_owned(), change: 5 });
            assert_eq!(
                group(&sim).await.desired_capacity,
                if suspended { 6 } else { 9 },
                "no more than the maximum"
            );
            sim.sleep(minutes(8 * 60)).await;
            assert_eq!(in_service(&group(&sim).await).len(), if suspended { 6 } else { 3 });
            let actions = sim.describe_scheduled_actions("web").await.unwrap();
            assert_eq!(actions[0].start_time.unwrap().to_string(), "2026-11-25T20:00:00Z", "and again");
        });
    }
}

#[test]
fn tags_have_limits() {
    let sim = sim(SIX, "");
    run(&sim, async {
        let tag = |value: &str| GroupTag { value: value.to_owned(), propagate_at_launch: false };
        let one = |key: &str, value: &str| BTreeMap::from([(key.to_owned(), tag(value))]);
        sim.create_or_update_tags("web", &one("run", &"x".repeat(256))).await.unwrap();
        for wrong in
            [one("run", &"x".repeat(257)), one(&"k".repeat(129), ""), one("aws:mine", ""), one("", "")]
        {
            assert_eq!(sim.create_or_update_tags("web", &wrong).await.unwrap_err().class(), Class::Invalid);
        }
        let have = group(&sim).await.tags.len();
        let many: BTreeMap<_, _> = (0..51 - have).map(|n| (format!("t{n}"), tag(""))).collect();
        assert!(sim.create_or_update_tags("web", &many).await.is_err(), "51");
        let many: BTreeMap<_, _> = (0..50 - have).map(|n| (format!("t{n}"), tag(""))).collect();
        sim.create_or_update_tags("web", &many).await.unwrap();
        sim.delete_tags("web", &BTreeSet::from(["run".to_owned(), "not-there".to_owned()])).await.unwrap();
        assert_eq!(group(&sim).await.tags.len(), 49);
    });
}

#[test]
fn a_group_with_an_operator_is_changed_by_nobody_else() {
    let sim = sim(&format!("{SIX}, operator: eks.amazonaws.com"), "");
    run(&sim, async {
        let id = in_service(&group(&sim).await)[0].instance_id.clone();
        let denied = [
            sim.set_desired_capacity("web", 7).await.unwrap_err(),
            sim.terminate_instance_in_auto_scaling_group(&terminate(&id, false)).await.unwrap_err(),
            sim.launch_instances(&launch("eu-west-1a", 1, "one")).await.unwrap_err(),
            sim.suspend_processes("web", &processes(&["Launch"])).await.unwrap_err(),
        ];
        for error in denied {
            assert_eq!(
                (error.class(), error.service_code()),
                (Class::Denied, Some("AccessDenied")),
                "{error}"
            );
        }
        sim.as_caller("eks.amazonaws.com").set_desired_capacity("web", 7).await.unwrap();
    });
}

#[test]
fn the_oldest_template_goes_first_in_the_fullest_zone() {
    for (policy, old_left) in [("Default", 3), ("OldestInstance", 3), ("NewestInstance", 6)] {
        let sim = sim(&format!("{SIX}, terminationPolicies: [{policy}]"), "");
        run(&sim, async {
            let before = ids(&group(&sim).await);
            sim.world().play(Script::SetTemplateVersion { group: "web".to_owned(), version: "2".to_owned() });
            sim.set_desired_capacity("web", 9).await.unwrap();
            sim.sleep(minutes(5)).await;
            sim.set_desired_capacity("web", 6).await.unwrap();
            sim.sleep(minutes(5)).await;
            let after = group(&sim).await;
            assert_eq!(by_zone(&after).into_values().collect::<Vec<_>>(), [2, 2, 2], "{policy}");
            assert_eq!(ids(&after).intersection(&before).count(), old_left, "{policy}");
        });
    }
}

#[test]
fn a_group_that_is_balanced_only_waits_for_its_zone() {
    for (distribution, expected) in [("balanced-best-effort", [2, 4, 3]), ("balanced-only", [2, 2, 2])] {
        let sim = sim(&format!("{SIX}, zoneDistribution: {distribution}"), "zoneCapacity: { eu-west-1a: 2 }");
        run(&sim, async {
            sim.set_desired_capacity("web", 9).await.unwrap();
            sim.sleep(minutes(30)).await;
            let zones: Vec<usize> = by_zone(&group(&sim).await).into_values().collect();
            assert_eq!(zones, expected, "{distribution}");
            sim.world().play(Script::ZoneCapacity { zone: "eu-west-1a".to_owned(), instances: None });
            sim.sleep(minutes(60)).await;
            assert_eq!(
                by_zone(&group(&sim).await).into_values().collect::<Vec<_>>(),
                [3, 3, 3],
                "{distribution}"
            );
        });
    }
}

#[test]
fn a_mixed_group_takes_types_in_their_order_and_keeps_its_share_on_demand() {
    let mixed = "mixed: { onDemandBase: 1, onDemandPercentage: 40, overrides: [{ instanceType: r7i.4xlarge, weight: 2 }, { instanceType: m7i.large }] }";
    let sim = sim(&format!("{SIX}, {mixed}"), "notOffered: { eu-west-1b: [r7i.4xlarge] }");
    run(&sim, async {
        let now = group(&sim).await;
        for one in in_service(&now) {
            let kind = one.instance_type.as_deref().unwrap();
            let expected = if one.availability_zone == "eu-west-1b" { "m7i.large" } else { "r7i.4xlarge" };
            assert_eq!(kind, expected, "the first that the zone offers");
            assert_eq!(one.weighted_capacity, (kind == "r7i.4xlarge").then_some(2));
        }
        let instances = sim.describe_instances(&InstanceQuery::default()).await.unwrap();
        let spot = instances.iter().filter(|one| one.lifecycle.as_deref() == Some("spot")).count();
        // 1, and 40 % of the other five.
        assert_eq!((instances.len(), spot), (6, 3));
        // LaunchInstances takes no group that mixes.
        let error = sim.launch_instances(&launch("eu-west-1a", 1, "one")).await.unwrap_err();
        assert_eq!(error.class(), Class::Invalid);
        // A template is not set beside a policy, but within it.
        let template = in_service(&now)[0].launch_template.clone().unwrap().template;
        let two = LaunchTemplateRef { template, version: TemplateVersion::Number(2) };
        let update =
            |launch| UpdateAutoScalingGroup { launch: Some(launch), ..UpdateAutoScalingGroup::of("web") };
        let beside = sim.update_auto_scaling_group(&update(LaunchChange::Template(two.clone()))).await;
        assert_eq!(beside.unwrap_err().class(), Class::Invalid);
        let within = LaunchChange::Mixed { base: Some(two), overrides: BTreeMap::new() };
        sim.update_auto_scaling_group(&update(within)).await.unwrap();
        let LaunchSource::Mixed(policy) = group(&sim).await.launch else { panic!("a policy") };
        assert_eq!((policy.template.version, policy.overrides.len()), (TemplateVersion::Number(2), 2));
    });
}
