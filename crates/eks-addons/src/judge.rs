//! The add-ons and controllers of a cluster over a window of versions, and the findings that follow.

use eks_model::{
    Addon, AddonVersion, AddonWish, ClusterSnapshot, Controller, Finding, Hop, KubeMinor, Observed, Placed,
    Rule, Severity, Sign, Status, Window,
};

use crate::controllers::{Basis, Controllers};
use crate::evidence::Fit;
use crate::matrix::{AddonStep, Choice, Matrix, Stepping, Wanted};
use crate::rules;

/// How to make what is unknown known.
const RECORD: &str = "record what EKS offers (aws eks describe-addon-versions > addons.json) and hand it in with --addons addons.json";

/// Now and after each hop.
fn points(window: Window) -> impl Iterator<Item = (Option<Hop>, KubeMinor)> {
    std::iter::once((None, window.from())).chain(window.hops().map(|hop| (Some(hop), hop.to())))
}

fn of_addon(
    rule: &Rule,
    severity: Severity,
    status: Status,
    cluster: &ClusterSnapshot,
    addon: &Addon,
) -> Finding {
    let mut found = Finding::new(rule.id, severity, status).placed(&addon.at);
    found.cluster = Some(cluster.name.clone());
    found.kind = Some(addon.declared_as.to_owned());
    found.name = Some(addon.name.clone());
    found
}

/// What the matrices say of a cluster's managed add-ons, now and after each hop of a window.
///
/// kube-proxy's skew is the business of the skew policy; here only whether EKS offers it is looked at.
pub fn judge(cluster: &ClusterSnapshot, matrix: &Matrix, window: Window) -> Vec<Finding> {
    cluster.addons.iter().filter_map(|addon| judge_addon(cluster, addon, matrix, window)).collect()
}

fn judge_addon(cluster: &ClusterSnapshot, addon: &Addon, matrix: &Matrix, window: Window) -> Option<Finding> {
    let name = &addon.name;
    match &addon.version {
        Observed::Unreadable(_) => None,
        Observed::Absent => {
            let mut found = of_addon(&rules::UNDECLARED, Severity::Warn, Status::Undeclared, cluster, addon);
            found.message = format!(
                "add-on {name} declares no version: it keeps the one that it was made with when the control plane goes on"
            );
            found.remedy = "declare its version, and raise it with the hops that need it".to_owned();
            Some(found)
        }
        Observed::Known(Placed { value: AddonWish::Newest | AddonWish::Default, at }) => {
            // EKS chooses; all that can go wrong is that there is nothing to choose.
            let (hop, minor, fit) = points(window)
                .map(|(hop, minor)| (hop, minor, matrix.any(name, minor)))
                .find(|(_, _, fit)| matches!(fit, Fit::Incompatible { .. }))?;
            let Fit::Incompatible { evidence, .. } = fit else { return None };
            let mut found =
                of_addon(&rules::NONE, Severity::Block, Status::Incompatible, cluster, addon).placed(at);
            found.hop = hop.map(Hop::to);
            found.message =
                format!("EKS offers no version of add-on {name} for Kubernetes {minor} ({evidence})");
            found.remedy = NONE_REMEDY.to_owned();
            Some(found)
        }
        Observed::Known(Placed { value: AddonWish::Pinned(version), at }) => {
            pinned(cluster, addon, version, matrix, window).map(|found| found.placed(at))
        }
    }
}

const NONE_REMEDY: &str =
    "stay on the version of Kubernetes that has one, or take the add-on out of EKS's hands before the hop";

fn pinned(
    cluster: &ClusterSnapshot,
    addon: &Addon,
    version: &AddonVersion,
    matrix: &Matrix,
    window: Window,
) -> Option<Finding> {
    let name = &addon.name;
    let skew = matrix.facts(name).is_some_and(|facts| facts.follows_kubernetes);
    let mut unknown: Option<(Option<Hop>, KubeMinor, String)> = None;
    for (hop, minor) in points(window) {
        match matrix.judge(name, version, minor) {
            Fit::Compatible(_) => {}
            // The skew policy says the same, and says it better.
            Fit::Incompatible { evidence, .. } if skew && evidence.origin == crate::Origin::Table => {
                return None;
            }
            Fit::Incompatible { reason, none_exists, evidence } => {
                let rule = if none_exists { &rules::NONE } else { &rules::VERSION };
                let mut found = of_addon(rule, Severity::Block, Status::Incompatible, cluster, addon);
                found.hop = hop.map(Hop::to);
                found.url = evidence.url().map(str::to_owned);
                found.message = format!(
                    "add-on {name} {version} does not fit Kubernetes {minor} {}: {reason} ({evidence})",
                    window.when(hop)
                );
                found.remedy = remedy(matrix, name, version, hop, minor);
                return Some(found);
            }
            // A community add-on is its project's program in EKS's hands.
            Fit::Unknown { .. } if community(name, version, minor) => {}
            Fit::Unknown { reason } => {
                unknown.get_or_insert((hop, minor, reason));
            }
        }
    }
    let (hop, minor, reason) = unknown?;
    let mut found = of_addon(&rules::UNKNOWN, Severity::Unknown, Status::Unknown, cluster, addon);
    found.hop = hop.map(Hop::to);
    found.message = format!("whether add-on {name} {version} fits Kubernetes {minor} is not known: {reason}");
    found.remedy = RECORD.to_owned();
    Some(found)
}

/// Whether the project of a community add-on says that this version fits.
fn community(addon: &str, version: &AddonVersion, minor: KubeMinor) -> bool {
    let controllers = Controllers::embedded();
    let (major, line, patch) = version.core();
    controllers
        .by_addon(addon)
        .and_then(|component| controllers.judge(component, &format!("{major}.{line}.{patch}"), minor))
        .is_some_and(|(fit, _)| fit.is_compatible())
}

/// What to move an add-on to that does not fit.
fn remedy(
    matrix: &Matrix,
    addon: &str,
    version: &AddonVersion,
    hop: Option<Hop>,
    minor: KubeMinor,
) -> String {
    let to = match matrix.choose(addon, Some(version), minor, Wanted::SmallestStep) {
        Choice::MoveTo(entry) => entry.version,
        Choice::NoneExists(_) => return NONE_REMEDY.to_owned(),
        Choice::Stay | Choice::Unknown { .. } => return RECORD.to_owned(),
    };
    let steps = matrix.steps(addon, version, &to);
    let before = match hop {
        None => "now".to_owned(),
        Some(hop) if matrix.judge(addon, &to, hop.from()).is_compatible() => format!("before the hop {hop}"),
        Some(hop) => format!("with the hop {hop}"),
    };
    let must = matrix.facts(addon).is_some_and(|facts| facts.stepping == Stepping::Must);
    if must && steps.len() > 1 {
        format!("move it {before}, one minor at a time: {}", steps_shown(&steps))
    } else {
        format!("move it to {to} {before}")
    }
}

/// `v1.20.1-eksbuild.3, v1.21.1-eksbuild.7`
pub(crate) fn steps_shown(steps: &[AddonStep]) -> String {
    let shown = |step: &AddonStep| {
        step.version
            .as_ref()
            .map_or_else(|| format!("the newest v{}.{}", step.line.0, step.line.1), ToString::to_string)
    };
    steps.iter().map(shown).collect::<Vec<_>>().join(", ")
}

/// What the published ranges say of a program that EKS does not manage, over a window. `None` for a
/// program that the skew policy judges (kube-proxy, kubectl, …), and where nothing is to be said.
pub fn judge_controller(
    controller: &Controller,
    controllers: &Controllers,
    matrix: &Matrix,
    window: Window,
) -> Option<Finding> {
    let component = controller.component.as_str();
    let of = |rule: &Rule, severity: Severity, status: Status| {
        let at = controller.version.known().map_or(&controller.at, |version| &version.at);
        let mut found = Finding::new(rule.id, severity, status).placed(at);
        found.cluster.clone_from(&controller.cluster);
        found.kind = Some(controller.declared_as.clone());
        found.name.clone_from(&controller.name);
        found.namespace.clone_from(&controller.namespace);
        found
    };
    let written = match &controller.version {
        Observed::Known(version) => version.value.as_str(),
        Observed::Unreadable(_) => return None,
        Observed::Absent => {
            let mut found = of(&rules::UNDECLARED, Severity::Warn, Status::Undeclared);
            found.message = format!(
                "{component} declares no version: what runs is whatever was newest when it was installed, or is next"
            );
            found.remedy = format!("name a version that goes with Kubernetes {window}");
            return Some(found);
        }
    };
    let (subject, running) = match controller.sign {
        Sign::Image | Sign::Label => (format!("{component} {written}"), Some(written.to_owned())),
        Sign::Chart => (
            format!("chart {written} of {component}"),
            controller.chart.as_deref().and_then(|chart| controllers.chart_brings(chart, written)),
        ),
    };
    let Some(running) = running else {
        let mut found = of(&rules::CONTROLLER_UNKNOWN, Severity::Unknown, Status::Unknown);
        found.message = format!("which version of {component} chart {written} brings is not known here");
        found.remedy = format!("look whether it fits Kubernetes {window}, and suppress this with the reason");
        return Some(found);
    };
    let mut unknown: Option<(Option<Hop>, KubeMinor, String)> = None;
    for (hop, minor) in points(window) {
        let (fit, basis) = if let Some(answer) = controllers.judge(component, &running, minor) {
            answer
        } else {
            // A core add-on that runs without EKS's hands.
            matrix.facts(component)?;
            let fit = running.parse().map_or_else(
                |_| Fit::Unknown { reason: format!("`{running}` is no version of EKS's") },
                |version| matrix.judge(component, &version, minor),
            );
            (fit, Basis::Supported)
        };
        match fit {
            Fit::Compatible(_) => {}
            Fit::Incompatible { reason, evidence, .. } => {
                let severity = if basis == Basis::Required { Severity::Block } else { Severity::Warn };
                let mut found = of(&rules::CONTROLLER, severity, Status::Incompatible);
                found.hop = hop.map(Hop::to);
                found.url = evidence.url().map(str::to_owned);
                found.message = format!(
                    "{subject} does not go with Kubernetes {minor} {}: {reason} ({evidence})",
                    window.when(hop)
                );
                found.remedy = match controllers.fitting(component, minor) {
                    Some((oldest, newest)) if oldest == newest => {
                        format!("move {component} to {newest} {}", by(basis, hop))
                    }
                    Some((oldest, newest)) => {
                        format!("move {component} to a version from {oldest} to {newest} {}", by(basis, hop))
                    }
                    None => format!(
                        "no version of {component} is known to go with {minor}: ask its project, or replace it"
                    ),
                };
                return Some(found);
            }
            Fit::Unknown { reason } => {
                unknown.get_or_insert((hop, minor, reason));
            }
        }
    }
    let (hop, minor, reason) = unknown?;
    let mut found = of(&rules::CONTROLLER_UNKNOWN, Severity::Unknown, Status::Unknown);
    found.hop = hop.map(Hop::to);
    found.message = format!("whether {subject} goes with Kubernetes {minor} is not known: {reason}");
    found.remedy = "look it up at its project, and suppress this with the reason".to_owned();
    Some(found)
}

/// When to move a controller.
fn by(basis: Basis, hop: Option<Hop>) -> String {
    match hop {
        None => "now".to_owned(),
        // Meant for one minor: it can only move when that is there.
        Some(hop) if basis == Basis::Match => format!("right after the hop {hop}"),
        Some(hop) => format!("before the hop {hop}"),
    }
}

/// What a change does to add-ons that a legal step does not do: a bump that the hop needs and that is
/// missing, too large a step, a step back.
pub fn judge_change(before: &ClusterSnapshot, after: &ClusterSnapshot, matrix: &Matrix) -> Vec<Finding> {
    let mut findings = Vec::new();
    let minor =
        |cluster: &ClusterSnapshot| cluster.control_plane.known().map(|version| version.value.minor());
    let hop = minor(before).zip(minor(after)).filter(|(old, new)| old < new);
    for addon in &after.addons {
        let Observed::Known(Placed { value: AddonWish::Pinned(to), at }) = &addon.version else { continue };
        let was = before.addons.iter().find(|was| was.name == addon.name);
        let from = was.and_then(|was| match &was.version {
            Observed::Known(Placed { value: AddonWish::Pinned(from), .. }) => Some(from),
            Observed::Known(_) | Observed::Absent | Observed::Unreadable(_) => None,
        });
        let name = &addon.name;
        if let Some((_, new)) = hop {
            match matrix.judge(name, to, new) {
                Fit::Compatible(_) => {}
                Fit::Incompatible { reason, .. } => {
                    let mut found =
                        of_addon(&rules::MISSING, Severity::Block, Status::OutOfOrder, after, addon)
                            .placed(at);
                    found.hop = Some(new);
                    found.message = format!(
                        "this change takes the control plane to {new} and leaves add-on {name} at {to}, which does not fit it: {reason}"
                    );
                    found.remedy = format!(
                        "{} in a change before this one",
                        remedy(matrix, name, to, None, new).trim_end_matches(" now")
                    );
                    findings.push(found);
                }
                // That it was not known before either does not make the hop safe.
                Fit::Unknown { .. } if community(name, to, new) => {}
                Fit::Unknown { reason } => {
                    let mut found =
                        of_addon(&rules::UNKNOWN, Severity::Unknown, Status::Unknown, after, addon)
                            .placed(at);
                    found.hop = Some(new);
                    found.message = format!(
                        "this change takes the control plane to {new}, and whether add-on {name} {to} fits it is not known: {reason}"
                    );
                    found.remedy = RECORD.to_owned();
                    findings.push(found);
                }
            }
        }
        let Some(from) = from else { continue };
        if to < from {
            let mut found =
                of_addon(&rules::BACK, Severity::Warn, Status::OutOfOrder, after, addon).placed(at);
            found.message = format!("this change takes add-on {name} from {from} back to {to}");
            found.remedy =
                "leave it, unless the control plane goes back too or the newer version is at fault"
                    .to_owned();
            findings.push(found);
        }
        let steps = matrix.steps(name, from, to);
        if steps.len() > 1 {
            let must = matrix.facts(name).is_some_and(|facts| facts.stepping == Stepping::Must);
            let severity = if must { Severity::Block } else { Severity::Info };
            let mut found = of_addon(&rules::STEP, severity, Status::OutOfOrder, after, addon).placed(at);
            let word = if must { "goes" } else { "should go" };
            found.message = format!(
                "this change takes add-on {name} from {from} to {to}, over {} minors: it {word} one minor at a time",
                steps.len()
            );
            found.remedy = format!("one change each: {}", steps_shown(&steps));
            findings.push(found);
        }
    }
    findings
}

#[cfg(test)]
mod tests;
