//! What the API server serves: in two answers where it puts them together (since 1.30), or asked group by group.

use std::collections::BTreeSet;

use eks_provider::kube::{ApiResource, Discovery, ResourceType};
use eks_provider::{Class, Result};
use serde::Deserialize;

use crate::api::KubeApi;
use crate::call::Ask;
use crate::list::served;
use crate::resource::Resource;

/// The aggregated form, or else what older servers have.
const AGGREGATED: &str =
    "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json";

/// Either form of the answer of `/api` and `/apis`.
#[derive(Deserialize)]
struct Answer {
    #[serde(default)]
    kind: String,
    /// `APIGroupDiscoveryList`.
    #[serde(default)]
    items: Vec<Group>,
    /// `APIGroupList`.
    #[serde(default)]
    groups: Vec<PlainGroup>,
    /// `APIVersions`.
    #[serde(default)]
    versions: Vec<String>,
}

#[derive(Deserialize)]
struct Group {
    #[serde(default)]
    metadata: Name,
    #[serde(default)]
    versions: Vec<Version>,
}

#[derive(Deserialize, Default)]
struct Name {
    #[serde(default)]
    name: String,
}

#[derive(Deserialize)]
struct Version {
    #[serde(rename = "version")]
    name: String,
    #[serde(default)]
    freshness: String,
    #[serde(default)]
    resources: Vec<Served>,
}

#[derive(Deserialize)]
struct Served {
    resource: String,
    #[serde(rename = "responseKind")]
    response_kind: Option<Kind>,
    #[serde(default)]
    scope: String,
    #[serde(default)]
    verbs: Vec<String>,
}

#[derive(Deserialize)]
struct Kind {
    #[serde(default)]
    kind: String,
}

#[derive(Deserialize)]
struct PlainGroup {
    versions: Vec<PlainVersion>,
}

#[derive(Deserialize)]
struct PlainVersion {
    #[serde(rename = "groupVersion")]
    group_version: String,
}

#[derive(Deserialize)]
struct PlainResources {
    #[serde(default)]
    resources: Vec<PlainResource>,
}

#[derive(Deserialize)]
struct PlainResource {
    name: String,
    kind: String,
    #[serde(default)]
    namespaced: bool,
    #[serde(default)]
    verbs: Vec<String>,
}

fn ask(path: &str) -> Ask {
    Ask::get(format!("get {path}"), "the API server", path.to_owned())
}

fn group_version(group: &str, version: &str) -> String {
    if group.is_empty() { version.to_owned() } else { format!("{group}/{version}") }
}

fn resource(group: &str, version: &str, plural: String) -> ResourceType {
    ResourceType { group: group.to_owned(), version: version.to_owned(), plural }
}

/// What stands in the aggregated form.
fn aggregated(groups: Vec<Group>, discovery: &mut Discovery) {
    for group in groups {
        let name = group.metadata.name;
        for version in group.versions {
            // What is shown of one that does not answer is what it had once.
            if version.freshness == "Stale" {
                discovery.unavailable.insert(group_version(&name, &version.name));
                continue;
            }
            for served in version.resources {
                discovery.resources.push(ApiResource {
                    resource: resource(&name, &version.name, served.resource),
                    kind: served.response_kind.map(|kind| kind.kind).unwrap_or_default(),
                    namespaced: served.scope == "Namespaced",
                    verbs: served.verbs.into_iter().collect(),
                });
            }
        }
    }
}

/// What stands in the answer for one group and version.
fn plain(group: &str, version: &str, answer: PlainResources, discovery: &mut Discovery) {
    for served in answer.resources.into_iter().filter(|served| !served.name.contains('/')) {
        discovery.resources.push(ApiResource {
            resource: resource(group, version, served.name),
            kind: served.kind,
            namespaced: served.namespaced,
            verbs: served.verbs.into_iter().collect::<BTreeSet<_>>(),
        });
    }
}

impl KubeApi {
    /// What it serves, sorted.
    pub(crate) async fn discover(&self) -> Result<Discovery> {
        let mut discovery = Discovery::default();
        for root in ["/api", "/apis"] {
            let answer: Answer = self.json(&ask(root).accept(AGGREGATED)).await?;
            if answer.kind == "APIGroupDiscoveryList" {
                aggregated(answer.items, &mut discovery);
                continue;
            }
            let listed = answer.groups.into_iter().flat_map(|group| group.versions);
            for version in answer.versions.into_iter().chain(listed.map(|version| version.group_version)) {
                self.discover_one(root, &version, &mut discovery).await?;
            }
        }
        discovery.resources.sort();
        Ok(discovery)
    }

    /// Whether it serves a resource.
    pub(crate) async fn serves(&self, resource: &Resource) -> Result<bool> {
        let answer: Option<PlainResources> = served(self.json(&ask(&resource.root())).await)?;
        let found = answer.into_iter().flat_map(|answer| answer.resources);
        Ok(found.into_iter().any(|served| served.name == resource.plural()))
    }

    async fn discover_one(&self, root: &str, version: &str, discovery: &mut Discovery) -> Result<()> {
        let (group, short) = version.rsplit_once('/').unwrap_or(("", version));
        match self.json::<PlainResources>(&ask(&format!("{root}/{version}"))).await {
            Ok(answer) => plain(group, short, answer, discovery),
            // Whoever serves it is away, or went since the list was made: what it has is not known.
            Err(error) if matches!(error.class(), Class::Transport | Class::NotFound) => {
                discovery.unavailable.insert(version.to_owned());
            }
            Err(error) => return Err(error),
        }
        Ok(())
    }
}
