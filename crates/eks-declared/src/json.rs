//! JSON text as a tree of values. Places come from where borrowed raw values lie in the text.

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
    let reader = Reader { text, file, lines: line_starts(text) };
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
}

impl<'a> Reader<'a> {
    fn at(&self, raw: &str) -> At {
        // A raw value is a slice of the text.
        let offset = (raw.as_ptr() as usize).saturating_sub(self.text.as_ptr() as usize);
        let (line, column) = place(self.text, &self.lines, offset);
        let width = u32::try_from(raw.chars().take(200).count()).unwrap_or(1).max(1);
        At { file: self.file, line, column, width, document: 0 }
    }

    fn value(&self, raw: &'a RawValue, depth: u32) -> Result<Node, serde_json::Error> {
        let text = raw.get();
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
        Ok(Node::new(value, self.at(text)))
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
    fn what_is_no_json_is_refused_with_its_line() {
        let refused = document("{\n\"a\": }", 0).unwrap_err();
        assert_eq!(refused.line, 2);
        let deep = "[".repeat(200_000);
        assert!(document(&deep, 0).is_err());
    }
}
