//! What only a real API server can show: connections, outages, and objects of every kind as it writes them.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod common;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use common::{connect, create, described};
use eks_cluster::{Cluster, NodeSpec, Options, Program};
use eks_kube::{KubeApi, KubeConnection, KubeconfigConnection};
use eks_provider::kube::{
    BearerToken, ChangeReader as _, Changed, Lease, LeaseWriter as _, NodeQuery, NodeReader as _, ObjectMeta,
    ServerReader as _, TokenSource, Watched,
};
use eks_provider::{Class, Result, Sensitive};
use jiff::Timestamp;
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

async fn small() -> Cluster {
    let cluster = Cluster::start(Options::default().api_only()).await.unwrap();
    cluster.add_node(&NodeSpec::new("a")).await.unwrap();
    cluster
}

fn authority(cluster: &Cluster) -> String {
    STANDARD.encode(cluster.ca_pem())
}

/// Tokens of nobody, counted.
struct Unknown(AtomicUsize);

#[async_trait]
impl TokenSource for Unknown {
    async fn token(&self) -> Result<BearerToken> {
        let number = self.0.fetch_add(1, Ordering::SeqCst);
        let expires_at = Timestamp::now().checked_add(Duration::from_mins(14)).unwrap();
        Ok(BearerToken { value: Sensitive::new(format!("nobodys-{number}").into_bytes()), expires_at })
    }
}

#[tokio::test]
async fn it_is_certain_which_cluster_is_meant() {
    let (cluster, other) = tokio::join!(small(), Cluster::start(Options::default().api_only()));
    let other = other.unwrap();
    let api = connect(&cluster, "reader").await;
    assert_eq!(api.list_nodes(&NodeQuery::default()).await.unwrap().len(), 1);

    // A server that another authority vouches for is not talked to: the token does not get there.
    let mistaken =
        KubeConnection { certificate_authority: authority(&other), ..described(&cluster, "reader") };
    let error = KubeApi::connect(&mistaken).await.unwrap().get_node("a").await.unwrap_err();
    assert_eq!(error.class(), Class::Transport);
    assert!(error.to_string().contains("certificate"), "{error}");

    // A token that is not accepted is renewed once.
    let unknown = Arc::new(Unknown(AtomicUsize::new(0)));
    let stranger = KubeConnection { token: unknown.clone(), ..described(&cluster, "reader") };
    let error = KubeApi::connect(&stranger).await.unwrap().get_node("a").await.unwrap_err();
    assert_eq!((error.class(), error.http_status()), (Class::Unauthenticated, Some(401)));
    assert_eq!(unknown.0.load(Ordering::SeqCst), 2);
    assert!(!error.to_string().contains("nobodys"), "{error}");

    // By a kubeconfig, with what DescribeCluster says of the cluster that is meant.
    let right = KubeconfigConnection {
        path: Some(cluster.kubeconfig_file()),
        context: None,
        certificate_authority: Some(authority(&cluster)),
    };
    let api = KubeApi::connect_by_kubeconfig(&right).await.unwrap();
    assert_eq!(api.get_node("a").await.unwrap().meta.name, "a");
    let wrong = KubeconfigConnection { certificate_authority: Some(authority(&other)), ..right.clone() };
    let error = KubeApi::connect_by_kubeconfig(&wrong).await.unwrap_err();
    assert_eq!(error.class(), Class::Conflict);
    assert_eq!(error.to_string().matches("sha256 ").count(), 2, "{error}");
    let nowhere = KubeconfigConnection { context: Some("no-such-context".to_owned()), ..right };
    let error = KubeApi::connect_by_kubeconfig(&nowhere).await.unwrap_err();
    assert!(error.class() == Class::Invalid && error.to_string().contains("no-such-context"), "{error}");
}

fn lease(name: &str) -> Lease {
    Lease {
        meta: ObjectMeta {
            name: name.to_owned(),
            namespace: Some("kube-system".to_owned()),
            ..ObjectMeta::default()
        },
        holder_identity: None,
        lease_duration: None,
        acquire_time: None,
        renew_time: None,
        lease_transitions: 0,
    }
}

#[tokio::test]
async fn an_outage_is_not_nothing_and_ends() {
    let cluster = small().await;
    let api = connect(&cluster, "admin").await;
    let watched = BTreeSet::from([Watched::Leases("kube-system".to_owned())]);
    let cursor = api.cursor(&watched).await.unwrap();
    let in_seconds = |seconds| Timestamp::now().checked_add(Duration::from_secs(seconds)).unwrap();

    cluster.stop_api_server().await.unwrap();
    assert_eq!(api.get_node("a").await.unwrap_err().class(), Class::Transport);
    let error = api.changed(&watched, &cursor, in_seconds(2)).await.unwrap_err();
    assert_eq!((error.class(), error.operation()), (Class::Transport, "watch leases"));

    // Whoever waits on is told when it is back: of the change, or that the history is forgotten.
    let waiting = api.changed(&watched, &cursor, in_seconds(120));
    let back = async {
        cluster.start_api_server().await.unwrap();
        api.create_lease(&lease("made-afterwards")).await.unwrap();
    };
    let (changes, ()) = tokio::join!(waiting, back);
    let changes = changes.unwrap();
    assert_ne!(changes.changed, Changed::Nothing);
    // And the new moment is a good one.
    let made = api.create_lease(&lease("made-later")).await.unwrap();
    let mut heard = api.changed(&watched, &changes.cursor, in_seconds(60)).await.unwrap();
    if heard.changed == Changed::Unknown {
        api.delete_lease(&made).await.unwrap();
        heard = api.changed(&watched, &heard.cursor, in_seconds(60)).await.unwrap();
    }
    assert_eq!(heard.changed, Changed::Some(watched));

    cluster.pause(Program::ApiServer).await.unwrap();
    let began = Instant::now();
    let error = api.clone().with_timeout(Duration::from_secs(1)).get_node("a").await.unwrap_err();
    assert_eq!(error.class(), Class::Timeout);
    assert!(began.elapsed() < Duration::from_secs(20), "{:?}", began.elapsed());
    cluster.resume(Program::ApiServer).await.unwrap();
    api.readyz().await.unwrap();
}

/// A proxy that joins whoever asks to whom it asks for, and counts.
async fn proxy() -> (String, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let joined = Arc::new(AtomicUsize::new(0));
    let count = joined.clone();
    tokio::spawn(async move {
        while let Ok((mut client, _)) = listener.accept().await {
            let count = count.clone();
            tokio::spawn(async move {
                let mut head = Vec::new();
                while !head.ends_with(b"\r\n\r\n") {
                    head.push(client.read_u8().await.unwrap());
                }
                let head = String::from_utf8(head).unwrap();
                let target = head.strip_prefix("CONNECT ").unwrap().split(' ').next().unwrap();
                let mut server = TcpStream::connect(target).await.unwrap();
                count.fetch_add(1, Ordering::SeqCst);
                client.write_all(b"HTTP/1.1 200 Connected\r\n\r\n").await.unwrap();
                let _ = tokio::io::copy_bidirectional(&mut client, &mut server).await;
            });
        }
    });
    (address, joined)
}

/// Says to this very program, started once more, that it is the one to ask.
const CHILD: &str = "EKS_KUBE_ASKS";

/// The environment is that of a process, so a second one asks. It is this test again.
#[tokio::test]
async fn the_proxy_of_the_environment_or_of_the_kubeconfig_is_gone_through() {
    if let Ok(asked) = std::env::var(CHILD) {
        let [endpoint, authority, token] = asked.split(' ').collect::<Vec<_>>().try_into().unwrap();
        let token = BearerToken {
            value: Sensitive::new(token.as_bytes().to_vec()),
            expires_at: Timestamp::now().checked_add(Duration::from_mins(14)).unwrap(),
        };
        let mut source = eks_provider::mock::MockTokenSource::new();
        source.expect_token().returning(move || Ok(token.clone()));
        let connection = KubeConnection {
            endpoint: endpoint.to_owned(),
            certificate_authority: authority.to_owned(),
            token: Arc::new(source),
        };
        KubeApi::connect(&connection).await.unwrap().get_node("a").await.unwrap();
        return;
    }
    let cluster = small().await;
    let (address, joined) = proxy().await;
    let asks = format!("{} {} {}", cluster.url(), authority(&cluster), cluster.token("reader").unwrap());
    let run = async |no_proxy: &str| {
        let this = std::env::current_exe().unwrap();
        let mut command = tokio::process::Command::new(this);
        let name = "the_proxy_of_the_environment_or_of_the_kubeconfig_is_gone_through";
        command.args(["--exact", name, "--nocapture"]).env(CHILD, &asks).kill_on_drop(true);
        command.env("HTTPS_PROXY", &address).env("NO_PROXY", no_proxy);
        let output = command.output().await.unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    };
    run("other.example.com").await;
    assert_eq!(joined.load(Ordering::SeqCst), 1);
    run("127.0.0.0/8").await;
    assert_eq!(joined.load(Ordering::SeqCst), 1);

    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("kubeconfig");
    let text = cluster.kubeconfig("reader").unwrap();
    let with_proxy = text.replacen("server:", &format!("proxy-url: {address}\n    server:"), 1);
    assert_ne!(text, with_proxy);
    std::fs::write(&path, with_proxy).unwrap();
    let connection = KubeconfigConnection { path: Some(path), ..KubeconfigConnection::default() };
    KubeApi::connect_by_kubeconfig(&connection).await.unwrap().get_node("a").await.unwrap();
    assert_eq!(joined.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn a_deprecated_api_that_was_asked_for_is_in_the_metrics() {
    let cluster = small().await;
    let api = connect(&cluster, "reader").await;
    let asked = |found: &[eks_provider::kube::DeprecatedApiRequest]| {
        found.iter().any(|one| one.resource == "componentstatuses" && one.version == "v1")
    };
    assert!(!asked(&api.requested_deprecated_apis().await.unwrap()));
    let request = http::Request::get("/api/v1/componentstatuses").body(Vec::new()).unwrap();
    let _: serde_json::Value = cluster.client().unwrap().request(request).await.unwrap();
    let found = api.requested_deprecated_apis().await.unwrap();
    assert!(asked(&found), "{found:?}");
}

#[tokio::test]
async fn an_upgrade_of_the_control_plane_is_followed() {
    let cluster = small().await;
    let api = connect(&cluster, "reader").await;
    let before = api.server_version().await.unwrap().kube_minor().unwrap();
    let next = before.next();
    cluster.upgrade_to(next).await.unwrap();
    assert_eq!(api.server_version().await.unwrap().kube_minor().unwrap(), next);
    let discovery = api.discovery().await.unwrap();
    assert!(discovery.unavailable.is_empty() && discovery.resources.len() > 50, "{discovery:?}");
}

#[tokio::test]
async fn a_service_that_serves_an_api_and_does_not_answer_is_unknown_and_not_nothing() {
    let cluster = small().await;
    let service = json!({
        "apiVersion": "apiregistration.k8s.io/v1", "kind": "APIService", "metadata": {"name": "v1beta1.metrics.k8s.io"},
        "spec": {
            "group": "metrics.k8s.io", "version": "v1beta1", "groupPriorityMinimum": 100, "versionPriority": 100,
            "insecureSkipTLSVerify": true, "service": {"namespace": "kube-system", "name": "metrics-server"},
        },
    });
    create(&cluster, "/apis/apiregistration.k8s.io/v1/apiservices", &service).await;
    let api = connect(&cluster, "reader").await;
    let deadline = Instant::now() + common::LONG;
    loop {
        let found = api.discovery().await.unwrap();
        if found.unavailable.contains("metrics.k8s.io/v1beta1") {
            assert!(!found.resources.iter().any(|one| one.resource.group == "metrics.k8s.io"));
            break;
        }
        assert!(Instant::now() < deadline, "{:?}", found.unavailable);
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}
