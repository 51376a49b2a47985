//! However the process ends that holds a cluster, nothing of it is left.
#![cfg(target_os = "linux")]

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use eks_cluster::{Stress, stress};

fn program() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_eks-cluster"))
}

/// Each way once: SIGTERM and SIGKILL of the holder, SIGKILL of the launcher, of both, and in the middle of
/// a start.
#[test]
fn a_killed_cluster_leaves_no_process_and_no_folder() {
    let temp = tempfile::tempdir().unwrap();
    let all = Stress {
        program: program(),
        arguments: &[],
        temp: temp.path(),
        rounds: 5,
        within: Duration::from_mins(3),
    };
    let rounds = stress(&all, &mut |_, _| {}).unwrap();
    assert_eq!(rounds.len(), 5);
}

#[test]
fn down_ends_what_up_has_started_and_nothing_else() {
    let temp = tempfile::tempdir().unwrap();
    let run = |arguments: &[&str]| {
        let mut command = Command::new(program());
        command.args(arguments).env("TMPDIR", temp.path());
        command
    };
    let text = |output: &[u8]| String::from_utf8_lossy(output).into_owned();
    let nothing = run(&["down"]).output().unwrap();
    assert_eq!((nothing.status.code(), text(&nothing.stdout).trim()), (Some(0), "no cluster was up"));

    let mut up =
        run(&["up", "--api-only", "--minor", "1.36"]).stdout(std::process::Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    std::io::BufRead::read_line(&mut std::io::BufReader::new(up.stdout.take().unwrap()), &mut line).unwrap();
    let said: serde_json::Value = serde_json::from_str(&line).unwrap();
    assert_eq!((said["version"].as_str(), said["pid"].as_u64()), (Some("1.36"), Some(u64::from(up.id()))));
    assert!(Path::new(said["kubeconfig"].as_str().unwrap()).is_file());

    let other = run(&["down", "--data-folder", "/nowhere"]).output().unwrap();
    assert_eq!(other.status.code(), Some(2));
    assert!(text(&other.stderr).contains("no cluster is up in /nowhere"), "{}", text(&other.stderr));
    let down = run(&["down"]).output().unwrap();
    assert_eq!(text(&down.stdout).trim(), format!("ended {} (1.36)", said["url"].as_str().unwrap()));
    assert!(up.wait().unwrap().success());
    assert_eq!(std::fs::read_dir(temp.path()).unwrap().count(), 0);
}

/// A Go that never comes to an end: it is of a good version, and builds for ever.
const SLOW_GO: &str =
    "#!/bin/sh\nif [ \"$1\" = env ]; then echo go1.99.0; echo local; exit; fi\nwhile :; do sleep 0.1; done\n";

/// Nothing that was begun goes on, and nothing half-built is taken for built.
#[test]
fn a_build_that_is_cut_off_leaves_no_process_and_is_not_taken_for_one() {
    use std::os::unix::fs::PermissionsExt as _;
    let cache = tempfile::tempdir().unwrap();
    let tools = tempfile::tempdir().unwrap();
    let go = tools.path().join("go");
    std::fs::write(&go, SLOW_GO).unwrap();
    std::fs::set_permissions(&go, std::fs::Permissions::from_mode(0o755)).unwrap();
    let path = format!("{}:{}", tools.path().display(), std::env::var("PATH").unwrap());
    let run = |argument: &str| {
        let mut command = Command::new(program());
        command.arg(argument).env("EKS_CLUSTER_CACHE", cache.path()).env("PATH", &path);
        command
    };
    let mut build = run("build").stderr(std::process::Stdio::piped()).spawn().unwrap();
    let mark = cache.path().display().to_string();
    let alive = || {
        let all = std::fs::read_dir("/proc").unwrap().flatten();
        all.filter_map(|process| std::fs::read(process.path().join("cmdline")).ok())
            .filter(|words| String::from_utf8_lossy(words).contains(&mark))
            .count()
    };
    let until = |what: &str, is_so: &dyn Fn() -> bool| {
        let deadline = std::time::Instant::now() + Duration::from_secs(20);
        while !is_so() {
            assert!(std::time::Instant::now() < deadline, "{what}");
            std::thread::sleep(Duration::from_millis(20));
        }
    };
    until("Go does not begin", &|| alive() > 0);
    build.kill().unwrap();
    build.wait().unwrap();
    until("Go goes on", &|| alive() == 0);
    let output = run("can-build").output().unwrap();
    assert!(String::from_utf8_lossy(&output.stdout).starts_with("not built; there is go"));
}

#[test]
fn a_bad_option_is_one_sentence_and_exit_code_2() {
    for (arguments, reason) in [
        (vec!["up", "--minor", "1.20"], "it can be at 1.34 to 1.37, not at 1.20"),
        (vec!["up", "--gate", "AllBeta"], "`AllBeta` is not of the form GATE=true or GATE=false"),
        (vec!["up", "--minor", "latest"], "is not a Kubernetes version"),
    ] {
        let output = Command::new(program()).args(&arguments).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(said.contains(reason), "{said}");
    }
}
