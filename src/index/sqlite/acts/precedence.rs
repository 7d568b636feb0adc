//! Which of several copies of an id is shown: one rule for lists, ids and documents alike.

use std::sync::LazyLock;

use rusqlite::{Connection, params};

use crate::archive::Owner;
use crate::ids::{ApplicationId, JobId};
use crate::index::sqlite::store::session::Session;
use crate::index::sqlite::store::sqlite_error::SqliteError;
use crate::index::sqlite::tables::units::Touched;

/// A copy is hidden while its directory is not configured or it is marked as expired.
pub(in crate::index::sqlite) const VISIBLE: &str = "(d.position IS NOT NULL AND u.expired_at IS NULL)";

/// The order of copies, best first, over `x` (applications or jobs), `u` (units), `d` (directories), `a` (archives).
///
/// Copies that can be listed come before copies that only have documents, and those before jobs that a summary only names. Then
/// complete before incomplete, present before missing, of an application before legacy, newer summary (legacy: file), later
/// directory, cluster name. The order is total, because no two units have the same directory, cluster and id.
pub(in crate::index::sqlite) const RANK: &str = "(x.overview IS NOT NULL) DESC, (a.served IS NOT NULL) DESC, u.complete DESC, \
    (u.gone_since IS NULL AND a.gone_since IS NULL) DESC, (u.cluster <> '') DESC, u.time DESC, d.position DESC, u.cluster";

/// Copies of applications with all columns of [`RANK`].
pub(in crate::index::sqlite) const APPLICATION_COPIES: &str = "applications x JOIN units u ON u.id = x.unit JOIN directories d ON d.id = u.directory \
    LEFT JOIN archives a ON a.unit = x.unit AND a.file = x''";

/// Copies of jobs with all columns of [`RANK`], and with `o`, the application of a flat job.
pub(in crate::index::sqlite) const JOB_COPIES: &str = "jobs x JOIN units u ON u.id = x.unit JOIN directories d ON d.id = u.directory \
    LEFT JOIN archives a ON a.unit = x.unit AND a.file = x.job LEFT JOIN units o ON o.id = x.owner";

struct Statements {
    copies: String,
    show: &'static str,
    rank_all: String,
}

static APPLICATIONS: LazyLock<Statements> = LazyLock::new(|| Statements {
    copies: format!(
        "SELECT x.unit, x.shown, x.overview IS NOT NULL, {VISIBLE} FROM {APPLICATION_COPIES} WHERE x.application = ?1 ORDER BY 4 DESC, {RANK}"
    ),
    show: "UPDATE applications SET shown = ?2 WHERE unit = ?1",
    rank_all: format!(
        "WITH ranked AS (
             SELECT x.unit AS id, {VISIBLE} AND row_number() OVER (PARTITION BY x.application ORDER BY {VISIBLE} DESC, {RANK}) = 1 AS best
             FROM {APPLICATION_COPIES}
         )
         UPDATE applications SET shown = ranked.best FROM ranked WHERE applications.unit = ranked.id AND applications.shown <> ranked.best"
    ),
});

static JOBS: LazyLock<Statements> = LazyLock::new(|| Statements {
    copies: format!("SELECT x.id, x.shown, x.overview IS NOT NULL, {VISIBLE} FROM {JOB_COPIES} WHERE x.job = ?1 ORDER BY 4 DESC, {RANK}"),
    show: "UPDATE jobs SET shown = ?2 WHERE id = ?1",
    rank_all: format!(
        "WITH ranked AS (
             SELECT x.id AS id, {VISIBLE} AND row_number() OVER (PARTITION BY x.job ORDER BY {VISIBLE} DESC, {RANK}) = 1 AS best
             FROM {JOB_COPIES}
         )
         UPDATE jobs SET shown = ranked.best FROM ranked WHERE jobs.id = ranked.id AND jobs.shown <> ranked.best"
    ),
});

/// Chooses the shown copy of these ids again. Every act that changes documents, or what precedence depends on, calls this.
pub(in crate::index::sqlite) fn settle(session: &mut Session<'_>, touched: &Touched) -> Result<(), SqliteError> {
    for id in &touched.applications {
        session.note_changed(Owner::Application(*id));
        settle_one(session, &APPLICATIONS, id.as_bytes())?;
    }
    for id in &touched.jobs {
        session.note_changed(Owner::Job(*id));
        settle_one(session, &JOBS, id.as_bytes())?;
    }
    Ok(())
}

/// Whether there is a copy of an application.
pub(in crate::index::sqlite) fn has_application(session: &Session<'_>, id: ApplicationId) -> Result<bool, SqliteError> {
    let sql = "SELECT EXISTS (SELECT 1 FROM applications WHERE application = ?1)";
    Ok(session.connection.prepare_cached(sql)?.query_row([id], |row| row.get(0))?)
}

/// Whether there is a copy of a job.
pub(in crate::index::sqlite) fn has_job(session: &Session<'_>, id: JobId) -> Result<bool, SqliteError> {
    Ok(session.connection.prepare_cached("SELECT EXISTS (SELECT 1 FROM jobs WHERE job = ?1)")?.query_row([id], |row| row.get(0))?)
}

fn settle_one(session: &mut Session<'_>, statements: &Statements, id: &[u8; 16]) -> Result<(), SqliteError> {
    let mut flips: Vec<(i64, bool, bool)> = Vec::new();
    {
        let mut query = session.connection.prepare_cached(&statements.copies)?;
        let mut copies = query.query([id])?;
        let mut best = true;
        while let Some(copy) = copies.next()? {
            let (was_shown, listed, visible): (bool, bool, bool) = (copy.get(1)?, copy.get(2)?, copy.get(3)?);
            let shown = best && visible;
            best = false;
            if shown != was_shown {
                flips.push((copy.get(0)?, shown, listed));
            }
        }
    }
    for (row, shown, listed) in flips {
        session.connection.prepare_cached(statements.show)?.execute(params![row, shown])?;
        session.effects.lists |= listed;
    }
    Ok(())
}

/// Chooses the shown copy of every id again, after a change of the configured directories.
pub(in crate::index::sqlite) fn settle_all(connection: &Connection) -> Result<(), SqliteError> {
    connection.execute(&APPLICATIONS.rank_all, [])?;
    connection.execute(&JOBS.rank_all, [])?;
    Ok(())
}
