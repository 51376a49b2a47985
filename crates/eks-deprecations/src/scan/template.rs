//! Texts that are not yet YAML: templates, and what the YAML parser refuses.
//!
//! Nothing here is certain. What stands literally at the left edge is reported as possible; a
//! template whose API is computed is unread, and so fails the gate until it is rendered.

use std::borrow::Cow;
use std::cell::LazyCell;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use std::sync::LazyLock;

use memchr::memmem::Finder;

use super::cursor::Cursor;
use super::document::{Place, Refused};
use super::{Certainty, Collector, Role, Usage, Word, word};

/// The reason for a template that hides its API.
pub(super) const COMPUTED: &str =
    "a template with a computed apiVersion or kind: render it and check the result";
const NO_LITERAL: &str = "a template without a literal apiVersion and kind: render it and check the result";

/// Marks of the template languages that people put in front of YAML.
const MARKS: [&str; 3] = ["{{", "{%", "<%"];
const ODD_PLACE: &str =
    "a template that names an apiVersion in a place that cannot be read: render it and check the result";

static API_VERSION: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new("apiVersion"));
static KIND: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new("kind"));
static ITEMS: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new("items:"));

/// What a search found.
#[derive(Debug, Default)]
struct Found {
    objects: u32,
    computed: Option<u32>,
    /// An `apiVersion` that was seen and could not be read.
    odd: Option<u32>,
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
    } else if let Some(line) = found.odd {
        out.unread(Some(line), ODD_PLACE.to_owned());
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

/// Reads a file of template helpers. A definition that computes an API is no manifest; the template
/// that uses it is, and is unread there. A file without definitions is a template like any other.
pub(super) fn search_helpers<'a>(text: &'a str, out: &mut Collector<'a, '_>) {
    if memchr::memmem::find(text.as_bytes(), b"define ").is_none() {
        super::lines::scan(text, out);
        return;
    }
    let mut start = 0;
    let mut line = 1;
    let mut document = 0;
    while start < text.len() {
        let rest = text.get(start..).unwrap_or_default();
        // A piece ends where the next definition begins, or at a document marker.
        let mut end = rest.len();
        let mut lines = 0;
        let mut at = 0;
        while let Some(newline) = memchr::memchr(b'\n', rest.as_bytes().get(at..).unwrap_or_default()) {
            at += newline + 1;
            lines += 1;
            let next = rest.get(at..).unwrap_or_default();
            let marker = super::split::marker(next.as_bytes()).is_some();
            if marker
                || (next.starts_with("{{") && next.trim_start_matches(['{', '-', ' ']).starts_with("define "))
            {
                end = at;
                break;
            }
        }
        let piece = rest.get(..end).unwrap_or(rest);
        document += u32::from(start > 0 && super::split::marker(piece.as_bytes()).is_some());
        let found = find(piece, line, document, None, out);
        out.scan.documents += u64::from(found.objects > 0);
        line += lines;
        start += piece.len().max(1);
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

/// How many pairs of `apiVersion` and `kind` one text may make. Far above any real template.
const PAIRS: usize = 10_000;

fn find<'a>(
    text: &'a str,
    first_line: u32,
    document: u32,
    source: Option<&Cow<'a, str>>,
    out: &mut Collector<'a, '_>,
) -> Found {
    let Some(without_comments) = blank_comments(text) else {
        return find_in(text, first_line, document, source, out);
    };
    // The text lives no longer than this call, so what was found is copied.
    let source = source.map(|source| Cow::Borrowed(&**source));
    let mut inner = out.fresh();
    let found = find_in(&without_comments, first_line, document, source.as_ref(), &mut inner);
    let inner = inner.scan.into_owned();
    out.scan.objects += inner.objects;
    out.scan.usages.extend(inner.usages);
    out.scan.unread.extend(inner.unread);
    found
}

/// The text with its templates' comments as spaces; `None` when there are none.
fn blank_comments(text: &str) -> Option<String> {
    let opens = ["{{/*", "{{- /*", "{#"];
    if !opens.iter().any(|open| memchr::memmem::find(text.as_bytes(), open.as_bytes()).is_some()) {
        return None;
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    loop {
        let next = opens
            .iter()
            .filter_map(|open| Some((rest.find(open)?, if *open == "{#" { "#}" } else { "*/" })))
            .min();
        let Some((at, close)) = next else {
            out.push_str(rest);
            return Some(out);
        };
        let (before, comment) = rest.split_at(at);
        out.push_str(before);
        let length = comment.find(close).map_or(comment.len(), |end| end + close.len());
        let (comment, after) = comment.split_at(length);
        // Each byte becomes one, so that every place stays where it is.
        out.extend(comment.bytes().map(|b| if b == b'\n' { '\n' } else { ' ' }));
        rest = after;
    }
}

fn find_in<'a>(
    text: &'a str,
    first_line: u32,
    document: u32,
    source: Option<&Cow<'a, str>>,
    out: &mut Collector<'a, '_>,
) -> Found {
    let mut found = Found::default();
    let items = items_sections(text);
    let mut cursor = Cursor::new(text, first_line);
    let (apis, missed) = at_the_edge(text, &API_VERSION, &items);
    found.odd = missed.map(|at| cursor.line(at));
    if apis.is_empty() {
        return found;
    }
    let (kinds, _) = at_the_edge(text, &KIND, &items);
    let odd = apis.iter().find(|edge| word(unquote(edge.value)) == Word::Other);
    found.odd = found.odd.or(odd.map(|edge| cursor.line(edge.at)));
    let computed = apis.iter().chain(&kinds).filter(|edge| word(unquote(edge.value)) == Word::Computed);
    found.computed = computed.map(|edge| edge.at).min().map(|at| cursor.line(at));
    // The kinds of each entry, once each.
    let mut kinds_of: BTreeMap<usize, BTreeSet<&'a str>> = BTreeMap::new();
    for kind in &kinds {
        let text = unquote(kind.value);
        if word(text) == Word::Literal {
            kinds_of.entry(kind.entry).or_default().insert(text);
        }
    }
    let mut apis_of: BTreeMap<usize, usize> = BTreeMap::new();
    for api in &apis {
        *apis_of.entry(api.entry).or_default() += 1;
    }
    let whole = LazyCell::new(|| metadata(text, 0));
    let mut pairs = 0;
    for api in apis.iter().filter(|api| word(unquote(api.value)) == Word::Literal) {
        let alone = apis_of.get(&api.entry) == Some(&1);
        let api_text = unquote(api.value);
        for &kind in kinds_of.get(&api.entry).into_iter().flatten() {
            // A typed list: its items have the API from it.
            let kind = match kind.strip_suffix("List") {
                Some(_) if api.entry > 0 => continue,
                Some(item) if !items.is_empty() && !item.is_empty() => item,
                _ => kind,
            };
            pairs += 1;
            if pairs > PAIRS {
                let line = cursor.line(api.at);
                out.unread(
                    Some(line),
                    "it names more pairs of apiVersion and kind than any template".to_owned(),
                );
                return found;
            }
            found.objects += 1;
            out.object(api_text, kind, || {
                let (line, column) = cursor.place(api.at);
                let named = if api.entry == 0 { *whole } else { metadata(text, api.line_start) };
                Usage {
                    api_version: Cow::Borrowed(api_text),
                    kind: Cow::Borrowed(kind),
                    name: named.name.map(Cow::Borrowed),
                    namespace: named.namespace.map(Cow::Borrowed),
                    line,
                    column,
                    document,
                    source: source.cloned(),
                    certainty: if alone && !in_version_branch(text, api.at) {
                        Certainty::Template
                    } else {
                        Certainty::Conditional
                    },
                    role: Role::Object,
                }
            });
        }
    }
    found
}

/// Where the lists under `items:` at the left edge are.
fn items_sections(text: &str) -> Vec<Range<usize>> {
    let bytes = text.as_bytes();
    let mut sections: Vec<Range<usize>> = Vec::new();
    for at in ITEMS.find_iter(bytes) {
        let at_start = at == 0 || bytes.get(at - 1) == Some(&b'\n');
        if !at_start || sections.last().is_some_and(|last| at < last.end) {
            continue;
        }
        let mut end = at;
        // The section ends at the next key at the left edge.
        loop {
            let rest = bytes.get(end..).unwrap_or_default();
            end += memchr::memchr(b'\n', rest).map_or(rest.len(), |newline| newline + 1);
            match bytes.get(end) {
                Some(b' ' | b'-' | b'#' | b'{' | b'\n' | b'\r') => {}
                _ => break,
            }
        }
        sections.push(at..end);
    }
    sections
}

/// Whether a place lies in a branch that asks for the cluster's version or APIs: then another
/// branch may well be taken.
fn in_version_branch(text: &str, at: usize) -> bool {
    let mut open: Vec<bool> = Vec::new();
    let mut rest = text.get(..at).unwrap_or_default();
    while let Some(start) = memchr::memmem::find(rest.as_bytes(), b"{{") {
        let after = rest.get(start..).unwrap_or_default();
        let length = memchr::memmem::find(after.as_bytes(), b"}}").unwrap_or(after.len());
        let (action, left) = after.split_at(length);
        rest = left;
        let action = action.trim_start_matches(['{', '-', ' ']);
        let asks = ["Capabilities", "semverCompare", "kubeVersion", "KubeVersion"]
            .iter()
            .any(|word| action.contains(word));
        match action.split_whitespace().next().unwrap_or_default().trim_end_matches('-') {
            "if" => open.push(asks),
            "range" | "with" | "define" | "block" => open.push(false),
            "else" => {
                if let Some(last) = open.last_mut() {
                    *last |= asks;
                }
            }
            "end" => {
                open.pop();
            }
            _ => {}
        }
    }
    open.contains(&true)
}

/// The lines with this key at the left edge, or in an entry of a list at most four columns in; and
/// the first place under `items:` where the key stands in another way. Deeper ones may stand in a
/// text that is only quoted.
fn at_the_edge<'a>(
    text: &'a str,
    key: &Finder<'static>,
    items: &[Range<usize>],
) -> (Vec<Edge<'a>>, Option<usize>) {
    let bytes = text.as_bytes();
    let under_items = |at: usize| {
        let after = items.partition_point(|section| section.end <= at);
        items.get(after).is_some_and(|section| section.contains(&at))
    };
    let mut edges: Vec<Edge<'a>> = Vec::new();
    let mut missed = None;
    for at in key.find_iter(bytes) {
        // The key may be quoted, and its colon further away.
        let after = text.get(at + key.needle().len()..).unwrap_or_default();
        let unquoted = after.strip_prefix(['"', '\'']).unwrap_or(after);
        let Some(value) = unquoted.trim_start_matches(' ').strip_prefix(':') else { continue };
        let colon = at + key.needle().len() + (after.len() - value.len());
        // Only what is near can matter.
        let near = at.saturating_sub(300);
        let before = bytes.get(near..at).unwrap_or_default();
        let line_start = match memchr::memrchr(b'\n', before) {
            Some(newline) => near + newline + 1,
            None if near == 0 => 0,
            None => continue,
        };
        let before = text.get(line_start..at).unwrap_or_default();
        let before = before.strip_suffix(['"', '\'']).unwrap_or(before);
        let entry = match before.trim_start_matches(' ') {
            "" if before.is_empty() => Some(0),
            // Behind an action: `{{- if .x }}apiVersion: v1`
            action if before.starts_with("{{") && action.trim_end().ends_with("}}") => Some(0),
            // In an entry that a line above has opened, at the column of its content.
            "" if under_items(line_start) => entry_above(text, line_start, before.len()),
            // An entry of its own kind: with others at the same indent.
            "" if before.len() <= 4 && stands_alone(text, line_start, before.len()) => {
                Some(usize::MAX - before.len())
            }
            dash if dash.trim_end_matches(' ') == "-"
                && dash != "-"
                && before.len() <= 6
                && under_items(line_start) =>
            {
                Some(line_start.max(1))
            }
            _ => None,
        };
        let Some(entry) = entry else {
            let comment = before.trim_start().starts_with('#');
            if missed.is_none() && !comment && before.len() <= 10 && under_items(line_start) {
                missed = Some(at);
            }
            continue;
        };
        let line = value.lines().next().unwrap_or_default();
        let gap = line.len() - line.trim_start().len();
        edges.push(Edge { value: strip_comment(line.trim()), line_start, at: colon + gap, entry });
    }
    (edges, missed)
}

/// Whether an indented line belongs to nothing above it: then it is a manifest that is indented as
/// a whole, in a branch of a template. Below `key:` it is a field, below `key: |` it is quoted.
fn stands_alone(text: &str, line_start: usize, indent: usize) -> bool {
    let above = text.get(..line_start).unwrap_or_default();
    for line in above.lines().rev().take(ENTRY_LINES) {
        let content = line.trim();
        let column = line.len() - line.trim_start().len();
        let action = content.starts_with("{{") || content.starts_with("{%") || content.starts_with("<%");
        if content.is_empty() || content.starts_with('#') || action || column >= indent {
            continue;
        }
        let value = strip_comment(content);
        let header = value.rsplit(' ').next().unwrap_or_default();
        return !value.ends_with(':') && !header.starts_with(['|', '>']) && !value.starts_with('-');
    }
    true
}

/// How far above a line its list entry is looked for, in lines.
const ENTRY_LINES: usize = 500;

/// The start of the list entry above a line, whose content stands at this column.
fn entry_above(text: &str, line_start: usize, column: usize) -> Option<usize> {
    if column > 6 {
        return None;
    }
    let mut end = line_start;
    for _ in 0..ENTRY_LINES {
        let above = text.get(..end)?.strip_suffix('\n')?;
        let start = memchr::memrchr(b'\n', above.as_bytes()).map_or(0, |at| at + 1);
        let line = above.get(start..)?;
        let indent = line.len() - line.trim_start_matches(' ').len();
        let content = line.get(indent..)?;
        if let Some(entry) = content.strip_prefix("- ").or_else(|| (content == "-").then_some(""))
            && indent < column
        {
            let gap = entry.len() - entry.trim_start_matches(' ').len();
            return (entry.is_empty() || indent + 2 + gap == column).then_some(start.max(1));
        }
        if indent < column && !content.is_empty() && !content.starts_with(['#', '{']) {
            return None;
        }
        end = start;
    }
    None
}

/// What `metadata:` says literally, where it says it once.
#[derive(Debug, Clone, Copy, Default)]
struct Named<'a> {
    name: Option<&'a str>,
    namespace: Option<&'a str>,
}

/// The literal name and namespace in the `metadata:` of a document (`from` 0) or of the list entry
/// that starts at `from`.
fn metadata(text: &str, from: usize) -> Named<'_> {
    let (mut names, mut namespaces) = (Vec::new(), Vec::new());
    let mut within = None;
    for (line, number) in text.get(from..).unwrap_or_default().lines().zip(0..) {
        let content = line.trim_start_matches([' ', '-']);
        let column = line.len() - content.len();
        if from > 0
            && (number > ENTRY_LINES || (number > 0 && line.trim_start().starts_with("- ") && column <= 6))
        {
            break;
        }
        if content.starts_with("metadata:") && (column == 0 || from > 0) {
            within = Some(column);
        } else if let Some(outer) = within {
            if column <= outer && !content.is_empty() && !content.starts_with(['{', '#']) {
                within = None;
            } else if column <= outer + 4 {
                let value = |key| content.strip_prefix(key).map(|value| unquote(strip_comment(value.trim())));
                names.extend(value("name:"));
                namespaces.extend(value("namespace:"));
            }
        }
    }
    let once = |values: &[&'_ str]| match values {
        [value] => word(value) == Word::Literal,
        _ => false,
    };
    Named {
        name: names.first().copied().filter(|_| once(&names)),
        namespace: namespaces.first().copied().filter(|_| once(&namespaces)),
    }
}

fn strip_comment(value: &str) -> &str {
    value.split_once(" #").map_or(value, |(value, _)| value.trim_end())
}

fn unquote(value: &str) -> &str {
    let quoted = |quote| value.strip_prefix(quote).and_then(|rest| rest.strip_suffix(quote));
    quoted('"').or_else(|| quoted('\'')).unwrap_or(value)
}

/// `$x := …` or `$x = …`
fn is_assignment(action: &str) -> bool {
    let Some(name) = action.strip_prefix('$') else { return false };
    let rest = name.trim_start_matches(|c: char| c.is_alphanumeric() || matches!(c, '_' | ',' | ' ' | '$'));
    rest.starts_with(":=") || (rest.starts_with('=') && !rest.starts_with("=="))
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
        // An action that is never closed is no control.
        let Some(close) = find(after, b"}}").map(|at| at + 2) else { return true };
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
            _ if is_assignment(action) => {}
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
