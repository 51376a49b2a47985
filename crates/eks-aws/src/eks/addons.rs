//! Add-ons, and the catalogue of what could be installed.

use async_trait::async_trait;
use aws_sdk_eks::types as sdk;
use eks_provider::aws::{
    Addon, AddonCatalogueQuery, AddonCatalogueReader, AddonConfiguration, AddonInfo, AddonPodIdentity,
    AddonReader, AddonVersionInfo, AddonWriter, Compatibility, CreateAddon, PodIdentityAssociation, Update,
    UpdateAddon,
};
use eks_provider::{Class, ProviderError, Result, Written};

use crate::Aws;
use crate::call::{What, map, some, time};
use crate::eks::issues;
use crate::eks::updates::update;

fn on(operation: &'static str, cluster: &str, addon: &str) -> What {
    What::new(operation, format!("addon {addon} of cluster {cluster}"))
}

#[async_trait]
impl AddonReader for Aws {
    async fn list_addons(&self, cluster: &str) -> Result<Vec<String>> {
        let what = What::new("eks:ListAddons", format!("cluster {cluster}"));
        let call = |token| {
            self.eks.list_addons().cluster_name(cluster).max_results(100).set_next_token(token).send()
        };
        let mut names = self.pages(&what, call, |answer| (answer.addons, answer.next_token)).await?;
        names.sort();
        Ok(names)
    }

    async fn describe_addon(&self, cluster: &str, addon: &str) -> Result<Addon> {
        let what = on("eks:DescribeAddon", cluster, addon);
        let call = || self.eks.describe_addon().cluster_name(cluster).addon_name(addon).send();
        read(&what, self.send(&what, call).await?.addon)
    }

    async fn describe_pod_identity_association(
        &self,
        cluster: &str,
        association_id: &str,
    ) -> Result<PodIdentityAssociation> {
        let target = format!("pod identity association {association_id} of cluster {cluster}");
        let what = What::new("eks:DescribePodIdentityAssociation", target);
        let call = || {
            self.eks
                .describe_pod_identity_association()
                .cluster_name(cluster)
                .association_id(association_id)
                .send()
        };
        let found = what.need("association", self.send(&what, call).await?.association)?;
        Ok(PodIdentityAssociation {
            id: what.text("association.associationId", found.association_id)?,
            arn: what.text("association.associationArn", found.association_arn)?,
            namespace: what.text("association.namespace", found.namespace)?,
            service_account: what.text("association.serviceAccount", found.service_account)?,
            role_arn: what.text("association.roleArn", found.role_arn)?,
            owner_arn: some(found.owner_arn),
        })
    }
}

#[async_trait]
impl AddonCatalogueReader for Aws {
    async fn describe_addon_versions(&self, query: &AddonCatalogueQuery) -> Result<Vec<AddonInfo>> {
        let target = query.addon.as_ref().map_or("every addon".to_owned(), |addon| format!("addon {addon}"));
        let what = What::new("eks:DescribeAddonVersions", target);
        let call = |token| {
            self.eks
                .describe_addon_versions()
                .set_kubernetes_version(query.kubernetes_version.map(|minor| minor.to_string()))
                .set_addon_name(query.addon.clone())
                .set_owners((!query.owners.is_empty()).then(|| query.owners.clone()))
                .max_results(100)
                .set_next_token(token)
                .send()
        };
        let found = self.pages(&what, call, |answer| (answer.addons, answer.next_token)).await?;
        let mut addons = found.into_iter().map(|addon| info(&what, addon)).collect::<Result<Vec<_>>>()?;
        // Where an add-on is split over two pages, its versions belong together.
        addons.sort_by(|a, b| a.name.cmp(&b.name));
        addons.dedup_by(|next, first| {
            let same = next.name == first.name;
            if same {
                first.versions.append(&mut next.versions);
            }
            same
        });
        Ok(addons)
    }

    async fn describe_addon_configuration(&self, addon: &str, version: &str) -> Result<AddonConfiguration> {
        let what = What::new("eks:DescribeAddonConfiguration", format!("addon {addon} {version}"));
        let call = || self.eks.describe_addon_configuration().addon_name(addon).addon_version(version).send();
        let answer = self.send(&what, call).await?;
        let pod_identities = answer.pod_identity_configuration.into_iter().flatten().map(|identity| {
            let account = what.text("podIdentityConfiguration.serviceAccount", identity.service_account)?;
            Ok((account, identity.recommended_managed_policies.unwrap_or_default()))
        });
        Ok(AddonConfiguration {
            configuration_schema: some(answer.configuration_schema),
            pod_identities: pod_identities.collect::<Result<_>>()?,
        })
    }
}

#[async_trait]
impl AddonWriter for Aws {
    async fn update_addon(&self, request: &UpdateAddon) -> Result<Update> {
        let what = on("eks:UpdateAddon", &request.cluster, &request.addon);
        let identities = match &request.pod_identity_associations {
            // An empty list is sent: it means that they are to be deleted.
            Some(identities) => Some(pod_identities(&what, identities)?),
            None => None,
        };
        let call = || {
            self.eks
                .update_addon()
                .cluster_name(&request.cluster)
                .addon_name(&request.addon)
                .set_addon_version(request.version.clone())
                .resolve_conflicts(request.resolve_conflicts.as_str().into())
                .set_configuration_values(request.configuration_values.clone())
                .set_service_account_role_arn(request.service_account_role_arn.clone())
                .set_pod_identity_associations(identities.clone())
                .client_request_token(request.token.as_str())
                .send()
        };
        update(&what, self.send(&what, call).await?.update)
    }

    async fn create_addon(&self, request: &CreateAddon) -> Result<Addon> {
        let what = on("eks:CreateAddon", &request.cluster, &request.addon);
        let identities = pod_identities(&what, &request.pod_identity_associations)?;
        let namespace = request
            .namespace
            .as_ref()
            .map(|namespace| sdk::AddonNamespaceConfigRequest::builder().namespace(namespace).build());
        let tags = request.tags.clone().into_iter().collect::<std::collections::HashMap<_, _>>();
        let call = || {
            self.eks
                .create_addon()
                .cluster_name(&request.cluster)
                .addon_name(&request.addon)
                .set_addon_version(request.version.clone())
                .resolve_conflicts(request.resolve_conflicts.as_str().into())
                .set_configuration_values(request.configuration_values.clone())
                .set_service_account_role_arn(request.service_account_role_arn.clone())
                .set_pod_identity_associations((!identities.is_empty()).then(|| identities.clone()))
                .set_namespace_config(namespace.clone())
                .set_tags((!tags.is_empty()).then(|| tags.clone()))
                .client_request_token(request.token.as_str())
                .send()
        };
        let answer = self.send(&what, call).await.map_err(|error| taken(&what, error))?;
        read(&what, answer.addon)
    }

    async fn delete_addon(&self, cluster: &str, addon: &str, preserve: bool) -> Result<Addon> {
        let what = on("eks:DeleteAddon", cluster, addon);
        let call = || {
            self.eks
                .delete_addon()
                .cluster_name(cluster)
                .addon_name(addon)
                .set_preserve(preserve.then_some(true))
                .send()
        };
        read(&what, self.send(&what, call).await?.addon)
    }
}

/// Where something is made, "in use" is its name: waiting changes nothing.
fn taken(what: &What, error: ProviderError) -> ProviderError {
    if error.class() != Class::InProgress || error.service_code() != Some("ResourceInUseException") {
        return error;
    }
    let mut conflict = what.error(Class::Conflict).code("ResourceInUseException");
    if let Some(status) = error.http_status() {
        conflict = conflict.status(status);
    }
    if let Some(message) = error.service_message() {
        conflict = conflict.message(message);
    }
    if let Some(id) = error.service_request_id() {
        conflict = conflict.request_id(id);
    }
    conflict
}

fn pod_identities(
    what: &What,
    wanted: &[AddonPodIdentity],
) -> Result<Vec<sdk::AddonPodIdentityAssociations>> {
    wanted
        .iter()
        .map(|identity| {
            sdk::AddonPodIdentityAssociations::builder()
                .service_account(&identity.service_account)
                .role_arn(&identity.role_arn)
                .build()
                .map_err(|error| what.error(Class::Invalid).message(error.to_string()))
        })
        .collect()
}

fn read(what: &What, addon: Option<sdk::Addon>) -> Result<Addon> {
    let addon = what.need("addon", addon)?;
    Ok(Addon {
        name: what.text("addon.addonName", addon.addon_name)?,
        arn: what.text("addon.addonArn", addon.addon_arn)?,
        version: Written::of(what.text("addon.addonVersion", addon.addon_version)?),
        status: what.word("addon.status", addon.status.as_ref().map(sdk::AddonStatus::as_str))?,
        health: issues!(addon.health),
        created_at: time(addon.created_at),
        modified_at: time(addon.modified_at),
        service_account_role_arn: some(addon.service_account_role_arn),
        pod_identity_associations: addon.pod_identity_associations.unwrap_or_default(),
        configuration_values: some(addon.configuration_values),
        namespace: some(addon.namespace_config.and_then(|config| config.namespace)),
        publisher: some(addon.publisher),
        owner: some(addon.owner),
        tags: map(addon.tags),
    })
}

fn info(what: &What, addon: sdk::AddonInfo) -> Result<AddonInfo> {
    Ok(AddonInfo {
        name: what.text("addons.addonName", addon.addon_name)?,
        kind: some(addon.r#type),
        publisher: some(addon.publisher),
        owner: some(addon.owner),
        default_namespace: some(addon.default_namespace),
        versions: addon
            .addon_versions
            .into_iter()
            .flatten()
            .map(|version| version_info(what, version))
            .collect::<Result<_>>()?,
    })
}

fn version_info(what: &What, version: sdk::AddonVersionInfo) -> Result<AddonVersionInfo> {
    let compatibilities = version.compatibilities.into_iter().flatten().map(|fits| {
        let cluster = what.text("addonVersions.compatibilities.clusterVersion", fits.cluster_version)?;
        Ok(Compatibility {
            cluster_version: Written::of(cluster),
            platform_versions: fits.platform_versions.unwrap_or_default(),
            default_version: fits.default_version,
        })
    });
    Ok(AddonVersionInfo {
        version: Written::of(what.text("addonVersions.addonVersion", version.addon_version)?),
        architectures: version.architecture.unwrap_or_default(),
        compute_types: version.compute_types.unwrap_or_default(),
        compatibilities: compatibilities.collect::<Result<_>>()?,
        requires_configuration: version.requires_configuration,
        requires_iam_permissions: version.requires_iam_permissions,
    })
}
