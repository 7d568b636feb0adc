-- Why the version last tried could not be read: 0 it was read (or an older server did not note why), 1 the store did not hand it out,
-- 2 its content. `tried_at` is when that was; 0 when it was read.
ALTER TABLE archives ADD COLUMN fault INTEGER NOT NULL DEFAULT 0;
ALTER TABLE archives ADD COLUMN tried_at INTEGER NOT NULL DEFAULT 0;

-- Whoever asks for a job whose archive was never read is told why.
CREATE INDEX archives_unread ON archives (file) WHERE parsed = 0;
