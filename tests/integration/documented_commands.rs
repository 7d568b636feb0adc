//! Every command of README.md and of the documents that name commands works as it stands there.

use std::path::Path;
use std::process::{Command, Output};

use crate::support::process::{Process, copy_of};

/// The documents with commands in blocks of `sh`.
const DOCUMENTS: [&str; 6] =
    ["README.md", "docs/getting-started.md", "docs/command-line.md", "docs/restore-points.md", "docs/retention.md", "examples/README.md"];

/// The lines of the blocks of `sh` in a document.
fn commands(document: &str) -> Vec<String> {
    let text = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(document)).unwrap();
    let blocks = text.split("```sh\n").skip(1).map(|rest| rest.split("```").next().unwrap().to_owned());
    blocks.flat_map(|block| block.lines().map(str::to_owned).collect::<Vec<_>>()).filter(|line| !line.is_empty()).collect()
}

/// A machine as the documents expect it, below one folder: archives, Flink's configuration directory, and a server.
struct Machine {
    folder: tempfile::TempDir,
    server: Process,
}

impl Machine {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        for name in ["conf", "bin", "completions"] {
            std::fs::create_dir(root.join(name)).unwrap();
        }
        let archives = copy_of("flink-2.3.0", root);
        std::fs::rename(archives, root.join("completed-jobs")).unwrap();
        let yaml = format!("historyserver.archive.fs.dir: file://{0}/completed-jobs\nhistoryserver.web.tmpdir: {0}/web\n", root.display());
        std::fs::write(root.join("conf/config.yaml"), yaml).unwrap();
        std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_historyserver"), root.join("bin/historyserver")).unwrap();
        // `cargo run`: the sample archives of the repository, by the historyserver.toml in its root.
        let mut command = Command::new(env!("CARGO_BIN_EXE_historyserver"));
        command.current_dir(env!("CARGO_MANIFEST_DIR")).args(["-D", "historyserver.web.port=0"]);
        command.arg("-D").arg(format!("historyserver.data.dir={}", root.join("samples").display()));
        let server = Process::spawn(command);
        server.wait_for_refreshes(1).await;
        Self { folder, server }
    }

    /// The command with the places of this machine instead of those of the documents.
    fn placed(&self, line: &str) -> String {
        let root = self.folder.path().to_str().unwrap();
        line.replace("/opt/flink/conf", &format!("{root}/conf"))
            .replace("/data/completed-jobs", &format!("{root}/completed-jobs"))
            .replace("/var/lib/historyserver", &format!("{root}/data"))
            .replace("/usr/local/bin", &format!("{root}/bin/installed"))
            .replace("/etc/bash_completion.d", &format!("{root}/completions"))
            .replace("target/release/historyserver", env!("CARGO_BIN_EXE_historyserver"))
            .replace("http://127.0.0.1:8082", &self.server.base)
    }

    fn shell(&self, line: &str) -> Output {
        let root = self.folder.path();
        let path = format!("{}:{}", root.join("bin").display(), std::env::var("PATH").unwrap());
        let mut command = Command::new("bash");
        command.arg("-c").arg(line).env("PATH", path).env("HISTORYSERVER_URL", &self.server.base);
        command.current_dir(root).output().unwrap()
    }

    /// Runs a command; the error says what it printed.
    async fn run(&self, line: &str) -> Result<(), String> {
        let root = self.folder.path();
        let words: Vec<&str> = line.split_whitespace().collect();
        let line = match words.as_slice() {
            // This test is one of them; building for release takes minutes; the server of this machine is `cargo run`.
            ["make", "test" | "package"]
            | ["cargo", "build", "--release", "--locked"]
            | ["cargo", "run"]
            | ["cargo", "run", "--release"] => {
                return Ok(());
            }
            // tests/integration/examples.rs calls its code.
            ["cargo", "run", "--example", "failed_jobs"] => return Ok(()),
            ["curl", _] => {
                let url = self.placed(words[1]);
                let status = self.server.client.get(&url).send().await.unwrap().status();
                return if status.is_success() { Ok(()) } else { Err(format!("{url} answers {status}")) };
            }
            ["python3", script] => format!("python3 {}/{script} {}", env!("CARGO_MANIFEST_DIR"), self.server.base),
            ["historyserver", flag, ..] if flag.starts_with('-') || flag.contains('/') => return self.serve(line).await,
            ["historyserver", "cleanup", ..] if !line.contains("--config-dir") => {
                // Without the flag it is that of the historyserver.toml in the working directory.
                format!("{line} --config-dir {}", root.join("conf").display())
            }
            ["historyserver", ..] => line.to_owned(),
            ["install", ..] => {
                std::fs::create_dir_all(root.join("bin/installed")).unwrap();
                line.to_owned()
            }
            _ => return Err("no test runs this kind of command".to_owned()),
        };
        let output = self.shell(&self.placed(&line));
        // Commands that read from a server note on standard error that nothing matches.
        let finds = !["No job matches", "No application matches", "Nothing was found"]
            .iter()
            .any(|note| String::from_utf8_lossy(&output.stderr).contains(note));
        if output.status.success() && finds {
            return Ok(());
        }
        Err(format!("{}: {}{}", output.status, String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr)))
    }

    /// Starts a second server with the command, on a free port and a data directory of its own, and asks it for its jobs.
    async fn serve(&self, line: &str) -> Result<(), String> {
        let placed = self.placed(line);
        let mut command = Command::new(env!("CARGO_BIN_EXE_historyserver"));
        command.current_dir(self.folder.path()).args(placed.split_whitespace().skip(1)).args(["-D", "historyserver.web.port=0"]);
        let server = Process::spawn(command);
        server.wait_for_refreshes(1).await;
        let jobs = server.json("/jobs/overview").await["jobs"].as_array().unwrap().len();
        if jobs > 0 { Ok(()) } else { Err("it lists no job".to_owned()) }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_command_of_the_documents_works() {
    let machine = Machine::new().await;
    let mut failed = Vec::new();
    let mut run = 0;
    for document in DOCUMENTS {
        for line in commands(document) {
            if let Err(reason) = machine.run(&line).await {
                failed.push(format!("{document}: {line}: {reason}"));
            }
            run += 1;
        }
    }
    assert!(failed.is_empty(), "{}", failed.join("\n"));
    assert!(run >= 20, "only {run} commands were found");
    let downloaded = machine.folder.path().join("0d6f4f6e8da5b7e7a3551550ff16c873.zip");
    assert!(downloaded.exists(), "the download writes a file with the id as its name");
}
