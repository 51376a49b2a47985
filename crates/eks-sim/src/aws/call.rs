//! The way of every call: who calls, which fault hits it, whether it is allowed, what is written down.

use std::fmt::Debug;
use std::sync::Arc;
use std::time::Duration;

use eks_provider::{Class, Clock, ProviderError, Result};
use jiff::Timestamp;

use crate::aws::State;
use crate::faults::{CallFault, Death};
use crate::log::{CallRecord, Outcome};
use crate::world::earlier;
use crate::{Sim, World};

/// Why a service refuses a call: its code and its sentence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) code: &'static str,
    pub(crate) message: String,
}

/// What a service answers.
pub(crate) type Answer<T> = std::result::Result<T, Refusal>;

/// A refusal.
pub(crate) fn refuse<T>(code: &'static str, message: impl Into<String>) -> Answer<T> {
    Err(Refusal { code, message: message.into() })
}

/// What a read looks at: perhaps the state of a while ago.
#[derive(Debug)]
pub(crate) struct View<'a> {
    pub(crate) aws: &'a State,
    pub(crate) now: Timestamp,
}

/// Codes of the services, with their class and their status of HTTP.
///
/// EKS: botocore 1.44.5, `eks/2017-11-01/service-2.json`. Auto Scaling:
/// <https://docs.aws.amazon.com/autoscaling/ec2/APIReference/CommonErrors.html>. EC2:
/// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html>.
const CODES: &[(&str, Class, u16)] = &[
    ("AccessDenied", Class::Denied, 403),
    ("AccessDeniedException", Class::Denied, 403),
    ("UnauthorizedOperation", Class::Denied, 403),
    ("ExpiredToken", Class::Unauthenticated, 403),
    ("ExpiredTokenException", Class::Unauthenticated, 403),
    ("RequestExpired", Class::Unauthenticated, 400),
    ("IdempotentParameterMismatch", Class::Invalid, 400),
    ("InvalidAMIID.NotFound", Class::NotFound, 400),
    ("InvalidInstanceID.NotFound", Class::NotFound, 400),
    ("InvalidLaunchTemplateId.NotFound", Class::NotFound, 400),
    ("InvalidLaunchTemplateId.VersionNotFound", Class::NotFound, 400),
    ("InvalidLaunchTemplateName.NotFoundException", Class::NotFound, 400),
    ("InvalidParameterException", Class::Invalid, 400),
    ("InvalidParameterValue", Class::Invalid, 400),
    ("InvalidRequestException", Class::Conflict, 400),
    ("InvalidSignatureException", Class::Unauthenticated, 403),
    ("InvalidStateException", Class::Conflict, 400),
    ("LimitExceeded", Class::Invalid, 400),
    ("NoSuchEntity", Class::NotFound, 404),
    ("NoSuchResourceException", Class::NotFound, 400),
    ("NotFoundException", Class::NotFound, 400),
    ("ParameterNotFound", Class::NotFound, 400),
    ("RequestLimitExceeded", Class::Throttled, 503),
    ("ResourceContention", Class::InProgress, 500),
    ("ResourceInUseException", Class::InProgress, 409),
    ("ResourceLimitExceededException", Class::Invalid, 400),
    ("ResourceNotFoundException", Class::NotFound, 404),
    ("ScalingActivityInProgress", Class::InProgress, 400),
    ("ServiceUnavailable", Class::Transport, 503),
    ("ServiceUnavailableException", Class::Transport, 503),
    ("SignatureDoesNotMatch", Class::Unauthenticated, 403),
    ("TargetGroupNotFound", Class::NotFound, 400),
    ("AuthFailure", Class::Unauthenticated, 401),
    ("BadRequestException", Class::Invalid, 400),
    ("AccessPointNotFound", Class::NotFound, 400),
    ("Throttling", Class::Throttled, 400),
    ("ThrottlingException", Class::Throttled, 429),
    ("ValidationError", Class::Invalid, 400),
];

/// The code by which a service says what a fault is.
fn code_of(fault: CallFault, service: &str) -> &'static str {
    match (fault, service) {
        (CallFault::Throttled, "ec2") => "RequestLimitExceeded",
        (CallFault::Throttled, "eks" | "ssm") => "ThrottlingException",
        (CallFault::Throttled, _) => "Throttling",
        (CallFault::ResourceContention, _) => "ResourceContention",
        (CallFault::ScalingActivityInProgress, _) => "ScalingActivityInProgress",
        (CallFault::ExpiredCredentials, "ec2") => "RequestExpired",
        (CallFault::ExpiredCredentials, "eks" | "ssm") => "ExpiredTokenException",
        (CallFault::ExpiredCredentials, _) => "ExpiredToken",
        (CallFault::AccessDenied, "ec2") => "UnauthorizedOperation",
        (CallFault::AccessDenied, "eks" | "ssm") => "AccessDeniedException",
        (CallFault::AccessDenied, _) => "AccessDenied",
        (CallFault::ServiceUnavailable, "eks") => "ServiceUnavailableException",
        (CallFault::ServiceUnavailable, _) => "ServiceUnavailable",
        (CallFault::ClockSkewed, "eks" | "ssm") => "InvalidSignatureException",
        (CallFault::ClockSkewed, "ec2") => "AuthFailure",
        (CallFault::ClockSkewed, _) => "SignatureDoesNotMatch",
        (
            CallFault::ResponseLost
            | CallFault::RequestLost
            | CallFault::CallerDiesBefore
            | CallFault::CallerDiesAfterEffect
            | CallFault::CallerDiesAfterAnswer,
            _,
        ) => "RequestTimeout",
    }
}

fn sentence(fault: CallFault) -> &'static str {
    match fault {
        CallFault::Throttled => "Rate exceeded",
        CallFault::ResourceContention => "You already have a pending update to an Auto Scaling resource",
        CallFault::ScalingActivityInProgress => {
            "The operation can't be performed because there are scaling activities in progress"
        }
        CallFault::ExpiredCredentials => "The security token included in the request is expired",
        CallFault::AccessDenied => "The caller is not authorized to perform this operation",
        CallFault::ServiceUnavailable => "The service is unavailable, try again shortly",
        CallFault::ClockSkewed => "Signature expired: the time of the request is not that of the service",
        CallFault::ResponseLost
        | CallFault::RequestLost
        | CallFault::CallerDiesBefore
        | CallFault::CallerDiesAfterEffect
        | CallFault::CallerDiesAfterAnswer => "no answer in time",
    }
}

impl Sim {
    /// A call that reads.
    pub(crate) async fn read<T: Send>(
        &self,
        operation: &'static str,
        target: impl Into<String> + Send,
        look: impl FnOnce(&View<'_>) -> Answer<T> + Send,
    ) -> Result<T> {
        let target = target.into();
        self.alive().await;
        let served = {
            let mut world = self.world();
            let past = world.stale();
            let call = Call { caller: self.caller(), operation, target, request: None };
            world.serve(call, |world| {
                let aws = past.as_deref().unwrap_or(&world.aws);
                look(&View { aws, now: world.now() })
            })
        };
        self.heard(served).await
    }

    /// A call that changes something.
    pub(crate) async fn write<T: Send>(
        &self,
        operation: &'static str,
        target: impl Into<String> + Send,
        request: &(impl Debug + Sync + ?Sized),
        work: impl FnOnce(&mut World) -> Answer<T> + Send,
    ) -> Result<T> {
        let (target, request) = (target.into(), format!("{request:?}"));
        self.alive().await;
        let served = {
            let mut world = self.world();
            world.remember();
            let call = Call { caller: self.caller(), operation, target, request: Some(request) };
            world.serve(call, work)
        };
        self.heard(served).await
    }

    /// A caller that gets no answer has waited for it; one that has died waits for ever.
    async fn heard<T: Send>(&self, served: Served<T>) -> Result<T> {
        if served.dies {
            std::future::pending::<()>().await;
        }
        if let Some(wait) = served.wait {
            self.sleep(wait).await;
        }
        served.answer
    }
}

struct Call<'a> {
    caller: &'a str,
    operation: &'static str,
    target: String,
    request: Option<String>,
}

struct Served<T> {
    answer: Result<T>,
    wait: Option<Duration>,
    dies: bool,
}

impl World {
    /// The state that a read gets to see, where it is not the present one.
    fn stale(&mut self) -> Option<Arc<State>> {
        let stale = self.faults.stale_reads?;
        if !self.random.chance(stale.permille) {
            return None;
        }
        let back = self.random.below(stale.seconds.saturating_add(1));
        self.at(earlier(self.now(), Duration::from_secs(back)))
    }

    fn serve<T>(&mut self, call: Call<'_>, work: impl FnOnce(&mut World) -> Answer<T>) -> Served<T> {
        let Call { caller, operation, target, request } = call;
        let write = request.is_some();
        let service = operation.split(':').next().unwrap_or_default();
        let number = self.log.len();
        let request_id =
            format!("{:08x}-0000-4000-8000-{number:012x}", number.wrapping_mul(2_654_435_761) & 0xffff_ffff);
        let fault = self.call_fault(operation, &target, write);
        let error = |class, code: &str, message: &str| {
            ProviderError::new(class, operation, target.as_str()).code(code).message(message)
        };
        let unheard = || {
            ProviderError::new(Class::Timeout, operation, target.as_str())
                .message(sentence(CallFault::ResponseLost))
        };
        let refused = |refusal: &Refusal| {
            let known = CODES.iter().find(|(code, ..)| *code == refusal.code);
            let (class, status) = known.map_or((Class::Other, 400), |(_, class, status)| (*class, *status));
            // Auto Scaling has no code of its own for what is not there: only the sentence tells.
            let is_missing = refusal.code == "ValidationError" && refusal.message.contains("not found");
            let class = if is_missing { Class::NotFound } else { class };
            error(class, refusal.code, &refusal.message).status(status).request_id(request_id.as_str())
        };
        let (answer, outcome) = match fault {
            Some(CallFault::RequestLost | CallFault::CallerDiesBefore) => (Err(unheard()), Outcome::Lost),
            None
            | Some(
                CallFault::ResponseLost | CallFault::CallerDiesAfterEffect | CallFault::CallerDiesAfterAnswer,
            ) => {
                let answer = if self.aws.identity.denies(caller, operation) {
                    let code = code_of(CallFault::AccessDenied, service);
                    refuse(code, format!("{caller} is not authorized to perform: {operation}"))
                } else {
                    work(self)
                };
                let lost = fault.is_some_and(|fault| fault != CallFault::CallerDiesAfterAnswer);
                match answer {
                    Ok(_) if lost => (Err(unheard()), Outcome::DoneUnheard),
                    Ok(value) => (Ok(value), Outcome::Done),
                    Err(refusal) => {
                        let error = if lost { unheard() } else { refused(&refusal) };
                        (Err(error), Outcome::Refused(refusal.code.to_owned()))
                    }
                }
            }
            Some(
                fault @ (CallFault::Throttled
                | CallFault::ResourceContention
                | CallFault::ScalingActivityInProgress
                | CallFault::ExpiredCredentials
                | CallFault::AccessDenied
                | CallFault::ServiceUnavailable
                | CallFault::ClockSkewed),
            ) => {
                let code = code_of(fault, service);
                let refusal = Refusal { code, message: sentence(fault).to_owned() };
                (Err(refused(&refusal)), Outcome::Refused(code.to_owned()))
            }
        };
        let death = || Death {
            caller: caller.to_owned(),
            operation: operation.to_owned(),
            target: target.clone(),
            had_effect: matches!(outcome, Outcome::Done | Outcome::DoneUnheard),
        };
        let dies = matches!(fault, Some(CallFault::CallerDiesBefore | CallFault::CallerDiesAfterEffect));
        if dies {
            self.death = Some(death());
        } else if fault == Some(CallFault::CallerDiesAfterAnswer) {
            self.doomed = Some(death());
        }
        let silent = matches!(outcome, Outcome::Lost | Outcome::DoneUnheard)
            || matches!(&answer, Err(error) if error.class() == Class::Timeout);
        let wait = Duration::from_secs(self.faults.timeout_seconds);
        self.log.push(CallRecord {
            at: self.now(),
            caller: caller.to_owned(),
            operation: operation.to_owned(),
            target,
            write,
            request,
            outcome,
            request_id,
        });
        Served { answer, wait: (silent && !wait.is_zero()).then_some(wait), dies }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_of_a_fault_has_a_class() {
        for service in ["eks", "ec2", "ssm", "autoscaling", "iam"] {
            for fault in [
                CallFault::Throttled,
                CallFault::ResourceContention,
                CallFault::ScalingActivityInProgress,
                CallFault::ExpiredCredentials,
                CallFault::AccessDenied,
                CallFault::ServiceUnavailable,
                CallFault::ClockSkewed,
            ] {
                let code = code_of(fault, service);
                assert!(CODES.iter().any(|(known, ..)| *known == code), "{code}");
            }
        }
    }
}
