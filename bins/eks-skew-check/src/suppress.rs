//! Findings that somebody decided to live with, each with a reason.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::Context;
use eks_deprecations::Pragma;
use eks_model::{CheckReport, Suppression, SuppressionState, UnreadKind};
use globset::{GlobBuilder, GlobMatcher};
use jiff::civil::Date;

use crate::config::{Config, SuppressEntry};

/// What `rule` is called to suppress texts that cannot be read.
const UNREAD: &str = "unread";

/// A comment in a file.
#[derive(Debug, Clone)]
pub(crate) struct CommentPragma {
    pub(crate) file: String,
    pub(crate) pragma: Pragma,
}

/// One suppression, wherever it comes from.
struct Rule {
    file: String,
    line: Option<u32>,
    title: String,
    ids: Vec<String>,
    path: Option<GlobMatcher>,
    /// The document that a comment stands in, and its lines.
    comment: Option<(u32, (u32, u32))>,
    kind: Option<String>,
    name: Option<String>,
    namespace: Option<String>,
    until: Option<Date>,
}

/// Takes suppressed findings out of a report, counts them, and reports suppressions that have
/// expired, that cover nothing, or that cannot be understood.
///
/// With `partial`, only a part of the tree was looked at, and a suppression of the configuration
/// that covers nothing may well cover something elsewhere: nothing is said of it then.
pub(crate) fn apply(
    report: &mut CheckReport,
    config: &Config,
    comments: Vec<CommentPragma>,
    today: Date,
    directory: &Path,
    partial: bool,
) -> anyhow::Result<()> {
    let mut rules = Vec::new();
    for (index, entry) in config.suppress.iter().enumerate() {
        rules.push(from_config(config, index, entry)?);
    }
    for comment in comments {
        match from_comment(&comment) {
            Ok(rule) => rules.push(rule),
            Err(reason) => report.suppressions.push(Suppression {
                message: format!(
                    "the comment `eks-skew-check: {}` is not understood: {reason}",
                    comment.pragma.text
                ),
                file: comment.file,
                line: Some(comment.pragma.line),
                state: SuppressionState::Invalid,
            }),
        }
    }
    if rules.is_empty() {
        return Ok(());
    }
    let mut of_document: BTreeMap<(&str, u32), Vec<usize>> = BTreeMap::new();
    let mut of_file: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    let mut of_config = Vec::new();
    for (index, rule) in rules.iter().enumerate() {
        match rule.comment {
            Some((document, _)) => {
                of_document.entry((&rule.file, document)).or_default().push(index);
                of_file.entry(&rule.file).or_default().push(index);
            }
            None => of_config.push(index),
        }
    }
    let mut used = vec![false; rules.len()];
    let mut suppressed = 0;
    let in_root = |file: &str| relative(file, directory, &config.root);
    let mut covers = |index: usize, fits: &dyn Fn(&Rule) -> bool| {
        let Some(rule) = rules.get(index).filter(|rule| fits(rule)) else { return false };
        if let Some(used) = used.get_mut(index) {
            *used = true;
        }
        rule.until.is_none_or(|until| today <= until)
    };
    report.findings.retain(|finding| {
        let path = in_root(&finding.file);
        let same = |want: &Option<String>, have: &Option<String>| want.is_none() || want == have;
        let fits = |rule: &Rule| {
            (rule.ids.is_empty() || rule.ids.iter().any(|id| id == finding.id))
                && rule.path.as_ref().is_none_or(|glob| glob.is_match(&path))
                && same(&rule.kind, &finding.kind)
                && same(&rule.name, &finding.name)
                && same(&rule.namespace, &finding.namespace)
        };
        let comments = of_document.get(&(finding.file.as_str(), finding.document));
        let mut covered = false;
        for &index in of_config.iter().chain(comments.into_iter().flatten()) {
            covered |= covers(index, &fits);
        }
        suppressed += u64::from(covered);
        !covered
    });
    report.unread.retain(|unread| {
        let path = in_root(&unread.file);
        let line = unread.line.unwrap_or(1);
        let fits = |rule: &Rule| {
            unread.kind == UnreadKind::Text
                && rule.ids.iter().any(|id| id == UNREAD)
                && rule.path.as_ref().is_none_or(|glob| glob.is_match(&path))
                && rule.comment.is_none_or(|(_, (first, last))| (first..=last).contains(&line))
        };
        let mut covered = false;
        for &index in of_config.iter().chain(of_file.get(unread.file.as_str()).into_iter().flatten()) {
            covered |= covers(index, &fits);
        }
        suppressed += u64::from(covered);
        !covered
    });
    report.summary.suppressed = suppressed;
    for (rule, used) in rules.into_iter().zip(used) {
        let expired = rule.until.filter(|&until| today > until);
        let whole = !partial || rule.comment.is_some();
        let (state, message) = match (expired, used) {
            (Some(until), true) => (
                SuppressionState::Expired,
                format!("{} expired on {until}: what it covered is reported again", rule.title),
            ),
            (_, false) if whole => {
                (SuppressionState::Unused, format!("{} covers nothing any more: delete it", rule.title))
            }
            _ => continue,
        };
        report.suppressions.push(Suppression { file: rule.file, line: rule.line, state, message });
    }
    Ok(())
}

/// The path of a file from the configuration's folder on.
fn relative(file: &str, directory: &Path, root: &Path) -> PathBuf {
    let path = crate::files::normal(&directory.join(file));
    let root = crate::files::normal(root);
    path.strip_prefix(&root).map_or(path.clone(), Path::to_owned)
}

fn from_config(config: &Config, index: usize, entry: &SuppressEntry) -> anyhow::Result<Rule> {
    let number = index + 1;
    let place = || format!("the configuration {}, suppression {number}", config.file);
    let path = entry
        .path
        .as_deref()
        .map(|glob| {
            // A folder covers what is in it, as in .gitignore.
            let glob = glob.strip_prefix("./").unwrap_or(glob);
            let glob = if let Some(folder) = glob.strip_suffix('/') {
                format!("{folder}/**")
            } else {
                glob.to_owned()
            };
            GlobBuilder::new(&glob)
                .literal_separator(true)
                .build()
                .map(|glob| glob.compile_matcher())
                .with_context(|| format!("{}: its `path` is no glob", place()))
        })
        .transpose()?;
    let until = entry
        .until
        .as_deref()
        .map(|until| {
            until
                .parse::<Date>()
                .with_context(|| format!("{}: its `until` is no day like 2027-01-31", place()))
        })
        .transpose()?;
    if let Some(rule) = entry.rule.as_deref()
        && rule != UNREAD
        && crate::rules::get(rule).is_none()
    {
        anyhow::bail!(
            "{}: there is no rule `{rule}`; `eks-skew-check explain API001` explains one, docs/rules.md has them all",
            place()
        );
    }
    if entry.rule.as_deref() == Some(UNREAD)
        && [&entry.kind, &entry.name, &entry.namespace].iter().any(|by| by.is_some())
    {
        anyhow::bail!("{}: what is not read has no kind, name or namespace; name a `path`", place());
    }
    Ok(Rule {
        file: config.file.clone(),
        line: None,
        title: format!("suppression {number}"),
        ids: entry.rule.iter().cloned().collect(),
        path,
        comment: None,
        kind: entry.kind.clone(),
        name: entry.name.clone(),
        namespace: entry.namespace.clone(),
        until,
    })
}

/// `ignore API001,API002 until=2027-01-01 reason=the chart is replaced in Q4`
fn from_comment(comment: &CommentPragma) -> Result<Rule, String> {
    let text = comment.pragma.text.as_str();
    let Some(rest) = text.strip_prefix("ignore ").map(str::trim) else {
        return Err("the only word known is `ignore`".to_owned());
    };
    let (rest, reason) = match rest.split_once("reason=") {
        Some((rest, reason)) => (rest, reason.trim().trim_matches('"').trim()),
        None => return Err("it needs a reason=…".to_owned()),
    };
    if reason.is_empty() {
        return Err("its reason is empty".to_owned());
    }
    if reason.contains("until=") {
        return Err("put until=… before reason=…, which takes the rest of the line".to_owned());
    }
    let mut ids = Vec::new();
    let mut until = None;
    for word in rest.split([' ', ',']).filter(|word| !word.is_empty()) {
        if let Some(day) = word.strip_prefix("until=") {
            until = Some(day.parse().map_err(|_| format!("`{day}` is no day like 2027-01-31"))?);
        } else if word == UNREAD || crate::rules::get(word).is_some() {
            ids.push(word.to_owned());
        } else {
            return Err(format!("there is no rule `{word}`"));
        }
    }
    if ids.is_empty() {
        return Err("it names no rule".to_owned());
    }
    Ok(Rule {
        file: comment.file.clone(),
        line: Some(comment.pragma.line),
        title: format!("the comment `ignore {}`", ids.join(",")),
        ids,
        path: None,
        comment: Some((comment.pragma.document, comment.pragma.lines)),
        kind: None,
        name: None,
        namespace: None,
        until,
    })
}
