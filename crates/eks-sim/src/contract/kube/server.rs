//! The API server itself, and what the caller may not do.

use eks_provider::Class;
use eks_provider::kube::{NodeQuery, PageRequest, PodQuery, ResourceAttributes, ResourceType};

use super::super::{KubeWorld, Outcome, Verdict, came, checks, holds};
use super::refused;

pub(super) async fn all(world: &KubeWorld<'_>) -> Vec<Outcome> {
    checks![world;
        "server-version": "the server is ready and says the minor that it behaves as" => version,
        "discovery": "what is served is listed once, sorted, without subresources, with its verbs" => discovery,
        "not-served": "a resource that is not served is `None`, not an empty list; Secrets are not read whole" => not_served,
        "metadata": "metadata of objects comes without the objects, with who wrote them" => metadata,
        "denied": "what a role does not allow is Denied, by the name of the permission, and is known beforehand" => denied,
    ]
}

async fn version(world: &KubeWorld<'_>) -> Verdict {
    came(world.reader.readyz().await)?;
    let version = came(world.reader.server_version().await)?;
    holds(version.kube_minor() == Ok(world.facts.version), || format!("{version:?}"))
}

async fn discovery(world: &KubeWorld<'_>) -> Verdict {
    let found = came(world.reader.discovery().await)?;
    let shown: Vec<String> = found.resources.iter().map(|one| one.resource.to_string()).collect();
    holds(found.resources.is_sorted(), || "it is not sorted".to_owned())?;
    let subresource = shown.iter().find(|name| name.split('.').any(|part| part.matches('/').count() > 1));
    holds(subresource.is_none(), || format!("{subresource:?}"))?;
    for (name, kind, namespaced) in [
        ("pods/v1", "Pod", true),
        ("nodes/v1", "Node", false),
        ("deployments.apps/v1", "Deployment", true),
        ("poddisruptionbudgets.policy/v1", "PodDisruptionBudget", true),
        ("leases.coordination.k8s.io/v1", "Lease", true),
    ] {
        let all: Vec<_> = found.resources.iter().filter(|one| one.resource.to_string() == name).collect();
        let [one] = all.as_slice() else { return Err(format!("{name} is there {} times", all.len())) };
        let verbs = ["get", "list", "watch", "patch"].iter().all(|verb| one.verbs.contains(*verb));
        holds(one.kind == kind && one.namespaced == namespaced && verbs, || format!("{one:?}"))?;
    }
    Ok(())
}

fn resource(group: &str, version: &str, plural: &str) -> ResourceType {
    ResourceType { group: group.to_owned(), version: version.to_owned(), plural: plural.to_owned() }
}

async fn not_served(world: &KubeWorld<'_>) -> Verdict {
    let request = PageRequest::first(2);
    for nothing in
        [resource("example.com", "v1", "things"), resource("policy", "v1beta1", "poddisruptionbudgets")]
    {
        let found = came(world.reader.list_metadata(&nothing, &request).await)?;
        holds(found.is_none(), || format!("metadata of {nothing}: {found:?}"))?;
        let found = came(world.reader.list_objects(&nothing, &request).await)?;
        holds(found.is_none(), || format!("{nothing}: {found:?}"))?;
    }
    let secrets = world.reader.list_objects(&resource("", "v1", "secrets"), &request).await;
    refused("Secrets", secrets, Class::Invalid).map(drop)
}

async fn metadata(world: &KubeWorld<'_>) -> Verdict {
    let deployments = resource("apps", "v1", "deployments");
    let mut request = Some(PageRequest::first(1));
    let mut found = Vec::new();
    while let Some(asked) = request {
        let page = came(world.reader.list_metadata(&deployments, &asked).await)?;
        let page = page.ok_or("Deployments are not served")?;
        holds(page.items.len() <= 1, || format!("{} on a page of one", page.items.len()))?;
        request = page.next_request(1);
        found.extend(page.items);
    }
    let wanted = found.iter().find(|one| {
        one.meta.name == world.facts.deployment && one.meta.namespace.as_ref() == Some(&world.facts.namespace)
    });
    let wanted = wanted.ok_or_else(|| format!("{} is not among {}", world.facts.deployment, found.len()))?;
    let written =
        wanted.managed_fields.iter().any(|one| one.api_version == "apps/v1" && !one.manager.is_empty());
    holds(written, || format!("{:?}", wanted.managed_fields))
}

async fn denied(world: &KubeWorld<'_>) -> Verdict {
    came(world.narrow.list_nodes(&NodeQuery::default()).await)?;
    let pods = world.narrow.list_pods(&PodQuery::default(), &PageRequest::first(1)).await;
    let error = refused("a list of Pods", pods, Class::Denied)?;
    holds(error.operation() == "list pods" && error.http_status() == Some(403), || error.to_string())?;
    for (resource, expected) in [("nodes", true), ("pods", false)] {
        let wanted = ResourceAttributes {
            verb: "list".to_owned(),
            resource: resource.to_owned(),
            ..ResourceAttributes::default()
        };
        let decision = came(world.narrow.review_self_access(&wanted).await)?;
        holds(decision.allowed == expected, || format!("{resource}: {decision:?}"))?;
    }
    Ok(())
}
