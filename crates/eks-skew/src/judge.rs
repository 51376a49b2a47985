//! A cluster, a window of versions, and the findings that follow: now, and after each hop.

use eks_model::{
    ClusterSnapshot, Controller, Finding, KubeMinor, KubeVersion, NodeGroup, NodeGroupKind, Observed, Place,
    Placed, Severity, Status, SupportType, Window,
};
use jiff::civil::Date;

use crate::calendar::{Calendar, Support, dollars};
use crate::image::image_end;
use crate::rules;
use crate::skew::{self, ApiServers, Skew};

/// Where the skew policy can be read.
const POLICY: &str = "https://kubernetes.io/releases/version-skew-policy/";
/// Where the calendar of EKS can be read.
const VERSIONS: &str = "https://docs.aws.amazon.com/eks/latest/userguide/kubernetes-versions.html";
/// How many days before its end support is spoken of.
const SOON: i32 = 90;

/// The window that a cluster is judged by: from the version that it declares, or else from the
/// start of the window given, to its end. A cluster that is beyond the end has no hop.
pub fn window_of(cluster: &ClusterSnapshot, window: Window) -> Window {
    let Some(from) = control_plane(cluster) else { return window };
    let to = window.to().max(from);
    // `from` is never above `to`.
    Window::new(from, to).unwrap_or(window)
}

fn control_plane(cluster: &ClusterSnapshot) -> Option<KubeMinor> {
    cluster.control_plane.known().map(|version| version.value.minor())
}

/// The API servers now and after each hop of a window, each with the hop that leads there.
fn points(window: Window) -> impl Iterator<Item = (Option<eks_model::Hop>, KubeMinor)> {
    std::iter::once((None, window.from())).chain(window.hops().map(|hop| (Some(hop), hop.to())))
}

fn minors(number: u16) -> String {
    if number == 1 { "1 minor".to_owned() } else { format!("{number} minors") }
}

/// `3 are allowed`
fn allowed(number: u16) -> String {
    match number {
        0 => "none is allowed".to_owned(),
        1 => "1 is allowed".to_owned(),
        number => format!("{number} are allowed"),
    }
}

fn finding(
    rule: &eks_model::Rule,
    severity: Severity,
    status: Status,
    cluster: &ClusterSnapshot,
    at: &Place,
) -> Finding {
    let mut finding = Finding::new(rule.id, severity, status).placed(at);
    finding.cluster = Some(cluster.name.clone());
    finding.kind = Some(cluster.declared_as.to_owned());
    finding.name = Some(cluster.name.clone());
    finding
}

fn of_group(mut finding: Finding, group: &NodeGroup) -> Finding {
    finding.kind = Some(group.declared_as.to_owned());
    finding.name = Some(group.name.clone());
    finding
}

/// Everything that the skew policy, the calendar and the ends of node images say of a cluster,
/// over its own window ([`window_of`]), on a day.
///
/// ```
/// use eks_model::{ClusterSnapshot, KubeMinor, NodeGroup, NodeGroupKind, Observed, Place, Placed, Window};
///
/// let at = Place { file: "cluster.yaml".into(), line: 6, column: 12, width: 6, document: 0 };
/// let version = |text: &str| Observed::Known(Placed { value: text.parse().unwrap(), at: at.clone() });
/// let cluster = ClusterSnapshot {
///     id: "shop".into(), name: "shop".into(), declared_as: "ClusterConfig", at: at.clone(),
///     declared_elsewhere: false, control_plane: version("1.35"), support: Observed::Absent, addons: Vec::new(),
///     node_groups: vec![NodeGroup {
///         name: "batch".into(), kind: NodeGroupKind::Managed, declared_as: "managedNodeGroups", at: at.clone(),
///         kubelet: version("1.33"), follows_control_plane: false, image: Observed::Absent,
///     }],
/// };
/// let window = Window::new(KubeMinor::new(35), KubeMinor::new(37))?;
/// let findings = eks_skew::judge(&cluster, window, "2026-11-24".parse()?);
/// assert_eq!((findings[0].id, findings[0].hop), ("SKEW003", Some(KubeMinor::new(37))));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn judge(cluster: &ClusterSnapshot, window: Window, today: Date) -> Vec<Finding> {
    let window = window_of(cluster, window);
    let mut findings = Vec::new();
    if cluster.control_plane.is_absent() && !cluster.declared_elsewhere {
        let mut found = finding(&rules::UNDECLARED, Severity::Warn, Status::Undeclared, cluster, &cluster.at);
        found.message = format!(
            "cluster \"{}\" declares no Kubernetes version: EKS takes its default when it is created, and nothing here moves it",
            cluster.name
        );
        found.remedy =
            "declare the version, so that the next upgrade is a change that can be reviewed".to_owned();
        findings.push(found);
    }
    findings.extend(calendar(cluster, window, today));
    for group in &cluster.node_groups {
        findings.extend(kubelet(cluster, group, window));
        findings.extend(image(cluster, group, window));
    }
    if let Some(addon) = cluster.addons.iter().find(|addon| addon.name == "kube-proxy")
        && let Observed::Known(Placed { value: eks_model::AddonWish::Pinned(version), at }) = &addon.version
        && let Ok(version) = format!("{}.{}", version.line().0, version.line().1).parse()
    {
        let subject = format!("kube-proxy {version}");
        let place = |mut found: Finding| {
            found = found.placed(at);
            found.kind = Some(addon.declared_as.to_owned());
            found.name = Some(addon.name.clone());
            found.cluster = Some(cluster.name.clone());
            found
        };
        findings.extend(kube_proxy(version, &subject, window).map(place));
        for group in &cluster.node_groups {
            findings.extend(beside_kubelet(version, &subject, group, window).map(place));
        }
    }
    findings
}

fn kubelet(cluster: &ClusterSnapshot, group: &NodeGroup, window: Window) -> Option<Finding> {
    let subject = format!("{} \"{}\"", group.kind.as_str(), group.name);
    let version = match &group.kubelet {
        Observed::Known(version) => version,
        Observed::Absent if group.follows_control_plane => return None,
        Observed::Absent => {
            let found = finding(&rules::UNDECLARED, Severity::Warn, Status::Undeclared, cluster, &group.at);
            let mut found = of_group(found, group);
            found.message = format!(
                "{subject} declares no Kubernetes version: its nodes keep the one they were made with when the control plane goes on"
            );
            found.remedy = "declare its version, and raise it after each hop of the control plane".to_owned();
            return Some(found);
        }
        Observed::Unreadable(_) => return None,
    };
    let minor = version.value.minor();
    let (hop, api_server, skew) = points(window)
        .map(|(hop, api)| (hop, api, skew::kubelet(minor, api.into())))
        .find(|(_, _, skew)| !skew.is_within())?;
    let mut found = match skew {
        Skew::Within => return None,
        Skew::Newer { by, .. } => {
            let found =
                finding(&rules::KUBELET_NEWER, Severity::Block, Status::OutOfSkew, cluster, &version.at);
            let mut found = of_group(found, group);
            found.message = format!(
                "{subject} (kubelet {minor}) is {} newer than the control plane ({api_server}); none may be newer",
                minors(by)
            );
            found.remedy = format!(
                "bring the control plane to {minor} first, one minor at a time, or set {subject} to {api_server} or older"
            );
            found
        }
        Skew::Older { by, allowed: most } => {
            let found =
                finding(&rules::KUBELET_OLDER, Severity::Block, Status::OutOfSkew, cluster, &version.at);
            let mut found = of_group(found, group);
            let (is, before) = match hop {
                Some(hop) => ("would be", format!("before the hop {hop}")),
                None => ("is", "before anything else".to_owned()),
            };
            found.message = format!(
                "{subject} (kubelet {minor}) {is} {} behind the control plane ({api_server}) {}; {}",
                minors(by),
                window.when(hop),
                allowed(most)
            );
            found.remedy =
                format!("roll {subject} to {} or newer {before}", skew::oldest_kubelet(api_server));
            found
        }
    };
    found.hop = hop.map(eks_model::Hop::to);
    found.url = Some(POLICY.to_owned());
    Some(found)
}

/// kube-proxy beside the API server.
fn kube_proxy(version: KubeMinor, subject: &str, window: Window) -> Option<Finding> {
    let rule = &rules::KUBE_PROXY;
    beside_api_server(rule, Severity::Block, version, subject, window, skew::kube_proxy)
}

/// kube-proxy beside the kubelets of a group, as declared.
fn beside_kubelet(version: KubeMinor, subject: &str, group: &NodeGroup, window: Window) -> Option<Finding> {
    let kubelet = match &group.kubelet {
        Observed::Known(kubelet) => kubelet.value.minor(),
        // Nodes that follow are at the API server's version, of which SKEW002 speaks.
        Observed::Absent | Observed::Unreadable(_) => return None,
    };
    beside(version, subject, group, kubelet, window)
}

fn beside(
    version: KubeMinor,
    subject: &str,
    group: &NodeGroup,
    kubelet: KubeMinor,
    window: Window,
) -> Option<Finding> {
    let (by, most, word) = match skew::kube_proxy_beside_kubelet(version, kubelet) {
        Skew::Within => return None,
        Skew::Newer { by, allowed } => (by, allowed, "newer"),
        Skew::Older { by, allowed } => (by, allowed, "older"),
    };
    let mut found = Finding::new(rules::KUBE_PROXY_KUBELET.id, Severity::Block, Status::OutOfSkew);
    found.message = format!(
        "{subject} is {} {word} than the kubelets of {} \"{}\" ({kubelet}) {}; {}",
        minors(by),
        group.kind.as_str(),
        group.name,
        window.when(None),
        allowed(most)
    );
    found.remedy = if word == "newer" {
        format!("roll {} \"{}\" before kube-proxy is raised", group.kind.as_str(), group.name)
    } else {
        "raise kube-proxy before the nodes are rolled".to_owned()
    };
    found.url = Some(POLICY.to_owned());
    Some(found)
}

/// A component beside the API server, now and after each hop.
fn beside_api_server(
    rule: &eks_model::Rule,
    severity: Severity,
    version: KubeMinor,
    subject: &str,
    window: Window,
    judge: fn(KubeMinor, ApiServers) -> Skew,
) -> Option<Finding> {
    let (hop, api_server, skew) = points(window)
        .map(|(hop, api)| (hop, api, judge(version, api.into())))
        .find(|(_, _, skew)| !skew.is_within())?;
    let (by, most, word) = match skew {
        Skew::Within => return None,
        Skew::Newer { by, allowed } => (by, allowed, "newer"),
        Skew::Older { by, allowed } => (by, allowed, "older"),
    };
    let is = if hop.is_some() { "would be" } else { "is" };
    let mut found = Finding::new(rule.id, severity, Status::OutOfSkew);
    found.hop = hop.map(eks_model::Hop::to);
    found.message = format!(
        "{subject} {is} {} {word} than the API server ({api_server}) {}; {}",
        minors(by),
        window.when(hop),
        allowed(most)
    );
    found.remedy = match (word, hop) {
        ("newer", _) => format!("set it to {api_server}"),
        (_, Some(hop)) => format!("raise it to {} before the hop {hop}", hop.from()),
        (_, None) => format!("raise it to {api_server}"),
    };
    found.url = Some(POLICY.to_owned());
    Some(found)
}

/// What the skew policy says of a program of Kubernetes' own that runs in a cluster, recognised by
/// its image: kube-proxy, kubectl, a kube-controller-manager, a kube-scheduler, a
/// cloud-controller-manager. One without a version, or with one that is none, is a finding too. `None` for
/// every other component, and where nothing is to be said.
pub fn judge_component(controller: &Controller, window: Window) -> Option<Finding> {
    type Judge = fn(KubeMinor, ApiServers) -> Skew;
    let (rule, severity, judge): (_, _, Judge) = match controller.component.as_str() {
        "kube-proxy" => (&rules::KUBE_PROXY, Severity::Block, skew::kube_proxy),
        "kube-controller-manager" => (&rules::CONTROL_PLANE, Severity::Block, skew::controller_manager),
        "kube-scheduler" => (&rules::CONTROL_PLANE, Severity::Block, skew::scheduler),
        "cloud-controller-manager" => {
            (&rules::CONTROL_PLANE, Severity::Block, skew::cloud_controller_manager)
        }
        "kubectl" => (&rules::KUBECTL, Severity::Warn, skew::kubectl),
        _ => return None,
    };
    let of = |mut found: Finding| {
        found.kind = Some(controller.declared_as.clone());
        found.name.clone_from(&controller.name);
        found.namespace.clone_from(&controller.namespace);
        found
    };
    let component = &controller.component;
    let version = match &controller.version {
        Observed::Known(version) => version,
        Observed::Unreadable(_) => return None,
        Observed::Absent => {
            let mut found =
                Finding::new(rules::UNDECLARED.id, Severity::Warn, Status::Undeclared).placed(&controller.at);
            found.message = format!(
                "{component} declares no version: what runs is whatever was newest when its image was pulled"
            );
            found.remedy = "name a version, so that it can be moved with the control plane".to_owned();
            found.url = Some(POLICY.to_owned());
            return Some(of(found));
        }
    };
    let Some(minor) = minor_of_tag(&version.value) else {
        let mut found = Finding::new(rule.id, Severity::Unknown, Status::Unknown).placed(&version.at);
        found.message = format!(
            "whether {component} `{}` is within the skew of {window} is not known: it is no version of Kubernetes",
            version.value
        );
        found.remedy = "name a version, or suppress this with the reason".to_owned();
        found.url = Some(POLICY.to_owned());
        return Some(of(found));
    };
    let subject = format!("{} {minor}", controller.component);
    beside_api_server(rule, severity, minor, &subject, window, judge)
        .map(|found| of(found.placed(&version.at)))
}

/// The minor that the tag of an image names: `v1.33.4-eksbuild.2`, and `1.33-debian-12` too.
fn minor_of_tag(tag: &str) -> Option<KubeMinor> {
    let whole = tag.parse::<KubeVersion>().ok().map(|version| version.minor());
    whole.or_else(|| tag.split_once('-')?.0.parse::<KubeVersion>().ok().map(|version| version.minor()))
}

/// Clusters that are declared twice with different versions: the same name, in the same way, in one folder.
///
/// Each of the two is named at its own place.
pub fn judge_together(clusters: &[ClusterSnapshot]) -> Vec<Finding> {
    let folder = |cluster: &ClusterSnapshot| {
        cluster.at.file.rsplit_once('/').map_or_else(String::new, |(folder, _)| folder.to_owned())
    };
    // Kind, region or namespace, and name: what stands behind the file in the id.
    let identity = |cluster: &ClusterSnapshot| {
        cluster.id.strip_prefix(&cluster.at.file).unwrap_or(&cluster.id).to_owned()
    };
    let mut findings = Vec::new();
    // One configuration of Terraform is several clusters, of one name, by its variables.
    let terraform = |cluster: &ClusterSnapshot| {
        cluster.declared_as.starts_with("aws_") || cluster.declared_as.starts_with("module")
    };
    for (index, cluster) in clusters.iter().enumerate().filter(|(_, cluster)| !terraform(cluster)) {
        let Some(version) = cluster.control_plane.known() else { continue };
        let other = clusters.iter().enumerate().find_map(|(other, twin)| {
            let twin_version = twin.control_plane.known()?;
            (other != index
                && identity(twin) == identity(cluster)
                && twin.name != "?"
                && twin.declared_as == cluster.declared_as
                && folder(twin) == folder(cluster)
                && twin_version.value.minor() != version.value.minor())
            .then_some(twin_version)
        });
        let Some(other) = other else { continue };
        let mut found =
            finding(&rules::CONTRADICTION, Severity::Unknown, Status::Contradiction, cluster, &version.at);
        found.message = format!(
            "cluster \"{}\" is declared at {} here and at {} in {}:{}: which of them holds, nobody can say",
            cluster.name,
            version.value.minor(),
            other.value.minor(),
            other.at.file,
            other.at.line
        );
        found.remedy = "declare it once, or give the two different names".to_owned();
        findings.push(found);
    }
    findings
}

/// Whether [`judge_component`] has a rule for a component.
pub fn is_component(name: &str) -> bool {
    ["kube-proxy", "kube-controller-manager", "kube-scheduler", "cloud-controller-manager", "kubectl"]
        .contains(&name)
}

fn image(cluster: &ClusterSnapshot, group: &NodeGroup, window: Window) -> Vec<Finding> {
    let mut findings = Vec::new();
    let Some(image) = group.image.known() else { return findings };
    let subject = format!("{} \"{}\"", group.kind.as_str(), group.name);
    let declared = group.kubelet.known().map(|version| version.value.minor());
    let named = image.value.kubernetes.as_ref().map(KubeVersion::minor);
    if let (Some(declared), Some(named)) = (declared, named)
        && declared != named
    {
        let found =
            finding(&rules::CONTRADICTION, Severity::Unknown, Status::Contradiction, cluster, &image.at);
        let mut found = of_group(found, group);
        found.message = format!(
            "{subject} declares {declared}, and its image is one for {named}: which of them its nodes have, nobody can say"
        );
        found.remedy = "make the two agree".to_owned();
        findings.push(found);
    }
    let Some(end) = image_end(image.value.family) else { return findings };
    let family = image.value.family.as_str();
    let beyond = |minor: KubeMinor| minor > end.last;
    // When the nodes have to be at a minor that has no image of this family.
    let follows = match group.kind {
        NodeGroupKind::Karpenter | NodeGroupKind::AutoMode => true,
        NodeGroupKind::Managed | NodeGroupKind::SelfManaged | NodeGroupKind::Fargate => {
            group.follows_control_plane
        }
    };
    let hit = if declared.or(named).is_some_and(beyond) {
        Some(None)
    } else {
        points(window)
            .find(|&(_, api)| beyond(if follows { api } else { skew::oldest_kubelet(api) }))
            .map(|(hop, _)| hop)
    };
    let severity = if hit.is_some() { Severity::Block } else { Severity::Warn };
    let found = finding(&rules::IMAGE, severity, Status::EndOfSupport, cluster, &image.at);
    let mut found = of_group(found, group);
    found.message = match hit {
        Some(None) => {
            format!("{subject} uses {family}, which has no image for Kubernetes above {}", end.last)
        }
        Some(Some(hop)) => format!(
            "{subject} uses {family}, which has no image for Kubernetes above {}: after the hop {hop} no node can be made at the version it needs",
            end.last
        ),
        None => format!(
            "{subject} uses {family}: no image for Kubernetes above {}, and none released since {}",
            end.last, end.last_release
        ),
    };
    found.hop = hit.flatten().map(eks_model::Hop::to);
    found.remedy = "move it to Amazon Linux 2023 or Bottlerocket; user data and bootstrap differ, so try it on one group first".to_owned();
    found.url = Some(end.source.to_owned());
    findings.push(found);
    findings
}

/// `: the calendar here ends with 1.37 (as of 2026-11-23)`
fn ends_with(calendar: &Calendar) -> String {
    calendar.newest().map_or_else(String::new, |newest| {
        format!(": the calendar here ends with {} (as of {})", newest.minor, newest.as_of)
    })
}

fn calendar(cluster: &ClusterSnapshot, window: Window, today: Date) -> Vec<Finding> {
    let calendar = Calendar::embedded();
    let mut findings = Vec::new();
    let place = cluster.control_plane.known().map_or(&cluster.at, |version| &version.at);
    for hop in window.hops() {
        if calendar.support(hop.to(), today).is_none_or(|support| support == Support::NotYet) {
            let mut found = finding(&rules::NOT_OFFERED, Severity::Unknown, Status::Unknown, cluster, place);
            found.hop = Some(hop.to());
            found.message = format!("EKS is not known to offer {}{}", hop.to(), ends_with(calendar));
            found.remedy = "choose an earlier version, or a newer release of this program".to_owned();
            found.url = Some(VERSIONS.to_owned());
            findings.push(found);
            break;
        }
    }
    let Some(version) = cluster.control_plane.known() else { return findings };
    let minor = version.value.minor();
    // EXTENDED is what EKS takes when nothing is said.
    let policy = cluster.support.known().map_or(SupportType::Extended, |policy| policy.value);
    let surcharge = calendar.surcharge();
    let price = format!(
        "{} an hour more for the cluster, about {} a month",
        dollars(surcharge.cents_an_hour),
        dollars(surcharge.cents_a_month())
    );
    let outlook = calendar.outlook(minor, policy);
    let to = outlook
        .and_then(|outlook| outlook.to)
        .map_or_else(|| "the oldest version then supported".to_owned(), |to| to.to_string());
    let (rule, severity, message) = match calendar.support(minor, today) {
        Some(Support::Standard { days_left }) if days_left <= SOON => {
            let Some(outlook) = outlook else { return findings };
            let then = match policy {
                SupportType::Standard => {
                    format!(
                        "then EKS upgrades the control plane to {to} by itself, at any time (policy STANDARD)"
                    )
                }
                SupportType::Extended => format!("then extended support costs {price}"),
            };
            let ends = calendar.get(minor).map_or(outlook.upgrades_from, |release| release.standard_ends);
            (
                &rules::SUPPORT,
                Severity::Warn,
                format!("standard support of {minor} ends on {ends}, in {}: {then}", days(days_left)),
            )
        }
        Some(Support::Standard { .. }) => return findings,
        // Newer than the calendar, or not there yet on that day: nothing is known of it.
        Some(Support::NotYet) | None => {
            let mut found = finding(&rules::NOT_OFFERED, Severity::Unknown, Status::Unknown, cluster, place);
            found.message = format!(
                "cluster \"{}\" is declared at {minor}, which EKS is not known to offer{}",
                cluster.name,
                ends_with(calendar)
            );
            found.remedy =
                "see that the version is right; if EKS offers it by now, take a newer release of this program"
                    .to_owned();
            found.url = Some(VERSIONS.to_owned());
            findings.insert(0, found);
            return findings;
        }
        Some(Support::Extended { days_left }) => {
            let Some(outlook) = outlook else { return findings };
            let message = match policy {
                SupportType::Standard => format!(
                    "standard support of {minor} has ended, and the policy is STANDARD: since {} EKS upgrades the control plane to {to} by itself, at any time",
                    outlook.upgrades_from
                ),
                SupportType::Extended => format!(
                    "{minor} is in extended support, at {price}; it ends on {}, in {}, and then EKS upgrades the control plane to {to} by itself, at any time",
                    outlook.upgrades_from,
                    days(days_left)
                ),
            };
            (&rules::SUPPORT, Severity::Warn, message)
        }
        Some(Support::Ended) => (
            &rules::SUPPORT_ENDED,
            Severity::Block,
            format!(
                "EKS no longer supports {minor}: no cluster can be created at it, and EKS upgrades those that are{}",
                calendar.oldest_supported(today).map_or_else(String::new, |oldest| format!(
                    " (the oldest version supported is {oldest})"
                ))
            ),
        ),
    };
    let mut found = finding(rule, severity, Status::EndOfSupport, cluster, &version.at);
    found.message = message;
    found.remedy = match calendar.support(minor.next(), today) {
        Some(Support::Standard { .. } | Support::Extended { .. }) => {
            format!("upgrade the control plane, to {} first", minor.next())
        }
        Some(Support::Ended) => "look what version the cluster really has, and declare that".to_owned(),
        Some(Support::NotYet) | None => "plan the upgrade for when the next version is there".to_owned(),
    };
    found.url = Some(VERSIONS.to_owned());
    findings.push(found);
    findings
}

fn days(number: i32) -> String {
    if number == 1 { "1 day".to_owned() } else { format!("{number} days") }
}

#[cfg(test)]
mod tests;
