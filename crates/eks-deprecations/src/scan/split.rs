//! Where documents of a YAML stream begin and end.
//!
//! A line that starts with `---` or `...` and then ends or goes on with white space is a document
//! marker wherever it stands: inside a quoted or block scalar too, YAML forbids it as content. So
//! a stream can be cut before it is parsed, as kubectl does it.

/// Which marker a line is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Marker {
    /// `---`
    Start,
    /// `...`
    End,
}

/// Whether the line that starts at `line` is a document marker.
#[inline]
pub(super) fn marker(line: &[u8]) -> Option<Marker> {
    let marker = match line.get(..3)? {
        b"---" => Marker::Start,
        b"..." => Marker::End,
        _ => return None,
    };
    matches!(line.get(3), None | Some(b' ' | b'\t' | b'\n' | b'\r')).then_some(marker)
}

/// The start of the first line at or after `from` (the start of a line) that is a document
/// marker, and how many lines lie before it; the end of the text if there is none.
pub(super) fn next_marker(bytes: &[u8], from: usize) -> (usize, u32) {
    let mut at = from;
    let mut lines = 0;
    while let Some(rest) = bytes.get(at..) {
        if rest.is_empty() || marker(rest).is_some() {
            break;
        }
        lines += 1;
        match memchr::memchr(b'\n', rest) {
            Some(end) => at += end + 1,
            None => at = bytes.len(),
        }
    }
    (at, lines)
}

/// A document of a YAML stream, not yet parsed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct YamlDocument<'a> {
    /// Its text, with its `---` line where it has one.
    pub text: &'a str,
    /// 1-based line of its first byte.
    pub first_line: u32,
    /// 0-based index of it in the stream; documents without content are not counted, and not given.
    pub index: u32,
}

/// Cuts a YAML stream into its documents, numbered as everywhere here.
///
/// ```
/// let documents = eks_deprecations::documents("# nothing\n---\na: 1\n---\nb: 2\n");
/// assert_eq!(documents.iter().map(|d| (d.index, d.first_line)).collect::<Vec<_>>(), [(0, 2), (1, 4)]);
/// ```
pub fn documents(text: &str) -> Vec<YamlDocument<'_>> {
    let mut documents = Vec::new();
    let (mut start, mut first_line, mut index) = (0, 1_u32, 0);
    loop {
        // The marker that a document starts with is its own; the next one ends it.
        let own = text.get(start..).and_then(|rest| marker(rest.as_bytes()));
        let from = match own {
            Some(_) => {
                text.get(start..).and_then(|rest| rest.find('\n')).map_or(text.len(), |end| start + end + 1)
            }
            None => start,
        };
        let (end, lines) = next_marker(text.as_bytes(), from);
        let inner = text.get(from..end).unwrap_or_default();
        // What stands behind the marker on its own line is content too.
        let behind = match own {
            Some(_) => text.get(start + 3..from).unwrap_or_default(),
            None => "",
        };
        if has_content(behind) || has_content(inner) {
            documents.push(YamlDocument {
                text: text.get(start..end).unwrap_or_default(),
                first_line,
                index,
            });
            index += 1;
        }
        first_line = first_line.saturating_add(lines).saturating_add(u32::from(own.is_some()));
        if end >= text.len() {
            return documents;
        }
        start = end;
    }
}

/// Whether any line is neither blank nor a comment nor a directive.
fn has_content(text: &str) -> bool {
    text.lines().map(str::trim_start).any(|line| !line.is_empty() && !line.starts_with(['#', '%']))
}
