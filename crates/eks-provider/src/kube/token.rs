//! Who the caller is to an API server: bearer tokens, and where new ones come from.

use async_trait::async_trait;
use jiff::Timestamp;

use crate::{Result, Sensitive};

/// A token that an API server knows its bearer by. On EKS it is made of a signed request to STS, and good
/// for about a quarter of an hour.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BearerToken {
    /// The token, as it stands after `Bearer `. It is as good as the caller's own credentials while it lasts.
    pub value: Sensitive,
    /// When it ends. Whoever uses it asks for a new one before that.
    pub expires_at: Timestamp,
}

/// Where tokens come from. Whoever calls an API server asks anew before a token ends, and once when the API
/// server does not accept it; what is between is kept there, so a source need not keep anything.
///
/// ```
/// use eks_provider::kube::{BearerToken, TokenSource};
/// use eks_provider::{Result, Sensitive};
///
/// /// A token that was handed in, for a test.
/// struct Given(BearerToken);
///
/// #[async_trait::async_trait]
/// impl TokenSource for Given {
///     async fn token(&self) -> Result<BearerToken> {
///         Ok(self.0.clone())
///     }
/// }
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let value = Sensitive::new(b"k8s-aws-v1.aHR0cHM".to_vec());
/// let given = Given(BearerToken { value, expires_at: "2026-11-24T12:14:00Z".parse().unwrap() });
/// assert_eq!(format!("{:?}", given.token().await.unwrap().value), "<18 bytes>");
/// # }
/// ```
#[cfg_attr(feature = "mock", mockall::automock)]
#[async_trait]
pub trait TokenSource: Send + Sync {
    /// A new token. Nothing of a cluster is asked; what it needs, if anything, is said by whoever makes it.
    async fn token(&self) -> Result<BearerToken>;
}
