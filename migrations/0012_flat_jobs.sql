-- Jobs of an application whose archives lie beside the clusters, as Flink 2.3 writes a job that fails before it is run.

-- Start by which a summary names the job.
ALTER TABLE jobs ADD COLUMN named_start INTEGER;
-- The application that a job's details name. Empty: they name none. NULL: they have no such member, as in Flink 2.2 and before.
ALTER TABLE jobs ADD COLUMN told_application BLOB;
-- Unit of the application that a job beside the clusters belongs to.
ALTER TABLE jobs ADD COLUMN owner INTEGER REFERENCES units (id) ON DELETE SET NULL;
-- 0: no document tells the end, it is that of the application.
ALTER TABLE jobs ADD COLUMN end_told INTEGER NOT NULL DEFAULT 1;
CREATE INDEX jobs_by_owner ON jobs (owner) WHERE owner IS NOT NULL;

-- Failures of jobs that the exceptions of their application tell, for jobs that say nothing themselves.
CREATE TABLE told_failures (
    unit INTEGER NOT NULL REFERENCES units (id) ON DELETE CASCADE,
    job BLOB NOT NULL,
    at INTEGER,
    -- Stack trace, compressed.
    trace BLOB NOT NULL,
    PRIMARY KEY (unit, job)
) STRICT, WITHOUT ROWID;

-- A job that is expired with its application.
ALTER TABLE expiries ADD COLUMN owner_cluster TEXT;
ALTER TABLE expiries ADD COLUMN owner BLOB;

-- A cluster goes with the last row that has it, whether that goes or becomes part of another.
CREATE TRIGGER job_moved AFTER UPDATE OF cluster ON job_list WHEN old.cluster <> new.cluster BEGIN
    DELETE FROM labels WHERE id = old.cluster
        AND NOT EXISTS (SELECT 1 FROM application_list WHERE cluster = old.cluster)
        AND NOT EXISTS (SELECT 1 FROM job_list WHERE cluster = old.cluster);
END;
