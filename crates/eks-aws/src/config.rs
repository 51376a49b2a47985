//! Where calls go and as whom: profile, region, endpoint, role, as everything that speaks to AWS
//! takes them.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use aws_config::identity::IdentityCache;
use aws_config::retry::RetryConfig;
use aws_config::sts::AssumeRoleProvider;
use aws_config::timeout::TimeoutConfig;
use aws_config::{AppName, BehaviorVersion, ConfigLoader, Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_sdk_eks::config::retry::{ClientRateLimiter, RetryPartition};
use eks_provider::{Class, ProviderError, Result, Sensitive};

use crate::credentials::Renewing;

/// How long a call may take, with everything: credentials, repeats of the SDK, waits between them.
///
/// Whoever holds a lease must be sure that a call which was sent is over before the lease is.
pub const CALL_TIMEOUT: Duration = Duration::from_secs(10);

/// How often the SDK sends a call, the first time included.
const ATTEMPTS: u32 = 3;

/// How long the SDK waits before it sends a call again. Without this, a client that calls seldom and is throttled
/// would wait for twenty seconds, its time would be over, and nobody would hear that it was throttled.
const LONGEST_WAIT: Duration = Duration::from_secs(2);

/// Where calls go and as whom. What is not said here is found as the AWS CLI finds it: environment,
/// files, SSO, web identity, the machine's role.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// The profile of the configuration files.
    pub profile: Option<String>,
    /// The region: `eu-west-1`.
    pub region: Option<String>,
    /// Where all services answer, instead of AWS. Without it, `AWS_ENDPOINT_URL` and
    /// `AWS_ENDPOINT_URL_EKS`, `…_AUTO_SCALING`, `…_EC2`, … are heeded.
    pub endpoint_url: Option<String>,
    /// A role to take on.
    pub role: Option<AssumedRole>,
    /// Keys instead of the chain: for a world that is not AWS.
    pub keys: Option<Keys>,
    /// Who is calling, as CloudTrail shows it: `eks-roll-nodes`. Letters, digits and `-`.
    pub application: Option<String>,
}

/// A role to take on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AssumedRole {
    /// Its ARN.
    pub arn: String,
    /// The name of the session, as CloudTrail shows it.
    pub session_name: Option<String>,
    /// What its owner wants to hear, where the role is in another account.
    pub external_id: Option<String>,
}

/// Keys of an identity.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Keys {
    /// The id of the key.
    pub access_key_id: String,
    /// The key.
    pub secret_access_key: Sensitive,
    /// The token of the session, where there is one.
    pub session_token: Option<Sensitive>,
}

/// All services that an upgrade needs, behind the traits of [`eks_provider::aws`]. Clones share
/// connections and credentials.
#[derive(Clone)]
pub struct Aws {
    pub(crate) region: String,
    pub(crate) credentials: Renewing,
    pub(crate) eks: aws_sdk_eks::Client,
    pub(crate) autoscaling: aws_sdk_autoscaling::Client,
    pub(crate) ec2: aws_sdk_ec2::Client,
    pub(crate) ssm: aws_sdk_ssm::Client,
    pub(crate) sts: aws_sdk_sts::Client,
    pub(crate) iam: aws_sdk_iam::Client,
    pub(crate) kms: aws_sdk_kms::Client,
    pub(crate) quotas: aws_sdk_servicequotas::Client,
    pub(crate) balancers: aws_sdk_elasticloadbalancingv2::Client,
    pub(crate) classic_balancers: aws_sdk_elasticloadbalancing::Client,
}

impl Aws {
    /// Clients for these options and the surroundings. Sends nothing to a service of AWS yet; whether the
    /// credentials are good shows at the first call
    /// ([`IdentityReader::get_caller_identity`](eks_provider::aws::IdentityReader::get_caller_identity)).
    ///
    /// # Errors
    /// [`Class::Invalid`] where no region is known, or the name of the application cannot be sent.
    pub async fn from_environment(options: &Options) -> Result<Self> {
        let config = loader(options)?.load().await;
        // Found once: asking the machine for its region takes time.
        let region = config.region().map(|region| region.as_ref().to_owned());
        Self::from_config(&config, renewing(Options { region, ..options.clone() }))
    }

    /// Clients for a configuration, with the credentials from somewhere else.
    pub(crate) fn from_config(config: &SdkConfig, credentials: Renewing) -> Result<Self> {
        let Some(region) = config.region() else {
            return Err(wrong("no region is known; name one, or set AWS_REGION, or set it in the profile"));
        };
        let config = config
            .to_builder()
            .credentials_provider(SharedCredentialsProvider::new(credentials.clone()))
            .identity_cache(IdentityCache::no_cache())
            .build();
        let now = config.time_source().unwrap_or_default().now();
        let now = now.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs_f64();
        // How fast a service may be called and how much may be repeated, this client learns for itself: others of
        // the process may be in another account, or in another world.
        macro_rules! client {
            ($sdk:ident) => {{
                let own =
                    RetryPartition::custom(stringify!($sdk)).client_rate_limiter(ClientRateLimiter::new(now));
                $sdk::Client::from_conf(
                    $sdk::config::Builder::from(&config).retry_partition(own.build()).build(),
                )
            }};
        }
        Ok(Self {
            region: region.as_ref().to_owned(),
            credentials,
            eks: client!(aws_sdk_eks),
            autoscaling: client!(aws_sdk_autoscaling),
            ec2: client!(aws_sdk_ec2),
            ssm: client!(aws_sdk_ssm),
            sts: client!(aws_sdk_sts),
            iam: client!(aws_sdk_iam),
            kms: client!(aws_sdk_kms),
            quotas: client!(aws_sdk_servicequotas),
            balancers: client!(aws_sdk_elasticloadbalancingv2),
            classic_balancers: client!(aws_sdk_elasticloadbalancing),
        })
    }

    /// The region that calls go to.
    pub fn region(&self) -> &str {
        &self.region
    }
}

/// No key is shown.
impl fmt::Debug for Aws {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Aws").field("region", &self.region).finish_non_exhaustive()
    }
}

fn wrong(why: impl Into<String>) -> ProviderError {
    ProviderError::new(Class::Invalid, "configure", "AWS").message(why)
}

/// What all clients have in common.
pub(crate) fn loader(options: &Options) -> Result<ConfigLoader> {
    let mut loader = aws_config::defaults(BehaviorVersion::latest())
        .retry_config(retries())
        .timeout_config(timeouts())
        .app_name(app_name(options.application.as_deref().unwrap_or("eks-aws"))?);
    if let Some(profile) = &options.profile {
        loader = loader.profile_name(profile);
    }
    if let Some(region) = &options.region {
        loader = loader.region(Region::new(region.clone()));
    }
    if let Some(url) = &options.endpoint_url {
        loader = loader.endpoint_url(url);
    }
    Ok(loader)
}

fn app_name(name: &str) -> Result<AppName> {
    AppName::new(name.to_owned()).map_err(|error| wrong(format!("the name `{name}` cannot be sent: {error}")))
}

/// Adaptive: besides repeating, the SDK slows its calls down as soon as a service throttles, all calls
/// to that service together. A roll reads much at a time, and other programs of the account share the
/// same limits.
///
/// Three times within [`CALL_TIMEOUT`] and not longer, since
/// [`RetryPolicy::CALL`](eks_provider::RetryPolicy::CALL) is above it: that one knows which call is safe
/// to repeat, has the time of the run, and can be stopped. Calls that must not be made twice are sent by
/// the SDK once ([`once`]).
pub(crate) fn retries() -> RetryConfig {
    RetryConfig::adaptive()
        .with_max_attempts(ATTEMPTS)
        .with_initial_backoff(Duration::from_millis(500))
        .with_max_backoff(LONGEST_WAIT)
}

/// No repeats: for a call that is not the same the second time. After an answer that did not come,
/// somebody must look first.
pub(crate) fn once() -> RetryConfig {
    RetryConfig::disabled()
}

pub(crate) fn timeouts() -> TimeoutConfig {
    TimeoutConfig::builder().connect_timeout(Duration::from_secs(3)).operation_timeout(CALL_TIMEOUT).build()
}

/// Credentials by these options: keys, or the chain, and a role on top.
fn renewing(options: Options) -> Renewing {
    let options = Arc::new(options);
    Renewing::new(Box::new(move || {
        let options = Arc::clone(&options);
        Box::pin(async move {
            let mut config = loader(&options).ok()?.load().await;
            if let Some(keys) = &options.keys {
                let keys = keys.credentials();
                config =
                    config.to_builder().credentials_provider(SharedCredentialsProvider::new(keys)).build();
            }
            let Some(role) = &options.role else {
                return config.credentials_provider();
            };
            let mut provider = AssumeRoleProvider::builder(&role.arn).configure(&config);
            if let Some(name) = &role.session_name {
                provider = provider.session_name(name);
            }
            if let Some(id) = &role.external_id {
                provider = provider.external_id(id);
            }
            Some(SharedCredentialsProvider::new(provider.build().await))
        })
    }))
}

impl Keys {
    fn credentials(&self) -> Credentials {
        let text = |secret: &Sensitive| String::from_utf8_lossy(secret.expose()).into_owned();
        let token = self.session_token.as_ref().map(text);
        Credentials::new(&self.access_key_id, text(&self.secret_access_key), token, None, "keys")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::support::{answer, recorded};
    use eks_provider::aws::{ClusterReader, IdentityReader};

    #[tokio::test]
    async fn a_call_says_who_is_calling() {
        let (aws, sent) = recorded(|_| answer(200, r#"{"clusters":[]}"#));
        aws.list_clusters().await.unwrap();
        let sent = sent.all();
        let agent = sent[0].headers["user-agent"].clone();
        assert!(agent.contains("app/eks-aws"), "{agent}");
        assert!(sent[0].headers["authorization"].contains("/eu-west-1/eks/aws4_request"));
    }

    #[tokio::test]
    async fn a_bad_name_and_no_region_are_said_before_anything_is_sent() {
        let options = Options { application: Some("my app/é".to_owned()), ..Options::default() };
        let error = Aws::from_environment(&options).await.unwrap_err();
        assert!(error.to_string().starts_with("configure on AWS: invalid request: the name `my app/é`"));
        let error =
            Aws::from_config(&SdkConfig::builder().build(), renewing(Options::default())).unwrap_err();
        assert_eq!(error.class(), Class::Invalid);
    }

    #[tokio::test]
    async fn nothing_secret_is_shown() {
        let keys = Keys {
            access_key_id: "AKID".to_owned(),
            secret_access_key: Sensitive::new(b"s3cret".to_vec()),
            session_token: Some(Sensitive::new(b"t0ken".to_vec())),
        };
        let options = Options {
            keys: Some(keys),
            region: Some("eu-west-1".to_owned()),
            endpoint_url: Some("http://127.0.0.1:1".to_owned()),
            ..Options::default()
        };
        let aws = Aws::from_environment(&options).await.unwrap();
        assert_eq!(aws.credentials.get().await.unwrap().secret_access_key(), "s3cret");
        let shown = format!("{options:?} {aws:?}");
        assert!(!shown.contains("s3cret") && !shown.contains("t0ken"), "{shown}");
    }

    #[tokio::test]
    async fn an_endpoint_that_nobody_listens_on_is_out_of_reach() {
        let keys = Keys {
            access_key_id: "AKID".to_owned(),
            secret_access_key: Sensitive::new(b"s3cret".to_vec()),
            session_token: None,
        };
        let options = Options {
            keys: Some(keys),
            region: Some("eu-west-1".to_owned()),
            endpoint_url: Some("http://127.0.0.1:1".to_owned()),
            ..Options::default()
        };
        let aws = Aws::from_environment(&options).await.unwrap();
        let error = aws.get_caller_identity().await.unwrap_err();
        assert_eq!(error.class(), Class::Transport, "{error}");
    }
}
