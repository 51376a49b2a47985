//! How fast the cluster runs at 5,000 nodes and 150,000 Pods, and how much memory it takes (`max alloc`).

use std::collections::BTreeMap;
use std::time::Duration;

use divan::counter::ItemsCount;
use divan::{AllocProfiler, Bencher};
use eks_provider::kube::{
    EvictPod, EvictionOutcome, IntOrPercent, PageRequest, PodEvictor, PodQuery, PodReader,
};
use eks_sim::kube::{
    BudgetPart, Number, QuantityText, Scenario, WorkloadPart, WorkloadWord, apply, install_addon,
};
use eks_sim::{Machine, Sim, World};

#[global_allocator]
static ALLOC: AllocProfiler = AllocProfiler::system();

fn main() {
    divan::main();
}

const NODES: usize = 5_000;
const WORKLOADS: usize = 1_400;
const REPLICAS: u32 = 100;

fn machine(number: usize) -> Machine {
    let zone = ["eu-west-1a", "eu-west-1b", "eu-west-1c"][number % 3];
    Machine {
        instance_id: format!("i-{number:017x}"),
        cluster: "shop".to_owned(),
        node_name: format!("ip-10-0-{}-{}.eu-west-1.compute.internal", number / 256, number % 256),
        zone: zone.to_owned(),
        region: "eu-west-1".to_owned(),
        instance_type: "m7i.2xlarge".to_owned(),
        image_id: "ami-1".to_owned(),
        kubelet: "1.34.2".parse().expect("a version"),
        cpu_milli: 8000,
        memory: 32 << 30,
        pods: 58,
        address: format!("10.0.{}.{}", number / 256, number % 256),
        labels: BTreeMap::new(),
        taints: Vec::new(),
        group: Some("web".to_owned()),
        fault: None,
    }
}

/// 5,000 nodes with two DaemonSets, 1,400 Deployments of 100 Pods with a budget each: 150,000 Pods.
fn build() -> World {
    let mut world = World::new("2026-11-24T12:00:00Z".parse().expect("a moment"), 7);
    for addon in ["vpc-cni", "kube-proxy"] {
        install_addon(&mut world, addon, "v1");
    }
    for number in 0..NODES {
        world.start_machine(machine(number));
    }
    pass(&mut world, 300);
    let workloads = (0..WORKLOADS).map(|number| WorkloadPart {
        replicas: Some(REPLICAS),
        cpu: QuantityText::milli(200),
        ..WorkloadPart::new(
            WorkloadWord::Deployment,
            &format!("team-{}", number % 50),
            &format!("web-{number}"),
        )
    });
    let budgets = (0..WORKLOADS).map(|number| BudgetPart {
        namespace: format!("team-{}", number % 50),
        name: format!("web-{number}"),
        match_labels: BTreeMap::from([("app".to_owned(), format!("web-{number}"))]),
        max_unavailable: Some(Number(IntOrPercent::Percent(10))),
        ..BudgetPart::default()
    });
    let scenario =
        Scenario { workloads: workloads.collect(), budgets: budgets.collect(), ..Scenario::default() };
    apply(&mut world, &scenario).expect("names are unique");
    pass(&mut world, 120);
    world
}

fn pass(world: &mut World, seconds: u64) {
    let to = world.now().checked_add(Duration::from_secs(seconds)).expect("a moment");
    world.advance_to(to);
}

#[divan::bench(sample_count = 1, sample_size = 1)]
fn build_5000_nodes_150000_pods(bencher: Bencher<'_, '_>) {
    bencher.counter(ItemsCount::new(NODES + WORKLOADS * 100 + 2 * NODES)).bench_local(build);
}

/// Every Pod of 100 nodes is evicted, as the budgets allow it, and scheduled elsewhere: one step is one
/// eviction with all that follows from it.
#[divan::bench(sample_count = 3, sample_size = 1)]
fn evict_and_reschedule(bencher: Bencher<'_, '_>) {
    let sim = Sim::new(build());
    let mut node = 0;
    bencher.counter(ItemsCount::new(2_000_usize)).bench_local(|| {
        let mut accepted = 0;
        sim.run(async {
            while accepted < 2_000 {
                let query = PodQuery::on_node(machine(node).node_name);
                node += 1;
                let page = sim.list_pods(&query, &PageRequest::first(200)).await.expect("an answer");
                for pod in page.items.iter().filter(|pod| !pod.is_of_daemon_set()) {
                    let request = EvictPod {
                        namespace: pod.meta.namespace.clone().unwrap_or_default(),
                        name: pod.meta.name.clone(),
                        uid: pod.meta.uid.clone(),
                    };
                    if sim.evict_pod(&request).await.expect("an answer") == EvictionOutcome::Accepted {
                        accepted += 1;
                    }
                }
                eks_provider::Clock::sleep(&sim, Duration::from_secs(30)).await;
            }
        })
        .expect("it ends");
    });
}

/// All Pods, page by page, as a reader sees them.
#[divan::bench(sample_count = 3, sample_size = 1)]
fn list_all_pods(bencher: Bencher<'_, '_>) {
    let sim = Sim::new(build());
    bencher.counter(ItemsCount::new(WORKLOADS * 100 + 2 * NODES)).bench_local(|| {
        sim.run(async {
            let mut request = Some(PageRequest::first(500));
            let mut seen = 0;
            while let Some(page) = request.take() {
                let page = sim.list_pods(&PodQuery::default(), &page).await.expect("an answer");
                seen += page.items.len();
                request = page.next_request(500);
            }
            assert_eq!(seen, WORKLOADS * 100 + 2 * NODES);
        })
        .expect("it ends");
    });
}
