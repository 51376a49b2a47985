//! Watches, in virtual time.

use std::collections::BTreeSet;
use std::future::poll_fn;
use std::pin::Pin;
use std::task::Poll;

use async_trait::async_trait;
use eks_provider::kube::{ChangeReader, Changed, Changes, Cursor, Watched};
use eks_provider::{Class, Clock, ProviderError, Result};
use jiff::Timestamp;

use crate::Sim;

const WATCH: &str = "watch";

fn names(watched: &BTreeSet<Watched>) -> String {
    let names: Vec<String> = watched.iter().map(|one| format!("{one:?}")).collect();
    names.join(", ")
}

/// What a look at the world says.
enum Look {
    Done(Result<Changes>),
    /// Nothing yet; look again at this moment at the latest.
    Again(Timestamp),
}

impl Sim {
    fn look(
        &self,
        watched: &BTreeSet<Watched>,
        since: &Cursor,
        deadline: Timestamp,
        waker: &std::task::Waker,
    ) -> Look {
        let mut world = self.world();
        let now = world.now();
        let away = match world.kube.faults.before(WATCH, &names(watched), now) {
            // A watch waits while the server is away, and while it is told to come later.
            Err(error) if matches!(error.class(), Class::Transport | Class::Throttled) => Some(error),
            Err(error) => return Look::Done(Err(error)),
            Ok(()) => None,
        };
        let revision = world.kube.revision;
        let answer = |changed| Look::Done(Ok(Changes { cursor: Cursor::new(revision.to_string()), changed }));
        match away {
            Some(error) if now >= deadline => return Look::Done(Err(error)),
            Some(_) => {}
            None => {
                let changed = match since.as_str().parse() {
                    Ok(since) => world.kube.log.since(watched, since),
                    Err(_) => Some(Changed::Unknown),
                };
                if let Some(changed) = changed {
                    return answer(changed);
                }
                if now >= deadline {
                    return answer(Changed::Nothing);
                }
            }
        }
        world.kube.wakers.push(waker.clone());
        Look::Again(world.next_event().map_or(deadline, |next| next.min(deadline)))
    }
}

#[async_trait]
impl ChangeReader for Sim {
    async fn cursor(&self, watched: &BTreeSet<Watched>) -> Result<Cursor> {
        self.kube_read(WATCH, names(watched), |state, _| Ok(Cursor::new(state.revision.to_string()))).await
    }

    async fn changed(
        &self,
        watched: &BTreeSet<Watched>,
        since: &Cursor,
        deadline: Timestamp,
    ) -> Result<Changes> {
        type Sleep<'a> = Pin<Box<dyn Future<Output = ()> + Send + 'a>>;
        let mut sleep: Option<(Timestamp, Sleep<'_>)> = None;
        poll_fn(|context| {
            loop {
                let until = match self.look(watched, since, deadline, context.waker()) {
                    Look::Done(answer) => return Poll::Ready(answer),
                    Look::Again(until) => until,
                };
                if sleep.as_ref().is_none_or(|(at, _)| *at != until) {
                    sleep = Some((until, self.sleep_until(until)));
                }
                let Some((_, waiting)) = &mut sleep else {
                    let error = ProviderError::new(Class::Other, WATCH, names(watched));
                    return Poll::Ready(Err(error));
                };
                if waiting.as_mut().poll(context).is_pending() {
                    return Poll::Pending;
                }
                sleep = None;
            }
        })
        .await
    }
}
