//! The contract suite in process: the simulation does what every implementation has to do.

#![cfg(feature = "contract")]

use eks_sim::contract::{self, AwsFacts, AwsWorld, Outcome};
use eks_sim::{Sim, World};

const SMALL: &str = include_str!("../../../examples/scenarios/small.yaml");

fn failed(outcomes: &[Outcome]) -> Vec<String> {
    outcomes.iter().filter(|outcome| outcome.result.is_err()).map(ToString::to_string).collect()
}

#[test]
fn the_aws_half_keeps_the_contract() {
    let sim = Sim::new(World::from_scenario(SMALL).unwrap());
    let facts = AwsFacts {
        cluster: "shop".to_owned(),
        version: "1.34".parse().unwrap(),
        group: "web".to_owned(),
        parameter:
            "/aws/service/eks/optimized-ami/1.34/amazon-linux-2023/x86_64/standard/recommended/image_id"
                .to_owned(),
    };
    let world = AwsWorld { reader: &sim, writer: &sim, clock: &sim, facts };
    let outcomes = sim.run(contract::aws(&world)).expect("it ends");
    assert_eq!(outcomes.len(), 20);
    assert_eq!(failed(&outcomes), [""; 0]);
}
