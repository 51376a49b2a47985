//! A recorded answer of `DescribeAddonVersions`.

use std::collections::BTreeMap;

use eks_model::{AddonVersion, KubeMinor, PlatformVersions};
use jiff::civil::Date;
use serde::Deserialize;

/// One version of an add-on that fits a Kubernetes version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offered {
    /// The version.
    pub version: AddonVersion,
    /// Whether EKS takes it when nothing is said.
    pub default: bool,
    /// On which platform versions of that Kubernetes it runs.
    pub platforms: Vec<PlatformVersions>,
}

/// What EKS offers, by add-on and Kubernetes version: the answer of
/// `aws eks describe-addon-versions` as it is, recorded on a day.
///
/// ```
/// use eks_addons::Capture;
/// let answer = br#"{"addons": [{"addonName": "vpc-cni", "addonVersions": [{"addonVersion": "v1.23.2-eksbuild.1",
///     "compatibilities": [{"clusterVersion": "1.37", "platformVersions": ["*"], "defaultVersion": true}]}]}]}"#;
/// let capture = Capture::parse(answer, "2026-11-24".parse()?)?;
/// assert_eq!(capture.minors().map(|minor| minor.to_string()).collect::<Vec<_>>(), ["1.37"]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Capture {
    /// The day on which it was recorded.
    pub as_of: Date,
    lists: BTreeMap<String, BTreeMap<KubeMinor, Vec<Offered>>>,
}

/// An answer that is not one of `DescribeAddonVersions`.
#[derive(Debug, thiserror::Error)]
pub enum CaptureError {
    /// It is not JSON of this shape.
    #[error("it is not an answer of `aws eks describe-addon-versions --output json`")]
    Shape(#[source] serde_json::Error),
    /// A version in it is none.
    #[error("add-on {addon} has a version that is none")]
    Version {
        /// The add-on.
        addon: String,
        /// What is wrong with it.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// Two versions are the default for one Kubernetes version.
    #[error("add-on {addon} has more than one default version for Kubernetes {minor}; record it again")]
    TwoDefaults {
        /// The add-on.
        addon: String,
        /// The Kubernetes version.
        minor: KubeMinor,
    },
    /// It holds no add-on.
    #[error("it holds no add-on; record it without filters")]
    Empty,
    /// It is one page of several.
    #[error(
        "it is one page of several (it has a `nextToken`); record it whole, without --no-paginate or --max-items"
    )]
    Partial,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Answer {
    addons: Vec<AnswerAddon>,
    #[serde(default, alias = "NextToken")]
    next_token: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct AnswerAddon {
    addon_name: String,
    #[serde(default)]
    addon_versions: Vec<AnswerVersion>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct AnswerVersion {
    addon_version: String,
    #[serde(default)]
    compatibilities: Vec<Compatibility>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Compatibility {
    cluster_version: String,
    #[serde(default)]
    platform_versions: Vec<String>,
    #[serde(default)]
    default_version: bool,
}

impl Capture {
    /// Reads an answer.
    ///
    /// # Errors
    /// [`CaptureError`] when it is none, is not whole, or contradicts itself.
    pub fn parse(json: &[u8], as_of: Date) -> Result<Self, CaptureError> {
        let answer: Answer = serde_json::from_slice(json).map_err(CaptureError::Shape)?;
        if answer.next_token.is_some_and(|token| !token.is_empty()) {
            return Err(CaptureError::Partial);
        }
        if answer.addons.is_empty() {
            return Err(CaptureError::Empty);
        }
        let mut lists: BTreeMap<String, BTreeMap<KubeMinor, Vec<Offered>>> = BTreeMap::new();
        for addon in answer.addons {
            let wrong = |source: Box<dyn std::error::Error + Send + Sync>| CaptureError::Version {
                addon: addon.addon_name.clone(),
                source,
            };
            let by_minor = lists.entry(addon.addon_name.clone()).or_default();
            for version in &addon.addon_versions {
                let number: AddonVersion = version.addon_version.parse().map_err(|e| wrong(Box::new(e)))?;
                for fits in &version.compatibilities {
                    let minor: KubeMinor = fits.cluster_version.parse().map_err(|e| wrong(Box::new(e)))?;
                    let platforms = fits
                        .platform_versions
                        .iter()
                        .map(|text| text.parse())
                        .collect::<Result<_, _>>()
                        .map_err(|e| wrong(Box::new(e)))?;
                    by_minor.entry(minor).or_default().push(Offered {
                        version: number.clone(),
                        default: fits.default_version,
                        platforms,
                    });
                }
            }
            for (&minor, offered) in by_minor.iter_mut() {
                offered.sort_by(|a, b| a.version.cmp(&b.version));
                if offered.iter().filter(|offered| offered.default).count() > 1 {
                    return Err(CaptureError::TwoDefaults { addon: addon.addon_name.clone(), minor });
                }
            }
        }
        Ok(Self { as_of, lists })
    }

    /// The Kubernetes versions that it speaks of.
    pub fn minors(&self) -> impl Iterator<Item = KubeMinor> {
        let minors: std::collections::BTreeSet<KubeMinor> =
            self.lists.values().flat_map(|by_minor| by_minor.keys().copied()).collect();
        minors.into_iter()
    }

    /// What it offers: add-on, Kubernetes version, and the versions in order. An add-on that it
    /// names has an entry for each Kubernetes version that it speaks of, an empty one too.
    pub fn lists(&self) -> impl Iterator<Item = (&str, KubeMinor, &[Offered])> {
        let minors: Vec<KubeMinor> = self.minors().collect();
        self.lists.iter().flat_map(move |(addon, by_minor)| {
            minors.clone().into_iter().map(move |minor| {
                (addon.as_str(), minor, by_minor.get(&minor).map_or(&[][..], Vec::as_slice))
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: Date = jiff::civil::date(2026, 11, 24);

    #[test]
    fn broken_answers_say_what_to_do() {
        let version = |default: bool, version: &str| {
            format!(
                r#"{{"addonVersion": "{version}", "compatibilities": [{{"clusterVersion": "1.36", "platformVersions": ["*"], "defaultVersion": {default}}}]}}"#
            )
        };
        let two = format!(
            r#"{{"addons": [{{"addonName": "a", "addonVersions": [{}, {}]}}]}}"#,
            version(true, "v1.0.0-eksbuild.1"),
            version(true, "v1.0.0-eksbuild.2")
        );
        let odd =
            format!(r#"{{"addons": [{{"addonName": "a", "addonVersions": [{}]}}]}}"#, version(true, "new"));
        for (text, words) in [
            ("", "describe-addon-versions"),
            ("[]", "describe-addon-versions"),
            (r#"{"addons": []}"#, "without filters"),
            (r#"{"addons": [{"addonName": "a"}], "nextToken": "x"}"#, "whole"),
            (two.as_str(), "more than one default"),
            (odd.as_str(), "version that is none"),
        ] {
            let error = Capture::parse(text.as_bytes(), DAY).unwrap_err().to_string();
            assert!(error.contains(words), "{text}: {error}");
        }
    }

    #[test]
    fn an_add_on_without_a_version_for_a_minor_has_an_empty_list() {
        let text = r#"{"addons": [
            {"addonName": "a", "addonVersions": [{"addonVersion": "v1.0.0-eksbuild.1", "compatibilities": [{"clusterVersion": "1.36"}, {"clusterVersion": "1.37"}]}]},
            {"addonName": "b", "addonVersions": [{"addonVersion": "v2.0.0-eksbuild.1", "compatibilities": [{"clusterVersion": "1.36"}]}]}]}"#;
        let capture = Capture::parse(text.as_bytes(), DAY).unwrap();
        let counts: Vec<(String, String, usize)> =
            capture.lists().map(|(a, m, o)| (a.to_owned(), m.to_string(), o.len())).collect();
        let expected = [("a", "1.36", 1), ("a", "1.37", 1), ("b", "1.36", 1), ("b", "1.37", 0)];
        assert_eq!(counts, expected.map(|(a, m, n)| (a.to_owned(), m.to_owned(), n)));
    }
}
