-- What archives mean beyond what single documents say.

-- `restarts` is NULL where it cannot be known; then there were at least so many. Rescales: those that no failure caused.
ALTER TABLE job_facts ADD COLUMN least_restarts INTEGER NOT NULL DEFAULT 0;
ALTER TABLE job_facts ADD COLUMN rescales INTEGER;
-- NULL: not told.
ALTER TABLE job_facts ADD COLUMN has_plan INTEGER;
-- Where the newest failure is told: 1 the exceptions of the job, 2 the record of a rescale, 3 the exceptions of its application.
ALTER TABLE job_facts ADD COLUMN exception_source INTEGER;
-- JSON object: labels of the newest failure.
ALTER TABLE job_facts ADD COLUMN failure_labels TEXT;
