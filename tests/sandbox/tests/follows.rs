//! A real control plane follows the simulated AWS: nodes join it, an upgrade of EKS restarts it at the next minor.

mod common;

use common::Sandbox;
use serde_json::json;

#[test]
fn a_real_api_server_follows_the_upgrade_and_takes_the_tokens_of_aws() {
    let sandbox = Sandbox::start(&["--speed", "120", "--with-kubernetes"]);
    let seen = sandbox.client("follow.py");
    for (what, expected) in [
        ("one address", json!(true)),
        ("a wrong token", json!(401)),
        ("minor before", json!("34")),
        ("web has joined", json!(true)),
        ("control plane", json!("Successful")),
        ("minor after", json!("35")),
        ("the nodes are still there", json!(true)),
        ("managed group", json!("Successful")),
        ("new kubelets", json!(["1.35"])),
        ("old ones are gone", json!(true)),
    ] {
        assert_eq!(seen[what], expected, "{what}");
    }
}
