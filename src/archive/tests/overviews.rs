//! Overviews of jobs and applications, also where the archived overview is old, unusual or missing.

use super::*;
use crate::archive::OverviewForm;

const OTHER: &str = "11111111111111111111111111111111";

fn overview_of(job: &str, more: &str) -> String {
    format!(
        "{{\"jobs\":[{{\"jid\":\"{job}\",\"name\":\"a \\\"job\\\"\",\"start-time\":5,\"end-time\":9,\"duration\":4,\"state\":\"FINISHED\"{more}}}]}}"
    )
}

fn job_archive(overview: &str) -> String {
    archive(&[("/jobs/overview".to_owned(), overview.to_owned()), (format!("/jobs/{JOB}/config"), "{}".to_owned())])
}

#[test]
fn members_that_clients_require_are_added_as_the_java_server_adds_them() {
    let head = format!("{{\"jid\":\"{JOB}\",\"name\":\"a \\\"job\\\"\"");
    let rest = ",\"start-time\":5,\"end-time\":9,\"duration\":4,\"state\":\"FINISHED\"";
    for (more, expected) in [
        ("", format!("{head},\"jobType\":null,\"schedulerType\":null{rest},\"pending-operators\":0}}")),
        (",\"pending-operators\":3", format!("{head},\"jobType\":null,\"schedulerType\":null{rest},\"pending-operators\":3}}")),
        (",\"jobType\":\"BATCH\"", format!("{head}{rest},\"jobType\":\"BATCH\",\"schedulerType\":null,\"pending-operators\":0}}")),
        (",\"schedulerType\":\"Default\",\"new\": {\"a\": [1]} ", {
            format!("{head},\"jobType\":null{rest},\"schedulerType\":\"Default\",\"new\": {{\"a\": [1]}} ,\"pending-operators\":0}}")
        }),
        (",\"schedulerType\":null,\"jobType\":null,\"pending-operators\":null", {
            format!("{head}{rest},\"schedulerType\":null,\"jobType\":null,\"pending-operators\":null}}")
        }),
    ] {
        let (read, _) = read(&job_archive(&overview_of(JOB, more)), job());
        let archived = &job_record(&read).overview;
        assert_eq!(*archived, overview_of(JOB, more).trim_start_matches("{\"jobs\":[").trim_end_matches("]}"));
        assert_eq!(OverviewForm::Flink2.of(archived), expected);
        assert_eq!(read.flaws, []);
    }
}

#[test]
fn numbers_may_be_missing_or_odd() {
    let overview =
        format!("{{\"jobs\":[{{\"jid\":\"{JOB}\",\"name\":7,\"state\":\"LATER\",\"start-time\":\"5\",\"end-time\":9.0,\"tasks\":[]}}]}}");
    let (read, _) = read(&job_archive(&overview), job());
    let record = job_record(&read);
    assert_eq!((record.name.as_str(), record.status.as_str()), ("7", "LATER"));
    assert_eq!(
        (record.start.map(Timestamp::as_millis), record.end.map(Timestamp::as_millis), record.duration),
        (Some(5), Some(9), Some(4))
    );
    assert_eq!((&record.tasks, &record.job_type), (&Vec::new(), &None));
}

#[test]
fn an_unusable_overview_is_replaced_by_the_details() {
    let details = format!(
        "{{\"jid\":\"{JOB}\",\"name\":\"wide\",\"state\":\"FAILED\",\"job-type\":\"STREAMING\",\"start-time\":1,\"end-time\":8,\"duration\":7,\
         \"vertices\":[{{\"tasks\":{{\"FINISHED\":2,\"FAILED\":1}}}},{{\"tasks\":{{\"FINISHED\":3}}}}],\"pending-operators\":2}}"
    );
    let expected = format!(
        "{{\"jid\":\"{JOB}\",\"name\":\"wide\",\"jobType\":\"STREAMING\",\"start-time\":1,\"end-time\":8,\"duration\":7,\
         \"state\":\"FAILED\",\"last-modification\":8,\"tasks\":{{\"finished\":5,\"failed\":1,\"total\":6}},\"pending-operators\":2}}"
    );
    let huge = overview_of(JOB, &format!(",\"x\":\"{}\"", "y".repeat(MAX_OVERVIEW_BYTES)));
    let long_state = overview_of(JOB, "").replace("FINISHED", &"F".repeat(65));
    let no_jid = overview_of(JOB, "").replace(JOB, "");
    for overview in
        ["{}", "", "[]", "{\"jobs\":[]}", "{\"jobs\":{}}", "{\"jobs\":[1]}", huge.as_str(), long_state.as_str(), no_jid.as_str()]
    {
        let entries = [("/jobs/overview".to_owned(), overview.to_owned()), (format!("/jobs/{JOB}"), details.clone())];
        let (read, documents) = read(&archive(&entries), job());
        assert_eq!(documents.len(), 2, "what was archived is served");
        let record = job_record(&read);
        assert_eq!(record.overview, expected);
        assert_eq!((record.name.as_str(), record.status.as_str(), record.start.map(Timestamp::as_millis)), ("wide", "FAILED", Some(1)));
        assert_eq!(record.job_type.as_deref(), Some("STREAMING"));
        assert_eq!(codes(&read), [ProblemCode::OverviewUnusable]);
    }
    let (read, _) = read(&archive(&[(format!("/jobs/{JOB}"), details)]), job());
    assert_eq!(job_record(&read).overview, expected);
    assert_eq!(codes(&read), [ProblemCode::OverviewUnusable]);
}

#[test]
fn an_archive_without_a_name_is_served_but_not_listed() {
    for details in ["{}", "x", "{\"jid\":\"11111111111111111111111111111111\",\"name\":\"x\",\"state\":\"FINISHED\"}"] {
        let (read, documents) = read(&archive(&[("/jobs/overview".to_owned(), "{}"), (format!("/jobs/{JOB}"), details)]), job());
        assert_eq!(documents.len(), 2);
        assert_eq!(read.record, None);
        assert_eq!(codes(&read), [ProblemCode::OverviewUnusable]);
    }
}

#[test]
fn an_archive_of_another_id_is_not_read() {
    let job_config = |id: &str| (format!("/jobs/{id}/config"), "{}".to_owned());
    for entries in [
        vec![("/jobs/overview".to_owned(), overview_of(OTHER, "")), job_config(OTHER)],
        vec![("/jobs/overview".to_owned(), overview_of(OTHER, "")), job_config(JOB)],
        vec![("/jobs/overview".to_owned(), "{}".to_owned()), job_config(OTHER)],
        vec![job_config(OTHER)],
        vec![("/joboverview".to_owned(), overview_of(OTHER, "").replace("\"jobs\"", "\"finished\""))],
    ] {
        assert_eq!(unreadable(archive(&entries).as_bytes(), job(), &ArchiveLimits::default()).code, ProblemCode::IdMismatch);
    }
    let other = format!("{{\"applications\":[{{\"id\":\"{OTHER}\",\"name\":\"x\",\"status\":\"FINISHED\"}}]}}");
    let error = unreadable(archive(&[("/applications/overview", other)]).as_bytes(), application(), &ArchiveLimits::default());
    assert_eq!(error.code, ProblemCode::IdMismatch);
}

#[test]
fn ids_are_compared_in_lower_case() {
    let upper = JOB.to_uppercase();
    let entries = [("/jobs/overview".to_owned(), overview_of(&upper, "")), (format!("/jobs/{upper}/config"), "{}".to_owned())];
    let (read, documents) = read(&archive(&entries), job());
    assert_eq!(documents[1].0, format!("/jobs/{JOB}/config"));
    assert!(job_record(&read).overview.contains(&upper), "the overview is as archived");
}

#[test]
fn an_overview_of_flink_1_4_and_before_is_converted() {
    let legacy = format!(
        "{{\"finished\":[{{\"jid\":\"{JOB}\",\"name\":\"old\",\"state\":\"FINISHED\",\"start-time\":5,\"end-time\":9,\"duration\":4,\
         \"last-modification\":9,\"tasks\":{{\"total\":3,\"pending\":1,\"finished\":2}}}}]}}"
    );
    let (from_legacy, documents) = read(&archive(&[("/joboverview".to_owned(), legacy.clone())]), job());
    let record = job_record(&from_legacy);
    assert_eq!(documents, [("/joboverview".to_owned(), legacy.clone())]);
    assert_eq!((record.name.as_str(), record.status.as_str(), record.end.map(Timestamp::as_millis)), ("old", "FINISHED", Some(9)));
    assert!(record.tasks.contains(&("scheduled".to_owned(), 1)), "{:?}", record.tasks);
    assert!(record.overview.ends_with("\"pending-operators\":0}"), "{}", record.overview);
    assert_eq!(from_legacy.flaws, []);
    let both = [("/jobs/overview".to_owned(), overview_of(JOB, "")), ("/joboverview".to_owned(), legacy)];
    assert_eq!(job_record(&read(&archive(&both), job()).0).name, "a \"job\"", "the newer form counts");
}

#[test]
fn an_application_has_its_overview_and_the_jobs_of_its_details() {
    let object = format!(
        "{{\"id\":\"{JOB}\",\"name\":\"app\", \"later\":1,\"start-time\":5,\"end-time\":-1,\"status\":\"RUNNING\",\"jobs\":{{\"RUNNING\":2}}}}"
    );
    let details = format!(
        "{{\"id\":\"{JOB}\",\"jobs\":[{{\"jid\":\"{OTHER}\"}},{{\"jid\":\"x\"}},7,{{\"jid\":\"{OTHER}\"}},{{\"jid\":\"{JOB}\"}}]}}"
    );
    let overview = format!("{{\"applications\":[{object}]}}");
    let (read, _) =
        read(&archive(&[("/applications/overview".to_owned(), overview), (format!("/applications/{JOB}"), details)]), application());
    let record = application_record(&read);
    assert_eq!(record.overview, object, "byte for byte");
    assert_eq!((record.start.map(Timestamp::as_millis), record.end.map(Timestamp::as_millis), record.duration), (Some(5), None, None));
    assert_eq!(record.job_counts, [("RUNNING".to_owned(), 2)]);
    assert_eq!(record.jobs.iter().map(|job| job.id.to_string()).collect::<Vec<_>>(), [OTHER, JOB]);
    assert_eq!(read.flaws, []);
}

#[test]
fn an_application_without_a_usable_overview_has_that_of_its_details() {
    let details = format!(
        "{{\"id\":\"{JOB}\",\"name\":\"app\",\"status\":\"FAILED\",\"start-time\":5,\"end-time\":9,\"duration\":4,\
         \"jobs\":[{{\"jid\":\"{OTHER}\",\"state\":\"FAILED\"}},{{\"jid\":\"{JOB}\",\"state\":\"FAILED\"}}]}}"
    );
    let expected = format!(
        "{{\"id\":\"{JOB}\",\"name\":\"app\",\"start-time\":5,\"end-time\":9,\"duration\":4,\"status\":\"FAILED\",\"jobs\":{{\"FAILED\":2}}}}"
    );
    let twice = "{\"applications\":[{},{}]}";
    for overview in ["{}", "{\"applications\":[]}", twice] {
        let entries = [("/applications/overview".to_owned(), overview.to_owned()), (format!("/applications/{JOB}"), details.clone())];
        let (read, _) = read(&archive(&entries), application());
        let record = application_record(&read);
        assert_eq!(record.overview, expected);
        assert_eq!(record.jobs.len(), 2);
        assert_eq!(codes(&read), [ProblemCode::OverviewUnusable]);
    }
}

#[test]
fn half_a_character_in_a_name_does_not_hide_the_job() {
    let overview = overview_of(JOB, "").replace("a \\\"job\\\"", "cut \\ud83d");
    let (read, _) = read(&job_archive(&overview), job());
    assert_eq!(job_record(&read).name, "cut \u{fffd}");
    assert!(job_record(&read).overview.contains("cut \\ud83d"), "as archived");
}
