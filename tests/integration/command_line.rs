//! The program as it is called: what it prints where, and how it exits.

use std::path::Path;
use std::process::{Command, Output};

fn historyserver(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_historyserver"))
        .args(arguments)
        .current_dir(folder)
        .env_clear()
        .env("HOME", "/home/nobody")
        .output()
        .unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

#[test]
fn an_invalid_configuration_is_reported_whole_on_standard_error_and_ends_with_64() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("historyserver.toml"), "historyserver.web.port = \"x\"\nhistoryserver.web.prot = 1\n").unwrap();
    for command in [&[][..], &["serve"], &["check-config"]] {
        let output = historyserver(folder.path(), command);
        assert_eq!(output.status.code(), Some(64), "{output:?}");
        assert_eq!(text(&output.stdout), "");
        let stderr = text(&output.stderr);
        assert_eq!(stderr.lines().count(), 3, "{stderr}");
        assert!(stderr.contains("historyserver.toml, line 1") && stderr.contains("did you mean historyserver.web.port?"), "{stderr}");
    }
}

#[test]
fn warnings_are_printed_beside_errors_and_by_every_command() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("conf")).unwrap();
    std::fs::write(folder.path().join("conf/config.yaml"), "jobmanager:\n  rpc:\n    address: localhost\n").unwrap();
    std::fs::write(folder.path().join("conf/flink-conf.yaml"), "historyserver.web.port: 9\nno colon\n").unwrap();
    for command in [&["serve"][..], &["check-config"], &["cleanup", "--dry-run"]] {
        let output = historyserver(folder.path(), &[command, &["--config-dir", "conf"]].concat());
        assert_eq!(output.status.code(), Some(64), "{output:?}");
        let stderr = text(&output.stderr);
        assert!(stderr.contains("historyserver.archive.fs.dir: is not set"), "{stderr}");
        assert!(stderr.contains("warning: conf/flink-conf.yaml is not read"), "{stderr}");
    }
    // What is found wrong only when certificates are opened takes no warning away.
    std::fs::remove_file(folder.path().join("conf/config.yaml")).unwrap();
    let tls = ["historyserver.web.ssl.enabled=true", "historyserver.web.ssl.certificate=c.pem", "historyserver.web.ssl.private-key=k.pem"];
    let mut arguments = vec!["check-config", "--config-dir", "conf", "-D", "historyserver.archive.fs.dir=/a"];
    arguments.extend(tls.iter().flat_map(|option| ["-D", option]));
    let output = historyserver(folder.path(), &arguments);
    assert_eq!(output.status.code(), Some(64), "{output:?}");
    assert!(text(&output.stdout).contains("warning: conf/flink-conf.yaml, line 2: the line must have the form"), "{output:?}");
    assert!(text(&output.stderr).contains("c.pem"), "{output:?}");
    // A cleanup writes them to its log.
    let (archives, data) = (folder.path().join("archives"), folder.path().join("data"));
    std::fs::create_dir(&archives).unwrap();
    let arguments = [
        "cleanup".to_owned(),
        "--config-dir=conf".to_owned(),
        format!("-Dhistoryserver.archive.fs.dir={}", archives.display()),
        format!("-Dhistoryserver.data.dir={}", data.display()),
    ];
    let output = historyserver(folder.path(), &arguments.iter().map(String::as_str).collect::<Vec<_>>());
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert!(text(&output.stderr).contains("conf/flink-conf.yaml, line 2"), "{output:?}");
}

#[test]
fn an_invalid_command_line_ends_with_64_and_help_with_0() {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(historyserver(folder.path(), &["--nonsense"]).status.code(), Some(64));
    assert_eq!(historyserver(folder.path(), &["nonsense"]).status.code(), Some(64));
    let help = historyserver(folder.path(), &["--help"]);
    assert_eq!(help.status.code(), Some(0));
    assert!(text(&help.stdout).contains("check-config"));
    let version = historyserver(folder.path(), &["--version"]);
    assert_eq!(text(&version.stdout), format!("historyserver {}\n", env!("CARGO_PKG_VERSION")));
}

#[test]
fn check_config_prints_values_and_origins_without_secrets() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("conf")).unwrap();
    std::fs::write(
        folder.path().join("conf/config.yaml"),
        "historyserver:\n  archive:\n    fs.dir: /b/a\ns3.secret-key: hunter2\ns3.endpoint: https://k:hunter2@minio\n",
    )
    .unwrap();
    let output = historyserver(
        folder.path(),
        &["--configDir", "conf", "-Dhistoryserver.web.port=9", "check-config", "-D", "historyserver.limits.depth=9"],
    );
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let stdout = text(&output.stdout);
    assert!(!stdout.contains("hunter2"), "{stdout}");
    for line in [
        "historyserver.archive.fs.dir = /b/a  # conf/config.yaml, line 3",
        "s3.endpoint = https://******@minio  # conf/config.yaml, line 5",
        "historyserver.web.port = 9  # -D on the command line",
        "historyserver.limits.depth = 9  # -D on the command line",
        "historyserver.data.dir = /home/nobody/.local/state/historyserver  # default",
        "s3.secret-key = ******  # conf/config.yaml, line 4",
    ] {
        assert!(stdout.lines().any(|found| found == line), "{line}\n{stdout}");
    }
}
