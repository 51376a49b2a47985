//! The contract on `moto_server`, another project's fake of AWS: what the adapter sends is understood by a server that was
//! not written beside it. Where moto is not what AWS is, it is listed, and a line that is no longer true fails.

mod common;

use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use common::at;
use eks_provider::Clock;
use eks_sim::contract::{self, AwsFacts, AwsWorld};
use jiff::Timestamp;

/// By check: how moto 5.2.5 is not AWS.
const DEVIATIONS: &[(&str, &str)] = &[];

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
        let listed = DEVIATIONS.iter().any(|(id, _)| *id == outcome.id);
        match (&outcome.result, listed) {
            (Err(_), false) => wrong.push(format!("not listed: {outcome}")),
            (Ok(()), true) => wrong.push(format!("listed, and it holds: strike it: {}", outcome.id)),
            (Err(_), true) | (Ok(()), false) => {}
        }
    }
    for (id, _) in DEVIATIONS {
        if !outcomes.iter().any(|outcome| outcome.id == *id) {
            wrong.push(format!("listed, and there is no such check: {id}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(outcomes.len() - DEVIATIONS.len() >= 10, "there is little left to hold");
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
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let child = python()
            .args(["-m", "moto.server", "-H", "127.0.0.1", "-p", &port.to_string()])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let moto = Self { child, url: format!("http://127.0.0.1:{port}") };
        let deadline = Instant::now() + Duration::from_secs(60);
        while std::net::TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(Instant::now() < deadline, "moto does not answer");
            std::thread::sleep(Duration::from_millis(100));
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
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}
