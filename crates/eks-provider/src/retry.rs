//! When to send a call again, and after how long: a pure function of the class of the failure,
//! the number of the attempt, and whether the call is safe to repeat.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::{Class, Clock, ProviderError, Result};

/// Whether a call may be sent again when it is not known whether it was carried out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Repeat {
    /// A second time does nothing more: a read, a call with an idempotency [`Token`](crate::Token),
    /// a call that sets a value, a call with a precondition.
    Safe,
    /// A second time does it a second time (terminate with decrement). After an unknown outcome
    /// somebody must look first.
    Unsafe,
}

/// How patient to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RetryPolicy {
    /// The first wait, at most; each further one is at most twice the one before.
    pub base: Duration,
    /// No wait is longer, but for one that the service asks for.
    pub cap: Duration,
    /// How many times a call is sent, the first time included.
    pub attempts: u32,
}

impl RetryPolicy {
    /// For one call: five times, within about a minute. Adapters have their SDK's own repeats below this.
    pub const CALL: Self = Self { base: Duration::from_secs(1), cap: Duration::from_secs(30), attempts: 5 };

    /// For evictions that a budget blocks: every 5 to 30 seconds; when to stop is a matter of the
    /// drain's deadline.
    pub const EVICTION: Self =
        Self { base: Duration::from_secs(10), cap: Duration::from_secs(30), attempts: u32::MAX };

    /// The wait after this attempt (1 is the first): grows twofold up to the cap, and lies between
    /// half of that and all of it, by the jitter (0 is half, `u32::MAX` all of it), so that many
    /// clients do not come back together.
    pub fn wait(&self, attempt: u32, jitter: u32) -> Duration {
        let doublings = attempt.saturating_sub(1).min(31);
        let full = self.base.saturating_mul(1 << doublings).min(self.cap);
        let half = full / 2;
        // In nanoseconds the product fits 128 bits by far.
        let share = half.as_nanos().saturating_mul(u128::from(jitter)) / u128::from(u32::MAX);
        half.saturating_add(Duration::from_nanos(u64::try_from(share).unwrap_or(u64::MAX))).min(full)
    }

    /// What to do after this failure of attempt number `attempt` (1 is the first).
    ///
    /// | class | call safe to repeat | call not safe to repeat |
    /// |---|---|---|
    /// | throttled, in progress | again | again: it was not carried out |
    /// | timeout, transport | again | look first |
    /// | conflict | read again, decide again | the same |
    /// | all others | give up | give up, or look first where it may have had an effect |
    ///
    /// ```
    /// use std::time::Duration;
    /// use eks_provider::{Class, Repeat, Retry, RetryPolicy};
    ///
    /// let retry = RetryPolicy::CALL.decide(Class::Timeout, 1, Repeat::Safe, None, 0);
    /// assert_eq!(retry, Retry::After(Duration::from_millis(500)));
    /// let retry = RetryPolicy::CALL.decide(Class::Timeout, 1, Repeat::Unsafe, None, 0);
    /// assert_eq!(retry, Retry::LookFirst);
    /// ```
    pub fn decide(
        &self,
        class: Class,
        attempt: u32,
        repeat: Repeat,
        asked: Option<Duration>,
        jitter: u32,
    ) -> Retry {
        let again = match class {
            Class::Throttled | Class::InProgress => true,
            Class::Timeout | Class::Transport => repeat == Repeat::Safe,
            Class::Conflict => return Retry::ReadAgain,
            Class::NotFound
            | Class::Denied
            | Class::Unauthenticated
            | Class::Invalid
            | Class::Malformed
            | Class::Other => false,
        };
        if !again {
            return match (repeat, class.may_have_had_effect()) {
                (Repeat::Unsafe, true) => Retry::LookFirst,
                (Repeat::Unsafe, false) | (Repeat::Safe, _) => Retry::GiveUp,
            };
        }
        if attempt >= self.attempts {
            return Retry::GiveUp;
        }
        let wait = self.wait(attempt, jitter);
        Retry::After(asked.map_or(wait, |asked| asked.max(wait)))
    }
}

/// What to do after a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Retry {
    /// Send the same call again after this long.
    After(Duration),
    /// Read what is there and decide again: the call was made on something that is no more.
    ReadAgain,
    /// Whether it was carried out is not known, and a second time would not be the same: find out.
    LookFirst,
    /// Repeating changes nothing, or has been tried often enough.
    GiveUp,
}

/// Where chance comes from: the edge has one seeded by the system, a test one with a known seed.
pub trait Jitter: Send + Sync {
    /// Any number, each as likely as every other.
    fn draw(&self) -> u32;
}

/// Chance from a seed (SplitMix64): the same seed, the same numbers.
#[derive(Debug)]
pub struct SeededJitter(AtomicU64);

impl SeededJitter {
    /// From this seed.
    pub fn new(seed: u64) -> Self {
        Self(AtomicU64::new(seed))
    }
}

impl Jitter for SeededJitter {
    fn draw(&self) -> u32 {
        const STEP: u64 = 0x9e37_79b9_7f4a_7c15;
        let mut z = self.0.fetch_add(STEP, Ordering::Relaxed).wrapping_add(STEP);
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        // The upper half is the better one.
        u32::try_from((z ^ (z >> 31)) >> 32).unwrap_or(u32::MAX)
    }
}

/// Sends a call until it succeeds, the policy gives up, or somebody has to look. The failure that
/// comes back is the last one.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// use eks_provider::{Class, ManualClock, ProviderError, Repeat, RetryPolicy, SeededJitter, retrying};
///
/// let clock = ManualClock::jumping("2026-11-24T12:00:00Z".parse().unwrap());
/// let mut answers = vec![Ok("ACTIVE"), Err(Class::Throttled), Err(Class::Timeout)];
/// let answer = retrying(&clock, &SeededJitter::new(7), RetryPolicy::CALL, Repeat::Safe, |_attempt| {
///     let next = answers.pop().unwrap();
///     async move { next.map_err(|class| ProviderError::new(class, "eks:DescribeCluster", "cluster shop")) }
/// })
/// .await;
/// assert_eq!(answer, Ok("ACTIVE"));
/// # }
/// ```
pub async fn retrying<T, F: Future<Output = Result<T>>>(
    clock: &(impl Clock + ?Sized),
    jitter: &(impl Jitter + ?Sized),
    policy: RetryPolicy,
    repeat: Repeat,
    mut call: impl FnMut(u32) -> F,
) -> Result<T> {
    let mut attempt: u32 = 1;
    loop {
        let error: ProviderError = match call(attempt).await {
            Ok(answer) => return Ok(answer),
            Err(error) => error,
        };
        match policy.decide(error.class(), attempt, repeat, error.wait_asked_for(), jitter.draw()) {
            Retry::After(wait) => clock.sleep(wait).await,
            Retry::ReadAgain | Retry::LookFirst | Retry::GiveUp => return Err(error),
        }
        attempt = attempt.saturating_add(1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ManualClock;
    use proptest::prelude::*;

    const POLICY: RetryPolicy =
        RetryPolicy { base: Duration::from_secs(2), cap: Duration::from_secs(20), attempts: 6 };

    #[test]
    fn each_class_has_its_answer() {
        let after = Retry::After(Duration::from_secs(1));
        for (class, safe, not_safe) in [
            (Class::NotFound, Retry::GiveUp, Retry::GiveUp),
            (Class::Denied, Retry::GiveUp, Retry::GiveUp),
            (Class::Unauthenticated, Retry::GiveUp, Retry::GiveUp),
            (Class::Throttled, after, after),
            (Class::Conflict, Retry::ReadAgain, Retry::ReadAgain),
            (Class::InProgress, after, after),
            (Class::Timeout, after, Retry::LookFirst),
            (Class::Transport, after, Retry::LookFirst),
            (Class::Invalid, Retry::GiveUp, Retry::GiveUp),
            (Class::Malformed, Retry::GiveUp, Retry::LookFirst),
            (Class::Other, Retry::GiveUp, Retry::LookFirst),
        ] {
            assert_eq!(POLICY.decide(class, 1, Repeat::Safe, None, 0), safe, "{class}");
            assert_eq!(POLICY.decide(class, 1, Repeat::Unsafe, None, 0), not_safe, "{class}");
        }
    }

    #[test]
    fn waits_double_up_to_the_cap_and_lie_between_half_and_all() {
        for (attempt, half, full) in [(1, 1, 2), (2, 2, 4), (3, 4, 8), (4, 8, 16), (5, 10, 20), (6, 10, 20)] {
            assert_eq!(POLICY.wait(attempt, 0), Duration::from_secs(half), "{attempt}");
            assert_eq!(POLICY.wait(attempt, u32::MAX), Duration::from_secs(full), "{attempt}");
        }
    }

    #[test]
    fn what_the_service_asks_for_is_waited_for_even_beyond_the_cap() {
        let decide = |asked| POLICY.decide(Class::Throttled, 1, Repeat::Safe, Some(asked), 0);
        // An eviction's answer says 0 when a budget allows nothing: that is no reason to hurry.
        assert_eq!(decide(Duration::ZERO), Retry::After(Duration::from_secs(1)));
        assert_eq!(decide(Duration::from_secs(90)), Retry::After(Duration::from_secs(90)));
    }

    #[test]
    fn a_blocked_eviction_is_tried_at_most_every_five_seconds() {
        for attempt in [1, 2, 3, 100] {
            assert!(RetryPolicy::EVICTION.wait(attempt, 0) >= Duration::from_secs(5), "{attempt}");
        }
    }

    #[test]
    fn a_seed_says_what_comes() {
        let draw = |seed| {
            let jitter = SeededJitter::new(seed);
            (jitter.draw(), jitter.draw())
        };
        assert_eq!(draw(1), draw(1));
        assert_ne!(draw(1), draw(2));
        // The first number of SplitMix64 from 0 is 0xe220a8397b1dcdaf.
        assert_eq!(SeededJitter::new(0).draw(), 0xe220_a839);
    }

    async fn run(repeat: Repeat, answers: &[Class]) -> (Result<()>, u32, i64) {
        let start = "2026-11-24T00:00:00Z".parse().unwrap();
        let clock = ManualClock::jumping(start);
        let mut sent = 0;
        let outcome = retrying(&clock, &SeededJitter::new(3), POLICY, repeat, |attempt| {
            sent += 1;
            assert_eq!(attempt, sent);
            let answer = answers.get(sent as usize - 1).copied();
            async move {
                answer
                    .map_or(Ok(()), |class| Err(ProviderError::new(class, "ec2:X", format!("try {attempt}"))))
            }
        })
        .await;
        (outcome, sent, clock.now().duration_since(start).as_secs())
    }

    #[tokio::test]
    async fn a_call_is_repeated_until_it_succeeds_or_the_policy_ends_it() {
        let (outcome, sent, waited) = run(Repeat::Safe, &[Class::Timeout, Class::Throttled]).await;
        assert_eq!((outcome, sent), (Ok(()), 3));
        assert!((3..=6).contains(&waited), "{waited}");
        let (outcome, sent, _) = run(Repeat::Safe, &[Class::Throttled; 20]).await;
        assert_eq!((outcome.unwrap_err().target(), sent), ("try 6", POLICY.attempts));
    }

    #[tokio::test]
    async fn a_call_that_must_not_be_made_twice_stops_at_the_first_unknown_outcome() {
        let (outcome, sent, waited) = run(Repeat::Unsafe, &[Class::InProgress, Class::Transport]).await;
        assert_eq!(outcome.unwrap_err().class(), Class::Transport);
        assert_eq!(sent, 2);
        assert!(waited <= 2);
    }

    fn policies() -> impl Strategy<Value = RetryPolicy> {
        (0u64..100_000, 0u64..1_000_000, any::<u32>()).prop_map(|(base, cap, attempts)| RetryPolicy {
            base: Duration::from_millis(base),
            cap: Duration::from_millis(cap),
            attempts,
        })
    }

    proptest! {
        #[test]
        fn no_wait_is_longer_than_the_cap_and_none_shrinks(
            policy in policies(), attempt in any::<u32>(), jitter in any::<u32>(),
        ) {
            let wait = policy.wait(attempt, jitter);
            prop_assert!(wait <= policy.cap);
            prop_assert!(policy.wait(attempt.saturating_add(1), jitter) >= wait);
            prop_assert!(policy.wait(attempt, jitter.saturating_add(1)) >= wait);
        }

        #[test]
        fn an_unknown_outcome_of_an_unsafe_call_is_never_repeated(
            policy in policies(), attempt in any::<u32>(), jitter in any::<u32>(), class in 0..Class::ALL.len(),
        ) {
            let class = Class::ALL[class];
            let retry = policy.decide(class, attempt, Repeat::Unsafe, None, jitter);
            prop_assert!(!(class.may_have_had_effect() && matches!(retry, Retry::After(_))));
        }

        #[test]
        fn attempts_end(policy in policies(), jitter in any::<u32>(), class in 0..Class::ALL.len()) {
            let retry = policy.decide(Class::ALL[class], policy.attempts, Repeat::Safe, None, jitter);
            prop_assert!(!matches!(retry, Retry::After(_)));
        }
    }
}
