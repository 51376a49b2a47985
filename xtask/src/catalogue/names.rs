//! What is named: minors and APIs.

use std::fmt;

use anyhow::{Context, bail};

/// A minor release of Kubernetes: `1.N`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Minor(pub(super) u16);

impl Minor {
    pub(super) fn next(self) -> Self {
        Self(self.0 + 1)
    }

    pub(super) fn previous(self) -> Option<Self> {
        self.0.checked_sub(1).map(Self)
    }

    /// Reads `1.25`.
    pub(super) fn parse(text: &str) -> anyhow::Result<Self> {
        let minor = text.strip_prefix("1.").and_then(|minor| minor.parse().ok());
        minor.map(Self).with_context(|| format!("`{text}` is not a minor like 1.25"))
    }
}

impl fmt::Display for Minor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "1.{}", self.0)
    }
}

/// How far a version of an API got.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stability {
    Alpha,
    Beta,
    Ga,
}

/// An API: a kind in a version of a group. They sort as the table does.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct ApiName {
    /// Empty for the core group.
    pub(super) group: String,
    pub(super) version: String,
    pub(super) kind: String,
}

impl ApiName {
    pub(super) fn new(group: &str, version: &str, kind: &str) -> Self {
        Self { group: group.to_owned(), version: version.to_owned(), kind: kind.to_owned() }
    }

    /// Reads `networking.k8s.io/v1 Ingress` or `v1 Pod`.
    pub(super) fn parse(text: &str) -> anyhow::Result<Self> {
        let Some((api_version, kind)) = text.split_once(' ') else {
            bail!("`{text}` is not an API like `networking.k8s.io/v1 Ingress`");
        };
        let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
        Ok(Self::new(group, version, kind))
    }

    pub(super) fn stability(&self) -> Stability {
        if self.version.contains("alpha") {
            Stability::Alpha
        } else if self.version.contains("beta") {
            Stability::Beta
        } else {
            Stability::Ga
        }
    }

    /// 2 for `v2` and `v2beta1`; higher is newer.
    pub(super) fn major(&self) -> u32 {
        let digits = self.version.trim_start_matches('v').chars().map_while(|c| c.to_digit(10));
        digits.fold(0, |number, digit| number * 10 + digit)
    }

    /// Whether it is another version of the same thing.
    pub(super) fn is_sibling_of(&self, other: &Self) -> bool {
        self.group == other.group && self.kind == other.kind && self.version != other.version
    }
}

impl fmt::Display for ApiName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.group.is_empty() {
            write!(f, "{}/", self.group)?;
        }
        write!(f, "{} {}", self.version, self.kind)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_read_back_what_they_print() {
        for text in ["v1 Pod", "networking.k8s.io/v1 Ingress", "autoscaling/v2beta1 HorizontalPodAutoscaler"]
        {
            assert_eq!(ApiName::parse(text).unwrap().to_string(), text);
        }
        assert!(ApiName::parse("v1/Pod").is_err());
        assert_eq!(Minor::parse("1.37").unwrap().to_string(), "1.37");
        assert!(Minor::parse("2.1").is_err() && Minor::parse("1.x").is_err());
    }

    #[test]
    fn versions_have_a_stability_and_an_order() {
        for (version, stability, major) in
            [("v1", Stability::Ga, 1), ("v2beta1", Stability::Beta, 2), ("v1alpha3", Stability::Alpha, 1)]
        {
            let api = ApiName::new("g", version, "K");
            assert_eq!((api.stability(), api.major()), (stability, major), "{version}");
        }
    }
}
