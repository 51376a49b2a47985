//! The handle on a world: its clock, and the traits of `eks-provider` in process.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use eks_provider::{Clock, ManualClock};
use jiff::Timestamp;

use crate::World;
use crate::faults::Death;

/// A world that several may act on.
#[derive(Debug, Clone)]
pub struct Sim {
    world: Arc<Mutex<World>>,
    clock: Arc<ManualClock>,
    caller: Arc<str>,
}

/// Why a task was given up.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Stopped {
    /// It waits for nothing that can come.
    #[error("the task waits for nothing that can come")]
    Stuck,
    /// A fault ended it at one of its calls (F12). The world is as that call left it; another task may go on.
    #[error("{0}")]
    Died(Death),
}

/// Who calls, unless somebody else is said: the session of a role of the simulated account.
const CALLER: &str = "arn:aws:sts::111122223333:assumed-role/upgrader/sim";

impl Sim {
    /// A handle on a world.
    pub fn new(world: World) -> Self {
        let clock = Arc::new(ManualClock::new(world.now()));
        Self { world: Arc::new(Mutex::new(world)), clock, caller: CALLER.into() }
    }

    /// The same world, called by somebody else: the ARN of a user or of the session of a role.
    #[must_use]
    pub fn as_caller(&self, arn: &str) -> Self {
        Self { caller: arn.into(), ..self.clone() }
    }

    /// Who calls.
    pub fn caller(&self) -> &str {
        &self.caller
    }

    /// The world, brought to the present of the clock. Not to be held over a wait.
    pub fn world(&self) -> MutexGuard<'_, World> {
        let mut world = self.world.lock().unwrap_or_else(PoisonError::into_inner);
        world.advance_to(self.clock.now());
        world
    }

    /// Lets time go on by so much, for a world that follows another clock: that of a wall, faster or slower.
    pub fn advance(&self, by: std::time::Duration) {
        let to = self.clock.now().checked_add(by).unwrap_or(Timestamp::MAX);
        self.world.lock().unwrap_or_else(PoisonError::into_inner).advance_to(to);
        self.clock.advance_to(to);
    }

    /// Runs a task to its end. Whenever all of it waits, time goes on to where the first wait ends.
    ///
    /// # Errors
    /// A task that waits for nothing that can come, or that a fault ends at a call, is given up.
    pub fn run<T>(&self, task: impl Future<Output = T>) -> Result<T, Stopped> {
        let mut task = std::pin::pin!(task);
        let waker = std::task::Waker::noop();
        let mut context = std::task::Context::from_waker(waker);
        loop {
            let polled = task.as_mut().poll(&mut context);
            let ended = polled.is_ready();
            if let Some(death) = self.died(ended) {
                return Err(Stopped::Died(death));
            }
            if let std::task::Poll::Ready(value) = polled {
                return Ok(value);
            }
            let next = self.clock.next_deadline().ok_or(Stopped::Stuck)?;
            self.world.lock().unwrap_or_else(PoisonError::into_inner).advance_to(next);
            self.clock.advance_to(next);
        }
    }

    /// Who has died since the last step; with the task ended, also who would have died at its next one.
    fn died(&self, ended: bool) -> Option<Death> {
        let mut world = self.world.lock().unwrap_or_else(PoisonError::into_inner);
        let doomed = if ended { world.doomed.take() } else { None };
        world.death.take().or(doomed)
    }

    /// Goes on for ever where the caller is to die at its next step.
    pub(crate) async fn alive(&self) {
        let dies = {
            let mut world = self.world.lock().unwrap_or_else(PoisonError::into_inner);
            let death = world.doomed.take_if(|death| death.caller == *self.caller);
            let dies = death.is_some();
            world.death = death.or(world.death.take());
            dies
        };
        if dies {
            std::future::pending::<()>().await;
        }
    }
}

#[async_trait]
impl Clock for Sim {
    fn now(&self) -> Timestamp {
        self.clock.now()
    }

    async fn sleep_until(&self, deadline: Timestamp) {
        self.alive().await;
        self.clock.sleep_until(deadline).await;
    }
}
