//! Working out expressions: variables, locals, outputs of modules in the tree, and functions that only move
//! values about. What needs Terraform, a provider or the cloud stays unknown, with the reason.
//!
//! Nothing here hangs or overflows, whatever the files say: every expression is a step of a budget, and only so
//! many may be open at once.

mod expression;
mod instances;
mod reference;
mod target;
mod types;

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::rc::{Rc, Weak};

use super::config::{Block, Folder, Parsed, Source};
use crate::node::{At, Node, Value};
pub(super) use expression::indent_of;
pub(super) use instances::{Instance, Instances};
pub(super) use target::{Target, Wanted};

/// How many expressions may be open at once, over all modules. Deeper than anything that was seen in public trees by
/// far, and small enough for the stack of a thread (`tests/declared/limits.rs`).
const DEPTH: u32 = 160;

/// How many modules may call each other in a row.
const LEVELS: u32 = 40;

/// How deep lists and objects may be nested in a value.
const NESTED: u32 = 100;

/// The steps that one root, with one set of values, may take, and those of a whole tree. Public trees need less than a
/// tenth of that.
const STEPS: u64 = 1_000_000;
pub(super) const TREE_STEPS: u64 = 20_000_000;

/// What it costs to look at a resource, and to enter a module, in steps.
const RESOURCE: u64 = 40;
const ENTER: u64 = 1000;

/// Why a value is not known that takes more than that.
const SPENT: &str = "working it out takes too many steps";
const TOO_DEEP: &str = "it depends on too many others in a row";

/// All folders of Terraform files, by path.
pub(super) type Folders<'p> = BTreeMap<String, Folder<'p>>;

/// Names bound around an expression: `each`, `count`, and those of `for`.
pub(super) type Bound = BTreeMap<String, Node>;

/// The texts of a tree, for `file()`.
pub(crate) trait Files {
    /// The number and the text of a file.
    fn file(&self, path: &str) -> Option<(u32, &str)>;
}

/// How much more may be done.
pub(super) struct Budget<'b> {
    left: Cell<u64>,
    depth: Cell<u32>,
    /// That of all roots.
    tree: &'b Cell<u64>,
    /// Whether it was said that it is spent.
    told: Cell<bool>,
}

impl<'b> Budget<'b> {
    pub(super) fn new(tree: &'b Cell<u64>) -> Self {
        let left = tree.get().min(STEPS);
        tree.set(tree.get() - left);
        Self { left: Cell::new(left), depth: Cell::new(0), tree, told: Cell::new(false) }
    }

    /// Takes steps; `false` when there are none left.
    pub(super) fn spend(&self, steps: u64) -> bool {
        let left = self.left.get();
        self.left.set(left.saturating_sub(steps));
        left > steps
    }

    /// The same, for something of this size.
    pub(super) fn spend_size(&self, size: usize) -> bool {
        self.spend(u64::try_from(size).unwrap_or(u64::MAX))
    }

    pub(super) fn is_spent(&self) -> bool {
        self.left.get() == 0
    }

    fn open(&self) -> Option<Open<'_>> {
        (self.depth.get() < DEPTH).then(|| {
            self.depth.set(self.depth.get() + 1);
            Open(&self.depth)
        })
    }
}

impl Drop for Budget<'_> {
    fn drop(&mut self) {
        // What one root leaves is there for the next.
        self.tree.set(self.tree.get() + self.left.get());
    }
}

/// An expression that is being worked out.
struct Open<'b>(&'b Cell<u32>);

impl Drop for Open<'_> {
    fn drop(&mut self) {
        self.0.set(self.0.get().saturating_sub(1));
    }
}

/// What all modules below one root share.
pub(super) struct Shared<'p> {
    pub(super) folders: &'p Folders<'p>,
    pub(super) files: &'p dyn Files,
    /// The folders that were entered, for all roots.
    pub(super) reached: &'p RefCell<BTreeSet<String>>,
    pub(super) budget: Budget<'p>,
}

impl<'p> Shared<'p> {
    /// For one root, and one set of values.
    pub(super) fn new(
        folders: &'p Folders<'p>,
        files: &'p dyn Files,
        reached: &'p RefCell<BTreeSet<String>>,
        steps: &'p Cell<u64>,
    ) -> Self {
        Self { folders, files, reached, budget: Budget::new(steps) }
    }
}

/// A module as it is called: a folder, and where its variables come from.
pub(super) struct Module<'p> {
    pub(super) folder: &'p Folder<'p>,
    pub(super) shared: Rc<Shared<'p>>,
    /// The call, the module that it stands in, and what is bound in it; none for a root.
    caller: Option<(Weak<Module<'p>>, &'p Block<'p>, Bound)>,
    /// The folders of this module and of those that called it.
    inside: Vec<&'p str>,
    /// What `*.tfvars` say, for a root.
    given: BTreeMap<String, Node>,
    /// `module.eks.` and so on, from the root.
    pub(super) path: String,
    memo: RefCell<BTreeMap<String, Node>>,
    busy: RefCell<BTreeSet<String>>,
    instances: RefCell<BTreeMap<String, Rc<Instances>>>,
    called: RefCell<BTreeMap<String, Rc<Module<'p>>>>,
}

/// Whether a value is there already.
enum Memo {
    Known(Node),
    /// It has to be worked out, and handed to [`Module::remember`].
    Work,
}

impl<'p> Module<'p> {
    pub(super) fn root(
        shared: Rc<Shared<'p>>,
        folder: &'p Folder<'p>,
        given: BTreeMap<String, Node>,
    ) -> Rc<Self> {
        shared.reached.borrow_mut().insert(folder.path.clone());
        Rc::new(Self::new(folder, shared, None, vec![folder.path.as_str()], given, String::new()))
    }

    fn new(
        folder: &'p Folder<'p>,
        shared: Rc<Shared<'p>>,
        caller: Option<(Weak<Self>, &'p Block<'p>, Bound)>,
        inside: Vec<&'p str>,
        given: BTreeMap<String, Node>,
        path: String,
    ) -> Self {
        Self {
            folder,
            shared,
            caller,
            inside,
            given,
            path,
            memo: RefCell::default(),
            busy: RefCell::default(),
            instances: RefCell::default(),
            called: RefCell::default(),
        }
    }

    /// A module called from this one.
    ///
    /// # Errors
    /// Why it cannot be entered.
    pub(super) fn called(
        self: &Rc<Self>,
        name: &str,
        call: &'p Block<'p>,
        folder: &'p Folder<'p>,
        instance: &Instance,
    ) -> Result<Rc<Self>, &'static str> {
        let name = format!("{name}{}", instance.suffix());
        if let Some(known) = self.called.borrow().get(&name) {
            return Ok(Rc::clone(known));
        }
        if self.inside.contains(&folder.path.as_str()) {
            return Err("the module calls itself");
        }
        if self.inside.len() >= LEVELS as usize {
            return Err("too many modules call each other in a row");
        }
        if !self.budget().spend(ENTER) {
            return Err(SPENT);
        }
        self.shared.reached.borrow_mut().insert(folder.path.clone());
        let mut inside = self.inside.clone();
        inside.push(folder.path.as_str());
        let child = Rc::new(Self::new(
            folder,
            Rc::clone(&self.shared),
            Some((Rc::downgrade(self), call, instance.bound.clone())),
            inside,
            BTreeMap::new(),
            format!("{}module.{name}.", self.path),
        ));
        self.called.borrow_mut().insert(name, Rc::clone(&child));
        Ok(child)
    }

    pub(super) fn budget(&self) -> &Budget<'p> {
        &self.shared.budget
    }

    /// Whether there is nothing left to read more with; the first time that this is asked, to be said.
    pub(super) fn stops(&self) -> Option<&'static str> {
        let budget = self.budget();
        (budget.is_spent() && !budget.told.replace(true)).then_some(SPENT)
    }

    /// Whether one more resource can be looked at.
    pub(super) fn looks(&self) -> bool {
        self.budget().spend(RESOURCE)
    }

    /// The folder of the root.
    fn root_folder(&self) -> &'p str {
        self.inside.first().copied().unwrap_or(".")
    }

    /// The folder that a `source` of this module names, if it is one of the tree.
    pub(super) fn local_source(&self, source: &str) -> Option<&'p Folder<'p>> {
        let path = super::joined(&self.folder.path, source)?;
        self.shared.folders.get(&path)
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

    /// A value by name, worked out once, and never while it is being worked out.
    fn recall(&self, key: &str, at: At) -> Memo {
        if let Some(node) = self.memo.borrow().get(key) {
            // What is not known stands where it is asked for, each time.
            let at = if node.is_unknown() { at } else { node.at };
            return Memo::Known(Node { at, value: node.value.clone() });
        }
        if self.busy.borrow_mut().insert(key.to_owned()) {
            Memo::Work
        } else {
            Memo::Known(Node::unknown(format!("{key} refers to itself"), at))
        }
    }

    /// Keeps what [`Self::recall`] asked for.
    fn remember(&self, key: &str, node: Node) -> Node {
        self.busy.borrow_mut().remove(key);
        let node = if self.nested(&node) {
            node
        } else {
            let why =
                if self.budget().is_spent() { SPENT } else { "it is nested deeper than any declaration" };
            Node::unknown(why, node.at)
        };
        self.memo.borrow_mut().insert(key.to_owned(), node.clone());
        node
    }

    /// Whether a value is not nested too deep: to drop it takes a frame for each level.
    fn nested(&self, node: &Node) -> bool {
        let mut open = vec![(node, 0)];
        while let Some((node, depth)) = open.pop() {
            if depth > NESTED || !self.budget().spend(1) {
                return false;
            }
            match &node.value {
                Value::List(items) => open.extend(items.iter().map(|item| (item, depth + 1))),
                Value::Map(entries) => open.extend(entries.iter().map(|(_, item)| (item, depth + 1))),
                _ => {}
            }
        }
        true
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

    /// The key of an object as it is written, where it had to be changed to be parsed.
    fn key(&self, span: Option<std::ops::Range<usize>>) -> Option<&str> {
        self.parsed.key(span)
    }
}

/// A text that spans point into.
trait Text {
    fn at(&self, span: Option<std::ops::Range<usize>>, document: u32) -> At;
    fn text(&self, span: Option<std::ops::Range<usize>>) -> Option<&str>;
    fn key(&self, span: Option<std::ops::Range<usize>>) -> Option<&str>;
}

impl Text for Parsed {
    fn at(&self, span: Option<std::ops::Range<usize>>, document: u32) -> At {
        self.place_of(span, document)
    }

    fn text(&self, span: Option<std::ops::Range<usize>>) -> Option<&str> {
        self.text_of(span)
    }

    fn key(&self, span: Option<std::ops::Range<usize>>) -> Option<&str> {
        self.key_of(span)
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

    fn key(&self, _span: Option<std::ops::Range<usize>>) -> Option<&str> {
        None
    }
}
