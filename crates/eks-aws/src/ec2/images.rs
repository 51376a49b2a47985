//! Images.

use std::collections::BTreeSet;

use async_trait::async_trait;
use aws_sdk_ec2::types as sdk;
use eks_provider::Result;
use eks_provider::aws::{Image, ImageReader};
use jiff::Timestamp;

use crate::Aws;
use crate::call::{What, count, some};
use crate::ec2::filters::portions;

#[async_trait]
impl ImageReader for Aws {
    async fn describe_images(&self, ids: &BTreeSet<String>) -> Result<Vec<Image>> {
        let what = What::new("ec2:DescribeImages", format!("{} images", ids.len()));
        let mut images = Vec::new();
        for filters in portions("image-id", Some(ids), &[]) {
            let call = |token| {
                self.ec2
                    .describe_images()
                    .set_filters(Some(filters.clone()))
                    .include_deprecated(true)
                    .include_disabled(true)
                    .max_results(500)
                    .set_next_token(token)
                    .send()
            };
            let found = self.pages(&what, call, |answer| (answer.images, answer.next_token)).await?;
            for found in found {
                images.push(read(&what, found)?);
            }
        }
        images.sort_by(|a, b| a.id.cmp(&b.id));
        Ok(images)
    }
}

fn read(what: &What, found: sdk::Image) -> Result<Image> {
    let root = found.root_device_name.as_deref();
    let root_volume_gib = found
        .block_device_mappings
        .iter()
        .flatten()
        .find(|mapping| mapping.device_name.as_deref() == root)
        .and_then(|mapping| mapping.ebs.as_ref())
        .and_then(|volume| count(volume.volume_size));
    Ok(Image {
        id: what.text("Images.ImageId", found.image_id)?,
        name: some(found.name),
        description: some(found.description),
        owner_id: some(found.owner_id),
        owner_alias: some(found.image_owner_alias),
        state: what.word("Images.State", found.state.as_ref().map(sdk::ImageState::as_str))?,
        architecture: found.architecture.map(|architecture| architecture.as_str().to_owned()),
        platform: found.platform.map(|platform| platform.as_str().to_owned()),
        creation_date: moment(found.creation_date.as_deref()),
        deprecation_time: moment(found.deprecation_time.as_deref()),
        root_volume_gib,
        root_device_name: some(found.root_device_name),
    })
}

/// Images have their times as text.
fn moment(text: Option<&str>) -> Option<Timestamp> {
    text?.parse().ok()
}
