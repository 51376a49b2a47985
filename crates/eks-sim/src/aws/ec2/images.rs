//! Images, and the parameters of SSM that name the recommended ones.

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use eks_model::{KubeMinor, KubeVersion};
use eks_provider::Result;
use eks_provider::aws::{Image, ImageReader, ImageState, Parameter, ParameterReader};
use jiff::Timestamp;

use crate::Sim;
use crate::aws::call::refuse;
use crate::aws::ec2::State;

/// An image, and the kubelet in it.
#[derive(Debug, Clone)]
pub(crate) struct KnownImage {
    pub(crate) image: Image,
    /// `None` is an image that no node comes of.
    pub(crate) kubelet: Option<KubeVersion>,
    /// What managed node groups call it: `1.34.2-20261110`.
    pub(crate) release: Option<String>,
}

/// A family of EKS optimised images: the AMI type of EKS, the architecture, the parameter, the name.
///
/// Parameters: <https://docs.aws.amazon.com/eks/latest/userguide/retrieve-ami-id.html>,
/// <https://docs.aws.amazon.com/eks/latest/userguide/retrieve-ami-id-bottlerocket.html>.
struct Family {
    ami_type: &'static str,
    architecture: &'static str,
    parameter: &'static str,
    name: &'static str,
    /// The last minor that has images; `None` is no end.
    last: Option<u16>,
}

const FAMILIES: [Family; 5] = [
    Family {
        ami_type: "AL2023_x86_64_STANDARD",
        architecture: "x86_64",
        parameter: "/aws/service/eks/optimized-ami/{minor}/amazon-linux-2023/x86_64/standard/recommended/image_id",
        name: "amazon-eks-node-al2023-x86_64-standard-{minor}-v{day}",
        last: None,
    },
    Family {
        ami_type: "AL2023_ARM_64_STANDARD",
        architecture: "arm64",
        parameter: "/aws/service/eks/optimized-ami/{minor}/amazon-linux-2023/arm64/standard/recommended/image_id",
        name: "amazon-eks-node-al2023-arm64-standard-{minor}-v{day}",
        last: None,
    },
    Family {
        ami_type: "BOTTLEROCKET_x86_64",
        architecture: "x86_64",
        parameter: "/aws/service/bottlerocket/aws-k8s-{minor}/x86_64/latest/image_id",
        name: "bottlerocket-aws-k8s-{minor}-x86_64-v1.64.0-{day}",
        last: None,
    },
    Family {
        ami_type: "BOTTLEROCKET_ARM_64",
        architecture: "arm64",
        parameter: "/aws/service/bottlerocket/aws-k8s-{minor}/arm64/latest/image_id",
        name: "bottlerocket-aws-k8s-{minor}-aarch64-v1.64.0-{day}",
        last: None,
    },
    // 1.32 is the last minor with images of Amazon Linux 2.
    // <https://docs.aws.amazon.com/eks/latest/userguide/eks-ami-deprecation-faqs.html> (2026-03-04)
    Family {
        ami_type: "AL2_x86_64",
        architecture: "x86_64",
        parameter: "/aws/service/eks/optimized-ami/{minor}/amazon-linux-2/recommended/image_id",
        name: "amazon-eks-node-{minor}-v{day}",
        last: Some(32),
    },
];

/// The parameter that names the recommended image of an AMI type for a minor; `None` where there is none.
pub(crate) fn parameter_of(ami_type: &str, minor: KubeMinor) -> Option<String> {
    let family = FAMILIES.iter().find(|family| family.ami_type == ami_type)?;
    family
        .last
        .is_none_or(|last| minor <= KubeMinor::new(last))
        .then(|| family.parameter.replace("{minor}", &minor.to_string()))
}

impl State {
    /// Puts out an image of each family for a minor, and lets its parameter name it.
    pub(crate) fn release_images(&mut self, minor: KubeMinor, patch: u64, day: &str, now: Timestamp) {
        for (at, family) in FAMILIES.iter().enumerate() {
            let Some(parameter) = parameter_of(family.ami_type, minor) else { continue };
            let id = format!("ami-{:04x}{at:02x}{patch:03x}{day:0>8}", minor.minor());
            let text = |template: &str| template.replace("{minor}", &minor.to_string()).replace("{day}", day);
            let image = Image {
                id: id.clone(),
                name: Some(text(family.name)),
                description: Some(format!("EKS node, Kubernetes {minor}.{patch}")),
                owner_id: Some("602401143452".to_owned()),
                owner_alias: Some("amazon".to_owned()),
                state: ImageState::Available,
                architecture: Some(family.architecture.to_owned()),
                platform: None,
                creation_date: Some(now),
                deprecation_time: None,
                root_volume_gib: Some(20),
                root_device_name: Some("/dev/xvda".to_owned()),
            };
            let kubelet = format!("v{minor}.{patch}-eks-5e0fdde").parse().ok();
            let release = Some(format!("{minor}.{patch}-{day}"));
            self.images.insert(id.clone(), KnownImage { image, kubelet, release });
            let version = self.parameters.get(&parameter).map_or(1, |parameter| parameter.version + 1);
            let named = Parameter { name: parameter.clone(), value: id, version, last_modified: Some(now) };
            self.parameters.insert(parameter, named);
        }
    }

    /// The newest image of an AMI type for a minor, or the one of a release.
    pub(crate) fn managed_image(
        &self,
        ami_type: &str,
        minor: KubeMinor,
        release: Option<&str>,
    ) -> Option<&KnownImage> {
        let parameter = parameter_of(ami_type, minor)?;
        let newest = self.images.get(&self.parameters.get(&parameter)?.value)?;
        let Some(release) = release else { return Some(newest) };
        let architecture = &newest.image.architecture;
        let head = newest.image.name.as_deref()?.split("-v").next()?;
        self.images.values().find(|known| {
            known.release.as_deref() == Some(release)
                && known.image.architecture == *architecture
                && known.image.name.as_deref().is_some_and(|name| name.starts_with(head))
        })
    }

    /// The image, where instances can be started from it.
    pub(crate) fn usable_image(&self, id: &str) -> Option<&KnownImage> {
        self.images.get(id).filter(|known| known.image.state == ImageState::Available)
    }
}

#[async_trait]
impl ImageReader for Sim {
    async fn describe_images(&self, ids: &BTreeSet<String>) -> Result<Vec<Image>> {
        self.read("ec2:DescribeImages", "images", |view| {
            let found = |id: &String| view.aws.ec2.images.get(id);
            Ok(ids.iter().filter_map(found).map(|known| known.image.clone()).collect())
        })
        .await
    }
}

#[async_trait]
impl ParameterReader for Sim {
    async fn get_parameter(&self, name: &str) -> Result<Parameter> {
        self.read("ssm:GetParameter", format!("parameter {name}"), |view| {
            match view.aws.ec2.parameters.get(name) {
                Some(parameter) => Ok(parameter.clone()),
                None => refuse("ParameterNotFound", format!("{name} not found")),
            }
        })
        .await
    }

    async fn get_parameters(&self, names: &[String]) -> Result<BTreeMap<String, Parameter>> {
        self.read("ssm:GetParameters", "parameters", |view| {
            let known = &view.aws.ec2.parameters;
            Ok(names
                .iter()
                .filter_map(|name| known.get_key_value(name))
                .map(|(k, v)| (k.clone(), v.clone()))
                .collect())
        })
        .await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amazon_linux_2_ends_with_1_32_and_the_rest_goes_on() {
        assert!(parameter_of("AL2_x86_64", KubeMinor::new(32)).is_some());
        assert_eq!(parameter_of("AL2_x86_64", KubeMinor::new(33)), None);
        assert_eq!(parameter_of("CUSTOM", KubeMinor::new(33)), None);
        assert_eq!(
            parameter_of("AL2023_x86_64_STANDARD", KubeMinor::new(35)).unwrap(),
            "/aws/service/eks/optimized-ami/1.35/amazon-linux-2023/x86_64/standard/recommended/image_id"
        );
    }

    #[test]
    fn a_new_release_moves_the_parameter_and_leaves_the_old_image() {
        let mut state = State::default();
        let now = Timestamp::UNIX_EPOCH;
        let minor = KubeMinor::new(34);
        state.release_images(minor, 2, "20261101", now);
        let old = state.managed_image("AL2023_x86_64_STANDARD", minor, None).unwrap().image.id.clone();
        state.release_images(minor, 3, "20261115", now);
        let new = state.managed_image("AL2023_x86_64_STANDARD", minor, None).unwrap();
        assert_ne!(new.image.id, old);
        assert_eq!(new.kubelet.as_ref().unwrap().patch(), Some(3));
        let by_release =
            state.managed_image("AL2023_x86_64_STANDARD", minor, Some("1.34.2-20261101")).unwrap();
        assert_eq!(by_release.image.id, old);
        assert!(by_release.image.name.as_ref().unwrap().contains("al2023"), "{by_release:?}");
    }
}
