//! Values as the `type` of a variable makes them.

use std::rc::Rc;

use hcl_edit::expr::{Expression, FuncCall, Object, ObjectKey};

use super::{Bound, Context, Module};
use crate::node::{At, Node, Value};
use crate::terraform::config::{Block, Source};
use crate::terraform::value;

impl<'p> Module<'p> {
    /// A value as the `type` of its variable makes it: what an object may lack is null or has a default, and
    /// what it does not name is dropped.
    pub(super) fn typed(self: &Rc<Self>, node: Node, variable: Option<&Block<'p>>) -> Node {
        match variable.and_then(|variable| variable.attribute("type")).map(|attribute| &attribute.value) {
            Some(Source::Hcl { expression, parsed, document }) => {
                let context = Context { parsed: *parsed, document: *document };
                self.converted(node, expression, &context)
            }
            // `"type": "${map(object({…}))}"`
            Some(Source::Json(kind)) => {
                let text = kind.text().unwrap_or_default();
                let text = text.strip_prefix("${").and_then(|text| text.strip_suffix('}')).unwrap_or(text);
                match text.parse::<Expression>() {
                    Ok(expression) if text.contains('(') => {
                        let context =
                            Context { parsed: &super::Anywhere(kind.at), document: kind.at.document };
                        self.converted(node, &expression, &context)
                    }
                    _ => node,
                }
            }
            None => node,
        }
    }

    /// Types are nested as deep as a parser lets them be, and no deeper.
    fn converted(self: &Rc<Self>, node: Node, kind: &Expression, context: &Context<'_>) -> Node {
        let Expression::FuncCall(call) = kind else { return node };
        let Some(inner) = call.args.iter().next() else { return node };
        if !self.budget().spend(1) {
            return Node::unknown(super::SPENT, node.at);
        }
        match (call.name.name.as_str(), &node.value, inner) {
            ("optional", _, inner) => self.converted(node, inner, context),
            ("map", Value::Map(entries), inner) => {
                let mut out = Vec::with_capacity(entries.len());
                for (key, value) in entries.iter() {
                    out.push((key.clone(), self.converted(value.clone(), inner, context)));
                }
                Node::map(out, node.at)
            }
            ("list" | "set", Value::List(items), inner) => {
                let mut out = Vec::with_capacity(items.len());
                for item in items.iter() {
                    out.push(self.converted(item.clone(), inner, context));
                }
                Node::list(out, node.at)
            }
            ("object", Value::Map(entries), Expression::Object(object)) => {
                self.object_of(entries, object, node.at, context)
            }
            _ => node,
        }
    }

    fn object_of(
        self: &Rc<Self>,
        entries: &[(String, Node)],
        object: &Object,
        at: At,
        context: &Context<'_>,
    ) -> Node {
        let mut out = Vec::with_capacity(object.len());
        let open = entries.iter().find_map(|(key, _)| value::open_part(key));
        for (key, kind) in object {
            let name = match key {
                ObjectKey::Ident(name) | ObjectKey::Expression(Expression::Variable(name)) => name.as_str(),
                ObjectKey::Expression(Expression::String(name)) => name.value().as_str(),
                ObjectKey::Expression(_) => continue,
            };
            let given = entries.iter().find(|(key, value)| key == name && !value.is_null());
            let value = match (given, kind.expr()) {
                (Some((_, value)), kind) => self.converted(value.clone(), kind, context),
                (None, _) if open.is_some() => {
                    Node::unknown(format!("a key is not known: {}", open.unwrap_or_default()), at)
                }
                (None, Expression::FuncCall(call)) => self.optional_default(call, at, context),
                (None, _) => Node::new(Value::Null, at),
            };
            out.push((name.to_owned(), value));
        }
        Node::map(out, at)
    }

    /// `optional(TYPE, DEFAULT)`
    fn optional_default(self: &Rc<Self>, call: &FuncCall, at: At, context: &Context<'_>) -> Node {
        let mut arguments = call.args.iter();
        match (call.name.name.as_str(), arguments.next(), arguments.next()) {
            ("optional", Some(kind), Some(default)) => {
                let node = self.expression(default, context, &Bound::new());
                self.converted(node, kind, context)
            }
            _ => Node::new(Value::Null, at),
        }
    }
}
