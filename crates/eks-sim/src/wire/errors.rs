//! Errors, as the protocols write them.

use eks_provider::{Class, ProviderError};
use serde_json::json;

use super::query::BadValue;
use super::xml::Element;
use super::{Answer, Response};

/// What goes wrong before or in a call of a query service.
pub(super) enum Failed {
    /// The world refuses it.
    Provider(ProviderError),
    /// The request is wrong: the service's code, and its sentence.
    Request(&'static str, String),
    /// A value in it cannot be used; each service has its own code for that.
    Value(BadValue),
}

impl From<ProviderError> for Failed {
    fn from(error: ProviderError) -> Self {
        Self::Provider(error)
    }
}

impl From<BadValue> for Failed {
    fn from(value: BadValue) -> Self {
        Self::Value(value)
    }
}

/// The service's own code, or the one that it uses for this class.
fn code(error: &ProviderError, by_class: fn(Class) -> &'static str) -> &str {
    error.service_code().unwrap_or_else(|| by_class(error.class()))
}

fn message(error: &ProviderError) -> String {
    error.service_message().map_or_else(|| error.to_string(), str::to_owned)
}

/// Whether no answer may be sent: what was done, was done.
fn is_lost(error: &ProviderError) -> bool {
    error.class() == Class::Timeout || (error.class() == Class::Transport && error.http_status().is_none())
}

fn status(class: Class, eks: bool) -> u16 {
    match class {
        Class::NotFound if eks => 404,
        Class::Denied | Class::Unauthenticated => 403,
        Class::Throttled if eks => 429,
        Class::InProgress if eks => 409,
        Class::Transport | Class::Timeout | Class::Malformed => 500,
        Class::NotFound
        | Class::Throttled
        | Class::InProgress
        | Class::Conflict
        | Class::Invalid
        | Class::Other => 400,
    }
}

/// The error of a service that speaks JSON.
pub(super) fn json(status: u16, code: &str, message: &str, id: &str) -> Response {
    Response {
        status,
        content_type: "application/json",
        headers: vec![("x-amzn-errortype", code.to_owned()), ("x-amzn-requestid", id.to_owned())],
        body: json!({ "__type": code, "message": message }).to_string().into_bytes(),
    }
}

/// EKS's answer to an error.
pub(super) fn eks(error: &ProviderError, id: &str) -> Answer {
    if is_lost(error) {
        return Answer::Lost;
    }
    let by_class = |class| match class {
        Class::NotFound => "ResourceNotFoundException",
        Class::Denied => "AccessDeniedException",
        Class::Unauthenticated => "ExpiredTokenException",
        Class::Throttled => "ThrottlingException",
        Class::InProgress => "ResourceInUseException",
        Class::Conflict => "InvalidStateException",
        Class::Invalid => "InvalidParameterException",
        Class::Timeout | Class::Transport | Class::Malformed | Class::Other => "ServerException",
    };
    let status = error.http_status().unwrap_or_else(|| status(error.class(), true));
    Answer::Response(json(status, code(error, by_class), &message(error), id))
}

/// The answer of SSM or Service Quotas to an error.
pub(super) fn json11(error: &ProviderError, id: &str) -> Answer {
    if is_lost(error) {
        return Answer::Lost;
    }
    let by_class = |class| match class {
        Class::NotFound => "ParameterNotFound",
        Class::Denied => "AccessDeniedException",
        Class::Unauthenticated => "ExpiredTokenException",
        Class::Throttled => "ThrottlingException",
        Class::InProgress | Class::Conflict | Class::Invalid => "ValidationException",
        Class::Timeout | Class::Transport | Class::Malformed | Class::Other => "InternalServerError",
    };
    let mut response = json(status(error.class(), false), code(error, by_class), &message(error), id);
    response.content_type = "application/x-amz-json-1.1";
    Answer::Response(response)
}

/// The answer of Auto Scaling, STS or Elastic Load Balancing to an error.
pub(super) fn query(error: &ProviderError, id: &str) -> Answer {
    if is_lost(error) {
        return Answer::Lost;
    }
    let by_class = |class| match class {
        Class::NotFound | Class::Invalid | Class::Conflict => "ValidationError",
        Class::Denied => "AccessDenied",
        Class::Unauthenticated => "ExpiredToken",
        Class::Throttled => "Throttling",
        Class::InProgress => "ScalingActivityInProgress",
        Class::Timeout | Class::Transport | Class::Malformed | Class::Other => "InternalFailure",
    };
    let status = error.http_status().unwrap_or_else(|| status(error.class(), false));
    Answer::Response(query_error(status, code(error, by_class), &message(error), id))
}

/// The answer of Auto Scaling, IAM or Elastic Load Balancing to what went wrong.
pub(super) fn query_failed(failed: Failed, id: &str) -> Answer {
    let (code, message) = match failed {
        Failed::Provider(error) => return query(&error, id),
        Failed::Request(code, message) => (code, message),
        Failed::Value(BadValue(message)) => ("ValidationError", message),
    };
    Answer::Response(query_error(400, code, &message, id))
}

/// An error of the query protocol.
pub(super) fn query_error(status: u16, code: &str, message: &str, id: &str) -> Response {
    let fault = if status < 500 { "Sender" } else { "Receiver" };
    let error = Element::new("Error").text("Type", fault).text("Code", code).text("Message", message);
    Element::new("ErrorResponse").child(error).text("RequestId", id).response(status)
}

/// EC2's answer to an error.
pub(super) fn ec2(error: &ProviderError, id: &str) -> Answer {
    if is_lost(error) {
        return Answer::Lost;
    }
    let by_class = |class| match class {
        Class::NotFound => "InvalidParameterValue.NotFound",
        Class::Invalid | Class::Conflict => "InvalidParameterValue",
        Class::Denied => "UnauthorizedOperation",
        Class::Unauthenticated => "RequestExpired",
        Class::Throttled => "RequestLimitExceeded",
        Class::InProgress => "IncorrectState",
        Class::Timeout | Class::Transport | Class::Malformed | Class::Other => "InternalError",
    };
    let status = if error.class() == Class::Throttled {
        503
    } else {
        error.http_status().unwrap_or_else(|| status(error.class(), false))
    };
    Answer::Response(ec2_error(status, code(error, by_class), &message(error), id))
}

/// EC2's answer to what went wrong.
pub(super) fn ec2_failed(failed: Failed, id: &str) -> Answer {
    let (code, message) = match failed {
        Failed::Provider(error) => return ec2(&error, id),
        Failed::Request(code, message) => (code, message),
        Failed::Value(BadValue(message)) => ("InvalidParameterValue", message),
    };
    Answer::Response(ec2_error(400, code, &message, id))
}

/// An error of EC2.
pub(super) fn ec2_error(status: u16, code: &str, message: &str, id: &str) -> Response {
    let error = Element::new("Error").text("Code", code).text("Message", message);
    let errors = Element::new("Errors").child(error);
    Element::new("Response").child(errors).text("RequestID", id).response(status)
}
