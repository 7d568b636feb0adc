-- How many problems there are, by directory and code, kept with each: monitors ask every few seconds, however many there are.

-- What it is about is gone from its directory. Kept by the triggers below.
ALTER TABLE problems ADD COLUMN hidden INTEGER NOT NULL DEFAULT 0;
DROP INDEX problems_by_age;
CREATE INDEX problems_by_age ON problems (since, id) WHERE hidden = 0;

-- Those that are not hidden.
CREATE TABLE problem_counts (
    directory INTEGER NOT NULL REFERENCES directories (id) ON DELETE CASCADE,
    code TEXT NOT NULL,
    number INTEGER NOT NULL,
    PRIMARY KEY (directory, code)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER problem_hidden AFTER UPDATE OF hidden ON problems WHEN old.hidden <> new.hidden BEGIN
    UPDATE problem_counts SET number = number + iif(new.hidden, -1, 1) WHERE directory = new.directory AND code = new.code;
END;
CREATE TRIGGER problem_added AFTER INSERT ON problems BEGIN
    INSERT INTO problem_counts VALUES (new.directory, new.code, 1) ON CONFLICT DO UPDATE SET number = number + 1;
    UPDATE problems SET hidden = 1 WHERE id = new.id AND (
        EXISTS (SELECT 1 FROM units u WHERE u.id = new.unit AND u.gone_since IS NOT NULL)
        OR EXISTS (SELECT 1 FROM archives a WHERE a.unit = new.unit AND a.file = new.archive AND a.gone_since IS NOT NULL));
END;
CREATE TRIGGER problem_removed AFTER DELETE ON problems WHEN old.hidden = 0 BEGIN
    UPDATE problem_counts SET number = number - 1 WHERE directory = old.directory AND code = old.code;
END;

CREATE TRIGGER unit_presence AFTER UPDATE OF gone_since ON units WHEN (old.gone_since IS NULL) <> (new.gone_since IS NULL) BEGIN
    UPDATE problems SET hidden = new.gone_since IS NOT NULL
        OR EXISTS (SELECT 1 FROM archives a WHERE a.unit = new.id AND a.file = problems.archive AND a.gone_since IS NOT NULL)
        WHERE unit = new.id;
END;
CREATE TRIGGER archive_presence AFTER UPDATE OF gone_since ON archives WHEN (old.gone_since IS NULL) <> (new.gone_since IS NULL) BEGIN
    UPDATE problems SET hidden = new.gone_since IS NOT NULL
        OR EXISTS (SELECT 1 FROM units u WHERE u.id = new.unit AND u.gone_since IS NOT NULL)
        WHERE unit = new.unit AND archive = new.file;
END;
CREATE TRIGGER archive_removed AFTER DELETE ON archives WHEN old.gone_since IS NOT NULL BEGIN
    UPDATE problems SET hidden = EXISTS (SELECT 1 FROM units u WHERE u.id = old.unit AND u.gone_since IS NOT NULL)
        WHERE unit = old.unit AND archive = old.file;
END;

-- Those that are there already.
UPDATE problems SET hidden = 1 WHERE EXISTS (SELECT 1 FROM units u WHERE u.id = problems.unit AND u.gone_since IS NOT NULL)
    OR EXISTS (SELECT 1 FROM archives a WHERE a.unit = problems.unit AND a.file = problems.archive AND a.gone_since IS NOT NULL);
DELETE FROM problem_counts;
INSERT INTO problem_counts SELECT directory, code, count(*) FROM problems WHERE hidden = 0 GROUP BY directory, code;
