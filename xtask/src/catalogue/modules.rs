//! The Go modules that are read, and how they come here.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, bail, ensure};
use serde_json::Value;

use super::names::Minor;

/// A Go module with types of Kubernetes APIs.
#[derive(Debug)]
pub(super) struct Module {
    pub(super) path: &'static str,
    /// The folders whose packages are read.
    folders: &'static [&'static str],
    minors: Minors,
    /// Minors whose `.0` cannot be had from a proxy, and the patch release that is read instead.
    patches: &'static [(u16, u16)],
    pub(super) served: Served,
}

/// Which minors of a module are read, next to the newest.
#[derive(Debug)]
enum Minors {
    /// All, from this one on.
    From(u16),
    /// Those before and after a kind came or went. A larger module is not worth the others; that
    /// none is missing is checked when the history is made.
    Around(&'static [u16]),
}

/// Whether an API server serves the kinds of a module.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Served {
    Yes,
    /// They are formats of files, or of what programs tell each other.
    No,
}

/// All modules. v0.17.0 is the first release that is numbered like Kubernetes.
const MODULES: [Module; 9] = [
    Module {
        path: "k8s.io/api",
        folders: &["."],
        minors: Minors::From(17),
        patches: &[],
        served: Served::Yes,
    },
    Module {
        path: "k8s.io/apiextensions-apiserver",
        folders: &["pkg/apis"],
        minors: Minors::From(17),
        patches: &[],
        served: Served::Yes,
    },
    Module {
        path: "k8s.io/kube-aggregator",
        folders: &["pkg/apis"],
        minors: Minors::From(17),
        patches: &[],
        served: Served::Yes,
    },
    Module {
        path: "k8s.io/apiserver",
        // Not its apiserverinternal, an early copy of the one in k8s.io/api.
        folders: &["pkg/apis/apiserver", "pkg/apis/audit", "pkg/apis/config", "pkg/admission/plugin"],
        minors: Minors::From(17),
        patches: &[],
        served: Served::No,
    },
    Module {
        path: "k8s.io/client-go",
        folders: &["pkg/apis", "tools/clientcmd/api"],
        minors: Minors::Around(&[17, 21, 22, 23, 24]),
        patches: &[],
        served: Served::No,
    },
    Module {
        path: "k8s.io/kubelet",
        folders: &["config", "pkg/apis"],
        minors: Minors::From(17),
        patches: &[],
        served: Served::No,
    },
    Module {
        path: "k8s.io/kube-proxy",
        folders: &["config"],
        minors: Minors::From(17),
        patches: &[(27, 1)],
        served: Served::No,
    },
    Module {
        path: "k8s.io/kube-scheduler",
        folders: &["config"],
        minors: Minors::From(17),
        patches: &[(27, 1)],
        served: Served::No,
    },
    Module {
        path: "k8s.io/kube-controller-manager",
        folders: &["config"],
        minors: Minors::From(17),
        patches: &[(27, 1)],
        served: Served::No,
    },
];

impl Module {
    fn minors(&self, newest: Minor) -> Vec<Minor> {
        match self.minors {
            Minors::From(oldest) => (oldest..=newest.0).map(Minor).collect(),
            Minors::Around(minors) => minors.iter().copied().chain([newest.0]).map(Minor).collect(),
        }
    }

    /// `v0.37.0`
    fn version(&self, minor: Minor) -> String {
        let patch = self.patches.iter().find(|(of, _)| *of == minor.0).map_or(0, |(_, patch)| *patch);
        format!("v0.{}.{patch}", minor.0)
    }
}

/// One release of a module, on this machine.
#[derive(Debug)]
pub(super) struct Downloaded {
    pub(super) module: &'static Module,
    pub(super) minor: Minor,
    /// `v0.37.0`
    pub(super) version: String,
    /// The day of the release: `2026-08-26`.
    pub(super) date: String,
    root: PathBuf,
}

impl Downloaded {
    /// The folders with packages that register kinds, as a path in the module, sorted.
    pub(super) fn packages(&self) -> anyhow::Result<Vec<(String, PathBuf)>> {
        let mut found = Vec::new();
        for folder in self.module.folders {
            collect_packages(&self.root.join(folder), &mut found)?;
        }
        let named = |folder: PathBuf| {
            let name = folder.strip_prefix(&self.root).unwrap_or(&folder).to_string_lossy();
            (name.replace('\\', "/"), folder)
        };
        let mut found: Vec<_> = found.into_iter().map(named).collect();
        found.sort();
        Ok(found)
    }
}

fn collect_packages(folder: &Path, found: &mut Vec<PathBuf>) -> anyhow::Result<()> {
    // A package that is not there in this release is what the history is about.
    if !folder.is_dir() {
        return Ok(());
    }
    if folder.join("register.go").is_file() {
        found.push(folder.components().collect());
    }
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() && !path.ends_with("testdata") {
            collect_packages(&path, found)?;
        }
    }
    Ok(())
}

/// Has Go download every release that is not in its module cache yet, and checks them against
/// Go's checksum database.
pub(super) fn download(newest: Minor) -> anyhow::Result<Vec<Downloaded>> {
    let mut wanted = Vec::new();
    for module in &MODULES {
        for minor in module.minors(newest) {
            wanted.push((module, minor, module.version(minor)));
        }
    }
    let names: Vec<String> =
        wanted.iter().map(|(module, _, version)| format!("{}@{version}", module.path)).collect();
    let answers = go_mod_download(&names)?;
    let mut downloaded = Vec::with_capacity(wanted.len());
    for (module, minor, version) in wanted {
        let answer = answers.iter().find(|a| a["Path"] == module.path && a["Version"] == *version);
        let answer = answer.with_context(|| format!("go said nothing of {}@{version}", module.path))?;
        let file = |field: &str| answer[field].as_str().with_context(|| format!("no {field}: {answer}"));
        let info: Value = serde_json::from_str(&fs::read_to_string(file("Info")?)?)?;
        let date = info["Time"].as_str().and_then(|time| time.get(..10));
        let date = date.with_context(|| format!("{}@{version} has no date", module.path))?.to_owned();
        downloaded.push(Downloaded { module, minor, version, date, root: file("Dir")?.into() });
    }
    for module in &MODULES {
        for folder in module.folders {
            let mut releases = downloaded.iter().filter(|release| release.module.path == module.path);
            let somewhere = releases.any(|release| release.root.join(folder).is_dir());
            ensure!(somewhere, "no release of {} has a folder {folder}", module.path);
        }
    }
    Ok(downloaded)
}

fn go_mod_download(modules: &[String]) -> anyhow::Result<Vec<Value>> {
    // Anywhere without a go.mod: in one, Go would follow that file's choices.
    let folder = TemporaryFolder::new()?;
    let output = Command::new("go")
        .args(["mod", "download", "-json"])
        .args(modules)
        .env("GO111MODULE", "on")
        .env("GOWORK", "off")
        .current_dir(&folder.0)
        .output()
        .context("cannot run `go`, which downloads the modules: install Go")?;
    let answers: Vec<Value> = serde_json::Deserializer::from_slice(&output.stdout)
        .into_iter()
        .collect::<Result<_, _>>()
        .context("`go mod download -json` did not answer in JSON")?;
    let errors: Vec<&str> = answers.iter().filter_map(|answer| answer["Error"].as_str()).collect();
    if !output.status.success() || !errors.is_empty() {
        let said = String::from_utf8_lossy(&output.stderr);
        bail!("`go mod download` failed: {} {}", errors.join("; "), said.trim());
    }
    Ok(answers)
}

/// An empty folder that goes away with its value.
struct TemporaryFolder(PathBuf);

impl TemporaryFolder {
    fn new() -> anyhow::Result<Self> {
        let path = std::env::temp_dir().join(format!("xtask-catalogue-{}", std::process::id()));
        fs::create_dir(&path).with_context(|| format!("cannot make {}", path.display()))?;
        Ok(Self(path))
    }
}

impl Drop for TemporaryFolder {
    fn drop(&mut self) {
        // It is empty, and what is left in a temporary folder harms nobody.
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_module_is_read_up_to_the_newest_minor() {
        for module in &MODULES {
            let minors = module.minors(Minor(37));
            assert_eq!(minors.first(), Some(&Minor(17)), "{}", module.path);
            assert_eq!(minors.last(), Some(&Minor(37)), "{}", module.path);
            assert!(minors.is_sorted_by(|a, b| a < b), "{}", module.path);
        }
    }

    #[test]
    fn a_patch_release_stands_in_where_the_first_is_missing() {
        let versions = |path: &str| {
            let module = MODULES.iter().find(|module| module.path == path).unwrap();
            [26, 27].map(|minor| module.version(Minor(minor)))
        };
        assert_eq!(versions("k8s.io/kube-proxy"), ["v0.26.0", "v0.27.1"]);
        assert_eq!(versions("k8s.io/api"), ["v0.26.0", "v0.27.0"]);
    }
}
