//! A proxy in front of an S3 server that does to its requests whatever a store does on a bad day.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use socket2::{Domain, SockAddr, SockRef, Socket, Type};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// Latency of [`Fault::Slow`].
const LATENCY: Duration = Duration::from_millis(300);

/// What happens to requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    /// They are passed on.
    None,
    /// Connections are refused.
    Refused,
    /// The connection is reset in the middle of the body of an object. Listings are passed on.
    ObjectReset,
    /// The connection is reset in the middle of a page of a listing. Objects are passed on.
    ListingReset,
    /// An object ends early, with the right `Content-Length`. Listings are passed on.
    Truncated,
    /// Objects and listings have this status. 503 has the body of S3's `SlowDown`.
    Status(u16),
    /// Everything takes [`LATENCY`] longer.
    Slow,
    /// Objects have an `ETag` that no listing has.
    WrongTag,
    /// There is no answer until the fault is over.
    Hang,
    /// Deletions have this status. The rest is passed on.
    DeletionStatus(u16),
    /// Deletions are carried out, and the connection is reset within the answer. The rest is passed on.
    DeletionReset,
    /// There is no answer to deletions until the fault is over. The rest is passed on.
    DeletionHang,
}

#[derive(Default)]
struct Seen {
    listings: u64,
    objects: u64,
}

struct State {
    upstream: SocketAddr,
    fault: tokio::sync::watch::Sender<Fault>,
    seen: Mutex<Seen>,
}

/// A running proxy, stopped when dropped.
pub(super) struct FaultProxy {
    address: SocketAddr,
    state: Arc<State>,
    accepting: Option<JoinHandle<()>>,
    /// Bound but not listening: connections are refused, and no other process gets the port.
    placeholder: Option<Socket>,
}

impl FaultProxy {
    /// Starts a proxy for a server at `http://<address>`.
    pub(super) fn start(endpoint: &str) -> Self {
        let upstream = endpoint.trim_start_matches("http://").trim_end_matches('/').parse().unwrap();
        let state = Arc::new(State { upstream, fault: tokio::sync::watch::Sender::new(Fault::None), seen: Mutex::default() });
        let listener = bind("127.0.0.1:0".parse().unwrap());
        let address = listener.local_addr().unwrap().as_socket().unwrap();
        let mut proxy = Self { address, state, accepting: None, placeholder: None };
        proxy.accept(listener);
        proxy
    }

    /// The URL to use instead of the server's.
    pub(super) fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    fn accept(&mut self, socket: Socket) {
        socket.listen(128).unwrap();
        socket.set_nonblocking(true).unwrap();
        let listener = TcpListener::from_std(socket.into()).unwrap();
        let state = self.state.clone();
        self.accepting = Some(tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(serve(client, state.clone()));
            }
        }));
    }

    /// From now on this happens.
    pub(super) async fn set(&mut self, fault: Fault) {
        if fault == Fault::Refused {
            if let Some(accepting) = self.accepting.take() {
                accepting.abort();
                // The listener is closed when the task has ended.
                let _ = accepting.await;
            }
            self.placeholder = Some(bind(self.address));
        } else if self.accepting.is_none() {
            let listener = bind(self.address);
            self.accept(listener);
            self.placeholder = None;
        }
        self.state.fault.send_replace(fault);
    }

    /// Requests that have arrived: listings, and all others.
    pub(super) fn requests(&self) -> (u64, u64) {
        let seen = self.state.seen.lock().unwrap_or_else(PoisonError::into_inner);
        (seen.listings, seen.objects)
    }
}

impl Drop for FaultProxy {
    fn drop(&mut self) {
        if let Some(accepting) = self.accepting.take() {
            accepting.abort();
        }
    }
}

fn bind(address: SocketAddr) -> Socket {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    socket.set_reuse_address(true).unwrap();
    socket.bind(&SockAddr::from(address)).unwrap();
    socket
}

/// Carries one request and its answer, and closes the connection.
async fn serve(mut client: TcpStream, state: Arc<State>) -> Option<()> {
    let mut faults = state.fault.subscribe();
    let request = read_request(&mut client).await?;
    let is_listing = request.head.lines().next()?.contains("list-type=2");
    {
        let mut seen = state.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if is_listing { seen.listings += 1 } else { seen.objects += 1 }
    }
    let is_deletion = request.head.starts_with("POST ");
    let fault = *faults.borrow_and_update();
    match fault {
        Fault::DeletionStatus(status) if is_deletion => return refuse(client, status).await,
        Fault::DeletionHang if is_deletion => {
            faults.changed().await.ok()?;
            return reset(client);
        }
        Fault::Hang => {
            faults.changed().await.ok()?;
            return reset(client);
        }
        // A connection that was accepted before the port was closed.
        Fault::Refused => return reset(client),
        Fault::Slow => tokio::time::sleep(LATENCY).await,
        Fault::Status(status) => return refuse(client, status).await,
        _ => {}
    }
    let answer = forward(&request, state.upstream).await?;
    let end = answer.windows(4).position(|window| window == b"\r\n\r\n")? + 4;
    let (head, body) = answer.split_at(end);
    let mut head = closing(std::str::from_utf8(head).ok()?);
    let half = &body[..body.len() / 2];
    match fault {
        Fault::DeletionReset if is_deletion => {
            client.write_all(head.as_bytes()).await.ok()?;
            client.write_all(half).await.ok()?;
            return reset(client);
        }
        Fault::ObjectReset if !is_listing => {
            client.write_all(head.as_bytes()).await.ok()?;
            client.write_all(half).await.ok()?;
            return reset(client);
        }
        Fault::ListingReset if is_listing => {
            client.write_all(head.as_bytes()).await.ok()?;
            client.write_all(half).await.ok()?;
            return reset(client);
        }
        Fault::Truncated if !is_listing => {
            client.write_all(head.as_bytes()).await.ok()?;
            client.write_all(half).await.ok()?;
            return client.shutdown().await.ok();
        }
        Fault::WrongTag if !is_listing => {
            let lines = head.split("\r\n").filter(|line| !line.to_ascii_lowercase().starts_with("etag:"));
            head = lines.collect::<Vec<_>>().join("\r\n").replacen("\r\n", "\r\nETag: \"of-another-version\"\r\n", 1);
        }
        _ => {}
    }
    client.write_all(head.as_bytes()).await.ok()?;
    client.write_all(body).await.ok()?;
    client.shutdown().await.ok()
}

struct Request {
    head: String,
    body: Vec<u8>,
}

async fn read_request(client: &mut TcpStream) -> Option<Request> {
    let mut bytes = Vec::new();
    let end = loop {
        if let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            break end + 4;
        }
        if client.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    };
    let mut body = bytes.split_off(end);
    let head = String::from_utf8(bytes).ok()?;
    let lines = head.lines().filter_map(|line| line.split_once(':'));
    let length = lines.into_iter().find(|(name, _)| name.eq_ignore_ascii_case("content-length"));
    let length: usize = length.map_or(Some(0), |(_, value)| value.trim().parse().ok())?;
    while body.len() < length {
        if client.read_buf(&mut body).await.ok()? == 0 {
            return None;
        }
    }
    Some(Request { head, body })
}

/// The answer as it came.
async fn forward(request: &Request, upstream: SocketAddr) -> Option<Vec<u8>> {
    let mut server = TcpStream::connect(upstream).await.ok()?;
    server.write_all(closing(&request.head).as_bytes()).await.ok()?;
    server.write_all(&request.body).await.ok()?;
    let mut answer = Vec::new();
    server.read_to_end(&mut answer).await.ok()?;
    Some(answer)
}

/// A head for a connection that carries nothing more.
fn closing(head: &str) -> String {
    let lines = head.trim_end().split("\r\n").filter(|line| !line.to_ascii_lowercase().starts_with("connection:"));
    lines.collect::<Vec<_>>().join("\r\n") + "\r\nConnection: close\r\n\r\n"
}

async fn refuse(mut client: TcpStream, status: u16) -> Option<()> {
    let code = if status == 503 { "SlowDown" } else { "InternalError" };
    let body = format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?><Error><Code>{code}</Code><Message>{code}</Message></Error>");
    let head =
        format!("HTTP/1.1 {status} {code}\r\nContent-Type: application/xml\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", body.len());
    client.write_all(format!("{head}{body}").as_bytes()).await.ok()?;
    client.shutdown().await.ok()
}

/// Closes the connection with RST.
fn reset(client: TcpStream) -> Option<()> {
    SockRef::from(&client).set_linger(Some(Duration::ZERO)).ok()?;
    drop(client);
    Some(())
}
