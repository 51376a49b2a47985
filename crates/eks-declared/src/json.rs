//! JSON text as a tree of values. Places come from where borrowed raw values lie in the text.

use std::cell::Cell;
use std::fmt;
use std::rc::Rc;

use serde::Deserializer as _;
use serde::de::{DeserializeSeed, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use crate::node::{At, Node, Value};
use crate::yaml::Refused;

/// How deep a value may be. Above any plan.
const DEPTH: u32 = 120;

/// Reads one JSON value.
///
/// # Errors
/// [`Refused`] when it is no JSON.
pub(crate) fn document(text: &str, file: u32) -> Result<Node, Refused> {
    let refused = |error: &serde_json::Error| Refused {
        line: u32::try_from(error.line()).unwrap_or(u32::MAX).max(1),
        reason: error.to_string(),
    };
    let raw: &RawValue = serde_json::from_str(text).map_err(|error| refused(&error))?;
    let reader = Reader { text, file, lines: line_starts(text), last: Cell::new((0, 1, 1)) };
    reader.value(raw, 0).map_err(|error| refused(&error))
}

/// The byte at which each line starts.
pub(crate) fn line_starts(text: &str) -> Vec<usize> {
    std::iter::once(0).chain(memchr::memchr_iter(b'\n', text.as_bytes()).map(|at| at + 1)).collect()
}

/// The 1-based line and column, in characters, of a byte.
pub(crate) fn place(text: &str, lines: &[usize], at: usize) -> (u32, u32) {
    let line = lines.partition_point(|&start| start <= at);
    let start = line.checked_sub(1).and_then(|line| lines.get(line)).copied().unwrap_or(0);
    let column = text.get(start..at).map_or(0, |before| before.chars().count());
    let narrow = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
    (narrow(line), narrow(column).saturating_add(1))
}

struct Reader<'a> {
    text: &'a str,
    file: u32,
    lines: Vec<usize>,
    /// The byte, line and column that was asked for last. Values come in the order of the text, and what programs
    /// write is often one line of many megabytes.
    last: Cell<(usize, u32, u32)>,
}

impl<'a> Reader<'a> {
    fn at(&self, raw: &str) -> At {
        // A raw value is a slice of the text.
        let offset = (raw.as_ptr() as usize).saturating_sub(self.text.as_ptr() as usize);
        let (from, line, column) = self.last.get();
        let between = self.text.get(from..offset).filter(|between| !between.contains('\n'));
        let (line, column) = match between {
            Some(between) => {
                (line, column.saturating_add(u32::try_from(between.chars().count()).unwrap_or(u32::MAX)))
            }
            None => place(self.text, &self.lines, offset),
        };
        self.last.set((offset, line, column));
        let width = u32::try_from(raw.chars().take(200).count()).unwrap_or(1).max(1);
        At { file: self.file, line, column, width, document: 0 }
    }

    fn value(&self, raw: &'a RawValue, depth: u32) -> Result<Node, serde_json::Error> {
        let text = raw.get();
        let at = self.at(text);
        let value = match text.as_bytes().first() {
            Some(b'{') if depth < DEPTH => {
                let entries = serde_json::Deserializer::from_str(text)
                    .deserialize_map(Entries { reader: self, depth })?;
                Value::Map(Rc::new(entries))
            }
            Some(b'[') if depth < DEPTH => {
                let items = serde_json::Deserializer::from_str(text)
                    .deserialize_seq(Items { reader: self, depth })?;
                Value::List(Rc::new(items))
            }
            Some(b'{' | b'[') => Value::Unknown("it is nested deeper than any declaration".to_owned()),
            Some(b'"') => Value::Text(serde_json::from_str(text)?),
            Some(b't') => Value::Bool(true),
            Some(b'f') => Value::Bool(false),
            Some(b'n') | None => Value::Null,
            Some(_) => Value::Number(text.to_owned()),
        };
        Ok(Node::new(value, at))
    }
}

struct Entries<'r, 'a> {
    reader: &'r Reader<'a>,
    depth: u32,
}

impl<'a> Visitor<'a> for Entries<'_, 'a> {
    type Value = Vec<(String, Node)>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'a>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut entries = Vec::new();
        while let Some(key) = map.next_key::<String>()? {
            entries.push((key, map.next_value_seed(Raw { reader: self.reader, depth: self.depth })?));
        }
        crate::node::given_once(&mut entries);
        Ok(entries)
    }
}

struct Items<'r, 'a> {
    reader: &'r Reader<'a>,
    depth: u32,
}

impl<'a> Visitor<'a> for Items<'_, 'a> {
    type Value = Vec<Node>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array")
    }

    fn visit_seq<A: SeqAccess<'a>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = seq.next_element_seed(Raw { reader: self.reader, depth: self.depth })? {
            items.push(item);
        }
        Ok(items)
    }
}

struct Raw<'r, 'a> {
    reader: &'r Reader<'a>,
    depth: u32,
}

impl<'a> DeserializeSeed<'a> for Raw<'_, 'a> {
    type Value = Node;

    fn deserialize<D: serde::Deserializer<'a>>(self, deserializer: D) -> Result<Node, D::Error> {
        let raw: &'a RawValue = serde::Deserialize::deserialize(deserializer)?;
        self.reader.value(raw, self.depth + 1).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_has_its_place() {
        let node = document("{\n  \"a\": {\"é\": \"x\", \"b\": [1.30, true]}\n}\n", 0).unwrap();
        let text = node.at_path(&["a", "é"]).unwrap();
        assert_eq!((text.text(), text.at.line, text.at.column, text.at.width), (Some("x"), 2, 14, 3));
        let number = &node.at_path(&["a", "b"]).unwrap().items()[0];
        assert_eq!((number.text(), number.at.column), (Some("1.30"), 25));
    }

    #[test]
    fn one_long_line_is_read_in_a_time_that_grows_with_it() {
        let items: Vec<String> = (0..200_000).map(|n| format!("{{\"ö\":\"{n}\"}}")).collect();
        let node = document(&format!("[{}]", items.join(",")), 0).unwrap();
        // Every item is its digits and eight characters, and a comma.
        let digits: usize = (0..199_999).map(|n: u32| n.to_string().len()).sum();
        let last = &node.items()[199_999];
        assert_eq!((last.at.line, last.at.column as usize), (1, 2 + digits + 199_999 * 9));
    }

    #[test]
    fn what_is_given_twice_is_not_known() {
        let node = document("{\"a\": 1, \"b\": 2, \"a\": 3}", 0).unwrap();
        assert!(node.get("a").is_some_and(Node::is_unknown));
        assert_eq!(node.get("b").and_then(Node::text), Some("2"));
    }

    #[test]
    fn what_is_no_json_is_refused_with_its_line() {
        let refused = document("{\n\"a\": }", 0).unwrap_err();
        assert_eq!(refused.line, 2);
        let deep = "[".repeat(200_000);
        assert!(document(&deep, 0).is_err());
    }
}
