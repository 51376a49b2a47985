//! The traits of `eks-provider`, for [`Sim`]: each call is answered at once, of the present.

mod changes;
mod nodes;
mod others;
mod pods;
mod server;
mod workloads;

use std::task::Waker;

use eks_provider::kube::{Freshness, Page, PageRequest};
use eks_provider::{Class, ProviderError, Result};

use super::state::State;
use crate::faults::{CallFault, Death};
use crate::{Sim, World};

/// A call: how it is named in its errors.
struct Call {
    operation: &'static str,
    target: String,
}

impl Call {
    fn error(&self, class: Class) -> ProviderError {
        ProviderError::new(class, self.operation, &self.target)
    }

    fn not_found(&self) -> ProviderError {
        self.error(Class::NotFound).status(404).code("NotFound").message(format!("{} not found", self.target))
    }

    fn conflict(&self, message: impl Into<String>) -> ProviderError {
        self.error(Class::Conflict).status(409).code("Conflict").message(message)
    }

    fn exists(&self) -> ProviderError {
        self.error(Class::Conflict)
            .status(409)
            .code("AlreadyExists")
            .message(format!("{} already exists", self.target))
    }

    fn invalid(&self, message: impl Into<String>) -> ProviderError {
        self.error(Class::Invalid).status(422).code("Invalid").message(message)
    }
}

impl Sim {
    /// Reads of the present.
    async fn kube_read<T: Send>(
        &self,
        operation: &'static str,
        target: impl Into<String> + Send,
        read: impl FnOnce(&State, &Call) -> Result<T> + Send,
    ) -> Result<T> {
        self.kube_read_as(operation, target, Freshness::MostRecent, read).await
    }

    /// Reads of the present, or of what a cache has.
    async fn kube_read_as<T: Send>(
        &self,
        operation: &'static str,
        target: impl Into<String> + Send,
        freshness: Freshness,
        read: impl FnOnce(&State, &Call) -> Result<T> + Send,
    ) -> Result<T> {
        let call = Call { operation, target: target.into() };
        self.may_die(&call, false, || {
            let mut world = self.world();
            let now = world.now();
            world.kube.faults.before(operation, &call.target, now)?;
            match (&world.kube.faults.stale, freshness) {
                (Some(stale), Freshness::Any) => read(stale, &call),
                _ => read(&world.kube, &call),
            }
        })
        .await
    }

    /// Changes something, and wakes who waits for change.
    async fn kube_write<T: Send>(
        &self,
        operation: &'static str,
        target: impl Into<String> + Send,
        write: impl FnOnce(&mut World, &Call) -> Result<T> + Send,
    ) -> Result<T> {
        let call = Call { operation, target: target.into() };
        self.may_die(&call, true, || {
            let mut world = self.world();
            let now = world.now();
            world.kube.faults.before(operation, &call.target, now)?;
            let answer = write(&mut world, &call);
            let lost = answer.is_ok() && world.kube.faults.loses_answer(operation);
            let waiting: Vec<Waker> = std::mem::take(&mut world.kube.wakers);
            drop(world);
            for waker in waiting {
                waker.wake();
            }
            if lost {
                let why = "the connection was lost before the answer came";
                return Err(call.error(Class::Timeout).message(why));
            }
            answer
        })
        .await
    }

    /// Makes a call, unless its caller dies at it (F12): before, after the effect, or at what it waits for next.
    async fn may_die<T: Send>(
        &self,
        call: &Call,
        write: bool,
        make: impl FnOnce() -> Result<T> + Send,
    ) -> Result<T> {
        self.alive().await;
        let Some(fault) = self.world().death_at(call.operation, &call.target, write) else { return make() };
        let answer = (fault != CallFault::CallerDiesBefore).then(make);
        let death = Death {
            caller: self.caller().to_owned(),
            operation: call.operation.to_owned(),
            target: call.target.clone(),
            had_effect: matches!(answer, Some(Ok(_))),
        };
        match answer {
            Some(answer) if fault == CallFault::CallerDiesAfterAnswer => {
                self.world().doomed = Some(death);
                answer
            }
            _ => {
                self.world().death = Some(death);
                std::future::pending().await
            }
        }
    }
}

/// A page of what is sorted by a key that is written as text.
fn page<T>(items: Vec<(String, T)>, request: &PageRequest) -> Page<T> {
    let limit = usize::try_from(request.limit.max(1)).unwrap_or(usize::MAX);
    let mut rest =
        items.into_iter().filter(|(key, _)| request.after.as_ref().is_none_or(|after| key > after));
    let mut found = Vec::new();
    let mut last = None;
    for (key, item) in rest.by_ref().take(limit) {
        found.push(item);
        last = Some(key);
    }
    let next = rest.next().and(last);
    Page { items: found, next, consistent: true }
}
