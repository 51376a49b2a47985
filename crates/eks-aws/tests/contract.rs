//! The contract of the traits, kept by this adapter on the simulated world over HTTP: what the SDKs make of what the
//! world writes is what the world says in process.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on fails")]

mod common;

use std::sync::Arc;

use eks_aws::Aws;
use eks_sim::contract::{self, AwsFacts, AwsWorld};
use eks_sim::wire::{Server, Wire};
use eks_sim::{Sim, World};

use common::{SimClock, at};

const SMALL: &str = include_str!("../../../examples/scenarios/small.yaml");

#[tokio::test]
async fn the_adapter_keeps_the_contract_on_the_simulated_wire() {
    let sim = Sim::new(World::from_scenario(SMALL).unwrap());
    let server = Server::start(Wire::new(Arc::new(sim.clone())), 0).await.unwrap();
    let aws: Aws = at(&server.url()).await;
    let facts = AwsFacts {
        cluster: "shop".to_owned(),
        version: "1.34".parse().unwrap(),
        group: "web".to_owned(),
        parameter:
            "/aws/service/eks/optimized-ami/1.34/amazon-linux-2023/x86_64/standard/recommended/image_id"
                .to_owned(),
    };
    let world = AwsWorld { reader: &aws, writer: &aws, clock: &SimClock(sim), facts };
    let outcomes = contract::aws(&world).await;
    let failed: Vec<String> =
        outcomes.iter().filter(|outcome| outcome.result.is_err()).map(ToString::to_string).collect();
    assert_eq!(failed, [""; 0], "of {}", outcomes.len());
    assert!(outcomes.len() >= 20);
}
