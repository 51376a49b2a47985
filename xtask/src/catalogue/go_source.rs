//! Reads what Go source says about the kinds that a package registers, without a Go compiler.
//!
//! The files are made by hand after one pattern; a form that is not known here is an error, never
//! a kind passed over.

use std::collections::BTreeMap;

use anyhow::{Context, bail};

/// A kind, registered by a `register.go`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Registration {
    pub(super) group: String,
    pub(super) version: String,
    pub(super) kind: String,
    /// The struct behind it; nearly always named like the kind.
    pub(super) go_type: String,
}

/// The kinds that a `register.go` adds to the scheme, types of other packages (`metav1.Status`)
/// and versions that never leave a process left out.
pub(super) fn registrations(source: &str) -> anyhow::Result<Vec<Registration>> {
    let code = without_comments(source);
    let constants = string_constants(&code);
    let versions = group_versions(&code, &constants)?;
    let mut found = Vec::new();
    for arguments in calls(&code, ".AddKnownTypes(")? {
        let (version, types) = arguments.split_first().context("AddKnownTypes without arguments")?;
        let Some((group, version)) = group_version(version, &versions, &constants)? else { continue };
        for go_type in types {
            if let Some(kind) = pointer_to(go_type)? {
                found.push(registration(&group, &version, kind, kind));
            }
        }
    }
    for arguments in calls(&code, ".AddKnownTypeWithName(")? {
        let [name, go_type] = arguments.as_slice() else { bail!("AddKnownTypeWithName has two arguments") };
        let Some(go_type) = pointer_to(go_type)? else { continue };
        if let Some((version, kind)) = name.split_once(".WithKind(") {
            let kind = string_literal(kind.trim_end_matches(')')).context("WithKind takes a literal")?;
            if let Some((group, version)) = group_version(version, &versions, &constants)? {
                found.push(registration(&group, &version, kind, go_type));
            }
        } else {
            let fields = composite(name, "schema.GroupVersionKind")?;
            let [group, version, kind] = ["Group", "Version", "Kind"].map(|field| {
                let value = fields.get(field).with_context(|| format!("`{name}` has no {field}"))?;
                text(value, &constants)
            });
            found.push(registration(&group?, &version?, &kind?, go_type));
        }
    }
    Ok(found)
}

fn registration(group: &str, version: &str, kind: &str, go_type: &str) -> Registration {
    Registration {
        group: group.to_owned(),
        version: version.to_owned(),
        kind: kind.to_owned(),
        go_type: go_type.to_owned(),
    }
}

/// `&Deployment{}` points to `Deployment`; `&metav1.Status{}` to nothing of this package.
fn pointer_to(argument: &str) -> anyhow::Result<Option<&str>> {
    let name = argument.strip_prefix('&').and_then(|rest| rest.strip_suffix("{}"));
    let name = name.with_context(|| format!("`{argument}` is not like `&Deployment{{}}`"))?;
    Ok((!name.contains('.')).then_some(name))
}

type GroupVersion = (String, String);

/// A group and a version, from a variable or a literal; `None` when the version is internal.
fn group_version(
    expression: &str,
    versions: &BTreeMap<&str, Option<GroupVersion>>,
    constants: &BTreeMap<&str, &str>,
) -> anyhow::Result<Option<GroupVersion>> {
    if let Some(found) = versions.get(expression) {
        return Ok(found.clone());
    }
    literal_group_version(expression, constants)
}

fn literal_group_version(
    expression: &str,
    constants: &BTreeMap<&str, &str>,
) -> anyhow::Result<Option<GroupVersion>> {
    let fields = composite(expression, "schema.GroupVersion")?;
    let group = fields.get("Group").with_context(|| format!("`{expression}` has no Group"))?;
    match fields.get("Version").copied() {
        Some("runtime.APIVersionInternal") => Ok(None),
        Some(version) => Ok(Some((text(group, constants)?, text(version, constants)?))),
        None => bail!("`{expression}` has no Version"),
    }
}

/// The variables that hold a group and a version: `SchemeGroupVersion = schema.GroupVersion{..}`.
fn group_versions<'s>(
    code: &'s str,
    constants: &BTreeMap<&str, &str>,
) -> anyhow::Result<BTreeMap<&'s str, Option<GroupVersion>>> {
    let mut found = BTreeMap::new();
    for (at, opening) in code.match_indices("schema.GroupVersion{") {
        let Some(name) = assigned(code[..at].trim_end()) else { continue };
        let end = code[at..].find('}').context("a schema.GroupVersion has no end")?;
        let literal = &code[at..=at + end];
        found.insert(name, literal_group_version(literal, constants).with_context(|| opening.to_owned())?);
    }
    Ok(found)
}

/// The name before the `=` at the end of this code.
fn assigned(before: &str) -> Option<&str> {
    let left = before.strip_suffix('=')?.trim_end();
    left.split_whitespace().next_back()
}

/// `const GroupName = "apps"`, alone or in a block.
fn string_constants(code: &str) -> BTreeMap<&str, &str> {
    let mut found = BTreeMap::new();
    for line in code.lines() {
        if let Some((left, right)) = line.split_once('=')
            && let Some(name) = left.split_whitespace().next_back()
            && let Some(value) = string_literal(right.trim())
        {
            found.insert(name, value);
        }
    }
    found
}

/// The fields of `Name{Field: value, ...}`.
pub(super) fn composite<'s>(expression: &'s str, name: &str) -> anyhow::Result<BTreeMap<&'s str, &'s str>> {
    let inside = expression.strip_prefix(name).and_then(|rest| rest.strip_prefix('{')?.strip_suffix('}'));
    let inside = inside.with_context(|| format!("`{expression}` is not like `{name}{{..}}`"))?;
    let mut fields = BTreeMap::new();
    for field in inside.split(',').filter(|field| !field.trim().is_empty()) {
        let (field, value) = field.split_once(':').with_context(|| format!("`{expression}`: `{field}`"))?;
        fields.insert(field.trim(), value.trim());
    }
    Ok(fields)
}

/// The text of a literal or of a constant.
fn text(expression: &str, constants: &BTreeMap<&str, &str>) -> anyhow::Result<String> {
    let found = string_literal(expression).or_else(|| constants.get(expression).copied());
    found.map(str::to_owned).with_context(|| format!("`{expression}` is no known string"))
}

/// The inside of `"text"`. No name in these files has an escape.
pub(super) fn string_literal(expression: &str) -> Option<&str> {
    let inside = expression.strip_prefix('"')?.strip_suffix('"')?;
    (!inside.contains(['"', '\\'])).then_some(inside)
}

/// The arguments of every call, each without the space around it.
fn calls<'s>(code: &'s str, opening: &str) -> anyhow::Result<Vec<Vec<&'s str>>> {
    let mut found = Vec::new();
    for (at, _) in code.match_indices(opening) {
        let inside = &code[at + opening.len()..];
        let (mut depth, mut start, mut arguments, mut end) = (0_u32, 0, Vec::new(), None);
        let mut in_string = false;
        for (at, byte) in inside.bytes().enumerate() {
            match byte {
                b'"' => in_string = !in_string,
                _ if in_string => {}
                b'(' | b'{' | b'[' => depth += 1,
                b')' if depth == 0 => {
                    end = Some(at);
                    break;
                }
                b')' | b'}' | b']' => depth = depth.saturating_sub(1),
                b',' if depth == 0 => {
                    arguments.push(inside[start..at].trim());
                    start = at + 1;
                }
                _ => {}
            }
        }
        let end = end.with_context(|| format!("a call of {opening}..) has no end"))?;
        arguments.push(inside[start..end].trim());
        arguments.retain(|argument| !argument.is_empty());
        found.push(arguments);
    }
    Ok(found)
}

/// The code alone: comments become a space, so that nothing in them is taken for code.
fn without_comments(source: &str) -> String {
    let mut code = String::with_capacity(source.len());
    let mut rest = source;
    while let Some(at) = rest.find(['"', '`', '/']) {
        let (before, here) = rest.split_at(at);
        code.push_str(before);
        let end = if here.starts_with("//") {
            here.find('\n').unwrap_or(here.len())
        } else if here.starts_with("/*") {
            here.find("*/").map_or(here.len(), |end| end + 2)
        } else {
            let quoted = &here[1..];
            let length = match here.as_bytes().first() {
                Some(b'`') => quoted.find('`').map_or(here.len(), |end| end + 2),
                Some(b'"') => end_of_string(quoted).map_or(here.len(), |end| end + 2),
                _ => 1,
            };
            code.push_str(&here[..length]);
            rest = &here[length..];
            continue;
        };
        code.push(' ');
        rest = &here[end..];
    }
    code.push_str(rest);
    code
}

/// Where the string ends whose inside begins here.
fn end_of_string(quoted: &str) -> Option<usize> {
    let mut escaped = false;
    quoted.bytes().position(|byte| {
        let ends = byte == b'"' && !escaped;
        escaped = byte == b'\\' && !escaped;
        ends
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The registrations as `group/version kind` and, where it differs, `= type`.
    fn kinds(source: &str) -> Vec<String> {
        let line = |found: Registration| {
            let named =
                if found.kind == found.go_type { String::new() } else { format!(" = {}", found.go_type) };
            format!("{}/{} {}{named}", found.group, found.version, found.kind)
        };
        registrations(source).unwrap().into_iter().map(line).collect()
    }

    #[test]
    fn a_usual_register_file_is_read() {
        let source = r#"
            // GroupName is the group name use in this package
            const GroupName = "apps"
            /* SchemeGroupVersion = schema.GroupVersion{Group: "old"} */
            var SchemeGroupVersion = schema.GroupVersion{Group: GroupName, Version: "v1beta1"}
            func addKnownTypes(scheme *runtime.Scheme) error {
                scheme.AddKnownTypes(SchemeGroupVersion,
                    &Deployment{}, // with its list
                    &DeploymentList{},
                )
                // scheme.AddKnownTypes(SchemeGroupVersion, &Gone{})
                scheme.AddKnownTypes(SchemeGroupVersion, &metav1.Status{})
                metav1.AddToGroupVersion(scheme, SchemeGroupVersion)
            }"#;
        assert_eq!(kinds(source), ["apps/v1beta1 Deployment", "apps/v1beta1 DeploymentList"]);
    }

    #[test]
    fn two_groups_in_one_file_and_literals_are_read() {
        let source = r#"
            const LegacyGroupName = "apiserver.k8s.io"
            const ConfigGroupName = "apiserver.config.k8s.io"
            var LegacySchemeGroupVersion = schema.GroupVersion{Group: LegacyGroupName, Version: runtime.APIVersionInternal}
            var ConfigSchemeGroupVersion = schema.GroupVersion{Group: ConfigGroupName, Version: "v1"}
            scheme.AddKnownTypes(LegacySchemeGroupVersion, &Internal{})
            scheme.AddKnownTypes(ConfigSchemeGroupVersion, &TracingConfiguration{})
            scheme.AddKnownTypes(schema.GroupVersion{Group: "", Version: "v1"}, &Policy{})
            scheme.AddKnownTypeWithName(ConfigSchemeGroupVersion.WithKind("WebhookAdmissionConfiguration"),
                &WebhookAdmission{},
            )
            scheme.AddKnownTypeWithName(schema.GroupVersionKind{Group: "", Version: "v1", Kind: "EncryptionConfig"}, &EncryptionConfiguration{})"#;
        assert_eq!(
            kinds(source),
            [
                "apiserver.config.k8s.io/v1 TracingConfiguration",
                "/v1 Policy",
                "apiserver.config.k8s.io/v1 WebhookAdmissionConfiguration = WebhookAdmission",
                "/v1 EncryptionConfig = EncryptionConfiguration",
            ]
        );
    }

    #[test]
    fn an_unknown_form_is_an_error() {
        for source in [
            r"scheme.AddKnownTypes(Unknown, &Pod{})",
            r#"scheme.AddKnownTypes(schema.GroupVersion{Group: "", Version: "v1"}, new(Pod))"#,
            r#"var V = schema.GroupVersion{Group: Elsewhere, Version: "v1"}"#,
            r#"scheme.AddKnownTypes(schema.GroupVersion{Group: "", Version: "v1"}, &Pod{}"#,
        ] {
            assert!(registrations(source).is_err(), "{source}");
        }
    }

    #[test]
    fn comment_marks_inside_strings_are_text() {
        let source = "a = \"https://x\" // b\nc = `/* d */` /* e\n */ f = \"\\\"//\" / g";
        assert_eq!(without_comments(source), "a = \"https://x\"  \nc = `/* d */`   f = \"\\\"//\" / g");
    }
}
