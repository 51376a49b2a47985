//! From bytes to the Kubernetes objects in them, each with its place.
//!
//! [`scan`] takes the bytes of one file and never fails: what is no manifest is passed over, what
//! should have been one and cannot be read is an [`UnreadText`] beside the objects of everything
//! else. One broken document never hides another.
//!
//! How it works:
//! - `encoding`: bytes to text (UTF-8, UTF-16 with a byte order mark).
//! - `json`: JSON values, one or many.
//! - `lines`: a line reader that understands the plain block style that nearly all manifests are
//!   written in. It accepts a document only if it understands every line of it; for any other it
//!   gives up, and `document` reads it with a complete YAML parser. The two are held equal by
//!   tests over fixtures and over generated and mutated documents.
//! - `template`: what the YAML parser refuses is searched for literal `apiVersion` and `kind`.
//! - `helm`: releases that Helm keeps in Secrets and ConfigMaps.

mod cursor;
mod document;
mod encoding;
mod helm;
mod json;
mod lines;
mod pragma;
mod split;
mod template;

#[cfg(test)]
mod tests;

use std::borrow::Cow;

pub use helm::{HelmRelease, ReleaseStatus, newest_deployed};
pub use pragma::Pragma;
pub use split::{YamlDocument, documents};

/// How sure it is that an object will be applied as seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Certainty {
    /// It stands in a manifest.
    Certain,
    /// It stands literally in a template that is not yet YAML.
    Template,
    /// The same, beside other `apiVersion`s for the same document: only one of them will come out.
    Conditional,
}

/// What names the API.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// An object of its own.
    Object,
    /// An item of a typed list, which has its API from the list.
    ListItem,
    /// A field of another object names the API; the path of the field.
    Reference(&'static str),
}

/// The use of an API: an object, or a reference to one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Usage<'a> {
    /// `apiVersion` as written.
    pub api_version: Cow<'a, str>,
    /// `kind` as written; for an item of a typed list, that of the item.
    pub kind: Cow<'a, str>,
    /// `metadata.name`.
    pub name: Option<Cow<'a, str>>,
    /// `metadata.namespace`.
    pub namespace: Option<Cow<'a, str>>,
    /// 1-based line of the value of `apiVersion`.
    pub line: u32,
    /// 1-based column of it, in characters.
    pub column: u32,
    /// 0-based index of the document in the file; documents without content are not counted.
    pub document: u32,
    /// Where a rendering tool says the document came from: Helm's `# Source:` comment.
    pub source: Option<Cow<'a, str>>,
    /// How sure it is.
    pub certainty: Certainty,
    /// What names the API.
    pub role: Role,
}

/// A text that should have been a manifest and could not be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnreadText {
    /// 1-based line, where one is known.
    pub line: Option<u32>,
    /// One sentence: what went wrong.
    pub reason: String,
}

/// What a file is, by its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Format {
    /// Meant to be YAML or JSON; which one shows in the text.
    #[default]
    Manifest,
    /// Meant to be JSON; a text that is not, and that never says `apiVersion`, is none of ours.
    Json,
    /// A file of template helpers: definitions, and now and then whole manifests.
    Helpers,
}

/// What a scan found in one file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Scan<'a> {
    /// Objects and references, in the order of the file.
    pub usages: Vec<Usage<'a>>,
    /// What could not be read.
    pub unread: Vec<UnreadText>,
    /// Helm releases kept in Secrets and ConfigMaps.
    pub releases: Vec<HelmRelease>,
    /// Comments to this program.
    pub pragmas: Vec<Pragma>,
    /// How many documents had content.
    pub documents: u64,
    /// How many objects there were, those that the caller did not want included.
    pub objects: u64,
    /// The text is not one: it has NUL bytes.
    pub binary: bool,
}

/// The APIs used in the bytes of one file.
///
/// Never fails and never panics, whatever the bytes.
///
/// ```
/// let text = b"apiVersion: policy/v1beta1\nkind: PodDisruptionBudget\nmetadata:\n  name: web\n";
/// let scan = eks_deprecations::scan(text);
/// let usage = &scan.usages[0];
/// assert_eq!((&*usage.api_version, &*usage.kind), ("policy/v1beta1", "PodDisruptionBudget"));
/// assert_eq!((usage.name.as_deref(), usage.line, usage.column), (Some("web"), 1, 13));
/// ```
pub fn scan(bytes: &[u8]) -> Scan<'_> {
    scan_with(bytes, Format::Manifest, &|_, _| true)
}

/// As [`scan`], told what the file is meant to be, and keeping only the usages that `wanted`
/// (given `apiVersion` and `kind`) says yes to. The others are counted.
///
/// Asking first is what makes scanning a tree as fast as reading it: nearly all objects are of no
/// interest and cost no allocation.
pub fn scan_with<'a>(bytes: &'a [u8], format: Format, wanted: &dyn Fn(&str, &str) -> bool) -> Scan<'a> {
    let out = Collector::new(wanted);
    scan_into(bytes, format, out)
}

/// As [`scan_with`], with every YAML document read by the complete parser. It is what the faster
/// way is held against, by tests and by the benchmark.
pub fn scan_by_parser<'a>(bytes: &'a [u8], format: Format, wanted: &dyn Fn(&str, &str) -> bool) -> Scan<'a> {
    let mut out = Collector::new(wanted);
    out.parser_only = true;
    scan_into(bytes, format, out)
}

fn scan_into<'a>(bytes: &'a [u8], format: Format, mut out: Collector<'a, '_>) -> Scan<'a> {
    // A text that lives no longer than this call: what is found in it is copied.
    let copied = |text: &str, out: &Collector<'a, '_>| {
        let mut inner = out.fresh();
        scan_text(text, format, &mut inner);
        inner.scan.into_owned()
    };
    match encoding::decode(bytes) {
        encoding::Decoded::Text(text) => scan_text(text, format, &mut out),
        encoding::Decoded::Converted(text) => out.scan = copied(&text, &out),
        encoding::Decoded::Binary { lossy } => {
            // Text all the same, if it names an API: then what can be read of it is.
            if lossy.contains("apiVersion") {
                out.scan = copied(&lossy, &out);
            }
            out.scan.binary = true;
            out.unread(None, "it is not text (it has NUL bytes)".to_owned());
        }
        encoding::Decoded::Invalid { line, lossy } => {
            // One bad byte hides nothing else: every document is read, and the file is unread.
            out.scan = copied(&lossy, &out);
            out.unread(Some(line), "it is not UTF-8 text; convert it to UTF-8".to_owned());
        }
    }
    out.scan
}

fn scan_text<'a>(text: &'a str, format: Format, out: &mut Collector<'a, '_>) {
    if json::looks_like_json(text) {
        // A JSON file that never says `apiVersion`, not even in escapes, holds no object. It need
        // not even be strict JSON: many programs allow comments in theirs.
        let has = |word: &str| memchr::memmem::find(text.as_bytes(), word.as_bytes()).is_some();
        if format == Format::Json && !has("apiVersion") && !has("\\u") {
            out.scan.documents += 1;
            return;
        }
        // YAML's flow style looks like JSON too; the YAML reader has the last word.
        if json::scan(text, format == Format::Json, out).is_ok() {
            return;
        }
    }
    pragma::collect(text, &mut out.scan.pragmas);
    if format == Format::Helpers {
        template::search_helpers(text, out);
    } else {
        lines::scan(text, out);
    }
}

/// Where findings go while a file is scanned.
struct Collector<'a, 'w> {
    scan: Scan<'a>,
    wanted: &'w dyn Fn(&str, &str) -> bool,
    /// Leave the line reader out.
    parser_only: bool,
}

impl<'a, 'w> Collector<'a, 'w> {
    fn new(wanted: &'w dyn Fn(&str, &str) -> bool) -> Self {
        Self { scan: Scan::default(), wanted, parser_only: false }
    }

    /// An empty collector for a text that lives shorter than this one's, or may be dropped.
    fn fresh<'b>(&self) -> Collector<'b, 'w> {
        Collector { scan: Scan::default(), wanted: self.wanted, parser_only: self.parser_only }
    }

    fn unread(&mut self, line: Option<u32>, reason: String) {
        self.scan.unread.push(UnreadText { line, reason });
    }

    fn wants(&self, api_version: &str, kind: &str) -> bool {
        (self.wanted)(api_version, kind)
    }

    /// Counts an object, and keeps it if it is wanted. `usage` is made only then.
    fn object(&mut self, api_version: &str, kind: &str, usage: impl FnOnce() -> Usage<'a>) {
        self.scan.objects += 1;
        if self.wants(api_version, kind) {
            self.scan.usages.push(usage());
        }
    }
}

impl Usage<'_> {
    /// The same usage, on its own.
    pub fn into_owned(self) -> Usage<'static> {
        let own = |text: Cow<'_, str>| Cow::Owned(text.into_owned());
        Usage {
            api_version: own(self.api_version),
            kind: own(self.kind),
            name: self.name.map(own),
            namespace: self.namespace.map(own),
            line: self.line,
            column: self.column,
            document: self.document,
            source: self.source.map(own),
            certainty: self.certainty,
            role: self.role,
        }
    }
}

impl Scan<'_> {
    /// The same scan, on its own.
    pub fn into_owned(self) -> Scan<'static> {
        Scan {
            usages: self.usages.into_iter().map(Usage::into_owned).collect(),
            unread: self.unread,
            releases: self.releases,
            pragmas: self.pragmas,
            documents: self.documents,
            objects: self.objects,
            binary: self.binary,
        }
    }
}

/// The reason for an `apiVersion` or `kind` that nothing could be.
const ODD: &str = "its apiVersion or kind is nothing that Kubernetes takes; correct it";

/// What a value of `apiVersion` or `kind` is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Word {
    /// Letters, digits and the few marks that these values may have.
    Literal,
    /// It will be put in later: `${API}`, `{{ .Api }}`.
    Computed,
    /// Nothing that Kubernetes would take.
    Other,
}

/// What a value of `apiVersion` or `kind` is.
fn word(value: &str) -> Word {
    if !value.is_empty()
        && value.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'/' | b'-' | b'_'))
    {
        Word::Literal
    } else if ["{{", "${", "$(", "<%", "{%", "[[", "((", "%{", "$"].iter().any(|mark| value.contains(mark)) {
        Word::Computed
    } else {
        Word::Other
    }
}

/// Whether a plain scalar means null, and so nothing.
fn is_null(plain: &str) -> bool {
    matches!(plain, "" | "~" | "null" | "Null" | "NULL")
}

/// 1-based column of byte `at` in a line that starts at byte `line_start`, in characters.
fn column_of(text: &str, line_start: usize, at: usize) -> u32 {
    let column = text.get(line_start..at).map_or(0, |before| before.chars().count());
    u32::try_from(column).unwrap_or(u32::MAX).saturating_add(1)
}
