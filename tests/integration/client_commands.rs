//! `historyserver applications|jobs|search|completions`: the commands that ask a running server.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

use crate::support::archives::{id, write_application};
use crate::support::served::{Served, samples};

/// Runs the program as a user does who has no configuration.
async fn historyserver(folder: &Path, server: &str, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_historyserver"));
    command.args(arguments).current_dir(folder).env_clear().env("HISTORYSERVER_URL", server);
    tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap()
}

struct Asked {
    server: Served,
    folder: tempfile::TempDir,
}

impl Asked {
    async fn over(archives: &[PathBuf]) -> Self {
        Self { server: Served::over(archives).await, folder: tempfile::tempdir().unwrap() }
    }

    async fn run(&self, arguments: &[&str]) -> Output {
        historyserver(self.folder.path(), &format!("http://{}", self.server.address), arguments).await
    }

    /// Standard output of a command that ends well.
    async fn printed(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments).await;
        assert_eq!(output.status.code(), Some(0), "{arguments:?} {output:?}");
        String::from_utf8(output.stdout).unwrap()
    }

    /// Standard error of a command that ends with this code.
    async fn refused(&self, code: i32, arguments: &[&str]) -> String {
        let output = self.run(arguments).await;
        assert_eq!(output.status.code(), Some(code), "{arguments:?} {output:?}");
        assert!(output.stdout.is_empty(), "{output:?}");
        String::from_utf8(output.stderr).unwrap()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lists_are_those_of_the_server_in_each_form() {
    let asked = Asked::over(&samples()).await;
    for (list, flags, query) in [
        ("applications", vec!["--all"], "limit=1000"),
        ("jobs", vec!["--all"], "limit=1000"),
        ("jobs", vec!["--limit", "3", "--sort", "name"], "limit=3&sort=name"),
        (
            "jobs",
            vec!["--all", "--status", "FAILED,CANCELED", "--name", "e", "--min-duration", "1"],
            "limit=1000&status=FAILED,CANCELED&name=e&min_duration=1",
        ),
        (
            "applications",
            vec!["--all", "--problems=false", "--min-failed-jobs", "1", "--sort=-jobs"],
            "limit=1000&problems=false&min_failed_jobs=1&sort=-jobs",
        ),
        (
            "jobs",
            vec!["--all", "--application", "07ac2d4d82b8e3f0fd1a35b9888ae429"],
            "limit=1000&application=07ac2d4d82b8e3f0fd1a35b9888ae429",
        ),
        ("jobs", vec!["--all", "--name", "nothing has this name"], "limit=1000&name=nothing+has+this+name"),
    ] {
        let page = asked.server.json(&format!("/api/v1/{list}?{query}")).await;
        let expected = page["items"].as_array().unwrap();
        let with = |output: &'static str| [vec![list, "list", "--output", output], flags.clone()].concat();
        let json: Value = serde_json::from_str(&asked.printed(&with("json")).await).unwrap();
        assert_eq!(json.as_array().unwrap(), expected, "{list} {flags:?}");
        let table = asked.printed(&with("table")).await;
        let mut lines = table.lines();
        assert_eq!(lines.next().is_some_and(|titles| titles.starts_with("ID  ")), !expected.is_empty(), "{table}");
        let ids: Vec<&str> = lines.map(|line| line.split("  ").next().unwrap()).collect();
        let expected_ids: Vec<&str> = expected.iter().map(|item| item["id"].as_str().unwrap()).collect();
        assert_eq!(ids, expected_ids, "{list} {flags:?}");
        let csv = asked.printed(&with("csv")).await;
        let mut reader = csv::Reader::from_reader(csv.as_bytes());
        let ids: Vec<String> = reader.records().map(|row| row.unwrap()[0].to_owned()).collect();
        assert_eq!(ids, expected_ids, "{list} {flags:?}");
    }
    let output = asked.run(&["search", "nothing has this name"]).await;
    assert_eq!((output.stdout.len(), String::from_utf8_lossy(&output.stderr).trim()), (0, "Nothing was found."));
    let output = asked.run(&["jobs", "list", "--limit", "1"]).await;
    assert!(String::from_utf8_lossy(&output.stderr).contains("--all prints all"), "{output:?}");
    asked.server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_item_is_shown_with_its_copies_jobs_and_problems() {
    let asked = Asked::over(&samples()).await;
    for list in ["applications", "jobs"] {
        let all = asked.server.json(&format!("/api/v1/{list}")).await;
        for item in all["items"].as_array().unwrap() {
            let id = item["id"].as_str().unwrap();
            let details = asked.server.json(&format!("/api/v1/{list}/{id}")).await;
            let json: Value = serde_json::from_str(&asked.printed(&[list, "get", id, "-o", "json"]).await).unwrap();
            assert_eq!(json, details);
            let table = asked.printed(&[list, "get", &id.to_uppercase()]).await;
            assert!(
                table.contains(&details["name"].as_str().unwrap().chars().take(10).collect::<String>())
                    && table.contains(details["status"].as_str().unwrap()),
                "{table}"
            );
            if let Some(cause) = details["facts"]["root_exception"]["cause_class"].as_str() {
                assert!(table.contains("Failure:") && table.contains(cause), "{table}");
            }
            for job in details["job_items"].as_array().into_iter().flatten() {
                assert!(table.contains(job["id"].as_str().unwrap()), "{table}");
            }
            let csv = asked.printed(&[list, "get", id, "--output", "csv"]).await;
            assert!(csv.starts_with(&format!("field,value\r\nid,{id}\r\n")), "{csv}");
        }
    }
    asked.server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_first_digits_of_an_id_are_enough_where_they_are_unique() {
    let folder = tempfile::tempdir().unwrap();
    let (first, second, other) = (format!("abcd{}", "1".repeat(28)), format!("abcd{}", "2".repeat(28)), id('e'));
    write_application(folder.path(), "eu", &id('a'), "orders", 1_000, &[&first, &second]);
    write_application(folder.path(), "us", &id('b'), "returns", 2_000, &[&other]);
    // A second copy of one id is no second id.
    write_application(folder.path(), "asia", &id('b'), "returns", 2_000, &[&other]);
    let asked = Asked::over(&[folder.path().to_path_buf()]).await;
    assert!(asked.printed(&["jobs", "get", "ABCD1"]).await.contains(&first));
    assert!(asked.printed(&["jobs", "get", "eeee"]).await.contains(&other));
    assert!(asked.printed(&["jobs", "compare", "abcd1", "abcd2"]).await.contains(&second));
    // An application and its job may have the same digits.
    assert!(asked.printed(&["applications", "get", "bbbb"]).await.contains("returns"));
    asked.printed(&["jobs", "download", "abcd2"]).await;
    assert!(asked.folder.path().join(format!("{second}.zip")).exists());
    let said = asked.refused(64, &["jobs", "get", "abcd"]).await;
    assert!(said.contains("More than one job") && said.contains(&first) && said.contains(&second), "{said}");
    let said = asked.refused(3, &["jobs", "get", "0123"]).await;
    assert!(said.contains("No job has an id that begins with `0123`"), "{said}");
    asked.server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_jobs_are_compared_as_the_server_compares_them() {
    let asked = Asked::over(&samples()).await;
    let jobs = asked.server.json("/api/v1/jobs?limit=6&sort=name").await;
    let ids: Vec<&str> = jobs["items"].as_array().unwrap().iter().map(|item| item["id"].as_str().unwrap()).collect();
    let mut options = 0;
    for pair in ids.windows(2) {
        let [left, right] = pair else { unreachable!() };
        let found = asked.server.json(&format!("/api/v1/jobs/compare?left={left}&right={right}")).await;
        let json: Value = serde_json::from_str(&asked.printed(&["jobs", "compare", left, right, "--output", "json"]).await).unwrap();
        assert_eq!(json, found);
        let csv = asked.printed(&["jobs", "compare", left, &right.to_uppercase(), "--output", "csv"]).await;
        let mut reader = csv::Reader::from_reader(csv.as_bytes());
        let rows: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
        let of = |kind: &str| rows.iter().filter(|row| &row[0] == kind).collect::<Vec<_>>();
        assert!(of("job").iter().any(|row| (&row[1], &row[2], &row[3]) == ("id", *left, *right)), "{csv}");
        let expected = found["configuration"].as_array().unwrap();
        options += expected.len();
        let keys: Vec<&str> = expected.iter().map(|option| option["key"].as_str().unwrap()).collect();
        assert_eq!(of("configuration").iter().map(|row| &row[1]).collect::<Vec<_>>(), keys);
        let differing = found["vertices"].as_array().unwrap().iter().filter(|vertex| vertex["change"] != "same").count();
        assert_eq!(of("vertex").len(), differing);
        let table = asked.printed(&["jobs", "compare", left, right]).await;
        assert!(table.starts_with("KIND") && table.lines().count() == rows.len() + 1, "{table}");
    }
    assert!(options > 0);
    let itself = asked.run(&["jobs", "compare", ids[0], ids[0]]).await;
    assert_eq!(itself.stdout, b"", "nothing differs");
    let notes = String::from_utf8(itself.stderr).unwrap();
    assert!(notes.contains("do not differ") && notes.contains("options of the configuration are equal"), "{notes}");
    assert!(asked.refused(3, &["jobs", "compare", ids[0], &id('f')]).await.contains("`right`"));
    let nowhere = asked.refused(3, &["jobs", "compare", ids[0], ids[1], "--left-cluster", "nowhere"]).await;
    assert!(nowhere.contains("`left`"), "{nowhere}");
    asked.refused(64, &["jobs", "compare", ids[0]]).await;
    asked.server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_restore_point_of_a_name_is_printed_alone_or_with_the_command() {
    let asked = Asked::over(&samples()).await;
    let name = "CLI detached streaming stopped";
    let path = "file:/var/flink/sp/savepoint-e92bcf-b62950545790";
    assert_eq!(asked.printed(&["jobs", "restore-point", name, "--quiet"]).await, format!("{path}\n"));
    let table = asked.printed(&["jobs", "restore-point", name]).await;
    assert!(table.contains(&format!("flink run -s {path} …")) && table.contains("deleted by Flink"), "{table}");
    let json: Value = serde_json::from_str(&asked.printed(&["jobs", "restore-point", name, "--output", "json"]).await).unwrap();
    assert_eq!(json["newest"]["path"], path);
    assert!(asked.printed(&["jobs", "restore-point", name, "--output", "csv"]).await.starts_with("time,kind,files,run,status,path\r\n"));
    let none = asked.refused(3, &["jobs", "restore-point", "no-such-job"]).await;
    assert!(none.contains("There is no job with this name"), "{none}");
    asked.server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_diagnosis_is_printed_with_what_was_not_assessed() {
    let asked = Asked::over(&samples()).await;
    let output = asked.run(&["jobs", "diagnose", "2e43e6f3"]).await;
    let (out, notes) = (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
    assert!(out.starts_with("CRITICAL root-cause\n  The job failed because "), "{out}");
    assert!(notes.contains("Not assessed: "), "{notes}");
    let json: Value = serde_json::from_str(&asked.printed(&["jobs", "diagnose", "2e43e6f3", "--output", "json"]).await).unwrap();
    assert_eq!(json["findings"][0]["code"], "root-cause");
    let csv = asked.printed(&["jobs", "diagnose", "2e43e6f3", "--output", "csv"]).await;
    assert!(csv.starts_with("severity,code,text,advice,vertex,subtask\r\ncritical,root-cause,"), "{csv}");
    asked.server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn archives_are_saved_completely_and_replace_no_file() {
    let asked = Asked::over(&samples()).await;
    let all = asked.server.json("/api/v1/jobs").await;
    let id = all["items"][0]["id"].as_str().unwrap();
    assert_eq!(asked.printed(&["jobs", "download", id]).await, "");
    let file = asked.folder.path().join(format!("{id}.zip"));
    let saved = std::fs::read(&file).unwrap();
    assert!(!zip::ZipArchive::new(std::io::Cursor::new(&saved)).unwrap().is_empty());
    std::fs::write(&file, "mine").unwrap();
    let said = asked.refused(1, &["jobs", "download", id]).await;
    assert!(said.contains("already exists") && said.contains("--force"), "{said}");
    assert_eq!(std::fs::read(&file).unwrap(), b"mine");
    asked.printed(&["jobs", "download", id, "--force"]).await;
    assert_eq!(std::fs::read(&file).unwrap().len(), saved.len());
    let output = asked.run(&["jobs", "download", id, "--file", "-"]).await;
    assert_eq!(output.stdout.len(), saved.len());
    let nowhere = asked.refused(1, &["jobs", "download", id, "--file", "no/such/folder.zip"]).await;
    assert!(nowhere.contains("cannot be written"), "{nowhere}");
    let names: BTreeSet<_> = std::fs::read_dir(asked.folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(names.len(), 1, "{names:?}");
    asked.server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn texts_of_an_archive_never_control_a_terminal_or_a_spreadsheet() {
    let folder = tempfile::tempdir().unwrap();
    let name = "=1\u{1b}]0;owned\u{7}\u{9b}31m\u{202e}txt\r\n";
    write_application(folder.path(), "eu\u{1b}[2J", &id('a'), name, 1_000, &[&id('b')]);
    let asked = Asked::over(&[folder.path().to_path_buf()]).await;
    for arguments in [
        vec!["applications", "list"],
        vec!["jobs", "list"],
        vec!["applications", "get", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"],
        vec!["jobs", "get", "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"],
    ] {
        for output in ["table", "json"] {
            let printed = asked.printed(&[arguments.clone(), vec!["--output", output]].concat()).await;
            let steering = |character: char| (character.is_control() && character != '\n') || character == '\u{202e}';
            assert!(!printed.contains(steering), "{arguments:?} {printed:?}");
            assert!(printed.contains("owned"), "{printed:?}");
        }
    }
    let csv = asked.printed(&["applications", "list", "--output", "csv"]).await;
    let mut reader = csv::Reader::from_reader(csv.as_bytes());
    assert_eq!(&reader.records().next().unwrap().unwrap()[1], format!("'{name}").as_str());
    asked.server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_failure_is_a_sentence_and_an_exit_code() {
    let asked = Asked::over(&samples()).await;
    let said = asked.refused(3, &["jobs", "get", &id('f')]).await;
    assert!(said.contains("no such job"), "{said}");
    assert!(asked.refused(3, &["applications", "download", &id('f')]).await.ends_with(".\n"));
    assert!(asked.refused(64, &["jobs", "list", "--status", "BROKEN"]).await.contains("`--status` must be one of"));
    assert!(asked.refused(64, &["jobs", "list", "--sort", "x"]).await.contains("`--sort` must be one of"));
    for wrong in [
        &["jobs", "get", "x"][..],
        &["jobs", "get", "abc"],
        &["jobs", "get", "0123456789abcdef0123456789abcdef0"],
        &["jobs", "list", "--end-from", "2026-33"],
        &["jobs", "list", "--all", "--limit", "3"],
        &["jobs", "list", "--limit", "0"],
        &["jobs"],
        &["search"],
        &["jobs", "list", "--server", "ftp://x"],
        &["completions", "cmd"],
    ] {
        asked.refused(64, wrong).await;
    }
    let said = asked.refused(64, &["jobs", "list", "--end-from", "yesterday"]).await;
    assert!(said.contains("--end-from") && said.contains("ISO 8601") && !said.contains("%2B"), "{said}");
    assert!(asked.refused(64, &["jobs", "list", "--name", "x", "--name-match", "like"]).await.contains("`--name-match` must be one of"));
    let stranger = format!("http://{}/healthz", asked.server.address);
    let said = asked.refused(3, &["jobs", "list", "--server", &stranger]).await;
    assert!(said.contains("does not exist"), "{said}");
    // A port that was free a moment ago.
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let said = asked.refused(1, &["jobs", "list", "--server", &format!("http://{free}")]).await;
    assert!(said.contains("cannot be reached") && said.contains("--server") && said.contains("HISTORYSERVER_URL"), "{said}");
    asked.server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_search_prints_what_the_server_finds_and_where() {
    let asked = Asked::over(&samples()).await;
    for words in [&["rest"][..], &["streaming", "cancelled"], &["07ac2d4d"]] {
        let page = asked.server.json(&format!("/api/v1/search?q={}&limit=100", words.join("+"))).await;
        let expected = page["items"].as_array().unwrap();
        assert!(!expected.is_empty() && page["next"].is_null(), "{words:?}");
        let json: Value = serde_json::from_str(&asked.printed(&[&["search"], words, &["--all", "-o", "json"]].concat()).await).unwrap();
        assert_eq!(json.as_array().unwrap(), expected, "{words:?}");
        let table = asked.printed(&[&["search"], words, &["--limit", "200"]].concat()).await;
        assert_eq!(table.lines().count(), expected.len() + 1, "{table}");
        for (line, item) in table.lines().skip(1).zip(expected) {
            assert!(line.contains(item["id"].as_str().unwrap()) && line.contains(item["matches"][0]["field"].as_str().unwrap()), "{line}");
        }
    }
    assert!(asked.refused(64, &["search", "x", "--in", "everywhere"]).await.contains("`--in` must be one of"));
    asked.server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn completions_know_the_commands_and_bash_takes_them() {
    let folder = tempfile::tempdir().unwrap();
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let output = historyserver(folder.path(), "", &["completions", shell]).await;
        assert_eq!(output.status.code(), Some(0), "{output:?}");
        let script = String::from_utf8(output.stdout).unwrap();
        assert!(script.contains("applications") && script.contains("min-failed-tasks"), "{shell}");
    }
    let output = historyserver(folder.path(), "", &["completions", "bash"]).await;
    let file = folder.path().join("completions");
    std::fs::write(&file, output.stdout).unwrap();
    let script =
        "source \"$1\"; COMP_WORDS=(historyserver jobs com); COMP_CWORD=2; _historyserver historyserver com jobs; echo \"${COMPREPLY[@]}\"";
    let completed = Command::new("bash").args(["-c", script, "bash"]).arg(&file).output().unwrap();
    assert_eq!(String::from_utf8(completed.stdout).unwrap().trim(), "compare", "{}", String::from_utf8_lossy(&completed.stderr));
}
