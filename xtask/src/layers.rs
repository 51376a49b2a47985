//! Which crate may know which. The table here and the one in docs/architecture.md are the same;
//! this one is checked against the package graph.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::bail;
use serde_json::Value;

use crate::process::metadata;

/// A crate: its floor, the crates of ours that it may import, and whether it may know the world
/// (files, clocks, the environment).
struct Layer {
    name: &'static str,
    floor: &'static str,
    may_import: &'static [&'static str],
    pure: bool,
}

/// The house. A new edge is a line here and in docs/architecture.md, in a commit of its own.
const LAYERS: &[Layer] = &[
    Layer { name: "eks-model", floor: "0 words", may_import: &[], pure: true },
    Layer { name: "eks-deprecations", floor: "1 rules", may_import: &["eks-model"], pure: true },
    Layer { name: "eks-skew", floor: "1 rules", may_import: &["eks-model"], pure: true },
    Layer { name: "eks-addons", floor: "1 rules", may_import: &["eks-model"], pure: true },
    Layer { name: "eks-report", floor: "1 rules", may_import: &["eks-model"], pure: true },
    Layer { name: "eks-provider", floor: "2 seams", may_import: &["eks-model"], pure: true },
    Layer {
        name: "eks-sim",
        floor: "2 seams",
        may_import: &["eks-model", "eks-skew", "eks-addons", "eks-provider"],
        pure: true,
    },
    Layer {
        name: "eks-declared",
        floor: "3 adapters",
        may_import: &["eks-model", "eks-deprecations", "eks-skew", "eks-addons"],
        pure: true,
    },
    Layer { name: "eks-kube", floor: "3 adapters", may_import: &["eks-provider"], pure: false },
    Layer { name: "eks-aws", floor: "3 adapters", may_import: &["eks-model", "eks-provider"], pure: false },
    Layer {
        name: "eks-skew-check",
        floor: "4 edge",
        may_import: &[
            "eks-model",
            "eks-deprecations",
            "eks-skew",
            "eks-addons",
            "eks-declared",
            "eks-report",
        ],
        pure: false,
    },
    Layer {
        name: "eks-e2e",
        floor: "4 edge",
        may_import: &["eks-model", "eks-deprecations", "eks-report", "eks-skew-check"],
        pure: false,
    },
    Layer { name: "eks-cluster", floor: "4 edge", may_import: &["eks-model"], pure: false },
    Layer { name: "eks-live", floor: "4 edge", may_import: &[], pure: false },
    Layer {
        name: "eks-sandbox",
        floor: "4 edge",
        may_import: &["eks-model", "eks-provider", "eks-sim", "eks-cluster"],
        pure: false,
    },
    Layer {
        name: "xtask",
        floor: "4 edge",
        may_import: &[
            "eks-model",
            "eks-deprecations",
            "eks-skew",
            "eks-addons",
            "eks-report",
            "eks-provider",
        ],
        pure: false,
    },
];

/// What no crate below the adapters may pull in, at any depth.
const NOT_BELOW_THE_EDGE: [&str; 9] =
    ["tokio", "kube", "k8s-openapi", "reqwest", "hyper", "clap", "anyhow", "ureq", "rustls"];

/// What could speak to a network. The checker of files is not linked with any of it.
const NETWORK: [&str; 7] = ["tokio", "hyper", "reqwest", "ureq", "rustls", "native-tls", "curl"];

pub(crate) fn run(root: &Path) -> anyhow::Result<()> {
    let metadata = metadata()?;
    let mut wrong = Vec::new();
    let members: Vec<&Value> = metadata["packages"]
        .as_array()
        .into_iter()
        .flatten()
        .filter(|package| package["source"].is_null())
        .collect();
    let names: Vec<&str> = members.iter().filter_map(|package| package["name"].as_str()).collect();
    for package in &members {
        let name = package["name"].as_str().unwrap_or_default();
        let Some(layer) = LAYERS.iter().find(|layer| layer.name == name) else {
            wrong.push(format!("{name} has no line in the table of xtask/src/layers.rs"));
            continue;
        };
        for dependency in package["dependencies"].as_array().into_iter().flatten() {
            let on = dependency["name"].as_str().unwrap_or_default();
            // Tests may look anywhere downwards; their edges do not ship.
            let ships = dependency["kind"].as_str() != Some("dev");
            if ships && names.contains(&on) && !layer.may_import.contains(&on) {
                wrong.push(format!("{name} (floor {}) may not import {on}", layer.floor));
            }
        }
        if name == "eks-skew-check" {
            for found in forbidden(&metadata, package, &NETWORK) {
                wrong.push(format!("{name} reads files and may not be linked with {found}"));
            }
        }
        if layer.pure {
            for found in forbidden(&metadata, package, &NOT_BELOW_THE_EDGE) {
                wrong.push(format!("{name} (floor {}) may not know {found}", layer.floor));
            }
            let lib = package["manifest_path"]
                .as_str()
                .map(Path::new)
                .and_then(Path::parent)
                .map(|folder| folder.join("src/lib.rs"));
            let text = lib.and_then(|lib| std::fs::read_to_string(lib).ok()).unwrap_or_default();
            if !text.contains("#![warn(clippy::disallowed_methods)]") {
                wrong.push(format!("{name} does not switch the ban on clocks, files and environment on (clippy::disallowed_methods)"));
            }
        }
    }
    for layer in LAYERS {
        if !names.contains(&layer.name) {
            wrong.push(format!("{} is in the table and not in the workspace", layer.name));
        }
    }
    let document = std::fs::read_to_string(root.join("docs/architecture.md")).unwrap_or_default();
    for layer in LAYERS {
        let imports =
            if layer.may_import.is_empty() { "–".to_owned() } else { layer.may_import.join(", ") };
        let line = format!("| {} | {} | {imports} |", layer.floor, layer.name);
        if !document.contains(&line) {
            wrong.push(format!("docs/architecture.md does not say `{line}`"));
        }
    }
    if wrong.is_empty() {
        println!("layers: {} crates, each where it belongs", members.len());
        Ok(())
    } else {
        bail!("{}", wrong.join("\n"))
    }
}

/// Which of these crates a package pulls in, at any depth, tests left out.
fn forbidden(metadata: &Value, package: &Value, words: &[&str]) -> Vec<String> {
    let nodes: BTreeMap<&str, &Value> = metadata["resolve"]["nodes"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|node| Some((node["id"].as_str()?, node)))
        .collect();
    let mut open: Vec<&str> = package["id"].as_str().into_iter().collect();
    let mut seen: Vec<&str> = Vec::new();
    let root = package["id"].as_str();
    // What a feature of the crate itself brings in is there for whoever asks for it by name.
    let optional = |name: &str| {
        let all = package["dependencies"].as_array().into_iter().flatten();
        let mut same = all.filter(|one| one["name"] == name && one["kind"].is_null());
        same.any(|one| one["optional"] == true)
    };
    while let Some(id) = open.pop() {
        if seen.contains(&id) {
            continue;
        }
        seen.push(id);
        for dependency in
            nodes.get(id).into_iter().flat_map(|node| node["deps"].as_array().into_iter().flatten())
        {
            let ships =
                dependency["dep_kinds"].as_array().into_iter().flatten().any(|kind| kind["kind"].is_null());
            let name = dependency["name"].as_str().unwrap_or_default().replace('_', "-");
            if ships && !(root == Some(id) && optional(&name)) {
                open.extend(dependency["pkg"].as_str());
            }
        }
    }
    let names: BTreeMap<&str, &str> = metadata["packages"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|package| Some((package["id"].as_str()?, package["name"].as_str()?)))
        .collect();
    seen.iter()
        .filter_map(|id| names.get(id))
        .filter(|name| words.contains(name) || name.starts_with("aws-"))
        .map(|&name| name.to_owned())
        .collect()
}
