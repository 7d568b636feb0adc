//! Problems in pages, and their numbers.

use std::ops::ControlFlow;

use rusqlite::{Connection, Row, params};

use crate::clock::Timestamp;
use crate::index::cursor::Cursors;
use crate::index::model::{Page, ProblemFilter};
use crate::index::query::{Part, Total};
use crate::index::sqlite::store::sqlite_error::SqliteError;
use crate::index::sqlite::store::values::{signed, unsigned};
use crate::index::sqlite::tables::problems::{COLUMNS, VISIBLE, problem};
use crate::index::sqlite::visibility::Visibility;
use crate::names::DirectoryUrl;
use crate::problem::{Problem, ProblemCode};

/// Problems are counted up to this number.
const COUNTED: u64 = 10_000;

const FILTERED: &str = "(?1 IS NULL OR p.code IN (SELECT value FROM json_each(?1)))
    AND (?2 IS NULL OR d.url IN (SELECT value FROM json_each(?2)))
    AND (?3 IS NULL OR p.cluster IN (SELECT value FROM json_each(?3)))
    AND (?4 IS NULL OR p.application = ?4)";

/// Problems on record within a part of the index, oldest first, from a cursor on.
pub(in crate::index) fn problem_page(
    connection: &Connection,
    part: &Part,
    filter: &ProblemFilter,
    cursor: Option<&str>,
    limit: usize,
) -> Result<(Page<Problem>, Total), SqliteError> {
    let cursors = Cursors::of(&("problems", filter));
    let after = cursor.map(|cursor| cursors.position(cursor)).transpose()?.unwrap_or((Timestamp::MIN, i64::MIN));
    let mut rows: Vec<(i64, Timestamp, Option<Problem>)> = Vec::new();
    each_problem(connection, part, filter, after, if part.is_by_directory() { Some(limit + 1) } else { None }, |row| {
        rows.push((row.get("id")?, row.get("since")?, problem(row)?));
        Ok(if rows.len() > limit { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
    })?;
    let next = cursors.cut(&mut rows, limit, |(id, since, _)| (*since, *id))?;
    let page = Page { rows: rows.into_iter().filter_map(|(_, _, problem)| problem).collect(), next };
    Ok((page, problem_count(connection, part, filter)?))
}

/// Number of problems on record within a part of the index.
pub(in crate::index::sqlite) fn problem_count(connection: &Connection, part: &Part, filter: &ProblemFilter) -> Result<Total, SqliteError> {
    let mut count = 0;
    if *part == Part::Everything && filter.clusters.is_empty() && filter.application.is_none() {
        let codes: Vec<&str> = filter.codes.iter().map(|code| code.as_str()).collect();
        let counted: i64 = connection
            .prepare_cached(
                "SELECT coalesce(sum(p.number), 0) FROM problem_counts p JOIN directories d ON d.id = p.directory
                 WHERE d.position IS NOT NULL AND (?1 IS NULL OR p.code IN (SELECT value FROM json_each(?1)))
                     AND (?2 IS NULL OR d.url IN (SELECT value FROM json_each(?2)))",
            )?
            .query_row(params![list(&codes), list(&filter.directories)], |row| row.get(0))?;
        count = unsigned(counted);
    } else {
        each_problem(connection, part, filter, (Timestamp::MIN, i64::MIN), None, |_| {
            count += 1;
            Ok(if count > COUNTED { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
        })?;
    }
    Ok(Total { count: count.min(COUNTED), exact: count <= COUNTED })
}

/// Passes problems within a part of the index to `visit`, oldest first, until it breaks. `limit`: maximum number of rows that are read.
fn each_problem(
    connection: &Connection,
    part: &Part,
    filter: &ProblemFilter,
    after: (Timestamp, i64),
    limit: Option<usize>,
    mut visit: impl FnMut(&Row<'_>) -> rusqlite::Result<ControlFlow<()>>,
) -> Result<(), SqliteError> {
    let codes: Vec<&str> = filter.codes.iter().map(|code| code.as_str()).collect();
    let (codes, directories, clusters) = (list(&codes), list(&filter.directories), list(&filter.clusters));
    let application = filter.application.as_ref().map(|id| id.as_bytes().as_slice());
    let limit = limit.filter(|_| *part == Part::Everything).map_or(-1, |limit| signed(limit as u64));
    let mut query = connection.prepare_cached(&format!(
        "SELECT {COLUMNS}, p.unit AS unit_id FROM {VISIBLE} AND {FILTERED} AND (p.since, p.id) > (?5, ?6) ORDER BY p.since, p.id LIMIT ?7"
    ))?;
    let mut rows = query.query(params![codes, directories, clusters, application, after.0, after.1, limit])?;
    let mut visibility = Visibility::of(part);
    while let Some(row) = rows.next()? {
        if *part != Part::Everything {
            let unit: Option<i64> = row.get("unit_id")?;
            let visible = if let Some(unit) = unit {
                visibility.unit(connection, unit)?
            } else {
                // Found by a listing.
                let (url, cluster): (String, Option<String>) = (row.get("url")?, row.get("cluster")?);
                part.has_unknown(&url, cluster.as_deref(), None)
            };
            if !visible {
                continue;
            }
        }
        if visit(row)?.is_break() {
            break;
        }
    }
    Ok(())
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
