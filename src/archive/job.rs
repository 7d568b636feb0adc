//! Reads the overview of a job from the documents of its archive.

use serde_json::value::RawValue;
use serde_json::{Map, Value};

use super::facts::{Facts, JobApplication, figure, time};
use super::members::Members;
use super::{JobRecord, MAX_OVERVIEW_BYTES, MAX_STATES, is_state, legacy_overview};
use crate::ids::JobId;

/// The overview belongs to another job.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct OtherJob;

/// The overviews found so far. The last usable one counts.
#[derive(Debug)]
pub(super) struct JobFindings {
    id: JobId,
    overview: Option<JobRecord>,
    legacy: Option<JobRecord>,
    details: Option<JobRecord>,
    overview_seen: bool,
}

impl JobFindings {
    pub(super) fn new(id: JobId) -> Self {
        Self { id, overview: None, legacy: None, details: None, overview_seen: false }
    }

    /// Takes the document of `/jobs/overview`.
    pub(super) fn overview(&mut self, document: &str) -> Result<(), OtherJob> {
        self.overview_seen = true;
        let Some(object) = Members::parse(document).and_then(|members| members.elements("jobs").first().copied()) else { return Ok(()) };
        if let Some(record) = listed(self.id, object)? {
            self.overview = Some(record);
        }
        Ok(())
    }

    /// Takes the document of `/joboverview`.
    pub(super) fn legacy_overview(&mut self, document: &str) -> Result<(), OtherJob> {
        self.overview_seen = true;
        let Some(converted) = legacy_overview::convert(document) else { return Ok(()) };
        let Ok(object) = RawValue::from_string(converted) else { return Ok(()) };
        if let Some(record) = listed(self.id, &object)? {
            self.legacy = Some(record);
        }
        Ok(())
    }

    /// Takes the document of `/jobs/<id>`. It is parsed only where no overview came before: Flink writes the overview first.
    pub(super) fn details(&mut self, document: &str) {
        if self.overview.is_some() || self.legacy.is_some() {
            return;
        }
        let Some(object) = Members::parse(document).and_then(|members| overview_of_details(&members)) else { return };
        let Ok(object) = RawValue::from_string(object) else { return };
        if let Ok(Some(record)) = listed(self.id, &object) {
            self.details = Some(record);
        }
    }

    /// The record, and the problem of the overview.
    pub(super) fn finish(self) -> (Option<JobRecord>, Option<&'static str>) {
        if let Some(record) = self.overview.or(self.legacy) {
            return (Some(record), None);
        }
        let flaw = match (self.details.is_some(), self.overview_seen) {
            (true, true) => "the job's overview is invalid, so its details are used instead",
            (true, false) => "the archive has no overview of the job, so its details are used instead",
            (false, true) => {
                "neither the job's overview nor its details contain its name and state: its documents are served, but it is not listed"
            }
            (false, false) => {
                "the archive has no overview of the job, and its details contain no name and state: its documents are served, but it is not listed"
            }
        };
        (self.details, Some(flaw))
    }
}

impl JobRecord {
    /// Adds the values that only the job's details have: the type up to Flink 2.2, and the end of a job that never got its resources.
    pub(super) fn with_facts(self, facts: &Facts) -> Self {
        let start = self.start.or(facts.times.start);
        let has_ended = matches!(self.status.as_str(), "FINISHED" | "FAILED" | "CANCELED");
        let derived =
            || Some(crate::clock::Timestamp::from_millis(start?.as_millis().saturating_add(facts.times.duration.filter(|_| has_ended)?)));
        let end = self.end.or(facts.times.end).or_else(derived);
        Self {
            start,
            end,
            duration: self.duration.or(facts.times.duration).or_else(|| super::between(start, end)),
            job_type: self.job_type.or_else(|| facts.job_type.clone()),
            application: facts.application,
            ..self
        }
    }
}

/// The record of an object of `/jobs/overview`; `None` if its id, name or state is missing.
pub(super) fn listed(id: JobId, object: &RawValue) -> Result<Option<JobRecord>, OtherJob> {
    if object.get().len() > MAX_OVERVIEW_BYTES {
        return Ok(None);
    }
    let Some(members) = Members::parse(object.get()) else { return Ok(None) };
    let Some(archived) = members.text("jid").and_then(|jid| JobId::from_name(jid.as_bytes()).ok()) else { return Ok(None) };
    if archived != id {
        return Err(OtherJob);
    }
    let Some(name) = members.text("name") else { return Ok(None) };
    let Some(status) = members.text("state").filter(|state| is_state(state)) else { return Ok(None) };
    let (start, end) = (time(&members, "start-time"), time(&members, "end-time"));
    Ok(Some(JobRecord {
        name,
        status,
        start,
        end,
        duration: figure(&members, "duration").or_else(|| super::between(start, end)),
        job_type: members.text("jobType").filter(|job_type| is_state(job_type)),
        application: JobApplication::NotArchived,
        tasks: members.counts("tasks"),
        overview: object.get().to_owned(),
    }))
}

/// Builds the object of `/jobs/overview` from that of `/jobs/<id>`.
fn overview_of_details(details: &Members<'_>) -> Option<String> {
    let start = details.integer("start-time").unwrap_or(0);
    let end = details.integer("end-time").unwrap_or(-1);
    let mut tasks: Map<String, Value> = Map::new();
    let mut total = 0_u64;
    for vertex in details.objects("vertices") {
        for (state, count) in vertex.counts("tasks") {
            let state = state.to_lowercase();
            total = total.saturating_add(count);
            let sum = tasks.get(&state).and_then(Value::as_u64);
            if sum.is_some() || tasks.len() < MAX_STATES {
                tasks.insert(state, sum.unwrap_or(0).saturating_add(count).into());
            }
        }
    }
    tasks.insert("total".to_owned(), total.into());
    // In the order of Flink. Newer members only where they are archived, see `job_overview`.
    let members = [
        ("jid", Some(details.text("jid")?.into())),
        ("name", Some(details.text("name")?.into())),
        ("jobType", details.text("job-type").map(Value::from)),
        ("schedulerType", details.text("schedulerType").map(Value::from)),
        ("start-time", Some(start.into())),
        ("end-time", Some(end.into())),
        ("duration", Some(details.integer("duration").unwrap_or_else(|| super::duration(start, end)).into())),
        ("state", Some(details.text("state")?.into())),
        ("last-modification", Some(if end >= 0 { end } else { start }.into())),
        ("tasks", Some(tasks.into())),
        ("pending-operators", details.integer("pending-operators").map(Value::from)),
    ];
    let overview: Map<String, Value> =
        members.into_iter().filter_map(|(name, value): (_, Option<Value>)| Some((name.to_owned(), value?))).collect();
    Some(Value::from(overview).to_string())
}
