//! What a cluster should be like.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::Duration;

use eks_model::KubeMinor;

use crate::error::ClusterError;
use crate::programs::{newest_minor, oldest_minor};

/// What a cluster should be like. The default is one at the oldest minor that can be played, with all
/// programs, and with pods that start and end at once.
#[derive(Debug, Clone)]
pub struct Options {
    pub(crate) minor: KubeMinor,
    pub(crate) users: Vec<User>,
    pub(crate) pods: PodLife,
    pub(crate) all_apis: bool,
    pub(crate) gates: Vec<(String, bool)>,
    pub(crate) api_only: bool,
    pub(crate) ready_within: Duration,
    pub(crate) temp: PathBuf,
    pub(crate) token_webhook: Option<String>,
}

/// Someone who has a token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    pub(crate) name: String,
    pub(crate) groups: Vec<String>,
}

/// How long the pods of a cluster take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PodLife {
    /// A pod is ready as soon as it has a node, and gone as soon as it is deleted.
    Fast,
    /// A pod is created on its node, runs its init containers and becomes ready, each after `step`; a
    /// deleted pod takes `end`, or its grace period if that is shorter.
    Slow {
        /// Between two steps of a start.
        step: Duration,
        /// From deletion to the end.
        end: Duration,
    },
}

impl Default for Options {
    fn default() -> Self {
        Self {
            minor: oldest_minor(),
            users: Vec::new(),
            pods: PodLife::Fast,
            all_apis: false,
            gates: Vec::new(),
            api_only: false,
            ready_within: Duration::from_mins(2),
            temp: std::env::temp_dir(),
            token_webhook: None,
        }
    }
}

/// The users that every cluster has. Their names may not be taken.
pub(crate) const ADMIN: &str = "admin";
pub(crate) const READER: &str = "reader";
pub(crate) const NOBODY: &str = "nobody";
/// The group that the reader is in; the harness binds it to a role that reads everything.
pub(crate) const READERS: &str = "eks-cluster:readers";

impl Options {
    /// A cluster at a minor: `1.34`.
    pub fn at(minor: KubeMinor) -> Self {
        Self { minor, ..Self::default() }
    }

    /// One more user with a token, and with no rights but those that a test gives to the user or the groups.
    #[must_use]
    pub fn user(mut self, name: &str, groups: &[&str]) -> Self {
        let groups = groups.iter().map(|&group| group.to_owned()).collect();
        self.users.push(User { name: name.to_owned(), groups });
        self
    }

    /// How long pods take.
    #[must_use]
    pub fn pods(mut self, pods: PodLife) -> Self {
        self.pods = pods;
        self
    }

    /// Serve alphas and betas too (`--runtime-config=api/all=true`). EKS does not.
    #[must_use]
    pub fn all_apis(mut self) -> Self {
        self.all_apis = true;
        self
    }

    /// Set a feature gate of the API server: `AllBeta`, `true`.
    #[must_use]
    pub fn gate(mut self, name: &str, on: bool) -> Self {
        self.gates.push((name.to_owned(), on));
        self
    }

    /// Only the store and the API server: for what needs no controllers, it is up sooner.
    #[must_use]
    pub fn api_only(mut self) -> Self {
        self.api_only = true;
        self
    }

    /// Ask this URL whose a bearer token is that is none of ours (`--authentication-token-webhook-config-file`), as
    /// EKS's API servers ask its authenticator.
    #[must_use]
    pub fn token_webhook(mut self, url: &str) -> Self {
        self.token_webhook = Some(url.to_owned());
        self
    }

    /// How long the API server may take to be ready; two minutes unless told.
    #[must_use]
    pub fn ready_within(mut self, within: Duration) -> Self {
        self.ready_within = within;
        self
    }

    /// The folder for data folders; the system's temporary folder unless told.
    #[must_use]
    pub fn temp(mut self, folder: impl Into<PathBuf>) -> Self {
        self.temp = folder.into();
        self
    }

    /// All users, the built-in ones first.
    pub(crate) fn everyone(&self) -> Vec<User> {
        let user = |name: &str, groups: &[&str]| User {
            name: name.to_owned(),
            groups: groups.iter().map(|&group| group.to_owned()).collect(),
        };
        let mut users = vec![user(ADMIN, &["system:masters"]), user(READER, &[READERS]), user(NOBODY, &[])];
        users.extend(self.users.iter().cloned());
        users
    }

    pub(crate) fn check(&self) -> Result<(), ClusterError> {
        let bad = |reason: String| Err(ClusterError::BadOption(reason));
        let (oldest, newest) = (oldest_minor(), newest_minor());
        if self.minor < oldest || self.minor > newest {
            return bad(format!("it can be at {oldest} to {newest}, not at {}", self.minor));
        }
        let mut names = BTreeSet::new();
        for user in self.everyone() {
            // They become lines of a file of comma-separated values, and names of files.
            let plain = |text: &str| {
                !text.is_empty()
                    && text
                        .chars()
                        .all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | ':' | '@'))
            };
            for word in std::iter::once(&user.name).chain(&user.groups) {
                if !plain(word) {
                    return bad(format!(
                        "`{word}` is no name for a user or a group: letters, digits and -_.:@ make one"
                    ));
                }
            }
            if !names.insert(user.name.clone()) {
                return bad(format!("there are two users called `{}`", user.name));
            }
        }
        for (name, _) in &self.gates {
            if name.is_empty() || !name.chars().all(|c| c.is_ascii_alphanumeric()) {
                return bad(format!("`{name}` is no name of a feature gate"));
            }
        }
        if !self.temp.is_dir() {
            return bad(format!("{} is no folder", self.temp.display()));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::Options;
    use eks_model::KubeMinor;

    #[test]
    fn options_that_cannot_be_met_are_refused_before_anything_starts() {
        for (options, reason) in [
            (Options::at(KubeMinor::new(20)), "it can be at 1.34 to 1.37, not at 1.20"),
            (Options::at(KubeMinor::new(38)), "not at 1.38"),
            (Options::default().user("admin", &[]), "two users called `admin`"),
            (Options::default().user("a,b", &[]), "`a,b` is no name"),
            (Options::default().user("a", &["x\ny"]), "no name for a user or a group"),
            (Options::default().user("", &[]), "`` is no name"),
            (Options::default().gate("All Beta", true), "no name of a feature gate"),
            (Options::default().temp("/nowhere/at/all"), "/nowhere/at/all is no folder"),
        ] {
            let error = options.check().unwrap_err().to_string();
            assert!(error.contains(reason), "{error}");
        }
        Options::default().user("roller", &["eks:rollers"]).gate("AllBeta", true).check().unwrap();
    }
}
