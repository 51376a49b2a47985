//! Failures of the SDKs as errors of ours: which code means what, for every service, and what
//! comes from somewhere on the way (HTML, time-outs, no credentials).

use std::error::Error;
use std::time::Duration;

use aws_credential_types::provider::error::CredentialsError;
use aws_sdk_eks::config::http::HttpResponse;
use aws_sdk_eks::error::{ConnectorError, ProvideErrorMetadata, SdkError};
use aws_sdk_eks::operation::RequestId;
use eks_provider::{Class, ProviderError};

use crate::call::What;

/// An error of an SDK as one of ours.
pub(crate) fn failure<E>(what: &What, error: &SdkError<E, HttpResponse>) -> ProviderError
where
    E: ProvideErrorMetadata + Error + Send + Sync + 'static,
{
    if let Some(class) = credentials_class(error) {
        return what.error(class).message(chain(error));
    }
    match error {
        SdkError::TimeoutError(_) => what.error(Class::Timeout).message(chain(error)),
        SdkError::DispatchFailure(failure) if failure.is_timeout() => {
            what.error(Class::Timeout).message(chain(error))
        }
        SdkError::DispatchFailure(failure) => {
            let class = if failure.is_user() { Class::Invalid } else { Class::Transport };
            what.error(class).message(chain(error))
        }
        SdkError::ResponseError(response) => {
            let status = response.raw().status();
            // The head of an answer came and its body did not, or nobody could read it.
            let class = if has::<std::io::Error>(error) || has::<ConnectorError>(error) {
                Class::Transport
            } else if status.is_success() {
                Class::Malformed
            } else {
                class_of(None, "", status.as_u16())
            };
            let found = what.error(class).message(chain(error)).status(status.as_u16());
            with_request_id(found, response.raw(), error.request_id())
        }
        SdkError::ServiceError(service) => {
            let raw = service.raw();
            let status = raw.status().as_u16();
            let (code, message) = (service.err().code(), service.err().message());
            let class = if raw.status().is_success() {
                Class::Malformed
            } else {
                class_of(code, message.unwrap_or_default(), status)
            };
            let said = match (code, message) {
                (_, Some(message)) if !message.is_empty() => message.to_owned(),
                (Some(_), _) => String::new(),
                (None, _) if raw.status().is_success() => chain(service.err()),
                (None, _) => format!(
                    "the answer has status {status} and no error code ({})",
                    raw.headers().get("content-type").unwrap_or("of no type")
                ),
            };
            let mut found = what.error(class).status(status);
            if let Some(code) = code {
                found = found.code(code);
            }
            if !said.is_empty() {
                found = found.message(said);
            }
            let wait = raw.headers().get("retry-after").and_then(|text| text.trim().parse().ok());
            if let Some(seconds) = wait {
                found = found.retry_after(Duration::from_secs(seconds));
            }
            with_request_id(found, raw, error.request_id())
        }
        // And what a later SDK may add.
        SdkError::ConstructionFailure(_) | _ => what.error(Class::Invalid).message(chain(error)),
    }
}

/// What a code of any of the services means.
///
/// What only has a status is not an answer of the service: 404 without a code is a wrong address or
/// a gateway, and never "there is no such thing".
pub(crate) fn class_of(code: Option<&str>, message: &str, status: u16) -> Class {
    let Some(code) = code.filter(|code| !code.is_empty()) else {
        return match status {
            401 => Class::Unauthenticated,
            403 => Class::Denied,
            408 => Class::Timeout,
            429 => Class::Throttled,
            407 | 500..=599 => Class::Transport,
            _ => Class::Malformed,
        };
    };
    // Some services write who is at fault in front, some write `Exception` or `Fault` behind.
    let code = code.strip_prefix("Client.").or_else(|| code.strip_prefix("Server.")).unwrap_or(code);
    let bare = code.strip_suffix("Exception").or_else(|| code.strip_suffix("Fault")).unwrap_or(code);
    match bare {
        "Throttling"
        | "Throttled"
        | "ThrottledRequest"
        | "RequestThrottled"
        | "RequestLimitExceeded"
        | "TooManyRequests"
        | "EC2Throttled"
        | "BandwidthLimitExceeded"
        | "PriorRequestNotComplete"
        | "SlowDown" => Class::Throttled,
        "ExpiredToken"
        | "TokenRefreshRequired"
        | "RequestExpired"
        | "RequestTimeTooSkewed"
        | "InvalidClientTokenId"
        | "UnrecognizedClient"
        | "AuthFailure"
        | "InvalidAccessKeyId"
        | "InvalidSignature"
        | "SignatureDoesNotMatch"
        | "IncompleteSignature"
        | "MissingAuthenticationToken"
        | "InvalidSecurityToken"
        | "NotAuthenticated" => Class::Unauthenticated,
        "AccessDenied"
        | "UnauthorizedOperation"
        | "Unauthorized"
        | "NotAuthorized"
        | "OptInRequired"
        | "Blocked"
        | "Forbidden"
        | "ExplicitDeny" => Class::Denied,
        "ResourceInUse"
        | "ScalingActivityInProgress"
        | "ResourceContention"
        | "InstanceRefreshInProgress"
        | "ResourcePropagationDelay"
        | "ConcurrentModification"
        | "OperationInProgress" => Class::InProgress,
        "InvalidState"
        | "InvalidRequest"
        | "Conflict"
        | "AlreadyExists"
        | "EntityAlreadyExists"
        | "ResourceAlreadyExists"
        | "IncorrectState"
        | "IncorrectInstanceState"
        | "OperationNotPermitted"
        | "UnsupportedOperation"
        | "InsufficientInstanceCapacity"
        | "InsufficientCapacity"
        | "InsufficientHostCapacity"
        | "InsufficientReservedInstanceCapacity"
        | "KMSInvalidState"
        | "InsufficientFreeAddressesInSubnet"
        | "DependencyViolation" => Class::Conflict,
        "RequestTimeout" => Class::Timeout,
        "Server"
        | "ServiceUnavailable"
        | "Unavailable"
        | "InternalError"
        | "InternalFailure"
        | "InternalServerError"
        | "InternalServer"
        | "Internal"
        | "ServiceFailure"
        | "DependencyTimeout" => Class::Transport,
        "ValidationError" | "Validation" => validation(message),
        _ if code.contains("NotFound") || code.starts_with("NoSuch") => Class::NotFound,
        _ => match status {
            401 => Class::Unauthenticated,
            403 => Class::Denied,
            409 | 412 => Class::Conflict,
            429 => Class::Throttled,
            500..=599 => Class::Transport,
            400..=499 => Class::Invalid,
            _ => Class::Other,
        },
    }
}

/// Auto Scaling says with one code that a thing is not there, that its state does not allow the call, and
/// that the request is wrong: only the sentence tells them apart.
fn validation(message: &str) -> Class {
    let message = message.to_ascii_lowercase();
    let says = |words: &[&str]| words.iter().any(|word| message.contains(word));
    if says(&["not found", "no managed instance", "is not part of", "no active lifecycle action"]) {
        Class::NotFound
    } else if says(&["is not in inservice", "is not in standby", "not in a valid state", "pending delete"]) {
        Class::Conflict
    } else {
        Class::Invalid
    }
}

/// The class, where the credentials could not be had. Nothing was sent.
pub(crate) fn credentials_class(error: &(dyn Error + 'static)) -> Option<Class> {
    let found = find::<CredentialsError>(error)?;
    let connector = find::<ConnectorError>(found);
    if matches!(found, CredentialsError::ProviderTimedOut(_))
        || connector.is_some_and(ConnectorError::is_timeout)
    {
        return Some(Class::Timeout);
    }
    Some(if connector.is_some() { Class::Transport } else { Class::Unauthenticated })
}

fn with_request_id(error: ProviderError, raw: &HttpResponse, known: Option<&str>) -> ProviderError {
    // EC2 and the query services write it into the body as well.
    let body = raw.body().bytes().and_then(|body| std::str::from_utf8(body).ok()).unwrap_or_default();
    let in_body = || {
        ["RequestID", "RequestId"].iter().find_map(|tag| {
            let (_, rest) = body.split_once(&format!("<{tag}>"))?;
            rest.split_once('<').map(|(id, _)| id.trim())
        })
    };
    match known.or_else(in_body) {
        Some(id) => error.request_id(id),
        None => error,
    }
}

fn find<'a, T: Error + 'static>(error: &'a (dyn Error + 'static)) -> Option<&'a T> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(found) = error.downcast_ref::<T>() {
            return Some(found);
        }
        next = error.source();
    }
    None
}

fn has<T: Error + 'static>(error: &(dyn Error + 'static)) -> bool {
    find::<T>(error).is_some()
}

/// What an error and its causes say, each thing once.
pub(crate) fn chain(error: &(dyn Error + 'static)) -> String {
    let mut said = String::new();
    let mut next = Some(error);
    while let Some(error) = next {
        let text = error.to_string();
        if !said.contains(&text) {
            if !said.is_empty() {
                said.push_str(": ");
            }
            said.push_str(&text);
        }
        next = error.source();
    }
    said
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_of_every_service_have_their_class() {
        for (code, message, status, expected) in [
            ("ResourceNotFoundException", "No cluster found", 404, Class::NotFound),
            ("ResourceInUseException", "Cluster has an update in progress", 409, Class::InProgress),
            ("InvalidStateException", "", 400, Class::Conflict),
            ("InvalidRequestException", "", 400, Class::Conflict),
            ("InvalidParameterException", "", 400, Class::Invalid),
            ("ResourceLimitExceededException", "", 400, Class::Invalid),
            ("ServerException", "", 500, Class::Transport),
            ("ServiceUnavailableException", "", 503, Class::Transport),
            ("ThrottlingException", "", 429, Class::Throttled),
            ("Throttling", "Rate exceeded", 400, Class::Throttled),
            ("RequestLimitExceeded", "", 503, Class::Throttled),
            ("AccessDeniedException", "", 403, Class::Denied),
            ("UnauthorizedOperation", "", 403, Class::Denied),
            ("ExpiredToken", "", 403, Class::Unauthenticated),
            ("ExpiredTokenException", "", 400, Class::Unauthenticated),
            ("AuthFailure", "", 401, Class::Unauthenticated),
            ("UnrecognizedClientException", "", 403, Class::Unauthenticated),
            ("ScalingActivityInProgress", "", 400, Class::InProgress),
            ("ScalingActivityInProgressFault", "", 400, Class::InProgress),
            ("ResourceContention", "", 500, Class::InProgress),
            ("ValidationError", "AutoScalingGroup name not found - no such group", 400, Class::NotFound),
            ("ValidationError", "Instance Id not found - No managed instance found", 400, Class::NotFound),
            ("ValidationError", "The instance i-1 is not in InService.", 400, Class::Conflict),
            ("ValidationError", "New SetDesiredCapacity value 9 is above max value 3", 400, Class::Invalid),
            ("InvalidInstanceID.NotFound", "", 400, Class::NotFound),
            ("InvalidInstanceID.Malformed", "", 400, Class::Invalid),
            ("InvalidLaunchTemplateId.VersionNotFound", "", 400, Class::NotFound),
            ("InvalidLaunchTemplateName.NotFoundException", "", 400, Class::NotFound),
            ("IncorrectInstanceState", "", 400, Class::Conflict),
            ("IdempotentParameterMismatch", "", 400, Class::Invalid),
            ("InsufficientInstanceCapacity", "", 500, Class::Conflict),
            ("InternalError", "", 500, Class::Transport),
            ("ParameterNotFound", "", 400, Class::NotFound),
            ("NoSuchEntity", "", 404, Class::NotFound),
            ("NoSuchResourceException", "", 400, Class::NotFound),
            ("TargetGroupNotFound", "", 400, Class::NotFound),
            ("UnknownOperationException", "", 404, Class::Invalid),
            ("SomethingNew", "", 418, Class::Invalid),
            ("SomethingNew", "", 599, Class::Transport),
        ] {
            assert_eq!(class_of(Some(code), message, status), expected, "{code} {status}");
        }
    }

    #[test]
    fn a_status_alone_is_never_a_no_of_the_service() {
        for (status, expected) in [
            (400, Class::Malformed),
            (401, Class::Unauthenticated),
            (403, Class::Denied),
            (404, Class::Malformed),
            (429, Class::Throttled),
            (500, Class::Transport),
            (502, Class::Transport),
            (301, Class::Malformed),
        ] {
            assert_eq!(class_of(None, "", status), expected, "{status}");
            assert_eq!(class_of(Some(""), "", status), expected, "{status}");
        }
    }
}
