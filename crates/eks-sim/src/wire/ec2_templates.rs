//! EC2's launch templates.

use std::collections::BTreeSet;

use eks_provider::Sensitive;
use eks_provider::aws::{
    CreateLaunchTemplateVersion, LaunchTemplateData, LaunchTemplateKey, LaunchTemplateVersion,
    LaunchTemplateVersionQuery, TemplateVersion,
};

use super::Wire;
use super::ec2::{Outcome, body, paged, tag_set};
use super::errors::Failed;
use super::query::Query;
use super::xml::Element;

fn key(query: &Query) -> Option<LaunchTemplateKey> {
    match (query.get("LaunchTemplateId"), query.get("LaunchTemplateName")) {
        (Some(id), _) => Some(LaunchTemplateKey::Id(id.to_owned())),
        (None, Some(name)) => Some(LaunchTemplateKey::Name(name.to_owned())),
        (None, None) => None,
    }
}

fn required(query: &Query) -> Result<LaunchTemplateKey, Failed> {
    key(query).ok_or_else(|| {
        Failed::Request("MissingParameter", "LaunchTemplateId or LaunchTemplateName must be given".to_owned())
    })
}

pub(super) async fn templates(wire: &Wire, query: &Query) -> Outcome {
    let ids = query.texts("LaunchTemplateId").unwrap_or_default().into_iter().map(LaunchTemplateKey::Id);
    let names =
        query.texts("LaunchTemplateName").unwrap_or_default().into_iter().map(LaunchTemplateKey::Name);
    let keys: Vec<LaunchTemplateKey> = ids.chain(names).collect();
    if keys.is_empty() {
        return Err(Failed::Request(
            "MissingParameter",
            "the simulated world describes launch templates by id or name: name them".to_owned(),
        ));
    }
    let found = wire.reader.describe_launch_templates(&keys).await?;
    let missing = keys.iter().find_map(|key| match key {
        LaunchTemplateKey::Id(id) if found.iter().all(|one| one.id != *id) => {
            Some(("InvalidLaunchTemplateId.NotFound", id))
        }
        LaunchTemplateKey::Name(name) if found.iter().all(|one| one.name != *name) => {
            Some(("InvalidLaunchTemplateName.NotFoundException", name))
        }
        LaunchTemplateKey::Id(_) | LaunchTemplateKey::Name(_) => None,
    });
    if let Some((code, what)) = missing {
        let message = format!("The specified launch template, {what}, does not exist.");
        return Err(Failed::Request(code, message));
    }
    let (found, next) = paged(found, "templates", query)?;
    Ok(body()
        .list("launchTemplates", "item", &found, |element, one| {
            let mut element = element
                .text("launchTemplateId", &one.id)
                .text("launchTemplateName", &one.name)
                .text("defaultVersionNumber", one.default_version)
                .text("latestVersionNumber", one.latest_version);
            if let Some(principal) = &one.operator {
                element = element
                    .child(Element::new("operator").text("managed", true).text("principal", principal));
            }
            tag_set(element, &one.tags)
        })
        .maybe("nextToken", next))
}

pub(super) async fn versions(wire: &Wire, query: &Query) -> Outcome {
    let versions: Option<BTreeSet<TemplateVersion>> = query
        .texts("LaunchTemplateVersion")
        .map(|versions| versions.iter().map(|version| TemplateVersion::from(version.as_str())).collect());
    let found = wire
        .reader
        .describe_launch_template_versions(&LaunchTemplateVersionQuery {
            template: required(query)?,
            versions,
            resolve_alias: query.flag("ResolveAlias")?.unwrap_or(false),
        })
        .await?;
    let (found, next) = paged(found, "template versions", query)?;
    Ok(body().list("launchTemplateVersionSet", "item", &found, version).maybe("nextToken", next))
}

pub(super) async fn create_version(wire: &Wire, query: &Query) -> Outcome {
    let source = query.number("SourceVersion")?.ok_or_else(|| {
        Failed::Request(
            "InvalidParameterValue",
            "the simulated world makes versions out of versions: SourceVersion must be a number".to_owned(),
        )
    })?;
    let user_data = query.get("LaunchTemplateData.UserData");
    let made = wire
        .writer
        .create_launch_template_version(&CreateLaunchTemplateVersion {
            template: required(query)?,
            source_version: source,
            image_id: query.get("LaunchTemplateData.ImageId").map(str::to_owned),
            user_data: user_data.map(|data| Sensitive::new(data.as_bytes().to_vec())),
            description: query.get("VersionDescription").unwrap_or_default().to_owned(),
            token: wire.token(query.get("ClientToken")),
        })
        .await?;
    Ok(body().child(version(Element::new("launchTemplateVersion"), &made)))
}

fn version(element: Element, one: &LaunchTemplateVersion) -> Element {
    element
        .text("launchTemplateId", &one.template_id)
        .text("launchTemplateName", &one.template_name)
        .text("versionNumber", one.number)
        .text("defaultVersion", one.default)
        .maybe("versionDescription", one.description.as_ref())
        .time("createTime", one.created_at)
        .maybe("createdBy", one.created_by.as_ref())
        .child(data(Element::new("launchTemplateData"), &one.data))
}

fn data(element: Element, one: &LaunchTemplateData) -> Element {
    let user_data = one.user_data.as_ref().map(|data| String::from_utf8_lossy(data.expose()).into_owned());
    let mut element = element
        .maybe("imageId", one.image_id.as_ref())
        .maybe("instanceType", one.instance_type.as_ref())
        .maybe("userData", user_data)
        .maybe("keyName", one.key_name.as_ref())
        .texts("securityGroupIdSet", "item", &one.security_group_ids)
        .list("blockDeviceMappingSet", "item", &one.volumes, |element, (device, volume)| {
            element.text("deviceName", device).child(
                Element::new("ebs")
                    .maybe("volumeType", volume.kind.as_ref())
                    .maybe("volumeSize", volume.size_gib)
                    .maybe("encrypted", volume.encrypted)
                    .maybe("kmsKeyId", volume.kms_key_id.as_ref()),
            )
        });
    if let Some(profile) = &one.iam_instance_profile {
        let name = if profile.starts_with("arn:") { "arn" } else { "name" };
        element = element.child(Element::new("iamInstanceProfile").text(name, profile));
    }
    if let Some(market) = &one.market {
        element = element.child(Element::new("instanceMarketOptions").text("marketType", market));
    }
    if one.http_tokens.is_some() || one.http_put_response_hop_limit.is_some() {
        element = element.child(
            Element::new("metadataOptions")
                .maybe("httpTokens", one.http_tokens.as_ref())
                .maybe("httpPutResponseHopLimit", one.http_put_response_hop_limit),
        );
    }
    if !one.subnet_ids.is_empty() {
        element = element.list("networkInterfaceSet", "item", &one.subnet_ids, |element, subnet| {
            element.text("subnetId", subnet)
        });
    }
    if !one.instance_tags.is_empty() {
        let of_instances = tag_set(Element::new("item").text("resourceType", "instance"), &one.instance_tags);
        element = element.child(Element::new("tagSpecificationSet").child(of_instances));
    }
    element
}
