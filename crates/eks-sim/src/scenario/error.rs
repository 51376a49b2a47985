//! What is wrong with a scenario.

/// Why a scenario is none.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ScenarioError {
    /// It does not read as a scenario: a typo, a key that nobody knows, a value of another kind.
    #[error("{}{message}", place(*line, *column))]
    Unreadable {
        /// 1-based line, where it is known.
        line: Option<usize>,
        /// 1-based column.
        column: Option<usize>,
        /// What is wrong, and what is allowed.
        message: String,
    },
    /// It reads, and says what cannot be.
    #[error("{}{message}", place(*line, None))]
    Contradiction {
        /// 1-based line of what it is about, where that could be found.
        line: Option<usize>,
        /// What is wrong, and what is allowed.
        message: String,
    },
}

fn place(line: Option<usize>, column: Option<usize>) -> String {
    match (line, column) {
        (Some(line), Some(column)) => format!("line {line}, column {column}: "),
        (Some(line), None) => format!("line {line}: "),
        (None, _) => String::new(),
    }
}

impl From<serde_yaml::Error> for ScenarioError {
    fn from(error: serde_yaml::Error) -> Self {
        let at = error.location();
        let text = error.to_string();
        // The library says the place at the end; it stands at the front here.
        let message = text.split(" at line ").next().unwrap_or(&text).to_owned();
        Self::Unreadable {
            line: at.as_ref().map(serde_yaml::Location::line),
            column: at.as_ref().map(serde_yaml::Location::column),
            message,
        }
    }
}
