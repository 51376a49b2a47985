//! What files declare, judged: the rules about versions and add-ons over each cluster.

use std::path::Path;

use anyhow::Context;
use eks_addons::{Capture, Controllers, Matrix};
use eks_declared::{Declared, Tree};
use eks_model::{
    AddonWish, ClusterSnapshot, Finding, KubeMinor, Observed, Placed, Unread, UnreadKind, Unreadable, Window,
};
use jiff::civil::Date;

use crate::cli::AddonsArgs;
use crate::config::Config;

/// Files that were kept, and what they declare.
#[derive(Debug, Default)]
pub(crate) struct Read {
    pub(crate) tree: Tree,
    pub(crate) declared: Declared,
}

impl Read {
    pub(crate) fn new(kept: Vec<(String, Vec<u8>)>) -> Self {
        let mut tree = Tree::new();
        for (path, bytes) in kept {
            tree.add(path, bytes);
        }
        let declared = tree.read();
        Self { tree, declared }
    }
}

/// The matrix of add-ons: the table, with the catalogue from outside where one is given.
pub(crate) fn matrix(args: &AddonsArgs, config: &Config, directory: &Path) -> anyhow::Result<Option<Matrix>> {
    let given = args.addons.as_ref().zip(args.addons_as_of).map(|(file, day)| (directory.join(file), day));
    let Some((file, day)) = given.or_else(|| config.addons.clone()) else { return Ok(None) };
    let hint = || {
        format!(
            "the catalogue of add-ons {} cannot be used; record it with `aws eks describe-addon-versions --output json`",
            file.display()
        )
    };
    let bytes = std::fs::read(&file).with_context(hint)?;
    let capture = Capture::parse(&bytes, day).with_context(hint)?;
    Ok(Some(Matrix::embedded().with(&capture)))
}

/// The version to start from that the files declare, and what must be said about it; `None` when they
/// declare none.
pub(crate) fn start(declared: &Declared, to: KubeMinor) -> Option<(KubeMinor, String)> {
    let mut minors: Vec<KubeMinor> = declared
        .clusters
        .iter()
        .filter_map(|cluster| cluster.control_plane.known())
        .map(|version| version.value.minor())
        .collect();
    minors.sort_unstable();
    minors.dedup();
    let below: Vec<KubeMinor> = minors.iter().copied().filter(|minor| *minor <= to).collect();
    match (below.as_slice(), minors.as_slice()) {
        ([one], [_]) => Some((*one, format!("no --from given: {one}, the version that the files declare"))),
        ([lowest, ..], _) => {
            let all: Vec<String> = minors.iter().map(ToString::to_string).collect();
            Some((
                *lowest,
                format!(
                    "no --from given: {lowest}, the lowest version that the files declare ({}); each cluster is judged from its own",
                    all.join(", ")
                ),
            ))
        }
        ([], _) => None,
    }
}

/// Clusters that are beyond the end of the window already: they are judged where they are, and somebody may
/// have meant another version.
pub(crate) fn beyond(declared: &Declared, to: KubeMinor) -> Vec<String> {
    let of = |cluster: &ClusterSnapshot| {
        let version = cluster.control_plane.known().filter(|version| version.value.minor() > to)?;
        Some(format!(
            "cluster \"{}\" is declared at {} ({}:{}), beyond --to {to}: it is judged where it is",
            cluster.name,
            version.value.minor(),
            version.at.file,
            version.at.line
        ))
    };
    declared.clusters.iter().filter_map(of).collect()
}

/// What the rules say.
#[derive(Debug, Default)]
pub(crate) struct Judged {
    pub(crate) findings: Vec<Finding>,
    pub(crate) unread: Vec<Unread>,
}

/// Judges everything that is declared. `from_given`: somebody said which version is in use, so that a
/// cluster whose version is declared elsewhere is at it.
pub(crate) fn judge(read: &Read, matrix: &Matrix, window: Window, from_given: bool, today: Date) -> Judged {
    let declared = &read.declared;
    let mut judged = Judged::default();
    // Where nobody said which version is in use, only the end is judged: what is assumed proves nothing.
    let outside = if from_given { window } else { Window::end_only(window.to()) };
    for cluster in &declared.clusters {
        judged.findings.extend(eks_skew::judge(cluster, outside, today));
        judged.findings.extend(eks_addons::judge(cluster, matrix, eks_skew::window_of(cluster, outside)));
        // What is pinned beside a control plane of which nothing is known cannot be judged.
        if cluster.control_plane.is_absent() && !from_given && is_versioned(cluster) {
            let reason = if cluster.declared_elsewhere {
                format!(
                    "the cluster \"{}\" that this belongs to is not declared here: say its version with --from",
                    cluster.name
                )
            } else {
                format!(
                    "cluster \"{}\" declares no version, and what belongs to it does: declare it, or say it with --from",
                    cluster.name
                )
            };
            judged.unread.push(unread(&Unreadable { reason, at: cluster.at.clone() }));
        }
    }
    judged.findings.extend(eks_skew::judge_together(&declared.clusters));
    // What is declared for no cluster in particular is for the one there is, or for all of one version.
    let mut known = declared.clusters.iter().filter(|cluster| cluster.control_plane.known().is_some());
    let minor =
        |cluster: &ClusterSnapshot| cluster.control_plane.known().map(|version| version.value.minor());
    let only = known.next().filter(|first| known.all(|other| minor(other) == minor(first)));
    for controller in &declared.controllers {
        let cluster = controller
            .cluster
            .as_ref()
            .and_then(|id| declared.clusters.iter().find(|cluster| cluster.id == *id));
        let window = cluster.or(only).map_or(outside, |cluster| eks_skew::window_of(cluster, outside));
        let found = if eks_skew::is_component(&controller.component) {
            eks_skew::judge_component(controller, window)
        } else {
            eks_addons::judge_controller(controller, Controllers::embedded(), matrix, window)
        };
        judged.findings.extend(found.map(|mut found| {
            found.cluster = cluster.map(|cluster| cluster.name.clone());
            found
        }));
    }
    judged.unread.extend(declared.unread.iter().map(unread));
    with_excerpts(&mut judged.findings, &read.tree);
    judged
}

/// Judges a change as a step, for each cluster that is there before and after.
pub(crate) fn judge_change(before: &Read, after: &Read, matrix: &Matrix) -> Vec<Finding> {
    let mut findings = Vec::new();
    for cluster in &after.declared.clusters {
        let Some(was) = same(cluster, &before.declared.clusters, &after.declared.clusters) else { continue };
        findings.extend(eks_skew::judge_change(was, cluster));
        findings.extend(eks_addons::judge_change(was, cluster, matrix));
    }
    with_excerpts(&mut findings, &after.tree);
    findings
}

/// The same cluster as it was: the same declaration, or one that was moved and kept its name. What is still
/// where it was has not moved.
fn same<'c>(
    cluster: &ClusterSnapshot,
    before: &'c [ClusterSnapshot],
    after: &[ClusterSnapshot],
) -> Option<&'c ClusterSnapshot> {
    before.iter().find(|other| other.id == cluster.id).or_else(|| {
        let mut named = before.iter().filter(|other| {
            other.name == cluster.name
                && other.declared_as == cluster.declared_as
                && after.iter().all(|still| still.id != other.id)
        });
        named.next().filter(|_| named.next().is_none())
    })
}

/// Whether anything of a cluster has a version that only makes sense beside the control plane's.
fn is_versioned(cluster: &ClusterSnapshot) -> bool {
    cluster.node_groups.iter().any(|group| group.kubelet.known().is_some())
        || cluster.addons.iter().any(|addon| {
            matches!(&addon.version, Observed::Known(Placed { value: AddonWish::Pinned(_), .. }))
        })
}

fn unread(unreadable: &Unreadable) -> Unread {
    Unread {
        file: unreadable.at.file.clone(),
        line: Some(unreadable.at.line),
        reason: unreadable.reason.clone(),
        kind: UnreadKind::Text,
    }
}

fn with_excerpts(findings: &mut [Finding], tree: &Tree) {
    for finding in findings {
        let line = tree.line(&finding.file, finding.line);
        finding.excerpt = line.filter(|line| line.len() <= LONGEST_EXCERPT).map(str::to_owned);
    }
}

/// Longer source lines are not shown.
const LONGEST_EXCERPT: usize = 4_096;
