//! YAML text as a tree of values: complete parsing, places kept, CloudFormation's short tags
//! written out.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use granit_parser::{Event, Parser, ScalarStyle};

use crate::node::{At, Node, Value, given_once};

/// How many nodes one document may have, its aliases followed.
const NODE_BUDGET: usize = 2_000_000;

/// Why a document with more of them is refused.
pub(crate) const TOO_LARGE: &str = "it has more values than any declaration, its aliases followed";

/// Why a text cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refused {
    pub(crate) line: u32,
    pub(crate) reason: String,
}

/// A collection that is open.
struct Open {
    at: At,
    /// How many values are in it, its aliases followed.
    size: usize,
    anchor: usize,
    tag: Option<String>,
    kind: Kind,
}

enum Kind {
    List(Vec<Node>),
    Map { entries: Vec<(String, Node)>, key: Option<Node> },
}

/// Reads one document.
///
/// # Errors
/// [`Refused`] when it is no YAML.
pub(crate) fn document(
    text: &str,
    first_line: u32,
    file: u32,
    document: u32,
) -> Result<Option<Node>, Refused> {
    let line_of = |line: usize| first_line.saturating_add(narrow(line.saturating_sub(1)));
    let mut open: Vec<Open> = Vec::new();
    let mut anchors: BTreeMap<usize, (Node, usize)> = BTreeMap::new();
    let mut root = None;
    let mut total: usize = 0;
    for event in Parser::new_from_str(text) {
        let (event, span) =
            event.map_err(|error| Refused { line: line_of(error.marker().line()), reason: error.info() })?;
        let mut at = At {
            file,
            line: line_of(span.start.line()),
            column: narrow(span.start.col()).saturating_add(1),
            width: 1,
            document,
        };
        #[expect(clippy::wildcard_enum_match_arm, reason = "the parser's enum is not exhaustive")]
        let (node, anchor, size) = match event {
            Event::Scalar(value, style, anchor, tag) => {
                let plain = style == ScalarStyle::Plain && tag.is_none();
                let tag = tag.map(|tag| format!("{}{}", tag.handle(), tag.suffix()));
                at.width = narrow(value.chars().count()).max(1);
                if matches!(style, ScalarStyle::SingleQuoted | ScalarStyle::DoubleQuoted) {
                    at.width = at.width.saturating_add(2);
                }
                let value = if plain { plain_scalar(&value) } else { Value::Text(value.into_owned()) };
                (tagged(Node::new(value, at), tag.as_deref()), anchor, 1)
            }
            Event::SequenceStart(_, anchor, tag) => {
                let tag = tag.map(|tag| format!("{}{}", tag.handle(), tag.suffix()));
                open.push(Open { at, size: 1, anchor, tag, kind: Kind::List(Vec::new()) });
                continue;
            }
            Event::MappingStart(_, anchor, tag) => {
                let tag = tag.map(|tag| format!("{}{}", tag.handle(), tag.suffix()));
                let kind = Kind::Map { entries: Vec::new(), key: None };
                open.push(Open { at, size: 1, anchor, tag, kind });
                continue;
            }
            Event::SequenceEnd | Event::MappingEnd => {
                let Some(closed) = open.pop() else { continue };
                let node = match closed.kind {
                    Kind::List(items) => Node::list(items, closed.at),
                    Kind::Map { mut entries, .. } => {
                        given_once(&mut entries);
                        Node::map(merged(entries), closed.at)
                    }
                };
                (tagged(node, closed.tag.as_deref()), closed.anchor, closed.size)
            }
            Event::Alias(anchor) => {
                let Some((node, size)) = anchors.get(&anchor) else { continue };
                (node.clone(), 0, *size)
            }
            _ => continue,
        };
        // Few lines of aliases of aliases are more values than there is memory for.
        total = total.saturating_add(1);
        let above = open.last_mut().map_or(size, |open| {
            open.size = open.size.saturating_add(size);
            open.size
        });
        if total.max(above) > NODE_BUDGET {
            return Err(Refused { line: at.line, reason: TOO_LARGE.to_owned() });
        }
        if anchor != 0 {
            anchors.insert(anchor, (node.clone(), size));
        }
        match open.last_mut().map(|open| &mut open.kind) {
            None => root = Some(node),
            Some(Kind::List(items)) => items.push(node),
            Some(Kind::Map { entries, key }) => match key.take() {
                None => *key = Some(node),
                Some(name) => entries.push((name.text().unwrap_or_default().to_owned(), node)),
            },
        }
    }
    Ok(root)
}

fn narrow(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

/// What a scalar without quotes is, as YAML 1.2 has it.
fn plain_scalar(text: &str) -> Value {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => Value::Null,
        "true" | "True" | "TRUE" => Value::Bool(true),
        "false" | "False" | "FALSE" => Value::Bool(false),
        text if is_number(text) => Value::Number(text.to_owned()),
        text => Value::Text(text.to_owned()),
    }
}

/// Whether a scalar without quotes is a number: the digits and the point that versions have.
pub(crate) fn is_number(text: &str) -> bool {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    digits.starts_with(|c: char| c.is_ascii_digit())
        && digits.bytes().all(|b| b.is_ascii_digit() || b == b'.')
        && digits.bytes().filter(|&b| b == b'.').count() <= 1
}

/// Entries with `<<` looked into.
fn merged(entries: Vec<(String, Node)>) -> Vec<(String, Node)> {
    if !entries.iter().any(|(key, _)| key == "<<") {
        return entries;
    }
    let mut out: Vec<(String, Node)> = Vec::new();
    let mut known: BTreeSet<String> = BTreeSet::new();
    let mut from = Vec::new();
    for (key, node) in entries {
        if key == "<<" {
            match &node.value {
                Value::List(items) => from.extend(items.iter().cloned()),
                _ => from.push(node),
            }
        } else {
            known.insert(key.clone());
            out.push((key, node));
        }
    }
    for node in from {
        for (key, value) in node.entries() {
            if known.insert(key.clone()) {
                out.push((key.clone(), value.clone()));
            }
        }
    }
    out
}

/// CloudFormation's short tags (`!Ref x`) as its long form (`{Ref: x}`).
fn tagged(node: Node, tag: Option<&str>) -> Node {
    let Some(name) = tag.and_then(|tag| tag.strip_prefix('!')) else { return node };
    let at = node.at;
    let (key, node) = match name {
        "Ref" | "Condition" => (name.to_owned(), node),
        "GetAtt" => {
            let list = node.text().and_then(|text| text.split_once('.')).map(|(resource, attribute)| {
                let text = |text: &str| Node::new(Value::Text(text.to_owned()), at);
                vec![text(resource), text(attribute)]
            });
            let node = match list {
                Some(items) => Node::new(Value::List(Rc::new(items)), at),
                None => node,
            };
            ("Fn::GetAtt".to_owned(), node)
        }
        // `!!str` and other tags of YAML's own say nothing new here.
        name if name.starts_with('!') || name.is_empty() => return node,
        name => (format!("Fn::{name}"), node),
    };
    Node::map(vec![(key, node)], at)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Node {
        document(text, 1, 0, 0).unwrap().unwrap()
    }

    #[test]
    fn every_value_has_its_place() {
        let node = parse("metadata:\n  name: shop\n  version: \"1.34\"\nlist:\n- a\n- {b: 1.30}\n");
        let version = node.at_path(&["metadata", "version"]).unwrap();
        assert_eq!(
            (version.text(), version.at.line, version.at.column, version.at.width),
            (Some("1.34"), 3, 12, 6)
        );
        let item = node.get("list").unwrap().items()[1].get("b").unwrap();
        // The zero is kept.
        assert_eq!((item.text(), item.at.line, item.at.column), (Some("1.30"), 6, 7));
        assert!(matches!(item.value, Value::Number(_)));
    }

    #[test]
    fn short_tags_mean_their_long_form() {
        let node =
            parse("a: !Ref X\nb: !GetAtt C.Arn\nc: !Sub '${X}-y'\nd: !If [P, 1, !Ref Y]\ne: !!str 1\n");
        assert_eq!(node.at_path(&["a", "Ref"]).and_then(Node::text), Some("X"));
        let parts: Vec<_> =
            node.at_path(&["b", "Fn::GetAtt"]).unwrap().items().iter().filter_map(Node::text).collect();
        assert_eq!(parts, ["C", "Arn"]);
        assert_eq!(node.at_path(&["c", "Fn::Sub"]).and_then(Node::text), Some("${X}-y"));
        assert_eq!(node.at_path(&["d", "Fn::If"]).unwrap().items().len(), 3);
        assert_eq!(node.get("e").and_then(Node::text), Some("1"));
    }

    #[test]
    fn aliases_and_merges_are_followed() {
        let node = parse("base: &b {version: '1.3'}\nuse: *b\nmore:\n  <<: *b\n  name: x\n");
        assert_eq!(node.at_path(&["use", "version"]).and_then(Node::text), Some("1.3"));
        assert_eq!(node.at_path(&["more", "version"]).and_then(Node::text), Some("1.3"));
    }

    #[test]
    fn aliases_of_aliases_are_counted_as_what_they_are() {
        let mut text = "x0: &x0 a\n".to_owned();
        for n in 1..60 {
            text.push_str(&format!("x{n}: &x{n} [*x{0}, *x{0}]\n", n - 1));
        }
        assert_eq!(document(&text, 1, 0, 0).unwrap_err().reason, TOO_LARGE);
    }

    #[test]
    fn what_is_given_twice_is_not_known() {
        let node = parse("version: '1.36'\nname: x\nversion: '1.30'\n");
        assert!(node.get("version").is_some_and(Node::is_unknown));
        assert_eq!(node.get("name").and_then(Node::text), Some("x"));
    }

    #[test]
    fn what_is_no_yaml_is_refused_with_its_line() {
        let refused = document("a: 1\nb: [1\nc: 2\n", 10, 0, 0).unwrap_err();
        assert!(refused.line >= 11 && !refused.reason.is_empty(), "{refused:?}");
    }
}
