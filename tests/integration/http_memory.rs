//! Clients that ask and take nothing: what is made for all of them together is bounded, and others are answered meanwhile.

use std::io::{Cursor, Read as _};
use std::path::Path;
use std::time::{Duration, Instant};

use historyserver::api::{ApiOptions, Budget};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpSocket, TcpStream};

use crate::support::archives::{envelope, job, write};
use crate::support::process::PATIENCE;
use crate::support::served::Served;
use crate::support::world::WorldOptions;

const JOBS: usize = 300;
const CLIENTS: usize = 40;

/// Memory for answers in these tests, and what each client may hold beside it: a few small pieces on their way.
const MEMORY: u64 = 4 << 20;
const SMALL: u64 = 64 << 10;

fn name(number: usize) -> String {
    format!("{number:032x}")
}

/// Text that is no shorter when it is compressed than a quarter of itself.
fn noise(bytes: usize) -> String {
    let mut state = 1_u64;
    let digit = |_| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        char::from_digit(u32::try_from(state >> 60).unwrap(), 16).unwrap()
    };
    (0..bytes).map(digit).collect()
}

/// One job with a large document, and many with none.
fn write_archives(folder: &Path) {
    let large = name(0xfff_ffff);
    let overview = job(&large, "large", 1_795_000_000_000);
    let text = serde_json::json!({"jid": large, "text": noise(3 << 20)}).to_string();
    let entries: serde_json::Value = serde_json::from_str(&overview).unwrap();
    let of = |number: usize, key: &str| entries["archive"][number][key].as_str().unwrap().to_owned();
    let config = format!("/jobs/{large}/config");
    write(&folder.join(&large), envelope(&[(&of(0, "path"), &of(0, "json")), (&of(1, "path"), &of(1, "json")), (&config, &text)]));
    for number in 1..=JOBS {
        write(&folder.join(name(number)), job(&name(number), &format!("{} {}", noise(200), number), 1_790_000_000_000));
    }
}

/// A client that asks and reads no more than the first bytes of the answer's head.
async fn stalled(server: &Served, target: &str, headers: &str) -> (TcpStream, u16) {
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(4096).unwrap();
    let mut client = socket.connect(server.address).await.unwrap();
    client.write_all(format!("GET {target} HTTP/1.1\r\nHost: localhost\r\n{headers}\r\n").as_bytes()).await.unwrap();
    let mut head = [0; 12];
    client.read_exact(&mut head).await.unwrap();
    (client, std::str::from_utf8(&head[9..]).unwrap().parse().unwrap())
}

async fn served(folder: &Path) -> (Served, Budget) {
    write_archives(folder);
    let budget = Budget::new(MEMORY);
    let api = ApiOptions { budget: budget.clone(), ..ApiOptions::default() };
    let mut server = Served::unread(&[folder.to_path_buf()], WorldOptions { api, ..WorldOptions::default() }).await;
    server.world.full_scan().await;
    (server, budget)
}

/// Waits for a state.
async fn until(what: &str, mut state: impl AsyncFnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !state().await {
        assert!(Instant::now() < deadline, "never {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn stalled_clients_of_any_kind_hold_little_and_others_are_answered_whole() {
    let folder = tempfile::tempdir().unwrap();
    let (server, budget) = served(folder.path()).await;
    let large = name(0xfff_ffff);
    let document = format!("/jobs/{large}/config");
    let text = server.get(&document).await.bytes().await.unwrap();
    let zip = format!("/api/v1/jobs/{large}/archive");
    let stored = std::fs::read(folder.path().join(&large)).unwrap();
    for (target, headers) in [
        (document.as_str(), ""),
        (&document, "Accept-Encoding: gzip\r\n"),
        (&zip, ""),
        ("/api/v1/jobs/export?format=ndjson", ""),
        ("/api/v1/jobs/export", "Accept-Encoding: gzip\r\n"),
        ("/jobs/overview", ""),
        ("/jobs/overview", "Accept-Encoding: gzip\r\n"),
        ("/api/v1/jobs?limit=1000", ""),
    ] {
        let mut clients = Vec::new();
        for _ in 0..CLIENTS {
            let (client, status) = stalled(&server, target, headers).await;
            // A list that is in memory as a whole is refused when there is none left.
            assert!(status == 200 || (status == 503 && target.starts_with("/api/v1/jobs?")), "{status} {target}");
            clients.push(client);
            let used = budget.used();
            assert!(used <= MEMORY + CLIENTS as u64 * SMALL, "{used} bytes for {target}");
        }
        assert_eq!(server.get(&document).await.bytes().await.unwrap(), text, "beside {target}");
        let zipped = server.get(&zip).await.bytes().await.unwrap();
        let mut unzipped = Vec::new();
        zip::ZipArchive::new(Cursor::new(zipped)).unwrap().by_index(0).unwrap().read_to_end(&mut unzipped).unwrap();
        assert!(unzipped == stored, "beside {target}");
        // Those that are stalled are cut off for it.
        until("a list", async || server.get("/api/v1/jobs?limit=1000").await.status() == 200).await;
        drop(clients);
    }
    server.world.reader.everything().figures().await.unwrap();
    // What stays is the list that is kept for all.
    until("given back", async || budget.used() < 1 << 20).await;
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn probes_are_answered_without_any_memory_left() {
    let folder = tempfile::tempdir().unwrap();
    let (server, _budget) = served(folder.path()).await;
    let mut clients = Vec::new();
    let mut refused = 0;
    for _ in 0..CLIENTS {
        let (client, status) = stalled(&server, "/api/v1/jobs?limit=1000", "").await;
        refused += usize::from(status == 503);
        clients.push(client);
    }
    for path in ["/healthz", "/readyz", "/metrics"] {
        assert_eq!(server.get(path).await.status(), 200, "{path}");
    }
    let metrics = server.get("/metrics").await.text().await.unwrap();
    assert!(metrics.contains("historyserver_http_answer_bytes"), "{refused} refused");
    drop(clients);
    server.stop().await;
}
