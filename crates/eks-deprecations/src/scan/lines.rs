//! The line reader: the plain block style of YAML, at the speed of looking at each line once.
//!
//! It understands a subset of YAML: block mappings and sequences, plain scalars, quoted scalars
//! on one line, block scalars, short flow collections on one line, comments. It accepts a
//! document only when every line of it is understood and well-formed; otherwise it gives up on
//! that document, and the YAML parser reads it. So it never guesses: neither an object nor a
//! syntax error is missed. (Tests hold the two equal, refusals included.)

mod reader;
mod scalars;

use std::borrow::Cow;

use memchr::memchr;

use self::reader::Reader;
use super::document::{self, Place, Refused};
use super::split::{self, Marker};
use super::{Collector, template};

/// Reads a YAML stream.
pub(super) fn scan<'a>(text: &'a str, out: &mut Collector<'a, '_>) {
    let bytes = text.as_bytes();
    let traits = Traits::of(text);
    if traits.bare_cr {
        // A carriage return alone ends a line in YAML. Nothing writes this any more.
        let text = text.replace("\r\n", "\n").replace('\r', "\n");
        let mut inner = out.fresh();
        scan(&text, &mut inner);
        let pragmas = std::mem::take(&mut out.scan.pragmas);
        out.scan = inner.scan.into_owned();
        out.scan.pragmas = pragmas;
        return;
    }
    let mut at = 0;
    let mut line = 1;
    let mut document = 0;
    while at < bytes.len() {
        let (end, lines, content) = one_document(text, &traits, at, line, document, out);
        out.scan.documents += u64::from(content);
        document += u32::from(content);
        // A line may be longer than any manifest's; a document is never empty, so this ends.
        at = end.max(at + 1);
        line += lines;
    }
}

/// What holds for a whole file, found out once.
struct Traits {
    /// A carriage return that is not before a line feed.
    bare_cr: bool,
    tabs: bool,
    /// Line breaks of YAML 1.1 that are none in YAML 1.2. kubectl reads 1.1.
    old_breaks: bool,
    /// Characters that YAML does not allow.
    control: bool,
}

impl Traits {
    #[expect(clippy::needless_bitwise_bool, reason = "without branches it becomes SIMD")]
    fn of(text: &str) -> Self {
        let bytes = text.as_bytes();
        // One pass that the compiler turns into SIMD: any byte below space but the line feed,
        // DEL, or beyond ASCII.
        let odd = bytes.iter().fold(false, |odd, &b| odd | ((b < 0x20) & (b != b'\n')) | (b >= 0x7F));
        let mut traits = Traits { bare_cr: false, tabs: false, old_breaks: false, control: false };
        if !odd {
            return traits;
        }
        traits.tabs = memchr(b'\t', bytes).is_some();
        traits.bare_cr = memchr::memchr_iter(b'\r', bytes).any(|at| bytes.get(at + 1) != Some(&b'\n'));
        traits.control = bytes
            .iter()
            .fold(false, |c, &b| c | ((b < 0x20) & (b != b'\n') & (b != b'\t') & (b != b'\r')) | (b == 0x7F));
        if !text.is_ascii() {
            // NEL, LS, PS; C1 controls, byte order marks inside, non-characters. The parser decides
            // what the last three are.
            for at in memchr::memchr3_iter(0xC2, 0xE2, 0xEF, bytes) {
                match bytes.get(at..).unwrap_or_default() {
                    [0xC2, 0x85, ..] | [0xE2, 0x80, 0xA8 | 0xA9, ..] => traits.old_breaks = true,
                    [0xC2, 0x80..0xA0, ..] | [0xEF, 0xBB, 0xBF, ..] | [0xEF, 0xBF, 0xBE | 0xBF, ..] => {
                        traits.control = true;
                    }
                    _ => {}
                }
            }
        }
        traits
    }
}

/// Reads the document that starts at byte `at`. Returns where the next one starts, how many lines
/// lie between, and whether there was any content.
fn one_document<'a>(
    text: &'a str,
    traits: &Traits,
    at: usize,
    line: u32,
    document: u32,
    out: &mut Collector<'a, '_>,
) -> (usize, u32, bool) {
    let bytes = text.as_bytes();
    let mut template = None;
    if !traits.control && !traits.old_breaks && !out.parser_only {
        let mut reader = Reader::new(text, traits.tabs, at);
        if reader.document().is_some() {
            let (end, lines, header) = (reader.at, reader.lines, &reader.header);
            if !header.content {
                return (end, lines, false);
            }
            if header.report(text, line, document, out) {
                return (end, lines, true);
            }
        } else if reader.stopped_at_template() {
            template = Some(line + reader.lines);
        }
    }
    let (end, lines, content) = slow_bounds(bytes, at);
    let Some(slice) = text.get(at..end) else { return (end, lines, false) };
    // To YAML 1.1, more lines start here, and what looks like a comment may hold an object.
    let content = content || (traits.old_breaks && slice.contains("apiVersion"));
    if !content {
        return (end, lines, false);
    }
    let source = source_comment(slice);
    let place = Place { first_line: line, document, source: source.clone() };
    // `{{ include "x" . }}` alone would be a mapping of a mapping to YAML.
    let template = template.or_else(|| starts_with_template(slice).map(|offset| line + offset));
    let refused = match template {
        Some(line) => Some(Refused { line, reason: "a template's line".to_owned() }),
        None => document::read(slice, &place, out).err(),
    };
    if let Some(refused) = refused {
        template::refused(slice, &place, &refused, out);
    } else if traits.old_breaks {
        // kubectl ends lines where our parser does not: say what it might see.
        let broken = slice.replace(['\u{85}', '\u{2028}', '\u{2029}'], "\n");
        let mut inner = out.fresh();
        template::search(&broken, line, document, &mut inner);
        for usage in inner.scan.usages {
            let known = out.scan.usages.iter().any(|known| {
                known.document == document
                    && known.api_version == usage.api_version
                    && known.kind == usage.kind
            });
            if !known {
                out.scan.usages.push(usage.into_owned());
            }
        }
    }
    (end, lines, true)
}

/// Where the document that starts at `at` ends, if the line reader understands it.
#[cfg(test)]
pub(super) fn understood_until(text: &str, at: usize) -> Option<usize> {
    let mut reader = Reader::new(text, Traits::of(text).tabs, at);
    reader.document().map(|()| reader.at)
}

/// Where a document ends for the YAML parser: at the next marker, or at the one after it when
/// directives come before the first.
fn slow_bounds(bytes: &[u8], at: usize) -> (usize, u32, bool) {
    let mut end = at;
    let mut lines = 0;
    let mut content = false;
    // The marker that the document starts with.
    if let Some(kind) = bytes.get(at..).and_then(split::marker) {
        let line_end =
            bytes.get(at..).and_then(|rest| memchr(b'\n', rest)).map_or(bytes.len(), |n| at + n + 1);
        let rest = bytes.get(at + 3..line_end).unwrap_or_default().trim_ascii_start();
        content |= !rest.is_empty() && rest.first() != Some(&b'#');
        end = line_end;
        lines += 1;
        if kind == Marker::End && !content {
            return (end, lines, false);
        }
    }
    loop {
        let (next, between) = split::next_marker(bytes, end);
        let chunk = bytes.get(end..next).unwrap_or_default();
        lines += between;
        end = next;
        let mut directives = false;
        for line in chunk.split(|&b| b == b'\n') {
            match line.trim_ascii_start().first() {
                None | Some(b'#') => {}
                Some(b'%') if !content => directives = true,
                Some(_) => {
                    content = true;
                    break;
                }
            }
        }
        if !directives || content || next >= bytes.len() {
            return (end, lines, content || directives);
        }
        // Directives belong to the document whose `---` follows.
        let line_end =
            bytes.get(end..).and_then(|rest| memchr(b'\n', rest)).map_or(bytes.len(), |n| end + n + 1);
        content = true;
        lines += 1;
        end = line_end;
    }
}

/// The offset (in lines) of the first content, if that is a template's action.
fn starts_with_template(slice: &str) -> Option<u32> {
    let content = |line: &&str| {
        let line = line.trim_start();
        !(line.is_empty() || line.starts_with('#') || split::marker(line.as_bytes()).is_some())
    };
    let (line, offset) = slice.lines().zip(0..).find(|(line, _)| content(line))?;
    line.trim_start().starts_with("{{").then_some(offset)
}

/// Helm's `# Source:` comment, before the first content of a document.
fn source_comment(slice: &str) -> Option<Cow<'_, str>> {
    for line in slice.lines() {
        if let Some(source) = source_in(line) {
            return Some(Cow::Borrowed(source));
        }
        let trimmed = line.trim_start();
        if !(trimmed.is_empty() || trimmed.starts_with('#') || trimmed.starts_with("---")) {
            break;
        }
    }
    None
}

fn source_in(line: &str) -> Option<&str> {
    line.strip_prefix("# Source: ").map(str::trim).filter(|source| !source.is_empty())
}
