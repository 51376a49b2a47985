//! Who the caller is to the API server of a cluster: a request to STS that is signed and not sent.
//!
//! The API server sends it, and STS tells it whose it is. So nothing of a cluster is asked here, no
//! kubeconfig and no other program is needed, and a token is good for one cluster: its name is signed too.

use std::fmt;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use aws_credential_types::provider::error::CredentialsError;
use aws_sdk_sts::config::interceptors::BeforeTransmitInterceptorContextRef;
use aws_sdk_sts::config::{Builder, ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_sts::error::BoxError;
use aws_sigv4::http_request::{SignableBody, SignableRequest, SignatureLocation, SigningSettings, sign};
use aws_sigv4::sign::v4;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use eks_provider::kube::{BearerToken, TokenSource};
use eks_provider::{Class, Clock, Result, Sensitive};
use jiff::Timestamp;

use crate::Aws;
use crate::call::What;
use crate::config::once;
use crate::failure::{chain, credentials_class, failure};

/// How a token of EKS begins.
const PREFIX: &str = "k8s-aws-v1.";
/// The header that names the cluster.
const CLUSTER: &str = "x-k8s-aws-id";
/// What the request says about itself. API servers take no other value than all clients of EKS write.
const EXPIRES: Duration = Duration::from_mins(1);
/// How long an API server takes a token for good, whatever it says: a quarter of an hour from its
/// signature. A minute of it is for clocks that differ.
const LIFETIME: Duration = Duration::from_mins(14);

/// Tokens for the API server of one cluster, from [`Aws::cluster_tokens`].
#[derive(Clone)]
pub struct ClusterTokens {
    aws: Aws,
    cluster: String,
    clock: Arc<dyn Clock>,
}

impl Aws {
    /// Where tokens for the API server of this cluster come from. `clock` says when they are signed.
    pub fn cluster_tokens(&self, cluster: impl Into<String>, clock: Arc<dyn Clock>) -> ClusterTokens {
        ClusterTokens { aws: self.clone(), cluster: cluster.into(), clock }
    }

    /// Where this client would send GetCallerIdentity: the regional endpoint, or the one that the options,
    /// the environment or the profile name. Sends nothing.
    async fn sts_endpoint(&self, what: &What) -> Result<String> {
        let seen = Endpoint::default();
        let call = self.sts.get_caller_identity().customize().interceptor(seen.clone());
        let end = call.config_override(Builder::new().retry_config(once())).send().await;
        match (seen.0.get(), end) {
            (Some(endpoint), _) => Ok(endpoint.clone()),
            (None, Err(error)) => Err(failure(what, &error)),
            (None, Ok(_)) => Err(what.error(Class::Other).message("STS has no endpoint")),
        }
    }
}

/// Looks where a request would go, and ends it there.
#[derive(Debug, Clone, Default)]
struct Endpoint(Arc<OnceLock<String>>);

impl Intercept for Endpoint {
    fn name(&self) -> &'static str {
        "Endpoint"
    }

    fn read_before_signing(
        &self,
        context: &BeforeTransmitInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> std::result::Result<(), BoxError> {
        // The first one holds; there is no second.
        let _ = self.0.set(context.request().uri().to_owned());
        Err("only the endpoint was asked for".into())
    }
}

#[async_trait]
impl TokenSource for ClusterTokens {
    async fn token(&self) -> Result<BearerToken> {
        let what = What::new("sts:GetCallerIdentity", format!("token for cluster {}", self.cluster));
        let endpoint = self.aws.sts_endpoint(&what).await?;
        let credentials = self.aws.credentials.get().await.map_err(|error: CredentialsError| {
            let class = credentials_class(&error).unwrap_or(Class::Unauthenticated);
            what.error(class).message(chain(&error))
        })?;
        let now = self.clock.now();
        let wrong =
            |error: &(dyn std::error::Error + 'static)| what.error(Class::Invalid).message(chain(error));

        let uri = format!("{}/?Action=GetCallerIdentity&Version=2011-06-15", endpoint.trim_end_matches('/'));
        let mut request = http::Request::get(&uri).body(()).map_err(|error| wrong(&error))?;
        let mut settings = SigningSettings::default();
        settings.signature_location = SignatureLocation::QueryParams;
        settings.expires_in = Some(EXPIRES);
        let credentials_end = credentials.expiry();
        let identity = credentials.into();
        let parameters = v4::SigningParams::builder()
            .identity(&identity)
            .region(&self.aws.region)
            .name("sts")
            .time(SystemTime::try_from(now).map_err(|error| wrong(&error))?)
            .settings(settings)
            .build()
            .map_err(|error| wrong(&error))?
            .into();
        let headers = [(CLUSTER, self.cluster.as_str())];
        let signable = SignableRequest::new("GET", &uri, headers.into_iter(), SignableBody::Bytes(&[]))
            .map_err(|error| wrong(&error))?;
        let (instructions, _) = sign(signable, &parameters).map_err(|error| wrong(&error))?.into_parts();
        instructions.apply_to_request_http1x(&mut request);

        let value = format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(request.uri().to_string()));
        let by_age = now.checked_add(LIFETIME).unwrap_or(Timestamp::MAX);
        // STS asks for the signer's credentials when the API server does, not when they signed.
        let by_credentials = credentials_end.and_then(|end| Timestamp::try_from(end).ok());
        Ok(BearerToken {
            value: Sensitive::new(value.into_bytes()),
            expires_at: by_credentials.map_or(by_age, |end| end.min(by_age)),
        })
    }
}

impl fmt::Debug for ClusterTokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClusterTokens").field("cluster", &self.cluster).finish_non_exhaustive()
    }
}
