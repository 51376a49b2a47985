//! Starts the sandbox, and has a client in Python use it.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on fails")]

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use serde_json::Value;

pub(crate) struct Sandbox {
    child: Child,
    /// The line that it prints when it is ready.
    pub(crate) line: String,
}

impl Sandbox {
    pub(crate) fn start(arguments: &[&str]) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_eks-sandbox"))
            .args(arguments)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        assert!(line.ends_with('\n'), "the sandbox ended before it was ready");
        Self { child, line }
    }

    /// What a client saw, that is called with the sandbox's line.
    pub(crate) fn client(&self, script: &str) -> Value {
        let python = std::env::var_os("EKS_TEST_PYTHON").expect(
            "EKS_TEST_PYTHON names the interpreter of tests/python; `cargo xtask test` makes it and says so",
        );
        let output = Command::new(python)
            .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("clients").join(script))
            .arg(&self.line)
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stdout);
        let wrong = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{script} failed: {wrong}");
        serde_json::from_str(&said).unwrap()
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        // Hard, as a user who has had enough: what it started has to end by itself.
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}
