//! A control plane goes up by a minor, and back, through the traits and in virtual time.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::time::Duration;

use eks_model::KubeMinor;
use eks_provider::aws::{
    ClusterReader, ClusterStatus, ClusterWriter, UpdateClusterVersion, UpdateReader, UpdateScope,
    UpdateStatus, UpdateType,
};
use eks_provider::{Class, Clock, Token};
use eks_sim::{Sim, World};

const SMALL: &str = include_str!("../../../examples/scenarios/small.yaml");

fn sim() -> Sim {
    Sim::new(World::from_scenario(SMALL).unwrap())
}

fn to(minor: u16, step: &str) -> UpdateClusterVersion {
    UpdateClusterVersion {
        cluster: "shop".to_owned(),
        version: KubeMinor::new(minor),
        force: false,
        rollback_timeout: None,
        token: Token::derive("run", step),
    }
}

/// Waits for the end of an update; how it ended, and after how long.
async fn end_of(sim: &Sim, id: &str) -> (UpdateStatus, Duration) {
    let started = sim.now();
    loop {
        let update = sim.describe_update(&UpdateScope::cluster("shop"), id).await.unwrap();
        if update.status != UpdateStatus::InProgress {
            return (update.status, sim.now().duration_since(started).unsigned_abs());
        }
        sim.sleep(Duration::from_secs(10)).await;
    }
}

#[test]
fn a_control_plane_goes_up_and_back() {
    let sim = sim();
    sim.run(async {
        let update = sim.update_cluster_version(&to(35, "up")).await.unwrap();
        assert_eq!((update.kind.clone(), update.param("Version")), (UpdateType::VersionUpdate, Some("1.35")));
        assert_eq!(sim.describe_cluster("shop").await.unwrap().status, ClusterStatus::Active, "not yet seen");
        sim.sleep(Duration::from_secs(30)).await;
        assert_eq!(sim.describe_cluster("shop").await.unwrap().status, ClusterStatus::Updating);

        let again = sim.update_cluster_version(&to(35, "up")).await.unwrap();
        assert_eq!(again, update, "the same token, the same answer");
        let other = sim.update_cluster_version(&to(35, "another")).await.unwrap_err();
        assert_eq!(
            (other.class(), other.service_code()),
            (Class::InProgress, Some("ResourceInUseException"))
        );

        let (status, took) = end_of(&sim, &update.id).await;
        assert_eq!(status, UpdateStatus::Successful);
        assert!((400..=730).contains(&took.as_secs()), "{took:?}");
        let cluster = sim.describe_cluster("shop").await.unwrap();
        assert_eq!((cluster.version, cluster.status), (KubeMinor::new(35), ClusterStatus::Active));

        let back = sim.update_cluster_version(&to(34, "back")).await.unwrap();
        assert_eq!(back.kind, UpdateType::VersionRollback);
        assert_eq!(end_of(&sim, &back.id).await.0, UpdateStatus::Successful);
        assert_eq!(sim.describe_cluster("shop").await.unwrap().version, KubeMinor::new(34));
        let ids = sim.list_updates(&UpdateScope::cluster("shop")).await.unwrap();
        assert_eq!(ids, [back.id, update.id]);
    })
    .unwrap();
    let writes = sim.world().calls().iter().filter(|call| call.write).count();
    assert_eq!(writes, 4, "one of them refused");
}
