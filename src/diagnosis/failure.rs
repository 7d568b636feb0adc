//! The cause of the newest failure, by the class and message of its innermost cause, with the labels of failure enrichers.

use super::{Evidence, Finding, FindingCode, NotAssessed, Place, Severity, Verdict, not_assessed};
use crate::index::query::RootException;

/// A kind of failure: words in the class or message of the failure or its cause, the sentence, and the advice.
struct Kind {
    words: &'static [&'static str],
    name: &'static str,
    advice: &'static str,
}

/// Kinds in order: the first that fits is the answer.
const KINDS: &[Kind] = &[
    Kind {
        words: &["Cannot find checkpoint or savepoint", "Cannot find meta data file"],
        name: "the checkpoint or savepoint to restore from was not found",
        advice: "Check the path: `historyserver jobs restore-point NAME` finds the points of earlier runs.",
    },
    Kind {
        words: &["OutOfMemoryError: Metaspace", "OutOfMemoryError: Compressed class space"],
        name: "the class memory (metaspace) of a JVM was full",
        advice: "Raise taskmanager.memory.jvm-metaspace.size, and look for classes that are loaded again with each restart.",
    },
    Kind {
        words: &["OutOfMemoryError: Direct buffer memory", "OutOfDirectMemoryError", "Cannot reserve"],
        name: "the direct memory of a JVM was full",
        advice: "Raise taskmanager.memory.task.off-heap.size, or taskmanager.memory.framework.off-heap.size for connectors of Flink.",
    },
    Kind {
        words: &["OutOfMemoryError: unable to create", "OutOfMemoryError: Unable to create"],
        name: "no further thread could be started",
        advice: "Raise the limit of processes of the container or user, or lower the number of slots.",
    },
    Kind {
        words: &["OutOfMemoryError"],
        name: "the heap of a JVM was full",
        advice: "Raise taskmanager.memory.task.heap.size, or keep large state in RocksDB or ForSt.",
    },
    Kind {
        words: &["Insufficient number of network buffers"],
        name: "there were too few network buffers",
        advice: "Raise taskmanager.memory.network.fraction and taskmanager.memory.network.max.",
    },
    Kind {
        words: &[
            "NoResourceAvailableException",
            "Could not acquire the minimum required resources",
            "lot request timed out",
            "lot request timeout",
        ],
        name: "the cluster had too few slots",
        advice: "Add TaskManagers or slots, or lower the parallelism. The log of the ResourceManager says why no TaskManager was started.",
    },
    Kind {
        words: &[
            "TaskManagerLostException",
            "Heartbeat of TaskManager",
            "is no longer reachable",
            "Lost connection to task manager",
            "RemoteTransportException",
            "TaskExecutor has been shut",
            "has unexpectedly closed",
        ],
        name: "a TaskManager was lost",
        advice: "Look at the end of the log of that TaskManager, and whether its container was killed for memory or moved to another node.",
    },
    Kind {
        words: &["Exceeded checkpoint tolerable failure threshold", "CheckpointException"],
        name: "too many checkpoints failed",
        advice: "Look at the failed checkpoints: they name the reason and the last subtask. \
                 execution.checkpointing.tolerable-failed-checkpoints lets a job go on.",
    },
    Kind {
        words: &["StateMigrationException", "CompatibilityException", "InvalidTypesException", "KryoException", "SerializationException"],
        name: "data or state could not be serialised",
        advice: "Compare the classes of records and state with those of the run that wrote the state.",
    },
    Kind {
        words: &["ClassNotFoundException", "NoClassDefFoundError", "NoSuchMethodError", "IncompatibleClassChangeError", "LinkageError"],
        name: "a class or method was missing",
        advice: "Check that the jar of the job has the versions of Flink and of the connectors that the cluster runs.",
    },
    Kind {
        words: &["No space left on device"],
        name: "a disk was full",
        advice: "Free space on the disk, or set io.tmp.dirs and the directory of checkpoints to a larger one.",
    },
];

/// Kinds that only the innermost cause shows: outer exceptions of these classes wrap failures of all kinds.
const KINDS_OF_CAUSES: &[Kind] = &[
    Kind {
        words: &["org.apache.kafka", "java.sql.", "com.zaxxer.hikari", "org.postgresql", "com.mysql", "elasticsearch", "connector"],
        name: "a connector failed",
        advice: "Check that the other system is reachable and accepts what the job reads or writes.",
    },
    Kind {
        words: &["java.net.", "java.nio.channels.", "java.io.IOException", "java.io.FileNotFoundException"],
        name: "reading or writing failed",
        advice: "Check that the named host or file is reachable from all TaskManagers.",
    },
];

pub(super) fn root_cause(evidence: &Evidence<'_>) -> Verdict {
    let Some(failure) = &evidence.facts.root_exception else {
        return if evidence.has_failed() { Err(missing()) } else { Ok(Vec::new()) };
    };
    let (name, advice) = kind(failure);
    let (shown, labels) = (shown(failure), labels(failure));
    let (severity, text) = if evidence.has_failed() {
        (Severity::Critical, format!("The job failed because {name}: {shown}{labels}"))
    } else {
        (Severity::Notice, format!("The newest failure, which did not end the job: {name}: {shown}{labels}"))
    };
    let documents = vec!["/exceptions".to_owned()];
    Ok(vec![Finding { code: FindingCode::RootCause, severity, text, advice: advice.to_owned(), place: Place::default(), documents }])
}

fn missing() -> NotAssessed {
    not_assessed(FindingCode::RootCause, "The archive does not contain the failure. The log of the JobManager contains it.")
}

/// The name of the kind, and the advice.
fn kind(failure: &RootException) -> (&'static str, &'static str) {
    let part = |class: &Option<String>, message: &Option<String>| {
        format!("{}: {}", class.as_deref().unwrap_or_default(), message.as_deref().unwrap_or_default())
    };
    let outer = part(&failure.class, &failure.message);
    let innermost = if failure.cause_class.is_some() { part(&failure.cause_class, &failure.cause_message) } else { outer.clone() };
    let fits = |text: &str, kinds: &'static [Kind]| kinds.iter().find(|kind| kind.words.iter().any(|word| text.contains(word)));
    let kind = fits(&innermost, KINDS).or_else(|| fits(&outer, KINDS)).or_else(|| fits(&innermost, KINDS_OF_CAUSES));
    kind.map_or(
        ("the code of the job threw an exception", "Read the stack trace: its first line outside of Flink is the place in the code."),
        |kind| (kind.name, kind.advice),
    )
}

/// The labels of failure enrichers, in one line.
fn labels(failure: &RootException) -> String {
    let labels: Vec<String> = failure.labels.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let labels: String = labels.join(", ").chars().take(200).collect();
    if labels.is_empty() { labels } else { format!(" Labels: {labels}.") }
}

/// The innermost cause, in one line.
fn shown(failure: &RootException) -> String {
    let class = failure.cause_class.as_ref().or(failure.class.as_ref());
    let message = if failure.cause_class.is_some() { &failure.cause_message } else { &failure.message };
    let first = message.as_deref().and_then(|message| message.lines().next()).unwrap_or_default();
    let first: String = first.chars().take(200).collect();
    let class = class.map_or("no class", String::as_str);
    let stop = if first.ends_with(['.', '!', '?']) { "" } else { "." };
    if first.is_empty() { format!("{class}.") } else { format!("{class}: {first}{stop}") }
}
