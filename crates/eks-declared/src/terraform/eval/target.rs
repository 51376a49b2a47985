//! What an attribute refers to, where that matters more than its value: the cluster of a node group, the launch
//! template of a group. Locals, variables, outputs, conditions and functions are gone through.

use std::rc::Rc;

use hcl_edit::expr::{Expression, Traversal, TraversalOperator};

use super::instances::{Instance, Picked};
use super::{Bound, Context, Module};
use crate::node::{At, Value};
use crate::terraform::config::{Resource, Source};
use crate::terraform::registry;

/// How many steps may lie between an attribute and what it refers to.
const STEPS: u32 = 24;

/// What is looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wanted<'w> {
    /// A cluster: a resource, or a module of the registry.
    Cluster,
    /// A resource of a kind.
    Kind(&'w str),
}

/// What was found.
pub(crate) enum Target<'p> {
    /// A resource, the module that it is in, and which of several it is.
    Resource(Rc<Module<'p>>, &'p Resource<'p>, Instance),
    /// A cluster, by its address.
    Cluster(String),
    /// One of several, and it is not known which.
    Unknown,
    /// Nothing of that kind.
    Other,
}

impl<'p> Module<'p> {
    /// What an attribute refers to.
    pub(crate) fn target(
        self: &Rc<Self>,
        source: &Source<'p>,
        wanted: Wanted<'_>,
        bound: &Bound,
    ) -> Target<'p> {
        self.target_of(source, wanted, bound, STEPS)
    }

    fn target_of(
        self: &Rc<Self>,
        source: &Source<'p>,
        wanted: Wanted<'_>,
        bound: &Bound,
        steps: u32,
    ) -> Target<'p> {
        let Some(steps) = steps.checked_sub(1) else { return Target::Other };
        match source {
            Source::Hcl { expression, parsed, document } => {
                let context = Context { parsed: *parsed, document: *document };
                self.look(expression, wanted, &context, bound, steps)
            }
            Source::Json(node) => {
                let text = node.text().and_then(|text| text.strip_prefix("${")?.strip_suffix('}'));
                let Some(Ok(expression)) = text.map(str::parse::<Expression>) else { return Target::Other };
                let context = Context { parsed: &super::Anywhere(node.at), document: node.at.document };
                self.look(&expression, wanted, &context, bound, steps)
            }
        }
    }

    fn look(
        self: &Rc<Self>,
        expression: &Expression,
        wanted: Wanted<'_>,
        context: &Context<'_>,
        bound: &Bound,
        steps: u32,
    ) -> Target<'p> {
        let Some(steps) = steps.checked_sub(1) else { return Target::Other };
        if !self.budget().spend(1) {
            return Target::Other;
        }
        match expression {
            Expression::Parenthesis(inner) => self.look(inner.inner(), wanted, context, bound, steps),
            Expression::Conditional(conditional) => {
                let condition = self.expression(&conditional.cond_expr, context, bound);
                let yes = &conditional.true_expr;
                let no = &conditional.false_expr;
                match condition.bool() {
                    Some(true) => self.look(yes, wanted, context, bound, steps),
                    Some(false) => self.look(no, wanted, context, bound, steps),
                    None => match self.look(yes, wanted, context, bound, steps) {
                        Target::Other => self.look(no, wanted, context, bound, steps),
                        found => found,
                    },
                }
            }
            Expression::FuncCall(call) => {
                for argument in &call.args {
                    match self.look(argument, wanted, context, bound, steps) {
                        Target::Other => {}
                        found => return found,
                    }
                }
                Target::Other
            }
            Expression::StringTemplate(template) => match template.iter().collect::<Vec<_>>().as_slice() {
                [hcl_edit::template::Element::Interpolation(only)] => {
                    self.look(&only.expr, wanted, context, bound, steps)
                }
                _ => Target::Other,
            },
            Expression::Traversal(traversal) => self.looked_at(traversal, wanted, context, bound, steps),
            _ => Target::Other,
        }
    }

    fn looked_at(
        self: &Rc<Self>,
        traversal: &Traversal,
        wanted: Wanted<'_>,
        context: &Context<'_>,
        bound: &Bound,
        steps: u32,
    ) -> Target<'p> {
        let operators: Vec<&TraversalOperator> =
            traversal.operators.iter().map(hcl_edit::Decorated::value).collect();
        let Expression::Variable(head) = &traversal.expr else {
            return self.look(&traversal.expr, wanted, context, bound, steps);
        };
        let Some((TraversalOperator::GetAttr(name), rest)) = operators.split_first() else {
            return Target::Other;
        };
        let folder = self.folder;
        let (head, name) = (head.as_str(), name.as_str());
        if bound.contains_key(head) {
            return Target::Other;
        }
        let kind = match wanted {
            Wanted::Cluster => "aws_eks_cluster",
            Wanted::Kind(kind) => kind,
        };
        match head {
            "local" if rest.is_empty() => match folder.locals.get(name) {
                Some(local) => self.target_of(&local.value, wanted, &Bound::new(), steps),
                None => Target::Other,
            },
            "var" if rest.is_empty() => match &self.caller {
                Some((caller, call, bound)) => match (caller.upgrade(), call.attribute(name)) {
                    (Some(caller), Some(attribute)) => {
                        caller.target_of(&attribute.value, wanted, bound, steps)
                    }
                    _ => Target::Other,
                },
                None => Target::Other,
            },
            "module" => self.target_output(name, rest, wanted, context, bound, steps),
            head if head == kind => {
                let Some(resource) = folder.resource(false, kind, name) else { return Target::Other };
                let address = format!("{kind}.{name}");
                let at = At::default();
                let (picked, rest) = self.pick(&resource.block, &address, rest, at, context, bound);
                match self.one_of(picked, rest, context, bound) {
                    Ok(instance) => self.target_resource(wanted, resource, instance),
                    Err(not) => not,
                }
            }
            _ => Target::Other,
        }
    }

    /// The one that is meant: of all of them, the one whose number follows (`x.*.id[0]`).
    fn one_of(
        self: &Rc<Self>,
        picked: Picked,
        rest: &[&TraversalOperator],
        context: &Context<'_>,
        bound: &Bound,
    ) -> Result<Instance, Target<'p>> {
        let mut instances = match picked {
            Picked::This(instance) => return Ok(instance),
            Picked::None(node) if matches!(node.value, Value::Missing(_)) => return Err(Target::Other),
            Picked::None(_) => return Err(Target::Unknown),
            Picked::All(instances) => instances,
        };
        if instances.is_empty() {
            return Err(Target::Other);
        }
        if instances.len() == 1 {
            return Ok(instances.swap_remove(0));
        }
        let index = rest.iter().find_map(|step| match step {
            TraversalOperator::Index(key) => self.expression(key, context, bound).text()?.parse().ok(),
            TraversalOperator::LegacyIndex(number) => usize::try_from(*number.value()).ok(),
            _ => None,
        });
        match index {
            Some(index) if index < instances.len() => Ok(instances.swap_remove(index)),
            _ => Err(Target::Unknown),
        }
    }

    fn target_resource(
        self: &Rc<Self>,
        wanted: Wanted<'_>,
        resource: &'p Resource<'p>,
        instance: Instance,
    ) -> Target<'p> {
        match wanted {
            Wanted::Cluster => Target::Cluster(format!(
                "{}{}.{}{}",
                self.path,
                resource.kind,
                resource.name,
                instance.suffix()
            )),
            Wanted::Kind(_) => Target::Resource(Rc::clone(self), resource, instance),
        }
    }

    /// What an output of a module refers to.
    fn target_output(
        self: &Rc<Self>,
        name: &str,
        operators: &[&TraversalOperator],
        wanted: Wanted<'_>,
        context: &Context<'_>,
        bound: &Bound,
        steps: u32,
    ) -> Target<'p> {
        let Some(call) = self.folder.modules.get(name) else { return Target::Other };
        let source = call.literal("source").unwrap_or_default();
        let known = registry::is_eks(&source) || registry::is_cloudposse(&source);
        let child = self.local_source(&source);
        if !(known && wanted == Wanted::Cluster) && child.is_none() {
            return Target::Other;
        }
        let address = format!("module.{name}");
        let (picked, rest) = self.pick(call, &address, operators, At::default(), context, bound);
        let instance = match self.one_of(picked, rest, context, bound) {
            Ok(instance) => instance,
            Err(not) => return not,
        };
        let Some(folder) = child else {
            return Target::Cluster(format!("{}{address}{}", self.path, instance.suffix()));
        };
        let Some(TraversalOperator::GetAttr(output)) = rest.first() else { return Target::Other };
        let Ok(child) = self.called(name, call, folder, &instance) else { return Target::Other };
        match child.folder.outputs.get(output.as_str()).and_then(|output| output.attribute("value")) {
            Some(value) => child.target_of(&value.value, wanted, &Bound::new(), steps),
            None => Target::Other,
        }
    }
}
