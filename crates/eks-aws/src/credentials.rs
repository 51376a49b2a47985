//! Credentials that are kept until shortly before they expire, and can be renewed when a service
//! does not accept them.
//!
//! The SDKs have a cache of their own, which cannot be told that what it keeps is no longer
//! accepted. A roll takes hours and outlives sessions: somebody signs in anew, and the run goes on.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use aws_credential_types::Credentials;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider, future};
use tokio::sync::Mutex;

/// How long before their end credentials are replaced: longer than a call may take.
const BUFFER: Duration = Duration::from_mins(1);

/// Makes the chain of providers anew, which reads files anew.
pub(crate) type MakeChain =
    dyn Fn() -> Pin<Box<dyn Future<Output = Option<SharedCredentialsProvider>> + Send>> + Send + Sync;

/// Credentials with their cache. Clones share it.
#[derive(Clone)]
pub(crate) struct Renewing(Arc<Inner>);

struct Inner {
    make: Box<MakeChain>,
    generation: AtomicU64,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    chain: Option<SharedCredentialsProvider>,
    kept: Option<Credentials>,
}

impl Renewing {
    pub(crate) fn new(make: Box<MakeChain>) -> Self {
        Self(Arc::new(Inner { make, generation: AtomicU64::new(0), state: Mutex::default() }))
    }

    /// Which credentials are kept now: changes when they are thrown away.
    pub(crate) fn generation(&self) -> u64 {
        self.0.generation.load(Ordering::Acquire)
    }

    /// Throws the credentials of this generation away. Of many callers at once, only the first does.
    pub(crate) async fn renew(&self, generation: u64) {
        let mut state = self.0.state.lock().await;
        let (order, next) = (Ordering::AcqRel, generation.wrapping_add(1));
        if self.0.generation.compare_exchange(generation, next, order, Ordering::Acquire).is_ok() {
            *state = State::default();
        }
    }

    /// Credentials that are good for a while yet.
    pub(crate) async fn get(&self) -> Result<Credentials, CredentialsError> {
        let mut state = self.0.state.lock().await;
        if let Some(kept) = state.kept.as_ref().filter(|kept| is_good(kept, SystemTime::now())) {
            return Ok(kept.clone());
        }
        let chain = match state.chain.take() {
            Some(chain) => chain,
            None => (self.0.make)().await.ok_or_else(CredentialsError::not_loaded_no_source)?,
        };
        let credentials = chain.provide_credentials().await?;
        *state = State { chain: Some(chain), kept: Some(credentials.clone()) };
        Ok(credentials)
    }
}

fn is_good(credentials: &Credentials, now: SystemTime) -> bool {
    credentials.expiry().is_none_or(|end| now.checked_add(BUFFER).is_some_and(|soon| soon < end))
}

impl ProvideCredentials for Renewing {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::new(self.get())
    }
}

/// What is kept is not shown.
impl fmt::Debug for Renewing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Renewing").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counting(lifetime: Duration) -> (Renewing, Arc<AtomicU64>) {
        let made = Arc::new(AtomicU64::new(0));
        let count = Arc::clone(&made);
        let renewing = Renewing::new(Box::new(move || {
            let number = count.fetch_add(1, Ordering::SeqCst);
            Box::pin(async move {
                let end = SystemTime::now() + lifetime;
                let credentials =
                    Credentials::new(format!("AKID{number}"), "secret", None, Some(end), "test");
                Some(SharedCredentialsProvider::new(credentials))
            })
        }));
        (renewing, made)
    }

    #[tokio::test]
    async fn they_are_kept_while_they_are_good() {
        let (renewing, made) = counting(Duration::from_hours(1));
        for _ in 0..3 {
            assert_eq!(renewing.get().await.unwrap().access_key_id(), "AKID0");
        }
        assert_eq!(made.load(Ordering::SeqCst), 1);
        assert!(!format!("{renewing:?}").contains("AKID"));
    }

    #[tokio::test]
    async fn of_many_that_were_refused_one_renews() {
        let (renewing, made) = counting(Duration::from_hours(1));
        renewing.get().await.unwrap();
        let seen = renewing.generation();
        for _ in 0..5 {
            renewing.renew(seen).await;
            assert_eq!(renewing.get().await.unwrap().access_key_id(), "AKID1");
        }
        assert_eq!(made.load(Ordering::SeqCst), 2);
    }

    #[test]
    fn they_end_a_minute_before_their_end() {
        let now = SystemTime::UNIX_EPOCH;
        let ending = |seconds| {
            Credentials::new("AKID", "secret", None, Some(now + Duration::from_secs(seconds)), "test")
        };
        assert!(!is_good(&ending(60), now));
        assert!(is_good(&ending(61), now));
        assert!(is_good(&Credentials::new("AKID", "secret", None, None, "test"), now));
    }
}
