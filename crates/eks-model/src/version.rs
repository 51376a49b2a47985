//! Kubernetes versions, as people and APIs write them.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A Kubernetes minor release: `1.36`.
///
/// Parses every spelling in common use: `1.34`, `v1.34`, `1.34.2`, `v1.34.2-eks-5e0fdde`,
/// `1.34+`. The order is the order of release.
///
/// ```
/// use eks_model::KubeMinor;
/// for spelling in ["1.34", "v1.34", "1.34.2", "v1.34.2-eks-5e0fdde", "1.34+"] {
///     assert_eq!(spelling.parse(), Ok(KubeMinor::new(34)), "{spelling}");
/// }
/// assert!(KubeMinor::new(9) < KubeMinor::new(10));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KubeMinor(u16);

impl KubeMinor {
    /// The minor `1.<minor>`.
    pub const fn new(minor: u16) -> Self {
        Self(minor)
    }

    /// The number behind `1.`.
    pub const fn minor(self) -> u16 {
        self.0
    }

    /// The minor before this one; `None` for `1.0`.
    pub const fn previous(self) -> Option<Self> {
        match self.0.checked_sub(1) {
            Some(minor) => Some(Self(minor)),
            None => None,
        }
    }

    /// The minor after this one.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }
}

impl fmt::Display for KubeMinor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "1.{}", self.0)
    }
}

impl FromStr for KubeMinor {
    type Err = ParseVersionError;

    fn from_str(input: &str) -> Result<Self, Self::Err> {
        KubeVersion::from_str(input).map(|version| version.minor())
    }
}

impl Serialize for KubeMinor {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for KubeMinor {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// A Kubernetes version: a minor, and what else was said of it (patch, vendor suffix).
///
/// ```
/// use eks_model::{KubeMinor, KubeVersion};
/// let version: KubeVersion = "v1.34.2-eks-5e0fdde".parse()?;
/// assert_eq!(version.minor(), KubeMinor::new(34));
/// assert_eq!(version.patch(), Some(2));
/// # Ok::<(), eks_model::ParseVersionError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct KubeVersion {
    minor: KubeMinor,
    full: Option<semver::Version>,
}

impl KubeVersion {
    /// The minor release that this version belongs to.
    pub fn minor(&self) -> KubeMinor {
        self.minor
    }

    /// The patch number, where one was given.
    pub fn patch(&self) -> Option<u64> {
        self.full.as_ref().map(|version| version.patch)
    }
}

impl fmt::Display for KubeVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.full {
            Some(full) => full.fmt(f),
            None => self.minor.fmt(f),
        }
    }
}

/// A text that is not a Kubernetes version.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{input}` is not a Kubernetes version ({reason}); write it like 1.36")]
pub struct ParseVersionError {
    input: String,
    reason: &'static str,
}

impl FromStr for KubeVersion {
    type Err = ParseVersionError;

    fn from_str(input: &str) -> Result<Self, Self::Err> {
        let error = |reason| ParseVersionError { input: input.to_owned(), reason };
        let text = input.trim();
        let text = text.strip_prefix(['v', 'V']).unwrap_or(text);
        if text.is_empty() {
            return Err(error("it is empty"));
        }
        let Some((major, rest)) = text.split_once('.') else {
            return Err(error("it has no minor"));
        };
        match major {
            "1" => {}
            _ if !major.is_empty() && major.bytes().all(|b| b.is_ascii_digit()) => {
                return Err(error("Kubernetes has no other major version than 1"));
            }
            _ => return Err(error("it does not start with a number")),
        }
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let (number, suffix) = rest.split_at(digits);
        if number.is_empty() {
            return Err(error("the minor is not a number"));
        }
        if number.len() > 1 && number.starts_with('0') {
            return Err(error("the minor has a leading zero"));
        }
        let minor = number.parse().map_err(|_| error("the minor is not a known number"))?;
        let minor = KubeMinor::new(minor);
        // `GET /version` of EKS once answered `minor: "34+"`.
        if matches!(suffix, "" | "+" | ".x") {
            return Ok(Self { minor, full: None });
        }
        match semver::Version::parse(&format!("1.{}{suffix}", minor.minor())) {
            Ok(full) => Ok(Self { minor, full: Some(full) }),
            Err(_) => Err(error("what follows the minor is not a patch version")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn spellings_in_use_all_mean_the_same_minor() {
        // peers.md part 2, row 26
        for spelling in [
            "1.31",
            "v1.31",
            "V1.31",
            " 1.31 ",
            "1.31.4",
            "v1.31.4",
            "v1.31.0-eks-a737599",
            "1.31+",
            "1.31.x",
            "1.31.2+k3s1",
            "1.31.0-rc.1",
        ] {
            assert_eq!(spelling.parse(), Ok(KubeMinor::new(31)), "{spelling}");
        }
    }

    #[test]
    fn what_is_no_version_is_refused_with_its_reason() {
        for (input, reason) in [
            ("", "empty"),
            ("latest", "no minor"),
            ("1", "no minor"),
            ("2.0", "other major"),
            ("1.", "not a number"),
            ("1.x", "not a number"),
            ("1.31.x.y", "patch"),
            ("1.31.4.5", "patch"),
            ("1.99999", "known number"),
            ("1.031", "leading zero"),
            ("x.31", "start with a number"),
            ("1.31-eks", "patch"),
        ] {
            let message = input.parse::<KubeMinor>().unwrap_err().to_string();
            assert!(message.contains(reason) && message.contains(input), "{input}: {message}");
        }
    }

    #[test]
    fn full_versions_keep_their_patch() {
        let version: KubeVersion = "v1.34.2-eks-5e0fdde".parse().unwrap();
        assert_eq!((version.patch(), version.to_string().as_str()), (Some(2), "1.34.2-eks-5e0fdde"));
        let minor: KubeVersion = "1.34".parse().unwrap();
        assert_eq!((minor.patch(), minor.to_string().as_str()), (None, "1.34"));
    }

    proptest! {
        #[test]
        fn printing_and_parsing_agree(minor in 0u16..) {
            let minor = KubeMinor::new(minor);
            prop_assert_eq!(minor.to_string().parse(), Ok(minor));
        }

        #[test]
        fn no_text_panics(text in ".*") {
            let _outcome: Result<KubeVersion, _> = text.parse();
        }

        #[test]
        fn the_order_is_the_order_of_numbers(a in 0u16.., b in 0u16..) {
            prop_assert_eq!(KubeMinor::new(a).cmp(&KubeMinor::new(b)), a.cmp(&b));
        }
    }
}
