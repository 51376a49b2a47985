//! What was called: the world's CloudTrail.

use jiff::Timestamp;

/// A call, as it arrived, and what became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallRecord {
    /// When.
    pub at: Timestamp,
    /// Who: the ARN of the caller.
    pub caller: String,
    /// What, as its permission is named: `eks:UpdateClusterVersion`.
    pub operation: String,
    /// On what: `cluster shop`.
    pub target: String,
    /// Whether the call changes something.
    pub write: bool,
    /// The request, for calls that change something.
    pub request: Option<String>,
    /// What became of it.
    pub outcome: Outcome,
    /// The id that AWS would find it by.
    pub request_id: String,
}

/// What became of a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It was carried out, and the caller knows.
    Done,
    /// It was carried out, and the answer got lost.
    DoneUnheard,
    /// It was refused, with this code; nothing was changed.
    Refused(String),
    /// It never arrived.
    Lost,
}

impl CallRecord {
    /// Whether the call was carried out, whatever the caller knows of it.
    pub fn had_effect(&self) -> bool {
        matches!(self.outcome, Outcome::Done | Outcome::DoneUnheard)
    }
}
