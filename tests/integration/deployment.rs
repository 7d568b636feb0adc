//! The files below `deploy/`: they name metrics and problems that exist, and the Helm chart is valid.

use std::collections::BTreeSet;
use std::process::Command;
use std::str::FromStr as _;

use historyserver::problem::ProblemCode;

use crate::support::archives::{id, write_application};
use crate::support::flink::tool;
use crate::support::process::{PATIENCE, Process};

fn read(path: &str) -> String {
    std::fs::read_to_string(tool(path)).unwrap()
}

/// The names of metrics in a text.
fn names(text: &str) -> BTreeSet<String> {
    let words = text.split(|character: char| !character.is_ascii_alphanumeric() && character != '_');
    words.filter(|word| word.starts_with("historyserver_")).map(ToOwned::to_owned).collect()
}

/// The values of a label that an expression selects, such as those of `code=~"a|b"`.
fn selected<'a>(text: &'a str, label: &str) -> Vec<&'a str> {
    let parts = ["=\"", "=~\"", "=\\\"", "=~\\\""].into_iter().flat_map(|sign| {
        text.split(&format!("{label}{sign}")).skip(1).map(|rest| rest.split(['"', '\\']).next().unwrap()).collect::<Vec<_>>()
    });
    parts.flat_map(|values| values.split('|')).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn alerts_and_dashboard_name_metrics_and_problems_that_exist() {
    let folder = tempfile::tempdir().unwrap();
    let archives = folder.path().join("archives");
    write_application(&archives, "cluster", &id('a'), "name", 1_795_000_000_000, &[&id('1')]);
    let server = Process::start(&[&archives], &folder.path().join("data"), &["historyserver.archive.fs.refresh-interval=10 ms"]);
    server.wait_for_refreshes(2).await;
    server.get("/jobs/overview").await;
    let text = server.get("/metrics").await.text().await.unwrap();
    let mut known: BTreeSet<String> = BTreeSet::new();
    for line in text.lines().filter_map(|line| line.strip_prefix("# TYPE ")) {
        let (name, kind) = line.split_once(' ').unwrap();
        known.insert(name.to_owned());
        if kind == "histogram" {
            known.extend(["_bucket", "_sum", "_count"].map(|end| format!("{name}{end}")));
        }
    }
    // A local directory has no HTTP requests. `metrics` shows that it is documented.
    known.insert("historyserver_store_http_requests_total".to_owned());

    let alerts = read("deploy/prometheus/alerts.yaml");
    let dashboard = read("deploy/grafana/historyserver.json");
    for (file, text) in [("alerts", &alerts), ("dashboard", &dashboard)] {
        let used = names(text);
        assert!(used.len() >= 8, "{file}: {used:?}");
        let unknown: Vec<&String> = used.difference(&known).collect();
        assert!(unknown.is_empty(), "{file} names metrics that the server does not have: {unknown:?}");
    }
    let codes = selected(&alerts, "code");
    assert!(codes.len() > 5, "{codes:?}");
    for code in codes {
        assert!(ProblemCode::from_str(code).is_ok(), "{code} is not the code of a problem");
    }
    // Each series that the alerts compare by a label has this label.
    for needed in ["historyserver_refresh_last_success_timestamp_seconds{directory=", "historyserver_http_requests_total{"] {
        assert!(text.contains(needed), "{needed}: {text}");
    }
    let panels = serde_json::from_str::<serde_json::Value>(&dashboard).unwrap()["panels"].as_array().unwrap().clone();
    let ids: BTreeSet<u64> = panels.iter().map(|panel| panel["id"].as_u64().unwrap()).collect();
    assert_eq!(ids.len(), panels.len());
}

#[test]
fn alerts_are_valid_rules() {
    let promtool = tool(".test-tools/prometheus/usr/bin/promtool");
    let output = Command::new(promtool).args(["check", "rules"]).arg(tool("deploy/prometheus/alerts.yaml")).output().unwrap();
    assert!(output.status.success(), "{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
}

#[test]
fn the_chart_renders_valid_manifests_and_configurations() {
    let folder = tempfile::tempdir().unwrap();
    let python = tool(".test-tools/chart-check/installed.txt").with_file_name("bin/python");
    let mut command = Command::new(python);
    let output = command.arg(tool("tests/tools/check_chart.py")).arg("--configurations").arg(folder.path()).output().unwrap();
    assert!(output.status.success(), "{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    let mut checked = 0;
    for entry in std::fs::read_dir(folder.path()).unwrap() {
        let file = entry.unwrap().path();
        let mut command = Command::new(env!("CARGO_BIN_EXE_historyserver"));
        command.current_dir(folder.path()).arg("check-config").arg("--config").arg(&file);
        // The directories of the examples do not exist: the options are checked, and no store is asked.
        let output = command.args(["-D", &format!("historyserver.archive.fs.dir={}", folder.path().display())]).output().unwrap();
        assert!(output.status.success(), "{}: {}", file.display(), String::from_utf8_lossy(&output.stderr));
        checked += 1;
    }
    assert_eq!(checked, 2);
}

/// nginx as a child process, ended when dropped.
struct Nginx(std::process::Child);

impl Drop for Nginx {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nginx_serves_the_server_below_a_path() {
    let folder = tempfile::tempdir().unwrap();
    let archives = folder.path().join("archives");
    write_application(&archives, "cluster", &id('a'), "name", 1_795_000_000_000, &[&id('1')]);
    let server = Process::start(&[&archives], &folder.path().join("data"), &["historyserver.web.hosts=data.example.org"]);
    server.wait_for_refreshes(1).await;

    // The example, with free ports and files below a temporary folder.
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let example = read("deploy/examples/nginx.conf");
    let with_ports = example
        .replace("127.0.0.1:8082", server.base.trim_start_matches("http://"))
        .replace("listen 8080", &format!("listen 127.0.0.1:{port}"))
        .replace(
            "http {",
            "http {\n  client_body_temp_path temp;\n  proxy_temp_path temp;\n  fastcgi_temp_path temp;\n  uwsgi_temp_path temp;\n  scgi_temp_path temp;\n  access_log off;",
        );
    let configuration = folder.path().join("nginx.conf");
    std::fs::write(&configuration, format!("daemon off;\nmaster_process off;\npid nginx.pid;\n{with_ports}")).unwrap();
    let mut command = Command::new("nginx");
    command.arg("-p").arg(folder.path()).arg("-c").arg(&configuration).args(["-e", "stderr"]);
    let _nginx = Nginx(command.spawn().expect("nginx: `make test-tools` installs it"));

    let get = |path: &str| server.client.get(format!("http://127.0.0.1:{port}{path}")).header("Host", "data.example.org").send();
    let deadline = std::time::Instant::now() + PATIENCE;
    let page = loop {
        match get("/flink/history/").await {
            Ok(answer) => break answer,
            Err(error) if std::time::Instant::now() > deadline => panic!("nginx does not answer: {error}"),
            Err(_) => tokio::task::yield_now().await,
        }
    };
    assert_eq!(page.status(), 200);
    let page = page.text().await.unwrap();
    let script = page.split("src=\"").nth(1).and_then(|rest| rest.split('"').next()).unwrap();
    assert!(script.starts_with("./"), "{script}");
    for path in [script.trim_start_matches("./"), "jobs/overview", "api/v1/status", &format!("jobs/{}", id('1'))] {
        assert_eq!(get(&format!("/flink/history/{path}")).await.unwrap().status(), 200, "{path}");
    }
    let other = server.client.get(format!("http://127.0.0.1:{port}/flink/history/jobs/overview")).header("Host", "evil.example");
    assert_eq!(other.send().await.unwrap().status(), 421);
}
