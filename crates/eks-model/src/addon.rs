//! Versions of EKS add-ons and of the EKS platform, as the API writes them.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The version of an add-on: `v1.18.3-eksbuild.2`.
///
/// The order is numeric in each segment, as EKS numbers its builds. A version without a build is
/// above all its builds, as in semantic versioning; the API writes none without.
///
/// ```
/// use eks_model::AddonVersion;
/// let version = |text: &str| text.parse::<AddonVersion>().unwrap();
/// assert!(version("v1.11.4-eksbuild.53") > version("v1.11.4-eksbuild.9"));
/// assert_eq!(version("1.36.0-minimal-eksbuild.2").to_string(), "v1.36.0-minimal-eksbuild.2");
/// assert_eq!(version("v1.18.3-eksbuild.2").line(), (1, 18));
/// ```
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AddonVersion(semver::Version);

impl AddonVersion {
    /// Major and minor: what "one minor at a time" counts.
    pub fn line(&self) -> (u64, u64) {
        (self.0.major, self.0.minor)
    }

    /// Major, minor and patch.
    pub fn core(&self) -> (u64, u64, u64) {
        (self.0.major, self.0.minor, self.0.patch)
    }

    /// The version as `semver` has it.
    pub fn as_semver(&self) -> &semver::Version {
        &self.0
    }
}

impl fmt::Display for AddonVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "v{}", self.0)
    }
}

/// A text that is not the version of an add-on.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{input}` is not the version of an add-on; write it like v1.18.3-eksbuild.2")]
pub struct ParseAddonVersionError {
    input: String,
}

impl FromStr for AddonVersion {
    type Err = ParseAddonVersionError;

    fn from_str(input: &str) -> Result<Self, Self::Err> {
        let text = input.trim();
        let text = text.strip_prefix(['v', 'V']).unwrap_or(text);
        let error = || ParseAddonVersionError { input: input.to_owned() };
        if let Ok(version) = semver::Version::parse(text) {
            return Ok(Self(version));
        }
        // `1.18` is what people write for the first of a line.
        let dots = text.bytes().filter(|&b| b == b'.').count();
        let plain = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit() || b == b'.');
        match (plain, dots) {
            (true, 1) => semver::Version::parse(&format!("{text}.0")).map(Self).map_err(|_| error()),
            _ => Err(error()),
        }
    }
}

impl Serialize for AddonVersion {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for AddonVersion {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// Which platform versions of a Kubernetes version an add-on version runs on: `*`, `eks.5`,
/// `eks.5+`.
///
/// ```
/// use eks_model::PlatformVersions;
/// let some: PlatformVersions = "eks.5+".parse()?;
/// assert!(some.fits(5) && some.fits(41) && !some.fits(4));
/// # Ok::<(), eks_model::ParsePlatformError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PlatformVersions {
    /// `*`
    Any,
    /// `eks.5`: this one.
    Only(u32),
    /// `eks.5+`: from this one on.
    From(u32),
}

impl PlatformVersions {
    /// Whether the platform version `eks.<number>` is one of them.
    pub fn fits(self, number: u32) -> bool {
        match self {
            Self::Any => true,
            Self::Only(only) => number == only,
            Self::From(from) => number >= from,
        }
    }
}

impl fmt::Display for PlatformVersions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Any => f.write_str("*"),
            Self::Only(number) => write!(f, "eks.{number}"),
            Self::From(number) => write!(f, "eks.{number}+"),
        }
    }
}

/// A text that names no platform version.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{input}` is not a platform version of EKS; it looks like eks.5, eks.5+ or *")]
pub struct ParsePlatformError {
    input: String,
}

impl FromStr for PlatformVersions {
    type Err = ParsePlatformError;

    fn from_str(input: &str) -> Result<Self, Self::Err> {
        let error = || ParsePlatformError { input: input.to_owned() };
        if input == "*" {
            return Ok(Self::Any);
        }
        let number = input.strip_prefix("eks.").ok_or_else(error)?;
        match number.strip_suffix('+') {
            Some(number) => number.parse().map(Self::From).map_err(|_| error()),
            None => number.parse().map(Self::Only).map_err(|_| error()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn version(text: &str) -> AddonVersion {
        text.parse().unwrap()
    }

    #[test]
    fn builds_are_ordered_by_number() {
        let mut versions: Vec<AddonVersion> =
            ["v1.11.4-eksbuild.9", "v1.9.3-eksbuild.53", "v1.11.4-eksbuild.53", "v1.11.4-eksbuild.100"]
                .map(version)
                .into();
        versions.sort();
        let sorted: Vec<String> = versions.iter().map(ToString::to_string).collect();
        assert_eq!(
            sorted,
            ["v1.9.3-eksbuild.53", "v1.11.4-eksbuild.9", "v1.11.4-eksbuild.53", "v1.11.4-eksbuild.100"]
        );
    }

    #[test]
    fn what_is_no_version_is_refused() {
        for text in ["", "latest", "v", "1", "v1.2.3.4", "1.x", "v1.18.3_eksbuild"] {
            let error = text.parse::<AddonVersion>().unwrap_err().to_string();
            assert!(error.contains(text), "{error}");
        }
        for text in ["eks", "eks.", "eks.x", "5", "eks.5-", ""] {
            assert!(text.parse::<PlatformVersions>().is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn printing_and_parsing_agree(a in 0u64..99, b in 0u64..99, c in 0u64..99, build in 0u64..999) {
            let text = format!("v{a}.{b}.{c}-eksbuild.{build}");
            prop_assert_eq!(version(&text).to_string(), text);
        }

        #[test]
        fn the_order_is_that_of_the_numbers(a in prop::array::uniform4(0u64..30), b in prop::array::uniform4(0u64..30)) {
            let text = |n: [u64; 4]| format!("v{}.{}.{}-eksbuild.{}", n[0], n[1], n[2], n[3]);
            prop_assert_eq!(version(&text(a)).cmp(&version(&text(b))), a.cmp(&b));
        }

        #[test]
        fn no_text_panics(text in ".*") {
            let _version: Result<AddonVersion, _> = text.parse();
            let _platform: Result<PlatformVersions, _> = text.parse();
        }
    }
}
