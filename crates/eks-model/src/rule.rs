//! Rules as data: what a rule checks, why, and where that can be read. `docs/rules.md`, `explain`
//! and the rule list of SARIF are made from it.

/// A rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rule {
    /// Its id, never used again for another rule.
    pub id: &'static str,
    /// Its name in a few words.
    pub title: &'static str,
    /// What it looks at, and when it finds something.
    pub checks: &'static str,
    /// What happens to people who pass over it.
    pub why: &'static str,
    /// For which versions it holds.
    pub since_until: &'static str,
    /// Where the fact can be read, and when it was.
    pub source: &'static str,
    /// An input that it finds, and the window.
    pub example: Example,
}

impl Rule {
    /// Its documentation, by the fixed headings; the example follows them.
    pub fn sections(&self) -> [(&'static str, &'static str); 4] {
        [
            ("Checks", self.checks),
            ("Why", self.why),
            ("Since–until", self.since_until),
            ("Source", self.source),
        ]
    }
}

/// An input that a rule finds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Example {
    /// The manifest or declaration, as YAML.
    pub text: &'static str,
    /// The first minor of the window.
    pub from: u16,
    /// The last minor of the window.
    pub to: u16,
    /// What the same file held before, for rules about a change.
    pub before: Option<&'static str>,
}
