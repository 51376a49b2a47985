//! Images (AMIs).

use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

use jiff::Timestamp;

use crate::Result;
use crate::calls::provider;
use crate::text::words;

words! {
    /// Whether an image can be used.
    pub enum ImageState {
        /// It can.
        Available = "available",
        /// Being made.
        Pending = "pending",
        /// Broken.
        Invalid = "invalid",
        /// Withdrawn.
        Deregistered = "deregistered",
        /// In transit.
        Transient = "transient",
        /// Could not be made.
        Failed = "failed",
        /// Broken.
        Error = "error",
        /// Switched off by its owner.
        Disabled = "disabled",
    }
}

/// An image.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Image {
    /// Its id.
    pub id: String,
    /// Its name: `amazon-eks-node-al2023-x86_64-standard-1.34-v20260710`.
    pub name: Option<String>,
    /// What its owner says of it.
    pub description: Option<String>,
    /// The account that owns it.
    pub owner_id: Option<String>,
    /// `amazon`, `self`, …
    pub owner_alias: Option<String>,
    /// Whether it can be used.
    pub state: ImageState,
    /// `x86_64`, `arm64`.
    pub architecture: Option<String>,
    /// `windows`; `None` is Linux.
    pub platform: Option<String>,
    /// When it was made.
    pub creation_date: Option<Timestamp>,
    /// From when on it is no longer advised.
    pub deprecation_time: Option<Timestamp>,
    /// The smallest size of its root volume, in GiB.
    pub root_volume_gib: Option<u32>,
    /// The name of its root device.
    pub root_device_name: Option<String>,
}

provider! {
    /// Reads images.
    #[access(Read)]
    pub trait ImageReader {
        /// Images by id, deprecated and disabled ones too, sorted by id. Those that are not there, or
        /// that the account may not see, are left out.
        #[iam("ec2:DescribeImages")]
        async fn describe_images(&self, ids: &BTreeSet<String>) -> Result<Vec<Image>>;
    }
}
