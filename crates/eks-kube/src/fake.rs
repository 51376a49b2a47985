//! An API server that answers what a test says, one answer after the other, and keeps what it was asked.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use eks_provider::Clock;
use eks_provider::kube::TokenSource;
use http::{HeaderMap, Method, Request, Response};
use http_body_util::{BodyExt as _, Full};
use jiff::Timestamp;
use kube::Client;
use kube::client::Body;
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::api::KubeApi;
use crate::bearer::Bearer;

/// What is answered.
pub(crate) struct Answer {
    status: u16,
    headers: Vec<(&'static str, String)>,
    body: Vec<u8>,
    end: End,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    /// With the body.
    Whole,
    /// Never: after the body, nothing comes.
    Open,
    /// No answer at all.
    Silent,
}

impl Answer {
    pub(crate) fn json(body: &Value) -> Self {
        Self::text(200, &body.to_string())
    }

    pub(crate) fn text(status: u16, body: &str) -> Self {
        Self { status, headers: Vec::new(), body: body.as_bytes().to_vec(), end: End::Whole }
    }

    pub(crate) fn silent() -> Self {
        Self { end: End::Silent, ..Self::text(200, "") }
    }

    /// A `Status` that refuses.
    pub(crate) fn status(code: u16, reason: &str, message: &str) -> Self {
        Self::refusal(code, reason, message, &json!({}))
    }

    /// As it looks with details.
    pub(crate) fn refusal(code: u16, reason: &str, message: &str, details: &Value) -> Self {
        // Written in the order of Go, the kind first.
        let body = format!(
            r#"{{"kind":"Status","apiVersion":"v1","metadata":{{}},"status":"Failure","message":{},"reason":{},"details":{details},"code":{code}}}"#,
            json!(message),
            json!(reason)
        );
        Self::text(code, &body)
    }

    /// Under another status than the one in the body.
    pub(crate) fn under(mut self, status: u16) -> Self {
        self.status = status;
        self
    }

    pub(crate) fn header(mut self, name: &'static str, value: &str) -> Self {
        self.headers.push((name, value.to_owned()));
        self
    }

    /// Events of a watch that stays open.
    pub(crate) fn events(events: &[Value]) -> Self {
        let text = events.iter().map(|event| format!("{event}\n")).collect::<Vec<_>>().concat();
        Self { end: End::Open, ..Self::text(200, &text) }
    }

    /// It ends.
    pub(crate) fn closed(mut self) -> Self {
        self.end = End::Whole;
        self
    }

    /// A page of a list.
    pub(crate) fn list(kind: &str, items: &[Value], go_on: &str) -> Self {
        Self::json(&json!({
            "kind": kind, "apiVersion": "v1", "metadata": {"resourceVersion": "7", "continue": go_on}, "items": items,
        }))
    }
}

/// What was asked.
#[derive(Debug)]
pub(crate) struct Seen {
    pub(crate) method: Method,
    pub(crate) address: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Value,
}

impl Seen {
    pub(crate) fn bearer(&self) -> &str {
        self.headers.get("authorization").map_or("", |value| value.to_str().unwrap())
    }
}

/// An API server of a test.
pub(crate) struct Fake {
    pub(crate) api: KubeApi,
    pub(crate) seen: Arc<Mutex<Vec<Seen>>>,
    left: Arc<Mutex<VecDeque<Answer>>>,
}

impl Fake {
    pub(crate) fn new(answers: impl IntoIterator<Item = Answer>) -> Self {
        Self::with(answers, None)
    }

    /// One that is called with tokens.
    pub(crate) fn with_tokens(
        answers: impl IntoIterator<Item = Answer>,
        tokens: Arc<dyn TokenSource>,
    ) -> Self {
        Self::with(answers, Some(Bearer::new(tokens)))
    }

    fn with(answers: impl IntoIterator<Item = Answer>, bearer: Option<Bearer>) -> Self {
        let left = Arc::new(Mutex::new(answers.into_iter().collect::<VecDeque<_>>()));
        let seen = Arc::new(Mutex::new(Vec::new()));
        let (queue, log) = (left.clone(), seen.clone());
        let service = tower::service_fn(move |request: Request<Body>| {
            let (queue, log) = (queue.clone(), log.clone());
            async move {
                let (parts, body) = request.into_parts();
                let body = body.collect_bytes().await.unwrap();
                log.lock().unwrap().push(Seen {
                    method: parts.method,
                    address: parts.uri.to_string(),
                    headers: parts.headers,
                    body: serde_json::from_slice(&body).unwrap_or_default(),
                });
                let answer = queue.lock().unwrap().pop_front();
                let answer = answer.unwrap_or_else(|| Answer::text(418, "nobody told me what to say"));
                if answer.end == End::Silent {
                    std::future::pending::<()>().await;
                }
                let mut response = Response::builder().status(answer.status);
                for (name, value) in &answer.headers {
                    response = response.header(*name, value);
                }
                let open = answer.end == End::Open;
                let body = Full::new(answer.body.into()).with_trailers(async move {
                    if open {
                        std::future::pending::<()>().await;
                    }
                    None
                });
                Ok::<_, Infallible>(response.body(body).unwrap())
            }
        });
        let client = Client::new(service, "default");
        let api = KubeApi::new(client, bearer, "a test".to_owned()).with_clock(Arc::new(TokioClock::new()));
        Self { api, seen, left }
    }

    /// What was asked, in order. Every answer must have been given.
    pub(crate) fn seen(self) -> Vec<Seen> {
        assert_eq!(self.left.lock().unwrap().len(), 0, "answers that nobody asked for are left");
        std::mem::take(&mut *self.seen.lock().unwrap())
    }

    /// The addresses, in order.
    pub(crate) fn addresses(self) -> Vec<String> {
        self.seen().into_iter().map(|seen| seen.address).collect()
    }
}

/// Time that goes as tokio's does, so that it can be stopped and runs ahead of waits.
pub(crate) struct TokioClock {
    start: Instant,
}

impl TokioClock {
    fn new() -> Self {
        Self { start: Instant::now() }
    }
}

/// When it starts.
pub(crate) fn start() -> Timestamp {
    "2026-11-24T12:00:00Z".parse().unwrap()
}

#[async_trait]
impl Clock for TokioClock {
    fn now(&self) -> Timestamp {
        start().checked_add(self.start.elapsed()).unwrap()
    }

    async fn sleep_until(&self, deadline: Timestamp) {
        let left: Duration = deadline.duration_since(self.now()).try_into().unwrap_or_default();
        tokio::time::sleep(left).await;
    }
}
