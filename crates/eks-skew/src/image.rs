//! What a node image's name says: its family, and the Kubernetes version in it.

use std::sync::OnceLock;

use eks_model::table::{TableError, rows};
use eks_model::{ImageFamily, KubeMinor, KubeVersion, NodeImage};
use jiff::civil::Date;

static TABLE: &str = include_str!("../data/images.tsv");

/// The end of a family of images.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ImageEnd {
    /// The family.
    pub family: ImageFamily,
    /// The last minor that has images of it.
    pub last: KubeMinor,
    /// The day after which no image of it was released.
    pub last_release: Date,
    /// Where it can be read.
    pub source: &'static str,
    /// When it was.
    pub as_of: Date,
}

fn parse(text: &'static str) -> Result<Vec<ImageEnd>, TableError> {
    rows::<5>("images.tsv", text)
        .map(|row| {
            let row = row?;
            let [family, last, last_release, source, as_of] = row.columns;
            let family = match family {
                "al2" => ImageFamily::AmazonLinux2,
                other => return Err(row.error(format!("`{other}` is no family of images"))),
            };
            Ok(ImageEnd {
                family,
                last: row.parse(last)?,
                last_release: row.parse(last_release)?,
                source,
                as_of: row.parse(as_of)?,
            })
        })
        .collect()
}

/// The end of a family, where one is known.
pub fn image_end(family: ImageFamily) -> Option<&'static ImageEnd> {
    static ENDS: OnceLock<Vec<ImageEnd>> = OnceLock::new();
    // A test parses the table, so no build that passed its tests comes to the other branch.
    ENDS.get_or_init(|| parse(TABLE).unwrap_or_else(|error| unreachable!("{error}")))
        .iter()
        .find(|end| end.family == family)
}

/// Recognises a node image by what people write for it: an AMI type of the API (`AL2_x86_64`), a
/// family of eksctl (`AmazonLinux2023`) or Karpenter (`AL2`), an alias (`al2@latest`), the name of
/// an AMI (`amazon-eks-node-1.32-v*`), an SSM parameter. `None` when the text names none of them:
/// the id of an AMI says nothing.
///
/// ```
/// use eks_model::ImageFamily;
/// let image = eks_skew::node_image("/aws/service/eks/optimized-ami/1.32/amazon-linux-2/recommended/image_id").unwrap();
/// assert_eq!(image.family, ImageFamily::AmazonLinux2);
/// assert_eq!(image.kubernetes.unwrap().to_string(), "1.32");
/// ```
pub fn node_image(text: &str) -> Option<NodeImage> {
    let text = text.trim().to_ascii_lowercase();
    let has = |part: &str| text.contains(part);
    // `al2` as a word of its own, and not as the start of `al2023`.
    let word = |word: &str| text.split(|c: char| !c.is_ascii_alphanumeric()).any(|part| part == word);
    let family = if has("bottlerocket") {
        ImageFamily::Bottlerocket
    } else if has("windows") {
        ImageFamily::Windows
    } else if has("ubuntu") {
        ImageFamily::Ubuntu
    } else if word("al2023") || has("amazon-linux-2023") || has("amazonlinux2023") {
        ImageFamily::AmazonLinux2023
    } else if word("al2")
        || has("amazon-linux-2")
        || has("amazonlinux2")
        || has("amazon-eks-node-")
        || has("amazon-eks-gpu-node-")
        || has("amazon-eks-arm64-node-")
    {
        ImageFamily::AmazonLinux2
    } else if text == "custom" {
        ImageFamily::Custom
    } else {
        return None;
    };
    Some(NodeImage { family, kubernetes: version_in(&text) })
}

/// The Kubernetes version in a name: `1.33` as a word of its own.
fn version_in(text: &str) -> Option<KubeVersion> {
    for (at, _) in text.match_indices("1.") {
        let before = text.get(..at).and_then(|before| before.chars().next_back());
        // Three numbers are the version of a build: `v1.20.3` of Bottlerocket.
        if before.is_some_and(|c| (c.is_ascii_alphanumeric() && c != 'v') || c == '.' || c == '@') {
            continue;
        }
        let rest = text.get(at + 2..)?;
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let (number, rest) = rest.split_at(digits);
        if digits == 2 && !rest.starts_with('.') {
            return format!("1.{number}").parse().ok();
        }
    }
    None
}

/// The Kubernetes version of a release of a managed node group's image: `1.33.8-20260304`.
pub fn release_version(text: &str) -> Option<KubeVersion> {
    let (version, day) = text.split_once('-')?;
    (day.len() == 8 && day.bytes().all(|b| b.is_ascii_digit())).then(|| version.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_spelling_names_its_family_and_version() {
        use ImageFamily::{AmazonLinux2, AmazonLinux2023, Bottlerocket, Custom, Ubuntu, Windows};
        for (text, family, version) in [
            ("AL2_x86_64", AmazonLinux2, None),
            ("AL2_x86_64_GPU", AmazonLinux2, None),
            ("AL2_ARM_64", AmazonLinux2, None),
            ("AL2", AmazonLinux2, None),
            ("AmazonLinux2", AmazonLinux2, None),
            ("al2@latest", AmazonLinux2, None),
            ("al2@v20240807", AmazonLinux2, None),
            ("amazon-eks-node-1.32-v*", AmazonLinux2, Some("1.32")),
            ("amazon-eks-gpu-node-1.29-*", AmazonLinux2, Some("1.29")),
            ("amazon-eks-arm64-node-1.30-v20240703", AmazonLinux2, Some("1.30")),
            (
                "/aws/service/eks/optimized-ami/1.31/amazon-linux-2-gpu/recommended/image_id",
                AmazonLinux2,
                Some("1.31"),
            ),
            ("AL2023_x86_64_STANDARD", AmazonLinux2023, None),
            ("AmazonLinux2023", AmazonLinux2023, None),
            ("al2023@v20250807", AmazonLinux2023, None),
            ("amazon-eks-node-al2023-x86_64-standard-1.33-v*", AmazonLinux2023, Some("1.33")),
            (
                "/aws/service/eks/optimized-ami/1.34/amazon-linux-2023/x86_64/standard/recommended/image_id",
                AmazonLinux2023,
                Some("1.34"),
            ),
            ("amazon-eks-node-al2023-arm64-v1.31-*", AmazonLinux2023, Some("1.31")),
            (
                "/aws/service/canonical/ubuntu/eks/22.04/1.29/stable/current/amd64/hvm/ebs-gp2/ami-id",
                Ubuntu,
                Some("1.29"),
            ),
            ("bottlerocket-aws-k8s-1.35-fips-x86_64-v1.58.0-c5c37032", Bottlerocket, Some("1.35")),
            ("BOTTLEROCKET_ARM_64", Bottlerocket, None),
            ("bottlerocket@v1.20.3", Bottlerocket, None),
            ("bottlerocket-aws-k8s-1.33-x86_64-v1.20.3-abc", Bottlerocket, Some("1.33")),
            ("/aws/service/bottlerocket/aws-k8s-1.33/x86_64/latest/image_id", Bottlerocket, Some("1.33")),
            ("WINDOWS_CORE_2022_x86_64", Windows, None),
            (
                "/aws/service/ami-windows-latest/Windows_Server-2022-English-Core-EKS_Optimized-1.33/image_id",
                Windows,
                Some("1.33"),
            ),
            (
                "ubuntu-eks/k8s_1.29/images/hvm-ssd/ubuntu-jammy-22.04-amd64-server-20240101",
                Ubuntu,
                Some("1.29"),
            ),
            ("Ubuntu2204", Ubuntu, None),
            ("CUSTOM", Custom, None),
        ] {
            let image = node_image(text).unwrap_or_else(|| panic!("{text}"));
            assert_eq!(image.family, family, "{text}");
            assert_eq!(image.kubernetes.map(|v| v.to_string()).as_deref(), version, "{text}");
        }
        for text in ["", "ami-0123456789abcdef0", "al2k", "my-golden-image-1.33"] {
            assert_eq!(node_image(text), None, "{text}");
        }
    }

    #[test]
    fn release_versions_carry_the_kubernetes_version() {
        assert_eq!(release_version("1.33.8-20260304").unwrap().to_string(), "1.33.8");
        for text in ["", "1.33", "20260304", "1.33-eks", "latest-20260304"] {
            assert_eq!(release_version(text), None, "{text}");
        }
    }

    #[test]
    fn the_end_of_amazon_linux_2_has_a_source() {
        let end = image_end(ImageFamily::AmazonLinux2).unwrap();
        assert_eq!(end.last, KubeMinor::new(32));
        assert!(end.source.starts_with("https://"));
        assert_eq!(image_end(ImageFamily::Bottlerocket), None);
    }
}
