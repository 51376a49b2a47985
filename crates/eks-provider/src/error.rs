//! What went wrong with a call: which call, on what, what the service said, and what kind of
//! failure it is.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// The result of a call.
pub type Result<T> = std::result::Result<T, ProviderError>;

/// What kind of failure it is: what decides whether to repeat, to look again, or to give up.
///
/// Adapters map every code of a service to one of these; the code itself stays in
/// [`ProviderError::code`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Class {
    /// The thing asked for is not there (404, `ResourceNotFoundException`).
    NotFound,
    /// The caller may not do this (403, `AccessDeniedException`). Repeating changes nothing.
    Denied,
    /// The caller's credentials are missing, expired or not yet valid (401, `ExpiredToken`).
    /// New ones may help; the adapter has asked for them once before it says so.
    Unauthenticated,
    /// Too many calls (429, `Throttling`, `RequestLimitExceeded`; in Kubernetes, priority and
    /// fairness). The call was not carried out.
    Throttled,
    /// What is there is not what the call expected: a precondition failed, the name is taken, the
    /// state does not allow it (409, `InvalidStateException`). Read again, then decide again.
    Conflict,
    /// Something else is being done to the same thing and must end first
    /// (`ResourceInUseException` during an update, `ScalingActivityInProgress`,
    /// `ResourceContention`). The call was not carried out.
    InProgress,
    /// No answer came in time. Whether the call was carried out is not known.
    Timeout,
    /// The way or the far end is out of order: name resolution, connection, TLS, a connection
    /// cut off, 5xx. Whether the call was carried out is not known.
    Transport,
    /// The service refuses the request as it stands (400, `InvalidParameterException`,
    /// `ValidationError`). Repeating changes nothing.
    Invalid,
    /// An answer came and could not be understood. The call may have been carried out.
    Malformed,
    /// None of these. The call may have been carried out.
    Other,
}

impl Class {
    /// Every class.
    pub const ALL: [Self; 11] = [
        Self::NotFound,
        Self::Denied,
        Self::Unauthenticated,
        Self::Throttled,
        Self::Conflict,
        Self::InProgress,
        Self::Timeout,
        Self::Transport,
        Self::Invalid,
        Self::Malformed,
        Self::Other,
    ];

    /// A few words for people.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NotFound => "not found",
            Self::Denied => "denied",
            Self::Unauthenticated => "not authenticated",
            Self::Throttled => "throttled",
            Self::Conflict => "conflict",
            Self::InProgress => "in progress",
            Self::Timeout => "no answer in time",
            Self::Transport => "out of reach",
            Self::Invalid => "invalid request",
            Self::Malformed => "unreadable answer",
            Self::Other => "failed",
        }
    }

    /// Whether a call that failed so may nevertheless have been carried out. Before an
    /// irreversible call is sent again, whoever gets `true` must look.
    pub fn may_have_had_effect(self) -> bool {
        match self {
            Self::Timeout | Self::Transport | Self::Malformed | Self::Other => true,
            Self::NotFound
            | Self::Denied
            | Self::Unauthenticated
            | Self::Throttled
            | Self::Conflict
            | Self::InProgress
            | Self::Invalid => false,
        }
    }
}

impl fmt::Display for Class {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A call that could not be answered. One sentence: operation, target, class, what the service
/// said, code and request id.
///
/// ```
/// use eks_provider::{Class, ProviderError};
///
/// let error = ProviderError::new(Class::Conflict, "eks:UpdateClusterVersion", "cluster shop")
///     .code("InvalidStateException")
///     .message("upgrade readiness issues detected")
///     .request_id("5e1f");
/// assert_eq!(
///     error.to_string(),
///     "eks:UpdateClusterVersion on cluster shop: conflict: upgrade readiness issues detected \
///      (InvalidStateException, request 5e1f)"
/// );
/// assert_eq!(error.class(), Class::Conflict);
/// ```
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct ProviderError(Box<Details>);

/// Behind a pointer, since every method's result carries it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Details {
    class: Class,
    operation: String,
    target: String,
    code: Option<String>,
    status: Option<u16>,
    message: Option<String>,
    request_id: Option<String>,
    retry_after: Option<Duration>,
}

impl ProviderError {
    /// A failure of this class. The operation is named as its permission is
    /// (`eks:DescribeCluster`, `patch nodes`), the target with its kind (`cluster shop`).
    pub fn new(class: Class, operation: impl Into<String>, target: impl Into<String>) -> Self {
        Self(Box::new(Details {
            class,
            operation: operation.into(),
            target: target.into(),
            code: None,
            status: None,
            message: None,
            request_id: None,
            retry_after: None,
        }))
    }

    /// "There is no such thing."
    pub fn not_found(operation: impl Into<String>, target: impl Into<String>) -> Self {
        Self::new(Class::NotFound, operation, target)
    }

    /// With the service's own code: `ResourceNotFoundException`, the `reason` of a Kubernetes
    /// status.
    #[must_use]
    pub fn code(mut self, code: impl Into<String>) -> Self {
        self.0.code = Some(code.into());
        self
    }

    /// With the status of the HTTP answer.
    #[must_use]
    pub fn status(mut self, status: u16) -> Self {
        self.0.status = Some(status);
        self
    }

    /// With what the service said, or what the transport said.
    #[must_use]
    pub fn message(mut self, message: impl Into<String>) -> Self {
        self.0.message = Some(message.into());
        self
    }

    /// With the id by which AWS finds the request, or the audit id of Kubernetes.
    #[must_use]
    pub fn request_id(mut self, id: impl Into<String>) -> Self {
        self.0.request_id = Some(id.into());
        self
    }

    /// With how long the service asked to wait.
    #[must_use]
    pub fn retry_after(mut self, wait: Duration) -> Self {
        self.0.retry_after = Some(wait);
        self
    }

    /// What kind of failure it is.
    pub fn class(&self) -> Class {
        self.0.class
    }

    /// The call: `eks:DescribeCluster`, `patch nodes`.
    pub fn operation(&self) -> &str {
        &self.0.operation
    }

    /// What it was made on: `cluster shop`.
    pub fn target(&self) -> &str {
        &self.0.target
    }

    /// The service's own code, where it gave one.
    pub fn service_code(&self) -> Option<&str> {
        self.0.code.as_deref()
    }

    /// The status of the HTTP answer, where one came.
    pub fn http_status(&self) -> Option<u16> {
        self.0.status
    }

    /// What the service said.
    pub fn service_message(&self) -> Option<&str> {
        self.0.message.as_deref()
    }

    /// The id of the request, where an answer came.
    pub fn service_request_id(&self) -> Option<&str> {
        self.0.request_id.as_deref()
    }

    /// How long the service asked to wait before the next try.
    pub fn wait_asked_for(&self) -> Option<Duration> {
        self.0.retry_after
    }
}

impl fmt::Display for Details {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} on {}: {}", self.operation, self.target, self.class)?;
        if let Some(message) = &self.message {
            // Services write several lines; a sentence is one.
            let words: Vec<&str> = message.split_whitespace().collect();
            write!(f, ": {}", words.join(" "))?;
        }
        let facts = [
            self.code.clone(),
            // The status says nothing that the code does not; alone it is all there is.
            self.status.filter(|_| self.code.is_none()).map(|status| format!("status {status}")),
            self.request_id.as_ref().map(|id| format!("request {id}")),
        ];
        let facts: Vec<String> = facts.into_iter().flatten().collect();
        if facts.is_empty() { Ok(()) } else { write!(f, " ({})", facts.join(", ")) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_one_sentence_on_one_line_with_all_that_is_known() {
        let bare = ProviderError::new(Class::Transport, "get nodes", "node ip-10-0-0-1");
        for (error, expected) in [
            (bare.clone(), "get nodes on node ip-10-0-0-1: out of reach"),
            (bare.clone().status(503), "get nodes on node ip-10-0-0-1: out of reach (status 503)"),
            (
                bare.clone().message("first\n  second\n").status(500).code("InternalError"),
                "get nodes on node ip-10-0-0-1: out of reach: first second (InternalError)",
            ),
            (bare.request_id("r1"), "get nodes on node ip-10-0-0-1: out of reach (request r1)"),
        ] {
            assert_eq!(error.to_string(), expected);
        }
    }

    #[test]
    fn it_is_small_enough_to_return_everywhere() {
        assert_eq!(size_of::<ProviderError>(), size_of::<usize>());
    }

    #[test]
    fn classes_are_told_apart_in_words_and_in_json() {
        let mut words: Vec<&str> = Class::ALL.iter().map(|class| class.as_str()).collect();
        words.sort_unstable();
        words.dedup();
        assert_eq!(words.len(), Class::ALL.len());
        assert_eq!(serde_json::to_string(&Class::NotFound).unwrap(), "\"not-found\"");
    }
}
