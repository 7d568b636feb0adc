-- Whether a job is archived is shown in lists, too: its digest covers that from now on. All of jobs are made anew.
DROP TRIGGER job_digest_outdated;
CREATE TRIGGER job_digest_outdated
    AFTER UPDATE OF job, archived, name, status, start_time, end_time, duration, job_type, tasks, failed_tasks, task_counts, overview ON jobs
    WHEN new.digest IS old.digest AND new.digest IS NOT NULL
        AND (old.job, old.archived, old.name, old.status, old.start_time, old.end_time, old.duration, old.job_type, old.tasks,
             old.failed_tasks, old.task_counts, old.overview)
        IS NOT (new.job, new.archived, new.name, new.status, new.start_time, new.end_time, new.duration, new.job_type, new.tasks,
                new.failed_tasks, new.task_counts, new.overview)
BEGIN
    UPDATE jobs SET digest = NULL WHERE id = new.id;
END;
UPDATE jobs SET digest = NULL;
