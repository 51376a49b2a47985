//! Before anything is begun: which of the permissions that calls need are missing, by name.
//!
//! The calls come from the bundle that a program is handed, so the question is about what its code can do, and not about
//! a list that somebody keeps beside it.
//!
//! ```
//! use eks_provider::{AwsReader, KubeReader, needed};
//!
//! let needed = needed([<dyn AwsReader>::CALLS, <dyn KubeReader>::CALLS]);
//! assert_eq!(needed.actions().next(), Some("autoscaling:DescribeAutoScalingGroups"));
//! ```

use std::collections::{BTreeMap, BTreeSet};

use crate::aws::IdentityReader;
use crate::calls::{Access, Call, Permission};
use crate::error::{ProviderError, Result};
use crate::kube::{ResourceAttributes, ServerReader};

/// What a set of calls needs, each permission with the methods that need it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Needed {
    permissions: BTreeMap<Permission, BTreeSet<(Access, &'static str)>>,
}

/// What these calls need, all together.
pub fn needed<'a>(bundles: impl IntoIterator<Item = &'a [&'static [Call]]>) -> Needed {
    let mut permissions: BTreeMap<Permission, BTreeSet<(Access, &'static str)>> = BTreeMap::new();
    for call in bundles.into_iter().flatten().copied().flatten() {
        for permission in call.needs {
            permissions.entry(*permission).or_default().insert((call.access, call.method));
        }
    }
    Needed { permissions }
}

impl Needed {
    /// Each permission, whether it is for looking or for changing, and the methods that need it. Sorted.
    pub fn iter(&self) -> impl Iterator<Item = (&Permission, Access, Vec<&'static str>)> {
        self.permissions.iter().map(|(permission, by)| {
            // What a reader needs is for looking, whoever else needs it too: no reader is given more than that.
            let looks = by.iter().any(|(access, _)| *access == Access::Read);
            let most = by.iter().map(|(access, _)| *access).max().unwrap_or(Access::Read);
            let access = if looks { Access::Read } else { most };
            (permission, access, by.iter().map(|(_, method)| *method).collect())
        })
    }

    /// The actions of IAM, sorted, each once.
    pub fn actions(&self) -> impl Iterator<Item = &'static str> {
        let actions: BTreeSet<&'static str> = self
            .permissions
            .keys()
            .filter_map(|permission| match permission {
                Permission::Iam { action, .. } => Some(*action),
                Permission::Rbac { .. } | Permission::Path { .. } => None,
            })
            .collect();
        actions.into_iter()
    }
}

/// Permissions that are missing, and what could not be asked. Nothing missing and nothing unknown is a pass.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Preflight {
    /// Missing, by name: `eks:UpdateClusterVersion`, `create pods/eviction`, with the case in which it is needed.
    pub missing: BTreeSet<String>,
    /// What could not be found out, and why.
    pub unknown: BTreeMap<String, String>,
}

impl Preflight {
    /// Whether everything is there, for certain.
    pub fn passes(&self) -> bool {
        self.missing.is_empty() && self.unknown.is_empty()
    }
}

/// Which of the actions of IAM the policies of the caller do not allow. `principal` is the ARN of the user or role.
/// That it may not ask is unknown, and no pass.
pub async fn preflight_iam(identity: &dyn IdentityReader, principal: &str, needed: &Needed) -> Preflight {
    let actions: Vec<String> = needed
        .actions()
        // No policy can deny it, and the simulator does not know it.
        .filter(|action| *action != "sts:GetCallerIdentity")
        .map(str::to_owned)
        .collect();
    let mut preflight = Preflight::default();
    match identity.simulate_principal_policy(principal, &actions, "*").await {
        Ok(missing) => {
            for action in missing {
                let name = named(needed, &action);
                preflight.missing.insert(name);
            }
        }
        Err(error) => {
            preflight.unknown.insert("the actions of IAM".to_owned(), error.to_string());
        }
    }
    preflight
}

/// The action, and the case in which it is needed where it is not always.
fn named(needed: &Needed, wanted: &str) -> String {
    let mut cases = BTreeSet::new();
    for permission in needed.permissions.keys() {
        if let Permission::Iam { action, when } = permission
            && *action == wanted
        {
            match when {
                None => return wanted.to_owned(),
                Some(when) => cases.insert(*when),
            };
        }
    }
    let cases: Vec<&str> = cases.into_iter().collect();
    if cases.is_empty() { wanted.to_owned() } else { format!("{wanted} (if {})", cases.join("; or ")) }
}

/// Which of the verbs in Kubernetes the caller may not use, one question each. An answer that the API server is not
/// certain of, and a question that it does not take, are unknown.
pub async fn preflight_rbac(server: &dyn ServerReader, needed: &Needed) -> Preflight {
    let mut preflight = Preflight::default();
    for permission in needed.permissions.keys() {
        let Permission::Rbac { verbs, group, resource, when } = permission else { continue };
        // Whether one may ask is asked by asking.
        if *resource == "selfsubjectaccessreviews" {
            continue;
        }
        let (kind, subresource) = match resource.split_once('/') {
            Some((kind, subresource)) => (kind, Some(subresource.to_owned())),
            None => (*resource, None),
        };
        for verb in *verbs {
            let group_text = if group.is_empty() { String::new() } else { format!(".{group}") };
            let case = when.map(|when| format!(" (if {when})")).unwrap_or_default();
            let name = format!("{verb} {resource}{group_text}{case}");
            let attributes = ResourceAttributes {
                verb: (*verb).to_owned(),
                group: (*group).to_owned(),
                resource: kind.to_owned(),
                subresource: subresource.clone(),
                namespace: None,
                name: None,
            };
            match server.review_self_access(&attributes).await {
                Ok(decision) if decision.allowed => {}
                Ok(decision) => match decision.evaluation_error {
                    Some(error) => {
                        preflight.unknown.insert(name, error);
                    }
                    None => {
                        preflight.missing.insert(name);
                    }
                },
                Err(error) => {
                    preflight.unknown.insert(name, error.to_string());
                }
            }
        }
    }
    preflight
}

/// The error of a preflight that does not pass: all names in one sentence.
///
/// # Errors
/// [`Class::Denied`](crate::Class::Denied) with what is missing; [`Class::Other`](crate::Class::Other) when something
/// could only not be found out.
pub fn require(preflight: &Preflight, what: &str) -> Result<()> {
    if preflight.passes() {
        return Ok(());
    }
    let list = |names: Vec<&str>| names.join(", ");
    let missing = list(preflight.missing.iter().map(String::as_str).collect());
    let unknown = list(preflight.unknown.keys().map(String::as_str).collect());
    let (class, text) = match (missing.is_empty(), unknown.is_empty()) {
        (false, true) => (crate::Class::Denied, format!("missing: {missing}")),
        (false, false) => (crate::Class::Denied, format!("missing: {missing}; not known: {unknown}")),
        (true, _) => (crate::Class::Other, format!("not known: {unknown}")),
    };
    Err(ProviderError::new(class, "preflight", what).message(text))
}
