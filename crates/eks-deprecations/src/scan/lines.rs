//! The line reader: the plain block style of YAML, at the speed of looking at each line once.
//!
//! It understands a subset of YAML: block mappings and sequences, plain scalars, quoted scalars
//! on one line, block scalars, short flow collections on one line, comments. It accepts a
//! document only when every line of it is understood and well-formed; otherwise it gives up on
//! that document, and the YAML parser reads it. So it never guesses: neither an object nor a
//! syntax error is missed. (Tests hold the two equal, refusals included.)

use std::borrow::Cow;

use memchr::{memchr, memchr2};

use super::document::{self, Place, Refused};
use super::split::{self, Marker};
use super::{Certainty, Collector, Role, Usage, Word, column_of, helm, is_null, template, word};

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
            let has = |needle: &str| memchr::memmem::find(bytes, needle.as_bytes()).is_some();
            traits.old_breaks = has("\u{85}") || has("\u{2028}") || has("\u{2029}");
            // C1 controls, byte order marks inside, non-characters: the parser decides.
            traits.control |= has("\u{FEFF}")
                || has("\u{FFFE}")
                || has("\u{FFFF}")
                || memchr::memchr_iter(0xC2, bytes)
                    .any(|at| bytes.get(at + 1).is_some_and(|&b| (0x80..0xA0).contains(&b)));
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
        if let Some(header) = reader.document() {
            let (end, lines) = (reader.at, reader.lines);
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
    if !content {
        return (end, lines, false);
    }
    let Some(slice) = text.get(at..end) else { return (end, lines, false) };
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
    reader.document().map(|_| reader.at)
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

/// What the line reader learned of a document.
#[derive(Debug, Default)]
struct Header {
    content: bool,
    api_version: Option<Captured>,
    kind: Option<Captured>,
    name: Option<Captured>,
    generate_name: Option<Captured>,
    namespace: Option<Captured>,
    object_type: Option<Captured>,
    source: Option<(usize, usize)>,
}

/// A scalar: its bytes, where it starts (quotes included), and in which line.
#[derive(Debug, Clone, Copy)]
struct Captured {
    start: usize,
    end: usize,
    place: usize,
    line_start: usize,
    line: u32,
    plain: bool,
}

impl Captured {
    fn text<'a>(&self, text: &'a str) -> Option<&'a str> {
        let value = text.get(self.start..self.end)?;
        (!(self.plain && is_null(value))).then_some(value)
    }
}

impl Header {
    /// Reports the object, if it is one. `false`: the YAML parser must look at it.
    fn report<'a>(&self, text: &'a str, first_line: u32, document: u32, out: &mut Collector<'a, '_>) -> bool {
        let (Some(api), Some(kind)) = (self.api_version, self.kind) else { return true };
        let (Some(api_text), Some(kind_text)) = (api.text(text), kind.text(text)) else {
            return false;
        };
        if word(api_text) != Word::Literal || word(kind_text) != Word::Literal {
            return false;
        }
        let of = |captured: Option<Captured>| captured.and_then(|captured| captured.text(text));
        match kind_text {
            "Config" if api_text == "v1" => return false,
            "Secret" | "ConfigMap"
                if helm::keeps_a_release(
                    of(self.name).unwrap_or_default(),
                    of(self.object_type).unwrap_or_default(),
                ) =>
            {
                return false;
            }
            _ if kind_text.ends_with("List") => return false,
            _ => {}
        }
        out.object(api_text, kind_text, || Usage {
            api_version: Cow::Borrowed(api_text),
            kind: Cow::Borrowed(kind_text),
            name: of(self.name)
                .map(Cow::Borrowed)
                .or_else(|| of(self.generate_name).map(|name| Cow::Owned(format!("{name}*")))),
            namespace: of(self.namespace).map(Cow::Borrowed),
            line: first_line + api.line,
            column: column_of(text, api.line_start, api.place),
            document,
            source: self.source.and_then(|(start, end)| text.get(start..end)).map(Cow::Borrowed),
            certainty: Certainty::Certain,
            role: Role::Object,
        });
        true
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Map,
    Seq,
}

#[derive(Debug, Clone, Copy)]
struct Level {
    indent: usize,
    kind: Kind,
}

/// What the last line leaves open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Open {
    /// Nothing: its value is complete.
    Closed,
    /// A plain scalar in the collection at this indent: deeper lines continue it.
    Plain(usize),
    /// A key or dash without a value: a deeper line brings it.
    Empty,
}

/// Deeper nesting than this goes to the YAML parser.
const DEPTH: usize = 40;
/// Longer keys than this go to the YAML parser, which has a limit of its own.
const KEY_LENGTH: usize = 512;

struct Reader<'a> {
    text: &'a str,
    bytes: &'a [u8],
    tabs: bool,
    /// Start of the line that is being read.
    at: usize,
    /// Lines read so far.
    lines: u32,
    levels: [Level; DEPTH],
    depth: usize,
    open: Open,
    header: Header,
    in_metadata: bool,
    /// Whether the last value was one of the header's: it must stand on one line.
    captured: bool,
    /// Whether it gave up in the middle of a scalar.
    inside: bool,
}

impl<'a> Reader<'a> {
    fn new(text: &'a str, tabs: bool, at: usize) -> Self {
        Self {
            text,
            bytes: text.as_bytes(),
            tabs,
            at,
            lines: 0,
            levels: [Level { indent: 0, kind: Kind::Map }; DEPTH],
            depth: 0,
            open: Open::Closed,
            header: Header::default(),
            in_metadata: false,
            captured: false,
            inside: false,
        }
    }

    /// Reads one document; `None` when some line of it is not understood.
    fn document(&mut self) -> Option<Header> {
        if let Some(kind) = self.bytes.get(self.at..).and_then(split::marker) {
            let (line, next) = self.line();
            let rest = line.get(3..)?.trim_ascii();
            if !(rest.is_empty() || rest.first() == Some(&b'#')) {
                return None;
            }
            self.advance(next);
            if kind == Marker::End {
                return Some(std::mem::take(&mut self.header));
            }
        }
        while self.at < self.bytes.len() {
            let (line, next) = self.line();
            let indent = spaces(line);
            match line.get(indent) {
                None => {}
                Some(b'#') => {
                    if let Open::Plain(_) = self.open {
                        self.open = Open::Closed;
                    }
                    if !self.header.content && self.header.source.is_none() {
                        self.source(line);
                    }
                }
                Some(b'-' | b'.') if indent == 0 && split::marker(line).is_some() => break,
                Some(b'%') if indent == 0 => return None,
                Some(_) => {
                    if self.tabs && memchr(b'\t', line).is_some() {
                        return None;
                    }
                    self.header.content = true;
                    self.content(line, indent, next)?;
                    continue;
                }
            }
            self.advance(next);
        }
        Some(std::mem::take(&mut self.header))
    }

    /// The line at hand without its line break, and where the next one starts.
    #[inline]
    fn line(&self) -> (&'a [u8], usize) {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        let (line, next) = match memchr(b'\n', rest) {
            Some(end) => (rest.get(..end).unwrap_or_default(), self.at + end + 1),
            None => (rest, self.bytes.len()),
        };
        (line.strip_suffix(b"\r").unwrap_or(line), next)
    }

    #[inline]
    fn advance(&mut self, next: usize) {
        self.at = next;
        self.lines += 1;
    }

    fn source(&mut self, line: &[u8]) {
        let start = self.at;
        let Some(line) = self.text.get(start..start + line.len()) else { return };
        if let Some(source) = source_in(line) {
            // Both are slices of the same text, so the distance is the offset.
            let offset = source.as_ptr() as usize - line.as_ptr() as usize;
            self.header.source = Some((start + offset, start + offset + source.len()));
        }
    }

    /// Reads a line with content, and the block scalar it may start.
    #[inline]
    fn content(&mut self, line: &'a [u8], indent: usize, next: usize) -> Option<()> {
        if let Open::Plain(parent) = self.open
            && indent > parent
        {
            // A plain scalar goes on.
            if self.captured {
                return None;
            }
            let rest = line.get(indent..)?;
            if plain(rest)? < rest.trim_ascii_end().len() {
                self.open = Open::Closed;
            }
            self.advance(next);
            return Some(());
        }
        let mut column = indent;
        let mut rest = line.get(indent..)?;
        // Dashes: each opens an entry, whose content starts behind it.
        while let [b'-', after @ ..] = rest {
            match after.first() {
                None => {
                    self.place(column, Kind::Seq)?;
                    self.open = Open::Empty;
                    self.captured = false;
                    self.advance(next);
                    return Some(());
                }
                Some(b' ') => {
                    self.place(column, Kind::Seq)?;
                    let gap = spaces(after);
                    column += 1 + gap;
                    rest = after.get(gap..)?;
                    // What stands behind a dash is the first thing of its entry.
                    self.open = Open::Empty;
                    self.captured = false;
                    if rest.is_empty() || rest.first() == Some(&b'#') {
                        self.advance(next);
                        return Some(());
                    }
                }
                Some(_) => break,
            }
        }
        let in_entry = column > indent;
        let parent = if in_entry { self.levels.get(self.depth.checked_sub(1)?)?.indent } else { 0 };
        match key(rest)? {
            Some(key_end) => {
                self.place(column, Kind::Map)?;
                let name = rest.get(..key_end)?;
                let value = rest.get(key_end + 1..)?;
                let gap = spaces(value);
                let value_at = self.at + column + key_end + 1 + gap;
                let value = value.get(gap..)?;
                let capture = self.wanted_key(column, name)?;
                self.value(value, value_at, column, next, capture)
            }
            None if in_entry => self.value(rest, self.at + column, parent, next, None),
            // A scalar that is neither a key nor an entry: a root scalar, or a value that starts
            // on a line of its own.
            None => None,
        }
    }

    /// Finds the collection that something at this column belongs to, closing deeper ones and
    /// opening a new one where the line before asked for it.
    #[inline]
    fn place(&mut self, column: usize, kind: Kind) -> Option<()> {
        let mut popped = false;
        loop {
            let Some(top) = self.depth.checked_sub(1).and_then(|top| self.levels.get(top)) else {
                // The root: it must start at the left edge, and there is only one.
                if popped || column != 0 {
                    return None;
                }
                return self.push(column, kind);
            };
            if top.indent > column {
                self.depth -= 1;
                popped = true;
                continue;
            }
            if top.indent == column {
                match (top.kind, kind) {
                    (Kind::Map, Kind::Map) | (Kind::Seq, Kind::Seq) => return Some(()),
                    // `key:` and its sequence may stand at one indent.
                    (Kind::Map, Kind::Seq) if self.open == Open::Empty && !popped => {
                        return self.push(column, kind);
                    }
                    (Kind::Seq, Kind::Map) => {
                        self.depth -= 1;
                        let below = self.depth.checked_sub(1).and_then(|top| self.levels.get(top))?;
                        return (below.indent == column && below.kind == Kind::Map).then_some(());
                    }
                    (Kind::Map, Kind::Seq) => return None,
                }
            }
            if self.open == Open::Empty && !popped {
                return self.push(column, kind);
            }
            return None;
        }
    }

    #[inline]
    fn push(&mut self, indent: usize, kind: Kind) -> Option<()> {
        *self.levels.get_mut(self.depth)? = Level { indent, kind };
        self.depth += 1;
        Some(())
    }

    /// Which field of the header a key fills. `None` gives up: it was there before.
    #[inline]
    fn wanted_key(&mut self, column: usize, name: &[u8]) -> Option<Option<Field>> {
        if column == 0 {
            self.in_metadata = false;
            let (seen, field) = match name {
                b"apiVersion" => (self.header.api_version.is_some(), Field::ApiVersion),
                b"kind" => (self.header.kind.is_some(), Field::Kind),
                b"type" => (self.header.object_type.is_some(), Field::Type),
                b"metadata" => {
                    let seen = self.header.name.is_some()
                        || self.header.namespace.is_some()
                        || self.header.generate_name.is_some();
                    self.in_metadata = true;
                    (seen, Field::Metadata)
                }
                [b'"' | b'\'', ..] => return None,
                _ => return Some(None),
            };
            return if seen { None } else { Some(Some(field)) };
        }
        // Items of a sequence at the root may be objects; the parser takes them apart.
        if self.depth == 2
            && self.levels.first().is_some_and(|root| root.kind == Kind::Seq)
            && matches!(name, b"apiVersion" | [b'"' | b'\'', ..])
        {
            return None;
        }
        if self.in_metadata && self.depth == 2 {
            return Some(match name {
                b"name" => Some(Field::Name),
                b"namespace" => Some(Field::Namespace),
                b"generateName" => Some(Field::GenerateName),
                [b'"' | b'\'', ..] => return None,
                _ => None,
            });
        }
        Some(None)
    }

    /// Reads a value that starts at `at`, inside the collection at indent `parent`.
    #[inline]
    fn value(
        &mut self,
        value: &'a [u8],
        at: usize,
        parent: usize,
        next: usize,
        field: Option<Field>,
    ) -> Option<()> {
        self.captured = false;
        let Some(&first) = value.first() else {
            return self.empty(next, field);
        };
        let (start, end, is_plain) = match first {
            b'#' => return self.empty(next, field),
            b'"' | b'\'' => {
                let close = match quote_in(first, value.get(1..)?)? {
                    Quote::Closed(close) => close + 1,
                    Quote::Open if field.is_none() => {
                        return self.quoted_lines(first, parent, next);
                    }
                    Quote::Open => return None,
                };
                if !ends_after(value.get(close + 1..)?) {
                    return None;
                }
                self.open = Open::Closed;
                if field.is_some() && memchr2(b'\\', b'\'', value.get(1..close)?).is_some() {
                    return None;
                }
                (at + 1, at + close, false)
            }
            b'|' | b'>' => {
                if field.is_some() {
                    return None;
                }
                return self.block_scalar(value, parent, next);
            }
            b'[' | b'{' => {
                let close = match action(value) {
                    // A mapping to YAML, and so no name.
                    Some(close) if !matches!(field, Some(Field::ApiVersion | Field::Kind | Field::Type)) => {
                        close
                    }
                    _ if field.is_some() => return None,
                    _ => flow(value)?,
                };
                if !ends_after(value.get(close..)?) {
                    return None;
                }
                self.open = Open::Closed;
                self.advance(next);
                return Some(());
            }
            b'-' | b'?' | b':' if matches!(value.get(1), None | Some(b' ')) => return None,
            b'&' | b'*' | b'!' | b'%' | b'@' | b'`' | b',' | b']' | b'}' => return None,
            _ => {
                let length = plain(value)?;
                self.open =
                    if length < value.trim_ascii_end().len() { Open::Closed } else { Open::Plain(parent) };
                (at, at + length, true)
            }
        };
        if let Some(field) = field {
            let captured =
                Captured { start, end, place: at, line_start: self.at, line: self.lines, plain: is_plain };
            let slot = match field {
                Field::ApiVersion => &mut self.header.api_version,
                Field::Kind => &mut self.header.kind,
                Field::Type => &mut self.header.object_type,
                Field::Name => &mut self.header.name,
                Field::Namespace => &mut self.header.namespace,
                Field::GenerateName => &mut self.header.generate_name,
                // `metadata: something` is nothing that Kubernetes takes.
                Field::Metadata => return None,
            };
            *slot = Some(captured);
            self.captured = true;
        }
        self.advance(next);
        Some(())
    }

    #[inline]
    fn empty(&mut self, next: usize, field: Option<Field>) -> Option<()> {
        if !matches!(field, None | Some(Field::Metadata)) {
            return None;
        }
        self.open = Open::Empty;
        self.advance(next);
        Some(())
    }

    /// Reads the further lines of a quoted scalar, to its closing quote.
    fn quoted_lines(&mut self, quote: u8, parent: usize, next: usize) -> Option<()> {
        self.advance(next);
        self.open = Open::Closed;
        self.inside = true;
        while self.at < self.bytes.len() {
            let (line, next) = self.line();
            let indent = spaces(line);
            if let Some(rest) = line.get(indent..).filter(|rest| !rest.is_empty()) {
                // Lines at the parent's indent are wrong YAML that many read; the parser decides.
                if indent <= parent || (self.tabs && memchr(b'\t', line).is_some()) {
                    return None;
                }
                if let Quote::Closed(close) = quote_in(quote, rest)? {
                    self.advance(next);
                    self.inside = false;
                    return ends_after(rest.get(close + 1..)?).then_some(());
                }
            }
            self.advance(next);
        }
        None
    }

    /// Reads a block scalar: its header is at hand, its lines follow.
    fn block_scalar(&mut self, header: &[u8], parent: usize, next: usize) -> Option<()> {
        let mut style = header.get(1..)?;
        let mut indent = None;
        // An indentation indicator and a chomping one, in any order.
        for _ in 0..2 {
            match style.first() {
                Some(b'-' | b'+') => style = style.get(1..)?,
                Some(digit @ b'1'..=b'9') if indent.is_none() => {
                    // Counted from the parent's indent, and a sequence has none of its own.
                    let top = self.levels.get(self.depth.checked_sub(1)?)?;
                    if top.kind == Kind::Seq {
                        return None;
                    }
                    indent = Some(parent + usize::from(digit - b'0'));
                    style = style.get(1..)?;
                }
                _ => {}
            }
        }
        if !ends_after(style) {
            return None;
        }
        self.advance(next);
        self.open = Open::Closed;
        self.inside = true;
        let mut widest_blank = 0;
        while self.at < self.bytes.len() {
            let (line, next) = self.line();
            let width = spaces(line);
            if width == line.len() {
                if indent.is_none() {
                    widest_blank = widest_blank.max(width);
                }
                self.advance(next);
                continue;
            }
            match indent {
                None if width <= parent => break,
                None => {
                    // Blank lines before the first may not be deeper than it.
                    if widest_blank > width || line.get(width) == Some(&b'\t') {
                        return None;
                    }
                    indent = Some(width);
                }
                Some(indent) if width >= indent => {}
                Some(_) if width <= parent => break,
                Some(_) => return None,
            }
            self.advance(next);
        }
        self.inside = false;
        Some(())
    }

    /// Whether it gave up at a template's line where no YAML parser goes on. At the left edge, a
    /// flow collection would have to be a key. Anywhere else, `{{- ` opens two flow mappings with
    /// a block entry in them, unless it continues a plain scalar.
    fn stopped_at_template(&self) -> bool {
        let (line, _) = self.line();
        let indent = spaces(line);
        let Some(rest) = line.get(indent..) else { return false };
        if self.inside || !rest.starts_with(b"{{") || memchr(b':', rest).is_some() {
            return false;
        }
        let continues = matches!(self.open, Open::Plain(parent) if indent > parent);
        (indent == 0 && self.depth > 0) || (rest.starts_with(b"{{- ") && !continues)
    }
}

/// The fields that are read out of a manifest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Field {
    ApiVersion,
    Kind,
    Type,
    Metadata,
    Name,
    Namespace,
    GenerateName,
}

/// How many spaces a line starts with.
#[inline]
fn spaces(line: &[u8]) -> usize {
    const EIGHT: u64 = 0x2020_2020_2020_2020;
    let mut at = 0;
    while let Some(chunk) = line.get(at..).and_then(<[u8]>::first_chunk::<8>) {
        let other = u64::from_le_bytes(*chunk) ^ EIGHT;
        if other != 0 {
            return at + (other.trailing_zeros() / 8) as usize;
        }
        at += 8;
    }
    while line.get(at) == Some(&b' ') {
        at += 1;
    }
    at
}

/// Bytes that a plain key may start with here, and may go on with.
static KEY: [u8; 256] = {
    let mut table = [0; 256];
    let mut c = 0_u8;
    loop {
        let b = c as usize;
        if c.is_ascii_alphanumeric() || matches!(c, b'_' | b'.' | b'/' | b'$') {
            table[b] = 2;
        } else if matches!(c, b'-' | b'+' | b'(' | b')' | b'=' | b'~' | b'@' | b'*') {
            table[b] = 1;
        }
        if c == u8::MAX {
            break;
        }
        c += 1;
    }
    table
};

/// Where the key at the start of `rest` ends (at its colon); `Some(None)` when there is none;
/// `None` when it may be one and is not understood.
#[inline]
fn key(rest: &[u8]) -> Option<Option<usize>> {
    let &first = rest.first()?;
    if matches!(first, b'"' | b'\'') {
        let Some(close) = closing_quote(rest) else {
            // A scalar that goes on in the next line, and so no key.
            return matches!(quote_in(first, rest.get(1..)?)?, Quote::Open).then_some(None);
        };
        return match rest.get(close + 1) {
            Some(b':') => match rest.get(close + 2) {
                None | Some(b' ') if close < KEY_LENGTH && memchr(b'\\', rest.get(..close)?).is_none() => {
                    Some(Some(close + 1))
                }
                _ => None,
            },
            // `"a" : b`
            Some(b' ') if rest.get(close + 1..)?.trim_ascii_start().first() == Some(&b':') => None,
            _ => Some(None),
        };
    }
    if KEY.get(usize::from(first)) != Some(&2) {
        return match first {
            // These start no key; whether they start a value, `value` knows.
            b'[' | b'{' | b'|' | b'>' | b'#' => Some(None),
            b'?' | b'&' | b'*' | b'!' | b'%' | b'@' | b'`' | b'\t' => None,
            // Anything else may start a plain key; it is left to the parser if it is one.
            _ => (plain(rest).is_some()).then_some(None),
        };
    }
    for (at, &b) in rest.iter().enumerate() {
        if KEY.get(usize::from(b)).is_some_and(|&class| class > 0) {
            continue;
        }
        if b == b':' {
            match rest.get(at + 1) {
                None | Some(b' ') => return if at < KEY_LENGTH { Some(Some(at)) } else { None },
                Some(_) => return Some(None),
            }
        }
        return Some(None);
    }
    Some(None)
}

/// How long the plain scalar at the start of `rest` is, without the comment or the spaces behind
/// it; `None` when it holds a colon that would make it a key.
#[inline]
fn plain(rest: &[u8]) -> Option<usize> {
    let mut end = rest.len();
    let mut from = 0;
    while let Some(found) = memchr2(b':', b'#', rest.get(from..)?) {
        let at = from + found;
        if rest.get(at) == Some(&b':') {
            if matches!(rest.get(at + 1), None | Some(b' ')) {
                return None;
            }
        } else if at > 0 && rest.get(at - 1) == Some(&b' ') {
            end = at;
            break;
        }
        from = at + 1;
    }
    Some(rest.get(..end)?.trim_ascii_end().len())
}

/// Whether a quoted scalar ends on this line.
enum Quote {
    /// Its closing quote stands here.
    Closed(usize),
    /// It goes on.
    Open,
}

/// Looks for the closing quote in the rest of a line; `None` for an escape that needs a second
/// look.
#[inline]
fn quote_in(quote: u8, rest: &[u8]) -> Option<Quote> {
    let mut from = 0;
    if quote == b'\'' {
        while let Some(found) = memchr(b'\'', rest.get(from..)?) {
            let at = from + found;
            if rest.get(at + 1) != Some(&b'\'') {
                return Some(Quote::Closed(at));
            }
            from = at + 2;
        }
        return Some(Quote::Open);
    }
    while let Some(found) = memchr2(b'"', b'\\', rest.get(from..)?) {
        let at = from + found;
        if rest.get(at) == Some(&b'"') {
            return Some(Quote::Closed(at));
        }
        match rest.get(at + 1) {
            // Nothing, and the line is folded without a space.
            None => return Some(Quote::Open),
            Some(b'"' | b'\\' | b'n' | b't' | b'r' | b'/' | b'0' | b' ') => {}
            Some(_) => return None,
        }
        from = at + 2;
    }
    Some(Quote::Open)
}

/// Where the quote that `rest` starts with is closed on the same line.
#[inline]
fn closing_quote(rest: &[u8]) -> Option<usize> {
    let &quote = rest.first()?;
    match quote_in(quote, rest.get(1..)?)? {
        Quote::Closed(close) => Some(close + 1),
        Quote::Open => None,
    }
}

/// Whether nothing but spaces and a comment is left of a line.
#[inline]
fn ends_after(rest: &[u8]) -> bool {
    let gap = spaces(rest);
    match rest.get(gap) {
        None => true,
        Some(b'#') => gap > 0,
        Some(_) => false,
    }
}

/// Where a template's action ends that YAML reads as a mapping of a mapping: `{{ .Values.name }}`.
fn action(value: &[u8]) -> Option<usize> {
    let inner = value.strip_prefix(b"{{ ")?;
    if !matches!(inner.first()?, b'.' | b'$' | b'a'..=b'z' | b'A'..=b'Z') {
        return None;
    }
    let safe = |b: u8| {
        b.is_ascii_alphanumeric()
            || matches!(b, b'.' | b'_' | b' ' | b'$' | b'|' | b'"' | b'(' | b')' | b'/' | b'-' | b'+')
    };
    let length = inner.iter().take_while(|&&b| safe(b)).count();
    (length < KEY_LENGTH && inner.get(length..)?.starts_with(b"}}")).then_some(3 + length + 2)
}

/// Deeper nested flow collections go to the YAML parser.
const FLOW_DEPTH: u8 = 6;

/// Where a flow collection on one line ends: lists and mappings of simple scalars.
fn flow(value: &[u8]) -> Option<usize> {
    flow_collection(value, 0, FLOW_DEPTH)
}

/// Reads the collection that starts at `at`; gives what is behind its bracket.
fn flow_collection(value: &[u8], at: usize, depth: u8) -> Option<usize> {
    let depth = depth.checked_sub(1)?;
    let mapping = value.get(at)? == &b'{';
    let close = if mapping { b'}' } else { b']' };
    let mut at = at + 1;
    at += spaces(value.get(at..)?);
    if value.get(at)? == &close {
        return Some(at + 1);
    }
    loop {
        if mapping {
            at = flow_scalar(value, at)?;
            if value.get(at)? != &b':' || value.get(at + 1)? != &b' ' {
                return None;
            }
            at += 1;
            at += spaces(value.get(at..)?);
        }
        at = match value.get(at)? {
            b'[' | b'{' => flow_collection(value, at, depth)?,
            _ => flow_scalar(value, at)?,
        };
        at += spaces(value.get(at..)?);
        match value.get(at)? {
            b',' => at += 1,
            b if *b == close => return Some(at + 1),
            _ => return None,
        }
        at += spaces(value.get(at..)?);
    }
}

/// Reads a quoted scalar, or a plain one without anything that needs a second look.
fn flow_scalar(value: &[u8], at: usize) -> Option<usize> {
    let rest = value.get(at..)?;
    if matches!(rest.first()?, b'"' | b'\'') {
        return Some(at + closing_quote(rest)? + 1);
    }
    let simple = |b: u8| KEY.get(usize::from(b)).is_some_and(|&class| class == 2);
    let start = usize::from(rest.starts_with(b"-")) + usize::from(rest.starts_with(b"--"));
    if !simple(*rest.get(start)?) {
        return None;
    }
    let length =
        rest.iter().skip(start).take_while(|&&b| simple(b) || matches!(b, b'-' | b'=' | b'+')).count();
    Some(at + start + length)
}
