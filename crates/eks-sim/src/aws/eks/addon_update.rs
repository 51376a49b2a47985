//! Add-ons that are installed, updated and removed.

use std::time::Duration;

use async_trait::async_trait;
use eks_addons::{Matrix, Stepping};
use eks_model::AddonVersion;
use eks_provider::aws::{
    Addon, AddonPodIdentity, AddonStatus, AddonWriter, CreateAddon, Issue, PodIdentityAssociation,
    ResolveConflicts, Update, UpdateAddon, UpdateError, UpdateErrorCode, UpdatePart, UpdateType,
};
use eks_provider::{Result, Written};

use crate::aws::call::{Answer, refuse};
use crate::aws::eks::addons::{self, KnownAddon};
use crate::aws::eks::{ClusterState, Event, after, named, named_mut, new_id, updates, upgrade};
use crate::aws::tokens::once;
use crate::{Sim, World, bridge};

/// What is being done to an add-on.
#[derive(Debug, Clone)]
pub(crate) enum Doing {
    Installing,
    Removing,
    Updating { update: String, version: Option<String>, error: Option<UpdateError>, keeps_changes: bool },
}

/// Refuses while an add-on is being changed, or its cluster is.
fn at_rest<'w>(world: &'w World, cluster: &str, addon: &str) -> Answer<(&'w ClusterState, &'w KnownAddon)> {
    let state = upgrade::at_rest(world, cluster)?;
    let known = addons::known(state, addon)?;
    if known.doing.is_some() {
        let message =
            format!("Addon {addon} cannot be changed as it is currently in {} state", known.addon.status);
        return refuse("ResourceInUseException", message);
    }
    Ok((state, known))
}

/// The version is offered for the cluster's minor.
fn check_version(state: &ClusterState, addon: &str, version: &str) -> Answer<()> {
    let minor = state.cluster.version;
    if addons::offered(addon, minor).iter().any(|entry| entry.version.to_string() == version) {
        return Ok(());
    }
    refuse(
        "InvalidParameterException",
        format!("Addon version specified is not supported: {addon} {version} on Kubernetes {minor}"),
    )
}

/// Starts an update.
///
/// The version must be offered for the cluster's minor; vpc-cni goes one minor at a time. With `NONE`, a field that somebody else changed
/// fails it with `ConfigurationConflict`; `OVERWRITE` takes the change back, `PRESERVE` keeps it.
/// <https://docs.aws.amazon.com/eks/latest/APIReference/API_UpdateAddon.html>,
/// <https://docs.aws.amazon.com/eks/latest/userguide/managing-vpc-cni.html>
fn update(world: &mut World, request: &UpdateAddon) -> Answer<Update> {
    let (state, known) = at_rest(world, &request.cluster, &request.addon)?;
    let mut params = Vec::new();
    if let Some(version) = &request.version {
        check_version(state, &request.addon, version)?;
        let strict =
            Matrix::embedded().facts(&request.addon).is_some_and(|facts| facts.stepping == Stepping::Must);
        let to: Option<AddonVersion> = version.parse().ok();
        if strict
            && let (Some(from), Some(to)) = (known.addon.version.value(), &to)
            && (from.line().0 != to.line().0 || from.line().1.abs_diff(to.line().1) > 1)
        {
            let message =
                format!("Updating {} can only go up or down 1 minor version at a time", request.addon);
            return refuse("InvalidParameterException", message);
        }
        params.push(("AddonVersion".to_owned(), version.clone()));
    }
    params.push(("ResolveConflicts".to_owned(), request.resolve_conflicts.as_str().to_owned()));
    let conflict = known.changed_by_others && request.resolve_conflicts == ResolveConflicts::None;
    let error = match world.update_fault("AddonUpdate", &request.addon) {
        Some(rule) => Some(updates::error_of(&rule)),
        None => conflict.then(|| UpdateError {
            code: UpdateErrorCode::ConfigurationConflict,
            message: format!(
                "Conflicts found when trying to apply {}. Will not continue due to resolve conflicts mode",
                request.addon
            ),
            resource_ids: Vec::new(),
        }),
    };
    let part = UpdatePart::Addon(request.addon.clone());
    let update = updates::begin(world, &request.cluster, part, UpdateType::AddonUpdate, params)?;
    if let Some(identities) = &request.pod_identity_associations {
        set_identities(world, &request.cluster, &request.addon, identities)?;
    }
    let wait = Duration::from_secs(20 + world.random.below(100));
    if let (Some(version), None) = (&request.version, &error) {
        bridge::addon_applied(world, &request.cluster, &request.addon, version);
    }
    if let Some(known) = named_mut(world, &request.cluster)?.addons.get_mut(&request.addon) {
        known.addon.status = AddonStatus::Updating;
        if let Some(values) = &request.configuration_values {
            known.addon.configuration_values = Some(values.clone());
        }
        if let Some(role) = &request.service_account_role_arn {
            known.addon.service_account_role_arn = Some(role.clone());
        }
        known.doing = Some(Doing::Updating {
            update: update.id.clone(),
            version: request.version.clone(),
            error,
            keeps_changes: request.resolve_conflicts == ResolveConflicts::Preserve,
        });
    }
    after(world, wait, Event::Addon { cluster: request.cluster.clone(), addon: request.addon.clone() });
    Ok(update)
}

/// Sets the pod identity associations of an add-on, all of them: an empty list deletes those that are there.
fn set_identities(
    world: &mut World,
    cluster: &str,
    addon: &str,
    identities: &[AddonPodIdentity],
) -> Answer<()> {
    let owner = addons::known(named(&world.aws.eks, cluster)?, addon)?.addon.arn.clone();
    let made: Vec<PodIdentityAssociation> = identities
        .iter()
        .map(|identity| {
            let id = format!("a-{}", world.random.hex(17));
            PodIdentityAssociation {
                arn: format!("{owner}/podidentityassociation/{id}"),
                id,
                namespace: "kube-system".to_owned(),
                service_account: identity.service_account.clone(),
                role_arn: identity.role_arn.clone(),
                owner_arn: Some(owner.clone()),
            }
        })
        .collect();
    let state = named_mut(world, cluster)?;
    state.pod_identities.retain(|_, one| one.owner_arn.as_ref() != Some(&owner));
    if let Some(known) = state.addons.get_mut(addon) {
        known.addon.pod_identity_associations = made.iter().map(|one| one.arn.clone()).collect();
    }
    state.pod_identities.extend(made.into_iter().map(|one| (one.id.clone(), one)));
    Ok(())
}

/// Installs an add-on.
/// <https://docs.aws.amazon.com/eks/latest/APIReference/API_CreateAddon.html>
fn create(world: &mut World, request: &CreateAddon) -> Answer<Addon> {
    let now = world.now();
    let state = upgrade::at_rest(world, &request.cluster)?;
    let minor = state.cluster.version;
    if state.addons.contains_key(&request.addon) {
        return refuse("ResourceInUseException", "Addon already exists.");
    }
    let default = addons::default_version(&request.addon, minor).map(ToString::to_string);
    let Some(version) = request.version.clone().or(default) else {
        let message = format!("Addon {} is not supported on Kubernetes {minor}", request.addon);
        return refuse("InvalidParameterException", message);
    };
    check_version(state, &request.addon, &version)?;
    let arn = format!("{}/{}", state.cluster.arn.replace(":cluster/", ":addon/"), request.addon);
    let id = new_id(world);
    let addon = Addon {
        name: request.addon.clone(),
        arn: format!("{arn}/{id}"),
        version: Written::of(version.clone()),
        status: AddonStatus::Creating,
        health: Vec::new(),
        created_at: Some(now),
        modified_at: Some(now),
        service_account_role_arn: request.service_account_role_arn.clone(),
        pod_identity_associations: Vec::new(),
        configuration_values: request.configuration_values.clone(),
        namespace: request.namespace.clone(),
        publisher: Some("eks".to_owned()),
        owner: Matrix::embedded().facts(&request.addon).map(|facts| facts.owner.to_owned()),
        tags: request.tags.clone(),
    };
    let known = KnownAddon { addon: addon.clone(), changed_by_others: false, doing: Some(Doing::Installing) };
    named_mut(world, &request.cluster)?.addons.insert(request.addon.clone(), known);
    bridge::addon_applied(world, &request.cluster, &request.addon, &version);
    set_identities(world, &request.cluster, &request.addon, &request.pod_identity_associations)?;
    let wait = Duration::from_secs(20 + world.random.below(60));
    after(world, wait, Event::Addon { cluster: request.cluster.clone(), addon: request.addon.clone() });
    Ok(addon)
}

/// An add-on is done with what it does.
pub(crate) fn end(world: &mut World, cluster: &str, addon: &str) {
    let now = world.now();
    let Ok(state) = named_mut(world, cluster) else { return };
    let Some(known) = state.addons.get_mut(addon) else { return };
    let Some(doing) = known.doing.take() else { return };
    match doing {
        Doing::Installing => known.addon.status = AddonStatus::Active,
        Doing::Removing => {
            let arn = known.addon.arn.clone();
            state.addons.remove(addon);
            state.pod_identities.retain(|_, one| one.owner_arn.as_ref() != Some(&arn));
        }
        Doing::Updating { update, version, error, keeps_changes } => {
            known.addon.modified_at = Some(now);
            known.addon.health.clear();
            match &error {
                None => {
                    if let Some(version) = version {
                        known.addon.version = Written::of(version);
                    }
                    known.changed_by_others &= keeps_changes;
                    known.addon.status = AddonStatus::Active;
                }
                Some(error) => {
                    known.addon.status = AddonStatus::UpdateFailed;
                    known.addon.health.push(Issue {
                        code: error.code.as_str().to_owned(),
                        message: error.message.clone(),
                        resource_ids: error.resource_ids.clone(),
                    });
                }
            }
            updates::end(world, cluster, &update, error);
        }
    }
}

#[async_trait]
impl AddonWriter for Sim {
    async fn update_addon(&self, request: &UpdateAddon) -> Result<Update> {
        let target = format!("addon {} of cluster {}", request.addon, request.cluster);
        self.write("eks:UpdateAddon", target, request, |world| {
            once(world, "eks:UpdateAddon", &request.token, request, |world| update(world, request))
        })
        .await
    }

    async fn create_addon(&self, request: &CreateAddon) -> Result<Addon> {
        let target = format!("addon {} of cluster {}", request.addon, request.cluster);
        self.write("eks:CreateAddon", target, request, |world| {
            once(world, "eks:CreateAddon", &request.token, request, |world| create(world, request))
        })
        .await
    }

    async fn delete_addon(&self, cluster: &str, addon: &str, preserve: bool) -> Result<Addon> {
        let target = format!("addon {addon} of cluster {cluster}");
        self.write("eks:DeleteAddon", target, &preserve, |world| {
            at_rest(world, cluster, addon)?;
            let wait = Duration::from_secs(10 + world.random.below(50));
            after(world, wait, Event::Addon { cluster: cluster.to_owned(), addon: addon.to_owned() });
            if !preserve {
                bridge::addon_removed(world, cluster, addon);
            }
            match named_mut(world, cluster)?.addons.get_mut(addon) {
                Some(known) => {
                    known.addon.status = AddonStatus::Deleting;
                    known.doing = Some(Doing::Removing);
                    Ok(known.addon.clone())
                }
                None => refuse("ResourceNotFoundException", format!("No addon: {addon}")),
            }
        })
        .await
    }
}
