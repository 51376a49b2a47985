//! Managed add-ons: which versions fit which Kubernetes, and which to move to.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::OnceLock;

use eks_model::table::{TableError, rows};
use eks_model::{AddonVersion, KubeMinor, PlatformVersions};
use jiff::civil::Date;

use crate::capture::{Capture, Offered};
use crate::evidence::{Evidence, Fit, Origin};

static MANAGED: &str = include_str!("../data/managed.tsv");
static COMPLETE: &str = include_str!("../data/complete.tsv");
static OLDEST: &str = include_str!("../data/oldest.tsv");
static ADDONS: &str = include_str!("../data/addons.tsv");
static SOURCES: &str = include_str!("../data/sources.tsv");

/// How strictly an add-on goes one minor at a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Stepping {
    /// EKS's guide demands it of this add-on.
    Must,
    /// The best-practices guide advises it.
    Advised,
}

/// What is known of an add-on itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AddonFacts {
    /// Its name in the EKS API.
    pub name: &'static str,
    /// Who makes it: `aws`, `community`.
    pub owner: &'static str,
    /// The namespace that it runs in.
    pub namespace: &'static str,
    /// Its place among the add-ons: lower ones are updated first.
    pub order: u32,
    /// How strictly it goes one minor at a time.
    pub stepping: Stepping,
    /// Its versions are those of Kubernetes (kube-proxy).
    pub follows_kubernetes: bool,
    /// What else is special about its update.
    pub note: &'static str,
    /// Where that can be read.
    pub source: &'static str,
    /// When it was.
    pub as_of: Date,
}

/// A version known to be offered for a Kubernetes version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The version.
    pub version: AddonVersion,
    /// Whether EKS takes it when nothing is said.
    pub default: bool,
    /// On which platform versions it runs.
    pub platforms: Vec<PlatformVersions>,
    /// Where that comes from.
    pub evidence: Evidence,
}

/// What is known for an add-on and a Kubernetes version.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct List {
    /// In the order of the versions.
    entries: Vec<Entry>,
    /// Where the list was complete, if it ever was.
    complete: Option<Evidence>,
}

/// Which version to move to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Wanted {
    /// The one that EKS takes when nothing is said.
    Default,
    /// The newest.
    Newest,
    /// The nearest that is not below the one in use.
    SmallestStep,
}

/// The version to move to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Choice {
    /// The version in use fits and is not below what is wanted.
    Stay,
    /// This one.
    MoveTo(Entry),
    /// No version fits that Kubernetes.
    NoneExists(Evidence),
    /// Nobody here can say.
    Unknown {
        /// Why, as the end of a sentence.
        reason: String,
    },
}

/// When an add-on is updated, beside a hop of the control plane.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum When {
    /// Before: the version in use does not fit the new Kubernetes.
    Before,
    /// After: what it moves to does not fit the old one.
    After,
    /// Before or after, as one likes.
    Either,
    /// Neither will do: no version fits both sides of the hop and the one in use does not fit the
    /// new side. It must move on the old side and again on the new one, or cannot be kept.
    Neither,
}

/// One step of an add-on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AddonStep {
    /// Major and minor of the step.
    pub line: (u64, u64),
    /// The newest version of that line that is known; `None` when none is.
    pub version: Option<AddonVersion>,
}

/// The matrices of managed add-ons.
#[derive(Debug, Clone)]
pub struct Matrix {
    lists: BTreeMap<(Cow<'static, str>, KubeMinor), List>,
    oldest: Vec<Oldest>,
    facts: Vec<AddonFacts>,
}

#[derive(Debug, Clone)]
struct Oldest {
    addon: &'static str,
    minor: KubeMinor,
    version: AddonVersion,
    required: bool,
    evidence: Evidence,
}

impl Oldest {
    /// What is recommended for a minor is for that one; what one requires, all later ones do.
    fn holds(&self, minor: KubeMinor) -> bool {
        if self.required { self.minor <= minor } else { self.minor == minor }
    }
}

impl Matrix {
    /// The table that is part of this program. A live or recorded `DescribeAddonVersions` knows
    /// better: [`Matrix::with`].
    pub fn embedded() -> &'static Self {
        static EMBEDDED: OnceLock<Matrix> = OnceLock::new();
        // A test parses the tables, so no build that passed its tests comes to the other branch.
        EMBEDDED.get_or_init(|| Self::parse().unwrap_or_else(|error| unreachable!("{error}")))
    }

    fn parse() -> Result<Self, TableError> {
        let sources = sources(SOURCES)?;
        let mut lists: BTreeMap<(Cow<'static, str>, KubeMinor), List> = BTreeMap::new();
        for row in rows::<8>("managed.tsv", MANAGED) {
            let row = row?;
            let [addon, minor, version, default, platforms, _how, as_of, source] = row.columns;
            let evidence = evidence(&row, &sources, source, as_of)?;
            lists.entry((Cow::Borrowed(addon), row.parse(minor)?)).or_default().entries.push(Entry {
                version: row.parse(version)?,
                default: default == "yes",
                platforms: platforms.split(',').map(|text| row.parse(text)).collect::<Result<_, _>>()?,
                evidence,
            });
        }
        for list in lists.values_mut() {
            list.entries.sort_by(|a, b| a.version.cmp(&b.version));
        }
        for row in rows::<4>("complete.tsv", COMPLETE) {
            let row = row?;
            let [addon, minor, as_of, source] = row.columns;
            let evidence = evidence(&row, &sources, source, as_of)?;
            lists.entry((Cow::Borrowed(addon), row.parse(minor)?)).or_default().complete = Some(evidence);
        }
        let oldest = rows::<6>("oldest.tsv", OLDEST)
            .map(|row| {
                let row = row?;
                let [addon, minor, version, kind, as_of, source] = row.columns;
                Ok(Oldest {
                    addon,
                    minor: row.parse(minor)?,
                    version: row.parse(version)?,
                    required: match kind {
                        "required" => true,
                        "recommended" => false,
                        _ => return Err(row.error(format!("`{kind}` is neither required nor recommended"))),
                    },
                    evidence: evidence(&row, &sources, source, as_of)?,
                })
            })
            .collect::<Result<_, TableError>>()?;
        let facts = rows::<9>("addons.tsv", ADDONS)
            .map(|row| {
                let row = row?;
                let [name, owner, namespace, order, stepping, follows, note, source, as_of] = row.columns;
                Ok(AddonFacts {
                    name,
                    owner,
                    namespace,
                    order: row.parse(order)?,
                    stepping: match stepping {
                        "must" => Stepping::Must,
                        "advised" => Stepping::Advised,
                        _ => return Err(row.error(format!("`{stepping}` is neither must nor advised"))),
                    },
                    follows_kubernetes: follows == "yes",
                    note,
                    source: sources
                        .get(source)
                        .copied()
                        .ok_or_else(|| row.error("its source is not listed"))?,
                    as_of: row.parse(as_of)?,
                })
            })
            .collect::<Result<_, TableError>>()?;
        Ok(Self { lists, oldest, facts })
    }

    /// The same with a catalogue from outside, which wins over the table wherever it speaks.
    ///
    /// ```
    /// use eks_addons::{Capture, Matrix, Origin, Fit};
    /// let answer = br#"{"addons": [{"addonName": "vpc-cni", "addonVersions": [{"addonVersion": "v1.23.2-eksbuild.1",
    ///     "compatibilities": [{"clusterVersion": "1.37", "platformVersions": ["*"], "defaultVersion": true}]}]}]}"#;
    /// let capture = Capture::parse(answer, "2026-11-24".parse()?)?;
    /// let matrix = Matrix::embedded().with(&capture);
    /// let fit = matrix.judge("vpc-cni", &"v1.23.2-eksbuild.1".parse()?, "1.37".parse()?);
    /// let Fit::Compatible(evidence) = fit else { panic!() };
    /// assert_eq!((evidence.origin, evidence.as_of), (Origin::Catalogue, "2026-11-24".parse()?));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn with(&self, capture: &Capture) -> Self {
        let mut with = self.clone();
        let evidence = Evidence {
            origin: Origin::Catalogue,
            source: Cow::Borrowed("DescribeAddonVersions"),
            as_of: capture.as_of,
        };
        for (addon, minor, offered) in capture.lists() {
            let entry = |offered: &Offered| Entry {
                version: offered.version.clone(),
                default: offered.default,
                platforms: offered.platforms.clone(),
                evidence: evidence.clone(),
            };
            with.lists.insert(
                (Cow::Owned(addon.to_owned()), minor),
                List { entries: offered.iter().map(entry).collect(), complete: Some(evidence.clone()) },
            );
        }
        with
    }

    /// What is known of an add-on itself.
    pub fn facts(&self, addon: &str) -> Option<&AddonFacts> {
        self.facts.iter().find(|facts| facts.name == addon)
    }

    /// The names of all add-ons of which a version is known.
    pub fn addons(&self) -> Vec<&str> {
        let mut names: Vec<&str> = self.lists.keys().map(|(addon, _)| addon.as_ref()).collect();
        names.dedup();
        names
    }

    fn list(&self, addon: &str, minor: KubeMinor) -> Option<&List> {
        self.lists.get(&(Cow::Owned(addon.to_owned()), minor))
    }

    /// The versions known to be offered for a Kubernetes version, in order.
    pub fn versions(&self, addon: &str, minor: KubeMinor) -> &[Entry] {
        self.list(addon, minor).map_or(&[], |list| &list.entries)
    }

    /// Whether a version fits a Kubernetes version.
    ///
    /// Known to fit: a version that is listed; another build of a listed version; kube-proxy within the
    /// skew that EKS lists (up to three minors behind, two before 1.28, never above); a vpc-cni from the
    /// oldest that its project recommends to the newest known. Known not to fit: what a complete list does
    /// not have, up to its newest; what is below a required oldest. Everything else is unknown.
    pub fn judge(&self, addon: &str, version: &AddonVersion, minor: KubeMinor) -> Fit {
        let list = self.list(addon, minor);
        let entries = list.map_or(&[][..], |list| list.entries.as_slice());
        // `1.19.2` without a build means any of them, as eksctl reads it.
        let plain = version.as_semver().pre.is_empty();
        let same =
            |entry: &&Entry| entry.version == *version || (plain && entry.version.core() == version.core());
        if let Some(entry) = entries.iter().find(same) {
            return Fit::Compatible(entry.evidence.clone());
        }
        let catalogue = list
            .and_then(|list| list.complete.as_ref())
            .filter(|complete| complete.origin == Origin::Catalogue);
        if let Some(facts) = self.facts(addon)
            && facts.follows_kubernetes
            && catalogue.is_none()
        {
            return follows(facts, version, minor);
        }
        let incompatible = |reason: String, evidence: &Evidence| Fit::Incompatible {
            reason,
            none_exists: entries.is_empty(),
            evidence: evidence.clone(),
        };
        if catalogue.is_none() {
            for oldest in self.oldest.iter().filter(|row| row.addon == addon && row.holds(minor)) {
                let newest = entries.last().map(|entry| &entry.version);
                if oldest.required && version.core() < oldest.version.core() {
                    return incompatible(
                        format!("Kubernetes {minor} needs {} or newer", oldest.version),
                        &oldest.evidence,
                    );
                }
                if !oldest.required
                    && version.core() >= oldest.version.core()
                    && newest.is_some_and(|newest| version.core() <= newest.core())
                {
                    return Fit::Compatible(oldest.evidence.clone());
                }
            }
            // Builds of one version differ in their base image only.
            if let Some(entry) = entries.iter().find(|entry| entry.version.core() == version.core()) {
                return Fit::Compatible(entry.evidence.clone());
            }
        }
        match (list.and_then(|list| list.complete.as_ref()), entries.last()) {
            (Some(complete), None) => {
                incompatible(format!("EKS offers no version of it for Kubernetes {minor}"), complete)
            }
            (Some(complete), Some(newest)) if *version < newest.version => incompatible(
                format!("EKS does not offer it for Kubernetes {minor}, up to {}", newest.version),
                complete,
            ),
            (_, Some(newest)) if *version > newest.version => Fit::Unknown {
                reason: format!(
                    "it is newer than the newest known for Kubernetes {minor} ({} of {})",
                    newest.version, newest.evidence.as_of
                ),
            },
            (_, Some(_)) => Fit::Unknown {
                reason: format!(
                    "of the versions for Kubernetes {minor} only some are known here, and not this one"
                ),
            },
            (None, None) => Fit::Unknown {
                reason: if self.lists.keys().any(|(known, _)| known == addon) {
                    format!("no version of it for Kubernetes {minor} is known here")
                } else {
                    "this add-on is not known here".to_owned()
                },
            },
        }
    }

    /// Whether any version fits a Kubernetes version, for an add-on that is not pinned.
    pub fn any(&self, addon: &str, minor: KubeMinor) -> Fit {
        let list = self.list(addon, minor);
        if let Some(entry) = list.and_then(|list| list.entries.last()) {
            return Fit::Compatible(entry.evidence.clone());
        }
        match list.and_then(|list| list.complete.as_ref()) {
            Some(complete) => Fit::Incompatible {
                reason: format!("EKS offers no version of it for Kubernetes {minor}"),
                none_exists: true,
                evidence: complete.clone(),
            },
            None => Fit::Unknown { reason: format!("no version of it for Kubernetes {minor} is known here") },
        }
    }

    /// The version to move to for a Kubernetes version. Never below the one in use while that fits.
    pub fn choose(
        &self,
        addon: &str,
        in_use: Option<&AddonVersion>,
        minor: KubeMinor,
        wanted: Wanted,
    ) -> Choice {
        let fits = in_use.is_some_and(|version| self.judge(addon, version, minor).is_compatible());
        let entries = self.versions(addon, minor);
        let found = match wanted {
            Wanted::Default => entries.iter().find(|entry| entry.default),
            Wanted::Newest => entries.last(),
            Wanted::SmallestStep if fits => return Choice::Stay,
            Wanted::SmallestStep => {
                entries.iter().find(|entry| in_use.is_none_or(|version| entry.version >= *version))
            }
        };
        match (found, in_use) {
            (Some(entry), Some(version)) if fits && entry.version <= *version => Choice::Stay,
            (Some(entry), _) => Choice::MoveTo(entry.clone()),
            (None, _) => match self.any(addon, minor) {
                Fit::Incompatible { evidence, .. } => Choice::NoneExists(evidence),
                Fit::Unknown { reason } => Choice::Unknown { reason },
                Fit::Compatible(_) => Choice::Unknown {
                    reason: match wanted {
                        Wanted::Default => {
                            format!("which version is the default for Kubernetes {minor} is not known here")
                        }
                        Wanted::Newest | Wanted::SmallestStep => format!(
                            "no version for Kubernetes {minor} at or above the one in use is known here"
                        ),
                    },
                },
            },
        }
    }

    /// The steps from one version to another: one minor at a time. Another build or patch of the same
    /// minor, and going down, is one step.
    ///
    /// ```
    /// use eks_addons::Matrix;
    /// let (from, to) = ("v1.19.0-eksbuild.1".parse()?, "v1.21.1-eksbuild.7".parse()?);
    /// let steps = Matrix::embedded().steps("vpc-cni", &from, &to);
    /// assert_eq!(steps.iter().map(|step| step.line).collect::<Vec<_>>(), [(1, 20), (1, 21)]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn steps(&self, addon: &str, from: &AddonVersion, to: &AddonVersion) -> Vec<AddonStep> {
        let (major, first) = from.line();
        let last = AddonStep { line: to.line(), version: Some(to.clone()) };
        if major != to.line().0 || to <= from {
            return if from == to { Vec::new() } else { vec![last] };
        }
        let mut steps: Vec<AddonStep> = (first + 1..to.line().1)
            .map(|minor| AddonStep {
                line: (major, minor),
                version: self
                    .lists
                    .iter()
                    .filter(|((known, _), _)| known == addon)
                    .flat_map(|(_, list)| &list.entries)
                    .map(|entry| &entry.version)
                    .filter(|version| version.line() == (major, minor))
                    .max()
                    .cloned(),
            })
            .collect();
        steps.push(last);
        steps
    }

    /// When an add-on is updated, beside a hop from one Kubernetes to the next; `None` when it need not
    /// be: the version in use fits both, or whether it does is unknown.
    pub fn when(&self, addon: &str, in_use: &AddonVersion, from: KubeMinor, to: KubeMinor) -> Option<When> {
        match self.judge(addon, in_use, to) {
            Fit::Compatible(_) | Fit::Unknown { .. } => {
                // kube-proxy is never above the control plane, and follows it.
                return self.facts(addon).filter(|facts| facts.follows_kubernetes).map(|_| When::After);
            }
            Fit::Incompatible { .. } => {}
        }
        let both = self
            .versions(addon, to)
            .iter()
            .any(|entry| entry.version > *in_use && self.judge(addon, &entry.version, from).is_compatible());
        if both {
            Some(When::Before)
        } else if self.versions(addon, to).is_empty() {
            Some(When::Neither)
        } else {
            Some(When::After)
        }
    }

    /// Names of add-ons in the order in which they are updated: the network first, what needs another
    /// after it. Unknown ones come last, by name.
    pub fn order<'n>(&self, mut names: Vec<&'n str>) -> Vec<&'n str> {
        names.sort_by_key(|name| (self.facts(name).map_or(u32::MAX, |facts| facts.order), *name));
        names
    }
}

/// kube-proxy: EKS lists its minors from three behind the cluster's (two before 1.28) up to the
/// cluster's own, as every complete list that was read shows.
fn follows(facts: &AddonFacts, version: &AddonVersion, minor: KubeMinor) -> Fit {
    let evidence =
        Evidence { origin: Origin::Table, source: Cow::Borrowed(facts.source), as_of: facts.as_of };
    let own = u16::try_from(version.line().1).ok().filter(|_| version.line().0 == 1).map(KubeMinor::new);
    let behind = if minor >= KubeMinor::new(28) { 3 } else { 2 };
    let incompatible =
        |reason: String| Fit::Incompatible { reason, none_exists: false, evidence: evidence.clone() };
    match own {
        Some(own) if own > minor => incompatible(format!("it must not be above the control plane ({minor})")),
        Some(own) if own.minor() + behind < minor.minor() => {
            incompatible(format!("it may be at most {behind} minors behind the control plane ({minor})"))
        }
        Some(_) => Fit::Compatible(evidence),
        None => Fit::Unknown { reason: "its version is none of Kubernetes'".to_owned() },
    }
}

pub(crate) type Sources = BTreeMap<&'static str, &'static str>;

/// The table of sources.
pub(crate) fn sources(text: &'static str) -> Result<Sources, TableError> {
    rows::<2>("sources.tsv", text).map(|row| row.map(|row| (row.columns[0], row.columns[1]))).collect()
}

/// The sources that are part of this program.
pub(crate) fn embedded_sources() -> Result<Sources, TableError> {
    sources(SOURCES)
}

pub(crate) fn evidence<const N: usize>(
    row: &eks_model::table::Row<'static, N>,
    sources: &Sources,
    source: &str,
    as_of: &str,
) -> Result<Evidence, TableError> {
    let citation =
        sources.get(source).ok_or_else(|| row.error(format!("the source `{source}` is not listed")))?;
    Ok(Evidence { origin: Origin::Table, source: Cow::Borrowed(citation), as_of: row.parse(as_of)? })
}

#[cfg(test)]
mod tests;
