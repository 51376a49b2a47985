//! The data folder of a cluster, which belongs to one process and does not outlive it for long.
//!
//! Its name says whose it is: `eks-cluster-<pid namespace>-<pid>-<start of that process>-<number>`. So it
//! is never without an owner, not even in the moment after it was made.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use crate::error::ClusterError;
use crate::process::{Process, namespace};

const PREFIX: &str = "eks-cluster-";

/// A folder that is removed when this value is dropped.
#[derive(Debug)]
pub(crate) struct DataFolder {
    path: PathBuf,
}

impl DataFolder {
    /// Makes one for this process.
    pub(crate) fn create(within: &Path) -> Result<Self, ClusterError> {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let me = Process::me();
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let path = within.join(format!("{PREFIX}{}-{}-{}-{number}", namespace(), me.pid, me.started));
        private_folder(&path).map_err(ClusterError::file(&path))?;
        Ok(Self { path })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for DataFolder {
    fn drop(&mut self) {
        // Mostly the launcher has removed it. If the launcher was killed, the programs that it had are
        // dying, and one may still write a last file between the listing and the removal.
        let deadline = Instant::now() + Duration::from_secs(10);
        while self.path.exists() && std::fs::remove_dir_all(&self.path).is_err() && Instant::now() < deadline
        {
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

/// Folders in `within` that some cluster of this user has or had, with the process that they belong to.
pub(crate) fn owned(within: &Path) -> Vec<(PathBuf, Process)> {
    let Ok(entries) = std::fs::read_dir(within) else { return Vec::new() };
    let mut owned: Vec<_> = entries
        .flatten()
        .filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()) && is_ours(entry))
        .filter_map(|entry| Some((entry.path(), owner(entry.file_name().to_str()?)?)))
        .collect();
    owned.sort();
    owned
}

/// Removes the folders whose process is gone, and says which.
///
/// They are left behind only when a test and its launcher were both killed.
pub(crate) fn sweep(within: &Path) -> Vec<PathBuf> {
    owned(within)
        .into_iter()
        .filter(|(path, owner)| owner.has_ended() && std::fs::remove_dir_all(path).is_ok())
        .map(|(path, _)| path)
        .collect()
}

/// The process that a folder's name speaks of, if it counts its processes as we do.
fn owner(name: &str) -> Option<Process> {
    let mut parts = name.strip_prefix(PREFIX)?.split('-').map(str::parse::<u64>);
    let (theirs, pid, started) = (parts.next()?.ok()?, parts.next()?.ok()?, parts.next()?.ok()?);
    (theirs == namespace()).then_some(Process { pid: u32::try_from(pid).ok()?, started })
}

#[cfg(unix)]
fn private_folder(path: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::DirBuilderExt as _;
    // It will hold keys and tokens.
    std::fs::DirBuilder::new().mode(0o700).create(path)
}

#[cfg(not(unix))]
fn private_folder(path: &Path) -> std::io::Result<()> {
    std::fs::create_dir(path)
}

#[cfg(target_os = "linux")]
fn is_ours(entry: &std::fs::DirEntry) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    let me = std::fs::metadata("/proc/self").map(|file| file.uid());
    me.is_ok_and(|me| entry.metadata().is_ok_and(|folder| folder.uid() == me))
}

#[cfg(not(target_os = "linux"))]
fn is_ours(_entry: &std::fs::DirEntry) -> bool {
    true
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::{DataFolder, owned, sweep};
    use crate::process::{Process, namespace};

    #[test]
    fn only_folders_of_dead_processes_are_swept() {
        let temp = tempfile::tempdir().unwrap();
        let mine = DataFolder::create(temp.path()).unwrap();
        let me = Process::me();
        let dead = temp.path().join(format!("eks-cluster-{}-{}-{}-0", namespace(), me.pid, me.started + 1));
        let elsewhere = temp.path().join(format!("eks-cluster-{}-{}-1-0", namespace() + 1, me.pid));
        let foreign = temp.path().join("eks-cluster-notes");
        for folder in [&dead, &elsewhere, &foreign] {
            std::fs::create_dir(folder).unwrap();
        }
        std::os::unix::fs::symlink(&foreign, temp.path().join(format!("eks-cluster-{}-1-1-1", namespace())))
            .unwrap();
        assert_eq!(owned(temp.path()).len(), 2, "mine and the dead one");
        assert_eq!(sweep(temp.path()), [dead]);
        assert!(mine.path().exists() && elsewhere.exists() && foreign.exists());
        let path = mine.path().to_owned();
        drop(mine);
        assert!(!path.exists());
    }
}
