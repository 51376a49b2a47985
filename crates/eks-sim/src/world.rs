//! The world: its state, its time, and what is to happen when.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;

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
    pub(crate) random: Random,
    pub(crate) aws: aws::State,
    pub(crate) kube: kube::State,
}

impl World {
    /// An empty world at a moment.
    pub fn new(start: Timestamp, seed: u64) -> Self {
        Self {
            now: start,
            queue: BTreeMap::new(),
            order: 0,
            random: Random::new(seed),
            aws: aws::State::default(),
            kube: kube::State::default(),
        }
    }

    /// The present.
    pub fn now(&self) -> Timestamp {
        self.now
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
            match event {
                Event::Aws(event) => aws::happen(self, event),
                Event::Kube(event) => kube::happen(self, event),
            }
        }
        self.now = self.now.max(to);
    }

    /// Puts something into the future.
    pub(crate) fn after(&mut self, delay: Duration, event: Event) {
        let at = self.now.checked_add(delay).unwrap_or(Timestamp::MAX);
        self.order += 1;
        self.queue.insert((at, self.order), event);
    }
}
