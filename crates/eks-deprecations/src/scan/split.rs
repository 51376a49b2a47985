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
