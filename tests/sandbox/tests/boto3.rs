//! A client that is not ours, AWS's own for Python, takes the simulated cluster through an upgrade.
mod common;

use common::Sandbox;
use serde_json::json;

#[test]
fn boto3_upgrades_the_simulated_cluster() {
    let sandbox = Sandbox::start(&["--speed", "1200"]);
    let ready: serde_json::Value = serde_json::from_str(&sandbox.line).unwrap();
    assert_eq!(ready["cluster"], "shop");
    assert_eq!((&ready["kubernetes"], &ready["kubeconfig"]), (&json!(null), &json!(null)));
    let seen = sandbox.client("upgrade.py");
    let versions = seen["versions"].as_array().cloned().unwrap_or_default();
    assert!(versions.contains(&json!("1.34")) && versions.contains(&json!("1.37")), "{versions:?}");
    for (what, expected) in [
        ("caller", json!("arn:aws:sts::111122223333:assumed-role/upgrader/sim")),
        ("clusters", json!(["shop"])),
        ("before", json!("1.34")),
        ("two minors at once", json!(["InvalidParameterException", 400])),
        ("no such cluster", json!(["ResourceNotFoundException", 404])),
        ("above the maximum", json!(["ValidationError", 400])),
        ("no such template", json!(["InvalidLaunchTemplateName.NotFoundException", 400])),
        ("no such parameter", json!(["ParameterNotFound", 400])),
        ("no such instance", json!(["InvalidInstanceID.NotFound", 400])),
        ("insights", json!(["PASSING"])),
        ("the same update", json!(true)),
        ("while it goes on", json!(["ResourceInUseException", 409])),
        ("control plane", json!("Successful")),
        ("version", json!("1.35")),
        ("add-ons", json!("at the default")),
        ("managed group", json!("Successful")),
        ("managed version", json!("1.35")),
        ("groups", json!(2)),
        ("template of the new one", json!(true)),
        ("image of the new one", json!(true)),
        ("cause", json!(true)),
        ("desired again", json!(true)),
    ] {
        assert_eq!(seen[what], expected, "{what}");
    }
}
