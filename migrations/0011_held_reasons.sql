-- Why a cleanup is held back, and which limits a directory has followed.

-- too-much, first-limit, stricter-limit, vanished: all of it waits. clock, times: only what is held waits.
ALTER TABLE held_cleanups ADD COLUMN reason TEXT NOT NULL DEFAULT 'too-much';

-- All files of the unit were read before it was judged. What older versions put on record may never have been.
ALTER TABLE expiries ADD COLUMN verified INTEGER NOT NULL DEFAULT 0;

-- The limits of the last run that was not held back; NULL: no limit. A run under a stricter one is a first run.
CREATE TABLE followed_limits (
    directory INTEGER PRIMARY KEY REFERENCES directories (id) ON DELETE CASCADE,
    applications INTEGER,
    legacy_jobs INTEGER,
    ttl INTEGER,
    bytes INTEGER,
    delete_unreadable INTEGER NOT NULL,
    keep_archives INTEGER NOT NULL
) STRICT;
