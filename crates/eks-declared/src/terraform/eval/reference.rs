//! References: to variables, locals, resources, data sources, and outputs of modules.

use std::rc::Rc;

use hcl_edit::expr::{Expression, Traversal, TraversalOperator};

use super::expression::{PATH, splat_steps};
use super::instances::{Instance, Picked};
use super::{Bound, Context, Memo, Module};
use crate::node::{At, Node, Value};
use crate::terraform::config::{Block, Resource};
use crate::terraform::registry;

/// Steps into a value.
type Steps<'o> = &'o [&'o TraversalOperator];

impl<'p> Module<'p> {
    #[inline(never)]
    pub(super) fn traversal(
        self: &Rc<Self>,
        traversal: &Traversal,
        at: At,
        context: &Context<'_>,
        bound: &Bound,
    ) -> Node {
        let operators: Vec<&TraversalOperator> =
            traversal.operators.iter().map(hcl_edit::Decorated::value).collect();
        let Expression::Variable(first) = &traversal.expr else {
            let node = self.expression(&traversal.expr, context, bound);
            return self.apply(node, &operators, at, context, bound);
        };
        let first = first.as_str();
        if let Some(node) = bound.get(first) {
            return self.apply(node.clone(), &operators, at, context, bound);
        }
        let name = |index: usize| match operators.get(index) {
            Some(TraversalOperator::GetAttr(name)) => Some(name.as_str()),
            _ => None,
        };
        let rest = |from: usize| operators.get(from..).unwrap_or_default();
        match (first, name(0)) {
            ("var", Some(variable)) => {
                let node = self.variable(variable, at);
                self.apply(node, rest(1), at, context, bound)
            }
            ("local", Some(local)) => {
                let node = self.local(local, at);
                self.apply(node, rest(1), at, context, bound)
            }
            ("module", Some(module)) => self.output(module, rest(1), at, context, bound),
            ("data", Some(kind)) => match name(1) {
                Some(resource) => self.data(kind, resource, rest(2), at, context, bound),
                None => Node::unknown("it refers to a data source", at),
            },
            ("path", Some("module")) => Node::new(Value::Text(format!("{PATH}{}}}", self.folder.path)), at),
            ("path", Some("root" | "cwd")) => {
                Node::new(Value::Text(format!("{PATH}{}}}", self.root_folder())), at)
            }
            ("path", _) => Node::unknown("it is a path", at),
            ("terraform" | "tofu", Some("workspace")) => Node::unknown("it depends on the workspace", at),
            ("each" | "count" | "self", _) => Node::unknown(format!("it refers to {first}"), at),
            (kind, Some(resource)) => self.resource(kind, resource, rest(1), at, context, bound),
            (kind, None) => Node::unknown(format!("it refers to {kind}"), at),
        }
    }

    #[inline(never)]
    fn variable(self: &Rc<Self>, name: &str, at: At) -> Node {
        let key = format!("var.{name}");
        match self.recall(&key, at) {
            Memo::Known(node) => node,
            Memo::Work => {
                let node = self.value_of_variable(name, at);
                self.remember(&key, node)
            }
        }
    }

    fn value_of_variable(self: &Rc<Self>, name: &str, at: At) -> Node {
        let variable = self.folder.variables.get(name);
        if self.folder.is_doubled("variable", name) {
            return Node::unknown(format!("variable {name} is declared twice"), at);
        }
        let passed = match &self.caller {
            None => self.given.get(name).cloned(),
            Some((caller, call, bound)) => match caller.upgrade() {
                Some(caller) => caller.attribute(call, name, bound),
                None => Some(Node::unknown("its module is gone", at)),
            },
        };
        // Null is a value, unless the variable says that it is none.
        let nullable = || {
            let says = variable.and_then(|variable| self.attribute(variable, "nullable", &Bound::new()));
            says.and_then(|node| node.bool()) != Some(false)
        };
        if let Some(node) = passed.filter(|node| !node.is_null() || nullable()) {
            return self.typed(node, variable);
        }
        let Some(variable) = variable else {
            return Node::unknown(format!("variable {name} is not declared"), at);
        };
        match variable.attribute("default") {
            Some(default) => {
                let node = self.eval(&default.value, &Bound::new());
                self.typed(node, Some(variable))
            }
            None => Node::unknown(
                if self.caller.is_some() {
                    format!("variable {name} gets no value from its caller")
                } else {
                    format!("variable {name} has no default, and no *.tfvars beside it gives it a value")
                },
                at,
            ),
        }
    }

    #[inline(never)]
    fn local(self: &Rc<Self>, name: &str, at: At) -> Node {
        let Some(local) = self.folder.locals.get(name) else {
            return Node::unknown(format!("local {name} is not declared"), at);
        };
        if self.folder.is_doubled("local", name) {
            return Node::unknown(format!("local {name} is declared twice"), at);
        }
        let key = format!("local.{name}");
        match self.recall(&key, at) {
            Memo::Known(node) => node,
            Memo::Work => {
                let node = self.eval(&local.value, &Bound::new());
                self.remember(&key, node)
            }
        }
    }

    /// The value of each of those that a reference means, and the steps into it.
    fn of_picked<'o>(
        self: &Rc<Self>,
        picked: Picked,
        (splat, rest): (Option<&TraversalOperator>, Steps<'o>),
        at: At,
        (context, bound): (&Context<'_>, &Bound),
        value: &dyn Fn(&Instance, Steps<'o>) -> (Node, Steps<'o>),
    ) -> Node {
        match picked {
            Picked::None(node) => node,
            Picked::This(instance) => {
                let (node, rest) = value(&instance, rest);
                self.apply(node, rest, at, context, bound)
            }
            Picked::All(instances) => {
                let (each, after) = rest.split_at(splat.map_or(rest.len(), |splat| splat_steps(splat, rest)));
                let mut items = Vec::with_capacity(instances.len());
                for instance in &instances {
                    let (node, rest) = value(instance, each);
                    items.push(self.apply(node, rest, at, context, bound));
                }
                self.apply(Node::list(items, at), after, at, context, bound)
            }
        }
    }

    /// An output of a module that is called here.
    #[inline(never)]
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
        let address = format!("module.{module}");
        let (picked, rest) = self.pick(call, &address, operators, at, context, bound);
        let splat = operators.first().copied();
        self.of_picked(picked, (splat, rest), at, (context, bound), &|instance, steps| {
            let Some((TraversalOperator::GetAttr(output), rest)) = steps.split_first() else {
                return (Node::unknown(format!("it refers to module {module}"), at), &[]);
            };
            (self.output_of(module, call, instance, output.as_str(), at), rest)
        })
    }

    fn output_of(
        self: &Rc<Self>,
        module: &str,
        call: &'p Block<'p>,
        instance: &Instance,
        output: &str,
        at: At,
    ) -> Node {
        let source = call.literal("source").unwrap_or_default();
        let key = format!("module.{module}{}.{output}", instance.suffix());
        let Some(folder) = self.local_source(&source) else {
            let Some(argument) = registry::is_eks(&source).then(|| registry::output(output, call)).flatten()
            else {
                return Node::unknown(
                    format!("it is an output of module {module}, which is not in the tree"),
                    at,
                );
            };
            return match self.recall(&key, at) {
                Memo::Known(node) => node,
                Memo::Work => {
                    let node = self.attribute(call, argument, &instance.bound).unwrap_or_else(|| {
                        Node::unknown(format!("{output} of module {module} is not given"), at)
                    });
                    self.remember(&key, node)
                }
            };
        };
        match self.recall(&key, at) {
            Memo::Known(node) => node,
            Memo::Work => {
                let node = match self.called(module, call, folder, instance) {
                    Err(why) => Node::unknown(format!("it is an output of module {module}: {why}"), at),
                    Ok(child) => {
                        match child.folder.outputs.get(output).and_then(|block| block.attribute("value")) {
                            Some(value) => child.eval(&value.value, &Bound::new()),
                            None => Node::unknown(format!("module {module} has no output {output}"), at),
                        }
                    }
                };
                self.remember(&key, node)
            }
        }
    }

    /// An attribute of a data source: names of images and parameters are passed on as such.
    #[inline(never)]
    fn data(
        self: &Rc<Self>,
        kind: &str,
        name: &str,
        operators: &[&TraversalOperator],
        at: At,
        context: &Context<'_>,
        bound: &Bound,
    ) -> Node {
        let Some(resource) = self.folder.resource(true, kind, name) else {
            return Node::unknown(format!("data.{kind}.{name} is not declared"), at);
        };
        let address = format!("data.{kind}.{name}");
        let (picked, rest) = self.pick(&resource.block, &address, operators, at, context, bound);
        let splat = operators.first().copied();
        self.of_picked(picked, (splat, rest), at, (context, bound), &|instance, steps| {
            let Some((TraversalOperator::GetAttr(attribute), rest)) = steps.split_first() else {
                return (Node::unknown(format!("it is looked up by {address}"), at), &[]);
            };
            let key = format!("{address}{}.{}", instance.suffix(), attribute.as_str());
            let node = match self.recall(&key, at) {
                Memo::Known(node) => node,
                Memo::Work => {
                    let node = self.looked_up(resource, attribute.as_str(), &instance.bound, at);
                    self.remember(&key, node)
                }
            };
            // One of several images that one name finds.
            let rest = if attribute.as_str() == "ids" { &[] } else { rest };
            (node, rest)
        })
    }

    fn looked_up(self: &Rc<Self>, resource: &Resource<'p>, attribute: &str, bound: &Bound, at: At) -> Node {
        let unknown =
            || Node::unknown(format!("it is looked up by data.{}.{}", resource.kind, resource.name), at);
        let named = |node: Option<Node>| match node {
            Some(node) => match node.text() {
                Some(text) => Node::new(Value::Named(text.to_owned()), node.at),
                None => node,
            },
            None => unknown(),
        };
        let block = &resource.block;
        match (resource.kind.as_str(), attribute) {
            ("aws_ssm_parameter", "value" | "insecure_value") => named(self.attribute(block, "name", bound)),
            ("aws_ami" | "aws_ami_ids", "id" | "image_id" | "ids") => {
                if let Some(pattern) = self.attribute(block, "name_regex", bound) {
                    return named(Some(pattern));
                }
                for filter in block.blocks("filter") {
                    let by = self.attribute(filter, "name", bound);
                    if by.as_ref().and_then(Node::text) == Some("name") {
                        let values = self.attribute(filter, "values", bound);
                        return named(values.map(|values| values.items().first().cloned().unwrap_or(values)));
                    }
                }
                unknown()
            }
            // Whatever EKS offers for the cluster's version: the newest, or its default.
            ("aws_eks_addon_version", "version") => {
                let newest = self.attribute(block, "most_recent", bound);
                match newest {
                    Some(newest) if newest.is_unknown() => newest,
                    newest => {
                        let newest = newest.and_then(|node| node.bool()) == Some(true);
                        let wish = if newest { "latest" } else { "default" };
                        Node::new(Value::Text(wish.to_owned()), at)
                    }
                }
            }
            ("aws_eks_cluster", "name" | "id") => {
                self.attribute(block, "name", bound).unwrap_or_else(unknown)
            }
            _ => unknown(),
        }
    }

    /// An attribute of a resource, where its own configuration says it.
    #[inline(never)]
    fn resource(
        self: &Rc<Self>,
        kind: &str,
        name: &str,
        operators: &[&TraversalOperator],
        at: At,
        context: &Context<'_>,
        bound: &Bound,
    ) -> Node {
        let address = format!("{kind}.{name}");
        let Some(resource) = self.folder.resource(false, kind, name) else {
            return Node::unknown(format!("it refers to {address}"), at);
        };
        let (picked, rest) = self.pick(&resource.block, &address, operators, at, context, bound);
        let splat = operators.first().copied();
        self.of_picked(picked, (splat, rest), at, (context, bound), &|instance, steps| {
            let Some((TraversalOperator::GetAttr(attribute), rest)) = steps.split_first() else {
                return (Node::unknown(format!("it refers to {address}"), at), &[]);
            };
            let wanted = match (kind, attribute.as_str()) {
                // The provider's id of a cluster is its name.
                ("aws_eks_cluster", "id") => "name",
                (_, other) => other,
            };
            let key = format!("{address}{}.{wanted}", instance.suffix());
            let node = match self.recall(&key, at) {
                Memo::Known(node) => node,
                Memo::Work => {
                    let node = self
                        .attribute(&resource.block, wanted, &instance.bound)
                        .unwrap_or_else(|| Node::unknown(format!("it is what {key} becomes"), at));
                    self.remember(&key, node)
                }
            };
            (node, rest)
        })
    }
}
