-- What lists, facets and statistics of /api/v1 walk: one narrow row per listed copy, numbers only. What is hidden has no row here,
-- except that rows of directories that are not configured stay, and are left out when read.
-- Absent times, durations and counts are -2^63, absent texts 0, so that every column can be compared.

-- Distinct names, folded for comparing without case, cut to 512 characters.
CREATE TABLE names (
    id INTEGER PRIMARY KEY,
    folded TEXT NOT NULL UNIQUE
) STRICT;
CREATE VIRTUAL TABLE names_search USING fts5 (folded, content = 'names', content_rowid = 'id', tokenize = 'trigram case_sensitive 1', detail = 'none');
CREATE TRIGGER name_added AFTER INSERT ON names BEGIN
    INSERT INTO names_search (rowid, folded) VALUES (new.id, new.folded);
END;
CREATE TRIGGER name_removed AFTER DELETE ON names BEGIN
    INSERT INTO names_search (names_search, rowid, folded) VALUES ('delete', old.id, old.folded);
END;

-- Distinct states (kind 1), clusters (2) and job types (3).
CREATE TABLE labels (
    id INTEGER PRIMARY KEY,
    kind INTEGER NOT NULL,
    text TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX labels_by_text ON labels (kind, text);

-- `size` is the number of jobs, `failed` of those that failed; `type` the job types as bits (1 batch, 2 streaming, 4 another).
CREATE TABLE application_list (
    id INTEGER PRIMARY KEY REFERENCES applications (unit) ON DELETE CASCADE,
    name INTEGER NOT NULL,
    status INTEGER NOT NULL,
    cluster INTEGER NOT NULL,
    directory INTEGER NOT NULL,
    type INTEGER NOT NULL,
    start_time INTEGER NOT NULL,
    end_time INTEGER NOT NULL,
    duration INTEGER NOT NULL,
    size INTEGER NOT NULL,
    failed INTEGER NOT NULL,
    failed_tasks INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
-- Each covers what filters look at, so that a walk reads nothing else. Those of texts keep each group newest first.
CREATE INDEX application_list_name ON application_list (name, end_time, id, status, cluster, directory, type, failed, failed_tasks);
CREATE INDEX application_list_status ON application_list (status, end_time, id, name, cluster, directory, type, failed, failed_tasks);
CREATE INDEX application_list_cluster ON application_list (cluster, end_time, id, name, status, directory, type, failed, failed_tasks);
CREATE INDEX application_list_directory ON application_list (directory, end_time, id, name, status, cluster, type, failed, failed_tasks);
CREATE INDEX application_list_start_time ON application_list (start_time, id, name, status, cluster, directory, type, failed, failed_tasks);
CREATE INDEX application_list_end_time ON application_list (end_time, id, name, status, cluster, directory, type, failed, failed_tasks, duration);
CREATE INDEX application_list_duration ON application_list (duration, id, name, status, cluster, directory, type, failed, failed_tasks);
CREATE INDEX application_list_size ON application_list (size, id, name, status, cluster, directory, type, failed, failed_tasks);
CREATE INDEX application_list_failed ON application_list (failed, id, name, status, cluster, directory, type, failed_tasks);

-- `size` is the number of tasks, `failed` of those that failed; `type` a label.
CREATE TABLE job_list (
    id INTEGER PRIMARY KEY REFERENCES jobs (id) ON DELETE CASCADE,
    name INTEGER NOT NULL,
    status INTEGER NOT NULL,
    cluster INTEGER NOT NULL,
    directory INTEGER NOT NULL,
    type INTEGER NOT NULL,
    start_time INTEGER NOT NULL,
    end_time INTEGER NOT NULL,
    duration INTEGER NOT NULL,
    size INTEGER NOT NULL,
    failed INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX job_list_name ON job_list (name, end_time, id, status, cluster, directory, type, failed);
CREATE INDEX job_list_status ON job_list (status, end_time, id, name, cluster, directory, type, failed);
CREATE INDEX job_list_cluster ON job_list (cluster, end_time, id, name, status, directory, type, failed);
CREATE INDEX job_list_directory ON job_list (directory, end_time, id, name, status, cluster, type, failed);
CREATE INDEX job_list_type ON job_list (type, end_time, id, name, status, cluster, directory, failed);
CREATE INDEX job_list_start_time ON job_list (start_time, id, name, status, cluster, directory, type, failed);
CREATE INDEX job_list_end_time ON job_list (end_time, id, name, status, cluster, directory, type, failed, duration);
CREATE INDEX job_list_duration ON job_list (duration, id, name, status, cluster, directory, type, failed);
CREATE INDEX job_list_size ON job_list (size, id, name, status, cluster, directory, type, failed);
CREATE INDEX job_list_failed ON job_list (failed, id, name, status, cluster, directory, type);

-- A name or cluster goes with the last row that has it.
CREATE TRIGGER application_unlisted AFTER DELETE ON application_list BEGIN
    DELETE FROM names WHERE id = old.name
        AND NOT EXISTS (SELECT 1 FROM application_list WHERE name = old.name) AND NOT EXISTS (SELECT 1 FROM job_list WHERE name = old.name);
    DELETE FROM labels WHERE id = old.cluster
        AND NOT EXISTS (SELECT 1 FROM application_list WHERE cluster = old.cluster)
        AND NOT EXISTS (SELECT 1 FROM job_list WHERE cluster = old.cluster);
END;
CREATE TRIGGER job_unlisted AFTER DELETE ON job_list BEGIN
    DELETE FROM names WHERE id = old.name
        AND NOT EXISTS (SELECT 1 FROM application_list WHERE name = old.name) AND NOT EXISTS (SELECT 1 FROM job_list WHERE name = old.name);
    DELETE FROM labels WHERE id = old.cluster
        AND NOT EXISTS (SELECT 1 FROM application_list WHERE cluster = old.cluster)
        AND NOT EXISTS (SELECT 1 FROM job_list WHERE cluster = old.cluster);
END;

-- Applications without a summary are found by id, too.
CREATE INDEX units_incomplete ON units (name) WHERE complete = 0 AND cluster <> '';

-- 0: rows that were there before this table are still to be listed.
INSERT INTO meta (name, value) VALUES ('lists_filled', 0);
