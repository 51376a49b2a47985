//! The API server of one cluster, as something to call.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use eks_provider::Clock;

use crate::bearer::Bearer;
use crate::clock::SystemClock;

/// What this crate calls itself where fields are owned by somebody.
pub(crate) const MANAGER: &str = "eks-upgrade";
/// How long an answer is waited for. The API server itself gives up after a minute.
const PATIENCE: Duration = Duration::from_secs(65);

/// The API server of one cluster. It is all Kubernetes traits of [`eks_provider::kube`], readers and writers;
/// hand it on as the traits that are needed, and what gets readers cannot change anything.
///
/// A clone is the same connection. It belongs to the runtime that it was made on.
#[derive(Clone)]
pub struct KubeApi {
    inner: Arc<Inner>,
}

#[derive(Clone)]
struct Inner {
    client: kube::Client,
    bearer: Option<Arc<Bearer>>,
    clock: Arc<dyn Clock>,
    timeout: Duration,
    server: String,
}

impl KubeApi {
    pub(crate) fn new(client: kube::Client, bearer: Option<Bearer>, server: String) -> Self {
        let inner = Inner {
            client,
            bearer: bearer.map(Arc::new),
            clock: Arc::new(SystemClock),
            timeout: PATIENCE,
            server,
        };
        Self { inner: Arc::new(inner) }
    }

    /// Over a client that somebody else has made, with whatever it is set up to. Its own repeats should be off:
    /// a 429 is an answer here, and whoever asked decides by it.
    pub fn over(client: kube::Client) -> Self {
        Self::new(client, None, "a client that was handed in".to_owned())
    }

    /// With another clock: for deadlines of waits, and for the ends of tokens.
    #[must_use]
    pub fn with_clock(self, clock: Arc<dyn Clock>) -> Self {
        self.with(|inner| inner.clock = clock)
    }

    /// With another time that one answer may take; 65 seconds unless told. A stream of events may take longer.
    #[must_use]
    pub fn with_timeout(self, timeout: Duration) -> Self {
        self.with(|inner| inner.timeout = timeout)
    }

    fn with(self, change: impl FnOnce(&mut Inner)) -> Self {
        let mut inner = (*self.inner).clone();
        change(&mut inner);
        Self { inner: Arc::new(inner) }
    }

    /// Where it is, for people.
    pub fn server(&self) -> &str {
        &self.inner.server
    }

    pub(crate) fn client(&self) -> &kube::Client {
        &self.inner.client
    }

    pub(crate) fn bearer(&self) -> Option<&Bearer> {
        self.inner.bearer.as_deref()
    }

    pub(crate) fn clock(&self) -> &dyn Clock {
        self.inner.clock.as_ref()
    }

    pub(crate) fn timeout(&self) -> Duration {
        self.inner.timeout
    }
}

impl fmt::Debug for KubeApi {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KubeApi").field("server", &self.inner.server).finish_non_exhaustive()
    }
}
