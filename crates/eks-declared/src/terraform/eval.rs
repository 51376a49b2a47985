//! Working out expressions: variables, locals, outputs of modules in the tree, and functions that only move
//! values about. What needs Terraform, a provider or the cloud stays unknown, with the reason.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use hcl_edit::Span;
use hcl_edit::expr::{BinaryOperator, Expression, ObjectKey, TraversalOperator, UnaryOperator};
use hcl_edit::template::{Element, Template};

use super::config::{Block, Folder, Parsed, Source};
use super::value;
use crate::node::{At, Node, Value};

/// How deep one value may depend on others.
const DEPTH: u32 = 60;

/// All folders of Terraform files, by path.
pub(super) type Folders<'p> = BTreeMap<String, Folder<'p>>;

/// A module as it is called: a folder, and where its variables come from.
pub(super) struct Module<'p> {
    pub(super) folder: &'p Folder<'p>,
    pub(super) folders: &'p Folders<'p>,
    /// The call, and the module that it stands in; none for a root.
    caller: Option<(Rc<Module<'p>>, &'p Block<'p>)>,
    /// `each.key` and `each.value` of the call.
    each: Option<(Node, Node)>,
    /// What `*.tfvars` say, for a root.
    given: BTreeMap<String, Node>,
    /// `module.eks.` and so on, from the root.
    pub(super) path: String,
    memo: RefCell<BTreeMap<String, Node>>,
    busy: RefCell<BTreeSet<String>>,
    depth: RefCell<u32>,
}

/// Names bound around an expression: `each`, and those of `for`.
pub(super) type Bound = BTreeMap<String, Node>;

impl<'p> Module<'p> {
    pub(super) fn root(
        folders: &'p Folders<'p>,
        folder: &'p Folder<'p>,
        given: BTreeMap<String, Node>,
    ) -> Rc<Self> {
        Rc::new(Self {
            folder,
            folders,
            caller: None,
            each: None,
            given,
            path: String::new(),
            memo: RefCell::default(),
            busy: RefCell::default(),
            depth: RefCell::default(),
        })
    }

    /// A module called from this one.
    pub(super) fn called(
        self: &Rc<Self>,
        name: &str,
        call: &'p Block<'p>,
        folder: &'p Folder<'p>,
        each: Option<(Node, Node)>,
    ) -> Rc<Self> {
        let index = each
            .as_ref()
            .and_then(|(key, _)| key.text())
            .map_or_else(String::new, |key| format!("[{key:?}]"));
        Rc::new(Self {
            folder,
            folders: self.folders,
            caller: Some((Rc::clone(self), call)),
            each,
            given: BTreeMap::new(),
            path: format!("{}module.{name}{index}.", self.path),
            memo: RefCell::default(),
            busy: RefCell::default(),
            depth: RefCell::new(*self.depth.borrow() + 1),
        })
    }

    /// Whether a folder is this module's, or that of one that called it.
    pub(super) fn is_inside(&self, folder: &Folder<'p>) -> bool {
        std::ptr::eq(self.folder, folder)
            || self.caller.as_ref().is_some_and(|(caller, _)| caller.is_inside(folder))
    }

    /// The folder that a `source` of this module names, if it is one of the tree.
    pub(super) fn local_source(&self, source: &str) -> Option<&'p Folder<'p>> {
        let path = super::joined(&self.folder.path, source)?;
        self.folders.get(&path)
    }

    /// An attribute of a block.
    pub(super) fn attribute(self: &Rc<Self>, block: &Block<'p>, name: &str, bound: &Bound) -> Option<Node> {
        let attribute = block.attribute(name)?;
        Some(self.eval(&attribute.value, bound))
    }

    /// The first block of a kind, written out or made by `dynamic`, with the names bound in it.
    pub(super) fn inner<'b>(
        self: &Rc<Self>,
        block: &'b Block<'p>,
        kind: &str,
        bound: &Bound,
    ) -> Option<(&'b Block<'p>, Bound)> {
        if let Some(inner) = block.inner(kind) {
            return Some((inner, bound.clone()));
        }
        let dynamic = block.dynamic(kind)?;
        let over = self.attribute(dynamic, "for_each", bound)?;
        let first = match &over.value {
            Value::Map(entries) => entries
                .first()
                .map(|(key, node)| (Node::new(Value::Text(key.clone()), node.at), node.clone())),
            Value::List(items) => items.first().map(|item| (item.clone(), item.clone())),
            _ => Some((over.clone(), over.clone())),
        };
        let (key, value) = first?;
        let name = match self.attribute(dynamic, "iterator", bound) {
            Some(iterator) => iterator.text().unwrap_or(kind).to_owned(),
            None => kind.to_owned(),
        };
        let mut inside = bound.clone();
        let entries = vec![("key".to_owned(), key), ("value".to_owned(), value)];
        inside.insert(name, Node::map(entries, over.at));
        Some((dynamic.inner("content")?, inside))
    }

    /// A value.
    pub(super) fn eval(self: &Rc<Self>, source: &Source<'p>, bound: &Bound) -> Node {
        match source {
            Source::Hcl { expression, parsed, document } => {
                self.expression(expression, &Context { parsed: *parsed, document: *document }, bound)
            }
            Source::Json(node) => self.json(node, bound),
        }
    }

    /// The texts of a JSON file are templates.
    fn json(self: &Rc<Self>, node: &Node, bound: &Bound) -> Node {
        match &node.value {
            Value::Text(text) if text.contains("${") => match hcl_edit::parser::parse_template(text) {
                Ok(template) => {
                    let context = Context { parsed: &Anywhere(node.at), document: node.at.document };
                    self.template(&template, node.at, &context, bound)
                }
                Err(error) => {
                    Node::unknown(format!("its template cannot be read: {}", error.message()), node.at)
                }
            },
            Value::List(items) => {
                Node::list(items.iter().map(|item| self.json(item, bound)).collect(), node.at)
            }
            Value::Map(entries) => Node::map(
                entries.iter().map(|(key, value)| (key.clone(), self.json(value, bound))).collect(),
                node.at,
            ),
            _ => node.clone(),
        }
    }

    fn expression(self: &Rc<Self>, expression: &Expression, context: &Context<'_>, bound: &Bound) -> Node {
        let at = context.at(expression.span());
        match expression {
            Expression::Null(_) => Node::new(Value::Null, at),
            Expression::Bool(value) => Node::new(Value::Bool(*value.value()), at),
            Expression::Number(number) => {
                let written = context.text(expression.span()).map(str::to_owned);
                Node::new(Value::Number(written.unwrap_or_else(|| number.value().to_string())), at)
            }
            Expression::String(text) => Node::new(Value::Text(text.value().clone()), at),
            Expression::Array(array) => {
                Node::list(array.iter().map(|item| self.expression(item, context, bound)).collect(), at)
            }
            Expression::Object(object) => {
                let mut entries = Vec::new();
                for (key, value) in object {
                    let key = match key {
                        // A bare name is that name; everything else is worked out.
                        ObjectKey::Ident(name) | ObjectKey::Expression(Expression::Variable(name)) => {
                            name.as_str().to_owned()
                        }
                        ObjectKey::Expression(key) => match self.expression(key, context, bound).text() {
                            Some(text) => text.to_owned(),
                            None => continue,
                        },
                    };
                    entries.push((key, self.expression(value.expr(), context, bound)));
                }
                Node::map(entries, at)
            }
            Expression::StringTemplate(template) => {
                let elements: Vec<&Element> = template.iter().collect();
                self.elements(&elements, at, context, bound)
            }
            Expression::HeredocTemplate(heredoc) => {
                let mut node = self.template(&heredoc.template, at, context, bound);
                node.at = at;
                node
            }
            Expression::Parenthesis(inner) => self.expression(inner.inner(), context, bound),
            Expression::Variable(name) => match bound.get(name.as_str()) {
                Some(node) => node.clone(),
                None => Node::unknown(format!("it refers to {}", name.as_str()), at),
            },
            Expression::Conditional(conditional) => {
                let condition = self.expression(&conditional.cond_expr, context, bound);
                let yes = || self.expression(&conditional.true_expr, context, bound);
                let no = || self.expression(&conditional.false_expr, context, bound);
                match condition.bool() {
                    Some(true) => yes(),
                    Some(false) => no(),
                    None => {
                        let (yes, no) = (yes(), no());
                        if yes.text().is_some() && yes.text() == no.text() {
                            return yes;
                        }
                        let why = condition.why().unwrap_or("its condition is neither true nor false");
                        Node::unknown(format!("it depends on a condition: {why}"), at)
                    }
                }
            }
            Expression::FuncCall(call) => {
                let name = call.name.name.as_str();
                let arguments: Vec<Node> =
                    call.args.iter().map(|argument| self.expression(argument, context, bound)).collect();
                let expanded = if call.args.expand_final() {
                    let mut arguments = arguments;
                    match arguments.pop() {
                        Some(Node { value: Value::List(items), .. }) => {
                            arguments.extend(items.iter().cloned());
                        }
                        Some(last) => {
                            return Node::unknown(
                                last.why().unwrap_or("its last argument is no list").to_owned(),
                                at,
                            );
                        }
                        None => {}
                    }
                    arguments
                } else {
                    arguments
                };
                value::call(name, &expanded, at)
                    .unwrap_or_else(|| Node::unknown(format!("it is computed by {name}()"), at))
            }
            Expression::Traversal(traversal) => {
                let operators: Vec<&TraversalOperator> =
                    traversal.operators.iter().map(hcl_edit::Decorated::value).collect();
                self.traversal(&traversal.expr, &operators, at, context, bound)
            }
            Expression::UnaryOp(unary) => {
                let inner = self.expression(&unary.expr, context, bound);
                match (*unary.operator.value(), inner.bool()) {
                    (UnaryOperator::Not, Some(value)) => Node::new(Value::Bool(!value), at),
                    _ if inner.is_unknown() => inner,
                    _ => Node::unknown("it is computed", at),
                }
            }
            Expression::BinaryOp(binary) => {
                let left = self.expression(&binary.lhs_expr, context, bound);
                let right = self.expression(&binary.rhs_expr, context, bound);
                operation(*binary.operator.value(), &left, &right, at)
            }
            Expression::ForExpr(for_expr) => {
                let collection = self.expression(&for_expr.intro.collection_expr, context, bound);
                if collection.is_unknown() {
                    return collection;
                }
                let text = |text: &str| Node::new(Value::Text(text.to_owned()), at);
                let pairs: Vec<(Node, Node)> = match &collection.value {
                    Value::Map(entries) => entries.iter().map(|(k, v)| (text(k), v.clone())).collect(),
                    Value::List(items) => items
                        .iter()
                        .enumerate()
                        .map(|(n, item)| (text(&n.to_string()), item.clone()))
                        .collect(),
                    _ => return Node::unknown("it goes over what is no collection", at),
                };
                let mut entries = Vec::new();
                let mut items = Vec::new();
                for (key, value) in pairs {
                    let mut inner = bound.clone();
                    if let Some(name) = &for_expr.intro.key_var {
                        inner.insert(name.as_str().to_owned(), key);
                    }
                    inner.insert(for_expr.intro.value_var.as_str().to_owned(), value);
                    if let Some(condition) = &for_expr.cond {
                        match self.expression(&condition.expr, context, &inner).bool() {
                            Some(true) => {}
                            Some(false) => continue,
                            None => return Node::unknown("which of its parts are taken is computed", at),
                        }
                    }
                    let value = self.expression(&for_expr.value_expr, context, &inner);
                    match &for_expr.key_expr {
                        Some(key) => match self.expression(key, context, &inner).text() {
                            Some(key) => entries.push((key.to_owned(), value)),
                            None => return Node::unknown("a key of it is computed", at),
                        },
                        None => items.push(value),
                    }
                }
                if for_expr.key_expr.is_some() { Node::map(entries, at) } else { Node::list(items, at) }
            }
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
                    match (node.text(), node.bool(), node.why()) {
                        (Some(part), _, _) => {
                            if is_minor(part) {
                                versions.push(node.at);
                            }
                            text.push_str(part);
                        }
                        (None, Some(value), _) => text.push_str(if value { "true" } else { "false" }),
                        (None, None, why) => {
                            text.push_str("${");
                            text.push_str(why.unwrap_or("no text"));
                            text.push('}');
                        }
                    }
                }
                Element::Directive(_) => text.push_str("%{…}"),
            }
        }
        Node::new(Value::Text(text), if let [only] = versions.as_slice() { *only } else { at })
    }

    fn traversal(
        self: &Rc<Self>,
        head: &Expression,
        operators: &[&TraversalOperator],
        at: At,
        context: &Context<'_>,
        bound: &Bound,
    ) -> Node {
        let name = |index: usize| match operators.get(index) {
            Some(TraversalOperator::GetAttr(name)) => Some(name.as_str()),
            _ => None,
        };
        let Expression::Variable(first) = head else {
            let node = self.expression(head, context, bound);
            return self.apply(node, operators, at, context, bound);
        };
        let rest = |from: usize| operators.get(from..).unwrap_or_default();
        if let Some(node) = bound.get(first.as_str()) {
            return self.apply(node.clone(), operators, at, context, bound);
        }
        match (first.as_str(), name(0)) {
            ("var", Some(variable)) => self.apply(self.variable(variable, at), rest(1), at, context, bound),
            ("local", Some(local)) => self.apply(self.local(local, at), rest(1), at, context, bound),
            ("each", Some(part)) => match (&self.each, part) {
                // The `each` of a resource is bound; this is a module's own, which it cannot see.
                _ if part == "key" || part == "value" => {
                    Node::unknown("it is one of several that are made from a computed collection", at)
                }
                _ => Node::unknown("it refers to each", at),
            },
            ("module", Some(module)) => self.output(module, rest(1), at, context, bound),
            ("data", Some(kind)) => match name(1) {
                Some(resource) => self.data(kind, resource, rest(2), at, context, bound),
                None => Node::unknown("it refers to a data source", at),
            },
            ("path", _) => Node::unknown("it is a path", at),
            ("terraform", Some("workspace")) => Node::unknown("it depends on the workspace", at),
            ("count" | "self", _) => Node::unknown(format!("it refers to {}", first.as_str()), at),
            (kind, Some(resource)) => self.resource(kind, resource, rest(1), at, context, bound),
            (kind, None) => Node::unknown(format!("it refers to {kind}"), at),
        }
    }

    /// Steps into a value.
    fn apply(
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
            let missing = |what: &str| Node::new(Value::Missing(format!("there is no {what} in it")), at);
            node = match operator {
                TraversalOperator::GetAttr(name) => {
                    step(&node, name.as_str()).unwrap_or_else(|| missing(name.as_str()))
                }
                TraversalOperator::Index(key) => {
                    let key = self.expression(key, context, bound);
                    match key.text() {
                        Some(text) => step(&node, text).unwrap_or_else(|| missing(text)),
                        None => Node::unknown(
                            format!("a key is not known: {}", key.why().unwrap_or("it is no text")),
                            at,
                        ),
                    }
                }
                TraversalOperator::LegacyIndex(number) => {
                    let number = number.value().to_string();
                    step(&node, &number).unwrap_or_else(|| missing(&number))
                }
                TraversalOperator::AttrSplat(_) | TraversalOperator::FullSplat(_) => {
                    let rest = operators.get(index + 1..).unwrap_or_default();
                    let items = match &node.value {
                        Value::List(items) => items.to_vec(),
                        Value::Null => Vec::new(),
                        _ => vec![node.clone()],
                    };
                    let items =
                        items.into_iter().map(|item| self.apply(item, rest, at, context, bound)).collect();
                    return Node::list(items, at);
                }
            };
        }
        node
    }

    /// A value by name, worked out once, and never while it is being worked out.
    fn once(&self, key: &str, at: At, work: impl FnOnce() -> Node) -> Node {
        if let Some(node) = self.memo.borrow().get(key) {
            // What is not known stands where it is asked for, each time.
            let at = if node.is_unknown() { at } else { node.at };
            return Node { at, ..node.clone() };
        }
        if !self.busy.borrow_mut().insert(key.to_owned()) {
            return Node::unknown(format!("{key} refers to itself"), at);
        }
        let node = if *self.depth.borrow() >= DEPTH {
            Node::unknown("it depends on too many others in a row", at)
        } else {
            *self.depth.borrow_mut() += 1;
            let node = work();
            *self.depth.borrow_mut() -= 1;
            node
        };
        self.busy.borrow_mut().remove(key);
        self.memo.borrow_mut().insert(key.to_owned(), node.clone());
        node
    }

    fn variable(self: &Rc<Self>, name: &str, at: At) -> Node {
        self.once(&format!("var.{name}"), at, || {
            if let Some(node) = self.given.get(name) {
                return self.typed(node.clone(), self.folder.variables.get(name));
            }
            let passed = self.caller.as_ref().and_then(|(caller, call)| {
                let mut bound = Bound::new();
                if let Some((key, value)) = &self.each {
                    bound.insert(
                        "each".to_owned(),
                        Node::map(
                            vec![("key".to_owned(), key.clone()), ("value".to_owned(), value.clone())],
                            key.at,
                        ),
                    );
                }
                caller.attribute(call, name, &bound)
            });
            // A null from outside means the default.
            if let Some(node) = passed.filter(|node| !node.is_null()) {
                return self.typed(node, self.folder.variables.get(name));
            }
            let Some(variable) = self.folder.variables.get(name) else {
                return Node::unknown(format!("variable {name} is not declared"), at);
            };
            match variable.attribute("default") {
                Some(default) => self.typed(self.eval(&default.value, &Bound::new()), Some(variable)),
                None => Node::unknown(
                    if self.caller.is_some() {
                        format!("variable {name} gets no value from its caller")
                    } else {
                        format!("variable {name} has no default, and no *.tfvars beside it gives it a value")
                    },
                    at,
                ),
            }
        })
    }

    /// A value as the `type` of its variable makes it: what an object may lack is null or has a default, and
    /// what it does not name is dropped.
    fn typed(self: &Rc<Self>, node: Node, variable: Option<&Block<'p>>) -> Node {
        match variable.and_then(|variable| variable.attribute("type")).map(|attribute| &attribute.value) {
            Some(Source::Hcl { expression, parsed, document }) => {
                let context = Context { parsed: *parsed, document: *document };
                self.converted(node, expression, &context)
            }
            Some(Source::Json(_)) | None => node,
        }
    }

    fn converted(self: &Rc<Self>, node: Node, kind: &Expression, context: &Context<'_>) -> Node {
        let Expression::FuncCall(call) = kind else { return node };
        let Some(inner) = call.args.iter().next() else { return node };
        match (call.name.name.as_str(), &node.value, inner) {
            ("optional", _, inner) => self.converted(node, inner, context),
            ("map", Value::Map(entries), inner) => Node::map(
                entries
                    .iter()
                    .map(|(key, value)| (key.clone(), self.converted(value.clone(), inner, context)))
                    .collect(),
                node.at,
            ),
            ("list" | "set", Value::List(items), inner) => Node::list(
                items.iter().map(|item| self.converted(item.clone(), inner, context)).collect(),
                node.at,
            ),
            ("object", Value::Map(entries), Expression::Object(object)) => {
                let mut out = Vec::new();
                for (key, kind) in object {
                    let name = match key {
                        ObjectKey::Ident(name) | ObjectKey::Expression(Expression::Variable(name)) => {
                            name.as_str()
                        }
                        ObjectKey::Expression(Expression::String(name)) => name.value().as_str(),
                        ObjectKey::Expression(_) => continue,
                    };
                    let given = entries.iter().find(|(key, value)| key == name && !value.is_null());
                    let value = match given {
                        Some((_, value)) => self.converted(value.clone(), kind.expr(), context),
                        None => self.optional_default(kind.expr(), node.at, context),
                    };
                    out.push((name.to_owned(), value));
                }
                Node::map(out, node.at)
            }
            _ => node,
        }
    }

    /// `optional(TYPE, DEFAULT)`
    fn optional_default(self: &Rc<Self>, kind: &Expression, at: At, context: &Context<'_>) -> Node {
        let Expression::FuncCall(call) = kind else { return Node::new(Value::Null, at) };
        let mut arguments = call.args.iter();
        match (call.name.name.as_str(), arguments.next(), arguments.next()) {
            ("optional", Some(kind), Some(default)) => {
                let mut node = self.expression(default, context, &Bound::new());
                // What is not written stands where it would be.
                node.at = at;
                self.converted(node, kind, context)
            }
            _ => Node::new(Value::Null, at),
        }
    }

    fn local(self: &Rc<Self>, name: &str, at: At) -> Node {
        let Some(local) = self.folder.locals.get(name) else {
            return Node::unknown(format!("local {name} is not declared"), at);
        };
        self.once(&format!("local.{name}"), at, || self.eval(&local.value, &Bound::new()))
    }

    /// An output of a module that is called here.
    fn output(
        self: &Rc<Self>,
        module: &str,
        operators: &[&TraversalOperator],
        at: At,
        context: &Context<'_>,
        bound: &Bound,
    ) -> Node {
        let Some(call) = self.folder.modules.get(module) else {
            return Node::unknown(format!("module {module} is not called here"), at);
        };
        // `module.eks["a"].version`: one of several.
        let (key, operators) = match operators {
            [TraversalOperator::Index(key), rest @ ..] => (Some(self.expression(key, context, bound)), rest),
            all => (None, all),
        };
        let Some(TraversalOperator::GetAttr(output)) = operators.first() else {
            return Node::unknown(format!("it refers to module {module}"), at);
        };
        let output = output.as_str();
        let rest = operators.get(1..).unwrap_or_default();
        let source = self.attribute(call, "source", &Bound::new());
        let source = source.as_ref().and_then(Node::text).unwrap_or_default();
        let Some(folder) = self.local_source(source) else {
            if super::registry::is_eks(source)
                && let Some(argument) = super::registry::output(output, call)
            {
                let node = self.attribute(call, argument, &self.each_of(call, key.as_ref()));
                return node.map_or_else(
                    || Node::unknown(format!("{output} of module {module} is not given"), at),
                    |node| self.apply(node, rest, at, context, bound),
                );
            }
            return Node::unknown(
                format!("it is an output of module {module}, which is not in the tree"),
                at,
            );
        };
        let name = match key.as_ref().and_then(Node::text) {
            Some(key) => format!("module.{module}[{key}].{output}"),
            None => format!("module.{module}.{output}"),
        };
        let node = self.once(&name, at, || {
            if self.is_inside(folder) {
                return Node::unknown(format!("module {module} calls itself"), at);
            }
            let each = self.each_of(call, key.as_ref());
            let each = each
                .get("each")
                .and_then(|each| Some((each.get("key")?.clone(), each.get("value")?.clone())));
            let child = self.called(module, call, folder, each);
            match child.folder.outputs.get(output).and_then(|block| block.attribute("value")) {
                Some(value) => child.eval(&value.value, &Bound::new()),
                None => Node::unknown(format!("module {module} has no output {output}"), at),
            }
        });
        self.apply(node, rest, at, context, bound)
    }

    /// The `each` of one of the several that a block makes.
    fn each_of(self: &Rc<Self>, block: &Block<'p>, key: Option<&Node>) -> Bound {
        let mut bound = Bound::new();
        let instances = self.instances(block);
        let found =
            instances.into_iter().flatten().find(|(name, _)| Some(name.text()) == key.map(Node::text));
        if let Some((key, value)) = found {
            let at = key.at;
            bound.insert(
                "each".to_owned(),
                Node::map(vec![("key".to_owned(), key), ("value".to_owned(), value)], at),
            );
        }
        bound
    }

    /// What `for_each` makes of a block; `None` when it has none, or when it is not known.
    pub(super) fn instances(self: &Rc<Self>, block: &Block<'p>) -> Option<Vec<(Node, Node)>> {
        let over = self.attribute(block, "for_each", &Bound::new())?;
        match &over.value {
            Value::Map(entries) => Some(
                entries
                    .iter()
                    .map(|(key, value)| (Node::new(Value::Text(key.clone()), value.at), value.clone()))
                    .collect(),
            ),
            Value::List(items) => Some(items.iter().map(|item| (item.clone(), item.clone())).collect()),
            _ => None,
        }
    }

    /// Whether a block makes nothing: `count = 0`, an empty `for_each`.
    pub(super) fn is_off(self: &Rc<Self>, block: &Block<'p>) -> bool {
        let none =
            self.attribute(block, "count", &Bound::new()).is_some_and(|count| count.text() == Some("0"));
        none || self.instances(block).is_some_and(|instances| instances.is_empty())
    }

    /// An attribute of a data source: names of images and parameters are passed on as such.
    fn data(
        self: &Rc<Self>,
        kind: &str,
        name: &str,
        operators: &[&TraversalOperator],
        at: At,
        context: &Context<'_>,
        bound: &Bound,
    ) -> Node {
        let unknown = || Node::unknown(format!("it is looked up by data.{kind}.{name}"), at);
        let Some(resource) = self.folder.resource(true, kind, name) else {
            return Node::unknown(format!("data.{kind}.{name} is not declared"), at);
        };
        let leaf = operators.iter().rev().find_map(|operator| match operator {
            TraversalOperator::GetAttr(name) => Some(name.as_str()),
            _ => None,
        });
        // `data.x.y["key"]` is one of several.
        let key = operators.iter().find_map(|operator| match operator {
            TraversalOperator::Index(key) => Some(self.expression(key, context, bound)),
            _ => None,
        });
        let bound = match key {
            Some(key) if key.text().is_some() => self.each_of(&resource.block, Some(&key)),
            _ => self.first_each(&resource.block),
        };
        let named = |node: Option<Node>| match node {
            Some(node) => match node.text() {
                Some(text) => Node::new(Value::Named(text.to_owned()), node.at),
                None => node,
            },
            None => unknown(),
        };
        match (kind, leaf) {
            ("aws_ssm_parameter", Some("value" | "insecure_value")) => {
                named(self.attribute(&resource.block, "name", &bound))
            }
            ("aws_ami" | "aws_ami_ids", Some("id" | "image_id" | "ids")) => {
                if let Some(pattern) = self.attribute(&resource.block, "name_regex", &bound) {
                    return named(Some(pattern));
                }
                for filter in resource.block.blocks("filter") {
                    let by = self.attribute(filter, "name", &bound);
                    if by.as_ref().and_then(Node::text) == Some("name") {
                        let values = self.attribute(filter, "values", &bound);
                        return named(values.map(|values| values.items().first().cloned().unwrap_or(values)));
                    }
                }
                unknown()
            }
            // Whatever EKS offers for the cluster's version: the newest, or its default.
            ("aws_eks_addon_version", Some("version")) => {
                let newest = self.attribute(&resource.block, "most_recent", &bound);
                let wish =
                    if newest.and_then(|node| node.bool()) == Some(true) { "latest" } else { "default" };
                Node::new(Value::Text(wish.to_owned()), at)
            }
            ("aws_eks_cluster", Some("name" | "id")) => {
                self.attribute(&resource.block, "name", &bound).unwrap_or_else(unknown)
            }
            _ => unknown(),
        }
    }

    /// `each` for looking at a block that makes several: the first, if it is known.
    fn first_each(self: &Rc<Self>, block: &Block<'p>) -> Bound {
        let first = self.instances(block).and_then(|instances| instances.into_iter().next());
        Self::bind_each(first.as_ref())
    }

    pub(super) fn bind_each(each: Option<&(Node, Node)>) -> Bound {
        let mut bound = Bound::new();
        if let Some((key, value)) = each {
            let entries = vec![("key".to_owned(), key.clone()), ("value".to_owned(), value.clone())];
            bound.insert("each".to_owned(), Node::map(entries, key.at));
        }
        bound
    }

    /// An attribute of a resource, where its own configuration says it.
    fn resource(
        self: &Rc<Self>,
        kind: &str,
        name: &str,
        operators: &[&TraversalOperator],
        at: At,
        context: &Context<'_>,
        bound: &Bound,
    ) -> Node {
        let Some(resource) = self.folder.resource(false, kind, name) else {
            return Node::unknown(format!("it refers to {kind}.{name}"), at);
        };
        let mut operators = operators.iter().copied().skip_while(|operator| {
            matches!(
                operator,
                TraversalOperator::Index(_)
                    | TraversalOperator::LegacyIndex(_)
                    | TraversalOperator::FullSplat(_)
                    | TraversalOperator::AttrSplat(_)
            )
        });
        let Some(TraversalOperator::GetAttr(attribute)) = operators.next() else {
            return Node::unknown(format!("it refers to {kind}.{name}"), at);
        };
        let rest: Vec<&TraversalOperator> = operators.collect();
        let wanted = match (kind, attribute.as_str()) {
            // The provider's id of a cluster is its name.
            ("aws_eks_cluster", "id") => "name",
            (_, other) => other,
        };
        let key = format!("{kind}.{name}.{wanted}");
        let node = self.once(&key, at, || {
            self.attribute(&resource.block, wanted, &self.first_each(&resource.block))
                .unwrap_or_else(|| Node::unknown(format!("it is what {key} becomes"), at))
        });
        self.apply(node, &rest, at, context, bound)
    }
}

/// Whether a text is a minor of Kubernetes: `1.34`.
pub(crate) fn is_minor(text: &str) -> bool {
    text.strip_prefix("1.").is_some_and(|minor| minor.len() == 2 && minor.bytes().all(|b| b.is_ascii_digit()))
}

/// Where the expression that is worked out stands.
struct Context<'c> {
    parsed: &'c dyn Text,
    document: u32,
}

impl Context<'_> {
    fn at(&self, span: Option<std::ops::Range<usize>>) -> At {
        self.parsed.at(span, self.document)
    }

    fn text(&self, span: Option<std::ops::Range<usize>>) -> Option<&str> {
        self.parsed.text(span)
    }
}

/// A text that spans point into.
trait Text {
    fn at(&self, span: Option<std::ops::Range<usize>>, document: u32) -> At;
    fn text(&self, span: Option<std::ops::Range<usize>>) -> Option<&str>;
}

impl Text for Parsed {
    fn at(&self, span: Option<std::ops::Range<usize>>, document: u32) -> At {
        self.place_of(span, document)
    }

    fn text(&self, span: Option<std::ops::Range<usize>>) -> Option<&str> {
        self.text_of(span)
    }
}

/// A template in a JSON file: all of it stands where its text does.
struct Anywhere(At);

impl Text for Anywhere {
    fn at(&self, _span: Option<std::ops::Range<usize>>, _document: u32) -> At {
        self.0
    }

    fn text(&self, _span: Option<std::ops::Range<usize>>) -> Option<&str> {
        None
    }
}

/// A key of a map, or a number of a list.
fn step(node: &Node, key: &str) -> Option<Node> {
    match &node.value {
        Value::Map(entries) => entries.iter().find(|(name, _)| name == key).map(|(_, value)| value.clone()),
        Value::List(items) => items.get(key.parse::<usize>().ok()?).cloned(),
        _ => None,
    }
}

fn operation(operator: BinaryOperator, left: &Node, right: &Node, at: At) -> Node {
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
        return unknown.clone();
    }
    let numbers = || Some((left.text()?.parse::<f64>().ok()?, right.text()?.parse::<f64>().ok()?));
    let equal = || match (&left.value, &right.value) {
        (Value::Null, Value::Null) => Some(true),
        (Value::Null, _) | (_, Value::Null) => Some(false),
        _ => match (left.bool(), right.bool()) {
            (Some(a), Some(b)) => Some(a == b),
            _ => Some(left.text()? == right.text()?),
        },
    };
    let answer = match operator {
        BinaryOperator::Eq => equal(),
        BinaryOperator::NotEq => equal().map(|equal| !equal),
        BinaryOperator::And => left.bool().zip(right.bool()).map(|(a, b)| a && b),
        BinaryOperator::Or => left.bool().zip(right.bool()).map(|(a, b)| a || b),
        BinaryOperator::Less => numbers().map(|(a, b)| a < b),
        BinaryOperator::LessEq => numbers().map(|(a, b)| a <= b),
        BinaryOperator::Greater => numbers().map(|(a, b)| a > b),
        BinaryOperator::GreaterEq => numbers().map(|(a, b)| a >= b),
        BinaryOperator::Plus
        | BinaryOperator::Minus
        | BinaryOperator::Mul
        | BinaryOperator::Div
        | BinaryOperator::Mod => None,
    };
    answer.map_or_else(|| Node::unknown("it is computed", at), bool)
}
