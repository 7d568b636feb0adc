//! Property: whatever is inserted between two pages, the pages contain the rows that a simple evaluation selects and sorts.

use std::collections::HashSet;

use proptest::prelude::*;

use super::{Index, Made, PageLimits};
use crate::ids::ApplicationId;
use crate::index::query::{Bounds, Filter, Item, ListKind, NameMatch, Sort, SortKey};

pub(super) fn made() -> impl Strategy<Value = Made> {
    let name = prop::option::weighted(0.9, "[abAB]{0,3}(éÉ|ß)?[ab]{0,2}");
    let status = prop::sample::select(vec!["FAILED", "FINISHED", "CANCELED"]);
    let job_type = prop::option::weighted(0.8, prop::sample::select(vec!["BATCH", "STREAMING"]));
    let number = || prop::option::weighted(0.8, 0..6_i64);
    (name, status, "[xyz]", job_type, (number(), number(), number()), 0..3_i64, 0..3_i64, prop::bool::weighted(0.2)).prop_map(
        |(name, status, cluster, job_type, (start, end, duration), tasks, failed, problem)| Made {
            name,
            status,
            cluster,
            job_type,
            start,
            end,
            duration,
            tasks,
            failed,
            problem,
        },
    )
}

/// Filters with random parts.
pub(super) fn filter(kind: ListKind) -> impl Strategy<Value = Filter> {
    let how = prop::sample::select(vec![NameMatch::Contains, NameMatch::Exact, NameMatch::Prefix]);
    let bounds = || prop_oneof![3 => Just(Bounds::default()), 1 => (0..6_i64, 0..6_i64).prop_map(|(a, b)| Bounds { min: Some(a.min(b)), max: Some(a.max(b)) })];
    let some = |words: &[&str]| {
        let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
        prop_oneof![3 => Just(Vec::new()), 1 => prop::collection::vec(prop::sample::select(words), 1..3)]
    };
    let name = prop::option::weighted(0.3, ("[abÉ]{1,4}", how));
    let texts = (
        some(&["FAILED", "FINISHED", "RUNNING"]),
        some(&["x", "w"]),
        some(&["file:///a/", "file:///b", "file:///c/"]),
        some(&["BATCH", "STREAMING"]),
    );
    let numbers = (bounds(), bounds(), bounds(), bounds(), bounds());
    let rare = (prop::option::weighted(0.3, any::<bool>()), prop::option::weighted(0.1, 1..60_u64));
    (name, texts, numbers, rare).prop_map(
        move |(
            name,
            (status, cluster, directory, job_type),
            (start, end, duration, failed_tasks, failed_jobs),
            (problems, application),
        )| Filter {
            status,
            name,
            cluster,
            directory,
            job_type,
            start,
            end,
            duration,
            failed_tasks,
            failed_jobs: if kind == ListKind::Applications { failed_jobs } else { Bounds::default() },
            problems,
            unclaimed: false,
            application: application
                .filter(|_| kind == ListKind::Jobs)
                .map(|number| ApplicationId::from_bytes(u128::from(number).to_be_bytes())),
        },
    )
}

fn sort(kind: ListKind) -> impl Strategy<Value = Sort> {
    let mut keys = vec![
        SortKey::Name,
        SortKey::Status,
        SortKey::Start,
        SortKey::End,
        SortKey::Duration,
        SortKey::Cluster,
        SortKey::Directory,
        SortKey::Size,
        SortKey::Failed,
    ];
    if kind == ListKind::Jobs {
        keys.push(SortKey::JobType);
    }
    (prop::sample::select(keys), any::<bool>()).prop_map(|(key, descending)| Sort { key, descending })
}

/// Limits that are low enough for these few rows.
fn limits() -> impl Strategy<Value = PageLimits> {
    let gathered = prop::sample::select(vec![0, 8, 20_000]);
    let walked = prop::sample::select(vec![3, 40, 80_000]);
    (gathered, 0..20_usize, walked).prop_map(|(gathered, sorted, walked)| PageLimits { gathered, sorted, walked, counted: 10 })
}

/// Whether the job, or the application, with this number passes the filter.
pub(super) fn passes(filter: &Filter, number: u64, job: &Made) -> bool {
    let within = |bounds: Bounds, value: Option<i64>| {
        bounds.is_open()
            || value.is_some_and(|value| bounds.min.is_none_or(|min| min <= value) && bounds.max.is_none_or(|max| value <= max))
    };
    let name = filter.name.as_ref().is_none_or(|(text, how)| {
        let text = text.to_lowercase();
        job.name.as_ref().map(|name| name.to_lowercase()).is_some_and(|name| match how {
            NameMatch::Contains => name.contains(&text),
            NameMatch::Exact => name == text,
            NameMatch::Prefix => name.starts_with(&text),
        })
    });
    let one_of = |texts: &[String], text: Option<&str>| {
        texts.is_empty() || text.is_some_and(|text| texts.iter().any(|one| one.trim_end_matches('/') == text.trim_end_matches('/')))
    };
    name && one_of(&filter.status, Some(job.status))
        && one_of(&filter.cluster, Some(&job.cluster))
        && one_of(&filter.directory, Some(directory_of(number)))
        && one_of(&filter.job_type, job.job_type)
        && filter.problems.is_none_or(|problem| problem == job.problem)
        && filter.application.is_none_or(|application| *application.as_bytes() == u128::from(number).to_be_bytes())
        && within(filter.start, job.start)
        && within(filter.end, job.end)
        && within(filter.duration, job.duration)
        && within(filter.failed_tasks, Some(job.failed))
        && within(filter.failed_jobs, Some(job.failed))
}

/// The directory of the job with this number.
pub(super) fn directory_of(number: u64) -> &'static str {
    if number.is_multiple_of(2) { "file:///b/" } else { "file:///a/" }
}

/// Whether one job, by its number, may come before another one.
fn in_order(sort: Sort, (one_number, one): (u64, &Made), (other_number, other): (u64, &Made)) -> bool {
    let number = |value: Option<i64>| value.map(|value| (value, String::new()));
    let text = |value: Option<String>| value.map(|value| (0, value));
    let key = |number_of: u64, job: &Made| match sort.key {
        SortKey::Name => text(job.name.as_ref().map(|name| name.to_lowercase())),
        SortKey::Status => text(Some(job.status.to_owned())),
        SortKey::Cluster => text(Some(job.cluster.clone())),
        SortKey::Directory => text(Some(directory_of(number_of).to_owned())),
        SortKey::JobType => text(job.job_type.map(str::to_owned)),
        SortKey::Start => number(job.start),
        SortKey::End => number(job.end),
        SortKey::Duration => number(job.duration),
        SortKey::Size => number(Some(job.tasks)),
        SortKey::Failed => number(Some(job.failed)),
    };
    match (key(one_number, one), key(other_number, other)) {
        (_, None) => true,
        (None, Some(_)) => false,
        (Some(one), Some(other)) if sort.descending => one >= other,
        (Some(one), Some(other)) => one <= other,
    }
}

/// One list, read page by page while rows are inserted.
#[derive(Debug, Clone)]
struct Case {
    kind: ListKind,
    jobs: Vec<Made>,
    later: Vec<Vec<Made>>,
    filter: Filter,
    sort: Sort,
    limit: usize,
    limits: PageLimits,
}

fn case() -> impl Strategy<Value = Case> {
    prop::sample::select(vec![ListKind::Jobs, ListKind::Applications]).prop_flat_map(|kind| {
        let rows = prop::collection::vec(made(), 0..60);
        let later = prop::collection::vec(prop::collection::vec(made(), 0..4), 1..8);
        (rows, later, filter(kind), sort(kind), 1..8_usize, limits()).prop_map(move |(jobs, later, filter, sort, limit, limits)| Case {
            kind,
            jobs,
            later,
            filter,
            sort,
            limit,
            limits,
        })
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn pages_are_the_filtered_sorted_set_without_gap_or_repeat(case in case()) {
        let Case { kind, jobs, later, filter, sort, limit, limits } = case;
        let index = Index::of(kind);
        let mut ids = index.add(&jobs, 1);
        let mut all: Vec<(u64, Made)> = (1..).zip(jobs).collect();
        let first = ids.clone();
        let expected: HashSet<&String> =
            first.iter().zip(&all).filter(|(_, (number, job))| passes(&filter, *number, job)).map(|(id, _)| id).collect();
        let whole = index.page(&filter, sort, 1_000, None);
        prop_assert_eq!(whole.items.iter().map(|item| &item.id).collect::<HashSet<_>>(), expected.clone());
        prop_assert_eq!(whole.total.count, expected.len() as u64);
        prop_assert!(whole.total.exact && whole.next.is_none());

        let (mut cursor, mut found, mut number) = (None, Vec::new(), 1_000);
        for more in later.iter().map(Vec::as_slice).chain(std::iter::repeat(&[][..])) {
            let page = index.page_within(&filter, sort, limit, cursor, limits);
            prop_assert!(page.items.len() <= limit);
            found.extend(page.items);
            cursor = page.next;
            if cursor.is_none() {
                break;
            }
            ids.extend(index.add(more, number));
            all.extend((number..).zip(more.iter().cloned()));
            number += more.len() as u64;
        }
        let distinct: HashSet<&String> = found.iter().map(|item| &item.id).collect();
        prop_assert_eq!(distinct.len(), found.len(), "a row is there twice");
        let of = |item: &Item| {
            let (number, job) = &all[ids.iter().position(|id| *id == item.id).unwrap()];
            (*number, job)
        };
        prop_assert!(found.is_sorted_by(|one, other| in_order(sort, of(one), of(other))), "out of order");
        prop_assert!(found.iter().all(|item| { let (number, job) = of(item); passes(&filter, number, job) }), "a row does not pass");
        let of_first: Vec<&String> = found.iter().map(|item| &item.id).filter(|id| first.contains(id)).collect();
        prop_assert_eq!(of_first, whole.items.iter().map(|item| &item.id).collect::<Vec<_>>());
    }
}
