//! Converts `/joboverview`, which Flink wrote before 1.5, into an object of `/jobs/overview`.

use serde_json::json;

use super::members::Members;

/// The object of `/jobs/overview` for the first finished job; `None` if its id, name or state is missing.
pub(super) fn convert(document: &str) -> Option<String> {
    let overview = Members::parse(document)?;
    let job = overview.objects("finished").into_iter().next()?;
    let start = job.integer("start-time").unwrap_or(0);
    let end = job.integer("end-time").unwrap_or(-1);
    let tasks = job.get("tasks").and_then(|tasks| Members::parse(tasks.get()));
    let count = |state: &str| tasks.as_ref().and_then(|tasks| tasks.integer(state)).unwrap_or(0).max(0);
    // Before Flink 1.4, tasks that were not running yet were called pending.
    let pending = tasks.as_ref().and_then(|tasks| tasks.integer("pending"));
    let (created, scheduled, deploying) = match pending {
        Some(pending) => (0, pending.max(0), 0),
        None => (count("created"), count("scheduled"), count("deploying")),
    };
    let converted = json!({
        "jid": job.text("jid")?,
        "name": job.text("name")?,
        "jobType": null,
        "schedulerType": null,
        "start-time": start,
        "end-time": end,
        "duration": job.integer("duration").unwrap_or_else(|| super::duration(start, end)),
        "state": job.text("state")?,
        "last-modification": job.integer("last-modification").unwrap_or(if end >= 0 { end } else { start }),
        "tasks": {
            "running": count("running"),
            "canceling": count("canceling"),
            "canceled": count("canceled"),
            "total": count("total"),
            "created": created,
            "scheduled": scheduled,
            "deploying": deploying,
            "reconciling": 0,
            "finished": count("finished"),
            "initializing": 0,
            "failed": count("failed"),
        },
        "pending-operators": 0,
    });
    Some(converted.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pending_tasks_of_flink_1_3_are_scheduled_ones() {
        let document = r#"{"running":[],"finished":[{"jid":"7684be6004e4e955c2a558a9bc463f65","name":"old","state":"FINISHED","start-time":5,"end-time":9,"duration":4,"last-modification":8,"tasks":{"total":4,"pending":1,"running":0,"finished":3,"canceling":0,"canceled":0,"failed":0}}]}"#;
        let expected = r#"{"jid":"7684be6004e4e955c2a558a9bc463f65","name":"old","jobType":null,"schedulerType":null,"start-time":5,"end-time":9,"duration":4,"state":"FINISHED","last-modification":8,"tasks":{"running":0,"canceling":0,"canceled":0,"total":4,"created":0,"scheduled":1,"deploying":0,"reconciling":0,"finished":3,"initializing":0,"failed":0},"pending-operators":0}"#;
        assert_eq!(convert(document).as_deref(), Some(expected));
    }

    #[test]
    fn tasks_of_flink_1_4_are_copied() {
        let document = r#"{"finished":[{"jid":"7684be6004e4e955c2a558a9bc463f65","name":"old","state":"FAILED","start-time":5,"end-time":9,"duration":4,"last-modification":9,"tasks":{"total":10,"created":1,"scheduled":2,"deploying":3,"running":4,"finished":0,"canceling":0,"canceled":0,"failed":0}}]}"#;
        let converted = convert(document).unwrap();
        assert!(converted.contains(r#""total":10,"created":1,"scheduled":2,"deploying":3,"reconciling":0,"finished":0"#), "{converted}");
    }

    #[test]
    fn an_overview_without_a_finished_job_is_none() {
        for document in ["", "{}", r#"{"finished":[]}"#, r#"{"finished":{}}"#, r#"{"finished":[7]}"#, r#"{"finished":[{"jid":"x"}]}"#] {
            assert_eq!(convert(document), None, "{document}");
        }
    }
}
