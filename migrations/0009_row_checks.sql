-- A digest of what lists show of each row: SQLite does not notice a flipped bit in a text or a number. NULL: still to be made.
ALTER TABLE applications ADD COLUMN digest INTEGER;
ALTER TABLE jobs ADD COLUMN digest INTEGER;
CREATE INDEX applications_without_digest ON applications (unit) WHERE digest IS NULL;
CREATE INDEX jobs_without_digest ON jobs (id) WHERE digest IS NULL;

-- Whoever changes such a column without its digest has the digest made anew.
CREATE TRIGGER application_digest_outdated
    AFTER UPDATE OF application, name, status, start_time, end_time, duration, jobs, failed_jobs, job_counts, overview ON applications
    WHEN new.digest IS old.digest AND new.digest IS NOT NULL
        AND (old.application, old.name, old.status, old.start_time, old.end_time, old.duration, old.jobs, old.failed_jobs, old.job_counts,
             old.overview)
        IS NOT (new.application, new.name, new.status, new.start_time, new.end_time, new.duration, new.jobs, new.failed_jobs,
                new.job_counts, new.overview)
BEGIN
    UPDATE applications SET digest = NULL WHERE unit = new.unit;
END;
CREATE TRIGGER job_digest_outdated
    AFTER UPDATE OF job, name, status, start_time, end_time, duration, job_type, tasks, failed_tasks, task_counts, overview ON jobs
    WHEN new.digest IS old.digest AND new.digest IS NOT NULL
        AND (old.job, old.name, old.status, old.start_time, old.end_time, old.duration, old.job_type, old.tasks, old.failed_tasks,
             old.task_counts, old.overview)
        IS NOT (new.job, new.name, new.status, new.start_time, new.end_time, new.duration, new.job_type, new.tasks, new.failed_tasks,
                new.task_counts, new.overview)
BEGIN
    UPDATE jobs SET digest = NULL WHERE id = new.id;
END;
