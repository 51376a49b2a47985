//! Functions of Terraform that only move values about.

use std::rc::Rc;

use crate::node::{At, Node, Value};

/// Calls a function with its arguments worked out; `None` when it is one that this crate does not
/// follow.
pub(super) fn call(name: &str, arguments: &[Node], at: At) -> Option<Node> {
    if let Some(unknown) = arguments.iter().find(|argument| argument.is_unknown())
        && !matches!(name, "try" | "coalesce" | "merge" | "lookup" | "can" | "concat" | "flatten" | "one")
    {
        return Some(unknown.clone());
    }
    let text = |index: usize| arguments.get(index).and_then(Node::text);
    let string = |text: String| Some(Node::new(Value::Text(text), at));
    match name {
        "tostring" | "tonumber" | "tobool" | "tolist" | "toset" | "tomap" | "nonsensitive" | "sensitive" => {
            arguments.first().cloned()
        }
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
                if argument.is_unknown() {
                    return Some(argument.clone());
                }
                if !argument.is_null() && argument.text() != Some("") {
                    return Some(argument.clone());
                }
            }
            Some(Node::new(Value::Null, at))
        }
        "lookup" => {
            let map = arguments.first()?;
            let key = arguments.get(1)?;
            if let Some(unknown) = [map, key].into_iter().find(|node| node.is_unknown()) {
                return Some(unknown.clone());
            }
            let found = map.entries().iter().find(|(name, _)| Some(name.as_str()) == key.text());
            found.map(|(_, node)| node.clone()).or_else(|| arguments.get(2).cloned()).or_else(|| {
                Some(Node::new(
                    Value::Missing(format!("there is no {} in it", key.text().unwrap_or("such key"))),
                    at,
                ))
            })
        }
        "merge" => {
            let mut entries: Vec<(String, Node)> = Vec::new();
            for argument in arguments {
                if argument.is_unknown() {
                    return Some(argument.clone());
                }
                for (key, value) in argument.entries() {
                    match entries.iter_mut().find(|(known, _)| known == key) {
                        Some((_, place)) => *place = value.clone(),
                        None => entries.push((key.clone(), value.clone())),
                    }
                }
            }
            Some(Node::map(entries, at))
        }
        "concat" | "flatten" => {
            let mut items = Vec::new();
            let mut open: Vec<&Node> = arguments.iter().rev().collect();
            while let Some(node) = open.pop() {
                match &node.value {
                    Value::Unknown(_) | Value::Missing(_) => return Some(node.clone()),
                    Value::List(inner) if name == "flatten" => open.extend(inner.iter().rev()),
                    Value::List(inner) => items.extend(inner.iter().cloned()),
                    _ => items.push(node.clone()),
                }
            }
            Some(Node::list(items, at))
        }
        "element" => {
            let items = arguments.first()?.items();
            let index: usize = text(1)?.parse().ok()?;
            items.get(index.checked_rem(items.len())?).cloned()
        }
        "one" => {
            let list = arguments.first()?;
            if list.is_unknown() {
                return Some(list.clone());
            }
            Some(list.items().first().cloned().unwrap_or(Node::new(Value::Null, at)))
        }
        "length" => {
            let first = arguments.first()?;
            let length = match &first.value {
                Value::List(items) => items.len(),
                Value::Map(entries) => entries.len(),
                _ => first.text()?.chars().count(),
            };
            Some(Node::new(Value::Number(length.to_string()), at))
        }
        "keys" => {
            let keys = arguments.first()?.entries().iter();
            Some(Node::list(
                keys.map(|(key, node)| Node::new(Value::Text(key.clone()), node.at)).collect(),
                at,
            ))
        }
        "values" => {
            Some(Node::list(arguments.first()?.entries().iter().map(|(_, node)| node.clone()).collect(), at))
        }
        "lower" => string(text(0)?.to_lowercase()),
        "upper" => string(text(0)?.to_uppercase()),
        "trimspace" | "chomp" => string(text(0)?.trim().to_owned()),
        "trimprefix" => string(text(0)?.trim_start_matches(text(1)?).to_owned()),
        "trimsuffix" => string(text(0)?.trim_end_matches(text(1)?).to_owned()),
        "replace" if !text(1)?.starts_with('/') => string(text(0)?.replace(text(1)?, text(2)?)),
        "join" => {
            let parts: Vec<&str> = arguments.get(1)?.items().iter().filter_map(Node::text).collect();
            string(parts.join(text(0)?))
        }
        "split" => {
            let parts = text(1)?.split(text(0)?);
            Some(Node::new(
                Value::List(Rc::new(parts.map(|part| Node::new(Value::Text(part.to_owned()), at)).collect())),
                at,
            ))
        }
        "format" => format(arguments).and_then(string),
        "contains" => {
            let wanted = text(1)?;
            let found = arguments.first()?.items().iter().any(|item| item.text() == Some(wanted));
            Some(Node::new(Value::Bool(found), at))
        }
        "startswith" => Some(Node::new(Value::Bool(text(0)?.starts_with(text(1)?)), at)),
        "endswith" => Some(Node::new(Value::Bool(text(0)?.ends_with(text(1)?)), at)),
        _ => None,
    }
}

/// `%s`, `%d`, `%v`, and the same with an index (`%[2]v`).
fn format(arguments: &[Node]) -> Option<String> {
    let mut out = String::new();
    let mut rest = arguments.first()?.text()?;
    let mut next = 1;
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
        rest = after.strip_prefix(['s', 'd', 'v', 'q'])?;
        out.push_str(arguments.get(next)?.text()?);
        next += 1;
    }
    out.push_str(rest);
    Some(out)
}
