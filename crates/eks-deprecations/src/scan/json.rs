//! JSON: one value, several behind each other, one a line.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::cursor::Cursor;
use super::{Certainty, Collector, Role, Usage, Word, helm, lines, word};

/// How deep lists of lists are followed.
const LIST_DEPTH: u32 = 120;

/// How often a text may be read again, all broken values together.
const RETRIES: usize = 4;

/// A text that is no JSON.
pub(super) struct NotJson;

pub(super) fn looks_like_json(text: &str) -> bool {
    let start = text.trim_start();
    start.starts_with(['{', '[']) && !start.starts_with("{{") && !start.starts_with("{%")
}

/// Reads all JSON values of a text.
///
/// # Errors
/// [`NotJson`] when the YAML reader should read it instead; nothing has been reported then. With
/// `strict`, it must be JSON: a comment in it would be part of a key to YAML.
pub(super) fn scan<'a>(text: &'a str, strict: bool, out: &mut Collector<'a, '_>) -> Result<(), NotJson> {
    let mut values: Vec<&'a RawValue> = Vec::new();
    let mut broken: Vec<(u32, String)> = Vec::new();
    let mut at = 0;
    let mut starts = Cursor::new(text, 1);
    let mut tried = 0;
    while let Some(rest) = text.get(at..) {
        let mut stream = serde_json::Deserializer::from_str(rest).into_iter::<&'a RawValue>();
        let error = loop {
            match stream.next() {
                None => break None,
                Some(Ok(value)) => values.push(value),
                Some(Err(error)) => break Some(error),
            }
        };
        let Some(error) = error else { break };
        if !strict && broken.is_empty() && reads_as_yaml(text, out) {
            return Err(NotJson);
        }
        let line =
            starts.line(at).saturating_add(u32::try_from(error.line().saturating_sub(1)).unwrap_or(u32::MAX));
        let said = error.to_string();
        let said = said.split(" at line ").next().unwrap_or_default();
        broken.push((line, said.to_owned()));
        // One value a line: the next line that starts a value is the next chance, until the chances
        // have cost more than they may.
        let offset = stream.byte_offset();
        tried += error_offset(rest, &error).saturating_sub(offset);
        if tried > text.len().saturating_mul(RETRIES) {
            break;
        }
        match next_start(text, at + offset) {
            Some(next) => at = next,
            None => break,
        }
    }
    if !strict && values.is_empty() && !broken.is_empty() {
        return Err(NotJson);
    }
    let mut walk = Walk { text, cursor: Cursor::new(text, 1), document: 0, out };
    for value in values {
        walk.root(value);
        walk.document += 1;
    }
    for (line, reason) in broken {
        out.unread(Some(line), format!("it is not valid JSON: {reason}"));
    }
    Ok(())
}

/// About how far into a text the reading of a broken value went: to the end of the error's line.
fn error_offset(text: &str, error: &serde_json::Error) -> usize {
    let line = error.line().saturating_sub(1);
    match line.checked_sub(1) {
        None => error.column(),
        Some(breaks) => memchr::memchr_iter(b'\n', text.as_bytes())
            .nth(breaks)
            .map_or(text.len(), |at| at + error.column()),
    }
}

fn reads_as_yaml(text: &str, out: &Collector<'_, '_>) -> bool {
    let mut inner = out.fresh();
    lines::scan(text, &mut inner);
    inner.scan.unread.is_empty()
}

/// The start of the next line after `from` that starts a JSON value.
fn next_start(text: &str, from: usize) -> Option<usize> {
    let mut at = from;
    loop {
        at += text.get(at..)?.find('\n')? + 1;
        if text.get(at..)?.starts_with(['{', '[']) {
            return Some(at);
        }
    }
}

#[derive(Deserialize)]
struct Probe<'a> {
    #[serde(borrow, rename = "apiVersion")]
    api_version: Option<&'a RawValue>,
    #[serde(borrow)]
    kind: Option<&'a RawValue>,
    #[serde(borrow)]
    metadata: Option<&'a RawValue>,
    #[serde(borrow)]
    items: Option<&'a RawValue>,
    #[serde(borrow)]
    users: Option<&'a RawValue>,
    #[serde(borrow, rename = "type")]
    object_type: Option<&'a RawValue>,
    #[serde(borrow)]
    data: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Meta<'a> {
    #[serde(borrow)]
    name: Option<&'a RawValue>,
    #[serde(borrow, rename = "generateName")]
    generate_name: Option<&'a RawValue>,
    #[serde(borrow)]
    namespace: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct ReleaseData<'a> {
    #[serde(borrow)]
    release: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct KubeconfigUser<'a> {
    #[serde(borrow)]
    name: Option<&'a RawValue>,
    #[serde(borrow)]
    user: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct KubeconfigAuth<'a> {
    #[serde(borrow)]
    exec: Option<&'a RawValue>,
}

/// A record out of a raw value; `None` when it is none.
fn record<'a, T: Deserialize<'a>>(raw: Option<&'a RawValue>) -> Option<T> {
    let raw = raw?.get();
    if raw.starts_with('{') { serde_json::from_str(raw).ok() } else { None }
}

/// The items of a raw array.
fn array(raw: Option<&RawValue>) -> Option<Vec<&RawValue>> {
    let raw = raw?.get();
    if raw.starts_with('[') { serde_json::from_str(raw).ok() } else { None }
}

/// The text of a raw string.
fn string(raw: Option<&RawValue>) -> Option<Cow<'_, str>> {
    let raw = raw?.get();
    let inner = raw.strip_prefix('"')?.strip_suffix('"')?;
    if inner.contains('\\') {
        serde_json::from_str::<String>(raw).ok().map(Cow::Owned)
    } else {
        Some(Cow::Borrowed(inner))
    }
}

/// A name may be a number in a broken manifest; then it is shown as written.
fn scalar(raw: Option<&RawValue>) -> Option<Cow<'_, str>> {
    string(raw)
        .or_else(|| raw.map(RawValue::get).filter(|raw| !raw.starts_with(['{', '[', '"'])).map(Cow::Borrowed))
}

struct Walk<'a, 'o, 'w> {
    text: &'a str,
    cursor: Cursor<'a>,
    document: u32,
    out: &'o mut Collector<'a, 'w>,
}

impl<'a> Walk<'a, '_, '_> {
    fn root(&mut self, raw: &'a RawValue) {
        self.out.scan.documents += 1;
        match array(Some(raw)) {
            Some(items) => items.into_iter().for_each(|item| self.object(item, 1)),
            None => self.object(raw, 0),
        }
    }

    fn object(&mut self, raw: &'a RawValue, depth: u32) {
        if !raw.get().starts_with('{') {
            return;
        }
        let Ok(probe) = serde_json::from_str::<Probe<'a>>(raw.get()) else {
            // A key that stands there twice. The YAML reader takes the last, as kubectl does.
            self.duplicate(raw);
            return;
        };
        let Some(kind_text) = string(probe.kind) else { return };
        // The items of a List have APIs of their own, whatever the List says of its own.
        if kind_text == "List" && probe.items.is_some() {
            self.list(probe.items, probe.api_version.unwrap_or(raw), "", "", depth);
            return;
        }
        let Some(api) = probe.api_version else { return };
        let Some(api_text) = string(Some(api)) else { return };
        match (word(&api_text), word(&kind_text)) {
            (Word::Literal, Word::Literal) => {}
            (Word::Computed, _) | (_, Word::Computed) => {
                let (line, _) = self.place(api);
                self.out.unread(Some(line), super::template::COMPUTED.to_owned());
                return;
            }
            _ => {
                let (line, _) = self.place(api);
                self.out.unread(Some(line), super::ODD.to_owned());
                return;
            }
        }
        if let Some(item_kind) = kind_text.strip_suffix("List")
            && probe.items.is_some()
        {
            let item_kind = item_kind.to_owned();
            self.list(probe.items, api, &api_text, &item_kind, depth);
            return;
        }
        let meta: Option<Meta<'a>> = record(probe.metadata);
        self.report(api, &api_text, kind_text.clone(), meta.as_ref(), Role::Object);
        match &*kind_text {
            "Config" if api_text == "v1" => self.kubeconfig(probe.users),
            "Secret" | "ConfigMap" => self.helm_release(&probe, meta.as_ref()),
            _ => {}
        }
    }

    fn duplicate(&mut self, raw: &'a RawValue) {
        let (line, _) = self.place(raw);
        let place = super::document::Place { first_line: line, document: self.document, source: None };
        if let Err(refused) = super::document::read(raw.get(), &place, self.out) {
            self.out.unread(Some(refused.line), format!("it is not valid JSON: {}", refused.reason));
        }
    }

    fn list(
        &mut self,
        items: Option<&'a RawValue>,
        api: &'a RawValue,
        api_text: &str,
        item_kind: &str,
        depth: u32,
    ) {
        let Some(items) = array(items) else { return };
        if depth >= LIST_DEPTH {
            let (line, _) = self.place(api);
            self.out.unread(Some(line), format!("its lists are nested more than {LIST_DEPTH} deep"));
            return;
        }
        for item in items {
            let Some(probe) = record::<Probe<'a>>(Some(item)) else {
                // A key twice in an item, or no object at all.
                if item.get().starts_with('{')
                    && !item_kind.is_empty()
                    && !item.get().contains("\"apiVersion\"")
                {
                    let kind = Cow::Owned(item_kind.to_owned());
                    self.report(api, api_text, kind, None, Role::ListItem);
                } else {
                    self.object(item, depth + 1);
                }
                continue;
            };
            let says = |raw| string(raw).is_some_and(|text| !text.is_empty());
            if says(probe.kind) && (says(probe.api_version) || item_kind.is_empty()) {
                self.object(item, depth + 1);
            } else if !item_kind.is_empty() {
                let meta: Option<Meta<'a>> = record(probe.metadata);
                let kind = Cow::Owned(item_kind.to_owned());
                self.report(api, api_text, kind, meta.as_ref(), Role::ListItem);
            }
        }
    }

    fn report(
        &mut self,
        api: &'a RawValue,
        api_text: &str,
        kind: Cow<'a, str>,
        meta: Option<&Meta<'a>>,
        role: Role,
    ) {
        // References are not objects and not counted.
        self.out.scan.objects += u64::from(!matches!(role, Role::Reference(_)));
        if !self.out.wants(api_text, &kind) {
            return;
        }
        let (line, column) = self.place(api);
        let name = meta.and_then(|meta| scalar(meta.name)).or_else(|| {
            meta.and_then(|meta| scalar(meta.generate_name)).map(|name| Cow::Owned(format!("{name}*")))
        });
        self.out.scan.usages.push(Usage {
            api_version: string(Some(api)).unwrap_or_else(|| Cow::Owned(api_text.to_owned())),
            kind,
            name,
            namespace: meta.and_then(|meta| scalar(meta.namespace)),
            line,
            column,
            document: self.document,
            source: None,
            certainty: Certainty::Certain,
            role,
        });
    }

    fn kubeconfig(&mut self, users: Option<&'a RawValue>) {
        for user in array(users).unwrap_or_default() {
            let Some(user) = record::<KubeconfigUser<'a>>(Some(user)) else { continue };
            let Some(auth) = record::<KubeconfigAuth<'a>>(user.user) else { continue };
            let Some(exec) = record::<Probe<'a>>(auth.exec) else { continue };
            let Some(api) = exec.api_version else { continue };
            let Some(api_text) = string(Some(api)) else { continue };
            let meta = Meta { name: user.name, generate_name: None, namespace: None };
            let role = Role::Reference("users[].user.exec.apiVersion");
            self.report(api, &api_text, Cow::Borrowed("ExecCredential"), Some(&meta), role);
        }
    }

    fn helm_release(&mut self, probe: &Probe<'a>, meta: Option<&Meta<'a>>) {
        let name = meta.and_then(|meta| string(meta.name)).unwrap_or_default();
        let kind = string(probe.object_type).unwrap_or_default();
        if !helm::keeps_a_release(&name, &kind) {
            return;
        }
        let Some(raw) = record::<ReleaseData<'a>>(probe.data).and_then(|data| data.release) else { return };
        let Some(payload) = string(Some(raw)) else { return };
        let namespace = meta.and_then(|meta| string(meta.namespace)).map(Cow::into_owned);
        let place = self.place(raw);
        self.out.release(&payload, &name, namespace, place, self.document);
    }

    /// 1-based line and column of a raw value. Raw values are slices of the text, so the distance
    /// of their starts is the offset.
    fn place(&mut self, raw: &RawValue) -> (u32, u32) {
        let at = (raw.get().as_ptr() as usize).saturating_sub(self.text.as_ptr() as usize);
        self.cursor.place(at)
    }
}
