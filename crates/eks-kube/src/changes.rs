//! Waiting for change: watches of metadata, from a moment on, each for as long as nothing is heard.
//!
//! A watch that ends is begun again where it ended; one whose moment is forgotten (410) makes the answer "perhaps
//! everything"; while the API server does not answer, it is asked again, later and later, or when it says so (429).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use eks_provider::kube::{ChangeReader, Changed, Changes, Cursor, Watched};
use eks_provider::{Class, ProviderError, Result};
use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;
use tokio::sync::Notify;

use crate::api::KubeApi;
use crate::budgets::BUDGETS;
use crate::call::{Ask, METADATA, METADATA_LIST};
use crate::custom::NODE_CLAIMS;
use crate::leases::LEASES;
use crate::lines::Lines;
use crate::list::{ListMeta, served};
use crate::nodes::NODES;
use crate::pods::PODS;
use crate::refusal::Refusal;
use crate::resource::{Resource, with_query};
use crate::volumes::ATTACHMENTS;
use crate::workloads::{DAEMON_SETS, DEPLOYMENTS, JOBS, REPLICA_SETS, STATEFUL_SETS};

/// The API server ends a watch after this; the next one begins where it ended. A connection that died without a
/// word is noticed a little later.
const WATCH: Duration = Duration::from_mins(1);
const WORDLESS: Duration = Duration::from_secs(15);
/// For so long what comes together is taken together.
const TOGETHER: Duration = Duration::from_millis(100);
/// A deadline that is past already leaves this, so that what has happened already is heard.
const AT_LEAST: Duration = Duration::from_millis(500);
/// Between two tries: the first wait and the last.
const FIRST_WAIT: Duration = Duration::from_millis(500);
const LONGEST_WAIT: Duration = Duration::from_secs(15);

/// One watch: of a resource, of a namespace or all, of a node or all.
#[derive(Debug, Clone)]
struct Source<'a> {
    watched: &'a Watched,
    resource: &'static Resource,
    namespace: Option<&'a str>,
    node: Option<&'a str>,
}

impl<'a> Source<'a> {
    fn new(watched: &'a Watched, resource: &'static Resource) -> Self {
        Self { watched, resource, namespace: None, node: None }
    }

    fn path(&self) -> String {
        self.resource.path(self.namespace)
    }

    /// What it is known by in a cursor.
    fn key(&self) -> String {
        match self.node {
            Some(node) => format!("{}@{node}", self.path()),
            None => self.path(),
        }
    }

    fn target(&self) -> String {
        let plural = self.resource.plural();
        match (self.node, self.namespace) {
            (Some(node), _) => format!("{plural} on node {node}"),
            (None, Some(namespace)) => format!("{plural} of {namespace}"),
            (None, None) => plural.to_owned(),
        }
    }

    /// Asks what the present moment is. With one object that is not looked at, whatever the rest.
    fn now(&self) -> Ask {
        let address = with_query(&self.path(), &[("limit", "1")]);
        Ask::get(self.resource.permission("list"), self.target(), address).accept(METADATA_LIST)
    }

    fn watch(&self, from: &str) -> Ask {
        let seconds = WATCH.as_secs().to_string();
        let fields = self.node.map(|node| format!("spec.nodeName={node}"));
        let mut parameters = vec![
            ("watch", "true"),
            ("allowWatchBookmarks", "true"),
            ("timeoutSeconds", seconds.as_str()),
            ("resourceVersion", from),
        ];
        if let Some(fields) = &fields {
            parameters.push(("fieldSelector", fields));
        }
        let address = with_query(&self.path(), &parameters);
        Ask::get(self.resource.permission("watch"), self.target(), address).accept(METADATA).plain()
    }
}

/// What is watched, as watches. NodeClaims are in one of several versions, and are left to the caller.
fn sources(watched: &BTreeSet<Watched>) -> Vec<Source<'_>> {
    let mut found = Vec::new();
    for watched in watched {
        match watched {
            Watched::Nodes => found.push(Source::new(watched, &NODES)),
            Watched::PodsOnNode(node) => {
                found.push(Source { node: Some(node), ..Source::new(watched, &PODS) });
            }
            Watched::Pods => found.push(Source::new(watched, &PODS)),
            Watched::Budgets => found.push(Source::new(watched, &BUDGETS)),
            Watched::VolumeAttachments => found.push(Source::new(watched, &ATTACHMENTS)),
            Watched::Workloads(namespace) => {
                for resource in [&DEPLOYMENTS, &REPLICA_SETS, &STATEFUL_SETS, &DAEMON_SETS, &JOBS] {
                    found.push(Source { namespace: Some(namespace), ..Source::new(watched, resource) });
                }
            }
            Watched::Leases(namespace) => {
                found.push(Source { namespace: Some(namespace), ..Source::new(watched, &LEASES) });
            }
            Watched::NodeClaims => {}
        }
    }
    found
}

/// The key in a cursor of NodeClaims that are not served: they never change.
const NO_NODE_CLAIMS: &str = "no nodeclaims";

type Moments = BTreeMap<String, String>;

fn to_cursor(moments: &Moments) -> Cursor {
    // A map of texts is always JSON.
    Cursor::new(serde_json::to_string(moments).unwrap_or_default())
}

fn of_another_set() -> ProviderError {
    ProviderError::new(Class::Invalid, "watch", "the API server")
        .message("the cursor is none of this API server, or of another set of things")
}

/// A watch that is followed, and what was heard.
struct Following<'a> {
    source: Source<'a>,
    heard: Mutex<Heard>,
}

struct Heard {
    /// Where to go on from.
    at: String,
    changed: bool,
    forgotten: bool,
    /// Why it does not answer now.
    trouble: Option<ProviderError>,
}

impl Following<'_> {
    /// A panic elsewhere leaves it whole: every change of it is one assignment.
    fn heard(&self) -> MutexGuard<'_, Heard> {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn advance(&self, object: &Value) {
        if let Some(at) = object["metadata"]["resourceVersion"].as_str().filter(|at| !at.is_empty()) {
            self.heard().at = at.to_owned();
        }
    }
}

#[derive(Deserialize)]
struct Told {
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    object: Value,
}

enum End {
    Closed,
    Forgotten,
}

impl KubeApi {
    /// The first version of NodeClaims that is served.
    async fn node_claims<'a>(&self, watched: &'a Watched) -> Result<Option<(Source<'a>, String)>> {
        for resource in &NODE_CLAIMS {
            let source = Source::new(watched, resource);
            if let Some(now) = self.served_or_unknown(resource, served(self.moment(&source).await)).await? {
                return Ok(Some((source, now)));
            }
        }
        Ok(None)
    }

    async fn moment(&self, source: &Source<'_>) -> Result<String> {
        #[derive(Deserialize)]
        struct Now {
            metadata: ListMeta,
        }
        let ask = source.now();
        let now: Now = self.json(&ask).await?;
        match now.metadata.resource_version {
            none if none.is_empty() => Err(ask.malformed("the list has no resourceVersion")),
            now => Ok(now),
        }
    }

    /// Follows a watch until it is given up. `Ok` is: its moment is forgotten.
    async fn follow(&self, following: &Following<'_>, heard: &Notify) -> Result<()> {
        let mut failures = 0;
        loop {
            let wait = match self.watch(following, heard, &mut failures).await {
                Ok(End::Forgotten) => {
                    following.heard().forgotten = true;
                    return Ok(());
                }
                Ok(End::Closed) => None,
                Err(error) if goes_by(&error) => {
                    tracing::debug!(%error, "a watch broke off");
                    let wait = error.wait_asked_for();
                    following.heard().trouble = Some(error);
                    wait
                }
                Err(error) => return Err(error),
            };
            failures += 1;
            tokio::time::sleep(pause(failures).max(wait.unwrap_or_default())).await;
        }
    }

    /// One watch, to its end.
    async fn watch(&self, following: &Following<'_>, heard: &Notify, failures: &mut u32) -> Result<End> {
        let ask = following.source.watch(&following.heard().at);
        let body = match self.stream(&ask).await {
            Ok(body) => body,
            Err(error) if error.http_status() == Some(410) => return Ok(End::Forgotten),
            Err(error) => return Err(error),
        };
        following.heard().trouble = None;
        let mut lines = Lines::of(body);
        let lasts = async {
            while let Some(line) = lines.next(&ask).await? {
                *failures = 0;
                let told: Told = serde_json::from_slice(&line).map_err(|error| ask.malformed(error))?;
                match told.kind.as_str() {
                    "BOOKMARK" => following.advance(&told.object),
                    "ERROR" => {
                        return match Refusal::of_object(told.object) {
                            Some(refusal) if refusal.status == 410 => Ok(End::Forgotten),
                            Some(refusal) => Err(refusal.error(&ask)),
                            None => Err(ask.malformed("an error that says nothing")),
                        };
                    }
                    // ADDED, MODIFIED, DELETED; a word that is not known is a change, too.
                    _ => {
                        following.advance(&told.object);
                        following.heard().changed = true;
                        heard.notify_one();
                    }
                }
            }
            // It was open for its time, and nobody said anything.
            Ok(End::Closed)
        };
        match tokio::time::timeout(WATCH + WORDLESS, lasts).await {
            Ok(end) => end,
            Err(_) => Err(ask.error(Class::Transport).message("the connection has died without a word")),
        }
    }
}

/// Whether a failure may be over soon: then it is waited for.
fn goes_by(error: &ProviderError) -> bool {
    match error.class() {
        Class::Transport | Class::Timeout | Class::Throttled | Class::Malformed => true,
        Class::NotFound
        | Class::Denied
        | Class::Unauthenticated
        | Class::Conflict
        | Class::InProgress
        | Class::Invalid
        | Class::Other => false,
    }
}

fn pause(failures: u32) -> Duration {
    FIRST_WAIT.saturating_mul(1 << failures.saturating_sub(1).min(10)).min(LONGEST_WAIT)
}

/// Out of reach, whatever kept the answer away.
fn out_of_reach(trouble: ProviderError) -> ProviderError {
    if trouble.class() != Class::Timeout {
        return trouble;
    }
    let error = ProviderError::new(Class::Transport, trouble.operation(), trouble.target());
    match trouble.service_message() {
        Some(message) => error.message(message),
        None => error,
    }
}

#[async_trait]
impl ChangeReader for KubeApi {
    async fn cursor(&self, watched: &BTreeSet<Watched>) -> Result<Cursor> {
        let mut moments = Moments::new();
        // Those of one path have one moment: Pods of a hundred nodes are asked for once.
        let mut by_path: BTreeMap<String, String> = BTreeMap::new();
        for source in sources(watched) {
            let path = source.path();
            let now = match by_path.get(&path) {
                Some(now) => now.clone(),
                None => self.moment(&source).await?,
            };
            moments.insert(source.key(), now.clone());
            by_path.insert(path, now);
        }
        if let Some(claims) = watched.get(&Watched::NodeClaims) {
            match self.node_claims(claims).await? {
                Some((source, now)) => moments.insert(source.key(), now),
                None => moments.insert(NO_NODE_CLAIMS.to_owned(), String::new()),
            };
        }
        Ok(to_cursor(&moments))
    }

    async fn changed(
        &self,
        watched: &BTreeSet<Watched>,
        since: &Cursor,
        deadline: Timestamp,
    ) -> Result<Changes> {
        let mut moments: Moments = serde_json::from_str(since.as_str()).map_err(|_| of_another_set())?;
        let mut sources = sources(watched);
        if let Some(claims) = watched.get(&Watched::NodeClaims) {
            let versions = NODE_CLAIMS.iter().map(|resource| Source::new(claims, resource));
            let served = versions.into_iter().find(|source| moments.contains_key(&source.key()));
            if served.is_none() && !moments.contains_key(NO_NODE_CLAIMS) {
                return Err(of_another_set());
            }
            sources.extend(served);
        }
        let mut followings = Vec::new();
        for source in sources {
            let at = moments.get(&source.key()).ok_or_else(of_another_set)?.clone();
            let heard = Mutex::new(Heard { at, changed: false, forgotten: false, trouble: None });
            followings.push(Following { source, heard });
        }

        let heard = Notify::new();
        let mut running: FuturesUnordered<_> =
            followings.iter().map(|following| self.follow(following, &heard)).collect();
        let over = async {
            tokio::join!(self.clock().sleep_until(deadline), tokio::time::sleep(AT_LEAST));
        };
        let forgotten = tokio::select! {
            biased;
            Some(ended) = running.next() => {
                ended?;
                true
            }
            () = heard.notified() => {
                let together = async { running.next().await };
                match tokio::time::timeout(TOGETHER, together).await {
                    Ok(Some(ended)) => {
                        ended?;
                        true
                    }
                    Ok(None) | Err(_) => false,
                }
            }
            () = over => false,
        };
        drop(running);

        if forgotten {
            // The moment is taken before anything is read anew, so nothing is missed.
            return Ok(Changes { cursor: self.cursor(watched).await?, changed: Changed::Unknown });
        }
        let mut changed = BTreeSet::new();
        let mut trouble = None;
        for following in followings {
            let heard = following.heard.into_inner().unwrap_or_else(PoisonError::into_inner);
            moments.insert(following.source.key(), heard.at);
            if heard.changed {
                changed.insert(following.source.watched.clone());
            }
            trouble = trouble.or(heard.trouble);
        }
        let cursor = to_cursor(&moments);
        match trouble {
            Some(trouble) if changed.is_empty() => Err(out_of_reach(trouble)),
            _ if changed.is_empty() => Ok(Changes { cursor, changed: Changed::Nothing }),
            _ => Ok(Changes { cursor, changed: Changed::Some(changed) }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_and_are_bounded() {
        let waits: Vec<u128> = (1..9).map(|failures| pause(failures).as_millis()).collect();
        assert_eq!(waits, [500, 1000, 2000, 4000, 8000, 15_000, 15_000, 15_000]);
        assert_eq!(pause(u32::MAX), LONGEST_WAIT);
    }

    #[test]
    fn pods_of_a_node_and_all_pods_are_told_apart() {
        let watched =
            [Watched::Pods, Watched::PodsOnNode("a".to_owned()), Watched::Workloads("s".to_owned())];
        let watched = BTreeSet::from(watched);
        let keys: Vec<String> = sources(&watched).iter().map(Source::key).collect();
        assert!(keys.contains(&"/api/v1/pods".to_owned()) && keys.contains(&"/api/v1/pods@a".to_owned()));
        assert_eq!(keys.len(), 7);
    }
}
