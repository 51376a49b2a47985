//! The system's clock.

use async_trait::async_trait;
use eks_provider::Clock;
use jiff::Timestamp;

/// The clock of the machine, for whoever is not in a test or in a simulated world.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

#[async_trait]
impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }

    async fn sleep_until(&self, deadline: Timestamp) {
        let left = deadline.duration_since(self.now());
        // In the past is now.
        tokio::time::sleep(left.try_into().unwrap_or_default()).await;
    }
}
