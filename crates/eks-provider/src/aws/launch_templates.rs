//! Launch templates and their versions: what instances start from.

use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use jiff::Timestamp;

use crate::calls::provider;
use crate::{Result, Sensitive, Token};

/// Which launch template, and which version of it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LaunchTemplateRef {
    /// The template.
    pub template: LaunchTemplateKey,
    /// The version.
    pub version: TemplateVersion,
}

/// What a launch template is called. AWS answers with both; the id is what lasts.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum LaunchTemplateKey {
    /// Its id: `lt-0a1`.
    Id(String),
    /// Its name.
    Name(String),
}

impl fmt::Display for LaunchTemplateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Id(text) | Self::Name(text) => f.write_str(text),
        }
    }
}

/// Which version of a launch template.
///
/// ```
/// use eks_provider::aws::TemplateVersion;
/// for (text, version) in [
///     ("$Latest", TemplateVersion::Latest),
///     ("$Default", TemplateVersion::Default),
///     ("7", TemplateVersion::Number(7)),
///     ("$Newest", TemplateVersion::Other("$Newest".to_owned())),
///     ("+7", TemplateVersion::Other("+7".to_owned())),
/// ] {
///     assert_eq!(TemplateVersion::from(text), version);
///     assert_eq!(version.to_string(), text);
/// }
/// ```
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum TemplateVersion {
    /// The one that is the default when an instance starts. Also where AWS says none.
    Default,
    /// The newest when an instance starts.
    Latest,
    /// This one.
    Number(u64),
    /// A text that means nothing known.
    Other(String),
}

impl From<&str> for TemplateVersion {
    fn from(text: &str) -> Self {
        match text {
            "$Default" => Self::Default,
            "$Latest" => Self::Latest,
            _ if text.bytes().all(|b| b.is_ascii_digit()) => {
                text.parse().map_or_else(|_| Self::Other(text.to_owned()), Self::Number)
            }
            _ => Self::Other(text.to_owned()),
        }
    }
}

impl fmt::Display for TemplateVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("$Default"),
            Self::Latest => f.write_str("$Latest"),
            Self::Number(number) => number.fmt(f),
            Self::Other(text) => f.write_str(text),
        }
    }
}

/// A launch template.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LaunchTemplate {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// The number of its default version.
    pub default_version: u64,
    /// The number of its newest version.
    pub latest_version: u64,
    /// Who alone may change it.
    pub operator: Option<String>,
    /// Its tags.
    pub tags: BTreeMap<String, String>,
}

/// A version of a launch template.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LaunchTemplateVersion {
    /// The id of the template.
    pub template_id: String,
    /// The name of the template.
    pub template_name: String,
    /// Its number.
    pub number: u64,
    /// Whether it is the default.
    pub default: bool,
    /// What its maker says of it.
    pub description: Option<String>,
    /// When it was made.
    pub created_at: Option<Timestamp>,
    /// Who made it, by ARN.
    pub created_by: Option<String>,
    /// What it says.
    pub data: LaunchTemplateData,
}

/// What a version of a launch template says; what it leaves open is `None` or empty.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LaunchTemplateData {
    /// The image: an id, or, where aliases are not resolved, `resolve:ssm:PARAMETER`.
    pub image_id: Option<String>,
    /// The type.
    pub instance_type: Option<String>,
    /// Whether attributes are asked for (numbers of CPUs, memory) instead of a type.
    pub attribute_based: bool,
    /// The user data, base64.
    #[serde(skip)]
    pub user_data: Option<Sensitive>,
    /// The instance profile, by name or ARN.
    pub iam_instance_profile: Option<String>,
    /// The key pair.
    pub key_name: Option<String>,
    /// The security groups, by id, those of its network interfaces included.
    pub security_group_ids: BTreeSet<String>,
    /// The subnets of its network interfaces.
    pub subnet_ids: BTreeSet<String>,
    /// `spot`, `capacity-block`: where instances are not on demand.
    pub market: Option<String>,
    /// `required` or `optional`: whether the metadata service wants a token.
    pub http_tokens: Option<String>,
    /// How many hops an answer of the metadata service goes; Pods need 2.
    pub http_put_response_hop_limit: Option<u32>,
    /// Its volumes, by device name.
    pub volumes: BTreeMap<String, TemplateVolume>,
    /// Tags that instances get.
    pub instance_tags: BTreeMap<String, String>,
}

/// A volume that a launch template asks for.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TemplateVolume {
    /// `gp3`, …
    pub kind: Option<String>,
    /// In GiB.
    pub size_gib: Option<u32>,
    /// Whether it is encrypted.
    pub encrypted: Option<bool>,
    /// With which key.
    pub kms_key_id: Option<String>,
}

/// Which versions are asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LaunchTemplateVersionQuery {
    /// The template.
    pub template: LaunchTemplateKey,
    /// These versions; `None` is all.
    pub versions: Option<BTreeSet<TemplateVersion>>,
    /// Whether an image that is named by a parameter is answered by its id.
    pub resolve_alias: bool,
}

/// What CreateLaunchTemplateVersion is asked for: a version like another one, with a few things changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CreateLaunchTemplateVersion {
    /// The template.
    pub template: LaunchTemplateKey,
    /// The number of the version that it is like. Everything that is not said here is taken from it.
    pub source_version: u64,
    /// Another image.
    pub image_id: Option<String>,
    /// Other user data, base64.
    pub user_data: Option<Sensitive>,
    /// What to say of it, so that a run finds it again; 255 characters at most.
    pub description: String,
    /// Makes the call safe to repeat.
    pub token: Token,
}

provider! {
    /// Reads launch templates.
    #[access(Read)]
    pub trait LaunchTemplateReader {
        /// Launch templates, those that are there, sorted by id.
        #[iam("ec2:DescribeLaunchTemplates")]
        async fn describe_launch_templates(
            &self,
            templates: &[LaunchTemplateKey],
        ) -> Result<Vec<LaunchTemplate>>;

        /// The versions that are asked for, the newest first. A version that is not there is left out; a
        /// template that is not there is [`Class::NotFound`](crate::Class::NotFound).
        #[iam(
            "ec2:DescribeLaunchTemplateVersions",
            "ssm:GetParameters" if "aliases are resolved",
        )]
        async fn describe_launch_template_versions(
            &self,
            query: &LaunchTemplateVersionQuery,
        ) -> Result<Vec<LaunchTemplateVersion>>;
    }
}

provider! {
    /// Changes launch templates.
    #[access(Write)]
    pub trait LaunchTemplateWriter {
        /// Makes a version. It does not become the default.
        #[iam(
            "ec2:CreateLaunchTemplateVersion",
            "ssm:GetParameters" if "the image is named by a parameter",
        )]
        async fn create_launch_template_version(
            &self,
            request: &CreateLaunchTemplateVersion,
        ) -> Result<LaunchTemplateVersion>;
    }
}
