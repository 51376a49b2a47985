//! Each source format, from small trees written for the purpose: what is declared, and where.

mod bad;
mod cloudformation;
mod controllers;
mod eksctl;
mod instances;
mod kubernetes;
mod limits;
mod plan;
mod registry;
mod terraform;
mod values;

use eks_declared::{Declared, Tree};
use eks_model::{AddonWish, Observed, Place, Placed};

/// Reads files.
fn read(files: &[(&str, &str)]) -> Declared {
    let mut tree = Tree::new();
    for (path, text) in files {
        tree.add(*path, *text);
    }
    tree.read()
}

/// Checks what files declare, a line for each thing: `what name value @file:line:column`.
#[track_caller]
fn check(files: &[(&str, &str)], expected: &[&str]) {
    let shown = lines(&read(files));
    assert_eq!(shown, expected, "\n{}", shown.join("\n"));
}

fn at(place: &Place) -> String {
    format!("@{}:{}:{}", place.file, place.line, place.column)
}

fn value<T>(observed: &Observed<Placed<T>>, known: impl Fn(&T) -> String) -> String {
    match observed {
        Observed::Known(Placed { value, at: place }) => format!("{} {}", known(value), at(place)),
        Observed::Absent => "-".to_owned(),
        Observed::Unreadable(_) => "?".to_owned(),
    }
}

fn lines(declared: &Declared) -> Vec<String> {
    let mut lines = Vec::new();
    for cluster in &declared.clusters {
        let elsewhere = if cluster.declared_elsewhere { " elsewhere" } else { "" };
        let version = value(&cluster.control_plane, ToString::to_string);
        lines.push(format!("cluster{elsewhere} {} {version}", cluster.name));
        if !cluster.support.is_absent() {
            lines.push(format!("  support {}", value(&cluster.support, |s| s.as_str().to_owned())));
        }
        for group in &cluster.node_groups {
            let follows = if group.follows_control_plane { " follows" } else { "" };
            let version = value(&group.kubelet, ToString::to_string);
            let image = value(&group.image, |image| image.family.as_str().to_owned());
            lines.push(format!("  {} {} {version}{follows}, {image}", group.kind.as_str(), group.name));
        }
        for addon in &cluster.addons {
            let version = value(&addon.version, |wish| match wish {
                AddonWish::Pinned(version) => version.to_string(),
                AddonWish::Newest => "newest".to_owned(),
                AddonWish::Default => "default".to_owned(),
            });
            lines.push(format!("  add-on {} {version}", addon.name));
        }
    }
    for controller in &declared.controllers {
        let version = value(&controller.version, Clone::clone);
        let name = controller.name.as_deref().unwrap_or("-");
        lines.push(format!(
            "controller {} {version} by {} {name}",
            controller.component, controller.declared_as
        ));
    }
    for unread in &declared.unread {
        lines.push(format!("not read {}: {}", at(&unread.at), unread.reason));
    }
    lines
}
