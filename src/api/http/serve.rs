//! Connections: accepting them, limiting them, and ending them in order. The caller owns the socket and the stop signal.
//!
//! # Limits
//! There are up to [`ServeOptions::max_connections`] connections at a time, and up to [`ServeOptions::max_connections_per_client`] of one
//! client: `places` decides which connection is closed when there are more. A request's head must arrive, and an idle connection must begin its next request, within
//! [`ServeOptions::header_read_timeout`]. A client must take its answer at [`ServeOptions::min_rate`] over each
//! [`ServeOptions::read_window`] of waiting for it, or its connection is closed (`pace`). Only two small portions of an
//! answer are in flight at a time (`portions`).
//!
//! # Shutdown
//! No more connections are accepted, idle connections are closed, running answers are finished; connections that are still open after
//! [`ServeOptions::grace`] are closed.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use axum::Router;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::Instrument as _;

use crate::access::Peer;
use crate::api::http::budget::{Budget, Stalled};
use crate::tls;

pub(in crate::api) mod closed;
mod pace;
mod places;
mod portions;
mod service;

use pace::{Pace, PaceGuard};
use places::{Entered, Places};
use service::Service;

/// Bytes of an answer that the system takes before the client has received those before them.
#[cfg(target_os = "linux")]
const UNSENT: u32 = 64 << 10;

/// Bytes that wait to be encrypted, or encrypted to be sent, per connection.
const TLS_BUFFER: usize = 16 << 10;

/// Bytes that are buffered per connection in each direction; also the limit of a request's head.
const BUFFER: usize = 64 << 10;

/// Limits of the server.
#[derive(Debug, Clone)]
pub struct ServeOptions {
    /// Connections at a time. A few more are accepted, so that probes are answered, and wait.
    pub max_connections: usize,
    /// Connections of one client: an address, or with IPv6 a network of 64 bits.
    pub max_connections_per_client: usize,
    /// Time for a request's head to arrive, and for a connection to be idle.
    pub header_read_timeout: Duration,
    /// Time of waiting for a client after which its rate is checked.
    pub read_window: Duration,
    /// Bytes that a client must take in each second of that time; one byte in all is the minimum.
    pub min_rate: u64,
    /// Time for running answers after the server was stopped.
    pub grace: Duration,
    /// Memory for answers: when it is short, connections of clients that read nothing are closed.
    pub budget: Budget,
}

impl Default for ServeOptions {
    fn default() -> Self {
        Self {
            max_connections: 1024,
            max_connections_per_client: 512,
            header_read_timeout: Duration::from_mins(1),
            read_window: Duration::from_mins(1),
            min_rate: 1024,
            grace: Duration::from_secs(10),
            budget: Budget::default(),
        }
    }
}

/// How serving ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Drained {
    /// Connections that were still open after the grace period and were cut.
    pub cut: u64,
}

/// Serves until `shutdown` is cancelled and connections have drained or were cut. With `tls`, connections that speak none are dropped.
pub async fn serve(
    listener: TcpListener,
    tls: Option<tls::Acceptor>,
    router: Router,
    shutdown: CancellationToken,
    options: ServeOptions,
) -> Drained {
    let places = Arc::new(Places::new(options.max_connections, options.max_connections_per_client));
    let stalled: Arc<dyn Stalled> = Arc::clone(&places) as _;
    options.budget.may_close(Arc::downgrade(&stalled));
    let connections = Connections {
        router,
        tls,
        handshake_timeout: options.header_read_timeout,
        builder: builder(&options),
        tasks: TaskTracker::new(),
        shutdown: shutdown.clone(),
        cut: CancellationToken::new(),
        cut_count: Arc::new(AtomicU64::new(0)),
        pace: Pace { window: options.read_window, min_rate: options.min_rate },
    };
    while let Some((stream, peer)) = shutdown.run_until_cancelled(accept(&listener)).await {
        connections.start(stream, peer.ip(), places.enter(peer.ip()));
    }
    drop(listener);
    connections.tasks.close();
    if tokio::time::timeout(options.grace, connections.tasks.wait()).await.is_err() {
        connections.cut.cancel();
        connections.tasks.wait().await;
    }
    Drained { cut: connections.cut_count.load(Ordering::SeqCst) }
}

/// Waits for a connection.
async fn accept(listener: &TcpListener) -> (TcpStream, SocketAddr) {
    let mut failing = false;
    loop {
        match listener.accept().await {
            Ok(accepted) => return accepted,
            Err(error) if is_of_the_connection(&error) => {}
            Err(error) => {
                // Out of file descriptors or memory: it can only wait until some are free.
                if !failing {
                    tracing::error!(error.cause = %error, "connections cannot be accepted, the server keeps trying: check the limit of open files (ulimit -n)");
                }
                failing = true;
                tokio::time::sleep(Duration::from_millis(200)).await;
            }
        }
    }
}

/// Whether accepting failed because the client has disconnected already.
fn is_of_the_connection(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionRefused | io::ErrorKind::ConnectionReset)
}

/// HTTP/1.1, also inside TLS. Never with hyper's `pipeline_flush`: it lifts the limit on what is buffered for a client that reads slowly.
fn builder(options: &ServeOptions) -> auto::Builder<TokioExecutor> {
    let mut builder = auto::Builder::new(TokioExecutor::new()).http1_only();
    builder.http1().timer(TokioTimer::new()).header_read_timeout(options.header_read_timeout).max_buf_size(BUFFER);
    builder
}

/// All open connections.
struct Connections {
    router: Router,
    tls: Option<tls::Acceptor>,
    handshake_timeout: Duration,
    builder: auto::Builder<TokioExecutor>,
    tasks: TaskTracker,
    shutdown: CancellationToken,
    cut: CancellationToken,
    cut_count: Arc<AtomicU64>,
    pace: Pace,
}

impl Connections {
    /// Serves a connection in its own task.
    fn start(&self, stream: TcpStream, address: IpAddr, entered: Entered) {
        prepare(&stream);
        let connection = Arc::clone(&entered.connection);
        let stream = PaceGuard::new(stream, self.pace, Arc::clone(&connection));
        let (tls, handshake_timeout) = (self.tls.clone(), self.handshake_timeout);
        let entered = Arc::new(entered);
        let mut driver = Driver {
            service: Service { router: self.router.clone(), entered: Arc::clone(&entered), peer: Peer { address, certificate: None } },
            builder: self.builder.clone(),
            shutdown: self.shutdown.clone(),
            cut: self.cut.clone(),
            cut_count: Arc::clone(&self.cut_count),
        };
        let serving = async move {
            let Some(tls) = tls else { return driver.drive(stream).await };
            let shaking = tokio::time::timeout(handshake_timeout, tls.accept(stream));
            match driver.shutdown.run_until_cancelled(shaking).await {
                Some(Ok(Ok(mut stream))) => {
                    stream.get_mut().1.set_buffer_limit(Some(TLS_BUFFER));
                    driver.service.peer.certificate = tls::subject(&stream);
                    driver.drive(stream).await;
                }
                Some(Ok(Err(error))) => tracing::debug!(error.cause = %error, "TLS handshake failed"),
                Some(Err(_elapsed)) => tracing::debug!("TLS handshake took too long"),
                None => {}
            }
        };
        let serving = async move {
            tokio::select! {
                () = serving => {}
                () = connection.closed.cancelled() => tracing::debug!("a connection was closed to make room for another"),
            }
            drop(entered);
        };
        self.tasks.spawn(serving.in_current_span());
    }
}

/// Small answers leave at once, and of large ones not much lies in the system's memory for a client that takes nothing.
fn prepare(stream: &TcpStream) {
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(error.cause = %error, "setting TCP_NODELAY failed");
    }
    #[cfg(target_os = "linux")]
    if let Err(error) = socket2::SockRef::from(stream).set_tcp_notsent_lowat(UNSENT) {
        tracing::debug!(error.cause = %error, "setting TCP_NOTSENT_LOWAT failed");
    }
}

/// Serves one connection.
struct Driver {
    service: Service,
    builder: auto::Builder<TokioExecutor>,
    shutdown: CancellationToken,
    cut: CancellationToken,
    cut_count: Arc<AtomicU64>,
}

impl Driver {
    async fn drive(self, stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static) {
        let mut connection = pin!(self.builder.serve_connection(TokioIo::new(stream), self.service));
        let mut stopping = false;
        loop {
            tokio::select! {
                ended = connection.as_mut() => {
                    if let Err(error) = ended {
                        tracing::debug!(error.cause = %error, "connection ended with an error");
                    }
                    return;
                }
                () = self.shutdown.cancelled(), if !stopping => {
                    stopping = true;
                    connection.as_mut().graceful_shutdown();
                }
                () = self.cut.cancelled() => {
                    self.cut_count.fetch_add(1, Ordering::SeqCst);
                    return;
                }
            }
        }
    }
}
