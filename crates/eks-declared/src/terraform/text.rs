//! The text of a file of HCL before it is parsed: where its comments are, and repairs of what the parser refuses and
//! Terraform takes. Every repair leaves every place where it is.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use hcl_edit::structure::Body;

use crate::json::line_starts;
use crate::yaml::Refused;

/// How many keys an object may have: the parser compares each with all before it.
const KEYS: usize = 10_000;

/// How many doubled keys a file may have, and how many bytes may be parsed again for them.
const DOUBLED: usize = 32;
const AGAIN: usize = 4 << 20;

/// Lines and columns of a text, without counting from the start of a line each time.
#[derive(Debug)]
pub(super) struct Index {
    lines: Vec<usize>,
    /// How many characters come before each block of bytes; empty where all are ASCII.
    before: Vec<usize>,
}

/// The bytes of a block.
const BLOCK: usize = 512;

impl Index {
    pub(super) fn new(text: &str) -> Self {
        let mut before = Vec::new();
        if !text.is_ascii() {
            let mut count = 0;
            for (at, byte) in text.bytes().enumerate() {
                if at % BLOCK == 0 {
                    before.push(count);
                }
                count += usize::from(starts_character(byte));
            }
            before.push(count);
        }
        Self { lines: line_starts(text), before }
    }

    fn characters(&self, text: &str, at: usize) -> usize {
        if self.before.is_empty() {
            return at;
        }
        let block = at / BLOCK;
        let rest = text.as_bytes().get(block * BLOCK..at).unwrap_or_default();
        let before = self.before.get(block).copied().unwrap_or_default();
        before + rest.iter().filter(|&&byte| starts_character(byte)).count()
    }

    /// The 1-based line and column, in characters, of a byte.
    pub(super) fn place(&self, text: &str, at: usize) -> (u32, u32) {
        let line = self.lines.partition_point(|&start| start <= at);
        let start = line.checked_sub(1).and_then(|line| self.lines.get(line)).copied().unwrap_or(0);
        let column = self.characters(text, at).saturating_sub(self.characters(text, start));
        let narrow = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
        (narrow(line), narrow(column).saturating_add(1))
    }
}

fn starts_character(byte: u8) -> bool {
    byte & 0b1100_0000 != 0b1000_0000
}

/// What a text holds, told without parsing it.
#[derive(Debug, Default)]
pub(super) struct Scan {
    /// Comments, with their marks.
    pub(super) comments: Vec<Range<usize>>,
    /// Where an object starts that has more keys than the parser can take.
    too_wide: Option<usize>,
}

/// What encloses a byte.
enum Inside {
    Block,
    /// With the number of its keys, and where it starts.
    Object(usize, usize),
    /// `${…}` in a text.
    Interpolation,
    Quotes,
    Heredoc(String),
}

/// Goes through a text once.
pub(super) fn scan(text: &str) -> Scan {
    let bytes = text.as_bytes();
    let mut found = Scan::default();
    let mut inside: Vec<Inside> = Vec::new();
    // The last byte that is no blank: what stands before a brace tells an object from a block.
    let mut last = b'\n';
    let mut at = 0;
    let starts =
        |at: usize, what: &str| bytes.get(at..).is_some_and(|rest| rest.starts_with(what.as_bytes()));
    while let Some(&byte) = bytes.get(at) {
        match inside.last_mut() {
            Some(Inside::Quotes | Inside::Heredoc(_)) if starts(at, "$${") || starts(at, "%%{") => at += 3,
            Some(Inside::Quotes | Inside::Heredoc(_)) if starts(at, "${") || starts(at, "%{") => {
                inside.push(Inside::Interpolation);
                last = b'(';
                at += 2;
            }
            Some(Inside::Quotes) => {
                match byte {
                    b'\\' => at += 1,
                    // No text in quotes goes on in the next line.
                    b'"' | b'\n' => {
                        inside.pop();
                        last = b'"';
                    }
                    _ => {}
                }
                at += 1;
            }
            Some(Inside::Heredoc(marker)) => {
                let at_start = at.checked_sub(1).is_none_or(|before| bytes.get(before) == Some(&b'\n'));
                let end = if at_start { line_end(bytes, at) } else { at };
                if at_start && text.get(at..end).is_some_and(|line| line.trim() == marker) {
                    inside.pop();
                    last = b'"';
                    at = end;
                } else {
                    at += 1;
                }
            }
            _ if byte == b'#' || starts(at, "//") => {
                let end = line_end(bytes, at);
                found.comments.push(at..end);
                at = end;
            }
            _ if starts(at, "/*") => {
                let end =
                    text.get(at + 2..).and_then(|rest| rest.find("*/")).map_or(bytes.len(), |n| at + n + 4);
                found.comments.push(at..end);
                at = end;
            }
            _ if byte == b'"' => {
                inside.push(Inside::Quotes);
                at += 1;
            }
            _ if starts(at, "<<") => {
                let end = line_end(bytes, at);
                let marker = text.get(at + 2..end).unwrap_or_default().trim_start_matches('-').trim();
                if !marker.is_empty() && marker.bytes().all(is_name) {
                    inside.push(Inside::Heredoc(marker.to_owned()));
                    at = end + 1;
                } else {
                    at += 2;
                }
            }
            top => {
                match (byte, top) {
                    (b'{', _) => {
                        let object = matches!(last, b'=' | b':' | b'(' | b'[' | b',' | b'?' | b'{');
                        inside.push(if object { Inside::Object(0, at) } else { Inside::Block });
                    }
                    (b'}', Some(_)) => drop(inside.pop()),
                    (b'=' | b':', Some(Inside::Object(keys, start))) => {
                        *keys += 1;
                        if *keys > KEYS && found.too_wide.is_none() {
                            found.too_wide = Some(*start);
                        }
                    }
                    _ => {}
                }
                if !byte.is_ascii_whitespace() {
                    last = byte;
                }
                at += 1;
            }
        }
    }
    found
}

fn line_end(bytes: &[u8], at: usize) -> usize {
    bytes.get(at..).and_then(|rest| memchr::memchr(b'\n', rest)).map_or(bytes.len(), |n| at + n)
}

fn is_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-'
}

/// Keys that had to be renamed, by where they start.
pub(super) type Renamed = BTreeMap<usize, String>;

/// Parses a text, with repairs.
///
/// # Errors
/// [`Refused`] when it is no HCL.
pub(super) fn parse(text: &str, scan: &Scan) -> Result<(Body, Renamed), Refused> {
    let line_of = |at: usize| {
        let before = text.as_bytes().get(..at).unwrap_or_default();
        u32::try_from(memchr::memchr_iter(b'\n', before).count() + 1).unwrap_or(u32::MAX)
    };
    if let Some(at) = scan.too_wide {
        let reason = format!("an object has more than {KEYS} keys");
        return Err(Refused { line: line_of(at), reason });
    }
    let mut renamed = Renamed::new();
    let mut parsed = hcl_edit::parser::parse_body(text);
    if parsed.is_err() {
        let mut without = text.to_owned();
        if let Some(text) = without_false_ends(&without) {
            parsed = hcl_edit::parser::parse_body(&text);
            without = text;
        }
        for _ in 0..DOUBLED.min(AGAIN / text.len().max(1)) {
            // Terraform takes the last of two equal keys of an object; the parser takes neither.
            let Err(error) = &parsed else { break };
            if !error.message().contains("redefined object key")
                || !rename(&mut without, error.location().offset(), &mut renamed)
            {
                break;
            }
            parsed = hcl_edit::parser::parse_body(&without);
        }
    }
    match parsed {
        Ok(body) => Ok((body, renamed)),
        Err(error) => Err(Refused {
            line: u32::try_from(error.location().line()).unwrap_or(u32::MAX),
            reason: error.message().to_owned(),
        }),
    }
}

/// Gives a key of an object another name of the same length, and notes the one that it has. Both entries are there
/// then, in their order.
fn rename(text: &mut String, at: usize, renamed: &mut Renamed) -> bool {
    let Some(rest) = text.get(at..) else { return false };
    let (start, name) = if let Some(quoted) = rest.strip_prefix('"') {
        (at + 1, quoted.split('"').next().unwrap_or_default())
    } else {
        let end = rest.bytes().take_while(|&byte| is_name(byte)).count();
        (at, rest.get(..end).unwrap_or_default())
    };
    if name.is_empty() || !name.bytes().all(is_name) {
        return false;
    }
    // A name that nothing else in the text has: counted in letters.
    let taken: BTreeSet<&str> = text.split(|c: char| !c.is_alphanumeric() && c != '_' && c != '-').collect();
    let other = (0..10_000_u32).find_map(|number| {
        let mut number = number;
        let mut other = String::with_capacity(name.len());
        for _ in 0..name.len() {
            let (letter, first) = if number % 52 < 26 { (number % 26, b'a') } else { (number % 26, b'A') };
            other.push(char::from(first + u8::try_from(letter).unwrap_or(0)));
            number /= 52;
        }
        (number == 0 && !taken.contains(other.as_str())).then_some(other)
    });
    let Some(other) = other else { return false };
    renamed.entry(at).or_insert_with(|| name.to_owned());
    let range = start..start + name.len();
    text.replace_range(range, &other);
    true
}

/// A text in which no line of a heredoc only starts like its end: the parser takes `EOF"` for the end of `<<EOF`,
/// Terraform does not. `None` where there is no such line. Every place stays where it is.
fn without_false_ends(text: &str) -> Option<String> {
    let mut out = String::with_capacity(text.len());
    let mut end: Option<String> = None;
    let mut changed = false;
    for line in text.split_inclusive('\n') {
        let inner = line.trim();
        match &end {
            Some(marker) if inner == marker => {
                end = None;
                out.push_str(line);
            }
            Some(marker) if inner.starts_with(marker.as_str()) => {
                changed = true;
                // Any other letter will do.
                out.push_str(&line.replacen(marker.as_str(), &"_".repeat(marker.len()), 1));
            }
            Some(_) => out.push_str(line),
            None => {
                if let Some((_, marker)) = line.split_once("<<") {
                    let marker = marker.trim_start_matches('-').trim();
                    if !marker.is_empty() && marker.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_') {
                        end = Some(marker.to_owned());
                    }
                }
                out.push_str(line);
            }
        }
    }
    changed.then_some(out)
}
