//! Faults over the wire: each service says them in its own words, and the adapter makes the same class of each as the
//! world in process.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on fails")]

mod common;

use std::sync::Arc;

use eks_aws::Aws;
use eks_provider::aws::{
    AutoScalingGroupQuery, AutoScalingGroupReader, ClusterReader, NetworkReader, ParameterReader,
};
use eks_provider::{Class, ProviderError};
use eks_sim::wire::{Server, Wire};
use eks_sim::{Sim, World};

use common::at;

const SMALL: &str = include_str!("../../../examples/scenarios/small.yaml");
const FAULTS: [&str; 7] = [
    "throttled",
    "response-lost",
    "request-lost",
    "expired-credentials",
    "access-denied",
    "service-unavailable",
    "clock-skewed",
];
const SERVICES: [&str; 4] = ["eks", "autoscaling", "ec2", "ssm"];

/// A world in which every call goes wrong so.
fn broken(fault: &str) -> Sim {
    Sim::new(World::from_scenario(&format!("{SMALL}\nfaults:\n  calls: [{{ fault: {fault} }}]\n")).unwrap())
}

/// The failure of a read of this service.
async fn ask(
    services: &(impl ClusterReader + AutoScalingGroupReader + NetworkReader + ParameterReader),
    service: &str,
) -> ProviderError {
    match service {
        "eks" => services.describe_cluster("shop").await.map(drop),
        "autoscaling" => {
            services.describe_auto_scaling_groups(&AutoScalingGroupQuery::default()).await.map(drop)
        }
        "ec2" => services.describe_availability_zones().await.map(drop),
        _ => services.get_parameter("/x").await.map(drop),
    }
    .unwrap_err()
}

#[tokio::test]
async fn each_service_s_words_for_a_fault_have_the_class_that_it_has_in_process() {
    let mut asked = Vec::new();
    for fault in FAULTS {
        for service in SERVICES {
            asked.push(tokio::spawn(async move {
                let sim = broken(fault);
                let server = Server::start(Wire::new(Arc::new(sim.clone())), 0).await.unwrap();
                let aws: Aws = at(&server.url()).await;
                (fault, service, ask(&aws, service).await, ask(&sim, service).await)
            }));
        }
    }
    for answer in asked {
        let (fault, service, over, within) = answer.await.unwrap();
        let shown = format!("{fault} of {service}\n  over the wire: {over:?}\n  in process:    {within:?}");
        if fault.ends_with("-lost") {
            // On a wire, an answer that does not come is a connection that is cut.
            assert_eq!((over.class(), within.class()), (Class::Transport, Class::Timeout), "{shown}");
            assert!(over.class().may_have_had_effect() && within.class().may_have_had_effect());
            continue;
        }
        assert_eq!(over.class(), within.class(), "{shown}");
        assert_eq!(over.service_code(), within.service_code(), "{shown}");
        assert_eq!(over.service_message(), within.service_message(), "{shown}");
        assert!(over.service_request_id().is_some(), "{shown}");
    }
}
