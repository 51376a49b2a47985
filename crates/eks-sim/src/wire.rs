//! The second face: the wire protocols of AWS, so that real SDKs and any other client can be pointed at the world.
//!
//! EKS speaks REST with JSON; Auto Scaling, EC2, STS, IAM and Elastic Load Balancing the query protocol with XML; SSM,
//! Service Quotas and KMS JSON 1.1. What stands here turns requests into calls of the traits of `eks-provider` and their
//! answers into what the services write: it holds no state and no rule. Services are told apart as the front door
//! of AWS does it, by the credential scope of the signature; a signature is asked for and not checked.
//!
//! Field names and error shapes: the service models that the SDKs are made of (botocore 1.44.5, 2026-11-23).

mod authenticator;
mod autoscaling;
mod autoscaling_write;
mod ec2;
mod ec2_templates;
mod eks;
mod eks_json;
mod eks_write;
mod errors;
mod json;
mod others;
mod paging;
mod parameters;
mod query;
mod server;
mod shapes;
mod xml;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use eks_provider::{AwsReader, AwsWriter, Token};
use jiff::Timestamp;

pub use server::{Server, ServerError};

/// A request, as it came.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Request {
    /// `GET`
    pub method: String,
    /// The path, still percent-encoded: `/clusters/shop`.
    pub path: String,
    /// The query, decoded, in order.
    pub query: Vec<(String, String)>,
    /// The headers, by name in small letters.
    pub headers: BTreeMap<String, String>,
    /// The body.
    pub body: Vec<u8>,
}

impl Request {
    fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", String::as_str)
    }

    /// A value of the query.
    fn value(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}

/// What is sent back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Response {
    /// The status.
    pub status: u16,
    /// The type of the body.
    pub content_type: &'static str,
    /// More headers.
    pub headers: Vec<(&'static str, String)>,
    /// The body.
    pub body: Vec<u8>,
}

/// The answer to a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// A response.
    Response(Response),
    /// None: the connection is cut, as if the response were lost on the way.
    Lost,
}

/// A world behind the wire.
#[derive(Clone)]
pub struct Wire {
    reader: Arc<dyn AwsReader>,
    writer: Arc<dyn AwsWriter>,
    requests: Arc<AtomicU64>,
}

impl std::fmt::Debug for Wire {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Wire").field("requests", &self.requests).finish_non_exhaustive()
    }
}

impl Wire {
    /// Serves whatever implements the traits.
    pub fn new<S: AwsReader + AwsWriter + 'static>(services: Arc<S>) -> Self {
        Self { reader: services.clone(), writer: services, requests: Arc::default() }
    }

    /// Answers one request. `now` is the wall's time, which bearer tokens are signed with.
    pub async fn answer(&self, request: &Request, now: Timestamp) -> Answer {
        let id = self.request_id();
        if let Some(cluster) = request.path.strip_prefix(authenticator::PATH) {
            return Answer::Response(authenticator::review(self, request, cluster, now).await);
        }
        match service(request) {
            Some("eks") => eks::answer(self, request, &id).await,
            Some("autoscaling") => autoscaling::answer(self, request, &id).await,
            Some("ec2") => ec2::answer(self, request, &id).await,
            Some("iam") => others::iam(self, request, &id).await,
            Some("elasticloadbalancing") => others::balancing(self, request, &id).await,
            Some("ssm" | "servicequotas" | "kms") => json::answer(self, request, &id).await,
            Some("sts") => ec2::sts(self, request, &id).await,
            Some(other) => Answer::Response(errors::json(
                501,
                "UnknownOperationException",
                &format!("the simulated world has no service `{other}`"),
                &id,
            )),
            None => Answer::Response(errors::json(
                403,
                "MissingAuthenticationTokenException",
                "Missing Authentication Token",
                &id,
            )),
        }
    }

    /// Ids are counted: the same requests in the same order have the same ones.
    fn request_id(&self) -> String {
        let number = self.requests.fetch_add(1, Ordering::Relaxed);
        format!("00000000-0000-4000-8000-{number:012x}")
    }

    /// The client's own token, or one that nobody repeats.
    fn token(&self, given: Option<&str>) -> Token {
        match given {
            Some(text) => Token::derive("client", text),
            None => Token::derive("unrepeated", &self.request_id()),
        }
    }
}

/// The service in the credential scope: `…Credential=AKID/20261124/eu-west-1/eks/aws4_request, …`. A presigned
/// request carries it in its query.
fn service(request: &Request) -> Option<&str> {
    let header = request.header("authorization");
    let scope = match header.split_once("Credential=") {
        Some((_, rest)) => rest.split([',', ' ']).next()?,
        None => request.value("X-Amz-Credential")?,
    };
    scope.split('/').nth(3)
}

#[cfg(test)]
mod tests;
