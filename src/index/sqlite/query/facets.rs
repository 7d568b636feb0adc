//! Facets. The stored counts answer most of them. One walk counts the others: a row that passes the whole filter counts for every facet,
//! and a row that fails only the part of one facet counts for that facet.

use crate::clock::Timestamp;
use std::collections::HashMap;
use std::ops::ControlFlow;

use chrono::NaiveDate;
use rusqlite::{Connection, OptionalExtension as _};

use super::condition::{Condition, LOOKUP_COST, within};
use super::order::text;
use super::page::smallest;
use super::source::Source;
use super::table::{Column, Narrow};
use super::tally::Tally;
use super::{SqliteError, counted, prepare};
use crate::index::query::calendar::day_of;
use crate::index::query::{FacetCount, FacetKey, FacetQuery, Facets, ListKind, Scope};
use crate::index::sqlite::tables::list_rows::{ABSENT, NO_TEXT, OTHER_TYPE, TYPE_BITS};

/// Maximum number of counted rows.
const MAX_ROWS: u64 = 1_000_000;
/// For a source with more rows, looking up the end of each row takes longer than a walk over all ends.
const MAX_LOOKUPS: u64 = 60_000;
const MAX_VALUES: usize = 1_000;
const MAX_DAYS: usize = 400;

const FACETS: [FacetKey; 5] = [FacetKey::Status, FacetKey::Cluster, FacetKey::Directory, FacetKey::JobType, FacetKey::Day];

/// Counts of a list.
pub(in crate::index) fn facets(connection: &Connection, scope: &Scope, query: &FacetQuery) -> Result<Facets, SqliteError> {
    let mut condition = Condition::compile(connection, scope, query.kind, &query.filter)?;
    let mut requested = FACETS.map(|facet| query.by.contains(&facet));
    let mut found = Facets { exact: true, ..Facets::default() };
    for (requested, facet) in requested.iter_mut().zip(FACETS).filter(|(requested, _)| **requested) {
        if let Some(counts) = from_stored_counts(connection, &condition, query, facet)? {
            *of(&mut found, facet) = Some(counts);
            *requested = false;
        }
    }
    if !requested.contains(&true) {
        return Ok(found);
    }
    // The index of a facet's own column would leave out the rows that fail only the part of that facet.
    let usable = |source: &Source| match source.column() {
        Some(Column::Status) => !requested[0],
        Some(Column::Cluster) => !requested[1],
        Some(Column::Directory) => !requested[2],
        Some(Column::Type) => !requested[3],
        Some(Column::End) => !requested[4],
        _ => true,
    };
    let sources: Vec<Source> = condition.sources().into_iter().filter(usable).collect();
    let all = Source::Ranges(Column::End, vec![(i64::MIN, i64::MAX)]);
    let source = smallest(connection, &condition, &sources, MAX_LOOKUPS)?
        .filter(|(_, count)| *count < MAX_LOOKUPS)
        .map_or(&all, |(source, _)| source);
    let mut counts = Counts { numbers: Default::default(), days: HashMap::new(), day: None, of_day: 0, query };
    let (walked, mut exact) = (source.column().unwrap_or(Column::Name), true);
    let end_matters = !query.filter.end.is_open();
    source.scan(connection, condition.table, |row| {
        condition.cost += 1;
        if condition.cost > MAX_ROWS {
            exact = false;
            return Ok(ControlFlow::Break(()));
        }
        let mut failing = [
            !condition.status.admits(row.status),
            !condition.cluster.admits(row.cluster),
            !condition.directory.admits(row.directory),
            !condition.job_type.admits(row.job_type),
            false,
        ];
        let failed = failing.iter().filter(|fails| **fails).count();
        if failed > 1 || (failing[2] && !condition.is_visible(row.directory)) {
            return Ok(ControlFlow::Continue(()));
        }
        if !condition.admits_rest(connection, row, walked, false)? {
            return Ok(ControlFlow::Continue(()));
        }
        let mut end = (walked == Column::End).then_some(row.key);
        if end.is_none() && (end_matters || requested[4]) {
            condition.cost += LOOKUP_COST;
            end = end_of(connection, &condition, row.id)?;
        }
        failing[4] = end_matters && !end.is_some_and(|end| within(query.filter.end, end));
        let failed = failing.iter().filter(|fails| **fails).count();
        if failed <= 1 {
            counts.add(row, end, failing, failed == 0, requested);
        }
        Ok(ControlFlow::Continue(()))
    })?;
    let walked = counts.finish(connection, requested, exact)?;
    Ok(Facets {
        status: found.status.or(walked.status),
        cluster: found.cluster.or(walked.cluster),
        directory: found.directory.or(walked.directory),
        day: found.day.or(walked.day),
        job_type: found.job_type.or(walked.job_type),
        exact,
    })
}

fn of(facets: &mut Facets, facet: FacetKey) -> &mut Option<Vec<FacetCount>> {
    match facet {
        FacetKey::Status => &mut facets.status,
        FacetKey::Cluster => &mut facets.cluster,
        FacetKey::Directory => &mut facets.directory,
        FacetKey::JobType => &mut facets.job_type,
        FacetKey::Day => &mut facets.day,
    }
}

/// One facet from the stored counts; `None`: it must be counted by a walk.
fn from_stored_counts(
    connection: &Connection,
    condition: &Condition,
    query: &FacetQuery,
    facet: FacetKey,
) -> Result<Option<Vec<FacetCount>>, SqliteError> {
    let column = match facet {
        FacetKey::Status => Column::Status,
        FacetKey::Cluster => Column::Cluster,
        FacetKey::Directory => Column::Directory,
        FacetKey::JobType => Column::Type,
        FacetKey::Day => {
            let days = counted::by_day(connection, condition, &query.filter, query.zone, MAX_DAYS)?;
            return Ok(days.map(by_day));
        }
    };
    let Some(counts) = counted::by_value(connection, condition, &query.filter, facet)? else { return Ok(None) };
    match (query.kind, facet) {
        (ListKind::Applications, FacetKey::JobType) => Ok(Some(by_bits(&counts))),
        _ => most_frequent(connection, column, counts).map(Some),
    }
}

fn end_of(connection: &Connection, condition: &Condition, id: i64) -> Result<Option<i64>, SqliteError> {
    let sql = format!("SELECT end_time FROM {} WHERE id = ?1", condition.table.name());
    Ok(prepare(connection, &sql)?.query_row([id], |row| row.get(0)).optional()?)
}

struct Counts<'q> {
    /// By state, cluster, directory and job type.
    numbers: [Tally<u64>; 4],
    days: HashMap<NaiveDate, u64>,
    /// The day of the last row, whose rows are not in `days` yet: rows are mostly in order of their ends.
    day: Option<(NaiveDate, Timestamp, Timestamp)>,
    of_day: u64,
    query: &'q FacetQuery,
}

impl Counts<'_> {
    fn add(&mut self, row: &Narrow, end: Option<i64>, failing: [bool; 5], passes: bool, requested: [bool; 5]) {
        for (facet, value) in [row.status, row.cluster, row.directory, row.job_type].into_iter().enumerate() {
            if requested[facet] && (passes || failing[facet]) {
                *self.numbers[facet].of(value) += 1;
            }
        }
        if requested[4]
            && (passes || failing[4])
            && let Some(end) = end.filter(|end| *end != ABSENT)
        {
            self.add_day(Timestamp::from_millis(end));
        }
    }

    fn add_day(&mut self, end: Timestamp) {
        if !self.day.is_some_and(|(_, from, to)| (from..to).contains(&end)) {
            self.close_day();
            self.day = day_of(self.query.zone, end);
        }
        self.of_day += 1;
    }

    fn close_day(&mut self) {
        let rows = std::mem::take(&mut self.of_day);
        if let Some((date, ..)) = self.day.take()
            && rows > 0
        {
            *self.days.entry(date).or_default() += rows;
        }
    }

    fn finish(mut self, connection: &Connection, requested: [bool; 5], exact: bool) -> Result<Facets, SqliteError> {
        self.close_day();
        let [status, cluster, directory, job_type]: [HashMap<i64, u64>; 4] = self.numbers.map(|counts| counts.into_figures().collect());
        let texts = |requested: bool, column, counts: HashMap<i64, u64>| {
            if requested { most_frequent(connection, column, counts).map(Some) } else { Ok(None) }
        };
        let job_type = match self.query.kind {
            ListKind::Applications => requested[3].then(|| by_bits(&job_type)),
            ListKind::Jobs => texts(requested[3], Column::Type, job_type)?,
        };
        let mut days: Vec<_> = self.days.into_iter().collect();
        days.sort_unstable_by(|one, other| other.cmp(one));
        days.truncate(MAX_DAYS);
        Ok(Facets {
            status: texts(requested[0], Column::Status, status)?,
            cluster: texts(requested[1], Column::Cluster, cluster)?,
            directory: texts(requested[2], Column::Directory, directory)?,
            day: requested[4].then(|| by_day(days)),
            job_type,
            exact,
        })
    }
}

/// Counts by text, most frequent first. Rows without a text are left out.
fn most_frequent(connection: &Connection, column: Column, counts: HashMap<i64, u64>) -> Result<Vec<FacetCount>, SqliteError> {
    let mut counts: Vec<(i64, u64)> = counts.into_iter().filter(|(key, _)| *key != NO_TEXT).collect();
    counts.sort_unstable_by_key(|(key, count)| (std::cmp::Reverse(*count), *key));
    counts.truncate(MAX_VALUES);
    let mut found = Vec::with_capacity(counts.len());
    for (key, count) in counts {
        if let Some(value) = text(connection, column, key)? {
            found.push(FacetCount { value, count });
        }
    }
    Ok(sorted(found))
}

fn sorted(mut counts: Vec<FacetCount>) -> Vec<FacetCount> {
    counts.sort_by(|one, other| other.count.cmp(&one.count).then_with(|| one.value.cmp(&other.value)));
    counts
}

fn by_day(days: Vec<(NaiveDate, u64)>) -> Vec<FacetCount> {
    days.into_iter().map(|(day, count)| FacetCount { value: day.to_string(), count }).collect()
}

/// Counts of applications by the types of their jobs. An application with jobs of two types counts for both.
fn by_bits(counts: &HashMap<i64, u64>) -> Vec<FacetCount> {
    let known = TYPE_BITS.into_iter().chain([("OTHER", OTHER_TYPE)]);
    let of = |bit: i64| counts.iter().filter(|(bits, _)| *bits & bit != 0).map(|(_, count)| count).sum();
    let counts = known.map(|(value, bit)| FacetCount { value: value.to_owned(), count: of(bit) });
    sorted(counts.filter(|each| each.count > 0).collect())
}
