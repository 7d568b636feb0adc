//! Server processes for tests: started on free ports, waited for, and stopped when dropped.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// How long a server may take until it answers. The machine may be busy with other tests.
const PATIENCE: Duration = Duration::from_mins(2);
/// A port that was free may be taken by the time that the server opens it.
const ATTEMPTS: usize = 5;

/// A running process with the files that it keeps.
pub(super) struct Running {
    process: Child,
    log: PathBuf,
}

impl Running {
    /// Starts a program of `.test-tools`. Its output goes to a file in `folder`.
    fn start(program: &Path, folder: &Path, name: &str, prepare: impl FnOnce(&mut Command)) -> Self {
        let log = folder.join(format!("{name}.log"));
        let output = std::fs::File::create(&log).unwrap();
        // The kernel ends the server when the thread of the test ends, even if nothing was dropped.
        let mut command = Command::new("setpriv");
        command.args(["--pdeathsig", "KILL", "--"]).arg(program).current_dir(folder);
        prepare(&mut command);
        let errors = output.try_clone().unwrap();
        let process = command.stdin(Stdio::null()).stdout(output).stderr(errors).spawn().unwrap();
        Self { process, log }
    }

    fn log(&self) -> String {
        String::from_utf8_lossy(&std::fs::read(&self.log).unwrap()).into_owned()
    }

    /// Waits until the condition holds. `false`: the process has ended.
    async fn until(&mut self, ready: impl AsyncFn(&str) -> bool) -> bool {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if self.process.try_wait().unwrap().is_some() {
                return false;
            }
            let log = self.log();
            if ready(&log).await {
                return true;
            }
            assert!(Instant::now() < deadline, "the server was never ready:\n{log}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended already; the test that notices fails by itself.
        self.process.kill().ok();
        self.process.wait().ok();
    }
}

/// A file below `.test-tools`, which the installer with this name puts there.
pub(super) fn tool(path: &str, installer: &str) -> PathBuf {
    let tool = Path::new(env!("CARGO_MANIFEST_DIR")).join(".test-tools").join(path);
    assert!(tool.exists(), "{} is not installed: run tests/tools/{installer} (make test does)", tool.display());
    tool
}

/// Ports that were free a moment ago, all different.
fn free_ports<const N: usize>() -> [u16; N] {
    let listeners: [TcpListener; N] = std::array::from_fn(|_| TcpListener::bind("127.0.0.1:0").unwrap());
    listeners.map(|listener| listener.local_addr().unwrap().port())
}

/// The status of a request, `None` if there was no answer.
async fn status(method: &str, url: &str) -> Option<u16> {
    let answer = reqwest::Client::new().request(method.parse().unwrap(), url).timeout(Duration::from_secs(5)).send().await;
    answer.ok().map(|answer| answer.status().as_u16())
}

/// Starts a server on free ports until it stays and is ready. `start` gets the ports and returns the process and its address.
async fn with_ports<const N: usize>(
    start: impl Fn([u16; N]) -> (Running, String),
    ready: impl AsyncFn(&str, &str) -> bool,
) -> (Running, String) {
    let mut log = String::new();
    for _ in 0..ATTEMPTS {
        let (mut running, address) = start(free_ports());
        if running.until(async |log| ready(log, &address).await).await {
            return (running, address);
        }
        log = running.log();
    }
    panic!("the server did not start:\n{log}");
}

/// SeaweedFS without users. Returns the URL of its S3 endpoint, with a bucket.
pub(super) async fn seaweedfs(folder: &Path, bucket: &str) -> (Running, String) {
    let program = tool("seaweedfs/seaweedfs", "install-seaweedfs.sh");
    let start = |[master, master_grpc, volume, volume_grpc, filer, filer_grpc, s3, s3_grpc]: [u16; 8]| {
        let data = folder.join(format!("data-{s3}"));
        std::fs::create_dir(&data).unwrap();
        let running = Running::start(&program, folder, "seaweedfs", |command| {
            command.arg("server").arg(format!("-dir={}", data.display()));
            command.args(["-ip=127.0.0.1", "-ip.bind=127.0.0.1", "-master.telemetry=false", "-volume.preStopSeconds=0", "-volume.max=50"]);
            command.args(["-master.volumeSizeLimitMB=64", "-filer", "-s3", "-s3.port.iceberg=0", "-s3.port.lance=0"]);
            for (option, port) in [
                ("master.port", master),
                ("master.port.grpc", master_grpc),
                ("volume.port", volume),
                ("volume.port.grpc", volume_grpc),
                ("filer.port", filer),
                ("filer.port.grpc", filer_grpc),
                ("s3.port", s3),
                ("s3.port.grpc", s3_grpc),
            ] {
                command.arg(format!("-{option}={port}"));
            }
            for name in ["filer", "s3"] {
                command.arg(format!("-{name}.localSocket={}", data.join(format!("{name}.sock")).display()));
            }
        });
        (running, format!("http://127.0.0.1:{s3}"))
    };
    with_ports(start, async |_, endpoint| {
        // The bucket is there at once; an object needs a volume server that has registered itself.
        status("PUT", &format!("{endpoint}/{bucket}")).await.is_some()
            && status("PUT", &format!("{endpoint}/{bucket}/ready")).await == Some(200)
            && status("DELETE", &format!("{endpoint}/{bucket}/ready")).await == Some(204)
    })
    .await
}

/// s3s-fs with one user. Returns the URL of its endpoint, with a bucket.
pub(super) async fn s3s_fs(folder: &Path, bucket: &str, access_key: &str, secret_key: &str) -> (Running, String) {
    let program = tool("s3s-fs/s3s-fs", "install-s3s-fs.sh");
    std::fs::create_dir_all(folder.join("root").join(bucket)).unwrap();
    let start = |[port]: [u16; 1]| {
        let running = Running::start(&program, folder, "s3s-fs", |command| {
            command.args(["--host", "127.0.0.1", "--port", &port.to_string(), "--access-key", access_key, "--secret-key", secret_key]);
            command.arg(folder.join("root"));
        });
        (running, format!("http://127.0.0.1:{port}"))
    };
    with_ports(start, async |_, endpoint| status("GET", endpoint).await.is_some()).await
}

/// Azurite with its well-known account. Returns the URL of its blob service.
pub(super) async fn azurite(folder: &Path) -> (Running, String) {
    let program = tool("azurite/node_modules/.bin/azurite-blob", "install-azurite.sh");
    let start = |[port]: [u16; 1]| {
        let running = Running::start(&program, folder, "azurite", |command| {
            command.args(["--blobHost", "127.0.0.1", "--blobPort", &port.to_string(), "--silent", "--location"]).arg(folder);
            command.args(["--disableTelemetry", "--skipApiVersionCheck"]);
        });
        (running, format!("http://127.0.0.1:{port}"))
    };
    with_ports(start, async |_, url| status("GET", url).await.is_some()).await
}

/// fake-gcs-server, which keeps everything in memory. Returns its URL, with a bucket.
pub(super) async fn fake_gcs(folder: &Path, bucket: &str) -> (Running, String) {
    let program = tool("fake-gcs-server/fake-gcs-server", "install-fake-gcs-server.sh");
    let start = |[port]: [u16; 1]| {
        let running = Running::start(&program, folder, "fake-gcs-server", |command| {
            let port = port.to_string();
            command.args(["-scheme", "http", "-host", "127.0.0.1", "-port", &port, "-backend", "memory", "-log-level", "error"]);
            command.args(["-public-host", &format!("127.0.0.1:{port}"), "-external-url", &format!("http://127.0.0.1:{port}")]);
        });
        (running, format!("http://127.0.0.1:{port}"))
    };
    with_ports(start, async |_, url| {
        let body = serde_json::json!({ "name": bucket }).to_string();
        let request = reqwest::Client::new().post(format!("{url}/storage/v1/b?project=test")).header("content-type", "application/json");
        request.body(body).send().await.is_ok_and(|answer| answer.status().is_success())
    })
    .await
}

/// A `NameNode` and a `DataNode`. Returns host and port of the `NameNode`.
pub(super) async fn hdfs(folder: &Path) -> (Vec<Running>, String) {
    let mut log = String::new();
    for attempt in 0..ATTEMPTS {
        let folder = folder.join(attempt.to_string());
        let ports: [u16; 6] = free_ports();
        write_hadoop_configuration(&folder, ports);
        let mut format = java(&folder, "format", &["org.apache.hadoop.hdfs.server.namenode.NameNode", "-format", "-nonInteractive"]);
        format.process.wait().unwrap();
        let mut name_node = java(&folder, "namenode", &["org.apache.hadoop.hdfs.server.namenode.NameNode"]);
        let mut data_node = java(&folder, "datanode", &["org.apache.hadoop.hdfs.server.datanode.DataNode"]);
        if data_node.until(async |log| log.contains("Successfully sent block report")).await
            && name_node.process.try_wait().unwrap().is_none()
        {
            return (vec![data_node, name_node], format!("127.0.0.1:{}", ports[0]));
        }
        log = [format.log(), name_node.log(), data_node.log()].join("\n");
    }
    panic!("HDFS did not start:\n{log}");
}

fn write_hadoop_configuration(folder: &Path, [rpc, http, data, ipc, data_http, _]: [u16; 6]) {
    for each in ["conf", "webapps/hdfs", "webapps/datanode", "logs"] {
        std::fs::create_dir_all(folder.join(each)).unwrap();
    }
    let address = |port: u16| format!("127.0.0.1:{port}");
    let site = |properties: &[(&str, String)]| {
        let properties: String = properties
            .iter()
            .fold(String::new(), |all, (name, value)| all + &format!("<property><name>{name}</name><value>{value}</value></property>"));
        format!("<configuration>{properties}</configuration>")
    };
    let core = [("fs.defaultFS", format!("hdfs://{}", address(rpc))), ("hadoop.tmp.dir", folder.join("data").display().to_string())];
    let hdfs = [
        ("dfs.replication", "1".to_owned()),
        ("dfs.permissions.enabled", "false".to_owned()),
        ("dfs.namenode.rpc-address", address(rpc)),
        ("dfs.namenode.rpc-bind-host", "127.0.0.1".to_owned()),
        ("dfs.namenode.http-address", address(http)),
        ("dfs.namenode.datanode.registration.ip-hostname-check", "false".to_owned()),
        ("dfs.namenode.fs-limits.min-block-size", "1024".to_owned()),
        ("dfs.datanode.address", address(data)),
        ("dfs.datanode.ipc.address", address(ipc)),
        ("dfs.datanode.http.address", address(data_http)),
        ("dfs.datanode.hostname", "127.0.0.1".to_owned()),
    ];
    let log = "log4j.rootLogger=WARN,C\n\
               log4j.logger.org.apache.hadoop.hdfs.server.datanode.DataNode=INFO\n\
               log4j.appender.C=org.apache.log4j.ConsoleAppender\n\
               log4j.appender.C.target=System.err\n\
               log4j.appender.C.layout=org.apache.log4j.PatternLayout\n\
               log4j.appender.C.layout.ConversionPattern=%d %p %c{2}: %m%n\n";
    for (name, content) in [("core-site.xml", site(&core)), ("hdfs-site.xml", site(&hdfs)), ("log4j.properties", log.to_owned())] {
        std::fs::write(folder.join("conf").join(name), content).unwrap();
    }
}

/// Hadoop 2.7 on a newer Java.
const OPENINGS: [&str; 5] = [
    "--add-opens=java.base/java.lang=ALL-UNNAMED",
    "--add-opens=java.base/java.nio=ALL-UNNAMED",
    "--add-opens=java.base/sun.nio.ch=ALL-UNNAMED",
    "--add-exports=java.security.jgss/sun.security.krb5=ALL-UNNAMED",
    "--add-opens=java.security.jgss/sun.security.krb5=ALL-UNNAMED",
];

fn java(folder: &Path, name: &str, arguments: &[&str]) -> Running {
    let jars = tool("hdfs/lib", "install-hdfs.sh");
    Running::start(Path::new("java"), folder, name, |command| {
        command.args(["-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-XX:-UsePerfData", "-Djava.net.preferIPv4Stack=true"]);
        command.arg(format!("-Dhadoop.log.dir={}", folder.join("logs").display()));
        command.arg(format!("-Dhadoop.home.dir={}", folder.display())).args(OPENINGS);
        // The folder itself has the empty web pages that both servers ask for.
        command.arg("-cp").arg(format!("{0}/conf:{0}:{1}/*", folder.display(), jars.display())).args(arguments);
    })
}
