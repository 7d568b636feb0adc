-- What archives tell beyond their overviews: figures, vertices, exceptions. What is not told is NULL, never 0.

-- Version of what was derived from the documents that are served. What an older server derived, or did not, is derived from the pack.
ALTER TABLE archives ADD COLUMN derived INTEGER NOT NULL DEFAULT 0;
CREATE INDEX archives_by_derived ON archives (derived);

-- One row per job whose archive was read. Scheduler and version are labels of kind 5 and 6, classes of exceptions of kind 4.
CREATE TABLE job_facts (
    job INTEGER PRIMARY KEY REFERENCES jobs (id) ON DELETE CASCADE,
    parallelism INTEGER,
    max_parallelism INTEGER,
    scheduler INTEGER,
    flink_version INTEGER,
    restarts INTEGER,
    -- Sums over the vertices.
    read_bytes INTEGER,
    write_bytes INTEGER,
    read_records INTEGER,
    write_records INTEGER,
    -- 0: checkpointing was off, or is not told of.
    checkpointing INTEGER NOT NULL,
    checkpoints INTEGER,
    checkpoints_completed INTEGER,
    checkpoints_failed INTEGER,
    checkpoints_in_progress INTEGER,
    checkpoints_restored INTEGER,
    longest_checkpoint INTEGER,
    largest_state INTEGER,
    largest_written INTEGER,
    -- The last completed one. 1 and 0: a savepoint or not; NULL: none was completed.
    last_savepoint INTEGER,
    last_id INTEGER,
    last_triggered INTEGER,
    last_duration INTEGER,
    last_state INTEGER,
    last_written INTEGER,
    -- The newest failure, and its innermost cause where it has one.
    exception INTEGER,
    exception_at INTEGER,
    cause INTEGER,
    exception_message TEXT,
    cause_message TEXT,
    -- Compressed JSON: an array of vertices, in the order of the archive.
    vertices BLOB
) STRICT;
CREATE INDEX job_facts_by_exception ON job_facts (exception) WHERE exception IS NOT NULL;
CREATE INDEX job_facts_by_cause ON job_facts (cause) WHERE cause IS NOT NULL;

-- Applications that failed by themselves, or with a job.
CREATE TABLE application_facts (
    application INTEGER PRIMARY KEY REFERENCES applications (unit) ON DELETE CASCADE,
    exception INTEGER,
    exception_at INTEGER,
    cause INTEGER,
    exception_message TEXT,
    cause_message TEXT
) STRICT;
CREATE INDEX application_facts_by_exception ON application_facts (exception) WHERE exception IS NOT NULL;
CREATE INDEX application_facts_by_cause ON application_facts (cause) WHERE cause IS NOT NULL;

-- A class goes with the last one that failed with it.
CREATE TRIGGER job_facts_removed AFTER DELETE ON job_facts WHEN old.exception IS NOT NULL OR old.cause IS NOT NULL BEGIN
    DELETE FROM labels WHERE id IN (old.exception, old.cause)
        AND NOT EXISTS (SELECT 1 FROM job_facts WHERE exception = labels.id)
        AND NOT EXISTS (SELECT 1 FROM job_facts WHERE cause = labels.id)
        AND NOT EXISTS (SELECT 1 FROM application_facts WHERE exception = labels.id)
        AND NOT EXISTS (SELECT 1 FROM application_facts WHERE cause = labels.id);
END;
CREATE TRIGGER application_facts_removed AFTER DELETE ON application_facts WHEN old.exception IS NOT NULL OR old.cause IS NOT NULL BEGIN
    DELETE FROM labels WHERE id IN (old.exception, old.cause)
        AND NOT EXISTS (SELECT 1 FROM job_facts WHERE exception = labels.id)
        AND NOT EXISTS (SELECT 1 FROM job_facts WHERE cause = labels.id)
        AND NOT EXISTS (SELECT 1 FROM application_facts WHERE exception = labels.id)
        AND NOT EXISTS (SELECT 1 FROM application_facts WHERE cause = labels.id);
END;

-- Class of the innermost cause of the newest failure, for statistics: 0 where there is none.
ALTER TABLE application_list ADD COLUMN exception INTEGER NOT NULL DEFAULT 0;
ALTER TABLE job_list ADD COLUMN exception INTEGER NOT NULL DEFAULT 0;
DROP INDEX application_list_end_time;
DROP INDEX job_list_end_time;
CREATE INDEX application_list_end_time
    ON application_list (end_time, id, name, status, cluster, directory, type, failed, failed_tasks, duration, exception);
CREATE INDEX job_list_end_time ON job_list (end_time, id, name, status, cluster, directory, type, failed, duration, exception);
