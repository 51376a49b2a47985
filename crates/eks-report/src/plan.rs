//! A plan of hops, as text for people, as Markdown for a pull request or a runbook, as JSON.

use std::fmt::Write as _;

use eks_model::{Change, ClusterPlan, DeclaredPlan};

use crate::markdown::{cell, code};
use crate::text::printable;
use crate::{count, pretty};

/// The plan as JSON, `eks-skew-check-plan/1`.
pub fn plan_json(plan: &DeclaredPlan) -> String {
    pretty(plan)
}

/// `1.33 → 1.34`, or what it has to be.
fn versions(change: &Change) -> String {
    let mut steps: Vec<&str> = change.from.iter().map(String::as_str).collect();
    steps.extend(change.to.iter().map(String::as_str));
    steps.join(" → ")
}

fn place(change: &Change) -> String {
    let at = format!("{}:{}", change.file, change.line);
    if change.edit { at } else { format!("{at} (no edit)") }
}

/// Rows of a part of the plan: what, which, versions, place, why.
fn rows(changes: &[Change]) -> Vec<[String; 5]> {
    changes
        .iter()
        .map(|change| {
            [
                change.kind.as_str().to_owned(),
                printable(&change.name),
                printable(&versions(change)),
                printable(&place(change)),
                printable(change.note.as_deref().unwrap_or_default()),
            ]
        })
        .collect()
}

/// The plan for people at a terminal.
pub fn plan_text(plan: &DeclaredPlan) -> String {
    let mut out = String::new();
    for cluster in &plan.clusters {
        push(&mut out, &printable(&title(cluster)));
        let mut all: Vec<(String, Vec<[String; 5]>)> = Vec::new();
        for (number, hop) in (1..).zip(&cluster.hops) {
            if !hop.before.is_empty() {
                all.push((format!("before hop {number}"), rows(&hop.before)));
            }
            all.push((
                format!("hop {number}  {} → {}", hop.from, hop.to),
                rows(std::slice::from_ref(&hop.control_plane)),
            ));
            if !hop.after.is_empty() {
                all.push((format!("after hop {number}"), rows(&hop.after)));
            }
        }
        let width = |column: usize| {
            all.iter()
                .flat_map(|(_, rows)| rows)
                .filter_map(|row| row.get(column))
                .map(|cell| cell.chars().count())
                .max()
                .unwrap_or(0)
        };
        let widths: Vec<usize> = (0..4).map(width).collect();
        for (head, rows) in &all {
            push(&mut out, &format!("  {head}"));
            for row in rows {
                let mut line = String::from("    ");
                for (cell, width) in row.iter().zip(&widths) {
                    let _infallible = write!(line, "{cell:<width$}  ");
                }
                line.push_str(row.last().map_or("", String::as_str));
                push(&mut out, line.trim_end());
            }
        }
        for open in &cluster.open {
            push(&mut out, &format!("  open: {}", printable(open)));
        }
        out.push('\n');
    }
    for unread in &plan.unread {
        push(&mut out, &format!("not read: {}", printable(unread)));
    }
    for note in &plan.notes {
        push(&mut out, &format!("note: {}", printable(note)));
    }
    push(&mut out, &summary(plan));
    out
}

fn title(cluster: &ClusterPlan) -> String {
    let ClusterPlan { name, file, line, from, to, .. } = cluster;
    if cluster.hops.is_empty() {
        format!("{name} ({file}:{line})  {from}: there is no hop to {to}")
    } else {
        let hops = count(cluster.hops.len() as u64, "hop", "hops");
        format!("{name} ({file}:{line})  {from} → {to}, {hops}")
    }
}

fn summary(plan: &DeclaredPlan) -> String {
    let clusters = count(plan.clusters.len() as u64, "cluster", "clusters");
    let edits = plan
        .clusters
        .iter()
        .flat_map(|cluster| &cluster.hops)
        .flat_map(|hop| hop.before.iter().chain(std::iter::once(&hop.control_plane)).chain(&hop.after))
        .filter(|change| change.edit)
        .count();
    let open = plan.unread.len() + plan.clusters.iter().map(|cluster| cluster.open.len()).sum::<usize>();
    let word = if plan.is_open() { "incomplete" } else { "planned" };
    let mut parts = vec![clusters, count(edits as u64, "edit", "edits")];
    if open > 0 {
        parts.push(format!("{open} open"));
    }
    format!("{word}  {}, to {}, nodes {}", parts.join(", "), plan.to, plan.nodes)
}

/// The plan as Markdown: a list to tick off.
pub fn plan_markdown(plan: &DeclaredPlan) -> String {
    let mut out = String::new();
    for cluster in &plan.clusters {
        push(&mut out, &format!("### {}", cell(&title(cluster))));
        out.push('\n');
        for (number, hop) in (1..).zip(&cluster.hops) {
            push(&mut out, &format!("**Hop {number}: {} → {}**", hop.from, hop.to));
            out.push('\n');
            let changes = hop.before.iter().chain(std::iter::once(&hop.control_plane)).chain(&hop.after);
            for change in changes {
                let note = change.note.as_ref().map_or_else(String::new, |note| format!(": {}", cell(note)));
                let no_edit = if change.edit { "" } else { " (no edit)" };
                push(
                    &mut out,
                    &format!(
                        "- [ ] {} {} {} in {}{no_edit}{note}",
                        change.kind.as_str(),
                        code(&change.name),
                        cell(&versions(change)),
                        code(&format!("{}:{}", change.file, change.line)),
                    ),
                );
            }
            out.push('\n');
        }
        for open in &cluster.open {
            push(&mut out, &format!("- open: {}", cell(open)));
        }
        if !cluster.open.is_empty() {
            out.push('\n');
        }
    }
    for unread in &plan.unread {
        push(&mut out, &format!("- not read: {}", cell(unread)));
    }
    for note in &plan.notes {
        push(&mut out, &format!("- note: {}", cell(note)));
    }
    if !plan.unread.is_empty() || !plan.notes.is_empty() {
        out.push('\n');
    }
    push(&mut out, &cell(&summary(plan)));
    out
}

fn push(out: &mut String, line: &str) {
    out.push_str(line);
    out.push('\n');
}
