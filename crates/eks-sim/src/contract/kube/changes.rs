//! Waiting for change.

use std::collections::BTreeSet;
use std::time::Duration;

use eks_provider::kube::{Changed, Changes, Cursor, Lease, NodePatch, ObjectMeta, Watched};

use super::super::{KubeWorld, Outcome, Verdict, came, checks, holds};
use super::patched;

pub(super) async fn all(world: &KubeWorld<'_>) -> Vec<Outcome> {
    checks![world;
        "watch": "a change since a moment is heard of, once, also when it was before the wait" => heard,
        "watch-nothing": "where nothing changes, the wait ends at its deadline, with nothing" => nothing,
        "watch-kinds": "what has changed is told from what has not" => kinds,
    ]
}

type Waited = Result<Changes, String>;

async fn wait(world: &KubeWorld<'_>, watched: &BTreeSet<Watched>, since: &Cursor, wait: u64) -> Waited {
    let deadline =
        world.clock.now().checked_add(Duration::from_secs(wait)).map_err(|error| error.to_string())?;
    came(world.reader.changed(watched, since, deadline).await)
}

fn lease(world: &KubeWorld<'_>) -> Lease {
    Lease {
        meta: ObjectMeta {
            name: "eks-contract-watch".to_owned(),
            namespace: Some(world.facts.namespace.clone()),
            ..ObjectMeta::default()
        },
        holder_identity: Some("one".to_owned()),
        lease_duration: Some(Duration::from_mins(1)),
        acquire_time: None,
        renew_time: None,
        lease_transitions: 0,
    }
}

async fn heard(world: &KubeWorld<'_>) -> Verdict {
    let watched = BTreeSet::from([Watched::Leases(world.facts.namespace.clone())]);
    let cursor = came(world.reader.cursor(&watched).await)?;
    let made = came(world.writer.create_lease(&lease(world)).await)?;
    let after_made = wait(world, &watched, &cursor, 60).await?;
    holds(after_made.changed == Changed::Some(watched.clone()), || {
        format!("made: {:?}", after_made.changed)
    })?;
    let quiet = wait(world, &watched, &after_made.cursor, 2).await?;
    holds(quiet.changed == Changed::Nothing, || format!("once more: {:?}", quiet.changed))?;
    came(world.writer.delete_lease(&made).await)?;
    let after_gone = wait(world, &watched, &quiet.cursor, 60).await?;
    holds(after_gone.changed == Changed::Some(watched.clone()), || {
        format!("gone: {:?}", after_gone.changed)
    })?;
    // The older moment is as good as before.
    let again = wait(world, &watched, &cursor, 60).await?;
    holds(again.changed == Changed::Some(watched), || format!("from the start: {:?}", again.changed))
}

async fn nothing(world: &KubeWorld<'_>) -> Verdict {
    let watched =
        BTreeSet::from([Watched::Leases("no-such-namespace".to_owned()), Watched::VolumeAttachments]);
    let cursor = came(world.reader.cursor(&watched).await)?;
    let began = world.clock.now();
    let changes = wait(world, &watched, &cursor, 3).await?;
    let waited = world.clock.now().duration_since(began).as_secs();
    holds(changes.changed == Changed::Nothing && (3..30).contains(&waited), || {
        format!("{:?} after {waited} s", changes.changed)
    })
}

async fn kinds(world: &KubeWorld<'_>) -> Verdict {
    let watched = BTreeSet::from([
        Watched::Nodes,
        Watched::Leases("no-such-namespace".to_owned()),
        Watched::PodsOnNode("no-such-node".to_owned()),
    ]);
    let cursor = came(world.reader.cursor(&watched).await)?;
    patched(world, |node| NodePatch::of(node).annotate("eks-contract/watch", "x")).await?;
    let changes = wait(world, &watched, &cursor, 60).await?;
    patched(world, |node| NodePatch::of(node).unannotate("eks-contract/watch")).await?;
    holds(changes.changed == Changed::Some(BTreeSet::from([Watched::Nodes])), || {
        format!("{:?}", changes.changed)
    })
}
