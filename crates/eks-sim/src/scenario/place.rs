//! Where in a scenario something stands.

use super::ScenarioError;

/// The text of a scenario, to find places in.
#[derive(Debug, Clone, Copy)]
pub(super) struct Text<'a>(pub(super) &'a str);

impl Text<'_> {
    /// What a scenario says and cannot be, with the line on which the last of these words stands, after the ones before.
    pub(super) fn wrong<T>(self, words: &[&str], message: impl Into<String>) -> Result<T, ScenarioError> {
        Err(ScenarioError::Contradiction { line: self.line(words), message: message.into() })
    }

    fn line(self, words: &[&str]) -> Option<usize> {
        let mut lines = self.0.lines().enumerate();
        let mut found = None;
        for word in words {
            // A word of the same line counts as well.
            if found.is_some_and(|at: usize| self.0.lines().nth(at).is_some_and(|line| has(line, word))) {
                continue;
            }
            found = Some(lines.by_ref().find(|(_, line)| has(line, word))?.0);
        }
        found.map(|at| at + 1)
    }
}

/// Whether a line has a word that does not go on at either end.
fn has(line: &str, word: &str) -> bool {
    let part_of = |c: char| c.is_alphanumeric() || c == '-' || c == '_';
    line.match_indices(word).any(|(at, _)| {
        let before = line.get(..at).and_then(|text| text.chars().next_back());
        let after = line.get(at + word.len()..).and_then(|text| text.chars().next());
        !before.is_some_and(part_of) && !after.is_some_and(part_of)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_is_that_of_the_last_word_after_the_others() {
        let text = Text("groups:\n- name: web\n  min: 3\n- name: web-2\n  min: 4\n- { name: api, min: 5 }\n");
        for (words, line) in [
            (&["web"][..], Some(2)),
            (&["web-2", "min"], Some(5)),
            (&["api", "min"], Some(6)),
            (&["nobody"], None),
            (&[], None),
        ] {
            assert_eq!(text.line(words), line, "{words:?}");
        }
    }
}
