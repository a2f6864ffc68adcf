//! Listening: plain or TLS connections, each with limits, and an end that fails no request.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use hyper::body::Incoming;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use patchbay_engine::Engine;
use patchbay_model::{Code, Problem};
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio_rustls::TlsAcceptor;
use tower::ServiceExt as _;
use url::Url;

use crate::leaving::{Counted, FAREWELL, Running};
use crate::options::{ServeOptions, TlsFiles};
use crate::peer::Peer;
use crate::rehearsal::Rehearsals;
use crate::serving;

/// Connections at once.
const CONNECTIONS: usize = 4096;
/// How long a caller may take for a request's head.
const HEAD_PATIENCE: Duration = Duration::from_secs(15);
/// How long a TLS handshake may take.
const HANDSHAKE_PATIENCE: Duration = Duration::from_secs(10);
/// How long the last connections that were taken have to send their requests.
const LAST_WORDS: Duration = Duration::from_millis(200);
/// Most bytes of a request's head.
const LONGEST_HEAD: usize = 64 * 1024;
/// Most headers of a request.
const MOST_HEADERS: usize = 100;

/// A server that has its address and does not serve yet.
pub struct Server {
    listener: TcpListener,
    tls: Option<TlsAcceptor>,
    router: Router,
    public_url: Url,
    end: watch::Sender<bool>,
    rehearsals: Rehearsals,
}

/// Serves until `shutdown` is done, then lets running requests finish.
///
/// # Errors
/// When the address or the certificate cannot be used.
pub async fn serve(engine: Engine, options: ServeOptions, shutdown: impl Future<Output = ()> + Send) -> Result<(), Problem> {
    Server::bind(engine, options).await?.run(shutdown).await
}

impl Server {
    /// Takes the address.
    ///
    /// # Errors
    /// When the address or the certificate cannot be used, or plain HTTP would cross a network.
    pub async fn bind(engine: Engine, options: ServeOptions) -> Result<Self, Problem> {
        options.check()?;
        let tls = options.tls.as_ref().map(acceptor).transpose()?;
        let unusable = |error: io::Error| {
            let what = match error.kind() {
                io::ErrorKind::AddrInUse => "another program uses it. End that program or choose another port".to_owned(),
                io::ErrorKind::PermissionDenied => "this user may not. Choose a port above 1023".to_owned(),
                io::ErrorKind::AddrNotAvailable => "this machine has no such address. Choose one of its own".to_owned(),
                _ => format!("{error}. Choose another address"),
            };
            Problem::new(Code::InvalidRequest, format!("Patchbay cannot listen on {}: {what}.", options.listen))
        };
        let listener = TcpListener::bind(options.listen).await.map_err(unusable)?;
        let address = listener.local_addr().map_err(unusable)?;
        let scheme = if tls.is_some() { "https" } else { "http" };
        let own = Url::parse(&format!("{scheme}://{}", reachable(address))).map_err(Problem::internal)?;
        let public_url = options.public_url.clone().unwrap_or(own);
        let (end, ending) = watch::channel(false);
        let app = serving::app(engine, &options, public_url.clone(), options.trusted_proxies.clone(), ending);
        let rehearsals = app.rehearsals.clone();
        Ok(Self { listener, tls, router: serving::build(app), public_url, end, rehearsals })
    }

    /// The address at which it is reached: the public one where given, else the one that it listens on.
    pub fn url(&self) -> &Url {
        &self.public_url
    }

    /// The address that it listens on, with the port that was taken.
    ///
    /// # Errors
    /// When the system does not tell.
    pub fn address(&self) -> Result<SocketAddr, Problem> {
        self.listener.local_addr().map_err(Problem::internal)
    }

    /// Serves until `shutdown` is done, then lets running requests finish.
    ///
    /// # Errors
    /// None at present; trouble with single connections is logged.
    pub async fn run(self, shutdown: impl Future<Output = ()> + Send) -> Result<(), Problem> {
        let leave = async {
            shutdown.await;
            Duration::ZERO
        };
        self.run_until(leave, std::future::pending()).await;
        Ok(())
    }

    /// Serves until `leave` says how long others need to notice that this server goes: for so long it says that it is not ready
    /// and goes on taking requests. Then it takes none, and lets running requests finish. Once `cut` is done, nothing is waited
    /// for any more. Gives how many requests were cut off.
    pub async fn run_until(self, leave: impl Future<Output = Duration> + Send, cut: impl Future<Output = ()> + Send) -> usize {
        let Self { listener, tls, router, end, rehearsals, .. } = self;
        let (mut leave, mut cut) = (pin!(leave), pin!(cut));
        let door =
            Door { tls, router, places: Arc::new(Semaphore::new(CONNECTIONS)), farewell: GracefulShutdown::new(), running: Running::default(), cut: watch::Sender::new(false) };
        let grace = tokio::select! {
            grace = &mut leave => grace,
            () = door.keep(&listener) => Duration::ZERO,
        };
        // From here on `/readyz` says so, answers close their connections, and event streams send their listeners elsewhere.
        end.send_replace(true);
        let mut forced = false;
        if !grace.is_zero() {
            tokio::select! {
                () = tokio::time::sleep(grace) => {}
                () = &mut cut => forced = true,
                () = door.keep(&listener) => {}
            }
        }
        door.take_waiting(listener);
        let Door { farewell, running, cut: cutting, .. } = door;
        if !forced {
            let finished = async {
                if !grace.is_zero() {
                    tokio::time::sleep(LAST_WORDS).await;
                }
                tokio::select! {
                    () = farewell.shutdown() => {}
                    () = running.quiet() => {}
                }
            };
            tokio::select! {
                () = finished => {}
                () = tokio::time::sleep(FAREWELL) => {}
                () = &mut cut => {}
            }
        }
        let left = running.count();
        if left > 0 {
            tracing::warn!(requests = left, "{left} requests were still running and were cut");
        }
        cutting.send_replace(true);
        rehearsals.end_all().await;
        left
    }
}

/// Where connections come in.
struct Door {
    tls: Option<TlsAcceptor>,
    router: Router,
    places: Arc<Semaphore>,
    farewell: GracefulShutdown,
    running: Running,
    /// Becomes true when nothing is waited for any more.
    cut: watch::Sender<bool>,
}

impl Door {
    /// Takes connections; it never returns.
    async fn keep(&self, listener: &TcpListener) {
        loop {
            match listener.accept().await {
                Ok((stream, address)) => self.take(stream, address),
                // Too many open files, or a connection that ended before it was taken: wait a little and go on.
                Err(error) => {
                    tracing::warn!("a connection could not be taken: {error}");
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
            }
        }
    }

    fn take(&self, stream: TcpStream, address: SocketAddr) {
        let Ok(place) = self.places.clone().try_acquire_owned() else {
            tracing::warn!(remote = %address.ip(), "a connection was refused: {CONNECTIONS} are open");
            return;
        };
        let (tls, router, running, watcher) = (self.tls.clone(), self.router.clone(), self.running.clone(), self.farewell.watcher());
        let mut cut = self.cut.subscribe();
        tokio::spawn(async move {
            tokio::select! {
                () = connection(stream, address, tls, router, running, watcher) => {}
                // The sender is gone only together with everything else.
                _ = cut.wait_for(|cut| *cut) => {}
            }
            drop(place);
        });
    }

    /// Takes the connections that the system has accepted on our behalf, and closes the address.
    fn take_waiting(&self, listener: TcpListener) {
        let listener = match listener.into_std() {
            Ok(listener) => listener,
            Err(error) => return tracing::debug!("the last connections could not be taken: {error}"),
        };
        while let Ok((stream, address)) = listener.accept() {
            if let Ok(stream) = stream.set_nonblocking(true).and_then(|()| TcpStream::from_std(stream)) {
                self.take(stream, address);
            }
        }
    }
}

/// An address that a browser on this machine can open, for one that means all.
fn reachable(mut address: SocketAddr) -> SocketAddr {
    if address.ip().is_unspecified() {
        address.set_ip(if address.is_ipv4() { std::net::Ipv4Addr::LOCALHOST.into() } else { std::net::Ipv6Addr::LOCALHOST.into() });
    }
    address
}

async fn connection(stream: TcpStream, address: SocketAddr, tls: Option<TlsAcceptor>, router: Router, running: Running, watcher: Watcher) {
    let _ = stream.set_nodelay(true);
    match tls {
        None => talk(stream, Peer { address, tls: false }, router, running, watcher).await,
        Some(acceptor) => match tokio::time::timeout(HANDSHAKE_PATIENCE, acceptor.accept(stream)).await {
            Ok(Ok(stream)) => talk(stream, Peer { address, tls: true }, router, running, watcher).await,
            Ok(Err(error)) => tracing::debug!(remote = %address.ip(), "a TLS handshake failed: {error}"),
            Err(_) => tracing::debug!(remote = %address.ip(), "a TLS handshake took too long"),
        },
    }
}

async fn talk(stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static, peer: Peer, router: Router, running: Running, watcher: Watcher) {
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder.http1().timer(TokioTimer::new()).header_read_timeout(HEAD_PATIENCE).max_buf_size(LONGEST_HEAD).max_headers(MOST_HEADERS);
    builder.http2().timer(TokioTimer::new()).keep_alive_interval(Duration::from_secs(30)).max_header_list_size(LONGEST_HEAD as u32).max_concurrent_streams(100);
    let service = hyper::service::service_fn(move |mut request: hyper::Request<Incoming>| {
        request.extensions_mut().insert(peer);
        let turn = running.begin();
        let answer = router.clone().oneshot(request.map(Body::new));
        async move { answer.await.map(|response| response.map(|body| Counted::new(body, turn))) }
    });
    let connection = builder.serve_connection(TokioIo::new(stream), service);
    if let Err(error) = watcher.watch(connection.into_owned()).await {
        tracing::debug!(remote = %peer.address.ip(), "a connection ended: {error}");
    }
}

fn acceptor(files: &TlsFiles) -> Result<TlsAcceptor, Problem> {
    let unusable = |what: &str, path: &std::path::Path, why: &dyn std::fmt::Display| {
        Problem::new(Code::InvalidField, format!("The {what} {} cannot be used: {why}. Give a PEM file.", path.display()))
    };
    let chain =
        CertificateDer::pem_file_iter(&files.certificate).and_then(Iterator::collect::<Result<Vec<_>, _>>).map_err(|error| unusable("certificate", &files.certificate, &error))?;
    if chain.is_empty() {
        return Err(unusable("certificate", &files.certificate, &"there is no certificate in it"));
    }
    let key = PrivateKeyDer::from_pem_file(&files.key).map_err(|error| unusable("key", &files.key, &error))?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(Problem::internal)?
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .map_err(|error| unusable("key", &files.key, &error))?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(TlsAcceptor::from(Arc::new(config)))
}
