//! All tests, and what some of them need: Go for a real Kubernetes control plane, Python for clients and fakes of others.
//!
//! What needs something stands behind a feature of its crate, so that nothing counts as passed that did not run.

use anyhow::bail;

use crate::process::Cargo;
use crate::{cluster, python};

/// What a suite needs beside Rust.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Need {
    /// The programs of `tests/cluster`.
    ControlPlane,
    /// The environment of `tests/python`.
    Python,
}

/// Tests that need something.
struct Suite {
    package: &'static str,
    feature: &'static str,
    needs: &'static [Need],
    what: &'static str,
}

const SUITES: &[Suite] = &[
    Suite {
        package: "eks-cluster",
        feature: "real-cluster",
        needs: &[Need::ControlPlane],
        what: "the control plane itself, and the catalogue of APIs held against it",
    },
    Suite {
        package: "eks-kube",
        feature: "real-cluster",
        needs: &[Need::ControlPlane],
        what: "the contract over Kubernetes and all of eks-kube on a real API server",
    },
    Suite {
        package: "eks-sandbox",
        feature: "python",
        needs: &[Need::Python],
        what: "boto3 on the simulated AWS",
    },
    Suite {
        package: "eks-sandbox",
        feature: "real-cluster",
        needs: &[Need::ControlPlane, Need::Python],
        what: "a control plane that follows the simulated AWS",
    },
];

/// What is linked with the SDKs of AWS: minutes to compile, so it has a step of its own, and whoever works on something else
/// never waits for it.
const WITH_SDKS: &[Suite] = &[
    Suite {
        package: "eks-aws",
        feature: "python",
        needs: &[Need::Python],
        what: "the contract of eks-aws on moto",
    },
    Suite {
        package: "eks-live",
        feature: "real-cluster",
        needs: &[Need::ControlPlane],
        what: "both adapters together, through an upgrade",
    },
];

/// Features whose tests need nothing: what only other crates would switch on otherwise.
const ALWAYS: &str = "eks-sim/contract,eks-sim/wire";

/// What the tests of the workspace do about what they need.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wanted {
    /// All suites, or failure.
    Yes,
    /// Those that can run here; the others are said.
    IfPossible,
    /// None on a control plane, and it is said.
    NoCluster,
}

/// All features that switch suites on.
pub(crate) fn features() -> String {
    joined(SUITES.iter().chain(WITH_SDKS))
}

fn named<'a>(suites: impl Iterator<Item = &'a Suite>) -> Vec<String> {
    suites.map(|suite| format!("{}/{}", suite.package, suite.feature)).collect()
}

fn joined<'a>(suites: impl Iterator<Item = &'a Suite>) -> String {
    named(suites).iter().fold(ALWAYS.to_owned(), |all, one| format!("{all},{one}"))
}

/// All tests of the workspace.
pub(crate) fn test(wanted: Wanted) -> anyhow::Result<()> {
    // Everything is compiled first and in the form of the tests, the program that builds the control plane included;
    // `cargo run` would compile it and all that is under it a second time.
    workspace(&joined(SUITES.iter())).args(["--no-run", "--quiet"]).run()?;
    let mut missing: Vec<(Need, String)> = Vec::new();
    if wanted == Wanted::NoCluster {
        missing.push((Need::ControlPlane, "left out with --without-cluster".to_owned()));
    } else if let Err(reason) = cluster::ready()? {
        missing.push((Need::ControlPlane, reason));
    }
    let python = python::environment();
    if let Err(error) = &python {
        missing.push((Need::Python, format!("{error:#}")));
    }
    if let (Wanted::Yes, Some((_, reason))) = (wanted, missing.first()) {
        bail!("{reason}");
    }
    let lacks = |suite: &Suite| missing.iter().find(|(need, _)| suite.needs.contains(need));
    let without_sdks = workspace(&joined(SUITES.iter().filter(|suite| lacks(suite).is_none())));
    let can = named(WITH_SDKS.iter().filter(|suite| lacks(suite).is_none()));
    let with_sdks =
        WITH_SDKS.iter().fold(Cargo::new("test"), |cargo, suite| cargo.args(["-p", suite.package]));
    let with_sdks = with_sdks.args(["--features", &can.join(",")]);
    for mut tests in [without_sdks, with_sdks] {
        if let Ok(interpreter) = &python {
            tests = tests.env("EKS_TEST_PYTHON", &interpreter.to_string_lossy());
        }
        tests.run()?;
    }
    for suite in SUITES.iter().chain(WITH_SDKS) {
        if let Some((_, reason)) = lacks(suite) {
            println!("\nNOT RUN: {}/{}, {}: {reason}", suite.package, suite.feature, suite.what);
        }
    }
    if missing.iter().any(|(need, _)| *need == Need::ControlPlane) {
        println!(
            "\nWith Go, `cargo xtask cluster test` runs those on a control plane; the first time takes minutes."
        );
    }
    Ok(())
}

fn workspace(features: &str) -> Cargo {
    let all = Cargo::new("test").args(["--workspace", "--features", features]);
    WITH_SDKS.iter().fold(all, |cargo, suite| cargo.args(["--exclude", suite.package]))
}

/// Only what needs the control plane and nothing else; it must have been built.
pub(crate) fn on_the_control_plane() -> anyhow::Result<()> {
    let alone = || SUITES.iter().filter(|suite| suite.needs == [Need::ControlPlane]);
    let packages = alone().flat_map(|suite| ["-p", suite.package]);
    // The glob leaves unit tests and examples to the others.
    Cargo::new("test").args(packages).args(["--features", &named(alone()).join(","), "--test", "*"]).run()
}
