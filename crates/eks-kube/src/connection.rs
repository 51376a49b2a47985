//! How a cluster is reached: as DescribeCluster describes it, or as a kubeconfig does.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use eks_provider::kube::TokenSource;
use eks_provider::{Class, ProviderError, Result};
use http::header::USER_AGENT;
use http::{HeaderValue, Uri};
use kube::config::{Cluster, Context, KubeConfigOptions, Kubeconfig, NamedCluster, NamedContext};
use kube::{Client, Config};

use crate::api::KubeApi;
use crate::authority;
use crate::bearer::Bearer;

/// How long a connection may take to come about.
const CONNECT: Duration = Duration::from_secs(10);

/// What a cluster and its context are called where a kubeconfig is made up.
const NAME: &str = "described";

/// A cluster as DescribeCluster describes it, and tokens that it knows the caller by. There is no doubt which
/// cluster is meant, and neither a kubeconfig nor the AWS command line is needed.
#[derive(Clone)]
pub struct KubeConnection {
    /// `Cluster::endpoint`: `https://0A1B.gr7.eu-west-1.eks.amazonaws.com`.
    pub endpoint: String,
    /// `Cluster::certificate_authority`: PEM, in base64. Only a server that it vouches for is talked to.
    pub certificate_authority: String,
    /// Where tokens come from.
    pub token: Arc<dyn TokenSource>,
}

impl fmt::Debug for KubeConnection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KubeConnection").field("endpoint", &self.endpoint).finish_non_exhaustive()
    }
}

/// A cluster as a kubeconfig describes it: for endpoints that are only reached through a bastion or a proxy.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct KubeconfigConnection {
    /// The file; `None` is what `$KUBECONFIG` names, or `~/.kube/config`.
    pub path: Option<PathBuf>,
    /// The context; `None` is the current one.
    pub context: Option<String>,
    /// `Cluster::certificate_authority` of the cluster that is meant. The kubeconfig must trust nothing else:
    /// otherwise it is another cluster, and that is an error. `None` believes the kubeconfig.
    pub certificate_authority: Option<String>,
}

impl KubeApi {
    /// Connects to a cluster as DescribeCluster describes it, through the proxy that `HTTPS_PROXY` names, unless
    /// `NO_PROXY` excepts it. Nothing is sent yet.
    ///
    /// To be called on a tokio runtime; anywhere else it is an error.
    pub async fn connect(connection: &KubeConnection) -> Result<Self> {
        let endpoint = connection.endpoint.as_str();
        let root = authority::described(&connection.certificate_authority, endpoint)?;
        let url: Uri = endpoint.parse().map_err(|error| failed(endpoint, Class::Invalid, &error))?;
        if url.scheme_str() != Some("https") {
            return Err(failed(endpoint, Class::Invalid, &"the endpoint is no https address"));
        }
        // kube looks for a proxy in the environment only on the way from a kubeconfig, so it gets one.
        let context = Context { cluster: NAME.to_owned(), ..Context::default() };
        let cluster = Cluster { server: Some(endpoint.to_owned()), ..Cluster::default() };
        let kubeconfig = Kubeconfig {
            clusters: vec![NamedCluster {
                name: NAME.to_owned(),
                cluster: Some(cluster),
                ..NamedCluster::default()
            }],
            contexts: vec![NamedContext {
                name: NAME.to_owned(),
                context: Some(context),
                ..NamedContext::default()
            }],
            current_context: Some(NAME.to_owned()),
            ..Kubeconfig::default()
        };
        let config = Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default()).await;
        let mut config = config.map_err(|error| failed(endpoint, Class::Invalid, &error))?;
        config.root_cert = Some(root);
        let client = client(config, endpoint)?;
        Ok(Self::new(client, Some(Bearer::new(connection.token.clone())), endpoint.to_owned()))
    }

    /// Connects to a cluster as a kubeconfig describes it, plugins for credentials included. Nothing is sent yet.
    ///
    /// To be called on a tokio runtime; anywhere else it is an error.
    pub async fn connect_by_kubeconfig(connection: &KubeconfigConnection) -> Result<Self> {
        let shown = match (&connection.path, &connection.context) {
            (Some(path), Some(context)) => format!("context {context} of {}", path.display()),
            (Some(path), None) => format!("the current context of {}", path.display()),
            (None, Some(context)) => format!("context {context} of the kubeconfig"),
            (None, None) => "the current context of the kubeconfig".to_owned(),
        };
        let options =
            KubeConfigOptions { context: connection.context.clone(), ..KubeConfigOptions::default() };
        let config = match &connection.path {
            Some(path) => match Kubeconfig::read_from(path) {
                Ok(kubeconfig) => Config::from_custom_kubeconfig(kubeconfig, &options).await,
                Err(error) => Err(error),
            },
            None => Config::from_kubeconfig(&options).await,
        };
        let config = config.map_err(|error| failed(&shown, Class::Invalid, &error))?;
        if let Some(text) = &connection.certificate_authority {
            let described = authority::described(text, &config.cluster_url.to_string())?;
            if config.accept_invalid_certs {
                let why = "it says insecure-skip-tls-verify, so it cannot be told which server answers";
                return Err(failed(&shown, Class::Conflict, &why));
            }
            authority::same(config.root_cert.as_ref(), &described)
                .map_err(|why| failed(&shown, Class::Conflict, &why))?;
        }
        let server = config.cluster_url.to_string();
        Ok(Self::new(client(config, &shown)?, None, server))
    }
}

fn client(mut config: Config, shown: &str) -> Result<Client> {
    if tokio::runtime::Handle::try_current().is_err() {
        return Err(failed(shown, Class::Other, &"a connection can only be made on a tokio runtime"));
    }
    config.connect_timeout = Some(CONNECT);
    // Whoever asked decides whether to ask again; a 429 of a budget is an answer.
    config.default_retry = false;
    let agent = HeaderValue::from_static(concat!("eks-kube/", env!("CARGO_PKG_VERSION")));
    config.headers.push((USER_AGENT, agent));
    Client::try_from(config).map_err(|error| failed(shown, Class::Invalid, &error))
}

fn failed(target: &str, class: Class, why: &dyn fmt::Display) -> ProviderError {
    ProviderError::new(class, "connect", target).message(why.to_string())
}
