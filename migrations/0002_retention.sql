-- What is to be deleted and forgotten, and what was. Times are milliseconds since 1970, ids blobs of 16 bytes.

-- Units that are beyond a limit, or gone and to be forgotten. Also of archives that were never read: those have no row in units.
CREATE TABLE expiries (
    directory INTEGER NOT NULL REFERENCES directories (id) ON DELETE CASCADE,
    -- As in units.
    cluster TEXT NOT NULL,
    name BLOB NOT NULL,
    -- 0: held back by the guard. 1: to be removed, and hidden. 2: being deleted, which is finished whatever happens.
    -- 3: forgotten, while the archive stays in its directory.
    state INTEGER NOT NULL,
    -- 0: delete the archive and forget. 1: forget, the archive stays. 2: forget what is gone from its directory.
    removal INTEGER NOT NULL,
    -- The guard was told to let it pass.
    confirmed INTEGER NOT NULL DEFAULT 0,
    -- Which limit it is beyond, for programs and for people.
    reason TEXT NOT NULL,
    detail TEXT NOT NULL,
    -- Time and bytes that were judged.
    time INTEGER NOT NULL,
    bytes INTEGER NOT NULL,
    -- When it was judged.
    at INTEGER NOT NULL,
    -- Folder of the application, or file of the legacy job archive, as spelled in the directory.
    folder TEXT NOT NULL,
    -- Files that were judged: for each 16 bytes of its job's id (0: the summary) and 8 bytes of its fingerprint.
    files BLOB NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0,
    next_attempt INTEGER,
    failure TEXT,
    PRIMARY KEY (directory, cluster, name)
) STRICT, WITHOUT ROWID;
CREATE INDEX expiries_failed ON expiries (directory) WHERE failure IS NOT NULL;

-- Cleanups held back by the guard: at most one per directory.
CREATE TABLE held_cleanups (
    directory INTEGER PRIMARY KEY REFERENCES directories (id) ON DELETE CASCADE,
    -- Digest of what it would remove: confirmed by this.
    plan TEXT NOT NULL,
    -- How many units it would remove, of how many.
    units INTEGER NOT NULL,
    of INTEGER NOT NULL,
    since INTEGER NOT NULL
) STRICT;

-- The record: what was deleted and forgotten. Hangs on nothing else.
CREATE TABLE deletions (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    at INTEGER NOT NULL,
    directory TEXT NOT NULL,
    cluster TEXT NOT NULL,
    name BLOB NOT NULL,
    -- Name and status that the archive told, if it was ever read.
    title TEXT,
    status TEXT,
    -- What was done: deleted, link-removed, already-gone or forgotten.
    done TEXT NOT NULL,
    reason TEXT NOT NULL,
    detail TEXT NOT NULL,
    time INTEGER NOT NULL,
    bytes INTEGER NOT NULL
) STRICT;
CREATE INDEX deletions_by_age ON deletions (at);

INSERT INTO meta (name, value) VALUES ('last_refresh', 0);
