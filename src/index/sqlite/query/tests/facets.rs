//! Facets, compared with a simple count of the same rows, both from stored counts and from a walk.

use std::collections::BTreeMap;

use chrono::TimeZone as _;
use chrono_tz::Tz;
use proptest::prelude::*;

use super::pages::{directory_of, filter, made, passes};
use super::{Index, Made};
use crate::index::query::{Bounds, FacetCount, FacetKey, FacetQuery, Facets, Filter, ListKind, Scope};
use crate::index::sqlite::query::facets;

const HOUR: i64 = 3_600_000;
const ALL: [FacetKey; 5] = [FacetKey::Status, FacetKey::Cluster, FacetKey::Directory, FacetKey::Day, FacetKey::JobType];

fn read(index: &Index, filter: &Filter, zone: Tz, scope: &Scope) -> Facets {
    let query = FacetQuery { kind: index.kind, filter: filter.clone(), by: ALL.to_vec(), zone };
    facets(&index.connection, scope, &query).unwrap()
}

/// The filter without the part of one facet.
fn without(filter: &Filter, facet: FacetKey) -> Filter {
    let mut rest = filter.clone();
    match facet {
        FacetKey::Status => rest.status.clear(),
        FacetKey::Cluster => rest.cluster.clear(),
        FacetKey::Directory => rest.directory.clear(),
        FacetKey::JobType => rest.job_type.clear(),
        FacetKey::Day => rest.end = Bounds::default(),
    }
    rest
}

fn value(facet: FacetKey, zone: Tz, number: u64, job: &Made) -> Option<String> {
    match facet {
        FacetKey::Status => Some(job.status.to_owned()),
        FacetKey::Cluster => Some(job.cluster.clone()),
        FacetKey::Directory => Some(directory_of(number).to_owned()),
        FacetKey::JobType => job.job_type.map(str::to_owned),
        FacetKey::Day => job.end.map(|end| zone.timestamp_millis_opt(end).unwrap().date_naive().to_string()),
    }
}

fn check(index: &Index, jobs: &[Made], filter: &Filter, zone: Tz) -> Result<(), TestCaseError> {
    let found = read(index, filter, zone, &Scope::everything());
    prop_assert!(found.exact);
    for facet in ALL {
        let rest = without(filter, facet);
        let mut expected: BTreeMap<String, u64> = BTreeMap::new();
        for (number, job) in (1..).zip(jobs).filter(|(number, job)| passes(&rest, *number, job)) {
            if let Some(value) = value(facet, zone, number, job) {
                *expected.entry(value).or_default() += 1;
            }
        }
        let counts: &Vec<FacetCount> = match facet {
            FacetKey::Status => &found.status,
            FacetKey::Cluster => &found.cluster,
            FacetKey::Directory => &found.directory,
            FacetKey::JobType => &found.job_type,
            FacetKey::Day => &found.day,
        }
        .as_ref()
        .unwrap();
        let found: BTreeMap<String, u64> = counts.iter().map(|each| (each.value.clone(), each.count)).collect();
        prop_assert_eq!(found.len(), counts.len(), "a value repeats");
        prop_assert_eq!(found, expected, "{:?} under {:?}", facet, filter);
        let ordered = match facet {
            FacetKey::Day => counts.is_sorted_by(|one, other| one.value > other.value),
            _ => counts.is_sorted_by(|one, other| one.count >= other.count),
        };
        prop_assert!(ordered, "{:?}: {:?}", facet, counts);
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn facets_are_a_plain_count_under_the_rest_of_the_filter(
        (kind, filter) in prop::sample::select(vec![ListKind::Jobs, ListKind::Applications])
            .prop_flat_map(|kind| (Just(kind), prop_oneof![1 => Just(Filter::default()), 3 => filter(kind)])),
        jobs in prop::collection::vec(made(), 0..40),
        zone in prop::sample::select(vec![Tz::UTC, Tz::Europe__Berlin, Tz::Asia__Kathmandu]),
    ) {
        let index = Index::of(kind);
        index.add(&jobs, 1);
        check(&index, &jobs, &filter, zone)?;
        for facet in ALL {
            // Each part alone: the stored counts answer some facets, a walk the others.
            let mut alone = Filter::default();
            match facet {
                FacetKey::Status => alone.status.clone_from(&filter.status),
                FacetKey::Cluster => alone.cluster.clone_from(&filter.cluster),
                FacetKey::Directory => alone.directory.clone_from(&filter.directory),
                FacetKey::JobType => alone.job_type.clone_from(&filter.job_type),
                FacetKey::Day => alone.end = filter.end,
            }
            check(&index, &jobs, &alone, zone)?;
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn what_is_counted_with_each_row_follows_rows_that_change_and_go(
        kind in prop::sample::select(vec![ListKind::Jobs, ListKind::Applications]),
        jobs in prop::collection::vec(made(), 1..30),
        others in prop::collection::vec(made(), 30),
        missing in prop::collection::vec(any::<bool>(), 30),
    ) {
        let index = Index::of(kind);
        index.add(&jobs, 1);
        // Every second row changes, as if its archive had been written again.
        let replaced: Vec<Made> = jobs.iter().zip(&others).enumerate().map(|(number, (job, other))| {
            let one = if number % 2 == 0 { other } else { job };
            Made { cluster: job.cluster.clone(), ..one.clone() }
        }).collect();
        index.replace(&replaced, 1);
        check(&index, &replaced, &Filter::default(), Tz::UTC)?;
        let units: Vec<i64> = (1..).zip(replaced.iter().zip(&missing)).filter(|(_, (_, missing))| **missing).map(|(unit, _)| unit).collect();
        for unit in units {
            index.connection.execute("DELETE FROM units WHERE id = ?1", [unit]).unwrap();
        }
        let left: i64 = replaced.iter().zip(&missing).filter(|(_, missing)| !**missing).count().try_into().unwrap();
        let found = read(&index, &Filter::default(), Tz::UTC, &Scope::everything());
        prop_assert_eq!(found.status.unwrap().iter().map(|each| each.count).sum::<u64>(), left.unsigned_abs());
        let kept = |kind: i64| index.connection.query_row(
            "SELECT count(*), coalesce(sum(number), 0), coalesce(min(number), 1) FROM list_counts WHERE list = ?1 AND dimension = 1",
            [kind],
            |row| Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?, row.get::<_, i64>(2)?)),
        ).unwrap();
        for kind in [1, 2] {
            let (cells, rows, least) = kept(kind);
            prop_assert_eq!(rows, left);
            prop_assert!(cells <= left && least > 0, "what counts nothing is not kept");
        }
    }
}

/// A job that ended then.
fn ended(end: i64) -> Made {
    Made {
        name: None,
        status: "FINISHED",
        cluster: "x".to_owned(),
        job_type: None,
        start: None,
        end: Some(end),
        duration: None,
        tasks: 1,
        failed: 0,
        problem: false,
    }
}

#[test]
fn days_of_23_and_25_hours_hold_the_jobs_of_all_their_hours() {
    let at = |text: &str| chrono::DateTime::parse_from_rfc3339(text).unwrap().timestamp_millis();
    // One job at the begin and one at the end of each hour around both changes of the clock.
    let around = |middle: i64| (-40..40).flat_map(move |hour| [middle + hour * HOUR, middle + hour * HOUR + HOUR - 1]);
    let ends: Vec<i64> = around(at("2026-03-29T00:00:00Z")).chain(around(at("2026-10-25T00:00:00Z"))).collect();
    for kind in [ListKind::Jobs, ListKind::Applications] {
        let index = Index::of(kind);
        let jobs: Vec<Made> = ends.iter().map(|end| ended(*end)).collect();
        index.add(&jobs, 1);
        // From the stored counts, and from a walk.
        for filter in [Filter::default(), Filter { failed_tasks: Bounds { min: Some(0), max: None }, ..Filter::default() }] {
            let days = read(&index, &filter, Tz::Europe__Berlin, &Scope::everything()).day.unwrap();
            let of = |day: &str| days.iter().find(|each| each.value == day).map(|each| each.count);
            assert_eq!((of("2026-03-29"), of("2026-10-25")), (Some(46), Some(50)), "{filter:?}");
            assert_eq!((of("2026-03-28"), of("2026-10-24")), (Some(48), Some(48)), "{filter:?}");
            assert_eq!(days.iter().map(|each| each.count).sum::<u64>(), ends.len() as u64);
        }
    }
}

#[test]
fn rows_out_of_scope_are_not_counted() {
    let index = Index::new();
    index.add(&[ended(0), ended(1), ended(2)], 1);
    let scope = Scope::of_directories(["file:///a/".to_owned()]);
    let found = read(&index, &Filter::default(), Tz::UTC, &scope);
    let count = |counts: &Option<Vec<FacetCount>>| counts.as_ref().unwrap().iter().map(|each| each.count).sum::<u64>();
    assert_eq!((count(&found.status), count(&found.directory), count(&found.day)), (2, 2, 2));
    index.connection.execute_batch("UPDATE directories SET position = NULL WHERE url = 'file:///a/'").unwrap();
    let found = read(&index, &Filter::default(), Tz::UTC, &Scope::everything());
    assert_eq!((count(&found.status), count(&found.directory), count(&found.day)), (1, 1, 1));
}
