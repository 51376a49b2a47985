//! What went wrong with a call, as a [`ProviderError`]: what the API server refused, and what did not come
//! through to it.

use std::error::Error as StdError;
use std::time::Duration;

use eks_provider::{Class, ProviderError};
use kube::core::response::{Status, StatusCause, StatusSummary};
use serde_json::Value;

use crate::call::{Ask, Reply};

/// A text that is no `Status` (a proxy's page, a plain "404 page not found") is quoted up to here.
const QUOTED: usize = 300;

/// An answer that says no.
#[derive(Debug)]
pub(crate) struct Refusal {
    /// The number that counts: of the body where it has one, since the API server may say "no" under a 201.
    pub(crate) status: u16,
    /// One word: `NotFound`; empty where none is given.
    pub(crate) reason: String,
    /// A sentence.
    pub(crate) message: String,
    /// The kind of the object that it is about, as it says: `pods`, `poddisruptionbudgets`.
    pub(crate) kind: String,
    /// Why exactly.
    pub(crate) causes: Vec<StatusCause>,
    /// Where a list goes on from, although its moment is forgotten (410).
    pub(crate) go_on: Option<String>,
    /// Whether the body was a `Status` of Kubernetes: otherwise something on the way may have answered.
    pub(crate) is_status: bool,
    retry_after: Option<Duration>,
    audit_id: Option<String>,
}

impl Refusal {
    /// What an answer refuses; `None` where it does not.
    ///
    /// The eviction of a Pod with two budgets is answered with the status 201 and a body that says 500
    /// (`pkg/endpoints/handlers/create.go`): so the body is looked at, whatever the status.
    pub(crate) fn of(reply: &Reply) -> Option<Self> {
        let success = reply.status.is_success();
        if success && !reply.may_be_a_status() {
            return None;
        }
        let status = serde_json::from_slice::<Status>(&reply.body).ok();
        let body =
            status.filter(|body| body.status == Some(StatusSummary::Failure) || (!success && body.code != 0));
        if success && body.is_none() {
            return None;
        }
        let header = |name: &str| reply.headers.get(name).and_then(|value| value.to_str().ok());
        let asked = header("retry-after").and_then(|text| text.trim().parse().ok()).map(Duration::from_secs);
        let audit_id = header("audit-id").map(ToOwned::to_owned);
        let http = reply.status.as_u16();
        let mut refusal = match body {
            Some(body) => Self::said(body, http),
            None => Self {
                status: http,
                reason: String::new(),
                message: quoted(&reply.body),
                kind: String::new(),
                causes: Vec::new(),
                go_on: None,
                is_status: false,
                retry_after: None,
                audit_id: None,
            },
        };
        refusal.retry_after = asked.or(refusal.retry_after);
        refusal.audit_id = audit_id;
        Some(refusal)
    }

    /// What an event of a watch refuses; `None` where it is no `Status`.
    pub(crate) fn of_object(object: Value) -> Option<Self> {
        serde_json::from_value(object).ok().map(|status| Self::said(status, 200))
    }

    fn said(body: Status, http: u16) -> Self {
        let details = body.details.unwrap_or_else(no_details);
        let in_body = Some(details.retry_after_seconds).filter(|seconds| *seconds > 0);
        Self {
            status: if body.code == 0 { http } else { body.code },
            reason: body.reason,
            message: body.message,
            kind: details.kind,
            causes: details.causes,
            go_on: body.metadata.and_then(|list| list.continue_).filter(|token| !token.is_empty()),
            is_status: true,
            retry_after: in_body.map(|seconds| Duration::from_secs(u64::from(seconds))),
            audit_id: None,
        }
    }

    /// How long it asks to wait.
    pub(crate) fn retry_after(&self) -> Option<Duration> {
        self.retry_after
    }

    /// The cause of this kind.
    pub(crate) fn cause(&self, reason: &str) -> Option<&StatusCause> {
        self.causes.iter().find(|cause| cause.reason == reason)
    }

    /// What kind of failure it is.
    pub(crate) fn class(&self) -> Class {
        match self.status {
            401 => Class::Unauthenticated,
            // The role would allow it; the namespace does not any more.
            403 if self.cause("NamespaceTerminating").is_some() => Class::Conflict,
            403 => Class::Denied,
            404 => Class::NotFound,
            409 | 410 => Class::Conflict,
            // A precondition in the body of a patch comes back as a field that must not change.
            422 if self.causes.iter().any(|cause| cause.field == "metadata.uid") => Class::Conflict,
            429 => Class::Throttled,
            400 | 405 | 406 | 413 | 415 | 422 => Class::Invalid,
            500..=599 => Class::Transport,
            _ => Class::Other,
        }
    }

    /// As an error of this call.
    pub(crate) fn error(&self, ask: &Ask) -> ProviderError {
        self.error_of(self.class(), ask)
    }

    /// As an error of this call, where it is known better of what kind it is.
    pub(crate) fn error_of(&self, class: Class, ask: &Ask) -> ProviderError {
        let mut error = ask.error(class).status(self.status);
        if !self.message.is_empty() {
            error = error.message(self.message.as_str());
        }
        if !self.reason.is_empty() {
            error = error.code(self.reason.as_str());
        }
        if let Some(id) = &self.audit_id {
            error = error.request_id(id.as_str());
        }
        match self.retry_after {
            Some(wait) => error.retry_after(wait),
            None => error,
        }
    }
}

fn no_details() -> kube::core::response::StatusDetails {
    kube::core::response::StatusDetails {
        name: String::new(),
        group: String::new(),
        kind: String::new(),
        uid: String::new(),
        causes: Vec::new(),
        retry_after_seconds: 0,
    }
}

fn quoted(body: &[u8]) -> String {
    let text = String::from_utf8_lossy(body);
    let text = text.trim();
    match text.char_indices().nth(QUOTED) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

/// What did not come through, as an error of this call.
///
/// kube prints a cause in its text and again as its source; here each is said once.
pub(crate) fn transport(error: &kube::Error, ask: &Ask) -> ProviderError {
    let mut class = Class::Transport;
    let mut parts: Vec<String> = Vec::new();
    let mut link: Option<&(dyn StdError + 'static)> = Some(error);
    while let Some(cause) = link {
        if cause.downcast_ref::<kube::client::AuthError>().is_some() {
            class = Class::Unauthenticated;
        } else if let Some(io) = cause.downcast_ref::<std::io::Error>()
            && io.kind() == std::io::ErrorKind::TimedOut
        {
            class = Class::Timeout;
        } else if cause.downcast_ref::<http::Error>().is_some() {
            class = Class::Invalid;
        }
        parts.push(cause.to_string());
        link = cause.source();
    }
    ask.error(class).message(told_once(&parts))
}

/// A chain of causes without what is said twice: a text that ends in the one below it loses that end, and one
/// that says nothing else is left out.
fn told_once(parts: &[String]) -> String {
    let mut told: Vec<String> = Vec::new();
    for (index, part) in parts.iter().enumerate() {
        let below = &parts[index + 1..];
        let mut text = part.as_str();
        while let Some(rest) = below.iter().find_map(|cause| text.strip_suffix(cause.as_str())) {
            text = rest.trim_end().trim_end_matches(':').trim_end();
        }
        // What kube calls the layer says nothing to anybody.
        let plain = ["ServiceError", "HyperError", "auth error", "HttpError"];
        if !text.is_empty() && !plain.contains(&text) && told.last().is_none_or(|last| last != text) {
            told.push(text.to_owned());
        }
    }
    told.join(": ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_cause_is_said_once() {
        let chain =
            |parts: &[&str]| told_once(&parts.iter().map(|part| (*part).to_owned()).collect::<Vec<_>>());
        for (parts, expected) in [
            (
                &[
                    "ServiceError: client error (Connect)",
                    "client error (Connect)",
                    "tcp connect error",
                    "Connection refused (os error 111)",
                ] as &[&str],
                "client error (Connect): tcp connect error: Connection refused (os error 111)",
            ),
            (
                &[
                    "auth error: failed exec auth: no such file",
                    "failed exec auth: no such file",
                    "no such file",
                ],
                "failed exec auth: no such file",
            ),
            (&["a", "a"], "a"),
            (&["only"], "only"),
            (&[], ""),
        ] {
            assert_eq!(chain(parts), expected);
        }
    }
}
