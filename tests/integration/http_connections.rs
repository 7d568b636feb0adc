//! Connections: limits, slow clients, shutdown. Needs no archives: any routes will do.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::routing::get;
use historyserver::api::{Drained, ServeOptions, serve};
use historyserver::tasks;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, Semaphore};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::support::raw_http;

/// Bytes of the answer of `/long`.
const LONG: usize = 256 << 20;
static CHUNK: [u8; 64 << 10] = [b'x'; 64 << 10];
const QUICK: &str = "GET /quick HTTP/1.1\r\nHost: h\r\n\r\n";

struct Server {
    address: SocketAddr,
    stop: CancellationToken,
    serving: JoinHandle<Drained>,
    /// Notified when `/held` is entered.
    entered: Arc<Notify>,
    /// Lets a request to `/held` go on.
    release: Arc<Semaphore>,
    /// Bytes of the answer of `/long` that the server has asked for.
    produced: Arc<AtomicUsize>,
}

async fn start(options: ServeOptions) -> Server {
    let (entered, release) = (Arc::new(Notify::new()), Arc::new(Semaphore::new(0)));
    let (entering, releasing) = (Arc::clone(&entered), Arc::clone(&release));
    let held = move || async move {
        entering.notify_one();
        releasing.acquire().await.unwrap().forget();
        "released"
    };
    let produced = Arc::new(AtomicUsize::new(0));
    let producing = Arc::clone(&produced);
    let long = move || async move {
        let chunk = move |_| {
            producing.fetch_add(CHUNK.len(), Ordering::SeqCst);
            std::io::Result::Ok(Bytes::from_static(&CHUNK))
        };
        Body::from_stream(futures::stream::iter((0..LONG / CHUNK.len()).map(chunk)))
    };
    let router = Router::new()
        .route("/quick", get(|| async { "quick" }))
        .route("/healthz", get(|| async { "well" }))
        .route("/held", get(held))
        .route("/long", get(long));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let stop = CancellationToken::new();
    let serving = tasks::spawn(serve(listener, None, router, stop.clone(), options));
    Server { address, stop, serving, entered, release, produced }
}

/// Reads until the server closes the connection, however it does.
async fn until_closed(stream: &mut TcpStream) -> Vec<u8> {
    let mut read = Vec::new();
    // A reset is as good as an end here.
    let _ = stream.read_to_end(&mut read).await;
    read
}

#[tokio::test]
async fn a_running_answer_is_finished_and_idle_connections_are_closed_when_the_server_stops() {
    let server = start(ServeOptions { grace: Duration::from_mins(1), ..ServeOptions::default() }).await;
    let mut idle = TcpStream::connect(server.address).await.unwrap();
    idle.write_all(QUICK.as_bytes()).await.unwrap();
    let mut answer = [0; 12];
    idle.read_exact(&mut answer).await.unwrap();
    assert_eq!(&answer, b"HTTP/1.1 200");

    let running = tasks::spawn(raw_http::exchange(server.address, b"GET /held HTTP/1.1\r\nHost: h\r\n\r\n"));
    server.entered.notified().await;
    server.stop.cancel();
    assert!(until_closed(&mut idle).await.ends_with(b"quick"));
    // No connection is accepted any more: the socket is closed as soon as the server has noticed the stop.
    while TcpStream::connect(server.address).await.is_ok() {
        tokio::task::yield_now().await;
    }
    server.release.add_permits(1);
    let finished = running.await.unwrap();
    assert_eq!((finished.status, finished.body.as_slice()), (200, &b"released"[..]));
    assert_eq!(server.serving.await.unwrap(), Drained { cut: 0 });
}

#[tokio::test]
async fn an_answer_that_does_not_finish_in_time_is_cut_when_the_server_stops() {
    let server = start(ServeOptions { grace: Duration::from_millis(20), ..ServeOptions::default() }).await;
    let mut held = TcpStream::connect(server.address).await.unwrap();
    held.write_all(b"GET /held HTTP/1.1\r\nHost: h\r\n\r\n").await.unwrap();
    server.entered.notified().await;
    server.stop.cancel();
    assert_eq!(server.serving.await.unwrap(), Drained { cut: 1 });
    assert!(until_closed(&mut held).await.is_empty());
}

#[tokio::test]
async fn a_head_that_does_not_arrive_ends_the_connection() {
    let server = start(ServeOptions { header_read_timeout: Duration::from_millis(50), ..ServeOptions::default() }).await;
    for sent in ["", "GET /quick HTTP/1.1\r\nHost: h\r\nX-Slow: ", QUICK] {
        let mut slow = TcpStream::connect(server.address).await.unwrap();
        slow.write_all(sent.as_bytes()).await.unwrap();
        let read = until_closed(&mut slow).await;
        assert_eq!(read.starts_with(b"HTTP/1.1 200"), sent == QUICK, "{sent:?}");
    }
    server.stop.cancel();
    server.serving.await.unwrap();
}

#[tokio::test]
async fn the_connection_of_a_client_that_reads_nothing_is_closed() {
    let server = start(ServeOptions { read_window: Duration::from_millis(50), max_connections: 1, ..ServeOptions::default() }).await;
    let mut stalled = TcpStream::connect(server.address).await.unwrap();
    stalled.write_all(b"GET /long HTTP/1.1\r\nHost: h\r\n\r\n").await.unwrap();
    // The only slot becomes free again although the stalled client never reads and never goes.
    let answer = raw_http::request(server.address, "GET", "/quick").await;
    assert_eq!(answer.status, 200);
    let produced = server.produced.load(Ordering::SeqCst);
    assert!(produced < 16 << 20, "{produced} bytes were produced for a client that reads none of them");
    server.stop.cancel();
    server.serving.await.unwrap();
}

#[tokio::test]
async fn connections_above_the_limit_wait_for_a_free_one() {
    let server = start(ServeOptions { max_connections: 2, ..ServeOptions::default() }).await;
    let held = [(); 2].map(|()| tasks::spawn(raw_http::request(server.address, "GET", "/held")));
    server.entered.notified().await;
    let waiting = tasks::spawn(raw_http::request(server.address, "GET", "/quick"));
    server.release.add_permits(2);
    for each in held {
        assert_eq!(each.await.unwrap().status, 200);
    }
    assert_eq!(waiting.await.unwrap().status, 200);
    server.stop.cancel();
    server.serving.await.unwrap();
}

/// Connections that have asked for nothing, or whose one request has been answered.
async fn idle(server: &Server, number: usize, asked: bool) -> Vec<TcpStream> {
    let mut open = Vec::new();
    for _ in 0..number {
        let mut stream = TcpStream::connect(server.address).await.unwrap();
        if asked {
            stream.write_all(QUICK.as_bytes()).await.unwrap();
            let mut answer = [0; 12];
            stream.read_exact(&mut answer).await.unwrap();
            assert_eq!(&answer, b"HTTP/1.1 200");
        }
        open.push(stream);
    }
    open
}

#[tokio::test]
async fn idle_connections_of_one_client_or_of_many_are_closed_for_new_requests() {
    for (max_connections, max_connections_per_client) in [(8, 8), (100, 8)] {
        // Idle connections would live for an hour.
        let server = start(ServeOptions {
            max_connections,
            max_connections_per_client,
            header_read_timeout: Duration::from_hours(1),
            ..ServeOptions::default()
        })
        .await;
        for asked in [false, true] {
            let mut open = idle(&server, 30, asked).await;
            for _ in 0..20 {
                assert_eq!(raw_http::request(server.address, "GET", "/quick").await.status, 200);
            }
            // The first was idle for longest.
            let mut first = open.swap_remove(0);
            until_closed(&mut first).await;
        }
        server.stop.cancel();
        assert_eq!(server.serving.await.unwrap(), Drained { cut: 0 });
    }
}

#[tokio::test]
async fn probes_are_answered_while_all_places_are_held() {
    let server = start(ServeOptions { max_connections: 2, ..ServeOptions::default() }).await;
    let held = [(); 2].map(|()| tasks::spawn(raw_http::request(server.address, "GET", "/held")));
    server.entered.notified().await;
    let waiting: Vec<_> = (0..200).map(|_| tasks::spawn(raw_http::request(server.address, "GET", "/quick"))).collect();
    for _ in 0..50 {
        let probe = raw_http::request(server.address, "GET", "/healthz").await;
        assert_eq!((probe.status, probe.body.as_slice()), (200, &b"well"[..]));
    }
    server.release.add_permits(2);
    for each in held {
        assert_eq!(each.await.unwrap().status, 200);
    }
    for each in waiting {
        let answer = each.await.unwrap();
        // The connections that waited in vain get an error in Flink's envelope.
        if answer.status != 200 {
            assert_eq!((answer.status, answer.header("retry-after"), answer.header("connection")), (503, Some("5"), Some("close")));
            assert_eq!(answer.errors().len(), 1);
        }
    }
    server.stop.cancel();
    server.serving.await.unwrap();
}

#[tokio::test]
async fn the_connection_of_a_slow_client_is_closed_and_that_of_a_fast_enough_one_is_not() {
    let server = start(ServeOptions { read_window: Duration::from_millis(100), min_rate: 1 << 20, ..ServeOptions::default() }).await;
    let mut slow = TcpStream::connect(server.address).await.unwrap();
    slow.write_all(b"GET /long HTTP/1.1\r\nHost: h\r\n\r\n").await.unwrap();
    let mut pauses = tokio::time::interval(Duration::from_millis(5));
    // What was on its way is read, then the end comes, long before that of the answer.
    let mut read = 0;
    while let Ok(bytes @ 1..) = slow.read(&mut [0; 100]).await {
        read += bytes;
        if server.produced.load(Ordering::SeqCst) < LONG && read < 1 << 20 {
            pauses.tick().await;
        }
    }
    assert!(read < LONG, "{read} bytes");
    let whole = raw_http::request(server.address, "GET", "/long").await;
    assert!(whole.body.len() >= LONG);
    server.stop.cancel();
    server.serving.await.unwrap();
}

#[tokio::test]
async fn a_head_beyond_its_limit_is_refused() {
    let server = start(ServeOptions::default()).await;
    // Not even ended: it is refused for its length alone, and nothing of it is left unread, so that no reset overtakes the answer.
    let request = format!("GET /quick HTTP/1.1\r\nHost: h\r\nX-Long: {}", "x".repeat(70_000));
    let answer = raw_http::exchange(server.address, request.as_bytes()).await;
    assert_eq!(answer.status, 431);
    server.stop.cancel();
    server.serving.await.unwrap();
}
