//! Walking and reading, and nothing else: what a scan is measured against.

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::{Condvar, Mutex, PoisonError};

#[derive(Default)]
struct State {
    folders: Vec<PathBuf>,
    running: usize,
}

/// Reads every file below a folder that may hold manifests or declarations into one buffer a thread. Returns how many files
/// and bytes.
pub(super) fn walk_and_read(folder: &Path, threads: usize) -> (u64, u64) {
    let state = Mutex::new(State { folders: vec![folder.to_owned()], running: 0 });
    let changed = Condvar::new();
    let worker = || {
        let (mut files, mut bytes) = (0, 0);
        let mut buffer = vec![0; 1 << 20];
        loop {
            let folder = {
                let mut state = state.lock().unwrap_or_else(PoisonError::into_inner);
                loop {
                    if let Some(folder) = state.folders.pop() {
                        state.running += 1;
                        break folder;
                    }
                    if state.running == 0 {
                        return (files, bytes);
                    }
                    state = changed.wait(state).unwrap_or_else(PoisonError::into_inner);
                }
            };
            for entry in fs::read_dir(&folder).into_iter().flatten().flatten() {
                let Ok(kind) = entry.file_type() else { continue };
                if kind.is_dir() {
                    state.lock().unwrap_or_else(PoisonError::into_inner).folders.push(entry.path());
                    changed.notify_one();
                } else if is_wanted(&entry.path()) {
                    let Ok(mut file) = fs::File::open(entry.path()) else { continue };
                    files += 1;
                    while let Ok(read) = file.read(&mut buffer) {
                        bytes += read as u64;
                        if read < buffer.len() {
                            break;
                        }
                    }
                }
            }
            let mut state = state.lock().unwrap_or_else(PoisonError::into_inner);
            state.running -= 1;
            if state.running == 0 && state.folders.is_empty() {
                changed.notify_all();
            }
        }
    };
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(worker)).collect();
        workers
            .into_iter()
            .filter_map(|worker| worker.join().ok())
            .fold((0, 0), |sum, part| (sum.0 + part.0, sum.1 + part.1))
    })
}

fn is_wanted(path: &Path) -> bool {
    path.extension()
        .and_then(|extension| extension.to_str())
        .is_some_and(|extension| matches!(extension, "yaml" | "yml" | "json" | "tpl" | "tf" | "tfvars"))
}
