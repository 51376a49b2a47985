//! The functions of Terraform that only move values about.

use std::collections::BTreeSet;

use super::eval::Budget;
use super::value::{key, known, number, open_part, pairs, part, sorted, step, why, why_not_key};
use crate::node::{At, Node, Value};

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
    "lower",
    "upper",
    "trimspace",
    "chomp",
    "trimprefix",
    "trimsuffix",
    "trim",
    "replace",
    "split",
    "substr",
    "startswith",
    "endswith",
    "length",
    "distinct",
    "sort",
    "compact",
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
            let (whole, start, length) =
                (text(0)?, text(1)?.parse::<usize>().ok()?, text(2)?.parse::<i64>().ok()?);
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
        "toset" | "distinct" => list(distinct(items(0)?, name == "toset")),
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
            .find(|argument| {
                !argument.is_null() && !matches!(&argument.value, Value::List(items) if items.is_empty())
            })
            .cloned(),
        "lookup" => lookup(arguments, at),
        "merge" => {
            let mut entries: Vec<(String, Node)> = Vec::new();
            for argument in arguments {
                match &argument.value {
                    Value::Unknown(_) | Value::Missing(_) => return Some(argument.clone()),
                    Value::Null => {}
                    Value::Map(inner) if budget.spend_size(inner.len()) => {
                        entries.extend(inner.iter().cloned());
                    }
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

fn distinct(items: &[Node], set: bool) -> Vec<Node> {
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
    out
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
        crate::yaml::document(document.text, document.first_line, node.at.file, node.at.document)
            .ok()
            .flatten()
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
