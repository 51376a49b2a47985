//! Who may do what: tokens, and the files that carry them.

use std::collections::BTreeMap;
use std::io::Read as _;
use std::path::Path;

use k8s_openapi::api::rbac::v1::{ClusterRole, ClusterRoleBinding};
use serde_json::json;

use crate::error::ClusterError;
use crate::options::{ADMIN, Options, READERS, User};
use crate::programs::Program;

/// The tokens of a cluster, by user.
#[derive(Debug, Clone)]
pub(crate) struct Tokens(BTreeMap<String, String>);

/// The programs of the control plane that call the API server, as the users that they are on a real one.
/// All are administrators here: what is under test are the rights of the tools, not theirs.
fn programs() -> [(&'static str, User); 3] {
    let user = |name: &str| User { name: name.to_owned(), groups: vec!["system:masters".to_owned()] };
    [
        (Program::ControllerManager.name(), user("system:kube-controller-manager")),
        (Program::Scheduler.name(), user("system:kube-scheduler")),
        ("kubelets", user("kubelets")),
    ]
}

impl Tokens {
    /// Makes a token for everyone, and writes what the API server and the programs read.
    pub(crate) fn write(folder: &Path, options: &Options, url: &str) -> Result<Self, ClusterError> {
        let mut tokens = BTreeMap::new();
        let mut table = String::new();
        let mut add = |user: &User| -> Result<String, ClusterError> {
            let token = secret()?;
            let User { name, groups } = user;
            table.push_str(&format!("{token},{name},{name},\"{}\"\n", groups.join(",")));
            Ok(token)
        };
        for user in options.everyone() {
            tokens.insert(user.name.clone(), add(&user)?);
        }
        let authority = read(&folder.join("ca.crt"))?;
        for (program, user) in programs() {
            let text = kubeconfig(url, &authority, program, &add(&user)?)?;
            private_file(&folder.join(format!("kubeconfig-{program}")), &text)?;
        }
        private_file(&folder.join("tokens.csv"), &table)?;
        let tokens = Self(tokens);
        private_file(&folder.join("kubeconfig"), &tokens.kubeconfig(url, &authority, ADMIN)?)?;
        Ok(tokens)
    }

    pub(crate) fn of(&self, user: &str) -> Result<&str, ClusterError> {
        self.0.get(user).map(String::as_str).ok_or_else(|| {
            let known: Vec<&str> = self.0.keys().map(String::as_str).collect();
            ClusterError::BadOption(format!("there is no user `{user}`, only {}", known.join(", ")))
        })
    }

    pub(crate) fn kubeconfig(&self, url: &str, authority: &str, user: &str) -> Result<String, ClusterError> {
        kubeconfig(url, authority, user, self.of(user)?)
    }
}

/// A kubeconfig with one cluster, one user and one context.
fn kubeconfig(url: &str, authority: &str, user: &str, token: &str) -> Result<String, ClusterError> {
    let text = serde_yaml::to_string(&json!({
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "test", "cluster": {
            "server": url,
            "certificate-authority-data": base64(authority.as_bytes()),
        }}],
        "users": [{"name": user, "user": {"token": token}}],
        "contexts": [{"name": "test", "context": {"cluster": "test", "user": user}}],
        "current-context": "test",
    }));
    text.map_err(|error| ClusterError::BadOption(format!("a kubeconfig cannot be written ({error})")))
}

/// Reading everything is a right that no built-in role gives: `view` leaves nodes and roles out.
pub(crate) fn reader_role() -> Result<(ClusterRole, ClusterRoleBinding), serde_json::Error> {
    let role = serde_json::from_value(json!({
        "metadata": {"name": READERS},
        "rules": [
            {"apiGroups": ["*"], "resources": ["*"], "verbs": ["get", "list", "watch"]},
            {"nonResourceURLs": ["*"], "verbs": ["get"]},
        ],
    }))?;
    let binding = serde_json::from_value(json!({
        "metadata": {"name": READERS},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": READERS},
        "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "Group", "name": READERS}],
    }))?;
    Ok((role, binding))
}

/// 22 characters that nobody guesses.
fn secret() -> Result<String, ClusterError> {
    use base64::Engine as _;
    let source = Path::new("/dev/urandom");
    let mut bytes = [0; 16];
    std::fs::File::open(source)
        .and_then(|mut file| file.read_exact(&mut bytes))
        .map_err(ClusterError::file(source))?;
    Ok(base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(bytes))
}

pub(crate) fn read(path: &Path) -> Result<String, ClusterError> {
    std::fs::read_to_string(path).map_err(ClusterError::file(path))
}

/// A file that only we can read; its folder is ours alone already.
pub(crate) fn private_file(path: &Path, text: &str) -> Result<(), ClusterError> {
    std::fs::write(path, text).map_err(ClusterError::file(path))
}

/// What `certificate-authority-data` wants.
fn base64(bytes: &[u8]) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.encode(bytes)
}
