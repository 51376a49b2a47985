//! Faults of the API server and what stands around it (F4 to F8, F18, F20): by schedule, or by count.

use eks_provider::kube::{EvictPod, EvictionOutcome, NamespacedName};
use eks_provider::{Class, ProviderError};
use jiff::Timestamp;

use crate::Random;

/// What goes wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// The API server is out of reach; controllers stand still as well.
    ApiAway,
    /// The token has expired (401).
    TokenExpired,
    /// Priority and fairness turns calls away (429 without a cause).
    Throttled,
    /// The role does not allow it (403).
    Denied,
    /// A webhook, or the server, answers 500; nothing was done.
    ServerError,
    /// It is done, and the answer is lost.
    AnswerLost,
    /// Caches stand still: who accepts any state ([`Freshness::Any`](eks_provider::kube::Freshness::Any))
    /// is shown that of when it began.
    StaleReads,
    /// Watches are told that their moment is forgotten (410), once.
    WatchForgets,
    /// The disruption controller stands still.
    BudgetsStandStill,
    /// An admission webhook refuses evictions (4xx).
    WebhookRefuses {
        /// The webhook.
        webhook: String,
        /// Its sentence.
        message: String,
        /// Only in this namespace.
        namespace: Option<String>,
    },
    /// A volume is never detached.
    NeverDetaches {
        /// The claim that the volume is of.
        claim: NamespacedName,
    },
}

/// A fault, and when it strikes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Injection {
    /// What goes wrong.
    pub fault: Fault,
    /// For which call (`patch nodes`, `create pods/eviction`); `None` is every one.
    pub operation: Option<String>,
    /// How often; `None` is always.
    pub times: Option<u32>,
    /// Until when; `None` is for ever.
    pub until: Option<Timestamp>,
    /// Leaves the first so many calls alone.
    pub skip: u32,
    /// By chance: so many of a thousand calls.
    pub permille: u64,
}

impl Injection {
    /// Strikes every call, always.
    pub fn of(fault: Fault) -> Self {
        Self { fault, operation: None, times: None, until: None, skip: 0, permille: 1000 }
    }

    /// Only this call: `patch nodes`, `create pods/eviction`.
    #[must_use]
    pub fn on(mut self, operation: impl Into<String>) -> Self {
        self.operation = Some(operation.into());
        self
    }

    /// Only so often.
    #[must_use]
    pub fn times(mut self, times: u32) -> Self {
        self.times = Some(times);
        self
    }

    /// Leaves the first so many calls alone.
    #[must_use]
    pub fn skip(mut self, calls: u32) -> Self {
        self.skip = calls;
        self
    }

    /// By chance: so many of a thousand calls.
    #[must_use]
    pub fn permille(mut self, permille: u64) -> Self {
        self.permille = permille;
        self
    }

    /// Only until then.
    #[must_use]
    pub fn until(mut self, until: Timestamp) -> Self {
        self.until = Some(until);
        self
    }
}

/// The faults of now.
#[derive(Debug, Clone, Default)]
pub(crate) struct Faults {
    active: Vec<Injection>,
    /// What caches show while they stand still.
    pub(crate) stale: Option<Box<super::state::State>>,
    /// The control plane's API is away (an upgrade).
    pub(crate) control_plane_away: bool,
    now: Option<Timestamp>,
    /// The chance of calls, apart from that of the world: how often somebody asks changes nothing else.
    random: Option<Random>,
}

impl Faults {
    pub(crate) fn add(&mut self, injection: Injection, random: &mut Random) {
        if injection.permille < 1000 && self.random.is_none() {
            self.random = Some(Random::new(random.next()));
        }
        self.active.push(injection);
    }

    pub(crate) fn clear(&mut self) {
        self.active.clear();
        self.stale = None;
    }

    /// Forgets what is over.
    pub(crate) fn expire(&mut self, now: Timestamp) {
        self.now = Some(now);
        self.active.retain(|one| one.until.is_none_or(|until| now < until) && one.times != Some(0));
        if self.stale.is_some() && !self.active.iter().any(|one| one.fault == Fault::StaleReads) {
            self.stale = None;
        }
    }

    fn strikes(one: &Injection, now: Option<Timestamp>) -> bool {
        one.times != Some(0) && one.until.zip(now).is_none_or(|(until, now)| now < until)
    }

    /// Whether it strikes every call, of whatever kind, for as long as it lasts.
    fn strikes_all(one: &Injection) -> bool {
        one.operation.is_none() && one.times.is_none() && one.skip == 0 && one.permille >= 1000
    }

    /// Whether the API is out of reach for everybody.
    pub(crate) fn is_away(&self, now: Timestamp) -> bool {
        self.control_plane_away
            || self.active.iter().any(|one| {
                one.fault == Fault::ApiAway && Self::strikes_all(one) && Self::strikes(one, Some(now))
            })
    }

    /// Whether the role of the caller does not allow something.
    pub(crate) fn denies(&self, operation: &str) -> bool {
        self.active.iter().any(|one| {
            one.fault == Fault::Denied
                && one.permille >= 1000
                && Self::strikes(one, self.now)
                && one.operation.as_deref().is_none_or(|only| only == operation)
        })
    }

    pub(crate) fn budgets_stand_still(&self, now: Timestamp) -> bool {
        self.active.iter().any(|one| one.fault == Fault::BudgetsStandStill && Self::strikes(one, Some(now)))
    }

    pub(crate) fn never_detaches(&self, of: &NamespacedName, now: Timestamp) -> bool {
        self.active.iter().any(|one| {
            Self::strikes(one, Some(now))
                && matches!(&one.fault, Fault::NeverDetaches { claim } if claim == of)
        })
    }

    /// Spends a fault of this kind on a call, if there is one.
    fn spend(&mut self, operation: &str, wanted: impl Fn(&Fault) -> bool) -> Option<Fault> {
        let now = self.now;
        let meant = |one: &Injection| {
            wanted(&one.fault)
                && Self::strikes(one, now)
                && one.operation.as_deref().is_none_or(|only| only == operation)
        };
        for one in self.active.iter_mut().filter(|one| meant(one)) {
            if one.skip > 0 {
                one.skip -= 1;
                continue;
            }
            let by_chance = one.permille < 1000;
            if by_chance && !self.random.as_mut().is_some_and(|random| random.chance(one.permille)) {
                continue;
            }
            if let Some(times) = &mut one.times {
                *times = times.saturating_sub(1);
            }
            return Some(one.fault.clone());
        }
        None
    }

    /// What a call is answered before anything is done; `Ok` where it goes on.
    pub(crate) fn before(
        &mut self,
        operation: &str,
        target: &str,
        now: Timestamp,
    ) -> Result<(), ProviderError> {
        self.expire(now);
        let error = |class| ProviderError::new(class, operation, target);
        if self.control_plane_away {
            return Err(error(Class::Transport).message("connection refused"));
        }
        let fault = self.spend(operation, |fault| {
            matches!(
                fault,
                Fault::ApiAway | Fault::TokenExpired | Fault::Throttled | Fault::Denied | Fault::ServerError
            )
        });
        Err(match fault {
            Some(Fault::ApiAway) => error(Class::Transport).message("connection refused"),
            Some(Fault::TokenExpired) => {
                error(Class::Unauthenticated).status(401).code("Unauthorized").message("Unauthorized")
            }
            Some(Fault::Throttled) => error(Class::Throttled)
                .status(429)
                .code("TooManyRequests")
                .message("too many requests, please try again later")
                .retry_after(std::time::Duration::from_secs(1)),
            Some(Fault::Denied) => error(Class::Denied)
                .status(403)
                .code("Forbidden")
                .message("the role of the caller does not allow it"),
            Some(Fault::ServerError) => error(Class::Transport)
                .status(500)
                .code("InternalError")
                .message("Internal error occurred: failed calling webhook"),
            _ => return Ok(()),
        })
    }

    /// Whether the answer of a call is lost after it was carried out.
    pub(crate) fn loses_answer(&mut self, operation: &str) -> bool {
        self.spend(operation, |fault| *fault == Fault::AnswerLost).is_some()
    }

    /// What a webhook says to an eviction.
    pub(crate) fn webhook_refusal(&mut self, request: &EvictPod) -> Option<EvictionOutcome> {
        let fault = self.spend("create pods/eviction", |fault| {
            matches!(fault, Fault::WebhookRefuses { namespace, .. }
                if namespace.as_ref().is_none_or(|namespace| *namespace == request.namespace))
        })?;
        let Fault::WebhookRefuses { webhook, message, .. } = fault else { return None };
        Some(EvictionOutcome::RefusedByWebhook {
            message: format!("admission webhook \"{webhook}\" denied the request: {message}"),
            webhook: Some(webhook),
        })
    }
}
