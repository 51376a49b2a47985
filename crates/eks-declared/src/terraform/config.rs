//! Terraform files as blocks and attributes, from HCL and from its JSON form alike.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use hcl_edit::Span;
use hcl_edit::expr::Expression;
use hcl_edit::structure::{Body, Structure};

use super::text::{self, Index, Renamed};
use crate::node::{At, Node, Value};
use crate::yaml::Refused;

/// A file of HCL, parsed.
#[derive(Debug)]
pub(super) struct Parsed {
    pub(super) file: u32,
    text: String,
    index: Index,
    /// Where its comments are.
    comments: Vec<Range<usize>>,
    /// Keys of objects that had to be renamed to be parsed.
    renamed: Renamed,
    body: Body,
}

impl Parsed {
    /// Parses a file.
    ///
    /// # Errors
    /// [`Refused`] when it is no HCL.
    pub(super) fn new(file: u32, text: &str) -> Result<Self, Refused> {
        let scan = text::scan(text);
        let (body, renamed) = text::parse(text, &scan)?;
        let comments = scan.comments;
        Ok(Self { file, text: text.to_owned(), index: Index::new(text), comments, renamed, body })
    }

    fn at(&self, span: Option<Range<usize>>, document: u32) -> At {
        let span = span.unwrap_or(0..0);
        let (line, column) = self.index.place(&self.text, span.start);
        let text = self.text.get(span).unwrap_or_default();
        let width = text.chars().take(200).take_while(|c| !matches!(c, '\n' | '\r')).count();
        let width = u32::try_from(width).unwrap_or(1).max(1);
        At { file: self.file, line, column, width, document }
    }

    /// Its blocks and attributes.
    pub(super) fn block(&self) -> Block<'_> {
        self.body_of(&self.body, None)
    }

    /// The number of the top-level block that a place lies in stands for a document: comments to
    /// this program cover it.
    fn body_of<'p>(&'p self, body: &'p Body, document: Option<u32>) -> Block<'p> {
        let mut block = Block::default();
        for (index, structure) in (0_u32..).zip(body.iter()) {
            let document = document.unwrap_or(index);
            match structure {
                Structure::Attribute(attribute) => {
                    let at = self.at(attribute.value.span(), document);
                    block.attributes.push(Attribute {
                        name: attribute.key.as_str().to_owned(),
                        value: Source::Hcl { expression: &attribute.value, parsed: self, document },
                        at,
                    });
                }
                Structure::Block(inner) => {
                    let mut body = self.body_of(&inner.body, Some(document));
                    body.at = self.at(inner.span(), document);
                    let labels = inner.labels.iter().map(|label| label.as_str().to_owned()).collect();
                    block.blocks.push(Inner { kind: inner.ident.as_str().to_owned(), labels, block: body });
                }
            }
        }
        block
    }

    /// Comments to this program, each with the top-level block that it stands in or above.
    pub(super) fn comments(&self) -> Vec<eks_deprecations::Pragma> {
        const MARK: &str = "eks-skew-check:";
        if !self.text.contains(MARK) {
            return Vec::new();
        }
        let line_of = |at: usize| self.index.place(&self.text, at).0;
        let ends: Vec<u32> = self
            .body
            .iter()
            .map(|structure| match structure {
                Structure::Attribute(attribute) => attribute.span(),
                Structure::Block(block) => block.span(),
            })
            .map(|span| span.map_or(u32::MAX, |span| line_of(span.end.saturating_sub(1))))
            .collect();
        let mut comments = Vec::new();
        for range in &self.comments {
            let Some(text) = self.text.get(range.clone()) else { continue };
            let text = text.strip_suffix("*/").filter(|_| text.starts_with("/*")).unwrap_or(text);
            for (line, number) in text.lines().zip(line_of(range.start)..) {
                let Some((before, after)) = line.split_once(MARK) else { continue };
                // It is the first that the comment, or its line, says.
                if !before.chars().all(|c| c.is_whitespace() || matches!(c, '#' | '/' | '*')) {
                    continue;
                }
                let Some(block) = ends.iter().position(|&end| number <= end) else { continue };
                let first = block.checked_sub(1).and_then(|before| ends.get(before)).map_or(1, |end| end + 1);
                let last = ends.get(block).copied().unwrap_or(number);
                comments.push(eks_deprecations::Pragma {
                    line: number,
                    document: u32::try_from(block).unwrap_or(u32::MAX),
                    lines: (first, last),
                    text: after.trim().to_owned(),
                });
            }
        }
        comments
    }

    pub(super) fn place_of(&self, span: Option<Range<usize>>, document: u32) -> At {
        self.at(span, document)
    }

    /// The text of a span: numbers are taken as they are written.
    pub(super) fn text_of(&self, span: Option<Range<usize>>) -> Option<&str> {
        self.text.get(span?)
    }

    /// The key that a span stands for, if it had to be renamed.
    pub(super) fn key_of(&self, span: Option<Range<usize>>) -> Option<&str> {
        if self.renamed.is_empty() { None } else { self.renamed.get(&span?.start).map(String::as_str) }
    }
}

/// Where a value comes from.
#[derive(Debug, Clone)]
pub(super) enum Source<'p> {
    Hcl {
        expression: &'p Expression,
        parsed: &'p Parsed,
        document: u32,
    },
    /// A value of a JSON file; its texts are templates.
    Json(Node),
}

/// `name = value`
#[derive(Debug, Clone)]
pub(super) struct Attribute<'p> {
    pub(super) name: String,
    pub(super) value: Source<'p>,
    pub(super) at: At,
}

/// The inside of a block, or a whole file.
#[derive(Debug, Clone, Default)]
pub(super) struct Block<'p> {
    pub(super) attributes: Vec<Attribute<'p>>,
    pub(super) blocks: Vec<Inner<'p>>,
    pub(super) at: At,
}

/// A block with its head.
#[derive(Debug, Clone)]
pub(super) struct Inner<'p> {
    pub(super) kind: String,
    pub(super) labels: Vec<String>,
    pub(super) block: Block<'p>,
}

impl Inner<'_> {
    /// The kind of block that it is, or that it makes.
    fn makes(&self) -> String {
        match (self.kind.as_str(), self.labels.first()) {
            ("dynamic", Some(label)) => label.clone(),
            _ => self.kind.clone(),
        }
    }
}

impl<'p> Block<'p> {
    pub(super) fn attribute(&self, name: &str) -> Option<&Attribute<'p>> {
        self.attributes.iter().find(|attribute| attribute.name == name)
    }

    /// A text that stands there as it is: Terraform takes no other `source`.
    pub(super) fn literal(&self, name: &str) -> Option<String> {
        match &self.attribute(name)?.value {
            Source::Hcl { expression: Expression::String(text), .. } => Some(text.value().clone()),
            Source::Hcl { .. } => None,
            Source::Json(node) => node.text().filter(|text| !text.contains("${")).map(str::to_owned),
        }
    }

    /// The blocks of a kind. In the JSON form a block may be an attribute.
    pub(super) fn blocks<'b>(&'b self, kind: &'b str) -> impl Iterator<Item = &'b Block<'p>> {
        self.blocks.iter().filter(move |inner| inner.kind == kind).map(|inner| &inner.block)
    }

    /// Takes in a block that overrides this one: its attributes, and its inner blocks in place of all of their kind.
    fn overridden(&mut self, mut other: Self) {
        for attribute in other.attributes {
            // One of the two says how many there are.
            let gone = match attribute.name.as_str() {
                "count" => "for_each",
                "for_each" => "count",
                name => name,
            };
            self.attributes.retain(|known| known.name != attribute.name && known.name != gone);
            self.attributes.push(attribute);
        }
        // This one is merged like the block around it.
        if let Some(known) = self.blocks.iter_mut().find(|inner| inner.kind == "lifecycle")
            && let Some(at) = other.blocks.iter().position(|inner| inner.kind == "lifecycle")
        {
            known.block.overridden(other.blocks.swap_remove(at).block);
        }
        let kinds: BTreeSet<String> = other.blocks.iter().map(Inner::makes).collect();
        self.blocks.retain(|known| !kinds.contains(&known.makes()));
        self.blocks.extend(other.blocks);
    }

    /// The first block of a kind.
    pub(super) fn inner(&self, kind: &str) -> Option<&Block<'p>> {
        self.blocks.iter().find(|inner| inner.kind == kind).map(|inner| &inner.block)
    }

    /// The `dynamic` block that makes blocks of a kind.
    pub(super) fn dynamic(&self, kind: &str) -> Option<&Block<'p>> {
        let makes = |inner: &&Inner<'p>| {
            inner.kind == "dynamic" && inner.labels.first().is_some_and(|label| label == kind)
        };
        self.blocks.iter().find(makes).map(|inner| &inner.block)
    }
}

/// The JSON form of a file: `{"resource": {"aws_eks_cluster": {"this": {…}}}}`.
/// <https://developer.hashicorp.com/terraform/language/syntax/json> (2026)
pub(super) fn from_json(node: &Node) -> Block<'static> {
    let mut block = Block { at: node.at, ..Block::default() };
    for (kind, value) in node.entries() {
        let depth = match kind.as_str() {
            "resource" | "data" => 2,
            "module" | "variable" | "output" | "provider" => 1,
            "locals" | "terraform" => 0,
            _ => continue,
        };
        labelled(kind, value, depth, &mut Vec::new(), &mut block.blocks);
    }
    block
}

fn labelled(kind: &str, node: &Node, depth: usize, labels: &mut Vec<String>, out: &mut Vec<Inner<'static>>) {
    // A list stands for several blocks of the same head.
    if let Value::List(items) = &node.value {
        for item in items.iter() {
            labelled(kind, item, depth, labels, out);
        }
        return;
    }
    if depth == 0 {
        out.push(Inner { kind: kind.to_owned(), labels: labels.clone(), block: json_body(node) });
        return;
    }
    for (label, inner) in node.entries() {
        labels.push(label.clone());
        labelled(kind, inner, depth - 1, labels, out);
        labels.pop();
    }
}

/// Objects, and lists of objects, may be meant as blocks: they are given as both.
fn json_body(node: &Node) -> Block<'static> {
    let mut block = Block { at: node.at, ..Block::default() };
    for (name, value) in node.entries() {
        block.attributes.push(Attribute {
            name: name.clone(),
            value: Source::Json(value.clone()),
            at: value.at,
        });
        let inner: Vec<&Node> = match &value.value {
            Value::Map(_) => vec![value],
            Value::List(items) => items.iter().filter(|item| matches!(item.value, Value::Map(_))).collect(),
            _ => Vec::new(),
        };
        for item in inner {
            block.blocks.push(Inner { kind: name.clone(), labels: Vec::new(), block: json_body(item) });
        }
    }
    block
}

/// One folder of Terraform files: a module.
#[derive(Debug, Default)]
pub(super) struct Folder<'p> {
    pub(super) path: String,
    /// Name, and the block.
    pub(super) variables: BTreeMap<String, Block<'p>>,
    pub(super) locals: BTreeMap<String, Attribute<'p>>,
    pub(super) outputs: BTreeMap<String, Block<'p>>,
    /// Kind (`resource`, `data`), type, name.
    pub(super) resources: Vec<Resource<'p>>,
    pub(super) modules: BTreeMap<String, Block<'p>>,
    /// All of a file that is no configuration of Terraform's.
    pub(super) whole: Block<'p>,
    /// What is declared a second time, which Terraform refuses: kind and name, and where.
    doubled: BTreeMap<(&'static str, String), At>,
    /// Calls and resources that are there a second time, with what their names are here: `eks#2`.
    pub(super) again: Vec<(String, Block<'p>)>,
    /// Where each resource is in the list.
    places: BTreeMap<(bool, String, String), usize>,
}

/// A resource or a data source.
#[derive(Debug)]
pub(super) struct Resource<'p> {
    pub(super) data: bool,
    pub(super) kind: String,
    pub(super) name: String,
    pub(super) block: Block<'p>,
}

impl<'p> Folder<'p> {
    /// Takes in a file of Terragrunt: its blocks, and what it says outside of them.
    pub(super) fn add_whole(&mut self, block: Block<'p>) {
        self.whole = block.clone();
        self.add(block);
    }

    /// Takes in a file.
    pub(super) fn add(&mut self, block: Block<'p>) {
        for Inner { kind, labels, block } in block.blocks {
            let mut labels = labels.into_iter();
            match (kind.as_str(), labels.next(), labels.next()) {
                ("variable", Some(name), _) => {
                    Self::insert(&mut self.variables, &mut self.doubled, "variable", name, block);
                }
                ("output", Some(name), _) => {
                    Self::insert(&mut self.outputs, &mut self.doubled, "output", name, block);
                }
                ("module", Some(name), _) if self.modules.contains_key(&name) => {
                    let second = self.second(&name);
                    self.doubled.insert(("module", name), block.at);
                    self.again.push((second, block));
                }
                ("module", Some(name), _) => drop(self.modules.insert(name, block)),
                ("locals", _, _) => {
                    for attribute in block.attributes {
                        let (name, at) = (attribute.name.clone(), attribute.at);
                        if self.locals.insert(name.clone(), attribute).is_some() {
                            self.doubled.insert(("local", name), at);
                        }
                    }
                }
                ("resource" | "data", Some(resource), Some(name)) => {
                    let data = kind == "data";
                    let key = (data, resource.clone(), name.clone());
                    if self.places.contains_key(&key) {
                        let kind = if data { "data" } else { "resource" };
                        self.doubled.insert((kind, format!("{resource}.{name}")), block.at);
                        let name = self.second(&name);
                        self.resources.push(Resource { data, kind: resource, name, block });
                    } else {
                        self.places.insert(key, self.resources.len());
                        self.resources.push(Resource { data, kind: resource, name, block });
                    }
                }
                _ => {}
            }
        }
    }

    /// A name for what is there again: references go to the first.
    fn second(&self, name: &str) -> String {
        format!("{name}#{}", self.doubled.len() + 2)
    }

    fn insert(
        blocks: &mut BTreeMap<String, Block<'p>>,
        doubled: &mut BTreeMap<(&'static str, String), At>,
        kind: &'static str,
        name: String,
        block: Block<'p>,
    ) {
        match blocks.entry(name) {
            Entry::Occupied(known) => drop(doubled.insert((kind, known.key().clone()), block.at)),
            Entry::Vacant(free) => {
                free.insert(block);
            }
        }
    }

    /// Takes in an override file: what it says goes into the block of that name.
    /// <https://developer.hashicorp.com/terraform/language/files/override> (2026)
    pub(super) fn merge(&mut self, block: Block<'p>) {
        let mut rest = Block::default();
        for Inner { kind, labels, block } in block.blocks {
            let label = |index: usize| labels.get(index).map(String::as_str).unwrap_or_default();
            let known = match kind.as_str() {
                "variable" => self.variables.get_mut(label(0)),
                "output" => self.outputs.get_mut(label(0)),
                "module" => self.modules.get_mut(label(0)),
                "resource" | "data" => {
                    let key = (kind == "data", label(0).to_owned(), label(1).to_owned());
                    let place = self.places.get(&key).copied();
                    place.and_then(|place| self.resources.get_mut(place)).map(|resource| &mut resource.block)
                }
                "locals" => {
                    for attribute in block.attributes {
                        self.locals.insert(attribute.name.clone(), attribute);
                    }
                    continue;
                }
                _ => None,
            };
            match known {
                Some(known) => known.overridden(block),
                None => rest.blocks.push(Inner { kind, labels, block }),
            }
        }
        self.add(rest);
    }

    /// Whether something is declared twice.
    pub(super) fn is_doubled(&self, kind: &'static str, name: &str) -> bool {
        !self.doubled.is_empty() && self.doubled.contains_key(&(kind, name.to_owned()))
    }

    /// What is declared twice: kind, name, and the second time.
    pub(super) fn doubled(&self) -> impl Iterator<Item = (&'static str, &str, At)> {
        self.doubled.iter().map(|((kind, name), at)| (*kind, name.as_str(), *at))
    }

    pub(super) fn resource(&self, data: bool, kind: &str, name: &str) -> Option<&Resource<'p>> {
        let place = self.places.get(&(data, kind.to_owned(), name.to_owned()))?;
        self.resources.get(*place)
    }
}
