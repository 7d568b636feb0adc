//! Problems on record.

use std::collections::HashSet;

use rusqlite::{Connection, Row, params};

use crate::directory::FileKind;
use crate::ids::ApplicationId;
use crate::index::sqlite::store::session::Session;
use crate::index::sqlite::store::sqlite_error::SqliteError;
use crate::index::sqlite::store::values::file_key;
use crate::names::{ClusterName, DirectoryUrl, FilePath};
use crate::problem::{Problem, ProblemChanges, ProblemCode, Subject};

pub(in crate::index::sqlite) const COLUMNS: &str =
    "p.id, p.code, d.url, p.cluster, p.application, p.file, p.reason, p.since, p.next_attempt";

/// Problems except those of missing files and units. Their numbers are in `problem_counts`.
pub(in crate::index::sqlite) const VISIBLE: &str =
    "problems p JOIN directories d ON d.id = p.directory WHERE d.position IS NOT NULL AND p.hidden = 0";

/// Number of problems on record.
pub(in crate::index::sqlite) fn count(connection: &Connection) -> Result<i64, SqliteError> {
    let sql =
        "SELECT coalesce(sum(c.number), 0) FROM problem_counts c JOIN directories d ON d.id = c.directory WHERE d.position IS NOT NULL";
    Ok(connection.prepare_cached(sql)?.query_row([], |row| row.get(0))?)
}

/// Problems of a unit as they are shown now.
pub(in crate::index::sqlite) fn of_unit(session: &Session<'_>, unit: i64) -> Result<Vec<Problem>, SqliteError> {
    let problems = session
        .connection
        .prepare_cached(&format!("SELECT {COLUMNS} FROM {VISIBLE} AND p.unit = ?1 ORDER BY p.id"))?
        .query_map([unit], problem)?
        .filter_map(Result::transpose)
        .collect::<Result<_, _>>()?;
    Ok(problems)
}

/// Problems of a unit, or of one of its archives, as they are shown now, oldest first.
pub(in crate::index::sqlite) fn of_archive(
    connection: &Connection,
    unit: i64,
    archive: Option<&[u8]>,
) -> Result<Vec<Problem>, SqliteError> {
    let problems = connection
        .prepare_cached(&format!(
            "SELECT {COLUMNS} FROM {VISIBLE} AND p.unit = ?1 AND (?2 IS NULL OR p.archive = ?2) ORDER BY p.since, p.id"
        ))?
        .query_map(params![unit, archive], problem)?
        .filter_map(Result::transpose)
        .collect::<Result<_, _>>()?;
    Ok(problems)
}

/// Problems that appeared and problems that were resolved between two states.
pub(in crate::index::sqlite) fn changes(before: Vec<Problem>, after: &[Problem]) -> ProblemChanges {
    let key = |problem: &Problem| (problem.code, problem.subject.clone());
    let (old, new): (HashSet<_>, HashSet<_>) = (before.iter().map(key).collect(), after.iter().map(key).collect());
    ProblemChanges {
        appeared: after.iter().filter(|problem| !old.contains(&key(problem))).cloned().collect(),
        resolved: before.into_iter().filter(|problem| !new.contains(&key(problem))).collect(),
    }
}

/// Replaces the problems of a unit itself and of the tried files.
pub(in crate::index::sqlite) fn replace_of_unit(
    session: &mut Session<'_>,
    (directory, unit): (i64, i64),
    tried: &[(FilePath, FileKind)],
    problems: Vec<Problem>,
) -> Result<(), SqliteError> {
    let before = stored(session, "p.unit = ?1", unit)?;
    let problems = one_of_a_kind(problems);
    for (row, old) in &before {
        let replaced = old.subject.file.as_ref().is_none_or(|file| tried.iter().any(|(path, _)| path == file));
        if replaced && !problems.iter().any(|new| same(old, new)) {
            delete(session, *row)?;
        }
    }
    for problem in problems {
        let kind = problem.subject.file.as_ref().and_then(|file| tried.iter().find(|(path, _)| path == file)).map(|(_, kind)| *kind);
        write(session, directory, Some((unit, kind)), &before, &problem)?;
    }
    Ok(())
}

/// Replaces the problems that a listing of a directory found.
pub(in crate::index) fn replace_of_listing(
    session: &mut Session<'_>,
    url: &DirectoryUrl,
    problems: Vec<Problem>,
) -> Result<ProblemChanges, SqliteError> {
    let directory = session.directory(url)?;
    let before = stored(session, "p.directory = ?1 AND p.unit IS NULL", directory)?;
    let problems = one_of_a_kind(problems);
    for (row, old) in &before {
        if !problems.iter().any(|new| same(old, new)) {
            delete(session, *row)?;
        }
    }
    for problem in &problems {
        write(session, directory, None, &before, problem)?;
    }
    Ok(changes(before.into_iter().map(|(_, problem)| problem).collect(), &problems))
}

fn same(one: &Problem, other: &Problem) -> bool {
    one.code == other.code && one.subject == other.subject
}

/// At most one problem per subject and code is kept; its sentence says how many more there are.
fn one_of_a_kind(problems: Vec<Problem>) -> Vec<Problem> {
    let mut kept: Vec<(Problem, usize)> = Vec::new();
    for problem in problems {
        match kept.iter_mut().find(|(first, _)| same(first, &problem)) {
            Some((_, more)) => *more += 1,
            None => kept.push((problem, 0)),
        }
    }
    let mut shown = Vec::with_capacity(kept.len());
    for (mut problem, more) in kept {
        if more > 0 {
            problem.reason = format!("{} (and {more} more like this)", problem.reason);
        }
        shown.push(problem);
    }
    shown
}

/// Problems under this condition, including those of missing files.
fn stored(session: &Session<'_>, condition: &str, key: i64) -> Result<Vec<(i64, Problem)>, SqliteError> {
    let mut found = Vec::new();
    let mut query = session
        .connection
        .prepare_cached(&format!("SELECT {COLUMNS} FROM problems p JOIN directories d ON d.id = p.directory WHERE {condition}"))?;
    let mut rows = query.query([key])?;
    while let Some(row) = rows.next()? {
        match problem(row)? {
            Some(problem) => found.push((row.get("id")?, problem)),
            // A code of an earlier version that this version does not have.
            None => delete(session, row.get("id")?)?,
        }
    }
    Ok(found)
}

fn delete(session: &Session<'_>, row: i64) -> Result<(), SqliteError> {
    session.connection.prepare_cached("DELETE FROM problems WHERE id = ?1")?.execute([row])?;
    Ok(())
}

fn write(
    session: &Session<'_>,
    directory: i64,
    unit: Option<(i64, Option<FileKind>)>,
    before: &[(i64, Problem)],
    problem: &Problem,
) -> Result<(), SqliteError> {
    if let Some((row, old)) = before.iter().find(|(_, old)| same(old, problem)) {
        if old.reason != problem.reason || old.next_attempt != problem.next_attempt {
            session.connection.prepare_cached("UPDATE problems SET reason = ?2, next_attempt = ?3 WHERE id = ?1")?.execute(params![
                row,
                problem.reason,
                problem.next_attempt
            ])?;
        }
        return Ok(());
    }
    let archive = unit.and_then(|(_, kind)| kind);
    session
        .connection
        .prepare_cached(
            "INSERT INTO problems (directory, unit, archive, code, cluster, application, file, reason, since, next_attempt)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
        )?
        .execute(params![
            directory,
            unit.map(|(unit, _)| unit),
            archive.as_ref().map(file_key),
            problem.code.as_str(),
            problem.subject.cluster.as_ref().map(ClusterName::as_str),
            problem.subject.application.as_ref().map(ApplicationId::as_bytes),
            problem.subject.file.as_ref().map(FilePath::as_str),
            problem.reason,
            problem.since,
            problem.next_attempt,
        ])?;
    Ok(())
}

/// The problem in these [`COLUMNS`]; `None` if its code is of an earlier version.
pub(in crate::index::sqlite) fn problem(row: &Row<'_>) -> rusqlite::Result<Option<Problem>> {
    let Some(code) = ProblemCode::parse(row.get_ref("code")?.as_str()?) else { return Ok(None) };
    let subject = Subject {
        directory: DirectoryUrl::new(row.get::<_, String>("url")?),
        cluster: row.get::<_, Option<String>>("cluster")?.map(ClusterName::new),
        application: row.get("application")?,
        file: row.get::<_, Option<String>>("file")?.map(FilePath::new),
    };
    Ok(Some(Problem { code, subject, reason: row.get("reason")?, since: row.get("since")?, next_attempt: row.get("next_attempt")? }))
}
