//! The time of this machine.

use async_trait::async_trait;
use eks_provider::Clock;
use jiff::Timestamp;

/// The time of this machine, with tokio's timer to wait on.
///
/// It is here and not in `eks-provider`, since that must not pull in a runtime; and here rather than in a
/// binary, since this crate waits itself (for change, until a deadline), and whoever uses it has tokio anyway.
///
/// A machine that was suspended finds the deadline passed when it wakes: the timer is set for a minute at
/// most, then the time is looked at again.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

/// After so long the time is looked at again: a timer stands still while the machine sleeps.
const LOOK: std::time::Duration = std::time::Duration::from_mins(1);

#[async_trait]
impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }

    async fn sleep_until(&self, deadline: Timestamp) {
        loop {
            let left: std::time::Duration =
                deadline.duration_since(self.now()).try_into().unwrap_or_default();
            if left.is_zero() {
                return;
            }
            tokio::time::sleep(left.min(LOOK)).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[tokio::test]
    async fn it_waits_until_the_deadline_and_not_for_what_is_past() {
        let clock = SystemClock;
        let start = clock.now();
        clock.sleep(Duration::from_millis(20)).await;
        let woken = clock.now();
        assert!(woken.duration_since(start) >= jiff::SignedDuration::from_millis(20));
        clock.sleep_until(start).await;
        assert!(clock.now().duration_since(woken) < jiff::SignedDuration::from_secs(5));
    }
}
