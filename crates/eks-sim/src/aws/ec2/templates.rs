//! Launch templates and their versions.

use std::collections::BTreeMap;

use async_trait::async_trait;
use eks_provider::Result;
use eks_provider::aws::{
    CreateLaunchTemplateVersion, LaunchTemplate, LaunchTemplateData, LaunchTemplateKey, LaunchTemplateReader,
    LaunchTemplateRef, LaunchTemplateVersion, LaunchTemplateVersionQuery, LaunchTemplateWriter,
    TemplateVersion,
};

use crate::aws::call::{Answer, refuse};
use crate::aws::ec2::State;
use crate::aws::tokens::once;
use crate::{Sim, World};

/// A launch template with its versions.
#[derive(Debug, Clone)]
pub(crate) struct Template {
    pub(crate) template: LaunchTemplate,
    pub(crate) versions: BTreeMap<u64, LaunchTemplateVersion>,
}

/// The most versions that a template may have.
/// <https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/launch-template-restrictions.html>
const MOST_VERSIONS: usize = 10_000;

impl State {
    /// A launch template by id or name.
    pub(crate) fn template(&self, key: &LaunchTemplateKey) -> Option<&Template> {
        match key {
            LaunchTemplateKey::Id(id) => self.templates.get(id),
            LaunchTemplateKey::Name(name) => {
                self.templates.values().find(|known| known.template.name == *name)
            }
        }
    }

    fn named(&self, key: &LaunchTemplateKey) -> Answer<&Template> {
        let missing = match key {
            LaunchTemplateKey::Id(_) => "InvalidLaunchTemplateId.NotFound",
            LaunchTemplateKey::Name(_) => "InvalidLaunchTemplateName.NotFoundException",
        };
        match self.template(key) {
            Some(template) => Ok(template),
            None => refuse(missing, format!("The specified launch template, {key}, does not exist.")),
        }
    }

    /// The version that a reference means now: `$Latest` and `$Default` are resolved when something starts.
    /// <https://docs.aws.amazon.com/autoscaling/ec2/userguide/create-launch-template.html>
    pub(crate) fn resolve(&self, reference: &LaunchTemplateRef) -> Answer<&LaunchTemplateVersion> {
        let known = self.named(&reference.template)?;
        let version = known.version(&reference.version);
        match version {
            Some(version) => Ok(version),
            None => refuse(
                "InvalidLaunchTemplateId.VersionNotFound",
                format!(
                    "Could not find the specified version {} for the launch template with ID {}.",
                    reference.version, known.template.id
                ),
            ),
        }
    }

    /// The image that a text of a template means: an id, or the value of a parameter of SSM.
    /// <https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/create-launch-template.html#use-an-ssm-parameter-instead-of-an-ami-id>
    pub(crate) fn image_id(&self, text: &str) -> Option<String> {
        match text.strip_prefix("resolve:ssm:") {
            Some(name) => {
                let name = name.split(':').next().unwrap_or(name);
                self.parameters.get(name).map(|parameter| parameter.value.clone())
            }
            None => Some(text.to_owned()),
        }
    }
}

impl Template {
    fn version(&self, version: &TemplateVersion) -> Option<&LaunchTemplateVersion> {
        let number = match version {
            TemplateVersion::Default => self.template.default_version,
            TemplateVersion::Latest => self.template.latest_version,
            TemplateVersion::Number(number) => *number,
            TemplateVersion::Other(_) => return None,
        };
        self.versions.get(&number)
    }
}

/// Adds a version like another one. What is not said is taken from the source.
/// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateLaunchTemplateVersion.html>
pub(crate) fn add_version(
    world: &mut World,
    key: &LaunchTemplateKey,
    source: u64,
    description: &str,
    change: impl FnOnce(&mut LaunchTemplateData),
    by: &str,
) -> Answer<LaunchTemplateVersion> {
    let now = world.now();
    let id = world.aws.ec2.named(key)?.template.id.clone();
    let Some(known) = world.aws.ec2.templates.get_mut(&id) else {
        return refuse("InvalidLaunchTemplateId.NotFound", id);
    };
    let Some(like) = known.versions.get(&source) else {
        return refuse(
            "InvalidLaunchTemplateId.VersionNotFound",
            format!("Could not find launch template version {source}"),
        );
    };
    if known.versions.len() >= MOST_VERSIONS {
        return refuse("LimitExceeded", "a launch template has 10,000 versions at most");
    }
    if description.chars().count() > 255 {
        return refuse("InvalidParameterValue", "the description has more than 255 characters");
    }
    let number = known.template.latest_version + 1;
    let mut made = LaunchTemplateVersion {
        number,
        default: false,
        description: Some(description.to_owned()),
        created_at: Some(now),
        created_by: Some(by.to_owned()),
        ..like.clone()
    };
    change(&mut made.data);
    known.versions.insert(number, made.clone());
    known.template.latest_version = number;
    Ok(made)
}

#[async_trait]
impl LaunchTemplateReader for Sim {
    async fn describe_launch_templates(
        &self,
        templates: &[LaunchTemplateKey],
    ) -> Result<Vec<LaunchTemplate>> {
        self.read("ec2:DescribeLaunchTemplates", "launch templates", |view| {
            let mut found: Vec<LaunchTemplate> = templates
                .iter()
                .filter_map(|key| view.aws.ec2.template(key))
                .map(|known| known.template.clone())
                .collect();
            found.sort_by(|a, b| a.id.cmp(&b.id));
            found.dedup_by(|a, b| a.id == b.id);
            Ok(found)
        })
        .await
    }

    async fn describe_launch_template_versions(
        &self,
        query: &LaunchTemplateVersionQuery,
    ) -> Result<Vec<LaunchTemplateVersion>> {
        let target = format!("launch template {}", query.template);
        self.read("ec2:DescribeLaunchTemplateVersions", target, |view| {
            let ec2 = &view.aws.ec2;
            let known = ec2.named(&query.template)?;
            let mut found: Vec<LaunchTemplateVersion> = match &query.versions {
                None => known.versions.values().cloned().collect(),
                Some(versions) => {
                    versions.iter().filter_map(|version| known.version(version)).cloned().collect()
                }
            };
            found.sort_by_key(|version| std::cmp::Reverse(version.number));
            found.dedup_by_key(|version| version.number);
            for version in &mut found {
                version.default = version.number == known.template.default_version;
                if query.resolve_alias
                    && let Some(image) = &version.data.image_id
                {
                    version.data.image_id = ec2.image_id(image);
                }
            }
            Ok(found)
        })
        .await
    }
}

#[async_trait]
impl LaunchTemplateWriter for Sim {
    async fn create_launch_template_version(
        &self,
        request: &CreateLaunchTemplateVersion,
    ) -> Result<LaunchTemplateVersion> {
        let target = format!("launch template {}", request.template);
        let by = self.caller().to_owned();
        self.write("ec2:CreateLaunchTemplateVersion", target, request, |world| {
            once(world, "ec2:CreateLaunchTemplateVersion", &request.token, request, |world| {
                let known = world.aws.ec2.named(&request.template)?;
                if known.template.operator.is_some() {
                    return refuse("UnauthorizedOperation", "the launch template has an operator");
                }
                let change = |data: &mut LaunchTemplateData| {
                    if let Some(image) = &request.image_id {
                        data.image_id = Some(image.clone());
                    }
                    if let Some(user_data) = &request.user_data {
                        data.user_data = Some(user_data.clone());
                    }
                };
                add_version(
                    world,
                    &request.template,
                    request.source_version,
                    &request.description,
                    change,
                    &by,
                )
            })
        })
        .await
    }
}
