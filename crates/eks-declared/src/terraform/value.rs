//! Values as Terraform sees them: as parts of texts, as keys, in operators.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::collections::BTreeMap;

use hcl_edit::expr::BinaryOperator;

use crate::node::{At, Node, Value};

/// The first part of a text that is not known, or is filled in later: `${why}`.
pub(super) fn open_part(text: &str) -> Option<&str> {
    let (_, rest) = text.split_once("${").or_else(|| text.split_once("%{"))?;
    Some(rest.split_once('}').map_or(rest, |(part, _)| part))
}

/// A text for people, without the reasons in it.
pub(super) fn shown(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("${") {
        out.push_str(before);
        out.push_str("${…}");
        rest = after.split_once('}').map_or("", |(_, after)| after);
    }
    out.push_str(rest);
    out
}

/// A number as Terraform writes it: `1.30` is `1.3`.
pub(super) fn number(written: &str) -> &str {
    if written.contains('.') && !written.contains(['e', 'E']) {
        written.trim_end_matches('0').trim_end_matches('.')
    } else {
        written
    }
}

/// A value as a part of a text; one that is not known as `${why}`.
pub(super) fn part(node: &Node) -> Cow<'_, str> {
    match &node.value {
        Value::Text(text) => Cow::Borrowed(text),
        Value::Number(written) => Cow::Borrowed(number(written)),
        Value::Bool(true) => Cow::Borrowed("true"),
        Value::Bool(false) => Cow::Borrowed("false"),
        Value::Named(name) => Cow::Owned(format!("${{what {name} is}}")),
        Value::Null | Value::List(_) | Value::Map(_) => Cow::Borrowed("${no text}"),
        Value::Unknown(why) | Value::Missing(why) => Cow::Owned(format!("${{{why}}}")),
    }
}

/// A value as a key.
pub(super) fn key(node: &Node) -> String {
    part(node).into_owned()
}

/// The entries of a map, sorted by key; of equal keys the last one counts. Keys that are not known may all differ.
pub(super) fn sorted(mut entries: Vec<(String, Node)>) -> Vec<(String, Node)> {
    entries.sort_by(|(a, _), (b, _)| a.cmp(b));
    let mut out: Vec<(String, Node)> = Vec::with_capacity(entries.len());
    for (key, node) in entries {
        match out.last_mut() {
            Some((last, place)) if *last == key && open_part(&key).is_none() => *place = node,
            _ => out.push((key, node)),
        }
    }
    out
}

/// The same, where the values of one key make a list.
pub(super) fn grouped(entries: Vec<(String, Node)>) -> Vec<(String, Node)> {
    let mut groups: BTreeMap<String, Vec<Node>> = BTreeMap::new();
    for (key, node) in entries {
        groups.entry(key).or_default().push(node);
    }
    groups
        .into_iter()
        .map(|(key, items)| {
            let at = items.first().map(|item| item.at).unwrap_or_default();
            (key, Node::list(items, at))
        })
        .collect()
}

/// What `for` goes over: keys and values, in Terraform's order.
pub(super) fn pairs(collection: &Node) -> Option<Vec<(Node, Node)>> {
    match &collection.value {
        Value::Map(entries) => {
            let mut entries: Vec<&(String, Node)> = entries.iter().collect();
            entries.sort_by(|(a, _), (b, _)| a.cmp(b));
            Some(entries.into_iter().map(|(key, node)| (key_node(key, node.at), node.clone())).collect())
        }
        Value::List(items) => Some(
            (0..)
                .zip(items.iter())
                .map(|(index, item): (u64, &Node)| {
                    (Node::new(Value::Number(index.to_string()), item.at), item.clone())
                })
                .collect(),
        ),
        _ => None,
    }
}

/// A key as a value.
pub(super) fn key_node(key: &str, at: At) -> Node {
    match key.strip_prefix("${").and_then(|rest| rest.strip_suffix('}')).filter(|why| !why.contains("${")) {
        Some(why) => Node::unknown(why.to_owned(), at),
        None => Node::new(Value::Text(key.to_owned()), at),
    }
}

/// A key of a map, or a number of a list.
pub(super) fn step(node: &Node, key: &str, at: At) -> Node {
    let missing = || Node::new(Value::Missing(format!("there is no {key} in it")), at);
    match &node.value {
        Value::Map(entries) => {
            let found = match entries.binary_search_by(|(name, _)| name.as_str().cmp(key)) {
                Ok(index) => entries.get(index),
                // It may be from a file whose keys are not sorted.
                Err(_) => entries.iter().find(|(name, _)| name == key),
            };
            if let Some((_, value)) = found {
                return value.clone();
            }
            match entries.iter().find_map(|(name, _)| open_part(name)) {
                Some(why) => Node::unknown(format!("a key of it is not known: {why}"), at),
                None => missing(),
            }
        }
        Value::List(items) => {
            let item = key.parse::<usize>().ok().and_then(|index| items.get(index).cloned());
            item.unwrap_or_else(missing)
        }
        // A parameter that describes an image: its id is in it.
        Value::Named(_) => node.clone(),
        _ => missing(),
    }
}

/// Why a key cannot be followed.
pub(super) fn why_not_key(key: &Node) -> String {
    let why = key.why().or_else(|| key.text().and_then(open_part)).unwrap_or("it is no text");
    format!("a key is not known: {}", why.strip_prefix("a key is not known: ").unwrap_or(why))
}

/// A value that takes another's place in comparing and computing: `None` where some of it is not known.
pub(super) fn known(node: &Node) -> Option<&str> {
    match &node.value {
        Value::Text(text) => open_part(text).is_none().then_some(text.as_str()),
        Value::Number(written) => Some(number(written)),
        _ => None,
    }
}

/// Why a text or a list of texts is not known.
pub(super) fn why(node: &Node) -> Option<String> {
    match &node.value {
        Value::Unknown(why) | Value::Missing(why) => Some(why.clone()),
        Value::Named(name) => Some(format!("it is looked up as {name}")),
        Value::Text(text) => open_part(text).map(str::to_owned),
        Value::List(items) => items.iter().find_map(|item| match &item.value {
            Value::List(_) | Value::Map(_) => None,
            _ => why(item),
        }),
        Value::Map(entries) => entries.iter().find_map(|(key, _)| open_part(key).map(str::to_owned)),
        Value::Null | Value::Bool(_) | Value::Number(_) => None,
    }
}

/// Works out an operator.
pub(super) fn operation(operator: BinaryOperator, left: &Node, right: &Node, at: At) -> Node {
    let bool = |value: bool| Node::new(Value::Bool(value), at);
    match operator {
        // One side may settle it.
        BinaryOperator::And if left.bool() == Some(false) || right.bool() == Some(false) => {
            return bool(false);
        }
        BinaryOperator::Or if left.bool() == Some(true) || right.bool() == Some(true) => return bool(true),
        _ => {}
    }
    if let Some(unknown) = [left, right].into_iter().find(|node| node.is_unknown()) {
        return Node { at, ..unknown.clone() };
    }
    let numbers = || Some((known(left)?.parse::<f64>().ok()?, known(right)?.parse::<f64>().ok()?));
    let integers = || Some((known(left)?.parse::<i64>().ok()?, known(right)?.parse::<i64>().ok()?));
    let equal = || match (&left.value, &right.value) {
        (Value::Null, Value::Null) => Some(true),
        (Value::Null, _) | (_, Value::Null) => Some(false),
        // Whatever is found is something.
        (Value::Named(_), Value::Text(text)) | (Value::Text(text), Value::Named(_)) if text.is_empty() => {
            Some(false)
        }
        // An empty collection is all that can be compared at a glance.
        (Value::List(a), Value::List(b)) if a.is_empty() || b.is_empty() => Some(a.len() == b.len()),
        (Value::Map(a), Value::Map(b)) if a.is_empty() || b.is_empty() => Some(a.len() == b.len()),
        _ => match (left.bool(), right.bool()) {
            (Some(a), Some(b)) => Some(a == b),
            _ => Some(known(left)? == known(right)?),
        },
    };
    let compare = |wanted: fn(Ordering) -> bool| {
        numbers().and_then(|(a, b)| a.partial_cmp(&b)).map(|order| bool(wanted(order)))
    };
    let integer = |number: Option<i64>| number.map(|number| Node::new(Value::Number(number.to_string()), at));
    let answer = match operator {
        BinaryOperator::Eq => equal().map(bool),
        BinaryOperator::NotEq => equal().map(|equal| bool(!equal)),
        BinaryOperator::And => left.bool().zip(right.bool()).map(|(a, b)| bool(a && b)),
        BinaryOperator::Or => left.bool().zip(right.bool()).map(|(a, b)| bool(a || b)),
        BinaryOperator::Less => compare(Ordering::is_lt),
        BinaryOperator::LessEq => compare(Ordering::is_le),
        BinaryOperator::Greater => compare(Ordering::is_gt),
        BinaryOperator::GreaterEq => compare(Ordering::is_ge),
        BinaryOperator::Plus => integer(integers().and_then(|(a, b)| a.checked_add(b))),
        BinaryOperator::Minus => integer(integers().and_then(|(a, b)| a.checked_sub(b))),
        BinaryOperator::Mul => integer(integers().and_then(|(a, b)| a.checked_mul(b))),
        BinaryOperator::Mod => integer(integers().and_then(|(a, b)| a.checked_rem(b))),
        BinaryOperator::Div => None,
    };
    answer.unwrap_or_else(|| {
        let part = [left, right].into_iter().find_map(why);
        Node::unknown(part.unwrap_or_else(|| "it is computed".to_owned()), at)
    })
}
