//! The programs of the control plane: which, from where, and where they are once built.

use std::path::{Path, PathBuf};

use eks_model::KubeMinor;

use crate::error::BuildError;

/// A program that a cluster runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Program {
    /// The store.
    Etcd,
    /// The API server.
    ApiServer,
    /// Deployments, budgets, node lifecycle, garbage collection, …
    ControllerManager,
    /// The scheduler.
    Scheduler,
    /// kwok, which plays the kubelets.
    Kubelets,
}

impl Program {
    /// All of them, in the order in which they are started.
    pub const ALL: [Self; 5] =
        [Self::Etcd, Self::ApiServer, Self::ControllerManager, Self::Scheduler, Self::Kubelets];

    /// The name of its file, and of its log.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Etcd => "etcd",
            Self::ApiServer => "kube-apiserver",
            Self::ControllerManager => "kube-controller-manager",
            Self::Scheduler => "kube-scheduler",
            Self::Kubelets => "kwok",
        }
    }
}

/// Programs that one Go module pins: they are kept apart so that their dependencies do not pull on each other.
pub(crate) struct Family {
    /// The folder of its go.mod.
    pub(crate) folder: &'static str,
    /// Name of the program and its Go package.
    pub(crate) programs: &'static [(&'static str, &'static str)],
    /// The module whose version the programs say they are.
    pub(crate) module: &'static str,
    /// The variables of k8s.io/component-base/version that are set to it at the link.
    pub(crate) stamps: &'static [(&'static str, Stamp)],
    /// Files of that module that are needed when it runs.
    pub(crate) data: &'static [&'static str],
}

/// Which part of a version is stamped.
#[derive(Clone, Copy)]
pub(crate) enum Stamp {
    /// `v1.37.2`
    Whole,
    /// `1`
    Major,
    /// `37`
    Minor,
    /// A word that is the same for every version.
    Fixed(&'static str),
}

pub(crate) const FAMILIES: [Family; 4] = [
    Family { folder: "launch", programs: &[("launch", ".")], module: "", stamps: &[], data: &[] },
    Family {
        folder: "etcd",
        programs: &[("etcd", "go.etcd.io/etcd/server/v3")],
        module: "go.etcd.io/etcd/server/v3",
        stamps: &[],
        data: &[],
    },
    Family {
        folder: "kwok",
        programs: &[("kwok", "sigs.k8s.io/kwok/cmd/kwok")],
        module: "sigs.k8s.io/kwok",
        stamps: &[],
        data: &[
            "kustomize/stage/node/fast/node-initialize.yaml",
            "kustomize/stage/node/heartbeat-with-lease/node-heartbeat-with-lease.yaml",
            "kustomize/stage/pod/fast/pod-ready.yaml",
            "kustomize/stage/pod/fast/pod-complete.yaml",
            "kustomize/stage/pod/fast/pod-delete.yaml",
            "kustomize/stage/pod/general/pod-create.yaml",
            "kustomize/stage/pod/general/pod-init-container-running.yaml",
            "kustomize/stage/pod/general/pod-init-container-completed.yaml",
            "kustomize/stage/pod/general/pod-ready.yaml",
            "kustomize/stage/pod/general/pod-complete.yaml",
            "kustomize/stage/pod/general/pod-delete.yaml",
        ],
    },
    Family {
        folder: "kubernetes",
        programs: &[
            ("kube-apiserver", "k8s.io/kubernetes/cmd/kube-apiserver"),
            ("kube-controller-manager", "k8s.io/kubernetes/cmd/kube-controller-manager"),
            ("kube-scheduler", "k8s.io/kubernetes/cmd/kube-scheduler"),
        ],
        module: "k8s.io/kubernetes",
        stamps: &[
            ("gitVersion", Stamp::Whole),
            ("gitMajor", Stamp::Major),
            ("gitMinor", Stamp::Minor),
            ("gitTreeState", Stamp::Fixed("clean")),
        ],
        data: &[],
    },
];

/// Flags of every `go build`: no paths of this machine in the programs, no symbols that only a debugger
/// reads, no C compiler.
pub(crate) const BUILD_FLAGS: [&str; 3] = ["-trimpath", "-buildvcs=false", "-mod=readonly"];

/// A change of what the cache holds, that none of the hashed files shows, raises this.
const LAYOUT: &str = "1";

impl Family {
    pub(crate) fn source(&self) -> PathBuf {
        sources().join(self.folder)
    }

    pub(crate) fn link_flags(&self, version: &str) -> String {
        let numbers: Vec<&str> = version.trim_start_matches('v').split('.').collect();
        let mut flags = "-s -w".to_owned();
        for (variable, stamp) in self.stamps {
            let value = match stamp {
                Stamp::Whole => version,
                Stamp::Major => numbers.first().copied().unwrap_or_default(),
                Stamp::Minor => numbers.get(1).copied().unwrap_or_default(),
                Stamp::Fixed(word) => word,
            };
            flags.push_str(&format!(" -X k8s.io/component-base/version.{variable}={value}"));
        }
        flags
    }
}

/// The Go modules of this crate.
pub(crate) fn sources() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("go")
}

/// What a go.mod says: `go`, or the version of a module that it requires.
pub(crate) fn pinned<'m>(go_mod: &'m str, word: &str) -> Option<&'m str> {
    go_mod
        .lines()
        .map(|line| line.trim().trim_start_matches("require ").trim_start())
        .find_map(|line| line.strip_prefix(word)?.strip_prefix(' '))
        .and_then(|rest| rest.split_whitespace().next())
}

const KUBERNETES: &str = include_str!("../go/kubernetes/go.mod");

/// The version of Kubernetes that is built: `v1.37.2`.
pub fn kubernetes_version() -> &'static str {
    pinned(KUBERNETES, "k8s.io/kubernetes").unwrap_or_default()
}

/// The Go version that the modules ask for: `1.26.0`.
pub fn go_version() -> &'static str {
    pinned(KUBERNETES, "go").unwrap_or_default()
}

/// The newest minor that the programs can play: their own.
pub fn newest_minor() -> KubeMinor {
    // A test reads the embedded go.mod, so the default is never seen.
    kubernetes_version().parse().unwrap_or(KubeMinor::new(0))
}

/// The oldest minor that the programs can play: three before their own.
pub fn oldest_minor() -> KubeMinor {
    KubeMinor::new(newest_minor().minor().saturating_sub(3))
}

/// The programs, built.
#[derive(Debug, Clone)]
pub struct Programs {
    folder: PathBuf,
}

impl Programs {
    /// The programs that belong to the sources here, if they were built: says where, and nothing is run.
    pub fn built() -> Result<Self, BuildError> {
        let folder = cache_root()?.join(key()?);
        if folder.is_dir() {
            Ok(Self { folder })
        } else {
            Err(BuildError::NotBuilt { path: folder.display().to_string() })
        }
    }

    pub(crate) fn at(folder: PathBuf) -> Self {
        Self { folder }
    }

    /// Where they are.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    pub(crate) fn program(&self, name: &str) -> PathBuf {
        self.folder.join("bin").join(format!("{name}{}", std::env::consts::EXE_SUFFIX))
    }

    /// A file of [`Family::data`], by its path in the module.
    pub(crate) fn data(&self, path: &str) -> PathBuf {
        self.folder.join("data").join(path)
    }
}

/// `$EKS_CLUSTER_CACHE`, else `eks-upgrade/cluster` in the user's folder for caches.
pub(crate) fn cache_root() -> Result<PathBuf, BuildError> {
    let folder = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    folder("EKS_CLUSTER_CACHE")
        .or_else(|| {
            let caches = folder("XDG_CACHE_HOME").or_else(|| Some(folder("HOME")?.join(".cache")))?;
            Some(caches.join("eks-upgrade/cluster"))
        })
        .ok_or(BuildError::NoCache)
}

/// The name of what is built from the sources as they are: a hash over everything that decides what comes
/// out. Only not over the Go that happens to be installed: any that is new enough builds the same from
/// pinned modules, and what was built is used where there is no Go.
pub(crate) fn key() -> Result<String, BuildError> {
    let mut files = Vec::new();
    for family in &FAMILIES {
        let folder = family.source();
        let entries = std::fs::read_dir(&folder).map_err(BuildError::cache(&folder))?;
        files.extend(entries.flatten().map(|entry| entry.path()));
    }
    files.sort();
    let mut hash = Fnv::new();
    for path in files {
        let name = path.strip_prefix(sources()).unwrap_or(&path).to_string_lossy().replace('\\', "/");
        if name.ends_with("_test.go") {
            continue;
        }
        hash.add(name.as_bytes());
        hash.add(&std::fs::read(&path).map_err(BuildError::cache(&path))?);
    }
    for family in &FAMILIES {
        hash.add(family.link_flags("").as_bytes());
        for (name, package) in family.programs {
            hash.add(name.as_bytes());
            hash.add(package.as_bytes());
        }
        for path in family.data {
            hash.add(path.as_bytes());
        }
    }
    for word in BUILD_FLAGS.iter().chain(&[LAYOUT, std::env::consts::OS, std::env::consts::ARCH]) {
        hash.add(word.as_bytes());
    }
    Ok(format!("{:016x}", hash.0))
}

/// FNV-1a: the same on every machine and with every compiler, which the standard library's is not.
struct Fnv(u64);

impl Fnv {
    fn new() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }

    fn add(&mut self, bytes: &[u8]) {
        for byte in u64::try_from(bytes.len()).unwrap_or_default().to_le_bytes().iter().chain(bytes) {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{FAMILIES, Fnv, go_version, key, newest_minor, oldest_minor, pinned};

    #[test]
    fn the_modules_pin_what_is_built() {
        for family in &FAMILIES {
            let go_mod = std::fs::read_to_string(family.source().join("go.mod")).unwrap();
            assert_eq!(pinned(&go_mod, "go"), Some(go_version()), "{}: one Go for all", family.folder);
            if !family.module.is_empty() {
                let version = pinned(&go_mod, family.module);
                assert!(version.is_some_and(|version| version.starts_with('v')), "{}", family.folder);
                for (_, package) in family.programs {
                    assert!(go_mod.contains(package), "{package} is a tool of its go.mod");
                }
            }
        }
        assert_eq!(newest_minor().minor(), oldest_minor().minor() + 3);
    }

    #[test]
    fn the_staging_modules_are_replaced_by_the_same_release() {
        let go_mod = super::KUBERNETES;
        let release = super::kubernetes_version().replacen("v1.", "v0.", 1);
        let replaced: Vec<&str> = go_mod.lines().filter(|line| line.contains(" => ")).collect();
        assert!(replaced.len() > 20, "{replaced:?}");
        for line in replaced {
            assert!(line.ends_with(&format!(" {release}")), "{line}");
        }
    }

    #[test]
    fn versions_are_stamped() {
        let kubernetes = FAMILIES.iter().find(|family| family.folder == "kubernetes").unwrap();
        let flags = kubernetes.link_flags("v1.37.2");
        for part in ["gitVersion=v1.37.2", "gitMajor=1 ", "gitMinor=37 "] {
            assert!(flags.contains(&format!("-X k8s.io/component-base/version.{part}")), "{flags}");
        }
    }

    #[test]
    fn the_key_is_the_same_twice_and_feels_where_words_end() {
        assert_eq!(key().unwrap(), key().unwrap());
        let hash = |words: &[&str]| {
            let mut hash = Fnv::new();
            for word in words {
                hash.add(word.as_bytes());
            }
            hash.0
        };
        assert_ne!(hash(&["ab", "c"]), hash(&["a", "bc"]));
    }
}
