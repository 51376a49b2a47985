//! The contract suite in process: the simulation does what every implementation has to do.

#![cfg(feature = "contract")]

use eks_sim::contract::{self, AwsFacts, AwsWorld, KubeFacts, KubeWorld, Outcome};
use eks_sim::kube::{Fault, Injection};
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

/// What the Kubernetes half of the contract is tried on, beside the small cluster.
const KUBERNETES: &str = "
kubernetes:
  workloads:
    - { kind: Deployment, namespace: contract, name: web, replicas: 3, cpu: 100m, image: 'registry.example/web:1' }
    - { kind: Deployment, namespace: contract, name: twice, replicas: 1, cpu: 100m }
  budgets:
    - { namespace: contract, name: web, matchLabels: { app: web }, minAvailable: 2 }
    - { namespace: contract, name: twice-one, matchLabels: { app: twice }, maxUnavailable: 1 }
    - { namespace: contract, name: twice-two, matchLabels: { app: twice }, maxUnavailable: 1 }
";

#[test]
fn the_kubernetes_half_keeps_the_contract() {
    let scenario = format!("{SMALL}{KUBERNETES}");
    let sim = Sim::new(World::from_scenario(&scenario).unwrap());
    sim.advance(std::time::Duration::from_mins(10));
    let node = sim.run(async {
        use eks_provider::kube::{NodeQuery, NodeReader as _};
        let nodes = sim.list_nodes(&NodeQuery::default()).await.unwrap();
        nodes.into_iter().find(eks_provider::kube::Node::is_ready).unwrap().meta.name
    });
    let mut denied = World::from_scenario(&scenario).unwrap();
    denied.inject(Injection::of(Fault::Denied).on("list pods"));
    let facts = KubeFacts {
        version: "1.34".parse().unwrap(),
        node: node.unwrap(),
        namespace: "contract".to_owned(),
        deployment: "web".to_owned(),
        budget: "web".to_owned(),
        twice_budgeted: "twice".to_owned(),
    };
    let narrow = Sim::new(denied);
    let world = KubeWorld { reader: &sim, writer: &sim, narrow: &narrow, probe: &sim, clock: &sim, facts };
    let outcomes = sim.run(contract::kubernetes(&world)).expect("it ends");
    assert_eq!(failed(&outcomes), [""; 0]);
    assert_eq!(outcomes.len(), 32);
}
