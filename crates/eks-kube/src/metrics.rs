//! The text format of metrics, as far as one metric of the API server needs it.
//!
//! <https://github.com/prometheus/docs/blob/main/docs/instrumenting/exposition_formats.md> (2026-11)

use std::collections::{BTreeMap, BTreeSet};

use eks_provider::kube::DeprecatedApiRequest;

/// What is asked for: set to 1 when a deprecated API is asked for, until the API server ends.
const REQUESTED: &str = "apiserver_requested_deprecated_apis";

/// The deprecated APIs that were asked for, sorted. Lines of other metrics are not looked at; a line of this one
/// that cannot be read is an error, since what it says is not known.
pub(crate) fn requested_deprecated_apis(text: &str) -> Result<Vec<DeprecatedApiRequest>, String> {
    let mut found = BTreeSet::new();
    for line in text.lines() {
        let Some(rest) = line.strip_prefix(REQUESTED) else { continue };
        // Another metric whose name begins so.
        if !rest.starts_with(['{', ' ', '\t']) {
            continue;
        }
        let unreadable = || format!("the line `{line}` of the metrics cannot be read");
        let (mut labels, value) = sample(rest).ok_or_else(unreadable)?;
        let value: f64 = value.parse().map_err(|_| unreadable())?;
        if value == 0.0 {
            continue;
        }
        let mut take = |label: &str| labels.remove(label).unwrap_or_default();
        found.insert(DeprecatedApiRequest {
            group: take("group"),
            version: take("version"),
            resource: take("resource"),
            subresource: take("subresource"),
            removed_release: Some(take("removed_release")).filter(|release| !release.is_empty()),
        });
    }
    Ok(found.into_iter().collect())
}

/// Labels and value behind the name of a metric; a time may follow.
fn sample(text: &str) -> Option<(BTreeMap<String, String>, &str)> {
    let (labels, rest) = match text.strip_prefix('{') {
        Some(inside) => labels(inside)?,
        None => (BTreeMap::new(), text),
    };
    Some((labels, rest.split_whitespace().next()?))
}

/// `a="b",c="d"}`, and what follows.
fn labels(mut text: &str) -> Option<(BTreeMap<String, String>, &str)> {
    let mut found = BTreeMap::new();
    loop {
        text = text.trim_start_matches([' ', ',']);
        if let Some(rest) = text.strip_prefix('}') {
            return Some((found, rest));
        }
        let (name, rest) = text.split_once('=')?;
        let (value, rest) = quoted(rest.trim_start())?;
        found.insert(name.trim().to_owned(), value);
        text = rest;
    }
}

/// A text in quotes, and what follows.
fn quoted(text: &str) -> Option<(String, &str)> {
    let text = text.strip_prefix('"')?;
    let mut value = String::new();
    let mut letters = text.char_indices();
    while let Some((at, letter)) = letters.next() {
        match letter {
            '"' => return Some((value, &text[at + 1..])),
            '\\' => value.push(match letters.next()?.1 {
                'n' => '\n',
                other => other,
            }),
            other => value.push(other),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_was_asked_for_is_read() {
        let text = "\
# HELP apiserver_requested_deprecated_apis [STABLE] Gauge of deprecated APIs that have been requested
# TYPE apiserver_requested_deprecated_apis gauge
apiserver_request_total{code=\"200\"} 5
apiserver_requested_deprecated_apis_other{group=\"x\"} 1
apiserver_requested_deprecated_apis{group=\"flowcontrol.apiserver.k8s.io\",removed_release=\"1.32\",resource=\"flowschemas\",subresource=\"status\",version=\"v1beta3\"} 1
apiserver_requested_deprecated_apis{group=\"\",removed_release=\"\",resource=\"componentstatuses\",subresource=\"\",version=\"v1\"} 1 1764000000000
apiserver_requested_deprecated_apis{group=\"never\",version=\"v1\"} 0
";
        let found = requested_deprecated_apis(text).unwrap();
        let request =
            |group: &str, version: &str, resource: &str, subresource: &str, removed: Option<&str>| {
                DeprecatedApiRequest {
                    group: group.to_owned(),
                    version: version.to_owned(),
                    resource: resource.to_owned(),
                    subresource: subresource.to_owned(),
                    removed_release: removed.map(ToOwned::to_owned),
                }
            };
        assert_eq!(
            found,
            [
                request("", "v1", "componentstatuses", "", None),
                request("flowcontrol.apiserver.k8s.io", "v1beta3", "flowschemas", "status", Some("1.32")),
            ]
        );
        assert_eq!(requested_deprecated_apis(""), Ok(Vec::new()));
    }

    #[test]
    fn quotes_and_braces_within_a_label_end_nothing() {
        let text = "apiserver_requested_deprecated_apis{ group = \"a\\\"}\\\\b\\nc\" , version=\"v1\",} 1e0";
        assert_eq!(requested_deprecated_apis(text).unwrap()[0].group, "a\"}\\b\nc");
    }

    #[test]
    fn a_line_of_it_that_cannot_be_read_is_said() {
        for rest in ["{group=\"a\"}", "{group=\"a} 1", "{group} 1", "{group=\"a\"} many", " "] {
            let error = requested_deprecated_apis(&format!("{REQUESTED}{rest}")).unwrap_err();
            assert!(error.contains("cannot be read"), "{error}");
        }
    }

    proptest! {
        #[test]
        fn any_label_comes_back_as_it_was(group in ".*", resource in "[a-z]{0,9}") {
            let escape = |text: &str| text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
            let text = format!("{REQUESTED}{{group=\"{}\",resource=\"{resource}\"}} 1\n", escape(&group));
            // What Rust takes for the end of a line and the format does not.
            prop_assume!(!group.contains('\r'));
            let found = requested_deprecated_apis(&text).unwrap();
            prop_assert_eq!(&found[0].group, &group);
            prop_assert_eq!(&found[0].resource, &resource);
        }

        #[test]
        fn no_text_is_too_strange(text in ".*") {
            let _ = requested_deprecated_apis(&format!("{REQUESTED}{text}"));
        }
    }
}
