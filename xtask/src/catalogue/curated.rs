//! Reads `curated.tsv`: what no module can tell, kept by hand.

use std::collections::BTreeSet;

use anyhow::{Context, bail, ensure};

use super::derive::Eks;
use super::history::Persisted;
use super::names::{ApiName, Minor};

/// The header of the table.
const COLUMNS: &str = "group\tversion\tkind\tchange\tintroduced\tdeprecated\tremoved\treplacement\t\
                       persisted\teks\twhy\tsource\tas_of";

/// What a cell says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Cell<T> {
    /// Empty: what the modules say stands.
    Unsaid,
    /// `-`: there is none, whatever the modules say.
    Nothing,
    Is(T),
}

impl<T> Cell<T> {
    fn parse(text: &str, read: impl Fn(&str) -> anyhow::Result<T>) -> anyhow::Result<Self> {
        Ok(match text {
            "" => Self::Unsaid,
            "-" => Self::Nothing,
            text => Self::Is(read(text)?),
        })
    }

    pub(super) fn is_unsaid(&self) -> bool {
        matches!(self, Self::Unsaid)
    }

    /// What it says; `None` for an empty cell too.
    pub(super) fn value(self) -> Option<T> {
        match self {
            Self::Is(value) => Some(value),
            Self::Unsaid | Self::Nothing => None,
        }
    }
}

/// What a row does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Change {
    /// It changes what the modules say.
    Correct,
    /// It adds an API that they do not have.
    Add,
}

/// A row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Curated {
    pub(super) name: ApiName,
    pub(super) change: Change,
    pub(super) introduced: Cell<Minor>,
    pub(super) deprecated: Cell<Minor>,
    pub(super) removed: Cell<Minor>,
    pub(super) replacement: Cell<ApiName>,
    pub(super) persisted: Option<Persisted>,
    pub(super) eks: Option<Eks>,
    pub(super) source: String,
    pub(super) as_of: String,
}

impl Curated {
    /// Whether it is about this API: a kind of `*` stands for all kinds of a version.
    pub(super) fn is_about(&self, api: &ApiName) -> bool {
        let Self { name, .. } = self;
        name.group == api.group
            && name.version == api.version
            && (name.kind == api.kind || self.is_about_all_kinds())
    }

    pub(super) fn is_about_all_kinds(&self) -> bool {
        self.name.kind == "*"
    }
}

/// Reads the table. The rows must be sorted, so that two people add to it at two places.
pub(super) fn parse(table: &str) -> anyhow::Result<Vec<Curated>> {
    let mut lines = table.lines().zip(1..).filter(|(line, _)| !line.starts_with('#') && !line.is_empty());
    let header = lines.next().map(|(line, _)| line);
    ensure!(header == Some(COLUMNS), "the header is not `{COLUMNS}`");
    let mut rows: Vec<Curated> = Vec::new();
    let mut seen = BTreeSet::new();
    for (line, number) in lines {
        let row = row(line).with_context(|| format!("line {number}"))?;
        ensure!(seen.insert(row.name.clone()), "line {number}: {} is there twice", row.name);
        if let Some(before) = rows.last() {
            ensure!(before.name < row.name, "line {number}: {} is not in its place", row.name);
        }
        rows.push(row);
    }
    Ok(rows)
}

fn row(line: &str) -> anyhow::Result<Curated> {
    let cells: Vec<&str> = line.split('\t').collect();
    let [
        group,
        version,
        kind,
        change,
        introduced,
        deprecated,
        removed,
        replacement,
        persisted,
        eks,
        why,
        source,
        as_of,
    ] = cells.as_slice()
    else {
        bail!("{} columns instead of 13", cells.len());
    };
    ensure!(!why.is_empty(), "it does not say why");
    ensure!(source.starts_with("https://"), "the source is no address");
    ensure!(as_of.len() == 10, "the date is not like 2026-11-24");
    let change = match *change {
        "correct" => Change::Correct,
        "add" => Change::Add,
        other => bail!("the change is `{other}`, not `correct` or `add`"),
    };
    let curated = Curated {
        name: ApiName::new(group, version, kind),
        change,
        introduced: Cell::parse(introduced, Minor::parse)?,
        deprecated: Cell::parse(deprecated, Minor::parse)?,
        removed: Cell::parse(removed, Minor::parse)?,
        replacement: Cell::parse(replacement, ApiName::parse)?,
        persisted: match *persisted {
            "" => None,
            "yes" => Some(Persisted::Yes),
            "no" => Some(Persisted::No),
            "file" => Some(Persisted::File),
            other => bail!("persisted is `{other}`"),
        },
        eks: match *eks {
            "" => None,
            "served" => Some(Eks::Served),
            "never" => Some(Eks::Never),
            other => bail!("eks is `{other}`"),
        },
        source: (*source).to_owned(),
        as_of: (*as_of).to_owned(),
    };
    if change == Change::Add {
        ensure!(curated.persisted.is_some(), "an added row says what becomes of its objects");
        ensure!(!curated.is_about_all_kinds(), "an added row names its kind");
    }
    Ok(curated)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(rows: &str) -> anyhow::Result<Vec<Curated>> {
        parse(&format!("# by hand\n{COLUMNS}\n{rows}"))
    }

    #[test]
    fn cells_are_unsaid_nothing_or_a_value() {
        let rows = parsed(
            "apps\tv1beta1\tReplicaSet\tadd\t\t\t1.16\tapps/v1 ReplicaSet\tyes\t\twhy\thttps://x\t2026-11-24\n\
             g\tv1alpha1\t*\tcorrect\t\t-\t1.23\t-\t\tserved\twhy\thttps://x\t2026-11-24\n",
        )
        .unwrap();
        assert_eq!(rows[0].change, Change::Add);
        assert_eq!(rows[0].removed, Cell::Is(Minor(16)));
        assert!(rows[0].introduced.is_unsaid() && rows[0].eks.is_none());
        assert_eq!(rows[1].deprecated, Cell::Nothing);
        assert!(rows[1].is_about(&ApiName::new("g", "v1alpha1", "Any")));
        assert!(!rows[1].is_about(&ApiName::new("g", "v1", "Any")));
        assert_eq!(rows[1].eks, Some(Eks::Served));
    }

    #[test]
    fn a_row_needs_a_reason_a_source_and_a_date() {
        for (row, reason) in [
            ("g\tv1\tA\tcorrect\t1.2\t\t\t\t\t\t\thttps://x\t2026-11-24", "why"),
            ("g\tv1\tA\tcorrect\t1.2\t\t\t\t\t\twhy\thttp://x\t2026-11-24", "address"),
            ("g\tv1\tA\tcorrect\t1.2\t\t\t\t\t\twhy\thttps://x\t2026", "date"),
            ("g\tv1\tA\tchange\t1.2\t\t\t\t\t\twhy\thttps://x\t2026-11-24", "correct"),
            ("g\tv1\tA\tcorrect\t2.2\t\t\t\t\t\twhy\thttps://x\t2026-11-24", "minor"),
            ("g\tv1\tA\tadd\t1.2\t\t\t\t\t\twhy\thttps://x\t2026-11-24", "becomes"),
            ("g\tv1\t*\tadd\t1.2\t\t\t\tno\t\twhy\thttps://x\t2026-11-24", "kind"),
            ("g\tv1\tA", "13"),
        ] {
            let error = format!("{:#}", parsed(row).unwrap_err());
            assert!(error.contains(reason) && error.contains("line 3"), "{row}: {error}");
        }
        assert!(parse("group\tversion\n").is_err());
    }

    #[test]
    fn rows_are_sorted_and_unique() {
        let row = |kind: &str| format!("g\tv1\t{kind}\tcorrect\t1.2\t\t\t\t\t\twhy\thttps://x\t2026-11-24\n");
        assert!(parsed(&[row("A"), row("B")].concat()).is_ok());
        for rows in [[row("B"), row("A")], [row("A"), row("A")]] {
            assert!(parsed(&rows.concat()).is_err());
        }
    }
}
