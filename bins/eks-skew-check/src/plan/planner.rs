//! The way of one cluster: the steps of the skew policy, and what add-ons and controllers need around them.

use anyhow::Context;
use eks_addons::{Basis, Choice, Controllers, Fit, Matrix, Stepping, Wanted, When};
use eks_model::{
    Addon, AddonVersion, AddonWish, Change, ChangeKind, ClusterPlan, ClusterSnapshot, Controller, Finding,
    Hop, HopPlan, KubeMinor, NodeGroupKind, Observed, Placed, Severity, Sign, Window,
};
use eks_skew::{GroupVersion, Policy, Step, Versions};
use jiff::civil::Date;

/// How the nodes of a group are replaced.
fn how(kind: NodeGroupKind, edit: bool) -> &'static str {
    match kind {
        NodeGroupKind::Managed if edit => "EKS replaces its nodes",
        NodeGroupKind::Managed => "follows the control plane when it is applied; EKS replaces its nodes",
        NodeGroupKind::SelfManaged if edit => "self-managed: its nodes are replaced by whoever owns it",
        NodeGroupKind::SelfManaged => {
            "follows the control plane when it is applied; self-managed: its nodes are replaced by whoever owns it"
        }
        NodeGroupKind::Karpenter => "Karpenter drifts its nodes; wait for the end of it",
        NodeGroupKind::AutoMode => "EKS drifts them after the control plane; wait for the end of it",
        NodeGroupKind::Fargate => "restart its Pods",
    }
}

/// A managed and a self-managed group may have one name: a group is known by where it stands.
fn key(index: usize) -> String {
    format!("{index:05}")
}

/// What makes the plan of one cluster.
pub(super) struct Planner<'a> {
    pub(super) cluster: &'a ClusterSnapshot,
    /// What is found about the APIs of manifests, over the window of this cluster.
    pub(super) apis: &'a [Finding],
    pub(super) controllers: Vec<&'a Controller>,
    pub(super) matrix: &'a Matrix,
    pub(super) policy: Policy,
    pub(super) wanted: Wanted,
    pub(super) today: Date,
}

impl Planner<'_> {
    pub(super) fn plan(&self, from: Option<KubeMinor>, window: Window) -> anyhow::Result<ClusterPlan> {
        let cluster = self.cluster;
        let start = from.unwrap_or_else(|| window.from());
        let mut plan = ClusterPlan {
            name: cluster.name.clone(),
            declared_as: cluster.declared_as.to_owned(),
            file: cluster.at.file.clone(),
            line: cluster.at.line,
            from: start,
            to: window.to(),
            hops: Vec::new(),
            open: Vec::new(),
        };
        if from.is_none() {
            plan.open.push(format!(
                "the version of cluster \"{}\" is not declared here: say it with --from",
                cluster.name
            ));
            return Ok(plan);
        }
        let window = Window::new(start, window.to().max(start)).context("--from and --to")?;
        self.already(window, &mut plan.open);
        if start >= plan.to {
            return Ok(plan);
        }
        let versions = self.versions(start, &mut plan.open);
        let steps = eks_skew::plan(&versions, window.to(), self.policy).context("--from and --to")?.steps;
        let mut hops: Vec<HopPlan> = window.hops().map(|hop| self.empty(hop)).collect();
        let mut next = 0;
        // What kube-proxy was moved to last.
        let mut kube_proxy: Option<String> = None;
        for step in &steps {
            match step {
                Step::ControlPlane { .. } => next += 1,
                Step::Nodes { group, from, to } => {
                    let change = self.nodes(group, *from, *to);
                    self.put(&mut hops, next, change);
                }
                Step::KubeProxy { from, to } => {
                    let change = self.kube_proxy(*from, *to, kube_proxy.take(), &mut plan.open);
                    kube_proxy = change.to.last().cloned();
                    self.put(&mut hops, next, change);
                }
            }
        }
        self.images(window, &mut hops);
        for addon in &cluster.addons {
            self.addon(addon, &mut hops, &mut plan.open);
        }
        for controller in &self.controllers {
            Self::controller(controller, window, &mut hops, &mut plan.open);
        }
        self.apis(&mut hops);
        for hop in &mut hops {
            self.sort(&mut hop.before);
            self.sort(&mut hop.after);
        }
        plan.hops = hops;
        Ok(plan)
    }

    /// What is wrong before the first hop, and hops that nobody is known to offer.
    fn already(&self, window: Window, open: &mut Vec<String>) {
        let judged = eks_skew::judge(self.cluster, window, self.today).into_iter().chain(eks_addons::judge(
            self.cluster,
            self.matrix,
            window,
        ));
        for found in judged {
            let place = format!("{}; {} ({}:{})", found.message, found.remedy, found.file, found.line);
            match found.severity {
                Severity::Unknown if found.id == "CAL003" => open.push(place),
                // The image of a group that is rolled is changed on the way.
                Severity::Block
                    if found.id == eks_skew::rules::IMAGE.id && window.hops().next().is_some() => {}
                Severity::Block if found.hop.is_none() && !found.id.starts_with("CAL") => {
                    open.push(format!("already now: {place}"));
                }
                Severity::Block | Severity::Warn | Severity::Info | Severity::Unknown => {}
            }
        }
    }

    fn empty(&self, hop: Hop) -> HopPlan {
        let at = self.cluster.control_plane.known().map_or(&self.cluster.at, |version| &version.at);
        let mut control_plane = Change::new(ChangeKind::ControlPlane, self.cluster.name.clone(), at);
        control_plane.from = Some(hop.from().to_string());
        control_plane.to = vec![hop.to().to_string()];
        control_plane.edit = self.cluster.control_plane.known().is_some();
        HopPlan { from: hop.from(), to: hop.to(), before: Vec::new(), control_plane, after: Vec::new() }
    }

    /// Add-ons before nodes, each in its own order; the rest as it came.
    fn sort(&self, changes: &mut [Change]) {
        let order = |change: &Change| match change.kind {
            ChangeKind::Addon => (0, self.matrix.facts(&change.name).map_or(u32::MAX, |facts| facts.order)),
            ChangeKind::Controller => (1, 0),
            ChangeKind::Api => (2, 0),
            ChangeKind::NodeImage => (3, 0),
            ChangeKind::Nodes => (4, 0),
            ChangeKind::ControlPlane => (5, 0),
        };
        changes.sort_by_key(order);
    }

    fn versions(&self, start: KubeMinor, open: &mut Vec<String>) -> Versions {
        let mut groups = Vec::new();
        for (index, group) in self.cluster.node_groups.iter().enumerate() {
            match &group.kubelet {
                Observed::Known(version) => {
                    groups.push(GroupVersion { name: key(index), kubelet: version.value.minor() });
                }
                Observed::Absent if group.follows_control_plane => {
                    groups.push(GroupVersion { name: key(index), kubelet: start });
                }
                Observed::Absent => open.push(format!(
                    "{} \"{}\" declares no version: look what its nodes have, and roll them before they are out of skew",
                    group.kind.as_str(),
                    group.name
                )),
                // It is among what was not read.
                Observed::Unreadable(_) => {}
            }
        }
        let kube_proxy = self.cluster.addons.iter().find(|addon| addon.name == "kube-proxy").and_then(
            |addon| match &addon.version {
                Observed::Known(Placed { value: AddonWish::Pinned(version), .. }) => {
                    let (major, minor) = version.line();
                    format!("{major}.{minor}").parse().ok()
                }
                Observed::Known(_) | Observed::Absent | Observed::Unreadable(_) => None,
            },
        );
        Versions { control_plane: start, kube_proxy, groups }
    }

    fn nodes(&self, keyed: &str, from: KubeMinor, to: KubeMinor) -> Change {
        let mut groups = self.cluster.node_groups.iter().enumerate();
        let group = groups.find(|(index, _)| key(*index) == keyed).map(|(_, group)| group);
        let name = group.map_or(keyed, |group| &group.name);
        let at = group.and_then(|group| group.kubelet.known().map(|version| &version.at).or(Some(&group.at)));
        let mut change = Change::new(ChangeKind::Nodes, name, at.unwrap_or(&self.cluster.at));
        change.from = Some(from.to_string());
        change.to = vec![to.to_string()];
        if let Some(group) = group {
            change.edit = group.kubelet.known().is_some();
            let how = match (group.declared_as, group.kind) {
                ("managedNodeGroups", _) => {
                    "made at the version of the control plane: eksctl upgrade nodegroup"
                }
                ("nodeGroups", _) => "made at the version of the control plane: replace the group",
                (_, kind) => self::how(kind, change.edit),
            };
            change.note = Some(how.to_owned());
        }
        change
    }

    fn kube_proxy(
        &self,
        from: KubeMinor,
        to: KubeMinor,
        moved_to: Option<String>,
        open: &mut Vec<String>,
    ) -> Change {
        let addon = self.cluster.addons.iter().find(|addon| addon.name == "kube-proxy");
        let (at, in_use) = match addon.map(|addon| (&addon.version, &addon.at)) {
            Some((Observed::Known(Placed { value: AddonWish::Pinned(version), at }), _)) => {
                (at, Some(version))
            }
            Some((_, at)) => (at, None),
            None => (&self.cluster.at, None),
        };
        let mut change = Change::new(ChangeKind::Addon, "kube-proxy", at);
        // Only the first move starts from what is written.
        let written = in_use.map_or_else(|| format!("v{from}"), ToString::to_string);
        change.from = Some(moved_to.unwrap_or(written));
        let newest = self
            .matrix
            .versions("kube-proxy", to)
            .iter()
            .rev()
            .find(|entry| entry.version.line().1 == u64::from(to.minor()));
        if let Some(entry) = newest {
            change.to = vec![entry.version.to_string()];
        } else {
            change.to = vec![format!("v{to}…")];
            open.push(format!("which version of kube-proxy EKS offers for {to} is not known here: record it (aws eks describe-addon-versions) and hand it in with --addons"));
        }
        change.note = Some("never above the control plane".to_owned());
        change
    }

    /// Families of images that have none for a minor that the nodes get.
    fn images(&self, window: Window, hops: &mut [HopPlan]) {
        for group in &self.cluster.node_groups {
            let Some(image) = group.image.known() else { continue };
            let Some(end) = eks_skew::image_end(image.value.family) else { continue };
            // Before the first roll to a minor without an image.
            let index = hops.iter().position(|hop| {
                hop.before.iter().chain(&hop.after).any(|change| {
                    change.kind == ChangeKind::Nodes
                        && change.name == group.name
                        && change.to.iter().any(|to| to.parse::<KubeMinor>().is_ok_and(|to| to > end.last))
                })
            });
            let beyond = window.from() > end.last;
            let Some(index) = index.or(beyond.then_some(0)) else { continue };
            let mut change = Change::new(ChangeKind::NodeImage, group.name.clone(), &image.at);
            change.from = Some(image.value.family.as_str().to_owned());
            change.to = vec!["Amazon Linux 2023 or Bottlerocket".to_owned()];
            change.note = Some(format!("no image of it for Kubernetes above {}", end.last));
            if let Some(hop) = hops.get_mut(index) {
                hop.before.push(change);
            }
        }
    }

    fn addon(&self, addon: &Addon, hops: &mut [HopPlan], open: &mut Vec<String>) {
        let name = &addon.name;
        if name == "kube-proxy" {
            return;
        }
        let Observed::Known(Placed { value: AddonWish::Pinned(version), at }) = &addon.version else {
            if addon.version.is_absent() {
                open.push(format!(
                    "add-on {name} declares no version: look which it has, and whether that fits"
                ));
            }
            return;
        };
        let mut in_use = version.clone();
        for hop in hops {
            let (from, to) = (hop.from, hop.to);
            match self.matrix.judge(name, &in_use, to) {
                Fit::Unknown { reason } => {
                    open.push(format!(
                        "whether add-on {name} {in_use} fits Kubernetes {to} is not known: {reason}"
                    ));
                    return;
                }
                Fit::Compatible(_) if self.wanted == Wanted::SmallestStep => continue,
                Fit::Compatible(_) | Fit::Incompatible { .. } => {}
            }
            let entry = match self.matrix.choose(name, Some(&in_use), to, self.wanted) {
                Choice::Stay => continue,
                Choice::MoveTo(entry) => entry,
                Choice::NoneExists(_) => {
                    open.push(format!("EKS offers no version of add-on {name} for Kubernetes {to}: stay below it, or take the add-on out"));
                    return;
                }
                Choice::Unknown { reason } => {
                    open.push(format!("add-on {name} {in_use} must move before Kubernetes {to}, and to what is not known: {reason}"));
                    return;
                }
            };
            let when = self.matrix.when(name, &in_use, from, to);
            // What has to move before the hop has to fit on both sides of it.
            let both = |entry: &&eks_addons::Entry| {
                entry.version > in_use && self.matrix.judge(name, &entry.version, from).is_compatible()
            };
            let entry = match self.matrix.versions(name, to).iter().find(both) {
                Some(first) if when == Some(When::Before) && !both(&&entry) => first.clone(),
                _ => entry,
            };
            let mut change = Change::new(ChangeKind::Addon, name.clone(), at);
            change.from = Some(in_use.to_string());
            change.to = self.steps(name, &in_use, &entry.version);
            change.note = match when {
                Some(When::Before | When::Neither) => Some(format!("{in_use} does not fit {to}")),
                Some(When::After | When::Either) | None => None,
            };
            // What does not fit the old side can only move on the new one.
            let after = match when {
                Some(When::Before) => false,
                Some(When::After) => true,
                Some(When::Either | When::Neither) | None => {
                    !self.matrix.judge(name, &entry.version, from).is_compatible()
                }
            };
            if after {
                hop.after.push(change);
            } else {
                hop.before.push(change);
            }
            in_use = entry.version;
        }
    }

    /// The versions on the way, where one minor at a time is demanded; else the end of it.
    fn steps(&self, addon: &str, from: &AddonVersion, to: &AddonVersion) -> Vec<String> {
        if self.matrix.facts(addon).is_none_or(|facts| facts.stepping != Stepping::Must) {
            return vec![to.to_string()];
        }
        let shown = |step: &eks_addons::AddonStep| {
            step.version
                .as_ref()
                .map_or_else(|| format!("the newest v{}.{}", step.line.0, step.line.1), ToString::to_string)
        };
        self.matrix.steps(addon, from, to).iter().map(shown).collect()
    }

    fn controller(controller: &Controller, window: Window, hops: &mut [HopPlan], open: &mut Vec<String>) {
        let controllers = Controllers::embedded();
        let component = &controller.component;
        if eks_skew::is_component(component) {
            if let Some(found) = eks_skew::judge_component(controller, window) {
                open.push(format!("{}; {} ({}:{})", found.message, found.remedy, found.file, found.line));
            }
            return;
        }
        let Observed::Known(written) = &controller.version else {
            if controller.version.is_absent() {
                open.push(format!(
                    "{component} declares no version ({}:{})",
                    controller.at.file, controller.at.line
                ));
            }
            return;
        };
        let running = match (controller.sign, &controller.chart) {
            (Sign::Chart, Some(chart)) => controllers.chart_brings(chart, &written.value),
            _ => Some(written.value.clone()),
        };
        let Some(mut running) = running else {
            open.push(format!(
                "which version of {component} chart {} brings is not known here ({}:{})",
                written.value, written.at.file, written.at.line
            ));
            return;
        };
        let mut shown = written.value.clone();
        let points = std::iter::once((0, window.from(), true))
            .chain(window.hops().enumerate().map(|(index, hop)| (index, hop.to(), false)));
        for (index, minor, now) in points {
            let Some((fit, basis)) = controllers.judge(component, &running, minor) else { return };
            match fit {
                Fit::Compatible(_) => continue,
                Fit::Unknown { reason } => {
                    open.push(format!(
                        "whether {component} {running} goes with Kubernetes {minor} is not known: {reason}"
                    ));
                    return;
                }
                Fit::Incompatible { .. } => {}
            }
            let Some((oldest, newest)) = controllers.fitting(component, minor) else {
                open.push(format!("no version of {component} is known to go with Kubernetes {minor}: ask its project, or replace it"));
                return;
            };
            let mut change = Change::new(ChangeKind::Controller, component.clone(), &written.at);
            change.from = Some(std::mem::replace(&mut shown, newest.clone()));
            change.to = vec![if oldest == newest { newest.clone() } else { format!("{oldest} to {newest}") }];
            change.note = Some(match controller.sign {
                Sign::Chart => {
                    format!("of the program, for Kubernetes {minor}; find the chart that brings it")
                }
                Sign::Image | Sign::Label => format!("for Kubernetes {minor}"),
            });
            if let Some(hop) = hops.get_mut(index) {
                // What is meant for one minor only moves with it.
                if basis == Basis::Match && !now {
                    hop.after.push(change);
                } else {
                    hop.before.push(change);
                }
            }
            running = newest;
        }
    }

    /// Manifests that have to change: before the hop that takes their API away, now where it is not there yet.
    fn apis(&self, hops: &mut [HopPlan]) {
        for found in self.apis.iter().filter(|found| found.severity == Severity::Block) {
            let index = hops.iter().position(|hop| Some(hop.to) == found.hop).unwrap_or(0);
            let Some(hop) = hops.get_mut(index) else { return };
            let at = eks_model::Place {
                file: found.file.clone(),
                line: found.line,
                column: found.column,
                width: found.width,
                document: found.document,
            };
            let kind = found.kind.clone().unwrap_or_default();
            let name = found.name.as_ref().map_or_else(|| kind.clone(), |name| format!("{kind} {name}"));
            let mut change = Change::new(ChangeKind::Api, name, &at);
            change.from.clone_from(&found.api_version);
            let to = found.replacement.as_deref();
            // `networking.k8s.io/v1 Ingress`: of the kind itself only the version is news.
            change.to = to
                .map(|to| to.strip_suffix(&format!(" {kind}")).unwrap_or(to).to_owned())
                .into_iter()
                .collect();
            // What to change it to stands beside it already.
            let when = to.and_then(|to| found.remedy.strip_prefix(&format!("change it to {to} ")));
            change.note = Some(when.unwrap_or(&found.remedy).to_owned());
            hop.before.push(change);
        }
    }

    /// Puts a change where it belongs: what nodes and kube-proxy need is done after the hop before, or as late
    /// as the next hop allows.
    fn put(&self, hops: &mut [HopPlan], next: usize, change: Change) {
        let early = self.policy == Policy::Conservative || next >= hops.len();
        match next.checked_sub(1).filter(|_| early).and_then(|last| hops.get_mut(last)) {
            Some(hop) => hop.after.push(change),
            None => {
                if let Some(hop) = hops.get_mut(next) {
                    hop.before.push(change);
                }
            }
        }
    }
}
