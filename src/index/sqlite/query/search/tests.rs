//! The search over generated rows, compared with a simple evaluation of the same rows and with SQLite's own counters.

use rusqlite::params;

use super::limits::{DEFAULT_LIMITS, SearchLimits};
use super::search_within;
use crate::clock::Timestamp;
use crate::index::model::texts::{Text, TextKind};
use crate::index::query::{Bounds, Filter, ListKind, MatchField, Scope, SearchField, SearchPage, SearchQuery, Total};
use crate::index::sqlite::query::tests::Index;
use crate::index::sqlite::tables::{list_rows, texts};

mod pages;

/// The fields of a generated application or job.
#[derive(Debug, Clone)]
pub(super) struct Row {
    kind: ListKind,
    name: String,
    end: i64,
    status: &'static str,
    /// Pieces of each text.
    texts: Vec<(TextKind, Vec<String>)>,
}

impl Row {
    fn job(name: &str, end: i64) -> Self {
        Self { kind: ListKind::Jobs, name: name.to_owned(), end, status: "FINISHED", texts: Vec::new() }
    }

    fn with(mut self, kind: TextKind, pieces: &[&str]) -> Self {
        self.texts.push((kind, pieces.iter().map(|piece| (*piece).to_owned()).collect()));
        self
    }
}

/// Adds rows with ids that count from `first` on. Returns their ids as in lists.
fn add(index: &Index, rows: &[Row], first: u64) -> Vec<String> {
    let connection = &index.connection;
    let mut ids = Vec::new();
    connection.execute_batch("SAVEPOINT rows").unwrap();
    for (number, row) in (first..).zip(rows) {
        let texts: Vec<Text> = row.texts.iter().filter_map(|(kind, pieces)| Text::of(*kind, pieces.iter().map(String::as_str))).collect();
        let id = u128::from(number).to_be_bytes();
        connection
            .prepare_cached("INSERT INTO units (directory, cluster, name, complete) VALUES (1, 'c', ?1, 1)")
            .unwrap()
            .execute([id])
            .unwrap();
        let unit = connection.last_insert_rowid();
        let sql = match row.kind {
            ListKind::Applications => {
                "INSERT INTO applications (unit, application, shown, name, status, end_time, job_counts, overview)
                 VALUES (?1, ?2, 1, ?3, ?4, ?5, '{}', '{}')"
            }
            ListKind::Jobs => {
                "INSERT INTO jobs (unit, job, archived, shown, name, status, end_time, task_counts, overview)
                 VALUES (?1, ?2, 1, 1, ?3, ?4, ?5, '{}', '{}')"
            }
        };
        connection.prepare_cached(sql).unwrap().execute(params![unit, id, row.name, row.status, row.end]).unwrap();
        let owner = if row.kind == ListKind::Applications { unit } else { connection.last_insert_rowid() };
        texts::write(connection, row.kind, owner, &texts).unwrap();
        list_rows::sync(connection, unit).unwrap();
        ids.push(format!("{number:032x}"));
    }
    connection.execute_batch("RELEASE rows").unwrap();
    ids
}

fn query(text: &str) -> SearchQuery {
    SearchQuery { text: text.to_owned(), fields: Vec::new(), filter: Filter::default(), limit: 50, cursor: None }
}

fn found_within(index: &Index, query: &SearchQuery, limits: SearchLimits) -> SearchPage {
    search_within(&index.connection, &Scope::everything(), query, limits).unwrap()
}

fn found(index: &Index, text: &str) -> Vec<String> {
    let page = found_within(index, &query(text), DEFAULT_LIMITS);
    assert!(page.exact && page.next.is_none());
    page.items.into_iter().map(|found| found.item.id).collect()
}

fn count(index: &Index, table: &str) -> i64 {
    index.connection.query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get(0)).unwrap()
}

#[test]
fn matches_have_excerpts_with_their_hits() {
    let index = Index::new();
    let row = Row::job("Orders <b>Enrichment</b>", 5)
        .with(TextKind::Vertices, &["Source: orders", "Sink: Größe"])
        .with(TextKind::ExceptionMessages, &["java.io.IOException: Insufficient number of network buffers: required 2"])
        .with(TextKind::ClusterConfiguration, &["rest.port: 8081", "taskmanager.memory.network.max: 512m"]);
    add(&index, &[row], 1);
    let page = found_within(&index, &query("network orders"), DEFAULT_LIMITS);
    let matches: Vec<(MatchField, String, Option<String>)> = page.items[0]
        .matches
        .iter()
        .map(|found| {
            let mark = |text: &str, hit| if hit { format!("[{text}]") } else { text.to_owned() };
            (found.field, found.excerpt.iter().map(|piece| mark(&piece.text, piece.hit)).collect(), found.key.clone())
        })
        .collect();
    assert_eq!(
        matches,
        [
            (MatchField::Name, "[Orders] <b>Enrichment</b>".to_owned(), None),
            (MatchField::Vertex, "Source: [orders]".to_owned(), None),
            (
                MatchField::ExceptionMessage,
                // Forty characters before the first hit.
                "….io.IOException: Insufficient number of [network] buffers: required 2".to_owned(),
                None
            ),
            (
                MatchField::ClusterConfiguration,
                "taskmanager.memory.[network].max: 512m".to_owned(),
                Some("taskmanager.memory.network.max".to_owned())
            ),
        ]
    );
    for (text, hits) in [
        ("network buff", 1),
        ("\"network buffers\"", 1),
        ("\"buffers network\"", 0),
        ("röss", 0),
        ("röß", 1),
        ("ders", 1),
        ("ufficient", 0),
    ] {
        assert_eq!(found(&index, text).len(), hits, "{text}");
    }
}

#[test]
fn a_text_is_stored_once_and_deleted_with_its_last_row() {
    let index = Index::new();
    let shared = |name: &str| Row::job(name, 1).with(TextKind::ClusterConfiguration, &["rest.port: 8081"]);
    let own = shared("c").with(TextKind::Vertices, &["Alone"]);
    let application = Row { kind: ListKind::Applications, ..shared("d") };
    add(&index, &[shared("a"), shared("b"), own, application], 1);
    assert_eq!((count(&index, "texts"), count(&index, "job_texts"), count(&index, "application_texts")), (2, 4, 1));
    assert_eq!((found(&index, "8081").len(), found(&index, "lon").len()), (4, 1));
    for (left, unit) in [(3, 1), (2, 2), (1, 3), (0, 4)] {
        index.connection.execute("DELETE FROM units WHERE id = ?1", [unit]).unwrap();
        assert_eq!(found(&index, "8081").len(), left, "{unit}");
    }
    assert_eq!((count(&index, "texts"), count(&index, "job_texts"), count(&index, "application_texts")), (0, 0, 0));
    let words: i64 = index
        .connection
        .query_row("SELECT count(*) FROM texts_search WHERE texts_search MATCH '\"k8081\" OR \"valone\"'", [], |row| row.get(0))
        .unwrap();
    assert_eq!(words, 0);
    // Ids of texts are reused.
    add(&index, &[shared("e")], 9);
    assert_eq!(found(&index, "8081").len(), 1);
    assert_eq!(found(&index, "alone").len(), 0);
}

#[test]
fn new_texts_of_a_row_replace_its_old_ones() {
    let index = Index::new();
    add(&index, &[Row::job("a", 1).with(TextKind::Vertices, &["before", "both"])], 1);
    let texts = [Text::of(TextKind::Vertices, ["after", "both"]).unwrap()];
    for _ in 0..2 {
        texts::write(&index.connection, ListKind::Jobs, 1, &texts).unwrap();
        assert_eq!((found(&index, "before").len(), found(&index, "after").len(), found(&index, "both").len()), (0, 1, 1));
        assert_eq!(count(&index, "texts"), 1);
    }
}

#[test]
fn hidden_rows_and_rows_out_of_scope_are_not_found() {
    let index = Index::new();
    let row = |kind| Row { kind, ..Row::job("needle", 1).with(TextKind::Vertices, &["thread"]) };
    add(&index, &[row(ListKind::Applications), row(ListKind::Jobs)], 0xabcd_0000);
    let ids = "0000000000000000000000";
    for text in ["needle", "thread", ids] {
        assert_eq!(found(&index, text).len(), 2, "{text}");
        let scope = Scope::of_directories(["file:///a/".to_owned()]);
        assert!(search_within(&index.connection, &scope, &query(text), DEFAULT_LIMITS).unwrap().items.is_empty());
    }
    index.connection.execute("UPDATE units SET expired_at = 1", []).unwrap();
    (1..=2).for_each(|unit| list_rows::sync(&index.connection, unit).unwrap());
    for text in ["needle", "thread", ids] {
        assert_eq!(found(&index, text).len(), 0, "{text}");
    }
    index.connection.execute("UPDATE units SET expired_at = NULL", []).unwrap();
    (1..=2).for_each(|unit| list_rows::sync(&index.connection, unit).unwrap());
    assert_eq!(found(&index, "thread").len(), 2);
    index.connection.execute("UPDATE directories SET position = NULL", []).unwrap();
    assert_eq!(found(&index, "thread").len(), 0);
}

#[test]
fn a_cursor_belongs_to_its_search() {
    let index = Index::new();
    add(&index, &[Row::job("alpha", 1), Row::job("alpha", 2)], 1);
    let first = found_within(&index, &SearchQuery { limit: 1, ..query("alpha") }, DEFAULT_LIMITS);
    let cursor = first.next.unwrap();
    let with = |text: &str, fields: Vec<SearchField>, cursor: &str| {
        let query = SearchQuery { cursor: Some(cursor.to_owned()), fields, ..query(text) };
        search_within(&index.connection, &Scope::everything(), &query, DEFAULT_LIMITS).map(|page| page.items.len()).ok()
    };
    assert_eq!(with("alpha", vec![], &cursor), Some(1));
    assert_eq!(with("beta", vec![], &cursor), None);
    assert_eq!(with("alpha", vec![SearchField::Name], &cursor), None);
    assert_eq!(with("alpha", vec![], "AAAA"), None);
    assert_eq!(with("alpha", vec![], ""), None);
}

#[test]
fn the_first_page_counts_all_rows_and_its_cursor_keeps_the_count() {
    let index = Index::new();
    let rows: Vec<Row> = (0..30).map(|end| Row::job("alpha", end)).collect();
    add(&index, &rows, 1);
    for gathered in [0, 5_000] {
        let limits = SearchLimits { gathered, ..DEFAULT_LIMITS };
        let first = found_within(&index, &SearchQuery { limit: 7, ..query("alpha") }, limits);
        assert_eq!((first.items.len(), first.total), (7, Total { count: 30, exact: true }));
        let second = found_within(&index, &SearchQuery { limit: 7, cursor: first.next, ..query("alpha") }, limits);
        assert_eq!((second.items.len(), second.total), (7, Total { count: 30, exact: true }));
        let few = found_within(&index, &SearchQuery { limit: 7, ..query("alpha") }, SearchLimits { counted: 12, ..limits });
        assert_eq!((few.items.len(), few.total), (7, Total { count: 12, exact: false }));
        let lazy = found_within(&index, &SearchQuery { limit: 7, ..query("alpha") }, SearchLimits { counting: 4, ..limits });
        assert!(!lazy.total.exact && (8..30).contains(&lazy.total.count), "{:?}", lazy.total);
    }
}

#[test]
fn a_range_of_ends_limits_what_is_found() {
    let index = Index::new();
    let rows: Vec<Row> = (0..30)
        .map(|end| Row { kind: if end % 2 == 0 { ListKind::Jobs } else { ListKind::Applications }, ..Row::job("alpha", end) })
        .collect();
    add(&index, &rows, 1);
    for gathered in [0, 5_000] {
        for (min, max) in [(None, Some(9)), (Some(10), Some(19)), (Some(20), None), (Some(3), Some(2))] {
            let filter = Filter { end: Bounds { min, max }, ..Filter::default() };
            let (mut cursor, mut ends) = (None, Vec::new());
            loop {
                let query = SearchQuery { limit: 4, filter: filter.clone(), cursor, ..query("alpha") };
                let page = found_within(&index, &query, SearchLimits { gathered, ..DEFAULT_LIMITS });
                ends.extend(page.items.into_iter().filter_map(|found| found.item.end.map(Timestamp::as_millis)));
                cursor = page.next;
                if cursor.is_none() {
                    break;
                }
            }
            let expected: Vec<i64> = (min.unwrap_or(0)..=max.unwrap_or(29)).rev().collect();
            assert_eq!(ends, expected, "{min:?} {max:?}");
        }
    }
}

#[test]
fn no_search_takes_more_than_a_bounded_number_of_steps() {
    let index = Index::new();
    let rows: u64 = 20_000;
    let made: Vec<Row> = (0..rows)
        .map(|number| {
            let mut row = Row::job(&format!("orders-{}", number % 3_000), i64::try_from(number).unwrap())
                .with(TextKind::ClusterConfiguration, &[&format!("rest.port: {}", number % 7), "everywhere: yes"])
                .with(TextKind::Vertices, &[if number % 2 == 0 { "Source: even" } else { "Source: odd" }, &format!("sink{number}")]);
            if number % 2_000 == 7 {
                row = row.with(TextKind::ExceptionMessages, &[&format!("rarely seen {number}")]);
            }
            row
        })
        .collect();
    add(&index, &made, 0xabcd_0000_0000_0000);
    // A plain scan of 20,000 rows with their texts would take 600,000 steps and more.
    for (text, expected, most) in [
        ("everywhere", 50, 60_000),
        ("even", 50, 300_000),
        ("even everywhere", 50, 350_000),
        ("even \"rarely seen\"", 0, 60_000),
        ("orders", 50, 30_000),
        ("rarely", 10, 4_000),
        ("\"rarely seen\" 2007", 4, 4_000),
        ("sink77 orders", 50, 40_000),
        ("absent", 0, 100),
        ("absent everywhere", 0, 100),
        ("0000000000000000abcd000000001", 50, 250_000),
    ] {
        let one_page = SearchLimits { counting: 0, ..DEFAULT_LIMITS };
        // A statement has counters only after its first execution.
        let first = found_within(&index, &query(text), one_page);
        let mut page = None;
        let (steps, scanned) = index.steps(|| page = Some(found_within(&index, &query(text), one_page)));
        assert_eq!(page, Some(first.clone()), "{text}");
        assert_eq!(first.items.len(), expected, "{text}");
        assert!(steps < most, "{text}: {steps} steps");
        assert!(scanned < 20_000, "{text}: {scanned} rows scanned");
    }
    let (steps, _) = index.steps(|| assert_eq!(found_within(&index, &query("even everywhere"), DEFAULT_LIMITS).total.count, 1_000));
    assert!(steps < 600_000, "{steps} steps for a page and the count");
    // With a low limit of work, pages end early, and their cursors lead to the same rows.
    let little = SearchLimits { texts: 10, gathered: 10, work: 2_000, ..DEFAULT_LIMITS };
    let (mut cursor, mut ids, mut pages) = (None, Vec::new(), 0);
    loop {
        let page = found_within(&index, &SearchQuery { cursor, ..query("rarely") }, little);
        ids.extend(page.items.into_iter().map(|found| found.item.id));
        pages += 1;
        cursor = page.next;
        if cursor.is_none() {
            break;
        }
    }
    assert_eq!(ids, found(&index, "rarely"));
    assert!(pages > 10, "{pages} pages");
}
