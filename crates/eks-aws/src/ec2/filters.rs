//! Filters. EC2 leaves out what does not match, where a list of ids fails as a whole for one that
//! is not there: so ids are asked for by filters too.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_ec2::types as sdk;

/// Values a filter.
const VALUES: usize = 200;

/// A filter by a name, for these values.
pub(super) fn filter(name: impl Into<String>, values: &[String]) -> sdk::Filter {
    let values = values.iter().map(|value| literal(value)).collect();
    sdk::Filter::builder().name(name).set_values(Some(values)).build()
}

/// Filters for tags: any of the values, or, where there are none, any value.
pub(super) fn by_tags(tags: &BTreeMap<String, Vec<String>>) -> Vec<sdk::Filter> {
    tags.iter()
        .map(|(key, values)| {
            if values.is_empty() {
                // `tag-key` twice would be "or"; a tag with any value is both.
                sdk::Filter::builder().name(format!("tag:{key}")).values("*").build()
            } else {
                filter(format!("tag:{key}"), values)
            }
        })
        .collect()
}

/// The filters of each call: ids in portions, with everything else. `None` is all, and an empty set
/// is no call.
pub(super) fn portions(
    name: &str,
    ids: Option<&BTreeSet<String>>,
    others: &[sdk::Filter],
) -> Vec<Vec<sdk::Filter>> {
    let Some(ids) = ids else { return vec![others.to_vec()] };
    let ids: Vec<String> = ids.iter().cloned().collect();
    ids.chunks(VALUES)
        .map(|ids| {
            let mut filters = vec![filter(name, ids)];
            filters.extend(others.iter().cloned());
            filters
        })
        .collect()
}

/// A value that means itself: `*` and `?` would mean anything.
fn literal(value: &str) -> String {
    let mut text = String::with_capacity(value.len());
    for c in value.chars() {
        if matches!(c, '*' | '?' | '\\') {
            text.push('\\');
        }
        text.push(c);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_ids_are_no_call_and_all_are_one() {
        assert_eq!(portions("subnet-id", Some(&BTreeSet::new()), &[]), Vec::<Vec<sdk::Filter>>::new());
        assert_eq!(portions("subnet-id", None, &[]), vec![Vec::new()]);
        let ids: BTreeSet<String> = (0..450).map(|number| format!("i-{number}")).collect();
        let portions = portions("instance-id", Some(&ids), &by_tags(&[("a".to_owned(), vec![])].into()));
        let sizes: Vec<usize> = portions.iter().map(|filters| filters[0].values().len()).collect();
        assert_eq!(sizes, [200, 200, 50]);
        assert!(portions.iter().all(|filters| filters[1].values() == ["*"]));
    }

    #[test]
    fn values_mean_themselves() {
        assert_eq!(literal(r"a*b?c\d"), r"a\*b\?c\\d");
    }
}
