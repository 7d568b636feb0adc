//! Settings that endanger a job.

use super::{Evidence, Finding, FindingCode, Place, Severity, Verdict, not_assessed};

/// Bytes of state that are large for the memory of a JVM.
const LARGE_STATE: i64 = 1 << 30;
/// Milliseconds from which a streaming job is not a trial.
const LONG_RUN: i64 = 600_000;

pub(super) fn checkpointing_off(evidence: &Evidence<'_>) -> Verdict {
    const CODE: FindingCode = FindingCode::CheckpointingOff;
    if !evidence.is_streaming() || evidence.job.duration.is_none_or(|duration| duration < LONG_RUN) {
        return Ok(Vec::new());
    }
    let never = |configuration: &serde_json::Value| configuration["interval"].as_i64() == Some(i64::MAX);
    let off = match (&evidence.checkpoint_configuration, &evidence.checkpoints) {
        (Some(configuration), _) => never(configuration) || configuration["errors"].is_array(),
        (None, Some(checkpoints)) => !checkpoints["counts"].is_object(),
        (None, None) => return Err(not_assessed(CODE, "The archive does not contain the configuration of checkpoints.")),
    };
    let advice = "Set execution.checkpointing.interval: without checkpoints a restart begins anew and loses state.";
    Ok(if off {
        vec![finding(CODE, Severity::Warning, "Checkpointing was off in a streaming job.".to_owned(), advice)]
    } else {
        Vec::new()
    })
}

pub(super) fn heap_state(evidence: &Evidence<'_>) -> Verdict {
    const CODE: FindingCode = FindingCode::HeapStateLarge;
    let Some(facts) = &evidence.facts.checkpoints else { return Ok(Vec::new()) };
    let backend = evidence.checkpoint_configuration.as_ref().and_then(|configuration| configuration["state_backend"].as_str());
    let Some(backend) = backend else {
        return Err(not_assessed(CODE, "The archive does not contain the state backend: Flink archives it since 1.13."));
    };
    let size = facts.largest_state_size.unwrap_or_default();
    if size < LARGE_STATE || !["HashMapStateBackend", "FsStateBackend", "MemoryStateBackend"].iter().any(|heap| backend.contains(heap)) {
        return Ok(Vec::new());
    }
    let gigabytes = size as f64 / f64::from(1 << 30);
    let advice = "Use the RocksDB or ForSt state backend with incremental checkpoints: the heap holds all state, and each checkpoint writes all of it.";
    Ok(vec![finding(CODE, Severity::Warning, format!("{backend} kept a state of {gigabytes:.1} GiB in the memory of the JVM."), advice)])
}

pub(super) fn near_maximum(evidence: &Evidence<'_>) -> Verdict {
    if evidence.facts.vertices.is_empty() {
        return Err(not_assessed(FindingCode::ParallelismNearMaximum, "The archive does not contain the vertices of the job."));
    }
    // A vertex with parallelism 1 and maximum 1 cannot be parallel: it is meant.
    let near = evidence.facts.vertices.iter().filter(|_| evidence.is_streaming()).find_map(|vertex| {
        let (parallelism, max) = (vertex.parallelism?, vertex.max_parallelism?);
        (parallelism > 1 && max > 0 && parallelism * 2 > max).then_some((vertex, parallelism, max))
    });
    let Some((vertex, parallelism, max)) = near else { return Ok(Vec::new()) };
    let advice = "Keyed state can never be spread over more subtasks than the maximum, and it cannot be changed later. Set pipeline.max-parallelism \
                  in a new job.";
    let mut finding = finding(
        FindingCode::ParallelismNearMaximum,
        Severity::Notice,
        format!("{} has parallelism {parallelism} of at most {max}: it cannot be doubled.", vertex.name),
        advice,
    );
    finding.place = Place { vertex: Some(vertex.id.clone()), vertex_name: Some(vertex.name.clone()), ..Place::default() };
    finding.documents = vec![String::new()];
    Ok(vec![finding])
}

pub(super) fn deleted_checkpoints(evidence: &Evidence<'_>) -> Verdict {
    const CODE: FindingCode = FindingCode::CheckpointsDeleted;
    if evidence.job.status.as_deref() != Some("CANCELED")
        || evidence.facts.checkpoints.as_ref().is_none_or(|facts| facts.completed.unwrap_or(0) == 0)
    {
        return Ok(Vec::new());
    }
    let Some(configuration) = &evidence.checkpoint_configuration else {
        return Err(not_assessed(CODE, "The archive does not contain the configuration of checkpoints."));
    };
    let externalization = &configuration["externalization"];
    if externalization["enabled"] == true && externalization["delete_on_cancellation"] == false {
        return Ok(Vec::new());
    }
    let advice = "Set execution.checkpointing.externalized-checkpoint-retention to RETAIN_ON_CANCELLATION, or stop jobs with a savepoint.";
    Ok(vec![finding(CODE, Severity::Notice, "Flink deleted the checkpoints of this job when it was canceled.".to_owned(), advice)])
}

fn finding(code: FindingCode, severity: Severity, text: String, advice: &str) -> Finding {
    let documents = vec!["/checkpoints/config".to_owned()];
    Finding { code, severity, text, advice: advice.to_owned(), place: Place::default(), documents }
}
