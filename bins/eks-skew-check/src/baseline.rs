//! Findings that were there before: only what is new counts.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, bail};
use eks_model::{CheckReport, Finding, Unread, UnreadKind};
use serde::{Deserialize, Serialize};

/// The name and version of the file.
const SCHEMA: &str = "eks-skew-check-baseline/1";
/// The file, if none is named.
pub(crate) const DEFAULT: &str = ".eks-skew-check-baseline.json";

/// What is known, and how often: without lines and columns, so that it stays true when a file is
/// edited elsewhere.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(crate) struct Known {
    findings: BTreeMap<String, u64>,
    unread: BTreeMap<String, u64>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    schema: String,
    findings: BTreeMap<String, u64>,
    unread: BTreeMap<String, u64>,
}

fn unread_identity(unread: &Unread) -> String {
    format!("{}|{}", unread.file, unread.reason)
}

impl Known {
    /// Takes in what was found before.
    pub(crate) fn add(&mut self, findings: &[Finding], unread: &[Unread]) {
        for finding in findings {
            *self.findings.entry(finding.identity()).or_default() += 1;
        }
        // A file that cannot be read at all is never known.
        for unread in unread.iter().filter(|unread| unread.kind == UnreadKind::Text) {
            *self.unread.entry(unread_identity(unread)).or_default() += 1;
        }
    }

    /// Reads a baseline.
    pub(crate) fn read(path: &Path, shown: &str) -> anyhow::Result<Self> {
        let text = std::fs::read_to_string(path).with_context(|| {
            format!("the baseline {shown} cannot be read; make one with --write-baseline")
        })?;
        let file: File = serde_json::from_str(&text).with_context(|| {
            format!("the baseline {shown} is wrong; make a new one with --write-baseline")
        })?;
        if file.schema != SCHEMA {
            bail!(
                "the baseline {shown} is of another kind ({}); make a new one with --write-baseline",
                file.schema
            );
        }
        Ok(Self { findings: file.findings, unread: file.unread })
    }

    /// Writes a baseline.
    pub(crate) fn write(&self, path: &Path, shown: &str) -> anyhow::Result<()> {
        let file =
            File { schema: SCHEMA.to_owned(), findings: self.findings.clone(), unread: self.unread.clone() };
        let text = serde_json::to_string_pretty(&file)? + "\n";
        std::fs::write(path, text).with_context(|| {
            format!(
                "the baseline {shown} cannot be written; choose a place that can be, with --baseline FILE"
            )
        })
    }

    /// Takes what is known out of a report, and counts it.
    pub(crate) fn apply(mut self, report: &mut CheckReport) {
        let mut known = 0;
        let mut take = |of: &mut BTreeMap<String, u64>, identity: &str| match of.get_mut(identity) {
            Some(times) if *times > 0 => {
                *times -= 1;
                known += 1;
                false
            }
            _ => true,
        };
        report.findings.retain(|finding| take(&mut self.findings, &finding.identity()));
        report.unread.retain(|unread| {
            unread.kind != UnreadKind::Text || take(&mut self.unread, &unread_identity(unread))
        });
        report.summary.known = known;
    }
}
