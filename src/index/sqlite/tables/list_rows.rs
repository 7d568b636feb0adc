//! Narrow rows of listed applications and jobs, written in the same transaction as the rows that they are made of.

use rusqlite::{Connection, OptionalExtension as _, Row, params};

use crate::index::query::folding::fold;
use crate::index::sqlite::store::sqlite_error::SqliteError;

/// Jobs of an application: its own, then its flat jobs. If a job has two rows, the one that only names it is left out.
pub(in crate::index::sqlite) const JOBS_OF_UNIT: &str = "(SELECT id FROM jobs WHERE unit = ?1 AND (archived = 1
         OR NOT EXISTS (SELECT 1 FROM jobs beside WHERE beside.owner = ?1 AND beside.job = jobs.job))
     UNION ALL SELECT id FROM jobs WHERE owner = ?1)";

/// A time, duration or count that is absent.
pub(in crate::index::sqlite) const ABSENT: i64 = i64::MIN;
/// A text that is absent.
pub(in crate::index::sqlite) const NO_TEXT: i64 = 0;

/// Kinds of labels.
pub(in crate::index::sqlite) const STATUS: i64 = 1;
pub(in crate::index::sqlite) const CLUSTER: i64 = 2;
pub(in crate::index::sqlite) const JOB_TYPE: i64 = 3;
pub(in crate::index::sqlite) const EXCEPTION: i64 = 4;
pub(in crate::index::sqlite) const SCHEDULER: i64 = 5;
pub(in crate::index::sqlite) const FLINK_VERSION: i64 = 6;

/// Bits of the job types of an application.
pub(in crate::index::sqlite) const TYPE_BITS: [(&str, i64); 2] = [("BATCH", 1), ("STREAMING", 2)];
/// Bit of any other job type.
pub(in crate::index::sqlite) const OTHER_TYPE: i64 = 4;

const APPLICATION: &str = "INSERT INTO application_list
        (id, name, status, cluster, directory, type, start_time, end_time, duration, size, failed, failed_tasks, exception)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)
    ON CONFLICT (id) DO UPDATE SET name = excluded.name, status = excluded.status, type = excluded.type, start_time = excluded.start_time,
        end_time = excluded.end_time, duration = excluded.duration, size = excluded.size, failed = excluded.failed,
        failed_tasks = excluded.failed_tasks, exception = excluded.exception
    WHERE (name, status, type, start_time, end_time, duration, size, failed, failed_tasks, exception)
        <> (excluded.name, excluded.status, excluded.type, excluded.start_time, excluded.end_time, excluded.duration, excluded.size,
            excluded.failed, excluded.failed_tasks, excluded.exception)";

const JOB: &str = "INSERT INTO job_list
        (id, name, status, cluster, directory, type, start_time, end_time, duration, size, failed, exception)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)
    ON CONFLICT (id) DO UPDATE SET name = excluded.name, status = excluded.status, cluster = excluded.cluster, type = excluded.type,
        start_time = excluded.start_time, end_time = excluded.end_time, duration = excluded.duration, size = excluded.size,
        failed = excluded.failed, exception = excluded.exception
    WHERE (name, status, cluster, type, start_time, end_time, duration, size, failed, exception)
        <> (excluded.name, excluded.status, excluded.cluster, excluded.type, excluded.start_time, excluded.end_time, excluded.duration, excluded.size,
            excluded.failed, excluded.exception)";

/// Columns of a wide row.
struct Told {
    row: i64,
    name: Option<String>,
    status: Option<String>,
    start: i64,
    end: i64,
    duration: i64,
    size: i64,
    failed: i64,
    job_type: Option<String>,
    exception: i64,
}

impl Told {
    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        let number = |column| Ok::<_, rusqlite::Error>(row.get::<_, Option<i64>>(column)?.unwrap_or(ABSENT));
        Ok(Self {
            row: row.get(0)?,
            name: row.get(1)?,
            status: row.get(2)?,
            start: number(3)?,
            end: number(4)?,
            duration: number(5)?,
            size: number(6)?,
            failed: number(7)?,
            job_type: row.get(8)?,
            exception: row.get::<_, Option<i64>>(9)?.unwrap_or(NO_TEXT),
        })
    }
}

/// Updates the narrow rows of a unit.
pub(in crate::index::sqlite) fn sync(connection: &Connection, unit: i64) -> Result<(), SqliteError> {
    let found: Option<(i64, String, bool)> = connection
        // A flat job is listed with the cluster of its application.
        .prepare_cached(
            "SELECT u.directory,
                 coalesce((SELECT o.cluster FROM jobs x JOIN units o ON o.id = x.owner WHERE x.unit = u.id), u.cluster),
                 u.expired_at IS NULL
             FROM units u WHERE u.id = ?1",
        )?
        .query_row([unit], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
        .optional()?;
    let Some((directory, cluster, visible)) = found else { return Ok(()) };
    // A job without an archived end has ended with its application at the latest.
    connection
        .prepare_cached(
            "UPDATE jobs SET end_time = a.end_time, duration = coalesce(jobs.duration, max(0, a.end_time - jobs.start_time))
             FROM applications a WHERE a.unit = coalesce(jobs.owner, jobs.unit) AND jobs.unit = ?1 AND jobs.end_told = 0
                 AND jobs.status IN ('FINISHED', 'FAILED', 'CANCELED')",
        )?
        .execute([unit])?;
    let application = connection
        .prepare_cached(
            "SELECT unit, name, status, start_time, end_time, duration, jobs, failed_jobs, NULL, coalesce(cause, exception)
             FROM applications LEFT JOIN application_facts ON application_facts.application = unit
             WHERE unit = ?1 AND overview IS NOT NULL",
        )?
        .query_row([unit], Told::read)
        .optional()?
        .filter(|_| visible);
    let jobs: Vec<Told> = if visible {
        connection
            .prepare_cached(
                "SELECT id, name, status, start_time, end_time, duration, tasks, failed_tasks, job_type, coalesce(cause, exception)
                 FROM jobs LEFT JOIN job_facts ON job_facts.job = id
                 WHERE unit = ?1 AND overview IS NOT NULL",
            )?
            .query_map([unit], Told::read)?
            .collect::<Result<_, _>>()?
    } else {
        Vec::new()
    };
    if application.is_none() {
        connection.prepare_cached("DELETE FROM application_list WHERE id = ?1")?.execute([unit])?;
    }
    connection
        .prepare_cached("DELETE FROM job_list WHERE id IN (SELECT id FROM jobs WHERE unit = ?1 AND (overview IS NULL OR NOT ?2))")?
        .execute(params![unit, visible])?;
    if application.is_none() && jobs.is_empty() {
        return Ok(());
    }
    let cluster = if cluster.is_empty() { NO_TEXT } else { label(connection, CLUSTER, Some(&cluster))? };
    if let Some(told) = application {
        let (types, failed_tasks) = of_jobs(connection, unit)?;
        connection.prepare_cached(APPLICATION)?.execute(params![
            told.row,
            name(connection, told.name.as_deref())?,
            label(connection, STATUS, told.status.as_deref())?,
            cluster,
            directory,
            types,
            told.start,
            told.end,
            told.duration,
            told.size,
            told.failed,
            failed_tasks,
            told.exception,
        ])?;
    }
    for told in jobs {
        connection.prepare_cached(JOB)?.execute(params![
            told.row,
            name(connection, told.name.as_deref())?,
            label(connection, STATUS, told.status.as_deref())?,
            cluster,
            directory,
            label(connection, JOB_TYPE, told.job_type.as_deref())?,
            told.start,
            told.end,
            told.duration,
            told.size,
            told.failed,
            told.exception,
        ])?;
    }
    Ok(())
}

/// Types of the jobs of an application together, and how many of their tasks failed.
fn of_jobs(connection: &Connection, unit: i64) -> Result<(i64, i64), SqliteError> {
    let sql = format!("SELECT job_type, failed_tasks FROM jobs WHERE id IN {JOBS_OF_UNIT} AND overview IS NOT NULL");
    let mut query = connection.prepare_cached(&sql)?;
    let mut jobs = query.query([unit])?;
    let (mut types, mut failed_tasks) = (0, ABSENT);
    while let Some(job) = jobs.next()? {
        types |= job.get::<_, Option<String>>(0)?.map_or(0, |text| type_bit(&text));
        if let Some(failed) = job.get::<_, Option<i64>>(1)? {
            failed_tasks = if failed_tasks == ABSENT { failed } else { failed_tasks.saturating_add(failed) };
        }
    }
    Ok((types, failed_tasks))
}

/// The bit of a job type.
pub(in crate::index::sqlite) fn type_bit(text: &str) -> i64 {
    TYPE_BITS.iter().find(|(known, _)| *known == text).map_or(OTHER_TYPE, |(_, bit)| *bit)
}

/// The row of a text; it is added if it is missing.
pub(in crate::index::sqlite) fn label(connection: &Connection, kind: i64, text: Option<&str>) -> Result<i64, SqliteError> {
    let Some(text) = text else { return Ok(NO_TEXT) };
    if let Some(id) = find_label(connection, kind, text)? {
        return Ok(id);
    }
    connection.prepare_cached("INSERT INTO labels (kind, text) VALUES (?1, ?2)")?.execute(params![kind, text])?;
    Ok(connection.last_insert_rowid())
}

/// The row of a text, if there is one.
pub(in crate::index::sqlite) fn find_label(connection: &Connection, kind: i64, text: &str) -> Result<Option<i64>, SqliteError> {
    let mut query = connection.prepare_cached("SELECT id FROM labels WHERE kind = ?1 AND text = ?2")?;
    Ok(query.query_row(params![kind, text], |row| row.get(0)).optional()?)
}

/// Adds the names that are missing, in one statement. Each is of a row that is listed in the same act.
pub(in crate::index::sqlite) fn add_names<'n>(connection: &Connection, names: impl Iterator<Item = &'n str>) -> Result<(), SqliteError> {
    // JSON in SQLite ends a text at a zero character: such a name is added with its row.
    let folded: Vec<String> = names.map(fold).filter(|folded| !folded.contains('\0')).collect();
    if folded.is_empty() {
        return Ok(());
    }
    connection
        .prepare_cached("INSERT INTO names (folded) SELECT value FROM json_each(?1) WHERE true ON CONFLICT DO NOTHING")?
        .execute([serde_json::Value::from(folded).to_string()])?;
    Ok(())
}

/// The row of a name; it is added if it is missing.
fn name(connection: &Connection, name: Option<&str>) -> Result<i64, SqliteError> {
    let Some(name) = name else { return Ok(NO_TEXT) };
    let folded = fold(name);
    let found = connection.prepare_cached("SELECT id FROM names WHERE folded = ?1")?.query_row([&folded], |row| row.get(0)).optional()?;
    if let Some(id) = found {
        return Ok(id);
    }
    Ok(connection.prepare_cached("INSERT INTO names (folded) VALUES (?1) RETURNING id")?.query_row([&folded], |row| row.get(0))?)
}

/// Writes the narrow rows of an index of an older version, once, in one transaction.
pub(in crate::index::sqlite) fn fill(connection: &mut Connection) -> Result<(), SqliteError> {
    const FILLED: &str = "SELECT value FROM meta WHERE name = 'lists_filled'";
    if connection.query_row(FILLED, [], |row| row.get::<_, i64>(0))? != 0 {
        return Ok(());
    }
    let transaction = connection.transaction()?;
    let mut last = i64::MIN;
    loop {
        let units: Vec<i64> = transaction
            .prepare_cached("SELECT id FROM units WHERE id > ?1 ORDER BY id LIMIT 1000")?
            .query_map([last], |row| row.get(0))?
            .collect::<Result<_, _>>()?;
        let Some(end) = units.last() else { break };
        last = *end;
        for unit in units {
            sync(&transaction, unit)?;
        }
    }
    transaction.execute("UPDATE meta SET value = 1 WHERE name = 'lists_filled'", [])?;
    transaction.commit()?;
    Ok(())
}
