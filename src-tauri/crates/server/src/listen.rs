//! Listening: plain or TLS connections, each with limits, and an end that lets running requests finish.

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
use hyper_util::server::graceful::GracefulShutdown;
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

use crate::options::{ServeOptions, TlsFiles};
use crate::peer::Peer;
use crate::serving;

/// Connections at once.
const CONNECTIONS: usize = 4096;
/// How long a caller may take for a request's head.
const HEAD_PATIENCE: Duration = Duration::from_secs(15);
/// How long a TLS handshake may take.
const HANDSHAKE_PATIENCE: Duration = Duration::from_secs(10);
/// How long running requests may take once the server ends.
const FAREWELL: Duration = Duration::from_secs(10);
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
        Ok(Self { listener, tls, router: serving::build(app), public_url, end })
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
        let Self { listener, tls, router, end, .. } = self;
        let farewell = GracefulShutdown::new();
        let places = Arc::new(Semaphore::new(CONNECTIONS));
        let mut shutdown = pin!(shutdown);
        loop {
            tokio::select! {
                () = &mut shutdown => break,
                accepted = listener.accept() => match accepted {
                    Ok((stream, address)) => {
                        let Ok(place) = places.clone().try_acquire_owned() else {
                            tracing::warn!(remote = %address.ip(), "a connection was refused: {CONNECTIONS} are open");
                            continue;
                        };
                        let (tls, router, watcher) = (tls.clone(), router.clone(), farewell.watcher());
                        tokio::spawn(async move {
                            connection(stream, address, tls, router, watcher).await;
                            drop(place);
                        });
                    }
                    // Too many open files, or a connection that ended before it was taken: wait a little and go on.
                    Err(error) => {
                        tracing::warn!("a connection could not be taken: {error}");
                        tokio::time::sleep(Duration::from_millis(50)).await;
                    }
                },
            }
        }
        drop(listener);
        // Event streams have no end of their own. With no listener left there is nobody to tell.
        let _ = end.send(true);
        if tokio::time::timeout(FAREWELL, farewell.shutdown()).await.is_err() {
            tracing::warn!("some requests were still running after {} s and were cut", FAREWELL.as_secs());
        }
        Ok(())
    }
}

/// An address that a browser on this machine can open, for one that means all.
fn reachable(mut address: SocketAddr) -> SocketAddr {
    if address.ip().is_unspecified() {
        address.set_ip(if address.is_ipv4() { std::net::Ipv4Addr::LOCALHOST.into() } else { std::net::Ipv6Addr::LOCALHOST.into() });
    }
    address
}

async fn connection(stream: TcpStream, address: SocketAddr, tls: Option<TlsAcceptor>, router: Router, watcher: hyper_util::server::graceful::Watcher) {
    let _ = stream.set_nodelay(true);
    match tls {
        None => talk(stream, Peer { address, tls: false }, router, watcher).await,
        Some(acceptor) => match tokio::time::timeout(HANDSHAKE_PATIENCE, acceptor.accept(stream)).await {
            Ok(Ok(stream)) => talk(stream, Peer { address, tls: true }, router, watcher).await,
            Ok(Err(error)) => tracing::debug!(remote = %address.ip(), "a TLS handshake failed: {error}"),
            Err(_) => tracing::debug!(remote = %address.ip(), "a TLS handshake took too long"),
        },
    }
}

async fn talk(stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static, peer: Peer, router: Router, watcher: hyper_util::server::graceful::Watcher) {
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder.http1().timer(TokioTimer::new()).header_read_timeout(HEAD_PATIENCE).max_buf_size(LONGEST_HEAD).max_headers(MOST_HEADERS);
    builder.http2().timer(TokioTimer::new()).keep_alive_interval(Duration::from_secs(30)).max_header_list_size(LONGEST_HEAD as u32).max_concurrent_streams(100);
    let service = hyper::service::service_fn(move |mut request: hyper::Request<Incoming>| {
        request.extensions_mut().insert(peer);
        router.clone().oneshot(request.map(Body::new))
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
