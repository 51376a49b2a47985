//! A tree of files, and what they declare together.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use eks_model::{ClusterSnapshot, Controller, Observed, Unreadable};

use crate::cloudformation;
use crate::draft::{self, Draft, Link};
use crate::kubernetes::{self, Object};
use crate::node::{At, Node, Value};
use crate::terraform;

/// Files that may declare something, to be read together.
#[derive(Debug, Default)]
pub struct Tree {
    files: BTreeMap<String, Vec<u8>>,
    /// Where the lines of a file start, once one was asked for.
    lines: BTreeMap<String, OnceLock<Vec<usize>>>,
}

/// What files declare.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Declared {
    /// The clusters, sorted by [`ClusterSnapshot::id`].
    pub clusters: Vec<ClusterSnapshot>,
    /// Controllers that EKS does not manage, in the order of the files.
    pub controllers: Vec<Controller>,
    /// What could not be read, parts of the clusters and controllers included.
    pub unread: Vec<Unreadable>,
    /// Comments to this program in files of Terraform; those of YAML are the scanner's business.
    pub comments: Vec<Comment>,
    /// Files of Terraform that could not be read, in folders where nothing speaks of EKS.
    pub passed_over: Vec<Unreadable>,
}

/// A comment to this program: `# eks-skew-check: ignore SKEW003 reason=…`. Its document is the top-level block
/// that it stands in or above.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Comment {
    /// The file.
    pub file: String,
    /// The comment.
    pub pragma: eks_deprecations::Pragma,
}

impl Tree {
    /// A tree without files.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a file. Its path is how it is shown, and decides which files belong together: parts are
    /// separated by `/`, and relative ones start at one common folder.
    pub fn add(&mut self, path: impl Into<String>, bytes: impl Into<Vec<u8>>) {
        let path: String = path.into();
        let path = path.strip_prefix("./").map_or(path.clone(), str::to_owned);
        self.lines.insert(path.clone(), OnceLock::new());
        self.files.insert(path, bytes.into());
    }

    /// A line of a file, without its line break, where it is text.
    pub fn line(&self, path: &str, line: u32) -> Option<&str> {
        let bytes = self.files.get(path)?;
        let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
        let index = usize::try_from(line).ok()?.checked_sub(1)?;
        let starts = self.lines.get(path)?.get_or_init(|| {
            std::iter::once(0).chain(memchr::memchr_iter(b'\n', bytes).map(|at| at + 1)).collect()
        });
        let end = starts.get(index + 1).map_or(bytes.len(), |next| next - 1);
        let line = bytes.get(*starts.get(index)?..end)?;
        std::str::from_utf8(line).ok().map(|line| line.trim_end_matches('\r'))
    }

    /// The files, by path.
    pub fn files(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.files.iter().map(|(path, bytes)| (path.as_str(), bytes.as_slice()))
    }

    /// How many files it has.
    pub fn len(&self) -> usize {
        self.files.len()
    }

    /// Whether it has no file.
    pub fn is_empty(&self) -> bool {
        self.files.is_empty()
    }

    /// Reads all files.
    ///
    /// Never fails: what cannot be read is part of the answer.
    pub fn read(&self) -> Declared {
        let mut draft = Draft { files: self.files.keys().cloned().collect(), ..Draft::default() };
        let mut terraform_files = Vec::new();
        for (number, (path, bytes)) in (0_u32..).zip(&self.files) {
            let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
            let Ok(text) = std::str::from_utf8(bytes) else {
                let at = At { file: number, line: 1, column: 1, width: 1, document: 0 };
                draft.not_read("it is not UTF-8 text; convert it to UTF-8", at);
                continue;
            };
            let (folder, name) = terraform::split(path);
            if terraform::is_terraform(name) {
                terraform_files.push(terraform::File { number, path, text });
            } else if text.trim_start().starts_with(['{', '[']) {
                read_json(text, number, folder, &mut draft);
            } else {
                read_yaml(text, number, folder, name, &mut draft);
            }
        }
        terraform::read(&terraform::relevant(terraform_files), self, &mut draft);
        joined(draft)
    }
}

impl terraform::Files for Tree {
    fn file(&self, path: &str) -> Option<(u32, &str)> {
        let text = std::str::from_utf8(self.files.get(path)?).ok()?;
        let number = self.files.range(..path.to_owned()).count();
        Some((u32::try_from(number).ok()?, text.strip_prefix('\u{FEFF}').unwrap_or(text)))
    }
}

fn read_json(text: &str, file: u32, folder: &str, draft: &mut Draft) {
    match crate::json::document(text, file) {
        Ok(root) => read_document(&root, folder, "", draft),
        // Several values, or YAML's flow style.
        Err(refused) => {
            for document in eks_deprecations::documents(text) {
                match crate::yaml::document(document.text, document.first_line, file, document.index) {
                    Ok(Some(root)) => read_document(&root, folder, "", draft),
                    Ok(None) => {}
                    Err(_) => {
                        if let Some(what) = declares(text) {
                            let at = At { file, line: refused.line, column: 1, width: 1, document: 0 };
                            draft.not_read(
                                format!("it declares {what} and cannot be parsed: {}", refused.reason),
                                at,
                            );
                        }
                        return;
                    }
                }
            }
        }
    }
}

fn read_yaml(text: &str, file: u32, folder: &str, name: &str, draft: &mut Draft) {
    // A chart and a kustomization say nothing of what they are.
    let always = crate::by_name(name).is_some();
    for document in eks_deprecations::documents(text) {
        if !always && !crate::sniff::may_matter(document.text) {
            continue;
        }
        match crate::yaml::document(document.text, document.first_line, file, document.index) {
            Ok(Some(root)) => read_document(&root, folder, name, draft),
            Ok(None) => {}
            Err(refused) => {
                // A broken document of another kind is no business of this reader.
                let at = At { file, line: refused.line, column: 1, width: 1, document: document.index };
                if let Some(what) = declares(document.text) {
                    draft
                        .not_read(format!("it declares {what} and cannot be parsed: {}", refused.reason), at);
                } else if refused.reason == crate::yaml::TOO_LARGE {
                    draft.not_read(refused.reason, at);
                }
            }
        }
    }
}

/// What a text seems to declare, for one that cannot be parsed.
fn declares(text: &str) -> Option<&'static str> {
    [
        ("eksctl.io/", "a ClusterConfig"),
        ("AWS::EKS::", "EKS resources"),
        ("eks.services.k8s.aws", "EKS resources"),
        ("eks.aws.", "EKS resources"),
        ("AWSManagedControlPlane", "a control plane"),
        ("\nkind: EC2NodeClass", "nodes"),
        ("\nkind: AWSNodeTemplate", "nodes"),
    ]
    .iter()
    .find(|(mark, _)| text.contains(mark))
    .map(|(_, what)| *what)
}

fn read_document(root: &Node, folder: &str, name: &str, draft: &mut Draft) {
    if terraform::plan::is_plan(root) {
        terraform::plan::read(root, draft);
    } else if cloudformation::is_template(root) {
        cloudformation::read(root, draft);
    } else if name.eq_ignore_ascii_case("Chart.yaml") {
        kubernetes::chart_yaml(root, draft);
    } else if name.starts_with("kustomization.") || name == "Kustomization" {
        kubernetes::kustomization(root, draft);
    } else {
        read_object(root, folder, draft);
    }
}

fn read_object(node: &Node, folder: &str, draft: &mut Draft) {
    if let Value::List(items) = &node.value {
        for item in items.iter() {
            read_object(item, folder, draft);
        }
        return;
    }
    let Some(object) = Object::new(node, folder) else { return };
    if object.kind == "List" && object.group.is_empty() {
        for item in node.get("items").map(Node::items).unwrap_or_default() {
            read_object(item, folder, draft);
        }
    } else if kubernetes::concerns(object.group, object.kind) {
        kubernetes::read(&object, draft);
    } else if is_workload(object.kind) {
        kubernetes::workload(&object, draft);
    }
}

/// Whether an object of this kind runs images.
pub(crate) fn is_workload(kind: &str) -> bool {
    matches!(
        kind,
        "Deployment"
            | "DaemonSet"
            | "StatefulSet"
            | "ReplicaSet"
            | "ReplicationController"
            | "Pod"
            | "Job"
            | "CronJob"
    )
}

/// Gives every piece to its cluster.
fn joined(mut draft: Draft) -> Declared {
    draft.join_charts();
    draft.clusters.sort_by(|a, b| a.snapshot.id.cmp(&b.snapshot.id));
    for draft::Alias { control_plane, name } in std::mem::take(&mut draft.aliases) {
        let fits = |cluster: &&mut draft::DraftCluster| {
            cluster.scope == control_plane.scope
                && cluster.namespace == control_plane.namespace
                && control_plane.name.as_ref().is_some_and(|named| cluster.names.contains(named))
        };
        if let Some(cluster) = draft.clusters.iter_mut().find(fits)
            && !cluster.names.contains(&name)
        {
            cluster.names.push(name);
        }
    }
    let groups = merged_pools(std::mem::take(&mut draft.groups));
    for (link, group) in groups {
        let at = group.at.clone();
        let cluster = find(&mut draft, &link, &at);
        cluster.node_groups.push(group);
    }
    for (link, addon) in std::mem::take(&mut draft.addons) {
        let at = addon.at.clone();
        let cluster = find(&mut draft, &link, &at);
        cluster.addons.push(addon);
    }
    let mut controllers = Vec::new();
    for (link, mut controller) in std::mem::take(&mut draft.controllers) {
        controller.cluster = link.and_then(|link| {
            let mut of_scope = draft.clusters.iter().filter(|cluster| cluster.scope == link.scope);
            match (of_scope.next(), of_scope.next()) {
                (Some(one), None) => Some(one.snapshot.id.clone()),
                _ => None,
            }
        });
        controllers.push(controller);
    }
    let scopes: BTreeMap<String, String> =
        draft.clusters.iter().map(|cluster| (cluster.snapshot.id.clone(), cluster.scope.clone())).collect();
    let mut declared = Declared {
        clusters: draft.clusters.into_iter().map(|cluster| cluster.snapshot).collect(),
        controllers,
        unread: draft.unread,
        comments: draft.comments,
        passed_over: draft.passed_over,
    };
    for cluster in &mut declared.clusters {
        let control_plane = cluster.control_plane.known().cloned();
        for group in &mut cluster.node_groups {
            // The very value of the control plane: whoever edits the one edits the other.
            let own = group.kubelet.known();
            if own.is_some() && own == control_plane.as_ref() {
                group.kubelet = Observed::Absent;
                group.follows_control_plane = true;
                if let Observed::Known(image) = &mut group.image {
                    image.value.kubernetes = None;
                }
            }
        }
        cluster.node_groups.sort_by(|a, b| (&a.at, &a.name).cmp(&(&b.at, &b.name)));
        cluster.addons.sort_by(|a, b| (&a.at, &a.name).cmp(&(&b.at, &b.name)));
    }
    declared.clusters.sort_by(|a, b| a.id.cmp(&b.id));
    tell_apart(&mut declared.clusters, &scopes);
    declared.unread.extend(declared.clusters.iter().flat_map(ClusterSnapshot::unreadable).cloned());
    declared.unread.extend(declared.controllers.iter().filter_map(|controller| match &controller.version {
        Observed::Unreadable(why) => Some(why.clone()),
        Observed::Known(_) | Observed::Absent => None,
    }));
    declared.unread.sort_by(|a, b| (&a.at, &a.reason).cmp(&(&b.at, &b.reason)));
    declared.unread.dedup();
    declared
}

/// Clusters of one name are called by where they are declared too.
fn tell_apart(clusters: &mut [ClusterSnapshot], scopes: &BTreeMap<String, String>) {
    let mut counts: BTreeMap<String, u32> = BTreeMap::new();
    for cluster in clusters.iter() {
        *counts.entry(cluster.name.clone()).or_default() += 1;
    }
    for cluster in clusters {
        if counts.get(&cluster.name).is_some_and(|&count| count > 1)
            && let Some(scope) = scopes.get(&cluster.id).filter(|scope| !scope.is_empty())
        {
            cluster.name = format!("{} ({})", cluster.name, scope.trim_start_matches("., "));
        }
    }
}

/// Cluster API says of one pool in two objects of the same name: the version in one, the image in the other.
fn merged_pools(groups: Vec<(Link, eks_model::NodeGroup)>) -> Vec<(Link, eks_model::NodeGroup)> {
    let (pools, mut rest): (Vec<_>, Vec<_>) =
        groups.into_iter().partition(|(_, group)| group.declared_as == "AWSManagedMachinePool");
    for (link, pool) in pools {
        let fits = |other: &Link, group: &eks_model::NodeGroup| {
            group.declared_as == "MachinePool" && group.name == pool.name && other.scope == link.scope
        };
        // In its own file first: environments beside each other use the same names.
        let index = rest
            .iter()
            .position(|(other, group)| fits(other, group) && group.at.file == pool.at.file)
            .or_else(|| rest.iter().position(|(other, group)| fits(other, group)));
        match index.and_then(|index| rest.get_mut(index)) {
            Some((_, group)) => {
                group.image = pool.image;
                if group.kubelet.is_absent() {
                    group.kubelet = pool.kubelet;
                }
            }
            None => rest.push((link, pool)),
        }
    }
    rest
}

/// The cluster that a piece belongs to; one that is declared elsewhere where it is none of these.
fn find<'d>(draft: &'d mut Draft, link: &Link, at: &eks_model::Place) -> &'d mut ClusterSnapshot {
    let here = |cluster: &draft::DraftCluster| !cluster.snapshot.declared_elsewhere;
    let named = |cluster: &draft::DraftCluster| {
        here(cluster) && link.name.as_ref().is_some_and(|name| cluster.names.contains(name))
    };
    let in_scope = |cluster: &draft::DraftCluster| here(cluster) && cluster.scope == link.scope;
    let in_file = |cluster: &draft::DraftCluster| here(cluster) && cluster.snapshot.at.file == at.file;
    let of = |wanted: &dyn Fn(&draft::DraftCluster) -> bool| -> Vec<usize> {
        draft.clusters.iter().enumerate().filter(|(_, cluster)| wanted(cluster)).map(|(n, _)| n).collect()
    };
    let only = |wanted: &dyn Fn(&draft::DraftCluster) -> bool| match of(wanted).as_slice() {
        [one] => Some(*one),
        _ => None,
    };
    let same_namespace = |cluster: &draft::DraftCluster| cluster.namespace == link.namespace;
    let found = if link.name.is_some() {
        // By name: in its own file, in its own namespace, in its folder or root, anywhere.
        of(&|cluster| named(cluster) && in_file(cluster) && in_scope(cluster))
            .first()
            .copied()
            .or_else(|| only(&|cluster| named(cluster) && in_scope(cluster) && same_namespace(cluster)))
            .or_else(|| of(&|cluster| named(cluster) && in_scope(cluster)).first().copied())
            .or_else(|| only(&named))
    } else {
        // Without a name: the only one of its folder or root, of its file, of the nearest folder that has any.
        only(&in_scope).or_else(|| only(&in_file)).or_else(|| {
            let mut folder = at.file.rsplit_once('/').map_or("", |(folder, _)| folder);
            loop {
                let inside = of(&|cluster| {
                    let file = &cluster.snapshot.at.file;
                    let below = file.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/'));
                    here(cluster) && (folder.is_empty() || below)
                });
                match inside.as_slice() {
                    [] if !folder.is_empty() => {
                        folder = folder.rsplit_once('/').map_or("", |(folder, _)| folder);
                    }
                    [one] => break Some(*one),
                    _ => break None,
                }
            }
        })
    };
    let index = found.unwrap_or_else(|| {
        let name = link.name.clone().unwrap_or_else(|| "(not known)".to_owned());
        let id = format!("{} (elsewhere) {name}", link.scope);
        if let Some(index) = draft.clusters.iter().position(|cluster| cluster.snapshot.id == id) {
            index
        } else {
            let mut cluster = draft::cluster(id, name.clone(), "cluster declared elsewhere", at.clone());
            cluster.declared_elsewhere = true;
            draft.clusters.push(draft::DraftCluster {
                snapshot: cluster,
                scope: link.scope.clone(),
                names: vec![name],
                namespace: link.namespace.clone(),
            });
            draft.clusters.len() - 1
        }
    });
    match draft.clusters.get_mut(index) {
        Some(cluster) => &mut cluster.snapshot,
        // The index was just found, or pushed.
        None => unreachable!("a cluster that was just found is gone"),
    }
}
