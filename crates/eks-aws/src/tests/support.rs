//! A client whose answers are written in the test.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use aws_config::{AppName, BehaviorVersion, Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_sdk_eks::config::http::HttpRequest;
use aws_sdk_eks::config::{
    AsyncSleep, HttpClient, RuntimeComponents, SharedAsyncSleep, SharedHttpClient, Sleep,
};
use aws_smithy_async::time::TimeSource;
use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
};
use aws_smithy_types::body::SdkBody;

use crate::Aws;
use crate::config::{retries, timeouts};
use crate::credentials::Renewing;

/// A request as it was sent.
#[derive(Debug, Clone)]
pub(crate) struct Sent {
    pub(crate) uri: String,
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: String,
}

impl Sent {
    /// The value of a parameter of the address, or of a form in the body.
    pub(crate) fn parameter(&self, name: &str) -> Option<&str> {
        let (_, query) = self.uri.split_once('?').unwrap_or_default();
        let pairs = query.split('&').chain(self.body.split('&')).filter_map(|pair| pair.split_once('='));
        pairs.into_iter().find(|(key, _)| *key == name).map(|(_, value)| value)
    }
}

/// An answer: status, headers, body.
pub(crate) type Answer = http::Response<String>;

/// An answer without headers of note.
pub(crate) fn answer(status: u16, body: impl Into<String>) -> Answer {
    http::Response::builder().status(status).body(body.into()).unwrap()
}

/// What was sent and how long was waited, in order.
#[derive(Debug, Clone, Default)]
pub(crate) struct Record {
    sent: Arc<Mutex<Vec<Sent>>>,
    waits: Arc<Mutex<Vec<Duration>>>,
}

impl Record {
    pub(crate) fn all(&self) -> Vec<Sent> {
        self.sent.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn waits(&self) -> Vec<Duration> {
        self.waits.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// What is waited for is there at once, and so much later.
impl AsyncSleep for Record {
    fn sleep(&self, duration: Duration) -> Sleep {
        self.waits.lock().unwrap_or_else(PoisonError::into_inner).push(duration);
        Sleep::new(std::future::ready(()))
    }
}

impl TimeSource for Record {
    fn now(&self) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_hours(500_000) + self.waits().iter().sum::<Duration>()
    }
}

type Reply = dyn Fn(&Sent) -> Option<Answer> + Send + Sync;

/// Answers what the test says; without an answer, never.
#[derive(Clone)]
struct Written {
    record: Record,
    reply: Arc<Reply>,
}

impl fmt::Debug for Written {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Written")
    }
}

impl HttpConnector for Written {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let sent = Sent {
            uri: request.uri().to_owned(),
            headers: request
                .headers()
                .iter()
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .collect(),
            body: String::from_utf8(request.body().bytes().unwrap_or_default().to_vec()).unwrap(),
        };
        let answer = (self.reply)(&sent);
        self.record.sent.lock().unwrap_or_else(PoisonError::into_inner).push(sent);
        let Some(answer) = answer else {
            return HttpConnectorFuture::new(std::future::pending());
        };
        HttpConnectorFuture::ready(Ok(answer.map(SdkBody::from).try_into().unwrap()))
    }
}

impl HttpClient for Written {
    fn http_connector(&self, _: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

/// A client whose answers `reply` gives, and what it was asked.
pub(crate) fn recorded(reply: impl Fn(&Sent) -> Answer + Send + Sync + 'static) -> (Aws, Record) {
    client(move |sent| Some(reply(sent)), "eu-west-1", numbered())
}

/// A client that never gets an answer.
pub(crate) fn unanswered() -> (Aws, Record) {
    client(|_| None, "eu-west-1", numbered())
}

/// A client in a region, with these credentials.
pub(crate) fn client(
    reply: impl Fn(&Sent) -> Option<Answer> + Send + Sync + 'static,
    region: &'static str,
    credentials: Renewing,
) -> (Aws, Record) {
    let record = Record::default();
    let written = Written { record: record.clone(), reply: Arc::new(reply) };
    let config = SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new(region))
        .retry_config(retries())
        .timeout_config(timeouts())
        .app_name(AppName::new("eks-aws").unwrap())
        .http_client(SharedHttpClient::new(written))
        .sleep_impl(SharedAsyncSleep::new(record.clone()))
        .time_source(record.clone())
        .build();
    (Aws::from_config(&config, credentials).unwrap(), record)
}

/// Credentials that say how often they were made: `AKID0`, `AKID1`, …
pub(crate) fn numbered() -> Renewing {
    let made = AtomicUsize::new(0);
    Renewing::new(Box::new(move || {
        let key = format!("AKID{}", made.fetch_add(1, Ordering::SeqCst));
        let credentials = Credentials::new(key, "secret", None, None, "test");
        Box::pin(async move { Some(SharedCredentialsProvider::new(credentials)) })
    }))
}

/// The services by how they write requests and answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Protocol {
    /// EKS.
    RestJson,
    /// Auto Scaling, IAM, STS, load balancing.
    Query,
    /// EC2.
    Ec2,
    /// SSM, KMS, Service Quotas.
    Json,
}

impl Protocol {
    pub(crate) const ALL: [Self; 4] = [Self::RestJson, Self::Query, Self::Ec2, Self::Json];

    /// A refusal as this service writes it, with the request id `r-1`.
    pub(crate) fn refusal(self, status: u16, code: &str, message: &str) -> Answer {
        let builder = http::Response::builder().status(status);
        match self {
            Self::RestJson => builder
                .header("x-amzn-errortype", format!("{code}:http://internal.amazon.com/coral/"))
                .header("x-amzn-requestid", "r-1")
                .header("content-type", "application/json")
                .body(serde_json::json!({ "message": message }).to_string()),
            Self::Query => builder.header("content-type", "text/xml").body(format!(
                "<ErrorResponse xmlns=\"http://autoscaling.amazonaws.com/doc/2011-01-01/\"><Error>\
                 <Type>Sender</Type><Code>{code}</Code><Message>{message}</Message></Error>\
                 <RequestId>r-1</RequestId></ErrorResponse>"
            )),
            Self::Ec2 => builder.header("content-type", "text/xml;charset=UTF-8").body(format!(
                "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Response><Errors><Error><Code>{code}</Code>\
                 <Message>{message}</Message></Error></Errors><RequestID>r-1</RequestID></Response>"
            )),
            Self::Json => builder
                .header("x-amzn-requestid", "r-1")
                .header("content-type", "application/x-amz-json-1.1")
                .body(
                    serde_json::json!({
                        "__type": format!("com.amazonaws.ssm#{code}"), "message": message,
                    })
                    .to_string(),
                ),
        }
        .unwrap()
    }

    /// A read call on a service of this kind, and nothing but its failure.
    pub(crate) async fn call(self, aws: &Aws) -> eks_provider::Result<()> {
        use eks_provider::aws::{AutoScalingSettingsReader, ClusterReader, NetworkReader, ParameterReader};
        match self {
            Self::RestJson => aws.describe_cluster("shop").await.map(drop),
            Self::Query => aws.describe_lifecycle_hooks("web").await.map(drop),
            Self::Ec2 => aws.describe_availability_zones().await.map(drop),
            Self::Json => aws.get_parameter("/x").await.map(drop),
        }
    }

    /// What [`Self::call`] is called, and on what.
    pub(crate) fn name(self) -> (&'static str, &'static str) {
        match self {
            Self::RestJson => ("eks:DescribeCluster", "cluster shop"),
            Self::Query => ("autoscaling:DescribeLifecycleHooks", "group web"),
            Self::Ec2 => ("ec2:DescribeAvailabilityZones", "region eu-west-1"),
            Self::Json => ("ssm:GetParameter", "parameter /x"),
        }
    }
}

/// How often the SDK sends what it may send again.
pub(crate) fn attempts() -> usize {
    retries().max_attempts() as usize
}
