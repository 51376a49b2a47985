//! Bytes to text, as YAML asks: UTF-8, or UTF-16 and UTF-32 with a byte order mark.

/// What the bytes of a file are.
pub(super) enum Decoded<'a> {
    /// UTF-8, without its byte order mark.
    Text(&'a str),
    /// Another encoding, converted.
    Converted(String),
    /// No text, or one with NUL bytes.
    Binary {
        /// What can be read of it.
        lossy: String,
    },
    /// Meant to be UTF-8, with bytes that are not.
    Invalid {
        /// 1-based line of the first such byte.
        line: u32,
        /// The text with a replacement character for each of them.
        lossy: String,
    },
}

/// How far into a file NUL bytes are looked for. As git does it.
const BINARY_PREFIX: usize = 8_000;

pub(super) fn decode(bytes: &[u8]) -> Decoded<'_> {
    let wide = match bytes {
        [0xFF, 0xFE, 0, 0, rest @ ..] => Some(utf32(rest, u32::from_le_bytes)),
        [0, 0, 0xFE, 0xFF, rest @ ..] => Some(utf32(rest, u32::from_be_bytes)),
        [0xFF, 0xFE, rest @ ..] => Some(utf16(rest, u16::from_le_bytes)),
        [0xFE, 0xFF, rest @ ..] => Some(utf16(rest, u16::from_be_bytes)),
        _ => None,
    };
    if let Some(text) = wide {
        return text.map_or_else(|| Decoded::Binary { lossy: String::new() }, Decoded::Converted);
    }
    let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
    let prefix = bytes.get(..BINARY_PREFIX).unwrap_or(bytes);
    if memchr::memchr(0, prefix).is_some() {
        return Decoded::Binary { lossy: String::from_utf8_lossy(bytes).into_owned() };
    }
    match std::str::from_utf8(bytes) {
        Ok(text) => Decoded::Text(text),
        Err(error) => {
            let before = bytes.get(..error.valid_up_to()).unwrap_or_default();
            let breaks = memchr::memchr_iter(b'\n', before).count();
            let line = u32::try_from(breaks).unwrap_or(u32::MAX).saturating_add(1);
            Decoded::Invalid { line, lossy: String::from_utf8_lossy(bytes).into_owned() }
        }
    }
}

fn utf16(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> Option<String> {
    let (units, rest) = bytes.as_chunks::<2>();
    if !rest.is_empty() {
        return None;
    }
    char::decode_utf16(units.iter().copied().map(unit)).collect::<Result<_, _>>().ok()
}

fn utf32(bytes: &[u8], unit: fn([u8; 4]) -> u32) -> Option<String> {
    let (units, rest) = bytes.as_chunks::<4>();
    if !rest.is_empty() {
        return None;
    }
    units.iter().copied().map(|bytes| char::from_u32(unit(bytes))).collect()
}
