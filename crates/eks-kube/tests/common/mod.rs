//! A real control plane, and ways into it as Kubernetes clients of EKS have them.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use eks_cluster::Cluster;
use eks_kube::{KubeApi, KubeConnection};
use eks_provider::kube::{BearerToken, TokenSource};
use eks_provider::{Result, Sensitive};
use jiff::Timestamp;
use serde_json::Value;

/// Far more than anything here takes, on a machine that has other things to do.
pub(crate) const LONG: Duration = Duration::from_mins(3);

/// The token of a user, which lasts.
struct Given(String);

#[async_trait]
impl TokenSource for Given {
    async fn token(&self) -> Result<BearerToken> {
        let value = Sensitive::new(self.0.clone().into_bytes());
        let expires_at = Timestamp::now().checked_add(Duration::from_mins(14)).unwrap();
        Ok(BearerToken { value, expires_at })
    }
}

/// What DescribeCluster would say of the cluster, and the token of a user.
pub(crate) fn described(cluster: &Cluster, user: &str) -> KubeConnection {
    KubeConnection {
        endpoint: cluster.url(),
        certificate_authority: STANDARD.encode(cluster.ca_pem()),
        token: Arc::new(Given(cluster.token(user).unwrap().to_owned())),
    }
}

pub(crate) async fn connect(cluster: &Cluster, user: &str) -> KubeApi {
    KubeApi::connect(&described(cluster, user)).await.unwrap()
}

/// Makes an object as somebody else would: at `/apis/policy/v1/namespaces/shop/poddisruptionbudgets`.
pub(crate) async fn create(cluster: &Cluster, path: &str, object: &Value) {
    create_as(cluster, path, "application/json", object.to_string()).await;
}

/// As it is written in a file.
pub(crate) async fn create_as(cluster: &Cluster, path: &str, kind: &str, text: String) {
    let request = http::Request::post(path).header("content-type", kind).body(text.into_bytes()).unwrap();
    let made: Value = cluster.client().unwrap().request(request).await.unwrap();
    assert_ne!(made["kind"], "Status", "{made}");
}
