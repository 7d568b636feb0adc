//! Reads the overview of an application from the documents of its summary.

use std::collections::HashSet;

use serde_json::value::RawValue;
use serde_json::{Map, Value, json};

use super::facts::{figure, time};
use super::members::Members;
use super::{ApplicationRecord, MAX_OVERVIEW_BYTES, MAX_STATES, NamedJob, is_state};
use crate::ids::{ApplicationId, JobId};

/// The overview belongs to another application.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct OtherApplication;

/// The overviews found so far. The last usable one counts.
#[derive(Debug)]
pub(super) struct ApplicationFindings {
    id: ApplicationId,
    overview: Option<ApplicationRecord>,
    details: Option<ApplicationRecord>,
    /// Jobs in `/applications/<id>`.
    jobs: Vec<NamedJob>,
    overview_seen: bool,
}

impl ApplicationFindings {
    pub(super) fn new(id: ApplicationId) -> Self {
        Self { id, overview: None, details: None, jobs: Vec::new(), overview_seen: false }
    }

    /// Takes the document of `/applications/overview`.
    pub(super) fn overview(&mut self, document: &str) -> Result<(), OtherApplication> {
        self.overview_seen = true;
        let Some(members) = Members::parse(document) else { return Ok(()) };
        // Flink writes exactly one. With several, it is unknown which one is right.
        let [object] = members.elements("applications")[..] else { return Ok(()) };
        if let Some(record) = listed(self.id, object)? {
            self.overview = Some(record);
        }
        Ok(())
    }

    /// Takes the document of `/applications/<id>`.
    pub(super) fn details(&mut self, document: &str) {
        let Some(members) = Members::parse(document) else { return };
        let jobs = members.objects("jobs");
        let mut known = HashSet::new();
        let named = jobs.iter().filter_map(|job| {
            let id = JobId::from_name(job.text("jid")?.as_bytes()).ok()?;
            Some(NamedJob { id, start: time(job, "start-time") })
        });
        self.jobs = named.filter(|job| known.insert(job.id)).collect();
        if self.overview.is_some() {
            return;
        }
        let Some(object) = overview_of_details(&members, &jobs) else { return };
        let Ok(object) = RawValue::from_string(object) else { return };
        if let Ok(Some(record)) = listed(self.id, &object) {
            self.details = Some(record);
        }
    }

    /// The record, and the problem of the overview.
    pub(super) fn finish(self) -> (Option<ApplicationRecord>, Option<&'static str>) {
        let jobs = self.jobs;
        if let Some(record) = self.overview {
            return (Some(ApplicationRecord { jobs, ..record }), None);
        }
        let flaw = match (self.details.is_some(), self.overview_seen) {
            (true, true) => "the application's overview is invalid, so its details are used instead",
            (true, false) => "the summary has no overview of the application, so its details are used instead",
            (false, true) => {
                "neither the application's overview nor its details contain its name and state: its documents are served, but it is not listed"
            }
            (false, false) => {
                "the summary has no overview of the application, and its details contain no name and state: its documents are served, but it is not listed"
            }
        };
        (self.details.map(|record| ApplicationRecord { jobs, ..record }), Some(flaw))
    }
}

/// The record of an object of `/applications/overview`; `None` if its id, name or state is missing.
fn listed(id: ApplicationId, object: &RawValue) -> Result<Option<ApplicationRecord>, OtherApplication> {
    if object.get().len() > MAX_OVERVIEW_BYTES {
        return Ok(None);
    }
    let Some(members) = Members::parse(object.get()) else { return Ok(None) };
    let Some(archived) = members.text("id").and_then(|id| ApplicationId::from_name(id.as_bytes()).ok()) else { return Ok(None) };
    if archived != id {
        return Err(OtherApplication);
    }
    let Some(name) = members.text("name") else { return Ok(None) };
    let Some(status) = members.text("status").filter(|status| is_state(status)) else { return Ok(None) };
    let (start, end) = (time(&members, "start-time"), time(&members, "end-time"));
    Ok(Some(ApplicationRecord {
        name,
        status,
        start,
        end,
        duration: figure(&members, "duration").or_else(|| super::between(start, end)),
        job_counts: members.counts("jobs"),
        jobs: Vec::new(),
        overview: object.get().to_owned(),
    }))
}

/// Builds the object of `/applications/overview` from that of `/applications/<id>`.
fn overview_of_details(details: &Members<'_>, jobs: &[Members<'_>]) -> Option<String> {
    let mut counts: Map<String, Value> = Map::new();
    for state in jobs.iter().filter_map(|job| job.text("state").filter(|state| is_state(state))) {
        let count = counts.get(&state).and_then(Value::as_u64).unwrap_or(0);
        if count > 0 || counts.len() < MAX_STATES {
            counts.insert(state, (count + 1).into());
        }
    }
    let start = details.integer("start-time").unwrap_or(0);
    let end = details.integer("end-time").unwrap_or(-1);
    let overview = json!({
        "id": details.text("id")?,
        "name": details.text("name")?,
        "start-time": start,
        "end-time": end,
        "duration": details.integer("duration").unwrap_or_else(|| super::duration(start, end)),
        "status": details.text("status")?,
        "jobs": counts,
    });
    Some(overview.to_string())
}
