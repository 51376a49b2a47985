//! The command lines of the programs.

use std::path::Path;

use eks_model::KubeMinor;

use crate::options::Options;

/// The file that says where to ask whose a token is.
pub(crate) const TOKEN_WEBHOOK: &str = "token-webhook.yaml";

/// What the command lines have in common.
pub(crate) struct Place<'a> {
    pub(crate) folder: &'a Path,
    pub(crate) api: u16,
    pub(crate) etcd: u16,
    pub(crate) etcd_peer: u16,
}

impl Place<'_> {
    fn file(&self, name: &str) -> String {
        self.folder.join(name).display().to_string()
    }
}

pub(crate) fn etcd(place: &Place<'_>) -> Vec<String> {
    let client = format!("http://127.0.0.1:{}", place.etcd);
    let peer = format!("http://127.0.0.1:{}", place.etcd_peer);
    vec![
        "--name=test".to_owned(),
        format!("--data-dir={}", place.file("etcd")),
        format!("--listen-client-urls={client}"),
        format!("--advertise-client-urls={client}"),
        format!("--listen-peer-urls={peer}"),
        format!("--initial-advertise-peer-urls={peer}"),
        format!("--initial-cluster=test={peer}"),
        // The ports are reserved with a socket that allows it (see `Port`).
        "--socket-reuse-port=true".to_owned(),
        // Nothing here outlives the machine.
        "--unsafe-no-fsync=true".to_owned(),
    ]
}

pub(crate) fn api_server(place: &Place<'_>, minor: KubeMinor, options: &Options) -> Vec<String> {
    let mut flags = vec![
        format!("--etcd-servers=http://127.0.0.1:{}", place.etcd),
        "--bind-address=127.0.0.1".to_owned(),
        format!("--secure-port={}", place.api),
        "--permit-port-sharing=true".to_owned(),
        // Without these two it looks for an address that other machines could reach, and a machine
        // without a network has none.
        "--advertise-address=127.0.0.1".to_owned(),
        "--endpoint-reconciler-type=none".to_owned(),
        format!("--tls-cert-file={}", place.file("apiserver.crt")),
        format!("--tls-private-key-file={}", place.file("apiserver.key")),
        format!("--token-auth-file={}", place.file("tokens.csv")),
        "--authorization-mode=RBAC".to_owned(),
        format!("--service-account-key-file={}", place.file("service-accounts.key")),
        format!("--service-account-signing-key-file={}", place.file("service-accounts.key")),
        "--service-account-issuer=https://kubernetes.default.svc".to_owned(),
        // Pods need no token of a service account: nothing runs in them.
        "--disable-admission-plugins=ServiceAccount".to_owned(),
        "--service-cluster-ip-range=172.20.0.0/16".to_owned(),
        "--allow-privileged=true".to_owned(),
        // Asked to end, it would wait a minute for watches to end by themselves. So it finishes what it is
        // answering, refuses what is new (429, with Retry-After), and closes the watches after two seconds.
        "--shutdown-send-retry-after=true".to_owned(),
        format!("--emulated-version={minor}"),
    ];
    if options.token_webhook.is_some() {
        flags.push(format!("--authentication-token-webhook-config-file={}", place.file(TOKEN_WEBHOOK)));
        flags.push("--authentication-token-webhook-version=v1".to_owned());
        // A token that was good is asked about again after a second, so that one that expires is found out.
        flags.push("--authentication-token-webhook-cache-ttl=1s".to_owned());
    }
    if options.all_apis {
        flags.push("--runtime-config=api/all=true".to_owned());
    }
    if !options.gates.is_empty() {
        let gates: Vec<String> = options.gates.iter().map(|(name, on)| format!("{name}={on}")).collect();
        flags.push(format!("--feature-gates={}", gates.join(",")));
    }
    flags
}

pub(crate) fn controller_manager(place: &Place<'_>, minor: KubeMinor) -> Vec<String> {
    vec![
        format!("--kubeconfig={}", place.file("kubeconfig-kube-controller-manager")),
        "--controllers=*".to_owned(),
        format!("--service-account-private-key-file={}", place.file("service-accounts.key")),
        format!("--root-ca-file={}", place.file("ca.crt")),
        // There is only one, and nobody asks it for its health.
        "--leader-elect=false".to_owned(),
        "--secure-port=0".to_owned(),
        format!("--emulated-version={minor}"),
    ]
}

pub(crate) fn scheduler(place: &Place<'_>, minor: KubeMinor) -> Vec<String> {
    vec![
        format!("--kubeconfig={}", place.file("kubeconfig-kube-scheduler")),
        "--leader-elect=false".to_owned(),
        "--secure-port=0".to_owned(),
        format!("--emulated-version={minor}"),
    ]
}

pub(crate) fn kubelets(place: &Place<'_>) -> Vec<String> {
    vec![
        format!("--kubeconfig={}", place.file("kubeconfig-kubelets")),
        format!("--config={}", place.file("stages.yaml")),
        "--manage-all-nodes=true".to_owned(),
        "--node-lease-duration-seconds=40".to_owned(),
    ]
}
