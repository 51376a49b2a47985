//! The token that is used now, and when a new one is asked for.

use std::sync::Arc;
use std::time::Duration;

use eks_provider::kube::{BearerToken, TokenSource};
use eks_provider::{Class, Clock, ProviderError, Result};
use http::HeaderValue;
use tokio::sync::Mutex;

/// A token that ends so soon is not used any more: a call with it may still be under way when it ends, and
/// the clocks of two machines differ.
const MARGIN: Duration = Duration::from_mins(2);

/// A source of tokens with the last one that it gave.
pub(crate) struct Bearer {
    source: Arc<dyn TokenSource>,
    /// Held while a new one is asked for, so that many calls ask once.
    kept: Mutex<Option<BearerToken>>,
}

impl Bearer {
    pub(crate) fn new(source: Arc<dyn TokenSource>) -> Self {
        Self { source, kept: Mutex::new(None) }
    }

    /// The header to send now. When no new token can be had, the old one is used as long as it is good.
    pub(crate) async fn header(&self, clock: &dyn Clock) -> Result<HeaderValue> {
        let mut kept = self.kept.lock().await;
        if let Some(token) = kept.as_ref().filter(|token| lasts(token, clock, MARGIN)) {
            return header(token);
        }
        match self.source.token().await {
            Ok(new) => {
                let header = header(&new)?;
                *kept = Some(new);
                Ok(header)
            }
            Err(error) => match kept.as_ref().filter(|token| lasts(token, clock, Duration::ZERO)) {
                Some(old) => {
                    tracing::warn!(%error, "no new token; the present one is good for a while yet");
                    header(old)
                }
                None => Err(error),
            },
        }
    }

    /// The API server did not accept this one: it is not used again, unless another call has a newer one by now.
    pub(crate) async fn refused(&self, sent: &HeaderValue) {
        let mut kept = self.kept.lock().await;
        if kept.as_ref().is_some_and(|token| header(token).is_ok_and(|header| header == *sent)) {
            *kept = None;
        }
    }
}

fn lasts(token: &BearerToken, clock: &dyn Clock, margin: Duration) -> bool {
    clock.now().checked_add(margin).is_ok_and(|then| then < token.expires_at)
}

fn header(token: &BearerToken) -> Result<HeaderValue> {
    let mut text = b"Bearer ".to_vec();
    text.extend_from_slice(token.value.expose());
    let mut value = HeaderValue::from_bytes(&text).map_err(|_| {
        // The token itself must not get into a message.
        ProviderError::new(Class::Malformed, "token", "the API server")
            .message("the token that was made cannot stand in a header")
    })?;
    value.set_sensitive(true);
    Ok(value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use eks_provider::mock::MockTokenSource;
    use eks_provider::{ManualClock, Sensitive};

    fn token(value: &str, expires_at: &str) -> BearerToken {
        let value = Sensitive::new(value.as_bytes().to_vec());
        BearerToken { value, expires_at: expires_at.parse().unwrap() }
    }

    fn bearer(tokens: Vec<Result<BearerToken>>) -> Bearer {
        let mut source = MockTokenSource::new();
        let mut tokens = tokens.into_iter();
        source.expect_token().returning(move || tokens.next().expect("no more tokens are asked for"));
        Bearer::new(Arc::new(source))
    }

    fn at(time: &str) -> ManualClock {
        ManualClock::new(time.parse().unwrap())
    }

    #[tokio::test]
    async fn a_token_is_kept_and_renewed_before_it_ends() {
        let bearer =
            bearer(vec![Ok(token("one", "2026-11-24T12:14:00Z")), Ok(token("two", "2026-11-24T12:26:00Z"))]);
        let clock = at("2026-11-24T12:00:00Z");
        assert_eq!(bearer.header(&clock).await.unwrap(), "Bearer one");
        clock.advance_to("2026-11-24T12:11:59Z".parse().unwrap());
        assert_eq!(bearer.header(&clock).await.unwrap(), "Bearer one");
        clock.advance_to("2026-11-24T12:12:00Z".parse().unwrap());
        assert_eq!(bearer.header(&clock).await.unwrap(), "Bearer two");
        assert!(bearer.header(&clock).await.unwrap().is_sensitive());
    }

    #[tokio::test]
    async fn while_no_new_one_can_be_had_the_old_one_is_used_to_its_end() {
        let down = || Err(ProviderError::new(Class::Transport, "sts:GetCallerIdentity", "eu-west-1"));
        let bearer = bearer(vec![Ok(token("one", "2026-11-24T12:14:00Z")), down(), down()]);
        let clock = at("2026-11-24T12:00:00Z");
        bearer.header(&clock).await.unwrap();
        clock.advance_to("2026-11-24T12:13:00Z".parse().unwrap());
        assert_eq!(bearer.header(&clock).await.unwrap(), "Bearer one");
        clock.advance_to("2026-11-24T12:14:00Z".parse().unwrap());
        let error = bearer.header(&clock).await.unwrap_err();
        assert_eq!(error.operation(), "sts:GetCallerIdentity");
    }

    #[tokio::test]
    async fn one_that_was_refused_is_not_used_again_and_a_newer_one_is_kept() {
        let end = "2026-11-24T13:00:00Z";
        let bearer = bearer(vec![Ok(token("one", end)), Ok(token("two", end))]);
        let clock = at("2026-11-24T12:00:00Z");
        let one = bearer.header(&clock).await.unwrap();
        bearer.refused(&one).await;
        assert_eq!(bearer.header(&clock).await.unwrap(), "Bearer two");
        // A second call that was sent with the old one comes to the same end later.
        bearer.refused(&one).await;
        assert_eq!(bearer.header(&clock).await.unwrap(), "Bearer two");
    }

    #[tokio::test]
    async fn a_token_that_is_none_is_not_shown() {
        let bearer = bearer(vec![Ok(token("s3cret\n", "2026-11-24T13:00:00Z"))]);
        let error = bearer.header(&at("2026-11-24T12:00:00Z")).await.unwrap_err();
        assert_eq!(error.class(), Class::Malformed);
        assert!(!error.to_string().contains("s3cret"), "{error}");
    }
}
