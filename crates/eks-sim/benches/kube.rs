//! How fast the cluster runs at 5,000 nodes and 150,000 Pods, beside one of a tenth of it in the same run, in turns; and how
//! much memory it takes.
//!
//! `cargo bench --package eks-sim` runs it; `-- --quick` once instead of three times. A step is a thing that happens in
//! the world: a kubelet registers, controllers look, a Pod becomes ready.
#![allow(clippy::print_stdout, clippy::cast_precision_loss, reason = "a measurement prints its numbers")]

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use eks_provider::Clock;
use eks_provider::kube::{
    EvictPod, EvictionOutcome, IntOrPercent, PageRequest, PodEvictor, PodQuery, PodReader,
};
use eks_sim::kube::{
    BudgetPart, Number, QuantityText, Scenario, WorkloadPart, WorkloadWord, apply, install_addon,
};
use eks_sim::{Machine, Sim, World};

/// A cluster: nodes with two DaemonSets, and Deployments of a hundred Pods with a budget each.
#[derive(Debug, Clone, Copy)]
struct Size {
    nodes: usize,
    workloads: usize,
}

const REPLICAS: u32 = 100;
const LARGE: Size = Size { nodes: 5_000, workloads: 1_400 };
const TENTH: Size = Size { nodes: 500, workloads: 140 };
/// For a test that it runs at all.
const TINY: Size = Size { nodes: 20, workloads: 2 };

impl Size {
    fn pods(self) -> usize {
        self.workloads * 100 + 2 * self.nodes
    }
}

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

fn pass(world: &mut World, seconds: u64) {
    let to = world.now().checked_add(Duration::from_secs(seconds)).expect("a moment");
    world.advance_to(to);
}

/// The cluster, until all its Pods are ready.
fn build(size: Size) -> World {
    let mut world = World::new("2026-11-24T12:00:00Z".parse().expect("a moment"), 7);
    for addon in ["vpc-cni", "kube-proxy"] {
        install_addon(&mut world, addon, "v1");
    }
    for number in 0..size.nodes {
        world.start_machine(machine(number));
    }
    pass(&mut world, 300);
    let workloads = (0..size.workloads).map(|number| WorkloadPart {
        replicas: Some(REPLICAS),
        cpu: QuantityText::milli(200),
        ..WorkloadPart::new(
            WorkloadWord::Deployment,
            &format!("team-{}", number % 50),
            &format!("web-{number}"),
        )
    });
    let budgets = (0..size.workloads).map(|number| BudgetPart {
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

/// Evicts every Pod of one node after the other, as budgets allow it, until so many are accepted; half a minute a node,
/// in which their successors are scheduled and become ready.
async fn evict(sim: &Sim, size: Size, wanted: usize, first_node: usize) {
    let mut accepted = 0;
    for node in (first_node..).map(|node| node % size.nodes) {
        let query = PodQuery::on_node(machine(node).node_name);
        let page = sim.list_pods(&query, &PageRequest::first(200)).await.expect("an answer");
        for pod in page.items.iter().filter(|pod| !pod.is_of_daemon_set()) {
            let request = EvictPod {
                namespace: pod.meta.namespace.clone().unwrap_or_default(),
                name: pod.meta.name.clone(),
                uid: pod.meta.uid.clone(),
            };
            let outcome = sim.evict_pod(&request).await.expect("an answer");
            accepted += usize::from(outcome == EvictionOutcome::Accepted);
        }
        sim.sleep(Duration::from_secs(30)).await;
        if accepted >= wanted {
            return;
        }
    }
}

/// All Pods, page by page, as a reader sees them.
async fn list(sim: &Sim) -> usize {
    let mut request = Some(PageRequest::first(500));
    let mut seen = 0;
    while let Some(page) = request.take() {
        let page = sim.list_pods(&PodQuery::default(), &page).await.expect("an answer");
        seen += page.items.len();
        request = page.next_request(500);
    }
    seen
}

/// What was done in how long.
#[derive(Debug, Clone, Copy)]
struct Measured {
    seconds: f64,
    steps: u64,
    items: usize,
}

fn measure(sim: &Sim, items: usize, task: impl Future<Output = ()>) -> Measured {
    let before = sim.world().steps();
    let start = Instant::now();
    assert!(sim.run(task).is_ok(), "it ends");
    let seconds = start.elapsed().as_secs_f64();
    Measured { seconds, steps: sim.world().steps() - before, items }
}

/// One round over a cluster: built, evicted, listed.
fn round(size: Size) -> [Measured; 3] {
    let start = Instant::now();
    let world = build(size);
    let built = Measured { seconds: start.elapsed().as_secs_f64(), steps: world.steps(), items: size.pods() };
    let sim = Sim::new(world);
    let evictions = (size.pods() / 10).min(2_000);
    let evicted = measure(&sim, evictions, evict(&sim, size, evictions, 0));
    let listed = measure(&sim, size.pods(), async {
        assert_eq!(list(&sim).await, size.pods());
    });
    [built, evicted, listed]
}

fn median(mut rounds: Vec<Measured>) -> (Measured, f64, f64) {
    rounds.sort_by(|a, b| a.seconds.total_cmp(&b.seconds));
    (rounds[rounds.len() / 2], rounds[0].seconds, rounds[rounds.len() - 1].seconds)
}

/// How much memory this process had at most until now, in MiB, as far as the system tells.
fn peak() -> Option<f64> {
    let text = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    Some(line.trim().trim_end_matches("kB").trim().parse::<f64>().ok()? / 1024.0)
}

fn memory(what: &str) {
    match peak() {
        Some(mib) => println!("{what:<26} {mib:>9.0} MiB"),
        None => println!("{what:<26} not known on this system"),
    }
}

fn main() {
    let args: Vec<String> = std::env::args().collect();
    let has = |word: &str| args.iter().any(|arg| arg == word);
    if !has("--bench") {
        // Built with the tests: see that it runs.
        round(TINY);
        return;
    }
    let rounds = if has("--quick") { 1 } else { 3 };
    println!(
        "a tenth: {} nodes, {} Pods; whole: {} nodes, {} Pods",
        TENTH.nodes,
        TENTH.pods(),
        LARGE.nodes,
        LARGE.pods()
    );
    let (mut tenth, mut whole) = (Vec::new(), Vec::new());
    tenth.push(round(TENTH));
    memory("peak memory, a tenth");
    whole.push(round(LARGE));
    memory("peak memory, the whole");
    for _ in 1..rounds {
        tenth.push(round(TENTH));
        whole.push(round(LARGE));
    }
    println!(
        "{:<26} {:>9} {:>9} {:>9} {:>11} {:>11}   {:>6}",
        "", "median s", "min", "max", "steps/s", "items/s", "ratio"
    );
    for (number, what) in
        ["built, until all is ready", "evicted and rescheduled", "all Pods listed"].into_iter().enumerate()
    {
        let of = |all: &[[Measured; 3]]| median(all.iter().map(|round| round[number]).collect());
        let one = |(measured, ..): (Measured, f64, f64)| measured.seconds / measured.items as f64;
        let (small, large) = (of(&tenth), of(&whole));
        for (name, taken) in [("a tenth", small), ("the whole", large)] {
            let (measured, min, max) = taken;
            println!(
                "{:<26} {:>9.2} {min:>9.2} {max:>9.2} {:>11.0} {:>11.0}   {:>6.2}",
                if name == "the whole" { format!("  {name}") } else { what.to_owned() },
                measured.seconds,
                measured.steps as f64 / measured.seconds,
                measured.items as f64 / measured.seconds,
                one(taken) / one(small),
            );
        }
    }
    println!("items are Pods built, evictions, Pods listed; the ratio is that of the time for one of them");
}
