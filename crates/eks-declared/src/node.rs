//! One tree of values for all formats, each value with its place.

use std::collections::BTreeMap;
use std::rc::Rc;

/// Where a value stands. The file is a number in the tree of files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct At {
    pub(crate) file: u32,
    pub(crate) line: u32,
    pub(crate) column: u32,
    pub(crate) width: u32,
    pub(crate) document: u32,
}

/// Makes what is given twice unknown: one reader takes the first, another the last, a third refuses.
pub(crate) fn given_once(entries: &mut [(String, Node)]) {
    if entries.len() < 2 {
        return;
    }
    let mut first: BTreeMap<&str, usize> = BTreeMap::new();
    let mut twice: Vec<(usize, u32)> = Vec::new();
    for (index, (key, node)) in entries.iter().enumerate() {
        // An empty key is a map for a key: templates have several of them.
        if key.is_empty() {
            continue;
        }
        match first.get(key.as_str()) {
            Some(&known) => twice.push((known, node.at.line)),
            None => {
                first.insert(key, index);
            }
        }
    }
    for (index, line) in twice {
        if let Some((key, node)) = entries.get_mut(index)
            && !node.is_unknown()
        {
            *node =
                Node::unknown(format!("{key} is given twice, here and in line {line}; keep one"), node.at);
        }
    }
}

/// A value and its place.
#[derive(Debug, Clone)]
pub(crate) struct Node {
    pub(crate) value: Value,
    pub(crate) at: At,
}

/// A value as far as it can be told from the text.
#[derive(Debug, Clone)]
pub(crate) enum Value {
    Null,
    Bool(bool),
    /// A number without quotes, as written: `1.30` is not `1.3` here.
    Number(String),
    Text(String),
    /// The id of an image, found by this name, pattern or parameter.
    Named(String),
    List(Rc<Vec<Node>>),
    Map(Rc<Vec<(String, Node)>>),
    /// It is computed by something that this text does not say; the reason, as the end of a sentence.
    Unknown(String),
    /// Something that is not there was asked for; the reason, as above. `try` goes on to the next.
    Missing(String),
}

impl Node {
    pub(crate) fn new(value: Value, at: At) -> Self {
        Self { value, at }
    }

    pub(crate) fn map(entries: Vec<(String, Node)>, at: At) -> Self {
        Self::new(Value::Map(Rc::new(entries)), at)
    }

    pub(crate) fn list(items: Vec<Node>, at: At) -> Self {
        Self::new(Value::List(Rc::new(items)), at)
    }

    pub(crate) fn unknown(reason: impl Into<String>, at: At) -> Self {
        Self::new(Value::Unknown(reason.into()), at)
    }

    /// The entries of a map; none of anything else.
    pub(crate) fn entries(&self) -> &[(String, Node)] {
        if let Value::Map(entries) = &self.value { entries } else { &[] }
    }

    /// The items of a list; none of anything else.
    pub(crate) fn items(&self) -> &[Node] {
        if let Value::List(items) = &self.value { items } else { &[] }
    }

    /// The value of a key, where it has one that is not null.
    pub(crate) fn get(&self, key: &str) -> Option<&Node> {
        self.entries()
            .iter()
            .find(|(name, _)| name == key)
            .map(|(_, node)| node)
            .filter(|node| !node.is_null())
    }

    /// The value at a path of keys.
    pub(crate) fn at_path(&self, path: &[&str]) -> Option<&Node> {
        path.iter().try_fold(self, |node, key| node.get(key))
    }

    /// A text, or a number as it is written.
    pub(crate) fn text(&self) -> Option<&str> {
        match &self.value {
            Value::Text(text) | Value::Number(text) | Value::Named(text) => Some(text),
            Value::Null
            | Value::Bool(_)
            | Value::List(_)
            | Value::Map(_)
            | Value::Unknown(_)
            | Value::Missing(_) => None,
        }
    }

    pub(crate) fn bool(&self) -> Option<bool> {
        match &self.value {
            Value::Bool(value) => Some(*value),
            Value::Text(text) => text.parse().ok(),
            Value::Null
            | Value::Number(_)
            | Value::Named(_)
            | Value::List(_)
            | Value::Map(_)
            | Value::Unknown(_)
            | Value::Missing(_) => None,
        }
    }

    /// The same value in a text that stands further to the right.
    pub(crate) fn moved_right(&self, by: u32) -> Self {
        let at = At { column: self.at.column.saturating_add(by), ..self.at };
        match &self.value {
            Value::List(items) => Self::list(items.iter().map(|item| item.moved_right(by)).collect(), at),
            Value::Map(entries) => {
                Self::map(entries.iter().map(|(key, node)| (key.clone(), node.moved_right(by))).collect(), at)
            }
            value => Self::new(value.clone(), at),
        }
    }

    /// Why it is not known.
    pub(crate) fn why(&self) -> Option<&str> {
        match &self.value {
            Value::Unknown(reason) | Value::Missing(reason) => Some(reason),
            Value::Null
            | Value::Bool(_)
            | Value::Number(_)
            | Value::Text(_)
            | Value::Named(_)
            | Value::List(_)
            | Value::Map(_) => None,
        }
    }

    pub(crate) fn is_null(&self) -> bool {
        matches!(self.value, Value::Null)
    }

    pub(crate) fn is_unknown(&self) -> bool {
        matches!(self.value, Value::Unknown(_) | Value::Missing(_))
    }
}
