//! XML as the query protocols write it: elements with text or elements in them, nothing else.

use std::fmt::Display;

use jiff::Timestamp;
use quick_xml::Writer;
use quick_xml::events::{BytesDecl, BytesText, Event};

use super::Response;

/// An element.
#[derive(Debug, Clone)]
pub(super) struct Element {
    name: String,
    namespace: Option<&'static str>,
    text: Option<String>,
    children: Vec<Element>,
}

impl Element {
    pub(super) fn new(name: impl Into<String>) -> Self {
        Self { name: name.into(), namespace: None, text: None, children: Vec::new() }
    }

    pub(super) fn namespace(mut self, namespace: &'static str) -> Self {
        self.namespace = Some(namespace);
        self
    }

    /// The same under another name.
    pub(super) fn renamed(mut self, name: String) -> Self {
        self.name = name;
        self
    }

    pub(super) fn child(mut self, child: Self) -> Self {
        self.children.push(child);
        self
    }

    /// An element with a text in it.
    pub(super) fn text(self, name: &str, text: impl Display) -> Self {
        let mut child = Self::new(name);
        child.text = Some(text.to_string());
        self.child(child)
    }

    /// The same, where there is one.
    pub(super) fn maybe(self, name: &str, text: Option<impl Display>) -> Self {
        match text {
            Some(text) => self.text(name, text),
            None => self,
        }
    }

    pub(super) fn time(self, name: &str, at: Option<Timestamp>) -> Self {
        self.maybe(name, at)
    }

    /// A list: each item in an element of its own.
    pub(super) fn list<T>(
        self,
        name: &str,
        member: &str,
        items: impl IntoIterator<Item = T>,
        fill: impl Fn(Self, T) -> Self,
    ) -> Self {
        let mut list = Self::new(name);
        for item in items {
            list = list.child(fill(Self::new(member), item));
        }
        self.child(list)
    }

    /// A list of texts.
    pub(super) fn texts(
        self,
        name: &str,
        member: &str,
        items: impl IntoIterator<Item = impl Display>,
    ) -> Self {
        self.list(name, member, items, |mut element, item| {
            element.text = Some(item.to_string());
            element
        })
    }

    pub(super) fn response(&self, status: u16) -> Response {
        let mut writer = Writer::new(Vec::new());
        // Writing to memory cannot fail.
        drop(writer.write_event(Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None))));
        drop(self.write(&mut writer));
        Response { status, content_type: "text/xml", headers: Vec::new(), body: writer.into_inner() }
    }

    fn write(&self, writer: &mut Writer<Vec<u8>>) -> std::io::Result<()> {
        let mut element = writer.create_element(self.name.as_str());
        if let Some(namespace) = self.namespace {
            element = element.with_attribute(("xmlns", namespace));
        }
        match &self.text {
            Some(text) => {
                // What a client sent may come back, and not every character may stand in XML.
                let text: String = text.chars().map(|c| if allowed(c) { c } else { '\u{fffd}' }).collect();
                element.write_text_content(BytesText::new(&text))?;
            }
            None if self.children.is_empty() => {
                element.write_empty()?;
            }
            None => {
                element.write_inner_content(|writer| {
                    self.children.iter().try_for_each(|child| child.write(writer))
                })?;
            }
        }
        Ok(())
    }
}

/// <https://www.w3.org/TR/xml/#charsets>
fn allowed(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r' | ' '..='\u{fffd}' | '\u{10000}'..)
}
