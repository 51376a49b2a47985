//! Updates: what EKS does, as it is told from outside.

use async_trait::async_trait;
use eks_provider::Result;
use eks_provider::aws::{
    Update, UpdateError, UpdateErrorCode, UpdatePart, UpdateReader, UpdateScope, UpdateStatus, UpdateType,
};

use crate::aws::call::{Answer, refuse};
use crate::aws::eks::{ClusterState, State, named, new_id};
use crate::{Sim, World};

/// An update, and what it is made on.
#[derive(Debug, Clone)]
pub(crate) struct Recorded {
    pub(crate) part: UpdatePart,
    pub(crate) update: Update,
}

/// Writes down an update that begins.
pub(crate) fn begin(
    world: &mut World,
    cluster: &str,
    part: UpdatePart,
    kind: UpdateType,
    params: Vec<(String, String)>,
) -> Answer<Update> {
    let update = Update {
        id: new_id(world),
        status: UpdateStatus::InProgress,
        kind,
        params,
        created_at: Some(world.now()),
        errors: Vec::new(),
        cancellation: None,
    };
    super::named_mut(world, cluster)?.updates.push(Recorded { part, update: update.clone() });
    Ok(update)
}

/// Ends an update: with success, or with an error.
pub(crate) fn end(world: &mut World, cluster: &str, id: &str, error: Option<UpdateError>) {
    let status = if error.is_some() { UpdateStatus::Failed } else { UpdateStatus::Successful };
    change(world, cluster, id, |update| {
        update.status = status;
        update.errors.extend(error);
    });
}

/// Changes an update.
pub(crate) fn change(world: &mut World, cluster: &str, id: &str, change: impl FnOnce(&mut Update)) {
    let recorded = world.aws.eks.clusters.get_mut(cluster).map(|cluster| &mut cluster.updates);
    if let Some(recorded) = recorded.and_then(|all| all.iter_mut().rev().find(|one| one.update.id == id)) {
        change(&mut recorded.update);
    }
}

/// An update by its id.
pub(crate) fn get(world: &World, cluster: &str, id: &str) -> Option<Update> {
    let recorded = world.aws.eks.clusters.get(cluster)?.updates.iter().rev().find(|one| one.update.id == id);
    recorded.map(|recorded| recorded.update.clone())
}

/// An error as a rule about faults has it.
pub(crate) fn error_of(rule: &crate::faults::UpdateRule) -> UpdateError {
    UpdateError {
        code: UpdateErrorCode::from(rule.code.as_str()),
        message: rule.message.clone().unwrap_or_else(|| format!("the update failed with {}", rule.code)),
        resource_ids: rule.resource_ids.clone(),
    }
}

fn scoped<'s>(state: &'s State, scope: &UpdateScope) -> Answer<&'s ClusterState> {
    let cluster = named(state, &scope.cluster)?;
    let there = match &scope.part {
        UpdatePart::ControlPlane => true,
        UpdatePart::Nodegroup(name) => cluster.nodegroups.contains_key(name),
        UpdatePart::Addon(name) => cluster.addons.contains_key(name),
        UpdatePart::Capability(_) => false,
    };
    if there { Ok(cluster) } else { refuse("ResourceNotFoundException", format!("No {scope} found.")) }
}

#[async_trait]
impl UpdateReader for Sim {
    async fn list_updates(&self, scope: &UpdateScope) -> Result<Vec<String>> {
        self.read("eks:ListUpdates", scope.to_string(), |view| {
            let cluster = scoped(&view.aws.eks, scope)?;
            let of = |recorded: &&Recorded| recorded.part == scope.part;
            // The order is not documented: the newest first is as good as any.
            Ok(cluster.updates.iter().rev().filter(of).map(|recorded| recorded.update.id.clone()).collect())
        })
        .await
    }

    async fn describe_update(&self, scope: &UpdateScope, update_id: &str) -> Result<Update> {
        self.read("eks:DescribeUpdate", format!("update {update_id} of {scope}"), |view| {
            let cluster = scoped(&view.aws.eks, scope)?;
            let found =
                cluster.updates.iter().find(|one| one.part == scope.part && one.update.id == update_id);
            match found {
                Some(recorded) => Ok(recorded.update.clone()),
                None => refuse("ResourceNotFoundException", format!("No update found for ID: {update_id}")),
            }
        })
        .await
    }
}
