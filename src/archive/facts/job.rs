//! The details of a job: vertices, attempts and the version of Flink.

use super::super::is_state;
use super::super::members::Members;
use super::{Facts, IoFacts, JobApplication, MAX_VERTICES, NAME_BYTES, Times, VertexFacts, cut, figure, positive, time};
use crate::ids::ApplicationId;

/// Takes `/jobs/<id>`.
pub(super) fn details(parsed: Option<Members<'_>>, facts: &mut Facts) {
    // The facts of an earlier document of this path are dropped, even if this one is invalid: only the last one is served.
    facts.max_parallelism = parsed.as_ref().and_then(|members| positive(members, "maxParallelism"));
    let word = |name| parsed.as_ref().and_then(|members| members.text(name)).filter(|word| is_state(word));
    let plan = parsed.as_ref().and_then(|members| Members::parse(members.get("plan")?.get()));
    // Before Flink 1.20, only the plan has the type.
    facts.job_type = word("job-type").or_else(|| plan.as_ref()?.text("type").filter(|word| is_state(word)));
    facts.has_plan = plan.map(|plan| !plan.elements("nodes").is_empty());
    facts.times = parsed.as_ref().map(times).unwrap_or_default();
    facts.application = parsed.as_ref().map(application).unwrap_or_default();
    facts.scheduler = word("schedulerType");
    facts.vertices.clear();
    facts.io = IoFacts::default();
    let Some(members) = parsed else { return };
    members.each_element("vertices", |element| {
        let Some(vertex) = Members::parse(element.get()).and_then(|vertex| self::vertex(&vertex)) else { return };
        facts.io = facts.io.plus(vertex.io);
        if facts.vertices.len() < MAX_VERTICES {
            facts.vertices.push(vertex);
        }
    });
}

fn times(details: &Members<'_>) -> Times {
    Times { start: time(details, "start-time"), end: time(details, "end-time"), duration: figure(details, "duration") }
}

fn application(details: &Members<'_>) -> JobApplication {
    match details.get("application-id") {
        None => JobApplication::NotArchived,
        Some(_) => match details.text("application-id").and_then(|id| ApplicationId::from_name(id.as_bytes()).ok()) {
            Some(id) => JobApplication::Named(id),
            None => JobApplication::Null,
        },
    }
}

fn vertex(members: &Members<'_>) -> Option<VertexFacts> {
    let metrics = members.get("metrics").and_then(|metrics| Members::parse(metrics.get()));
    let metric = |name| metrics.as_ref().and_then(|metrics| figure(metrics, name));
    Some(VertexFacts {
        id: cut(members.text("id")?, NAME_BYTES),
        name: cut(members.text("name").unwrap_or_default(), NAME_BYTES),
        status: members.text("status").filter(|status| is_state(status)),
        parallelism: positive(members, "parallelism"),
        max_parallelism: positive(members, "maxParallelism"),
        start: time(members, "start-time"),
        end: time(members, "end-time"),
        duration: figure(members, "duration"),
        io: metrics.as_ref().map(io).unwrap_or_default(),
        busy: metric("accumulated-busy-time"),
        idle: metric("accumulated-idle-time"),
        backpressured: metric("accumulated-backpressured-time"),
    })
}

fn io(metrics: &Members<'_>) -> IoFacts {
    // Flink writes an incomplete zero for a figure that no subtask reported.
    let counted = |name: &str, complete: &str| {
        let incomplete = metrics.get(complete).is_some_and(|value| value.get() == "false");
        figure(metrics, name).filter(|count| *count > 0 || !incomplete)
    };
    IoFacts {
        read_bytes: counted("read-bytes", "read-bytes-complete"),
        write_bytes: counted("write-bytes", "write-bytes-complete"),
        read_records: counted("read-records", "read-records-complete"),
        write_records: counted("write-records", "write-records-complete"),
    }
}

/// A document of a vertex that restarts are derived from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum VertexDocument<'p> {
    /// `<id>`.
    Details(&'p str),
    /// `<id>/subtasks/<n>/attempts/<number>`.
    Attempt(u64),
}

/// Parses the path below `/vertices/`.
pub(super) fn vertex_document(below: &str) -> Option<VertexDocument<'_>> {
    let mut segments = below.split('/');
    let vertex = segments.next()?;
    let Some(subtasks) = segments.next() else { return Some(VertexDocument::Details(vertex)) };
    let (_subtask, attempts, number) = (segments.next()?, segments.next()?, segments.next()?);
    if subtasks != "subtasks" || attempts != "attempts" || segments.next().is_some() {
        return None;
    }
    number.parse::<u32>().ok().map(|number| VertexDocument::Attempt(number.into()))
}

/// The version in the name of `flink-dist-<version>.jar`. Up to Flink 1.14, the name has the version of Scala before it.
pub(super) fn flink_version(json: &str) -> Option<String> {
    let members = Members::parse(json)?;
    let path: Vec<String> = serde_json::from_str(members.get("classpath")?.get()).ok()?;
    path.iter().find_map(|entry| {
        let file = entry.rsplit(['/', '\\']).next()?;
        let rest = file.strip_prefix("flink-dist")?.strip_suffix(".jar")?;
        let version = rest.split_once('-')?.1;
        let plausible =
            version.len() <= 64 && version.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_'));
        (plausible && version.starts_with(|first: char| first.is_ascii_digit())).then(|| version.to_owned())
    })
}
