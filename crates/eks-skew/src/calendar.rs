//! The version calendar of EKS: how long a version is supported, what happens then, what it costs.

use std::sync::OnceLock;

use eks_model::table::{TableError, rows};
use eks_model::{KubeMinor, SupportType};
use jiff::civil::Date;

static TABLE: &str = include_str!("../data/calendar.tsv");
static PRICES: &str = include_str!("../data/prices.tsv");

/// A Kubernetes version on EKS.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Release {
    /// The version.
    pub minor: KubeMinor,
    /// The day from which EKS offered it.
    pub released: Date,
    /// The first day that is no longer standard support.
    pub standard_ends: Date,
    /// The first day without any support; `None` for a version that had no extended support.
    pub extended_ends: Option<Date>,
    /// The ends are reckoned from the release, not read.
    pub projected: bool,
    /// Where it can be read.
    pub source: &'static str,
    /// When it was.
    pub as_of: Date,
}

/// Where a version is in its life, on a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Support {
    /// EKS does not offer it yet.
    NotYet,
    /// In standard support, for so many days more.
    Standard {
        /// Days until standard support ends.
        days_left: i32,
    },
    /// In extended support, for so many days more.
    Extended {
        /// Days until all support ends.
        days_left: i32,
    },
    /// Its support has ended.
    Ended,
}

/// What EKS will do to a control plane that stays where it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Outlook {
    /// From this day on, at any time and without notice, EKS upgrades the control plane.
    pub upgrades_from: Date,
    /// To this version, where the calendar knows one: the oldest then supported.
    pub to: Option<KubeMinor>,
}

/// What a cluster costs, in US cents.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Price {
    /// An hour.
    pub cents_an_hour: u32,
    /// Where it can be read.
    pub source: &'static str,
    /// When it was.
    pub as_of: Date,
}

/// Hours in a month, as AWS reckons them.
const HOURS_A_MONTH: u32 = 730;

/// The calendar, and the prices.
#[derive(Debug)]
pub struct Calendar {
    releases: Vec<Release>,
    standard: Price,
    extended: Price,
}

impl Calendar {
    /// The calendar that is part of this program. A live `DescribeClusterVersions` knows better.
    pub fn embedded() -> &'static Self {
        static EMBEDDED: OnceLock<Calendar> = OnceLock::new();
        // A test parses the tables, so no build that passed its tests comes to the other branch.
        EMBEDDED.get_or_init(|| Self::parse(TABLE, PRICES).unwrap_or_else(|error| unreachable!("{error}")))
    }

    fn parse(calendar: &'static str, prices: &'static str) -> Result<Self, TableError> {
        let mut releases = rows::<7>("calendar.tsv", calendar)
            .map(|row| {
                let row = row?;
                let [minor, released, standard_ends, extended_ends, projected, source, as_of] = row.columns;
                Ok(Release {
                    minor: row.parse(minor)?,
                    released: row.parse(released)?,
                    standard_ends: row.parse(standard_ends)?,
                    extended_ends: row.parse_some(extended_ends)?,
                    projected: match projected {
                        "yes" => true,
                        "no" => false,
                        _ => return Err(row.error("`projected` is neither yes nor no")),
                    },
                    source,
                    as_of: row.parse(as_of)?,
                })
            })
            .collect::<Result<Vec<_>, TableError>>()?;
        releases.sort_by_key(|release| release.minor);
        let mut standard = None;
        let mut extended = None;
        for row in rows::<4>("prices.tsv", prices) {
            let row = row?;
            let [what, cents, source, as_of] = row.columns;
            let price = Price { cents_an_hour: row.parse(cents)?, source, as_of: row.parse(as_of)? };
            match what {
                "standard" => standard = Some(price),
                "extended" => extended = Some(price),
                _ => return Err(row.error(format!("`{what}` is no kind of support"))),
            }
        }
        let missing = || TableError { table: "prices.tsv", line: 0, reason: "a price is missing".to_owned() };
        Ok(Self {
            releases,
            standard: standard.ok_or_else(missing)?,
            extended: extended.ok_or_else(missing)?,
        })
    }

    /// All versions, the oldest first.
    pub fn releases(&self) -> &[Release] {
        &self.releases
    }

    /// A version's row; `None` when the calendar does not know it.
    pub fn get(&self, minor: KubeMinor) -> Option<&Release> {
        self.releases.iter().find(|release| release.minor == minor)
    }

    /// The newest version that the calendar knows.
    pub fn newest(&self) -> Option<&Release> {
        self.releases.last()
    }

    /// Where a version is in its life on a day; `None` when the calendar does not know it.
    ///
    /// ```
    /// use eks_skew::{Calendar, Support};
    /// let day = "2026-11-24".parse()?;
    /// let support = |minor: &str| Calendar::embedded().support(minor.parse().unwrap(), day);
    /// assert_eq!(support("1.34"), Some(Support::Standard { days_left: 8 }));
    /// assert_eq!(support("1.31"), Some(Support::Extended { days_left: 2 }));
    /// assert_eq!(support("1.30"), Some(Support::Ended));
    /// # Ok::<(), jiff::Error>(())
    /// ```
    pub fn support(&self, minor: KubeMinor, today: Date) -> Option<Support> {
        // What is older than the oldest row ended before it did.
        if self.releases.first().is_some_and(|oldest| minor < oldest.minor) {
            return Some(Support::Ended);
        }
        let release = self.get(minor)?;
        let days = |until: Date| (until - today).get_days();
        Some(if today < release.released {
            Support::NotYet
        } else if today < release.standard_ends {
            Support::Standard { days_left: days(release.standard_ends) }
        } else {
            match release.extended_ends {
                Some(end) if today < end => Support::Extended { days_left: days(end) },
                _ => Support::Ended,
            }
        })
    }

    /// The oldest version that EKS supports on a day.
    pub fn oldest_supported(&self, today: Date) -> Option<KubeMinor> {
        let supported = |minor: &KubeMinor| {
            matches!(self.support(*minor, today), Some(Support::Standard { .. } | Support::Extended { .. }))
        };
        self.releases.iter().map(|release| release.minor).find(supported)
    }

    /// What EKS will do, and when, to a control plane of this version under an upgrade policy;
    /// `None` when the calendar does not know the version.
    ///
    /// With `STANDARD` it upgrades at the end of standard support, with `EXTENDED` at the end of
    /// extended support, "at any time after" that day, to the oldest version that is still
    /// supported. Node groups and add-ons stay as they are.
    /// <https://docs.aws.amazon.com/eks/latest/userguide/kubernetes-versions.html> (2026-02-01)
    pub fn outlook(&self, minor: KubeMinor, policy: SupportType) -> Option<Outlook> {
        let end = |release: &Release| match policy {
            SupportType::Standard => release.standard_ends,
            SupportType::Extended => release.extended_ends.unwrap_or(release.standard_ends),
        };
        let upgrades_from = end(self.get(minor)?);
        let to = self
            .releases
            .iter()
            .find(|release| {
                release.minor > minor && release.released <= upgrades_from && upgrades_from < end(release)
            })
            .map(|release| release.minor);
        Some(Outlook { upgrades_from, to })
    }

    /// What extended support adds to the price of a cluster, in US cents an hour.
    pub fn surcharge(&self) -> Price {
        Price {
            cents_an_hour: self.extended.cents_an_hour.saturating_sub(self.standard.cents_an_hour),
            ..self.extended
        }
    }
}

impl Price {
    /// A month of 730 hours, in US cents.
    pub fn cents_a_month(self) -> u32 {
        self.cents_an_hour * HOURS_A_MONTH
    }
}

/// An amount of US cents, for people: `USD 365.00`.
pub fn dollars(cents: u32) -> String {
    format!("USD {}.{:02}", cents / 100, cents % 100)
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    fn calendar() -> &'static Calendar {
        Calendar::embedded()
    }

    #[test]
    fn the_calendar_is_whole_and_in_order() {
        let releases = calendar().releases();
        for pair in releases.windows(2) {
            assert_eq!(pair[0].minor.next(), pair[1].minor, "a version is missing");
            assert!(pair[0].released < pair[1].released, "{}", pair[1].minor);
            assert!(pair[0].standard_ends < pair[1].standard_ends, "{}", pair[1].minor);
        }
        for release in releases {
            assert!(release.released < release.standard_ends, "{}", release.minor);
            assert!(release.extended_ends.is_none_or(|end| release.standard_ends < end), "{}", release.minor);
            assert!(release.source.starts_with("https://"), "{}", release.minor);
        }
    }

    #[test]
    fn a_day_is_either_standard_or_extended() {
        let minor = KubeMinor::new(33);
        for (day, support) in [
            (date(2025, 5, 28), Support::NotYet),
            (date(2025, 5, 29), Support::Standard { days_left: 426 }),
            (date(2026, 7, 28), Support::Standard { days_left: 1 }),
            (date(2026, 7, 29), Support::Extended { days_left: 365 }),
            (date(2027, 7, 28), Support::Extended { days_left: 1 }),
            (date(2027, 7, 29), Support::Ended),
        ] {
            assert_eq!(calendar().support(minor, day), Some(support), "{day}");
        }
        assert_eq!(calendar().support(KubeMinor::new(99), date(2026, 1, 1)), None);
        assert_eq!(calendar().support(KubeMinor::new(15), date(2026, 1, 1)), Some(Support::Ended));
        assert_eq!(calendar().oldest_supported(date(2026, 11, 24)), Some(KubeMinor::new(31)));
        // 1.20 came before there was extended support.
        assert_eq!(calendar().support(KubeMinor::new(20), date(2022, 11, 1)), Some(Support::Ended));
    }

    #[test]
    fn the_upgrade_policy_says_what_happens_and_when() {
        let outlook = |minor, policy| calendar().outlook(KubeMinor::new(minor), policy).unwrap();
        assert_eq!(
            outlook(34, SupportType::Standard),
            Outlook { upgrades_from: date(2026, 12, 2), to: Some(KubeMinor::new(35)) }
        );
        assert_eq!(
            outlook(31, SupportType::Extended),
            Outlook { upgrades_from: date(2026, 11, 26), to: Some(KubeMinor::new(32)) }
        );
        // Nobody knows yet what will be supported when the newest version ends.
        let newest = calendar().newest().unwrap().minor.minor();
        assert_eq!(outlook(newest, SupportType::Extended).to, None);
    }

    #[test]
    fn extended_support_has_a_price() {
        let surcharge = calendar().surcharge();
        assert_eq!(dollars(surcharge.cents_an_hour), "USD 0.50");
        assert_eq!(dollars(surcharge.cents_a_month()), "USD 365.00");
    }
}
