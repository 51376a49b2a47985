//! Updates.

use async_trait::async_trait;
use aws_sdk_eks::types as sdk;
use eks_provider::Result;
use eks_provider::aws::{Update, UpdateError, UpdatePart, UpdateReader, UpdateScope};

use crate::Aws;
use crate::call::{What, some, time};

/// The parameters that name the part of a cluster: node group, add-on, capability.
fn part(scope: &UpdateScope) -> (Option<String>, Option<String>, Option<String>) {
    match &scope.part {
        UpdatePart::ControlPlane => (None, None, None),
        UpdatePart::Nodegroup(name) => (Some(name.clone()), None, None),
        UpdatePart::Addon(name) => (None, Some(name.clone()), None),
        UpdatePart::Capability(name) => (None, None, Some(name.clone())),
    }
}

#[async_trait]
impl UpdateReader for Aws {
    async fn list_updates(&self, scope: &UpdateScope) -> Result<Vec<String>> {
        let what = What::new("eks:ListUpdates", scope.to_string());
        let call = |token| {
            let (nodegroup, addon, capability) = part(scope);
            self.eks
                .list_updates()
                .name(&scope.cluster)
                .set_nodegroup_name(nodegroup)
                .set_addon_name(addon)
                .set_capability_name(capability)
                .max_results(100)
                .set_next_token(token)
                .send()
        };
        self.pages(&what, call, |answer| (answer.update_ids, answer.next_token)).await
    }

    async fn describe_update(&self, scope: &UpdateScope, update_id: &str) -> Result<Update> {
        let what = What::new("eks:DescribeUpdate", format!("update {update_id} of {scope}"));
        let call = || {
            let (nodegroup, addon, capability) = part(scope);
            self.eks
                .describe_update()
                .name(&scope.cluster)
                .update_id(update_id)
                .set_nodegroup_name(nodegroup)
                .set_addon_name(addon)
                .set_capability_name(capability)
                .send()
        };
        update(&what, self.send(&what, call).await?.update)
    }
}

/// An update, which the answer must have.
pub(super) fn update(what: &What, update: Option<sdk::Update>) -> Result<Update> {
    let update = what.need("update", update)?;
    let cancellation = match update.cancellation {
        None => None,
        Some(asked) => {
            let status = asked.status.as_ref().map(sdk::CancellationStatus::as_str);
            Some((what.word("update.cancellation.status", status)?, some(asked.reason)))
        }
    };
    Ok(Update {
        id: what.text("update.id", update.id)?,
        status: what.word("update.status", update.status.as_ref().map(sdk::UpdateStatus::as_str))?,
        kind: what.word("update.type", update.r#type.as_ref().map(sdk::UpdateType::as_str))?,
        params: update
            .params
            .into_iter()
            .flatten()
            .filter_map(|param| Some((param.r#type?.as_str().to_owned(), param.value.unwrap_or_default())))
            .collect(),
        created_at: time(update.created_at),
        errors: update.errors.into_iter().flatten().map(error).collect(),
        cancellation,
    })
}

fn error(error: sdk::ErrorDetail) -> UpdateError {
    UpdateError {
        // EKS's own word for "it does not say".
        code: error.error_code.as_ref().map_or("Unknown", sdk::ErrorCode::as_str).into(),
        message: error.error_message.unwrap_or_default(),
        resource_ids: error.resource_ids.unwrap_or_default(),
    }
}
