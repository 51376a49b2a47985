//! The world: its state, its time, and what is to happen when.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use crate::faults::{Death, Faults, FaultsSeen};
use crate::log::CallRecord;
use crate::{Random, aws, kube};

/// What is to happen at a moment.
#[derive(Debug)]
pub(crate) enum Event {
    Aws(aws::Event),
    Kube(kube::Event),
}

/// A simulated world.
#[derive(Debug)]
pub struct World {
    now: Timestamp,
    /// By moment, then in the order in which it was put there.
    queue: BTreeMap<(Timestamp, u64), Event>,
    order: u64,
    happened: u64,
    pub(crate) random: Random,
    pub(crate) aws: aws::State,
    pub(crate) kube: kube::State,
    pub(crate) outside: Option<crate::outside::Outside>,
    pub(crate) faults: Faults,
    pub(crate) faults_seen: FaultsSeen,
    pub(crate) log: Vec<CallRecord>,
    /// Who has died, until the run that it was part of has ended.
    pub(crate) death: Option<Death>,
    /// Who has heard an answer and dies at its next step.
    pub(crate) doomed: Option<Death>,
    /// What AWS was, each with the moment until which it was so. Kept only where reads may be stale.
    past: VecDeque<(Timestamp, Arc<aws::State>)>,
    start: Timestamp,
}

impl World {
    /// An empty world at a moment.
    pub fn new(start: Timestamp, seed: u64) -> Self {
        Self {
            now: start,
            queue: BTreeMap::new(),
            order: 0,
            happened: 0,
            random: Random::new(seed),
            aws: aws::State::default(),
            kube: kube::State::default(),
            outside: None,
            faults: Faults::default(),
            faults_seen: FaultsSeen::default(),
            log: Vec::new(),
            death: None,
            doomed: None,
            past: VecDeque::new(),
            start,
        }
    }

    /// The present.
    pub fn now(&self) -> Timestamp {
        self.now
    }

    /// When this world began: what faults and scripted events count from.
    pub fn start(&self) -> Timestamp {
        self.start
    }

    /// Lets the world begin later than it is switched on.
    pub(crate) fn begins_at(&mut self, start: Timestamp) {
        self.start = start;
    }

    /// How many steps this world has made: things that happened at their moment.
    pub fn steps(&self) -> u64 {
        self.happened
    }

    /// When something happens next.
    pub fn next_event(&self) -> Option<Timestamp> {
        self.queue.keys().next().map(|(at, _)| *at)
    }

    /// Lets everything happen up to and with a moment. Time does not go back.
    pub fn advance_to(&mut self, to: Timestamp) {
        while let Some(entry) = self.queue.first_entry() {
            if entry.key().0 > to {
                break;
            }
            let ((at, _), event) = entry.remove_entry();
            self.now = self.now.max(at);
            self.happened += 1;
            match event {
                Event::Aws(event) => {
                    self.remember();
                    aws::happen(self, event);
                }
                Event::Kube(event) => kube::happen(self, event),
            }
        }
        self.now = self.now.max(to);
    }

    /// Lets this much time pass.
    pub fn advance(&mut self, by: Duration) {
        self.advance_to(later(self.now, by));
    }

    /// Puts something into the future.
    pub(crate) fn after(&mut self, delay: Duration, event: Event) {
        let at = later(self.now, delay);
        self.order += 1;
        self.queue.insert((at, self.order), event);
    }

    /// Every call of AWS that was made, the first one first: what CloudTrail would have.
    pub fn calls(&self) -> &[CallRecord] {
        &self.log
    }

    /// The faults that this world plays.
    pub fn faults(&self) -> &Faults {
        &self.faults
    }

    /// Plays other faults from now on. Rules count anew.
    pub fn set_faults(&mut self, faults: Faults) {
        self.faults = faults;
        self.faults_seen = FaultsSeen::default();
    }

    /// Keeps what AWS is, before it changes, where reads may be stale (F24).
    pub(crate) fn remember(&mut self) {
        let Some(stale) = &self.faults.stale_reads else {
            self.past.clear();
            return;
        };
        let oldest = earlier(self.now, Duration::from_secs(stale.seconds));
        while self.past.front().is_some_and(|(until, _)| *until <= oldest) {
            self.past.pop_front();
        }
        if self.past.back().is_none_or(|(until, _)| *until < self.now) {
            self.past.push_back((self.now, Arc::new(self.aws.clone())));
        }
    }

    /// What AWS was at a moment; `None` where it is the same now.
    pub(crate) fn at(&self, moment: Timestamp) -> Option<Arc<aws::State>> {
        self.past.iter().find(|(until, _)| *until > moment).map(|(_, state)| Arc::clone(state))
    }
}

/// The moment this long after another.
pub(crate) fn later(start: Timestamp, by: Duration) -> Timestamp {
    start.checked_add(by).unwrap_or(Timestamp::MAX)
}

/// The moment this long before another.
pub(crate) fn earlier(start: Timestamp, by: Duration) -> Timestamp {
    start.checked_sub(by).unwrap_or(Timestamp::MIN)
}
