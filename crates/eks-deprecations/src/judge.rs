//! One usage of an API, one window of versions, and what follows.

use std::cmp::Reverse;

use eks_model::{Finding, Hop, KubeMinor, Severity, Status, Window};

use crate::catalogue::{Api, Catalogue, Persistence, VendorApi};
use crate::rules;
use crate::scan::{Certainty, Role, Usage};

/// The guide that announces removals.
const GUIDE: &str = "https://kubernetes.io/docs/reference/using-api/deprecation-guide/";
/// What EKS turns on.
const EKS_GUIDE: &str = "https://docs.aws.amazon.com/eks/latest/userguide/kubernetes-versions.html";
/// Removals that the guide has a chapter for.
const GUIDE_CHAPTERS: [u16; 7] = [16, 22, 25, 26, 27, 29, 32];

/// What becomes of an API over a window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    Removed(KubeMinor),
    NotYetServed(KubeMinor),
    NeverOnEks,
    /// No release that we know serves it, though its group is Kubernetes' own.
    Unheard,
    Deprecated(KubeMinor),
}

/// The finding about a usage in a window, if there is one.
///
/// The catalogue decides: gone by the end of the window, never turned on by EKS, not there yet at
/// its start, deprecated by its end, in this order.
pub fn judge(catalogue: &Catalogue, usage: &Usage<'_>, window: Window) -> Option<Finding> {
    if let Some(vendor) = catalogue.vendor(&usage.api_version, &usage.kind) {
        return Some(vendor_finding(vendor, usage));
    }
    let fate = fate(catalogue, &usage.api_version, &usage.kind, window)?;
    let row = catalogue.get(&usage.api_version, &usage.kind);
    Some(finding(catalogue, row, fate, usage, window))
}

/// Whether a usage of this API would be a finding in this window. Cheaper than [`judge`]; made
/// for [`crate::scan_with`].
pub fn matters(catalogue: &Catalogue, api_version: &str, kind: &str, window: Window) -> bool {
    fate(catalogue, api_version, kind, window).is_some() || catalogue.vendor(api_version, kind).is_some()
}

fn fate(catalogue: &Catalogue, api_version: &str, kind: &str, window: Window) -> Option<Fate> {
    let Some(row) = catalogue.get(api_version, kind) else {
        let (group, _) = api_version.split_once('/')?;
        return (catalogue.has_group(group) && !is_list_or_options(kind)).then_some(Fate::Unheard);
    };
    if let Some(removed) = row.removed.filter(|&removed| removed <= window.to()) {
        return Some(Fate::Removed(removed));
    }
    if !row.on_eks {
        return Some(Fate::NeverOnEks);
    }
    if let Some(introduced) = row.introduced.filter(|&introduced| introduced > window.from()) {
        return Some(Fate::NotYetServed(introduced));
    }
    row.deprecated.filter(|&deprecated| deprecated <= window.to()).map(Fate::Deprecated)
}

/// Kinds of the machinery, which every group has and no row names.
fn is_list_or_options(kind: &str) -> bool {
    kind.ends_with("List") || kind.ends_with("Options") || matches!(kind, "Status" | "Table" | "WatchEvent")
}

fn finding(
    catalogue: &Catalogue,
    row: Option<&Api>,
    fate: Fate,
    usage: &Usage<'_>,
    window: Window,
) -> Finding {
    let (rule, severity, status) = match fate {
        Fate::Removed(_) => (&rules::REMOVED, Severity::Block, Status::Removed),
        Fate::NotYetServed(_) => (&rules::NOT_YET_SERVED, Severity::Block, Status::NotYetServed),
        Fate::NeverOnEks | Fate::Unheard => (&rules::NOT_SERVED, Severity::Warn, Status::NotServed),
        Fate::Deprecated(_) => (&rules::DEPRECATED, Severity::Warn, Status::Deprecated),
    };
    let severity = match (row.map(|row| (row.persistence, row.group)), usage.certainty) {
        (Some((Persistence::Request, _)), _) => Severity::Info,
        // Files of programs that nobody runs on EKS.
        (Some((Persistence::File, group)), _) if !FILES_ON_EKS.contains(&group) => {
            severity.min(Severity::Warn)
        }
        (_, Certainty::Conditional) => severity.min(Severity::Warn),
        (_, Certainty::Certain | Certainty::Template) => severity,
    };
    let status = match (usage.certainty, usage.role) {
        (Certainty::Template | Certainty::Conditional, _) => Status::Possible,
        (Certainty::Certain, Role::Reference(_)) => Status::Reference,
        (Certainty::Certain, Role::Object | Role::ListItem) => status,
    };
    let mut finding = about(usage, Finding::new(rule.id, severity, status));
    finding.deprecated_in = row.and_then(|row| row.deprecated);
    finding.removed_in = row.and_then(|row| row.removed);
    let replacement = row.and_then(|row| successor(catalogue, row, window));
    finding.replacement = replacement.as_ref().map(|to| format!("{} {}", to.api_version, to.kind));
    finding.replacement_since = replacement.as_ref().and_then(|to| to.since);
    finding.hop = match fate {
        Fate::Removed(at) | Fate::NotYetServed(at) | Fate::Deprecated(at) => window.hop_to(at).map(Hop::to),
        Fate::NeverOnEks | Fate::Unheard => None,
    };
    finding.url = Some(url(fate));
    finding.message = message(catalogue, row, fate, usage, window);
    finding.remedy = remedy(catalogue, row, fate, replacement.as_ref(), window);
    finding
}

/// An API of a project beside Kubernetes. Which of its versions runs is not in the manifest, so
/// this warns; the versions that support a recent Kubernetes are far beyond.
fn vendor_finding(vendor: &VendorApi, usage: &Usage<'_>) -> Finding {
    let status = match usage.certainty {
        Certainty::Certain => Status::Removed,
        Certainty::Template | Certainty::Conditional => Status::Possible,
    };
    let mut finding = about(usage, Finding::new(rules::VENDOR.id, Severity::Warn, status));
    finding.replacement = Some(vendor.replacement.to_owned());
    finding.url = Some(vendor.source.to_owned());
    finding.message = format!(
        "{} is gone in {} {} (deprecated there since {}); newer Kubernetes needs newer {}",
        subject(usage),
        vendor.project,
        vendor.gone,
        vendor.deprecated,
        vendor.project
    );
    finding.remedy = format!(
        "change it to {} before {} is updated to {}",
        vendor.replacement, vendor.project, vendor.gone
    );
    finding
}

/// `policy/v1beta1 PodDisruptionBudget "web"`
fn subject(usage: &Usage<'_>) -> String {
    let name = usage.name.as_deref().map_or_else(String::new, |name| format!(" \"{name}\""));
    format!("{} {}{name}", usage.api_version, usage.kind)
}

/// A finding with its subject and its place.
fn about(usage: &Usage<'_>, mut finding: Finding) -> Finding {
    finding.api_version = Some(usage.api_version.to_string());
    finding.kind = Some(usage.kind.to_string());
    finding.name = usage.name.as_ref().map(ToString::to_string);
    finding.namespace = usage.namespace.as_ref().map(ToString::to_string);
    finding.line = usage.line;
    finding.column = usage.column;
    finding.document = usage.document;
    finding.source = usage.source.as_ref().map(ToString::to_string);
    finding.width = u32::try_from(usage.api_version.chars().count()).unwrap_or(1);
    finding
}

/// Groups whose files are read on an EKS cluster or by its users.
const FILES_ON_EKS: [&str; 4] = [
    "client.authentication.k8s.io",
    "kubelet.config.k8s.io",
    "kubeproxy.config.k8s.io",
    "credentialprovider.kubelet.k8s.io",
];

/// What to use instead, as far as this window goes.
struct Successor {
    api_version: String,
    kind: String,
    since: Option<KubeMinor>,
}

/// The row's replacement, if it is served by the end of the window; else the version of the same
/// kind that is served then and stays longest; else the replacement all the same, for later.
fn successor(catalogue: &Catalogue, row: &Api, window: Window) -> Option<Successor> {
    let last = row.replacement.map(|to| Successor {
        api_version: to.api_version.to_owned(),
        kind: to.kind.to_owned(),
        since: to.since,
    });
    let in_time = last.as_ref().is_none_or(|to| to.since.is_none_or(|since| since <= window.to()));
    if in_time {
        return last;
    }
    let bridge = at_least(catalogue, row, window.to());
    bridge
        .map(|row| Successor {
            api_version: row.api_version.clone(),
            kind: row.kind.to_owned(),
            since: row.introduced,
        })
        .or(last)
}

/// Another version of the same kind that is served at a minor; the one that stays longest.
fn at_least<'c>(catalogue: &'c Catalogue, row: &'c Api, minor: KubeMinor) -> Option<&'c Api> {
    catalogue
        .versions(row.group, row.kind)
        .filter(|other| other.version != row.version && other.on_eks && other.served_at(minor))
        .max_by_key(|other| (other.removed.is_none(), other.removed, Reverse(other.introduced)))
}

fn url(fate: Fate) -> String {
    match fate {
        Fate::Removed(at) if GUIDE_CHAPTERS.contains(&at.minor()) => format!("{GUIDE}#v1-{}", at.minor()),
        Fate::Removed(_) | Fate::Deprecated(_) | Fate::NotYetServed(_) | Fate::Unheard => GUIDE.to_owned(),
        Fate::NeverOnEks => EKS_GUIDE.to_owned(),
    }
}

fn message(
    catalogue: &Catalogue,
    row: Option<&Api>,
    fate: Fate,
    usage: &Usage<'_>,
    window: Window,
) -> String {
    let subject = subject(usage);
    let subject = match (usage.certainty, usage.role) {
        (_, Role::Reference(path)) => format!("{path} names {subject}, which"),
        (Certainty::Certain, Role::ListItem) => format!("{subject} (item of a typed list)"),
        (Certainty::Certain, Role::Object) => subject,
        (Certainty::Template, _) => format!("{subject} (in an unrendered template)"),
        (Certainty::Conditional, _) => format!("{subject} (in one branch of an unrendered template)"),
    };
    let file = row.is_some_and(|row| row.persistence == Persistence::File);
    let served = if file { "read" } else { "served" };
    let hop = |at: KubeMinor| match window.hop_to(at) {
        Some(hop) => format!(" (hop {hop})"),
        None => String::new(),
    };
    match fate {
        Fate::Removed(at) if at <= window.from() => {
            format!(
                "{subject} is gone since {at}: {} no longer {} it",
                window.from(),
                if file { "reads" } else { "serves" }
            )
        }
        Fate::Removed(at) if at > catalogue.newest().minor => {
            format!("{subject} is announced to be gone in {at}{} (a forecast: not released yet)", hop(at))
        }
        Fate::Removed(at) => {
            let early =
                match row.and_then(|row| row.introduced).filter(|&introduced| introduced > window.from()) {
                    Some(introduced) => format!(
                        ", and it is not {served} before {introduced}, so it fails on {} already",
                        window.from()
                    ),
                    None => String::new(),
                };
            format!("{subject} is gone in {at}{}{early}", hop(at))
        }
        Fate::NotYetServed(at) if at > catalogue.newest().minor => {
            format!("{subject} is not {served} before {at}, which is not released yet")
        }
        Fate::NotYetServed(at) => {
            format!("{subject} is not {served} before {at}: it fails on {}{}", window.from(), hop(at))
        }
        Fate::NeverOnEks => format!("{subject} is never turned on by EKS, so it cannot work there"),
        Fate::Unheard => {
            let newest = catalogue.newest().minor;
            format!(
                "{subject} is not an API of any Kubernetes up to {newest}: its group is Kubernetes' own, and has no such version and kind"
            )
        }
        Fate::Deprecated(at) => {
            let removal = match row.and_then(|row| row.removed) {
                Some(removed) if removed > catalogue.newest().minor => {
                    format!("; its removal is announced for {removed} (a forecast)")
                }
                Some(removed) => format!("; it is gone in {removed}"),
                None => "; no removal is announced".to_owned(),
            };
            format!("{subject} is deprecated since {at}{}{removal}", hop(at))
        }
    }
}

fn remedy(
    catalogue: &Catalogue,
    row: Option<&Api>,
    fate: Fate,
    to: Option<&Successor>,
    window: Window,
) -> String {
    let Some(row) = row else { return "correct the apiVersion or the kind".to_owned() };
    let from = window.from();
    let target = to.map(|to| format!("{} {}", to.api_version, to.kind));
    let since = to.and_then(|to| to.since);
    match fate {
        Fate::Unheard => "correct the apiVersion or the kind".to_owned(),
        Fate::NeverOnEks => match (target, since) {
            (Some(target), Some(since)) if since > window.to() => {
                format!("leave it out: EKS does not serve it, and {target} comes with {since}")
            }
            (Some(target), Some(since)) if since > from => {
                format!("leave it out until the hop to {since}, which brings {target}; then use that")
            }
            (Some(target), _) => format!("use {target}"),
            (None, _) => {
                "leave it out: EKS serves stable APIs, and betas that were on before 1.24".to_owned()
            }
        },
        Fate::NotYetServed(at) => not_yet(catalogue, row, at, window),
        Fate::Removed(gone) => {
            if target.is_none() {
                return without_replacement(row, gone, window);
            }
            let mut steps = Vec::new();
            let mut current = row;
            if gone <= from {
                let Some(next) = served_then(catalogue, row, from) else {
                    let later = match (&target, since) {
                        (Some(target), Some(since)) => format!("; {target} comes with {since}"),
                        _ => String::new(),
                    };
                    return format!("take it out now: {from} serves no version of it{later}");
                };
                steps.push(format!("change it to {} {} now: {from} serves it", next.api_version, next.kind));
                current = next;
            }
            steps.extend(chain(catalogue, current, window));
            // The last step may still be one that goes some day, though the final one is there.
            let is_final =
                row.replacement.is_some_and(|last| to.is_some_and(|to| to.api_version == last.api_version));
            if is_final
                && let (Some(target), Some(since)) = (&target, since)
                && since > from
                && since <= window.to()
                && !steps.iter().any(|step| step.contains(target.as_str()))
            {
                steps.push(format!("change it to {target} after the hop to {since}, which brings it"));
            }
            steps.join("; then ")
        }
        Fate::Deprecated(_) => {
            let before =
                row.removed.map_or_else(String::new, |gone| format!(", before a later upgrade to {gone}"));
            match (target, since) {
                (None, _) => "there is no replacement: plan to do without it".to_owned(),
                (Some(target), Some(since)) if since > window.to() => {
                    format!("plan for {target}, which comes with {since}{before}")
                }
                (Some(target), Some(since)) if since > from => {
                    format!("change it to {target} after the hop to {since}, which brings it{before}")
                }
                (Some(target), Some(since)) => {
                    format!("change it to {target} now: {from} already serves it (since {since})")
                }
                (Some(target), None) => format!("change it to {target} now: {from} already serves it"),
            }
        }
    }
}

/// All versions that could take a row's place: its own kind's, and its replacement's.
fn candidates<'c>(catalogue: &'c Catalogue, row: &'c Api) -> Vec<&'c Api> {
    let to = row.replacement.and_then(|to| catalogue.get(to.api_version, to.kind));
    let others = to.into_iter().flat_map(|to| catalogue.versions(to.group, to.kind));
    catalogue
        .versions(row.group, row.kind)
        .chain(others)
        .filter(|other| other.on_eks && other.api_version != row.api_version)
        .collect()
}

/// The candidate that serves as asked and stays longest; of several the row's own replacement.
fn stays_longest<'c>(
    catalogue: &'c Catalogue,
    row: &'c Api,
    serves: impl Fn(&Api) -> bool,
) -> Option<&'c Api> {
    let named = |other: &Api| row.replacement.is_some_and(|to| to.api_version == other.api_version);
    candidates(catalogue, row)
        .into_iter()
        .filter(|other| serves(other))
        .max_by_key(|other| (other.removed.is_none(), other.removed, named(other), other.introduced))
}

/// What to use at a minor.
fn served_then<'c>(catalogue: &'c Catalogue, row: &'c Api, minor: KubeMinor) -> Option<&'c Api> {
    stays_longest(catalogue, row, |other| other.served_at(minor))
}

/// What to change, and when, from a row on, so that at every minor of the window a version is used
/// that is served there. A version that is there before the old one goes is preferred: then the
/// change needs no moment of its own.
fn chain(catalogue: &Catalogue, row: &Api, window: Window) -> Vec<String> {
    let from = window.from();
    let mut steps = Vec::new();
    let mut current = row;
    // Each step goes on in time, so there are no more steps than hops.
    while let Some(gone) = current.removed.filter(|&gone| gone > from && gone <= window.to()) {
        let before = gone.previous().unwrap_or(gone);
        let early =
            stays_longest(catalogue, current, |other| other.served_at(before) && other.served_at(gone));
        let next = early.or_else(|| served_then(catalogue, current, gone));
        let Some(next) = next else {
            steps.push(format!("take it out before the hop to {gone}: no version of it is served then"));
            return steps;
        };
        let name = format!("{} {}", next.api_version, next.kind);
        steps.push(match next.introduced {
            Some(since) if early.is_none() => {
                format!("change it to {name} right with the hop to {since}: not served before it, and this one not after it")
            }
            Some(since) if since > from => {
                format!("change it to {name} after the hop to {since}, which brings it, and before the hop to {gone}")
            }
            Some(since) => format!("change it to {name} now: {from} already serves it (since {since})"),
            None => format!("change it to {name} now: {from} already serves it"),
        });
        current = next;
    }
    steps
}

/// What to use until an API is there.
fn not_yet(catalogue: &Catalogue, row: &Api, at: KubeMinor, window: Window) -> String {
    let Some(now) = served_then(catalogue, row, window.from()) else {
        return match window.hop_to(at) {
            Some(hop) => format!("apply it only after hop {hop}"),
            None => format!("leave it out: {} does not serve it", window.to()),
        };
    };
    let lasts = |minor: KubeMinor| now.removed.is_none_or(|removed| minor < removed);
    match window.hop_to(at) {
        Some(hop) if lasts(at) => {
            format!("keep {} until hop {hop} is done, then switch to this one", now.api_version)
        }
        None if lasts(window.to()) => format!("use {}: this one comes after the upgrade", now.api_version),
        hop => {
            let mut steps = chain(catalogue, now, window);
            let this = format!("{} {}", row.api_version, row.kind);
            if let Some(hop) = hop
                && !steps.iter().any(|step| step.contains(&this))
            {
                steps.push(format!("switch to this one when hop {hop} is done"));
            }
            format!("use {} now; then {}", now.api_version, steps.join("; then "))
        }
    }
}

/// What to do where nothing takes the API's place.
fn without_replacement(row: &Api, gone: KubeMinor, window: Window) -> String {
    let advice = match row.kind {
        "PodSecurityPolicy" => {
            "there is no replacement API: use Pod Security Admission (namespace labels) or a policy engine, then delete it"
        }
        "DeploymentRollback" => "there is no replacement: use `kubectl rollout undo`",
        "PodPreset" => "there is no replacement: use a mutating admission policy or webhook",
        "AuditSink" => "there is no replacement: send audit logs through the control plane's logging",
        _ => "there is no replacement: take it out",
    };
    match window.hop_to(gone) {
        Some(hop) => format!("{advice} before hop {hop}"),
        None => format!("{advice} now"),
    }
}

#[cfg(test)]
mod tests;
