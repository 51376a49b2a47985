//! Texts that are not yet YAML: templates, and what the YAML parser refuses.
//!
//! Nothing here is certain. What stands literally at the left edge is reported as possible; a
//! template whose API is computed is unread, and so fails the gate until it is rendered.

use std::borrow::Cow;

use super::document::{Place, Refused};
use super::{Certainty, Collector, Role, Usage, Word, column_of, word};

/// The reason for a template that hides its API.
pub(super) const COMPUTED: &str =
    "a template with a computed apiVersion or kind: render it and check the result";
const NO_LITERAL: &str = "a template without a literal apiVersion and kind: render it and check the result";

/// Marks of the template languages that people put in front of YAML.
const MARKS: [&str; 5] = ["{{", "{%", "<%", "((", "[["];

/// What a search found.
#[derive(Debug, Default)]
struct Found {
    objects: u32,
    computed: Option<u32>,
}

/// Deals with a document that the YAML parser refused.
pub(super) fn refused<'a>(slice: &'a str, place: &Place<'a>, refused: Refused, out: &mut Collector<'a, '_>) {
    let found = find(slice, place.first_line, place.document, place.source.clone(), out);
    let at = |mark: &str| memchr::memmem::find(slice.as_bytes(), mark.as_bytes());
    let Some(mark) = MARKS.iter().find_map(|mark| at(mark)) else {
        out.unread(Some(refused.line), format!("it is not valid YAML: {}", refused.reason));
        return;
    };
    if let Some(line) = found.computed {
        out.unread(Some(line), COMPUTED.to_owned());
    } else if found.objects == 0 && has_output(slice) {
        let before = slice.get(..mark).unwrap_or_default().matches('\n').count();
        let line = place.first_line.saturating_add(u32::try_from(before).unwrap_or(u32::MAX));
        out.unread(Some(line), NO_LITERAL.to_owned());
    }
}

/// Reports the literal `apiVersion` and `kind` pairs of a text.
pub(super) fn search<'a>(
    text: &'a str,
    first_line: u32,
    document: u32,
    source: Option<Cow<'a, str>>,
    out: &mut Collector<'a, '_>,
) {
    find(text, first_line, document, source, out);
}

/// Reports what stands in the definitions of a file of template helpers. A helper that computes
/// an API is no manifest; the template that uses it is, and is unread there.
pub(super) fn search_helpers<'a>(text: &'a str, out: &mut Collector<'a, '_>) {
    let mut start = 0;
    let mut line = 1;
    let mut document = 0;
    while start < text.len() {
        let rest = text.get(start..).unwrap_or_default();
        let definition = rest.get(2..).and_then(|rest| rest.find("define ")).map(|at| at + 2);
        let chunk = rest.get(..definition.unwrap_or(rest.len())).unwrap_or(rest);
        let found = find(chunk, line, document, None, out);
        out.scan.documents += u64::from(found.objects > 0);
        document += u32::from(found.objects > 0);
        line += u32::try_from(chunk.matches('\n').count()).unwrap_or(u32::MAX);
        start += chunk.len().max(1);
    }
}

/// A literal value at the left edge (or behind a dash under `items:`).
#[derive(Clone, Copy)]
struct Literal<'a> {
    text: &'a str,
    line: u32,
    column: u32,
    /// Which list item it stands in; 0 for none.
    item: u32,
}

fn find<'a>(
    text: &'a str,
    first_line: u32,
    document: u32,
    source: Option<Cow<'a, str>>,
    out: &mut Collector<'a, '_>,
) -> Found {
    let mut found = Found::default();
    let mut apis: Vec<Literal<'a>> = Vec::new();
    let mut kinds: Vec<Literal<'a>> = Vec::new();
    let mut names: Vec<(u32, &'a str)> = Vec::new();
    let mut namespaces: Vec<(u32, &'a str)> = Vec::new();
    let (mut item, mut item_column, mut in_items, mut in_metadata) = (0_u32, 0_usize, false, false);
    let mut start = 0;
    let mut number = first_line.wrapping_sub(1);
    while start < text.len() {
        let line_start = start;
        let rest = text.get(start..).unwrap_or_default();
        let length = memchr::memchr(b'\n', rest.as_bytes()).map_or(rest.len(), |at| at + 1);
        start += length.max(1);
        number = number.wrapping_add(1);
        // Nothing that is deeper is looked at.
        let Some(line) = rest.get(..length).filter(|line| !line.starts_with("      ")) else { continue };
        let line = line.trim_end();
        let indent = line.len() - line.trim_start_matches(' ').len();
        let Some(body) = line.get(indent..) else { continue };
        let (body, column) = match body.strip_prefix("- ") {
            Some(entry) if in_items && indent <= 4 => {
                let gap = entry.len() - entry.trim_start().len();
                item += 1;
                item_column = indent + 2 + gap;
                (entry.trim_start(), item_column)
            }
            _ => (body, indent),
        };
        let Some((name, value)) = body.split_once(':') else { continue };
        let value_start = line_start + column + name.len() + 1;
        if column == 0 {
            in_items = name == "items";
            in_metadata = name == "metadata";
            if in_items {
                item_column = usize::MAX;
            } else if name == "apiVersion" || name == "kind" {
                item = 0;
            }
        }
        let at_edge = column == 0 || (item > 0 && column == item_column);
        if at_edge && matches!(name, "apiVersion" | "kind") {
            let gap = value.len() - value.trim_start().len();
            let value = strip_comment(value.trim());
            let at = value_start + gap;
            match word(unquote(value)) {
                Word::Literal => {
                    let literal = Literal {
                        text: unquote(value),
                        line: number,
                        column: column_of(text, line_start, at),
                        item,
                    };
                    if name == "kind" { kinds.push(literal) } else { apis.push(literal) }
                }
                Word::Computed => found.computed = found.computed.or(Some(number)),
                Word::Other => {}
            }
        } else if in_metadata && indent > 0 && indent <= 4 {
            let value = unquote(strip_comment(value.trim()));
            if word(value) == Word::Literal {
                match name {
                    "name" => names.push((item, value)),
                    "namespace" => namespaces.push((item, value)),
                    _ => {}
                }
            }
        }
    }
    if apis.is_empty() {
        return found;
    }
    let branching = ["Capabilities", "semverCompare", "kubeVersion", "KubeVersion"]
        .iter()
        .any(|word| memchr::memmem::find(text.as_bytes(), word.as_bytes()).is_some());
    let single = |of: &[(u32, &'a str)], item: u32| {
        let mut of_item = of.iter().filter(|(i, _)| *i == item).map(|(_, name)| *name);
        of_item.next().filter(|_| of_item.next().is_none())
    };
    for api in &apis {
        let alone = apis.iter().filter(|other| other.item == api.item).count() == 1;
        let certainty = if alone && !branching { Certainty::Template } else { Certainty::Conditional };
        let mut seen: Vec<&str> = Vec::new();
        for kind in kinds.iter().filter(|kind| kind.item == api.item) {
            if seen.contains(&kind.text) {
                continue;
            }
            seen.push(kind.text);
            if kind.text.ends_with("List") && item > 0 {
                continue;
            }
            found.objects += 1;
            out.object(api.text, kind.text, || Usage {
                api_version: Cow::Borrowed(api.text),
                kind: Cow::Borrowed(kind.text),
                name: single(&names, api.item).map(Cow::Borrowed),
                namespace: single(&namespaces, api.item).map(Cow::Borrowed),
                line: api.line,
                column: api.column,
                document,
                source: source.clone(),
                certainty,
                role: Role::Object,
            });
        }
    }
    found
}

fn strip_comment(value: &str) -> &str {
    value.split_once(" #").map_or(value, |(value, _)| value.trim_end())
}

fn unquote(value: &str) -> &str {
    let quoted = |quote| value.strip_prefix(quote).and_then(|rest| rest.strip_suffix(quote));
    quoted('"').or_else(|| quoted('\'')).unwrap_or(value)
}

/// Whether a template puts out anything: whether there is more in it than control actions,
/// comments and definitions.
fn has_output(text: &str) -> bool {
    let mut rest = text;
    let mut outside = String::new();
    let mut definitions = 0_i32;
    let mut nesting: Vec<bool> = Vec::new();
    while let Some(open) = rest.find("{{") {
        let (before, after) = rest.split_at(open);
        if definitions == 0 {
            outside.push_str(before);
        }
        let close = after.find("}}").map_or(after.len(), |at| at + 2);
        let (action, after) = after.split_at(close);
        rest = after;
        let action = action.trim_start_matches(['{', '-']).trim_end_matches(['}', '-']).trim();
        let first = action.split_whitespace().next().unwrap_or_default();
        match first {
            "define" => {
                definitions += 1;
                nesting.push(true);
            }
            "if" | "range" | "with" | "block" => nesting.push(false),
            "end" => {
                if nesting.pop() == Some(true) {
                    definitions -= 1;
                }
            }
            "else" | "break" | "continue" | "fail" | "" => {}
            _ if action.starts_with("/*") => {}
            _ if action.starts_with('$') && action.contains('=') => {}
            _ => {
                if definitions == 0 {
                    return true;
                }
            }
        }
    }
    if definitions == 0 {
        outside.push_str(rest);
    }
    outside
        .lines()
        .map(str::trim)
        .any(|line| !(line.is_empty() || line.starts_with('#') || line.starts_with("---") || line == "..."))
}
