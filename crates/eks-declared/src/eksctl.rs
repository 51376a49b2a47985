//! eksctl's `ClusterConfig`: <https://schema.eksctl.io/> (2026-08-21).

use eks_model::{Addon, AddonWish, ImageFamily, NodeGroupKind, NodeImage, Observed, Placed};

use crate::draft::{self, Draft, DraftCluster};
use crate::node::Node;

/// Reads a `ClusterConfig`.
///
/// Its node groups have no version of their own: they are made at the cluster's, so the declaration
/// as a whole says that they are at it.
pub(crate) fn read(node: &Node, draft: &mut Draft) {
    let metadata = node.get("metadata");
    let name_node = metadata.and_then(|metadata| metadata.get("name"));
    let name = name_node.and_then(Node::text).unwrap_or("?").to_owned();
    let at = draft.place(name_node.or(metadata).unwrap_or(node).at);
    let region = metadata.and_then(|m| m.get("region")).and_then(Node::text).unwrap_or_default();
    let mut cluster = draft::cluster(
        format!("{} ClusterConfig {name} {region}", at.file),
        name.clone(),
        "ClusterConfig",
        at,
    );
    let what = format!("the version of cluster \"{name}\"");
    let version = metadata.and_then(|metadata| metadata.get("version"));
    cluster.control_plane = match version.and_then(Node::text) {
        // eksctl's own words for "whatever is newest".
        Some("auto" | "latest" | "default") => Observed::Absent,
        _ => draft.version(version, &what),
    };
    cluster.support = draft.support(
        node.at_path(&["upgradePolicy", "supportType"]),
        &format!("the upgrade policy of cluster \"{name}\""),
    );
    for (key, kind, declared_as) in [
        ("managedNodeGroups", NodeGroupKind::Managed, "managedNodeGroups"),
        ("nodeGroups", NodeGroupKind::SelfManaged, "nodeGroups"),
    ] {
        for item in draft.items(node.get(key), &format!("the {key} of cluster \"{name}\"")) {
            let group_name = item.get("name").and_then(Node::text).unwrap_or("?").to_owned();
            let at = draft.place(item.get("name").unwrap_or(item).at);
            let mut group = draft::group(group_name.clone(), kind, declared_as, at);
            let what = format!("the release of node group \"{group_name}\"");
            group.kubelet = draft.release(item.get("releaseVersion"), &what);
            group.follows_control_plane = group.kubelet.is_absent();
            let own = item.get("ami").filter(|ami| {
                !ami.is_null() && !matches!(ami.text(), Some("" | "auto" | "auto-ssm" | "static"))
            });
            let own_image = own.is_some();
            group.image = match (own_image, draft.image(item.get("amiFamily"))) {
                // With an image of one's own the family only says how it is started.
                (true, Observed::Known(Placed { at, .. })) => Observed::Known(Placed {
                    value: NodeImage { family: ImageFamily::Custom, kubernetes: None },
                    at,
                }),
                (_, image) => image,
            };
            if let Some(ami) = own {
                // An image of one's own stays what it is when the control plane goes on.
                let image = draft.image(Some(ami));
                match image.known().and_then(|image| image.value.kubernetes.clone()) {
                    Some(version) => {
                        group.kubelet = Observed::Known(Placed { value: version, at: draft.place(ami.at) });
                        group.image = image;
                    }
                    None if group.kubelet.is_absent() => {
                        let why = draft::image_says_nothing(&format!("node group \"{group_name}\""), ami);
                        group.kubelet = Observed::Unreadable(draft.unreadable(why, ami.at));
                    }
                    None => {}
                }
                group.follows_control_plane = false;
            }
            cluster.node_groups.push(group);
        }
    }
    for item in draft.items(node.get("addons"), &format!("the addons of cluster \"{name}\"")) {
        let addon_name = item.get("name").and_then(Node::text).unwrap_or("?").to_owned();
        let at = draft.place(item.get("name").unwrap_or(item).at);
        let version =
            match draft.addon_version(item.get("version"), &format!("the version of add-on {addon_name}")) {
                // Without one, eksctl takes EKS's default for the cluster's version.
                Observed::Absent => Observed::Known(Placed { value: AddonWish::Default, at: at.clone() }),
                version => version,
            };
        cluster.addons.push(Addon { name: addon_name, declared_as: "addons", at, version });
    }
    let on = node.at_path(&["autoModeConfig", "enabled"]);
    if on.and_then(Node::bool) == Some(true) {
        let at = draft.place(on.unwrap_or(node).at);
        let mut group = draft::group("Auto Mode".to_owned(), NodeGroupKind::AutoMode, "autoModeConfig", at);
        group.follows_control_plane = true;
        cluster.node_groups.push(group);
    }
    if let Some(version) = node.at_path(&["karpenter", "version"]) {
        let chart = Node::new(crate::node::Value::Text("karpenter".to_owned()), version.at);
        let link = draft::Link { scope: cluster.id.clone(), name: Some(name.clone()), namespace: None };
        draft.chart_use(Some(&chart), Some(version), "ClusterConfig", Some("karpenter"), None, Some(link));
    }
    draft.clusters.push(DraftCluster {
        scope: cluster.id.clone(),
        names: vec![name],
        snapshot: cluster,
        namespace: None,
    });
}
