//! Reads what Go source says of the life of a type, and whether anything keeps its objects.

use std::collections::BTreeMap;

use anyhow::{Context, bail};

use super::go_source::{composite, string_literal};
use super::names::{ApiName, Minor};

/// What the `APILifecycle...` functions of a type return. kube-apiserver itself asks them: it
/// stops serving a type at the minor that `APILifecycleRemoved` returns, and warns with the rest.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Lifecycle {
    pub(super) introduced: Option<Minor>,
    pub(super) deprecated: Option<Minor>,
    pub(super) removed: Option<Minor>,
    pub(super) replacement: Option<ApiName>,
}

impl Lifecycle {
    /// Whether the type says nothing of its life.
    pub(super) fn is_unsaid(&self) -> bool {
        *self == Self::default()
    }
}

/// Adds what this file says, for each Go type. The functions are generated from the markers in
/// `types.go`, with the defaults (three minors on) worked out, or are written by hand.
pub(super) fn add_lifecycles(
    source: &str,
    lifecycles: &mut BTreeMap<String, Lifecycle>,
) -> anyhow::Result<()> {
    let mut lines = source.lines();
    while let Some(line) = lines.next() {
        let Some((go_type, function)) = lifecycle_function(line) else { continue };
        let body = lines.next().and_then(|line| line.trim().strip_prefix("return "));
        let body = body.with_context(|| format!("`{line}` does more than return"))?;
        let lifecycle = lifecycles.entry(go_type.to_owned()).or_default();
        match function {
            "Introduced" => lifecycle.introduced = Some(minor(body)?),
            "Deprecated" => lifecycle.deprecated = Some(minor(body)?),
            "Removed" => lifecycle.removed = Some(minor(body)?),
            "Replacement" => lifecycle.replacement = Some(replacement(body)?),
            _ => bail!("`{line}`: unknown function"),
        }
    }
    Ok(())
}

/// The type and what follows `APILifecycle` in `func (in *FlowSchema) APILifecycleRemoved() ...`.
fn lifecycle_function(line: &str) -> Option<(&str, &str)> {
    let (go_type, rest) = line.strip_prefix("func (in *")?.split_once(") APILifecycle")?;
    let (function, _) = rest.split_once('(')?;
    Some((go_type, function))
}

fn minor(body: &str) -> anyhow::Result<Minor> {
    let minor = body.strip_prefix("1, ").and_then(|minor| minor.parse().ok());
    minor.map(Minor).with_context(|| format!("`return {body}` is not like `return 1, 25`"))
}

fn replacement(body: &str) -> anyhow::Result<ApiName> {
    let fields = composite(body, "schema.GroupVersionKind")?;
    let field = |name: &str| fields.get(name).copied().and_then(string_literal);
    match (field("Group"), field("Version"), field("Kind")) {
        (Some(group), Some(version), Some(kind)) => Ok(ApiName::new(group, version, kind)),
        _ => bail!("`return {body}` does not name an API"),
    }
}

/// Adds the Go types whose objects a client can read back, by the `+genclient` comments above
/// them: no client, or one without verbs or that can only create, and nothing is kept.
pub(super) fn add_stored_types(source: &str, stored: &mut Vec<String>) {
    let mut comments: Vec<&str> = Vec::new();
    for line in source.lines() {
        if let Some(comment) = line.strip_prefix("//") {
            comments.push(comment.trim());
            continue;
        }
        if let Some(go_type) = line.strip_prefix("type ").and_then(|rest| rest.strip_suffix(" struct {")) {
            let has = |wanted: &str| comments.contains(&wanted);
            if has("+genclient") && !has("+genclient:noVerbs") && !has("+genclient:onlyVerbs=create") {
                stored.push(go_type.to_owned());
            }
        }
        // A blank line does not part the comments of a type, code does.
        if !line.is_empty() {
            comments.clear();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lifecycles(source: &str) -> anyhow::Result<BTreeMap<String, Lifecycle>> {
        let mut found = BTreeMap::new();
        add_lifecycles(source, &mut found)?;
        Ok(found)
    }

    #[test]
    fn generated_functions_are_read() {
        let source = r#"
// It is controlled by "k8s:prerelease-lifecycle-gen:introduced" tags in types.go.
func (in *FlowSchema) APILifecycleIntroduced() (major, minor int) {
	return 1, 20
}
func (in *FlowSchema) APILifecycleDeprecated() (major, minor int) {
	return 1, 23
}
func (in *FlowSchema) APILifecycleReplacement() schema.GroupVersionKind {
	return schema.GroupVersionKind{Group: "flowcontrol.apiserver.k8s.io", Version: "v1beta3", Kind: "FlowSchema"}
}
func (in *FlowSchema) APILifecycleRemoved() (major, minor int) {
	return 1, 26
}
func (in *FlowSchemaList) APILifecycleRemoved() (major, minor int) {
	return 1, 26
}
func (in *FlowSchema) DeepCopy() *FlowSchema {
	return nil
}"#;
        let found = lifecycles(source).unwrap();
        assert_eq!(
            found["FlowSchema"],
            Lifecycle {
                introduced: Some(Minor(20)),
                deprecated: Some(Minor(23)),
                removed: Some(Minor(26)),
                replacement: Some(ApiName::new("flowcontrol.apiserver.k8s.io", "v1beta3", "FlowSchema")),
            }
        );
        assert_eq!(found.len(), 2);
        assert!(Lifecycle::default().is_unsaid() && !found["FlowSchemaList"].is_unsaid());
    }

    #[test]
    fn a_core_replacement_has_an_empty_group() {
        let source = "func (in *A) APILifecycleReplacement() schema.GroupVersionKind {\n\
                      \treturn schema.GroupVersionKind{Group: \"\", Version: \"v1\", Kind: \"Pod\"}\n}";
        let replacement = lifecycles(source).unwrap()["A"].replacement.clone().unwrap();
        assert_eq!(replacement.to_string(), "v1 Pod");
    }

    #[test]
    fn functions_of_another_form_are_errors() {
        for body in ["if old {", "return 2, 0", "return latest()"] {
            let source = format!("func (in *A) APILifecycleRemoved() (major, minor int) {{\n\t{body}\n}}");
            assert!(lifecycles(&source).is_err(), "{body}");
        }
        assert!(lifecycles("func (in *A) APILifecycleRenamed() (x int) {\n\treturn 1, 2\n}").is_err());
    }

    #[test]
    fn only_a_client_with_verbs_stores() {
        let source = "
// +genclient
// +genclient:nonNamespaced
// +genclient:method=GetScale,verb=get,subresource=scale

// Node is a worker.
type Node struct {
}

// +genclient
// +genclient:onlyVerbs=create

// TokenReview asks.
type TokenReview struct {
}

// +genclient
// +genclient:noVerbs
type Eviction struct {
}

// +genclient
type alias string
// Binding has none of its own.
type Binding struct {
}

// +genclient
// +genclient:onlyVerbs=get,list
type ComponentStatus struct {
}
";
        let mut stored = Vec::new();
        add_stored_types(source, &mut stored);
        assert_eq!(stored, ["Node", "ComponentStatus"]);
    }
}
