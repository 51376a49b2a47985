//! Clusters that a program holds and not a test: `eks-cluster up`, and how they are found and ended.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use crate::cluster::Cluster;
use crate::credentials::private_file;
use crate::error::ClusterError;
use crate::folder::{owned, sweep};
use crate::process::{Process, Signal};

const RECORD: &str = "up.json";

/// What `eks-cluster up` prints in one line when the cluster is ready.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Held {
    /// `https://127.0.0.1:<port>`
    pub url: String,
    /// The administrator's kubeconfig.
    pub kubeconfig: PathBuf,
    /// The minor it is at: `1.34`.
    pub version: String,
    /// Where everything of it is.
    pub data_folder: PathBuf,
    /// The process that holds it.
    pub pid: u32,
    /// The launcher and the programs, with their process numbers.
    pub processes: BTreeMap<String, u32>,
}

/// Writes down, for `down`, that this process holds a cluster for whoever asked, and gives what to print.
pub fn say_held(cluster: &Cluster) -> Result<Held, ClusterError> {
    let held = Held {
        url: cluster.url(),
        kubeconfig: cluster.kubeconfig_file(),
        version: cluster.minor().to_string(),
        data_folder: cluster.data_folder().to_owned(),
        pid: std::process::id(),
        processes: cluster.processes().into_iter().collect(),
    };
    let text = serde_json::to_string(&held)
        .map_err(|error| ClusterError::BadOption(format!("the record cannot be written ({error})")))?;
    private_file(&cluster.data_folder().join(RECORD), &text)?;
    Ok(held)
}

/// The clusters that are up, by what they have written down.
pub fn held(temp: &Path) -> Vec<Held> {
    let records = owned(temp).into_iter().filter(|(_, owner)| !owner.has_ended());
    records.filter_map(|(folder, owner)| record(&folder, owner)).collect()
}

/// Ends the clusters that are up, or the one with that data folder, and says which; waits for each.
///
/// A process is signalled only if it is the very one that made the folder: by number and start.
pub fn down(temp: &Path, only: Option<&Path>, within: Duration) -> Result<Vec<Held>, ClusterError> {
    let mut ended = Vec::new();
    for (folder, owner) in owned(temp) {
        if only.is_some_and(|only| only != folder) || owner.has_ended() {
            continue;
        }
        let Some(held) = record(&folder, owner) else { continue };
        owner.signal(Signal::Term);
        let deadline = Instant::now() + within;
        while !owner.has_ended() || folder.exists() {
            if Instant::now() > deadline {
                return Err(ClusterError::Timeout {
                    what: format!("process {} to end", owner.pid),
                    within,
                    seen: format!("it and its folder {}", folder.display()),
                });
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        ended.push(held);
    }
    sweep(temp);
    if let Some(only) = only
        && ended.is_empty()
    {
        return Err(ClusterError::BadOption(format!("no cluster is up in {}", only.display())));
    }
    Ok(ended)
}

fn record(folder: &Path, owner: Process) -> Option<Held> {
    let text = std::fs::read(folder.join(RECORD)).ok()?;
    let held: Held = serde_json::from_slice(&text).ok()?;
    (held.pid == owner.pid).then_some(held)
}
