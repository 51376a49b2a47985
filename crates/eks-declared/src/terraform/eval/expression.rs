//! Each kind of expression. Every kind has a function of its own: frames stay small, since expressions are nested.

use std::rc::Rc;

use hcl_edit::Span;
use hcl_edit::expr::{
    Array, BinaryOp, Conditional, Expression, ForExpr, FuncCall, Object, ObjectKey, TraversalOperator,
    UnaryOp, UnaryOperator,
};
use hcl_edit::template::{Element, HeredocTemplate, StringTemplate, Template};

use super::{Anywhere, Bound, Context, Module, SPENT, TOO_DEEP, is_minor};
use crate::node::{At, Node, Value};
use crate::terraform::{functions, value};

impl Module<'_> {
    pub(super) fn expression(
        self: &Rc<Self>,
        expression: &Expression,
        context: &Context<'_>,
        bound: &Bound,
    ) -> Node {
        let at = context.at(expression.span());
        if !self.budget().spend(1) {
            return Node::unknown(SPENT, at);
        }
        let Some(_open) = self.budget().open() else { return Node::unknown(TOO_DEEP, at) };
        match expression {
            Expression::Array(array) => self.array(array, at, context, bound),
            Expression::Object(object) => self.object(object, at, context, bound),
            Expression::StringTemplate(template) => self.string(template, at, context, bound),
            Expression::HeredocTemplate(heredoc) => self.heredoc(heredoc, at, context, bound),
            Expression::Parenthesis(inner) => self.expression(inner.inner(), context, bound),
            Expression::Variable(name) => Self::variable_of(name.as_str(), at, bound),
            Expression::Conditional(conditional) => self.conditional(conditional, at, context, bound),
            Expression::FuncCall(call) => self.call(call, at, context, bound),
            Expression::Traversal(traversal) => self.traversal(traversal, at, context, bound),
            Expression::UnaryOp(unary) => self.unary(unary, at, context, bound),
            Expression::BinaryOp(binary) => self.binary(binary, at, context, bound),
            Expression::ForExpr(for_expr) => self.for_expr(for_expr, at, context, bound),
            Expression::Null(_) | Expression::Bool(_) | Expression::Number(_) | Expression::String(_) => {
                literal(expression, at, context)
            }
        }
    }

    /// The texts of a JSON file are templates.
    pub(super) fn json(self: &Rc<Self>, node: &Node, bound: &Bound) -> Node {
        if !matches!(node.value, Value::Text(_) | Value::List(_) | Value::Map(_)) {
            return node.clone();
        }
        let Some(_open) = self.budget().open() else { return Node::unknown(TOO_DEEP, node.at) };
        if !self.budget().spend(1) {
            return Node::unknown(SPENT, node.at);
        }
        match &node.value {
            Value::Text(text) if text.contains("${") || text.contains("%{") => {
                match hcl_edit::parser::parse_template(text) {
                    Ok(template) => {
                        let context = Context { parsed: &Anywhere(node.at), document: node.at.document };
                        self.template(&template, node.at, &context, bound)
                    }
                    Err(error) => {
                        Node::unknown(format!("its template cannot be read: {}", error.message()), node.at)
                    }
                }
            }
            Value::List(items) => {
                let mut out = Vec::with_capacity(items.len());
                for item in items.iter() {
                    out.push(self.json(item, bound));
                }
                Node::list(out, node.at)
            }
            Value::Map(entries) => {
                let mut out = Vec::with_capacity(entries.len());
                for (key, value) in entries.iter() {
                    out.push((key.clone(), self.json(value, bound)));
                }
                Node::map(value::sorted(out), node.at)
            }
            _ => node.clone(),
        }
    }

    fn variable_of(name: &str, at: At, bound: &Bound) -> Node {
        match bound.get(name) {
            Some(node) => node.clone(),
            None => Node::unknown(format!("it refers to {name}"), at),
        }
    }

    #[inline(never)]
    fn array(self: &Rc<Self>, array: &Array, at: At, context: &Context<'_>, bound: &Bound) -> Node {
        let mut items = Vec::with_capacity(array.len());
        for item in array {
            items.push(self.expression(item, context, bound));
        }
        Node::list(items, at)
    }

    #[inline(never)]
    fn object(self: &Rc<Self>, object: &Object, at: At, context: &Context<'_>, bound: &Bound) -> Node {
        let mut entries = Vec::with_capacity(object.len());
        for (key, value) in object {
            let key = self.key(key, context, bound);
            entries.push((key, self.expression(value.expr(), context, bound)));
        }
        Node::map(value::sorted(entries), at)
    }

    /// The key of an object. One that is not known is kept as `${why}`, and its value with it.
    fn key(self: &Rc<Self>, key: &ObjectKey, context: &Context<'_>, bound: &Bound) -> String {
        let written = match key {
            ObjectKey::Ident(name) => context.key(name.span()),
            ObjectKey::Expression(expression) => context.key(expression.span()),
        };
        match (written, key) {
            (Some(written), _) => written.to_owned(),
            // A bare name is that name; everything else is worked out.
            (None, ObjectKey::Ident(name) | ObjectKey::Expression(Expression::Variable(name))) => {
                name.as_str().to_owned()
            }
            (None, ObjectKey::Expression(key)) => value::key(&self.expression(key, context, bound)),
        }
    }

    #[inline(never)]
    fn string(
        self: &Rc<Self>,
        template: &StringTemplate,
        at: At,
        context: &Context<'_>,
        bound: &Bound,
    ) -> Node {
        let elements: Vec<&Element> = template.iter().collect();
        self.elements(&elements, at, context, bound)
    }

    #[inline(never)]
    fn heredoc(
        self: &Rc<Self>,
        heredoc: &HeredocTemplate,
        at: At,
        context: &Context<'_>,
        bound: &Bound,
    ) -> Node {
        let mut node =
            match heredoc.indent().and_then(|taken| cut_too_deep(context.text(heredoc.span())?, taken)) {
                None => self.template(&heredoc.template, at, context, bound),
                Some(whole) => match hcl_edit::parser::parse_template(&whole) {
                    Ok(template) => {
                        let context = Context { parsed: &Anywhere(at), document: at.document };
                        self.template(&template, at, &context, bound)
                    }
                    Err(_) => Node::unknown("its template cannot be read", at),
                },
            };
        node.at = at;
        node
    }

    #[inline(never)]
    fn conditional(
        self: &Rc<Self>,
        conditional: &Conditional,
        at: At,
        context: &Context<'_>,
        bound: &Bound,
    ) -> Node {
        let condition = self.expression(&conditional.cond_expr, context, bound);
        match condition.bool() {
            Some(true) => return self.expression(&conditional.true_expr, context, bound),
            Some(false) => return self.expression(&conditional.false_expr, context, bound),
            None => {}
        }
        let yes = self.expression(&conditional.true_expr, context, bound);
        let no = self.expression(&conditional.false_expr, context, bound);
        if yes.text().is_some_and(|text| value::open_part(text).is_none()) && yes.text() == no.text() {
            return yes;
        }
        let why = condition.why().unwrap_or("its condition is neither true nor false");
        let why = why.strip_prefix("it depends on a condition: ").unwrap_or(why);
        Node::unknown(format!("it depends on a condition: {why}"), at)
    }

    #[inline(never)]
    fn call(self: &Rc<Self>, call: &FuncCall, at: At, context: &Context<'_>, bound: &Bound) -> Node {
        let name = call.name.name.as_str();
        let mut arguments = Vec::with_capacity(call.args.len());
        for argument in &call.args {
            arguments.push(self.expression(argument, context, bound));
        }
        if call.args.expand_final()
            && let Some(last) = arguments.pop()
        {
            match last.value {
                Value::List(items) => arguments.extend(items.iter().cloned()),
                _ => {
                    return Node::unknown(
                        last.why().unwrap_or("its last argument is no list").to_owned(),
                        at,
                    );
                }
            }
        }
        match name {
            "file" => self.file(arguments.first(), at),
            _ => functions::call(name, &arguments, at, self.budget())
                .unwrap_or_else(|| Node::unknown(format!("it is computed by {name}()"), at)),
        }
    }

    /// The text of a file of the tree. It stands where it is, so that what is read from it does too.
    fn file(&self, path: Option<&Node>, at: At) -> Node {
        let Some(path) = path else { return Node::unknown("it is computed by file()", at) };
        let Some(written) = path.text() else {
            return Node::unknown(path.why().unwrap_or("it is computed by file()").to_owned(), at);
        };
        let full = match written.strip_prefix(PATH).and_then(|rest| rest.split_once('}')) {
            Some((folder, rest)) => {
                crate::terraform::joined(folder, &format!("./{}", rest.trim_start_matches('/')))
            }
            None if written.starts_with('/') => Some(written.to_owned()),
            // What is not absolute starts where Terraform is run.
            None => crate::terraform::joined(self.root_folder(), &format!("./{written}")),
        };
        let full = full.filter(|path| value::open_part(path).is_none());
        match full.and_then(|path| self.shared.files.file(&path)) {
            Some((number, text)) if self.budget().spend_size(text.len() / 8) => {
                let at = At { file: number, line: 1, column: 1, width: 1, document: 0 };
                Node::new(Value::Text(text.to_owned()), at)
            }
            Some(_) => Node::unknown(SPENT, at),
            None => Node::unknown(
                format!("it is in the file {}, which is not read here", value::shown(written)),
                at,
            ),
        }
    }

    #[inline(never)]
    fn unary(self: &Rc<Self>, unary: &UnaryOp, at: At, context: &Context<'_>, bound: &Bound) -> Node {
        let inner = self.expression(&unary.expr, context, bound);
        match (*unary.operator.value(), inner.bool()) {
            (UnaryOperator::Not, Some(value)) => Node::new(Value::Bool(!value), at),
            _ if inner.is_unknown() => inner,
            (UnaryOperator::Neg, _) => match inner.text().and_then(|text| text.parse::<i64>().ok()) {
                Some(number) => Node::new(Value::Number(number.saturating_neg().to_string()), at),
                None => Node::unknown("it is computed", at),
            },
            (UnaryOperator::Not, None) => Node::unknown("it is computed", at),
        }
    }

    #[inline(never)]
    fn binary(self: &Rc<Self>, binary: &BinaryOp, at: At, context: &Context<'_>, bound: &Bound) -> Node {
        let left = self.expression(&binary.lhs_expr, context, bound);
        let right = self.expression(&binary.rhs_expr, context, bound);
        value::operation(*binary.operator.value(), &left, &right, at)
    }

    #[inline(never)]
    fn for_expr(self: &Rc<Self>, for_expr: &ForExpr, at: At, context: &Context<'_>, bound: &Bound) -> Node {
        let collection = self.expression(&for_expr.intro.collection_expr, context, bound);
        if collection.is_unknown() {
            return collection;
        }
        let Some(pairs) = value::pairs(&collection) else {
            return Node::unknown("it goes over what is no collection", at);
        };
        let mut entries: Vec<(String, Node)> = Vec::new();
        let mut items = Vec::new();
        for (key, value) in pairs {
            if self.budget().is_spent() {
                return Node::unknown(SPENT, at);
            }
            let mut inner = bound.clone();
            if let Some(name) = &for_expr.intro.key_var {
                inner.insert(name.as_str().to_owned(), key);
            }
            inner.insert(for_expr.intro.value_var.as_str().to_owned(), value);
            if let Some(condition) = &for_expr.cond {
                let condition = self.expression(&condition.expr, context, &inner);
                match condition.bool() {
                    Some(true) => {}
                    Some(false) => continue,
                    None => {
                        let why = condition.why().unwrap_or("its condition is computed");
                        return Node::unknown(
                            format!("which of its parts are taken is not known: {why}"),
                            at,
                        );
                    }
                }
            }
            let value = self.expression(&for_expr.value_expr, context, &inner);
            match &for_expr.key_expr {
                Some(key) => {
                    entries.push((value::key(&self.expression(key, context, &inner)), value));
                }
                None => items.push(value),
            }
        }
        if for_expr.key_expr.is_none() {
            return Node::list(items, at);
        }
        // `...` gathers the values of a key in a list.
        if for_expr.grouping {
            Node::map(value::grouped(entries), at)
        } else {
            Node::map(value::sorted(entries), at)
        }
    }

    fn template(self: &Rc<Self>, template: &Template, at: At, context: &Context<'_>, bound: &Bound) -> Node {
        let elements: Vec<&Element> = template.iter().collect();
        self.elements(&elements, at, context, bound)
    }

    /// A text with parts put in. A part that is not known is left in the text as `${why}`: what the rest says
    /// is still there, and nobody takes it for a version.
    fn elements(
        self: &Rc<Self>,
        elements: &[&Element],
        at: At,
        context: &Context<'_>,
        bound: &Bound,
    ) -> Node {
        if let [Element::Interpolation(only)] = elements {
            return self.expression(&only.expr, context, bound);
        }
        let mut text = String::new();
        // A version that is put in stands where it is written: that is what has to be edited.
        let mut versions = Vec::new();
        for element in elements {
            match element {
                Element::Literal(literal) => text.push_str(literal.value()),
                Element::Interpolation(part) => {
                    let node = self.expression(&part.expr, context, bound);
                    if node.text().is_some_and(is_minor) {
                        versions.push(node.at);
                    }
                    text.push_str(&value::part(&node));
                }
                Element::Directive(_) => text.push_str("%{…}"),
            }
            if !self.budget().spend_size(text.len() / 16) {
                return Node::unknown(SPENT, at);
            }
        }
        Node::new(Value::Text(text), if let [only] = versions.as_slice() { *only } else { at })
    }

    /// Steps into a value.
    pub(super) fn apply(
        self: &Rc<Self>,
        mut node: Node,
        operators: &[&TraversalOperator],
        at: At,
        context: &Context<'_>,
        bound: &Bound,
    ) -> Node {
        for (index, operator) in operators.iter().enumerate() {
            if node.is_unknown() {
                return node;
            }
            node = match operator {
                TraversalOperator::GetAttr(name) => value::step(&node, name.as_str(), at),
                TraversalOperator::Index(key) => {
                    let key = self.expression(key, context, bound);
                    match key.text().filter(|text| value::open_part(text).is_none()) {
                        Some(text) => value::step(&node, text, at),
                        None => Node::unknown(value::why_not_key(&key), at),
                    }
                }
                TraversalOperator::LegacyIndex(number) => value::step(&node, &number.value().to_string(), at),
                TraversalOperator::AttrSplat(_) | TraversalOperator::FullSplat(_) => {
                    let rest = operators.get(index + 1..).unwrap_or_default();
                    let (each, rest) = rest.split_at(splat_steps(operator, rest));
                    let list = self.splat(node, each, at, context, bound);
                    return if rest.is_empty() { list } else { self.after(list, rest, at, context, bound) };
                }
            };
        }
        node
    }

    /// What follows a splat that takes attributes only.
    fn after(
        self: &Rc<Self>,
        list: Node,
        rest: &[&TraversalOperator],
        at: At,
        context: &Context<'_>,
        bound: &Bound,
    ) -> Node {
        let Some(_open) = self.budget().open() else { return Node::unknown(TOO_DEEP, at) };
        self.apply(list, rest, at, context, bound)
    }

    /// `x[*].y`: the same steps into each of several.
    fn splat(
        self: &Rc<Self>,
        node: Node,
        rest: &[&TraversalOperator],
        at: At,
        context: &Context<'_>,
        bound: &Bound,
    ) -> Node {
        let items = match &node.value {
            Value::List(items) => items.to_vec(),
            Value::Null => Vec::new(),
            _ => vec![node],
        };
        let Some(_open) = self.budget().open() else { return Node::unknown(TOO_DEEP, at) };
        let mut out = Vec::with_capacity(items.len());
        for item in items {
            if !self.budget().spend(1) {
                return Node::unknown(SPENT, at);
            }
            out.push(self.apply(item, rest, at, context, bound));
        }
        Node::list(out, at)
    }
}

/// By how much the lines of a heredoc are moved to the left, as Terraform does it.
pub(crate) fn indent_of(heredoc: &HeredocTemplate, written: Option<&str>) -> usize {
    let taken = heredoc.indent().unwrap_or(0);
    written.and_then(indent_of_lines).map_or(taken, |indent| indent.min(taken))
}

fn indent_of_lines(written: &str) -> Option<usize> {
    let lines = lines_of(written);
    let lines = lines.iter().filter(|line| !line.trim().is_empty());
    lines.map(|line| line.chars().take_while(|c| c.is_whitespace()).count()).min()
}

/// The lines between that of the first marker and that of the last.
fn lines_of(written: &str) -> Vec<&str> {
    let mut lines: Vec<&str> = written.lines().skip(1).collect();
    lines.pop();
    lines
}

/// The text of a heredoc from which the parser took away more than its lines are indented by: it looks at each part
/// between interpolations alone. `None` where it did not.
fn cut_too_deep(written: &str, taken: usize) -> Option<String> {
    let indent = indent_of_lines(written)?;
    (indent < taken).then(|| {
        let cut = |line: &&str| line.chars().skip(indent).chain(['\n']).collect::<String>();
        lines_of(written).iter().map(cut).collect()
    })
}

/// How many of the steps behind a splat are taken into each item: all behind `[*]`, attributes only behind `.*`.
pub(super) fn splat_steps(splat: &TraversalOperator, rest: &[&TraversalOperator]) -> usize {
    match splat {
        TraversalOperator::AttrSplat(_) => {
            rest.iter().take_while(|step| matches!(step, TraversalOperator::GetAttr(_))).count()
        }
        _ => rest.len(),
    }
}

/// How the folder of a module is put into a text: `${path:infra/eks}`. It is not known where that is on the machine
/// that runs Terraform, but within the tree it is.
pub(super) const PATH: &str = "${path:";

#[inline(never)]
fn literal(expression: &Expression, at: At, context: &Context<'_>) -> Node {
    let value = match expression {
        Expression::Bool(value) => Value::Bool(*value.value()),
        Expression::Number(number) => {
            let written = context.text(expression.span()).map(str::to_owned);
            Value::Number(written.unwrap_or_else(|| number.value().to_string()))
        }
        Expression::String(text) => Value::Text(text.value().clone()),
        _ => Value::Null,
    };
    Node::new(value, at)
}
