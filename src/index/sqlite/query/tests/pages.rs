//! Property: whatever is inserted between two pages, the pages hold what a plain reading of the rows that were there selects and sorts.

use std::cmp::Ordering;
use std::collections::HashSet;

use proptest::prelude::*;

use super::{Index, Limits, Made};
use crate::index::query::{Bounds, Filter, Item, NameMatch, Sort, SortKey};

fn made() -> impl Strategy<Value = Made> {
    let name = prop::option::weighted(0.9, "[abAB]{0,3}(éÉ|ß)?[ab]{0,2}");
    let status = prop::sample::select(vec!["FAILED", "FINISHED", "CANCELED"]);
    let job_type = prop::option::weighted(0.8, prop::sample::select(vec!["BATCH", "STREAMING"]));
    let number = || prop::option::weighted(0.8, 0..6_i64);
    (name, status, "[xyz]", job_type, number(), number(), number(), 0..3_i64, 0..3_i64).prop_map(
        |(name, status, cluster, job_type, start, end, duration, tasks, failed)| Made {
            name,
            status,
            cluster,
            job_type,
            start,
            end,
            duration,
            tasks,
            failed,
        },
    )
}

fn filter() -> impl Strategy<Value = Filter> {
    let how = prop::sample::select(vec![NameMatch::Contains, NameMatch::Exact, NameMatch::Prefix]);
    let bounds = || prop_oneof![3 => Just(Bounds::default()), 1 => (0..6_i64, 0..6_i64).prop_map(|(a, b)| Bounds { least: Some(a.min(b)), most: Some(a.max(b)) })];
    let states = prop::collection::vec(prop::sample::select(vec!["FAILED".to_owned(), "FINISHED".to_owned(), "RUNNING".to_owned()]), 0..2);
    let clusters = prop::collection::vec("[xw]", 0..2);
    (prop::option::weighted(0.3, ("[abÉ]{1,4}", how)), states, clusters, bounds(), bounds(), bounds(), bounds()).prop_map(
        |(name, status, cluster, start, end, duration, failed_tasks)| Filter {
            status,
            name,
            cluster,
            start,
            end,
            duration,
            failed_tasks,
            ..Filter::default()
        },
    )
}

fn sort() -> impl Strategy<Value = Sort> {
    let keys = vec![
        SortKey::Name,
        SortKey::Status,
        SortKey::Start,
        SortKey::End,
        SortKey::Duration,
        SortKey::Cluster,
        SortKey::Directory,
        SortKey::Size,
        SortKey::Failed,
        SortKey::JobType,
    ];
    (prop::sample::select(keys), any::<bool>()).prop_map(|(key, descending)| Sort { key, descending })
}

/// Limits that make these few rows many.
fn limits() -> impl Strategy<Value = Limits> {
    let gathered = prop::sample::select(vec![0, 8, 20_000]);
    let walked = prop::sample::select(vec![3, 40, 80_000]);
    (gathered, 0..20_usize, walked).prop_map(|(gathered, sorted, walked)| Limits { gathered, sorted, walked, counted: 10 })
}

fn passes(filter: &Filter, job: &Made) -> bool {
    let within = |bounds: Bounds, value: Option<i64>| {
        bounds.is_open()
            || value.is_some_and(|value| bounds.least.is_none_or(|least| least <= value) && bounds.most.is_none_or(|most| value <= most))
    };
    let name = filter.name.as_ref().is_none_or(|(text, how)| {
        let text = text.to_lowercase();
        job.name.as_ref().map(|name| name.to_lowercase()).is_some_and(|name| match how {
            NameMatch::Contains => name.contains(&text),
            NameMatch::Exact => name == text,
            NameMatch::Prefix => name.starts_with(&text),
        })
    });
    name && (filter.status.is_empty() || filter.status.iter().any(|status| status == job.status))
        && (filter.cluster.is_empty() || filter.cluster.contains(&job.cluster))
        && within(filter.start, job.start)
        && within(filter.end, job.end)
        && within(filter.duration, job.duration)
        && within(filter.failed_tasks, Some(job.failed))
}

/// Whether one row may stand before another one.
fn in_order(sort: Sort, one: &Item, other: &Item) -> bool {
    let text = |text: Option<&String>| text.map(|text| text.to_lowercase());
    let numbers = |one: Option<i64>, other: Option<i64>| (one.is_none(), other.is_none(), one.cmp(&other));
    let (one_absent, other_absent, ordering) = match sort.key {
        SortKey::Name => {
            let (one, other) = (text(one.name.as_ref()), text(other.name.as_ref()));
            (one.is_none(), other.is_none(), one.cmp(&other))
        }
        SortKey::Status => (false, false, one.status.cmp(&other.status)),
        SortKey::Cluster => (false, false, one.cluster.cmp(&other.cluster)),
        SortKey::Directory => (false, false, one.directory.cmp(&other.directory)),
        SortKey::JobType => (one.job_type.is_none(), other.job_type.is_none(), one.job_type.cmp(&other.job_type)),
        SortKey::Start => numbers(one.start, other.start),
        SortKey::End => numbers(one.end, other.end),
        SortKey::Duration => numbers(one.duration, other.duration),
        SortKey::Size | SortKey::Failed => return true,
    };
    match (one_absent, other_absent) {
        (_, true) => true,
        (true, false) => false,
        (false, false) if sort.descending => ordering != Ordering::Less,
        (false, false) => ordering != Ordering::Greater,
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn pages_are_the_filtered_sorted_set_without_gap_or_repeat(
        jobs in prop::collection::vec(made(), 0..60),
        later in prop::collection::vec(prop::collection::vec(made(), 0..4), 1..8),
        filter in filter(),
        sort in sort(),
        limit in 1..8_usize,
        limits in limits(),
    ) {
        let index = Index::new();
        let ids = index.add(&jobs, 1);
        let expected: HashSet<&String> = ids.iter().zip(&jobs).filter(|(_, job)| passes(&filter, job)).map(|(id, _)| id).collect();
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
            index.add(more, number);
            number += more.len() as u64;
        }
        let distinct: HashSet<&String> = found.iter().map(|item| &item.id).collect();
        prop_assert_eq!(distinct.len(), found.len(), "a row is there twice");
        prop_assert!(found.is_sorted_by(|one, other| in_order(sort, one, other)), "out of order");
        let of_first: Vec<&String> = found.iter().map(|item| &item.id).filter(|id| ids.contains(id)).collect();
        prop_assert_eq!(of_first, whole.items.iter().map(|item| &item.id).collect::<Vec<_>>());
    }
}
