//! The server as its users run it: a child process, stopped when dropped.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

/// How long a test waits for a state before it fails.
pub(crate) const PATIENCE: Duration = Duration::from_mins(1);

/// A running server process.
pub(crate) struct Process {
    child: Child,
    log: Arc<Log>,
    /// `http://127.0.0.1:<port>`
    pub(crate) base: String,
    pub(crate) client: reqwest::Client,
}

#[derive(Default)]
struct Log {
    lines: Mutex<(Vec<String>, bool)>,
    grown: Condvar,
}

/// A command line for the server that reads no configuration file and listens on a free port.
pub(crate) fn command(archives: &[&Path], data: &Path, options: &[&str]) -> Command {
    let archives: Vec<String> = archives.iter().map(|path| path.display().to_string()).collect();
    let mut command = Command::new(env!("CARGO_BIN_EXE_historyserver"));
    command.current_dir(data.parent().unwrap());
    command.arg("-D").arg(format!("historyserver.archive.fs.dir={}", archives.join(",")));
    command.arg("-D").arg(format!("historyserver.data.dir={}", data.display()));
    command.arg("-D").arg("historyserver.web.port=0");
    for option in options {
        command.arg("-D").arg(option);
    }
    command
}

impl Process {
    /// Starts the server over these directories and waits until it listens.
    pub(crate) fn start(archives: &[&Path], data: &Path, options: &[&str]) -> Self {
        Self::spawn(command(archives, data, options))
    }

    /// Starts a prepared command and waits until it listens.
    pub(crate) fn spawn(mut command: Command) -> Self {
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let log = Arc::new(Log::default());
        let (stderr, sink) = (child.stderr.take().unwrap(), log.clone());
        std::thread::spawn(move || {
            for line in BufReader::new(stderr).lines().map_while(Result::ok) {
                sink.lines.lock().unwrap().0.push(line);
                sink.grown.notify_all();
            }
            sink.lines.lock().unwrap().1 = true;
            sink.grown.notify_all();
        });
        let mut process = Self { child, log, base: String::new(), client: reqwest::Client::new() };
        let line = process.wait_for_log("listening at ");
        let at = line.find("listening at ").unwrap() + "listening at ".len();
        line[at..].split([' ', ',']).next().unwrap().trim_end_matches('/').clone_into(&mut process.base);
        process
    }

    /// Waits until a log line holds this text.
    pub(crate) fn wait_for_log(&self, text: &str) -> String {
        let deadline = Instant::now() + PATIENCE;
        let mut lines = self.log.lines.lock().unwrap();
        loop {
            if let Some(line) = lines.0.iter().find(|line| line.contains(text)) {
                return line.clone();
            }
            assert!(!lines.1, "the server ended before it said {text:?}:\n{}", lines.0.join("\n"));
            let left = deadline.saturating_duration_since(Instant::now());
            assert!(!left.is_zero(), "the server did not say {text:?}:\n{}", lines.0.join("\n"));
            lines = self.log.grown.wait_timeout(lines, left).unwrap().0;
        }
    }

    /// All that was logged so far.
    pub(crate) fn log(&self) -> String {
        self.log.lines.lock().unwrap().0.join("\n")
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    pub(crate) async fn get(&self, path: &str) -> reqwest::Response {
        self.client.get(format!("{}{path}", self.base)).send().await.unwrap()
    }

    pub(crate) async fn json(&self, path: &str) -> serde_json::Value {
        let response = self.get(path).await;
        let status = response.status();
        let body = response.text().await.unwrap();
        assert!(status.is_success(), "{path}: {status} {body}");
        serde_json::from_str(&body).unwrap()
    }

    /// Asks again until the answer of a JSON path satisfies the condition.
    pub(crate) async fn wait_until(&self, path: &str, what: &str, condition: impl Fn(&serde_json::Value) -> bool) -> serde_json::Value {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let value = self.json(path).await;
            if condition(&value) {
                return value;
            }
            assert!(Instant::now() < deadline, "never {what}: {value}\n{}", self.log());
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// Waits until at least this many refreshes have finished.
    pub(crate) async fn wait_for_refreshes(&self, finished: u64) -> serde_json::Value {
        self.wait_until("/api/v1/status", "refreshed", |status| status["refresh"]["finished"].as_u64().unwrap() >= finished).await
    }

    /// SIGKILL.
    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// SIGTERM, and the exit status.
    pub(crate) fn terminate(&mut self) -> ExitStatus {
        let killed = Command::new("kill").arg("-TERM").arg(self.child.id().to_string()).status().unwrap();
        assert!(killed.success());
        self.child.wait().unwrap()
    }

    /// Waits until it has ended by itself.
    pub(crate) fn wait_for_end(&mut self) -> ExitStatus {
        let deadline = Instant::now() + PATIENCE;
        let mut lines = self.log.lines.lock().unwrap();
        while !lines.1 {
            let left = deadline.saturating_duration_since(Instant::now());
            assert!(!left.is_zero(), "the server did not end:\n{}", lines.0.join("\n"));
            lines = self.log.grown.wait_timeout(lines, left).unwrap().0;
        }
        drop(lines);
        self.child.wait().unwrap()
    }

    /// Resident memory in bytes: now, and the peak.
    pub(crate) fn memory(&self) -> (u64, u64) {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let kib = |field: &str| -> u64 {
            let line = status.lines().find(|line| line.starts_with(field)).unwrap();
            line.split_whitespace().nth(1).unwrap().parse().unwrap()
        };
        (kib("VmRSS:") * 1024, kib("VmHWM:") * 1024)
    }

    /// Sets the peak of resident memory back to what it is now.
    pub(crate) fn reset_peak_memory(&self) {
        std::fs::write(format!("/proc/{}/clear_refs", self.child.id()), "5").unwrap();
    }

    /// Open file descriptors.
    pub(crate) fn descriptors(&self) -> usize {
        std::fs::read_dir(format!("/proc/{}/fd", self.child.id())).unwrap().count()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Ended already in most tests; then there is nothing to stop.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The sample archives, as a folder of the test's own.
pub(crate) fn copy_of(folder: &str, to: &Path) -> PathBuf {
    let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/archives").join(folder);
    let to = to.join(folder);
    let copied = Command::new("cp").arg("-r").arg(&from).arg(&to).status().unwrap();
    assert!(copied.success());
    to
}
