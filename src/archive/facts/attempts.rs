//! Attempts of the subtasks of a vertex, from `/jobs/<id>/vertices/<vertex>`.

use serde_json::value::RawValue;

use super::super::members::Members;

/// Attempts of the subtasks of a vertex without speculative ones, counted from 0.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Attempts {
    /// Attempts of the subtask with the most attempts.
    pub(super) highest: u64,
    /// Attempts of all subtasks together.
    pub(super) sum: u64,
    /// Number of last attempts.
    pub(super) last: u64,
    /// Whether some subtask had several attempts at the same time.
    pub(super) speculative: bool,
}

impl Attempts {
    /// Reads the document of a vertex; `None`: it has no attempts.
    pub(super) fn of_vertex(vertex: &Members<'_>) -> Option<Self> {
        let mut attempts = None;
        vertex.each_element("subtasks", |subtask| {
            let Some((number, others)) = Members::parse(subtask.get()).and_then(|subtask| attempts_of(&subtask)) else { return };
            let all: &mut Self = attempts.get_or_insert_default();
            let own = number.saturating_sub(others);
            all.highest = all.highest.max(own);
            all.sum = all.sum.saturating_add(own);
            all.last += 1 + others;
            all.speculative |= others > 0;
        });
        attempts
    }
}

/// The highest attempt of a subtask, and the number of concurrent attempts.
fn attempts_of(subtask: &Members<'_>) -> Option<(u64, u64)> {
    let number = |members: &Members<'_>| members.integer("attempt").and_then(|number| u64::try_from(number).ok());
    let mut highest = number(subtask)?;
    let mut others = 0;
    subtask.each_element("other-concurrent-attempts", |other: &RawValue| {
        highest = highest.max(Members::parse(other.get()).as_ref().and_then(number).unwrap_or(0));
        others += 1;
    });
    Some((highest, others))
}
