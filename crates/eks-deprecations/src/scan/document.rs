//! The complete reading of one YAML document, by a YAML parser.
//!
//! This is the reference: whatever the line reader accepts, it must read the same way.

use std::borrow::Cow;
use std::cell::Cell;
use std::collections::BTreeMap;

use granit_parser::{Event, Parser, ScalarStyle};

use super::cursor::Cursor;
use super::{Certainty, Collector, Role, Usage, Word, helm, is_null, word};

/// How many nodes are looked at in one document, aliases followed. Far above any real manifest;
/// it bounds what a document of nested aliases can cost.
const NODE_BUDGET: u32 = 2_000_000;
/// How deep lists of lists are followed.
const LIST_DEPTH: u32 = 120;

/// How many merged mappings are looked into in one document, and how deep. As above.
const MERGE_BUDGET: u32 = 200_000;
const MERGE_DEPTH: u8 = 100;

/// Why a document is no YAML.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refused {
    /// 1-based line in the file.
    pub(super) line: u32,
    /// What the parser said.
    pub(super) reason: String,
}

/// Where a document stands.
#[derive(Debug, Clone)]
pub(super) struct Place<'a> {
    /// 1-based line of its first byte.
    pub(super) first_line: u32,
    /// 0-based index.
    pub(super) document: u32,
    /// Helm's `# Source:` comment.
    pub(super) source: Option<Cow<'a, str>>,
}

type NodeId = usize;

#[derive(Debug)]
struct Node<'a> {
    value: Value<'a>,
    /// The byte that it starts at.
    at: usize,
}

#[derive(Debug)]
enum Value<'a> {
    Scalar { text: Cow<'a, str>, plain: bool },
    Sequence(Vec<NodeId>),
    Mapping(Vec<(NodeId, NodeId)>),
}

/// Reads one document (with its `---` line, if it has one).
///
/// # Errors
/// [`Refused`] when it is no YAML. Nothing has been reported then.
pub(super) fn read<'a>(text: &'a str, place: &Place<'a>, out: &mut Collector<'a, '_>) -> Result<(), Refused> {
    let (nodes, roots) = Tree::build(text, place.first_line)?;
    let cursor = Cursor::new(text, place.first_line);
    let mut walk =
        Walk { nodes: &nodes, place, out, budget: NODE_BUDGET, cursor, merges: Cell::new(MERGE_BUDGET) };
    for root in roots {
        walk.root(root);
    }
    if walk.merges.get() == 0 {
        let reason = "its merge keys are more, or deeper, than in any manifest";
        walk.out.unread(Some(place.first_line), reason.to_owned());
    }
    Ok(())
}

/// A document while its events come in.
struct Tree<'a> {
    nodes: Vec<Node<'a>>,
    anchors: BTreeMap<usize, NodeId>,
    /// Collections that are open, each with the key that waits for its value.
    open: Vec<(NodeId, Option<NodeId>)>,
    roots: Vec<NodeId>,
}

impl<'a> Tree<'a> {
    fn build(text: &'a str, first_line: u32) -> Result<(Vec<Node<'a>>, Vec<NodeId>), Refused> {
        let mut tree =
            Tree { nodes: Vec::new(), anchors: BTreeMap::new(), open: Vec::new(), roots: Vec::new() };
        let line_in_file = |line: usize| {
            first_line.saturating_add(u32::try_from(line.saturating_sub(1)).unwrap_or(u32::MAX))
        };
        for event in Parser::new_from_str(text) {
            let (event, span) = event.map_err(|error| Refused {
                line: line_in_file(error.marker().line()),
                reason: error.info(),
            })?;
            // Always there for a parser of a text; without it, the place would be the start.
            let at = span.start.byte_offset().unwrap_or(0);
            #[expect(clippy::wildcard_enum_match_arm, reason = "the parser's enum is not exhaustive")]
            match event {
                Event::Scalar(value, style, anchor, tag) => {
                    let plain = style == ScalarStyle::Plain && tag.is_none();
                    let value = Value::Scalar { text: value, plain };
                    let id = tree.add(Node { value, at }, anchor);
                    tree.attach(id);
                }
                Event::SequenceStart(_, anchor, _) => {
                    let id = tree.add(Node { value: Value::Sequence(Vec::new()), at }, anchor);
                    tree.open.push((id, None));
                }
                Event::MappingStart(_, anchor, _) => {
                    let id = tree.add(Node { value: Value::Mapping(Vec::new()), at }, anchor);
                    tree.open.push((id, None));
                }
                Event::SequenceEnd | Event::MappingEnd => {
                    if let Some((id, _)) = tree.open.pop() {
                        tree.attach(id);
                    }
                }
                Event::Alias(anchor) => {
                    // The parser refuses aliases without an anchor.
                    if let Some(&id) = tree.anchors.get(&anchor) {
                        tree.attach(id);
                    }
                }
                Event::DocumentEnd => tree.anchors.clear(),
                // Presentation, and what the parser may learn to say: no nodes of ours.
                _ => {}
            }
        }
        Ok((tree.nodes, tree.roots))
    }

    fn add(&mut self, node: Node<'a>, anchor: usize) -> NodeId {
        let id = self.nodes.len();
        self.nodes.push(node);
        if anchor != 0 {
            self.anchors.insert(anchor, id);
        }
        id
    }

    /// Hands a finished node to the collection that it belongs to.
    fn attach(&mut self, id: NodeId) {
        let Some((parent, key)) = self.open.last_mut() else {
            self.roots.push(id);
            return;
        };
        match self.nodes.get_mut(*parent).map(|node| &mut node.value) {
            Some(Value::Sequence(items)) => items.push(id),
            Some(Value::Mapping(entries)) => match key.take() {
                Some(key) => entries.push((key, id)),
                None => *key = Some(id),
            },
            Some(Value::Scalar { .. }) | None => {}
        }
    }
}

/// Reads objects out of a finished document.
struct Walk<'t, 'a, 'o, 'w> {
    nodes: &'t [Node<'a>],
    place: &'t Place<'a>,
    out: &'o mut Collector<'a, 'w>,
    budget: u32,
    cursor: Cursor<'a>,
    merges: Cell<u32>,
}

impl<'t, 'a> Walk<'t, 'a, '_, '_> {
    fn root(&mut self, root: NodeId) {
        match self.nodes.get(root).map(|node| &node.value) {
            Some(Value::Mapping(_)) => self.object(root, 0),
            // A list of objects without a List around it, as `jq -s` writes it.
            Some(Value::Sequence(items)) => {
                for &item in items {
                    self.object(item, 1);
                }
            }
            // Something before a JSON text makes one plain scalar of it all.
            Some(Value::Scalar { text, .. }) if text.contains("apiVersion") => {
                let line = self.nodes.get(root).map(|node| self.cursor.line(node.at));
                let reason = "it is one text, not an object: take out what stands before or after the object";
                self.out.unread(line, reason.to_owned());
            }
            Some(Value::Scalar { .. }) | None => {}
        }
    }

    /// Takes one from the budget; says whether there was one.
    fn spend(&mut self, at: usize) -> bool {
        if self.budget == 1 {
            let line = self.cursor.line(at);
            let reason = "it has more nodes than any manifest, counted through its aliases";
            self.out.unread(Some(line), reason.to_owned());
        }
        self.budget = self.budget.saturating_sub(1);
        self.budget > 0
    }

    fn object(&mut self, id: NodeId, depth: u32) {
        let Some(node) = self.nodes.get(id) else { return };
        if !self.spend(node.at) || !matches!(node.value, Value::Mapping(_)) {
            return;
        }
        let kind = self.field(id, "kind");
        let api = self.field(id, "apiVersion");
        // The items of a List have APIs of their own, whatever the List says of its own.
        if kind.and_then(|kind| self.text(kind)).as_deref() == Some("List")
            && let Some(items) = self.field(id, "items")
        {
            self.list(items, api.unwrap_or(id), "", "", depth);
            return;
        }
        let (Some(api), Some(kind)) = (api, kind) else { return };
        let (Some(api_text), Some(kind_text)) = (self.text(api), self.text(kind)) else {
            // `apiVersion: {{ .Api }}` is a mapping to YAML, and so is `{api}`.
            let collection = |id| matches!(self.value(id), Some(Value::Mapping(_) | Value::Sequence(_)));
            let one_is_text = self.text(api).is_some() || self.text(kind).is_some();
            if self.is_flow_template(api) || self.is_flow_template(kind) {
                self.computed(api, super::template::COMPUTED);
            } else if one_is_text && (collection(api) || collection(kind)) {
                self.computed(api, super::ODD);
            }
            return;
        };
        match (word(&api_text), word(&kind_text)) {
            (Word::Literal, Word::Literal) => {}
            (Word::Computed, _) | (_, Word::Computed) => {
                self.computed(api, super::template::COMPUTED);
                return;
            }
            _ => {
                self.computed(api, super::ODD);
                return;
            }
        }
        if let Some(item_kind) = kind_text.strip_suffix("List")
            && let Some(items) = self.field(id, "items")
        {
            self.list(items, api, &api_text, item_kind, depth);
            return;
        }
        self.report(id, api, &api_text, kind_text.clone(), Role::Object);
        match &*kind_text {
            "Config" if api_text == "v1" => self.kubeconfig(id),
            "Secret" | "ConfigMap" => self.helm_release(id),
            _ => {}
        }
    }

    fn list(&mut self, items: NodeId, api: NodeId, api_text: &str, item_kind: &str, depth: u32) {
        let Some(node) = self.nodes.get(items) else { return };
        let Value::Sequence(items) = &node.value else { return };
        if depth >= LIST_DEPTH {
            let line = self.cursor.line(node.at);
            self.out.unread(Some(line), format!("its lists are nested more than {LIST_DEPTH} deep"));
            return;
        }
        for &item in items {
            let says =
                |key| self.field(item, key).and_then(|id| self.text(id)).is_some_and(|text| !text.is_empty());
            // `apiVersion: {{ .Api }}` is no text, and is said to be unread.
            let computed = self.field(item, "apiVersion").is_some_and(|api| self.is_flow_template(api));
            let own =
                (says("apiVersion") || computed) && says("kind") || says("kind") && item_kind.is_empty();
            if own {
                self.object(item, depth + 1);
            } else if !item_kind.is_empty() && matches!(self.value(item), Some(Value::Mapping(_))) {
                if !self.spend(node.at) {
                    return;
                }
                let kind = Cow::Owned(item_kind.to_owned());
                self.report(item, api, api_text, kind, Role::ListItem);
            }
        }
    }

    fn usage(
        &mut self,
        id: NodeId,
        api: NodeId,
        api_text: &str,
        kind: Cow<'a, str>,
        role: Role,
    ) -> Usage<'a> {
        let (line, column) = self.nodes.get(api).map_or((1, 1), |node| self.cursor.place(node.at));
        let metadata = self.field(id, "metadata");
        let meta = |key| metadata.and_then(|metadata| self.field(metadata, key)).and_then(|id| self.text(id));
        Usage {
            api_version: self.text(api).unwrap_or_else(|| Cow::Owned(api_text.to_owned())),
            kind,
            name: meta("name").or_else(|| meta("generateName").map(|name| Cow::Owned(format!("{name}*")))),
            namespace: meta("namespace"),
            line,
            column,
            document: self.place.document,
            source: self.place.source.clone(),
            certainty: Certainty::Certain,
            role,
        }
    }

    /// Counts an object; makes a usage of it only if it is wanted.
    fn report(&mut self, id: NodeId, api: NodeId, api_text: &str, kind: Cow<'a, str>, role: Role) {
        self.out.scan.objects += 1;
        if self.out.wants(api_text, &kind) {
            let usage = self.usage(id, api, api_text, kind, role);
            self.out.scan.usages.push(usage);
        }
    }

    /// The plugins that a kubeconfig runs for credentials, by the API they speak.
    fn kubeconfig(&mut self, id: NodeId) {
        let Some(Value::Sequence(users)) = self.field(id, "users").and_then(|id| self.value(id)) else {
            return;
        };
        for &user in users {
            let exec = self.field(user, "user").and_then(|user| self.field(user, "exec"));
            let Some(api) = exec.and_then(|exec| self.field(exec, "apiVersion")) else { continue };
            let Some(api_text) = self.text(api) else { continue };
            if !self.out.wants(&api_text, "ExecCredential") {
                continue;
            }
            let role = Role::Reference("users[].user.exec.apiVersion");
            let mut usage = self.usage(user, api, &api_text, Cow::Borrowed("ExecCredential"), role);
            usage.name = self.field(user, "name").and_then(|name| self.text(name));
            self.out.scan.usages.push(usage);
        }
    }

    fn helm_release(&mut self, id: NodeId) {
        let metadata = self.field(id, "metadata");
        let meta = |key| metadata.and_then(|metadata| self.field(metadata, key)).and_then(|id| self.text(id));
        let name = meta("name").unwrap_or_default();
        let namespace = meta("namespace").map(Cow::into_owned);
        let kind = self.field(id, "type").and_then(|id| self.text(id)).unwrap_or_default();
        if !helm::keeps_a_release(&name, &kind) {
            return;
        }
        let Some(release) = self.field(id, "data").and_then(|data| self.field(data, "release")) else {
            return;
        };
        let Some(node) = self.nodes.get(release) else { return };
        let Some(payload) = self.text(release) else { return };
        let place = self.cursor.place(node.at);
        self.out.release(&payload, &name, namespace, place, self.place.document);
    }

    fn computed(&mut self, api: NodeId, reason: &str) {
        let line = self.nodes.get(api).map(|node| self.cursor.line(node.at));
        self.out.unread(line, reason.to_owned());
    }

    /// `{{ … }}` and `[[ … ]]` read as YAML: a collection that only holds one of its kind.
    fn is_flow_template(&self, id: NodeId) -> bool {
        match self.value(id) {
            Some(Value::Mapping(entries)) => {
                matches!(entries.as_slice(), [(key, _)] if matches!(self.value(*key), Some(Value::Mapping(_))))
            }
            Some(Value::Sequence(items)) => {
                matches!(items.as_slice(), [item] if matches!(self.value(*item), Some(Value::Sequence(_))))
            }
            Some(Value::Scalar { .. }) | None => false,
        }
    }

    fn value(&self, id: NodeId) -> Option<&'t Value<'a>> {
        self.nodes.get(id).map(|node| &node.value)
    }

    /// The text of a scalar that is not null.
    fn text(&self, id: NodeId) -> Option<Cow<'a, str>> {
        match self.value(id)? {
            Value::Scalar { text, plain } if !(*plain && is_null(text)) => Some(text.clone()),
            Value::Scalar { .. } | Value::Sequence(_) | Value::Mapping(_) => None,
        }
    }

    /// The value of a key: the last of its name wins, then what is merged in.
    fn field(&self, id: NodeId, key: &str) -> Option<NodeId> {
        self.field_within(id, key, MERGE_DEPTH)
    }

    fn field_within(&self, id: NodeId, key: &str, depth: u8) -> Option<NodeId> {
        let Value::Mapping(entries) = self.value(id)? else { return None };
        let is = |id: NodeId, want: &str| matches!(self.value(id), Some(Value::Scalar { text, .. }) if text == want);
        if let Some((_, value)) = entries.iter().rev().find(|(name, _)| is(*name, key)) {
            return Some(*value);
        }
        for (_, merged) in entries.iter().rev().filter(|(name, _)| is(*name, "<<")) {
            let maps = match self.value(*merged)? {
                Value::Mapping(_) => std::slice::from_ref(merged),
                // The earlier of several wins.
                Value::Sequence(maps) => maps.as_slice(),
                Value::Scalar { .. } => continue,
            };
            for &map in maps {
                let left = self.merges.get();
                if left == 0 || depth == 0 {
                    self.merges.set(0);
                    return None;
                }
                self.merges.set(left - 1);
                if let Some(found) = self.field_within(map, key, depth - 1) {
                    return Some(found);
                }
            }
        }
        None
    }
}
