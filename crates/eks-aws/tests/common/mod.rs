//! What tests against a service on loopback have in common.
#![allow(dead_code, reason = "each test uses some of it")]

use async_trait::async_trait;
use eks_aws::{Aws, Keys, Options};
use eks_provider::{Clock, Sensitive};
use eks_sim::Sim;
use jiff::Timestamp;

/// The adapter on a service at this address, with keys that nobody looks at.
pub(crate) async fn at(url: &str) -> Aws {
    let keys = Keys {
        access_key_id: "AKIDEXAMPLE".to_owned(),
        secret_access_key: Sensitive::new(b"secret".to_vec()),
        session_token: None,
    };
    let options = Options {
        region: Some("eu-west-1".to_owned()),
        endpoint_url: Some(url.to_owned()),
        keys: Some(keys),
        ..Options::default()
    };
    Aws::from_environment(&options).await.unwrap()
}

/// The time of a world that somebody else asks: who waits on it moves it.
pub(crate) struct SimClock(pub(crate) Sim);

#[async_trait]
impl Clock for SimClock {
    fn now(&self) -> Timestamp {
        Clock::now(&self.0)
    }

    async fn sleep_until(&self, deadline: Timestamp) {
        let left = deadline.duration_since(Clock::now(&self.0));
        self.0.advance(left.try_into().unwrap_or_default());
    }
}
