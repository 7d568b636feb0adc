//! Lists over generated rows, compared with a simple evaluation of the same rows and with SQLite's own counters.

use std::cell::RefCell;
use std::collections::BTreeSet;

use rusqlite::{Connection, StatementStatus, params};

use super::page::{DEFAULT_LIMITS, PageLimits, page_within};
use crate::index::query::{Bounds, Filter, ListKind, ListPage, ListQuery, NameMatch, Scope, Sort, SortKey};
use crate::index::sqlite::store::connection::open_writer;
use crate::index::sqlite::store::values::signed;
use crate::index::sqlite::tables::list_rows;

mod facets;
mod pages;

thread_local! {
    static STATEMENTS: RefCell<BTreeSet<String>> = const { RefCell::new(BTreeSet::new()) };
}

/// Records the executed statements, so that their counters can be read.
pub(super) fn note(sql: &str) {
    STATEMENTS.with_borrow_mut(|statements| {
        statements.insert(sql.to_owned());
    });
}

/// An index in a folder of its own.
pub(super) struct Index {
    pub(super) connection: Connection,
    /// The list that is read.
    pub(super) kind: ListKind,
    _folder: tempfile::TempDir,
}

/// The fields of a generated job.
#[derive(Debug, Clone)]
pub(super) struct Made {
    pub(super) name: Option<String>,
    pub(super) status: &'static str,
    pub(super) cluster: String,
    pub(super) job_type: Option<&'static str>,
    pub(super) start: Option<i64>,
    pub(super) end: Option<i64>,
    pub(super) duration: Option<i64>,
    pub(super) tasks: i64,
    pub(super) failed: i64,
    pub(super) problem: bool,
}

impl Index {
    pub(super) fn new() -> Self {
        Self::of(ListKind::Jobs)
    }

    pub(super) fn of(kind: ListKind) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let connection = open_writer(&folder.path().join("index.sqlite"), None).unwrap();
        connection.set_prepared_statement_cache_capacity(500);
        connection.execute_batch("INSERT INTO directories (url, position) VALUES ('file:///b/', 0), ('file:///a/', 1)").unwrap();
        Self { connection, kind, _folder: folder }
    }

    /// Adds jobs, each with an application with the same id and fields. Returns their ids as in lists.
    pub(super) fn add(&self, jobs: &[Made], first: u64) -> Vec<String> {
        let connection = &self.connection;
        connection.execute_batch("BEGIN").unwrap();
        let mut ids = Vec::new();
        for (number, made) in (first..).zip(jobs) {
            let id = u128::from(number).to_be_bytes();
            connection
                .prepare_cached("INSERT INTO units (directory, cluster, name, complete) VALUES (?1, ?2, ?3, 1)")
                .unwrap()
                .execute(params![signed(1 + number % 2), made.cluster, id])
                .unwrap();
            let unit = connection.last_insert_rowid();
            connection
                .prepare_cached(
                    "INSERT INTO jobs (unit, job, archived, shown, name, status, start_time, end_time, duration, job_type, tasks, failed_tasks,
                     task_counts, overview) VALUES (?1, ?2, 1, 1, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, '{}', '{}')",
                )
                .unwrap()
                .execute(params![
                    unit, id, made.name, made.status, made.start, made.end, made.duration, made.job_type, made.tasks, made.failed
                ])
                .unwrap();
            connection
                .prepare_cached(
                    "INSERT INTO applications (unit, application, shown, name, status, start_time, end_time, duration, jobs, failed_jobs,
                     job_counts, overview) VALUES (?1, ?2, 1, ?3, ?4, ?5, ?6, ?7, ?8, ?9, '{}', '{}')",
                )
                .unwrap()
                .execute(params![unit, id, made.name, made.status, made.start, made.end, made.duration, made.tasks, made.failed])
                .unwrap();
            if made.problem {
                connection
                    .prepare_cached(
                        "INSERT INTO problems (directory, unit, archive, code, cluster, application, file, reason, since)
                         VALUES (?1, ?2, ?3, 'archive-unreadable', ?4, ?3, 'x', 'cannot be read', 0)",
                    )
                    .unwrap()
                    .execute(params![signed(1 + number % 2), unit, id, made.cluster])
                    .unwrap();
            }
            list_rows::sync(connection, unit).unwrap();
            ids.push(format!("{number:032x}"));
        }
        connection.execute_batch("COMMIT").unwrap();
        ids
    }

    /// Replaces the fields of jobs and applications, except their clusters.
    pub(super) fn replace(&self, jobs: &[Made], first: i64) {
        let fields = "name = ?2, status = ?3, start_time = ?4, end_time = ?5, duration = ?6";
        for (unit, made) in (first..).zip(jobs) {
            let wide = |sql: &str, more: &[&dyn rusqlite::ToSql]| {
                let values: [&dyn rusqlite::ToSql; 6] = [&unit, &made.name, &made.status, &made.start, &made.end, &made.duration];
                self.connection.execute(sql, [values.as_slice(), more].concat().as_slice()).unwrap();
            };
            wide(
                &format!("UPDATE jobs SET {fields}, job_type = ?7, tasks = ?8, failed_tasks = ?9 WHERE unit = ?1"),
                &[&made.job_type, &made.tasks, &made.failed],
            );
            wide(&format!("UPDATE applications SET {fields}, jobs = ?7, failed_jobs = ?8 WHERE unit = ?1"), &[&made.tasks, &made.failed]);
            list_rows::sync(&self.connection, unit).unwrap();
        }
    }

    fn page(&self, filter: &Filter, sort: Sort, limit: usize, cursor: Option<String>) -> ListPage {
        self.page_within(filter, sort, limit, cursor, DEFAULT_LIMITS)
    }

    fn page_within(&self, filter: &Filter, sort: Sort, limit: usize, cursor: Option<String>, limits: PageLimits) -> ListPage {
        let query = ListQuery { kind: self.kind, filter: filter.clone(), sort, limit, cursor };
        page_within(&self.connection, &Scope::everything(), &query, limits).unwrap()
    }

    /// Steps of SQLite's virtual machine, and rows that it scanned without an index, while `act` runs.
    pub(super) fn steps(&self, act: impl FnOnce()) -> (i32, i32) {
        let counted = |status| -> i32 {
            let statements = STATEMENTS.with_borrow(Clone::clone);
            statements.iter().map(|sql| self.connection.prepare_cached(sql).unwrap().get_status(status)).sum()
        };
        let before = (counted(StatementStatus::VmStep), counted(StatementStatus::FullscanStep));
        act();
        (counted(StatementStatus::VmStep) - before.0, counted(StatementStatus::FullscanStep) - before.1)
    }
}

#[test]
fn no_page_takes_more_than_a_bounded_number_of_steps() {
    let index = Index::new();
    let rows: i64 = 30_000;
    let jobs: Vec<Made> = (0..rows)
        .map(|number| Made {
            name: Some(if number % 10_000 == 7 { format!("rare-Größe-{number}") } else { format!("orders-{}", number % 5_000) }),
            status: if number % 20 == 0 { "FAILED" } else { "FINISHED" },
            cluster: format!("cluster-{}", number % 40),
            job_type: Some("STREAMING"),
            start: Some(number * 1_000),
            end: Some(number * 1_000 + 500),
            duration: Some((number * 7_919) % 100_000),
            tasks: number % 9,
            failed: i64::from(number % 20 == 0),
            problem: false,
        })
        .collect();
    index.add(&jobs, 1);
    let name = |text: &str, how| Filter { name: Some((text.to_owned(), how)), ..Filter::default() };
    let status = |status: &str| Filter { status: vec![status.to_owned()], ..Filter::default() };
    let both = Filter { cluster: vec!["cluster-3".to_owned()], failed_tasks: Bounds { min: Some(1), max: None }, ..Filter::default() };
    // Rows, and the maximum of steps of one page of 50. A plain scan would take more than ten steps for each of the 30,000 rows.
    for (what, filter, expected, max) in [
        ("all", Filter::default(), rows, 140_000),
        ("common state", status("FINISHED"), rows / 20 * 19, 400_000),
        ("rarer state", status("FAILED"), rows / 20, 120_000),
        ("absent state", status("CANCELED"), 0, 2_000),
        ("common name", name("ORDERS", NameMatch::Contains), rows - 3, 1_500_000),
        ("rare name", name("grösse", NameMatch::Contains), 0, 2_000),
        ("rare name", name("GRÖßE", NameMatch::Contains), 3, 4_000),
        ("absent name", name("zzzyyyxxx", NameMatch::Contains), 0, 2_000),
        ("prefix", name("orders-4321", NameMatch::Prefix), 6, 4_000),
        ("exact", name("orders-4321", NameMatch::Exact), 6, 4_000),
        ("nothing in common", both, 0, 60_000),
    ] {
        for (key, descending) in [(SortKey::End, true), (SortKey::Duration, false), (SortKey::Status, false), (SortKey::Name, true)] {
            let sort = Sort { key, descending };
            // A statement has counters only after its first execution.
            let first = index.page(&filter, sort, 50, None);
            let mut page = None;
            let (steps, scanned) = index.steps(|| page = Some(index.page(&filter, sort, 50, None)));
            let page = page.unwrap();
            assert_eq!(page, first);
            assert_eq!(i64::try_from(page.items.len()).unwrap(), expected.min(50), "{what} {key:?}");
            assert!(steps < max, "{what} by {key:?}: {steps} steps");
            assert!(scanned < 30_000, "{what} by {key:?}: {scanned} rows scanned");
            if expected <= 10_000 || ["all", "common state"].contains(&what) {
                assert_eq!((i64::try_from(page.total.count).unwrap(), page.total.exact), (expected, true), "{what} by {key:?}");
            }
        }
    }
}
