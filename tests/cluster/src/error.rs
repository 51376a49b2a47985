//! What can go wrong, each in one sentence that says what to do where something can be done.

use std::path::{Path, PathBuf};
use std::time::Duration;

use eks_model::KubeMinor;

/// Why the control plane cannot be built.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// There is no Go.
    #[error(
        "the test control plane is built with Go {needed} or newer, and there is no `go` on the PATH: install it (https://go.dev/dl)"
    )]
    GoMissing {
        /// What go.mod asks for.
        needed: String,
    },
    /// There is a Go, and it cannot build this.
    #[error(
        "the test control plane is built with Go {needed} or newer, and `go` is {found}: install a newer one (https://go.dev/dl), or let it fetch one itself (GOTOOLCHAIN=auto, from Go 1.21 on)"
    )]
    GoTooOld {
        /// What go.mod asks for.
        needed: String,
        /// What `go` says it is.
        found: String,
    },
    /// The disk is full.
    #[error("no space was left while {what} was built: free some 10 GB (GOCACHE, GOMODCACHE and {cache})")]
    NoSpace {
        /// The module family.
        what: String,
        /// Our own cache.
        cache: String,
    },
    /// Modules cannot be downloaded.
    #[error(
        "the Go modules of {what} cannot be downloaded ({detail}): check the network, or set GOPROXY to a proxy that can be reached"
    )]
    Modules {
        /// The module family.
        what: String,
        /// What Go said.
        detail: String,
    },
    /// The compiler or the linker failed.
    #[error("`go build` of {what} failed: {detail}")]
    Go {
        /// The module family.
        what: String,
        /// The last of what Go said.
        detail: String,
    },
    /// A file or folder of the cache cannot be used.
    #[error("{path} cannot be used for building the test control plane")]
    Cache {
        /// The file or folder.
        path: String,
        /// Why.
        source: std::io::Error,
    },
    /// Nobody says where a cache may be.
    #[error(
        "there is no place for the built control plane: none of EKS_CLUSTER_CACHE, XDG_CACHE_HOME and HOME is set"
    )]
    NoCache,
    /// What is built is something else than the sources ask for, or nothing.
    #[error("the test control plane is not built ({path} is not there): run `cargo xtask cluster build`")]
    NotBuilt {
        /// Where it would be.
        path: String,
    },
}

impl BuildError {
    pub(crate) fn cache(path: &Path) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.display().to_string();
        move |source| Self::Cache { path, source }
    }
}

/// Why a cluster did not do what it was asked for.
#[derive(Debug, thiserror::Error)]
pub enum ClusterError {
    /// The options contradict themselves or reality.
    #[error("the cluster cannot be started like that: {0}")]
    BadOption(String),
    /// There is nothing to start.
    #[error(transparent)]
    Build(#[from] BuildError),
    /// A file or folder cannot be used.
    #[error("{path} cannot be used")]
    File {
        /// The file or folder.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// No port can be had on loopback.
    #[error("no free port on 127.0.0.1")]
    Port(#[source] std::io::Error),
    /// The launcher does not answer.
    #[error("the launcher of the cluster's programs {0}")]
    Launcher(String),
    /// A program ended that should run.
    #[error("{program} ended by itself ({ended}); its log ends with:\n{log}")]
    Ended {
        /// The program.
        program: String,
        /// How: `exit status 1`.
        ended: String,
        /// The last lines of its log.
        log: String,
    },
    /// The API server is there and not ready.
    #[error("the API server was not ready after {within:?} ({last}); its log ends with:\n{log}")]
    NotReady {
        /// How long it was waited for.
        within: Duration,
        /// What it said last.
        last: String,
        /// The last lines of its log.
        log: String,
    },
    /// The control plane does not move like that.
    #[error(
        "a control plane at {at} is not taken to {wanted}: it goes one minor at a time, from {oldest} to {newest}"
    )]
    Hop {
        /// Where it is.
        at: KubeMinor,
        /// Where it should have gone.
        wanted: KubeMinor,
        /// The oldest minor that these programs can play.
        oldest: KubeMinor,
        /// The newest.
        newest: KubeMinor,
    },
    /// The API server refused something, or could not be reached.
    #[error("{doing} failed")]
    Api {
        /// What was being done, to what.
        doing: String,
        /// What it said.
        source: Box<kube::Error>,
    },
    /// Something did not come about in time.
    #[error("waited {within:?} for {what}, and at the end there were {seen}")]
    Timeout {
        /// What was waited for.
        what: String,
        /// How long.
        within: Duration,
        /// What was there instead.
        seen: String,
    },
}

impl ClusterError {
    pub(crate) fn file(path: &Path) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::File { path, source }
    }

    pub(crate) fn api(doing: impl Into<String>) -> impl FnOnce(kube::Error) -> Self {
        let doing = doing.into();
        move |source| Self::Api { doing, source: Box::new(source) }
    }
}
