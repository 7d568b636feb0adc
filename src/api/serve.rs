//! Connections: accepting them, limiting them, and ending them in order. The caller owns the socket and the stop signal.
//!
//! # Limits
//! At most [`ServeOptions::max_connections`] at a time: further ones wait in the kernel's queue. A request's head must arrive, and
//! an idle connection must begin its next request, within [`ServeOptions::header_read_timeout`]. A client that takes nothing of
//! its answer for [`ServeOptions::write_stall_timeout`] is cut off, so that slow clients cannot hold connections for good.
//!
//! # Shutdown
//! Accepting ends at once, idle connections are closed, running answers are finished; what is left after
//! [`ServeOptions::grace`] is cut.

use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use axum::Router;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::Instrument as _;

use crate::tls;

mod stall;

use stall::StallGuard;

/// Bytes that are buffered per connection in each direction; also the limit of a request's head.
const BUFFER: usize = 64 << 10;

/// Limits of the server.
#[derive(Debug, Clone)]
pub struct ServeOptions {
    /// Connections at a time.
    pub max_connections: usize,
    /// Time for a request's head to arrive, and for a connection to be idle.
    pub header_read_timeout: Duration,
    /// Time in which a client must take at least something of its answer.
    pub write_stall_timeout: Duration,
    /// Time that running answers are given once the server stops.
    pub grace: Duration,
}

impl Default for ServeOptions {
    fn default() -> Self {
        Self {
            max_connections: 1024,
            header_read_timeout: Duration::from_mins(1),
            write_stall_timeout: Duration::from_mins(1),
            grace: Duration::from_secs(10),
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
    let slots = Arc::new(Semaphore::new(options.max_connections));
    let connections = Connections {
        router,
        tls,
        handshake_timeout: options.header_read_timeout,
        builder: builder(&options),
        tasks: TaskTracker::new(),
        shutdown: shutdown.clone(),
        cut: CancellationToken::new(),
        cut_count: Arc::new(AtomicU64::new(0)),
        write_stall_timeout: options.write_stall_timeout,
    };
    while let Some((stream, slot)) = shutdown.run_until_cancelled(accept(&listener, &slots)).await {
        connections.start(stream, slot);
    }
    drop(listener);
    connections.tasks.close();
    if tokio::time::timeout(options.grace, connections.tasks.wait()).await.is_err() {
        connections.cut.cancel();
        connections.tasks.wait().await;
    }
    Drained { cut: connections.cut_count.load(Ordering::SeqCst) }
}

/// Waits for a free slot, then for a connection.
async fn accept(listener: &TcpListener, slots: &Arc<Semaphore>) -> (TcpStream, OwnedSemaphorePermit) {
    let Ok(slot) = Arc::clone(slots).acquire_owned().await else {
        // The semaphore is never closed.
        return std::future::pending().await;
    };
    let mut failing = false;
    loop {
        match listener.accept().await {
            Ok((stream, _peer)) => return (stream, slot),
            Err(error) if is_of_the_connection(&error) => {}
            Err(error) => {
                // Out of file descriptors or memory: nothing to do but to wait for some.
                if !failing {
                    tracing::error!(error.cause = %error, "accepting connections fails; trying on");
                }
                failing = true;
                tokio::time::sleep(Duration::from_millis(200)).await;
            }
        }
    }
}

/// Whether accepting failed because the client went away already.
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
    write_stall_timeout: Duration,
}

impl Connections {
    /// Serves a connection in a task of its own.
    fn start(&self, stream: TcpStream, slot: OwnedSemaphorePermit) {
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(error.cause = %error, "setting TCP_NODELAY failed");
        }
        let stream = StallGuard::new(stream, self.write_stall_timeout);
        let (tls, handshake_timeout) = (self.tls.clone(), self.handshake_timeout);
        let driver = Driver {
            service: TowerToHyperService::new(self.router.clone()),
            builder: self.builder.clone(),
            shutdown: self.shutdown.clone(),
            cut: self.cut.clone(),
            cut_count: Arc::clone(&self.cut_count),
        };
        let serving = async move {
            let _slot = slot;
            let Some(tls) = tls else { return driver.drive(stream).await };
            let shaking = tokio::time::timeout(handshake_timeout, tls.accept(stream));
            match driver.shutdown.run_until_cancelled(shaking).await {
                Some(Ok(Ok(stream))) => driver.drive(stream).await,
                Some(Ok(Err(error))) => tracing::debug!(error.cause = %error, "TLS handshake failed"),
                Some(Err(_elapsed)) => tracing::debug!("TLS handshake took too long"),
                None => {}
            }
        };
        self.tasks.spawn(serving.in_current_span());
    }
}

/// Serves one connection.
struct Driver {
    service: TowerToHyperService<Router>,
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
