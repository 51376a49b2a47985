//! Waiting for what is to come, by watching and never longer than told.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::time::Duration;

use futures_util::StreamExt as _;
use k8s_openapi::serde::de::DeserializeOwned;
use kube::api::Api;
use kube::runtime::watcher::{self, Event};
use kube::{Resource, ResourceExt as _};
use tokio::time::Instant;

use crate::error::ClusterError;

/// After a watch failed (the API server is away), before the next try.
const AGAIN: Duration = Duration::from_millis(50);
/// How many names the error gives.
const NAMED: usize = 8;

/// Watches the objects of an API until they are as wished, and gives them; after `within` it gives up and
/// says what it saw last. An API server that goes away meanwhile is waited for.
///
/// `select` narrows down what is watched: `watcher::Config::default().labels("app=web")`.
///
/// ```no_run
/// # async fn example(cluster: eks_cluster::Cluster) -> Result<(), Box<dyn std::error::Error>> {
/// use std::time::Duration;
/// use eks_cluster::wait_until;
/// use k8s_openapi::api::core::v1::Pod;
/// use kube::{Api, runtime::watcher};
///
/// let pods: Api<Pod> = Api::namespaced(cluster.client()?, "shop");
/// let minute = Duration::from_secs(60);
/// wait_until(pods, &watcher::Config::default(), "no pods", minute, |pods| pods.is_empty()).await?;
/// # Ok(()) }
/// ```
pub async fn wait_until<K>(
    api: Api<K>,
    select: &watcher::Config,
    what: &str,
    within: Duration,
    mut met: impl FnMut(&[K]) -> bool,
) -> Result<Vec<K>, ClusterError>
where
    K: Resource<DynamicType = ()> + Clone + Debug + DeserializeOwned + Send + 'static,
{
    let deadline = Instant::now() + within;
    let mut objects: BTreeMap<(Option<String>, String), K> = BTreeMap::new();
    let mut listed = false;
    let mut trouble = String::new();
    let mut events = Box::pin(watcher::watcher(api, select.clone()));
    let key = |object: &K| (object.namespace(), object.name_any());
    loop {
        // A watch has no end of its own: without an event, the time is up.
        let Ok(Some(event)) = tokio::time::timeout_at(deadline, events.next()).await else { break };
        match event {
            Ok(Event::Init) => {
                objects.clear();
                listed = false;
            }
            Ok(Event::InitApply(object) | Event::Apply(object)) => {
                objects.insert(key(&object), object);
            }
            Ok(Event::Delete(object)) => {
                objects.remove(&key(&object));
            }
            Ok(Event::InitDone) => listed = true,
            Err(error) => {
                trouble = format!(", and the watch failed last with: {error}");
                if tokio::time::timeout_at(deadline, tokio::time::sleep(AGAIN)).await.is_err() {
                    break;
                }
                continue;
            }
        }
        trouble.clear();
        if listed {
            let now: Vec<K> = objects.values().cloned().collect();
            if met(&now) {
                return Ok(now);
            }
        }
    }
    let names: Vec<&str> = objects.keys().map(|(_, name)| name.as_str()).take(NAMED).collect();
    let more = if objects.len() > NAMED { ", …" } else { "" };
    let seen = format!("{} of {} ({}{more}){trouble}", objects.len(), K::plural(&()), names.join(", "));
    Err(ClusterError::Timeout { what: what.to_owned(), within, seen })
}
