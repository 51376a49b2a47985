//! Region, endpoints, profile, roles: from the environment and the files, as the AWS CLI takes them.
//!
//! The environment belongs to a process and not to a test, so this program starts itself, with an
//! environment for each case; small servers on loopback note who is asked for what.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a test with a main of its own")]

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::Command;
use std::sync::{Arc, Mutex, PoisonError};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use eks_aws::{AssumedRole, Aws, Options, SystemClock};
use eks_provider::aws::{ClusterReader, NetworkReader};
use eks_provider::kube::TokenSource;

/// The variable by which the program knows that it was started by itself.
const CHILD: &str = "EKS_AWS_SURROUNDINGS";

fn main() {
    if let Ok(case) = std::env::var(CHILD) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(child(&case));
        return;
    }
    let cases: [(&str, fn()); 7] = [
        ("endpoints_of_the_environment", endpoints_of_the_environment),
        ("the_endpoint_of_the_options_holds_for_all", the_endpoint_of_the_options_holds_for_all),
        ("a_profile_has_a_region_and_endpoints", a_profile_has_a_region_and_endpoints),
        ("without_a_region_nothing_is_begun", without_a_region_nothing_is_begun),
        ("endpoints_can_be_ignored", endpoints_can_be_ignored),
        ("a_role_is_taken_on", a_role_is_taken_on),
        ("a_web_identity_is_shown", a_web_identity_is_shown),
    ];
    for (name, case) in cases {
        case();
        println!("test {name} ... ok");
    }
}

/// What is done in each case: a call of EKS, one of EC2, a token. What came of it is printed, a line each.
async fn child(case: &str) {
    let variable = |name: &str| std::env::var(name).ok();
    let options = Options {
        profile: variable("CASE_PROFILE"),
        region: variable("CASE_REGION"),
        endpoint_url: variable("CASE_ENDPOINT"),
        role: variable("CASE_ROLE").map(|arn| AssumedRole {
            arn,
            session_name: Some("test".to_owned()),
            external_id: Some("between us".to_owned()),
        }),
        ..Options::default()
    };
    let aws = match Aws::from_environment(&options).await {
        Ok(aws) => aws,
        Err(error) => {
            println!("error {error}");
            return;
        }
    };
    println!("region {}", aws.region());
    if case == "calls" {
        println!("eks {:?}", aws.list_clusters().await);
        println!("ec2 {:?}", aws.describe_availability_zones().await.map(|zones| zones.len()));
    }
    let token = aws.cluster_tokens("shop", Arc::new(SystemClock)).token().await.unwrap();
    let text = std::str::from_utf8(token.value.expose()).unwrap();
    let address = URL_SAFE_NO_PAD.decode(text.strip_prefix("k8s-aws-v1.").unwrap()).unwrap();
    println!("token {}", String::from_utf8(address).unwrap());
}

/// A service that notes who asks, and answers as EKS, EC2 or STS.
struct Server {
    address: String,
    asked: Arc<Mutex<BTreeSet<String>>>,
}

impl Server {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let asked = Arc::new(Mutex::new(BTreeSet::new()));
        let noted = Arc::clone(&asked);
        // Ends with the process.
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let (Ok(stream), noted) = (stream, Arc::clone(&noted)) else { return };
                std::thread::spawn(move || serve(stream, &noted));
            }
        });
        Self { address, asked }
    }

    /// By key and service: `AKID eks`.
    fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect()
    }
}

fn serve(stream: TcpStream, noted: &Mutex<BTreeSet<String>>) {
    let mut reader = BufReader::new(stream);
    loop {
        let (mut length, mut who, mut first) = (0, None, true);
        loop {
            let mut line = String::new();
            if reader.read_line(&mut line).unwrap_or_default() == 0 {
                return;
            }
            let line = line.trim();
            if line.is_empty() && !first {
                break;
            }
            first = false;
            let (name, value) = line.split_once(':').unwrap_or_default();
            if name.eq_ignore_ascii_case("content-length") {
                length = value.trim().parse().unwrap();
            } else if name.eq_ignore_ascii_case("authorization") {
                let scope: Vec<&str> = value.split("Credential=").nth(1).unwrap().split('/').collect();
                who = Some(format!("{} {}", scope[0], scope[3]));
            }
        }
        let mut body = vec![0; length];
        reader.read_exact(&mut body).unwrap();
        let body = String::from_utf8(body).unwrap();
        let role = |operation: &str| {
            format!(
                "<{operation}Response><{operation}Result><Credentials><AccessKeyId>ROLE</AccessKeyId>\
                 <SecretAccessKey>s</SecretAccessKey><SessionToken>t</SessionToken>\
                 <Expiration>2126-11-24T12:00:00Z</Expiration></Credentials><AssumedRoleUser>\
                 <AssumedRoleId>r</AssumedRoleId><Arn>arn:aws:sts::111122223333:assumed-role/upgrader/test</Arn></AssumedRoleUser></{operation}Result>\
                 </{operation}Response>"
            )
        };
        let answer = if body.contains("Action=AssumeRoleWithWebIdentity&") {
            who =
                Some(format!("nobody {}", if body.contains("WebIdentityToken=proof") { "sts" } else { "?" }));
            role("AssumeRoleWithWebIdentity")
        } else if body.contains("Action=AssumeRole&") {
            assert!(
                body.contains("ExternalId=between%20us") && body.contains("RoleSessionName=test"),
                "{body}"
            );
            role("AssumeRole")
        } else if body.contains("Action=DescribeAvailabilityZones&") {
            "<DescribeAvailabilityZonesResponse/>".to_owned()
        } else {
            r#"{"clusters":[]}"#.to_owned()
        };
        noted.lock().unwrap_or_else(PoisonError::into_inner).extend(who);
        let length = answer.len();
        write!(reader.get_mut(), "HTTP/1.1 200 OK\r\ncontent-length: {length}\r\n\r\n{answer}").unwrap();
    }
}

/// Runs a case with this environment and nothing else. Its lines.
fn run(case: &str, variables: &[(&str, &str)]) -> String {
    let keys = [("AWS_ACCESS_KEY_ID", "AKID"), ("AWS_SECRET_ACCESS_KEY", "s")];
    run_as(case, &[&keys, variables].concat())
}

fn run_as(case: &str, variables: &[(&str, &str)]) -> String {
    let output = Command::new(std::env::current_exe().unwrap())
        .env_clear()
        .env(CHILD, case)
        .env("AWS_EC2_METADATA_DISABLED", "true")
        .env("HOME", env!("CARGO_TARGET_TMPDIR"))
        .envs(variables.iter().copied())
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{text}{}", String::from_utf8_lossy(&output.stderr));
    text
}

fn token_of(lines: &str) -> &str {
    let line = lines.lines().find_map(|line| line.strip_prefix("token ")).unwrap();
    line.split_once("/?").unwrap().0
}

fn endpoints_of_the_environment() {
    let [all, eks, sts] = [Server::start(), Server::start(), Server::start()];
    let lines = run(
        "calls",
        &[
            ("AWS_REGION", "eu-west-1"),
            ("AWS_ENDPOINT_URL", &all.address),
            ("AWS_ENDPOINT_URL_EKS", &eks.address),
            ("AWS_ENDPOINT_URL_STS", &sts.address),
        ],
    );
    assert!(lines.starts_with("region eu-west-1\neks Ok([])\nec2 Ok(0)\n"), "{lines}");
    assert_eq!([all.asked(), eks.asked()], [["AKID ec2"], ["AKID eks"]]);
    assert_eq!(token_of(&lines), sts.address);
    assert!(sts.asked().is_empty(), "nothing is sent for a token");
}

fn the_endpoint_of_the_options_holds_for_all() {
    let [all, eks] = [Server::start(), Server::start()];
    let lines = run(
        "calls",
        &[
            ("CASE_REGION", "eu-west-1"),
            ("CASE_ENDPOINT", &all.address),
            ("AWS_ENDPOINT_URL_EKS", &eks.address),
        ],
    );
    assert_eq!(all.asked(), ["AKID ec2", "AKID eks"]);
    assert!(eks.asked().is_empty());
    assert_eq!(token_of(&lines), all.address);
}

fn a_profile_has_a_region_and_endpoints() {
    let [all, eks] = [Server::start(), Server::start()];
    let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join("surroundings-config");
    let text = format!(
        "[profile test]\nregion = eu-central-1\nendpoint_url = {}\nservices = here\n\
         [services here]\neks =\n  endpoint_url = {}\n",
        all.address, eks.address
    );
    std::fs::write(&file, text).unwrap();
    let file = file.to_str().unwrap();
    let lines = run("calls", &[("CASE_PROFILE", "test"), ("AWS_CONFIG_FILE", file)]);
    assert!(lines.starts_with("region eu-central-1\neks Ok([])\nec2 Ok(0)\n"), "{lines}");
    assert_eq!([all.asked(), eks.asked()], [["AKID ec2"], ["AKID eks"]]);
    assert_eq!(token_of(&lines), all.address);
    // A region that is said holds.
    let lines =
        run("token", &[("CASE_PROFILE", "test"), ("AWS_CONFIG_FILE", file), ("CASE_REGION", "eu-west-1")]);
    assert!(lines.starts_with("region eu-west-1\n"), "{lines}");
}

fn without_a_region_nothing_is_begun() {
    let lines = run("calls", &[]);
    assert_eq!(
        lines,
        "error configure on AWS: invalid request: no region is known; name one, or set AWS_REGION, or set it in the \
         profile\n"
    );
}

fn endpoints_can_be_ignored() {
    let variables = [
        ("AWS_REGION", "eu-west-1"),
        ("AWS_ENDPOINT_URL_STS", "http://127.0.0.1:1"),
        ("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "true"),
    ];
    assert_eq!(token_of(&run("token", &variables)), "https://sts.eu-west-1.amazonaws.com");
    assert_eq!(token_of(&run("token", &variables[..2])), "http://127.0.0.1:1");
}

fn a_role_is_taken_on() {
    let [all, sts] = [Server::start(), Server::start()];
    let lines = run(
        "calls",
        &[
            ("AWS_REGION", "eu-west-1"),
            ("AWS_ENDPOINT_URL", &all.address),
            ("AWS_ENDPOINT_URL_STS", &sts.address),
            ("CASE_ROLE", "arn:aws:iam::111122223333:role/upgrader"),
        ],
    );
    assert_eq!(sts.asked(), ["AKID sts"]);
    assert_eq!(all.asked(), ["ROLE ec2", "ROLE eks"]);
    assert!(
        lines.contains("X-Amz-Credential=ROLE%2F") && lines.contains("X-Amz-Security-Token=t"),
        "{lines}"
    );
}

fn a_web_identity_is_shown() {
    let all = Server::start();
    let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join("surroundings-identity");
    std::fs::write(&file, "proof").unwrap();
    let lines = run_as(
        "calls",
        &[
            ("AWS_REGION", "eu-west-1"),
            ("AWS_ENDPOINT_URL", &all.address),
            ("AWS_ROLE_ARN", "arn:aws:iam::111122223333:role/upgrader"),
            ("AWS_WEB_IDENTITY_TOKEN_FILE", file.to_str().unwrap()),
        ],
    );
    assert_eq!(all.asked(), ["ROLE ec2", "ROLE eks", "nobody sts"], "{lines}");
}
