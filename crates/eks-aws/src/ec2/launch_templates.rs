//! Launch templates.

use async_trait::async_trait;
use aws_sdk_ec2::types as sdk;
use eks_provider::aws::{
    CreateLaunchTemplateVersion, LaunchTemplate, LaunchTemplateKey, LaunchTemplateReader,
    LaunchTemplateVersion, LaunchTemplateVersionQuery, LaunchTemplateWriter, TemplateVersion,
};
use eks_provider::{Class, ProviderError, Result};

use crate::Aws;
use crate::call::{What, some, time};
use crate::ec2::template_data::data;
use crate::ec2::{not_found, operator, tags, those_that_are_there};

/// Templates, and versions, a call.
const MOST: usize = 200;

impl Aws {
    async fn templates(
        &self,
        what: &What,
        ids: Vec<String>,
        names: Vec<String>,
    ) -> Result<Vec<sdk::LaunchTemplate>> {
        let call = |token| {
            self.ec2
                .describe_launch_templates()
                .set_launch_template_ids((!ids.is_empty()).then(|| ids.clone()))
                .set_launch_template_names((!names.is_empty()).then(|| names.clone()))
                .include_managed_resources(true)
                .set_next_token(token)
                .send()
        };
        self.pages(what, call, |answer| (answer.launch_templates, answer.next_token)).await
    }

    async fn versions(
        &self,
        what: &What,
        query: &LaunchTemplateVersionQuery,
        versions: Option<Vec<String>>,
    ) -> Result<Vec<sdk::LaunchTemplateVersion>> {
        let (id, name) = key(&query.template);
        let call = |token| {
            self.ec2
                .describe_launch_template_versions()
                .set_launch_template_id(id.clone())
                .set_launch_template_name(name.clone())
                .set_versions(versions.clone())
                .set_resolve_alias(query.resolve_alias.then_some(true))
                .include_managed_resources(true)
                .set_max_results(versions.is_none().then_some(200))
                .set_next_token(token)
                .send()
        };
        self.pages(what, call, |answer| (answer.launch_template_versions, answer.next_token)).await
    }
}

#[async_trait]
impl LaunchTemplateReader for Aws {
    async fn describe_launch_templates(
        &self,
        templates: &[LaunchTemplateKey],
    ) -> Result<Vec<LaunchTemplate>> {
        let what = What::new("ec2:DescribeLaunchTemplates", format!("{} launch templates", templates.len()));
        let what = &what;
        let (mut ids, mut names) = (Vec::new(), Vec::new());
        for template in templates {
            match template {
                LaunchTemplateKey::Id(id) => ids.push(id.clone()),
                LaunchTemplateKey::Name(name) => names.push(name.clone()),
            }
        }
        let mut found =
            those_that_are_there(&ids, MOST, not_found, |ids| self.templates(what, ids, Vec::new())).await?;
        found.extend(
            those_that_are_there(&names, MOST, not_found, |names| self.templates(what, Vec::new(), names))
                .await?,
        );
        let templates = found.into_iter().map(|template| {
            let versions = (template.default_version_number, template.latest_version_number);
            Ok(LaunchTemplate {
                id: what.text("LaunchTemplates.LaunchTemplateId", template.launch_template_id)?,
                name: what.text("LaunchTemplates.LaunchTemplateName", template.launch_template_name)?,
                default_version: what.count("LaunchTemplates.DefaultVersionNumber", versions.0)?,
                latest_version: what.count("LaunchTemplates.LatestVersionNumber", versions.1)?,
                operator: operator(template.operator),
                tags: tags(template.tags),
            })
        });
        let mut templates = templates.collect::<Result<Vec<_>>>()?;
        templates.sort_by(|a, b| a.id.cmp(&b.id));
        templates.dedup_by(|a, b| a.id == b.id);
        Ok(templates)
    }

    async fn describe_launch_template_versions(
        &self,
        query: &LaunchTemplateVersionQuery,
    ) -> Result<Vec<LaunchTemplateVersion>> {
        let target = format!("launch template {}", query.template);
        let what = What::new("ec2:DescribeLaunchTemplateVersions", target);
        let what = &what;
        let found = match &query.versions {
            None => self.versions(what, query, None).await?,
            Some(versions) => {
                let versions: Vec<String> = versions.iter().map(TemplateVersion::to_string).collect();
                // "No such version" may be halved; "no such template" is the answer.
                let is_missing = |error: &ProviderError| {
                    error.service_code().is_some_and(|code| code.contains("VersionNotFound"))
                };
                let ask = |versions| self.versions(what, query, Some(versions));
                those_that_are_there(&versions, MOST, is_missing, ask).await?
            }
        };
        let mut versions = found.into_iter().map(|found| version(what, found)).collect::<Result<Vec<_>>>()?;
        versions.sort_by_key(|version| std::cmp::Reverse(version.number));
        // `$Latest` and its number are one version.
        versions.dedup_by_key(|version| version.number);
        Ok(versions)
    }
}

#[async_trait]
impl LaunchTemplateWriter for Aws {
    async fn create_launch_template_version(
        &self,
        request: &CreateLaunchTemplateVersion,
    ) -> Result<LaunchTemplateVersion> {
        let target = format!("launch template {}", request.template);
        let what = What::new("ec2:CreateLaunchTemplateVersion", target);
        let user_data = match &request.user_data {
            None => None,
            Some(data) => Some(
                std::str::from_utf8(data.expose())
                    .map_err(|_| what.error(Class::Invalid).message("the user data is not base64"))?,
            ),
        };
        let changes = sdk::RequestLaunchTemplateData::builder()
            .set_image_id(request.image_id.clone())
            .set_user_data(user_data.map(str::to_owned))
            .build();
        let (id, name) = key(&request.template);
        let call = || {
            self.ec2
                .create_launch_template_version()
                .set_launch_template_id(id.clone())
                .set_launch_template_name(name.clone())
                .source_version(request.source_version.to_string())
                .launch_template_data(changes.clone())
                .version_description(&request.description)
                .client_token(request.token.as_str())
                .send()
        };
        let answer = self.send(&what, call).await?;
        version(&what, what.need("LaunchTemplateVersion", answer.launch_template_version)?)
    }
}

fn key(template: &LaunchTemplateKey) -> (Option<String>, Option<String>) {
    match template {
        LaunchTemplateKey::Id(id) => (Some(id.clone()), None),
        LaunchTemplateKey::Name(name) => (None, Some(name.clone())),
    }
}

fn version(what: &What, found: sdk::LaunchTemplateVersion) -> Result<LaunchTemplateVersion> {
    Ok(LaunchTemplateVersion {
        template_id: what.text("LaunchTemplateVersions.LaunchTemplateId", found.launch_template_id)?,
        template_name: what.text("LaunchTemplateVersions.LaunchTemplateName", found.launch_template_name)?,
        number: what.count("LaunchTemplateVersions.VersionNumber", found.version_number)?,
        default: found.default_version == Some(true),
        description: some(found.version_description),
        created_at: time(found.create_time),
        created_by: some(found.created_by),
        data: data(
            what,
            what.need("LaunchTemplateVersions.LaunchTemplateData", found.launch_template_data)?,
        )?,
    })
}
