-- Units that are listed from their summary (or the head of a legacy job archive) before their archives are read.

-- Some of its archives are still to be read for the first time: those with the fault 3.
ALTER TABLE units ADD COLUMN queued INTEGER NOT NULL DEFAULT 0;
CREATE INDEX units_queued ON units (directory) WHERE queued = 1;

-- An archive that is still to be read is not one that could not be read.
DROP INDEX archives_unread;
CREATE INDEX archives_unread ON archives (file) WHERE parsed = 0 AND fault <> 3;
