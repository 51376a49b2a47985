//! What the reader of YAML lets pass and other readers of the same file would not: numbers where a text is meant
//! (`version: 1.30`, which they take for 1.3), lists that are nothing, keys that stand twice.

use serde_yaml::Value;

use super::place::Text;
use super::{Scenario, ScenarioError};

/// Refuses what means one thing to this reader and another to others.
pub(super) fn check(scenario: &Scenario, text: &str) -> Result<(), ScenarioError> {
    let written: Value = serde_yaml::from_str(text)?;
    let read = serde_yaml::to_value(scenario)?;
    compare(&written, &read, &mut Vec::new(), Text(text))
}

fn compare(
    written: &Value,
    read: &Value,
    path: &mut Vec<String>,
    text: Text<'_>,
) -> Result<(), ScenarioError> {
    let wrong = |path: &[String], message: String| {
        let words: Vec<&str> = path.iter().map(String::as_str).collect();
        text.wrong(&words, message)
    };
    let shown = path.last().cloned().unwrap_or_default();
    match (written, read) {
        (Value::Null, Value::Null) => Ok(()),
        (Value::Null, _) => wrong(path, format!("`{shown}` is nothing; say what it is, or leave it out")),
        (Value::Number(_) | Value::Bool(_), Value::String(_)) => {
            let value = serde_yaml::to_string(written).unwrap_or_default();
            wrong(path, format!("`{shown}` is a text; write it in quotes: \"{}\"", value.trim()))
        }
        (Value::Mapping(written), Value::Mapping(read)) => {
            for (key, value) in written {
                let Some(name) = key.as_str() else {
                    let key = serde_yaml::to_string(key).unwrap_or_default();
                    return wrong(
                        path,
                        format!("a key of `{shown}` is a text; write it in quotes: \"{}\"", key.trim()),
                    );
                };
                path.push(name.to_owned());
                compare(value, read.get(name).unwrap_or(value), path, text)?;
                path.pop();
            }
            Ok(())
        }
        (Value::Sequence(written), Value::Sequence(read)) => {
            for (index, value) in written.iter().enumerate() {
                // Sets are read in another order, and hold texts only.
                let counterpart =
                    if read.iter().all(Value::is_string) { read.first() } else { read.get(index) };
                name_of(value, path);
                compare(value, counterpart.unwrap_or(value), path, text)?;
                if value.get("name").is_some_and(Value::is_string) {
                    path.pop();
                }
            }
            Ok(())
        }
        _ => Ok(()),
    }
}

/// The name of an item of a list leads to its line.
fn name_of(item: &Value, path: &mut Vec<String>) {
    if let Some(name) = item.get("name").and_then(Value::as_str) {
        path.push(name.to_owned());
    }
}
