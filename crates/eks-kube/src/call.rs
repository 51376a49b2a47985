//! One call: how it is sent, as whom, for how long it is waited for, and what came back.

use std::time::Duration;

use eks_provider::kube::ObjectMeta;
use eks_provider::{Class, ProviderError, Result};
use http::header::{ACCEPT, ACCEPT_ENCODING, AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode};
use kube::client::Body;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::api::KubeApi;
use crate::refusal::{Refusal, transport};

/// What objects are asked for as.
pub(crate) const JSON: &str = "application/json";
/// Lists of metadata without the objects.
pub(crate) const METADATA_LIST: &str =
    "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json";
/// Watches of metadata without the objects.
pub(crate) const METADATA: &str =
    "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1,application/json";

/// A patch that says what is to be, with `null` for what is to go.
pub(crate) const MERGE_PATCH: &str = "application/merge-patch+json";
/// A patch of single steps, among them tests.
pub(crate) const JSON_PATCH: &str = "application/json-patch+json";

/// A call that is to be made.
pub(crate) struct Ask {
    operation: String,
    target: String,
    method: Method,
    address: String,
    accept: &'static str,
    /// A stream of events must not be compressed: it would come in lumps, and kube unpacks only the first.
    plain: bool,
    content: Option<(&'static str, Vec<u8>)>,
}

impl Ask {
    /// Reads. The operation is named as its permission, the target as people call it.
    pub(crate) fn get(operation: impl Into<String>, target: impl Into<String>, address: String) -> Self {
        Self {
            operation: operation.into(),
            target: target.into(),
            method: Method::GET,
            address,
            accept: JSON,
            plain: false,
            content: None,
        }
    }

    /// Writes, with a body of this type.
    pub(crate) fn write(
        method: Method,
        operation: impl Into<String>,
        target: impl Into<String>,
        address: String,
        content: (&'static str, &Value),
    ) -> Self {
        let (kind, body) = content;
        Self {
            method,
            content: Some((kind, body.to_string().into_bytes())),
            ..Self::get(operation, target, address)
        }
    }

    /// As something else than objects in JSON.
    pub(crate) fn accept(mut self, accept: &'static str) -> Self {
        self.accept = accept;
        self
    }

    /// As a stream of events.
    pub(crate) fn plain(mut self) -> Self {
        self.plain = true;
        self
    }

    /// Changes only the state that was read. Without uid and resourceVersion it would be any state.
    pub(crate) fn of_a_read_state(self, read: &ObjectMeta) -> Result<Self> {
        if read.uid.is_empty() || read.resource_version.is_empty() {
            let why = "it has no uid or no resourceVersion, so it was not read from the API server";
            return Err(self.error(Class::Invalid).message(why));
        }
        Ok(self)
    }

    /// A failure of this call.
    pub(crate) fn error(&self, class: Class) -> ProviderError {
        ProviderError::new(class, self.operation.as_str(), self.target.as_str())
    }

    /// The answer came and could not be understood.
    pub(crate) fn malformed(&self, why: impl std::fmt::Display) -> ProviderError {
        self.error(Class::Malformed).message(why.to_string())
    }

    fn request(&self, bearer: Option<&HeaderValue>) -> Result<Request<Body>> {
        let body = self.content.as_ref().map(|(_, body)| body.clone()).unwrap_or_default();
        let mut request = Request::builder()
            .method(self.method.clone())
            .uri(self.address.as_str())
            .body(Body::from(body))
            .map_err(|error| self.error(Class::Invalid).message(error.to_string()))?;
        let headers = request.headers_mut();
        headers.insert(ACCEPT, HeaderValue::from_static(self.accept));
        if let Some((kind, _)) = &self.content {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
        }
        if self.plain {
            headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
        }
        if let Some(bearer) = bearer {
            headers.insert(AUTHORIZATION, bearer.clone());
        }
        Ok(request)
    }
}

/// An answer, whatever it says.
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl Reply {
    /// Whether the body may be a `Status`: cheap, so that a page of a list is not read twice.
    pub(crate) fn may_be_a_status(&self) -> bool {
        let start = &self.body[..self.body.len().min(64)];
        start.windows(8).any(|window| window == b"\"Status\"")
    }
}

impl KubeApi {
    /// Makes a call, and gives back whatever came, refusals too.
    pub(crate) async fn reply(&self, ask: &Ask) -> Result<Reply> {
        let whole = async {
            let response = self.send(ask).await?;
            let (parts, body) = response.into_parts();
            let body = body.collect_bytes().await.map_err(|error| transport(&error, ask))?;
            tracing::debug!(
                operation = ask.operation,
                target = ask.target,
                status = parts.status.as_u16(),
                bytes = body.len()
            );
            Ok(Reply { status: parts.status, headers: parts.headers, body: body.into() })
        };
        in_time(self.timeout(), ask, whole).await
    }

    /// Makes a call; a refusal is an error.
    pub(crate) async fn bytes(&self, ask: &Ask) -> Result<Vec<u8>> {
        let reply = self.reply(ask).await?;
        match Refusal::of(&reply) {
            Some(refusal) => Err(refusal.error(ask)),
            None if reply.status.is_success() => Ok(reply.body),
            None => Err(ask.error(Class::Malformed).status(reply.status.as_u16())),
        }
    }

    /// Makes a call, and reads what it answers.
    pub(crate) async fn json<T: DeserializeOwned>(&self, ask: &Ask) -> Result<T> {
        let bytes = self.bytes(ask).await?;
        serde_json::from_slice(&bytes).map_err(|error| ask.malformed(error))
    }

    /// Deletes the state that was read.
    pub(crate) async fn delete_read(
        &self,
        operation: &str,
        target: String,
        address: String,
        read: &ObjectMeta,
    ) -> Result<()> {
        let body = json!({
            "apiVersion": "v1",
            "kind": "DeleteOptions",
            "preconditions": {"uid": read.uid, "resourceVersion": read.resource_version},
        });
        let ask =
            Ask::write(Method::DELETE, operation, target, address, (JSON, &body)).of_a_read_state(read)?;
        self.bytes(&ask).await.map(drop)
    }

    /// Starts a stream; a refusal is an error.
    pub(crate) async fn stream(&self, ask: &Ask) -> Result<Body> {
        let opened = async {
            let response = self.send(ask).await?;
            if response.status().is_success() {
                return Ok(response.into_body());
            }
            let (parts, body) = response.into_parts();
            let body = body.collect_bytes().await.map_err(|error| transport(&error, ask))?;
            let reply = Reply { status: parts.status, headers: parts.headers, body: body.into() };
            Err(match Refusal::of(&reply) {
                Some(refusal) => refusal.error(ask),
                None => ask.error(Class::Malformed).status(reply.status.as_u16()),
            })
        };
        in_time(self.timeout(), ask, opened).await
    }

    /// Sends a request, with a new token once when the present one is not accepted.
    async fn send(&self, ask: &Ask) -> Result<Response<Body>> {
        let Some(bearer) = self.bearer() else { return self.send_as(ask, None).await };
        let header = bearer.header(self.clock()).await?;
        let response = self.send_as(ask, Some(&header)).await?;
        if response.status() != StatusCode::UNAUTHORIZED {
            return Ok(response);
        }
        tracing::debug!(operation = ask.operation, "the token was not accepted; a new one is asked for");
        bearer.refused(&header).await;
        let header = bearer.header(self.clock()).await?;
        self.send_as(ask, Some(&header)).await
    }

    async fn send_as(&self, ask: &Ask, bearer: Option<&HeaderValue>) -> Result<Response<Body>> {
        let request = ask.request(bearer)?;
        self.client().send(request).await.map_err(|error| transport(&error, ask))
    }
}

async fn in_time<T>(within: Duration, ask: &Ask, call: impl Future<Output = Result<T>>) -> Result<T> {
    tokio::time::timeout(within, call).await.unwrap_or_else(|_| {
        Err(ask.error(Class::Timeout).message(format!("nothing came within {} s", within.as_secs_f32())))
    })
}
