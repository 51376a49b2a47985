//! Who is calling, and what it may do.

use std::collections::BTreeSet;

use async_trait::async_trait;
use aws_sdk_iam::types::PolicyEvaluationDecisionType;
use eks_provider::Result;
use eks_provider::aws::{CallerIdentity, IdentityReader};

use crate::Aws;
use crate::call::{What, some};

/// Actions a call.
const ACTIONS: usize = 100;

#[async_trait]
impl IdentityReader for Aws {
    async fn get_caller_identity(&self) -> Result<CallerIdentity> {
        let what = What::new("sts:GetCallerIdentity", "caller");
        let answer = self.send(&what, || self.sts.get_caller_identity().send()).await?;
        Ok(CallerIdentity {
            account: what.text("Account", answer.account)?,
            arn: what.text("Arn", answer.arn)?,
            user_id: what.text("UserId", answer.user_id)?,
        })
    }

    async fn simulate_principal_policy(
        &self,
        principal_arn: &str,
        actions: &[String],
        resource_arn: &str,
    ) -> Result<BTreeSet<String>> {
        let what = What::new("iam:SimulatePrincipalPolicy", format!("principal {principal_arn}"));
        let mut missing: BTreeSet<String> = actions.iter().cloned().collect();
        for actions in actions.chunks(ACTIONS) {
            let call = |marker| {
                self.iam
                    .simulate_principal_policy()
                    .policy_source_arn(principal_arn)
                    .set_action_names(Some(actions.to_vec()))
                    .resource_arns(resource_arn)
                    .set_marker(marker)
                    .send()
            };
            let results = self
                .pages(&what, call, |answer| {
                    let next = answer.is_truncated.then_some(answer.marker).flatten();
                    (answer.evaluation_results, some(next))
                })
                .await?;
            // An action that the answer does not name is not known to be allowed.
            for result in results {
                if result.eval_decision == PolicyEvaluationDecisionType::Allowed {
                    missing.retain(|action| !action.eq_ignore_ascii_case(&result.eval_action_name));
                }
            }
        }
        Ok(missing)
    }
}
