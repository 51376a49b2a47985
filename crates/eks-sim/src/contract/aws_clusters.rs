//! Clusters, their versions and their updates.

use std::time::Duration;

use eks_provider::aws::{
    AddonCatalogueQuery, ClusterStatus, ClusterVersionQuery, UpdateClusterVersion, UpdateScope, UpdateStatus,
    UpdateType,
};
use eks_provider::{Class, Token};

use super::{AwsWorld, Outcome, Verdict, came, checks, eventually, holds};

/// How long an update may take.
const HOUR: Duration = Duration::from_hours(1);

pub(super) async fn all(world: &AwsWorld<'_>) -> Vec<Outcome> {
    checks![world;
        "eks-missing": "a cluster that is not there is NotFound, by its name" => missing,
        "eks-describe": "the cluster is in the list, is active and has its version" => describe,
        "eks-versions": "the versions of EKS have the cluster's and the next one" => versions,
        "eks-addons": "the add-ons that are there are described; the catalogue has a default of kube-proxy for the version" => addons,
        "eks-nodegroups": "the managed node groups that are listed are described; one that is not there is NotFound" => nodegroups,
        "eks-two-minors": "an update by two minors is refused" => two_minors,
        "eks-upgrade": "an update by one minor is taken, repeated by its token, joined by no second one, and ends at the version" => upgrade,
    ]
}

async fn missing(world: &AwsWorld<'_>) -> Verdict {
    match world.reader.describe_cluster("no-such-cluster").await {
        Ok(cluster) => Err(format!("it is {cluster:?}")),
        Err(error) => {
            holds(error.class() == Class::NotFound && error.target().contains("no-such-cluster"), || {
                error.to_string()
            })
        }
    }
}

async fn describe(world: &AwsWorld<'_>) -> Verdict {
    let name = &world.facts.cluster;
    let names = came(world.reader.list_clusters().await)?;
    holds(names.contains(name) && names.is_sorted(), || format!("clusters {names:?}"))?;
    let cluster = came(world.reader.describe_cluster(name).await)?;
    holds(cluster.status == ClusterStatus::Active && cluster.version == world.facts.version, || {
        format!("{} at {}", cluster.status, cluster.version)
    })?;
    holds(cluster.arn.ends_with(&format!(":cluster/{name}")), || cluster.arn.clone())
}

async fn versions(world: &AwsWorld<'_>) -> Verdict {
    let found = came(world.reader.describe_cluster_versions(&ClusterVersionQuery::default()).await)?;
    for wanted in [world.facts.version, world.facts.version.next()] {
        let one = found.iter().find(|version| version.version.value() == Some(&wanted));
        let one = one.ok_or_else(|| format!("{wanted} is not among them"))?;
        holds(one.end_of_standard_support < one.end_of_extended_support, || format!("{one:?}"))?;
    }
    Ok(())
}

async fn addons(world: &AwsWorld<'_>) -> Verdict {
    for name in came(world.reader.list_addons(&world.facts.cluster).await)? {
        let addon = came(world.reader.describe_addon(&world.facts.cluster, &name).await)?;
        holds(addon.name == name && addon.version.value().is_some(), || format!("{addon:?}"))?;
    }
    match world.reader.describe_addon(&world.facts.cluster, "no-such-addon").await {
        Ok(addon) => return Err(format!("{addon:?}")),
        Err(error) => holds(error.class() == Class::NotFound, || error.to_string())?,
    }
    let query = AddonCatalogueQuery {
        kubernetes_version: Some(world.facts.version),
        addon: Some("kube-proxy".to_owned()),
        owners: Vec::new(),
    };
    let catalogue = came(world.reader.describe_addon_versions(&query).await)?;
    let defaults = catalogue
        .iter()
        .flat_map(|info| &info.versions)
        .flat_map(|version| &version.compatibilities)
        .filter(|one| one.default_version && one.cluster_version.value() == Some(&world.facts.version))
        .count();
    holds(defaults == 1, || format!("{defaults} defaults of kube-proxy for {}", world.facts.version))
}

async fn nodegroups(world: &AwsWorld<'_>) -> Verdict {
    for name in came(world.reader.list_nodegroups(&world.facts.cluster).await)? {
        let group = came(world.reader.describe_nodegroup(&world.facts.cluster, &name).await)?;
        holds(group.name == name && group.cluster == world.facts.cluster, || format!("{group:?}"))?;
    }
    match world.reader.describe_nodegroup(&world.facts.cluster, "no-such-group").await {
        Ok(group) => Err(format!("{group:?}")),
        Err(error) => holds(error.class() == Class::NotFound, || error.to_string()),
    }
}

fn request(world: &AwsWorld<'_>, minors: u16, step: &str) -> UpdateClusterVersion {
    let mut version = world.facts.version;
    for _ in 0..minors {
        version = version.next();
    }
    UpdateClusterVersion {
        cluster: world.facts.cluster.clone(),
        version,
        force: false,
        rollback_timeout: None,
        token: Token::derive("contract", step),
    }
}

async fn two_minors(world: &AwsWorld<'_>) -> Verdict {
    match world.writer.update_cluster_version(&request(world, 2, "two minors")).await {
        Ok(update) => Err(format!("it was taken: {update:?}")),
        Err(error) => holds(error.class() == Class::Invalid, || error.to_string()),
    }
}

async fn upgrade(world: &AwsWorld<'_>) -> Verdict {
    let wanted = request(world, 1, "upgrade");
    let update = came(world.writer.update_cluster_version(&wanted).await)?;
    holds(update.kind == UpdateType::VersionUpdate && update.status == UpdateStatus::InProgress, || {
        format!("{update:?}")
    })?;
    let again = came(world.writer.update_cluster_version(&wanted).await)?;
    holds(again.id == update.id, || {
        format!("the same token is another update: {} and {}", update.id, again.id)
    })?;
    match world.writer.update_cluster_version(&request(world, 1, "another")).await {
        Ok(other) => return Err(format!("a second update was taken: {other:?}")),
        Err(error) => holds(error.class() == Class::InProgress, || error.to_string())?,
    }
    let scope = UpdateScope::cluster(&world.facts.cluster);
    let listed = came(world.reader.list_updates(&scope).await)?;
    holds(listed.contains(&update.id), || format!("updates {listed:?}"))?;
    let done = eventually(
        world.clock,
        HOUR,
        "the update has ended",
        || world.reader.describe_update(&scope, &update.id),
        |update| update.status != UpdateStatus::InProgress,
    )
    .await?;
    holds(done.status == UpdateStatus::Successful && done.errors.is_empty(), || format!("{done:?}"))?;
    let cluster = eventually(
        world.clock,
        HOUR,
        "the cluster is active again",
        || world.reader.describe_cluster(&world.facts.cluster),
        |cluster| cluster.status == ClusterStatus::Active,
    )
    .await?;
    holds(cluster.version == wanted.version, || format!("the cluster is at {}", cluster.version))
}
