//! Workloads, and changes of them.

use eks_provider::Class;
use eks_provider::kube::{
    PageRequest, RestartWorkload, ScaleWorkload, SetImage, Workload, WorkloadKind, WorkloadQuery, WorkloadRef,
};

use super::super::{KubeWorld, Outcome, Verdict, came, checks, holds};
use super::{MINUTES, eventually, refused, whole};

pub(super) async fn all(world: &KubeWorld<'_>) -> Vec<Outcome> {
    checks![world;
        "workloads": "the Deployment is listed and rolled out; its ReplicaSet is among the ReplicaSets" => workloads,
        "set-image": "an image is set where it is the one that was read; the Deployment rolls, and back" => set_image,
        "restart": "a restart rolls the Pods, and is safe to repeat" => restart,
        "scale": "a number of Pods is set where it is the one that was read" => scale,
    ]
}

fn deployment(world: &KubeWorld<'_>) -> WorkloadRef {
    WorkloadRef {
        kind: WorkloadKind::Deployment,
        namespace: world.facts.namespace.clone(),
        name: world.facts.deployment.clone(),
    }
}

async fn rolled_out(world: &KubeWorld<'_>) -> Result<Workload, String> {
    let wanted = deployment(world);
    let look = || world.reader.get_workload(&wanted);
    eventually(world.clock, MINUTES, "the Deployment is rolled out", look, Workload::is_rolled_out).await
}

async fn workloads(world: &KubeWorld<'_>) -> Verdict {
    let alone = rolled_out(world).await?;
    holds(alone.desired == 3 && alone.status.ready == 3, || format!("{:?}", alone.status))?;
    holds(
        alone.selector.as_ref().is_some_and(|one| one.matches(&alone.template.labels) == Some(true)),
        || format!("{:?}", alone.selector),
    )?;
    for kind in WorkloadKind::ALL {
        let query =
            WorkloadQuery { namespace: Some(world.facts.namespace.clone()), ..WorkloadQuery::all(kind) };
        let mut request = Some(PageRequest::first(1));
        let mut found = Vec::new();
        while let Some(asked) = request {
            let page = came(world.reader.list_workloads(&query, &asked).await)?;
            request = page.next_request(1);
            found.extend(page.items);
        }
        holds(found.iter().all(|one| one.kind == kind), || format!("{found:?}"))?;
        let owned = |one: &Workload| one.meta.controller().is_some_and(|owner| owner.uid == alone.meta.uid);
        let as_it_should = match kind {
            WorkloadKind::Deployment => found.iter().any(|one| one.meta.uid == alone.meta.uid),
            WorkloadKind::ReplicaSet => found.iter().any(|one| owned(one) && one.desired == 3),
            WorkloadKind::StatefulSet
            | WorkloadKind::DaemonSet
            | WorkloadKind::Job
            | WorkloadKind::ReplicationController => !found.iter().any(|one| one.meta.uid == alone.meta.uid),
        };
        holds(as_it_should, || format!("{}s: {found:?}", kind.as_str()))?;
    }
    Ok(())
}

async fn set_image(world: &KubeWorld<'_>) -> Verdict {
    let before = rolled_out(world).await?;
    let container = before.template.spec.containers.first().ok_or("it has no container")?;
    let to = format!("{}-contract", container.image);
    let there = SetImage {
        workload: deployment(world),
        uid: before.meta.uid.clone(),
        container: container.name.clone(),
        from: container.image.clone(),
        to,
    };
    let wrong = SetImage { from: "somebody/elses:1".to_owned(), ..there.clone() };
    refused("another image", world.writer.set_image(&wrong).await, Class::Conflict)?;
    let wrong = SetImage { uid: "00000000-0000-0000-0000-000000000bad".to_owned(), ..there.clone() };
    refused("another uid", world.writer.set_image(&wrong).await, Class::Conflict)?;
    let wrong = SetImage { container: "no-such-container".to_owned(), ..there.clone() };
    refused("another container", world.writer.set_image(&wrong).await, Class::Invalid)?;
    let back = SetImage { from: there.to.clone(), to: there.from.clone(), ..there.clone() };
    for change in [&there, &back] {
        let after = came(world.writer.set_image(change).await)?;
        let image = after.template.spec.containers.first().map(|one| one.image.clone());
        holds(image.as_ref() == Some(&change.to), || format!("{image:?}"))?;
        holds(after.meta.generation > before.meta.generation && !after.is_rolled_out(), || {
            format!("rolled out at once: {:?}", after.status)
        })?;
        let rolled = rolled_out(world).await?;
        holds(rolled.meta.generation == after.meta.generation, || format!("{:?}", rolled.meta))?;
    }
    whole(world).await.map(drop)
}

async fn restart(world: &KubeWorld<'_>) -> Verdict {
    let pods = whole(world).await?;
    let before = rolled_out(world).await?;
    let request =
        RestartWorkload { workload: deployment(world), uid: before.meta.uid.clone(), at: world.clock.now() };
    let once = came(world.writer.restart_workload(&request).await)?;
    let twice = came(world.writer.restart_workload(&request).await)?;
    holds(
        once.meta.generation > before.meta.generation && twice.meta.generation == once.meta.generation,
        || format!("{:?}, {:?}, {:?}", before.meta.generation, once.meta.generation, twice.meta.generation),
    )?;
    let wrong = RestartWorkload { uid: "00000000-0000-0000-0000-000000000bad".to_owned(), ..request };
    refused("another uid", world.writer.restart_workload(&wrong).await, Class::Conflict)?;
    rolled_out(world).await?;
    let now = whole(world).await?;
    let same = now.iter().filter(|one| pods.iter().any(|pod| pod.meta.uid == one.meta.uid)).count();
    holds(same == 0, || format!("{same} Pods are the old ones"))
}

async fn scale(world: &KubeWorld<'_>) -> Verdict {
    let before = rolled_out(world).await?;
    let up = ScaleWorkload { workload: deployment(world), uid: before.meta.uid.clone(), from: 3, to: 4 };
    let wrong = ScaleWorkload { from: 2, ..up.clone() };
    refused("another number", world.writer.scale_workload(&wrong).await, Class::Conflict)?;
    let wrong = ScaleWorkload { uid: "00000000-0000-0000-0000-000000000bad".to_owned(), ..up.clone() };
    refused("another uid", world.writer.scale_workload(&wrong).await, Class::Conflict)?;
    came(world.writer.scale_workload(&up).await)?;
    let four = rolled_out(world).await?;
    holds(four.desired == 4 && four.status.ready == 4, || format!("{:?}", four.status))?;
    came(world.writer.scale_workload(&ScaleWorkload { from: 4, to: 3, ..up }).await)?;
    let three = rolled_out(world).await?;
    holds(three.desired == 3, || format!("{:?}", three.status))?;
    whole(world).await.map(drop)
}
