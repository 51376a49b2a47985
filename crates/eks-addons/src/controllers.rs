//! Third-party controllers: the Kubernetes versions that their projects publish for them.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use eks_model::KubeMinor;
use eks_model::table::{TableError, rows};

use crate::evidence::{Evidence, Fit};
use crate::image_ref::ImageRef;
use crate::matrix::{embedded_sources, evidence};

static CONTROLLERS: &str = include_str!("../data/controllers.tsv");
static RECOGNISE: &str = include_str!("../data/recognise.tsv");
static CHARTS: &str = include_str!("../data/charts.tsv");

/// What a project says of a range of Kubernetes versions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Basis {
    /// It does not work outside.
    Required,
    /// It is meant for exactly that minor.
    Match,
    /// It is supported inside.
    Supported,
    /// It is tested inside.
    Tested,
    /// The client library that it is built with.
    Client,
    /// Collected by somebody else.
    Secondary,
}

impl Basis {
    fn parse(text: &str) -> Option<Self> {
        Some(match text {
            "required" => Self::Required,
            "match" => Self::Match,
            "supported" => Self::Supported,
            "tested" => Self::Tested,
            "client" => Self::Client,
            "secondary" => Self::Secondary,
            _ => return None,
        })
    }

    /// What it says, as words before `1.33 to 1.35`.
    fn words(self) -> &'static str {
        match self {
            Self::Required => "works with",
            Self::Match => "is meant for",
            Self::Supported => "is supported with",
            Self::Tested => "is tested with",
            Self::Client => "is built for",
            Self::Secondary => "is said to go with",
        }
    }
}

/// A version as numbers: `v1.34.2-rc.1` is 1, 34, 2.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Numbers(Vec<u64>);

impl Numbers {
    fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let text = text.strip_prefix(['v', 'V']).unwrap_or(text);
        let core = text.split(['-', '+']).next()?;
        let numbers: Option<Vec<u64>> = core.split('.').map(|part| part.parse().ok()).collect();
        numbers.filter(|numbers| numbers.len() >= 2).map(Self)
    }

    /// Compared on as many numbers as the bound has.
    fn cmp_prefix(&self, bound: &Self) -> std::cmp::Ordering {
        let shared = self.0.len().min(bound.0.len());
        let by_shared = self.0.iter().take(shared).cmp(bound.0.iter().take(shared));
        // `1.2` against the bound `1.2.3`: a version that says less counts as its first.
        by_shared.then_with(|| {
            if self.0.len() < bound.0.len() {
                self.0.len().cmp(&bound.0.len())
            } else {
                std::cmp::Ordering::Equal
            }
        })
    }
}

#[derive(Debug, Clone)]
struct Range {
    from: Option<Numbers>,
    through: Option<Numbers>,
    lowest: Option<KubeMinor>,
    highest: Option<KubeMinor>,
    basis: Basis,
    evidence: Evidence,
}

impl Range {
    fn holds(&self, version: &Numbers) -> bool {
        self.from.as_ref().is_none_or(|from| version.cmp_prefix(from).is_ge())
            && self.through.as_ref().is_none_or(|through| version.cmp_prefix(through).is_le())
    }

    fn allows(&self, minor: KubeMinor) -> bool {
        self.lowest.is_none_or(|lowest| lowest <= minor)
            && self.highest.is_none_or(|highest| minor <= highest)
    }

    fn kubernetes(&self) -> String {
        match (self.lowest, self.highest) {
            (Some(low), Some(high)) if low == high => format!("Kubernetes {low}"),
            (Some(low), Some(high)) => format!("Kubernetes {low} to {high}"),
            (Some(low), None) => format!("Kubernetes {low} and newer"),
            (None, Some(high)) => format!("Kubernetes up to {high}"),
            (None, None) => "every Kubernetes".to_owned(),
        }
    }
}

#[derive(Debug, Clone)]
struct Chart {
    name: &'static str,
    from: Option<Numbers>,
    through: Option<Numbers>,
    version: &'static str,
}

/// The published ranges, and how programs are recognised.
#[derive(Debug)]
pub struct Controllers {
    ranges: BTreeMap<&'static str, Vec<Range>>,
    /// The last part of a repository, and all its parts, the last first.
    images: BTreeMap<&'static str, Vec<(Vec<&'static str>, &'static str)>>,
    charts: BTreeMap<&'static str, &'static str>,
    labels: BTreeMap<&'static str, &'static str>,
    addons: BTreeMap<&'static str, &'static str>,
    chart_versions: Vec<Chart>,
}

impl Controllers {
    /// The tables that are part of this program.
    pub fn embedded() -> &'static Self {
        static EMBEDDED: OnceLock<Controllers> = OnceLock::new();
        // A test parses the tables, so no build that passed its tests comes to the other branch.
        EMBEDDED.get_or_init(|| Self::parse().unwrap_or_else(|error| unreachable!("{error}")))
    }

    fn parse() -> Result<Self, TableError> {
        let sources = embedded_sources()?;
        let mut ranges: BTreeMap<&'static str, Vec<Range>> = BTreeMap::new();
        for row in rows::<8>("controllers.tsv", CONTROLLERS) {
            let row = row?;
            let [component, from, through, lowest, highest, basis, as_of, source] = row.columns;
            let numbers = |text: &str| match text {
                "" => Ok(None),
                text => bound(text).map(Some).ok_or_else(|| row.error(format!("`{text}` is no version"))),
            };
            ranges.entry(component).or_default().push(Range {
                from: numbers(from)?,
                through: numbers(through)?,
                lowest: row.parse_some(lowest)?,
                highest: row.parse_some(highest)?,
                basis: Basis::parse(basis).ok_or_else(|| row.error(format!("`{basis}` is no basis")))?,
                evidence: evidence(&row, &sources, source, as_of)?,
            });
        }
        let mut found = Self {
            ranges,
            images: BTreeMap::new(),
            charts: BTreeMap::new(),
            labels: BTreeMap::new(),
            addons: BTreeMap::new(),
            chart_versions: Vec::new(),
        };
        for row in rows::<5>("recognise.tsv", RECOGNISE) {
            let row = row?;
            let [component, by, pattern, source, as_of] = row.columns;
            evidence(&row, &sources, source, as_of)?;
            match by {
                "image" => {
                    let parts: Vec<&'static str> = pattern.rsplit('/').collect();
                    let last = parts.first().copied().unwrap_or(pattern);
                    found.images.entry(last).or_default().push((parts, component));
                }
                "chart" => drop(found.charts.insert(pattern, component)),
                "label" => drop(found.labels.insert(pattern, component)),
                "addon" => drop(found.addons.insert(pattern, component)),
                _ => return Err(row.error(format!("`{by}` is no sign"))),
            }
        }
        for row in rows::<7>("charts.tsv", CHARTS) {
            let row = row?;
            let [chart, from, through, _component, version, source, as_of] = row.columns;
            evidence(&row, &sources, source, as_of)?;
            let numbers = |text: &str| match text {
                "" => Ok(None),
                text => bound(text).map(Some).ok_or_else(|| row.error(format!("`{text}` is no version"))),
            };
            found.chart_versions.push(Chart {
                name: chart,
                from: numbers(from)?,
                through: numbers(through)?,
                version,
            });
        }
        Ok(found)
    }

    /// The component that an image is, by the last parts of its repository: a mirror under another
    /// registry and folder is recognised too.
    ///
    /// ```
    /// use eks_addons::{Controllers, ImageRef};
    /// let image = ImageRef::parse("mirror.local:5000/k8s/autoscaling/cluster-autoscaler:v1.34.1").unwrap();
    /// assert_eq!(Controllers::embedded().by_image(&image), Some("cluster-autoscaler"));
    /// ```
    pub fn by_image(&self, image: &ImageRef<'_>) -> Option<&'static str> {
        // A pattern may name the registry too, where the repository alone could be anyone's.
        let parts = || image.repository.rsplit('/').chain(image.registry);
        self.images
            .get(parts().next()?)?
            .iter()
            .filter(|(pattern, _)| {
                let mut parts = parts();
                pattern.iter().all(|wanted| parts.next() == Some(wanted))
            })
            .max_by_key(|(pattern, _)| pattern.len())
            .map(|(_, component)| *component)
    }

    /// The component that a Helm chart brings.
    pub fn by_chart(&self, chart: &str) -> Option<&'static str> {
        self.charts.get(chart).copied()
    }

    /// The component that the label `app.kubernetes.io/name` names.
    pub fn by_label(&self, name: &str) -> Option<&'static str> {
        self.labels.get(name).copied()
    }

    /// The component that a managed add-on of this name is.
    pub fn by_addon(&self, addon: &str) -> Option<&'static str> {
        self.addons.get(addon).copied()
    }

    /// The names of the components of which ranges are known.
    pub fn components(&self) -> impl Iterator<Item = &'static str> {
        self.ranges.keys().copied()
    }

    /// The version of the component that a version of its chart brings; `None` where that is not known.
    pub fn chart_brings(&self, chart: &str, version: &str) -> Option<String> {
        let numbers = Numbers::parse(version)?;
        let row = self.chart_versions.iter().filter(|row| row.name == chart).find(|row| {
            row.from.as_ref().is_none_or(|from| numbers.cmp_prefix(from).is_ge())
                && row.through.as_ref().is_none_or(|through| numbers.cmp_prefix(through).is_le())
        })?;
        Some(if row.version == "same" { version.to_owned() } else { row.version.to_owned() })
    }

    /// Whether a version of a component fits a Kubernetes version, and what its project says that on.
    /// `None` when the component is not known.
    ///
    /// ```
    /// use eks_addons::Controllers;
    /// let (fit, _) = Controllers::embedded().judge("karpenter", "1.5.0", "1.33".parse()?).unwrap();
    /// assert!(fit.is_compatible());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn judge(&self, component: &str, version: &str, minor: KubeMinor) -> Option<(Fit, Basis)> {
        let ranges = self.ranges.get(component)?;
        let unknown = |reason: String| (Fit::Unknown { reason }, Basis::Secondary);
        let Some(numbers) = Numbers::parse(version) else {
            return Some(unknown(format!("`{version}` is no version that can be compared")));
        };
        let holding: Vec<&Range> = ranges.iter().filter(|range| range.holds(&numbers)).collect();
        if let Some(range) = holding.iter().find(|range| range.allows(minor)) {
            return Some((Fit::Compatible(range.evidence.clone()), range.basis));
        }
        let Some(range) = holding.iter().min_by_key(|range| range.basis) else {
            return Some(unknown("its project's table, as known here, does not have it".to_owned()));
        };
        // A scraped table that is silent about newer minors says nothing against them.
        if range.basis == Basis::Secondary && range.highest.is_some_and(|highest| minor > highest) {
            return Some(unknown(format!(
                "it is only known to go with {} ({})",
                range.kubernetes(),
                range.evidence
            )));
        }
        Some((
            Fit::Incompatible {
                reason: format!("it {} {}", range.basis.words(), range.kubernetes()),
                none_exists: false,
                evidence: range.evidence.clone(),
            },
            range.basis,
        ))
    }

    /// The oldest and newest version lines known to go with a Kubernetes version.
    pub fn fitting(&self, component: &str, minor: KubeMinor) -> Option<(String, String)> {
        let ranges = self.ranges.get(component)?;
        let mut fitting: Vec<&Numbers> = ranges
            .iter()
            .filter(|range| range.allows(minor))
            .filter_map(|range| range.from.as_ref())
            .collect();
        fitting.sort();
        let shown = |numbers: &Numbers| numbers.0.iter().map(u64::to_string).collect::<Vec<_>>().join(".");
        Some((shown(fitting.first()?), shown(fitting.last()?)))
    }
}

/// A bound of a range: `1.34`, `2`, `1.8.3`.
fn bound(text: &str) -> Option<Numbers> {
    let numbers: Option<Vec<u64>> =
        text.trim_start_matches('v').split('.').map(|part| part.parse().ok()).collect();
    numbers.filter(|numbers| !numbers.is_empty()).map(Numbers)
}

#[cfg(test)]
mod tests;
