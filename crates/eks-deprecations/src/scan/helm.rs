//! Helm releases, as Helm 3 keeps them in Secrets and ConfigMaps.
//!
//! The payload is JSON, usually gzipped, base64; in a Secret's `data` it is base64 once more.

use std::collections::BTreeMap;
use std::io::Read;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;

use super::{Collector, Scan};

/// What a decoded payload may be at most. Helm's own limit is that of a Secret, 1 MiB compressed.
const PAYLOAD_LIMIT: u64 = 256 << 20;

/// The state of a release's revision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReleaseStatus {
    /// It is what runs.
    Deployed,
    /// Any other word of Helm's: `superseded`, `failed`, `pending-upgrade`, …
    Other(String),
}

/// One revision of a Helm release, found in a Secret or a ConfigMap.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HelmRelease {
    /// The release's name.
    pub name: String,
    /// The namespace written in the release.
    pub namespace: Option<String>,
    /// The revision.
    pub revision: u64,
    /// Its state.
    pub status: ReleaseStatus,
    /// The name of the Secret or ConfigMap.
    pub kept_as: String,
    /// The namespace of the Secret or ConfigMap.
    pub kept_in_namespace: Option<String>,
    /// 1-based line of the payload.
    pub line: u32,
    /// 1-based column of the payload.
    pub column: u32,
    /// 0-based index of the document.
    pub document: u32,
    manifest: String,
    hooks: Vec<(String, String)>,
    crds: Vec<(String, Result<String, ()>)>,
}

impl HelmRelease {
    /// The namespace that the release's objects live in: the release's own, else that of the
    /// Secret.
    pub fn effective_namespace(&self) -> Option<&str> {
        self.namespace.as_deref().or(self.kept_in_namespace.as_deref())
    }

    /// Whether the release says another namespace than the Secret that carries it.
    pub fn namespaces_disagree(&self) -> bool {
        match (&self.namespace, &self.kept_in_namespace) {
            (Some(own), Some(kept)) => own != kept,
            _ => false,
        }
    }

    /// `shop/web revision 3`
    pub fn title(&self) -> String {
        let namespace = self.effective_namespace().unwrap_or("?");
        format!("{namespace}/{} revision {}", self.name, self.revision)
    }

    /// The usages in the release's manifest, hooks and CRDs. All of them stand at the place of
    /// the payload; `source` says where in the release.
    pub fn scan(&self, wanted: &dyn Fn(&str, &str) -> bool) -> Scan<'static> {
        let mut all = Scan::default();
        let hooks = self.hooks.iter().map(|(path, text)| (Some(path.as_str()), Ok(text.as_str())));
        let crds = self.crds.iter().map(|(path, text)| (Some(path.as_str()), text.as_deref()));
        for (path, text) in [(None, Ok(self.manifest.as_str()))].into_iter().chain(hooks).chain(crds) {
            let place = path.unwrap_or("its manifest");
            let Ok(text) = text else {
                let reason = format!("in Helm release {}, {place}: it is not base64 text", self.title());
                all.unread.push(super::UnreadText { line: Some(self.line), reason });
                continue;
            };
            let mut out = Collector::new(wanted);
            super::scan_text(text, super::Format::Manifest, &mut out);
            for usage in out.scan.usages {
                let mut usage = usage.into_owned();
                let inner = usage.source.as_deref().or(path).unwrap_or("manifest").to_owned();
                usage.source = Some(format!("Helm release {}: {inner}", self.title()).into());
                usage.namespace =
                    usage.namespace.or_else(|| self.effective_namespace().map(|n| n.to_owned().into()));
                usage.line = self.line;
                usage.column = self.column;
                usage.document = self.document;
                all.usages.push(usage);
            }
            for unread in out.scan.unread {
                let line = unread.line.map_or_else(String::new, |line| format!(" line {line}"));
                let reason = format!("in Helm release {}, {place}{line}: {}", self.title(), unread.reason);
                all.unread.push(super::UnreadText { line: Some(self.line), reason });
            }
            all.objects += out.scan.objects;
        }
        all
    }
}

/// The newest deployed revision of each release, in the order of namespace and name; and the
/// others.
pub fn newest_deployed<T>(releases: Vec<T>, release: impl Fn(&T) -> &HelmRelease) -> (Vec<T>, Vec<T>) {
    let mut newest: BTreeMap<(Option<String>, String), T> = BTreeMap::new();
    let mut others = Vec::new();
    for candidate in releases {
        let it = release(&candidate);
        if it.status != ReleaseStatus::Deployed {
            others.push(candidate);
            continue;
        }
        let key = (it.effective_namespace().map(str::to_owned), it.name.clone());
        match newest.remove(&key) {
            Some(known) if release(&known).revision >= it.revision => {
                newest.insert(key, known);
                others.push(candidate);
            }
            Some(known) => {
                others.push(known);
                newest.insert(key, candidate);
            }
            None => {
                newest.insert(key, candidate);
            }
        }
    }
    (newest.into_values().collect(), others)
}

/// Whether a Secret or ConfigMap of this name and type keeps a Helm release.
pub(super) fn keeps_a_release(name: &str, object_type: &str) -> bool {
    name.starts_with("sh.helm.release.v") || object_type.starts_with("helm.sh/release")
}

impl Collector<'_, '_> {
    /// Keeps the Helm release in a payload, found at this place; says when it is none.
    pub(super) fn release(
        &mut self,
        payload: &str,
        kept_as: &str,
        kept_in_namespace: Option<String>,
        (line, column): (u32, u32),
        document: u32,
    ) {
        match decode(payload) {
            Ok(release) => self.scan.releases.push(HelmRelease {
                kept_as: kept_as.to_owned(),
                kept_in_namespace,
                line,
                column,
                document,
                ..release
            }),
            Err(error) => {
                self.unread(Some(line), format!("the Helm release `{kept_as}` cannot be decoded: {error}"));
            }
        }
    }
}

/// Why a payload is no release.
#[derive(Debug, thiserror::Error)]
enum DecodeError {
    #[error("it is not base64 text")]
    Base64,
    #[error("it is not gzip data, or more than {} MiB", PAYLOAD_LIMIT >> 20)]
    Gzip,
    #[error("its JSON is no release: {0}")]
    Json(String),
}

#[derive(Deserialize)]
struct Payload {
    name: Option<String>,
    namespace: Option<String>,
    version: Option<u64>,
    info: Option<Info>,
    manifest: Option<String>,
    hooks: Option<Vec<Hook>>,
    chart: Option<Chart>,
}

#[derive(Deserialize)]
struct Info {
    status: Option<String>,
}

#[derive(Deserialize)]
struct Hook {
    path: Option<String>,
    name: Option<String>,
    manifest: Option<String>,
}

#[derive(Deserialize)]
struct Chart {
    files: Option<Vec<ChartFile>>,
}

#[derive(Deserialize)]
struct ChartFile {
    name: Option<String>,
    data: Option<String>,
}

/// Decodes the value of `data.release`.
fn decode(payload: &str) -> Result<HelmRelease, DecodeError> {
    let mut bytes = base64(payload.as_bytes())?;
    if !is_gzip(&bytes) && bytes.first() != Some(&b'{') {
        bytes = base64(&bytes)?;
    }
    let json = if is_gzip(&bytes) { gunzip(&bytes)? } else { bytes };
    let payload: Payload =
        serde_json::from_slice(&json).map_err(|error| DecodeError::Json(error.to_string()))?;
    let status = match payload.info.and_then(|info| info.status).as_deref() {
        Some("deployed") => ReleaseStatus::Deployed,
        other => ReleaseStatus::Other(other.unwrap_or("unknown").to_owned()),
    };
    let hooks = payload.hooks.unwrap_or_default().into_iter().filter_map(|hook| {
        let path = hook.path.or(hook.name).unwrap_or_else(|| "hook".to_owned());
        Some((path, hook.manifest?))
    });
    let files = payload.chart.and_then(|chart| chart.files).unwrap_or_default();
    let crds = files.into_iter().filter_map(|file| {
        let name = file.name.filter(|name| name.starts_with("crds/") || name.contains("/crds/"))?;
        let text = base64(file.data.unwrap_or_default().as_bytes())
            .ok()
            .and_then(|bytes| String::from_utf8(bytes).ok())
            .ok_or(());
        Some((name, text))
    });
    Ok(HelmRelease {
        name: payload.name.unwrap_or_default(),
        namespace: payload.namespace.filter(|namespace| !namespace.is_empty()),
        revision: payload.version.unwrap_or_default(),
        status,
        kept_as: String::new(),
        kept_in_namespace: None,
        line: 1,
        column: 1,
        document: 0,
        manifest: payload.manifest.unwrap_or_default(),
        hooks: hooks.collect(),
        crds: crds.collect(),
    })
}

fn is_gzip(bytes: &[u8]) -> bool {
    bytes.starts_with(&[0x1F, 0x8B])
}

/// Base64 with line breaks and without padding, as people paste it.
fn base64(text: &[u8]) -> Result<Vec<u8>, DecodeError> {
    let text: Vec<u8> = text.iter().copied().filter(|b| !b.is_ascii_whitespace()).collect();
    STANDARD.decode(text).map_err(|_| DecodeError::Base64)
}

fn gunzip(bytes: &[u8]) -> Result<Vec<u8>, DecodeError> {
    let mut out = Vec::new();
    let read = flate2::read::MultiGzDecoder::new(bytes).take(PAYLOAD_LIMIT + 1).read_to_end(&mut out);
    match read {
        Ok(length) if length as u64 <= PAYLOAD_LIMIT => Ok(out),
        _ => Err(DecodeError::Gzip),
    }
}
