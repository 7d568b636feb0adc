//! The parts of a job that are restarted together: subtasks that are connected by pipelined exchanges.

use std::collections::BTreeMap;

use serde_json::value::RawValue;

use super::super::members::Members;
use super::MAX_VERTICES;
use super::attempts::Attempts;

/// The connections of vertices, from the plan of a job.
#[derive(Debug, Default)]
pub(super) struct Regions {
    /// Number of each vertex.
    vertices: BTreeMap<String, usize>,
    /// By number: another vertex of the same group, or itself.
    groups: Vec<usize>,
    /// By number of the vertex that represents its group: whether all subtasks of the group are in one region.
    joined: Vec<bool>,
}

impl Regions {
    /// Takes the `plan` of a job.
    pub(super) fn of_plan(plan: &RawValue) -> Self {
        let mut regions = Self::default();
        let Some(plan) = Members::parse(plan.get()) else { return regions };
        plan.each_element("nodes", |node| {
            let Some(node) = Members::parse(node.get()).filter(|_| regions.groups.len() < MAX_VERTICES) else { return };
            let Some(id) = node.text("id") else { return };
            regions.vertices.insert(id, regions.groups.len());
            regions.groups.push(regions.groups.len());
            regions.joined.push(node.integer("parallelism") == Some(1));
        });
        plan.each_element("nodes", |node| {
            let Some(node) = Members::parse(node.get()) else { return };
            let Some(to) = node.text("id").and_then(|id| regions.vertices.get(&id).copied()) else { return };
            node.each_element("inputs", |input| {
                let Some(input) = Members::parse(input.get()).filter(is_pipelined) else { return };
                let from = input.text("id").and_then(|id| regions.vertices.get(&id).copied());
                if let Some(from) = from {
                    regions.connect(from, to, connects_all(&input));
                }
            });
        });
        regions
    }

    /// Joins the groups of two vertices. If one of them is one region, the joined group is one region: each subtask has a connection.
    fn connect(&mut self, from: usize, to: usize, all: bool) {
        let (from, to) = (self.group(from), self.group(to));
        self.joined[to] |= self.joined[from] || all;
        self.groups[from] = to;
    }

    /// The vertex that represents the group of this one.
    fn group(&mut self, vertex: usize) -> usize {
        let mut at = vertex;
        while self.groups[at] != at {
            // Shortens the path for the next lookup.
            self.groups[at] = self.groups[self.groups[at]];
            at = self.groups[at];
        }
        at
    }

    /// Upper bound of the restarts of all regions together. A group that is one region counts the restarts of any of its subtasks.
    pub(super) fn sum(&mut self, vertices: &BTreeMap<String, Attempts>) -> u64 {
        let mut groups: BTreeMap<Option<usize>, (u64, u64)> = BTreeMap::new();
        for (id, attempts) in vertices {
            let group = self.vertices.get(id).copied().map(|number| self.group(number));
            let (highest, sum) = groups.entry(group).or_default();
            *highest = (*highest).max(attempts.highest);
            *sum = sum.saturating_add(attempts.sum);
        }
        let restarts = |(group, (highest, sum)): (Option<usize>, (u64, u64))| {
            if group.is_some_and(|group| self.joined[group]) { highest } else { sum }
        };
        groups.into_iter().map(restarts).fold(0, u64::saturating_add)
    }
}

fn is_pipelined(input: &Members<'_>) -> bool {
    input.text("exchange").is_some_and(|exchange| exchange.to_ascii_lowercase().starts_with("pipelined"))
}

/// Whether each subtask of one side is connected to each subtask of the other side.
fn connects_all(input: &Members<'_>) -> bool {
    let strategy = input.text("ship_strategy").unwrap_or_default();
    ["HASH", "REBALANCE", "BROADCAST", "SHUFFLE", "GLOBAL", "RANGE"].iter().any(|all| strategy.eq_ignore_ascii_case(all))
}
