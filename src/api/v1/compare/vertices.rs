//! Vertices of two jobs side by side. Vertices are matched by id, then by name.

use serde::Serialize;
use utoipa::ToSchema;

use crate::archive::facts::VertexFacts;

/// A vertex of one job and the matching vertex of the other job.
#[derive(Debug, PartialEq, Eq, Serialize, ToSchema)]
pub(super) struct VertexDifference {
    /// Its name in the left job, or in the right job if only that one has the vertex.
    name: String,
    change: VertexChange,
    left: Option<VertexFacts>,
    right: Option<VertexFacts>,
    /// The members that differ: `id`, `name`, `parallelism`, `max_parallelism`.
    differences: Vec<&'static str>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
enum VertexChange {
    /// Both jobs have it, with the same name and parallelism.
    Same,
    /// Both jobs have it, with differences.
    Changed,
    /// Only the right job has it.
    Added,
    /// Only the left job has it.
    Removed,
}

/// The vertices of both jobs, those of the left job first.
pub(super) fn differences(left: Vec<VertexFacts>, right: Vec<VertexFacts>) -> Vec<VertexDifference> {
    let mut right: Vec<Option<VertexFacts>> = right.into_iter().map(Some).collect();
    let mut take = |matches: &dyn Fn(&VertexFacts) -> bool| right.iter_mut().find(|each| each.as_ref().is_some_and(matches))?.take();
    // Ids first: another vertex may have the name now.
    let by_id: Vec<_> = left.into_iter().map(|vertex| (take(&|other| other.id == vertex.id), vertex)).collect();
    let mut found: Vec<VertexDifference> = by_id
        .into_iter()
        .map(|(same_id, vertex)| {
            let same = same_id.or_else(|| take(&|other| other.name == vertex.name));
            difference(vertex, same)
        })
        .collect();
    found.extend(right.into_iter().flatten().map(|added| VertexDifference {
        name: added.name.clone(),
        change: VertexChange::Added,
        left: None,
        right: Some(added),
        differences: Vec::new(),
    }));
    found
}

fn difference(left: VertexFacts, right: Option<VertexFacts>) -> VertexDifference {
    let mut differences = Vec::new();
    if let Some(right) = &right {
        let differing = [
            ("id", left.id != right.id),
            ("name", left.name != right.name),
            ("parallelism", left.parallelism != right.parallelism),
            ("max_parallelism", left.max_parallelism != right.max_parallelism),
        ];
        differences.extend(differing.into_iter().filter(|(_, differs)| *differs).map(|(member, _)| member));
    }
    let change = match (&right, differences.is_empty()) {
        (None, _) => VertexChange::Removed,
        (Some(_), true) => VertexChange::Same,
        (Some(_), false) => VertexChange::Changed,
    };
    VertexDifference { name: left.name.clone(), change, left: Some(left), right, differences }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn vertex(id: &str, name: &str, parallelism: i64) -> VertexFacts {
        VertexFacts { id: id.to_owned(), name: name.to_owned(), parallelism: Some(parallelism), ..VertexFacts::default() }
    }

    #[test]
    fn vertices_are_matched_by_id_and_then_by_name() {
        let left = vec![vertex("1", "source", 2), vertex("2", "map", 2), vertex("3", "sink", 1), vertex("4", "gone", 1)];
        let right = vec![vertex("9", "new", 1), vertex("2", "source", 4), vertex("8", "sink", 1), vertex("1", "source", 2)];
        let found = differences(left, right);
        let changes: Vec<_> = found.iter().map(|each| (each.name.as_str(), each.change, each.differences.as_slice())).collect();
        assert_eq!(
            changes,
            [
                ("source", VertexChange::Same, &[][..]),
                ("map", VertexChange::Changed, &["name", "parallelism"]),
                ("sink", VertexChange::Changed, &["id"]),
                ("gone", VertexChange::Removed, &[]),
                ("new", VertexChange::Added, &[]),
            ]
        );
        assert_eq!(found[1].right.as_ref().map(|right| right.name.as_str()), Some("source"));
    }

    #[test]
    fn a_vertex_is_matched_once() {
        let found = differences(vec![vertex("1", "map", 1), vertex("2", "map", 1)], vec![vertex("3", "map", 1)]);
        let changes: Vec<_> = found.iter().map(|each| each.change).collect();
        assert_eq!(changes, [VertexChange::Changed, VertexChange::Removed]);
    }
}
