//! What the sandbox cannot do, it says in one sentence, with exit code 2.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::net::TcpListener;
use std::process::Command;

fn refused(arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_eks-sandbox")).args(arguments).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(output.stdout.is_empty(), "nothing is ready");
    String::from_utf8(output.stderr).unwrap()
}

#[test]
fn a_port_in_use_is_said() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let said = refused(&["--port", &port]);
    assert!(said.contains(&format!("127.0.0.1:{port}")) && said.contains("choose another port"), "{said}");
}

#[test]
fn a_scenario_that_is_none_is_said_with_its_place() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("bad.yaml");
    std::fs::write(&file, "scenario: 1\nclusters:\n  - name: shop\n    verison: \"1.34\"\n").unwrap();
    let said = refused(&["--scenario", file.to_str().unwrap()]);
    assert!(said.contains("bad.yaml") && said.contains("verison") && said.contains("line 4"), "{said}");
    let small = include_str!("../../../examples/scenarios/small.yaml");
    std::fs::write(&file, small.replace("desired: 6", "desired: 60")).unwrap();
    let said = refused(&["--scenario", file.to_str().unwrap()]);
    let line = small.lines().position(|line| line.contains("autoScalingGroups")).unwrap() + 2;
    assert!(said.contains(&format!("line {line}: web wants 60")), "{said}");
    let said = refused(&["--scenario", "/nowhere.yaml"]);
    assert!(said.contains("/nowhere.yaml cannot be read"), "{said}");
}

#[test]
fn a_version_that_no_real_control_plane_can_play_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("old.yaml");
    let small = include_str!("../../../examples/scenarios/small.yaml");
    std::fs::write(&file, small.replace("\"1.34\"", "\"1.31\"")).unwrap();
    let said = refused(&["--scenario", file.to_str().unwrap(), "--with-kubernetes"]);
    assert!(said.contains("is at 1.31, and a real control plane can be at 1.34 to 1.37"), "{said}");
}
