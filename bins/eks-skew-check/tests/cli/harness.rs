//! A folder with files, and the program run in it.

use std::fs;
use std::io::Write;
use std::process::{Command, Output, Stdio};

use assert_cmd::cargo::cargo_bin;
use serde_json::Value;
use tempfile::TempDir;

pub(crate) const PDB: &str =
    "apiVersion: policy/v1beta1\nkind: PodDisruptionBudget\nmetadata:\n  name: web\n  namespace: shop\n";
pub(crate) const GOOD: &str = "apiVersion: policy/v1\nkind: PodDisruptionBudget\nmetadata:\n  name: web\n";
pub(crate) const BROKEN: &str = "key: [unclosed\n";

/// A folder with files, and the program run in it.
pub(crate) struct Tree {
    pub(crate) root: TempDir,
}

impl Tree {
    pub(crate) fn new(files: &[(&str, &str)]) -> Self {
        let tree = Self { root: TempDir::new().unwrap() };
        for (path, text) in files {
            tree.write(path, text.as_bytes());
        }
        tree
    }

    pub(crate) fn write(&self, path: &str, bytes: &[u8]) {
        let path = self.root.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }

    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(cargo_bin!("eks-skew-check"));
        command.args(args).current_dir(self.root.path()).env_remove("NO_COLOR");
        command
    }

    pub(crate) fn run(&self, args: &[&str]) -> Ran {
        Ran::from(self.command(args).stdin(Stdio::null()).output().unwrap())
    }

    pub(crate) fn run_with(&self, args: &[&str], input: &[u8]) -> Ran {
        let mut child = self
            .command(args)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(input).unwrap();
        Ran::from(child.wait_with_output().unwrap())
    }

    /// The JSON report of `files` with more arguments.
    pub(crate) fn report(&self, args: &[&str]) -> Report {
        let mut all = vec!["files", "--from", "1.24", "--to", "1.25", "--output", "json"];
        all.extend(args);
        self.run(&all).report()
    }

    pub(crate) fn git(&self, args: &[&str]) {
        let done = Command::new("git")
            .args([
                "-c",
                "user.name=a",
                "-c",
                "user.email=a@b",
                "-c",
                "init.defaultBranch=main",
                "-c",
                "commit.gpgsign=false",
            ])
            .args(args)
            .current_dir(self.root.path())
            .output()
            .unwrap();
        assert!(done.status.success(), "git {args:?}: {}", String::from_utf8_lossy(&done.stderr));
    }
}

pub(crate) struct Ran {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl From<Output> for Ran {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code().expect("it ends by itself"),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

impl Ran {
    pub(crate) fn report(self) -> Report {
        let value = serde_json::from_str(&self.out)
            .unwrap_or_else(|error| panic!("{error}: {}{}", self.out, self.err));
        Report { code: self.code, value, err: self.err }
    }
}

pub(crate) struct Report {
    pub(crate) code: i32,
    pub(crate) value: Value,
    pub(crate) err: String,
}

impl Report {
    /// `FILE:LINE:COLUMN ID status`
    pub(crate) fn findings(&self) -> Vec<String> {
        let all = self.value["findings"].as_array().unwrap();
        all.iter()
            .map(|f| {
                let text = |key: &str| f[key].as_str().unwrap_or("-").to_owned();
                format!("{}:{}:{} {} {}", text("file"), f["line"], f["column"], text("id"), text("status"))
            })
            .collect()
    }

    pub(crate) fn unread(&self) -> Vec<String> {
        let all = self.value["unread"].as_array().unwrap();
        all.iter().map(|u| format!("{}:{}", u["file"].as_str().unwrap(), u["line"])).collect()
    }

    pub(crate) fn verdict(&self) -> (&str, i32) {
        (self.value["verdict"].as_str().unwrap(), self.code)
    }

    pub(crate) fn notes(&self) -> String {
        self.value["notes"].to_string()
    }
}
