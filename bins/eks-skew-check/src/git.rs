//! What git knows of a change: which files, and what they were before.

use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, bail};

/// A file that a change touches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Changed {
    /// Its path now, from the working directory on.
    pub(crate) path: PathBuf,
    /// The path it had at the merge base, from the repository's root on; `None` for a new file.
    pub(crate) before: Option<String>,
}

/// A change: the merge base, and the files that differ from it in the work tree.
#[derive(Debug)]
pub(crate) struct Change {
    directory: PathBuf,
    base: String,
    pub(crate) files: Vec<Changed>,
}

fn git(directory: &Path, args: &[&str]) -> anyhow::Result<Vec<u8>> {
    let output = Command::new("git")
        .args(args)
        .current_dir(directory)
        .stdin(Stdio::null())
        .output()
        .context("git cannot be run; --base needs it on the PATH")?;
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
        let found = git(directory, &["merge-base", base, "HEAD"]).with_context(hint)?;
        let merge_base = String::from_utf8_lossy(&found).trim().to_owned();
        let top = git(directory, &["rev-parse", "--show-toplevel"]).with_context(hint)?;
        let top = PathBuf::from(String::from_utf8_lossy(&top).trim_end_matches(['\n', '\r']));
        // The whole repository is compared, so that a file moved into the paths is known as moved.
        let args = ["diff", "--name-status", "-z", "-M", "--diff-filter=ACMRT", &merge_base];
        let mut files = changed(&git(&top, &args).with_context(hint)?);
        let args = ["ls-files", "--others", "--exclude-standard", "-z"];
        let untracked = git(&top, &args).with_context(hint)?;
        for path in untracked.split(|&b| b == 0).filter(|path| !path.is_empty()) {
            files.push(Changed {
                path: PathBuf::from(String::from_utf8_lossy(path).into_owned()),
                before: None,
            });
        }
        // git speaks of real paths.
        let real = |path: &Path| path.canonicalize().unwrap_or_else(|_| path.to_owned());
        let here = real(directory);
        let within: Vec<PathBuf> = if paths.is_empty() {
            vec![here.clone()]
        } else {
            paths.iter().map(|path| real(&directory.join(path))).collect()
        };
        for file in &mut files {
            let path = top.join(&file.path);
            file.path = path.strip_prefix(&here).map_or(path.clone(), Path::to_owned);
        }
        files.retain(|file| within.iter().any(|path| here.join(&file.path).starts_with(path)));
        files.sort_by(|a, b| a.path.cmp(&b.path));
        Ok(Self { directory: directory.to_owned(), base: merge_base, files })
    }

    /// What the changed files held at the merge base, in one call of git.
    pub(crate) fn before(&self) -> anyhow::Result<Vec<(PathBuf, Vec<u8>)>> {
        let wanted: Vec<(&PathBuf, &String)> =
            self.files.iter().filter_map(|file| Some((&file.path, file.before.as_ref()?))).collect();
        if wanted.is_empty() {
            return Ok(Vec::new());
        }
        if let Some((path, _)) = wanted.iter().find(|(_, before)| before.contains('\n')) {
            bail!("{} has a line break in its name, which git cannot be asked for", path.display());
        }
        let mut child = Command::new("git")
            .args(["cat-file", "--batch"])
            .current_dir(&self.directory)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .context("git cannot be run; --base needs it on the PATH")?;
        let request: Vec<u8> =
            wanted.iter().flat_map(|(_, before)| format!("{}:{before}\n", self.base).into_bytes()).collect();
        let mut stdin = child.stdin.take().context("git takes no input")?;
        // Written beside the reading: git answers while it is asked.
        let writer = std::thread::spawn(move || stdin.write_all(&request));
        let mut stdout = BufReader::new(child.stdout.take().context("git gives no output")?);
        let mut contents = Vec::new();
        for (path, before) in wanted {
            let mut header = String::new();
            stdout.read_line(&mut header)?;
            let size = header.trim_end().rsplit(' ').next().and_then(|size| size.parse::<u64>().ok());
            let Some(size) = size.filter(|_| header.contains(" blob ")) else {
                bail!("git does not give {before} as it was at {}: {}", self.base, header.trim_end());
            };
            let mut bytes = Vec::new();
            (&mut stdout).take(size).read_to_end(&mut bytes)?;
            let mut newline = [0];
            stdout.read_exact(&mut newline)?;
            contents.push((path.clone(), bytes));
        }
        drop(writer.join());
        child.wait()?;
        Ok(contents)
    }
}

/// Reads `git diff --name-status -z`.
fn changed(diff: &[u8]) -> Vec<Changed> {
    let mut fields = diff.split(|&b| b == 0).map(|field| String::from_utf8_lossy(field).into_owned());
    let mut files = Vec::new();
    while let Some(status) = fields.next().filter(|status| !status.is_empty()) {
        let Some(first) = fields.next() else { break };
        let (path, before) = match status.chars().next() {
            Some('A') => (first, None),
            Some('R' | 'C') => {
                let Some(second) = fields.next() else { break };
                (second, Some(first))
            }
            _ => (first.clone(), Some(first)),
        };
        files.push(Changed { path: PathBuf::from(path), before });
    }
    files
}
