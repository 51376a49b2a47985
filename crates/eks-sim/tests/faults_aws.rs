//! The faults that every roller must survive, the AWS half of them, each played once and seen from outside.
#![allow(clippy::unwrap_used, reason = "tests")]

mod common;

use std::time::Duration;

use common::calls::{call, everything, methods, observed, same, service};
use common::{by_zone, group, ids, in_group, in_service, launch, minutes, processes, run, terminate};
use eks_provider::aws::{
    AutoScalingGroupWriter, AutoScalingInstanceWriter, ClusterConfigChange, ClusterWriter, LifecycleState,
    UpdateClusterConfig, UpdateReader, UpdateScope,
};
use eks_provider::{Access, Class, Clock, Token};
use eks_sim::faults::{CallFault, CallRule, Faults, StaleReads, When};
use eks_sim::{Sim, Stopped};

/// The next so many calls that match fail.
fn calls(fault: CallFault, when: When) -> Faults {
    let rule = CallRule { fault, operations: Vec::new(), target: None, writes_only: false, when };
    Faults { calls: vec![rule], ..Faults::default() }
}

fn times(times: u64) -> When {
    When { times: Some(times), ..When::default() }
}

fn every_method() -> Vec<&'static str> {
    [methods(Access::Read), methods(Access::Write)].concat()
}

/// Has a fault refuse each method twice; what it changes is nothing, and the third try goes through.
fn refused(fault: CallFault, class: Class, of: impl Fn(&str) -> Option<&'static str>) {
    let mut tried = 0;
    for method in every_method() {
        let Some(code) = of(method) else { continue };
        let (sim, facts) = everything(method);
        run(&sim, async {
            let before = observed(&sim, &facts).await;
            sim.world().set_faults(calls(fault, times(2)));
            for _ in 0..2 {
                let error = call(&sim, method, &facts).await.unwrap_err();
                assert_eq!((error.class(), error.service_code()), (class, Some(code)), "{method}: {error}");
                assert!(error.service_request_id().is_some(), "{method}: {error}");
            }
            same(&observed(&sim, &facts).await, &before, method);
            call(&sim, method, &facts).await.unwrap_or_else(|error| panic!("{method}: {error}"));
        });
        tried += 1;
    }
    assert!(tried > 10, "{tried}");
}

#[test]
fn f1_every_call_can_be_throttled_in_the_words_of_its_service() {
    refused(CallFault::Throttled, Class::Throttled, |method| {
        Some(match service(method) {
            "ec2" => "RequestLimitExceeded",
            "eks" | "ssm" => "ThrottlingException",
            _ => "Throttling",
        })
    });
}

#[test]
fn f1_throttling_goes_on_for_as_long_as_it_is_said() {
    let (sim, facts) = everything("describe_cluster");
    run(&sim, async {
        let start = sim.world().start();
        let from_seconds = u64::try_from(sim.now().duration_since(start).as_secs()).unwrap() + 60;
        let storm = When { from_seconds, for_seconds: Some(600), ..When::default() };
        sim.world().set_faults(calls(CallFault::Throttled, storm));
        let mut told = Vec::new();
        for _ in 0..13 {
            told.push(call(&sim, "describe_cluster", &facts).await.is_ok());
            sim.sleep(minutes(1)).await;
        }
        let stormy = told.iter().filter(|ok| !**ok).count();
        assert_eq!((told[0], stormy, told[11]), (true, 10, true), "{told:?}");
    });
}

#[test]
fn f2_auto_scaling_is_busy() {
    for (fault, code) in [
        (CallFault::ResourceContention, "ResourceContention"),
        (CallFault::ScalingActivityInProgress, "ScalingActivityInProgress"),
    ] {
        let writes = methods(Access::Write);
        refused(fault, Class::InProgress, |method| {
            (service(method) == "autoscaling" && writes.contains(&method)).then_some(code)
        });
    }
}

#[test]
fn f3_an_answer_that_is_lost_leaves_the_effect_and_the_same_token_makes_no_second_one() {
    for method in methods(Access::Write) {
        let (heard, facts) = everything(method);
        let answer =
            run(&heard, call(&heard, method, &facts)).unwrap_or_else(|error| panic!("{method}: {error}"));
        let (lost, of) = everything(method);
        lost.world().set_faults(calls(CallFault::ResponseLost, times(1)));
        let error = run(&lost, call(&lost, method, &of)).unwrap_err();
        assert_eq!(error.class(), Class::Timeout, "{method}: {error}");
        assert!(error.class().may_have_had_effect());
        let after = run(&heard, observed(&heard, &facts));
        same(&run(&lost, observed(&lost, &of)), &after, &format!("{method}: the effect is there"));
        assert!(lost.world().calls().iter().rev().find(|call| call.write).unwrap().had_effect());

        // And again, as somebody would who has heard nothing.
        let again = run(&lost, call(&lost, method, &of));
        same(&run(&lost, observed(&lost, &of)), &after, &format!("{method}: done twice"));
        let has_token = TOKENS.contains(&method);
        match again {
            Ok(again) if has_token => assert_eq!(again, answer, "{method}: another answer to the same token"),
            Ok(_) => {}
            Err(error) if !has_token => {
                let told = [Class::InProgress, Class::Invalid, Class::Conflict].contains(&error.class());
                assert!(told, "{method}: {error}");
            }
            Err(error) => panic!("{method}: {error}"),
        }
        // Both worlds go on as the same one.
        if has_token {
            for sim in [&heard, &lost] {
                run(sim, sim.sleep(minutes(60)));
            }
            let later = run(&heard, observed(&heard, &facts));
            same(&run(&lost, observed(&lost, &of)), &later, &format!("{method}: an hour later"));
        }
    }
}

/// The calls that carry an idempotency token.
const TOKENS: [&str; 9] = [
    "update_cluster_version",
    "update_cluster_config",
    "cancel_update",
    "update_addon",
    "create_addon",
    "update_nodegroup_version",
    "update_nodegroup_config",
    "launch_instances",
    "create_launch_template_version",
];

#[test]
fn f3_a_request_that_is_lost_has_no_effect_and_its_caller_waits_for_the_time_out() {
    for method in methods(Access::Write) {
        let (sim, facts) = everything(method);
        run(&sim, async {
            let before = observed(&sim, &facts).await;
            let started = sim.now();
            sim.world().set_faults(Faults { timeout_seconds: 10, ..calls(CallFault::RequestLost, times(1)) });
            let error = call(&sim, method, &facts).await.unwrap_err();
            assert_eq!(error.class(), Class::Timeout, "{method}");
            assert_eq!(sim.now().duration_since(started).as_secs(), 10, "{method}");
            assert!(!sim.world().calls().last().unwrap().had_effect());
            let after = observed(&sim, &facts).await;
            assert_eq!(after["describe_cluster"], before["describe_cluster"], "{method}");
            assert_eq!(after["every add-on"], before["every add-on"], "{method}");
            assert_eq!(after["updates of parts"], before["updates of parts"], "{method}");
            assert_eq!(after["describe_launch_templates"], before["describe_launch_templates"], "{method}");
        });
    }
}

#[test]
fn f8_credentials_expire_in_the_middle_and_are_new_later() {
    refused(CallFault::ExpiredCredentials, Class::Unauthenticated, |method| {
        Some(match service(method) {
            "ec2" => "RequestExpired",
            "eks" | "ssm" => "ExpiredTokenException",
            _ => "ExpiredToken",
        })
    });
}

#[test]
fn f8_a_clock_that_is_wrong_is_told_as_a_wrong_signature() {
    refused(CallFault::ClockSkewed, Class::Unauthenticated, |method| {
        Some(match service(method) {
            "ec2" => "AuthFailure",
            "eks" | "ssm" => "InvalidSignatureException",
            _ => "SignatureDoesNotMatch",
        })
    });
}

/// Replaces an instance by one of the same zone, so that it can be taken up again from wherever it was left.
async fn replace(sim: &Sim, old: &str) {
    let balance = processes(&["AZRebalance"]);
    sim.suspend_processes("web", &balance).await.unwrap();
    let new = sim.launch_instances(&launch("eu-west-1a", 1, "slot")).await.unwrap().instance_ids;
    loop {
        let now = group(sim).await;
        let old = now.instances.iter().find(|one| one.instance_id == old);
        match old.map(|one| &one.lifecycle_state) {
            None => break,
            Some(LifecycleState::InService) if new.is_subset(&ids(&now)) => {
                let request = terminate(&old.unwrap().instance_id, true);
                sim.terminate_instance_in_auto_scaling_group(&request).await.unwrap();
            }
            Some(_) => {}
        }
        sim.sleep(Duration::from_secs(10)).await;
    }
    sim.resume_processes("web", &balance).await.unwrap();
}

#[test]
fn f12_a_caller_that_dies_at_any_call_leaves_a_world_that_another_one_can_take_up() {
    let mut deaths = 0;
    for fault in
        [CallFault::CallerDiesBefore, CallFault::CallerDiesAfterEffect, CallFault::CallerDiesAfterAnswer]
    {
        for call in 0..4 {
            let sim = in_group("labels: {}");
            let before = run(&sim, group(&sim));
            let old =
                in_service(&before).into_iter().find(|one| one.availability_zone == "eu-west-1a").unwrap();
            let when = When { skip: call, times: Some(1), ..When::default() };
            let rule = CallRule { fault, operations: Vec::new(), target: None, writes_only: true, when };
            sim.world().set_faults(Faults { calls: vec![rule], ..Faults::default() });
            let stopped = sim.run(replace(&sim, &old.instance_id)).unwrap_err();
            let Stopped::Died(death) = &stopped else { panic!("{stopped}") };
            let last = sim.world().calls().iter().rev().find(|call| call.write).cloned().unwrap();
            assert_eq!((&last.operation, last.had_effect()), (&death.operation, death.had_effect), "{death}");
            assert_eq!(death.had_effect, fault != CallFault::CallerDiesBefore, "{death}");
            let writes = sim.world().calls().iter().filter(|call| call.write).count();
            assert_eq!(u64::try_from(writes).unwrap(), call + 1, "nothing after its death: {death}");

            // Somebody else takes it up, much later.
            run(&sim, sim.sleep(minutes(20)));
            run(&sim, replace(&sim, &old.instance_id));
            run(&sim, sim.sleep(minutes(20)));
            let after = run(&sim, group(&sim));
            assert_eq!((after.desired_capacity, by_zone(&after)), (6, by_zone(&before)), "{death}");
            assert_eq!(ids(&before).difference(&ids(&after)).count(), 1, "{death}");
            assert!(after.suspended_processes.is_empty(), "{death}");
            deaths += 1;
        }
    }
    assert_eq!(deaths, 12);
}

#[test]
fn f12_without_a_fault_nobody_dies_and_a_task_that_waits_for_nothing_is_given_up() {
    let sim = in_group("labels: {}");
    assert_eq!(sim.run(async { 7 }), Ok(7));
    assert_eq!(sim.run(std::future::pending::<()>()), Err(Stopped::Stuck));
}

#[test]
fn f24_reads_show_a_while_ago_after_each_write() {
    let sim = in_group("labels: {}");
    sim.world().set_faults(Faults {
        stale_reads: Some(StaleReads { seconds: 20, permille: 1000 }),
        ..Faults::default()
    });
    run(&sim, async {
        sim.sleep(minutes(1)).await;
        sim.set_desired_capacity("web", 7).await.unwrap();
        let mut seen = Vec::new();
        for _ in 0..30 {
            sim.sleep(Duration::from_secs(1)).await;
            seen.push(group(&sim).await.desired_capacity);
        }
        assert!(seen[..20].contains(&6) && seen[..20].contains(&7), "{seen:?}");
        assert!(seen[20..].iter().all(|desired| *desired == 7), "{seen:?}");

        // An update that was taken may not be found at first.
        let request = UpdateClusterConfig {
            cluster: "shop".to_owned(),
            change: ClusterConfigChange::ZonalShift(true),
            token: Token::derive("run", "shift"),
        };
        let update = sim.update_cluster_config(&request).await.unwrap();
        let mut found = Vec::new();
        for _ in 0..30 {
            sim.sleep(Duration::from_secs(1)).await;
            match sim.describe_update(&UpdateScope::cluster("shop"), &update.id).await {
                Ok(_) => found.push(true),
                Err(error) if error.class() == Class::NotFound => found.push(false),
                Err(error) => panic!("{error}"),
            }
        }
        assert!(found[..20].contains(&false) && found[20..].iter().all(|there| *there), "{found:?}");
    });
}
