//! Archive directories that are not there or not those that are meant, as an operator sees it: log, status, `check-config`.

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::moto::Moto;
use crate::support::archives::{id, job, write, write_application};
use crate::support::process::{Process, command};

const END: i64 = 1_795_000_000_000;
const OFTEN: &str = "historyserver.archive.fs.refresh-interval=20 ms";

/// The warnings of `check-config` for a configuration without other problems.
fn warnings(directories: &str, data: &Path, options: &[String]) -> Vec<String> {
    let mut command = Command::new(env!("CARGO_BIN_EXE_historyserver"));
    command.arg("check-config").current_dir(data.parent().unwrap());
    command.arg("-D").arg(format!("historyserver.archive.fs.dir={directories}"));
    command.arg("-D").arg(format!("historyserver.data.dir={}", data.display()));
    for option in options {
        command.arg("-D").arg(option);
    }
    let output = command.output().unwrap();
    assert!(output.status.success(), "{output:?}");
    assert!(!data.exists(), "it changes nothing");
    let printed = String::from_utf8(output.stdout).unwrap();
    printed.lines().filter_map(|line| line.strip_prefix("warning: ")).map(str::to_owned).collect()
}

fn warned(server: &Process, part: &str) -> usize {
    server.log().lines().filter(|line| line.contains(" WARN ") && line.contains(part)).count()
}

async fn settled(server: &Process) -> Value {
    let finished = server.json("/api/v1/status").await["refresh"]["finished"].as_u64().unwrap();
    server.wait_for_refreshes(finished + 3).await
}

#[tokio::test]
async fn a_directory_that_does_not_exist_is_told_everywhere_once_and_listed_when_it_exists() {
    let folder = tempfile::tempdir().unwrap();
    let (missing, data) = (folder.path().join("completd-jobs"), folder.path().join("data"));
    let checked = warnings(missing.to_str().unwrap(), &data, &[]);
    assert!(matches!(&checked[..], [one] if one.contains("completd-jobs does not exist")), "{checked:?}");

    let server = Process::start(&[&missing], &data, &[OFTEN]);
    let status = settled(&server).await;
    let directory = &status["refresh"]["directories"][0];
    assert_eq!(directory["state"], "missing");
    assert!(directory["reason"].as_str().unwrap().contains("does not exist"), "{directory}");
    let problem = &status["problems"]["shown"][0];
    assert_eq!((&status["problems"]["total"], &problem["code"]), (&1.into(), &"directory-missing".into()));
    assert_eq!(warned(&server, "completd-jobs"), 1, "{}", server.log());

    write_application(&missing, "c", &id('a'), "late", END, &[]);
    server.wait_until("/applications/overview", "listed", |list| list["applications"].as_array().unwrap().len() == 1).await;
    let status = settled(&server).await;
    assert_eq!(status["problems"]["total"], 0);
    assert_eq!(status["refresh"]["directories"][0]["state"], "listed");
    assert_eq!(status["refresh"]["directories"][0]["reason"], Value::Null);
    assert_eq!(warned(&server, "completd-jobs"), 1, "{}", server.log());
}

#[test]
fn slips_in_the_value_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let (data, root) = (folder.path().join("data"), folder.path().join("archives"));
    write_application(&root, "c", &id('a'), "name", END, &[]);
    let root = root.display();
    for (value, part) in [
        (format!("\"{root}\""), "quotes"),
        (format!("'{root}'"), "quotes"),
        ("${ARCHIVES}/jobs".to_owned(), "variable"),
        ("$HOME/jobs".to_owned(), "variable"),
        ("~/jobs".to_owned(), "~"),
        (format!("{root}\u{200b}"), "invisible"),
        (format!("{root} /x"), "space"),
        ("/nowhere/at/all".to_owned(), "the last existing folder of its path is /"),
    ] {
        let checked = warnings(&value, &data, &[]);
        assert!(matches!(&checked[..], [one] if one.contains("does not exist") && one.contains(part)), "{value}: {checked:?}");
    }
    let beside = warnings(&format!("{}", folder.path().join("archivse").display()), &data, &[]);
    assert!(matches!(&beside[..], [one] if one.contains(&format!("did you mean {root}?"))), "{beside:?}");
    let unlike = warnings(&format!("{}", folder.path().join("jobs").display()), &data, &[]);
    assert!(matches!(&unlike[..], [one] if !one.contains("did you mean")), "{unlike:?}");
    assert_eq!(warnings(&root.to_string(), &data, &[]), Vec::<String>::new());
    assert_eq!(warnings(&format!(" {root} , "), &data, &[]), Vec::<String>::new(), "spaces around an entry are ignored");
}

#[tokio::test]
async fn a_directory_at_another_level_is_told_with_the_right_one() {
    let folder = tempfile::tempdir().unwrap();
    let (one, two, data) = (folder.path().join("parent/one"), folder.path().join("parent/two"), folder.path().join("data"));
    let cluster = "0".repeat(32);
    write_application(&one, &cluster, &id('a'), "name", END, &[&id('1')]);
    write(&two.join(id('2')), job(&id('2'), "legacy", END));
    let application = one.join(&cluster).join("applications").join(id('a'));
    let likely_one = one.display().to_string();
    for (root, likely) in [
        (one.join(&cluster), likely_one.clone()),
        (one.join(&cluster).join("applications"), likely_one.clone()),
        (application.clone(), likely_one.clone()),
        (application.join("jobs"), likely_one.clone()),
        (folder.path().join("parent"), format!("{},{}", one.display(), two.display())),
    ] {
        let checked = warnings(root.to_str().unwrap(), &data, &[]);
        assert!(matches!(&checked[..], [sentence] if sentence.ends_with(&format!("fs.dir to {likely}"))), "{root:?}: {checked:?}");
    }
    for right in [&one, &two] {
        assert_eq!(warnings(right.to_str().unwrap(), &data, &[]), Vec::<String>::new());
    }
    let server = Process::start(&[&one.join(&cluster)], &data, &[OFTEN]);
    let status = settled(&server).await;
    assert!(status["refresh"]["directories"][0]["reason"].as_str().unwrap().contains("is probably wrong"), "{status}");
    assert_eq!(status["problems"]["shown"][0]["code"], "directory-misplaced");
    assert_eq!(warned(&server, "is probably wrong"), 1, "{}", server.log());
}

#[tokio::test]
async fn a_bucket_or_a_prefix_that_is_not_there_is_told() {
    let moto = Moto::start();
    moto.make_bucket("archives").await;
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let options: Vec<String> = moto.options().into_iter().map(|(key, value)| format!("{key}={value}")).collect();
    let checked = warnings("s3://archives/nothing-here,s3://no-such-bucket/x", &data, &options);
    assert!(
        matches!(&checked[..], [prefix, bucket] if prefix.contains("s3://archives/nothing-here does not exist") && bucket.contains("bucket or container probably does not exist")),
        "{checked:?}"
    );
    let mut command = command(&[Path::new("/dev/null")], &data, &[OFTEN]);
    command.arg("-D").arg("historyserver.archive.fs.dir=s3://archives/nothing-here,s3://no-such-bucket/x");
    for option in &options {
        command.arg("-D").arg(option);
    }
    let server = Process::spawn(command);
    // Problems are recorded a moment before the states are published.
    let states = |status: &Value| -> Vec<String> {
        let directories = status["refresh"]["directories"].as_array().unwrap();
        directories.iter().map(|each| each["state"].as_str().unwrap().to_owned()).collect()
    };
    let reported = |status: &Value| status["problems"]["total"] == 2 && !states(status).contains(&"waiting".to_owned());
    let status = server.wait_until("/api/v1/status", "reported", reported).await;
    assert_eq!(states(&status), ["missing", "failed"]);
    fs::remove_dir_all(&data).ok();
}
