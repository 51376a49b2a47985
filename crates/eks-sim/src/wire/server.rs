//! The wire over HTTP, on loopback.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::StatusCode;
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use percent_encoding::percent_decode_str;
use tokio::net::TcpListener;
use tokio::sync::watch;

use super::{Answer, Request, Wire};

/// Larger bodies are refused: no request to the services modelled here comes near it.
const LARGEST_BODY: usize = 4 << 20;

/// Why a server could not start.
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    /// The port is taken, or may not be used.
    #[error(
        "the simulated AWS endpoint cannot listen on {address}; choose another port, or 0 for a free one"
    )]
    Listen {
        /// Where it should have listened.
        address: SocketAddr,
        /// What the system said.
        source: std::io::Error,
    },
}

/// A running endpoint. It ends when it is dropped.
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    stop: watch::Sender<bool>,
}

impl Server {
    /// Serves a world on `127.0.0.1`; port 0 is any free one. Must be called within a tokio runtime.
    ///
    /// # Errors
    /// [`ServerError`] when the port cannot be had.
    pub async fn start(wire: Wire, port: u16) -> Result<Self, ServerError> {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let refused = |source| ServerError::Listen { address, source };
        let listener = TcpListener::bind(address).await.map_err(refused)?;
        let address = listener.local_addr().map_err(refused)?;
        let (stop, stopped) = watch::channel(false);
        tokio::spawn(accept(listener, Arc::new(wire), stopped));
        Ok(Self { address, stop })
    }

    /// `http://127.0.0.1:40123`
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Where a real API server may ask whose a bearer token is, for a cluster.
    pub fn authenticator_url(&self, cluster: &str) -> String {
        format!("{}{}{cluster}", self.url(), super::authenticator::PATH)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Nobody listening any more is as good.
        self.stop.send_replace(true);
    }
}

async fn accept(listener: TcpListener, wire: Arc<Wire>, mut stopped: watch::Receiver<bool>) {
    loop {
        let stream = tokio::select! {
            _ = stopped.changed() => return,
            accepted = listener.accept() => accepted,
        };
        let Ok((stream, _)) = stream else {
            // One that went away while it was being accepted, or no file is left to take it with.
            tokio::task::yield_now().await;
            continue;
        };
        let wire = Arc::clone(&wire);
        let mut stopped = stopped.clone();
        tokio::spawn(async move {
            let service = service_fn(|request| handle(Arc::clone(&wire), request));
            let connection =
                hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service);
            // A connection that breaks is the client's affair; one that is cut is so on purpose.
            tokio::select! {
                _ = stopped.changed() => {}
                done = connection => drop(done),
            }
        });
    }
}

/// Cuts the connection.
#[derive(Debug, thiserror::Error)]
#[error("the response is lost on the way")]
struct Lost;

/// What does not come as far as a service has a status, and nothing else. The connection is not used again: what was
/// not read of the request stands in it.
fn refuse(status: StatusCode) -> Result<hyper::Response<Full<Bytes>>, Lost> {
    let answer = hyper::Response::builder().status(status).header("connection", "close");
    answer.body(Full::default()).map_err(|_| Lost)
}

async fn handle(
    wire: Arc<Wire>,
    incoming: hyper::Request<Incoming>,
) -> Result<hyper::Response<Full<Bytes>>, Lost> {
    let (parts, body) = incoming.into_parts();
    let body = match Limited::new(body, LARGEST_BODY).collect().await {
        Ok(body) => body,
        Err(error) if error.is::<LengthLimitError>() => return refuse(StatusCode::PAYLOAD_TOO_LARGE),
        // The client went away in the middle of it.
        Err(_) => return Err(Lost),
    };
    let query = parts.uri.query().unwrap_or_default();
    let request = Request {
        method: parts.method.to_string(),
        path: parts.uri.path().to_owned(),
        query: form_urlencoded::parse(query.as_bytes()).into_owned().collect(),
        headers: parts
            .headers
            .iter()
            .filter_map(|(name, value)| Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned())))
            .collect(),
        body: body.to_bytes().to_vec(),
    };
    // A path that is no text names nothing.
    if percent_decode_str(&request.path).decode_utf8().is_err() {
        return refuse(StatusCode::BAD_REQUEST);
    }
    // Who signed a token did it by the clock on the wall.
    let now = jiff::Timestamp::now();
    match wire.answer(&request, now).await {
        Answer::Lost => Err(Lost),
        Answer::Response(answer) => {
            let mut response =
                hyper::Response::builder().status(answer.status).header("content-type", answer.content_type);
            for (name, value) in &answer.headers {
                response = response.header(*name, value);
            }
            response.body(Full::new(Bytes::from(answer.body))).map_err(|_| Lost)
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    use super::{LARGEST_BODY, Server};
    use crate::wire::Wire;
    use crate::{Sim, World};

    const SCENARIO: &str = "{ scenario: 1, start: 2026-11-24T12:00:00Z, \
        network: { subnets: [{ id: subnet-a, zone: eu-west-1a, cidr: 10.0.0.0/22 }] } }";

    async fn status(server: &Server, head: &str, body: &[u8]) -> String {
        let mut stream = tokio::net::TcpStream::connect(server.address).await.unwrap();
        let length = body.len();
        let head =
            format!("{head} HTTP/1.1\r\nhost: sim\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n");
        stream.write_all(head.as_bytes()).await.unwrap();
        // The server may have had enough before everything is sent.
        drop(stream.write_all(body).await);
        let mut answer = [0; 12];
        stream.read_exact(&mut answer).await.unwrap();
        String::from_utf8(answer.to_vec()).unwrap()
    }

    #[tokio::test]
    async fn what_does_not_come_as_far_as_a_service_has_a_status() {
        let sim = Arc::new(Sim::new(World::from_scenario(SCENARIO).unwrap()));
        let server = Server::start(Wire::new(sim), 0).await.unwrap();
        assert_eq!(status(&server, "GET /clusters/%ff", b"").await, "HTTP/1.1 400");
        assert_eq!(status(&server, "POST /clusters", &vec![b' '; LARGEST_BODY + 1]).await, "HTTP/1.1 413");
        assert_eq!(status(&server, "GET /clusters", b"").await, "HTTP/1.1 403");
    }
}
