//! The AWS traits of [`eks_provider`], on the real services: EKS, EC2 Auto Scaling, EC2, SSM, STS, IAM,
//! KMS, Service Quotas and Elastic Load Balancing.
//!
//! This is the only crate that names the AWS SDKs, so nothing else has to compile them. It decides
//! nothing: each method is one call (or one list, to its end), and says what came back in the types of
//! `eks-provider`.
//!
//! - [`Aws`] has every trait of [`AwsReader`](eks_provider::AwsReader) and
//!   [`AwsWriter`](eks_provider::AwsWriter). Credentials, region and endpoints are found as the AWS CLI finds
//!   them (profile, SSO, assumed role, web identity, `AWS_ENDPOINT_URL` and `AWS_ENDPOINT_URL_EKS`, …), or are said in
//!   [`Options`].
//! - [`ClusterTokens`] makes the bearer tokens of a cluster's API server, so that a Kubernetes client
//!   needs no kubeconfig and no AWS CLI.
//! - [`SystemClock`] is the clock for whoever is not in a test.
//!
//! What holds for every call:
//!
//! - A **list** is read to its end, or it is an error. A page that leads back to an earlier one is an error
//!   too. Where one name of many that is not there makes the whole call fail, the others are found all the same.
//! - An **error** says which call, on what, the service's code, message and request id, and a
//!   [`Class`](eks_provider::Class). An answer without a code (HTML of a gateway) is never "there is no such
//!   thing". A field that must be there and is not is named.
//! - A **word** that a service has added since is kept as text.
//! - **Time** is bounded: a call takes at most [`CALL_TIMEOUT`], with the SDK's own repeats. The SDK
//!   slows down by itself when a service throttles. Longer repeats are the caller's
//!   ([`retrying`](eks_provider::retrying)). What must not be done twice is sent once, or carries the token
//!   of the request.
//! - **Credentials** that a service does not accept are read anew once, and the call is sent again: somebody may
//!   have signed in since.
//!
//! # Map
//! | module | traits |
//! |---|---|
//! | `eks` | clusters, updates, versions, insights, add-ons, node groups, Fargate profiles, access entries, certificate authorities |
//! | `autoscaling` | groups, their settings, their instances |
//! | `ec2` | launch templates, instances, instance types, images, networks |
//! | `keys`, `identity`, `ssm`, `quotas`, `load_balancing` | as they are called |
//! | `config`, `credentials` | where calls go, and as whom |
//! | `call`, `failure` | what every call goes through |
//! | `cluster_token` | tokens for API servers |
//!
//! # Example
//! ```no_run
//! use std::sync::Arc;
//!
//! use eks_aws::{Aws, Options, SystemClock};
//! use eks_provider::Result;
//! use eks_provider::aws::ClusterReader;
//! use eks_provider::kube::TokenSource;
//!
//! # async fn example() -> Result<()> {
//! let options = Options { region: Some("eu-west-1".to_owned()), ..Options::default() };
//! let aws = Aws::from_environment(&options).await?;
//! for name in aws.list_clusters().await? {
//!     let cluster = aws.describe_cluster(&name).await?;
//!     println!("{name} is at {}", cluster.version);
//! }
//! let token = aws.cluster_tokens("shop", Arc::new(SystemClock)).token().await?;
//! println!("good until {}", token.expires_at);
//! # Ok(())
//! # }
//! ```

mod autoscaling;
mod call;
mod clock;
mod cluster_token;
mod config;
mod credentials;
mod ec2;
mod eks;
mod failure;
mod identity;
mod keys;
mod load_balancing;
mod quotas;
mod ssm;
#[cfg(test)]
mod tests;

pub use clock::SystemClock;
pub use cluster_token::ClusterTokens;
pub use config::{AssumedRole, Aws, CALL_TIMEOUT, Keys, Options};

/// Every trait of AWS, and the source of tokens: whoever forgets one is told by the compiler.
const _: () = {
    const fn everything<T: eks_provider::AwsReader + eks_provider::AwsWriter>() {}
    const fn tokens<T: eks_provider::kube::TokenSource>() {}
    everything::<Aws>();
    tokens::<ClusterTokens>();
};
