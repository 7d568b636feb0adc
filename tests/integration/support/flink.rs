//! Flink's own programs, installed below `.test-tools` by `tests/tools/install-*.sh`.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use serde_json::Value;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// A path of this repository, or of what was installed into it.
pub(crate) fn tool(path: &str) -> PathBuf {
    let tool = root().join(path);
    assert!(tool.exists(), "{path} is not there: `make test-tools` installs what the tests need");
    tool
}

/// The sample archives that Flink's own server reads: not those of `prod-eu`, whose name is no id.
pub(crate) fn copy_of_the_archives_with_ids_as_clusters(to: &Path) -> Vec<PathBuf> {
    let copies: Vec<PathBuf> = ["flink-2.3.0", "flink-2.2.1", "flink-1.20.5"].map(|name| super::process::copy_of(name, to)).into();
    std::fs::remove_dir_all(copies[0].join("prod-eu")).unwrap();
    copies
}

/// Runs a program to its end, which must be a good one, and gives back what it printed.
pub(crate) fn run(command: &mut Command) -> String {
    let output = command.stdin(Stdio::null()).output().unwrap();
    let printed = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{command:?}: {}\n{printed}\n{}", output.status, String::from_utf8_lossy(&output.stderr));
    printed
}

/// Flink's own history server, stopped when dropped.
pub(crate) struct JavaHistoryServer {
    child: Child,
    /// Its output, line by line: see `tests/tools/java_history_server.py`.
    events: BufReader<std::process::ChildStdout>,
}

impl JavaHistoryServer {
    /// Starts it with this folder of Flink's configuration.
    pub(crate) fn start(configuration: &Path) -> Self {
        tool(".test-tools/flink/VERSION");
        let mut command = Command::new("python3");
        command.arg("-B").arg(tool("tests/tools/java_history_server.py")).arg("--config-dir").arg(configuration);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::inherit()).spawn().unwrap();
        let events = BufReader::new(child.stdout.take().unwrap());
        Self { child, events }
    }

    fn event(&mut self) -> Value {
        let mut line = String::new();
        self.events.read_line(&mut line).unwrap();
        serde_json::from_str(&line).unwrap()
    }

    /// Its address, once it has looked at every archive directory.
    pub(crate) fn loaded(&mut self) -> String {
        let event = self.event();
        event["address"].as_str().unwrap_or_else(|| panic!("it ended instead: {event}")).to_owned()
    }

    /// The exit code and the end of its log, when it is to refuse its configuration.
    pub(crate) fn refusal(&mut self) -> (i64, String) {
        let event = self.event();
        let code = event["exit"].as_i64().unwrap_or_else(|| panic!("it started instead: {event}"));
        (code, event["log"].as_str().unwrap().to_owned())
    }
}

impl Drop for JavaHistoryServer {
    fn drop(&mut self) {
        // It ends with its standard input.
        drop(self.child.stdin.take());
        let _ = self.child.wait();
    }
}
