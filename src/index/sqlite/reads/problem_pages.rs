//! Problems in pages, and their numbers.

use rusqlite::{Connection, params};

use crate::clock::Timestamp;
use crate::index::cursor::Cursors;
use crate::index::model::{Page, ProblemFilter};
use crate::index::query::Total;
use crate::index::sqlite::store::sqlite_error::SqliteError;
use crate::index::sqlite::store::values::{signed, unsigned};
use crate::index::sqlite::tables::problems::{COLUMNS, VISIBLE, problem};
use crate::names::DirectoryUrl;
use crate::problem::{Problem, ProblemCode};

/// Problems are counted up to this number.
const COUNTED: u64 = 10_000;

const FILTERED: &str = "(?1 IS NULL OR p.code IN (SELECT value FROM json_each(?1)))
    AND (?2 IS NULL OR d.url IN (SELECT value FROM json_each(?2)))
    AND (?3 IS NULL OR p.cluster IN (SELECT value FROM json_each(?3)))
    AND (?4 IS NULL OR p.application = ?4)";

/// Problems on record, oldest first, from a cursor on.
pub(in crate::index) fn problem_page(
    connection: &Connection,
    filter: &ProblemFilter,
    cursor: Option<&str>,
    limit: usize,
) -> Result<(Page<Problem>, Total), SqliteError> {
    let cursors = Cursors::of(&("problems", filter));
    let (since, after) = cursor.map(|cursor| cursors.position(cursor)).transpose()?.unwrap_or((Timestamp::MIN, i64::MIN));
    let codes: Vec<&str> = filter.codes.iter().map(|code| code.as_str()).collect();
    let (codes, directories, clusters) = (list(&codes), list(&filter.directories), list(&filter.clusters));
    let application = filter.application.as_ref().map(|id| id.as_bytes().as_slice());
    let mut rows: Vec<(i64, Timestamp, Option<Problem>)> = connection
        .prepare_cached(&format!(
            "SELECT {COLUMNS} FROM {VISIBLE} AND {FILTERED} AND (p.since, p.id) > (?5, ?6) ORDER BY p.since, p.id LIMIT ?7"
        ))?
        .query_map(params![codes, directories, clusters, application, since, after, signed(limit as u64 + 1)], |row| {
            Ok((row.get("id")?, row.get("since")?, problem(row)?))
        })?
        .collect::<Result<_, _>>()?;
    let next = cursors.cut(&mut rows, limit, |(id, since, _)| (*since, *id))?;
    let count: i64 = if clusters.is_none() && application.is_none() {
        connection
            .prepare_cached(
                "SELECT coalesce(sum(p.number), 0) FROM problem_counts p JOIN directories d ON d.id = p.directory
                 WHERE d.position IS NOT NULL AND (?1 IS NULL OR p.code IN (SELECT value FROM json_each(?1)))
                     AND (?2 IS NULL OR d.url IN (SELECT value FROM json_each(?2)))",
            )?
            .query_row(params![codes, directories], |row| row.get(0))?
    } else {
        connection
            .prepare_cached(&format!("SELECT count(*) FROM (SELECT 1 FROM {VISIBLE} AND {FILTERED} LIMIT ?5)"))?
            .query_row(params![codes, directories, clusters, application, signed(COUNTED + 1)], |row| row.get(0))?
    };
    let count = unsigned(count);
    let total = Total { count: count.min(COUNTED), exact: count <= COUNTED };
    Ok((Page { rows: rows.into_iter().filter_map(|(_, _, problem)| problem).collect(), next }, total))
}

/// Numbers of problems by directory and code.
pub(in crate::index) fn problem_counts(connection: &Connection) -> Result<Vec<(DirectoryUrl, ProblemCode, u64)>, SqliteError> {
    let counts: Vec<(String, String, i64)> = connection
        .prepare_cached(
            "SELECT d.url, c.code, c.number FROM problem_counts c JOIN directories d ON d.id = c.directory
             WHERE d.position IS NOT NULL AND c.number > 0",
        )?
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?
        .collect::<Result<_, _>>()?;
    let known =
        counts.into_iter().filter_map(|(url, code, count)| Some((DirectoryUrl::new(url), ProblemCode::parse(&code)?, unsigned(count))));
    Ok(known.collect())
}

/// Texts as a JSON list; `None` if there are none.
fn list(texts: &[impl AsRef<str>]) -> Option<String> {
    let texts: Vec<&str> = texts.iter().map(AsRef::as_ref).collect();
    (!texts.is_empty()).then(|| serde_json::json!(texts).to_string())
}
