//! The reader of one document: levels of indentation, what a line leaves open, and the header.

use std::borrow::Cow;

use memchr::{memchr, memchr2, memchr3};

use super::scalars::{
    Quote, action, ends_after, flow, key, plain, quote_in, short_key, spaces, starts_plain,
};
use super::source_in;
use crate::scan::split::{self, Marker};
use crate::scan::{Certainty, Collector, Role, Usage, Word, column_of, helm, is_null, word};

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

/// What the line reader learned of a document.
#[derive(Debug, Default)]
pub(super) struct Header {
    pub(super) content: bool,
    api_version: Option<Captured>,
    kind: Option<Captured>,
    name: Option<Captured>,
    generate_name: Option<Captured>,
    namespace: Option<Captured>,
    object_type: Option<Captured>,
    source: Option<(usize, usize)>,
    /// `apiVersion`, `kind` or `type` is put in by a template.
    computed: bool,
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
    pub(super) fn report<'a>(
        &self,
        text: &'a str,
        first_line: u32,
        document: u32,
        out: &mut Collector<'a, '_>,
    ) -> bool {
        if self.computed {
            return false;
        }
        let (Some(api), Some(kind)) = (self.api_version, self.kind) else {
            // The items of a List have APIs of their own.
            return self.kind.and_then(|kind| kind.text(text)) != Some("List");
        };
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

/// Where the parts of a plain line `key: value` are, from the start of the line on.
#[derive(Debug, Clone, Copy)]
struct PlainEntry {
    indent: usize,
    key_end: usize,
    /// Where the value starts, if there is one.
    value: Option<usize>,
    /// Where the line break is.
    end: usize,
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

pub(super) struct Reader<'a> {
    text: &'a str,
    bytes: &'a [u8],
    tabs: bool,
    /// Start of the line that is being read.
    pub(super) at: usize,
    /// Lines read so far.
    pub(super) lines: u32,
    levels: [Level; DEPTH],
    depth: usize,
    open: Open,
    pub(super) header: Header,
    in_metadata: bool,
    /// Whether the last value was one of the header's: it must stand on one line.
    captured: bool,
    /// Whether it gave up in the middle of a scalar.
    inside: bool,
    /// Whether it gave up at a line that no YAML parser accepts.
    wrong: bool,
}

impl<'a> Reader<'a> {
    pub(super) fn new(text: &'a str, tabs: bool, at: usize) -> Self {
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
            wrong: false,
        }
    }

    /// Reads one document into the header; `None` when some line of it is not understood.
    pub(super) fn document(&mut self) -> Option<()> {
        if let Some(kind) = self.bytes.get(self.at..).and_then(split::marker) {
            let (line, next) = self.line();
            let rest = line.get(3..)?.trim_ascii();
            if !(rest.is_empty() || rest.first() == Some(&b'#')) {
                return None;
            }
            self.advance(next);
            if kind == Marker::End {
                return Some(());
            }
        }
        while self.at < self.bytes.len() {
            if !self.tabs && self.plain_entry() {
                continue;
            }
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
        Some(())
    }

    /// Reads the line that most lines are, `key: plain value` or `key:`, with a single search
    /// for its end. `false`: nothing was read, and the line wants the whole treatment.
    #[inline]
    fn plain_entry(&mut self) -> bool {
        let Some(entry) = self.find_plain_entry() else { return false };
        let before = (self.depth, self.open, self.captured);
        if self.take_plain_entry(entry).is_some() {
            return true;
        }
        (self.depth, self.open, self.captured) = before;
        false
    }

    #[inline]
    fn find_plain_entry(&self) -> Option<PlainEntry> {
        let rest = self.bytes.get(self.at..)?;
        let indent = spaces(rest);
        if matches!(self.open, Open::Plain(parent) if indent > parent) {
            return None;
        }
        let key_end = indent + short_key(rest.get(indent..)?)?;
        match rest.get(key_end + 1)? {
            b'\n' => Some(PlainEntry { indent, key_end, value: None, end: key_end + 1 }),
            b' ' => {
                let start = key_end + 1 + spaces(rest.get(key_end + 1..)?);
                let value = rest.get(start..)?;
                if !starts_plain(*value.first()?) {
                    return None;
                }
                let end = start + memchr3(b'\n', b':', b'#', value)?;
                (rest.get(end) == Some(&b'\n')).then_some(PlainEntry {
                    indent,
                    key_end,
                    value: Some(start),
                    end,
                })
            }
            _ => None,
        }
    }

    #[inline]
    fn take_plain_entry(&mut self, entry: PlainEntry) -> Option<()> {
        let PlainEntry { indent, key_end, value, end } = entry;
        self.place(indent, Kind::Map)?;
        let rest = self.bytes.get(self.at..)?;
        let field = self.wanted_key(indent, rest.get(indent..key_end)?)?;
        self.captured = false;
        let next = self.at + end + 1;
        match value {
            None => self.empty(next, field)?,
            Some(start) => {
                let length = rest.get(start..end)?.trim_ascii_end().len();
                let at = self.at + start;
                self.capture(field, at, at, at + length, true)?;
                self.open = Open::Plain(indent);
                self.advance(next);
            }
        }
        self.header.content = true;
        Some(())
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
            // `key:` and a flow collection below it.
            None if self.open == Open::Empty && matches!(rest.first(), Some(b'[' | b'{')) => {
                let parent = self.levels.get(self.depth.checked_sub(1)?)?.indent;
                if column <= parent {
                    return None;
                }
                self.value(rest, self.at + column, parent, next, None)
            }
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
                if !self.ends(value.get(close + 1..)?) {
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
                    Some(close) => close,
                    None if field.is_some() => return None,
                    None => flow(value)?,
                };
                if !self.ends(value.get(close..)?) {
                    return None;
                }
                // A mapping to YAML, and so no name; and no API that one can read.
                self.header.computed |= matches!(field, Some(Field::ApiVersion | Field::Kind | Field::Type));
                if field == Some(Field::Metadata) {
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
        self.capture(field, at, start, end, is_plain)?;
        self.advance(next);
        Some(())
    }

    /// Keeps a value that belongs to the header. It starts at `place`, its text goes from `start`
    /// to `end`.
    #[inline]
    fn capture(
        &mut self,
        field: Option<Field>,
        place: usize,
        start: usize,
        end: usize,
        plain: bool,
    ) -> Option<()> {
        let Some(field) = field else { return Some(()) };
        let captured = Captured { start, end, place, line_start: self.at, line: self.lines, plain };
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
        Some(())
    }

    /// Whether nothing but spaces and a comment follows a value that ended. Something else is
    /// wrong YAML, unless a colon makes it another thing.
    #[inline]
    fn ends(&mut self, rest: &[u8]) -> bool {
        let ends = ends_after(rest);
        if !ends {
            self.wrong = !matches!(rest.trim_ascii_start().first(), None | Some(b':' | b'#'));
        }
        ends
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
        let (mut indent, mut chomping) = (None, false);
        // An indentation indicator and a chomping one, in any order.
        for _ in 0..2 {
            match style.first() {
                Some(b'-' | b'+') if !chomping => {
                    chomping = true;
                    style = style.get(1..)?;
                }
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
    pub(super) fn stopped_at_template(&self) -> bool {
        let (line, _) = self.line();
        if self.inside {
            return false;
        }
        if self.wrong {
            return memchr::memmem::find(line, b"{{").is_some();
        }
        let indent = spaces(line);
        let rest = line.get(indent..).unwrap_or_default();
        if !rest.starts_with(b"{{") {
            return false;
        }
        let continues = matches!(self.open, Open::Plain(parent) if indent > parent);
        let may_be_key = || memchr::memchr_iter(b':', rest).any(|at| rest.get(at + 1) != Some(&b'='));
        (rest.starts_with(b"{{- ") && !continues) || (indent == 0 && self.depth > 0 && !may_be_key())
    }
}
