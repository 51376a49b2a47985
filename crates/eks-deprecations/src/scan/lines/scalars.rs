//! The pieces of a line: indents, keys, plain and quoted scalars, flow collections on one line.
//!
//! All of them are careful: what they do not know for sure they leave to the YAML parser.

use memchr::{memchr, memchr2};

/// Longer keys than this go to the YAML parser, which has a limit of its own.
const KEY_LENGTH: usize = 512;

/// How many spaces a line starts with.
#[inline]
pub(super) fn spaces(line: &[u8]) -> usize {
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

/// Where a plain key at the start of `rest` ends, at its colon, if that is all clear.
#[inline]
pub(super) fn short_key(rest: &[u8]) -> Option<usize> {
    if KEY.get(usize::from(*rest.first()?)) != Some(&2) {
        return None;
    }
    let end = rest.iter().take(KEY_LENGTH).position(|&b| KEY.get(usize::from(b)) == Some(&0))?;
    (rest.get(end) == Some(&b':')).then_some(end)
}

/// Whether a byte may start a plain scalar without a second look.
#[inline]
pub(super) fn starts_plain(b: u8) -> bool {
    KEY.get(usize::from(b)) == Some(&2) || b >= 0x80
}

/// Where the key at the start of `rest` ends (at its colon); `Some(None)` when there is none;
/// `None` when it may be one and is not understood.
#[inline]
pub(super) fn key(rest: &[u8]) -> Option<Option<usize>> {
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
pub(super) fn plain(rest: &[u8]) -> Option<usize> {
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
pub(super) enum Quote {
    /// Its closing quote stands here.
    Closed(usize),
    /// It goes on.
    Open,
}

/// Looks for the closing quote in the rest of a line; `None` for an escape that needs a second
/// look.
#[inline]
pub(super) fn quote_in(quote: u8, rest: &[u8]) -> Option<Quote> {
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
pub(super) fn ends_after(rest: &[u8]) -> bool {
    let gap = spaces(rest);
    match rest.get(gap) {
        None => true,
        Some(b'#') => gap > 0,
        Some(_) => false,
    }
}

/// Where a template's action ends that YAML reads as a mapping of a mapping: `{{ .Values.name }}`.
pub(super) fn action(value: &[u8]) -> Option<usize> {
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
pub(super) fn flow(value: &[u8]) -> Option<usize> {
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
