-- What is known of all archives, and their documents. Times are milliseconds since 1970, ids blobs of 16 bytes.

-- Counters of the whole file. `index` tells one index file from another, `generation` grows with every commit that changes a list,
-- `reads` is the clock by which packs were last read, the bytes are kept by the triggers below.
CREATE TABLE meta (
    name TEXT PRIMARY KEY,
    value INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO meta (name, value) VALUES ('index', random()), ('generation', 0), ('reads', 0), ('pack_bytes', 0), ('gone_pack_bytes', 0);

CREATE TABLE directories (
    id INTEGER PRIMARY KEY,
    url TEXT NOT NULL UNIQUE,
    -- Place in the configured list; NULL: not configured, so hidden.
    position INTEGER,
    unconfigured_since INTEGER,
    held_archives INTEGER NOT NULL DEFAULT 0,
    vanished_since INTEGER
) STRICT;

-- An application with its files, or one legacy job archive.
CREATE TABLE units (
    id INTEGER PRIMARY KEY,
    directory INTEGER NOT NULL REFERENCES directories (id) ON DELETE CASCADE,
    -- '': a legacy job archive. No folder has that name.
    cluster TEXT NOT NULL,
    -- Id of the application, or of the legacy job.
    name BLOB NOT NULL,
    -- A summary (legacy: the file) was parsed once.
    complete INTEGER NOT NULL DEFAULT 0,
    -- Modification time of the summary, without one of the newest file.
    time INTEGER NOT NULL DEFAULT 0,
    gone_since INTEGER,
    expired_at INTEGER
) STRICT;
CREATE UNIQUE INDEX units_by_key ON units (directory, cluster, name);
CREATE INDEX units_gone ON units (gone_since) WHERE gone_since IS NOT NULL;

-- One row per file.
CREATE TABLE archives (
    unit INTEGER NOT NULL REFERENCES units (id) ON DELETE CASCADE,
    -- x'': the summary; else the id of the job.
    file BLOB NOT NULL,
    -- Fingerprint, size and time of the version last tried, and whether that one was read.
    tried INTEGER NOT NULL,
    size INTEGER NOT NULL,
    modified INTEGER NOT NULL,
    parsed INTEGER NOT NULL,
    racy INTEGER NOT NULL,
    gone_since INTEGER,
    attempts INTEGER NOT NULL,
    next_attempt INTEGER,
    -- Fingerprint of the version whose documents are served; NULL: none was ever read. Without a row in packs they are evicted.
    served INTEGER,
    documents INTEGER NOT NULL DEFAULT 0,
    document_bytes INTEGER NOT NULL DEFAULT 0,
    etag TEXT,
    -- NULL: where Flink puts it, in lower case.
    path TEXT,
    PRIMARY KEY (unit, file)
) STRICT, WITHOUT ROWID;

-- The documents of one archive version. Ids are never used again: whoever still reads an older pack finds it or nothing.
CREATE TABLE packs (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    -- NULL: staged, its archive is still being read.
    unit INTEGER,
    file BLOB,
    bytes INTEGER NOT NULL,
    -- By the clock `reads` of meta; 0: never.
    last_read INTEGER NOT NULL DEFAULT 0,
    -- Of the archive: of packs never read the oldest goes first.
    modified INTEGER NOT NULL DEFAULT 0,
    -- Since when the archive, or its whole unit, is gone from its directory.
    gone_since INTEGER,
    FOREIGN KEY (unit, file) REFERENCES archives (unit, file) ON DELETE CASCADE
) STRICT;
CREATE UNIQUE INDEX packs_by_archive ON packs (unit, file);
CREATE INDEX packs_by_eviction ON packs (gone_since, last_read, modified);

CREATE TABLE parts (
    id INTEGER PRIMARY KEY,
    pack INTEGER NOT NULL REFERENCES packs (id) ON DELETE CASCADE,
    n INTEGER NOT NULL,
    directory BLOB NOT NULL,
    frames BLOB NOT NULL
) STRICT;
CREATE UNIQUE INDEX parts_by_pack ON parts (pack, n);

CREATE TRIGGER pack_added AFTER INSERT ON packs BEGIN
    UPDATE meta SET value = value + new.bytes WHERE name = 'pack_bytes';
END;
CREATE TRIGGER pack_removed AFTER DELETE ON packs BEGIN
    UPDATE meta SET value = value - old.bytes WHERE name = 'pack_bytes';
    UPDATE meta SET value = value - iif(old.gone_since IS NULL, 0, old.bytes) WHERE name = 'gone_pack_bytes';
END;
CREATE TRIGGER pack_changed AFTER UPDATE OF bytes, gone_since ON packs BEGIN
    UPDATE meta SET value = value - old.bytes + new.bytes WHERE name = 'pack_bytes';
    UPDATE meta SET value = value - iif(old.gone_since IS NULL, 0, old.bytes) + iif(new.gone_since IS NULL, 0, new.bytes)
        WHERE name = 'gone_pack_bytes';
END;

-- What summaries tell: one row per application whose summary was parsed.
CREATE TABLE applications (
    unit INTEGER PRIMARY KEY REFERENCES units (id) ON DELETE CASCADE,
    application BLOB NOT NULL,
    -- This copy of the id is the one that Flink's paths show.
    shown INTEGER NOT NULL DEFAULT 0,
    name TEXT,
    status TEXT,
    start_time INTEGER,
    end_time INTEGER,
    duration INTEGER,
    jobs INTEGER,
    failed_jobs INTEGER,
    -- JSON object: number of jobs by state.
    job_counts TEXT,
    -- The archived object of the overview; NULL: the summary has none, so that it is not listed.
    overview TEXT
) STRICT;
CREATE INDEX applications_by_id ON applications (application);
CREATE INDEX applications_listed ON applications (end_time DESC, application) WHERE shown = 1 AND overview IS NOT NULL;

-- What job archives tell, and jobs that a summary names.
CREATE TABLE jobs (
    id INTEGER PRIMARY KEY,
    unit INTEGER NOT NULL REFERENCES units (id) ON DELETE CASCADE,
    job BLOB NOT NULL,
    -- A summary names it.
    named INTEGER NOT NULL DEFAULT 0,
    -- Its archive was parsed.
    archived INTEGER NOT NULL DEFAULT 0,
    shown INTEGER NOT NULL DEFAULT 0,
    name TEXT,
    status TEXT,
    start_time INTEGER,
    end_time INTEGER,
    duration INTEGER,
    job_type TEXT,
    tasks INTEGER,
    failed_tasks INTEGER,
    -- JSON object: number of tasks by state.
    task_counts TEXT,
    overview TEXT
) STRICT;
CREATE UNIQUE INDEX jobs_by_unit ON jobs (unit, job);
CREATE INDEX jobs_by_id ON jobs (job);
CREATE INDEX jobs_listed ON jobs (end_time DESC, job, status) WHERE shown = 1 AND overview IS NOT NULL;

-- At most one per subject and code.
CREATE TABLE problems (
    id INTEGER PRIMARY KEY,
    directory INTEGER NOT NULL REFERENCES directories (id) ON DELETE CASCADE,
    -- NULL: found by a listing.
    unit INTEGER REFERENCES units (id) ON DELETE CASCADE,
    -- Key of the file in archives, if it has one: a problem is hidden while its file is gone.
    archive BLOB,
    code TEXT NOT NULL,
    cluster TEXT,
    application BLOB,
    file TEXT,
    reason TEXT NOT NULL,
    since INTEGER NOT NULL,
    next_attempt INTEGER
) STRICT;
CREATE INDEX problems_by_unit ON problems (unit);
CREATE INDEX problems_by_directory ON problems (directory) WHERE unit IS NULL;
CREATE INDEX problems_by_age ON problems (since, id);
