//! Building the programs, once for each state of the sources.

use std::fs::File;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use crate::error::BuildError;
use crate::programs::{BUILD_FLAGS, FAMILIES, Family, Programs, cache_root, go_version, key, pinned};

impl Programs {
    /// Builds the programs unless they are built; `say` is told what is going on, in a line each.
    ///
    /// Safe against being cut off and against a second builder: everything goes into a folder beside
    /// the final one, which gets its name at the very end, and a lock is held all the while.
    pub fn build(say: &mut dyn FnMut(&str)) -> Result<Self, BuildError> {
        if let Ok(built) = Self::built() {
            return Ok(built);
        }
        let go = Go::find()?;
        let root = cache_root()?;
        std::fs::create_dir_all(&root).map_err(BuildError::cache(&root))?;
        let lock = root.join("lock");
        let lock_file = File::create(&lock).map_err(BuildError::cache(&lock))?;
        if lock_file.try_lock().is_err() {
            say("another build is under way; waiting for it");
            // The kernel opens it when that builder ends, however it ends.
            lock_file.lock().map_err(BuildError::cache(&lock))?;
        }
        if let Ok(built) = Self::built() {
            return Ok(built);
        }
        let key = key()?;
        let unfinished = root.join(format!("{key}.unfinished"));
        remove_unfinished(&root)?;
        std::fs::create_dir(&unfinished).map_err(BuildError::cache(&unfinished))?;
        say(&format!("building with {} into {}", go.version, root.join(&key).display()));
        let began = Instant::now();
        for family in &FAMILIES {
            let done = Go::build(family, &unfinished, say);
            if let Err(error) = done {
                drop(std::fs::remove_dir_all(&unfinished));
                return Err(error);
            }
        }
        let finished = root.join(&key);
        std::fs::rename(&unfinished, &finished).map_err(BuildError::cache(&finished))?;
        say(&format!("built in {:.0} s", began.elapsed().as_secs_f64()));
        Ok(Self::at(finished))
    }
}

impl Programs {
    /// Whether the programs are built, or there is a Go that could: says which.
    pub fn can_build() -> Result<String, BuildError> {
        match Self::built() {
            Ok(built) => Ok(format!("built in {}", built.folder().display())),
            Err(BuildError::NotBuilt { .. }) => Ok(format!("not built; there is {}", Go::find()?.version)),
            Err(error) => Err(error),
        }
    }
}

/// What builders left behind that were cut off. The lock is ours, so none is alive.
fn remove_unfinished(root: &Path) -> Result<(), BuildError> {
    for entry in std::fs::read_dir(root).map_err(BuildError::cache(root))?.flatten() {
        if entry.file_name().to_string_lossy().ends_with(".unfinished") {
            std::fs::remove_dir_all(entry.path()).map_err(BuildError::cache(&entry.path()))?;
        }
    }
    Ok(())
}

/// The Go toolchain of this machine.
#[derive(Debug)]
struct Go {
    version: String,
}

impl Go {
    /// The Go on the PATH, if it is new enough or can fetch one that is.
    fn find() -> Result<Self, BuildError> {
        let needed = go_version();
        // Not in a module: an old Go cannot even read a new go.mod.
        let output = Command::new("go")
            .args(["env", "GOVERSION", "GOTOOLCHAIN"])
            .current_dir(std::env::temp_dir())
            .env("GOWORK", "off")
            .stdin(Stdio::null())
            .output();
        let output = match output {
            Ok(output) if output.status.success() => String::from_utf8_lossy(&output.stdout).into_owned(),
            _ => return Err(BuildError::GoMissing { needed: needed.to_owned() }),
        };
        let mut lines = output.lines();
        let (version, toolchain) = (lines.next().unwrap_or_default(), lines.next().unwrap_or_default());
        if usable(version, toolchain, needed) {
            Ok(Self { version: version.to_owned() })
        } else {
            Err(BuildError::GoTooOld { needed: needed.to_owned(), found: version.to_owned() })
        }
    }

    fn build(family: &Family, to: &Path, say: &mut dyn FnMut(&str)) -> Result<(), BuildError> {
        let go_mod = family.source().join("go.mod");
        let text = std::fs::read_to_string(&go_mod).map_err(BuildError::cache(&go_mod))?;
        let version = pinned(&text, family.module).unwrap_or_default();
        let names: Vec<&str> = family.programs.iter().map(|(name, _)| *name).collect();
        say(&format!("building {} {version}", names.join(", ")));
        let programs = to.join("bin");
        std::fs::create_dir_all(&programs).map_err(BuildError::cache(&programs))?;
        let mut build = go(family, "build");
        build.args(BUILD_FLAGS).arg("-ldflags").arg(family.link_flags(version));
        if let [(name, package)] = family.programs {
            // etcd's package is called `server`.
            build
                .arg("-o")
                .arg(programs.join(format!("{name}{}", std::env::consts::EXE_SUFFIX)))
                .arg(package);
        } else {
            // All at once: they share most of what is compiled, and link side by side.
            build.arg("-o").arg(format!("{}/", programs.display()));
            build.args(family.programs.iter().map(|(_, package)| package));
        }
        run(build, family)?;
        if !family.data.is_empty() {
            let mut list = go(family, "list");
            list.args(["-m", "-f", "{{.Dir}}", family.module]);
            let module = run(list, family)?;
            for path in family.data {
                copy(&Path::new(module.trim()).join(path), &to.join("data").join(path))?;
            }
        }
        Ok(())
    }
}

/// A call of Go in the module of a family.
fn go(family: &Family, subcommand: &str) -> Command {
    let mut command = if ends_with_us() {
        let mut command = Command::new("setpriv");
        command.args(["--pdeathsig", "KILL", "--", "go"]);
        command
    } else {
        Command::new("go")
    };
    command
        .arg(subcommand)
        .current_dir(family.source())
        .stdin(Stdio::null())
        .env("CGO_ENABLED", "0")
        // What a user has set for projects of his own has no say here.
        .env("GOFLAGS", "")
        .env("GOWORK", "off")
        .env_remove("GOOS")
        .env_remove("GOARCH");
    command
}

/// Whether a child can be had that the kernel kills when this process ends, however it ends: on Linux, with util-linux.
/// Where it cannot, a build that is cut off runs to the end of its step, into a folder that nobody takes for built.
fn ends_with_us() -> bool {
    let mut probe = Command::new("setpriv");
    probe.args(["--pdeathsig", "KILL", "--", "true"]).stdin(Stdio::null());
    cfg!(target_os = "linux") && probe.output().is_ok_and(|output| output.status.success())
}

fn run(mut command: Command, family: &Family) -> Result<String, BuildError> {
    let output = command.output().map_err(|_| BuildError::GoMissing { needed: go_version().to_owned() })?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    let cause = if said.trim().is_empty() { output.status.to_string() } else { said.into_owned() };
    Err(why(&cause, family.folder))
}

/// What is behind a failure of Go, from what it says: it has one exit code for all.
fn why(said: &str, what: &str) -> BuildError {
    let what = what.to_owned();
    let has = |words: &[&str]| words.iter().any(|word| said.contains(word));
    // Downloads are announced line by line before the error.
    let told: Vec<&str> = said.lines().filter(|line| !line.starts_with("go: downloading")).collect();
    let detail = told[told.len().saturating_sub(8)..].join("; ");
    if has(&["no space left on device", "disk quota exceeded"]) {
        let cache = cache_root().map(|root| root.display().to_string()).unwrap_or_default();
        return BuildError::NoSpace { what, cache };
    }
    let old =
        ["go.mod requires go >= ", "invalid go version", "note: module requires Go", "unknown directive"];
    if has(&old) {
        return BuildError::GoTooOld { needed: go_version().to_owned(), found: detail };
    }
    let unreachable = [
        "dial tcp",
        "no such host",
        "i/o timeout",
        "TLS handshake",
        "proxyconnect",
        "GOPROXY=off",
        "GOPROXY list is",
        "connection re",
        "unexpected EOF",
        "module lookup disabled",
        "502 Bad Gateway",
        "503 Service Unavailable",
    ];
    if has(&unreachable) { BuildError::Modules { what, detail } } else { BuildError::Go { what, detail } }
}

/// Whether `go1.26.8`, or what it may fetch, is at least `1.26.0`.
fn usable(version: &str, toolchain: &str, needed: &str) -> bool {
    let numbers = |text: &str| {
        let digits = |part: &str| part.chars().take_while(char::is_ascii_digit).collect::<String>();
        let mut parts = text.split('.').map(|part| digits(part).parse::<u32>().unwrap_or(0));
        [parts.next(), parts.next(), parts.next()].map(Option::unwrap_or_default)
    };
    let ours = numbers(version.strip_prefix("go").unwrap_or(version));
    // From 1.21 on Go fetches the toolchain that a go.mod asks for, if it may.
    let fetches = ours >= [1, 21, 0]
        && !toolchain.is_empty()
        && !toolchain.starts_with("local")
        && toolchain != "path"
        && !toolchain.ends_with("+path");
    ours >= numbers(needed) || fetches
}

fn copy(from: &Path, to: &Path) -> Result<(), BuildError> {
    if let Some(folder) = to.parent() {
        std::fs::create_dir_all(folder).map_err(BuildError::cache(folder))?;
    }
    // Read and written, not copied: files of the module cache are read-only, and their mode would come along.
    let bytes = std::fs::read(from).map_err(BuildError::cache(from))?;
    std::fs::write(to, bytes).map_err(BuildError::cache(to))
}

#[cfg(test)]
mod tests {
    use super::{BuildError, usable, why};

    #[test]
    fn a_go_is_new_enough_or_can_fetch_one_that_is() {
        for (version, toolchain, expected) in [
            ("go1.26.8", "local", true),
            ("go1.26.0", "auto", true),
            ("go1.27rc1", "local", true),
            ("go1.25.3", "auto", true),
            ("go1.25.3", "local", false),
            ("go1.25.3", "local+path", false),
            ("go1.19.8", "", false),
            ("go1.9", "", false),
            ("devel", "", false),
        ] {
            assert_eq!(usable(version, toolchain, "1.26.0"), expected, "{version} {toolchain}");
        }
    }

    #[test]
    fn what_go_says_becomes_one_sentence() {
        let said = |text: &str| why(text, "etcd");
        assert!(matches!(
            said("go: downloading a v1\nlink: write /tmp/x: no space left on device"),
            BuildError::NoSpace { .. }
        ));
        assert!(matches!(
            said("go: a@v1: Get \"https://proxy\": dial tcp: lookup proxy: no such host"),
            BuildError::Modules { .. }
        ));
        assert!(matches!(
            said("go: go.mod requires go >= 1.26.0 (running go 1.25.1; GOTOOLCHAIN=local)"),
            BuildError::GoTooOld { .. }
        ));
        let error = said("go: downloading a v1\n# a\nx.go:1: syntax error").to_string();
        assert_eq!(error, "`go build` of etcd failed: # a; x.go:1: syntax error");
    }
}
