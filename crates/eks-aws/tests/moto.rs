//! The contract on `moto_server`, another project's fake of AWS: what the adapter sends is understood by a server that was
//! not written beside it. Where moto is not what AWS is, it is listed, and a line that is no longer true fails.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on fails")]

mod common;

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, mpsc};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use common::at;
use eks_provider::Clock;
use eks_sim::contract::{self, AwsFacts, AwsWorld};
use jiff::Timestamp;

/// Where moto 5.2.5 is not AWS: the check, words of what it finds, and why.
const DEVIATIONS: &[(&str, &str, &str)] = &[
    ("asg-missing", "status 500", "SetDesiredCapacity on a group that is not there ends in a page of HTML"),
    ("asg-describe", "instances in {\"eu-west-1a\"}", "all instances are started in the first subnet"),
    ("asg-limits", "a desired capacity above 6 was taken", "the limits of a group are not looked at"),
    ("asg-scale", "no activity has", "DescribeScalingActivities never has one"),
    (
        "lt-versions",
        "image_id: None",
        "SourceVersion is passed over: a new version has nothing of the old one",
    ),
    ("eks-versions", "DescribeClusterVersions", "there is no such operation: a page of HTML, 404"),
    ("eks-addons", "ListAddons", "there are no add-ons: a page of HTML, 404"),
    ("eks-two-minors", "UpdateClusterVersion", "there is no such operation: a page of HTML, 404"),
    ("eks-upgrade", "UpdateClusterVersion", "there is no such operation: a page of HTML, 404"),
];

#[tokio::test]
async fn the_contract_holds_on_moto_but_for_what_is_listed() {
    let moto = Moto::start();
    moto.seed();
    let aws = at(&moto.url).await;
    let facts = AwsFacts {
        cluster: "shop".to_owned(),
        version: "1.34".parse().unwrap(),
        group: "web".to_owned(),
        parameter: "/contract/image".to_owned(),
    };
    let clock = Hasty(Mutex::new(Timestamp::now()));
    let world = AwsWorld { reader: &aws, writer: &aws, clock: &clock, facts };
    let outcomes = contract::aws(&world).await;
    let mut wrong = Vec::new();
    for outcome in &outcomes {
        let listed = DEVIATIONS.iter().find(|(id, ..)| *id == outcome.id);
        match (&outcome.result, listed) {
            (Err(_), None) => wrong.push(format!("not listed: {outcome}")),
            (Err(found), Some((_, words, why))) if !found.contains(words) => {
                wrong.push(format!("listed since {why}, and it fails otherwise: {outcome}"));
            }
            (Ok(()), Some((id, _, why))) => {
                wrong.push(format!("listed since {why}, and it holds: strike it from the list: {id}"));
            }
            (Err(_), Some(_)) | (Ok(()), None) => {}
        }
    }
    for (id, ..) in DEVIATIONS {
        if !outcomes.iter().any(|outcome| outcome.id == *id) {
            wrong.push(format!("listed, and there is no such check: {id}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(outcomes.len() - DEVIATIONS.len() >= 10, "there is little left to hold");
}

#[test]
fn it_ends_with_whoever_started_it() {
    let mut moto = Moto::start();
    // As the death of this process would.
    drop(moto.child.stdin.take());
    let deadline = Instant::now() + Duration::from_secs(20);
    while moto.child.try_wait().unwrap().is_none() {
        assert!(Instant::now() < deadline, "moto goes on");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Nothing in moto takes time: whoever waits has waited.
struct Hasty(Mutex<Timestamp>);

#[async_trait]
impl Clock for Hasty {
    fn now(&self) -> Timestamp {
        *self.0.lock().unwrap()
    }

    async fn sleep_until(&self, deadline: Timestamp) {
        *self.0.lock().unwrap() = deadline;
    }
}

struct Moto {
    child: Child,
    url: String,
}

fn python() -> Command {
    let interpreter = std::env::var_os("EKS_TEST_PYTHON").expect(
        "EKS_TEST_PYTHON names the interpreter of tests/python; `cargo xtask test` makes it and says so",
    );
    Command::new(interpreter)
}

impl Moto {
    fn start() -> Self {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/python/serve_moto.py");
        let mut child = python()
            .arg(script)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let (said, heard) = mpsc::channel();
        // Read to its end: a server whose log nobody takes stands still.
        std::thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                drop(said.send(line));
            }
        });
        let mut moto = Self { child, url: String::new() };
        let deadline = Instant::now() + Duration::from_mins(1);
        let mut log = String::new();
        while moto.url.is_empty() {
            let left = deadline.saturating_duration_since(Instant::now());
            let Ok(line) = heard.recv_timeout(left) else { panic!("moto does not start:\n{log}") };
            let address = line.split_whitespace().find(|word| word.starts_with("http://127.0.0.1:"));
            moto.url = address.unwrap_or_default().trim_end_matches('/').to_owned();
            log.push_str(&line);
            log.push('\n');
        }
        moto
    }

    fn seed(&self) {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/python/seed_moto.py");
        let output = python().arg(script).arg(&self.url).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
}

impl Drop for Moto {
    fn drop(&mut self) {
        // It may have ended.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
