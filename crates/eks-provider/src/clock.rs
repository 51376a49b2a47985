//! Time as something handed in: what the present is, and how to wait for a later one.

use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::{Mutex, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;

/// The present, and waiting. Whoever decides by time, or waits, is handed one of these; so a test
/// waits for an hour in no time, and the simulated world has a time of its own.
///
/// There is no system clock here, since this crate must not pull in a runtime: the adapters bring
/// one. It is this much:
///
/// ```
/// use eks_provider::Clock;
/// use jiff::Timestamp;
///
/// struct SystemClock;
///
/// #[async_trait::async_trait]
/// impl Clock for SystemClock {
///     fn now(&self) -> Timestamp {
///         Timestamp::now()
///     }
///     async fn sleep_until(&self, deadline: Timestamp) {
///         let left = deadline.duration_since(self.now());
///         tokio::time::sleep(left.try_into().unwrap_or_default()).await;
///     }
/// }
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// # let before = SystemClock.now();
/// # SystemClock.sleep(std::time::Duration::from_millis(2)).await;
/// # assert!(SystemClock.now() > before);
/// # SystemClock.sleep_until(before).await;
/// # }
/// ```
#[cfg_attr(feature = "mock", mockall::automock)]
#[async_trait]
pub trait Clock: Send + Sync {
    /// The present.
    fn now(&self) -> Timestamp;

    /// Waits until the present is `deadline` or later; returns at once when it is already.
    async fn sleep_until(&self, deadline: Timestamp);

    /// Waits this long.
    async fn sleep(&self, duration: Duration) {
        self.sleep_until(after(self.now(), duration)).await;
    }
}

/// The moment this long after another; the last moment there is, where that is beyond it.
fn after(start: Timestamp, duration: Duration) -> Timestamp {
    start.checked_add(duration).unwrap_or(Timestamp::MAX)
}

/// A clock for tests: time stands still until it is moved ([`ManualClock::new`]), or jumps to
/// whatever is waited for ([`ManualClock::jumping`]).
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// use std::time::Duration;
/// use eks_provider::{Clock, ManualClock};
///
/// let start = "2026-11-24T12:00:00Z".parse().unwrap();
/// let clock = ManualClock::jumping(start);
/// clock.sleep(Duration::from_secs(3600)).await;
/// assert_eq!(clock.now().to_string(), "2026-11-24T13:00:00Z");
/// # }
/// ```
#[derive(Debug)]
pub struct ManualClock {
    jumps: bool,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    now: Timestamp,
    /// Who waits, by deadline and then by order of arrival.
    sleepers: BTreeMap<(Timestamp, u64), Waker>,
    arrivals: u64,
}

impl ManualClock {
    /// A clock that stands at `start` until [`ManualClock::advance`] moves it.
    pub fn new(start: Timestamp) -> Self {
        let state = State { now: start, sleepers: BTreeMap::new(), arrivals: 0 };
        Self { jumps: false, state: Mutex::new(state) }
    }

    /// A clock on which every wait is over at once, and has taken its time. For one task; several
    /// that wait side by side want a clock that is moved by hand.
    pub fn jumping(start: Timestamp) -> Self {
        Self { jumps: true, ..Self::new(start) }
    }

    /// Moves the present on, and wakes whoever waited for it.
    pub fn advance(&self, by: Duration) {
        let to = after(self.now(), by);
        self.advance_to(to);
    }

    /// Moves the present to `to`, and wakes whoever waited for it. Time does not go back: an
    /// earlier moment changes nothing.
    pub fn advance_to(&self, to: Timestamp) {
        let mut state = self.state();
        state.now = state.now.max(to);
        let later = match state.now.checked_add(Duration::from_nanos(1)) {
            Ok(next) => state.sleepers.split_off(&(next, 0)),
            Err(_) => BTreeMap::new(),
        };
        let due = std::mem::replace(&mut state.sleepers, later);
        drop(state);
        // Outside the lock: a waker may ask for the time.
        for waker in due.into_values() {
            waker.wake();
        }
    }

    /// The earliest moment that somebody waits for: where a simulation goes next.
    pub fn next_deadline(&self) -> Option<Timestamp> {
        self.state().sleepers.keys().next().map(|(deadline, _)| *deadline)
    }

    /// A panic elsewhere leaves the state whole: every change of it is one assignment.
    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        self.state().now
    }

    async fn sleep_until(&self, deadline: Timestamp) {
        if self.jumps {
            self.advance_to(deadline);
        } else {
            Sleep { clock: self, deadline, place: None }.await;
        }
    }
}

/// A wait on a [`ManualClock`]; leaves the queue when it is dropped.
struct Sleep<'a> {
    clock: &'a ManualClock,
    deadline: Timestamp,
    place: Option<u64>,
}

impl Future for Sleep<'_> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let mut state = self.clock.state();
        if state.now >= self.deadline {
            return Poll::Ready(());
        }
        let place = self.place.unwrap_or_else(|| {
            state.arrivals += 1;
            state.arrivals
        });
        state.sleepers.insert((self.deadline, place), context.waker().clone());
        drop(state);
        self.place = Some(place);
        Poll::Pending
    }
}

impl Drop for Sleep<'_> {
    fn drop(&mut self) {
        if let Some(place) = self.place {
            self.clock.state().sleepers.remove(&(self.deadline, place));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    fn clock() -> Arc<ManualClock> {
        Arc::new(ManualClock::new("2026-11-24T12:00:00Z".parse().unwrap()))
    }

    #[tokio::test]
    async fn sleepers_wake_at_their_deadline_and_not_before() {
        let clock = clock();
        let (first, second) = (clock.clone(), clock.clone());
        let short = tokio::spawn(async move { first.sleep(Duration::from_secs(10)).await });
        let long = tokio::spawn(async move { second.sleep(Duration::from_mins(1)).await });
        tokio::task::yield_now().await;
        assert_eq!(clock.next_deadline(), Some(after(clock.now(), Duration::from_secs(10))));
        clock.advance(Duration::from_secs(9));
        tokio::task::yield_now().await;
        assert!(!short.is_finished());
        clock.advance(Duration::from_secs(1));
        short.await.unwrap();
        assert!(!long.is_finished());
        assert_eq!(clock.next_deadline(), Some(after(clock.now(), Duration::from_secs(50))));
        clock.advance(Duration::from_secs(50));
        long.await.unwrap();
        assert_eq!(clock.next_deadline(), None);
    }

    #[tokio::test]
    async fn a_wait_that_is_given_up_leaves_nothing_behind() {
        let clock = clock();
        {
            let wait = clock.sleep(Duration::from_secs(10));
            tokio::select! {
                biased;
                () = wait => unreachable!("time stands still"),
                () = std::future::ready(()) => {}
            }
        }
        assert_eq!(clock.next_deadline(), None);
    }

    #[tokio::test]
    async fn time_does_not_go_back_and_waits_for_the_past_are_over() {
        let clock = clock();
        let start = clock.now();
        clock.advance(Duration::from_secs(5));
        clock.advance_to(start);
        assert_eq!(clock.now().duration_since(start).as_secs(), 5);
        clock.sleep_until(start).await;
        clock.sleep(Duration::ZERO).await;
        // The end of time is a moment like others.
        let end = clock.clone();
        let wait = tokio::spawn(async move { end.sleep(Duration::MAX).await });
        tokio::task::yield_now().await;
        clock.advance(Duration::MAX);
        wait.await.unwrap();
    }
}
