//! Values: the functions and operators of Terraform that only move them about.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

use hcl_edit::expr::BinaryOperator;

use super::eval::Budget;
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
fn number(written: &str) -> &str {
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
fn known(node: &Node) -> Option<&str> {
    match &node.value {
        Value::Text(text) => open_part(text).is_none().then_some(text.as_str()),
        Value::Number(written) => Some(number(written)),
        _ => None,
    }
}

/// Why a text or a list of texts is not known.
fn why(node: &Node) -> Option<String> {
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

/// Functions that look at their arguments even where some are not known.
const LENIENT: [&str; 14] = [
    "try",
    "coalesce",
    "coalescelist",
    "merge",
    "lookup",
    "can",
    "concat",
    "flatten",
    "one",
    "format",
    "join",
    "contains",
    "nonsensitive",
    "sensitive",
];

/// Functions of texts, for which a part that is not known makes all of it unknown.
const TEXTUAL: [&str; 16] = [
    "lower", "upper", "trimspace", "chomp", "trimprefix", "trimsuffix", "trim", "replace", "split", "substr",
    "startswith", "endswith", "length", "distinct", "sort", "compact",
];

/// Calls a function with its arguments worked out; `None` when it is one that this crate does not
/// follow.
pub(super) fn call(name: &str, arguments: &[Node], at: At, budget: &Budget<'_>) -> Option<Node> {
    if !LENIENT.contains(&name)
        && let Some(unknown) = arguments.iter().find(|argument| argument.is_unknown())
    {
        return Some(unknown.clone());
    }
    if TEXTUAL.contains(&name)
        // How many there are is known, whatever they are.
        && !(name == "length" && matches!(arguments.first()?.value, Value::List(_) | Value::Map(_)))
        && let Some(why) = arguments.iter().find_map(why)
    {
        return Some(Node::unknown(why, at));
    }
    let node = match name {
        "lower" | "upper" | "trimspace" | "chomp" | "trimprefix" | "trimsuffix" | "trim" | "replace"
        | "split" | "substr" | "format" | "join" | "startswith" | "endswith" | "title" => {
            textual(name, arguments, at, budget)
        }
        _ => structural(name, arguments, at, budget),
    }?;
    let size = match &node.value {
        Value::Text(text) => text.len() / 16,
        Value::List(items) => items.len(),
        Value::Map(entries) => entries.len(),
        _ => 0,
    };
    Some(if budget.spend_size(size) { node } else { spent(at) })
}

fn spent(at: At) -> Node {
    Node::unknown("working it out takes too many steps", at)
}

/// Functions that make texts of texts.
fn textual(name: &str, arguments: &[Node], at: At, budget: &Budget<'_>) -> Option<Node> {
    let text = |index: usize| arguments.get(index).and_then(known);
    let string = |text: String| Some(Node::new(Value::Text(text), at));
    let bool = |value: bool| Some(Node::new(Value::Bool(value), at));
    match name {
        "lower" => string(text(0)?.to_lowercase()),
        "upper" => string(text(0)?.to_uppercase()),
        "trimspace" => string(text(0)?.trim().to_owned()),
        "chomp" => string(text(0)?.trim_end_matches(['\n', '\r']).to_owned()),
        "trimprefix" => {
            let (whole, prefix) = (text(0)?, text(1)?);
            string(whole.strip_prefix(prefix).unwrap_or(whole).to_owned())
        }
        "trimsuffix" => {
            let (whole, suffix) = (text(0)?, text(1)?);
            string(whole.strip_suffix(suffix).unwrap_or(whole).to_owned())
        }
        "trim" => {
            let set: Vec<char> = text(1)?.chars().collect();
            string(text(0)?.trim_matches(|c| set.contains(&c)).to_owned())
        }
        "replace" if !(text(1)?.len() > 1 && text(1)?.starts_with('/') && text(1)?.ends_with('/')) => {
            let (whole, old, new) = (text(0)?, text(1)?, text(2)?);
            let size = whole.len().saturating_add((whole.len() + 1).saturating_mul(new.len()));
            if old.is_empty() || !budget.spend_size(size / 16) {
                return Some(spent(at));
            }
            string(whole.replace(old, new))
        }
        "substr" => {
            let (whole, start, length) = (text(0)?, text(1)?.parse::<usize>().ok()?, text(2)?.parse::<i64>().ok()?);
            let rest = whole.chars().skip(start);
            string(match usize::try_from(length) {
                Ok(length) => rest.take(length).collect(),
                Err(_) => rest.collect(),
            })
        }
        "join" => {
            let separator = text(0)?;
            let mut out = String::new();
            let mut first = true;
            for list in arguments.get(1..)? {
                if let Some(why) = list.why() {
                    return Some(Node::unknown(why.to_owned(), at));
                }
                let Value::List(items) = &list.value else { return None };
                for item in items.iter() {
                    if !std::mem::take(&mut first) {
                        out.push_str(separator);
                    }
                    out.push_str(&part(item));
                    if !budget.spend_size(out.len() / 4096) {
                        return Some(spent(at));
                    }
                }
            }
            string(out)
        }
        "split" => {
            let parts = text(1)?.split(text(0)?);
            Some(Node::list(parts.map(|part| Node::new(Value::Text(part.to_owned()), at)).collect(), at))
        }
        "format" => format(arguments, budget).and_then(string),
        "startswith" => bool(text(0)?.starts_with(text(1)?)),
        "endswith" => bool(text(0)?.ends_with(text(1)?)),
        _ => None,
    }
}

/// Functions that move values about.
fn structural(name: &str, arguments: &[Node], at: At, budget: &Budget<'_>) -> Option<Node> {
    let list = |items: Vec<Node>| Some(Node::list(items, at));
    let items = |index: usize| match &arguments.get(index)?.value {
        Value::List(items) => Some(items.as_slice()),
        _ => None,
    };
    match name {
        "tolist" | "tomap" | "tobool" | "nonsensitive" | "sensitive" | "tonumber" | "tostring" => {
            arguments.first().cloned()
        }
        "toset" | "distinct" => distinct(items(0)?, name == "toset", at),
        // What fails in Terraform is missing here; what is unknown may be either.
        "try" => arguments
            .iter()
            .find(|argument| !matches!(argument.value, Value::Missing(_)))
            .or(arguments.last())
            .cloned(),
        "can" => {
            let there = match arguments.first()?.value {
                Value::Missing(_) => false,
                Value::Unknown(_) => return arguments.first().cloned(),
                _ => true,
            };
            Some(Node::new(Value::Bool(there), at))
        }
        "coalesce" => {
            for argument in arguments {
                if argument.is_unknown() || !(argument.is_null() || argument.text() == Some("")) {
                    return Some(argument.clone());
                }
            }
            Some(Node::new(Value::Null, at))
        }
        "coalescelist" => arguments
            .iter()
            .find(|argument| !argument.is_null() && !matches!(&argument.value, Value::List(items) if items.is_empty()))
            .cloned(),
        "lookup" => lookup(arguments, at),
        "merge" => {
            let mut entries: Vec<(String, Node)> = Vec::new();
            for argument in arguments {
                match &argument.value {
                    Value::Unknown(_) | Value::Missing(_) => return Some(argument.clone()),
                    Value::Null => {}
                    Value::Map(inner) if budget.spend_size(inner.len()) => entries.extend(inner.iter().cloned()),
                    Value::Map(_) => return Some(spent(at)),
                    _ => return None,
                }
            }
            Some(Node::map(sorted(entries), at))
        }
        "concat" | "flatten" => {
            let mut out = Vec::new();
            let mut open: Vec<&Node> = arguments.iter().rev().collect();
            while let Some(node) = open.pop() {
                if !budget.spend(1) {
                    return Some(spent(at));
                }
                match &node.value {
                    Value::Unknown(_) | Value::Missing(_) => return Some(node.clone()),
                    Value::List(inner) if name == "flatten" => open.extend(inner.iter().rev()),
                    Value::List(inner) if budget.spend_size(inner.len()) => out.extend(inner.iter().cloned()),
                    Value::List(_) => return Some(spent(at)),
                    _ => out.push(node.clone()),
                }
            }
            list(out)
        }
        "element" => {
            let index: usize = known(arguments.get(1)?)?.parse().ok()?;
            items(0)?.get(index.checked_rem(items(0)?.len())?).cloned()
        }
        "one" => match &arguments.first()?.value {
            Value::Unknown(_) | Value::Missing(_) | Value::Null => arguments.first().cloned(),
            Value::List(items) => match items.as_slice() {
                [] => Some(Node::new(Value::Null, at)),
                [one] => Some(one.clone()),
                _ => Some(Node::new(Value::Missing("there is more than one".to_owned()), at)),
            },
            _ => None,
        },
        "length" => {
            let first = arguments.first()?;
            let length = match &first.value {
                Value::List(items) => items.len(),
                Value::Map(entries) => entries.len(),
                _ => first.text()?.chars().count(),
            };
            Some(Node::new(Value::Number(length.to_string()), at))
        }
        "keys" | "values" => {
            let Value::Map(_) = &arguments.first()?.value else { return None };
            let pairs = pairs(arguments.first()?)?.into_iter();
            list(pairs.map(|(key, value)| if name == "keys" { key } else { value }).collect())
        }
        "reverse" => list(items(0)?.iter().rev().cloned().collect()),
        "sort" => {
            let mut sorted: Vec<&Node> = items(0)?.iter().collect();
            if sorted.iter().any(|item| known(item).is_none()) {
                return None;
            }
            sorted.sort_by(|a, b| known(a).cmp(&known(b)));
            list(sorted.into_iter().cloned().collect())
        }
        "compact" => list(
            items(0)?.iter().filter(|item| !item.is_null() && item.text() != Some("")).cloned().collect(),
        ),
        "slice" => {
            let index = |at: usize| known(arguments.get(at)?)?.parse::<usize>().ok();
            list(items(0)?.get(index(1)?..index(2)?)?.to_vec())
        }
        "zipmap" => {
            let keys = items(0)?.iter().map(key);
            Some(Node::map(sorted(keys.zip(items(1)?.iter().cloned()).collect()), at))
        }
        "contains" => contains(arguments, at),
        "yamldecode" | "jsondecode" => decoded(name, arguments.first()?, at, budget),
        _ => None,
    }
}

fn lookup(arguments: &[Node], at: At) -> Option<Node> {
    let (map, wanted) = (arguments.first()?, arguments.get(1)?);
    if let Some(unknown) = [map, wanted].into_iter().find(|node| node.is_unknown()) {
        return Some(unknown.clone());
    }
    let Some(name) = known(wanted) else { return Some(Node::unknown(why_not_key(wanted), at)) };
    let found = step(map, name, at);
    Some(match found.value {
        Value::Missing(_) => arguments.get(2).cloned().unwrap_or(found),
        _ => found,
    })
}

fn distinct(items: &[Node], set: bool, at: At) -> Option<Node> {
    let mut seen = BTreeSet::new();
    let mut out = Vec::with_capacity(items.len());
    for item in items {
        // What is no text, or not known, may differ from all others.
        if known(item).is_none_or(|text| seen.insert(text)) {
            out.push(item.clone());
        }
    }
    if set {
        out.sort_by(|a, b| known(a).cmp(&known(b)));
    }
    Some(Node::list(out, at))
}

fn contains(arguments: &[Node], at: At) -> Option<Node> {
    let (list, wanted) = (arguments.first()?, arguments.get(1)?);
    if let Some(unknown) = [list, wanted].into_iter().find(|node| node.is_unknown()) {
        return Some(unknown.clone());
    }
    let Value::List(items) = &list.value else { return None };
    let Some(name) = known(wanted) else { return why(wanted).map(|why| Node::unknown(why, at)) };
    if items.iter().any(|item| known(item) == Some(name)) {
        return Some(Node::new(Value::Bool(true), at));
    }
    // It may be among those that are not known.
    match items.iter().find_map(why) {
        Some(why) => Some(Node::unknown(why, at)),
        None => Some(Node::new(Value::Bool(false), at)),
    }
}

/// `yamldecode`, `jsondecode`: of a file of the tree with every place, of any other text as a whole.
fn decoded(name: &str, node: &Node, at: At, budget: &Budget<'_>) -> Option<Node> {
    // A parameter that describes an image.
    if let Value::Named(_) = node.value {
        return Some(node.clone());
    }
    if let Some(why) = node.text().and_then(open_part) {
        return Some(Node::unknown(why.to_owned(), at));
    }
    let text = known(node)?;
    if !budget.spend_size(text.len() / 4) {
        return Some(spent(at));
    }
    let whole_file = (node.at.line, node.at.column, node.at.width) == (1, 1, 1);
    let decoded = if name == "jsondecode" {
        crate::json::document(text, node.at.file).ok()
    } else {
        let mut documents = eks_deprecations::documents(text).into_iter();
        let document = documents.next()?;
        crate::yaml::document(document.text, document.first_line, node.at.file, node.at.document).ok().flatten()
    };
    let decoded = decoded?;
    Some(if whole_file { decoded } else { at_one_place(&decoded, node.at, budget) })
}

/// A value all of which stands where the text does that it was read from.
fn at_one_place(node: &Node, at: At, budget: &Budget<'_>) -> Node {
    if !budget.spend(1) {
        return spent(at);
    }
    match &node.value {
        Value::List(items) => {
            Node::list(items.iter().map(|item| at_one_place(item, at, budget)).collect(), at)
        }
        Value::Map(entries) => {
            let moved = |(key, item): &(String, Node)| (key.clone(), at_one_place(item, at, budget));
            Node::map(entries.iter().map(moved).collect(), at)
        }
        value => Node::new(value.clone(), at),
    }
}

/// `%s`, `%d`, `%v`, and the same with an index (`%[2]v`).
fn format(arguments: &[Node], budget: &Budget<'_>) -> Option<String> {
    let mut out = String::new();
    let mut rest = known(arguments.first()?)?;
    let mut next = 1_usize;
    while let Some((before, after)) = rest.split_once('%') {
        out.push_str(before);
        if let Some(after) = after.strip_prefix('%') {
            out.push('%');
            rest = after;
            continue;
        }
        let after = match after.strip_prefix('[').and_then(|inner| inner.split_once(']')) {
            Some((index, after)) => {
                next = index.parse().ok()?;
                after
            }
            None => after,
        };
        let verb = after.chars().next()?;
        rest = after.strip_prefix(['s', 'd', 'v'])?;
        let argument = arguments.get(next)?;
        match &argument.value {
            Value::Null | Value::List(_) | Value::Map(_) => return None,
            Value::Number(written) if verb == 'd' && number(written).contains('.') => return None,
            _ => {}
        }
        out.push_str(&part(argument));
        if !budget.spend_size(out.len() / 16) {
            return None;
        }
        next = next.checked_add(1)?;
    }
    out.push_str(rest);
    Some(out)
}
