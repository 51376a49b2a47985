//! What git knows of a change: which files, and what they were before.

use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, bail};

use crate::files::path_from;

/// A file that a change touches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Changed {
    /// Its path now, from the working directory on.
    pub(crate) path: PathBuf,
    /// The path it had at the merge base, from the repository's root on; `None` for a new file.
    before: Option<Vec<u8>>,
    /// Whether it was named itself: then it is read whatever its name.
    pub(crate) named: bool,
    /// Whether it is gone now.
    pub(crate) deleted: bool,
}

/// A change: the merge base, and the files that differ from it in the work tree.
#[derive(Debug)]
pub(crate) struct Change {
    top: PathBuf,
    base: String,
    pub(crate) files: Vec<Changed>,
}

fn git(directory: &Path, args: &[&str]) -> anyhow::Result<Vec<u8>> {
    let output = Command::new("git")
        .args(args)
        .current_dir(directory)
        .stdin(Stdio::null())
        .output()
        .context(NO_GIT)?;
    if output.status.success() {
        return Ok(output.stdout);
    }
    let said = String::from_utf8_lossy(&output.stderr);
    let said = said.trim();
    bail!("{}", if said.is_empty() { "git gave no reason" } else { said })
}

impl Change {
    /// What the work tree changes since its merge base with `base`, within `paths`.
    pub(crate) fn since(base: &str, paths: &[PathBuf], directory: &Path) -> anyhow::Result<Self> {
        let hint = || {
            format!(
                "the change since `{base}` cannot be determined; fetch that revision with its history (in GitHub Actions: actions/checkout with fetch-depth: 0)"
            )
        };
        if base.starts_with('-') {
            bail!("`{base}` is no git revision");
        }
        let top = git(directory, &["rev-parse", "--show-toplevel"]).context(
            "--base looks at a change in git, and this folder is in no repository that can be read",
        )?;
        let found = git(directory, &["merge-base", base, "HEAD"]).with_context(hint)?;
        let merge_base = String::from_utf8_lossy(&found).trim().to_owned();
        let top = PathBuf::from(String::from_utf8_lossy(&top).trim_end_matches(['\n', '\r']));
        // The whole repository is compared, so that a file moved into the paths is known as moved.
        let args = ["diff", "--name-status", "-z", "-M", "--diff-filter=ACDMRT", &merge_base];
        let mut files = changed(&git(&top, &args).with_context(hint)?);
        let args = ["ls-files", "--others", "--exclude-standard", "-z"];
        let untracked = git(&top, &args).with_context(hint)?;
        for path in untracked.split(|&b| b == 0).filter(|path| !path.is_empty()) {
            files.push(Changed {
                path: path_from(path.to_vec()),
                before: None,
                named: false,
                deleted: false,
            });
        }
        // git speaks of real paths.
        let real = |path: &Path| path.canonicalize().unwrap_or_else(|_| path.to_owned());
        let here = real(directory);
        let top = real(&top);
        let mut within = Vec::new();
        for path in paths {
            if path.as_os_str() == "-" {
                bail!("standard input is no part of a change; leave `-` out, or --base");
            }
            let given = directory.join(path);
            if !given.exists() {
                bail!("{} is not there; correct the path", path.display());
            }
            let path = real(&given);
            if !path.starts_with(&top) {
                bail!(
                    "{} is outside of the repository, and so in no change of it; leave it out",
                    path.display()
                );
            }
            within.push(path);
        }
        if within.is_empty() {
            within.push(here.clone());
        }
        files.retain(|file| within.iter().any(|path| top.join(&file.path).starts_with(path)));
        for file in &mut files {
            file.named = within.contains(&top.join(&file.path));
            file.path = from_here(&top.join(&file.path), &here);
        }
        files.sort_by(|a, b| a.path.cmp(&b.path));
        Ok(Self { top, base: merge_base, files })
    }

    /// The path that a file had at the merge base, from a folder on.
    pub(crate) fn path_before(&self, file: &Changed, directory: &Path) -> Option<PathBuf> {
        let here = directory.canonicalize().unwrap_or_else(|_| directory.to_owned());
        file.before.as_ref().map(|before| from_here(&self.top.join(path_from(before.clone())), &here))
    }

    /// What the changed files held at the merge base, one by one, in one call of git. What was no
    /// file then (a submodule, a link's target) is left out.
    pub(crate) fn before(
        &self,
        wanted: impl Fn(&Changed) -> bool,
        mut each: impl FnMut(&Changed, Vec<u8>),
    ) -> anyhow::Result<()> {
        let asked: Vec<(&Changed, &Vec<u8>)> = self
            .files
            .iter()
            .filter(|file| wanted(file))
            .filter_map(|file| Some((file, file.before.as_ref()?)))
            // A name with a line break cannot be asked for: everything in that file counts as new.
            .filter(|(_, before)| !before.contains(&b'\n'))
            .collect();
        if asked.is_empty() {
            return Ok(());
        }
        let mut child = Command::new("git")
            .args(["cat-file", "--batch"])
            .current_dir(&self.top)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .context(NO_GIT)?;
        let mut request = Vec::new();
        for (_, before) in &asked {
            request.extend_from_slice(self.base.as_bytes());
            request.push(b':');
            request.extend_from_slice(before);
            request.push(b'\n');
        }
        let mut stdin = child.stdin.take().context("git takes no input")?;
        // Written beside the reading: git answers while it is asked.
        let writer = std::thread::spawn(move || stdin.write_all(&request));
        let mut stdout = BufReader::new(child.stdout.take().context("git gives no output")?);
        for (file, _) in asked {
            let mut header = Vec::new();
            stdout.read_until(b'\n', &mut header)?;
            let header = String::from_utf8_lossy(&header);
            let mut words = header.trim_end().rsplit(' ');
            let (Some(size), Some(kind)) =
                (words.next().and_then(|size| size.parse::<u64>().ok()), words.next())
            else {
                continue;
            };
            let mut bytes = Vec::new();
            (&mut stdout).take(size).read_to_end(&mut bytes)?;
            let mut newline = [0];
            stdout.read_exact(&mut newline)?;
            if kind == "blob" {
                each(file, bytes);
            }
        }
        drop(writer.join());
        child.wait()?;
        Ok(())
    }
}

/// What to do without git.
const NO_GIT: &str = "git cannot be run; --base needs it on the PATH";

/// A path as seen from a folder.
fn from_here(path: &Path, here: &Path) -> PathBuf {
    for (up, folder) in here.ancestors().enumerate() {
        if let Ok(inside) = path.strip_prefix(folder) {
            return PathBuf::from("../".repeat(up)).join(inside);
        }
    }
    path.to_owned()
}

/// Reads `git diff --name-status -z`.
fn changed(diff: &[u8]) -> Vec<Changed> {
    let mut fields = diff.split(|&b| b == 0).map(<[u8]>::to_vec);
    let mut files = Vec::new();
    while let Some(status) = fields.next().filter(|status| !status.is_empty()) {
        let Some(first) = fields.next() else { break };
        let (path, before) = match status.first() {
            Some(b'A') => (first, None),
            Some(b'R' | b'C') => {
                let Some(second) = fields.next() else { break };
                (second, Some(first))
            }
            _ => (first.clone(), Some(first)),
        };
        let deleted = status.first() == Some(&b'D');
        files.push(Changed { path: path_from(path), before, named: false, deleted });
    }
    files
}
