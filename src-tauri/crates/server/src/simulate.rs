//! Hosts simulated providers on an address of this computer, and makes those faults real that are none of content.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use axum::body::{Body, Bytes};
use futures_util::stream::{self, StreamExt as _};
use hyper::body::Incoming;
use hyper::header::{CONTENT_LENGTH, HeaderName, HeaderValue};
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use patchbay_engine::Rehearsal;
use patchbay_model::{Code, Problem};
use patchbay_simulator::{SimAnswer, SimReply, SimRequest, Simulator};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};

/// Most bytes of a request's body.
const LARGEST: usize = 4 << 20;
/// How long the first part of a broken answer has to leave.
const BREATH: Duration = Duration::from_millis(50);
/// A piece of an answer that has no end.
const PIECE: &[u8] = &[b' '; 16 * 1024];

/// Simulated providers at an address. They end when this is dropped.
pub struct Simulated {
    address: SocketAddr,
    task: JoinHandle<()>,
}

impl Simulated {
    /// Takes the address and answers from then on. It must be one of this computer's own: whoever reaches it signs in as anybody.
    ///
    /// # Errors
    /// When the address is another's or cannot be used.
    pub async fn start(simulator: Simulator, listen: SocketAddr) -> Result<Self, Problem> {
        if !listen.ip().is_loopback() {
            return Err(Problem::new(
                Code::InvalidRequest,
                format!("Simulated providers listen on this computer alone, and {listen} can be reached from others. Choose 127.0.0.1."),
            ));
        }
        let unusable = |error: io::Error| Problem::new(Code::InvalidRequest, format!("The simulated providers cannot listen on {listen}: {error}. Choose another address."));
        let listener = TcpListener::bind(listen).await.map_err(unusable)?;
        let address = listener.local_addr().map_err(unusable)?;
        Ok(Self { address, task: tokio::spawn(keep(listener, simulator)) })
    }

    /// Where they are.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// What makes an engine talk with them and with nobody else.
    ///
    /// # Errors
    /// `internal`, if the address were not this computer's own.
    pub fn rehearsal(&self) -> Result<Rehearsal, Problem> {
        Rehearsal::at(self.address).ok_or_else(|| Problem::internal("simulated providers listen beyond this computer"))
    }
}

impl Drop for Simulated {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn keep(listener: TcpListener, simulator: Simulator) {
    // Connections end with the task, since this is dropped with it.
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            taken = listener.accept() => match taken {
                Ok((stream, _)) => {
                    connections.spawn(talk(stream, simulator.clone()));
                }
                Err(error) => {
                    tracing::warn!("a connection to the simulated providers could not be taken: {error}");
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
            },
            Some(_) = connections.join_next() => {}
        }
    }
}

async fn talk(stream: TcpStream, simulator: Simulator) {
    let _ = stream.set_nodelay(true);
    let service = hyper::service::service_fn(move |request: Request<Incoming>| {
        let simulator = simulator.clone();
        async move { answer(&simulator, request).await }
    });
    if let Err(error) = auto::Builder::new(TokioExecutor::new()).http1_only().serve_connection(TokioIo::new(stream), service).await {
        // A connection that was dropped on order ends here too.
        tracing::debug!("a connection to the simulated providers ended: {error}");
    }
}

/// An error closes the connection without an answer.
async fn answer(simulator: &Simulator, request: Request<Incoming>) -> Result<Response<Body>, io::Error> {
    let (head, body) = request.into_parts();
    let body = axum::body::to_bytes(Body::new(body), LARGEST).await.map_err(io::Error::other)?;
    let (host, path) = head.uri.path().trim_start_matches('/').split_once('/').unwrap_or((head.uri.path().trim_start_matches('/'), ""));
    let request = SimRequest {
        method: head.method.as_str().to_owned(),
        host: host.to_owned(),
        path: format!("/{path}"),
        query: head.uri.query().unwrap_or_default().to_owned(),
        headers: head.headers.iter().map(|(name, value)| (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned())).collect(),
        body: body.to_vec(),
    };
    match simulator.answer(&request) {
        SimReply::Answer(answer) => {
            if !answer.delay.is_zero() {
                // Whoever asked may be gone before it is over; then this goes no further.
                tokio::time::sleep(answer.delay).await;
                simulator.handed_over(&answer);
            }
            let bytes = Bytes::from(answer.body.clone());
            Ok(response(&answer, Body::from(bytes)))
        }
        SimReply::Drop => Err(io::Error::other("dropped on order")),
        SimReply::DropAfter(answer, length) => {
            let part = Bytes::copy_from_slice(answer.body.get(..length).unwrap_or(&answer.body));
            let broken = stream::once(async {
                // What comes before it has to leave first.
                tokio::time::sleep(BREATH).await;
                Err(io::Error::other("dropped on order"))
            });
            // The headers promise all of it.
            let mut response = response(&answer, Body::from_stream(stream::iter([Ok(part)]).chain(broken)));
            response.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from(answer.body.len()));
            Ok(response)
        }
        SimReply::Stall => std::future::pending().await,
        SimReply::Endless => {
            let pieces = stream::repeat_with(|| Ok::<_, Infallible>(Bytes::from_static(PIECE)));
            Ok(Response::new(Body::from_stream(pieces)))
        }
    }
}

fn response(answer: &SimAnswer, body: Body) -> Response<Body> {
    let mut response = Response::new(body);
    *response.status_mut() = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    for (name, value) in &answer.headers {
        if let (Ok(name), Ok(value)) = (HeaderName::from_bytes(name.as_bytes()), HeaderValue::from_str(value)) {
            response.headers_mut().append(name, value);
        }
    }
    response
}
