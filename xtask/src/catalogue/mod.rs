//! `cargo xtask catalogue`: writes the catalogue of Kubernetes APIs.
//!
//! The Go modules of Kubernetes say since when a kind exists, when it is deprecated, when it goes
//! and what replaces it; several minors of each are read side by side, because a type that was
//! deleted says nothing any more. What no module can tell stands in `curated.tsv`, by hand, with
//! a source. `crates/eks-deprecations/data/README.md` says what the columns mean.
//!
//! The only thing that is asked of Go is `go mod download`: the sources are read as text.

mod curated;
mod derive;
mod go_source;
mod history;
mod lifecycle;
mod modules;
mod names;
mod table;

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};

use names::Minor;

/// The newest minor that is read. For a new release: raise it, run `cargo xtask catalogue`, read
/// what changed.
const NEWEST: Minor = Minor(37);

/// Where the tables are, from the root of the workspace.
const DATA: &str = "crates/eks-deprecations/data";

/// Writes `catalogue.tsv`; with `check`, only says whether the one that is there is up to date.
pub(crate) fn run(check: bool) -> anyhow::Result<()> {
    let data = workspace_root()?.join(DATA);
    let curated = read(&data.join("curated.tsv"))?;
    let curated = curated::parse(&curated).context("curated.tsv")?;

    let downloaded = modules::download(NEWEST)?;
    let history = history::read(&downloaded)?;
    let rows = derive::rows(&history, &curated, NEWEST)?;
    let table = table::render(&rows, &history);

    let path = data.join("catalogue.tsv");
    if !check {
        return fs::write(&path, table).with_context(|| format!("cannot write {}", path.display()));
    }
    let found = read(&path)?;
    match table::difference(&found, &table) {
        None => Ok(()),
        Some(difference) => bail!(
            "{DATA}/catalogue.tsv is not what the modules and curated.tsv give. \
             Run `cargo xtask catalogue` and read what changed:\n{difference}"
        ),
    }
}

fn read(path: &Path) -> anyhow::Result<String> {
    fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))
}

fn workspace_root() -> anyhow::Result<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent();
    Ok(root.context("this package is not inside a workspace")?.to_owned())
}
