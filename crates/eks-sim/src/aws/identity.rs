//! Who calls, and what they may.

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use eks_provider::Result;
use eks_provider::aws::{CallerIdentity, IdentityReader};

use crate::Sim;

/// Who may not do what.
#[derive(Debug, Clone, Default)]
pub(crate) struct State {
    /// By the ARN of the caller: actions, each exact or up to a `*` at its end.
    pub(crate) denied: BTreeMap<String, BTreeSet<String>>,
}

impl State {
    /// Whether a caller's policies forbid an action. No policy can forbid `sts:GetCallerIdentity`.
    /// <https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html>
    pub(crate) fn denies(&self, caller: &str, action: &str) -> bool {
        action != "sts:GetCallerIdentity"
            && self.denied.get(caller).is_some_and(|denied| {
                denied.iter().any(|pattern| match pattern.strip_suffix('*') {
                    Some(head) => action.starts_with(head),
                    None => pattern == action,
                })
            })
    }
}

#[async_trait]
impl IdentityReader for Sim {
    async fn get_caller_identity(&self) -> Result<CallerIdentity> {
        let caller = self.caller().to_owned();
        self.read("sts:GetCallerIdentity", "caller", |view| {
            Ok(CallerIdentity {
                account: view.aws.account.clone(),
                user_id: format!("AROASIMULATED:{}", caller.rsplit('/').next().unwrap_or_default()),
                arn: caller,
            })
        })
        .await
    }

    async fn simulate_principal_policy(
        &self,
        principal_arn: &str,
        actions: &[String],
        _resource_arn: &str,
    ) -> Result<BTreeSet<String>> {
        self.read("iam:SimulatePrincipalPolicy", principal_arn, |view| {
            let denied = |action: &&String| view.aws.identity.denies(principal_arn, action);
            Ok(actions.iter().filter(denied).cloned().collect())
        })
        .await
    }
}
