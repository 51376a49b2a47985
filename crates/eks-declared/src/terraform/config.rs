//! Terraform files as blocks and attributes, from HCL and from its JSON form alike.

use std::collections::BTreeMap;

use hcl_edit::Span;
use hcl_edit::expr::Expression;
use hcl_edit::structure::{Body, Structure};

use crate::json::{line_starts, place};
use crate::node::{At, Node, Value};
use crate::yaml::Refused;

/// A file of HCL, parsed.
#[derive(Debug)]
pub(super) struct Parsed {
    pub(super) file: u32,
    text: String,
    lines: Vec<usize>,
    body: Body,
}

impl Parsed {
    /// Parses a file.
    ///
    /// # Errors
    /// [`Refused`] when it is no HCL.
    pub(super) fn new(file: u32, text: &str) -> Result<Self, Refused> {
        let mut parsed = hcl_edit::parser::parse_body(text);
        let mut without = text.to_owned();
        if parsed.is_err()
            && let Some(text) = without_false_ends(&without)
        {
            parsed = hcl_edit::parser::parse_body(&text);
            without = text;
        }
        for _ in 0..DOUBLED {
            // Terraform takes the last of two equal keys of an object; the parser takes neither.
            let Err(error) = &parsed else { break };
            if !error.message().contains("redefined object key")
                || !blank_line(&mut without, error.location().line())
            {
                break;
            }
            parsed = hcl_edit::parser::parse_body(&without);
        }
        let body: Body = parsed.map_err(|error| Refused {
            line: u32::try_from(error.location().line()).unwrap_or(u32::MAX),
            reason: error.message().to_owned(),
        })?;
        Ok(Self { file, text: text.to_owned(), lines: line_starts(text), body })
    }

    fn at(&self, span: Option<std::ops::Range<usize>>, document: u32) -> At {
        let span = span.unwrap_or(0..0);
        let (line, column) = place(&self.text, &self.lines, span.start);
        let text = self.text.get(span).unwrap_or_default();
        let first = text.lines().next().unwrap_or_default();
        let width = u32::try_from(first.chars().take(200).count()).unwrap_or(1).max(1);
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
        let line_of = |at: usize| place(&self.text, &self.lines, at).0;
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
        for (line, number) in self.text.lines().zip(1_u32..) {
            let Some((before, after)) = line.split_once(MARK) else { continue };
            let before = before.trim_end();
            let Some(before) = before.strip_suffix('#').or_else(|| before.strip_suffix("//")) else {
                continue;
            };
            // A quote before it may still be open.
            if before.contains('"') {
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
        comments
    }

    pub(super) fn place_of(&self, span: Option<std::ops::Range<usize>>, document: u32) -> At {
        self.at(span, document)
    }

    /// The text of a span: numbers are taken as they are written.
    pub(super) fn text_of(&self, span: Option<std::ops::Range<usize>>) -> Option<&str> {
        self.text.get(span?)
    }
}

/// How many doubled keys of objects a file may have.
const DOUBLED: u32 = 32;

/// Turns a line `key = value` into blanks, so that every place stays where it is. Not one that may say a
/// version: which of two counts must not be guessed.
fn blank_line(text: &mut String, line: usize) -> bool {
    let lines = line_starts(text);
    let Some(&start) = line.checked_sub(1).and_then(|line| lines.get(line)) else { return false };
    let end = lines.get(line).map_or(text.len(), |next| next - 1);
    let Some(found) = text.get(start..end) else { return false };
    let balanced = |open: char, close: char| found.matches(open).count() == found.matches(close).count();
    let simple = found.contains(['=', ':'])
        && !found.contains("<<")
        && [('{', '}'), ('[', ']'), ('(', ')')].iter().all(|&(open, close)| balanced(open, close))
        && !["version", "ami", "release"].iter().any(|word| found.contains(word));
    if simple {
        let blanks = " ".repeat(found.len());
        text.replace_range(start..end, &blanks);
    }
    simple
}

/// A text in which no line of a heredoc only starts like its end: the parser takes `EOF"` for the end of `<<EOF`,
/// Terraform does not. `None` where there is no such line. Every place stays where it is.
fn without_false_ends(text: &str) -> Option<String> {
    let mut out = String::with_capacity(text.len());
    let mut end: Option<String> = None;
    let mut changed = false;
    for line in text.split_inclusive('\n') {
        let inner = line.trim();
        match &end {
            Some(marker) if inner == marker => {
                end = None;
                out.push_str(line);
            }
            Some(marker) if inner.starts_with(marker.as_str()) => {
                changed = true;
                // Any other letter will do.
                out.push_str(&line.replacen(marker.as_str(), &"_".repeat(marker.len()), 1));
            }
            Some(_) => out.push_str(line),
            None => {
                if let Some((_, marker)) = line.split_once("<<") {
                    let marker = marker.trim_start_matches('-').trim();
                    if !marker.is_empty() && marker.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_') {
                        end = Some(marker.to_owned());
                    }
                }
                out.push_str(line);
            }
        }
    }
    changed.then_some(out)
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

impl<'p> Block<'p> {
    pub(super) fn attribute(&self, name: &str) -> Option<&Attribute<'p>> {
        self.attributes.iter().find(|attribute| attribute.name == name)
    }

    /// The blocks of a kind. In the JSON form a block may be an attribute.
    pub(super) fn blocks<'b>(&'b self, kind: &'b str) -> impl Iterator<Item = &'b Block<'p>> {
        self.blocks.iter().filter(move |inner| inner.kind == kind).map(|inner| &inner.block)
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
    pub(super) fn add(&mut self, block: Block<'p>) {
        for Inner { kind, labels, block } in block.blocks {
            let mut labels = labels.into_iter();
            match (kind.as_str(), labels.next(), labels.next()) {
                ("variable", Some(name), _) => drop(self.variables.insert(name, block)),
                ("output", Some(name), _) => drop(self.outputs.insert(name, block)),
                ("module", Some(name), _) => drop(self.modules.insert(name, block)),
                ("locals", _, _) => {
                    for attribute in block.attributes {
                        self.locals.insert(attribute.name.clone(), attribute);
                    }
                }
                ("resource" | "data", Some(resource), Some(name)) => {
                    self.resources.push(Resource { data: kind == "data", kind: resource, name, block });
                }
                _ => {}
            }
        }
    }

    pub(super) fn resource(&self, data: bool, kind: &str, name: &str) -> Option<&Resource<'p>> {
        self.resources.iter().find(|r| r.data == data && r.kind == kind && r.name == name)
    }
}
