//! Clusters as they are described, and the calls that change them.

use async_trait::async_trait;
use eks_provider::Result;
use eks_provider::aws::{
    CancelUpdate, Cluster, ClusterReader, ClusterStatus, ClusterWriter, Update, UpdateClusterConfig,
    UpdateClusterVersion,
};
use jiff::Timestamp;

use crate::Sim;
use crate::aws::eks::{ClusterState, config, named, rollback, upgrade};
use crate::aws::tokens::once;

/// A cluster as it is described. It says `UPDATING` only a while after an update was taken ("the response is eventually
/// consistent", <https://docs.aws.amazon.com/eks/latest/APIReference/API_UpdateClusterVersion.html>), and not at all while the
/// nodes of Auto Mode are rolled back (<https://docs.aws.amazon.com/eks/latest/userguide/rollback-automode.html>).
pub(crate) fn described(state: &ClusterState, now: Timestamp) -> Cluster {
    let mut cluster = state.cluster.clone();
    if state.running.as_ref().is_some_and(|running| running.visible_at.is_some_and(|at| now >= at)) {
        cluster.status = ClusterStatus::Updating;
    }
    cluster
}

#[async_trait]
impl ClusterReader for Sim {
    async fn list_clusters(&self) -> Result<Vec<String>> {
        self.read("eks:ListClusters", "clusters", |view| Ok(view.aws.eks.clusters.keys().cloned().collect()))
            .await
    }

    async fn describe_cluster(&self, cluster: &str) -> Result<Cluster> {
        self.read("eks:DescribeCluster", format!("cluster {cluster}"), |view| {
            Ok(described(named(&view.aws.eks, cluster)?, view.now))
        })
        .await
    }
}

#[async_trait]
impl ClusterWriter for Sim {
    async fn update_cluster_version(&self, request: &UpdateClusterVersion) -> Result<Update> {
        let target = format!("cluster {}", request.cluster);
        self.write("eks:UpdateClusterVersion", target, request, |world| {
            once(world, "eks:UpdateClusterVersion", &request.token, request, |world| {
                let current = named(&world.aws.eks, &request.cluster)?.cluster.version;
                if request.version < current {
                    rollback::start(world, request)
                } else {
                    upgrade::start(world, request)
                }
            })
        })
        .await
    }

    async fn update_cluster_config(&self, request: &UpdateClusterConfig) -> Result<Update> {
        let target = format!("cluster {}", request.cluster);
        self.write("eks:UpdateClusterConfig", target, request, |world| {
            once(world, "eks:UpdateClusterConfig", &request.token, request, |world| {
                config::start(world, request)
            })
        })
        .await
    }

    async fn cancel_update(&self, request: &CancelUpdate) -> Result<Update> {
        let target = format!("update {} of cluster {}", request.update_id, request.cluster);
        self.write("eks:CancelUpdate", target, request, |world| {
            once(world, "eks:CancelUpdate", &request.token, request, |world| rollback::cancel(world, request))
        })
        .await
    }
}
