//! The query protocol: `Action=…&InstanceIds.member.1=…`, flat.

use std::collections::{BTreeMap, BTreeSet};

/// What was sent.
#[derive(Debug, Clone, Default)]
pub(super) struct Query {
    values: BTreeMap<String, String>,
}

/// A filter: its name, and its values.
pub(super) type Filter = (String, Vec<String>);

/// A value that cannot be used, in the words of the service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct BadValue(pub(super) String);

impl Query {
    pub(super) fn parse(body: &[u8], of_path: &[(String, String)]) -> Self {
        let own = form_urlencoded::parse(body).into_owned();
        Self { values: of_path.iter().cloned().chain(own).collect() }
    }

    pub(super) fn action(&self) -> &str {
        self.get("Action").unwrap_or_default()
    }

    /// The names of what was sent.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.values.keys().map(String::as_str)
    }

    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.values.get(name).map(String::as_str)
    }

    pub(super) fn required(&self, name: &str) -> Result<&str, BadValue> {
        self.get(name).ok_or_else(|| BadValue(format!("The request must contain the parameter {name}")))
    }

    pub(super) fn number<T: std::str::FromStr>(&self, name: &str) -> Result<Option<T>, BadValue> {
        match self.get(name) {
            None => Ok(None),
            Some(text) => text
                .parse()
                .map(Some)
                .map_err(|_| BadValue(format!("Invalid value `{text}` for {name}: it must be a number"))),
        }
    }

    pub(super) fn flag(&self, name: &str) -> Result<Option<bool>, BadValue> {
        match self.get(name) {
            None => Ok(None),
            Some("true" | "True" | "1") => Ok(Some(true)),
            Some("false" | "False" | "0") => Ok(Some(false)),
            Some(text) => {
                Err(BadValue(format!("Invalid value `{text}` for {name}: it must be true or false")))
            }
        }
    }

    /// The texts of a list: `Names.member.1` (Auto Scaling), `InstanceId.1` (EC2). `None` where there is none.
    pub(super) fn texts(&self, prefix: &str) -> Option<Vec<String>> {
        let indices = self.indices(prefix);
        if indices.is_empty() {
            return None;
        }
        Some(
            indices
                .iter()
                .filter_map(|index| self.get(&format!("{prefix}.{index}")))
                .map(str::to_owned)
                .collect(),
        )
    }

    /// The numbers that the items of a list have, in order.
    pub(super) fn indices(&self, prefix: &str) -> Vec<u32> {
        let dotted = format!("{prefix}.");
        let found: BTreeSet<u32> = self
            .values
            .range(dotted.clone()..)
            .take_while(|(key, _)| key.starts_with(&dotted))
            .filter_map(|(key, _)| key.get(dotted.len()..)?.split('.').next()?.parse().ok())
            .collect();
        found.into_iter().collect()
    }

    /// `Filter.1.Name`, `Filter.1.Value.1`: EC2's filters; `Filters.member.1.…`: those of Auto Scaling.
    pub(super) fn filters(&self, prefix: &str, values: &str) -> Vec<Filter> {
        self.indices(prefix)
            .into_iter()
            .filter_map(|index| {
                let name = self.get(&format!("{prefix}.{index}.Name"))?.to_owned();
                Some((name, self.texts(&format!("{prefix}.{index}.{values}")).unwrap_or_default()))
            })
            .collect()
    }

    /// Filters by tag: `tag:Name` with its values, `tag-key` with any. `Err` names a filter that is not known.
    pub(super) fn tag_filters(filters: &[Filter]) -> (BTreeMap<String, Vec<String>>, Vec<&Filter>) {
        let mut tags: BTreeMap<String, Vec<String>> = BTreeMap::new();
        let mut others = Vec::new();
        for filter in filters {
            match (filter.0.strip_prefix("tag:"), filter.0.as_str()) {
                (Some(key), _) => tags.entry(key.to_owned()).or_default().extend(filter.1.iter().cloned()),
                (None, "tag-key") => {
                    for key in &filter.1 {
                        tags.entry(key.clone()).or_default();
                    }
                }
                _ => others.push(filter),
            }
        }
        (tags, others)
    }
}
