//! What `count` and `for_each` make of a block, and which of them a reference means.

use std::rc::Rc;

use hcl_edit::expr::TraversalOperator;

use super::{Bound, Context, Memo, Module};
use crate::node::{At, Node, Value};
use crate::terraform::config::{Block, Source};
use crate::terraform::value;

/// How many of a `count` are told apart.
const COUNTED: usize = 100;

/// What a block makes.
#[derive(Debug)]
pub(crate) enum Instances {
    /// One thing, without a key.
    One,
    /// As many as `count` says, where that is known. They differ only if the block asks for `count.index`.
    Counted { number: Option<usize>, why: String, differ: bool, at: At },
    /// One for each, sorted by key.
    Each(Vec<(Node, Node)>),
    /// What it is made for is not known: the reason.
    Unknown(String, At),
}

/// One of them.
#[derive(Debug, Clone)]
pub(crate) struct Instance {
    /// How it is told from the others, as Terraform writes it: `"a"`, `0`. None where there is one, or where they are
    /// all alike.
    key: Option<String>,
    /// `each` or `count`.
    pub(crate) bound: Bound,
}

impl Instance {
    /// `["a"]`, for an address.
    pub(crate) fn suffix(&self) -> String {
        self.key.as_ref().map_or_else(String::new, |key| format!("[{key}]"))
    }

    fn one() -> Self {
        Self { key: None, bound: Bound::new() }
    }

    fn each(key: &Node, value: &Node) -> Self {
        // A key that is not known tells nothing apart.
        let shown = key.text().filter(|text| value::open_part(text).is_none());
        let entries = vec![("key".to_owned(), key.clone()), ("value".to_owned(), value.clone())];
        Self {
            key: shown.map(|text| format!("{text:?}")),
            bound: Bound::from([("each".to_owned(), Node::map(entries, key.at))]),
        }
    }

    fn counted(index: Node, told_apart: bool) -> Self {
        let key = if told_apart { index.text().map(str::to_owned) } else { None };
        let at = index.at;
        let entries = vec![("index".to_owned(), index)];
        Self { key, bound: Bound::from([("count".to_owned(), Node::map(entries, at))]) }
    }
}

impl Instances {
    /// Whether there are none.
    pub(crate) fn is_empty(&self) -> bool {
        match self {
            Self::Each(entries) => entries.is_empty(),
            Self::Counted { number, .. } => *number == Some(0),
            Self::One | Self::Unknown(..) => false,
        }
    }

    /// All that have to be looked at: one stands for several that are alike.
    pub(crate) fn all(&self) -> Vec<Instance> {
        match self {
            Self::One => vec![Instance::one()],
            Self::Counted { number: Some(number), differ, at, .. }
                if (*differ && *number <= COUNTED) || *number == 0 =>
            {
                (0..*number).map(|index| Instance::counted(number_node(index, *at), true)).collect()
            }
            Self::Counted { differ, why, at, .. } => {
                let why = if *differ { why.as_str() } else { "it is one of several" };
                vec![Instance::counted(Node::unknown(why, *at), false)]
            }
            Self::Each(entries) => {
                let mut all: Vec<Instance> =
                    entries.iter().map(|(key, value)| Instance::each(key, value)).collect();
                // Those without a key that is known are numbered.
                let unknown = all.iter().filter(|instance| instance.key.is_none()).count();
                if unknown > 1 {
                    let nameless = all.iter_mut().filter(|instance| instance.key.is_none());
                    for (index, instance) in (1_u32..).zip(nameless) {
                        instance.key = Some(format!("…{index}"));
                    }
                }
                all
            }
            Self::Unknown(why, at) => {
                let unknown = Node::unknown(
                    format!("it is one of several that are made from a computed collection: {why}"),
                    *at,
                );
                vec![Instance { key: None, ..Instance::each(&unknown, &unknown) }]
            }
        }
    }
}

fn number_node(index: usize, at: At) -> Node {
    Node::new(Value::Number(index.to_string()), at)
}

/// What a reference to a block means.
pub(super) enum Picked {
    /// One of its instances.
    This(Instance),
    /// All of them, for `[*]`.
    All(Vec<Instance>),
    /// None that can be named: an unknown value, or a missing one.
    None(Node),
}

impl<'p> Module<'p> {
    /// What `count` and `for_each` make of a block. `address` is its name in this module.
    pub(crate) fn instances(self: &Rc<Self>, block: &Block<'p>, address: &str) -> Rc<Instances> {
        if let Some(known) = self.instances.borrow().get(address) {
            return Rc::clone(known);
        }
        let instances = Rc::new(self.count_instances(block, address));
        self.instances.borrow_mut().insert(address.to_owned(), Rc::clone(&instances));
        instances
    }

    fn count_instances(self: &Rc<Self>, block: &Block<'p>, address: &str) -> Instances {
        let Some((name, at)) = ["for_each", "count"]
            .into_iter()
            .find_map(|name| block.attribute(name).map(|attribute| (name, attribute.at)))
        else {
            return Instances::One;
        };
        let key = format!("{name} of {address}");
        let over = match self.recall(&key, at) {
            Memo::Known(node) => node,
            Memo::Work => {
                let node = self.attribute(block, name, &Bound::new());
                self.remember(&key, node.unwrap_or(Node::new(Value::Null, at)))
            }
        };
        if name == "count" {
            let number = over.text().and_then(|text| text.parse::<usize>().ok());
            let why = over.why().unwrap_or("how many there are is computed").to_owned();
            return Instances::Counted { number, why, differ: asks_for_index(block), at };
        }
        let mut pairs: Vec<(Node, Node)> = match &over.value {
            Value::Map(_) => value::pairs(&over).unwrap_or_default(),
            Value::List(items) => items.iter().map(|item| (item.clone(), item.clone())).collect(),
            _ => return Instances::Unknown(over.why().unwrap_or("it is no collection").to_owned(), at),
        };
        pairs.sort_by(|(a, _), (b, _)| a.text().cmp(&b.text()));
        Instances::Each(pairs)
    }

    /// Which instances of a block a reference means, and the steps that are left.
    pub(super) fn pick<'o>(
        self: &Rc<Self>,
        block: &Block<'p>,
        address: &str,
        operators: &'o [&'o TraversalOperator],
        at: At,
        context: &Context<'_>,
        bound: &Bound,
    ) -> (Picked, &'o [&'o TraversalOperator]) {
        let instances = self.instances(block, address);
        let (first, rest) = match operators.split_first() {
            Some((first, rest)) if !matches!(first, TraversalOperator::GetAttr(_)) => (Some(*first), rest),
            _ => (None, operators),
        };
        let key = match first {
            None => return (Self::without_key(&instances, address, at), operators),
            Some(TraversalOperator::Index(key)) => self.expression(key, context, bound),
            Some(TraversalOperator::LegacyIndex(number)) => {
                Node::new(Value::Number(number.value().to_string()), at)
            }
            Some(_) => return (Self::every(&instances, at), rest),
        };
        let Some(text) = key.text().filter(|text| value::open_part(text).is_none()) else {
            return (Picked::None(Node::unknown(value::why_not_key(&key), at)), rest);
        };
        let missing =
            || Picked::None(Node::new(Value::Missing(format!("there is no {address}[{text:?}]")), at));
        let picked = match &*instances {
            Instances::One => missing(),
            Instances::Counted { number, differ, .. } => match text.parse::<usize>() {
                Ok(index) if number.is_none_or(|number| index < number) => {
                    let told_apart = *differ && number.is_some_and(|number| number <= COUNTED);
                    Picked::This(Instance::counted(number_node(index, at), told_apart))
                }
                _ => missing(),
            },
            Instances::Each(entries) => {
                let found = entries.binary_search_by(|(key, _)| key.text().cmp(&Some(text)));
                let found = found.ok().and_then(|index| entries.get(index));
                match found {
                    Some((key, value)) => Picked::This(Instance::each(key, value)),
                    None => match entries.iter().find_map(|(key, _)| unknown_key(key)) {
                        Some(why) => {
                            Picked::None(Node::unknown(format!("a key of {address} is not known: {why}"), at))
                        }
                        None => missing(),
                    },
                }
            }
            // What does not depend on its key is the same for all.
            Instances::Unknown(..) => instances.all().pop().map_or_else(missing, Picked::This),
        };
        (picked, rest)
    }

    fn without_key(instances: &Instances, address: &str, at: At) -> Picked {
        match instances {
            Instances::One => Picked::This(Instance::one()),
            // Before Terraform 0.12 that was the way to say it.
            Instances::Counted { number: Some(1), differ, .. } => {
                Picked::This(Instance::counted(number_node(0, at), *differ))
            }
            _ => Picked::None(Node::unknown(format!("it does not say which {address} is meant"), at)),
        }
    }

    fn every(instances: &Instances, at: At) -> Picked {
        match instances {
            Instances::One => Picked::All(vec![Instance::one()]),
            Instances::Counted { number: Some(number), differ, .. } if *number <= COUNTED => Picked::All(
                (0..*number).map(|index| Instance::counted(number_node(index, at), *differ)).collect(),
            ),
            Instances::Counted { why, .. } => Picked::None(Node::unknown(why.clone(), at)),
            Instances::Each(_) | Instances::Unknown(..) => {
                Picked::None(Node::unknown("it is taken from a map as if it were a list", at))
            }
        }
    }
}

fn unknown_key(key: &Node) -> Option<&str> {
    key.why().or_else(|| value::open_part(key.text()?))
}

/// Whether what `count` makes may differ: the block asks for `count.index`.
fn asks_for_index(block: &Block<'_>) -> bool {
    let asks = |source: &Source<'_>| match source {
        Source::Hcl { expression, parsed, .. } => {
            parsed.text_of(hcl_edit::Span::span(*expression)).is_some_and(|text| text.contains("count.index"))
        }
        Source::Json(node) => node_asks(node),
    };
    block.attributes.iter().any(|attribute| asks(&attribute.value))
        || block.blocks.iter().any(|inner| asks_for_index(&inner.block))
}

fn node_asks(node: &Node) -> bool {
    node.text().is_some_and(|text| text.contains("count.index"))
        || node.items().iter().any(node_asks)
        || node.entries().iter().any(|(_, item)| node_asks(item))
}
