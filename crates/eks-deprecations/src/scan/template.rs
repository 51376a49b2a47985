//! Texts that are not yet YAML: templates, and what the YAML parser refuses.
//!
//! Nothing here is certain. What stands literally at the left edge is reported as possible; a
//! template whose API is computed is unread, and so fails the gate until it is rendered.

use std::borrow::Cow;

use std::sync::LazyLock;

use memchr::memmem::Finder;

use super::document::{Place, Refused};
use super::{Certainty, Collector, Role, Usage, Word, column_of, word};

/// The reason for a template that hides its API.
pub(super) const COMPUTED: &str =
    "a template with a computed apiVersion or kind: render it and check the result";
const NO_LITERAL: &str = "a template without a literal apiVersion and kind: render it and check the result";

/// Marks of the template languages that people put in front of YAML.
const MARKS: [&str; 5] = ["{{", "{%", "<%", "((", "[["];

static API_VERSION: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new("apiVersion:"));
static KIND: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new("kind:"));

/// What a search found.
#[derive(Debug, Default)]
struct Found {
    objects: u32,
    computed: Option<u32>,
}

/// Deals with a document that the YAML parser refused.
pub(super) fn refused<'a>(slice: &'a str, place: &Place<'a>, refused: &Refused, out: &mut Collector<'a, '_>) {
    let found = find(slice, place.first_line, place.document, place.source.as_ref(), out);
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
pub(super) fn search<'a>(text: &'a str, first_line: u32, document: u32, out: &mut Collector<'a, '_>) {
    find(text, first_line, document, None, out);
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

/// An `apiVersion` or `kind` that stands at the left edge, or in an entry of a list there.
#[derive(Clone, Copy)]
struct Edge<'a> {
    value: &'a str,
    line_start: usize,
    /// Where the value starts.
    at: usize,
    /// Where the list entry starts that it stands in; 0 for none.
    entry: usize,
}

fn find<'a>(
    text: &'a str,
    first_line: u32,
    document: u32,
    source: Option<&Cow<'a, str>>,
    out: &mut Collector<'a, '_>,
) -> Found {
    let mut found = Found::default();
    let line_of = |at: usize| {
        let breaks = memchr::memchr_iter(b'\n', text.as_bytes().get(..at).unwrap_or_default()).count();
        first_line.saturating_add(u32::try_from(breaks).unwrap_or(u32::MAX))
    };
    let apis = at_the_edge(text, &API_VERSION);
    if apis.is_empty() {
        return found;
    }
    let kinds = at_the_edge(text, &KIND);
    let computed = apis.iter().chain(&kinds).filter(|edge| word(unquote(edge.value)) == Word::Computed);
    found.computed = computed.map(|edge| edge.at).min().map(line_of);
    let literal = |edge: &&Edge<'a>| word(unquote(edge.value)) == Word::Literal;
    // Asked only for what is wanted.
    let branching = || {
        let has = |word: &str| memchr::memmem::find(text.as_bytes(), word.as_bytes()).is_some();
        ["Capabilities", "semverCompare", "kubeVersion", "KubeVersion"].into_iter().any(has)
    };
    for api in apis.iter().filter(literal) {
        let alone = apis.iter().filter(|other| other.entry == api.entry).count() == 1;
        let mut seen: Vec<&str> = Vec::new();
        let api_text = unquote(api.value);
        for kind in kinds.iter().filter(literal).filter(|kind| kind.entry == api.entry) {
            let kind_text = unquote(kind.value);
            if seen.contains(&kind_text) || (kind_text.ends_with("List") && api.entry > 0) {
                continue;
            }
            seen.push(kind_text);
            found.objects += 1;
            out.object(api_text, kind_text, || Usage {
                api_version: Cow::Borrowed(api_text),
                kind: Cow::Borrowed(kind_text),
                name: metadata(text, api, "name:"),
                namespace: metadata(text, api, "namespace:"),
                line: line_of(api.at),
                column: column_of(text, api.line_start, api.at),
                document,
                source: source.cloned(),
                certainty: if alone && !branching() { Certainty::Template } else { Certainty::Conditional },
                role: Role::Object,
            });
        }
    }
    found
}

/// The lines with this key at the left edge, or in an entry of a list at most four columns in.
/// Deeper ones may stand in a text that is only quoted.
fn at_the_edge<'a>(text: &'a str, key: &Finder<'static>) -> Vec<Edge<'a>> {
    let bytes = text.as_bytes();
    let mut edges: Vec<Edge<'a>> = Vec::new();
    for at in key.find_iter(bytes) {
        let line_start = memchr::memrchr(b'\n', bytes.get(..at).unwrap_or_default()).map_or(0, |at| at + 1);
        let before = text.get(line_start..at).unwrap_or_default();
        let entry = match before.trim_start_matches(' ') {
            "" if before.is_empty() => 0,
            // In an entry that a line above has opened, at the column of its content.
            "" => match entry_above(text, line_start, before.len()) {
                Some(entry) => entry,
                None => continue,
            },
            dash if dash.trim_end_matches(' ') == "-" && dash != "-" && before.len() <= 6 => {
                if !under_items(text, line_start) {
                    continue;
                }
                line_start.max(1)
            }
            _ => continue,
        };
        let rest = text.get(at + key.needle().len()..).unwrap_or_default();
        let line = rest.lines().next().unwrap_or_default();
        let gap = line.len() - line.trim_start().len();
        let value = strip_comment(line.trim());
        edges.push(Edge { value, line_start, at: at + key.needle().len() + gap, entry });
    }
    edges
}

/// The start of the list entry above a line, whose content stands at this column.
fn entry_above(text: &str, line_start: usize, column: usize) -> Option<usize> {
    if column > 6 {
        return None;
    }
    let mut end = line_start;
    loop {
        let above = text.get(..end)?.strip_suffix('\n')?;
        let start = above.rfind('\n').map_or(0, |at| at + 1);
        let line = above.get(start..)?;
        let indent = line.len() - line.trim_start_matches(' ').len();
        let content = line.get(indent..)?;
        if let Some(entry) = content.strip_prefix("- ") {
            let gap = entry.len() - entry.trim_start_matches(' ').len();
            let opens = indent + 2 + gap == column && under_items(text, start);
            return opens.then_some(start.max(1));
        }
        if indent < column && !content.is_empty() && !content.starts_with(['#', '{']) {
            return None;
        }
        end = start;
    }
}

/// Whether the nearest line at the left edge above is `items:`.
fn under_items(text: &str, line_start: usize) -> bool {
    let above = text.get(..line_start).unwrap_or_default();
    above
        .rsplit('\n')
        .find(|line| !line.is_empty() && !line.starts_with([' ', '-', '#', '{']))
        .is_some_and(|line| line.starts_with("items:"))
}

/// A literal name or namespace in the `metadata:` of the same document or entry, if there is just
/// one.
fn metadata<'a>(text: &'a str, api: &Edge<'a>, key: &str) -> Option<Cow<'a, str>> {
    let (from, indent) = if api.entry == 0 { (0, 0) } else { (api.line_start, usize::MAX) };
    let mut names = Vec::new();
    let mut within = None;
    for line in text.get(from..)?.lines() {
        let content = line.trim_start_matches([' ', '-']);
        let column = line.len() - content.len();
        if api.entry != 0 && line.trim_start().starts_with("- ") && !names.is_empty() {
            break;
        }
        if content.starts_with("metadata:") && (column == indent || indent == usize::MAX) {
            within = Some(column);
        } else if let Some(outer) = within {
            if column <= outer && !content.is_empty() && !content.starts_with(['{', '#']) {
                within = None;
            } else if column <= outer + 4
                && let Some(value) = content.strip_prefix(key)
            {
                names.push(unquote(strip_comment(value.trim())));
            }
        }
    }
    match names.as_slice() {
        [name] if word(name) == Word::Literal => Some(Cow::Borrowed(*name)),
        _ => None,
    }
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
    let find = |text: &str, mark: &[u8]| memchr::memmem::find(text.as_bytes(), mark);
    while let Some(open) = find(rest, b"{{") {
        let (before, after) = rest.split_at(open);
        if definitions == 0 {
            outside.push_str(before);
        }
        let close = find(after, b"}}").map_or(after.len(), |at| at + 2);
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
