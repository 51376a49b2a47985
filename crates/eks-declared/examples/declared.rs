//! Prints what files declare: `cargo run --package eks-declared --example declared FILES…`
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "an example for people")]

use eks_declared::Tree;
use eks_model::Observed;

fn main() {
    let mut tree = Tree::new();
    for path in std::env::args().skip(1) {
        match std::fs::read(&path) {
            Ok(bytes) => tree.add(path, bytes),
            Err(error) => eprintln!("{path} cannot be read: {error}"),
        }
    }
    let declared = tree.read();
    for cluster in &declared.clusters {
        let version = shown(&cluster.control_plane, |version| version.value.to_string());
        let place = &cluster.at;
        println!("{} \"{}\" {version}  {}:{}", cluster.declared_as, cluster.name, place.file, place.line);
        for group in &cluster.node_groups {
            let follows = if group.follows_control_plane { " (as the control plane)" } else { "" };
            let version = shown(&group.kubelet, |version| version.value.to_string());
            let image = shown(&group.image, |image| image.value.family.as_str().to_owned());
            println!("  {} \"{}\" {version}{follows}, {image}", group.kind.as_str(), group.name);
        }
        for addon in &cluster.addons {
            println!(
                "  add-on {} {}",
                addon.name,
                shown(&addon.version, |version| format!("{:?}", version.value))
            );
        }
    }
    for controller in &declared.controllers {
        let version = shown(&controller.version, |version| version.value.clone());
        println!(
            "controller {} {version}  {}:{}",
            controller.component, controller.at.file, controller.at.line
        );
    }
    for unread in &declared.unread {
        println!("not read: {}:{}: {}", unread.at.file, unread.at.line, unread.reason);
    }
}

fn shown<T>(observed: &Observed<T>, known: impl Fn(&T) -> String) -> String {
    match observed {
        Observed::Known(value) => known(value),
        Observed::Absent => "-".to_owned(),
        Observed::Unreadable(_) => "?".to_owned(),
    }
}
